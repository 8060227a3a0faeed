"""What all transforms share: a map between sets of values, its inverse, and how much it stretches volumes."""
from __future__ import annotations

import weakref

from ..diagnose import error
from . import constraints


class Transform:
    """A map y = t(x) with an inverse (maybe only up to a choice) and a Jacobian determinant.

    Subclasses define `_call`, `_inverse` and `log_abs_det_jacobian`, `domain`, `codomain`, `bijective`; and `sign`,
    1 or -1, if they are monotonic functions of numbers. With cache_size=1 the last pair (x, y) is remembered, so
    that the inverse of a result is exact.

    >>> kobai.distributions.ExpTransform().inv(kobai.tensor(1.0))
    tensor(0.)
    """

    bijective = False
    domain: constraints.Constraint
    codomain: constraints.Constraint

    def __init__(self, cache_size=0):
        if cache_size not in (0, 1):
            raise error("argument-choice", ValueError("cache_size must be 0 or 1"), what="cache_size", value=cache_size,
                        choices=[0, 1])
        self._cache_size, self._inv = cache_size, None
        self._cached_x_y = None, None

    def __getstate__(self):
        return {**self.__dict__, "_inv": None}

    @property
    def event_dim(self):
        """How many dimensions belong to one value."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim
        raise error("not-possible", ValueError("Please use either .domain.event_dim or .codomain.event_dim"),
                    a_dims=self.domain.event_dim, b_dims=self.codomain.event_dim,
                    why="what goes in has {a_dims} dimensions and what comes out {b_dims}.",
                    fix="write transform.domain.event_dim or transform.codomain.event_dim.")

    @property
    def inv(self):
        """The inverse transform; its own inverse is this one."""
        inv = self._inv() if self._inv is not None else None
        if inv is None:
            inv = InverseTransform(self)
            self._inv = weakref.ref(inv)
        return inv

    @property
    def sign(self):
        """1 if it is increasing, -1 if decreasing."""
        raise _absent(self, "sign")

    def with_cache(self, cache_size=1):
        """The same transform with another cache size."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise error("method-missing", NotImplementedError(f"{type(self)}.with_cache is not implemented"),
                    cls=type(self), what="with_cache",
                    why="{cls} has an __init__ of its own, so with_cache() does not know how to make another one.",
                    fix="write `def with_cache(self, cache_size=1)` in {cls}.")

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__

    def __call__(self, x):
        if not self._cache_size:
            return self._call(x)
        old_x, old_y = self._cached_x_y
        if x is old_x:
            return old_y
        y = self._call(x)
        self._cached_x_y = x, y
        return y

    def _inv_call(self, y):
        if not self._cache_size:
            return self._inverse(y)
        old_x, old_y = self._cached_x_y
        if y is old_y:
            return old_x
        x = self._inverse(y)
        self._cached_x_y = x, y
        return x

    def _call(self, x):
        raise _absent(self, "_call")

    def _inverse(self, y):
        raise _absent(self, "_inverse")

    def log_abs_det_jacobian(self, x, y):
        """log |det dy/dx| for y = t(x)."""
        raise _absent(self, "log_abs_det_jacobian")

    def forward_shape(self, shape):
        """The shape of t(x) from that of x."""
        return shape

    def inverse_shape(self, shape):
        """The shape of x from that of t(x)."""
        return shape

    def __repr__(self):
        return type(self).__name__ + "()"


class InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform):
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    domain = property(lambda self: self._inv.codomain)
    codomain = property(lambda self: self._inv.domain)
    bijective = property(lambda self: self._inv.bijective)
    sign = property(lambda self: self._inv.sign)
    inv = property(lambda self: self._inv)

    def __getstate__(self):
        return self.__dict__

    def with_cache(self, cache_size=1):
        return self.inv.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, InverseTransform) and self._inv == other._inv

    __hash__ = object.__hash__

    def __repr__(self):
        return f"_InverseTransform({self._inv!r})"

    def __call__(self, x):
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x, y):
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape):
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self._inv.forward_shape(shape)


def _absent(transform, what):
    """The error for a method that a transform does not have. PyTorch's has no text."""
    return error("method-missing", NotImplementedError(f"{type(transform).__name__} does not implement {what}"),
                 cls=type(transform), what=what)


def at_least(n, shape):
    """`shape`, if it has n dimensions; else ValueError."""
    if len(shape) < n:
        raise error("tensor-dims", ValueError("Too few dimensions on input"), what="x", shape=tuple(shape),
                    need="at least {n}", n=n)
    return shape
