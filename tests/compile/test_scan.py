"""Running sums and rows of tables by machine code in eager mode: NumPy's bits, for any number of threads."""
import numpy as np
import pytest
from graphs_to_compile import apply

import kobai
from kobai import large
from kobai.backends import llvm
from kobai.compile.graph import Graph, Value
from kobai.compile.look_up import ScanStep
from kobai.compile.plan import plan
from kobai.ops.index import AddAt
from kobai.ops.scan import Cumsum

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
SHAPES = [(1,), (5,), (1, 1), (17, 33), (3, 5, 7), (4, 100), (2, 3, 200), (9, 1, 2), (67, 1000), (1000, 67)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Machine code from the first use on."""
    monkeypatch.setattr(large, "SCANNED", 0)
    for name in ("_scans", "_rows"):
        use = large.count(0)
        monkeypatch.setattr(large, name, use)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = kobai.get_num_threads()
    kobai.set_num_threads(request.param)
    yield request.param
    kobai.set_num_threads(before)


def numbers(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    x.flat[::7] *= 1e6
    x[..., 0] = -0.0
    return x


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_running_sums_add_up_in_double_precision_in_order(shape, dtype, threads):
    x = numbers(shape, dtype)
    for dim in range(len(shape)):
        for reverse in (False, True):
            z = np.flip(x, dim) if reverse else x
            wanted = np.add.accumulate(z, dim, np.float64).astype(dtype)
            wanted = np.flip(wanted, dim) if reverse else wanted
            y = large.running_sum(x, dim, reverse)
            assert y.tobytes() == wanted.tobytes()


def test_running_sums_of_what_is_no_row_major_array_and_of_odd_numbers():
    x = numbers((40, 60), "f4").T[::2]
    x[3, 5], x[4, 6], x[5, 5] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        wanted = np.add.accumulate(x, 1, np.float64).astype("f4")
    np.testing.assert_array_equal(Cumsum(1).forward(x), wanted)
    assert large.running_sum(np.ones((4, 4), np.int32), 1, False) is None
    assert Cumsum(0).forward(np.zeros((0, 5), "f4")).shape == (0, 5)


def test_gradients_of_running_sums():
    x = kobai.tensor(numbers((30, 50), "f8"), requires_grad=True)
    weights = np.arange(50.0)
    (x.cumsum(1) * kobai.tensor(weights)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.broadcast_to(weights[::-1].cumsum()[::-1], (30, 50)))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "f2", "u1"])
@pytest.mark.parametrize("shape", [(50, 64), (7, 3, 30), (3, 5000)])
def test_rows_are_taken(shape, dtype, threads):
    x = (numbers(shape, "f4") % 100).astype(dtype)
    index = np.random.default_rng(1).integers(-shape[0], shape[0], (40, 60))
    y = large.taken(x, index)
    assert (y is None) == (x[:1].nbytes * index.size < 1 << 17)
    if y is not None:
        assert y.dtype == x.dtype
        np.testing.assert_array_equal(y, x[index])


def test_what_is_left_to_numpy():
    x, index = np.zeros((50, 64), "f4"), np.zeros(4000, np.int64)
    assert large.taken(x, index) is not None
    for table, places in [(x.T, index), (x, index[::2]), (x, index.astype("i4")), (x, index + 50), (x, index - 51),
                          (x[:0], index), (x, index[:3]), (x, np.int64(3)), (x, index > 0)]:
        assert large.taken(table, places) is None
    for places in (index + 50, index - 51):
        assert large.rows_added((50, 64), places, np.zeros((4000, 64), "f4")) is None


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", [25, 40, 200])
def test_rows_are_added_in_the_order_of_the_index(width, dtype, threads):
    x, index = numbers((700, width), dtype), np.random.default_rng(1).integers(-9, 9, 700)
    wanted = np.zeros((9, width), dtype)
    for row, i in zip(x, index):
        wanted[i] += row
    assert large.rows_added((9, width), index, x).tobytes() == wanted.tobytes()
    np.testing.assert_array_equal(AddAt((0,), (9, width)).forward(x, index), wanted)


def test_positions_that_a_table_does_not_have():
    table = kobai.zeros(50, 64)
    for bad in (50, -1):
        index = kobai.full((4000,), bad)
        with pytest.raises(IndexError, match="index out of range in self"):
            kobai.nn.functional.embedding(index, table)
    with pytest.raises(IndexError):
        table[kobai.full((4000,), 50)]
    with pytest.raises((IndexError, RuntimeError)):
        table.index_select(0, kobai.full((4000,), -1))


@pytest.mark.parametrize("take", [lambda x, i: x.index_select(0, i), lambda x, i: x[i],
                                  lambda x, i: kobai.nn.functional.embedding(i, x)])
def test_compiled_steps_take_and_add_rows(take):
    data = numbers((60, 24), "f4")
    index = kobai.tensor(np.random.default_rng(1).integers(0, 60, 200))

    def step(x, i):
        x.grad = None
        y = take(x, i)
        (y * y).sum().backward()
        return y, x.grad

    x = kobai.tensor(data, requires_grad=True)
    wanted = [v.detach().numpy().copy() for v in step(x, index)]
    compiled = kobai.compile(step)
    for _ in range(4):
        got = compiled(x, index)
    for a, b in zip(got, wanted):
        np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-6)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("reverse", [False, True])
def test_running_sums_in_plans(dim, reverse, threads):
    x = numbers((5, 17, 33), "f4")
    values = [Value(x.shape, x.dtype)]
    node = apply(Cumsum(dim, reverse), *values)
    p = plan(Graph(values, [node], node.outs))
    assert [type(s) for s in p.steps] == [ScanStep]
    np.testing.assert_array_equal(p([x])[0], Cumsum(dim, reverse).forward(x))


def test_plans_leave_other_running_sums_to_numpy():
    for x in (np.ones((3, 4), "i8"), np.ones((0, 4), "f4")):
        node = apply(Cumsum(1), Value(x.shape, x.dtype))
        p = plan(Graph(list(node.values), [node], node.outs))
        assert not any(isinstance(s, ScanStep) for s in p.steps)
        np.testing.assert_array_equal(p([x])[0], Cumsum(1).forward(x))
