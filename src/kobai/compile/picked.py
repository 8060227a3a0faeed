"""Positions of largest elements, and elements picked at positions, in a graph: rules of rewrite.py."""
from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from kobai.compile.graph import Value
from kobai.lifted import m
from kobai.ops.movement import Slice

MOST = 9   # places in a window whose largest is looked for one after the other
_PICKS = ("PickAt", "PickAt3d", "PickFractional", "PickFractional3d", "AddAtPositions", "MaxUnpool2d", "MaxUnpool3d")


def checked(work, op, args):
    """Positions that come from anywhere: the graph is not run where one does not exist."""
    x, index = args
    spatial = x.shape[len(x.shape) - op.n:] if hasattr(op, "n") else op.spatial
    if x.dtype.char not in "fd" or index.dtype != np.int64 or 0 in (*x.shape, *index.shape):
        return None
    i = work.symbol(index)
    work.refuse_if(m.any(m.logical_or(m.lt(i, 0), m.ge(i, prod(spatial)))).value)
    return work.keep(op, args)


def max_indices(work, op, args):
    """Where windows that do not go beyond the border have their largest value, or the last NaN: place after place."""
    (x,), windows = args, op.windows
    n = len(windows.kernel)
    spatial = x.shape[len(x.shape) - n:]
    if x.dtype.char not in "fd" or 0 in x.shape or prod(windows.kernel) > MOST \
            or any(a or b for a, b in windows.around(spatial)):
        return None
    out = windows.out(spatial)
    weights = [prod(spatial[i + 1:]) for i in range(n)]
    best = where = None
    for place in product(*map(range, windows.kernel)):
        v, lead = work.symbol(x), len(x.shape) - n
        for d, (p, far, step, count) in enumerate(zip(place, windows.dilation, windows.stride, out)):
            v = work.symbol(work.apply(Slice(lead + d, p * far, p * far + (count - 1) * step + 1, step), [v.value])[0])
        at = _numbers(sum(p * far * w for p, far, w in zip(place, windows.dilation, weights)), v.shape)
        if best is None:
            best, where = v, work.symbol(at)
            continue
        better = m.logical_or(m.gt(v, best), m.isnan(v))
        best, where = m.where(better, v, best), m.where(better, work.symbol(at), where)
    first = sum(np.arange(count).reshape(-1, *(1,) * (n - 1 - d)) * step * w
                for d, (count, step, w) in enumerate(zip(out, windows.stride, weights)))
    return ((where + work.symbol(_numbers(first, out))).value,)


def _numbers(numbers, shape) -> Value:
    return Value(shape, np.dtype(np.int64), constant=np.broadcast_to(np.asarray(numbers, np.int64), shape))


RULES = {"MaxPoolIndices": max_indices, **dict.fromkeys(_PICKS, checked)}
