"""Short-time Fourier transforms: the spectrum of each of many short, overlapping pieces of a signal; and back."""
from __future__ import annotations

import warnings

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import dtype_of, m
from ..public import public
from ..tensor import Tensor
from .fft import FftC2C, FftC2R, FftR2C
from .movement import PutSlice
from .strided import Fold


class _Call:
    """The arguments of one call, as its errors show them."""

    def __init__(self, name, input, window, n_fft, hop_length, win_length, **flags):
        self.name, self.input, self.window, self.flags = name, input, window, flags
        self.n_fft, self.hop_length, self.win_length = n_fft, hop_length, win_length

    def said(self, text):
        """The exception in PyTorch's words: what was called, and what is wrong."""
        return RuntimeError(f"{self} : {text}")

    def __str__(self):
        x, w = self.input, self.window
        window = "None" if w is None else f"torch.{type_word(w)}Tensor{{{list(w.shape)}}}"
        flags = ", ".join(f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in self.flags.items())
        shown = f"torch.{type_word(x)}Tensor{list(x.shape)}" if self.name == "stft" else \
            f"CPU{type_word(x)}Type{list(x.shape)}"
        return (f"{self.name}({shown}, n_fft={self.n_fft}, hop_length={self.hop_length}, "
                f"win_length={self.win_length}, window={window}, {flags})")

    def check_window(self):
        """`hop_length` and `win_length` must fit, and the window must have that length."""
        if self.hop_length <= 0:
            raise error("argument-value", self.said(f"expected hop_length > 0, but got hop_length={self.hop_length}"),
                        what="hop_length", value=self.hop_length, must="a positive whole number")
        if not 0 < self.win_length <= self.n_fft:
            raise error("argument-value", self.said(
                        f"expected 0 < win_length <= n_fft, but got win_length={self.win_length}"), what="win_length",
                        value=self.win_length, must="a whole number between {low} and {high}", low=1, high=self.n_fft,
                        fix="a piece of n_fft={high} samples holds the window: choose {low} to {high}.")
        shape = None if self.window is None else tuple(self.window.shape)
        if shape not in (None, (self.win_length,)):
            raise error("tensor-shape", self.said(
                        f"expected a 1D window tensor of size equal to win_length={self.win_length}, but got window "
                        f"with size {list(shape)}"), what="window", shape=shape, want=(self.win_length,),
                        n=self.win_length,
                        fix="write window=torch.hann_window({n}); win_length is n_fft where it is not given.")


