"""Graphs for the tests of the compiler's passes: random ones, and steps of programs as they are recorded."""
import numpy as np

from kobai.compile.expand import shapes_of
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.ssa import Builder
from kobai.compile.trace import recording
from kobai.ops import elementwise as e, movement as v
from kobai.ops.exponential import Exp
from kobai.ops.join import Cat, Stack
from kobai.ops.linear import Mm
from kobai.ops.reduce import Mean, Sum, SumAll
from kobai.ops.softmax import Softmax

ONE = [v.T(), e.Neg(), Exp(), v.Unsqueeze(0), v.Clone()]
TWO = [e.Add(), e.Sub(), e.Mul(), e.Rsub()]


def random_graph(seed: int, nodes: int = 12):
    """(graph, input arrays): a few inputs, ops of all kinds on what fits, some results, some writes."""
    r = np.random.default_rng(seed)
    sizes = (2, 3, 4)
    inputs = [Value(tuple(r.choice(sizes, r.integers(0, 3)).tolist()), "f4") for _ in range(3)]
    values, made = list(inputs), []
    for _ in range(nodes):
        node = _random_node(r, values)
        if node is not None:
            made.append(node)
            values += node.outs
    outputs = [values[i] for i in r.integers(0, len(values), 3)]
    writes = []
    for x in inputs:
        same = [w for w in values if w.shape == x.shape and w is not x]
        if same and r.random() < 0.6:
            writes.append((x, same[r.integers(len(same))]))
    arrays = [np.asarray(r.uniform(-1, 1, x.shape), "f4") for x in inputs]
    return Graph(inputs, made, outputs, writes).verify(), arrays


def _random_node(r, values):
    x, y = values[r.integers(len(values))], values[r.integers(len(values))]
    kind, n = r.integers(9), len(x.shape)
    try:
        if kind < 3:
            np.broadcast_shapes(x.shape, y.shape)
            return apply(TWO[r.integers(len(TWO))], x, np.float32(0.5) if r.random() < 0.2 else y)
        if kind == 3:
            return apply(Sum((int(r.integers(n)),), bool(r.integers(2))), x) if n else None
        if kind == 4:
            return apply([SumAll(), Softmax(n - 1), Mean((0,), True)][r.integers(3)], x) if n else None
        if kind == 5 and n < 3:
            return apply(v.Expand((2, *x.shape)), x)
        if kind == 6 and n:
            return apply([v.Reshape((-1,)), v.Slice(0, 1, x.shape[0]), v.Select(n - 1, 0)][r.integers(3)], x)
        if kind == 7 and n == 2 == len(y.shape) and x.shape[1] == y.shape[0]:
            return apply(Mm(), x, y)
        if kind == 8 and n:
            others = [y for y in values if y.shape == x.shape]
            y = others[r.integers(len(others))]
            puts = v.PutSlice(0, 1, 1 + x.shape[0], 1, (x.shape[0] + 2, *x.shape[1:])), v.PutSelect(n, 1, (*x.shape, 3))
            which = r.integers(4)
            return apply((Cat(n - 1), Stack(0))[which], x, y) if which < 2 else apply(puts[which - 2], x)
        return apply(ONE[r.integers(len(ONE))], x) if n < 3 else None
    except (ValueError, IndexError):
        return None


def apply(op, *args):
    """A node."""
    return Node(op, args, shapes_of(op, args))


def recorded(step):
    """(graph, input arrays) of one call of a function without arguments that returns a tensor; it was run before."""
    step()
    with recording() as recorder:
        result = step()
    assert recorder.reason is None, recorder.reason
    results = result if isinstance(result, (tuple, list)) else [result]
    graph = Builder(recorder).graph([t._data for t in results])
    return graph, [np.array(x.source.array) for x in graph.inputs]


def expected(graph, arrays):
    """What a run must give: the outputs, and then the inputs as they are afterwards."""
    arrays = [np.array(a) for a in arrays]
    outputs, written = graph.run(*arrays)
    outputs = [np.array(y) for y in outputs]
    place = dict(zip(graph.inputs, arrays))
    for (x, _), y in zip(graph.writes, [np.array(y) for y in written]):
        place[x][...] = y
    return outputs, arrays


def assert_same(graph, arrays, run, rtol=2e-5, atol=1e-6):
    """`run(arrays)` gives what the graph means, and leaves the inputs as the graph does; twice."""
    wanted = [np.array(a) for a in arrays]
    given = [np.array(a) for a in arrays]
    for _ in range(2):
        outputs, wanted = expected(graph, wanted)
        got = run(given)
        assert len(got) == len(outputs)
        for a, b in zip([*got, *given], [*outputs, *wanted]):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
