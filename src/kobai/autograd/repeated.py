"""Backward passes that a program makes again and again run as one program.

A training loop builds the same graph on each step, whether it calls `backward` or `autograd.grad`.  After `PATIENCE`
passes from the same line the graph is looked at: its ops, how they are joined, and the shapes of what they saved are
a signature.  The first pass of a signature is recorded, by the rules themselves; `WAIT` passes later what was recorded
takes over, compiled meanwhile by a thread.

Sums may be rounded otherwise then.  So that the same seed gives the same bits the counts do not depend on timing,
each thread has its own, and `manual_seed` starts them anew; `torch.use_deterministic_algorithms(True)` turns it off.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from ..tensor import wrap
from .matching import Pattern
from .mode import Sites
from .node import Freed, Node, here, many

PATIENCE = 200        # passes before a line's graphs are looked at
WAIT = 50             # passes of one signature from its recording to its first use
LEAST_NODES, MOST_NODES = 2, 400
MOST_ELEMENTS = 1 << 20
MOST_SIGNATURES = 6   # of one line; a line with more builds different graphs on each step
_ndarray, _generic = np.ndarray, np.generic


class Site:
    """A line of the program that makes losses."""

    __slots__ = ("left", "programs", "ready", "code")

    def __init__(self, code):
        self.left, self.programs, self.ready = PATIENCE, {}, []
        self.code = code

    def has_room(self):
        """Whether one more signature may be recorded; too many, and none is looked for any more."""
        if len(self.programs) >= MOST_SIGNATURES:
            self.programs, self.ready = None, []
            return False
        return True


_Sites = partial(Sites, Site)
_sites = _Sites()


class Repeated:
    """A recorded backward pass: `run(*arrays)` gives the gradients of the leaves number `leaves`.

    `match(roots)` gives these arrays of a graph like the recorded one, its leaves, and the nodes the pass goes through;
    None for other graphs.  `chosen` are the numbers of the leaves that were asked for, None if all.
    """

    __slots__ = ("left", "job", "run", "match", "leaves", "chosen")

    def __init__(self, job, match, leaves, chosen):
        self.left, self.job, self.run, self.match, self.leaves, self.chosen = WAIT, job, None, match, leaves, chosen


def attempt(root, g, keep, propagate, accumulate):
    """Make a backward pass by a recorded program; False if the engine has to go through the graph."""
    site = _looked_at(root)
    found = None if site is None else _pass(site, ((root, g),), None, keep, propagate, None)
    if found is None:
        return False
    grads, ours = found
    for leaf, a in grads.items():
        if ours and leaf._grad is None and leaf._hooks is None:
            leaf._grad = wrap(a)
        else:
            accumulate(leaf, a)
    return True


def gradients(roots, wanted, keep, propagate, leading_to):
    """The gradients {leaf: array} of the leaves `wanted` by a recorded program; None: the engine has to do it."""
    site = _looked_at(roots[0][0])
    if site is None or not all(root.__class__.__base__ is Node for root, _ in roots):
        return None
    found = _pass(site, roots, wanted, keep, propagate, leading_to)
    return None if found is None else found[0]


def _pass(site, roots, wanted, keep, propagate, leading_to):
    """({leaf: gradient} of all leaves, or of those `wanted`; whether nobody else holds these arrays), or None."""
    for known in site.ready:
        if (known.chosen is None) == (wanted is None) and (found := known.match(roots)) is not None \
                and known.chosen == _chosen(found[1], wanted):
            break
    else:
        walked = _described(site, roots)
        if walked is None:
            return None
        key, arrays, leaves = walked
        chosen = _chosen(leaves, wanted)
        if wanted is not None and len(chosen) != len(wanted):
            return None  # some are no leaves, or not reached
        key = key, chosen
        known = site.programs.get(key)
        if known is None:
            if not site.has_room():
                return None
            needed = None if wanted is None else leading_to(roots, wanted)
            grads, site.programs[key] = _record(roots, wanted, propagate, keep, arrays, leaves, chosen, needed)
            return grads, False
        if not _is_ready(site, key, known) or (found := known.match(roots)) is None:
            return None
    arrays, leaves, nodes = found
    out = known.run(*arrays)
    if out is None:
        return None
    if not keep:
        _free(nodes)
    return {leaves[i]: a if a.shape else a[()] for i, a in zip(known.leaves, out)}, True


def _chosen(leaves, wanted):
    """The numbers of the leaves that are wanted; None for all."""
    return None if wanted is None else tuple([i for i, leaf in enumerate(leaves) if leaf in wanted])


def _looked_at(root):
    """The Site of a pass, if its graphs are looked at by now."""
    if root._order < many.below:
        many.begin()
    site = _sites.looked_at(*root.where)
    return None if site is None or site.programs is None else site


def _free(nodes):
    freed = Freed(here(5))
    for node in nodes:
        if node.saved:
            node.saved = freed


def _is_ready(site, key, known):
    """Whether a recorded pass has waited long enough; then it is compiled, or given up."""
    if known is False:
        return False
    if known.run is None:
        known.left -= 1
        if known.left > 0:
            return False
        plan = known.job() if known.job else False
        if not plan:
            site.programs[key] = False
            return False
        known.run, known.job = plan.run, plan  # the plan owns the memory that `run` works in
        site.ready.append(known)
    return True


def _described(site, roots):
    """(signature, saved arrays, leaves) of the graph behind some nodes; None if the engine has to go through it."""
    walked = _walk(roots)
    if walked is None:
        site.programs, site.ready = None, []  # hooks, several outputs, ...: never
    return walked or None


def _walk(roots):
    """(signature, saved arrays, leaves) of the graph behind some nodes; None if it is out of the ordinary."""
    nodes, place, leaves, arrays, seen, parts, size = [], {}, [], [], {}, [], 0
    for root, g in roots:
        if g.__class__ is not _ndarray and not isinstance(g, _generic):
            return None
        at = place.setdefault(root, len(nodes))
        if at == len(nodes):
            nodes.append(root)
        parts += (at, g.__class__, g.shape, g.strides, g.dtype, seen.setdefault(id(g), len(arrays)))
        arrays.append(g)
    for node in nodes:
        saved, vjp, op = node.saved, node.vjp, node.op
        if saved.__class__ is not tuple:
            return ()  # freed: the engine says so
        if node.hooks is not None or op is None or len(nodes) > MOST_NODES:
            return None
        n = len(vjp.asks)
        if vjp.cells and sum([c[0] for c in saved[n:-1]]) != saved[-1]:
            return ()  # the engine says what is wrong
        parts += (vjp, op, node.fit)
        for a in saved[:n] if n != len(saved) else saved:
            kind = a.__class__
            if kind is _ndarray:
                parts += (a.shape, a.strides, a.dtype, seen.setdefault(id(a), len(arrays)))
                arrays.append(a)
                size += a.size
            elif isinstance(a, _generic):
                parts += (kind, seen.setdefault(id(a), len(arrays)))
                arrays.append(a)
            else:
                parts += (kind, a.hex() if kind is float else a)
        for e in node.edges:
            at = -1
            if e is not None:
                at = place.get(e)
                if at is None:
                    order = e._order
                    if order is None:
                        at = place[e] = -2 - len(leaves)
                        leaves.append(e)
                    elif order:
                        at = place[e] = len(nodes)
                        nodes.append(e)
                    else:
                        return None  # one of several outputs
            parts.append(at)
    if size > MOST_ELEMENTS or len(nodes) < LEAST_NODES:
        return None
    key = tuple(parts)
    try:
        hash(key)
    except TypeError:
        return None
    return key, arrays, leaves


def _record(roots, wanted, propagate, keep, arrays, leaves, chosen, needed):
    """The gradients of a pass that is written down meanwhile, and the `Repeated` of it (False if that fails).

    `needed`: the nodes it goes through, if these are not all.
    """
    from kobai.backends.eager import begin  # noqa: PLC0415  (the compiler is not loaded before it is needed)
    from kobai.compile.ssa import Builder, Unknown  # noqa: PLC0415
    from kobai.compile.trace import recording  # noqa: PLC0415

    pattern = Pattern(roots)  # the pass gives free what the graph saved
    passed = None if needed is None else [i for i, node in enumerate(pattern.order) if node in needed]
    with recording() as recorder:
        for k, a in enumerate(arrays):
            if id(a) not in recorder.externals:
                recorder.external(a, source=("saved", k))
        found = propagate([(root, wrap(g)) for root, g in roots], keep=keep, wanted=wanted)
    found = {leaf: t._value for leaf, t in found.items()}
    number = {id(leaf): i for i, leaf in enumerate(leaves)}
    if recorder.reason is not None or any(id(leaf) not in number or not isinstance(g, (_ndarray, _generic))
                                          for leaf, g in found.items()):
        return found, False
    try:
        graph = Builder(recorder).graph(list(found.values()))
    except Unknown:
        return found, False
    sources = [v.source.source for v in graph.inputs]
    if any(s is None or s[0] != "saved" for s in sources):
        return found, False
    picks, order = [s[1] for s in sources], [number[id(leaf)] for leaf in found]
    for v in graph.inputs:
        v.source.array = None  # the arrays of this pass are not needed any more
    return found, Repeated(begin(_plan, graph), pattern.function(picks, passed), order, chosen)


def _plan(graph):
    from kobai.compile.plan import plan  # noqa: PLC0415
    made = plan(graph)
    return made if made.program is not None else False

