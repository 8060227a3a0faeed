"""Matrix products."""
from __future__ import annotations

import numpy as np

from ..op import Contraction, m
from ..public import public
from ..testing.samples import S


class Mm(Contraction):
    """Matrix product of the last two dimensions, batched over equal leading ones."""

    grad_name = "MmBackward0"
    samples = [S((2, 3), (3, 4)), S((5, 2, 3), (5, 3, 1)), S((2, 0), (0, 3))]

    def forward(self, a, b):
        return np.matmul(a, b)

    def vjp_a(self, g, b):
        return Mm()(g, m.conj(m.swap(b)))

    def vjp_b(self, g, a):
        return Mm()(m.conj(m.swap(a)), g)

    def batch(self, size, dims, values):
        return Mm()(*values)


@public("torch Tensor")
def mm(input, mat2):
    """Product of two matrices: (n, k) x (k, m) -> (n, m)."""
    return Mm()(input, mat2)


@public("torch Tensor")
def matmul(input, other):
    """Matrix product."""
    return Mm()(input, other)
