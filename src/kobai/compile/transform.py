"""Recorded transforms: what `kobai.autograd.whole` calls instead of a function that it has met often enough.

The first call of a kind (shapes and dtypes of the tensors, values of the other arguments, modes) that is recorded
shows whether it can be, the second gives the program, which another thread compiles; `WAIT` calls later it is used,
for as long as the variables that the function depends on are what they were.
"""
from __future__ import annotations

import logging

import numpy as np

from kobai.autograd.again import Unlike
from kobai.autograd.mode import modes
from kobai.autograd.node import next_order
from kobai.backends import llvm
from kobai.backends.eager import begin
from kobai.compile.compiled import _default_dtype, _is_ambiguous, _kind, _plan, _were_there
from kobai.compile.guards import Untraceable, collect
from kobai.compile.history import History, as_computed, has_history, is_alike
from kobai.compile.program import Unfinished, record
from kobai.compile.watch import Watcher
from kobai.lifted import m
from kobai.pytree import flatten, unflatten
from kobai.tensor import Tensor

log = logging.getLogger("kobai.compile")
WAIT = 15         # calls of one kind from its recording to its first use
AGAIN = 50        # calls before a kind is recorded again, because a variable was another
MOST_KINDS = 6    # of one function
MOST_RECORDS = 12  # of one kind
MOST_PAST = 3
MOST_OTHERS = 200  # calls of further kinds of a function of which no program runs
_MISS = object()


def _is_ours(cls):
    return cls is Tensor or cls.__module__.partition(".")[0] in ("kobai", "torch")


def _miss(*args):
    return _MISS


class Kind:
    """Calls of one kind, the program that serves them, and how far it has got."""

    __slots__ = ("left", "spec", "kept", "records", "guards", "hidden", "program", "job", "native", "reason", "turned",
                 "build", "past", "tried")

    def __init__(self, spec, leaves):
        self.left, self.spec, self.records = 0, spec, 0
        self.kept = [v for v in leaves if not isinstance(v, Tensor)]  # their addresses are in the key
        self.guards = self.program = self.job = self.native = self.reason = None
        self.build = None       # makes results that have a history: history.py
        self.tried = False      # whether the program has been seen to give what the function gives
        self.hidden: dict = {}
        self.turned: list = []  # (place, axes, shape) of results that do not lie in memory as programs make them
        self.past: list = []    # programs for other values of variables: these may go back and forth

    def give_up(self, reason):
        """Calls of this kind are never looked at again."""
        self.reason, self.past = reason, []
        self.guards = self.program = self.job = self.native = None
        log.debug("a transform runs op by op: %s", reason)


