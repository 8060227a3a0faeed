"""`kobai.compile(fn)`: records the first calls of a function and runs what was recorded on the later ones.

Each kind of call (shapes and dtypes of the tensors, values of the other arguments, modes) has a `Variant`.  Its first
call runs as always and is recorded.  If it changed none of the variables that it depends on (before.py), its plan runs
from the second call on, as long as those variables are the same; else, or if that cannot be known, the second call
is recorded again.
"""
from __future__ import annotations

import functools
import logging
import os
import sys
import threading
import types
import weakref
from collections import Counter
from typing import Any

import numpy as np

from kobai import dtypes
from kobai.autograd.mode import modes
from kobai.autograd.whole import exactly
from kobai.compile import pages
from kobai.compile.asked import _PLAIN, Asked, attributes
from kobai.compile.before import Again, before_call
from kobai.compile.guards import GONE, Guards, Slot, Untraceable, are_the_same, collect, key_of, name
from kobai.compile.program import Unfinished, _own_code, _own_function, keeps_more, kinds, record
from kobai.compile.trace import line_text
from kobai.compile.watch import Watcher
from kobai.diagnose import error
from kobai.pytree import flatten
from kobai.tensor import LiftedTensor, Tensor

log = logging.getLogger("kobai.compile")
MOST = 8          # variants; calls of other kinds run eagerly
MOST_PROGRAMS = 4  # of one kind of call, for variables that go back and forth
WORTH = 8         # ops and writes of a function whose parts are compiled where it cannot be
RETURN = "return"  # in place of a line: the statements that return
MOST_RECORDS = 24  # recordings of one kind of call, if variables keep changing
MOST_ALIKE = 8     # in a row, if it is always the same variable
UNSEEN = "a tensor was made in a way that is not recorded"
TWICE = "an argument is a tensor that the function uses by another name too, or two share an array"


class Variant:
    """What is known of one kind of call: programs with their guards, the guards of the last recording."""

    __slots__ = ("programs", "guards", "reason", "records", "kept", "hidden", "waits", "eagerly", "changed", "moved", "kept_in")

    def __init__(self, kept):
        self.programs: list = []
        self.kept = kept
        self.guards = self.reason = None
        self.eagerly = None     # what runs instead, if it cannot be recorded: the function, or its parts
        self.changed = None     # the variable that it changes on each call: the next one shows where
        self.moved = None, 0, None  # the variable that was another before the last recording; how often it was that one; its key
        self.kept_in: list = []  # variables that hold other tensors on each call: kept.py
        self.records = 0
        self.hidden: dict = {}  # tensors that it used, to which no variable leads
        self.waits = False      # no variable leads to an ndarray, whose numbers it could look at without our knowing


_made: weakref.WeakSet = weakref.WeakSet()


