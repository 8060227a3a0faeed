"""Pooling in plans, as machine code: its definition is the NumPy op's `forward`."""
import numpy as np
import pytest

import kobai
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.ops.avgpool import AvgPool2d, SpreadMean
from kobai.ops.maxpool import MaxPool2d, SendToMax
from kobai.ops.window import Windows

pytest.importorskip("llvmlite")

# shape, number of dimensions, windows
CASES = [
    ((3, 2, 8, 8), 2, Windows((2, 2), (2, 2), (0, 0), (1, 1))),
    ((2, 3, 33, 70), 2, Windows((2, 2), (2, 2), (0, 0), (1, 1))),      # a rest that is in no window
    ((2, 3, 7, 37), 2, Windows((3, 3), (2, 2), (1, 1), (1, 1))),
    ((2, 40, 19), 2, Windows((3, 2), (1, 1), (1, 0), (1, 1))),
    ((2, 9, 35), 2, Windows((2, 3), (3, 4), (1, 1), (2, 1))),
    ((1, 5, 6), 2, Windows((3, 3), (2, 2), (1, 1), (1, 1), True)),     # the last hang over the end
    ((2, 11, 40), 2, Windows((3, 3), (2, 2), (0, 1), (1, 2), True)),
    ((4, 6, 6), 2, Windows((6, 6), (6, 6), (0, 0), (1, 1))),
    ((2, 20, 40), 2, Windows((5, 15), (2, 2), (2, 7), (1, 1))),        # too many places to write out
    ((2, 1, 1), 2, Windows((1, 1), (1, 1), (0, 0), (1, 1))),
    ((2, 1, 50), 2, Windows((1, 4), (1, 2), (0, 1), (1, 1))),          # one dimension is an image of height 1
    ((2, 5, 6, 9), 3, Windows((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1))),
    ((2, 5, 6, 37), 3, Windows((3, 2, 3), (1, 2, 2), (1, 0, 1), (1, 1, 1))),
    ((0, 4, 4), 2, Windows((2, 2), (2, 2), (0, 0), (1, 1))),
]


def planned(op, *arrays):
    """The plan of one op and its result."""
    args = [Value(a.shape, a.dtype, strides=a.strides) for a in arrays]
    y = op.forward(*arrays)
    node = Node(op, args, [(y.shape, y.dtype)])
    p = plan(Graph(args, [node], node.outs))
    return p, p(list(arrays))[0]


def assert_native(op, *arrays):
    """The result is that of `forward`, and no step of the plan is left to NumPy."""
    p, y = planned(op, *arrays)
    assert not [s for s in p.steps if hasattr(s, "node") and y.size], str(p)
    want = op.forward(*arrays)
    assert y.shape == want.shape
    assert y.dtype == want.dtype
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)


def numbers(shape, dtype, ties, seed=0):
    """Random numbers; a few different ones if there are to be ties."""
    random = np.random.default_rng(seed)
    return (random.integers(-2, 3, shape) if ties else random.standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
class TestWindows:
    def test_the_largest(self, case, dtype):
        shape, _, windows = case
        assert_native(MaxPool2d(windows), numbers(shape, dtype, False))

    @pytest.mark.parametrize("ties", [False, True])
    def test_back_to_the_largest(self, case, dtype, ties):
        """Of equals, the first gets all."""
        shape, n, windows = case
        g = numbers((*shape[:-n], *windows.out(shape[-n:])), dtype, False, 1)
        assert_native(SendToMax(windows), g, numbers(shape, dtype, ties))

    @pytest.mark.parametrize("with_padding, divisor", [(True, 0), (False, 0), (True, 7)])
    def test_means(self, case, dtype, with_padding, divisor):
        shape, n, windows = case
        if set(windows.dilation) != {1}:
            pytest.skip("means have no dilation")
        assert_native(AvgPool2d(windows, with_padding, divisor), numbers(shape, dtype, False))
        g = numbers((*shape[:-n], *windows.out(shape[-n:])), dtype, False, 1)
        assert_native(SpreadMean(windows, with_padding, divisor, shape[-n:]), g)


@pytest.mark.parametrize("windows", [CASES[0][2], CASES[2][2], CASES[3][2]], ids=str)
def test_nan_and_infinities(windows):
    """A NaN is the largest; where there is nothing but -inf, the first place inside gets the gradient."""
    x = numbers((1, 2, 9, 40), np.float32, False)
    x[0, 0, 1, 3], x[0, 0, 4, :], x[0, 1] = np.nan, np.inf, -np.inf
    y = planned(MaxPool2d(windows), x)[1]
    np.testing.assert_array_equal(y, MaxPool2d(windows).forward(x))
    g = np.ones(y.shape, np.float32)
    np.testing.assert_array_equal(planned(SendToMax(windows), g, x)[1], SendToMax(windows).forward(g, x))


def test_inputs_that_lie_otherwise():
    shape, _, windows = CASES[2]
    x = np.asfortranarray(numbers(shape, np.float32, False))
    assert_native(MaxPool2d(windows), x)
    assert_native(AvgPool2d(windows, True, 0), x[..., ::-1])


@pytest.mark.parametrize("windows", [CASES[0][2], CASES[2][2]], ids=str)
def test_any_number_of_threads_gives_the_same_bits(windows):
    x = numbers((40, 8, 32, 32), np.float32, False)
    g = numbers((40, 8, *windows.out((32, 32))), np.float32, False)
    threads, found = kobai.get_num_threads(), []
    try:
        for count in (1, 3):
            kobai.set_num_threads(count)
            found.append([planned(op, *v)[1].tobytes() for op, v in (
                (MaxPool2d(windows), (x,)), (SendToMax(windows), (g, x)),
                (AvgPool2d(windows, True, 0), (x,)), (SpreadMean(windows, True, 0, (32, 32)), (g,)))])
    finally:
        kobai.set_num_threads(threads)
    assert found[0] == found[1]


def test_eager_mode_goes_over_to_machine_code():
    """After some use the op's forward is not called any more; the results stay the same."""
    windows = CASES[2][2]
    x = numbers((8, 4, 16, 16), np.float32, False)
    g = numbers((8, 4, 8, 8), np.float32, False)
    for op, arrays in ((MaxPool2d(windows), (x,)), (SendToMax(windows), (g, x)), (AvgPool2d(windows, True, 0), (x,)),
                       (SpreadMean(windows, True, 0, (16, 16)), (g,))):
        for _ in range(1000):
            y = op(*arrays)
        assert [use.run for use in op.uses.values()][-1]
        np.testing.assert_allclose(y, op.forward(*arrays), rtol=1e-5, atol=1e-6)


def test_integers_stay_with_numpy():
    op, x = MaxPool2d(CASES[0][2]), np.arange(64 * 1024).reshape(64, 32, 32)
    for _ in range(60):
        y = op(x)
    assert y.tolist() == op.forward(x).tolist()
    assert [use.run for use in op.uses.values()][-1] is False
