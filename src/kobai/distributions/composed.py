"""Distributions made of others: independent ones taken as one, transformed ones."""
from __future__ import annotations

from ..autograd.mode import no_grad
from ..diagnose import error
from ..tensor import Size
from . import constraints
from .distribution import Distribution
from .parameters import sum_rightmost
from .transform import Transform
from .transforms import ComposeTransform


class Independent(Distribution):
    """The last `reinterpreted_batch_ndims` batch dimensions become event dimensions: their log_probs are summed.

    >>> d = kobai.distributions.Independent(kobai.distributions.Normal(kobai.zeros(3), 1.0), 1)
    >>> d.batch_shape, d.event_shape
    (torch.Size([]), torch.Size([3]))
    """

    arg_constraints: dict = {}

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        n, batch = reinterpreted_batch_ndims, base_distribution.batch_shape
        if n > len(batch):
            raise error("argument-value",
                        ValueError("Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                                   f"actual {n} vs {len(batch)}"),
                        what="reinterpreted_batch_ndims", value=n, shape=batch,
                        why="{value} dimensions of the batch should become part of an event, and the batch_shape "
                            "{shape} has {ndim}.",
                        fix="use a smaller number, or give the parameters more dimensions: loc.expand(n) makes a "
                            "batch of n.")
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, n
        shape = (*batch, *base_distribution.event_shape)
        super().__init__(shape[:len(batch) - n], shape[len(batch) - n:], validate_args=validate_args)

    has_rsample = property(lambda self: self.base_dist.has_rsample)
    mean = property(lambda self: self.base_dist.mean)
    mode = property(lambda self: self.base_dist.mode)
    variance = property(lambda self: self.base_dist.variance)

    @property
    def has_enumerate_support(self):
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self):
        support = self.base_dist.support
        n = self.reinterpreted_batch_ndims
        return constraints.independent(support, n) if n else support

    def expand(self, batch_shape, _instance=None):
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.__dict__.update(self.__dict__)
        shape = Size(batch_shape)
        new.base_dist = self.base_dist.expand(Size((*shape, *self.event_shape[:self.reinterpreted_batch_ndims])))
        new._batch_shape = shape
        return new

    def sample(self, sample_shape=Size(())):  # noqa: B008
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand=True):
        if self.reinterpreted_batch_ndims > 0:
            raise error("not-possible", NotImplementedError("Enumeration over cartesian product is not implemented"),
                        why="the values of several dimensions together would be all their combinations.",
                        fix="use base_dist.enumerate_support(), which is about each dimension by itself.")
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class TransformedDistribution(Distribution):
    """The distribution of t(x), x from `base_distribution`: log p(y) = log p(x) - log |det dy/dx|.

    Args: `transforms`, one or a list of them in the order of their application.

    >>> base = kobai.distributions.Normal(0.0, 1.0)
    >>> kobai.distributions.TransformedDistribution(base, kobai.distributions.ExpTransform()).cdf(kobai.tensor(1.0))
    tensor(0.5000)
    """

    arg_constraints: dict = {}

    def __init__(self, base_distribution, transforms, validate_args=None):
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            message = "transforms must be a Transform or a list of Transforms" if isinstance(
                transforms, list) else f"transforms must be a Transform or list, but was {transforms}"
            raise error("argument-type", ValueError(message),
                        what="transforms[i]" if isinstance(transforms, list) else "transforms",
                        must="a transform or a list of transforms",
                        kind=next((type(t) for t in transforms if not isinstance(t, Transform)), list)
                        if isinstance(transforms, list) else type(transforms),
                        fix="write TransformedDistribution(base, [AffineTransform(0.0, 2.0), ExpTransform()]).")
        whole = ComposeTransform(self.transforms)
        base, change = base_distribution, whole.codomain.event_dim - whole.domain.event_dim
        shape = (*base.batch_shape, *base.event_shape)
        own = len(base.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise error("tensor-dims",
                        ValueError("base_distribution needs to have shape with size at least "
                                   f"{whole.domain.event_dim}, but got {Size(shape)}."),
                        what="base_distribution", shape=shape, need="at least {n}", n=whole.domain.event_dim,
                        fix="these transforms work on vectors or matrices: give the base distribution more "
                            "dimensions, Normal(torch.zeros(3), 1.0).")
        after = tuple(whole.forward_shape(shape))
        before = tuple(whole.inverse_shape(after))
        if before != shape:
            base = base.expand(before[:len(before) - own])
        if whole.domain.event_dim > own:
            base = Independent(base, whole.domain.event_dim - own)
        self.base_dist = base
        event_dim = max(whole.codomain.event_dim, own + change)
        cut = len(after) - event_dim
        super().__init__(after[:cut], after[cut:], validate_args=validate_args)

    has_rsample = property(lambda self: self.base_dist.has_rsample)

    def expand(self, batch_shape, _instance=None):
        new = type(self).__new__(type(self)) if _instance is None else _instance
        shape = Size(batch_shape)
        for name, value in self.__dict__.items():
            new.__dict__[name] = value.expand(shape) if name in self._expanded else value
        before = ComposeTransform(self.transforms).inverse_shape((*shape, *self.event_shape))
        new.base_dist = self.base_dist.expand(Size(before[:len(before) - len(self.base_dist.event_shape)]))
        new._batch_shape = shape
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self):
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self.event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    def _transformed(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        return self._transformed(self.base_dist.rsample(sample_shape))

    def log_prob(self, value):
        self._check(value)
        event_dim, y, total = len(self.event_shape), value, 0.0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _increasing(self, probability):
        """`probability`, or one minus it where the transforms decrease."""
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return probability if isinstance(sign, int) and sign == 1 else sign * (probability - 0.5) + 0.5

    def cdf(self, value):
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._increasing(self.base_dist.cdf(value))

    def icdf(self, value):
        return self._transformed(self.base_dist.icdf(self._increasing(value)))


__all__ = ["Independent", "TransformedDistribution"]
