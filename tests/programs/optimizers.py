"""All optimisers and schedules; averaged weights; own optimisers."""


import torch
import torch.nn as nn
import torch.optim as optim
from torch.optim.lr_scheduler import *
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn

torch.manual_seed(0)
X = torch.randn(32, 4)
Y = X @ torch.tensor([1.0, -2.0, 0.5, 3.0]) + 0.1


def train(make, n=8, closure=False):
    torch.manual_seed(1)
    net = nn.Linear(4, 1)
    o = make(net.parameters())
    ls = []
    for _ in range(n):

        def c():
            o.zero_grad()
            l = ((net(X).squeeze(1) - Y) ** 2).mean()
            l.backward()
            return l

        ls.append((o.step(c) if closure else (lambda l: (o.step(), l)[1])(c())).item())
    return o, ["%.4f" % l for l in ls]


for name, mk in dict(
    SGD=lambda p: optim.SGD(p, 0.05),
    Mom=lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    Adam=lambda p: optim.Adam(p, 0.1),
    AMS=lambda p: optim.Adam(p, 0.1, amsgrad=True, weight_decay=0.01),
    AdamW=lambda p: optim.AdamW(p, 0.1),
    RMS=lambda p: optim.RMSprop(p, 0.05, momentum=0.5, centered=True),
    Ada=lambda p: optim.Adagrad(p, 0.5),
    Adad=lambda p: optim.Adadelta(p, 1.0),
    Adamax=lambda p: optim.Adamax(p, 0.1),
    NAdam=lambda p: optim.NAdam(p, 0.1),
    RAdam=lambda p: optim.RAdam(p, 0.1),
    ASGD=lambda p: optim.ASGD(p, 0.05),
    Rprop=lambda p: optim.Rprop(p, 0.1),
    Adaf=lambda p: optim.Adafactor(p, 0.1),
    max=lambda p: optim.SGD(p, 0.01, maximize=True),
).items():
    o, ls = train(mk)
    print(name, ls)
    print(o)
o, ls = train(lambda p: optim.LBFGS(p, lr=0.5, max_iter=4), 4, True)
print(ls, o.defaults)
net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))
o = optim.SGD([{"params": net[0].parameters()}, {"params": net[1].parameters(), "lr": 1e-3}], lr=1e-2, momentum=0.9)
print(o, o.param_groups[1]["lr"], len(o.param_groups), o.param_groups[0].keys())
o.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
print(len(o.param_groups))
net(X).mean().backward()
o.step()
sd = o.state_dict()
print(sd["state"].keys(), sd["param_groups"], sd["state"][0])


def lrs(f, n=12, lr=0.1, metric=None, mom=0):
    o = optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr, momentum=mom)
    s = f(o)
    r = []
    for e in range(n):
        r.append(round(o.param_groups[0]["lr"], 6))
        o.step()
        s.step(metric[e]) if metric else s.step()
    return r, s


for f in [
    lambda o: StepLR(o, 3, 0.5),
    lambda o: MultiStepLR(o, [2, 5], 0.1),
    lambda o: ExponentialLR(o, 0.9),
    lambda o: CosineAnnealingLR(o, 6, 1e-3),
    lambda o: LambdaLR(o, lambda e: 0.95**e),
    lambda o: MultiplicativeLR(o, lambda e: 0.9),
    lambda o: LinearLR(o, 0.3, total_iters=4),
    lambda o: ConstantLR(o, 0.5, 3),
    lambda o: PolynomialLR(o, 5, 2.0),
    lambda o: CosineAnnealingWarmRestarts(o, 3, 2),
    lambda o: SequentialLR(o, [LinearLR(o, 0.1, total_iters=3), CosineAnnealingLR(o, 8)], [3]),
    lambda o: ChainedScheduler([ConstantLR(o, 0.1, 2), ExponentialLR(o, 0.9)]),
]:
    r, s = lrs(f)
    print(
        type(s).__name__, r, s.get_last_lr(), {k: v for k, v in s.state_dict().items() if isinstance(v, (int, float))}
    )
print(
    lrs(lambda o: OneCycleLR(o, 0.5, total_steps=12), mom=0.9)[0],
    lrs(lambda o: CyclicLR(o, 0.01, 0.1, 3, mode="triangular2"), mom=0.9)[0],
    lrs(lambda o: ReduceLROnPlateau(o, "min", 0.5, 1), metric=[5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3])[0],
)
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
swa = AveragedModel(model)
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
o = optim.SGD(model.parameters(), 0.05)
sch = CosineAnnealingLR(o, 10)
sl = SWALR(o, swa_lr=0.02, anneal_epochs=2)
for e in range(8):
    l = ((model(X).squeeze(1) - Y) ** 2).mean()
    o.zero_grad()
    l.backward()
    o.step()
    ema.update_parameters(model)
    if e > 3:
        swa.update_parameters(model)
        sl.step()
    else:
        sch.step()
    print(e, f"{l.item():.4f}", o.param_groups[0]["lr"])
update_bn([X[:16], X[16:]], swa)
print(swa.n_averaged, swa(X)[:2], ema.module[0].weight[0], swa)


class EMA:
    def __init__(self, m, d):
        self.m, self.d, self.shadow = m, d, {n: p.data.clone() for n, p in m.named_parameters() if p.requires_grad}

    def update(self):
        for n, p in self.m.named_parameters():
            self.shadow[n] = (1 - self.d) * p.data + self.d * self.shadow[n]


e = EMA(model, 0.9)
e.update()
print(e.shadow["0.bias"])


class MySGD(optim.Optimizer):
    def __init__(self, params, lr=1e-2):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if len(st) == 0:
                    st["step"] = 0
                    st["m"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                st["step"] += 1
                st["m"].mul_(0.9).add_(p.grad, alpha=0.1)
                p.add_(st["m"], alpha=-g["lr"])
        return loss


print(train(lambda p: MySGD(p, 0.3)))
class_ = MySGD([nn.Parameter(torch.ones(1))])
print(class_.state_dict())


class Warm(LRScheduler):
    def __init__(self, o, w, last_epoch=-1):
        self.w = w
        super().__init__(o, last_epoch)

    def get_lr(self):
        return [b * min(1, (self.last_epoch + 1) / self.w) for b in self.base_lrs]


print(lrs(lambda o: Warm(o, 4))[0])
import torch.optim.lr_scheduler as L

print(L._LRScheduler is L.LRScheduler, issubclass(L.StepLR, L._LRScheduler))
h = o.register_step_post_hook(lambda *a: print("stepped"))
o.step()
h.remove()
