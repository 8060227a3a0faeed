"""Arrays that begin at a cache line, for tensors that programs keep.

Machine code reads sixty-four bytes at once, and where NumPy's memory begins between two lines each of these reads touches
both: a product of 64 rows takes a sixth longer then. Small arrays are made by NumPy as ever.
"""
from __future__ import annotations

from math import prod
from pickle import PickleBuffer

import numpy as np

LINE = 64  # bytes
LEAST = 1 << 14  # bytes from which on the call pays
_MOST = 1 << 22  # bytes that are copied to bring them to a line


def zeros(shape, dtype):
    """np.zeros, at a cache line if it is not small.

    >>> zeros((70, 80), np.dtype("f")).__array_interface__["data"][0] % 64
    0
    """
    size = prod(shape) * dtype.itemsize
    if size < LEAST or dtype.hasobject:
        return np.zeros(shape, dtype)
    return _in(np.zeros(size + LINE, np.uint8), shape, dtype)


def ones(shape, dtype):
    """np.ones, at a cache line if it is not small."""
    return filled(shape, dtype.type(1), dtype)


def filled(shape, value, dtype):
    """np.full, at a cache line if it is not small."""
    if prod(shape) * dtype.itemsize < LEAST:
        return np.full(shape, value, dtype)
    a = zeros(shape, dtype)
    a.fill(value)
    return a


def copied(a):
    """np.array(a, order="K"), at a cache line if it is contiguous and not small."""
    if a.nbytes < LEAST or not a.flags.c_contiguous or a.dtype.hasobject:
        return np.array(a, order="K")
    return converted(a, a.dtype)


def converted(a, dtype):
    """a.astype(dtype), at a cache line if it is contiguous and not small."""
    size = a.size * dtype.itemsize
    if size < LEAST or not a.flags.c_contiguous or dtype.hasobject:
        return a.astype(dtype)
    y = _in(np.empty(size + LINE, np.uint8), a.shape, dtype)
    np.copyto(y, a, casting="unsafe")
    return y


def brought(a):
    """A new array of at least `LEAST` bytes, or a copy of it at a cache line."""
    if a.nbytes > _MOST or not a.__array_interface__["data"][0] % LINE:
        return a
    return copied(a)


def _in(memory, shape, dtype):
    """An array that begins at the first line of some bytes.

    Not as a view of them: who looks for the owner of a tensor's memory is to find this array.
    """
    return np.ndarray(shape, dtype, PickleBuffer(memory), -memory.__array_interface__["data"][0] % LINE)
