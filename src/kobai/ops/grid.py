"""Images looked up between their pixels: affine_grid says where, grid_sample what is there."""
from __future__ import annotations

import warnings
from itertools import product

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import Ints, S
from .index import add_rows


class TakePixels(Op):
    """The pixels of x (N, C, S) at positions (N, P), the same for all channels: (N, C, P)."""

    linear = moves = planned = True
    samples = [S((2, 3, 4), Ints((2, 5), 4)), S((1, 2, 4), Ints((1, 0), 4))]

    def forward(self, x, index):
        y = np.empty((*x.shape[:2], index.shape[1]), x.dtype)
        for i in range(len(x)):
            np.take(x[i], index[i], 1, y[i], "clip")
        return y

    def vjp_x(self, g, index, x_shape):
        return AddPixels(x_shape[2])(g, index)


class AddPixels(Op):
    """Zeros (N, C, size) with x (N, C, P) added at positions (N, P): the transpose of TakePixels."""

    size: int
    linear = planned = True
    samples = [S((2, 3, 5), Ints((2, 5), 4), params=(4,))]

    def forward(self, x, index):
        y = np.zeros((x.shape[0], self.size, x.shape[1]), x.dtype)
        for i in range(len(x)):
            add_rows(y[i], index[i], np.ascontiguousarray(x[i].T))
        return np.ascontiguousarray(y.swapaxes(1, 2))

    def vjp_x(self, g, index):
        return TakePixels()(g, index)


# ---- positions and weights -------------------------------------------------------------------
def _reflected(x, low, high):
    """Positions mirrored at `low` and `high` until they lie between, and the sign of the derivative."""
    span = high - low
    if span == 0:
        return x * 0, x * 0
    x = x - low
    sign = m.sign(x) + m.cast(m.eq(x, 0), dtype_of(x))
    x = m.abs(x)
    flips = m.floor(x / span)
    rest = x - flips * span
    even = m.eq(flips - 2 * m.floor(flips / 2), 0)
    return m.where(even, rest + low, span - rest + low), sign * (m.cast(even, dtype_of(x)) * 2 - 1)


def _clipped(x, size):
    """Positions between 0 and size - 1; NaN becomes 0, as in PyTorch."""
    return m.where(m.gt(x, 0), m.clamp(x, None, size - 1), 0.0)


def _pixels(u, size, corners, padding, clip=True):
    """Positions in pixels of coordinates u in [-1, 1], and their derivative by u."""
    x = (u + 1) * ((size - 1) / 2) if corners else ((u + 1) * size - 1) / 2
    slope = (size - 1) / 2 if corners else size / 2
    if padding == "reflection" and clip:
        x, sign = _reflected(x, 0.0 if corners else -0.5, float(size - 1) if corners else size - 0.5)
        slope = sign * slope
    if padding != "zeros" and clip:
        inside = m.logical_and(m.gt(x, 0), m.lt(x, size - 1))
        x, slope = _clipped(x, size), m.cast(inside, dtype_of(u)) * slope
    return x, slope


def _cubic(t):
    """The weights of the four pixels around, and their derivatives (Keys 1981, a = -0.75)."""
    a = -0.75
    near, far = t, t + 1
    weights, slopes = [], []
    for x, sign, outer in ((far, 1, True), (near, 1, False), (1 - t, -1, False), (2 - t, -1, True)):
        if outer:
            weights.append(((x - 5) * x + 8) * x * a - 4 * a)
            slopes.append(((3 * x - 10) * x + 8) * a * sign)
        else:
            weights.append(((a + 2) * x - (a + 3)) * x * x + 1)
            slopes.append((3 * (a + 2) * x - 2 * (a + 3)) * x * sign)
    return weights, slopes


def _taps(u, size, mode, corners, padding):
    """[(pixel, weight, derivative of the weight by u)] along one dimension."""
    x, slope = _pixels(u, size, corners, padding, mode != "bicubic")
    if mode == "nearest":
        return [(m.round(x), m.zeros_like(x) + 1, m.zeros_like(x))]
    low = m.floor(x)
    part = x - low
    if mode == "bicubic":
        weights, slopes = _cubic(part)
        pixels = [low + k for k in (-1, 0, 1, 2)]
        if padding != "zeros":  # each of the four pixels for itself
            ends = (0.0, float(size - 1)) if corners else (-0.5, size - 0.5)
            if padding == "reflection":
                pixels = [_reflected(p, *ends)[0] for p in pixels]
            pixels = [_clipped(p, size) for p in pixels]
        return [(p, w, s * slope) for p, w, s in zip(pixels, weights, slopes)]
    return [(low, 1 - part, -slope + part * 0), (low + 1, part, slope + part * 0)]


