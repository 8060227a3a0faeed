"""Losses of nn.functional that compare element by element, each one node as in PyTorch."""
from __future__ import annotations

import math
import warnings

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error, user_level, warn
from ..dtypes import type_word
from ..op import Op, apply2, dtype_of, m
from ..public import by_form, public
from ..takes import Only
from ..testing.samples import S
from .labels import gradients_by

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(reduction, size_average=None, reduce=None):
    """The name of the reduction; the two old arguments still count, as in PyTorch."""
    if size_average is not None or reduce is not None:
        warnings.warn("size_average and reduce args will be deprecated, please use reduction='mean' instead.",
                      UserWarning, stacklevel=user_level())
        return "none" if reduce is False else "mean" if size_average in (None, True) else "sum"
    if reduction not in REDUCTIONS:
        raise error("reduction-name", name=str(reduction))
    return reduction


def reduced(v, reduction):
    """Values of any kind by the named reduction."""
    return m.mean(v) if reduction == "mean" else m.sum(v) if reduction == "sum" else v


def sum_of(v):
    """The sum of all elements: np.dot is the quickest for few, np.add.reduce exact for many."""
    return np.add.reduce(v, axis=None)


class PointwiseLoss(Op):
    """f(x, t) of each pair of elements, then their mean or sum. `slope` is df/dx, `slope_t` df/dt."""

    reduction: str
    common = ("x", "t")

    def value(self, x, t):
        raise NotImplementedError

    def slope(self, x, t):
        raise NotImplementedError

    def slope_t(self, x, t):
        return -self.slope(x, t)

    def _reduce(self, v):
        if self.reduction == "none":
            return v
        total = sum_of(v)
        return total / v.dtype.type(v.size) if self.reduction == "mean" else total

    def _share(self, g, shape):
        return g / (math.prod(shape) or 1) if self.reduction == "mean" else g

    def code(self, k, x, t):
        """`value` in scalar code."""
        raise NotImplementedError

    def emit(self, k, x, t):
        return self._reduce_code(k, self.code(k, x, t))

    def _reduce_code(self, k, v):
        if self.reduction == "none":
            return v
        total = k.sum(v)
        return total / k.cast(k.size(), v.dtype) if self.reduction == "mean" else total

    def batch(self, size, batched, values):
        v = type(self)("none", *[getattr(self, n) for n in self.fields[1:]])(*values)
        dims = tuple(range(1, len(v.shape)))
        return v if self.reduction == "none" else getattr(m, self.reduction)(v, dims) if dims else v


class _OfDifference(PointwiseLoss):
    """A loss of x - t."""

    def forward(self, x, t):
        return self._reduce(self.value(x, t))

    def vjp_x(self, g, x, t, x_shape):
        return self._share(g, x_shape) * self.slope(x, t)

    def vjp_t(self, g, x, t, x_shape):
        return self._share(g, x_shape) * self.slope_t(x, t)


_PAIRS = [S((2, 3), (2, 3), params=(r,)) for r in REDUCTIONS] + [S((), (), params=("mean",))]


class MseLoss(_OfDifference):
    """(x - t) ** 2."""

    takes = Only("fV", "mse_cpu")
    gradient_shown = gradients_by(x="MseLossBackwardBackward0(g, x, t)", t="MseLossBackwardBackward0(g, t, x)")
    samples = _PAIRS
    few_passes = True

    def forward(self, x, t):
        d = x - t
        if self.reduction == "none":
            return d * d
        total = np.dot(d.ravel(), d.ravel()) if d.dtype.kind == "f" else sum_of(d * d)
        return total / d.dtype.type(d.size) if self.reduction == "mean" else total

    def value(self, x, t):
        d = x - t
        return d * d

    def code(self, k, x, t):
        return self.value(x, t)

    def vjp_x(self, g, x, t, x_shape):
        return (x - t) * (self._share(g, x_shape) * 2)

    def vjp_t(self, g, x, t, x_shape):
        return (t - x) * (self._share(g, x_shape) * 2)


