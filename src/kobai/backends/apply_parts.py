"""What the native code of `kobai.backends.apply_code` knows of CPython's objects and reads of them."""
from __future__ import annotations

import types
from functools import partial

from kobai.autograd.node import Node
from kobai.backends.entry_checks import DICT_VERSION, KEEPS_VERSIONS
from kobai.backends.entry_code import slot_offset
from kobai.backends.native import _FIELD, _HEAD, read, word
from kobai.op import Op

FORM_WORDS = ("str_type", "dtype_type", "size_type", "list_type", "dict_type", "slice_type", "ellipsis",
              "ranks", "missing", "any", "table", "settings")            # see apply_form.py
WORDS = ("otherwise", "learn", "inputs", "watched", "thread", "modes", "dict_name", "grad_name", "pack_name",
         "shape_name", "dtype_name", "none", "true", "false", "zero", "array_type", "float_type", "int_type",
         "scalar32", "scalar64", "descr32", "descr64", "tensor_types", "constant", "refresh", "share", "order", "getframe", "one",
         "inside", "tensor_type", "odd_way", "large1", "large2", "large3", "chain_name", "seen_name", "rebased_name",
         "autocast_name", "tuple_type", "descr_int", "descr_bool", "scalar_int", "scalar_bool", "seeds", "parts", *FORM_WORDS)
RECORD = ("usable", "forward", "with_op", "least", "elementwise", "differentiable", "view", "node_type",
          "ufunc", "commons", "loose", "floats", "several", "pace")  # then plans
PLAN = 3                             # of a plan: the rule, the address of its page (0: not known yet), the rule for large arrays
ONCE = -1                            # in place of `usable`: the op was applied once, nothing is known yet
VALUE, SHAPE, DTYPE = 0, 1, 2        # what is saved of a value
RESULT = 16                          # the number of the result among the values
VARIADIC = -2                        # in place of `usable`: of any number of inputs
KNOWN_TYPES = 4                      # subclasses of Tensor that are as plain
ITEMS = 24                           # where a tuple has its items, and a list the address of them
BASE = 32                            # where an array has what owns its memory
OWN = slot_offset(Op, "_native")
NODE = {name: slot_offset(Node, name) for name in ("op", "edges", "saved", "vjp", "fit", "where", "_order", "hooks", "extra")}
FILENAME = slot_offset(types.CodeType, "co_filename")

_word = partial(word, WORDS)


def load(*names: str, kind: str = "ptr") -> str:
    """Words of %self."""
    return "\n".join(f"  %{n}_at = {_word(n)}\n  %{n} = load {kind}, ptr %{n}_at" for n in names)


def put(value: str, thing: str, offset: int, tag: str) -> str:
    """Write a pointer into an object's slot."""
    return f"  %{tag}_to = getelementptr i8, ptr %{thing}, i64 {offset}\n  store ptr %{value}, ptr %{tag}_to"


def of_record(*names: str) -> str:
    """Words of %record."""
    objects = "forward", "node_type", "ufunc", "pace"
    return "\n".join(read(n, "record", 8 * RECORD.index(n), "ptr" if n in objects else "i64") for n in names)


def parts() -> str:
    """The native functions that look at things."""
    return "\n".join([_DECLARATIONS, _modes(), _plain(), _kind(), _ordinary(), _numbers(), _alike(), _where()])


_DECLARATIONS = """
declare ptr @PyObject_GetAttr(ptr, ptr)
declare i32 @PyObject_SetAttr(ptr, ptr, ptr)
declare ptr @PyObject_GetItem(ptr, ptr)
declare ptr @PyIter_Next(ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @PyThreadState_Get()
declare i64 @PyThreadState_GetID(ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyTuple_New(i64)
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyErr_Occurred()
declare ptr @PyFrame_GetCode(ptr)
declare ptr @PyFrame_GetBack(ptr)
declare i32 @PyFrame_GetLasti(ptr)
declare i32 @PyErr_ExceptionMatches(ptr)
declare void @PyErr_Clear()
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare i32 @memcmp(ptr, ptr, i64)
@PyExc_TypeError = external global ptr
@PyExc_ValueError = external global ptr
"""


