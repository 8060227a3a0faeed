"""What a function's variables were before its first call: `before_call(fn, arguments)`.

A recording can be run again if the function changes none of the variables it depends on.  Which ones these are is known
only when it has run; so before that all are noted that any function it can reach may look at.  Where one was
overlooked, or may have been, `changes` says None, and the next call is recorded, too.  Before a later recording, those
that the last one turned out to depend on are noted (`before_again`).

What is switched by each call, as `model.train()` and `model.eval()` do where two functions take turns, a program may do
as well: it is right where all is as it was before its recording, and leaves behind what that left behind.
"""
from __future__ import annotations

import collections
import functools
import types
import weakref

import numpy as np

from kobai.autograd.node import inside
from kobai.compile.guards import _MOST, GONE, Guards, Untraceable, _file_of, _functions, _Walk, name
from kobai.compile.watch import _is_library
from kobai.tensor import Tensor

# What keeps things where the walk does not see them.
_CLOSED = (functools._lru_cache_wrapper, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet,
           collections.UserDict, collections.UserList, collections.ChainMap)


class Before(_Walk):
    """The variables that `fn`, or a function that it may call, may look at, as they are now."""

    def __init__(self, fn, arguments):
        codes: set = set()
        for _ in range(2):  # names of functions found late are names of attributes of objects met before
            super().__init__(codes, frozenset())
            self.closed, self.arrays = False, False
            self.start(fn, arguments)

    @property
    def is_blind(self) -> bool:
        """Whether the function can look at numbers in memory only through tensors."""
        return not (self.closed or self.arrays or len(self.slots) >= _MOST)

    def changes(self, guards, made) -> list | None:
        """The variables, as they were, that a call turned out to depend on and switched; None if it did more, or may have.

        `made` are the ids of dicts of optimisers' state that the call made or added to, and their lengths.
        """
        if self.closed or len(self.slots) >= _MOST:
            return None
        return _switched(self.slots, self.lengths, guards, made)

    # ---- where the walk goes beyond what ran -----------------------------------------------
    def visit(self, v, name):
        if isinstance(v, _CLOSED):
            self.closed = True
        if isinstance(v, np.ndarray):
            self.arrays = True
        try:
            super().visit(v, name)
        except Untraceable:  # if it matters, it is met again when the function has run
            pass

    def _function(self, f, name):
        self._may_run(f.__code__)
        super()._function(f, name)

    def _class(self, v, name):
        for base in v.__mro__:
            if base is not object and not inside[_file_of(base)]:
                for got in vars(base).values():
                    for f in _functions(got):
                        self._may_run(f.__code__)
        super()._class(v, name)

    def _may_run(self, code):
        if code in self.codes or inside[code.co_filename] or _is_library[code.co_filename]:
            return
        self.codes.add(code)
        self.names.update(code.co_names)
        for c in code.co_consts:
            if isinstance(c, types.CodeType):
                self._may_run(c)


class Again:
    """The variables that a recorded call depended on, as they are before the next."""

    def __init__(self, guards):
        self.slots, self.lengths = [], [(container, name, len(container)) for container, name, _ in guards.lengths]
        for slot in guards.slots:
            try:
                self.slots.append(slot._replace(value=slot.read()))
            except GONE:
                pass

    def changes(self, guards, made) -> list | None:
        """As `Before.changes`."""
        return _switched(self.slots, self.lengths, guards, made)


def _switched(slots, lengths, guards, made) -> list | None:
    known = {name(s): s for s in slots}
    sizes = {id(container): length for container, _, length in lengths}
    before = [known.get(name(s)) for s in guards.slots
              if id(s.holder) not in made and not _is_loaded_late(s)]
    if None in before or any(made.get(id(c), sizes.get(id(c))) != now for c, _, now in guards.lengths):
        return None
    found = [s for s in before if Guards([s], []).changed() is not None]
    return found if all(map(_is_switch, found)) else None


def _is_switch(slot) -> bool:
    """Whether it is and was true or false, such as `model.training`."""
    return slot.kind == "dict" and type(slot.holder) is dict and type(slot.key) is str \
        and slot.value.__class__ is slot.read().__class__ is bool


def before_call(fn, arguments) -> Before | None:
    """The variables that a call may look at, or None if they cannot be noted."""
    try:
        return Before(fn, arguments)
    except Exception:  # the user's objects may do anything when they are looked at; it need not be known
        return None


def _is_loaded_late(slot) -> bool:
    """Whether it is one of kobai's own functions in one of its modules, or a tensor's method: some are loaded on first use."""
    value = slot.value
    if slot.kind == "class" and slot.holder is Tensor:
        return True
    return slot.kind == "dict" and isinstance(value, types.FunctionType) and inside[value.__code__.co_filename] \
        and inside[slot.holder.get("__file__") or ""]
