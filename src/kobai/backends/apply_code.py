"""The native code of `kobai.backends.apply`: the short ways of `kobai.op` in LLVM.

They serve any op of one to three inputs, or of a list of them.

`apply` is given its words (`WORDS`) as a bytes object, and reads of the op a record (`RECORD`, also bytes), to which
belongs, for each set of inputs that require grad, a rule and a page that says what the rule wants saved.  What is out
of the ordinary in any way it leaves to `otherwise`, the Python function; nothing has happened by then.
"""
from __future__ import annotations

from kobai.backends import apply_form
from kobai.backends.apply_in_place import in_place
from kobai.backends.apply_made import made
from kobai.backends.apply_parts import ITEMS, ONCE, OWN, PLAN, RECORD, RESULT, VARIADIC, load, of_record, parts
from kobai.backends.entry_code import OFFSETS
from kobai.backends.native import _BYTES, _HEAD, read


def text() -> str:
    """The native functions."""
    return "\n".join([parts(), made(), _apply(), in_place(), apply_form.text()])


def _apply() -> str:
    """An op on its inputs."""
    return "".join([_begins(), _inputs(), _numbers(), _kinds(), _sizes_of(), _refreshed(), _planned(), _computed(),
                    _by_function(), _wrapped(), _viewed(), _recorded(), _leave()])


def _begins() -> str:
    """Whether there is something to do here, and what is known of the op."""
    return f"""
define ptr @apply(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{load("otherwise", "learn", "none", "true", "false", "watched", "float_type", "int_type", "constant",
       "refresh", "array_type", "odd_way", "large1", "descr32", "descr64", "descr_int", "descr_bool", "tuple_type", "seeds")}
{load("inputs", kind="i64")}
  %call = alloca [{RESULT + 3} x ptr]     ; a free place, the op, the values of the inputs, the result
  %tensors = alloca [{RESULT} x ptr]    ; null for a number, and for an input that is left out
  %cells = alloca [{RESULT + 1} x ptr]      ; version cells of the inputs and of the result
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
  %exactly = icmp eq i64 %usable, %count
  %of_any_number = icmp eq i64 %usable, {VARIADIC}
  %not_many = icmp sle i64 %count, {RESULT}
  %so_many = and i1 %of_any_number, %not_many
  %ready = or i1 %exactly, %so_many
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
  %big_so_far = phi i1 [false, %mode], [%big1, %good], [false, %views_done]
  %any_big = phi i1 [false, %mode], [%any_big1, %good], [false, %views_done]
  %odd = phi i1 [false, %mode], [%odd1, %good], [false, %views_done]            ; not all are of floats
  %number_kind = phi i64 [0, %mode], [%number_kind1, %good], [0, %views_done]   ; 1: an int was met, 2: a float
  %scalar = phi i1 [false, %mode], [%scalar1, %good], [false, %views_done]      ; or a NumPy number
  %left_out = phi i1 [false, %mode], [%left_out1, %good], [false, %views_done]
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
"""


def _numbers() -> str:
    """What is no tensor: a number beside one, or nothing."""
    return f"""
maybe_number:
  %is_float = icmp eq ptr %type, %float_type
  %is_int = icmp eq ptr %type, %int_type
  %is_number = or i1 %is_float, %is_int
  %may_have = icmp eq i64 %count, 2
  %number_good = and i1 %is_number, %may_have
  br i1 %number_good, label %number, label %maybe_none
maybe_none:
  %is_none = icmp eq ptr %t, %none
  %broadcasts = icmp ne i64 %elementwise, 0
  %fits_all = xor i1 %broadcasts, true
  %none_good = and i1 %is_none, %fits_all
  br i1 %none_good, label %number, label %otherwise_
number:
  %a_float = select i1 %is_float, i64 2, i64 %number_kind
  %number_now = select i1 %is_int, i64 1, i64 %a_float
  %nothing_there = icmp eq ptr %t, %none
  %left_out_now = or i1 %left_out, %nothing_there
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
  %x_kind = call ptr @ordinary(ptr %self, ptr %x)
  %no_kind = icmp eq ptr %x_kind, null
  br i1 %no_kind, label %otherwise_, label %compare_kind
compare_kind:  ; inputs in common have one dtype; where there are none, those of floats
  %x_single = icmp eq ptr %x_kind, %descr32
  %x_double = icmp eq ptr %x_kind, %descr64
  %x_is_float = or i1 %x_single, %x_double
  %x_odd = xor i1 %x_is_float, true
  %odd_now = or i1 %odd, %x_odd
  %common_bits = lshr i64 %commons, %i
  %common_bit = and i64 %common_bits, 1
  %in_common = icmp ne i64 %common_bit, 0
  %no_common = icmp eq i64 %commons, 0
  %float_alone = and i1 %no_common, %x_is_float
  %counts = or i1 %in_common, %float_alone
  %first_kind = icmp eq ptr %kind, null
  %same_kind = icmp eq ptr %kind, %x_kind
  %agrees = or i1 %first_kind, %same_kind
  %free = xor i1 %counts, true
  %kind_good = or i1 %agrees, %free
  %kind_now = select i1 %counts, ptr %x_kind, ptr %kind
  br i1 %kind_good, label %judge, label %otherwise_
"""


