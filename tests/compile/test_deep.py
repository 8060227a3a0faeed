"""compile/deep.py: deep products in stretches are the same products, to the bit for any number of threads."""
import numpy as np
import pytest
from graphs_to_compile import recorded

import kobai
from kobai.backends import blas, llvm
from kobai.compile import deep
from kobai.compile.plan import plan

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(deep, "_PART", 64)
    monkeypatch.setattr(deep, "_DEPTH", 8)
    deep.stretches.cache_clear()
    yield
    deep.stretches.cache_clear()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("m, n, k", [(16, 16, 4000), (1, 1, 512), (10, 33, 1999), (7, 20, 1210), (64, 3, 3000), (30, 65, 2048)])
def test_eager(m, n, k, turned, dtype, pool):
    a = RNG.standard_normal((k, m) if turned[0] else (m, k)).astype(dtype)
    b = RNG.standard_normal((n, k) if turned[1] else (k, n)).astype(dtype)
    a, b = a.T if turned[0] else a, b.T if turned[1] else b
    row, run, results = RNG.standard_normal(n).astype(dtype), blas.ready(a.dtype), []
    for threads in (1, 2, 3):
        pool.resize(threads)
        blas._plans.clear()
        results.append((run(a, b), run(a, b, row)))
    blas._plans.clear()
    want, limit = a.astype("f8") @ b.astype("f8"), 1e-3 if dtype == "f4" else 1e-10
    for (y, z) in results:
        assert y.dtype == z.dtype == a.dtype and y.tobytes() == results[0][0].tobytes() and z.tobytes() == results[0][1].tobytes()
        np.testing.assert_allclose(y, want, rtol=limit, atol=limit)
        np.testing.assert_allclose(z, want + row, rtol=limit, atol=limit)


@pytest.mark.parametrize("rows, inner, outer", [(2000, 10, 6), (1999, 10, 6), (512, 30, 1)])
def test_gradients_of_a_layer(rows, inner, outer, pool):
    layer, x = kobai.nn.Linear(inner, outer), kobai.from_numpy(RNG.standard_normal((rows, inner)).astype("f4"))

    def step():
        y = layer(x).tanh()
        return (*kobai.autograd.grad(y.sum(), list(layer.parameters())), kobai.addmm(layer.bias, x.t() @ x[:, :inner], layer.weight.t()))
    graph, arrays = recorded(step)
    made, results = plan(graph), []
    for threads in (1, 2, 3):
        pool.resize(threads)
        results.append(made.run(*[np.array(a) for a in arrays]))
    for ys in zip(*results):
        assert all(y.tobytes() == ys[0].tobytes() for y in ys)
    for y, want in zip(results[0], made.interpret([np.array(a) for a in arrays])):
        np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-3)
    assert any(getattr(s, "sizes", ()) for s in made.steps) == (rows != 1999), str(made)


def test_what_is_added_to_a_deep_product(pool):
    a, b, e = [kobai.from_numpy(RNG.standard_normal(s).astype("f4")) for s in ((8, 1024), (1024, 12), 12)]
    for row in (e, e.expand(8, 12).contiguous()):
        graph, arrays = recorded(lambda row=row: kobai.addmm(row, a, b, alpha=0.5))
        made = plan(graph)
        y, = made.run(*[np.array(x) for x in arrays])
        np.testing.assert_allclose(y, row.numpy() + 0.5 * (a.numpy() @ b.numpy()), rtol=1e-4, atol=1e-3)
        assert any(getattr(s, "sizes", ()) for s in made.steps)
