"""Arithmetic whose last bit is PyTorch's, for random numbers that are to be the same.

PyTorch's compiled loops fuse multiply and add into one rounding (`fma`); they call the C library
for logarithms and sines of float64 (`c_library`, `cos_sin`); and they make normal float32 numbers
with the polynomials of the Cephes library (S. Moshier) instead (`box_muller`).
"""

import math
from functools import lru_cache, partial

import numpy as np

__all__ = ["box_muller", "c_library", "cos_sin", "fma", "normal_pairs"]


def c_library(name, x, dtype=np.float64):
    """log, exp, ... of float64 `x`, from the C library if a result of `dtype` would show it.

    NumPy's own loops are many times faster and differ in the last bit of a few float64, which
    rounding to a narrower dtype hides.

    >>> c_library("sqrt", np.array([4.0, 9.0]))
    array([2., 3.])
    """
    if dtype is not np.float64 and dtype != np.float64:
        return getattr(np, name)(x)
    values = map(getattr(math, name), x.ravel().tolist())
    return np.fromiter(values, np.float64, x.size).reshape(x.shape)


def cos_sin(x):
    """Cosine and sine of float64 `x`, from the C library.

    >>> [v.tolist() for v in cos_sin(np.array([0.0, 0.5]))]
    [[1.0, 0.8775825618903728], [0.0, 0.479425538604203]]
    """
    if x.size < 64:
        return c_library("cos", x), c_library("sin", x)
    turned = np.exp(x * 1j)  # NumPy has no loop of its own for complex numbers
    return turned.real, turned.imag


def fma(x, scale, shift):
    """x * scale + shift with one rounding; `scale` and `shift` are numbers, rounded to x's dtype.

    >>> fma(np.array([0.1]), 10.0, -1.0)  # 0.1 is a little more than a tenth
    array([5.55111512e-17])
    """
    if scale == 1 and shift == 0:
        return x + x.dtype.type(0)  # of which only -0.0 notices
    if x.dtype == np.float32:  # the product of two float32 is exact in float64
        exact = x.astype(np.float64) * float(np.float32(scale))
        return (exact + float(np.float32(shift))).astype(np.float32)
    # Dekker's exact product and Knuth's exact sum; both errors are added at the end.
    product = x * scale
    (x_high, x_low), (s_high, s_low) = _halves(x), _halves(scale)
    error = ((x_high * s_high - product) + x_high * s_low + x_low * s_high) + x_low * s_low
    total = product + shift
    back = total - product
    return total + ((product - (total - back)) + (shift - back) + error)


def _halves(x):
    """Upper and lower half of the significand of a float64: products of halves are exact."""
    t = x * 134217729.0  # 2^27 + 1
    high = t - (t - x)
    return high, x - high


# ---------------------------------------------------------------------------- Box and Muller

_compiled_from = 1 << 15  # pairs in all, after which machine code pays for being made
_made = 0  # pairs until now
few: list = []  # what computes a few pairs by machine code, once a program has some: see backends/apply.py
_CHUNK = 8192  # pairs NumPy works on at a time, so that temporaries stay in the cache


