"""Data loading next to PyTorch's: same samples, same order, same random state afterwards."""

import collections
import random
import warnings

import numpy as np
import pytest

import kobai
import kobai.utils.data

torch = pytest.importorskip("torch")        # brings torch.utils.data along

BOTH = (kobai, torch)
Point = collections.namedtuple("Point", ["x", "y"])


def plain(value):
    """Tensors as (dtype, shape, values), containers part by part: comparable across packages."""
    if isinstance(value, (kobai.Tensor, torch.Tensor)):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value), {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, collections.UserList)):
        return type(value), [plain(each) for each in value]
    return value


def passes(lib, make_loader, epochs=2):
    """What `epochs` passes over a loader give, and what the generators give next."""
    lib.manual_seed(11)
    random.seed(11)
    np.random.seed(11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loader = make_loader(lib)
        seen = [[plain(batch) for batch in loader] for _ in range(epochs)]
    return seen, lib.randint(2 ** 40, (1,)).item(), random.random(), np.random.rand()


def both(make_loader):
    ours, theirs = (passes(lib, make_loader) for lib in BOTH)
    assert ours == theirs


def mapped(lib, n, read):
    class Mapped(lib.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, index):
            return read(lib, index)

    return Mapped()


def mixed(lib, index):
    return {"t": lib.tensor([index, 1.5]), "a": np.full((2, 2), index, np.int32), "p": Point(index, "s"),
            "pair": (float(index), [np.float32(index), True]), "r": random.random(), "n": np.random.rand(),
            "u": lib.rand(2)}


OPTIONS = {
    "in order": dict(),
    "shuffled": dict(shuffle=True),
    "batches": dict(batch_size=4, shuffle=True, drop_last=True),
    "no batches": dict(batch_size=None, shuffle=True),
    "batch sampler": dict(batch_sampler=[[3, 1], [0], [2, 2, 2]]),
}


@pytest.mark.parametrize("workers", [{}, {"num_workers": 2}], ids=str)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_map_style(options, workers):
    both(lambda lib: lib.utils.data.DataLoader(mapped(lib, 10, mixed), **options, **workers))


@pytest.mark.parametrize("workers", [{"num_workers": 2, "persistent_workers": True},
                                     {"num_workers": 1, "prefetch_factor": 5}], ids=str)
def test_kinds_of_workers(workers):
    both(lambda lib: lib.utils.data.DataLoader(mapped(lib, 10, mixed), 3, shuffle=True, **workers))


@pytest.mark.parametrize("workers", [0, 2])
def test_generator_of_the_loader(workers):
    generators = {lib: lib.Generator().manual_seed(3) for lib in BOTH}
    both(lambda lib: lib.utils.data.DataLoader(range(9), 2, shuffle=True, num_workers=workers,
                                               generator=generators[lib]))
    ours, theirs = (lib.rand(3, generator=generators[lib]).tolist() for lib in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("workers", [{}, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True}],
                         ids=str)
@pytest.mark.parametrize("options", [dict(), dict(batch_size=3), dict(batch_size=3, drop_last=True),
                                     dict(batch_size=None)], ids=str)
def test_streams(options, workers):
    def make(lib):
        class Stream(lib.utils.data.IterableDataset):
            def __iter__(self):
                info = lib.utils.data.get_worker_info()
                worker = info.id if info else 0
                for index in range(4 + 5 * worker):
                    yield 100 * worker + index, np.random.rand()

        return lib.utils.data.DataLoader(Stream(), **options, **workers)

    both(make)


SAMPLERS = {
    "sequential": lambda data, n: data.SequentialSampler(range(n)),
    "random": lambda data, n: data.RandomSampler(range(n)),
    "replacement": lambda data, n: data.RandomSampler(range(n), replacement=True, num_samples=2 * n + 5),
    "several": lambda data, n: data.RandomSampler(range(n), num_samples=2 * n + 5),
    "subset": lambda data, n: data.SubsetRandomSampler(list(range(n, 2 * n))),
    "weighted": lambda data, n: data.WeightedRandomSampler([i % 3 + 0.5 for i in range(n)], n),
    "weighted once": lambda data, n: data.WeightedRandomSampler([i % 3 + 0.5 for i in range(n)], n, False),
    "batches": lambda data, n: data.BatchSampler(data.RandomSampler(range(n)), 3, True),
    "distributed": lambda data, n: data.DistributedSampler(range(n), 3, 2, seed=4),
    "distributed, cut": lambda data, n: data.DistributedSampler(range(n), 3, 1, drop_last=True),
}


@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS)
def test_samplers(make, n):
    def run(lib):
        lib.manual_seed(n)
        sampler = make(lib.utils.data.distributed if "Distributed" in make.__code__.co_names
                       else lib.utils.data, n)
        return len(sampler), list(sampler), list(sampler), lib.randint(2 ** 40, (1,)).item()

    assert run(kobai) == run(torch)


@pytest.mark.parametrize("lengths", [[3, 7], [0.3, 0.7], [0.25, 0.25, 0.5], [1 / 3, 1 / 3, 1 / 3], [10]])
def test_random_split(lengths):
    def run(lib):
        lib.manual_seed(2)
        parts = lib.utils.data.random_split(range(10), lengths)
        generator = lib.Generator().manual_seed(8)
        return [part.indices for part in parts + lib.utils.data.random_split(range(10), lengths, generator)]

    assert run(kobai) == run(torch)


