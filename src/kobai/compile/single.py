"""Convolutions whose window is the whole input, in a graph: products of matrices. Rules of rewrite.py.

So are the first layer of a generator, the last of a critic and squeeze-and-excitation blocks; a convolution with padding
would go through all taps for each place of the gradient, of which one is not zero.
"""
from __future__ import annotations

from math import prod

from kobai.compile.biases import usual, without_bias
from kobai.lifted import m


def of_input(work, op, args):
    """y = x w, with the bias added by itself."""
    found = without_bias(work, op, args)
    if found is not None:
        return found
    x, w, bias = args
    if bias is not None or not _whole(op, w.shape[2:], x.shape[2:]) or not usual(op, w.shape[2:], x, w):
        return None
    y = m.matmul(_rows(work, x), m.swap(_rows(work, w)))
    return (m.reshape(y, (x.shape[0], w.shape[0], *_ones(w))).value,)


def of_output(work, op, args):
    """x = a w, the way back to the input, with the bias added by itself."""
    found = without_bias(work, op, args)
    if found is not None:
        return found
    a, w, bias = args
    if bias is not None or set(a.shape[2:]) != {1} or not _whole(op, w.shape[2:], op.spatial) \
            or not usual(op, w.shape[2:], a, w):
        return None
    return (m.reshape(m.matmul(_rows(work, a), _rows(work, w)), (a.shape[0], *w.shape[1:])).value,)


def of_both(work, op, args):
    """w = a x, the way back to the weights."""
    x, a = args
    if set(a.shape[2:]) != {1} or not _whole(op, op.kernel, x.shape[2:]) or not usual(op, op.kernel, x, a):
        return None
    return (m.reshape(m.matmul(m.swap(_rows(work, a)), _rows(work, x)), (a.shape[1], *x.shape[1:])).value,)


def _whole(op, kernel, spatial) -> bool:
    """Whether the one window is the input."""
    return op.groups == 1 and tuple(kernel) == tuple(spatial) and not any(op.padding) \
        and all(d == 1 or k == 1 for d, k in zip(op.dilation, kernel))


def _rows(work, v):
    """A row for each sample, or output channel."""
    return m.reshape(work.symbol(v), (v.shape[0], prod(v.shape[1:])))


def _ones(w):
    return (1,) * (len(w.shape) - 2)
