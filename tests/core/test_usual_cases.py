"""Calls whose usual case is taken at once: what is out of the ordinary has to end as it did. Numbers from NumPy."""
import math

import numpy as np
import pytest

import kobai


def arrays(*shape):
    a = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    return a.copy(), kobai.from_numpy(a.copy())


@pytest.mark.parametrize("index", [1, -1, (1, 2), (-1, 0), slice(1, 3), slice(None), slice(-2, None), slice(5, 2), (2,), slice(0, 99)],
                         ids=str)
@pytest.mark.parametrize("value", [2.5, 3, -0.0, True, math.inf, math.nan, 1e30])
def test_numbers_are_put_as_numpy_puts_them(index, value):
    a, t = arrays(3, 4)
    a[index] = value
    t[index] = value
    np.testing.assert_array_equal(t.numpy(), a)
    assert t._version == 1


def test_numbers_that_do_not_fit_are_refused():
    _, t = arrays(3, 4)
    with pytest.raises(IndexError, match="index 3 is out of bounds for dimension 0 with size 3"):
        t[3] = 1.0
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 2"):
        t[0, 0, 0] = 1.0
    for put in (lambda: t.__setitem__(0, 1e300), lambda: t.fill_(-1e39), lambda: kobai.full((2,), 3.5e38),
                lambda: t.masked_fill(t > 0, 10**400)):  # as PyTorch 2.13
        with pytest.raises(RuntimeError, match="value cannot be converted to type float without overflow"):
            put()
    with pytest.raises(ValueError, match="step must be greater than zero"):
        t[::-1] = 1.0
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        kobai.zeros(1).expand(3)[1] = 2.0
    assert t._version == 0


def test_numbers_put_into_recorded_tensors():
    x = kobai.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        x[0] = 2.0
    y = x * 2
    y[0] = 5.0
    y.sum().backward()
    assert x.grad.tolist() == [0, 2, 2]
    with kobai.no_grad():
        x[0] = 7.0
    assert x.tolist() == [7, 1, 1]
    z = (x * 3).exp()
    with kobai.no_grad():
        z[1] = 0.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_view_that_is_written_changes_its_base():
    base = kobai.zeros(2, 3)
    base[1][2] = 4.0
    assert base.tolist() == [[0, 0, 0], [0, 0, 4]]
    assert base._version == 1


@pytest.mark.parametrize("index", [[0, 2], [-1, 0, 0], [1], [True, False, True], [], None, (None, 1)], ids=str)
def test_lists_and_none_as_an_index(index):
    a, t = arrays(3, 4)
    want = a[np.array(index, np.int64)] if index == [] else a[index]
    np.testing.assert_array_equal(t[index].numpy(), want)
    x = t.clone().requires_grad_()
    x[index].sum().backward()
    grad = np.zeros_like(a)
    np.add.at(grad, np.array(index, np.int64) if index == [] else index, 1)
    np.testing.assert_array_equal(x.grad.numpy(), grad)


def test_positions_out_of_range_and_too_large():
    _, t = arrays(3, 4)
    with pytest.raises(IndexError, match="index 3 is out of bounds"):
        t[[0, 3]]
    with pytest.raises((RuntimeError, ValueError)):
        t[[0, 1 << 70]]
    assert t[None].shape == (1, 3, 4)
    assert kobai.tensor(2.0)[None].tolist() == [2]


