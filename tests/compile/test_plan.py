"""compile/plan.py, compile/memory.py and backends/step.py: a plan does what its graph means."""
import numpy as np
import pytest
from graphs_to_compile import apply, assert_same, expected, random_graph, recorded

import kobai
from kobai.backends import llvm
from kobai.compile import fuse, rewrite
from kobai.compile.graph import Graph, Value
from kobai.compile.plan import Plan, plan
from kobai.compile.steps import OpStep
from kobai.ops import elementwise as e, movement as v

F = kobai.nn.functional


@pytest.fixture(params=["as it is", "as if large"])
def sizes(request, monkeypatch):
    """Small arrays are treated otherwise than large ones; the second time they count as large."""
    if request.param == "as if large":
        monkeypatch.setattr(rewrite, "TINY", 0)
        monkeypatch.setattr(fuse, "LEAST", 1)
        monkeypatch.setattr(fuse, "SMALL", 1)
        monkeypatch.setattr(fuse, "LONG", 3)


@pytest.mark.parametrize("seed", range(120))
@pytest.mark.usefixtures("sizes")
def test_random_graphs(seed):
    graph, arrays = random_graph(seed, 8 + seed % 16)
    assert_same(graph, arrays, plan(graph))


def trained(loss_fn, opt):
    """(graph, inputs) of a training step."""
    def step():
        opt.zero_grad()
        loss = loss_fn()
        loss.backward()
        opt.step()
        return loss
    return recorded(step)


OPTIMIZERS = {
    "sgd": lambda p: kobai.optim.SGD(p, lr=0.1),
    "momentum": lambda p: kobai.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "adam": lambda p: kobai.optim.Adam(p),
    "adamw": lambda p: kobai.optim.AdamW(p, amsgrad=True),
    "rmsprop": lambda p: kobai.optim.RMSprop(p),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("sizes")
def test_training_a_classifier(name):
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Linear(7, 33), kobai.nn.ReLU(), kobai.nn.Linear(33, 5))
    x, t = kobai.randn(20, 7), kobai.randint(0, 5, (20,))
    graph, arrays = trained(lambda: F.cross_entropy(model(x), t), OPTIMIZERS[name](model.parameters()))
    assert_same(graph, arrays, plan(graph), rtol=1e-4)


def _conv():
    return kobai.nn.Sequential(kobai.nn.Conv2d(3, 4, 3, padding=1), kobai.nn.BatchNorm2d(4), kobai.nn.ReLU(),
                               kobai.nn.MaxPool2d(2), kobai.nn.Flatten(), kobai.nn.Linear(64, 3))


