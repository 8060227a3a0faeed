"""Recording: one call of a program, run as always, while every op is written down.

The program runs on its real tensors.  Where a plan will probably come of it, results are only promised at first
(promise.py), and `catch_up` computes them as soon as somebody needs numbers; so nothing has to be undone where it turns
out that it cannot be recorded, and the call gives what it would have given anyway.  A backward pass computes on Tensors meanwhile
and an optimiser's formula too, so all that is computed is an op applied to tensors (`Call`) or a result written
into memory (`Write`).  Values are told apart by the identity of their arrays, which the recorder keeps alive; memory
that nobody else needs it gives back (pages.py).

`modes.trace` is the recorder of this thread.  The core calls its methods; what it cannot write down ends in
`stop(reason)`, with the user's line.  ssa.py makes a `Graph` of the log.
"""
from __future__ import annotations

import sys
import weakref
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np

from kobai.autograd.engine import leading_to, reached
from kobai.autograd.mode import modes, no_grad
from kobai.autograd.node import Node, here, line_of
from kobai.compile.pages import SWEEP, Pages, last_uses, memory_of
from kobai.compile.promise import promised
from kobai.compile.watch import place_in
from kobai.diagnose.frames import elsewhere
from kobai.general import apply_any, compute, failure
from kobai.inplace import refuse_leaf, write
from kobai.lifted import Lifted
from kobai.op import Op, long_ways
from kobai.saved import Packed
from kobai.tensor import LiftedTensor, Tensor, wrap


class Call(NamedTuple):
    """An op applied: `args` are arrays, numbers (in a `Number`) or None; `outs` arrays."""

    op: Any
    args: tuple
    outs: tuple
    where: Any
    cut: tuple = ()  # places of the arguments that did not need a gradient


class Write(NamedTuple):
    """The values of array `new` put into the memory of array `target`."""

    target: Any
    new: Any
    cut: bool = False  # no gradient goes to `new`


class Literal(NamedTuple):
    """A number among the arguments of an op, in the dtype it is computed in."""

    value: Any


class External:
    """An array that was there before: of an argument, a tensor the program holds, a number that may change."""

    __slots__ = ("array", "owner", "source", "constant")

    def __init__(self, array, owner=None, source=None, constant=False):
        self.array, self.source = array, source
        self.constant = _kept(array) if constant else None  # its numbers, which the program may change later
        self.owner = None if owner is None else weakref.ref(owner)

    def __str__(self):
        if self.source is None:
            return "constant"
        kind, *rest = self.source
        return {"arg": "argument {}", "cotangent": "gradient {}", "tensor": "tensor", "grad": "gradient of a tensor",
                "number": "{1}"}.get(kind, f"{kind} {{}}").format(*[v if isinstance(v, (int, str)) else "" for v in rest])

    @property
    def holder(self):
        """The tensor it was met in, if that is still there."""
        return None if self.owner is None else self.owner()


class Leaf:
    """A leaf whose `.grad` the program sets: what it was before, and whether that mattered."""

    __slots__ = ("tensor", "before", "fresh")

    def __init__(self, tensor, fresh):
        self.tensor, self.before, self.fresh = tensor, tensor._grad, fresh