class GridSampler2D(Op):
    """x (N, C, *sizes) at coordinates (N, *out, n) in [-1, 1], the last dimension's coordinate first."""

    mode: str
    padding: str
    corners: bool
    samples = [S((2, 2, 3, 4), (2, 2, 3, 2), params=("bilinear", "zeros", False), low=-0.9, high=0.85),
               S((1, 2, 3, 4), (1, 5, 1, 2), params=("bilinear", "border", True), low=-1.4, high=1.4),
               S((1, 2, 3, 4), (1, 2, 2, 2), params=("bicubic", "reflection", False), low=-1.2, high=1.2),
               S((1, 2, 3, 4), (1, 2, 2, 2), params=("nearest", "zeros", False), low=-0.6, high=0.6)]

    def forward(self, x, grid):
        return self._sampled(x, grid)

    def _sampled(self, x, grid):
        flat = m.reshape(x, (*x.shape[:2], _count(x.shape[2:])))
        y = 0
        for index, weight, _ in self._corners(x.shape, grid):
            y = y + TakePixels()(flat, index) * m.unsqueeze(weight, 1)
        return m.reshape(y, (*x.shape[:2], *grid.shape[1:-1]))

    def lower(self, x, grid):
        if x.dtype != grid.dtype or x.dtype.char not in "fd" or 0 in (*x.shape, *grid.shape):
            return None
        return self._sampled(x, grid)

    def vjp(self, g, x, grid, needs):
        shape, out = tuple(x.shape), tuple(grid.shape[1:-1])
        flat, g = m.reshape(x, (*shape[:2], _count(shape[2:]))), m.reshape(g, (*shape[:2], _count(out)))
        g_x, g_grid = None, [0] * len(out)
        for index, weight, slopes in self._corners(shape, grid):
            if needs[0]:
                one = AddPixels(flat.shape[2])(g * m.unsqueeze(weight, 1), index)
                g_x = one if g_x is None else g_x + one
            if len(needs) > 1 and needs[1]:
                of_weight = m.sum(g * TakePixels()(flat, index), 1)
                g_grid = [total + of_weight * s for total, s in zip(g_grid, slopes)]
        g_x = None if g_x is None else m.reshape(g_x, shape)
        if len(needs) < 2 or not needs[1]:
            return g_x, None
        return g_x, m.reshape(m.stack(g_grid[::-1], -1), tuple(grid.shape))

    def _corners(self, shape, grid):
        """(positions, weight, derivatives of the weight by each dimension's coordinate) of all pixels around."""
        sizes, n = shape[2:], len(shape) - 2
        flat = m.reshape(grid, (shape[0], _count(grid.shape[1:-1]), n))
        taps = [_taps(m.select(flat, 2, n - 1 - d), s, self.mode, self.corners, self.padding)
                for d, s in enumerate(sizes)]
        for corner in product(*taps):
            index, there = 0, None
            for (pixel, _, _), s in zip(corner, sizes):
                ok = m.logical_and(m.ge(pixel, 0), m.le(pixel, s - 1))
                there = ok if there is None else m.logical_and(there, ok)
                index = index * s + m.cast(m.where(ok, pixel, 0.0), np.dtype(np.int64))
            there = m.cast(there, dtype_of(grid))
            weight, slopes = there, []
            for d, (_, w, _) in enumerate(corner):
                slope = there * corner[d][2]
                for e, (_, other, _) in enumerate(corner):
                    slope = slope * other if e != d else slope
                slopes.append(slope)
                weight = weight * w
            yield index, weight, slopes


class GridSampler3D(GridSampler2D):
    """Volumes at coordinates."""

    samples = [S((1, 2, 3, 2, 4), (1, 2, 1, 2, 3), params=("bilinear", "zeros", True), low=-0.9, high=0.9)]


def _count(shape):
    n = 1
    for s in shape:
        n *= s
    return n


class AffineGridGenerator(Op):
    """The coordinates in [-1, 1] of the pixels of `spatial`, mapped by theta (N, n, n + 1): (N, *spatial, n)."""

    spatial: tuple
    corners: bool
    linear = True
    samples = [S((2, 2, 3), params=((3, 4), True)), S((1, 3, 4), params=((2, 3, 1), False))]

    def base(self, dtype):
        """(pixels, n + 1): the coordinates before, the last dimension's first, and 1."""
        lines = []
        for s in self.spatial:
            line = np.linspace(-1, 1, s, dtype=dtype) if s > 1 else np.zeros(1, dtype)
            lines.append(line if self.corners else line * dtype.type((s - 1) / s))
        grids = np.meshgrid(*lines, indexing="ij")[::-1]
        return np.stack([*[g.reshape(-1) for g in grids], np.ones(_count(self.spatial), dtype)], -1)

    def forward(self, theta):
        y = np.matmul(self.base(theta.dtype), theta.swapaxes(1, 2))
        return y.reshape(len(theta), *self.spatial, theta.shape[1])

    def lower(self, theta):
        if theta.dtype.char not in "fd" or 0 in (*theta.shape, *self.spatial):
            return None
        base = self.base(theta.dtype)
        y = m.matmul(np.broadcast_to(base, (theta.shape[0], *base.shape)), m.swap(theta))
        return m.reshape(y, (theta.shape[0], *self.spatial, theta.shape[1]))

    def vjp_theta(self, g):
        flat = m.reshape(g, (g.shape[0], _count(self.spatial), g.shape[-1]))
        base = self.base(dtype_of(g))
        return m.matmul(m.swap(flat), np.broadcast_to(base, (g.shape[0], *base.shape)))


