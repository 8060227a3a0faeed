"""Machine code for small arrays: elements by positions along a dimension, the largest of each row, random numbers of words.

NumPy needs several passes and a page of Python for each of these; what they give is the same to the bit, so that it does
not matter when this takes over (`kobai.backends.apply`).  What is out of the ordinary is answered with None: NumPy has to.
"""
from __future__ import annotations

import ctypes
import struct

import numpy as np

from kobai.backends import llvm
from kobai.backends.native import _FASTCALL, _FIELD, _HEAD, _MethodDef, _new_function, read
from kobai.backends.pick_parts import BYTES, DECLARATIONS, DIMS, MOST, WORDS, load_words, plain
from kobai.backends.pick_top import top

_NAMES = ("pick", "top", "unit")
_kept: list = []


def load():
    """`pick(x, index, dim, each)`, `top(x, k, largest)` and `unit(words, double)`."""
    machine = llvm.machine()
    table = llvm.bridge()._table
    found = {"array_type": id(np.ndarray), "new_from": table[94], "none": id(None), "true": id(True),
             **{n: id(np.dtype(d)) for n, d in (("f4", np.float32), ("f8", np.float64), ("i8", np.int64), ("b1", np.bool_))}}
    block = struct.pack(f"={len(WORDS)}q", *[found[w] for w in WORDS])
    made = []
    for name, address in zip(_NAMES, machine.load(machine.assemble_glue(text()), *_NAMES)):
        definition = _MethodDef(name.encode(), address, _FASTCALL, None)
        _kept.append(definition)
        made.append(_new_function(ctypes.byref(definition), block, None))
    return made


def text() -> str:
    """The native functions."""
    return "\n".join([DECLARATIONS, plain(), _pick(), top(), _unit()])


def _pick() -> str:
    """Elements at positions."""
    return "".join([_pick_begin(), _pick_each(), _pick_one(), _pick_rows(), _pick_row()])


def _pick_begin() -> str:
    """What is asked for."""
    return f"""
; pick(x, index, dim, each): with each, y[o, j, i] = x[o, index[o, j, i], i], else y[o, j, i] = x[o, index[j], i].
define ptr @pick(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {BYTES}
{load_words("none", "true", "i8")}
  %shape = alloca [{2 * DIMS} x i64]
  %x = load ptr, ptr %args
{read("index", "args", 8)}
{read("dim_", "args", 16)}
{read("each_", "args", 24)}
  %width = call i64 @width(ptr %self, ptr %x)
  %width_of = call i64 @width(ptr %self, ptr %index)
  %x_good = icmp ne i64 %width, 0
  %index_good = icmp eq i64 %width_of, 8
  %good = and i1 %x_good, %index_good
  br i1 %good, label %typed, label %refuse
typed:
{read("index_descr", "index", _HEAD + _FIELD["descr"])}
{read("x_nd", "x", _HEAD + _FIELD["nd"], "i32")}
{read("index_nd", "index", _HEAD + _FIELD["nd"], "i32")}
{read("x_dims", "x", _HEAD + _FIELD["dims"])}
{read("index_dims", "index", _HEAD + _FIELD["dims"])}
{read("x_descr", "x", _HEAD + _FIELD["descr"])}
{read("x_data", "x", _HEAD + _FIELD["data"])}
{read("index_data", "index", _HEAD + _FIELD["data"])}
  %is_whole = icmp eq ptr %index_descr, %i8
  %nd = zext i32 %x_nd to i64
  %ndi = zext i32 %index_nd to i64
  %dim = call i64 @PyLong_AsLongLong(ptr %dim_)
  %each = icmp eq ptr %each_, %true
  %dim_good = icmp ult i64 %dim, %nd
  %ranks = add i64 %nd, %ndi
  %fits = icmp sle i64 %ranks, {DIMS}
  %same_rank = icmp eq i64 %nd, %ndi
  %not_each = xor i1 %each, true
  %rank_good = or i1 %same_rank, %not_each
  %good1 = and i1 %is_whole, %dim_good
  %good2 = and i1 %fits, %rank_good
  %all_good = and i1 %good1, %good2
  br i1 %all_good, label %sizes, label %refuse
sizes:
  %after = add i64 %dim, 1
  %outer = call i64 @product(ptr %x_dims, i64 0, i64 %dim)
  %inner = call i64 @product(ptr %x_dims, i64 %after, i64 %nd)
  %n_at = getelementptr i64, ptr %x_dims, i64 %dim
  %n = load i64, ptr %n_at
  br i1 %each, label %each_sizes, label %row_sizes
"""


