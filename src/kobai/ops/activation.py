"""Activation functions of nn.functional: one class each, with the rule of its kink written out."""
from __future__ import annotations

import math

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..dtypes import type_word
from ..inplace import inplace as _inplace
from ..op import Elementwise, Op, dtype_of, m
from ..public import by_form, by_rank, export, public
from ..random import uniform
from ..takes import Not, Only
from ..testing.samples import S, binary, unary
from .arguments import wrapped
from .labels import gradients_by, shown_as
from .reduce import not_implemented


def keep(g, mask):
    """`g` where the mask holds, else 0: unlike g * mask, also for infinite g."""
    if type(g) is np.ndarray and isinstance(mask, (np.ndarray, np.generic)):  # a mask may differ between examples
        return np.where(mask, g, 0)
    return m.where(mask, g, m.zeros_like(g))


m.keep = keep


class Sigmoid(Elementwise):
    """1 / (1 + exp(-x))."""

    alias = ("expit",)
    public = "torch Tensor special"
    functional = True
    floats = True
    gradient_shown = gradients_by(x="SigmoidBackwardBackward0(g, y)")
    samples = unary(-3, 3)

    def forward(self, x):
        if x.dtype.kind == "c":
            return 1 / (1 + np.exp(-x))
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)

    def d_x(self, y):
        return y * (1 - y)

    def emit(self, k, x):
        return k.sigmoid(x)


class Relu(Elementwise):
    """max(x, 0); the gradient at 0 is 0."""

    takes = Not(b="Boolean inputs not supported for relu",
                c=NotImplementedError("clamp is not supported for complex types"))
    gradient_shown = gradients_by(x="ThresholdBackwardBackward0(g, y)")
    samples = unary(0.1, 2) + unary(-2, -0.1)

    def forward(self, x):
        return np.maximum(x, 0)

    def vjp_x(self, g, y):
        return keep(g, m.gt(y, 0))

    def emit(self, k, x):
        return k.maximum(x, 0)


class Hardtanh(Elementwise):
    """x kept between `low` and `high`; the gradient at the bounds is 0."""

    takes = Not(b="Bool inputs not supported for hardtanh",
                c=NotImplementedError("clamp is not supported for complex types"))
    low: float
    high: float
    gradient_shown = gradients_by(x="HardtanhBackwardBackward0(g, x)")
    samples = unary(-2, 2, params=(-1.0, 1.0))

    def forward(self, x):
        return np.clip(x, x.dtype.type(self.low), x.dtype.type(self.high))

    def vjp_x(self, g, x):
        return keep(g, m.logical_and(m.gt(x, self.low), m.lt(x, self.high)))

    def emit(self, k, x):
        return k.clamp(x, self.low, self.high)


class LeakyRelu(Elementwise):
    """x if x > 0, else slope * x."""

    takes = Only("fV", "leaky_relu_cpu")
    slope: float
    gradient_shown = gradients_by(x="LeakyReluBackwardBackward0(g, x)")
    samples = unary(0.1, 2, params=(0.1,)) + unary(-2, -0.1, params=(0.1,))

    def forward(self, x):
        return np.where(x > 0, x, x * x.dtype.type(self.slope))

    def vjp_x(self, g, x):
        return m.where(m.gt(x, 0), g, g * self.slope)

    def emit(self, k, x):
        return k.where(x > 0, x, x * self.slope)


class Elu(Elementwise):
    """scale * x if x > 0, else scale * alpha * (exp(rate * x) - 1)."""

    takes = Only("fV", "elu_cpu")
    alpha: float
    scale: float = 1.0
    rate: float = 1.0
    gradient_shown = gradients_by(x="EluBackwardBackward0(g, x)")
    samples = unary(0.1, 2, params=(1.5, 1.0, 1.0)) + unary(-2, -0.1, params=(1.5, 1.1, 0.7))

    def forward(self, x):
        t = x.dtype.type
        return np.where(x > 0, x * t(self.scale),
                        np.expm1(np.minimum(x, 0) * t(self.rate)) * t(self.alpha * self.scale))

    def d_x(self, x):
        return m.where(m.gt(x, 0), self.scale + m.zeros_like(x),
                       m.exp(m.minimum(x, 0) * self.rate) * (self.alpha * self.scale * self.rate))

    def emit(self, k, x):
        return k.where(x > 0, x * self.scale, k.expm1(x * self.rate) * (self.alpha * self.scale))