def _modes() -> str:
    """What this thread records."""
    return "".join([_known_modes(), _modes_now()])


def _known_modes() -> str:
    """The answer of the last time, if the thread's modes have not been changed."""
    return f"""
; 1: ops are recorded, 0: they are not, -1: somebody wants to know what is saved.
define internal i64 @modes(ptr %self) nounwind {{
entry:
{load("thread", "modes", "dict_name", "grad_name", "pack_name", "autocast_name", "none", "true", "false")}
  %dict_at = getelementptr i8, ptr %thread, i64 8
  %version_at = getelementptr i8, ptr %thread, i64 16
  %answer_at = getelementptr i8, ptr %thread, i64 24
  %autocast_at = getelementptr i8, ptr %thread, i64 32
  br i1 {str(KEEPS_VERSIONS).lower()}, label %known, label %look
known:  ; the modes of this thread have not been changed since they were looked at
  %state = call ptr @PyThreadState_Get()
  %id = call i64 @PyThreadState_GetID(ptr %state)
  %known_id = load i64, ptr %thread
  %dict = load ptr, ptr %dict_at
  %version = load i64, ptr %version_at
  %answer = load i64, ptr %answer_at
  %same = icmp eq i64 %id, %known_id
  br i1 %same, label %unchanged, label %look
unchanged:
{read("now", "dict", DICT_VERSION, "i64")}
  %still = icmp eq i64 %now, %version
  br i1 %still, label %answered, label %look
answered:
  ret i64 %answer
"""


def _modes_now() -> str:
    """The modes, looked up and kept."""
    return f"""
look:
  %id_ = phi i64 [-1, %entry], [%id, %known], [%id, %unchanged]
  %pack = call ptr @PyObject_GetAttr(ptr %modes, ptr %pack_name)
  %no_pack = icmp eq ptr %pack, null
  br i1 %no_pack, label %error, label %packed
packed:
  call void @Py_DecRef(ptr %pack)
  %plain = icmp eq ptr %pack, %none
  %grad = call ptr @PyObject_GetAttr(ptr %modes, ptr %grad_name)
  %no_grad = icmp eq ptr %grad, null
  br i1 %no_grad, label %error, label %graded
graded:
  call void @Py_DecRef(ptr %grad)
  %on = icmp eq ptr %grad, %true
  %off = icmp eq ptr %grad, %false
  %known_grad = or i1 %on, %off
  %usual = and i1 %known_grad, %plain
  %on_ = zext i1 %on to i64
  %found = select i1 %usual, i64 %on_, i64 -1
  br i1 {str(KEEPS_VERSIONS).lower()}, label %keep, label %done
keep:
  %own = call ptr @PyObject_GetAttr(ptr %modes, ptr %dict_name)
  %no_own = icmp eq ptr %own, null
  br i1 %no_own, label %error, label %kept
kept:
  %cast = call ptr @PyObject_GetAttr(ptr %modes, ptr %autocast_name)
  %no_cast = icmp eq ptr %cast, null
  br i1 %no_cast, label %drop, label %cast_known
drop:
  call void @Py_DecRef(ptr %own)
  br label %error
cast_known:
  call void @Py_DecRef(ptr %cast)
  %casts = icmp ne ptr %cast, %false
  %casts_ = zext i1 %casts to i64
  store i64 %casts_, ptr %autocast_at
{read("seen", "own", DICT_VERSION, "i64")}
  store i64 %id_, ptr %thread
  store ptr %own, ptr %dict_at
  store i64 %seen, ptr %version_at
  store i64 %found, ptr %answer_at
  call void @Py_DecRef(ptr %own)
  br label %done
done:
  ret i64 %found
error:
  call void @PyErr_Clear()
  ret i64 -1
}}
"""


