"""The native code of `kobai.backends.entry`: functions in LLVM that read CPython's objects where they lie.

`entry` is given its words (`WORDS`) as a bytes object: addresses of tables and how long they are, and of the objects
it needs.  `OFFSETS` are the places of a Tensor's slots, read off CPython's own descriptors.
"""
from __future__ import annotations

import ctypes
from functools import partial
from types import FunctionType

from kobai.backends import entry_open
from kobai.backends.entry_attributes import DICT, is_plain
from kobai.backends.entry_checks import DICT_VERSION, KEEPS_VERSIONS, KNOWN_HASH, checks
from kobai.backends.native import _BYTES, _HEAD, read, word
from kobai.tensor import Tensor

WORDS = ("checks", "check_count", "memory", "memory_count", "dicts", "dict_count", "versions", "version_count",
         "arguments", "argument_count", "inputs", "input_count", "numbers", "number_count",
         "step", "step_self", "cells", "cell_count", "grads", "grad_count", "results", "result_count", "form",
         "otherwise", "modes", "dict_name", "none", "array_type", "tensor_type", "float_type", "mode_checks",
         "mode_count", "written", "written_count", "false", "rebuild", "thread", *entry_open.WORDS)
FIXED, ARGUMENT, GRADIENT = 0, 1, 2  # kinds of inputs: an array, an argument's, that of a tensor's gradient
RECORD = 6                           # words that describe an expected array
ARGUMENT_WORDS = RECORD + 3          # that of an argument, its type, whether it requires grad, which leaf it is


def slot_offset(cls, name: str) -> int:
    """Where a slot of a class lies in its objects: from CPython's descriptor of it, or found in one of them."""
    if name == "__class__":
        return 8
    if name == "__dict__":
        return cls.__dictoffset__ if cls.__dictoffset__ > 0 else DICT
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


_word = partial(word, WORDS)


def _load(*names: str) -> str:
    """Words of %self, each as a number and as a pointer."""
    return "\n".join(f"  %{n}_at = {_word(n)}\n  %{n} = load i64, ptr %{n}_at\n  %{n}_p = inttoptr i64 %{n} to ptr"
                     for n in names)


def text() -> str:
    """The native functions."""
    body = (_begin(), _arguments(), _inputs(), _compute(), _results())
    opening = entry_open.text(_BYTES, _load("otherwise", *entry_open.WORDS))
    return "\n".join([_declarations(), checks(), entry_open.distinct(), is_plain(), _tensor(), *body, opening])


def _declarations() -> str:
    return f"""
@PyList_Type = external global i8
@PyDict_Type = external global i8
declare ptr @PyDict_GetItem(ptr, ptr)
declare ptr @PyObject_GetAttr(ptr, ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @PyThreadState_Get()
declare i64 @PyThreadState_GetID(ptr)
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
{KNOWN_HASH[0]}
"""


def _tensor() -> str:
    """A new Tensor."""
    return f"""
; A new Tensor on an array (whose reference it takes).
define internal ptr @tensor(ptr %self, ptr %array, ptr %node, ptr %rg) nounwind {{
entry:
{_load("tensor_type", "none")}
  %t = call ptr @PyType_GenericAlloc(ptr %tensor_type_p, i64 0)
  %bad = icmp eq ptr %t, null
  br i1 %bad, label %no, label %fill
fill:
  %ver = call ptr @PyList_New(i64 2)
  %zero = call ptr @PyLong_FromLongLong(i64 0)
{read("ver_items", "ver", 24)}
  store ptr %zero, ptr %ver_items
  %second = getelementptr ptr, ptr %ver_items, i64 1
  call void @Py_IncRef(ptr %none_p)
  store ptr %none_p, ptr %second
  call void @Py_IncRef(ptr %none_p)
  call void @Py_IncRef(ptr %none_p)
  call void @Py_IncRef(ptr %node)
  call void @Py_IncRef(ptr %rg)
  %data_at = getelementptr i8, ptr %t, i64 {OFFSETS["_data"]}
  store ptr %array, ptr %data_at
  %ver_at = getelementptr i8, ptr %t, i64 {OFFSETS["_ver"]}
  store ptr %ver, ptr %ver_at
  %base_at = getelementptr i8, ptr %t, i64 {OFFSETS["_base"]}
  store ptr %none_p, ptr %base_at
  %grad_at = getelementptr i8, ptr %t, i64 {OFFSETS["_grad"]}
  store ptr %none_p, ptr %grad_at
  %node_at = getelementptr i8, ptr %t, i64 {OFFSETS["_node"]}
  store ptr %node, ptr %node_at
  %rg_at = getelementptr i8, ptr %t, i64 {OFFSETS["_rg"]}
  store ptr %rg, ptr %rg_at
  ret ptr %t
no:
  call void @Py_DecRef(ptr %array)
  ret ptr null
}}
"""


