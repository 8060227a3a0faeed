"""Whole slices picked, put or added by a vector of positions: index_select, index_add, take, put, ..."""
from __future__ import annotations

import warnings

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..dtypes import type_word
from ..large import small, taken
from ..op import Op, dtype_of, m
from ..public import asked_again, by_form, public
from ..tensor import Tensor
from ..testing.samples import Ints, S
from .arguments import number
from .creation import scalar
from .gather import Gather, ScatterReduce, keep_checking, within
from .index import AddAt, Index, IndexPut, add_at, batched_index, sum_at
from .movement import cast, normal_dim, size_of


def _lead(dim):
    return (slice(None),) * dim


class IndexSelect(Op):
    """The slices of x at positions along `dim`."""

    dim: int
    linear = moves = True
    samples = [S((3, 4), Ints((5,), 3), params=(0,)), S((3, 4), Ints((2,), 4), params=(1,))]

    def forward(self, x, index):
        if small.pick is not None:
            y = small.pick(x, index, self.dim, False)
            if y is not None:
                return y
            within(index, x.shape[self.dim])
        y = taken(x, index) if self.dim == 0 else None
        return np.take(x, index, self.dim) if y is None else y

    def vjp_x(self, g, index, x_shape):
        return AddSlices(self.dim, x_shape)(g, index)

    def batch(self, size, dims, values):
        return batched_index((self.dim,), size, values[0], values[1:])


class AddSlices(Op):
    """Zeros of `shape` with the slices of x added at positions along `dim`: the transpose of IndexSelect."""

    dim: int
    shape: tuple
    grad_name = "IndexSelectBackwardBackward0"
    linear = True
    samples = [S((5, 4), Ints((5,), 3), params=(0, (3, 4))), S((3, 2), Ints((2,), 4), params=(1, (3, 4)))]

    def forward(self, x, index):
        return sum_at(self.shape, (self.dim,), (index,), x)

    def vjp_x(self, g, index):
        return IndexSelect(self.dim)(g, index)

    def batch(self, size, dims, values):
        return AddAt((self.dim,), self.shape).batch(size, dims, values)


class IndexAdd(Op):
    """x with `alpha` times the slices of `source` added at positions along `dim`."""

    dim: int
    alpha: object = 1
    linear = True
    samples = [S((3, 4), Ints((5,), 3), (5, 4), params=(0, 2.0)), S((3, 4), Ints((2,), 4), (3, 2), params=(1, 1))]

    def forward(self, x, index, source):
        scaled = source if self.alpha == 1 else source * source.dtype.type(self.alpha)
        return add_at(np.array(x, order="C"), (self.dim,), (index,), scaled)

    def vjp_x(self, g):
        return g

    def vjp_source(self, g, index):
        g = IndexSelect(self.dim)(g, index)
        return g if self.alpha == 1 else g * self.alpha

    def batch(self, size, dims, values):
        x, index, source = values
        if self.alpha != 1:
            source = source * self.alpha
        return IndexPut((self.dim,), True).batch(size, dims, (x, source, index))


class IndexCopy(Op):
    """x with the slices of `source` put at positions along `dim`."""

    dim: int
    linear = moves = True
    samples = [S((3, 4), np.array([2, 0]), (2, 4), params=(0,)), S((3, 2), np.array([1]), (3, 1), params=(1,))]

    def forward(self, x, index, source):
        y = np.array(x)
        y[(*_lead(self.dim), index)] = source
        return y

    def vjp_x(self, g, index):
        return IndexFill(self.dim, 0)(g, index)

    def vjp_source(self, g, index):
        return IndexSelect(self.dim)(g, index)

    def batch(self, size, dims, values):
        x, index, source = values
        return IndexPut((self.dim,)).batch(size, dims, (x, source, index))


