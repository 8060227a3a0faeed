"""A decoder with rotary positions, grouped heads and a cache; sampling; masks of nn.MultiheadAttention."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class RMSNorm(nn.Module):
    def __init__(self, d, eps=1e-6):
        super().__init__()
        self.w = nn.Parameter(torch.ones(d))
        self.eps = eps

    def forward(self, x):
        return self.w * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rope(dim, T, theta=10000.0):
    f = 1.0 / (theta ** (torch.arange(0, dim, 2)[: dim // 2].float() / dim))
    return torch.polar(torch.ones(T, dim // 2), torch.outer(torch.arange(T), f))


def apply_rope(q, k, c):
    q_, k_ = (torch.view_as_complex(z.float().reshape(*z.shape[:-1], -1, 2)) for z in (q, k))
    c = c[None, :, None]
    return tuple(torch.view_as_real(z * c).flatten(3).type_as(q) for z in (q_, k_))


class Attn(nn.Module):
    def __init__(self, d, h, kv):
        super().__init__()
        self.h, self.kv, self.hd = h, kv, d // h
        self.wq = nn.Linear(d, h * self.hd, bias=False)
        self.wk = nn.Linear(d, kv * self.hd, bias=False)
        self.wv = nn.Linear(d, kv * self.hd, bias=False)
        self.wo = nn.Linear(d, d, bias=False)

    def forward(self, x, c, mask=None, cache=None):
        B, T, _ = x.shape
        q, k, v = (
            self.wq(x).view(B, T, self.h, self.hd),
            self.wk(x).view(B, T, self.kv, self.hd),
            self.wv(x).view(B, T, self.kv, self.hd),
        )
        q, k = apply_rope(q, k, c)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)
        new = (k, v)
        k, v = (torch.repeat_interleave(z, self.h // self.kv, dim=2).transpose(1, 2) for z in (k, v))
        sc = q.transpose(1, 2) @ k.transpose(2, 3) / math.sqrt(self.hd)
        if mask is not None:
            sc = sc + mask
        return self.wo((F.softmax(sc.float(), -1).type_as(q) @ v).transpose(1, 2).contiguous().view(B, T, -1)), new


class Block(nn.Module):
    def __init__(self, d, h, kv):
        super().__init__()
        self.a = Attn(d, h, kv)
        self.n1, self.n2 = RMSNorm(d), RMSNorm(d)
        self.w1, self.w2, self.w3 = (
            nn.Linear(d, 2 * d, bias=False),
            nn.Linear(2 * d, d, bias=False),
            nn.Linear(d, 2 * d, bias=False),
        )

    def forward(self, x, c, m=None, cache=None):
        o, cache = self.a(self.n1(x), c, m, cache)
        x = x + o
        z = self.n2(x)
        return x + self.w2(F.silu(self.w1(z)) * self.w3(z)), cache


class LM(nn.Module):
    def __init__(self, V=11, d=16, L=2):
        super().__init__()
        self.e = nn.Embedding(V, d)
        self.b = nn.ModuleList(Block(d, 4, 2) for _ in range(L))
        self.n = RMSNorm(d)
        self.o = nn.Linear(d, V, bias=False)
        self.register_buffer("c", rope(4, 32), persistent=False)

    def forward(self, t, caches=None, start=0):
        x = self.e(t)
        T = t.size(1)
        m = torch.full((T, T), float("-inf")).triu(1) if T > 1 else None
        new = []
        for i, b in enumerate(self.b):
            x, k = b(x, self.c[start : start + T], m, None if caches is None else caches[i])
            new.append(k)
        return self.o(self.n(x)), new


m = LM()
print(m)
print(sum(p.numel() for p in m.parameters()))
print(m.c[1:3], m.c.dtype)
x = torch.randint(0, 11, (8, 12))
x[:, 1::2] = (x[:, ::2] * 3 + 1) % 11
o, _ = m(x)
print(o.shape, o.grad_fn.name(), m.b[0].a.wq(m.e(x)))
opt = torch.optim.AdamW(m.parameters(), 3e-3, betas=(0.9, 0.95), weight_decay=0.1)
sch = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: min(1, (i + 1) / 5) * 0.5 * (1 + math.cos(math.pi * i / 40)))
for i in range(40):
    l = F.cross_entropy(m(x[:, :-1])[0].flatten(0, 1), x[:, 1:].flatten(), label_smoothing=0.05)
    opt.zero_grad(set_to_none=True)
    l.backward()
    gn = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    sch.step()
    if i % 10 == 9:
        print(i, f"{l.item():.4f} {gn:.4f} {sch.get_last_lr()[0]:.2e}")
m.eval()


@torch.inference_mode()
def gen(m, t, n, topk=None, temp=1.0):
    lg, c = m(t)
    pos = t.size(1)
    for _ in range(n):
        z = lg[:, -1] / temp
        if topk:
            v, _ = z.topk(topk)
            z[z < v[:, [-1]]] = -float("inf")
        nx = z.argmax(-1, keepdim=True) if temp < 0.01 else torch.multinomial(F.softmax(z, -1), 1)
        t = torch.cat([t, nx], 1)
        lg, c = m(nx, c, pos)
        pos += 1
    return t


torch.manual_seed(1)
print(gen(m, x[:2, :3], 6, temp=1e-3))
print(gen(m, x[:2, :3], 6, topk=3))
full = m(x)[0]
step, c = m(x[:, :5])
outs = [step]
for t in range(5, 12):
    s, c = m(x[:, t : t + 1], c, t)
    outs.append(s)
print(torch.allclose(torch.cat(outs, 1), full, atol=1e-5))
# nucleus sampling
z = full[0, -1].detach()
sp, si = torch.sort(z.softmax(-1), descending=True)
cum = sp.cumsum(-1)
keep = cum - sp < 0.8
print(sp[keep], si[keep])
# MHA, masks
mha = nn.MultiheadAttention(8, 2, batch_first=True, dropout=0.0)
q = torch.randn(2, 5, 8)
kpm = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1]]).bool()
y, w = mha(q, q, q, key_padding_mask=kpm)
print(y.shape, w[1, 0], w.shape, y.grad_fn.name())
y, w = mha(q, q, q, attn_mask=torch.triu(torch.ones(5, 5), 1).bool(), average_attn_weights=False)
print(w.shape, w[0, 0, 1])
print(mha(q, q, q, need_weights=False)[1])
print(
    F.scaled_dot_product_attention(q, q, q, is_causal=True)[0, 0], nn.Transformer.generate_square_subsequent_mask(3)
)
enc = nn.TransformerEncoder(
    nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", batch_first=True, norm_first=True),
    2,
    norm=nn.LayerNorm(8),
    enable_nested_tensor=False,
)
print(enc)
print(enc(q, src_key_padding_mask=kpm).mean(), enc(q, mask=torch.triu(torch.full((5, 5), float("-inf")), 1)).std())
tr = nn.Transformer(8, 2, 1, 1, 16, 0.0, batch_first=True)
print(tr(q, q[:, :3]).shape, len(tr.state_dict()), list(tr.state_dict())[:3])
rel = nn.Embedding(9, 2)
b = rel(torch.arange(5)[:, None] - torch.arange(5)[None] + 4).permute(2, 0, 1)
print(b.shape, b.grad_fn.name(), b.is_contiguous(), b[0, 0])
al = -(torch.arange(5)[None] - torch.arange(5)[:, None]).abs() * torch.tensor([2**-4.0, 2**-8.0])[:, None, None]
print(al[0, 1])
