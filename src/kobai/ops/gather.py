"""Elements picked or sent along one dimension by positions: gather, scatter and their kin."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import type_word
from ..large import small
from ..op import Op, dtype_of, m
from ..public import asked_again, by_form, public
from ..tensor import LiftedTensor, Tensor
from ..testing.samples import Ints, S
from .arguments import number
from .creation import scalar
from .movement import PutSlice, Slice, normal_dim, shape_of


def grid(index, dim):
    """NumPy's index for positions along `dim`, each in its own place otherwise."""
    lines = _lines(index.shape)
    return (*lines[:dim], index, *lines[dim + 1:])


@lru_cache(256)
def _lines(shape):
    """The numbers 0 to n - 1 along each dimension of size n."""
    return tuple([np.arange(s).reshape([-1 if k == d else 1 for k in range(len(shape))]) for d, s in enumerate(shape)])


def part(src, shape):
    """The first elements of `src` in each dimension: torch lets it be larger than the positions."""
    return src if src.shape == shape else src[tuple([slice(s) for s in shape])]


def flat(shape, dim, index):
    """The positions in the flattened array of a shape: NumPy is three times as fast with them."""
    if len(shape) == 1:
        return index
    steps = [1] * len(shape)
    for d in reversed(range(len(shape) - 1)):
        steps[d] = steps[d + 1] * shape[d + 1]
    lines = [line * step for line, step in zip(_lines(index.shape), steps)]
    return index * steps[dim] + sum(lines[:dim] + lines[dim + 1:])


def _are_outside(index, n):
    """Whether positions of int64 or int32 are not all in a dimension of n elements."""
    return bool(index.size) and index.view(np.uint64 if index.dtype == np.int64 else np.uint32).max() >= n  # below 0 is large


def within(index, n):
    """For ops whose functions are asked by form only (public.by_form), and then by the function itself what is wrong."""
    if index.dtype.char in "lqi" and _are_outside(index, n):
        raise IndexError("a position is out of range")  # plain: caught, and said in PyTorch's words


def combine_along(ufunc, y, dim, index, src):
    """y[..., index, ...] = ufunc(the same, src) in place, repeated positions as often; returns y."""
    src = part(src, index.shape)
    if y.flags.c_contiguous and src.dtype == y.dtype and y.size:
        ufunc.at(y.reshape(-1), flat(y.shape, dim, index).reshape(-1), src.reshape(-1))
    else:
        ufunc.at(y, grid(index, dim), src)
    return y


def add_along(y, dim, index, src):
    """y[..., index, ...] += src in place, repeated positions as often; returns y."""
    return combine_along(np.add, y, dim, index, src)


class Gather(Op):
    """y[i][j] = x[index[i][j]][j] along dimension 0, and so on for others."""

    dim: int
    linear = moves = True
    samples = [S((3, 4), Ints((2, 4), 3), params=(0,)), S((3, 4), Ints((2, 5), 4), params=(1,)),
               S((3,), Ints((0,), 3), params=(0,))]

    def forward(self, x, index):
        if small.pick is not None:
            y = small.pick(x, index, self.dim, True)
            if y is not None:
                return y
            within(index, x.shape[self.dim])
        if not index.size:
            return np.zeros(index.shape, x.dtype)
        if x.flags.c_contiguous:
            return x.reshape(-1)[flat(x.shape, self.dim, index)]
        return x[grid(index, self.dim)]

    def vjp_x(self, g, index, x_shape):
        return AddAlong(self.dim, x_shape)(g, index)

    def batch(self, size, dims, values):
        return Gather(self.dim + 1)(*values)


class AddAlong(Op):
    """Zeros of `shape` with x added at positions along `dim`: the transpose of Gather."""

    dim: int
    shape: tuple
    grad_name = "GatherBackwardBackward0"
    linear = True
    samples = [S((2, 4), Ints((2, 4), 3), params=(0, (3, 4))), S((2, 5), Ints((2, 5), 4), params=(1, (3, 4)))]

    def forward(self, x, index):
        return add_along(np.zeros(self.shape, x.dtype), self.dim, index, x)

    def vjp_x(self, g, index):
        return Gather(self.dim)(g, index)

    def batch(self, size, dims, values):
        return AddAlong(self.dim + 1, (size, *self.shape))(*values)


