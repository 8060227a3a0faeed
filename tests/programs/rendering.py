"""A radiance field, a sine network, a U-Net, style and structure losses."""

import math
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class PE(nn.Module):
    def __init__(self, L):
        super().__init__()
        self.register_buffer("f", 2.0 ** torch.arange(L) * math.pi)

    def forward(self, x):
        y = (x[..., None] * self.f).flatten(-2)
        return torch.cat([x, y.sin(), y.cos()], -1)


class NeRF(nn.Module):
    def __init__(self):
        super().__init__()
        self.pe = PE(3)
        self.net = nn.Sequential(OrderedDict(l1=nn.Linear(21, 32), a1=nn.ReLU(), l2=nn.Linear(32, 4)))

    def forward(self, p):
        h = self.net(self.pe(p))
        return torch.sigmoid(h[..., :3]), F.relu(h[..., 3])


def rays(H, W, f, c2w):
    j, i = torch.meshgrid(torch.arange(H, dtype=torch.float32), torch.arange(W, dtype=torch.float32), indexing="ij")
    d = torch.stack([(i - W * 0.5) / f, -(j - H * 0.5) / f, -torch.ones_like(i)], -1)
    rd = torch.sum(d[..., None, :] * c2w[:3, :3], -1)
    return c2w[:3, -1].expand(rd.shape), rd


def render(m, o, d, n=8, near=1.0, far=3.0, rand=True):
    z = torch.linspace(near, far, n).expand(*o.shape[:-1], n).clone()
    if rand:
        z += torch.rand_like(z) * (far - near) / n
    rgb, sig = m(o[..., None, :] + d[..., None, :] * z[..., None])
    dl = torch.cat([z[..., 1:] - z[..., :-1], torch.tensor([1e10]).expand(z[..., :1].shape)], -1)
    a = 1.0 - torch.exp(-sig * dl)
    w = a * torch.cumprod(torch.cat([torch.ones_like(a[..., :1]), 1.0 - a + 1e-10], -1), -1)[..., :-1]
    return (w[..., None] * rgb).sum(-2), (w * z).sum(-1), w.sum(-1)


c2w = torch.eye(4)
c2w[2, 3] = 2.0
o, d = rays(8, 8, 8.0, c2w)
print(o.shape, d[0, 0], d.is_contiguous())
tgt = torch.stack([(d[..., 0] > 0).float(), (d[..., 1] > 0).float(), torch.full((8, 8), 0.5)], -1)
m = NeRF()
opt = torch.optim.Adam(m.parameters(), 1e-2)
print(m)
for i in range(25):
    c, dep, acc = render(m, o, d)
    l = F.mse_loss(c, tgt)
    opt.zero_grad()
    l.backward()
    opt.step()
    if i % 8 == 0:
        print(i, f"loss {l.item():.5f} psnr {-10.0 * torch.log10(l).item():.2f}")


def pdf(bins, w, n):
    p = (w + 1e-5) / (w + 1e-5).sum(-1, keepdim=True)
    c = torch.cat([torch.zeros_like(p[..., :1]), p.cumsum(-1)], -1)
    u = torch.linspace(0.0, 1.0, n).expand(*c.shape[:-1], n).contiguous()
    i = torch.searchsorted(c, u, right=True)
    b, a = (i - 1).clamp(min=0), i.clamp(max=c.shape[-1] - 1)
    g = torch.stack([b, a], -1)
    cg = torch.gather(c.unsqueeze(-2).expand(*g.shape[:-1], c.shape[-1]), -1, g)
    bg = torch.gather(bins.unsqueeze(-2).expand(*g.shape[:-1], bins.shape[-1]), -1, g)
    den = cg[..., 1] - cg[..., 0]
    den = torch.where(den < 1e-5, torch.ones_like(den), den)
    return bg[..., 0] + (u - cg[..., 0]) / den * (bg[..., 1] - bg[..., 0])


print(pdf(torch.linspace(0, 1, 5), torch.tensor([0.1, 0.5, 0.3, 0.1]), 4))


# SIREN
class Sine(nn.Module):
    def __init__(self, w0=30.0):
        super().__init__()
        self.w0 = w0

    def forward(self, x):
        return torch.sin(self.w0 * x)


sir = nn.Sequential(nn.Linear(2, 16), Sine(), nn.Linear(16, 16), Sine(), nn.Linear(16, 1))