def _plain() -> str:
    """Whether something is a plain tensor."""
    return f"""
define internal i1 @plain(ptr %self, ptr %thing) nounwind {{
entry:
{load("tensor_types")}
{read("type", "thing", _HEAD - 8)}
  br label %look
look:
  %k = phi i64 [0, %entry], [%k1, %other]
  %at = getelementptr ptr, ptr %tensor_types, i64 %k
  %known = load ptr, ptr %at
  %is = icmp eq ptr %type, %known
  br i1 %is, label %yes, label %other
other:
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, {KNOWN_TYPES}
  br i1 %more, label %look, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}
"""


def _kind() -> str:
    """What an array or NumPy number is."""
    return f"""
; The number type of an array of float32 or float64, or of such a number; null for anything else.
define internal ptr @kind(ptr %self, ptr %value) nounwind {{
entry:
{load("array_type", "scalar32", "scalar64", "descr32", "descr64")}
{read("type", "value", _HEAD - 8)}
  %is_array = icmp eq ptr %type, %array_type
  br i1 %is_array, label %array, label %number
number:
  %is32 = icmp eq ptr %type, %scalar32
  %is64 = icmp eq ptr %type, %scalar64
  %of64 = select i1 %is64, ptr %descr64, ptr null
  %of_number = select i1 %is32, ptr %descr32, ptr %of64
  ret ptr %of_number
array:
{read("descr", "value", _HEAD + _FIELD["descr"])}
  %a32 = icmp eq ptr %descr, %descr32
  %a64 = icmp eq ptr %descr, %descr64
  %float = or i1 %a32, %a64
  %of_array = select i1 %float, ptr %descr, ptr null
  ret ptr %of_array
}}

; How many elements an array has; 0 for a number.
define internal i64 @size(ptr %self, ptr %value) nounwind {{
entry:
  %nd = call i32 @rank(ptr %self, ptr %value)
  %flat = icmp eq i32 %nd, 0
  br i1 %flat, label %number, label %array
number:
  ret i64 0
array:
{read("dims", "value", _HEAD + _FIELD["dims"])}
  br label %dim
dim:
  %i = phi i32 [0, %array], [%i1, %next]
  %size = phi i64 [1, %array], [%more, %next]
  %going = icmp slt i32 %i, %nd
  br i1 %going, label %next, label %measured
next:
  %place = getelementptr i64, ptr %dims, i32 %i
  %n = load i64, ptr %place
  %more = mul i64 %size, %n
  %i1 = add i32 %i, 1
  br label %dim
measured:
  ret i64 %size
}}
"""


def _ordinary() -> str:
    """The number types in which everything is computed as it is, but for small whole numbers."""
    return f"""
; The number type of an array or NumPy number of float32, float64, int64 or bool; null for anything else.
define internal ptr @ordinary(ptr %self, ptr %value) nounwind {{
entry:
  %float = call ptr @kind(ptr %self, ptr %value)
  %no_float = icmp eq ptr %float, null
  br i1 %no_float, label %other, label %found
found:
  ret ptr %float
other:
{load("array_type", "descr_int", "descr_bool")}
{read("type", "value", _HEAD - 8)}
  %is_array = icmp eq ptr %type, %array_type
  br i1 %is_array, label %array, label %number
number:
{load("scalar_int", "scalar_bool")}
  %is_int = icmp eq ptr %type, %scalar_int
  %is_bool = icmp eq ptr %type, %scalar_bool
  %of_bool = select i1 %is_bool, ptr %descr_bool, ptr null
  %of_number = select i1 %is_int, ptr %descr_int, ptr %of_bool
  ret ptr %of_number
array:
{read("descr", "value", _HEAD + _FIELD["descr"])}
  %a_int = icmp eq ptr %descr, %descr_int
  %a_bool = icmp eq ptr %descr, %descr_bool
  %known = or i1 %a_int, %a_bool
  %of_array = select i1 %known, ptr %descr, ptr null
  ret ptr %of_array
}}

"""