def _begin() -> str:
    """What follows the opening of arguments, to the point where variables and modes are as they were."""
    return "".join([_variables_hold(), _modes_hold()])


def _variables_hold() -> str:
    """Words, and whether variables are what they were."""
    return f"""
define internal ptr @enter(ptr %object, ptr %args, i64 %count, ptr %names, ptr %leaves) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{_load("checks", "check_count", "memory", "memory_count", "dicts", "dict_count", "versions", "version_count",
       "arguments", "argument_count", "inputs", "input_count", "numbers", "number_count",
       "step", "step_self", "cells", "cell_count", "grads", "grad_count", "results", "result_count", "form",
       "otherwise", "modes", "dict_name", "none", "array_type", "tensor_type", "float_type", "mode_checks", "mode_count",
       "written", "written_count", "false", "rebuild", "thread", "leaf_count",
       "tensors", "tensor_count", "known")}
  %arrays = alloca ptr, i64 %input_count
  %object_at = alloca ptr
  %are_distinct = call i1 @distinct(ptr %leaves, ptr %tensors_p, i64 %tensor_count, ptr %known_p)
  br i1 %are_distinct, label %variables, label %refuse

variables:
  %are_same = call i1 @are(ptr %memory_p, i64 %memory_count)
  br i1 %are_same, label %others, label %refuse
others:  ; after the lengths of lists
  %held = call i1 @holds(ptr %checks_p, i64 %check_count, ptr %versions_p)
  br i1 %held, label %dicts_seen, label %refuse
dicts_seen:
  %unchanged_dicts = call i1 @are(ptr %versions_p, i64 %version_count)
  br i1 %unchanged_dicts, label %this_thread, label %dicts_look
dicts_look:
  %dicts_held = call i1 @holds(ptr %dicts_p, i64 %dict_count, ptr %versions_p)
  br i1 %dicts_held, label %this_thread, label %refuse
"""


def _modes_hold() -> str:
    """Whether the thread's modes are what they were: known by the version of its dict, or looked up."""
    return f"""
this_thread:  ; the modes were right in this thread, and have not been changed since
  %thread_now = call ptr @PyThreadState_Get()
  %thread_id = call i64 @PyThreadState_GetID(ptr %thread_now)
  %known_id = load i64, ptr %thread_p
{read("known_dict", "thread_p", 8)}
{read("known_version", "thread_p", 16, "i64")}
  %is_known = icmp eq i64 %thread_id, %known_id
  br i1 %is_known, label %modes_seen, label %modes_look
modes_seen:
{read("modes_version", "known_dict", DICT_VERSION, "i64")}
  %unchanged = icmp eq i64 %modes_version, %known_version
  br i1 %unchanged, label %argument, label %modes_look
modes_look:  ; what the thread's dict does not have is the default
  %dict = call ptr @PyObject_GetAttr(ptr %modes_p, ptr %dict_name_p)
  %no_dict = icmp eq ptr %dict, null
  br i1 %no_dict, label %failed, label %mode
mode:
  %k = phi i64 [0, %modes_look], [%k1, %mode_good]
  %k_more = icmp slt i64 %k, %mode_count
  br i1 %k_more, label %mode_look, label %mode_end
mode_look:
  %k3 = mul i64 %k, 3
  %mode_at = getelementptr i64, ptr %mode_checks_p, i64 %k3
  %mode_key = load ptr, ptr %mode_at
{read("mode_want", "mode_at", 8)}
{read("mode_default", "mode_at", 16)}
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
  br i1 {str(KEEPS_VERSIONS).lower()}, label %mode_keep, label %argument
mode_keep:
{read("version", "dict", DICT_VERSION, "i64")}
  store i64 %thread_id, ptr %thread_p
  store ptr %dict, ptr %known_dict_at
  store i64 %version, ptr %known_version_at
  br label %argument
"""


