"""Sums, means, extremes and running sums over dimensions."""
from __future__ import annotations

from math import prod as _product

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .errors import invalid, wrong_axis
from .names import export
from .tensors import box
from .values import value_of


def _axes(axis, ndim, op):
    """A sorted tuple of dimensions >= 0; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, (int, list, tuple, range)):
        axis = np.asarray(value_of(axis)._value).tolist()
    axes = [int(a) for a in (axis if isinstance(axis, (list, tuple, range)) else [axis])]
    for a in axes:
        if not -ndim <= a < ndim:
            raise wrong_axis(invalid(op, f"Invalid reduction dimension ({a} for input with {ndim} dimension(s)"),
                             a, ndim)
    return tuple(sorted({a % ndim for a in axes}))


def _prepared(x, axis, op):
    t = value_of(x)
    return t, _axes(axis, t.ndim, op)


@export("reduce_sum", "math.reduce_sum")
def reduce_sum(input_tensor, axis=None, keepdims=False, name=None):
    """The sum of all elements, or over some dimensions.

    >>> print(reduce_sum([[1, 2], [3, 4]], axis=0))
    tf.Tensor([4 6], shape=(2,), dtype=int32)
    """
    t, axes = _prepared(input_tensor, axis, "Sum")
    if not axes:
        return box(m.identity(t))
    return box(_sum(t, axes, keepdims))


def _sum(t, axes, keepdims):
    d = t._value.dtype
    y = m.sum(t, None if len(axes) == t.ndim and not keepdims else axes, keepdims)
    return y if y._value.dtype == d else m.cast(y, d)


@export("reduce_mean", "math.reduce_mean")
def reduce_mean(input_tensor, axis=None, keepdims=False, name=None):
    """The mean of all elements, or over some dimensions; of integers it is an integer, rounded towards zero."""
    t, axes = _prepared(input_tensor, axis, "Mean")
    if not axes:
        return box(m.identity(t))
    if t._value.dtype.kind in "iu":
        n = max(_product([t._value.shape[a] for a in axes]), 1)
        return box(m.cast(m.trunc_divide(m.sum(t, axes, keepdims), n), t._value.dtype))
    return box(m.mean(t, None if len(axes) == t.ndim and not keepdims else axes, keepdims))


def _extreme(fn, lowest, op, doc, name):
    def call(input_tensor, axis=None, keepdims=False, name=None):
        t, axes = _prepared(input_tensor, axis, op)
        if not axes:
            return box(m.identity(t))
        if not _product([t._value.shape[a] for a in axes]):
            return box(wrap(_empty(t, axes, keepdims, lowest)))
        return box(fn(t, axes, keepdims))
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return export(name, "math." + name)(call)


def _empty(t, axes, keepdims, lowest):
    shape = [1 if i in axes else s for i, s in enumerate(t._value.shape) if keepdims or i not in axes]
    d = dtypes.of(t._value.dtype)
    return np.full(shape, (-np.inf if lowest else np.inf) if d.is_floating else d.min if lowest else d.max, d.np)


reduce_max = _extreme(lambda t, axes, keep: m.amax(t, axes, keep), True, "Max",
                      "The largest element; equal ones share the gradient.", "reduce_max")
reduce_min = _extreme(lambda t, axes, keep: m.amin(t, axes, keep), False, "Min",
                      "The smallest element; equal ones share the gradient.", "reduce_min")


@export("reduce_prod", "math.reduce_prod")
def reduce_prod(input_tensor, axis=None, keepdims=False, name=None):
    """The product of all elements, or over some dimensions."""
    t, axes = _prepared(input_tensor, axis, "Prod")
    d = t._value.dtype
    for a in reversed(axes):
        t = m.prod(t, a, keepdims)
    return box(m.cast(t, d) if t._value.dtype != d else t if axes else m.identity(t))


def _logical(fn, op, doc, name):
    def call(input_tensor, axis=None, keepdims=False, name=None):
        t = value_of(input_tensor, dtypes.bool_)
        axes = _axes(axis, t.ndim, op)
        return box(fn(t, axes, keepdims) if axes else t)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return export(name, "math." + name)(call)


reduce_all = _logical(m.all, "All", "Whether all elements are true.", "reduce_all")
reduce_any = _logical(m.any, "Any", "Whether any element is true.", "reduce_any")


@export("reduce_logsumexp", "math.reduce_logsumexp")
def reduce_logsumexp(input_tensor, axis=None, keepdims=False, name=None):
    """log(sum(exp(x))), without overflow."""
    t, axes = _prepared(input_tensor, axis, "Exp")
    return box(m.logsumexp(t, axes, keepdims) if axes else m.identity(t))


@export("math.reduce_variance")
def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    """The mean of the squared distances from the mean."""
    t, axes = _prepared(input_tensor, axis, "Mean")
    if t._value.dtype.kind not in "fcV":
        raise error("tensor-dtype", TypeError(
            f"Input must be either real or complex. Received integer type {dtypes.of(t._value.dtype)}."),
            what="x", dtype=dtypes.of(t._value.dtype).name, fn="reduce_variance",
            must="floating point or complex numbers", fix="tf.cast(x, tf.float32)")
    away = t - m.mean(t, axes, True) if axes else t - t
    square = m.abs(away) * m.abs(away) if t._value.dtype.kind == "c" else away * away
    return box(m.mean(square, axes, keepdims) if axes else square)


@export("math.reduce_std")
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of the variance."""
    return box(m.sqrt(reduce_variance(input_tensor, axis, keepdims)._t))


