"""Signs, rounding, division with remainder, and sums of products."""
from __future__ import annotations

import numpy as np

from ..diagnose.errors import error
from ..op import Elementwise, Op, dtype_of, m
from ..public import public
from ..return_types import return_type
from ..takes import Only
from ..testing.samples import S, binary, predicate, unary
from .labels import shown_as
from .reduce import not_implemented

TRIPLES = [S((2, 3), (3,), (2, 1), low=0.5, high=2), S((), (), (), low=0.5, high=2), S((0, 2), (2,), (), low=0.5, high=2)]


class Abs(Elementwise):
    """Absolute value of each element."""

    takes = Only("iufVc", "abs_cpu")
    ufunc = np.absolute
    operator = "abs"
    alias = ("absolute",)
    samples = unary(0.2, 2) + unary(-2, -0.2)

    def vjp_x(self, g, x):
        return g * m.sgn(x)

    def emit(self, k, x):
        return abs(x)


def _sign(x):
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    return np.sign(x) if x.dtype.kind != "f" else np.subtract(x > 0, x < 0, dtype=x.dtype)


class Sign(Elementwise):
    """-1, 0 or 1 by the sign of each element.

    >>> kobai.sign(kobai.tensor([-3., 0., 2.]))
    tensor([-1.,  0.,  1.])
    """

    samples = unary(0.2, 2)

    def forward(self, x):
        if x.dtype.kind == "c":
            raise error("tensor-dtype", NotImplementedError(
                        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn "
                        "instead."), what="input", dtype=x.dtype, fn="sign()", must="numbers that are not complex",
                        fix="x.sgn() is x / x.abs(), the direction of a complex number.")
        return _sign(x) if x.dtype.kind != "b" else x

    def d_x(self, x):
        return m.zeros_like(x)

    def emit(self, k, x):
        return k.sign(x)


class Sgn(Elementwise):
    """x / |x|, and 0 where x is 0: the sign of real and complex numbers."""

    samples = unary(0.2, 2)

    def forward(self, x):
        return _sign(x) if x.dtype.kind != "b" else x

    def vjp_x(self, g, x, y):
        if dtype_of(x).kind != "c":
            return m.zeros_like(g)
        size = m.abs(x)
        zero = m.eq(size, 0)
        size = m.where(zero, m.zeros_like(size) + 1, size)
        inner = g - m.complex(m.real(m.conj(y) * g), m.zeros_like(size)) * y
        return m.where(zero, m.zeros_like(g), inner / size)

    def emit(self, k, x):
        return k.sign(x)


class _Step(Elementwise):
    """A piecewise constant function: its derivative is 0 wherever it has one."""

    def d_x(self, x):
        return m.zeros_like(x)


class Floor(_Step):
    """The largest integer not above each element.

    >>> kobai.floor(kobai.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """

    takes = Only("iufV", "floor_vml_cpu")
    samples = unary(0.1, 0.9)

    def forward(self, x):
        return np.floor(x) if x.dtype.kind == "f" else x

    def emit(self, k, x):
        return k.floor(x)


class Ceil(_Step):
    """The smallest integer not below each element.

    >>> kobai.ceil(kobai.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """

    takes = Only("iufV", "ceil_vml_cpu")
    samples = unary(0.1, 0.9)

    def forward(self, x):
        return np.ceil(x) if x.dtype.kind == "f" else x

    def emit(self, k, x):
        return k.ceil(x)


class Trunc(_Step):
    """The integer part of each element.

    >>> kobai.trunc(kobai.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """

    takes = Only("iufV", "trunc_vml_cpu")
    alias = ("fix",)
    samples = unary(0.1, 0.9)

    def forward(self, x):
        return np.trunc(x) if x.dtype.kind == "f" else x

    def emit(self, k, x):
        return k.trunc(x)


class Round(_Step):
    """The nearest integer, halves to even, or with `decimals` the nearest decimal fraction."""

    takes = Only("iufV", "round_vml_cpu")
    decimals: int
    samples = unary(0.1, 0.4, params=(0,)) + unary(21, 24, params=(-1,)) + unary(2.11, 2.14, params=(1,))

    def forward(self, x):
        return np.round(x, self.decimals) if x.dtype.kind == "f" else x

    def emit(self, k, x):
        scale = 10.0 ** abs(self.decimals)
        if self.decimals > 0:
            return k.round(x * scale) / scale
        return k.round(x / scale) * scale if self.decimals else k.round(x)


