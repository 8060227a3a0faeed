"""Reductions and normalisations over the elements where a mask holds: torch.masked."""
from __future__ import annotations

from math import inf, nan

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..op import dtype_of, m
from ..public import export
from .arguments import as_dtype
from .reduce import count_over, normal_dims, one_dim


def _masked(fn):
    """Export under the name without the underscore, and not into `m`, which has these names."""
    fn.__name__ = fn.__qualname__ = fn.__name__.lstrip("_")
    export("masked", fn.__name__, fn)
    return fn


# ---- masks and what takes the place of the elements they hide --------------------------------
def _lowest(d):
    """What is never larger than another number of NumPy dtype `d`."""
    return -inf if d.kind in "fV" else int(np.iinfo(d).min)


def _highest(d):
    return inf if d.kind in "fV" else int(np.iinfo(d).max)


def _converted(x, dtype):
    return x if dtype is None else m.cast(x, as_dtype(dtype))


def _mask_of(x, mask):
    """The mask as bools of the shape of x, or None."""
    if mask is None:
        return None
    mask = mask if dtype_of(mask).kind == "b" else mask != 0
    if len(mask.shape) > len(x.shape):
        raise error("tensor-dims", IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"), what="mask",
            shape=mask.shape, need="at most {n}", n=len(x.shape))
    return m.expand(mask, tuple(x.shape)) if tuple(mask.shape) != tuple(x.shape) else mask


def _filled(x, mask, value):
    """x with `value` where the mask does not hold."""
    return x if mask is None else m.where(_mask_of(x, mask), x, value)


def _count(x, mask, dims, keepdim):
    """How many elements are seen over `dims`: a number, or a tensor for a mask."""
    return count_over(x.shape, dims) if mask is None else m.sum(_mask_of(x, mask), dims, keepdim)


def _refuse_bool(x, name):
    if dtype_of(x).kind == "b":
        raise error("tensor-dtype", NotImplementedError(f"identity of {name} on torch.bool input"), what="input",
                    dtype=dtype_of(x), fn=f"{name}()", must="numbers",
                    fix="convert it first: {what}.float() or {what}.int().")


# ---- reductions ------------------------------------------------------------------------------
@_masked
def _sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum over `dim` of the elements where `mask` holds.

    >>> kobai.masked.sum(kobai.tensor([1, 2, 4]), mask=kobai.tensor([True, False, True]))
    tensor(5)
    """
    x = _converted(input, dtype)
    return m.sum(_filled(x, mask, 0), normal_dims(dim, x.ndim), keepdim)


@_masked
def _prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product over `dim` of the elements where `mask` holds."""
    x = _filled(_converted(input, dtype), mask, 1)
    for d in reversed(normal_dims(dim, x.ndim)):
        x = m.prod(x, d, keepdim)
    return x if dtype_of(x).kind in "fc" else m.cast(x, dtypes.int64)


@_masked
def _cumsum(input, dim, *, dtype=None, mask=None):
    """The running sum along `dim` of the elements where `mask` holds."""
    x = _converted(input, dtype)
    return m.cumsum(_filled(x, mask, 0), dim, dtype=dtypes.of(dtype_of(x)))


@_masked
def _cumprod(input, dim, *, dtype=None, mask=None):
    """The running product along `dim` of the elements where `mask` holds."""
    x = _converted(input, dtype)
    return m.cumprod(_filled(x, mask, 1), dim, dtype=dtypes.of(dtype_of(x)))


def _extreme(name, identity, input, dim, keepdim, dtype, mask):
    x = _converted(input, dtype)
    _refuse_bool(x, name)
    return getattr(m, name)(_filled(x, mask, identity(dtype_of(x))), normal_dims(dim, x.ndim) or (), keepdim)


@_masked
def _amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest element over `dim` where `mask` holds."""
    return _extreme("amax", _lowest, input, dim, keepdim, dtype, mask)


@_masked
def _amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest element over `dim` where `mask` holds."""
    return _extreme("amin", _highest, input, dim, keepdim, dtype, mask)


def _place(name, identity, input, dim, keepdim, dtype, mask):
    x = _converted(input, dtype)
    _refuse_bool(x, name)
    y = getattr(m, name)(_filled(x, mask, identity(dtype_of(x))), dim, keepdim)
    return m.cast(y, dtype_of(x))  # as PyTorch: the dtype of the input


