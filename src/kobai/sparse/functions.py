"""The functions and methods of sparse tensors: torch.sparse_coo_tensor, Tensor.to_sparse, torch.sparse.mm, ..."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..devices import strided
from ..diagnose import error
from ..inplace import changed
from ..op import m
from ..ops.arguments import as_dtype, check_options
from ..ops.construct import tensor
from ..ops.conversion import to_dtype
from ..ops.movement import normal_dim
from ..ops.reduce import normal_dims
from ..public import export
from ..tensor import LiftedTensor, Tensor, wrap
from .compressed import BY_ROWS, Compressed, sparse_bsc, sparse_bsr, sparse_csc, sparse_csr
from .coo import Coo, sparse_coo
from .ops import (
    Coalesce,
    FromCoordinates,
    Masked,
    SparseMm,
    SparseSoftmax,
    SparseSum,
    ToCompressed,
    ToDense,
    ToSparse,
    Values,
    dense,
)


# ---- making them -----------------------------------------------------------------------------
def sparse_coo_tensor(indices, values=None, size=None, *, dtype=None, device=None, requires_grad=False,
                      check_invariants=None, is_coalesced=None, layout=None, pin_memory=False):
    """A sparse tensor from coordinates.

    Args:
        indices: (sparse_dim, nnz) integers; an index may occur several times, its values add up.
        values: (nnz, *dense sizes).
        size: the shape; by default as large as the indices need.

    >>> kobai.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)).to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    check_options(device)
    if values is None:  # sparse_coo_tensor(size)
        size, indices = indices, np.empty((len(indices), 0), np.int64)
        values = wrap(np.empty(0, (as_dtype(dtype) or dtypes.get_default_dtype()).np))
    values = _tensor_of(values, dtype)
    indices = np.asarray(indices._data if isinstance(indices, Tensor) else indices).astype(np.int64)
    _check_indices(indices, values)
    if size is None:
        size = (*(indices.max(1) + 1 if indices.size else np.zeros(len(indices), int)).tolist(), *values.shape[1:])
    size = tuple([int(s) for s in size])
    _check_size(indices, values, size)
    out = FromCoordinates(size, bool(is_coalesced))(indices, values)
    if not isinstance(out, Tensor):
        out = LiftedTensor(out)
    return out.requires_grad_() if requires_grad else out


def _tensor_of(values, dtype):
    if not isinstance(values, Tensor):
        return tensor(values, dtype=dtype)
    return values if dtype is None else values.to(dtype)


def _check_indices(indices, values):
    if indices.ndim != 2:
        raise error("tensor-dims", RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(indices.shape)}"),
                    what="indices", shape=indices.shape, need="{n}", n=2,
                    fix="write a row for each sparse dimension, and a column for each value: [[0, 1], [2, 0]] are "
                        "(0, 2) and (1, 0).")
    nnz = values.shape[0] if values.ndim else 0
    if nnz != indices.shape[1]:
        raise error("lengths-differ", RuntimeError(
                    f"indices and values must have same nnz, but got nnz from indices: {indices.shape[1]}, nnz from "
                    f"values: {nnz}"), what="indices", count=indices.shape[1], other="values", other_count=nnz,
                    why="indices has {count} columns, and values has {other_count} entries; each column is the place "
                        "of one value.")
    if indices.size and indices.min() < 0:
        row = int(np.flatnonzero(indices.min(1) < 0)[0])
        raise error("data-range", RuntimeError(f"found negative index {indices[row].min()} for dim {row}"),
                    what="indices", value=int(indices[row].min()), must="a whole number of at least {low}", low=0)


def _check_size(indices, values, size):
    k = indices.shape[0]
    if len(size) != k + values.ndim - 1 and indices.shape[1]:
        raise error("argument-count", RuntimeError(
                    f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = "
                    f"{k}, dense_dim = {values.ndim - 1}"), what="size", count=len(size), need="{n}",
                    n=k + values.ndim - 1, rows=k, wide=values.ndim - 1,
                    why="size has {count} numbers; indices has {rows} rows and each value {wide} dimensions, which "
                        "makes {n}.")
    for d in range(k if indices.size else 0):
        top = indices[d].max()
        if top >= size[d]:
            raise error("data-range", RuntimeError(
                        f"size is inconsistent with indices: for dim {d}, size is {size[d]} but found index {top}"),
                        what="indices", value=int(top), must="a whole number between {low} and {high}", low=0,
                        high=size[d] - 1, dim=d, size=size[d],
                        why="row {dim} of indices holds {value}, and dimension {dim} has size {size}: numbers 0 to "
                            "{high}.", fix="make size larger, or correct the index.")


