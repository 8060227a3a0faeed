"""Losses that PyTorch composes of other operations: margins, divergences, likelihoods."""
from __future__ import annotations

import math
import warnings

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import dtype_of, m
from ..public import public
from .loss import reduced, reduction_of


@public("nn.functional torch")
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target * (log(target) - input): input holds log-probabilities.

    The reduction "batchmean" divides by the size of the batch, as the definition does.
    """
    if reduction != "batchmean":
        reduction = reduction_of(reduction, size_average, reduce)
        if reduction == "mean":
            warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size."
                          "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                          "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                          UserWarning, stacklevel=3)
    v = m.exp(target) * (target - input) if log_target else m.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return m.sum(v) / (input.shape[0] if len(input.shape) else 1)
    return reduced(v, reduction)


@public("nn.functional torch")
def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """x where the target is 1, max(0, margin - x) where it is -1."""
    zero = m.zeros_like(input)
    far = m.where(m.ne(target, 1), m.clamp_min(margin - input, 0), zero)
    near = m.where(m.ne(target, -1), input, zero)
    return reduced(far + near, reduction_of(reduction, size_average, reduce))


@public("nn.functional torch")
def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1."""
    if len(target.shape) not in (0, 1):
        raise error("tensor-dims", RuntimeError("0D or 1D target tensor expected, multi-target not supported"),
                    what="target", shape=target.shape, need="{n} or {m}", n=0, m=1)
    eps = 1e-12
    dot = m.sum(input1 * input2, -1)
    size = (m.sum(input1 * input1, -1) + eps) * (m.sum(input2 * input2, -1) + eps)
    cos = dot / m.sqrt(size)
    zero = m.zeros_like(cos)
    v = m.where(m.eq(target, 1), 1 - cos, zero) + m.where(m.eq(target, -1), m.clamp_min(cos - margin, 0), zero)
    return reduced(v, reduction_of(reduction, size_average, reduce))


@public("nn.functional torch")
def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin)."""
    if len(input1.shape) != len(input2.shape) or len(input1.shape) != len(target.shape):
        raise error("shapes-differ", RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {input1.shape}"
            f", input2: {input2.shape}, target: {target.shape} "), q=input1.shape, k=input2.shape, v=target.shape,
            why="input1, input2 and target have shapes {q}, {k} and {v}; they need the same number of dimensions.",
            fix="x.unsqueeze(0) adds a dimension in front, x.squeeze(0) drops one of size 1.")
    v = m.clamp_min(-target * (input1 - input2) + margin, 0)
    return reduced(v, reduction_of(reduction, size_average, reduce))


@public("nn.functional")
def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes of the binary cross-entropy of sigmoid(input)."""
    v = -(target * m.logsigmoid(input) + (1 - target) * m.logsigmoid(-input))
    if weight is not None:
        v = v * weight
    v = m.sum(v, -1) / input.shape[-1]
    return reduced(v, reduction_of(reduction, size_average, reduce))


def _check_rows(input):
    if len(input.shape) > 2 or 0 in input.shape[-1:]:
        raise error("tensor-shape", RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"),
            shape=input.shape, why="input has shape {shape}; it is (batch, classes), or (classes,) for one sample.",
            fix="x.flatten(1) joins all dimensions after the batch.")


def _check_classes(input, target, weight):
    if weight is not None and len(weight.shape) != 1:
        raise error("tensor-dims", ValueError("weight must be one-dimensional"), what="weight", shape=weight.shape,
                    need="{n}", n=1)
    _check_rows(input)
    n = input.shape[0] if len(input.shape) == 2 else 1
    c = input.shape[-1] if len(input.shape) else 1
    if len(target.shape) > 1 or (target.shape[0] if len(target.shape) else 1) != n:
        raise error("tensor-shape", RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{n}], but got {list(target.shape)}. Input has shape {list(input.shape)}."),
            what="target", shape=target.shape, want=(n,), fix="give one class number for each of the {n} samples.", n=n)
    if weight is not None and weight.shape[0] != c:
        raise error("tensor-shape", RuntimeError(
            f"inconsistent weight size, expected {c} but got {list(weight.shape)}"), what="weight", shape=weight.shape,
            want=(c,), n=c, fix="give one weight for each of the {n} classes.")
    _check_numbers(target, c, 0, "target out of range", "multi_margin_loss()")