class Scatter(Op):
    """x, with elements of `src` put at positions along `dim`: the opposite of Gather."""

    dim: int
    linear = moves = True
    samples = [S((4, 3), np.array([[0, 2, 1], [3, 1, 0]]), (2, 3), params=(0,)),
               S((4, 3), np.array([[0], [2]]), (3, 2), params=(1,))]

    def forward(self, x, index, src):
        y = np.array(x)
        y[grid(index, self.dim)] = part(src, index.shape)
        return y

    def vjp_x(self, g, index):
        return ScatterValue(self.dim, 0)(g, index)

    def vjp_src(self, g, index, src_shape):
        return pad_to(Gather(self.dim)(g, index), src_shape)

    def batch(self, size, dims, values):
        return Scatter(self.dim + 1)(*values)


class ScatterValue(Op):
    """x, with a number put at positions along `dim`."""

    dim: int
    value: object
    grad_name = "ScatterBackward1"
    moves = True
    samples = [S((4, 3), Ints((2, 3), 4), params=(0, 2.5))]

    def forward(self, x, index):
        y = np.array(x)
        y[grid(index, self.dim)] = self.value
        return y

    def vjp_x(self, g, index):
        return ScatterValue(self.dim, 0)(g, index)

    def batch(self, size, dims, values):
        return ScatterValue(self.dim + 1, self.value)(*values)


class ScatterAdd(Op):
    """x, with elements of `src` added at positions along `dim`."""

    dim: int
    linear = True
    samples = [S((4, 3), Ints((2, 3), 4), (2, 3), params=(0,)), S((4, 3), Ints((2, 5), 3), (3, 6), params=(1,))]

    def forward(self, x, index, src):
        return add_along(np.array(x, order="C"), self.dim, index, src)

    def vjp_x(self, g):
        return g

    def vjp_src(self, g, index, src_shape):
        return pad_to(Gather(self.dim)(g, index), src_shape)

    def batch(self, size, dims, values):
        return ScatterAdd(self.dim + 1)(*values)


def pad_to(g, shape):
    """`g` filled up with zeros to a larger shape."""
    for d, s in enumerate(shape):
        if g.shape[d] != s:
            g = PutSlice(d, 0, g.shape[d], 1, (*g.shape[:d], s, *g.shape[d + 1:]))(g)
    return g


class ScatterReduce(Op):
    """x, reduced with the elements of `src` that positions along `dim` send to each place.

    `include_self` false: places that something is sent to forget what x had there.
    """

    dim: int
    reduce: str
    include_self: bool = True
    samples = [S((4, 3), np.array([[0, 2, 1], [0, 1, 0]]), (2, 3), params=(0, how, own), low=0.2, high=2)
               for how in ("sum", "prod", "mean", "amax", "amin") for own in (True, False)] + [
               S((3,), np.array([0, 0, 2, 0]), (4,), params=(0, "prod", True))]

    def forward(self, x, index, src):
        y = np.array(x, order="C")
        if not self.include_self:
            y[grid(index, self.dim)] = _start(self.reduce, y.dtype)
        combine_along(_UFUNCS[self.reduce], y, self.dim, index, src)
        return y if self.reduce != "mean" else _divided(y, self._counts(y, index))

    def _counts(self, y, index):
        n = np.full(y.shape, int(self.include_self))
        return np.maximum(add_along(n, self.dim, index, np.ones(index.shape, n.dtype)), 1)

    def vjp(self, g, x, index, src, y, needs):
        pieces = narrow_all(src, tuple(index.shape))
        g_x, g_src = _REDUCE_RULES[self.reduce](self, g, x, index, pieces, y)
        if not self.include_self:
            g_x = ScatterValue(self.dim, 0)(g_x, index)
        return g_x, None, pad_to(g_src, src.shape)

    def batch(self, size, dims, values):
        return type(self)(self.dim + 1, self.reduce, self.include_self)(*values)


