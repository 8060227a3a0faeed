"""Convolutions in a graph: rules of rewrite.py that leave to code what it does best.

The bias is added by itself, which becomes part of the next kernel.  The gradient of the weights is a sum of parts, one for
each part of the batch: threads compute them, and the sum, too, becomes part of a kernel.
"""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.lifted import m

MOST_TAPS = 1024   # of a channel
MOST_PHASES = 64   # places modulo the stride
_PART = 1 << 21    # multiplications worth a part of the batch
_PARTS = 16


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


class PartialWeights:
    """The gradient of a convolution's weights as sums (parts, groups, channels * taps, outputs) over parts of the batch.

    An op that only plans have.
    """

    outputs, emit, elementwise, view, moves, lower = 1, None, False, False, False, None
    fields = ("op", "parts")

    def __init__(self, op, parts: int):
        self.op, self.parts = op, parts
        self.stride, self.padding, self.dilation, self.kernel = op.stride, op.padding, op.dilation, op.kernel
        self.groups = op.groups

    def __call__(self, x, a):
        share = -(-x.shape[0] // self.parts)
        found = []
        for i in range(self.parts):
            w = self.op.forward(x[i * share:(i + 1) * share], a[i * share:(i + 1) * share])
            found.append(w.reshape(self.groups, w.shape[0] // self.groups, -1).swapaxes(1, 2))
        return np.ascontiguousarray(np.stack(found))

    forward = __call__

    def shapes(self, x, a):
        """(shape, dtype) of the results."""
        channels, outputs = x.shape[1] // self.groups, a.shape[1] // self.groups
        return [((self.parts, self.groups, channels * prod(self.kernel), outputs), x.dtype)]


def weights_by_parts(work, op, args):
    """ConvWeight as a sum of parts: a rule of rewrite.py."""
    x, a = args
    if not usual(op, op.kernel, x, a):
        return None
    multiplications = prod(a.shape[1:]) * x.shape[1] // op.groups * prod(op.kernel)
    share = max(1, -(-_PART // max(multiplications, 1)), -(-x.shape[0] // _PARTS))
    parts = -(-x.shape[0] // share)
    parts = -(-x.shape[0] // -(-x.shape[0] // parts))
    sums = work.apply(PartialWeights(op, parts), args)[0]
    w = m.swap(m.sum(work.symbol(sums), 0))
    return (m.reshape(w, (a.shape[1], x.shape[1] // op.groups, *op.kernel)).value,)
