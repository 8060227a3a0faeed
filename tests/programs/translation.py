"""Translation of numbers to words: nn.Transformer with masks, then GRU with Bahdanau attention; beam search."""

import math
import random
from collections import Counter

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

random.seed(0)
torch.manual_seed(0)
UNITS = "zero one two three four five six seven eight nine".split()
pairs = [(str(n), [UNITS[int(c)] for c in str(n)]) for n in random.sample(range(1000), 60)]


class Vocab:
    def __init__(self, tokens, specials=("<pad>", "<bos>", "<eos>", "<unk>")):
        freq = Counter(tokens)
        self.itos = list(specials) + [t for t, _ in sorted(freq.items(), key=lambda kv: (-kv[1], kv[0]))]
        self.stoi = {t: i for i, t in enumerate(self.itos)}

    def __len__(self):
        return len(self.itos)

    def __call__(self, tokens):
        return [self.stoi.get(t, 3) for t in tokens]


src_v, tgt_v = Vocab(c for s, _ in pairs for c in s), Vocab(w for _, t in pairs for w in t)
PAD, BOS, EOS = 0, 1, 2


def batch(ps):
    s = pad_sequence([torch.tensor(src_v(p[0]) + [EOS]) for p in ps], batch_first=True, padding_value=PAD)
    t = pad_sequence([torch.tensor([BOS] + tgt_v(p[1]) + [EOS]) for p in ps], batch_first=True)
    return s, t


class PositionalEncoding(nn.Module):
    def __init__(self, d, maxlen=50):
        super().__init__()
        pos = torch.arange(maxlen).unsqueeze(1)
        div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe = torch.zeros(1, maxlen, d)
        pe[0, :, 0::2] = torch.sin(pos * div)
        pe[0, :, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe, persistent=False)

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class Seq2Seq(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.src, self.tgt = nn.Embedding(len(src_v), d, padding_idx=PAD), nn.Embedding(len(tgt_v), d, PAD)
        self.pos = PositionalEncoding(d)
        self.tr = nn.Transformer(d, 4, 1, 1, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.out = nn.Linear(d, len(tgt_v))
        self.out.weight = self.tgt.weight

    def forward(self, s, t):
        mask = nn.Transformer.generate_square_subsequent_mask(t.size(1))
        h = self.tr(
            self.pos(self.src(s)),
            self.pos(self.tgt(t)),
            tgt_mask=mask,
            src_key_padding_mask=s == PAD,
            tgt_key_padding_mask=t == PAD,
            memory_key_padding_mask=s == PAD,
        )
        return self.out(h)


net = Seq2Seq()
for p in net.parameters():
    if p.dim() > 1:
        nn.init.xavier_uniform_(p)
opt = torch.optim.Adam(net.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-9)
crit = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=0.05)
for epoch in range(4):
    random.shuffle(pairs)
    tot = 0
    for i in range(0, 60, 20):
        s, t = batch(pairs[i : i + 20])
        logits = net(s, t[:, :-1])
        loss = crit(logits.reshape(-1, logits.shape[-1]), t[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    print(f"Epoch: {epoch}, Train loss: {tot / 3:.3f}")
print([k for k in net.state_dict()][:4], len(net.state_dict()), sum(p.numel() for p in net.parameters()))


@torch.no_grad()
def beam_search(s, k=3, n=6):
    net.eval()
    beams = [(0.0, [BOS])]
    for _ in range(n):
        cand = []
        for score, seq in beams:
            if seq[-1] == EOS:
                cand.append((score, seq))
                continue
            lp = F.log_softmax(net(s, torch.tensor([seq]))[0, -1], -1)
            top = lp.topk(k)
            cand += [(score + v, seq + [i]) for v, i in zip(top.values.tolist(), top.indices.tolist())]
        beams = sorted(cand, key=lambda c: -c[0] / len(c[1]))[:k]
    return beams


for score, seq in beam_search(batch(pairs[:1])[0]):
    print(f"{score:.3f}", " ".join(tgt_v.itos[i] for i in seq))


class Attention(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.Wa, self.Ua, self.Va = nn.Linear(h, h), nn.Linear(h, h), nn.Linear(h, 1)

    def forward(self, query, keys, mask):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
        weights = F.softmax(scores.masked_fill(mask.unsqueeze(1), float("-inf")), dim=-1)
        return torch.bmm(weights, keys), weights


class Decoder(nn.Module):
    def __init__(self, h=24):
        super().__init__()
        self.es, self.et = nn.Embedding(len(src_v), h), nn.Embedding(len(tgt_v), h)
        self.enc, self.att, self.gru, self.out = (
            nn.GRU(h, h, batch_first=True),
            Attention(h),
            nn.GRU(2 * h, h, batch_first=True),
            nn.Linear(h, len(tgt_v)),
        )

    def forward(self, s, t=None, n=5):
        keys, hidden = self.enc(self.es(s))
        tok, outs, atts = torch.full((s.size(0), 1), BOS, dtype=torch.long), [], []
        for i in range(n if t is None else t.size(1) - 1):
            ctx, w = self.att(hidden.permute(1, 0, 2), keys, s == PAD)
            o, hidden = self.gru(torch.cat((self.et(tok), ctx), dim=2), hidden)
            o = self.out(o)
            outs.append(o)
            atts.append(w)
            tok = (
                t[:, i + 1].unsqueeze(1)
                if t is not None and random.random() < 0.8
                else o.topk(1)[1].squeeze(-1).detach()
            )
        return F.log_softmax(torch.cat(outs, 1), -1), torch.cat(atts, 1)


dec = Decoder()
o2 = torch.optim.Adagrad(dec.parameters(), lr=0.05)
for i in range(6):
    s, t = batch(pairs[10 * i : 10 * i + 10])
    lp, att = dec(s, t)
    l = F.nll_loss(lp.view(-1, lp.size(-1)), t[:, 1:].flatten(), ignore_index=0)
    o2.zero_grad()
    l.backward()
    o2.step()
print(l, att.shape, att.sum(-1)[0], att[1, 0])
