"""`torch.accelerator` where there is none: programs that ask first compute on the CPU.

>>> kobai.accelerator.is_available(), kobai.accelerator.current_accelerator()
(False, None)
"""
from __future__ import annotations

__all__ = ["current_accelerator", "current_device_index", "device_count", "empty_cache", "is_available",
           "set_device_index", "synchronize"]


def is_available():
    """Whether there is something faster than the CPU to compute on: False."""
    return False


def device_count():
    """How many accelerators there are: 0."""
    return 0


def current_accelerator(check_available=False):
    """The accelerator's device: None."""
    return None


def _refuse():
    from .diagnose import error  # noqa: PLC0415  (only for a mistake: it needs what stands above)
    return error("machine", RuntimeError("Cannot access accelerator device when none is available."),
                 why="this version of kobai computes on the CPU only.",
                 fix="ask torch.accelerator.is_available() first.")


def current_device_index():
    """The number of the current accelerator. Raises RuntimeError: there is none."""
    raise _refuse()


def set_device_index(device):
    """Make an accelerator the current one. Raises RuntimeError: there is none."""
    raise _refuse()


def synchronize(device=None):
    """Wait for the accelerator. Raises RuntimeError: there is none."""
    raise _refuse()


def empty_cache():
    """Give cached memory back. Raises RuntimeError: there is no accelerator."""
    raise _refuse()
