"""Adding many numbers without losing digits."""
from __future__ import annotations

from math import prod as _count

import numpy as np

BLOCK = 128


def add_up(x, dim, keepdim=False):
    """The sum over `dim` with an error that grows slowly with the number of terms.

    NumPy adds pairwise along the fastest axis only, and one term after the other along all others:
    a column of 10^6 float32 loses five digits. Long columns are added in blocks instead.
    """
    if x.size > 4096 and x.dtype.char in "fF" and _one_by_one(x, dim) > 2 * BLOCK:
        return _add_in_blocks(x, tuple(range(x.ndim)) if dim is None else dim, keepdim)
    return np.add.reduce(x, dim, None, None, keepdim)


def _one_by_one(x, dim):
    """How many terms NumPy would add one after the other."""
    dims = range(x.ndim) if dim is None else dim
    if x.flags.c_contiguous:  # the last dimensions, if reduced, are added as one
        last = x.ndim
        while last and last - 1 in dims:
            last -= 1
        return _count([x.shape[d] for d in dims if d < last])
    fastest = min((d for d in range(x.ndim) if x.shape[d] > 1), key=lambda d: abs(x.strides[d]), default=0)
    return _count([x.shape[d] for d in dims if d != fastest])


def _add_in_blocks(x, dims, keepdim):
    order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
    y = x.transpose(order)
    for axis in range(x.ndim - 1, -1, -1):
        if order[axis] in dims:
            lead, n, tail = y.shape[:axis], y.shape[axis], y.shape[axis + 1:]
            y = _add_axis(y.reshape(_count(lead), n, _count(tail))).reshape(*lead, 1, *tail)
    y = y.transpose(np.argsort(order))
    return y if keepdim else y.reshape([s for d, s in enumerate(x.shape) if d not in dims])


def _add_axis(y):
    """The sum over the middle of three dimensions. Blocks are added as products with ones, by BLAS."""
    if y.shape[2] == 1:
        return np.add.reduce(y[:, :, 0], 1)
    while y.shape[1] > 2 * BLOCK:
        blocks, rest = divmod(y.shape[1], BLOCK)
        head = y[:, :blocks * BLOCK].reshape(y.shape[0], blocks, BLOCK, y.shape[2])
        sums = np.matmul(np.ones((1, BLOCK), y.dtype), head)[:, :, 0]
        if rest:
            sums[:, -1] += np.add.reduce(y[:, blocks * BLOCK:], 1)
        y = sums
    return np.add.reduce(y, 1)
