"""Padding: a constant, or elements of the tensor itself, around the last dimensions."""
from __future__ import annotations

import numpy as np

from ..diagnose.errors import error
from ..op import Op, dtype_of
from ..public import by_form, public
from ..testing.samples import S
from .labels import Labelled


class ConstantPadNd(Op):
    """`value` around the last dimensions: `pads` has (before, after) for each; negative ones cut off."""

    pads: tuple
    value: float = 0
    moves = True
    samples = [S((2, 3, 4), params=(((1, 0), (2, 1)), 0.5)), S((4, 5), params=(((-1, 2), (0, -2)), 0)),
               S((0, 2), params=(((1, 1),), 0)), S((2, 3), params=((), 0))]

    def forward(self, x):
        lead = x.ndim - len(self.pads)
        sizes = x.shape[lead:]
        shape = (*x.shape[:lead], *[n + a + b for n, (a, b) in zip(sizes, self.pads)])
        y = np.full(shape, self.value, x.dtype) if self.value or str(self.value) == "-0.0" else np.zeros(shape, x.dtype)
        there = [slice(max(a, 0), a + n + min(b, 0)) for n, (a, b) in zip(sizes, self.pads)]
        here = [slice(max(-a, 0), n + min(b, 0)) for n, (a, b) in zip(sizes, self.pads)]
        y[(Ellipsis, *there)] = x[(Ellipsis, *here)]
        return y

    def vjp_x(self, g):
        return ConstantPadNd(tuple([(-a, -b) for a, b in self.pads]), 0)(g)

    def jvp(self, primals, tangents, y):
        return ConstantPadNd(self.pads, 0)(tangents[0])

    def batch(self, size, dims, values):
        return self(*values)


# ---- from the tensor itself ------------------------------------------------------------------
def _reflect(n, a, b):
    """(to, from) slices: mirrored at the outermost elements, which are not repeated."""
    return [(slice(0, a), slice(2 * a, a, -1)),
            (slice(a + n, a + n + b), slice(a + n - 2, a + n - 2 - b if a + n - 2 - b >= 0 else None, -1))]


def _replicate(n, a, b):
    """(to, from) slices: the outermost elements again and again."""
    return [(slice(0, a), slice(a, a + 1)), (slice(a + n, a + n + b), slice(a + n - 1, a + n))]


def _circular(n, a, b):
    """(to, from) slices: what is on the other side."""
    return [(slice(0, a), slice(n, n + a)), (slice(a + n, a + n + b), slice(a, a + b))]


_RULES = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}


def _copies(mode, sizes, pads):
    """(to, from, dimension) of what is copied, in this order: each dimension over all that is filled already."""
    n = len(sizes)
    inner = [slice(a, a + s) for s, (a, _) in zip(sizes, pads)]
    for i in reversed(range(n)):
        for to, source in _RULES[mode](sizes[i], *pads[i]):
            if to.stop > to.start:
                lead, tail = (Ellipsis, *inner[:i]), (slice(None),) * (n - 1 - i)
                yield (*lead, to, *tail), (*lead, source, *tail), i - n


def _grown(sizes, pads):
    """Paddings without those that cut off, and the index of what these leave of the result."""
    only = [(max(a, 0), max(b, 0)) for a, b in pads]
    left = (Ellipsis, *[slice(max(-a, 0), s + max(a, 0) + max(b, 0) + min(b, 0)) if min(a, b) < 0 else slice(None)
                        for s, (a, b) in zip(sizes, pads)])
    return only, left if any(min(p) < 0 for p in pads) else None


class PadItself(Labelled):
    """Elements of x around its last dimensions: `mode` is reflect, replicate or circular."""

    ties = ("x",)
    mode: str
    pads: tuple
    linear = moves = planned = True
    samples = [S((2, 3, 4), params=("ReflectionPad2D", "reflect", ((2, 1), (0, 3)))),
               S((1, 3, 4), params=("ReplicationPad2D", "replicate", ((4, -1), (1, 0)))),
               S((0, 3), params=("ReflectionPad1D", "reflect", ((1, 1),))),
               S((2, 3), params=("CircularPad", "circular", ((3, 2),)))]

    def forward(self, x):
        lead = x.ndim - len(self.pads)
        sizes = x.shape[lead:]
        pads, left = _grown(sizes, self.pads)
        y = np.empty((*x.shape[:lead], *[n + a + b for n, (a, b) in zip(sizes, pads)]), x.dtype)
        y[(Ellipsis, *[slice(a, a + s) for s, (a, _) in zip(sizes, pads)])] = x
        for to, source, _ in _copies(self.mode, sizes, pads):
            y[to] = y[source]
        return y if left is None else np.ascontiguousarray(y[left])

    def vjp_x(self, g, x_shape):
        spatial = tuple(x_shape[len(x_shape) - len(self.pads):])
        return AddPadding(self.label + "Backward", self.mode, self.pads, spatial)(g)

    def batch(self, size, dims, values):
        return self(*values)