class Recorder:
    """The log of one call."""

    def __init__(self):
        self.log: list[Call | Write] = []
        self.externals: dict[int, External] = {}
        self.first: list[Call] = []            # before the log: scalars of tensors that became arrays later
        self.leaves: dict[int, Leaf] = {}
        self.read: dict[int, tuple] = {}       # (tensor, its gradient) where the program looked at `.grad` first
        self.cells: dict[int, list] = {}       # version cells of what was written: [cell, count]
        self.optimizers: dict[int, Any] = {}
        self.modules: dict[int, Any] = {}
        self.reason: str | None = None
        self.where = self.place = None
        self.code = None                       # of the function that is recorded
        self.moving: set = set()               # (id(group), name) of numbers of optimisers that have been seen to change
        self.made_state: dict[int, int] = {}   # dicts of optimisers' state that this call made or added to: their lengths
        self.watched = False                   # a Watcher sees what is called
        self.again = False                     # state was made on this call: record the next one
        self.users: dict[int, dict] = {}       # {id(array): {id: reference} of the tensors through which it was used}
        self.ties = False                      # gradients belong to the graphs of what they were computed from: saved.tie
        self.hidden = False                    # something with a history was overwritten under no_grad
        self.finished: set[Node] = set()       # nodes whose saved values a backward pass in the program freed
        self.lists: set[int] = set()           # ids of the lists and dicts that it returned
        self._known: set[int] = set()
        self.literals: set[int] = set()        # ids of numbers among the arguments of ops
        self.alive: list = []
        self._pages = Pages()
        self._written = None
        self.unmade: set[int] = set()          # ids of the arrays that own memory whose numbers are still to come
        self.outside: set[int] = set()         # those of memory that was there before
        self.early: list[tuple] = []           # whole numbers there that were written at once: (array, what it was)
        self.waits = False                     # ops get arrays for their results, and nothing is computed: promise.py

    # ---- called by the core --------------------------------------------------------------
    def stop(self, reason, where=None):
        """Say why the program cannot be recorded; the first reason counts. The program goes on."""
        if self.reason is None:
            self.reason, self.where, self.place = reason, where or here(2), place_in(self.code)
        self.catch_up()

    def looked(self, what):
        """The program looks at the numbers of a tensor, so what it does next may depend on them."""
        self.stop(f"{what} needs the numbers of a tensor")

    def item(self, t):
        """What stands for the number in `t`, if the program only returns it; None, and no recording, otherwise."""
        frame = sys._getframe(2)
        if frame.f_code is self.code and type(t) is not LiftedTensor and t._data.size == 1 and t._data.dtype.kind in "iufV":
            from kobai.compile.ending import later, only_returned  # noqa: PLC0415  (for such programs only)
            if only_returned(frame.f_code, frame.f_lasti):
                self._argument(t, t._data)
                return later(self.copied(t._data, np.array(t._data)))
        self.looked("item()")
        return None

    def ensure(self, t) -> bool:
        """Whether `t` is true; a run in which it is not gives up, so that the program may raise its error."""
        self.catch_up()
        if type(t) is LiftedTensor or not t._data:
            return bool(t)
        from kobai.compile.rewrite import Refuse  # noqa: PLC0415  (for programs that check numbers only)
        self.log.append(Call(Refuse(), (t.logical_not()._data,), (), here(3)))
        return True

    def forward(self, op, values):
        """The results of an op; while the recorder waits, arrays that will hold them."""
        if not self.waits:
            return compute(op, values)
        y = None if op.dynamic is not None and op.dynamic(*values) else promised(op, values)
        if y is None or not self.waits:  # an op may ask for numbers
            self.catch_up()
            return compute(op, values)
        ys = y if op.outputs != 1 else (y,)
        if op.view and np.may_share_memory(ys[0], values[0]):
            return y
        kinds = {v.dtype.kind for v in ys}
        if not kinds.isdisjoint("iub") and self.is_made(values):
            return compute(op, values)
        if not kinds.isdisjoint("iu"):  # who indexes by whole numbers looks at them first
            self.catch_up()
            return compute(op, values)
        self.unmade.update([id(memory_of(v)) for v in ys])
        return y

    def is_made(self, values) -> bool:
        """Whether the numbers in these arrays are there."""
        return self.unmade.isdisjoint([id(memory_of(v)) for v in values if v.__class__ is np.ndarray])

    def catch_up(self):
        """Compute what waits, in order, and no longer wait.

        Raises:
            what an op says of numbers that it cannot take; gradients are then what they were, or None if they were reset.
        """
        if not self.waits:
            return
        self.waits, watch = False, sys.getprofile()
        self.restore()
        sys.setprofile(None)  # none of this is the program's doing
        size, last = 0, last_uses(self.log)
        try:
            for i, entry in enumerate(self.log):
                if entry.__class__ is Write:
                    entry.target[...] = entry.new
                elif not self.is_made(entry.outs):
                    _compute_now(entry)
                    size += sum([y.nbytes for y in entry.outs])
                if size > SWEEP:
                    size = 0
                    self._pages.release(self.alive, self.log, self.externals, {k for k, n in last.items() if n > i})
        except BaseException:
            for leaf in self.leaves.values():
                leaf.tensor._grad = None if leaf.fresh else leaf.before
            raise
        finally:
            elsewhere.pop(get_ident(), None)
            sys.setprofile(watch)

    def restore(self):
        """Give memory that was written at once what it held before, for who computes the log."""
        while self.early:
            target, old = self.early.pop()
            target[...] = old

    def call(self, op, tensors, values, y):
        """Note an op; returns its result, in an object of its own."""
        if op.dynamic is not None and op.dynamic(*values):
            self.stop(f"the shape of what {type(op).__name__.lower()} gives depends on numbers")
        args = tuple([self._argument(t, v) for t, v in zip(tensors, values)])
        if not op.view:
            y = _apart(y, values) if op.outputs == 1 else tuple([_apart(v, values) for v in y])
        if op.outputs == 1:
            y = self.made(y)
            self.log.append(Call(op, args, (y,), here(3), _without_gradient(tensors)))
        else:
            y = [self.made(v) for v in y]
            self.log.append(Call(op, args, tuple(y), here(3), _without_gradient(tensors)))
            y = tuple(y)  # another tuple than the log's: who holds the one holds the arrays
        return y

    def made(self, v):
        """Remember a result as known, in an object of its own: an op may give its very input, and True is shared."""
        if isinstance(v, np.bool_) or id(v) in self._known:
            v = v.view() if isinstance(v, np.ndarray) else np.array(v)
        self._known.add(id(v))
        self.alive.append(v)
        if self._pages.add(v) and not self.waits:
            self._pages.release(self.alive, self.log, self.externals)
        return v

    @property
    def bytes(self) -> int:
        """How much memory the values of the program took."""
        return self._pages.bytes

    def _argument(self, t, v):
        if t is None:
            return None
        if not isinstance(t, Tensor):
            self.literals.add(id(v))
            self.alive.append(v)
            return Literal(v)
        self.uses(t, v)
        return v

    def uses(self, t, v):
        """The program uses the array of a tensor, or makes another tensor on it."""
        if id(v) not in self._known:
            self.external(v, t, constant=id(v) in self.literals)
        if id(v) in self.externals:
            self.users.setdefault(id(v), {})[id(t)] = weakref.ref(t)

    def external(self, array, owner=None, source=None, constant=False):
        """An array that no op of the program made."""
        self._known.add(id(array))
        self.alive.append(array)
        self.externals[id(array)] = External(array, owner, source, constant)
        self.outside.add(id(memory_of(array)))

    def constant(self, t):
        """A tensor made of Python numbers."""
        if isinstance(t, Tensor) and type(t) is not LiftedTensor and id(t._data) not in self._known:
            data = t._data
            if isinstance(data, np.bool_):
                t._data = data = np.array(data)
            self.external(data, constant=True)
        return t

    def copied(self, old, new, owner=None):
        """`new` is an array with the values that `old`, of the tensor `owner`, has now."""
        if id(old) not in self._known:
            self.external(old, owner)
        self.log.append(Call(_clone(), (old,), (self.made(new),), None))
        if self.waits and not self.is_made([old]):
            self.unmade.add(id(memory_of(new)))
        return new

    def same(self, old, new):
        """The scalar `old` of a tensor became the array `new`."""
        if id(old) not in self._known:
            self.external(new)
            return
        was = self.externals.pop(id(old), None)
        if was is None:
            self.copied(old, new)
            return
        self.users[id(new)] = self.users.pop(id(old), {})
        self.made(new)
        self.externals[id(new)] = External(new, was.holder, was.source, was.constant is not None)
        self.outside.add(id(memory_of(new)))
        self.first.append(Call(_clone(), (new,), (old,), None))  # what has used it, or saved it, means the first value

    def wrote(self, a, new) -> bool:
        """The values of the tensor `new` come into the memory of `a`; whether they do so later."""
        target = a._data
        self._argument(a, target)
        self._argument(new, new._data)
        self.log.append(Write(target, new._data, not (modes.grad and new.requires_grad)))
        self.hidden |= a.requires_grad and not modes.grad
        self._written = target
        self.cells.setdefault(id(a._ver), [a._ver, 0])[1] += 1
        if self.waits and target.dtype.kind in "iu":
            if id(memory_of(target)) in self.outside:
                self.early.append((target, np.array(target)))
            return False
        if self.waits:
            self.unmade.add(id(memory_of(target)))
        return self.waits

    def changed(self, a):
        """Some memory changed: it must have been said how."""
        if type(a) is LiftedTensor:
            return
        if self._written is not a._data:
            self.stop("memory was changed in a way that is not recorded")
        self._written = None

    def touch(self, leaf, reset):
        """The program is about to change `leaf.grad`; `reset`: whatever it was."""
        if id(leaf) not in self.leaves:
            self.leaves[id(leaf)] = Leaf(leaf, reset)

    def looks_at_gradient(self, t):
        """The program reads `t.grad`: whether there is one may decide what it does next."""
        if id(t) not in self.leaves and id(t) not in self.read and type(t) is not LiftedTensor:
            g = t._grad
            self.read[id(t)] = t, g
            if g is not None and type(g) is not LiftedTensor and id(g._data) not in self._known:
                self.external(g._data, g)

    def changes(self) -> int:
        """How often the program has written to tensors that were there before."""
        cells = {id(e.holder._ver) for e in self.externals.values() if e.holder is not None}
        return sum([count for _, count in [self.cells[k] for k in cells & self.cells.keys()]])

    def was_there(self, t) -> bool:
        """Whether a tensor was not made by the program."""
        e = self.externals.get(id(t._data))
        return id(t._data) not in self._known or e is not None and e.constant is None

    def accumulate(self, leaf, g):
        """Add a gradient to `leaf.grad`."""
        self.touch(leaf, False)
        old = leaf._grad
        with no_grad():
            if old is None:
                leaf._grad = _plain(g.clone())
            else:
                old.add_(g)

    def backward(self, propagate, roots, **options):
        """A backward pass computed on Tensors."""
        given = self._given_nodes()
        if given or not options["keep"]:
            wanted, within = options["wanted"], options["within"]
            passed = dict.fromkeys(reached(roots, within), True) if wanted is None else leading_to(roots, wanted, within)
            if any(passed.get(n) for n in given):  # where such a node is wanted, and nothing beyond it, the pass ends there
                self.stop("a backward pass through the history of an argument, which is another one on each call")
            if not options["keep"]:
                self.finished.update(n for n in passed if isinstance(n, Node))
        roots = [(edge, g if isinstance(g, Tensor) else self._seed(g)) for edge, g in roots]
        if self.watched and all(map(_is_own, reached(roots, options["within"]))):
            with _unwatched():
                return self._backward(propagate, roots, options)
        return self._backward(propagate, roots, options)

    def _given_nodes(self) -> set:
        """The nodes that made the function's arguments."""
        given = [e.holder for e in self.externals.values() if e.source is not None and e.source[0] == "arg"]
        return {getattr(t._node, "node", t._node) for t in given if t is not None and t._node is not None}

    def _backward(self, propagate, roots, options):
        if modes.dual:  # gradients of a transform's values have a history in the tensors that these are made of
            found = propagate(roots, graph=True, **options)
            return {e: [_cut(v) for v in g] if type(g) is list else _cut(g) for e, g in found.items()}
        with no_grad():
            return propagate(roots, graph=True, **options)

    def draw(self, fn, args, kwargs):
        """Random numbers: an op that calls the function again on each run."""
        if kwargs.get("out") is not None or any(type(a) is LiftedTensor for a in (*args, *kwargs.values())):
            self.stop(f"{fn.__name__}() with such arguments")
            return fn(*args, **kwargs)
        in_place = fn.__name__.endswith("_")
        tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
        if in_place:
            refuse_leaf(args[0])
        drawn = _Draw(fn, args, kwargs)
        with no_grad():
            y = apply_any(drawn, tensors)
        if in_place:
            return write(args[0], y)
        return y.requires_grad_() if kwargs.get("requires_grad") else y

    def _seed(self, g):
        """The ones that a backward pass starts with where the program gave no gradient (which would be a Tensor)."""
        return LiftedTensor(g) if isinstance(g, Lifted) else self.constant(wrap(np.array(g)))

    def optimizer(self, optimizer, runner):
        """One group of an optimiser."""
        self.optimizers[id(optimizer)] = optimizer
        if any(p._grad is not None and p._grad.is_sparse for p in runner.group["params"]):
            self.stop("an optimizer's step with sparse gradients")
            return runner.step()
        if self.watched and not modes.function_modes and all(map(_is_of_kobai, (optimizer, *runner.group["params"]))):
            with _unwatched():
                self._step(optimizer, runner)
        else:
            self._step(optimizer, runner)

    def _step(self, optimizer, runner):
        for p in runner.group["params"]:  # one without a gradient is passed over
            self.looks_at_gradient(p)
        self._make_state(optimizer, runner)
        states = len(optimizer.state), sum(map(len, optimizer.state.values()))
        runner.step_on_tensors(self.number)
        if states != (len(optimizer.state), sum(map(len, optimizer.state.values()))):
            self.again = True

    def _make_state(self, optimizer, runner):
        """What an optimiser keeps for each parameter, as if it had been there: only the first call makes it."""
        before, modes.trace = modes.trace, None
        kept = {id(v) for v in optimizer.state.values()}
        try:
            runner.make_state(neutral=True)
        finally:
            modes.trace = before
        made = [v for v in optimizer.state.values() if id(v) not in kept]
        if made:
            self.made_state.update({id(v): len(v) for v in (optimizer.state, *made)})

    def number(self, table, key):
        """The number table[key]; a Python float that moves as a tensor that is read anew on each call."""
        value = table[key]
        if key != "lr" and ((id(table), key) not in self.moving or not value):
            return value
        if value.__class__ is tuple and all(v.__class__ is float for v in value):
            return tuple([self._number(v, table, key, i) for i, v in enumerate(value)])
        return self._number(value, table, key) if value.__class__ is float else value

    def _number(self, value, *place):
        t = wrap(np.array(value, np.float64))
        self.external(t._data, source=("number", *place))
        return t


