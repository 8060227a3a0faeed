"""Truth values, bits, and questions about single numbers."""
from __future__ import annotations

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import type_word
from ..op import Elementwise, apply1, dtype_of, m
from ..public import export, operator, public
from ..takes import Only
from ..tensor import Tensor
from ..testing.samples import Ints, S, predicate
from .arguments import kind_of


class _Logical(Elementwise):
    common = ()

    def __init_subclass__(cls):
        cls.samples = predicate(cls.ufunc.nin)
        super().__init_subclass__()


class LogicalAnd(_Logical):
    """a and b, as truth values."""

    ufunc = np.logical_and

    def emit(self, k, a, b):
        return (a != 0) & (b != 0)


class LogicalOr(_Logical):
    """a or b, as truth values."""

    ufunc = np.logical_or

    def emit(self, k, a, b):
        return (a != 0) | (b != 0)


class LogicalXor(_Logical):
    """Either a or b, as truth values."""

    ufunc = np.logical_xor

    def emit(self, k, a, b):
        return (a != 0) ^ (b != 0)


class LogicalNot(_Logical):
    """not x, as a truth value."""

    ufunc = np.logical_not

    def emit(self, k, x):
        return x == 0


class _Bits(Elementwise):
    samples = [S(Ints((2, 3), 8), Ints((3,), 8), smooth=False)]


class BitwiseAnd(_Bits):
    """The bits set in both integers; `and` on bool."""

    takes = Only("biu", "bitwise_and_cpu")
    ufunc = np.bitwise_and
    operator = "and"

    def emit(self, k, a, b):
        return a & b


class BitwiseOr(_Bits):
    """The bits set in either integer; `or` on bool."""

    takes = Only("biu", "bitwise_or_cpu")
    ufunc = np.bitwise_or
    operator = "or"

    def emit(self, k, a, b):
        return a | b


class BitwiseXor(_Bits):
    """The bits set in exactly one of the integers."""

    takes = Only("biu", "bitwise_xor_cpu")
    ufunc = np.bitwise_xor
    operator = "xor"

    def emit(self, k, a, b):
        return a ^ b


class BitwiseLeftShift(_Bits):
    """The bits of a, b places higher."""

    takes = Only("iu", "lshift_cpu")
    ufunc = np.left_shift
    operator = "lshift"
    samples = [S(Ints((2, 3), 8), Ints((3,), 5), smooth=False)]

    def emit(self, k, a, b):
        return a << b


class BitwiseRightShift(_Bits):
    """The bits of a, b places lower; the sign stays."""

    takes = Only("iu", "rshift_cpu")
    ufunc = np.right_shift
    operator = "rshift"
    samples = [S(Ints((2, 3), 80), Ints((3,), 5), smooth=False)]

    def emit(self, k, a, b):
        return a >> b


class BitwiseNot(Elementwise):
    """All bits flipped; `not` on bool."""

    takes = Only("biu", "bitwise_not_cpu")
    ufunc = np.invert
    samples = [S(Ints((2, 3), 8), smooth=False)]

    def emit(self, k, x):
        return ~x


_NOT = BitwiseNot()


def invert(self):
    """All bits flipped; `not` on bool."""
    try:
        return apply1(_NOT, self)
    except NotImplementedError:
        if dtype_of(self).kind in "biu":
            raise
        raise error("tensor-dtype", TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors"),
                    what="the tensor after ~", dtype=dtype_of(self), fn="~", must="True and False, or whole numbers",
                    fix="turn a mask around, ~(x > 0); the negative is -x.") from None


export("Tensor", "__invert__", invert)


def _reversed(op):
    """The operator with a Python number on its left."""
    return operator(lambda self, other: op(other, self))


for _name, _kind in (("and", BitwiseAnd), ("or", BitwiseOr), ("xor", BitwiseXor), ("lshift", BitwiseLeftShift),
                     ("rshift", BitwiseRightShift)):
    export("Tensor", f"__r{_name}__", _reversed(_kind()))


class Gcd(Elementwise):
    """Greatest common divisor."""

    takes = Only("iu", "gcd_cpu")
    ufunc = np.gcd
    samples = [S(Ints((2, 3), 20), Ints((3,), 20), smooth=False)]


class Lcm(Elementwise):
    """Least common multiple."""

    takes = Only("iu", "lcm_cpu")
    ufunc = np.lcm
    samples = [S(Ints((2, 3), 20), Ints((3,), 20), smooth=False)]


class Isnan(Elementwise):
    """Whether each element is NaN."""

    inplace = False
    ufunc = np.isnan
    samples = predicate(1)

    def emit(self, k, x):
        return k.isnan(x)


