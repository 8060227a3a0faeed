"""Operations on each element: + - * / and their kin, comparisons, functions of one number."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .errors import invalid, mismatch, not_allowed, shapes_meet_not
from .names import export
from .rules import FirstMaximum, FirstMinimum, Power, SafeDivide, SafeMultiply
from .slices import IndexedSlices, on_values
from .tensors import EagerTensor, box
from .values import is_tensor_like, same_dtype, value_of

_FLOATS = ("bfloat16", "half", "float", "double", "complex64", "complex128")


# ---- two inputs ------------------------------------------------------------------------------
def pair(x, y, op):
    """The values of two inputs; a Python number stays one where it fits the other's dtype."""
    if is_tensor_like(x):
        a = value_of(x)
        b = y if _fits(y, a) else value_of(y, hint=dtypes.of(a._value.dtype))
    elif is_tensor_like(y):
        b = value_of(y)
        a = x if _fits(x, b) else value_of(x, hint=dtypes.of(b._value.dtype))
    else:
        a = value_of(x)
        b = value_of(y, dtypes.of(a._value.dtype))
        return a, b
    if a is not x and b is not y and a._value.dtype != b._value.dtype:
        raise mismatch(op, 1, dtypes.of(a._value.dtype), dtypes.of(b._value.dtype))
    return a, b


def _fits(number, t):
    kind = t._value.dtype.kind
    return type(number) is float and kind in "fV" or type(number) is int and (
        kind in "fV" or kind in "iu" and -2 ** 31 <= number < 2 ** 31)


def apply(op, fn, a, b):
    """`fn(a, b)`, with TensorFlow's exception for what cannot be."""
    try:
        return box(fn(a, b))
    except RuntimeError as e:
        raise refusal(op, a, b, e) from None


def refusal(op, a, b, e):
    """TensorFlow's exception for inputs that kobai refused with `e`."""
    a, b = np.shape(getattr(a, "_value", a)), np.shape(getattr(b, "_value", b))
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return shapes_meet_not(invalid(op, f"Incompatible shapes: {_listed(a)} vs. {_listed(b)}"), "x", a, "y", b)
    if "ZeroDivision" in str(e):
        return error("data-range", invalid(op, "Integer division by zero"), what="y", value=0,
                     must="a number other than 0", fix="floats give inf instead: tf.cast(x, tf.float32) / y.")
    return error("operation-inputs", invalid(op, str(e).splitlines()[0]), op=op, shape=a, other_shape=b,
                 why="{op} does not take inputs of shapes {shape} and {other_shape}.",
                 fix="look at the lines that make the two inputs.")


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def _binary(fn, op, doc, *names):
    def call(x, y, name=None):
        a, b = pair(x, y, op)
        return apply(op, fn, a, b)
    return _dress(call, names, doc)


def _dress(call, names, doc):
    call.__name__ = call.__qualname__ = names[0].rpartition(".")[2]
    call.__doc__ = doc
    return export(*names)(call)


_first_maximum, _first_minimum, _power = FirstMaximum(), FirstMinimum(), Power()
subtract = _binary(m.sub, "Sub", "x - y.", "subtract", "math.subtract")
multiply = _binary(m.mul, "Mul", "x * y.", "multiply", "math.multiply")
maximum = _binary(_first_maximum, "Maximum", "The larger of each pair; at a tie x gets the gradient.", "maximum",
                  "math.maximum")
minimum = _binary(_first_minimum, "Minimum", "The smaller of each pair; at a tie x gets the gradient.", "minimum",
                  "math.minimum")
floormod = _binary(m.remainder, "FloorMod", "x - y * floor(x / y): the remainder with the sign of y.",
                   "math.floormod", "math.mod")
atan2 = _binary(m.atan2, "Atan2", "The angle of the point (y, x).", "atan2", "math.atan2")
igamma = _binary(m.igamma, "Igamma", "The lower regularised incomplete gamma function.", "math.igamma")
igammac = _binary(m.igammac, "Igammac", "The upper regularised incomplete gamma function.", "math.igammac")
zeta = _binary(lambda x, q: m.zeta(x.detach(), q), "Zeta", "The Hurwitz zeta function; no gradient by x.", "math.zeta")
nextafter = _binary(m.nextafter, "NextAfter", "The number next to x in the direction of y.", "math.nextafter")
truncatemod = _binary(m.fmod, "TruncateMod", "The remainder with the sign of x.", "truncatemod")


