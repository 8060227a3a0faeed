"""Order: sort, argsort, the largest few, searching, distinct values."""
from __future__ import annotations

from collections import namedtuple

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .errors import invalid
from .names import export
from .tensors import box
from .values import axis_of, value_of

TopKV2 = namedtuple("TopKV2", "values indices")
Unique = namedtuple("Unique", "y idx")
UniqueWithCounts = namedtuple("UniqueWithCounts", "y idx count")
for _tuple in (TopKV2, Unique, UniqueWithCounts):
    _tuple.__module__ = "tensorflow.python.ops.gen_array_ops"


def _order(t, axis, direction):
    """Positions that sort along an axis; equal elements stay in their order."""
    if direction not in ("ASCENDING", "DESCENDING"):
        raise error("argument-choice", ValueError(
            f"Argument `direction` should be one of 'ASCENDING' or 'DESCENDING'. Received: {direction}"),
            what="direction", value=direction, choices=["ASCENDING", "DESCENDING"])
    x = np.asarray(t._value)
    if direction == "DESCENDING":
        x = -x if x.dtype.kind != "u" else x.max() - x
    return np.argsort(x, axis, kind="stable")


@export("sort")
def sort(values, axis=-1, direction="ASCENDING", name=None):
    """The elements in order along a dimension.

    >>> print(sort([3, 1, 2], direction="DESCENDING"))
    tf.Tensor([3 2 1], shape=(3,), dtype=int32)
    """
    t = value_of(values)
    axis = axis_of(axis, t.ndim, "Sort")
    return box(m.take_along_dim(t, wrap(_order(t, axis, direction)), axis))


@export("argsort")
def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The positions that sort the elements along a dimension."""
    t = value_of(values)
    return box(wrap(_order(t, axis_of(axis, t.ndim, "Sort"), direction).astype(np.int32)))


@export("math.top_k", "nn.top_k")
def top_k(input, k=1, sorted=True, index_type=dtypes.int32, name=None):
    """The k largest elements of the last dimension, and their positions; of equal ones the first."""
    t, k = value_of(input), int(value_of(k)._value)
    if not t.ndim or k > t._value.shape[-1]:
        raise error("argument-value",
                    invalid("TopKV2", f"input must have at least k columns. Had {t._value.shape[-1] if t.ndim else 0}, "
                            f"needed {k}"),
                    what="k", value=k, must="a whole number of at most {high}",
                    high=t._value.shape[-1] if t.ndim else 0)
    places = np.ascontiguousarray(_order(t, t.ndim - 1, "DESCENDING")[..., :k])
    return TopKV2(box(m.take_along_dim(t, wrap(places), -1)),
                  box(wrap(places.astype(dtypes.as_dtype(index_type).np))))


@export("math.in_top_k", "nn.in_top_k")
def in_top_k(targets, predictions, k, name=None):
    """Whether the class of each row is among its k largest predictions."""
    p, c = np.asarray(value_of(predictions)._value), np.asarray(value_of(targets)._value)
    mine = p[np.arange(len(c)), c]
    return box(wrap(((p > mine[:, None]).sum(-1) < k) & np.isfinite(mine)))


@export("searchsorted")
def searchsorted(sorted_sequence, values, side="left", out_type=dtypes.int32, name=None):
    """Where each value would stand in a sorted sequence (row by row if there are several)."""
    s, v = [np.asarray(value_of(x)._value) for x in (sorted_sequence, values)]
    rows = [np.searchsorted(a, b, side) for a, b in zip(s.reshape(-1, s.shape[-1]), v.reshape(-1, v.shape[-1]))]
    return box(wrap(np.array(rows).reshape(v.shape).astype(dtypes.as_dtype(out_type).np)))


@export("unique")
def unique(x, out_idx=dtypes.int32, name=None):
    """The distinct elements in the order of their first appearance, and which of them each element is."""
    y, idx, _ = _distinct(x, out_idx)
    return Unique(y, idx)


@export("unique_with_counts")
def unique_with_counts(x, out_idx=dtypes.int32, name=None):
    """As `unique`, and how often each comes."""
    return UniqueWithCounts(*_distinct(x, out_idx))


def _distinct(x, out_idx):
    v, d = np.asarray(value_of(x)._value), dtypes.as_dtype(out_idx).np
    y, first, inverse, counts = np.unique(v, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return box(wrap(y[order])), box(wrap(rank[inverse].astype(d))), box(wrap(counts[order].astype(d)))


@export("math.bincount")
def bincount(arr, weights=None, minlength=None, maxlength=None, dtype=dtypes.int32, name=None, axis=None,
             binary_output=False):
    """How often each number from 0 on comes, or the sum of its weights."""
    x = np.asarray(value_of(arr)._value).reshape(-1)
    w = None if weights is None else np.asarray(value_of(weights)._value).reshape(-1)
    n = max(int(x.max(initial=-1)) + 1, 0 if minlength is None else int(minlength))
    n = n if maxlength is None else min(n, int(maxlength))
    inside = x < n
    counts = np.bincount(x[inside], None if w is None else w[inside], n)
    return box(wrap(counts.astype(dtypes.as_dtype(dtype).np if w is None else w.dtype)))


@export("math.confusion_matrix")
def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype=dtypes.int32, name=None):
    """How often class i (row) was predicted as class j (column)."""
    a, b = [np.asarray(value_of(v)._value).reshape(-1).astype(np.int64) for v in (labels, predictions)]
    n = int(max(a.max(initial=-1), b.max(initial=-1))) + 1 if num_classes is None else int(num_classes)
    out = np.zeros((n, n), dtypes.as_dtype(dtype).np)
    np.add.at(out, (a, b), 1 if weights is None else np.asarray(value_of(weights)._value).astype(out.dtype))
    return box(wrap(out))


@export("math.invert_permutation")
def invert_permutation(x, name=None):
    """The permutation that undoes this one."""
    p = np.asarray(value_of(x)._value)
    out = np.empty_like(p)
    out[p] = np.arange(len(p), dtype=p.dtype)
    return box(wrap(out))


@export("histogram_fixed_width")
def histogram_fixed_width(values, value_range, nbins=100, dtype=dtypes.int32, name=None):
    """How many values fall into each of equal parts of a range; what lies outside counts for the outermost."""
    v, ends = np.asarray(value_of(values)._value), np.asarray(value_of(value_range)._value)
    scaled = (v.reshape(-1) - ends[0]) / (ends[1] - ends[0])
    bins = np.clip(np.floor(nbins * scaled), 0, nbins - 1).astype(np.int64)
    return box(wrap(np.bincount(bins, minlength=nbins).astype(dtypes.as_dtype(dtype).np)))
