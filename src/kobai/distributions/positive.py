"""Distributions of positive numbers, most of them simple ones transformed; and the logistic normal one."""
from __future__ import annotations

import math

from ..op import m
from ..ops.creation import empty
from ..ops.random import rand
from ..tensor import Size
from . import constraints
from .composed import TransformedDistribution
from .distribution import Distribution, ExponentialFamily
from .gamma import Gamma
from .location_scale import Cauchy, Normal, Uniform
from .parameters import broadcast_all, eps_of, euler_constant, tiny_of
from .transforms import AbsTransform, AffineTransform, ExpTransform, PowerTransform, StickBreakingTransform

_LOC_SCALE = {"loc": constraints.real, "scale": constraints.positive}


class Exponential(ExponentialFamily):
    """The exponential distribution: density rate exp(-rate x)."""

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    _expanded = {"rate": 0}

    def __init__(self, rate, validate_args=None):
        self.rate, = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    mean = stddev = property(lambda self: self.rate.reciprocal())
    mode = property(lambda self: m.zeros_like(self.rate))
    variance = property(lambda self: self.rate ** -2)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return empty(self._extended_shape(sample_shape), dtype=self.rate.dtype).exponential_() / self.rate

    def log_prob(self, value):
        self._check(value)
        return m.log(self.rate) - self.rate * value

    def cdf(self, value):
        self._check(value)
        return 1 - m.exp(-self.rate * value)

    def icdf(self, value):
        return -m.log1p(-value) / self.rate

    def entropy(self):
        return 1.0 - m.log(self.rate)

    @property
    def _natural_params(self):
        return (-self.rate,)

    def _log_normalizer(self, x):
        return -m.log(-x)


class _Half(TransformedDistribution):
    """The distribution of |x|, x of a distribution around 0: twice its density."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    base: type

    def __init__(self, scale, validate_args=None):
        super().__init__(self.base(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    scale = property(lambda self: self.base_dist.scale)
    mode = property(lambda self: m.zeros_like(self.scale))

    def log_prob(self, value):
        self._check(value)
        return m.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value):
        self._check(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob):
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """The distribution of |x|, x normal around 0."""

    base = Normal
    mean = property(lambda self: self.scale * math.sqrt(2 / math.pi))
    variance = property(lambda self: self.scale ** 2 * (1 - 2 / math.pi))


class HalfCauchy(_Half):
    """The distribution of |x|, x of a Cauchy distribution around 0."""

    base = Cauchy
    variance = property(lambda self: self.base_dist.variance)

    @property
    def mean(self):
        return self.scale.new_full(self._extended_shape(), math.inf)


class LogNormal(TransformedDistribution):
    """The distribution of exp(x), x normal."""

    arg_constraints = _LOC_SCALE
    support = constraints.positive
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    loc = property(lambda self: self.base_dist.loc)
    scale = property(lambda self: self.base_dist.scale)
    mean = property(lambda self: m.exp(self.loc + self.scale ** 2 / 2))
    mode = property(lambda self: m.exp(self.loc - self.scale ** 2))

    @property
    def variance(self):
        square = self.scale ** 2
        return m.expm1(square) * m.exp(2 * self.loc + square)

    def entropy(self):
        return self.base_dist.entropy() + self.loc


class LogisticNormal(TransformedDistribution):
    """Normal numbers, as many as there are in the last dimension, broken off a stick: points of the simplex."""

    arg_constraints = _LOC_SCALE
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    loc = property(lambda self: self.base_dist.base_dist.loc)
    scale = property(lambda self: self.base_dist.base_dist.scale)


class InverseGamma(TransformedDistribution):
    """The distribution of 1 / x, x of a gamma distribution."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration, rate, validate_args=None):
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args=validate_args)

    concentration = property(lambda self: self.base_dist.concentration)
    rate = property(lambda self: self.base_dist.rate)
    mode = property(lambda self: self.rate / (self.concentration + 1))

    @property
    def mean(self):
        return m.where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def variance(self):
        c = self.concentration
        return m.where(c > 2, self.rate.square() / ((c - 1).square() * (c - 2)), math.inf)

    def entropy(self):
        c = self.concentration
        return c + m.log(self.rate) + m.lgamma(c) - (1 + c) * m.digamma(c)


