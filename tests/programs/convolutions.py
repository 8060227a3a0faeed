"""Images: convolutions, a residual network with frozen layers, hooks, saliency, style by L-BFGS, lazy layers."""

import copy
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import lr_scheduler

torch.manual_seed(5)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)

    def num_flat_features(self, x):
        n = 1
        for s in x.size()[1:]:
            n *= s
        return n


net = Net()
print(net)
params = list(net.parameters())
print(len(params), params[0].size())
inp = torch.randn(2, 3, 32, 32)
out = net(inp)
print(out)
net.zero_grad()
out.backward(torch.randn(2, 10))
print(net.conv1.bias.grad)
opt = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
for i in range(3):
    opt.zero_grad()
    l = F.nll_loss(F.log_softmax(net(inp), 1), torch.tensor([1, 2]))
    l.backward()
    opt.step()
    print("%.6f" % l.item())
_, predicted = torch.max(net(inp).data, 1)
print(predicted, predicted.eq(torch.tensor([1, 2])).sum().item(), (predicted == torch.tensor([1, 2])).sum().item())


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, i, o, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = (
            nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)) if stride != 1 or i != o else None
        )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, nc=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(8, 8, 1)
        self.layer2 = self._make_layer(8, 16, 1, 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(16, nc)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def _make_layer(self, i, o, n, s=1):
        return nn.Sequential(*([BasicBlock(i, o, s)] + [BasicBlock(o, o) for _ in range(n - 1)]))

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


model = ResNet()
print(model)
for p in model.parameters():
    p.requires_grad = False
num_ftrs = model.fc.in_features
model.fc = nn.Linear(num_ftrs, 2)
print([n for n, p in model.named_parameters() if p.requires_grad])
opt = torch.optim.SGD(model.fc.parameters(), lr=0.01, momentum=0.9)
sch = lr_scheduler.StepLR(opt, step_size=7, gamma=0.1)
X = torch.randn(8, 3, 32, 32)
Y = torch.randint(0, 2, (8,))
best = copy.deepcopy(model.state_dict())
best_loss = float("inf")
for e in range(3):
    for phase in ["train", "val"]:
        model.train() if phase == "train" else model.eval()
        opt.zero_grad()
        with torch.set_grad_enabled(phase == "train"):
            o = model(X)
            _, preds = torch.max(o, 1)
            l = nn.CrossEntropyLoss()(o, Y)
            if phase == "train":
                l.backward()
                opt.step()
        if phase == "train":
            sch.step()
        print(f"{phase} Loss: {l.item() * X.size(0) / 8:.4f} Acc: {torch.sum(preds == Y.data).double() / 8:.4f}")
        if phase == "val" and l < best_loss:
            best_loss = l
            best = copy.deepcopy(model.state_dict())
model.load_state_dict(best)
print(model.bn1.running_mean, model.bn1.num_batches_tracked, best_loss)
acts = {}


def get(name):
    def hook(m, i, o):
        acts[name] = o.detach()

    return hook


h = model.layer1.register_forward_hook(get("l1"))
model(X)
print(acts["l1"].shape, acts["l1"].mean())
h.remove()
model.fc.register_full_backward_hook(lambda m, gi, go: print(m, [g.shape for g in gi if g is not None], go[0].sum()))
model.requires_grad_(True)
model(X).sum().backward()
# grad-cam / saliency / fgsm
x = X[:1].clone().requires_grad_()
s = model(x)[0, 0]
s.backward()
sal, _ = torch.max(x.grad.data.abs(), dim=1)
print(sal.shape, sal.sum())
adv = torch.clamp(x + 0.03 * x.grad.sign(), 0, 1)
print(adv.mean())
feat = nn.Sequential(*list(model.children())[:-1])
print(feat(X).shape)
seq = nn.Sequential(OrderedDict([("conv", nn.Conv2d(1, 2, 3)), ("relu", nn.ReLU())]))
seq.add_module("flat", nn.Flatten())
print(seq, seq.conv.weight.shape, seq[0], len(seq), list(dict(seq.named_children())))


def gram(i):
    a, b, c, d = i.size()
    f = i.view(a * b, c * d)
    return torch.mm(f, f.t()).div(a * b * c * d)


img = torch.rand(1, 3, 8, 8).requires_grad_(True)
tgt = gram(torch.rand(1, 3, 8, 8))
opt = torch.optim.LBFGS([img])
run = [0]
while run[0] <= 20:

    def closure():
        with torch.no_grad():
            img.clamp_(0, 1)
        opt.zero_grad()
        l = F.mse_loss(gram(img), tgt) * 1e4
        l.backward()
        run[0] += 1
        if run[0] % 10 == 1:
            print("run", run[0], "%.4f" % l.item())
        return l

    opt.step(closure)
lz = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
print(lz)
print(lz(torch.randn(1, 1, 6, 6)))
print(lz)