def _sizes_of() -> str:
    """Whether they are large; and all that was seen."""
    return f"""
judge:  ; of one or two inputs the first array decides whether it is large, of three the first input
  %x_size = call i64 @size(ptr %self, ptr %x)
  %x_big = icmp sge i64 %x_size, %least
  %big_now = select i1 %judged, i1 %big_so_far, i1 %x_big
  %any_big_now = or i1 %any_big, %x_big
{read("x_class", "x", _HEAD - 8)}
  %x_array = icmp eq ptr %x_class, %array_type
  %three = icmp sge i64 %count, 3
  %x_scalar = xor i1 %x_array, true
  %scalar_now = or i1 %scalar, %x_scalar
  %decides = or i1 %x_array, %three
  %judged_now = or i1 %judged, %decides
  br label %good
good:
  %kind1 = phi ptr [%kind, %number], [%kind_now, %judge], [%x_kind_v, %array_kind]
  %needs1 = phi i64 [%needs, %number], [%needs_t, %judge], [%needs_t, %array_kind]
  %judged1 = phi i1 [%judged, %number], [%judged_now, %judge], [%judged, %array_kind]
  %big1 = phi i1 [%big_so_far, %number], [%big_now, %judge], [%big_so_far, %array_kind]
  %any_big1 = phi i1 [%any_big, %number], [%any_big_now, %judge], [%any_big, %array_kind]
  %odd1 = phi i1 [%odd, %number], [%odd_now, %judge], [%odd, %array_kind]
  %number_kind1 = phi i64 [%number_now, %number], [%number_kind, %judge], [%number_kind, %array_kind]
  %scalar1 = phi i1 [%scalar, %number], [%scalar_now, %judge], [%scalar, %array_kind]
  %left_out1 = phi i1 [%left_out_now, %number], [%left_out, %judge], [%left_out, %array_kind]
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
    return "".join([_agreed(), _held()])


def _agreed() -> str:
    """Whether inputs of these kinds are computed as they are."""
    return """
compute:
  %numbers_only = icmp eq ptr %kind, null
  %view_ = icmp ne i64 %view, 0
  %not_view = xor i1 %view_, true
  %no_number = icmp eq i64 %number_kind, 0
  %only_others = and i1 %odd, %no_number
  %not_others = xor i1 %only_others, true
  %numbers = and i1 %numbers_only, %not_view
  %nothing = and i1 %numbers, %not_others
  br i1 %nothing, label %otherwise_, label %usual
usual:
  %asked = or i1 %odd, %left_out
  br i1 %asked, label %unusual, label %plan