@pytest.mark.parametrize("dtype", [kobai.float32, kobai.float64, kobai.int64, kobai.bool, kobai.bfloat16, kobai.complex64])
def test_item(dtype):
    v = kobai.ones(1, 1, dtype=dtype).item()
    assert v == 1
    assert type(v) is {kobai.int64: int, kobai.bool: bool, kobai.complex64: complex}.get(dtype, float)
    assert type(kobai.tensor(1, dtype=dtype).item()) is type(v)
    with pytest.raises(RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"):
        kobai.ones(2, dtype=dtype).item()


def test_equal():
    a = kobai.tensor([1.0, math.nan])
    assert not kobai.equal(a, a)
    assert kobai.equal(a[:1], kobai.ones(1))
    assert not kobai.equal(a[:1], kobai.ones(1, 1))
    assert kobai.equal(kobai.tensor(2), kobai.tensor(2))
    assert kobai.equal(kobai.zeros(0), kobai.zeros(0))
    assert kobai.equal(kobai.ones(2, dtype=kobai.bfloat16), kobai.ones(2, dtype=kobai.bfloat16))
    assert kobai.equal(kobai.ones(2), kobai.ones(2, requires_grad=True))


def test_copies():
    a, b = kobai.zeros(2, 3), kobai.arange(6.0).reshape(2, 3)
    assert a.copy_(b) is a
    assert a.tolist() == b.tolist()
    assert a._version == 1
    a.copy_(kobai.ones(3))
    a[:, 1].copy_(kobai.tensor([8.0, 9.0]))
    assert a.tolist() == [[1, 8, 1], [1, 9, 1]]
    overlapping = kobai.arange(4.0)
    overlapping[1:].copy_(overlapping[:3])
    assert overlapping.tolist() == [0, 0, 1, 2]
    x = kobai.ones(2, 3, requires_grad=True)
    (a * 1).copy_(x).sum().backward()
    assert x.grad.tolist() == [[1, 1, 1], [1, 1, 1]]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.copy_(b)
    with pytest.raises(RuntimeError, match="more than one element"):
        kobai.zeros(1).expand(3).copy_(kobai.ones(3))


@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 5)])
def test_the_norm_of_all(shape):
    a = np.random.default_rng(0).standard_normal(shape).astype("f4")
    t = kobai.from_numpy(np.array(a)).requires_grad_()
    for p in (2, 2.0, 1, 0, 3):
        got = kobai.linalg.vector_norm(t, p)
        want = (np.abs(a) ** p).sum() ** (1 / p) if p else np.count_nonzero(a)
        np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-5)
        assert got.shape == ()
    assert kobai.linalg.vector_norm(t, 2, keepdim=True).ndim == len(shape)
    with pytest.raises(RuntimeError, match="Expected a floating point or complex tensor as input"):
        kobai.linalg.vector_norm(kobai.tensor([1, 2]))


BASIC = [(1, 2), (-1, slice(None)), (slice(None), 2), (slice(None), slice(1, 3)), (slice(1, None), -1), (slice(None), slice(None)),
         (slice(0, 3, 2), slice(1, 9)), (2, slice(3, 1)), (slice(-2, -1), 0)]


@pytest.mark.parametrize("index", BASIC, ids=str)
def test_ints_and_slices_are_views_as_numpys(index):
    a, t = arrays(3, 4)
    np.testing.assert_array_equal(t[index].numpy(), a[index])
    x = t.clone().requires_grad_()
    y = x[index]
    assert y._is_view()
    y.backward(kobai.full(y.shape, 2.0))
    grad = np.zeros_like(a)
    grad[index] = 2
    np.testing.assert_array_equal(x.grad.numpy(), grad)
    t[index].mul_(-1)
    a[index] *= -1
    np.testing.assert_array_equal(t.numpy(), a)