class _Attention(kobai.nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.norm = kobai.nn.Embedding(11, 8), kobai.nn.LayerNorm(8)
        self.qkv, self.out = kobai.nn.Linear(8, 24), kobai.nn.Linear(8, 3)

    def forward(self, x):
        x = self.norm(self.emb(x))
        n, length, d = x.shape
        q, k, v = [p.view(n, length, 2, d // 2).transpose(1, 2) for p in self.qkv(x).split(d, dim=2)]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(F.gelu(y.transpose(1, 2).reshape(n, length, d))).mean(1)


class _Lstm(kobai.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = kobai.nn.LSTM(4, 6, batch_first=True), kobai.nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


MODELS = {
    "conv": (_conv, lambda: kobai.randn(2, 3, 8, 8)),
    "attention": (_Attention, lambda: kobai.randint(0, 11, (2, 9))),
    "lstm": (_Lstm, lambda: kobai.randn(2, 5, 4)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.usefixtures("sizes")
def test_training_models(name):
    kobai.manual_seed(0)
    make, data = MODELS[name]
    model, x, t = make(), data(), kobai.tensor([0, 2])
    graph, arrays = trained(lambda: F.cross_entropy(model(x), t), kobai.optim.SGD(model.parameters(), lr=0.1))
    assert_same(graph, arrays, plan(graph), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 12), (9, 13)])
def test_max_pooling(size):
    """Ties go to the first place, NaN counts as the largest: values as NumPy's max, gradients as in eager mode."""
    kobai.manual_seed(0)
    x = kobai.randint(0, 3, (2, 3, *size)).float().requires_grad_(True)
    with kobai.no_grad():
        x[0, 0, 1, 1] = x[0, 1, 3, 2] = float("nan")
    w = kobai.randn(2, 3, size[0] // 2, size[1] // 3)
    opt = kobai.optim.SGD([x], lr=0.5)
    graph, arrays = trained(lambda: (F.max_pool2d(x, (2, 3)) * w).sum(), opt)
    made = plan(graph)
    assert_same(graph, arrays, made)
    assert not any(isinstance(s, OpStep) for s in made.steps)  # nothing is left to NumPy


@pytest.mark.parametrize("length", [130, 256])
def test_long_causal_attention(length):
    """It is computed in bands of rows, forward and backward."""
    kobai.manual_seed(0)
    q, k, v = [kobai.randn(2, 3, length, 8, requires_grad=True) for _ in range(3)]
    w = kobai.randn(2, 3, length, 8)
    opt = kobai.optim.SGD([q, k, v], lr=0.1)
    graph, arrays = trained(lambda: (F.scaled_dot_product_attention(q, k, v, is_causal=True) * w).sum(), opt)
    for p in (q, k, v):
        p.grad = None
    (F.scaled_dot_product_attention(q, k, v, is_causal=True) * w).sum().backward()  # the op's own gradient
    steps = [np.array(p.detach() - 0.1 * p.grad) for p in (q, k, v)]
    given = [np.array(a) for a in arrays]
    plan(graph)(given)
    places = [next(i for i, a in enumerate(arrays) if a.shape == q.shape and np.array_equal(a, p.detach().numpy()))
              for p in (q, k, v)]
    for i, wanted in zip(places, steps):
        np.testing.assert_allclose(given[i], wanted, rtol=1e-4, atol=1e-5)


def test_random_numbers_are_drawn_in_the_order_of_the_program():
    """Three masks, of which the last is wanted first."""
    x = kobai.ones(3, 50)

    def step():
        a, b, c = [F.dropout(x * n, 0.5) for n in (1, 2, 3)]
        return (c * 2).sum(1), (a + c).sum(0), b @ b.T
    graph, arrays = recorded(step)
    made = plan(graph)
    kobai.manual_seed(3)
    wanted, _ = expected(graph, arrays)
    kobai.manual_seed(3)
    for a, b in zip(made(arrays), wanted):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_results_lie_in_memory_of_their_own():
    x = Value((3,), "f4")
    graph = Graph([x], [], [x, x])
    a = np.arange(3, dtype="f4")
    first, second = plan(graph)([a])
    first[0] = 9
    assert a[0] == 0 == second[0]


def test_inputs_can_be_exchanged():
    x, y = Value((3,), "f4"), Value((3,), "f4")
    a, b = np.zeros(3, "f4"), np.ones(3, "f4")
    before, = plan(Graph([x, y], [], [x], [(x, y), (y, x)]))([a, b])
    assert (a.tolist(), b.tolist(), before.tolist()) == ([1] * 3, [0] * 3, [0] * 3)


def test_an_input_is_read_by_all_before_it_is_written():
    """y = x.T + 1 and x becomes 2 x: neither order of the two steps may lose the old x."""
    x = Value((2, 2), "f4")
    t = apply(v.T(), x)
    y = apply(e.Add(), t.outs[0], np.float32(1))
    z = apply(e.Mul(), x, np.float32(2))
    a = np.arange(4, dtype="f4").reshape(2, 2)
    assert_same(Graph([x], [z, t, y], [y.outs[0]], [(x, z.outs[0])]), [a], plan(Graph([x], [z, t, y], [y.outs[0]],
                                                                                     [(x, z.outs[0])])))
    graph = Graph([x], [t, apply(e.Add(), t.outs[0], x)], [], [])
    graph.writes = [(x, graph.nodes[1].outs[0])]
    assert_same(graph, [a], plan(graph))


def test_inputs_with_strides():
    x = Value((3, 2), "f4", strides=(4, 12))
    y = apply(e.Mul(), x, np.float32(2))
    a = np.arange(6, dtype="f4").reshape(2, 3).T
    out, = plan(Graph([x], [y], y.outs, [(x, y.outs[0])]))([a])
    assert out.tolist() == [[0, 6], [2, 8], [4, 10]] == a.tolist()


def test_a_large_step_is_the_same_for_any_number_of_threads():
    kobai.manual_seed(0)
    x = kobai.randn(300, 700)
    w = kobai.randn(700, requires_grad=True)
    layer, table, index = kobai.nn.Linear(700, 200), kobai.randn(50, 700, requires_grad=True), kobai.randint(0, 50, (300,))
    opt = kobai.optim.SGD([w, table, *layer.parameters()], lr=0.1)

    def loss():
        rows = F.softmax(x * w + F.embedding(index, table), 1)
        return (F.gelu(layer(rows)) ** 2).sum()
    graph, arrays = trained(loss, opt)
    run, found = plan(graph), []
    before = kobai.get_num_threads()
    for threads in (1, 2, 3):
        kobai.set_num_threads(threads)
        given = [np.array(a) for a in arrays]
        found.append([y.tobytes() for y in run(given) + given])
    kobai.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_without_machine_code(monkeypatch):
    graph, arrays = random_graph(5)
    made = Plan(graph)
    monkeypatch.setattr(made, "run", lambda *inputs: None)
    assert_same(graph, arrays, made)


def test_an_error_in_an_op_arrives():
    table, index = kobai.randn(5, 3), kobai.tensor([1, 4])
    graph, arrays = recorded(lambda: F.embedding(index, table) * 2)
    arrays = [np.array([1, 7]) if a.dtype == np.int64 else a for a in arrays]
    with pytest.raises(IndexError, match="index out of range in self"):
        plan(graph)(arrays)


def test_a_class_that_does_not_exist():
    """The error of nll_loss, before anything is changed."""
    kobai.manual_seed(0)
    model, x, t = kobai.nn.Linear(4, 3), kobai.randn(2, 4), kobai.tensor([0, 2])
    graph, arrays = trained(lambda: F.cross_entropy(model(x), t), kobai.optim.SGD(model.parameters(), lr=0.1))
    before = [a.tobytes() for a in arrays if a.dtype == np.float32]
    run = plan(graph)
    bad = [np.array([0, 3]) if a.dtype == np.int64 else a for a in arrays]
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        run(bad)
    assert before == [a.tobytes() for a in bad if a.dtype == np.float32]


def test_targets_that_do_not_count():
    x, t = kobai.randn(4, 3, requires_grad=True), kobai.tensor([0, -100, 2, -100])
    opt = kobai.optim.SGD([x], lr=0.1)
    for reduction in ("mean", "sum"):
        graph, arrays = trained(lambda r=reduction: F.cross_entropy(x, t, reduction=r), opt)
        assert_same(graph, arrays, plan(graph))
        none = [np.full(4, -100) if a.dtype == np.int64 else a for a in arrays]
        assert_same(graph, none, plan(graph))


def test_what_is_joined_is_made_in_its_place():
    x, w = kobai.randn(20, 30), kobai.randn(30, 40)
    graph, arrays = recorded(lambda: kobai.cat([x @ w, (x * 2).exp(), x], dim=1))
    made = plan(graph)
    assert_same(graph, arrays, made)
    assert len(made.steps) == 3  # a product, a kernel, and a copy of x


@pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
def test_a_plan_shows_what_it_is():
    graph, _ = random_graph(1, 10)
    made = plan(graph)
    assert str(made).startswith("plan of") and "define void @" in made.llvm and made.kernels
