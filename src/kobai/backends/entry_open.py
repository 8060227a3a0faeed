"""Arguments of compiled programs as the tensors in them: what is in lists, tuples and dicts, and what came by name.

`table` writes down the form that arguments had when a program was recorded; `text` is the native function that compares
arguments with it and collects their leaves.  Rows have `ROW` words: the type, which object, its size, keys, and where its
items go; or for a leaf 0, which object, which leaf, and an object that it has to be.
"""
from __future__ import annotations

import numpy as np

from kobai.backends.native import _HEAD, read

ROW = 5
WORDS = ("given_count", "wanted_names", "name_count", "rows", "row_count", "object_count", "leaf_count",
         "tensors", "tensor_count", "known")
_SIZE, _ITEMS = 16, 24                # of a tuple, and of a list, whose items lie elsewhere; the size of a dict, too
_TYPES = (tuple, list, dict)


class Form:
    """What arguments look like: `rows`, the number of `objects` to look at; of arguments in order; `names` of others.

    `kept` are the objects whose addresses are in the rows.  `possible` says whether machine code can open them, `flat`
    whether there is nothing to open.
    """

    def __init__(self, spec, plain):
        """`spec` is that of (args, kwargs); `plain` has None for a leaf that is a tensor, else (the leaf,)."""
        (_, _, args), (_, names, kwargs) = spec[2]
        self.count, self.names, self.rows, self.kept = len(args), list(names), [], list(names)
        self.objects, self.leaves, self.possible = len(args) + len(kwargs), 0, True
        self.flat = not any(args) and not kwargs and not any(plain)
        self._plain = plain
        for i, part in enumerate([*args, *kwargs]):
            self._part(i, part)

    def _part(self, i: int, part):
        """The rows of object number i."""
        if part is None:
            value = self._plain[self.leaves]
            self.rows.append((0, i, self.leaves, id(value[0]) if value else 0, 0))
            self.kept.append(value)
            self.leaves += 1
            return
        kind, keys, parts = part
        if kind not in _TYPES:
            self.possible = False
            return
        first = self.objects
        self.objects += len(parts)
        self.rows.append((id(kind), i, len(parts), self._addresses(keys or ()), first))
        for k, inner in enumerate(parts):
            self._part(first + k, inner)

    def _addresses(self, keys) -> int:
        """Where the addresses of keys stand."""
        table = np.array([id(k) for k in keys] or [0], np.int64)
        self.kept += [table, *keys]
        return table.ctypes.data

    def words(self, address, tensors, known) -> dict[str, int]:
        """The words of the entry; `address` puts numbers where they stay. `tensors` are the leaves that are tensors, which
        must be different ones and none of the `known`, of which these are the addresses."""
        return {
            "given_count": self.count, "wanted_names": address([id(n) for n in self.names] or [0]),
            "name_count": len(self.names), "rows": 0 if self.flat else address(self.rows), "row_count": len(self.rows),
            "object_count": self.objects, "leaf_count": self.leaves, "tensors": address(tensors or [0]),
            "tensor_count": len(tensors), "known": address(table_of(known))}


def table_of(addresses) -> list[int]:
    """Addresses in a table where each is found at once: its size less one, and that many places, of which some are 0."""
    size = 4
    while size < 2 * len(addresses):
        size *= 2
    places = [0] * size
    for a in addresses:
        at = a >> 4 & size - 1
        while places[at]:
            at = at + 1 & size - 1
        places[at] = a
    return [size - 1, *places]


def distinct() -> str:
    """The functions of that name, and of what is known."""
    return _is_known() + _distinct()


def _is_known() -> str:
    """Whether the program knows a tensor."""
    return """
; Whether an object is in a table as `table_of` makes them.
define internal i1 @is_known(ptr %object, ptr %table) nounwind {
entry:
  %mask = load i64, ptr %table
  %places = getelementptr i64, ptr %table, i64 1
  %address = ptrtoint ptr %object to i64
  %short = lshr i64 %address, 4
  br label %loop
loop:
  %i = phi i64 [%short, %entry], [%i1, %other]
  %at = and i64 %i, %mask
  %place = getelementptr i64, ptr %places, i64 %at
  %one = load i64, ptr %place
  %same = icmp eq i64 %one, %address
  br i1 %same, label %done, label %look
look:
  %free = icmp eq i64 %one, 0
  br i1 %free, label %done, label %other
other:
  %i1 = add i64 %i, 1
  br label %loop
done:
  ret i1 %same
}
"""