@export("add", "math.add")
def add(x, y, name=None):
    """x + y; of strings, one after the other.

    >>> print(add([1, 2], 3))
    tf.Tensor([4 5], shape=(2,), dtype=int32)
    """
    a, b = pair(x, y, "AddV2")
    if _is_text(a):
        return box(wrap(np.asarray(a._value + b._value, object)))
    return apply("AddV2", m.add, a, b)


def _is_text(t):
    return getattr(getattr(t, "_value", None), "dtype", None) == np.dtype(object)


@export("truediv", "math.truediv", "realdiv")
def truediv(x, y, name=None):
    """x / y as floats: integers of 32 and 64 bits are divided as float64, shorter ones as float32."""
    a, b = pair(x, y, "RealDiv")
    t = a if hasattr(a, "_value") else b
    if t._value.dtype.kind in "iub":
        to = np.float32 if t._value.dtype.itemsize < 4 else np.float64
        a, b = [m.cast(v, np.dtype(to)) if hasattr(v, "_value") else float(v) for v in (a, b)]
    return apply("RealDiv", m.div, a, b)


divide = export("divide", "math.divide")(truediv)


@export("math.floordiv", "floordiv")
def floordiv(x, y, name=None):
    """x / y rounded down. It has no gradient."""
    a, b = pair(x, y, "FloorDiv")
    return apply("FloorDiv", m.floor_divide, *[v.detach() if hasattr(v, "_value") else v for v in (a, b)])


@export("truncatediv")
def truncatediv(x, y, name=None):
    """x / y rounded towards zero. It has no gradient."""
    a, b = pair(x, y, "TruncateDiv")
    return apply("TruncateDiv", m.trunc_divide, *[v.detach() if hasattr(v, "_value") else v for v in (a, b)])


def _is_whole(x):
    return x._value.dtype.kind in "iu" if hasattr(x, "_value") else type(x) is int


@export("pow", "math.pow")
def pow(x, y, name=None):
    """x ** y.

    >>> print(pow(2., 3))
    tf.Tensor(8.0, shape=(), dtype=float32)
    """
    a, b = pair(x, y, "Pow")
    if _is_whole(a) and _is_whole(b) and np.any(np.asarray(getattr(b, "_value", b)) < 0):
        raise error("operation-inputs", invalid("Pow", "Integers to negative integer powers are not allowed"),
                    why="an integer to a negative power is a fraction, which no integer holds.",
                    fix="cast to floats first: tf.cast(x, tf.float32).")
    if not hasattr(b, "_value"):
        return apply("Pow", m.pow, a, b)
    a = a if hasattr(a, "_value") else wrap(b._value.dtype.type(a))
    return apply("Pow", _power if b._value.dtype.kind in "fcV" else m.pow, a, b)


def _unless_zero(fn, op, doc, name):
    """fn(x, y), and 0 (without gradients) where x is 0, whatever y is there."""
    def call(x, y, name=None):
        a, b = same_dtype(op, x, y)
        zero = m.eq(a, 0)
        safe = m.where(zero, m.zeros_like(b) + 1, b)
        return box(m.where(zero, m.zeros_like(safe), fn(a, safe)))
    return _dress(call, (name,), doc)


xdivy = _unless_zero(m.div, "Xdivy", "x / y, and 0 where x is 0.", "math.xdivy")
xlogy = _unless_zero(lambda a, b: a * m.log(b), "Xlogy", "x * log(y), and 0 where x is 0.", "math.xlogy")
xlog1py = _unless_zero(lambda a, b: a * m.log1p(b), "Xlog1py", "x * log1p(y), and 0 where x is 0.", "math.xlog1py")


def _safe(rule, op, doc, name):
    def call(x, y, name=None):
        return apply(op, rule, *same_dtype(op, x, y))
    return _dress(call, (name,), doc)


divide_no_nan = _safe(SafeDivide(), "DivNoNan", "x / y, and 0 where y is 0.", "math.divide_no_nan")
multiply_no_nan = _safe(SafeMultiply(), "MulNoNan", "x * y, and 0 where y is 0.", "math.multiply_no_nan")


