"""GPs, variational inference, SVGD, HMC, EM, Kalman, quantile losses: torch.distributions and linalg."""

import math

import torch
import torch.distributions as D
from torch import nn
from torch.distributions import biject_to, constraints, kl_divergence, register_kl, transform_to

torch.manual_seed(5)


class GP(nn.Module):
    def __init__(self):
        super().__init__()
        self.raw = nn.ParameterDict({k: nn.Parameter(torch.zeros(())) for k in ("ls", "var", "noise")})

    def get(self, k):
        return nn.functional.softplus(self.raw[k]) + 1e-4

    def kernel(self, a, b):
        return self.get("var") * torch.exp(-0.5 * torch.cdist(a / self.get("ls"), b / self.get("ls")).square())

    def mll(self, x, y):
        K = self.kernel(x, x) + self.get("noise") * torch.eye(len(x))
        return D.MultivariateNormal(torch.zeros(len(x)), covariance_matrix=K).log_prob(y)

    @torch.no_grad()
    def predict(self, x, y, xs):
        L = torch.linalg.cholesky(self.kernel(x, x) + self.get("noise") * torch.eye(len(x)))
        ks = self.kernel(x, xs)
        A = torch.linalg.solve_triangular(L, ks, upper=False)
        return ks.T @ torch.cholesky_solve(y[:, None], L).squeeze(-1), torch.diagonal(
            self.kernel(xs, xs)
        ) - A.square().sum(0)


x = torch.linspace(0, 5, 15)[:, None]
y = torch.sin(x).squeeze() + 0.1 * torch.randn(15)
gp = GP()
opt = torch.optim.Adam(gp.parameters(), lr=0.1)
for i in range(41):
    opt.zero_grad()
    l = -gp.mll(x, y)
    l.backward()
    opt.step()
    if i % 20 == 0:
        print(i, f"{l.item():.3f}", {k: round(gp.get(k).item(), 3) for k in gp.raw})
print(*gp.predict(x, y, torch.tensor([[1.0], [7.0]])))
# ADVI for logistic regression
X = torch.randn(60, 3)
w = torch.tensor([1.0, -2.0, 0.5])
yb = torch.bernoulli(torch.sigmoid(X @ w))
mu, rho = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.full((3,), -2.0))
o = torch.optim.Adagrad([mu, rho], lr=0.2)
for i in range(40):
    q = D.Independent(D.Normal(mu, rho.exp()), 1)
    s = q.rsample((8,))
    elbo = D.Bernoulli(logits=s @ X.T).log_prob(yb).sum(-1).mean() - kl_divergence(
        q, D.Independent(D.Normal(torch.zeros(3), torch.ones(3)), 1)
    )
    o.zero_grad()
    (-elbo).backward()
    o.step()
print("elbo", elbo, mu.sign())
# score function gradient with Categorical and relaxed bernoulli
lg = torch.zeros(3, requires_grad=True)
c = D.Categorical(logits=lg)
a = c.sample((50,))
r = (a == 2).float()
(-(c.log_prob(a) * (r - r.mean())).mean()).backward()
print(lg.grad, c.entropy(), c.probs)
rb = D.RelaxedOneHotCategorical(torch.tensor(0.5), logits=torch.randn(2, 4))
z = rb.rsample()
print(z.sum(-1), rb.log_prob(z).shape)
hard = torch.nn.functional.gumbel_softmax(torch.randn(2, 4), tau=0.5, hard=True)
print(hard.sum(-1))
# SVGD
p = torch.randn(10, 2)
target = D.MultivariateNormal(torch.tensor([1.0, -1.0]), torch.tensor([[1.0, 0.6], [0.6, 1.5]]))
for _ in range(30):
    p = p.detach().requires_grad_()
    (score,) = torch.autograd.grad(target.log_prob(p).sum(), p)
    d2 = torch.cdist(p, p.detach()).pow(2)
    h = d2.median() / math.log(11)
    K = torch.exp(-d2 / h)
    (gK,) = torch.autograd.grad(K.sum(), p)
    p = p + 0.3 * (K.detach() @ score - gK) / 10
print(p.mean(0).detach(), torch.cov(p.detach().T))
# EM for a mixture
dat = torch.cat([torch.randn(40) - 2, torch.randn(60) * 0.5 + 2])
pi, m, s = torch.ones(2) / 2, torch.tensor([-1.0, 1.0]), torch.ones(2)
for _ in range(20):
    lr = torch.log(pi) + D.Normal(m, s).log_prob(dat[:, None])
    g = torch.softmax(lr, 1)
    nk = g.sum(0)
    pi, m = nk / len(dat), (g * dat[:, None]).sum(0) / nk
    s = ((g * (dat[:, None] - m) ** 2).sum(0) / nk).sqrt()
