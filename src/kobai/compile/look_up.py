"""Rows taken from tables and added to them, and running sums: `look_up(steps)` makes native calls of them."""
from __future__ import annotations

from math import prod

from kobai.compile.fuse import OpStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.place import zeros_step
from kobai.compile.windows import Window, contiguous, is_contiguous, own


class RowsStep:
    """`count` rows that an index names are taken from a table ("take"), or added to one ("add").

    `reads` are the data (a table, or what is added) and the index; `rows` those of the table, `width` the bytes of one,
    `stride` from row to row of the data.
    """

    __slots__ = ("kind", "reads", "writes", "count", "rows", "width", "stride", "dtype")

    def __init__(self, kind, reads, out: Value, count, rows, width, stride):
        self.kind, self.reads, self.writes, self.dtype = kind, reads, [out], out.dtype
        self.count, self.rows, self.width, self.stride = count, rows, width, stride

    def __str__(self):
        return f"{self.kind} {self.count} rows of {self.width} bytes, table of {self.rows}"


class ScanStep:
    """A running sum along `dim`, from the end if `reverse`."""

    __slots__ = ("reads", "writes", "shape", "dtype", "dim", "reverse")

    def __init__(self, read, out: Value, dim, reverse):
        self.reads, self.writes, self.shape, self.dtype = [read], [out], out.shape, out.dtype
        self.dim, self.reverse = dim, reverse

    def __str__(self):
        return f"running sum of {self.shape} along {self.dim}"


_TAKE = "Embedding", "Index", "IndexSelect"


def look_up(steps) -> list:
    """The steps, with `RowsStep`s and `ScanStep`s for what they can do."""
    found = []
    for step in steps:
        name = type(step.node.op).__name__ if isinstance(step, OpStep) else ""
        made = _take(step) if name in _TAKE else _add(step) if name == "AddAt" \
            else _scan(step) if name == "Cumsum" else None
        found += made or [step]
    return found


def _scan(step: OpStep):
    (x,), (w,), out, op = step.node.args, step.reads, step.writes[0], step.node.op
    order = contiguous(out.shape, out.dtype.itemsize)
    if x.dtype != out.dtype or out.dtype.char not in "fd" or 0 in (out.shape or (0,)) or own(out).strides != order:
        return None
    if not is_contiguous(x.shape, w.strides, out.dtype.itemsize):
        return None
    return [ScanStep(w, out, op.dim, op.reverse)]


def _is_index(v: Value) -> bool:
    return v.dtype.char in "lq" and v.dtype.itemsize == 8 and 0 not in v.shape


def _in_order(v: Value, w: Window, first: int = 0):
    """(steps, window) of a value whose dimensions from `first` on lie in row-major order: it is copied if they do not."""
    size = v.dtype.itemsize
    if is_contiguous(v.shape[first:], w.strides[first:], size):
        return [], w
    copy = Value(v.shape, v.dtype)
    return [copy_step(v, w, copy)], own(copy)


def _take(step: OpStep):
    node = step.node
    if len(node.args) != 2 or getattr(node.op, "dim", 0) != 0 or getattr(node.op, "dims", (0,)) != (0,):
        return None
    (table, index), (w, i) = node.args, step.reads
    size, width = table.dtype.itemsize, prod(table.shape[1:]) * table.dtype.itemsize
    out = step.writes[0]
    if not _is_index(index) or not width:
        return None
    (first, w), (second, i), last = _in_order(table, w, 1), _in_order(index, i), []
    if own(out).strides != contiguous(out.shape, size):  # it is made in its part of something larger
        copy = Value(out.shape, out.dtype)
        last, out = [copy_step(copy, own(copy), out, own(out).strides)], copy
    return [*first, *second, RowsStep("take", [w, i], out, prod(index.shape), table.shape[0], width, w.strides[0]), *last]


def _add(step: OpStep):
    node, out = step.node, step.writes[0]
    if node.op.dims != (0,) or len(node.args) != 2 or out.dtype.char not in "fd" or 0 in out.shape:
        return None
    (x, index), (w, i) = node.args, step.reads
    size = out.dtype.itemsize
    if not _is_index(index) or x.shape != (*index.shape, *out.shape[1:]) or x.dtype != out.dtype:
        return None
    if own(out).strides != contiguous(out.shape, size):
        return None
    (first, w), (second, i) = _in_order(x, w), _in_order(index, i)
    width = prod(out.shape[1:]) * size
    return [*first, *second, zeros_step(out), RowsStep("add", [w, i], out, prod(index.shape), out.shape[0], width, width)]
