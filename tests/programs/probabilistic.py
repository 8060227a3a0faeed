"""A Gaussian process, HMC, variational inference, EM, Kalman, optimal transport, solvers, in float64."""

import math

import torch
import torch.distributions as dist
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
torch.set_printoptions(precision=3, sci_mode=False)


class RBF(nn.Module):
    def __init__(self):
        super().__init__()
        self.raw_ls = nn.Parameter(torch.zeros(1))
        self.raw_os = nn.Parameter(torch.tensor(0.0))

    @property
    def ls(self):
        return nn.functional.softplus(self.raw_ls)

    def forward(self, a, b):
        return nn.functional.softplus(self.raw_os) * torch.exp(-0.5 * torch.cdist(a / self.ls, b / self.ls) ** 2)


class GP(nn.Module):
    def __init__(self, x, y):
        super().__init__()
        self.register_buffer("x", x)
        self.register_buffer("y", y)
        self.k = RBF()
        self.ln = nn.Parameter(torch.tensor(-2.0))

    def nll(self):
        K = self.k(self.x, self.x) + self.ln.exp() * torch.eye(len(self.x))
        L = torch.linalg.cholesky(K)
        a = torch.cholesky_solve(self.y[:, None], L)
        return 0.5 * (self.y @ a.squeeze() + 2 * L.diagonal().log().sum() + len(self.x) * math.log(2 * math.pi))

    @torch.no_grad()
    def predict(self, z):
        K = self.k(self.x, self.x) + self.ln.exp() * torch.eye(len(self.x))
        L = torch.linalg.cholesky(K)
        ks = self.k(self.x, z)
        v = torch.linalg.solve_triangular(L, ks, upper=False)
        return ks.T @ torch.cholesky_solve(self.y[:, None], L), (self.k(z, z) - v.T @ v).diagonal()


x = torch.sort(torch.rand(15) * 6).values[:, None]
y = torch.sin(x).squeeze() + 0.1 * torch.randn(15)
gp = GP(x, y)
opt = torch.optim.Adam(gp.parameters(), 0.1)
for i in range(30):
    opt.zero_grad()
    l = gp.nll()
    l.backward()
    opt.step()
    if i % 10 == 0:
        print(f"{i:3d} {l:.4f} ls={gp.k.ls.item():.3f} noise={gp.ln.exp().item():.4f}")
print(*gp.predict(torch.tensor([[1.0], [3.0]])), sep="\n")
print(gp)
samples = dist.MultivariateNormal(torch.zeros(4), gp.k(x[:4], x[:4]).detach() + 1e-6 * torch.eye(4)).sample((2,))
print(samples)


def U(q):
    return 0.5 * (q[0] ** 2 / 1.5 + (q[1] - 0.5 * q[0] ** 2) ** 2)


def leap(q, p, e, n):
    g = torch.func.grad(U)
    p = p - e / 2 * g(q)
    for i in range(n):
        q = q + e * p
        p = p - e * g(q) if i < n - 1 else p
    return q, p - e / 2 * g(q)


q = torch.zeros(2)
acc, chain = 0, []
for _ in range(60):
    p = torch.randn(2)
    qn, pn = leap(q, p, 0.2, 8)
    dH = U(q) + 0.5 * p @ p - U(qn) - 0.5 * pn @ pn
    if torch.rand(()).log() < dH:
        q = qn
        acc += 1
    chain.append(q)
C = torch.stack(chain)
print(acc, C.mean(0), torch.cov(C.T))
ac = [(C[k:, 0] * C[: len(C) - k, 0]).mean() / (C[:, 0] ** 2).mean() for k in (1, 5)]
print(torch.stack(ac))
# SVI with a guide, reparam, score function w/ baseline
data = dist.Normal(2.0, 0.5).sample((50,))
loc, ls = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
o = torch.optim.Adam([loc, ls], 0.05)
for i in range(80):
    qd = dist.Normal(loc, ls.exp())
    z = qd.rsample((8,))
    elbo = (
        dist.Normal(z[:, None], 0.5).log_prob(data).sum(1) + dist.Normal(0.0, 10.0).log_prob(z) - qd.log_prob(z)
    ).mean()
    o.zero_grad()
    (-elbo).backward()
    o.step()
