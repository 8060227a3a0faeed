"""Pooling in a plan: `pooled(steps)` says of each window where it lies; `kobai.backends.pool` has the code."""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.fuse import OpStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.tiles import CODED
from kobai.compile.windows import Window, contiguous, own
from kobai.ops.avgpool import counts

MOST = 512  # places in a window
_LARGEST = ("MaxPool2d", "MaxPool3d", "MaxTiles2d", "MaxTiles3d", "SendToMax")
_MEANS = ("AvgPool2d", "AvgPool3d", "MeanTiles2d", "MeanTiles3d", "SpreadMean")


class PoolStep:
    """One call of code for pooling: `count` planes, each as `sizes` say, and windows with kernel, stride, dilation.

    `each` elements are read for a plane; `inside`: no window goes beyond the border.
    """

    __slots__ = ("kind", "reads", "writes", "sizes", "windows", "inside", "dtype", "count", "each")

    def __init__(self, kind, reads, out: Value, sizes: dict, windows, inside: bool, count: int):
        self.kind, self.reads, self.writes, self.dtype = kind, reads, [out], out.dtype
        self.sizes, self.windows, self.inside, self.count = sizes, windows, inside, count
        self.each = sizes["planes"] * sizes["rows"] * sizes["columns"] * prod(windows[0])

    def __str__(self):
        s = self.sizes
        return (f"{self.kind} of {' x '.join(map(str, self.windows[0]))} in {self.count} planes of "
                f"{s['depth']} x {s['height']} x {s['width']}")


def pooled(steps) -> list:
    """The steps, with pooling among them as `PoolStep`s."""
    found = []
    for step in steps:
        name = type(step.node.op).__name__ if isinstance(step, OpStep) else ""
        found += name in _LARGEST + _MEANS and _step(step, name) or [step]
    return found


def _step(step: OpStep, name: str) -> list | None:
    op, out = step.node.op, step.node.outs[0]
    values, n = step.node.values, len(op.windows.kernel)
    back = name in ("SendToMax", "SpreadMean")
    large, small = (out, values[0]) if back else (values[0], out)
    if n > 3 or prod(op.windows.kernel) > MOST:
        return None
    if any(v.dtype != out.dtype or v.dtype.char not in CODED or 0 in v.shape for v in (*values, out)):
        return None
    copies: list = []
    reads = [_in_order(v, w, copies) for v, w in zip(values, step.reads)]
    spatial = large.shape[len(large.shape) - n:]
    if name in _MEANS:
        reads.append(own(_divisors(op, spatial, small.shape[len(small.shape) - n:], out.dtype)))
    count, into = prod(large.shape[:len(large.shape) - n]), out
    if own(out).strides != contiguous(out.shape, out.dtype.itemsize):
        into = Value(out.shape, out.dtype)
    kind = ("max" if name in _LARGEST else "mean") + "_back" * back
    w, out_sizes = op.windows, small.shape[len(small.shape) - n:]
    windows = _three(w.kernel, 1), _three(w.stride, 1), _three(w.dilation, 1)
    inside = not any(a or b for a, b in w.around(spatial))
    copies.append(PoolStep(kind, reads, into, _sizes(spatial, out_sizes, w.padding), windows, inside, count))
    if into is not out:
        copies.append(copy_step(into, own(into), out, own(out).strides))
    return copies


def _in_order(v: Value, w: Window, copies) -> Window:
    if w.strides == contiguous(v.shape, v.dtype.itemsize):
        return w
    copy = Value(v.shape, v.dtype)
    copies.append(copy_step(v, w, copy))
    return own(copy)


def _divisors(op, spatial, out, dtype) -> Value:
    """What the sum of each window is divided by."""
    numbers = np.broadcast_to(op.divisor or counts(op.windows, tuple(spatial), op.with_padding), out)
    return Value(out, dtype, constant=np.ascontiguousarray(numbers, dtype))


def _three(values, fill) -> tuple[int, ...]:
    """Padded in front to three dimensions."""
    return (*[fill] * (3 - len(values)), *values)


def _sizes(spatial, out, padding) -> dict:
    names = (("depth", "height", "width"), ("planes", "rows", "columns"), ("before_d", "before_h", "before_w"))
    given = _three(spatial, 1), _three(out, 1), _three(padding, 0)
    return {name: v for some, values in zip(names, given) for name, v in zip(some, values)}
