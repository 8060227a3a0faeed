"""Where every value of a plan is kept: `arrange(graph, steps, windows)`.

A value that a step makes lies in the *arena*, one piece of memory that values share which are not needed at the same
time; or in the memory of a result, new on each call; or at once in the memory of the input that it is written to, if
nobody reads that any more.  What cannot be made where it is wanted is copied there by a step more.
"""
from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from kobai.compile.builder import Builder
from kobai.compile.fuse import KernelStep, OpStep
from kobai.compile.graph import Graph, Value
from kobai.compile.kernel import NoKernel, scalar_type
from kobai.compile.lower import fit, lower
from kobai.compile.rewrite import Refuse
from kobai.compile.windows import Window, contiguous, is_contiguous, own

ALIGN = 64


class Place(NamedTuple):
    """Where the memory of a value begins: `kind` is input, output, arena or constant, `at` its number or offset.

    `more` are bytes to add, for a part of another value.
    """

    kind: str
    at: Any
    more: int = 0


class Arrangement(NamedTuple):
    """The steps, with copies put in; the place of each base value; the size of the arena in bytes."""

    steps: list
    places: dict[Value, Place]
    size: int


def arrange(graph: Graph, steps, windows: dict[Value, Window], homes=None) -> Arrangement:
    """Give every value a place, those with a home (value, offset) in its memory, and add the copies that are needed."""
    work = _Arranger(graph, list(steps), windows, homes or {})
    work.write_in_place()
    work.give_outputs()
    return Arrangement([*work.before, *work.steps, *work.after], work.places, work.share())


class _Arranger:
    def __init__(self, graph, steps, windows, homes):
        self.graph, self.steps, self.windows, self.homes = graph, steps, windows, homes
        self.before: list = []
        self.after: list = []
        self.places: dict[Value, Place] = {v: Place("input", i) for i, v in enumerate(graph.inputs)}
        self.made: dict[Value, int] = {}
        self.last: dict[Value, int] = {}
        for i, step in enumerate(steps):
            for w in step.reads:
                self.last[self._home(w.base)] = i
                if w.base.constant is not None:
                    self.places[w.base] = Place("constant", w.base)
            for v in step.writes:
                self.made.setdefault(self._home(v), i)
                self.last[self._home(v)] = i
        checks = [i for i, step in enumerate(steps) if isinstance(step, OpStep) and isinstance(step.node.op, Refuse)]
        self.checked = max(checks, default=-1)  # nothing may be changed before
        self.changed = {target for target, _ in graph.writes}

    def _home(self, v: Value) -> Value:
        return self.homes[v][0] if v in self.homes else v

    # --- results

    def write_in_place(self):
        """Let steps put what is written to inputs straight into their memory, or copy it there at the end."""
        for target, v in self.graph.writes:
            w = self._window(v)
            if w.base in self.made and w.base not in self.places and self._whole(v, w, own(target).strides) \
                    and self._can_overwrite(target, w.base):
                self.places[w.base] = self.places[target]
            else:
                if w.base.is_input and w.base in self.changed:  # its memory may have changed by then
                    w = self._copy(self.before, v, w, None)
                self._copy(self.after, v, w, Place("input", self.places[target].at), own(target).strides)

    def give_outputs(self):
        """Make results in memory of their own, or copy them there."""
        for i, v in enumerate(self.graph.outputs):
            w = self._window(v)
            place = Place("output", i)
            if w.base in self.made and w.base not in self.places \
                    and self._whole(v, w, contiguous(v.shape, v.dtype.itemsize)):
                self.places[w.base] = place
            else:
                early = w.base.is_input and w.base in self.changed
                self._copy(self.before if early else self.after, v, w, place)

    def _window(self, v: Value) -> Window:
        w = self.windows.get(v) or own(v)
        if w.base.constant is not None:
            self.places[w.base] = Place("constant", w.base)
        return w

    def _whole(self, v: Value, w: Window, strides) -> bool:
        """Whether a value is all of its base, in an order in which these strides are as good as its own."""
        if w.offset or prod(v.shape) != prod(w.base.shape):
            return False
        size = v.dtype.itemsize
        return is_contiguous(v.shape, w.strides, size) and is_contiguous(v.shape, strides, size)

    def _can_overwrite(self, target: Value, base: Value) -> bool:
        """Whether nobody reads an input after, or out of step with, the step that makes its new value."""
        made = self.made[base]
        if self.last.get(target, -1) > made or made < self.checked or any(w.base is target for s in self.after for w in s.reads):
            return False
        step = self.steps[made]
        if base not in step.writes or bool(getattr(step, "offset", 0)):  # one of several that make it
            return self.last.get(target, -1) < made
        if self.last.get(target, -1) < made or isinstance(step, OpStep):
            return True
        if not isinstance(step, KernelStep):  # a matrix product reads its operands to the end
            return False
        output = len(step.reads) + step.writes.index(base)
        for w, strides in zip(step.reads, step.strides):
            if w.base is target and (w.offset or strides != step.strides[output]):
                return False
        return _in_one_pass(step, step.writes.index(base))

    def _copy(self, where: list, v: Value, w: Window, place, strides=None) -> Window:
        """Add a step that copies a window to a place (None: into the arena); the window of the copy."""
        copy = Value(v.shape, v.dtype)
        if place is not None:
            self.places[copy] = place
        else:
            self.made[copy] = -1
            self.last[copy] = len(self.steps)
        if where is self.after:
            self.last[self._home(w.base)] = len(self.steps)
        where.append(copy_step(v, w, copy, strides))
        return Window(copy, 0, contiguous(v.shape, v.dtype.itemsize))

    # --- the arena

    def share(self) -> int:
        """Give everything else a place in the arena; its size."""
        mine = [v for v in self.made if v not in self.places]
        free, size = Free(), 0
        starts: dict[int, list[Value]] = {}
        ends: dict[int, list[Value]] = {}
        for v in mine:
            starts.setdefault(self.made[v], []).append(v)
            ends.setdefault(max(self.last.get(v, -1), self.made[v]), []).append(v)
        for i in range(-1, len(self.steps) + 1):
            for v in starts.get(i, ()):
                self.places[v] = Place("arena", free.take(_bytes(v)))
            for v in ends.get(i, ()):
                free.give(self.places[v].at, _bytes(v))
        for v, (whole, offset) in self.homes.items():
            kind, at, _ = self.places[whole]
            self.places[v] = Place(kind, at, offset)
        return max(size, free.top)


