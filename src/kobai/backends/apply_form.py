"""The native code of `kobai.backends.forms`: what a public function applied to arguments of this form, applied again.

The form of arguments is written down as words: of tensors the class, dtype, shape and strides, of numbers the values.
It is looked up in a table of what was learned; then the ops in the entry are applied by `apply`.
"""
from __future__ import annotations

from kobai.backends.apply_parts import ITEMS, load
from kobai.backends.entry_checks import KEEPS_VERSIONS
from kobai.backends.entry_code import OFFSETS
from kobai.backends.native import _BYTES, _FIELD, _HEAD, read

SLOTS = 1 << 12       # of the table: the address of an entry, the hash of what was last looked for in vain; each form has two
PRIME = 0x100000001B3
MOST_WORDS, MOST_TENSORS, MOST_STEPS, MOST_INPUTS = 256, 16, 8, 16
_FULL = MOST_WORDS - 140  # a tensor of 64 dimensions takes 132
CONSTANT, GIVEN, MADE = 0, 1, 2  # the low bits of an input in an entry: an object's address, the number of a tensor, of a step
FIRST = 3             # words of an entry before the form: how many the form has, how many steps, what names the results
SLICE = 16            # where a slice has its first, last and step
SIZE = 16             # where a tuple or list has its length


def text() -> str:
    """The native functions."""
    return "\n".join([_DECLARATIONS, "".join([_form(), _of_number(), _of_tensor(), _of_items(), _of_dict(), _of_slice()]),
                      "".join([_door(), _looked_up(), _unknown(), _held(), _steps(), _ended()])])


_DECLARATIONS = """
declare ptr @PyBytes_FromStringAndSize(ptr, i64)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
@PyExc_Exception = external global ptr
"""


def _form() -> str:
    """What kind of argument it is."""
    return f"""
; Write the form of a thing from words[at] on, and note tensors; where the next one begins, -1 if it has none.
define internal i64 @form(ptr %self, ptr %thing, ptr %words, i64 %at, ptr %found, ptr %many, i64 %depth) nounwind {{
entry:
{load("none", "true", "false", "int_type", "float_type", "str_type", "dtype_type", "size_type", "tuple_type", "list_type",
      "dict_type", "array_type", "slice_type", "ellipsis")}
{load("ranks", kind="i64")}
  %dict_place = alloca i64
  %dict_key = alloca ptr
  %dict_value = alloca ptr
  %full = icmp sgt i64 %at, {_FULL}
  br i1 %full, label %no, label %begin
begin:
{read("type", "thing", _HEAD - 8)}
  %word = getelementptr i64, ptr %words, i64 %at
  %word1 = getelementptr i64, ptr %word, i64 1
  %word2 = getelementptr i64, ptr %word, i64 2
  %word3 = getelementptr i64, ptr %word, i64 3
  %word4 = getelementptr i64, ptr %word, i64 4
  store ptr %type, ptr %word
  %at2 = add i64 %at, 2
  %is_tensor = call i1 @plain(ptr %self, ptr %thing)
  br i1 %is_tensor, label %tensor, label %number
"""


