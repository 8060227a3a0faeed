"""Switches of PyTorch that change nothing here; they are kept, so that a program reads what it set.

The same seed always gives the same bits in kobai, and products of float32 are computed in float32.
"""
from __future__ import annotations

import warnings

_deterministic = [False, False]     # wanted, warn_only
_precision = ["highest"]


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Ask for the same bits in every run: kobai always gives them.

    >>> kobai.use_deterministic_algorithms(True); kobai.are_deterministic_algorithms_enabled()
    True
    >>> kobai.use_deterministic_algorithms(False)
    """
    _deterministic[:] = [bool(mode), bool(warn_only)]


def are_deterministic_algorithms_enabled():
    """What `use_deterministic_algorithms` was told last."""
    return _deterministic[0]


def is_deterministic_algorithms_warn_only_enabled():
    """Whether `use_deterministic_algorithms` was told to warn only."""
    return _deterministic[1]


def set_float32_matmul_precision(precision):
    """Allow less exact products of float32, "highest", "high" or "medium": kobai's stay exact."""
    if precision not in ("highest", "high", "medium"):
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
                      "setFloat32MatmulPrecision call has no effect.", stacklevel=2)
        return
    _precision[0] = precision


def get_float32_matmul_precision():
    """What `set_float32_matmul_precision` was told last.

    >>> kobai.get_float32_matmul_precision()
    'highest'
    """
    return _precision[0]
