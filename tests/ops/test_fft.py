"""Transforms against their definition as sums, and against their inverses; windows against their formulas."""
import numpy as np
import pytest

import kobai

X = np.cos(np.arange(30.0) ** 2).reshape(5, 6)
Z = X + 1j * np.sin(np.arange(30.0)).reshape(5, 6)
SCALE = {"backward": lambda n: 1, None: lambda n: 1, "ortho": lambda n: n ** -0.5, "forward": lambda n: 1 / n}


def dft(x, n, axis, sign=-1):
    """sum over j of x[j] exp(sign 2 pi i j k / n), with x cut or filled up to n."""
    x = np.moveaxis(x, axis, 0)[:n]
    x = np.concatenate([x, np.zeros((n - len(x), *x.shape[1:]))])
    k = np.arange(n)
    return np.moveaxis(np.tensordot(np.exp(sign * 2j * np.pi * np.outer(k, k) / n), x, 1), 0, axis)


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize(("n", "dim"), [(6, -1), (4, 1), (9, 0), (1, 0)])
def test_one_dimension(n, dim, norm):
    z, x, scale = kobai.from_numpy(Z), kobai.from_numpy(X), SCALE[norm](n)
    close = np.testing.assert_allclose
    close(kobai.fft.fft(z, n, dim, norm).numpy(), dft(Z, n, dim) * scale, atol=1e-12)
    close(kobai.fft.ifft(z, n, dim, norm).numpy(), dft(Z, n, dim, 1) / n / scale, atol=1e-12)
    close(kobai.fft.fft(x, n, dim, norm).numpy(), dft(X, n, dim) * scale, atol=1e-12)
    half = np.take(dft(X, n, dim), range(n // 2 + 1), dim)
    close(kobai.fft.rfft(x, n, dim, norm).numpy(), half * scale, atol=1e-12)
    back = dft(dft(X, n, dim), n, dim, 1).real / n
    close(kobai.fft.irfft(kobai.from_numpy(half * scale), n, dim, norm).numpy(), back, atol=1e-12)
    close(kobai.fft.hfft(kobai.fft.ihfft(x, n, dim, norm), n, dim, norm).numpy(), back, atol=1e-12)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_several_dimensions(norm):
    z, scale = kobai.from_numpy(Z), SCALE[norm](30)
    np.testing.assert_allclose(kobai.fft.fftn(z, norm=norm).numpy(), dft(dft(Z, 6, 1), 5, 0) * scale, atol=1e-11)
    x = kobai.from_numpy(X)
    for there, back in (("fft2", "ifft2"), ("fftn", "ifftn"), ("rfftn", "irfftn"), ("ihfftn", "hfftn")):
        y = getattr(kobai.fft, back)(getattr(kobai.fft, there)(x, norm=norm), s=(5, 6), dim=(0, 1), norm=norm)
        np.testing.assert_allclose(y.numpy(), X, atol=1e-12, err_msg=there)
    assert kobai.fft.fftn(z.to(kobai.complex64)).dtype == kobai.complex64


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "rfftn", "irfftn", "hfftn",
                                  "ihfftn"])
def test_gradients_are_the_transpose(name):
    """Re <fft(d), w> = Re <d, gradient of Re <fft(x), w>> for a linear map."""
    fn, complex_ = getattr(kobai.fft, name), name in ("fft", "ifft", "irfft", "hfft", "fftn", "irfftn", "hfftn")
    x = kobai.tensor(Z if complex_ else X, requires_grad=True)
    y = fn(x)
    w = kobai.from_numpy(np.cos(np.arange(y.numel()) * 3.0).reshape(y.shape) * (1j if y.is_complex() else 1))
    kobai.real(y * w.conj()).sum().backward()
    d = np.roll(Z if complex_ else X, 1)
    have, want = np.vdot(d, x.grad.numpy()).real, np.vdot(fn(kobai.from_numpy(d)).numpy(), w.numpy()).real
    assert have == pytest.approx(want)


def test_under_vmap():
    x = kobai.from_numpy(X)
    np.testing.assert_allclose(kobai.vmap(kobai.fft.rfft)(x).numpy(), kobai.fft.rfft(x).numpy())
    np.testing.assert_allclose(kobai.vmap(lambda r: kobai.fft.irfft(r, 6))(kobai.fft.rfft(x)).numpy(), X)


