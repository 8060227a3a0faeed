"""Calling machine code from Python in 0.2 microseconds, allocation of the result included.

Functions written in LLVM read NumPy arrays where they lie, make the results and call a kernel's code.
Wrapped as a ``PyCFunction`` whose ``self`` is a ``bytes`` object of 64-bit words, they are callables:

* ``Bridge.flat``: ``f(a, b)`` for exact ndarrays of the expected types, all contiguous and of one shape;
  any other arguments are passed to another callable, so the caller need not look;
* ``Bridge.into``: ``f(a, b)`` writes results into some of the arrays given, which it does not check;
* ``Bridge.fitted``: ``f(a, b, like)`` for arrays of the shapes and strides of a `Fitted`, which it does not
  check, and for each result an array like it (whose memory is not read).

Results of a page and more start at a cache line: SIMD code runs up to twice as fast then; large ones use the
memory of others that are gone (`kobai.backends.blocks`).  The layout of
array objects and the places in NumPy's table of functions are part of its stable C interface; `Bridge.works`
says whether they are as expected, and without it nothing here is used.
"""

from __future__ import annotations

import ctypes
import math
import struct
from functools import partial

import numpy as np

from kobai.backends import blocks, into, threads
from kobai.backends.grain import positions
from kobai.compile.kernel import NoKernel
from kobai.compile.lower import least_far

_HEAD = object.__basicsize__  # then: data, nd, dimensions, strides, base, descr, flags
_BYTES = bytes.__basicsize__ - 1  # where the contents of a bytes object start
_WORDS = (
    "code",
    "finish",
    "extent",
    "work",
    "grain",
    "inputs",
    "outputs",
    "length",
    "type",
    "otherwise",
    "new_like",
    "new_from",
)
_FIELD = {"data": 0, "nd": 8, "dims": 16, "strides": 24, "descr": 40, "flags": 48, "handler": 72}
_NEW_LIKE, _NEW_FROM = 277, 94  # PyArray_NewLikeArray, PyArray_NewFromDescr
_SET_HANDLER = 304  # PyDataMem_SetHandler
_LIKE = ("like_in_block", "new_like_", "set_handler")
MOST = 64  # words in a call's block
RELEASE = 50_000  # elements from which on other Python threads may run meanwhile


def word(names, name: str) -> str:
    """LLVM text: the address of a word of %self, whose words have these names."""
    return f"getelementptr i64, ptr %self, i64 {names.index(name)}"


def read(name: str, pointer: str, offset: int, kind: str = "ptr") -> str:
    """LLVM text: %name is what lies so many bytes behind %pointer."""
    return f"  %{name}_at = getelementptr i8, ptr %{pointer}, i64 {offset}\n  %{name} = load {kind}, ptr %{name}_at"


_word = partial(word, _WORDS)


def _field(name: str, array: str) -> str:
    return f"getelementptr i8, ptr {array}, i64 {_HEAD + _FIELD[name]}"


