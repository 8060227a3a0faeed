"""x[...] and x[...] = v against NumPy, where the two agree, and against PyTorch 2.13's texts."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kobai

SHAPE = (3, 4, 5)


def basic(draw, n):
    """An int, a slice with a positive step, for a dimension of size n."""
    if draw(st.booleans()):
        return draw(st.integers(-n, n - 1))
    start, end = draw(st.none() | st.integers(-n - 1, n + 1)), draw(st.none() | st.integers(-n - 1, n + 1))
    return slice(start, end, draw(st.none() | st.integers(1, 3)))


@st.composite
def indices(draw):
    """Basic indices with None and Ellipsis among them."""
    items = [basic(draw, n) for n in SHAPE[:draw(st.integers(0, 3))]]
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), None)
    if draw(st.booleans()):
        items.append(Ellipsis)
    return tuple(items)


@given(indices())
@settings(max_examples=150, deadline=None)
def test_views_are_numpys(index):
    a = np.arange(60.0).reshape(SHAPE)
    x = kobai.from_numpy(a.copy())
    np.testing.assert_array_equal(x[index], a[index])
    x[index] = -1.0
    a[index] = -1.0
    np.testing.assert_array_equal(x, a)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_positions_are_numpys(data):
    """Tensors of positions, broadcast with each other, for neighbouring and for separate dimensions."""
    where = data.draw(st.sets(st.integers(0, 2), min_size=1))
    index = []
    for d, n in enumerate(SHAPE):
        shape = data.draw(st.sampled_from([(2,), (1,), (3, 1), (3, 2)]))
        rng = np.random.default_rng(data.draw(st.integers(0, 99)))
        index.append(rng.integers(-n, n, shape) if d in where else slice(None))
    a = np.arange(60.0).reshape(SHAPE)
    x = kobai.from_numpy(a.copy()).requires_grad_()
    theirs = tuple(kobai.from_numpy(i) if isinstance(i, np.ndarray) else i for i in index)
    y = x[theirs]
    np.testing.assert_array_equal(y.detach(), a[tuple(index)])
    g = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(kobai.from_numpy(g))
    want = np.zeros(SHAPE)
    np.add.at(want, tuple(index), g)
    np.testing.assert_allclose(x.grad, want, atol=1e-12)


def test_ints_beside_positions_are_taken_first():
    """Unlike NumPy, an int does not count as a tensor of positions: PyTorch 2.13 gives these shapes."""
    x = kobai.zeros(2, 3, 4)
    assert x[0, :, [0, 1]].shape == (3, 2)
    assert x[[0, 1], :, [0, 1]].shape == (2, 3)
    assert x[kobai.ones(2, 3, dtype=kobai.bool), 1:2].shape == (6, 1)
    assert x[True].shape == (1, 2, 3, 4)
    assert x[..., None, 0].shape == (2, 3, 1)


def test_views_share_memory_and_positions_do_not():
    x = kobai.zeros(4)
    x[1].fill_(5)
    x[[2, 3]].fill_(7)
    assert x.tolist() == [0, 5, 0, 0]


@pytest.mark.parametrize("make, index, error, text", [
    ((3,), 5, IndexError, "index 5 is out of bounds for dimension 0 with size 3"),
    ((3,), (0, 0), IndexError, "too many indices for tensor of dimension 1"),
    ((2, 3), (0, 5), IndexError, "index 5 is out of bounds for dimension 1 with size 3"),
    ((2, 3), [0, 5], IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    ((), 0, IndexError, "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
                        "to convert a 0-dim tensor to a number"),
    ((3,), 1.5, IndexError, "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
                            "indices (got float)"),
    ((3,), slice(None, None, -1), ValueError, "step must be greater than zero"),
    ((2, 3), (slice(None), [0, 1], [0, 1]), IndexError, "too many indices for tensor of dimension 2"),
    ((2, 3), ([0, 1], [0, 1, 2]), IndexError,
     "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"),
])
def test_errors(make, index, error, text):
    with pytest.raises(error) as e:
        kobai.zeros(make)[index]
    assert str(e.value).splitlines()[0] == text


def test_mask_of_the_wrong_shape():
    with pytest.raises(IndexError, match=r"The shape of the mask \[2\] at index 0 does not match"):
        kobai.zeros(3)[kobai.ones(2, dtype=kobai.bool)]


@pytest.mark.parametrize("value, error, text", [
    ([1.0], TypeError, "can't assign a list to a torch.FloatTensor"),
    (kobai.zeros(3), RuntimeError, "expand"),
    ("a", TypeError, "can't assign a str to a torch.FloatTensor"),
])
def test_assignment_errors(value, error, text):
    with pytest.raises(error, match=text):
        kobai.zeros(3)[0] = value


def test_gradients_of_assignment():
    """y = x with row 0 replaced by v: dy/dx is zero there, dy/dv one."""
    x, v = kobai.ones(3, 2, requires_grad=True), kobai.ones(2, requires_grad=True)
    y = x * 2
    y[0] = v
    assert type(y.grad_fn).__name__ == "CopySlices"
    (y * kobai.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad.tolist() == [[0, 0], [4, 6], [8, 10]]
    assert v.grad.tolist() == [0, 1]


def test_gradients_of_assignment_by_position_and_mask():
    x, v = kobai.ones(4, requires_grad=True), kobai.ones(2, requires_grad=True)
    y = x * 2
    y[[3, 0]] = v
    y[kobai.tensor([False, True, False, False])] = 9.0
    (y * kobai.arange(1.0, 5)).sum().backward()
    assert x.grad.tolist() == [0, 0, 6, 0]
    assert v.grad.tolist() == [4, 1]


def test_assignment_to_a_leaf_is_refused():
    w = kobai.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        w[0] = 1
    with kobai.no_grad():
        w[0] = 1
    assert w.tolist() == [1, 0, 0]


@pytest.mark.parametrize("n, width, count", [(5, 1, 3), (50, 7, 200), (300, 64, 600), (4, 3, 9000)])
def test_sums_into_rows_are_numpys(n, width, count):
    """The gradient of x[rows], by whichever of the ways the sizes choose."""
    from kobai.ops.index import add_at
    rng = np.random.default_rng(0)
    rows, g = rng.integers(-n, n, count), rng.standard_normal((count, width))
    want = np.zeros((n, width))
    np.add.at(want, rows, g)
    np.testing.assert_allclose(add_at(np.zeros((n, width)), (0,), (rows,), g), want, atol=1e-10)


def test_sums_into_rows_do_without_scipy(monkeypatch):
    from kobai.ops import index
    monkeypatch.setattr(index, "_sparse_sum", lambda *args: None)
    test_sums_into_rows_are_numpys(300, 64, 600)


def test_many_indices_do_not_pile_up():
    """A loop over x[i] makes an op for each i; the class forgets them."""
    from kobai.op import _MANY
    from kobai.ops.movement import Select
    x = kobai.zeros(3 * _MANY)
    for i in range(0, 3 * _MANY, 2):
        x[i]
    assert len(Select._instances) <= _MANY + 1
