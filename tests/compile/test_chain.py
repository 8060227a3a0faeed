"""compile/chain.py and backends/chain.py: steps done item after item give what they give one after the other."""
import numpy as np
import pytest
from graphs_to_compile import recorded

import kobai
from kobai.backends import llvm
from kobai.compile import chain, plan as planning
from kobai.compile.chain import ChainStep
from kobai.compile.plan import plan
from kobai.ops import movement

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
F = kobai.nn.functional
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch):
    monkeypatch.setattr(chain, "ITEMS", 2)
    monkeypatch.setattr(chain, "WORK", 0)


def given(*shape):
    return kobai.from_numpy(RNG.standard_normal(shape).astype("f4"))


def chains(p):
    return [s for s in p.steps if isinstance(s, ChainStep)]


def compared(fn, pool, monkeypatch, exact=True):
    """The plan of a function whose results are those of single steps to the bit, however many threads there are."""
    graph, arrays = recorded(fn)
    made = plan(graph)
    results = []
    for threads in (1, 2, 3):
        pool.resize(threads)
        results.append(made.run(*[a.copy() for a in arrays]))
    with monkeypatch.context() as m:
        m.setattr(planning, "chained", lambda steps, homes, results: list(steps))
        single = plan(graph)
        results.append(single.run(*[a.copy() for a in arrays]))
    by_definition = made.interpret([a.copy() for a in arrays])
    for ys in zip(*results):
        assert all(y.tobytes() == ys[0].tobytes() for y in ys if exact)
    for y, want in zip(results[0], by_definition):
        np.testing.assert_allclose(y, want, rtol=1e-4, atol=1e-4)
    return made