def _pick_each() -> str:
    """With a position for each element."""
    return f"""
each_sizes:  ; but for the dimension they must agree
  %ko_at = getelementptr i64, ptr %index_dims, i64 %dim
  %ko = load i64, ptr %ko_at
  br label %agree
agree:
  %d = phi i64 [0, %each_sizes], [%d1, %agreed]
  %d_more = icmp slt i64 %d, %nd
  br i1 %d_more, label %agree_, label %each_make
agree_:
  %xd_at = getelementptr i64, ptr %x_dims, i64 %d
  %id_at = getelementptr i64, ptr %index_dims, i64 %d
  %xd = load i64, ptr %xd_at
  %id = load i64, ptr %id_at
  %d_same = icmp eq i64 %xd, %id
  %d_own = icmp eq i64 %d, %dim
  %d_good = or i1 %d_same, %d_own
  %d1 = add i64 %d, 1
  br i1 %d_good, label %agreed, label %refuse
agreed:
  br label %agree
each_make:
  %each_slice = mul i64 %outer, %inner
  %each_total = mul i64 %each_slice, %ko
  %each_total_1 = sub i64 %each_total, 1
  %each_small = icmp ult i64 %each_total_1, {MOST}
  br i1 %each_small, label %each_new, label %refuse
each_new:
  %y = call ptr @new(ptr %self, ptr %x_descr, i64 %nd, ptr %index_dims)
  %bad = icmp eq ptr %y, null
  br i1 %bad, label %error, label %each_begin
each_begin:
{read("y_data", "y", _HEAD + _FIELD["data"])}
  %line = mul i64 %ko, %inner
  br label %one
one:
  %e = phi i64 [0, %each_begin], [%e1, %one_done]
  %o = phi i64 [0, %each_begin], [%o_next, %one_done]   ; which slice, and how much of it is done
  %done = phi i64 [0, %each_begin], [%done_next, %one_done]
  %i = phi i64 [0, %each_begin], [%i_next, %one_done]
  %e_more = icmp slt i64 %e, %each_total
  br i1 %e_more, label %one_, label %each_end
"""


def _pick_one() -> str:
    """One element."""
    return f"""
one_:
  %p_at = getelementptr i64, ptr %index_data, i64 %e
  %p = load i64, ptr %p_at
  %p_good = icmp ult i64 %p, %n
  br i1 %p_good, label %copy, label %outside
copy:
  %row_ = mul i64 %o, %n
  %row = add i64 %row_, %p
  %place_ = mul i64 %row, %inner
  %place = add i64 %place_, %i
  switch i64 %width, label %copy8 [i64 4, label %copy4 i64 1, label %copy1]
{"".join(_copied(width) for width in (8, 4, 1))}one_done:
  %e1 = add i64 %e, 1
  %done1 = add i64 %done, 1
  %i1 = add i64 %i, 1
  %i_over = icmp eq i64 %i1, %inner
  %i_next = select i1 %i_over, i64 0, i64 %i1
  %o_over = icmp eq i64 %done1, %line
  %done_next = select i1 %o_over, i64 0, i64 %done1
  %o1 = add i64 %o, 1
  %o_next = select i1 %o_over, i64 %o1, i64 %o
  br label %one
each_end:
  ret ptr %y
"""


def _copied(width: int) -> str:
    """An element of so many bytes, copied."""
    t = f"i{8 * width}"
    return f"""copy{width}:
  %from{width} = getelementptr {t}, ptr %x_data, i64 %place
  %to{width} = getelementptr {t}, ptr %y_data, i64 %e
  %v{width} = load {t}, ptr %from{width}
  store {t} %v{width}, ptr %to{width}
  br label %one_done
"""


def _pick_rows() -> str:
    """With a position for each row."""
    return f"""
row_sizes:  ; the dimensions of the index in the place of one of x's
  %k = call i64 @product(ptr %index_dims, i64 0, i64 %ndi)
  %before_bytes = mul i64 %dim, 8
  %index_bytes = mul i64 %ndi, 8
  %rest = sub i64 %nd, %after
  %rest_bytes = mul i64 %rest, 8
  %middle = getelementptr i64, ptr %shape, i64 %dim
  %last = getelementptr i64, ptr %middle, i64 %ndi
  %x_rest = getelementptr i64, ptr %x_dims, i64 %after
  call void @llvm.memcpy.p0.p0.i64(ptr %shape, ptr %x_dims, i64 %before_bytes, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %middle, ptr %index_dims, i64 %index_bytes, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %last, ptr %x_rest, i64 %rest_bytes, i1 false)
  %slice = mul i64 %outer, %inner
  %total = mul i64 %slice, %k
  %total_1 = sub i64 %total, 1  ; nothing is left to NumPy
  %small = icmp ult i64 %total_1, {MOST}
  br i1 %small, label %row_new, label %refuse
row_new:
  %nd_less = sub i64 %nd, 1
  %nd_y = add i64 %nd_less, %ndi
  %z = call ptr @new(ptr %self, ptr %x_descr, i64 %nd_y, ptr %shape)
  %z_bad = icmp eq ptr %z, null
  br i1 %z_bad, label %error, label %row_begin
row_begin:
{read("z_data", "z", _HEAD + _FIELD["data"])}
  %row_bytes = mul i64 %inner, %width
  br label %outer_one
"""