def test_frequencies_and_shifts():
    for n in (5, 6):
        np.testing.assert_allclose(kobai.fft.fftfreq(n, 0.5, dtype=kobai.float64).numpy(), np.fft.fftfreq(n, 0.5))
        np.testing.assert_allclose(kobai.fft.rfftfreq(n, 0.5, dtype=kobai.float64).numpy(), np.fft.rfftfreq(n, 0.5))
    x = kobai.from_numpy(X)
    np.testing.assert_array_equal(kobai.fft.fftshift(x).numpy(), np.fft.fftshift(X))
    np.testing.assert_array_equal(kobai.fft.ifftshift(kobai.fft.fftshift(x, 0), 0).numpy(), X)


def frames(x, n, hop):
    return np.stack([x[i:i + n] for i in range(0, len(x) - n + 1, hop)], 1)


@pytest.mark.parametrize("options", [{}, {"hop_length": 3}, {"win_length": 5, "hop_length": 2}, {"normalized": True}])
def test_stft_is_the_transform_of_windowed_pieces(options):
    x, n = np.sin(np.arange(40.0) ** 1.5), 8
    k, hop = options.get("win_length", n), options.get("hop_length", 2)
    w = kobai.hann_window(k, dtype=kobai.float64)
    y = kobai.stft(kobai.from_numpy(x), n, window=w, center=False, return_complex=True, **options)
    whole = np.zeros(n)
    whole[(n - k) // 2:(n - k) // 2 + k] = w.numpy()
    want = dft(frames(x, n, hop) * whole[:, None], n, 0)[:n // 2 + 1]
    np.testing.assert_allclose(y.numpy(), want * (n ** -0.5 if "normalized" in options else 1), atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"onesided": False}, {"normalized": True}, {"hop_length": 3}])
def test_istft_gives_the_signal_back(options):
    x = kobai.from_numpy(np.sin(np.arange(96.0) ** 1.2).reshape(2, 48))
    w = kobai.hamming_window(8, dtype=kobai.float64)
    y = kobai.stft(x, 8, window=w, return_complex=True, **options)
    np.testing.assert_allclose(kobai.istft(y, 8, window=w, length=48, **options).numpy(), x.numpy(), atol=1e-10)


WINDOWS = {"hann": lambda n, p: 0.5 - 0.5 * np.cos(2 * np.pi * n / p), "bartlett": lambda n, p: 1 - abs(2 * n / p - 1),
           "hamming": lambda n, p: 0.54 - 0.46 * np.cos(2 * np.pi * n / p),
           "gaussian": lambda n, p: np.exp(-0.5 * (n - p / 2) ** 2),
           "exponential": lambda n, p: np.exp(-abs(n - p / 2)),
           "cosine": lambda n, p: np.sin(np.pi * (n + 0.5) / (p + 1)),
           "blackman": lambda n, p: 0.42 - 0.5 * np.cos(2 * np.pi * n / p) + 0.08 * np.cos(4 * np.pi * n / p)}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name):
    fn = getattr(kobai.signal.windows, name)
    for sym, period in ((True, 6), (False, 7)):
        y = fn(7, sym=sym, dtype=kobai.float64).numpy()
        np.testing.assert_allclose(y, WINDOWS[name](np.arange(7), period), atol=1e-12)
    assert fn(0).shape == (0,) and fn(1).tolist() == [1]


@pytest.mark.parametrize(("program", "phrase"), [
    (lambda x: kobai.fft.fft(x, 0), "Invalid number of data points (0) specified"),
    (lambda x: kobai.fft.fft(x, norm="a"), 'Invalid normalization mode: "a"'),
    (lambda x: kobai.fft.rfft(x * 1j), "rfft expects a real input tensor, but got ComplexDouble"),
    (lambda x: kobai.fft.fftn(x, dim=(0, 0)), "FFT dims must be unique"),
    (lambda x: kobai.fft.fft(x.half()), "Unsupported dtype Half"),
    (lambda x: kobai.stft(x, 4), "stft requires the return_complex parameter be given for real inputs"),
    (lambda x: kobai.istft(x, 4), "istft requires a complex-valued input tensor")])
def test_errors(program, phrase):
    with pytest.raises(RuntimeError) as caught:
        program(kobai.from_numpy(X))
    assert str(caught.value).startswith(phrase)
