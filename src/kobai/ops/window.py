"""Sliding windows over the last dimensions: sizes, places, and the checks that all pooling shares."""
from __future__ import annotations

from functools import lru_cache
from operator import index
from typing import NamedTuple

import numpy as np

from ..diagnose import error

PIECE = 1 << 17  # elements worked on at a time: they and what is made of them stay in the cache


class Windows(NamedTuple):
    """Windows over n dimensions: each field has one number for each of them.

    With `ceil` the last window may hang over the end, if it starts before that.
    """

    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    ceil: bool = False

    def out(self, spatial):
        """How many windows there are along each dimension."""
        return tuple([self._count(*v) for v in zip(spatial, self.kernel, self.stride, self.padding, self.dilation)])

    def _count(self, n, k, s, p, d):
        room = n + 2 * p - d * (k - 1) - 1
        if not self.ceil:
            return room // s + 1
        count = -(-room // s) + 1
        return count - 1 if (count - 1) * s >= n + p else count

    def around(self, spatial):
        """(before, after) for each dimension: how much must be added for all windows to lie inside."""
        ends = [(o - 1) * s + d * (k - 1) + 1
                for o, k, s, d in zip(self.out(spatial), self.kernel, self.stride, self.dilation)]
        return [(p, max(0, e - n - p)) for p, e, n in zip(self.padding, ends, spatial)]

    def places(self, i, count):
        """Indices of the first, second, ... element of all `count` windows along the i-th dimension."""
        tail = (slice(None),) * (len(self.kernel) - 1 - i)
        s, d = self.stride[i], self.dilation[i]
        return [(Ellipsis, slice(o * d, o * d + s * (count - 1) + 1, s), *tail) for o in range(self.kernel[i])]


class Plan(NamedTuple):
    """Windows over dimensions of known sizes."""

    out: tuple      # how many windows there are
    around: list    # (before, after) of each dimension
    places: list    # of each dimension
    apart: list     # whether no two windows overlap in this dimension
    inside: tuple   # the index of the input in the padded input


@lru_cache(1024)
def plan(w, spatial):
    """The Plan of windows over dimensions of sizes `spatial`."""
    out, around = w.out(spatial), w.around(spatial)
    return Plan(out, around, [w.places(i, n) for i, n in enumerate(out)],
                [s > d * (k - 1) for k, s, d in zip(w.kernel, w.stride, w.dilation)], inside(around, spatial))


def padded(x, around, fill):
    """`x` with `fill` around its last dimensions; itself if there is nothing to add."""
    if not any(a or b for a, b in around):
        return x
    lead, spatial = x.shape[:x.ndim - len(around)], x.shape[x.ndim - len(around):]
    y = np.full((*lead, *[n + a + b for n, (a, b) in zip(spatial, around)]), fill, x.dtype)
    y[inside(around, spatial)] = x
    return y


def inside(around, spatial):
    """The index of what `padded` was given in what it made."""
    return (Ellipsis, *[slice(a, a + n) for (a, _), n in zip(around, spatial)])


def by_pieces(fn, arrays, n):
    """fn(*arrays) for functions of the last n dimensions: a few rows of the others at a time."""
    x = arrays[0]
    if x.size <= PIECE:
        return fn(*arrays)
    lead = x.shape[:x.ndim - n]
    rows = int(np.prod(lead))
    if rows < 2:
        return fn(*arrays)
    flat = [a.reshape(rows, *a.shape[len(lead):]) for a in arrays]
    step = max(1, PIECE * rows // x.size)
    first = fn(*[a[:step] for a in flat])
    y = np.empty((rows, *first.shape[1:]), first.dtype)
    y[:step] = first
    for i in range(step, rows, step):
        y[i:i + step] = fn(*[a[i:i + step] for a in flat])
    return y.reshape(*lead, *y.shape[1:])


# ---- arguments -------------------------------------------------------------------------------
_WORDS = {1: "one int", 2: "two ints", 3: "three ints"}


def per_dim(v, n, fn, name):
    """One number for all n dimensions, or a tuple of them, as a tuple of n ints."""
    if v.__class__ is int:
        return (v,) * n
    if hasattr(v, "__index__") and not isinstance(v, (tuple, list, bool)):
        return (int(v),) * n
    if isinstance(v, (float, str, bool)) or not hasattr(v, "__iter__"):
        raise _no_ints(v, n, fn, name)
    try:
        v = tuple(map(index, v))
    except TypeError:
        raise _no_ints(v, n, fn, name) from None
    if len(v) == 1:
        return v * n
    if len(v) != n:
        raise error("argument-count", RuntimeError(
                    f"{fn}: {name} must either be a single int, or a tuple of {_WORDS[n]}"), what=name, count=len(v),
                    need="{n} or {m}", n=1, m=n,
                    why="{what} is {value}, {count} numbers; there is one for each of the {m} dimensions of a "
                        "window, or one for all.", value=v, fix="write one whole number, or a tuple of {m}.")
    return v


_POSITIONS = {"im2col": ("kernel_size", "dilation", "padding", "stride"),
              "col2im": ("output_size", "kernel_size", "dilation", "padding", "stride")}


def _no_ints(v, n, fn, name):
    """PyTorch's error for an argument that is neither a whole number nor a tuple of them."""
    names = _POSITIONS.get(fn, ("kernel_size", "stride", "padding", "dilation"))
    place = f" (position {names.index(name) + 2})" if name in names else ""
    bad, kind = 0, type(v)
    if isinstance(v, (tuple, list)):
        bad = next(i for i, e in enumerate(v) if not hasattr(e, "__index__"))
        kind = type(v[bad])
    if bad:
        words = f"argument '{name}' failed to unpack the object at pos {bad + 1} with error \"type must be tuple of " \
                f"ints,but got {kind.__name__}\""
    elif isinstance(v, (tuple, list)) or fn in _POSITIONS:
        words = f"argument '{name}'{place} must be tuple of ints, but found element of type {kind.__name__} at pos 0"
    else:
        words = f"argument '{name}'{place} must be tuple of ints, not {kind.__name__}"
    return error("argument-type", TypeError(f"{fn}(): {words}"), what=name, kind=kind, n=n,
                 must="a whole number, or a tuple of {n} of them",
                 why="{what} has to be a whole number, or a tuple of {n} of them; a value of type {kind} was found.",
                 fix="sizes count elements: divide with a // b, or convert with int(a).")


def windows_of(shape, fn, n, kernel_size, stride, padding, dilation, ceil_mode):
    """The Windows of a pooling call; PyTorch's errors for what cannot be."""
    kernel = per_dim(kernel_size, n, fn, "kernel_size")
    stride = kernel if stride is None or isinstance(stride, (tuple, list)) and not stride else per_dim(
        stride, n, fn, "stride")
    w = Windows(kernel, stride, per_dim(padding, n, fn, "padding"), per_dim(dilation, n, fn, "dilation"),
                bool(ceil_mode))
    if min(w.stride) <= 0:
        raise error("argument-value", RuntimeError(
                    "stride should not be zero" if 0 in w.stride else
                    f"stride should be greater than zero, but got {_named('d', w.stride)}"),
                    what="kernel_size" if w.stride is kernel else "stride",
                    value=w.stride, must="positive whole numbers")
    if min(kernel) <= 0:
        raise error("argument-value", RuntimeError(
                    f"kernel size should be greater than zero, but got {_named('k', kernel)}"), what="kernel_size",
                    value=kernel, must="positive whole numbers")
    if min(w.dilation) <= 0:
        raise error("argument-value", RuntimeError(
                    f"dilation should be greater than zero, but got {_named('dilation', w.dilation)}"), what="dilation",
                    value=w.dilation, must="positive whole numbers")
    for k, p, d in zip(kernel, w.padding, w.dilation):
        if p < 0:
            raise error("argument-value", RuntimeError(f"pad must be non-negative, but got pad: {p}"), what="padding",
                        value=p, must="a whole number of at least {low}", low=0)
        if p > (d * (k - 1) + 1) // 2:
            raise error("argument-value", RuntimeError(
                        f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                        f"dilation={d}"), what="padding", value=p, must="a whole number of at most {high}",
                        high=(d * (k - 1) + 1) // 2, size=d * (k - 1) + 1,
                        why="padding is {value}, more than half of the window of {size} elements: some windows would "
                            "lie in the padding only.")
    _check_result(shape, w, n)
    return w


def _named(what, values):
    return " ".join(f"{what}{'TDHW'[-len(values):][i] if len(values) < 3 else 'THW'[i]}: {v}"
                    for i, v in enumerate(values))


def _check_result(shape, w, n):
    spatial = tuple(shape[-n:])
    out = w.out(spatial)
    if out and min(out) < 1:
        channels = shape[-n - 1]
        raise error("pool-small", have="x".join(map(str, (channels, *spatial))), window=str(w.kernel),
                    out="x".join(map(str, (channels, *[max(o, 0) for o in out]))), spatial=str(spatial))


def tiles(spatial, out):
    """Windows that cut dimensions into `out` equal parts each, or None if that is not possible."""
    if any(o == 0 or s % o for s, o in zip(spatial, out)):
        return None
    kernel, n = tuple([s // o for s, o in zip(spatial, out)]), len(out)
    return Windows(kernel, kernel, (0,) * n, (1,) * n)


def as_image(w):
    """Windows over a row as windows over an image of height 1."""
    return Windows((1, *w.kernel), (1, *w.stride), (0, *w.padding), (1, *w.dilation), w.ceil)


def check_dims(shape, n, message):
    """PyTorch's error unless a shape is (C, *n dimensions) or (N, C, *n dimensions), only N may be 0."""
    if len(shape) not in (n + 1, n + 2):
        raise error("tensor-dims", RuntimeError(message), what="input", shape=tuple(shape), need="{n} or {m}", n=n + 1,
                    m=n + 2, why="input has shape {shape}; needed is (N, C, ...) or (C, ...): {n} or {m} dimensions.",
                    fix="x.unsqueeze(0) adds a dimension in front, for one example or one channel.")
    if 0 in shape[-n - 1:]:
        raise error("tensor-empty", RuntimeError(message), what="input", shape=tuple(shape),
                    dim=len(shape) - n - 1 + tuple(shape[-n - 1:]).index(0),
                    why="input has shape {shape}: dimension {dim} is empty, and windows need elements.")
