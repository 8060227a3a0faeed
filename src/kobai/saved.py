"""What a node saved for its rules: as arrays, as Tensors with their history, through hooks."""
from __future__ import annotations

import numpy as np

from .autograd.mode import modes
from .autograd.node import Freed, Port
from .diagnose import error
from .lifted import Lifted, m
from .rules import asks_of
from .tensor import LiftedTensor, Tensor, constant, wrap


def pack_saved(vjp, saved):
    """Pass what is saved through the innermost saved_tensors_hooks; unpacked again in `unpack`.

    Nobody follows what the hooks keep, so in-place changes count no longer: the version cells become ones that stay.
    """
    packed = [pack_one(v) if isinstance(v, (np.ndarray, np.generic, Lifted)) else v for v in saved[:len(vjp.asks)]]
    return (*packed, *((0,),) * vjp.cells, *(0,) * bool(vjp.cells))


def pack_one(value):
    """One saved value through the pack hook."""
    pack, unpack_hook = modes.pack
    return Packed(pack(_plain(value)), unpack_hook)


def _plain(v):
    with_grad, modes.pack = modes.pack, None
    try:
        return tensor_of(v)
    finally:
        modes.pack = with_grad


class Packed:
    """What a pack hook returned, and the hook that turns it back."""

    __slots__ = ("thing", "unpack")

    def __init__(self, thing, unpack):
        self.thing, self.unpack = thing, unpack

    def value(self):
        t = self.unpack(self.thing)
        if not isinstance(t, Tensor):
            raise error("wrong-return",
                        TypeError("Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                                  f"{type(t).__name__}"),
                        what="the unpack hook", kind=type(t), must="a tensor")
        return t._value


def raw_saved(node):
    """The saved values as arrays: the usual case is the tuple as it is."""
    saved = node.saved
    if saved.__class__ is tuple and not any(type(v) is Packed for v in saved):
        return saved
    if isinstance(saved, Freed):
        return saved
    return tuple([v.value() if type(v) is Packed else v for v in saved])


def unpack(node):
    """The saved values as Tensors that belong to the graph, for gradients of gradients."""
    saved = raw_saved(node)
    if not saved or isinstance(saved, Freed):
        return saved
    asks, op = node.vjp.asks, node.op
    values, cells = list(saved), _cells(node, saved)
    for i, ask in enumerate(asks):
        if ask == "y":
            values[i] = tuple([alias(v, Port(node, k)) for k, v in enumerate(saved[i])]) \
                if op.outputs != 1 else alias(saved[i], node, cells.get(ask))
        elif ask in op.inputs:
            k = op.inputs.index(ask)
            if op.variadic and k == len(op.inputs) - 1:
                values[i] = tuple([alias(v, e) for v, e in zip(saved[i], node.edges[k:])])
            else:
                values[i] = alias(saved[i], node.edges[k], cells.get(ask))
    return tuple(values)


def _cells(node, saved):
    """{name of what is saved: its version cell}, where it has one of its own: changes count for its gradients, too."""
    asks = node.vjp.asks
    if not node.vjp.cells:
        return {}
    names = [a for a in asks if a in node.op.inputs] + ["y"] * ("y" in asks)  # in the order of rules.compiled_rules
    return {a: c for a, c in zip(names, saved[len(asks):-1]) if c.__class__ is list}


def tie(node, saved, grads):
    """The gradients `grads` as part of the graph of the saved values they were computed from.

    So they are even where their derivative by these is zero everywhere, as that of relu's gradient is: PyTorch's are
    not None either.
    """
    op = node.op
    if op is None:
        return grads
    out = list(grads)
    for i, g in enumerate(grads):
        if isinstance(g, Tensor) and not g._rg and node.edges[i] is not None:
            rule = op.joint or op.rules.get(op.inputs[min(i, len(op.inputs) - 1)])
            asked = [v for a, v in zip(node.vjp.asks, saved) if a in asks_of(rule)]
            asked += [constant(alias(np.zeros(()), e)) for n, e in zip(op.inputs, node.edges) if n in op.ties]
            sources = [v for v in asked if isinstance(v, Tensor) and v._rg]
            if sources:
                out[i] = m.tied(g, *sources)
    return tuple(out)


def tensor_of(v):
    """A Tensor of an array, a NumPy number or a lifted value; what is a Tensor already, or None, stays so."""
    if v is None or isinstance(v, Tensor):
        return v
    return LiftedTensor(v) if isinstance(v, Lifted) else wrap(v)


def alias(value, edge, ver=None):
    """A Tensor of a saved value, with the history it had: gradients go on to where it came from."""
    if not isinstance(value, (np.ndarray, np.generic, Lifted)):
        return value
    if isinstance(edge, Tensor) and edge._value is value:
        return edge
    t = tensor_of(value)
    if ver is not None and type(t) is not LiftedTensor:
        t._ver = ver
    if edge is not None and value.dtype.kind in "fcV":
        if isinstance(edge, Tensor):  # a leaf whose array was replaced since
            edge = m.identity(edge)._node
        t._node, t._rg = edge, True
    return t


