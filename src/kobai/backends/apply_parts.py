"""The parts of the native code of `kobai.backends.apply_code`: what is read of CPython's objects, and what is made."""
from __future__ import annotations

import types
from functools import partial

from kobai.autograd.node import Node
from kobai.backends.entry_checks import DICT_VERSION, KEEPS_VERSIONS
from kobai.backends.entry_code import OFFSETS, slot_offset
from kobai.backends.native import _FIELD, _HEAD, read, word
from kobai.op import Op

WORDS = ("otherwise", "learn", "inputs", "watched", "thread", "modes", "dict_name", "grad_name", "pack_name",
         "shape_name", "dtype_name", "none", "true", "false", "zero", "array_type", "float_type", "int_type",
         "scalar32", "scalar64", "descr32", "descr64", "tensor_types", "constant", "refresh", "share", "order", "getframe", "one",
         "inside", "tensor_type", "odd", "large")
RECORD = ("usable", "forward", "with_op", "least", "elementwise", "differentiable", "view", "node_type")  # then plans
PLAN = 3                             # of a plan: the rule, the address of its page (0: not known yet), the rule for large arrays
ONCE = -1                            # in place of `usable`: the op was applied once, nothing is known yet
VALUE, SHAPE, DTYPE = 0, 1, 2        # what is saved of a value
RESULT = 3                           # the number of the result among the values
KNOWN_TYPES = 4                      # subclasses of Tensor that are as plain
ITEMS = 24                           # where a tuple has its items, and a list the address of them
OWN = slot_offset(Op, "_native")
NODE = {name: slot_offset(Node, name) for name in ("op", "edges", "saved", "vjp", "fit", "where", "_order", "hooks", "extra")}
FILENAME = slot_offset(types.CodeType, "co_filename")

_word = partial(word, WORDS)


def load(*names: str, kind: str = "ptr") -> str:
    """Words of %self."""
    return "\n".join(f"  %{n}_at = {_word(n)}\n  %{n} = load {kind}, ptr %{n}_at" for n in names)


def _put(value: str, thing: str, offset: int, tag: str) -> str:
    """Write a pointer into an object's slot."""
    return f"  %{tag}_to = getelementptr i8, ptr %{thing}, i64 {offset}\n  store ptr %{value}, ptr %{tag}_to"


def of_record(*names: str) -> str:
    return "\n".join(read(n, "record", 8 * RECORD.index(n), "ptr" if n in ("forward", "node_type") else "i64") for n in names)


def parts() -> str:
    """The native functions that `apply` calls."""
    return "\n".join([_DECLARATIONS, _modes(), _kind(), _alike(), _where(), _saved(), _fit(), _tensor(), _node()])


_DECLARATIONS = """
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyObject_GetItem(ptr, ptr)
declare ptr @PyIter_Next(ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @PyThreadState_Get()
declare i64 @PyThreadState_GetID(ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare ptr @PyTuple_New(i64)
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLong(ptr)
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
    return f"""
; 1: ops are recorded, 0: they are not, -1: somebody wants to know what is saved.
define internal i64 @modes(ptr %self) nounwind {{
entry:
{load("thread", "modes", "dict_name", "grad_name", "pack_name", "none", "true", "false")}
  %dict_at = getelementptr i8, ptr %thread, i64 8
  %version_at = getelementptr i8, ptr %thread, i64 16
  %answer_at = getelementptr i8, ptr %thread, i64 24
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
{_put("code", "pair", ITEMS, "code")}
{_put("number", "pair", ITEMS + 8, "number")}
  ret ptr %pair
lost:
  call void @Py_DecRef(ptr %code)
  call void @Py_DecRef(ptr %f)
  br label %error
error:
  ret ptr null
}}
"""


def _saved() -> str:
    """What the rule asks for."""
    return f"""
