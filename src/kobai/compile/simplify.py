"""A graph that does the same with less: `simplify(graph)`.

Nodes are applied anew, one after the other.  On the way ops become simpler ones (rewrite.py, or their `lower`), what is
constant is computed, what was computed before is taken from there, and what changes nothing is left out.
"""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.expand import Symbol, lowered, shapes_of
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import number_text
from kobai.compile.rewrite import SAME, SIMPLER, Refuse
from kobai.ops.movement import Expand

SAME_BYTES = 1 << 22  # of a constant that is compared with others
FOLD = 1 << 16  # elements of a constant that is computed here


def simplify(graph: Graph) -> Graph:
    """An equal graph: without dead code, common parts, identities, ops made of simpler ones.

    >>> from kobai.ops.elementwise import Neg
    >>> x = Value((2,), "f4")
    >>> twice = [Node(Neg(), [x], [((2,), x.dtype)]) for _ in range(2)]
    >>> len(simplify(Graph([x], twice, [n.outs[0] for n in twice])).nodes)
    1
    """
    work = _Simplifier()
    for node in graph.without_dead().nodes:
        work.where = node.where
        outs = work.apply(node.op, [work.known.get(a, a) for a in node.args], node)
        work.known.update(zip(node.outs, outs))
    outputs = [work.known.get(v, v) for v in graph.outputs]
    writes = [(target, work.known.get(v, v)) for target, v in graph.writes]
    writes = [(target, v) for target, v in writes if v is not target]
    return Graph(graph.inputs, work.nodes, outputs, writes).without_dead()


class _Simplifier:
    """The nodes made so far; `known` maps values of the old graph to new ones."""

    def __init__(self):
        self.nodes: list[Node] = []
        self.known: dict[Value, Value] = {}
        self.made: dict[tuple, tuple] = {}
        self.uniform: dict[Value, np.generic | None] = {}
        self.constants: dict[tuple, Value] = {}
        self.refused: set[Value] = set()
        self.where = None

    def apply(self, op, args, like: Node | None = None) -> tuple[Value, ...]:
        """The outputs of an op applied to new values, without its being applied if that can be."""
        args = [self._one(a) for a in args]
        if op.elementwise:
            args = self._with_numbers(op, args)
        name = type(op).__name__
        same = SAME[name](op, args) if name in SAME else None
        if isinstance(same, Value):
            return (same,)
        simpler = SIMPLER.get(name)
        if simpler is not None:
            outs = simpler(self, op, args)
            if outs is not None:
                return outs
        if isinstance(op, Refuse):
            self.refuse_if(*args)
            return ()
        if getattr(op, "random", False):
            return self._node(op, args, like)
        if all(not isinstance(a, Value) or a.constant is not None for a in args):
            outs = self._folded(op, args)
            if outs is not None:
                return outs
        key = (op, *map(_argument_key, args))
        outs = self.made.get(key)
        if outs is None:
            outs = self.made[key] = self._made(op, args, like)
        return outs

    def keep(self, op, args) -> tuple[Value, ...]:
        """The outputs of an op that a rule leaves as it is."""
        key = (op, *map(_argument_key, args))
        if key not in self.made:
            self.made[key] = self._node(op, args, None)
        return self.made[key]

    def _made(self, op, args, like):
        if op.lower is not None:
            outs = lowered(op, args, self.apply)
            if outs is not None:
                return outs
        if op.elementwise:
            small = self._below_expand(op, args)
            if small is not None:
                return small
        return self._node(op, args, like)

    def _node(self, op, args, like):
        shapes = shapes_of(op, args) if like is None else [(v.shape, v.dtype) for v in like.outs]
        node = Node(op, args, shapes, self.where)
        self.nodes.append(node)
        return node.outs

    def _one(self, a):
        """One constant for all that are equal."""
        if not isinstance(a, Value) or a.constant is None or a in self.uniform or a.constant.nbytes > SAME_BYTES:
            return a
        key = a.shape, a.dtype, np.asarray(a.constant).tobytes()
        return self.constants.setdefault(key, a)

    def _with_numbers(self, op, args):
        """Constants that are one number all over become that number, where others give the shape."""
        if not any(isinstance(a, Value) and a.constant is not None for a in args):
            return args
        shape = _broadcast(args)
        found = []
        for i, a in enumerate(args):
            number = self._number(a)
            others = [b for j, b in enumerate(args) if j != i and isinstance(b, Value)]
            if number is not None and others and _broadcast([*found, *others]) == shape:
                a = number
            found.append(a)
        return found if any(isinstance(a, Value) for a in found) else args

    def _number(self, a):
        """The number a constant is all over, or None."""
        if not isinstance(a, Value) or a.constant is None:
            return None
        if a not in self.uniform:
            self.uniform[a] = _uniform(np.asarray(a.constant))
        return self.uniform[a]

    def _folded(self, op, args):
        """The result of an op on constants, computed now unless it is large."""
        if op.view and type(op).__name__ == "Expand":
            return None
        shapes = shapes_of(op, args)
        if any(prod(s) > FOLD for s, _ in shapes):
            return None
        with np.errstate(all="ignore"):
            ys = op.forward(*[np.asarray(a.constant) if isinstance(a, Value) else a for a in args])
        ys = ys if op.outputs != 1 else (ys,)
        return tuple([Value(np.shape(y), y.dtype, constant=np.array(y)) for y in ys])

    def _below_expand(self, op, args):
        """f(expand(x), ...) as expand(f(x, ...)): not computed for every copy."""
        small = [a.node.args[0] if isinstance(a, Value) and a.node is not None and isinstance(a.node.op, Expand)
                 else a for a in args]
        if all(a is b for a, b in zip(small, args)):
            return None
        shape, less = _broadcast(args), _broadcast(small)
        if less == shape:
            return self.apply(op, small)
        outs = self.apply(op, small)
        return tuple([self.apply(Expand(shape), [v])[0] for v in outs])

    def refuse_if(self, condition: Value):
        """The graph must not be run where this is true: the op itself then says what is wrong."""
        if condition not in self.refused:
            self.refused.add(condition)
            self.nodes.append(Node(Refuse(), [condition], [], self.where))

    def symbol(self, value):
        """A value for rules written in terms of `m`."""
        return Symbol(value, self.apply) if isinstance(value, Value) else value


def _uniform(x: np.ndarray) -> np.generic | None:
    """The number an array is all over; None as well where it is too large to look."""
    if not x.size or x.dtype.kind == "V":
        return None
    first = x[(0,) * x.ndim]
    if not any(x.strides):
        return first
    return first if x.nbytes <= SAME_BYTES and x.tobytes() == first.tobytes() * x.size else None


def _broadcast(args):
    return np.broadcast_shapes(*[a.shape for a in args if isinstance(a, Value)])


def _argument_key(a):
    if isinstance(a, np.generic):
        return a.dtype, number_text(a.item())
    if isinstance(a, Value) and a.constant is not None and a.constant.ndim == 0:
        return "const", a.dtype, number_text(np.asarray(a.constant).item())
    return a
