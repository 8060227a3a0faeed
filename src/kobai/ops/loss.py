"""Losses of nn.functional that PyTorch records as one node: pointwise losses and nll_loss."""
from __future__ import annotations

import math
import warnings

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error, warn
from ..op import Op, apply1, apply2, dtype_of, m
from ..public import public
from ..takes import Only, kind_name
from ..tensor import Tensor, wrap
from ..testing.samples import Ints, S
from .index import batched_index
from .softmax import LogSoftmax

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(reduction, size_average=None, reduce=None):
    """The name of the reduction; the two old arguments still count, as in PyTorch."""
    if size_average is not None or reduce is not None:
        warnings.warn("size_average and reduce args will be deprecated, please use reduction='mean' instead.",
                      UserWarning, stacklevel=4)
        return "none" if reduce is False else "mean" if size_average in (None, True) else "sum"
    if reduction not in REDUCTIONS:
        raise error("reduction-name", name=str(reduction))
    return reduction


def reduced(v, reduction):
    """Values of any kind by the named reduction."""
    return m.mean(v) if reduction == "mean" else m.sum(v) if reduction == "sum" else v


def _total(v):
    """The sum of all elements: np.dot is the quickest for few, np.add.reduce exact for many."""
    return np.add.reduce(v, axis=None)


class PointwiseLoss(Op):
    """f(x, t) of each pair of elements, then their mean or sum. `slope` is df/dx, `slope_t` df/dt."""

    reduction: str
    common = ("x", "t")
    few_passes = False

    def value(self, x, t):
        raise NotImplementedError

    def slope(self, x, t):
        raise NotImplementedError

    def slope_t(self, x, t):
        return -self.slope(x, t)

    def _reduce(self, v):
        if self.reduction == "none":
            return v
        total = _total(v)
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
    samples = _PAIRS
    few_passes = True

    def forward(self, x, t):
        d = x - t
        if self.reduction == "none":
            return d * d
        total = np.dot(d.ravel(), d.ravel()) if d.dtype.kind == "f" else _total(d * d)
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


# ---- negative log likelihood -----------------------------------------------------------------
class PickClass(Op):
    """x[n, t[n], ...]: from scores (n, c, ...) those of the classes t (n, ...)."""

    samples = [S((3, 4), Ints((3,), 4)), S((2, 4, 3), Ints((2, 3), 4))]

    def forward(self, x, t):
        return np.take_along_axis(x, np.expand_dims(t, 1), 1).squeeze(1)

    def vjp_x(self, g, t, x_shape):
        return PutClass(x_shape[1])(g, t)

    def batch(self, size, dims, values):
        y = self(*[m.reshape(v, (size * v.shape[1], *v.shape[2:])) for v in values])
        return m.reshape(y, tuple(values[1].shape))


class PutClass(Op):
    """Zeros (n, c, ...) with x at the classes t: the transpose of PickClass."""

    classes: int
    samples = [S((3,), Ints((3,), 4), params=(4,))]

    def forward(self, x, t):
        y = np.zeros((t.shape[0], self.classes, *t.shape[1:]), x.dtype)
        np.put_along_axis(y, np.expand_dims(t, 1), np.expand_dims(x, 1), 1)
        return y

    def vjp_x(self, g, t):
        return PickClass()(g, t)

    def batch(self, size, dims, values):
        y = self(*[m.reshape(v, (size * v.shape[1], *v.shape[2:])) for v in values])
        return m.reshape(y, (size, values[1].shape[1], *y.shape[1:]))