class IndexFill(Op):
    """x with a number in the slices at positions along `dim`."""

    dim: int
    value: object
    moves = True
    samples = [S((3, 4), Ints((2,), 3), params=(0, 2.5)), S((3, 4), Ints((2,), 4), params=(1, 0))]

    def forward(self, x, index):
        y = np.array(x)
        y[(*_lead(self.dim), index)] = self.value
        return y

    def vjp_x(self, g, index):
        return IndexFill(self.dim, 0)(g, index)

    def batch(self, size, dims, values):
        x, index = values
        number = np.full(size, self.value, dtype_of(x))
        return IndexPut((self.dim,)).batch(size, dims, (x, number, index))


class IndexFillWith(Op):
    """x with the number in the tensor `value` in the slices at positions along `dim`."""

    dim: int
    grad_name = "IndexFillBackward1"
    linear = moves = True
    samples = [S((3, 4), np.array([2, 0]), (), params=(0,))]

    def forward(self, x, index, value):
        y = np.array(x)
        y[(*_lead(self.dim), index)] = value
        return y

    def vjp_x(self, g, index):
        return IndexFill(self.dim, 0)(g, index)

    def vjp_value(self, g, index, value_dtype):
        return cast(m.sum(g - IndexFill(self.dim, 0)(g, index)), value_dtype)

    def batch(self, size, dims, values):
        x, index, value = values
        return IndexPut((self.dim,)).batch(size, dims, (x, value, index))


class IndexReduce(ScatterReduce):
    """ScatterReduce with the same positions for whole slices."""

    samples = ScatterReduce.samples[2:4]


class Take(Op):
    """The elements at positions in the flattened x."""

    linear = moves = True
    samples = [S((3, 4), Ints((2, 3), 12)), S((3,), Ints((), 3))]

    def forward(self, x, index):
        return np.take(x, index)

    def vjp_x(self, g, index, x_shape):
        return AddTaken(x_shape)(g, index)

    def batch(self, size, dims, values):
        x, index = values
        return Index((0,)).batch(size, dims, (m.reshape(x, (size, -1)), index))


class AddTaken(Op):
    """Zeros of `shape` with x added at flat positions: the transpose of Take."""

    shape: tuple
    grad_name = "TakeBackwardBackward0"
    linear = True
    samples = [S((2, 3), Ints((2, 3), 12), params=((3, 4),))]

    def forward(self, x, index):
        y = np.zeros(self.shape, x.dtype)
        np.add.at(y.reshape(-1), np.ravel(index), np.ravel(x))
        return y

    def vjp_x(self, g, index):
        return Take()(g, index)

    def batch(self, size, dims, values):
        n = int(np.prod(self.shape))
        return m.reshape(AddAt((0,), (n,)).batch(size, dims, values), (size, *self.shape))


class Put(Op):
    """x with the elements of `source` put (or added) at flat positions."""

    accumulate: bool = False
    linear = moves = True
    samples = [S((3, 4), np.array([2, 5]), (2,)), S((3, 4), Ints((5,), 12), (5,), params=(True,))]

    def forward(self, x, index, source):
        y = np.array(x, order="C")
        flat, i, s = y.reshape(-1), np.ravel(index), np.ravel(source)
        if self.accumulate:
            np.add.at(flat, i, s)
        else:
            flat[i] = s
        return y

    def vjp_x(self, g, index, source_shape):
        return g if self.accumulate else Put()(g, index, np.zeros(source_shape, dtype_of(g)))

    def vjp_source(self, g, index, source_shape):
        return m.reshape(Take()(g, index), source_shape)