@torch.no_grad()
def init(mod):
    if isinstance(mod, nn.Linear):
        mod.weight.uniform_(-math.sqrt(6 / mod.in_features) / 30, math.sqrt(6 / mod.in_features) / 30)


sir.apply(init)
xy = torch.rand(20, 2).requires_grad_()
out = sir(xy)
g = torch.autograd.grad(out.sum(), xy, create_graph=True)[0]
lap = sum(torch.autograd.grad(g[:, i].sum(), xy, create_graph=True)[0][:, i] for i in range(2))
print(out[:3], g[:2], lap[:3])


# U-Net
class DC(nn.Sequential):
    def __init__(self, i, o):
        super().__init__(
            nn.Conv2d(i, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, padding="same", padding_mode="reflect"),
            nn.GroupNorm(2, o),
            nn.LeakyReLU(0.1, True),
        )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2, self.mid = DC(1, 4), DC(4, 8), DC(8, 8)
        self.p = nn.MaxPool2d(2)
        self.u2 = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.c2 = DC(16, 4)
        self.u1 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.c1 = DC(8, 4)
        self.o = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.p(a))
        c = self.mid(self.p(b))
        b = self.c2(torch.cat([self.u2(c), b], 1))
        return self.o(self.c1(torch.cat([self.u1(b), a], dim=1)))


u = UNet()
print(u.d1, sum(p.numel() for p in u.parameters()))
img = torch.rand(2, 1, 16, 16)
msk = (img[:, 0] > 0.5).long()
opt = torch.optim.RAdam(u.parameters(), 1e-2)


def dice(lg, t):
    p = lg.softmax(1)[:, 1]
    t = t.float()
    i = (p * t).sum((1, 2))
    return 1 - ((2 * i + 1) / (p.sum((1, 2)) + t.sum((1, 2)) + 1)).mean()


for i in range(8):
    lg = u(img)
    l = F.cross_entropy(lg, msk) + dice(lg, msk)
    opt.zero_grad()
    l.backward()
    opt.step()
    print(f"{l.item():.3f}", end=" ")
u.eval()
pr = u(img).argmax(1)
iou = ((pr == 1) & (msk == 1)).sum() / ((pr == 1) | (msk == 1)).sum()
print(iou, u.d1[1].running_mean, u.d1[1].num_batches_tracked)
# style losses, TV, SSIM
f = torch.rand(1, 3, 8, 8, requires_grad=True)
gram = lambda t: torch.einsum("bchw,bdhw->bcd", t, t) / t[0].numel()
tv = (f[..., 1:] - f[..., :-1]).abs().mean() + (f[..., 1:, :] - f[..., :-1, :]).abs().mean()
print(gram(f), tv)
k = torch.outer(*(2 * [torch.exp(-(torch.arange(-2.0, 3) ** 2) / 2)]))
k = (k / k.sum()).expand(3, 1, 5, 5)
mu = F.conv2d(f, k, groups=3)
var = F.conv2d(f * f, k, groups=3) - mu**2
print(mu.shape, var.mean())
lb = torch.optim.LBFGS([f], lr=0.5, max_iter=5, line_search_fn="strong_wolfe")
tg = gram(torch.rand(1, 3, 8, 8))


def closure():
    lb.zero_grad()
    l = F.mse_loss(gram(f), tg) * 100 + tv.detach() * 0
    l.backward()
    return l


for i in range(3):
    print(lb.step(closure).item() > 0, end=" ")
print(
    f"{closure().item():.2e}" < "1e0" or True,
    F.affine_grid(torch.eye(2, 3)[None], (1, 1, 2, 2), align_corners=False),
    F.grid_sample(torch.arange(4.0).view(1, 1, 2, 2), torch.zeros(1, 1, 1, 2), align_corners=False),
    F.pixel_shuffle(torch.arange(4.0).view(1, 4, 1, 1), 2),
    F.unfold(torch.arange(9.0).view(1, 1, 3, 3), 2),
    F.fold(torch.ones(1, 4, 4), (3, 3), 2),
    F.avg_pool2d(torch.ones(1, 1, 3, 3), 2, padding=1, stride=1, count_include_pad=False)[0, 0, 0],
    F.max_pool2d(torch.arange(16.0).view(1, 1, 4, 4), 2, return_indices=True)[1],
    F.adaptive_max_pool2d(torch.arange(9.0).view(1, 1, 3, 3), 2),
    F.lp_pool1d(torch.ones(1, 1, 4), 2, 2),
    F.local_response_norm(torch.ones(1, 2, 2), 2),
)
