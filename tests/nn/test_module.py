"""Module: registration, attributes, calling, hooks, conversion, copying. Messages and order are PyTorch's."""
import copy
import gc
import pickle
import weakref

import pytest

import kobai
from kobai import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.act = nn.Tanh()
        self.fc2 = nn.Linear(4, 2)
        self.scale = nn.Parameter(kobai.ones(2))
        self.register_buffer("seen", kobai.zeros(1))
        self.register_buffer("scratch", kobai.zeros(1), persistent=False)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x))) * self.scale


def message(exc_type, fn):
    with pytest.raises(exc_type) as caught:
        fn()
    return str(caught.value).splitlines()[0]


# ------------------------------------------------------------------ attributes
def test_members_are_found_in_order_of_registration():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert [n for n, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [n for n, _ in net.named_children()] == ["fc1", "act", "fc2"]
    assert [n for n, _ in net.named_modules()] == ["", "fc1", "act", "fc2"]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.fc1.named_parameters(prefix="a.b")] == ["a.b.weight", "a.b.bias"]


def test_a_shared_parameter_counts_once():
    a = nn.Linear(2, 2)
    net = nn.Sequential(a, nn.Linear(2, 2))
    net[1].weight = a.weight
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == [
        "0.weight", "0.bias", "1.weight", "1.bias"]
    twice = nn.Sequential(a, a)
    assert len(list(twice.modules())) == 2 and len(list(twice.children())) == 1
    assert [n for n, _ in twice.named_modules(remove_duplicate=False)] == ["", "0", "1"]


def test_tables_and_attributes_stay_in_step():
    layer = nn.Linear(2, 2)
    first = layer.weight
    second = nn.Parameter(kobai.zeros(2, 2))
    layer._parameters["weight"] = second
    assert layer.weight is second
    layer.weight = first
    assert layer._parameters["weight"] is first
    del layer.bias
    assert "bias" not in layer._parameters and not hasattr(layer, "bias")
    layer.bias = None
    assert layer.bias is None and "bias" not in layer._parameters
    layer.bias = nn.Parameter(kobai.ones(2))
    assert layer._parameters["bias"] is layer.bias
    assert layer._parameters.pop("bias").sum() == 2 and not hasattr(layer, "bias")
    layer._parameters = {"weight": first}
    assert list(layer.parameters())[0] is first


def test_none_in_place_of_a_parameter_keeps_the_name():
    layer = nn.Linear(2, 2)
    layer.bias = None
    assert list(layer._parameters) == ["weight", "bias"]
    assert list(layer.state_dict()) == ["weight"]
    assert layer(kobai.ones(1, 2)).shape == (1, 2)


def test_an_attribute_changes_its_kind():
    module = nn.Module()
    module.x = 3
    module.x = nn.Linear(1, 1)
    assert list(module._modules) == ["x"]
    del module.x
    module.x = nn.Parameter(kobai.ones(1))
    assert list(module._parameters) == ["x"] and not module._modules
    del module.x
    module.register_buffer("x", kobai.ones(1), persistent=False)
    assert not module.state_dict()
    del module.x
    module.register_buffer("x", kobai.ones(1))
    assert list(module.state_dict()) == ["x"]


def test_a_buffer_takes_any_tensor_or_none():
    net = Net()
    net.seen = kobai.ones(3)
    assert net._buffers["seen"].shape == (3,)
    net.seen = None
    assert net.seen is None and "seen" not in net.state_dict()
    module = nn.Module()
    module.b = nn.Buffer(kobai.ones(2), persistent=False)
    assert list(module._buffers) == ["b"] and not module.state_dict()


@pytest.mark.parametrize("value, text", [
    (kobai.ones(2), "cannot assign 'torch.FloatTensor' as parameter 'weight' "
                    "(torch.nn.Parameter or None expected)"),
    (3, "cannot assign 'int' as parameter 'weight' (torch.nn.Parameter or None expected)"),
])
def test_a_parameter_is_not_overwritten_by_accident(value, text):
    layer = nn.Linear(1, 2)
    assert message(TypeError, lambda: setattr(layer, "weight", value)).startswith(text)


def test_assignment_errors():
    net = Net()
    assert message(TypeError, lambda: setattr(net, "fc1", 3)) == (
        "cannot assign 'int' as child module 'fc1' (torch.nn.Module or None expected)")
    assert message(TypeError, lambda: setattr(net, "seen", 3)) == (
        "cannot assign 'int' as buffer 'seen' (torch.nn.Buffer, torch.Tensor or None expected)")
    assert "as parameter 'scale'" in message(TypeError, lambda: setattr(net, "scale", nn.Tanh()))


