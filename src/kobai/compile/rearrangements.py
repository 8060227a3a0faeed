"""Ops that put elements elsewhere, in terms of views, joining and zeros around: rules of rewrite.py.

So they are part of the kernels that take their results, or are copied by all threads.
"""
from __future__ import annotations

import numpy as np

from kobai.compile.graph import Value
from kobai.lifted import m
from kobai.ops.movement import PutSlice


class Reversed:
    """The view of an array with some dimensions in reverse order. An op that only plans have."""

    outputs, emit, elementwise, view, moves, lower = 1, None, False, True, True, None
    fields, inputs, common = ("dims",), ("x",), ()

    def __init__(self, dims):
        self.dims = tuple(dims)

    def __call__(self, x):
        return np.flip(x, self.dims)

    forward = __call__


def _rule(rule):
    """A rule that gives a symbol for a symbol; arrays without elements are left as they are."""
    def simpler(work, op, args):
        x, = args
        if not isinstance(x, Value) or 0 in x.shape:
            return None
        y = rule(work, op, work.symbol(x))
        return None if y is None else (y.value,)
    return simpler


def _reversed(work, x, dims):
    dims = [d % len(x.shape) for d in dims]
    dims = [d for d in dims if x.shape[d] > 1]
    return work.symbol(work.apply(Reversed(dims), [x.value])[0]) if dims else x


@_rule
def flip(work, op, x):
    """Flip."""
    return _reversed(work, x, op.dims)


@_rule
def rot90(work, op, x):
    """Rot90: dimensions exchanged, one of them turned round before or after."""
    a, b = op.dims
    if op.k % 4 == 0:
        return x
    if op.k % 4 == 2:
        return _reversed(work, x, (a, b))
    return m.transpose(_reversed(work, x, (b,)), a, b) if op.k % 4 == 1 else _reversed(work, m.transpose(x, a, b), (b,))


@_rule
def roll(work, op, x):
    """Roll: what leaves at one end is put in front."""
    if not op.dims:
        return m.reshape(_rolled(m.reshape(x, (-1,)), op.shifts[0], 0), x.shape)
    for shift, dim in zip(op.shifts, op.dims):
        x = _rolled(x, shift, dim % len(x.shape))
    return x


def _rolled(x, shift, dim):
    size = x.shape[dim]
    shift %= size
    return x if not shift else m.cat([m.narrow(x, dim, size - shift, shift), m.narrow(x, dim, 0, size - shift)], dim)


@_rule
def repeat(work, op, x):
    """Repeat: each dimension as (copies, size)."""
    if 0 in op.times:
        return None
    lead = len(op.times) - len(x.shape)
    sizes = (*(1,) * lead, *x.shape)
    y = m.reshape(x, tuple([n for s in sizes for n in (1, s)]))
    y = m.expand(y, tuple([n for t, s in zip(op.times, sizes) for n in (t, s)]))
    return m.reshape(y, tuple([t * s for t, s in zip(op.times, sizes)]))


@_rule
def pixel_shuffle(work, op, x):
    """PixelShuffle."""
    *lead, c, h, w = x.shape
    r, n = op.factor, len(lead)
    y = m.permute(m.reshape(x, (*lead, c // (r * r), r, r, h, w)), (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return m.reshape(y, (*lead, c // (r * r), h * r, w * r))


@_rule
def pixel_unshuffle(work, op, x):
    """PixelUnshuffle."""
    *lead, c, h, w = x.shape
    r, n = op.factor, len(lead)
    y = m.permute(m.reshape(x, (*lead, c, h // r, r, w // r, r)), (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return m.reshape(y, (*lead, c * r * r, h // r, w // r))


@_rule
def channel_shuffle(work, op, x):
    """ChannelShuffle."""
    n, c = x.shape[:2]
    y = m.reshape(x, (n, op.groups, c // op.groups, *x.shape[2:]))
    return m.reshape(m.transpose(y, 1, 2), x.shape)


@_rule
def constant_pad(work, op, x):
    """ConstantPadNd with zeros, and what it cuts off."""
    if op.value or x.dtype.kind not in "fiub":
        return None
    for dim, (before, after) in enumerate(op.pads, len(x.shape) - len(op.pads)):
        low, size = max(-before, 0), x.shape[dim]
        left = size - low - max(-after, 0)
        if left <= 0:
            return None
        x = x if left == size else m.narrow(x, dim, low, left)
        before, after = max(before, 0), max(after, 0)
        if before or after:
            shape = (*x.shape[:dim], before + left + after, *x.shape[dim + 1:])
            x = work.symbol(work.apply(PutSlice(dim, before, before + left, 1, shape), [x.value])[0])
    return x


@_rule
def triangle(work, op, x):
    """Tril, Triu: zeros on one side of a diagonal."""
    rows, cols = x.shape[-2:]
    last = np.arange(rows, dtype=np.int32)[:, None] + np.int32(np.clip(op.diagonal, -rows, cols))  # of each row
    i, j = [work.symbol(Value(a.shape, a.dtype, constant=a)) for a in (last, np.arange(cols, dtype=np.int32))]
    keeps = m.ge(i, j) if type(op).__name__ == "Tril" else m.le(i, j)
    return m.where(keeps, x, x.dtype.type(0))


RULES = {"Tril": triangle, "Triu": triangle, "Flip": flip, "Rot90": rot90, "Roll": roll, "Repeat": repeat,
         "PixelShuffle": pixel_shuffle, "PixelUnshuffle": pixel_unshuffle, "ChannelShuffle": channel_shuffle,
         "ConstantPadNd": constant_pad}
