"""One recorded call as something to run again: where inputs are found, the plan, and what happens after it.

`record` runs a function once and gives a `Program` (or the reason why there is none).  A program whose results
go on into a backward pass of the caller has a second graph, which that pass runs.
"""
from __future__ import annotations

import gc
import logging
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from kobai.autograd.engine import propagate, reached
from kobai.autograd.mode import modes
from kobai.autograd.node import Node, Port, here, inside
from kobai.compile.ending import Later, number_in
from kobai.compile.joint import Joint, split
from kobai.compile.link import CompiledFunctionBackward, linker, vjp
from kobai.compile.pages import SWEEP, trim
from kobai.compile.promise import alone
from kobai.compile.shared import Results, Returned, node_of, roots_of
from kobai.compile.ssa import Builder, Unknown
from kobai.compile.trace import Recorder, line_text, recording
from kobai.devices import Size
from kobai.pytree import Container, flatten, unflatten
from kobai.tensor import _IN_THE_GRAPH, LiftedTensor, Tensor, edge_of, wrap

log = logging.getLogger("kobai.compile")
FAILED = "the compiler failed, please report it"

# What a recording was made under, beside the grad mode: anything else runs eagerly.
MODES = ("grad", "inference", "trace", "dual", "anomaly", "pack", "look", "autocast")


def _number_at(source):
    """The number that is at a source ("number", table, key), or at an index in a tuple there."""
    _, table, key, *index = source
    return table[key][index[0]] if index else table[key]


class Unfinished(Exception):
    """An op failed (an index out of range) before anything was written: the function itself will say how."""


