"""compile/look_up.py and backends/rows.py: rows of tables in a plan."""
import numpy as np
import pytest
from graphs_to_compile import apply

from kobai.compile.graph import Graph, Value
from kobai.compile.look_up import RowsStep
from kobai.compile.plan import plan
from kobai.ops.embedding import Embedding
from kobai.ops.index import AddAt


def made(op, x, index, **lies):
    """(plan of an op of x and an index, its inputs)."""
    values = [Value(x.shape, x.dtype, **lies), Value(index.shape, index.dtype)]
    node = apply(op, *values)
    return plan(Graph(values, [node], node.outs)), [x, index]


def kinds(p):
    return [s.kind for s in p.steps if isinstance(s, RowsStep)]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("shape", [(50, 7), (3, 2, 5)])
def test_rows_are_taken(dtype, shape):
    r = np.random.default_rng(0)
    x, index = r.integers(-9, 9, shape).astype(dtype), r.integers(0, shape[0], (40, 30))
    p, inputs = made(Embedding(), x, index)
    np.testing.assert_array_equal(p(inputs)[0], x[index])
    assert kinds(p) == ["take"]


def test_rows_of_a_part_of_a_table():
    wide = np.arange(60.0).reshape(6, 10)
    x, index = wide[:, 3:7], np.array([5, 0, 5])
    p, inputs = made(Embedding(), x, index, strides=x.strides)
    np.testing.assert_array_equal(p(inputs)[0], x[index])
    assert kinds(p) == ["take"]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("width", [1, 17, 200])
def test_rows_are_added_in_the_order_of_the_index(dtype, width):
    """As a loop adds them, to the last bit; negative positions count from the end."""
    r = np.random.default_rng(0)
    x, index = r.standard_normal((300, width)).astype(dtype), r.integers(-9, 9, 300)
    wanted = np.zeros((9, width), dtype)
    for row, i in zip(x, index):
        wanted[i] += row
    p, inputs = made(AddAt((0,), (9, width)), x, index)
    np.testing.assert_array_equal(p(inputs)[0], wanted)
    assert kinds(p) == ["add"]


@pytest.mark.parametrize("bad", [4, -1])
def test_positions_outside_of_a_table(bad):
    p, inputs = made(Embedding(), np.zeros((4, 3), "f4"), np.array([0, 3]))
    with pytest.raises(IndexError, match="index out of range in self"):
        p([inputs[0], np.array([0, bad])])


def test_positions_that_count_up_need_no_table_of_them():
    x = Value((6, 3), "f4")
    node = apply(Embedding(), x, Value((4,), "i8", constant=np.arange(1, 5)))
    a = np.arange(18, dtype="f4").reshape(6, 3)
    p = plan(Graph([x], [node], node.outs))
    np.testing.assert_array_equal(p([a])[0], a[1:5])
    assert not kinds(p) and len(p.steps) == 1
