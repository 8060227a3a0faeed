"""`tf.autodiff.ForwardAccumulator`: derivatives along one direction, computed together with the values."""
from __future__ import annotations

import numpy as np

from ...autograd.dual import Dual
from ...autograd.mode import modes, next_level
from ...diagnose import error
from ...op import m
from ...tensor import LiftedTensor, wrap
from . import nest
from .dtypes import as_dtype
from .names import export
from .recording import value
from .tape import UnconnectedGradients
from .tensors import EagerTensor, box
from .values import value_of


@export("autodiff.ForwardAccumulator")
class ForwardAccumulator:
    """Inside the block, what is computed from `primals` carries its derivative along `tangents`.

    >>> import kobai.compat.tensorflow as tf
    >>> x = tf.constant([2.0, 3.0])
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
    ...     y = tf.reduce_sum(x ** 2)
    >>> print(acc.jvp(y))
    tf.Tensor(4.0, shape=(), dtype=float32)
    """

    def __init__(self, primals, tangents):
        self._primals, found = nest.flatten(primals), nest.flatten(tangents)
        if len(self._primals) != len(found):
            raise error("lengths-differ", ValueError("`primals` and `tangents` must have the same structure."),
                        what="tangents", count=len(found), other="primals", other_count=len(self._primals))
        self._tangents = [value_of(t, as_dtype(p.dtype)) for p, t in zip(self._primals, found)]
        for p, t in zip(self._primals, self._tangents):
            if tuple(p.shape) != t._value.shape:
                raise error("tensor-shape",
                            ValueError(f"ForwardAccumulator: the tangent of a primal of shape {p.shape} must have that "
                                       f"shape, not {t._value.shape}"),
                            what="a tangent", shape=tuple(t._value.shape), want=tuple(p.shape))
        self._level, self._before = None, []

    def __enter__(self):
        if self._level in modes.dual:
            raise error("call-order", ValueError("Accumulator is already recording."),
                        why="the accumulator is open already.",
                        fix="make a tf.autodiff.ForwardAccumulator(...) of its own for each `with`.")
        self._level = next_level()
        modes.dual = (*modes.dual, self._level)
        for p, t in zip(self._primals, self._tangents):
            if isinstance(p, EagerTensor):
                self._before.append(p._t)
                p._t = _dual(p._t, t, self._level)
            else:
                self._before.append(p._dual)
                p._dual = _dual(p._dual or p._leaf, t, self._level)
        return self

    def __exit__(self, *exc):
        modes.dual = tuple([level for level in modes.dual if level != self._level])
        for p, before in zip(self._primals, self._before):
            if isinstance(p, EagerTensor):
                p._t = before
            else:
                p._dual = before
        self._before = []

    def jvp(self, primals, unconnected_gradients=UnconnectedGradients.NONE):
        """The derivative of one of the primals, or of what was computed from them; None if it does not depend on them."""
        zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO
        return nest.map_structure(lambda p: self._one(p, zero), primals)

    def _one(self, p, zero):
        t = next((t for mine, t in zip(self._primals, self._tangents) if mine is p), None)
        if t is None and isinstance(p, EagerTensor):
            t = _tangent(p._t, self._level)
        if t is None:
            return box(wrap(np.zeros_like(value(p._t if isinstance(p, EagerTensor) else p._leaf)))) if zero else None
        return box(t)


def _dual(t, tangent, level):
    """A tensor that carries a tangent, and is watched if `t` is."""
    out = LiftedTensor(Dual(t, tangent, level))
    return out


def _tangent(t, level):
    """The tangent of one level; those of levels inside it are carried along."""
    v = t._value
    if type(v) is not Dual:
        return None
    if v.level == level:
        return v.tangent
    outer, inner = _tangent(v.primal, level), _tangent(v.tangent, level)
    if outer is None and inner is None:
        return None
    outer = m.zeros_like(v.primal.detach()) if outer is None else outer
    return outer if inner is None else LiftedTensor(Dual(outer, inner, v.level))
