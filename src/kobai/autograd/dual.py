"""Forward mode: a value together with its tangent, carried through every op."""
from __future__ import annotations

import numpy as np

from ..lifted import Lifted
from ..op import dtype_of, m
from ..rules import asks_of
from ..saved import tensor_of
from ..tensor import LiftedTensor, constant, wrap
from .mode import enable_grad, modes


class Dual(Lifted):
    """`primal` and `tangent` are Tensors of equal shape; `level` tells nested derivatives apart."""

    __slots__ = ("primal", "tangent", "level", "shape", "dtype")

    def __init__(self, primal, tangent, level):
        x = primal._value
        self.primal, self.tangent, self.level, self.shape, self.dtype = primal, tangent, level, x.shape, x.dtype

    def detached(self):
        v = self.primal.detach()
        return v._value if type(v) is LiftedTensor else v

    def plain(self):
        return self.primal.detach()

    def suffixes(self):
        return (f"tangent={self.tangent}",) if self.level in modes.dual else ()

    def mapped(self, fn):
        primal, tangent = fn(self.primal), fn(self.tangent)
        return self if primal is self.primal and tangent is self.tangent else Dual(primal, tangent, self.level)

    def process(self, op, values):
        primals, tangents, level = [], [], self.level
        for v in values:
            own = v.__class__ is Dual and v.level == level
            primals.append(v.primal if own else constant(wrap(v)) if isinstance(v, np.generic) else v)
            tangents.append(v.tangent if own else None)
        y = op(*primals)
        if not (op.differentiable or op.linear):
            return y
        t = tangent_of(op, primals, tangents, y)
        if op.outputs == 1:
            return self._pair(y, t)
        return tuple([self._pair(v, w) for v, w in zip(y, t)])

    def _pair(self, y, t):
        if t is None or dtype_of(y).kind not in "fcV":
            return y
        y, t = tensor_of(y), tensor_of(t)
        a, b = y._value, t._value
        if a.shape != b.shape or a.dtype != b.dtype:
            t = m.cast(m.expand_to(t, tuple(a.shape)), a.dtype)
        return Dual(y, t, self.level)


def tangent_of(op, primals, tangents, y):
    """dy along `tangents` (None where an input does not vary): from the op's rules."""
    if hasattr(op, "jvp"):
        return op.jvp(primals, tangents, y)
    if op.linear:
        return op(*[t if t is not None else m.zeros_like(p) if _varies(p) else p
                    for p, t in zip(primals, tangents)])
    if op.elementwise and not _any_complex(primals, y):
        total = None
        for name, t in zip(op.inputs, tangents):
            rule = op.rules.get(name) if t is not None else None
            if rule is not None:  # the Jacobian is diagonal, so it is its own transpose
                t = t if t._value.shape == y.shape else m.expand_to(t, tuple(y.shape))
                term = _apply_rule(op, name, rule, t, primals, y)
                total = term if total is None else total + term
        return total
    return _twice(op, primals, tangents, y)


def _varies(p):
    return hasattr(p, "shape") and dtype_of(p).kind in "fcV"


def _any_complex(primals, y):
    for v in primals:
        if hasattr(v, "shape") and dtype_of(v).kind == "c":
            return True
    return dtype_of(y).kind == "c"


def _apply_rule(op, name, rule, t, primals, y):
    if not callable(rule):
        return t * rule
    args = arguments(op, rule, t, primals, y, ())
    return rule(op, *args) if hasattr(type(op), f"vjp_{name}") else t * rule(op, *args)


def arguments(op, rule, g, primals, y, needs):
    """What a rule asks for, by name."""
    return [g if a == "g" else y if a == "y" else needs if a == "needs" else _of_an_input(op, a, primals)
            for a in asks_of(rule)]


def _of_an_input(op, ask, primals):
    """An input, or its shape or dtype; several of an input that is several values."""
    name, _, what = (ask, "", "") if ask in op.inputs else ask.rpartition("_")
    i = op.inputs.index(name)
    if op.variadic and i == len(op.inputs) - 1:
        rest = tuple(primals[i:])
        return rest if not what else tuple([_shape_or_dtype(p, what) for p in rest])
    return primals[i] if not what else _shape_or_dtype(primals[i], what)


def _shape_or_dtype(p, what):
    if what == "shape":
        return tuple(getattr(p, "shape", ()))
    return dtype_of(p) if hasattr(p, "shape") else None


def _twice(op, primals, tangents, y):
    """vjp is linear in its cotangent; the vjp of that is the jvp. True of every op, at twice the cost."""
    from .engine import grad  # noqa: PLC0415  (the engine needs the ops, whose tangents need it)
    outs = y if op.outputs != 1 else (y,)
    graph = modes.grad
    with enable_grad():
        g = tuple([m.zeros_like(tensor_of(v).detach()).requires_grad_() if _varies(v) else None for v in outs])
        g_in = g if op.outputs != 1 else g[0]
        if op.joint:
            needs = tuple([t is not None for t in tangents])
            back = op.joint(*arguments(op, type(op).joint, g_in, primals, y, needs))
        else:
            back = [op.rules[n](op, *arguments(op, op.rules[n], g_in, primals, y, ()))
                    if t is not None and n in op.rules else None for n, t in zip(op.inputs, tangents)]
            if op.elementwise:
                back = [None if b is None else m.sum_to(
                    b if hasattr(type(op), f"vjp_{n}") else g_in * m.conj(b), tuple(p.shape))
                    for b, n, p in zip(back, op.inputs, primals)]
        pairs = [(tensor_of(b), tensor_of(t)) for b, t in zip(back, tangents)
                 if b is not None and t is not None and tensor_of(b).requires_grad]
        wanted = [v for v in g if v is not None]
        if not pairs:
            return None if op.outputs == 1 else (None,) * len(outs)
        found = iter(grad([b for b, _ in pairs], wanted, [m.cast(t, b._value.dtype) for b, t in pairs],
                          create_graph=graph, retain_graph=True, allow_unused=True))
    result = tuple([next(found) if v is not None else None for v in g])
    return result if op.outputs != 1 else result[0]
