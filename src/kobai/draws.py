"""Random numbers that take as many draws as they take: Poisson, binomial, gamma and Dirichlet, as PyTorch's.

Samplers as in `kobai.random`; the algorithms for one number are in `kobai.rejection`.
"""
from __future__ import annotations

import math

import numpy as np

from kobai import rejection
from kobai.diagnose import error
from kobai.random import default_generator, real_dtype


class _Draws:
    """Numbers one at a time for `kobai.rejection`; the unused rest of a block goes back.

    `uniform()` gives the next float64 in [0, 1); `normal()` the next standard normal number.
    """

    def __init__(self, gen, expected):
        self.gen = gen
        self._block = max(32, min(2 * expected, 8192))
        self._rest = iter(())

    def __enter__(self):
        self.uniform = self._stream().__next__
        return self

    def _stream(self):
        while True:
            self._before = self.gen._bits.state
            self._rest = iter(self.gen._unit64(self._block).tolist())
            yield from self._rest

    def normal(self):
        spare, self.gen._spare_normal = self.gen._spare_normal, None
        if spare is not None:
            return spare
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log1p(-self.uniform()))
        self.gen._spare_normal = radius * math.sin(angle)
        return radius * math.cos(angle)

    def __exit__(self, *exc):
        unused = self._rest.__length_hint__()
        if unused:
            self.gen._bits.state = self._before
            self.gen._bits.random_raw(2 * (self._block - unused), output=False)


def poisson(rate, gen=None):
    """Poisson numbers with these means, an array of a floating dtype.

    >>> _ = kobai.manual_seed(0)
    >>> poisson(np.float32([1, 5, 20]))
    array([ 2.,  6., 19.], dtype=float32)
    """
    real_dtype(rate.dtype, "poisson_cpu")
    if not np.all(rate >= 0):
        raise error("data-range", RuntimeError("invalid Poisson rate, expected rate to be non-negative"), what="input",
                    value=float(np.min(rate)), must="a number of at least {low}", low=0)
    with _Draws(gen or default_generator, rate.size) as draws:
        x = [rejection.poisson(r, draws.uniform) for r in rate.astype(np.float64).ravel().tolist()]
    return np.array(x, rate.dtype).reshape(rate.shape)


def binomial(count, prob, gen=None):
    """Successes in `count` trials of probability `prob`, two arrays of one floating dtype.

    >>> _ = kobai.manual_seed(0)
    >>> binomial(np.float32([10, 100]), np.float32([0.5, 0.3]))
    array([ 7., 31.], dtype=float32)
    """
    dtype = real_dtype(count.dtype, "binomial_cpu", narrow=False)
    count, prob = np.broadcast_arrays(count, prob)
    with _Draws(gen or default_generator, count.size) as draws:
        pairs = zip(count.ravel().tolist(), prob.ravel().tolist())
        x = [rejection.binomial(n, p, dtype.type, draws.uniform) for n, p in pairs]
    return np.array(x, dtype).reshape(count.shape)


def standard_gamma(alpha, gen=None):
    """Gamma numbers of scale 1 with these shapes, an array of a floating dtype.

    >>> _ = kobai.manual_seed(0)
    >>> standard_gamma(np.float32([0.5, 3]))
    array([7.8935816e-04, 1.2728435e+00], dtype=float32)
    """
    dtype = real_dtype(alpha.dtype, "gamma_cpu", narrow=False)
    real, tiny = dtype.type, float(np.finfo(dtype).tiny)
    with _Draws(gen or default_generator, 3 * alpha.size) as draws:
        x = [rejection.gamma(a, real, draws.uniform, draws.normal) for a in alpha.ravel().tolist()]
    return np.array([max(tiny, real(v)) for v in x], dtype).reshape(alpha.shape)


def dirichlet(alpha, gen=None):
    """Points of the simplex: gamma numbers over their sum, along the last dimension.

    Differs from PyTorch, at most, in the last bit of float64: the sum is NumPy's.

    >>> _ = kobai.manual_seed(0)
    >>> dirichlet(np.float32([0.5, 3])).sum()
    np.float32(1.0)
    """
    dtype = real_dtype(alpha.dtype, "dirichlet", narrow=False)
    x = standard_gamma(alpha.astype(np.float64), gen)
    x = (x / x.sum(-1, keepdims=True)).astype(dtype)
    return np.clip(x, np.finfo(dtype).tiny, np.nextafter(dtype.type(1), dtype.type(0)))
