"""A sparse array as coordinates and values (COO): what a sparse Tensor holds in the place of a NumPy array.

The first `sparse_dim` dimensions are sparse; each of the `nnz` values is an array over the others. An
index may occur several times: then its values count together, until `coalesce` adds them up.
"""
from __future__ import annotations

import re

import numpy as np

from ..devices import Layout
from ..diagnose import error
from ..lifted import Lifted
from ..tensor import Tensor

sparse_coo = Layout("sparse_coo")


class SparseValue(Lifted):
    """What stands in a sparse Tensor for its array. Ops are interpreted by the table `rules`, filled in rules.py."""

    __slots__ = ()
    rules: dict = {}       # op name -> function of the op and its inputs, with sparse ones as Coo
    on_values: set = set()  # names of ops that are applied to the values alone
    dtype = property(lambda self: self.values.dtype)

    def process(self, op, values):
        values = [v._data if isinstance(v, Tensor) else v for v in values]
        if getattr(op, "sparse", False):
            return op.forward(*values)
        name = type(op).__name__
        if name in self.on_values:
            return self.added_up().with_values(op.forward(self.added_up().values))
        rule = self.rules.get(name)
        if rule is None:
            raise unsupported(op)
        return self.in_layout(rule(op, *[v.to_coo() if isinstance(v, SparseValue) else v for v in values]))

    def to_coo(self):
        """This value by coordinates."""
        return self

    def in_layout(self, y):
        """The result `y` of an op on this value, in the layout of this value."""
        return y

    def added_up(self):
        """This value with each index once."""
        return self


def unsupported(op):
    """The error of an op that knows nothing of sparse values."""
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", type(op).__name__).lower()
    return error("not-possible", NotImplementedError(
                 f"Could not run 'aten::{name}' with arguments from the 'SparseCPU' backend."), name=name,
                 why="{name} would give numbers other than 0 where a sparse tensor stores nothing, or is not written "
                     "for sparse tensors.", fix="make a dense tensor of it first: x.to_dense().")


class Coo(SparseValue):
    """`indices` (sparse_dim, nnz) and `values` (nnz, *dense sizes) of an array of `shape`.

    >>> x = Coo(np.array([[0, 2, 0]]), np.array([1.0, 2.0, 3.0]), (4,))
    >>> x.to_dense(), x.coalesce().indices
    (array([4., 0., 2., 0.]), array([[0, 2]]))
    """

    __slots__ = ("indices", "values", "shape", "coalesced")
    layout = sparse_coo

    def __init__(self, indices, values, shape, coalesced=False):
        self.indices, self.values, self.shape, self.coalesced = indices, values, tuple(shape), coalesced

    sparse_dim = property(lambda self: self.indices.shape[0])
    dense_dim = property(lambda self: self.values.ndim - 1)
    nnz = property(lambda self: self.indices.shape[1])

    def flat(self):
        """The position of each index in row-major order over the sparse dimensions."""
        return np.ravel_multi_index(tuple(self.indices), self.shape[:self.sparse_dim]) if self.sparse_dim \
            else np.zeros(self.nnz, np.int64)

    def coalesce(self):
        """The same array with each index once, in row-major order."""
        if self.coalesced:
            return self
        if self.nnz < 2:
            return Coo(self.indices, self.values, self.shape, True)
        flat = self.flat()
        order = np.argsort(flat, kind="stable")
        flat = flat[order]
        starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
        values = np.add.reduceat(self.values[order], starts, axis=0)
        return Coo(self.indices[:, order[starts]], values.astype(self.dtype, copy=False), self.shape, True)

    added_up = coalesce

    def to_dense(self):
        """A NumPy array with zeros where there is no value."""
        y = np.zeros(self.shape, self.dtype)
        if self.nnz:
            np.add.at(y, tuple(self.indices), self.values)
        return y

    def with_values(self, values):
        """The same indices with other values."""
        shape = (*self.shape[:self.sparse_dim], *values.shape[1:])
        return Coo(self.indices, values, shape, self.coalesced)

    def parts(self):
        """Name and array of each part, for printing."""
        return ("indices", self.indices), ("values", self.values)

    def __repr__(self):
        return f"Coo(shape={self.shape}, nnz={self.nnz}, dtype={self.dtype})"


def from_dense(x, sparse_dim):
    """The Coo of what is not zero; a value is kept if anything in its dense dimensions is not zero.

    >>> from_dense(np.array([[0, 1], [2, 0]]), 2).indices
    array([[0, 1],
           [1, 0]])
    """
    there = x != 0
    if sparse_dim < x.ndim:
        there = there.any(tuple(range(sparse_dim, x.ndim)))
    where = np.nonzero(there) if sparse_dim else (np.empty((0, int(there)), np.int64),)
    indices = np.stack(where).astype(np.int64) if sparse_dim else where[0]
    values = x[tuple(where)] if sparse_dim else x[None][:int(there)]
    return Coo(indices, values, x.shape, True)


def masked(x, mask):
    """The elements of `x` (an array or a Coo) at the indices of the Coo `mask`."""
    if isinstance(x, Coo):
        if x.indices is mask.indices:
            return mask.with_values(x.values)
        x, mask_flat = x.coalesce(), mask.flat()
        values = np.zeros((mask.nnz, *x.values.shape[1:]), x.dtype)
        if x.nnz:
            flat = x.flat()
            at = np.minimum(np.searchsorted(flat, mask_flat), x.nnz - 1)
            found = flat[at] == mask_flat
            values[found] = x.values[at[found]]
        return mask.with_values(values)
    return mask.with_values(x[tuple(mask.indices)])
