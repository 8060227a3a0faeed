"""Functions with a derivative of the user's own."""
import pytest

import kobai
from kobai.autograd import Function
from kobai.autograd.function import once_differentiable


def leaf(*values):
    return kobai.tensor(values, requires_grad=True)


class Cube(Function):
    """x³, from its saved input; twice differentiable because backward is made of tensor operations."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x ** 2 * g


def test_three_derivatives():
    x = leaf(2.0)
    y = Cube.apply(x)
    found = []
    for _ in range(3):
        y, = kobai.autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [12.0, 12.0, 6.0]


def test_the_node_is_ctx_and_is_named_after_the_class():
    y = Cube.apply(leaf(2.0))
    assert type(y.grad_fn).__name__ == "CubeBackward" and repr(y).endswith("grad_fn=<CubeBackward>)")
    assert y.grad_fn.saved_tensors[0].tolist() == [2.0]


def test_saved_outputs_know_where_they_come_from():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]
    x = leaf(0.0)
    g, = kobai.autograd.grad(Exp.apply(x), x, create_graph=True)
    h, = kobai.autograd.grad(g, x)
    assert (g.item(), h.item()) == (1.0, 1.0)


class Double(Function):
    """In place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 2


def test_mark_dirty_changes_the_history_of_the_input():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = Double.apply(y)
    assert z is y and type(y.grad_fn).__name__ == "DoubleBackward"
    (y * 3).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_mark_dirty_on_a_view_changes_the_history_of_the_base():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    Double.apply(y[1:])
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([1.0, 4.0, 6.0], [1.0, 2.0, 2.0])


def test_mark_dirty_refuses_a_leaf():
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        Double.apply(leaf(1.0))


def test_outputs_that_are_no_tensors_have_no_gradient():
    given = []

    class F(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, "text", x * 3

        @staticmethod
        def backward(ctx, *gs):
            given.extend(gs)
            return gs[0] * 2 + gs[2] * 3
    x = leaf(1.0)
    F.apply(x)[0].backward()
    assert given[1] is None and given[2].tolist() == [0.0] and x.grad.tolist() == [2.0]


def returning(result):
    class F(Function):
        @staticmethod
        def forward(ctx, x, n=None):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return result(g)
    return F


@pytest.mark.parametrize("result, message", [
    (lambda g: (g, g, g), "function FBackward returned an incorrect number of gradients (expected 2, got 3)"),
    (lambda g: g, "function FBackward returned an incorrect number of gradients (expected 2, got 1)"),
    (lambda g: (g, g), "function FBackward returned a gradient different from None at position 2, but the corresponding "
                       "forward input was not a Variable"),
    (lambda g: (g.sum(), None), "Function FBackward returned an invalid gradient at index 0 - got [] but expected shape "
                                "compatible with [2]"),
    (lambda g: (kobai.ones(3), None), "Function FBackward returned an invalid gradient at index 0 - got [3] but expected"),
    (lambda g: (1.0, None), "expected Variable or None (got float)")])
def test_wrong_results_of_backward(result, message):
    with pytest.raises(RuntimeError) as e:
        returning(result).apply(leaf(1.0, 2.0), 3).sum().backward()
    assert str(e.value).startswith(message)


def test_gradients_are_brought_to_the_inputs_shape_and_dtype():
    x = leaf(1.0, 2.0)
    returning(lambda g: (g.double(), None)).apply(x, 3).sum().backward()
    assert x.grad.dtype == kobai.float32
    x.grad = None
    returning(lambda g: (kobai.ones(4, 2), None)).apply(x, 3).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_once_differentiable():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g
    x = leaf(2.0)
    g, = kobai.autograd.grad(F.apply(x) ** 2, x, create_graph=True)
    assert g.tolist() == [2 * 8 * 12.0]
    with pytest.raises(RuntimeError, match="trying to differentiate twice a function that was marked with "
                                           "@once_differentiable"):
        g.backward()


def test_only_tensors_are_saved():
    class F(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)
            return x
    with pytest.raises(TypeError, match="save_for_backward can only save variables, but argument 0 is of type int"):
        F.apply(leaf(1.0))


def test_a_saved_tensor_that_was_changed():
    h = leaf(1.0) * 1
    y = Cube.apply(h)
    h.add_(1)
    with pytest.raises(RuntimeError, match="output 0 of Add, is at version 1; expected version 0"):
        y.backward()


class TimesNumber(Function):
    """x times a number, which is no tensor and so no edge of the graph."""

    @staticmethod
    def forward(ctx, k, x):
        ctx.k = k
        return k * x

    @staticmethod
    def backward(ctx, g):
        return None, ctx.k * g


def test_only_tensors_have_a_place_among_the_next_functions():
    x, fixed = leaf(2.0), kobai.tensor([1.0])
    (first, number), = TimesNumber.apply(3, x).grad_fn.next_functions
    assert first.variable is x and number == 0
    node = (TimesNumber.apply(3, x) + TimesNumber.apply(3, fixed)).grad_fn
    assert [f and f.name() for f, _ in node.next_functions] == ["TimesNumberBackward", None]
