"""Transcendental functions in terms of arithmetic, for backends whose machine has none.

`approximate` rewrites a kernel: exp, log, sin, tanh and the like become a reduction of the argument and
a polynomial, written in the same vocabulary, so the NumPy interpreter can run (and check) them too.
Errors stay below 2 ulp in f32 and 4 in f64 over the whole range, with the special values of C's library.
bfloat16, which has no arithmetic either, becomes operations on its bits.

Argument reduction follows W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980);
the polynomials are our own fits (tools/fit_polynomials.py).
"""

from __future__ import annotations

import math

from kobai.compile.builder import Builder, Value
from kobai.compile.coefficients import POLYNOMIALS, SPLIT, TABLES
from kobai.compile.kernel import Kernel, NoKernel, kind_of

# dtype: integer type of the bits, mantissa bits, exponent bias, largest |x| for a plain reduction by pi/2
_FORMAT = {"f32": ("i32", 23, 127, 1e5), "f64": ("i64", 52, 1023, 1e6)}


def approximate(kernel: Kernel, tables: bool = False) -> Kernel:
    """The same kernel without transcendental functions or bfloat16 casts.

    ``tables``: the machine finds numbers in tables as fast as it adds.
    """
    if not any(_is_function(n) or _is_bf16_cast(kernel, n) for n in kernel.nodes):
        return kernel
    k = Builder(kernel.name)
    k.operands = list(kernel.operands)
    values: list[Value] = []
    closely = {n.args for n in kernel.nodes if n.op == "exp" and n.attr == "close"}
    made: dict[tuple, Value] = {}  # of these one will do
    for node in kernel.nodes:
        args = [values[a] for a in node.args]
        if _is_function(node) and node.op == "exp" and node.args in closely:
            if node.args not in made:
                made[node.args] = _close_exp(k, *args)
            values.append(made[node.args])
        elif _is_function(node):
            by_table = tables and node.dtype == "f32" and node.op in TABLES
            values.append(_by_table(k, node.op, *args) if by_table else FUNCTIONS[node.op](k, *args))
        elif _is_bf16_cast(kernel, node):
            values.append(_cast_bf16(k, args[0], node.dtype))
        else:
            values.append(k._node(node.op, tuple(v.id for v in args), node.attr, node.dtype))
    return k.finish(*[values[i] for i in kernel.outputs])


def _is_function(node) -> bool:
    return node.op in FUNCTIONS and node.attr != "library"


def _horner(k: Builder, name: str, x: Value, skip: int = 0) -> Value:
    """The polynomial ``name`` at x; or what follows its first ``skip`` terms, divided by x**skip."""
    *rest, highest = POLYNOMIALS[name, x.dtype][skip:]
    result = k.const(highest, x.dtype)
    for c in reversed(rest):
        result = k.fma(result, x, c)
    return result


def _by_table(k: Builder, op: str, x: Value) -> Value:
    """An odd function that reaches 1: around each multiple of a width a polynomial of its own in the distance."""
    added, width, *coefficients = TABLES[op]
    magic = 1.5 * 2.0 ** _FORMAT[x.dtype][1]  # see _nearest_multiple
    a = k.minimum(abs(x), width * (len(coefficients[0]) - 1))
    shifted = k.fma(a, 1 / width, magic)
    y = k.fma(shifted - magic, -width, a)
    *rest, result = [k.table(c, k.bitcast(shifted, _FORMAT[x.dtype][0])) for c in coefficients]
    for c in reversed(rest):
        result = k.fma(result, y, c)
    return k.copysign(result + y if added else result, x)


def _library(k: Builder, op: str, *args: Value) -> Value:
    """The function itself, not approximated: the backend calls a library for each element."""
    return k._node(op, tuple(v.id for v in args), "library", args[0].dtype)


# --- exponential functions


def _nearest_multiple(k: Builder, x: Value, unit: float) -> Value:
    """The integer nearest to x / unit, if not too large: 1.5 * 2**mantissa leaves no room for a fraction."""
    magic = 1.5 * 2.0 ** _FORMAT[x.dtype][1]
    return k.fma(x, 1 / unit, magic) - magic


def _reduce_by_ln2(k: Builder, x: Value):
    """(n, r): x = n ln 2 + r with integral n and |r| <= ln 2 / 2."""
    n = _nearest_multiple(k, x, math.log(2))
    high, low, _ = SPLIT["LN2", x.dtype]
    return n, k.fma(n, -low, k.fma(n, -high, x))


