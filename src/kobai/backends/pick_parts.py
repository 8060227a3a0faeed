"""What machine code for small arrays (`pick.py`, `pick_top.py`) needs: its words, what an array is, how one is made."""
from __future__ import annotations

from kobai.backends.native import _FIELD, _HEAD, read, word

WORDS = ("array_type", "f4", "f8", "i8", "b1", "new_from", "none", "true")
MOST = 1 << 15        # elements of a result; other code serves more, by all threads
DIMS = 32
BYTES = bytes.__basicsize__ - 1
DECLARATIONS = """
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyTuple_New(i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""


def load_words(*names) -> str:
    """Words of %self, as pointers."""
    return "\n".join(f"  %{n}_at = {word(WORDS, n)}\n  %{n} = load ptr, ptr %{n}_at" for n in names)


def plain() -> str:
    """What an array is, and how many elements some of its dimensions have."""
    return f"""
; The bytes of an element of an array that is contiguous and of a known type; 0 for anything else.
define internal i64 @width(ptr %self, ptr %value) nounwind {{
entry:
{load_words("array_type", "f4", "f8", "i8", "b1")}
{read("type", "value", _HEAD - 8)}
  %is_array = icmp eq ptr %type, %array_type
  br i1 %is_array, label %array, label %no
array:
{read("flags", "value", _HEAD + _FIELD["flags"], "i32")}
{read("descr", "value", _HEAD + _FIELD["descr"])}
  %bits = and i32 %flags, 257
  %good = icmp eq i32 %bits, 257
  %is4 = icmp eq ptr %descr, %f4
  %is8 = icmp eq ptr %descr, %f8
  %isi = icmp eq ptr %descr, %i8
  %is1 = icmp eq ptr %descr, %b1
  %wide = or i1 %is8, %isi
  %of8 = select i1 %wide, i64 8, i64 0
  %of4 = select i1 %is4, i64 4, i64 %of8
  %of1 = select i1 %is1, i64 1, i64 %of4
  %bytes = select i1 %good, i64 %of1, i64 0
  ret i64 %bytes
no:
  ret i64 0
}}

; The product of dims[from], ..., dims[to - 1].
define internal i64 @product(ptr %dims, i64 %from, i64 %to) nounwind {{
entry:
  br label %loop
loop:
  %d = phi i64 [%from, %entry], [%d1, %body]
  %n = phi i64 [1, %entry], [%n1, %body]
  %more = icmp slt i64 %d, %to
  br i1 %more, label %body, label %done
body:
  %at = getelementptr i64, ptr %dims, i64 %d
  %size = load i64, ptr %at
  %n1 = mul i64 %n, %size
  %d1 = add i64 %d, 1
  br label %loop
done:
  ret i64 %n
}}

; A new array of a type and shape.
define internal ptr @new(ptr %self, ptr %descr, i64 %nd, ptr %dims) nounwind {{
{load_words("array_type", "new_from")}
  call void @Py_IncRef(ptr %descr)
  %rank = trunc i64 %nd to i32
  %y = call ptr %new_from(ptr %array_type, ptr %descr, i32 %rank, ptr %dims, ptr null, ptr null, i32 0, ptr null)
  ret ptr %y
}}
"""
