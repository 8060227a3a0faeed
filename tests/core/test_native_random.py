"""Random numbers of small tensors by machine code (backends/pick.py) are those that NumPy's functions make, bit for bit."""
import numpy as np
import pytest

import kobai
from kobai import exact
from kobai.large import small

apply = pytest.importorskip("kobai.backends.apply")
try:
    NATIVE = apply.install()
except Exception:  # no LLVM
    NATIVE = False
pytestmark = pytest.mark.skipif(not NATIVE, reason="no machine code here")


@pytest.fixture(autouse=True)
def natively():
    yield
    apply.use(True)


def drawn():
    """Numbers of all kinds, sizes and dtypes, from one stream."""
    kobai.manual_seed(3)
    for n in (0, 1, 2, 5, 10, 15, 16, 17, 33, 100, 250, 1000, 1024, 1500):
        for d in (kobai.float32, kobai.float64, kobai.float16, kobai.bfloat16):
            yield kobai.rand(n, dtype=d)
            yield kobai.randn(n, dtype=d)
            yield kobai.empty(n, dtype=d).uniform_(-1, 2)
            yield kobai.empty(n, dtype=d).normal_(1, 3)
            yield kobai.empty(n, dtype=d).exponential_()
        yield kobai.rand(2, n, 1)
        yield kobai.randn((n, 2))
        yield kobai.randint(0, 10, (n,))
        yield kobai.randint(2**40, (n, 1))
        yield kobai.randperm(n)
        yield kobai.nn.functional.dropout(kobai.ones(n), 0.3)
        if n:
            yield kobai.multinomial(kobai.ones(n), 1)
            yield kobai.bernoulli(kobai.full((n,), 0.4))
    yield kobai.rand(())
    yield kobai.get_rng_state()


def bits():
    return [(t.shape, t.dtype, t.float().numpy().tobytes()) for t in drawn()]


def test_streams_are_the_same():
    apply.use(False)
    want = bits()
    apply.use(True)
    assert bits() == want and bits() == want
    apply.use(False)
    assert bits() == want


def test_what_pytorch_draws():
    """The first numbers after manual_seed(0), as PyTorch 2.13 prints them."""
    kobai.manual_seed(0)
    assert kobai.rand(3).tolist() == pytest.approx([0.4963, 0.7682, 0.0885], abs=5e-5)
    kobai.manual_seed(0)
    assert kobai.randn(20)[:4].tolist() == pytest.approx([-1.1258, -1.1524, -0.2506, -0.4339], abs=5e-5)
    kobai.manual_seed(0)
    assert kobai.randint(0, 100, (4,)).tolist() == [44, 39, 33, 60]


def test_units_of_words():
    words = np.random.default_rng(0).integers(0, 2**32, 1001, dtype=np.uint64)
    words[:4] = 0, 2**32 - 1, 2**32 - 1, 2**32 - 1
    single = (words & np.uint64(0xFFFFFF)).astype(np.float32) * np.float32(2**-24)
    assert small.unit(words, False).tobytes() == single.tobytes()
    long = words[0:1000:2] << np.uint64(32) | words[1:1000:2]
    double = (long & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53
    assert small.unit(words[:1000], True).tobytes() == double.tobytes()


def test_few_pairs():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 8, 63, 511):
        u1, u2 = (rng.random((n, 8), np.float32) for _ in range(2))
        u1 = 1 - u1
        u1[0, 0], u2[0, 0] = 1, 0
        have = exact.few[0](u1, u2)
        want = exact.box_muller(exact._OnArrays, u1, u2)
        assert [h.tobytes() for h in have] == [w.tobytes() for w in want]


@pytest.mark.parametrize("make", [
    lambda: kobai.rand(-1), lambda: kobai.rand(2, -3), lambda: kobai.randn(1.5), lambda: kobai.rand("x"),
    lambda: kobai.randint(3, 3, (2,)), lambda: kobai.randint(0, 10, (-2,)), lambda: kobai.randint(0, 10, 5),
    lambda: kobai.rand((2, 3), 4)])
def test_errors_are_the_same(make):
    texts = []
    for native in (True, False):
        apply.use(native)
        with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
            make()
        texts.append((type(caught.value), str(caught.value)))
    assert texts[0] == texts[1]
