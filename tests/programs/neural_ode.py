"""Neural ODE with adjoint as autograd.Function, RK4 and dopri by hand, Lotka-Volterra fit, Hamiltonian net, PINN burgers."""

import math

import torch
import torch.nn as nn
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def rk4(f, y, t, dt):
    k1 = f(t, y)
    k2 = f(t + dt / 2, y + dt / 2 * k1)
    k3 = f(t + dt / 2, y + dt / 2 * k2)
    k4 = f(t + dt, y + dt * k3)
    return y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


class Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, func, y0, ts, *params):
        ys = [y0]
        with torch.no_grad():
            for a, b in zip(ts[:-1], ts[1:]):
                ys.append(rk4(func, ys[-1], a, b - a))
        sol = torch.stack(ys)
        ctx.func = func
        ctx.save_for_backward(sol, ts, *params)
        return sol

    @staticmethod
    def backward(ctx, g):
        sol, ts, *params = ctx.saved_tensors
        adj_y = g[-1]
        adj_p = [torch.zeros_like(p) for p in params]
        for i in range(len(ts) - 1, 0, -1):
            with torch.enable_grad():
                y = sol[i - 1].detach().requires_grad_()
                out = rk4(ctx.func, y, ts[i - 1], ts[i] - ts[i - 1])
                gy, *gp = torch.autograd.grad(out, (y, *params), adj_y, allow_unused=True)
            adj_y = gy + g[i - 1]
            adj_p = [a + (b if b is not None else 0) for a, b in zip(adj_p, gp)]
        return (None, adj_y, None, *adj_p)


class F(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.1)
                nn.init.constant_(m.bias, val=0)
        self.nfe = 0

    def forward(self, t, y):
        self.nfe += 1
        return self.net(y**3)


true_A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
ts = torch.linspace(0, 2.0, 21)
y0 = torch.tensor([[2.0, 0.0]])
with torch.no_grad():
    ty = [y0]
    for a, b in zip(ts[:-1], ts[1:]):
        ty.append(rk4(lambda t, y: (y**3) @ true_A, ty[-1], a, b - a))
    target = torch.stack(ty)
func = F()
opt = torch.optim.RMSprop(func.parameters(), lr=1e-2)
for it in range(11):
    opt.zero_grad()
    pred = Adjoint.apply(func, y0, ts, *func.parameters())
    loss = (pred - target).abs().mean()
    loss.backward()
    opt.step()
    if it % 5 == 0:
        print(f"Iter {it:04d} | Total Loss {loss.item():.6f} | nfe {func.nfe}")
d = [p.grad.clone() for p in func.parameters()]
func.zero_grad()
ys = [y0]
for a, b in zip(ts[:-1], ts[1:]):
    ys.append(rk4(func, ys[-1], a, b - a))
(torch.stack(ys) - target).abs().mean().backward()
func2 = Adjoint.apply(func, y0, ts, *func.parameters())
g2 = torch.autograd.grad((func2 - target).abs().mean(), list(func.parameters()))
print([torch.allclose(p.grad, g) for p, g in zip(func.parameters(), g2)], type(pred.grad_fn).__name__)
# Lotka-Volterra by gradient through the solver
theta = torch.tensor([1.0, 0.5, 0.5, 1.5], requires_grad=True)


def lv(th):
    def f(t, s):
        x, y = s
        return torch.stack([th[0] * x - th[1] * x * y, th[2] * x * y - th[3] * y])

    s, out = torch.tensor([1.0, 1.0]), []
    for i in range(40):
        s = rk4(f, s, 0.1 * i, 0.1)
        out.append(s)
    return torch.stack(out)


data = lv(torch.tensor([1.1, 0.4, 0.4, 1.6])).detach()
lb = torch.optim.LBFGS([theta], lr=0.5, max_iter=15, line_search_fn="strong_wolfe")


def closure():
    lb.zero_grad()
    l = ((lv(theta) - data) ** 2).mean()
    l.backward()
    return l


for _ in range(2):
    l = lb.step(closure)
print(f"{l.item():.5f}", theta.detach().round(decimals=2))
J = jacfwd(lambda th: lv(th)[-1])(theta.detach())
J2 = jacrev(lambda th: lv(th)[-1])(theta.detach())
print(torch.allclose(J, J2), J)
# Hamiltonian net
H = nn.Sequential(nn.Linear(2, 12), nn.Softplus(), nn.Linear(12, 1))


def field(z):
    dH = grad(lambda q: functional_call(H, dict(H.named_parameters()), (q,)).squeeze())(z)
    return torch.stack([dH[1], -dH[0]])


z = torch.randn(5, 2)
v = vmap(field)(z)
print(v.shape, v[0])
div = vmap(lambda q: torch.diagonal(jacrev(field)(q)).sum())(z)
print("divergence", div.abs().max() < 1e-10)
print(
    hessian(lambda q: H(q).squeeze())(z[0]),
    jvp(field, (z[0],), (torch.ones(2),))[1],
    vjp(field, z[0])[1](torch.ones(2))[0].detach(),
)
# Burgers
u = nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 1))
o = torch.optim.Adam(u.parameters(), 1e-3)
X = torch.rand(30, 2)
for i in range(3):
    x, t = X[:, :1].clone().requires_grad_(), X[:, 1:].clone().requires_grad_()
    out = u(torch.cat([x, t], 1))
    ux, ut = torch.autograd.grad(out, (x, t), torch.ones_like(out), create_graph=True)
    (uxx,) = torch.autograd.grad(ux, x, torch.ones_like(ux), create_graph=True)
    r = ut + out * ux - 0.01 / math.pi * uxx
    l = r.pow(2).mean() + (u(torch.cat([x, torch.zeros_like(t)], 1)) + torch.sin(math.pi * x)).pow(2).mean()
    o.zero_grad()
    l.backward()
    o.step()
    print(i, l)
torch.set_default_dtype(torch.float32)
