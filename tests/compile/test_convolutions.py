"""Convolutions in plans, as machine code: their definition is the NumPy op's `forward`, which sums in another order."""
import numpy as np
import pytest

import kobai
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.ops.conv import Conv, ConvInput, ConvWeight, out_size

pytest.importorskip("llvmlite")

# batch, channels, output channels, groups, input, kernel, stride, padding, dilation
CASES = [
    (2, 3, 16, 1, (32, 32), (3, 3), (1, 1), (1, 1), (1, 1)),
    (3, 5, 7, 1, (8, 8), (3, 3), (1, 1), (1, 1), (1, 1)),
    (2, 4, 13, 1, (17, 9), (5, 2), (1, 1), (0, 0), (1, 1)),
    (2, 8, 40, 1, (9, 11), (3, 3), (2, 2), (1, 1), (1, 1)),
    (1, 6, 4, 2, (12, 7), (3, 3), (3, 2), (2, 0), (1, 2)),
    (2, 6, 6, 6, (10, 10), (3, 3), (1, 1), (1, 1), (1, 1)),     # each channel by itself
    (3, 20, 24, 1, (6, 6), (1, 1), (1, 1), (0, 0), (1, 1)),     # matrix products
    (3, 20, 24, 2, (7, 6), (1, 1), (2, 2), (0, 0), (1, 1)),
    (1, 200, 3, 1, (5, 4), (3, 3), (1, 1), (2, 2), (1, 1)),     # the sums are made in several goes
    (70, 2, 3, 1, (4, 4), (4, 4), (1, 1), (0, 0), (1, 1)),      # one position
    (32, 9, 21, 1, (2, 2), (3, 3), (1, 1), (1, 1), (1, 1)),     # few positions: several samples together
    (7, 4, 6, 2, (5, 5), (3, 3), (2, 2), (1, 1), (1, 1)),
    (6, 3, 4, 1, (2, 3, 2), (2, 3, 2), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    (1, 1, 1, 1, (1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
    (1, 2, 2, 1, (1, 1), (3, 3), (1, 1), (1, 1), (1, 1)),
    (2, 2, 2, 1, (3, 300), (2, 2), (1, 1), (1, 3), (1, 1)),     # long rows
    (2, 3, 4, 1, (4, 4), (2, 2), (4, 5), (0, 0), (1, 1)),       # places that no tap reaches
    (2, 3, 5, 1, (33,), (4,), (2,), (3,), (3,)),
    (2, 4, 6, 2, (5, 6, 7), (2, 3, 2), (1, 2, 1), (1, 1, 0), (2, 1, 1)),
    (1, 2, 3, 1, (4, 1, 5), (2, 1, 3), (1, 1, 1), (0, 0, 1), (1, 1, 1)),
    (3, 8, 8, 8, (14, 14), (3, 3), (1, 1), (1, 1), (1, 1)),     # groups of a channel or few: without products
    (2, 9, 18, 9, (13, 70), (3, 3), (2, 2), (1, 1), (1, 1)),
    (1, 8, 8, 8, (21, 33), (7, 7), (1, 1), (3, 3), (1, 1)),
    (2, 11, 11, 11, (9, 40), (5, 4), (1, 1), (0, 0), (1, 2)),
    (1, 16, 16, 8, (11, 12), (3, 3), (2, 3), (1, 0), (2, 1)),
    (2, 24, 32, 8, (8, 13), (3, 3), (1, 1), (1, 1), (1, 1)),
    (2, 8, 8, 8, (19,), (5,), (3,), (2,), (1,)),
    (1, 8, 16, 8, (4, 5, 6), (3, 2, 3), (1, 2, 1), (1, 0, 1), (1, 1, 2)),
    (2, 8, 8, 8, (5, 5), (2, 2), (4, 3), (0, 0), (1, 1)),       # places that no tap reaches
    (9, 3, 2, 1, (6, 7), (3, 3), (1, 1), (1, 1), (1, 1)),       # few outputs
    (20, 5, 33, 1, (7, 1), (3, 1), (1, 1), (1, 0), (1, 1)),     # positions in a column
    (2, 130, 300, 1, (3, 3), (3, 3), (1, 1), (1, 1), (1, 1)),   # more than a tile of weights
    (3, 32, 32, 1, (13, 14), (3, 3), (1, 1), (1, 1), (1, 1)),   # many channels: these fill the registers
    (2, 29, 60, 1, (17, 15), (3, 3), (2, 2), (1, 1), (1, 1)),
    (5, 32, 64, 1, (9, 11), (1, 1), (2, 2), (0, 0), (1, 1)),
    (40, 26, 90, 1, (2, 3), (3, 2), (1, 1), (1, 1), (1, 1)),
    (1, 64, 56, 2, (31, 29), (5, 3), (3, 2), (2, 0), (1, 2)),
    (2, 28, 31, 1, (4, 6, 9), (2, 3, 2), (1, 2, 1), (1, 1, 0), (2, 1, 1)),
    (4, 24, 32, 1, (150,), (7,), (3,), (2,), (2,)),
    (1, 30, 27, 1, (3, 400), (3, 3), (1, 2), (1, 1), (1, 1)),
    (3, 32, 64, 1, (12, 12), (2, 2), (3, 4), (0, 0), (1, 1)),   # places that no tap reaches
    (2, 16, 1, 1, (13, 14), (3, 3), (1, 1), (1, 1), (1, 1)),    # few outputs of many inputs in long rows
    (3, 9, 4, 1, (40, 37), (5, 2), (2, 3), (0, 2), (1, 1)),
    (1, 11, 3, 1, (70,), (7,), (2,), (5,), (3,)),
    (2, 8, 2, 1, (3, 4, 19), (2, 1, 3), (1, 1, 1), (1, 0, 1), (1, 1, 2)),
]


def arrays_of(case, dtype, seed=0):
    """x, weights, bias, and what comes back."""
    n, c, o, groups, spatial, kernel, *rest = case
    out = [out_size(*v) for v in zip(spatial, kernel, *rest)]
    random = np.random.default_rng(seed)
    shapes = (n, c, *spatial), (o, c // groups, *kernel), (o,), (n, o, *out)
    return [random.standard_normal(s).astype(dtype) for s in shapes]


def ops_of(case):
    """The three ops: the convolution, what its input and its weights get."""
    groups, spatial, kernel, *rest = case[3:]
    return Conv(*rest, groups), ConvInput(*rest, groups, spatial), ConvWeight(*rest, groups, kernel)


def planned(op, *arrays):
    """The plan of one op and its result."""
    args = [None if a is None else Value(a.shape, a.dtype, strides=a.strides) for a in arrays]
    y = op.forward(*arrays)
    node = Node(op, args, [(y.shape, y.dtype)])
    p = plan(Graph([a for a in args if a is not None], [node], node.outs))
    return p, p([a for a in arrays if a is not None])[0]


def assert_native(op, *arrays):
    """The result is that of `forward`, but for rounding, and no step of the plan is left to NumPy."""
    p, y = planned(op, *arrays)
    assert not [s for s in p.steps if hasattr(s, "node")], str(p)
    want = op.forward(*[a if a is None else a.astype(np.float64) for a in arrays])
    assert y.shape == want.shape
    assert y.dtype == arrays[0].dtype
    eps = 1e-5 if y.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(y, want, rtol=0, atol=eps * max(1, np.abs(want).max()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_of_many_shapes(case, dtype):
    x, w, bias, a = arrays_of(case, dtype)
    forward, back, weights = ops_of(case)
    assert_native(forward, x, w, None)
    assert_native(forward, x, w, bias)
    assert_native(back, a, w, None)
    assert_native(back, a, w, np.ones(x.shape[1], dtype))
    assert_native(weights, x, a)


@pytest.mark.parametrize("seed", range(40))
def test_of_random_shapes(seed):
    random = np.random.default_rng(seed)
    dims, groups = int(random.integers(1, 4)), int(random.choice([1, 1, 2, 3]))

    def some(low, high):
        return tuple([int(v) for v in random.integers(low, high, dims)])
    kernel, stride, padding, dilation = some(1, 5), some(1, 4), some(0, 4), some(1, 3)
    spatial = tuple([max(d * (k - 1) + 1 - 2 * p, 1) + int(random.integers(0, 20 if dims < 3 else 4))
                     for k, p, d in zip(kernel, padding, dilation)])
    n, c, o = int(random.integers(1, 5)), groups * int(random.integers(1, 20)), groups * int(random.integers(1, 40))
    case = (n, c, o, groups, spatial, kernel, stride, padding, dilation)
    x, w, bias, a = arrays_of(case, random.choice([np.float32, np.float64]), seed)
    forward, back, weights = ops_of(case)
    assert_native(forward, x, w, bias)
    assert_native(back, a, w, None)
    assert_native(weights, x, a)


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda v: np.flip(np.flip(v, 1).copy(), 1)])
def test_inputs_that_lie_otherwise(turn):
    x, w, bias, a = arrays_of(CASES[1], np.float32)
    forward, back, weights = ops_of(CASES[1])
    assert_native(forward, turn(x), turn(w), bias)
    assert_native(back, turn(a), turn(w), None)
    assert_native(weights, turn(x), turn(a))


def test_empty_arrays_are_left_to_numpy():
    case = (0, 3, 4, 1, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1))
    x, w, bias, a = arrays_of(case, np.float32)
    for op, arrays in zip(ops_of(case), ((x, w, bias), (a, w, None), (x, a))):
        assert planned(op, *arrays)[1].shape == op.forward(*arrays).shape


@pytest.mark.parametrize("case", [CASES[1], CASES[20], CASES[25], CASES[32], CASES[33]], ids=str)
def test_nan_and_infinity_stay_where_they_are_used(case):
    """A tap in the padding is a product with 0: nothing of a NaN gets to positions whose taps do not reach it."""
    x, w, _, a = arrays_of(case, np.float32)
    forward, back, weights = ops_of(case)
    x[0, 0, 0, 0], x[1, 2, 7, 7] = np.nan, np.inf
    a[0, 1, 0, 1], a[1, 3, 2, 2] = np.inf, np.nan
    for op, arrays in ((forward, (x, w, None)), (back, (a, w, None)), (weights, (x, np.zeros_like(a)))):
        with np.errstate(invalid="ignore"):
            want, y = op.forward(*arrays), planned(op, *arrays)[1]
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(want))


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[8], *CASES[20:26], *CASES[31:37]], ids=str)
def test_any_number_of_threads_gives_the_same_bits(case):
    x, w, bias, a = arrays_of(case, np.float32)
    threads, found = kobai.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            kobai.set_num_threads(count)
            found.append([planned(op, *v)[1] for op, v in zip(ops_of(case), ((x, w, bias), (a, w, None), (x, a)))])
    finally:
        kobai.set_num_threads(threads)
    for ys in zip(*found):
        assert all(y.tobytes() == ys[0].tobytes() for y in ys)


