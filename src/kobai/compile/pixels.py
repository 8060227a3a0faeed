"""Pixels at positions that are computed, in plans: `at_pixels(steps)`, with the code of `kobai.backends.pixels`."""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.steps import OpStep
from kobai.compile.weighted import in_order
from kobai.compile.windows import is_contiguous, own

_KINDS = {"TakePixels": "take_pixels", "AddPixels": "add_pixels",
          **dict.fromkeys(("PickAt", "PickAt3d", "PickFractional", "PickFractional3d"), "take_pixels"),
          "AddAtPositions": "add_pixels", "MaxUnpool2d": "put_pixels", "MaxUnpool3d": "put_pixels"}


class PixelsStep:
    """For each line of x, of which each sample has `channels`: elements at `count` positions, of `size` that there are.

    `kind` is "take_pixels", or for the way back "add_pixels", from elements to zeros that they are added to, or "put_pixels",
    where of several the last stays.
    """

    __slots__ = ("kind", "reads", "writes", "dtype", "lines", "channels", "size", "count")

    def __init__(self, kind, reads, out: Value, lines: int, channels: int, size: int, count: int):
        self.kind, self.reads, self.writes, self.dtype = kind, reads, [out], out.dtype
        self.lines, self.channels, self.size, self.count = lines, channels, size, count

    @property
    def work(self) -> int:
        """Elements that are read or written."""
        return self.lines * (self.size + self.count)

    def __str__(self):
        return f"{self.kind} of {self.lines} lines of {self.size}, {self.count} positions"


def at_pixels(steps) -> list:
    """The steps, with `PixelsStep`s among them."""
    found = []
    for step in steps:
        kind = _KINDS.get(type(step.node.op).__name__) if isinstance(step, OpStep) else None
        found += kind and _step(step, kind) or [step]
    return found


def _step(step: OpStep, kind: str) -> list | None:
    (x, index), out = step.node.args, step.node.outs[0]
    if x.dtype != out.dtype or out.dtype.char not in "fd" or index.dtype != np.int64 or 0 in (*x.shape, *out.shape):
        return None
    made: list = []
    reads = [_read(v, w, made) for v, w in zip((x, index), step.reads)]
    into = in_order(out)
    made.append(PixelsStep(kind, reads, into, *_sizes(step.node.op, kind == "take_pixels", x, index, out)))
    return made if into is out else [*made, copy_step(into, own(into), out, own(out).strides)]


def _sizes(op, takes: bool, x: Value, index: Value, out: Value):
    """(lines, channels, size, count)."""
    large = x if takes else out
    if type(op).__name__ in ("TakePixels", "AddPixels"):
        return prod(x.shape[:2]), x.shape[1], large.shape[2], index.shape[1]
    n = op.n if takes else len(op.spatial)  # each plane has positions of its own
    lead = len(large.shape) - n
    return prod(large.shape[:lead]), 1, prod(large.shape[lead:]), prod(index.shape[lead:])


def _read(v: Value, w, made):
    if is_contiguous(v.shape, w.strides, v.dtype.itemsize):
        return w
    copy = Value(v.shape, v.dtype)
    made.append(copy_step(v, w, copy))
    return own(copy)
