"""Whether the user gave a tensor attributes (`x.scale = 2`), asked by machine code: functions in LLVM for `entry_code`.

Some are kobai's own, such as what detach() notes for the error of a backward pass.
An object's attributes are in a dict that CPython makes on demand.  Up to then CPython 3.11 keeps them in a row of values,
which says how many there are; where that row is not where it is looked for, the dict is asked for.
"""
from __future__ import annotations

import ctypes
import functools

from kobai.backends.native import read
from kobai.tensor import _IN_THE_GRAPH, Tensor

DICT, _VALUES = -24, -16  # where an object has them: its dict, and the row
_COUNT = -2                # where a row of values says how many there are


@functools.cache
def keeps_values() -> bool:
    """Whether objects of this Python have a dict and a row of values where they are looked for."""
    if ctypes.sizeof(ctypes.c_void_p) != 8 or Tensor.__dictoffset__ >= 0:
        return False

    def word(offset):
        return ctypes.c_uint64.from_address(id(t) + offset).value

    def count():
        return ctypes.c_uint8.from_address(word(_VALUES) + _COUNT).value
    t = object.__new__(Tensor)
    if word(DICT) or not word(_VALUES):
        return False
    found = [count()]
    t.one = 1
    found.append(count())
    t.two = 2
    found.append(count())
    kept = t.__dict__
    return found == [0, 1, 2] and word(DICT) == id(kept) and len(kept) == 2


def is_plain() -> str:
    """The function of that name."""
    return _are_ours() + (_by_values() if keeps_values() else _BY_DICT)


def _are_ours() -> str:
    names = sorted(_IN_THE_GRAPH, key=lambda n: (len(n), n))  # _cut comes first, which every detached tensor has
    texts = "\n".join([f'@ours{i} = internal constant [{len(n) + 1} x i8] c"{n}\\00"' for i, n in enumerate(names)])
    tests = "\n".join([f"""name{i}:
  %order{i} = call i32 @PyUnicode_CompareWithASCIIString(ptr %key, ptr @ours{i})
  %same{i} = icmp eq i32 %order{i}, 0
  br i1 %same{i}, label %loop, label %{f"name{i + 1}" if i + 1 < len(names) else "clear"}""" for i in range(len(names))])
    return f"""
{texts}
declare ptr @PyObject_GenericGetDict(ptr, ptr)
declare i32 @PyUnicode_ReadChar(ptr, i64)
declare i32 @PyUnicode_CompareWithASCIIString(ptr, ptr)
declare void @PyErr_Clear()

; Whether all attributes of a tensor are kobai's.
define internal i1 @are_ours(ptr %t) nounwind noinline {{
entry:
  %place = alloca i64
  %key_at = alloca ptr
  %dict = call ptr @PyObject_GenericGetDict(ptr %t, ptr null)
  %failed = icmp eq ptr %dict, null
  br i1 %failed, label %clear, label %made
made:
  call void @Py_DecRef(ptr %dict)
  store i64 0, ptr %place
  br label %loop
loop:
  %got = call i32 @PyDict_Next(ptr %dict, ptr %place, ptr %key_at, ptr null)
  %is_item = icmp ne i32 %got, 0
  br i1 %is_item, label %item, label %yes
item:
  %key = load ptr, ptr %key_at
  %first = call i32 @PyUnicode_ReadChar(ptr %key, i64 0)
  %may_be = icmp eq i32 %first, 95
  br i1 %may_be, label %name0, label %clear
{tests}
yes:
  ret i1 true
clear:
  call void @PyErr_Clear()
  ret i1 false
}}
"""


def _by_values() -> str:
    return f"""
; Whether a tensor has no attributes of the user's.
define internal i1 @is_plain(ptr %t) nounwind {{
entry:
{read("dict", "t", DICT)}
  %is_made = icmp ne ptr %dict, null
  br i1 %is_made, label %made, label %row
made:
{read("size", "dict", 16, "i64")}
  %none = icmp eq i64 %size, 0
  br i1 %none, label %yes, label %some
row:
{read("values", "t", _VALUES)}
  %no_row = icmp eq ptr %values, null
  br i1 %no_row, label %yes, label %counted
counted:
  %count_at = getelementptr i8, ptr %values, i64 {_COUNT}
  %count = load i8, ptr %count_at
  %nothing = icmp eq i8 %count, 0
  br i1 %nothing, label %yes, label %some
some:
  %ours = call i1 @are_ours(ptr %t)
  ret i1 %ours
yes:
  ret i1 true
}}
"""


_BY_DICT = """
define internal i1 @is_plain(ptr %t) nounwind {
entry:
  %ours = call i1 @are_ours(ptr %t)
  ret i1 %ours
}
"""
