"""DDPM and DDIM, VAE and IWAE bounds, a flow, WGAN-GP, score matching: on two moons."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

torch.manual_seed(42)


def moons(n):
    t = torch.rand(n) * math.pi
    s = torch.randint(0, 2, (n,))
    x = torch.stack([torch.cos(t) * (1 - 2 * s) + s, torch.sin(t) * (1 - 2 * s) + 0.5 * s], 1)
    return x + 0.05 * torch.randn(n, 2), s


x, lab = moons(256)
print(x.mean(0), x.std(0), lab.bincount())


class SinEmb(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.d = d

    def forward(self, t):
        h = self.d // 2
        e = torch.exp(torch.arange(h, device=t.device) * -(math.log(10000) / (h - 1)))
        e = t[:, None] * e[None]
        return torch.cat((e.sin(), e.cos()), -1)


class Eps(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.t = nn.Sequential(SinEmb(d), nn.Linear(d, d), nn.SiLU())
        self.i = nn.Linear(2, d)
        self.o = nn.Sequential(nn.SiLU(), nn.Linear(d, d), nn.SiLU(), nn.Linear(d, 2))

    def forward(self, x, t):
        return self.o(self.i(x) + self.t(t.float()))


T = 20
beta = torch.linspace(1e-4, 0.2, T)
alpha = 1 - beta
ab = alpha.cumprod(0)
abp = F.pad(ab[:-1], (1, 0), value=1.0)
pv = beta * (1 - abp) / (1 - ab)
print(ab[::5], pv[:3])


def extract(a, t, shape):
    return a.gather(-1, t).reshape(t.shape[0], *((1,) * (len(shape) - 1)))


net = Eps()
opt = torch.optim.AdamW(net.parameters(), 5e-3)
for i in range(60):
    t = torch.randint(0, T, (256,))
    n = torch.randn_like(x)
    xt = extract(ab, t, x.shape).sqrt() * x + (1 - extract(ab, t, x.shape)).sqrt() * n
    l = F.mse_loss(net(xt, t), n)
    opt.zero_grad()
    l.backward()
    opt.step()
    if i % 20 == 19:
        print(i, f"{l.item():.4f}")


@torch.no_grad()
def ddpm(n):
    z = torch.randn(n, 2)
    for i in reversed(range(T)):
        t = torch.full((n,), i, dtype=torch.long)
        e = net(z, t)
        z = (z - beta[i] / (1 - ab[i]).sqrt() * e) / alpha[i].sqrt()
        if i:
            z += pv[i].sqrt() * torch.randn_like(z)
    return z


print(ddpm(4))


@torch.no_grad()
def ddim(n, steps=5):
    z = torch.randn(n, 2)
    ts = torch.linspace(T - 1, 0, steps).long()
    for a, b in zip(ts, torch.cat([ts[1:], torch.tensor([-1])])):
        e = net(z, a.repeat(n))
        x0 = (z - (1 - ab[a]).sqrt() * e) / ab[a].sqrt()
        p = ab[b] if b >= 0 else torch.tensor(1.0)
        z = p.sqrt() * x0 + (1 - p).sqrt() * e
    return z


print(ddim(3))


# VAE with beta, IWAE bound
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Linear(2, 16), nn.ELU(), nn.Linear(16, 4))
        self.d = nn.Sequential(nn.Linear(2, 16), nn.ELU(), nn.Linear(16, 2))
        self.ls = nn.Parameter(torch.zeros(()))

    def elbo(self, x, k=1):
        mu, lv = self.e(x).chunk(2, -1)
        q = Independent(Normal(mu, (lv / 2).exp()), 1)
        z = q.rsample((k,))
        p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
        px = Independent(Normal(self.d(z), self.ls.exp().expand(2)), 1)
        if k == 1:
            return (px.log_prob(x).squeeze(0) - kl_divergence(q, p)).mean()
        return ((px.log_prob(x) + p.log_prob(z) - q.log_prob(z)).logsumexp(0) - math.log(k)).mean()


v = VAE()
opt = torch.optim.Adamax(v.parameters(), 1e-2)
for i in range(60):
    l = -v.elbo(x)
    opt.zero_grad()
    l.backward()
    opt.step()
print(f"{l.item():.4f} iwae {v.elbo(x, 10).item():.4f}", v.ls)


# RealNVP
class Coupling(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.register_buffer("m", m)
        self.st = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.1), nn.Linear(16, 4))

    def forward(self, x):
        a, t = self.st(x * self.m).chunk(2, 1)
        a = torch.tanh(a) * (1 - self.m)
        return x * self.m + (1 - self.m) * (x * a.exp() + t), a.sum(1)

    def inverse(self, y):
        a, t = self.st(y * self.m).chunk(2, 1)
        a = torch.tanh(a) * (1 - self.m)
        return y * self.m + (1 - self.m) * (y - t) * (-a).exp()


fl = nn.ModuleList(Coupling(torch.tensor([float(i % 2), float((i + 1) % 2)])) for i in range(4))
base = MultivariateNormal(torch.zeros(2), torch.eye(2))
opt = torch.optim.NAdam(fl.parameters(), 5e-3)
for i in range(40):
    z, ld = x, 0
    for f in fl:
        z, d = f(z)
        ld = ld + d
    l = -(base.log_prob(z) + ld).mean()
    opt.zero_grad()
    l.backward()
    opt.step()
print(f"flow {l.item():.4f}")
y = z.detach()
for f in reversed(fl):
    y = f.inverse(y)
z, ld = x, 0
J = torch.func.vmap(torch.func.jacrev(lambda u: fl[0](u[None])[0][0]))(x[:3])
print(torch.linalg.slogdet(J).logabsdet, fl[0](x[:3])[1])
# WGAN-GP
G, D = (
    nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)),
    nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)),
)
og, od = (torch.optim.Adam(m.parameters(), 1e-3, betas=(0.0, 0.9)) for m in (G, D))


def gp(r, f):
    e = torch.rand(r.size(0), 1)
    i = (e * r + (1 - e) * f).requires_grad_(True)
    g = torch.autograd.grad(
        D(i), i, torch.ones(r.size(0), 1), create_graph=True, retain_graph=True, only_inputs=True
    )[0]
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


for i in range(12):
    for _ in range(3):
        f = G(torch.randn(64, 2)).detach()
        r = x[torch.randint(0, 256, (64,))]
        ld = D(f).mean() - D(r).mean() + 10 * gp(r, f)
        od.zero_grad()
        ld.backward()
        od.step()
    lg = -D(G(torch.randn(64, 2))).mean()
    og.zero_grad()
    lg.backward()
    og.step()
    if i % 4 == 3:
        print(i, f"D {ld.item():.4f} G {lg.item():.4f} gp {gp(r, f).item():.4f}")
# sliced score matching + langevin
S = nn.Sequential(nn.Linear(2, 32), nn.Softplus(), nn.Linear(32, 2))
opt = torch.optim.Adam(S.parameters(), 1e-2)
for i in range(30):
    xx = x.clone().requires_grad_(True)
    s = S(xx)
    vv = torch.randn_like(xx)
    (g,) = torch.autograd.grad((s * vv).sum(), xx, create_graph=True)
    l = ((g * vv).sum(1) + 0.5 * (s**2).sum(1)).mean()
    opt.zero_grad()
    l.backward()
    opt.step()
print(f"ssm {l:.4f}")
z = torch.randn(3, 2)
with torch.no_grad():
    for _ in range(10):
        z = z + 0.01 * S(z) + math.sqrt(0.02) * torch.randn_like(z)
print(z)