def _of_number() -> str:
    """Numbers have their values, and what is known by its address that."""
    return f"""
number:
  %is_int = icmp eq ptr %type, %int_type
  br i1 %is_int, label %int, label %not_int
int:
  %value = call i64 @PyLong_AsLongLong(ptr %thing)
  store i64 %value, ptr %word1
  %minus = icmp eq i64 %value, -1
  br i1 %minus, label %maybe_long, label %two
maybe_long:
  %error = call ptr @PyErr_Occurred()
  %good = icmp eq ptr %error, null
  br i1 %good, label %two, label %long
long:
  call void @PyErr_Clear()
  br label %no
not_int:
  %is_float = icmp eq ptr %type, %float_type
  br i1 %is_float, label %float, label %not_float
float:
{read("bits", "thing", _HEAD, "i64")}
  store i64 %bits, ptr %word1
  br label %two
two:
  ret i64 %at2
not_float:
  %is_tuple = icmp eq ptr %type, %tuple_type
  %is_size = icmp eq ptr %type, %size_type
  %is_list = icmp eq ptr %type, %list_type
  %is_dict = icmp eq ptr %type, %dict_type
  %is_either = or i1 %is_tuple, %is_size
  %is_many = or i1 %is_either, %is_list
  %is_slice = icmp eq ptr %type, %slice_type
  br i1 %is_many, label %items, label %not_items
not_items:
  br i1 %is_dict, label %dict, label %not_dict
not_dict:
  br i1 %is_slice, label %slice, label %itself
itself:  ; what is known by its address, which the entry keeps
  %is_none = icmp eq ptr %thing, %none
  %is_true = icmp eq ptr %thing, %true
  %is_false = icmp eq ptr %thing, %false
  %is_str = icmp eq ptr %type, %str_type
  %is_dtype = icmp eq ptr %type, %dtype_type
  %either1 = or i1 %is_none, %is_true
  %either2 = or i1 %is_false, %is_str
  %either3 = or i1 %either1, %either2
  %is_dots = icmp eq ptr %thing, %ellipsis
  %either4 = or i1 %either3, %is_dots
  %known = or i1 %either4, %is_dtype
  store ptr %thing, ptr %word
  %at1 = add i64 %at, 1
  br i1 %known, label %one, label %no
one:
  ret i64 %at1
no:
  ret i64 -1
"""


def _of_tensor() -> str:
    """Its class, whether it requires grad and is a view, dtype, shape and strides; of rank only, whether it is empty."""
    return f"""
tensor:
{read("x", "thing", OFFSETS["_data"])}
{read("rg", "thing", OFFSETS["_rg"])}
{read("base", "thing", OFFSETS["_base"])}
  %empty_slot = icmp eq ptr %x, null
  %tensors_before = load i64, ptr %many
  %too_many = icmp sge i64 %tensors_before, {MOST_TENSORS}
  %refused = or i1 %empty_slot, %too_many
  br i1 %refused, label %no, label %noted
noted:
  %found_at = getelementptr ptr, ptr %found, i64 %tensors_before
  store ptr %thing, ptr %found_at
  %tensors_now = add i64 %tensors_before, 1
  store i64 %tensors_now, ptr %many
  %is_rg = icmp eq ptr %rg, %true
  %rg_bit = zext i1 %is_rg to i64
  %whole = icmp eq ptr %base, %none
  %whole_ = zext i1 %whole to i64
  %whole_bit = shl i64 %whole_, 1
  %bits_of = or i64 %rg_bit, %whole_bit
  store i64 %bits_of, ptr %word1
{read("x_type", "x", _HEAD - 8)}
  %is_array = icmp eq ptr %x_type, %array_type
  br i1 %is_array, label %array, label %scalar
scalar:
  store ptr %x_type, ptr %word2
  %at3 = add i64 %at, 3
  ret i64 %at3
array:
{read("descr", "x", _HEAD + _FIELD["descr"])}
{read("nd", "x", _HEAD + _FIELD["nd"], "i32")}
{read("dims", "x", _HEAD + _FIELD["dims"])}
{read("strides", "x", _HEAD + _FIELD["strides"])}
  store ptr %descr, ptr %word2
  %n = zext i32 %nd to i64
  %by_rank = icmp ne i64 %ranks, 0
  br i1 %by_rank, label %rank_, label %shape
shape:
  store i64 %n, ptr %word3
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %word4, ptr %dims, i64 %bytes, i1 false)
  %after_dims = getelementptr i64, ptr %word4, i64 %n
  call void @llvm.memcpy.p0.p0.i64(ptr %after_dims, ptr %strides, i64 %bytes, i1 false)
  %n2 = mul i64 %n, 2
  %at4 = add i64 %at, 4
  %at_shape = add i64 %at4, %n2
  ret i64 %at_shape
rank_:
  %size = call i64 @size(ptr %self, ptr %x)
  %none_there = icmp eq i64 %size, 0
  %none_bit = zext i1 %none_there to i64
  %n_up = shl i64 %n, 1
  %rank_word = or i64 %n_up, %none_bit
  store i64 %rank_word, ptr %word3
  %at_rank = add i64 %at, 4
  ret i64 %at_rank
"""


