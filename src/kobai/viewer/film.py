"""Backward as a film: each node's step, with the gradient that came in and those that went out."""

from __future__ import annotations

from time import perf_counter

from ..autograd.engine import propagate, reached
from ..autograd.mode import modes
from ..autograd.node import Freed, Node
from ..saved import raw_saved
from ..tensor import Tensor
from .trace import Back, kept


def filmed(run, roots, **options) -> tuple[dict, list[Back]]:
    """``run(roots, **options)``, which is `engine.propagate`, and the steps it took, in their order."""
    steps: list[Back] = []
    nodes = [node for node in reached(roots, options.get("within")) if isinstance(node, Node)]
    rules = [(node, node.vjp) for node in nodes]
    for node, vjp in rules:
        node.vjp = _watched(vjp, steps)
    before, modes.look = modes.look, modes.look or Onlooker()
    try:
        found = run(roots, **options)
    finally:
        modes.look = before
        for node, vjp in rules:
            node.vjp = vjp
    for leaf, g in found.items():
        if isinstance(leaf, Tensor):
            steps.append(Back(leaf, getattr(g, "_value", g)))
    for step in steps:
        step.g = _kept(step.g)
        step.outs = tuple([_kept(g, not isinstance(edge, Node)) for g, edge in
                           zip(step.outs, getattr(step.node, "edges", step.outs))])
    return found, steps


class Onlooker:
    """While somebody looks, backward goes from node to node: no pass is replaced by a compiled one."""

    def passed(self, *what):
        pass

    recorded = passed


def _kept(g, changes=False):
    """A gradient as it is now; one that becomes a leaf's `.grad` will change, so it is copied."""
    if isinstance(g, (list, tuple)):
        return tuple([_kept(v) for v in g])
    g = getattr(g, "_value", g)
    return g.copy() if changes and hasattr(g, "copy") else kept(g)


def _watched(vjp, steps):
    def watched(node, g, saved):
        begin = perf_counter()
        outs = vjp(node, g, saved)
        seconds = perf_counter() - begin
        steps.append(Back(node, g, tuple(outs), asked(vjp, saved), seconds))
        return outs
    watched.asks, watched.cells = vjp.asks, vjp.cells
    return watched


def asked(vjp, saved) -> dict:
    """{name: value} of what a rule asked for."""
    return dict(zip(vjp.asks, saved)) if isinstance(saved, tuple) else {}


def run(roots: list) -> list[Back] | None:
    """The film of a graph nobody has freed, without touching any `.grad`; None if it cannot be run.

    Hooks are left out: they are the program's, and would notice.
    """
    nodes = [node for node in reached(roots) if isinstance(node, Node)]
    if any(isinstance(raw_saved(node), Freed) for node in nodes):
        return None
    hooks = [(node, node.hooks) for node in nodes if node.hooks is not None]
    for node, _ in hooks:
        node.hooks = None
    try:
        return filmed(propagate, roots, keep=True)[1]
    except RuntimeError:  # something that was saved has been changed in place, a Function that fails
        return None
    finally:
        for node, own in hooks:
            node.hooks = own