_UFUNCS = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _start(reduce, dtype):
    """The neutral element of a reduction."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return info.min if reduce == "amax" else info.max
    return -np.inf if reduce == "amax" else np.inf


def _divided(y, n):
    return y // n.astype(y.dtype) if y.dtype.kind in "iu" else (y / n).astype(y.dtype)


def _sum_rule(op, g, x, index, src, y):
    return g, m.gather(g, op.dim, index)


def _mean_rule(op, g, x, index, src, y):
    ones = m.zeros_like(g) + (1.0 if op.include_self else 0.0)
    n = m.scatter_add(ones, op.dim, index, m.zeros_like(src) + 1.0)
    g = g / m.where(n == 0, m.zeros_like(n) + 1.0, n)
    return g, m.gather(g, op.dim, index)


def _extreme_rule(op, g, x, index, src, y):
    """The gradient is shared equally by all that are as large as the result."""
    mine, theirs = (x == y), (src == m.gather(y, op.dim, index))
    d = dtype_of(g)
    mine, theirs = m.cast(mine, d), m.cast(theirs, d)
    if not op.include_self:
        mine = ScatterValue(op.dim, 0)(mine, index)
    n = m.scatter_add(mine, op.dim, index, theirs)
    share = g / m.where(n == 0, m.zeros_like(n) + 1.0, n)
    return mine * share, theirs * m.gather(share, op.dim, index)


def _prod_rule(op, g, x, index, src, y):
    """y / factor, except where factors are 0: one zero leaves the product of the others."""
    one = lambda v: m.zeros_like(v) + 1.0  # noqa: E731
    again = type(op)(op.dim, "prod", op.include_self)
    x_ = m.where(x == 0, one(x), x)
    g_x = g * again(x_, index, src) / x_
    zero = m.cast(src == 0, dtype_of(g))
    zeros = m.gather(m.scatter_add(m.zeros_like(g), op.dim, index, zero), op.dim, index)
    alone = m.logical_and(src == 0, zeros == 1)
    others = again(x, index, m.where(alone, one(src), src))
    g_src = m.where(alone, m.gather(g * others, op.dim, index),
                    m.gather(g * y, op.dim, index) / m.where(src == 0, one(src), src))
    return g_x, g_src


_REDUCE_RULES = {"sum": _sum_rule, "mean": _mean_rule, "amax": _extreme_rule, "amin": _extreme_rule,
                 "prod": _prod_rule}


# ---- checks ----------------------------------------------------------------------------------
def check_positions(x, dim, index, name, src=None, what="self"):
    """PyTorch's errors for the positions of gather and scatter; returns the dimension, x, index as 1-d or more."""
    dim = normal_dim(dim, x.ndim)
    if not hasattr(index, "shape"):
        raise error("argument-type", TypeError(
            f"{name}(): argument 'index' (position 2) must be Tensor, not {type(index).__name__}"), what="index",
            kind=type(index),
            must="a tensor of positions", fix="pass a tensor of positions: torch.tensor([0, 2]).")
    if dtype_of(index) not in (np.int64, np.int32) and 0 not in index.shape:
        raise error("position-dtype", fn=name, dtype=str(dtypes.of(dtype_of(index))))
    if src is not None and dtype_of(src) != dtype_of(x):
        raise error("dtypes-differ", RuntimeError(
            f"{'scatter' if name == 'scatter_add' else name}(): Expected self.dtype to be equal to src.dtype"),
                    what="self", dtype=dtype_of(x), other="src", other_dtype=dtype_of(src))
    if max(x.ndim, 1) != max(index.ndim, 1):
        raise error("gather-dims", what=what)
    if src is not None and max(src.ndim, 1) != max(index.ndim, 1):
        raise error("gather-dims", what="src")
    _check_sizes(x, dim, index, name, src)
    _check_range(index, dim, x.shape[dim] if x.ndim else 1)
    return dim


def _check_sizes(x, dim, index, name, src):
    shape, positions = shape_of(x) or (1,), shape_of(index) or (1,)
    if 0 in positions:
        return
    wrong = [d for d in range(len(shape)) if d != dim and positions[d] > shape[d]]
    if wrong and name == "gather":
        raise error("shapes-differ", RuntimeError(
            f"Size does not match at dimension {wrong[0]} expected index {list(positions)} to be no larger than self "
            f"{list(shape)} apart from dimension {dim}"), what="index", shape=tuple(positions), other="self",
            other_shape=tuple(shape), dim=dim, must="index must not be larger than that, except in dimension {dim}")
    sent = None if src is None else shape_of(src) or (1,)
    if wrong or sent is not None and any(p > s for p, s in zip(positions, sent)):
        raise error("shapes-differ", RuntimeError(
            f"Expected index {list(positions)} to be no larger than self {list(shape)} apart from dimension "
            f"{dim}" + ("" if sent is None else f" and to be no larger size than src {list(sent)}")), what="index",
            shape=tuple(positions), other="self" if wrong else "src",
            other_shape=tuple(shape) if wrong else tuple(sent), dim=dim,
            must="index must not be larger than that, except in dimension {dim}" if wrong else
            "index must not be larger than that")


