"""`kobai.compile(fn)`: records the first calls of a function and runs what was recorded on the later ones.

Each kind of call (shapes and dtypes of the tensors, values of the other arguments, modes) has a `Variant`.  Its first
call runs as always and is recorded.  If it changed none of the variables that it depends on (before.py), its plan runs
from the second call on, as long as those variables are the same; else, or if that cannot be known, the second call
is recorded again.
"""
from __future__ import annotations

import functools
import logging
import sys
import threading
import weakref
from typing import Any

import numpy as np

from kobai import dtypes
from kobai.autograd.mode import modes
from kobai.autograd.whole import exactly
from kobai.compile import pages
from kobai.compile.asked import _PLAIN, Asked, attributes
from kobai.compile.before import before_call
from kobai.compile.guards import Slot, Untraceable, collect
from kobai.compile.program import Unfinished, keeps_more, kinds, record
from kobai.compile.trace import line_text
from kobai.compile.watch import Watcher
from kobai.diagnose import error
from kobai.pytree import flatten
from kobai.tensor import LiftedTensor, Tensor

log = logging.getLogger("kobai.compile")
MOST = 8          # variants; calls of other kinds run eagerly
MOST_PROGRAMS = 4  # of one kind of call, for variables that go back and forth
MOST_RECORDS = 24  # recordings of one kind of call, if variables keep changing
UNSEEN = "a tensor was made in a way that is not recorded"
TWICE = "an argument is a tensor that the function uses by another name too, or two share an array"


class Variant:
    """What is known of one kind of call: programs with their guards, the guards of the last recording."""

    __slots__ = ("programs", "guards", "reason", "records", "kept", "hidden", "waits")

    def __init__(self, kept):
        self.programs: list = []
        self.kept = kept
        self.guards = self.reason = None
        self.records = 0
        self.hidden: dict = {}  # tensors that it used, to which no variable leads
        self.waits = False      # no variable leads to an ndarray, whose numbers it could look at without our knowing


