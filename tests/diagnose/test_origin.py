"""Errors inside a network name the module, and what made the dimension that does not fit."""
import pytest

import kobai as torch
from kobai import nn


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")


def said(fn):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        fn()
    return [line.strip() for line in str(caught.value).splitlines()]


class Net(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def test_linear_after_linear():
    model = Net(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.Dropout(), nn.LayerNorm(3)), nn.Linear(5, 1))
    lines = said(lambda: model(torch.ones(2, 4)))
    assert "module: model.layers.2 (Linear(in_features=5, out_features=1, bias=True))" in lines
    assert "3 comes from: model.layers.0 (Linear(in_features=4, out_features=3, bias=True))" in lines


def test_a_model_known_as_an_attribute_is_named_by_its_class():
    class Trainer:
        def __init__(self):
            self.model = Net(nn.Linear(4, 3), nn.Linear(5, 1))

        def run(self):
            return self.model(torch.ones(2, 4))
    assert "module: Net.layers.1 (Linear(in_features=5, out_features=1, bias=True))" in said(Trainer().run)


def test_channels():
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(16, 4, 3))
    lines = said(lambda: model(torch.ones(2, 1, 8, 8)))
    assert lines[0].startswith("Given groups=1, weight of size [4, 16, 3, 3], expected input[2, 8, 6, 6]")
    assert "8 comes from: model.0 (Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1)))" in lines


def test_a_layer_on_sequences_is_named_too():
    """Of (batch, time, features) a layer multiplies all rows at once; the view that follows made no dimension."""
    model = nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(16, 4))
    lines = said(lambda: model(torch.ones(2, 5, 3)))
    assert "8 comes from: model.0 (Linear(in_features=3, out_features=8, bias=True))" in lines


def test_flatten_is_a_line():
    class Cnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 8, 3), nn.Linear(100, 10)

        def forward(self, x):
            x = torch.relu(self.conv(x))
            x = x.flatten(1)
            return self.out(x)

    net = Cnn()
    lines = said(lambda: net(torch.ones(2, 1, 8, 8)))
    assert "module: net.out (Linear(in_features=100, out_features=10, bias=True))" in lines
    at = next(i for i, line in enumerate(lines) if line.startswith("288 comes from: ViewBackward0"))
    assert "test_origin.py:" in lines[at] and lines[at + 1] == "x = x.flatten(1)"


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(4), nn.LayerNorm(4)])
def test_norms(norm):
    model = nn.Sequential(nn.Linear(2, 8), norm)
    assert "8 comes from: model.0 (Linear(in_features=2, out_features=8, bias=True))" in said(lambda: model(torch.ones(3, 2)))


def test_a_residual_that_does_not_fit():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 6), nn.Linear(4, 5)

        def forward(self, x):
            return self.a(x) + self.b(x)

    block = Block()
    lines = said(lambda: block(torch.ones(2, 4)))
    assert lines[0] == "The size of tensor a (6) must match the size of tensor b (5) at non-singleton dimension 1"
    assert "6 comes from: block.a (Linear(in_features=4, out_features=6, bias=True))" in lines
    assert "5 comes from: block.b (Linear(in_features=4, out_features=5, bias=True))" in lines


def test_rnn():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn = nn.Embedding(10, 6), nn.LSTM(8, 4)

        def forward(self, x):
            return self.rnn(self.embed(x))

    reader = Reader()
    lines = said(lambda: reader(torch.tensor([[1, 2]])))
    assert "module: reader.rnn (LSTM(8, 4))" in lines and "6 comes from: reader.embed (Embedding(10, 6))" in lines


def test_outside_a_network_there_is_no_module():
    w = torch.ones(2, 3, requires_grad=True)
    lines = said(lambda: (w * 2) @ torch.ones(2, 3))
    assert not any(line.startswith("module:") for line in lines)
    w = torch.ones(3, 2, requires_grad=True)
    lines = said(lambda: (w.T * 2) @ torch.ones(2, 3))
    assert any("3 comes from: " in line and "test_origin.py" in line for line in lines)


def test_japanese(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(5, 1))
    lines = said(lambda: model(torch.ones(2, 4)))
    assert "モジュール: model.1 (Linear(in_features=5, out_features=1, bias=True))" in lines
    assert "3 の出どころ: model.0 (Linear(in_features=4, out_features=3, bias=True))" in lines
