"""Gradients of parts of one tensor, side by side: `side_by_side(graph)`.

A loop over x[:, t] gives as many gradients, each in its place among zeros as large as x, and their sum: for n time steps
n² of work. Parts are joined instead; where they overlap, as those of x[1:] - x[:-1] do, the whole is cut where one begins
or ends, and each piece is a sum. What is 0 + -0 in the sum is 0 here, too, so not a bit changes where one other term at
most is added; several are added up first.
"""
from __future__ import annotations

import numpy as np

from kobai.compile.graph import Graph, Node, Value
from kobai.ops.elementwise import Add
from kobai.ops.join import Cat
from kobai.ops.movement import Reshape, Slice

PUTS = ("PutSlice", "PutSelect")
OFTEN = 4  # parts that overlap are cut into so many pieces each at most, on average


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
        chosen = max((_together(parts) for parts in found.values()), key=len, default=[])
        if len(chosen) < 2:
            return
        out, dim = node.outs[0], _part(chosen[0][2].node)[0]
        taken = {v: (first, end) for first, end, v in chosen}
        if not _are_apart(chosen):  # pieces are sums anyway: of all terms, in their order
            chosen = [(*taken.get(v, (0, out.shape[dim])), v) for v in terms]
            last = self._joined(chosen, dim, out, node.where, taken).node
            node.op, node.args = last.op, last.args
            self.nodes.pop()
            return
        total = None
        for v in [*[v for v in terms if v not in taken], self._joined(chosen, dim, out, node.where, taken)]:
            total = v if total is None else self._made(Add(), [total, v], out.shape, out.dtype, node.where)
        node.op, node.args = Add(), (total, out.dtype.type(0))

    def _joined(self, parts, dim: int, out: Value, where, taken) -> Value:
        """What lies in each stretch between borders of parts, in order; zeros where nothing does."""
        pieces, sums = [], not _are_apart(parts)
        for (first, end), some in _stretches(parts, out.shape[dim]).items():
            inside = [self._cut(v.node.args[0] if v in taken else v, dim, start, first, end, out, where) for start, v in some]
            shape = (*out.shape[:dim], end - first, *out.shape[dim + 1:])
            total = inside[0] if inside else Value(shape, out.dtype, constant=np.broadcast_to(out.dtype.type(0), shape))
            for v in [*inside[1:], *[out.dtype.type(0)] * (sums and bool(inside))]:
                total = self._made(Add(), [total, v], shape, out.dtype, where)
            pieces.append(total)
        return self._made(Cat(dim), pieces, out.shape, out.dtype, where)

    def _cut(self, x: Value, dim: int, start: int, first: int, end: int, out: Value, where) -> Value:
        """What lies between two borders of a part that begins at `start`."""
        through = len(x.shape) == len(out.shape)
        if not through:
            x = self._made(Reshape((*x.shape[:dim], 1, *x.shape[dim:])), [x], (*x.shape[:dim], 1, *x.shape[dim:]), x.dtype, where)
        return self._sliced(x, Slice(dim, first - start, end - start, 1), where, through)

    def _sliced(self, x: Value, op: Slice, where, through: bool) -> Value:
        """A stretch of a value; where that is made element by element for this only, it is made in stretches."""
        shape = (*x.shape[:op.dim], op.end - op.start, *x.shape[op.dim + 1:])
        if shape == x.shape:
            return x
        node = x.node
        if through and node is not None and node.op.elementwise and len(node.outs) == 1 and x not in self.results \
                and len(self.users[x]) == 1 and all(not isinstance(a, Value) or a.shape == x.shape for a in node.args) \
                and not getattr(node.op, "random", False):
            args = [self._sliced(a, op, where, True) if isinstance(a, Value) else a for a in node.args]
            return self._made(node.op, args, shape, x.dtype, where)
        return self._made(op, [x], shape, x.dtype, where)

    def _made(self, op, args, shape, dtype, where) -> Value:
        node = Node(op, args, [(shape, dtype)], where)
        self.nodes.append(node)
        return node.outs[0]


def _stretches(parts, size: int) -> dict[tuple[int, int], list]:
    """{neighbouring borders of parts in what has `size`: where parts that lie there begin, and these}."""
    borders = sorted({0, size, *[p[0] for p in parts], *[p[1] for p in parts]})
    at, found = {b: i for i, b in enumerate(borders)}, [[] for _ in borders[1:]]
    for first, end, v in parts:
        for some in found[at[first]:at[end]]:
            some.append((first, v))
    return dict(zip(zip(borders, borders[1:]), found))


def _are_apart(parts) -> bool:
    return len(_apart(parts)) == len(parts)


def _together(parts) -> list:
    """Parts to join, in the order in which they are added: all, unless they would be cut into too many pieces."""
    borders = sorted({b for p in parts for b in p[:2]})
    at = {b: i for i, b in enumerate(borders)}
    return parts if sum(at[end] - at[first] for first, end, _ in parts) <= OFTEN * len(parts) else _apart(parts)


def _apart(parts) -> list:
    """Parts in order, those left out that overlap one before them."""
    found: list = []
    for first, end, v in sorted(parts, key=lambda p: p[:2]):
        if not found or first >= found[-1][1]:
            found.append((first, end, v))
    return found
