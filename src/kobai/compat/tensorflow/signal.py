"""`tf.signal`: Fourier transforms, windows, frames and spectrograms. Everything has gradients."""
from __future__ import annotations

import math

import numpy as np

from kobai.compat import tensorflow as _tf

from ...diagnose import error as _error
from ...op import m as _m
from ..missing import missing_attribute as _missing_attribute
from .tensors import box as _box
from .values import value_of as _value_of


def _transform(name, n, real=None):
    def transform(input, fft_length=None, name=None):
        t = _value_of(input)
        dims = tuple(range(t.ndim - n, t.ndim))
        sizes = None if fft_length is None else [int(v) for v in np.asarray(fft_length).reshape(-1)]
        if real != "in" and t._value.dtype.kind != "c":
            raise _error("tensor-dtype", _tf.errors.InvalidArgumentError(
                None, None, (
                f"Value for attr 'Tcomplex' of {_tf.as_dtype(t._value.dtype.name).long_name} is not in the "
                "list of allowed values: complex64, complex128")),
                what="input", dtype=t._value.dtype.name, fn=name, must="complex numbers",
                fix="tf.cast(x, tf.complex64)")
        return _box(getattr(_m, f"{kind}n")(t, sizes, dims))
    kind = name.rstrip("23d")
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = f"The Fourier transform {name} over the last {n} dimensions."
    return transform


fft, fft2d, fft3d = (_transform(f"fft{s}", n) for s, n in (("", 1), ("2d", 2), ("3d", 3)))
ifft, ifft2d, ifft3d = (_transform(f"ifft{s}", n) for s, n in (("", 1), ("2d", 2), ("3d", 3)))
rfft, rfft2d, rfft3d = (_transform(f"rfft{s}", n, "in") for s, n in (("", 1), ("2d", 2), ("3d", 3)))
irfft, irfft2d, irfft3d = (_transform(f"irfft{s}", n, "out") for s, n in (("", 1), ("2d", 2), ("3d", 3)))


