"""Forward mode: a value together with its tangent, carried through every op."""
from __future__ import annotations

from ..lifted import Lifted
from ..op import dtype_of, m
from ..rules import asks_of
from ..tensor import LiftedTensor, Tensor, wrap
from .mode import enable_grad, modes


class Dual(Lifted):
    """`primal` and `tangent` are Tensors of equal shape; `level` tells nested derivatives apart."""

    __slots__ = ("primal", "tangent", "level")

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level

    shape = property(lambda self: self.primal._value.shape)
    dtype = property(lambda self: self.primal._value.dtype)

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
        mine = [isinstance(v, Dual) and v.level == self.level for v in values]
        primals = [v.primal if own else v for v, own in zip(values, mine)]
        tangents = [v.tangent if own else None for v, own in zip(values, mine)]
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
        y, t = _tensor(y), _tensor(t)
        return Dual(y, m.cast(m.expand_to(t, tuple(y.shape)), y._value.dtype), self.level)


def _tensor(v):
    return v if isinstance(v, Tensor) else LiftedTensor(v) if isinstance(v, Lifted) else wrap(v)


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
                term = _apply_rule(op, name, rule, m.expand_to(t, tuple(y.shape)), primals, y)
                total = term if total is None else total + term
        return total
    return _twice(op, primals, tangents, y)


def _varies(p):
    return hasattr(p, "shape") and dtype_of(p).kind in "fcV"


def _any_complex(primals, y):
    return any(hasattr(v, "shape") and dtype_of(v).kind == "c" for v in (*primals, y))


def _apply_rule(op, name, rule, t, primals, y):
    if not callable(rule):
        return t * rule
    args = arguments(op, rule, t, primals, y, ())
    return rule(op, *args) if hasattr(type(op), f"vjp_{name}") else t * rule(op, *args)


def arguments(op, rule, g, primals, y, needs):
    """What a rule asks for, by name."""
    have = {"g": g, "y": y, "needs": needs}
    for i, name in enumerate(op.inputs):
        if op.variadic and i == len(op.inputs) - 1:
            rest = tuple(primals[i:])
            have |= {name: rest, name + "_shape": tuple([tuple(p.shape) for p in rest]),
                     name + "_dtype": tuple([dtype_of(p) for p in rest])}
        else:
            p = primals[i]
            have |= {name: p, name + "_shape": tuple(getattr(p, "shape", ())),
                     name + "_dtype": dtype_of(p) if hasattr(p, "shape") else None}
    return [have[a] for a in asks_of(rule)]


def _twice(op, primals, tangents, y):
    """vjp is linear in its cotangent; the vjp of that is the jvp. True of every op, at twice the cost."""
    from .engine import grad  # noqa: PLC0415  (the engine needs the ops, whose tangents need it)
    outs = y if op.outputs != 1 else (y,)
    graph = modes.grad
    with enable_grad():
        g = tuple([m.zeros_like(_tensor(v).detach()).requires_grad_() if _varies(v) else None for v in outs])
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
        pairs = [(_tensor(b), _tensor(t)) for b, t in zip(back, tangents)
                 if b is not None and t is not None and _tensor(b).requires_grad]
        wanted = [v for v in g if v is not None]
        if not pairs:
            return None if op.outputs == 1 else (None,) * len(outs)
        found = iter(grad([b for b, _ in pairs], wanted, [m.cast(t, b._value.dtype) for b, t in pairs],
                          create_graph=graph, retain_graph=True, allow_unused=True))
    result = tuple([next(found) if v is not None else None for v in g])
    return result if op.outputs != 1 else result[0]