def _bytes(v: Value) -> int:
    n = prod(v.shape) * v.dtype.itemsize
    return -(-max(n, 1) // ALIGN) * ALIGN


class Free:
    """The free stretches of a piece of memory that grows, in order."""

    def __init__(self):
        self.stretches: list[tuple[int, int]] = []
        self.top = 0

    def take(self, n: int) -> int:
        """The place of n bytes: in the smallest stretch that has them, or at the end."""
        fitting = [(size, start) for start, size in self.stretches if size >= n]
        if fitting:
            size, start = min(fitting)
            self.stretches.remove((start, size))
            if size > n:
                self.give(start + n, size - n)
            return start
        start = self.top
        if self.stretches and sum(self.stretches[-1]) == self.top:  # the last one can grow
            start, _ = self.stretches.pop()
        self.top = start + n
        return start

    def give(self, start: int, n: int):
        """Take n bytes back."""
        merged = []
        for s, size in self.stretches:
            if s + size == start:
                start, n = s, n + size
            elif start + n == s:
                n += size
            else:
                merged.append((s, size))
        self.stretches = sorted([*merged, (start, n)])


def _in_one_pass(step: KernelStep, output: int) -> bool:
    """Whether an output may lie where an operand does: nothing of a row is read again once it is stored."""
    if not step.kernel.has_rows:
        return True
    fitted = fit(step.kernel, step.shape, step.strides, step.inner)
    nest = lower(step.kernel, fitted.layout)
    return len(nest.passes) <= 1 or output in nest.row_stores


def copy_step(v: Value, w: Window, to: Value, strides=None):
    """A step that copies a window into another value's memory, which has these strides."""
    strides = contiguous(v.shape, v.dtype.itemsize) if strides is None else strides
    k = Builder("copy")
    try:
        kernel = k.finish(k.operand(scalar_type(v.dtype)))
    except NoKernel:
        return CopyStep(v, w, to, strides)
    return KernelStep(kernel, v.shape, None, [w], [to], [tuple(w.strides), tuple(strides)], [])


class CopyStep:
    """A copy of elements that have no scalar type."""

    __slots__ = ("shape", "reads", "writes", "strides", "offset")

    def __init__(self, v, w, to, strides):
        self.offset = 0
        self.shape, self.reads, self.writes, self.strides = v.shape, [w], [to], strides

    def __str__(self):
        return f"copy of {list(self.shape)}"
