"""Switches of PyTorch that change little here; they are kept, so that a program reads what it set.

After `manual_seed` the same program always gives the same bits, and products of float32 are computed in float32.
"""
from __future__ import annotations

import os
import warnings

from .autograd.mode import runs
from .diagnose import error

_deterministic = [False, False]     # wanted, warn_only
_precision = ["highest"]
_interop = [0]                      # 0: nobody has chosen
_warn_always = [False]


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Ask for the same bits in every run, even where `manual_seed` is not called: nothing is computed otherwise after
    it has been used often.

    >>> kobai.use_deterministic_algorithms(True); kobai.are_deterministic_algorithms_enabled()
    True
    >>> kobai.use_deterministic_algorithms(False)
    """
    _deterministic[:] = [bool(mode), bool(warn_only)]
    runs.fixed = bool(mode)


def are_deterministic_algorithms_enabled():
    """What `use_deterministic_algorithms` was told last."""
    return _deterministic[0]


def is_deterministic_algorithms_warn_only_enabled():
    """Whether `use_deterministic_algorithms` was told to warn only."""
    return _deterministic[1]


_DEBUG_MODES = ["default", "warn", "error"]


def set_deterministic_debug_mode(debug_mode):
    """`use_deterministic_algorithms` by one word or number: "default" (0), "warn" (1), "error" (2).

    >>> kobai.set_deterministic_debug_mode("warn"); kobai.get_deterministic_debug_mode()
    1
    >>> kobai.set_deterministic_debug_mode(0)
    """
    if not isinstance(debug_mode, (str, int)):
        raise error("argument-type", TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}"),
                    what="debug_mode", kind=type(debug_mode), must="a text or a whole number")
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise error("argument-choice",
                        RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                                     f"{debug_mode}"),
                        what="debug_mode", value=debug_mode, choices=["default", "warn", "error"])
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise error("argument-choice",
                    RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"),
                    what="debug_mode", value=debug_mode, choices=[0, 1, 2])
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode():
    """0, 1 or 2: see `set_deterministic_debug_mode`."""
    return (1 if _deterministic[1] else 2) if _deterministic[0] else 0


def set_num_interop_threads(n):
    """How many ops may run at once: here it is one after the other, and the number is only kept."""
    if isinstance(n, bool) or not isinstance(n, int):
        raise error("argument-type",
                    RuntimeError(f"set_num_interop_threads expects an int, but got {type(n).__name__}"),
                    what="n", kind=type(n), must="a positive whole number")
    if n <= 0:
        raise error("argument-value", RuntimeError("set_num_interop_threads expects a positive integer"),
                    what="n", value=n, must="a positive whole number")
    _interop[0] = n


def get_num_interop_threads():
    """What `set_num_interop_threads` was told last; at first, the number of cores."""
    return _interop[0] or os.cpu_count() or 1


def set_warn_always(b):
    """Whether warnings that come once per process should come each time; kobai leaves that to `warnings`."""
    if not isinstance(b, bool):
        raise error("argument-type", RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}"),
                    what="b", kind=type(b), must="True or False")
    _warn_always[0] = b


def is_warn_always_enabled():
    """What `set_warn_always` was told last."""
    return _warn_always[0]


def set_flush_denormal(mode):
    """Ask the processor to take the smallest numbers for 0; False says that this is not done here.

    >>> kobai.set_flush_denormal(True)
    False
    """
    return False


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
