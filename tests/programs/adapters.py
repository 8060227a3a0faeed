"""Low-rank adapters, quantisation with a straight-through gradient, mixtures of experts, contrastive losses."""

import copy
import gc
import math
import weakref

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class LoRALinear(nn.Module):
    def __init__(self, base, r=2, alpha=4, drop=0.0):
        super().__init__()
        self.base = base
        self.A = nn.Parameter(torch.empty(r, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.scale = alpha / r
        self.d = nn.Dropout(drop)
        for p in self.base.parameters():
            p.requires_grad = False

    def forward(self, x):
        return self.base(x) + self.d(x) @ self.A.T @ self.B.T * self.scale

    @torch.no_grad()
    def merge(self):
        self.base.weight += self.B @ self.A * self.scale
        self.B.zero_()

    def extra_repr(self):
        return f"r={self.A.shape[0]}, scale={self.scale}"


def inject(m):
    for n, c in m.named_children():
        if isinstance(c, nn.Linear):
            setattr(m, n, LoRALinear(c))
        else:
            inject(c)
    return m


net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.Tanh()), nn.Linear(8, 3))
x, y = torch.randn(30, 6), torch.randint(0, 3, (30,))
ref = net(x).detach()
inject(net)
print(net)
print(
    torch.equal(net(x), ref),
    sum(p.numel() for p in net.parameters() if p.requires_grad),
    sum(p.numel() for p in net.parameters()),
)
opt = torch.optim.Adam(filter(lambda p: p.requires_grad, net.parameters()), 1e-2)
for i in range(30):
    l = F.cross_entropy(net(x), y)
    opt.zero_grad()
    l.backward()
    opt.step()
print(f"{l:.4f}", net[0].base.weight.grad, net[0].A.grad.shape)
before = net(x)
[m.merge() for m in net.modules() if isinstance(m, LoRALinear)]
print((net(x) - before).abs().max() < 1e-5)


# fake quant with straight-through
class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


class Quant(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, s, lo, hi):
        q = (x / s).round()
        ctx.save_for_backward(x, s, q)
        ctx.r = lo, hi
        return q.clamp(lo, hi) * s

    @staticmethod
    def backward(ctx, g):
        x, s, q = ctx.saved_tensors
        lo, hi = ctx.r
        inside = (q >= lo) & (q <= hi)
        gs = torch.where(inside, q - x / s, q.clamp(lo, hi))
        return g * inside, (g * gs).sum().reshape(s.shape), None, None


class QLinear(nn.Linear):
    def __init__(self, *a, bits=4, **k):
        super().__init__(*a, **k)
        self.s = nn.Parameter(2 * self.weight.detach().abs().mean() / math.sqrt(2 ** (bits - 1) - 1))
        self.b = bits

    def forward(self, x):
        return F.linear(x, Quant.apply(self.weight, self.s, -(2 ** (self.b - 1)), 2 ** (self.b - 1) - 1), self.bias)


q = nn.Sequential(QLinear(6, 16), nn.ReLU(), QLinear(16, 3, bits=3))
opt = torch.optim.SGD(q.parameters(), 0.1, momentum=0.9, nesterov=True)
for i in range(40):
    l = F.multi_margin_loss(q(x), y)
    opt.zero_grad()
    l.backward()
    opt.step()
    if i < 3:
        print(i, f"{l:.4f} {q[0].s.item():.4f} {q[0].s.grad.item():+.4f}")
print(
    q,
    Quant.apply(q[0].weight, q[0].s, -8, 7).div(q[0].s).round().unique().numel() <= 16,
    Round.apply(torch.tensor([1.5, 2.5, -0.5], requires_grad=True)),
)
xq = torch.randn(5) * 3
sc, zp = (xq.max() - xq.min()) / 255, 3
qi = torch.clamp(torch.round(xq / sc) + zp, 0, 255).to(torch.uint8)
print(qi.dtype, ((qi.float() - zp) * sc - xq).abs().max() <= sc * 200)


# gumbel / sparsemax / MoE
def sparsemax(z):
    s, _ = z.sort(-1, descending=True)
    k = torch.arange(1, z.size(-1) + 1)
    c = s.cumsum(-1)
    sup = 1 + k * s > c
    n = sup.sum(-1, keepdim=True)
    tau = (c.gather(-1, n - 1) - 1) / n
    return (z - tau).clamp(min=0)


