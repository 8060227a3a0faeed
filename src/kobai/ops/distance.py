"""Similarity and distance of vectors, vectors of length 1, and random choices that can be differentiated."""
from __future__ import annotations

import warnings

import numpy as np

from .. import random as sampler
from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .norms import LinalgVectorNorm
from .reduce import one_dim


@public("nn.functional torch", name="cosine_similarity")
def _cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (|x1| |x2|) along `dim`; lengths below `eps` count as `eps`.

    Shape: x1 and x2 broadcast to each other; `dim` goes away.
    """
    if dtype_of(x1).kind in "bui" and dtype_of(x2).kind in "bui":
        raise error("tensor-dtype", RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {type_word(x1)}"
        ), what="x1", dtype=dtype_of(x1), fn="cosine_similarity()", must="floating point numbers",
            fix="convert it first: {what}.float().")
    kind = np.result_type(dtype_of(x1), dtype_of(x2)) if dtype_of(x1) != dtype_of(x2) else dtype_of(x1)
    x1, x2 = m.cast(x1, kind), m.cast(x2, kind)
    shape = _common(x1, x2)
    x1, x2 = m.expand_to(x1, shape), m.expand_to(x2, shape)
    return m.sum(_to_length_1(x1, dim, eps) * _to_length_1(x2, dim, eps), dim)


def _to_length_1(x, dim, eps):
    return x / m.clamp_min(m.vector_norm(x, 2, dim, True), eps)


def _common(a, b):
    """The shape to which two broadcast, or PyTorch's error."""
    try:
        return np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    except ValueError:
        m.add(a, b)  # raises, naming the shapes
        raise


class Norm(LinalgVectorNorm):
    """The p-norm, as PyTorch names that of a difference."""

    grad_name = "NormBackward1"
    samples = [S((3, 2), params=((1,), False, 2.0))]


@public("nn.functional torch", name="pairwise_distance")
def _pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dimension.

    Shape: (N, D) or (D,), broadcast -> (N,) or ().
    """
    return Norm((max(len(x1.shape), len(x2.shape)) - 1,), bool(keepdim), float(p))(x1 - x2 + eps)


@public("nn.functional")
def normalize(input, p=2.0, dim=1, eps=1e-12):
    """x divided by its p-norm along `dim`, which counts as `eps` at least.

    >>> kobai.nn.functional.normalize(kobai.tensor([3., 4.]), dim=0)
    tensor([0.6000, 0.8000])
    """
    return input / m.expand_to(m.clamp_min(m.norm(input, p, dim, True), eps), tuple(input.shape))


class Gumbels(Op):
    """-log(e) of exponential random numbers e, like x."""

    random = True
    samples = [S((0, 2), smooth=False)]

    def forward(self, x):
        return -np.log(sampler.exponential(x.shape, x.dtype))


class Constant(Op):
    """The same values, without a gradient."""

    samples = [S((2, 3), smooth=False)]
    moves = True

    def forward(self, x):
        return np.array(x)

    def batch(self, size, dims, values):
        return self(*values)


@public("nn.functional")
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """Random choices from softmax(logits), relaxed to probabilities (Jang et al. 2017; Maddison et al. 2017).

    With `hard` the result is one-hot, its gradient that of the relaxed one. Smaller `tau`, harder choices.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    dim = one_dim(dim, len(logits.shape), "softmax")
    y = m.softmax((logits + Gumbels()(logits)) / tau, dim)
    if not hard:
        return y
    index = m.argmax(y, dim, True)
    shape = [1] * len(logits.shape)
    shape[dim] = logits.shape[dim]
    chosen = m.cast(m.eq(index, np.arange(logits.shape[dim]).reshape(shape)), dtype_of(y))
    return chosen - Constant()(y) + y
