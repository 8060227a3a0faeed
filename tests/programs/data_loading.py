"""Datasets, samplers, collating, workers."""

import math
import random

import numpy as np
import torch
from torch.utils.data import *
from torch.utils.data.dataloader import default_collate
from torch.utils.data.distributed import DistributedSampler

torch.manual_seed(0)


class Toy(Dataset):
    def __init__(self, n=10, transform=None):
        self.x = torch.arange(n).float()
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        s = {"x": self.x[i], "y": i % 2, "name": f"item{i}", "np": np.array([i, i + 1])}
        return self.transform(s) if self.transform else s


if __name__ == "__main__":
    for b in DataLoader(Toy(), batch_size=4, shuffle=True):
        print(b)
    for b in DataLoader(TensorDataset(torch.arange(6), torch.arange(6) ** 2), batch_size=4, drop_last=True):
        print(b)
    a, b, c = random_split(range(10), [5, 3, 2], generator=torch.Generator().manual_seed(42))
    print(list(a), list(b), list(c), a.indices, len(a))
    print([len(s) for s in random_split(range(11), [0.5, 0.5])])
    print(
        list(RandomSampler(range(5))),
        list(SequentialSampler(range(3))),
        list(WeightedRandomSampler([0.1, 0.9, 0.5], 6)),
        list(BatchSampler(SequentialSampler(range(5)), 2, False)),
        list(SubsetRandomSampler([4, 5, 6])),
        list(RandomSampler(range(3), replacement=True, num_samples=5)),
    )
    print(
        list(DistributedSampler(range(7), num_replicas=2, rank=0)),
        list(DistributedSampler(range(7), num_replicas=2, rank=1, shuffle=False)),
        len(DistributedSampler(range(7), 2, 1, drop_last=True)),
    )

    def collate(bs):
        xs, ys = zip(*bs)
        return (
            torch.nn.utils.rnn.pad_sequence([torch.tensor(x) for x in xs], batch_first=True),
            torch.tensor(ys),
            [len(x) for x in xs],
        )

    for b in DataLoader([([1, 2, 3], 0), ([4], 1), ([5, 6], 0)], batch_size=2, collate_fn=collate):
        print(b)
    print(
        default_collate([(1, 2.5, "a", [1, 2]), (3, 4.5, "b", [3, 4])]),
        default_collate([np.float32(1), np.float32(2)]),
        default_collate([True, False]),
        default_collate([{"a": [1, (2, 3)]}, {"a": [4, (5, 6)]}]),
    )
    for w in (0, 2):
        print(
            [
                b["x"].tolist()
                for b in DataLoader(
                    Toy(),
                    batch_size=3,
                    num_workers=w,
                    shuffle=True,
                    generator=torch.Generator().manual_seed(3),
                    persistent_workers=w > 0,
                    pin_memory=False,
                )
            ]
        )

    class It(IterableDataset):
        def __init__(self, s, e):
            self.s, self.e = s, e

        def __iter__(self):
            wi = get_worker_info()
            if wi is None:
                return iter(range(self.s, self.e))
            per = int(math.ceil((self.e - self.s) / wi.num_workers))
            st = self.s + wi.id * per
            return iter(range(st, min(st + per, self.e)))

    print(
        list(DataLoader(It(3, 7))),
        list(DataLoader(It(3, 7), num_workers=2)),
        list(DataLoader(It(0, 5), batch_size=2, drop_last=True)),
        list(DataLoader(It(0, 3), batch_size=None)),
    )
    cd = ConcatDataset([range(3), range(10, 12)])
    print(
        len(cd),
        cd[3],
        list(cd),
        cd.cumulative_sizes,
        (Toy(3) + Toy(2)).__class__.__name__,
        Subset(range(10), [1, 3])[1],
        ChainDataset([It(0, 2), It(5, 6)]).__class__.__name__,
        list(ChainDataset([It(0, 2), It(5, 6)])),
    )
    sd = StackDataset(a=[1, 2], b=[3, 4])
    print(sd[0], len(sd))
    dl = DataLoader(Toy(), batch_size=3)
    print(
        len(dl),
        dl.batch_size,
        dl.dataset.__class__.__name__,
        type(dl.sampler).__name__,
        dl.num_workers,
        dl.drop_last,
        next(iter(dl))["name"],
        len(dl.dataset),
        type(dl)
    )
    it = iter(dl)
    print(next(it)["x"], sum(1 for _ in it))

    class Bad(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            if i == 2:
                raise ValueError("bad item 2")
            return i

    for w in (0, 1):
        try:
            print(list(DataLoader(Bad(), num_workers=w)))
        except Exception as e:
            print(type(e).__name__, str(e).split("\n")[0], str(e).split("\n")[-2:])

    def seed_worker(worker_id):
        ws = torch.initial_seed() % 2**32
        np.random.seed(ws)
        random.seed(ws)

    class R(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return torch.rand(1).item(), np.random.rand(), random.random()

    for b in DataLoader(R(), num_workers=2, worker_init_fn=seed_worker, generator=torch.Generator().manual_seed(0)):
        print(b)

    def infinite(dl):
        while True:
            for b in dl:
                yield b

    g = infinite(DataLoader(range(5), 2))
    print([next(g).tolist() for _ in range(5)])
    tr = lambda s: {**s, "x": s["x"] * 2}
    print(Toy(2, tr)[1])
    print(torch.utils.data.default_convert({"a": np.ones(2), "b": [1]}))
    print(isinstance(dl.sampler, Sampler), dl.collate_fn.__name__, dl.generator, dl.timeout)

    class Bal(Sampler):
        def __init__(self, y, n):
            self.y, self.n = y, n

        def __iter__(self):
            idx = [[i for i, v in enumerate(self.y) if v == c] for c in (0, 1)]
            return iter([i for p in zip(*idx) for i in p])

        def __len__(self):
            return self.n

    print(
        [b.tolist() for b in DataLoader(range(8), sampler=Bal([0, 0, 1, 1, 0, 1, 0, 1], 8), batch_size=4)],
        [b.tolist() for b in DataLoader(range(8), batch_sampler=BatchSampler(RandomSampler(range(8)), 3, True))],
    )
