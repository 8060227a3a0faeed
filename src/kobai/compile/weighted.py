"""Weighted sums of a few elements along one dimension: `weighted(steps)` makes native calls of them.

Interpolation, adaptive means, padding with the array itself and the ways back are such sums, one dimension after the other
(`kobai.ops.taps`); `kobai.backends.weighted` has the code.
"""
from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from kobai.compile.fuse import OpStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.windows import is_contiguous, own

FEW = 16            # elements beside each other that do not fill a register
PADDED = 64         # a line of the table has a multiple of so many places: as many as any register has lanes
MOST = 1 << 18      # entries of a table


class SumsStep:
    """Each of `out` results is a sum over some of `size` elements that lie `inner` elements apart; `outer` times.

    `kind` is "lanes" where neighbours along the dimension are beside each other: `reads` are x, the places to read and their
    weights, as `taps` lines of all results; a place of -1 is none. It is "rows" where each result is a row of `inner`
    elements: `reads` are x, where the entries of each result begin, their places and their weights.
    """

    __slots__ = ("kind", "reads", "writes", "dtype", "outer", "size", "out", "inner", "taps")

    def __init__(self, kind, reads, out: Value, sizes, taps: int):
        self.kind, self.reads, self.writes, self.dtype = kind, reads, [out], out.dtype
        self.outer, self.size, self.out, self.inner = sizes
        self.taps = taps

    @property
    def work(self) -> int:
        """Elements that are read."""
        return self.outer * self.out * self.inner * max(self.taps, 1)

    def __str__(self):
        return (f"{self.outer} times {self.out} weighted sums of up to {self.taps} among {self.size}, "
                f"{self.inner} beside each other")


def weighted(steps) -> list:
    """The steps, with `SumsStep`s for what is made of weighted sums."""
    found = []
    for step in steps:
        along = _ALONG.get(type(step.node.op).__name__) if isinstance(step, OpStep) else None
        found += along and _sums(step, along) or [step]
    return found


def _sums(step: OpStep, along) -> list | None:
    x, out, w = step.node.args[0], step.node.outs[0], step.reads[0]
    if x.dtype != out.dtype or out.dtype.char not in "fd" or 0 in x.shape or 0 in out.shape:
        return None
    parts = [(t, a) for t, a in along(step.node.op, x) if not _nothing(t)]
    if not parts or any(len(t.rows) * FEW > MOST for t, _ in parts):
        return None
    made: list = []
    if not is_contiguous(x.shape, w.strides, x.dtype.itemsize):
        copy = Value(x.shape, x.dtype)
        made.append(copy_step(x, w, copy))
        w = own(copy)
    shape, into = list(x.shape), in_order(out)
    for i, (taps, axis) in enumerate(parts):
        axis += len(shape)
        sizes = prod(shape[:axis]), taps.size, taps.out, prod(shape[axis + 1:])
        shape[axis] = taps.out
        y = into if i == len(parts) - 1 else Value(tuple(shape), out.dtype)
        made.append(_step(taps, sizes, w, y))
        w = own(y)
    return made if into is out else [*made, copy_step(into, own(into), out, own(out).strides)]


def in_order(out: Value) -> Value:
    """A result that lies in order: itself, or one to copy from, where it is made as a part of something else."""
    return out if is_contiguous(out.shape, own(out).strides, out.dtype.itemsize) else Value(out.shape, out.dtype)


def _nothing(taps) -> bool:
    """Whether each result is the element at its place."""
    return taps.size == taps.out and len(taps.steps) == 1 and taps.steps[0][0] is None and taps.steps[0][2] is None \
        and bool((taps.steps[0][1] == np.arange(taps.out)).all())


def _step(taps, sizes, window, y: Value) -> SumsStep:
    outer, size, out, inner = sizes
    if inner >= FEW:
        first = np.searchsorted(taps.rows, np.arange(out + 1))
        tables = [_constant(first, np.int32), _constant(taps.columns, np.int32), _constant(taps.weights, y.dtype)]
        return SumsStep("rows", [window, *tables], y, sizes, len(taps.steps))
    columns, weights = _lines(taps, inner, y.dtype)
    return SumsStep("lanes", [window, _constant(columns, np.int32), _constant(weights, y.dtype)], y,
                    (outer, size * inner, out * inner, 1), len(columns))


def _lines(taps, inner: int, dtype):
    """Places and weights of the first entry of each result, of the second, and so on."""
    many, wide = len(taps.steps), -(-taps.out * inner // PADDED) * PADDED
    columns, weights = np.full((many, wide), -1, np.int32), np.zeros((many, wide), dtype)
    beside = np.arange(inner)
    for t, (rows, places, weight) in enumerate(taps.steps):
        rows = np.arange(taps.out) if rows is None else rows
        at = (rows[:, None] * inner + beside).ravel()
        columns[t, at] = (places[:, None] * inner + beside).ravel()
        weights[t, at] = 1 if weight is None else np.repeat(weight, inner)
    return columns, weights


def _constant(numbers, dtype):
    array = np.ascontiguousarray(numbers, dtype).ravel()
    if not array.size:
        array = np.zeros(1, dtype)
    return own(Value(array.shape, array.dtype, constant=array))


# ---- which sums ------------------------------------------------------------------------------
def _resampled(op, x):
    from kobai.ops.resample import _steps  # noqa: PLC0415 (a family that most programs do not need)
    return _steps(op, x.dtype == np.float64)


def _padded(op, x):
    n = len(op.pads)
    return [(_around(op.mode, size, *pads), i - n) for i, (size, pads) in enumerate(zip(x.shape[len(x.shape) - n:], op.pads))]


def _added(op, x):
    n = len(op.pads)
    return [(_around(op.mode, size, *pads).transposed, i - n) for i, (size, pads) in enumerate(zip(op.spatial, op.pads))]


_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@lru_cache(512)
def _around(mode: str, size: int, before: int, after: int):
    """The places that padding by elements of the array itself reads."""
    from kobai.ops.taps import Taps  # noqa: PLC0415 (as above)

    grown = np.pad(np.arange(size), (max(before, 0), max(after, 0)), _MODES[mode])  # type: ignore[call-overload]
    at = grown[max(-before, 0):len(grown) + min(after, 0)]
    return Taps(len(at), size, np.arange(len(at)), at, np.ones(len(at)))


_ALONG = {"Resample": _resampled, "Means": _resampled, "PadItself": _padded, "AddPadding": _added}