def _of_items() -> str:
    """Tuples and lists: how long they are, and what is in them."""
    return f"""
items:
  %deep = icmp sgt i64 %depth, 2
  br i1 %deep, label %no, label %items_
items_:
{read("length", "thing", SIZE, "i64")}
  store i64 %length, ptr %word1
  %inline = getelementptr i8, ptr %thing, i64 {ITEMS}
{read("apart", "thing", ITEMS)}
  %list = select i1 %is_list, ptr %apart, ptr %inline
  %below = add i64 %depth, 1
  br label %item
item:
  %i = phi i64 [0, %items_], [%i1, %item_done]
  %at_i = phi i64 [%at2, %items_], [%at_next, %item_done]
  %more = icmp slt i64 %i, %length
  br i1 %more, label %item_, label %items_end
item_:
  %item_at = getelementptr ptr, ptr %list, i64 %i
  %inner = load ptr, ptr %item_at
  %at_next = call i64 @form(ptr %self, ptr %inner, ptr %words, i64 %at_i, ptr %found, ptr %many, i64 %below)
  %i1 = add i64 %i, 1
  %bad = icmp slt i64 %at_next, 0
  br i1 %bad, label %no, label %item_done
item_done:
  br label %item
items_end:
  ret i64 %at_i
"""


def _of_dict() -> str:
    """Keyword arguments: names, by their addresses, and values."""
    return """
dict:
  %dict_deep = icmp sgt i64 %depth, 0
  br i1 %dict_deep, label %no, label %dict_
dict_:
  store i64 0, ptr %dict_place
  br label %pair
pair:
  %at_p = phi i64 [%at2, %dict_], [%at_q, %pair_done]
  %count = phi i64 [0, %dict_], [%count1, %pair_done]
  store i64 %count, ptr %word1
  %has = call i32 @PyDict_Next(ptr %thing, ptr %dict_place, ptr %dict_key, ptr %dict_value)
  %done = icmp eq i32 %has, 0
  br i1 %done, label %dict_end, label %pair_
pair_:
  %key = load ptr, ptr %dict_key
  %val = load ptr, ptr %dict_value
  %at_k = call i64 @form(ptr %self, ptr %key, ptr %words, i64 %at_p, ptr %found, ptr %many, i64 1)
  %bad_key = icmp slt i64 %at_k, 0
  br i1 %bad_key, label %no, label %pair_value
pair_value:
  %at_q = call i64 @form(ptr %self, ptr %val, ptr %words, i64 %at_k, ptr %found, ptr %many, i64 1)
  %bad_value = icmp slt i64 %at_q, 0
  br i1 %bad_value, label %no, label %pair_done
pair_done:
  %count1 = add i64 %count, 1
  br label %pair
dict_end:
  ret i64 %at_p
"""


def _of_slice() -> str:
    """Slices: first, last and step."""
    return f"""
slice:
{read("start", "thing", SLICE, "ptr")}
{read("stop", "thing", SLICE + 8, "ptr")}
{read("by", "thing", SLICE + 16, "ptr")}
  %at1s = add i64 %at, 1
  %at_start = call i64 @form(ptr %self, ptr %start, ptr %words, i64 %at1s, ptr %found, ptr %many, i64 3)
  %bad_start = icmp slt i64 %at_start, 0
  br i1 %bad_start, label %no, label %slice_stop
slice_stop:
  %at_stop = call i64 @form(ptr %self, ptr %stop, ptr %words, i64 %at_start, ptr %found, ptr %many, i64 3)
  %bad_stop = icmp slt i64 %at_stop, 0
  br i1 %bad_stop, label %no, label %slice_step
slice_step:
  %at_step = call i64 @form(ptr %self, ptr %by, ptr %words, i64 %at_stop, ptr %found, ptr %many, i64 3)
  ret i64 %at_step
}}
"""


