"""What is added to the loss for large weights; and limits that weights are kept in."""
from __future__ import annotations

from ....op import m
from ..tensors import box
from ..values import value_of
from .registry import make_get


class Regularizer:
    """Called with a weight, it gives what is added to the loss."""

    def __call__(self, x):
        return box(m.zeros_like(m.sum(value_of(x))))

    def get_config(self):
        """The parameters by name."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object of a configuration."""
        return cls(**config)


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x ** 2)."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = 0.0 if l1 is None else float(l1), 0.0 if l2 is None else float(l2)

    def __call__(self, x):
        t = value_of(x)
        total = m.zeros_like(m.sum(t))
        if self.l1:
            total = total + self.l1 * m.sum(m.abs(t))
        if self.l2:
            total = total + self.l2 * m.sum(t * t)
        return box(total)

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 * sum(|x|)."""

    def __init__(self, l1=0.01):
        super().__init__(l1, 0.0)

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 * sum(x ** 2)."""

    def __init__(self, l2=0.01):
        super().__init__(0.0, l2)

    def get_config(self):
        return {"l2": self.l2}


l1, l2, l1_l2 = L1, L2, L1L2
_BY_NAME = {"l1": L1, "l2": L2, "l1_l2": L1L2, "L1": L1, "L2": L2, "L1L2": L1L2}
get = make_get("regularizer", _BY_NAME.get)
