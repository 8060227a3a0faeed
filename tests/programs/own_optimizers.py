"""Optimizers written by hand, LR finder, schedulers in sequence, early stopping, resuming."""

import io
import os
import tempfile

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    PolynomialLR,
    SequentialLR,
)

torch.manual_seed(0)


class Lion(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0):
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                p.data.mul_(1 - group["lr"] * group["weight_decay"])
                state = self.state[p]
                if len(state) == 0:
                    state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                b1, b2 = group["betas"]
                update = state["exp_avg"] * b1 + p.grad * (1 - b1)
                p.add_(update.sign_(), alpha=-group["lr"])
                state["exp_avg"].mul_(b2).add_(p.grad, alpha=1 - b2)
        return loss


class SAM(Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base_optimizer = base(self.param_groups, **kw)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.norm(
            torch.stack([p.grad.norm(p=2) for g in self.param_groups for p in g["params"] if p.grad is not None]), p=2
        )
        for g in self.param_groups:
            scale = g["rho"] / (norm + 1e-12)
            for p in g["params"]:
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * scale.to(p))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]:
                p.data = self.state[p]["old_p"]
        self.base_optimizer.step()
        self.zero_grad()


X = torch.randn(200, 5)
Y = torch.sin(X @ torch.randn(5, 1)) + 0.05 * torch.randn(200, 1)


def model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 16), nn.Mish(), nn.Linear(16, 1))


m = model()
opt = Lion([{"params": m[0].parameters()}, {"params": m[2].parameters(), "lr": 3e-3}], lr=1e-3, weight_decay=0.01)
print(opt)
for i in range(20):
    l = nn.functional.smooth_l1_loss(m(X), Y, beta=0.5)
    opt.zero_grad()
    l.backward()
    opt.step()
print("lion", l.item(), list(opt.state_dict()["state"][0]), opt.state_dict()["param_groups"])
m = model()
sam = SAM(m.parameters(), torch.optim.SGD, rho=0.1, lr=0.1, momentum=0.9)
for i in range(10):
    l = nn.functional.mse_loss(m(X), Y)
    l.backward()
    sam.first_step()
    nn.functional.mse_loss(m(X), Y).backward()
    sam.second_step()
print("sam", l.item(), sam.param_groups[0]["rho"])
# lr finder
m = model()
opt = torch.optim.SGD(m.parameters(), lr=1e-4)
buf = io.BytesIO()
torch.save({"m": m.state_dict(), "o": opt.state_dict()}, buf)
finder = LambdaLR(opt, lambda it: (10 / 1e-4) ** (it / 29))
hist, best, avg = [], float("inf"), 0
for it in range(30):
    l = nn.functional.mse_loss(m(X), Y)
    opt.zero_grad()
    l.backward()
    opt.step()
    finder.step()
    avg = 0.9 * avg + 0.1 * l.item()
    s = avg / (1 - 0.9 ** (it + 1))
    best = min(best, s)
    hist.append((opt.param_groups[0]["lr"], s))
    if s > 4 * best:
        print("diverged at", it)
        break
g = torch.gradient(torch.tensor([h[1] for h in hist]))[0]
print("suggest", hist[int(g[:20].argmin())][0], len(hist))
buf.seek(0)
ck = torch.load(buf)
m.load_state_dict(ck["m"])
opt.load_state_dict(ck["o"])
print(
    "restored", nn.functional.mse_loss(m(X), Y).item(), opt.param_groups[0]["lr"], opt.param_groups[0].get("initial_lr")
)


def lrs(make, n=8):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    s = make(o)
    out = []
    for _ in range(n):
        out.append(round(o.param_groups[0]["lr"], 5))
        o.step()
        s.step()
    return out, s


print(
    lrs(
        lambda o: SequentialLR(
            o,
            [LinearLR(o, 0.1, total_iters=3), CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2, eta_min=0.1)],
            milestones=[3],
        ),
        12,
    )[0]
)
print(lrs(lambda o: ChainedScheduler([ConstantLR(o, 0.5, 2), ExponentialLR(o, 0.9)]))[0])
print(lrs(lambda o: MultiplicativeLR(o, lambda e: 0.95))[0], lrs(lambda o: PolynomialLR(o, 4, power=2.0))[0])
print(lrs(lambda o: CyclicLR(o, 0.1, 1.0, step_size_up=3, mode="triangular2", cycle_momentum=False), 10)[0])
out, s = lrs(lambda o: CosineAnnealingWarmRestarts(o, 3))
print(out, {k: v for k, v in s.state_dict().items() if not k.startswith("_")})


class Noam(LRScheduler):
    def __init__(self, opt, d, warm, last_epoch=-1):
        self.d, self.warm = d, warm
        super().__init__(opt, last_epoch)

    def get_lr(self):
        s = max(1, self._step_count)
        return [b * self.d**-0.5 * min(s**-0.5, s * self.warm**-1.5) for b in self.base_lrs]


print(lrs(lambda o: Noam(o, 64, 4))[0])


class EarlyStopping:
    def __init__(self, patience=3, delta=0.0, path="c.pt"):
        self.patience, self.delta, self.path, self.counter, self.best, self.stop = patience, delta, path, 0, None, False

    def __call__(self, val, model):
        if self.best is None or val < self.best - self.delta:
            self.best, self.counter = val, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.counter += 1
            self.stop = self.counter >= self.patience


with tempfile.TemporaryDirectory() as d:
    m = model()
    opt = torch.optim.Adam(m.parameters(), 0.05)
    es = EarlyStopping(path=os.path.join(d, "c.pt"))
    for epoch in range(60):
        m.train()
        l = nn.functional.mse_loss(m(X[:150]), Y[:150])
        opt.zero_grad()
        l.backward()
        opt.step()
        m.eval()
        with torch.inference_mode():
            v = nn.functional.mse_loss(m(X[150:]), Y[150:]).item()
        es(v, m)
        if es.stop:
            print("stopped", epoch, f"{es.best:.5f}")
            break
    m.load_state_dict(torch.load(es.path, weights_only=True))
    print(f"{nn.functional.mse_loss(m(X[150:]), Y[150:]).item():.5f}")
print(opt.state_dict()["state"][0]["step"], type(opt.state_dict()["state"][0]["step"]))
