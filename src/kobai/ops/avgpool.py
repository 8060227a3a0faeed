"""Average pooling, and the power averages made of it."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .reduce import not_implemented
from .window import Windows, as_image, by_pieces, check_dims, padded, per_dim, plan, windows_of


@lru_cache(256)
def counts(w, spatial, with_padding):
    """How many elements of each window count: a number, or an array where windows at the edges have fewer."""
    n = len(spatial)
    total = np.ones((1,) * n, np.int64)
    for i, (size, k, s, p, out) in enumerate(zip(spatial, w.kernel, w.stride, w.padding, w.out(spatial))):
        start = np.arange(out) * s - p
        end = np.minimum(start + k, size + p)
        inner = np.minimum(end, size) - np.maximum(start, 0)
        total = total * (end - start if with_padding else inner).reshape(-1, *(1,) * (n - 1 - i))
    return int(total.flat[0]) if total.size and (total == total.flat[0]).all() else total


class _Average(Op):
    ties = ("x",)
    windows: Windows
    with_padding: bool  # whether the padding counts
    divisor: int        # instead of what counts, unless 0
    linear = planned = True

    def divide(self, y, spatial):
        """Sums `y` of windows over `spatial` divided by what they count, in place."""
        count = self.divisor or counts(self.windows, spatial, self.with_padding)
        y /= count if isinstance(count, int) else count.astype(y.dtype)
        return y

    def batch(self, size, dims, values):
        return self(*values)


class AvgPool2d(_Average):
    """The mean of each window over the last dimensions: its sum divided by `divisor`, or by what it counts."""

    grad_name = "AvgPool2DBackward0"
    samples = [S((2, 1, 5, 6), params=(Windows((2, 3), (2, 1), (1, 0), (1, 1)), False, 0)),
               S((3, 4, 5), params=(Windows((3, 2), (2, 2), (1, 1), (1, 1), True), True, 0)),
               S((1, 4, 5), params=(Windows((3, 5), (1, 1), (1, 0), (1, 1)), True, 7))]

    def forward(self, x):
        n = len(self.windows.kernel)
        spatial = x.shape[x.ndim - n:]
        plan_ = plan(self.windows, spatial)

        def pool(x):
            y = padded(x, plan_.around, 0)
            for places in plan_.places:
                s = np.add(y[places[0]], y[places[1]]) if len(places) > 1 else np.array(y[places[0]])
                for p in places[2:]:
                    s += y[p]
                y = s
            return self.divide(y, spatial)
        return by_pieces(pool, [x], n)

    def vjp_x(self, g, x_shape):
        n = len(self.windows.kernel)
        return SpreadMean(self.windows, self.with_padding, self.divisor, tuple(x_shape[len(x_shape) - n:]))(g)


class AvgPool3d(AvgPool2d):
    """The mean of each window over the last three dimensions."""

    grad_name = "AvgPool3DBackward0"
    samples = [S((2, 4, 5, 4), params=(Windows((2, 3, 2), (2, 1, 2), (1, 0, 0), (1, 1, 1)), True, 0))]


class SpreadMean(_Average):
    """Each g shared out to the elements of its window: the transpose of AvgPool."""

    spatial: tuple
    grad_name = "AvgPool2DBackwardBackward0"
    samples = [S((2, 1, 4, 4), params=(Windows((2, 3), (2, 1), (1, 0), (1, 1)), False, 0, (6, 6))),
               S((3, 3, 3), params=(Windows((3, 2), (2, 2), (1, 1), (1, 1), True), True, 0, (4, 4)))]

    def forward(self, a):
        n, plan_ = len(self.spatial), plan(self.windows, self.spatial)
        sizes = [s + before + after for s, (before, after) in zip(self.spatial, plan_.around)]

        def spread(a):
            y = self.divide(np.array(a), self.spatial)
            for i in reversed(range(n)):
                axis = y.ndim - n + i
                wide = np.zeros((*y.shape[:axis], sizes[i], *y.shape[axis + 1:]), y.dtype)
                for p in plan_.places[i]:
                    wide[p] += y
                y = wide
            return y[plan_.inside]
        return by_pieces(spread, [a], n)

    def vjp_a(self, g):
        return AvgPool2d(self.windows, self.with_padding, self.divisor)(g)


# ---- the public functions --------------------------------------------------------------------
def _check_shape(shape, n, fn):
    ndim = len(shape)
    if n == 1 and ndim not in (2, 3):
        raise error("tensor-dims", RuntimeError(
            f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' (while checking "
            f"arguments for {fn})"), what="input", shape=shape, need="{n} or {m}", n=2, m=3,
            fix="the input is (batch, channels, length) or (channels, length); x.unsqueeze(0) adds a dimension in "
                "front.")
    if n == 2 and ndim < 3:
        raise error("tensor-dims", IndexError(
            f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got -3)"), what="input",
            shape=shape, need="{n} or {m}", n=3, m=4,
            fix="images are (batch, channels, height, width) or (channels, height, width); x.unsqueeze(0) adds a "
                "dimension in front.")
    check_dims(shape, n, "non-empty 4D or 5D (batch mode) tensor expected for input" if n == 3 else
               f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
               f"got:{list(shape)}")


def _avg_pool(input, n, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    given = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    try:
        op = _op(n, tuple(input.shape), *given)
    except TypeError:  # lists
        op = _op(n, tuple(input.shape), *[tuple(v) if isinstance(v, list) else v for v in given])
    if dtype_of(input).kind not in "fV":
        return _integers(input, n, op)
    return op(input) if n > 1 else m.squeeze(op(m.unsqueeze(input, -2)), -2)


@lru_cache(1024)
def _op(n, shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The op for an input of this shape, once all arguments are known to be good."""
    name = f"avg_pool{n}d"
    _check_shape(shape, n, name)
    if divisor_override == 0:
        raise error("argument-value", RuntimeError("divisor must be not zero"), what="divisor_override",
                    value=divisor_override, must="a number other than 0",
                    fix="give another number, or leave out divisor_override to divide by the number of elements in "
                        "the window.")
    if n == 3:
        _check_room(shape, kernel_size, padding, name)
    w = windows_of(shape, name, n, kernel_size, stride, padding, 1, ceil_mode)
    return (AvgPool3d if n == 3 else AvgPool2d)(as_image(w) if n == 1 else w, bool(count_include_pad),
                                               int(divisor_override or 0))


