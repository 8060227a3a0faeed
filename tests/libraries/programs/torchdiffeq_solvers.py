"""torchdiffeq: every solver, gradients through the steps and by the adjoint method, events."""

import warnings

import torch
from torch import nn
from torchdiffeq import odeint, odeint_adjoint, odeint_event

warnings.filterwarnings("ignore")
torch.manual_seed(0)


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 2))

    def forward(self, t, y):
        return self.net(y**3)


field, start, times = Field(), torch.tensor([[2.0, 0.0]], requires_grad=True), torch.linspace(0, 2, 5)
weight = field.net[0].weight
METHODS = ("dopri5", "dopri8", "rk4", "euler", "midpoint", "heun3", "adaptive_heun", "bosh3", "fehlberg2", "explicit_adams",
           "implicit_adams")
for method in METHODS:
    y = odeint(field, start, times, method=method)
    print(method, y[-1].detach().numpy(), torch.autograd.grad(y[-1].sum(), weight)[0].sum().item())
y = odeint_adjoint(field, start, times, rtol=1e-6, atol=1e-8)
y.sum().backward()
print(y[-1], weight.grad.sum(), start.grad)
pair = odeint(lambda t, y: (-y[0], y[1] + 1), (torch.ones(2), torch.zeros(1)), times)
print([p[-1] for p in pair])
double = odeint(lambda t, y: -y * t, torch.ones(2, dtype=torch.float64), times.double(), rtol=1e-10, atol=1e-10)
print(double.dtype, (double[-1] - torch.exp(torch.tensor(-2.0).double())).abs().max() < 1e-8)
speed = torch.tensor(-1.5, requires_grad=True)
when, solution = odeint_event(lambda t, y: speed.expand_as(y), torch.ones(1), torch.tensor(0.0), event_fn=lambda t, y: y.sum() - 0.25)
when.backward()
print(when, solution[-1], speed.grad)
