"""Losses: functions of the wished and the computed outputs, one number for each sample; and objects that average them."""
from __future__ import annotations

import math

import numpy as np

from ....diagnose import error
from ....op import m
from ....tensor import wrap
from .. import dtypes, nn_ops
from ..errors import invalid
from ..tensors import box
from ..values import convert_to_tensor, value_of
from . import naming
from .registry import make_get
from .settings import epsilon, floatx


# ---- shapes and types ------------------------------------------------------------------------
def pair(y_true, y_pred, stretched=True):
    """Both as kobai Tensors of the dtype of `y_pred`, and of one rank; `stretched`: with shapes that go together."""
    p = value_of(y_pred)
    if p._value.dtype.kind not in "fcV":
        p = m.cast(p, np.dtype(floatx()))
    t = value_of(y_true, hint=dtypes.of(p._value.dtype))
    if t._value.dtype != p._value.dtype:
        t = m.cast(t, p._value.dtype)
    t, p = same_rank(t, p)
    a, b = t._value.shape, p._value.shape
    if stretched and any(x != y and x != 1 and y != 1 for x, y in zip(reversed(a), reversed(b))):
        raise error("shapes-differ", invalid("Sub", f"Incompatible shapes: {_listed(a)} vs. {_listed(b)}"),
                    what="y_true", shape=tuple(a), other="y_pred", other_shape=tuple(b),
                    must="both must have the same shape",
                    fix="the last layer must make as many numbers as y_true has, Dense({n}), and y_true must have a row for "
                        "each of x; numbers of classes need a loss whose name begins with sparse.", n=a[-1] if a else 1)
    return t, p


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def same_rank(a, b, expand=True):
    """A last dimension of size 1 added to one of two tensors, or taken from it, if that makes their ranks equal."""
    if a.ndim == b.ndim + 1 and a._value.shape[-1] == 1:
        return (a, m.unsqueeze(b, -1)) if b.ndim == 1 and expand else (m.squeeze(a, -1), b)
    if b.ndim == a.ndim + 1 and b._value.shape[-1] == 1:
        return (m.unsqueeze(a, -1), b) if a.ndim == 1 and expand else (a, m.squeeze(b, -1))
    return a, b


def _mean(t):
    return box(m.mean(t, -1) if t.ndim else t)


# ---- regression ------------------------------------------------------------------------------
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred) ** 2)."""
    t, p = pair(y_true, y_pred)
    away = t - p
    return _mean(away * away)


def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|)."""
    t, p = pair(y_true, y_pred)
    return _mean(m.abs(t - p))


def mean_absolute_percentage_error(y_true, y_pred):
    """100 * mean(|y_true - y_pred| / |y_true|)."""
    t, p = pair(y_true, y_pred)
    size = m.clamp_min(m.abs(t), epsilon())
    return box(100.0 * _mean(m.abs((t - p) / size))._t)


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(y_true + 1) - log(y_pred + 1)) ** 2)."""
    t, p = pair(y_true, y_pred)
    away = m.log(m.clamp_min(t, epsilon()) + 1.0) - m.log(m.clamp_min(p, epsilon()) + 1.0)
    return _mean(away * away)


def huber(y_true, y_pred, delta=1.0):
    """Quadratic up to a distance of delta, and linear beyond."""
    t, p = pair(y_true, y_pred)
    error = p - t
    size = m.abs(error)
    return _mean(m.where(m.le(size, delta), 0.5 * error * error, delta * size - 0.5 * delta * delta))


def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true)))."""
    t, p = pair(y_true, y_pred)
    x = p - t
    return _mean(x + m.softplus(x * -2.0, 1.0, 30.0) - math.log(2.0))


def cosine_similarity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between both."""
    t, p = pair(y_true, y_pred)
    t, p = [v * m.rsqrt(m.clamp_min(m.sum(v * v, axis, True), epsilon() ** 2)) for v in (t, p)]
    return box(-m.sum(t * p, axis))


def poisson(y_true, y_pred):
    """mean(y_pred - y_true * log(y_pred))."""
    t, p = pair(y_true, y_pred)
    return _mean(p - t * m.log(p + epsilon()))


def kl_divergence(y_true, y_pred):
    """sum(y_true * log(y_true / y_pred))."""
    t, p = pair(y_true, y_pred)
    t, p = m.clamp(t, epsilon(), 1.0), m.clamp(p, epsilon(), 1.0)
    return box(m.sum(t * m.log(t / p), -1))


# ---- margins ---------------------------------------------------------------------------------
def _signs(t):
    """-1 and 1 from labels 0 and 1."""
    v = np.asarray(t._value)
    return t * 2.0 - 1.0 if np.all((v == 0) | (v == 1)) else t


def hinge(y_true, y_pred):
    """mean(max(1 - y_true * y_pred, 0))."""
    t, p = pair(y_true, y_pred)
    return _mean(m.relu(1.0 - _signs(t) * p))


def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true * y_pred, 0) ** 2)."""
    t, p = pair(y_true, y_pred)
    gap = m.relu(1.0 - _signs(t) * p)
    return _mean(gap * gap)


