"""The words that update formulas use beside arithmetic; all work on arrays, Tensors and traced values.

`m` holds every op by name: `m.sqrt(x)`, `m.maximum(a, b)`, `m.where(c, a, b)`.
"""
from __future__ import annotations

import numpy as np

from ..op import m
from ..tensor import Tensor

__all__ = ["m", "choose", "decayed", "given", "largest", "lerp", "smallest"]


def lerp(a, b, w):
    """a moved towards b by the fraction w: exact at both ends.

    >>> lerp(2.0, 10.0, 0.25)
    4.0
    """
    near = w < 0.5
    if isinstance(near, (bool, np.bool_)):
        return a + w * (b - a) if near else b - (1 - w) * (b - a)
    return m.where(near, a + w * (b - a), b - (1 - w) * (b - a))


def decayed(h, p, g):
    """(p, g) after weight decay: it shrinks the parameter itself where it is decoupled, else it is added to g."""
    if not h.weight_decay:
        return p, g
    return (p * (1 - h.lr * h.weight_decay), g) if h.decoupled_weight_decay else (p, g + h.weight_decay * p)


def given(number):
    """Whether a hyperparameter is not 0: one that is read anew on each step of a compiled program is not.

    >>> given(0.9), given(0)
    (True, False)
    """
    return isinstance(number, Tensor) or bool(number)


def choose(condition, a, b):
    """a() if the condition holds, else b(); both are computed if the condition is not known yet.

    >>> choose(3 > 2, lambda: "yes", lambda: "no")
    'yes'
    """
    if isinstance(condition, bool):
        return a() if condition else b()
    return m.where(condition, a(), b())


def largest(a, b):
    """The larger of two numbers, or of two values element by element.

    >>> largest(1, 2)
    2
    """
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return max(a, b)
    return m.maximum(a, b)


def smallest(a, b):
    """The smaller of two numbers, or of two values element by element.

    >>> smallest(1, 2)
    1
    """
    return -largest(-a, -b)
