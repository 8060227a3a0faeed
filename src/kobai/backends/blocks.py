"""Memory of large results, used again: LLVM text that NumPy calls to free arrays and `native` to make them.

Fresh memory costs more than most ops do with it: the system clears each page when it is first touched, ten times the
time of writing it.  So blocks of `SMALLEST` bytes and more that arrays give back are kept, as many as fit in
`limit`, and given to the next result of about that size; those kept for longest go first.  Sixty-four bytes
before the data hold the size of the block.

NumPy frees an array by the functions of its memory handler (NumPy enhancement proposal 49), an object named in the
array; arrays made elsewhere are not touched.  ``held`` keeps two threads apart: who does not get it goes to the
C library.
"""

from __future__ import annotations

import ctypes
import os
import sys

SMALLEST = 1 << 17  # what the C library, too, asks of the system one by one
HUGE = 1 << 22  # from here on in pages of 2 MB, where there are such
KEPT = 64  # blocks
LIMIT = 256  # megabytes
FUNCTIONS = ("take", "clear", "again", "release", "drop")
CELLS = ("capsule", "limit", "kept", "held")

_HUGE_PAGES = "%r = call i32 @madvise(ptr %block, i64 %size, i32 14)"  # MADV_HUGEPAGE of Linux


def text() -> str:
    """What keeps blocks, in LLVM."""
    return _TEXT.replace("HUGE_PAGES", _HUGE_PAGES if sys.platform == "linux" else "")