class ClassWeights(Op):
    """What nll_loss multiplies each picked score by, and targets that can be picked: 0 for those that do not count."""

    reduction: str
    ignore: int
    classes: int
    dtype: np.dtype
    outputs = "many"
    samples = [S(Ints((3,), 4), None, params=("mean", 1, 4, np.dtype("f4")))]

    def forward(self, t, weight):
        bad = (t != self.ignore) & ((t < 0) | (t >= self.classes))
        if bad.any():
            raise error("target-range", target=int(t[bad][0]), classes=self.classes, last=self.classes - 1)
        counted = t != self.ignore
        all_count = bool(counted.all())
        t = t if all_count else np.where(counted, t, 0)
        if weight is None and all_count:
            n = t.size if self.reduction == "mean" else 1
            return np.full(t.shape, -1 / n if n else np.nan, self.dtype), t
        c = np.where(counted, self.dtype.type(1) if weight is None else weight[t], 0).astype(self.dtype)
        if self.reduction == "mean":
            c = np.where(counted, c / c.sum(), 0)  # 0 / 0 only where something counts
        return 0 - c, t  # no -0

    def batch(self, size, dims, values):
        t, weight = values
        if weight is None and _known_to_count(t, self.classes, self.ignore):
            each = math.prod(t.shape[1:]) if self.reduction == "mean" else 1
            return wrap(np.full(t.shape, -1 / each, self.dtype)), t
        counted = m.ne(t, self.ignore)
        t = m.where(counted, t, 0)
        c = m.cast(counted, self.dtype)
        if weight is not None:
            c = c * batched_index((0,), size, weight, [t])
        if self.reduction == "mean":
            c = c / m.sum(c, tuple(range(1, len(c.shape))), keepdim=True)
        return -c, t


class NllLoss(Op):
    """-weight[t] * x[n, t]; the mean is over the weights. Targets equal to ignore_index do not count."""

    reduction: str
    ignore: int
    ties = ("x",)
    samples = [S((3, 4), Ints((3,), 4), None, params=(r, -100)) for r in REDUCTIONS] + [
        S((3, 4), Ints((3,), 4), np.array([0.5, 1, 2, 1.5]), params=("mean", 1))]

    def forward(self, x, t, weight):
        if weight is None and x.ndim == 2 and all_count(t, x.shape[1], self.ignore):
            v = x[_row_numbers(t.size), t] * x.dtype.type(-1 / t.size if self.reduction == "mean" else -1)
            return v if self.reduction == "none" else _total(v)
        c, t = ClassWeights(self.reduction, self.ignore, x.shape[1], x.dtype).forward(t, weight)
        v = np.take_along_axis(x, np.expand_dims(t, 1), 1).squeeze(1) * c
        if self.reduction == "mean" and not c.any():
            return x.dtype.type(np.nan)  # the mean of nothing, though no score has a part in it
        return v if self.reduction == "none" else _total(v)

    def vjp_x(self, g, t, weight, x_shape, x_dtype):
        if isinstance(g, (np.ndarray, np.generic)) and g.dtype is x_dtype and weight is None and len(x_shape) == 2 \
                and t.__class__ is np.ndarray and all_count(t, x_shape[1], self.ignore):
            y = np.zeros(x_shape, x_dtype)
            y[_row_numbers(t.size), t] = g * x_dtype.type(-1 / t.size if self.reduction == "mean" else -1)
            return y
        c, t = ClassWeights(self.reduction, self.ignore, x_shape[1], x_dtype)(t, weight)
        return PutClass(x_shape[1])(g * _like(c, g), t)

    def batch(self, size, batched, values):
        x, t, weight = values
        if weight is not None:
            return NotImplemented
        n = x.shape[1]
        flat = NllLoss("none", self.ignore)(*[m.reshape(v, (size * n, *v.shape[2:])) for v in (x, t)], None)
        v = m.reshape(flat, (size, n, *flat.shape[1:]))
        dims = tuple(range(1, len(v.shape)))
        if self.reduction == "none":
            return v
        if self.reduction == "mean" and _known_to_count(t, x.shape[2], self.ignore):
            return m.mean(v, dims)
        total = m.sum(v, dims)
        return total / m.sum(m.cast(m.ne(t, self.ignore), dtype_of(x)), dims) if self.reduction == "mean" else total


