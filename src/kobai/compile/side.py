"""Gradients of parts of one tensor, side by side: `side_by_side(graph)`.

A loop over x[:, t] gives as many gradients, each in its place among zeros as large as x, and their sum: for n time steps
n² of work. Parts that do not overlap are joined instead. What is 0 + -0 in the sum is 0 here, too, so not a bit changes
where one other term at most is added; several are added up first.
"""
from __future__ import annotations

import numpy as np

from kobai.compile.graph import Graph, Node, Value
from kobai.ops.elementwise import Add
from kobai.ops.join import Cat
from kobai.ops.movement import Reshape

PUTS = ("PutSlice", "PutSelect")


def side_by_side(graph: Graph) -> Graph:
    """The graph with one `Cat` for the parts that a sum puts beside each other."""
    if sum(_part(n) is not None for n in graph.nodes) < 2:
        return graph
    work = _Joiner(graph)
    for node in graph.nodes:
        work.take(node)
    return Graph(graph.inputs, work.nodes, graph.outputs, graph.writes).without_dead()


def _part(node: Node | None) -> tuple[int, int, int] | None:
    """(dimension, first, end) of the stretch that a node puts its argument in."""
    if node is None or type(node.op).__name__ not in PUTS or not isinstance(node.args[0], Value):
        return None
    op, x, out = node.op, node.args[0], node.outs[0]
    if out.dtype.kind != "f" or x.dtype != out.dtype or 0 in x.shape:
        return None
    if type(op).__name__ == "PutSelect":
        return op.dim, op.index, op.index + 1
    return (op.dim, op.start, op.start + x.shape[op.dim]) if op.step == 1 else None


class _Joiner:
    def __init__(self, graph: Graph):
        self.nodes: list[Node] = []
        self.users, self.results = graph.users(), frozenset(graph.results)

    def take(self, node: Node):
        """Add a node to the new graph, as a sum with parts joined if it is the last of such a sum."""
        if self._adds(node) and not self._goes_on(node):
            self._join(node, self._terms(node))
        self.nodes.append(node)

    def _adds(self, node: Node | None) -> bool:
        return node is not None and type(node.op).__name__ == "Add" and all(isinstance(v, Value) for v in node.args) \
            and all((v.shape, v.dtype) == (node.outs[0].shape, node.outs[0].dtype) for v in node.args)

    def _goes_on(self, node: Node) -> bool:
        """Whether a sum is only used as a term of another."""
        out = node.outs[0]
        users = self.users.get(out, ())
        return out not in self.results and len(users) == 1 and self._adds(users[0]) and users[0].args.count(out) == 1

    def _terms(self, node: Node) -> list[Value]:
        """What is added up, in order."""
        terms, stack = [], list(reversed(node.args))
        while stack:
            v = stack.pop()
            if self._adds(v.node) and self._goes_on(v.node):
                stack += reversed(v.node.args)
            else:
                terms.append(v)
        return terms

    def _join(self, node: Node, terms: list[Value]):
        found: dict[int, list] = {}
        for v in dict.fromkeys(terms):
            part = _part(v.node)
            if part is not None and terms.count(v) == 1:
                found.setdefault(part[0], []).append((*part[1:], v))
        chosen = max((_apart(parts) for parts in found.values()), key=len, default=[])
        if len(chosen) < 2:
            return
        out, dim = node.outs[0], _part(chosen[0][2].node)[0]
        total, taken = None, {v for *_, v in chosen}
        for v in [*[v for v in terms if v not in taken], self._joined(chosen, dim, out, node.where)]:
            total = v if total is None else self._made(Add(), [total, v], out.shape, out.dtype, node.where)
        node.op, node.args = Add(), (total, out.dtype.type(0))

    def _joined(self, parts, dim: int, out: Value, where) -> Value:
        """Stretches in order, and zeros between them."""
        pieces, at = [], 0
        for first, end, v in [*parts, (out.shape[dim], None, None)]:
            if first > at:
                shape = (*out.shape[:dim], first - at, *out.shape[dim + 1:])
                pieces.append(Value(shape, out.dtype, constant=np.broadcast_to(out.dtype.type(0), shape)))
            if v is not None:
                shape = (*out.shape[:dim], end - first, *out.shape[dim + 1:])
                x = v.node.args[0]
                pieces.append(x if x.shape == shape else self._made(Reshape(shape), [x], shape, x.dtype, where))
                at = end
        return self._made(Cat(dim), pieces, out.shape, out.dtype, where)

    def _made(self, op, args, shape, dtype, where) -> Value:
        node = Node(op, args, [(shape, dtype)], where)
        self.nodes.append(node)
        return node.outs[0]


def _apart(parts) -> list:
    """Parts in order, those left out that overlap one before them."""
    found: list = []
    for first, end, v in sorted(parts, key=lambda p: p[:2]):
        if not found or first >= found[-1][1]:
            found.append((first, end, v))
    return found
