"""Differential equations, Gaussian processes, meta-learning, Monte Carlo, diffusion."""

import math

import torch
import torch.nn as nn
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, vmap

torch.manual_seed(0)
# PINN u'' = -u
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)
x = torch.linspace(0, 2, 20).view(-1, 1).requires_grad_(True)
for i in range(60):
    u = net(x)
    du = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), x, create_graph=True)[0]
    loss = ((ddu + u) ** 2).mean() + (u[0] - 0).pow(2).sum() + (du[0] - 1).pow(2).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 20 == 0:
        print(f"Epoch {i}, Loss: {loss.item():.6f}")
print(net(torch.tensor([[1.0]])).item(), loss)
# GP
X = torch.linspace(0, 1, 8).double().view(-1, 1)
Y = torch.sin(6 * X).squeeze()
ls = torch.tensor(0.3, dtype=torch.double).log().requires_grad_()
ns = torch.tensor(0.1, dtype=torch.double).log().requires_grad_()


def kern(a, b):
    return torch.exp(-0.5 * torch.cdist(a, b).pow(2) / ls.exp() ** 2)


def nll():
    K = torch.exp(-0.5 * (X - X.T) ** 2 / ls.exp() ** 2) + ns.exp() ** 2 * torch.eye(8, dtype=torch.double)
    L = torch.linalg.cholesky(K)
    al = torch.cholesky_solve(Y[:, None], L)
    return 0.5 * Y @ al.squeeze() + L.diagonal().log().sum() + 4 * math.log(2 * math.pi)


o = torch.optim.Adam([ls, ns], 0.05)
for i in range(30):
    o.zero_grad()
    l = nll()
    l.backward()
    o.step()
    if i % 10 == 0:
        print(i, f"{l.item():.4f} {ls.exp().item():.4f} {ns.exp().item():.4f}")
with torch.no_grad():
    K = kern(X, X) + ns.exp() ** 2 * torch.eye(8, dtype=torch.double)
    Xs = torch.tensor([[0.33], [0.77]], dtype=torch.double)
    Ks = kern(X, Xs)
    mean = Ks.T @ torch.linalg.solve(K, Y)
    v = torch.linalg.solve_triangular(torch.linalg.cholesky(K), Ks, upper=False)
    print(mean, 1 - (v**2).sum(0))
gp_samples = torch.distributions.MultivariateNormal(
    torch.zeros(8, dtype=torch.double), K + 1e-6 * torch.eye(8, dtype=torch.double)
).sample((2,))
print(gp_samples.shape)
# LBFGS Rosenbrock
p = torch.tensor([-1.0, 2.0], requires_grad=True)
ob = torch.optim.LBFGS([p], lr=1, max_iter=50, line_search_fn="strong_wolfe")


def closure():
    ob.zero_grad()
    f = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
    f.backward()
    return f


print(ob.step(closure))
[ob.step(closure) for _ in range(3)]
print([round(v, 3) for v in p.tolist()])
# neural ODE rk4
f = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)).double()
for mm in f.modules():
    if isinstance(mm, nn.Linear):
        nn.init.normal_(mm.weight, mean=0, std=0.1)
        nn.init.constant_(mm.bias, val=0)


def odeint(f, y, ts):
    ys = [y]
    for a, b in zip(ts[:-1], ts[1:]):
        h = b - a
        k1 = f(y)
        k2 = f(y + h * k1 / 2)
        k3 = f(y + h * k2 / 2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        ys.append(y)
    return torch.stack(ys)


ts = torch.linspace(0, 2, 10).double()
A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]]).double()
y0 = torch.tensor([[2.0, 0.0]]).double()
true = odeint(lambda y: y @ A, y0, ts)
o = torch.optim.RMSprop(f.parameters(), 1e-2)
for i in range(20):
    o.zero_grad()
    l = (odeint(f, y0, ts) - true).abs().mean()
    l.backward()
    o.step()
    if i % 5 == 0:
        print(f"Iter {i:04d} | Total Loss {l.item():.6f}")