class Gelu(Elementwise):
    """x * Phi(x), Phi the distribution function of the normal distribution (Hendrycks and Gimpel 2016)."""

    takes = Only("fV", "GeluKernelImpl")
    gradient_shown = gradients_by(x="GeluBackwardBackward0(g, x)")
    samples = unary(-3, 3)

    def forward(self, x):
        return x * _phi(x)

    def d_x(self, x):
        return (1 + m.erf(x * _SQRT_HALF)) * 0.5 + x * m.exp(x * x * -0.5) * _INV_SQRT_2PI

    def emit(self, k, x):
        return x * ((k.erf(x * _SQRT_HALF) + 1) * 0.5)


_SQRT_HALF, _INV_SQRT_2PI = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


def _phi(x):
    return (1 + m.erf(x * x.dtype.type(_SQRT_HALF))) * x.dtype.type(0.5)


class GeluTanh(Elementwise):
    """0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): the usual approximation of gelu."""

    takes = Only("fV", "GeluKernelImpl")
    grad_name = "GeluBackward0"
    public = ""
    samples = unary(-3, 3)

    def forward(self, x):
        return 0.5 * x * (1 + np.tanh(_GELU_A * (x + _GELU_B * (x * x * x))))

    def d_x(self, x):
        t = m.tanh(_GELU_A * (x + _GELU_B * (x * x * x)))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_GELU_A * (1 + 3 * _GELU_B * (x * x)))

    def emit(self, k, x):
        return x * 0.5 * (k.tanh((x + x * x * x * _GELU_B) * _GELU_A) + 1)


_GELU_A, _GELU_B = math.sqrt(2 / math.pi), 0.044715


class Silu(Elementwise):
    """x * sigmoid(x)."""

    takes = Only("fVc", "silu_cpu")
    public = ""
    gradient_shown = gradients_by(x="MulBackward0(MulBackward0(g, SigmoidBackward0(x)), "
                                    "AddBackward1(MulBackward0(x, SubBackward0(None, SigmoidBackward0(x)))))")
    samples = unary(-3, 3)

    def forward(self, x):
        return x * m.sigmoid(x)

    def d_x(self, x):
        s = m.sigmoid(x)
        return s * (1 + x * (1 - s))

    def emit(self, k, x):
        return x * k.sigmoid(x)


class Mish(Elementwise):
    """x * tanh(softplus(x)) (Misra 2019)."""

    takes = Only("fV", "mish_cpu")
    public = ""
    samples = unary(-3, 3)

    def forward(self, x):
        return x * np.tanh(np.logaddexp(x, x.dtype.type(0)))

    def d_x(self, x):
        t = m.tanh(m.logaddexp(x, m.zeros_like(x)))
        return t + x * m.sigmoid(x) * (1 - t * t)

    def emit(self, k, x):
        return x * k.tanh(k.softplus(x))


class Softplus(Elementwise):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""

    takes = Only("fV", "softplus_cpu")
    beta: float = 1.0
    threshold: float = 20.0
    gradient_shown = gradients_by(x="SoftplusBackwardBackward0(g, x)")
    samples = unary(-3, 3, params=(1.0, 20.0)) + unary(-3, 3, params=(2.0, 20.0))

    def forward(self, x):
        z = x * x.dtype.type(self.beta)
        return np.where(z > self.threshold, x, np.logaddexp(z, z.dtype.type(0)) / z.dtype.type(self.beta))

    def d_x(self, x):
        z = x * self.beta
        return m.where(m.gt(z, self.threshold), m.zeros_like(z) + 1, m.sigmoid(z))

    def emit(self, k, x):
        z = x * self.beta
        return k.where(z > self.threshold, x, k.softplus(z) / self.beta)


