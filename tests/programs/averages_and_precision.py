"""Mixed precision on the CPU, gradient accumulation, SWA with update_bn, EMA, checkpoints."""

import torch
from torch import nn
from torch.amp import GradScaler, autocast
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, WeightedRandomSampler, random_split

torch.manual_seed(0)
x = torch.randn(120, 10)
y = (x[:, :3].sum(1) > 0).long() + (x[:, 3] > 1).long()
full = TensorDataset(x, y)
train, val = random_split(full, [0.8, 0.2], generator=torch.Generator().manual_seed(42))
labels = torch.tensor([full[i][1] for i in train.indices])
counts = torch.bincount(labels)
print("counts", counts, len(train), len(val))
sampler = WeightedRandomSampler((1.0 / counts.float())[labels], len(train), replacement=True)
loader = DataLoader(train, batch_size=16, sampler=sampler)
net = nn.Sequential(
    nn.Linear(10, 32), nn.BatchNorm1d(32), nn.GELU(), nn.Linear(32, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 3)
)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
swa, swa_sched = AveragedModel(net), SWALR(opt, swa_lr=0.02, anneal_epochs=2, anneal_strategy="cos")
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
crit = nn.CrossEntropyLoss(weight=counts.sum() / (3.0 * counts))
for epoch in range(8):
    net.train()
    total = 0.0
    for xb, yb in loader:
        loss = crit(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch >= 4:
        swa.update_parameters(net)
        swa_sched.step()
    else:
        cosine.step()
    print(epoch, f"{total / len(loader):.4f} lr {opt.param_groups[0]['lr']:.5f}")
update_bn(loader, swa)
net.eval()
swa.eval()
with torch.no_grad():
    xs, ys = next(iter(DataLoader(val, batch_size=len(val))))
    print(
        "acc",
        (net(xs).argmax(1) == ys).float().mean(),
        (swa(xs).argmax(1) == ys).float().mean(),
        swa.n_averaged,
        swa.module[1].num_batches_tracked,
    )
# autocast
net.train()
with autocast("cpu", dtype=torch.bfloat16):
    h = net[0](x[:4])
    out = net(x[:4])
    l = crit(out, y[:4])
    s = (h @ h.t()).dtype, torch.softmax(h, 1).dtype, (h + 1.0).dtype, h.sum().dtype
print(h.dtype, out.dtype, l.dtype, s)
scaler = GradScaler("cpu", enabled=True, init_scale=2.0**10)
accum = 3
for i, (xb, yb) in enumerate(DataLoader(train, batch_size=16)):
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        l = crit(net(xb), yb) / accum
    scaler.scale(l).backward()
    if (i + 1) % accum == 0:
        scaler.unscale_(opt)
        n = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        opt.zero_grad(set_to_none=True)
        print(i, n.dtype, bool(n > 0), scaler.get_scale())
print(sorted(scaler.state_dict()))
a = x[:6].clone().requires_grad_()
blocks = nn.Sequential(nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh())
plain = torch.autograd.grad(blocks(a).sum(), a)[0]
ck = torch.autograd.grad(checkpoint_sequential(blocks, 2, a, use_reentrant=False).sum(), a)[0]
ck2 = torch.autograd.grad(checkpoint(lambda v: blocks(v).sum(), a, use_reentrant=False), a)[0]
print(torch.equal(plain, ck), torch.equal(plain, ck2))
both = ConcatDataset([Subset(full, range(3)), val])
print(len(both), both.cumulative_sizes, both[-1][1], both[2][1])
vec = nn.utils.parameters_to_vector(blocks.parameters())
print(vec.shape, vec.norm())
nn.utils.vector_to_parameters(vec * 0, blocks.parameters())
print(blocks(a).abs().sum())
