"""Reductions: sums, means, and what else adds up over some or all dimensions."""
from __future__ import annotations

from math import prod as _count

import numpy as np

from .. import dtypes
from ..autograd.node import chain
from ..diagnose import error
from ..dtypes import type_word
from ..op import Reduction, apply1, dtype_of, m
from ..public import by_form, public
from ..tensor import Tensor
from ..testing.samples import S
from .arguments import as_dtype, each_once
from .movement import normal_dim
from .summation import add_up

REDUCED = [S((2, 3), params=((0, 1), False)), S((2, 3, 4), params=((1,), True)), S((2, 3, 4), params=((0, 2), False)),
           S((), params=((), False)), S((0, 3), params=((1,), False)), S((1, 1), params=((0,), False))]
WHOLE = [S((2, 3)), S(()), S((1,)), S((2, 1, 3))]


# ---- arguments -------------------------------------------------------------------------------
def read_dims(name, input, dim, keepdim):
    """The `dim` and `keepdim` of a reduction, checked: (sorted tuple of dimensions, bool)."""
    if keepdim.__class__ is not bool:
        raise error("argument-type", TypeError(
                    f"{name}(): argument 'keepdim' (position 2) must be bool, not {type(keepdim).__name__}"),
                    what="keepdim", kind=type(keepdim), must="True or False",
                    why="keepdim is of type {kind}; it says whether the reduced dimensions stay, with size 1: True "
                        "or False.", fix="to reduce several dimensions, write them as a tuple: {fn}((0, 1)).", fn=name)
    return normal_dims(dim, input.ndim, name), keepdim


_made: dict = {}


def reduced(op, name, input, dim, keepdim):
    """Apply a Reduction over `dim`; for one dimension the arguments are read once, and the op remembered."""
    if dim.__class__ is int and keepdim.__class__ is bool:
        key = op, dim, keepdim, input.ndim
        made = _made.get(key)
        if made is None:
            made = _made[key] = op(*read_dims(name, input, dim, keepdim))
    else:
        made = op(*read_dims(name, input, dim, keepdim))
    return apply1(made, input) if isinstance(input, Tensor) else made(input)


def normal_dims(dim, ndim, name="dim"):
    """A sorted tuple of dimensions from PyTorch's `dim` argument (None or () means all of them)."""
    if dim is None or isinstance(dim, tuple) and not dim:
        return tuple(range(ndim))
    if dim.__class__ is int:
        dims = (normal_dim(dim, ndim),)
    else:
        dims = tuple(each_once(sorted([normal_dim(int(d), ndim) for d in _several(dim, name)]), "dim", dim))
    return (dims or tuple(range(ndim))) if ndim else ()


def _several(dim, name):
    if isinstance(dim, (tuple, list)):
        return dim
    if isinstance(dim, (float, str)) or not hasattr(dim, "__index__"):
        raise error("argument-type", TypeError(
                    f"{name}() received an invalid combination of arguments - got ({type(dim).__name__})"), what="dim",
                    kind=type(dim), must="a whole number, or a tuple of them")
    return (dim,)


def one_dim(dim, ndim, name):
    """`dim` counted from the front, where the function takes one dimension only."""
    if not hasattr(dim, "__index__"):
        raise error("argument-type", TypeError(
                    f"{name}(): argument 'dim' (position 1) must be int, not {type(dim).__name__}"), what="dim",
                    kind=type(dim), must="a whole number",
                    why="dim is of type {kind}; {fn}() works along one dimension, so dim is one whole number.", fn=name,
                    fix="write dim=0, or dim=-1 for the last dimension.")
    return normal_dim(int(dim), ndim)


def count_over(shape, dim):
    """How many elements are reduced to one over `dim` (None: all dimensions)."""
    return _count(shape) if dim is None else _count([shape[d] for d in dim])


def kept(g, shape, dim, keepdim):
    """`g`, the result of a reduction over `dim` (None: all dimensions), with size 1 for these: it broadcasts."""
    if keepdim or not shape or dim == ():
        return g
    small = tuple([1] * len(shape) if dim is None else [1 if i in dim else s for i, s in enumerate(shape)])
    return g.reshape(small) if type(g) is np.ndarray or isinstance(g, np.generic) else m.reshape(g, small)