def heads(x, count):
    """(n, length, d) as (n, heads, length, d / heads)."""
    n, length, d = x.shape
    return x.view(n, length, count, d // count).transpose(1, 2)


@pytest.mark.parametrize("n, count, length, width", [(2, 3, 17, 5), (1, 4, 130, 8), (3, 1, 33, 16), (2, 2, 256, 7), (5, 3, 16, 1)])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_and_its_gradient(n, count, length, width, causal, pool, monkeypatch):
    x, g = given(n, length, 3 * count * width).requires_grad_(), given(n, length, count * width)

    def step():
        q, k, v = [heads(p, count) for p in x.split(count * width, 2)]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(g.shape)
        return y, kobai.autograd.grad(y, x, g)[0]
    made = compared(step, pool, monkeypatch)
    if n * count * width > 5 and width > 1:
        assert chains(made), str(made)


def test_heads_are_put_together_where_they_are_made(pool, monkeypatch):
    monkeypatch.setattr(movement, "in_rows", np.ascontiguousarray)  # as large arrays are after some uses
    x, g = given(2, 40, 48).requires_grad_(), given(2, 40, 16)

    def step():
        y = F.scaled_dot_product_attention(*[heads(p, 2) for p in x.split(16, 2)]).transpose(1, 2).reshape(g.shape)
        return y, kobai.autograd.grad(y, x, g)[0]
    made = compared(step, pool, monkeypatch)
    assert len(made.steps) == 1 and chains(made), str(made)


def test_attention_by_hand_with_a_mask_is_one_chain(pool, monkeypatch):
    q, k, v = [given(2, 3, 19, 8) for _ in range(3)]
    mask = kobai.tril(kobai.ones(19, 19)) == 0

    def by_hand():
        s = (q @ k.transpose(-2, -1)) / 8 ** 0.5
        return F.softmax(s.masked_fill(mask, float("-inf")), -1) @ v
    made = compared(by_hand, pool, monkeypatch)
    one, = chains(made)
    assert one.items == 6 and len(one.steps) == 3 and made.steps == [one]
    assert len(one.rooms) == 2 and made.size == 0, "scores and weights have room for one head, and none in the arena"


def test_weights_that_are_wanted_have_memory(pool, monkeypatch):
    q, k, v = [given(2, 3, 19, 8) for _ in range(3)]

    def both():
        p = F.softmax(q @ k.transpose(-2, -1), -1)
        return p @ v, p, (p @ v).sum((0, 1))
    one, = chains(compared(both, pool, monkeypatch))
    assert [r.shape for r in one.rooms] == [(2, 3, 19, 19)]  # the scores


def test_rooms_grow_and_are_limited(pool, monkeypatch):
    for n in (12, 90, 30):
        a, b = given(4, n, n), given(4, n, n)
        one, = chains(compared(lambda a=a, b=b: F.softmax(a @ b, -1) @ b, pool, monkeypatch))
        assert one.size >= 4 * n * n
    monkeypatch.setattr(chain, "ROOM", 4 * 30 * 30)
    one, = chains(compared(lambda: F.softmax(a @ b, -1) @ b, pool, monkeypatch))
    assert one.size == 0


def test_random_numbers_are_drawn_in_order_around_a_chain(pool, monkeypatch):
    q, k, v = [given(2, 3, 19, 8).requires_grad_() for _ in range(3)]

    def with_dropout():
        kobai.manual_seed(3)
        p = F.dropout(F.softmax(q @ k.transpose(-2, -1), -1), 0.3)
        y = F.dropout(p @ v, 0.5)
        y.sum().backward()
        found = y.detach(), q.grad, k.grad, v.grad
        q.grad = k.grad = v.grad = None
        return found
    eager = with_dropout()
    compiled = kobai.compile(with_dropout)
    for _ in range(3):
        for y, want in zip(compiled(), eager):
            np.testing.assert_allclose(y.numpy(), want.numpy(), rtol=1e-4, atol=1e-5)


CROSSING = {
    "batch turned round": lambda a, b: (a @ b).flip(0) @ b,
    "batch moved on by one": lambda a, b: (a @ b)[1:] @ b[:-1],
    "dimensions of the batch exchanged": lambda a, b: ((a @ b).transpose(0, 1).reshape(a.shape) @ b),
    "all items read": lambda a, b: F.softmax(a @ b, 0) @ b,
    "one item read by all": lambda a, b: (a @ b)[:1].expand(a.shape) @ b,
    "a sum over items": lambda a, b: (a @ b).sum(0) + a @ b,
}


@pytest.mark.parametrize("name", CROSSING)
@pytest.mark.parametrize("lead", [(4, 4), (16,)])
def test_items_that_need_each_other_stay_apart(name, lead, pool, monkeypatch):
    if name.startswith("dimensions") and len(lead) == 1:
        lead = (12, 12)
    a, b = given(*lead, 12, 12), given(*lead, 12, 12)
    compared(lambda: CROSSING[name](a, b), pool, monkeypatch)


def programs(seed):
    """A random program of batched products, kernels over rows, and movements of the batch."""
    r = np.random.default_rng(seed)
    n, h, t = int(r.integers(2, 5)), int(r.integers(1, 4)), int(r.integers(11, 15))
    a, b = given(n, h, t, t), given(n, h, t, t)
    choices = r.integers(0, 11, 8)
    picks = r.integers(0, 100, (8, 2))

    def run():
        values = [a, b]
        for c, (i, j) in zip(choices, picks):
            x, y = values[i % len(values)], values[j % len(values)]
            values.append([
                lambda: x @ y, lambda: x @ y.transpose(-2, -1), lambda: x.transpose(-2, -1) @ y, lambda: F.softmax(x, -1),
                lambda: x * 0.5 + y, lambda: x @ y + x, lambda: x.flip(0), lambda: kobai.cat([x[1:], y[:1]], 0),
                lambda: x - x.mean(-1, keepdim=True), lambda: kobai.cat([x[..., 5:, :], y[..., :5, :]], -2),
                lambda: x.relu() @ y,
            ][c]())
        return tuple(v.clamp(-3, 3) for v in values[-3:])
    return run


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed, pool, monkeypatch):
    compared(programs(seed), pool, monkeypatch)


def test_steps_for_few_or_small_items_are_left_alone(monkeypatch):
    a, b = given(4, 12, 12), given(4, 12, 12)
    graph, _ = recorded(lambda: F.softmax(a @ b, -1) @ b)
    assert len(chains(plan(graph))) == 1
    monkeypatch.setattr(chain, "ITEMS", 5)
    assert not chains(plan(graph))
    monkeypatch.setattr(chain, "LONG", 2 * 12 ** 3)
    assert len(chains(plan(graph))) == 1, "few, but long ones"
    monkeypatch.setattr(chain, "FEW", 5)
    assert not chains(plan(graph))
    monkeypatch.setattr(chain, "ITEMS", 2)
    monkeypatch.setattr(chain, "WORK", 12 ** 3 + 1)
    assert not chains(plan(graph))


def test_what_a_chain_writes_to_an_argument(pool, monkeypatch):
    a, b = given(6, 12, 12), given(6, 12, 12)
    want = a.clone()

    def update(x):
        x.copy_(F.softmax(x @ b, -1) @ b)
        return x.sum()
    compiled = kobai.compile(lambda: update(a))
    for _ in range(4):
        update(want)
        compiled()
        np.testing.assert_allclose(a.numpy(), want.numpy(), rtol=1e-3, atol=1e-4)
