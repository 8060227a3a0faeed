"""MAML, ANIL and Reptile on sinusoids, with torch.func and by hand."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

torch.manual_seed(11)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU())
        self.head = nn.Linear(20, 1)

    def forward(self, x):
        return self.head(self.body(x))


def task(k=5):
    amp, phase = torch.rand(2) * torch.tensor([4.9, math.pi]) + torch.tensor([0.1, 0.0])
    x = torch.rand(2 * k, 1) * 10 - 5
    return x, amp * torch.sin(x + phase)


net = Regressor()
meta = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(6):
    meta.zero_grad()
    losses = []
    for _ in range(4):
        x, y = task()
        fast = dict(net.named_parameters())
        for _ in range(2):
            inner = F.mse_loss(functional_call(net, fast, (x[:5],)), y[:5])
            gs = torch.autograd.grad(inner, list(fast.values()), create_graph=True)
            fast = {k: p - 0.01 * g for (k, p), g in zip(fast.items(), gs)}
        losses.append(F.mse_loss(functional_call(net, fast, (x[5:],)), y[5:]))
    outer = torch.stack(losses).mean()
    outer.backward()
    print(it, f"outer {outer.item():.4f} |g| {sum(p.grad.norm() ** 2 for p in net.parameters()).sqrt():.4f}")
    meta.step()

params = {k: v.detach() for k, v in net.named_parameters()}


def inner_loss(p, x, y):
    return F.mse_loss(functional_call(net, p, (x,)), y)


def adapted(p, x, y):
    g = grad(inner_loss)(p, x[:5], y[:5])
    return inner_loss({k: p[k] - 0.01 * g[k] for k in p}, x[5:], y[5:])


xs, ys = zip(*[task() for _ in range(3)])
xs, ys = torch.stack(xs), torch.stack(ys)
each = vmap(adapted, in_dims=(None, 0, 0))(params, xs, ys)
print("per task", each)
mg = grad(lambda p: vmap(adapted, in_dims=(None, 0, 0))(p, xs, ys).mean())(params)
print({k: round(v.norm().item(), 4) for k, v in mg.items()})
# ANIL: only the head adapts
x, y = task()
head = [p.clone() for p in net.head.parameters()]
feat = net.body(x)
for _ in range(3):
    l = F.mse_loss(F.linear(feat[:5], *head), y[:5])
    head = [p - 0.01 * g for p, g in zip(head, torch.autograd.grad(l, head, create_graph=True))]
anil = F.mse_loss(F.linear(feat[5:], *head), y[5:])
anil.backward()
print("anil", anil, net.body[0].weight.grad.norm())
# Reptile
before = {k: v.clone() for k, v in net.state_dict().items()}
sgd = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(5):
    sgd.zero_grad()
    F.mse_loss(net(x), y).backward()
    sgd.step()
after = net.state_dict()
net.load_state_dict({k: before[k] + 0.1 * (after[k] - before[k]) for k in before})
print("reptile", sum((net.state_dict()[k] - before[k]).abs().sum() for k in before))
ensemble = [Regressor() for _ in range(3)]
p, b = stack_module_state(ensemble)
print(p["head.weight"].shape, b)
out = vmap(lambda p, x: functional_call(ensemble[0], p, (x,)), in_dims=(0, None))(p, x)
print(out.shape, torch.allclose(out[1], ensemble[1](x), atol=1e-6))
