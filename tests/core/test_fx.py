"""torch.fx: graphs of the calls of a module. Expected texts are PyTorch 2.13's."""
import copy
import operator

import pytest

import kobai
from kobai import fx, nn
from kobai.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.param = nn.Parameter(kobai.ones(3, 4))
        self.linear = nn.Linear(4, 5)

    def forward(self, x):
        y = self.linear(x + self.param).clamp(min=0.0, max=1.0)
        return kobai.relu(y) * 2 + y.sum(dim=1, keepdim=True)


def test_the_graph_and_the_code():
    g = fx.symbolic_trace(Net())
    assert str(g.graph) == """graph():
    %x : [num_users=1] = placeholder[target=x]
    %param : [num_users=1] = get_attr[target=param]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %param), kwargs = {})
    %linear : [num_users=1] = call_module[target=linear](args = (%add,), kwargs = {})
    %clamp : [num_users=2] = call_method[target=clamp](args = (%linear,), kwargs = {min: 0.0, max: 1.0})
    %relu : [num_users=1] = call_function[target=torch.relu](args = (%clamp,), kwargs = {})
    %mul : [num_users=1] = call_function[target=operator.mul](args = (%relu, 2), kwargs = {})
    %sum_1 : [num_users=1] = call_method[target=sum](args = (%clamp,), kwargs = {dim: 1, keepdim: True})
    %add_1 : [num_users=1] = call_function[target=operator.add](args = (%mul, %sum_1), kwargs = {})
    return add_1"""
    assert g.code.strip("\n ") == """def forward(self, x):
    param = self.param
    add = x + param;  x = param = None
    linear = self.linear(add);  add = None
    clamp = linear.clamp(min = 0.0, max = 1.0);  linear = None
    relu = torch.relu(clamp)
    mul = relu * 2;  relu = None
    sum_1 = clamp.sum(dim = 1, keepdim = True);  clamp = None
    add_1 = mul + sum_1;  mul = sum_1 = None
    return add_1"""


def test_runs_and_has_the_module_s_parameters():
    net = Net()
    g = fx.symbolic_trace(net)
    x = kobai.randn(3, 4)
    assert kobai.equal(g(x), net(x))
    assert sorted(n for n, _ in g.named_parameters()) == ["linear.bias", "linear.weight", "param"]
    g(x).sum().backward()
    assert net.linear.weight.grad is not None


def test_rewritten():
    net = Net()
    g, x = fx.symbolic_trace(net), kobai.randn(3, 4)
    for n in g.graph.nodes:
        if n.target is kobai.relu:
            with g.graph.inserting_after(n):
                n.replace_all_uses_with(g.graph.call_function(kobai.sigmoid, n.args))
            g.graph.erase_node(n)
    g.graph.lint()
    g.recompile()
    y = net.linear(x + net.param).clamp(0, 1)
    assert kobai.equal(g(x), kobai.sigmoid(y) * 2 + y.sum(1, keepdim=True))
    assert "torch.sigmoid(clamp)" in g.code
    with pytest.raises(RuntimeError, match="Tried to erase Node clamp but it still had 2 users"):
        g.graph.erase_node(next(n for n in g.graph.nodes if n.name == "clamp"))


def test_copies_and_changes_leave_the_module_alone():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    g = fx.symbolic_trace(net)
    other = copy.deepcopy(g)
    other.get_submodule("1").add_module("0", nn.Identity())
    assert type(g.get_submodule("1.0")) is type(net[1][0]) is nn.Linear
    assert [n.name for n in other.graph.nodes] == ["input_1", "_0", "_1_0", "_1_1", "output"]
    assert "def forward(self, input):\n    input_1 = input\n    _0 = getattr(self, \"0\")(input_1);  input_1 = None\n" in g.code
    x = kobai.randn(3, 2)
    assert kobai.equal(g(x), net(x))


def test_functions_that_look_at_their_arguments_are_one_node():
    def f(a, b):
        x = kobai.cat([a, b.unsqueeze(0)], dim=0)
        return F.softmax(kobai.matmul(x, x.t()), dim=-1), kobai.stack((a, a)).shape[0]
    nodes = fx.symbolic_trace(f).graph.nodes
    assert [n.target if isinstance(n.target, str) else n.target.__name__ for n in nodes] == \
        ["a", "b", "unsqueeze", "cat", "t", "matmul", "softmax", "stack", "getattr", "getitem", "output"]


def test_an_interpreter_sees_every_node():
    class Shapes(fx.Interpreter):
        def run_node(self, n):
            out = super().run_node(n)
            seen.append((n.name, tuple(out.shape)))
            return out
    seen = []
    Shapes(fx.symbolic_trace(lambda x: (x * 2).sum(0))).run(kobai.ones(3, 2))
    assert seen == [("x", (3, 2)), ("mul", (3, 2)), ("sum_1", (2,)), ("output", (2,))]


def test_graphs_made_by_hand():
    graph = fx.Graph()
    a = graph.placeholder("a")
    graph.output(graph.call_function(operator.add, (graph.call_function(kobai.exp, (a,)), 1)))
    assert fx.GraphModule({}, graph)(kobai.zeros(2)).tolist() == [2.0, 2.0]


def test_branches_on_values_are_refused():
    with pytest.raises(fx.TraceError, match="symbolically traced variables cannot be used as inputs to control flow"):
        fx.symbolic_trace(lambda x: x if x.sum() > 0 else -x)
    g = fx.symbolic_trace(lambda x, flag: x if flag else -x, concrete_args={"flag": False})
    assert g(kobai.ones(1)).tolist() == [-1.0]
