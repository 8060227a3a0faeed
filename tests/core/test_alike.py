"""Ops whose inputs need no promotion: whole numbers, masks, masks beside floats. Numbers from the definition or NumPy."""
import numpy as np
import pytest

import kobai


def ints(*values):
    return kobai.tensor(values)


def test_whole_numbers_with_each_other_and_with_a_number():
    a, b = ints(7, -7, 3), ints(2, 2, -5)
    for got, want in ((a + b, [9, -5, -2]), (a - 1, [6, -8, 2]), (1 - a, [-6, 8, -2]), (a * b, [14, -14, -15]),
                      (a // b, [3, -4, -1]), (a % b, [1, 1, -2]), (a & 6, [6, 0, 2]), (a << 1, [14, -14, 6])):
        assert got.dtype == kobai.int64
        assert got.tolist() == want
    assert (a == 3).tolist() == [False, False, True]
    assert (a / b).dtype == kobai.float32


def test_the_largest_whole_number_and_one_more():
    assert (ints(2**63 - 1) + 1).tolist() == [-2**63]  # as in C
    assert (ints(0) + (2**63 - 1)).tolist() == [2**63 - 1]


def test_masks():
    a, b = kobai.tensor([True, True, False]), kobai.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False]
    assert (a ^ b).dtype == kobai.bool
    assert (~a).tolist() == [False, False, True]
    assert (a + b).dtype == kobai.bool
    assert (a + 1).dtype == kobai.int64  # a number of a higher kind decides
    assert (a * 2).tolist() == [2, 2, 0]
    with pytest.raises(RuntimeError, match="Subtraction, the `-` operator, with two bool tensors is not supported"):
        a - b


def test_numbers_of_other_kinds_are_promoted():
    a = ints(1, 2)
    assert (a + 1.5).dtype == kobai.float32
    assert (a + True).dtype == kobai.int64
    assert (a.int() + 1).dtype == kobai.int32
    assert (a + a.int()).dtype == kobai.int64
    assert (a.byte() + 255).tolist() == [0, 1]
    assert (a * kobai.ones(2)).dtype == kobai.float32


def test_where_is_recorded_for_both_branches():
    mask = kobai.tensor([[True], [False]])
    x, y = kobai.ones(3, requires_grad=True), kobai.zeros(2, 3, requires_grad=True)
    out = kobai.where(mask, x, y)
    assert out.grad_fn.name() == "WhereBackward0"
    out.backward(kobai.tensor([[1., 2., 3.], [4., 5., 6.]]))
    assert x.grad.tolist() == [1, 2, 3]
    assert y.grad.tolist() == [[0, 0, 0], [4, 5, 6]]
    with kobai.no_grad():
        assert not kobai.where(mask, x, y).requires_grad
    double = y.detach().double()
    assert kobai.where(mask, double, x.detach()).dtype == kobai.float64


def test_a_view_of_what_was_changed_in_place_takes_part_with_its_history():
    base = kobai.zeros(4, requires_grad=True) * 1
    view = base[:2]
    base.mul_(3)
    out = kobai.where(kobai.tensor([True, False]), view, view * 2)
    out.sum().backward()  # would miss a factor with the view's old history
    assert out.requires_grad


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(RuntimeError, match=r"The size of tensor a \(3\) must match the size of tensor b \(2\)"):
        ints(1, 2, 3) + ints(1, 2)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7, 3)])
def test_as_numpy_computes(shape):
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, shape), rng.integers(1, 9, shape)
    x, y = kobai.from_numpy(np.array(a)), kobai.from_numpy(np.array(b))
    for got, want in ((x + y, a + b), (x * y, a * b), (x // y, a // b), (x < y, a < b), (kobai.maximum(x, y), np.maximum(a, b))):
        np.testing.assert_array_equal(got.numpy(), want)


def test_a_class_of_its_own_is_asked():
    class Tagged(kobai.Tensor):
        pass
    t = ints(1, 2).as_subclass(Tagged)
    assert type(t + 1) is Tagged
    assert type(t == t) is Tagged


KINDS = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64"]


@pytest.mark.parametrize("a", KINDS)
@pytest.mark.parametrize("b", KINDS)
@pytest.mark.parametrize(("left", "right"), [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())])
def test_two_dtypes_meet_as_promote_types_says(a, b, left, right):
    x, y = kobai.ones(left, dtype=getattr(kobai, a)), kobai.ones(right, dtype=getattr(kobai, b))
    want = kobai.result_type(x, y)
    assert (x * y).dtype is want
    assert (x + y).shape == (left or right)
    assert (x == y).all().item()
    assert (x / y).dtype is (want if want.is_floating_point or want.is_complex else kobai.float32)


def test_gradients_where_dtypes_meet():
    x = kobai.ones(3, requires_grad=True)
    labels = ints(1, 2, 3)
    (x * labels).backward(kobai.ones(3))
    assert x.grad.tolist() == [1, 2, 3]
    assert x.grad.dtype == kobai.float32
    wide = kobai.ones(3, dtype=kobai.float64, requires_grad=True)
    y = x * wide
    assert y.dtype == kobai.float64
    y.backward(kobai.full((3,), 2.0, dtype=kobai.float64))
    assert x.grad.tolist() == [3, 4, 5]
    assert x.grad.dtype == kobai.float32
    assert wide.grad.tolist() == [2, 2, 2]
    labels.add_(1)  # a copy of which was saved
    z = x * labels
    labels.add_(1)
    z.sum().backward()
    assert x.grad.tolist() == [5, 7, 9]
