"""Ops between dense and sparse tensors, and those that know only sparse ones.

They are not in kobai/ops, whose generated tests feed dense arrays: tests/sparse has theirs. Gradients of
a sparse tensor are sparse, on its own indices, as in PyTorch.
"""
from __future__ import annotations

import numpy as np

from ..autograd.mode import modes
from ..general import record
from ..lifted import Lifted, m
from ..op import Op
from ..tensor import LiftedTensor, Tensor
from .compressed import Compressed, compress
from .coo import Coo, from_dense, masked
from .rules import product, sum_over


class _Sparse(Op):
    """An op that is told of sparse values as they are, and may give one."""

    sparse = True  # interpret() calls forward

    def __call__(self, *values):
        if not any(isinstance(v, Tensor) for v in values) or any(type(v) is LiftedTensor for v in values):
            return Op.__call__(self, *values)
        arrays = [v._value if isinstance(v, Tensor) else v for v in values]
        y = self.forward(*arrays)
        if not isinstance(y, Lifted):
            return Op.__call__(self, *values)
        mask = sum(1 << i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad)
        out = LiftedTensor(y)
        if mask and modes.grad:
            record(self, values, arrays, out, y, mask, y.dtype.kind == "c")
        return out


class FromCoordinates(_Sparse):
    """The sparse tensor with `values` at `indices`."""

    shape: tuple
    coalesced: bool = False
    grad_name = "SparseCooTensorWithDimsAndTensorsBackward0"

    def forward(self, indices, values):
        return Coo(indices, values, self.shape, self.coalesced)

    def vjp_values(self, g, indices):
        return AtIndices(self.shape)(g, indices)


class AtIndices(_Sparse):
    """The elements of x, dense or sparse, at `indices`: the transpose of FromCoordinates."""

    shape: tuple

    def forward(self, x, indices):
        pattern = Coo(indices, np.empty((indices.shape[1], *self.shape[len(indices):]), x.dtype), self.shape)
        return masked(x, pattern).values

    def vjp_x(self, g, indices):
        return FromCoordinates(self.shape)(indices, g)


class ToSparse(_Sparse):
    """Coordinates and values of what is not zero."""

    sparse_dim: int

    def forward(self, x):
        if isinstance(x, Lifted):
            return x.to_coo() if isinstance(x, Compressed) else x
        return from_dense(np.asarray(x), self.sparse_dim)

    def vjp_x(self, g):
        return dense(g)


class ToCompressed(_Sparse):
    """A matrix with compressed rows or columns."""

    layout: object
    block: tuple | None = None
    grad_name = "ToSparseBackward1"

    def forward(self, x):
        if isinstance(x, Compressed):
            x = x.to_coo()
        return compress(x if isinstance(x, Coo) else from_dense(np.asarray(x), 2), self.layout, self.block)

    def vjp_x(self, g):
        return dense(g)


class ToDense(_Sparse):
    """All elements of a sparse tensor."""

    def forward(self, x):
        return x.to_dense() if isinstance(x, Lifted) else x

    def vjp_x(self, g, x):
        return Masked()(g, x)


class Masked(_Sparse):
    """The elements of x at the indices of the sparse `mask`."""

    grad_name = "SparseMaskBackward0"

    def forward(self, x, mask):
        pattern = mask.to_coo() if isinstance(mask, Compressed) else mask
        x = x.to_coo() if isinstance(x, Compressed) else x
        y = masked(x, pattern)
        return mask.with_values(y.values) if isinstance(mask, Compressed) else y

    def vjp_x(self, g):
        return dense(g)


class Coalesce(_Sparse):
    """Each index once, in order; values of equal indices are added."""

    def forward(self, x):
        return x.coalesce()

    def vjp_x(self, g):
        return g


class Values(_Sparse):
    """The values of a sparse tensor, in the order of its indices."""

    def forward(self, x):
        return x.values

    def vjp_x(self, g, x):
        return WithValues()(g, x)


class WithValues(_Sparse):
    """A sparse tensor with the indices of x and other values: the transpose of Values."""

    def forward(self, values, x):
        return x.with_values(values)

    def vjp_values(self, g, x):
        return Values()(Masked()(g, x))