class Program:
    """A recorded call, ready to run on other arguments of the same shapes."""

    def __init__(self, graph, sources, results, spec, effects, joint: Joint | None, make_plan, leaves):
        self.graph, self.sources = graph, sources
        self.arguments = [((type(t), t._rg), t._data) if isinstance(t, Tensor) else (None, t) for t in leaves]
        tensors = [id(t) for t in leaves if isinstance(t, Tensor)]
        self.repeats = len(set(tensors)) < len(tensors)  # some arguments are the same tensor
        self.grown = any(isinstance(t, Tensor) and t._node is not None for t in leaves)  # some have a history
        self.held = list({id(s[1]): s[1] for s in sources if s[0] in ("tensor", "grad") and s[1]._rg}.values())
        self._wanting = [i for i, (kind, _) in enumerate(self.arguments) if kind and kind[1]]
        self.modes = {name: getattr(modes, name) for name in MODES}
        (self.results, self.items, self.shared), self.spec = results, spec
        self.grads, self.cells, self.given_cells, self.without = effects
        self.joint = joint
        self.plan = make_plan(self.shared.laid(graph))
        self.back = make_plan(joint.graph) if joint else None
        self._numbers = {i: np.array(_number_at(s), np.float64) for i, s in enumerate(sources) if s[0] == "number"}
        self.bound = [None] * len(sources)
        self._fixed = [(i, s[0] == "grad", s[1]) for i, s in enumerate(sources) if s[0] in ("tensor", "grad")]
        self._given = [(i, s[1]) for i, s in enumerate(sources) if s[0] == "arg"]
        if joint is not None:
            self.differentiated = [sources[i] for i in joint.differentiated]
            self.watched = [sources[i] for i in joint.inputs if sources[i][0] in ("arg", "tensor")]
            self.kept = [i for i, r in enumerate(self.results) if r.number in joint.saved]
            self.open = [(i, joint.position[r.number]) for i, r in enumerate(self.results) if r.open]
            self.outs = [(graph.outputs[n].shape, graph.outputs[n].dtype) for n in joint.position]
        self._writes = [graph.inputs.index(v) for v, _ in graph.writes]
        self._apart: tuple = ()
        self.looked_at: list = []
        self.carries: Any = None  # (variables that hold other tensors on each call, the kind of these tensors)
        self.switches: list = []  # (dict, name, value) of variables that each call sets to True or False
        self.asked: Any = None  # what else the function may have asked about its arguments: asked.py
        self.enters: Any = None  # how arguments are put together, if machine code may be entered once all inputs are there
        self.bind(leaves)
        if joint is not None and not self.items and self.shared.alone:
            self.joined = linker(self)

    @property
    def form(self):
        """What the result is: 0 a single leaf, 1 a tuple of leaves, 2 anything else, 3 if it has a history."""
        if self.joint is not None:
            return 3
        if self.items or self.shared.any:
            return 2
        if self.spec is None:
            return 0
        kind, _, children = self.spec
        return 1 if kind is tuple and not any(children) else 2

    def rebuild(self, leaves):
        """The result from its leaves, as native code makes them."""
        leaves = list(leaves)
        self.shared.settle(leaves)
        return self._put_together(leaves)

    def _put_together(self, leaves):
        self.shared.finish(leaves)
        if self.items:
            tensors, leaves = leaves, list(leaves)
            for place, (how, places) in self.items.items():
                leaves[place] = how(*[number_in(tensors[k]._data) for k in places])
        return unflatten(leaves, self.spec)

    def watch(self, tensors):
        """Tensors that the function leads to: it may have looked at the shapes of those that it does not compute with."""
        bound = {id(s[1]) for s in self.sources if s[0] == "tensor"}
        self.looked_at = [(t, t._array()) for t in tensors if id(t) not in bound and type(t) is not LiftedTensor]

    def bind(self, leaves) -> list | None:
        """The arrays of the inputs, or None if one has another shape, type or place in memory than recorded."""
        arrays: list = self.bound
        if self._wanting and self._is_held([leaves[i] for i in self._wanting]):
            return None
        if self.asked is not None and not self.asked.holds(leaves):
            return None
        for leaf in self.without:
            if leaf._grad is not None:
                return None
        for t, was in self.looked_at:
            a = t._data
            if a is not was and (a.shape != was.shape or a.dtype != was.dtype or a.strides != was.strides):
                return None
        for i, number in self._given:
            a = leaves[number]._data
            arrays[i] = a if a.__class__ is np.ndarray else leaves[number]._array()
        for i, is_grad, t in self._fixed:
            if is_grad:
                t = t._grad
                if t is None:
                    return None
            a = t._data
            if a is arrays[i]:
                continue
            a, v = t._array(), self.graph.inputs[i]
            if a.shape != v.shape or a.dtype != v.dtype or a.strides != v.strides:
                return None
            arrays[i] = a
        for i, number in self._numbers.items():
            now = _number_at(self.sources[i])
            if now.__class__ is not float or not now and self.sources[i][2] == "momentum":
                return None
            number[...] = now
            arrays[i] = number
        return arrays if self._writes and self.are_apart(arrays) or not self._writes else None

    def _is_held(self, leaves) -> bool:
        """Whether leaves that require grad are such tensors by another name, too: their gradients would be others."""
        return len({id(t) for t in (*leaves, *self.held)}) < len(leaves) + len(self.held) and not self.repeats

    def are_apart(self, arrays):
        """Whether no other input lies in memory that is written; looked at when arrays lie elsewhere than before."""
        now = tuple([a.__array_interface__["data"][0] for a in arrays])
        if now == self._apart:
            return True
        bounds = [byte_bounds(a) for a in arrays]
        for w in self._writes:
            low, high = bounds[w]
            for i, (first, last) in enumerate(bounds):
                if i != w and first < high and low < last:
                    return False
        self._apart = now
        return True

    def run(self, arrays, leaves):
        """Compute, change what the program changes, and give what it returned."""
        outputs = self.plan.run(*arrays)
        if outputs is None:
            try:
                outputs = self.plan.interpret(arrays)
            except Exception as e:
                raise Unfinished from e
        for cell, count in self.cells:
            cell[0] += count
        for i, count in self.given_cells:
            leaves[i]._ver[0] += count
        for leaf, number in self.grads:
            leaf._grad = None if number is None else wrap(outputs[number])
        if self.joint is not None:
            return self.joined(outputs, *leaves)
        return self._result(list(arrays), outputs, leaves)

    def joined(self, outputs, *leaves):
        """The result of a native call that computed `outputs`, with the node of this call as its history."""
        arrays = self.bound.copy()
        for i, number in self._given:
            arrays[i] = leaves[number]._data
        for i, is_grad, t in self._fixed:  # what they were bound to may have been another array's turn
            if not is_grad:
                arrays[i] = t._data
        return self._result(arrays, outputs, leaves)

    def _result(self, arrays, outputs, leaves):
        made = [self.returned(r, outputs, leaves) for r in self.results]
        self.shared.settle(made)
        if self.joint is not None:
            node = self._node(arrays, self.shared.arrays(outputs), leaves, [made[i]._ver for i in self.kept])
            for i, number in self.open:
                made[i]._node = Port(node, number)
        return self._put_together(made)

    def returned(self, r: Returned, outputs, leaves):
        if r.number is None:
            kind, what = r.same
            return leaves[what] if kind == "arg" else what._grad if kind == "grad" else what
        t = wrap(outputs[r.number], r.kind)
        t._rg, t._node = r.requires_grad, r.node
        return t

    def _node(self, arrays, outputs, leaves, cells):
        """The node that stands for this call in the caller's graph; `cells` count the changes of results that it keeps."""
        joint = self.joint
        edges = [edge_of(leaves[what] if kind == "arg" else what) for kind, what in self.differentiated]
        cells += [(leaves[what] if kind == "arg" else what)._ver for kind, what in self.watched]
        saved = *[arrays[i] for i in joint.inputs], *[outputs[i] for i in joint.saved]
        kept = self, tuple(arrays), saved, sum([c[0] for c in cells]), tuple(leaves), *cells
        node = CompiledFunctionBackward(None, tuple(edges), kept, vjp, None, here(3))
        node.extra = {"outs": self.outs}
        return node


