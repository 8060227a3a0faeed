"""Norms and condition numbers of matrices."""
from __future__ import annotations

from math import inf

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import dtype_of, m
from ..public import public
from .arguments import as_dtype
from .decompose import Svdvals
from .diagonal import diagonal as _diagonal
from .movement import normal_dim
from .norms import vector_norm


def _dims(x, dim):
    dims = tuple([int(d) for d in dim]) if isinstance(dim, (tuple, list)) else (int(dim),)
    if len(dims) != 2:
        raise error("argument-count", RuntimeError(
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}"), what="dim", count=len(dims),
            need="{n}", n=2)
    if len(x.shape) < 2:
        raise error("tensor-dims", RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."), what="A", shape=x.shape,
            need="at least {n}", n=2)
    dims = tuple([normal_dim(d, len(x.shape)) for d in dims])
    if dims[0] == dims[1]:
        raise error("argument-value", RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})"), what="dim", value=dim,
            must="different dimensions")
    return dims


def _kept(y, shape, dims, keepdim):
    """`y` in the shape of the result."""
    shape = tuple([1 if d in dims else s for d, s in enumerate(shape) if keepdim or d not in dims])
    return y if tuple(y.shape) == shape else m.reshape(y, shape)


@public("linalg")
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices.

    Args:
        ord: "fro", the root of the sum of squares; "nuc", the sum of singular values; 2 and -2, the largest and the
            smallest of these; 1 and -1, the largest and smallest sum of a column; inf and -inf, of a row.

    >>> kobai.linalg.matrix_norm(kobai.tensor([[3., 0.], [0., 4.]]), "nuc")
    tensor(7.)
    """
    dims = _dims(A, dim)
    if dtype_of(A).kind not in "fcV":
        raise error("tensor-dtype", RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {type_word(A)}"),
            what="A", dtype=dtype_of(A), fn="linalg.matrix_norm()", must="floating point or complex numbers",
            fix="convert it first: {what}.float().")
    if dtype is not None:
        A = m.cast(A, as_dtype(dtype, fn="matrix_norm"))
    if ord == "fro":
        return vector_norm(A, 2, dims, keepdim)
    if ord == "nuc":
        return _kept(m.sum(_singular_values(A, dims), -1), A.shape, dims, keepdim)
    if isinstance(ord, str) or abs(ord) not in (1, 2, inf):
        raise error("argument-choice", RuntimeError(f"linalg.matrix_norm: Order {ord} not supported."), what="ord",
                    value=ord, choices=["fro", "nuc", 1, -1, 2, -2, inf, -inf])
    largest = m.amax if ord > 0 else m.amin
    if abs(ord) == 2:
        return _kept(_extreme(largest, _singular_values(A, dims), -1), A.shape, dims, keepdim)
    first, second = dims if abs(ord) == 1 else dims[::-1]
    sums = vector_norm(A, 1, first, True)
    return _kept(_extreme(largest, sums, second), A.shape, dims, keepdim)


def _extreme(largest, x, dim):
    """The largest or smallest over `dim`; 0 of nothing."""
    return largest(x, dim) if x.shape[dim] else m.sum(x, dim)


def _singular_values(A, dims):
    return Svdvals()(m.movedim(A, dims, (-2, -1)))


@public("linalg", name="norm")
def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """A norm of a vector or a matrix: `vector_norm` or `matrix_norm`, by `dim` or the number of dimensions.

    Without `ord`, the root of the sum of squares of all elements, or of those over `dim`.

    >>> kobai.linalg.norm(kobai.tensor([[3., 0.], [0., 4.]]))
    tensor(5.)
    """
    one = dim is not None and not isinstance(dim, (tuple, list))
    dims = (dim,) if one else None if dim is None else tuple(dim)
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype)
    if not isinstance(ord, (int, float, str)):
        raise error("argument-type", TypeError(
            f"linalg_norm() received an invalid combination of arguments - got (Tensor, {type(ord).__name__})"),
            what="ord", kind=type(ord), must="a number, 'fro' or 'nuc'")
    if dims is None and len(A.shape) not in (1, 2):
        raise error("tensor-dims", RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {len(A.shape)}D."),
            what="A", shape=A.shape, need="{n} or {m}", n=1, m=2,
            fix="name the dimensions: dim=-1 for vectors, dim=(-2, -1) for matrices.")
    if dims is not None and len(dims) not in (1, 2):
        raise error("argument-count", RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"), what="dim",
            count=len(dims), need="{n} or {m}", n=1, m=2)
    count = len(A.shape) if dims is None else len(dims)
    if count == 2 or isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@public("linalg")
def cond(A, p=None):
    """The condition number: how much relative errors may grow when a system with A is solved.

    Args: p, the norm: norm(A) * norm(inverse); by default the largest singular value over the smallest.
    """
    if len(A.shape) < 2:
        raise error("tensor-dims", RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions."),
                    what="A", shape=A.shape, need="at least {n}", n=2)
    if p is None or p in (2, -2):
        values = Svdvals()(A)
        if values.shape[-1] == 0:
            return m.sum(values, -1)
        top, bottom = m.select(values, -1, 0), m.select(values, -1, values.shape[-1] - 1)
        return bottom / top if p == -2 else top / bottom
    if p not in ("fro", "nuc", inf, -inf, 1, -1):
        raise error("argument-choice", RuntimeError(f"linalg.cond got an invalid norm type: {p}"), what="p", value=p,
                    choices=["fro", "nuc", inf, -inf, 1, -1, 2, -2])
    if A.shape[-1] != A.shape[-2]:
        raise error("not-square", function=f"linalg.cond(ord={p})", rows=A.shape[-2], cols=A.shape[-1])
    if A.shape[-1] == 0:
        return m.sum(m.abs(A), (-2, -1))
    inverse, regular = _inverse(A)
    y = matrix_norm(A, p) * matrix_norm(inverse, p)
    return y if regular is None else m.where(regular, y, inf)


def _inverse(A):
    """The inverse, and where A has one: None if everywhere."""
    from ..linalg import LinAlgError  # noqa: PLC0415  (that module is filled from this one)
    try:
        return m.inv(A), None
    except LinAlgError:
        pass
    regular = m.gt(m.abs(m.det(A)), 0)
    safe = m.where(m.unsqueeze(m.unsqueeze(regular, -1), -1), A, np.eye(A.shape[-1], dtype=dtype_of(A)))
    return m.inv(safe), regular


@public("linalg", name="diagonal")
def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of matrices: `torch.diagonal` over the last two dimensions."""
    return _diagonal(A, offset, dim1, dim2)
