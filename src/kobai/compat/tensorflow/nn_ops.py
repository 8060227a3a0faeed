"""`tf.nn`: activations and losses of networks."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .arithmetic import unary
from .errors import invalid, not_allowed
from .indexing import positions
from .names import export
from .random_ops import uniform
from .reductions import _axes
from .rules import SoftmaxCrossEntropy
from .shapes import sizes_of
from .tensors import box
from .values import axis_of, same_dtype, value_of

_REAL = ("half", "bfloat16", "float", "double")
relu = unary(lambda t: m.relu(t), "Relu", "The larger of x and 0.", "nn.relu", kinds="fViu")
relu6 = unary(lambda t: m.relu6(t), "Relu6", "x kept between 0 and 6.", "nn.relu6", kinds="fViu")
elu = unary(lambda t: m.elu(t), "Elu", "x, or e ** x - 1 below 0.", "nn.elu", kinds="fV")
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., 2017


def _selu(t):
    """Its slope at 0 is that of the positive side, as in TensorFlow."""
    below = m.expm1(m.clamp_max(t, 0)) * (_ALPHA * _SCALE)
    return m.where(m.lt(t, 0), below, t * _SCALE)


selu = unary(_selu, "Selu", "The scaled elu that keeps mean and variance.", "nn.selu", kinds="fV")
softplus = unary(lambda t: m.softplus(t, 1.0, 30.0), "Softplus", "log(1 + e ** x).", "nn.softplus",
                 "math.softplus", kinds="fV")
softsign = unary(lambda t: m.softsign(t), "Softsign", "x / (1 + |x|).", "nn.softsign", "math.softsign", kinds="fV")


@export("nn.silu", "nn.swish")
def silu(features, beta=1.0):
    """x * sigmoid(beta * x)."""
    t = value_of(features)
    return box(m.silu(t) if isinstance(beta, (int, float)) and beta == 1 else t * m.sigmoid(t * value_of(beta)))


@export("nn.leaky_relu")
def leaky_relu(features, alpha=0.2, name=None):
    """x, or alpha * x below 0."""
    t = value_of(features)
    if t._value.dtype.kind in "iu":
        t = m.cast(t, np.dtype(np.float32))
    return box(m.leaky_relu(t, float(value_of(alpha)._value)))


@export("nn.gelu")
def gelu(features, approximate=False, name=None):
    """x times the probability that a standard normal number is below x."""
    return box(m.gelu(value_of(features), "tanh" if approximate else "none"))


@export("nn.crelu")
def crelu(features, axis=-1, name=None):
    """relu(x) and relu(-x), one after the other."""
    t = value_of(features)
    return box(m.relu(m.cat([t, -t], axis)))


def _float(x, op, argument="logits"):
    t = value_of(x)
    if t._value.dtype.kind not in "fV":
        raise not_allowed(op, argument, dtypes.of(t._value.dtype), _REAL)
    return t


@export("nn.softmax", "math.softmax")
def softmax(logits, axis=-1, name=None):
    """e ** x divided by its sum along a dimension.

    >>> print(softmax([0., 0.]))
    tf.Tensor([0.5 0.5], shape=(2,), dtype=float32)
    """
    t = _float(logits, "Softmax")
    return box(m.softmax(t, axis_of(-1 if axis is None else axis, t.ndim, "Softmax")))


@export("nn.log_softmax", "math.log_softmax")
def log_softmax(logits, axis=-1, name=None):
    """log(softmax(x)), without overflow."""
    t = _float(logits, "LogSoftmax")
    return box(m.log_softmax(t, axis_of(-1 if axis is None else axis, t.ndim, "LogSoftmax")))


# ---- losses ----------------------------------------------------------------------------------
def _same_shape(op, labels, logits):
    a, b = same_dtype(op, labels, logits)
    if a._value.shape != b._value.shape:
        raise error("shapes-differ",
                    ValueError(f"`logits` and `labels` must have the same shape, received ({tuple(b._value.shape)} vs "
                               f"{tuple(a._value.shape)})."),
                    what="logits", shape=tuple(b._value.shape), other="labels", other_shape=tuple(a._value.shape),
                    must="both must have the same shape")
    return a, b


@export("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """-labels * log(sigmoid(x)) - (1 - labels) * log(1 - sigmoid(x)), without overflow."""
    z, x = _same_shape("Mul", *_logits_first(labels, logits))
    zero = m.zeros_like(x)
    above = m.ge(x, zero)
    size = m.where(above, -x, x)
    return box(m.where(above, x, zero) - x * z + m.log1p(m.exp(size)))


def _logits_first(labels, logits):
    """Labels may be numbers or arrays of another dtype than the logits."""
    x = value_of(logits)
    return box(value_of(labels, hint=dtypes.of(x._value.dtype))), box(x)


@export("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None):
    """The cross entropy with sigmoids, in which positive labels count `pos_weight` times."""
    z, x = _same_shape("Mul", *_logits_first(labels, logits))
    w = value_of(pos_weight, hint=dtypes.of(x._value.dtype))
    weight = 1 + (w - 1) * z
    return box((1 - z) * x + weight * (m.log1p(m.exp(-m.abs(x))) + m.relu(-x)))


@export("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None):
    """-sum(labels * log_softmax(logits)) along a dimension."""
    x = value_of(logits)
    z = value_of(labels, hint=dtypes.of(x._value.dtype))
    if z._value.dtype != x._value.dtype:
        z = m.cast(z, x._value.dtype)
    x, z = [m.movedim(t, axis, -1) if axis not in (-1, t.ndim - 1) else t for t in (x, z)]
    try:
        shape = np.broadcast_shapes(x._value.shape, z._value.shape)
    except ValueError:
        raise error("shapes-differ",
                    invalid("SoftmaxCrossEntropyWithLogits", "logits and labels must be broadcastable: logits_size="
                            f"{_listed(x._value.shape)} labels_size={_listed(z._value.shape)}"),
                    what="logits", shape=tuple(x._value.shape), other="labels", other_shape=tuple(z._value.shape),
                    must="both must have the same shape",
                    fix="labels are one-hot here; for numbers of classes: "
                        "tf.nn.sparse_softmax_cross_entropy_with_logits.") from None
    return box(SoftmaxCrossEntropy()(m.expand_to(x, shape), m.expand_to(z, shape)))


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def _unlike(labels, logits):
    if len(labels) != len(logits) - 1:
        return ("`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: "
                f"labels.shape={labels} of rank {len(labels)} and logits.shape={logits} of rank {len(logits)}")
    return ("`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
            f"labels.shape={labels} and logits.shape={logits}")


@export("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    """-log_softmax(logits) at the class that each label names."""
    x, c = _float(logits, "SparseSoftmaxCrossEntropyWithLogits", "features"), np.asarray(value_of(labels)._value)
    if c.dtype.kind not in "iu":
        raise error("tensor-dtype", invalid("SparseSoftmaxCrossEntropyWithLogits", "labels must be integers"),
                    what="labels", dtype=dtypes.of(c.dtype).name, fn="sparse_softmax_cross_entropy_with_logits",
                    must="whole numbers", fix="tf.cast(labels, tf.int32)")
    if not x.ndim:
        raise error("tensor-dims", ValueError("`logits` cannot be a scalar. Received logits of shape ()."),
                    what="logits", shape=(), need="at least {n}", n=1,
                    fix="logits are [batch, classes]: one number for each class.")
    if c.shape != tuple(x._value.shape[:-1]):
        raise error("shapes-differ",
                    ValueError(_unlike(c.shape, tuple(x._value.shape))),
                    what="labels", shape=tuple(c.shape), other="logits", other_shape=tuple(x._value.shape),
                    must="labels must have the shape of logits without the last dimension",
                    fix="labels are numbers of classes here; for one-hot labels use "
                        "tf.nn.softmax_cross_entropy_with_logits.")
    n = x._value.shape[-1]
    if c.size and not (0 <= c.min() and c.max() < n):
        bad = c.reshape(-1)[(c.reshape(-1) < 0) | (c.reshape(-1) >= n)][0]
        raise error("data-range", invalid(
            "SparseSoftmaxCrossEntropyWithLogits", f"Received a label value of {bad} which is outside the "
            f"valid range of [0, {n}).  Label values: {' '.join(map(str, c.reshape(-1)))}"),
            what="labels", value=int(bad), must="a whole number between {low} and {high}", low=0, high=n - 1,
            fix="classes count from 0 on: does the last layer have one output for each class?")
    i = wrap(positions(box(wrap(c)), n)[..., None])
    return box(-m.squeeze(m.gather(m.log_softmax(x, -1), -1, i), -1))


@export("nn.l2_loss")
def l2_loss(t, name=None):
    """Half the sum of squares."""
    t = value_of(t)
    return box(m.sum(t * t) / 2)


@export("nn.log_poisson_loss")
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(x) - x * targets; with `compute_full_loss`, Stirling's approximation of log(targets!) too."""
    x = value_of(log_input)
    z = value_of(targets, hint=dtypes.of(x._value.dtype))
    y = m.exp(x) - x * z
    if compute_full_loss:
        stirling = z * m.log(z) - z + 0.5 * m.log(2 * np.pi * z)
        inside = m.logical_and(m.ge(z, 0), m.le(z, 1))
        y = y + m.where(inside, m.zeros_like(z), stirling)
    return box(y)


