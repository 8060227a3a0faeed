"""How values that steps make lie in memory, so that less is copied: `laid_out(graph)` and `filled(steps, homes)`.

The result of a matrix product that is transposed and then wanted in order is made in that order at once.  What is joined
to others (cat, stack) is made in its part of the whole: its *home* is the whole's memory, and `Value.strides` say how it
lies there.  Where that cannot be, the part is copied; joining is a step no more.
"""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.affine import PRODUCTS
from kobai.compile.axes import Apart, Axes, source, steps as along
from kobai.compile.builder import Builder
from kobai.compile.fuse import KernelStep, OpStep
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import NoKernel, scalar_type
from kobai.compile.memory import copy_step
from kobai.compile.windows import Window, contiguous, is_view, own, windows, windows_of

JOINS = ("Cat", "Stack", "Tiles")
PUTS = ("PutSlice", "PutSelect")


def laid_out(graph: Graph) -> tuple[Graph, dict[Value, tuple[Value, int]]]:
    """The graph with strides chosen and with copies where movement needs them; homes as (whole, offset)."""
    results = set(graph.results)
    _order_products(graph, results)
    graph = settled(graph)
    homes = _homes(graph, results)
    return (settled(graph) if homes else graph), homes


def settled(graph: Graph) -> Graph:
    """The same where a movement op that has to copy is a copy and an op that moves nothing."""
    from kobai.ops.movement import Clone  # noqa: PLC0415 (the graph needs no ops otherwise)

    found: dict[Value, Window] = {v: own(v) for v in graph.inputs}
    nodes: list[Node] = []
    for node in graph.nodes:
        for v in node.values:
            found.setdefault(v, own(v))
        views = windows_of(node, found)
        if _has_to_copy(node, views):
            copy = Node(Clone("C"), node.args, [(node.args[0].shape, node.args[0].dtype)], node.where)
            nodes.append(copy)
            found[copy.outs[0]] = own(copy.outs[0])
            node.args = copy.outs
            views = windows_of(node, found)
        found.update(zip(node.outs, views))
        nodes.append(node)
    return Graph(graph.inputs, nodes, graph.outputs, graph.writes)


def _has_to_copy(node: Node, views) -> bool:
    return is_view(node) and views[0].base is node.outs[0] and 0 not in node.outs[0].shape


# ---- the order of a product's elements -------------------------------------------------------
def _order_products(graph: Graph, results):
    """Give results of products the strides with which a transposition of them is in order, if it has to be."""
    found = windows(graph)
    for node in graph.nodes:
        if not _has_to_copy(node, [found[v] for v in node.outs]):
            continue
        x = node.args[0]
        w = found[x]
        base = w.base
        made_by = type(base.node.op).__name__ if base.node else ""
        if made_by not in PRODUCTS + JOINS or base.strides is not None or base in results:
            continue
        strides = _strides_of_base(x, w, contiguous(x.shape, x.dtype.itemsize))
        if strides is not None and strides[-1] == x.dtype.itemsize:
            base.strides = strides


def _strides_of_base(x: Value, w: Window, wanted):
    """The strides of a base with which its window x has the strides wanted, or None."""
    base, axes = w.base, Axes()
    if prod(base.shape) != prod(x.shape):  # expanded: the base would have gaps, and reach beyond its memory
        return None
    placed = axes.new(x.shape)
    lies = own(base).strides
    dims = sorted(range(len(lies)), key=lambda d: -lies[d])  # as they lie in memory
    try:
        found = source(axes, [base.shape[d] for d in dims], x.dtype.itemsize, x.shape, w.strides, w.offset, placed)
    except Apart:
        return None
    placement = axes.now(tuple([some for _, some in sorted(zip(dims, found))]))
    steps = along(axes, x.shape, wanted, axes.now(placed))
    strides = []
    for some in placement:
        step = steps[some[-1]] if some else x.dtype.itemsize
        size = 1
        for axis in reversed(some):
            if steps[axis] != step * size:
                return None
            size *= axes.sizes[axis]
        strides.append(step)
    return tuple(strides)