def test_registration_errors():
    m = nn.Linear(2, 2)
    one = kobai.ones(1)
    assert message(KeyError, lambda: m.register_parameter("a.b", None)) == (
        'parameter name can\'t contain "."')
    assert message(KeyError, lambda: m.register_parameter("", None)) == (
        'parameter name can\'t be empty string ""')
    assert message(KeyError, lambda: m.register_parameter("forward", None)) == (
        "attribute 'forward' already exists")
    assert message(TypeError, lambda: m.register_parameter(3, None)) == (
        "parameter name should be a string. Got int")
    assert message(TypeError, lambda: m.register_parameter("a", one)).startswith(
        "cannot assign 'torch.FloatTensor' object to parameter 'a' (torch.nn.Parameter or None required)")
    assert message(KeyError, lambda: m.register_buffer("weight", one)) == (
        "attribute 'weight' already exists")
    assert message(TypeError, lambda: m.register_buffer("b", 3)) == (
        "cannot assign 'int' object to buffer 'b' (torch Tensor or None required)")
    assert message(TypeError, lambda: m.add_module("b", 3)).splitlines()[0] == "int is not a Module subclass"
    assert message(KeyError, lambda: m.add_module("a.b", nn.Tanh())) == (
        'module name can\'t contain ".", got: a.b')
    computed = nn.Parameter(one)
    computed = computed * 2
    assert message(TypeError, lambda: m.register_parameter("a", computed)).startswith("cannot assign")


def test_forgetting_super_init_says_so():
    class Bad(nn.Module):
        def __init__(self, value):
            self.x = value

    cases = [(nn.Linear(1, 1), "cannot assign module before Module.__init__() call"),
             (nn.Parameter(kobai.ones(1)), "cannot assign parameters before Module.__init__() call")]
    for value, text in cases:
        assert message(AttributeError, lambda v=value: Bad(v)).startswith(text)


def test_missing_attribute():
    assert message(AttributeError, lambda: Net().fc3).startswith("'Net' object has no attribute 'fc3'")
    assert {"fc1", "scale", "seen", "forward"} <= set(dir(Net()))


def test_init_refuses_arguments():
    assert message(TypeError, lambda: nn.Module(a=1)) == (
        "Module.__init__() got an unexpected keyword argument 'a'")
    assert message(TypeError, lambda: nn.Module(1)) == (
        "Module.__init__() takes 1 positional argument but 2 were given")


def test_dotted_paths():
    net = nn.Sequential(Net())
    assert net.get_submodule("0.fc1") is net[0].fc1 and net.get_submodule("") is net
    assert net.get_parameter("0.fc1.weight") is net[0].fc1.weight
    assert net.get_buffer("0.seen") is net[0].seen
    assert message(AttributeError, lambda: net.get_submodule("0.nope")) == "Net has no attribute `nope`"
    assert message(AttributeError, lambda: net.get_submodule("0.scale")) == "`scale` is not an nn.Module"
    assert message(AttributeError, lambda: net.get_parameter("0.seen")) == "`seen` is not an nn.Parameter"
    assert message(AttributeError, lambda: net.get_buffer("0.scale")) == "`scale` is not a buffer"
    net.set_submodule("0.act", nn.ReLU())
    assert isinstance(net[0].act, nn.ReLU)
    assert message(ValueError, lambda: net.set_submodule("", nn.ReLU())) == (
        "Cannot set the submodule without a target name!")


# --------------------------------------------------------------------- calling
def test_forward_must_be_written():
    assert message(NotImplementedError, lambda: nn.Module()(1)).splitlines()[0] == (
        'Module [Module] is missing the required "forward" function')


def test_arguments_pass_through():
    class Echo(nn.Module):
        def forward(self, *args, **kwargs):
            return args, kwargs

    echo = Echo()
    assert echo() == ((), {})
    assert echo(1) == ((1,), {})
    assert echo(1, 2, x=3) == ((1, 2), {"x": 3})
    assert echo(None) == ((None,), {})
    assert echo(x=3) == ((), {"x": 3})


def test_train_and_eval_reach_the_whole_tree():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2)))
    assert net.eval() is net and not net[1][0].training
    assert net.train()[0].training
    assert message(ValueError, lambda: net.train(1)) == "training mode is expected to be boolean"


def test_gradients_are_forgotten_and_frozen():
    net = Net()
    net(kobai.ones(1, 3)).sum().backward()
    assert net.fc1.weight.grad is not None
    net.zero_grad(set_to_none=False)
    assert float(net.fc1.weight.grad.abs().sum()) == 0
    net.zero_grad()
    assert net.fc1.weight.grad is None
    net.requires_grad_(False)
    assert not net(kobai.ones(1, 3)).requires_grad