class AddPadding(PadItself):
    """What was put around is added to where it came from: the transpose of PadItself."""

    spatial: tuple
    moves = False
    samples = [S((2, 6, 7), params=("ReflectionPad2DBackward", "reflect", ((2, 1), (0, 3)), (3, 4))),
               S((6, 5), params=("ReplicationPad2DBackward", "replicate", ((4, -1), (1, 0)), (3, 4)))]

    def forward(self, x):
        pads, left = _grown(self.spatial, self.pads)
        if left is None:
            y = np.array(x)
        else:
            y = np.zeros((*x.shape[:x.ndim - len(pads)], *[n + a + b for n, (a, b) in zip(self.spatial, pads)]),
                         x.dtype)
            y[left] = x
        for to, source, dim in reversed(list(_copies(self.mode, self.spatial, pads))):
            y[source] += y[to].sum(dim, keepdims=True) if self.mode == "replicate" else y[to]
        return np.ascontiguousarray(y[(Ellipsis, *[slice(a, a + s) for s, (a, _) in zip(self.spatial, pads)])])

    def vjp_x(self, g):
        return PadItself(self.label.removesuffix("Backward"), self.mode, self.pads)(g)


# ---- the public function ---------------------------------------------------------------------
@public("nn.functional")
@by_form
def pad(input, pad, mode="constant", value=None):
    """Elements around the last dimensions.

    Args: `pad` is (before, after) of the last dimension, then of the one before it, and so on; negative
    numbers cut off. `mode` is constant (with `value`), reflect, replicate or circular.

    >>> kobai.nn.functional.pad(kobai.tensor([1., 2.]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    ndim = len(input.shape)
    pads = _pairs(pad, ndim)
    if mode == "constant":
        return _constant(input, pads, value)
    if value not in (None, 0):
        raise error("arguments-exclude", RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument'),
                    what="value", other=f"mode={mode!r}",
                    why="value is what mode='constant' fills with; with mode={mode} the new elements are copies of "
                        "others.", mode=repr(mode), fix="leave out value, or write mode='constant'.")
    if mode not in _RULES:
        raise error("argument-choice", NotImplementedError(f"Unrecognised padding mode {mode}"), what="mode",
                    value=mode, choices=["constant", *_RULES])
    n = len(pads)
    if not 1 <= n <= 3 or ndim not in (n + 1, n + 2):
        raise error("tensor-dims", NotImplementedError(
                    f"Padding size {2 * n} is not supported for {ndim}D input tensor."), what="input",
                    shape=tuple(input.shape), need="{n} or {m}" if 1 <= n <= 3 else "3, 4 or 5", n=n + 1, m=n + 2,
                    why="pad has {count} numbers and input {ndim} dimensions; mode={mode} takes 2, 4 or 6 numbers, "
                        "and (N, C, ...) or (C, ...) with one dimension more for each two of them.", mode=repr(mode),
                    count=2 * n,
                    fix="x.unsqueeze(0) adds a dimension in front; or give two numbers for each of the dimensions "
                        "after C.")
    _CHECKS[mode](tuple(input.shape), pads)
    if mode == "circular" and any(min(p) < 0 for p in pads):  # what is left goes round
        input = ConstantPadNd(tuple([(min(a, 0), min(b, 0)) for a, b in pads]))(input)
        pads = tuple([(max(a, 0), max(b, 0)) for a, b in pads])
    label = {"reflect": f"ReflectionPad{n}D", "replicate": f"ReplicationPad{n}D", "circular": "CircularPad"}[mode]
    return PadItself(label, mode, pads)(input)


def _pairs(pad, ndim):
    """((before, after), ...) in the order of the dimensions."""
    for i, p in enumerate(pad):
        if isinstance(p, float) or not hasattr(p, "__index__"):
            raise error("argument-type", TypeError(
                        "pad(): argument 'pad' (position 2) must be tuple of ints, but found element of type "
                        f"{type(p).__name__} at pos {i}"), what=f"pad[{i}]", kind=type(p), must="a whole number")
    pad = [int(p) for p in pad]
    if len(pad) % 2:
        raise error("argument-count", RuntimeError("Padding length must be divisible by 2"), what="pad", count=len(pad),
                    need="an even number",
                    why="pad has {count} numbers; each dimension needs two, one for before and one for after it.",
                    fix="write 0 where nothing is to be added: (0, 1) adds one element at the end of the last "
                        "dimension.")
    if len(pad) > 2 * ndim:
        raise error("pad-length", length=len(pad), ndim=ndim, needed=len(pad) // 2, most=2 * ndim)
    return tuple(reversed([(a, b) for a, b in zip(pad[::2], pad[1::2])]))


def _constant(x, pads, value):
    for n, (a, b) in zip(x.shape[len(x.shape) - len(pads):], pads):
        if n + a + b < 0 or n + min(a, 0) < 0 or n + min(b, 0) < 0:
            raise error("argument-value", RuntimeError("narrow(): length must be non-negative."), what="pad",
                        value=(a, b),
                        why="({before}, {after}) of pad cut off more than the {n} elements of the dimension.", before=a,
                        after=b, n=n,
                        fix="a negative number in pad cuts elements off: cut off no more than the dimension has.")
    if isinstance(value, (str, complex)):
        raise error("argument-type", TypeError(
                    f"pad(): argument 'value' (position 4) must be float, not {type(value).__name__}"), what="value",
                    kind=type(value), must="a number")
    if value is None:
        value = 0
    value = value.item() if hasattr(value, "item") else value
    kind = dtype_of(x).kind
    if kind == "u" and value < 0:
        raise error("argument-value", RuntimeError(
                    f"value cannot be converted to type {dtype_of(x)}_t without overflow"), what="value", value=value,
                    must="a number of at least {low}", low=0,
                    why="value is {value}, and input has dtype {dtype}, which has no negative numbers.",
                    dtype=dtype_of(x), fix="pad with 0 or more, or convert first: x.int().")
    return ConstantPadNd(pads, bool(value) if kind == "b" else int(value) if kind in "iu" else value)(x)


def _check_reflect(shape, pads):
    n = len(pads)
    for i, (a, b) in enumerate(pads):
        size = shape[len(shape) - n + i]
        if max(a, b) >= size:
            raise error("argument-value", RuntimeError(
                        f"Argument #{4 + 2 * (n - 1 - i)}: Padding size should be less than the corresponding input "
                        f"dimension, but got: padding ({a}, {b}) at dimension {len(shape) - n + i} of input "
                        f"{list(shape)}"), what="pad", value=(a, b), must="a whole number of at most {high}",
                        high=size - 1,
                        why="({before}, {after}) of pad for a dimension of size {size}: a mirror image has at most "
                            "{high} elements, as the edge itself is not repeated.", before=a, after=b, size=size,
                        fix="pad this dimension by at most {high} on each side, or use mode='replicate'.")
    _check_left(shape, pads)


def _check_left(shape, pads):
    n = len(pads)
    sizes = [*shape[:len(shape) - n], *[s + a + b for s, (a, b) in zip(shape[len(shape) - n:], pads)]]
    if min(sizes[-n:]) < 0:
        bad = next(i for i, s in enumerate(sizes) if s < 0)
        words = f"input (W: {shape[bad]}) is too small. Calculated output W: {sizes[bad]}" if n == 1 else \
            f"Trying to create tensor with negative dimension {sizes[bad]}: {sizes}"
        raise error("argument-value", RuntimeError(words), what="pad", value=pads[bad - len(shape)], dim=bad,
                    size=shape[bad], why="{value} of pad cut off more than the {size} elements of dimension {dim}.",
                    fix="a negative number in pad cuts elements off: cut off no more than the dimension has.")


def _check_circular(shape, pads):
    n = len(pads)
    for size, (a, b) in zip(shape[len(shape) - n:], pads):
        if max(a, b) > size:
            raise error("argument-value", RuntimeError("Padding value causes wrapping around more than once."),
                        what="pad", value=(a, b),
                        why="({before}, {after}) of pad for a dimension of size {size}: going round, there are only "
                            "{size} elements to repeat.", before=a, after=b, size=size,
                        fix="pad this dimension by at most {size} on each side, or repeat the tensor before "
                            "(x.repeat).")
        if size + min(a, 0) + min(b, 0) < 0:
            raise error("argument-value", RuntimeError("Negative padding value is resulting in an empty dimension"),
                        what="pad", value=(a, b),
                        why="({before}, {after}) of pad cut off more than the {n} elements of the dimension.", before=a,
                        after=b, n=size,
                        fix="a negative number in pad cuts elements off: cut off no more than the dimension has.")


_CHECKS = {"reflect": _check_reflect, "replicate": _check_left, "circular": _check_circular}