_TEXT = f"""
@sizes = internal global [{KEPT} x i64] zeroinitializer
@places = internal global [{KEPT} x ptr] zeroinitializer
@count = internal global i64 0
@kept = global i64 0
@limit = global i64 0
@held = global i32 0
@capsule = global ptr null
declare i32 @madvise(ptr, i64, i32)

define internal void @enlarge_pages(ptr %block, i64 %size) nounwind {{
  HUGE_PAGES
  ret void
}}

define internal i1 @hold() nounwind {{
  %pair = cmpxchg ptr @held, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{i32, i1}} %pair, 1
  ret i1 %mine
}}

define internal void @let_go() nounwind {{
  store atomic i32 0, ptr @held seq_cst, align 4
  ret void
}}

; Take block number %i out of the list.
define internal void @unlist(i64 %i) nounwind {{
  %size_at = getelementptr i64, ptr @sizes, i64 %i
  %size = load i64, ptr %size_at
  %total = load i64, ptr @kept
  %less = sub i64 %total, %size
  store i64 %less, ptr @kept
  %n = load i64, ptr @count
  %n1 = sub i64 %n, 1
  store i64 %n1, ptr @count
  %after = sub i64 %n1, %i
  %bytes = mul i64 %after, 8
  %j = add i64 %i, 1
  %next_size = getelementptr i64, ptr @sizes, i64 %j
  call void @llvm.memmove.p0.p0.i64(ptr %size_at, ptr %next_size, i64 %bytes, i1 false)
  %place_at = getelementptr ptr, ptr @places, i64 %i
  %next_place = getelementptr ptr, ptr @places, i64 %j
  call void @llvm.memmove.p0.p0.i64(ptr %place_at, ptr %next_place, i64 %bytes, i1 false)
  ret void
}}

; A kept block of %need bytes or a little more, the latest first; or null.
define internal ptr @find(i64 %need) nounwind {{
entry:
  %mine = call i1 @hold()
  br i1 %mine, label %search, label %none
search:
  %n = load i64, ptr @count
  %quarter = lshr i64 %need, 2
  %most = add i64 %need, %quarter
  br label %loop
loop:
  %i = phi i64 [%n, %search], [%j, %body]
  %more = icmp sgt i64 %i, 0
  br i1 %more, label %body, label %nothing
body:
  %j = sub i64 %i, 1
  %size_at = getelementptr i64, ptr @sizes, i64 %j
  %size = load i64, ptr %size_at
  %large = icmp uge i64 %size, %need
  %close = icmp ule i64 %size, %most
  %good = and i1 %large, %close
  br i1 %good, label %hit, label %loop
hit:
  %place_at = getelementptr ptr, ptr @places, i64 %j
  %place = load ptr, ptr %place_at
  call void @unlist(i64 %j)
  call void @let_go()
  ret ptr %place
nothing:
  call void @let_go()
  br label %none
none:
  ret ptr null
}}

; Memory of %bytes bytes at a cache line; null if there is none.
define ptr @take(ptr %context, i64 %bytes) nounwind {{
entry:
  %place = alloca ptr
  %known = call ptr @find(i64 %bytes)
  %again = icmp ne ptr %known, null
  br i1 %again, label %reuse, label %fresh
reuse:
  ret ptr %known
fresh:
  %up = add i64 %bytes, 4095
  %capacity = and i64 %up, -4096
  %all = add i64 %capacity, 64
  %huge = icmp uge i64 %bytes, {HUGE}
  %align = select i1 %huge, i64 {2 << 20}, i64 64
  %failed = call i32 @posix_memalign(ptr %place, i64 %align, i64 %all)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %got, label %retry
retry:
  call void @drop()
  %failed2 = call i32 @posix_memalign(ptr %place, i64 %align, i64 %all)
  %ok2 = icmp eq i32 %failed2, 0
  br i1 %ok2, label %got, label %full
full:
  ret ptr null
got:
  %block = load ptr, ptr %place
  br i1 %huge, label %advise, label %mark
advise:
  call void @enlarge_pages(ptr %block, i64 %all)
  br label %mark
mark:
  store i64 %capacity, ptr %block
  %data = getelementptr i8, ptr %block, i64 64
  ret ptr %data
}}

define ptr @clear(ptr %context, i64 %n, i64 %size) nounwind {{
  %bytes = mul i64 %n, %size
  %data = call ptr @take(ptr null, i64 %bytes)
  %bad = icmp eq ptr %data, null
  br i1 %bad, label %out, label %fill
fill:
  call void @llvm.memset.p0.i64(ptr %data, i8 0, i64 %bytes, i1 false)
  br label %out
out:
  ret ptr %data
}}

; Another block with the same contents.
define ptr @again(ptr %context, ptr %data, i64 %bytes) nounwind {{
  %new = call ptr @take(ptr null, i64 %bytes)
  %bad = icmp eq ptr %new, null
  br i1 %bad, label %out, label %copy
copy:
  %block = getelementptr i8, ptr %data, i64 -64
  %capacity = load i64, ptr %block
  %size = call i64 @llvm.umin.i64(i64 %capacity, i64 %bytes)
  call void @llvm.memcpy.p0.p0.i64(ptr %new, ptr %data, i64 %size, i1 false)
  call void @release(ptr null, ptr %data, i64 0)
  br label %out
out:
  ret ptr %new
}}

define internal void @free_block(ptr %data) nounwind {{
  %block = getelementptr i8, ptr %data, i64 -64
  call void @free(ptr %block)
  ret void
}}

; What NumPy calls when an array dies: keep the block, and let older ones go instead.
define void @release(ptr %context, ptr %data, i64 %bytes) nounwind {{
entry:
  %block = getelementptr i8, ptr %data, i64 -64
  %capacity = load i64, ptr %block
  %most = load i64, ptr @limit
  %fits = icmp ule i64 %capacity, %most
  %large = icmp uge i64 %capacity, {SMALLEST}
  %worth = and i1 %fits, %large
  br i1 %worth, label %ask, label %away
ask:
  %mine = call i1 @hold()
  br i1 %mine, label %room, label %away
room:
  %n = load i64, ptr @count
  %total = load i64, ptr @kept
  %then = add i64 %total, %capacity
  %over = icmp ugt i64 %then, %most
  %many = icmp uge i64 %n, {KEPT}
  %full = or i1 %over, %many
  br i1 %full, label %oldest, label %keep
oldest:
  %old = load ptr, ptr @places
  call void @unlist(i64 0)
  call void @free_block(ptr %old)
  br label %room
keep:
  %size_at = getelementptr i64, ptr @sizes, i64 %n
  store i64 %capacity, ptr %size_at
  %place_at = getelementptr ptr, ptr @places, i64 %n
  store ptr %data, ptr %place_at
  %n1 = add i64 %n, 1
  store i64 %n1, ptr @count
  store i64 %then, ptr @kept
  call void @let_go()
  ret void
away:
  call void @free_block(ptr %data)
  ret void
}}

; Give all kept blocks back.
define void @drop() nounwind {{
entry:
  %mine = call i1 @hold()
  br i1 %mine, label %loop, label %out
loop:
  %n = load i64, ptr @count
  %none = icmp eq i64 %n, 0
  br i1 %none, label %done, label %one
one:
  %last = sub i64 %n, 1
  %place_at = getelementptr ptr, ptr @places, i64 %last
  %place = load ptr, ptr %place_at
  call void @unlist(i64 %last)
  call void @free_block(ptr %place)
  br label %loop
done:
  call void @let_go()
  br label %out
out:
  ret void
}}
"""


class _Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy's C interface."""

    _fields_ = [
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    ]


class Blocks:
    """The kept memory of this process.  ``addresses`` are those of the functions and globals of `text`."""

    def __init__(self, addresses: dict[str, int]):
        functions = [addresses[name] for name in FUNCTIONS[:4]]
        self._handler = _Handler(b"kobai", 1, None, *functions)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        self.capsule = new(ctypes.addressof(self._handler), b"mem_handler", None)
        for lasting in (self._handler, self.capsule):  # arrays may die after all modules
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(lasting))
        ctypes.c_int64.from_address(addresses["capsule"]).value = id(self.capsule)
        self._limit = ctypes.c_int64.from_address(addresses["limit"])
        self._kept = ctypes.c_int64.from_address(addresses["kept"])
        self._drop = ctypes.CFUNCTYPE(None)(addresses["drop"])
        self.limit = min(LIMIT << 20, _memory() // 16)

    @property
    def limit(self) -> int:
        """How many bytes may be kept."""
        return self._limit.value

    @limit.setter
    def limit(self, size: int):
        self._limit.value = size
        self.drop()

    @property
    def kept(self) -> int:
        """How many bytes are kept now."""
        return self._kept.value

    def drop(self) -> None:
        """Give everything kept back to the system."""
        self._drop()


def _memory() -> int:
    """Bytes of memory of this computer."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 32
