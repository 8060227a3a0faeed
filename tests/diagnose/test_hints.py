"""Python's own errors about tensors and layers get a cause and a fix below them, in both languages."""
import pytest

import kobai as torch
from kobai import nn, optim
from kobai.diagnose.hints import hint


def gradient_is_none():
    w = torch.ones(2, requires_grad=True)
    w.grad.zero_()


def step_along_no_gradient():
    w = torch.ones(2, requires_grad=True)
    return w - 0.1 * w.grad


def parentheses_missing():
    return torch.ones(2).size[0]


def function_as_a_value():
    return torch.relu + 1


def shape_called():
    return torch.ones(2, 3).shape(0)


def number_instead_of_a_tensor():
    torch.ones(2, requires_grad=True).sum().item().backward()


def several_results():
    return torch.ones(2, 3).max(1) + 1


def list_added():
    return torch.ones(2) + [1, 2]


def forward_without_an_argument():
    class Net(nn.Module):
        def forward(self):
            return 1
    Net()(torch.ones(1))


def class_instead_of_an_object():
    optim.SGD.zero_grad()


def argument_misspelt():
    optim.SGD(nn.Linear(2, 1).parameters(), learning_rate=0.1)


def argument_of_another_library():
    nn.Linear(in_features=2, units=1)


MISTAKES = [f for n, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == __name__ and n[0] != "t"]
WORDS = {"gradient_is_none": "no backward() has reached", "step_along_no_gradient": "A .grad is None until",
         "parentheses_missing": "parentheses are missing", "function_as_a_value": "parentheses are missing",
         "shape_called": "square brackets", "number_instead_of_a_tensor": "has no .backward",
         "several_results": "values, indices = x.max(1)", "list_added": "torch.tensor(the_list)",
         "forward_without_an_argument": "def forward(self, x)", "class_instead_of_an_object": "make the object first",
         "argument_misspelt": "write lr=...", "argument_of_another_library": "write out_features=..."}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda f: f.__name__)
def test_hints(mistake, monkeypatch):
    with pytest.raises((TypeError, AttributeError)) as found:
        mistake()
    monkeypatch.setenv("KOBAI_LANG", "en")
    text = hint(found.value)
    assert WORDS[mistake.__name__] in text and text.count("\n") == 1
    monkeypatch.setenv("KOBAI_LANG", "ja")
    assert any(ord(c) > 0x3000 for c in hint(found.value))


@pytest.mark.parametrize("error", [TypeError("something else"), ValueError("'float' object has no attribute 'backward'"),
                                   AttributeError("'NoneType' object has no attribute 'mine'"),
                                   TypeError("f() got an unexpected keyword argument 'x'")])
def test_other_errors_are_left_alone(error):
    assert hint(error) == ""


def test_kobai_run_shows_it(tmp_path, capsys, monkeypatch):
    import sys

    from kobai.compat.script import run_file
    monkeypatch.setenv("KOBAI_LANG", "en")
    for name in ("argv", "path"):
        monkeypatch.setattr(sys, name, list(getattr(sys, name)))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    (tmp_path / "p.py").write_text("import kobai\nw = kobai.ones(2, requires_grad=True)\nw.grad.zero_()\n")
    assert run_file(str(tmp_path / "p.py"), []) == 1
    said = capsys.readouterr().err
    assert "AttributeError: 'NoneType' object has no attribute 'zero_'\n  cause: the value before .zero_ is None." in said