class Isinf(Elementwise):
    """Whether each element is infinite."""

    inplace = False
    ufunc = np.isinf
    samples = predicate(1)

    def emit(self, k, x):
        return k.isinf(x)


class Isfinite(Elementwise):
    """Whether each element is neither infinite nor NaN."""

    inplace = False
    ufunc = np.isfinite
    samples = predicate(1)

    def emit(self, k, x):
        return k.isfinite(x)


class Isposinf(Elementwise):
    """Whether each element is +inf."""

    inplace = False
    samples = predicate(1)

    def forward(self, x):
        if x.dtype.kind == "c":
            raise error("tensor-dtype", RuntimeError("isposinf does not support complex inputs."), what="input",
                        dtype=x.dtype, fn="isposinf()", must="numbers that are not complex",
                        fix="x.abs() gives absolute values, x.real the real parts.")
        return x == np.inf

    def emit(self, k, x):
        return x == float("inf")


class Isneginf(Elementwise):
    """Whether each element is -inf."""

    inplace = False
    samples = predicate(1)

    def forward(self, x):
        if x.dtype.kind == "c":
            raise error("tensor-dtype", RuntimeError("isneginf does not support complex inputs."), what="input",
                        dtype=x.dtype, fn="isneginf()", must="numbers that are not complex",
                        fix="x.abs() gives absolute values, x.real the real parts.")
        return x == -np.inf

    def emit(self, k, x):
        return x == -float("inf")


class Isreal(Elementwise):
    """Whether each element has no imaginary part."""

    inplace = False
    samples = predicate(1)

    def forward(self, x):
        return np.isreal(x)


class Signbit(Elementwise):
    """Whether the sign bit is set: true of -0.0 too."""

    inplace = False
    samples = predicate(1)

    def forward(self, x):
        return np.signbit(x) if x.dtype.kind == "f" else x < 0

    def emit(self, k, x):
        return k.signbit(x)


class IsClose(Elementwise):
    """|a - b| <= atol + rtol * |b|."""

    rtol: float
    atol: float
    equal_nan: bool
    samples = [S((2, 3), (3,), params=(1e-5, 1e-8, False), smooth=False)]

    def forward(self, a, b):
        return np.isclose(a, b, self.rtol, self.atol, self.equal_nan)


@public()
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether |input - other| <= atol + rtol * |other|, for each pair of elements."""
    if dtype_of(input) != dtype_of(other):
        raise error("dtypes-differ", RuntimeError(f"{type_word(input)} did not match {type_word(other)}"),
                    what="input", dtype=dtype_of(input), other="other", other_dtype=dtype_of(other))
    if rtol < 0 or atol < 0:
        raise error("argument-value", RuntimeError(
            f"{'rtol' if rtol < 0 else 'atol'} must be greater than or equal to zero, but got "
            f"{rtol if rtol < 0 else atol:g}"), what="rtol" if rtol < 0 else "atol", value=rtol if rtol < 0 else atol,
            must="a number of at least {low}", low=0)
    return IsClose(float(rtol), float(atol), bool(equal_nan))(input, other)


@public()
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all pairs of elements are close, as a Python bool."""
    return bool(m.all(isclose(input, other, rtol, atol, equal_nan)))


@public()
def equal(input, other):
    """Whether two tensors have the same shape and elements, as a Python bool."""
    if not hasattr(other, "shape") or isinstance(other, np.generic) or \
            isinstance(other, np.ndarray) and isinstance(input, Tensor):
        raise error("not-tensor", function="equal", argument="other", place=2, got=kind_of(other))
    if input.__class__ is other.__class__ is Tensor and modes.trace is None:
        a, b = input._data, other._data
        if a.dtype is b.dtype and a.dtype.kind != "V":
            return a.shape == b.shape and bool(np.count_nonzero(a == b) == a.size)  # all() is Python's, and takes as long again
    return tuple(input.shape) == tuple(other.shape) and bool(m.all(m.eq(input, other)))


@public("torch")
def is_nonzero(input):
    """The truth value of a tensor of one element."""
    return bool(input)


export("Tensor", "is_nonzero", is_nonzero)


def contains(self, element):
    """Whether an element of the tensor equals a number, or an element of a tensor."""
    if not isinstance(element, (Tensor, int, float, complex, np.generic)):
        raise error("argument-type", RuntimeError(
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."),
            what="the value before `in`", kind=type(element), must="a tensor or a number",
            fix="look it up in a list or a dict.")
    return bool(m.any(m.eq(self, element)))


export("Tensor", "__contains__", contains)
