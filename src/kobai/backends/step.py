"""A plan as machine code: one table of calls, run by one native function.

`Program` takes the steps of a plan and the places of its values.  Each kernel gets a *block* of words, as
`kobai.backends.llvm_loops` describes, filled in at once; only the addresses of arguments and results change from
call to call, and `PATCHES` says which words these are.  The table has four words for each call: code, block, extent
and grain; a code of 0 stands for a call of Python with the arguments and results, 1 for a flag that, if set,
ends the run before anything is written.

The native function is a ``PyCFunction`` whose ``self`` is a bytes object of words (native.py): it takes the input
arrays, makes the result arrays, fills in the addresses, runs the table and returns a list.  While another thread runs it,
it waits.  It returns None by a flag, or if a call of Python came back to it: the caller then has to find out by itself.
"""
from __future__ import annotations

import math
import os
import struct
import threading
from functools import partial
from weakref import WeakValueDictionary

import numpy as np

from kobai.backends import blas, chain, conv, llvm, pixels, pool, rows, scan, threads, weighted
from kobai.backends.grain import positions
from kobai.backends.native import (
    _BYTES,
    _FASTCALL,
    _FIELD,
    _HEAD,
    RELEASE,
    _MethodDef,
    _new_function,
    read,
    word,
)
from kobai.compile.chain import ChainStep
from kobai.compile.contract import ProductStep
from kobai.compile.convolve import ConvStep
from kobai.compile.fuse import KernelStep, OpStep
from kobai.compile.look_up import RowsStep, ScanStep
from kobai.compile.lower import fit
from kobai.compile.pixels import PixelsStep
from kobai.compile.pooling import PoolStep
from kobai.compile.rewrite import Refuse
from kobai.compile.weighted import SumsStep
from kobai.compile.windows import Window, own
from kobai.general import forward

_WORDS = ("table", "calls", "patches", "patch_count", "inputs", "outputs", "likes", "new_like", "release", "parallel", "none",
          "busy")

_PAUSE = 30  # microseconds until a thread looks again whether another has left the program
_busy: WeakValueDictionary = WeakValueDictionary()  # the words in which programs note which thread runs them
_APART = threads.GRAIN // 2  # elements in a chunk where what is read lies in the caches of all threads, who made it

_word = partial(word, _WORDS)