def _arguments() -> str:
    """Arguments are tensors as recorded."""
    return f"""
argument:  ; tensors on arrays as recorded
  %a = phi i64 [0, %mode_end], [0, %mode_keep], [0, %modes_seen], [%a1, %argument_good]
  %a_more = icmp slt i64 %a, %argument_count
  br i1 %a_more, label %argument_look, label %number
argument_look:
  %a_words = mul i64 %a, {ARGUMENT_WORDS}
  %a_record = getelementptr i64, ptr %arguments_p, i64 %a_words
{read("a_leaf", "a_record", 8 * (RECORD + 2), "i64")}
  %a_at = getelementptr ptr, ptr %leaves, i64 %a_leaf
  %t = load ptr, ptr %a_at
{read("t_type", "t", _HEAD - 8, "i64")}
{read("a_type", "a_record", 8 * RECORD, "i64")}
{read("a_rg", "a_record", 8 * (RECORD + 1), "i64")}
  %right_type = icmp eq i64 %t_type, %a_type
  br i1 %right_type, label %argument_slots, label %refuse
argument_slots:
{read("t_rg", "t", OFFSETS["_rg"], "i64")}
  %right_rg = icmp eq i64 %t_rg, %a_rg
{read("t_node", "t", OFFSETS["_node"], "i64")}
  %right_node = icmp eq i64 %t_node, %none
{read("t_base", "t", OFFSETS["_base"], "i64")}
  %t_base_p = inttoptr i64 %t_base to ptr
  %t_brg_at = getelementptr i8, ptr %t_base_p, i64 {OFFSETS["_rg"]}
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
{read("t_data", "t", OFFSETS["_data"])}
  %right_array = call i1 @is_array(ptr %t_data, ptr %a_record)
  br i1 %right_array, label %argument_apart, label %refuse
argument_apart:
  %is_apart = call i1 @apart(ptr %t_data, ptr %a_record, ptr %written_p, i64 %written_count)
  br i1 %is_apart, label %argument_plain, label %refuse
argument_plain:
  %is_plain = call i1 @is_plain(ptr %t)
  br i1 %is_plain, label %argument_good, label %refuse
argument_good:
  %a1 = add i64 %a, 1
  br label %argument
"""


def _inputs() -> str:
    """The arrays that the plan is given."""
    return "".join([_numbers(), _arrays()])


def _numbers() -> str:
    """Python floats are put into their arrays."""
    return f"""
number:  ; Python floats into their arrays: dict, key, address
  %n = phi i64 [0, %argument], [%n1, %number_good]
  %n_more = icmp slt i64 %n, %number_count
  br i1 %n_more, label %number_look, label %input
number_look:
  %n3 = mul i64 %n, 3
  %n_at = getelementptr i64, ptr %numbers_p, i64 %n3
  %n_dict = load ptr, ptr %n_at
{read("n_key", "n_at", 8)}
{read("n_to", "n_at", 16)}
  %n_value = call ptr @PyDict_GetItem(ptr %n_dict, ptr %n_key)
  %n_none = icmp eq ptr %n_value, null
  br i1 %n_none, label %refuse, label %number_type
number_type:
{read("n_type", "n_value", _HEAD - 8, "i64")}
  %n_float = icmp eq i64 %n_type, %float_type
  br i1 %n_float, label %number_good, label %refuse
number_good:
  %n_from = getelementptr i8, ptr %n_value, i64 16
  %n_double = load double, ptr %n_from
  store double %n_double, ptr %n_to
  %n1 = add i64 %n, 1
  br label %number
"""


