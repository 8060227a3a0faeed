"""Diagonals and triangles of matrices."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Movement, Op, m
from ..public import public
from ..testing.samples import S
from .movement import normal_dim


def _length(shape, offset, dim1, dim2):
    """The number of elements on a diagonal."""
    rows, columns = shape[dim1], shape[dim2]
    return max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)


class Diagonal(Movement):
    """The elements x[i, i + offset] of two dimensions, as a new last one."""

    offset: int
    dim1: int
    dim2: int
    samples = [S((3, 4), params=(0, 0, 1)), S((3, 2, 4), params=(-1, 2, 0)), S((2, 2), params=(5, 0, 1))]

    def forward(self, x):
        y = np.diagonal(x, self.offset, self.dim1, self.dim2)
        y.flags.writeable = x.flags.writeable
        return y

    def vjp_x(self, g, x_shape):
        return PutDiagonal(self.offset, self.dim1, self.dim2, x_shape)(g)

    def batch(self, size, dims, values):
        return Diagonal(self.offset, self.dim1 + 1, self.dim2 + 1)(*values)


class PutDiagonal(Op):
    """Zeros of `shape` with x on a diagonal: the transpose of Diagonal."""

    offset: int
    dim1: int
    dim2: int
    shape: tuple
    grad_name = "DiagonalBackwardBackward0"
    linear = moves = True
    samples = [S((3,), params=(0, 0, 1, (3, 4))), S((2, 3), params=(-1, 2, 0, (3, 2, 4)))]

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        Diagonal(self.offset, self.dim1, self.dim2).forward(y)[...] = x
        return y

    def vjp_x(self, g):
        return Diagonal(self.offset, self.dim1, self.dim2)(g)

    def batch(self, size, dims, values):
        return type(self)(self.offset, self.dim1 + 1, self.dim2 + 1, (size, *self.shape))(*values)


class DiagEmbed(PutDiagonal):
    """The last dimension of x on the diagonals of square matrices."""

    grad_name = "DiagEmbedBackward0"


class DiagonalCopy(Op):
    """A copy of a diagonal."""

    offset: int
    dim1: int
    dim2: int
    grad_name = "DiagonalBackward0_copy"
    linear = moves = True
    samples = [S((3, 4), params=(1, 0, 1))]

    def forward(self, x):
        return np.array(np.diagonal(x, self.offset, self.dim1, self.dim2))

    def vjp_x(self, g, x_shape):
        return PutDiagonal(self.offset, self.dim1, self.dim2, x_shape)(g)

    def batch(self, size, dims, values):
        return DiagonalCopy(self.offset, self.dim1 + 1, self.dim2 + 1)(*values)


class DiagonalScatter(Op):
    """x with `src` on a diagonal."""

    offset: int
    dim1: int
    dim2: int
    linear = moves = True
    samples = [S((3, 4), (3,), params=(1, 0, 1))]

    def forward(self, x, src):
        y = np.array(x)
        Diagonal(self.offset, self.dim1, self.dim2).forward(y)[...] = src
        return y

    def vjp_x(self, g, src_shape):
        return self(g, m.zeros_like(Diagonal(self.offset, self.dim1, self.dim2)(g)))

    def vjp_src(self, g):
        return Diagonal(self.offset, self.dim1, self.dim2)(g)

    def batch(self, size, dims, values):
        return DiagonalScatter(self.offset, self.dim1 + 1, self.dim2 + 1)(*values)


class Tril(Op):
    """The elements on and below a diagonal; zeros above."""

    diagonal: int = 0
    linear = moves = True
    samples = [S((3, 4), params=(0,)), S((2, 3, 3), params=(-1,)), S((2, 0), params=(1,))]

    def forward(self, x):
        return np.tril(x, self.diagonal)

    def vjp_x(self, g):
        return self(g)

    def batch(self, size, dims, values):
        return self(*values)


class Triu(Tril):
    """The elements on and above a diagonal; zeros below."""

    def forward(self, x):
        return np.triu(x, self.diagonal)


class Trace(Op):
    """The sum of the diagonal of a matrix."""

    linear = True
    samples = [S((3, 4)), S((0, 2))]

    def forward(self, x):
        return np.trace(x)

    def vjp_x(self, g, x_shape):
        n = _length(x_shape, 0, 0, 1)
        return PutDiagonal(0, 0, 1, x_shape)(m.expand_to(g, (n,)))

    def batch(self, size, dims, values):
        return m.sum(m.diagonal(*values, 0, 1, 2), -1)


def _dims(input, dim1, dim2):
    first, second = normal_dim(dim1, input.ndim), normal_dim(dim2, input.ndim)
    if first == second:
        raise error("argument-value", RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}"),
                    dim1=dim1, dim2=dim2,
                    why="dim1={dim1} and dim2={dim2} are the same dimension, and a diagonal runs through two.",
                    fix="name two dimensions, for example dim1=-2 and dim2=-1.")
    return first, second


@public("torch Tensor")
def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dimensions as a new last one: a view."""
    return Diagonal(offset, *_dims(input, dim1, dim2))(input)