@asked_again
def _check_range(index, dim, n):
    i = getattr(index, "_value", index)
    if not isinstance(i, (np.ndarray, np.generic)) or not i.size:
        return
    if _are_outside(i, n):
        bad = i.max() if i.max() >= n else i.min()
        raise error("gather-range", index=int(bad), dim=dim, size=n, last=n - 1)
    keep_checking(index, n)


def keep_checking(index, n, least=0):
    """Where a program is recorded, see to it that its later runs check positions, too."""
    if modes.trace is not None and type(index) is not LiftedTensor and isinstance(index, Tensor):
        modes.trace.ensure(m.all(m.logical_and(m.ge(index, least), m.lt(index, n))))


def _apply(op, x, index, *src):
    """Apply an op along a dimension; tensors without dimensions pass as vectors of one element."""
    if x.ndim and index.ndim:
        return op(x, index, *src)
    y = op(*[m.reshape(v, (1,)) if v.ndim == 0 else v for v in (x, index, *src)])
    return m.reshape(y, tuple(index.shape if isinstance(op, Gather) else x.shape))


def narrow_all(src, shape):
    """The first elements of `src` in each dimension."""
    for d, s in enumerate(shape):
        if src.shape[d] != s:
            src = Slice(d, 0, s)(src)
    return src


# ---- public ----------------------------------------------------------------------------------
@public("torch Tensor")
@by_form
def gather(input, dim, index, *, sparse_grad=False):
    """The elements at positions along a dimension: y[i][j] = input[index[i][j]][j] for dim 0.

    >>> kobai.gather(kobai.tensor([[1, 2], [3, 4]]), 1, kobai.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    if 0 in getattr(index, "shape", ()) and index.ndim != input.ndim:  # PyTorch takes any index with no elements
        return m.reshape(m.narrow(m.reshape(input, (-1,)), 0, 0, 0), tuple(index.shape))
    dim = check_positions(input, dim, index, "gather", what="input")
    return _apply(Gather(dim), input, index)


@public("torch Tensor", inplace=True)
def scatter(input, dim, index, src=None, value=None, *, reduce=None):
    """`input` with elements of `src` (or a number) put at positions along a dimension.

    >>> kobai.zeros(2, 3).scatter(1, kobai.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    value = src if value is None and not hasattr(src, "shape") else value
    if value is not None:
        dim = check_positions(input, dim, index, "scatter")
        value = scalar(number(value, "scatter", "value", 4), dtypes.of(dtype_of(input)))
        if reduce is None:
            return _apply(ScatterValue(dim, value.item()), input, index)
        return _old_reduce(input, dim, index, m.expand_to(value, tuple(index.shape)), reduce)
    dim = check_positions(input, dim, index, "scatter", src)
    return _apply(Scatter(dim), input, index, src) if reduce is None else _old_reduce(input, dim, index, src, reduce)


def _old_reduce(input, dim, index, src, reduce):
    if reduce not in ("add", "multiply"):
        raise error("argument-choice", RuntimeError("reduce argument must be either add or multiply."), what="reduce",
                    value=reduce, choices=["add", "multiply"])
    return _apply(ScatterReduce(dim, {"add": "sum", "multiply": "prod"}[reduce], True), input, index, src)


@public("torch Tensor", inplace=True)
def scatter_add(input, dim, index, src):
    """`input` with elements of `src` added at positions along a dimension.

    >>> kobai.zeros(3).scatter_add(0, kobai.tensor([0, 0, 2]), kobai.ones(3))
    tensor([2., 0., 1.])
    """
    if not hasattr(src, "shape"):
        raise error("not-tensor", function="scatter_add", argument="src", place=3, got=type(src).__name__)
    dim = check_positions(input, dim, index, "scatter_add", src)
    return _apply(ScatterAdd(dim), input, index, src)


@public("torch Tensor", inplace=True)
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """`input` reduced with elements of `src` sent to positions along a dimension.

    `reduce` is "sum", "prod", "mean", "amax" or "amin".
    """
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in _UFUNCS:
        raise error("argument-choice", RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"), what="reduce", value=reduce,
            choices=list(_UFUNCS))
    kind = dtype_of(input).kind
    if kind == "c" and reduce in ("amax", "amin") or kind == "b" and reduce == "mean":
        raise error("no-kernel", kernel=f"scatter_gather_tensor_cpu_reduce_{reduce}", got=type_word(input),
                    dtype=str(dtypes.of(dtype_of(input))))
    dim = check_positions(input, dim, index, "scatter_reduce", src)
    return _apply(ScatterReduce(dim, reduce, bool(include_self)), input, index, src)