class SmoothL1Loss(_OfDifference):
    """d * d / (2 beta) for |d| < beta, else |d| - beta / 2."""

    takes = Only("fV", "smooth_l1_cpu")
    beta: float
    gradient_shown = gradients_by(x="SmoothL1LossBackwardBackward0(g, x, t)",
                                  t="SmoothL1LossBackwardBackward0(g, t, x)")
    samples = [S((2, 3), (2, 3), params=(r, 0.7)) for r in REDUCTIONS]

    def value(self, x, t):
        d = np.abs(x - t)
        return np.where(d < self.beta, d * d * x.dtype.type(0.5 / self.beta), d - x.dtype.type(self.beta / 2))

    def code(self, k, x, t):
        d = k.abs(x - t)
        return k.where(d < self.beta, d * d * (0.5 / self.beta), d - self.beta / 2)

    def slope(self, x, t):
        d = x - t
        return m.clamp(d * (1 / self.beta), -1, 1)


class HuberLoss(_OfDifference):
    """d * d / 2 for |d| < delta, else delta * (|d| - delta / 2) (Huber 1964)."""

    takes = Only("fV", "huber_cpu")
    delta: float
    gradient_shown = gradients_by(x="HuberLossBackwardBackward0(g, x, t)", t="HuberLossBackwardBackward0(g, t, x)")
    samples = [S((2, 3), (2, 3), params=(r, 0.7)) for r in REDUCTIONS]

    def value(self, x, t):
        d, delta = np.abs(x - t), x.dtype.type(self.delta)
        return np.where(d < delta, d * d * x.dtype.type(0.5), delta * (d - delta / 2))

    def code(self, k, x, t):
        d = k.abs(x - t)
        return k.where(d < self.delta, d * d * 0.5, (d - self.delta / 2) * self.delta)

    def slope(self, x, t):
        return m.clamp(x - t, -self.delta, self.delta)


class SoftMarginLoss(_OfDifference):
    """log(1 + exp(-t * x)), t = +1 or -1."""

    samples = _PAIRS

    def value(self, x, t):
        return np.logaddexp(-t * x, x.dtype.type(0))

    def code(self, k, x, t):
        return k.softplus(-t * x)

    def slope(self, x, t):
        return -t * m.sigmoid(-t * x)

    def slope_t(self, x, t):
        return -x * m.sigmoid(-t * x)


class _Weighted(PointwiseLoss):
    """A pointwise loss whose values have weights (or None)."""

    common = ("x", "t", "weight")

    def forward(self, x, t, weight):
        v = self.value(x, t)
        return self._reduce(v if weight is None else v * weight)

    def emit(self, k, x, t, weight):
        v = self.code(k, x, t)
        return self._reduce_code(k, v if weight is None else v * weight)

    def vjp_x(self, g, x, t, weight, x_shape):
        d = self._share(g, x_shape) * self.slope(x, t)
        return d if weight is None else d * weight

    def vjp_t(self, g, x, t, weight, x_shape):
        d = self._share(g, x_shape) * self.slope_t(x, t)
        return m.sum_to(d if weight is None else d * weight, tuple(x_shape))


class BinaryCrossEntropy(_Weighted):
    """-(t log(x) + (1 - t) log(1 - x)), the logarithms kept above -100."""

    takes = Only("fV", "binary_cross_entropy")
    samples = [S((2, 3), (2, 3), None, params=(r,), low=0.2, high=0.8) for r in REDUCTIONS] + [
        S((2, 3), (2, 3), (2, 3), params=("mean",), low=0.2, high=0.8)]

    def value(self, x, t):
        return (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100)

    def code(self, k, x, t):
        return (t - 1) * k.maximum(k.log1p(-x), -100.0) - t * k.maximum(k.log(x), -100.0)

    def slope(self, x, t):
        return (x - t) / m.clamp((1 - x) * x, 1e-12)

    def slope_t(self, x, t):
        return m.clamp(m.log1p(-x), -100) - m.clamp(m.log(x), -100)


