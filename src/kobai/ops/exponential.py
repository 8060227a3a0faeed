"""Exponentials, logarithms, roots and powers of each element."""
from __future__ import annotations

import math

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..op import Elementwise, apply1, dtype_of, m
from ..public import export, not_mine, operator, public
from ..takes import Only
from ..testing.samples import binary, unary
from .arguments import wrapped
from .labels import gradients_by

_LN2, _LN10 = math.log(2), math.log(10)


class Exp(Elementwise):
    """e ** x for each element.

    >>> kobai.exp(kobai.tensor([0., 1.]))
    tensor([1.0000, 2.7183])
    """

    ufunc = np.exp
    floats = True
    samples = unary(-2, 2)

    def d_x(self, y):
        return y

    def emit(self, k, x):
        return k.exp(x)


class Exp2(Elementwise):
    """2 ** x for each element."""

    public = "torch Tensor special"
    ufunc = np.exp2
    floats = True
    samples = unary(-2, 2)

    def forward(self, x):
        return np.exp2(x) if dtype_of(x).kind != "c" else np.exp(x * _LN2)

    def d_x(self, y):
        return y * _LN2

    def emit(self, k, x):
        return k.pow(2, x)


class Expm1(Elementwise):
    """e ** x - 1, exact for small x."""

    public = "torch Tensor special"
    ufunc = np.expm1
    floats = True
    samples = unary(-2, 2)

    def d_x(self, y):
        return y + 1

    def emit(self, k, x):
        return k.expm1(x)


class Log(Elementwise):
    """Natural logarithm of each element.

    >>> kobai.log(kobai.tensor([1., 10.]))
    tensor([0.0000, 2.3026])
    """

    ufunc = np.log
    floats = True
    gradient_shown = gradients_by(x="DivBackward0(g, x)")
    samples = unary(0.1, 3)

    def d_x(self, x):
        return 1 / x

    def emit(self, k, x):
        return k.log(x)


def _to_base(k, x, factor):
    """log(x) times 1 / log(base), as exact as log(x) is: nearly all of the factor, then the rest."""
    y, high = k.log(x), math.floor(factor * 2**22) / 2**22
    return k.fma(y, high, y * (factor - high))


class Log2(Elementwise):
    """Logarithm to base 2."""

    ufunc = np.log2
    floats = True
    samples = unary(0.1, 3)

    def d_x(self, x):
        return 1 / (x * _LN2)

    def emit(self, k, x):
        y = _to_base(k, x, 1.4426950408889634)
        n = k.round(y)
        return k.where(k.scale(k.const(1, x.dtype), n) == x, n, y)  # exact where x is a power of two


class Log10(Elementwise):
    """Logarithm to base 10."""

    ufunc = np.log10
    floats = True
    samples = unary(0.1, 3)

    def d_x(self, x):
        return 1 / (x * _LN10)

    def emit(self, k, x):
        y = _to_base(k, x, 0.4342944819032518)
        n = k.round(y)
        return k.where(abs(y - n) <= abs(n) * {"f32": 1.5 * 2.0**-24, "f64": 2.0**-52}[x.dtype], n, y)  # 3 for 1000


class Log1p(Elementwise):
    """log(1 + x), exact for small x."""

    public = "torch Tensor special"
    ufunc = np.log1p
    floats = True
    grad_name = "Log1PBackward0"
    gradient_shown = gradients_by(x="DivBackward0(g, AddBackward1(x))")
    samples = unary(-0.5, 3)

    def d_x(self, x):
        return 1 / (x + 1)

    def emit(self, k, x):
        return k.log1p(x)


class Sqrt(Elementwise):
    """Square root of each element.

    >>> kobai.sqrt(kobai.tensor([4., 2.]))
    tensor([2.0000, 1.4142])
    """

    ufunc = np.sqrt
    floats = True
    gradient_shown = gradients_by(x="DivBackward0(g, MulBackward1(y))")
    samples = unary(0.1, 3)

    def d_x(self, y):
        return 1 / (2 * y)

    def emit(self, k, x):
        return k.sqrt(x)