def _whole_window(call, like):
    """The window with zeros on both sides up to n_fft; None where it is 1 everywhere."""
    n, k, window = call.n_fft, call.win_length, call.window
    if window is None:
        if k == n:
            return None
        d = dtype_of(like)
        window = np.ones(k, {8: np.float32, 16: np.float64}[d.itemsize] if d.kind == "c" else d)
    return PutSlice(0, (n - k) // 2, (n - k) // 2 + k, 1, (n,))(window) if k < n else window


def _is_complex(x):
    return x is not None and dtype_of(x).kind == "c"


@public()
def stft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect",
         normalized=False, onesided=None, return_complex=None, align_to_window=None):
    """The spectra of pieces of `n_fft` samples that start `hop_length` samples apart.

        y[f, t] = sum over k of window[k] x[t hop + k] exp(-2 pi i k f / n_fft)

    Args:
        hop_length: n_fft // 4 by default.
        window: multiplied with each piece; `win_length` long, in the middle of zeros.
        center: piece t is around sample t * hop_length; `input` is continued at both ends as `pad_mode` says.
        normalized: divide by the root of n_fft.
        onesided: only the first n_fft // 2 + 1 frequencies (the default, unless something is complex).

    Shape: (length,) or (batch, length) -> (..., frequencies, pieces), complex.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    call = _Call("stft", input, window, n_fft, hop, n_fft if win_length is None else win_length, normalized=normalized,
                 onesided=onesided, return_complex=return_complex, align_to_window=align_to_window)
    if return_complex is None:
        if not (_is_complex(input) or _is_complex(window)):
            raise error("argument-missing", RuntimeError(
                        "stft requires the return_complex parameter be given for real inputs, and will further "
                        "require that return_complex=True in a future PyTorch release."), what="return_complex",
                        fn="stft()",
                        fix="write return_complex=True; torch.view_as_real(result) makes pairs of real numbers of it.")
        return_complex = True
    x = m.unsqueeze(input, 0) if len(input.shape) == 1 else input
    if center:
        x = m.squeeze(m.pad(m.unsqueeze(x, 1), [n_fft // 2] * 2, pad_mode), 1) if len(x.shape) == 2 else x
        call.input = x if len(input.shape) > 1 else m.squeeze(x, 0)
    if len(x.shape) != 2:
        raise error("tensor-dims", call.said("expected a 1D or 2D tensor"), what="input", shape=tuple(input.shape),
                    need="{n} or {m}", n=1, m=2, fix="a signal is (samples,) or (batch, samples): x.flatten(0, -2).")
    if dtype_of(input).kind not in "fc":
        raise error("tensor-dtype", call.said("expected a tensor of floating point or complex values"), what="input",
                    dtype=dtype_of(input), fn="stft()", must="floating point or complex numbers",
                    fix="convert first: x.float() or x.double().")
    if not 0 < n_fft <= x.shape[1]:
        raise error("argument-value", call.said(f"expected 0 < n_fft < {x.shape[1]}, but got n_fft={n_fft}"),
                    what="n_fft", value=n_fft, must="a whole number between {low} and {high}", low=1, high=x.shape[1],
                    why="n_fft is {value}, and there are {high} samples in a signal: no piece is that long.")
    call.check_window()
    pieces = m.unfold(x, 1, n_fft, hop)
    whole = _whole_window(call, x)
    if whole is not None:
        pieces = pieces * whole
    complex_ = _is_complex(pieces)
    if onesided and complex_:
        raise error("arguments-exclude", RuntimeError("Cannot have onesided output if window or input is complex"),
                    what="onesided", other="complex",
                    why="the spectrum of complex numbers is not symmetric, so one half of it (onesided=True) does "
                        "not give the other.", fix="leave out onesided, or write onesided=False.")
    norm = "ortho" if normalized else "backward"
    y = FftC2C((2,), norm)(pieces) if complex_ else FftR2C((2,), norm, onesided is not False)(pieces)
    y = m.transpose(y, 1, 2)
    y = m.squeeze(y, 0) if len(input.shape) == 1 else y
    return y if return_complex else m.view_as_real(y)


@public()
def istft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None,
          length=None, return_complex=False):
    """The signal whose `stft` comes closest to `input`: pieces are added up and divided by the windows' squares.

    D. W. Griffin and J. S. Lim, Signal estimation from modified short-time Fourier transform (1984).

    Args: as for `stft`; `length` cuts the signal, or fills it up with zeros.

    Shape: (..., frequencies, pieces), complex -> (..., length).
    """
    if not _is_complex(input):
        raise error("tensor-dtype", RuntimeError(
                    "istft requires a complex-valued input tensor matching the output from stft with "
                    "return_complex=True."), what="input", dtype=dtype_of(input), fn="istft()", must="complex numbers",
                    fix="stft(..., return_complex=True) gives them; torch.view_as_complex(input) makes them of pairs "
                        "of real numbers.")
    if len(input.shape) < 2:
        raise error("tensor-dims", IndexError(
                    f"Dimension out of range (expected to be in range of [{-len(input.shape) - 1}, {len(input.shape)}],"
                    f" but got {-len(input.shape) - 2})"), what="input", shape=tuple(input.shape), need="{n} or {m}",
                    n=2, m=3, fix="spectra are (frequencies, pieces) or (batch, frequencies, pieces), as stft() "
                                  "gives them.")
    hop = n_fft // 4 if hop_length is None else hop_length
    call = _Call("istft", input, window, n_fft, hop, n_fft if win_length is None else win_length, center=center,
                 normalized=normalized, onesided=onesided, length=length, return_complex=return_complex)
    onesided = input.shape[-2] != n_fft if onesided is None else onesided
    _check_spectra(call, onesided, return_complex)
    x = m.unsqueeze(input, 0) if len(input.shape) == 2 else input
    whole = _whole_window(call, input)
    pieces = _pieces(m.transpose(x, 1, 2), n_fft, "ortho" if normalized else "backward", return_complex)
    if whole is None:
        whole = np.ones(n_fft, np.float32 if dtype_of(input).itemsize == 8 else np.float64)
    total = n_fft + hop * (x.shape[-1] - 1)
    y = Fold(1, n_fft, hop, (x.shape[0], total))(pieces * whole)
    squares = m.expand_to(m.reshape(whole * whole, (1, 1, n_fft)), (1, x.shape[-1], n_fft))
    squares = Fold(1, n_fft, hop, (1, total))(squares)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - start
    y, squares = [m.narrow(v, 1, start, max(0, min(end, total) - start)) for v in (y, squares)]
    lowest = squares._data if isinstance(squares, Tensor) and hasattr(squares, "_data") else squares
    if isinstance(lowest, np.ndarray) and lowest.size:
        if np.abs(lowest).min() < 1e-11:
            raise error("argument-value", RuntimeError(f"{call} window overlap add min: 1"), what="hop_length",
                        value=hop, why="at some sample all windows are zero, so its value is lost.",
                        fix="take a smaller hop_length than {value}, or another window.")
    y = y / squares
    if end > total:
        warnings.warn("The length of signal is shorter than the length parameter. Result is being padded with zeros in "
                      "the tail. Please check your center and hop_length settings.", stacklevel=3)
        y = PutSlice(1, 0, y.shape[1], 1, (y.shape[0], y.shape[1] + end - total))(y)
    return m.squeeze(y, 0) if len(input.shape) == 2 else y


def _check_spectra(call, onesided, return_complex):
    x, n = call.input, call.n_fft
    if len(x.shape) > 3:  # (PyTorch counts the dimension of real and imaginary part)
        raise error("tensor-dims", call.said(
                    f"expected a tensor with 3 or 4 dimensions, but got {len(x.shape) + 1}"), what="input",
                    shape=tuple(x.shape), need="{n} or {m}", n=2, m=3,
                    fix="spectra are (frequencies, pieces) or (batch, frequencies, pieces), as stft() gives them.")
    if 0 in x.shape:
        raise error("tensor-empty", call.said("input tensor cannot be empty."), what="input", fn="istft()")
    call.check_window()
    if onesided:
        wanted, points = "n_fft / 2 + 1 when onesided=True", n // 2 + 1
    else:
        wanted, points = "n_fft when onesided=False", n
    if x.shape[-2] != points:
        raise error("dimension-size", call.said(
                    f"expected the frequency dimension (3rd to the last) of the input tensor to match {wanted}, but "
                    f"got {x.shape[-2]}"), what="input", dim=len(x.shape) - 2, size=x.shape[-2], must="{n}", n=points,
                    why="dimension {dim} of input holds {size} frequencies; with n_fft={n_fft} there are {n}.", n_fft=n,
                    fix="give the same n_fft and onesided to stft() and istft().")
    if call.hop_length > call.win_length:
        raise error("argument-value", call.said("expected 0 < hop_length <= win_length"), what="hop_length",
                    value=call.hop_length, must="a whole number between {low} and {high}", low=1, high=call.win_length,
                    why="hop_length is {value}, and the window has {high} samples: those between two windows are lost.")
    if return_complex:
        if onesided:
            raise error("arguments-exclude", RuntimeError("Cannot have onesided output if window or input is complex"),
                        what="onesided", other="return_complex",
                        why="with return_complex=True the signal is complex, and half of its spectrum "
                            "(onesided=True) is not enough to find it.",
                        fix="leave out onesided for a complex signal, or return_complex for a real one.")
    elif _is_complex(call.window):
        raise error("arguments-exclude", RuntimeError("Complex windows are incompatible with return_complex=False"),
                    what="window", other="return_complex=False",
                    why="window is complex, so the signal is complex, too.",
                    fix="write return_complex=True, or give a real window.")


def _pieces(x, n_fft, norm, return_complex):
    """The pieces of the signal from their spectra, (batch, pieces, frequencies)."""
    if return_complex:
        return FftC2C((2,), norm, True)(x)
    if x.shape[2] == n_fft > 1:
        x = m.narrow(x, 2, 0, n_fft // 2 + 1)
    return FftC2R((2,), norm, n_fft)(x)
