"""The largest or smallest of each row of a small array, in order: `top(x, k, largest)` of `pick.py`."""
from __future__ import annotations

from kobai.backends.native import _FIELD, _HEAD, read
from kobai.backends.pick_parts import BYTES, DIMS, MOST, load_words

MOST_TOP = 128  # of how many largest elements the list is kept in order


def top() -> str:
    """The largest or smallest of each row."""
    return "".join([_top_begin(), _top_made(), _top_rows(), _top_put()])


def _top_begin() -> str:
    """What is asked for."""
    return f"""
; A number that grows with a float32, all NaNs the largest and both zeros alike.
define internal i32 @grown(float %v) nounwind {{
  %sum = fadd float %v, 0.0
  %bits = bitcast float %sum to i32
  %sign = ashr i32 %bits, 31
  %flips = and i32 %sign, 2147483647
  %key = xor i32 %bits, %flips
  %unknown = fcmp uno float %v, 0.0
  %grown = select i1 %unknown, i32 2147483647, i32 %key
  ret i32 %grown
}}

; top(x, k, largest): (values, positions) of the k first of each row of float32 in order; of equal ones the first comes first.
define ptr @top(ptr %object, ptr %args, i64 %given) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {BYTES}
{load_words("none", "true", "i8", "f4")}
  %shape = alloca [{DIMS} x i64]
  %keys = alloca [{MOST_TOP} x i32]
  %x = load ptr, ptr %args
{read("k_", "args", 8)}
{read("largest_", "args", 16)}
  %width = call i64 @width(ptr %self, ptr %x)
  %x_good = icmp eq i64 %width, 4
  br i1 %x_good, label %typed, label %refuse
typed:
{read("x_nd", "x", _HEAD + _FIELD["nd"], "i32")}
{read("x_dims", "x", _HEAD + _FIELD["dims"])}
{read("x_data", "x", _HEAD + _FIELD["data"])}
  %nd = zext i32 %x_nd to i64
  %k = call i64 @PyLong_AsLongLong(ptr %k_)
  %largest = icmp eq ptr %largest_, %true
  %flip = select i1 %largest, i32 0, i32 -1
  %last = sub i64 %nd, 1
  %has_dims = icmp ult i64 %last, {DIMS}
  br i1 %has_dims, label %sizes, label %refuse
sizes:
  %n_at = getelementptr i64, ptr %x_dims, i64 %last
  %n = load i64, ptr %n_at
  %rows = call i64 @product(ptr %x_dims, i64 0, i64 %last)
  %bytes = mul i64 %nd, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %shape, ptr %x_dims, i64 %bytes, i1 false)
  %k_at = getelementptr i64, ptr %shape, i64 %last
  store i64 %k, ptr %k_at
  %few = icmp ule i64 %k, {MOST_TOP}
  %k_good = icmp sle i64 %k, %n
  %work = mul i64 %rows, %n
  %small = icmp ule i64 %work, {MOST}
  %good_ = and i1 %few, %k_good
  %good = and i1 %good_, %small
  br i1 %good, label %make, label %refuse
"""


def _top_made() -> str:
    """What the results go to."""
    return f"""
make:
  %y = call ptr @new(ptr %self, ptr %f4, i64 %nd, ptr %shape)
  %y_bad = icmp eq ptr %y, null
  br i1 %y_bad, label %error, label %make_places
make_places:
  %places = call ptr @new(ptr %self, ptr %i8, i64 %nd, ptr %shape)
  %places_bad = icmp eq ptr %places, null
  br i1 %places_bad, label %drop_y, label %make_pair
make_pair:
  %pair = call ptr @PyTuple_New(i64 2)
  %pair_bad = icmp eq ptr %pair, null
  br i1 %pair_bad, label %drop_places, label %begin
begin:
{read("y_data", "y", _HEAD + _FIELD["data"])}
{read("p_data", "places", _HEAD + _FIELD["data"])}
{read("item0", "pair", 24)}
  store ptr %y, ptr %item0_at
  %item1_at = getelementptr i8, ptr %pair, i64 32
  store ptr %places, ptr %item1_at
  %any = icmp ne i64 %k, 0
  br i1 %any, label %row, label %end
"""


