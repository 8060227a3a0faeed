"""`kobai.explain`: the numbers are those of backward(), the words those of the reader's program."""
import re

import pytest

import kobai
import kobai as torch
from kobai import nn


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")


def squeezed(told):
    return [re.sub(r"\s+", " ", line).strip() for line in str(told).splitlines()]


def test_the_first_gradient_of_every_course():
    """w x + b at w=2, x=5, b=1: dy/dw = x = 5, dy/db = 1, by hand."""
    x = torch.tensor(5.0)
    w = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(1.0, requires_grad=True)
    y = w * x + b
    lines = squeezed(kobai.explain(y, show=False))
    assert lines[1].startswith("v1 = w * x = 2 * 5 = 10 test_explain.py:")
    assert lines[1].endswith("y = w * x + b")
    assert lines[2].startswith("y = v1 + b = 10 + 1 = 11 ")
    assert "dy/dw = 1 * 5 = 5 [x = 5]" in lines
    assert "dy/db = 1 * 1 = 1" in lines
    assert "x: stops here, it was made without requires_grad=True" in lines
    assert lines[-2:] == ["dy/db = 1", "dy/dw = 5"]


def test_nothing_is_changed():
    w = torch.tensor(3.0, requires_grad=True)
    y = w**3
    kobai.explain(y, show=False)
    assert w.grad is None
    y.backward()
    assert w.grad.item() == 27


def test_gradients_that_meet_are_added():
    """y = w w + w at 3: 2 w + 1 = 7."""
    w = torch.tensor(3.0, requires_grad=True)
    a = w * 1
    y = a * a + a
    told = kobai.explain(y, show=False)
    assert "dy/da arrives from 3 places and adds up: 1 + 3 + 3 = 7" in squeezed(told)
    assert told.facts["gradients"]["w"] == 7


def test_a_leaf_used_twice():
    w = torch.tensor(3.0, requires_grad=True)
    assert squeezed(kobai.explain(w * w, show=False))[-1].endswith("/dw = 3 + 3 = 6")


def test_detach_is_named_with_its_line():
    w = torch.tensor(2.0, requires_grad=True)
    d = w.detach()
    y = w * d
    told = kobai.explain(y, show=False)
    assert re.search(r"d: stops here, cut off by \.detach\(\) at test_explain\.py:\d+", str(told))


def test_integers_are_named():
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = torch.tensor([0, 2])
    told = kobai.explain(w[index].sum(), show=False)
    assert "index: stops here" not in str(told) or "torch.int64 has no derivative" in str(told)
    target = torch.tensor([1])
    loss = nn.functional.nll_loss(w.log_softmax(0)[None], target)
    assert "target: stops here, its dtype torch.int64 has no derivative" in str(kobai.explain(loss, show=False))


def test_a_number_in_the_line_is_read_from_it():
    w = torch.tensor(1.0, requires_grad=True)
    y = torch.tanh(w - 0.5)
    assert squeezed(kobai.explain(y, show=False))[1].startswith("v1 = w - 0.5 = 1 - 0.5 = 0.5")


def test_formulas_come_from_the_op():
    x = torch.tensor(0.5, requires_grad=True)
    y = torch.tanh(x)
    text = str(kobai.explain(y, show=False))
    assert "[1 - y * y = 0.78645]" in text
    p = x**3
    assert "3 * x ** 2 = 0.75" in str(kobai.explain(p, show=False))


def every_gradient_agrees(loss, parameters):
    told = kobai.explain(loss, show=False)
    loss.backward()
    for name, p in parameters:
        have = told.facts["gradients"][name]
        assert torch.allclose(torch.as_tensor(have), p.grad, rtol=1e-5), name
    return str(told)


@pytest.mark.parametrize("steps", [40, 1])
def test_a_network(steps):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x, t = torch.randn(5, 3), torch.tensor([0, 1, 1, 0, 1])
    loss = nn.functional.cross_entropy(model(x), t)
    told = kobai.explain(loss, steps=steps, show=False)
    loss.backward()
    for name, p in model.named_parameters():
        assert torch.allclose(torch.as_tensor(told.facts["gradients"][f"model.{name}"]), p.grad), name
    if steps == 1:
        assert "model.2   3 operations, AddmmBackward0 ... NllLossBackward0" in str(told)
    else:
        assert "= x @ model.0.weight.T + model.0.bias =" in str(told)


def test_a_graph_of_many_operations_stays_short():
    layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(200)])
    x = torch.ones(1, 4)
    for layer in layers:
        x = torch.tanh(layer(x))
    told = kobai.explain(x.sum(), show=False)
    assert len(str(told).splitlines()) < 300
    assert "140 more parts" in str(told)
    assert "almost vanished" in str(told)


def test_several_outputs_broadcasting_and_views():
    w = torch.arange(6.0).reshape(2, 3).requires_grad_()
    v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    values, _ = (w * v).max(1)
    loss = (values[0] * 2 + values[1]).log() + (w.T @ w).sum() + v.unbind()[1]
    every_gradient_agrees(loss, [("w", w), ("v", v)])


def test_a_function_of_the_readers_own():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    w = torch.tensor(3.0, requires_grad=True)
    text = every_gradient_agrees(Double.apply(w) * 5, [("w", w)])
    assert "Double(w)" in text and "rule of DoubleBackward" in text


def test_dropout_is_not_drawn_again():
    torch.manual_seed(0)
    w = torch.ones(4, requires_grad=True)
    loss = nn.functional.dropout(w * 3, 0.5).sum()
    every_gradient_agrees(loss, [("w", w)])


def test_after_backward_it_says_why_there_are_no_numbers():
    w = torch.tensor(3.0, requires_grad=True)
    y = w**2 * torch.rand(())  # a number that nobody has any more
    y.backward()
    assert "retain_graph=True" in str(kobai.explain(y, show=False))


def test_leaf_and_no_history():
    w = torch.tensor(3.0, requires_grad=True)
    assert "w is a leaf" in str(kobai.explain(w, show=False))
    with pytest.raises(RuntimeError, match="does not require grad"):
        kobai.explain(torch.tensor(1.0))
    with pytest.raises(TypeError, match="must be Tensor, not float"):
        kobai.explain(1.0)


def test_japanese(monkeypatch, capsys):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    w = torch.tensor(3.0, requires_grad=True)
    y = w * torch.tensor(2.0)
    told = kobai.explain(y)
    assert capsys.readouterr().out.strip() == str(told).strip()
    assert "順方向: 計算した順に" in str(told) and "葉に届く勾配" in str(told)
    assert "dy/dw = 1 * 2 = 2" in str(told)


def test_as_the_last_line_of_a_notebook_cell(capsys):
    w = torch.tensor(3.0, requires_grad=True)
    told = kobai.explain(w * 2)
    told._ipython_display_()
    assert capsys.readouterr().out.count("Forward:") == 1
    kobai.explain(w * 2, show=False)._ipython_display_()
    assert capsys.readouterr().out.count("Forward:") == 1
    assert repr(told) == "<Told: Forward: what was computed, in this order>" and "Backward" in told
