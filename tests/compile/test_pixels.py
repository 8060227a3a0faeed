"""Pixels at computed positions in plans: as the ops' `forward` on NumPy."""
import numpy as np
import pytest

import kobai
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.pixels import PixelsStep
from kobai.compile.plan import plan
from kobai.ops.grid import AddPixels, GridSampler2D, GridSampler3D, TakePixels

pytest.importorskip("llvmlite")
F = kobai.nn.functional


def planned(op, *arrays):
    values = [Value(a.shape, a.dtype, strides=a.strides) for a in arrays]
    with np.errstate(all="ignore"):
        want = op.forward(*arrays)
    p = plan(Graph(values, [node := Node(op, values, [(want.shape, want.dtype)])], node.outs))
    return p, p(list(arrays))[0], want


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("n", "c", "size", "count"), [(1, 1, 1, 1), (2, 3, 7, 5), (3, 1, 40, 67), (37, 5, 300, 513), (1, 2, 3, 100)])
def test_taken_and_added(n, c, size, count, dtype, threads):
    """Positions that come often; beyond the ends, where NumPy's "clip" takes the outermost; arrays that lie otherwise."""
    random, before = np.random.default_rng(0), kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        x, g = random.standard_normal((n, c, size)).astype(dtype), random.standard_normal((n, c, count)).astype(dtype)
        index = random.integers(0, size, (n, count))
        beyond = random.integers(-3, size + 3, (n, count))
        for op, *arrays in ((TakePixels(), x, index), (TakePixels(), x, beyond), (AddPixels(size), g, index),
                            (TakePixels(), np.asfortranarray(x), np.asfortranarray(index))):
            p, y, want = planned(op, *arrays)
            assert [s for s in p.steps if isinstance(s, PixelsStep)], str(p)
            np.testing.assert_allclose(y, want, rtol=0, atol=0 if op is TakePixels() else 1e-4 if dtype == "f4" else 1e-12)
    finally:
        kobai.set_num_threads(before)


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_sampling_is_all_machine_code(mode, padding, corners):
    random = np.random.default_rng(1)
    x = random.standard_normal((3, 2, 7, 11)).astype("f4")
    grid = (random.standard_normal((3, 5, 13, 2)) * 0.9).astype("f4")
    grid[0, 0, :4] = [[np.nan, 0], [0, np.inf], [-np.inf, 5], [30, -30]]
    p, y, want = planned(GridSampler2D(mode, padding, corners), x, grid)
    assert not [s for s in p.steps if hasattr(s, "node")], str(p)
    rows = np.isfinite(want)
    np.testing.assert_array_equal(np.isfinite(y), rows)
    np.testing.assert_allclose(y[rows], want[rows], rtol=1e-4, atol=1e-4)


def test_volumes():
    random = np.random.default_rng(2)
    arrays = random.standard_normal((2, 3, 4, 5, 6)).astype("f8"), random.uniform(-1.2, 1.2, (2, 3, 1, 7, 3))
    p, y, want = planned(GridSampler3D("bilinear", "zeros", True), *arrays)
    assert not [s for s in p.steps if hasattr(s, "node")], str(p)
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-12)


def test_a_spatial_transformer_has_no_numpy():
    theta = kobai.nn.Parameter(kobai.tensor([[[0.9, 0.1, 0.05], [-0.2, 1.1, 0.0]]]))
    x, y = kobai.randn(3, 2, 9, 8), kobai.randn(3, 2, 7, 7)
    optimizer = kobai.optim.SGD([theta], lr=0.01)

    def step():
        optimizer.zero_grad()
        grid = F.affine_grid(theta.expand(3, 2, 3), (3, 2, 7, 7), align_corners=False)
        loss = F.mse_loss(F.grid_sample(x, grid, align_corners=False), y)
        loss.backward()
        optimizer.step()
        return loss
    start = theta.detach().clone()
    want = [step().item() for _ in range(5)]
    theta.data.copy_(start)
    compiled = kobai.compile(step)
    np.testing.assert_allclose([compiled().item() for _ in range(5)], want, rtol=1e-5)
    assert compiled.reason is None
    assert not [s for s in compiled._last.plan.steps if type(s).__name__ == "OpStep"], str(compiled._last.plan)


POOLED = [((2, 3, 8, 9), 2, None, 1), ((1, 1, 5, 7), (3, 2), (2, 1), 1), ((3, 2, 9, 9), 3, 3, 1), ((2, 1, 11, 6), 2, 2, 3)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("case", POOLED, ids=str)
def test_pooling_with_positions_and_back(case, dtype):
    """Ties give the first place and NaN the last, as eagerly; max_unpool2d puts values back; gradients likewise."""
    shape, kernel, stride, dilation = case
    x = kobai.zeros(shape, dtype=kobai.float32 if dtype == "f4" else kobai.float64, requires_grad=True)

    def step():
        x.grad = None
        y, index = F.max_pool2d(x * 2.0, kernel, stride, dilation=dilation, return_indices=True)
        z = y
        if dilation == 1 and stride in (None, kernel):
            z = F.max_unpool2d(y, index, kernel, stride, output_size=x.shape[2:])
        (z * z.detach().cos()).sum().backward()
        return y, index, z
    compiled = kobai.compile(step)
    for seed in range(4):
        numbers = np.random.default_rng(seed).integers(-3, 3, shape).astype(dtype)
        if seed == 2:
            numbers[0, 0, 0, :3] = np.nan
        x.data.copy_(kobai.tensor(numbers))
        want = [v.detach().numpy().copy() for v in (*step(), x.grad)]
        got = [v.detach().numpy() for v in (*compiled(), x.grad)]
        for a, b in zip(got, want):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    assert compiled.reason is None
    assert not [s for s in compiled._last.plan.steps if type(s).__name__ == "OpStep"
                and type(s.node.op).__name__ != "Refuse"], str(compiled._last.plan)


def test_positions_of_parts_of_odd_sizes():
    """adaptive_max_pool2d, whose windows differ: positions by NumPy, values and gradients by machine code."""
    x = kobai.randn(3, 2, 11, 7, requires_grad=True)

    def step():
        x.grad = None
        y = F.adaptive_max_pool2d(x, (4, 3))
        y.square().sum().backward()
        return y
    want = step().detach().numpy(), x.grad.numpy().copy()
    compiled = kobai.compile(step)
    for _ in range(3):
        got = compiled()
    np.testing.assert_array_equal(got.detach().numpy(), want[0])
    np.testing.assert_allclose(x.grad.numpy(), want[1], rtol=1e-6)
    assert [type(s.node.op).__name__ for s in compiled._last.plan.steps
            if type(s).__name__ == "OpStep" and type(s.node.op).__name__ != "Refuse"] == ["AdaptiveMaxIndices"]


@pytest.mark.parametrize("bad", [-1, 12, 1000])
def test_positions_that_do_not_exist_are_errors(bad):
    """Also in machine code's place: the plan refuses, and the op itself says what is wrong."""
    f = kobai.compile(lambda y, index: F.max_unpool2d(y * 2.0, index, 2, output_size=(3, 4)))
    y, index = kobai.ones(1, 1, 1, 2), kobai.tensor([[[[3, 0]]]])
    for _ in range(3):
        assert f(y, index).sum() == 4
    with pytest.raises(RuntimeError, match="Found an invalid max index"):
        f(y, kobai.tensor([[[[3, bad]]]]))
