"""compile/order.py: updates come right after what they need, and never before what may end the run."""
import numpy as np
import pytest
from graphs_to_compile import assert_same, recorded

import kobai
from kobai.backends import llvm
from kobai.compile import order, plan as planning
from kobai.compile.plan import plan

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
nn, F = kobai.nn, kobai.nn.functional


def training(model, x, t, opt, extra=lambda: None):
    """(graph, arrays) of one step."""
    def step():
        opt.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        extra()
        opt.step()
        return loss
    return recorded(step)


def deep(*widths):
    """A network of linear layers."""
    return nn.Sequential(*[layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.Tanh())])


def first_update(made):
    """Which steps write to arguments: the first of them, and how many steps there are."""
    writes = [i for i, s in enumerate(made.steps) if any(made.places[v].kind == "input" for v in s.writes)]
    return writes[0], len(made.steps)


def test_weights_are_updated_while_the_backward_pass_goes_on():
    kobai.manual_seed(0)
    model = deep(40, 70, 70, 70, 10)
    graph, arrays = training(model, kobai.randn(64, 40), kobai.randint(0, 10, (64,)), kobai.optim.SGD(model.parameters(), 0.1))
    made = plan(graph)
    products = [i for i, s in enumerate(made.steps) if hasattr(s, "alpha")]
    first, _ = first_update(made)
    assert first < products[-3], str(made)
    assert_same(graph, arrays, made, rtol=1e-4)


@pytest.mark.parametrize("opt", [
    lambda p: kobai.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), lambda p: kobai.optim.Adam(p, amsgrad=True),
    lambda p: kobai.optim.AdamW(p)])
@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("small", [0, 1 << 30])
def test_programs_mean_the_same_in_any_order(opt, clip, small, monkeypatch):
    monkeypatch.setattr(order, "SMALL", small)
    kobai.manual_seed(0)
    model = nn.Sequential(nn.Embedding(11, 8), nn.Flatten(), nn.Linear(24, 33), nn.BatchNorm1d(33), nn.ReLU(), nn.Linear(33, 5))
    x, t = kobai.randint(0, 11, (20, 3)), kobai.randint(0, 5, (20,))
    extra = (lambda: nn.utils.clip_grad_norm_(model.parameters(), 0.1)) if clip else (lambda: None)
    graph, arrays = training(model, x, t, opt(model.parameters()), extra)
    found = []
    for ordered in (order.early, lambda graph, steps, windows, homes: steps):
        monkeypatch.setattr(planning, "early", ordered)
        made, given = plan(graph), [a.copy() for a in arrays]
        for _ in range(3):
            loss, = made.run(*given)
        found.append([loss, *given])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*found))
    assert not np.array_equal(found[0][1:][-1], arrays[-1])


def test_a_tied_weight_is_updated_after_its_last_use():
    kobai.manual_seed(0)
    w = kobai.randn(24, 24, requires_grad=True)
    x = kobai.randn(30, 24)

    def step():
        g, = kobai.autograd.grad((kobai.tanh(x @ w) @ w).square().mean(), w)
        with kobai.no_grad():
            seen = (x @ w).sum()
            w.sub_(0.1 * g)
            return seen, (x @ w).sum()
    graph, arrays = recorded(step)
    assert_same(graph, arrays, plan(graph), rtol=1e-3)


def test_nothing_is_changed_before_a_check():
    table, w = kobai.randn(5, 4), kobai.ones(4)
    index = kobai.tensor([0, 1])

    def step(index):
        with kobai.no_grad():
            w.add_(1)
            return F.embedding(index, table) * w
    compiled = kobai.compile(step)
    for _ in range(3):
        compiled(index)
    before = w.numpy().copy()
    with pytest.raises(IndexError):
        compiled(kobai.tensor([0, 9]))
    # The program itself, run by eager, has added 1 before it failed: once.
    np.testing.assert_array_equal(w.numpy(), before + 1)


def test_nothing_is_changed_before_an_op_that_may_fail():
    w, a = kobai.ones(40), kobai.eye(3)

    def step(a):
        with kobai.no_grad():
            y = kobai.linalg.cholesky(a)
            w.add_(1)
            return y
    compiled = kobai.compile(step)
    for _ in range(3):
        compiled(a)
    np.testing.assert_array_equal(w.numpy(), 4)
    with pytest.raises(RuntimeError):
        compiled(-a)
    np.testing.assert_array_equal(w.numpy(), 4)