print(
    sparsemax(torch.tensor([[1.0, 0.8, -1.0], [3.0, 0, 0]])),
    torch.manual_seed(3).initial_seed(),
    F.gumbel_softmax(torch.zeros(2, 3), hard=True, tau=0.5),
)


class MoE(nn.Module):
    def __init__(self, d, E, k):
        super().__init__()
        self.g = nn.Linear(d, E)
        self.e = nn.ModuleList(nn.Linear(d, d) for _ in range(E))
        self.k = k

    def forward(self, x):
        p = self.g(x).softmax(-1)
        w, i = p.topk(self.k, -1)
        w = w / w.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        for j, e in enumerate(self.e):
            t, slot = torch.where(i == j)
            if t.numel():
                out.index_add_(0, t, e(x[t]) * w[t, slot, None])
        load = F.one_hot(i, len(self.e)).sum(1).float().mean(0)
        return out, (load * p.mean(0)).sum() * len(self.e)


moe = MoE(6, 4, 2)
o, aux = moe(x)
(o.pow(2).mean() + aux).backward()
print(o[0], aux, [e.weight.grad is not None for e in moe.e], moe.g.weight.grad.norm())
# distillation, focal, mixup, triplet, contrastive losses
T, S = nn.Linear(6, 3), nn.Linear(6, 3)
kd = F.kl_div(F.log_softmax(S(x) / 4, 1), F.softmax(T(x) / 4, 1), reduction="batchmean") * 16
print(kd)


def focal(lg, t, g=2.0, a=0.25):
    ce = F.cross_entropy(lg, t, reduction="none")
    pt = torch.exp(-ce)
    return (a * (1 - pt) ** g * ce).mean()


print(
    focal(S(x), y),
    F.cross_entropy(S(x), F.one_hot(y, 3) * 0.9 + 0.1 / 3),
    F.cross_entropy(S(x), y, weight=torch.tensor([1.0, 2, 3]), label_smoothing=0.1),
    nn.LabelSmoothing if hasattr(nn, "LabelSmoothing") else "none",
)
lam = torch.distributions.Beta(0.4, 0.4).sample()
ix = torch.randperm(30)
mx = lam * x + (1 - lam) * x[ix]
print(lam, lam * F.cross_entropy(S(mx), y) + (1 - lam) * F.cross_entropy(S(mx), y[ix]))
e = F.normalize(S(x), dim=1)
sim = e @ e.T / 0.5
sim.fill_diagonal_(-9e15)
print(
    F.cross_entropy(sim, torch.arange(30).roll(15)),
    F.triplet_margin_loss(e[:10], e[10:20], e[20:]),
    F.cosine_embedding_loss(e[:5], e[5:10], torch.tensor([1, -1, 1, -1, 1])),
    F.margin_ranking_loss(e[:, 0], e[:, 1], torch.ones(30), 0.1),
    F.hinge_embedding_loss(e[:, 0], torch.ones(30)),
    F.poisson_nll_loss(e[:, 0], torch.ones(30)),
    F.gaussian_nll_loss(e[:, 0], e[:, 1], torch.ones(30)),
    F.huber_loss(e, e * 2, delta=0.3),
)
# VICReg/BarlowTwins/EMA-teacher
z1, z2 = S(x), S(x + 0.1 * torch.randn_like(x))
n1, n2 = ((z - z.mean(0)) / z.std(0) for z in (z1, z2))
c = n1.T @ n2 / 30
print(
    (c.diagonal() - 1).pow(2).sum() + 0.005 * c.flatten()[:-1].view(2, 4)[:, 1:].pow(2).sum(),
    torch.cov(z1.T),
    torch.corrcoef(z1.T)[0],
)
t = copy.deepcopy(S).requires_grad_(False)
for a, b in zip(t.parameters(), S.parameters()):
    a.lerp_(b.detach(), 0.1)
r = weakref.ref(o)
del o
gc.collect()
print(r() is None, [p.requires_grad for p in t.parameters()])