@public("torch Tensor special", inplace=True)
def round(input, *, decimals=0):
    """The nearest integer, halves to even; `decimals` places behind the point.

    >>> kobai.round(kobai.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    """
    if decimals and dtype_of(input).kind in "iub":
        raise not_implemented("round_cpu", input)
    return (shown_as(Round(decimals), "RoundBackward1") if decimals else Round(0))(input)


class Frac(Elementwise):
    """The part behind the point, with the sign of x.

    >>> kobai.frac(kobai.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """

    takes = Only("fV", "frac_cpu")
    samples = unary(0.1, 0.9)
    d_x = 1

    def forward(self, x):
        return x - np.trunc(x)

    def emit(self, k, x):
        return x - k.trunc(x)


class FloorDivide(Elementwise):
    """a / b rounded down."""

    takes = Only("iufV", "div_floor_cpu")
    operator = "floordiv"
    samples = binary(1.1, 1.9)

    def forward(self, a, b):
        _refuse_zero(a, b)
        return np.floor_divide(a, b)

    def d_a(self, a):
        return m.zeros_like(a)

    def d_b(self, b):
        return m.zeros_like(b)

    def emit(self, k, a, b):
        k.refuse_zero(b)
        return a // b


class TruncDivide(Elementwise):
    """a / b rounded towards zero."""

    name = "trunc_divide"
    public = ""
    grad_name = "DivBackward1"
    samples = binary(1.1, 1.9)

    def forward(self, a, b):
        _refuse_zero(a, b)
        if np.result_type(a, b).kind in "iu":
            q = np.floor_divide(a, b)
            return q + ((a % b != 0) & ((a < 0) != (b < 0))).astype(q.dtype)
        return np.trunc(np.true_divide(a, b))

    def d_a(self, a):
        return m.zeros_like(a)

    def d_b(self, b):
        return m.zeros_like(b)

    def emit(self, k, a, b):
        k.refuse_zero(b)
        return k.trunc(a / b) if a.dtype[0] == "f" else a / b


def _refuse_zero(a, b):
    if np.result_type(a, b).kind in "iu" and np.any(np.asarray(b) == 0):
        raise error("zero-division")


class Remainder(Elementwise):
    """a - b * floor(a / b): the remainder with the sign of b.

    >>> kobai.remainder(kobai.tensor([-3, 5]), 2)
    tensor([1, 1])
    """

    takes = Only("iufV", "remainder_cpu")
    operator = "mod"
    public = "torch Tensor"
    samples = binary(1.1, 1.9)
    d_a = 1

    def forward(self, a, b):
        _refuse_zero(a, b)
        return np.remainder(a, b)

    def d_b(self, a, b):
        return -m.floor_divide(a, b)

    def emit(self, k, a, b):
        k.refuse_zero(b)
        return a % b


class Fmod(Elementwise):
    """a - b * trunc(a / b): the remainder with the sign of a."""

    takes = Only("iufV", "fmod_cpu")
    samples = binary(1.1, 1.9)
    d_a = 1

    def forward(self, a, b):
        _refuse_zero(a, b)
        return np.fmod(a, b)

    def d_b(self, a, b):
        return -m.trunc_divide(a, b)

    def emit(self, k, a, b):
        k.refuse_zero(b)
        return k.fmod(a, b)


class Frexp(Op):
    """Mantissa and exponent: x = mantissa * 2 ** exponent, 0.5 <= |mantissa| < 1."""

    outputs = "many"
    samples = [S((2, 3), smooth=False)]

    def forward(self, x):
        mantissa, exponent = np.frexp(x)
        return mantissa, exponent.astype(np.int32)

    def vjp_x(self, g, y):
        return g[0] / m.exp2(m.cast(y[1], dtype_of(g[0])))


@public()
def frexp(input):
    """(mantissa, exponent) with input = mantissa * 2 ** exponent."""
    return return_type("frexp", "mantissa", "exponent")(Frexp()(input))