def test_apply_visits_children_first():
    names = []
    Net().apply(lambda m: names.append(type(m).__name__))
    assert names == ["Linear", "Tanh", "Linear", "Net"]


# ------------------------------------------------------------------ conversion
def test_casting_keeps_the_parameters_and_the_integers():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight = net[0].weight
    net(kobai.ones(3, 2)).sum().backward()
    assert net.double() is net
    assert net[0].weight is weight and weight.dtype == kobai.float64
    assert weight.grad.dtype == kobai.float64
    assert net[1].running_mean.dtype == kobai.float64
    assert net[1].num_batches_tracked.dtype == kobai.int64
    assert net.to(kobai.float32)[0].bias.dtype == kobai.float32
    assert net.to(kobai.ones(1, dtype=kobai.float64))[0].bias.dtype == kobai.float64
    assert net.half()[0].weight.dtype == kobai.float16
    assert net.to("cpu", kobai.float32)[0].weight.dtype == kobai.float32
    assert message(TypeError, lambda: net.to(kobai.int64)) == (
        "nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64")


# --------------------------------------------------------------------- copying
def test_copies_are_independent_and_complete():
    net = Net()
    net.fc2.weight = nn.Parameter(kobai.ones(2, 4))
    net.note = {"a": [1]}
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(twin.state_dict()) == list(net.state_dict())
        assert twin.fc1.weight is not net.fc1.weight
        assert twin.fc1.weight is twin.fc1._parameters["weight"]
        assert twin.note == {"a": [1]} and twin.note is not net.note
        assert bool((twin(kobai.ones(1, 3)) == net(kobai.ones(1, 3))).all())
        twin.fc1.weight = nn.Parameter(kobai.zeros(4, 3))
        assert float(net.fc1.weight.abs().sum()) > 0


def test_a_shared_parameter_stays_shared_in_a_copy():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    twin = copy.deepcopy(net)
    assert twin[0].weight is twin[1].weight


def test_a_subclass_may_write_its_own_state():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(kobai.ones(1))

        def __getstate__(self):
            return self.__dict__.copy()

        def __setstate__(self, state):
            self.__dict__.update(state)

    twin = copy.deepcopy(Own())
    twin.w = nn.Parameter(kobai.zeros(1))
    assert float(list(twin.parameters())[0]) == 0.0


def test_a_dropped_module_is_freed_at_once():
    gc.disable()
    try:
        net = Net()
        alive = weakref.ref(net)
        del net
        assert alive() is None
    finally:
        gc.enable()


# --------------------------------------------------------------------- printing
def test_repr_of_a_nest():
    assert repr(nn.Sequential(Net(), nn.ReLU())) == (
        "Sequential(\n"
        "  (0): Net(\n"
        "    (fc1): Linear(in_features=3, out_features=4, bias=True)\n"
        "    (act): Tanh()\n"
        "    (fc2): Linear(in_features=4, out_features=2, bias=True)\n"
        "  )\n"
        "  (1): ReLU()\n"
        ")")


def test_repr_with_lines_of_its_own():
    class Shown(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Shown()) == "Shown(\n  a=1\n  b=2\n)"
    shown = Shown()
    shown.x = nn.Tanh()
    assert repr(shown) == "Shown(\n  a=1\n  b=2\n  (x): Tanh()\n)"
    assert repr(nn.Module()) == "Module()"


def test_parameters_print_as_pytorchs():
    assert repr(nn.Parameter(kobai.tensor([1.0]))) == (
        "Parameter containing:\ntensor([1.], requires_grad=True)")
    assert repr(nn.Parameter(kobai.tensor([1.0]), requires_grad=False)) == (
        "Parameter containing:\ntensor([1.])")
    assert repr(nn.Buffer(kobai.tensor([1.0]))) == "tensor([1.])"


def test_a_parameter_shares_memory_with_its_tensor():
    t = kobai.zeros(2)
    p = nn.Parameter(t)
    t.fill_(3)
    assert float(p.sum()) == 6 and p.is_leaf and p.requires_grad
    assert not isinstance(p * 1, nn.Parameter)
    assert nn.Parameter().shape == (0,)
    assert type(p.data) is kobai.Tensor and repr(p.data) == "tensor([3., 3.])"
    p.data.mul_(2)
    assert t.tolist() == [6, 6]
    p.data = kobai.ones(3)
    assert p.shape == (3,) and p.requires_grad
