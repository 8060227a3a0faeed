"""The native code of `kobai.backends.entry`: functions in LLVM that read CPython's objects where they lie.

`entry` is given its words (`WORDS`) as a bytes object: addresses of tables and how long they are, and of the objects
it needs.  `OFFSETS` are the places of a Tensor's slots, read off CPython's own descriptors.
"""
from __future__ import annotations

import ctypes
from types import FunctionType

from kobai.backends.native import _BYTES, _FIELD, _HEAD
from kobai.tensor import Tensor

WORDS = ("checks", "check_count", "arguments", "argument_count", "inputs", "input_count", "numbers", "number_count",
         "step", "step_self", "cells", "cell_count", "grads", "grad_count", "results", "result_count", "form",
         "otherwise", "modes", "dict_name", "none", "array_type", "new", "tensor_type", "float_type", "mode_checks",
         "mode_count", "written", "written_count", "false", "rebuild")
MEMORY, DICT, LIST = 0, 1, 2         # kinds of checks: a word of memory, an item of a dict, of a list
FIXED, ARGUMENT, GRADIENT = 0, 1, 2  # kinds of inputs: an array, an argument's, that of a tensor's gradient
RECORD = 6                           # words that describe an expected array


def slot_offset(cls, name: str) -> int:
    """Where a slot of a class lies in its objects: from CPython's descriptor of it, or found in one of them."""
    if name == "__class__":
        return 8
    if cls is FunctionType:
        def sample(a=0, *, b=0):
            return a
        want = id(getattr(sample, name))
        return next(o for o in range(16, cls.__basicsize__, 8)
                    if ctypes.c_int64.from_address(id(sample) + o).value == want)
    descriptor = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
    member = ctypes.c_int64.from_address(id(descriptor) + 40).value
    return ctypes.c_int64.from_address(member + 16).value


OFFSETS = {name: slot_offset(Tensor, name) for name in ("_data", "_ver", "_base", "_grad", "_node", "_rg")}


def _word(name: str) -> str:
    return f"getelementptr i64, ptr %self, i64 {WORDS.index(name)}"


def _load(*names: str) -> str:
    return "\n".join(f"  %{n}_at = {_word(n)}\n  %{n} = load i64, ptr %{n}_at\n  %{n}_p = inttoptr i64 %{n} to ptr"
                     for n in names)