print(pi, m, s, torch.logsumexp(lr, 1).mean())
# Kalman filter, differentiable
A, C = torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
lq = torch.tensor(-2.0, requires_grad=True)
obs = torch.cumsum(torch.ones(10), 0) + 0.3 * torch.randn(10)
mean, P, ll = torch.zeros(2), torch.eye(2) * 10, 0.0
for ob in obs:
    mean, P = A @ mean, A @ P @ A.mT + lq.exp() * torch.eye(2)
    S = C @ P @ C.T + 0.1
    Kg = P @ C.T / S
    ll = ll + D.Normal((C @ mean).squeeze(), S.squeeze().sqrt()).log_prob(ob)
    mean, P = mean + (Kg * (ob - C @ mean)).squeeze(), (torch.eye(2) - Kg @ C) @ P
ll.backward()
print(ll, lq.grad, mean)


class Laplacian(D.Distribution):
    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = D.utils.broadcast_all(loc, scale)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def rsample(self, sample_shape=()):
        u = torch.rand(self._extended_shape(torch.Size(sample_shape))) - 0.5
        return self.loc - self.scale * u.sign() * torch.log1p(-2 * u.abs())

    def log_prob(self, v):
        if self._validate_args:
            self._validate_sample(v)
        return -torch.log(2 * self.scale) - (v - self.loc).abs() / self.scale


@register_kl(Laplacian, Laplacian)
def _kl(p, q):
    return (
        torch.log(q.scale / p.scale)
        + (p.scale * torch.exp(-(p.loc - q.loc).abs() / p.scale) + (p.loc - q.loc).abs()) / q.scale
        - 1
    )


la = Laplacian(torch.tensor(0.0), torch.tensor([1.0, 2.0]))
print(la, la.sample((2,)).shape, la.log_prob(torch.tensor(1.0)), kl_divergence(la, Laplacian(0.0, 1.0)), la.batch_shape)
try:
    Laplacian(torch.tensor(0.0), torch.tensor(-1.0))
except ValueError as e:
    print(str(e).split("\n")[0][:90])
print(
    transform_to(constraints.simplex)(torch.zeros(3)),
    biject_to(constraints.positive)(torch.tensor(0.0)),
    transform_to(constraints.lower_cholesky)(torch.eye(2)),
    transform_to(constraints.interval(0, 2))(torch.tensor(0.0)),
)
for dist in (
    D.Gamma(2.0, 3.0),
    D.Beta(2.0, 3.0),
    D.StudentT(5.0),
    D.Poisson(3.0),
    D.Geometric(0.3),
    D.Weibull(1.0, 2.0),
    D.Gumbel(0.0, 1.0),
    D.HalfCauchy(1.0),
    D.VonMises(0.0, 2.0),
    D.Dirichlet(torch.ones(3) * 2),
    D.LKJCholesky(2, 1.0),
    D.NegativeBinomial(4.0, 0.4),
    D.Multinomial(4, torch.ones(3)),
    D.LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2)),
    D.Wishart(torch.tensor(3.0), torch.eye(2)),
    D.Kumaraswamy(2.0, 3.0),
    D.ContinuousBernoulli(0.3),
    D.FisherSnedecor(4.0, 6.0),
    D.OneHotCategoricalStraightThrough(torch.ones(3) / 3),
    D.Pareto(1.0, 3.0),
    D.InverseGamma(3.0, 2.0),
    D.LogisticNormal(torch.zeros(2), torch.ones(2)),
    D.Binomial(5, 0.4),
):
    v = dist.sample()
    try:
        mv = dist.mean
    except NotImplementedError:
        mv = None
    print(dist, dist.event_shape, torch.isfinite(dist.log_prob(v)).all().item(), mv if mv is None else mv)


def pinball(p, y, q):
    e = y - p
    return torch.max(q * e, (q - 1) * e).mean()


qs = torch.tensor([0.1, 0.5, 0.9])
th = torch.zeros(3, requires_grad=True)
so = torch.optim.SGD([th], lr=0.2)
for _ in range(80):
    so.zero_grad()
    sum(pinball(th[i], dat, q) for i, q in enumerate(qs)).backward()
    so.step()
print(th.detach(), torch.quantile(dat, qs))