class BinaryCrossEntropyWithLogits(PointwiseLoss):
    """Binary cross-entropy of sigmoid(x), without overflow; `pos_weight` weighs the positive class."""

    takes = Only("fV", "log_sigmoid_cpu")
    common = ("x", "t", "weight", "pos_weight")
    samples = [S((2, 3), (2, 3), None, None, params=(r,)) for r in REDUCTIONS] + [
        S((2, 3), (2, 3), (2, 3), (3,), params=("mean",), low=0.2, high=0.8)]

    def forward(self, x, t, weight, pos_weight):
        soft = np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0)  # softplus(-x)
        v = (1 - t) * x + soft if pos_weight is None else (1 - t) * x + ((pos_weight - 1) * t + 1) * soft
        return self._reduce(v if weight is None else v * weight)

    def emit(self, k, x, t, weight, pos_weight):
        soft = k.log1p(k.exp(-k.abs(x))) + k.maximum(-x, 0.0)
        v = (1 - t) * x + (soft if pos_weight is None else ((pos_weight - 1) * t + 1) * soft)
        return self._reduce_code(k, v if weight is None else v * weight)

    def vjp_x(self, g, x, t, weight, pos_weight, x_shape):
        if pos_weight is None:
            d = m.sigmoid(x) - t
        else:
            w = (pos_weight - 1) * t + 1
            d = (1 - t) - w * m.sigmoid(-x)
        d = self._share(g, x_shape) * d
        return d if weight is None else d * weight

    def vjp_t(self, g, x, t, weight, pos_weight, x_shape):
        d = -x
        if pos_weight is not None:
            d = d + (pos_weight - 1) * (-m.logsigmoid(x))
        d = self._share(g, x_shape) * d
        return d if weight is None else d * weight

    def batch(self, size, batched, values):
        ndim = len(values[0].shape)  # weights of fewer dimensions broadcast behind the batch
        aligned = [w if w is None else m.reshape(w, (size, *(1,) * (ndim - len(w.shape)), *w.shape[1:]))
                   for w in values]
        v = BinaryCrossEntropyWithLogits("none")(*aligned)
        dims = tuple(range(1, len(v.shape)))
        return v if self.reduction == "none" or not dims else getattr(m, self.reduction)(v, dims)


# ---- the public functions --------------------------------------------------------------------
def same_shape(input, target, name):
    """Both broadcast to one shape, with PyTorch's warning when they differ."""
    if getattr(input, "_data", input).shape == getattr(target, "_data", target).shape:
        return input, target
    warn("loss-broadcast", a=str(input.shape), b=str(target.shape))
    try:
        shape = tuple(np.broadcast_shapes(tuple(input.shape), tuple(target.shape)))
    except ValueError:
        raise error("shape-broadcast", shapes=[tuple(input.shape), tuple(target.shape)]) from None
    return m.expand_to(input, shape), m.expand_to(target, shape)


@public("nn.functional")
@by_form
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The mean (or sum) of (input - target) ** 2."""
    reduction = reduction_of(reduction, size_average, reduce)
    input, target = same_shape(input, target, "mse_loss")
    if weight is not None:
        v = MseLoss("none")(input, target) * weight
        return m.sum(v) / m.sum(weight) if reduction == "mean" else reduced(v, reduction)
    return apply2(_MSE[reduction], input, target)


_MSE = {r: MseLoss(r) for r in REDUCTIONS}


@public("nn.functional")
@by_form
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The mean (or sum) of |input - target|."""
    reduction = reduction_of(reduction, size_average, reduce)
    input, target = same_shape(input, target, "l1_loss")
    v = m.abs(input - target)
    if weight is not None:
        v = v * weight
        return m.sum(v) / m.sum(weight) if reduction == "mean" else reduced(v, reduction)
    return reduced(v, reduction)