class Recorded(NamedTuple):
    """What a call gave: its result, and a program or the reason why there is none."""

    result: Any
    program: Program | None
    reason: str | None
    recorder: Recorder


def record(fn, args, kwargs, make_plan, watcher, moving, wanted=None, waits=False, kept=None) -> Recorded:
    """Call fn(*args, **kwargs) and write down what it computes, while `watcher` sees what else it does.

    Without `make_plan`, or where `wanted(recorder)` says no when it has run, only to see whether it can be. Numbers of
    optimisers that are `moving` are read on each call. If it `waits`, the program computes this call, too, where it can.
    Tensors that are `kept` in variables are arguments, as it were, and those that are there afterwards results.
    """
    collects = gc.isenabled()
    gc.disable()  # recording makes many objects and few cycles: looking for garbage takes a tenth of the time
    try:
        recorder = Recorder()
        recorder.waits = waits
        try:
            got = _record(recorder, fn, args, kwargs, make_plan, watcher, moving, wanted, kept)
        finally:
            recorder.catch_up()  # what no plan has computed
        outs, spec = flatten(got.result)
        if any(isinstance(v, Later) for v in outs):
            got = got._replace(result=unflatten([v.value if isinstance(v, Later) else v for v in outs], spec))
        return got
    finally:
        if collects:
            gc.enable()


def _record(recorder, fn, args, kwargs, make_plan, watcher, moving, wanted, kept) -> Recorded:
    leaves, shape = flatten((args, kwargs))
    leaves += kept.leaves if kept is not None else []
    before = [getattr(modes, name) for name in MODES]
    with recording(recorder):
        recorder.code, recorder.moving, recorder.watched = _own_code(fn), moving, True
        for i, t in enumerate(leaves):
            if isinstance(t, Tensor):
                recorder.external(t._array(), t, ("arg", i))
        needed = [isinstance(t, Tensor) and t.requires_grad for t in leaves]
        start = Node(None, (), (), None, None, None)._order
        with watcher:
            result = fn(*args, **kwargs)
            outs, spec = flatten(result)
        if kept is not None:
            more, form = flatten(kept.now())
            outs, spec = [*outs, *more], (tuple, None, [spec, form])
        joint = None
        now, shape_now = flatten((args, kwargs))
        if shape_now != shape or any(a is not b for a, b in zip(now, leaves)):
            recorder.stop("it changes a list or dict among its arguments", (_code_of(fn), 0))
        wrong = _not_to_be_made_again(recorder, result, outs, spec, (args, kwargs))
        if wrong is not None:
            recorder.stop(f"it returns {wrong}", (_code_of(fn), 0))
        _look_at_leaves(recorder, leaves, needed, start)
        if recorder.reason is None:
            joint = _open(recorder, outs, start)
        if joint is not None or recorder.waits and not alone(recorder, _ids(recorder, outs)):
            recorder.catch_up()
    if [getattr(modes, name) for name in MODES] != before:
        return Recorded(result, None, "it leaves the grad mode, or another mode, changed", recorder)
    if recorder.reason is not None or recorder.again or make_plan is None or wanted is not None and not wanted(recorder):
        return Recorded(result, None, _why(recorder), recorder)
    try:
        program = _program(recorder, leaves, outs, spec, joint, make_plan)
    except Unknown as e:
        return Recorded(result, None, str(e), recorder)
    except Exception as e:  # the result is there already: a mistake of the compiler need not stop the program
        log.debug("the compiler failed", exc_info=True)
        return Recorded(result, None, f"{FAILED}: {type(e).__name__}: {e}", recorder)
    return Recorded(result, program, None, recorder)


