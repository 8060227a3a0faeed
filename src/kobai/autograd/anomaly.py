"""Anomaly mode: say where a NaN appears, forward or backward, and name the line."""
from __future__ import annotations

import warnings

from .mode import PASS, _Context, modes


def _look(on, check_nan):
    """Turn the mode on or off. While it is on, ops go the long way (as with saved_tensors_hooks), which looks."""
    modes.anomaly, modes.anomaly_on = on and check_nan, on
    if modes.anomaly and modes.pack is None:
        modes.pack = PASS
    elif not modes.anomaly and modes.pack is PASS:
        modes.pack = None


class set_detect_anomaly(_Context):
    """Look for NaN in everything computed from now on, or within the block (slow; for debugging).

    A NaN that arises in a gradient is an error, as in PyTorch. One that arises in the forward pass, of
    which PyTorch says nothing, is a warning: whether it matters shows only later.
    """

    def __init__(self, mode, check_nan=True):
        self.mode, self.check_nan = bool(mode), check_nan
        self._before = modes.anomaly_on, modes.anomaly or not modes.anomaly_on
        _look(self.mode, check_nan)

    def _fresh(self):
        return type(self)(self.mode, self.check_nan)

    def __enter__(self):
        _look(self.mode, self.check_nan)

    def __exit__(self, *exc):
        _look(*self._before)


class detect_anomaly(set_detect_anomaly):
    """`with detect_anomaly():` looks for NaN in what is computed inside, forward and backward.

    >>> x = kobai.zeros(1, requires_grad=True)
    >>> with kobai.autograd.detect_anomaly():
    ...     try:
    ...         (x.sqrt() * 0).backward()
    ...     except RuntimeError as e:
    ...         print(str(e).splitlines()[0])
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan=True):
        self.mode, self.check_nan = True, check_nan  # on from __enter__ on
        self._before = modes.anomaly_on, modes.anomaly or not modes.anomaly_on
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
                      "enabled for debugging.", stacklevel=2)

    def _fresh(self):
        return type(self)(self.check_nan)


def set_anomaly_enabled(enabled, check_nan=True):
    """Turn anomaly mode on or off."""
    _look(bool(enabled), check_nan)


def is_anomaly_enabled():
    """Whether anomaly mode is on in this thread."""
    return modes.anomaly_on


def is_anomaly_check_nan_enabled():
    """Whether anomaly mode looks for NaN."""
    return modes.anomaly or not modes.anomaly_on
