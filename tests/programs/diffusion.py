"""A diffusion model, Q-learning with a replay memory, k-means, fractals, the game of life, warped images."""

import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
random.seed(0)
T = 20
betas = torch.linspace(1e-4, 0.02, T)
alphas = 1.0 - betas
ac = torch.cumprod(alphas, axis=0)
acp = F.pad(ac[:-1], (1, 0), value=1.0)
sq, s1 = torch.sqrt(ac), torch.sqrt(1.0 - ac)
pv = betas * (1.0 - acp) / (1.0 - ac)
print(pv[:4], torch.sqrt(1.0 / alphas)[-1])


def extract(a, t, xs):
    out = a.gather(-1, t.cpu())
    return out.reshape(t.shape[0], *((1,) * (len(xs) - 1))).to(t.device)


class SinPE(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, time):
        h = self.dim // 2
        e = math.log(10000) / (h - 1)
        e = torch.exp(torch.arange(h, device=time.device) * -e)
        e = time[:, None] * e[None, :]
        return torch.cat((e.sin(), e.cos()), dim=-1)


class U(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Sequential(SinPE(8), nn.Linear(8, 16), nn.GELU())
        self.d = nn.Conv2d(1, 16, 3, padding=1)
        self.n = nn.GroupNorm(4, 16)
        self.dn = nn.Conv2d(16, 16, 4, 2, 1)
        self.up = nn.ConvTranspose2d(16, 16, 4, 2, 1)
        self.o = nn.Conv2d(32, 1, 1)

    def forward(self, x, t):
        a = F.silu(self.n(self.d(x) + self.t(t)[:, :, None, None]))
        b = self.up(self.dn(a))
        return self.o(torch.cat((a, b), dim=1))


m = U()
opt = torch.optim.Adam(m.parameters(), lr=1e-3)
X = torch.randn(8, 1, 8, 8)
for i in range(4):
    t = torch.randint(0, T, (8,)).long()
    n = torch.randn_like(X)
    xn = extract(sq, t, X.shape) * X + extract(s1, t, X.shape) * n
    l = F.smooth_l1_loss(n, m(xn, t))
    opt.zero_grad()
    l.backward()
    opt.step()
    print(f"{l.item():.6f}")


@torch.inference_mode()
def sample():
    img = torch.randn(2, 1, 8, 8)
    for i in reversed(range(0, T)):
        t = torch.full((2,), i, dtype=torch.long)
        mm = torch.sqrt(1 / alphas[i]) * (img - betas[i] * m(img, t) / s1[i])
        img = mm if i == 0 else mm + torch.sqrt(pv[i]) * torch.randn_like(img)
    return img


print(sample().mean())
Tr = namedtuple("Transition", ("state", "action", "next_state", "reward"))
mem = deque([], maxlen=50)
pn, tn = [nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(2)]
tn.load_state_dict(pn.state_dict())
opt = torch.optim.AdamW(pn.parameters(), lr=1e-3, amsgrad=True)
for i in range(30):
    s = torch.tensor([random.random() for _ in range(4)], dtype=torch.float32).unsqueeze(0)
    with torch.no_grad():
        a = pn(s).max(1).indices.view(1, 1)
    mem.append(Tr(s, a, None if i % 7 == 0 else s + 0.1, torch.tensor([1.0])))
for _ in range(3):
    b = Tr(*zip(*random.sample(mem, 16)))
    mask = torch.tensor(tuple(s is not None for s in b.next_state), dtype=torch.bool)
    nf = torch.cat([s for s in b.next_state if s is not None])
    sa = pn(torch.cat(b.state)).gather(1, torch.cat(b.action))
    nv = torch.zeros(16)
    with torch.no_grad():
        nv[mask] = tn(nf).max(1).values
    l = nn.SmoothL1Loss()(sa, (nv * 0.9 + torch.cat(b.reward)).unsqueeze(1))
    opt.zero_grad()
    l.backward()
    nn.utils.clip_grad_value_(pn.parameters(), 100)
    opt.step()
    sd, pd = tn.state_dict(), pn.state_dict()
    for k in pd:
        sd[k] = pd[k] * 0.005 + sd[k] * 0.995
    tn.load_state_dict(sd)
    print(f"{l.item():.6f}", sd["0.bias"].sum())
# contrastive / siamese / metric
a, b = F.normalize(torch.randn(4, 8), dim=1), F.normalize(torch.randn(4, 8), dim=1)
lg = a @ b.T * torch.tensor(0.07).reciprocal()
print(F.cross_entropy(lg, torch.arange(4)), torch.cdist(a, b), F.pairwise_distance(a, b))
# kmeans, pca, mandelbrot, game of life, ray, rbf, conv kernels
P = torch.randn(50, 2)
C = P[:3].clone()
for _ in range(4):
    d = torch.cdist(P, C).argmin(1)
    C = torch.stack([P[d == k].mean(0) for k in range(3)])
print(
    C,
    torch.pca_lowrank(P, q=2)[1],
    torch.cov(P.T),
    torch.corrcoef(P.T),
    torch.histc(P, 4),
    torch.quantile(P, 0.5, dim=0),
)
Y, Xx = torch.meshgrid(torch.linspace(-1.3, 1.3, 8), torch.linspace(-2, 1, 8), indexing="ij")
z = torch.complex(Xx, Y)
zs = z.clone()
ns = torch.zeros_like(z.real)
for i in range(20):
    z = z * z + zs
    ns += torch.abs(z) < 4
print(ns)
g = (torch.rand(6, 6) > 0.6).float()
k = torch.ones(1, 1, 3, 3)
k[0, 0, 1, 1] = 0
nb = F.conv2d(F.pad(g[None, None], (1,) * 4, mode="circular"), k)[0, 0]
print(((g == 1) & ((nb == 2) | (nb == 3)) | (g == 0) & (nb == 3)).int())
th = torch.tensor([[[1.0, 0, 0.2], [0, 1, 0]]])
print(
    F.grid_sample(
        torch.arange(16.0).view(1, 1, 4, 4), F.affine_grid(th, (1, 1, 4, 4), align_corners=False), align_corners=False
    ),
    F.interpolate(torch.arange(4.0).view(1, 1, 2, 2), size=(3, 3), mode="bilinear", align_corners=True),
    F.unfold(torch.arange(9.0).view(1, 1, 3, 3), 2),
)
