"""One tensor becomes several, or a part of itself: select, narrow, split, unbind. All of them views."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Movement, Op, m
from ..public import by_form, public
from ..tensor import Tensor
from ..testing.samples import S
from .arguments import no_dimension, whole
from .movement import PutSlice, Select, Slice, normal_dim


class Unbind(Movement):
    """The parts x[0], x[1], ... along a dimension, which is gone from them."""

    dim: int
    outputs = "many"
    samples = [S((2, 3), params=(1,)), S((2,), params=(0,))]

    def forward(self, x):
        at = (slice(None),) * self.dim
        return tuple([x[(*at, i, Ellipsis)] for i in range(x.shape[self.dim])])

    def one(self, i):
        """The op that makes output number i alone."""
        return Select(self.dim, i)

    def vjp_x(self, g):
        return m.stack(g, self.dim)

    def batch(self, size, dims, values):
        return Unbind(self.dim + 1)(*values)


class SplitWithSizes(Movement):
    """Consecutive parts of these sizes along a dimension."""

    sizes: tuple
    dim: int
    outputs = "many"
    samples = [S((5, 2), params=((2, 0, 3), 0)), S((2, 3), params=((1, 2), 1))]

    def forward(self, x):
        at, out, lead = 0, [], (slice(None),) * self.dim
        for n in self.sizes:
            out.append(x[(*lead, slice(at, at + n))])
            at += n
        return tuple(out)

    def one(self, i):
        """The op that makes output number i alone."""
        start = sum(self.sizes[:i])
        return Slice(self.dim, start, start + self.sizes[i])

    def vjp_x(self, g):
        return m.cat(g, self.dim)

    def batch(self, size, dims, values):
        return type(self)(self.sizes, self.dim + 1)(*values)


class Split(SplitWithSizes):
    """Parts of equal size, which PyTorch names apart."""


class UnsafeSplit(SplitWithSizes):
    """Parts that promise not to be changed in place."""


class NarrowCopy(Op):
    """A copy of a slice."""

    dim: int
    start: int
    end: int
    linear = moves = True
    samples = [S((4, 2), params=(0, 1, 3))]

    def forward(self, x):
        return np.array(Slice(self.dim, self.start, self.end).forward(x))

    def vjp_x(self, g, x_shape):
        return PutSlice(self.dim, self.start, self.end, 1, x_shape)(g)

    def batch(self, size, dims, values):
        return NarrowCopy(self.dim + 1, self.start, self.end)(*values)


# ---- one part --------------------------------------------------------------------------------
@public("torch Tensor")
def select(input, dim, index):
    """Part number `index` along a dimension, which is gone from the result.

    >>> kobai.tensor([[1., 2.], [3., 4.]]).select(1, 0)
    tensor([1., 3.])
    """
    if input.ndim == 0:
        raise no_dimension(IndexError("select() cannot be applied to a 0-dim tensor."))
    dim, index = normal_dim(dim, input.ndim), int(index)
    n = input.shape[dim]
    if not -n <= index < n:
        raise error("position-range", IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}"),
            what="index", value=index, size=n, last=n - 1)
    return Select(dim, index + n if index < 0 else index)(input)


@public("torch Tensor")
@by_form
def narrow(input, dim, start, length):
    """`length` elements from `start` on, along a dimension.

    >>> kobai.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    dim, start = _narrow(input, dim, start, length)
    return Slice(dim, start, start + length)(input)


@public("torch Tensor")
def narrow_copy(input, dim, start, length):
    """A copy of `narrow`."""
    dim, start = _narrow(input, dim, start, length)
    return NarrowCopy(dim, start, start + length)(input)


