"""Large products in eager mode: NumPy first, then machine code, after the same amount of work in every run."""
import threading
import time

import numpy as np
import pytest

import kobai
from kobai import large
from kobai.backends import blas, llvm
from kobai.compile import promise

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")


@pytest.fixture
def counted(monkeypatch):
    """The calls that machine code gets, once NumPy has done 3 products of 64 x 64 matrices."""
    calls = []

    def ready(dtype):
        run = blas.ready(dtype)
        return lambda a, b, row: calls.append(row is not None) or run(a, b, row)

    monkeypatch.setattr(large, "_MULTIPLIED", 3 * 64 ** 3)
    monkeypatch.setattr(large, "_products", large._Products())
    monkeypatch.setattr(large, "_ready", ready)
    return calls


def test_numpy_does_the_first(counted):
    a = kobai.randn(64, 64)
    for i in range(8):
        y = a @ a
        assert len(counted) == max(0, i - 2)
    np.testing.assert_allclose(y.numpy(), a.numpy() @ a.numpy(), rtol=1e-4, atol=1e-4)


def test_what_follows_a_seed_is_the_same_each_time(counted):
    def run():
        kobai.manual_seed(0)
        a = kobai.randn(64, 64)
        return [(a @ a).numpy() for _ in range(6)]
    first, second = run(), run()
    assert all(np.array_equal(x, y) for x, y in zip(first, second))
    assert len(counted) == 6


def test_one_way_of_computing_only(counted):
    before = kobai.are_deterministic_algorithms_enabled()
    try:
        kobai.use_deterministic_algorithms(True)
        a = kobai.randn(64, 64)
        for _ in range(5):
            a @ a
    finally:
        kobai.use_deterministic_algorithms(before)
    assert len(counted) == 5


def test_small_products_stay_with_numpy(counted):
    a = kobai.randn(40, 40)
    for _ in range(200):
        a @ a
    assert not counted


@pytest.mark.parametrize("dtype", [kobai.float32, kobai.float64])
def test_layers_and_their_gradients(counted, dtype):
    """d(sum(g * (x W' + b))): g W, g' x and the sum of g, whichever computes."""
    kobai.manual_seed(0)
    x, w = kobai.randn(100, 64, dtype=dtype, requires_grad=True), kobai.randn(80, 64, dtype=dtype, requires_grad=True)
    b, g = kobai.randn(80, dtype=dtype, requires_grad=True), kobai.randn(100, 80, dtype=dtype)
    for _ in range(4):
        x.grad = w.grad = b.grad = None
        y = kobai.nn.functional.linear(x, w, b)
        y.backward(g)
    assert counted.count(True) and counted.count(False)
    xs, ws, bs, gs = [t.detach().numpy().astype("f8") for t in (x, w, b, g)]
    tolerance = {"rtol": 0, "atol": 2e-4 if dtype is kobai.float32 else 1e-12}
    np.testing.assert_allclose(y.detach().numpy(), xs @ ws.T + bs, **tolerance)
    for t, expected in ((x, gs @ ws), (w, gs.T @ xs), (b, gs.sum(0))):
        np.testing.assert_allclose(t.grad.numpy(), expected, **tolerance)


def test_batches_and_sums_with_products(counted):
    a, b, c = kobai.randn(4, 64, 50), kobai.randn(4, 50, 64), kobai.randn(64, 64)
    for _ in range(4):
        y, z = a @ b, kobai.addmm(c, a[0], b[0], beta=0.5, alpha=2.0)
    assert counted
    np.testing.assert_allclose(y.numpy(), np.matmul(a.numpy(), b.numpy()), rtol=0, atol=1e-4)
    np.testing.assert_allclose(z.numpy(), 0.5 * c.numpy() + 2 * (a[0].numpy() @ b[0].numpy()), rtol=0, atol=1e-4)


def test_complex_and_integers_stay_with_numpy(counted):
    a = kobai.randn(100, 100, dtype=kobai.complex64)
    i = kobai.ones(100, 100, dtype=kobai.int64)
    for _ in range(6):
        assert kobai.equal(i @ i, i * 100)
        np.testing.assert_allclose((a @ a).numpy(), a.numpy() @ a.numpy(), rtol=1e-4, atol=1e-4)
    assert not counted


def test_bfloat16_is_rounded_once(counted):
    """From 256 on bfloat16 has even numbers only: summing ones in it would stop there, 301 + 1 rounded twice is 300."""
    one = kobai.ones(64, 301, dtype=kobai.bfloat16)
    for _ in range(6):
        assert (one @ one.T == 300).all()
        assert (kobai.nn.functional.linear(one, one, one[:, 0]) == 302).all()
    assert counted  # on a CPU without fast bfloat16 those in float32


def test_a_type_without_machine_code_keeps_no_other_from_it(counted, monkeypatch):
    """The first type that asked decided for all: once a CPU knew nothing of bfloat16, NumPy multiplied float32, too."""
    ready = large._ready

    def without_half(dtype):
        if dtype.char == "E":
            raise llvm.NoKernel("this CPU has no fast instructions for bfloat16")
        return ready(dtype)
    monkeypatch.setattr(large, "_ready", without_half)
    half, one = kobai.ones(64, 301, dtype=kobai.bfloat16), kobai.ones(64, 301)
    for _ in range(6):
        assert (half @ half.T == 300).all()
    assert counted
    del counted[:]
    one @ one.T
    assert len(counted) == 1


@pytest.mark.parametrize("size, expected", [(6, []), (32, ["f"])])
def test_the_code_is_made_while_the_rest_of_a_first_call_is_recorded(size, expected, monkeypatch):
    """Nothing is multiplied then: it was made after all else, which took half a second longer. Tiny products need little code."""
    begun = []
    monkeypatch.setattr(large._Products, "expect", lambda self, dtype: begun.append(dtype.char))
    monkeypatch.setattr(promise, "_outcomes", {})  # earlier tests may have multiplied such matrices
    layer = kobai.nn.Linear(size, size)

    @kobai.compile
    def step(x):
        y = layer(x)
        assert begun == expected
        return y.sum()
    step(kobai.ones(size, size))
    assert begun[:1] == expected


def test_the_code_is_made_once_for_all_threads(monkeypatch):
    made, both = [], threading.Barrier(2)

    def make(dtype, tiny):
        made.append(dtype)
        time.sleep(0.05)  # the other has come by now
        return "code"
    monkeypatch.setattr(blas, "_loaded", {})
    monkeypatch.setattr(blas, "_code", make)
    found = []
    threads = [threading.Thread(target=lambda: (both.wait(), found.append(blas.code(np.dtype("f4"))))) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == ["code"] * 2 and len(made) == 1
