"""Pooling, resampling, padding and blocks, against their definitions written out as loops."""
import itertools

import numpy as np
import pytest

import kobai
import kobai.nn.functional as F
from kobai.ops.resample import keys, taps_of
from kobai.ops.taps import Taps
from kobai.ops.window import PIECE, Windows, tiles


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(x, grad=False):
    return kobai.from_numpy(np.array(x)).requires_grad_(grad)


def windows(n, k, s, p, d, count):
    """The elements of each window over n elements that lie inside."""
    return [[j for j in (i * s - p + o * d for o in range(k)) if 0 <= j < n] for i in range(count)]


# ---- max -------------------------------------------------------------------------------------
def naive_max_pool(x, w):
    """Values and row-by-row positions of the first largest element of each window of a matrix."""
    rows, cols = (windows(*v) for v in zip(x.shape, w.kernel, w.stride, w.padding, w.dilation, w.out(x.shape)))
    y, where = np.empty((len(rows), len(cols))), np.empty((len(rows), len(cols)), int)
    for a, b in np.ndindex(y.shape):
        best = max(itertools.product(rows[a], cols[b]), key=lambda ij: (x[ij], -ij[0], -ij[1]))
        y[a, b], where[a, b] = x[best], best[0] * x.shape[1] + best[1]
    return y, where


@pytest.mark.parametrize("k, s, p, d, ceil", [
    ((2, 2), (2, 2), (0, 0), (1, 1), False), ((3, 2), (1, 2), (1, 0), (1, 1), False),
    ((2, 3), (2, 1), (1, 1), (2, 1), True), ((3, 3), (3, 3), (1, 1), (1, 1), True),
    ((1, 4), (1, 3), (0, 2), (1, 1), True)])
@pytest.mark.parametrize("ties", [False, True])
def test_max_pool_and_its_positions(k, s, p, d, ceil, ties):
    x = normal(7, 9)
    x = np.round(x) if ties else x
    want, positions = naive_max_pool(x, Windows(k, s, p, d, ceil))
    t = tensor(x[None], True)
    y, where = F.max_pool2d(t, k, s, p, d, ceil, return_indices=True)
    np.testing.assert_array_equal(y.detach().numpy()[0], want)
    np.testing.assert_array_equal(where.numpy()[0], positions)
    y.backward(kobai.ones_like(y))
    np.testing.assert_array_equal(t.grad.numpy().ravel(), np.bincount(positions.ravel(), minlength=x.size))