def _limited(k: Builder, x: Value) -> Value:
    """x limited to where exp just overflows or vanishes, so that 2 ** (n - 1) does neither."""
    return k.clamp(x, {"f32": -105, "f64": -746}[x.dtype], _OVERFLOWS[x.dtype])


_OVERFLOWS = {"f32": 88.8, "f64": 709.9}  # from here on e ** x does


def exp(k: Builder, x: Value) -> Value:
    """e ** x.

    Where it vanishes nothing is scaled: many processors take a hundred cycles for a result below the normal numbers,
    and masked scores are full of -inf.
    """
    vanishes = x < {"f32": -104, "f64": -745.2}[x.dtype]
    n, r = _reduce_by_ln2(k, k.minimum(x, _OVERFLOWS[x.dtype]))
    power = k.fma(k.fma(_horner(k, "EXP", r), r, 1), r, 1)
    return k.where(vanishes, k.const(0, x.dtype), k.scale(power, n))


def _close_exp(k: Builder, x: Value) -> Value:
    """e ** x for x <= 0, with an operation more and less error: for use where divisions and sums add theirs."""
    vanishes = x < {"f32": -104, "f64": -745.2}[x.dtype]
    return k.where(vanishes, k.const(0, x.dtype), _bounded_exp(k, x))


def _bounded_exp(k: Builder, x: Value, extra: Value | None = None) -> Value:
    """e ** x = 2 ** n * (1 + r + r**2 q(r)) for x within `_limited`; ``extra`` is a small correction to x."""
    n, r = _reduce_by_ln2(k, x)
    if extra is not None:
        r = r + extra
    return k.scale(1 + k.fma(_horner(k, "EXP", r), r * r, r), n)


def _short_exp(k: Builder, x: Value, factor: int = 1) -> Value:
    """e ** (factor * x) for limited x, to about 1.5 ulp: for use where the error is scaled down after.

    ``factor`` is a power of two, which the constants take up.
    """
    n = _nearest_multiple(k, x, math.log(2) / factor)
    high, low, _ = SPLIT["LN2", x.dtype]
    r = k.fma(n, -low / factor, k.fma(n, -high / factor, x))
    *rest, highest = [c * factor**i for i, c in enumerate(POLYNOMIALS["EXP_SHORT", x.dtype])]
    result = k.const(highest, x.dtype)
    for c in reversed(rest):
        result = k.fma(result, r, c)
    return k.scale(result, n)


def expm1(k: Builder, x: Value) -> Value:
    """2 * (2 ** (n - 1) * (r + r**2 q(r)) + (2 ** (n - 1) - 1/2)); x itself where it is tiny.

    Half of it doubled, because 2 ** n overflows before the result does.
    """
    low, high = {"f32": (-20, 88.8), "f64": (-40, 709.9)}[x.dtype]  # below it is -1
    n, r = _reduce_by_ln2(k, k.clamp(x, low, high))
    p = k.fma(_horner(k, "EXP", r), r * r, r)
    power = k.scale(k.const(1, x.dtype), n - 1)
    half = k.fma(p, power, power - 0.5)
    return k.where(abs(x) < 2.0 ** -(_FORMAT[x.dtype][1] + 2), x, half + half)


def tanh(k: Builder, x: Value) -> Value:
    """x + x**3 p(x**2) near 0, and 1 - 2 / (e ** 2|x| + 1) above."""
    a, z = abs(x), x * x
    small = k.fma(_horner(k, "TANH", z) * z, a, a)
    large = 1 - 2 / (_short_exp(k, k.minimum(a, 30), factor=2) + 1)
    return k.copysign(k.where(a < 0.7, small, large), x)


# --- logarithms


def _split(k: Builder, x: Value):
    """(e, m): x = 2 ** e * m with m in [sqrt(1/2), sqrt 2), for normal positive x; e as integer."""
    integer, mantissa, bias, _ = _FORMAT[x.dtype]
    bits = k.bitcast(x, integer)
    root = {"f32": 0x3F3504F3, "f64": 0x3FE6A09E667F3BCD}[x.dtype]
    e = (bits - root) >> mantissa
    return e, k.bitcast(bits - (e << mantissa), x.dtype)


