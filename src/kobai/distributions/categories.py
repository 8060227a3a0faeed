"""Distributions over categories: which one, one-hot vectors, counts; and relaxed ones with gradients."""
from __future__ import annotations

import numpy as np

from ..autograd.mode import no_grad
from ..diagnose import error
from ..op import m
from ..ops.creation import eye
from ..ops.random import multinomial, rand
from ..tensor import Size, wrap
from . import constraints
from .composed import TransformedDistribution
from .counts import Binomial, ByProbability, one_of
from .distribution import Distribution
from .parameters import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits
from .transforms import ExpTransform, SigmoidTransform


class Categorical(Distribution):
    """The categories 0 to n - 1 with probabilities proportional to the last dimension of `probs`.

    Args: `probs`, not negative, or `logits`, their logarithms; either need not be normalised.

    >>> kobai.distributions.Categorical(kobai.tensor([1.0, 1.0, 2.0])).probs
    tensor([0.2500, 0.2500, 0.5000])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    _expanded = {"probs": 1, "logits": 1}

    def __init__(self, probs=None, logits=None, validate_args=None):
        one_of(probs, logits)
        name, given = ("probs", probs) if probs is not None else ("logits", logits)
        if given.ndim < 1:
            raise error("tensor-dims", ValueError(f"`{name}` parameter must be at least one-dimensional."), what=name,
                        shape=given.shape, need="at least {n}", n=1,
                        fix="give one number for each category: torch.tensor([0.2, 0.3, 0.5]).")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = logits - m.logsumexp(logits, -1, keepdim=True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @property
    def _param(self):
        return self.__dict__["probs"] if "probs" in self.__dict__ else self.logits

    @property
    def param_shape(self):
        """The shape of `probs` and `logits`."""
        return self._param.shape

    @lazy_property
    def logits(self):
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self):
        """The probabilities."""
        return logits_to_probs(self.logits)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    mode = property(lambda self: self.probs.argmax(-1))

    @property
    def mean(self):
        return self.probs.new_full(self._extended_shape(), float("nan"))

    variance = mean

    def sample(self, sample_shape=Size(())):  # noqa: B008
        sample_shape = Size(sample_shape)
        with no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            drawn = multinomial(rows, sample_shape.numel(), True).T
            return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value):
        self._check(value)
        value = value.long().unsqueeze(-1)
        shape = np.broadcast_shapes(tuple(value.shape[:-1]), tuple(self.logits.shape[:-1]))
        logits = self.logits.expand(*shape, self._num_events)
        return m.gather(logits, -1, value.expand(*shape, 1)).squeeze(-1)

    def entropy(self):
        lowest = float(np.finfo(self.logits.dtype.np).min)
        return -(self.logits.clamp(min=lowest) * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return self._enumerated(wrap(np.arange(self._num_events)), expand)


class OneHotCategorical(Distribution):
    """Categories as vectors with one 1."""

    arg_constraints = Categorical.arg_constraints
    support = constraints.one_hot
    has_enumerate_support = True
    _expanded = {"_categorical": 0}

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(self._categorical.batch_shape, shape[-1:], validate_args=validate_args)

    _param = property(lambda self: self._categorical._param)
    param_shape = property(lambda self: self._categorical.param_shape)
    probs = mean = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self):
        return m.one_hot(self.probs.argmax(-1), self.event_shape[-1]).to(self.probs.dtype)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            return m.one_hot(self._categorical.sample(sample_shape), self.event_shape[-1]).to(self.probs.dtype)

    def log_prob(self, value):
        self._check(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self):
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        n = self.event_shape[0]
        values = eye(n, dtype=self._param.dtype).reshape(n, *(1,) * len(self.batch_shape), n)
        return values.expand(n, *self.batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot samples whose gradient is that of the probabilities (Y. Bengio et al., 2013)."""

    has_rsample = True

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        probs = self._categorical.probs
        return self.sample(sample_shape) + (probs - probs.detach())


