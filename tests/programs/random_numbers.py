"""The numbers behind a seed, and rounding."""

import torch
import torch.nn as nn
import torch.nn.functional as F

for seed in (0, 42, 1234):
    torch.manual_seed(seed)
    print(
        torch.rand(3),
        torch.randn(3),
        torch.randn(20)[-3:],
        torch.randint(0, 100, (5,)),
        torch.randperm(7),
        torch.normal(2.0, 3.0, size=(2, 2)),
        torch.rand(2, dtype=torch.float64),
        torch.randn(2, dtype=torch.float64),
        torch.randn(3, dtype=torch.complex64),
        torch.rand(3, dtype=torch.float16),
        torch.rand(2, dtype=torch.bfloat16),
        torch.randint(5, (2, 3), dtype=torch.int32),
        torch.bernoulli(torch.full((6,), 0.5)),
        torch.empty(3).uniform_(-1, 1),
        torch.empty(17).normal_(1, 2)[-2:],
        torch.empty(4).exponential_(),
        torch.multinomial(torch.ones(10), 4),
        torch.multinomial(torch.rand(2, 5), 3, True),
        torch.dropout(torch.ones(10), 0.5, True),
        F.dropout(torch.ones(3, 4), 0.3),
        torch.randperm(10)[:3],
        torch.rand(5).argsort(),
        torch.poisson(torch.full((3,), 4.0)),
        F.gumbel_softmax(torch.zeros(4)),
        F.gumbel_softmax(torch.zeros(2, 4), hard=True),
        F.rrelu(-torch.ones(4), training=True),
        F.alpha_dropout(torch.ones(4), 0.3, True),
        F.feature_dropout if False else 0,
        torch.binomial(torch.full((3,), 10.0), torch.tensor(0.3)),
        torch.distributions.Gamma(2.0, 1.0).sample((2,)),
        torch.rand(3, 3).bernoulli(),
        torch.randint_like(torch.ones(3), 10),
        torch.empty(5, dtype=torch.long).random_(10),
        torch.tensor([1, 2, 3])[torch.randperm(3)],
        sep="\n",
    )
    for l in [
        nn.Linear(3, 2),
        nn.Conv2d(1, 2, 2),
        nn.Embedding(3, 2),
        nn.LSTM(2, 2),
        nn.Bilinear(2, 2, 1),
        nn.MultiheadAttention(4, 2),
        nn.ConvTranspose1d(1, 2, 2),
        nn.GRUCell(2, 2),
        nn.PReLU(),
        nn.EmbeddingBag(2, 2),
    ]:
        print(type(l).__name__, [round(float(p.sum()), 4) for p in l.parameters()])
m = nn.Sequential(
    nn.Linear(3, 16), nn.Dropout(0.5), nn.ReLU(), nn.Dropout1d(0.2) if False else nn.Identity(), nn.Linear(16, 1)
)
torch.manual_seed(7)
x = torch.randn(5, 3)
print(m(x))
m.eval()
print(m(x))
d2 = nn.Dropout2d(0.5)
print(d2(torch.ones(1, 6, 2, 2))[0, :, 0, 0])
mc = nn.Dropout(0.2)
print(torch.stack([mc(x) for _ in range(3)]).std(0))
for a, b, n, dt in [
    (0, 10, 4, torch.int64),
    (0, 100, 7, torch.int32),
    (-5, 5, 11, torch.int64),
    (0, 255, 9, torch.uint8),
    (3, 17, 6, torch.long),
    (-100, 33, 13, torch.long),
    (1, 2, 8, torch.int),
]:
    print(torch.linspace(a, b, n, dtype=dt))