def _unlock():
    """In a forked child: threads of the parent's that were in a compiled function are not there to leave it."""
    for compiled in list(_made):
        compiled._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


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
        self._parts: dict = {}  # {place: the function cut there}
        self._cut_last: Any = None
        self._cut_of: Any = None  # what the function was then
        self._always: Any = None  # the function cut there, if no kind of calls is recorded whole
        self._lock = threading.RLock()
        _made.add(self)
        self._entry: Any = None
        functools.update_wrapper(self, fn, updated=())
        self._own = frozenset((*vars(self), "_own"))

    def __new__(cls, *args, **kwargs):
        # A class of its own for each: `__call__` of the class becomes a native function (`_enter`).
        return object.__new__(type("Compiled", (cls,), {"__module__": cls.__module__}))

    def __call__(self, *args, **kwargs):
        if modes.trace is not None or modes.dual or modes.anomaly or modes.pack is not None or modes.look is not None:
            return self.fn(*args, **kwargs)
        if self._always is not None and are_the_same(_definition(self.fn), self._cut_of):
            return self._always(*args, **kwargs)
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
                        given = leaves if program.carries is None else _with_kept(program, leaves)
                        arrays = None if given is None else program.bind(given)
                        if arrays is not None:
                            self._last = program
                            try:
                                result = program.run(arrays, given)
                            except Unfinished:
                                return self.fn(*args, **kwargs)
                            if program.carries is not None:
                                result, values = result
                                program.carries[0].put(values)
                            for variables, name, value in program.switches:
                                variables[name] = value
                            if program.enters is not None:
                                spec, program.enters = program.enters, None
                                self._enter(program, guards, spec)
                            if variant.programs[0][0] is not program:  # the next call will rather be like this one
                                others = [p for p in variant.programs if p[0] is not program]
                                variant.programs = [(program, guards), *others]
                            return result
        return self._record(key, variant, args, kwargs)

    def _record(self, key, variant, args, kwargs):
        # Another definition, as when a notebook reloads what was edited.
        if self._cut_of is not None and not are_the_same(_definition(self.fn), self._cut_of):
            self._parts, self._cut_last, self._cut_of, self._always = {}, None, None, None
            self.variants, variant = {}, None
        if variant is None:
            instead = self._instead(key, args, kwargs)
            if instead is not None:
                return instead(*args, **kwargs)
            leaves, spec = flatten((args, kwargs))
            variant = self.variants[key] = Variant(_objects(leaves, spec))
            if keeps_more(spec) is not None:
                variant.reason = f"an argument is an object of type {keeps_more(spec)}, which may keep more than its items"
                self._say(variant.reason)
        if variant.changed is not None:
            return self._find_change(variant, args, kwargs)
        if variant.reason is not None:
            return (variant.eagerly or self.fn)(*args, **kwargs)
        return self._record_now(variant, args, kwargs)

    def _instead(self, key, args, kwargs):
        """What runs calls of a kind that was not met before, if they are not to be recorded."""
        if self._cut_last is not None:  # where a call of one kind cannot be recorded, one of another can hardly be
            return self._cut_last
        varying = self._varying(key, args, kwargs)
        if varying and self._cut(None, ("names", frozenset(varying))):
            names = " and ".join(sorted(varying))
            self._say(f"argument {names} is another number or object on each call", self._cut_last)
            return self._cut_last
        if len(self.variants) >= MOST:
            self._say(f"more than {MOST} kinds of calls (shapes, dtypes, or values of other arguments)")
            return self.fn
        return None

    def _record_now(self, variant, args, kwargs):
        """Make the call, and keep the program that it was."""
        with self._lock:
            before = "first" if variant.guards is None else self._moved(variant)
            watcher = Watcher()
            leaves, spec = flatten((args, kwargs))
            kept = _kept(variant.kept_in)
            if kept is None and variant.kept_in:  # something else is there: a state that begins anew
                return self.fn(*args, **kwargs)
            past, tags = None, attributes([*leaves, *(kept.leaves if kept else ())])
            if not variant.records:
                past = before_call(self.fn, _objects(leaves, spec))
                variant.waits = past is not None and past.is_blind and not any(isinstance(v, np.ndarray) for v in leaves)
            elif before is not None and variant.guards is not None:
                past = Again(variant.guards)
            switched = [] if before is None else None  # the variables that it switches, if it changes no others

            def wanted(recorder):
                nonlocal switched
                if before is None and variant.guards.changed() is not None:
                    return False
                if switched is None and past is not None:
                    switched = self._changes(variant, past, watcher, recorder, *flatten((args, kwargs)))
                return switched is not None
            sizes = variant.guards and variant.guards.sizes()
            plan = _plan if switched is not None or past is not None else None
            waits = variant.waits and plan is not None
            got = record(self.fn, args, kwargs, plan, watcher, self._moving, wanted, waits, kept)
            if sizes != (variant.guards and variant.guards.sizes()):
                switched = None
            self._settle(variant, got, watcher, (before, switched), *flatten((args, kwargs)), tags, kept)
            result, size = got.result, got.recorder.bytes
            grads = [leaf for leaf, _ in got.program.grads] if got.program is not None else []
            del got  # and the arrays that its recorder kept
        if size > pages.SWEEP:
            pages.trim()
            pages.trim_without([leaf._grad._data for leaf in grads if leaf._grad is not None and leaf._grad._data.ndim])
        return result

    def _moved(self, variant) -> str | None:
        """The variable that is not what it was when this kind of calls was recorded last; noted, if there is one."""
        found = variant.guards.difference()
        if found is None:
            return None
        variant.moved = found.name, variant.moved[1] + 1 if variant.moved[0] == found.name else 1, key_of(found)
        self._moving.update(variant.guards.moved())
        self._keep(variant)
        return found.name

    def _changes(self, variant, past, watcher, recorder, leaves, spec):
        """Which of the variables that it depends on the call just made has switched; None if it changed others, too."""
        try:
            guards = self._collected(variant, watcher, _objects(leaves, spec))
        except Untraceable:
            return None
        if watcher.reason is not None or _is_ambiguous(recorder, guards.tensors, leaves):
            return None
        return past.changes(guards, recorder.made_state)

    def _collected(self, variant, watcher, objects) -> Guards:
        """The variables on which a call that was watched depends, but for those that hold other tensors on each call."""
        return collect(self.fn, watcher.codes, objects, self._moving, kept=frozenset(map(name, variant.kept_in)))

    def _settle(self, variant, got, watcher, change, leaves, spec, tags, kept):
        """Keep the program of a recorded call if it will last.

        `change`: what was not as the last recording left it, and which variables, as they were, this one switched.
        """
        variant.records += 1
        before, switched = change
        reason, place = got.reason, got.recorder.place
        if reason is None and watcher.reason is not None:
            reason, place = f"{watcher.reason} ({line_text(watcher.where)})", watcher.place
        if reason is not None:
            variant.reason = reason
            if len(got.recorder.log) >= WORTH:
                self._cut(variant, RETURN if reason.startswith("it returns") else place)
            return self._say(reason, variant.eagerly)
        moved = variant.guards.difference() if before is None and variant.guards is not None else None
        finds = moved is not None and self._keep(variant)  # what it keeps: the next recording gives a program
        guards, asked, objects = None, None, _objects(leaves, spec)
        leaves += kept.leaves if kept is not None else []
        try:
            guards = self._collected(variant, watcher, objects)
            if got.program is not None:
                asked = Asked(leaves, guards, watcher.codes, tags, bool(got.program.cells or got.program.given_cells))
        except Untraceable as e:
            variant.reason = str(e)
        if guards is not None and not got.recorder.lists.isdisjoint(map(id, guards.containers())):
            variant.reason = "it returns a list or dict that was there before"
        if moved is not None and not finds:
            variant.reason = f"it changes {moved.name} on each call"
            if len(got.recorder.log) >= WORTH and _own_code(self.fn) is not None and sys.gettrace() is None:
                variant.changed = moved
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
        elif variant.records > MOST_RECORDS or variant.moved[1] > MOST_ALIKE:
            variant.reason, variant.programs = f"{variant.moved[0]} is another on each call", []
            self._cut(variant, variant.moved[2] and ("reads", frozenset((variant.moved[2],))))
        if variant.changed is not None:
            self.reason = variant.reason  # the next call says more
            return
        if variant.reason is not None:
            return self._say(variant.reason, variant.eagerly)
        variant.guards = guards
        if switched is not None and got.program is not None and not finds:
            got.program.asked = asked
            if kept is not None:
                got.program.carries = kept, _kind(leaves, kept.spec)
            self._add(variant, got.program, guards, switched)
            if asked.simple and not switched and kept is None:
                self._enter(got.program, guards, spec)

    def _add(self, variant, program, guards, switched):
        """Calls of this kind may run as a program from now on, which leaves variables as the recorded call did."""
        program.watch(guards.tensors)
        program.switches = [(s.holder, s.key, s.read()) for s in switched]
        self._last, self.reason = program, None
        if switched:
            guards = _as_before(guards, switched)
        variant.programs = [(program, guards), *variant.programs[:MOST_PROGRAMS - 1]]

    def _enter(self, program, guards, spec):
        """From now on calls like the recorded one go to machine code at once."""
        if getattr(program.plan, "program", None) is None:
            return
        if any(a is None for a in program.bound):  # gradients that it reads are gone by now
            program.enters = spec
            return
        from kobai.backends.entry import entry  # noqa: PLC0415  (machine code is loaded on first use)
        made = entry(program, [*guards.slots, _default_dtype()], guards.lengths, functools.partial(Compiled.__call__, self),
                     spec)
        if made is not None:
            type(self).__call__, self._entry = made

    def _keep(self, variant):
        """Whether variables turn out to hold other tensors on each call, which none were known to do."""
        from kobai.compile.kept import MOST, changing  # noqa: PLC0415
        new = changing(variant.guards, set(map(name, variant.kept_in)))
        if not new or len(variant.kept_in) + len(new) > MOST:
            return False
        variant.kept_in = [*variant.kept_in, *new]
        return True

    def _cut(self, variant, place):
        """From now on calls of this kind run in parts, around a place that cannot be recorded; the function, if that can be."""
        if place is None or self.fullgraph:
            return None
        if place not in self._parts:
            from kobai.compile.parts import cut  # noqa: PLC0415  (for such functions only)
            make = functools.partial(Compiled, explain=self.explain)
            self._parts[place] = cut(self.fn, place, make) if len(self._parts) < MOST else None
        made = self._parts[place]
        if variant is not None:
            variant.eagerly = made
        self._cut_last, self._cut_of = made or self._cut_last, _definition(self.fn)
        if variant is not None and made is not None and not any(v.programs for v in self.variants.values()):
            self._always = made
        return made

    def _varying(self, key, args, kwargs):
        """The names of the arguments that made calls differ again and again: numbers and objects, others on each call."""
        spec, parts, *rest = key
        often = Counter()
        for known_spec, known, *others in self.variants:
            if known_spec == spec and others == rest:
                places = [i for i, (a, b) in enumerate(zip(known, parts)) if a != b]
                if all(len(parts[i]) == 2 and parts[i][0] is known[i][0] is not bool for i in places):
                    often[tuple(places)] += 1
        code = _own_code(self.fn)
        if not often or max(often.values()) < MOST_ALIKE // 2 or code is None:
            return []
        bound = [self.fn.__self__] if isinstance(self.fn, types.MethodType) else []
        named = [*zip(code.co_varnames[len(bound):code.co_argcount], args), *kwargs.items()]
        names = [n for n, v in named for _ in flatten(v)[0]]
        return {names[i] for i in often.most_common(1)[0][0] if i < len(names)}

    def _find_change(self, variant, args, kwargs):
        """A call that shows where it changes a variable."""
        from kobai.compile.parts import place_of_change  # noqa: PLC0415
        slot, variant.changed = variant.changed, None
        try:
            slot = slot._replace(value=slot.read())
        except GONE:
            return self.fn(*args, **kwargs)
        code = _own_code(self.fn)
        result, place = place_of_change(self.fn, code, slot, args, kwargs)
        if place is not None:
            variant.reason += f" ({code.co_filename}:{place[0]} in {code.co_name})"
            self._cut(variant, place)
            self._say(variant.reason, variant.eagerly)
        return result

    def _say(self, reason, parts=None):
        if self.fullgraph:
            raise error("call-order", RuntimeError(f"{self._name} cannot be recorded: {reason}"),
                        why="fullgraph=True was asked for, and one line cannot be recorded.",
                        fix="leave out fullgraph=True to run such calls eagerly, or change that line.")
        if self.reason != reason:
            self.reason, how = reason, "runs eagerly" if parts is None else "runs in parts"
            log.info("%s %s: %s", self._name, how, reason)
            if self.explain:
                print(f"kobai.compile: {self._name} {how}: {reason}")

    def added(self) -> list:
        """The names of attributes that the user gave it."""
        return [n for n in vars(self) if n not in self._own]

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


