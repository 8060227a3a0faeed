"""Image classifiers of the usual kind, class activation maps, style, U-Net, ViT."""


import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def make(n, g):
    y = torch.randint(0, 3, (n,), generator=g)
    x = torch.randn(n, 1, 12, 12, generator=g) * 0.3
    for i, c in enumerate(y):
        x[i, 0, c * 4 : (c + 1) * 4, :] += 1
    return TensorDataset(x, y)


g = torch.Generator().manual_seed(1)
train, test = make(96, g), make(48, g)
trl, tel = DataLoader(train, 16, shuffle=True), DataLoader(test, 16)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.drop = nn.Dropout2d(0.1)
        self.fc1 = nn.Linear(8 * 2 * 2, 16)
        self.fc2 = nn.Linear(16, 3)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.drop(self.pool(F.relu(self.bn(self.conv2(x)))))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


net = Net()
print(net)
params = list(net.parameters())
print(len(params), params[0].size())
crit = nn.CrossEntropyLoss()
opt = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def loop(dl, model, train=True):
    model.train(train)
    size, tot, correct = len(dl.dataset), 0.0, 0
    with torch.set_grad_enabled(train):
        for b, (X, y) in enumerate(dl):
            p = model(X)
            l = crit(p, y)
            tot += l.item() * len(X)
            correct += (p.argmax(1) == y).type(torch.float).sum().item()
            if train:
                l.backward()
                opt.step()
                opt.zero_grad()
            if train and b % 3 == 0:
                print(f"loss: {l.item():>7f}  [{b * 16 + len(X):>5d}/{size:>5d}]")
    return tot / size, correct / size


for e in range(3):
    print(f"Epoch {e + 1}\n-------------------------------")
    tl, ta = loop(trl, net)
    vl, va = loop(tel, net, False)
    print(f"Test Error: \n Accuracy: {(100 * va):>0.1f}%, Avg loss: {vl:>8f} \n")
cm = torch.zeros(3, 3, dtype=torch.int64)
net.eval()
with torch.no_grad():
    for X, y in tel:
        _, p = torch.max(net(X), 1)
        for t, q in zip(y.view(-1), p.view(-1)):
            cm[t.long(), q.long()] += 1
print(cm, cm.diag() / cm.sum(1))
tp = cm.diag().float()
print("precision", tp / cm.sum(0), "f1", 2 * tp / (cm.sum(0) + cm.sum(1)))
X, y = next(iter(tel))
X = X[:2].clone().requires_grad_()
l = crit(net(X), y[:2])
net.zero_grad()
l.backward()
adv = torch.clamp(X + 0.1 * X.grad.data.sign(), 0, 1)
print(l, crit(net(adv), y[:2]), X.grad.abs().amax(dim=(1, 2, 3)))
feats, grads = [], []
h1 = net.conv2.register_forward_hook(lambda m, i, o: feats.append(o))
h2 = net.conv2.register_full_backward_hook(lambda m, gi, go: grads.append(go[0]))
o = net(X)
o[0, y[0]].backward()
w = grads[0].mean(dim=[2, 3], keepdim=True)
cam = F.relu((w * feats[0]).sum(1, keepdim=True))
cam = F.interpolate(cam, size=(12, 12), mode="bilinear", align_corners=False)
print(cam.shape, cam[0, 0, 0], cam.max())
h1.remove()
h2.remove()
for p in net.parameters():
    p.requires_grad = False
net.fc2 = nn.Linear(net.fc2.in_features, 5)
opt = optim.Adam(net.fc2.parameters(), 1e-3)
print([n for n, p in net.named_parameters() if p.requires_grad])
net(X).sum().backward()
print(net.conv1.weight.grad is None or net.conv1.weight.grad.abs().sum(), net.fc2.weight.grad.norm())


def gram(x):
    a, b, c, d = x.size()
    f = x.view(a * b, c * d)
    return torch.mm(f, f.t()).div(a * b * c * d)


print(gram(feats[0].detach())[0, :4])
img = torch.rand(1, 1, 6, 6, requires_grad=True)
oi = optim.LBFGS([img])
run = [0]
while run[0] <= 10:

    def closure():
        with torch.no_grad():
            img.clamp_(0, 1)
        oi.zero_grad()
        l = F.mse_loss(gram(img), torch.full((1, 1), 0.01))
        l.backward()
        run[0] += 1
        return l

    oi.step(closure)
print(round(gram(img).item(), 3))


class Block(nn.Module):
    expansion = 1

    def __init__(self, i, o, s=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, s, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.shortcut = nn.Sequential()
        if s != 1 or i != o:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


b = nn.Sequential(Block(1, 4), Block(4, 8, 2))
r = b(torch.randn(2, 1, 8, 8))
print(b, r.mean(), r.shape)
r.mean().backward()
print(b[1].shortcut[0].weight.grad.norm(), b[0].bn1.running_var)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1 = self.dc(1, 4)
        self.d2 = self.dc(4, 8)
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.u1 = self.dc(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def dc(self, i, o):
        return nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(o, o, 3, padding=1), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        a = self.d1(x)
        c = self.d2(F.max_pool2d(a, 2))
        u = self.up(c)
        dy, dx = a.size(2) - u.size(2), a.size(3) - u.size(3)
        u = F.pad(u, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.out(self.u1(torch.cat([a, u], 1)))


u = UNet()
o = u(torch.randn(1, 1, 9, 9))
print(o.shape, o.mean())
t = (torch.rand(1, 1, 9, 9) > 0.5).float()
p = o.sigmoid()
dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
dice.backward()
print(dice, u.out.weight.grad.flatten())
dw = nn.Conv2d(4, 4, 3, groups=4, padding=1)
pw = nn.Conv2d(4, 6, 1)
x = torch.randn(1, 4, 5, 5)
print(
    pw(dw(x)).sum(),
    F.adaptive_avg_pool2d(x, 1).flatten(),
    F.unfold(x, 2).shape,
    nn.PixelShuffle(2)(x).shape,
    F.pixel_unshuffle(torch.randn(1, 1, 4, 4), 2).shape,
    F.interpolate(x, scale_factor=2, mode="nearest").sum(),
    F.interpolate(x, size=(3, 7), mode="bicubic", align_corners=True).sum(),
    F.affine_grid(torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 2, 2), align_corners=False),
    F.grid_sample(
        x,
        F.affine_grid(torch.tensor([[[0.5, 0, 0.1], [0, 0.5, 0]]]), (1, 4, 3, 3), align_corners=False),
        align_corners=False,
    ).sum(),
    F.max_pool2d(x, 2, return_indices=True)[1][0, 0],
    F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)[0, 0],
    F.local_response_norm(x, 2).sum(),
    F.conv2d(x, torch.ones(4, 1, 3, 3), padding=1, groups=4)[0, 0, 0],
    F.conv_transpose2d(x, torch.ones(4, 2, 2, 2), stride=2).shape,
)


class SE(nn.Module):
    def __init__(self, c, r=2):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(c, c // r, bias=False), nn.ReLU(inplace=True), nn.Linear(c // r, c, bias=False), nn.Sigmoid()
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        return x * self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1).expand_as(x)


print(SE(4)(x).mean(), SE(4))


class PatchEmbed(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(1, 8, 4, 4)
        self.cls = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos = nn.Parameter(torch.randn(1, 10, 8))
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True), 1)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.head(self.enc(x)[:, 0])


v = PatchEmbed()
o = v(train[0][0][None])
print(o)
F.cross_entropy(o, torch.tensor([1])).backward()
print(v.cls.grad)
