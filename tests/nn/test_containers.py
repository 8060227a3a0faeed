"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict. Behaviour and messages are PyTorch's."""
import copy
from collections import OrderedDict

import pytest

import kobai
from kobai import nn


def raised(fn):
    try:
        fn()
    except Exception as exc:
        return f"{type(exc).__name__}: {exc}"
    return "nothing"


# ------------------------------------------------------------------ Sequential
def test_sequential_by_name():
    net = nn.Sequential(OrderedDict([("first", nn.Linear(2, 3)), ("second", nn.ReLU())]))
    assert net.first is net[0] and list(net.state_dict()) == ["first.weight", "first.bias"]
    assert list(net[:1]._modules) == ["first"]


def test_sequential_is_a_list_of_its_modules():
    a, b, c, d = (nn.Linear(1, 1) for _ in range(4))
    net = nn.Sequential(a, b)
    assert net.append(c) is net and list(net) == [a, b, c] and net[-1] is c
    assert list(net[1:]) == [b, c] and isinstance(net[1:], nn.Sequential)
    net.insert(0, d)
    assert list(net) == [d, a, b, c] and list(net._modules) == ["0", "1", "2", "3"]
    del net[0]
    assert list(net) == [a, b, c] and list(net._modules) == ["0", "1", "2"]
    assert net.pop(1) is b and list(net) == [a, c]
    net[1] = d
    assert list(net) == [a, d]
    assert list(net.extend([b, c])) == [a, d, b, c]
    assert list(nn.Sequential(a) + nn.Sequential(b)) == [a, b]
    assert list(nn.Sequential(a, b) * 2) == [a, b, a, b]
    assert list(2 * nn.Sequential(a)) == [a, a]
    net = nn.Sequential(a)
    net += nn.Sequential(b)
    net *= 2
    assert list(net) == [a, b, a, b]
    assert a in net._modules.values() and net[0] is net._modules["0"] is getattr(net, "0")


def test_sequential_runs_in_order():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    assert net(kobai.ones(3, 2, 2)).shape == (3, 2)
    assert nn.Sequential()(5) == 5


@pytest.mark.parametrize("fn, text", [
    (lambda: nn.Sequential()[0], "IndexError: index 0 is out of range"),
    (lambda: nn.Sequential(nn.ReLU())[-2], "IndexError: index -2 is out of range"),
    (lambda: nn.Sequential(3), "TypeError: int is not a Module subclass"),
    (lambda: nn.Sequential(nn.ReLU()).insert(5, nn.ReLU()), "IndexError: Index out of range: 5"),
    (lambda: nn.Sequential(nn.ReLU()) + 3,
     "ValueError: add operator supports only objects of Sequential class, but <class 'int'> is given."),
    (lambda: nn.ModuleList([3]), "TypeError: int is not a Module subclass"),
    (lambda: nn.ModuleList(3), "TypeError: ModuleList.extend should be called with an iterable, but got int"),
    (lambda: nn.ModuleList()[0], "IndexError: index 0 is out of range"),
    (lambda: nn.ModuleList()(3),
     'NotImplementedError: Module [ModuleList] is missing the required "forward" function'),
    (lambda: nn.ModuleDict(3),
     "TypeError: ModuleDict.update should be called with an iterable of key/value pairs, but got int"),
    (lambda: nn.ModuleDict([(1, 2, 3)]),
     "ValueError: ModuleDict update sequence element #0 has length 3; 2 is required"),
    (lambda: nn.ModuleDict([("a", 2)]), "TypeError: int is not a Module subclass"),
    (lambda: nn.ModuleDict()["a"], "KeyError: 'a'"),
    (lambda: nn.ModuleDict({"a.b": nn.ReLU()}),
     """KeyError: module name can't contain ".", got: a.b"""),
    (lambda: nn.ParameterList(3),
     "TypeError: ParameterList.extend should be called with an iterable, but got int"),
    (lambda: nn.ParameterList([kobai.ones(1)])[1], "IndexError: index 1 is out of range"),
    (lambda: nn.ParameterList()(3), "RuntimeError: ParameterList should not be called."),
    (lambda: nn.ParameterDict(3),
     "TypeError: ParametersDict.update should be called with an iterable of key/value pairs, but got int"),
])
def test_errors(fn, text):
    assert raised(fn).splitlines()[0] == text


# ----------------------------------------------------------- lists and dictionaries
def test_module_list():
    a, b, c = (nn.Linear(1, 1) for _ in range(3))
    layers = nn.ModuleList([a])
    layers.append(b).extend([c])
    layers.insert(0, c)
    assert list(layers) == [c, a, b, c] and len(layers) == 4
    assert list(layers[1:3]) == [a, b]
    assert layers.pop(0) is c
    del layers[-1]
    assert list(layers) == [a, b] and list(layers._modules) == ["0", "1"]
    layers += [c]
    assert list(layers + [a]) == [a, b, c, a]
    layers[0] = b
    assert layers[0] is b and layers._modules["0"] is b
    assert [n for n, _ in layers.named_parameters()][:2] == ["0.weight", "0.bias"]


def test_module_dict():
    d = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    d["c"] = nn.Linear(1, 1)
    d.update([("a", nn.Sigmoid())])
    assert list(d) == ["b", "a", "c"] and isinstance(d["a"], nn.Sigmoid) and "c" in d and len(d) == 3
    assert isinstance(d.pop("b"), nn.ReLU)
    del d["a"]
    assert list(d.keys()) == ["c"] and list(d.items())[0][0] == "c" and len(list(d.values())) == 1
    d.clear()
    assert len(d) == 0 and not list(d.parameters())


def test_parameter_list():
    values = nn.ParameterList([kobai.ones(2), 3])
    values.append(kobai.zeros(1))
    assert isinstance(values[0], nn.Parameter) and values[1] == 3 and len(values) == 3
    assert [n for n, _ in values.named_parameters()] == ["0", "2"]
    values[0] = kobai.zeros(5)
    assert values[0].shape == (5,) and len(values[1:]) == 2
    values += [kobai.ones(1)]
    assert len(values) == 4 and values[-1].shape == (1,)
    assert len(copy.deepcopy(values)) == 4
    assert list(nn.ParameterList([kobai.ones(2)]).state_dict()) == ["0"]


def test_parameter_dict():
    d = nn.ParameterDict({"b": kobai.ones(2), "a": kobai.zeros(1)})
    assert list(d) == ["a", "b"]                        # a plain dictionary is taken in order of its names
    assert list(nn.ParameterDict(OrderedDict(b=1, a=2))) == ["b", "a"]
    d["c"] = 3
    assert isinstance(d["a"], nn.Parameter) and d.get("zz") is None and d.get("c") == 3
    assert [n for n, _ in d.named_parameters()] == ["a", "b"]
    assert d.setdefault("d", kobai.ones(1)) is d["d"]
    assert d.popitem()[0] == "d" and d.pop("c") == 3 and "c" not in d
    assert list((d | nn.ParameterDict({"z": 1})).keys()) == ["a", "b", "z"]
    d |= nn.ParameterDict({"y": 1})
    assert list(reversed(d)) == ["y", "b", "a"] and len(d.copy()) == 3
    assert list(d.fromkeys(["p", "q"], 0).items()) == [("p", 0), ("q", 0)]
    del d["y"]
    d.clear()
    assert len(d) == 0 and not list(d.parameters())