class Weibull(TransformedDistribution):
    """The Weibull distribution: scale * x^(1 / concentration), x exponential."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    _expanded = {"scale": 0, "concentration": 0, "concentration_reciprocal": 0}

    def __init__(self, scale, concentration, validate_args=None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(self.scale.new_ones(self.scale.shape), validate_args=validate_args)
        super().__init__(base, [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)],
                         validate_args=validate_args)

    @property
    def mean(self):
        return self.scale * m.exp(m.lgamma(1 + self.concentration_reciprocal))

    @property
    def mode(self):
        return self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration_reciprocal

    @property
    def variance(self):
        k = self.concentration_reciprocal
        return self.scale ** 2 * (m.exp(m.lgamma(1 + 2 * k)) - m.exp(2 * m.lgamma(1 + k)))

    def entropy(self):
        k = self.concentration_reciprocal
        return euler_constant * (1 - k) + m.log(self.scale * k) + 1


class Pareto(TransformedDistribution):
    """The Pareto distribution: density alpha scale^alpha / x^(alpha + 1) above scale."""

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}
    _expanded = {"scale": 0, "alpha": 0}

    def __init__(self, scale, alpha, validate_args=None):
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(Exponential(self.alpha, validate_args=validate_args),
                         [ExpTransform(), AffineTransform(0, self.scale)], validate_args=validate_args)

    mode = property(lambda self: self.scale)

    @property
    def mean(self):
        a = self.alpha.clamp(min=1)  # infinite up to there
        return a * self.scale / (a - 1)

    @property
    def variance(self):
        a = self.alpha.clamp(min=2)
        return self.scale ** 2 * a / ((a - 1) ** 2 * (a - 2))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        return constraints.greater_than_eq(self.scale)

    def entropy(self):
        return m.log(self.scale / self.alpha) + (1 + self.alpha.reciprocal())


class GeneralizedPareto(Distribution):
    """The distribution of what exceeds a high threshold.

    1 - cdf = (1 + concentration (x - loc) / scale)^(-1 / concentration).
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True
    _expanded = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def _shape(self):
        """(where the concentration is zero, so that the tail is exponential; the concentration, 1 there)."""
        zero = m.isclose(self.concentration, m.zeros_like(self.concentration))
        return zero, m.where(zero, 1.0, self.concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = m.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, end)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value):
        self._check(value)
        zero, c = self._shape()
        z = (value - self.loc) / self.scale
        power = 1 / c + 1
        return -m.log(self.scale) - m.where(zero, z, m.where(power == 0, power, power * m.log1p(c * z)))

    def log_survival_function(self, value):
        """The logarithm of 1 - cdf."""
        self._check(value)
        zero, c = self._shape()
        z = (value - self.loc) / self.scale
        return m.where(zero, -z, -m.log1p(c * z) / c)

    def log_cdf(self, value):
        """The logarithm of the cdf."""
        return m.log1p(-m.exp(self.log_survival_function(value)))

    def cdf(self, value):
        return m.exp(self.log_cdf(value))

    def icdf(self, value):
        zero, c = self._shape()
        log = m.log1p(-value)
        return m.where(zero, self.loc - self.scale * log, self.loc + self.scale / c * m.expm1(-c * log))

    mode = property(lambda self: self.loc)

    @property
    def mean(self):
        finite = self.concentration < 1
        c = m.where(finite, self.concentration, 0.5)
        return m.where(finite, self.loc + self.scale / (1 - c), math.nan)

    @property
    def variance(self):
        finite = self.concentration < 0.5
        c = m.where(finite, self.concentration, 0.25)
        return m.where(finite, self.scale ** 2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def entropy(self):
        return m.log(self.scale) + self.concentration + 1


class Gumbel(TransformedDistribution):
    """The Gumbel distribution: cdf exp(-exp(-(x - loc) / scale)), of the largest of many numbers."""

    arg_constraints = _LOC_SCALE
    support = constraints.real
    _expanded = {"loc": 0, "scale": 0}

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        low, high = (m.zeros_like(self.loc) + v for v in (tiny_of(self.loc.dtype), 1 - eps_of(self.loc.dtype)))
        steps = [ExpTransform().inv, AffineTransform(0, -self.scale.new_ones(self.scale.shape)), ExpTransform().inv,
                 AffineTransform(self.loc, -self.scale)]
        super().__init__(Uniform(low, high, validate_args=validate_args), steps, validate_args=validate_args)

    mode = property(lambda self: self.loc)
    mean = property(lambda self: self.loc + self.scale * euler_constant)
    stddev = property(lambda self: math.pi / math.sqrt(6) * self.scale)
    variance = property(lambda self: self.stddev.pow(2))

    def log_prob(self, value):
        self._check(value)
        y = (self.loc - value) / self.scale
        return y - m.exp(y) - m.log(self.scale)

    def entropy(self):
        return m.log(self.scale) + (1 + euler_constant)


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution on (0, 1): cdf 1 - (1 - x^concentration1)^concentration0, much like a beta one."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _expanded = {"concentration1": 0, "concentration0": 0}

    def __init__(self, concentration1, concentration0, validate_args=None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(m.zeros_like(self.concentration0), self.concentration0.new_ones(self.concentration0.shape),
                       validate_args=validate_args)
        steps = [PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
                 PowerTransform(self.concentration1.reciprocal())]
        super().__init__(base, steps, validate_args=validate_args)

    def _moment(self, n):
        a, b = 1 + n / self.concentration1, self.concentration0
        return b * m.exp(m.lgamma(a) + m.lgamma(b) - m.lgamma(a + b))

    mean = property(lambda self: self._moment(1))
    variance = property(lambda self: self._moment(2) - self.mean ** 2)

    @property
    def mode(self):
        a, b = self.concentration1, self.concentration0
        log_mode = b.reciprocal() * m.log1p(-b) - m.log1p(-b * a)
        return m.exp(m.where(m.logical_or(b < 1, a < 1), math.nan, log_mode))

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        harmonic = m.digamma(b + 1) + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - m.log(a) - m.log(b)


__all__ = ["Exponential", "GeneralizedPareto", "Gumbel", "HalfCauchy", "HalfNormal", "InverseGamma", "Kumaraswamy",
           "LogNormal", "LogisticNormal", "Pareto", "Weibull"]