def categorical_hinge(y_true, y_pred):
    """max(best wrong score - right score + 1, 0)."""
    t, p = pair(y_true, y_pred)
    right, wrong = m.sum(t * p, -1), m.amax((1.0 - t) * p, (t.ndim - 1,), False)
    return box(m.relu(wrong - right + 1.0))


# ---- probabilities ---------------------------------------------------------------------------
def _logits_of(y_pred, from_logits):
    """What sigmoid or softmax was applied to, if that is known: the better place to start from."""
    known = getattr(y_pred, "_keras_logits", None)
    return (known, True) if known is not None and not from_logits else (y_pred, from_logits)


def _inside(p):
    """Probabilities kept away from 0 and 1."""
    return m.clamp(p, epsilon(), 1.0 - epsilon())


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))."""
    y_pred, from_logits = _logits_of(y_pred, from_logits)
    t, p = pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if t._value.shape != p._value.shape:
        raise error("shapes-differ",
                    ValueError(f"Arguments `target` and `output` must have the same {_differing(t, p)}. Received: "
                               f"target.shape={tuple(t.shape)}, output.shape={tuple(p.shape)}"),
                    what="y_true", shape=tuple(t.shape), other="y_pred", other_shape=tuple(p.shape),
                    must="both must have the same shape")
    return box(m.mean(_binary(t, p, from_logits), axis))


def _differing(t, p):
    return "shape" if t.ndim == p.ndim else "rank (ndim)"


def _binary(t, p, from_logits):
    if from_logits:
        return nn_ops.sigmoid_cross_entropy_with_logits(box(t), box(p))._t
    p = _inside(p)
    return -(t * m.log(p) + (1.0 - t) * m.log(1.0 - p))


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(y_true * log(y_pred)), for labels that are one-hot or probabilities."""
    y_pred, from_logits = _logits_of(y_pred, from_logits)
    t, p = pair(y_true, y_pred, stretched=False)
    if t._value.shape != p._value.shape:
        raise error("shapes-differ",
                    ValueError(f"Arguments `target` and `output` must have the same {_differing(t, p)}. Received: "
                               f"target.shape={tuple(t.shape)}, output.shape={tuple(p.shape)}"),
                    what="y_true", shape=tuple(t.shape), other="y_pred", other_shape=tuple(p.shape),
                    must="both must have the same shape",
                    fix="for numbers of classes use sparse_categorical_crossentropy, or "
                        "keras.utils.to_categorical(y).")
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / p._value.shape[axis]
    if from_logits:
        return nn_ops.softmax_cross_entropy_with_logits(box(t), box(p), axis)
    p = _inside(p / m.sum(p, axis, True))
    return box(-m.sum(t * m.log(p), axis))


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """-log(y_pred) of the class that each label names."""
    y_pred, from_logits = _logits_of(y_pred, from_logits)
    p = value_of(y_pred)
    c = np.asarray(value_of(y_true)._value)
    if c.ndim == p.ndim and c.shape[-1] == 1:
        c = c[..., 0]
    if c.shape != tuple(p._value.shape[:-1]):
        raise error("shapes-differ",
                    ValueError("Argument `output` must have rank (ndim) `target.ndim - 1`. Received: target.shape="
                               f"{c.shape}, output.shape={tuple(p.shape)}"),
                    what="y_true", shape=c.shape, other="y_pred", other_shape=tuple(p.shape),
                    must="y_true has one dimension fewer: a number of a class for each row",
                    fix="labels are numbers of classes here; for one-hot labels use categorical_crossentropy.")
    c = c.astype(np.int64)
    valid = None if ignore_class is None else c != ignore_class
    if valid is not None:
        c = np.where(valid, c, 0)
    if not from_logits:
        p = m.log(_inside(p))
    y = nn_ops.sparse_softmax_cross_entropy_with_logits(box(wrap(c)), box(p))._t
    return box(y if valid is None else m.where(wrap(valid), y, m.zeros_like(y)))