class LogSigmoid(Elementwise):
    """log(sigmoid(x)) without overflow."""

    takes = Only("fV", "log_sigmoid_cpu")
    public = ""
    gradient_shown = gradients_by(x="LogSigmoidBackwardBackward0(g, x)")
    samples = unary(-3, 3)

    def forward(self, x):
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    def d_x(self, x):
        return m.sigmoid(-x)

    def emit(self, k, x):
        return k.minimum(x, 0) - k.log1p(k.exp(-abs(x)))


class Softsign(Elementwise):
    """x / (1 + |x|)."""

    grad_name = "DivBackward0"
    public = ""
    floats = True
    samples = unary(0.1, 2) + unary(-2, -0.1)

    def forward(self, x):
        return x / (1 + np.abs(x))

    def d_x(self, x):
        d = 1 + m.abs(x)
        return 1 / (d * d)

    def emit(self, k, x):
        return x / (abs(x) + 1)


class Hardshrink(Elementwise):
    """x, but 0 where |x| <= lambd."""

    takes = Only("fV", "hardshrink_cpu")
    lambd: float
    samples = unary(0.6, 2, params=(0.5,)) + unary(-0.4, 0.4, params=(0.5,))

    def forward(self, x):
        return np.where(np.abs(x) <= self.lambd, 0, x).astype(x.dtype)

    def vjp_x(self, g, x):
        return keep(g, m.gt(m.abs(x), self.lambd))

    def emit(self, k, x):
        return k.where(abs(x) <= self.lambd, 0, x)


class Softshrink(Elementwise):
    """x moved towards 0 by lambd, and 0 within."""

    takes = Only("fV", "softshrink_check")
    lambd: float
    samples = unary(0.6, 2, params=(0.5,)) + unary(-0.4, 0.4, params=(0.5,))

    def forward(self, x):
        lam = x.dtype.type(self.lambd)
        return np.where(x > lam, x - lam, np.where(x < -lam, x + lam, x * 0))

    def vjp_x(self, g, x):
        return keep(g, m.gt(m.abs(x), self.lambd))

    def emit(self, k, x):
        return k.where(x > self.lambd, x - self.lambd, k.where(x < -self.lambd, x + self.lambd, x * 0))


class Threshold(Elementwise):
    """x if x > threshold, else value."""

    threshold: float
    value: float
    samples = unary(0.6, 2, params=(0.5, 20.0)) + unary(-2, 0.4, params=(0.5, 20.0))

    def forward(self, x):
        return np.where(x <= wrapped(x.dtype, self.threshold), wrapped(x.dtype, self.value), x)

    def vjp_x(self, g, x):
        return keep(g, m.gt(x, self.threshold))

    def emit(self, k, x):
        return k.where(x <= self.threshold, self.value, x)


class Hardsigmoid(Elementwise):
    """min(max(x + 3, 0), 6) / 6."""

    takes = Only("fV", "hardsigmoid_cpu")
    public = ""
    samples = unary(-2, 2)

    def forward(self, x):
        return np.clip(x + 3, 0, 6) / 6

    def vjp_x(self, g, x):
        return keep(g / 6, m.logical_and(m.gt(x, -3), m.lt(x, 3)))

    def emit(self, k, x):
        return k.clamp(x + 3, 0, 6) / 6


class Hardswish(Elementwise):
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""

    takes = Only("fV", "hardswish_cpu")
    public = ""
    samples = unary(-2, 2)

    def forward(self, x):
        return x * np.clip(x + 3, 0, 6) / 6

    def vjp_x(self, g, x):
        inner = g * (x / 3 + 0.5)
        return m.where(m.le(x, -3), m.zeros_like(g), m.where(m.ge(x, 3), g, inner))

    def emit(self, k, x):
        return x * k.clamp(x + 3, 0, 6) / 6


class Prelu(Elementwise):
    """x if x > 0, else weight * x; the weight's shape broadcasts over x's."""

    name = "prelu_kernel"
    grad_name = "PreluKernelBackward0"
    public = ""
    samples = binary(0.1, 2) + binary(-2, -0.1)

    def forward(self, x, weight):
        return np.where(x > 0, x, x * weight)

    def vjp_x(self, g, x, weight):
        return m.where(m.gt(x, 0), g, g * weight)

    def vjp_weight(self, g, x):
        return m.where(m.gt(x, 0), m.zeros_like(g), g * x)

    def emit(self, k, x, weight):
        return k.where(x > 0, x, x * weight)