# Helpers are given %self, which is the bytes object's contents.
TEXT = f"""
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyErr_NoMemory()
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare i32 @posix_memalign(ptr, i64, i64)
declare void @free(ptr)
declare ptr @malloc(i64)

; Run the kernel on all threads, without the GIL if it takes long.
define internal void @enter(ptr %self, ptr %block, i64 %n, i64 %work) nounwind {{
  %code_at = {_word("code")}
  %code = load ptr, ptr %code_at
  %grain_at = {_word("grain")}
  %grain = load i64, ptr %grain_at
  %long = icmp ugt i64 %work, {RELEASE}
  br i1 %long, label %release, label %keep
keep:
  call void @parallel(ptr %code, ptr %block, i64 %n, i64 %grain)
  ret void
release:
  %state = call ptr @PyEval_SaveThread()
  call void @parallel(ptr %code, ptr %block, i64 %n, i64 %grain)
  call void @PyEval_RestoreThread(ptr %state)
  ret void
}}

define internal i64 @elements(ptr %array) nounwind {{
entry:
  %nd_at = {_field("nd", "%array")}
  %nd = load i32, ptr %nd_at
  %dims_at = {_field("dims", "%array")}
  %dims = load ptr, ptr %dims_at
  br label %loop
loop:
  %d = phi i32 [0, %entry], [%next, %body]
  %n = phi i64 [1, %entry], [%more, %body]
  %going = icmp slt i32 %d, %nd
  br i1 %going, label %body, label %done
body:
  %place = getelementptr i64, ptr %dims, i32 %d
  %size = load i64, ptr %place
  %more = mul i64 %n, %size
  %next = add i32 %d, 1
  br label %loop
done:
  ret i64 %n
}}

@new_like_ = global ptr null
@set_handler = global ptr null

; PyArray_NewLikeArray, with a kept block as memory if it is large.
define ptr @like_in_block(ptr %like, i32 %order, ptr %descr, i32 %subok) nounwind {{
  %new_like = load ptr, ptr @new_like_
  %n = call i64 @elements(ptr %like)
  %small = icmp ult i64 %n, {blocks.SMALLEST // 4}
  br i1 %small, label %plain, label %block
plain:
  %array = call ptr %new_like(ptr %like, i32 %order, ptr %descr, i32 %subok)
  ret ptr %array
block:
  %set = load ptr, ptr @set_handler
  %ours = load ptr, ptr @capsule
  %theirs = call ptr %set(ptr %ours)
  %failed = icmp eq ptr %theirs, null
  br i1 %failed, label %error, label %make
make:
  %large = call ptr %new_like(ptr %like, i32 %order, ptr %descr, i32 %subok)
  %back = call ptr %set(ptr %theirs)
  call void @Py_DecRef(ptr %theirs)
  %kept = icmp eq ptr %back, null
  br i1 %kept, label %done, label %drop
drop:
  call void @Py_DecRef(ptr %back)
  br label %done
done:
  ret ptr %large
error:
  ret ptr null
}}

; A new array like another, of a type, in C order if %strides is null.
define internal ptr @make(ptr %self, ptr %like, ptr %descr, i64 %bytes, ptr %strides) nounwind {{
entry:
  call void @Py_IncRef(ptr %descr)
  %small = icmp ult i64 %bytes, 4096
  %plain = icmp eq ptr %strides, null
  %simple = and i1 %small, %plain
  br i1 %simple, label %numpy, label %ours
numpy:
  %new_like_at = {_word("new_like")}
  %new_like = load ptr, ptr %new_like_at
  %copy = call ptr %new_like(ptr %like, i32 0, ptr %descr, i32 0)
  ret ptr %copy
ours:
  %place = alloca ptr
  %large = icmp uge i64 %bytes, {blocks.SMALLEST}
  br i1 %large, label %block, label %plainly
block:
  %kept = call ptr @take(ptr null, i64 %bytes)
  store ptr %kept, ptr %place
  %some = icmp ne ptr %kept, null
  br i1 %some, label %wrap, label %full
plainly:
  %enough = call i64 @llvm.umax.i64(i64 %bytes, i64 64)
  %failed = call i32 @posix_memalign(ptr %place, i64 64, i64 %enough)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %wrap, label %full
full:
  call void @Py_DecRef(ptr %descr)
  %error = call ptr @PyErr_NoMemory()
  ret ptr null
wrap:
  %data = load ptr, ptr %place
  %type_at = {_word("type")}
  %type = load ptr, ptr %type_at
  %nd_at = {_field("nd", "%like")}
  %nd = load i32, ptr %nd_at
  %dims_at = {_field("dims", "%like")}
  %dims = load ptr, ptr %dims_at
  %new_from_at = {_word("new_from")}
  %new_from = load ptr, ptr %new_from_at
  %array = call ptr %new_from(ptr %type, ptr %descr, i32 %nd, ptr %dims, ptr %strides, ptr %data,
                              i32 1281, ptr null)
  %bad = icmp eq ptr %array, null
  br i1 %bad, label %drop, label %whose
drop:
  br i1 %large, label %keep, label %free_
keep:
  call void @release(ptr null, ptr %data, i64 %bytes)
  ret ptr null
free_:
  call void @free(ptr %data)
  ret ptr null
whose:
  br i1 %large, label %handled, label %own
handled:  ; NumPy will give the memory to `release`
  %capsule_ = load ptr, ptr @capsule
  call void @Py_IncRef(ptr %capsule_)
  %handler_at = {_field("handler", "%array")}
  store ptr %capsule_, ptr %handler_at
  br label %own
own:
  %flags_at = {_field("flags", "%array")}
  %flags = load i32, ptr %flags_at
  %owning = or i32 %flags, 4
  store i32 %owning, ptr %flags_at
  ret ptr %array
}}

; Addresses of the operands into the block.
define internal void @addresses(ptr %block, ptr %args, i64 %count) nounwind {{
entry:
  %none = icmp sle i64 %count, 0
  br i1 %none, label %done, label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %from = getelementptr ptr, ptr %args, i64 %i
  %array = load ptr, ptr %from
  %data_at = {_field("data", "%array")}
  %data = load ptr, ptr %data_at
  %to = getelementptr ptr, ptr %block, i64 %i
  store ptr %data, ptr %to
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}}

; One array, or a tuple of several.
define internal ptr @packed(ptr %arrays, i64 %count) nounwind {{
entry:
  %single = icmp eq i64 %count, 1
  br i1 %single, label %one, label %many
one:
  %only = load ptr, ptr %arrays
  ret ptr %only
many:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %bad = icmp eq ptr %tuple, null
  br i1 %bad, label %done, label %loop
loop:
  %i = phi i64 [0, %many], [%next, %loop]
  %at = getelementptr ptr, ptr %arrays, i64 %i
  %array = load ptr, ptr %at
  %set = call i32 @PyTuple_SetItem(ptr %tuple, i64 %i, ptr %array)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  ret ptr %tuple
}}

; Whether an array is an exact, contiguous ndarray of a type, of the shape of the first.
define internal i1 @fits(ptr %self, ptr %array, ptr %descr, ptr %first) nounwind {{
entry:
  %type_at = {_word("type")}
  %type = load ptr, ptr %type_at
  %own_at = getelementptr i8, ptr %array, i64 {_HEAD - 8}
  %own = load ptr, ptr %own_at
  %exact = icmp eq ptr %own, %type
  br i1 %exact, label %array_, label %no
array_:
  %descr_at = {_field("descr", "%array")}
  %have = load ptr, ptr %descr_at
  %same = icmp eq ptr %have, %descr
  %flags_at = {_field("flags", "%array")}
  %flags = load i32, ptr %flags_at
  %bits = and i32 %flags, 257
  %contiguous = icmp eq i32 %bits, 257
  %nd_at = {_field("nd", "%array")}
  %nd = load i32, ptr %nd_at
  %nd0_at = {_field("nd", "%first")}
  %nd0 = load i32, ptr %nd0_at
  %rank = icmp eq i32 %nd, %nd0
  %both = and i1 %same, %contiguous
  %all = and i1 %both, %rank
  %dims_at = {_field("dims", "%array")}
  %dims = load ptr, ptr %dims_at
  %dims0_at = {_field("dims", "%first")}
  %dims0 = load ptr, ptr %dims0_at
  br i1 %all, label %loop, label %no
loop:
  %d = phi i32 [0, %array_], [%next, %body]
  %going = icmp slt i32 %d, %nd
  br i1 %going, label %body, label %yes
body:
  %at = getelementptr i64, ptr %dims, i32 %d
  %size = load i64, ptr %at
  %at0 = getelementptr i64, ptr %dims0, i32 %d
  %size0 = load i64, ptr %at0
  %equal = icmp eq i64 %size, %size0
  %next = add i32 %d, 1
  br i1 %equal, label %loop, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}

define ptr @flat(ptr %object, ptr %args, i64 %count) nounwind {{
entry:
  %block = alloca i64, i64 {MOST}
  %results = alloca ptr, i64 {MOST}
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
  %inputs_at = {_word("inputs")}
  %inputs = load i64, ptr %inputs_at
  %outputs_at = {_word("outputs")}
  %outputs = load i64, ptr %outputs_at
  %descrs = getelementptr i64, ptr %self, i64 {len(_WORDS)}
  %first = load ptr, ptr %args
  %expected = icmp eq i64 %count, %inputs
  br i1 %expected, label %check, label %refuse
check:
  %i = phi i64 [0, %entry], [%i1, %passed]
  %in_at = getelementptr ptr, ptr %args, i64 %i
  %in = load ptr, ptr %in_at
  %want_at = getelementptr ptr, ptr %descrs, i64 %i
  %want = load ptr, ptr %want_at
  %good = call i1 @fits(ptr %self, ptr %in, ptr %want, ptr %first)
  br i1 %good, label %passed, label %refuse
passed:
  %i1 = add i64 %i, 1
  %rest = icmp slt i64 %i1, %inputs
  br i1 %rest, label %check, label %begin
begin:
  %n = call i64 @elements(ptr %first)
  %most_at = {_word("extent")}
  %most = load i64, ptr %most_at
  %huge = icmp uge i64 %n, %most  ; has code of its own
  br i1 %huge, label %refuse, label %make
make:
  %o = phi i64 [0, %begin], [%o1, %made]
  %place = add i64 %inputs, %o
  %descr_at = getelementptr ptr, ptr %descrs, i64 %place
  %descr = load ptr, ptr %descr_at
  %sizes_at = add i64 %place, %outputs
  %size_at = getelementptr i64, ptr %descrs, i64 %sizes_at
  %size = load i64, ptr %size_at
  %bytes = mul i64 %size, %n
  %new = call ptr @make(ptr %self, ptr %first, ptr %descr, i64 %bytes, ptr null)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %error, label %made
made:
  %to = getelementptr ptr, ptr %results, i64 %o
  store ptr %new, ptr %to
  %o1 = add i64 %o, 1
  %again = icmp slt i64 %o1, %outputs
  br i1 %again, label %make, label %go
go:
  call void @addresses(ptr %block, ptr %args, i64 %inputs)
  %after = getelementptr i64, ptr %block, i64 %inputs
  call void @addresses(ptr %after, ptr %results, i64 %outputs)
  %total = getelementptr i64, ptr %after, i64 %outputs
  store i64 %n, ptr %total
  call void @enter(ptr %self, ptr %block, i64 %n, i64 %n)
  %answer = call ptr @packed(ptr %results, i64 %outputs)
  ret ptr %answer
error:
  ret ptr null
refuse:
  %otherwise_at = {_word("otherwise")}
  %otherwise = load ptr, ptr %otherwise_at
  %other = call ptr @PyObject_Vectorcall(ptr %otherwise, ptr %args, i64 %count, ptr null)
  ret ptr %other
}}

INTO
define ptr @fitted(ptr %object, ptr %args, i64 %count) nounwind {{
entry:
  %block = alloca i64, i64 {MOST}
  %results = alloca ptr, i64 {MOST}
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
  %inputs_at = {_word("inputs")}
  %inputs = load i64, ptr %inputs_at
  %outputs_at = {_word("outputs")}
  %outputs = load i64, ptr %outputs_at
  %payload = getelementptr i64, ptr %self, i64 {len(_WORDS)}
  %sizes = getelementptr i64, ptr %payload, i64 1
  br label %make
make:
  %o = phi i64 [0, %entry], [%o1, %made]
  %place = add i64 %inputs, %o
  %like_at = getelementptr ptr, ptr %args, i64 %place
  %like = load ptr, ptr %like_at
  %descr_at = {_field("descr", "%like")}
  %descr = load ptr, ptr %descr_at
  %strides_at = {_field("strides", "%like")}
  %strides = load ptr, ptr %strides_at
  %bytes_at = getelementptr i64, ptr %sizes, i64 %o
  %bytes = load i64, ptr %bytes_at
  %new = call ptr @make(ptr %self, ptr %like, ptr %descr, i64 %bytes, ptr %strides)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %error, label %made
made:
  %to = getelementptr ptr, ptr %results, i64 %o
  store ptr %new, ptr %to
  %o1 = add i64 %o, 1
  %again = icmp slt i64 %o1, %outputs
  br i1 %again, label %make, label %go
go:
  call void @addresses(ptr %block, ptr %args, i64 %inputs)
  %after = getelementptr i64, ptr %block, i64 %inputs
  call void @addresses(ptr %after, ptr %results, i64 %outputs)
  %total = getelementptr i64, ptr %after, i64 %outputs
  %words = getelementptr i64, ptr %sizes, i64 %outputs
  %length_at = {_word("length")}
  %length = load i64, ptr %length_at
  call void @llvm.memcpy.p0.p0.i64(ptr %total, ptr %words, i64 %length, i1 false)
  %extent_at = {_word("extent")}
  %extent = load i64, ptr %extent_at
  %work_at = {_word("work")}
  %work = load i64, ptr %work_at
  %finish_at = {_word("finish")}
  %finish = load ptr, ptr %finish_at
  %whole = icmp eq ptr %finish, null
  br i1 %whole, label %plain, label %chunked
chunked:  ; the results of chunks go to memory that the last word points to
  %per = load i64, ptr %payload
  %chunk_bytes = mul i64 %per, %extent
  %chunks = call ptr @malloc(i64 %chunk_bytes)
  %last = getelementptr i8, ptr %total, i64 %length
  store ptr %chunks, ptr %last
  %none = icmp eq ptr %chunks, null
  br i1 %none, label %full, label %plain
full:
  %e = call ptr @PyErr_NoMemory()
  br label %error
plain:
  call void @enter(ptr %self, ptr %block, i64 %extent, i64 %work)
  br i1 %whole, label %answer_, label %complete
complete:
  call void %finish(ptr %block, i64 0, i64 %extent)
  %memory_at = getelementptr i8, ptr %total, i64 %length
  %memory = load ptr, ptr %memory_at
  call void @free(ptr %memory)
  br label %answer_
answer_:
  %answer = call ptr @packed(ptr %results, i64 %outputs)
  ret ptr %answer
error:
  ret ptr null
}}
"""


