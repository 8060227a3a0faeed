"""backends/grain.py: costly kernels are shared among threads sooner than plain ones; who does what changes no bit."""
import numpy as np
import pytest

from kobai.backends import grain, llvm
from kobai.backends.eager import Program
from kobai.compile.builder import build
from kobai.compile.lower import broadcast_strides, fit

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
PLAIN = build(lambda k, a, b: a + b, ["f32", "f32"])
COSTLY = build(lambda k, a, b: k.tanh(a) / k.sqrt(b), ["f32", "f32"])
SOFTMAX = build(lambda k, x: (lambda e: e / k.sum(e))(k.exp(x - k.amax(x))), ["f32"])


def fitted(kernel, shape, inner=None):
    strides = [broadcast_strides(np.empty(shape, "f4"), shape)] * (len(kernel.operands) + len(kernel.outputs))
    return fit(kernel, shape, strides, inner)


def test_what_costs_more_is_cut_finer():
    n = 20_000
    assert grain.elements(PLAIN, fitted(PLAIN, (n,))) == grain.GRAIN
    assert grain.GRAIN // 16 <= grain.elements(COSTLY, fitted(COSTLY, (n,))) < grain.GRAIN // 4
    short, long = [grain.elements(SOFTMAX, fitted(SOFTMAX, shape, 1)) for shape in ((2000, 10), (20, 1000))]
    assert short < long < grain.GRAIN, "short rows take longer for an element"


def test_large_arrays_are_cut_as_ever():
    assert grain.elements(COSTLY, fitted(COSTLY, (1 << 20,))) == grain.GRAIN


@pytest.mark.parametrize("shape", [(1,), (4097,), (1 << 14,), (70_001,)])
def test_chunks_are_whole_registers(shape):
    f = fitted(COSTLY, shape)
    assert grain.positions(llvm.compiled(COSTLY, f.layout), f, shape[0]) % 128 == 0


@pytest.mark.parametrize("shape", [(1, 7), (997, 3), (1001, 10), (101, 101), (7, 2003), (3000, 1)])
def test_the_same_bits_for_any_number_of_threads(shape):
    pool = llvm.bridge().pool
    before, results = pool.size, []
    x = np.random.default_rng(0).standard_normal(shape).astype("f4")
    try:
        for threads in (1, 2, 3):
            pool.resize(threads)
            results.append(Program(SOFTMAX, (1,)).call(x).tobytes())
    finally:
        pool.resize(before)
    assert results[0] == results[1] == results[2]
    e = np.exp(x.astype("f8") - x.max(1, keepdims=True))
    np.testing.assert_allclose(np.frombuffer(results[0], "f4").reshape(shape), e / e.sum(1, keepdims=True), rtol=2e-6)
