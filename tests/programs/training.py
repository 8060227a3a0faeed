"""Data loaders, learning rate schedules, early stopping, parameter groups, losses and what is said of mistakes."""

import copy

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    WeightedRandomSampler,
)

torch.manual_seed(0)
np.random.seed(0)


class DS(Dataset):
    def __init__(self, n):
        self.x = np.random.randn(n, 4).astype(np.float32)
        self.y = (self.x.sum(1) > 0).astype(np.int64)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "y": self.y[i], "name": f"s{i}", "w": 1.5}


ds = DS(40)
for b in DataLoader(ds, batch_size=3, shuffle=True):
    print({k: (v if isinstance(v, list) else (v.shape, v.dtype)) for k, v in b.items()}, b["name"])
    break


def collate(batch):
    return torch.stack([torch.from_numpy(b["x"]) for b in batch]), torch.tensor([b["y"] for b in batch])


dl = DataLoader(ds, batch_size=8, shuffle=True, collate_fn=collate, generator=torch.Generator().manual_seed(3))
print(len(dl), next(iter(dl))[1])
print(
    [
        b[1].tolist()
        for b in DataLoader(ds, batch_size=8, sampler=WeightedRandomSampler(torch.ones(40), 16), collate_fn=collate)
    ],
    [b[1].tolist() for b in DataLoader(Subset(ds, range(5)), batch_size=2, collate_fn=collate)],
    len(ConcatDataset([ds, ds])),
)


class It(IterableDataset):
    def __iter__(self):
        return iter(range(7))


print(list(DataLoader(It(), batch_size=3)))
dlw = DataLoader(ds, batch_size=16, num_workers=2, collate_fn=collate)
print([y.sum().item() for _, y in dlw])
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-7)
crit = nn.CrossEntropyLoss()
# lr finder
lrs, losses, best = [], [], 1e9
lr = 1e-4
state = copy.deepcopy(net.state_dict())
for i in range(20):
    x, y = next(iter(dl))
    opt.param_groups[0]["lr"] = lr
    l = crit(net(x), y)
    opt.zero_grad()
    l.backward()
    opt.step()
    lrs.append(lr)
    losses.append(l.item())
    lr *= 1.6
print([f"{v:.4f}" for v in losses[::4]], f"{lrs[-1]:.4f}")
net.load_state_dict(state)


class EarlyStopping:
    def __init__(self, patience=2):
        self.p, self.c, self.best = patience, 0, np.inf

    def __call__(self, v):
        if v < self.best - 1e-3:
            self.best, self.c = v, 0
        else:
            self.c += 1
        return self.c >= self.p


es = EarlyStopping()
opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9, nesterov=True, weight_decay=1e-4)
sch = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "min", factor=0.5, patience=1)
for e in range(12):
    tot = 0
    for i, (x, y) in enumerate(dl):
        l = crit(net(x), y) / 2
        l.backward()
        tot += l.item()
        if (i + 1) % 2 == 0:
            nn.utils.clip_grad_value_(net.parameters(), 0.5)
            opt.step()
            opt.zero_grad()
    sch.step(tot)
    print(e, f"{tot:.5f}", opt.param_groups[0]["lr"])
    if es(tot):
        print("early stop")
        break
for S in [
    lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=10),
    lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda e: 0.95**e),
    lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 4]),
    lambda o: torch.optim.lr_scheduler.SequentialLR(
        o,
        [torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=3), torch.optim.lr_scheduler.ExponentialLR(o, 0.9)],
        [3],
    ),
    lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=2),
]:
    o = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    s = S(o)
    r = []
    for _ in range(8):
        o.step()
        r.append(f"{s.get_last_lr()[0]:.5f}")
        s.step()
    print(r)
# param groups, freeze, ema, weight norm, spectral norm, prune
for n, p in net.named_parameters():
    p.requires_grad_(n.startswith("2"))
print(
    [(n, p.requires_grad) for n, p in net.named_parameters()],
    torch.optim.Adam(filter(lambda p: p.requires_grad, net.parameters())),
)
opt = torch.optim.AdamW([{"params": net[0].parameters(), "lr": 1e-4}, {"params": net[2].parameters()}], lr=1e-2)
print(opt)
ema = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
ema.update_parameters(net)
print(ema.n_averaged)
wn = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
print(wn, wn(torch.ones(2)).shape)
sn = nn.utils.spectral_norm(nn.Linear(2, 3))
print(sn)
print(
    nn.utils.parameters_to_vector(net.parameters()).shape, sum(p.numel() for p in net.parameters() if p.requires_grad)
)
g = torch.tensor([3.0, 4.0], requires_grad=True)
(g * g).sum().backward()
print(nn.utils.clip_grad_norm_([g], 1.0), g.grad)
ls = [
    nn.MSELoss(),
    nn.L1Loss(),
    nn.SmoothL1Loss(),
    nn.HuberLoss(),
    nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0)),
    nn.MSELoss(reduction="none"),
]
a, b = torch.rand(2, 3), torch.rand(2, 3).round()
for l in ls:
    print(l, l(a, b))
print(
    nn.TripletMarginLoss()(a, b, b + 1),
    nn.CosineEmbeddingLoss()(a, b, torch.ones(2)),
    nn.MarginRankingLoss()(a, b, torch.ones(2, 3)),
    nn.HingeEmbeddingLoss()(a, torch.ones(2, 3)),
    nn.PoissonNLLLoss()(a, b),
    nn.GaussianNLLLoss()(a, b, torch.ones(2, 3)),
    nn.CTCLoss()(torch.randn(5, 1, 4).log_softmax(2), torch.tensor([[1, 2]]), torch.tensor([5]), torch.tensor([2])),
)
import warnings

with warnings.catch_warnings(record=True) as ws:
    warnings.simplefilter("always")
    nn.MSELoss()(torch.ones(3, 1), torch.ones(3))
    print(str(ws[0].message)[:80])
try:
    crit(torch.randn(2, 3), torch.tensor([0, 5]))
except IndexError as e:
    print(str(e).split("\n")[0])
try:
    crit(torch.randn(2, 3), torch.tensor([0, 1, 2]))
except ValueError as e:
    print(str(e).split("\n")[0])
try:
    nn.BCELoss()(torch.randn(3, 1).sigmoid(), torch.ones(3))
except ValueError as e:
    print(str(e).split("\n")[0])
try:
    nn.Linear(3, 2)(torch.ones(2, 3).double())
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    nn.Linear(3, 2)(torch.ones(2, 3).long())
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    nn.Conv2d(3, 2, 3)(torch.ones(1, 1, 8, 8))
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    nn.Embedding(3, 2)(torch.tensor([3]))
except IndexError as e:
    print(str(e).split("\n")[0])
try:
    nn.Embedding(3, 2)(torch.tensor([1.0]))
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    torch.optim.SGD([], lr=0.1)
except ValueError as e:
    print(str(e).split("\n")[0])
try:
    nn.Linear(3, 2).foo
except AttributeError as e:
    print(str(e).split("\n")[0])
try:
    torch.tensor([1.0, 2.0]).item()
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    bool(torch.tensor([1.0, 2.0]))
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    torch.cat([torch.ones(2, 3), torch.ones(3, 2)])
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    torch.tensor([[1, 2], [3]])
except ValueError as e:
    print(str(e).split("\n")[0])