@export("math.squared_difference")
def squared_difference(x, y, name=None):
    """(x - y) ** 2."""
    a, b = pair(x, y, "SquaredDifference")
    return square(apply("SquaredDifference", m.sub, a, b))


@export("math.scalar_mul", "scalar_mul")
def scalar_mul(scalar, x, name=None):
    """scalar * x."""
    return on_values(lambda v: multiply(scalar, v), x)


@export("math.add_n", "add_n", "math.accumulate_n")
def add_n(inputs, name=None):
    """The sum of several tensors of one shape."""
    if not isinstance(inputs, (list, tuple)):
        inputs = [inputs]
    if not inputs:
        raise error("argument-count", ValueError("Inputs must be an iterable of at least one Tensor/IndexedSlices with the "
                                                 "same dtype and shape."),
                    what="inputs", count=0, need="at least {n}", n=1)
    total, *rest = same_dtype("AddN", *inputs)
    for t in rest:
        total = total + t
    return box(total if rest else m.identity(total))


@export("math.polyval")
def polyval(coeffs, x, name=None):
    """The polynomial whose coefficients, highest power first, are the tensors of a list."""
    if not isinstance(coeffs, list):
        raise error("argument-type", ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}."),
                    what="coeffs", kind=type(coeffs), must="a list of tensors")
    if not coeffs:
        return zeros_of(x)
    total = coeffs[0]
    for c in coeffs[1:]:
        total = add(c, multiply(total, x))
    return total


def zeros_of(x):
    """Zeros of the shape and dtype of x."""
    return box(m.zeros_like(value_of(x).detach()))


# ---- comparisons -----------------------------------------------------------------------------
less = _binary(m.lt, "Less", "x < y.", "less", "math.less")
less_equal = _binary(m.le, "LessEqual", "x <= y.", "less_equal", "math.less_equal")
greater = _binary(m.gt, "Greater", "x > y.", "greater", "math.greater")
greater_equal = _binary(m.ge, "GreaterEqual", "x >= y.", "greater_equal", "math.greater_equal")


def _equality(fn, ufunc, op):
    def call(x, y, name=None):
        a, b = pair(x, y, op)
        if _is_text(a):
            return box(wrap(np.asarray(ufunc(a._value, b._value), np.bool_)[()]))
        return apply(op, fn, a, b)
    return call


equal = _dress(_equality(m.eq, np.equal, "Equal"), ("equal", "math.equal"), "x == y, for each pair.")
not_equal = _dress(_equality(m.ne, np.not_equal, "NotEqual"), ("not_equal", "math.not_equal"), "x != y, for each pair.")


def equals(x, y):
    """x == y: False where shapes cannot be matched, or against None."""
    return False if y is None else _or_scalar(equal, x, y, False)


def differs(x, y):
    """x != y: True where shapes cannot be matched, or against None."""
    return True if y is None else _or_scalar(not_equal, x, y, True)


def _or_scalar(fn, x, y, otherwise):
    try:
        return fn(x, y)
    except Exception as e:
        if "Incompatible shapes" in str(e):
            return box(wrap(np.bool_(otherwise)))
        raise


def _logical(fn, op, doc, name):
    def call(x, y, name=None):
        a, b = [value_of(v, dtypes.bool_) for v in (x, y)]
        return apply(op, fn, a, b)
    return _dress(call, (name, "math." + name), doc)


logical_and = _logical(m.logical_and, "LogicalAnd", "x and y, of bools.", "logical_and")
logical_or = _logical(m.logical_or, "LogicalOr", "x or y, of bools.", "logical_or")
logical_xor = _logical(m.logical_xor, "LogicalXor", "Either x or y, of bools.", "logical_xor")


@export("logical_not", "math.logical_not")
def logical_not(x, name=None):
    """not x, of bools."""
    return box(m.logical_not(value_of(x, dtypes.bool_)))


bitwise_and = _binary(m.bitwise_and, "BitwiseAnd", "x & y, bit by bit.", "bitwise.bitwise_and")
bitwise_or = _binary(m.bitwise_or, "BitwiseOr", "x | y, bit by bit.", "bitwise.bitwise_or")
bitwise_xor = _binary(m.bitwise_xor, "BitwiseXor", "x ^ y, bit by bit.", "bitwise.bitwise_xor")
left_shift = _binary(m.bitwise_left_shift, "LeftShift", "x << y.", "bitwise.left_shift")
right_shift = _binary(m.bitwise_right_shift, "RightShift", "x >> y.", "bitwise.right_shift")