def _distinct() -> str:
    """Whether leaves are tensors of their own."""
    return """
; Whether some leaves are different tensors, and none of them one that the program knows.
define internal i1 @distinct(ptr %leaves, ptr %which, i64 %count, ptr %known) nounwind {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %alone]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %yes
look:
  %number_at = getelementptr i64, ptr %which, i64 %i
  %number = load i64, ptr %number_at
  %leaf_at = getelementptr ptr, ptr %leaves, i64 %number
  %leaf = load ptr, ptr %leaf_at
  br label %before
before:
  %j = phi i64 [0, %look], [%j1, %other]
  %j_more = icmp slt i64 %j, %i
  br i1 %j_more, label %compare, label %last
compare:
  %second_at = getelementptr i64, ptr %which, i64 %j
  %second = load i64, ptr %second_at
  %earlier_at = getelementptr ptr, ptr %leaves, i64 %second
  %earlier = load ptr, ptr %earlier_at
  %same = icmp eq ptr %leaf, %earlier
  br i1 %same, label %no, label %other
other:
  %j1 = add i64 %j, 1
  br label %before
last:
  %is_known = call i1 @is_known(ptr %leaf, ptr %known)
  br i1 %is_known, label %no, label %alone
alone:
  %i1 = add i64 %i, 1
  br label %loop
yes:
  ret i1 true
no:
  ret i1 false
}
"""


def text(own: int, words: str) -> str:
    """The functions; `own` is where the entry's words begin, `words` loads those that `WORDS` names."""
    return "".join([_named(), _opened(), _containers(), _entry(own, words)])


def _named() -> str:
    """Arguments that came by name."""
    return f"""
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)

; Whether what came by name has these names, in this order.
define internal i1 @named(ptr %names, ptr %wanted, i64 %count) nounwind {{
entry:
  %none = icmp eq ptr %names, null
  br i1 %none, label %unnamed, label %some
unnamed:
  %right = icmp eq i64 %count, 0
  ret i1 %right
some:
{read("size", "names", _SIZE, "i64")}
  %equal = icmp eq i64 %size, %count
  br i1 %equal, label %loop, label %no
loop:
  %i = phi i64 [0, %some], [%i1, %good]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %yes
look:
  %items = getelementptr i8, ptr %names, i64 {_ITEMS}
  %at = getelementptr ptr, ptr %items, i64 %i
  %name = load ptr, ptr %at
  %wanted_at = getelementptr ptr, ptr %wanted, i64 %i
  %want = load ptr, ptr %wanted_at
  %same = icmp eq ptr %name, %want
  br i1 %same, label %good, label %no
good:
  %i1 = add i64 %i, 1
  br label %loop
yes:
  ret i1 true
no:
  ret i1 false
}}
"""


def _opened() -> str:
    """Leaves and what they lie in."""
    return f"""
; Whether arguments, the first of %objects, have the form of a table; their leaves.
define internal i1 @opened(ptr %table, i64 %count, ptr %objects, ptr %leaves) nounwind {{
entry:
  %place = alloca i64
  %key_at = alloca ptr
  %value_at = alloca ptr
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %good]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %yes
look:
  %words = mul i64 %i, {ROW}
  %row = getelementptr i64, ptr %table, i64 %words
  %kind = load i64, ptr %row
{read("which", "row", 8, "i64")}
{read("size", "row", 16, "i64")}
{read("what", "row", 24)}
{read("first", "row", 32, "i64")}
  %object_at = getelementptr ptr, ptr %objects, i64 %which
  %object = load ptr, ptr %object_at
  %to = getelementptr ptr, ptr %objects, i64 %first
  %is_leaf = icmp eq i64 %kind, 0
  br i1 %is_leaf, label %leaf, label %container
leaf:
  %any = icmp eq ptr %what, null
  %it = icmp eq ptr %what, %object
  %fits = or i1 %any, %it
  br i1 %fits, label %keep, label %no
keep:
  %leaf_at = getelementptr ptr, ptr %leaves, i64 %size
  store ptr %object, ptr %leaf_at
  br label %good
"""


