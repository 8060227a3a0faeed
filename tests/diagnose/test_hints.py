"""Python's own errors about tensors and layers get a cause and a fix below them, in both languages."""
import sys

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


def argument_forgotten():
    nn.Linear(3)


def input_forgotten():
    nn.Linear(2, 1)()


def modules_not_in_a_list():
    nn.ModuleList(nn.Linear(2, 2), nn.Linear(2, 2))


def method_misspelt():
    torch.ones(2).requires_gard_()


def optimizer_method_misspelt():
    optim.SGD([torch.ones(2)], lr=0.1).zero_gard()


def name_without_torch():
    torch.ones(2, dtype=float32)  # noqa: F821


def import_forgotten():
    F.relu(torch.ones(2))  # noqa: F821


def no_grad_without_parentheses():
    with torch.no_grad:
        pass


def grad_called():
    torch.ones(2, requires_grad=True).grad()


def loader_as_iterator():
    next(torch.utils.data.DataLoader([1, 2]))


def names_for_a_batch():
    x, y = next(iter(torch.utils.data.DataLoader([torch.ones(2)])))


def list_times_tensor():
    return torch.ones(3) * [1, 2, 3]


def text_and_tensor():
    return "loss " + torch.ones(1)


def rate_is_text():
    optim.SGD([torch.ones(2, requires_grad=True)], lr="0.1")


def list_has_no_shape():
    nn.MSELoss()(torch.ones(2), [1.0, 1.0])


def group_without_params():
    optim.SGD([{"param": [torch.ones(2)]}], lr=0.1)


def file_is_not_there():
    torch.load("no_such_file.pt")


MISTAKES = [f for n, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == __name__ and n[0] != "t"]
WORDS = {"gradient_is_none": "no backward() has reached", "step_along_no_gradient": "A .grad is None until",
         "parentheses_missing": "parentheses are missing", "function_as_a_value": "parentheses are missing",
         "shape_called": "square brackets", "number_instead_of_a_tensor": "has no .backward",
         "several_results": "values, indices = x.max(1)", "list_added": "torch.tensor(the_list)",
         "forward_without_an_argument": "def forward(self, x)", "class_instead_of_an_object": "make the object first",
         "argument_misspelt": "write lr=...", "argument_of_another_library": "write out_features=...",
         "argument_forgotten": "Linear was called without out_features; its arguments are in_features, out_features, bias=True",
         "input_forgotten": "model(x)", "modules_not_in_a_list": "ModuleList([a, b])",
         "method_misspelt": "write .requires_grad_", "optimizer_method_misspelt": "write .zero_grad.",
         "name_without_torch": "write torch.float32.", "import_forgotten": "import torch.nn.functional as F",
         "no_grad_without_parentheses": "with torch.no_grad():", "grad_called": "w.grad, without parentheses",
         "loader_as_iterator": "next(iter(loader))", "names_for_a_batch": "2 names stand on the left",
         "list_times_tensor": "torch.tensor(the_list) * x", "text_and_tensor": 'f"loss {loss.item():.4f}"',
         "rate_is_text": "float(text)", "list_has_no_shape": "a list is no tensor",
         "group_without_params": "'params': layer.parameters()", "file_is_not_there": "seen from the folder"}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda f: f.__name__)
def test_hints(mistake, monkeypatch):
    with pytest.raises((TypeError, AttributeError, NameError, ValueError, KeyError, OSError)) as found:
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


def test_a_class_of_the_program_is_made_before_it_is_called(monkeypatch):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()

    monkeypatch.setenv("KOBAI_LANG", "en")
    monkeypatch.setattr(sys.modules["__main__"], "Net", Net, raising=False)
    with pytest.raises(TypeError) as e:
        Net(torch.ones(2))
    assert "net = Net(); y = net(x)" in hint(e.value)


def test_a_notebook_shows_it(monkeypatch):
    """IPython calls what `set_custom_exc` was given, and shows the notes of an error."""
    from kobai.compat import hook, notebook

    class Shell:
        def set_custom_exc(self, kinds, handler):
            self.kinds, self.handler = kinds, handler

        def showtraceback(self, about, tb_offset=None):
            self.shown = about[1]

    monkeypatch.setenv("KOBAI_LANG", "en")
    for name in ("install", "uninstall"):
        monkeypatch.setattr(hook, name, lambda: None)
    shell = Shell()
    notebook.load_ipython_extension(shell)
    error = AttributeError("'float' object has no attribute 'backward'")
    assert isinstance(error, shell.kinds)
    for _ in range(2):
        shell.handler(shell, type(error), error, None)
    assert len(shell.shown.__notes__) == 1 and "cause: a Python number has no .backward" in shell.shown.__notes__[0]
    notebook.unload_ipython_extension(shell)
    assert shell.kinds == ()
