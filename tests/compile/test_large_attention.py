"""Attention in eager mode as machine code: values and gradients are those of the formula in float64, for any threads."""
import numpy as np
import pytest

import kobai
from kobai import large
from kobai.backends import eager_graph, llvm
from kobai.compile.chain import ChainStep
from kobai.compile.contract import ProductStep
from kobai.ops import attention
from kobai.ops.attention import ScaledDotProductAttention

pytestmark = [pytest.mark.skipif(not llvm.available, reason="needs llvmlite"), pytest.mark.filterwarnings("error:no machine code")]
F = kobai.nn.functional
RNG = np.random.default_rng(0)


@pytest.fixture
def plans(monkeypatch):
    """Machine code at once; the plans that are made for it."""
    made = []

    class Noted(eager_graph.Plan):
        def __init__(self, graph):
            super().__init__(graph)
            made.append(self)
    monkeypatch.setattr(eager_graph, "Plan", Noted)
    monkeypatch.setattr(large, "BUDGET", dict.fromkeys(large.BUDGET, 1))
    _forget()
    yield made
    _forget()


def _forget():
    for op in [*ScaledDotProductAttention._instances.values()]:
        for name in ("uses", "quick", "backs"):
            op.__dict__.pop(name, None)


def by_formula(q, k, v, g, causal):
    """(y, gradients of q, k and v) in float64."""
    q, k, v, g = [x.astype("f8") for x in (q, k, v, g)]
    scale = q.shape[-1] ** -0.5
    s = q @ k.swapaxes(-1, -2) * scale
    if causal:
        s = np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    g_p = g @ v.swapaxes(-1, -2)
    g_s = p * (g_p - (g_p * p).sum(-1, keepdims=True)) * scale
    return p @ v, g_s @ k, g_s.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ g


@pytest.mark.parametrize("shape", [(1, 2, 128, 8), (2, 3, 131, 7), (1, 1, 257, 16), (3, 2, 130, 1), (2, 1, 19, 33)])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_values_gradients_and_threads(shape, causal, apart, plans, pool):
    n, heads, length, width = shape
    data = [RNG.standard_normal((n, length, heads, width)).astype("f4").swapaxes(1, 2) for _ in range(4)]
    if apart:  # as heads that were split off
        data = [np.ascontiguousarray(x) for x in data]
    q, k, v = [kobai.from_numpy(x).requires_grad_() for x in data[:3]]
    g, results = kobai.from_numpy(data[3]), []
    for threads in (1, 1, 2, 3, 1):  # the first by NumPy
        pool.resize(threads)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        results.append([x.detach().numpy() for x in (y, *kobai.autograd.grad(y, (q, k, v), g))])
    for ys in results:
        for y, want in zip(ys, by_formula(*data, causal)):
            np.testing.assert_allclose(y, want, rtol=2e-4, atol=2e-5)
    for ys in zip(*results[1:]):
        assert len({y.tobytes() for y in ys}) == 1
    assert len(plans) == 2


def test_of_causal_scores_the_half_that_nobody_sees_is_not_multiplied(plans):
    q, k, v = [kobai.randn(4, 4, 256, 32, requires_grad=True) for _ in range(3)]
    for _ in range(3):
        F.scaled_dot_product_attention(q, k, v, is_causal=True).backward(kobai.ones(4, 4, 256, 32))
    for plan, products in zip(plans, (2, 5)):  # forward; backward with the scores made again
        chain, = [s for s in plan.steps if isinstance(s, ChainStep)]
        work = sum(s.m * s.n * s.k for s in chain.steps if isinstance(s, ProductStep))
        assert work <= 0.65 * products * 256 * 256 * 32


MASKS = {
    "truth": lambda n, s: RNG.random((2, 1, n, s)) < 0.7,
    "row": lambda n, s: (RNG.random((2, 1, 1, s)) < 0.7),
    "numbers": lambda n, s: RNG.standard_normal((3, n, s)).astype("f4"),
    "one row of numbers": lambda n, s: RNG.standard_normal((1, s)).astype("f4"),
    "nothing seen": lambda n, s: np.arange(n)[:, None] > np.zeros(s, int) + 5,
}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("n, s", [(129, 130), (200, 37), (256, 256)])
def test_masks_and_other_lengths_in_bands(kind, n, s, pool, monkeypatch):
    """In bands, all at once, and without a plan; the mask's gradient, too."""
    mask = kobai.from_numpy(MASKS[kind](n, s))
    shapes = [(2, 3, n, 8), (2, 3, s, 8), (2, 3, s, 8), (2, 3, n, 8)]
    q, k, v, g = [kobai.from_numpy(RNG.standard_normal(x).astype("f4")) for x in shapes]
    wanted = [x.requires_grad_() for x in (q, k, v, mask) if x.dtype is kobai.float32]

    def both():
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return y, *kobai.autograd.grad(y, wanted, g)
    results = [both()]
    for band in (1 << 30, 64):
        monkeypatch.setattr(attention, "_BAND", band)
        compiled = kobai.compile(both)
        compiled()  # recorded
        for threads in (1, 2, 3):
            pool.resize(threads)
            results.append(compiled())
        assert compiled.reason is None
    for ys in results[1:]:
        for y, want in zip(ys, results[0]):
            np.testing.assert_allclose(y.detach().numpy(), want.detach().numpy(), rtol=1e-3, atol=2e-4)
    for same in (results[1:4], results[4:]):
        assert all(y.detach().numpy().tobytes() == want.detach().numpy().tobytes() for ys in same for y, want in zip(ys, same[0]))


@pytest.mark.parametrize("length", [128, 300, 1100])
def test_bands_follow_each_other_to_the_end(length):
    op = ScaledDotProductAttention(1.0, True)
    q = np.empty((length, 4), "f4")
    bands = op._bands(q, q, None, None)
    assert [a for a, _, _ in bands] == [0, *[e for _, e, _ in bands[:-1]]] and bands[-1][1:] == (length, length)
    assert all(columns == e for _, e, columns in bands) and len(bands) > 1


def test_scores_of_a_forward_pass_alone_may_be_many(plans, monkeypatch):
    monkeypatch.setattr(attention, "_SCORES", 1000)
    q, k, v = [RNG.standard_normal((1, 4, 160, 8)).astype("f4") for _ in range(3)]
    for causal in (False, True):
        for _ in range(2):
            y = F.scaled_dot_product_attention(*[kobai.from_numpy(x) for x in (q, k, v)], is_causal=causal)
        np.testing.assert_allclose(y.numpy(), by_formula(q, k, v, q, causal)[0], rtol=2e-4, atol=2e-5)
    assert len(plans) == 2
