"""What the native code of `kobai.backends.apply_code` makes: Tensors, views, nodes and what these save."""
from __future__ import annotations

from kobai.backends.apply_parts import BASE, DTYPE, ITEMS, NODE, RESULT, SHAPE, load, of_record, put
from kobai.backends.entry_code import OFFSETS
from kobai.backends.native import _HEAD, read


def made() -> str:
    """The native functions that make things."""
    return "\n".join([_saved(), _fit(), _tensor(), _tensors(), _shared(), _shared_by_parts(), _node()])


def _saved() -> str:
    """What the rule asks for."""
    return "".join([_saved_values(), _saved_cells()])


def _saved_values() -> str:
    """Values."""
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
"""


def _saved_cells() -> str:
    """Version cells."""
    return f"""
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
    return "".join([_all_alike(), _differing()])


def _all_alike() -> str:
    """None, if all inputs are of the result's shape."""
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
"""


def _differing() -> str:
    """The shapes of those that are not."""
    return f"""
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
{put("value", "t", OFFSETS["_data"], "data")}
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %none)
  call void @Py_IncRef(ptr %false)
  call void @Py_IncRef(ptr %zero)
{put("none", "t", OFFSETS["_base"], "base")}
{put("none", "t", OFFSETS["_grad"], "grad")}
{put("none", "t", OFFSETS["_node"], "node")}
{put("false", "t", OFFSETS["_rg"], "rg")}
  %cell = call ptr @PyList_New(i64 2)
{read("items", "cell", ITEMS)}
  store ptr %zero, ptr %items
{put("none", "items", 8, "second")}
{put("cell", "t", OFFSETS["_ver"], "ver")}
  ret ptr %t
no:
  call void @Py_DecRef(ptr %value)
  ret ptr null
}}
"""


def _tensors() -> str:
    """Tensors of several results."""
    return f"""
; A tuple of new Tensors on the values in a tuple, whose reference it takes.
define internal ptr @tensors(ptr %self, ptr %values) nounwind {{
entry:
{read("count", "values", 16, "i64")}
  %from = getelementptr i8, ptr %values, i64 {ITEMS}
  %tuple = call ptr @PyTuple_New(i64 %count)
  %bad = icmp eq ptr %tuple, null
  br i1 %bad, label %end, label %fill
fill:
  %to = getelementptr i8, ptr %tuple, i64 {ITEMS}
  br label %one
one:
  %i = phi i64 [0, %fill], [%i1, %put]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %take, label %end
take:
  %from_i = getelementptr ptr, ptr %from, i64 %i
  %value = load ptr, ptr %from_i
  call void @Py_IncRef(ptr %value)
  %t = call ptr @tensor(ptr %self, ptr %value)
  %failed = icmp eq ptr %t, null
  br i1 %failed, label %drop, label %put
put:
  %to_i = getelementptr ptr, ptr %to, i64 %i
  store ptr %t, ptr %to_i
  %i1 = add i64 %i, 1
  br label %one
drop:
  call void @Py_DecRef(ptr %tuple)
  br label %end
end:
  %answer = phi ptr [null, %entry], [%tuple, %one], [null, %drop]
  call void @Py_DecRef(ptr %values)
  ret ptr %answer
}}
"""


def _shared() -> str:
    """A result that is a view of its input."""
    return "".join([_shares(), _linked()])


def _shares() -> str:
    """Whether the result lies in the input's memory."""
    return f"""
; As `kobai.general.share`, which is asked where NumPy's word that the memory is shared does not do; -1 where that raised.
define internal i32 @shared(ptr %self, ptr %op, ptr %from, ptr %out) nounwind {{
entry:
{load("share", "none", "array_type", "chain_name", "seen_name", "rebased_name")}
{read("x", "from", OFFSETS["_data"])}
{read("y", "out", OFFSETS["_data"])}
{read("y_type", "y", _HEAD - 8)}
  %is_array = icmp eq ptr %y_type, %array_type
  br i1 %is_array, label %array, label %ask
array:
{read("below", "y", _HEAD + BASE)}
{read("x_below", "x", _HEAD + BASE)}
  %is_x = icmp eq ptr %below, %x
  %owned = icmp eq ptr %below, null
  %beside = icmp eq ptr %below, %x_below
  %not_owned = xor i1 %owned, true
  %also = and i1 %beside, %not_owned
  %sure = or i1 %is_x, %also
  br i1 %sure, label %register, label %ask
register:
{read("base", "from", OFFSETS["_base"])}
  %whole = icmp eq ptr %base, %none
  %root = select i1 %whole, ptr %from, ptr %base
  %before = call ptr @PyObject_GetAttr(ptr %from, ptr %chain_name)
  %no_before = icmp eq ptr %before, null
  br i1 %no_before, label %error, label %link
"""