unusual:  ; whole numbers, masks, inputs left out: what Python does with them depends on the op
  %takes_all = and i64 %loose, 1
  %takes_whole = and i64 %loose, 2
  %takes_masks = and i64 %loose, 4
  %all_taken = icmp ne i64 %takes_all, 0
  %whole_taken = icmp ne i64 %takes_whole, 0
  %masks_taken = icmp ne i64 %takes_masks, 0
  %are_whole = icmp eq ptr %kind, %descr_int
  %are_masks = icmp eq ptr %kind, %descr_bool
  %whole_good = and i1 %are_whole, %whole_taken
  %masks_good = and i1 %are_masks, %masks_taken
  %an_int = icmp eq i64 %number_kind, 1
  %no_other = or i1 %no_number, %an_int  ; with such a number whole numbers stay what they are
  %whole_good_ = and i1 %whole_good, %no_other
  %masks_good_ = and i1 %masks_good, %no_number
  %known_good = or i1 %whole_good_, %masks_good_
  %is_loose = or i1 %all_taken, %known_good
  %to_floats = icmp ne i64 %floats, 0
  %kind_float = icmp eq ptr %kind, %descr32
  %kind_double = icmp eq ptr %kind, %descr64
  %kind_of_floats = or i1 %kind_float, %kind_double
  %as_they_are = xor i1 %to_floats, true
  %known_kind = or i1 %kind_of_floats, %as_they_are
  %in_whole = icmp eq ptr %kind, %descr_int
  %whole_pair = and i1 %in_whole, %an_int
  %number_fits = or i1 %no_number, %kind_of_floats
  %number_goes = or i1 %number_fits, %whole_pair
  %mixed_small = xor i1 %any_big, true
  %arrays_only = xor i1 %scalar, true
  %size_good = or i1 %mixed_small, %arrays_only
  %good1 = and i1 %is_loose, %known_kind
  %good2 = and i1 %number_goes, %size_good
  %both_good = and i1 %good1, %good2
  br i1 %both_good, label %unusual_number, label %otherwise_
unusual_number:
  br i1 %whole_pair, label %fits_word, label %plan
fits_word:  ; other whole numbers than those of 64 bits are promoted
  %fits_all_words = call i1 @numbers_fit(ptr %values, ptr %tensors)
  br i1 %fits_all_words, label %plan, label %otherwise_
"""


def _held() -> str:
    """Whether there is a node to make; the values are held."""
    return f"""
plan:  ; is there a node to make, and is it known how?
  %differs = icmp ne i64 %needs, 0
  %able = icmp ne i64 %differentiable, 0
  %on = icmp ne i64 %recorded, 0
  %able_on = and i1 %able, %on
  %record_it = and i1 %differs, %able_on
  %big_if_odd = select i1 %asked, i1 %any_big, i1 %big_so_far
  %big = select i1 %view_, i1 false, i1 %big_if_odd
  %is_many = icmp ne i64 %several, 0
  %is_variadic = icmp eq i64 %usable, {VARIADIC}
  %python_records_ = or i1 %is_many, %is_variadic
  %python_records = or i1 %python_records_, %left_out
  %python_s = and i1 %record_it, %python_records
  %more_than_three = icmp sgt i64 %count, 3
  %no_large = and i1 %big, %more_than_three
  %leave_it = or i1 %python_s, %no_large
  %plans = getelementptr i64, ptr %record, i64 {len(RECORD)}
  %number_of_plan = sub i64 %needs, 1
  %plan_words = mul i64 %number_of_plan, {PLAN}
  %plan_at = getelementptr i64, ptr %plans, i64 %plan_words
  br i1 %leave_it, label %otherwise_, label %is_planned
is_planned:
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
    """What computes arrays like these, if that is known."""
    return f"""
forward_:
  br i1 %big, label %paced, label %forward_usual
paced:  ; the function that has been found for large arrays of this number type
  %no_pace = icmp eq ptr %pace, null
  %some_number = icmp ne i64 %number_kind, 0
  %not_arrays_ = or i1 %scalar, %some_number
  %not_arrays = or i1 %not_arrays_, %asked
  %unpaced = or i1 %no_pace, %not_arrays
  br i1 %unpaced, label %forward_usual, label %pace_look
pace_look:
  %seed = load i64, ptr %pace
  %seed_now = load i64, ptr %seeds
  %same_seed = icmp eq i64 %seed, %seed_now
{read("pace_kind", "pace", 8)}
  %same_pace_kind = icmp eq ptr %pace_kind, %kind
{read("pace_rank", "pace", 16, "i64")}
  %x_first = load ptr, ptr %values
  %x_rank = call i32 @rank(ptr %self, ptr %x_first)
  %x_rank_ = zext i32 %x_rank to i64
  %any_rank = icmp eq i64 %pace_rank, -1
  %this_rank = icmp eq i64 %pace_rank, %x_rank_
  %rank_good = or i1 %any_rank, %this_rank
  %pace_good_ = and i1 %same_seed, %same_pace_kind
  %pace_good = and i1 %pace_good_, %rank_good
  br i1 %pace_good, label %run_, label %forward_usual
run_:
{read("run", "pace", 24)}
  call void @Py_IncRef(ptr %run)
  %run_flagged = or i64 %count, {-1 << 63}
  %run_y = call ptr @PyObject_Vectorcall(ptr %run, ptr %values, i64 %run_flagged, ptr null)
  call void @Py_DecRef(ptr %run)
  %run_none = icmp eq ptr %run_y, %none
  br i1 %run_none, label %run_refused, label %computed
run_refused:
  call void @Py_DecRef(ptr %run_y)
  br label %forward_usual
"""