@export("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss):
    """The loss: there is one replica."""
    return regularization_loss


@export("nn.compute_average_loss")
def compute_average_loss(per_example_loss, sample_weight=None, global_batch_size=None):
    """The sum of the losses divided by the size of the batch."""
    t = value_of(per_example_loss)
    n = (t._value.shape[0] if t.ndim else 1) if global_batch_size is None else float(global_batch_size)
    if sample_weight is not None:
        t = t * value_of(sample_weight, hint=dtypes.of(t._value.dtype))
    return box(m.sum(t) / float(n))


# ---- noise and normalisation -----------------------------------------------------------------
@export("nn.dropout")
def dropout(x, rate, noise_shape=None, seed=None, name=None):
    """Elements set to 0 with probability `rate`; the others divided by 1 - rate."""
    t = value_of(x)
    if t._value.dtype.kind not in "fV":
        raise error("tensor-dtype",
                    ValueError("x has to be a floating point tensor since it's going to be scaled. Got a "
                               f"{dtypes.of(t._value.dtype)} tensor instead."),
                    what="x", dtype=dtypes.of(t._value.dtype).name, fn="dropout", must="floating point numbers",
                    fix="tf.cast(x, tf.float32)")
    p = float(np.asarray(value_of(rate)._value))
    if not 0 <= p < 1:
        raise error("argument-value",
                    ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={p:g}"),
                    what="rate", value=p, must="a number of at least {low} and below {high}", low=0, high=1)
    if p == 0:
        return box(t)
    shape = t._value.shape if noise_shape is None else [
        n if k is None else k for k, n in zip(sizes_of_some(noise_shape), t._value.shape)]
    noise = np.asarray(uniform(shape, dtype=dtypes.of(t._value.dtype), seed=seed)._t._value)
    keep = wrap(noise >= noise.dtype.type(p))
    scaled = t * (1.0 / (1.0 - p))
    return box(m.where(keep, scaled, m.zeros_like(scaled)))


def sizes_of_some(shape):
    """A shape in which None stands for sizes to be found out."""
    return list(shape) if isinstance(shape, (list, tuple)) else sizes_of(shape)


@export("nn.moments")
def moments(x, axes, shift=None, keepdims=False, name=None):
    """The mean and the variance over dimensions."""
    t = value_of(x)
    axes = _axes(axes, t.ndim, "Mean")
    mean = m.mean(t, axes, True)
    away = t - mean.detach()  # as TensorFlow computes it; the gradient is the same
    variance = m.mean(away * away, axes, True)
    if not keepdims:
        shape = tuple([n for i, n in enumerate(t._value.shape) if i not in axes])
        mean, variance = m.reshape(mean, shape), m.reshape(variance, shape)
    return box(mean), box(variance)


@export("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean) / sqrt(variance + epsilon) * scale + offset; scale and offset may be None."""
    t = value_of(x)
    d = dtypes.of(t._value.dtype)
    mean, variance, offset, scale = [None if v is None else value_of(v, hint=d)
                                     for v in (mean, variance, offset, scale)]
    factor = m.rsqrt(variance + float(variance_epsilon))
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return box(t * factor + shift)