BATCHES = [
    [1, 2], [1, 2.5], [1.5, 2], [True, False], ["a", "b"], [b"a"], [np.float32(1)], [np.int8(1), np.int8(2)],
    [np.bool_(True)], [np.zeros((2, 0))], [np.ones(3, np.uint8)] * 2, [np.array(2.0)], [(1, "a"), (2, "b")],
    [[1, [2.0]], [3, [4.0]]], [{"b": 1, "a": (2, 3)}] * 2, [Point(1, 2)] * 3, [range(2)] * 2,
    [collections.OrderedDict(b=1, a=2)] * 2, [collections.UserList([1, 2])] * 2, [2 ** 40], [()] * 2,
    [{}] * 2, [None], [object()],
    [np.array(["a"])], [np.array([None])], [[1], [1, 2]], [{"a": 1}, {"b": 1}], [],
    [np.zeros(2), np.zeros(3)], [1, "a"], [{1, 2}],
]


Refusal = collections.namedtuple("Refusal", ["kind", "words"])


def outcome(function, *args):
    """The result, or the type of the exception and the first line of its message."""
    try:
        return plain(function(*args))
    except Exception as error:
        return Refusal(type(error), str(error).split("\n")[0])


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: repr(batch).partition(" at 0x")[0])
def test_default_collate(batch):
    ours, theirs = (outcome(lib.utils.data.default_collate, batch) for lib in BOTH)
    if isinstance(theirs, Refusal):
        assert ours.kind is theirs.kind
        if "default_collate" in theirs.words or theirs.kind is RuntimeError:
            assert ours.words == theirs.words
    else:
        assert ours == theirs


@pytest.mark.parametrize("value", [
    1, "a", np.float32(2), np.arange(3), np.array("a"), [np.arange(2), "a"], (np.arange(2), 1),
    Point(np.arange(2), None), {"x": np.ones(1)}, range(2), None, {1}, collections.OrderedDict(x=np.ones(1)),
], ids=repr)
def test_default_convert(value):
    ours, theirs = (plain(lib.utils.data.default_convert(value)) for lib in BOTH)
    assert str(ours) == str(theirs)


REFUSED = {
    "workers": lambda lib: lib.utils.data.DataLoader([1], num_workers=-1),
    "timeout": lambda lib: lib.utils.data.DataLoader([1], timeout=-1),
    "waiting for nobody": lambda lib: iter(lib.utils.data.DataLoader([1], timeout=1)),
    "prefetch": lambda lib: lib.utils.data.DataLoader([1], prefetch_factor=1),
    "persistent": lambda lib: lib.utils.data.DataLoader([1], persistent_workers=True),
    "two orders": lambda lib: lib.utils.data.DataLoader([1], shuffle=True, sampler=[0]),
    "two batchings": lambda lib: lib.utils.data.DataLoader([1], batch_size=2, batch_sampler=[[0]]),
    "no batches to drop": lambda lib: lib.utils.data.DataLoader([1], batch_size=None, drop_last=True),
    "batch size": lambda lib: lib.utils.data.DataLoader([1], batch_size=1.5),
    "empty": lambda lib: lib.utils.data.DataLoader([], shuffle=True),
    "no length": lambda lib: lib.utils.data.DataLoader(iter([]), shuffle=True),
    "context": lambda lib: lib.utils.data.DataLoader([1], multiprocessing_context="fork"),
    "context name": lambda lib: lib.utils.data.DataLoader([1], num_workers=1, multiprocessing_context="x"),
    "changed": lambda lib: setattr(lib.utils.data.DataLoader([1]), "dataset", [2]),
    "sizes": lambda lib: lib.utils.data.TensorDataset(lib.zeros(2), lib.zeros(3)),
    "concat nothing": lambda lib: lib.utils.data.ConcatDataset([]),
    "concat past the end": lambda lib: lib.utils.data.ConcatDataset([[1]])[1],
    "concat before": lambda lib: lib.utils.data.ConcatDataset([[1]])[-2],
    "stack nothing": lambda lib: lib.utils.data.StackDataset(),
    "stack both": lambda lib: lib.utils.data.StackDataset([1], x=[1]),
    "split": lambda lib: lib.utils.data.random_split([1], [2]),
    "split fraction": lambda lib: lib.utils.data.random_split([1], [1.5, -0.5]),
    "weights": lambda lib: lib.utils.data.WeightedRandomSampler([[1.0]], 1),
    "replacement": lambda lib: lib.utils.data.RandomSampler([1], replacement=0),
    "rank": lambda lib: lib.utils.data.distributed.DistributedSampler([1], 2, 2),
    "process group": lambda lib: lib.utils.data.distributed.DistributedSampler([1]),
    "no sample": lambda lib: lib.utils.data.DataLoader([None]).__iter__().__next__(),
    "missing sample": lambda lib: lib.utils.data.DataLoader({0: 1}, sampler=[1]).__iter__().__next__(),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_the_same_refusals_in_the_same_words(refused):
    ours, theirs = (outcome(refused, lib) for lib in BOTH)
    assert isinstance(theirs, Refusal) and ours.kind is theirs.kind
    assert ours.words[:60] == theirs.words[:60]