@pytest.mark.parametrize("index", [*BASIC, 1, slice(0, 2), (1,)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_values_are_put_as_numpy_puts_them(index, dtype):
    a, t = (v.astype(dtype) if isinstance(v, np.ndarray) else kobai.from_numpy(v.numpy().astype(dtype)) for v in arrays(3, 4))
    new = np.arange(a[index].size).reshape(a[index].shape).astype(dtype)
    a[index] = new
    t[index] = kobai.from_numpy(np.array(new))
    np.testing.assert_array_equal(t.numpy(), a)
    assert t._version == 1
    a[index], t[index] = a[0, 0], t[0, 0]
    np.testing.assert_array_equal(t.numpy(), a)


def test_values_of_other_shapes_dtypes_and_histories():
    t = kobai.zeros(3, 4)
    t[1] = kobai.tensor([7])  # converted, and broadcast
    t[:, 1:3] = kobai.tensor([1.0, 2.0])
    assert t.tolist() == [[0, 1, 2, 0], [7, 1, 2, 7], [0, 1, 2, 0]]
    t[1:] = t[:-1]  # which overlap
    assert t.tolist() == [[0, 1, 2, 0], [0, 1, 2, 0], [7, 1, 2, 7]]
    x = kobai.ones(4, requires_grad=True)
    t[0] = x * 2
    t.sum().backward()
    assert x.grad.tolist() == [2, 2, 2, 2]
    with pytest.raises(RuntimeError, match=r"expand\(torch.FloatTensor\{\[2, 4\]\}|must match the existing size"):
        kobai.zeros(3, 4)[1] = kobai.ones(2, 4)
    with pytest.raises(IndexError, match="index 4 is out of bounds for dimension 1 with size 4"):
        kobai.zeros(3, 4)[0, 4]
    with pytest.raises(IndexError, match="too many indices"):
        kobai.zeros(3, 4)[0, 0, 0]


@pytest.mark.parametrize("index", [[2, 0], [[0, 1], [2, 2]], [-1], [True, False, True], []], ids=str)
@pytest.mark.parametrize("value", [2.5, 3, math.nan])
def test_a_number_is_put_at_positions_and_masks(index, value):
    index = np.array(index, bool if True in index and index[0] is True else np.int64)
    a, t = arrays(3, 4)
    a[index] = value
    t[kobai.from_numpy(index)] = value
    np.testing.assert_array_equal(t.numpy(), a)
    assert t._version == 1
    a[a > 4] = value
    t[t > 4] = kobai.tensor(float(value))
    np.testing.assert_array_equal(t.numpy(), a)


def test_positions_and_masks_that_do_not_fit():
    t = kobai.zeros(3, 4)
    with pytest.raises(IndexError, match="index 3 is out of bounds for dimension 0 with size 3"):
        t[kobai.tensor([0, 3])] = 1.0
    with pytest.raises(IndexError, match=r"The shape of the mask \[2\] at index 0 does not match"):
        t[kobai.tensor([True, False])] = 1.0
    with pytest.raises(IndexError, match="too many indices"):
        kobai.zeros(3)[kobai.ones(3, 4, dtype=kobai.bool)] = 1.0
    assert t.sum() == 0
    x = kobai.ones(3, requires_grad=True) * 1
    x[kobai.tensor([True, False, True])] = 0.0
    assert x.grad_fn.name() == "IndexPutBackward0"


@pytest.mark.parametrize("shape", [(), (0,), (2,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("name", ["cat", "stack"])
def test_tensors_of_one_shape_are_joined_as_numpy_joins_them(name, shape):
    arrays = [np.full(shape, k, np.float32) for k in range(3)]
    tensors = [kobai.from_numpy(a.copy()).requires_grad_() for a in arrays]
    join, numpy_join = (kobai.cat, np.concatenate) if name == "cat" else (kobai.stack, np.stack)
    most = len(shape) + (name == "stack")
    for dim in range(-most, most):
        got = join(tensors, dim)
        np.testing.assert_array_equal(got.detach().numpy(), numpy_join(arrays, dim))
        g = kobai.arange(float(got.numel())).reshape(got.shape)
        for t, part in zip(tensors, g.split(max(1, shape[dim]), dim) if name == "cat" and 0 not in shape else g.unbind(dim)):
            t.grad = None
            got.backward(g, retain_graph=True)
            if 0 not in shape:
                assert t.grad.tolist() == part.tolist()
    for dim in (most, -most - 1):
        with pytest.raises((IndexError, RuntimeError), match="Dimension out of range|cannot be concatenated"):
            join(tensors, dim)
    with pytest.raises((TypeError, RuntimeError)):
        join(tensors, 0.5)
    with pytest.raises((RuntimeError, ValueError)):
        join([])
    with pytest.raises(TypeError):
        join([tensors[0], 3])