print(f"post {loc.item():.3f} {ls.exp().item():.3f} elbo {elbo:.3f}")
lam = torch.tensor(1.0, requires_grad=True)
pz = dist.Poisson(lam)
k = pz.sample((200,))
f = (k - 3) ** 2
sf = ((f - f.mean()).detach() * pz.log_prob(k)).mean()
print(torch.autograd.grad(sf, lam))
# EM for mixtures, Kalman, particle filter, Viterbi
d = torch.cat([torch.randn(40) - 2, torch.randn(60) * 0.5 + 1])
pi, mu, sd = torch.tensor([0.5, 0.5]), torch.tensor([-1.0, 0.0]), torch.ones(2)
for _ in range(25):
    r = (pi.log() + dist.Normal(mu, sd).log_prob(d[:, None])).softmax(1)
    n = r.sum(0)
    pi, mu = n / 100, (r * d[:, None]).sum(0) / n
    sd = ((r * (d[:, None] - mu) ** 2).sum(0) / n).sqrt()
print(pi, mu, sd)
F, H, Q, R = (
    torch.tensor([[1.0, 0.1], [0, 1.0]]),
    torch.tensor([[1.0, 0.0]]),
    0.01 * torch.eye(2),
    torch.tensor([[0.1]]),
)
m, P = torch.zeros(2), torch.eye(2)
for t in range(10):
    m, P = F @ m, F @ P @ F.T + Q
    S = H @ P @ H.T + R
    K = P @ H.T @ torch.linalg.inv(S)
    m = m + (K @ (torch.tensor([0.1 * t]) - H @ m))
    P = (torch.eye(2) - K @ H) @ P
print(m, P, torch.linalg.eigvalsh(P))
w = dist.Normal(0.0, 1.0).log_prob(torch.linspace(-2, 2, 5)).softmax(0)
print(w, torch.multinomial(w, 6, replacement=True), 1 / (w**2).sum(), torch.searchsorted(w.cumsum(0), torch.rand(3)))
# Sinkhorn OT, NMF, power iteration, Gauss-Newton, conjugate gradient, ADMM lasso
a, b = torch.ones(4) / 4, torch.ones(5) / 5
Cst = torch.cdist(torch.randn(4, 2), torch.randn(5, 2)) ** 2
fpot, gpot = torch.zeros(4), torch.zeros(5)
for _ in range(50):
    fpot = -0.1 * torch.logsumexp((gpot - Cst) / 0.1 + b.log(), 1)
    gpot = -0.1 * torch.logsumexp((fpot[:, None] - Cst) / 0.1 + a.log()[:, None], 0)
Pl = torch.exp((fpot[:, None] + gpot - Cst) / 0.1) * a[:, None] * b
print(Pl.sum(0), (Pl * Cst).sum())
V = torch.rand(6, 5)
W, Hh = torch.rand(6, 2), torch.rand(2, 5)
for _ in range(30):
    Hh *= (W.T @ V) / (W.T @ W @ Hh + 1e-9)
    W *= (V @ Hh.T) / (W @ Hh @ Hh.T + 1e-9)
print(torch.dist(V, W @ Hh), torch.linalg.svdvals(V)[2:].norm())
A = V.T @ V + torch.eye(5)
bb = torch.ones(5)
xk, rk = torch.zeros(5), bb.clone()
pk = rk.clone()
for _ in range(5):
    Ap = A @ pk
    al = rk @ rk / (pk @ Ap)
    xk = xk + al * pk
    rn = rk - al * Ap
    pk = rn + (rn @ rn) / (rk @ rk) * pk
    rk = rn
print((A @ xk - bb).norm() < 1e-10)
tt = torch.linspace(0, 1, 20)
obs = 2 * torch.exp(-3 * tt)
th = torch.tensor([1.0, 1.0])
for _ in range(8):
    res = lambda th: th[0] * torch.exp(-th[1] * tt) - obs
    J = torch.func.jacfwd(res)(th)
    th = th - torch.linalg.lstsq(J, res(th)[:, None]).solution.squeeze()
print(th)
xl, z, u = torch.zeros(5), torch.zeros(5), torch.zeros(5)
Lc = torch.linalg.cholesky(V.T @ V + torch.eye(5))
yv = V @ torch.tensor([1.0, 0, 0, 2, 0])
for _ in range(100):
    xl = torch.cholesky_solve((V.T @ yv + z - u)[:, None], Lc).squeeze()
    z = nn.functional.softshrink(xl + u, 0.05)
    u = u + xl - z
print(
    z,
    torch.special.gammaln(torch.tensor(5.0)),
    torch.lobpcg(A, k=1)[0].item() - torch.linalg.eigvalsh(A)[-1].item() < 1e-6,
)
