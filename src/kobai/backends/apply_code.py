"""The native code of `kobai.backends.apply`: the short ways of `kobai.op` in LLVM, for any op of one to three inputs.

`apply` is given its words (`WORDS`) as a bytes object, and reads of the op a record (`RECORD`, also bytes), to which
belongs, for each set of inputs that require grad, a rule and a page that says what the rule wants saved.  What is out
of the ordinary in any way it leaves to `otherwise`, the Python function; nothing has happened by then.
"""
from __future__ import annotations

import types
from functools import partial

from kobai.autograd.node import Node
from kobai.backends.entry_checks import DICT_VERSION, KEEPS_VERSIONS
from kobai.backends.entry_code import OFFSETS, slot_offset
from kobai.backends.native import _BYTES, _FIELD, _HEAD, read, word
from kobai.op import Op

WORDS = ("otherwise", "learn", "inputs", "watched", "thread", "modes", "dict_name", "grad_name", "pack_name",
         "shape_name", "dtype_name", "none", "true", "false", "zero", "array_type", "float_type", "int_type",
         "scalar32", "scalar64", "descr32", "descr64", "tensor_types", "constant", "refresh", "share", "order", "getframe", "one",
         "inside", "tensor_type", "odd")
RECORD = ("usable", "forward", "with_op", "least", "elementwise", "differentiable", "view", "node_type")  # then plans
PLAN = 2                             # words of a plan: the rule, the address of its page (0: not known yet; -1: never)
VALUE, SHAPE, DTYPE = 0, 1, 2        # what is saved of a value
RESULT = 3                           # the number of the result among the values
KNOWN_TYPES = 4                      # subclasses of Tensor that are as plain
ITEMS = 24                           # where a tuple has its items, and a list the address of them
OWN = slot_offset(Op, "_native")
NODE = {name: slot_offset(Node, name) for name in ("op", "edges", "saved", "vjp", "fit", "where", "_order", "hooks", "extra")}
FILENAME = slot_offset(types.CodeType, "co_filename")

_word = partial(word, WORDS)


def _load(*names: str, kind: str = "ptr") -> str:
    """Words of %self."""
    return "\n".join(f"  %{n}_at = {_word(n)}\n  %{n} = load {kind}, ptr %{n}_at" for n in names)


def _put(value: str, thing: str, offset: int, tag: str) -> str:
    """Write a pointer into an object's slot."""
    return f"  %{tag}_to = getelementptr i8, ptr %{thing}, i64 {offset}\n  store ptr %{value}, ptr %{tag}_to"


def _of_record(*names: str) -> str:
    return "\n".join(read(n, "record", 8 * RECORD.index(n), "ptr" if n in ("forward", "node_type") else "i64") for n in names)


def text() -> str:
    """The native functions."""
    return "\n".join([_DECLARATIONS, _modes(), _kind(), _alike(), _where(), _saved(), _fit(), _tensor(), _node(), _apply()])


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
{_load("thread", "modes", "dict_name", "grad_name", "pack_name", "none", "true", "false")}
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
; The number type of a small array of float32 or float64, or of such a number; null for anything else.
define internal ptr @kind(ptr %self, ptr %value, i64 %least) nounwind {{
entry:
{_load("array_type", "scalar32", "scalar64", "descr32", "descr64")}
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
  br i1 %float, label %count, label %no
count:
{read("nd", "value", _HEAD + _FIELD["nd"], "i32")}
{read("dims", "value", _HEAD + _FIELD["dims"])}
  br label %dim
dim:
  %i = phi i32 [0, %count], [%i1, %next]
  %size = phi i64 [1, %count], [%more, %next]
  %going = icmp slt i32 %i, %nd
  br i1 %going, label %next, label %measured
next:
  %place = getelementptr i64, ptr %dims, i32 %i
  %n = load i64, ptr %place
  %more = mul i64 %size, %n
  %i1 = add i32 %i, 1
  br label %dim
measured:
  %small = icmp slt i64 %size, %least
  br i1 %small, label %yes, label %no
yes:
  ret ptr %descr
no:
  ret ptr null
}}
"""


def _alike() -> str:
    """Whether two arrays have the same shape."""
    return f"""