TEXT = f"""
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_DecRef(ptr)
declare void @Py_IncRef(ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare i64 @PyThread_get_thread_ident()
declare i32 @usleep(i32)

define ptr @step(ptr %object, ptr %args, i64 %count) nounwind {{
entry:
  %self = getelementptr i8, ptr %object, i64 {_BYTES}
  %who_at = {_word("busy")}
  %busy_at = load ptr, ptr %who_at
  %me = call i64 @PyThread_get_thread_ident()
  %none_at = {_word("none")}
  %nothing = load ptr, ptr %none_at
  %parallel_at = {_word("parallel")}
  %parallel = load ptr, ptr %parallel_at
  br label %try
try:
  %free = cmpxchg ptr %busy_at, i64 0, i64 %me seq_cst seq_cst
  %mine = extractvalue {{i64, i1}} %free, 1
  br i1 %mine, label %begin, label %taken
taken:
  %owner = extractvalue {{i64, i1}} %free, 0
  %inside = icmp eq i64 %owner, %me
  br i1 %inside, label %refuse, label %wait
wait:
  %waiting = call ptr @PyEval_SaveThread()
  %slept = call i32 @usleep(i32 {_PAUSE})
  call void @PyEval_RestoreThread(ptr %waiting)
  br label %try
refuse:
  call void @Py_IncRef(ptr %nothing)
  ret ptr %nothing
begin:
  %inputs_at = {_word("inputs")}
  %inputs = load i64, ptr %inputs_at
  %outputs_at = {_word("outputs")}
  %outputs = load i64, ptr %outputs_at
  %likes_at = {_word("likes")}
  %likes = load ptr, ptr %likes_at
  %new_like_at = {_word("new_like")}
  %new_like = load ptr, ptr %new_like_at
  %room = add i64 %inputs, %outputs
  %arrays = alloca ptr, i64 %room
  %bytes = mul i64 %inputs, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %arrays, ptr %args, i64 %bytes, i1 false)
  %list = call ptr @PyList_New(i64 %outputs)
  %no_list = icmp eq ptr %list, null
  br i1 %no_list, label %fail, label %make
make:
  %o = phi i64 [0, %begin], [%o1, %made]
  %rest = icmp slt i64 %o, %outputs
  br i1 %rest, label %one, label %ready
one:
  %like_at = getelementptr ptr, ptr %likes, i64 %o
  %like = load ptr, ptr %like_at
  %new = call ptr %new_like(ptr %like, i32 0, ptr null, i32 0)
  %none = icmp eq ptr %new, null
  br i1 %none, label %drop, label %made
made:
  %place = add i64 %inputs, %o
  %to = getelementptr ptr, ptr %arrays, i64 %place
  store ptr %new, ptr %to
  %set = call i32 @PyList_SetItem(ptr %list, i64 %o, ptr %new)
  %o1 = add i64 %o, 1
  br label %make
ready:
  %patches_at = {_word("patches")}
  %patches = load ptr, ptr %patches_at
  %patch_count_at = {_word("patch_count")}
  %patch_count = load i64, ptr %patch_count_at
  br label %patch
patch:
  %p = phi i64 [0, %ready], [%p1, %patched]
  %more_patches = icmp slt i64 %p, %patch_count
  br i1 %more_patches, label %patched, label %start
patched:
  %p3 = mul i64 %p, 3
  %where_at = getelementptr i64, ptr %patches, i64 %p3
  %where = load ptr, ptr %where_at
{read("which", "where_at", 8, "i64")}
{read("offset", "where_at", 16, "i64")}
  %array_at = getelementptr ptr, ptr %arrays, i64 %which
  %array = load ptr, ptr %array_at
{read("data", "array", _HEAD + _FIELD["data"])}
  %address = getelementptr i8, ptr %data, i64 %offset
  store ptr %address, ptr %where
  %p1 = add i64 %p, 1
  br label %patch
start:
  %table_at = {_word("table")}
  %table = load ptr, ptr %table_at
  %calls_at = {_word("calls")}
  %calls = load i64, ptr %calls_at
  %release_at = {_word("release")}
  %release = load i64, ptr %release_at
  %long = icmp ne i64 %release, 0
  %state_at = alloca ptr
  br i1 %long, label %save, label %go
save:
  %state0 = call ptr @PyEval_SaveThread()
  store ptr %state0, ptr %state_at
  br label %go
go:
  br label %next
next:
  %i = phi i64 [0, %go], [%i1, %done]
  %more = icmp slt i64 %i, %calls
  br i1 %more, label %call, label %end
call:
  %i4 = mul i64 %i, 4
  %i1 = add i64 %i, 1
  %code_at = getelementptr i64, ptr %table, i64 %i4
  %code = load i64, ptr %code_at
{read("block", "code_at", 8)}
{read("extent", "code_at", 16, "i64")}
{read("grain", "code_at", 24, "i64")}
  switch i64 %code, label %native [i64 0, label %python
                                   i64 1, label %flag]
native:
  %function = inttoptr i64 %code to ptr
  %alone = icmp sle i64 %grain, 0
  br i1 %alone, label %serial, label %shared
serial:
  call void %function(ptr %block, i64 0, i64 %extent)
  br label %done
shared:
  call void %parallel(ptr %function, ptr %block, i64 %extent, i64 %grain)
  br label %done
done:
  br label %next
flag:
  %raised_at = load ptr, ptr %block
  %raised = load i8, ptr %raised_at
  %stop = icmp ne i8 %raised, 0
  br i1 %stop, label %give_up, label %done
give_up:
  br i1 %long, label %restore_, label %none_
restore_:
  %state3 = load ptr, ptr %state_at
  call void @PyEval_RestoreThread(ptr %state3)
  br label %none_
none_:
  call void @Py_DecRef(ptr %list)
  store atomic i64 0, ptr %busy_at seq_cst, align 8
  call void @Py_IncRef(ptr %nothing)
  ret ptr %nothing
python:
  br i1 %long, label %take, label %ask
take:
  %state1 = load ptr, ptr %state_at
  call void @PyEval_RestoreThread(ptr %state1)
  br label %ask
ask:
  %answer = call ptr @PyObject_Vectorcall(ptr %block, ptr %arrays, i64 %room, ptr null)
  %bad = icmp eq ptr %answer, null
  br i1 %bad, label %drop, label %fine
fine:
  call void @Py_DecRef(ptr %answer)
  br i1 %long, label %again, label %done
again:
  %state2 = call ptr @PyEval_SaveThread()
  store ptr %state2, ptr %state_at
  br label %done
end:
  br i1 %long, label %restore, label %leave
restore:
  %state4 = load ptr, ptr %state_at
  call void @PyEval_RestoreThread(ptr %state4)
  br label %leave
leave:
  store atomic i64 0, ptr %busy_at seq_cst, align 8
  ret ptr %list
drop:
  call void @Py_DecRef(ptr %list)
  br label %fail
fail:
  store atomic i64 0, ptr %busy_at seq_cst, align 8
  ret ptr null
}}
"""


