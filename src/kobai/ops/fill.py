"""Copies into a tensor, and fills."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..autograd.node import here
from ..diagnose import error
from ..inplace import changed, refuse_leaf, write
from ..op import Op, dtype_of, m
from ..public import export, public
from ..tensor import LiftedTensor, Tensor, constant, wrap
from ..testing.samples import S
from .arguments import number
from .creation import scalar
from .movement import cast
from .subscript import copy_into

m.write = write


class CopyTo(Op):
    """`src` in the shape and dtype of `x`: what x is after x.copy_(src)."""

    grad_name = "CopyBackwards"
    linear = moves = True
    samples = [S((2, 3), (3,)), S((2,), ())]

    def forward(self, x, src):
        if src.dtype.kind == "c" and x.dtype.kind != "c":
            src = src.real
        return np.array(np.broadcast_to(src, x.shape), x.dtype)

    def vjp_x(self, g):
        return m.zeros_like(g)

    def vjp_src(self, g, src_shape, src_dtype):
        return cast(m.sum_to(g, src_shape), src_dtype)

    def batch(self, size, dims, values):
        x, src = values
        missing = len(x.shape) - len(src.shape)
        return self(x, m.reshape(src, (size, *(1,) * missing, *src.shape[1:])) if missing > 0 else src)


class Fill(Op):
    """The same number everywhere, in the shape and dtype of `x`."""

    value: object
    grad_name = "FillBackward0"
    moves = True
    samples = [S((2, 3), params=(2.5,)), S((), params=(0,))]

    def forward(self, x):
        return np.full(x.shape, self.value, x.dtype)

    def vjp_x(self, g):
        return m.zeros_like(g)

    def jvp(self, primals, tangents, y):
        return m.zeros_like(tangents[0])

    def batch(self, size, dims, values):
        return self(*values)


class FillWith(Op):
    """The number in the tensor `value` everywhere, in the shape and dtype of `x`."""

    grad_name = "FillBackward1"
    linear = moves = True
    samples = [S((2, 3), ())]

    def forward(self, x, value):
        return np.full(x.shape, value, x.dtype)

    def vjp_x(self, g):
        return m.zeros_like(g)

    def vjp_value(self, g, value_dtype):
        return cast(m.sum(g), value_dtype)

    def batch(self, size, dims, values):
        return CopyTo().batch(size, dims, values)


def copy_(self, src, non_blocking=False):
    """Copy the elements of `src`, broadcast and converted, into this tensor."""
    if not isinstance(src, Tensor):
        if isinstance(src, (list, tuple, np.ndarray)):
            raise error("not-tensor", function="copy_", argument="other", place=1, got=type(src).__name__)
        src = constant(wrap(np.asarray(number(src, "copy_", "other"))))
    if self is src:
        return self
    if src.__class__ is self.__class__ is Tensor:
        a, b = self._data, src._data
        if a.__class__ is b.__class__ is np.ndarray and a.dtype is b.dtype and a.shape == b.shape and not _recorded(self, src):
            copy_into(a, b)
            changed(self)
            return self
    _check_copy(src, self)
    refuse_leaf(self)
    if src.is_meta:
        return write(self, src)
    while src.ndim > self.ndim and src.shape[0] == 1:
        src = m.reshape(src, tuple(src.shape[1:]))
    if _recorded(self, src):
        return write(self, CopyTo()(self, src))
    copy_into(self._array(), src._data)
    changed(self)
    return self


def _check_copy(src, to):
    """PyTorch's errors where `src` cannot be broadcast to the tensor it is copied to."""
    shape = tuple(to.shape)
    for i in range(1, min(src.ndim, to.ndim) + 1):
        a, b = shape[-i], src.shape[-i]
        if a != b and b != 1:
            raise _no_copy(src, shape, _LARGER if a == 1 else
                           "The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                           "{dim}", a=a, b=b, dim=max(src.ndim, to.ndim) - i)
    if any(s != 1 for s in src.shape[:max(src.ndim - to.ndim, 0)]):
        raise _no_copy(src, shape, _LARGER)


_LARGER = "output with shape {shape} doesn't match the broadcast shape {both}"


def _no_copy(src, shape, text, **facts):
    both = list(np.broadcast_shapes(shape, src.shape)) if text is _LARGER else None
    return error("shapes-differ", RuntimeError(text.format(shape=list(shape), both=both, **facts)), what="src",
                 shape=src.shape, other="self", other_shape=shape,
                 must="src must broadcast to self: counted from the right, sizes equal, or 1 in src")


def _recorded(self, *others):
    if modes.trace is not None or isinstance(self, LiftedTensor):
        return True
    for v in others:
        if isinstance(v, LiftedTensor):
            return True
    return modes.grad and (self._rg or self._base is not None or any([v.requires_grad for v in others]))


@public("torch Tensor")
def fill(input, value):
    """A copy of `input` with the same number everywhere."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise error("tensor-dims", RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."),
                what="value", shape=value.shape, need="{n}", n=0,
                fix="give one number, for example {what}.item() or {what}[0].")
        return FillWith()(input, value)
    return Fill(scalar(number(value, "fill", "value", 2), dtypes.of(dtype_of(input))))(input)


def fill_(self, value):
    """Set all elements to a number."""
    if isinstance(value, Tensor) and value.ndim:
        raise error("tensor-dims", RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."), what="value",
            shape=value.shape, need="{n}", n=0, fix="give one number, for example {what}.item() or {what}[0].")
    refuse_leaf(self)
    if _recorded(self, *((value,) if isinstance(value, Tensor) else ())):
        return write(self, fill(self, value))
    d = self.dtype
    copy_into(self._array(), value._data if isinstance(value, Tensor) else scalar(number(value, "fill_", "value"), d))
    changed(self)
    return self


class Zero(Fill):
    """All elements 0."""

    value: object = 0
    grad_name = "ZeroBackward0"
    samples = [S((2, 3)), S(())]


def zero_(self):
    """Set all elements to 0."""
    if modes.trace is None and self.__class__ is Tensor and self._base is None and not self._rg \
            and (a := self._data).__class__ is np.ndarray and a.flags.writeable:  # the usual case, in half the time
        a[...] = 0
        self._ver[0] += 1
        self._ver[1] = here()
        return self
    refuse_leaf(self)
    if _recorded(self):
        return write(self, Zero(0)(self))
    a = self._array()
    if not a.flags.writeable:
        copy_into(a, a.dtype.type(0))
    a[...] = 0
    changed(self)
    return self


def fill_diagonal_(self, fill_value, wrap=False):
    """Set the elements x[i, i, ...] to a number; `wrap` starts anew below a tall matrix's square."""
    if self.ndim < 2:
        raise error("tensor-dims", RuntimeError("dimensions must larger than 1"), what="self", shape=self.shape,
                    need="at least {n}", n=2)
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise error("tensor-shape", RuntimeError("all dimensions of input must be of equal length"), shape=self.shape,
                    why="the tensor has shape {shape}; with more than two dimensions, all must have the same size.",
                    fix="torch.diagonal_scatter(x, src, dim1=0, dim2=1) writes the diagonal of two dimensions.")
    return _put_diagonal(self, fill_value, wrap)


def _put_diagonal(self, value, again):
    n, c = self.shape[0], self.shape[1]
    if self.ndim == 2 and again and n > c + 1:
        i = np.array([k for k in range(n) if k % (c + 1) < c])
        positions = (i, i % (c + 1))
    else:
        i = np.arange(min(self.shape))
        positions = (i,) * self.ndim
    return self.index_put_(tuple([constant(wrap(p)) for p in positions]),
                           constant(wrap(scalar(number(value, "fill_diagonal_", "fill_value"), self.dtype))))


def apply_(self, callable):
    """Replace each element by `callable` of it: a slow loop in Python."""
    a = self._array()
    a[...] = np.array([callable(v) for v in a.ravel().tolist()], a.dtype).reshape(a.shape)
    changed(self)
    return self


def map_(self, tensor, callable):
    """Replace each element by `callable` of it and the other tensor's: a slow loop in Python."""
    a, b = self._array(), np.broadcast_to(tensor._data, self.shape)
    a[...] = np.array([callable(*v) for v in zip(a.ravel().tolist(), b.ravel().tolist())], a.dtype).reshape(a.shape)
    changed(self)
    return self


@public("torch")
def zero(input):
    """Zeros in the shape of `input`."""
    return Zero(0)(input)


for _fn in (copy_, fill_, zero_, fill_diagonal_, apply_, map_):
    export("Tensor", _fn.__name__, _fn)
for _fn in (fill_, zero_):
    export("torch", _fn.__name__, _fn)