class _Draw(Op):
    """A call of a random function; tensors among its arguments are the op's inputs."""

    fn: Any
    args: tuple
    kwargs: dict
    random = True
    moves = True  # numbers of half precision come as they are

    def forward(self, *arrays):
        given = iter(arrays)

        def value(a):
            return wrap(_laid_like(a._data, next(given))) if isinstance(a, Tensor) else a
        before, modes.trace = modes.trace, None
        try:
            with no_grad():
                y = self.fn(*[value(a) for a in self.args],
                            **{k: value(v) for k, v in self.kwargs.items() if k != "requires_grad"})
        finally:
            modes.trace = before
        return y._data

    def __repr__(self):
        return f"Draw({self.fn.__name__})"


class _unwatched:
    """`with _unwatched():` what kobai itself does. Seeing each call of it takes as long as doing it."""

    def __enter__(self):
        self._watch = sys.getprofile()
        sys.setprofile(None)

    def __exit__(self, *exc):
        sys.setprofile(self._watch)


def _is_of_kobai(v) -> bool:
    """Whether the user has not written its class; some classes say that they are of torch."""
    return type(v).__module__.partition(".")[0] in ("kobai", "torch")


def _is_own(e) -> bool:
    """Whether a backward pass runs no code of the user's at a node or leaf."""
    if not isinstance(e, Node):
        return e is None or e._hooks is None and _is_of_kobai(e)
    saved = e.saved
    return e.hooks is None and type(e.op).__module__.startswith("kobai.ops.") \
        and not (saved.__class__ is tuple and saved and saved[0].__class__ is Packed)


