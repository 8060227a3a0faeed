"""Picking elements along one dimension, and putting them back: what sorting and extremes have in common."""
from __future__ import annotations

import numpy as np

from ..op import Op, m
from ..testing.samples import Ints, S


def positions(shape, dim, index):
    """The NumPy index of the elements `index` along `dim`; `index` has `shape` in the other dimensions."""
    grids = [np.arange(n).reshape((-1,) + (1,) * (len(shape) - d - 1)) for d, n in enumerate(shape)]
    grids[dim] = index
    return tuple(grids)


class TakeAlong(Op):
    """The elements of x at `index` along `dim`, of which none is taken twice."""

    dim: int
    linear = moves = True
    grad_name = "GatherBackward0"
    samples = [S((4,), np.array([2, 0]), params=(0,)), S((3, 2), np.array([[2, 0], [1, 2]]), params=(0,))]

    def forward(self, x, index):
        return x[positions(index.shape, self.dim, index)]

    def vjp_x(self, g, index, x_shape):
        return PutAlong(self.dim, x_shape[self.dim])(g, index)

    def batch(self, size, dims, values):
        return TakeAlong(self.dim + 1)(*values)


class PutAlong(Op):
    """Zeros, `size` long in `dim`, with x at `index`: the transpose of TakeAlong."""

    dim: int
    size: int
    linear = moves = True
    grad_name = "ValueSelectingReductionBackward0"
    samples = [S((2,), np.array([2, 0]), params=(0, 4)), S((2, 2), np.array([[2, 0], [1, 2]]), params=(0, 3)),
               S((0, 2), Ints((0, 2), 1), params=(0, 3))]

    def forward(self, x, index):
        y = np.zeros((*x.shape[:self.dim], self.size, *x.shape[self.dim + 1:]), x.dtype)
        y[positions(index.shape, self.dim, index)] = x
        return y

    def vjp_x(self, g, index):
        return TakeAlong(self.dim)(g, index)

    def batch(self, size, dims, values):
        return PutAlong(self.dim + 1, self.size)(*values)


class ByIndex(Op):
    """Values and their indices along `dim`: each result is one element of x, so gradients go there.

    Reductions drop `dim` or keep it with size 1; `keepdim` is None where the dimension stays as it is.
    """

    dim: int
    keepdim: bool = False
    outputs = "many"

    def __init_subclass__(cls):
        super().__init_subclass__()
        if not cls.abstract:
            cls.Node.materialize_grads = False  # nobody asks for a gradient of the indices: no zeros in its place

    def vjp_x(self, g, y, x_shape):
        g, index = g[0], y[1]
        if self.keepdim is False:
            g, index = m.unsqueeze(g, self.dim), m.unsqueeze(index, self.dim)
        return PutAlong(self.dim, x_shape[self.dim])(g, index)

    def batch(self, size, dims, values):
        parameters = [getattr(self, n) for n in self.fields]
        parameters[self.fields.index("dim")] = self.dim + 1
        return type(self)(*parameters)(*values)


def of_scalar(fn, input):
    """`fn` along the only dimension of a 0-d value taken as a vector of one element."""
    y = fn(m.reshape(input, (1,)))
    return tuple([m.reshape(v, ()) for v in y]) if isinstance(y, tuple) else m.reshape(y, ())
