"""Mixtures of distributions of one family."""
from __future__ import annotations

from ..autograd.mode import no_grad
from ..diagnose import error
from ..op import m
from ..tensor import Size
from . import constraints
from .categories import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """A mixture: which component of the last batch dimension a value comes from is drawn by `mixture_distribution`."""

    arg_constraints: dict = {}
    has_rsample = False

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise error("argument-type",
                        ValueError(" The Mixture distribution needs to be an  instance of "
                                   "torch.distributions.Categorical"),
                        what="mixture_distribution", kind=type(mixture_distribution), must="a Categorical",
                        fix="write MixtureSameFamily(Categorical(weights), Normal(locs, scales)).")
        if not isinstance(component_distribution, Distribution):
            raise error("argument-type",
                        ValueError("The Component distribution need to be an instance of "
                                   "torch.distributions.Distribution"),
                        what="component_distribution", kind=type(component_distribution), must="a distribution",
                        fix="write MixtureSameFamily(Categorical(weights), Normal(locs, scales)).")
        ours, theirs = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for i, j in zip(reversed(ours), reversed(theirs)):
            if i != 1 and j != 1 and i != j:
                raise error("shapes-differ",
                            ValueError(f"`mixture_distribution.batch_shape` ({ours}) is not compatible with "
                                       f"`component_distribution.batch_shape`({Size(theirs)})"),
                            what="mixture_distribution.batch_shape", shape=ours,
                            other="component_distribution.batch_shape[:-1]", other_shape=tuple(theirs),
                            must="counted from the last dimension, sizes must be equal or 1")
        count, kc = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if count != kc:
            raise error("argument-value",
                        ValueError(f"`mixture_distribution component` ({count}) does not equal "
                                   f"`component_distribution.batch_shape[-1]` ({kc})"),
                        count=count, size=kc, why="there are {count} weights and {size} components.",
                        fix="the last dimension of the components' batch is what is mixed: give one weight for each.")
        self._num_component = count
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(theirs, event_shape, validate_args=validate_args)

    mixture_distribution = property(lambda self: self._mixture_distribution)
    component_distribution = property(lambda self: self._component_distribution)

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def expand(self, batch_shape, _instance=None):
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.__dict__.update(self.__dict__)
        shape = Size(batch_shape)
        new._component_distribution = self._component_distribution.expand(Size((*shape, self._num_component)))
        new._mixture_distribution = self._mixture_distribution.expand(shape)
        new._batch_shape = shape
        return new

    def _weights(self):
        """The probabilities of the components, broadcast against their events."""
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * self._event_ndims)

    @property
    def mean(self):
        return (self._weights() * self._component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self):
        at, weights, parts = -1 - self._event_ndims, self._weights(), self._component_distribution
        inside = (weights * parts.variance).sum(at)
        return inside + (weights * (parts.mean - self.mean.unsqueeze(at)) ** 2).sum(at)

    def cdf(self, x):
        return (self._component_distribution.cdf(self._pad(x)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value):
        self._check(value)
        parts = self._component_distribution.log_prob(self._pad(value))
        return m.logsumexp(parts + m.log_softmax(self._mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            at = len(sample_shape) + len(self.batch_shape)
            which = self._mixture_distribution.sample(sample_shape)
            parts = self._component_distribution.sample(sample_shape)
            which = which.reshape(*which.shape, *(1,) * (self._event_ndims + 1))
            shape = (*parts.shape[:at], 1, *parts.shape[at + 1:])
            return m.gather(parts, at, which.expand(shape)).squeeze(at)

    def _pad(self, x):
        return x.unsqueeze(x.ndim - self._event_ndims)

    def __repr__(self):
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"


__all__ = ["MixtureSameFamily"]