@export("bitwise.invert")
def invert_bits(x, name=None):
    """~x, bit by bit."""
    return box(m.bitwise_not(value_of(x)))


def _bools(x, y):
    t = value_of(x if is_tensor_like(x) else y)
    return t._value.dtype.kind == "b"


def and_(x, y):
    """x & y: logical for bools, else bit by bit."""
    return (logical_and if _bools(x, y) else bitwise_and)(x, y)


def or_(x, y):
    """x | y: logical for bools, else bit by bit."""
    return (logical_or if _bools(x, y) else bitwise_or)(x, y)


def xor_(x, y):
    """x ^ y: logical for bools, else bit by bit."""
    return (logical_xor if _bools(x, y) else bitwise_xor)(x, y)


def invert(x):
    """~x: logical for bools, else bit by bit."""
    return (logical_not if value_of(x)._value.dtype.kind == "b" else invert_bits)(x)


# ---- one input -------------------------------------------------------------------------------
def unary(fn, op, doc, *names, kinds="fcV"):
    """A function of one number, for dtypes of these kinds."""
    def call(x, name=None):
        t = value_of(x)
        if t._value.dtype.kind not in kinds:
            raise not_allowed(op, "x", dtypes.of(t._value.dtype), _FLOATS)
        return box(fn(t))
    return _dress(call, names, doc)


def _both(name):
    return name, "math." + name


exp = unary(m.exp, "Exp", "e ** x.", *_both("exp"))
expm1 = unary(m.expm1, "Expm1", "e ** x - 1, precise near 0.", "math.expm1")
log = unary(m.log, "Log", "The natural logarithm.", "math.log")
log1p = unary(m.log1p, "Log1p", "log(1 + x), precise near 0.", "math.log1p")
sqrt = unary(m.sqrt, "Sqrt", "The square root.", *_both("sqrt"))
rsqrt = unary(m.rsqrt, "Rsqrt", "1 / sqrt(x).", "math.rsqrt")
sin = unary(m.sin, "Sin", "The sine.", *_both("sin"))
cos = unary(m.cos, "Cos", "The cosine.", *_both("cos"))
tan = unary(m.tan, "Tan", "The tangent.", *_both("tan"))
asin = unary(m.asin, "Asin", "The inverse sine.", *_both("asin"))
acos = unary(m.acos, "Acos", "The inverse cosine.", *_both("acos"))
atan = unary(m.atan, "Atan", "The inverse tangent.", *_both("atan"))
sinh = unary(m.sinh, "Sinh", "The hyperbolic sine.", *_both("sinh"))
cosh = unary(m.cosh, "Cosh", "The hyperbolic cosine.", *_both("cosh"))
tanh = unary(m.tanh, "Tanh", "The hyperbolic tangent.", "tanh", "math.tanh", "nn.tanh")
asinh = unary(m.asinh, "Asinh", "The inverse hyperbolic sine.", *_both("asinh"))
acosh = unary(m.acosh, "Acosh", "The inverse hyperbolic cosine.", *_both("acosh"))
atanh = unary(m.atanh, "Atanh", "The inverse hyperbolic tangent.", *_both("atanh"))
sigmoid = unary(m.sigmoid, "Sigmoid", "1 / (1 + e ** -x).", "sigmoid", "math.sigmoid", "nn.sigmoid")
log_sigmoid = unary(m.logsigmoid, "LogSigmoid", "log(sigmoid(x)).", "math.log_sigmoid")
erf = unary(m.erf, "Erf", "The error function.", "math.erf")
erfc = unary(m.erfc, "Erfc", "1 - erf(x).", "math.erfc")
erfinv = unary(m.erfinv, "Erfinv", "The inverse of erf.", "math.erfinv")
ndtri = unary(m.ndtri, "Ndtri", "The quantile of the standard normal distribution.", "math.ndtri")
lgamma = unary(m.lgamma, "Lgamma", "log|gamma(x)|.", "math.lgamma")
digamma = unary(m.digamma, "Digamma", "The derivative of lgamma.", "math.digamma")
bessel_i0 = unary(m.i0, "BesselI0", "The modified Bessel function of order 0.", "math.bessel_i0",
                  "math.special.bessel_i0")
