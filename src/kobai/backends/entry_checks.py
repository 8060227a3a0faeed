"""What the native entry looks at before it runs a program: functions in LLVM for `kobai.backends.entry_code`.

Checks are rows of `CHECK` words: what kind, where, which key, what is expected, the key's hash.
"""
from __future__ import annotations

import ctypes
import sys

from kobai.backends.native import _FIELD, _HEAD, read

# Kinds of checks: an item of a dict, of a list, the keys of a dict in their order; after those of one dict SEEN, which
# keeps the number that the dict has now, as these were right.
DICT, LIST, SEEN, KEYS = 0, 1, 2, 3
CHECK = 5                            # words of a check
DICT_VERSION = 24                    # where a dict has the number that every change to it renews (to Python 3.12)
_FIELDS = {k: _HEAD + v for k, v in _FIELD.items()}


def _keeps_versions() -> bool:
    """Whether this Python's dicts have a number that changes with them."""
    if sys.version_info >= (3, 13) or sys.implementation.name != "cpython":
        return False
    table = {"a": 1}
    version = ctypes.c_uint64.from_address(id(table) + DICT_VERSION)
    seen = [version.value]
    for value in (2, 3):
        table["a"] = value
        seen.append(version.value)
    return len(set(seen)) == 3


KEEPS_VERSIONS = _keeps_versions()

# How to look into a dict with a hash that is known: half the time of the ordinary way, where CPython has it.
KNOWN_HASH = (("declare ptr @_PyDict_GetItem_KnownHash(ptr, ptr, i64)",
                "@_PyDict_GetItem_KnownHash(ptr %ap, ptr %key, i64 %hash)")
               if hasattr(ctypes.pythonapi, "_PyDict_GetItem_KnownHash") else ("", "@PyDict_GetItem(ptr %ap, ptr %key)"))


def checks() -> str:
    """The functions `are`, `holds`, `is_array` and `apart`."""
    return "\n".join([_holds(), _is_array(), _apart()])


def _holds() -> str:
    """Variables are what they were."""
    return "".join([_are(), _has_keys(), _each_check(), _known_versions(), _compared()])


def _each_check() -> str:
    """What a check looks at."""
    return f"""
; Whether the checks of a table hold.
define internal i1 @holds(ptr %table, i64 %count, ptr %versions) nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %good]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %yes
look:
  %i5 = mul i64 %i, {CHECK}
  %at = getelementptr i64, ptr %table, i64 %i5
  %kind = load i64, ptr %at
{read("a", "at", 8, "i64")}
  %ap = inttoptr i64 %a to ptr
{read("b", "at", 16, "i64")}
{read("c", "at", 24, "i64")}
  switch i64 %kind, label %dict [i64 {LIST}, label %list
                                 i64 {SEEN}, label %seen
                                 i64 {KEYS}, label %keys]
dict:
  %key = inttoptr i64 %b to ptr
{read("hash", "at", 32, "i64")}
  %item = call ptr {KNOWN_HASH[1]}
  %itemi = ptrtoint ptr %item to i64
  br label %compare
list:
{read("items", "ap", 24)}
  %place = getelementptr i64, ptr %items, i64 %b
  %listed = load i64, ptr %place
  br label %compare
keys:  ; how many there are, and a table of them
  %cp = inttoptr i64 %c to ptr
  %has_keys = call i1 @has_keys(ptr %ap, i64 %b, ptr %cp)
  br i1 %has_keys, label %good, label %no
"""


def _has_keys() -> str:
    """A dict has the keys it had, in the same order."""
    return f"""
define internal i1 @has_keys(ptr %dict, i64 %count, ptr %keys) nounwind noinline {{
entry:
  %place = alloca i64
  %key_at = alloca ptr
{read("size", "dict", 16, "i64")}
  store i64 0, ptr %place
  %as_many = icmp eq i64 %size, %count
  br i1 %as_many, label %loop, label %no
loop:
  %i = phi i64 [0, %entry], [%i1, %next]
  %got = call i32 @PyDict_Next(ptr %dict, ptr %place, ptr %key_at, ptr null)
  %is_item = icmp ne i32 %got, 0
  br i1 %is_item, label %next, label %yes
next:
  %key = load ptr, ptr %key_at
  %want_at = getelementptr ptr, ptr %keys, i64 %i
  %want = load ptr, ptr %want_at
  %i1 = add i64 %i, 1
  %same = icmp eq ptr %key, %want
  br i1 %same, label %loop, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}
"""