; What a page asks for: how many values and version cells; what and of which value, each; which cells.
define internal ptr @saved(ptr %self, ptr %page, ptr %values, ptr %cells) nounwind {{
entry:
{load("shape_name", "dtype_name")}
  %value_count = load i64, ptr %page
{read("cell_count", "page", 8, "i64")}
  %list = getelementptr i64, ptr %page, i64 2
  %twice = mul i64 %value_count, 2
  %cell_list = getelementptr i64, ptr %list, i64 %twice
  %has_cells = icmp ne i64 %cell_count, 0
  %stamp = zext i1 %has_cells to i64
  %both = add i64 %value_count, %cell_count
  %all = add i64 %both, %stamp
  %tuple = call ptr @PyTuple_New(i64 %all)
  %items = getelementptr i8, ptr %tuple, i64 {ITEMS}
  br label %value
value:
  %i = phi i64 [0, %entry], [%i1, %put]
  %more = icmp slt i64 %i, %value_count
  br i1 %more, label %one, label %cell
one:
  %i2 = mul i64 %i, 2
  %at = getelementptr i64, ptr %list, i64 %i2
  %what = load i64, ptr %at
{read("number", "at", 8, "i64")}
  %from = getelementptr ptr, ptr %values, i64 %number
  %thing = load ptr, ptr %from
  switch i64 %what, label %itself [i64 {SHAPE}, label %its_shape
                                  i64 {DTYPE}, label %its_dtype]
itself:
  call void @Py_IncRef(ptr %thing)
  br label %put
its_shape:
  %shape = call ptr @PyObject_GetAttr(ptr %thing, ptr %shape_name)
  br label %asked
its_dtype:
  %dtype = call ptr @PyObject_GetAttr(ptr %thing, ptr %dtype_name)
  br label %asked
asked:
  %got = phi ptr [%shape, %its_shape], [%dtype, %its_dtype]
  %failed = icmp eq ptr %got, null
  br i1 %failed, label %error, label %put
put:
  %item = phi ptr [%thing, %itself], [%got, %asked]
  %to = getelementptr ptr, ptr %items, i64 %i
  store ptr %item, ptr %to
  %i1 = add i64 %i, 1
  br label %value
cell:
  %c = phi i64 [0, %value], [%c1, %cell_one]
  %sum = phi i64 [0, %value], [%sum1, %cell_one]
  %c_more = icmp slt i64 %c, %cell_count
  br i1 %c_more, label %cell_one, label %end
cell_one:
  %c_at = getelementptr i64, ptr %cell_list, i64 %c
  %c_number = load i64, ptr %c_at
  %c_from = getelementptr ptr, ptr %cells, i64 %c_number
  %c_cell = load ptr, ptr %c_from
  call void @Py_IncRef(ptr %c_cell)
  %c_place = add i64 %value_count, %c
  %c_to = getelementptr ptr, ptr %items, i64 %c_place
  store ptr %c_cell, ptr %c_to
{read("c_items", "c_cell", ITEMS)}
  %c_count = load ptr, ptr %c_items
  %c_now = call i64 @PyLong_AsLongLong(ptr %c_count)
  %sum1 = add i64 %sum, %c_now
  %c1 = add i64 %c, 1
  br label %cell
end:
  br i1 %has_cells, label %stamped, label %done
stamped:
  %s = call ptr @PyLong_FromLongLong(i64 %sum)
  %s_to = getelementptr ptr, ptr %items, i64 %both
  store ptr %s, ptr %s_to
  br label %done
done:
  ret ptr %tuple
error:
  call void @Py_DecRef(ptr %tuple)
  ret ptr null
}}
"""


def _fit() -> str:
    """The shapes of inputs that were broadcast."""
    return f"""
; A shape for each input that is not of the result's shape (numbers are of any); None where all are.
define internal ptr @fit(ptr %self, ptr %values, ptr %tensors, i64 %count) nounwind {{
entry:
{load("none", "shape_name")}
  %y_at = getelementptr ptr, ptr %values, i64 {RESULT}
  %y = load ptr, ptr %y_at
  br label %look
look:
  %i = phi i64 [0, %entry], [%i1, %next]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %one, label %all
one:
  %at = getelementptr ptr, ptr %values, i64 %i
  %x = load ptr, ptr %at
  %t_at = getelementptr ptr, ptr %tensors, i64 %i
  %t = load ptr, ptr %t_at
  %number = icmp eq ptr %t, null
  br i1 %number, label %next, label %compare
compare:
  %same = call i1 @alike(ptr %self, ptr %x, ptr %y)
  br i1 %same, label %next, label %differ
next:
  %i1 = add i64 %i, 1
  br label %look
all:
  call void @Py_IncRef(ptr %none)
  ret ptr %none
differ:
  %tuple = call ptr @PyTuple_New(i64 %count)
  br label %fill
fill:
  %k = phi i64 [0, %differ], [%k1, %put]
  %k_more = icmp slt i64 %k, %count
  br i1 %k_more, label %entry_, label %done
entry_:
  %k_at = getelementptr ptr, ptr %values, i64 %k
  %kx = load ptr, ptr %k_at
  %kt_at = getelementptr ptr, ptr %tensors, i64 %k
  %kt = load ptr, ptr %kt_at
  %k_number = icmp eq ptr %kt, null
  br i1 %k_number, label %fits, label %k_compare
k_compare:
  %k_same = call i1 @alike(ptr %self, ptr %kx, ptr %y)
  br i1 %k_same, label %fits, label %has
fits:
  call void @Py_IncRef(ptr %none)
  br label %put
has:
  %shape = call ptr @PyObject_GetAttr(ptr %kx, ptr %shape_name)
  br label %put
put:
  %item = phi ptr [%none, %fits], [%shape, %has]
  %items = getelementptr i8, ptr %tuple, i64 {ITEMS}
  %to = getelementptr ptr, ptr %items, i64 %k
  store ptr %item, ptr %to
  %k1 = add i64 %k, 1
  br label %fill
done:
  ret ptr %tuple
}}
"""


def _tensor() -> str:
    """A new Tensor without history."""
    return f"""