@public("nn.functional")
@by_form
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squared near 0, absolute beyond beta (Girshick 2015)."""
    reduction = reduction_of(reduction, size_average, reduce)
    if beta < 0:
        raise error("argument-value", RuntimeError("smooth_l1_loss does not support negative values for beta."),
                    what="beta", value=beta, must="a number of at least {low}", low=0)
    input, target = same_shape(input, target, "smooth_l1_loss")
    if beta == 0:
        return reduced(m.abs(input - target), reduction)
    return SmoothL1Loss(reduction, float(beta))(input, target)


@public("nn.functional")
@by_form
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squared near 0, linear beyond delta (Huber 1964)."""
    if delta <= 0:
        raise error("argument-value", RuntimeError("huber_loss does not support non-positive values for delta."),
                    what="delta", value=delta, must="a positive number")
    input, target = same_shape(input, target, "huber_loss")
    if weight is not None:
        v = HuberLoss("none", float(delta))(input, target) * weight
        return m.sum(v) / m.sum(weight) if reduction == "mean" else reduced(v, reduction)
    return HuberLoss(reduction_of(reduction), float(delta))(input, target)


@public("nn.functional")
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The mean (or sum) of log(1 + exp(-target * input))."""
    shapes = tuple(input.shape), tuple(target.shape)
    if shapes[0] != shapes[1]:
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            raise error("shape-broadcast", shapes=list(shapes)) from None
        input, target = m.expand_to(input, shape), m.expand_to(target, shape)
    return SoftMarginLoss(reduction_of(reduction, size_average, reduce))(input, target)


def _in_range(input) -> bool:
    """Whether all elements are between 0 and 1, as far as that can be known; a recorded program asks on each run."""
    data = getattr(input, "_data", None)
    if data is None or not data.size:
        return True
    if modes.trace is not None:
        return modes.trace.ensure(m.all(m.logical_and(m.ge(input, 0), m.le(input, 1))))
    return bool(((data >= 0) & (data <= 1)).all())


@public("nn.functional")
@by_form
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(t log(x) + (1 - t) log(1 - x)) for probabilities x between 0 and 1."""
    reduction = reduction_of(reduction, size_average, reduce)
    if tuple(input.shape) != tuple(target.shape):
        raise error("bce-size", a=str(input.shape), b=str(target.shape))
    if dtype_of(input) != dtype_of(target) and dtype_of(input).kind in "fV":
        raise error("bce-dtype", got=type_word(target.dtype), want=type_word(input.dtype))
    if not _in_range(input):
        data = input._data
        raise error("bce-range", least=f"{data.min():.4g}", most=f"{data.max():.4g}")
    if weight is not None:
        weight = m.expand_to(weight, tuple(np.broadcast_shapes(tuple(target.shape), tuple(weight.shape))))
    return BinaryCrossEntropy(reduction)(input, target, weight)


@public("nn.functional")
@by_form
def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean",
                                     pos_weight=None):
    """Binary cross-entropy of sigmoid(input)."""
    if tuple(input.shape) != tuple(target.shape):
        raise error("bce-logits-size", a=str(input.shape), b=str(target.shape))
    if dtype_of(target).kind in "iu" and dtype_of(input).kind in "fV":
        raise error("tensor-dtype", RuntimeError(
            f"result type {type_word(input.dtype)} can't be cast to the desired output type {type_word(target.dtype)}"),
            what="target", dtype=dtype_of(target), fn="binary_cross_entropy_with_logits()",
            must="floating point numbers", fix="convert it first: {what}.float().")
    return BinaryCrossEntropyWithLogits(reduction_of(reduction, size_average, reduce))(
        input, target, weight, pos_weight)
