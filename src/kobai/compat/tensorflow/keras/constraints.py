"""Limits in which weights are kept after each step."""
from __future__ import annotations

from ....op import m
from ..tensors import box
from ..values import value_of
from .registry import make_get
from .settings import epsilon


class Constraint:
    """Called with a weight, it gives the allowed weight next to it."""

    def __call__(self, w):
        return w

    def get_config(self):
        """The parameters by name."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object of a configuration."""
        return cls(**config)


def _lengths(t, axis):
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    return m.sqrt(m.sum(t * t, axes, True))


class MaxNorm(Constraint):
    """No length along `axis` above `max_value`."""

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        t = value_of(w)
        length = _lengths(t, self.axis)
        return box(t * (m.clamp(length, 0.0, self.max_value) / (epsilon() + length)))

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No weight below 0."""

    def __call__(self, w):
        t = value_of(w)
        return box(t * m.cast(m.ge(t, 0), t._value.dtype))


class UnitNorm(Constraint):
    """Every length along `axis` is 1."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        t = value_of(w)
        return box(t / (epsilon() + _lengths(t, self.axis)))

    def get_config(self):
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Every length along `axis` between two numbers; `rate` says how fast it is brought there."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        t = value_of(w)
        length = _lengths(t, self.axis)
        wanted = self.rate * m.clamp(length, self.min_value, self.max_value) + (1 - self.rate) * length
        return box(t * (wanted / (epsilon() + length)))

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
_BY_NAME = {"max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
            "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm}
get = make_get("constraint", _BY_NAME.get)