# ---- the public functions --------------------------------------------------------------------
@public("nn.functional")
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """`input` at the coordinates `grid`: -1 and 1 are the edges of the image, or the middles of the outermost pixels.

    Args: `mode` is bilinear, nearest or bicubic; outside there are zeros, or what `padding_mode` says:
    the border, or a reflection.

    Shape: input (N, C, H, W), grid (N, Ho, Wo, 2) of (x, y) -> (N, C, Ho, Wo); volumes likewise.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise error("argument-choice", ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"),
            what="mode", value=mode, choices=["bilinear", "nearest", "bicubic"])
    if padding_mode not in ("zeros", "border", "reflection"):
        raise error("argument-choice", ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '"
            f"{padding_mode}'"), what="padding_mode", value=padding_mode, choices=["zeros", "border", "reflection"])
    if align_corners is None:
        _warn_corners()
    _check_grid(input, grid, mode)
    op = GridSampler2D if len(input.shape) == 4 else GridSampler3D
    return op(mode, padding_mode, bool(align_corners))(input, grid)


def _warn_corners():
    warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
                  "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
                  "details.", stacklevel=4)


def _check_grid(input, grid, mode):
    shape, where = list(input.shape), list(grid.shape)
    n = len(shape) - 2
    text = f"expected grid and input to have same batch size, but got input with sizes {shape} and grid with sizes {where}" \
        if shape[:1] != where[:1] else \
        f"expected grid to have size {n} in last dimension, but got grid with sizes {where}" if where[-1] != n else \
        f"expected {4 if n == 2 else 5}D input and grid with same number of dimensions, but got input with sizes {shape} " \
        f"and grid with sizes {where}"
    if n not in (2, 3) or len(where) != len(shape):
        raise error("tensor-dims", RuntimeError("grid_sampler(): " + text), shape=tuple(shape),
                    other_shape=tuple(where),
                    why="input has shape {shape} and grid {other_shape}; both need 4 dimensions for images, 5 for volumes.",
                    fix="x.unsqueeze(0) adds the batch in front.")
    if shape[0] != where[0]:
        raise error("shapes-differ", RuntimeError("grid_sampler(): " + text), what="input", shape=tuple(shape),
                    other="grid", other_shape=tuple(where), must="dimension 0, the batch, must be equal")
    if where[-1] != n:
        raise error("dimension-size", RuntimeError("grid_sampler(): " + text), what="grid", dim=len(where) - 1,
                    size=where[-1], n=n, must="{n}, the coordinates of a point")
    if 0 in shape[2:]:
        raise error("tensor-empty", RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {shape} with "
            f"dimension {shape.index(0, 2)} being empty"), what="input", fn="grid_sample()")
    if mode == "bicubic" and n == 3:
        raise error("argument-choice", RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input"),
                    shape=tuple(shape),
                    why="mode='bicubic' is for images, and the input of shape {shape} holds volumes.",
                    fix="use mode='bilinear' or mode='nearest'.")
    if dtype_of(input) != dtype_of(grid):
        raise error("dtypes-differ", RuntimeError(
            f"expected scalar type {type_word(input)} but found {type_word(grid)}"), what="input",
            dtype=dtype_of(input), other="grid", other_dtype=dtype_of(grid))


@public("nn.functional", name="affine_grid")
def _affine_grid(theta, size, align_corners=None):
    """Coordinates for `grid_sample` of an image of `size`, moved by the affine maps `theta`.

    Shape: theta (N, 2, 3), size (N, C, H, W) -> (N, H, W, 2); for volumes (N, 3, 4) -> (N, D, H, W, 3).
    """
    if align_corners is None:
        _warn_corners()
    size, shape = tuple([int(s) for s in size]), tuple(theta.shape)
    if dtype_of(theta).kind not in "fV":
        raise error("tensor-dtype", ValueError(
            f"Expected theta to have floating point type, but got torch.{dtype_of(theta)}"), what="theta",
            dtype=dtype_of(theta), fn="affine_grid()", must="floating point numbers",
            fix="convert it first: {what}.float().")
    n = len(size) - 2
    if n not in (2, 3):
        raise error("argument-count", NotImplementedError(
            f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size {size}"
            "."), what="size", count=len(size), need="{n} or {m}", n=4, m=5,
            fix="give (N, C, H, W) for images, (N, C, D, H, W) for volumes.")
    if len(shape) != 3 or shape[1:] != (n, n + 1):
        raise error("tensor-shape", ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."),
            shape=shape, size=size, n=n, m=n + 1,
            why="theta has shape {shape}; for size={size} it holds a matrix of {n} rows and {m} columns for each "
                "sample.", fix="give theta of shape (batch, {n}, {m}); theta.unsqueeze(0) makes a batch of one matrix.")
    if min(size) <= 0:
        raise error("argument-value", ValueError(f"Expected non-zero, positive output size. Got {size}"), what="size",
                    value=size, must="positive whole numbers")
    return AffineGridGenerator(size[2:], bool(align_corners))(theta)