; A new Tensor on a value, whose reference it takes.
define internal ptr @tensor(ptr %self, ptr %value) nounwind {{
entry:
{load("tensor_type", "none", "false", "zero")}
  %t = call ptr @PyType_GenericAlloc(ptr %tensor_type, i64 0)
  %bad = icmp eq ptr %t, null
  br i1 %bad, label %no, label %fill
fill:
{_put("value", "t", OFFSETS["_data"], "data")}
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %false)
  call void @Py_IncRef(ptr %zero)
{_put("none", "t", OFFSETS["_base"], "base")}
{_put("none", "t", OFFSETS["_grad"], "grad")}
{_put("none", "t", OFFSETS["_node"], "node")}
{_put("false", "t", OFFSETS["_rg"], "rg")}
  %cell = call ptr @PyList_New(i64 2)
{read("items", "cell", ITEMS)}
  store ptr %zero, ptr %items
{_put("none", "items", 8, "second")}
{_put("cell", "t", OFFSETS["_ver"], "ver")}
  ret ptr %t
no:
  call void @Py_DecRef(ptr %value)
  ret ptr null
}}
"""


def _node() -> str:
    """The node of a result."""
    return f"""
; Give a result its node; -1 where that raised.
define internal i32 @node(ptr %self, ptr %record, ptr %op, ptr %plan, i64 %needs, ptr %tensors, ptr %values, ptr %cells,
                          i64 %count, ptr %out, i1 %big) nounwind {{
entry:
{load("none", "true", "false", "order")}
{of_record("node_type", "elementwise")}
  %small_vjp = load ptr, ptr %plan
{read("page", "plan", 8)}
{read("large_vjp", "plan", 16)}
  %vjp = select i1 %big, ptr %large_vjp, ptr %small_vjp
  %node = call ptr @PyType_GenericAlloc(ptr %node_type, i64 0)
  %bad = icmp eq ptr %node, null
  br i1 %bad, label %error, label %fill
fill:
  call void @Py_IncRef(ptr %op)
  call void @Py_IncRef(ptr %vjp)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
{_put("op", "node", NODE["op"], "op")}
{_put("vjp", "node", NODE["vjp"], "vjp")}
{_put("none", "node", NODE["hooks"], "hooks")}
{_put("none", "node", NODE["extra"], "extra")}
  %edges = call ptr @PyTuple_New(i64 %count)
{_put("edges", "node", NODE["edges"], "edges")}
  %items = getelementptr i8, ptr %edges, i64 {ITEMS}
  br label %edge
edge:
  %i = phi i64 [0, %fill], [%i1, %put]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %one, label %rest
one:
  %bit = lshr i64 %needs, %i
  %low = and i64 %bit, 1
  %wanted = icmp ne i64 %low, 0
  br i1 %wanted, label %producer, label %put
producer:
  %t_at = getelementptr ptr, ptr %tensors, i64 %i
  %t = load ptr, ptr %t_at
{read("made_by", "t", OFFSETS["_node"])}
  %leaf = icmp eq ptr %made_by, %none
  %whence = select i1 %leaf, ptr %t, ptr %made_by
  br label %put
put:
  %item = phi ptr [%none, %one], [%whence, %producer]
  call void @Py_IncRef(ptr %item)
  %to = getelementptr ptr, ptr %items, i64 %i
  store ptr %item, ptr %to
  %i1 = add i64 %i, 1
  br label %edge
rest:
  %broadcasts = icmp ne i64 %elementwise, 0
  br i1 %broadcasts, label %fitted, label %unfitted
unfitted:
  call void @Py_IncRef(ptr %none)
  br label %fit
fitted:
  %shapes = call ptr @fit(ptr %self, ptr %values, ptr %tensors, i64 %count)
  br label %fit
fit:
  %fits = phi ptr [%none, %unfitted], [%shapes, %fitted]
{_put("fits", "node", NODE["fit"], "fit")}
  %saved = call ptr @saved(ptr %self, ptr %page, ptr %values, ptr %cells)
  %unsaved = icmp eq ptr %saved, null
  br i1 %unsaved, label %drop, label %place
place:
{_put("saved", "node", NODE["saved"], "saved")}
  %where = call ptr @where(ptr %self)
  %nowhere = icmp eq ptr %where, null
  br i1 %nowhere, label %drop, label %number
number:
{_put("where", "node", NODE["where"], "where")}
  %turn = call ptr @PyIter_Next(ptr %order)
{_put("turn", "node", NODE["_order"], "order")}
{_put("node", "out", OFFSETS["_node"], "node")}
  call void @Py_DecRef(ptr %none)
  call void @Py_IncRef(ptr %true)
{_put("true", "out", OFFSETS["_rg"], "rg")}
  call void @Py_DecRef(ptr %false)
  ret i32 0
drop:
  call void @Py_DecRef(ptr %node)
  br label %error
error:
  ret i32 -1
}}
"""
