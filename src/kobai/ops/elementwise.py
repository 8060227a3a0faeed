"""Arithmetic of each element: + - * / and their kin, powers, comparisons."""
from __future__ import annotations

import numpy as np

from ..op import Elementwise, apply1, m
from ..public import export, public
from ..testing.samples import Ints, S, binary, predicate, unary


class Add(Elementwise):
    """a + b."""

    ufunc = np.add
    operator = "add"
    public = ""
    samples = binary()
    d_a = d_b = 1

    def emit(self, k, a, b):
        return a + b


class AddScaled(Elementwise):
    """a + alpha * b."""

    alpha: float
    grad_name = "AddBackward0"
    samples = binary(params=(2.5,))
    d_a = 1

    def forward(self, a, b):
        return a + a.dtype.type(self.alpha) * b

    def d_b(self):
        return self.alpha

    def emit(self, k, a, b):
        return a + k.const(self.alpha) * b


class Sub(Elementwise):
    """a - b."""

    ufunc = np.subtract
    operator = "sub"
    public = ""
    samples = binary()
    d_a, d_b = 1, -1

    def emit(self, k, a, b):
        return a - b


class Mul(Elementwise):
    """Product of each pair of elements.

    >>> kobai.mul(kobai.tensor([1., 2.]), 3)
    tensor([3., 6.])
    """

    ufunc = np.multiply
    operator = "mul"
    alias = ("multiply",)
    samples = binary()

    def d_a(self, b):
        return b

    def d_b(self, a):
        return a

    def emit(self, k, a, b):
        return a * b


class Div(Elementwise):
    """a / b, as floats: integers become the default float dtype first."""

    ufunc = np.true_divide
    operator = "truediv"
    public = ""
    floats = True
    samples = binary(0.5, 2)

    def d_a(self, b):
        return 1 / b

    def d_b(self, b, y):
        return -y / b

    def vjp_a(self, g, b):
        return g / m.conj(b)

    def emit(self, k, a, b):
        return a / b


class Neg(Elementwise):
    """-x."""

    ufunc = np.negative
    alias = ("negative",)
    operator = "neg"
    linear = True
    samples = unary()
    d_x = -1

    def emit(self, k, x):
        return -x


class Tanh(Elementwise):
    """Hyperbolic tangent of each element.

    >>> kobai.tanh(kobai.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    ufunc = np.tanh
    floats = True
    samples = unary(-3, 3)

    def d_x(self, y):
        return 1 - y * y

    def emit(self, k, x):
        return k.tanh(x)


class PowNumber(Elementwise):
    """x ** exponent, with a number as the exponent."""

    exponent: float
    grad_name = "PowBackward0"
    samples = unary(0.5, 2, (3.0,)) + unary(-2, 2, (2,)) + unary(0.5, 2, (-1.5,))

    def forward(self, x):
        n = self.exponent
        if n == 2:
            return x * x
        if n == 3:
            return x * x * x
        return np.sqrt(x) if n == 0.5 and x.dtype.kind == "f" else x ** x.dtype.type(n)

    def d_x(self, x):
        n = self.exponent
        if n == 0:
            return m.zeros_like(x)
        return n * x if n == 2 else n * PowNumber(n - 1)(x)

    def emit(self, k, x):
        return k.pow(x, k.const(self.exponent))


class Pow(Elementwise):
    """a ** b for each pair of elements."""

    operator = ""
    public = ""
    samples = binary(0.5, 2)

    def forward(self, a, b):
        return np.power(a, b)

    def d_a(self, a, b):
        return m.where(b == 0, 0.0, b * m.pow(a, b - 1))

    def d_b(self, a, b, y):
        return m.where(m.logical_and(a == 0, b >= 0), 0.0, y * m.log(a))

    def emit(self, k, a, b):
        return k.pow(a, b)


class Log(Elementwise):
    """Natural logarithm of each element."""

    ufunc = np.log
    floats = True
    samples = unary(0.1, 3)

    def d_x(self, x):
        return 1 / x

    def emit(self, k, x):
        return k.log(x)


class Where(Elementwise):
    """a where `condition` holds, else b. The branch not taken gets a zero gradient, even if it is NaN."""

    public = ""
    common = ("a", "b")
    samples = [S(Ints((2, 3), 2), (2, 3), (3,)), S(Ints((), 2), (), (2,)), S(Ints((0, 1), 2), (0, 2), ())]

    def forward(self, condition, a, b):
        return np.where(condition, a, b)

    def vjp_a(self, g, condition):
        return m.where(condition, g, m.zeros_like(g))

    def vjp_b(self, g, condition):
        return m.where(condition, m.zeros_like(g), g)

    def emit(self, k, condition, a, b):
        return k.select(condition, a, b)


class ZerosLike(Elementwise):
    """Zeros of the same shape and dtype."""

    public = ""
    samples = predicate(1)

    def forward(self, x):
        return np.zeros_like(x)

    def emit(self, k, x):
        return k.const(0)


class Eq(Elementwise):
    """a == b, for each pair of elements."""

    ufunc = np.equal
    operator = "eq"
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.eq(a, b)


class Ne(Elementwise):
    """a != b, for each pair of elements."""

    ufunc = np.not_equal
    operator = "ne"
    alias = ("not_equal",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.ne(a, b)


class Lt(Elementwise):
    """a < b, for each pair of elements."""

    ufunc = np.less
    operator = "lt"
    alias = ("less",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.lt(a, b)


class Le(Elementwise):
    """a <= b, for each pair of elements."""

    ufunc = np.less_equal
    operator = "le"
    alias = ("less_equal",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.le(a, b)


class Gt(Elementwise):
    """a > b, for each pair of elements."""

    ufunc = np.greater
    operator = "gt"
    alias = ("greater",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.gt(a, b)


class Ge(Elementwise):
    """a >= b, for each pair of elements."""

    ufunc = np.greater_equal
    operator = "ge"
    alias = ("greater_equal",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.ge(a, b)


class LogicalAnd(Elementwise):
    """a and b, as truth values."""

    ufunc = np.logical_and
    common = ()
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.and_(k.ne(a, 0), k.ne(b, 0))


@public(inplace=True)
def add(input, other, *, alpha=1):
    """input + alpha * other."""
    return Add()(input, other) if alpha == 1 else AddScaled(alpha)(input, other)


@public(inplace=True, alias=("subtract",))
def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    return Sub()(input, other) if alpha == 1 else AddScaled(-alpha)(input, other)


@public(inplace=True, alias=("divide",))
def div(input, other, *, rounding_mode=None):
    """input / other; `rounding_mode` "floor" or "trunc" rounds the quotient."""
    return Div()(input, other)


@public("torch Tensor", inplace=True)
def pow(input, exponent):
    """input ** exponent, for tensors or a number as the exponent."""
    if isinstance(exponent, (int, float)):
        return PowNumber(exponent)(input)
    return Pow()(input, exponent)


@public()
def where(condition, input=None, other=None):
    """`input` where `condition` holds, else `other`."""
    return Where()(condition, input, other)


def _power(self, exponent):
    """self ** exponent."""
    return apply1(PowNumber(exponent), self) if type(exponent) in (int, float) else Pow()(self, exponent)


def _power_of(self, base):
    """base ** self."""
    return Pow()(base, self)


export("Tensor", "__pow__", _power)
export("Tensor", "__rpow__", _power_of)
