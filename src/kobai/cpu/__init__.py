"""`torch.cpu`: the CPU answered for as if it were a device like others.

>>> kobai.cpu.is_available(), kobai.cpu.device_count(), kobai.cpu.current_device()
(True, 1, 'cpu')
"""
from __future__ import annotations

from . import amp as amp

__all__ = ["amp", "current_device", "device_count", "is_available", "set_device", "synchronize"]


def is_available():
    """Whether there is a CPU: True."""
    return True


def device_count():
    """How many CPU devices there are: 1, whatever the number of cores."""
    return 1


def current_device():
    """The name of the current device: "cpu"."""
    return "cpu"


def set_device(device):
    """Nothing to choose from: does nothing."""


def synchronize(device=None):
    """Results are there when a function returns: does nothing."""