def _alone():
    """In a forked child: the other threads that were running programs are not there."""
    for runs in _busy.values():
        if runs[0] != threading.get_ident():
            runs[0] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)


class _Runner:
    """The native function `step`, made once."""

    def __init__(self):
        self.bridge = llvm.bridge()
        machine = llvm.machine()
        address, = machine.load(machine.assemble_glue(TEXT), "step")
        self.definition = _MethodDef(b"step", address, _FASTCALL, None)


_runner: _Runner | None = None


def _the_runner() -> _Runner:
    global _runner
    with llvm._lock:  # plans are made by several threads, and a definition must outlive the functions made of it
        if _runner is None:
            _runner = _Runner()
    return _runner


def compile_kernel(kernel, shape, strides, inner):
    """(code, fitted layout) of a kernel."""
    fitted = fit(kernel, shape, strides, inner)
    return llvm.compiled(kernel, fitted.layout), fitted


class Program:
    """The machine code of a plan: `run(*inputs)` gives a list of results, or None where it could not run.

    Raises:
        NoKernel: if there is no machine code here.
    """

    def __init__(self, graph, steps, places, size: int):
        from ctypes import byref  # noqa: PLC0415

        self.graph, self.places = graph, places
        self.runner = runner = _the_runner()
        self.arena = _aligned(size)
        self.kept: list = []
        self.words: list[int] = []
        self.patches: list[tuple[int, int, int]] = []  # word, array, offset
        self.calls: list[tuple] = []                   # code, word of the block or address, extent, grain
        self.kernels: list = []
        self.inner: list[tuple[int, int]] = []         # words that are addresses of other words
        self.rooms: dict = {}                          # values of the chain that is being made
        self.shared: set = set()                       # values that threads make together
        self.work = 0
        self.writes_inputs = False                     # whether a step did: the program cannot give up any more
        for step in steps:
            self._call(step)
            self.writes_inputs |= any(places[v].kind == "input" for v in getattr(step, "writes", ()))
        self.likes = [np.empty(v.shape, v.dtype) if math.prod(v.shape) < 64
                      else np.lib.stride_tricks.as_strided(np.empty(1, v.dtype), v.shape, (0,) * len(v.shape))
                      for v in graph.outputs]
        self.block = _aligned(8 * len(self.words)).view(np.int64)[:len(self.words)]
        self.block[:] = self.words
        at = self.block.ctypes.data
        for place, other in self.inner:
            self.block[place] = at + 8 * other
        table = [(c, at + 8 * b if inside else b, e, g) for c, b, e, g, inside in self.calls]
        self.table = np.array(table, np.int64).reshape(-1, 4)
        self.patch_table = np.array([(at + 8 * w, a, o) for w, a, o in self.patches], np.int64).reshape(-1, 3)
        self.like_table = np.array([id(x) for x in self.likes], np.int64)
        self.busy = np.zeros(1, np.int64)
        _busy[self.busy.ctypes.data] = self.busy
        head = struct.pack(
            f"={len(_WORDS)}q", self.table.ctypes.data, len(self.table), self.patch_table.ctypes.data, len(self.patches),
            len(graph.inputs), len(graph.outputs), self.like_table.ctypes.data, runner.bridge.new_like,
            int(self.work > RELEASE),
            runner.bridge.parallel, id(None), self.busy.ctypes.data)
        keeps = (runner, self.arena, self.kept, self.kernels, self.block, self.table, self.patch_table, self.likes, self.like_table,
                 self.busy)
        self.run = _new_function(byref(runner.definition), head, keeps)  # it may outlive the plan

    # --- calls

    def _call(self, step):
        if isinstance(step, KernelStep):
            self._kernel(step)
        elif isinstance(step, ProductStep):
            self._native(step, *blas.words(step))
            self.work += math.prod(step.sizes) * step.m * step.n * step.k // 64
        elif isinstance(step, ChainStep):
            self._chain(step)
        elif isinstance(step, ConvStep):
            self._native(step, *conv.words(step))
            self.work += step.work // 16
        elif isinstance(step, PoolStep):
            self._native(step, *pool.words(step))
            self.work += step.count * step.each
        elif isinstance(step, SumsStep):
            self._native(step, *weighted.words(step))
            self.work += step.work
        elif isinstance(step, PixelsStep):
            self._native(step, *pixels.words(step))
            self.work += step.work
        elif isinstance(step, RowsStep):
            self._native(step, *rows.words(step))
            self.work += step.count * step.width // 4
        elif isinstance(step, ScanStep):
            self._native(step, *scan.words(step.shape, step.dtype, step.dim, step.reverse))
            self.work += 4 * math.prod(step.shape)
        elif isinstance(step, OpStep) and isinstance(step.node.op, Refuse):
            self.calls.append((1, len(self.words), 0, 0, True))
            self._address(step.reads[0].base, step.reads[0].offset)
        else:
            self._python(step)

    def _native(self, step, code: int, words: list[int], extent: int, grain: int):
        """A call of code whose block begins with the addresses of what is read and written."""
        self._add(step, code, self._block(step, words), extent, grain)

    def _add(self, step, code: int, start: int, extent: int, grain: int):
        """One more call, which threads share if it has more than one chunk."""
        if grain < extent:
            self.shared.update(step.writes)
        self.calls.append((code, start, extent, 0 if grain >= extent else grain, True))

    def _block(self, step, words) -> int:
        """Where a new block begins: the addresses of what is read and written, then some words."""
        start = len(self.words)
        for base, offset in _operands(step):
            self._address(base, offset)
        self.words += words
        return start

    def _kernel(self, step: KernelStep):
        code, fitted, start, extent = self._kernel_block(step)
        work = math.prod(fitted.sizes)
        if code.finish:
            chunks = np.empty(max(1, extent * len(code.nest.reductions)), np.int64)
            self.kept.append(chunks)
            self.words.append(chunks.ctypes.data)
        grain = positions(code, fitted, extent,
                          threads.GRAIN if self.shared.isdisjoint([w.base for w in step.reads]) else _APART)
        self.work += work
        self._add(step, code.address, start, extent, grain)
        if code.finish:
            self.calls.append((code.finish, start, extent, 0, True))

    def _kernel_block(self, step: KernelStep):
        """(code, fitted layout, where its block begins, extent) of a kernel."""
        code, fitted = compile_kernel(step.kernel, step.shape, step.strides, step.inner)
        self.kernels.append(code)
        start = self._block(step, [*fitted.sizes, *[s for strides in fitted.strides for s in strides]])
        return code, fitted, start, code.nest.extent(fitted.sizes)

    def _chain(self, step: ChainStep):
        calls = []
        self.rooms = step.rooms
        for one, moves in zip(step.steps, step.moves):
            if isinstance(one, KernelStep):
                code, fitted, start, extent = self._kernel_block(one)
                address, work = code.address, math.prod(fitted.sizes)
            else:
                address, words, extent, _ = blas.words(one, step.items)
                start, work = self._block(one, words), math.prod(one.sizes) * one.m * one.n * one.k // 64
            calls.append((address, start, extent, len(self.words) - start, moves))
            self.work += step.items * work
        self.rooms = {}
        start = len(self.words)
        self.words += [step.near, len(calls), step.size]
        at = start + chain.HEAD + chain.CALL * len(calls)
        for address, block, extent, size, moves in calls:
            self.inner += [(len(self.words) + 1, block), (len(self.words) + 5, at)]
            self.words += [address, 0, extent, len(moves), size, 0]
            at += chain.MOVE * len(moves)
        for one, (*_, moves) in zip(step.steps, calls):
            for (base, _), move in zip(_operands(one), moves):
                self.words += [*move, int(base in step.rooms)]
        self.calls.append((chain.code(), start, step.items, 1, True))

    def _address(self, base, offset: int):
        """One more word: the address of a value's memory, now or when the program is run; in a room, its place there."""
        if base in self.rooms:
            self.words.append(self.rooms[base] + offset)
            return
        kind, at, more = self.places[base]
        offset += more
        if kind == "arena":
            self.words.append(self.arena.ctypes.data + at + offset)
        elif kind == "constant":
            array = self._constant(base)
            self.words.append(array.ctypes.data + offset)
        else:
            number = at if kind == "input" else len(self.graph.inputs) + at
            self.patches.append((len(self.words), number, offset))
            self.words.append(0)

    def _constant(self, value):
        array = np.asarray(value.constant)
        self.kept.append(array)
        return array

    def _python(self, step):
        """A call of an op's `forward` on the arrays where they lie."""
        call = _host_call(self, step)
        if self.writes_inputs:
            self.kept.append(call)
            self.calls.append((0, id(call), 0, 0, False))
            return
        call, raised = _careful(call)
        self.kept += [call, raised]
        self.calls += [(0, id(call), 0, 0, False), (1, len(self.words), 0, 0, True)]
        self.words.append(raised.ctypes.data)

    def memory(self, base):
        """(array, None) whose memory holds a value, or (None, number) of the argument or result that does."""
        kind, at, _ = self.places[base]
        if kind == "arena":
            return self.arena[at:], None
        if kind == "constant":
            return self._constant(base), None
        return None, at if kind == "input" else len(self.graph.inputs) + at