# ---- parts of a whole ------------------------------------------------------------------------
def parts(node: Node):
    """(argument, offset, strides) of each part in the result of a node of `JOINS` or `PUTS`."""
    out, op = node.outs[0], node.op
    strides = own(out).strides
    name, at, found = type(op).__name__, 0, []
    for a in node.args:
        if name == "Cat":
            found.append((a, at * strides[op.dim], strides))
            at += a.shape[op.dim]
        elif name in ("Stack", "PutSelect"):
            where = at if name == "Stack" else op.index
            found.append((a, where * strides[op.dim], (*strides[:op.dim], *strides[op.dim + 1:])))
            at += 1
        elif name == "Tiles":
            n = len(op.kernel)
            lead, last = strides[:len(strides) - n], strides[len(strides) - n:]
            place = op.places[len(found)]
            step = (*lead, *[s * k for s, k in zip(last, op.kernel)])
            found.append((a, sum(p * s for p, s in zip(place, last)), step))
        else:
            step = (*strides[:op.dim], strides[op.dim] * op.step, *strides[op.dim + 1:])
            found.append((a, op.start * strides[op.dim], step))
    return found


def is_joining(node: Node) -> bool:
    """Whether a node only puts its arguments beside each other."""
    if type(node.op).__name__ not in JOINS + PUTS or len(node.outs) != 1 or 0 in node.outs[0].shape:
        return False
    dtype = node.outs[0].dtype
    return all(isinstance(a, Value) and a.dtype == dtype and 0 not in a.shape for a in node.args)


def _homes(graph: Graph, results) -> dict[Value, tuple[Value, int]]:
    """Values that can be made in their part of a whole at once."""
    found, homes = windows(graph), {}

    def free(base) -> bool:
        return base.node is not None and base not in homes and base not in results
    for node in reversed(graph.nodes):
        if type(node.op).__name__ not in JOINS or not is_joining(node) or not getattr(node.op, "whole", True):
            continue
        whole, start = homes.get(node.outs[0], (node.outs[0], 0))
        for a, offset, wanted in parts(node):
            w = found[a]
            if not free(w.base) or w.offset or prod(w.base.shape) != prod(a.shape):
                continue
            base, strides = w.base, _strides_of_base(a, w, wanted)
            if strides is not None and type(base.node.op).__name__ == "Clone":
                copied = found[base.node.args[0]]
                if free(copied.base) and type(copied.base.node.op).__name__ in PRODUCTS:
                    ordered = _strides_of_base(base.node.args[0], copied, strides)
                    if ordered is not None and ordered[-1] == a.dtype.itemsize:  # what is copied can be made there
                        _drop(graph, base.node)
                        base, strides = copied.base, ordered
            if strides is None or type(base.node.op).__name__ in PRODUCTS and strides[-1] != a.dtype.itemsize:
                continue
            homes[base], base.strides = (whole, start + offset), strides
    return homes


def _drop(graph: Graph, copy: Node):
    """Take a copy out of a graph."""
    graph.nodes.remove(copy)
    source_, out = copy.args[0], copy.outs[0]
    for node in graph.nodes:
        if out in node.args:
            node.args = tuple([source_ if a is out else a for a in node.args])


# ---- steps -----------------------------------------------------------------------------------
def filled(steps, homes) -> list:
    """The steps without those that only join, and with the copies of what is not made in its home."""
    found = []
    for step in steps:
        if isinstance(step, OpStep) and is_joining(step.node):
            found += _pieces(step, homes)
        else:
            found.append(step)
    return found


def _pieces(step: OpStep, homes) -> list:
    out = step.node.outs[0]
    reads = dict(zip(step.node.values, step.reads))
    copies = []
    whole, start = homes.get(out, (out, 0))
    if type(step.node.op).__name__ in PUTS or not getattr(step.node.op, "whole", True):
        copies.append(zeros_step(out))
    for a, offset, strides in parts(step.node):
        w = reads[a]
        if homes.get(w.base) == (whole, start + offset):
            continue
        piece = copy_step(a, w, out, strides)
        piece.offset = offset
        copies.append(piece)
    return copies


def zeros_step(out: Value):
    """A step that fills a value with zeros."""
    k = Builder("zeros")
    try:
        kernel = k.finish(k.const(0, scalar_type(out.dtype)))
    except NoKernel:
        zero = Value((), out.dtype, constant=np.zeros((), out.dtype))
        return copy_step(out, Window(zero, 0, (0,) * len(out.shape)), out)
    return KernelStep(kernel, out.shape, None, [], [out], [own(out).strides], [])
