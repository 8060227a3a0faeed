"""Elements chosen by a mask of the same shape, and where a mask holds."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import c_name, type_word
from ..inplace import changed, replace
from ..op import Elementwise, Op, dtype_of, m
from ..public import by_form, export, public
from ..tensor import Tensor, constant, wrap
from ..testing.samples import S
from .arguments import number
from .creation import scalar
from .elementwise import Where
from .fill import _recorded
from .movement import cast

_MASK = np.array([[True, False, True], [False, False, True]])


class MaskedFill(Elementwise):
    """x, but a number where `mask` holds."""

    value: object
    common = ()
    samples = [S((2, 3), _MASK, params=(2.5,)), S((3,), _MASK, params=(0.0,)), S((), np.array(True), params=(1.0,))]

    def forward(self, x, mask):
        return np.where(mask, x.dtype.type(self.value), x)

    def vjp_x(self, g, mask):
        return masked_fill(g, mask, 0)

    def emit(self, k, x, mask):
        return k.select(mask, self.value, x)


class MaskedFillWith(Elementwise):
    """x, but the number in the tensor `value` where `mask` holds."""

    grad_name = "MaskedFillBackward1"
    common = ()
    public = ""
    linear = True
    samples = [S((2, 3), _MASK, ()), S((3,), _MASK, ())]

    def forward(self, x, mask, value):
        return np.where(mask, value.astype(x.dtype), x)

    def vjp_x(self, g, mask):
        return masked_fill(g, mask, 0)

    def vjp_value(self, g, mask, value_dtype):
        return cast(m.sum(m.where(mask, g, m.zeros_like(g))), value_dtype)

    def emit(self, k, x, mask, value):
        return k.select(mask, value, x)


class MaskedSelect(Op):
    """The elements where `mask` holds, one after the other; both are of one shape."""

    linear = moves = True
    samples = [S((2, 3), _MASK), S((), np.array(True))]

    def dynamic(self, *_):
        return True

    def forward(self, x, mask):
        return x[mask]

    def vjp_x(self, g, mask):
        return PutMasked()(g, mask)


class PutMasked(Op):
    """Zeros with the elements of x where `mask` holds: the transpose of MaskedSelect."""

    grad_name = "MaskedSelectBackwardBackward0"
    linear = moves = True
    samples = [S((3,), _MASK)]

    def forward(self, x, mask):
        y = np.zeros(mask.shape, x.dtype)
        y[mask] = x[:np.count_nonzero(mask)]
        return y

    def vjp_x(self, g, mask, x_shape):
        return TakeMasked(x_shape[0])(g, mask)


class TakeMasked(Op):
    """The elements where `mask` holds, filled up with zeros to `count`."""

    count: int
    grad_name = "MaskedScatterBackwardBackward0"
    linear = moves = True
    samples = [S((2, 3), _MASK, params=(4,))]

    def forward(self, x, mask):
        y = np.zeros(self.count, x.dtype)
        taken = x[mask]
        y[:taken.size] = taken
        return y

    def vjp_x(self, g, mask):
        return PutMasked()(g, mask)


class MaskedScatter(Op):
    """x, but the elements of `source`, in their order, where `mask` holds."""

    linear = moves = True
    samples = [S((2, 3), _MASK, (4,)), S((2, 3), _MASK, (3,))]

    def forward(self, x, mask, source):
        y = np.array(x)
        y[mask] = source[:np.count_nonzero(mask)]
        return y

    def vjp_x(self, g, mask):
        return masked_fill(g, mask, 0)

    def vjp_source(self, g, mask, source_shape):
        return TakeMasked(source_shape[0])(g, mask)


class Nonzero(Op):
    """The positions of the elements that are not 0, one in each row."""

    samples = [S((2, 3), smooth=False)]

    def dynamic(self, *_):
        return True

    def forward(self, x):
        return np.argwhere(x != 0) if x.shape else np.zeros((int(bool(x)), 0), np.int64)


def _check_mask(mask, name, text=""):
    if not hasattr(mask, "shape"):
        raise error("argument-type", TypeError(f"{name}(): argument 'mask' must be Tensor, not {type(mask).__name__}"),
                    what="mask", kind=type(mask), must="a tensor")
    if dtype_of(mask).kind != "b" and not text:
        raise error("mask-dtype", dtype=c_name(mask))
    if dtype_of(mask).kind != "b":
        raise error("tensor-dtype", RuntimeError(text.format(word=type_word(mask))), what="mask",
                    dtype=dtype_of(mask), fn=f"{name}()", must="True and False",
                    fix="compare, as in x > 0, or convert: mask.bool().")


def _same_shape(x, mask):
    """Both expanded to their common shape."""
    return m.broadcast_tensors(x, mask) if x.shape != mask.shape else (x, mask)


@public("torch Tensor")
def masked_fill(input, mask, value):
    """`input`, but a number where `mask` holds.

    >>> kobai.arange(3.).masked_fill(kobai.tensor([True, False, True]), -1)
    tensor([-1.,  1., -1.])
    """
    _check_mask(mask, "masked_fill")
    if isinstance(value, Tensor):
        if value.ndim:
            raise error("tensor-dims", RuntimeError(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} "
                "dimension(s)."), what="value", shape=value.shape, need="{n}", n=0,
                fix="give one number, for example {what}.item() or {what}[0].")
        if dtype_of(value).kind == "c" != dtype_of(input).kind:
            scalar(1j, dtypes.of(dtype_of(input)))  # says that it does not fit
        return MaskedFillWith()(input, mask, value)
    if type(value) is not float or dtype_of(input).kind != "f":
        value = scalar(number(value, "masked_fill", "value", 3), dtypes.of(dtype_of(input)))
        value = value.item() if value.dtype.kind != "V" else float(value)
    return MaskedFill(value)(input, mask)


def masked_fill_(self, mask, value):
    """Set the elements where `mask` holds to a number."""
    others = [v for v in (mask, value) if isinstance(v, Tensor)]
    if _recorded(self, *others) or self._base is not None or len(others) > 1:
        return replace(self, masked_fill(self, mask, value))
    _check_mask(mask, "masked_fill_")
    if modes.trace is not None:
        return replace(self, masked_fill(self, mask, value))
    a = self._array()
    v = scalar(number(value, "masked_fill_", "value", 3), self.dtype)
    try:
        np.copyto(a, v, where=mask._data)
    except ValueError:
        return replace(self, masked_fill(self, mask, value))
    changed(self)
    return self


@public("torch Tensor")
def masked_select(input, mask):
    """The elements where `mask` holds, as a vector.

    >>> x = kobai.tensor([1., -2., 3.])
    >>> x.masked_select(x > 0)
    tensor([1., 3.])
    """
    _check_mask(mask, "masked_select", "masked_select: expected BoolTensor for mask")
    return MaskedSelect()(*_same_shape(input, mask))


@public("torch Tensor", inplace=True)
def masked_scatter(input, mask, source):
    """`input`, but the elements of `source`, in their order, where `mask` holds."""
    _check_mask(mask, "masked_scatter", "masked_scatter_ only supports boolean masks, but got mask "
                "with dtype {word}")
    if dtype_of(input) != dtype_of(source):
        raise error("dtypes-differ", RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{type_word(input)} and "
            f"{type_word(source)}"), what="self", dtype=dtype_of(input), other="source", other_dtype=dtype_of(source))
    input, mask = _same_shape(input, mask)
    flat = m.reshape(source, (-1,)) if source.ndim != 1 else source
    if isinstance(mask, Tensor) and hasattr(mask, "_value") and isinstance(mask._value, (np.ndarray, np.generic)) \
            and flat.shape[0] < np.count_nonzero(mask._value):
        raise error("argument-count", RuntimeError("Number of elements of source < number of ones in mask"),
                    count=flat.shape[0], n=int(np.count_nonzero(mask._value)),
                    why="mask is True {n} times, and source has {count} elements.",
                    fix="give at least mask.sum() elements, or use torch.where(mask, a, b).")
    return MaskedScatter()(input, mask, flat)


@public("torch Tensor")
def nonzero(input, *, as_tuple=False):
    """The positions of the elements that are not 0: a row for each, or with `as_tuple` a tensor for each dimension.

    >>> kobai.nonzero(kobai.tensor([0, 5, 7]))
    tensor([[1],
            [2]])
    """
    if as_tuple:
        where = Nonzero()(input if input.ndim else m.reshape(input, (1,)))
        return tuple([m.clone(column) for column in m.unbind(where, 1)])
    return Nonzero()(input)


@public("torch Tensor")
def argwhere(input):
    """The positions of the elements that are not 0, one in each row."""
    return Nonzero()(input)


def nonzero_static(input, *, size, fill_value=-1):
    """The first `size` rows of `nonzero`, filled up with `fill_value`."""
    if modes.trace is not None:
        modes.trace.catch_up()
    found = np.argwhere(input._array())[:size]
    out = np.full((size, input.ndim), fill_value, np.int64)
    out[:len(found)] = found
    return wrap(out)


m.where = lambda condition, a, b: Where()(condition, a, b)  # for rules: any condition that is 0 or not


@public("torch")
@by_form
def where(condition, input=None, other=None):
    """`input` where `condition` holds, else `other`; of `condition` alone, the positions where it holds.

    >>> x = kobai.tensor([-1., 2.])
    >>> kobai.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if isinstance(condition, Tensor) and dtype_of(condition).kind != "b":
        if dtype_of(condition) != np.uint8:
            raise error("where-dtype", dtype=type_word(condition))
        condition = cast(condition, np.dtype(np.bool_))
    if isinstance(condition, bool):
        raise error("argument-type", TypeError(
            "where() received an invalid combination of arguments - got "
            f"(bool, {type(input).__name__}, {type(other).__name__})"), what="condition", kind=type(condition),
            must="a tensor",
                    fix="compare tensors (x > 0); for one condition write a if condition else b.")
    return Where()(condition, _like(input, other), _like(other, input))


def _like(v, other):
    """A Python float beside a float tensor, as a tensor of its dtype: the short way through `apply`."""
    if v.__class__ is float and other.__class__ is Tensor and other._data.dtype.kind == "f":
        return constant(wrap(other._data.dtype.type(v)))
    return v


def _where_method(self, condition, other):
    """This tensor where `condition` holds, else `other`."""
    return where(condition, self, other)


export("Tensor", "where", _where_method)
export("Tensor", "masked_fill_", masked_fill_)
export("torch", "masked_fill_", masked_fill_)
export("torch Tensor", "nonzero_static", nonzero_static)
