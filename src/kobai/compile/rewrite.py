"""Which ops are nothing, or something simpler: the tables of simplify.py.

`SAME` names ops that may give an argument as it is.  A rule of `SIMPLER` gives the outputs of an op in terms of others;
most are written with `m`, as the rules of ops are.  Either says None where it does not apply.
"""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile import along, picked, rearrangements, single
from kobai.compile.graph import Value
from kobai.compile.tiles import max_pool, send_to_max
from kobai.general import _HALF
from kobai.lifted import m
from kobai.ops.index import AddAt
from kobai.ops.movement import Cast, Expand, PutSlice, Reshape, Slice

TINY = 4096     # multiplications of a matrix product that is cheaper as a kernel than as a call of gemm
MOST_OF_COLUMN = 1 << 22  # the same where there is one column: beyond, the code of products reads what is far earlier


class Refused(Exception):
    """A graph is run with what its ops do not take."""


class Refuse:
    """Ends a run: what stands in a graph for an op's check of the numbers it is given."""

    fields, outputs, emit, elementwise, view, moves, lower, random = (), "many", None, False, False, False, None, True

    def __call__(self, condition):
        if condition:
            raise Refused
        return ()

    forward = __call__


# ---- what changes nothing --------------------------------------------------------------------
def _first_if(condition):
    """The first argument, where nothing changes it."""
    return lambda op, args: args[0] if condition(op, args[0]) else None


def _same_shape(op, x):
    return tuple(op.shape) == x.shape


def _same_dtype(op, x):
    return op.to == x.dtype


_F32 = np.dtype(np.float32)


def _product_with_one(op, args):
    a, b = args
    return a if _is_one(b, a) else b if _is_one(a, b) else None


def _quotient_by_one(op, args):
    return args[0] if _is_one(args[1], args[0]) and args[0].dtype.kind == "f" else None


def _is_one(number, x):
    return isinstance(number, np.generic) and number == 1 and isinstance(x, Value) and x.dtype == number.dtype


def _copied_to(op, args):
    """Values written over others, which give the shape and dtype only."""
    target, x = args
    return x if isinstance(x, Value) and (x.shape, x.dtype) == (target.shape, target.dtype) else None


SAME = {
    "Identity": _first_if(lambda op, x: True),
    "Clone": _first_if(lambda op, x: True),  # values never change, so a copy is as good as the original
    "Tied": _first_if(lambda op, x: True),
    "Cast": _first_if(_same_dtype),
    "Promote": _first_if(_same_dtype),
    "ToInteger": _first_if(_same_dtype),
    "Reshape": _first_if(_same_shape),
    "UnsafeView": _first_if(_same_shape),
    "Expand": _first_if(_same_shape),
    "Permute": _first_if(lambda op, x: op.dims == tuple(range(len(op.dims)))),
    "Transpose": _first_if(lambda op, x: op.dim0 == op.dim1),
    "T": _first_if(lambda op, x: len(x.shape) < 2),
    "Mul": _product_with_one,
    "Div": _quotient_by_one,
    "CopyTo": _copied_to,
}


# ---- ops in terms of simpler ones ------------------------------------------------------------
def _ruled(rule):
    """A rule written in `m`, as one of `SIMPLER`."""
    def simpler(work, op, args):
        ys = rule(op, *map(work.symbol, args))
        if ys is None:
            return None
        ys = ys if isinstance(ys, tuple) else (ys,)
        return tuple([y.value for y in ys])
    return simpler


def _mm(a, b):
    from kobai.ops.linear import Mm  # noqa: PLC0415
    return Mm()(a, b)


def _linear(op, x, weight, bias=None):
    y = _mm(x, m.swap(weight))
    return y if bias is None else y + bias


def _addmm(op, c, a, b):
    y = _mm(a, b) if len(a.shape) == 2 else _bmm(a, b)
    if op.alpha != 1:
        y = y * op.alpha
    if op.beta == 0:
        return y
    return y + (c if op.beta == 1 else c * op.beta)


def _bmm(a, b):
    from kobai.ops.linear import Bmm  # noqa: PLC0415
    return Bmm()(a, b)