@public("torch Tensor")
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """`input` with `src` on a diagonal."""
    dim1, dim2 = _dims(input, dim1, dim2)
    want = [s for d, s in enumerate(input.shape) if d not in (dim1, dim2)] + [
        _length(input.shape, offset, dim1, dim2)]
    if list(src.shape) != want:
        raise error("tensor-shape", RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {want}"
        ), what="src", shape=src.shape, want=tuple(want))
    return DiagonalScatter(offset, dim1, dim2)(input, src)


@public("torch Tensor")
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last dimension on the diagonals of square matrices, which are zero otherwise.

    >>> kobai.diag_embed(kobai.tensor([[1, 2]]))
    tensor([[[1, 0],
             [0, 2]]])
    """
    if input.ndim == 0:
        raise error("tensor-dims", IndexError(
            f"Dimension out of range (expected to be in range of [-1, 0], but got {dim1})"), what="input",
            shape=input.shape, need="at least {n}", n=1)
    n = input.shape[-1] + abs(offset)
    dim1, dim2 = normal_dim(dim1, input.ndim + 1), normal_dim(dim2, input.ndim + 1)
    if dim1 == dim2:
        raise error("argument-value", RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}"),
                    dim1=dim1, dim2=dim2,
                    why="dim1={dim1} and dim2={dim2} are the same dimension, and a diagonal runs through two.",
                    fix="name two dimensions, for example dim1=-2 and dim2=-1.")
    shape = list(input.shape[:-1])
    for d in sorted((dim1, dim2)):
        shape.insert(d, n)
    return DiagEmbed(offset, dim1, dim2, tuple(shape))(input)


@public("torch Tensor")
def diag(input, diagonal=0):
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    >>> kobai.diag(kobai.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return DiagonalCopy(diagonal, 0, 1)(input)
    raise error("tensor-dims", RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D"), what="input",
                shape=input.shape, need="{n} or {m}", n=1, m=2,
                fix="for batches, torch.diag_embed(x) makes matrices, and x.diagonal(dim1=-2, dim2=-1) takes their "
                    "diagonals.")


@public("torch Tensor")
def diagflat(input, offset=0):
    """The matrix with all elements on its diagonal.

    >>> kobai.diagflat(kobai.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(m.reshape(input, (-1,)), offset)


def _triangle(op, name):
    def fn(input, diagonal=0):
        if input.ndim < 2:
            raise error("tensor-dims", RuntimeError(f"{name}: input tensor must have at least 2 dimensions"),
                        what="input", shape=input.shape, need="at least {n}", n=2)
        return op(int(diagonal))(input)
    fn.__name__, fn.__doc__ = name, op.__doc__
    return public("torch Tensor", inplace=True)(fn)


tril, triu = _triangle(Tril, "tril"), _triangle(Triu, "triu")


@public("torch Tensor")
def trace(input):
    """The sum of the diagonal of a matrix.

    >>> kobai.trace(kobai.tensor([[1., 2.], [3., 4.]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise error("tensor-dims", RuntimeError("trace: expected a matrix, but got tensor with dim " + str(input.ndim)),
                    what="input", shape=input.shape, need="{n}", n=2,
                    fix="for a batch of matrices, x.diagonal(dim1=-2, dim2=-1).sum(-1).")
    if input.dtype.category < 2 if hasattr(input.dtype, "category") else input.dtype.kind in "biu":
        input = m.cast(input, np.dtype(np.int64))
    return Trace()(input)