def _operands(step):
    """(value, offset) of all that a step reads and writes."""
    offset = getattr(step, "offset", 0)
    return [*[(w.base, w.offset) for w in step.reads], *[(v, offset) for v in step.writes]]


def _aligned(size: int) -> np.ndarray:
    """Memory that begins at a cache line."""
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + size]


def _host_call(program: Program, step):
    """A function of all arguments and results that does one op on NumPy's views of their memory."""
    if hasattr(step, "node"):
        node = step.node
        read = {v: _viewer(program, w, v.shape, v.dtype) for v, w in zip(node.values, step.reads)}
        args = [read[a] if a in read else (lambda arrays, a=a: a) for a in node.args]
        writes = [_viewer(program, own(v), v.shape, v.dtype) for v in step.writes]
        op, many = node.op, node.op.outputs != 1

        def call(*arrays):
            ys = forward(op, [get(arrays) for get in args])
            for put, y in zip(writes, ys if many else (ys,)):
                put(arrays)[...] = y
        return call
    source = _viewer(program, step.reads[0], step.shape, step.writes[0].dtype)
    target = _viewer(program, Window(step.writes[0], step.offset, step.strides), step.shape, step.writes[0].dtype)

    def copy(*arrays):
        target(arrays)[...] = source(arrays)
    return copy


