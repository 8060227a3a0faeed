"""Gamma, chi-squared, beta, Dirichlet and Fisher-Snedecor distributions: what gamma variates give."""
from __future__ import annotations

import math

from .. import draws
from ..autograd.batched import random_function
from ..diagnose import error
from ..op import m
from ..ops.construct import tensor
from ..ops.implicit import SampleDirichlet, StandardGamma
from ..tensor import Size, Tensor, wrap
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .parameters import broadcast_all, tiny_of


def standard_gamma(concentration):
    """Gamma variates of scale 1, differentiable."""
    return StandardGamma()(concentration, _gamma_variates(concentration.detach()))


@random_function
def _gamma_variates(concentration):
    return wrap(draws.standard_gamma(concentration._array()))


@random_function
def _dirichlet_variates(concentration):
    return wrap(draws.dirichlet(concentration._array()))


def clamped(x):
    """`x`, its values in place not below the smallest normal number; the gradient is that of `x`."""
    x.data.clamp_(min=tiny_of(x.dtype))
    return x


class Gamma(ExponentialFamily):
    """The gamma distribution: density proportional to x^(concentration - 1) exp(-rate x)."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    _expanded = {"concentration": 0, "rate": 0}

    def __init__(self, concentration, rate, validate_args=None):
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate ** 2)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        return clamped(standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape))

    def log_prob(self, value):
        value = value if isinstance(value, Tensor) else tensor(value, dtype=self.rate.dtype)
        self._check(value)
        return (m.xlogy(self.concentration, self.rate) + m.xlogy(self.concentration - 1, value) - self.rate * value
                - m.lgamma(self.concentration))

    def cdf(self, value):
        self._check(value)
        return m.igamma(self.concentration, self.rate * value)

    def entropy(self):
        return (self.concentration - m.log(self.rate) + m.lgamma(self.concentration)
                + (1 - self.concentration) * m.digamma(self.concentration))

    @property
    def _natural_params(self):
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x, y):
        return m.lgamma(x + 1) + (x + 1) * m.log(-y.reciprocal())


class Chi2(Gamma):
    """The distribution of a sum of `df` squares of standard normal numbers."""

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df, validate_args=None):
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    df = property(lambda self: self.concentration * 2)


class Dirichlet(ExponentialFamily):
    """Points of the simplex, with density proportional to the product of x_i^(concentration_i - 1)."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _mean_carrier_measure = 0
    _expanded = {"concentration": 1}

    def __init__(self, concentration, validate_args=None):
        if concentration.ndim < 1:
            raise error("tensor-dims", ValueError("`concentration` parameter must be at least one-dimensional."),
                        what="concentration", shape=concentration.shape, need="at least {n}", n=1,
                        fix="give one number for each category: torch.tensor([0.2, 0.3, 0.5]).")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape=()):
        concentration = self.concentration.expand(self._extended_shape(sample_shape))
        return SampleDirichlet()(concentration, _dirichlet_variates(concentration.detach()))

    def log_prob(self, value):
        self._check(value)
        c = self.concentration
        return m.xlogy(c - 1, value).sum(-1) + m.lgamma(c.sum(-1)) - m.lgamma(c).sum(-1)

    mean = property(lambda self: self.concentration / self.concentration.sum(-1, True))

    @property
    def mode(self):
        above = (self.concentration - 1).clamp(min=0)
        mode = above / above.sum(-1, True)
        corners = (self.concentration < 1).all(-1)
        if corners.any():  # the density is largest in a corner: that of the largest concentration
            corner = m.one_hot(mode.argmax(-1), mode.shape[-1]).to(mode.dtype)
            mode = m.where(corners.unsqueeze(-1), corner, mode)
        return mode

    @property
    def variance(self):
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total ** 2 * (total + 1))

    def entropy(self):
        c = self.concentration
        total, k = c.sum(-1), c.shape[-1]
        return (m.lgamma(c).sum(-1) - m.lgamma(total) - (k - total) * m.digamma(total)
                - ((c - 1) * m.digamma(c)).sum(-1))

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return m.lgamma(x).sum(-1) - m.lgamma(x.sum(-1))


class Beta(ExponentialFamily):
    """The distribution on (0, 1) with density proportional to x^(concentration1 - 1) (1 - x)^(concentration0 - 1)."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0
    _expanded = {"_dirichlet": 0}

    def __init__(self, concentration1, concentration0, validate_args=None):
        if not isinstance(concentration1, Tensor) and not isinstance(concentration0, Tensor):
            both = tensor([float(concentration1), float(concentration0)])
        else:
            both = m.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet._batch_shape, validate_args=validate_args)

    concentration1 = property(lambda self: self._dirichlet.concentration[..., 0])
    concentration0 = property(lambda self: self._dirichlet.concentration[..., 1])
    mean = property(lambda self: self.concentration1 / (self.concentration1 + self.concentration0))
    mode = property(lambda self: self._dirichlet.mode[..., 0])

    @property
    def variance(self):
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total ** 2 * (total + 1))

    def rsample(self, sample_shape=()):
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value):
        self._check(value)
        return self._dirichlet.log_prob(m.stack([value, 1.0 - value], -1))

    def entropy(self):
        return self._dirichlet.entropy()

    @property
    def _natural_params(self):
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x, y):
        return m.lgamma(x) + m.lgamma(y) - m.lgamma(x + y)


class FisherSnedecor(Distribution):
    """The F-distribution: the ratio of two chi-squared variates, each divided by its degrees of freedom."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _expanded = {"df1": 0, "df2": 0, "_gamma1": 0, "_gamma2": 0}

    def __init__(self, df1, df2, validate_args=None):
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1, self._gamma2 = (Gamma(df * 0.5, df * 0.5) for df in (self.df1, self.df2))
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self):
        df = self.df2.clone()
        df[df <= 2] = math.nan
        return df / (df - 2)

    @property
    def mode(self):
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return m.where(self.df1 <= 2, math.nan, mode)

    @property
    def variance(self):
        df = self.df2.clone()
        df[df <= 4] = math.nan
        return 2 * df ** 2 * (self.df1 + df - 2) / (self.df1 * (df - 2) ** 2 * (df - 4))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        above = self._gamma1.rsample(sample_shape).reshape(shape)
        below = clamped(self._gamma2.rsample(sample_shape).reshape(shape))
        return clamped(above / below)

    def log_prob(self, value):
        self._check(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        return (m.lgamma(a + b) - m.lgamma(a) - m.lgamma(b) + a * m.log(ratio) + (a - 1) * m.log(value)
                - (a + b) * m.log1p(ratio * value))


__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "clamped", "standard_gamma"]
