"""CTC on synthetic strokes: CNN + BiLSTM, packed batches, greedy and beam decoding."""

import itertools
import math

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler

torch.manual_seed(1)
ALPHABET = "-abcd"


class Strokes(Dataset):
    def __init__(self, n, g):
        self.items = []
        base = torch.randn(5, 6, generator=g)
        for _ in range(n):
            k = int(torch.randint(2, 5, (1,), generator=g))
            y = torch.randint(1, 5, (k,), generator=g)
            x = torch.cat([base[c].repeat(int(torch.randint(2, 4, (1,), generator=g)), 1) for c in y])
            self.items.append((x + 0.1 * torch.randn(x.shape, generator=g), y))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class BucketSampler(Sampler):
    """Batches of similar length."""

    def __init__(self, lengths, batch_size):
        self.lengths, self.batch_size = lengths, batch_size

    def __iter__(self):
        order = sorted(range(len(self.lengths)), key=lambda i: self.lengths[i])
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        for j in torch.randperm(len(batches)).tolist():
            yield batches[j]

    def __len__(self):
        return math.ceil(len(self.lengths) / self.batch_size)


def collate(batch):
    xs, ys = zip(*batch)
    return (
        pad_sequence(xs, batch_first=True),
        torch.tensor([len(x) for x in xs]),
        torch.cat(ys),
        torch.tensor([len(y) for y in ys]),
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(6, 16, 3, padding=1)
        self.rnn = nn.LSTM(16, 12, num_layers=2, bidirectional=True, dropout=0.0)
        self.fc = nn.Linear(24, len(ALPHABET))

    def forward(self, x, lengths):
        h = torch.relu(self.conv(x.transpose(1, 2))).permute(2, 0, 1)
        h, _ = pad_packed_sequence(self.rnn(pack_padded_sequence(h, lengths, enforce_sorted=False))[0])
        return self.fc(h).log_softmax(2)


def greedy(logp, length):
    best = logp[:length].argmax(1).tolist()
    return "".join(ALPHABET[k] for k, _ in itertools.groupby(best) if k)


def beam(logp, length, width=3):
    beams = {(): (0.0, -math.inf)}
    for t in range(length):
        new = {}
        for prefix, (pb, pnb) in beams.items():
            for c in range(logp.size(1)):
                p = logp[t, c].item()
                nb, nnb = new.get(prefix if c == 0 else prefix + (c,), (-math.inf, -math.inf))
                if c == 0:
                    new[prefix] = (torch.logsumexp(torch.tensor([nb, pb + p, pnb + p]), 0).item(), nnb)
                elif prefix and prefix[-1] == c:
                    new[prefix + (c,)] = (nb, torch.logsumexp(torch.tensor([nnb, pb + p]), 0).item())
                    ob, onb = new.get(prefix, (-math.inf, -math.inf))
                    new[prefix] = (ob, torch.logsumexp(torch.tensor([onb, pnb + p]), 0).item())
                else:
                    new[prefix + (c,)] = (nb, torch.logsumexp(torch.tensor([nnb, pb + p, pnb + p]), 0).item())
        beams = dict(sorted(new.items(), key=lambda kv: -torch.logaddexp(*map(torch.tensor, kv[1])).item())[:width])
    return ["".join(ALPHABET[c] for c in k) for k in beams]


data = Strokes(40, torch.Generator().manual_seed(5))
loader = DataLoader(data, batch_sampler=BucketSampler([len(x) for x, _ in data.items], 8), collate_fn=collate)
net, ctc = Net(), nn.CTCLoss(blank=0, zero_infinity=True)
opt = torch.optim.RMSprop(net.parameters(), lr=5e-3, momentum=0.5)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
for epoch in range(6):
    total = 0.0
    for x, xl, y, yl in loader:
        loss = ctc(net(x, xl), y, xl, yl)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), 1.0)
        opt.step()
        total += loss.item() * len(yl)
    plateau.step(total)
    print(epoch, f"{total / len(data):.4f}", opt.param_groups[0]["lr"])
net.eval()
with torch.no_grad():
    x, xl, y, yl = collate([data[i] for i in range(3)])
    lp = net(x, xl)
for i, want in enumerate(y.split(yl.tolist())):
    print("".join(ALPHABET[c] for c in want), greedy(lp[:, i], xl[i]), beam(lp[:, i], int(xl[i]))[:1])
print(nn.CTCLoss(reduction="none")(lp, y, xl, yl), ctc)
