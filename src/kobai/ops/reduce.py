"""Reductions: sum, mean, and the like over some or all dimensions."""
from __future__ import annotations

import numpy as np

from ..op import Reduction, dtype_of, m
from ..public import public
from ..testing.samples import S
from .movement import normal_dim


def normal_dims(dim, ndim):
    """A sorted tuple of dimensions from PyTorch's `dim` argument (None or () means all of them)."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    if isinstance(dim, int):
        dims = (normal_dim(dim, ndim),)
    else:
        dims = tuple(sorted([normal_dim(int(d), ndim) for d in dim]))
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"dim {next(d for d in dims if dims.count(d) > 1)} appears multiple times in the "
                               "list of dims")
    return dims if ndim else ()


def spread(g, shape, dim, keepdim):
    """`g`, the result of a reduction, over the reduced shape again."""
    if not keepdim and dim:
        g = m.reshape(g, tuple([1 if i in dim else s for i, s in enumerate(shape)]))
    return m.expand_to(g, shape)


class Sum(Reduction):
    """Sum over `dim`."""

    linear = True
    samples = [S((2, 3), params=((0, 1), False)), S((2, 3, 4), params=((1,), True)), S((), params=((), False)),
               S((0, 3), params=((0,), False))]

    def forward(self, x):
        return np.add.reduce(x, axis=self.dim, keepdims=self.keepdim)

    def vjp_x(self, g, x_shape):
        return spread(g, x_shape, self.dim, self.keepdim)

    def batch(self, size, dims, values):
        return Sum(tuple([d + 1 for d in self.dim]), self.keepdim)(*values)


@public()
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` (all dimensions if None); integers are summed as int64."""
    if dtype is not None:
        input = m.to_dtype(input, dtype)
    elif dtype_of(input) in _SMALL:
        input = m.cast(input, np.dtype(np.int64))
    return Sum(normal_dims(dim, input.ndim), keepdim)(input)


_SMALL = {np.dtype(t) for t in (np.bool_, np.uint8, np.int8, np.int16, np.int32)}