def _check_numbers(target, classes, least, text, fn):
    """PyTorch's errors for what is no number of a class."""
    if dtype_of(target) != np.int64:
        raise error("tensor-dtype", RuntimeError(f"expected scalar type Long but found {type_word(target)}"),
                    what="target", dtype=dtype_of(target), fn=fn, must="whole numbers of type int64",
                    fix="convert it first: {what}.long().")
    t = None if getattr(target, "is_meta", False) else getattr(target, "_value", None)
    if isinstance(t, (np.ndarray, np.generic)) and t.size and (t.max() >= classes or t.min() < least):
        bad = int(t.max() if t.max() >= classes else t.min())
        raise error("position-range", RuntimeError(text), what="target", value=bad, size=classes, last=classes - 1)


@public("nn.functional")
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes i != t of max(0, margin - x[t] + x[i]) ** p."""
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise error("argument-choice", ValueError("only p == 1 and p == 2 supported"), what="p", value=p,
                    choices=[1, 2])
    _check_classes(input, target, weight)
    single = len(input.shape) < 2
    x = m.reshape(input, (1, -1)) if single else input
    t = m.reshape(target, (-1,))
    c = x.shape[1]
    picked = m.gather(x, 1, m.reshape(t, (-1, 1)))
    v = m.relu(margin - picked + x)
    v = v if p == 1 else v * v
    if weight is not None:
        v = v * m.reshape(m.index_select(weight, 0, t), (-1, 1))
    v = m.where(m.one_hot_mask(t, c), m.zeros_like(v), v)
    v = m.sum(v, 1) / c
    return m.reshape(v, tuple(target.shape)) if reduction == "none" and single else reduced(v, reduction)


@public("nn.functional")
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Sum over labels t and other classes i of max(0, 1 - (x[t] - x[i])) / classes; labels end at -1."""
    reduction = reduction_of(reduction, size_average, reduce)
    _check_rows(input)
    if tuple(target.shape) != tuple(input.shape):
        raise error("tensor-shape", RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"), what="target",
            shape=target.shape, want=tuple(input.shape),
            fix="each row of target holds the numbers of the row's labels, and -1 behind them.")
    _check_numbers(target, input.shape[-1] if len(input.shape) else 1, -1, "argument #2 'target' is out of range",
                   "multilabel_margin_loss()")
    single = len(input.shape) < 2
    x, t = (m.reshape(v, (1, -1)) if single else v for v in (input, target))
    c = x.shape[1]
    # A label counts until the first -1 of its row.
    ended = m.gt(m.cumsum(m.cast(m.lt(t, 0), np.dtype(np.int64)), 1), 0)
    safe = m.where(ended, m.zeros_like(t), t)
    is_label = m.any(m.logical_and(m.eq(m.unsqueeze(safe, 2), m.arange_like(c, t)),
                                   m.logical_not(m.unsqueeze(ended, 2))), 1)
    picked = m.gather(x, 1, safe)
    v = m.relu(1 - (m.unsqueeze(picked, 2) - m.unsqueeze(x, 1)))
    counts = m.logical_and(m.logical_not(m.unsqueeze(ended, 2)), m.logical_not(m.unsqueeze(is_label, 1)))
    v = m.sum(m.where(counts, v, m.zeros_like(v)), (1, 2)) / c
    return m.reshape(v, ()) if single and reduction == "none" else reduced(v, reduction)


@public("nn.functional")
def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
                     reduction="mean"):
    """Negative log likelihood of a Poisson distribution, up to a constant unless `full`."""
    reduction = reduction_of(reduction, size_average, reduce)
    v = m.exp(input) - target * input if log_input else input - target * m.log(input + eps)
    if full:
        stirling = target * m.log(target) - target + 0.5 * m.log(target * (2 * math.pi))
        v = v + m.where(m.le(target, 1), m.zeros_like(v), stirling)
    return reduced(v, reduction)


