"""What all distributions share: shapes, checks of parameters and values, and what each of them gives."""
from __future__ import annotations

import warnings

from ..autograd.mode import modes, no_grad
from ..diagnose import error
from ..op import m
from ..tensor import Size, Tensor
from . import constraints
from .parameters import lazy_property


class Distribution:
    """A batch of probability distributions.

    A sample has shape sample_shape + batch_shape + event_shape: independent samples, distributions with different
    parameters, and what belongs to one value (a vector, say). `log_prob` has one number for each event.

    Class attributes: `arg_constraints`, {parameter: set of values}; `support`, the set of values of a sample;
    `has_rsample`, whether samples have gradients; `has_enumerate_support`.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Switch the checks of parameters and values on or off for distributions made from now on."""
        if value not in (True, False):
            raise error("argument-value", ValueError("value must be True or False"), what="value", value=value,
                        must="True or False")
        Distribution._validate_args = value

    def __init__(self, batch_shape=Size(()), event_shape=Size(()), validate_args=None):  # noqa: B008
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _check_parameters(self):
        try:
            known = self.arg_constraints
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or "
                          "initialize the distribution with `validate_args=False` to turn off validation.",
                          stacklevel=4)
            return
        for name, constraint in known.items():
            lazy = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or lazy:
                continue
            value = getattr(self, name)
            valid = constraint.check(value)
            if not _holds(valid):
                plain = ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}")
                raise _refused(plain, name, value, constraint)

    # ---- shapes --------------------------------------------------------------------------
    batch_shape = property(lambda self: self._batch_shape)
    event_shape = property(lambda self: self._event_shape)

    def expand(self, batch_shape, _instance=None):
        """The same distributions with a larger batch shape, without copying parameters."""
        if not self._expanded:
            raise error("method-missing", NotImplementedError(f"{self.__class__} does not implement expand"),
                        cls=type(self), what="expand")
        new = type(self).__new__(type(self)) if _instance is None else _instance
        shape = Size(batch_shape)
        for name, value in self.__dict__.items():
            if name in self._expanded:
                own = self._expanded[name]  # so many of its last dimensions are no batch dimensions
                new.__dict__[name] = value.expand(Size((*shape, *value.shape[value.ndim - own:])) if own else shape)
            elif not isinstance(getattr(type(self), name, None), lazy_property):
                new.__dict__.setdefault(name, value)
        new._batch_shape = shape
        return new

    _expanded: dict[str, int] = {}  # the parameters (tensors or distributions) that `expand` expands

    def _get_checked_instance(self, cls, _instance=None):
        """An instance to fill in `expand`, for subclasses written for PyTorch."""
        if _instance is None and type(self).__init__ is not cls.__init__:
            raise error("method-missing",
                        NotImplementedError(f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom "
                                            "__init__ method must also define a custom .expand() method."),
                        cls=type(self), what="expand", base=cls,
                        why="{cls} has an __init__ of its own, so expand() of {base} does not know how to make "
                            "another one.",
                        fix="write `def expand(self, batch_shape, _instance=None)` in {cls}.")
        return type(self).__new__(type(self)) if _instance is None else _instance

    def _extended_shape(self, sample_shape=Size(())):  # noqa: B008
        """The shape of samples."""
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    # ---- what they give ------------------------------------------------------------------
    @property
    def arg_constraints(self):
        """{name: constraint} of the parameters."""
        raise NotImplementedError

    @property
    def support(self):
        """The set of values."""
        raise NotImplementedError

    @property
    def mean(self):
        """The mean."""
        raise _absent(self, "mean")

    @property
    def mode(self):
        """The most probable value."""
        raise _absent(self, "mode")

    @property
    def variance(self):
        """The variance."""
        raise _absent(self, "variance")

    @property
    def stddev(self):
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape=Size(())):  # noqa: B008
        """Random values, without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        """Random values as differentiable functions of the parameters."""
        raise error("method-missing", NotImplementedError(f"{self.__class__} does not implement rsample"),
                    cls=type(self), what="rsample",
                    why="samples of {cls} are not differentiable functions of its parameters.",
                    fix="use d.sample() and d.log_prob(x), or a distribution with has_rsample, such as Normal; in a class "
                        "of your own write `def rsample(self, sample_shape=())`.")

    def sample_n(self, n):
        """n samples."""
        warnings.warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.", UserWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, of values."""
        raise error("method-missing", NotImplementedError(f"{self.__class__} does not implement log_prob"),
                    cls=type(self), what="log_prob")

    def cdf(self, value):
        """The probability of a value not larger than this one."""
        raise _absent(self, "cdf")

    def icdf(self, value):
        """The value that is not exceeded with this probability."""
        raise _absent(self, "icdf")

    def entropy(self):
        """Minus the mean of log_prob."""
        raise _absent(self, "entropy")

    def perplexity(self):
        """exp(entropy)."""
        return m.exp(self.entropy())

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution, along a new first dimension."""
        raise error("not-possible", NotImplementedError(f"{self.__class__} does not implement enumerate_support"),
                    cls=type(self), why="the values of {cls} cannot be listed.",
                    fix="look at d.has_enumerate_support before, or draw values: d.sample((100,)).")

    def _enumerated(self, values, expand):
        """`values` in front of the batch's dimensions."""
        values = values.reshape(-1, *(1,) * len(self._batch_shape), *values.shape[1:])
        return values.expand(-1, *self._batch_shape, *values.shape[1 + len(self._batch_shape):]) if expand else values

    # ---- checks --------------------------------------------------------------------------
    def _check(self, value):
        """Raise ValueError if `value` cannot be a sample, unless checks are off."""
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value):
        """Raise ValueError if `value` cannot be a sample."""
        if not isinstance(value, Tensor):
            raise error("argument-type", ValueError("The value argument to log_prob must be a Tensor"), what="value",
                        kind=type(value), must="a tensor", fix="write torch.tensor(value).")
        first = value.ndim - len(self._event_shape)
        if tuple(value.shape[max(first, 0):]) != tuple(self._event_shape):
            raise error("shapes-differ",
                        ValueError(f"The right-most size of value must match event_shape: {value.shape} vs "
                                   f"{self._event_shape}."),
                        what="value", shape=value.shape, other="event_shape", other_shape=self._event_shape,
                        must="the last dimensions of a value must be those of an event",
                        fix="one value of this distribution has shape {other_shape}; samples and batch stand in front.")
        for i, j in zip(reversed(value.shape), reversed((*self._batch_shape, *self._event_shape))):
            if 1 not in (i, j) and i != j:
                raise error("shapes-differ",
                            ValueError(f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs "
                                       f"{Size((*self._batch_shape, *self._event_shape))}."),
                            what="value", shape=value.shape, other="batch_shape + event_shape",
                            other_shape=Size((*self._batch_shape, *self._event_shape)),
                            must="counted from the last dimension, sizes must be equal or 1",
                            fix="for n values of each distribution the shape is (n, ...) in front of {other_shape}: "
                                "value.unsqueeze(1) or the like.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{self.__class__} does not define `support` to enable sample validation. Please initialize "
                          "the distribution with `validate_args=False` to turn off validation.", stacklevel=3)
            return
        if not _holds(support.check(value)):
            plain = ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}")
            raise _refused(plain, "value", value, support)

    def __repr__(self):
        shown = [n for n in self.arg_constraints if n in self.__dict__]
        inside = ", ".join(f"{n}: {_short(self.__dict__[n])}" for n in shown)
        return f"{type(self).__name__}({inside})"