def _narrow(input, dim, start, length):
    if input.ndim == 0:
        raise no_dimension(RuntimeError("narrow() cannot be applied to a 0-dim tensor."))
    if length < 0:
        raise error("argument-value", RuntimeError("narrow(): length must be non-negative."), what="length",
                    value=length, must="a whole number of at least {low}", low=0)
    dim, start = normal_dim(dim, input.ndim), int(start)
    n = input.shape[dim]
    if not -n <= start <= n:
        raise error("argument-value", IndexError(
                    f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"), what="start",
                    value=start, must="a whole number between {low} and {high}", low=-n, high=n,
                    why="start is {value}, and dimension {dim} has {high} entries.", dim=dim)
    start = start + n if start < 0 else start
    if start + length > n:
        raise error("argument-value", RuntimeError(
                    f"start ({start}) + length ({length}) exceeds dimension size ({n})."), what="length", value=length,
                    must="a whole number of at most {high}", high=n - start,
                    why="{length} entries from number {start} on are more than dimension {dim} has: it has {n}.",
                    length=length, start=start, dim=dim, n=n)
    return dim, start


# ---- all parts -------------------------------------------------------------------------------
@public("torch Tensor")
@by_form
def unbind(input, dim=0):
    """The parts input[0], input[1], ... along a dimension, as a tuple.

    >>> kobai.tensor([[1., 2.], [3., 4.]]).unbind()
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    if input.ndim == 0:
        raise no_dimension(IndexError(f"Dimension specified as {dim} but tensor has no dimensions"))
    return Unbind(normal_dim(dim, input.ndim))(input)


@public("torch Tensor")
@by_form
def split(tensor, split_size_or_sections, dim=0):
    """Consecutive parts of a size (the last may be smaller), or of several sizes.

    >>> kobai.split(kobai.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    size = split_size_or_sections
    if isinstance(size, (tuple, list)):
        return split_with_sizes(tensor, size, dim)
    size, = whole((size,), "split_with_sizes", "split_sizes", False, 2)
    return Split(*_equal(tensor, size, dim, "split"))(tensor)


def _equal(x, size, dim, name):
    if x.ndim == 0:
        raise no_dimension(RuntimeError(f"{name} expects at least a 1-dimensional tensor"))
    if size < 0:
        raise error("argument-value", RuntimeError(
                    f"{name} expects split_size be non-negative, but got split_size={size}"), what="split_size",
                    value=size, must="a positive whole number")
    dim = normal_dim(dim, x.ndim)
    n = x.shape[dim]
    if size == 0 and n:
        raise error("argument-value", RuntimeError(
                    f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"),
                    what="split_size", value=size, must="a positive whole number")
    parts = max(-(-n // size), 1) if size else 1
    return (*[size] * (parts - 1), n - size * (parts - 1)), dim


@public("torch Tensor")
@by_form
def split_with_sizes(input, split_sizes, dim=0):
    """Consecutive parts of these sizes.

    >>> kobai.arange(5).split_with_sizes([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    if input.ndim == 0:
        raise no_dimension(RuntimeError("split expects at least a 1-dimensional tensor"))
    inside = isinstance(split_sizes, (tuple, list, np.ndarray))
    sizes = tuple(whole(split_sizes if inside else (split_sizes,), "split_with_sizes", "split_sizes", inside, 2))
    dim = normal_dim(dim, input.ndim)
    n = input.shape[dim]
    if any(s < 0 for s in sizes):
        raise error("argument-value", RuntimeError(
                    "split_with_sizes expects split_sizes have only non-negative entries, but got "
                    f"split_sizes={list(sizes)}"), what="split_sizes", value=sizes,
                    must="whole numbers of at least {low}", low=0)
    if sum(sizes) != n:
        raise error("split-sizes", size=n, dim=dim, sizes=str(list(sizes)), total=sum(sizes))
    return SplitWithSizes(sizes, dim)(input)


@public("torch Tensor")
@by_form
def chunk(input, chunks, dim=0):
    """At most `chunks` parts of equal size (the last may be smaller).

    >>> kobai.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    return Split(*_chunks(input, chunks, dim))(input)


def _chunks(input, chunks, dim):
    if input.ndim == 0:
        raise no_dimension(RuntimeError("chunk expects at least a 1-dimensional tensor"))
    if chunks <= 0:
        raise error("argument-value", RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}"),
                    what="chunks", value=chunks, must="a positive whole number")
    dim = normal_dim(dim, input.ndim)
    n = input.shape[dim]
    if n == 0:  # so many empty parts
        return (0,) * chunks, dim
    return _equal(input, -(-n // chunks), dim, "chunk")


@public("torch Tensor")
def unsafe_split(input, split_size, dim=0):
    """`split`, for parts that are not changed in place."""
    return UnsafeSplit(*_equal(input, int(split_size), dim, "split"))(input)


@public("torch Tensor")
def unsafe_chunk(input, chunks, dim=0):
    """`chunk`, for parts that are not changed in place."""
    return UnsafeSplit(*_chunks(input, chunks, dim))(input)


@public("torch Tensor")
def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """`split_with_sizes`, for parts that are not changed in place."""
    return UnsafeSplit(tuple(split_sizes), normal_dim(dim, input.ndim))(input)


@public("torch Tensor")
def tensor_split(input, indices_or_sections, dim=0):
    """Parts that begin at these indices; or so many parts, the first ones larger by one.

    >>> kobai.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise no_dimension(RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"))
    dim, at = normal_dim(dim, input.ndim), indices_or_sections
    if isinstance(at, Tensor):
        at = at.tolist()
    n = input.shape[dim]
    if isinstance(at, int):
        if at <= 0:
            raise error("argument-value", RuntimeError(f"number of sections must be larger than 0, got {at}"),
                        what="indices_or_sections", value=at, must="a positive whole number")
        size, extra = divmod(n, at)
        at = [i * size + min(i, extra) for i in range(1, at)]
    bounds = [slice(a, b).indices(n) for a, b in zip((None, *at), (*at, None))]
    return tuple([Slice(dim, a, max(a, b))(input) for a, b, _ in bounds])


def _along(name, least, choose):
    """hsplit, vsplit, dsplit: tensor_split along a fixed dimension, into equal parts only."""
    def part(input, indices_or_sections):
        if input.ndim < least:
            raise error("tensor-dims", RuntimeError(
                        f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with "
                        f"{input.ndim} dimensions!"), what="input", shape=tuple(input.shape), need="at least {n}",
                        n=least)
        dim, at = choose(input.ndim), indices_or_sections
        if isinstance(at, int) and (at <= 0 or input.shape[dim] % at):
            raise error("size-divisible", RuntimeError(
                        f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
                        f"{input.shape[dim]} is not divisible by the split_size {at}!"),
                        what="input", value=input.shape[dim], by=at, dim=dim,
                        why="dimension {dim} has size {value}, which cannot be divided by {by}.",
                        fix="give a number of parts that divides {value}, or use tensor_split(), whose parts may "
                            "differ by one.")
        return tensor_split(input, at, dim)
    part.__name__, part.__doc__ = name, f"Equal parts, or parts beginning at indices, along the dimension of {name}."
    public("torch Tensor")(part)


_along("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
_along("vsplit", 2, lambda ndim: 0)
_along("dsplit", 3, lambda ndim: 2)
