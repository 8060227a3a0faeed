"""Learn to read handwritten digits: the whole workflow of a first deep-learning course.

An ordinary PyTorch program. Run it with `kobai run examples/digits.py` (or `make demo`); it trains in
seconds, prints the accuracy on images it never saw, and writes its pictures beside this file:
digits_graph.svg / .png, the graph of one forward pass, and digits_curve.svg / .png, how it learned.
"""
import pathlib
import sys
import time

import matplotlib
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split
from torchviz import make_dot

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = pathlib.Path(__file__).parent
EPOCHS, BATCH = 40, 64


class DigitNet(nn.Module):
    """Four layers: 64 pixels, three hidden layers, 10 digits."""

    def __init__(self, hidden=(256, 128, 64), p=0.3):
        super().__init__()
        sizes = (64, *hidden)
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.out = nn.Linear(sizes[-1], 10)
        self.dropout = nn.Dropout(p)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
            if self.training:  # the graph may differ from call to call
                x = self.dropout(x)
        return self.out(x)


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


def load():
    rows = np.loadtxt(HERE / "data" / "digits.csv.gz", delimiter=",", dtype=np.float32)
    pixels, digits = rows[:, :64] / 16, rows[:, 64]
    data = TensorDataset(torch.from_numpy(pixels), torch.from_numpy(digits).long())
    return random_split(data, [1257, 180, 360], generator=torch.Generator().manual_seed(0))


def evaluate(model, loader, loss_fn):
    """(mean loss, accuracy)."""
    model.eval()
    loss = right = n = 0
    with torch.no_grad():
        for x, y in loader:
            scores = model(x)
            loss += loss_fn(scores, y).item() * len(y)
            right += (scores.argmax(dim=1) == y).sum().item()
            n += len(y)
    return loss / n, right / n


def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total = n = 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        n += len(y)
    return total / n


def show_progress(epoch, train_loss, val_loss, accuracy):
    done = round(24 * epoch / EPOCHS)
    bar = "█" * done + "░" * (24 - done)
    text = (f"epoch {epoch:2d}/{EPOCHS} {bar} train loss {train_loss:.4f}  val loss {val_loss:.4f}  "
            f"val acc {accuracy:.3f}")
    print("\r" + text if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)


def draw_curve(curve):
    epochs = range(1, len(curve) + 1)
    train, val, accuracy = zip(*curve)
    _, left = plt.subplots(figsize=(6, 3.6))
    left.plot(epochs, train, label="training loss")
    left.plot(epochs, val, label="validation loss")
    left.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    left.grid(alpha=0.3)
    right = left.twinx()
    right.plot(epochs, accuracy, color="tab:green", label="validation accuracy")
    right.set(ylabel="accuracy", ylim=(0.8, 1.0))
    left.legend(handles=[*left.lines, *right.lines], loc="center right")
    for ending in ("svg", "png"):
        plt.savefig(HERE / f"digits_curve.{ending}", bbox_inches="tight", dpi=120)


def main():
    torch.manual_seed(0)
    train, val, test = load()
    train_loader = DataLoader(train, batch_size=BATCH, shuffle=True)
    val_loader, test_loader = DataLoader(val, batch_size=180), DataLoader(test, batch_size=360)

    model = DigitNet()
    model.apply(init_weights)
    print(model)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)

    start, curve = time.perf_counter(), []
    for epoch in range(1, EPOCHS + 1):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        scheduler.step()
        val_loss, accuracy = evaluate(model, val_loader, loss_fn)
        curve.append((train_loss, val_loss, accuracy))
        show_progress(epoch, train_loss, val_loss, accuracy)
    seconds = time.perf_counter() - start

    _, accuracy = evaluate(model, test_loader, loss_fn)
    print(f"\ntest accuracy: {accuracy:.1%} of {len(test)} images it never saw ({seconds:.1f} s of training)")

    draw_curve(curve)
    loss = loss_fn(model(test[0][0].unsqueeze(0)), test[0][1].unsqueeze(0))
    dot = make_dot(loss, params=dict(model.named_parameters()))
    for ending in ("svg", "png"):
        dot.render(str(HERE / "digits_graph"), format=ending, cleanup=True)
    print(f"wrote digits_graph.svg/.png and digits_curve.svg/.png in {HERE}")
    return accuracy


if __name__ == "__main__":
    main()
