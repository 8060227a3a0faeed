"""Examples for the codes of `catalogue_calls.py`, read by `examples.py`."""
from __future__ import annotations

TEXT_OF_CALLS = """
K136
torch.randn(3 - 5)
--
torch.randn(5 - 3)

K137
torch.zeros(2, 3 - 5)
--
torch.zeros(2, 5 - 3)

K179
x = torch.ones(3)
x[torch.tensor([True, False])]
--
x = torch.ones(3)
x[torch.tensor([True, False, True])]

K180
torch.ones(2, 3, 4).permute(1, 0)
--
torch.ones(2, 3, 4).permute(1, 0, 2)

K181
outputs = []
torch.cat(outputs)
--
outputs = [torch.ones(2)]
torch.cat(outputs)

K182
losses = [torch.tensor(0.5).item(), torch.tensor(0.7).item()]
torch.stack(losses)
--
losses = [torch.tensor(0.5), torch.tensor(0.7)]
torch.stack(losses)

K183
torch.mm(torch.ones(3), torch.ones(3, 2))
--
torch.ones(3) @ torch.ones(3, 2)

K184
torch.bmm(torch.ones(3, 4), torch.ones(4, 2))
--
torch.ones(3, 4) @ torch.ones(4, 2)

K185
torch.dot(torch.ones(2, 2), torch.ones(2, 2))
--
(torch.ones(2, 2) * torch.ones(2, 2)).sum()

K186
torch.mv(torch.ones(2, 3), torch.ones(2))
--
torch.mv(torch.ones(2, 3).T, torch.ones(2))

K187
scores, labels = torch.ones(2, 3), torch.tensor([0, 2])
scores.gather(1, labels)
--
scores, labels = torch.ones(2, 3), torch.tensor([0, 2])
scores.gather(1, labels.unsqueeze(1))

K189
labels = torch.tensor([1, 2, 3])
F.one_hot(labels, num_classes=3)
--
labels = torch.tensor([1, 2, 3])
F.one_hot(labels - 1, num_classes=3)

K190
torch.ones(3).topk(5)
--
torch.ones(3).topk(2)

K191
torch.inverse(torch.ones(2, 3))
--
torch.linalg.pinv(torch.ones(2, 3))

K193
torch.ones(2).clamp()
--
torch.ones(2).clamp(min=0)

K194
torch.tensor([4, 6]) // torch.tensor([2, 0])
--
torch.tensor([4., 6.]) // torch.tensor([2., 0.])

K197
losses = torch.tensor([0.5, 0.7])
float(losses)
--
losses = torch.tensor([0.5, 0.7])
float(losses.mean())

K198
torch.ones(2, device="gpu")
--
torch.ones(2, device="cpu")

K199
torch.ones(2).to("float32")
--
torch.ones(2).to(torch.float32)

K213
nn.Dropout(50)
--
nn.Dropout(0.5)

K214
nn.MultiheadAttention(10, num_heads=4)
--
nn.MultiheadAttention(10, num_heads=5)

K215
images = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
nn.Conv2d(1, 2, 3)(images)
--
images = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
nn.Conv2d(1, 2, 3)(images.float() / 255)

K216
F.pad(torch.ones(4), (1, 1, 1, 1))
--
F.pad(torch.ones(4), (1, 1))

K230
F.binary_cross_entropy(torch.tensor([0.2, 0.9]), torch.tensor([0, 1]))
--
F.binary_cross_entropy(torch.tensor([0.2, 0.9]), torch.tensor([0, 1]).float())

K231
output, target = torch.ones(3), torch.zeros(3)
loss = nn.MSELoss(output, target)
--
output, target = torch.ones(3), torch.zeros(3)
criterion = nn.MSELoss()
loss = criterion(output, target)

K245
layer = nn.Linear(2, 1)
layer.weight = torch.ones(1, 2)
--
layer = nn.Linear(2, 1)
layer.weight = nn.Parameter(torch.ones(1, 2))

K256
model = nn.Linear(2, 1)
optim.SGD(model.parameters, lr=0.1)
--
model = nn.Linear(2, 1)
optim.SGD(model.parameters(), lr=0.1)

K264
loader = torch.utils.data.DataLoader([[1, 2], [3]], batch_size=2)
next(iter(loader))
--
loader = torch.utils.data.DataLoader([[1, 2], [3, 0]], batch_size=2)
next(iter(loader))

K265
torch.utils.data.DataLoader([1, 2, 3], batch_size=0)
--
torch.utils.data.DataLoader([1, 2, 3], batch_size=1)

K266
class Data(torch.utils.data.Dataset):
    def __getitem__(self, i):
        return i
torch.utils.data.DataLoader(Data(), shuffle=True)
--
class Data(torch.utils.data.Dataset):
    def __getitem__(self, i):
        return i
    def __len__(self):
        return 3
torch.utils.data.DataLoader(Data(), shuffle=True)

K271
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
Double()(torch.ones(1))
--
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
Double.apply(torch.ones(1))

K272
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
Double.apply(torch.ones(1, requires_grad=True)).backward()
--
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 2
Double.apply(torch.ones(1, requires_grad=True)).backward()

K273
class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, n):
        return x * 3
    @staticmethod
    def backward(ctx, g):
        return g * 3
Product.apply(torch.ones(1, requires_grad=True), 3).backward()
--
class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, n):
        return x * 3
    @staticmethod
    def backward(ctx, g):
        return g * 3, None
Product.apply(torch.ones(1, requires_grad=True), 3).backward()

K274
class Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sum()
    @staticmethod
    def backward(ctx, g):
        return torch.ones(5)
Total.apply(torch.ones(3, requires_grad=True)).backward()
--
class Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sum()
    @staticmethod
    def backward(ctx, g):
        return g.expand(3)
Total.apply(torch.ones(3, requires_grad=True)).backward()
"""