def _log_of(k: Builder, f: Value, e: Value) -> Value:
    """log(1 + f) + e ln 2 for small f."""
    if f.dtype == "f32":
        return k.fma(e, math.log(2), k.fma(k.fma(_horner(k, "LOG", f), f, -0.5), f * f, f))
    high, low, _ = SPLIT["LN2", f.dtype]
    half = 0.5 * f * f
    s = f / (2 + f)
    rest = s * k.fma(_horner(k, "LOG", s * s), s * s, half)
    return k.fma(e, high, f - (half - k.fma(e, low, rest)))


def _with_limits(k: Builder, x: Value, y: Value, zero: float) -> Value:
    """A logarithm's special values: -inf at x == ``zero``, NaN below, inf and NaN passed on."""
    y = k.where(x < math.inf, y, x)
    y = k.where(x == zero, k.const(-math.inf, x.dtype), y)
    return k.where(x < zero, k.const(math.nan, x.dtype), y)


def log(k: Builder, x: Value) -> Value:
    """log(m) + e ln 2 for x = 2 ** e * m; what is no positive normal number is looked at only where there is one."""
    _, mantissa, bias, _ = _FORMAT[x.dtype]
    normal = 2.0 ** (1 - bias)

    e, m = _split(k, x)
    y = _log_of(k, m - 1, k.cast(e, x.dtype))
    e, m = _split(k, x * 2.0 ** (mantissa + 1))
    unusual = k.where(x < normal, _log_of(k, m - 1, k.cast(e - (mantissa + 1), x.dtype)), y)
    return k.where(~((x >= normal) & (x < math.inf)), _with_limits(k, x, unusual, 0.0), y, rare=True)


def log1p(k: Builder, x: Value) -> Value:
    """As log, with m - 1 computed from x, not from the rounded 1 + x."""
    e, _ = _split(k, 1 + x)
    e = k.cast(e, x.dtype)
    power = k.scale(k.const(1, x.dtype), -e)
    y = _log_of(k, k.fma(x, power, power - 1), e)
    tiny = abs(x) < 2.0 ** -(_FORMAT[x.dtype][1] + 2)
    unusual = k.where(tiny, x, _with_limits(k, x, y, -1.0))
    return k.where(~((x > -1) & (x < math.inf)) | tiny, unusual, y, rare=True)


# --- trigonometry


def _reduce_by_half_pi(k: Builder, x: Value):
    """(q, r): x = q pi / 2 + r with integral q, given as an integer, and |r| <= pi / 4."""
    q = _nearest_multiple(k, x, math.pi / 2)
    r = x
    for part in SPLIT["HALF_PI", x.dtype]:
        r = k.fma(q, -part, r)
    return k.cast(q, "i32"), r


def _sine(k: Builder, op: str, x: Value) -> Value:
    """Sine or cosine of the remainder, by the quarter of the circle x falls in."""
    q, r = _reduce_by_half_pi(k, x)
    if op == "cos":
        q = q + 1
    z = r * r
    sine = k.fma(_horner(k, "SIN", z) * z, r, r)
    cosine = k.fma(_horner(k, "COS", z) * z, z, k.fma(z, -0.5, 1))
    y = k.where((q & 1) == 1, cosine, sine)
    y = k.where((q & 2) == 2, -y, y)
    limit = _FORMAT[x.dtype][3]
    return k.where(~(abs(x) < limit), _library(k, op, x), y, rare=True)


def sin(k: Builder, x: Value) -> Value:
    """Sine; huge arguments by the library."""
    return k.where(x == 0, x, _sine(k, "sin", x))


def cos(k: Builder, x: Value) -> Value:
    """Cosine; huge arguments by the library."""
    return _sine(k, "cos", x)


def atan(k: Builder, x: Value) -> Value:
    """atan t = t + t**3 p(t**2) for t <= 1, and pi/2 - atan(1/t) above."""
    a = abs(x)
    steep = a > 1
    t = k.where(steep, 1 / a, a)
    z = t * t
    rest = _horner(k, "ATAN", z) * z
    high, low, _ = SPLIT["HALF_PI", x.dtype]
    above = high - (k.fma(rest, t, -low) + t)
    return k.copysign(k.where(steep, above, k.fma(rest, t, t)), x)


# --- error function


def erf(k: Builder, x: Value) -> Value:
    """x + x p(x**2) near 0; 1 - e ** q(|x|) above, where q approximates log erfc."""
    a = abs(x)
    small = k.fma(_horner(k, "ERF_SMALL", x * x), x, x)
    limit = {"f32": 3.93, "f64": 5.93}[x.dtype]
    large = 1 - _short_exp(k, _horner(k, "ERF_LARGE", k.minimum(a, limit)))
    split = {"f32": 0.925, "f64": 1.0}[x.dtype]
    return k.where(a < split, small, k.copysign(large, x))


