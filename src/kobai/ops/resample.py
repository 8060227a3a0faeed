"""Resampling: interpolation in all its modes, and adaptive means, which are interpolation by area."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..diagnose import error
from ..op import dtype_of, m
from ..public import public
from ..testing.samples import S
from .avgpool import AvgPool2d
from .labels import Labelled
from .reduce import not_implemented
from .taps import Taps
from .window import Windows, by_pieces, tiles

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)


# ---- one dimension ---------------------------------------------------------------------------
@lru_cache(512)
def taps_of(kind, size, out, corners, scale, double):
    """The Taps that bring `size` elements to `out`.

    `scale` is the distance of the results in elements, or 0: size / out, with `corners`
    (size - 1) / (out - 1), so that the outermost elements stay. Positions are computed in the
    precision of the data, as in PyTorch.
    """
    t = np.float64 if double else np.float32
    if corners:
        step = t(size - 1) / t(out - 1) if out > 1 else t(0)
    else:
        step = t(scale) if scale else t(size) / t(out)
    return _MAKERS[kind](size, out, corners, step, np.arange(out))


def _nearest(size, out, corners, step, i):
    at = np.minimum(np.floor(i.astype(np.float32) * np.float32(step)).astype(np.int64), size - 1)
    return Taps(out, size, i, at, np.ones(out))


def _nearest_exact(size, out, corners, step, i):
    at = np.floor((i.astype(np.float32) + np.float32(0.5)) * np.float32(step)).astype(np.int64)
    return Taps(out, size, i, np.minimum(at, size - 1), np.ones(out))


def _positions(corners, step, i):
    i = i.astype(step.dtype)
    return i * step if corners else (i + step.dtype.type(0.5)) * step - step.dtype.type(0.5)


def _linear(size, out, corners, step, i):
    at = np.maximum(_positions(corners, step, i), 0)
    low = np.minimum(at.astype(np.int64), size - 1)
    part = np.minimum(np.maximum(at - low, 0), 1)
    return Taps(out, size, np.tile(i, 2), np.r_[low, np.minimum(low + 1, size - 1)], np.r_[1 - part, part])


def _cubic(size, out, corners, step, i):
    at = _positions(corners, step, i)
    low = np.floor(at)
    part, low = at - low, low.astype(np.int64)
    columns = [np.clip(low + k, 0, size - 1) for k in (-1, 0, 1, 2)]
    weights = [keys(part - k, -0.75) for k in (-1, 0, 1, 2)]
    return Taps(out, size, np.tile(i, 4), np.concatenate(columns), np.concatenate(weights))


def keys(x, a):
    """The cubic convolution kernel of Keys (1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, x * 0))


