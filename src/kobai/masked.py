"""Reductions and normalisations of the elements where a mask is true (torch.masked).

What is masked out counts as the operation's identity: 0 in a sum, -inf in a maximum. All take `mask`, a bool
tensor that is broadcast to the input; without it all elements count.
"""
from __future__ import annotations

import math

import numpy as np

from . import dtypes
from .op import dtype_of, m
from .ops.movement import normal_dim
from .tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean",
           "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var"]


def _mask(input, mask):
    """`mask` in the shape of the input."""
    if mask.ndim > input.ndim:
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)\n"
                         f"  cause: {mask.ndim} dimensions for {input.ndim}.")
    mask = mask if mask.dtype is dtypes.bool_ else mask.bool()
    return mask if mask.shape == input.shape else m.expand_to(mask, tuple(input.shape))


def _filled(input, mask, value, dtype=None):
    """The input in `dtype`, with `value` where the mask is false."""
    if not isinstance(input, Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    x = input if dtype is None else m.cast(input, dtype)
    return x if mask is None else m.where(_mask(input, mask), x, x.new_full((), value))


def _whole(input, dtype):
    """The dtype of sums: int64 for integers."""
    return dtypes.int64 if dtype is None and dtype_of(input).kind in "bui" else dtype


def _dims(input, dim):
    """A tuple of dimensions; None or () for all."""
    if dim is None or isinstance(dim, (tuple, list)) and not dim:
        return tuple(range(input.ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple([normal_dim(d, input.ndim) for d in dims]) if input.ndim else ()


def _lowest(input, sign):
    """-inf, or the smallest integer; with sign -1 the largest."""
    d = dtype_of(input)
    if d.kind in "iu":
        return int(np.iinfo(d).min if sign > 0 else np.iinfo(d).max)
    return -sign * math.inf


# ---- reductions ------------------------------------------------------------------------------
def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum over `dim` of the elements where the mask is true.

    >>> kobai.masked.sum(kobai.tensor([1., 2., 3.]), mask=kobai.tensor([True, False, True]))
    tensor(4.)
    """
    x = _filled(input, mask, 0, _whole(input, dtype))
    return m.sum(x, _dims(input, dim), keepdim) if x.ndim else x * 1


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product over `dim` of the elements where the mask is true."""
    x = _filled(input, mask, 1, _whole(input, dtype))
    for d in sorted(_dims(input, dim), reverse=True):
        x = m.prod(x, d, keepdim)
    return x


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest over `dim` of the elements where the mask is true."""
    return m.amax(_filled(input, mask, _lowest(input, 1), dtype), _dims(input, dim), keepdim)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest over `dim` of the elements where the mask is true."""
    return m.amin(_filled(input, mask, _lowest(input, -1), dtype), _dims(input, dim), keepdim)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the largest element is, of those where the mask is true; in the dtype of the input, as PyTorch has it."""
    return m.cast(m.argmax(_filled(input, mask, _lowest(input, 1), dtype), dim, keepdim), dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the smallest element is, of those where the mask is true."""
    return m.cast(m.argmin(_filled(input, mask, _lowest(input, -1), dtype), dim, keepdim), dtype or input.dtype)


def _count(input, dims, keepdim, mask):
    """How many elements count, as int64."""
    mask = input.new_ones(input.shape, dtype=dtypes.int64) if mask is None else m.cast(_mask(input, mask), dtypes.int64)
    return m.sum(mask, dims, keepdim) if input.ndim else mask


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean over `dim` of the elements where the mask is true."""
    d = dtype or input.dtype
    if not (d.is_floating_point or d.is_complex):
        raise ValueError("mean(): Could not infer output dtype. Input dtype must be either a floating point or complex "
                         f"dtype. Got: {d}\n  fix: dtype=torch.float32")
    return sum(input, dim, keepdim=keepdim, dtype=d, mask=mask) / _count(input, _dims(input, dim), keepdim, mask)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The median along `dim` of the elements where the mask is true."""
    if dtype_of(input).kind in "iu" and mask is not None and not bool(mask.all()):
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    x = m.nanmedian(_filled(input, mask, math.nan, dtype), dim, keepdim)
    return x[0]


def logsumexp(input, dim, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp(x))) over `dim` of the elements where the mask is true."""
    x = _filled(input, mask, _lowest(input, 1), dtype)
    return m.cast(m.logsumexp(x, _dims(input, dim), keepdim), dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The `ord`-norm over `dim` of the elements where the mask is true."""
    x = _filled(input, mask, math.inf if ord == -math.inf else 0, dtype)
    return m.vector_norm(x, ord, _dims(input, dim), keepdim)


def _variance(input, dim, unbiased, correction, keepdim, dtype, mask, root):
    if unbiased is not None and correction is not None:
        raise ValueError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    d = dtype or (dtypes.float32 if dtype_of(input).kind in "bui" else input.dtype)
    dims = _dims(input, dim)
    if mask is None:
        x = m.cast(input, d)
        return (m.std if root else m.var)(x, dims, correction=correction, keepdim=keepdim)
    count = _count(input, dims, True, mask)
    middle = sum(input, dim, keepdim=True, dtype=d, mask=mask) / count
    x = m.cast(input, d) - middle
    total = sum(x * m.conj(x) if d.is_complex else x * x, dim, keepdim=keepdim, mask=mask)
    count = count if keepdim else m.reshape(count, tuple(total.shape))
    y = total / m.clamp_min(m.cast(count, d) - correction, 0)
    return m.sqrt(y) if root else y


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance over `dim` of the elements where the mask is true, divided by their number minus `correction`."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, False)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation over `dim` of the elements where the mask is true."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, True)


# ---- along a dimension -----------------------------------------------------------------------
def cumsum(input, dim, *, dtype=None, mask=None):
    """Running sums of the elements where the mask is true."""
    return m.cumsum(_filled(input, mask, 0, _whole(input, dtype)), dim)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Running products of the elements where the mask is true."""
    return m.cumprod(_filled(input, mask, 1, _whole(input, dtype)), dim)


def softmax(input, dim, *, dtype=None, mask=None):
    """Softmax along `dim` of the elements where the mask is true; 0 elsewhere."""
    return m.softmax(_filled(input, mask, _lowest(input, 1), dtype), dim)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """The logarithm of `softmax`."""
    return m.log_softmax(_filled(input, mask, _lowest(input, 1), dtype), dim)


def softmin(input, dim, *, dtype=None, mask=None):
    """Softmax of -x along `dim` of the elements where the mask is true; 0 elsewhere."""
    return m.softmax(-_filled(input, mask, _lowest(input, -1), dtype), dim)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """Elements divided by their `ord`-norm along `dim` (`eps` at least), where the mask is true; 0 elsewhere."""
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0, dtype) / m.clamp_min(size, eps)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(a) + exp(b)), where what is masked out counts as -inf."""
    a = _filled(input, input_mask, -math.inf, dtype)
    b = _filled(other, other_mask, -math.inf, dtype)
    return m.logaddexp(a, b)
