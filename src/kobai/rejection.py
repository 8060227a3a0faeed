"""Samplers that throw candidates away: Poisson, binomial and gamma numbers, one at a time.

A candidate takes two or three uniform numbers and is kept with a probability that makes the kept
ones right, so how many numbers a sample takes depends on the numbers.  That is why these are
loops over scalars: `uniform()` gives the next float64 in [0, 1) and `normal()` the next standard
normal number, and taking them in this order gives PyTorch's samples.

Where PyTorch computes a constant in the tensor's own dtype, it is computed so here (`real` is
`numpy.float32` or `numpy.float64`), since one last bit can turn a rejection into a sample.

Sources: W. Hörmann, *The transformed rejection method for generating Poisson random variables*
(1993) and *The generation of binomial random variates* (1993); G. Marsaglia and W. W. Tsang,
*A simple method for generating gamma variables* (2000); L. Devroye, *Non-Uniform Random Variate
Generation* (1986), X.4.3, for the waiting-time method.
"""

import math
from functools import lru_cache
from math import floor, log

import numpy as np

__all__ = ["poisson", "binomial", "gamma"]


# ---------------------------------------------------------------------------- Poisson


def poisson(rate, uniform):
    """One Poisson number with this mean.

    >>> poisson(0.0, uniform=None)
    0
    """
    if rate >= 10:
        return _poisson_ptrs(rate, uniform)
    if rate == 0:
        return 0
    # Arrivals until time 1: the product of uniforms falls below exp(-rate).
    limit, product, count = math.exp(-rate), uniform(), 0
    while product > limit:
        count += 1
        product *= uniform()
    return count


def _poisson_ptrs(rate, uniform):
    """Hörmann's PTRS: k = floor((2a/us + b) u + rate + 0.43) under a table-mountain hat."""
    log_rate = log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inv_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        k = floor((2 * a / us + b) * u + rate + 0.43) if us else -1
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        accept = log(v) + log(inv_alpha) - log(a / (us * us) + b) if v else -math.inf
        if accept <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


# ---------------------------------------------------------------------------- binomial


def binomial(count, prob, real, uniform):
    """One binomial number: successes in `count` trials of probability `prob`.

    >>> binomial(5.0, 1.0, np.float32, uniform=None)
    5.0
    """
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob <= 0.5:
        return _binomial_half(count, prob, real, uniform)
    if prob > 0.5:
        return count - _binomial_half(count, float(real(1.0 - prob)), real, uniform)
    return math.nan


def _binomial_half(count, prob, real, uniform):
    if float(real(count) * real(prob)) >= 10.0:
        return _btrs(count, _btrs_constants(count, prob, real), uniform)
    return _waiting_times(count, _log1p_minus(prob, real), uniform)


@lru_cache(maxsize=64)
def _log1p_minus(prob, real):
    return float(np.log1p(-real(prob)))


def _waiting_times(count, log_q, uniform):
    """Add up geometric waiting times until they exceed the number of trials."""
    successes, trials = 0.0, 0
    while True:
        u = uniform()
        trials += math.ceil(log(u) / log_q) if u else math.inf
        if trials > count:
            return successes
        successes += 1.0


@lru_cache(maxsize=64)
def _btrs_constants(count, prob, real):
    """Constants of Hörmann's BTRS for one (count, prob)."""
    n, p, one = real(count), real(prob), real(1)
    spread = float(np.sqrt(n * p * (one - p)))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = float(n * p) + 0.5
    v_r = 0.92 - 4.2 / b
    r = float(p / (one - p))
    alpha = (2.83 + 5.1 / b) * spread
    m = float(np.floor((n + one) * p))
    at_mode = (m + 0.5) * log((m + 1) / (r * (count - m + 1)))
    tails = _stirling_tail(m), _stirling_tail(count - m)
    return a, b, c, v_r, r, alpha, m, at_mode, tails


def _btrs(count, constants, uniform):
    """Hörmann's BTRS: a hat with a tight box, and Stirling's series in the acceptance test."""
    a, b, c, v_r, r, alpha, m, at_mode, (tail_m, tail_rest) = constants
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        k = float(floor((2 * a / us + b) * u + c)) if us else -1.0
        if k < 0 or k > count:
            continue
        if us >= 0.07 and v <= v_r:
            return k
        accept = log(v * alpha / (a / (us * us) + b)) if v else -math.inf
        bound = (
            at_mode
            + (count + 1) * log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * log(r * (count - k + 1) / (k + 1))
            + tail_m
            + tail_rest
            - _stirling_tail(k)
            - _stirling_tail(count - k)
        )
        if accept <= bound:
            return k


_TAILS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_tail(k):
    """log k! less Stirling's approximation with k + 1: a table, then the series in 1/(k + 1)."""
    if k < len(_TAILS):
        return _TAILS[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


# ---------------------------------------------------------------------------- gamma


def gamma(alpha, real, uniform, normal):
    """One standard gamma number with shape `alpha`, by Marsaglia and Tsang.

    >>> gamma(0.0, np.float64, uniform=None, normal=None)
    0.0
    """
    boost = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        # Gamma(alpha) is Gamma(alpha + 1) times U^(1 / alpha), and accepts more often.
        boost = (1 - uniform()) ** _reciprocal(alpha, real)
    d, c = _gamma_constants(alpha, real)
    while True:
        x = normal()
        y = 1.0 + c * x
        while y <= 0:
            x = normal()
            y = 1.0 + c * x
        v = y * y * y
        u = 1 - uniform()
        square = x * x
        if u < 1.0 - _SQUEEZE * square * square or log(u) < 0.5 * square + d * (1.0 - v + log(v)):
            return boost * d * v


_SQUEEZE = float(np.float32(0.0331))


@lru_cache(maxsize=64)
def _reciprocal(alpha, real):
    return float(real(1) / real(alpha))


@lru_cache(maxsize=64)
def _gamma_constants(alpha, real):
    shape = real(alpha) + real(1) if alpha < 1 else real(alpha)
    d = float(shape - real(np.float32(1) / np.float32(3)))
    return d, 1.0 / math.sqrt(9.0 * d) if d > 0 else math.nan