def _lanczos(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def _smoothed(kernel, reach):
    """With the kernel stretched where the result is coarser than the input, so that nothing is skipped."""
    def make(size, out, corners, step, i):
        stretch = max(float(step), 1.0)
        center = float(step) * (i + 0.5)
        low = np.maximum((center - reach * stretch + 0.5).astype(np.int64), 0)
        high = np.minimum((center + reach * stretch + 0.5).astype(np.int64), size)
        rows = np.repeat(i, high - low)
        columns = np.concatenate([np.arange(a, b) for a, b in zip(low, high)])
        w = kernel((columns - center[rows] + 0.5) / stretch)
        total = np.bincount(rows, w, out)
        return Taps(out, size, rows, columns, w / np.where(total, total, 1)[rows])
    return make


def _area(size, out, corners, step, i):
    low, high = i * size // out, -(-(i + 1) * size // out)
    rows = np.repeat(i, high - low)
    columns = np.concatenate([np.arange(a, b) for a, b in zip(low, high)]) if out else i
    return Taps(out, size, rows, columns, (1 / (high - low))[rows])


_MAKERS = {"nearest": _nearest, "nearest-exact": _nearest_exact, "linear": _linear, "cubic": _cubic, "area": _area,
           "linear-smooth": _smoothed(lambda x: np.maximum(1 - np.abs(x), 0), 1),
           "cubic-smooth": _smoothed(lambda x: keys(x, -0.5), 2), "lanczos-smooth": _smoothed(_lanczos, 3)}


# ---- the op ----------------------------------------------------------------------------------
class Resample(Labelled):
    """The last dimensions brought from the sizes `spatial` to `out`, one after the other.

    `kind` names the interpolation; with `back` it is the transpose.
    """

    kind: str
    spatial: tuple
    out: tuple
    corners: bool = False
    scales: tuple = ()
    back: bool = False
    linear = planned = True
    samples = [S((2, 4), params=("UpsampleLinear1D", "linear", (4,), (7,))),
               S((2, 3, 4), params=("UpsampleNearest2D", "nearest", (3, 4), (6, 3))),
               S((1, 5, 4), params=("UpsampleBicubic2D", "cubic", (5, 4), (3, 6), True)),
               S((1, 5, 4), params=("AdaptiveAvgPool2D", "area", (5, 4), (3, 2))),
               S((0, 3, 2), params=("AdaptiveAvgPool2D", "area", (5, 4), (3, 2), False, (), True)),
               S((1, 3, 2), params=("UpsampleBilinear2DAa", "linear-smooth", (5, 4), (3, 2), False, (), True))]

    def forward(self, x):
        steps = _steps(self, x.dtype == _F64)

        def stepwise(x):
            for taps, axis in steps:
                x = taps.along(x, axis)
            return x
        return by_pieces(stepwise, [x], len(self.out))

    def vjp_x(self, g):
        return Resample(self.label, self.kind, self.spatial, self.out, self.corners, self.scales, not self.back)(g)

    def batch(self, size, dims, values):
        return self(*values)


@lru_cache(512)
def _steps(op, double):
    """(taps, dimension) one after the other: what shrinks first, what grows last, then all is small between."""
    n = len(op.out)
    taps = [taps_of(op.kind, s, o, op.corners, c, double)
            for s, o, c in zip(op.spatial, op.out, op.scales or (0,) * n)]
    steps = [(t.transposed if op.back else t, i - n) for i, t in enumerate(taps)]
    return sorted(steps, key=lambda step: (step[0].out / step[0].size, -step[1]))


# ---- adaptive means --------------------------------------------------------------------------
class Means(Resample):
    """The mean of each of `out` windows."""

    ties = ("x",)
    samples = [S((1, 5, 4), params=("AdaptiveAvgPool2D", "area", (5, 4), (3, 2)))]


class MeanTiles2d(AvgPool2d):
    """The mean of each of equal parts."""

    grad_name = "AdaptiveAvgPool2DBackward0"
    samples = [S((2, 4, 6), params=(Windows((2, 3), (2, 3), (0, 0), (1, 1)), False, 0))]


class MeanTiles3d(AvgPool2d):
    """The mean of each of equal parts of three dimensions."""

    grad_name = "AdaptiveAvgPool3DBackward0"
    samples = [S((4, 2, 6), params=(Windows((2, 1, 3), (2, 1, 3), (0, 0, 0), (1, 1, 1)), False, 0))]


def _make_adaptive(n):
    name = f"adaptive_avg_pool{n}d"

    def adaptive_avg_pool(input, output_size):
        size = _output_size(input, output_size, n, name)
        shape = tuple(input.shape)
        if 0 in shape[-n - (n > 1):][-n:] or dtype_of(input).kind not in "fV":
            _refuse(input, n, name)
        x = m.unsqueeze(input, -2) if n == 1 else input
        full = (1, *size) if n == 1 else size
        if all(s == 1 for s in full):
            y = m.mean(x, tuple(range(-len(full), 0)), keepdim=True)
        else:
            spatial = tuple(x.shape[-len(full):])
            w = tiles(spatial, full)
            y = Means("AdaptiveAvgPool3D" if n == 3 else "AdaptiveAvgPool2D", "area", spatial, full)(x) \
                if w is None else (MeanTiles3d if n == 3 else MeanTiles2d)(w, False, 0)(x)
        return m.squeeze(y, -2) if n == 1 else y
    adaptive_avg_pool.__doc__ = (f"The mean of each of output_size windows that cover the last {n} dimensions.\n\n"
                                 "    Shape: (N, C, *s) or (C, *s) -> (N, C, *output_size); None there keeps s.")
    public("nn.functional torch" if n == 1 else "nn.functional", name=name)(adaptive_avg_pool)


def _refuse(input, n, name):
    if dtype_of(input).kind not in "fV":
        raise not_implemented(f"adaptive_avg_pool{max(n, 2)}d", input)
    dim = list(input.shape).index(0)
    raise error("tensor-empty", RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {dim} being empty"), what="input", fn=f"{name}()",
                why="input has shape {shape}: dimension {dim} is empty, so there is nothing to take the mean of.",
                shape=tuple(input.shape), dim=dim)


def _output_size(input, output_size, n, name):
    ndim = len(input.shape)
    if n == 1 and ndim not in (2, 3):
        raise error("tensor-dims", RuntimeError(
                    f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' (while "
                    f"checking arguments for {name})"), what="input", shape=tuple(input.shape), need="{n} or {m}",
                    n=n + 1, m=n + 2,
                    why="input has shape {shape}; {fn}() takes (N, C, ...) or (C, ...): {n} or {m} dimensions.",
                    fn=name, fix="x.unsqueeze(0) adds a dimension in front, for one example or one channel.")
    if ndim not in (n + 1, n + 2):
        raise error("tensor-dims", RuntimeError(
                    f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input.shape)}"), what="input",
                    shape=tuple(input.shape), need="{n} or {m}", n=n + 1, m=n + 2,
                    why="input has shape {shape}; {fn}() takes (N, C, ...) or (C, ...): {n} or {m} dimensions.",
                    fn=name, fix="x.unsqueeze(0) adds a dimension in front, for one example or one channel.")
    if output_size is None or hasattr(output_size, "__index__"):
        output_size = (output_size,) * n
    size = tuple([input.shape[i - n] if s is None else int(s) for i, s in enumerate(output_size)])
    if len(size) != n:
        raise error("argument-count", RuntimeError(f"{name}: output_size must be {n}"), what="output_size",
                    count=len(size), need="{n}", n=n)
    if min(size) < 0:
        raise error("argument-value", RuntimeError(
                    f"{name}: elements of output_size must be greater than or equal to 0 but received "
                    f"{{{', '.join(map(str, size))}}}"), what="output_size", value=size,
                    must="whole numbers of at least {low}", low=0)
    return size


for _n in (1, 2, 3):
    _make_adaptive(_n)
