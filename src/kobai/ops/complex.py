"""Complex numbers: conjugates, parts, absolute values.

Gradients follow PyTorch's convention: the gradient of a real loss L with respect to z = x + iy is
dL/dx + i dL/dy, so a holomorphic f sends g to g * conj(f'(z)).
"""
from __future__ import annotations

import numpy as np

from ..op import Elementwise, dtype_of, m
from ..testing.samples import binary, unary


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


class Complex(Elementwise):
    """a + i b, from real and imaginary parts."""

    params = ("real", "imag")
    public = ""
    inplace = False
    samples = binary()

    def forward(self, a, b):
        y = np.empty(np.broadcast_shapes(np.shape(a), np.shape(b)), np.result_type(a, np.complex64))
        y.real, y.imag = a, b
        return y

    def vjp_a(self, g):
        return m.real(g)

    def vjp_b(self, g):
        return m.imag(g)


m.complex = Complex()


class Angle(Elementwise):
    """The argument of complex numbers; of real ones 0 or pi."""

    floats = True
    samples = unary(0.2, 2)

    def forward(self, x):
        y = np.angle(x)
        return np.where(np.isnan(x), x, y).astype(x.dtype) if x.dtype.kind != "c" else y

    def vjp_x(self, g, x):
        if dtype_of(x).kind != "c":
            return m.zeros_like(g)
        size = m.abs(x)
        zero = m.eq(size, 0)
        safe = m.where(zero, m.zeros_like(size) + 1, size)
        scale = m.where(zero, m.zeros_like(g), g / (safe * safe))
        return m.complex(scale * -m.imag(x), scale * m.real(x))


def conj(x):
    """The conjugate; a real value itself."""
    return Conj()(x) if dtype_of(x).kind == "c" else x


m.conj = conj