@_masked
def _argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the largest element where `mask` holds, in the dtype of the input."""
    return _place("argmax", _lowest, input, dim, keepdim, dtype, mask)


@_masked
def _argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the smallest element where `mask` holds, in the dtype of the input."""
    return _place("argmin", _highest, input, dim, keepdim, dtype, mask)


@_masked
def _mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean over `dim` of the elements where `mask` holds; NaN where it holds nowhere."""
    x = _converted(input, dtype)
    if dtype_of(x).kind in "bui":
        raise error("tensor-dtype", ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{dtypes.of(dtype_of(x))}"), what="input", dtype=dtype_of(x), fn="mean()",
            must="floating point or complex numbers", fix="convert it first: {what}.float().")
    dims = normal_dims(dim, x.ndim)
    return m.sum(_filled(x, mask, 0), dims, keepdim) / _count(x, mask, dims, keepdim)


@_masked
def _median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median along `dim` of the elements where `mask` holds; NaN where it holds nowhere."""
    x = _converted(input, dtype)
    dim = one_dim(dim, x.ndim, "median") if isinstance(dim, int) or x.ndim == 0 else normal_dims(dim, x.ndim)[0]
    if mask is not None and dtype_of(x).kind not in "fV":
        return _whole_median(x, mask, dim, keepdim)
    return m.nanmedian(_filled(x, mask, nan), dim, keepdim)[0]


def _whole_median(x, mask, dim, keepdim):
    y = m.nanmedian(_filled(m.cast(x, np.dtype(np.float32)), mask, nan), dim, keepdim)[0]
    if bool(m.any(m.isnan(y))):
        raise error("tensor-empty", ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"), dtype=dtype_of(x),
            why="in some row mask is False everywhere, and {dtype} has no nan for its median.",
            fix="convert it first: {what}.float().", what="input")
    return m.cast(y, dtype_of(x))


@_masked
def _logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp(input))) over `dim`, of the elements where `mask` holds."""
    x = _converted(input, dtype)
    y = m.logsumexp(_filled(x, mask, _lowest(dtype_of(x))), normal_dims(dim, x.ndim), keepdim)
    return m.cast(y, dtype_of(x))


@_masked
def _logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)), each where its mask holds."""
    return m.logaddexp(_filled(_converted(input, dtype), input_mask, -inf),
                       _filled(_converted(other, dtype), other_mask, -inf))


@_masked
def _norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The `ord`-norm over `dim` of the elements where `mask` holds."""
    x = _converted(input, dtype)
    return m.vector_norm(_filled(x, mask, inf if ord == -inf else 0), ord, normal_dims(dim, x.ndim), keepdim)


def _variance(input, dim, unbiased, correction, keepdim, dtype, mask):
    x = _converted(input, dtype)
    x = m.true_divide(x, 1) if dtype_of(x).kind in "bui" else x
    correction = (0 if unbiased is False else 1) if correction is None else correction
    dims = normal_dims(dim, x.ndim)
    mean = m.sum(_filled(x, mask, 0), dims, True) / _count(x, mask, dims, True)
    d = _filled(x - mean, mask, 0)
    n = _count(x, mask, dims, keepdim) - correction
    return m.sum(d * m.conj(d), dims, keepdim) / (max(n, 0) if mask is None else m.clamp(n, min=0))


@_masked
def _var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance over `dim` of the elements where `mask` holds."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


@_masked
def _std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation over `dim` of the elements where `mask` holds."""
    return m.sqrt(_variance(input, dim, unbiased, correction, keepdim, dtype, mask))


# ---- normalisations --------------------------------------------------------------------------
@_masked
def _softmax(input, dim, *, dtype=None, mask=None):
    """softmax over the elements along `dim` where `mask` holds; 0 elsewhere."""
    return m.softmax(_filled(_converted(input, dtype), mask, -inf), dim)


@_masked
def _log_softmax(input, dim, *, dtype=None, mask=None):
    """log(softmax) over the elements along `dim` where `mask` holds; -inf elsewhere."""
    return m.log_softmax(_filled(_converted(input, dtype), mask, -inf), dim)


@_masked
def _softmin(input, dim, *, dtype=None, mask=None):
    """softmax(-input) over the elements along `dim` where `mask` holds; 0 elsewhere."""
    return m.softmax(_filled(-_converted(input, dtype), mask, -inf), dim)


@_masked
def _normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The elements where `mask` holds, divided by their norm along `dim` (by `eps`, if that is larger)."""
    x = _filled(_converted(input, dtype), mask, 0)
    return x / m.clamp(m.vector_norm(x, ord, dim, True), min=eps)