def _known_versions() -> str:
    """Dicts that have not been changed since their variables were right."""
    return f"""
seen:  ; all were right: keep the version with the others
{read("right", "ap", DICT_VERSION, "i64")}
  %pair = mul i64 %b, 2
  %second = add i64 %pair, 1
  %keep_at = getelementptr i64, ptr %versions, i64 %second
  store i64 %right, ptr %keep_at
  br label %good
"""


def _are() -> str:
    """Words of memory are what they were."""
    return """
; Whether words are as expected: pairs of their addresses and what they were.
define internal i1 @are(ptr %table, i64 %count) nounwind {
entry:
  %words = mul i64 %count, 2
  %end = getelementptr i64, ptr %table, i64 %words
  br label %loop
loop:
  %at = phi ptr [%table, %entry], [%next, %look]
  %more = icmp ult ptr %at, %end
  br i1 %more, label %look, label %yes
look:
  %where = load ptr, ptr %at
  %want_at = getelementptr i64, ptr %at, i64 1
  %want = load i64, ptr %want_at
  %now = load i64, ptr %where
  %next = getelementptr i64, ptr %at, i64 2
  %same = icmp eq i64 %now, %want
  br i1 %same, label %loop, label %no
yes:
  ret i1 true
no:
  ret i1 false
}
"""


def _compared() -> str:
    """Whether it is what it was."""
    return """
compare:
  %now = phi i64 [%itemi, %dict], [%listed, %list]
  %same = icmp eq i64 %now, %c
  br i1 %same, label %good, label %no
good:
  %i1 = add i64 %i, 1
  br label %loop
yes:
  ret i1 true
no:
  ret i1 false
}
"""


def _is_array() -> str:
    """An array is as it was recorded."""
    return f"""
; Whether an object is an array as described: type, descr, dimensions, their sizes, strides, bytes of these.
define internal i1 @is_array(ptr %array, ptr %record) nounwind {{
entry:
{read("type", "array", _HEAD - 8, "i64")}
  %want_type = load i64, ptr %record
  %ok1 = icmp eq i64 %type, %want_type
  br i1 %ok1, label %second, label %no
second:
{read("descr", "array", _FIELDS["descr"], "i64")}
{read("want_descr", "record", 8, "i64")}
  %ok2 = icmp eq i64 %descr, %want_descr
{read("nd", "array", _FIELDS["nd"], "i32")}
  %nd64 = sext i32 %nd to i64
{read("want_nd", "record", 16, "i64")}
  %ok3 = icmp eq i64 %nd64, %want_nd
  %ok23 = and i1 %ok2, %ok3
  br i1 %ok23, label %third, label %no
third:
  %bytes = mul i64 %nd64, 8
{read("dims", "array", _FIELDS["dims"])}
{read("want_dims", "record", 24)}
  %d = call i32 @memcmp(ptr %dims, ptr %want_dims, i64 %bytes)
{read("strides", "array", _FIELDS["strides"])}
{read("want_strides", "record", 32)}
  %s = call i32 @memcmp(ptr %strides, ptr %want_strides, i64 %bytes)
  %both = or i32 %d, %s
  %ok = icmp eq i32 %both, 0
  ret i1 %ok
no:
  ret i1 false
}}
"""


def _apart() -> str:
    """An array lies apart from what is written."""
    return f"""
; Whether an array lies apart from all memory that the program writes: pairs of first and last address.
define internal i1 @apart(ptr %array, ptr %record, ptr %table, i64 %count) nounwind {{
entry:
  %data_at = getelementptr i8, ptr %array, i64 {_FIELDS["data"]}
  %low = load i64, ptr %data_at
{read("extent", "record", 40, "i64")}
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
{read("end", "at", 8, "i64")}
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
"""
