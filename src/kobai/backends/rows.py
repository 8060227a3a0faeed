"""Rows of a table, taken or added to, as native code.

``take(block, begin, end)`` copies the rows that ``begin`` to ``end`` of an index name.  ``add_float`` and
``add_double`` add all rows of x to those of a table that an index names, for the columns ``begin`` to ``end``: who adds
what does not matter, each column is added up in the order of the index.
"""
from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from kobai.backends import llvm
from kobai.backends.called import empty, run

GRAIN = 64  # columns

_HEAD = """
  %data = load ptr, ptr %block
  %index_at = getelementptr i64, ptr %block, i64 1
  %index = load ptr, ptr %index_at
  %to_at = getelementptr i64, ptr %block, i64 2
  %to = load ptr, ptr %to_at
  %count_at = getelementptr i64, ptr %block, i64 3
  %count = load i64, ptr %count_at
  %rows_at = getelementptr i64, ptr %block, i64 4
  %rows = load i64, ptr %rows_at
  %width_at = getelementptr i64, ptr %block, i64 5
  %width = load i64, ptr %width_at
  %stride_at = getelementptr i64, ptr %block, i64 6
  %stride = load i64, ptr %stride_at
"""
_ROW = """
  %place = getelementptr i64, ptr %index, i64 %i
  %named = load i64, ptr %place
  %from_end = add i64 %named, %rows
  %negative = icmp slt i64 %named, 0
  %row = select i1 %negative, i64 %from_end, i64 %named
"""
_TAKE = f"""
define void @take(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:{_HEAD}  br label %head
head:
  %i = phi i64 [%begin, %entry], [%i1, %body]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %body, label %out
body:{_ROW}
  %from = mul i64 %row, %stride
  %source = getelementptr i8, ptr %data, i64 %from
  %into = mul i64 %i, %width
  %target = getelementptr i8, ptr %to, i64 %into
  call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr %source, i64 %width, i1 false)
  %i1 = add i64 %i, 1
  br label %head
out:
  ret void
}}
"""


def _add(t: str, lanes: int) -> str:
    v = f"<{lanes} x {t}>"
    bits = {"float": 32, "double": 64}[t]
    masked = f"v{lanes}f{bits}.p0"
    numbers = ", ".join(f"i64 {i}" for i in range(lanes))
    return f"""
declare {v} @llvm.masked.load.{masked}(ptr, i32, <{lanes} x i1>, {v})
declare void @llvm.masked.store.{masked}({v}, ptr, i32, <{lanes} x i1>)
define void @add_{t}(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:{_HEAD}
  %end0 = insertelement <{lanes} x i64> poison, i64 %end, i64 0
  %ends = shufflevector <{lanes} x i64> %end0, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer
  br label %head
head:
  %i = phi i64 [0, %entry], [%i1, %row_done]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %out
body:{_ROW}
  %into = mul i64 %row, %width
  %target = getelementptr i8, ptr %to, i64 %into
  %from = mul i64 %i, %stride
  %source = getelementptr i8, ptr %data, i64 %from
  br label %columns
columns:
  %c = phi i64 [%begin, %body], [%c1, %column]
  %rest = icmp slt i64 %c, %end
  br i1 %rest, label %column, label %row_done
column:
  %c0 = insertelement <{lanes} x i64> poison, i64 %c, i64 0
  %cs = shufflevector <{lanes} x i64> %c0, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer
  %each = add <{lanes} x i64> %cs, <{numbers}>
  %mask = icmp slt <{lanes} x i64> %each, %ends
  %x_at = getelementptr {t}, ptr %source, i64 %c
  %y_at = getelementptr {t}, ptr %target, i64 %c
  %x = call {v} @llvm.masked.load.{masked}(ptr %x_at, i32 {bits // 8}, <{lanes} x i1> %mask, {v} zeroinitializer)
  %y = call {v} @llvm.masked.load.{masked}(ptr %y_at, i32 {bits // 8}, <{lanes} x i1> %mask, {v} zeroinitializer)
  %sum = fadd {v} %y, %x
  call void @llvm.masked.store.{masked}({v} %sum, ptr %y_at, i32 {bits // 8}, <{lanes} x i1> %mask)
  %c1 = add i64 %c, {lanes}
  br label %columns
row_done:
  %i1 = add i64 %i, 1
  br label %head
out:
  ret void
}}
"""


@lru_cache(1)
def _code() -> dict[str, int]:
    m = llvm.machine()
    text = _TAKE + _add("float", m.vector_bytes // 4) + _add("double", m.vector_bytes // 8)
    names = ("take", "add_float", "add_double")
    return dict(zip(names, m.load(m.assemble(text), *names)))


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the three addresses, extent, grain) of a `RowsStep`.

    Raises:
        NoKernel: if there is no machine code.
    """
    block = [step.count, step.rows, step.width, step.stride]
    if step.kind == "take":
        return _code()["take"], block, step.count, max(1, 65536 // max(step.width, 1))
    letter, columns = step.dtype.char, step.width // step.dtype.itemsize
    grain = GRAIN if step.count * columns > 16384 else columns
    return _code()[{"f": "add_float", "d": "add_double"}[letter]], block, columns, grain


class Rows:
    """What eager mode does with rows: contiguous tables, positions as contiguous int64 that the table has."""

    def __init__(self):
        _code()

    def take(self, x: np.ndarray, index: np.ndarray) -> np.ndarray:
        """x[index].

        >>> Rows().take(np.arange(6.0).reshape(3, 2), np.array([[2, -1], [0, 0]])).tolist()
        [[[4.0, 5.0], [4.0, 5.0]], [[0.0, 1.0], [0.0, 1.0]]]
        """
        y, width = empty((*index.shape, *x.shape[1:]), x.dtype), prod(x.shape[1:]) * x.itemsize
        words = [x.ctypes.data, index.ctypes.data, y.ctypes.data, index.size, len(x), width, width]
        run(_code()["take"], words, index.size, max(1, 65536 // width))
        return y

    def add(self, shape, index: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Zeros of a shape with the rows of x (float32 or float64, contiguous) added at positions, in their order.

        >>> Rows().add((2, 3), np.array([1, 1]), np.ones((2, 3))).tolist()
        [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
        """
        y, columns = empty(shape, x.dtype), prod(shape[1:])
        y[...] = 0
        width = columns * x.itemsize
        words = [x.ctypes.data, index.ctypes.data, y.ctypes.data, index.size, len(y), width, width]
        grain = GRAIN if index.size * columns > 16384 else columns
        run(_code()[{"f": "add_float", "d": "add_double"}[x.dtype.char]], words, columns, grain)
        return y