def normal_pairs(u1, u2):
    """Two independent standard normal numbers for each pair of u1 in (0, 1] and u2 in [0, 1).

        n1 = r cos(2 pi u2),   n2 = r sin(2 pi u2),   r = sqrt(-2 log u1)

    (Box and Muller, 1958), for two arrays of float32 or of float64.

    >>> [n.tolist() for n in normal_pairs(np.full(2, 0.5), np.array([0.0, 0.5]))]
    [[1.1774100225154747, -1.1774100225154747], [0.0, 1.4419114153575892e-16]]
    """
    if u1.dtype == np.float64:
        radius, (cos, sin) = np.sqrt(-2.0 * c_library("log", u1)), cos_sin(2.0 * math.pi * u2)
        return radius * cos, radius * sin
    if few and u1.size < 512:
        return few[0](u1, u2)
    global _made
    _made += u1.size
    if u1.size >= 512 and _made >= _compiled_from and (compiled := _compiled_box_muller()):
        return compiled(u1, u2)
    if u1.size <= _CHUNK:
        return box_muller(_OnArrays, u1, u2)
    u1, u2 = (np.array_split(u.ravel(), u.size // _CHUNK) for u in (u1.copy(), u2))
    n1, n2 = zip(*(box_muller(_OnArrays, a, b) for a, b in zip(u1, u2)))
    return np.concatenate(n1), np.concatenate(n2)


def box_muller(k, u1, u2):
    """`normal_pairs` for float32; `k` is a kernel builder, or `_OnArrays`."""
    radius = k.sqrt(_log(k, u1) * -2.0)
    cos, sin = _cos_sin(k, u2 * _TWO_PI)
    return radius * cos, radius * sin


@lru_cache(maxsize=1)
def _compiled_box_muller():
    """`box_muller` as machine code, or None without a compiler."""
    from kobai.backends import llvm  # noqa: PLC0415 -- slow to load
    from kobai.compile.builder import build  # noqa: PLC0415 -- needed for the other only
    if not llvm.available:
        return None
    return partial(llvm.run, build(box_muller, ["f32", "f32"], "box_muller"))


class _OnArrays:
    """The builder's operations that `box_muller` needs, done at once on float32 arrays."""

    types = {"f32": np.float32, "i32": np.int32}
    sqrt, where = np.sqrt, np.where

    def fma(a, b, c):
        product = np.multiply(a, b, dtype=np.float64)  # exact, which leaves one rounding
        product += c
        return product.astype(np.float32)

    def cast(a, dtype):
        return a.astype(_OnArrays.types[dtype])

    def bitcast(a, dtype):
        return a.view(_OnArrays.types[dtype])


def _float32(*numbers):
    return [float(np.float32(n)) for n in numbers]


_LOG = _float32(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_SIN = _float32(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _float32(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SQRT_HALF, _TWO_PI, _OCTANTS = _float32(math.sqrt(0.5), 2 * math.pi, 4 / math.pi)
_LN2_HIGH, _LN2_LOW = _float32(0.693359375, -2.12194440e-4)
_QUARTER_PI = _float32(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)


def _polynomial(k, coefficients, x):
    """Horner's rule, highest coefficient first."""
    y = coefficients[0]
    for c in coefficients[1:]:
        y = k.fma(x, y, c)
    return y


def _log(k, x):
    """log x = e ln 2 + log m with x = m 2^e and m in [sqrt 1/2, sqrt 2), for normal x > 0."""
    bits = k.bitcast(x, "i32")
    m = k.bitcast((bits & 0x7FFFFF) | 0x3F000000, "f32")
    low = m < _SQRT_HALF
    e = k.cast((bits >> 23) - 126, "f32") - k.cast(low, "f32")
    m = m + k.where(low, m, 0.0) - 1.0
    square = m * m
    y = _polynomial(k, _LOG, m) * m
    y = k.fma(y, square, e * _LN2_LOW) - square * 0.5
    return k.fma(e, _LN2_HIGH, m + y)


def _cos_sin(k, x):
    """Cosine and sine for 0 <= x <= 2 pi: polynomials on [-pi/4, pi/4], chosen by the octant."""
    octant = k.cast(x * _OCTANTS, "i32")
    octant = octant + (octant & 1)
    steps = k.cast(octant, "f32")
    for part in _QUARTER_PI:  # pi/4 in three parts, so that nothing is lost in the difference
        x = k.fma(steps, -part, x)
    square = x * x
    cos = _polynomial(k, _COS, square) * square
    cos = k.fma(square, cos, square * -0.5) + 1.0
    sin = _polynomial(k, _SIN, square) * square
    sin = k.fma(x, sin, x)

    swap = (octant & 2) != 0
    cos, sin = k.where(swap, sin, cos), k.where(swap, cos, sin)
    return k.where(((octant + 2) & 4) != 0, -cos, cos), k.where((octant & 4) != 0, -sin, sin)