def _door() -> str:
    """The form of the arguments of a function, the first of which stands for the function."""
    return f"""
define ptr @door(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
{load("learn", "missing", "any", "watched", "thread", "table", "settings", "modes", "autocast_name", "false")}
  %words = alloca [{MOST_WORDS} x i64]
  %found = alloca [{MOST_TENSORS} x ptr]
  %many = alloca i64
  %results = alloca [{MOST_STEPS} x ptr]
  %call = alloca [{MOST_INPUTS + 1} x ptr]
  store i64 0, ptr %many
  %recording = load i64, ptr %watched
  %alone = icmp eq i64 %recording, 0
  br i1 %alone, label %mode, label %miss
mode:
  %recorded = call i64 @modes(ptr %self)
  %odd = icmp slt i64 %recorded, 0
  br i1 %odd, label %miss, label %cast
cast:  ; inside autocast the functions that these functions call may do something else
{_AUTOCAST_KNOWN if KEEPS_VERSIONS else _AUTOCAST_ASKED}
first:
  %key = load ptr, ptr %args
  store ptr %key, ptr %words
  %set = load i64, ptr %settings
  %set_up = shl i64 %set, 1
  %mode_word = or i64 %set_up, %recorded
  %mode_at = getelementptr i64, ptr %words, i64 1
  store i64 %mode_word, ptr %mode_at
  br label %argument
argument:
  %a = phi i64 [1, %first], [%a1, %formed]
  %at = phi i64 [2, %first], [%at1, %formed]
  %more = icmp slt i64 %a, %given
  br i1 %more, label %argument_, label %all
argument_:
  %a_at = getelementptr ptr, ptr %args, i64 %a
  %thing = load ptr, ptr %a_at
  %at1 = call i64 @form(ptr %self, ptr %thing, ptr %words, i64 %at, ptr %found, ptr %many, i64 0)
  %formless = icmp slt i64 %at1, 0
  br i1 %formless, label %miss, label %formed
formed:
  %a1 = add i64 %a, 1
  br label %argument
"""


_AUTOCAST_KNOWN = """  ; found with the modes
  %autocast_at = getelementptr i64, ptr %thread, i64 4
  %autocast = load i64, ptr %autocast_at
  %plain_mode = icmp eq i64 %autocast, 0
  br i1 %plain_mode, label %first, label %miss"""
_AUTOCAST_ASKED = """
  %asked = call ptr @PyObject_GetAttr(ptr %modes, ptr %autocast_name)
  %unasked = icmp eq ptr %asked, null
  br i1 %unasked, label %error, label %answered
answered:
  call void @Py_DecRef(ptr %asked)
  %plain_mode = icmp eq ptr %asked, %false
  br i1 %plain_mode, label %first, label %miss"""


