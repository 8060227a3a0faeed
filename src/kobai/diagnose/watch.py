"""Watch a run: every op on tensors, every node recorded, every node that a backward pass goes through."""
from __future__ import annotations

import inspect
import sys
import threading

from ..autograd.mode import PASS, modes
from ..op import Op, registry

_CALL = Op.__call__.__code__
_MISSING = object()


class Observer:
    """What a watcher may want to know; each method is called while `watching(observer)` is on."""

    def computed(self, op, arrays, result) -> None:
        """An op has computed `result` from `arrays` (only if `watching(..., forwards=True)`)."""

    def recorded(self, node, tensors, values, result) -> None:
        """A node was made for an op on these tensors."""

    def passed(self, node, g, out) -> None:
        """A backward pass has sent `out` on from a node to which `g` came."""


class watching:
    """`with watching(observer):` tells it what this thread computes. Slow, and nothing once it is over.

    While it is on, ops take the long way that records through `general.record`, and with `forwards` each op class
    has a `forward` that tells of its calls.
    """

    def __init__(self, observer: Observer, forwards: bool = False):
        self.observer, self.forwards = observer, forwards
        self.depth, self.thread = 0, threading.get_ident()
        self._saved: list[tuple[type, str, object]] = []

    def __enter__(self):
        self._before = modes.look, modes.pack
        modes.look = self.observer
        if modes.pack is None:
            modes.pack = PASS
        if self.forwards:
            for cls in registry:
                self._set(cls, "forward", self._telling(cls))
                self._set(cls, "least", sys.maxsize)  # no machine code past `forward`
        return self.observer

    def __exit__(self, *exc):
        look, pack = self._before
        modes.look = look
        if modes.pack is PASS:
            modes.pack = pack
        for cls, name, value in reversed(self._saved):
            if value is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, value)
        self._saved.clear()

    def _set(self, cls, name, value):
        self._saved.append((cls, name, vars(cls).get(name, _MISSING)))
        setattr(cls, name, value)

    def _telling(self, cls):
        """The class's forward, telling the observer of each outermost call on a tensor's values."""
        fn = cls.forward
        method = inspect.isfunction(fn) and not isinstance(inspect.getattr_static(cls, "forward"), staticmethod)

        def call(op, arrays, args):
            if self.depth or threading.get_ident() != self.thread or sys._getframe(2).f_code is _CALL:
                return fn(*args)
            self.depth += 1
            try:
                result = fn(*args)
                self.observer.computed(op, arrays, result)
            finally:
                self.depth -= 1
            return result

        if method:
            return lambda op, *arrays: call(op, arrays, (op, *arrays))
        return staticmethod(lambda *arrays: call(cls(), arrays, arrays))
