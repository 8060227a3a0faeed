"""MAML, hypergradients three ways, a fixed point as a Function, linearisation, vmap's refusals, a PINN."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jvp,
    linearize,
    vjp,
    vmap,
)

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1))
meta = torch.optim.Adam(net.parameters(), 1e-2)


def task():
    A, p = torch.rand(1) * 4 + 0.1, torch.rand(1) * math.pi
    x = torch.rand(10, 1) * 10 - 5
    return x, A * torch.sin(x + p)


def inner(params, x, y, lr=0.05, steps=2):
    for _ in range(steps):
        g = torch.autograd.grad(F.mse_loss(functional_call(net, params, x), y), params.values(), create_graph=True)
        params = {k: v - lr * d for (k, v), d in zip(params.items(), g)}
    return params


for it in range(15):
    meta.zero_grad()
    tot = 0
    for _ in range(4):
        x, y = task()
        tot = (
            tot
            + F.mse_loss(functional_call(net, inner(dict(net.named_parameters()), x[:5], y[:5]), x[5:]), y[5:]) / 4
        )
    tot.backward()
    meta.step()
    if it % 5 == 4:
        print(it, f"{tot.item():.4f}", f"{net[0].weight.grad.norm():.4f}")
xs, ys = (torch.stack(z) for z in zip(*[task() for _ in range(6)]))
P = {k: v.detach() for k, v in net.named_parameters()}


def tloss(p, x, y):
    l = lambda p, a, b: F.mse_loss(functional_call(net, p, a), b)
    g = grad(l)(p, x[:5], y[:5])
    q = {k: p[k] - 0.05 * g[k] for k in p}
    return l(q, x[5:], y[5:])


L = vmap(tloss, (None, 0, 0))(P, xs, ys)
print(L)
G = grad(lambda p: vmap(tloss, (None, 0, 0))(p, xs, ys).mean())(P)
print({k: v.norm().item().__round__(4) for k, v in G.items()})
# hypergradients: unrolled and implicit
X = torch.randn(30, 5, dtype=torch.double)
w = torch.randn(5, 1, dtype=torch.double)
Y = X @ w + 0.3 * torch.randn(30, 1, dtype=torch.double)
Xv = torch.randn(20, 5, dtype=torch.double)
Yv = Xv @ w
lam = torch.tensor(-1.0, dtype=torch.double, requires_grad=True)


def solve(l):
    return torch.linalg.solve(X.T @ X / 30 + l.exp() * torch.eye(5, dtype=torch.double), X.T @ Y / 30)


val = ((Xv @ solve(lam) - Yv) ** 2).mean()
(gd,) = torch.autograd.grad(val, lam)
t = torch.zeros(5, 1, dtype=torch.double)
for _ in range(60):
    t = t - 0.3 * (X.T @ (X @ t - Y) / 30 + lam.exp() * t)
(gu,) = torch.autograd.grad(((Xv @ t - Yv) ** 2).mean(), lam)
ts = solve(lam).detach().requires_grad_()
inner_g = lambda th, l: X.T @ (X @ th - Y) / 30 + l.exp() * th
v = torch.autograd.grad(((Xv @ ts - Yv) ** 2).mean(), ts)[0]
H = torch.autograd.functional.jacobian(
    lambda th: inner_g(th.view(5, 1), lam.detach()).flatten(), ts.detach().flatten()
)
gi = -torch.autograd.grad(inner_g(ts.detach(), lam), lam, torch.linalg.solve(H, v))[0]
print(gd, gu, gi, torch.allclose(gd, gi), torch.allclose(gd, gu, rtol=1e-2))


class Fixed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, f, x0, *th):
        z = x0
        for _ in range(80):
            z = f(z, *th)
        ctx.f = f
        ctx.save_for_backward(z, *th)
        return z

    @staticmethod
    def backward(ctx, g):
        z, *th = ctx.saved_tensors
        with torch.enable_grad():
            zz = z.detach().requires_grad_()
            tt = [q.detach().requires_grad_() for q in th]
            f = ctx.f(zz, *tt)
        u = g
        for _ in range(80):
            u = g + torch.autograd.grad(f, zz, u, retain_graph=True)[0]
        return None, None, *torch.autograd.grad(f, tt, u)


W = (torch.randn(4, 4) * 0.2).requires_grad_()
b = torch.randn(4, requires_grad=True)
z = Fixed.apply(lambda z, W, b: torch.tanh(z @ W + b), torch.zeros(4), W, b)
z.sum().backward()
print(z, b.grad, W.grad.norm(), z.grad_fn.name())


# neural ODE via odeint adjoint, jvp/vjp, linearize
def rk4(f, y, t0, t1, n=10):
    h = (t1 - t0) / n
    for i in range(n):
        t = t0 + i * h
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        k3 = f(t + h / 2, y + h / 2 * k2)
        k4 = f(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


y0 = torch.tensor([1.0, 0.0], requires_grad=True)
Am = nn.Parameter(torch.tensor([[-0.1, 2.0], [-2.0, -0.1]]))
yT = rk4(lambda t, y: y**3 @ Am, y0, 0.0, 1.0)
print(yT, torch.autograd.grad(yT.sum(), (y0, Am)))
sens = jacfwd(lambda y: rk4(lambda t, y: y**3 @ Am.detach(), y, 0.0, 1.0))(y0.detach())
print(sens, torch.linalg.det(sens))
o, fn = linearize(lambda a: a.sin() * a, torch.tensor([1.0, 2.0]))
print(o, fn(torch.ones(2)))
print(
    jvp(lambda a, b: a * b, (torch.tensor(2.0), torch.tensor(3.0)), (torch.tensor(1.0), torch.tensor(0.0))),
    vjp(lambda a: {"x": a**2, "y": (a,)}, torch.tensor(3.0))[1]({"x": torch.tensor(1.0), "y": (torch.tensor(1.0),)}),
)
print(
    grad_and_value(lambda p: (p**2).sum(), has_aux=False)(torch.ones(2)),
    grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(torch.ones(2), torch.ones(2) * 2),
    hessian(lambda q: q.prod())(torch.tensor([1.0, 2.0, 3.0])),
    vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2)),
    vmap(lambda a: a.sum(), in_dims=1, out_dims=0)(torch.arange(6.0).view(2, 3)),
    vmap(lambda a, b: (a + b, a * b), in_dims=(0, None), out_dims=(0, 1))(torch.arange(2.0), torch.ones(2)),
    vmap(vmap(torch.mul))(torch.ones(2, 2), torch.ones(2, 2)),
    vmap(lambda k: torch.randn(2), randomness="different")(torch.zeros(3)).shape,
)
for f in (
    lambda: vmap(lambda a: a.item())(torch.ones(2)),
    lambda: vmap(lambda a: a if a > 0 else -a)(torch.ones(2)),
    lambda: vmap(lambda a: torch.randn(1))(torch.ones(2)),
    lambda: grad(lambda a: a)(torch.ones(2)),
    lambda: grad(lambda a: 3.0)(torch.ones(())),
    lambda: vmap(lambda a, b: a + b)(torch.ones(2), torch.ones(3)),
    lambda: jvp(lambda a: a, (torch.ones(2),), (torch.ones(3),)),
    lambda: vmap(lambda a: a)(3),
    lambda: hessian(lambda a: a)(torch.ones(())).shape,
):
    try:
        print("ok", f())
    except Exception as e:
        print(type(e).__name__, str(e).split("\n")[0][:110])
# PINN
pin = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(pin.parameters(), 1e-2)
tt = torch.linspace(0, 2, 20)[:, None].requires_grad_()
for i in range(80):
    u = pin(tt)
    du = torch.autograd.grad(u, tt, torch.ones_like(u), create_graph=True)[0]
    ddu = torch.autograd.grad(du, tt, torch.ones_like(du), create_graph=True)[0]
    l = (ddu + u).pow(2).mean() + (u[0] - 1).pow(2).sum() + du[0].pow(2).sum()
    opt.zero_grad()
    l.backward()
    opt.step()
print(f"{l.item():.4f}", pin(torch.tensor([[math.pi / 2]])), ddu.grad_fn.name(), du.grad_fn.name())
