"""Lion, Lookahead, SAM and all of torch.optim under one schedule; threads; small habits of programs."""

import collections
import contextlib
import functools
import math
import threading
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import _LRScheduler


class Lion(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0):
        if lr <= 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

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
                    st["exp_avg"] = torch.zeros_like(p)
                    st["step"] = 0
                st["step"] += 1
                m = st["exp_avg"]
                b1, b2 = g["betas"]
                p.data.mul_(1 - g["lr"] * g["weight_decay"])
                p.add_((m * b1 + p.grad * (1 - b1)).sign(), alpha=-g["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)
        return loss


class Lookahead(Optimizer):
    def __init__(self, opt, k=3, a=0.5):
        self.opt, self.k, self.a, self.n = opt, k, a, 0
        self.param_groups = opt.param_groups
        self.state = collections.defaultdict(dict)
        self.defaults = opt.defaults
        self.slow = [[p.clone().detach() for p in g["params"]] for g in self.param_groups]

    def step(self, closure=None):
        l = self.opt.step(closure)
        self.n += 1
        if self.n % self.k == 0:
            for g, sl in zip(self.param_groups, self.slow):
                for p, q in zip(g["params"], sl):
                    q.data.add_(p.data - q.data, alpha=self.a)
                    p.data.copy_(q.data)
        return l

    def zero_grad(self):
        self.opt.zero_grad()


class SAM(Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base = base(self.param_groups, **kw)
        self.param_groups = self.base.param_groups
        self.defaults.update(self.base.defaults)

    @torch.no_grad()
    def first(self):
        n = torch.norm(
            torch.stack([p.grad.norm(p=2) for g in self.param_groups for p in g["params"] if p.grad is not None]), p=2
        )
        for g in self.param_groups:
            for p in g["params"]:
                self.state[p]["old"] = p.data.clone()
                p.add_(p.grad * (g["rho"] / (n + 1e-12)))
        self.zero_grad()

    @torch.no_grad()
    def second(self):
        for g in self.param_groups:
            for p in g["params"]:
                p.data = self.state[p]["old"]
        self.base.step()
        self.zero_grad()


class Warm(_LRScheduler):
    def __init__(self, o, w, total, last_epoch=-1):
        self.w, self.t = w, total
        super().__init__(o, last_epoch)

    def get_lr(self):
        e = self.last_epoch
        return [
            b * (e + 1) / self.w
            if e < self.w
            else b * 0.5 * (1 + math.cos(math.pi * (e - self.w) / (self.t - self.w)))
            for b in self.base_lrs
        ]


torch.manual_seed(0)
X = torch.randn(100, 4)
y = (X[:, :1] * X[:, 1:2] + X[:, 2:3]).tanh()


def mk():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 16), nn.Hardswish(), nn.Linear(16, 1))


for name in (
    "Lion",
    "Look",
    "SAM",
    "Adafactor",
    "Muon",
    "Adadelta",
    "Adagrad",
    "Rprop",
    "ASGD",
    "RMSprop",
    "NAdam",
    "RAdam",
    "Adamax",
):
    net = mk()
    P = list(net.parameters())
    if name == "Muon":
        o = torch.optim.Muon([p for p in P if p.requires_grad_(p.ndim == 2).requires_grad], lr=0.02)
    elif name == "Lion":
        o = Lion(P, 3e-3, weight_decay=0.01)
    elif name == "Look":
        o = Lookahead(torch.optim.SGD(P, 0.1, momentum=0.9))
    elif name == "SAM":
        o = SAM(P, torch.optim.SGD, lr=0.1, momentum=0.9)
    else:
        o = getattr(torch.optim, name)(P, lr=0.02)
    s = Warm(o if name != "Look" else o.opt, 4, 20)
    L = []
    for i in range(20):
        o.zero_grad()
        l = F.mse_loss(net(X), y)
        l.backward()
        if name == "SAM":
            o.first()
            F.mse_loss(net(X), y).backward()
            o.second()
        else:
            o.step()
        s.step()
        L.append(l.item())
    print(
        f"{name:10} {L[0]:.4f} {L[9]:.4f} {L[-1]:.4f} {s.get_last_lr()[0]:.5f}",
        sorted(next(iter(o.state.values())).keys()) if len(o.state) else None,
    )
    if name in ("Lion", "Adafactor", "Muon", "RMSprop"):
        print(o)
net = mk()
o = Lion([{"params": net[0].parameters(), "lr": 1e-2, "name": "a"}, {"params": net[2].parameters()}])
print([{k: v for k, v in g.items() if k != "params"} for g in o.param_groups])
sd = o.state_dict()
print(sd.keys(), sd["param_groups"][1]["params"], sd["state"])
try:
    Lion(net.parameters(), lr=0)
except ValueError as e:
    print(str(e).split("\n")[0])
o.register_step_post_hook(lambda opt, a, k: print("post", type(opt).__name__))
o.register_step_pre_hook(lambda opt, a, k: print("pre"))
l = o.step(lambda: F.mse_loss(net(X), y))
print(l)
ad = torch.optim.Adam(net.parameters(), lr=torch.tensor(0.01), fused=False, foreach=False, maximize=True)
F.mse_loss(net(X), y).backward()
ad.step()
print(ad.param_groups[0]["lr"], ad.state[net[0].weight]["step"], ad)
dl = torch.tensor(0.1, requires_grad=True)
w = torch.ones(2, requires_grad=True)
w2 = w - dl * torch.autograd.grad((w**2).sum(), w, create_graph=True)[0]
(w2**2).sum().backward()
print(dl.grad, w.grad)
# gradient accumulation, clipping flavours, noise
net = mk()
o = torch.optim.SGD(net.parameters(), 0.1)
net.zero_grad()
for i, (a, b) in enumerate(zip(X.split(25), y.split(25))):
    (F.mse_loss(net(a), b) / 4).backward()
g1 = [p.grad.clone() for p in net.parameters()]
net.zero_grad()
F.mse_loss(net(X), y).backward()
print(
    all(torch.allclose(a, p.grad, atol=1e-6) for a, p in zip(g1, net.parameters())),
    nn.utils.clip_grad_norm_(net.parameters(), 0.01),
    nn.utils.get_total_norm([p.grad for p in net.parameters()]),
    nn.utils.clip_grad_norm_(net.parameters(), 1.0, norm_type=float("inf")),
)
for p in net.parameters():
    p.grad[0] = float("nan")
try:
    nn.utils.clip_grad_norm_(net.parameters(), 1.0, error_if_nonfinite=True)
except RuntimeError as e:
    print(str(e).split("\n")[0])
# threads
res = {}
lock = threading.Lock()


def work(i):
    g = torch.Generator().manual_seed(i)
    m = nn.Linear(4, 1)
    with torch.no_grad():
        m.weight.copy_(torch.randn(1, 4, generator=g))
        m.bias.zero_()
    o = torch.optim.SGD(m.parameters(), 0.1)
    for _ in range(5):
        o.zero_grad()
        l = F.mse_loss(m(X), y)
        l.backward()
        o.step()
    with lock:
        res[i] = l.item()


ts = [threading.Thread(target=work, args=(i,)) for i in range(3)]
[t.start() for t in ts]
[t.join() for t in ts]
print({k: round(v, 4) for k, v in sorted(res.items())})


def ng():
    with torch.no_grad():
        time.sleep(0.01)
        res["g"] = torch.is_grad_enabled()


t = threading.Thread(target=ng)
t.start()
print(torch.is_grad_enabled())
t.join()
print(res["g"], torch.is_grad_enabled())
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(2) as ex:
    print([round(v, 3) for v in ex.map(lambda k: (torch.arange(k, dtype=torch.float) ** 2).sum().item(), range(4))])


class Meter:
    def __init__(self):
        self.v = []

    def update(self, v, n=1):
        self.v += [float(v)] * n

    avg = property(lambda s: sum(s.v) / max(1, len(s.v)))

    def __str__(self):
        return f"{self.avg:.4f} (n={len(self.v)})"


m = Meter()
m.update(torch.tensor(1.5), 2)
m.update(2)
print(m)


@contextlib.contextmanager
def seed(k):
    st = torch.get_rng_state()
    torch.manual_seed(k)
    yield
    torch.set_rng_state(st)


with seed(5):
    print(torch.rand(2))


@functools.lru_cache(None)
def mask(n):
    return torch.ones(n, n).tril()


print(
    mask(2) is mask(2),
    {torch.tensor(1): 2}.__len__(),
    torch.tensor(1) in [torch.tensor(1)],
    sorted([torch.tensor(3), torch.tensor(1)]),
    max(torch.tensor([3, 5])),
    min(torch.tensor(3), torch.tensor(2)),
    sum(torch.tensor([1, 2])),
    list(reversed(torch.tensor([1, 2]))),
    [*torch.arange(2)],
    dict(zip("ab", torch.arange(2))),
    torch.tensor([1, 2]).__len__(),
    any(torch.tensor([0, 1])),
    list(map(float, torch.tensor([1.0, 2.0]))),
    next(iter(torch.ones(1))),
    "%s" % torch.ones(1),
    str(torch.ones(1)),
    torch.ones(1).__repr__(),
    format(torch.tensor(1.5), ".1f"),
    list(enumerate(torch.arange(2))),
    torch.ones(2).__class__,
    isinstance(torch.ones(1), torch.FloatTensor),
    type(nn.Parameter(torch.ones(1))),
    isinstance(nn.Parameter(torch.ones(1)), torch.Tensor),
    torch.ones(1).dtype is torch.float32,
    str(torch.float32),
    repr(torch.int64),
    torch.float32.is_floating_point,
    torch.float32.itemsize,
    torch.strided,
    torch.contiguous_format,
    torch.ones(1).layout,
)
