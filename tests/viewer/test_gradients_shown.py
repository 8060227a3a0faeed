"""Names and edges of the nodes behind gradients and recurrent cells: those that PyTorch 2.13 records."""
import pytest

import kobai as torch
from kobai import nn
from kobai.compat.torchviz import make_dot
from kobai.nn import functional as F


def tree(fn, depth=0):
    """The names behind a node, as calls; three levels deep."""
    if fn is None:
        return "None"
    name = type(fn).__name__.removesuffix("Backward0")
    if name == "AccumulateGrad":
        return "leaf"
    return name if depth > 2 else f"{name}({', '.join(tree(f, depth + 1) for f, _ in fn.next_functions)})"


TREES = {
    "tanh": (torch.tanh, "TanhBackward(Sin(leaf), Tanh(Exp(leaf)))"),
    "sigmoid": (torch.sigmoid, "SigmoidBackward(Sin(leaf), Sigmoid(Exp(leaf)))"),
    "relu": (torch.relu, "ThresholdBackward(Sin(leaf), Relu(Exp(leaf)))"),
    "gelu": (F.gelu, "GeluBackward(Sin(leaf), Exp(leaf))"),
    "elu": (F.elu, "EluBackward(Sin(leaf), Exp(leaf))"),
    "softmax": (lambda x: x.softmax(1), "SoftmaxBackwardData(Sin(leaf), Softmax(Exp(leaf)))"),
    "log_softmax": (lambda x: x.log_softmax(1), "LogSoftmaxBackwardData(Sin(leaf), LogSoftmax(Exp(leaf)))"),
    "mse": (lambda x: F.mse_loss(x, torch.zeros(2, 3)), "MseLossBackward(Sin(leaf), Exp(leaf), None)"),
    "pow": (lambda x: x ** 3, "Mul(Sin(leaf), MulBackward1(Pow(Exp)))"),
    "square": (lambda x: x ** 2, "Mul(Sin(leaf), MulBackward1(Pow(Exp)))"),
    "log": (torch.log, "Div(Sin(leaf), Exp(leaf))"),
    "sqrt": (torch.sqrt, "Div(Sin(leaf), MulBackward1(Sqrt(Exp)))"),
    "reciprocal": (torch.reciprocal, "Mul(Neg(Sin(leaf)), Mul(Reciprocal(Exp), Reciprocal(Exp)))"),
    "sum": (lambda x: x.sum(), "Expand(Sin(leaf))"),
    "mean of rows": (lambda x: x.mean(1), "DivBackward1(Expand(Unsqueeze(Sin)))"),
    "linear": (lambda x: F.linear(x, torch.ones(4, 3, requires_grad=True)), "Mm(Sin(leaf), T(T(leaf)))"),
    "product": (lambda x: x * x, "Add(Mul(Sin(leaf), Exp(leaf)), Mul(Sin(leaf), Exp(leaf)))"),
}


def gradient_of(fn):
    a = torch.rand(2, 3, requires_grad=True)
    x = a.exp()
    y = fn(x)
    g, = torch.autograd.grad(y, x, torch.rand(y.shape, requires_grad=True).sin(), create_graph=True)
    return g


@pytest.mark.parametrize("name", TREES)
def test_steps_of_gradients(name):
    fn, want = TREES[name]
    assert tree(gradient_of(fn).grad_fn) == want


def test_printed_gradients_name_pytorch_s_function():
    x = torch.tensor(0.5, requires_grad=True)
    g, = torch.autograd.grad(torch.tanh(x), x, create_graph=True)
    assert repr(g) == "tensor(0.7864, grad_fn=<TanhBackwardBackward0>)"
    assert g.grad_fn is g.grad_fn and torch.autograd.grad(g, x)[0].item() == pytest.approx(-0.72686, abs=1e-5)