def _product(op, a, b):
    """A product of tiny matrices as multiplications and sums, and so where nothing is read more than once."""
    work = prod(a.shape) * b.shape[-1]
    again = len(a.shape) == 2 and 1 not in (*a.shape, b.shape[-1])  # a kernel reads both matrices again and again
    if a.dtype.kind != "f" or not work:
        return None
    if a.shape[-1] == 1:
        return a * b
    if b.shape[-1] == 1 and work <= MOST_OF_COLUMN:
        return _summed(a, m.swap(b), -1, True)
    if work > (TINY // 2 if again else TINY):
        return None
    return _summed(m.unsqueeze(a, -1), m.unsqueeze(b, -3), -2)


def _vector(op, a, b):
    return _summed(a, b, -1) if a.dtype.kind == "f" or a.dtype in _HALF else None


def _summed(a, b, dim, keepdim=False):
    """Sums of products: of half precision in float32, rounded once."""
    if a.dtype in _HALF:
        return m.cast(m.sum(m.cast(a, _F32) * m.cast(b, _F32), dim, keepdim), a.dtype)
    return m.sum(a * b, dim, keepdim)


def _sum(work, op, args):
    """A sum of one term is that term."""
    x, = args
    dims = range(len(x.shape)) if op.dim is None else op.dim
    if x.dtype.kind != "f" or any(x.shape[d] != 1 for d in dims):
        return None
    shape = tuple([s for d, s in enumerate(x.shape) if op.keepdim or d not in dims])
    return work.apply(Reshape(shape), args)


def _pointwise(op, x, t):
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        return None
    v = op.value(x, t)
    return v if op.reduction == "none" else m.mean(v) if op.reduction == "mean" else m.sum(v)


def _gives_like(number):
    def simpler(work, op, args):
        x = args[0]
        return (Value(x.shape, x.dtype, constant=np.broadcast_to(x.dtype.type(number), x.shape)),)
    return simpler


def _copied_as(work, op, args):
    """Values brought to the dtype and shape of what they are written over."""
    target, x = args
    if not isinstance(x, Value) or "c" in x.dtype.kind + target.dtype.kind:
        return None
    if x.dtype != target.dtype:
        x, = work.apply(Cast(target.dtype), [x])
    return (x,) if x.shape == target.shape else work.apply(Expand(target.shape), [x])


# ---- classes ---------------------------------------------------------------------------------
def _is_class(classes: int, t, ndim: int):
    """(n, c, ...): whether c is the class t (n, ...)."""
    numbers = np.arange(classes).reshape(-1, *(1,) * (ndim - 2))
    return m.eq(numbers, m.unsqueeze(t, 1))


def _pick(x, t):
    """The score of class t, as a sum of which all other terms are 0."""
    return m.sum(m.where(_is_class(x.shape[1], t, len(x.shape)), x, 0.0), 1)


def _pick_class(op, x, t):
    return _pick(x, t) if x.dtype.kind == "f" else None


def _put_class(op, x, t):
    return m.where(_is_class(op.classes, t, len(t.shape) + 1), m.unsqueeze(x, 1), 0.0)


def _class_weights(work, op, args):
    """Without weights for classes: -1, or -1 / how many count, and 0 for targets that do not count."""
    if args[1] is not None or op.dtype.kind != "f":
        return None
    t = work.symbol(args[0])
    counted = m.ne(t, op.ignore)
    work.refuse_if(m.any(m.logical_and(counted, m.logical_or(m.lt(t, 0), m.ge(t, op.classes)))).value)
    weight = m.cast(counted, op.dtype)
    if op.reduction == "mean":
        weight = m.where(counted, 1.0 / m.sum(weight), weight)
    return (0.0 - weight).value, m.where(counted, t, 0).value


def _nll(work, op, args):
    from kobai.ops.class_loss import ClassWeights  # noqa: PLC0415

    x, t, weight = args
    if weight is not None or x.dtype.kind != "f" or len(x.shape) < 2:
        return None
    c, t = [work.symbol(v) for v in work.apply(ClassWeights(op.reduction, op.ignore, x.shape[1], x.dtype), [t, None])]
    v = _pick(work.symbol(x), t) * c
    if op.reduction == "none":
        return (v.value,)
    total = m.sum(v)
    if op.reduction == "mean":  # NaN where nothing counts
        total = m.where(m.any(m.ne(c, 0.0)), total, float("nan"))
    return (total.value,)


# ---- rows of tables --------------------------------------------------------------------------
def _first_of_range(index) -> int | None:
    """Where a constant index begins, if it counts up by one."""
    if not isinstance(index, Value) or index.constant is None or len(index.shape) != 1 or not index.shape[0]:
        return None
    numbers = np.asarray(index.constant)
    return int(numbers[0]) if numbers[0] >= 0 and (np.diff(numbers) == 1).all() else None


def _embedding(work, op, args):
    table, index = args
    start, rows = _first_of_range(index), table.shape[0]
    if start is not None and start + index.shape[0] <= rows:
        return work.apply(Slice(0, start, start + index.shape[0]), [table])
    if index.constant is not None or index.dtype != np.int64:
        return None
    i = work.symbol(index)
    work.refuse_if(m.any(m.logical_or(m.lt(i, 0), m.ge(i, rows))).value)
    return work.keep(op, args)


def _rows(work, op, args):
    """x[index], where negative positions count from the end."""
    table, index = args[0], args[-1]
    if getattr(op, "dims", None) != (0,) and getattr(op, "dim", None) != 0 or len(args) != 2:
        return None
    if index.dtype != np.int64 or index.constant is not None:
        return None
    i, rows = work.symbol(index), table.shape[0]
    work.refuse_if(m.any(m.logical_or(m.lt(i, -rows), m.ge(i, rows))).value)
    return work.keep(op, args)


def _add_slices(work, op, args):
    return work.apply(AddAt((0,), op.shape), args) if op.dim == 0 else None


def _add_at(work, op, args):
    x, index = args[0], args[-1]
    if op.dims != (0,) or len(args) != 2 or index.dtype != np.int64:
        return None
    start, rows = _first_of_range(index), op.shape[0]
    if start is not None and x.shape == (index.shape[0], *op.shape[1:]) and start + index.shape[0] <= rows:
        if x.shape == op.shape:
            return (x,)
        return work.apply(PutSlice(0, start, start + index.shape[0], 1, op.shape), [x])
    if index.constant is not None:
        return None
    i = work.symbol(index)
    work.refuse_if(m.any(m.logical_or(m.lt(i, -rows), m.ge(i, rows))).value)
    return work.keep(op, args)


def _of_one(work, op, args):
    """Whether any, or all, of one truth value are true."""
    (x,) = args
    if x.dtype != np.bool_ or any(x.shape[d] != 1 for d in op.dim):
        return None
    shape = tuple([n for d, n in enumerate(x.shape) if op.keepdim or d not in op.dim])
    return work.apply(Reshape(shape), [x])


SIMPLER = {
    **along.RULES,
    **rearrangements.RULES,
    **picked.RULES,
    "Any": _of_one,
    "All": _of_one,
    "Conv": single.of_input,
    "ConvInput": single.of_output,
    "ConvWeight": single.of_both,
    "MaxPool2d": max_pool,
    "MaxPool3d": max_pool,
    "SendToMax": send_to_max,
    "Embedding": _embedding,
    "Index": _rows,
    "IndexSelect": _rows,
    "AddAt": _add_at,
    "AddSlices": _add_slices,
    "Linear": _ruled(_linear),
    "LinearWithoutBias": _ruled(_linear),
    "Addmm": _ruled(_addmm),
    "Baddbmm": _ruled(_addmm),
    "Mm": _ruled(_product),
    "Bmm": _ruled(_product),
    "Mv": _ruled(_vector),
    "Dot": _ruled(_vector),
    "Sum": _sum,
    "SumAll": _sum,
    "Mean": _sum,
    "MeanAll": _sum,
    "MseLoss": _ruled(_pointwise),
    "CopyTo": _copied_as,
    "PickClass": _ruled(_pick_class),
    "PutClass": _ruled(_put_class),
    "ClassWeights": _class_weights,
    "NllLoss": _nll,
    "ZerosLike": _gives_like(0),
    "OnesLike": _gives_like(1),
}


