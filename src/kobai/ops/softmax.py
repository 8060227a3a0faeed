"""Softmax and its kin: one op each, with a rule that is stable."""
from __future__ import annotations

import warnings

import numpy as np

from ..diagnose import user_level
from ..op import Op, Reduction, apply1, dtype_of, m
from ..public import by_rank, public
from ..testing.samples import S
from .along import of_scalar
from .arguments import as_dtype
from .labels import gradients_by
from .movement import Cast
from .reduce import REDUCED, kept, later, not_implemented, one_dim, read_dims
from .summation import add_up

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)

ROWS = [S((2, 3), params=(1,)), S((4, 2), params=(0,)), S((3,), params=(0,)), S((2, 0), params=(1,)),
        S((2, 1, 3), params=(2,))]


class Softmax(Op):
    """exp(x) / sum(exp(x)) over `dim`."""

    dim: int
    gradient_shown = gradients_by(x="SoftmaxBackwardDataBackward0(g, y)")
    samples = ROWS

    def forward(self, x):
        if not x.size:
            return x.copy()
        y = x - np.maximum.reduce(x, self.dim, None, None, True)
        np.exp(y, y)
        y /= add_up(y, (self.dim,), True)
        return y

    def vjp_x(self, g, y):
        return y * (g - m.sum(g * y, self.dim, True))

    def jvp(self, primals, tangents, y):
        return self.vjp_x(tangents[0], y)  # the Jacobian is symmetric

    def batch(self, size, dims, values):
        return Softmax(self.dim + 1)(*values)

    def emit(self, k, x):
        e = k.exp(x - k.amax(x))
        return e * (1.0 / k.sum(e))  # a sum of at least one; a division takes as long as the exponential


class LogSoftmax(Op):
    """x - log(sum(exp(x))) over `dim`."""

    dim: int
    gradient_shown = gradients_by(x="LogSoftmaxBackwardDataBackward0(g, y)")
    samples = ROWS

    def forward(self, x):
        if not x.size:
            return x.copy()
        d = x - np.maximum.reduce(x, self.dim, None, None, True)
        d -= np.log(add_up(np.exp(d), (self.dim,), True))
        return d

    def vjp_x(self, g, y):
        return g - m.exp(y) * m.sum(g, self.dim, True)

    def jvp(self, primals, tangents, y):
        t, = tangents
        return t - m.sum(m.exp(y) * t, self.dim, True)

    def batch(self, size, dims, values):
        return LogSoftmax(self.dim + 1)(*values)

    def emit(self, k, x):
        d = x - k.amax(x)
        return d - k.log(k.sum(k.exp(d)))


class Logsumexp(Reduction):
    """log(sum(exp(x))) over `dim`."""

    floats = True
    common = ("x",)
    samples = REDUCED

    def forward(self, x):
        top = np.maximum.reduce(x.real, self.dim, None, None, True, -np.inf)
        top = np.where(np.isfinite(top), top, x.real.dtype.type(0))
        y = np.log(add_up(np.exp(x - top), self.dim, True)) + top
        return y if self.keepdim else y.reshape([s for d, s in enumerate(x.shape) if d not in self.dim])

    def vjp_x(self, g, x, y):
        y = kept(y, x.shape, self.dim, self.keepdim)
        return kept(g, x.shape, self.dim, self.keepdim) * m.conj(m.exp(x - y))

    def batch(self, size, dims, values):
        return Logsumexp(*later(self, values[0]))(*values)

    def emit(self, k, x):
        top = k.amax(x)
        top = k.where(k.isfinite(top), top, k.const(0, x.dtype))
        return k.log(k.sum(k.exp(x - top))) + top


# ---- the public functions --------------------------------------------------------------------
_known: dict = {}  # ops by their class, dim as given, and the input's number of dimensions


def _rows(op, name, input, dim, dtype):
    data = getattr(input, "_data", None)
    if dtype is None and dim.__class__ is int and data is not None and (data.dtype is _F32 or data.dtype is _F64):
        found = _known.get((op, dim, data.ndim))
        if found is None and data.ndim:
            found = _known[op, dim, data.ndim] = op(one_dim(dim, data.ndim, name))
        if found is not None:
            return apply1(found, input)
    if dtype is not None and as_dtype(dtype).np != dtype_of(input):
        input = Cast(as_dtype(dtype, fn=name).np)(input)
    dim = one_dim(dim, input.ndim, name)
    if dtype_of(input).kind in "buic":
        last = "lastdim_" if dim == (input.ndim or 1) - 1 else ""
        raise not_implemented(f"{name}_{last}kernel_impl", input)
    return op(dim)(input) if input.ndim else of_scalar(op(0), input)


@public("torch Tensor special")
@by_rank
def softmax(input, dim, dtype=None):
    """exp(input) / sum(exp(input)) over `dim`: positive numbers whose sum is 1.

    >>> kobai.tensor([0., 0., 0., 0.]).softmax(0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return _rows(Softmax, "softmax", input, dim, dtype)


@public("torch Tensor special")
@by_rank
def log_softmax(input, dim, dtype=None):
    """log(softmax(input)) over `dim`, without the loss of small probabilities.

    >>> kobai.log_softmax(kobai.tensor([0., 0.]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _rows(LogSoftmax, "log_softmax", input, dim, dtype)


def _implicit_dim(name, ndim):
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                  "argument.", UserWarning, stacklevel=user_level())
    return 0 if ndim in (0, 1, 3) else 1


@public("nn.functional", name="softmax")
@by_rank
def _functional_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(input) / sum(exp(input)) over `dim`: positive numbers whose sum is 1."""
    return softmax(input, _implicit_dim("softmax", input.ndim) if dim is None else dim, dtype)


@public("nn.functional", name="log_softmax")
@by_rank
def _functional_log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """log(softmax(input)) over `dim`, without the loss of small probabilities."""
    return log_softmax(input, _implicit_dim("log_softmax", input.ndim) if dim is None else dim, dtype)


@public("nn.functional")
def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-input): the smallest element gets the largest share."""
    return softmax(-input, _implicit_dim("softmin", input.ndim) if dim is None else dim, dtype)


@public("torch Tensor special")
@by_rank
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over `dim`, without overflow.

    >>> kobai.logsumexp(kobai.tensor([1000., 1000.]), dim=0)
    tensor(1000.6932)
    """
    return Logsumexp(*read_dims("logsumexp", input, dim, keepdim))(input)