def _check_room(shape, kernel_size, padding, fn):
    kernel, pad = per_dim(kernel_size, 3, fn, "kernel_size"), per_dim(padding, 3, fn, "padding")
    if any(s + 2 * p < k for s, k, p in zip(shape[-3:], kernel, pad)):
        sizes = [f"{a}: {s}" for a, s in zip("THW", shape[-3:])]
        raise error("dimension-size", RuntimeError(
            f"input image ({' '.join(sizes)}) smaller than kernel size (kT: {kernel[0]} kH: {kernel[1]} kW: {kernel[2]}"
            ")"), have=tuple(shape[-3:]), window=tuple(kernel), pads=tuple(pad),
            why="windows of {window} elements do not fit into the input, which is {have} with a padding of {pads}.",
            fix="give a smaller kernel_size or a larger padding, or pool (or stride) less before.")


def _integers(input, n, op):
    """Averages of integers, rounded towards zero as in C."""
    if dtype_of(input).kind not in "iu":
        raise not_implemented("avg_pool3d_out_frame" if n == 3 else "avg_pool2d", input)
    x = m.cast(input, np.dtype(np.float64))
    return m.cast(op(x) if n > 1 else m.squeeze(op(m.unsqueeze(x, -2)), -2), dtype_of(input))


def _make_avg_pool(n):
    name = f"avg_pool{n}d"

    def avg_pool(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None):
        return _avg_pool(input, n, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    avg_pool.__doc__ = (f"The mean of each window over the last {n} dimensions.\n\n    Shape: (N, C, *s) or (C, *s) -> "
                        "(N, C, *t), t = (s + 2 padding - kernel_size) / stride + 1, rounded\n    down, or up with "
                        "`ceil_mode`. `count_include_pad=False` leaves the padding out of the mean.")
    public("nn.functional torch" if n == 1 else "nn.functional", name=name)(avg_pool)


def _make_lp_pool(n):
    name = f"lp_pool{n}d"

    def lp_pool(input, norm_type, kernel_size, stride=None, ceil_mode=False):
        kernel = per_dim(kernel_size, n, name, "kernel_size")
        if norm_type in (float("inf"), -float("inf")):
            pool, size = getattr(m, f"max_pool{n}d"), m.abs(input)
            if norm_type > 0:
                return pool(size, kernel_size, stride, 0, 1, ceil_mode)
            return -pool(-size, kernel_size, stride, 0, 1, ceil_mode)
        mean = _avg_pool(m.pow(input, norm_type), n, kernel_size, stride, 0, ceil_mode, True, None)
        return m.pow(m.sign(mean) * m.relu(m.abs(mean)) * int(np.prod(kernel)), 1.0 / norm_type)
    lp_pool.__doc__ = (f"(sum of x ** norm_type) ** (1 / norm_type) over each window of the last {n} dimensions.\n\n"
                       "    Shape: (N, C, *s) -> (N, C, *t).")
    public("nn.functional", name=name)(lp_pool)


for _n in (1, 2, 3):
    _make_avg_pool(_n)
    _make_lp_pool(_n)