# MAML
model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
mo = torch.optim.Adam(model.parameters(), 1e-2)
for it in range(5):
    tot = 0
    for task in range(3):
        ph = torch.rand(1) * math.pi
        xs = torch.rand(10, 1) * 4
        ys = torch.sin(xs + ph)
        params = dict(model.named_parameters())
        ls_ = nn.functional.mse_loss(functional_call(model, params, (xs,)), ys)
        gs = torch.autograd.grad(ls_, params.values(), create_graph=True)
        fast = {k: v - 0.1 * g for (k, v), g in zip(params.items(), gs)}
        tot = tot + nn.functional.mse_loss(functional_call(model, fast, xs), ys)
    mo.zero_grad()
    tot.backward()
    mo.step()
    print(it, tot.item())
# func transforms: per-sample grads, ensembles
params = {k: v.detach() for k, v in model.named_parameters()}


def cl(p, x, y):
    return ((functional_call(model, p, (x.unsqueeze(0),)) - y) ** 2).mean()


ps = vmap(grad(cl), in_dims=(None, 0, 0))(params, xs, ys)
print({k: v.shape for k, v in ps.items()}, ps["2.bias"].flatten())
models = [nn.Linear(3, 2) for _ in range(3)]
sp, sb = torch.func.stack_module_state(models)
base = models[0]
print(
    vmap(lambda p, b, x: functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))(sp, sb, torch.ones(1, 3)).detach()
)
g = lambda x: torch.stack([x[0] ** 2 * x[1], x.prod().sin()])
xx = torch.tensor([1.0, 2.0])
print(
    jacrev(g)(xx),
    jacfwd(g)(xx),
    hessian(lambda x: g(x).sum())(xx),
    vmap(torch.dot)(torch.ones(3, 2), torch.arange(6.0).view(3, 2)),
    vmap(lambda a, b: a + b, in_dims=(0, None), out_dims=1)(torch.ones(2, 3), torch.arange(3.0)),
    vmap(lambda x: torch.randn(1), randomness="different")(xs[:2]).shape,
)


# HMC
def U(q):
    return 0.5 * (q**2).sum() + 0.1 * (q**4).sum()


q = torch.zeros(2)
acc = 0
samples = []
for i in range(30):
    pm = torch.randn(2)
    q0, p0 = q.clone(), pm.clone()
    gU = torch.func.grad(U)
    pm = pm - 0.05 * gU(q)
    for _ in range(9):
        q = q + 0.1 * pm
        pm = pm - 0.1 * gU(q)
    q = q + 0.1 * pm
    pm = pm - 0.05 * gU(q)
    dH = U(q) + 0.5 * pm @ pm - U(q0) - 0.5 * p0 @ p0
    if torch.rand(()) < torch.exp(-dH):
        acc += 1
    else:
        q = q0
    samples.append(q)
s = torch.stack(samples)
print(acc, s.mean(0), s.std(0))
# Metropolis
x = torch.zeros(())
c = []
for i in range(200):
    pr = x + torch.randn(()) * 0.8
    if torch.log(torch.rand(1)) < (-(pr**2) + x**2) / 2:
        x = pr
    c.append(x.item())
print(torch.tensor(c).mean(), torch.tensor(c).std(), torch.histc(torch.tensor(c), 5, -2, 2))
# diffusion toy
T = 20
betas = torch.linspace(1e-4, 0.2, T)
al = 1 - betas
ab = torch.cumprod(al, 0)
x0 = torch.randn(64, 2) * 0.1 + torch.tensor([1.0, -1.0])
net = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 2))
o = torch.optim.AdamW(net.parameters(), 1e-2)
for i in range(30):
    t = torch.randint(0, T, (64,))
    e = torch.randn_like(x0)
    xt = ab[t].sqrt()[:, None] * x0 + (1 - ab[t]).sqrt()[:, None] * e
    l = nn.functional.mse_loss(net(torch.cat([xt, t[:, None] / T], 1)), e)
    o.zero_grad()
    l.backward()
    o.step()
print(l)
x = torch.randn(5, 2)
with torch.no_grad():
    for t in reversed(range(T)):
        eps = net(torch.cat([x, torch.full((5, 1), t / T)], 1))
        x = (x - betas[t] / (1 - ab[t]).sqrt() * eps) / al[t].sqrt() + (
            betas[t].sqrt() * torch.randn_like(x) if t > 0 else 0
        )
print(x)
