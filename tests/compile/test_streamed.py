"""Large arrays are written past the caches: the same numbers as with usual stores, wherever the memory begins."""
import numpy as np
import pytest

import kobai
from kobai.backends import llvm
from kobai.backends.eager import Program
from kobai.compile import lower
from kobai.compile.builder import build
from kobai.compile.lower import FAR, STREAMED, fit

LEAST = STREAMED // 2  # elements of one array that is read and one that is written
pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")


@pytest.fixture
def soon(monkeypatch):
    """Already small arrays count as large."""
    monkeypatch.setattr(lower, "STREAMED", 1)


@pytest.fixture
def threads_restored():
    before = kobai.get_num_threads()
    yield
    kobai.set_num_threads(before)


def beginning_at(offset, n, dtype):
    """An empty array that begins so many bytes behind a border of 64."""
    raw = np.zeros(n * np.dtype(dtype).itemsize + 256, np.uint8)
    start = -raw.ctypes.data % 64 + offset
    return raw[start:start + n * np.dtype(dtype).itemsize].view(dtype)


@pytest.mark.parametrize("dtype, name", [("f4", "f32"), ("f8", "f64"), ("i8", "i64")])
@pytest.mark.parametrize("offset", [0, 8, 32])
@pytest.mark.parametrize("n", [2, 63, 64, 1000, 40_001])
def test_numbers_and_what_lies_around_them(n, offset, dtype, name, soon):
    kernel = build(lambda k, a, b: (a + b, a * b), [name, name])
    a = np.arange(n).astype(dtype)
    b = (np.arange(n) % 7).astype(dtype)
    size = a.itemsize
    y, z = beginning_at(offset, n + 16, dtype), beginning_at(0, n + 16, dtype)
    fitted = fit(kernel, (n,), [(size,)] * 4)
    assert fitted.layout.streamed
    code = llvm.compiled(kernel, fitted.layout)
    assert "nontemporal" in code.text
    code(fitted, [v.ctypes.data for v in (a, b, y, z)])
    np.testing.assert_array_equal(y[:n], a + b)
    np.testing.assert_array_equal(z[:n], a * b)
    assert not y[n:].any() and not z[n:].any()


def test_which_arrays_are_streamed(soon):
    one = build(lambda k, a: a + 1, ["f32"])
    assert fit(one, (8, 9), [(36, 4), (36, 4)]).layout.streamed
    assert not fit(one, (8, 9), [(72, 4), (36, 4)]).layout.streamed  # two axes
    assert not fit(one, (9,), [(4,), (8,)]).layout.streamed
    assert not fit(build(lambda k, a: a > 1, ["f32"]), (9,), [(4,), (1,)]).layout.streamed
    assert not fit(build(lambda k, a: k.log(a), ["f32"]), (9,), [(4,), (4,)]).layout.streamed
    assert fit(build(lambda k, a: (k.log(a), -a), ["f32"]), (9,), [(4,), (4,), (4,)]).layout.streamed
    assert not fit(build(lambda k, a: k.sum(a), ["f32"]), (9,), [(4,), (0,)]).layout.streamed


def test_the_smallest_array_that_is_streamed():
    one = build(lambda k, a: a + 1, ["f32"])
    assert not fit(one, (LEAST - 1,), [(4,), (4,)]).layout.streamed
    assert fit(one, (LEAST,), [(4,), (4,)]).layout.streamed
    three = build(lambda k, a, b: a * b, ["f32", "f32"])
    assert fit(three, (STREAMED // 3,), [(4,), (4,), (4,)]).layout.streamed
    assert not fit(three, (STREAMED // 3,), [(4,), (0,), (4,)]).layout.streamed  # one number is not read from memory


def test_code_for_large_arrays_is_made_by_the_thread_that_makes_code():
    kernel = build(lambda k, a: k.exp(a) * 1.25 - 3, ["f32"])
    Program(kernel).prepare([np.zeros(FAR // 2, np.float32)])
    assert (kernel, fit(kernel, (FAR // 2,), [(4,), (4,)]).layout) in llvm._compiled


def test_what_lies_far_is_asked_for(threads_restored):
    """From 1.5 million elements read and written on; the numbers are those of the code without."""
    one = build(lambda k, a: k.exp(a), ["f32"])
    for n, far in ((FAR // 2 - 1, False), (FAR // 2, True)):
        layout = fit(one, (n,), [(4,), (4,)]).layout
        assert layout.far == far == ("llvm.prefetch" in llvm.compiled(one, layout).text)
    assert fit(build(lambda k, a: k.sum(a), ["f32"]), (FAR,), [(4,), (0,)], 1).layout.far
    assert not fit(one, (2, FAR), [(8 * FAR, 4), (4 * FAR, 4)]).layout.far  # two axes
    x = kobai.linspace(-3, 3, FAR // 2 + 5)
    for threads in (1, 2):
        kobai.set_num_threads(threads)
        for _ in range(4):
            y = x.exp()
        assert y.numpy().tobytes() == np.concatenate([v.exp().numpy() for v in x.split(10_000)]).tobytes()


@pytest.mark.parametrize("n", [40_003, 65_536])
def test_in_place(n, soon):
    """What was read a moment ago is in the caches: that goes the usual way, and gives the same numbers."""
    kernel = build(lambda k, p, m, g: (p - m * 0.5, m + g), ["f32"] * 3)
    p, m, g = beginning_at(0, n, "f4"), beginning_at(0, n, "f4"), beginning_at(0, n, "f4")
    p[:], m[:], g[:] = np.arange(n), np.arange(n) % 11, np.arange(n) % 7
    wanted = p - m * np.float32(0.5), m + g
    fitted = fit(kernel, (n,), [(4,)] * 5)
    code = llvm.compiled(kernel, fitted.layout)
    assert fitted.layout.streamed and code.text.count("icmp eq ptr") == 6  # each of three against each of two
    code(fitted, [v.ctypes.data for v in (p, m, g, p, m)])
    np.testing.assert_array_equal(p, wanted[0])
    np.testing.assert_array_equal(m, wanted[1])


@pytest.mark.parametrize("n", [LEAST - 1, LEAST, LEAST + 77])
def test_eager_and_compiled_programs_with_large_arrays(n, threads_restored):
    x = kobai.linspace(-3, 3, n)
    compiled = kobai.compile(lambda x: x.exp() * 2 + x)
    wanted = np.exp(x.numpy()[-1000:])
    for threads in (1, 2):
        kobai.set_num_threads(threads)
        for _ in range(4):
            y, z = x.exp(), compiled(x)
        np.testing.assert_allclose(y.numpy()[-1000:], wanted, rtol=3e-7)
        np.testing.assert_allclose(z.numpy()[-1000:], wanted * 2 + x.numpy()[-1000:], rtol=1e-6, atol=1e-6)
        assert y.numpy()[: n // 2].tobytes() == kobai.cat([x[:5000].exp(), y[5000:n // 2]]).numpy().tobytes()