def all_count(t, classes, ignore):
    """Whether an array of targets, not empty, has only numbers of classes, none of which is to be ignored."""
    if t.dtype.char != "l" or not t.size or 0 <= ignore < classes:
        return False
    return bool(np.maximum.reduce(t.view(_U64), None) < classes)  # negative numbers are huge then


def _known_to_count(t, classes, ignore):
    """`all_count` for a tensor, if its numbers can be looked at now."""
    data = getattr(t, "_data", None)
    return modes.trace is None and data.__class__ is np.ndarray and all_count(data, classes, ignore)


_U64 = np.dtype(np.uint64)
_counting = np.arange(0)


def _row_numbers(n):
    """0, 1, ..., n - 1."""
    global _counting
    if len(_counting) < n:
        _counting = np.arange(max(n, 256))
    return _counting[:n]


def _like(c, g):
    return wrap(c) if isinstance(g, Tensor) and isinstance(c, np.ndarray) else c


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
    return SoftMarginLoss(reduction_of(reduction, size_average, reduce))(input, target)


@public("nn.functional")
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(t log(x) + (1 - t) log(1 - x)) for probabilities x between 0 and 1."""
    reduction = reduction_of(reduction, size_average, reduce)
    if tuple(input.shape) != tuple(target.shape):
        raise error("bce-size", a=str(input.shape), b=str(target.shape))
    if dtype_of(input) != dtype_of(target) and dtype_of(input).kind in "fV":
        raise error("bce-dtype", got=kind_name(target.dtype), want=kind_name(input.dtype))
    data = getattr(input, "_data", None)
    if data is not None and data.size and not ((data >= 0) & (data <= 1)).all():
        raise error("bce-range", least=f"{data.min():.4g}", most=f"{data.max():.4g}")
    if weight is not None:
        weight = m.expand_to(weight, tuple(np.broadcast_shapes(tuple(target.shape), tuple(weight.shape))))
    return BinaryCrossEntropy(reduction)(input, target, weight)


@public("nn.functional")
def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean",
                                     pos_weight=None):
    """Binary cross-entropy of sigmoid(input)."""
    if tuple(input.shape) != tuple(target.shape):
        raise error("bce-logits-size", a=str(input.shape), b=str(target.shape))
    if dtype_of(target).kind in "iu" and dtype_of(input).kind in "fV":
        raise error("tensor-dtype", RuntimeError(
            f"result type {kind_name(input.dtype)} can't be cast to the desired output type {kind_name(target.dtype)}"),
            what="target", dtype=dtype_of(target), fn="binary_cross_entropy_with_logits()",
            must="floating point numbers", fix="convert it first: {what}.float().")
    return BinaryCrossEntropyWithLogits(reduction_of(reduction, size_average, reduce))(
        input, target, weight, pos_weight)


def _misfit(scores, target):
    """The error for targets whose shape is not that of the scores without the classes."""
    if len(scores) == 2:
        return error("target-shape", have=target)
    if len(scores) == 4:
        text = f"size mismatch (got input: {scores} , target: {target}" if len(target) == 3 else \
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(target)}"
    else:
        text = f"Expected target size {[scores[0], *scores[2:]]}, got {target}"
    return error("tensor-shape", RuntimeError(text), what="target", shape=tuple(target), want=(scores[0], *scores[2:]),
                 fix="a target holds class numbers: it has the shape of input without dimension 1, the classes.")


@public("nn.functional")
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-weight[t] * input[n, t]: the negative log likelihood of the targets.

    Shape: input (n, c, ...) or (c,), target (n, ...) or ().
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if dtype_of(target) not in (np.int64, np.uint8):
        raise error("target-dtype", got=kind_name(target.dtype), dtype=str(target.dtype))
    single = len(input.shape) == 1
    if single:
        if len(target.shape) == 1 and target.shape[0] != 1:
            raise error("tensor-shape", ValueError(
                f"For 1D input, 1D target must have size 1, but got target size: {target.shape[0]}"), what="target",
                shape=target.shape, want=(1,),
                fix="input holds the scores of one sample: give one class, or the scores of all samples as (batch, "
                    "classes).")
        input, target = m.unsqueeze(input, 0), m.reshape(target, (1,))
    if input.shape[0] != target.shape[0]:
        raise error("target-batch", a=input.shape[0], b=target.shape[0])
    if tuple(input.shape[2:]) != tuple(target.shape[1:]):
        raise _misfit(list(input.shape), list(target.shape))
    if weight is not None and tuple(weight.shape) != (input.shape[1],):
        raise error("tensor-shape", RuntimeError("weight tensor should be defined either for all or no classes"),
                    what="weight", shape=weight.shape, want=(input.shape[1],), n=input.shape[1],
                    fix="give one weight for each of the {n} classes.")
    y = NllLoss(reduction, ignore_index)(input, target, weight)
    return m.reshape(y, ()) if single and reduction == "none" else y


@public("nn.functional")
def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
                  label_smoothing=0.0):
    """Cross-entropy of softmax(input) with class numbers or class probabilities as the target.

    Shape: input (n, c, ...) or (c,); target (n, ...) class numbers, or probabilities like input.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if weight is None and not label_smoothing and _plain_pair(input, target):
        return NllLoss(reduction, ignore_index)(apply1(_LOG_ROWS, input), target, None)
    dim = 1 if len(input.shape) > 1 else 0
    if not 0.0 <= label_smoothing <= 1.0:
        raise error("argument-value", RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"), what="label_smoothing",
            value=label_smoothing, must="a number between {low} and {high}", low=0, high=1)
    logp = m.log_softmax(input, dim)
    if tuple(target.shape) == tuple(input.shape) and dtype_of(target).kind in "fV":
        return _with_probabilities(logp, target, weight, reduction, label_smoothing, dim)
    y = nll_loss(logp, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return y
    return _smoothed(y, logp, target, weight, ignore_index, reduction, label_smoothing, dim)


def _plain_pair(input, target):
    """Whether these are plain tensors (n, c) of scores and (n,) of targets: nothing to complain about."""
    try:
        x, t = input._data, target._data
        return x.ndim == 2 and t.ndim == 1 and len(x) == len(t) and x.dtype.char in "fd" and t.dtype.char == "l"
    except AttributeError:
        return False


_LOG_ROWS = LogSoftmax(1)


def _with_probabilities(logp, target, weight, reduction, smoothing, dim):
    c = logp.shape[dim]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / c
    if weight is not None:
        target = target * m.reshape(weight, (*(1,) * dim, c, *(1,) * (len(logp.shape) - dim - 1)))
    v = -m.sum(logp * target, dim)
    if reduction == "mean":
        return m.sum(v) / (math.prod(logp.shape) // c if c else 1)
    return reduced(v, reduction)


def _smoothed(y, logp, target, weight, ignore_index, reduction, smoothing, dim):
    """(1 - s) * nll + s / c * the sum of all classes' (Szegedy et al. 2016)."""
    c = logp.shape[dim]
    if weight is None:
        uniform = -m.sum(logp, dim)
    else:
        uniform = -m.sum(logp * m.reshape(weight, (*(1,) * dim, c, *(1,) * (len(logp.shape) - dim - 1))), dim)
    counted = m.ne(target, ignore_index)
    uniform = m.where(counted, uniform, m.zeros_like(uniform))
    if reduction == "mean":
        if weight is None:
            total = m.sum(m.cast(counted, dtype_of(logp)))
        else:
            safe = m.where(counted, target, m.zeros_like(target))
            w = m.reshape(m.index_select(weight, 0, m.reshape(safe, (-1,))), tuple(target.shape))
            total = m.sum(m.where(counted, w, m.zeros_like(w)))
        uniform = m.sum(uniform) / total
    else:
        uniform = reduced(uniform, reduction)
    return y * (1 - smoothing) + uniform * (smoothing / c)
