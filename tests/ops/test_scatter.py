"""Gather, scatter and masks: against loops that say what they mean, and PyTorch 2.13's texts."""
import itertools

import numpy as np
import pytest

import kobai

REDUCE = {"sum": np.add, "prod": np.multiply, "mean": np.add, "amax": np.maximum, "amin": np.minimum}


def example(seed=0, shape=(3, 4), positions=(2, 3), dim=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.integers(0, shape[dim], positions), rng.standard_normal(positions)


def places(index, dim):
    """(place in index, place in x) for each position."""
    for at in itertools.product(*map(range, index.shape)):
        yield at, (*at[:dim], index[at], *at[dim + 1:])


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gather_and_scatter_add(dim):
    x, index, src = example(dim=dim)
    want, sent = np.empty(index.shape), x.copy()
    for i, j in places(index, dim % 2):
        want[i] = x[j]
        sent[j] += src[i]
    t = [kobai.from_numpy(v) for v in (x, index, src)]
    np.testing.assert_array_equal(t[0].gather(dim, t[1]), want)
    np.testing.assert_allclose(t[0].scatter_add(dim, t[1], t[2]), sent)


@pytest.mark.parametrize("how", REDUCE)
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(how, include_self):
    x, index, src = example(dim=1)
    received = {}
    for i, j in places(index, 1):
        received.setdefault(j, []).append(src[i])
    want = x.copy()
    for j, values in received.items():
        values = [*([x[j]] if include_self else []), *values]
        want[j] = REDUCE[how].reduce(values) / (len(values) if how == "mean" else 1)
    t = [kobai.from_numpy(v) for v in (x, index, src)]
    np.testing.assert_allclose(t[0].scatter_reduce(1, t[1], t[2], how, include_self=include_self), want)


def test_product_gradients_survive_zeros():
    """d(a b c)/da = b c, also where a or b is 0."""
    x = kobai.ones(1, dtype=kobai.float64)
    src = kobai.tensor([0.0, 3.0, 2.0], dtype=kobai.float64, requires_grad=True)
    x.scatter_reduce(0, kobai.zeros(3, dtype=kobai.int64), src, "prod").backward()
    assert src.grad.tolist() == [6, 0, 0]


def test_largest_share_their_gradient():
    src = kobai.tensor([5.0, 5.0, 1.0], requires_grad=True)
    kobai.zeros(1).scatter_reduce(0, kobai.zeros(3, dtype=kobai.int64), src, "amax").backward()
    assert src.grad.tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize("call, error, text", [
    (lambda x, i: x.gather(0, i[0]), RuntimeError,
     "Index tensor must have the same number of dimensions as input tensor"),
    (lambda x, i: x.gather(0, i + 9), RuntimeError, "index 9 is out of bounds for dimension 0 with size 3"),
    (lambda x, i: x.gather(0, i.float()), RuntimeError, "gather(): Expected dtype int32/int64 for index"),
    (lambda x, i: x.scatter(0, i, x.double()), RuntimeError,
     "scatter(): Expected self.dtype to be equal to src.dtype"),
    (lambda x, i: x.scatter_reduce(0, i, x, "largest"), RuntimeError,
     "reduce argument must be either sum, prod, mean, amax or amin, got largest"),
    (lambda x, i: x.index_select(0, i), IndexError, "index_select(): Index is supposed to be a vector"),
    (lambda x, i: x.masked_fill(i, 1), RuntimeError,
     "masked_fill_ only supports boolean masks, but got mask with dtype long int"),
    (lambda x, i: x.take(kobai.tensor([99])), IndexError,
     "out of range: tried to access index 99 on a tensor of 12 elements."),
])
def test_errors(call, error, text):
    with pytest.raises(error) as e:
        call(kobai.zeros(3, 4), kobai.zeros(1, 2, dtype=kobai.int64))
    assert str(e.value).splitlines()[0] == text


def test_slices_by_position():
    x = kobai.zeros(3, 2)
    rows, values = kobai.tensor([2, 0, 2]), kobai.arange(6.0).reshape(3, 2)
    assert x.index_add(0, rows, values, alpha=2).tolist() == [[4, 6], [0, 0], [8, 12]]
    assert x.index_copy(0, rows[:2], values[:2]).tolist() == [[2, 3], [0, 0], [0, 1]]
    assert x.index_fill(1, kobai.tensor([-1]), 7).tolist() == [[0, 7]] * 3
    assert values.index_select(0, rows).tolist() == [[4, 5], [0, 1], [4, 5]]
    assert values.take(kobai.tensor([[0, -1]])).tolist() == [[0, 5]]
    assert x.put(kobai.tensor([1, 1]), kobai.tensor([2.0, 3.0]), accumulate=True).sum().item() == 5


def test_masks():
    x = kobai.arange(4.0)
    odd = x % 2 == 1
    assert x.masked_fill(odd, -1).tolist() == [0, -1, 2, -1]
    assert x.masked_select(odd).tolist() == [1, 3]
    assert x.masked_scatter(odd, kobai.tensor([8.0, 9.0])).tolist() == [0, 8, 2, 9]
    assert kobai.where(odd, x, 0).tolist() == [0, 1, 0, 3]
    assert [v.tolist() for v in kobai.where(odd)] == [[1, 3]]
    assert odd.nonzero().tolist() == kobai.argwhere(odd).tolist() == [[1], [3]]


def test_the_branch_not_taken_gives_no_nan():
    """The gradient of where(x > 0, sqrt(x), 0) at 0 is 0 in the branch taken, infinite in the other one."""
    x = kobai.tensor([0.0, 4.0], requires_grad=True)
    kobai.where(x > 0, x, 0.0).masked_fill(x == 0, 1.0).sqrt().sum().backward()
    assert x.grad.tolist() == [0, 0.25]


def test_largest_share_only_with_what_took_part():
    """Without `include_self` the old value, though equal, has no share. (PyTorch 2.13 gives src 1/3 each here.)"""
    x = kobai.tensor([5.0], requires_grad=True)
    src = kobai.tensor([5.0, 5.0], requires_grad=True)
    x.scatter_reduce(0, kobai.zeros(2, dtype=kobai.int64), src, "amax", include_self=False).backward()
    assert src.grad.tolist() == [0.5, 0.5]
    assert x.grad.tolist() == [0]


def test_gather_takes_any_index_without_elements():
    """As PyTorch 2.13: the shape is the index's, whatever its number of dimensions."""
    x = kobai.ones(5, requires_grad=True)
    y = kobai.gather(x, 0, kobai.zeros(2, 0, dtype=kobai.int64))
    assert y.shape == (2, 0)
    y.sum().backward()
    assert x.grad.tolist() == [0] * 5
