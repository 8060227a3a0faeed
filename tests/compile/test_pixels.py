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