class Multinomial(Distribution):
    """How often each category comes up in `total_count` draws."""

    arg_constraints = Categorical.arg_constraints
    _expanded = {"_categorical": 0}

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise error("argument-type", NotImplementedError("inhomogeneous total_count is not supported"),
                        what="total_count", kind=type(total_count), must="a whole number",
                        fix="write one number of draws for all, such as total_count=10.")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:],
                         validate_args=validate_args)

    _param = property(lambda self: self._categorical._param)
    param_shape = property(lambda self: self._categorical.param_shape)
    probs = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)
    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            drawn = self._categorical.sample(Size((self.total_count, *sample_shape)))
            counts = m.one_hot(drawn, self.event_shape[0]).sum(0)
            return counts.to(self.probs.dtype)

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        impossible = m.logical_and(value == 0, logits == -float("inf"))
        powers = (m.where(impossible, 0.0, logits) * value).sum(-1)
        return m.lgamma(value.sum(-1) + 1) - m.lgamma(value + 1).sum(-1) + powers

    def entropy(self):
        n = self.probs.new_tensor(float(self.total_count))
        each = Binomial(self.total_count, self.probs)
        values = each.enumerate_support(expand=False)[1:]
        orders = (m.exp(each.log_prob(values)) * m.lgamma(values + 1)).sum((0, -1))
        return n * self._categorical.entropy() - m.lgamma(n + 1) + orders


# ---- relaxed ---------------------------------------------------------------------------------
class LogitRelaxedBernoulli(ByProbability):
    """The log-odds of a relaxed Bernoulli variate (C. Maddison, A. Mnih and Y. W. Teh, 2017)."""

    support = constraints.real
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        self._set(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        p = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(rand(shape, dtype=p.dtype))
        return (m.log(u) - m.log1p(-u) + m.log(p) - m.log1p(-p)) / self.temperature

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        diff = logits - value * self.temperature
        return m.log(self.temperature) + diff - 2 * m.log1p(m.exp(diff))


class RelaxedBernoulli(TransformedDistribution):
    """Numbers in (0, 1) that are near 0 and 1 at low temperatures, with gradients."""

    arg_constraints = ByProbability.arg_constraints
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(),
                         validate_args=validate_args)

    temperature = property(lambda self: self.base_dist.temperature)
    logits = property(lambda self: self.base_dist.logits)
    probs = property(lambda self: self.base_dist.probs)


class ExpRelaxedCategorical(Distribution):
    """The logarithms of relaxed one-hot vectors (Maddison, Mnih and Teh, 2017)."""

    arg_constraints = Categorical.arg_constraints
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"_categorical": 0}

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:],
                         validate_args=validate_args)

    _param = property(lambda self: self._categorical._param)
    param_shape = property(lambda self: self._categorical.param_shape)
    probs = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        u = clamp_probs(rand(self._extended_shape(sample_shape), dtype=self.logits.dtype))
        gumbel = -m.log(-m.log(u))
        scores = (self.logits + gumbel) / self.temperature
        return scores - m.logsumexp(scores, -1, keepdim=True)

    def log_prob(self, value):
        self._check(value)
        n = self.event_shape[-1]
        logits, value = broadcast_all(self.logits, value)
        log_scale = m.lgamma(self.temperature.new_tensor(float(n))) + (n - 1) * m.log(self.temperature)
        score = logits - value * self.temperature
        return (score - m.logsumexp(score, -1, keepdim=True)).sum(-1) + log_scale


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of the simplex that are near its corners at low temperatures, with gradients."""

    arg_constraints = Categorical.arg_constraints
    support = constraints.simplex
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        super().__init__(ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args),
                         ExpTransform(), validate_args=validate_args)

    temperature = property(lambda self: self.base_dist.temperature)
    logits = property(lambda self: self.base_dist.logits)
    probs = property(lambda self: self.base_dist.probs)


__all__ = ["Categorical", "ExpRelaxedCategorical", "LogitRelaxedBernoulli", "Multinomial", "OneHotCategorical",
           "OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical"]
