"""vmap: a value for a whole batch, that shows each op the shape of one example."""
from __future__ import annotations

from ..lifted import Lifted
from ..op import m
from ..tensor import LiftedTensor, Tensor, wrap


class Batched(Lifted):
    """`value` is a Tensor with the batch as dimension 0; `shape` leaves it out."""

    __slots__ = ("value", "level")
    per_example = True

    def __init__(self, value, level):
        self.value, self.level = value, level

    shape = property(lambda self: self.value._value.shape[1:])
    dtype = property(lambda self: self.value._value.dtype)

    def detached(self):
        return Batched(self.value.detach(), self.level)

    def process(self, op, values):
        size = self.value._value.shape[0]
        if op.elementwise:
            y = op(*self._aligned(values))
        else:
            y = NotImplemented
            if op.batch is not None:
                y = op.batch(size, tuple([self._mine(v) for v in values]), [self._expanded(v, size) for v in values])
            if y is NotImplemented:
                y = self._loop(op, values, size)
        if op.outputs == 1:
            return Batched(_tensor(y), self.level)
        return tuple([Batched(_tensor(v), self.level) for v in y])

    def _mine(self, v):
        return isinstance(v, Batched) and v.level == self.level

    def _aligned(self, values):
        """Batch dimension first, then as many dimensions of size 1 as broadcasting needs."""
        ndim = max(len(getattr(v, "shape", ())) for v in values)
        out = []
        for v in values:
            if self._mine(v):
                shape = tuple(v.shape)
                missing = ndim - len(shape)
                v = m.reshape(v.value, (v.value._value.shape[0], *(1,) * missing, *shape)) if missing else v.value
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


def _tensor(v):
    return v if isinstance(v, Tensor) else LiftedTensor(v) if isinstance(v, Lifted) else wrap(v)
