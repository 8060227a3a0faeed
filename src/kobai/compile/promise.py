"""Recording without computing: arrays of the right shapes for results that nobody has looked at.

Op by op a first call takes many times as long as the plan that is made of it, and all its memory is fresh. So a `Recorder`
that `waits` gives ops arrays whose memory nobody touches, and writes nothing; the plan then makes the numbers of
what is left of the call (program.py). Whoever needs numbers before that, or finds that there will be no plan, says
so to the recorder, which then computes the whole log, in order, into these arrays.
"""
from __future__ import annotations

import functools
import math
import sys
from collections import Counter

import numpy as np

from kobai import large
from kobai.backends import gemm_tiny
from kobai.compile.pages import OWN, references_of
from kobai.compile.windows import contiguous
from kobai.general import compute

MOST = 4096  # outcomes that are remembered
_ndarray = np.ndarray
_outcomes: dict = {}  # {(op, what its arguments are like): [(shape, dtype, strides or None) of a result]}


def promised(op, values):
    """Arrays for the results of an op, or None if it must run to tell what they are like."""
    if getattr(op, "random", False) or not type(op).__module__.startswith("kobai.") or _may_fail(type(op)):
        return None
    if op.view:
        return _seen(op, values)
    key = (op, *[_like(v) for v in values])
    if any([k is None for k in key]):  # a dtype says that it equals None
        return None
    found = _outcomes.get(key)
    if found is None:
        found = _outcome(op, values)
        if found is None:
            return None
        if op.elementwise or all([v.__class__ is not _ndarray or v.dtype.kind not in "iu" for v in values]):
            if len(_outcomes) >= MOST:
                _outcomes.clear()
            _outcomes[key] = found  # whole numbers may be lengths
    ys = tuple([_untouched(*each) for each in found])
    return ys if op.outputs != 1 else ys[0]


@functools.cache
def _may_fail(kind) -> bool:
    """Whether numbers decide if an op of this kind fails, as for a matrix without an inverse: it does so in its own line."""
    code = getattr(kind.forward, "__code__", None)  # NumPy's functions have none
    return code is not None and "linalg" in code.co_names


def _seen(op, values):
    """What looks at memory otherwise does so whatever is there; what would have to copy has memory of its own."""
    x = values[0]
    y = op.forward(*values)
    return y if op.outputs != 1 or y.size == 0 or np.may_share_memory(x, y) else np.empty(y.shape, y.dtype)


def _like(v):
    """All that the shapes, dtypes and strides of results may depend on; None if that is not known."""
    if v.__class__ is _ndarray:
        return v.shape, v.dtype, v.strides
    if isinstance(v, np.generic):
        return v.dtype
    return "-" if v is None else type(v) if isinstance(v, (bool, int, float, complex)) else None


def _outcome(op, values):
    """The same op on zeros says what its results are like; an elementwise one on one of them. Whole numbers are there."""
    arrays = [v for v in values if v.__class__ is _ndarray]
    if op.elementwise and op.outputs == 1 and all(v.flags.c_contiguous for v in arrays):
        small = [np.ones((1,) * v.ndim, v.dtype) if v.__class__ is _ndarray else v for v in values]
        with np.errstate(all="ignore"):
            y = compute(op, small)
        return [(np.broadcast_shapes(*[np.shape(v) for v in values]), y.dtype, None)]
    if hasattr(op, "shapes") and arrays[0].dtype.kind in "fc" and len({v.dtype for v in arrays if v.dtype.kind != "b"}) == 1:
        try:
            found = op.shapes(*values)
        except ValueError:  # the op itself says what does not fit
            return None
        sizes = [math.prod(found[0][0]), *[v.size for v in arrays[:2]]]
        if math.isqrt(math.prod(sizes)) > gemm_tiny.MOST:  # m n, m k and k n of a product of m n k multiplications
            large.expect_products(arrays[0].dtype)
        return [(*each, None) for each in found]
    try:
        with np.errstate(all="ignore"):
            ys = compute(op, [_zeros(v) if v.__class__ is _ndarray and v.dtype.kind not in "iu" else v for v in values])
    except Exception:  # with the numbers themselves it may do, or say what is wrong
        return None
    return [(np.shape(y), y.dtype, None if y.strides == contiguous(y.shape, y.itemsize) else y.strides)
            for y in (ys if op.outputs != 1 else (ys,))]


def _zeros(v):
    """Zeros that lie as the elements of `v`."""
    if v.flags.c_contiguous:
        return np.zeros(v.shape, v.dtype)
    return _laid(v.shape, v.dtype, v.strides, np.zeros)


def _laid(shape, dtype, strides, make):
    """An array with these strides in memory that `make` makes."""
    steps = [(n - 1) * s for n, s in zip(shape, strides)] if 0 not in shape else []
    before, after = -sum([s for s in steps if s < 0]), sum([s for s in steps if s > 0])
    return np.ndarray(shape, dtype, make(before + after + dtype.itemsize, np.uint8), before, strides)


def _untouched(shape, dtype, strides):
    if strides is None:
        return np.empty(shape, dtype)
    return _laid(shape, dtype, strides, np.empty)


def alone(recorder, wanted) -> bool:
    """Whether nobody but the recorder, and who gets the arrays with these ids, sees anything that waits."""
    held = references_of(recorder.log)
    views: Counter = Counter()
    bases = {}
    alive = recorder.alive
    for i in range(len(alive) - 1, -1, -1):  # views before what they look into
        a = alive[i]
        if a.__class__ is not _ndarray or id(a) in recorder.externals:
            continue
        if id(a) not in wanted and sys.getrefcount(a) > OWN + 1 + held[id(a)] + views[id(a)]:
            return False
        if a.base is not None:
            views[id(a.base)] += 1
            bases[id(a.base)] = i
    known = {id(a) for a in alive}
    return all(sys.getrefcount(alive[i].base) <= OWN + views[k] for k, i in bases.items() if k not in known)