# ---- checks ----------------------------------------------------------------------------------
def _vector(index, name):
    """`index` as a vector of positions; PyTorch's errors for anything else."""
    if not hasattr(index, "shape"):
        raise error("argument-type", TypeError(
            f"{name}(): argument 'index' (position 2) must be Tensor, not {type(index).__name__}"), what="index",
            kind=type(index),
            must="a tensor of positions", fix="pass a tensor of positions: torch.tensor([0, 2]).")
    if index.ndim > 1:
        raise error("tensor-dims", IndexError(f"{name}(): Index is supposed to be a vector"), what="index",
                    shape=index.shape, need="{n} or {m}", n=0, m=1,
                    fix="index.flatten() makes a vector of it; x[index] takes positions of any shape.")
    if dtype_of(index) not in (np.int64, np.int32):
        raise error("tensor-dtype", RuntimeError(f"{name}(): Expected dtype int32 or int64 for index"), what="index",
                    dtype=dtype_of(index), fn=f"{name}()", must="whole numbers of type int64",
                    fix="convert it first: {what}.long().")
    return m.reshape(index, (1,)) if index.ndim == 0 else index


def _known(index):
    """The array of positions, or None inside a transform."""
    i = getattr(index, "_value", index)
    return i if isinstance(i, (np.ndarray, np.generic)) and i.size else None


@asked_again
def _within(index, n, text, kind=RuntimeError, least=0):
    i = _known(index)
    if i is not None and (i.max() >= n or i.min() < least):
        bad = int(i.max() if i.max() >= n else i.min())
        raise error("position-range", kind(text.format(bad)), what="index", value=bad, size=n, last=n - 1)
    keep_checking(index, n, least)


def _source(x, dim, index, source, name):
    """Checks of index_add and index_reduce."""
    if dtype_of(x) != dtype_of(source):
        raise error("dtypes-differ", RuntimeError(
            f"{name}(): self ({type_word(x)}) and source ({type_word(source)}) must have the same scalar type"),
            what="self", dtype=dtype_of(x), other="source", other_dtype=dtype_of(source))
    have = source.shape[dim] if source.ndim else 1
    if index.shape[0] != have:
        raise error("dimension-size", RuntimeError(
            f"{name}(): Number of indices ({index.shape[0]}) should be equal to source.size(dim): ({have}), for dim: "
            f"{dim}"), what="source", dim=dim, size=have, n=index.shape[0],
            must="{n}, the number of positions in index")
    a, b = list(x.shape), list(source.shape)
    if a[:dim] + a[dim + 1:] != b[:dim] + b[dim + 1:]:
        raise error("shapes-differ", RuntimeError(
            f"source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = {a}"
            f" source.shape = {b}"), what="source", shape=source.shape, other="self", other_shape=x.shape, dim=dim,
            must="all dimensions but {dim} must be equal")


def _vectors(*tensors):
    """Tensors without dimensions as vectors."""
    return [m.reshape(v, (1,)) if v.ndim == 0 else v for v in tensors]


def _bounds(index, dim, n, kind=RuntimeError, least=0):
    i = _known(index)
    if i is not None and (i.max() >= n or i.min() < least):
        raise error("index-range" if kind is IndexError else "gather-range", dim=dim, size=n, last=n - 1,
                    index=int(i.max() if i.max() >= n else i.min()))
    keep_checking(index, n, least)


# ---- public ----------------------------------------------------------------------------------
@public("torch Tensor")
@by_form
def index_select(input, dim, index):
    """The slices of `input` at positions along a dimension, in the order of `index`.

    >>> kobai.tensor([[1., 2.], [3., 4.]]).index_select(1, kobai.tensor([1, 0]))
    tensor([[2., 1.],
            [4., 3.]])
    """
    dim, index = normal_dim(dim, input.ndim), _vector(index, "index_select")
    if input.ndim == 0:
        if index.shape[0] != 1:
            raise error("argument-count", RuntimeError(
                f"index_select(): Index to scalar can have only 1 value, got {index.shape[0]} value(s)"), what="index",
                count=index.shape[0], need="{n}", n=1)
    n = input.shape[dim] if input.ndim else 1
    if dim:
        _within(index, n, f"INDICES element is out of DATA bounds, id={{}} axis_dim={n}")
    else:
        _within(index, n, "index out of range in self", IndexError)
    if input.ndim == 0:
        return m.reshape(IndexSelect(0)(m.reshape(input, (1,)), index), ())
    return IndexSelect(dim)(input, index)