def _shifted(sign):
    def shift(x, axes=None, name=None):
        axes = range(len(x.shape)) if axes is None else [axes] if isinstance(axes, int) else list(axes)
        half = [x.shape[d] // 2 if sign > 0 else -(x.shape[d] // 2) for d in axes]
        return _tf.roll(x, half, list(axes))
    return shift


fftshift, ifftshift = _shifted(1), _shifted(-1)
fftshift.__doc__, ifftshift.__doc__ = "The frequency 0 in the middle.", "The frequency 0 first again."


# ---- windows -------------------------------------------------------------------------------------
def _window(numbers, name):
    def window(window_length, periodic=True, dtype=_tf.float32, name=None):
        n = int(window_length)
        if n == 1:
            return _tf.ones((1,), dtype)
        steps = n if periodic and n % 2 == 0 else n - 1  # as TensorFlow has it: an odd one is never periodic
        return _tf.constant(numbers(2 * np.pi * np.arange(n) / steps), dtype)
    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"The window of {name.removesuffix('_window').title()} and its kin."
    return window


hann_window = _window(lambda t: 0.5 - 0.5 * np.cos(t), "hann_window")
hamming_window = _window(lambda t: 0.54 - 0.46 * np.cos(t), "hamming_window")


def kaiser_window(window_length, beta=12.0, dtype=_tf.float32, name=None):
    """The window of Kaiser."""
    return _tf.constant(np.kaiser(int(window_length), float(beta)), dtype)


# ---- frames --------------------------------------------------------------------------------------
def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    """Frames of a signal, one every `frame_step` numbers: [..., frames, frame_length]."""
    signal = _tf.convert_to_tensor(signal)
    axis %= len(signal.shape)
    n = signal.shape[axis]
    count = -(-n // frame_step) if pad_end else max(0, 1 + (n - frame_length) // frame_step)
    lacking = max(0, (count - 1) * frame_step + frame_length - n) if count else 0
    if pad_end and lacking:
        signal = _tf.pad(signal, [[0, lacking if d == axis else 0] for d in range(len(signal.shape))],
                         constant_values=pad_value)
    at = np.arange(count)[:, None] * frame_step + np.arange(frame_length)
    return _tf.gather(_tf.identity(signal), at.astype(np.int32), axis=axis)


def overlap_and_add(signal, frame_step, name=None):
    """Frames [..., frames, frame_length] added up where they overlap."""
    signal = _tf.convert_to_tensor(signal)
    *outer, count, length = signal.shape
    total = (count - 1) * frame_step + length
    at = (np.arange(count)[:, None] * frame_step + np.arange(length)).reshape(-1)
    flat = _tf.transpose(_tf.reshape(signal, (-1, count * length)))
    y = _tf.math.unsorted_segment_sum(flat, _tf.constant(at, _tf.int32), total)
    return _tf.reshape(_tf.transpose(y), (*outer, total))


def _power_of_two(n):
    return 1 << max(0, math.ceil(math.log2(n)))


def stft(signals, frame_length, frame_step, fft_length=None, window_fn=hann_window, pad_end=False, name=None):
    """The Fourier transform of each frame: [..., frames, fft_length // 2 + 1]."""
    signals = _tf.convert_to_tensor(signals)
    frames = frame(signals, frame_length, frame_step, pad_end=pad_end)
    if window_fn is not None:
        frames = frames * window_fn(frame_length, dtype=signals.dtype)
    return rfft(frames, [fft_length or _power_of_two(frame_length)])


def inverse_stft_window_fn(frame_step, forward_window_fn=hann_window, name=None):
    """The window with which `inverse_stft` gives the signal again."""
    def inverse(frame_length, dtype=_tf.float32):
        forward = forward_window_fn(frame_length, dtype=dtype).numpy()
        overlaps = -(-frame_length // frame_step)
        power = np.pad(forward ** 2, (0, overlaps * frame_step - frame_length)).reshape(overlaps, frame_step).sum(0)
        return _tf.constant(forward / np.tile(power, overlaps)[:frame_length], dtype)
    return inverse


def inverse_stft(stfts, frame_length, frame_step, fft_length=None, window_fn=hann_window, name=None):
    """The signal of transformed frames."""
    n = fft_length or _power_of_two(frame_length)
    frames = irfft(stfts, [n])[..., :frame_length]
    if n < frame_length:
        frames = _tf.pad(frames, [[0, 0]] * (len(frames.shape) - 1) + [[0, frame_length - n]])
    if window_fn is not None:
        frames = frames * window_fn(frame_length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)


# ---- cosine transforms, mel frequencies --------------------------------------------------------------
def dct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """The discrete cosine transform of type 2 (or 3) along the last dimension."""
    x = _tf.convert_to_tensor(input)
    size = n or x.shape[-1]
    table = _cosines(size)
    if type == 3:
        table = table.T / 2
        table[0] /= 2 if norm is None else 1
        table = table * 2 if norm is None else table
    if norm == "ortho":
        scale = np.full(size, math.sqrt(0.5 / size))
        scale[0] = math.sqrt(0.25 / size)
        table = _cosines(size) * scale if type == 2 else (_cosines(size) * scale).T
    if type not in (2, 3):
        raise _error("argument-choice", ValueError("Types I, II, III and IV (I)DCT are supported."),
                     what="type", value=type, choices=[2, 3], why="kobai has the types 2 and 3, and type is {value}.",
                     fix="type 2 is the usual one, and type 3 its inverse.")
    x = x[..., :size] if x.shape[-1] >= size else _tf.pad(x, [[0, 0]] * (len(x.shape) - 1) + [[0, size - x.shape[-1]]])
    return _tf.tensordot(x, _tf.constant(table, x.dtype), 1)


def _cosines(n):
    """[n, n]: 2 cos(pi (2 i + 1) k / 2 n)."""
    return 2 * np.cos(np.pi * (2 * np.arange(n)[:, None] + 1) * np.arange(n) / (2 * n))


def idct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """The inverse of `dct`; without `norm` times 2 n, as in TensorFlow."""
    return dct(input, 3 if type == 2 else 2, n, axis, norm)


def linear_to_mel_weight_matrix(num_mel_bins=20, num_spectrogram_bins=129, sample_rate=8000, lower_edge_hertz=125.0,
                                upper_edge_hertz=3800.0, dtype=_tf.float32, name=None):
    """The matrix [spectrogram bins, mel bins] of overlapping triangles on the mel scale."""
    def mel(f):
        return 1127.0 * np.log1p(np.asarray(f) / 700.0)
    at = mel(np.linspace(0.0, sample_rate / 2, num_spectrogram_bins)[1:])[:, None]
    edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    table = np.maximum(0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))
    return _tf.constant(np.pad(table, [[1, 0], [0, 0]]), dtype)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms, name=None):
    """Mel-frequency cepstral coefficients."""
    x = _tf.convert_to_tensor(log_mel_spectrograms)
    return dct(x) * np.float32(1 / math.sqrt(2 * x.shape[-1]))


def __getattr__(name):
    raise _missing_attribute(__name__, name, [n for n in globals() if not n.startswith("_")])

