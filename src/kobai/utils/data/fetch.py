"""Fetching: from indices to samples to one batch, alike in the main process and in workers."""

import operator

from kobai.diagnose import error
from kobai.tensor import Tensor
from kobai.utils.data.collate import default_collate
from kobai.utils.data.dataset import Subset, TensorDataset

__all__ = ["IterableFetcher", "MapFetcher", "explain"]


class MapFetcher:
    """Reads a map-style dataset: called with indices, it returns the collated samples.

    Args:
        dataset: what to read.
        batched: whether it is called with lists of indices, or with one index at a time.
        collate_fn: makes a batch out of a list of samples (converts one sample, if unbatched).
        steps: iterates over indices; a worker hands in a way to stop in the middle.
    """

    def __init__(self, dataset, batched: bool, collate_fn, drop_last: bool = False,
                 steps=iter) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate_fn = collate_fn
        self.steps = steps
        self.doing = ""         # for the message, if it goes wrong: a format and its argument
        self.at = None

    def __call__(self, indices):
        try:
            return self._fetch(indices)
        except StopIteration as end:      # would end the epoch early, and nobody would notice
            raise error("not-possible", RuntimeError("the dataset (or the collate_fn) raised StopIteration"),
                        why="StopIteration from a dataset or a collate_fn would end the epoch early, and nobody "
                            "would notice.",
                        fix="look for a next() there, and write next(iterator, None) or catch "
                            "StopIteration.") from end

    def _fetch(self, indices):
        if self.batched and self.collate_fn is default_collate:
            batch = _whole_batch(self.dataset, indices)
            if batch is not None:
                return batch
        samples = self._samples(indices) if self.batched else self._sample(indices)
        self.doing, self.at = "collating the samples {}", indices
        return self.collate_fn(samples)

    def _sample(self, index):
        self.doing, self.at = "reading sample {}", index
        return self.dataset[index]

    def _samples(self, indices):
        many = getattr(self.dataset, "__getitems__", None)
        if many:
            self.doing, self.at = "reading the samples {}", indices
            return many(indices)
        return [self._sample(index) for index in self.steps(indices)]


def _whole_batch(dataset, indices):
    """The batch of a plain `TensorDataset` in one indexing per tensor, or None.

    The same values as collating sample by sample, many times faster.
    """
    try:
        if type(dataset) is Subset:
            chosen = [dataset.indices[index] for index in indices]
            return _whole_batch(dataset.dataset, chosen)
        if type(dataset) is not TensorDataset or not indices:
            return None
        if any(type(each) is not Tensor or each.requires_grad for each in dataset.tensors):
            return None
        rows = list(map(operator.index, indices))
        return [tensor[rows] for tensor in dataset.tensors]
    except (IndexError, TypeError):
        return None         # the slow way finds out which sample it was


class IterableFetcher:
    """Reads an iterable-style dataset; arguments as for `MapFetcher`.

    Raises:
        StopIteration: when called after the end.
    """

    def __init__(self, dataset, batched: bool, collate_fn, drop_last: bool = False,
                 steps=iter) -> None:
        self.doing, self.at = "starting to iterate over the dataset", None
        self.stream = iter(dataset)
        self.batched = batched
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.steps = steps
        self.count = 0
        self.ended = False

    def __call__(self, indices):
        if self.ended:
            raise StopIteration
        wanted = indices if self.batched else [None]
        samples = self._samples(wanted)
        if not samples or (self.drop_last and self.batched and len(samples) < len(wanted)):
            raise StopIteration
        self.doing, self.at = "collating {} samples", len(samples)
        return self.collate_fn(samples if self.batched else samples[0])

    def _samples(self, wanted) -> list:
        samples = []
        self.doing, self.at = "reading sample number {} of the stream", self.count
        for _ in self.steps(wanted):
            try:
                samples.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
            self.count = self.at = self.count + 1
        return samples


def explain(fetcher, indices) -> str:
    """What a fetcher was doing when it failed: which sample, of which batch."""
    text = "The error came while " + fetcher.doing.format(fetcher.at)
    if fetcher.doing == "reading sample {}" and fetcher.batched:
        text += f" of the batch {_shortened(indices)}"
    return text + "."


def _shortened(indices) -> str:
    shown = ", ".join(map(str, indices[:8]))
    return f"[{shown}, ... ({len(indices)} in all)]" if len(indices) > 8 else f"[{shown}]"
