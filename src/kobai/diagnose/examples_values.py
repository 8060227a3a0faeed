"""Examples for the codes of `catalogue_values.py`, read by `examples.py`."""
from __future__ import annotations

TEXT_OF_VALUES = """
K301
torch.tensor("3.5")
--
torch.tensor(float("3.5"))

K302
heights = [1.7, None]
torch.tensor(heights)
--
heights = [1.7, None]
torch.tensor([h for h in heights if h is not None])

K303
torch.ones(2, dtype="float32")
--
torch.ones(2, dtype=torch.float32)

K304
torch.arange(0, 1, 0)
--
torch.linspace(0, 1, 5)

K305
torch.arange(10, 0, 1)
--
torch.arange(10, 0, -1)

K306
kept = [x for x in torch.ones(3) if x > 1]
torch.stack(kept)
--
kept = [x for x in torch.ones(3) if x > 0]
torch.stack(kept)

K307
torch.ones(6).view(-1, -1)
--
torch.ones(6).view(-1, 2)

K308
torch.ones(2, 3).repeat(2)
--
torch.ones(2, 3).repeat(2, 1)

K309
torch.ones(2, 3, 4).flatten(2, 1)
--
torch.ones(2, 3, 4).flatten(1, 2)

K310
torch.ones(2, 6).unflatten(1, (2, 4))
--
torch.ones(2, 6).unflatten(1, (2, 3))

K311
padding = torch.tensor([0., 1.])
torch.ones(2).masked_fill(padding, 0.)
--
padding = torch.tensor([0., 1.])
torch.ones(2).masked_fill(padding == 1, 0.)

K312
x = torch.tensor([-1., 2.])
torch.where(x, 1., 0.)
--
x = torch.tensor([-1., 2.])
torch.where(x > 0, 1., 0.)

K313
place = torch.tensor([0.])
torch.ones(3).gather(0, place)
--
place = torch.tensor([0])
torch.ones(3).gather(0, place)

K314
F.one_hot(torch.tensor([0., 2.]))
--
F.one_hot(torch.tensor([0, 2]))

K315
nn.Conv2d(3, 4, kernel_size=3, groups=2)
--
nn.Conv2d(4, 4, kernel_size=3, groups=2)

K316
nn.GroupNorm(6, 4)
--
nn.GroupNorm(2, 4)

K317
attention = nn.MultiheadAttention(8, 2)
x = torch.ones(5, 1, 6)
attention(x, x, x)
--
attention = nn.MultiheadAttention(6, 2)
x = torch.ones(5, 1, 6)
attention(x, x, x)

K318
F.mse_loss(torch.ones(3), torch.zeros(3), reduction="average")
--
F.mse_loss(torch.ones(3), torch.zeros(3), reduction="mean")

K319
nn.Parameter([0.5, -0.5])
--
nn.Parameter(torch.tensor([0.5, -0.5]))

K320
model = nn.Linear(1, 1)
optim.lr_scheduler.StepLR(model, 10)
--
model = nn.Linear(1, 1)
opt = optim.SGD(model.parameters(), lr=0.1)
optim.lr_scheduler.StepLR(opt, 10)

K321
data = torch.utils.data.TensorDataset(torch.arange(4))
order = torch.utils.data.RandomSampler(data)
torch.utils.data.DataLoader(data, sampler=order, shuffle=True)
--
data = torch.utils.data.TensorDataset(torch.arange(4))
order = torch.utils.data.RandomSampler(data)
torch.utils.data.DataLoader(data, sampler=order)

K322
images, weights = torch.ones(8, 3), torch.ones(3, 3)
torch.vmap(lambda x, w: w @ x)(images, weights)
--
images, weights = torch.ones(8, 3), torch.ones(3, 3)
torch.vmap(lambda x, w: w @ x, in_dims=(0, None))(images, weights)
"""
