"""Quantiles: values between the elements of the sorted order."""
from __future__ import annotations

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..op import dtype_of, m
from ..public import public
from ..tensor import LiftedTensor, Tensor
from .movement import size_of
from .reduce import one_dim

PLACES = np.dtype(np.int64)
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@public()
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The q-th quantile along `dim` (or of all elements): q is a number in [0, 1], or a vector of them.

    Shape: that of `input` without `dim`; for a vector q with a new dimension in front. A row with
    a NaN gives NaN. Between two elements `interpolation` decides: linear, lower, higher, midpoint, nearest.

    >>> kobai.tensor([1., 2., 3., 4.]).quantile(0.5)
    tensor(2.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@public()
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """As `quantile`, of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(name, input, q, dim, keepdim, interpolation):
    q = _checked(name, input, q, interpolation)
    rows = m.sort(_rows(input, dim, name), -1)[0]
    n = rows.shape[-1]
    unknown = m.sum(m.isnan(rows), -1, True)
    if name == "quantile":  # NaN is last in order: there every rank of such a row points to
        ranks = m.where(unknown > 0, n - 1, m.reshape(q, (-1,)) * (n - 1))
    else:
        ranks = m.reshape(q, (-1,)) * m.cast(m.clamp(n - 1 - unknown, min=0), dtype_of(rows))
    y = _between(rows, m.cast(ranks, dtype_of(rows)), interpolation)
    return _shaped(y, input, q, dim, keepdim)


def _checked(name, input, q, interpolation):
    """q as a value of the input's dtype, after PyTorch's checks."""
    if dtype_of(input) not in (np.float32, np.float64):
        raise error("tensor-dtype", RuntimeError(f"{name}() input tensor must be either float or double dtype"),
                    what="input", dtype=dtype_of(input), fn=f"{name}()", must="numbers of type float32 or float64",
                    fix="convert first: x.float() or x.double().")
    if not size_of(input):
        raise error("tensor-empty", RuntimeError(f"{name}() input tensor must be non-empty"), what="input",
                    fn=f"{name}()")
    if not hasattr(q, "shape"):
        if not 0 <= q <= 1:
            raise error("argument-value", RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}"), what="q",
                        value=q, must="a number between {low} and {high}", low=0, high=1)
        q = dtype_of(input).type(q)
    if len(q.shape) > 1:
        raise error("tensor-dims", RuntimeError(f"{name}() q must be a scalar or 1D tensor"), what="q",
                    shape=tuple(q.shape), need="{n} or {m}", n=0, m=1, fix="q.flatten() makes a row of all of them.")
    if dtype_of(q) != dtype_of(input):
        raise error("dtypes-differ", RuntimeError(f"{name}() q tensor must be same dtype as the input tensor"),
                    what="q", dtype=dtype_of(q), other="input", other_dtype=dtype_of(input))
    if isinstance(q, Tensor) and modes.trace is not None:
        modes.trace.catch_up()
    if isinstance(q, Tensor) and not isinstance(q, LiftedTensor) and not ((q._data >= 0) & (q._data <= 1)).all():
        bad = q._data[~((q._data >= 0) & (q._data <= 1))].flat[0]
        raise error("data-range", RuntimeError(f"{name}() q values must be in the range [0, 1]"), what="q",
                    value=float(bad), must="a number between {low} and {high}", low=0, high=1)
    if interpolation not in INTERPOLATIONS:
        raise error("argument-choice", RuntimeError(
                    f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
                    f"{interpolation}"), what="interpolation", value=interpolation,
                    choices=["linear", "lower", "higher", "midpoint", "nearest"])
    return q


def _rows(x, dim, name):
    """x with the dimension in question last."""
    if dim is None or not x.ndim:
        return m.reshape(x, (-1,))
    return m.movedim(x, one_dim(dim, x.ndim, name), -1)


def _between(rows, ranks, interpolation):
    """Elements of sorted rows at fractional ranks."""
    if interpolation == "lower":
        ranks = m.floor(ranks)
    elif interpolation == "higher":
        ranks = m.ceil(ranks)
    elif interpolation == "nearest":
        ranks = m.round(ranks)
    below = m.floor(ranks)
    shape = (*rows.shape[:-1], ranks.shape[-1])
    low = m.gather(rows, -1, m.expand_to(m.cast(below, PLACES), shape))
    if interpolation not in ("linear", "midpoint"):
        return low
    high = m.gather(rows, -1, m.expand_to(m.cast(m.ceil(ranks), PLACES), shape))
    weight = ranks - below if interpolation == "linear" else 0.5
    return m.lerp(low, high, weight)


def _shaped(y, input, q, dim, keepdim):
    """The quantiles, so far the last dimension, in front; or dropped, if there is one q only."""
    y = m.squeeze(y, -1) if not len(q.shape) else m.movedim(y, -1, 0)
    if not keepdim or not input.ndim:
        return y
    lead = tuple(y.shape[:1]) if len(q.shape) else ()
    dims = range(input.ndim) if dim is None else (one_dim(dim, input.ndim, "quantile"),)
    return m.reshape(y, (*lead, *[1 if d in dims else s for d, s in enumerate(input.shape)]))