def _compressed(name, layout):
    def create(starts, others, values, size=None, *, dtype=None, device=None, requires_grad=False,
               check_invariants=None, layout=None, pin_memory=False):
        check_options(device)
        values = _tensor_of(values, dtype)
        starts, others = [np.asarray(i._data if isinstance(i, Tensor) else i) for i in (starts, others)]
        n = len(starts) - 1
        if size is None:
            other = int(others.max(initial=-1)) + 1
            size = (n, other) if chosen is sparse_csr else (other, n)
        x = Compressed(starts, others, values._array(), size, chosen)
        return LiftedTensor(x).requires_grad_(requires_grad)
    chosen = layout
    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"A matrix of layout {layout}: where each line starts, the other index of each value, the values."
    return create


sparse_csr_tensor = _compressed("sparse_csr_tensor", sparse_csr)
sparse_csc_tensor = _compressed("sparse_csc_tensor", sparse_csc)


def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """This tensor as a sparse one: what is not zero, in coordinates (or compressed, with `layout`).

    >>> kobai.tensor([[0., 1.], [2., 0.]]).to_sparse().values()
    tensor([1., 2.])
    """
    if layout is not None and layout is not sparse_coo:
        return _matrix_to(self, layout, blocksize)
    n = self.ndim if sparse_dim is None else int(sparse_dim)
    if not (0 < n <= self.ndim or n == self.ndim == 0):
        words = f"in [0,{self.ndim}] range, but {n} is given" if n else ">0 when self.dim()>0"
        raise error("argument-value", RuntimeError(f"dense_to_sparse: sparse_dim argument must be {words}"),
                    what="sparse_dim", value=n, must="a whole number between {low} and {high}", low=min(1, self.ndim),
                    high=self.ndim)
    return self if self.layout is sparse_coo else ToSparse(n)(self)


def to_sparse_csr(self, dense_dim=None):
    """This matrix with compressed rows."""
    return _matrix_to(self, sparse_csr)


def to_sparse_csc(self, dense_dim=None):
    """This matrix with compressed columns."""
    return _matrix_to(self, sparse_csc)


def to_sparse_bsr(self, blocksize, dense_dim=None):
    """This matrix with compressed rows of blocks of a given (height, width)."""
    return _matrix_to(self, sparse_bsr, blocksize)


def to_sparse_bsc(self, blocksize, dense_dim=None):
    """This matrix with compressed columns of blocks of a given (height, width)."""
    return _matrix_to(self, sparse_bsc, blocksize)


def _matrix_to(x, layout, block=None):
    if block is not None:
        block = (block, block) if isinstance(block, int) else tuple(block)
        if x.ndim == 2 and any(n % b for n, b in zip(x.shape, block)):
            d = 0 if x.shape[0] % block[0] else 1
            start = "dense" if x.layout is strided else "sparse" if x.layout is sparse_coo else "sparse_compressed"
            raise error("size-divisible", RuntimeError(
                        f"{start}_to_{layout.name}: tensor sparse size ({x.shape[0]},{x.shape[1]}) must be divisible "
                        f"by given blocksize ({block[0]},{block[1]})"), what="blocksize", value=x.shape[d], by=block[d],
                        dim=d, why="dimension {dim} has size {value}, which cannot be divided by {by}.",
                        fix="choose a blocksize that divides the shape {shape}, or pad the matrix with zeros (F.pad).",
                        shape=tuple(x.shape))
    if x.ndim != 2:
        raise error("tensor-dims", RuntimeError(
                    f"to_sparse_{layout.name[-3:]}(): only matrices are compressed here, got {x.ndim} dimensions"),
                    what="x", shape=tuple(x.shape), need="{n}", n=2,
                    why="kobai compresses matrices only, and this tensor has shape {shape}.",
                    fix="x.to_sparse() takes any number of dimensions; of a batch, compress one matrix after the "
                        "other.")
    return ToCompressed(layout, block)(x)