WHOLE = [
    (5, 7, 11, 1, (4, 3), (4, 3), (1, 1), (0, 0), (1, 1)),
    (1, 64, 3, 1, (7,), (7,), (3,), (0,), (1,)),
    (3, 17, 5, 1, (1, 1), (1, 1), (2, 2), (0, 0), (3, 1)),
    (2, 5, 40, 1, (2, 3, 5), (2, 3, 5), (1, 1, 1), (0, 0, 0), (1, 1, 1)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_a_window_that_is_the_whole_input_makes_a_product(case, dtype):
    x, w, bias, a = arrays_of(case, dtype)
    forward, back, weights = ops_of(case)
    for op, arrays in ((forward, (x, w, bias)), (back, (a, w, np.ones(x.shape[1], dtype))), (weights, (x, a))):
        assert_native(op, *arrays)
        assert_native(op, *[np.asfortranarray(v) for v in arrays])
        assert not [s for s in planned(op, *arrays)[0].steps if type(s).__name__ == "ConvStep"]


@pytest.mark.parametrize("changed", [{3: 1}, {7: (1, 1)}, {4: (5, 3)}, {8: (2, 1), 4: (7, 3)}], ids=str)
def test_other_windows_stay_convolutions(changed):
    """Groups, padding, a rest of the input that no window reaches, and taps that lie apart."""
    case = [2, 6, 4, 2, (4, 3), (4, 3), (8, 8), (0, 0), (1, 1)]
    for i, v in changed.items():
        case[i] = v
    case[3] = 2 if changed == {3: 1} else 1
    x, w, bias, a = arrays_of(case, np.float32)
    forward, back, weights = ops_of(case)
    assert_native(forward, x, w, bias)
    assert_native(back, a, w, None)
    assert_native(weights, x, a)


def test_groups_with_few_channels_are_not_products():
    """Depthwise convolutions and their gradients have code of their own."""
    case = (8, 8, 8, 8, (14, 14), (3, 3), (2, 2), (1, 1), (1, 1))
    x, w, _, a = arrays_of(case, np.float32)
    forward, back, weights = ops_of(case)
    kinds = [[s.kind for s in planned(op, *arrays)[0].steps] for op, arrays in ((forward, (x, w, None)), (back, (a, w, None)),
                                                                               (weights, (x, a)))]
    assert kinds == [["slide"], ["slide"], ["within"]]


def test_many_channels_fill_the_registers():
    """Of a convolution with a stride, too, without copies of what the phases of the gradient make."""
    case = (2, 32, 64, 1, (16, 16), (3, 3), (2, 2), (1, 1), (1, 1))
    x, w, _, a = arrays_of(case, np.float32)
    forward, back, weights = ops_of(case)
    kinds = [[s.kind for s in planned(op, *arrays)[0].steps] for op, arrays in ((forward, (x, w, None)), (back, (a, w, None)),
                                                                               (weights, (x, a)))]
    assert kinds == [["stage", "panel", "lanes"], ["stage", "panel", "lanes"], ["stage", "correlate"]]


def test_an_input_is_staged_once_for_the_convolution_and_the_gradient_of_its_weights():
    model = kobai.nn.Conv2d(3, 8, 3, padding=1, bias=False)
    x = kobai.randn(4, 3, 9, 9)

    def step():
        model.zero_grad()
        model(x).square().sum().backward()
        return model.weight.grad
    want = step().numpy().copy()
    compiled = kobai.compile(step)
    for _ in range(3):
        found = compiled()
    assert [getattr(s, "kind", "") for s in compiled._last.plan.steps].count("stage") == 1
    np.testing.assert_allclose(found.numpy(), want, rtol=1e-4, atol=1e-5)


def test_a_training_step_has_no_convolutions_in_numpy():
    """Gradients of weights and biases as eager mode computes them, and no step of the plan that NumPy does."""
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Conv2d(3, 8, 3, padding=1), kobai.nn.ReLU(), kobai.nn.Conv2d(8, 4, 3, stride=2))
    x = kobai.randn(4, 3, 9, 9)

    def step():
        model.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss.detach(), [p.grad for p in model.parameters()]
    want, gradients = step()
    compiled = kobai.compile(step)
    for _ in range(4):
        loss, found = compiled()
    assert compiled.reason is None
    assert "Conv" not in str(compiled._last.plan)
    np.testing.assert_allclose(loss.item(), want.item(), rtol=1e-5)
    for g, w in zip(found, gradients):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(("channels", "groups", "padding", "dilation"), [(24, 1, 2, 1), (8, 8, "same", 2), (6, 3, (1, 2), 1)])
def test_padding_modes_in_a_training_step(mode, channels, groups, padding, dilation):
    """Compiled as eager mode computes them, on a shape of odd sizes."""
    kobai.manual_seed(0)
    model = kobai.nn.Conv2d(channels, channels, 3, padding=padding, dilation=dilation, groups=groups, padding_mode=mode)
    x = kobai.randn(3, channels, 7, 11, requires_grad=True)

    def step():
        loss = model(x).square().sum()
        return [loss.detach(), *kobai.autograd.grad(loss, [x, *model.parameters()])]
    want, compiled = step(), kobai.compile(step)
    for _ in range(3):
        found = compiled()
    assert compiled.reason is None
    for y, z in zip(found, want):
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("stride", "extra", "groups"), [(2, 1, 1), (3, 0, 1), (1, 0, 2), (2, 1, 16)])
def test_transposed_convolutions_in_a_training_step(stride, extra, groups):
    kobai.manual_seed(0)
    model = kobai.nn.ConvTranspose2d(32, 16, 3, stride, 1, extra, groups=groups)
    x = kobai.randn(2, 32, 9, 5, requires_grad=True)

    def step():
        loss = model(x).square().sum()
        return [loss.detach(), *kobai.autograd.grad(loss, [x, *model.parameters()])]
    want, compiled = step(), kobai.compile(step)
    for _ in range(3):
        found = compiled()
    assert compiled.reason is None
    for y, z in zip(found, want):
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-4, atol=1e-4 * float(z.abs().max()))


