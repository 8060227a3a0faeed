"""Elements picked and sent along a dimension, compiled: the bits of the eager ops, and their errors."""
import numpy as np
import pytest

import kobai as torch
from kobai.compile.fuse import OpStep

SHAPES = [(4,), (1, 1), (3, 5), (5, 1), (2, 7, 3), (17, 64), (2, 65, 2)]


def numbers(shape, seed=0):
    """With ties, zeros of both signs, infinities and NaNs."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 3, shape).astype("f4")
    x[rng.random(shape) < 0.2] = -0.0
    x[rng.random(shape) < 0.05] = np.nan
    x[rng.random(shape) < 0.05] = np.inf
    return torch.tensor(x)


def positions(shape, n, seed=0):
    return torch.tensor(np.random.default_rng(seed).integers(0, n, shape))


def same(f, *args, ops=None):
    """Three compiled calls give the bits of the eager one, with one thread and with two; returns the compiled function."""
    expected, before = f(*args), torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            g = torch.compile(f)
            for _ in range(3):
                for a, b in zip(g(*args), expected, strict=True):
                    assert a.dtype == b.dtype and a.shape == b.shape
                    assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
            assert g.reason is None
    finally:
        torch.set_num_threads(before)
    if ops is not None:
        left = {type(s.node.op).__name__ for s in g._last.plan.steps if isinstance(s, OpStep)} - {"Refuse"}
        assert left <= set(ops)
    return g


def lines(shape):
    """(dimension, the shape with 1 in its place)."""
    return [(d, (*shape[:d], 1, *shape[d + 1:])) for d in range(len(shape))]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_element_of_each_line(shape):
    for d, one in lines(shape):
        def f(x, i, g, d=d):
            y = x.gather(d, i)
            return y, torch.autograd.grad(y, x, g)[0]
        same(f, numbers(shape).requires_grad_(), positions(one, shape[d]), numbers(one, 1),
             ops=[] if shape[d] <= 64 else ["Gather", "AddAlong"])


@pytest.mark.parametrize("shape", [(3, 5), (2, 7, 3), (9,)])
def test_several_elements_of_each_line(shape):
    for d in range(len(shape)):
        def f(x, i, g, d=d):
            y = x.gather(d, i)
            return y, torch.autograd.grad(y, x, g)[0]
        more = (*shape[:d], 4, *shape[d + 1:])
        same(f, numbers(shape).requires_grad_(), positions(more, shape[d]), numbers(more, 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["max", "min"])
def test_the_largest_and_its_first_place(name, shape, dtype):
    for d, one in lines(shape):
        for keepdim in (False, True):
            def f(x, g, d=d, keepdim=keepdim):
                y, i = getattr(x, name)(d, keepdim=keepdim)
                return y, i, getattr(torch, "arg" + name)(x, d, keepdim), torch.autograd.grad(y, x, g)[0]
            x = numbers(shape).to(dtype) + 0.0  # which zero the extreme of both is, is left open
            given = numbers(one, 1).to(dtype) if keepdim else numbers(one, 1).to(dtype).squeeze(d)
            same(f, x.requires_grad_(), given, ops=[])


def test_zeros_of_both_signs_and_rows_of_nan():
    x = torch.tensor([[0.0, -0.0], [-0.0, 0.0], [float("nan")] * 2, [1.0, float("nan")], [-float("inf")] * 2])
    assert x.max(1).indices.tolist() == [0, 0, 0, 1, 0]  # PyTorch's, too
    same(lambda x: (*x.max(1), *x.min(1)), x + 0, ops=[])


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (7,), (4, 2, 3)])
@pytest.mark.parametrize("count", [1, 6, 101])
def test_rows_of_a_graph(shape, count):
    """What graph networks do: messages are taken from their senders and added up where they arrive."""
    def f(x, sender, receiver):
        wide = receiver.reshape(-1, *[1] * (x.dim() - 1)).expand(-1, *x.shape[1:])
        message = x[sender] * 2
        y = torch.zeros_like(x).index_add(0, receiver, message)
        z = torch.zeros_like(x).scatter_add(0, wide, message)
        picked = (y * z).gather(0, wide)
        return y, z, picked, torch.autograd.grad(picked.sum(), x)[0]
    x = torch.tensor(np.random.default_rng(0).standard_normal(shape).astype("f4"), requires_grad=True)
    same(f, x, positions((count,), shape[0]), positions((count,), shape[0], 1), ops=[])


def test_what_is_added_to():
    def f(x, i, s):
        return torch.index_add(x, 0, i, s, alpha=0.5), x.scatter_add(0, i[:, None].expand(-1, 3), s), x.scatter_add(1, i[:, None], s)
    x, s = numbers((7, 3)), numbers((7, 3), 1)
    i = torch.tensor([2, 0, 1, 1, 0, 2, 2])
    for a, b in zip(torch.compile(f)(x, i, s), f(x, i, s)):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


PICKS = {
    "gather": lambda x, i: x.gather(1, i),
    "gather rows": lambda x, i: x.gather(0, i.reshape(-1, 1).expand(2, 3)),
    "scatter": lambda x, i: x.scatter(1, i, 9.0),
    "scatter_add": lambda x, i: x.scatter_add(1, i, x),
    "scatter_reduce": lambda x, i: x.scatter_reduce(1, i, x, "amax"),
    "index_add": lambda x, i: torch.index_add(x, 1, i[:, 0], x[:, :2]),
    "index_copy": lambda x, i: torch.index_copy(x, 1, i[:, 0], x[:, :2]),
    "index_fill": lambda x, i: torch.index_fill(x, 1, i[:, 0], 9.0),
    "index_select": lambda x, i: torch.index_select(x, 1, i[:, 0]),
    "take": lambda x, i: torch.take(x, i),
}


def said(f, *args):
    """What a function gives, or the kind and first line of its error."""
    try:
        return f(*args).tolist()
    except (IndexError, RuntimeError) as e:
        return type(e), str(e).splitlines()[0]


@pytest.mark.parametrize("bad", [6, -7, 3, -1])
@pytest.mark.parametrize("name", PICKS)
def test_positions_out_of_range_are_errors_on_later_calls_too(name, bad):
    """They were found among the elements of other lines."""
    f, x = PICKS[name], torch.arange(6.0).reshape(2, 3)
    g, good, wrong = torch.compile(f), torch.tensor([[0], [1]]), torch.tensor([[1], [bad]])
    for _ in range(3):
        assert g(x, good).tolist() == f(x, good).tolist()
    assert said(g, x, wrong) == said(f, x, wrong)
    assert g(x, good).tolist() == f(x, good).tolist()


@pytest.mark.parametrize("rows", [1, 5, 33])
def test_rows_by_strided_positions_into_a_part_of_something(rows):
    """As a decoder does with tokens[:, t], and with what it looked up beside its state."""
    def f(table, tokens, state):
        total = torch.zeros(rows, 7)
        for t in range(3):
            total = total + torch.cat([table[tokens[:, t]], torch.nn.functional.embedding(tokens[:, t], table.T.contiguous().T), state], 1)
        return total, torch.autograd.grad(total, table, torch.ones(rows, 1).expand(rows, 7))[0]
    same(f, torch.arange(12.0).reshape(4, 3).requires_grad_(), positions((rows, 3), 4), numbers((rows, 1)), ops=[])