def spread(g, shape, dim, keepdim):
    """`g`, the result of a reduction over `dim` (None: all dimensions), over the reduced shape again."""
    if type(g) is np.ndarray or isinstance(g, np.generic):
        g = kept(g, shape, dim, keepdim)
        if _count(shape) > 4096:
            return np.broadcast_to(g, shape)
        out = np.empty(shape, g.dtype)  # broadcast_to takes longer than writing a small array
        out[...] = g
        return out
    return m.expand_to(kept(g, shape, dim, keepdim), tuple(shape))


class Sum(Reduction):
    """Sum over `dim`; integers are summed as int64."""

    linear = True
    grad_name = "SumBackward1"
    samples = REDUCED

    def forward(self, x):
        if x.dtype.kind in "bui":
            return np.add.reduce(x, self.dim, np.int64, None, self.keepdim)
        return add_up(x, self.dim, self.keepdim)

    def vjp_x(self, g, x_shape):
        return spread(g, x_shape, self.dim, self.keepdim)

    def gradient_shown(self, node, number, g):
        return spread_shown(self, g)[0]

    def batch(self, size, dims, values):
        return Sum(*later(self, values[0]))(*values)

    def emit(self, k, x):
        return k.sum(x if x.dtype[0] == "f" else k.cast(x, "i64"))


class SumAll(Sum):
    """Sum of all elements."""

    dim = None
    grad_name = "SumBackward0"
    samples = WHOLE

    def forward(self, x):
        if x.dtype.kind in "bui":
            return np.int64(np.count_nonzero(x)) if x.dtype.kind == "b" else np.add.reduce(x, None, np.int64)
        return np.add.reduce(x, None) if x.size <= 4096 else add_up(x, None)


def spread_shown(op, g):
    """The edge of what PyTorch records when it brings a gradient back to the shape before a reduction."""
    for _ in () if op.keepdim or op.dim is None else op.dim:
        g = chain("UnsqueezeBackward0", g)
    return chain("ExpandBackward0", g)


def later(op, x):
    """The `dim` and `keepdim` of a reduction for values with the batch in front."""
    return tuple(range(1, len(x.shape))) if op.dim is None else tuple([d + 1 for d in op.dim]), op.keepdim


class Mean(Reduction):
    """Mean over `dim`."""

    linear = True
    grad_name = "MeanBackward1"
    samples = REDUCED[:4]

    def gradient_shown(self, node, number, g):
        return chain("DivBackward1", spread_shown(self, g))[0]

    def forward(self, x):
        return add_up(x, self.dim, self.keepdim) / count_over(x.shape, self.dim)

    def vjp_x(self, g, x_shape):
        return spread(g / max(count_over(x_shape, self.dim), 1), x_shape, self.dim, self.keepdim)

    def batch(self, size, dims, values):
        return Mean(*later(self, values[0]))(*values)

    def emit(self, k, x):
        return k.sum(x) / k.cast(k.size(), x.dtype)


class MeanAll(Mean):
    """Mean of all elements."""

    dim = None
    grad_name = "MeanBackward0"
    samples = WHOLE

    def forward(self, x):
        n = x.size
        return np.add.reduce(x, None) / n if 0 < n <= 4096 else add_up(x, None) / x.dtype.type(n)


class Nansum(Reduction):
    """Sum over `dim` of what is not NaN."""

    dim = None
    samples = REDUCED + WHOLE

    def forward(self, x):
        return add_up(np.where(np.isnan(x), x.dtype.type(0), x), self.dim, self.keepdim)

    def vjp_x(self, g, x):
        return kept(g, x.shape, self.dim, self.keepdim) * m.cast(m.logical_not(m.isnan(x)), dtype_of(g))

    def batch(self, size, dims, values):
        return Nansum(*later(self, values[0]))(*values)


_SUM, _MEAN = SumAll(), MeanAll()