def _careful(call):
    """(the call, a flag that it sets where the op fails): the program gives up then, and an eager run will say why."""
    raised = np.zeros(1, np.uint8)

    def careful(*arrays):
        raised[0] = 0
        try:
            call(*arrays)
        except Exception:  # whatever it is, it will happen again
            raised[0] = 1
    return careful, raised


def _viewer(program: Program, window, shape, dtype):
    """A function from the call's arrays to the NumPy array that a window is."""
    array, number = program.memory(window.base)
    strides = window.strides or (0,) * len(shape)
    window = window._replace(offset=window.offset + program.places[window.base].more)
    if array is not None:
        view = np.ndarray(shape, dtype, array, window.offset, strides) if array.dtype == np.uint8 and array.ndim == 1 \
            and window.base.constant is None else _view(array, shape, dtype, window.offset, strides)
        return lambda arrays: view
    return lambda arrays: _view(arrays[number], shape, dtype, window.offset, strides)


def _view(array, shape, dtype, offset: int, strides):
    """Memory of an array as one of another shape and type."""
    if array.shape == tuple(shape) and array.strides == tuple(strides) and not offset and array.dtype == dtype:
        return array
    data = array.__array_interface__["data"][0] + offset, False
    raw = {"version": 3, "data": data, "shape": tuple(shape), "strides": tuple(strides), "typestr": dtype.str}
    view = np.asarray(_Raw(raw, array))
    return view if view.dtype == dtype else view.view(dtype)


class _Raw:
    """Memory, for NumPy."""

    def __init__(self, interface, owner):
        self.__array_interface__, self.owner = interface, owner
