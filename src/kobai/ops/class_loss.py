"""Losses of classes: nll_loss and cross_entropy of nn.functional."""
from __future__ import annotations

import math

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, apply1, dtype_of, m
from ..public import by_form, public
from ..tensor import Tensor, wrap
from ..testing.samples import Ints, S
from .elementwise import Div
from .index import batched_index
from .labels import shown_as
from .loss import REDUCTIONS, reduced, reduction_of, sum_of
from .softmax import LogSoftmax


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
            return v if self.reduction == "none" else sum_of(v)
        c, t = ClassWeights(self.reduction, self.ignore, x.shape[1], x.dtype).forward(t, weight)
        v = np.take_along_axis(x, np.expand_dims(t, 1), 1).squeeze(1) * c
        if self.reduction == "mean" and not c.any():
            return x.dtype.type(np.nan)  # the mean of nothing, though no score has a part in it
        return v if self.reduction == "none" else sum_of(v)

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
    found = _counting
    if len(found) < n:
        found = _counting = np.arange(max(n, 256))
    return found[:n]


def _like(c, g):
    return wrap(c) if isinstance(g, Tensor) and isinstance(c, np.ndarray) else c


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
@by_form
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-weight[t] * input[n, t]: the negative log likelihood of the targets.

    Shape: input (n, c, ...) or (c,), target (n, ...) or ().
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if dtype_of(target) not in (np.int64, np.uint8):
        raise error("target-dtype", got=type_word(target.dtype), dtype=str(target.dtype))
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
        raise error("tensor-shape", RuntimeError(
            "weight tensor should be defined either for all or no classes" if len(input.shape) > 2 else
            f"weight tensor should be defined either for all {input.shape[1]} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"), what="weight", shape=weight.shape, want=(input.shape[1],),
            n=input.shape[1],
                    fix="give one weight for each of the {n} classes.")
    y = NllLoss(reduction, ignore_index)(input, target, weight)
    return m.reshape(y, ()) if single and reduction == "none" else y


@public("nn.functional")
@by_form
def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
                  label_smoothing=0.0):
    """Cross-entropy of softmax(input) with class numbers or class probabilities as the target.

    Shape: input (n, c, ...) or (c,); target (n, ...) class numbers, or probabilities like input.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if weight is None and not label_smoothing and _plain_pair(input, target):
        return NllLoss(reduction, ignore_index)(apply1(_LOG_ROWS, input), target, None)
    if not hasattr(target, "shape"):
        raise error("not-tensor", function="cross_entropy_loss", argument="target", place=2, got=type(target).__name__)
    dim = 1 if len(input.shape) > 1 else 0
    if dtype_of(input).kind not in "fV":
        raise _no_scores(input, target)
    if tuple(target.shape) == tuple(input.shape) and dtype_of(target).kind not in "fV":
        raise error("tensor-dtype", RuntimeError("Expected floating point type for target with class probabilities, got "
                                                 f"{type_word(target)}"),
                    what="target", dtype=dtype_of(target), fn="cross_entropy", must="floating point numbers",
                    why="target has the shape of input, so it is read as probabilities, and its dtype is {dtype}.",
                    fix="class numbers have one dimension less: of one-hot rows take target.argmax(1); or target.float().")
    if not 0.0 <= label_smoothing <= 1.0:
        raise error("argument-value", RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}"), what="label_smoothing",
            value=label_smoothing, must="a number between {low} and {high}", low=0, high=1)
    logp = m.log_softmax(input, dim)
    if tuple(target.shape) == tuple(input.shape) and dtype_of(target).kind in "fV":
        return _with_probabilities(logp, target, weight, reduction, label_smoothing, dim)
    y = nll_loss(logp, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return y
    return _smoothed(y, logp, target, weight, ignore_index, reduction, label_smoothing, dim)


def _no_scores(input, target):
    """The error for whole numbers where scores belong. PyTorch's words depend on which of the two it looks at first."""
    kind = type_word(input)
    first = NotImplementedError(f"\"log_softmax_lastdim_kernel_impl\" not implemented for '{kind}'")
    if tuple(target.shape) == tuple(input.shape) and dtype_of(target).kind not in "fV":
        first = RuntimeError(f"Expected floating point type for target with class probabilities, got {type_word(target)}")
    return error("tensor-dtype", first, what="input", dtype=dtype_of(input), fn="cross_entropy", must="floating point numbers",
                 fix="give the scores as the last layer makes them, not their argmax: argmax is for counting right answers.")


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
    v = logp * target
    if reduction == "none":
        return -m.sum(v, dim)
    total = -m.sum(v)
    return _DIVIDED(total, math.prod(logp.shape) // c if c else 1) if reduction == "mean" else total


_DIVIDED = shown_as(Div(), "DivBackward1")


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
