"""Weighted sums along dimensions in plans: their definition is the NumPy op's `forward`, whose order of terms they keep."""
import numpy as np
import pytest

import kobai
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.compile.weighted import SumsStep
from kobai.ops.pad import AddPadding, PadItself
from kobai.ops.resample import Means, Resample

pytest.importorskip("llvmlite")
F = kobai.nn.functional


def resample(kind, spatial, out, corners=False, scales=(), back=False):
    return Resample("Upsample", kind, spatial, out, corners, scales, back)


CASES = [  # op, shape in front of the dimensions, those
    (resample("nearest", (5, 7), (10, 14)), (2, 3), (5, 7)),
    (resample("nearest", (5, 70), (10, 140), back=True), (2, 3), (10, 140)),
    (resample("nearest-exact", (13,), (4,)), (3, 2), (13,)),
    (resample("linear", (5, 7), (33, 29)), (2, 3), (5, 7)),
    (resample("linear", (5, 7), (33, 29), True, (), True), (2, 3), (33, 29)),
    (resample("linear", (1, 64), (3, 17), True), (1, 1), (1, 64)),
    (resample("linear", (40, 3), (57, 61), False, (0.7, 0.05)), (4, 5), (40, 3)),
    (resample("linear", (3, 4, 5), (6, 4, 11)), (2, 2), (3, 4, 5)),
    (resample("cubic", (9, 17), (20, 8)), (3,), (9, 17)),
    (resample("cubic", (9, 17), (20, 8), back=True), (3,), (20, 8)),
    (resample("linear-smooth", (31, 37), (5, 6)), (2, 1), (31, 37)),
    (resample("cubic-smooth", (31, 37), (5, 60), back=True), (2, 1), (5, 60)),
    (Means("AdaptiveAvgPool2D", "area", (20, 24), (7, 5)), (3, 2), (20, 24)),
    (Means("AdaptiveAvgPool2D", "area", (1, 60), (1, 7)), (3, 2), (1, 60)),
    (resample("area", (20, 24), (7, 5), back=True), (3, 2), (7, 5)),
    (resample("area", (3, 2), (5, 7)), (1,), (3, 2)),
    (PadItself("P", "reflect", ((2, 1), (0, 3))), (2, 3), (4, 5)),
    (PadItself("P", "replicate", ((4, -1), (1, 0))), (40,), (3, 4)),
    (PadItself("P", "circular", ((3, 2),)), (1, 1), (3,)),
    (PadItself("P", "circular", ((-1, 2), (5, 5))), (2, 1), (6, 19)),
    (AddPadding("P", "reflect", ((2, 1), (0, 3)), (4, 5)), (2, 3), (7, 8)),
    (AddPadding("P", "replicate", ((4, -1), (1, 0)), (3, 4)), (2,), (6, 5)),
    (AddPadding("P", "circular", ((3, 2),), (3,)), (1, 5), (8,)),
]


def planned(op, x):
    value = Value(x.shape, x.dtype, strides=x.strides)
    want = op.forward(x)
    node = Node(op, [value], [(want.shape, want.dtype)])
    p = plan(Graph([value], [node], node.outs))
    return p, p([x])[0], want


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("op", "lead", "spatial"), CASES, ids=str)
def test_as_numpy(op, lead, spatial, dtype, threads):
    before = kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        for x in (np.random.default_rng(0).standard_normal((*lead, *spatial)).astype(dtype),
                  np.asfortranarray(np.random.default_rng(1).standard_normal((*lead, *spatial)).astype(dtype)),
                  np.random.default_rng(2).standard_normal((*lead, *[2 * s for s in spatial])).astype(dtype)[
                      (..., *[slice(None, None, 2)] * len(spatial))]):
            p, y, want = planned(op, x)
            assert [s for s in p.steps if isinstance(s, SumsStep)]
            assert not [s for s in p.steps if hasattr(s, "node")], str(p)
            if isinstance(op, AddPadding):  # which NumPy adds up in another order
                np.testing.assert_allclose(y, want, rtol=1e-5 if dtype == "f4" else 1e-13, atol=1e-5 if dtype == "f4" else 1e-13)
            else:
                np.testing.assert_array_equal(y, want)
    finally:
        kobai.set_num_threads(before)


def test_many_lines_are_shared_by_threads_to_the_same_bits():
    op, x = CASES[3][0], np.random.default_rng(0).standard_normal((40, 30, 5, 7)).astype("f4")
    before, found = kobai.get_num_threads(), []
    try:
        for n in (1, 2):
            kobai.set_num_threads(n)
            found.append(planned(op, x)[1].tobytes())
    finally:
        kobai.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["interpolate", "sample"])
def test_results_that_are_parts_of_others(name):
    """They are made in order and copied."""
    grid = kobai.rand(2, 10, 14, 2) * 2 - 1
    f = {"interpolate": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
         "sample": lambda x: F.grid_sample(x, grid, mode="nearest", align_corners=False)}[name]
    compiled = kobai.compile(lambda x, y: kobai.cat([y, f(x), y], 1))
    for _ in range(3):
        x, y = kobai.randn(2, 3, 5, 7), kobai.randn(2, 4, 10, 14)
        np.testing.assert_allclose(compiled(x, y).numpy(), kobai.cat([y, f(x), y], 1).numpy(), rtol=1e-5, atol=1e-6)
    assert not [s for s in compiled._last.plan.steps if type(s).__name__ == "OpStep"], str(compiled._last.plan)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(("op", "lead", "spatial"), CASES, ids=str)
def test_nan_and_infinity_stay_where_they_are_used(op, lead, spatial, bad):
    x = np.random.default_rng(0).standard_normal((*lead, *spatial)).astype("f4")
    x[(0,) * len(lead)].flat[-1] = bad
    _, y, want = planned(op, x)
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(want))


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
def test_a_step_with_interpolation_has_no_numpy(mode):
    model = kobai.nn.Sequential(kobai.nn.Conv2d(2, 5, 3, padding=1, padding_mode="reflect"), kobai.nn.ReLU())
    optimizer, x = kobai.optim.SGD(model.parameters(), lr=0.1), kobai.randn(2, 2, 9, 11)

    def step():
        optimizer.zero_grad()
        y = F.adaptive_avg_pool2d(F.interpolate(model(x), size=(13, 6), mode=mode), (5, 4))
        loss = y.square().mean()
        loss.backward()
        optimizer.step()
        return loss
    want = [step().item()]
    compiled = kobai.compile(step)
    want += [compiled().item() for _ in range(4)]
    assert sorted(want, reverse=True) == want and want[-1] < want[0]
    assert compiled.reason is None
    assert not [s for s in compiled._last.plan.steps if type(s).__name__ == "OpStep"], str(compiled._last.plan)


def test_half_and_whole_numbers_stay_with_numpy():
    for dtype in ("f2", "i8"):
        x = np.arange(12).reshape(1, 3, 4).astype(dtype)
        p, y, want = planned(PadItself("P", "replicate", ((1, 1),)), x)
        assert not [s for s in p.steps if isinstance(s, SumsStep)]
        np.testing.assert_array_equal(y, want)