def _pick_row() -> str:
    """Row after row; and what is left to NumPy."""
    return """
outer_one:
  %u = phi i64 [0, %row_begin], [%u1, %outer_done]
  %u_more = icmp slt i64 %u, %outer
  br i1 %u_more, label %row_one, label %row_end
row_one:
  %j = phi i64 [0, %outer_one], [%j1, %row_copy]
  %j_more = icmp slt i64 %j, %k
  br i1 %j_more, label %row_look, label %outer_done
row_look:
  %q_at = getelementptr i64, ptr %index_data, i64 %j
  %q = load i64, ptr %q_at
  %q_good = icmp ult i64 %q, %n
  br i1 %q_good, label %row_copy, label %row_outside
row_copy:
  %from_ = mul i64 %u, %n
  %from_row = add i64 %from_, %q
  %from_bytes = mul i64 %from_row, %row_bytes
  %from = getelementptr i8, ptr %x_data, i64 %from_bytes
  %to_ = mul i64 %u, %k
  %to_row = add i64 %to_, %j
  %to_bytes = mul i64 %to_row, %row_bytes
  %to = getelementptr i8, ptr %z_data, i64 %to_bytes
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %row_bytes, i1 false)
  %j1 = add i64 %j, 1
  br label %row_one
outer_done:
  %u1 = add i64 %u, 1
  br label %outer_one
row_end:
  ret ptr %z
outside:
  call void @Py_DecRef(ptr %y)
  br label %refuse
row_outside:
  call void @Py_DecRef(ptr %z)
  br label %refuse
refuse:
  call void @Py_IncRef(ptr %none)
  ret ptr %none
error:
  ret ptr null
}
"""


def _unit() -> str:
    """Random numbers."""
    return _unit_begin() + _unit_numbers()


def _unit_begin() -> str:
    """The array, and one number after the other."""
    return f"""
; unit(words, double): numbers in [0, 1) of a row of words of 32 bits, each in 64; float64 of two, the first on top.
define ptr @unit(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {BYTES}
{load_words("f4", "f8", "true")}
  %shape = alloca i64
  %words = load ptr, ptr %args
{read("double_", "args", 8)}
{read("dims", "words", _HEAD + _FIELD["dims"])}
{read("data", "words", _HEAD + _FIELD["data"])}
  %count = load i64, ptr %dims
  %double = icmp eq ptr %double_, %true
  %half = lshr i64 %count, 1
  %n = select i1 %double, i64 %half, i64 %count
  %descr = select i1 %double, ptr %f8, ptr %f4
  store i64 %n, ptr %shape
  %y = call ptr @new(ptr %self, ptr %descr, i64 1, ptr %shape)
  %bad = icmp eq ptr %y, null
  br i1 %bad, label %end, label %begin
begin:
{read("to", "y", _HEAD + _FIELD["data"])}
  br label %one
one:
  %i = phi i64 [0, %begin], [%i1, %put]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %which, label %end
which:
  %i1 = add i64 %i, 1
  br i1 %double, label %of_two, label %of_one
"""


def _unit_numbers() -> str:
    """A number of one word, or of two."""
    return f"""
of_one:
  %w_at = getelementptr i64, ptr %data, i64 %i
  %w = load i64, ptr %w_at
  %low24 = and i64 %w, 16777215
  %single = sitofp i64 %low24 to float
  %scaled = fmul float %single, 0x{struct.pack(">d", 2.0**-24).hex().upper()}
  %single_at = getelementptr float, ptr %to, i64 %i
  store float %scaled, ptr %single_at
  br label %put
of_two:
  %i2 = mul i64 %i, 2
  %high_at = getelementptr i64, ptr %data, i64 %i2
  %low_at = getelementptr i64, ptr %high_at, i64 1
  %high = load i64, ptr %high_at
  %low = load i64, ptr %low_at
  %top = shl i64 %high, 32
  %long = or i64 %top, %low
  %low53 = and i64 %long, 9007199254740991
  %wide = sitofp i64 %low53 to double
  %scaled2 = fmul double %wide, 0x{struct.pack(">d", 2.0**-53).hex().upper()}
  %wide_at = getelementptr double, ptr %to, i64 %i
  store double %scaled2, ptr %wide_at
  br label %put
put:
  br label %one
end:
  ret ptr %y
}}
"""
