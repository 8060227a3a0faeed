"""Recurrent layers on sequences of different lengths; a text classifier; a character model."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import (
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpad_sequence,
)

torch.manual_seed(0)
seqs = [torch.randn(n, 3) for n in (5, 2, 4)]
lens = torch.tensor([5, 2, 4])
p = pad_sequence(seqs, batch_first=True)
print(p.shape, p[1])
pk = pack_padded_sequence(p, lens, batch_first=True, enforce_sorted=False)
print(pk.data.shape, pk.batch_sizes, pk.sorted_indices, pk.unsorted_indices)
for cls in (nn.RNN, nn.LSTM, nn.GRU):
    net = cls(3, 4, num_layers=2, bidirectional=True, batch_first=True, dropout=0.0)
    print(net, [tuple(w.shape) for w in net.parameters()][:4])
    out, h = net(pk)
    u, l = pad_packed_sequence(out, batch_first=True)
    print(u.shape, l, u.sum(), u[1])
    h = h[0] if isinstance(h, tuple) else h
    print(h.shape, h)
    u.sum().backward()
    print(net.weight_ih_l0.grad.norm(), net.weight_hh_l1_reverse.grad.norm(), net.bias_ih_l0.grad)
print(pack_sequence(sorted(seqs, key=len, reverse=True)), unpad_sequence(p, lens, batch_first=True)[1])
try:
    pack_padded_sequence(p, lens, batch_first=True)
except RuntimeError as e:
    print(str(e).split("\n")[0])
try:
    pack_padded_sequence(p, [0, 1, 2], batch_first=True, enforce_sorted=False)
except RuntimeError as e:
    print(str(e).split("\n")[0])


class Classifier(nn.Module):
    def __init__(self, vocab, emb, hid, out):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=0)
        self.rnn = nn.LSTM(emb, hid, num_layers=2, bidirectional=True, dropout=0.0)
        self.fc = nn.Linear(hid * 2, out)
        self.dropout = nn.Dropout(0.0)

    def forward(self, text, lengths):
        e = self.dropout(self.embedding(text))
        pe = nn.utils.rnn.pack_padded_sequence(e, lengths.to("cpu"), enforce_sorted=False)
        po, (h, c) = self.rnn(pe)
        return self.fc(self.dropout(torch.cat((h[-2], h[-1]), dim=1))).squeeze(1)


m = Classifier(20, 8, 6, 1)
print(m)
print(f"The model has {sum(p.numel() for p in m.parameters() if p.requires_grad):,} trainable parameters")
text = torch.randint(1, 20, (7, 4))
L = torch.tensor([7, 3, 5, 6])
for i, n in enumerate(L):
    text[n:, i] = 0
y = torch.tensor([1.0, 0, 1, 0])
opt = torch.optim.Adam(m.parameters(), 1e-2)
crit = nn.BCEWithLogitsLoss()
m.train()
for i in range(6):
    opt.zero_grad()
    o = m(text, L)
    l = crit(o, y)
    l.backward()
    opt.step()
    acc = (torch.sigmoid(o).round() == y).float().mean()
    print(f"| Epoch: {i + 1:02} | Train Loss: {l.item():.3f} | Acc: {acc.item() * 100:.2f}%")
print(m.embedding.weight[0], m.embedding.weight.grad[0])
c = nn.LSTMCell(3, 4)
h = torch.zeros(2, 4), torch.zeros(2, 4)
for t in range(3):
    h = c(torch.ones(2, 3) * t, h)
print(c, h[0].detach(), h[1].detach())
g = nn.GRUCell(3, 4)
print(g, g(torch.ones(3)).detach())
r = nn.RNNCell(3, 4, nonlinearity="relu")
print(r, r(torch.ones(1, 3)))
pj = nn.LSTM(3, 5, proj_size=2)
o, (h, c2) = pj(torch.ones(4, 1, 3))
print(pj, o.shape, h.shape, c2.shape, o[-1])
print(nn.LSTM(3, 4)(torch.ones(5, 3))[0].shape, nn.GRU(3, 4, bias=False)(torch.ones(5, 2, 3))[0][-1])
print(nn.LSTM(2, 2).all_weights[0][0])
net = nn.LSTM(2, 3)
net.flatten_parameters()
for name, q in net.named_parameters():
    if "weight" in name:
        nn.init.orthogonal_(q)
    elif "bias" in name:
        nn.init.constant_(q, 0.0)
        q.data[3:6].fill_(1.0)
print(net.bias_ih_l0, net.weight_hh_l0.shape)
# char rnn
text = "hello world, hello pytorch. "
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
itos = {i: c for c, i in stoi.items()}
ids = torch.tensor([stoi[c] for c in text])


class CharRNN(nn.Module):
    def __init__(self, v, h):
        super().__init__()
        self.enc = nn.Embedding(v, h)
        self.gru = nn.GRU(h, h, 1)
        self.dec = nn.Linear(h, v)

    def forward(self, x, h=None):
        o, h = self.gru(self.enc(x), h)
        return self.dec(o), h


cr = CharRNN(len(chars), 32)
opt = torch.optim.Adam(cr.parameters(), 0.01)
lf = nn.CrossEntropyLoss()
for e in range(60):
    o, _ = cr(ids[:-1].view(-1, 1))
    l = lf(o.view(-1, len(chars)), ids[1:])
    opt.zero_grad()
    l.backward()
    nn.utils.clip_grad_norm_(cr.parameters(), 5)
    opt.step()
    if e % 20 == 0:
        print(e, "%.4f" % l.item())
h = None
x = ids[:1].view(1, 1)
s = "h"
cr.eval()
with torch.no_grad():
    for _ in range(20):
        o, h = cr(x, h)
        pr = torch.softmax(o.view(-1) / 0.8, 0)
        nx = torch.multinomial(pr, 1)
        s += itos[nx.item()]
        x = nx.view(1, 1)
print(s)