print(
    torch.linspace(0, 1, 7),
    torch.linspace(-3.3, 2.2, 9, dtype=torch.double),
    torch.logspace(-2, 2, 5),
    torch.logspace(0, 8, 9, base=2),
    torch.arange(0.1, 1, 0.3),
    torch.arange(1, 2, 0.1).shape,
    torch.arange(3, dtype=torch.float),
    torch.range(0, 3),
)
i, j = torch.arange(3, dtype=torch.int8), torch.tensor(300)
print(
    i + j,
    (i + j).dtype,
    i * 2.5,
    i.float() / 3,
    i // 2,
    -7 // torch.tensor(2),
    torch.tensor(-7) % 3,
    torch.fmod(torch.tensor(-7), 3),
    torch.div(torch.tensor(-7), 2, rounding_mode="trunc"),
    torch.div(torch.tensor(-7), 2, rounding_mode="floor"),
    torch.floor_divide(torch.tensor(-7.0), 2),
    torch.tensor(7.0) // 0,
    torch.tensor(0.0) / 0,
    torch.tensor(-1.0).sqrt(),
    torch.tensor(0.0).log(),
    torch.tensor(2) ** 0.5,
    torch.tensor(2) ** -1.0,
    torch.pow(2, torch.tensor([1, 2])),
    torch.tensor([1, 2]) ** 2,
    torch.tensor(1e20) ** 2,
    torch.exp(torch.tensor(100.0)),
    torch.sigmoid(torch.tensor([-100.0, 100.0])),
    torch.softmax(torch.tensor([1000.0, 1000.0]), 0),
    torch.logsumexp(torch.tensor([1000.0, 1000.0]), 0),
    torch.log_softmax(torch.tensor([0.0, 1000.0]), 0),
)
print(
    torch.tensor([1, 2, 3]).float().mean(),
    torch.tensor([1.0, 2.0, 3.0, 4.0]).var(),
    torch.tensor([1.0, 2.0, 3.0, 4.0]).std(correction=0),
    torch.tensor([1, 3, 2]).median(),
    torch.tensor([1.0, 2, 3, 4]).median(),
    torch.tensor([1.0, float("nan")]).max(),
    torch.tensor([1.0, float("nan")]).nansum(),
    torch.tensor([3, 1, 2]).sort(),
    torch.tensor([1, 2, 2, 3, 3]).mode(),
    torch.tensor([0.5, 1.5, 2.5, -0.5]).round(),
    torch.tensor([1.005]).round(decimals=2),
    torch.tensor([3, 3, 1]).argmax(),
    torch.tensor([1, 1, 0]).argmin(),
    torch.tensor([[1, 2], [3, 4]]).argmax(),
    torch.tensor([1, 2, 3]).prod(),
    torch.tensor([1.0, 2]).prod().item(),
    torch.tensor([[1, 2], [3, 4]]).sum(dim=(0, 1)),
    torch.tensor([True, False]).any(),
    torch.tensor([]).sum(),
    torch.tensor([]).mean(),
    torch.tensor([]).prod(),
    torch.tensor([2.0]).std(),
    torch.ones(3).cumsum(0),
    torch.tensor([1, 2, 3, 4, 5.0]).quantile(torch.tensor([0.25, 0.75])),
    torch.tensor([1, 2, 3, 4, 5.0]).quantile(0.4, interpolation="nearest"),
)
print(
    0.1 + 0.2 == torch.tensor(0.3).item(),
    torch.tensor(0.1).item(),
    torch.tensor(0.1, dtype=torch.float64).item(),
    torch.tensor(1 / 3).item(),
    torch.tensor(0.1, dtype=torch.half).item(),
    torch.tensor(0.1, dtype=torch.bfloat16).item(),
    torch.tensor(1e-45),
    torch.tensor(2.0**24 + 1).item(),
    (torch.tensor(0.1) + torch.tensor(0.2)).item(),
    torch.tensor([0.1, 0.2]).tolist(),
    torch.tensor(16777216.0) + 1,
    torch.tensor(3, dtype=torch.uint8) - 5,
    torch.finfo(torch.float32).eps,
    sum(torch.tensor([0.1] * 10)).item(),
    torch.tensor([0.1] * 10).sum().item(),
)
x = torch.rand(1000)
print(
    x.mean(),
    x.std(),
    (x < 0.5).sum(),
    x.min(),
    x.max(),
    torch.histc(x, 4),
    torch.histogram(x, 4),
    x.sum(),
    x.half().sum(),
    x.bfloat16().sum(),
    x.double().sum(),
    x.cumsum(0)[-1],
)