class Copysign(Elementwise):
    """|a| with the sign of b."""

    takes = Only("biufV", "copysign_cpu")
    floats = True
    samples = binary(0.2, 2)

    def forward(self, a, b):
        return np.copysign(a, b)

    def vjp_a(self, g, a, y):
        zero = m.eq(a, 0)
        return m.where(zero, m.zeros_like(g), g * y / m.where(zero, m.zeros_like(a) + 1, a))

    def vjp_b(self, g):
        return m.zeros_like(g)

    def emit(self, k, a, b):
        return k.copysign(a, b)


class Nextafter(Elementwise):
    """The next floating-point number after a in the direction of b."""

    takes = Only("fV", "nextafter_cpu")
    ufunc = np.nextafter
    samples = [S((2, 3), (3,), smooth=False)]
    d_a = 1

    def vjp_b(self, g):
        return m.zeros_like(g)


class Heaviside(Elementwise):
    """0 below zero, 1 above it, and b where a is zero."""

    params = ("input", "values")
    ufunc = np.heaviside
    samples = predicate(2)

    def forward(self, a, b):
        if a.dtype.kind == "c":
            raise error("tensor-dtype", RuntimeError("heaviside is not yet implemented for complex tensors."),
                        what="input", dtype=a.dtype, fn="heaviside()", must="numbers that are not complex",
                        fix="complex numbers have no order: take x.abs(), x.angle(), x.real or x.imag first.")
        return np.where(a == 0, b, (a > 0).astype(a.dtype))


class NanToNum(Elementwise):
    """NaN and infinities replaced by numbers."""

    nan: float
    posinf: float
    neginf: float
    samples = unary(params=(0.0, None, None))

    def forward(self, x):
        if x.dtype.kind not in "fc":
            return x
        return np.nan_to_num(x, nan=self.nan, posinf=self.posinf, neginf=self.neginf)

    def vjp_x(self, g, x):
        return m.where(m.isfinite(x), g, m.zeros_like(g))


@public("torch Tensor", inplace=True)
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """NaN becomes `nan` (0), infinities `posinf` and `neginf` (the largest finite numbers)."""
    most = _MOST_OF_HALF.get(dtype_of(input).char)
    if most is not None:
        posinf, neginf = most if posinf is None else posinf, -most if neginf is None else neginf
    return NanToNum(0.0 if nan is None else nan, posinf, neginf)(input)


_MOST_OF_HALF = {"e": 65504.0, "E": 3.3895313892515355e38}  # float16, bfloat16: float32, in which they compute, has larger ones


class Lerp(Elementwise):
    """a + weight * (b - a)."""

    params = ("input", "end", "weight")
    samples = TRIPLES

    def forward(self, a, b, weight):
        near = np.abs(weight) < 0.5
        if weight.__class__ is not np.ndarray:
            return a + weight * (b - a) if near else b - (b - a) * (1 - weight)
        return np.where(near, a + weight * (b - a), b - (b - a) * (1 - weight)).astype(a.dtype)

    def d_a(self, weight):
        return 1 - weight

    def d_b(self, weight):
        return weight

    def d_weight(self, a, b):
        return b - a

    def emit(self, k, a, b, weight):
        return k.where(abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


class Addcmul(Elementwise):
    """c + value * a * b."""

    value: float
    samples = [S(*s.inputs, params=(1.5,), low=0.5, high=2) for s in TRIPLES]
    d_c = 1

    def forward(self, c, a, b):
        return c + c.dtype.type(self.value) * a * b

    def d_a(self, b):
        return b * self.value

    def d_b(self, a):
        return a * self.value

    def emit(self, k, c, a, b):
        return c + a * b * self.value


class Addcdiv(Elementwise):
    """c + value * a / b."""

    value: float
    floats = True
    samples = [S(*s.inputs, params=(1.5,), low=0.5, high=2) for s in TRIPLES]
    d_c = 1

    def forward(self, c, a, b):
        return c + c.dtype.type(self.value) * a / b

    def d_a(self, b):
        return self.value / b

    def d_b(self, a, b):
        return -self.value * a / (b * b)

    def emit(self, k, c, a, b):
        return c + a / b * self.value


@public("torch Tensor", inplace=True)
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2."""
    return Addcmul(value)(input, tensor1, tensor2)


@public("torch Tensor", inplace=True)
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2."""
    return Addcdiv(value)(input, tensor1, tensor2)