@public()
@by_form
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` (all dimensions if None); integers are summed as int64.

    >>> kobai.ones(2, 3).sum(), kobai.ones(2, 3).sum(dim=1)
    (tensor(6.), tensor([3., 3.]))
    """
    if dtype is not None:
        dtype = as_dtype(dtype, fn="sum")
        input = m.cast(input, dtype)
        if dtype.category < dtypes.FLOAT:  # the sum is an int64
            return m.cast(sum(input, dim, keepdim), dtype)
    if dim is None and not keepdim:
        return apply1(_SUM, input) if isinstance(input, Tensor) else _SUM(input)
    return reduced(Sum, "sum", input, dim, keepdim)


@public()
@by_form
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` (all dimensions if None) of floating-point or complex numbers.

    >>> kobai.tensor([1., 2., 6.]).mean()
    tensor(3.)
    """
    if dtype is not None:
        input = m.cast(input, as_dtype(dtype, fn="mean"))
    if dtype_of(input).kind in "bui":
        raise _no_float(input, "Input" if dtype is None else "Optional")
    if dim is None and not keepdim:
        return apply1(_MEAN, input) if isinstance(input, Tensor) else _MEAN(input)
    return reduced(Mean, "mean", input, dim, keepdim)


def _no_float(x, which):
    return error("mean-integers", which=which, got=type_word(x))


def not_implemented(kernel, input):
    """PyTorch's exception for a dtype that a function does not take."""
    return error("no-kernel", kernel=kernel, got=type_word(input), dtype=str(dtypes.of(dtype_of(input))))


@public()
@by_form
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` of the elements that are not NaN."""
    if dtype_of(input).kind == "c":
        raise error("tensor-dtype", RuntimeError("nansum on CPU does not support complex inputs"), what="input",
                    dtype=dtype_of(input), fn="nansum()", must="numbers that are not complex",
                    fix="torch.where(x.isnan(), 0, x).sum() leaves the NaNs out.")
    if dtype is not None or dtype_of(input).kind in "bui":
        return sum(input, dim, keepdim, dtype=dtype) if dtype is None else nansum(m.cast(input, as_dtype(dtype)), dim,
                                                                                 keepdim)
    return reduced(Nansum, "nansum", input, dim, keepdim)


@public()
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` of the elements that are not NaN."""
    if dtype_of(input).kind in "bui":
        raise error("tensor-dtype", RuntimeError(
                    f"nanmean(): expected input to have floating point or complex dtype but got {type_word(input)}"),
                    what="input", dtype=dtype_of(input), fn="nanmean()", must="floating point or complex numbers",
                    fix="whole numbers hold no NaN: x.float().mean() is the same.")
    counted = sum(m.logical_not(m.isnan(input)), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / counted


# ---- true or not -----------------------------------------------------------------------------
class All(Reduction):
    """Whether all elements over `dim` are true (not zero); uint8 for uint8, else bool."""

    samples = [S(*s.inputs, params=s.params, smooth=False) for s in REDUCED]
    ufunc = np.logical_and

    def forward(self, x):
        y = self.ufunc.reduce(x, self.dim, np.bool_, None, self.keepdim)
        return y.astype(np.uint8) if x.dtype.char == "B" else y

    def batch(self, size, dims, values):
        return type(self)(*later(self, values[0]))(*values)

    def emit(self, k, x):
        return k.cast(k.amin(k.truth(x)), "u8" if x.dtype == "u8" else "bool")


class Any(All):
    """Whether any element over `dim` is true (not zero); uint8 for uint8, else bool."""

    ufunc = np.logical_or

    def emit(self, k, x):
        return k.cast(k.amax(k.truth(x)), "u8" if x.dtype == "u8" else "bool")


def _over(dim, ndim):
    """As `normal_dims`, but an empty tuple reduces nothing: PyTorch's `all` and `any` differ in this."""
    return () if isinstance(dim, (tuple, list)) and not dim else normal_dims(dim, ndim)


@public()
@by_form
def all(input, dim=None, keepdim=False):
    """Whether all elements are true, over `dim` or at all.

    >>> kobai.all(kobai.tensor([False, True]))
    tensor(False)
    """
    return All(_over(dim, input.ndim), keepdim)(input)


@public()
@by_form
def any(input, dim=None, keepdim=False):
    """Whether any element is true, over `dim` or at all.

    >>> kobai.any(kobai.tensor([False, True]))
    tensor(True)
    """
    return Any(_over(dim, input.ndim), keepdim)(input)


class CountNonzero(Reduction):
    """How many elements over `dim` are not zero."""

    samples = All.samples

    def forward(self, x):
        return np.asarray(np.count_nonzero(x, self.dim) if self.dim or not x.ndim else x != 0, np.int64)[()]

    def batch(self, size, dims, values):
        return CountNonzero(*later(self, values[0]))(*values)


@public()
@by_form
def count_nonzero(input, dim=None):
    """How many elements are not zero, over `dim` or at all."""
    return CountNonzero(normal_dims(dim, input.ndim))(input)
