"""vmap: a value for a whole batch, that shows each op the shape of one example."""
from __future__ import annotations

import functools

import numpy as np

from ..diagnose import error
from ..lifted import Lifted
from ..op import m
from ..saved import tensor_of
from ..tensor import LiftedTensor, Tensor, constant, wrap
from .mode import modes


class Batched(Lifted):
    """`value` is a Tensor with the batch as dimension 0; `shape` leaves it out."""

    __slots__ = ("value", "level", "shape", "dtype")
    per_example = True

    def __init__(self, value, level):
        x = value._value
        self.value, self.level, self.shape, self.dtype = value, level, x.shape[1:], x.dtype

    def detached(self):
        return Batched(self.value.detach(), self.level)

    def mapped(self, fn):
        value = fn(self.value)
        return self if value is self.value else Batched(value, self.level)

    def process(self, op, values):
        if getattr(op, "random", False):
            return modes.random.of(self.level).of_op(op, self, values)
        if op.elementwise:
            y = op(self.value) if len(values) == 1 else op(*self._aligned(values))
        else:
            size, y = self.value._value.shape[0], NotImplemented
            shared = getattr(op, "shared", None)
            if shared is not None:  # for what all examples have in common, as it is
                y = shared(size, tuple([self._mine(v) for v in values]),
                           [v.value if self._mine(v) else v for v in values])
            if y is NotImplemented and op.batch is not None:
                y = op.batch(size, tuple([self._mine(v) for v in values]), [self._expanded(v, size) for v in values])
            if y is NotImplemented:
                y = self._loop(op, values, size)
        if op.outputs == 1:
            return Batched(tensor_of(y), self.level)
        return tuple([Batched(tensor_of(v), self.level) for v in y])

    def _mine(self, v):
        return v.__class__ is Batched and v.level == self.level

    def _aligned(self, values):
        """Batch dimension first, then as many dimensions of size 1 as broadcasting needs."""
        sizes = [len(getattr(v, "shape", ())) for v in values]
        ndim, level, out = max(sizes), self.level, []
        for v, n in zip(values, sizes):
            if v.__class__ is Batched and v.level == level:
                v = v.value if n == ndim else m.reshape(v.value, (v.value._value.shape[0], *(1,) * (ndim - n), *v.shape))
            elif isinstance(v, np.generic):
                v = constant(wrap(v))  # as tensors they go the short way
            out.append(v)
        return out

    def _expanded(self, v, size):
        if self._mine(v):
            return v.value
        if v is None or not hasattr(v, "shape"):
            return v
        return m.expand_to(m.reshape(v, (1, *v.shape)), (size, *v.shape))

    def _loop(self, op, values, size):
        """One example after the other: right for every op, and slow."""
        results = []
        for i in range(max(size, 1)):
            results.append(op(*[m.select(v.value, 0, i) if self._mine(v) else v for v in values]))
        if op.outputs == 1:
            return m.stack(results)
        return tuple([m.stack(list(column)) for column in zip(*results)])


class Randomness:
    """What random functions do inside a vmap: numbers for each example, the same for all, or an error."""

    def __init__(self, kind, level, size, outer):
        self.kind, self.level, self.size, self.outer = kind, level, size, outer

    def of(self, level):
        """That of the vmap of a level, which is this one or one around it."""
        return self if self.level == level else self.outer.of(level)

    def draw(self, fn, args, kwargs):
        """fn(*args), a random function, for one example or for each."""
        if self.kind == "error":
            raise error("call-order", RuntimeError(_RANDOM),
                        why="each example could get the same random numbers or its own, and vmap was not told which.",
                        fix="pass randomness='different' to vmap for numbers of each example's own, or randomness='same'.")
        before, modes.random = modes.random, self.outer
        try:
            if self.kind == "same":
                return fn(*args, **kwargs)
            return self._each(fn, args, kwargs)
        finally:
            modes.random = before

    def _each(self, fn, args, kwargs):
        drawn = []
        for i in range(self.size):
            drawn.append(fn(*[self._example(a, i) for a in args], **kwargs))
        y = LiftedTensor(Batched(m.stack(drawn), self.level))
        return args[0].copy_(y) if fn.__name__.endswith("_") else y

    def _example(self, a, i):
        """Example number i of an argument, in memory of its own."""
        if not isinstance(a, Tensor):
            return a
        v = a._value
        return m.clone(m.select(v.value, 0, i) if isinstance(v, Batched) and v.level == self.level else a)

    def of_op(self, op, value, values):
        """A random op (such as dropout's noise) of batched values."""
        if self.kind == "error":
            raise error("call-order", RuntimeError(_RANDOM),
                        why="each example could get the same random numbers or its own, and vmap was not told which.",
                        fix="pass randomness='different' to vmap for numbers of each example's own, or randomness='same'.")
        if self.kind == "different":
            return Batched(tensor_of(value._loop(op, values, self.size)), self.level)
        return op(*[m.select(v.value, 0, 0) if value._mine(v) else v for v in values])


_RANDOM = ("vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
           "randomness flags on vmap or perform the randomness operation out of vmap")


def random_function(fn):
    """A function that draws random numbers: inside vmap it asks how."""
    @functools.wraps(fn)
    def call(*args, **kwargs):
        if modes.random is not None:
            return modes.random.draw(call, args, kwargs)
        if modes.trace is not None:
            return modes.trace.draw(fn, args, kwargs)
        return fn(*args, **kwargs)
    return call
