"""Datasets: where samples come from, and how datasets are joined and split.

A *map-style* dataset answers ``dataset[i]`` and ``len(dataset)``; an *iterable-style* one
(`IterableDataset`) only answers ``iter(dataset)``.
"""

import itertools
import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

import kobai
from kobai.diagnose import error

__all__ = ["Dataset", "IterableDataset", "TensorDataset", "StackDataset", "ConcatDataset",
           "ChainDataset", "Subset", "random_split"]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A collection of samples that is read by index.

    A subclass writes ``__getitem__(index)`` and, for the default samplers, ``__len__``. One that
    can read many samples faster than one by one also writes ``__getitems__(indices)``, which
    returns a list of samples.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index ** 2
    >>> both = Squares() + Squares()
    >>> [both[i] for i in range(len(both))]
    [0, 1, 4, 9, 0, 1, 4, 9]
    """

    def __getitem__(self, index) -> T_co:
        raise error("method-missing", NotImplementedError("Subclasses of Dataset should implement __getitem__."),
                    cls=type(self), what="__getitem__",
                    fix="write `def __getitem__(self, index): return ...` in {cls}, or derive it from "
                        "IterableDataset and write `__iter__`.")

    def __repr__(self) -> str:
        return object.__repr__(self).replace("<kobai.", "<torch.", 1)       # as articles print it

    def __add__(self, other: "Dataset[T_co]") -> "ConcatDataset[T_co]":
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of samples: a subclass writes ``__iter__``.

    With ``num_workers > 0`` every worker iterates over its own copy, so every sample arrives
    once per worker unless the dataset asks `get_worker_info` which share is its own.

    >>> class Countdown(IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> list(Countdown() + Countdown())
    [3, 2, 1, 3, 2, 1]
    """

    def __add__(self, other: Dataset[T_co]) -> "ChainDataset":
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple]):
    """Samples cut out of tensors along their first dimension.

    Args:
        *tensors: tensors with equal ``size(0)``; sample ``i`` is ``(t[i] for t in tensors)``.

    Raises:
        AssertionError: the first dimensions differ.

    >>> data = TensorDataset(kobai.tensor([[1., 2.], [3., 4.]]), kobai.tensor([0, 1]))
    >>> data[1]
    (tensor([3., 4.]), tensor(1))
    """

    def __init__(self, *tensors) -> None:
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, kobai.Tensor):
                raise error("argument-type", TypeError("'int' object is not callable"), kind=type(tensor), i=position,
                            why="TensorDataset takes tensors, and argument {i} is of type {kind}.",
                            fix="convert it first: TensorDataset(torch.from_numpy(x), ...)."
                            if type(tensor).__module__ == "numpy" else
                            "convert it first: TensorDataset(torch.tensor(x), ...).")
        sizes = [tensor.size(0) for tensor in tensors]
        if len(set(sizes)) > 1:
            raise error("dataset-sizes", sizes=str(sizes))
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset):
    """Several datasets read side by side: sample ``i`` holds sample ``i`` of each.

    Args:
        *args: datasets; samples are tuples.
        **kwargs: datasets by name; samples are dicts. Either the one or the other.

    Raises:
        ValueError: no dataset, both kinds of argument, or unequal lengths.

    >>> StackDataset(image=["cat.png", "dog.png"], label=[0, 1])[1]
    {'image': 'dog.png', 'label': 1}
    """

    def __init__(self, *args, **kwargs) -> None:
        if args and kwargs:
            raise error("arguments-exclude",
                        ValueError("Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like "
                                   "input/output, but both types are given."),
                        why="some datasets were given by position, which makes samples tuples, and others by name, "
                            "which makes them dicts.",
                        fix="give all by position, or all by name.")
        if not args and not kwargs:
            raise error("argument-missing", ValueError("At least one dataset should be passed"), fn="StackDataset()",
                        what="datasets",
                        fix="write StackDataset(images, labels), or StackDataset(image=images, label=labels).")
        self.datasets = args or kwargs
        sizes = [len(dataset) for dataset in self._parts()]
        if len(set(sizes)) > 1:
            raise error("lengths-differ", ValueError("Size mismatch between datasets"), sizes=sizes,
                        why="their lengths are {sizes}, and sample i is made from sample i of each.",
                        fix="cut the longer ones: torch.utils.data.Subset(dataset, range(n)).")
        self._length = sizes[0]

    def _parts(self):
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def _sample(self, parts):
        return dict(zip(self.datasets, parts)) if isinstance(self.datasets, dict) else tuple(parts)

    def __getitem__(self, index):
        return self._sample([dataset[index] for dataset in self._parts()])

    def __getitems__(self, indices: list) -> list:
        columns = [_read_many(dataset, indices) for dataset in self._parts()]
        return [self._sample(row) for row in zip(*columns)]

    def __len__(self) -> int:
        return self._length


def _read_many(dataset, indices: list) -> list:
    """The samples at `indices`, through ``__getitems__`` where the dataset has one."""
    many = getattr(dataset, "__getitems__", None)
    samples = many(indices) if callable(many) else [dataset[index] for index in indices]
    if len(samples) != len(indices):
        raise error("wrong-return",
                    ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(samples)}"),
                    what=f"{type(dataset).__name__}.__getitems__()", count=len(samples), n=len(indices),
                    why="{what} returned {count} samples for {n} indices.",
                    fix="return one for each: [self[i] for i in indices].")
    return samples