def test_names_stay_when_a_loop_is_repeated_by_a_program():
    """The function that makes the graph again (autograd/again.py) remembers which rule made a gradient, too."""
    w = torch.ones(3, 3, requires_grad=True)
    x = torch.ones(2, 3)
    names = set()
    for _ in range(200):
        g, = torch.autograd.grad(torch.tanh(x @ w).pow(2).sum(), w, create_graph=True)
        names.add(tree(g.grad_fn.next_functions[1][0]))
    assert names == {"TanhBackward(Mul(None, MulBackward1(Pow)), Tanh(Mm(None, leaf)))"}


def test_hooks_on_what_is_shown_otherwise():
    cell, seen = nn.LSTMCell(2, 3), []
    h, c = cell(torch.ones(1, 2))
    c.register_hook(lambda g: seen.append(g.shape))
    c.sum().backward()
    assert seen == [(1, 3)] and type(c.grad_fn).__name__ == "AddBackward0"


LSTM = "Mul(Sigmoid(UnsafeSplit(Add)), Tanh(Add(Mul, Mul)))"
GRU = "Add(Mul(Sub(None, Tanh), Sigmoid(Add)), Tanh(Add(UnsafeSplit, Mul)))"


@pytest.mark.parametrize("cell, want", [(nn.LSTMCell, LSTM), (nn.GRUCell, GRU)], ids=["lstm", "gru"])
def test_steps_of_cells(cell, want):
    made = cell(3, 4)
    out = made(torch.ones(2, 3))
    h = out[0] if isinstance(out, tuple) else out
    assert tree(h.grad_fn) == want
    source = make_dot(out, params=dict(made.named_parameters())).source
    splits = 1 if cell is nn.LSTMCell else 2
    assert source.count("UnsafeSplitBackward0") == splits and source.count("AddmmBackward0") == 2
    assert source.count("label=SigmoidBackward0") == (3 if cell is nn.LSTMCell else 2)


def test_cells_in_a_loop_share_the_memory_s_nodes():
    cell = nn.LSTMCell(3, 4)
    h = c = torch.zeros(2, 4)
    for _ in range(3):
        h, c = cell(torch.ones(2, 3), (h, c))
    assert tree(c.grad_fn) == "Add(Mul(Sigmoid(UnsafeSplit), Add(Mul, Mul)), Mul(Sigmoid(UnsafeSplit), Tanh(UnsafeSplit)))"
    assert make_dot((h, c)).source.count("label=TanhBackward0") == 6


def test_one_node_for_both_gradients_of_a_convolution():
    x, w = torch.rand(1, 1, 4, 4, requires_grad=True), torch.rand(1, 1, 3, 3, requires_grad=True)
    gx, gw = torch.autograd.grad(F.conv2d(x, w).tanh().sum(), (x, w), create_graph=True)
    assert gx.grad_fn is gw.grad_fn and type(gx.grad_fn).__name__ == "ConvolutionBackwardBackward0"


def test_layers_of_long_memory_cells():
    """A layer is one node, with the weights of its input; its last states are stacked, and nothing is a view."""
    model = nn.LSTM(3, 4, 2)
    out, (h, c) = model(torch.ones(5, 2, 3))
    assert type(out.grad_fn).__name__ == "MkldnnRnnLayerBackward0" and not out._is_view() and not h._is_view()
    first, *weights = [f for f, _ in out.grad_fn.next_functions]
    assert type(first).__name__ == "MkldnnRnnLayerBackward0"
    assert [w.variable is p for w, p in zip(weights, (p for n, p in model.named_parameters() if n.endswith("l1")))] == [True] * 4
    assert tree(h.grad_fn).startswith("Stack(MkldnnRnnLayer(None, leaf, leaf, leaf, leaf")
    assert [k for _, k in h.grad_fn.next_functions] == [1, 1] and [k for _, k in c.grad_fn.next_functions] == [2, 2]
    source = make_dot((out, h, c), params=dict(model.named_parameters())).source
    assert source.count("label=MkldnnRnnLayerBackward0") == 2 and "Addmm" not in source and "darkolivegreen3" not in source
