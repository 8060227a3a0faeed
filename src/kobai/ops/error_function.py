"""erf of float32 by NumPy alone: importing SciPy takes a third of a second, more than most programs compute.

The polynomials are those of machine code for float64 (`kobai.compile.coefficients`), so what is lost is far below the
rounding to float32.
"""
from __future__ import annotations

import numpy as np

_BLOCK = 8192  # elements done at a time: they stay in the cache
_LIMIT = 3.93  # beyond it is 1, in float32


def erf(x):
    """The error function of an array, or NumPy number, of float32.

    >>> [round(float(v), 4) for v in erf(np.array([0, 0.5, -2, np.inf], "f4"))]
    [0.0, 0.5205, -0.9953, 1.0]
    """
    x = np.asarray(x)
    y = np.empty_like(x)
    into = y if y.flags.c_contiguous else np.empty(x.shape, x.dtype)
    flat, out = x.reshape(-1), into.reshape(-1)
    for i in range(0, x.size, _BLOCK):
        out[i:i + _BLOCK] = _of_few(flat[i:i + _BLOCK].astype(np.float64))
    if into is not y:
        y[...] = into
    return y if y.ndim else y[()]


def _of_few(x):
    """x + x p(x**2) near 0; 1 - e ** q(|x|) above, where q approximates log erfc."""
    from kobai.compile.coefficients import POLYNOMIALS  # noqa: PLC0415  (most programs need none)
    above = np.flatnonzero(np.abs(x) > 1.0)
    far = x[above]
    x[above] = 0.0  # whatever is done with it
    y = _horner(POLYNOMIALS["ERF_SMALL", "f64"], x * x)
    y *= x
    y += x
    if far.size:
        rest = np.exp(_horner(POLYNOMIALS["ERF_LARGE", "f64"], np.minimum(np.abs(far), _LIMIT + 1)))
        y[above] = np.copysign(1.0 - rest, far)
    return y


def _horner(coefficients, x):
    y = x * coefficients[-1]
    for c in coefficients[-2:0:-1]:
        y += c
        y *= x
    y += coefficients[0]
    return y
