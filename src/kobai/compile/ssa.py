"""From a recorder's log to a `Graph`: values instead of memory.

Arrays share memory through views, and programs write into it.  Here each piece of memory has a current value;
a write gives it another one, and an array that looks into it is read anew as a window of that.  What has been
written to memory that was there before is among the graph's `writes`.
"""
from __future__ import annotations

import gc

import numpy as np
from numpy.lib.array_utils import byte_bounds

from kobai.compile.graph import Graph, Node, Value
from kobai.compile.trace import Call, Literal, Recorder, line_text
from kobai.ops.movement import Cast, Clone, Expand, Reshape
from kobai.ops.strided import AsStrided, AsStridedScatter, storage_of
from kobai.tensor import Tensor


class Unknown(Exception):
    """The log cannot be made a graph; the text says why."""


class Memory:
    """A piece of memory as one array, and the value it has now."""

    __slots__ = ("array", "value", "version", "external", "low", "high", "shared")

    def __init__(self, array, value, external=None):
        self.array, self.value, self.version, self.external = array, value, 0, external
        self.low, self.high = _bounds(array)
        self.shared = False  # by tensors that were there before


class Builder:
    """Makes the graph; `value(array)` is the current value of an array of the log."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self._memories: dict[int, list[Memory]] = {}
        self._known: dict[int, tuple] = {}  # id(array): (value, memory, version)
        self._where = None
        owners = _owners(recorder)
        self._leaves = _leaves(recorder)
        self._arguments = {id(e.holder) for e in recorder.externals.values() if e.source is not None and e.source[0] == "arg"}
        externals = sorted(recorder.externals.values(), key=lambda e: -getattr(e.array, "nbytes", 0))
        for e in externals:
            self._external(e, owners)
        # Inputs in the order in which the program met them.
        order = {id(e.array): i for i, e in enumerate(recorder.externals.values())}
        self.inputs.sort(key=lambda v: order[id(v.source.array)])
        self.marks: list[int] = []  # for each entry of the log the number of nodes before it
        for entry in recorder.first:
            self._call(entry)
        for entry in recorder.log:
            self.marks.append(len(self.nodes))
            self._call(entry) if isinstance(entry, Call) else self._write(entry)
        self.marks.append(len(self.nodes))

    def _external(self, e, owners):
        if e.constant is not None:
            self._know(e.array, Value(e.array.shape, e.array.dtype, constant=e.constant))
            return
        if e.source is None:
            owner = e.holder if e.holder is not None else owners.get(id(e.array))
            if owner is None:
                raise Unknown(f"a value was made in a way that is not recorded ({self._line_of_use(e.array)})")
            leaf = self._leaves.get(id(owner))
            if leaf is not None and id(leaf) in self._arguments:
                raise Unknown("it uses the gradient of an argument")
            e.source = ("tensor", owner) if leaf is None else ("grad", leaf)
        value = Value(e.array.shape, e.array.dtype, source=e, strides=e.array.strides)
        self.inputs.append(value)
        self._know(e.array, value, e)

    def _line_of_use(self, array):
        """Where an array was used first."""
        uses = (entry.where for entry in self.recorder.log if isinstance(entry, Call) and any(a is array for a in entry.args))
        return line_text(next(uses, None))

    def _know(self, array, value, external=None):
        memory = self._memory(array, value, external)
        self._known[id(array)] = value, memory, memory.version

    def _memory(self, array, value, external=None) -> Memory:
        """The memory an array looks into; new if nothing else is known there."""
        found = self._memories.setdefault(id(storage_of(array)), [])
        low, high = _bounds(array)
        for known in found:
            if known.low <= low and high <= known.high:
                known.shared |= external is not None
                return known
        new = Memory(array, value, external)
        for known in found:
            if low < known.high and known.low < high and low < high:
                if external is None:
                    raise Unknown("tensors that overlap in memory")
                known.shared = new.shared = True  # inputs, of which none may be written
        found.append(new)
        return new

    # ---- entries of the log --------------------------------------------------------------
    def _call(self, entry):
        self._where = entry.where
        args = [a if a is None else a.value if isinstance(a, Literal) else self.value(a) for a in entry.args]
        if isinstance(entry.op, Clone):
            return self._know(entry.outs[0], args[0])
        outs = self._node(entry.op, args, [(y.shape, y.dtype) for y in entry.outs], entry.cut)
        for y, value in zip(entry.outs, outs):
            self._know(y, value)

    def _node(self, op, args, shapes, cut=()):
        node = Node(op, args, shapes, self._where, cut)
        self.nodes.append(node)
        return node.outs

    def value(self, array) -> Value:
        """What an array holds now."""
        value, memory, version = self._known[id(array)]
        if version != memory.version:
            value = self._window(memory, array)
            self._known[id(array)] = value, memory, memory.version
        return value

    def _window(self, memory, array):
        if memory.array.dtype != array.dtype:
            raise Unknown("memory is read as another dtype than it was written in")
        if _same_window(memory.array, array):
            return memory.value
        if _contiguous(memory.array) and _contiguous(array) and memory.array.size == array.size:
            return self._node(Reshape(array.shape), [memory.value], [(array.shape, array.dtype)])[0]
        have = memory.array.shape, _steps(memory.array), 0
        op = AsStrided(array.shape, _steps(array), self._offset(memory, array), have)
        return self._node(op, [memory.value], [(array.shape, array.dtype)])[0]

    def _offset(self, memory, array):
        if not _contiguous(memory.array):
            raise Unknown("a part of a tensor that is not contiguous is written")
        return (_address(array) - _address(memory.array)) // array.itemsize

    def _write(self, entry):
        target, new = entry.target, self.value(entry.new)
        if target.dtype != new.dtype:
            new = self._node(Cast(target.dtype), [new], [(new.shape, target.dtype)])[0]
        if target.shape != new.shape:
            new = self._node(Expand(target.shape), [new], [(target.shape, target.dtype)])[0]
        _, memory, _ = self._known[id(target)]
        full = memory.array
        if full.dtype != target.dtype:
            raise Unknown("memory is written as another dtype")
        if _same_window(full, target):
            memory.value = new
        elif _contiguous(full) and _contiguous(target) and full.size == target.size:
            memory.value = self._node(Reshape(full.shape), [new], [(full.shape, full.dtype)])[0]
        else:
            op = AsStridedScatter(target.shape, _steps(target), self._offset(memory, target))
            memory.value = self._node(op, [memory.value, new], [(full.shape, full.dtype)], (1,) if entry.cut else ())[0]
        memory.version += 1
        self._known[id(target)] = new, memory, memory.version

    # ---- the end -------------------------------------------------------------------------
    def writes(self):
        """(input, its new value) for memory that was there before."""
        by_external = {v.source: v for v in self.inputs}
        if any(m.version and m.shared for found in self._memories.values() for m in found):
            raise Unknown("tensors that share memory, of which one is written")
        return [(by_external[m.external], m.value) for found in self._memories.values() for m in found
                if m.version and m.external is not None]

    def is_shared(self, array) -> bool:
        """Whether an array lies in memory that was there before."""
        return self._known[id(array)][1].external is not None

    def memory(self, array) -> Memory:
        """The memory in which an array lies."""
        return self._known[id(array)][1]

    def known(self, array) -> bool:
        return id(array) in self._known

    def graph(self, outputs) -> Graph:
        """The graph that gives these arrays and does what was written."""
        values = [self.value(a) for a in outputs]
        return Graph(self.inputs, self.nodes, values, self.writes()).verify().without_dead()


def _owners(recorder):
    """{id(array): tensor} for arrays that only a tensor met later, or never by an op, holds."""
    lost = {id(e.array): e for e in recorder.externals.values()
            if e.source is None and e.constant is None and e.holder is None}
    if not lost:
        return {}
    found = {}
    for holder in gc.get_referrers(*[e.array for e in lost.values()]):
        if isinstance(holder, Tensor) and id(getattr(holder, "_data", None)) in lost:
            found[id(holder._data)] = holder
    return found


def _leaves(recorder):
    """{id(gradient): its tensor}: gradients are found through their tensors, for they are others on each step."""
    holders = [e.holder for e in recorder.externals.values()]
    holders += [t for t, _ in recorder.read.values()]
    holders += [p for opt in recorder.optimizers.values() for group in opt.param_groups for p in group["params"]]
    found = {id(t._grad): t for t in holders if t is not None and t._grad is not None}
    owners = {id(t): t for t in holders if t is not None and t._grad is not None}
    if len(found) < len(owners):
        raise Unknown("tensors that have the same gradient tensor")
    for t in holders:
        g = None if t is None else t._grad
        e = None if g is None else recorder.externals.get(id(getattr(g, "_data", None)))
        if e is not None and (e.holder is not g or g._data is t._data):
            raise Unknown("a gradient that shares memory with another tensor")
    return found | {id(x.before): x.tensor for x in recorder.leaves.values() if x.before is not None}


def _bounds(array):
    if isinstance(array, np.ndarray):
        if array.flags.c_contiguous:  # as most are; NumPy's function takes ten times as long
            start = _address(array)
            return start, start + array.nbytes
        return byte_bounds(array) if array.size else (_address(array),) * 2
    return id(array), id(array) + 1  # a NumPy scalar: memory of its own


def _address(array):
    return array.__array_interface__["data"][0]


def _contiguous(array):
    return not isinstance(array, np.ndarray) or array.flags.c_contiguous


def _steps(array):
    return tuple([s // array.itemsize for s in array.strides])


def _same_window(a, b):
    if a is b:
        return True
    return (isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and a.strides == b.strides
            and _address(a) == _address(b))