def _looked_up() -> str:
    """What is known of the form."""
    return f"""
all:
  br label %mix
mix:
  %w = phi i64 [0, %all], [%w1, %mix]
  %h = phi i64 [0, %all], [%h1, %mix]
  %w_at = getelementptr i64, ptr %words, i64 %w
  %w_now = load i64, ptr %w_at
  %h_ = xor i64 %h, %w_now
  %h__ = mul i64 %h_, {PRIME}
  %h_high = lshr i64 %h__, 29
  %h1 = xor i64 %h__, %h_high
  %w1 = add i64 %w, 1
  %w_more = icmp slt i64 %w1, %at
  br i1 %w_more, label %mix, label %look
look:
  %slot = and i64 %h1, {SLOTS - 1}
  %beside = xor i64 %slot, 1
  br label %slot_
slot_:
  %slot_now = phi i64 [%slot, %look], [%beside, %other]
  %slot2 = mul i64 %slot_now, 2
  %slot_at = getelementptr i64, ptr %table, i64 %slot2
  %entry_ = load ptr, ptr %slot_at
  %unknown = icmp eq ptr %entry_, null
  br i1 %unknown, label %other, label %compare
compare:
  %length = load i64, ptr %entry_
  %same_length = icmp eq i64 %length, %at
  br i1 %same_length, label %compare_words, label %other
compare_words:
  %form_at = getelementptr i64, ptr %entry_, i64 {FIRST}
  %bytes = mul i64 %at, 8
  %differ = call i32 @memcmp(ptr %form_at, ptr %words, i64 %bytes)
  %equal = icmp eq i32 %differ, 0
  br i1 %equal, label %begin, label %other
other:
  %was_first = icmp eq i64 %slot_now, %slot
  br i1 %was_first, label %slot_, label %missed
"""


def _unknown() -> str:
    """Once a form has been looked for twice in a row, Python learns it."""
    return """
missed:
  %missed2 = mul i64 %slot, 2
  %missed1 = add i64 %missed2, 1
  %missed_at = getelementptr i64, ptr %table, i64 %missed1
  %before = load i64, ptr %missed_at
  %again = icmp eq i64 %before, %h1
  store i64 %h1, ptr %missed_at
  br i1 %again, label %learn_, label %miss
learn_:
  %all_bytes = mul i64 %at, 8
  %told = call ptr @PyBytes_FromStringAndSize(ptr %words, i64 %all_bytes)
  %untold = icmp eq ptr %told, null
  br i1 %untold, label %error, label %learn_copy
learn_copy:
  %with_form = add i64 %given, 1
  %copy = alloca ptr, i64 %with_form
  %rest = getelementptr ptr, ptr %copy, i64 1
  %rest_bytes = mul i64 %given, 8
  store ptr %told, ptr %copy
  call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %args, i64 %rest_bytes, i1 false)
  %learned = call ptr @PyObject_Vectorcall(ptr %learn, ptr %copy, i64 %with_form, ptr null)
  call void @Py_DecRef(ptr %told)
  ret ptr %learned
"""


def _held() -> str:
    """If there are steps, the tensors in the arguments are held."""
    return """
begin:
  %steps_at = getelementptr i64, ptr %entry_, i64 1
  %steps = load i64, ptr %steps_at
  %none = icmp eq i64 %steps, 0
  br i1 %none, label %miss, label %run
run:  ; others may take tensors out of a list meanwhile
  %first_step = getelementptr i64, ptr %form_at, i64 %at
  %tensor_count = load i64, ptr %many
  br label %hold
hold:
  %t = phi i64 [0, %run], [%t1, %hold_next]
  %t_more = icmp slt i64 %t, %tensor_count
  br i1 %t_more, label %hold_next, label %step
hold_next:
  %t_at = getelementptr ptr, ptr %found, i64 %t
  %held = load ptr, ptr %t_at
  call void @Py_IncRef(ptr %held)
  %t1 = add i64 %t, 1
  br label %hold
"""


