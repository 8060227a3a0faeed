"""From kernels and strides to loops: what is merged, what runs in lanes, what is computed where."""

import numpy as np
import pytest

import kobai
from kobai.compile.builder import Builder, build
from kobai.compile.lower import CHUNK, fit, lower

ADD = build(lambda k, a, b: a + b, ["f32", "f32"])


def fitted(kernel, *arrays, inner=None):
    """The layout for arrays, with a contiguous output."""
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    strides = [np.broadcast_to(a, shape).strides for a in arrays] + [np.empty(shape, "f4").strides]
    return fit(kernel, shape, strides, inner)


def zeros(*shape):
    return np.zeros(shape, "f4")


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3, 4), (1, 5, 1)])
def test_contiguous_arrays_are_one_axis(shape):
    result = fitted(ADD, zeros(*shape), zeros(*shape))
    assert len(result.sizes) == 1
    assert result.sizes[0] == max(1, int(np.prod(shape)))


def test_transposed_arrays_are_one_axis_too():
    """If all operands are transposed alike; the outputs are walked in the order of memory."""
    a = zeros(3, 4, 5).transpose(2, 0, 1)
    result = fit(ADD, a.shape, [a.strides] * 3)
    assert result.layout.access == ("1", "1", "1") and result.sizes == (60,)


def test_broadcast_axes_stay_apart():
    result = fitted(ADD, zeros(6, 4, 5), zeros(4, 1))
    assert result.sizes == (6, 4, 5)
    assert result.layout.access == ("ss1", "0s0", "ss1")


def test_rows_and_elements_are_not_merged():
    total = build(lambda k, x: k.sum(x), ["f32"])
    x = zeros(4, 6, 8)
    result = fit(total, x.shape, [x.strides, (24, 4, 0)], 1)
    assert result.sizes == (24, 8) and result.layout.inner == 1


def test_positions_forbid_reordering():
    numbered = build(lambda k, x: x + k.index("f32"), ["f32"])
    x = zeros(3, 4).T
    assert fit(numbered, x.shape, [x.strides, x.strides]).sizes == (4, 3)
    assert fit(ADD, x.shape, [x.strides] * 3).sizes == (12,)


def test_lanes_follow_the_contiguous_axis():
    total = build(lambda k, x: k.sum(x), ["f32"])
    assert not fit(total, (9, 5), [(20, 4), (4, 0)], 1).layout.tall
    assert fit(total, (9, 5), [(4, 36), (4, 0)], 1).layout.tall


def test_long_rows_are_reduced_in_chunks():
    total = build(lambda k, x: k.sum(x), ["f32"])
    assert not fit(total, (CHUNK,), [(4,), (0,)]).layout.long
    assert fit(total, (CHUNK + 1,), [(4,), (0,)]).layout.long
    assert not fit(ADD, (CHUNK + 1,), [(4,)] * 3).layout.long


def test_values_are_computed_outside_the_loops_they_do_not_depend_on():
    kernel = build(lambda k, x, row, one: x * k.exp(row) + k.exp(one), ["f32"] * 3)
    nest = lower(kernel, fitted(kernel, zeros(4, 5), zeros(4, 1), zeros(1)).layout)
    depths = {n.op + str(n.args): nest.depth[i] for i, n in enumerate(kernel.nodes)}
    assert sorted(v for k, v in depths.items() if k.startswith("exp")) == [0, 1]


def test_softmax_takes_three_passes_and_keeps_the_exponentials():
    def emit(k, x):
        e = k.exp((x - k.amax(x)) * 2 + x * 3 - x * x * 4 + 1)
        return e / k.sum(e)

    kernel = build(emit, ["f32"])
    nest = lower(kernel, fit(kernel, (4, 50), [(200, 4)] * 2, 1).layout)
    ops = [[kernel.nodes[i].op for i in nodes] for nodes in nest.passes]
    assert ops[0] == ["load"]
    assert ops[1][-1] == "exp"
    assert ops[2] == ["exp", "div"]
    (kept,) = nest.kept
    assert kernel.nodes[kept].op == "exp" and nest.kept[kept] == (1, 0)
    assert "pass 2" in str(nest)


def test_an_output_is_read_again_and_its_memory_serves_before():
    """Softmax and its gradient: the exponentials lie where the result will be, and that is not computed twice."""

    def emit(k, x, g):
        e = k.exp(x - k.amax(x) + x * 2 - x * x * 4 + 1)
        y = e * (1.0 / k.sum(e))
        return y, y * (g - k.sum(g * y))

    kernel = build(emit, ["f32"] * 2)
    nest = lower(kernel, fit(kernel, (4, 50), [(200, 4)] * 4, 1).layout)
    y, _ = kernel.outputs
    e = next(i for i, n in enumerate(kernel.nodes) if n.op == "exp")
    assert nest.kept == {y: (2, 0), e: (1, 0)}
    ops = [[kernel.nodes[i].op for i in nodes] for nodes in nest.passes]
    assert [some.count("exp") for some in ops] == [0, 1, 1, 0]  # in pass 2 it is read
    assert len(ops[3]) == 4


