"""Pooling into a given number of windows: adaptive ones, which cover the input evenly, and random ones."""
from __future__ import annotations

import numpy as np

from .. import random as sampler
from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .maxpool import MaxPool2d
from .reduce import not_implemented
from .unpool import PickAt
from .window import Windows, check_dims, per_dim, tiles


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


class RandomWindows(Op):
    """For each example and channel of x, n uniform random numbers."""

    n: int
    random = True
    samples = [S((0, 2, 4, 4), params=(2,), smooth=False)]

    def forward(self, x):
        batch = x.shape[0] if x.ndim == self.n + 2 else 1
        return sampler.uniform((batch, x.shape[-self.n - 1], self.n), x.dtype)


class FractionalMaxIndices(Op):
    """Where the largest values of random windows are (Graham 2014): `out` windows of `kernel` along each dimension.

    `samples` (*lead, n) in [0, 1) say for each row where its windows begin; two-dimensional windows
    take them for the last dimension first.
    """

    kernel: tuple
    out: tuple
    samples = [S((2, 5, 6), np.array([[0.3, 0.6], [0.9, 0.1]]), params=((2, 3), (3, 2)), smooth=False)]

    def forward(self, x, u):
        n = len(self.out)
        spatial, lead = x.shape[x.ndim - n:], x.shape[:x.ndim - n]
        rows = int(np.prod(lead))
        flat, u = x.reshape(rows, int(np.prod(spatial))), u.reshape(-1, n)[:rows]
        first, weight = 0, 1
        for i in reversed(range(n)):
            start = fractional_starts(u[:, n - 1 - i if n == 2 else i], spatial[i], self.out[i], self.kernel[i])
            first = first + weight * start.reshape(rows, *(1,) * i, self.out[i], *(1,) * (n - 1 - i))
            weight *= spatial[i]
        best = where = None
        for offset in np.ndindex(*self.kernel):
            at = first + int(np.ravel_multi_index(offset, spatial))
            v = np.take_along_axis(flat, at.reshape(rows, int(np.prod(self.out))), 1).reshape(at.shape)
            if best is None:
                best, where = v, at
            else:
                better = (v > best) | (v != v)
                best, where = np.where(better, v, best), np.where(better, at, where)
        return where.reshape(*lead, *self.out)


def fractional_starts(u, size, out, kernel):
    """Where windows begin, for each u: steps of about (size - kernel) / (out - 1), the last at the end."""
    last = np.full((len(u), 1), size - kernel)
    if out == 1:
        return last
    step = u.dtype.type(size - kernel) / u.dtype.type(out - 1)
    i = np.arange(out - 1, dtype=u.dtype)
    starts = ((i + u[:, None]) * step).astype(np.int64) - (u[:, None] * step).astype(np.int64)
    return np.concatenate([starts, last], 1)


# ---- the public functions --------------------------------------------------------------------
def _make_fractional(n):
    name = f"fractional_max_pool{n}d"

    def fractional(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                   _random_samples=None):
        kernel = per_dim(kernel_size, n, name, "kernel_size")
        check_dims(input.shape, n, f"{name}: Expected {n + 1}D or {n + 2}D tensor, but got: {list(input.shape)}")
        out = _fractional_size(input, output_size, output_ratio, n, name)
        for word, s, o, k in zip(("time", "height", "width")[3 - n:], input.shape[-n:], out, kernel):
            if o + k - 1 > s - (n == 3):
                raise error("dimension-size", RuntimeError(
                    f"{name}{'_out' * (n == 3)}(): pool {word} {k} too large relative to input {word} {s}"), count=o,
                    window=k, needed=o + k - 1 + (n == 3), word=word, size=s,
                    why="{count} windows of {window} elements need {needed} elements, and the {word} of the input is "
                        "{size}.", fix="give a smaller kernel_size or output_size, or a larger input.")
        if _random_samples is None:
            _random_samples = RandomWindows(n)(input)
        index = FractionalMaxIndices(kernel, out)(input, _random_samples)
        y = (PickFractional if n == 2 else PickFractional3d)(n)(input, index)
        return (y, index) if return_indices else y

    def with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=True,
                     _random_samples=None):
        return fractional(input, kernel_size, output_size, output_ratio, True, _random_samples)
    fractional.__doc__ = (f"The largest values of windows at random places of the last {n} dimensions (Graham 2014).\n"
                          "\n    Shape: (N, C, *s) -> (N, C, *output_size), or output_ratio times s.")
    with_indices.__doc__ = f"`{name}` and where the values were."
    public("nn.functional", name=name)(fractional)
    public("nn.functional", name=name + "_with_indices")(with_indices)


def _fractional_size(input, size, ratio, n, name):
    if size is None and ratio is None:
        raise error("argument-missing", ValueError(
            f"{name} requires specifying either an output_size or an output_ratio"),
            why="neither output_size nor output_ratio was given; one of them says how large the result is.",
            fix="give output_size, the size of the result, or output_ratio, its part of the input's size.")
    if size is not None:
        return per_dim(size, n, name, "output_size")
    ratio = (ratio,) * n if isinstance(ratio, (int, float)) else tuple(ratio)
    return tuple([int(s * r) for s, r in zip(input.shape[-n:], ratio)])


def _spatial(output_size, input, n):
    """Sizes of an adaptive result: None keeps the input's."""
    if output_size is None or hasattr(output_size, "__index__"):
        output_size = (output_size,) * n
    return [input.shape[i - n] if s is None else int(s) for i, s in enumerate(output_size)]


def _make_adaptive(n):
    name = f"adaptive_max_pool{n}d"

    def adaptive(input, output_size, return_indices=False):
        out = tuple(_spatial(output_size, input, n))
        if len(out) != n:
            raise error("argument-count", RuntimeError(
                f"{name}(): internal error: output_size.size() must be {n}" if n > 1 else
                f"{name}() argument 'output_size' should contain one int (got {len(out)})"), what="output_size",
                count=len(out), need="{n}", n=n)
        check_dims(input.shape, n, f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(input.shape)}" if n > 1
                   else f"Expected 2 to 3 dimensions, but got {len(input.shape)}-dimensional tensor for argument #1 'self' "
                   f"(while checking arguments for {name})")
        if min(out) < 0:
            made = [*input.shape[:-n], *(1,) * (n == 1), *out]
            raise error("size-negative", shape=str(made), least=min(out))
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
        def with_both(input, output_size):
            return adaptive(input, output_size, True)
        with_both.__doc__ = with_indices.__doc__
        public("torch", name=name)(with_both)


for _n in (1, 2, 3):
    _make_adaptive(_n)
for _n in (2, 3):
    _make_fractional(_n)
