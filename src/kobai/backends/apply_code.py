"""The native code of `kobai.backends.apply`: the short ways of `kobai.op` in LLVM, for any op of one to three inputs.

`apply` is given its words (`WORDS`) as a bytes object, and reads of the op a record (`RECORD`, also bytes), to which
belongs, for each set of inputs that require grad, a rule and a page that says what the rule wants saved.  What is out
of the ordinary in any way it leaves to `otherwise`, the Python function; nothing has happened by then.
"""
from __future__ import annotations

from kobai.backends.apply_in_place import in_place
from kobai.backends.apply_made import made
from kobai.backends.apply_parts import ITEMS, ONCE, OWN, PLAN, RECORD, RESULT, load, of_record, parts
from kobai.backends.entry_code import OFFSETS
from kobai.backends.native import _BYTES, _HEAD, read


def text() -> str:
    """The native functions."""
    return "\n".join([parts(), made(), _apply(), in_place()])


def _apply() -> str:
    """An op on its inputs."""
    return "".join([_begins(), _inputs(), _kinds(), _refreshed(), _planned(), _computed(), _wrapped(), _recorded(), _leave()])


def _begins() -> str:
    """Whether there is something to do here, and what is known of the op."""
    return f"""
define ptr @apply(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{load("otherwise", "learn", "none", "true", "false", "watched", "float_type", "int_type", "constant",
       "refresh", "array_type", "odd", "large1")}
{load("inputs", kind="i64")}
  %call = alloca [6 x ptr]     ; a free place, the op, the values of three inputs, the result
  %tensors = alloca [3 x ptr]  ; null for a number
  %cells = alloca [4 x ptr]    ; version cells of the inputs and of the result
  %op_at = getelementptr ptr, ptr %call, i64 1
  %values = getelementptr ptr, ptr %call, i64 2
  %y_at = getelementptr ptr, ptr %values, i64 {RESULT}
  %y_cell_at = getelementptr ptr, ptr %cells, i64 {RESULT}
  %count = sub i64 %given, 1
  %exact = icmp eq i64 %count, %inputs  ; 0: however many there are
  %any = icmp eq i64 %inputs, 0
  %enough = or i1 %exact, %any
  %recording = load i64, ptr %watched
  %alone = icmp eq i64 %recording, 0
  %some = icmp sge i64 %count, 1
  %may = and i1 %enough, %some
  %begin = and i1 %may, %alone
  br i1 %begin, label %known, label %otherwise_

known:
  %op = load ptr, ptr %args
  store ptr %op, ptr %op_at
{read("learned_of", "op", OWN)}
  %unknown = icmp eq ptr %learned_of, null
  br i1 %unknown, label %learn_, label %known_
known_:
{read("page", "learned_of", ITEMS)}
  %record = getelementptr i8, ptr %page, i64 {_BYTES}
{of_record(*RECORD)}
  %ready = icmp eq i64 %usable, %count
  br i1 %ready, label %mode, label %unready
unready:
  %once = icmp eq i64 %usable, {ONCE}
  br i1 %once, label %learn_, label %otherwise_
mode:
  %recorded = call i64 @modes(ptr %self)
  %odd_mode = icmp slt i64 %recorded, 0
  br i1 %odd_mode, label %otherwise_, label %input
"""


def _inputs() -> str:
    """Each input is a plain tensor or a number; those of tensors are looked at."""
    return f"""
input:  ; each is a plain tensor, or a number
  %i = phi i64 [0, %mode], [%i1, %good], [0, %views_done]
  %kind = phi ptr [null, %mode], [%kind1, %good], [null, %views_done]
  %needs = phi i64 [0, %mode], [%needs1, %good], [0, %views_done]
  %refreshed = phi i1 [false, %mode], [%refreshed, %good], [true, %views_done]
  %judged = phi i1 [false, %mode], [%judged1, %good], [false, %views_done]  ; what decides about size was met
  %big = phi i1 [false, %mode], [%big1, %good], [false, %views_done]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %compute
look:
  %next = add i64 %i, 1
  %t_at = getelementptr ptr, ptr %args, i64 %next
  %t = load ptr, ptr %t_at
{read("type", "t", _HEAD - 8)}
  %tensor_at = getelementptr ptr, ptr %tensors, i64 %i
  %value_at = getelementptr ptr, ptr %values, i64 %i
  %is_plain = call i1 @plain(ptr %self, ptr %t)
  br i1 %is_plain, label %tensor, label %maybe_number
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
"""


