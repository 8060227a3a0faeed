"""torch.fx: fusing convolution and batch norm, replacing functions, counting, nested modules."""

import copy
import operator

import torch
import torch.fx as fx
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x))) + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(Block(3), Block(3))
        self.head = nn.Linear(3, 2)
        self.register_buffer("shift", torch.ones(3))

    def forward(self, x, scale: float = 2.0):
        x = self.layers(x)
        n = x.shape[0]
        x = x.mean((2, 3)) + self.shift
        x = torch.cat([x, x * scale], dim=1)[:, :3]
        return self.head(x.view(n, -1)).softmax(dim=-1), x


net = Net().eval()
for m in net.modules():
    if isinstance(m, nn.BatchNorm2d):
        m.running_mean.uniform_()
        m.running_var.uniform_(1, 2)
g = fx.symbolic_trace(net)
for n in g.graph.nodes:
    print(n.op, n.name, n.target if n.op != "call_function" else n.target.__name__, [str(a) for a in n.all_input_nodes])
x = torch.randn(2, 3, 4, 4)
print(all(torch.equal(a, b) for a, b in zip(g(x), net(x))))


def fuse(conv, bn):
    w = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    out = copy.deepcopy(conv)
    out.weight = nn.Parameter(conv.weight * w.view(-1, 1, 1, 1))
    out.bias = nn.Parameter((conv.bias - bn.running_mean) * w + bn.bias)
    return out


mods = dict(g.named_modules())
for node in list(g.graph.nodes):
    if (
        node.op == "call_module"
        and type(mods[node.target]) is nn.BatchNorm2d
        and type(mods[node.args[0].target]) is nn.Conv2d
    ):
        parent, _, name = node.args[0].target.rpartition(".")
        setattr(mods[parent], name, fuse(mods[node.args[0].target], mods[node.target]))
        node.replace_all_uses_with(node.args[0])
        g.graph.erase_node(node)
    elif node.target in (F.relu, torch.relu):
        node.target = F.hardtanh if False else F.relu
g.graph.lint()
g.recompile()
print(torch.allclose(g(x)[0], net(x)[0], atol=1e-5), len(g.graph.nodes))


class Count(fx.Interpreter):
    def __init__(self, m):
        super().__init__(m)
        self.n = {}

    def run_node(self, n):
        self.n[n.op] = self.n.get(n.op, 0) + 1
        return super().run_node(n)


c = Count(g)
c.run(x)
print(c.n)


def f(a, b):
    return torch.sin(a) + b.cos().sum(-1, keepdim=True) - torch.add(a, b, alpha=2) / 3 * -a


h = fx.symbolic_trace(f)
for n in h.graph.nodes:
    if n.op == "call_function" and n.target is operator.add:
        n.target = operator.mul
h.recompile()
print(h.code)
print(h(torch.ones(2), torch.zeros(2)))


class Flow(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


try:
    fx.symbolic_trace(Flow())
except ValueError as e:
    print(type(e).__name__, str(e).split("\n")[0])
gr = fx.Graph()
a = gr.placeholder("a")
b = gr.call_function(torch.exp, (a,))
d = gr.call_method("sum", (b,), {"dim": 0})
gr.output((d, b))
print(gr, fx.GraphModule({}, gr)(torch.zeros(2)))
