"""Operations whose derivative TensorFlow defines otherwise than PyTorch."""
from __future__ import annotations

import numpy as np

from ...op import Elementwise, Op, dtype_of, m
from ...testing.samples import S, binary


class FirstMaximum(Elementwise):
    """The larger of each pair; at a tie `a` gets the whole gradient."""

    public = ""
    ufunc = np.maximum
    samples = binary()

    def vjp_a(self, g, a, b):
        return m.where(m.ge(a, b), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.ge(a, b), m.zeros_like(g), g)

    def emit(self, k, a, b):
        return k.maximum(a, b)


class FirstMinimum(Elementwise):
    """The smaller of each pair; at a tie `a` gets the whole gradient."""

    public = ""
    ufunc = np.minimum
    samples = binary()

    def vjp_a(self, g, a, b):
        return m.where(m.le(a, b), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.le(a, b), m.zeros_like(g), g)

    def emit(self, k, a, b):
        return k.minimum(a, b)


class Power(Elementwise):
    """a ** b, where only a positive `a` has a gradient by `b`."""

    public = ""
    samples = binary(0.5, 2)

    def forward(self, a, b):
        return np.power(a, b)

    def d_a(self, a, b):
        return b * Power()(a, b - 1)

    def d_b(self, a, y):
        able = m.ne(a, 0) if dtype_of(a).kind == "c" else m.gt(a, 0)
        safe = m.where(able, a, m.zeros_like(a) + 1)
        return y * m.log(safe)

    def emit(self, k, a, b):
        return k.pow(a, b)


class SafeDivide(Elementwise):
    """a / b, and 0 where b is 0."""

    public = ""
    samples = binary(0.5, 2)

    def forward(self, a, b):
        zero = np.equal(b, 0)
        return np.where(zero, a.dtype.type(0), np.true_divide(a, np.where(zero, b.dtype.type(1), b)))[()]

    def vjp_a(self, g, b):
        return SafeDivide()(g, b)

    def vjp_b(self, g, a, b):
        return g * SafeDivide()(SafeDivide()(-a, b), b)


class SafeMultiply(Elementwise):
    """a * b, and 0 where b is 0 even if `a` is infinite or NaN."""

    public = ""
    samples = binary(0.5, 2)

    def forward(self, a, b):
        return np.where(np.equal(b, 0), a.dtype.type(0), a * b)[()]

    def vjp_a(self, g, b):
        return SafeMultiply()(g, b)

    def vjp_b(self, g, a):
        return SafeMultiply()(a, g)


class SoftmaxCrossEntropy(Op):
    """-sum(labels * log_softmax(logits)) over the last dimension, whose gradient by the logits is softmax - labels.

    That is its derivative where the labels sum to one. TensorFlow takes it for any labels.
    """

    samples = [S((2, 3), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])), S((0, 3), np.ones((0, 3)) / 3),
               S((1,), np.ones(1))]

    def forward(self, logits, labels):
        shifted = logits - logits.max(-1, keepdims=True) if logits.size else logits
        log_sum = np.log(np.exp(shifted).sum(-1, keepdims=True))
        return np.asarray((labels * (log_sum - shifted)).sum(-1), logits.dtype)[()]

    def vjp_logits(self, g, logits, labels):
        return m.unsqueeze(g, -1) * (m.softmax(logits, -1) - labels)

    def vjp_labels(self, g, logits):
        return -(m.unsqueeze(g, -1) * m.log_softmax(logits, -1))
