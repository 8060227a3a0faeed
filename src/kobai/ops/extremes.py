"""Largest and smallest: amax, max, argmax and their kin."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Op, Reduction, dtype_of, m
from ..public import by_form, public
from ..return_types import return_type
from ..tensor import Tensor
from ..testing.samples import S
from .along import ByIndex, of_scalar
from .arguments import kind_of
from .movement import normal_dim
from .reduce import REDUCED, WHOLE, kept, later, normal_dims, not_implemented, one_dim, reduced

ALONG = [S((4,), params=(0, False)), S((2, 3), params=(1, False)), S((2, 3, 2), params=(1, True)),
         S((1,), params=(0, False)), S((0, 3), params=(1, False))]


class Amax(Reduction):
    """Largest element over `dim`; equal ones share the gradient."""

    samples = REDUCED[:4] + REDUCED[5:]
    ufunc = np.maximum

    def forward(self, x):
        return self.ufunc.reduce(x, self.dim, None, None, self.keepdim)

    def vjp_x(self, g, x, y):
        return self._shared(g, x == kept(y, x.shape, self.dim, self.keepdim), x.shape)

    def _shared(self, g, chosen, shape):
        """The gradient in equal parts to the elements where `chosen` holds."""
        chosen = m.cast(chosen, dtype_of(g))
        parts = m.sum(chosen, self.dim, keepdim=True)
        return chosen * (kept(g, shape, self.dim, self.keepdim) / parts)

    def batch(self, size, dims, values):
        return (Amax if self.ufunc is np.maximum else Amin)(*later(self, values[0]))(*values)

    def emit(self, k, x):
        return k.amax(x) if self.ufunc is np.maximum else k.amin(x)


class Amin(Amax):
    """Smallest element over `dim`; equal ones share the gradient."""

    ufunc = np.minimum


class MaxAll(Amax):
    """Largest of all elements; NaN if there is one, and then the NaNs share the gradient."""

    grad_name = "MaxBackward1"
    dim = None
    samples = WHOLE

    def vjp_x(self, g, x, y):
        return self._shared(g, m.where(m.isnan(y), m.isnan(x), x == y), x.shape)


class MinAll(MaxAll):
    """Smallest of all elements; NaN if there is one, and then the NaNs share the gradient."""

    grad_name = "MinBackward1"
    ufunc = np.minimum


def place_of(x, method, dim, keepdim):
    """Where the largest or smallest element is, as int64 (NumPy's own indices may be shorter)."""
    y = getattr(x, method)(dim)
    if keepdim:
        y = y.reshape([1 if dim is None or d == dim else s for d, s in enumerate(x.shape)])
    return y if y.dtype.char == _LONG else np.int64(y)


_LONG = np.dtype(np.int64).char


def _at(x, index, dim, keepdim, ufunc):
    """The extreme elements, whose places are known: taken from there in the usual case, which is faster."""
    if x.ndim == 2 and dim == 1 and not keepdim:
        return x[np.arange(x.shape[0]), index]
    return ufunc.reduce(x, dim, None, None, keepdim)


class Max(ByIndex):
    """Largest element along `dim` and its (first) index."""

    grad_name = "MaxBackward0"
    samples = ALONG

    def forward(self, x):
        index = place_of(x, "argmax", self.dim, self.keepdim)
        return _at(x, index, self.dim, self.keepdim, np.maximum), index


class Min(ByIndex):
    """Smallest element along `dim` and its (first) index."""

    grad_name = "MinBackward0"
    samples = ALONG

    def forward(self, x):
        index = place_of(x, "argmin", self.dim, self.keepdim)
        return _at(x, index, self.dim, self.keepdim, np.minimum), index


class Aminmax(Reduction):
    """Smallest and largest element over `dim`; equal ones share the gradient."""

    outputs = "many"
    samples = REDUCED[:4]

    def forward(self, x):
        return (np.minimum.reduce(x, self.dim, None, None, self.keepdim),
                np.maximum.reduce(x, self.dim, None, None, self.keepdim))

    def vjp_x(self, g, x, y):
        return Amin(self.dim, self.keepdim).vjp_x(g[0], x, y[0]) + Amax(self.dim, self.keepdim).vjp_x(g[1], x, y[1])

    def batch(self, size, dims, values):
        return Aminmax(*later(self, values[0]))(*values)


class Argmax(Op):
    """Index of the (first) largest element along `dim`, or in the flattened tensor."""

    dim: object = None
    keepdim: bool = False
    samples = [S((2, 3), params=p, smooth=False) for p in ((0, False), (1, True), (None, False), (None, True))]
    method = "argmax"

    def forward(self, x):
        return place_of(x, self.method, self.dim, self.keepdim)

    def batch(self, size, dims, values):
        x, = values
        if self.dim is not None:
            return type(self)(self.dim + 1, self.keepdim)(x)
        y = type(self)(1, False)(m.reshape(x, (size, -1)))
        return m.reshape(y, (size, *(1,) * (len(x.shape) - 1))) if self.keepdim else y


class Argmin(Argmax):
    """Index of the (first) smallest element along `dim`, or in the flattened tensor."""

    method = "argmin"


# ---- the public functions --------------------------------------------------------------------
def _is_empty(x):
    return not (x._value if isinstance(x, Tensor) else x).size


def _check_size(input, dims, name):
    """Nothing is the largest of nothing."""
    for d in dims:
        if input.ndim and input.shape[d] == 0:
            raise error("tensor-empty", IndexError(f"{name}: Expected reduction dim {d} to have non-zero size."),
                        what="input", shape=input.shape, dim=d,
                        why="the tensor has shape {shape}: along dimension {dim} there is nothing, and nothing has no "
                            "largest or smallest element.")


def _check_whole(input, name, kind=RuntimeError):
    if _is_empty(input):
        rest = "" if kind is IndexError else " Specify the reduction dim with the 'dim' argument."
        raise error("tensor-empty", kind(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{rest}"), what="input",
            fn=f"{name}()")


def _check_real(input, kernel):
    if dtype_of(input).kind == "c":
        raise not_implemented(kernel, input)


def _am(op, name, input, dim, keepdim):
    _check_real(input, name[1:] + "_values_cpu")
    if dim is None or isinstance(dim, (tuple, list)) and not dim:
        _check_whole(input, name)
    if _is_empty(input):
        normal_dims(dim, input.ndim)
        _check_size(input, (dim,) if isinstance(dim, int) else dim or (), name + "()")
    return reduced(op, name, input, dim, keepdim)


@public()
@by_form
def amax(input, dim=(), keepdim=False):
    """The largest element over `dim` (all dimensions by default); ties share the gradient evenly."""
    return _am(Amax, "amax", input, dim, keepdim)


@public()
@by_form
def amin(input, dim=(), keepdim=False):
    """The smallest element over `dim` (all dimensions by default); ties share the gradient evenly."""
    return _am(Amin, "amin", input, dim, keepdim)


def _extreme(input, dim, keepdim, other, name, whole, along, binary):
    """The three forms of max and min."""
    if dim is None and other is None:
        _check_real(input, name + "_all")
        _check_whole(input, name)
        return whole(input)
    if isinstance(dim, np.integer):
        dim = int(dim)
    if dim.__class__ is not int:
        other = dim if hasattr(dim, "shape") else other
        if other is not None:
            return binary(input, other)
        _check_is_dim(dim, name)
    if keepdim.__class__ is not bool:
        raise error("argument-type", TypeError(
                    f"{name}(): argument 'keepdim' (position 2) must be bool, not {kind_of(keepdim)}"),
                    what="keepdim", kind=type(keepdim), must="True or False",
                    fix="max(dim, keepdim=True); of several dimensions amax and amin take a tuple.")
    if dtype_of(input).kind == "c":
        raise error("tensor-dtype", RuntimeError(f"{name}(): does not support complex input"), what="input",
                    dtype=dtype_of(input), fn=f"{name}()", must="numbers that are not complex",
                    fix="x.abs() gives absolute values, x.real the real parts.")
    if not input.ndim:
        normal_dim(dim, 0)
        return return_type(name)(*of_scalar(along(0, False), input))
    dim = normal_dim(dim, input.ndim)
    if _is_empty(input):
        _check_size(input, (dim,), name + "()")
    return return_type(name)(*along(dim, keepdim)(input))


def _check_is_dim(dim, name):
    if not hasattr(dim, "__index__"):
        raise error("argument-type", TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor, {type(dim).__name__})"), value=dim,
            fn=name,
            why="{value} is neither a dimension nor a tensor.",
            fix="write torch.a{fn}(x, dim=(0, 1)) for several dimensions, torch.{fn}(x, other) for another tensor.")


for _name in ("max", "min"):
    return_type(_name, "values", "indices")
_MINMAX = return_type("aminmax", "min", "max")


@public()
@by_form
def max(input, dim=None, keepdim=False, *, other=None):
    """The largest of all elements; with `dim` (values, indices); with another tensor the larger of each pair.

    >>> kobai.tensor([[1., 5.], [7., 2.]]).max(dim=1).indices
    tensor([1, 0])
    """
    return _extreme(input, dim, keepdim, other, "max", MaxAll(), Max, m.maximum)


@public()
@by_form
def min(input, dim=None, keepdim=False, *, other=None):
    """The smallest of all elements; with `dim` (values, indices); with another tensor the smaller of each pair.

    >>> kobai.min(kobai.tensor([3., 1., 2.]))
    tensor(1.)
    """
    return _extreme(input, dim, keepdim, other, "min", MinAll(), Min, m.minimum)


@public()
def aminmax(input, *, dim=None, keepdim=False):
    """(min, max) over `dim`, or of all elements."""
    _check_real(input, "aminmax_cpu")
    if dim is None:
        if _is_empty(input):
            raise error("tensor-empty", RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."),
                what="input", fn="aminmax()")
        return _MINMAX(*Aminmax(tuple(range(input.ndim)), keepdim)(input))
    dims = normal_dims(one_dim(dim, input.ndim, "aminmax"), input.ndim)
    _check_size(input, dims, "aminmax")
    return _MINMAX(*Aminmax(dims, keepdim)(input))


def _arg(op, name, input, dim, keepdim):
    kind = dtype_of(input).kind
    if kind in "bc":
        raise error("tensor-dtype", RuntimeError(
            f"{name}(): does not support {'bool' if kind == 'b' else 'complex'} input"), what="input",
            dtype=dtype_of(input), fn=f"{name}()", must="whole or floating point numbers",
            fix="x.int() makes numbers of True and False, x.abs() of complex numbers.")
    if dim is None:
        _check_whole(input, name, IndexError)
        return op(None, keepdim)(input)
    dim = one_dim(dim, input.ndim, name)
    if _is_empty(input):
        _check_size(input, (dim,), name + "()")
    return op(dim if input.ndim else None, keepdim)(input)


@public()
@by_form
def argmax(input, dim=None, keepdim=False):
    """The index of the largest element along `dim`, or in the flattened tensor; the first of equal ones.

    >>> kobai.argmax(kobai.tensor([[1., 5.], [7., 2.]]), dim=1)
    tensor([1, 0])
    """
    return _arg(Argmax, "argmax", input, dim, keepdim)


@public()
@by_form
def argmin(input, dim=None, keepdim=False):
    """The index of the smallest element along `dim`, or in the flattened tensor; the first of equal ones.

    >>> kobai.argmin(kobai.tensor([3., 1., 2.]))
    tensor(1)
    """
    return _arg(Argmin, "argmin", input, dim, keepdim)
