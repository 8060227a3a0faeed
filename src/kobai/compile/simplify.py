"""A graph that does the same with less: `simplify(graph)`.

Nodes are applied anew, one after the other.  On the way ops become simpler ones (`SIMPLER`, or their `lower`), what is
constant is computed, what was computed before is taken from there, and what changes nothing is left out.
"""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.expand import Symbol, lowered, shapes_of
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import number_text
from kobai.lifted import m
from kobai.ops.movement import Expand, Reshape

FOLD = 1 << 16  # elements of a constant that is computed here
TINY = 4096     # multiplications of a matrix product that is cheaper as a kernel than as a call of gemm


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
        self.where = None

    def apply(self, op, args, like: Node | None = None) -> tuple[Value, ...]:
        """The outputs of an op applied to new values, without its being applied if that can be."""
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

    def _made(self, op, args, like):
        if op.lower is not None:
            return lowered(op, args, self.apply)
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
            x = np.asarray(a.constant)
            first = x.reshape(-1)[:1]
            same = x.size and x.dtype.kind != "V" and x.tobytes() == first.tobytes() * x.size
            self.uniform[a] = first[0] if same else None
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

    def symbol(self, value):
        """A value for rules written in terms of `m`."""
        return Symbol(value, self.apply) if isinstance(value, Value) else value


def _broadcast(args):
    return np.broadcast_shapes(*[a.shape for a in args if isinstance(a, Value)])


def _argument_key(a):
    if isinstance(a, np.generic):
        return a.dtype, number_text(a.item())
    if isinstance(a, Value) and a.constant is not None and a.constant.ndim == 0:
        return "const", a.dtype, number_text(np.asarray(a.constant).item())
    return a


# ---- what changes nothing --------------------------------------------------------------------
def _first_if(condition):
    """The first argument, where nothing changes it."""
    return lambda op, args: args[0] if condition(op, args[0]) else None


def _same_shape(op, x):
    return tuple(op.shape) == x.shape


def _same_dtype(op, x):
    return op.to == x.dtype


def _product_with_one(op, args):
    a, b = args
    return a if _is_one(b, a) else b if _is_one(a, b) else None


def _quotient_by_one(op, args):
    return args[0] if _is_one(args[1], args[0]) and args[0].dtype.kind == "f" else None


def _is_one(number, x):
    return isinstance(number, np.generic) and number == 1 and isinstance(x, Value) and x.dtype == number.dtype


def _copied_to(op, args):
    """Values written over others, which give the shape and dtype only."""
    target, x = args
    return x if isinstance(x, Value) and (x.shape, x.dtype) == (target.shape, target.dtype) else None


SAME = {
    "Identity": _first_if(lambda op, x: True),
    "Clone": _first_if(lambda op, x: True),  # values never change, so a copy is as good as the original
    "Tied": _first_if(lambda op, x: True),
    "Cast": _first_if(_same_dtype),
    "Promote": _first_if(_same_dtype),
    "ToInteger": _first_if(_same_dtype),
    "Reshape": _first_if(_same_shape),
    "UnsafeView": _first_if(_same_shape),
    "Expand": _first_if(_same_shape),
    "Permute": _first_if(lambda op, x: op.dims == tuple(range(len(op.dims)))),
    "Transpose": _first_if(lambda op, x: op.dim0 == op.dim1),
    "T": _first_if(lambda op, x: len(x.shape) < 2),
    "Mul": _product_with_one,
    "Div": _quotient_by_one,
    "CopyTo": _copied_to,
}


# ---- ops in terms of simpler ones ------------------------------------------------------------
def _ruled(rule):
    """A rule written in `m`, as one of `SIMPLER`."""
    def simpler(work, op, args):
        ys = rule(op, *map(work.symbol, args))
        if ys is None:
            return None
        ys = ys if isinstance(ys, tuple) else (ys,)
        return tuple([y.value for y in ys])
    return simpler


def _mm(a, b):
    from kobai.ops.linear import Mm  # noqa: PLC0415
    return Mm()(a, b)


def _linear(op, x, weight, bias=None):
    y = _mm(x, m.swap(weight))
    return y if bias is None else y + bias


def _addmm(op, c, a, b):
    y = _mm(a, b) if len(a.shape) == 2 else _bmm(a, b)
    if op.alpha != 1:
        y = y * op.alpha
    if op.beta == 0:
        return y
    return y + (c if op.beta == 1 else c * op.beta)


def _bmm(a, b):
    from kobai.ops.linear import Bmm  # noqa: PLC0415
    return Bmm()(a, b)


def _product(op, a, b):
    """A product of tiny matrices as multiplications and sums."""
    if a.dtype.kind != "f" or prod(a.shape) * b.shape[-1] > TINY or not prod(a.shape) * b.shape[-1]:
        return None
    if a.shape[-1] == 1:
        return a * b
    return m.sum(m.unsqueeze(a, -1) * m.unsqueeze(b, -3), -2)


def _vector(op, a, b):
    return m.sum(a * b, -1) if a.dtype.kind == "f" else None


def _sum(work, op, args):
    """A sum of one term is that term."""
    x, = args
    dims = range(len(x.shape)) if op.dim is None else op.dim
    if x.dtype.kind != "f" or any(x.shape[d] != 1 for d in dims):
        return None
    shape = tuple([s for d, s in enumerate(x.shape) if op.keepdim or d not in dims])
    return work.apply(Reshape(shape), args)


def _pointwise(op, x, t):
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        return None
    v = op.value(x, t)
    return v if op.reduction == "none" else m.mean(v) if op.reduction == "mean" else m.sum(v)


def _gives_like(number):
    def simpler(work, op, args):
        x = args[0]
        return (Value(x.shape, x.dtype, constant=np.broadcast_to(x.dtype.type(number), x.shape)),)
    return simpler


SIMPLER = {
    "Linear": _ruled(_linear),
    "LinearWithoutBias": _ruled(_linear),
    "Addmm": _ruled(_addmm),
    "Baddbmm": _ruled(_addmm),
    "Mm": _ruled(_product),
    "Bmm": _ruled(_product),
    "Mv": _ruled(_vector),
    "Dot": _ruled(_vector),
    "Sum": _sum,
    "SumAll": _sum,
    "Mean": _sum,
    "MeanAll": _sum,
    "MseLoss": _ruled(_pointwise),
    "ZerosLike": _gives_like(0),
    "OnesLike": _gives_like(1),
}


