"""Programs of the introductions to autograd, run as printed; the expected output is theirs: PyTorch's."""

import re
import sys

import pytest


def test_first_gradient(workshop):
    printed = workshop.output("""\
        import torch

        x = torch.tensor(5.)
        w = torch.tensor(2., requires_grad=True)
        b = torch.tensor(1., requires_grad=True)
        y = w * x + b
        print(x, w, b, sep="\\n")
        print(y)
        print(w.grad_fn, w.is_leaf, y.is_leaf)
        print(type(y.grad_fn).__name__)
        print([type(node).__name__ for node, _ in y.grad_fn.next_functions])
        y.backward()
        print(w.grad, b.grad, x.grad)
    """)
    assert printed.splitlines() == [
        "tensor(5.)",
        "tensor(2., requires_grad=True)",
        "tensor(1., requires_grad=True)",
        "tensor(11., grad_fn=<AddBackward0>)",
        "None True False",
        "AddBackward0",
        "['MulBackward0', 'AccumulateGrad']",
        "tensor(5.) tensor(1.) None",
    ]


def test_gradients_of_a_line(workshop):
    printed = workshop.output("""\
        import torch
        x = torch.tensor(1.0, requires_grad=True)
        w = torch.tensor(2.0, requires_grad=True)
        b = torch.tensor(3.0, requires_grad=True)
        y = w * x + b
        y.backward()
        print(x.grad, w.grad, b.grad)
        a = torch.tensor(1.0, requires_grad=True)
        b = a + 2
        print(b.grad_fn)
    """).splitlines()
    assert printed[0] == "tensor(2.) tensor(1.) tensor(1.)"
    assert re.fullmatch(r"<AddBackward0 object at 0x[0-9a-f]+>", printed[1])


def test_a_root_by_gradient_descent(workshop):
    printed = workshop.output("""\
        import torch
        import torch.nn as nn
        import torch.optim as optim

        x = torch.tensor([1.], requires_grad=True)
        criterion = nn.MSELoss()
        optimizer = optim.SGD([x], lr=0.01)
        for i in range(100):
            optimizer.zero_grad()
            y = x ** 2 - 2
            loss = criterion(y, torch.zeros(1))
            loss.backward()
            print("{}: x={:.7f}, y={:.7f}, dL/dx={:.7f}".format(
                i, x.data.numpy()[0], y.data.numpy()[0], x.grad.data.numpy()[0]))
            optimizer.step()
        print("x={:.7f}".format(x.data.numpy()[0]))
    """).splitlines()
    assert printed[:3] + printed[-2:] == [
        "0: x=1.0000000, y=-1.0000000, dL/dx=-4.0000000",
        "1: x=1.0400000, y=-0.9184000, dL/dx=-3.8205440",
        "2: x=1.0782053, y=-0.8374733, dL/dx=-3.6118727",
        "99: x=1.4142133, y=-0.0000007, dL/dx=-0.0000040",
        "x=1.4142133",
    ]


# Python 3.12 changed how it prints an OrderedDict.
STATE = (
    "OrderedDict([('layer1.weight', tensor([[ 0.6000, -0.2000]])), ('layer1.bias', tensor([0.8000]))])"
    if sys.version_info < (3, 12)
    else "OrderedDict({'layer1.weight': tensor([[ 0.6000, -0.2000]]), 'layer1.bias': tensor([0.8000])})"
)


def test_one_neuron(workshop):
    printed = workshop.output("""\
        import torch
        import torch.nn as nn

        class NeuralNetwork(nn.Module):
            def __init__(self):
                super(NeuralNetwork, self).__init__()
                self.layer1 = nn.Linear(2, 1)

            def forward(self, x):
                return torch.tanh(self.layer1(x))

        model = NeuralNetwork()
        print(model)
        model.layer1.weight = nn.Parameter(torch.tensor([[0.6, -0.2]]))
        model.layer1.bias = nn.Parameter(torch.tensor([0.8]))
        print(model.state_dict())
        X = torch.tensor([[1.0, 2.0]])
        y = torch.tensor([[1.0]])
        y_pred = model(X)
        print(y_pred)
        model.zero_grad()
        loss = nn.MSELoss()(y_pred, y)
        loss.backward()
        print(model.layer1.weight.grad, model.layer1.bias.grad)
    """)
    assert printed.splitlines() == [
        "NeuralNetwork(",
        "  (layer1): Linear(in_features=2, out_features=1, bias=True)",
        ")",
        STATE,
        "tensor([[0.7616]], grad_fn=<TanhBackward0>)",
        "tensor([[-0.2002, -0.4005]]) tensor([-0.2002])",
    ]


def test_derivative_of_a_polynomial_through_tensorflow(workshop):
    printed = workshop.output("""\
        import tensorflow as tf
        import tensorflow.keras.layers as layers
        x = tf.Variable(0.5)
        with tf.GradientTape() as tape:
            y = 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6
        print(y)
        print(tape.gradient(y, x))
    """)
    assert printed.splitlines() == [
        "tf.Tensor(9.75, shape=(), dtype=float32)",
        "tf.Tensor(10.5, shape=(), dtype=float32)",
    ]


@pytest.mark.parametrize("last", ["make_dot(y)", "make_dot(y, params={'x': x})"])
def test_a_picture_through_torchviz(workshop, last):
    printed = workshop.output(f"""\
        import torch
        from torchviz import make_dot
        x = torch.tensor([1., 2.], requires_grad=True)
        y = (x * 2).sum()
        print({last}.source)
    """)
    for node in ("SumBackward0", "MulBackward0", "AccumulateGrad"):
        assert node in printed
    assert ("x\n (2)" in printed) == ("params" in last)