class Compiled:
    """A function that runs as one recorded program where it can be, and as always elsewhere.

    `reason` says why calls run eagerly, if they do, with the user's line; `graph`, `kernels` and `llvm` show
    what the last recorded call became.
    """

    def __init__(self, fn, *, fullgraph=False, explain=False):
        self.fn, self.fullgraph, self.explain = fn, fullgraph, explain
        self.variants: dict[Any, Variant] = {}
        self.reason: str | None = None
        self._last: Any = None
        self._moving: set = set()
        self._lock = threading.RLock()
        functools.update_wrapper(self, fn, updated=())

    def __new__(cls, *args, **kwargs):
        # A class of its own for each: `__call__` of the class becomes a native function (`_enter`).
        return object.__new__(type("Compiled", (cls,), {"__module__": cls.__module__}))

    def __call__(self, *args, **kwargs):
        if modes.trace is not None or modes.dual or modes.anomaly or modes.pack is not None or modes.look is not None:
            return self.fn(*args, **kwargs)
        leaves, spec = flatten((args, kwargs))
        key = _kind(leaves, spec)
        if key is None:
            return self.fn(*args, **kwargs)
        try:
            variant = self.variants.get(key)
        except TypeError:  # something cannot be hashed of which a container of the user's is made
            return self.fn(*args, **kwargs)
        if variant is not None:
            for program, guards in variant.programs:
                if guards.changed() is None:
                    with self._lock:
                        arrays = program.bind(leaves)
                        if arrays is not None:
                            self._last = program
                            try:
                                return program.run(arrays, leaves)
                            except Unfinished:
                                return self.fn(*args, **kwargs)
        return self._record(key, variant, args, kwargs)

    def _record(self, key, variant, args, kwargs):
        if variant is None:
            if len(self.variants) >= MOST:
                self._say(f"more than {MOST} kinds of calls (shapes, dtypes, or values of other arguments)")
                return self.fn(*args, **kwargs)
            leaves, spec = flatten((args, kwargs))
            variant = self.variants[key] = Variant(_objects(leaves, spec))
            if keeps_more(spec) is not None:
                variant.reason = f"an argument is an object of type {keeps_more(spec)}, which may keep more than its items"
                self._say(variant.reason)
        if variant.reason is not None:
            return self.fn(*args, **kwargs)
        with self._lock:
            before = variant.guards.changed() if variant.guards is not None else "first"
            if variant.guards is not None and before is not None:
                self._moving.update(variant.guards.moved())
            watcher, steady = Watcher(), before is None
            leaves, spec = flatten((args, kwargs))
            past, tags = None if variant.records else before_call(self.fn, _objects(leaves, spec)), attributes(leaves)

            if past is not None:
                variant.waits = past.is_blind and not any(isinstance(v, np.ndarray) for v in leaves)

            def wanted(recorder):
                nonlocal steady
                steady = steady or self._stayed(past, watcher, recorder, *flatten((args, kwargs)))
                return steady
            sizes = variant.guards and variant.guards.sizes()
            plan = _plan if steady or past else None
            got = record(self.fn, args, kwargs, plan, watcher, self._moving, wanted, variant.waits and plan is not None)
            steady = steady and sizes == (variant.guards and variant.guards.sizes())
            self._settle(variant, got, watcher, steady, *flatten((args, kwargs)), tags)
            result, size = got.result, got.recorder.bytes
            grads = [leaf for leaf, _ in got.program.grads] if got.program is not None else []
            del got  # and the arrays that its recorder kept
        if size > pages.SWEEP:
            pages.trim()
            pages.trim_without([leaf._grad._data for leaf in grads if leaf._grad is not None and leaf._grad._data.ndim])
        return result

    def _stayed(self, past, watcher, recorder, leaves, spec):
        """Whether the first call, just made, changed none of the variables that it depends on."""
        try:
            guards = collect(self.fn, watcher.codes, _objects(leaves, spec), self._moving)
        except Untraceable:
            return False
        return watcher.reason is None and past.stayed(guards, recorder.made_state) \
            and not _is_ambiguous(recorder, guards.tensors, leaves)

    def _settle(self, variant, got, watcher, steady, leaves, spec, tags):
        """Keep the program of a recorded call if it will last."""
        variant.records += 1
        reason = got.reason
        if reason is None and watcher.reason is not None:
            reason = f"{watcher.reason} ({line_text(watcher.where)})"
        if reason is not None:
            variant.reason = reason
            return self._say(reason)
        moved = variant.guards.changed() if steady and variant.guards is not None else None
        guards = None
        try:
            guards = collect(self.fn, watcher.codes, _objects(leaves, spec), self._moving)
        except Untraceable as e:
            variant.reason = str(e)
        asked = None
        try:
            if guards is not None and got.program is not None:
                asked = Asked(leaves, guards, watcher.codes, tags, bool(got.program.cells or got.program.given_cells))
        except Untraceable as e:
            variant.reason = str(e)
        if guards is not None and not got.recorder.lists.isdisjoint(map(id, guards.containers())):
            variant.reason = "it returns a list or dict that was there before"
        if moved is not None:
            variant.reason = f"it changes {moved} on each call"
        elif guards is not None and _is_ambiguous(got.recorder, guards.tensors, leaves):
            variant.guards, variant.reason = None, TWICE if variant.records > MOST_RECORDS else None  # of this call only
            return self._say(TWICE)
        elif guards is not None and got.program is not None and not _were_there(got.program, guards, variant):
            if variant.guards is None:  # the first call: the next one shows
                variant.guards = guards
                return
            if variant.records > 4:
                variant.reason = UNSEEN
            return self._say(UNSEEN)
        elif variant.records > MOST_RECORDS:
            variant.reason = "variables it depends on keep changing"
        if variant.reason is not None:
            return self._say(variant.reason)
        variant.guards = guards
        if steady and got.program is not None:
            got.program.watch(guards.tensors)
            got.program.asked = asked
            variant.programs = [(got.program, guards), *variant.programs[:MOST_PROGRAMS - 1]]
            self._last, self.reason = got.program, None
            if asked.simple:
                self._enter(got.program, guards, spec)

    def _enter(self, program, guards, spec):
        """From now on calls like the recorded one go to machine code at once."""
        if getattr(program.plan, "program", None) is None:
            return
        from kobai.backends.entry import entry  # noqa: PLC0415  (machine code is loaded on first use)
        made = entry(program, [*guards.slots, _default_dtype()], guards.lengths, functools.partial(Compiled.__call__, self),
                     spec)
        if made is not None:
            type(self).__call__, self._entry = made

    def _say(self, reason):
        if self.fullgraph:
            raise error("call-order", RuntimeError(f"{self._name} cannot be recorded: {reason}"),
                        why="fullgraph=True was asked for, and one line cannot be recorded.",
                        fix="leave out fullgraph=True to run such calls eagerly, or change that line.")
        if self.reason != reason:
            self.reason = reason
            log.info("%s runs eagerly: %s", self._name, reason)
            if self.explain:
                print(f"kobai.compile: {self._name} runs eagerly: {reason}")

    @property
    def _name(self):
        return getattr(self.fn, "__qualname__", type(self.fn).__name__)

    def _shown(self, what):
        if self._last is None:
            raise error("call-order", RuntimeError(f"nothing is compiled yet: {self.reason or 'call it twice first'}"),
                        why="a program is compiled once a call of the function has been watched, or two.",
                        fix="call the function three times with arguments of the same shapes, then look.")
        return getattr(self._last.plan, what)

    graph = property(lambda self: self._shown("graph"), doc="The graph of the last compiled call.")
    kernels = property(lambda self: self._shown("kernels"), doc="Its kernels, in the order in which they run.")
    llvm = property(lambda self: self._shown("llvm"), doc="Their machine code as LLVM text.")

    def __get__(self, instance, owner=None):
        """As a method: bound to its object."""
        return self if instance is None else functools.partial(self, instance)

    def __reduce_ex__(self, protocol):
        """A copy is compiled anew; one that its module knows by its name is that."""
        found = sys.modules.get(self.__module__)
        for part in getattr(self, "__qualname__", "<locals>").split("."):
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else (_again, (self.fn, self.fullgraph, self.explain))

    def __repr__(self):
        return f"<compiled {self._name}>"


