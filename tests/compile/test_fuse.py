"""compile/fuse.py and compile/axes.py: which ops share a pass over memory, and over which loops."""
import pytest
from graphs_to_compile import apply, random_graph, recorded

import kobai
from kobai.compile import rewrite
from kobai.compile.affine import with_sums
from kobai.compile.axes import Apart, Axes, source
from kobai.compile.fuse import KernelStep, OpStep, fuse
from kobai.compile.graph import Graph, Value
from kobai.compile.place import laid_out, settled
from kobai.compile.simplify import simplify
from kobai.ops import elementwise as e, movement as v
from kobai.ops.exponential import Exp
from kobai.ops.reduce import Sum


def steps_of(graph):
    return fuse(settled(simplify(graph.verify())))[0]


def chain(*ops, shape=(8, 16)):
    """Steps for ops applied one after the other."""
    x = y = Value(shape, "f4")
    nodes = []
    for op, *others in ops:
        nodes.append(apply(op, y, *[{"x": x}.get(o, o) for o in others]))
        y = nodes[-1].outs[0]
    return steps_of(Graph([x], nodes, [y]))


def test_axes_split_and_join_like_a_reshape():
    axes = Axes()
    a, b = axes.new((6, 4)), axes.new((24,))
    axes.match(axes.regroup([x for p in a for x in p], (24,)), b)
    assert axes.now(b) == ((*a[0], *a[1]),)


def test_axes_that_do_not_divide_stay_apart():
    axes = Axes()
    with pytest.raises(Apart):
        axes.match(((axes.new((4,))[0][0], axes.new((6,))[0][0]),), axes.new((24,))[:0] or (axes.new((5,))[0],))


def test_a_transpose_is_found_again():
    axes = Axes()
    placed = axes.new((3, 2))
    assert source(axes, (2, 3), 4, (3, 2), (4, 12), 0, placed) == (placed[1], placed[0])


def test_a_slice_has_no_source():
    axes = Axes()
    with pytest.raises(Apart):
        source(axes, (4,), 4, (2,), (4,), 8, axes.new((2,)))


def test_elementwise_ops_and_movement_are_one_kernel():
    x, w = Value((8, 16), "f4"), Value((16, 1), "f4")
    y = apply(Exp(), x)
    t = apply(v.T(), y.outs[0])
    z = apply(e.Mul(), t.outs[0], w)
    last = apply(v.Reshape((128,)), z.outs[0])
    step, = steps_of(Graph([x, w], [y, t, z, last], last.outs))
    assert isinstance(step, KernelStep) and step.shape == (8, 16)
    assert step.strides == [(64, 4), (0, 4), (4, 32)]


def test_a_reduction_and_what_follows_for_its_rows_are_one_kernel():
    steps = chain((Sum((1,), True),), (e.Div(), "x"))
    assert len(steps) == 1 and steps[0].inner == 1


def test_reductions_over_other_axes_are_another_kernel():
    assert len(chain((Exp(),), (Sum((1,), True),), (Sum((0,), True),))) == 2


def test_one_long_row_is_not_read_twice_by_one_thread():
    assert len(chain((Sum((0,), True),), (e.Div(), "x"), shape=(1 << 17,))) == 2
    assert len(chain((Sum((0,), True),), (e.Div(), "x"), shape=(1 << 10,))) == 1


def test_the_sum_of_a_value_and_its_transpose_is_no_single_pass_when_it_is_made_there():
    x = Value((4, 4), "f4")
    y = apply(Exp(), x)
    t = apply(v.T(), y.outs[0])
    z = apply(e.Add(), y.outs[0], t.outs[0])
    assert len(steps_of(Graph([x], [y, t, z], z.outs))) == 2


def test_a_product_lies_between():
    """a -> product -> b and a -> b: a and b cannot be one kernel."""
    layer = kobai.nn.Linear(30, 30)
    x = kobai.ones(20, 30)

    def step():
        a = (x * 2).exp()
        return layer(a) + a
    kinds = [type(s) for s in steps_of(recorded(step)[0])]
    assert kinds == [KernelStep, OpStep, KernelStep]


def test_a_training_step_of_scalars_is_one_kernel():
    x = kobai.tensor([1.0], requires_grad=True)
    opt = kobai.optim.SGD([x], lr=0.01)

    def step():
        opt.zero_grad()
        loss = ((x ** 2 - 2) ** 2).mean()
        loss.backward()
        opt.step()
        return loss
    assert len(steps_of(recorded(step)[0])) == 1


@pytest.mark.parametrize("seed", range(60))
def test_what_passes_give_is_a_graph(seed, monkeypatch):
    monkeypatch.setattr(rewrite, "TINY", 0)
    graph, _ = random_graph(seed, 20)
    laid_out(with_sums(simplify(graph).verify()).verify())[0].verify()


@pytest.mark.parametrize("seed", range(60))
def test_every_step_comes_after_those_it_takes_from(seed):
    graph, _ = random_graph(seed, 20)
    known = set(graph.inputs)
    for step in steps_of(graph):
        assert all(w.base in known or w.base.constant is not None for w in step.reads)
        known.update(step.writes)
