"""Datasets, collate functions, samplers, text transforms, workers: what notebooks write around torch.utils.data."""

import collections
import itertools
import random
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence, unpad_sequence
from torch.utils.data import (
    BatchSampler,
    ChainDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    StackDataset,
    SubsetRandomSampler,
    default_collate,
    get_worker_info,
    random_split,
)


class Item(NamedTuple):
    x: torch.Tensor
    y: int
    name: str


class Named(Dataset):
    def __init__(self, n=7):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return Item(torch.full((2,), float(i)), i, f"i{i}")


b = next(iter(DataLoader(Named(), 3)))
print(type(b).__name__, b)
print(
    default_collate([{"a": 1, "b": [1.5, 2]}, {"a": 2, "b": [3.5, 4]}]),
    default_collate([np.float32(1), np.float32(2)]),
    default_collate([np.ones(2), np.zeros(2)]),
    default_collate(["x", "y"]),
    default_collate([(1, "a"), (2, "b")]),
    default_collate([True, False]),
)


class Lines(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        lo, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(lo, self.n, step))


print([b.tolist() for b in DataLoader(ChainDataset([Lines(3), Lines(2)]), batch_size=2)])
print(sorted(itertools.chain(*[b.tolist() for b in DataLoader(Lines(9), batch_size=2, num_workers=2)])))
print(
    StackDataset(torch.arange(3), a := torch.ones(3, 2))[1],
    StackDataset(x=torch.arange(3), y=a)[2],
    len(StackDataset(a, a)),
)


class Balanced(Sampler):
    def __init__(self, labels, per):
        self.by, self.per = collections.defaultdict(list), per
        for i, l in enumerate(labels):
            self.by[l].append(i)

    def __iter__(self):
        g = torch.Generator()
        g.manual_seed(1)
        for k in sorted(self.by):
            yield from (self.by[k][j] for j in torch.randint(len(self.by[k]), (self.per,), generator=g).tolist())

    def __len__(self):
        return self.per * len(self.by)


s = Balanced([0, 0, 0, 1, 2, 2], 2)
print(list(s), len(s), list(BatchSampler(s, 4, drop_last=False)))
torch.manual_seed(0)
print(
    list(RandomSampler(range(5))),
    list(RandomSampler(range(5), replacement=True, num_samples=3)),
    list(SubsetRandomSampler([3, 4, 5], generator=torch.Generator().manual_seed(0))),
)
g = torch.Generator().manual_seed(7)
print(
    [b.y.tolist() for b in DataLoader(Named(), 3, shuffle=True, generator=g)],
    [b.y.tolist() for b in DataLoader(Named(), 3, shuffle=True, generator=g, drop_last=True)],
)
print(
    [len(d) for d in random_split(range(10), [0.5, 0.3, 0.2])],
    [list(d.indices) for d in random_split(range(6), [4, 2], generator=torch.Generator().manual_seed(3))],
)


def seed_worker(worker_id):
    s = torch.initial_seed() % 2**32
    np.random.seed(s)
    random.seed(s)


class Noise(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return random.random(), np.random.rand(), torch.rand(1).item()


g = torch.Generator()
g.manual_seed(0)
v = [torch.stack(b) for b in DataLoader(Noise(), 2, num_workers=2, worker_init_fn=seed_worker, generator=g)]
print([t.shape for t in v], len({round(float(z), 6) for t in v for z in t.flatten()}))
corpus = ["The quick brown fox, jumps over the lazy dog!", "A lazy dog; a quick fox.", "Never jump over dogs quickly"]
tok = lambda s: re.findall(r"\w+|[^\w\s]", s.lower())
cnt = collections.Counter(itertools.chain.from_iterable(map(tok, corpus)))
vocab = {w: i for i, (w, _) in enumerate([("<pad>", 0), ("<unk>", 0), *cnt.most_common()])}
enc = [torch.tensor([vocab.get(w, 1) for w in tok(s)]) for s in corpus]
P = pad_sequence(enc, batch_first=True)
print(P, (P != 0).sum(1), [t.tolist() for t in unpad_sequence(P, (P != 0).sum(1), batch_first=True)][1])
bow = torch.zeros(3, len(vocab)).scatter_add_(1, P, torch.ones_like(P, dtype=torch.float))[:, 2:]
tfidf = bow / bow.sum(1, keepdim=True) * torch.log(3 / (bow > 0).sum(0))
print(F.cosine_similarity(tfidf[:, None], tfidf[None], dim=-1))
bag = torch.nn.EmbeddingBag(len(vocab), 3, mode="mean", padding_idx=0)
torch.nn.init.ones_(bag.weight)
off = torch.tensor([0] + [len(e) for e in enc]).cumsum(0)[:-1]
print(bag(torch.cat(enc), off), bag(P).shape)
ng = torch.stack([enc[0][i : i + 3] for i in range(len(enc[0]) - 2)])
print(
    ng.unfold(0, 2, 1).shape,
    torch.combinations(torch.arange(4), 2)[:3],
    torch.cartesian_prod(torch.arange(2), torch.arange(3)).shape,
)
cm = torch.zeros(3, 3, dtype=torch.long)
t, p = torch.tensor([0, 1, 2, 2, 1]), torch.tensor([0, 2, 2, 2, 1])
cm.index_put_((t, p), torch.ones(5, dtype=torch.long), accumulate=True)
print(cm, cm.diag() / cm.sum(1), torch.bincount(t * 3 + p, minlength=9).view(3, 3).equal(cm))
norm = torch.stack([torch.rand(3, 4, 4) for _ in range(5)])
m, sd = norm.mean((0, 2, 3)), norm.std((0, 2, 3))
print(
    ((norm - m[:, None, None]) / sd[None, :, None, None]).mean().abs() < 1e-5,
    torch.clamp(norm * 255, 0, 255).byte().dtype,
)


class Compose:
    def __init__(self, *fs):
        self.fs = fs

    def __call__(self, x):
        for f in self.fs:
            x = f(x)
        return x

    def __repr__(self):
        return f"Compose({', '.join(getattr(f, '__name__', type(f).__name__) for f in self.fs)})"


tr = Compose(torch.fliplr, lambda x: torch.rot90(x, 1, (0, 1)), torch.Tensor.float)
print(tr, tr(torch.arange(6).view(2, 3)))


@dataclass
class Batch:
    x: torch.Tensor
    y: torch.Tensor

    def pin_memory(self):
        return self


print(
    next(
        iter(
            DataLoader(
                Named(4),
                4,
                collate_fn=lambda items: Batch(
                    torch.stack([i.x for i in items]), torch.as_tensor([i.y for i in items])
                ),
            )
        )
    )
)
try:
    next(iter(DataLoader([torch.ones(2), torch.ones(3)], 2)))
except RuntimeError as e:
    print("RuntimeError", str(e).split("\n")[0])
try:
    DataLoader(Named(), batch_size=0)
except ValueError as e:
    print("ValueError", str(e).split("\n")[0])
try:
    DataLoader(Lines(3), shuffle=True)
except ValueError as e:
    print("ValueError", str(e).split("\n")[0])
dl = DataLoader(Named(), 2, num_workers=1, persistent_workers=True, prefetch_factor=3)
print(len(dl), dl.batch_size, dl.num_workers, sum(b.y.sum() for b in dl), sum(b.y.sum() for b in dl))
