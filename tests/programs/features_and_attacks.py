"""Hooks: features, Grad-CAM, guided backprop, integrated gradients, saliency, FGSM and PGD."""

from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)


class Block(nn.Module):
    expansion = 1

    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.downsample = (
            nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
            if stride != 1 or cin != cout
            else None
        )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


net = nn.Sequential(
    OrderedDict(
        [
            ("stem", nn.Conv2d(3, 8, 3, padding=1)),
            ("layer1", Block(8, 8)),
            ("layer2", Block(8, 16, 2)),
            ("pool", nn.AdaptiveAvgPool2d(1)),
            ("flat", nn.Flatten()),
            ("fc", nn.Linear(16, 5)),
        ]
    )
).eval()
feats, grads = {}, {}
handles = [
    net.layer2.register_forward_hook(lambda m, i, o: feats.__setitem__("layer2", o)),
    net.layer2.register_full_backward_hook(lambda m, gi, go: grads.__setitem__("layer2", go[0])),
]
x = torch.randn(1, 3, 12, 12, requires_grad=True)
logits = net(x)
cls = logits.argmax(1).item()
net.zero_grad()
logits[0, cls].backward()
alpha = grads["layer2"].mean((2, 3), keepdim=True)
cam = F.relu((alpha * feats["layer2"]).sum(1, keepdim=True))
cam = F.interpolate(cam, size=x.shape[2:], mode="bilinear", align_corners=False)
cam = (cam - cam.min()) / (cam.max() - cam.min() + 1e-8)
print(cls, cam.shape, cam.mean(), cam[0, 0, 5, :4])
for h in handles:
    h.remove()
print("saliency", x.grad.abs().amax(1)[0, 3, :4])


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i):
        o = i.clamp(min=0)
        ctx.save_for_backward(i, o)
        return o

    @staticmethod
    def backward(ctx, g):
        i, o = ctx.saved_tensors
        return g * (i > 0).type_as(g) * (g > 0).type_as(g)


class Guided(nn.Module):
    def forward(self, x):
        return GuidedReLU.apply(x)


def replace(module):
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, Guided())
        else:
            replace(child)


guided = torch.nn.Sequential()
guided.load_state_dict({})
import copy

guided = copy.deepcopy(net)
replace(guided)
print(guided.layer1)
g = torch.autograd.grad(guided(x)[0, cls], x)[0]
print("guided", g.std(), g[0, 0, 0, :3])
base = torch.zeros_like(x)
steps = torch.linspace(0, 1, 9).view(-1, 1, 1, 1)
path = (base + steps * (x - base)).detach().requires_grad_()
gi = torch.autograd.grad(net(path)[:, cls].sum(), path)[0]
ig = (x - base).detach() * torch.trapezoid(gi, dx=1 / 8, dim=0)
print("ig completeness", ig.sum(), (net(x) - net(base))[0, cls])
y = torch.tensor([cls])


def fgsm(x, eps):
    x = x.detach().clone().requires_grad_(True)
    F.cross_entropy(net(x), y).backward()
    return (x + eps * x.grad.sign()).clamp(-3, 3).detach()


def pgd(x, eps, alpha, n):
    adv = x.detach() + torch.empty_like(x).uniform_(-eps, eps)
    for _ in range(n):
        adv.requires_grad_()
        with torch.enable_grad():
            l = F.cross_entropy(net(adv), y)
        (g,) = torch.autograd.grad(l, [adv])
        adv = adv.detach() + alpha * torch.sign(g.detach())
        adv = torch.min(torch.max(adv, x.detach() - eps), x.detach() + eps)
    return adv


for e in (0.0, 0.1, 0.5):
    print(
        e, F.softmax(net(fgsm(x, e)), 1)[0, cls].item(), F.softmax(net(pgd(x, e, e / 3 + 1e-9, 4)), -1)[0, cls].item()
    )


class Extractor(nn.Module):
    def __init__(self, model, layers):
        super().__init__()
        self.model, self._features = model, {l: torch.empty(0) for l in layers}
        for l in layers:
            dict(model.named_modules())[l].register_forward_hook(self.save(l))

    def save(self, l):
        def fn(_, __, output):
            self._features[l] = output

        return fn

    def forward(self, x):
        self.model(x)
        return self._features


out = Extractor(net, ["stem", "layer1.bn1", "fc"])(x)
print({k: tuple(v.shape) for k, v in out.items()}, {k: v.grad_fn.name() for k, v in out.items()})


def gram(f):
    a, b, c, d = f.size()
    f = f.view(a * b, c * d)
    return torch.mm(f, f.t()).div(a * b * c * d)


img = torch.rand(1, 3, 12, 12).requires_grad_()
target = [gram(v).detach() for v in list(out.values())[:2]]
lb, n = torch.optim.LBFGS([img], max_iter=5), [0]


def closure():
    with torch.no_grad():
        img.clamp_(0, 1)
    lb.zero_grad()
    o = Extractor(net, ["stem", "layer1.bn1"])(img)
    l = sum(F.mse_loss(gram(v), t) for v, t in zip(o.values(), target)) * 1e3
    l.backward()
    n[0] += 1
    return l


print(lb.step(closure), n)