def _top_rows() -> str:
    """The elements of a row, one after the other."""
    return """
row:
  %r = phi i64 [0, %begin], [%r1, %row_done]
  %r_more = icmp slt i64 %r, %rows
  br i1 %r_more, label %row_, label %end
row_:
  %x_at_row = mul i64 %r, %n
  %x_row = getelementptr float, ptr %x_data, i64 %x_at_row
  %y_at_row = mul i64 %r, %k
  %y_row = getelementptr float, ptr %y_data, i64 %y_at_row
  %p_row = getelementptr i64, ptr %p_data, i64 %y_at_row
  br label %element
element:  ; those met so far are kept in order
  %i = phi i64 [0, %row_], [%i1, %next]
  %have = phi i64 [0, %row_], [%have_next, %next]
  %i_more = icmp slt i64 %i, %n
  br i1 %i_more, label %element_, label %row_done
element_:
  %v_at = getelementptr float, ptr %x_row, i64 %i
  %v = load float, ptr %v_at
  %grown = call i32 @grown(float %v)
  %key = xor i32 %grown, %flip
  %full = icmp eq i64 %have, %k
  br i1 %full, label %compare, label %room
compare:
  %worst_place = sub i64 %k, 1
  %worst_at = getelementptr i32, ptr %keys, i64 %worst_place
  %worst = load i32, ptr %worst_at
  %better = icmp sgt i32 %key, %worst
  br i1 %better, label %shift, label %next
room:
  %have_more = add i64 %have, 1
  br label %shift
"""


def _top_put() -> str:
    """Where an element belongs among them."""
    return """
shift:
  %have1 = phi i64 [%have, %compare], [%have_more, %room]
  %end_place = sub i64 %have1, 1
  br label %down
down:
  %d = phi i64 [%end_place, %shift], [%d_less, %move]
  %first = icmp eq i64 %d, 0
  br i1 %first, label %put, label %above
above:
  %d_less = sub i64 %d, 1
  %above_at = getelementptr i32, ptr %keys, i64 %d_less
  %above_key = load i32, ptr %above_at
  %passes = icmp sgt i32 %key, %above_key
  br i1 %passes, label %move, label %put
move:
  %key_to = getelementptr i32, ptr %keys, i64 %d
  store i32 %above_key, ptr %key_to
  %v_from = getelementptr float, ptr %y_row, i64 %d_less
  %v_to = getelementptr float, ptr %y_row, i64 %d
  %v_moved = load float, ptr %v_from
  store float %v_moved, ptr %v_to
  %p_from = getelementptr i64, ptr %p_row, i64 %d_less
  %p_to = getelementptr i64, ptr %p_row, i64 %d
  %p_moved = load i64, ptr %p_from
  store i64 %p_moved, ptr %p_to
  br label %down
put:
  %key_at = getelementptr i32, ptr %keys, i64 %d
  store i32 %key, ptr %key_at
  %v_put = getelementptr float, ptr %y_row, i64 %d
  store float %v, ptr %v_put
  %p_put = getelementptr i64, ptr %p_row, i64 %d
  store i64 %i, ptr %p_put
  br label %next
next:
  %have_next = phi i64 [%have, %compare], [%have1, %put]
  %i1 = add i64 %i, 1
  br label %element
row_done:
  %r1 = add i64 %r, 1
  br label %row
end:
  ret ptr %pair
drop_places:
  call void @Py_DecRef(ptr %places)
  br label %drop_y
drop_y:
  call void @Py_DecRef(ptr %y)
  br label %error
error:
  ret ptr null
refuse:
  call void @Py_IncRef(ptr %none)
  ret ptr %none
}
"""
