"""`make_dot` of PyTorch's graphs against torchviz 0.0.3 itself: the same DOT source, up to the nodes' ids."""

import re

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, whose graphs are drawn, is not installed")
torchviz = pytest.importorskip("torchviz", reason="torchviz, the oracle, is not installed")

import kobai  # noqa: E402
from kobai.compat.torchviz import make_dot  # noqa: E402

nn = torch.nn


def normalised(source):
    """Source with the nodes numbered in the order they appear."""
    numbers = {}
    return re.sub(r"\b\d{9,}\b", lambda m: "n" + str(numbers.setdefault(m[0], len(numbers))), source)


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, x * x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        x, square = ctx.saved_tensors
        return 3 * square * g


def neuron():
    """P5: one neuron, drawn as P6 does."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Tanh())
    return model(torch.ones(1, 2)), dict(model.named_parameters())


def network():
    convolution = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2)
    model = nn.Sequential(*convolution, nn.Flatten(), nn.Linear(8, 3))
    return model(torch.randn(2, 1, 6, 6)), dict(model.named_parameters())


def recurrent():
    model = nn.LSTM(3, 4)
    out, (h, c) = model(torch.randn(5, 2, 3))
    return (out, h, c), dict(model.named_parameters())


def attention():
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
    return model(torch.randn(3, 2, 8)), dict(model.named_parameters())


def views():
    x = torch.randn(4, 3, requires_grad=True)
    y = x * 2
    return (y[1:3].t(), y), {"x": x}


def leaf_view():
    x = torch.randn(4, 3, requires_grad=True)
    return x.view(12), {"x": x}


def written_in_place():
    x = torch.randn(3, requires_grad=True)
    y = x + 1
    y[0] = 0.0
    y.mul_(2)
    return y, {"x": x}


def custom():
    x = torch.randn(3, requires_grad=True)
    return Cube.apply(x * 2).sum(), {"x": x}


def shared():
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    return y * y + x, None


def joined():
    a, b = torch.randn(2, 2, requires_grad=True), torch.randn(2, 2, requires_grad=True)
    rows = torch.stack([a, torch.cat([a, b]).chunk(2)[1]])[:, 0]
    return rows.index_select(0, torch.tensor([1])).pow(2.5), {"b": b}


def second_order():
    x = torch.tensor(0.5, requires_grad=True)
    (g,) = torch.autograd.grad(torch.tanh(x) ** 2, x, create_graph=True)
    return g, {'x "quoted"': x}


def leaf():
    return torch.randn(2, 2, requires_grad=True), None


def constant():
    return torch.ones(3), {}


GRAPHS = [neuron, network, recurrent, attention, views, leaf_view, written_in_place, custom, shared, joined]
GRAPHS += [second_order, leaf, constant]


OPTIONS = [{}, {"show_saved": True}, {"show_attrs": True}]
OPTIONS += [{"show_attrs": True, "show_saved": True, "max_attr_chars": 7}]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o) or "plain")
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda g: g.__name__)
def test_same_source_as_torchviz(graph, options):
    torch.manual_seed(0)
    var, params = graph()
    expected = torchviz.make_dot(var, params=params, **options)
    ours = make_dot(var, params=params, **options)
    assert normalised(ours.source) == normalised(expected.source)
    assert ours.graph_attr == expected.graph_attr and ours.node_attr == expected.node_attr


def test_many_boxes_raise_the_size_limit_as_in_torchviz():
    y = torch.tensor(1.0, requires_grad=True)
    for _ in range(60):
        y = y + 1
    expected = torchviz.make_dot(y)
    assert expected.graph_attr["size"] != "12,12"
    assert make_dot(y).graph_attr == expected.graph_attr


def test_saved_values_that_are_gone_are_left_out():
    """Freed by backward(), or overwritten: torchviz raises RuntimeError."""
    x = torch.tensor(1.0, requires_grad=True)
    y = x.exp()
    y.backward()
    overwritten = (x + 3).exp()
    overwritten.add_(1)
    for var in y, overwritten:
        dot = make_dot(var, show_attrs=True, show_saved=True)
        assert "ExpBackward0" in dot.source and "orange" not in dot.source


def test_deep_graph_does_not_exhaust_the_stack():
    y = torch.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + 1
    assert make_dot(y).source.count("AddBackward0") == 5000


# ---- the same program in kobai: the same picture ------------------------------------------------
def first_gradient(t):
    x, w, b = t.tensor(5.0), t.tensor(2.0, requires_grad=True), t.tensor(1.0, requires_grad=True)
    return w * x + b, {"w": w, "b": b}


def polynomial(t):
    x = t.tensor(0.5, requires_grad=True)
    return 2 * x**3 + 4 * x**2 + 5 * x + 6, {"x": x}


def two_layers(t):
    model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2))
    return model(t.tensor([[1.0, 2.0, 3.0]])).sum(), dict(model.named_parameters())


def views_of_a_product(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 2
    return (y.t(), y.reshape(4), y), {"x": x}


def double_backward(t):
    """torchviz's own example: the gradient by the input is part of the loss."""
    model = t.nn.Sequential(t.nn.Linear(8, 16), t.nn.Tanh(), t.nn.Linear(16, 1))
    x = t.ones(1, 8, requires_grad=True)
    y = model(x).mean()
    (g,) = t.autograd.grad(y, x, create_graph=True, retain_graph=True)
    return g.pow(2).mean() + y, {**dict(model.named_parameters()), "x": x}


def gradient_penalty(t):
    model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 1))
    x = t.ones(2, 3, requires_grad=True)
    (g,) = t.autograd.grad(model(x).sum(), x, create_graph=True)
    return ((g.norm(2, dim=1) - 1) ** 2).mean(), dict(model.named_parameters())


def learned_step(t):
    w, x = t.ones(3, requires_grad=True), t.ones(5, 3)
    (g,) = t.autograd.grad((x @ w).pow(2).mean(), w, create_graph=True)
    return (x @ (w - 0.1 * g)).pow(2).mean(), {"w": w}


def long_memory_cells(t):
    cell, x = t.nn.LSTMCell(3, 4), t.ones(3, 2, 3)
    h = c = t.zeros(2, 4)
    for i in range(3):
        h, c = cell(x[i], (h, c))
    return (h, c), dict(cell.named_parameters())


def gated_cells(t):
    cell, h = t.nn.GRUCell(3, 4), t.zeros(2, 4)
    for _ in range(2):
        h = cell(t.ones(2, 3), h)
    return h.sum(), dict(cell.named_parameters())


def layers_of_cells(t):
    model = t.nn.LSTM(3, 4, 2)
    out, (h, c) = model(t.ones(5, 2, 3))
    return (out, h, c), dict(model.named_parameters())


def both_directions(t):
    model = t.nn.LSTM(3, 4, bidirectional=True, batch_first=True)
    return model(t.ones(2, 5, 3, requires_grad=True))[0][:, -1].sum(), dict(model.named_parameters())


PROGRAMS = [first_gradient, polynomial, two_layers, views_of_a_product]
PROGRAMS += [double_backward, gradient_penalty, learned_step, long_memory_cells, gated_cells, layers_of_cells,
             both_directions]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_kobai_s_graph_looks_as_pytorch_s(program):
    var, params = program(torch)
    expected = torchviz.make_dot(var, params=params).source
    var, params = program(kobai)
    assert normalised(make_dot(var, params=params).source) == normalised(expected)