class Transform:
    """What is recorded of one function. `last` is when it was called, as its line counts; `off`: nothing can be."""

    def __init__(self, kept):
        self.off = not llvm.available
        self.kinds: dict = {}
        self.ready: list[Kind] = []
        self.kept, self.last, self.others = kept, 0, 0

    def call(self, fn, args, kwargs, parts, cut):
        """fn(*args, **kwargs), by a program if there is one; `parts` are what `fn` is made of."""
        for kind in self.ready:
            if kind.native is not None:
                found = kind.native(args, kwargs, parts.tensors)
                if found is not _MISS:
                    if kind.build is not None:
                        return kind.build(found, args, kwargs, parts.tensors)
                    return _turned_back(found, kind.turned) if kind.turned else found
        found = self._looked_at(fn, args, kwargs, parts, cut)
        return fn(*args, **kwargs) if found is _MISS else found

    def _looked_at(self, fn, args, kwargs, parts, cut):
        leaves, spec = flatten(((args, kwargs, parts.tensors), {}))
        kind = self._kind(leaves, spec)
        if kind is None or kind.reason is not None:
            self.others += 1
            self.off = not self.ready and (self.others > MOST_OTHERS or bool(self.kinds) and all(
                k.reason is not None for k in self.kinds.values()))
            return _MISS
        if kind.program is None and kind.past:
            self._found_again(kind)
        if kind.left > 0:
            kind.left -= 1
            return _MISS
        if kind.program is None:
            return _recorded(kind, fn, args, kwargs, parts, leaves, cut)
        if kind.job is not None and not self._begun(kind):
            return _MISS
        if kind.guards.changed() is not None:
            self._dropped(kind)
            if not self._found_again(kind):
                return _MISS
        if any(getattr(modes, name) != value for name, value in kind.program.modes.items()):
            return _MISS
        arrays = kind.program.bind(leaves)
        if arrays is None:
            return _MISS
        try:
            found = kind.program.run(arrays, leaves)
        except Unfinished:
            return _MISS
        found = _turned_back(found, kind.turned) if kind.build is None else kind.build(found, args, kwargs, parts.tensors)
        if kind.tried:
            return found
        kind.tried, plain = True, fn(*args, **kwargs)
        if not _are_alike(found, plain) or kind.build is not None and not is_alike(found, plain):
            self.ready.remove(kind)
            kind.give_up("the program gave something else")
        return plain

    def _kind(self, leaves, spec):
        """The Kind of a call; None for calls that are not recorded."""
        for t in leaves:
            if isinstance(t, Tensor) and not _is_ours(type(t)):
                return None  # results would be of the user's class
        key = _kind(leaves, spec)
        if key is None:
            return None
        kind = self.kinds.get(key)
        if kind is None and len(self.kinds) < MOST_KINDS:
            kind = self.kinds[key] = Kind(spec, leaves)
        return kind

    def _begun(self, kind):
        """Whether a program that waited long enough can be used."""
        plan, kind.job = kind.job(), None
        if not plan:
            kind.give_up("no machine code")
            return False
        program = kind.program
        program.plan = plan
        from kobai.backends.entry import entry  # noqa: PLC0415  (machine code is loaded on first use)
        made = entry(program, [*kind.guards.slots, _default_dtype()], kind.guards.lengths, _miss,
                     kind.spec)
        if made is not None:
            kind.native = made[0]
            program.entry = made  # it owns the memory that the native code reads
        for i, _ in program._given:
            program.bound[i] = None  # the arguments of the recorded call
        self.ready.append(kind)
        return True

    def _dropped(self, kind):
        """A variable that the program depends on is another now."""
        if kind in self.ready:
            self.ready.remove(kind)
            kind.past = [(kind.program, kind.guards, kind.native, kind.turned, kind.build), *kind.past[:MOST_PAST - 1]]
        kind.guards = kind.program = kind.job = kind.native = None
        kind.left = AGAIN

    def _found_again(self, kind):
        """Whether the variables are what they were when one of the past programs was recorded: then it is used."""
        for known in kind.past:
            if known[1].changed() is None:
                kind.past.remove(known)
                kind.program, kind.guards, kind.native, kind.turned, kind.build = known
                kind.left, kind.job = 0, None
                self.ready.append(kind)
                return True
        return False


def _recorded(kind, fn, args, kwargs, parts, leaves, cut):
    """The result of fn(*args, **kwargs), which is written down."""
    results = []
    turned: list = []
    written: list = []

    def call(args, kwargs, tensors):
        recorder, start = modes.trace, next_order()
        recorder.ties = modes.grad and not cut
        results.append(fn(*args, **kwargs))
        if cut or not has_history(results[0]):
            return _turned(results[0], leaves, turned)
        try:
            build, arrays, fixed = History(recorder, start, leaves, kind.spec).results(results[0])
        except (Unlike, KeyError):
            recorder.stop("the graph of its result is out of the ordinary")
            return results[0]
        written.extend((build, fixed))
        return as_computed(arrays)
    steady = kind.guards is not None and kind.guards.changed() is None
    kind.records += 1
    watcher = Watcher()
    try:
        got = record(call, (args, kwargs, parts.tensors), {}, _in_background if steady else None, watcher, set())
    except BaseException as e:
        kind.give_up(f"it raised {type(e).__name__}")
        raise
    try:
        kind.turned, kind.build = turned, written[0] if written else None
        _settle(kind, got, watcher, fn, parts, leaves, steady, written[1] if written else ())
    except Untraceable as e:
        kind.give_up(str(e))
    return results[0]