def to_dense(self, dtype=None, *, masked_grad=True):
    """All elements; of a dense tensor, itself."""
    x = dense(self)
    return x if dtype is None else to_dtype(x, dtype)


def sparse_mask(self, mask):
    """The elements of this tensor at the indices of the sparse tensor `mask`."""
    if tuple(self.shape) != tuple(mask.shape):
        raise error("shapes-differ", RuntimeError(
                    f"sparse_mask(): operands have incompatible sizes; self has size {list(self.shape)} but mask has "
                    f"size {list(mask.shape)}"), what="x", shape=tuple(self.shape), other="mask",
                    other_shape=tuple(mask.shape), must="both must have the same shape")
    return Masked()(self, mask)


# ---- their parts -----------------------------------------------------------------------------
def _value(x, name, kind="sparse coordinate tensor"):
    value = x._value
    if x.layout is strided or kind != "sparse tensor" and not isinstance(value, Coo):
        raise error("layout", RuntimeError(f"{name} expected {kind} layout but got {_layout_word(x)}"), what="x",
                    layout=x.layout, fn=f"{name}()",
                    must="sparse tensors" if kind == "sparse tensor" else "sparse tensors in coordinates (sparse_coo)",
                    fix="x.to_sparse() makes one.")
    return value


def _layout_word(x):
    """PyTorch's word for a layout: "SparseCsr"."""
    return "Sparse" if x.layout is sparse_coo else x.layout.name.title().replace("_", "")


def coalesce(self):
    """The same tensor with each index once, in order."""
    return self if _value(self, "coalesce").coalesced else Coalesce()(self)


def is_coalesced(self):
    """Whether each index occurs once, in order."""
    return _value(self, "is_coalesced").coalesced