TEXT = TEXT.replace("INTO\n", into.text(_word, _field, len(_WORDS), MOST, _BYTES))


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


_FASTCALL = 0x0080
_new_function = ctypes.pythonapi.PyCFunction_NewEx  # of a definition, its block, and what lives as long as it: its "module"
_new_function.restype = ctypes.py_object
_new_function.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Bridge:
    """Makes callables from addresses of kernel code; one for each `Machine`."""

    def __init__(self, machine):
        code = machine.assemble_glue(threads.text(machine.triple) + blocks.text() + TEXT)
        names = ("flat", "fitted", "into", *_LIKE, *threads.FUNCTIONS, *threads.CELLS, *blocks.FUNCTIONS, *blocks.CELLS)
        addresses = dict(zip(names, machine.load(code, *names)))
        flat, fitted = addresses["flat"], addresses["fitted"]
        self.pool = threads.start(addresses)
        self.blocks = blocks.Blocks(addresses)
        self._flat = _MethodDef(b"flat", flat, _FASTCALL, None)
        self._fitted = _MethodDef(b"fitted", fitted, _FASTCALL, None)
        self._into = _MethodDef(b"into", addresses["into"], _FASTCALL, None)
        table = _capsule_pointer(np._core._multiarray_umath._ARRAY_API, None)
        self._table = ctypes.cast(table, ctypes.POINTER(ctypes.c_int64))
        for name, place in (("new_like_", _NEW_LIKE), ("set_handler", _SET_HANDLER)):
            ctypes.c_int64.from_address(addresses[name]).value = self._table[place]
        self.parallel, self.new_like = addresses["parallel"], addresses["like_in_block"]
        self._kept: list = []
        self.works = self._check()

    def flat(self, address: int, inputs, outputs, otherwise):
        """A callable for contiguous arrays of any one shape; ``inputs`` and ``outputs`` are dtypes."""
        self._kept += [*inputs, *outputs, otherwise]
        payload = [id(d) for d in (*inputs, *outputs)] + [d.itemsize for d in outputs]
        most = least_far(len(inputs) + len(outputs))
        words = [address, 0, most, 0, threads.GRAIN, len(inputs), len(outputs), 0]
        return self._callable(self._flat, words, id(otherwise), payload)

    def into(self, address: int, places):
        """A callable for contiguous arrays of one size: ``places`` are (argument, offset) of inputs and results."""
        return self._in_places([address, 0, 0, 0, threads.GRAIN], places, [])

    def into_fitted(self, code, fitted, places):
        """The same for arrays of the shapes and strides of a `Fitted`, which it does not check; no long rows."""
        numbers = [*fitted.sizes, *[s for strides in fitted.strides for s in strides]]
        work, extent = math.prod(fitted.sizes), code.nest.extent(fitted.sizes)
        return self._in_places([code.address, 0, extent, work, positions(code, fitted, extent)], places, numbers)

    def _in_places(self, words, places, numbers):
        if len(places) + len(numbers) >= MOST:
            raise NoKernel("too many operands for one call")
        payload = [n for place in places for n in place] + numbers
        return self._callable(self._into, [*words, len(places), 0, 8 * len(numbers)], 0, payload)

    def fitted(self, code, fitted, outputs):
        """A callable for arrays of the shapes and strides of a `Fitted`; ``outputs`` like those to make."""
        numbers = [*fitted.sizes, *[s for strides in fitted.strides for s in strides]]
        inputs, work = len(fitted.strides) - len(outputs), math.prod(fitted.sizes)
        extent = code.nest.extent(fitted.sizes)
        grain = positions(code, fitted, extent)
        return self.fixed(code.address, extent, grain, work, inputs, outputs, numbers, code.finish, len(code.nest.reductions))

    def fixed(self, address: int, extent: int, grain: int, work: int, inputs: int, outputs, numbers, finish=0, results=0):
        """A callable for arrays as foreseen: the code is run on their addresses, followed by ``numbers``.

        ``work`` is in elements; ``finish`` completes it, with ``results`` of each chunk.
        """
        payload = [8 * results, *[o.size * o.itemsize for o in outputs], *numbers]
        words = [address, finish, extent, work, grain, inputs, len(outputs), 8 * len(numbers)]
        return self._callable(self._fitted, words, 0, payload)

    def _callable(self, definition, words, otherwise: int, payload):
        words = [*words, id(np.ndarray), otherwise, self._table[_NEW_LIKE], self._table[_NEW_FROM], *payload]
        block = struct.pack(f"={len(words)}q", *words)
        return _new_function(ctypes.byref(definition), block, None)

    def _check(self) -> bool:
        """Whether array and bytes objects look in memory as we believe."""
        array = np.zeros((3, 5), np.int16)
        raw = ctypes.string_at(id(array) + _HEAD, 80)
        data, nd, dims, _, _, descr, flags, handler = struct.unpack("=qi4xqqqqi4x16xq", raw)
        mark = b"kobai"
        valid = ctypes.pythonapi.PyCapsule_IsValid
        valid.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        return (
            (data, nd, descr) == (array.ctypes.data, 2, id(array.dtype))
            and list((ctypes.c_int64 * 2).from_address(dims)) == [3, 5]
            and flags & 0x505 == 0x505
            and ctypes.string_at(id(mark) + _BYTES, 5) == mark
            and type(array).__basicsize__ >= _HEAD + 80
            and bool(valid(handler, b"mem_handler"))
        )
