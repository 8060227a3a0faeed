"""Examples for the codes from K151 on, the use of tensors, layers and losses; read by `examples.py`."""
from __future__ import annotations

TEXT_OF_USE = """
K151
x = torch.ones(8, 1, 4, 4)
x.view(8, 15)
--
x = torch.ones(8, 1, 4, 4)
x.view(8, -1)

K152
x = torch.ones(2, 3).T
x.view(6)
--
x = torch.ones(2, 3).T
x.reshape(6)

K153
x = torch.ones(3)
x.sum(dim=1)
--
x = torch.ones(3)
x.sum(dim=0)

K154
x = torch.ones(3)
x[3]
--
x = torch.ones(3)
x[2]

K155
x = torch.ones(2, 3)
x[0, 0, 0]
--
x = torch.ones(2, 3)
x[0, 0]

K156
torch.cat([torch.ones(2, 3), torch.ones(2, 4)])
--
torch.cat([torch.ones(2, 3), torch.ones(2, 4)], dim=1)

K157
torch.stack([torch.ones(2), torch.ones(3)])
--
nn.utils.rnn.pad_sequence([torch.ones(2), torch.ones(3)], batch_first=True)

K158
losses = torch.tensor([0.5, 0.7])
losses.item()
--
losses = torch.tensor([0.5, 0.7])
losses.mean().item()

K159
x = torch.tensor([1., -1.])
if x > 0:
    print("positive")
--
x = torch.tensor([1., -1.])
if (x > 0).all():
    print("positive")

K160
len(torch.tensor(3.))
--
torch.tensor(3.).numel()

K161
for loss in torch.tensor([1., 2.]).sum():
    print(loss)
--
for loss in torch.tensor([1., 2.]):
    print(loss)

K162
torch.ones(3) @ torch.ones(4)
--
torch.ones(3) @ torch.ones(3)

K163
scores = torch.rand(2, 3)
scores.gather(1, torch.tensor([[3], [1]]))
--
scores = torch.rand(2, 3)
scores.gather(1, torch.tensor([[2], [1]]))

K164
torch.bmm(torch.ones(5, 2, 3), torch.ones(5, 2, 3))
--
torch.bmm(torch.ones(5, 2, 3), torch.ones(5, 2, 3).transpose(1, 2))

K165
torch.cat([torch.ones(2, 3), torch.ones(3)])
--
torch.cat([torch.ones(2, 3), torch.ones(3).unsqueeze(0)])

K166
x = torch.arange(10)
x[len(x) / 2]
--
x = torch.arange(10)
x[len(x) // 2]

K167
torch.ones(2, 3).expand(4, 3)
--
torch.ones(1, 3).expand(4, 3)

K168
torch.ones(5).split([2, 2])
--
torch.ones(5).split([2, 3])

K171
torch.tensor([[1, 2, 3], [4, 5]])
--
torch.tensor([[1, 2, 3], [4, 5, 0]])

K172
torch.tensor([torch.ones(2), torch.ones(2)])
--
torch.stack([torch.ones(2), torch.ones(2)])

K173
counts = torch.tensor([1, 2])
counts += 0.5
--
counts = torch.tensor([1, 2])
counts = counts + 0.5

K174
torch.tensor([1, 2]).mean()
--
torch.tensor([1, 2]).float().mean()

K175
torch.tensor([1, 2]).softmax(0)
--
torch.tensor([1., 2.]).softmax(0)

K176
nn.Linear(3, 2)([1., 2., 3.])
--
nn.Linear(3, 2)(torch.tensor([1., 2., 3.]))

K177
torch.ones(2).to("cuda")
--
torch.ones(2).to("cuda" if torch.cuda.is_available() else "cpu")

K178
torch.from_numpy([1., 2.])
--
torch.tensor([1., 2.])

K201
images = torch.rand(8, 28, 28, 3)
nn.Conv2d(3, 16, 3)(images)
--
images = torch.rand(8, 28, 28, 3)
nn.Conv2d(3, 16, 3)(images.permute(0, 3, 1, 2))

K202
image = torch.rand(28, 28)
nn.Conv2d(1, 16, 3)(image)
--
image = torch.rand(28, 28)
nn.Conv2d(1, 16, 3)(image.unsqueeze(0))

K203
images = torch.rand(8, 1, 2, 2)
nn.Conv2d(1, 16, 3)(images)
--
images = torch.rand(8, 1, 2, 2)
nn.Conv2d(1, 16, 3, padding=1)(images)

K204
images = torch.rand(8, 1, 1, 1)
nn.MaxPool2d(2)(images)
--
images = torch.rand(8, 1, 2, 2)
nn.MaxPool2d(2)(images)

K205
layer = nn.BatchNorm1d(4)
layer(torch.rand(1, 4))
--
layer = nn.BatchNorm1d(4)
layer.eval()
layer(torch.rand(1, 4))

K206
nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(4))(torch.rand(5, 2))
--
nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8))(torch.rand(5, 2))

K207
nn.LayerNorm(4)(torch.rand(3, 5))
--
nn.LayerNorm(5)(torch.rand(3, 5))

K208
words = torch.tensor([1, 2, 10])
nn.Embedding(10, 4)(words)
--
words = torch.tensor([1, 2, 10])
nn.Embedding(11, 4)(words)

K209
nn.Embedding(10, 4)(torch.tensor([1., 2.]))
--
nn.Embedding(10, 4)(torch.tensor([1, 2]))

K210
nn.LSTM(3, 4)(torch.rand(5, 2, 7))
--
nn.LSTM(7, 4)(torch.rand(5, 2, 7))

K211
nn.BatchNorm2d(8)(torch.rand(16, 8))
--
nn.BatchNorm1d(8)(torch.rand(16, 8))

K212
nn.LSTM(3, 4)(torch.rand(5, 2, 3), (torch.zeros(1, 5, 4), torch.zeros(1, 5, 4)))
--
nn.LSTM(3, 4)(torch.rand(5, 2, 3), (torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)))

K221
scores, target = torch.rand(3, 4), torch.tensor([1, 2, 4])
F.cross_entropy(scores, target)
--
scores, target = torch.rand(3, 4), torch.tensor([1, 2, 4])
F.cross_entropy(scores, target - 1)

K222
scores, target = torch.rand(3, 4), torch.tensor([0., 1., 2.])
F.cross_entropy(scores, target)
--
scores, target = torch.rand(3, 4), torch.tensor([0., 1., 2.])
F.cross_entropy(scores, target.long())

K223
features = torch.rand(8, 2, 4)
target = torch.zeros(8).long()
F.cross_entropy(features.view(-1, 4), target)
--
features = torch.rand(8, 2, 4)
target = torch.zeros(8).long()
F.cross_entropy(features.flatten(1), target)

K224
scores, target = torch.rand(3, 4), torch.zeros(3, 1).long()
F.cross_entropy(scores, target)
--
scores, target = torch.rand(3, 4), torch.zeros(3, 1).long()
F.cross_entropy(scores, target.squeeze(1))

K225
scores, target = torch.tensor([2., -1.]), torch.tensor([1., 0.])
F.binary_cross_entropy(scores, target)
--
scores, target = torch.tensor([2., -1.]), torch.tensor([1., 0.])
F.binary_cross_entropy_with_logits(scores, target)

K226
output, target = torch.rand(3, 1), torch.ones(3)
F.binary_cross_entropy(output, target)
--
output, target = torch.rand(3, 1), torch.ones(3)
F.binary_cross_entropy(output.squeeze(1), target)

K227
output, target = torch.rand(3, 1), torch.ones(3)
F.binary_cross_entropy_with_logits(output, target)
--
output, target = torch.rand(3, 1), torch.ones(3)
F.binary_cross_entropy_with_logits(output, target.unsqueeze(1))

K228
output, target = torch.rand(3, 1), torch.ones(3)
F.mse_loss(output, target)
--
output, target = torch.rand(3, 1), torch.ones(3)
F.mse_loss(output.squeeze(1), target)

K241
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
Net()(torch.ones(2))
--
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x):
        return self.layer(x)
Net()(torch.ones(2))

K242
class Net(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 1)
Net()
--
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
Net()

K243
saved = nn.Linear(2, 4).state_dict()
nn.Linear(2, 3).load_state_dict(saved)
--
saved = nn.Linear(2, 4).state_dict()
nn.Linear(2, 4).load_state_dict(saved)

K244
nn.Sequential(nn.Linear(4, 8), F.relu, nn.Linear(8, 1))
--
nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))

K251
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 1)]
optim.SGD(Net().parameters(), lr=0.1)
--
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 1)])
optim.SGD(Net().parameters(), lr=0.1)

K252
w = torch.ones(2, requires_grad=True) * 0.01
optim.SGD([w], lr=0.1)
--
w = (torch.ones(2) * 0.01).requires_grad_()
optim.SGD([w], lr=0.1)

K253
w = torch.ones(2, requires_grad=True)
optim.SGD(w, lr=0.1)
--
w = torch.ones(2, requires_grad=True)
optim.SGD([w], lr=0.1)

K254
model = nn.Linear(2, 1)
optim.SGD(list(model.state_dict()), lr=0.1)
--
optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)

K255
optim.SGD(nn.Linear(2, 1).parameters(), lr=-0.1)
--
optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)

K261
torch.utils.data.TensorDataset(torch.rand(10, 3), torch.rand(9))
--
torch.utils.data.TensorDataset(torch.rand(10, 3), torch.rand(10))

K262
words = ["a", "b"]
samples = [{"word": word, "letters": {word}} for word in words]
next(iter(torch.utils.data.DataLoader(samples, batch_size=2)))
--
words = ["a", "b"]
samples = [{"word": word, "letters": len(word)} for word in words]
next(iter(torch.utils.data.DataLoader(samples, batch_size=2)))

K263
torch.utils.data.random_split(range(100), [80, 10])
--
torch.utils.data.random_split(range(100), [80, 20])
"""
