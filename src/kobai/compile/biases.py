"""Convolutions in a graph: which of them there is code for, and a rule of rewrite.py.

The bias is added by itself, which becomes part of the next kernel.
"""
from __future__ import annotations

from math import prod

from kobai.lifted import m

MOST_TAPS = 1024   # of a channel
MOST_PHASES = 64   # places modulo the stride


def usual(op, kernel, *values) -> bool:
    """Whether there is code for a convolution: of floats, in up to three dimensions, without empty arrays."""
    first = values[0].dtype
    return first.char in "fd" and all(v.dtype == first and 0 not in v.shape for v in values) and len(kernel) <= 3 \
        and 0 not in kernel and prod(kernel) <= MOST_TAPS and prod(op.stride) <= MOST_PHASES


def without_bias(work, op, args):
    """A convolution, and the bias added to it."""
    x, w, bias = args
    if bias is None or x.dtype.kind != "f" or not usual(op, w.shape[2:], x, w):
        return None
    y, = work.apply(op, [x, w, None])
    return ((work.symbol(y) + m.reshape(work.symbol(bias), (-1, *[1] * (len(x.shape) - 2)))).value,)