bessel_i1 = unary(m.i1, "BesselI1", "The modified Bessel function of order 1.", "math.bessel_i1",
                  "math.special.bessel_i1")
bessel_i0e = unary(m.i0e, "BesselI0e", "e ** -|x| * bessel_i0(x).", "math.bessel_i0e", "math.special.bessel_i0e")
bessel_i1e = unary(m.i1e, "BesselI1e", "e ** -|x| * bessel_i1(x).", "math.bessel_i1e", "math.special.bessel_i1e")
reciprocal = unary(m.reciprocal, "Reciprocal", "1 / x.", "math.reciprocal")
negative = unary(m.neg, "Neg", "-x.", *_both("negative"), kinds="fcViu")
square = unary(m.square, "Square", "x * x.", *_both("square"), kinds="fcViu")
sign = unary(m.sgn, "Sign", "-1, 0 or 1 by the sign; x / |x| of complex numbers.", *_both("sign"), kinds="fcViu")
conj = unary(m.conj, "Conj", "The complex conjugate.", "math.conj", kinds="fcViu")
abs = unary(m.abs, "Abs", "The absolute value.", *_both("abs"), kinds="fcViu")
is_nan = unary(m.isnan, "IsNan", "Whether x is not a number.", "math.is_nan")
is_inf = unary(m.isinf, "IsInf", "Whether x is infinite.", "math.is_inf")
is_finite = unary(m.isfinite, "IsFinite", "Whether x is a finite number.", "math.is_finite")


def _rounded(fn, op, doc, *names):
    return unary(lambda t: t.detach() if t._value.dtype.kind in "iu" else fn(t.detach()), op, doc + " It has no gradient.", *names,
                 kinds="fViu")


floor = _rounded(m.floor, "Floor", "x rounded down.", *_both("floor"))
ceil = _rounded(m.ceil, "Ceil", "x rounded up.", "math.ceil")
round = _rounded(m.round, "Round", "The nearest whole number, the even one of two.", *_both("round"))
rint = _rounded(m.round, "Rint", "The nearest whole number, the even one of two.", "math.rint")


@export("math.reciprocal_no_nan")
def reciprocal_no_nan(x, name=None):
    """1 / x, and 0 where x is 0."""
    return divide_no_nan(1.0, value_boxed(x))


@export("math.polygamma")
def polygamma(a, x, name=None):
    """The a-th derivative of digamma, at x."""
    n, x = same_dtype("Polygamma", a, x)
    n = n.detach()
    sign = 1 - 2 * m.remainder(n + 1, 2)
    series = sign * m.exp(m.lgamma(n + 1)) * m.zeta(m.clamp_min(n, 1) + 1, x)
    return box(m.where(m.eq(n, 0), m.digamma(x), series))


@export("math.erfcinv")
def erfcinv(x, name=None):
    """The inverse of erfc."""
    return box(m.erfinv(1 - value_of(x)))


@export("math.real")
def real(input, name=None):
    """The real part."""
    t = value_of(input)
    return box(m.real(t) if t._value.dtype.kind == "c" else t)


@export("math.imag")
def imag(input, name=None):
    """The imaginary part."""
    t = value_of(input)
    return box(m.imag(t) if t._value.dtype.kind == "c" else m.zeros_like(t))


@export("math.angle")
def angle(input, name=None):
    """The angle of complex numbers."""
    return box(m.angle(value_of(input)))


@export("complex", "dtypes.complex_")
def complex_(real, imag, name=None):
    """real + i * imag."""
    a, b = same_dtype("Complex", real, imag)
    return box(m.complex(a, b))


@export("clip_by_value")
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """t kept between two limits, at which the gradient still passes."""
    if isinstance(t, IndexedSlices):
        return t.with_values(clip_by_value(t.values, clip_value_min, clip_value_max))
    x = value_of(t)
    low, high = clip_value_min, clip_value_max
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        return box(m.clamp(x, low, high))
    d = dtypes.of(x._value.dtype)
    return box(m.clamp_tensors(x, value_of(low, hint=d), value_of(high, hint=d)))


def value_boxed(x):
    """x as a tensor, or as it is."""
    return x if isinstance(x, EagerTensor) else box(value_of(x))