# ---- the public functions --------------------------------------------------------------------
def _apply(op, input, inplace):
    return _inplace(op, input) if inplace else op(input)


def activation(name, make, doc, defaults=()):
    """Export nn.functional.<name>(input, *parameters, inplace=False) for an op that `make` builds."""
    names = [n for n, _ in defaults]
    given = dict(defaults)

    def fn(input, *args, inplace=False, **kwargs):
        values = {**given, **dict(zip((*names, "inplace"), args)), **kwargs}
        inplace = values.pop("inplace", inplace)
        unknown = set(values) - set(names)
        if unknown:
            raise error("call-form", TypeError(f"{name}() got an unexpected keyword argument '{min(unknown)}'"),
                        fn=f"{name}()", got=min(unknown), names=["input", *names, "inplace"],
                        why="{fn} has no argument named {got}.", fix="look at the spelling; its arguments are {names}.")
        return _apply(make(*[values[n] for n in names]), input, inplace)
    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = doc
    public("nn.functional", inplace=not names or name in _WITH_INPLACE)(by_rank(fn))


_WITH_INPLACE = {"leaky_relu", "hardtanh", "elu", "celu", "threshold"}

activation("relu6", lambda: Hardtanh(0.0, 6.0), "min(max(x, 0), 6).")
activation("leaky_relu", lambda s: LeakyRelu(s), "x if x > 0, else negative_slope * x.", [("negative_slope", 0.01)])
activation("elu", lambda a: Elu(a, 1.0, 1.0), "x if x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015).",
           [("alpha", 1.0)])
activation("silu", Silu, "x * sigmoid(x), also called swish.")
activation("mish", Mish, "x * tanh(softplus(x)).")
activation("hardsigmoid", Hardsigmoid, "min(max(x + 3, 0), 6) / 6.")
activation("hardswish", Hardswish, "x * min(max(x + 3, 0), 6) / 6.")

_SELU = Elu(1.6732632423543772, 1.0507009873554805, 1.0)


def _selu(input, inplace=False):
    """scale * elu(x, alpha), with the constants of Klambauer et al. 2017."""
    return _apply(_SELU, input, inplace)


def _celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)) (Barron 2017)."""
    if alpha == 0:
        raise error("argument-value", RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU"), what="alpha",
                    value=alpha, must="a number other than 0")
    return _apply(shown_as(Elu(alpha, 1.0, 1.0 / alpha), "CeluBackward0"), input, inplace)


def _relu(input, inplace=False):
    """max(x, 0)."""
    return _apply(Relu(), input, inplace)


public("nn.functional", name="relu")(by_rank(_relu))
public("nn.functional torch", name="selu", inplace=True)(by_rank(_selu))
public("nn.functional torch", name="celu", inplace=True)(by_rank(_celu))


def relu_(input):
    """In-place version of `relu`."""
    return _relu(input, True)


export("nn.functional", "relu_", relu_)


@public("nn.functional", inplace=True)
@by_form
def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x kept between `min_val` and `max_val`."""
    if min_val > max_val:
        raise error("argument-value", ValueError("min_val cannot be greater than max_val"), what="min_val",
                    value=min_val, must="a number of at most {high}", high=max_val,
                    fix="give the smaller number as min_val and the larger one as max_val.")
    if min_val < 0 and dtype_of(input).kind == "u":
        raise error("tensor-dtype", RuntimeError("cannot do hardtanh on an unsigned type with negative limits"),
                    dtype=dtype_of(input), low=min_val,
                    why="input has dtype {dtype}, in which there is no number below 0, and min_val is {low}.",
                    fix="convert it first, x.int() or x.float(), or give a min_val of at least 0.")
    return _apply(Hardtanh(min_val, max_val), input, inplace)


@public("nn.functional")
@by_rank
def gelu(input, approximate="none"):
    """x * Phi(x); `approximate="tanh"` for the usual approximation."""
    if approximate not in ("none", "tanh"):
        raise error("argument-choice", RuntimeError("approximate argument must be either none or tanh."),
                    what="approximate", value=approximate, choices=["none", "tanh"])
    return GeluTanh()(input) if approximate == "tanh" else Gelu()(input)


