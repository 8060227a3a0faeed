"""Functions of the outputs of a layer, by name: `activation="relu"`."""
from __future__ import annotations

import numpy as np

from ....diagnose import error
from ....op import m
from .. import nn_ops
from ..tensors import box
from ..values import value_of
from .registry import make_get
from .symbolic import works_on_symbols


def _float(x):
    """The kobai Tensor of x; what is neither float nor complex becomes float32."""
    t = value_of(x)
    return t if t._value.dtype.kind in "fcV" else m.cast(t, np.dtype(np.float32))


def _activation(fn, doc, name):
    def call(x):
        return box(fn(_float(x)))
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return works_on_symbols(call)


@works_on_symbols
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """The larger of x and 0; with a slope below, a limit above, or another threshold."""
    t = _float(x)
    if not (negative_slope or threshold or max_value is not None):
        return box(m.relu(t))
    below = negative_slope * (t - threshold) if negative_slope else m.zeros_like(t)
    y = m.where(m.gt(t, threshold) if threshold else m.ge(t, 0), t, below)
    return box(y if max_value is None else m.clamp_max(y, max_value))


@works_on_symbols
def leaky_relu(x, negative_slope=0.2):
    """x, or negative_slope * x below 0."""
    return box(m.leaky_relu(_float(x), negative_slope))


@works_on_symbols
def elu(x, alpha=1.0):
    """x, or alpha * (e ** x - 1) below 0."""
    return box(m.elu(_float(x), alpha))


@works_on_symbols
def celu(x, alpha=1.0):
    """x, or alpha * (e ** (x / alpha) - 1) below 0."""
    return box(m.celu(_float(x), alpha))


@works_on_symbols
def gelu(x, approximate=False):
    """x times the probability that a standard normal number is below x."""
    return nn_ops.gelu(box(_float(x)), approximate)


@works_on_symbols
def softmax(x, axis=-1):
    """e ** x divided by its sum along a dimension."""
    t = _float(x)
    if t.ndim == 1 and axis == -1:
        raise error("tensor-dims", ValueError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}"),
                    what="x", shape=tuple(t.shape), need="at least {n}", n=2,
                    fix="give the batch a dimension of its own: x[tf.newaxis, :].")
    return _with_logits(m.softmax(t, axis), t)


def _with_logits(y, logits):
    """An output that remembers what it was made of: losses are computed from that, without overflow."""
    out = box(y)
    out._keras_logits = box(logits)
    return out


@works_on_symbols
def sigmoid(x):
    """1 / (1 + e ** -x)."""
    t = _float(x)
    return _with_logits(m.sigmoid(t), t)


@works_on_symbols
def log_softmax(x, axis=-1):
    """log(softmax(x))."""
    return box(m.log_softmax(_float(x), axis))


@works_on_symbols
def threshold(x, threshold, default_value):
    """x above the threshold, else `default_value`."""
    return box(m.threshold(_float(x), threshold, default_value))


@works_on_symbols
def glu(x, axis=-1):
    """One half of x times the sigmoid of the other."""
    return box(m.glu(_float(x), axis))


@works_on_symbols
def hard_shrink(x, threshold=0.5):
    """x, or 0 where its size is at most the threshold."""
    return box(m.hardshrink(_float(x), threshold))


@works_on_symbols
def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by the threshold."""
    return box(m.softshrink(_float(x), threshold))


def _squareplus(t):
    return (t + m.sqrt(t * t + 4.0)) / 2.0


relu6 = _activation(lambda t: m.relu6(t), "x kept between 0 and 6.", "relu6")
selu = _activation(lambda t: nn_ops.selu(box(t))._t, "The scaled elu that keeps mean and variance.", "selu")
softplus = _activation(lambda t: m.softplus(t, 1.0, 30.0), "log(1 + e ** x).", "softplus")
softsign = _activation(lambda t: m.softsign(t), "x / (1 + |x|).", "softsign")
silu = _activation(lambda t: m.silu(t), "x * sigmoid(x).", "silu")
mish = _activation(lambda t: m.mish(t), "x * tanh(softplus(x)).", "mish")
tanh = _activation(lambda t: m.tanh(t), "The hyperbolic tangent.", "tanh")
exponential = _activation(lambda t: m.exp(t), "e ** x.", "exponential")
hard_sigmoid = _activation(lambda t: m.relu6(t + 3.0) / 6.0, "x / 6 + 1/2, kept between 0 and 1.", "hard_sigmoid")
hard_silu = _activation(lambda t: t * (m.relu6(t + 3.0) / 6.0), "x * hard_sigmoid(x).", "hard_silu")
hard_tanh = _activation(lambda t: m.clamp(t, -1.0, 1.0), "x kept between -1 and 1.", "hard_tanh")
tanh_shrink = _activation(lambda t: t - m.tanh(t), "x - tanh(x).", "tanh_shrink")
log_sigmoid = _activation(lambda t: m.logsigmoid(t), "log(sigmoid(x)).", "log_sigmoid")
squareplus = _activation(_squareplus, "(x + sqrt(x ** 2 + 4)) / 2.", "squareplus")
swish, hard_swish = silu, hard_silu


def linear(x):
    """x as it is."""
    return x


_NAMES = {f.__name__: f for f in (
    relu, leaky_relu, elu, celu, gelu, softmax, log_softmax, threshold, glu, hard_shrink, soft_shrink, relu6, selu,
    softplus, softsign, silu, mish, tanh, sigmoid, exponential, hard_sigmoid, hard_silu, hard_tanh, tanh_shrink,
    log_sigmoid, squareplus, linear)} | {"swish": silu, "hard_swish": hard_silu}
get = make_get("activation function", _NAMES.get, default=linear)


def serialize(activation):
    """The name of an activation."""
    return activation.__name__


def deserialize(config, custom_objects=None):
    """The activation of a name."""
    return (custom_objects or {}).get(config) or get(config)
