"""Distributions of whole numbers: Bernoulli, binomial, geometric, negative binomial, Poisson; continuous Bernoulli."""
from __future__ import annotations

import math

import numpy as np

from .. import draws
from ..autograd.batched import random_function
from ..autograd.mode import no_grad
from ..diagnose import error
from ..op import m
from ..ops.random import bernoulli, poisson, rand
from ..tensor import Size, wrap
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .gamma import Gamma
from .parameters import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits, tiny_of


def one_of(probs, logits):
    """Raise ValueError unless exactly one of the two is given."""
    if (probs is None) == (logits is None):
        raise error("arguments-exclude", ValueError("Either `probs` or `logits` must be specified, but not both."),
                    what="probs", other="logits",
                    why="probs and logits say the same in two ways; exactly one of them is needed.",
                    fix="give probs (probabilities) or logits (any numbers, as a layer computes them).")


@random_function
def _binomial_variates(count, probs):
    return wrap(draws.binomial(count._array(), probs._array()))


class ByProbability(Distribution):
    """Distributions with a probability, given as `probs` or as log-odds, `logits`; the other follows."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    _expanded = {"probs": 0, "logits": 0}

    def _set(self, probs, logits, *others):
        """Set the one that is given; the broadcast `others` are returned."""
        one_of(probs, logits)
        given = probs if logits is None else logits
        *others, value = broadcast_all(*others, given)
        if probs is not None:
            self.probs = value
        else:
            self.logits = value
        return others

    @property
    def _param(self):
        """The one that was given."""
        return self.__dict__["probs"] if "probs" in self.__dict__ else self.logits

    @property
    def param_shape(self):
        """The shape of `probs` and `logits`."""
        return self._param.shape

    @lazy_property
    def logits(self):
        """Log-odds: log(p / (1 - p))."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        """The probability."""
        return logits_to_probs(self.logits, is_binary=True)


class Bernoulli(ByProbability, ExponentialFamily):
    """1 with probability `probs`, otherwise 0.

    >>> kobai.distributions.Bernoulli(kobai.tensor([0.3])).log_prob(kobai.tensor([1.0])).exp()
    tensor([0.3000])
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self):
        mode = (self.probs >= 0.5).to(self.probs.dtype)
        return m.where(self.probs == 0.5, math.nan, mode)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        return -m.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return m.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return self._enumerated(wrap(np.arange(2, dtype=self._param.dtype.np)), expand)

    @property
    def _natural_params(self):
        return (m.logit(self.probs),)

    def _log_normalizer(self, x):
        return m.log1p(m.exp(x))