def _kinds() -> str:
    """The number types of the inputs, and whether they are large."""
    return f"""
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
  %x_kind_v = call ptr @kind(ptr %self, ptr %x)
  %odd_kind = icmp eq ptr %x_kind_v, null
  %odd_rg = and i1 %odd_kind, %is_rg
  br i1 %odd_rg, label %otherwise_, label %good
of_float:
  %x_kind = call ptr @kind(ptr %self, ptr %x)
  %no_kind = icmp eq ptr %x_kind, null
  br i1 %no_kind, label %otherwise_, label %compare_kind
compare_kind:
  %first_kind = icmp eq ptr %kind, null
  %same_kind = icmp eq ptr %kind, %x_kind
  %kind_good = or i1 %first_kind, %same_kind
  br i1 %kind_good, label %judge, label %otherwise_
judge:  ; of one or two inputs the first array decides whether it is large, of three the first input
  %x_size = call i64 @size(ptr %self, ptr %x)
  %x_big = icmp sge i64 %x_size, %least
  %big_now = select i1 %judged, i1 %big, i1 %x_big
{read("x_class", "x", _HEAD - 8)}
  %x_array = icmp eq ptr %x_class, %array_type
  %three = icmp eq i64 %count, 3
  %decides = or i1 %x_array, %three
  %judged_now = or i1 %judged, %decides
  br label %good
good:
  %kind1 = phi ptr [%kind, %number], [%x_kind, %judge], [%x_kind_v, %array_kind]
  %needs1 = phi i64 [%needs, %number], [%needs_t, %judge], [%needs_t, %array_kind]
  %judged1 = phi i1 [%judged, %number], [%judged_now, %judge], [%judged, %array_kind]
  %big1 = phi i1 [%big, %number], [%big_now, %judge], [%big, %array_kind]
  %i1 = add i64 %i, 1
  br label %input
"""


def _refreshed() -> str:
    """Views take their bases' histories."""
    return f"""
views:  ; views may have to take their bases' histories: Python code, so all is looked at again after it
  %v = phi i64 [0, %tensor], [%v1, %view_next]
  %v_more = icmp slt i64 %v, %count
  br i1 %v_more, label %view_look, label %views_done
view_look:
  %v1 = add i64 %v, 1
  %v_at = getelementptr ptr, ptr %args, i64 %v1
  %vt = load ptr, ptr %v_at
  %v_is_plain = call i1 @plain(ptr %self, ptr %vt)
  br i1 %v_is_plain, label %view_base, label %view_next
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
"""


def _planned() -> str:
    """Whether there will be a node, and what it needs; the values are held."""
    return f"""
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
  %no_plan = icmp eq i64 %plan_page, 0
  br i1 %no_plan, label %learn_, label %hold
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
"""


def _computed() -> str:
    """NumPy's function, or that for large arrays."""
    return f"""
forward_:
  %of_class = icmp ne i64 %with_op, 0
  %is_method = or i1 %of_class, %big
  %before = sub i64 %count, 1
  %large_at = getelementptr ptr, ptr %large1_at, i64 %before
  %large = load ptr, ptr %large_at
  %function = select i1 %big, ptr %large, ptr %forward
  %from = select i1 %is_method, ptr %op_at, ptr %values
  %one_more = zext i1 %is_method to i64
  %number_of = add i64 %count, %one_more
  %flagged = or i64 %number_of, {-1 << 63}
  %y = call ptr @PyObject_Vectorcall(ptr %function, ptr %from, i64 %flagged, ptr null)
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
"""


def _wrapped() -> str:
    """The Tensor of the result."""
    return """
result:
  %of_one = icmp eq i64 %count, 1
  %check = and i1 %of_one, %record_it
  br i1 %check, label %check_kind, label %wrap
check_kind:  ; another number type than the input's
  %y_kind = call ptr @kind(ptr %self, ptr %y)
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
  %shared_from = load ptr, ptr %tensors
  %shared = call i32 @shared(ptr %self, ptr %op, ptr %shared_from, ptr %out)
  %not_shared = icmp ne i32 %shared, 0
  br i1 %not_shared, label %drop, label %node_
node_:
  br i1 %record_it, label %make_node, label %let_go
"""


def _recorded() -> str:
    """Its node."""
    return f"""
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
  %made = call i32 @node(ptr %self, ptr %record, ptr %op, ptr %plan_at, i64 %needs, ptr %tensors, ptr %values,
                         ptr %cells, i64 %count, ptr %out, i1 %big)
  %unmade = icmp ne i32 %made, 0
  br i1 %unmade, label %drop, label %let_go
drop:
  call void @Py_DecRef(ptr %out)
  br label %let_go
"""


def _leave() -> str:
    """The values are let go; the answer, or Python's way."""
    return """
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
}
"""
