"""Matrix products with what is done before and after: `with_sums(graph)` makes one op of alpha a b + e, or of its transpose."""
from __future__ import annotations

import numpy as np

from kobai.compile.graph import Graph, Node, Value
from kobai.ops.elementwise import Add

PRODUCTS = ("Mm", "Bmm", "Affine")


class Affine:
    """alpha a b, or alpha a b + e: an op that only plans have."""

    fields = ("alpha",)
    outputs, emit, elementwise, view, moves, lower = 1, None, False, False, False, None

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def __call__(self, a, b, e=None):
        y = np.matmul(a, b)
        y = y if self.alpha == 1 else y * y.dtype.type(self.alpha)
        return y if e is None else y + e

    forward = __call__


def is_product(node: Node | None) -> bool:
    """Whether a node is a matrix product that native code can do."""
    if node is None or type(node.op).__name__ not in PRODUCTS or any(not isinstance(a, Value) for a in node.args):
        return False
    out = node.outs[0]
    return (out.dtype.char in "fd" or _is_fast(out.dtype)) \
        and all(v.dtype == out.dtype and 0 not in v.shape for v in (*node.args, out)) \
        and all(v.shape[:-2] == out.shape[:-2] for v in node.args[:2])


def _is_fast(dtype) -> bool:
    """Whether this is bfloat16, on a CPU that multiplies matrices of it."""
    if dtype.char != "E":
        return False
    from kobai.backends import blas  # noqa: PLC0415 (backends are loaded when something is compiled)
    return blas.has(dtype)


def _turns(node: Node) -> bool:
    """Whether a node transposes a matrix."""
    op, name = node.op, type(node.op).__name__
    return (name == "T" or name == "Permute" and op.dims == (1, 0) or name == "Transpose" and {op.dim0, op.dim1} == {0, 1}) \
        and len(node.outs[0].shape) == 2


def with_sums(graph: Graph) -> Graph:
    """The graph with `Affine` for products whose factors or results are scaled, or that are used once, in a sum."""
    work = _Absorber(graph)
    for node in graph.nodes:
        work.take(node)
    return Graph(graph.inputs, work.nodes, graph.outputs, graph.writes).without_dead()


class _Absorber:
    def __init__(self, graph: Graph):
        self.users, self.results, self.nodes = graph.users(), set(graph.results), []

    def take(self, node: Node):
        """Add a node to the new graph, as an `Affine` if it is one."""
        name = type(node.op).__name__
        if is_product(node):
            self._unscale(node)
        elif name == "Mul":
            self._scale(node)
        elif _turns(node):
            self._turn(node)
        elif name == "Add" and all(isinstance(v, Value) for v in node.args):
            self._add(node, *node.args) or self._add(node, *node.args[::-1])
        self.nodes.append(node)

    def _unscale(self, node: Node):
        """(x * number) b as number x b."""
        args, alpha = list(node.args), 1.0
        for i, v in enumerate(args[:2]):
            x, number = _scaled(v.node)
            if x is not None and x.shape == v.shape and len(self.users[v]) == 1 and v not in self.results:
                args[i], alpha = x, alpha * number
        if alpha != 1:
            node.op, node.args = Affine(alpha), tuple(args)

    def _turn(self, node: Node):
        """A product that is only wanted transposed as that of the factors transposed: its rows are in order then, and a sum
        with others may follow."""
        v, turn = node.args[0], node.op
        if is_product(v.node) and len(v.node.args) == 2 and v not in self.results and len(self.users[v]) == 1:
            a, b = v.node.args
            node.op, node.args = v.node.op, (self._turned(b, turn, node), self._turned(a, turn, node))

    def _turned(self, x: Value, turn, node: Node) -> Value:
        if x.node is not None and _turns(x.node):
            return x.node.args[0]
        new = Node(turn, [x], [(x.shape[::-1], x.dtype)], node.where)
        self.nodes.append(new)
        return new.outs[0]

    def _scale(self, node: Node):
        v, number = _scaled(node)
        if self._absorbs(v, node) and len(v.node.args) == 2:
            alpha = getattr(v.node.op, "alpha", 1.0)
            node.op, node.args = Affine(alpha * number), v.node.args

    def _add(self, node: Node, v: Value, e: Value) -> bool:
        if v is e or not self._absorbs(v, node) or e.dtype != v.dtype or not e.shape or e.shape[-1] != v.shape[-1]:
            return False
        a, b, *old = v.node.args
        if old and not len(old[0].shape) == 1 == len(e.shape):
            return False
        if old:  # two biases
            total = Node(Add(), [old[0], e], [(e.shape, e.dtype)], node.where)
            self.nodes.append(total)
            e = total.outs[0]
        node.op, node.args = Affine(getattr(v.node.op, "alpha", 1.0)), (a, b, e)
        return True

    def _absorbs(self, v, node: Node) -> bool:
        """Whether a product is used by this node only, and gives it its shape."""
        return v is not None and is_product(v.node) and v.shape == node.outs[0].shape and v not in self.results \
            and len(self.users[v]) == 1


def _scaled(node: Node | None):
    """(x, number) of a node that is x * number, or (None, 1)."""
    if node is not None and type(node.op).__name__ == "Mul":
        for x, number in (node.args, node.args[::-1]):
            if isinstance(x, Value) and isinstance(number, np.floating) and number.dtype == x.dtype and x.dtype.char in "fd":
                return x, float(number)
    return None, 1.0
