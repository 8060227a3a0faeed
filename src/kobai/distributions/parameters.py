"""Parameters of distributions: numbers and tensors brought to one shape, probabilities and their logits."""
from __future__ import annotations

from functools import update_wrapper

import numpy as np

from .. import dtypes
from ..autograd.mode import enable_grad
from ..diagnose import error
from ..op import m
from ..ops.construct import tensor
from ..ops.creation import empty
from ..tensor import Size, Tensor

euler_constant = 0.57721566490153286060


def broadcast_all(*values):
    """Numbers and tensors as tensors of one shape; numbers get the dtype of the first tensor.

    >>> broadcast_all(0.0, kobai.ones(2))
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    if not all(isinstance(v, (Tensor, int, float, bool, np.number)) for v in values):
        raise error("argument-type",
                    ValueError("Input arguments must all be instances of Number, torch.Tensor or objects "
                               "implementing __torch_function__."),
                    what="parameter",
                    kind=next(type(v) for v in values if not isinstance(v, (Tensor, int, float, bool, np.number))),
                    must="a number or a tensor", fix="make tensors of lists and arrays: torch.tensor([0.0, 1.0]).")
    first = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = first.dtype if first is not None else dtypes.get_default_dtype()
    tensors = [v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values]
    try:
        shape = np.broadcast_shapes(*[tuple(t.shape) for t in tensors])
    except ValueError:
        raise error("shape-broadcast", shapes=[tuple(t.shape) for t in tensors]) from None
    return tuple([t if tuple(t.shape) == shape else t.expand(shape) for t in tensors])


def standard_normal(shape, dtype, device=None):
    """Normal numbers of mean 0 and variance 1."""
    return empty(tuple(shape), dtype=dtype).normal_()


def eps_of(dtype):
    """The relative spacing of the numbers of a dtype."""
    return float(np.finfo(dtype.np).eps)


def tiny_of(dtype):
    """The smallest normal number of a dtype."""
    return float(np.finfo(dtype.np).tiny)


def clamp_probs(probs):
    """Probabilities kept away from 0 and 1 by the dtype's eps."""
    eps = eps_of(probs.dtype)
    return probs.clamp(eps, 1 - eps)


def logits_to_probs(logits, is_binary=False):
    """Probabilities from logits: log-odds if binary, otherwise logarithms along the last dimension."""
    return m.sigmoid(logits) if is_binary else m.softmax(logits, -1)


def probs_to_logits(probs, is_binary=False):
    """Logits from probabilities: log-odds if binary, otherwise logarithms."""
    clamped = clamp_probs(probs)
    return m.log(clamped) - m.log1p(-clamped) if is_binary else m.log(clamped)


class lazy_property:
    """A property that is computed when first asked for, and then an ordinary attribute."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return _OfClass(self.wrapped)
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _OfClass(lazy_property, property):
    """What a lazy property is on the class: for documentation."""

    def __init__(self, wrapped):
        property.__init__(self, wrapped)


def tril_matrix_to_vec(mat, diag=0):
    """The elements on and below diagonal `diag` of matrices, row by row."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise error("argument-value", ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}]."), what="diag",
                    value=diag, low=-n, high=n - 1, must="a whole number between {low} and {high}")
    rows, columns = np.tril_indices(n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec, diag=0):
    """Lower triangular matrices from vectors: the inverse of `tril_matrix_to_vec`."""
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if round(n) - n > eps_of(vec.dtype):
        raise error("dimension-size",
                    ValueError(f"The size of last dimension is {vec.shape[-1]} which cannot be expressed as the "
                               "lower triangular part of a square D x D matrix."),
                    what="vec", dim=-1, size=vec.shape[-1],
                    must="1, 3, 6, 10 or another number of elements on and below a diagonal")
    n = round(n)
    mat = vec.new_zeros((*vec.shape[:-1], n, n))
    rows, columns = np.tril_indices(n, diag)
    mat[..., rows, columns] = vec
    return mat


def sum_rightmost(value, dims):
    """The sum over the last `dims` dimensions."""
    return value if dims == 0 else value.reshape(*value.shape[:value.ndim - dims], -1).sum(-1)


__all__ = ["Size", "broadcast_all", "clamp_probs", "euler_constant", "lazy_property", "logits_to_probs",
           "probs_to_logits", "standard_normal", "tril_matrix_to_vec", "vec_to_tril_matrix"]