def _steps() -> str:
    """Each op on its inputs: tensors of the arguments, results of steps before, or what is always the same."""
    return f"""
step:
  %s = phi i64 [0, %hold], [%s1, %step_next]
  %p = phi ptr [%first_step, %hold], [%p_next, %step_next]
  %op = load ptr, ptr %p
  store ptr %op, ptr %call
{read("inputs", "p", 8, "i64")}
  %refs = getelementptr i64, ptr %p, i64 2
  br label %input
input:
  %j = phi i64 [0, %step], [%j1, %put]
  %j_more = icmp slt i64 %j, %inputs
  br i1 %j_more, label %input_, label %apply_
input_:
  %ref_at = getelementptr i64, ptr %refs, i64 %j
  %ref = load i64, ptr %ref_at
  %kind = and i64 %ref, 3
  %number = lshr i64 %ref, 2
  switch i64 %kind, label %constant [i64 {GIVEN}, label %given_ i64 {MADE}, label %made_]
constant:
  %object_ = inttoptr i64 %ref to ptr
  br label %put
given_:
  %given_at = getelementptr ptr, ptr %found, i64 %number
  %given_tensor = load ptr, ptr %given_at
  br label %put
made_:
  %made_at = getelementptr ptr, ptr %results, i64 %number
  %made_tensor = load ptr, ptr %made_at
  br label %put
put:
  %value = phi ptr [%object_, %constant], [%given_tensor, %given_], [%made_tensor, %made_]
  %j1 = add i64 %j, 1
  %to = getelementptr ptr, ptr %call, i64 %j1
  store ptr %value, ptr %to
  br label %input
apply_:
  %with_op = add i64 %inputs, 1
  %y = call ptr @apply(ptr %any, ptr %call, i64 %with_op)
  %failed = icmp eq ptr %y, null
  br i1 %failed, label %wrong, label %made
made:
  %y_at = getelementptr ptr, ptr %results, i64 %s
  store ptr %y, ptr %y_at
  %s1 = add i64 %s, 1
  %next_words = add i64 %inputs, 2
  %p_next = getelementptr i64, ptr %p, i64 %next_words
  %s_more = icmp slt i64 %s1, %steps
  br i1 %s_more, label %step_next, label %made_all
step_next:
  br label %step
"""


def _ended() -> str:
    """The last result, as a class of named results if it is one; or Python's way."""
    return f"""
wrong:  ; Python tries once more, and says what is wrong
  %exception = load ptr, ptr @PyExc_Exception
  %is_error = call i32 @PyErr_ExceptionMatches(ptr %exception)
  %explained = icmp ne i32 %is_error, 0
  br i1 %explained, label %explain, label %drop
explain:
  call void @PyErr_Clear()
  br label %drop
made_all:
  br label %drop
drop:  ; results between
  %count = phi i64 [%s, %wrong], [%s, %explain], [%s, %made_all]
  %outcome = phi i64 [1, %wrong], [2, %explain], [0, %made_all]
  br label %drop_one
drop_one:
  %d = phi i64 [0, %drop], [%d1, %drop_next]
  %d_more = icmp slt i64 %d, %count
  br i1 %d_more, label %drop_next, label %dropped
drop_next:
  %d_at = getelementptr ptr, ptr %results, i64 %d
  %dropping = load ptr, ptr %d_at
  call void @Py_DecRef(ptr %dropping)
  %d1 = add i64 %d, 1
  br label %drop_one
dropped:
  br label %let_go
let_go:
  %g = phi i64 [0, %dropped], [%g1, %let_next]
  %g_more = icmp slt i64 %g, %tensor_count
  br i1 %g_more, label %let_next, label %ended
let_next:
  %g_at = getelementptr ptr, ptr %found, i64 %g
  %leaving = load ptr, ptr %g_at
  call void @Py_DecRef(ptr %leaving)
  %g1 = add i64 %g, 1
  br label %let_go
ended:
  switch i64 %outcome, label %answer [i64 1, label %error i64 2, label %miss]
answer:
{read("named", "entry_", 16)}
  %unnamed = icmp eq ptr %named, null
  br i1 %unnamed, label %plainly, label %name
plainly:
  ret ptr %y
name:
  %one_at = alloca ptr
  store ptr %y, ptr %one_at
  %with_names = call ptr @PyObject_Vectorcall(ptr %named, ptr %one_at, i64 1, ptr null)
  call void @Py_DecRef(ptr %y)
  ret ptr %with_names
error:
  ret ptr null
miss:
  call void @Py_IncRef(ptr %missing)
  ret ptr %missing
}}
"""


