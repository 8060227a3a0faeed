"""Hidden Markov models by autograd, soft-DTW, Sinkhorn, a memory network, message passing, boxes."""


import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(11)
T, N, K = 12, 3, 4
pi, A, B = (nn.Parameter(torch.randn(*s)) for s in ((N,), (N, N), (N, K)))
obs = torch.randint(0, K, (5, T))


def forward_alg(o):
    la = pi.log_softmax(0) + B.log_softmax(1)[:, o[:, 0]].T
    for t in range(1, T):
        la = torch.logsumexp(la[:, :, None] + A.log_softmax(1), 1) + B.log_softmax(1).T[o[:, t]]
    return la.logsumexp(1)


opt = torch.optim.Adam([pi, A, B], 0.1)
for i in range(40):
    l = -forward_alg(obs).mean()
    opt.zero_grad()
    l.backward()
    opt.step()
    if i % 13 == 0:
        print(f"{i:02d} {l.item():.4f} |A'|={A.grad.norm():.4f}")
em = B.log_softmax(1).T[obs].detach().requires_grad_()
la = pi.log_softmax(0) + em[:, 0]
for t in range(1, T):
    la = torch.logsumexp(la[:, :, None] + A.log_softmax(1), 1) + em[:, t]
(post,) = torch.autograd.grad(la.logsumexp(1).sum(), em)
print(post.sum(-1)[0], post[0, :2])


def soft_dtw(D, g=0.5):
    n, m = D.shape
    R = {(0, 0): torch.zeros(())}
    inf = torch.tensor(1e8)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            R[i, j] = D[i - 1, j - 1] - g * torch.logsumexp(
                torch.stack([-R.get(k, inf) / g for k in ((i - 1, j - 1), (i - 1, j), (i, j - 1))]), 0
            )
    return R[n, m]


a, b = torch.linspace(0, 1, 5, requires_grad=True), torch.linspace(0.2, 1, 4)
v = soft_dtw((a[:, None] - b) ** 2)
v.backward()
print(v, a.grad)


def softsort(s, tau=0.5):
    return F.softmax(-(s.sort(descending=True).values[:, None] - s[None]).abs() / tau, -1)


s = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
P = softsort(s)
(P @ s)[0].backward()
print(P, s.grad)


def sinkhorn(x, n=20):
    for _ in range(n):
        x = x - x.logsumexp(1, keepdim=True)
        x = x - x.logsumexp(0, keepdim=True)
    return x.exp()


print(sinkhorn(torch.randn(3, 3)).sum(0))


class Mem(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.LSTMCell(4 + 3, 8)
        self.k = nn.Linear(8, 3)
        self.b = nn.Linear(8, 1)
        self.e = nn.Linear(8, 6)
        self.o = nn.Linear(8 + 3, 4)

    def forward(self, x):
        M = torch.full((x.size(0), 5, 3), 1e-2)
        r = torch.zeros(x.size(0), 3)
        st = None
        ys = []
        for t in range(x.size(1)):
            st = self.c(torch.cat([x[:, t], r], 1), st)
            h = st[0]
            w = F.softmax(F.softplus(self.b(h)) * F.cosine_similarity(M, self.k(h)[:, None], dim=-1), -1)
            e, a_ = self.e(h).chunk(2, 1)
            M = M * (1 - w[..., None] * e.sigmoid()[:, None]) + w[..., None] * a_[:, None]
            r = torch.einsum("bn,bnd->bd", w, M)
            ys.append(self.o(torch.cat([h, r], 1)))
        return torch.stack(ys, 1)


m = Mem()
x = torch.randn(2, 4, 4)
o = m(x)
F.mse_loss(o, x).backward()
print(o[0, 0], m.k.weight.grad.norm(), o.grad_fn.name())


class Hyper(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Linear(3, 4 * 2 + 2)

    def forward(self, z, x):
        w = self.h(z)
        W, b_ = w[:, :8].view(-1, 2, 4), w[:, 8:]
        return torch.baddbmm(b_.unsqueeze(1), x, W.transpose(1, 2))


hy = Hyper()
y = hy(torch.randn(2, 3), torch.randn(2, 5, 4))
print(y.shape, y.grad_fn.name(), y.stride())
ei = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 2]])
ea = torch.randn(4, 2)
h = torch.randn(3, 4)


class MPNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.Sequential(nn.Linear(10, 4), nn.ReLU())
        self.u = nn.GRUCell(4, 4)

    def forward(self, h):
        msg = self.m(torch.cat([h[ei[0]], h[ei[1]], ea], -1))
        return self.u(torch.zeros_like(h).scatter_add(0, ei[1][:, None].expand(-1, 4), msg), h)


mp = MPNN()
print(mp(mp(h)), mp.u)
pts = torch.randn(2, 3, 10)
tn = nn.Sequential(nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8), nn.ReLU())
f = tn(pts)
g, idx = f.max(2)
print(g.shape, idx[0, :4], torch.cat([f, g[..., None].expand(-1, -1, 10)], 1).shape)


def fps(x, k):
    n = [0]
    d = torch.full((x.size(0),), float("inf"))
    for _ in range(k - 1):
        d = torch.minimum(d, ((x - x[n[-1]]) ** 2).sum(1))
        n.append(int(d.argmax()))
    return n


print(
    fps(pts[0].T, 4),
    torch.cdist(pts[0].T, pts[1].T).min(1)[0].mean() + torch.cdist(pts[1].T, pts[0].T).min(1).values.mean(),
)
R = torch.linalg.matrix_exp if hasattr(torch.linalg, "matrix_exp") else torch.matrix_exp
th = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
hat = torch.zeros(3, 3).index_put(
    (torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([1, 2, 0, 2, 0, 1])),
    torch.stack([-th[2], th[1], th[2], -th[0], -th[1], th[0]]),
)
Rm = R(hat)
Rm[0, 1].backward()
print(Rm, th.grad, torch.det(Rm))
U, S, Vt = torch.linalg.svd((pts[0] - pts[0].mean(1, True)) @ (pts[1] - pts[1].mean(1, True)).T)
print((U @ torch.diag(torch.tensor([1.0, 1, torch.det(U @ Vt)])) @ Vt).det())
q = F.normalize(torch.randn(4), dim=0)
print(q, torch.outer(q, q).trace())
anc = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6]])
bx = torch.tensor([[1.0, 1, 3, 3]])


def iou(a, b):
    lt, rb = torch.max(a[:, None, :2], b[:, :2]), torch.min(a[:, None, 2:], b[:, 2:])
    i = (rb - lt).clamp(min=0).prod(2)
    ar = lambda z: (z[:, 2] - z[:, 0]) * (z[:, 3] - z[:, 1])
    return i / (ar(a)[:, None] + ar(b) - i)


print(iou(anc, bx))


def nms(b, s, t=0.3):
    keep, o = [], s.argsort(descending=True)
    while o.numel():
        i = o[0].item()
        keep.append(i)
        o = o[1:][iou(b[o[1:]], b[i][None]).flatten() <= t] if o.numel() > 1 else o[:0]
    return keep


bb = torch.tensor([[0.0, 0, 4, 4], [0.5, 0.5, 4, 4], [5, 5, 8, 8]])
print(nms(bb, torch.tensor([0.9, 0.8, 0.7])))