def _turned(result, leaves, turned):
    """A result with the dimensions of its tensors in the order in which they lie in memory, and those that only repeat
    it of size 1; `turned` says which are not so themselves.

    Programs make contiguous arrays; so these will lie as the function's own did, see `_turned_back`.
    """
    outs, spec = flatten(result)
    given, new = {id(t) for t in leaves}, {}
    for i, t in enumerate(outs):
        if type(t) is Tensor and id(t) not in given and (a := t._array()).size and not a.flags.c_contiguous:
            once = a[tuple([slice(0, 1) if s == 0 else slice(None) for s in a.strides])]
            axes = tuple(sorted(range(a.ndim), key=lambda k: -a.strides[k]))
            if not once.transpose(axes).flags.c_contiguous:
                modes.trace.stop("its result has gaps in memory")
                return result
            if id(t) not in new:
                new[id(t)] = _once(t, once.shape, axes)
            outs[i] = new[id(t)]
            turned.append((i, tuple(np.argsort(axes)), a.shape))
    return unflatten(outs, spec) if turned else result


def _once(t, shape, axes):
    for dim, (have, n) in enumerate(zip(t.shape, shape)):
        if have != n:
            t = m.narrow(t, dim, 0, 1)
    return m.permute(t, axes)


def _turned_back(result, turned):
    """A result of a program as the function lays it."""
    outs = flatten(result)[0]
    for t, axes, shape in {id(outs[i]): (outs[i], axes, shape) for i, axes, shape in turned}.values():
        a = np.asarray(t._data).transpose(axes)
        t._data = a if a.shape == shape else np.broadcast_to(a, shape)
    return result


def _are_alike(found, plain):
    """Whether a program gave what the function gave, up to rounding, and lies in memory as that does."""
    (a, spec), (b, other) = flatten(found), flatten(plain)
    return spec == other and all(_is_alike(v, w) for v, w in zip(a, b))


def _is_alike(v, w):
    if not isinstance(v, Tensor) or v is w:
        return v is w or v == w
    x, y = v._array(), w._array()
    if type(v) is not type(w) or (x.dtype, x.shape, v._rg) != (y.dtype, y.shape, w._rg) or x.size and x.strides != y.strides:
        return False
    if x.dtype.kind not in "fc":
        return x.dtype.kind == "V" or np.array_equal(x, y)
    finite = np.isfinite(y)
    most = np.abs(y[finite]).max(initial=0)
    rough = 1e-5 if x.dtype in (np.float64, np.complex128) else 1e-2
    return np.allclose(x, y, rough, rough * float(most), equal_nan=True)


def _settle(kind, got, watcher, fn, parts, leaves, steady, fixed):
    """Keep the program of a recorded call if it will last; Untraceable if not."""
    reason, program = got.reason or watcher.reason, got.program
    if reason is not None:
        raise Untraceable(reason)
    if kind.records > MOST_RECORDS:
        raise Untraceable("variables it depends on keep changing")
    moved = kind.guards.changed() if steady else None
    if moved is not None:
        raise Untraceable(f"it changes {moved} on each call")
    objects = [v for v in leaves if not isinstance(v, Tensor)]
    guards = collect(fn, watcher.codes, objects, known=parts.known)
    guards.slots = [s for s in guards.slots if not (s.kind == "cell" and id(s.holder) in parts.known)]
    if _is_ambiguous(got.recorder, guards.tensors, leaves):
        raise Untraceable("a tensor that it uses has several names")
    held = {id(t) for t in guards.tensors} | {id(s[1]) for s in program.sources if s[0] == "tensor"} if program else ()
    if program and not all(id(t) in held for t in fixed):
        raise Untraceable("the graph of its result leads to a tensor without a name")
    kind.guards = guards
    if program is None:
        return
    if program.joint is not None or program.graph.writes or program.grads or program.cells:
        raise Untraceable("its result has a history, or it changes tensors")
    if _were_there(program, guards, kind):
        program.watch(guards.tensors)
        kind.program, kind.job, kind.left = program, program.plan, WAIT
        kind.tried = any(getattr(n.op, "random", False) for n in program.graph.nodes)  # other numbers each time


def _in_background(graph):
    return begin(_plan_or_false, graph)


def _plan_or_false(graph):
    made = _plan(graph)
    return made if made.program is not None else False