def _numbers() -> str:
    """Whether whole numbers are ordinary ones."""
    return """
; Whether a Python number among two values has 64 bits at most.
define internal i1 @numbers_fit(ptr %values, ptr %tensors) nounwind {
entry:
  %first = load ptr, ptr %tensors
  %first_number = icmp eq ptr %first, null
  %place = select i1 %first_number, i64 0, i64 1
  %at = getelementptr ptr, ptr %values, i64 %place
  %number = load ptr, ptr %at
  %value = call i64 @PyLong_AsLongLong(ptr %number)
  %minus = icmp eq i64 %value, -1
  br i1 %minus, label %maybe, label %yes
maybe:
  %error = call ptr @PyErr_Occurred()
  %good = icmp eq ptr %error, null
  br i1 %good, label %yes, label %no
no:
  call void @PyErr_Clear()
  ret i1 false
yes:
  ret i1 true
}
"""


def _alike() -> str:
    """Whether two arrays have the same shape."""
    return f"""
define internal i32 @rank(ptr %self, ptr %value) nounwind {{
{load("array_type")}
{read("type", "value", _HEAD - 8)}
  %is_array = icmp eq ptr %type, %array_type
  br i1 %is_array, label %array, label %number
array:
{read("nd", "value", _HEAD + _FIELD["nd"], "i32")}
  ret i32 %nd
number:
  ret i32 0
}}

define internal i1 @alike(ptr %self, ptr %a, ptr %b) nounwind {{
  %na = call i32 @rank(ptr %self, ptr %a)
  %nb = call i32 @rank(ptr %self, ptr %b)
  %same = icmp eq i32 %na, %nb
  br i1 %same, label %ranks, label %no
ranks:
  %flat = icmp eq i32 %na, 0
  br i1 %flat, label %yes, label %dims
dims:
{read("da", "a", _HEAD + _FIELD["dims"])}
{read("db", "b", _HEAD + _FIELD["dims"])}
  %n = zext i32 %na to i64
  %bytes = mul i64 %n, 8
  %differ = call i32 @memcmp(ptr %da, ptr %db, i64 %bytes)
  %equal = icmp eq i32 %differ, 0
  ret i1 %equal
yes:
  ret i1 true
no:
  ret i1 false
}}
"""


def _where() -> str:
    """The user's line."""
    return f"""
; (code, instruction) of the innermost frame outside kobai; who called is inside.
define internal ptr @where(ptr %self) nounwind {{
entry:
{load("getframe", "one", "inside", "true")}
  %argument = alloca ptr
  store ptr %one, ptr %argument
  %first = call ptr @PyObject_Vectorcall(ptr %getframe, ptr %argument, i64 1, ptr null)
  %none = icmp eq ptr %first, null
  br i1 %none, label %error, label %frame
frame:
  %f = phi ptr [%first, %entry], [%back, %outer]
  %code = call ptr @PyFrame_GetCode(ptr %f)
{read("filename", "code", FILENAME)}
  %own = call ptr @PyObject_GetItem(ptr %inside, ptr %filename)
  %failed = icmp eq ptr %own, null
  br i1 %failed, label %lost, label %told
told:
  call void @Py_DecRef(ptr %own)
  %is_own = icmp eq ptr %own, %true
  br i1 %is_own, label %up, label %here
up:
  %back = call ptr @PyFrame_GetBack(ptr %f)
  %top = icmp eq ptr %back, null
  br i1 %top, label %here, label %outer
outer:
  call void @Py_DecRef(ptr %code)
  call void @Py_DecRef(ptr %f)
  br label %frame
here:
  %at = call i32 @PyFrame_GetLasti(ptr %f)
  call void @Py_DecRef(ptr %f)
  %wide = sext i32 %at to i64
  %number = call ptr @PyLong_FromLongLong(i64 %wide)
  %pair = call ptr @PyTuple_New(i64 2)
{put("code", "pair", ITEMS, "code")}
{put("number", "pair", ITEMS + 8, "number")}
  ret ptr %pair
lost:
  call void @Py_DecRef(ptr %code)
  call void @Py_DecRef(ptr %f)
  br label %error
error:
  ret ptr null
}}
"""