class SparseMm(_Sparse):
    """a @ b of matrices of which one or both are sparse; a sparse one has a sparse gradient."""

    grad_name = "SparseMmBackward0"

    def forward(self, a, b):
        a, b = [v.to_coo() if isinstance(v, Compressed) else v for v in (a, b)]
        return product(a, b) if isinstance(a, Coo) or isinstance(b, Coo) else a @ b

    def vjp_a(self, g, a, b):
        return _like(SparseMm()(g, m.transpose(m.conj(b), 0, 1)), a)

    def vjp_b(self, g, a, b):
        return _like(SparseMm()(m.transpose(m.conj(a), 0, 1), g), b)


def _like(g, x):
    """The gradient `g` on the indices of `x`, if that is sparse."""
    value = x._value if isinstance(x, Tensor) else x
    return Masked()(g, x) if isinstance(value, Lifted) and value.layout is not None else dense(g)


class SparseSum(_Sparse):
    """The sum over `dim`; its gradient is sparse."""

    dim: tuple
    grad_name = "SparseSumBackward0"

    def forward(self, x):
        return sum_over(x, self.dim)

    def vjp_x(self, g, x):
        g = dense(g)
        kept = tuple([1 if i in self.dim else s for i, s in enumerate(x.shape)])
        return Masked()(m.expand_to(m.reshape(g, kept), tuple(x.shape)), x)


class SparseSoftmax(_Sparse):
    """Softmax over `dim` of the values there are, as if all others were -inf; or its logarithm."""

    dim: int
    log: bool = False
    grad_name = "SparseSoftmaxBackward0"

    def forward(self, x):
        x = x.coalesce()
        if self.dim >= x.sparse_dim:
            return x.with_values(_softmax(x.values, self.dim - x.sparse_dim + 1, self.log))
        y = _softmax_rows(x.values, _groups(x, self.dim), self.log)
        return x.with_values(y)

    def vjp_x(self, g, y):
        return SparseSoftmaxBackward(self.dim, self.log)(g, y)


class SparseSoftmaxBackward(_Sparse):
    """The gradient of SparseSoftmax from its result."""

    dim: int
    log: bool

    def forward(self, x, soft):
        g, y = masked(x, soft).values, soft
        if self.dim >= y.sparse_dim:
            total = (g if self.log else g * y.values).sum(self.dim - y.sparse_dim + 1, keepdims=True)
        else:
            groups = _groups(y, self.dim)
            total = _sum_rows(g if self.log else g * y.values, groups)[groups]
        return y.with_values(g - np.exp(y.values) * total if self.log else (g - total) * y.values)


def _groups(x, dim):
    """A number for each value: equal for those that differ in the sparse dimension `dim` only."""
    rest = [d for d in range(x.sparse_dim) if d != dim]
    if not rest:
        return np.zeros(x.nnz, np.int64)
    flat = np.ravel_multi_index(tuple(x.indices[rest]), [x.shape[d] for d in rest])
    return np.unique(flat, return_inverse=True)[1].reshape(-1)


def _sum_rows(values, groups):
    y = np.zeros((groups.max(initial=-1) + 1, *values.shape[1:]), values.dtype)
    np.add.at(y, groups, values)
    return y


def _softmax_rows(values, groups, log):
    top = np.full((groups.max(initial=-1) + 1, *values.shape[1:]), -np.inf, values.dtype)
    np.maximum.at(top, groups, values)
    shifted = values - top[groups]
    total = _sum_rows(np.exp(shifted), groups)[groups]
    return shifted - np.log(total) if log else np.exp(shifted) / total


def _softmax(x, dim, log):
    shifted = x - x.max(dim, keepdims=True)
    total = np.exp(shifted).sum(dim, keepdims=True)
    return shifted - np.log(total) if log else np.exp(shifted) / total


def dense(x):
    """`x` as a dense array or Tensor."""
    value = x._value if isinstance(x, Tensor) else x
    return ToDense()(x) if isinstance(value, Lifted) and value.layout is not None else x


def sparse_rows(index, rows, shape):
    """The gradient of a table of `shape` of which `rows` were looked up at `index`: a sparse tensor of its rows."""
    indices = np.ascontiguousarray(index, np.int64).reshape(1, -1)
    return FromCoordinates(tuple(shape))(indices, m.reshape(rows, (indices.shape[1], *shape[1:])))


m.sparse_rows = sparse_rows
