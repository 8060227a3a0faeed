"""Trigonometric and hyperbolic functions of each element, and their inverses."""
from __future__ import annotations

import math

import numpy as np

from ..op import Elementwise, m
from ..public import public
from ..takes import Only
from ..testing.samples import binary, unary
from .labels import gradients_by


class Sin(Elementwise):
    """Sine of each element.

    >>> kobai.sin(kobai.tensor([0., 1.]))
    tensor([0.0000, 0.8415])
    """

    ufunc = np.sin
    floats = True
    samples = unary(-3, 3)

    def d_x(self, x):
        return m.cos(x)

    def emit(self, k, x):
        return k.sin(x)


class Cos(Elementwise):
    """Cosine of each element.

    >>> kobai.cos(kobai.tensor([0., 1.]))
    tensor([1.0000, 0.5403])
    """

    ufunc = np.cos
    floats = True
    samples = unary(-3, 3)

    def d_x(self, x):
        return -m.sin(x)

    def emit(self, k, x):
        return k.cos(x)


class Tan(Elementwise):
    """Tangent of each element."""

    ufunc = np.tan
    floats = True
    samples = unary(-1, 1)

    def d_x(self, y):
        return 1 + y * y

    def emit(self, k, x):
        return k.tan(x)


class Asin(Elementwise):
    """Inverse sine of each element."""

    ufunc = np.arcsin
    alias = ("arcsin",)
    floats = True
    samples = unary(-0.8, 0.8)

    def d_x(self, x):
        return m.rsqrt(1 - x * x)

    def emit(self, k, x):
        return k.asin(x)


class Acos(Elementwise):
    """Inverse cosine of each element."""

    ufunc = np.arccos
    alias = ("arccos",)
    floats = True
    samples = unary(-0.8, 0.8)

    def d_x(self, x):
        return -m.rsqrt(1 - x * x)

    def emit(self, k, x):
        return k.acos(x)


class Atan(Elementwise):
    """Inverse tangent of each element."""

    ufunc = np.arctan
    alias = ("arctan",)
    floats = True
    samples = unary(-3, 3)

    def d_x(self, x):
        return 1 / (x * x + 1)

    def emit(self, k, x):
        return k.atan(x)


class Sinh(Elementwise):
    """Hyperbolic sine of each element."""

    ufunc = np.sinh
    floats = True
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.cosh(x)

    def emit(self, k, x):
        return k.sinh(x)


class Cosh(Elementwise):
    """Hyperbolic cosine of each element."""

    ufunc = np.cosh
    floats = True
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.sinh(x)

    def emit(self, k, x):
        return k.cosh(x)


class Tanh(Elementwise):
    """Hyperbolic tangent of each element.

    >>> kobai.tanh(kobai.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    ufunc = np.tanh
    functional = True
    floats = True
    gradient_shown = gradients_by(x="TanhBackwardBackward0(g, y)")
    samples = unary(-3, 3)

    def d_x(self, y):
        return 1 - y * y

    def emit(self, k, x):
        return k.tanh(x)


class Asinh(Elementwise):
    """Inverse hyperbolic sine of each element."""

    ufunc = np.arcsinh
    alias = ("arcsinh",)
    floats = True
    samples = unary(-3, 3)

    def d_x(self, x):
        return m.rsqrt(x * x + 1)

    def emit(self, k, x):
        return k.asinh(x)


class Acosh(Elementwise):
    """Inverse hyperbolic cosine of each element."""

    ufunc = np.arccosh
    alias = ("arccosh",)
    floats = True
    samples = unary(1.2, 3)

    def d_x(self, x):
        return m.rsqrt(x - 1) * m.rsqrt(x + 1)

    def emit(self, k, x):
        return k.acosh(x)


class Atanh(Elementwise):
    """Inverse hyperbolic tangent of each element."""

    ufunc = np.arctanh
    alias = ("arctanh",)
    floats = True
    samples = unary(-0.8, 0.8)

    def d_x(self, x):
        return 1 / (1 - x * x)

    def emit(self, k, x):
        return k.atanh(x)


class Atan2(Elementwise):
    """Angle of the point (b, a): inverse tangent of a / b in the right quadrant."""

    takes = Only("biufV", "atan2_cpu")
    ufunc = np.arctan2
    alias = ("arctan2",)
    floats = True
    samples = binary(0.5, 2)

    def vjp_a(self, g, a, b):
        return _over(g * b, a * a + b * b)

    def vjp_b(self, g, a, b):
        return _over(g * -a, a * a + b * b)

    def emit(self, k, a, b):
        return k.atan2(a, b)


def _over(n, d):
    """n / d, and 0 where d is 0: the direction at the origin has no derivative (PyTorch gives 0)."""
    zero = m.eq(d, 0)
    return m.where(zero, m.zeros_like(n), n / m.where(zero, m.zeros_like(d) + 1, d))


class Hypot(Elementwise):
    """sqrt(a*a + b*b) without overflow."""

    takes = Only("fV", "hypot_cpu")
    ufunc = np.hypot
    samples = binary(0.5, 2)

    def d_a(self, a, y):
        return a / y

    def d_b(self, b, y):
        return b / y

    def emit(self, k, a, b):
        return k.hypot(a, b)


class Sinc(Elementwise):
    """sin(pi x) / (pi x), and 1 at 0 (the normalised sinc)."""

    public = "torch Tensor special"
    floats = True
    samples = unary(0.2, 3)

    def forward(self, x):
        t = np.where(x == 0, np.ones_like(x), x * x.dtype.type(math.pi))
        return np.where(x == 0, np.ones_like(x), np.sin(t) / t)[()]

    def d_x(self, x):
        zero = m.eq(x, 0)
        t = m.where(zero, m.zeros_like(x) + 1, x * math.pi)
        d = (m.cos(t) * t - m.sin(t)) / (t * t) * math.pi
        return m.where(zero, m.zeros_like(x), d)


@public("torch Tensor", inplace=True)
def deg2rad(input):
    """Degrees to radians."""
    return input * (math.pi / 180)


@public("torch Tensor", inplace=True)
def rad2deg(input):
    """Radians to degrees."""
    return input * (180 / math.pi)
