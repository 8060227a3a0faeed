"""Pooling into a given number of windows: adaptive ones, which cover the input evenly, and random ones."""
from __future__ import annotations

import numpy as np

from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .maxpool import MaxPool2d
from .reduce import not_implemented
from .unpool import PickAt
from .window import Windows, check_dims, tiles


class PickAt3d(PickAt):
    """The elements of x at positions in three dimensions."""

    grad_name = "AdaptiveMaxPool3DBackward0"


class PickFractional(PickAt):
    """The elements of x at the largest values of random windows."""

    grad_name = "FractionalMaxPool2DBackward0"


class PickFractional3d(PickAt):
    """The elements of x at the largest values of random windows in three dimensions."""

    grad_name = "FractionalMaxPool3DBackward0"


class MaxTiles2d(MaxPool2d):
    """The largest value of each of equal parts."""

    grad_name = "AdaptiveMaxPool2DBackward0"
    samples = [S((2, 4, 6), params=(Windows((2, 3), (2, 3), (0, 0), (1, 1)),))]


class MaxTiles3d(MaxPool2d):
    """The largest value of each of equal parts of three dimensions."""

    grad_name = "AdaptiveMaxPool3DBackward0"
    samples = [S((4, 2, 6), params=(Windows((2, 1, 3), (2, 1, 3), (0, 0, 0), (1, 1, 1)),))]


class AdaptiveMaxIndices(Op):
    """Where the largest value of each of `out` windows is that together cover the last dimensions."""

    out: tuple
    samples = [S((2, 5, 4), params=((3, 2),), smooth=False), S((2, 2, 3), params=((4, 3),), smooth=False)]

    def forward(self, x):
        n = len(self.out)
        spatial, index = x.shape[x.ndim - n:], None
        for i in reversed(range(n)):
            x, index = self._narrow(x, index, i, spatial)
        return np.array(np.broadcast_to(index, x.shape))

    def _narrow(self, x, index, i, spatial):
        n = len(spatial)
        axis, weight = x.ndim - n + i, int(np.prod(spatial[i + 1:]))
        start, end = adaptive_bounds(spatial[i], self.out[i])
        y = where = None
        for o in range(int((end - start).max(initial=0))):
            at = np.minimum(start + o, end - 1)  # the last one again where a window is shorter: never better
            v = np.take(x, at, axis)
            place = (at * weight).reshape(-1, *(1,) * (n - 1 - i))
            if index is not None:
                place = place + np.take(index, at, axis)
            if y is None:
                y, where = v, np.broadcast_to(place, v.shape)
                continue
            better = (v > y) | (v != v)
            y, where = np.where(better, v, y), np.where(better, place, where)
        if y is None:  # no windows
            y = np.take(x, start, axis)
            where = np.zeros(y.shape, np.int64)
        return y, where

    def batch(self, size, dims, values):
        return self(*values)


def adaptive_bounds(n, out):
    """First and last + 1 of `out` windows that cover n elements evenly."""
    i = np.arange(out)
    return i * n // max(out, 1), -(-(i + 1) * n // max(out, 1))


# ---- the public functions --------------------------------------------------------------------
def _spatial(output_size, input, n, fn):
    """Sizes of an adaptive result: None keeps the input's."""
    if output_size is None or hasattr(output_size, "__index__"):
        output_size = (output_size,) * n
    return [input.shape[i - n] if s is None else int(s) for i, s in enumerate(output_size)]


def _make_adaptive(n):
    name = f"adaptive_max_pool{n}d"

    def adaptive(input, output_size, return_indices=False):
        out = tuple(_spatial(output_size, input, n, name))
        if len(out) != n:
            raise RuntimeError(f"{name}(): internal error: output_size.size() must be {n}")
        check_dims(input.shape, n, f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(input.shape)}")
        if dtype_of(input).kind not in "fV":
            raise not_implemented(f"adaptive_max_pool{max(n, 2)}d", input)
        x = m.unsqueeze(input, -2) if n == 1 else input
        shape = (1, *out) if n == 1 else out
        w = tiles(tuple(x.shape[-len(shape):]), shape)
        index = AdaptiveMaxIndices(shape)(x) if return_indices or w is None else None
        y = (PickAt3d if n == 3 else PickAt)(len(shape))(x, index) if w is None else (
            MaxTiles3d if n == 3 else MaxTiles2d)(w)(x)
        if n == 1:
            y = m.squeeze(y, -2)
            index = index if index is None else m.squeeze(index, -2)
        return (y, index) if return_indices else y

    def with_indices(input, output_size, return_indices=True):
        return adaptive(input, output_size, True)
    adaptive.__doc__ = (f"The largest value of each of output_size windows that cover the last {n} dimensions.\n\n"
                        "    Shape: (N, C, *s) -> (N, C, *output_size); None in output_size keeps s.")
    with_indices.__doc__ = f"`{name}` and where the values were."
    public("nn.functional", name=name)(adaptive)
    public("nn.functional torch" if n == 1 else "nn.functional", name=name + "_with_indices")(with_indices)
    if n == 1:
        public("torch", name="adaptive_max_pool1d")(lambda input, output_size: adaptive(input, output_size, True))


for _n in (1, 2, 3):
    _make_adaptive(_n)
