"""Arithmetic of each element: + - * / and their kin, powers, comparisons."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..inplace import inplace_op
from ..large import PLAIN
from ..op import Elementwise, apply2, dtype_of, m
from ..public import export, operator, public
from ..takes import Difference, Not, Only
from ..tensor import Tensor, wrap
from ..testing.samples import Ints, S, binary, predicate, unary
from .arguments import wrapped
from .labels import gradients_by


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
        d = getattr(a, "dtype", None) or b.dtype  # one of them may be a Python number
        return a + wrapped(d, self.alpha) * b

    def d_b(self):
        return self.alpha

    def emit(self, k, a, b):
        return a + k.const(self.alpha) * b


class Sub(Elementwise):
    """a - b."""

    takes = Difference()
    ufunc = np.subtract
    operator = "sub"
    public = ""
    samples = binary()
    d_a, d_b = 1, -1

    def emit(self, k, a, b):
        return a - b


class Rsub(Elementwise):
    """b - alpha * a: what `1 - x` records."""

    takes = Difference()
    alpha: float = 1
    grad_name = "RsubBackward1"
    samples = binary(params=(2.5,)) + binary()
    d_b = 1

    def forward(self, a, b):
        return b - a if self.alpha == 1 else b - wrapped(a.dtype, self.alpha) * a

    def d_a(self):
        return -self.alpha

    def emit(self, k, a, b):
        return b - a * self.alpha


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
    gradient_shown = gradients_by(a="DivBackward0(g, b)",
                                  b="MulBackward0(NegBackward0(g), DivBackward0(DivBackward0(a, b), b))")
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

    takes = Not(b="Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
                  "the `~` or `logical_not()` operator instead.")
    ufunc = np.negative
    alias = ("negative",)
    operator = "neg"
    linear = True
    samples = unary()
    d_x = -1

    def emit(self, k, x):
        return -x


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
        return k.where(condition, a, b)


class ZerosLike(Elementwise):
    """Zeros of the same shape and dtype."""

    public = ""
    samples = predicate(1)

    def forward(self, x):
        return np.zeros_like(x)

    def emit(self, k, x):
        return k.const(0)


m.zeros_like = ZerosLike()  # in rules; the public zeros_like has a dtype and a device


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

    takes = Only("biufV", "lt_cpu")
    ufunc = np.less
    operator = "lt"
    alias = ("less",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.lt(a, b)


class Le(Elementwise):
    """a <= b, for each pair of elements."""

    takes = Only("biufV", "le_cpu")
    ufunc = np.less_equal
    operator = "le"
    alias = ("less_equal",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.le(a, b)


class Gt(Elementwise):
    """a > b, for each pair of elements."""

    takes = Only("biufV", "gt_cpu")
    ufunc = np.greater
    operator = "gt"
    alias = ("greater",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.gt(a, b)


class Ge(Elementwise):
    """a >= b, for each pair of elements."""

    takes = Only("biufV", "ge_cpu")
    ufunc = np.greater_equal
    operator = "ge"
    alias = ("greater_equal",)
    samples = predicate(2)

    def emit(self, k, a, b):
        return k.ge(a, b)


@public(inplace=True, numbers=True)
def add(input, other, *, alpha=1):
    """input + alpha * other."""
    return Add()(input, other) if alpha == 1 else _scaled(input, other, alpha, 1, "add")


@public(inplace=True, alias=("subtract",), numbers=True)
def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    return Sub()(input, other) if alpha == 1 else _scaled(input, other, alpha, -1, "sub")


def _scaled(input, other, alpha, sign, name):
    """input + sign * alpha * other, if alpha is a number of the kind that the result has."""
    kind = dtypes.result_type([getattr(v, "_value", v) for v in (input, other)]).np.kind
    must = "a whole number" if kind in "iu" else "a number that is not complex"
    if isinstance(alpha, str) or alpha is None:
        raise error("argument-type", TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}"),
                    what="alpha", kind=type(alpha), must=must)
    if kind in "iu" and isinstance(alpha, (float, np.floating)):
        raise error("argument-value", RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."), what="alpha", value=alpha,
            must=must)
    if kind != "c" and isinstance(alpha, (complex, np.complexfloating)):
        raise error("argument-value", RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex number."), what="alpha", value=alpha, must=must)
    return AddScaled(sign * alpha)(input, other)


def _into(name, op, sign):
    """`add_` or `sub_` as `+=` does it; what is out of the ordinary goes the general way, which has the errors."""
    general = getattr(Tensor, name)

    def method(self, *args, **kwargs):
        try:
            other, = args
            if not kwargs:
                return inplace_op(op, self, other)
            x, y, alpha = self._data, other._data, kwargs["alpha"]
            if len(kwargs) == 1 and (alpha.__class__ is float or alpha.__class__ is int) and x.dtype is y.dtype \
                    and (x.dtype is _F32 or x.dtype is _F64) and y.size < PLAIN and modes.trace is None \
                    and not (self.is_meta or other.is_meta or modes.grad and (self._rg or other.requires_grad)):
                return inplace_op(_ADD, self, wrap(wrapped(x.dtype, sign * alpha) * y))
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        return general(self, *args, **kwargs)
    method.__name__ = method.__qualname__ = name
    method.__doc__ = general.__doc__
    export("torch Tensor", name, method)


_ADD, _F32, _F64 = Add(), np.dtype(np.float32), np.dtype(np.float64)
_into("add_", _ADD, 1)
_into("sub_", Sub(), -1)


def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return Rsub(alpha)(input, other)


export("torch Tensor", "rsub", rsub)
_REVERSED = Rsub(1)
export("Tensor", "__rsub__", operator(lambda self, other: apply2(_REVERSED, self, other)))
export("Tensor", "__rtruediv__", operator(lambda self, other: m.reciprocal(self) * other))  # as PyTorch records it


@public()
def positive(input):
    """The input itself; bool is refused."""
    if dtype_of(input).kind == "b":
        raise error("tensor-dtype", RuntimeError("The `+` operator, on a bool tensor is not supported."), what="input",
                    dtype=dtype_of(input), fn="+", must="numbers",
                    fix="convert it first: {what}.float() or {what}.int().")
    return input


export("Tensor", "__pos__", positive)


@public(inplace=True, alias=("divide",), numbers=True)
def div(input, other, *, rounding_mode=None):
    """input / other; `rounding_mode` "floor" or "trunc" rounds the quotient and keeps integers integers."""
    if rounding_mode is None:
        return Div()(input, other)
    if rounding_mode == "floor":
        return m.floor_divide(input, other)
    if rounding_mode == "trunc":
        return m.trunc_divide(input, other)
    raise error("argument-choice", RuntimeError(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"),
        what="rounding_mode", value=rounding_mode, choices=[None, "trunc", "floor"])


@public(inplace=True, numbers=True)
def true_divide(input, other):
    """input / other, as floats."""
    return Div()(input, other)