# --- powers


def pow(k: Builder, x: Value, y: Value) -> Value:
    """e ** (y log |x|), the logarithm in twice the precision, and C's special cases."""
    a = abs(x)
    if x.dtype == "f32":
        wide = _limited_product(k, k.cast(y, "f64"), log(k, k.cast(a, "f64")))
        size = k.cast(_bounded_exp(k, wide), "f32")
    else:
        high, low = _accurate_log(k, a)
        product = y * high
        rest = k.where(abs(product) < 800, k.fma(y, high, -product) + y * low, k.const(0, "f64"))
        size = _bounded_exp(k, _limited(k, product), rest)
    return _power_cases(k, x, y, a, size)


def _limited_product(k: Builder, y: Value, logarithm: Value) -> Value:
    return k.clamp(y * logarithm, -200, 200)


def _power_cases(k: Builder, x: Value, y: Value, a: Value, size: Value) -> Value:
    one, nan = k.const(1, x.dtype), k.const(math.nan, x.dtype)
    whole = k.floor(y) == y
    half = y * 0.5
    odd = whole & ~(k.floor(half) == half)
    size = k.where(a == 1, k.where(k.isnan(y), nan, one), size)
    size = k.where(k.signbit(x) & odd, -size, size)
    size = k.where((x < 0) & ~whole & (a < math.inf), nan, size)
    return k.where((y == 0) | (x == 1), one, size)


def _accurate_log(k: Builder, x: Value):
    """log x as a sum of two f64, for x >= 0: 2 s + s**3 (2/3 + ...) with s = f / (2 + f).

    Products and sums carry their rounding errors along (T. J. Dekker, *A floating-point technique for
    extending the available precision*, 1971).
    """
    _, mantissa, bias, _ = _FORMAT["f64"]
    subnormal = x < 2.0 ** (1 - bias)
    e, m = _split(k, k.where(subnormal, x * 2.0 ** (mantissa + 1), x))
    e = k.cast(e, "f64") - k.where(subnormal, k.const(mantissa + 1, "f64"), k.const(0, "f64"))
    f, d = m - 1, m + 1
    d_low = m - (d - 1)
    s = f / d
    s_low = k.fma(-s, d_low, k.fma(-s, d, f)) / d
    z = s * s
    cube = z * s
    cube_low = k.fma(z, s, -cube) + k.fma(s, s, -z) * s + 3 * z * s_low
    third, third_low = 2 / 3, 3.700743415417188e-17  # 2/3 as a sum
    t = cube * third
    t_low = k.fma(cube, third, -t) + k.fma(cube, third_low, cube_low * third)
    tail = k.fma(_horner(k, "LOG_LONG", z, skip=1), z, POLYNOMIALS["LOG_LONG", "f64"][0] - third) * cube
    ln2, ln2_low, _ = SPLIT["LN2", "f64"]
    high, low = _two_sum(e * ln2, 2 * s)
    high, more = _two_sum(high, t)
    low = low + more + k.fma(e, ln2_low, 2 * s_low + (t_low + tail))
    total = high + low
    special = _with_limits(k, x, total, 0.0)
    finite = abs(special) < math.inf
    return special, k.where(finite, low - (total - high), k.const(0, "f64"))


def _two_sum(a: Value, b: Value):
    """a + b and its rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


# --- bfloat16


def _is_bf16_cast(kernel: Kernel, node) -> bool:
    return node.op == "cast" and "bf16" in (node.dtype, kernel.nodes[node.args[0]].dtype)


def _cast_bf16(k: Builder, x: Value, dtype: str) -> Value:
    """To or from bfloat16, which is the upper half of a float32, rounded to nearest even."""
    if x.dtype == "bf16":
        wide = k.bitcast(k.cast(k.bitcast(x, "u16"), "u32") << 16, "f32")
        return k.cast(wide, dtype)
    if kind_of(x.dtype) not in "fhbui":
        raise NoKernel(f"no cast from {x.dtype} to bf16")
    x = k.cast(x, "f32")
    bits = k.bitcast(x, "u32")
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    quiet = (bits >> 16) | 0x40
    return k.bitcast(k.cast(k.where(k.isnan(x), quiet, rounded), "u16"), "bf16")


FUNCTIONS = {
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tanh": tanh,
    "atan": atan,
    "erf": erf,
    "pow": pow,
}
