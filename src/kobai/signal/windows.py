"""Windows: bells of M numbers that fade a piece of a signal in and out (torch.signal.windows).

All take `sym`: True for a symmetric window, False for one period of a window that repeats after M.
"""
from __future__ import annotations

from collections.abc import Iterable
from math import pi, sqrt

import numpy as np

from .. import dtypes
from ..devices import strided
from ..diagnose import error
from ..ops.arguments import as_dtype, check_options
from ..ops.creation import made

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming",
           "hann", "kaiser", "nuttall"]


def _window(bell):
    """The public function of a bell: `bell(M, period, ...)` gives float64 numbers for M > 1.

    `period` is the number of steps from one end of the full bell to the other.
    """
    name = bell.__name__

    def window(M, *args, sym=True, dtype=None, layout=strided, device=None, requires_grad=False, **kwargs):
        d = as_dtype(dtype, dtypes.get_default_dtype(), name)
        check_options(device)
        if not hasattr(M, "__index__"):
            raise error("argument-type", TypeError(
                        f"{name}(): argument 'M' (position 1) must be int, not {type(M).__name__}"), what="M",
                        kind=type(M), must="a whole number",
                        why="M is of type {kind}; it says how many numbers the window has, so it is a whole number.")
        if M < 0:
            raise error("argument-value", ValueError(f"{name} requires non-negative window length, got M={M}"),
                        what="M", value=M, must="a whole number of at least {low}", low=0)
        if layout is not strided:
            raise error("layout", ValueError(f"{name} is implemented for strided tensors only, got: {layout}"),
                        what="layout", layout=layout, fn=f"{name}()", must="torch.strided",
                        why="layout is {layout}, and a window is an ordinary tensor (torch.strided).",
                        fix="leave out layout.")
        if d not in (dtypes.float32, dtypes.float64):
            raise error("tensor-dtype", ValueError(f"{name} expects float32 or float64 dtypes, got: {d}"), what="dtype",
                        dtype=d, fn=f"{name}()", must="numbers of type float32 or float64",
                        why="dtype is {dtype}; windows are made as float32 or float64.",
                        fix="make it as float32 and convert it: torch.signal.windows.{name}(...).to({dtype}).",
                        name=name)
        values = bell(M, M - 1 if sym and M > 1 else M, sym, *args, **kwargs)
        return made((np.ones(M) if M < 2 else values).astype(d.np), requires_grad)
    window.__name__ = window.__qualname__ = name
    window.__doc__, window.bell = bell.__doc__, bell
    return window


def _steps(M):
    return np.arange(M, dtype=np.float64)


@_window
def exponential(M, period, sym, center=None, tau=1.0):
    """exp(-|n - center| / tau); `center` is the middle by default."""
    if tau <= 0:
        raise error("argument-value", ValueError(f"Tau must be positive, got: {tau} instead."), what="tau", value=tau,
                    must="a positive number")
    if sym and center is not None:
        raise error("arguments-exclude", ValueError("Center must be None for symmetric windows"), what="center",
                    other="sym=True",
                    why="a symmetric window (sym=True) has its center in the middle, and center={value} was given.",
                    value=center, fix="leave out center, or write sym=False.")
    return np.exp(-np.abs(_steps(M) - (period / 2 if center is None else center)) / tau)


@_window
def cosine(M, period, sym):
    """Half a period of a sine, pi (n + 1/2) / M; the next sample is zero."""
    return np.sin((_steps(M) + 0.5) * pi / (M if sym or M < 2 else M + 1))


@_window
def gaussian(M, period, sym, std=1.0):
    """exp(-(n - middle)^2 / (2 std^2))."""
    if std <= 0:
        raise error("argument-value", ValueError(f"Standard deviation must be positive, got: {std} instead."),
                    what="std", value=std, must="a positive number")
    return np.exp(-((_steps(M) - period / 2) / (std * sqrt(2))) ** 2)


@_window
def kaiser(M, period, sym, beta=12.0):
    """I0(beta sqrt(1 - t^2)) / I0(beta), t from -1 to 1."""
    if beta < 0:
        raise error("argument-value", ValueError(f"beta must be non-negative, got: {beta} instead."), what="beta",
                    value=beta, must="a number of at least {low}", low=0)
    t = 2 * _steps(M) / period - 1
    return np.i0(beta * np.sqrt(np.maximum(0, 1 - t * t))) / np.i0(beta)


@_window
def general_cosine(M, period, sym, a):
    """a[0] - a[1] cos(2 pi n / (M - 1)) + a[2] cos(4 pi n / (M - 1)) - ..."""
    if not isinstance(a, Iterable):
        raise error("argument-type", TypeError("Coefficients must be a list/tuple"), what="a", kind=type(a),
                    must="a list or tuple of numbers", fix="write the coefficients as a list: a=[0.5, 0.5].")
    if not a:
        raise error("argument-count", ValueError("Coefficients cannot be empty"), what="a", count=0,
                    need="at least {n}", n=1, fix="write the coefficients as a list: a=[0.5, 0.5].")
    t = 2 * pi * _steps(M) / max(period, 1)
    return sum((-1) ** i * w * np.cos(i * t) for i, w in enumerate(a))


@_window
def general_hamming(M, period, sym, alpha=0.54):
    """alpha - (1 - alpha) cos(2 pi n / (M - 1))."""
    return general_cosine.bell(M, period, sym, [alpha, 1 - alpha])


@_window
def hamming(M, period, sym):
    """0.54 - 0.46 cos(2 pi n / (M - 1)): the nearest side lobe nearly vanishes.

    >>> kobai.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return general_hamming.bell(M, period, sym)


@_window
def hann(M, period, sym):
    """(1 - cos(2 pi n / (M - 1))) / 2."""
    return general_hamming.bell(M, period, sym, 0.5)


@_window
def blackman(M, period, sym):
    """0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))."""
    return general_cosine.bell(M, period, sym, [0.42, 0.5, 0.08])


@_window
def nuttall(M, period, sym):
    """Four cosines with side lobes below -98 dB (A. H. Nuttall, Some windows with very good sidelobe
    behavior, 1981).
    """
    return general_cosine.bell(M, period, sym, [0.3635819, 0.4891775, 0.1365995, 0.0106411])


@_window
def bartlett(M, period, sym):
    """The triangle 1 - |2 n / (M - 1) - 1|."""
    return 1 - np.abs(2 * _steps(M) / max(period, 1) - 1)