def kinds(spec):
    """The types of the containers in what `flatten` says of a tree, as far as they are none of its own."""
    if spec is not None:
        kind, _, children = spec
        if not isinstance(kind, Container) and kind not in _CONTAINERS:
            yield kind
        for child in children:
            yield from kinds(child)


def keeps_more(spec):
    """The name of a type of containers whose objects may keep more than their items, or None."""
    return next((k.__name__ for k in kinds(spec) if k is not Size and not (hasattr(k, "_fields") and not k.__dictoffset__)), None)


_CONTAINERS = frozenset((tuple, list, dict, OrderedDict))


def containers(v):
    """The lists and dicts in what a function gives or is given."""
    if isinstance(v, (list, dict)):
        yield v
    if isinstance(v, (list, tuple, dict)):
        for item in dict.values(v) if isinstance(v, dict) else v:
            yield from containers(item)


def _not_to_be_made_again(recorder, result, outs, spec, arguments) -> str | None:
    """What in a result a program cannot give anew on each call, or None."""
    if keeps_more(spec) is not None:
        return f"an object of type {keeps_more(spec)}"
    given = [id(v) for v in containers(result)]
    recorder.lists = set(given)
    if not recorder.lists.isdisjoint(id(v) for v in containers(arguments)):
        return "a list or dict among its arguments"
    if len(recorder.lists) < len(given):
        return "one list or dict in several places"
    if any(isinstance(t, Tensor) and t.__dict__.keys() - _IN_THE_GRAPH and not recorder.was_there(t) for t in outs):
        return "a tensor to which it gives attributes"
    return None


def _look_at_leaves(recorder, leaves, needed, start):
    """Stop if a tensor that was there before has another history now, or another argument would get a gradient."""
    arguments = [t for t in leaves if isinstance(t, Tensor)]
    if any(isinstance(t, Tensor) and t.requires_grad != before for t, before in zip(leaves, needed)):
        recorder.stop("it changes requires_grad of an argument, or gives it a history")
    held = [e.holder for e in recorder.externals.values() if e.constant is None]
    for t in (t for t in held if t is not None):
        if any(v is not None and v._node is not None and node_of(v)._order < start for v in (t, t._base)):
            recorder.stop("a tensor that was there before gets a history")
    if any(x.tensor is t for x in recorder.leaves.values() for t in arguments):
        recorder.stop("it sets the gradient of an argument")
    if any(t is x and g is None for t, g in recorder.read.values() for x in arguments):
        recorder.stop("it asks whether an argument has a gradient")


def _own_code(fn):
    """The code of the function itself, inside decorators of kobai's own."""
    return getattr(_own_function(fn), "__code__", None)


def _own_function(fn):
    while hasattr(fn, "__wrapped__") and inside[getattr(getattr(fn, "__code__", None), "co_filename", "")]:
        fn = fn.__wrapped__
    return fn


def _code_of(fn):
    return getattr(fn, "__code__", None) or record.__code__


def _why(recorder):
    if recorder.reason is None:
        return None
    return f"{recorder.reason} ({line_text(recorder.where)})"


def _open(recorder, outs, start):
    """Record the backward pass of outputs that the caller may differentiate."""
    roots, nodes = roots_of(recorder, outs, start)
    roots = [t for t in roots if not _is_finished(recorder, t)]
    if not roots:
        return None
    mark = len(recorder.log)
    seeds = []
    for k, t in enumerate(roots):
        g = wrap(np.ones(t._value.shape, t._value.dtype))
        recorder.external(g._data, g, ("cotangent", k))
        seeds.append(g)
    pairs = [(t._node, g) for t, g in zip(roots, seeds)]
    new = {n for n in reached([*pairs, *[(n, None) for n in nodes]]) if isinstance(n, Node) and n._order < start}
    if any(n.hooks is not None or type(n).__name__ == "BackwardHookFunctionBackward" for n in new):
        recorder.stop("a hook on a value inside")
        return None
    if recorder.hidden or any(n.op is None for n in new):
        recorder.stop("gradients of gradients would not see a custom autograd.Function, or a change under no_grad()")
        return None
    boundary = {e.node if isinstance(e, Port) else e for n in new for e in n.edges if e is not None} - new
    try:
        found = propagate(pairs, keep=True, wanted=boundary, within=new) if boundary else {}
    except Exception as e:  # as it will be whenever the caller asks for gradients
        recorder.stop(f"its backward pass fails: {str(e).partition(chr(10))[0]}")
        return None
    return mark, roots, seeds, found