def _linked() -> str:
    """The result knows what it is a view of."""
    return f"""
link:
  %pair = call ptr @PyTuple_New(i64 2)
{put("before", "pair", ITEMS, "before")}
  call void @Py_IncRef(ptr %op)
{put("op", "pair", ITEMS + 8, "op")}
  %chained = call i32 @PyObject_SetAttr(ptr %out, ptr %chain_name, ptr %pair)
  call void @Py_DecRef(ptr %pair)
  %unchained = icmp ne i32 %chained, 0
  br i1 %unchained, label %error, label %look
look:
  %count = call ptr @PyObject_GetAttr(ptr %root, ptr %rebased_name)
  %no_count = icmp eq ptr %count, null
  br i1 %no_count, label %error, label %see
see:
  %seen = call i32 @PyObject_SetAttr(ptr %out, ptr %seen_name, ptr %count)
  call void @Py_DecRef(ptr %count)
  %unseen = icmp ne i32 %seen, 0
  br i1 %unseen, label %error, label %put
put:
{read("ver", "from", OFFSETS["_ver"])}
{read("own", "out", OFFSETS["_ver"])}
  call void @Py_IncRef(ptr %ver)
  call void @Py_IncRef(ptr %root)
{put("ver", "out", OFFSETS["_ver"], "ver")}
{put("root", "out", OFFSETS["_base"], "root")}
  call void @Py_DecRef(ptr %own)
  call void @Py_DecRef(ptr %none)
  ret i32 0
ask:
  %arguments = alloca [3 x ptr]
  %second = getelementptr ptr, ptr %arguments, i64 1
  %third = getelementptr ptr, ptr %arguments, i64 2
  store ptr %op, ptr %arguments
  store ptr %from, ptr %second
  store ptr %out, ptr %third
  %told = call ptr @PyObject_Vectorcall(ptr %share, ptr %arguments, i64 3, ptr null)
  %untold = icmp eq ptr %told, null
  br i1 %untold, label %error, label %done
done:
  call void @Py_DecRef(ptr %told)
  ret i32 0
error:
  ret i32 -1
}}
"""


def _shared_by_parts() -> str:
    """Results that are views of one input."""
    return f"""
; As @shared, for each tensor in a tuple and its op; -1 where that raised.
define internal i32 @shared_by_parts(ptr %self, ptr %op, ptr %from, ptr %outs) nounwind {{
entry:
{load("parts")}
  %args = alloca ptr
  store ptr %op, ptr %args
{read("count", "outs", 16, "i64")}
  %list = getelementptr i8, ptr %outs, i64 {ITEMS}
  %ops = call ptr @PyObject_Vectorcall(ptr %parts, ptr %args, i64 1, ptr null)
  %bad = icmp eq ptr %ops, null
  br i1 %bad, label %error, label %begin
begin:
  %op_list = getelementptr i8, ptr %ops, i64 {ITEMS}
  br label %one
one:
  %i = phi i64 [0, %begin], [%i1, %next]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %share_, label %done
share_:
  %out_at = getelementptr ptr, ptr %list, i64 %i
  %op_at = getelementptr ptr, ptr %op_list, i64 %i
  %out = load ptr, ptr %out_at
  %part = load ptr, ptr %op_at
  %failed_ = call i32 @shared(ptr %self, ptr %part, ptr %from, ptr %out)
  %failed = icmp ne i32 %failed_, 0
  br i1 %failed, label %drop, label %next
next:
  %i1 = add i64 %i, 1
  br label %one
done:
  call void @Py_DecRef(ptr %ops)
  ret i32 0
drop:
  call void @Py_DecRef(ptr %ops)
  br label %error
error:
  ret i32 -1
}}
"""


def _node() -> str:
    """The node of a result."""
    return "".join([_node_begin(), _edges(), _placed()])


def _node_begin() -> str:
    """The parts of a node."""
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
{put("op", "node", NODE["op"], "op")}
{put("vjp", "node", NODE["vjp"], "vjp")}
{put("none", "node", NODE["hooks"], "hooks")}
{put("none", "node", NODE["extra"], "extra")}
  %edges = call ptr @PyTuple_New(i64 %count)
{put("edges", "node", NODE["edges"], "edges")}
  %items = getelementptr i8, ptr %edges, i64 {ITEMS}
  br label %edge
"""


def _edges() -> str:
    """What the node leads to."""
    return f"""
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
"""


def _placed() -> str:
    """Shapes to fit, the place in the program; the node is the result's."""
    return f"""
unfitted:
  call void @Py_IncRef(ptr %none)
  br label %fit
fitted:
  %shapes = call ptr @fit(ptr %self, ptr %values, ptr %tensors, i64 %count)
  br label %fit
fit:
  %fits = phi ptr [%none, %unfitted], [%shapes, %fitted]
{put("fits", "node", NODE["fit"], "fit")}
  %saved = call ptr @saved(ptr %self, ptr %page, ptr %values, ptr %cells)
  %unsaved = icmp eq ptr %saved, null
  br i1 %unsaved, label %drop, label %place
place:
{put("saved", "node", NODE["saved"], "saved")}
  %where = call ptr @where(ptr %self)
  %nowhere = icmp eq ptr %where, null
  br i1 %nowhere, label %drop, label %number
number:
{put("where", "node", NODE["where"], "where")}
  %turn = call ptr @PyIter_Next(ptr %order)
{put("turn", "node", NODE["_order"], "order")}
{put("node", "out", OFFSETS["_node"], "node")}
  call void @Py_DecRef(ptr %none)
  call void @Py_IncRef(ptr %true)
{put("true", "out", OFFSETS["_rg"], "rg")}
  call void @Py_DecRef(ptr %false)
  ret i32 0
drop:
  call void @Py_DecRef(ptr %node)
  br label %error
error:
  ret i32 -1
}}
"""