@public("torch Tensor", inplace=True)
def index_add(input, dim, index, source, *, alpha=1):
    """`input` with `alpha` times the slices of `source` added at positions along a dimension.

    >>> kobai.zeros(3).index_add(0, kobai.tensor([0, 0, 2]), kobai.ones(3))
    tensor([2., 0., 1.])
    """
    dim, index = normal_dim(dim, input.ndim), _vector(index, "index_add_")
    _source(input, dim, index, source, "index_add_")
    _bounds(index, dim, input.shape[dim] if input.ndim else 1)
    x, s = _vectors(input, source)
    y = IndexAdd(dim, alpha)(x, index, s)
    return m.reshape(y, ()) if input.ndim == 0 else y


@public("torch Tensor", inplace=True)
def index_copy(input, dim, index, source):
    """`input` with the slices of `source` put at positions along a dimension."""
    dim, index = normal_dim(dim, input.ndim), _vector(index, "index_copy_")
    if input.ndim and source.ndim and input.ndim != source.ndim:
        raise error("tensor-dims", IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"), what="source",
            shape=source.shape, need="{n}", n=input.ndim)
    if dtype_of(input) != dtype_of(source):
        raise error("dtypes-differ", RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {type_word(input)} and "
            f"(source) {type_word(source)}"), what="self", dtype=dtype_of(input), other="source",
            other_dtype=dtype_of(source))
    x, s = _vectors(input, source)
    if s.shape[dim] != index.shape[0]:
        raise error("dimension-size", IndexError(
            f"index_copy_(): Number of indices ({index.shape[0]}) should be equal to source.size(dim) ({s.shape[dim]})"
        ), what="source", dim=dim, size=s.shape[dim], n=index.shape[0], must="{n}, the number of positions in index")
    _bounds(index, dim, x.shape[dim], IndexError)
    y = IndexCopy(dim)(x, index, s)
    return m.reshape(y, ()) if input.ndim == 0 else y


@public("torch Tensor", inplace=True)
def index_fill(input, dim, index, value):
    """`input` with a number in the slices at positions along a dimension.

    >>> kobai.zeros(3).index_fill(0, kobai.tensor([0, 2]), 1.0)
    tensor([1., 0., 1.])
    """
    dim, index = normal_dim(dim, input.ndim), _vector(index, "index_fill_")
    x, = _vectors(input)
    _bounds(index, dim, x.shape[dim], IndexError, -x.shape[dim])
    if isinstance(value, Tensor):
        if value.ndim:
            raise error("tensor-dims", RuntimeError(
                f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} "
                "dimension(s)."), what="value", shape=value.shape, need="{n}", n=0,
                fix="give one number, for example {what}.item() or {what}[0].")
        y = IndexFillWith(dim)(x, index, value)
    else:
        value = scalar(number(value, "index_fill_", "value", 4), dtypes.of(dtype_of(input)))
        y = IndexFill(dim, value.item())(x, index)
    return m.reshape(y, ()) if input.ndim == 0 else y