class ConcatDataset(Dataset[T_co]):
    """Map-style datasets one after the other; ``a + b`` makes one.

    Raises:
        AssertionError: no dataset, or one of them is iterable-style (chain those).

    >>> ConcatDataset(["ab", "cde"])[-1]
    'e'
    """

    def __init__(self, datasets) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise error("argument-count", AssertionError("datasets should not be an empty iterable"), what="datasets",
                        count=0, need="at least {n}", n=1)
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise error("argument-value", AssertionError("ConcatDataset does not support IterableDataset"),
                        why="the samples of an iterable dataset have no numbers, so none can come behind them.",
                        fix="join iterable datasets with ChainDataset.")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence) -> list:
        """The end of each dataset in the numbering of the whole."""
        return list(itertools.accumulate(map(len, sequence)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx):
        if idx < -len(self):
            raise error("position-range", ValueError("absolute value of index should not exceed dataset length"),
                        what="idx", value=idx, size=len(self), last=len(self) - 1)
        idx += len(self) * (idx < 0)
        part = bisect_right(self.cumulative_sizes, idx)
        if part == len(self.datasets):
            raise IndexError(  # plain: it ends a for loop
                f"list index out of range\nIndex {idx} of a ConcatDataset with {len(self)} samples.")
        return self.datasets[part][idx - (self.cumulative_sizes[part - 1] if part else 0)]


class ChainDataset(IterableDataset):
    """Iterable-style datasets one after the other; ``a + b`` makes one.

    Raises:
        AssertionError: when iterated, if one of them is not an `IterableDataset`.
    """

    def __init__(self, datasets) -> None:
        self.datasets = datasets

    def _streams(self):
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise error("argument-value", AssertionError("ChainDataset only supports IterableDataset"),
                            kind=type(dataset),
                            why="a dataset of type {kind} has numbered samples and is not iterable.",
                            fix="join such datasets with ConcatDataset.")
            yield dataset

    def __iter__(self):
        return itertools.chain.from_iterable(self._streams())

    def __len__(self) -> int:
        return sum(map(len, self._streams()))


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`, in that order.

    >>> subset = Subset("abcdef", [4, 0])
    >>> subset[0], len(subset)
    ('e', 2)
    """

    def __init__(self, dataset, indices) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if (kind.__getitem__ is not Subset.__getitem__
                and kind.__getitems__ is Subset.__getitems__):
            # The loader prefers __getitems__, so the override would silently not be called.
            raise error("method-missing",
                        NotImplementedError(f"{kind.__name__} overrides __getitem__ but not __getitems__."), cls=kind,
                        what="__getitems__",
                        why="DataLoader reads a Subset through __getitems__, so __getitem__ of {cls} would never be "
                            "called.",
                        fix="add to {cls}: def __getitems__(self, indices): return [self[i] for i in indices]")

    def __getitem__(self, idx):
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list) -> list:
        chosen = [self.indices[i] for i in indices]
        many = getattr(self.dataset, "__getitems__", None)
        return many(chosen) if callable(many) else [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset, lengths, generator=None) -> list:
    """Split `dataset` at random into `Subset`\\ s that do not overlap.

    The same permutation as PyTorch for the same seed.

    Args:
        dataset: map-style dataset.
        lengths: numbers of samples that add up to ``len(dataset)``, or fractions that add up
            to 1. A fraction gives ``floor(fraction * len(dataset))`` samples, and what is left
            over is dealt out one by one from the first subset on.
        generator: random generator; the default one if None.

    Raises:
        ValueError: the lengths do not add up, or a fraction is not between 0 and 1.

    >>> [len(part) for part in random_split(range(10), [0.5, 0.25, 0.25])]
    [6, 2, 2]
    """
    total = sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        lengths = _lengths_of_fractions(lengths, len(dataset))
    if sum(lengths) != len(dataset):
        raise error("split-lengths", lengths=str(list(lengths)), total=sum(lengths), size=len(dataset))
    for i, length in enumerate(lengths):
        if isinstance(length, float):
            raise error("argument-type", TypeError("randperm() received an invalid combination of arguments - got (float, "
                                                   "generator=torch._C.Generator)"),
                        what=f"lengths[{i}]", kind=float, must="a whole number",
                        fix="write fractions with the sum 1, random_split(data, [0.8, 0.2]), or make it whole by int().")
    order = iter(kobai.randperm(len(dataset), generator=generator).tolist())
    return [Subset(dataset, list(itertools.islice(order, length))) for length in lengths]


def _lengths_of_fractions(fractions, total: int) -> list:
    for index, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise error("argument-value", ValueError(f"Fraction at index {index} is not between 0 and 1"),
                        what=f"lengths[{index}]", value=fraction, low=0, high=1,
                        must="a number between {low} and {high}")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for index in range(total - sum(lengths)):
        lengths[index % len(lengths)] += 1
    for index, length in enumerate(lengths):
        if length == 0:
            warnings.warn(f"Length of split at index {index} is 0. This might result in an "
                          "empty dataset.", stacklevel=3)
    return lengths