def _short(value):
    return value if value.numel() == 1 else value.shape


class ExponentialFamily(Distribution):
    """Distributions with density exp(eta . T(x) - A(eta)): the entropy follows from the log-normaliser A.

    F. Nielsen and R. Nock, Entropies and cross-entropies of exponential families (2010).
    """

    @property
    def _natural_params(self):
        """The parameters eta, a tuple of tensors."""
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        """A(eta)."""
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        """The mean of the logarithm of the carrier measure."""
        raise NotImplementedError

    def entropy(self):
        """A(eta) - eta . A'(eta), minus the mean carrier measure."""
        from ..autograd import engine  # noqa: PLC0415  (needed here only)
        from ..autograd.mode import enable_grad  # noqa: PLC0415
        with enable_grad():
            eta = [p.detach().requires_grad_() for p in self._natural_params]
            log_normalizer = self._log_normalizer(*eta)
            slopes = engine.grad([log_normalizer.sum()], eta, create_graph=True)
        result = -self._mean_carrier_measure + log_normalizer
        for p, slope in zip(eta, slopes):
            result = result - (p * slope).reshape(*self._batch_shape, -1).sum(-1)
        return result


def _absent(d, what):
    """The error for what a kind of distribution does not have. PyTorch's has no text."""
    return error("method-missing", NotImplementedError(f"{d.__class__} does not implement {what}"), cls=type(d), what=what,
                 why="no formula is known for {what} of {cls}.",
                 fix="estimate it from samples, x = d.sample((10000,)); in a class of your own write `def {what}(self, ...)`.")


def _refused(plain, what, value, constraint):
    from .refusals import refused  # noqa: PLC0415  (only for a mistake)
    return refused(plain, what, value, constraint)


def _holds(valid) -> bool:
    """Whether all is valid; a recorded program asks again on each run."""
    return bool(valid.all()) if modes.trace is None else modes.trace.ensure(valid.all())