def _arrays() -> str:
    """The array of each input."""
    return f"""
input:  ; the arrays of the plan's inputs: kind, object, its record
  %i = phi i64 [0, %number], [%i1, %input_put]
  %i_more = icmp slt i64 %i, %input_count
  br i1 %i_more, label %input_look, label %compute
input_look:
  %i3 = mul i64 %i, 3
  %i_at = getelementptr i64, ptr %inputs_p, i64 %i3
  %i_kind = load i64, ptr %i_at
{read("i_what", "i_at", 8, "i64")}
  %i_object = inttoptr i64 %i_what to ptr
{read("i_record", "i_at", 16)}
  switch i64 %i_kind, label %input_put_ [i64 {ARGUMENT}, label %input_argument
                                        i64 {GRADIENT}, label %input_gradient]
input_put_:
  br label %input_put
input_argument:
  %i_arg_at = getelementptr ptr, ptr %leaves, i64 %i_what
  %i_arg = load ptr, ptr %i_arg_at
{read("i_data", "i_arg", OFFSETS["_data"])}
  br label %input_put
input_gradient:
{read("i_grad", "i_object", OFFSETS["_grad"])}
{read("i_grad_type", "i_grad", _HEAD - 8, "i64")}
  %i_is_tensor = icmp eq i64 %i_grad_type, %tensor_type
  br i1 %i_is_tensor, label %input_gradient_array, label %refuse
input_gradient_array:
{read("i_gdata", "i_grad", OFFSETS["_data"])}
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
"""


def _compute() -> str:
    """The plan is run; then version counters and gradients."""
    return "".join([_step(), _gradients()])


def _step() -> str:
    """The plan is run, and version counters go on."""
    return f"""
compute:
  %list = call ptr %step_p(ptr %step_self_p, ptr %arrays, i64 %input_count)
  %no_list = icmp eq ptr %list, null
  br i1 %no_list, label %failed, label %computed
computed:
  %is_none = icmp eq ptr %list, %none_p
  br i1 %is_none, label %none_left, label %cell
none_left:
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
{read("c_by", "c_at", 8, "i64")}
{read("c_items", "c_cell", 24)}
  %c_old = load ptr, ptr %c_items
  %c_value = call i64 @PyLong_AsLongLong(ptr %c_old)
  %c_sum = add i64 %c_value, %c_by
  %c_new = call ptr @PyLong_FromLongLong(i64 %c_sum)
  %c_set = call i32 @PyList_SetItem(ptr %c_cell, i64 0, ptr %c_new)
  %c1 = add i64 %c, 1
  br label %cell
"""


def _gradients() -> str:
    """Gradients of leaves."""
    return f"""
grad:  ; leaf.grad: the leaf, the number of the result or -1
  %g = phi i64 [0, %cell], [%g1, %grad_set]
  %g_more = icmp slt i64 %g, %grad_count
  br i1 %g_more, label %grad_look, label %result
grad_look:
  %g2 = mul i64 %g, 2
  %g_at = getelementptr i64, ptr %grads_p, i64 %g2
  %g_leaf = load ptr, ptr %g_at
{read("g_number", "g_at", 8, "i64")}
  %g_none = icmp slt i64 %g_number, 0
  br i1 %g_none, label %grad_none, label %grad_new
grad_none:
  call void @Py_IncRef(ptr %none_p)
  br label %grad_set
grad_new:
{read("g_list", "list", 24)}
  %g_from = getelementptr ptr, ptr %g_list, i64 %g_number
  %g_array = load ptr, ptr %g_from
  call void @Py_IncRef(ptr %g_array)
  %g_tensor = call ptr @tensor(ptr %self, ptr %g_array, ptr %none_p, ptr %false_p)
  %g_bad = icmp eq ptr %g_tensor, null
  br i1 %g_bad, label %drop, label %grad_set
grad_set:
  %g_value = phi ptr [%none_p, %grad_none], [%g_tensor, %grad_new]
  %g_slot = getelementptr i8, ptr %g_leaf, i64 {OFFSETS["_grad"]}
  %g_old = load ptr, ptr %g_slot
  store ptr %g_value, ptr %g_slot
  call void @Py_DecRef(ptr %g_old)
  %g1 = add i64 %g, 1
  br label %grad
"""


def _results() -> str:
    """What the program returns."""
    return "".join([_joined(), _each_result(), _put(), _structured()])


