"""Arithmetic whose last bit is PyTorch's, for random numbers that are to be the same.

PyTorch's compiled loops fuse multiply and add into one rounding (`fma`); they call the C library
for logarithms and sines of float64 (`c_library`); and they make normal float32 numbers with the
polynomials of the Cephes library (S. Moshier) instead (`normal_pairs`).
"""

import math

import numpy as np

__all__ = ["c_library", "fma", "normal_pairs"]


def c_library(name, x, dtype=np.float64):
    """log, sin, ... of float64 `x`, from the C library if a result of `dtype` would show it.

    NumPy's own loops are some ten times faster and differ in the last bit of a few float64,
    which rounding to a narrower dtype hides.

    >>> c_library("sqrt", np.array([4.0, 9.0]))
    array([2., 3.])
    """
    if dtype != np.float64:
        return getattr(np, name)(x)
    values = map(getattr(math, name), x.ravel().tolist())
    return np.fromiter(values, np.float64, x.size).reshape(x.shape)


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


def normal_pairs(u1, u2):
    """Two independent standard normal numbers for each pair of u1 in (0, 1] and u2 in [0, 1).

        n1 = r cos(2 pi u2),   n2 = r sin(2 pi u2),   r = sqrt(-2 log u1)

    (Box and Muller, 1958), for two arrays of float32 or of float64.

    >>> [n.tolist() for n in normal_pairs(np.ones(2), np.array([0.0, 0.5]))]
    [[0.0, -0.0], [0.0, 0.0]]
    """
    if u1.dtype == np.float64:
        radius, angle = np.sqrt(-2.0 * c_library("log", u1)), 2.0 * math.pi * u2
        return radius * c_library("cos", angle), radius * c_library("sin", angle)
    n1, n2 = np.empty(u1.shape, _f32), np.empty(u1.shape, _f32)
    inputs, outputs = (u1.reshape(-1), u2.reshape(-1)), (n1.reshape(-1), n2.reshape(-1))
    for start in range(0, u1.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        a, b = (u[part] for u in inputs)
        radius = np.sqrt(_f32(-2) * _log(a))
        sin, cos = _sin_cos(_f32(2 * math.pi) * b)
        np.multiply(radius, cos, out=outputs[0][part])
        np.multiply(radius, sin, out=outputs[1][part])
    return n1, n2


# The rest is float32. Each fused multiply-add is a float64 multiply and add.

_f32 = np.float32

_LOG = [
    _f32(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
]  # fmt: skip
_SIN = [_f32(c) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_COS = [_f32(c) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]
_SQRT_HALF = _f32(math.sqrt(0.5))
_LN2_HIGH, _LN2_LOW = _f32(0.693359375), _f32(-2.12194440e-4)
_QUARTER_PI = [_f32(c) for c in (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)]
_CHUNK = 8192  # elements worked on at a time, so that all temporaries stay in the cache


def _fma(wide, b, c):
    """wide * b + c, rounded once; all have float32 values, `wide` as float64."""
    t = wide * b
    t += c
    return t.astype(_f32)


def _polynomial(coefficients, x):
    """Horner's rule, highest coefficient first; `x` is float64 with float32 values."""
    y = coefficients[0]
    for c in coefficients[1:]:
        y = _fma(x, y, c)
    return y


def _log(x):
    """log x = e ln 2 + log m with x = m 2^e and m in [sqrt 1/2, sqrt 2)."""
    m, e = np.frexp(x)
    low = m < _SQRT_HALF
    e = (e - low).astype(_f32)
    m += np.where(low, m, _f32(0))
    m -= _f32(1)
    wide = m.astype(np.float64)
    square = m * m
    y = _polynomial(_LOG, wide) * m
    y = _fma(y.astype(np.float64), square, e * _LN2_LOW)
    y -= square * _f32(0.5)
    y += m
    return _fma(e.astype(np.float64), _LN2_HIGH, y)


def _sin_cos(x):
    """Sine and cosine for 0 <= x <= 2 pi: polynomials on [-pi/4, pi/4] and the octant `j`."""
    j = (x * _f32(4 / math.pi)).astype(np.int32)
    j += j & 1
    octant = j.astype(np.float64)
    for part in _QUARTER_PI:  # pi/4 in three parts, so that nothing is lost in the difference
        x = _fma(octant, -part, x)
    square = x * x
    wide = square.astype(np.float64)
    cos = _polynomial(_COS, wide) * square
    cos = _fma(wide, cos, square * _f32(-0.5))
    cos += _f32(1)
    sin = _polynomial(_SIN, wide) * square
    sin = _fma(x.astype(np.float64), sin, x)

    swapped = (j & 2) != 0
    sin, cos = np.where(swapped, cos, sin), np.where(swapped, sin, cos)
    np.negative(sin, out=sin, where=(j & 4) != 0)
    np.negative(cos, out=cos, where=((j + 2) & 4) != 0)
    return sin, cos
