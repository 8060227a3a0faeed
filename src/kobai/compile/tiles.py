"""Max pooling of windows that do not overlap, of types without code of their own (pooling.py): rules of rewrite.py.

A window's k * k places are k * k slices of the input with steps, so the largest value is a chain of maxima, and the way
back goes to the first place that has it.  `Tiles` puts the gradients of these slices together.
"""
from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from kobai.lifted import m
from kobai.ops.movement import Slice

MOST = 16       # places in a window
CODED = "fd"    # types that pooling.py has code for


class Tiles:
    """An array of `shape` of which every argument is the slice that begins at one of `places`, in steps of `kernel`.

    An op that only plans have; elements in no slice are 0.
    """

    outputs, emit, elementwise, view, moves, lower = 1, None, False, False, True, None
    fields = ("shape", "kernel")

    def __init__(self, shape, kernel):
        self.shape, self.kernel = tuple(shape), tuple(kernel)

    @property
    def places(self):
        """The first element of each argument, in the last dimensions."""
        return list(product(*map(range, self.kernel)))

    @property
    def whole(self) -> bool:
        """Whether every element is in a slice."""
        return all(s % k == 0 for s, k in zip(self.shape[len(self.shape) - len(self.kernel):], self.kernel))

    def __call__(self, *parts):
        y = np.zeros(self.shape, parts[0].dtype)
        for place, x in zip(self.places, parts):
            ends = [p + n * k for p, n, k in zip(place, x.shape[-len(place):], self.kernel)]
            y[(..., *[slice(p, e, k) for p, e, k in zip(place, ends, self.kernel)])] = x
        return y

    forward = __call__


def _places(windows, x):
    """The slices of x that make up its windows, or None if they overlap or go beyond."""
    kernel, n = windows.kernel, len(windows.kernel)
    if windows.stride != kernel or any(windows.padding) or set(windows.dilation) != {1} or prod(kernel) > MOST:
        return None
    spatial = x.shape[len(x.shape) - n:]
    if windows.ceil and any(s % k for s, k in zip(spatial, kernel)) or any(s < k for s, k in zip(spatial, kernel)):
        return None
    if x.dtype.kind != "f" or x.dtype.char in CODED:
        return None
    found = []
    for place in product(*map(range, kernel)):
        part = x
        for d, (p, k, s) in enumerate(zip(place, kernel, spatial)):
            part = Slice(len(x.shape) - n + d, p, p + (s // k - 1) * k + 1, k)(part)
        found.append(part)
    return found


def _largest(parts):
    y = parts[0]
    for x in parts[1:]:
        y = m.maximum(y, x)
    return y


def max_pool(work, op, args):
    """The largest of all places."""
    parts = _places(op.windows, work.symbol(args[0]))
    return None if parts is None else (_largest(parts).value,)


def send_to_max(work, op, args):
    """g in the first place that is as large as the largest, or NaN if that is; 0 in the others."""
    g, x = map(work.symbol, args)
    parts = _places(op.windows, x)
    if parts is None:
        return None
    y = _largest(parts)
    found, there = [], None
    for part in parts:
        hit = m.logical_not(m.ne(part, y)) if part is not parts[-1] else None
        hit = m.logical_or(hit, m.isnan(part)) if hit is not None else None
        new = hit if there is None else m.logical_not(there) if hit is None else m.logical_and(hit, m.logical_not(there))
        found.append(m.where(new, g, 0.0).value)
        there = hit if there is None else there if hit is None else m.logical_or(there, hit)
    return work.apply(Tiles(x.shape, op.windows.kernel), found)
