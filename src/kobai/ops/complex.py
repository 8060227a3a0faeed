"""Complex numbers: conjugates, parts, absolute values.

Gradients follow PyTorch's convention: the gradient of a real loss L with respect to z = x + iy is
dL/dx + i dL/dy, so a holomorphic f sends g to g * conj(f'(z)).
"""
from __future__ import annotations

import numpy as np

from ..op import Elementwise, dtype_of, m
from ..testing.samples import unary


class Conj(Elementwise):
    """Complex conjugate of each element."""

    ufunc = np.conj
    public = ""
    linear = True
    samples = unary()
    inplace = False

    def vjp_x(self, g):
        return m.conj(g)

    def emit(self, k, x):
        return x


def conj(x):
    """The conjugate; a real value itself."""
    return Conj()(x) if dtype_of(x).kind == "c" else x


m.conj = conj