def test_pooling_in_pieces_is_the_same_as_at_once():
    x = normal(3 * PIECE // 400, 20, 20).astype("f")
    t = tensor(x, True)
    y = F.max_pool2d(t, 2)
    tiled = x.reshape(-1, 10, 2, 10, 2)
    np.testing.assert_array_equal(y.detach().numpy(), tiled.max((2, 4)))
    y.sum().backward()
    want = (tiled == tiled.max((2, 4), keepdims=True)).reshape(x.shape)
    np.testing.assert_array_equal(t.grad.numpy(), want)
    np.testing.assert_allclose(F.avg_pool2d(t, 2).detach().numpy(), tiled.mean((2, 4)), rtol=1e-5, atol=1e-6)


def test_max_pool_of_nan_and_infinity_sends_the_gradient_to_them():
    x = tensor([[[np.nan, 1.0, -np.inf, -np.inf, 2.0, np.inf]]], True)
    y, where = F.max_pool1d(x, 2, return_indices=True)
    assert np.isnan(y[0, 0, 0].item()) and y[0, 0, 1:].tolist() == [-np.inf, np.inf]
    assert where.tolist() == [[[0, 2, 5]]]
    y.backward(kobai.tensor([[[1.0, 2.0, 3.0]]], dtype=kobai.float64))
    assert x.grad.tolist() == [[[1, 0, 2, 0, 0, 3]]]


def test_an_infinite_gradient_touches_no_other_element():
    x = tensor([[[1.0, 2.0, 4.0, 3.0]]], True)
    F.max_pool1d(x, 2).backward(kobai.tensor([[[np.inf, 1.0]]], dtype=kobai.float64))
    assert x.grad.tolist() == [[[0, np.inf, 1, 0]]]


def test_unpool_undoes_pool():
    x = tensor(normal(2, 3, 6, 8))
    y, where = F.max_pool2d(x, 2, return_indices=True)
    again = F.max_unpool2d(y, where, 2)
    np.testing.assert_array_equal(F.max_pool2d(kobai.where(again == 0, kobai.tensor(-9.0).double(), again), 2).numpy(),
                                  y.numpy())
    assert (again != 0).sum() == y.numel()


def test_fractional_windows_cover_all_sizes_and_end_at_the_end():
    x = tensor(np.arange(100.0).reshape(1, 1, 10, 10))
    y = F.fractional_max_pool2d(x, 2, output_size=6)
    steps = np.diff(y[0, 0, :, 0].numpy()) / 10
    assert set(steps) <= {1, 2} and y[0, 0, -1, -1] == 99


# ---- mean ------------------------------------------------------------------------------------
@pytest.mark.parametrize("with_padding", [True, False])
@pytest.mark.parametrize("k, s, p, ceil", [(2, 2, 0, False), (3, 2, 1, True), (3, 1, 1, False), (4, 3, 2, True)])
def test_avg_pool(k, s, p, ceil, with_padding):
    x = normal(7)
    w = Windows((k,), (s,), (p,), (1,), ceil)
    want = []
    for i in range(w.out((7,))[0]):
        start, end = i * s - p, min(i * s - p + k, 7 + p)
        inside = x[max(start, 0):min(end, 7)]
        want.append(inside.sum() / (end - start if with_padding else len(inside)))
    have = F.avg_pool1d(tensor(x[None]), k, s, p, ceil, with_padding)
    np.testing.assert_allclose(have.numpy()[0], want, rtol=1e-12)


@pytest.mark.parametrize("n, out", [(7, 3), (4, 7), (8, 4), (5, 5), (9, 1)])
def test_adaptive_pools_cover_the_input_evenly(n, out):
    x = normal(n)
    parts = [x[i * n // out:-(-(i + 1) * n // out)] for i in range(out)]
    np.testing.assert_allclose(F.adaptive_avg_pool1d(tensor(x[None]), out).numpy()[0], [p.mean() for p in parts])
    np.testing.assert_array_equal(F.adaptive_max_pool1d(tensor(x[None]), out).numpy()[0], [p.max() for p in parts])


def test_tiles():
    assert tiles((6, 8), (3, 2)) == Windows((2, 4), (2, 4), (0, 0), (1, 1))
    assert tiles((7,), (3,)) is None


# ---- resampling ------------------------------------------------------------------------------
def test_taps_are_a_matrix():
    rng = np.random.default_rng(0)
    rows, columns, weights = rng.integers(0, 5, 12), rng.integers(0, 4, 12), rng.standard_normal(12)
    matrix = np.zeros((5, 4))
    np.add.at(matrix, (rows, columns), weights)
    taps, x = Taps(5, 4, rows, columns, weights), normal(3, 4, 2)
    np.testing.assert_allclose(taps.along(x, -2), np.einsum("ij,ajb->aib", matrix, x), atol=1e-12)
    y = normal(3, 5, 2)
    np.testing.assert_allclose(taps.transposed.along(y, -2), np.einsum("ij,aib->ajb", matrix, y), atol=1e-12)


@pytest.mark.parametrize("kind", ["linear", "cubic", "area", "linear-smooth", "cubic-smooth", "lanczos-smooth"])
@pytest.mark.parametrize("size, out", [(5, 9), (9, 4), (7, 7)])
def test_weights_of_a_result_sum_to_one(kind, size, out):
    taps = taps_of(kind, size, out, False, 0, True)
    np.testing.assert_allclose(taps.along(np.ones((1, size)), -1), 1, rtol=1e-12)


@pytest.mark.parametrize("mode, n", [("linear", 1), ("bilinear", 2), ("trilinear", 3)])
def test_linear_interpolation_keeps_linear_functions(mode, n):
    ramp = np.add.reduce(np.meshgrid(*[np.arange(4.0)] * n, indexing="ij"))
    y = F.interpolate(tensor(ramp[None, None]), size=7, mode=mode, align_corners=True).numpy()[0, 0]
    np.testing.assert_allclose(y, np.add.reduce(np.meshgrid(*[np.arange(7) / 2] * n, indexing="ij")), atol=1e-12)


def test_keys_kernel_interpolates():
    """At 0 it is 1, at other integers 0, and its shifts add up to 1 (Keys 1981)."""
    np.testing.assert_allclose(keys(np.array([0.0, 1, 2, 3]), -0.75), [1, 0, 0, 0], atol=1e-15)
    t = np.linspace(0, 1, 7)
    np.testing.assert_allclose(sum(keys(t + k, -0.75) for k in (-2, -1, 0, 1)), 1)


def test_not_a_number_stays_where_it_is():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 0, 0] = np.nan
    y = F.interpolate(tensor(x), scale_factor=2, mode="bilinear").numpy()[0, 0]
    assert np.isnan(y[0, 0]) and not np.isnan(y[4:]).any() and not np.isnan(y[:, 4:]).any()


def test_grid_sample_of_the_identity_is_the_image():
    x = tensor(normal(2, 3, 4, 5))
    theta = kobai.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=kobai.float64).expand(2, 2, 3)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    np.testing.assert_allclose(F.grid_sample(x, grid, align_corners=False).numpy(), x.numpy(), atol=1e-12)
    turned = F.affine_grid(-theta, x.shape, align_corners=True)
    y = F.grid_sample(x, turned, align_corners=True)
    np.testing.assert_allclose(y.numpy(), x.numpy()[..., ::-1, ::-1], atol=1e-12)


# ---- padding and blocks ----------------------------------------------------------------------
@pytest.mark.parametrize("mode, numpy_mode", [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap"),
                                              ("constant", "constant")])
@pytest.mark.parametrize("pad", [((0, 0), (1, 2)), ((2, 1), (0, 3)), ((2, 2), (3, 3))])
def test_pad_as_numpy(mode, numpy_mode, pad):
    x = normal(2, 4, 5)
    have = F.pad(tensor(x), (*pad[1], *pad[0]), mode).numpy()
    np.testing.assert_array_equal(have, np.pad(x, ((0, 0), *pad), numpy_mode))


def test_negative_padding_cuts_off():
    x = normal(2, 3, 6)
    np.testing.assert_array_equal(F.pad(tensor(x), (-1, -2)).numpy(), x[:, :, 1:-2])
    longer = np.pad(x, ((0, 0), (0, 0), (0, 2)), "edge")
    np.testing.assert_array_equal(F.pad(tensor(x), (-1, 2), "replicate").numpy(), longer[:, :, 1:])


def test_fold_counts_how_often_unfold_took_an_element():
    x = kobai.ones(1, 1, 4, 5)
    counts = F.fold(F.unfold(x, 2), (4, 5), 2)[0, 0]
    np.testing.assert_array_equal(counts.numpy(), np.outer([1, 2, 2, 1], [1, 2, 2, 2, 1]))


def test_shuffles_undo_each_other():
    x = tensor(normal(2, 12, 2, 3))
    np.testing.assert_array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).numpy(), x.numpy())
    np.testing.assert_array_equal(F.channel_shuffle(F.channel_shuffle(x, 3), 4).numpy(), x.numpy())
    assert F.channel_shuffle(kobai.arange(6.0).reshape(1, 6, 1), 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]