@public("nn.functional")
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """Negative log likelihood of a normal distribution with mean `input` and variance `var`."""
    if reduction not in ("none", "mean", "sum"):
        raise error("argument-choice", ValueError(f"{reduction} is not valid"), what="reduction", value=reduction,
                    choices=["none", "mean", "sum"])
    if not isinstance(var, (int, float)):
        if tuple(var.shape) != tuple(input.shape):
            if tuple(input.shape[:-1]) == tuple(var.shape):
                var = m.unsqueeze(var, -1)
            elif len(var.shape) != len(input.shape) or sum([v for n, v in zip(input.shape, var.shape) if n != v]) != 1:
                raise error("shapes-differ", ValueError("var is of incorrect size"),  # of more than one dimension
                            what="var", shape=var.shape, other="input", other_shape=input.shape,
                            must="var must have the shape of input, or size 1 in one dimension of it")
        if hasattr(var, "_data") and bool((var._data < 0).any()):
            raise error("data-range", ValueError("var has negative entry/entries"), what="var",
                        value=float(var._data.min()), must="a number of at least {low}", low=0,
                        fix="variances are squares: var = std ** 2, or F.softplus(x) of what a network computes.")
        with_floor = m.where(m.lt(var, eps), m.zeros_like(var) + eps, var)
        floor = var + (with_floor - var).detach()  # kept above eps, but the gradient passes
    else:
        if var < 0:
            raise error("argument-value", ValueError("var has negative entry/entries"), what="var", value=var,
                        must="a number of at least {low}", low=0,
                        fix="variances are squares: var = std ** 2, or F.softplus(x) of what a network computes.")
        floor = m.zeros_like(input) + max(var, eps)
    d = input - target
    v = 0.5 * (m.log(floor) + d * d / floor)
    if full:
        v = v + 0.5 * math.log(2 * math.pi)
    return reduced(v, reduction_of(reduction))


def _check_triplet(anchor, positive, negative, margin):
    if margin <= 0:
        raise error("argument-value", ValueError(f"margin must be greater than 0, got {margin}"), what="margin",
                    value=margin, must="a positive number")
    a, p, n = len(anchor.shape), len(positive.shape), len(negative.shape)
    if not a == p == n:
        raise error("shapes-differ", RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {a}D, positive {p}D, and negative {n}D inputs"), q=anchor.shape, k=positive.shape,
            v=negative.shape,
            why="anchor, positive and negative have shapes {q}, {k} and {v}; they need the same number of dimensions.",
            fix="x.unsqueeze(0) adds a dimension in front, x.squeeze(0) drops one of size 1.")


@public("nn.functional torch")
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None,
                        reduce=None, reduction="mean"):
    """max(0, |a - p| - |a - n| + margin); with `swap`, the nearer of a and p to n counts."""
    _check_triplet(anchor, positive, negative, margin)
    near = m.pairwise_distance(anchor, positive, p, eps)
    far = m.pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = m.minimum(far, m.pairwise_distance(positive, negative, p, eps))
    return reduced(m.clamp_min(margin + near - far, 0), reduction_of(reduction, size_average, reduce))


@public("nn.functional")
def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):
    """triplet_margin_loss with a distance of the user's own."""
    if reduction not in ("mean", "sum", "none"):
        raise error("reduction-name", name=str(reduction))
    _check_triplet(anchor, positive, negative, margin)
    distance = distance_function or m.pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = m.minimum(far, distance(positive, negative))
    return reduced(m.clamp_min(margin + near - far, 0), reduction)


def _one_hot_mask(t, classes):
    return m.eq(m.unsqueeze(t, -1), m.arange_like(classes, t))


def _arange_like(n, t):
    return np.arange(n, dtype=dtype_of(t))


m.one_hot_mask, m.arange_like = _one_hot_mask, _arange_like