def _by_function() -> str:
    """NumPy's function, or that for large arrays."""
    return f"""
forward_usual:
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
  %y_usual = call ptr @PyObject_Vectorcall(ptr %function, ptr %from, i64 %flagged, ptr null)
  br label %computed
computed:
  %y = phi ptr [%y_usual, %forward_usual], [%run_y, %run_]
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
  br i1 %is_many, label %several_, label %result_one
several_:
  %y_type_at = getelementptr i8, ptr %y, i64 8
  %y_type = load ptr, ptr %y_type_at
  %is_tuple = icmp eq ptr %y_type, %tuple_type
  br i1 %is_tuple, label %tuple_, label %odd_several
tuple_:
  %all_of_it = call ptr @tensors(ptr %self, ptr %y)
  %not_made = icmp eq ptr %all_of_it, null
  %not_viewed = or i1 %not_made, %not_view
  br i1 %not_viewed, label %let_go, label %views_
views_:  ; each of them is a view by an op of its own
  %viewed = load ptr, ptr %tensors
  %shared_all = call i32 @shared_by_parts(ptr %self, ptr %op, ptr %viewed, ptr %all_of_it)
  %all_shared = icmp eq i32 %shared_all, 0
  br i1 %all_shared, label %let_go, label %drop_all
drop_all:
  call void @Py_DecRef(ptr %all_of_it)
  br label %let_go
result_one:
  %of_one = icmp eq i64 %count, 1
  %odd_or_one = or i1 %of_one, %odd
  %check = and i1 %odd_or_one, %record_it
  br i1 %check, label %check_kind, label %wrap
check_kind:  ; another number type than the input's
  %y_kind = call ptr @kind(ptr %self, ptr %y)
  %y_same = icmp eq ptr %y_kind, %kind
  br i1 %y_same, label %wrap, label %odd_result
odd_result:
  br i1 %of_one, label %odd_one, label %odd_several
odd_several:  ; Python computes it once more, and looks at what it is
  call void @Py_DecRef(ptr %y)
  br label %let_go
odd_one:
  %x0 = load ptr, ptr %values
  %t0 = load ptr, ptr %tensors
  %odd_args = alloca [4 x ptr]
  %odd_at1 = getelementptr ptr, ptr %odd_args, i64 1
  %odd_at2 = getelementptr ptr, ptr %odd_args, i64 2
  %odd_at3 = getelementptr ptr, ptr %odd_args, i64 3
  store ptr %op, ptr %odd_args
  store ptr %t0, ptr %odd_at1
  store ptr %x0, ptr %odd_at2
  store ptr %y, ptr %odd_at3
  %odd_out = call ptr @PyObject_Vectorcall(ptr %odd_way, ptr %odd_args, i64 4, ptr null)
  call void @Py_DecRef(ptr %y)
  br label %let_go
"""


def _viewed() -> str:
    """One tensor; of a view, the base is told."""
    return """
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
  %answer = phi ptr [null, %wrong], [null, %explain], [%all_of_it, %tuple_], [%all_of_it, %views_], [null, %drop_all],
                [null, %odd_several], [%odd_out, %odd_one],
                [null, %wrap], [null, %drop],
                [%out, %node_], [%out, %cells_done]
  %again = phi i1 [false, %wrong], [true, %explain], [false, %tuple_], [false, %views_], [false, %drop_all],
               [true, %odd_several], [false, %odd_one],
               [false, %wrap], [false, %drop],
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
