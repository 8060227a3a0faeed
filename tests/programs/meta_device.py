"""The meta device: large models without memory, shapes, loading with assign."""

import torch
import torch.nn as nn

with torch.device("meta"):
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(1024, 16, 4096, batch_first=True), num_layers=12)
    head = nn.Linear(1024, 50257, bias=False)
print(
    sum(p.numel() for p in model.parameters()) / 1e6,
    sum(p.numel() * p.element_size() for p in head.parameters()) / 2**20,
)
print(model.layers[0].linear1.weight, next(model.parameters()).is_meta)


def flops(m, x):
    total = [0]

    def hook(mod, inp, out):
        if isinstance(mod, nn.Linear):
            total[0] += 2 * inp[0].numel() * mod.out_features
        elif isinstance(mod, nn.Conv2d):
            total[0] += 2 * out.numel() * mod.weight[0].numel()

    hs = [s.register_forward_hook(hook) for s in m.modules()]
    y = m(x)
    for h in hs:
        h.remove()
    return total[0], y.shape


cnn = nn.Sequential(
    nn.Conv2d(3, 64, 7, 2, 3),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.MaxPool2d(3, 2, 1),
    nn.Conv2d(64, 128, 3, 2, 1),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(128, 1000),
).to("meta")
print(flops(cnn, torch.empty(8, 3, 224, 224, device="meta")))


def summary(m, x):
    rows = []
    hs = [
        s.register_forward_hook(
            lambda s, i, o, n=n: rows.append(
                (n, type(s).__name__, tuple(o.shape), sum(p.numel() for p in s.parameters(recurse=False)))
            )
        )
        for n, s in m.named_modules()
        if not list(s.children())
    ]
    m(x)
    [h.remove() for h in hs]
    for r in rows:
        print("%-3s %-18s %-22s %d" % (r[0], r[1], r[2], r[3]))


summary(cnn, torch.zeros(1, 3, 64, 64, device="meta"))
ids = torch.randint(0, 100, (2, 16), device="meta")
emb = nn.Embedding(100, 32, device="meta")
h = emb(ids)
print(h.shape, h.dtype, h.device)
q = k = v = h.view(2, 16, 4, 8).transpose(1, 2)
print(nn.functional.scaled_dot_product_attention(q, k, v).shape, (q @ k.transpose(-2, -1) / 8**0.5).softmax(-1).shape)
small = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
torch.manual_seed(3)
for p in small.parameters():
    nn.init.normal_(p)
skeleton = nn.Sequential(nn.Linear(4, 8, device="meta"), nn.Tanh(), nn.Linear(8, 2, device="meta"))
print(
    skeleton.load_state_dict(small.state_dict(), assign=True),
    torch.equal(skeleton(torch.ones(1, 4)), small(torch.ones(1, 4))),
)
fresh = nn.Linear(4, 2, device="meta").to_empty(device="cpu")
fresh.reset_parameters() if False else nn.init.ones_(fresh.weight)
nn.init.zeros_(fresh.bias)
print(fresh(torch.ones(1, 4)), torch.nn.utils.skip_init(nn.Linear, 4, 2).weight.shape)
x = torch.empty(4, 5, device="meta")
for name, f in dict(
    T=lambda: x.T,
    cat=lambda: torch.cat([x, x], 1),
    idx=lambda: x[1:3, ::2],
    none=lambda: x[None, ..., 0],
    sum=lambda: x.sum(1, keepdim=True),
    var=lambda: x.var(dim=0),
    topk=lambda: x.topk(2).values,
    sort=lambda: x.sort(dim=0)[1],
    cum=lambda: x.cumsum(1),
    pad=lambda: nn.functional.pad(x, (1, 1)),
    cdist=lambda: torch.cdist(x, x),
    mse=lambda: nn.functional.mse_loss(x, x),
    ein=lambda: torch.einsum("ij,kj->ik", x, x),
    chunk=lambda: x.chunk(2)[0],
    rep=lambda: x.repeat(2, 3),
    fold=lambda: x.unfold(1, 3, 1),
    bmm=lambda: torch.bmm(x[None], x.T[None]),
    conv=lambda: nn.functional.conv1d(x[None], torch.empty(2, 4, 3, device="meta")),
    where=lambda: torch.where(x > 0, x, x),
    ln=lambda: nn.functional.layer_norm(x, (5,)),
    roll=lambda: x.roll(1, 0),
    tril=lambda: x.tril(),
    outer=lambda: torch.outer(x[0], x[1]),
    stack=lambda: torch.stack([x, x], -1),
    flip=lambda: x.flip(0),
    lin=lambda: torch.linspace(0, 1, 7, device="meta"),
    ar=lambda: torch.arange(3, device="meta"),
).items():
    r = f()
    print(name, tuple(r.shape), r.dtype, r.device)
