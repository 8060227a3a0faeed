"""Sparse matrices with compressed rows (CSR) or columns (CSC)."""
from __future__ import annotations

import numpy as np

from ..tensor import Layout
from .coo import Coo, SparseValue

sparse_csr, sparse_csc = Layout("sparse_csr"), Layout("sparse_csc")


class Compressed(SparseValue):
    """The values of row i (column i in CSC) stand at starts[i] to starts[i + 1]; `others` are their columns (rows).

    >>> x = compress(Coo(np.array([[0, 1, 1], [2, 0, 2]]), np.array([1.0, 2.0, 3.0]), (2, 3)))
    >>> x.starts, x.others
    (array([0, 1, 3]), array([2, 0, 2]))
    """

    __slots__ = ("starts", "others", "values", "shape", "layout")

    def __init__(self, starts, others, values, shape, layout=sparse_csr):
        self.starts, self.others, self.values, self.shape = starts, others, values, tuple(shape)
        self.layout = layout

    nnz = property(lambda self: len(self.others))

    def to_coo(self):
        """The same matrix by coordinates."""
        lines = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        pair = (lines, self.others) if self.layout is sparse_csr else (self.others, lines)
        return Coo(np.stack(pair).astype(np.int64), self.values, self.shape, self.layout is sparse_csr)

    def in_layout(self, y):
        return compress(y, self.layout) if isinstance(y, Coo) and (y.sparse_dim, y.dense_dim) == (2, 0) else y

    def with_values(self, values):
        """The same pattern with other values."""
        return Compressed(self.starts, self.others, values, self.shape, self.layout)

    def to_dense(self):
        """A NumPy array with zeros where there is no value."""
        return self.to_coo().to_dense()

    def parts(self):
        """Name and array of each part, for printing."""
        names = ("crow_indices", "col_indices") if self.layout is sparse_csr else ("ccol_indices", "row_indices")
        return (names[0], self.starts), (names[1], self.others), ("values", self.values)

    def __repr__(self):
        return f"Compressed(shape={self.shape}, nnz={self.nnz}, layout={self.layout})"


def compress(x, layout=sparse_csr):
    """The Coo matrix `x` in the layout torch.sparse_csr or torch.sparse_csc."""
    x = x.coalesce()
    rows, columns = x.indices
    values = x.values
    if layout is sparse_csc:
        order = np.lexsort((rows, columns))
        rows, columns, values = columns[order], rows[order], values[order]
    n = x.shape[0 if layout is sparse_csr else 1]
    starts = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=starts[1:])
    return Compressed(starts, columns, values, x.shape, layout)
