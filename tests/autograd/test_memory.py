"""Graphs end when they are no longer needed: no cycles, no deep recursion, and threads do not meet."""
import gc
import threading
import weakref

import numpy as np
import pytest

import kobai


@pytest.fixture(autouse=True)
def no_collector():
    """What the cycle collector would clean up must not arise."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Scale(kobai.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g * 2


NETWORK = kobai.nn.Sequential(kobai.nn.Linear(3, 4), kobai.nn.Tanh(), kobai.nn.Linear(4, 1))


PROGRAMS = {
    "arithmetic": lambda x: ((x * 2 + x.exp()).tanh() ** 3).sum(),
    "layers": lambda x: NETWORK(x).mean(),
    "views": lambda x: (x.view(-1)[2:].t() * 3).sum(),
    "split": lambda x: sum(p.sum() for p in x.split(1)),
    "in place": lambda x: (x * 1).mul_(2).exp_().sum(),
    "in place on a view": lambda x: change_rows(x * 1).sum(),
    "function": lambda x: Scale.apply(x).sum(),
    "hooks": lambda x: hooked(x * 2).sum(),
    "retained": lambda x: retained(x * 2).sum(),
    "index": lambda x: x[[0, 1]][:, None].max(2).values.sum(),
    "softmax": lambda x: kobai.nn.functional.cross_entropy(x, kobai.tensor([0, 2])),
    "norm": lambda x: kobai.nn.functional.layer_norm(x, (3,)).exp().prod(),
}


def change_rows(y):
    y[0] = y[1] * 2
    y.view(-1)[1:].mul_(y.sum())
    return y


def hooked(y):
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda a, b: None)
    return y


def retained(y):
    y.retain_grad()
    return y


def nodes_of(loss):
    """Weak references to all nodes of the graph."""
    seen, stack = {}, [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and id(node) not in seen:
            seen[id(node)] = weakref.ref(node)
            stack += [n for n, _ in node.next_functions]
    return list(seen.values())


@pytest.mark.parametrize("after", ["forward", "backward", "create_graph", "grad"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_dropped_loss_frees_its_graph_at_once(name, after):
    x = kobai.randn(2, 3, requires_grad=True)
    loss = PROGRAMS[name](x)
    nodes, value = nodes_of(loss), weakref.ref(loss)
    if after == "backward":
        loss.backward()
    elif after == "create_graph":
        loss.backward(create_graph=True)
        nodes += nodes_of(x.grad) if x.grad.requires_grad else []
        x.grad = None  # a gradient with a history holds the graph, which holds x
        NETWORK.zero_grad()
    elif after == "grad":
        g, = kobai.autograd.grad(loss, x, create_graph=True)
        nodes += nodes_of(g) if g.requires_grad else []
        del g
    del loss
    alive = [r() for r in (*nodes, value) if r() is not None and type(r()).__name__ != "AccumulateGrad"]
    assert alive == []


def test_backward_frees_saved_values_at_once():
    x = kobai.ones(1000, requires_grad=True)
    h = x * 2
    array = weakref.ref(h._data)
    y = (h ** 2).sum()
    del h
    assert array() is not None
    y.backward()
    assert array() is None


def test_an_error_in_backward_leaves_nothing_behind():
    class Bad(kobai.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")
    x = kobai.ones(2, requires_grad=True)
    loss = Bad.apply(x * 3).sum()
    nodes = nodes_of(loss)
    with pytest.raises(ValueError, match="mine"):
        loss.backward()
    del loss
    gc.collect()  # the traceback is a cycle of Python's own
    assert [r() for r in nodes if r() is not None] == []
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


DEEP = 100_000


@pytest.mark.parametrize("step", [lambda x: x + 1, lambda x: x.view(1), lambda x: x.sin()],
                         ids=["add", "views", "sin"])
def test_a_very_long_chain(step):
    x = kobai.ones(1, requires_grad=True)
    y = x
    for _ in range(DEEP):
        y = step(y)
    y.sum().backward()
    assert x.grad.shape == (1,) and x.grad.isfinite().all()


def test_a_very_long_chain_dropped_without_backward():
    y = kobai.ones(1, requires_grad=True)
    for _ in range(DEEP):
        y = y * 1.0
    del y


def test_a_very_long_chain_with_create_graph():
    x = kobai.tensor(0.5, requires_grad=True, dtype=kobai.float64)
    y = x
    for _ in range(DEEP // 5):
        y = y * 1.00001 + 1e-9 * y * y
    g, = kobai.autograd.grad(y, x, create_graph=True)
    g.backward()
    assert np.isfinite(x.grad.item())


def test_a_very_long_chain_of_changes_in_place():
    x = kobai.ones(2, requires_grad=True)
    y, v = x * 1, None
    for _ in range(DEEP // 20):
        y.add_(1)
        v = y[:1]
        v.mul_(1.0)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_very_long_chain_of_functions():
    x = kobai.ones(1, requires_grad=True)
    y = x
    for _ in range(DEEP // 20):
        y = Scale.apply(y) * 0.5
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_a_long_chain_of_views_whose_base_changes():
    x = kobai.ones(2, requires_grad=True)
    y = x * 1
    v = y
    for _ in range(2000):
        v = v.view(2)
    y.mul_(x * 3)
    v.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [12.0, 12.0]


def test_two_threads_at_once():
    """Each trains its own copy; the results are those of one thread."""
    def train(out, seed):
        x = kobai.from_numpy(np.random.default_rng(seed).standard_normal((8, 3)).astype(np.float32))
        w = kobai.ones(3, 2, requires_grad=True)
        for i in range(200):
            loss = ((x @ w).tanh() ** 2).mean()
            if i % 3 == 0:
                with kobai.no_grad():
                    assert not (x @ w).requires_grad
            assert loss.requires_grad
            loss.backward()
            with kobai.no_grad():
                w -= 0.1 * w.grad
            w.grad = None
        out[seed] = w.detach().numpy().copy()
    alone, together = {}, {}
    for seed in (1, 2):
        kobai.manual_seed(0)  # counts of what is used often start anew, as in a new thread
        train(alone, seed)
    threads = [threading.Thread(target=train, args=(together, seed)) for seed in (1, 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(np.array_equal(alone[s], together[s]) for s in (1, 2))


def test_one_graph_from_two_threads():
    x = kobai.ones(3, requires_grad=True)
    h = x.exp()
    results = {}

    def branch(k):
        results[k] = kobai.autograd.grad((h * k).sum(), x, retain_graph=True)[0]
    threads = [threading.Thread(target=branch, args=(k,)) for k in range(1, 9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(np.allclose(results[k], k * np.e, rtol=1e-6) for k in results) and len(results) == 8