def binary_focal_crossentropy(y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
                              label_smoothing=0.0, axis=-1):
    """The binary cross entropy, where what is already right counts less."""
    t, p = pair(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = m.sigmoid(p) if from_logits else p
    right = t * p + (1.0 - t) * (1.0 - p)
    y = m.pow(1.0 - right, gamma) * _binary(t, p, False)
    if apply_class_balancing:
        y = (t * alpha + (1.0 - t) * (1.0 - alpha)) * y
    return box(m.mean(y, axis))


def dice(y_true, y_pred, axis=None):
    """1 - 2 * intersection / (sum of both): how little two sets overlap."""
    t, p = pair(y_true, y_pred)
    both, total = [m.sum(v, axis) if axis is not None else m.sum(v) for v in (t * p, t + p)]
    return box(1.0 - (2.0 * both + epsilon()) / (total + epsilon()))


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """As dice, where what was found wrongly counts `alpha` and what was missed `beta`."""
    t, p = pair(y_true, y_pred)
    both, wrong, missed = [m.sum(v, axis) if axis is not None else m.sum(v)
                           for v in (t * p, (1.0 - t) * p, t * (1.0 - p))]
    return box(1.0 - (both + epsilon()) / (both + wrong * alpha + missed * beta + epsilon()))


# ---- objects ---------------------------------------------------------------------------------
class Loss:
    """The base of losses: `call` gives one number for each sample, `reduction` makes one of them."""

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        self.name = name or naming.auto_name(type(self).__name__)
        if reduction in ("auto", None):
            reduction = "sum_over_batch_size" if reduction == "auto" else None
        if reduction not in ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None):
            raise error("argument-choice",
                        ValueError("Invalid value for argument `reduction`. Expected one of {None, 'mean', "
                                   "'mean_with_sample_weight', 'none', 'sum', 'sum_over_batch_size'}. Received: "
                                   f"reduction={reduction}"),
                        what="reduction", value=reduction,
                        choices=["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None])
        self.reduction, self.dtype = reduction, dtypes.as_dtype(dtype or floatx()).name

    def call(self, y_true, y_pred):
        """One number for each sample."""
        raise NotImplementedError

    def __call__(self, y_true, y_pred, sample_weight=None):
        y_pred = _in_dtype(y_pred, self.dtype)
        values = self.call(_in_dtype(y_true, self.dtype), y_pred)
        return reduce(values, sample_weight, getattr(y_pred, "_keras_mask", None), self.reduction)

    def get_config(self):
        """The parameters by name."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """The loss of a configuration."""
        return cls(**config)


def _in_dtype(x, dtype):
    """Floats of another dtype converted; integers and what is right stay as they are."""
    if isinstance(x, (list, tuple, dict)) and any(hasattr(v, "_t") for v in (x.values() if isinstance(x, dict) else x)):
        return x
    x = convert_to_tensor(x)
    if x.dtype.is_floating and x.dtype != dtype:
        return box(m.cast(value_of(x), np.dtype(dtype)))
    return x


def reduce(values, sample_weight, mask, reduction):
    """Weighted values brought together."""
    v = value_of(values)
    if v._value.dtype.kind not in "fcV":
        v = m.cast(v, np.dtype(floatx()))
    d = v._value.dtype
    w = None if sample_weight is None else m.cast(value_of(sample_weight), d)
    if mask is not None:
        there = m.cast(value_of(mask), d)
        if reduction in ("mean", "sum_over_batch_size"):
            there = there * (there._value.size / np.maximum(np.asarray(there._value).sum(), 1)).item()
        if w is not None:
            there, w = same_rank(there, w)
        w = there if w is None else w * there
    if w is not None:
        v, w = same_rank(v, w)
        v = v * w
    if reduction in (None, "none") or v.ndim == 0 or v._value.shape == (0,):
        return box(v)
    total = m.sum(v)
    if reduction == "sum":
        return box(total)
    if reduction == "mean_with_sample_weight" and w is not None:
        return box(total / m.clamp_min(m.sum(w), 1e-30))
    return box(total / float(v._value.size))


class LossFunctionWrapper(Loss):
    """A function as a loss."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name, reduction, dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self):
        return {**super().get_config(), **self._fn_kwargs}

    def __repr__(self):
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"


def _make(name, fn, parameters, doc, after=None):
    """A loss class of a function; `parameters` are names and defaults of what the function takes besides."""
    names = list(parameters)

    def __init__(self, *args, **kwargs):
        given = dict(zip([*names, "reduction", "name", "dtype"], args)) | kwargs
        own = {k: given.pop(k, default) for k, default in parameters.items()}
        given.setdefault("name", after or fn.__name__)
        unknown = set(given) - {"reduction", "name", "dtype"}
        if unknown:
            raise error("name-unknown",
                        TypeError(f"{name}.__init__() got an unexpected keyword argument {min(unknown)!r}"),
                        where=name, what="argument", name=min(unknown), names=["reduction", "name", "dtype"])
        LossFunctionWrapper.__init__(self, fn, given.get("reduction", "sum_over_batch_size"), given["name"],
                                     given.get("dtype"), **own)
        self.__dict__.update(own)
    return type(name, (LossFunctionWrapper,), {"__init__": __init__, "__doc__": doc, "__module__": __name__})


_CE = {"from_logits": False, "label_smoothing": 0.0, "axis": -1}
MeanSquaredError = _make("MeanSquaredError", mean_squared_error, {}, "The mean of squared differences.")
MeanAbsoluteError = _make("MeanAbsoluteError", mean_absolute_error, {}, "The mean of differences without sign.")
MeanAbsolutePercentageError = _make("MeanAbsolutePercentageError", mean_absolute_percentage_error, {},
                                    "The mean of differences in percent of the right value.")
MeanSquaredLogarithmicError = _make("MeanSquaredLogarithmicError", mean_squared_logarithmic_error, {},
                                    "The mean of squared differences of logarithms.")
Huber = _make("Huber", huber, {"delta": 1.0}, "Quadratic near 0, linear beyond delta.", "huber_loss")
LogCosh = _make("LogCosh", log_cosh, {}, "The logarithm of the hyperbolic cosine of the difference.")
CosineSimilarity = _make("CosineSimilarity", cosine_similarity, {"axis": -1}, "Minus the cosine of the angle.")
Poisson = _make("Poisson", poisson, {}, "For counts.")
KLDivergence = _make("KLDivergence", kl_divergence, {}, "The Kullback-Leibler divergence.")
Hinge = _make("Hinge", hinge, {}, "For labels -1 and 1.")
SquaredHinge = _make("SquaredHinge", squared_hinge, {}, "For labels -1 and 1, squared.")
CategoricalHinge = _make("CategoricalHinge", categorical_hinge, {}, "For one-hot labels.")
BinaryCrossentropy = _make("BinaryCrossentropy", binary_crossentropy, _CE, "For labels 0 and 1.")
CategoricalCrossentropy = _make("CategoricalCrossentropy", categorical_crossentropy, _CE, "For one-hot labels.")
SparseCategoricalCrossentropy = _make("SparseCategoricalCrossentropy", sparse_categorical_crossentropy,
                                      {"from_logits": False, "ignore_class": None, "axis": -1},
                                      "For labels that are numbers of classes.")
BinaryFocalCrossentropy = _make(
    "BinaryFocalCrossentropy", binary_focal_crossentropy,
    {"apply_class_balancing": False, "alpha": 0.25, "gamma": 2.0, "from_logits": False, "label_smoothing": 0.0,
     "axis": -1}, "For labels 0 and 1, where what is already right counts less.")

Dice = _make("Dice", dice, {"axis": None}, "How little two sets overlap.")
Tversky = _make("Tversky", tversky, {"alpha": 0.5, "beta": 0.5, "axis": None}, "As Dice, with weights for both errors.")


class Reduction:
    """Names of reductions, as Keras 2 had them."""

    AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE = "auto", "none", "sum", "sum_over_batch_size"


MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error
MAPE = mape = mean_absolute_percentage_error
MSLE = msle = mean_squared_logarithmic_error
KLD = kld = kullback_leibler_divergence = kl_divergence
logcosh, bce, BCE = log_cosh, binary_crossentropy, binary_crossentropy
_CLASSES = {c.__name__: c for c in (
    MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber, LogCosh,
    CosineSimilarity, Poisson, KLDivergence, Hinge, SquaredHinge, CategoricalHinge, BinaryCrossentropy,
    CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryFocalCrossentropy, Dice, Tversky)}
_FUNCTIONS = {f.__name__: f for f in (
    mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error, huber,
    log_cosh, cosine_similarity, poisson, kl_divergence, hinge, squared_hinge, categorical_hinge, binary_crossentropy,
    categorical_crossentropy, sparse_categorical_crossentropy, binary_focal_crossentropy, dice, tversky)}
_FUNCTIONS |= {"mse": mse, "MSE": mse, "mae": mae, "MAE": mae, "mape": mape, "MAPE": mape, "msle": msle, "MSLE": msle,
               "kld": kld, "KLD": kld, "kullback_leibler_divergence": kld, "logcosh": log_cosh, "bce": bce,
               "BCE": bce, "huber_loss": huber}
get = make_get("loss", {**_CLASSES, **_FUNCTIONS}.get, Loss)