@public("nn.functional")
@by_rank
def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta * x)) / beta."""
    return Softplus(float(beta), float(threshold))(input)


@public("nn.functional")
@by_rank
def logsigmoid(input):
    """log(sigmoid(x))."""
    return LogSigmoid()(input)


@public("nn.functional")
@by_rank
def softsign(input):
    """x / (1 + |x|)."""
    return Softsign()(input)


@public("nn.functional")
def tanhshrink(input):
    """x - tanh(x)."""
    return input - m.tanh(input)


@public("nn.functional torch Tensor")
@by_rank
def hardshrink(input, lambd=0.5):
    """x, but 0 where |x| <= lambd."""
    return Hardshrink(float(lambd))(input)


@public("nn.functional")
@by_rank
def softshrink(input, lambd=0.5):
    """x moved towards 0 by lambd."""
    if lambd < 0:
        raise _negative_lambda(input, lambd)
    return Softshrink(float(lambd))(input)


def _negative_lambda(input, lambd):
    if dtype_of(input).kind not in "fV":
        return not_implemented("softshrink_check", input)
    from .types import finfo  # noqa: PLC0415  (only for a mistake)
    most = finfo(dtypes.of(dtype_of(input))).max
    return error("argument-value", RuntimeError(
        f"lambda must be in range [0, {most:g}] for input dtype {type_word(input)}, but found {lambd:g}"),
        what="lambd", value=lambd, must="a number of at least {low}", low=0)


@public("nn.functional torch", inplace=True)
@by_rank
def threshold(input, threshold, value, inplace=False):
    """x if x > threshold, else value."""
    return _apply(Threshold(threshold, value), input, inplace)


@public("nn.functional torch Tensor")
@by_form
def prelu(input, weight):
    """x if x > 0, else weight * x; one weight, or one per channel (dimension 1)."""
    n = weight.shape[0] if len(weight.shape) else 1
    if len(weight.shape) > 1:
        raise error("tensor-dims", RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {len(weight.shape)}"),
            what="weight", shape=weight.shape, need="{n} or {m}", n=0, m=1,
            fix="give one number, or a vector with one number for each channel: weight.flatten().")
    if n != 1:
        if not len(input.shape):
            raise error("tensor-dims", RuntimeError("Not allow zero-dim input tensor."), what="input",
                        shape=input.shape,
                        need="at least {n}", n=1, fix="give one weight, or an input with channels.")
        channels = input.shape[1] if len(input.shape) > 1 else 1
        if channels != n:
            raise error("argument-count", RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and channel size "
                f"= {channels}."), count=n, channels=channels, shape=input.shape,
                why="weight has {count} numbers, and the input of shape {shape} has {channels} channels (its "
                    "dimension 1).", fix="give one number for all channels, or {channels}: nn.PReLU({channels}).")
    if len(input.shape) > 1:
        weight = m.reshape(weight, (1, n, *(1,) * (len(input.shape) - 2)))
    elif len(weight.shape):
        weight = m.reshape(weight, ()) if not len(input.shape) else weight
    return Prelu()(input, weight)


@public("nn.functional torch", inplace=True)
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """leaky_relu with a random slope between `lower` and `upper` in training, their mean otherwise."""
    if not lower <= upper:
        raise error("argument-value", RuntimeError("Lower bound should be less than or equal to the upper bound"),
                    what="lower", value=lower, must="a number of at most {high}", high=upper)
    if not training:
        return _apply(LeakyRelu((lower + upper) / 2), input, inplace)
    slopes = RandomSlopes(float(lower), float(upper))(input)
    y = input * slopes
    return input.copy_(y) if inplace else y


class RandomSlopes(Op):
    """1 for positive elements, a random number for the others, drawn in their order as PyTorch does."""

    low: float
    high: float
    random = True
    samples = [S((2, 3), params=(0.25, 0.25), smooth=False)]

    def forward(self, x):
        below = x <= 0
        slopes = np.ones_like(x)
        slopes[below] = uniform((int(np.count_nonzero(below)),), np.dtype(np.float64), self.low, self.high)
        return slopes
