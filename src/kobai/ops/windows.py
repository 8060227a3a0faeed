"""Windows of signal processing: bells that fade a stretch of a signal in and out."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..dtypes import c_name
from ..public import export
from .arguments import as_dtype, check_options
from .creation import made


def _window(name, bell):
    """A public function of the window length; `bell(t, ...)` is its shape over t from 0 to 1."""
    def window(window_length, periodic=True, *parameters, dtype=None, layout=None, device=None, requires_grad=False,
               pin_memory=False, **named):
        check_options(device, layout)
        d = as_dtype(dtype, dtypes.get_default_dtype(), name)
        if d.category != dtypes.FLOAT:
            raise error("tensor-dtype", RuntimeError(
                        f"{name} expects floating point dtypes, got: TensorOptions(dtype={c_name(d)}, device=cpu, "
                        "layout=Strided (default), requires_grad=false (default), pinned_memory=false, "
                        "memory_format=(nullopt))"), what="dtype", dtype=d, fn=f"{name}()",
                        must="floating point numbers",
                        why="dtype is {dtype}, and the numbers of a window lie between 0 and 1.",
                        fix="leave out dtype, or write torch.float32 or torch.float64.")
        if window_length < 0:
            raise error("argument-value", RuntimeError(
                        f"{name} requires non-negative window_length, got window_length={window_length}"),
                        what="window_length", value=window_length, must="a whole number of at least {low}", low=0)
        if window_length < 2:
            return made(np.ones(window_length, d.np), requires_grad)
        t = np.arange(window_length, dtype=d.np) / d.np.type(window_length - (not periodic))
        return made(bell(t, *parameters, **named).astype(d.np), requires_grad)
    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"{bell.__doc__} Periodic, or symmetric with `periodic=False`."
    export("torch", name, window)


def _hamming(t, alpha=0.54, beta=0.46):
    """The window alpha - beta cos(2 pi t)."""
    return alpha - beta * np.cos(2 * np.pi * t)


def _hann(t):
    """The window (1 - cos(2 pi t)) / 2."""
    return _hamming(t, 0.5, 0.5)


def _blackman(t):
    """The window 0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)."""
    return 0.08 * np.cos(4 * np.pi * t) - 0.5 * np.cos(2 * np.pi * t) + 0.42


def _bartlett(t):
    """The triangle from 0 up to 1 and down."""
    return 1 - np.abs(2 * t - 1)


def _kaiser(t, beta=12.0):
    """The window I0(beta sqrt(1 - (2t - 1)^2)) / I0(beta)."""
    return np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * t - 1) ** 2))) / np.i0(beta)


for _name, _bell in (("hann_window", _hann), ("hamming_window", _hamming), ("blackman_window", _blackman),
                     ("bartlett_window", _bartlett), ("kaiser_window", _kaiser)):
    _window(_name, _bell)