def _containers() -> str:
    """What is in a tuple, list or dict."""
    return f"""
container:
{read("type", "object", _HEAD - 8, "i64")}
{read("length", "object", _SIZE, "i64")}
  %right_type = icmp eq i64 %type, %kind
  %right_size = icmp eq i64 %length, %size
  %right = and i1 %right_type, %right_size
  br i1 %right, label %inside, label %no
inside:
  %is_list = icmp eq i64 %kind, ptrtoint (ptr @PyList_Type to i64)
  br i1 %is_list, label %list, label %no_list
no_list:
  %is_dict = icmp eq i64 %kind, ptrtoint (ptr @PyDict_Type to i64)
  br i1 %is_dict, label %dict, label %tuple
tuple:
  %within = getelementptr i8, ptr %object, i64 {_ITEMS}
  br label %items
list:
{read("elsewhere", "object", _ITEMS)}
  br label %items
items:
  %from = phi ptr [%within, %tuple], [%elsewhere, %list]
  %bytes = mul i64 %size, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  br label %good
dict:
  store i64 0, ptr %place
  br label %item
item:
  %k = phi i64 [0, %dict], [%k1, %right_key]
  %got = call i32 @PyDict_Next(ptr %object, ptr %place, ptr %key_at, ptr %value_at)
  %is_item = icmp ne i32 %got, 0
  br i1 %is_item, label %has, label %good
has:
  %inner = icmp slt i64 %k, %size
  br i1 %inner, label %one, label %no
one:
  %key = load ptr, ptr %key_at
  %want_at = getelementptr ptr, ptr %what, i64 %k
  %want = load ptr, ptr %want_at
  %same = icmp eq ptr %key, %want
  br i1 %same, label %right_key, label %no
right_key:
  %value = load ptr, ptr %value_at
  %value_to = getelementptr ptr, ptr %to, i64 %k
  store ptr %value, ptr %value_to
  %k1 = add i64 %k, 1
  br label %item
good:
  %i1 = add i64 %i, 1
  br label %loop
yes:
  ret i1 true
no:
  ret i1 false
}}
"""


def _entry(own: int, words: str) -> str:
    """The entry itself."""
    return f"""
; The entry: opens arguments, which nobody else may let go of meanwhile.
define ptr @entry(ptr %object, ptr %args, i64 %count, ptr %names) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {own}
{words}
  %enough = icmp eq i64 %count, %given_count
  br i1 %enough, label %by_name, label %refuse
by_name:
  %is_named = call i1 @named(ptr %names, ptr %wanted_names_p, i64 %name_count)
  br i1 %is_named, label %form, label %refuse
form:
  %flat = icmp eq i64 %rows, 0
  br i1 %flat, label %as_given, label %open
as_given:
  %direct = call ptr @enter(ptr %object, ptr %args, i64 %count, ptr %names, ptr %args)
  ret ptr %direct
open:
  %objects = alloca ptr, i64 %object_count
  %leaves = alloca ptr, i64 %leaf_count
  %all = add i64 %count, %name_count
  %bytes = mul i64 %all, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %objects, ptr %args, i64 %bytes, i1 false)
  %is_open = call i1 @opened(ptr %rows_p, i64 %row_count, ptr %objects, ptr %leaves)
  br i1 %is_open, label %hold, label %refuse
hold:
  %h = phi i64 [0, %open], [%h1, %held]
  %h_more = icmp slt i64 %h, %leaf_count
  br i1 %h_more, label %held, label %run
held:
  %h_at = getelementptr ptr, ptr %leaves, i64 %h
  %h_leaf = load ptr, ptr %h_at
  call void @Py_IncRef(ptr %h_leaf)
  %h1 = add i64 %h, 1
  br label %hold
run:
  %found = call ptr @enter(ptr %object, ptr %args, i64 %count, ptr %names, ptr %leaves)
  br label %let
let:
  %l = phi i64 [0, %run], [%l1, %gone]
  %l_more = icmp slt i64 %l, %leaf_count
  br i1 %l_more, label %gone, label %out
gone:
  %l_at = getelementptr ptr, ptr %leaves, i64 %l
  %l_leaf = load ptr, ptr %l_at
  call void @Py_DecRef(ptr %l_leaf)
  %l1 = add i64 %l, 1
  br label %let
out:
  ret ptr %found
refuse:
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise_p, ptr %args, i64 %count, ptr %names)
  ret ptr %other
}}
"""