def _is_finished(recorder, t):
    """Whether a backward pass from `t` fails, because one in the program freed what it needs."""
    root = [(t._node, None)]
    behind = reached(root)
    freed = not behind.isdisjoint(recorder.finished)
    if freed and any(isinstance(n, Tensor) for n in reached(root, behind - recorder.finished)):
        recorder.stop("it returns a tensor whose history is partly freed")
    return freed


def _program(recorder, leaves, outs, spec, joint, make_plan):
    builder = Builder(recorder)
    made = Results(builder, recorder, leaves, outs, [] if joint is None else joint[1])
    arrays, grads = made.arrays, []
    there = [x for x in recorder.leaves.values() if recorder.was_there(x.tensor)]
    if any(x.tensor is t for x in recorder.leaves.values() if x not in there for t in outs):
        raise Unknown("it returns a tensor with a gradient that it made itself")
    for leaf in there:
        _grad(builder, recorder, leaf, made, grads)
    if len({id(x.tensor._grad) for x in there if x.tensor._grad is not None}) < sum(x.tensor._grad is not None for x in there):
        raise Unknown("tensors that get the same gradient tensor")
    versions = {id(getattr(v.source.holder, "_ver", None)) for v in builder.inputs}  # version cells of what was there before
    given = {id(t._ver): i for i, t in enumerate(leaves) if isinstance(t, Tensor)}
    if len({id(t) for t in leaves if isinstance(t, Tensor) and id(t._ver) in recorder.cells}) > len(recorder.cells.keys() & given):
        raise Unknown("arguments that are views of one tensor, of which it changes some")
    cells = [(cell, count) for cell, count in recorder.cells.values() if id(cell) in versions - given.keys()]
    given_cells = [(given[id(cell)], count) for cell, count in recorder.cells.values() if id(cell) in given]
    shared = made.shared({n for _, n in grads})
    graph, pair = builder.graph(arrays), None
    if joint is not None:
        graph, pair = split(builder, graph, joint, made.position)
        pair.lay(shared.orders, arrays)
    sources = [v.source.source for v in graph.inputs]
    without = [x.tensor for x in there if x.before is None and not x.fresh]
    without += [t for t, g in recorder.read.values() if g is None and recorder.was_there(t)]
    inputs = [v.source.array for v in graph.inputs]
    for v in builder.inputs:
        v.source.array = None  # such as the first batch: not needed any more
    results, effects = (made.returned, made.items, shared), (grads, cells, given_cells, without)
    program = Program(graph, sources, results, spec, effects, pair, make_plan, leaves)
    if recorder.waits:
        _first(recorder, program, inputs, arrays)
    return program


def _first(recorder, program, inputs, arrays):
    """Have the program compute what the recorded call waits for, if it can."""
    if not all([isinstance(a, np.ndarray) for a in inputs]) or not program.are_apart(inputs):
        return
    if not all([a.flags.writeable or recorder.is_made([a]) for a in arrays]):  # memory that repeats an element
        return
    recorder.restore()
    if program.plan.size > SWEEP:  # what compiling took is not needed beside what computing takes
        trim()
    try:
        made = list(program.shared.arrays(program.plan(inputs)))
    except Exception:  # numbers that an op cannot take, and nothing was written: the op itself will say so
        return
    copied = 0
    for i, a in enumerate(arrays):
        if not recorder.is_made([a]):
            a[...] = made[i]
        made[i] = None
        copied += a.nbytes
        if copied > SWEEP // 8:  # gradients are as large as the parameters
            copied = 0
            trim()
    recorder.waits = False


def _ids(recorder, outs) -> set:
    """The ids of the arrays of what a call gives, and of its gradients: the plan makes these."""
    tensors = [t for t in outs if isinstance(t, Tensor) and type(t) is not LiftedTensor]
    leaves = [x.tensor for x in recorder.leaves.values() if recorder.was_there(x.tensor)]
    tensors += [t._grad for t in leaves if isinstance(t._grad, Tensor)]
    return {id(t._data) for t in tensors} | {id(a) for v in outs if isinstance(v, Later) for a in v.arrays}


def _grad(builder, recorder, leaf, made, grads):
    """What becomes of one leaf's `.grad`."""
    g = leaf.tensor._grad
    if g is None:
        grads.append((leaf.tensor, None))
    elif g is not leaf.before:
        if recorder.was_there(g):
            raise Unknown("a gradient that is a tensor that was there before")
        if g._node is not None or type(g) is LiftedTensor:
            raise Unknown("gradients with a history (create_graph=True) are kept in .grad")
        if not builder.known(g._data):
            raise Unknown("a gradient that is not recorded")
        grads.append((leaf.tensor, made.number(g._data)))
