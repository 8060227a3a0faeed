"""Anomaly mode: stop where a NaN appears, forward or backward, and name the line."""
from __future__ import annotations

from .mode import _Context, modes


class set_detect_anomaly(_Context):
    """Look for NaN in everything computed from now on, or within the block (slow; for debugging).

    Unlike PyTorch's, this also finds a NaN in the forward pass.
    """

    def __init__(self, mode, check_nan=True):
        self._before = modes.anomaly
        self.mode = modes.anomaly = bool(mode) and check_nan

    def _fresh(self):
        return type(self)(self.mode)

    def __enter__(self):
        modes.anomaly = self.mode

    def __exit__(self, *exc):
        modes.anomaly = self._before


class detect_anomaly(set_detect_anomaly):
    """`with detect_anomaly():` looks for NaN in the gradients computed inside."""

    def __init__(self, check_nan=True):
        super().__init__(True, check_nan)
        modes.anomaly = self._before  # on from __enter__ on

    def _fresh(self):
        return type(self)()


def is_anomaly_enabled():
    """Whether anomaly mode is on in this thread."""
    return bool(modes.anomaly)
