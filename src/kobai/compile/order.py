"""The order of steps: `early(graph, steps, windows, homes)` does what only ends something as soon as it can be done.

A program updates all its parameters at the end, when gradients have long left the cache and lie in memory of their own.
An update, or the sum that is a bias's gradient, can come right after what it reads.  Nothing is moved that makes a large
value which then has to be kept for longer.
"""
from __future__ import annotations

from math import prod

from kobai.compile.fuse import KernelStep, OpStep
from kobai.compile.graph import Graph, Value
from kobai.compile.rewrite import Refuse
from kobai.compile.windows import own

SMALL = 4096  # bytes of a value that may be kept longer


def early(graph: Graph, steps, windows, homes) -> list:
    """The steps, in an order in which kernels that make results or little come right after what they need."""
    return _Order(graph, list(steps), windows, homes).made()


def _is_check(step) -> bool:
    return isinstance(step, OpStep) and isinstance(step.node.op, Refuse)


class _Order:
    def __init__(self, graph: Graph, steps, windows, homes):
        self.steps, self.homes = steps, homes
        self.results = {(windows.get(v) or own(v)).base for v in graph.results}
        self.targets: dict[Value, list[Value]] = {}
        for target, v in graph.writes:
            self.targets.setdefault((windows.get(v) or own(v)).base, []).append(target)
        self.checked = -1  # nothing may be changed before: a check, or another call of Python, may end the run
        self.wrote: dict[Value, int] = {}  # after which step of the given order memory is complete, or read
        self.read: dict[Value, int] = {}

    def made(self) -> list:
        """The steps in their new order."""
        places = []
        for i, step in enumerate(self.steps):
            place = i
            if isinstance(step, KernelStep) and self._only_ends(step) or _is_check(step):
                place = self._earliest(step)
            if isinstance(step, OpStep):
                self.checked = max(self.checked, place)
            moved = place < i
            places.append((place, moved, i))
            for w in step.reads:
                self._note(self.read, w.base, place)
            for v in step.writes:
                self._note(self.wrote, v, place)
        return [self.steps[i] for _, _, i in sorted(places)]

    def _root(self, v: Value) -> Value:
        return self.homes[v][0] if v in self.homes else v

    def _note(self, known: dict[Value, int], v: Value, place: int):
        root = self._root(v)
        known[root] = max(known.get(root, -1), place)

    def _only_ends(self, step: KernelStep) -> bool:
        """Whether what a step makes is a result, or small."""
        return all(v in self.results or prod(v.shape) * v.dtype.itemsize <= SMALL for v in step.writes)

    def _earliest(self, step: KernelStep) -> int:
        """The step of the given order after which it can come."""
        place = max([self.wrote.get(self._root(x), -1) for x in (*[w.base for w in step.reads], *step.writes)])
        for target in [t for v in step.writes for t in self.targets.get(v, ())]:
            place = max(place, self.checked, self.read.get(target, -1))
        return place