def _laid_like(model, x):
    """A copy of `x` whose elements lie in the order of those of `model`: random numbers are drawn in that order."""
    axes = sorted(range(x.ndim), key=lambda i: -model.strides[i])
    y = np.empty([x.shape[i] for i in axes], x.dtype).transpose(np.argsort(axes))
    y[...] = x
    return y


def _compute_now(call):
    """The results of an op, into the arrays that were promised for them."""
    op, values = call.op, [v.value if v.__class__ is Literal else v for v in call.args]
    if op.view and (call.outs[0].size == 0 or np.may_share_memory(call.outs[0], values[0])):
        return
    elsewhere[get_ident()] = call.where
    try:
        ys = compute(op, values)
    except (ValueError, TypeError) as e:
        raise failure(op, values, e) from None
    for out, y in zip(call.outs, ys if op.outputs != 1 else (ys,)):
        out[...] = y


def _apart(y, values):
    """A result in memory of its own: some ops that are no views give their input, or look into it."""
    return np.array(y) if isinstance(y, np.ndarray) and any(np.may_share_memory(y, v) for v in values) else y


def _without_gradient(tensors) -> tuple:
    return tuple([i for i, t in enumerate(tensors) if isinstance(t, Tensor) and not (modes.grad and t.requires_grad)])


def _plain(t):
    t._node, t._rg = None, False
    return t


def _cut(g):
    """A gradient without the history that computing on Tensors gave it."""
    if not isinstance(g, Tensor) or not g._rg:
        return g
    return LiftedTensor(g._value) if type(g) is LiftedTensor else wrap(g._data)


def _kept(array):
    """The numbers of a constant; those that repeat one number in memory cannot be written."""
    return np.array(array) if isinstance(array, np.ndarray) and array.flags.writeable else array


def _clone():
    from kobai.ops.movement import Clone  # noqa: PLC0415  (ops are above the recorder's other needs)
    return Clone()


class recording:
    """`with recording() as recorder:` writes down what this thread computes."""

    def __init__(self, recorder=None):
        self.recorder = recorder or Recorder()

    def __enter__(self):
        long_ways(True)
        modes.trace = self.recorder  # last: an interrupt meanwhile leaves no recorder
        return self.recorder

    def __exit__(self, *exc):
        modes.trace = None
        long_ways(False)


def line_text(where):
    """file:line of a place in the user's program."""
    if where is None:
        return "?"
    file, line, name = line_of(where)
    return f"{file}:{line} in {name}"
