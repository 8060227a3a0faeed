"""Dual tensors and autograd.functional. Expected numbers are derivatives worked out by hand."""
import pytest

import kobai
from kobai.autograd import forward_ad as fw, functional


def test_tangents_are_carried_and_end_with_the_level():
    with fw.dual_level():
        x = fw.make_dual(kobai.tensor([1.0, 2.0]), kobai.tensor([1.0, 0.0]))
        y = (x ** 3).sum()
        assert fw.unpack_dual(y).tangent.item() == 3.0
        assert repr(x * 2) == "tensor([2., 4.], tangent=tensor([2., 0.]))"
        assert x.tolist() == [1.0, 2.0] and bool(x[0] > 0) and float(y) == 9.0
        assert fw.unpack_dual(x.detach()).tangent is None
    assert fw.unpack_dual(y) == (y._value.primal, None)
    assert repr(x) == "tensor([1., 2.])"
    with fw.dual_level():
        assert fw.unpack_dual(x).tangent is None
        z = fw.make_dual(kobai.ones(2), kobai.ones(2))
        assert fw.unpack_dual(z * x).tangent.tolist() == [1.0, 2.0]


def test_forward_over_reverse_and_reverse_over_forward():
    x = kobai.tensor([1.0, 2.0], requires_grad=True)
    v = kobai.tensor([1.0, 0.0])
    with fw.dual_level():
        d = fw.make_dual(x, v)
        g, = kobai.autograd.grad((d ** 3).sum(), d, create_graph=True)
        assert [t.tolist() for t in fw.unpack_dual(g)] == [[3.0, 12.0], [6.0, 0.0]]
        g, = kobai.autograd.grad(fw.unpack_dual((d ** 3).sum()).tangent, x)
        assert g.tolist() == [6.0, 0.0]


@pytest.mark.parametrize("call, error, message", [
    (lambda: fw.make_dual(kobai.ones(1), kobai.ones(2)), RuntimeError, "Trying to set a forward gradient that has a diff"),
    (lambda: fw.make_dual(kobai.tensor([1]), kobai.ones(1)), ValueError, "Expected primal to be floating point or complex"),
    (lambda: fw.make_dual(kobai.ones(1), kobai.tensor([1])), ValueError, "Expected tangent to be floating point or complex"),
    (fw.enter_dual_level, RuntimeError, "Nested forward mode AD is not supported")])
def test_errors(call, error, message):
    with fw.dual_level(), pytest.raises(error) as e:
        call()
    assert str(e.value).startswith(message)


def test_errors_without_a_level():
    with pytest.raises(RuntimeError, match="no level exists"):
        fw.make_dual(kobai.ones(1), kobai.ones(1))
    with pytest.raises(RuntimeError, match="Dual level must be a positive number"):
        fw.exit_dual_level()


def f(x, y):
    return (x ** 2 * y).sum()


X, Y = kobai.tensor([1.0, 2.0]), kobai.tensor([3.0, 4.0])


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"strategy": "forward-mode"}, {"create_graph": True}])
def test_jacobian(options):
    (a, b), (c, d) = functional.jacobian(lambda x, y: (x * y, x.sum()), (X, Y), **options)
    assert (a.tolist(), b.tolist()) == ([[3, 0], [0, 4]], [[1, 0], [0, 2]])
    assert (c.tolist(), d.tolist()) == ([1, 1], [0, 0])
    assert a.requires_grad == options.get("create_graph", False)


@pytest.mark.parametrize("options", [{}, {"vectorize": True}, {"outer_jacobian_strategy": "forward-mode"}])
def test_hessian(options):
    (xx, xy), (yx, yy) = functional.hessian(f, (X, Y), **options)
    assert (xx.tolist(), yy.tolist()) == ([[6, 0], [0, 8]], [[0, 0], [0, 0]])
    assert xy.tolist() == [[2, 0], [0, 4]] and kobai.equal(xy.T, yx)


def test_products():
    v = kobai.tensor([1.0, -1.0]), kobai.tensor([0.5, 2.0])
    value, (hx, hy) = functional.hvp(f, (X, Y), v)
    assert (value.item(), hx.tolist(), hy.tolist()) == (19.0, [6 * 1 + 2 * 0.5, 8 * -1 + 4 * 2.0], [2.0, -4.0])
    assert [t.tolist() for t in functional.vhp(f, (X, Y), v)[1]] == [hx.tolist(), hy.tolist()]
    assert functional.jvp(f, (X, Y), v)[1].item() == 6 * 1 - 16 + 0.5 + 8
    assert [t.tolist() for t in functional.vjp(f, (X, Y))[1]] == [[6, 16], [1, 4]]


@pytest.mark.parametrize("call, message", [
    (lambda: functional.jacobian(lambda x: kobai.ones(2), X, strict=True), "Output 0 of the user-provided function does not"),
    (lambda: functional.jacobian(lambda x, y: x * 2, (X, Y), strict=True),
     "Output 0 of the user-provided function is independent of input 1."),
    (lambda: functional.hvp(lambda x: x.sum(), X, X, strict=True), "While computing the hessian, found that the jacobian"),
    (lambda: functional.vhp(lambda x: x, X, X), "The Tensor returned by the function given to vhp should contain a single"),
    (lambda: functional.vjp(lambda x: x, X), "The vector v can only be None if the user-provided function returns"),
    (lambda: functional.jvp(lambda x: x, X), "The vector v can only be None if the input to the user-provided function"),
    (lambda: functional.vjp(lambda x, y: (x, y), (X, Y), (X,)), "v is a tuple of invalid length: should be 2 but got 1.")])
def test_errors_of_functional(call, message):
    with pytest.raises(RuntimeError) as e:
        call()
    assert str(e.value).startswith(message)
