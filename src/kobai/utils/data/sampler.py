"""Samplers: in which order the samples of a map-style dataset are read.

Every sampler draws the same random numbers as PyTorch's, in the same order, so that the same
seed gives the same batches.
"""

import itertools
from typing import Generic, TypeVar

import kobai
from kobai.diagnose import error

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler",
           "SubsetRandomSampler", "WeightedRandomSampler"]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order of indices (or of lists of indices): a subclass writes ``__iter__``.

    ``__len__``, if written, is what ``len(loader)`` tells.
    """

    def __init__(self, data_source=None) -> None:
        pass        # older programs hand over their dataset; it is of no use here

    def __repr__(self) -> str:
        return object.__repr__(self).replace("<kobai.", "<torch.", 1)       # as articles print it

    def __iter__(self):
        raise error("method-missing", NotImplementedError(f"{type(self).__name__} is a Sampler and needs __iter__"),
                    cls=type(self), what="__iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... up to the length of the data.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source) -> None:
        self.data_source = data_source

    def __iter__(self):
        if not hasattr(type(self.data_source), "__len__"):
            raise error("dataset-length", got=type(self.data_source).__name__)
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order.

    Args:
        data_source: anything with a length.
        replacement: whether an index may come again before all others have come.
        num_samples: how many to draw; ``len(data_source)`` if None.
        generator: random generator. If None, each pass draws **one** number from the default
            generator and seeds a generator of its own with it.

    Raises:
        ValueError: there is nothing to draw.

    >>> sorted(RandomSampler("abcde"))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, data_source, replacement: bool = False, num_samples=None,
                 generator=None) -> None:
        if not isinstance(replacement, bool):
            raise error("argument-type",
                        TypeError(f"replacement should be a boolean value, but got replacement={replacement}"),
                        what="replacement", kind=type(replacement), must="True or False")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _require_positive("num_samples", self.num_samples, empty=num_samples is None)

    @property
    def num_samples(self) -> int:
        """How many indices a pass draws (the data may grow between passes)."""
        if self._num_samples is None and not hasattr(type(self.data_source), "__len__"):
            raise error("dataset-length", got=type(self.data_source).__name__)
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        generator = self.generator or kobai.Generator().manual_seed(random_seed())
        draw = self._with_replacement if self.replacement else self._without_replacement
        yield from draw(len(self.data_source), generator)

    def _with_replacement(self, n: int, generator):
        # Blocks of 32 as in PyTorch: a generator shared with other code then stays in step.
        whole, rest = divmod(self.num_samples, 32)
        for size in itertools.chain(itertools.repeat(32, whole), (rest,)):
            yield from kobai.randint(high=n, size=(size,), generator=generator).tolist()

    def _without_replacement(self, n: int, generator):
        # The last permutation is drawn even if none of it is needed, as in PyTorch.
        whole, rest = divmod(self.num_samples, n)
        for take in itertools.chain(itertools.repeat(n, whole), (rest,)):
            yield from kobai.randperm(n, generator=generator).tolist()[:take]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices, each once, in random order.

    >>> sorted(SubsetRandomSampler([7, 3, 5]))
    [3, 5, 7]
    """

    def __init__(self, indices, generator=None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        for position in kobai.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with given probabilities (for instance to balance rare classes).

    Args:
        weights: a non-negative weight for each index; they need not add up to 1.
        num_samples: how many to draw.
        replacement: whether an index may be drawn twice.
        generator: random generator; the default one if None.

    >>> list(WeightedRandomSampler([0.0, 5.0, 0.0], 4))
    [1, 1, 1, 1]
    """

    def __init__(self, weights, num_samples: int, replacement: bool = True,
                 generator=None) -> None:
        _require_positive("num_samples", num_samples)
        _require_bool("replacement", replacement)
        self.weights = kobai.as_tensor(weights, dtype=kobai.double)
        if self.weights.dim() != 1:
            raise error("tensor-dims",
                        ValueError("weights should be a 1d sequence but given weights have shape "
                                   f"{tuple(self.weights.shape)}"),
                        what="weights", shape=self.weights.shape, need="{n}", n=1)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        drawn = kobai.multinomial(self.weights, self.num_samples, self.replacement,
                                  generator=self.generator)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list]):
    """Indices of another sampler in lists of `batch_size`.

    Args:
        sampler: any iterable of indices.
        batch_size: length of a list.
        drop_last: whether to leave out a last, shorter list.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size: int, drop_last: bool) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size <= 0:
            raise error("batch-size", got=batch_size)
        _require_bool("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole if self.drop_last else whole + (rest > 0)


class EndlessSampler(Sampler[None]):
    """None for ever: what an iterable-style dataset is asked for."""

    def __iter__(self):
        return itertools.repeat(None)


def random_seed(generator=None) -> int:
    """One integer below 2**63 from `generator`, as PyTorch draws its seeds for data loading."""
    return int(kobai.empty((), dtype=kobai.int64).random_(generator=generator).item())


def _require_positive(name: str, value, empty: bool = False) -> None:
    """Raise unless `value` is a positive int; `empty`: it is the length of a dataset."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        plain = ValueError(f"{name} should be a positive integer value, but got {name}={value}")
        if empty:
            raise error("tensor-empty", plain,
                        why="the dataset is empty, so there is nothing to draw from.",
                        fix="look at len(dataset): was its folder or file empty, or did a filter leave out everything?")
        raise error("argument-value", plain, what=name, value=value, must="a positive whole number")


def _require_bool(name: str, value) -> None:
    if not isinstance(value, bool):
        raise error("argument-type", ValueError(f"{name} should be a boolean value, but got {name}={value}"), what=name,
                    kind=type(value), must="True or False")
