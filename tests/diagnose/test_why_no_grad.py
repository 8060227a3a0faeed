"""`x.why_no_grad()` gives the reason that is true, and the line it is on."""
import pytest

import kobai
import kobai as torch


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "en")


def reason(_x):
    told = kobai.why_no_grad(_x, show=False)
    return told.facts["reason"], str(told)


def test_nothing_is_wrong():
    w = torch.ones(2, requires_grad=True)
    (w * 2).sum().backward()
    assert reason(w) == ("has", "w has a gradient, of shape (2,).")


def test_integers():
    x = torch.tensor([1, 2])
    why, text = reason(x)
    assert why == "integer" and "x has dtype torch.int64" in text and "x = torch.tensor([1, 2])" in text


def test_no_flag():
    x = torch.tensor([1.0, 2.0])
    why, text = reason(x)
    assert why == "flag" and "x = torch.tensor([1.0, 2.0])" in text and "x.requires_grad_()" in text


def test_detach():
    w = torch.ones(2, requires_grad=True)
    d = (w * 2).detach()
    why, text = reason(d)
    assert why == "cut" and "by .detach()" in text and "d = (w * 2).detach()" in text


def test_data_leaves_the_graph():
    w = torch.ones(2, requires_grad=True)
    d = w.data
    assert reason(d)[0] == "cut" and "by .data," in reason(d)[1]


def test_numbers_leave_the_graph():
    w = torch.ones(2, requires_grad=True)
    d = torch.tensor(w.tolist())
    assert reason(d)[0] == "cut" and "torch.tensor(...), .tolist()" in reason(d)[1]


def test_numpy_leaves_the_graph():
    w = torch.ones(2, requires_grad=True)
    d = torch.from_numpy(w.detach().numpy())
    assert reason(d)[0] == "cut" and ".numpy()" in reason(d)[1]


def test_no_grad_block():
    w = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        z = w * 2
    why, text = reason(z)
    assert why == "block" and "`torch.no_grad()`" in text and "z = w * 2" in text


@torch.no_grad()
def in_decorated():
    w = torch.ones(2, requires_grad=True)
    z = w * 2
    return reason(z)


def test_no_grad_decorator():
    why, text = in_decorated()
    assert why == "block" and "@torch.no_grad()" in text


def test_the_assignment_that_counts_is_the_last_above():
    w = torch.ones(2, requires_grad=True)
    z = w * 2
    with torch.no_grad():
        z = w * 3
    assert reason(z)[0] == "block"
    z = w * 2
    z.sum().backward()
    assert reason(z)[0] == "nonleaf"


def test_an_inner_value():
    w = torch.ones(2, requires_grad=True)
    y = w * 2
    why, text = reason(y)
    assert why == "nonleaf" and "MulBackward0" in text and "y = w * 2" in text and "y.retain_grad()" in text
    y.retain_grad()
    assert reason(y)[0] == "retained"
    y.sum().backward()
    assert reason(y)[0] == "has"


def test_backward_was_not_called():
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    why, text = reason(w)
    assert why == "no_backward" and "loss = (w * w).sum()" in text
    loss.backward()
    assert reason(w)[0] == "has"


def test_cleared_or_asked_otherwise():
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    w.grad = None
    assert reason(w)[0] == "elsewhere"
    other = torch.ones(2, requires_grad=True)
    result = (other * other).sum()
    torch.autograd.grad(result, other)
    assert reason(other)[0] == "elsewhere"


def test_not_used():
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    loss = (w * 2).sum()
    why, text = reason(v)
    assert why == "unused" and "did not take part in computing loss" in text
    assert loss.requires_grad


def test_method_prints(capsys):
    x = torch.tensor([1.0])
    x.why_no_grad()
    assert "requires_grad=True" in capsys.readouterr().out


def test_japanese(monkeypatch):
    monkeypatch.setenv("KOBAI_LANG", "ja")
    x = torch.tensor([1])
    assert "x の型は torch.int64 です" in reason(x)[1]


def test_only_tensors():
    with pytest.raises(TypeError, match="must be Tensor, not float"):
        kobai.why_no_grad(1.0)
