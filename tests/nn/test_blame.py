"""An exception inside a network names the module it came from."""
import traceback

import pytest

import kobai
from kobai import nn
from kobai.nn.blame import modules_of, path_of


class Block(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.layers = nn.ModuleList([nn.ReLU(), inner])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Net(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 4), Block(inner))

    def forward(self, x):
        return self.encoder(x)


def caught(fn):
    with pytest.raises(Exception) as info:
        fn()
    return info.value


def test_the_path_of_a_shape_error():
    net = Net(nn.Linear(5, 2))
    exc = caught(lambda: net(kobai.ones(1, 3)))
    assert path_of(exc) == "Net.encoder.1.layers.1"
    assert modules_of(exc)[0] is net.encoder[1].layers[1] and modules_of(exc)[-1] is net
    shown = "".join(traceback.format_exception(exc))
    assert shown.rstrip().endswith(
        "in Net.encoder.1.layers.1: Linear(in_features=5, out_features=2, bias=True)")


def test_the_message_itself_is_unchanged():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("mine")

    exc = caught(lambda: Net(Fails())(kobai.ones(1, 3)))
    assert str(exc) == "mine" and exc.args == ("mine",)
    assert path_of(exc) == "Net.encoder.1.layers.1"


def test_one_note_however_deep():
    exc = caught(lambda: Net(nn.Linear(5, 2))(kobai.ones(1, 3)))
    assert len(exc.__notes__) == 1
    exc.add_note("more")
    assert len(caught(lambda: nn.Sequential(Net(nn.Linear(5, 2)))(kobai.ones(1, 3))).__notes__) == 1


def test_a_module_that_is_not_registered_is_named_by_its_class():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = [nn.Linear(5, 2)]

        def forward(self, x):
            return self.parts[0](x)

    assert path_of(caught(lambda: Hidden()(kobai.ones(1, 3)))) == "Hidden.Linear"


def test_hooks_and_keyword_calls_are_covered():
    net = Net(nn.Linear(5, 2))
    net.register_forward_hook(lambda *a: None)
    assert path_of(caught(lambda: net(x=kobai.ones(1, 3)))) == "Net.encoder.1.layers.1"


def test_an_exception_travels_to_another_process_without_the_network():
    import pickle

    exc = caught(lambda: Net(nn.Linear(5, 2))(kobai.ones(1, 3)))
    size = len(pickle.dumps(exc))
    copied = pickle.loads(pickle.dumps(exc))
    assert size < 1000 and copied.__notes__ == exc.__notes__ and path_of(copied) == ""
    missing = pickle.loads(pickle.dumps(caught(lambda: Net(nn.ReLU()).encodr)))
    assert str(missing).splitlines() == ["'Net' object has no attribute 'encodr'", "Near names: encoder"]


def test_no_modules_no_path():
    assert path_of(ValueError("x")) == "" and modules_of(ValueError("x")) == []
