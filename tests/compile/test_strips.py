"""compile/strips.py: rows and sums over them strip after strip give what the graph says, to the bit for any number of threads."""
import numpy as np
import pytest
from graphs_to_compile import recorded

import kobai
from kobai.backends import llvm
from kobai.compile import plan as planning, strips
from kobai.compile.chain import ChainStep
from kobai.compile.plan import plan

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
F = kobai.nn.functional
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(strips, "LEAST", 64)
    monkeypatch.setattr(strips, "STRIP", 2048)
    monkeypatch.setattr(strips, "STRIPS", 2)


def given(*shape, dtype="f4"):
    return kobai.from_numpy(RNG.standard_normal(shape).astype(dtype))


def chains(p):
    return [s for s in p.steps if isinstance(s, ChainStep)]


def compared(fn, pool, monkeypatch):
    """The plan of a function: the same bits by 1, 2 and 3 threads; the numbers of the definition, and of single steps."""
    graph, arrays = recorded(fn)
    made = plan(graph)
    results = []
    for threads in (1, 2, 3):
        pool.resize(threads)
        results.append(made.run(*[np.array(a) for a in arrays]))
    for ys in zip(*results):
        assert all(y.tobytes() == ys[0].tobytes() for y in ys)
    with monkeypatch.context() as m:
        m.setattr(planning, "in_strips", lambda steps, homes, results: list(steps))
        single = plan(graph)
    numbers = single.run(*[np.array(a) for a in arrays])
    for y, z, want in zip(results[0], numbers, made.interpret([np.array(a) for a in arrays])):
        limit = 1e-12 if y.dtype == np.float64 else 2e-4
        np.testing.assert_allclose(y.astype("f8"), z.astype("f8"), rtol=limit, atol=limit)
        np.testing.assert_allclose(y.astype("f8"), want.astype("f8"), rtol=limit, atol=limit)
    return made


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(40, 33), (64, 16), (128, 100), (6, 10, 17), (2, 30, 4)])
def test_layer_norm(shape, dtype, pool, monkeypatch):
    x, g = given(*shape, dtype=dtype).requires_grad_(), given(*shape, dtype=dtype)
    w, b = [given(shape[-1], dtype=dtype).requires_grad_() for _ in range(2)]

    def step():
        y = F.layer_norm(x, shape[-1:], w, b)
        return (y, *kobai.autograd.grad(y, (x, w, b), g))
    made = compared(step, pool, monkeypatch)
    assert len(chains(made)) == 1, str(made)


@pytest.mark.parametrize("rows, columns", [(37, 20), (1, 50), (2, 3), (0, 4), (5, 0), (41, 1)])
def test_rows_that_cannot_be_cut(rows, columns, pool, monkeypatch):
    x, w = given(rows, columns).requires_grad_(), given(columns).requires_grad_()

    def step():
        y = F.layer_norm(x, (columns,), w) if columns else x * w
        return kobai.autograd.grad(y.sum(), (x, w))
    assert not chains(compared(step, pool, monkeypatch))


def test_normalised_rows_between_products(pool, monkeypatch):
    x, w = given(60, 24).requires_grad_(), given(24, 24).requires_grad_()
    b, g = given(24).requires_grad_(), given(60, 24)

    def step():
        return kobai.autograd.grad(F.rms_norm(F.gelu(x @ w), (24,), b), (x, w, b), g)
    made = compared(step, pool, monkeypatch)
    assert chains(made), "\n".join([str(made), *map(str, made.kernels)])


def test_arrays_that_lie_otherwise(pool, monkeypatch):
    x, y = given(24, 60).t().detach().requires_grad_(), given(120, 48).requires_grad_()
    w, g = given(24).requires_grad_(), given(60, 24)

    def step():
        return kobai.autograd.grad(kobai.tanh(x * w) * w * y[::2, ::2], (x, y, w), g)
    compared(step, pool, monkeypatch)


def test_several_sums_of_what_is_read_and_made(pool, monkeypatch):
    x, w = given(96, 20), given(96, 20)

    def step():
        z = kobai.exp(x) * w
        y = z / z.sum(1, keepdim=True)
        return y, z.sum(0), (y * x).sum(0), x.sum(0)
    assert chains(compared(step, pool, monkeypatch))


def test_sums_after_which_more_is_done_are_left_alone(pool, monkeypatch):
    x = given(96, 20)

    def step():
        z = kobai.exp(x)
        return z, z.mean(0), z.amax(0), z.var(0)
    compared(step, pool, monkeypatch)


def test_parameters_updated_in_place(pool):
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Linear(12, 30), kobai.nn.LayerNorm(30), kobai.nn.GELU(), kobai.nn.Linear(30, 12))
    twin = kobai.nn.Sequential(kobai.nn.Linear(12, 30), kobai.nn.LayerNorm(30), kobai.nn.GELU(), kobai.nn.Linear(30, 12))
    twin.load_state_dict(model.state_dict())
    x = given(48, 12)

    def trainer(net):
        optimizer = kobai.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

        def step():
            optimizer.zero_grad()
            loss = ((net(x) - x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss
        return step
    fast, slow = kobai.compile(trainer(model)), trainer(twin)
    for _ in range(6):
        np.testing.assert_allclose(fast().item(), slow().item(), rtol=1e-5)
    for p, q in zip(model.parameters(), twin.parameters()):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_strips_follow_from_the_shape():
    assert strips._divided(8000, 245) % 2 == 0 and 8000 % strips._divided(8000, 245) == 0
    assert strips._divided(8009, 245) == 0
    assert strips._divided(8, 2) == 2 and strips._divided(8, 8) == 0