def test_eager_mode_goes_over_to_machine_code():
    """After some use the op's forward is not called any more; the results stay the same but for rounding."""
    x, w, bias, a = arrays_of(CASES[0], np.float32)
    for op, arrays in zip(ops_of(CASES[0]), ((x, w, bias), (a, w, None), (x, a))):
        for _ in range(400):
            y = op(*arrays)
        assert [use.run for use in op.uses.values()][-1]
        np.testing.assert_allclose(y, op.forward(*arrays), rtol=0, atol=1e-5 * np.abs(y).max())


def test_gradients_in_eager_mode_go_over_to_machine_code():
    kobai.manual_seed(0)
    x, w, bias = kobai.randn(8, 4, 16, 16, requires_grad=True), kobai.randn(8, 4, 3, 3), kobai.randn(8)
    w.requires_grad_(), bias.requires_grad_()
    first = last = None
    for _ in range(300):
        y = kobai.nn.functional.conv2d(x, w, bias, padding=1, stride=2)
        last = kobai.autograd.grad((y * y).sum(), (x, w, bias))
        first = first or last
    for g, h in zip(first, last):
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=0, atol=1e-5 * float(g.abs().max()))


@pytest.mark.parametrize("kind", ["cat", "stack"])
@pytest.mark.parametrize(("groups", "outs", "stride"), [(1, 4, 1), (1, 40, 1), (1, 40, 2), (8, 8, 1), (2, 10, 2)])
def test_results_that_are_parts_of_others_are_copied_there(kind, groups, outs, stride):
    """Joined along a row, or beside each other: elements of a row do not follow each other."""
    random = np.random.default_rng(0)
    x = kobai.tensor(random.standard_normal((3, 8, 9, 11)).astype("f4"), requires_grad=True)
    w = kobai.tensor(random.standard_normal((outs, 8 // groups, 3, 3)).astype("f4"), requires_grad=True)
    join = kobai.cat if kind == "cat" else kobai.stack

    def step():
        x.grad = w.grad = None
        ys = [kobai.nn.functional.conv2d(v, w, groups=groups, stride=stride, padding=1) for v in (x, x * 2.0)]
        grads = kobai.autograd.grad(join(ys, -1).square().sum(), (x, w))
        return join(ys, -1), join([grads[0], grads[0] * 3.0], -1), join([grads[1], grads[1]], -1)
    want = [v.detach().numpy().astype("f8") for v in step()]
    compiled = kobai.compile(step)
    for _ in range(3):
        got = compiled()
    assert compiled.reason is None
    for a, b in zip(got, want):
        np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-4, atol=1e-3)
    assert not [s for s in compiled._last.plan.steps if hasattr(s, "node")], str(compiled._last.plan)