@public("torch Tensor", inplace=True)
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """`input` reduced ("prod", "mean", "amax", "amin") with slices of `source` sent to positions along a dimension."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise error("argument-choice", RuntimeError(
            f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."), what="reduce",
            value=reduce, choices=["prod", "mean", "amax", "amin"])
    warnings.warn("index_reduce() is in beta and the API may change at any time.", UserWarning, stacklevel=3)
    dim, index = normal_dim(dim, input.ndim), _vector(index, "index_reduce")
    _source(input, dim, index, source, "index_reduce_")
    x, s = _vectors(input, source)
    _bounds(index, dim, x.shape[dim])
    shape = tuple([index.shape[0] if d == dim else n for d, n in enumerate(x.shape)])
    lined_up = m.reshape(index, tuple([-1 if d == dim else 1 for d in range(len(shape))]))
    y = IndexReduce(dim, reduce, bool(include_self))(x, m.expand_to(lined_up, shape), s)
    return m.reshape(y, ()) if input.ndim == 0 else y


def _flat(index, n, name):
    if dtype_of(index) != np.int64:
        raise error("tensor-dtype", RuntimeError(
            f"{name}(): Expected a long tensor for index, but got {type_word(index)}"), what="index",
            dtype=dtype_of(index), fn=f"{name}()", must="whole numbers of type int64",
            fix="convert it first: {what}.long().")
    _within(index, n, f"out of range: tried to access index {{}} on a tensor of {n} elements.", IndexError, -n)


@public("torch Tensor")
def take(input, index):
    """The elements at positions in the flattened tensor."""
    if size_of(input) == 0 and size_of(index):
        raise error("tensor-empty", IndexError("take(): tried to take from an empty tensor"), what="input", fn="take()")
    _flat(index, size_of(input), "take")
    return Take()(input, index)


@public("torch Tensor", inplace=True)
def put(input, index, source, accumulate=False):
    """`input` with the elements of `source` put (or added) at positions in the flattened tensor."""
    _flat(index, size_of(input), "put_")
    if dtype_of(input) != dtype_of(source):
        raise error("dtypes-differ", RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {type_word(input)} and "
            f"source.dtype = {type_word(source)}"), what="self", dtype=dtype_of(input), other="source",
            other_dtype=dtype_of(source))
    if size_of(index) != size_of(source):
        raise error("lengths-differ", IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{size_of(source)}, index.numel() = {size_of(index)}"), what="source", count=size_of(source),
            other="index", other_count=size_of(index))
    return Put(bool(accumulate))(input, index, source)


@public("torch")
def unravel_index(indices, shape):
    """The coordinates, a tensor for each dimension, of positions in a flattened tensor of this shape."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if dtype_of(indices).kind not in "iu":
        raise error("tensor-dtype", TypeError("expected 'indices' to be integer dtype, but got " + repr(indices.dtype)),
                    what="indices", dtype=dtype_of(indices), fn="unravel_index()", must="whole numbers",
                    fix="convert it first: {what}.long().")
    if any(s < 0 for s in shape):
        raise error("argument-value", ValueError("'shape' cannot have negative values, but got " + str(shape)),
                    what="shape", value=shape, must="whole numbers of at least 0")
    out, step = [], 1
    for s in reversed(shape):
        out.append(m.remainder(m.div(indices, step, rounding_mode="floor"), s))
        step *= s
    return tuple(reversed(out))


@public("torch Tensor")
def take_along_dim(input, indices, dim=None):
    """The elements at positions along a dimension, both broadcast otherwise; flattened if `dim` is None."""
    if dim is None:
        input, indices, dim = m.reshape(input, (-1,)), m.reshape(indices, (-1,)), 0
    if input.ndim != indices.ndim:
        raise error("tensor-dims", RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {input.ndim}"
            f" dimensions for input, and {indices.ndim} dimensions for indices"), what="indices", shape=indices.shape,
            need="{n}", n=input.ndim,
            fix="indices.unsqueeze(dim) adds the dimension that argmax(dim) drops; argsort(dim) keeps it.")
    dim = normal_dim(dim, input.ndim)
    if input.ndim == 0:
        raise error("tensor-dims", IndexError(f"Dimension specified as {dim} but tensor has no dimensions"),
                    what="input", shape=input.shape, need="at least {n}", n=1)
    n = input.shape[dim]
    _bounds(indices, dim, n, RuntimeError, -n)
    rest = np.broadcast_shapes(*[tuple(1 if d == dim else s for d, s in enumerate(v.shape)) for v in (input, indices)])
    x, i = (m.expand_to(v, (*rest[:dim], v.shape[dim], *rest[dim + 1:])) for v in (input, indices))
    known = _known(i)
    if known is not None and known.min() < 0:
        i = m.where(i < 0, i + n, i)
    return Gather(dim)(x, i)