def test_no_output_holds_two_values_at_a_time():
    def emit(k, x):
        a, b = k.exp(x * 2 + x * x * 3 - 1 - x * 5), k.tanh(x * 3 - x * x * 2 + 4 + x * 7)
        total = k.sum(a) + k.amax(b)
        return a * total + b

    kernel = build(emit, ["f32"])
    nest = lower(kernel, fit(kernel, (4, 50), [(200, 4)] * 2, 1).layout)
    assert len(nest.kept) == 1


def test_cheap_values_are_computed_again():
    kernel = build(lambda k, x: (x + 1) / k.sum(x + 1), ["f32"])
    nest = lower(kernel, fit(kernel, (4, 50), [(200, 4)] * 2, 1).layout)
    assert not nest.kept
    assert [kernel.nodes[i].op for i in nest.passes[1]] == ["load", "add", "div"]


def test_lanes_run_along_what_most_of_the_data_is_contiguous_in():
    """Sums over the first axis of (16, 64, 576), whose results lie the other way round: 16 times as much is read."""
    total = build(lambda k, x: k.sum(x), ["f32"])
    result = fit(total, (64, 576, 16), [(4, 256, 147456), (2304, 4, 0)], 1)
    assert result.layout.tall and result.sizes == (576, 64, 16) and result.layout.access == ("s1s", "ss0")
    result = fit(total, (64, 576, 16), [(36864, 64, 4), (2304, 4, 0)], 1)
    assert not result.layout.tall


def test_many_values_of_rows_do_not_turn_the_lanes():
    """Rows of 1024 elements beside each other, and five values for each row."""
    kernel = build(lambda k, x, a, b, c, d: k.sum(x) * a * b * c * d + x, ["f32"] * 5)
    rows = (4, 0)
    result = fit(kernel, (16, 1024), [(4096, 4), rows, rows, rows, rows, (4096, 4)], 1)
    assert not result.layout.tall


def test_axes_shorter_than_lanes_give_way_to_rows():
    """A product of two factors and a slow function of it: 50 rows fill the lanes that 2 elements would leave idle."""
    product = build(lambda k, a, b: (k.tanh(k.sum(a * b)), a + b), ["f32", "f32"])
    strides = [(8, 0, 4), (0, 8, 4), (200, 4, 0), (400, 8, 4)]
    result = fit(product, (32, 50, 2), strides, 1)
    assert result.layout.tall and sorted(result.sizes) == [2, 32, 50]
    assert not fit(product, (32, 50, 64), [(256, 0, 4), (0, 256, 4), (200, 4, 0), (12800, 256, 4)], 1).layout.tall


def test_what_is_done_once_a_row_leaves_the_lanes_of_a_row_as_they_are():
    """A step of descent on a parameter: its learning rate is a float64, what is summed up is not."""
    def step(k, x, p, rate):
        return k.cast(k.cast(p, "f64") - k.cast(k.sum(x * p), "f64") * rate, "f32")

    k = Builder("step")
    kernel = k.finish(step(k, k.operand("f32"), k.operand("f32", None, True), k.operand("f64", None, True)))
    nest = lower(kernel, fit(kernel, (100,), [(4,), (0,), (0,), (0,)]).layout)
    assert nest.lanes(64)[0] == 16
    wide = build(lambda k, x: k.sum(k.cast(x, "f64")), ["f32"])
    assert lower(wide, fit(wide, (100,), [(4,), (0,)]).layout).lanes(64)[0] == 8


@pytest.mark.parametrize("shape", [(40, 640), (3, 40, 640), (40, 1022), (40, 509), (40, 96)])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_leads_from_line_to_line_is_done_in_blocks(shape, threads):
    """Where it is long and can be cut evenly; the result is the same."""
    x = np.arange(np.prod(shape), dtype="f4").reshape(*shape[:-2], shape[-1], shape[-2]).swapaxes(-1, -2)
    y = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    layout = fit(ADD, shape, [x.strides, y.strides, y.strides])
    cut = shape[-1] == 640
    assert len(layout.sizes) == len(shape) + cut
    assert not cut or 32 <= layout.sizes[-1] <= 64
    assert layout.strides[0][-1] == 4 * shape[-2] and layout.strides[1][-1] == 4
    before = kobai.get_num_threads()
    try:
        kobai.set_num_threads(threads)
        step = kobai.compile(lambda a, b: a.transpose(-1, -2) + b)
        for _ in range(3):
            z = step(kobai.from_numpy(np.ascontiguousarray(x.swapaxes(-1, -2))), kobai.from_numpy(y))
    finally:
        kobai.set_num_threads(before)
    np.testing.assert_array_equal(z.numpy(), x + y)