class Rsqrt(Elementwise):
    """1 / sqrt(x) for each element."""

    floats = True
    gradient_shown = gradients_by(x="MulBackward0(MulBackward1(g), PowBackward0(y))")
    samples = unary(0.1, 3)

    def forward(self, x):
        return 1 / np.sqrt(x)

    def d_x(self, y):
        return -0.5 * (y * y * y)

    def emit(self, k, x):
        return k.rsqrt(x)


class Reciprocal(Elementwise):
    """1 / x for each element."""

    floats = True
    gradient_shown = gradients_by(x="MulBackward0(NegBackward0(g), MulBackward0(y, y))")
    samples = unary(0.5, 2)

    def forward(self, x):
        return 1 / x

    def d_x(self, y):
        return -(y * y)

    def emit(self, k, x):
        return 1 / x


_BOOL = np.dtype(np.bool_)


class PowNumber(Elementwise):
    """x ** exponent, with a number as the exponent."""

    exponent: float
    grad_name = "PowBackward0"
    gradient_shown = gradients_by(x="MulBackward0(g, MulBackward1(PowBackward0(x)))")
    samples = unary(0.5, 2, (3.0,)) + unary(-2, 2, (2,)) + unary(0.5, 2, (-1.5,)) + unary(0.5, 2, (0,))

    def forward(self, x):
        n = self.exponent
        if x.dtype is _BOOL:
            x = x.astype(np.int64)
        if n == 2:
            return x * x
        if n == 3:
            return x * x * x
        kind = x.dtype.kind
        if kind in "iu":
            if n < 0:
                raise error("argument-value", RuntimeError("Integers to negative integer powers are not allowed."),
                            what="exponent", value=n, must="a whole number of at least {low}", low=0,
                            fix="convert the base first: x.float() ** {value}.")
            return np.power(x, x.dtype.type(n))
        if n == 0.5 and kind == "f":
            return np.sqrt(x)
        if n == -1 or kind not in "fc":
            return 1 / x if n == -1 else np.power(x, n)
        return np.power(x, x.dtype.type(n))

    def d_x(self, x):
        n = self.exponent
        if n == 2:
            return 2 * x
        if n == 0:
            return m.zeros_like(x)
        return n * PowNumber(n - 1)(x)

    def emit(self, k, x):
        return k.pow(x, self.exponent)


class Pow(Elementwise):
    """a ** b for each pair of elements."""

    takes = Only("iufVc", "pow")
    grad_name = "PowBackward1"
    public = ""
    samples = binary(0.5, 2)

    def forward(self, a, b):
        kind = np.result_type(a, b).kind
        if kind in "iu":
            return _integer_power(a, b)
        return np.power(a, b) if kind != "b" else np.logical_or(a, np.logical_not(b))

    def d_a(self, a, b):
        return m.where(m.eq(b, 0), m.zeros_like(b), b * m.pow(a, b - 1))

    def d_b(self, a, b, y):
        held = m.eq(a, 0) if dtype_of(b).kind == "c" else m.logical_and(m.eq(a, 0), m.ge(b, 0))
        return m.where(held, m.zeros_like(y), y * m.log(a))

    def emit(self, k, a, b):
        return k.pow(a, b)


def _integer_power(a, b):
    """a ** b in integers; below the point everything but 1 and -1 is cut off to 0."""
    y = np.power(a, np.maximum(b, 0))
    below = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(b < 0, below, y).astype(y.dtype)[()]


class PowOfNumber(Elementwise):
    """number ** x: what `2 ** x` records."""

    number: float
    grad_name = "PowBackward2"
    samples = unary(-2, 2, params=(2.5,))

    def forward(self, x):
        number = wrapped(x.dtype, self.number)
        return _integer_power(number, x) if x.dtype.kind in "iu" else np.power(number, x)

    def d_x(self, y):
        if self.number == 0:  # the slope of 0 ** x is 0 where it is defined
            return m.zeros_like(y)
        return y * (math.log(self.number) if self.number > 0 else float("nan"))

    def emit(self, k, x):
        return k.pow(self.number, x)


