"""A variational autoencoder, a GAN, a gradient penalty, a normalising flow."""

import math

import torch
from torch import nn, optim
from torch.distributions import MultivariateNormal
from torch.nn import functional as F

torch.manual_seed(1)
data = (torch.rand(256, 64) > 0.7).float()


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, lv = self.encode(x.view(-1, 64))
        return self.decode(self.reparameterize(mu, lv)), mu, lv


model = VAE()
print(model)
opt = optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(3):
    model.train()
    total = 0
    for i in range(0, 256, 64):
        x = data[i : i + 64]
        opt.zero_grad()
        r, mu, lv = model(x)
        loss = F.binary_cross_entropy(r, x, reduction="sum") - 0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp())
        loss.backward()
        total += loss.item()
        opt.step()
        if i == 0:
            print(
                f"Train Epoch: {epoch} [{i}/{256} ({100.0 * i / 256:.0f}%)]\tLoss: {loss.item() / len(x):.6f}"
            )
    print(f"====> Epoch: {epoch} Average loss: {total / 256:.4f}")
with torch.no_grad():
    print(model.decode(torch.randn(2, 4))[:, :5])
# GAN
G = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2, inplace=True), nn.BatchNorm1d(16), nn.Linear(16, 2), nn.Tanh())
Dn = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 16)), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def weights_init(m):
    cn = m.__class__.__name__
    if cn.find("Linear") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif cn.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


G.apply(weights_init)
print(G, Dn)
oG, oD = (
    optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999)),
    optim.Adam(Dn.parameters(), lr=2e-3, betas=(0.5, 0.999)),
)
crit = nn.BCEWithLogitsLoss()
fixed = torch.randn(4, 8)
for it in range(12):
    real = torch.randn(32, 2) * 0.3 + 0.5
    label = torch.full((32,), 1.0, dtype=torch.float)
    Dn.zero_grad()
    out = Dn(real).view(-1)
    e = crit(out, label)
    e.backward()
    dx = out.mean().item()
    fake = G(torch.randn(32, 8))
    label.fill_(0.0)
    out = Dn(fake.detach()).view(-1)
    ef = crit(out, label)
    ef.backward()
    oD.step()
    G.zero_grad()
    label.fill_(1.0)
    out = Dn(fake).view(-1)
    eg = crit(out, label)
    eg.backward()
    oG.step()
    if it % 3 == 0:
        print(
            "[%d] Loss_D: %.4f\tLoss_G: %.4f\tD(x): %.4f\tD(G(z)): %.4f"
            % (it, (e + ef).item(), eg.item(), dx, out.mean().item())
        )
G.eval()
print(G(fixed))
print(list(Dn.state_dict()))
# WGAN-GP penalty
al = torch.rand(32, 1)
inter = (al * real + (1 - al) * fake.detach()).requires_grad_(True)
o = Dn(inter)
gr = torch.autograd.grad(o, inter, grad_outputs=torch.ones_like(o), create_graph=True, retain_graph=True)[0]
gp = ((gr.norm(2, dim=1) - 1) ** 2).mean()
Dn.zero_grad()
gp.backward()
print(gp, Dn[2].weight.grad.norm())


# RealNVP
class Coupling(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)
        self.s = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), nn.Tanh())
        self.t = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, x):
        m = x * self.mask
        s, t = self.s(m) * (1 - self.mask), self.t(m) * (1 - self.mask)
        return m + (1 - self.mask) * ((x - t) * torch.exp(-s)), -s.sum(1)


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Coupling(torch.tensor([i % 2, 1 - i % 2]).float()) for i in range(4)])
        self.register_buffer("loc", torch.zeros(2))
        self.register_buffer("cov", torch.eye(2))

    def log_prob(self, x):
        ld = 0
        for l in self.layers:
            x, d = l(x)
            ld = ld + d
        return MultivariateNormal(self.loc, self.cov).log_prob(x) + ld


flow = Flow()
print(flow)
o = optim.Adam(flow.parameters(), 1e-2)
t = torch.rand(200) * math.pi
X = torch.stack([t.cos(), t.sin()], 1) + 0.1 * torch.randn(200, 2)
for i in range(30):
    o.zero_grad()
    l = -flow.log_prob(X).mean()
    l.backward()
    o.step()
    if i % 10 == 0:
        print(i, f"{l.item():.4f}")
print(flow.log_prob(X[:3]), sum(p.numel() for p in flow.parameters()), [k for k, _ in flow.named_buffers()])