class ContinuousBernoulli(ByProbability, ExponentialFamily):
    """Numbers in [0, 1] with density proportional to probs^x (1 - probs)^(1 - x).

    G. Loaiza-Ganem and J. P. Cunningham, The continuous Bernoulli (2019). Around probs = 0.5, between `lims`,
    where the normaliser is 0 / 0, Taylor polynomials are used.
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        self._set(probs, logits)
        if probs is not None:
            if validate_args is not None and not self.arg_constraints["probs"].check(self.probs).all():
                from .refusals import refused  # noqa: PLC0415  (only for a mistake)
                raise refused(ValueError("The parameter probs has invalid values"), "probs", self.probs,
                              self.arg_constraints["probs"])
            self.probs = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def _outside(self):
        """Where the formulas are stable."""
        return m.logical_or(self.probs <= self._lims[0], self.probs > self._lims[1])

    def _cut(self):
        """The probabilities, moved to the lower limit where the formulas are unstable."""
        return m.where(self._outside(), self.probs, self._lims[0] * self.probs.new_ones(self.probs.shape))

    def _log_norm(self):
        """log C: the density is C probs^x (1 - probs)^(1 - x)."""
        cut = self._cut()
        below = m.where(cut <= 0.5, cut, m.zeros_like(cut))
        above = m.where(cut >= 0.5, cut, cut.new_ones(cut.shape))
        log_norm = m.log(m.abs(m.log1p(-cut) - m.log(cut))) - m.where(
            cut <= 0.5, m.log1p(-2 * below), m.log(2 * above - 1))
        x = (self.probs - 0.5) ** 2
        return m.where(self._outside(), log_norm, math.log(2) + (4 / 3 + 104 / 45 * x) * x)

    @property
    def mean(self):
        cut = self._cut()
        mean = cut / (2 * cut - 1) + 1 / (m.log1p(-cut) - m.log(cut))
        x = self.probs - 0.5
        return m.where(self._outside(), mean, 0.5 + (1 / 3 + 16 / 45 * x ** 2) * x)

    @property
    def variance(self):
        cut = self._cut()
        variance = cut * (cut - 1) / (1 - 2 * cut) ** 2 + 1 / (m.log1p(-cut) - m.log(cut)) ** 2
        x = (self.probs - 0.5) ** 2
        return m.where(self._outside(), variance, 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    stddev = property(lambda self: m.sqrt(self.variance))

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        return -m.binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value):
        self._check(value)
        cut = self._cut()
        inside = (cut ** value * (1 - cut) ** (1 - value) + cut - 1) / (2 * cut - 1)
        inside = m.where(self._outside(), inside, value)
        return m.where(value <= 0, 0.0, m.where(value >= 1, 1.0, inside))

    def icdf(self, value):
        cut = self._cut()
        inverse = (m.log1p(-cut + value * (2 * cut - 1)) - m.log1p(-cut)) / (m.log(cut) - m.log1p(-cut))
        return m.where(self._outside(), inverse, value)

    def entropy(self):
        log_odds = m.log(self.probs) - m.log1p(-self.probs)
        return self.mean * -log_odds - self._log_norm() - m.log1p(-self.probs)

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        outside = m.logical_or(x <= self._lims[0] - 0.5, x > self._lims[1] - 0.5)
        cut = m.where(outside, x, (self._lims[0] - 0.5) * x.new_ones(x.shape))
        log_norm = m.log(m.abs(m.expm1(cut))) - m.log(m.abs(cut))
        return m.where(outside, log_norm, 0.5 * x + x ** 2 / 24.0 - x ** 4 / 2880.0)


class Binomial(ByProbability):
    """The number of successes in `total_count` trials of probability `probs`."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, **ByProbability.arg_constraints}
    has_enumerate_support = True
    _expanded = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self.total_count, = self._set(probs, logits, total_count)
        self.total_count = self.total_count.to(self._param.dtype)
        super().__init__(self._param.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    mean = property(lambda self: self.total_count * self.probs)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return _binomial_variates(*(v.detach().expand(shape) for v in (self.total_count, self.probs)))

    def log_prob(self, value):
        self._check(value)
        n = self.total_count
        choices = m.lgamma(n + 1) - m.lgamma(value + 1) - m.lgamma(n - value + 1)
        # log(1 - p) is -log(1 + exp(logits)), for large logits without overflow.
        log_failure = -(self.logits.clamp(min=0) + m.log1p(m.exp(-m.abs(self.logits))))
        return choices + value * self.logits + n * log_failure

    def entropy(self):
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise error("not-possible", NotImplementedError("Inhomogeneous total count not supported by `entropy`."),
                        fn="entropy()", why="{fn} is here for one total_count only, and these differ.",
                        fix="make one distribution for each total_count.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(m.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise error("not-possible",
                        NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`."),
                        fn="enumerate_support()", why="{fn} is here for one total_count only, and these differ.",
                        fix="make one distribution for each total_count.")
        return self._enumerated(wrap(np.arange(1 + count, dtype=self._param.dtype.np)), expand)


class Geometric(ByProbability):
    """The number of failures before the first success."""

    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            value = self.probs
            bad = value[~(value > 0)]
            raise error("data-range",
                        ValueError(f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) "
                                   f"of distribution {self!r} to be positive but found invalid values:\n{bad}"),
                        what="probs", value=bad.detach().reshape(-1)[0].item(), low=0, must="a number above {low}")

    mean = property(lambda self: 1.0 / self.probs - 1.0)
    mode = property(lambda self: m.zeros_like(self.probs))
    variance = property(lambda self: (1.0 / self.probs - 1.0) / self.probs)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            u = self.probs.new_empty(self._extended_shape(sample_shape)).uniform_(tiny_of(self.probs.dtype), 1)
            return (m.log(u) / m.log1p(-self.probs)).floor()

    def log_prob(self, value):
        self._check(value)
        value, probs = broadcast_all(value, self.probs)
        certain = m.logical_and(probs == 1, value == 0)
        return value * m.log1p(-m.where(certain, 0.0, probs)) + m.log(self.probs)

    def entropy(self):
        return m.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class NegativeBinomial(ByProbability):
    """The number of successes of probability `probs` before `total_count` failures."""

    arg_constraints = {"total_count": constraints.greater_than_eq(0),
                       "probs": constraints.half_open_interval(0.0, 1.0), "logits": constraints.real}
    support = constraints.nonnegative_integer
    _expanded = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        self.total_count, = self._set(probs, logits, total_count)
        self.total_count = self.total_count.to(self._param.dtype)
        super().__init__(self._param.shape, validate_args=validate_args)

    mean = property(lambda self: self.total_count * m.exp(self.logits))
    variance = property(lambda self: self.mean / m.sigmoid(-self.logits))

    @property
    def mode(self):
        return ((self.total_count - 1) * m.exp(self.logits)).floor().clamp(min=0.0)

    @property
    def _gamma(self):
        return Gamma(self.total_count, m.exp(-self.logits), validate_args=False)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():  # a Poisson number whose mean is a gamma variate
            return poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value):
        self._check(value)
        n = self.total_count
        unnormalized = n * m.logsigmoid(-self.logits) + value * m.logsigmoid(self.logits)
        norm = -m.lgamma(n + value) + m.lgamma(1 + value) + m.lgamma(n)
        return unnormalized - m.where(n + value == 0, 0.0, norm)


class Poisson(ExponentialFamily):
    """The Poisson distribution: probability rate^k exp(-rate) / k!."""

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    _expanded = {"rate": 0}

    def __init__(self, rate, validate_args=None):
        self.rate, = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    mean = variance = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        self._check(value)
        rate, value = broadcast_all(self.rate, value)
        return m.xlogy(value, rate) - rate - m.lgamma(value + 1)

    @property
    def _natural_params(self):
        return (m.log(self.rate),)

    def _log_normalizer(self, x):
        return m.exp(x)


__all__ = ["Bernoulli", "Binomial", "ContinuousBernoulli", "Geometric", "NegativeBinomial", "Poisson"]
