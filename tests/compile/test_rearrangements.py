"""Ops that put elements elsewhere, in compiled functions: the numbers are those of the same ops run eagerly (bit for bit)."""
import numpy as np
import pytest

import kobai
from kobai.backends import llvm
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.ops.pad import ConstantPadNd

F = kobai.nn.functional
CASES = {
    "flip one": ((5, 7), lambda x: x.flip(1)),
    "flip all": ((3, 1, 4), lambda x: x.flip(0, 1, 2)),
    "flip of nothing to flip": ((1, 3), lambda x: x.flip(0)),
    "rot90": ((3, 5), lambda x: kobai.rot90(x)),
    "rot90 twice": ((2, 3, 5), lambda x: kobai.rot90(x, 2, (1, 2))),
    "rot90 back": ((2, 3, 5), lambda x: kobai.rot90(x, -1, (0, 2))),
    "roll": ((5, 7), lambda x: kobai.roll(x, (2, -3), (0, 1))),
    "roll by more than there is": ((5, 7), lambda x: kobai.roll(x, (12, 7), (0, 1))),
    "roll twice along one": ((5, 7), lambda x: kobai.roll(x, (2, 2), (0, 0))),
    "roll flat": ((3, 5), lambda x: kobai.roll(x, 4)),
    "repeat": ((3, 5), lambda x: x.repeat(2, 1, 3)),
    "repeat a scalar": ((), lambda x: x.repeat(3)),
    "pixel shuffle": ((2, 12, 3, 5), lambda x: F.pixel_shuffle(x, 2)),
    "pixel unshuffle": ((3, 6, 9), lambda x: F.pixel_unshuffle(x, 3)),
    "channel shuffle": ((2, 6, 5, 3), lambda x: kobai.nn.ChannelShuffle(3)(x)),
    "pad": ((2, 3, 5), lambda x: F.pad(x, (1, 2, 0, 3))),
    "cut": ((2, 3, 5), lambda x: F.pad(x, (-1, -2, 2, -1))),
    "causal": ((2, 3, 17), lambda x: F.pad(x, (4, 0))),
    "pad with numbers": ((3, 5), lambda x: F.pad(x, (1, 1), value=2.5)),
    "lower triangle": ((5, 7), lambda x: x.tril()),
    "lower triangle and more": ((2, 3, 7), lambda x: x.tril(2)),
    "less of the upper one": ((7, 3), lambda x: x.triu(1)),
    "upper triangle and more": ((3, 5, 4), lambda x: x.triu(-3)),
    "all of it": ((4, 5), lambda x: x.tril(99) + x.triu(99)),
    "nothing there": ((0, 4), lambda x: F.pad(x, (1, 1)).flip(1)),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("scale", [1, 37])
@pytest.mark.parametrize("name", CASES)
def test_as_eager(name, scale, threads):
    """The result alone, which is no view of the argument, and between other ops, with gradients."""
    shape, f = CASES[name]
    shape = (scale * shape[0], *shape[1:]) if shape and name not in ("pixel unshuffle",) else shape

    v = kobai.zeros(shape, requires_grad=True)

    def step(g):
        v.grad = None
        y = f(v * 2.0) + 1.0
        (y * g).sum().backward()
        return y
    before = kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        alone, whole = kobai.compile(f), kobai.compile(step)
        for seed in range(3):
            random = np.random.default_rng(seed)
            x = kobai.tensor(random.standard_normal(shape).astype("f4"))
            want = f(x)
            g = kobai.tensor(random.standard_normal(want.shape).astype("f4"))
            got = alone(x)
            assert got.is_contiguous() and got.shape == want.shape
            np.testing.assert_array_equal(got.numpy(), want.numpy())
            got.add_(1.0)  # in memory of its own
            np.testing.assert_array_equal(f(x).numpy(), want.numpy())
            v.data.copy_(x)
            results = [(run(g).detach().numpy().copy(), v.grad.numpy().copy()) for run in (step, whole)]
            for a, b in zip(*results):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
        assert alone.reason is None and whole.reason is None
    finally:
        kobai.set_num_threads(before)


@pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
@pytest.mark.parametrize("name", [n for n in CASES if n not in ("nothing there", "pad with numbers")])
def test_nothing_is_left_to_numpy(name):
    shape, f = CASES[name]
    compiled = kobai.compile(lambda x: (f(x * 2.0) * 3.0).sum())
    x = kobai.ones(shape)
    for _ in range(3):
        compiled(x)
    steps = compiled._last.plan.steps
    assert not [s for s in steps if type(s).__name__ == "OpStep"], str(compiled._last.plan)


@pytest.mark.parametrize("pads", [((1, 2), (-1, 0)), ((-2, 3),), ((0, 0), (4, -3)), ((-3, -2),)])
@pytest.mark.parametrize("dtype", ["f4", "i8", "?"])
def test_padding_that_adds_and_cuts(pads, dtype):
    x = (np.random.default_rng(0).standard_normal((3, 5, 6)) * 9).astype(dtype)
    op, value = ConstantPadNd(pads, 0), Value(x.shape, x.dtype)
    want = op.forward(x)
    node = Node(op, [value], [(want.shape, want.dtype)])
    np.testing.assert_array_equal(plan(Graph([value], [node], node.outs))([x])[0], want)
