"""What the ops of dense tensors do on sparse values: a table by the op's name.

Gradients need no rules of their own: those of the ops are arithmetic, which works on sparse values too.
"""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..ops.index import add_rows
from .coo import Coo, SparseValue, unsupported

# f(0) = 0
SparseValue.on_values |= set("""Abs Sqrt Sin Tan Tanh Sinh Asin Atan Asinh Atanh Ceil Floor Round Trunc Sign Sgn Erf
    Erfinv Expm1 Log1p Relu Isnan Isinf Signbit PowNumber LeakyRelu Deg2rad Rad2deg Frac""".split())


# ---- sums and products, element by element ---------------------------------------------------
def _joined(a, b, sign=1):
    if a.shape != b.shape:
        raise error("shapes-differ", RuntimeError(
                    f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != {list(b.shape)}"),
                    what="self", shape=tuple(a.shape), other="other", other_shape=tuple(b.shape),
                    must="both must have the same shape",
                    fix="sparse tensors do not broadcast: make dense tensors of both (x.to_dense()), or give them "
                        "one shape.")
    if a.sparse_dim != b.sparse_dim:
        raise error("layout", RuntimeError(
                    f"add: expected 'self' and 'other' to have same density, but 'self' has {a.sparse_dim} sparse "
                    f"dimensions while 'other' has {b.sparse_dim} sparse dimensions"),
                    why="the first has {i} sparse dimensions, the second {j}: their values have different shapes.",
                    i=a.sparse_dim, j=b.sparse_dim, fix="bring both to the same: x.to_dense().to_sparse(sparse_dim).")
    values = np.concatenate([a.values, b.values * b.dtype.type(sign) if sign != 1 else b.values])
    y = Coo(np.concatenate([a.indices, b.indices], 1), values, a.shape)
    return y.coalesce() if a.coalesced and b.coalesced else y


def _add(op, a, b, sign=1):
    if isinstance(a, Coo) and isinstance(b, Coo):
        return _joined(a, b, sign)
    if isinstance(b, Coo):
        return _into_dense(a, b, sign)
    if not np.shape(b):
        raise error("not-possible", RuntimeError(
                    "add(sparse, dense) is not supported. Use add(dense, sparse) instead."),
                    why="a number added to every element leaves no zeros, so the result would not be sparse.",
                    fix="make a dense tensor of it first: x.to_dense().")
    return _into_dense(b if sign == 1 else -b, a, 1)


def _into_dense(dense, x, sign):
    if np.ndim(dense) > len(x.shape) or any(s not in (1, n) for s, n in zip(np.shape(dense)[::-1], x.shape[::-1])):
        raise error("shapes-differ", RuntimeError(
                    f"add: expected 'self' and 'other' to have same size, but self has size {list(np.shape(dense))} "
                    f"while other has size {list(x.shape)} (FYI: dense-sparse addition does not currently support "
                    "broadcasting)"), what="self", shape=tuple(np.shape(dense)), other="other",
                    other_shape=tuple(x.shape), must="both must have the same shape",
                    fix="sparse tensors do not broadcast: make dense tensors of both (x.to_dense()), or give them "
                        "one shape.")
    y = np.array(np.broadcast_to(dense, x.shape), np.result_type(dense, x.dtype))
    values = x.values if sign == 1 else x.values * x.dtype.type(sign)
    if x.sparse_dim == 1:
        add_rows(y, x.indices[0], values.astype(y.dtype, copy=False))
    else:
        np.add.at(y, tuple(x.indices), values)
    return y


def _mul(op, a, b):
    if not isinstance(a, Coo):
        a, b = b, a
    if not isinstance(b, Coo):
        return a.with_values(a.values * _at(b, a))
    words = "sparse_binary_op_intersection_cpu(): expects sparse inputs with equal dimensionality, number of sparse " \
            "dimensions, and shape of sparse dimensions"
    if a.shape != b.shape:
        raise error("shapes-differ", RuntimeError(words), what="self", shape=tuple(a.shape), other="other",
                    other_shape=tuple(b.shape), must="both must have the same shape",
                    fix="sparse tensors do not broadcast: make dense tensors of both (x.to_dense()), or give them "
                        "one shape.")
    if a.sparse_dim != b.sparse_dim:
        raise error("layout", RuntimeError(words),
                    why="the first has {i} sparse dimensions, the second {j}: their values have different shapes.",
                    i=a.sparse_dim, j=b.sparse_dim, fix="bring both to the same: x.to_dense().to_sparse(sparse_dim).")
    a, b = a.coalesce(), b.coalesce()
    _, i, j = np.intersect1d(a.flat(), b.flat(), assume_unique=True, return_indices=True)
    return Coo(a.indices[:, i], a.values[i] * b.values[j], a.shape, True)


def _at(dense, x):
    """The elements of `dense`, broadcast, at the indices of `x`."""
    return dense if not np.shape(dense) else np.broadcast_to(dense, x.shape)[tuple(x.indices)]


def _div(op, a, b):
    if not isinstance(a, Coo) or isinstance(b, Coo) or np.shape(b):
        raise error("not-possible", RuntimeError(
                    "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
                    f"{list(np.shape(b))} for divisor)"),
                    why="a sparse tensor can be divided by one number only: where nothing is stored, other quotients "
                        "could be NaN (0 / 0).", fix="make a dense tensor of it first: x.to_dense().")
    return a.with_values(a.values / b)


# ---- reductions ------------------------------------------------------------------------------
def _sum(op, x):
    dims = tuple(range(len(x.shape))) if op.dim is None else op.dim
    if op.keepdim:
        return op.forward(x.to_dense())
    return sum_over(x, dims)


def sum_over(x, dims):
    """The Coo `x` summed over `dims`: dense if no sparse dimension is left."""
    wide = np.int64 if x.dtype.kind in "bui" else x.dtype
    values = x.values.sum(tuple([d - x.sparse_dim + 1 for d in dims if d >= x.sparse_dim]), dtype=wide)
    rest = [d for d in range(x.sparse_dim) if d not in dims]
    if not rest:
        return values.sum(0, dtype=wide)
    shape = tuple([s for d, s in enumerate(x.shape) if d not in dims])
    return Coo(x.indices[rest], values, shape).coalesce()


def _norm(op, x):
    if op.dim is not None and len(op.dim) < len(x.shape):
        raise unsupported(op)
    return np.asarray(op.forward(x.coalesce().values.reshape((-1,) + (1,) * (len(x.shape) - 1)))).reshape(
        (1,) * len(x.shape) if op.keepdim else ())[()]


# ---- matrix products -------------------------------------------------------------------------
def _matrix(x):
    if isinstance(x, Coo) and (x.sparse_dim, x.dense_dim) != (2, 0):
        raise error("layout", RuntimeError(f"addmm: matrices expected, got {x.sparse_dim}D tensor"),
                    why="of the two dimensions {i} are stored as coordinates (sparse) and {j} in the values (dense); "
                        "products need 2 and 0.", i=x.sparse_dim, j=x.dense_dim,
                    fix="make a matrix by coordinates of it: x.to_dense().to_sparse().")
    return x


def product(a, b):
    """a @ b of matrices, either or both sparse; sparse only if both are."""
    a, b = _matrix(a), _matrix(b)
    if isinstance(a, Coo) and isinstance(b, Coo):
        return _sparse_product(a.coalesce(), b.coalesce())
    if isinstance(b, Coo):
        return product(_transposed(b, (1, 0)), a.T).T
    y = np.zeros((a.shape[0], b.shape[1]), np.result_type(a.dtype, b.dtype))
    rows, columns = a.indices
    add_rows(y, rows, (a.values[:, None] * b[columns]).astype(y.dtype, copy=False))
    return y


def _sparse_product(a, b):
    """Each value of a meets the row of b that its column names."""
    first = np.searchsorted(b.indices[0], a.indices[1])
    count = np.searchsorted(b.indices[0], a.indices[1], "right") - first
    of_a = np.repeat(np.arange(a.nnz), count)
    of_b = np.arange(len(of_a)) - np.repeat(np.cumsum(count) - count, count) + first[of_a]
    indices = np.stack([a.indices[0][of_a], b.indices[1][of_b]])
    return Coo(indices, a.values[of_a] * b.values[of_b], (a.shape[0], b.shape[1])).coalesce()


def _mm(op, a, b):
    return product(a, b)


def _mv(op, a, b):
    return product(a, b[:, None])[:, 0]


def _addmm(op, c, a, b):
    y = product(a, b)
    if isinstance(y, Coo):
        return _joined(_scaled(c, op.beta), _scaled(y, op.alpha))
    return op.beta * c + op.alpha * y if op.beta else op.alpha * y


def _scaled(x, number):
    return x if number == 1 else x.with_values(x.values * number)


# ---- movements -------------------------------------------------------------------------------
def _transposed(x, dims, words=""):
    if any((d < x.sparse_dim) != (i < x.sparse_dim) for i, d in enumerate(dims)):
        raise error("layout", RuntimeError(
                    words or "permute(sparse_coo): transpositions between sparse and dense dimensions are not allowed."
                    "Only transpositions within sparse and dense dimensions are supported."),
                    why="{i} dimensions are stored as coordinates (sparse), the {j} after them in the values "
                        "(dense), and the two kinds do not exchange.", i=x.sparse_dim, j=x.dense_dim,
                    fix="make all dimensions sparse first: x.to_dense().to_sparse().")
    k = x.sparse_dim
    values = x.values.transpose(0, *[d - k + 1 for d in dims[k:]])
    return Coo(x.indices[list(dims[:k])], values, [x.shape[d] for d in dims])


def _exchanged(op, x):
    dims = list(range(len(x.shape)))
    if len(dims) > 1 or hasattr(op, "dim0"):
        i, j = (op.dim0, op.dim1) if hasattr(op, "dim0") else (0, 1)
        dims[i], dims[j] = dims[j], dims[i]
        words = f"transposed dimensions must be sparse Got sparse_dim: {x.sparse_dim}, d0: {i}, d1: {j}"
        return _transposed(x, dims, f"sparse transpose: {words}" if hasattr(op, "dim0") else
                           "t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got "
                           f"{x.sparse_dim} sparse and {x.dense_dim} dense dimensions")
    return _transposed(x, dims)


def _select(op, x):
    if op.dim >= x.sparse_dim:
        return x.with_values(x.values.take(op.index, op.dim - x.sparse_dim + 1))
    here = x.indices[op.dim] == op.index
    rest = [d for d in range(x.sparse_dim) if d != op.dim]
    values = x.values[here]
    if not rest:
        return values.sum(0)
    return Coo(x.indices[rest][:, here], values, (*x.shape[:op.dim], *x.shape[op.dim + 1:]), x.coalesced)


def _slice(op, x):
    if op.dim >= x.sparse_dim:
        at = (slice(None),) * (op.dim - x.sparse_dim + 1) + (slice(op.start, op.end, op.step),)
        return x.with_values(x.values[at])
    i = x.indices[op.dim]
    here = (i >= op.start) & (i < op.end) & ((i - op.start) % op.step == 0)
    indices = x.indices[:, here]
    indices[op.dim] = (indices[op.dim] - op.start) // op.step
    n = len(range(op.start, op.end, op.step))
    return Coo(indices, x.values[here], (*x.shape[:op.dim], n, *x.shape[op.dim + 1:]), x.coalesced)


def _unsqueeze(op, x):
    shape = (*x.shape[:op.dim], 1, *x.shape[op.dim:])
    if op.dim > x.sparse_dim:
        return Coo(x.indices, np.expand_dims(x.values, op.dim - x.sparse_dim + 1), shape, x.coalesced)
    return Coo(np.insert(x.indices, op.dim, 0, axis=0), x.values, shape, x.coalesced)


def _cat(op, *xs):
    at = next((i for i, x in enumerate(xs) if not isinstance(x, Coo)), None)
    if at is not None:
        raise error("layout", RuntimeError(
                    f"Concatenating sparse tensors, but a dense tensor was found at position {at}."),
                    what=f"tensors[{at}]", layout="torch.strided", fn="cat()",
                    must="sparse tensors together with sparse ones",
                    fix="convert it: {what}.to_sparse(), or make dense tensors of the others.")
    k = xs[0].sparse_dim
    starts = np.cumsum([0] + [x.shape[op.dim] for x in xs])
    shape = (*xs[0].shape[:op.dim], int(starts[-1]), *xs[0].shape[op.dim + 1:])
    if op.dim < k:
        indices = [x.indices + (np.arange(k) == op.dim)[:, None] * s for x, s in zip(xs, starts)]
        return Coo(np.concatenate(indices, 1), np.concatenate([x.values for x in xs]), shape)
    wide = []
    for x, s in zip(xs, starts):
        values = np.zeros((x.nnz, *shape[k:]), x.dtype)
        values[(slice(None),) * (op.dim - k + 1) + (slice(s, s + x.shape[op.dim]),)] = x.values
        wide.append(values)
    return Coo(np.concatenate([x.indices for x in xs], 1), np.concatenate(wide), shape)


def _linear(op, x):
    return x.with_values(op.forward(x.values))


def _fill(op, x):
    if op.value:
        raise unsupported(op)
    return _zeros(op, x)


def _zeros(op, x):
    return Coo(x.indices[:, :0], np.zeros_like(x.values[:0]), x.shape, True)


def _reshape(op, x):
    raise error("not-possible", RuntimeError("reshape is not implemented for sparse tensors"),
                why="each value of a sparse tensor is stored with its place in the present shape.",
                fix="go by way of a dense tensor: x.to_dense().reshape(...).to_sparse().")


SparseValue.rules |= {
    "Add": _add, "Sub": lambda op, a, b: _add(op, a, b, -1),
    "AddScaled": lambda op, a, b: _add(op, a, b, op.alpha), "Mul": _mul, "Div": _div,
    "Sum": _sum, "SumAll": _sum, "LinalgVectorNorm": _norm, "Mm": _mm, "Mv": _mv, "Addmm": _addmm,
    "T": _exchanged, "Transpose": _exchanged, "Permute": lambda op, x: _transposed(x, op.dims),
    **dict.fromkeys(("Neg", "Conj", "Clone", "Identity", "Cast", "Promote", "ToInteger", "Real", "Imag"), _linear),
    "Zero": _zeros, "Fill": _fill, "Select": _select, "Slice": _slice, "Unsqueeze": _unsqueeze,
    "Cat": _cat, "ZerosLike": _zeros, "Reshape": _reshape,
}
