"""compile/simplify.py: an equal graph with less in it."""
import numpy as np
import pytest
from graphs_to_compile import apply, assert_same, random_graph, recorded

import kobai
from kobai.compile.graph import Graph, Value
from kobai.compile.simplify import simplify
from kobai.ops import elementwise as e, movement as v
from kobai.ops.reduce import All, Any, Sum


def through(graph):
    """A run of a graph by its definition."""
    def run(arrays):
        outputs, written = graph.run(*arrays)
        outputs, written = [np.array(y) for y in outputs], [np.array(y) for y in written]
        for (x, _), y in zip(graph.writes, written):
            arrays[graph.inputs.index(x)][...] = y
        return outputs
    return run


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_mean_the_same(seed):
    graph, arrays = random_graph(seed)
    assert_same(graph, arrays, through(simplify(graph).verify()))


def names(graph):
    return [type(n.op).__name__ for n in graph.nodes]


def of(shape, *ops):
    """The names of the ops left of a chain of ops on one input."""
    x = y = Value(shape, "f4")
    nodes = []
    for op, *others in ops:
        nodes.append(apply(op, y, *others))
        y = nodes[-1].outs[0]
    return names(simplify(Graph([x], nodes, [y]).verify()))


def test_what_changes_nothing_is_left_out():
    assert of((2, 3), (v.Clone(),), (v.Reshape((2, 3)),), (v.Cast(np.dtype("f4")),), (e.Neg(),)) == ["Neg"]
    assert of((2, 3), (e.Mul(), np.float32(1)), (e.Div(), np.float32(1))) == []
    assert of((2, 3), (e.Add(), np.float32(0))) == ["Add"]  # -0 + 0 is not -0


def test_a_sum_of_one_term_is_a_reshape():
    assert of((1, 3), (Sum((0,), False),)) == ["Reshape"]
    assert of((2, 3), (Sum((0,), False),)) == ["Sum"]


def test_constants_are_computed():
    one = Value((3,), "f4", constant=np.ones(3, "f4"))
    nodes = [apply(e.Add(), one, np.float32(2))]
    x = Value((3,), "f4")
    nodes.append(apply(e.Mul(), x, nodes[0].outs[0]))
    simple = simplify(Graph([x], nodes, [nodes[1].outs[0]]))
    assert names(simple) == ["Mul"]
    assert simple.nodes[0].args[1] == 3  # the same all over: a number


def test_elementwise_ops_run_before_expansion():
    x = Value((1, 3), "f4")
    big = apply(v.Expand((4, 3)), x)
    y = apply(e.Mul(), big.outs[0], big.outs[0])
    simple = simplify(Graph([x], [big, y], y.outs))
    assert names(simple) == ["Mul", "Expand"] and simple.nodes[0].outs[0].shape == (1, 3)


def test_random_ops_are_never_put_together():
    """Two draws of a dropout mask differ."""
    x = kobai.ones(4, 4)
    graph, _ = recorded(lambda: kobai.nn.functional.dropout(x, 0.5) + kobai.nn.functional.dropout(x, 0.5))
    drawn = [n for n in simplify(graph).nodes if getattr(n.op, "random", False)]
    assert len(drawn) == 2


def test_a_layer_becomes_a_product_and_a_sum():
    layer, x = kobai.nn.Linear(30, 40), kobai.ones(20, 30)
    graph, _ = recorded(lambda: layer(x))
    assert names(simplify(graph)) == ["Permute", "Mm", "Add"]


def test_large_constants_of_one_number_are_not_looked_through():
    """Zeros without memory behind them are known to be zeros, however many they seem to be."""
    many = Value((1 << 20, 1 << 10), "f4", constant=np.broadcast_to(np.float32(3), (1 << 20, 1 << 10)))
    x = Value((1 << 20, 1 << 10), "f4")
    y = apply(e.Add(), x, many)
    simple = simplify(Graph([x], [y], y.outs))
    assert simple.nodes[0].args[1] == 3


@pytest.mark.parametrize("op", [Any, All])
@pytest.mark.parametrize("shape, dim, keepdim, left", [((1,), (0,), False, ["Reshape"]), ((3, 1), (1,), False, ["Reshape"]),
                                                       ((1, 3, 1), (0, 2), True, []), ((3, 2), (1,), False, None)])
def test_whether_any_of_one_is_true_is_that_one(op, shape, dim, keepdim, left):
    x = Value(shape, "?")
    y = apply(op(dim, keepdim), x)
    simple = simplify(Graph([x], [y], y.outs).verify()).verify()
    assert names(simple) == ([op.__name__] if left is None else left)
    a = np.arange(np.prod(shape)).reshape(shape) % 2 == 1
    np.testing.assert_array_equal(simple.run(a)[0][0], op(dim, keepdim).forward(a))


def test_numbers_are_not_taken_for_truth_values():
    x = Value((1,), "f4")
    y = apply(Any((0,)), x)
    assert names(simplify(Graph([x], [y], y.outs))) == ["Any"]


@pytest.mark.parametrize("m, k, n", [(70, 90, 1), (513, 1, 33), (70, 90, 2), (3000, 2000, 1), (1, 300, 40), (0, 5, 1), (5, 0, 1), (5000, 7, 1)])
def test_what_reads_nothing_twice_is_no_product(m, k, n):
    """One column, or one term: a pass over what is large, with what comes before and after; not where it is from far."""
    rng = np.random.default_rng(0)
    for turned in (False, True):
        a, b = rng.standard_normal((m, k)).astype("f4"), rng.standard_normal((k, n)).astype("f4")
        x = kobai.from_numpy(np.asfortranarray(a) if turned else a)
        step = kobai.compile(lambda x, y: kobai.relu(kobai.relu(x) @ y + 1))
        for _ in range(3):
            y = step(x, kobai.from_numpy(b))
        exact = np.maximum(np.maximum(a, 0).astype("f8") @ b + 1, 0)
        np.testing.assert_allclose(y.numpy(), exact, rtol=1e-4, atol=1e-5 * max(k, 1))
        products = "product" in str(step._last.plan)
        assert products == (1 not in (k, n) or m * k * n > 1 << 22) or 0 in (m, k)
