"""Distributions moved by `loc` and stretched by `scale`: normal, Laplace, Cauchy, Student's t; and the uniform one."""
from __future__ import annotations

import math

from ..autograd.mode import no_grad
from ..op import m
from ..ops.creation import empty
from ..ops.random import normal as random_normal, rand
from ..tensor import Size
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .gamma import Chi2
from .parameters import broadcast_all, eps_of, standard_normal


class LocationScale(Distribution):
    """Distributions of all real numbers with the parameters `loc` and `scale`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _expanded = {"loc": 0, "scale": 0}

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)


class Normal(LocationScale, ExponentialFamily):
    """The normal distribution: density exp(-((x - loc) / scale)^2 / 2) / (scale sqrt(2 pi)).

    >>> kobai.distributions.Normal(0.0, 1.0).log_prob(kobai.tensor(0.0))
    tensor(-0.9189)
    """

    _mean_carrier_measure = 0

    mean = mode = property(lambda self: self.loc)
    stddev = property(lambda self: self.scale)
    variance = property(lambda self: self.scale ** 2)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return random_normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc.dtype) * self.scale

    def log_prob(self, value):
        self._check(value)
        return -(value - self.loc) ** 2 / (2 * self.variance) - m.log(self.scale) - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value):
        self._check(value)
        return 0.5 * (1 + m.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value):
        return self.loc + self.scale * m.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self):
        return 0.5 + 0.5 * math.log(2 * math.pi) + m.log(self.scale)

    @property
    def _natural_params(self):
        return self.loc / self.scale ** 2, -0.5 * self.scale ** -2

    def _log_normalizer(self, x, y):
        return -0.25 * x ** 2 / y + 0.5 * m.log(-math.pi / y)


class Laplace(LocationScale):
    """The Laplace distribution: density exp(-|x - loc| / scale) / (2 scale)."""

    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: 2 * self.scale ** 2)
    stddev = property(lambda self: 2 ** 0.5 * self.scale)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        # By the inverse of the cdf, of a number between -1 and 1 without these.
        u = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        u.uniform_(eps_of(u.dtype) - 1, 1)
        return self.loc - self.scale * u.sign() * m.log1p(-u.abs())

    def log_prob(self, value):
        self._check(value)
        return -m.log(2 * self.scale) - m.abs(value - self.loc) / self.scale

    def cdf(self, value):
        self._check(value)
        d = value - self.loc
        return 0.5 - 0.5 * d.sign() * m.expm1(-d.abs() / self.scale)

    def icdf(self, value):
        term = value - 0.5
        return self.loc - self.scale * term.sign() * m.log1p(-2 * term.abs())

    def entropy(self):
        return 1 + m.log(2 * self.scale)


class Cauchy(LocationScale):
    """The Cauchy distribution: density 1 / (pi scale (1 + ((x - loc) / scale)^2)). It has no mean."""

    mode = property(lambda self: self.loc)

    @property
    def mean(self):
        return self.loc.new_full(self._batch_shape, math.nan)

    @property
    def variance(self):
        return self.loc.new_full(self._batch_shape, math.inf)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        noise = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_()
        return self.loc + noise * self.scale

    def log_prob(self, value):
        self._check(value)
        return -math.log(math.pi) - m.log(self.scale) - m.log1p(((value - self.loc) / self.scale) ** 2)

    def cdf(self, value):
        self._check(value)
        return m.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value):
        return m.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self):
        return math.log(4 * math.pi) + m.log(self.scale)


class StudentT(Distribution):
    """Student's t-distribution with `df` degrees of freedom: like a normal one with heavier tails."""

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _expanded = {"df": 0, "loc": 0, "scale": 0, "_chi2": 0}

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    mode = property(lambda self: self.loc)

    @property
    def mean(self):
        return m.where(self.df <= 1, math.nan, self.loc)

    @property
    def variance(self):
        some = self.scale ** 2 * self.df / (self.df - 2)
        return m.where(self.df > 2, some, m.where(self.df > 1, self.df.new_tensor(math.inf), math.nan))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        x = standard_normal(self._extended_shape(sample_shape), self.df.dtype)
        return self.loc + self.scale * x * m.rsqrt(self._chi2.rsample(sample_shape) / self.df)

    def log_prob(self, value):
        self._check(value)
        y = (value - self.loc) / self.scale
        norm = (m.log(self.scale) + 0.5 * m.log(self.df) + 0.5 * math.log(math.pi) + m.lgamma(0.5 * self.df)
                - m.lgamma(0.5 * (self.df + 1)))
        return -0.5 * (self.df + 1) * m.log1p(y ** 2 / self.df) - norm

    def entropy(self):
        log_beta = m.lgamma(0.5 * self.df) + math.lgamma(0.5) - m.lgamma(0.5 * (self.df + 1))
        half = 0.5 * (self.df + 1)
        return (m.log(self.scale) + half * (m.digamma(half) - m.digamma(0.5 * self.df)) + 0.5 * m.log(self.df)
                + log_beta)


class Uniform(Distribution):
    """The uniform distribution on [low, high)."""

    has_rsample = True
    _expanded = {"low": 0, "high": 0}

    @property
    def arg_constraints(self):
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    def __init__(self, low, high, validate_args=None):
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)

    mean = property(lambda self: (self.high + self.low) / 2)
    stddev = property(lambda self: (self.high - self.low) / 12 ** 0.5)
    variance = property(lambda self: (self.high - self.low) ** 2 / 12)

    @property
    def mode(self):
        return math.nan * self.high

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        return constraints.interval(self.low, self.high)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        u = rand(self._extended_shape(sample_shape), dtype=self.low.dtype)
        return self.low + u * (self.high - self.low)

    def log_prob(self, value):
        self._check(value)
        inside = m.logical_and(m.le(self.low, value), m.gt(self.high, value))
        return m.log(inside.to(self.low.dtype)) - m.log(self.high - self.low)

    def cdf(self, value):
        self._check(value)
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value):
        return value * (self.high - self.low) + self.low

    def entropy(self):
        return m.log(self.high - self.low)


__all__ = ["Cauchy", "Laplace", "Normal", "StudentT", "Uniform"]