def text() -> str:
    """The native functions."""
    field = {k: _HEAD + v for k, v in _FIELD.items()}
    o = OFFSETS
    known = hasattr(ctypes.pythonapi, "_PyDict_GetItem_KnownHash")  # half the time of the other
    get = "@_PyDict_GetItem_KnownHash(ptr %ap, ptr %key, i64 %hash)" if known else "@PyDict_GetItem(ptr %ap, ptr %key)"
    return f"""{"declare ptr @_PyDict_GetItem_KnownHash(ptr, ptr, i64)" if known else ""}
declare ptr @PyDict_GetItem(ptr, ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLong(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare i32 @memcmp(ptr, ptr, i64)

; Whether the checks of a table hold.
define internal i1 @holds(ptr %table, i64 %count) nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %good]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %yes
look:
  %i5 = mul i64 %i, 5
  %at = getelementptr i64, ptr %table, i64 %i5
  %kind = load i64, ptr %at
  %a_at = getelementptr i64, ptr %at, i64 1
  %a = load i64, ptr %a_at
  %ap = inttoptr i64 %a to ptr
  %b_at = getelementptr i64, ptr %at, i64 2
  %b = load i64, ptr %b_at
  %c_at = getelementptr i64, ptr %at, i64 3
  %c = load i64, ptr %c_at
  switch i64 %kind, label %memory [i64 {DICT}, label %dict
                                   i64 {LIST}, label %list]
memory:
  %word = load i64, ptr %ap
  br label %compare
dict:
  %key = inttoptr i64 %b to ptr
  %hash_at = getelementptr i64, ptr %at, i64 4
  %hash = load i64, ptr %hash_at
  %item = call ptr {get}
  %itemi = ptrtoint ptr %item to i64
  br label %compare
list:
  %items_at = getelementptr i8, ptr %ap, i64 24
  %items = load ptr, ptr %items_at
  %place = getelementptr i64, ptr %items, i64 %b
  %listed = load i64, ptr %place
  br label %compare
compare:
  %now = phi i64 [%word, %memory], [%itemi, %dict], [%listed, %list]
  %same = icmp eq i64 %now, %c
  br i1 %same, label %good, label %no
good:
  %i1 = add i64 %i, 1
  br label %loop
yes:
  ret i1 true
no:
  ret i1 false
}}

; Whether an object is an array as described: type, descr, dimensions, their sizes, strides, bytes of these.
define internal i1 @is_array(ptr %array, ptr %record) nounwind {{
entry:
  %type_at = getelementptr i8, ptr %array, i64 {_HEAD - 8}
  %type = load i64, ptr %type_at
  %want_type = load i64, ptr %record
  %ok1 = icmp eq i64 %type, %want_type
  br i1 %ok1, label %second, label %no
second:
  %descr_at = getelementptr i8, ptr %array, i64 {field["descr"]}
  %descr = load i64, ptr %descr_at
  %want_descr_at = getelementptr i64, ptr %record, i64 1
  %want_descr = load i64, ptr %want_descr_at
  %ok2 = icmp eq i64 %descr, %want_descr
  %nd_at = getelementptr i8, ptr %array, i64 {field["nd"]}
  %nd = load i32, ptr %nd_at
  %nd64 = sext i32 %nd to i64
  %want_nd_at = getelementptr i64, ptr %record, i64 2
  %want_nd = load i64, ptr %want_nd_at
  %ok3 = icmp eq i64 %nd64, %want_nd
  %ok23 = and i1 %ok2, %ok3
  br i1 %ok23, label %third, label %no
third:
  %bytes = mul i64 %nd64, 8
  %dims_at = getelementptr i8, ptr %array, i64 {field["dims"]}
  %dims = load ptr, ptr %dims_at
  %want_dims_at = getelementptr i64, ptr %record, i64 3
  %want_dims = load ptr, ptr %want_dims_at
  %d = call i32 @memcmp(ptr %dims, ptr %want_dims, i64 %bytes)
  %strides_at = getelementptr i8, ptr %array, i64 {field["strides"]}
  %strides = load ptr, ptr %strides_at
  %want_strides_at = getelementptr i64, ptr %record, i64 4
  %want_strides = load ptr, ptr %want_strides_at
  %s = call i32 @memcmp(ptr %strides, ptr %want_strides, i64 %bytes)
  %both = or i32 %d, %s
  %ok = icmp eq i32 %both, 0
  ret i1 %ok
no:
  ret i1 false
}}

; Whether an array lies apart from all memory that the program writes: pairs of first and last address.
define internal i1 @apart(ptr %array, ptr %record, ptr %table, i64 %count) nounwind {{
entry:
  %data_at = getelementptr i8, ptr %array, i64 {field["data"]}
  %low = load i64, ptr %data_at
  %extent_at = getelementptr i64, ptr %record, i64 5
  %extent = load i64, ptr %extent_at
  %high = add i64 %low, %extent
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %next]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %next, label %yes
next:
  %i2 = mul i64 %i, 2
  %at = getelementptr i64, ptr %table, i64 %i2
  %first = load i64, ptr %at
  %end_at = getelementptr i64, ptr %at, i64 1
  %end = load i64, ptr %end_at
  %before = icmp ule i64 %high, %first
  %after = icmp ule i64 %end, %low
  %clear = or i1 %before, %after
  %i1 = add i64 %i, 1
  br i1 %clear, label %loop, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}

; A new Tensor on an array (whose reference it takes).
define internal ptr @tensor(ptr %self, ptr %array, ptr %node, ptr %rg) nounwind {{
entry:
{_load("new", "tensor_type", "none")}
  %args = alloca ptr
  store ptr %tensor_type_p, ptr %args
  %t = call ptr @PyObject_Vectorcall(ptr %new_p, ptr %args, i64 1, ptr null)
  %bad = icmp eq ptr %t, null
  br i1 %bad, label %no, label %fill
fill:
  %ver = call ptr @PyList_New(i64 2)
  %zero = call ptr @PyLong_FromLongLong(i64 0)
  %r0 = call i32 @PyList_SetItem(ptr %ver, i64 0, ptr %zero)
  call void @Py_IncRef(ptr %none_p)
  %r1 = call i32 @PyList_SetItem(ptr %ver, i64 1, ptr %none_p)
  call void @Py_IncRef(ptr %none_p)
  call void @Py_IncRef(ptr %none_p)
  call void @Py_IncRef(ptr %node)
  call void @Py_IncRef(ptr %rg)
  %data_at = getelementptr i8, ptr %t, i64 {o["_data"]}
  store ptr %array, ptr %data_at
  %ver_at = getelementptr i8, ptr %t, i64 {o["_ver"]}
  store ptr %ver, ptr %ver_at
  %base_at = getelementptr i8, ptr %t, i64 {o["_base"]}
  store ptr %none_p, ptr %base_at
  %grad_at = getelementptr i8, ptr %t, i64 {o["_grad"]}
  store ptr %none_p, ptr %grad_at
  %node_at = getelementptr i8, ptr %t, i64 {o["_node"]}
  store ptr %node, ptr %node_at
  %rg_at = getelementptr i8, ptr %t, i64 {o["_rg"]}
  store ptr %rg, ptr %rg_at
  ret ptr %t
no:
  call void @Py_DecRef(ptr %array)
  ret ptr null
}}

define ptr @entry(ptr %object, ptr %args, i64 %count, ptr %names) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{_load("checks", "check_count", "arguments", "argument_count", "inputs", "input_count", "numbers", "number_count",
       "step", "step_self", "cells", "cell_count", "grads", "grad_count", "results", "result_count", "form",
       "otherwise", "modes", "dict_name", "none", "array_type", "tensor_type", "float_type", "mode_checks", "mode_count",
       "written", "written_count", "false", "rebuild")}
  %arrays = alloca ptr, i64 %input_count
  %unnamed = icmp eq ptr %names, null
  %enough = icmp eq i64 %count, %argument_count
  %fits = and i1 %unnamed, %enough
  br i1 %fits, label %variables, label %refuse

variables:
  %held = call i1 @holds(ptr %checks_p, i64 %check_count)
  br i1 %held, label %thread, label %refuse

thread:  ; the modes of this thread: what its dict does not have is the default
  %dict = call ptr @PyObject_GetAttr(ptr %modes_p, ptr %dict_name_p)
  %no_dict = icmp eq ptr %dict, null
  br i1 %no_dict, label %failed, label %mode
mode:
  %k = phi i64 [0, %thread], [%k1, %mode_good]
  %k_more = icmp slt i64 %k, %mode_count
  br i1 %k_more, label %mode_look, label %mode_end
mode_look:
  %k3 = mul i64 %k, 3
  %mode_at = getelementptr i64, ptr %mode_checks_p, i64 %k3
  %mode_key = load ptr, ptr %mode_at
  %mode_want_at = getelementptr i64, ptr %mode_at, i64 1
  %mode_want = load ptr, ptr %mode_want_at
  %mode_default_at = getelementptr i64, ptr %mode_at, i64 2
  %mode_default = load ptr, ptr %mode_default_at
  %mode_own = call ptr @PyDict_GetItem(ptr %dict, ptr %mode_key)
  %mode_none = icmp eq ptr %mode_own, null
  %mode_now = select i1 %mode_none, ptr %mode_default, ptr %mode_own
  %mode_same = icmp eq ptr %mode_now, %mode_want
  br i1 %mode_same, label %mode_good, label %mode_other
mode_good:
  %k1 = add i64 %k, 1
  br label %mode
mode_other:
  call void @Py_DecRef(ptr %dict)
  br label %refuse
mode_end:
  call void @Py_DecRef(ptr %dict)
  br label %argument

argument:  ; tensors on arrays as recorded
  %a = phi i64 [0, %mode_end], [%a1, %argument_good]
  %a_more = icmp slt i64 %a, %argument_count
  br i1 %a_more, label %argument_look, label %number
argument_look:
  %a_at = getelementptr ptr, ptr %args, i64 %a
  %t = load ptr, ptr %a_at
  %t_type_at = getelementptr i8, ptr %t, i64 {_HEAD - 8}
  %t_type = load i64, ptr %t_type_at
  %a_words = mul i64 %a, {RECORD + 2}
  %a_record = getelementptr i64, ptr %arguments_p, i64 %a_words
  %a_type_at = getelementptr i64, ptr %a_record, i64 {RECORD}
  %a_type = load i64, ptr %a_type_at
  %a_rg_at = getelementptr i64, ptr %a_record, i64 {RECORD + 1}
  %a_rg = load i64, ptr %a_rg_at
  %right_type = icmp eq i64 %t_type, %a_type
  br i1 %right_type, label %argument_slots, label %refuse
argument_slots:
  %t_rg_at = getelementptr i8, ptr %t, i64 {o["_rg"]}
  %t_rg = load i64, ptr %t_rg_at
  %right_rg = icmp eq i64 %t_rg, %a_rg
  %t_node_at = getelementptr i8, ptr %t, i64 {o["_node"]}
  %t_node = load i64, ptr %t_node_at
  %right_node = icmp eq i64 %t_node, %none
  %t_base_at = getelementptr i8, ptr %t, i64 {o["_base"]}
  %t_base = load i64, ptr %t_base_at
  %t_base_p = inttoptr i64 %t_base to ptr
  %t_brg_at = getelementptr i8, ptr %t_base_p, i64 {o["_rg"]}
  %is_base = icmp eq i64 %t_base, %none
  br i1 %is_base, label %argument_slots2, label %argument_view
argument_view:  ; a view of a tensor without history has none either
  %t_brg = load i64, ptr %t_brg_at
  %plain_view = icmp eq i64 %t_brg, %false
  br i1 %plain_view, label %argument_slots2, label %refuse
argument_slots2:
  %right_all = and i1 %right_rg, %right_node
  br i1 %right_all, label %argument_array, label %refuse
argument_array:
  %t_data_at = getelementptr i8, ptr %t, i64 {o["_data"]}
  %t_data = load ptr, ptr %t_data_at
  %right_array = call i1 @is_array(ptr %t_data, ptr %a_record)
  br i1 %right_array, label %argument_apart, label %refuse
argument_apart:
  %is_apart = call i1 @apart(ptr %t_data, ptr %a_record, ptr %written_p, i64 %written_count)
  br i1 %is_apart, label %argument_good, label %refuse
argument_good:
  %a1 = add i64 %a, 1
  br label %argument

number:  ; Python floats into their arrays: dict, key, address
  %n = phi i64 [0, %argument], [%n1, %number_good]
  %n_more = icmp slt i64 %n, %number_count
  br i1 %n_more, label %number_look, label %input
number_look:
  %n3 = mul i64 %n, 3
  %n_at = getelementptr i64, ptr %numbers_p, i64 %n3
  %n_dict = load ptr, ptr %n_at
  %n_key_at = getelementptr i64, ptr %n_at, i64 1
  %n_key = load ptr, ptr %n_key_at
  %n_to_at = getelementptr i64, ptr %n_at, i64 2
  %n_to = load ptr, ptr %n_to_at
  %n_value = call ptr @PyDict_GetItem(ptr %n_dict, ptr %n_key)
  %n_none = icmp eq ptr %n_value, null
  br i1 %n_none, label %refuse, label %number_type
number_type:
  %n_type_at = getelementptr i8, ptr %n_value, i64 {_HEAD - 8}
  %n_type = load i64, ptr %n_type_at
  %n_float = icmp eq i64 %n_type, %float_type
  br i1 %n_float, label %number_good, label %refuse
number_good:
  %n_from = getelementptr i8, ptr %n_value, i64 16
  %n_double = load double, ptr %n_from
  store double %n_double, ptr %n_to
  %n1 = add i64 %n, 1
  br label %number

input:  ; the arrays of the plan's inputs: kind, object, its record
  %i = phi i64 [0, %number], [%i1, %input_put]
  %i_more = icmp slt i64 %i, %input_count
  br i1 %i_more, label %input_look, label %compute
input_look:
  %i3 = mul i64 %i, 3
  %i_at = getelementptr i64, ptr %inputs_p, i64 %i3
  %i_kind = load i64, ptr %i_at
  %i_what_at = getelementptr i64, ptr %i_at, i64 1
  %i_what = load i64, ptr %i_what_at
  %i_object = inttoptr i64 %i_what to ptr
  %i_record_at = getelementptr i64, ptr %i_at, i64 2
  %i_record = load ptr, ptr %i_record_at
  switch i64 %i_kind, label %input_put_ [i64 {ARGUMENT}, label %input_argument
                                        i64 {GRADIENT}, label %input_gradient]
input_put_:
  br label %input_put
input_argument:
  %i_arg_at = getelementptr ptr, ptr %args, i64 %i_what
  %i_arg = load ptr, ptr %i_arg_at
  %i_data_at = getelementptr i8, ptr %i_arg, i64 {o["_data"]}
  %i_data = load ptr, ptr %i_data_at
  br label %input_put
input_gradient:
  %i_grad_at = getelementptr i8, ptr %i_object, i64 {o["_grad"]}
  %i_grad = load ptr, ptr %i_grad_at
  %i_grad_type_at = getelementptr i8, ptr %i_grad, i64 {_HEAD - 8}
  %i_grad_type = load i64, ptr %i_grad_type_at
  %i_is_tensor = icmp eq i64 %i_grad_type, %tensor_type
  br i1 %i_is_tensor, label %input_gradient_array, label %refuse
input_gradient_array:
  %i_gdata_at = getelementptr i8, ptr %i_grad, i64 {o["_data"]}
  %i_gdata = load ptr, ptr %i_gdata_at
  %i_gright = call i1 @is_array(ptr %i_gdata, ptr %i_record)
  br i1 %i_gright, label %input_gradient_apart, label %refuse
input_gradient_apart:
  %i_apart = call i1 @apart(ptr %i_gdata, ptr %i_record, ptr %written_p, i64 %written_count)
  br i1 %i_apart, label %input_put, label %refuse
input_put:
  %i_array = phi ptr [%i_object, %input_put_], [%i_data, %input_argument], [%i_gdata, %input_gradient_apart]
  %i_to = getelementptr ptr, ptr %arrays, i64 %i
  store ptr %i_array, ptr %i_to
  %i1 = add i64 %i, 1
  br label %input

compute:
  %list = call ptr %step_p(ptr %step_self_p, ptr %arrays, i64 %input_count)
  %no_list = icmp eq ptr %list, null
  br i1 %no_list, label %failed, label %computed
computed:
  %is_none = icmp eq ptr %list, %none_p
  br i1 %is_none, label %busy, label %cell
busy:
  call void @Py_DecRef(ptr %list)
  br label %refuse

cell:  ; version counters: the cell, how many changes
  %c = phi i64 [0, %computed], [%c1, %cell_next]
  %c_more = icmp slt i64 %c, %cell_count
  br i1 %c_more, label %cell_next, label %grad
cell_next:
  %c2 = mul i64 %c, 2
  %c_at = getelementptr i64, ptr %cells_p, i64 %c2
  %c_cell = load ptr, ptr %c_at
  %c_by_at = getelementptr i64, ptr %c_at, i64 1
  %c_by = load i64, ptr %c_by_at
  %c_items_at = getelementptr i8, ptr %c_cell, i64 24
  %c_items = load ptr, ptr %c_items_at
  %c_old = load ptr, ptr %c_items
  %c_value = call i64 @PyLong_AsLongLong(ptr %c_old)
  %c_sum = add i64 %c_value, %c_by
  %c_new = call ptr @PyLong_FromLongLong(i64 %c_sum)
  %c_set = call i32 @PyList_SetItem(ptr %c_cell, i64 0, ptr %c_new)
  %c1 = add i64 %c, 1
  br label %cell

grad:  ; leaf.grad: the leaf, the number of the result or -1
  %g = phi i64 [0, %cell], [%g1, %grad_set]
  %g_more = icmp slt i64 %g, %grad_count
  br i1 %g_more, label %grad_look, label %result
grad_look:
  %g2 = mul i64 %g, 2
  %g_at = getelementptr i64, ptr %grads_p, i64 %g2
  %g_leaf = load ptr, ptr %g_at
  %g_number_at = getelementptr i64, ptr %g_at, i64 1
  %g_number = load i64, ptr %g_number_at
  %g_none = icmp slt i64 %g_number, 0
  br i1 %g_none, label %grad_none, label %grad_new
grad_none:
  call void @Py_IncRef(ptr %none_p)
  br label %grad_set
grad_new:
  %g_list_at = getelementptr i8, ptr %list, i64 24
  %g_list = load ptr, ptr %g_list_at
  %g_from = getelementptr ptr, ptr %g_list, i64 %g_number
  %g_array = load ptr, ptr %g_from
  call void @Py_IncRef(ptr %g_array)
  %g_tensor = call ptr @tensor(ptr %self, ptr %g_array, ptr %none_p, ptr %false_p)
  %g_bad = icmp eq ptr %g_tensor, null
  br i1 %g_bad, label %drop, label %grad_set
grad_set:
  %g_value = phi ptr [%none_p, %grad_none], [%g_tensor, %grad_new]
  %g_slot = getelementptr i8, ptr %g_leaf, i64 {o["_grad"]}
  %g_old = load ptr, ptr %g_slot
  store ptr %g_value, ptr %g_slot
  call void @Py_DecRef(ptr %g_old)
  %g1 = add i64 %g, 1
  br label %grad

result:
  %is_joint = icmp eq i64 %form, 3
  br i1 %is_joint, label %joined, label %results_
joined:  ; Python makes the node that the caller's backward pass comes to
  %j_count = add i64 %count, 1
  %j_args = alloca ptr, i64 %j_count
  store ptr %list, ptr %j_args
  %j_rest = getelementptr ptr, ptr %j_args, i64 1
  %j_bytes = mul i64 %count, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %j_rest, ptr %args, i64 %j_bytes, i1 false)
  %j_whole = call ptr @PyObject_Vectorcall(ptr %rebuild_p, ptr %j_args, i64 %j_count, ptr null)
  call void @Py_DecRef(ptr %list)
  ret ptr %j_whole
results_:  ; kind (0 new tensor, 1 argument, 2 object, 3 gradient of), number or object, node, requires grad
  %tuple_wanted = icmp ne i64 %form, 0
  br i1 %tuple_wanted, label %make_tuple, label %each
make_tuple:
  %tuple = call ptr @PyTuple_New(i64 %result_count)
  br label %each
each:
  %answer = phi ptr [null, %results_], [%tuple, %make_tuple]
  br label %one
one:
  %r = phi i64 [0, %each], [%r1, %keep]
  %r_more = icmp slt i64 %r, %result_count
  br i1 %r_more, label %result_look, label %end
result_look:
  %r4 = mul i64 %r, 4
  %r_at = getelementptr i64, ptr %results_p, i64 %r4
  %r_kind = load i64, ptr %r_at
  %r_what_at = getelementptr i64, ptr %r_at, i64 1
  %r_what = load i64, ptr %r_what_at
  %r_object = inttoptr i64 %r_what to ptr
  switch i64 %r_kind, label %result_object [i64 0, label %result_new
                                           i64 1, label %result_argument
                                           i64 3, label %result_gradient]
result_gradient:
  %r_grad_at = getelementptr i8, ptr %r_object, i64 {o["_grad"]}
  %r_grad = load ptr, ptr %r_grad_at
  call void @Py_IncRef(ptr %r_grad)
  br label %put
result_object:
  call void @Py_IncRef(ptr %r_object)
  br label %put
result_argument:
  %r_arg_at = getelementptr ptr, ptr %args, i64 %r_what
  %r_arg = load ptr, ptr %r_arg_at
  call void @Py_IncRef(ptr %r_arg)
  br label %put
result_new:
  %r_node_at = getelementptr i64, ptr %r_at, i64 2
  %r_node = load ptr, ptr %r_node_at
  %r_rg_at = getelementptr i64, ptr %r_at, i64 3
  %r_rg = load ptr, ptr %r_rg_at
  %r_list_at = getelementptr i8, ptr %list, i64 24
  %r_list = load ptr, ptr %r_list_at
  %r_from = getelementptr ptr, ptr %r_list, i64 %r_what
  %r_array = load ptr, ptr %r_from
  call void @Py_IncRef(ptr %r_array)
  %r_tensor = call ptr @tensor(ptr %self, ptr %r_array, ptr %r_node, ptr %r_rg)
  %r_bad = icmp eq ptr %r_tensor, null
  br i1 %r_bad, label %drop, label %put
put:
  %value = phi ptr [%r_object, %result_object], [%r_arg, %result_argument], [%r_tensor, %result_new],
               [%r_grad, %result_gradient]
  br i1 %tuple_wanted, label %into, label %keep
into:
  %r_set = call i32 @PyTuple_SetItem(ptr %answer, i64 %r, ptr %value)
  br label %keep
keep:
  %last = phi ptr [%answer, %into], [%value, %put]
  %r1 = add i64 %r, 1
  store ptr %last, ptr %object_at
  br label %one
end:
  call void @Py_DecRef(ptr %list)
  %nested = icmp eq i64 %form, 2
  br i1 %nested, label %structured, label %as_it_is
as_it_is:
  %final = load ptr, ptr %object_at
  ret ptr %final
structured:  ; leaves of a dict or the like: Python puts them together
  %leaves = load ptr, ptr %object_at
  %whole = call ptr @PyObject_Vectorcall(ptr %rebuild_p, ptr %object_at, i64 1, ptr null)
  call void @Py_DecRef(ptr %leaves)
  ret ptr %whole
drop:
  call void @Py_DecRef(ptr %list)
  ret ptr null
failed:
  ret ptr null
refuse:
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise_p, ptr %args, i64 %count, ptr %names)
  ret ptr %other
}}
""".replace("  %arrays = alloca ptr, i64 %input_count\n",
            "  %arrays = alloca ptr, i64 %input_count\n  %object_at = alloca ptr\n")