def _again(fn, fullgraph, explain):
    return Compiled(fn, fullgraph=fullgraph, explain=explain)


def _default_dtype():
    return Slot("dict", vars(dtypes), "_default", "the default dtype", dtypes._default)


def _plan(graph):
    from kobai.compile.plan import plan  # noqa: PLC0415  (machine code is loaded on first use)
    return plan(graph)


def _objects(leaves, spec):
    """The arguments that have variables of their own, and classes of tensors and containers among them."""
    classes = dict.fromkeys(kinds(spec)) | {type(v): None for v in leaves if isinstance(v, Tensor) and type(v) is not Tensor}
    return [*classes, *[v for v in leaves if type(v) not in _PLAIN and not isinstance(v, (Tensor, dtypes.dtype, np.generic))]]


def _kind(leaves, spec):
    """What calls of one kind have in common; None for calls that are not recorded."""
    parts, seen = [], {}
    for i, v in enumerate(leaves):
        if isinstance(v, Tensor):
            if type(v) is LiftedTensor or v.is_sparse:
                return None
            x = v._data
            parts.append((type(v), x.dtype, x.shape, x.strides, v.requires_grad, v._node is None, seen.setdefault(id(v), i)))
        elif type(v) in _PLAIN or isinstance(v, dtypes.dtype):
            parts.append((type(v), exactly(v)))
        elif isinstance(v, np.generic):
            parts.append((type(v), v.dtype, v.tobytes()))
        elif isinstance(v, slice) and all(isinstance(p, (int, type(None))) for p in (v.start, v.stop, v.step)):
            parts.append((slice, v.start, v.stop, v.step))
        else:
            parts.append((type(v), id(v)))  # an address that the variant's `kept` keeps from being another's
    return (_hashable(spec), tuple(parts), modes.grad, modes.inference, dtypes._default, _autocast())


def _is_ambiguous(recorder, tensors, leaves):
    """Whether two tensors that the function can get at have one array, which it used: it is not known through which."""
    grads = *[x.before for x in recorder.leaves.values()], *[g for _, g in recorder.read.values()]
    named = {id(t) for t in (*tensors, *grads) if t is not None}
    given = {id(t) for t in leaves if isinstance(t, Tensor)}
    return any(len(users & (named | given)) > 1 or users & named & given for users in recorder.users.values())


def _were_there(program, guards, variant):
    """Whether the tensors of a program were there before: variables lead to them, or the last recording met them too."""
    reached = {id(t) for t in guards.tensors} | {id(s.value) for s in guards.slots if isinstance(s.value, Tensor)}
    held = [s[1] for s in program.sources if s[0] in ("tensor", "grad")]
    held += [r.same[1] for r in program.results if r.number is None and r.same[0] == "object" and isinstance(r.same[1], Tensor)]
    before, variant.hidden = variant.hidden, {id(t): weakref.ref(t) for t in held if id(t) not in reached}
    return all(k in before and before[k]() is not None for k in variant.hidden)


def _hashable(spec):
    if spec is None:
        return None
    kind, keys, children = spec
    return kind, None if keys is None else tuple(keys), tuple([_hashable(c) for c in children])


def _autocast():
    """What autocast does now; a program that never uses it has not even loaded it."""
    return sys.modules["kobai.amp.policy"].state.dtype["cpu"] if modes.autocast else None