@export("math.reduce_euclidean_norm")
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of the sum of squares."""
    t, axes = _prepared(input_tensor, axis, "EuclideanNorm")
    return box(m.sqrt(_sum(t * t, axes, keepdims)) if axes else m.abs(t))


@export("math.count_nonzero")
def count_nonzero(input, axis=None, keepdims=None, dtype=dtypes.int64, name=None):
    """How many elements are not zero."""
    t, axes = _prepared(input, axis, "Sum")
    there = np.asarray(t._value != 0)
    return box(wrap(there.sum(axes, keepdims=bool(keepdims)).astype(dtypes.as_dtype(dtype).np)))


@export("math.zero_fraction", "nn.zero_fraction")
def zero_fraction(value, name=None):
    """Which part of the elements is zero."""
    x = np.asarray(value_of(value)._value)
    return box(wrap(np.float32((x == 0).mean() if x.size else np.nan)))


def _arg(fn, op, doc, name):
    def call(input, axis=None, output_type=dtypes.int64, name=None):
        t = value_of(input)
        axis = 0 if axis is None else int(value_of(axis)._value)
        if not -t.ndim <= axis < t.ndim:
            raise wrong_axis(invalid(op, f"Expected dimension in the range [{-t.ndim}, {t.ndim}), but got {axis}"),
                             axis, t.ndim)
        x = np.asarray(t._value)
        if not x.shape[axis]:
            raise error("tensor-empty",
                        invalid(op, f"Reduction axis {axis} is empty in shape [{','.join(map(str, x.shape))}]"),
                        what="the tensor", fn=op)
        return box(wrap(np.asarray(fn(x, axis)).astype(dtypes.as_dtype(output_type).np)[()]))
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return export(name, "math." + name)(call)


argmax = _arg(np.argmax, "ArgMax", "The position of the (first) largest element along a dimension.", "argmax")
argmin = _arg(np.argmin, "ArgMin", "The position of the (first) smallest element along a dimension.", "argmin")


# ---- running ---------------------------------------------------------------------------------
def _running(fn, op, start, doc, *names):
    def call(x, axis=0, exclusive=False, reverse=False, name=None):
        t = value_of(x)
        axis, = _axes(int(axis), t.ndim, op)
        d = t._value.dtype
        if reverse:
            t = m.flip(t, (axis,))
        y = m.cast(fn(t, axis), d)
        if exclusive:
            n = y._value.shape[axis]
            first = np.full([1 if i == axis else s for i, s in enumerate(y._value.shape)], start, d)
            y = m.cat([wrap(first), m.narrow(y, axis, 0, n - 1)], axis) if n else y
        return box(m.flip(y, (axis,)) if reverse else y)
    call.__name__ = call.__qualname__ = names[0].rpartition(".")[2]
    call.__doc__ = doc
    return export(*names)(call)


cumsum = _running(lambda t, a: m.cumsum(t, a), "Cumsum", 0,
                  "The sums so far along a dimension; `exclusive` leaves out the element itself.", "cumsum",
                  "math.cumsum")
cumprod = _running(lambda t, a: m.cumprod(t, a), "Cumprod", 1,
                   "The products so far along a dimension; `exclusive` leaves out the element itself.",
                   "math.cumprod", "cumprod")
cumulative_logsumexp = _running(lambda t, a: m.logcumsumexp(t, a), "CumulativeLogsumexp", -np.inf,
                                "log(sum(exp(x))) so far along a dimension.", "math.cumulative_logsumexp")


# ---- by segments -----------------------------------------------------------------------------
def _segments(data, ids, count, combine):
    t, i = value_of(data), np.asarray(value_of(ids)._value).astype(np.int64)
    count = (int(i.max()) + 1 if i.size else 0) if count is None else int(value_of(count)._value)
    flat = m.reshape(t, (i.size, *t._value.shape[i.ndim:]))
    return box(combine(flat, i.reshape(-1), count))


def _by_sum(t, i, n):
    zero = wrap(np.zeros((n, *t._value.shape[1:]), t._value.dtype))
    return m.index_add(zero, 0, wrap(i), t)


def _counts(t, i, n):
    counts = np.maximum(np.bincount(i, minlength=n), 1).astype(t._value.dtype)
    return wrap(counts.reshape(-1, *(1,) * (t.ndim - 1)))


def _by_rows(fn, empty):
    """Each segment reduced by itself."""
    def combine(t, i, n):
        rows = [m.index_select(t, 0, wrap(np.flatnonzero(i == k))) for k in range(n)]
        fill = np.full(t._value.shape[1:], empty(dtypes.of(t._value.dtype)), t._value.dtype)
        return m.stack([fn(r) if r._value.shape[0] else wrap(fill) for r in rows])
    return combine


_COMBINE = {
    "sum": _by_sum,
    "mean": lambda t, i, n: _by_sum(t, i, n) / _counts(t, i, n),
    "sqrt_n": lambda t, i, n: _by_sum(t, i, n) / m.sqrt(_counts(t, i, n)),
    "max": _by_rows(lambda r: m.amax(r, (0,)), lambda d: d.min),
    "min": _by_rows(lambda r: m.amin(r, (0,)), lambda d: d.max),
    "prod": _by_rows(lambda r: m.prod(r, 0), lambda d: 1),
}


def _make_segments(kind, combine):
    def segment(data, segment_ids, name=None):
        return _segments(data, segment_ids, None, combine)

    def unsorted_segment(data, segment_ids, num_segments, name=None):
        return _segments(data, segment_ids, num_segments, combine)
    for prefix, fn in (("segment_", segment), ("unsorted_segment_", unsorted_segment)):
        fn.__name__ = fn.__qualname__ = prefix + kind
        fn.__doc__ = f"The {kind} of the rows that have the same number in `segment_ids`."
        export("math." + prefix + kind)(fn)


for _kind, _combine in _COMBINE.items():
    _make_segments(_kind, _combine)
