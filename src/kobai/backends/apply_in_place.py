"""The native code of `kobai.backends.apply` for changes in place: `w -= lr * g`, as `kobai.inplace.inplace_op` does them.

Only where NumPy's function can write the result at once and nothing is recorded: all else is left to Python.
"""
from __future__ import annotations

from kobai.backends.apply_parts import ITEMS, ONCE, OWN, load, of_record
from kobai.backends.entry_code import OFFSETS
from kobai.backends.native import _BYTES, _HEAD, read


def in_place() -> str:
    """The native function: of an op, a tensor, and a tensor or number if the op takes one."""
    return "".join([_begins(), _target(), _operand(), _changed()])


def _begins() -> str:
    """Whether there is something to do here, and what is known of the op."""
    return f"""
define ptr @in_place(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{load("otherwise", "learn", "none", "true", "watched", "float_type", "int_type", "array_type")}
  %call = alloca [4 x ptr]  ; a free place, the array, what it is changed by, the array
  %values = getelementptr ptr, ptr %call, i64 1
  %by_at = getelementptr ptr, ptr %call, i64 2
  %count = sub i64 %given, 1
  %one = icmp eq i64 %count, 1
  %two = icmp eq i64 %count, 2
  %enough = or i1 %one, %two
  %recording = load i64, ptr %watched
  %alone = icmp eq i64 %recording, 0
  %begin = and i1 %enough, %alone
  br i1 %begin, label %known, label %otherwise_
known:
  %op = load ptr, ptr %args
{read("learned_of", "op", OWN)}
  %unknown = icmp eq ptr %learned_of, null
  br i1 %unknown, label %learn_, label %known_
known_:
{read("page", "learned_of", ITEMS)}
  %record = getelementptr i8, ptr %page, i64 {_BYTES}
{of_record("usable", "ufunc")}
  %once = icmp eq i64 %usable, {ONCE}
  br i1 %once, label %learn_, label %able
able:
  %right = icmp eq i64 %usable, %count
  %has = icmp ne ptr %ufunc, null
  %ready = and i1 %right, %has
  br i1 %ready, label %mode, label %otherwise_
mode:
  %recorded = call i64 @modes(ptr %self)
  %odd_mode = icmp slt i64 %recorded, 0
  br i1 %odd_mode, label %otherwise_, label %target
"""


def _target() -> str:
    """The tensor that is changed."""
    return f"""
target:
  %a_at = getelementptr ptr, ptr %args, i64 1
  %a = load ptr, ptr %a_at
  %is_plain = call i1 @plain(ptr %self, ptr %a)
  br i1 %is_plain, label %whole, label %otherwise_
whole:
{read("base", "a", OFFSETS["_base"])}
{read("x", "a", OFFSETS["_data"])}
{read("a_rg", "a", OFFSETS["_rg"])}
  %no_view = icmp eq ptr %base, %none
  %on = icmp ne i64 %recorded, 0
  %a_needs = icmp eq ptr %a_rg, %true
  %a_recorded = and i1 %on, %a_needs
  %a_free = xor i1 %a_recorded, true
  %a_good = and i1 %no_view, %a_free
  br i1 %a_good, label %filled, label %otherwise_
filled:
  %empty = icmp eq ptr %x, null
  br i1 %empty, label %otherwise_, label %array
array:
{read("x_type", "x", _HEAD - 8)}
  %is_array = icmp eq ptr %x_type, %array_type
  br i1 %is_array, label %float, label %otherwise_
float:
  %kind = call ptr @kind(ptr %self, ptr %x)
  %no_kind = icmp eq ptr %kind, null
  br i1 %no_kind, label %otherwise_, label %operand
"""


def _operand() -> str:
    """What it is changed by."""
    return f"""
operand:
  store ptr %x, ptr %values
  br i1 %one, label %alone_, label %second
alone_:
  store ptr %x, ptr %by_at
  br label %hold
second:
  %b_at = getelementptr ptr, ptr %args, i64 2
  %b = load ptr, ptr %b_at
  %b_plain = call i1 @plain(ptr %self, ptr %b)
  br i1 %b_plain, label %tensor, label %number
number:
{read("b_type", "b", _HEAD - 8)}
  %is_float = icmp eq ptr %b_type, %float_type
  %is_int = icmp eq ptr %b_type, %int_type
  %is_number = or i1 %is_float, %is_int
  br i1 %is_number, label %put, label %otherwise_
tensor:
{read("y", "b", OFFSETS["_data"])}
{read("b_rg", "b", OFFSETS["_rg"])}
{read("b_base", "b", OFFSETS["_base"])}
  %b_needs_ = icmp eq ptr %b_rg, %true
  %b_view = icmp ne ptr %b_base, %none  ; it may have to take its base's history
  %b_needs = or i1 %b_needs_, %b_view
  %b_recorded = and i1 %on, %b_needs
  %no_y = icmp eq ptr %y, null
  %b_bad = or i1 %b_recorded, %no_y
  br i1 %b_bad, label %otherwise_, label %same
same:
  %y_kind = call ptr @kind(ptr %self, ptr %y)
  %alike = icmp eq ptr %y_kind, %kind
  br i1 %alike, label %put, label %otherwise_
put:
  %by = phi ptr [%b, %number], [%y, %same]
  store ptr %by, ptr %by_at
  br label %hold
"""


def _changed() -> str:
    """NumPy's function, the version and where it was changed."""
    return f"""
hold:
  %changing = phi ptr [%x, %alone_], [%by, %put]
  %last_at = getelementptr ptr, ptr %values, i64 %count
  store ptr %x, ptr %last_at
  call void @Py_IncRef(ptr %x)
  call void @Py_IncRef(ptr %changing)
  %arguments = add i64 %count, 1
  %flagged = or i64 %arguments, {-1 << 63}
  %result = call ptr @PyObject_Vectorcall(ptr %ufunc, ptr %values, i64 %flagged, ptr null)
  call void @Py_DecRef(ptr %changing)
  call void @Py_DecRef(ptr %x)
  %raised = icmp eq ptr %result, null
  br i1 %raised, label %wrong, label %changed
wrong:  ; Python tries once more, and says what is wrong
  %value_error = load ptr, ptr @PyExc_ValueError
  %is_value = call i32 @PyErr_ExceptionMatches(ptr %value_error)
  %explained = icmp ne i32 %is_value, 0
  br i1 %explained, label %explain, label %failed
explain:
  call void @PyErr_Clear()
  br label %otherwise_
changed:
  call void @Py_DecRef(ptr %result)
  %where = call ptr @where(ptr %self)
  %nowhere = icmp eq ptr %where, null
  br i1 %nowhere, label %failed, label %counted
counted:
{read("cell", "a", OFFSETS["_ver"])}
{read("items", "cell", ITEMS)}
  %before = load ptr, ptr %items
  %number_before = call i64 @PyLong_AsLongLong(ptr %before)
  %number_now = add i64 %number_before, 1
  %now = call ptr @PyLong_FromLongLong(i64 %number_now)
  %set = call i32 @PyList_SetItem(ptr %cell, i64 0, ptr %now)
  %set_where = call i32 @PyList_SetItem(ptr %cell, i64 1, ptr %where)
  call void @Py_IncRef(ptr %a)
  ret ptr %a
failed:
  ret ptr null
learn_:
  %learned = call ptr @PyObject_Vectorcall(ptr %learn, ptr %args, i64 %given, ptr null)
  ret ptr %learned
otherwise_:
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise, ptr %args, i64 %given, ptr null)
  ret ptr %other
}}
"""
