"""Sparse matrices with compressed rows (CSR) or columns (CSC), of numbers or of blocks (BSR, BSC)."""
from __future__ import annotations

import numpy as np

from ..devices import Layout
from .coo import Coo, SparseValue

sparse_csr, sparse_csc = Layout("sparse_csr"), Layout("sparse_csc")
sparse_bsr, sparse_bsc = Layout("sparse_bsr"), Layout("sparse_bsc")
BY_ROWS = {sparse_csr, sparse_bsr}


class Compressed(SparseValue):
    """The values of row i (column i in CSC) stand at starts[i] to starts[i + 1]; `others` are their columns (rows).

    Values of BSR and BSC are blocks, (nnz, height, width), and rows and columns are of blocks.

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
        rows, columns = (lines, self.others) if self.layout in BY_ROWS else (self.others, lines)
        values = self.values
        if values.ndim == 3:  # blocks
            count, height, width = values.shape
            rows = np.broadcast_to((rows * height)[:, None, None] + np.arange(height)[:, None], values.shape).ravel()
            columns = np.broadcast_to((columns * width)[:, None, None] + np.arange(width), values.shape).ravel()
            values = values.reshape(-1)
        return Coo(np.stack([rows, columns]).astype(np.int64), values, self.shape, self.layout is sparse_csr)

    def in_layout(self, y):
        if not isinstance(y, Coo) or (y.sparse_dim, y.dense_dim) != (2, 0):
            return y
        block = self.values.shape[1:]
        return compress(y, self.layout, block if all(n % b == 0 for n, b in zip(y.shape, block)) else (1, 1))

    def with_values(self, values):
        """The same pattern with other values."""
        return Compressed(self.starts, self.others, values, self.shape, self.layout)

    def to_dense(self):
        """A NumPy array with zeros where there is no value."""
        return self.to_coo().to_dense()

    def parts(self):
        """Name and array of each part, for printing."""
        names = ("crow_indices", "col_indices") if self.layout in BY_ROWS else ("ccol_indices", "row_indices")
        return (names[0], self.starts), (names[1], self.others), ("values", self.values)

    def __repr__(self):
        return f"Compressed(shape={self.shape}, nnz={self.nnz}, layout={self.layout})"


def compress(x, layout=sparse_csr, block=None):
    """The Coo matrix `x` in a compressed layout; BSR and BSC have blocks of the shape `block`."""
    x = x.coalesce()
    (rows, columns), values, shape = x.indices, x.values, x.shape
    if layout in (sparse_bsr, sparse_bsc):
        rows, columns, values = _blocks(rows, columns, values, shape, block)
        shape = tuple([n // b for n, b in zip(shape, block)])
    if layout not in BY_ROWS:
        order = np.lexsort((rows, columns))
        rows, columns, values = columns[order], rows[order], values[order]
    n = shape[0 if layout in BY_ROWS else 1]
    starts = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=starts[1:])
    return Compressed(starts, columns, values, x.shape, layout)


def _blocks(rows, columns, values, shape, block):
    """(rows, columns, values) of the blocks that are not all zero."""
    height, width = block
    flat, which = np.unique(rows // height * (shape[1] // width) + columns // width, return_inverse=True)
    whole = np.zeros((len(flat), height, width), values.dtype)
    whole[which.reshape(-1), rows % height, columns % width] = values
    return flat // max(shape[1] // width, 1), flat % max(shape[1] // width, 1), whole