def _joined() -> str:
    """What Python makes, where the caller does the backward pass."""
    return """
result:
  %is_joint = icmp eq i64 %form, 3
  br i1 %is_joint, label %joined, label %results_
joined:  ; Python makes the node that the caller's backward pass comes to
  %j_count = add i64 %leaf_count, 1
  %j_args = alloca ptr, i64 %j_count
  store ptr %list, ptr %j_args
  %j_rest = getelementptr ptr, ptr %j_args, i64 1
  %j_bytes = mul i64 %leaf_count, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %j_rest, ptr %leaves, i64 %j_bytes, i1 false)
  %j_whole = call ptr @PyObject_Vectorcall(ptr %rebuild_p, ptr %j_args, i64 %j_count, ptr null)
  call void @Py_DecRef(ptr %list)
  ret ptr %j_whole
"""


def _each_result() -> str:
    """Each result, by its kind."""
    return f"""
results_:  ; kind (0 new tensor, 1 argument, 2 object, 3 gradient of), number or object, node, requires grad
  %tuple_wanted = icmp ne i64 %form, 0
  br i1 %tuple_wanted, label %make_tuple, label %each
make_tuple:
  %tuple = call ptr @PyTuple_New(i64 %result_count)
  br label %each
each:
  %answer = phi ptr [null, %results_], [%tuple, %make_tuple]
  store ptr %answer, ptr %object_at
  br label %one
one:
  %r = phi i64 [0, %each], [%r1, %keep]
  %r_more = icmp slt i64 %r, %result_count
  br i1 %r_more, label %result_look, label %end
result_look:
  %r4 = mul i64 %r, 4
  %r_at = getelementptr i64, ptr %results_p, i64 %r4
  %r_kind = load i64, ptr %r_at
{read("r_what", "r_at", 8, "i64")}
  %r_object = inttoptr i64 %r_what to ptr
  switch i64 %r_kind, label %result_object [i64 0, label %result_new
                                           i64 1, label %result_argument
                                           i64 3, label %result_gradient]
result_gradient:
{read("r_grad", "r_object", OFFSETS["_grad"])}
  call void @Py_IncRef(ptr %r_grad)
  br label %put
result_object:
  call void @Py_IncRef(ptr %r_object)
  br label %put
result_argument:
  %r_arg_at = getelementptr ptr, ptr %leaves, i64 %r_what
  %r_arg = load ptr, ptr %r_arg_at
  call void @Py_IncRef(ptr %r_arg)
  br label %put
result_new:
{read("r_node", "r_at", 16)}
{read("r_rg", "r_at", 24)}
{read("r_list", "list", 24)}
  %r_from = getelementptr ptr, ptr %r_list, i64 %r_what
  %r_array = load ptr, ptr %r_from
  call void @Py_IncRef(ptr %r_array)
  %r_tensor = call ptr @tensor(ptr %self, ptr %r_array, ptr %r_node, ptr %r_rg)
  %r_bad = icmp eq ptr %r_tensor, null
  br i1 %r_bad, label %drop, label %put
"""


def _put() -> str:
    """Results into a tuple, or alone."""
    return """
put:
  %value = phi ptr [%r_object, %result_object], [%r_arg, %result_argument], [%r_tensor, %result_new],
               [%r_grad, %result_gradient]
  br i1 %tuple_wanted, label %into, label %alone
alone:
  store ptr %value, ptr %object_at
  br label %keep
into:
  %r_set = call i32 @PyTuple_SetItem(ptr %answer, i64 %r, ptr %value)
  br label %keep
keep:
  %r1 = add i64 %r, 1
  br label %one
end:
  call void @Py_DecRef(ptr %list)
  %nested = icmp eq i64 %form, 2
  br i1 %nested, label %structured, label %as_it_is
as_it_is:
  %final = load ptr, ptr %object_at
  ret ptr %final
"""


def _structured() -> str:
    """Results in a dict or the like, and the ways out."""
    return """
structured:  ; leaves of a dict or the like: Python puts them together
  %parts = load ptr, ptr %object_at
  %whole = call ptr @PyObject_Vectorcall(ptr %rebuild_p, ptr %object_at, i64 1, ptr null)
  call void @Py_DecRef(ptr %parts)
  ret ptr %whole
drop:
  call void @Py_DecRef(ptr %list)
  ret ptr null
failed:
  ret ptr null
refuse:
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise_p, ptr %args, i64 %count, ptr %names)
  ret ptr %other
}
"""
