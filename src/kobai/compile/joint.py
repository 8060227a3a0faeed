"""A function whose caller differentiates it: its forward graph, the backward graph, and what is kept between."""
from __future__ import annotations

from math import prod
from typing import NamedTuple

from kobai.autograd.mode import enable_grad
from kobai.autograd.node import Port
from kobai.compile.graph import Graph, Node, Value
from kobai.lifted import m
from kobai.ops.movement import Clone
from kobai.tensor import Tensor, edge_of, wrap


class Joint(NamedTuple):
    """The backward graph of a program.

    Its inputs are the gradients of the outputs, then the program's inputs number `inputs`, then its outputs
    number `saved`; its outputs are the gradients of the program's inputs number `differentiated`.
    `position[n]` is the place of the program's output n among those with gradients.
    """

    graph: Graph
    inputs: list[int]
    saved: list[int]
    differentiated: list[int]
    position: dict[int, int]
    forward: Graph
    drawn: dict[Value, int]  # random values, and where they are among what is kept
    changed: dict[int, int]  # inputs that the program writes, and where what they were is kept

    def lay(self, orders, arrays):
        """Say how the outputs in `orders`, which do not lie in rows, come among what is kept."""
        first = len(self.position) + len(self.inputs)
        for v, number in zip(self.graph.inputs[first:], self.saved):
            if number in orders:
                v.strides = arrays[number].strides

    def differentiable(self, program, arrays, leaves, kept, g):
        """The same gradients with a history: the forward pass again, op by op, on Tensors."""
        from kobai.autograd.engine import grad  # noqa: PLC0415  (for gradients of gradients only)
        tensors = []
        for i, (array, source) in enumerate(zip(arrays, program.sources)):
            owner = leaves[source[1]] if source[0] == "arg" else source[1]
            t = wrap(kept[self.changed[i]] if i in self.changed else array)
            if i in self.differentiated and isinstance(owner, Tensor):
                edge = edge_of(owner)
                t = owner if edge is owner and i not in self.changed else t
                if edge is not owner:
                    t._node, t._rg = edge, True
            tensors.append(t)
        with enable_grad():
            for i in self.differentiated:  # a node of its own: what one was computed from may be another of them
                tensors[i] = m.identity(tensors[i])
            outs, _ = self.forward.run(*tensors, given={v: wrap(kept[i]) for v, i in self.drawn.items()})
        wanted = [tensors[i] for i in self.differentiated]
        return grad([outs[n] for n in self.position], wanted, list(g), create_graph=True, allow_unused=True)


def split(builder, graph, joint, position):
    """(forward graph, Joint) from the graph of both."""
    mark, _, seeds, found = joint
    count, known = len(graph.outputs), len(builder.nodes)
    gradients, differentiated = [], []
    inputs = list(graph.inputs)
    own = [v for v in inputs if v.source.source[0] != "cotangent"]
    for i, v in enumerate(own):
        kind, *rest = v.source.source
        t = v.source.holder if kind == "arg" else rest[0] if kind == "tensor" else None
        if t is None or not t.requires_grad:
            continue
        g = _gradient(found, edge_of(t))
        if g is not None:
            differentiated.append(i)
            gradients.append(builder.value(g._data))
    whole = Graph(inputs, builder.nodes, [*graph.outputs, *gradients], graph.writes).without_dead()
    cotangents = [next(v for v in builder.inputs if v.source.array is g._data) for g in seeds]
    after = _after(builder, mark, known)
    ahead = [n for n in whole.nodes if n not in after]
    behind = [n for n in whole.nodes if n in after]
    return _separate(whole, count, ahead, behind, cotangents, differentiated, position)


def _gradient(found, edge):
    if isinstance(edge, Port):
        g = found.get(edge.node)
        return None if g is None else g[edge.number]
    return None if edge is None else found.get(edge)


def _after(builder, mark, known):
    """The nodes that belong to the backward pass: those of its part of the log, and what reads its results at the end."""
    return {*builder.nodes[builder.marks[mark]:builder.marks[-1]], *builder.nodes[known:]}


def _separate(whole, count, ahead, behind, cotangents, differentiated, position):
    given = set(cotangents)
    behind = [*_views(ahead, behind), *behind]
    made = {v for n in behind for v in n.outs}
    inputs = [v for v in whole.inputs if v not in given]
    written = {v for v, _ in whole.writes}
    needed = list(dict.fromkeys(v for n in behind for v in n.values if v not in made and v not in given
                                and v.constant is None))
    needed += [v for v in whole.outputs[count:] if v not in made and v not in given and v.constant is None
               and v not in needed]
    drawn = [v for n in ahead if getattr(n.op, "random", False) for v in n.outs]
    needed += [v for v in drawn if v not in needed]
    changed = [v for v in _behind(whole.outputs[:count]) if v in written]  # gradients of gradients start from what it was
    needed += [v for v in changed if v not in needed]
    outputs, saved, replaced = list(whole.outputs[:count]), [], {}
    returned = {outputs[n]: n for n in position}
    for v in needed:
        if v in inputs and v not in written:
            continue
        if v in written:  # the program changes it: keep what it was
            keep = Node(Clone(), [v], [(v.shape, v.dtype)])
            ahead.insert(0, keep)
            outputs.append(keep.outs[0])
        elif v not in returned:
            outputs.append(v)
        saved.append((returned.get(v, len(outputs) - 1), v))
    forward = Graph(inputs, ahead, outputs, whole.writes).verify().without_dead()
    direct = [v for v in needed if v in inputs and v not in written]
    back_inputs = []
    for v in [*cotangents, *direct, *[v for _, v in saved]]:
        replaced[v] = Value(v.shape, v.dtype, source="given", strides=v.strides)
        back_inputs.append(replaced[v])
    nodes = []
    for n in behind:
        copy = Node(n.op, [replaced.get(a, a) if isinstance(a, Value) else a for a in n.args],
                    [(v.shape, v.dtype) for v in n.outs], n.where)
        replaced.update(zip(n.outs, copy.outs))
        nodes.append(copy)
    back = Graph(back_inputs, nodes, [replaced.get(v, v) for v in whole.outputs[count:]]).verify().without_dead()
    plain = Graph(inputs, ahead, whole.outputs[:count], whole.writes)
    places = {v: len(direct) + k for k, (_, v) in enumerate(saved)}
    return forward, Joint(back, [inputs.index(v) for v in direct], [k for k, _ in saved],
                          differentiated, position, plain, {v: places[v] for v in drawn},
                          {inputs.index(v): places[v] for v in changed})


def _views(ahead, behind):
    """Views that the backward pass needs, and what they are views of as far as these are views: they are made there again,
    and what they look into is kept, which is there anyway or not larger."""
    wanted = {v for n in behind for v in n.values}
    found: list[Node] = []
    for n in reversed(ahead):
        if n.op.view and len(n.outs) == 1 and len(n.values) == 1 and n.outs[0] in wanted and _is_turn(n):
            wanted.add(n.values[0])
            found.append(n)
    return found[::-1]


def _is_turn(node) -> bool:
    """Whether a view has all that it looks into, once."""
    x, y = node.values[0], node.outs[0]
    return x.dtype == y.dtype and prod(x.shape) == prod(y.shape) and type(node.op).__name__ != "Expand"


def _behind(values):
    """All that values are computed from."""
    seen, stack = {}, list(values)
    while stack:
        v = stack.pop()
        if v not in seen:
            seen[v] = True
            stack += v.node.values if v.node is not None else ()
    return seen
