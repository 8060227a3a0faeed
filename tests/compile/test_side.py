"""Gradients of parts of one tensor are joined, not added up among zeros: the same bits as eagerly."""
import numpy as np
import pytest

import kobai
from kobai.compile import plan
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.side import side_by_side
from kobai.ops.elementwise import Add
from kobai.ops.movement import PutSelect, PutSlice


def graph_of(shape, puts, others=0, dtype="f4"):
    """A graph that adds up `puts`, ops, and as many other inputs."""
    inputs, nodes, total = [], [], None
    for op in [*puts, *[None] * others]:
        x = Value(np.empty(shape)[_place(op)].shape if op else shape, dtype)
        inputs.append(x)
        v = x
        if op:
            nodes.append(Node(op, [x], [(shape, x.dtype)]))
            v = nodes[-1].outs[0]
        if total is not None:
            nodes.append(Node(Add(), [total, v], [(shape, x.dtype)]))
            v = nodes[-1].outs[0]
        total = v
    return Graph(inputs, nodes, [total]).verify()


def _place(op):
    where = op.index if isinstance(op, PutSelect) else slice(op.start, op.end, op.step)
    return (slice(None),) * op.dim + (where,)


def names(graph):
    return [type(n.op).__name__ for n in graph.nodes]


CASES = [
    ((5, 3), [PutSelect(0, i, (5, 3)) for i in (4, 2, 3, 0, 1)], 0, True),
    ((2, 7, 3), [PutSelect(1, i, (2, 7, 3)) for i in (5, 1, 2)], 1, True),
    ((7,), [PutSlice(0, 0, 3, 1, (7,)), PutSlice(0, 4, 7, 1, (7,))], 0, True),
    ((3, 11), [PutSlice(1, 5, 11, 1, (3, 11)), PutSelect(1, 2, (3, 11))], 1, True),
    ((1, 2), [PutSelect(1, 0, (1, 2)), PutSelect(1, 1, (1, 2))], 0, True),
    ((3, 5), [PutSlice(1, 0, 5, 2, (3, 5)), PutSlice(1, 1, 5, 2, (3, 5))], 0, False),  # every other element
    ((6,), [PutSlice(0, 0, 4, 1, (6,)), PutSlice(0, 2, 6, 1, (6,))], 0, True),         # they overlap
    ((2, 9), [PutSlice(1, 0, 8, 1, (2, 9)), PutSlice(1, 1, 9, 1, (2, 9)), PutSelect(1, 4, (2, 9))], 0, True),
    ((9, 2), [PutSlice(0, 2, 8, 1, (9, 2)), PutSlice(0, 3, 6, 1, (9, 2)), PutSelect(0, 4, (9, 2))], 2, True),
    ((4, 3), [PutSelect(0, i, (4, 3)) for i in (1, 1, 2, 2, 0)], 0, True),
    ((40,), [PutSlice(0, i, i + 20, 1, (40,)) for i in range(20)], 0, False),          # each would be cut into too many
    ((3, 5), [PutSelect(0, 1, (3, 5)), PutSelect(1, 1, (3, 5))], 0, False),            # across each other
]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("shape", "puts", "others", "joins"), CASES)
def test_the_bits_are_those_of_the_sum(shape, puts, others, joins, dtype):
    rng, graph = np.random.default_rng(0), graph_of(shape, puts, others, dtype)
    arrays = [rng.standard_normal(v.shape).astype(dtype) for v in graph.inputs]
    for a in arrays:
        a[rng.random(a.shape) < 0.3] = -0.0
        a[rng.random(a.shape) < 0.1] = np.nan
    (expected,), _ = graph.run(*arrays)
    joined = side_by_side(graph_of(shape, puts, others, dtype)).verify()
    assert ("Cat" in names(joined)) == joins and (joins or names(joined) == names(graph))
    assert not joins or not {"PutSlice", "PutSelect"} & set(names(joined))
    (found,), _ = joined.run(*arrays)
    assert found.tobytes() == expected.tobytes()
    (planned,) = plan.plan(graph)(arrays)
    assert planned.tobytes() == expected.tobytes()


def test_one_part_twice_and_a_sum_that_is_wanted_stay_sums():
    x = Value((3,), "f4")
    puts = [Node(PutSelect(0, i, (2, 3)), [x], [((2, 3), x.dtype)]) for i in (0, 1)]
    first = Node(Add(), [puts[0].outs[0], puts[0].outs[0]], [((2, 3), x.dtype)])
    last = Node(Add(), [first.outs[0], puts[1].outs[0]], [((2, 3), x.dtype)])
    graph = Graph([x], [*puts, first, last], [first.outs[0], last.outs[0]])
    a = np.array([1.0, -0.0, 3.0], "f4")
    expected, _ = graph.run(a)
    found, _ = side_by_side(graph).verify().run(a)
    assert [y.tobytes() for y in found] == [y.tobytes() for y in expected]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 5), (8, 33, 16)])
def test_a_loop_over_time_steps(shape, threads):
    """A recurrence whose inputs have gradients; the memory it shares grows as the number of steps, not its square."""
    def step(x, w):
        h = kobai.zeros(shape[0], shape[2])
        for t in range(shape[1]):
            h = kobai.tanh(h * w + x[:, t])
        loss = (h * h).sum()
        return kobai.autograd.grad(loss, (x, w))
    kobai.manual_seed(1)
    x, w = kobai.randn(shape, requires_grad=True), kobai.randn(shape[2], requires_grad=True)
    expected = step(x, w)
    before = kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        f = kobai.compile(step)
        for _ in range(3):
            found = f(x, w)
    finally:
        kobai.set_num_threads(before)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)
    assert f._last.plan.size <= 12 * x.numel() * 4 + 4096