define internal i32 @rank(ptr %self, ptr %value) nounwind {{
{_load("array_type")}
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
{_load("getframe", "one", "inside", "true")}
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
{_load("shape_name", "dtype_name")}
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
{_load("none", "shape_name")}
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
{_load("tensor_type", "none", "false", "zero")}
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
                          i64 %count, ptr %out) nounwind {{
entry:
{_load("none", "true", "false", "order")}
{_of_record("node_type", "elementwise")}
  %vjp = load ptr, ptr %plan
{read("page", "plan", 8)}
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


def _apply() -> str:
    """An op on its inputs."""
    return f"""
define ptr @apply(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{_load("otherwise", "learn", "none", "true", "false", "watched", "tensor_types", "float_type", "int_type", "constant",
       "refresh", "array_type", "share", "odd")}
{_load("inputs", kind="i64")}
  %call = alloca [6 x ptr]     ; a free place, the op, the values of three inputs, the result
  %tensors = alloca [3 x ptr]  ; null for a number
  %cells = alloca [4 x ptr]    ; version cells of the inputs and of the result
  %op_at = getelementptr ptr, ptr %call, i64 1
  %values = getelementptr ptr, ptr %call, i64 2
  %y_at = getelementptr ptr, ptr %values, i64 {RESULT}
  %y_cell_at = getelementptr ptr, ptr %cells, i64 {RESULT}
  %count = sub i64 %given, 1
  %enough = icmp eq i64 %count, %inputs
  %recording = load i64, ptr %watched
  %alone = icmp eq i64 %recording, 0
  %begin = and i1 %enough, %alone
  br i1 %begin, label %known, label %otherwise_

known:
  %op = load ptr, ptr %args
  store ptr %op, ptr %op_at
{read("page", "op", OWN)}
  %unknown = icmp eq ptr %page, null
  br i1 %unknown, label %learn_, label %known_
known_:
  %record = getelementptr i8, ptr %page, i64 {_BYTES}
{_of_record(*RECORD)}
  %ready = icmp eq i64 %usable, %count
  br i1 %ready, label %mode, label %otherwise_
mode:
  %recorded = call i64 @modes(ptr %self)
  %odd_mode = icmp slt i64 %recorded, 0
  br i1 %odd_mode, label %otherwise_, label %input

input:  ; each is a plain tensor, or a number
  %i = phi i64 [0, %mode], [%i1, %good], [0, %views_done]
  %kind = phi ptr [null, %mode], [%kind1, %good], [null, %views_done]
  %needs = phi i64 [0, %mode], [%needs1, %good], [0, %views_done]
  %refreshed = phi i1 [false, %mode], [%refreshed, %good], [true, %views_done]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %compute
look:
  %next = add i64 %i, 1
  %t_at = getelementptr ptr, ptr %args, i64 %next
  %t = load ptr, ptr %t_at
{read("type", "t", _HEAD - 8)}
  %tensor_at = getelementptr ptr, ptr %tensors, i64 %i
  %value_at = getelementptr ptr, ptr %values, i64 %i
  br label %plain
plain:
  %k = phi i64 [0, %look], [%k1, %other_type]
  %k_at = getelementptr ptr, ptr %tensor_types, i64 %k
  %plain_type = load ptr, ptr %k_at
  %is_plain = icmp eq ptr %type, %plain_type
  br i1 %is_plain, label %tensor, label %other_type
other_type:
  %k1 = add i64 %k, 1
  %k_more = icmp slt i64 %k1, {KNOWN_TYPES}
  br i1 %k_more, label %plain, label %maybe_number
maybe_number:
  %is_float = icmp eq ptr %type, %float_type
  %is_int = icmp eq ptr %type, %int_type
  %is_number = or i1 %is_float, %is_int
  %may_have = icmp eq i64 %count, 2
  %number_good = and i1 %is_number, %may_have
  br i1 %number_good, label %number, label %otherwise_
number:
  store ptr null, ptr %tensor_at
  store ptr %t, ptr %value_at
  br label %good
tensor:
{read("base", "t", OFFSETS["_base"])}
  %whole = icmp eq ptr %base, %none
  %settled = or i1 %whole, %refreshed
  br i1 %settled, label %fresh, label %views
fresh:
{read("x", "t", OFFSETS["_data"])}
{read("rg", "t", OFFSETS["_rg"])}
  store ptr %t, ptr %tensor_at
  store ptr %x, ptr %value_at
  %empty = icmp eq ptr %x, null
  br i1 %empty, label %otherwise_, label %required
required:
  %is_rg = icmp eq ptr %rg, %true
  %is_not_rg = icmp eq ptr %rg, %false
  %bool_rg = or i1 %is_rg, %is_not_rg
  br i1 %bool_rg, label %of_kind, label %otherwise_
of_kind:
  %rg_ = zext i1 %is_rg to i64
  %rg_bit = shl i64 %rg_, %i
  %needs_t = or i64 %needs, %rg_bit
  %moving = icmp ne i64 %view, 0
  br i1 %moving, label %array_only, label %of_float
array_only:
{read("x_type", "x", _HEAD - 8)}
  %is_array = icmp eq ptr %x_type, %array_type
  br i1 %is_array, label %array_kind, label %otherwise_
array_kind:  ; a view of anything; only those of floats are recorded here
  %x_kind_v = call ptr @kind(ptr %self, ptr %x, i64 {(1 << 63) - 1})
  %odd_kind = icmp eq ptr %x_kind_v, null
  %odd_rg = and i1 %odd_kind, %is_rg
  br i1 %odd_rg, label %otherwise_, label %good
of_float:
  %x_kind = call ptr @kind(ptr %self, ptr %x, i64 %least)
  %no_kind = icmp eq ptr %x_kind, null
  br i1 %no_kind, label %otherwise_, label %compare_kind
compare_kind:
  %first_kind = icmp eq ptr %kind, null
  %same_kind = icmp eq ptr %kind, %x_kind
  %kind_good = or i1 %first_kind, %same_kind
  br i1 %kind_good, label %good, label %otherwise_
good:
  %kind1 = phi ptr [%kind, %number], [%x_kind, %compare_kind], [%x_kind_v, %array_kind]
  %needs1 = phi i64 [%needs, %number], [%needs_t, %compare_kind], [%needs_t, %array_kind]
  %i1 = add i64 %i, 1
  br label %input

views:  ; views may have to take their bases' histories: Python code, so all is looked at again after it
  %v = phi i64 [0, %tensor], [%v1, %view_next]
  %v_more = icmp slt i64 %v, %count
  br i1 %v_more, label %view_look, label %views_done
view_look:
  %v1 = add i64 %v, 1
  %v_at = getelementptr ptr, ptr %args, i64 %v1
  %vt = load ptr, ptr %v_at
{read("v_type", "vt", _HEAD - 8)}
  br label %view_plain
view_plain:
  %vk = phi i64 [0, %view_look], [%vk1, %view_other]
  %vk_at = getelementptr ptr, ptr %tensor_types, i64 %vk
  %v_plain_type = load ptr, ptr %vk_at
  %v_is_plain = icmp eq ptr %v_type, %v_plain_type
  br i1 %v_is_plain, label %view_base, label %view_other
view_other:
  %vk1 = add i64 %vk, 1
  %vk_more = icmp slt i64 %vk1, {KNOWN_TYPES}
  br i1 %vk_more, label %view_plain, label %view_next
view_base:
{read("v_base", "vt", OFFSETS["_base"])}
  %v_whole = icmp eq ptr %v_base, %none
  br i1 %v_whole, label %view_next, label %view_refresh
view_refresh:
  %refreshed_it = call ptr @PyObject_Vectorcall(ptr %refresh, ptr %v_at, i64 1, ptr null)
  %not_refreshed = icmp eq ptr %refreshed_it, null
  br i1 %not_refreshed, label %raised, label %view_refreshed
view_refreshed:
  call void @Py_DecRef(ptr %refreshed_it)
  br label %view_next
view_next:
  br label %views
views_done:
  br label %input

compute:
  %numbers_only = icmp eq ptr %kind, null
  %view_ = icmp ne i64 %view, 0
  %not_view = xor i1 %view_, true
  %nothing = and i1 %numbers_only, %not_view
  br i1 %nothing, label %otherwise_, label %plan
plan:  ; is there a node to make, and is it known how?
  %differs = icmp ne i64 %needs, 0
  %able = icmp ne i64 %differentiable, 0
  %on = icmp ne i64 %recorded, 0
  %able_on = and i1 %able, %on
  %record_it = and i1 %differs, %able_on
  %plans = getelementptr i64, ptr %record, i64 {len(RECORD)}
  %number_of_plan = sub i64 %needs, 1
  %plan_words = mul i64 %number_of_plan, {PLAN}
  %plan_at = getelementptr i64, ptr %plans, i64 %plan_words
  br i1 %record_it, label %planned, label %hold
planned:
{read("plan_page", "plan_at", 8, "i64")}
  switch i64 %plan_page, label %hold [i64 0, label %learn_
                                     i64 -1, label %otherwise_]
hold:  ; the values must outlive the call
  br label %hold_one
hold_one:
  %h = phi i64 [0, %hold], [%h1, %hold_next]
  %h_more = icmp slt i64 %h, %count
  br i1 %h_more, label %hold_next, label %forward_
hold_next:
  %h_at = getelementptr ptr, ptr %values, i64 %h
  %held = load ptr, ptr %h_at
  call void @Py_IncRef(ptr %held)
  %h1 = add i64 %h, 1
  br label %hold_one
forward_:
  %is_method = icmp ne i64 %with_op, 0
  %from = select i1 %is_method, ptr %op_at, ptr %values
  %one_more = zext i1 %is_method to i64
  %number_of = add i64 %count, %one_more
  %flagged = or i64 %number_of, {-1 << 63}
  %y = call ptr @PyObject_Vectorcall(ptr %forward, ptr %from, i64 %flagged, ptr null)
  store ptr %y, ptr %y_at
  %no_y = icmp eq ptr %y, null
  br i1 %no_y, label %wrong, label %result
wrong:  ; Python computes it once more, and says what is wrong
  %type_error = load ptr, ptr @PyExc_TypeError
  %value_error = load ptr, ptr @PyExc_ValueError
  %is_type = call i32 @PyErr_ExceptionMatches(ptr %type_error)
  %is_value = call i32 @PyErr_ExceptionMatches(ptr %value_error)
  %is_either = or i32 %is_type, %is_value
  %explained = icmp ne i32 %is_either, 0
  br i1 %explained, label %explain, label %let_go
explain:
  call void @PyErr_Clear()
  br label %let_go

result:
  %of_one = icmp eq i64 %count, 1
  %check = and i1 %of_one, %record_it
  br i1 %check, label %check_kind, label %wrap
check_kind:  ; another number type than the input's
  %y_kind = call ptr @kind(ptr %self, ptr %y, i64 {(1 << 63) - 1})
  %y_same = icmp eq ptr %y_kind, %kind
  br i1 %y_same, label %wrap, label %odd_result
odd_result:
  %x0 = load ptr, ptr %values
  %t0 = load ptr, ptr %tensors
  %odd_args = alloca [4 x ptr]
  %odd1 = getelementptr ptr, ptr %odd_args, i64 1
  %odd2 = getelementptr ptr, ptr %odd_args, i64 2
  %odd3 = getelementptr ptr, ptr %odd_args, i64 3
  store ptr %op, ptr %odd_args
  store ptr %t0, ptr %odd1
  store ptr %x0, ptr %odd2
  store ptr %y, ptr %odd3
  %odd_out = call ptr @PyObject_Vectorcall(ptr %odd, ptr %odd_args, i64 4, ptr null)
  call void @Py_DecRef(ptr %y)
  br label %let_go
wrap:
  %out = call ptr @tensor(ptr %self, ptr %y)
  %no_out = icmp eq ptr %out, null
  br i1 %no_out, label %let_go, label %wrapped
wrapped:
  br i1 %view_, label %share_, label %node_
share_:
  %sharing = alloca [3 x ptr]
  %sharing1 = getelementptr ptr, ptr %sharing, i64 1
  %sharing2 = getelementptr ptr, ptr %sharing, i64 2
  %shared_from = load ptr, ptr %tensors
  store ptr %op, ptr %sharing
  store ptr %shared_from, ptr %sharing1
  store ptr %out, ptr %sharing2
  %shared = call ptr @PyObject_Vectorcall(ptr %share, ptr %sharing, i64 3, ptr null)
  %not_shared = icmp eq ptr %shared, null
  br i1 %not_shared, label %drop, label %shared_
shared_:
  call void @Py_DecRef(ptr %shared)
  br label %node_
node_:
  br i1 %record_it, label %make_node, label %let_go
make_node:  ; what may have changed while NumPy computed is read now
{read("y_ver", "out", OFFSETS["_ver"])}
  store ptr %y_ver, ptr %y_cell_at
  br label %cell
cell:
  %c = phi i64 [0, %make_node], [%c1, %cell_put]
  %c_more = icmp slt i64 %c, %count
  br i1 %c_more, label %cell_look, label %cells_done
cell_look:
  %ct_at = getelementptr ptr, ptr %tensors, i64 %c
  %ct = load ptr, ptr %ct_at
  %c_at = getelementptr ptr, ptr %cells, i64 %c
  %of_number = icmp eq ptr %ct, null
  br i1 %of_number, label %cell_put, label %cell_own
cell_own:
{read("ver", "ct", OFFSETS["_ver"])}
  br label %cell_put
cell_put:
  %the_cell = phi ptr [%constant, %cell_look], [%ver, %cell_own]
  store ptr %the_cell, ptr %c_at
  %c1 = add i64 %c, 1
  br label %cell
cells_done:
  %page_now = load ptr, ptr %page_at
  %record_now = getelementptr i8, ptr %page_now, i64 {_BYTES}
  %plans_now = getelementptr i64, ptr %record_now, i64 {len(RECORD)}
  %plan_now = getelementptr i64, ptr %plans_now, i64 %plan_words
  %made = call i32 @node(ptr %self, ptr %record_now, ptr %op, ptr %plan_now, i64 %needs, ptr %tensors, ptr %values,
                         ptr %cells, i64 %count, ptr %out)
  %unmade = icmp ne i32 %made, 0
  br i1 %unmade, label %drop, label %let_go
drop:
  call void @Py_DecRef(ptr %out)
  br label %let_go

let_go:
  %answer = phi ptr [null, %wrong], [null, %explain], [%odd_out, %odd_result], [null, %wrap], [null, %drop],
                [%out, %node_], [%out, %cells_done]
  %again = phi i1 [false, %wrong], [true, %explain], [false, %odd_result], [false, %wrap], [false, %drop],
               [false, %node_], [false, %cells_done]
  br label %let_one
let_one:
  %l = phi i64 [0, %let_go], [%l1, %let_next]
  %l_more = icmp slt i64 %l, %count
  br i1 %l_more, label %let_next, label %end
let_next:
  %l_at = getelementptr ptr, ptr %values, i64 %l
  %left = load ptr, ptr %l_at
  call void @Py_DecRef(ptr %left)
  %l1 = add i64 %l, 1
  br label %let_one
end:
  br i1 %again, label %otherwise_, label %return
return:
  ret ptr %answer
raised:
  ret ptr null
learn_:
  %learned = call ptr @PyObject_Vectorcall(ptr %learn, ptr %args, i64 %given, ptr null)
  ret ptr %learned
otherwise_:
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise, ptr %args, i64 %given, ptr null)
  ret ptr %other
}}
"""
