"""A network: layers, optimisers, training and evaluation, saving."""
import io

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split


class Points(Dataset):
    def __init__(self, n):
        g = torch.Generator().manual_seed(7)
        self.x = torch.rand(n, 2, generator=g) * 2 - 1
        self.y = ((self.x ** 2).sum(1) < 0.5).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc1 = nn.Linear(2, hidden)
        self.bn = nn.BatchNorm1d(hidden)
        self.drop = nn.Dropout(0.1)
        self.fc2 = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.fc2(self.drop(F.relu(self.bn(self.fc1(x)))))


torch.manual_seed(0)
data = Points(300)
train, test = random_split(data, [240, 60])
loader = DataLoader(train, batch_size=32, shuffle=True)
model = Net(16)
print(model)
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
print([n for n, _ in model.named_parameters()], list(model.state_dict()))
print(model.fc1.weight[:2], model.fc1.bias[:3])
criterion = nn.CrossEntropyLoss()
for make in (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.01),
             lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1), lambda p: optim.RMSprop(p, lr=0.005)):
    optimizer = make(model.parameters())
    scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    for epoch in range(3):
        model.train()
        running = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            running += loss.item()
        scheduler.step()
        print(f"epoch {epoch} loss {running / len(loader):.4f} lr {scheduler.get_last_lr()[0]:.5f}")
    model.eval()
    with torch.no_grad():
        x, y = next(iter(DataLoader(test, batch_size=60)))
        pred = model(x).argmax(1)
        print("more than three quarters right:", (pred == y).float().mean().item() > 0.75)
buffer = io.BytesIO()
torch.save(model.state_dict(), buffer)
buffer.seek(0)
again = Net(16)
print(again.load_state_dict(torch.load(buffer)))
again.eval()
print(torch.allclose(again(x), model(x)))
print(CosineAnnealingLR(optimizer, T_max=10).get_last_lr())
ds = TensorDataset(torch.arange(6.0).view(3, 2), torch.arange(3))
for xb, yb in DataLoader(ds, batch_size=2):
    print(xb, yb)
seq = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))
print(seq)
out = seq(torch.randn(2, 1, 8, 8))
print(out.shape, out)
F.cross_entropy(out, torch.tensor([0, 2])).backward()
print(seq[0].weight.grad.abs().sum())