def _definition(fn):
    """What a function is made of that may be exchanged."""
    fn = _own_function(fn)
    return tuple([getattr(fn, name, None) for name in ("__code__", "__defaults__", "__kwdefaults__")])


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


def _kept(slots):
    """The tensors that are in these variables now; None if there are no such variables, or something else is there."""
    if not slots:
        return None
    from kobai.compile.kept import kept_now  # noqa: PLC0415  (for such functions only)
    return kept_now(slots)


def _with_kept(program, leaves):
    """The leaves of a call with the tensors that it keeps; None if these are of another kind than they were."""
    before, kind = program.carries
    now = _kept(before.slots)
    if now is None:
        return None
    leaves = [*leaves, *now.leaves]
    return leaves if _kind(leaves, now.spec) == kind else None


def _as_before(guards, switched):
    """The guards of a call that found these variables as they were."""
    known = {(id(s.holder), s.key): s for s in switched}
    slots = [known.get((id(s.holder), s.key), s) if s.kind == "dict" and type(s.key) is str else s for s in guards.slots]
    return Guards(slots, guards.lengths, guards.tensors, guards.names, guards.caches)


def _is_ambiguous(recorder, tensors, leaves):
    """Whether two tensors that the function can get at have one array, which it used: it is not known through which."""
    grads = *[x.before for x in recorder.leaves.values()], *[g for _, g in recorder.read.values()]
    named = {id(t) for t in (*tensors, *grads) if t is not None}
    given = {id(t) for t in leaves if isinstance(t, Tensor)}
    for met in recorder.users.values():
        users = {k for k, tensor in met.items() if tensor() is not None}  # others may have the addresses of those that are gone
        if len(users & (named | given)) > 1 or users & named & given:
            return True
    return False


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
