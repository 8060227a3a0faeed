"""`kobai.why_nan` names the operation that made the first NaN, not one that carried it on."""
import re

import numpy as np
import pytest

import kobai
import kobai as torch
from kobai import nn, optim


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")


def told(what):
    answer = kobai.why_nan(what, show=False)
    return answer.facts["kind"], answer.facts["op"], str(answer)


def test_forward():
    w = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)

    def step():
        y = w * 2
        z = torch.log(y)
        (z * 3).sum().backward()

    kind, op, text = told(step)
    assert (kind, op) == ("forward", "Log")
    assert "z = torch.log(y)" in text and "y = [2, 0, -2]" in text
    assert "at [2]: log(-2) = nan" in text and "clamp(min=eps)" in text


def test_backward():
    """d sqrt(x) / dx at 0 is infinite, and 0 times that is no number."""
    v = torch.zeros(3, requires_grad=True)

    def step():
        loss = (v.sqrt() * v).sum()
        loss.backward()

    kind, op, text = told(step)
    assert (kind, op) == ("backward", "Sqrt")
    assert "The first NaN is made in the backward pass, by SqrtBackward0" in text
    assert "loss = (v.sqrt() * v).sum()" in text and "1 / (2 * y)" in text and "gradient that came in: [0, 0, 0]" in text


def test_where_passes_nan_from_the_branch_not_taken():
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    kind, op, text = told(lambda: torch.where(x > 0, x.sqrt() / x, x).sum().backward())
    assert (kind, op) == ("forward", "Div") and "0 / 0" in text


def test_the_infinity_that_made_the_nan_is_named():
    x = torch.full((10,), 100.0, requires_grad=True)

    def softmax_by_hand():
        e = torch.exp(x)
        return (e / e.sum()).sum()

    kind, op, text = told(softmax_by_hand)
    assert (kind, op) == ("forward", "Div")
    assert "its inf was made before, by Exp" in text and "exp(100) = inf" in text


def test_data_that_hold_nan_are_carried():
    model = nn.Linear(2, 1)
    x = torch.tensor([[1.0, float("nan")]])
    kind, op, text = told(lambda: model(x).sum().backward())
    assert (kind, op) == ("carried", "Linear") and "comes in with x" in text


def test_unrecorded_operations_are_watched_too():
    data = torch.tensor([3.0, 3.0])

    def normalise():
        return (data - data.mean()) / data.std()

    kind, op, text = told(normalise)
    assert (kind, op) == ("forward", "Div") and "/ data.std()" in text


def test_an_update_that_is_too_large():
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    opt = optim.SGD(model.parameters(), lr=1e38)

    def step():
        loss = (model(torch.ones(1, 2) * 100) ** 2).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()

    kind, _, text = told(step)
    assert kind == "update" and "model.weight" in text and "smaller learning rate" in text
    kind, _, text = told(step)
    assert kind == "before" and "Before the step, model.weight" in text


def test_of_a_loss_whose_graph_is_there():
    w = torch.tensor([1.0, -1.0], requires_grad=True)
    kind, op, text = told((w.sqrt() * 2).sum())
    assert (kind, op) == ("forward", "Sqrt") and "sqrt(-1) = nan" in text
    w = torch.tensor([1.0, 0.0], requires_grad=True)
    loss = w.sqrt().sum()
    kind, op, text = told(loss)
    assert (kind, op) == ("backward", "Sqrt") and "The first inf" in text
    assert w.grad is None
    loss.backward()
    assert told(loss)[:2] == ("backward", "Sqrt"), "a freed graph is computed once more"
    loss = (w.sqrt() * torch.rand(2)).sum()
    loss.backward()
    assert told(loss)[0] == "freed"


@pytest.mark.parametrize("step", [
    lambda: (torch.ones(3, requires_grad=True) ** 2).sum().backward(),
    lambda: torch.softmax(torch.zeros(2, 2, requires_grad=True).masked_fill(
        torch.eye(2).bool(), float("-inf")), 1).sum().backward(),
    lambda: torch.tensor([1.0]).max(),
])
def test_clean(step):
    """An infinity that a mask puts in and a softmax takes out is no fault."""
    assert told(step)[0] == "clean"


def test_large_arrays():
    x = torch.ones(300, 300)
    x[7, 8] = -1.0
    w = torch.ones(300, 300, requires_grad=True)
    kind, op, text = told(lambda: torch.log(x * w).sum().backward())
    assert (kind, op) == ("forward", "Log") and "at [7, 8]: log(-1) = nan" in text


def test_nothing_remains_switched_on():
    from kobai.autograd.mode import modes
    from kobai.op import registry
    before = [(c, c.forward) for c in registry]
    with pytest.raises(ZeroDivisionError):
        kobai.why_nan(lambda: 1 / 0)
    assert modes.look is None and modes.pack is None
    assert all(c.forward == f for c, f in before)
    assert np.isnan(torch.log(torch.tensor(-1.0)).item())


def test_japanese(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    w = torch.tensor([-1.0], requires_grad=True)
    text = told(lambda: torch.log(w))[2]
    assert re.search("最初の NaN は順方向の Log で生じています", text)


def test_what_is_no_step():
    with pytest.raises(TypeError, match="must be a Tensor or a function, not int"):
        kobai.why_nan(3)