class Logaddexp(Elementwise):
    """log(e ** a + e ** b) without overflow."""

    takes = Only("fVc", "logaddexp_cpu")
    ufunc = np.logaddexp
    floats = True
    samples = binary(-2, 2)

    def forward(self, a, b):
        if dtype_of(a).kind == "c":
            top = np.where(a.real >= b.real, a, b)
            return top + np.log1p(np.exp(-np.where(a.real >= b.real, a - b, b - a)))
        return np.logaddexp(a, b)

    def d_a(self, a, b):
        return m.sigmoid(a - b)

    def d_b(self, a, b):
        return m.sigmoid(b - a)

    def emit(self, k, a, b):
        return k.logaddexp(a, b)


class Ldexp(Elementwise):
    """a * 2 ** b."""

    floats = True
    samples = binary(-1, 1)

    def forward(self, a, b):
        return a * np.exp2(b)

    def d_a(self, b):
        return m.exp2(b)

    def d_b(self, y):
        return y * _LN2

    def emit(self, k, a, b):
        return a * k.pow(2, b)


class Logaddexp2(Elementwise):
    """log2(2 ** a + 2 ** b) without overflow."""

    ufunc = np.logaddexp2
    floats = True
    samples = binary(-2, 2)

    def d_a(self, a, b):
        return m.sigmoid((a - b) * _LN2)

    def d_b(self, a, b):
        return m.sigmoid((b - a) * _LN2)


class Xlogy(Elementwise):
    """a * log(b), and 0 where a is 0."""

    takes = Only("biufV", "xlogy_cpu")
    public = "torch Tensor special"
    floats = True
    samples = binary(0.5, 2)

    def forward(self, a, b):
        with_nan = np.isnan(b)
        zero = 0 * b if np.ndim(b) > np.ndim(a) else 0 * a
        return np.where((a == 0) & ~with_nan, zero, a * np.log(b)).astype(np.result_type(a, b))

    def d_a(self, a, b):
        return m.where(m.logical_and(m.eq(a, 0), m.le(b, 0)), m.zeros_like(b), m.log(b))

    def d_b(self, a, b):
        return a / b

    def emit(self, k, a, b):
        return k.where((a == 0) & ~k.isnan(b), 0.0, a * k.log(b))


@public("torch Tensor", inplace=True, numbers=True)
def pow(input, exponent):
    """input ** exponent; the exponent is a tensor or a number.

    >>> kobai.pow(kobai.tensor([1, 2, 3]), 2)
    tensor([1, 4, 9])
    """
    if type(exponent) in (int, float, bool):
        if type(exponent) is float and dtype_of(input).kind in "iub":
            input = m.cast(input, dtypes.get_default_dtype())
        if dtype_of(input).kind == "b":
            input = m.cast(input, np.dtype(np.int64))
        return PowNumber(exponent)(input)
    return Pow()(input, exponent)


@public("torch Tensor", inplace=True, numbers=True)
def float_power(input, exponent):
    """input ** exponent in double precision."""
    wide = np.dtype(np.complex128 if dtype_of(input).kind == "c" or isinstance(exponent, complex)
                    or hasattr(exponent, "shape") and dtype_of(exponent).kind == "c" else np.float64)
    if hasattr(exponent, "shape"):
        exponent = m.cast(exponent, wide)
    return pow(m.cast(input, wide) if hasattr(input, "shape") else input, exponent)


@public("torch Tensor", inplace=True)
def square(input):
    """x * x for each element."""
    return pow(input, 2)


def _power(self, exponent):
    kind = type(exponent)
    if (kind is int or kind is float) and type(self) is not None:
        known = _SMALL.get(exponent) if kind is int else None
        if known is not None:
            return apply1(known, self)
        return pow(self, exponent)
    try:
        return Pow()(self, exponent)
    except TypeError:
        return not_mine(exponent)


_SMALL = {n: PowNumber(n) for n in (1, 2, 3, 4)}
export("Tensor", "__pow__", _power)


def _power_of(self, base):
    """base ** self, for numbers of a category that self's dtype can hold."""
    kind = dtype_of(self).kind
    if type(base) is int and kind in "iuf" or type(base) is float and kind == "f":
        return PowOfNumber(base)(self)
    return Pow()(base, self)


export("Tensor", "__rpow__", operator(_power_of))
export("Tensor", "__ipow__", operator(lambda self, exponent: self.pow_(exponent)))