def _coalesced(x, name):
    value = _value(x, name)
    if not value.coalesced:
        raise error("call-order", RuntimeError(
                    f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first"),
                    why="an index may occur several times here, and its values have not been added up.",
                    fix="write x = x.coalesce() before x.{name}().", name=name)
    return value


def indices(self):
    """The coordinates of the values: (sparse_dim, nnz)."""
    return wrap(_coalesced(self, "indices").indices)


def values(self):
    """The values, in the order of the indices."""
    if not isinstance(self._value, Compressed):
        _value(self, "values", "sparse tensor")
        _coalesced(self, "values")
    return Values()(self)


def _indices(self):
    """The coordinates as they are, also of a tensor that is not coalesced."""
    return wrap(_value(self, "_indices").indices)


def _values(self):
    """The values as they are, outside the graph."""
    return wrap(_value(self, "_values", "sparse tensor").values)


def _nnz(self):
    """How many values there are."""
    return _value(self, "_nnz", "sparse tensor").nnz


def _part(name, by_rows, part):
    def get(self):
        if not isinstance(self._value, Compressed) or (self.layout in BY_ROWS) is not by_rows:
            word = "row" if by_rows else "column"
            raise error("layout", RuntimeError(
                        f"{name} expected sparse {word} compressed tensor layout but got {_layout_word(self)}"),
                        what="x", layout=self.layout, fn=f"{name}()",
                        must="sparse tensors compressed by rows" if by_rows else "sparse tensors compressed by columns",
                        fix="x.to_sparse_csr() makes one." if by_rows else "x.to_sparse_csc() makes one.")
        return wrap(getattr(self._value, part))
    get.__name__ = get.__qualname__ = name
    get.__doc__ = "Where each line starts." if part == "starts" else "The other index of each value."
    return get


def sparse_dim(self):
    """How many dimensions are sparse."""
    return self._value.sparse_dim if self.layout is sparse_coo else 0 if self.layout is strided else 2


def dense_dim(self):
    """How many dimensions each value has."""
    return self._value.dense_dim if self.layout is sparse_coo else self.ndim if self.layout is strided else 0


# ---- torch.sparse ----------------------------------------------------------------------------
def _check_product(a, b):
    for name, x in (("mat1", a), ("mat2", b)):
        if x.ndim != 2:
            raise error("tensor-dims", RuntimeError(f"addmm: matrices expected, got {x.ndim}D tensor"), what=name,
                        shape=tuple(x.shape), need="{n}", n=2)
    if a.shape[1] != b.shape[0]:
        words = f"addmm: Argument #3 (dense): Expected dim 0 size {a.shape[1]}, got {b.shape[0]}" \
            if a.layout is sparse_coo and b.layout is strided else \
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        raise error("shapes-differ", RuntimeError(words), what="mat1", shape=tuple(a.shape), other="mat2",
                    other_shape=tuple(b.shape), must="the first needs as many columns as the second has rows",
                    fix="look at both shapes; .t() exchanges rows and columns.")


def mm(sparse, dense):
    """sparse @ dense of two matrices; the gradient of a sparse one is sparse on its indices."""
    _check_product(sparse, dense)
    return SparseMm()(sparse, dense)


def addmm(mat, mat1, mat2, *, beta=1.0, alpha=1.0):
    """beta * mat + alpha * mat1 @ mat2."""
    y = mm(mat1, mat2)
    y = y * alpha if alpha != 1 else y
    return (mat * beta if beta != 1 else mat) + y


def sampled_addmm(input, mat1, mat2, *, beta=1.0, alpha=1.0, out=None):
    """beta * input + alpha * mat1 @ mat2 at the indices of the CSR matrix `input`."""
    result = input * beta + Masked()(mat1 @ mat2, input) * alpha
    return result if out is None else _into(out, result, "sampled_addmm")


def _into(out, result, name):
    """The `out=` argument: the sparse tensor `out` becomes `result`."""
    if out.layout is not result.layout:
        word = {"strided": "Strided", "sparse_coo": "Sparse"}.get(out.layout.name, out.layout.name)
        raise error("argument-value", RuntimeError(f"{name}: Expected result to have sparse csr layout, but got {word}"),
                    what="out", value=out.layout, must="a tensor of layout {want}", want=str(result.layout))
    if modes.grad and (out.requires_grad or result.requires_grad):
        raise error("out-recorded")
    if modes.trace is not None:
        modes.trace.stop("out= of a sparse tensor")
    out._value = result._value
    changed(out)
    return out


def sum(input, dim=None, dtype=None):
    """The sum over `dim`: sparse if sparse dimensions are left. Its gradient is sparse."""
    if dtype is not None:
        input = input.to(dtype)
    return SparseSum(normal_dims(dim, input.ndim))(input)


def softmax(input, dim, *, dtype=None):
    """Softmax over `dim` of the values there are; what is not there counts as -inf."""
    return SparseSoftmax(normal_dim(dim, input.ndim), False)(input if dtype is None else input.to(dtype))


def log_softmax(input, dim, *, dtype=None):
    """The logarithm of `softmax`."""
    return SparseSoftmax(normal_dim(dim, input.ndim), True)(input if dtype is None else input.to(dtype))


def spdiags(diagonals, offsets, shape, layout=None):
    """A sparse matrix of `shape` with rows of `diagonals` along its diagonals."""
    rows, columns, picked = [], [], []
    at = diagonals if diagonals.ndim == 2 else diagonals.reshape(1, -1)
    for i, k in enumerate(np.atleast_1d(offsets._data)):
        first, last = max(0, k), min(shape[1], shape[0] + k, at.shape[1])
        j = np.arange(first, max(first, last))
        rows.append(j - k)
        columns.append(j)
        picked.append(at[i, first:max(first, last)])
    indices = wrap(np.stack([np.concatenate(rows), np.concatenate(columns)]).astype(np.int64))
    y = sparse_coo_tensor(indices, m.cat(picked), shape)
    return y if layout is None else to_sparse(y, layout=layout)


for _fn in (sparse_coo_tensor, sparse_csr_tensor, sparse_csc_tensor):
    export("torch", _fn.__name__, _fn)
for _layout in (sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc):
    export("torch", _layout.name, _layout)
for _fn in (to_sparse, to_sparse_csr, to_sparse_csc, to_sparse_bsr, to_sparse_bsc, to_dense,
            sparse_mask, coalesce, is_coalesced, indices, values,
            _indices, _values, _nnz, sparse_dim, dense_dim, _part("crow_indices", True, "starts"),
            _part("col_indices", True, "others"), _part("ccol_indices", False, "starts"),
            _part("row_indices", False, "others")):
    export("Tensor", _fn.__name__, _fn)
export("Tensor", "to_sparse_coo", to_sparse)
m.dense = ToDense()
for _fn in (mm, addmm, sampled_addmm, sum, softmax, log_softmax, spdiags):
    export("sparse", _fn.__name__, _fn)
