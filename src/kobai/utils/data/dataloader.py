"""`DataLoader`: batches of a dataset, read here or by worker processes."""

import math
import os
import sys
import warnings
from importlib.util import find_spec
from typing import Generic, TypeVar

from kobai.diagnose import error
from kobai.utils.data.collate import default_collate, default_convert
from kobai.utils.data.dataset import IterableDataset
from kobai.utils.data.info import get_worker_info
from kobai.utils.data.iterators import LoaderIterator, _SingleProcessDataLoaderIter
from kobai.utils.data.sampler import BatchSampler, EndlessSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

FIXED = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset",
                   "persistent_workers"))


class _DatasetKind:
    Map = 0
    Iterable = 1


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches, in the same order as PyTorch for the same seed.

    Each pass draws one number from `generator` (the seed of the workers, drawn even if there
    are none) and then, if it shuffles, what `RandomSampler` draws.

    Args:
        dataset: map-style (``dataset[i]``) or an `IterableDataset`.
        batch_size: samples in a batch; None gives samples as they are, without a batch dimension.
        shuffle: whether each pass has a new random order.
        sampler: an iterable of indices, instead of `shuffle`.
        batch_sampler: an iterable of lists of indices, instead of `batch_size`, `shuffle`,
            `sampler` and `drop_last`.
        num_workers: processes that read ahead; 0 reads in this process.
        collate_fn: makes a batch out of a list of samples; `default_collate` if None.
        pin_memory: put batches in pinned memory, if there is a GPU.
        drop_last: leave out a last, smaller batch.
        timeout: seconds to wait for a worker; 0 waits for ever.
        worker_init_fn: called in each worker with its number.
        multiprocessing_context: how workers start: a name such as ``"spawn"``, or a context.
        generator: random generator; the default one if None.
        prefetch_factor: batches each worker reads ahead; 2 if None.
        persistent_workers: keep the workers for the next pass.
        in_order: whether batches come in the order of the sampler, or as they are ready.

    Raises:
        ValueError: arguments that exclude each other or are out of range.

    *Differs from PyTorch*: random generators that a dataset holds (``np.random.default_rng``,
    ``RandomState``, ``random.Random``, ``Generator``) do not repeat in other workers or in the
    next epoch; see `kobai.utils.data.randomness`. The message of an error in a worker tells
    which sample failed. Where there are no processes (in a browser), `num_workers` is ignored,
    with a warning.

    >>> [batch.tolist() for batch in DataLoader(range(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None,
                 num_workers: int = 0, collate_fn=None, pin_memory: bool = False,
                 drop_last: bool = False, timeout: float = 0, worker_init_fn=None,
                 multiprocessing_context=None, generator=None, *, prefetch_factor=None,
                 persistent_workers: bool = False, pin_memory_device: str = "",
                 in_order: bool = True) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers
        self._dataset_kind = (_DatasetKind.Iterable if isinstance(dataset, IterableDataset)
                              else _DatasetKind.Map)
        _check_order(self._dataset_kind, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = self._default_sampler(shuffle)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_collate if self._auto_collation
                                         else default_convert)
        self._IterableDataset_len_called = None
        self._iterator = None
        self.check_worker_number_rationality()
        self._initialized = True

    def __repr__(self) -> str:
        return object.__repr__(self).replace("<kobai.", "<torch.", 1)       # as articles print it

    def _default_sampler(self, shuffle):
        if self._dataset_kind == _DatasetKind.Iterable:
            return EndlessSampler()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __setattr__(self, name, value) -> None:
        if name in FIXED and "_initialized" in self.__dict__:
            raise error("not-possible",
                        ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized"),
                        name=name, why="the sampler and the workers were made from {name}, and would not follow.",
                        fix="make a new loader: DataLoader(dataset, {name}=...).")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        """How worker processes start; None for the default."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context) -> None:
        self._multiprocessing_context = _checked_context(context, self.num_workers)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self):
        if not self.persistent_workers:
            return self._get_iterator()
        if self._iterator is None or not self._iterator._reset(self):
            self._iterator = self._get_iterator()
        return self._iterator

    def _get_iterator(self):
        if self.num_workers == 0 or not _processes_available():
            return _SingleProcessDataLoaderIter(self)
        from kobai.utils.data.parallel import _MultiProcessingDataLoaderIter  # noqa: PLC0415  (needs processes)
        return _MultiProcessingDataLoaderIter(self)

    def __len__(self) -> int:
        if self._dataset_kind == _DatasetKind.Map:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors."""
        processors = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
                      else os.cpu_count())
        if self.num_workers and processors and self.num_workers > processors:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {processors}, one for each "
                "processor; more of them usually make loading slower.", stacklevel=3)


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers) -> None:
    if num_workers < 0:
        raise error("argument-value",
                    ValueError("num_workers option should be non-negative; use num_workers=0 to disable "
                               "multiprocessing."),
                    what="num_workers", value=num_workers, low=0, must="a whole number of at least {low}")
    if timeout < 0:
        raise error("argument-value", ValueError("timeout option should be non-negative"), what="timeout",
                    value=timeout, low=0, must="a number of at least {low}")
    if num_workers == 0 and prefetch_factor is not None:
        raise error("arguments-together", ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > "
            "0 to enable multiprocessing, otherwise set prefetch_factor to None."),
            what="prefetch_factor", other="num_workers")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise error("argument-value", ValueError("prefetch_factor option should be non-negative"),
                    what="prefetch_factor", value=prefetch_factor, must="a positive whole number")
    if persistent_workers and num_workers == 0:
        raise error("arguments-together", ValueError("persistent_workers option needs num_workers > 0"),
                    what="persistent_workers", other="num_workers")


def _check_order(kind, batch_size, shuffle, sampler, batch_sampler, drop_last) -> None:
    if kind == _DatasetKind.Iterable:
        given = {"sampler": sampler, "batch_sampler": batch_sampler}
        for name, value in ({"shuffle": shuffle or None} | given).items():
            if value is not None:
                raise error("arguments-exclude",
                            ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but "
                                       f"got {name}={value}"),
                            name=name,
                            why="an iterable dataset decides itself what comes next; {name} would choose samples by "
                                "number.",
                            fix="leave {name} out; to shuffle, do it in __iter__ of the dataset.")
    if sampler is not None and shuffle:
        raise error("sampler-shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None
                                      or drop_last):
        raise error("arguments-exclude",
                    ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                               "drop_last"),
                    why="batch_sampler says already which samples make up each batch.",
                    fix="leave out batch_size, shuffle, sampler and drop_last.")
    if batch_sampler is None and batch_size is None and drop_last:
        raise error("arguments-exclude",
                    ValueError("batch_size=None option disables auto-batching and is mutually exclusive with "
                               "drop_last"),
                    what="drop_last=True", other="batch_size=None")


def _checked_context(context, num_workers: int):
    if context is None:
        return None
    if num_workers == 0:
        raise error("arguments-together",
                    ValueError("multiprocessing_context can only be used with multi-process loading (num_workers > "
                               f"0), but got num_workers={num_workers}"),
                    what="multiprocessing_context", other="num_workers")
    import multiprocessing  # noqa: PLC0415  (slow to import, and seldom needed)
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise error("argument-choice",
                        ValueError("multiprocessing_context option should specify a valid start method in "
                                   f"{methods!r}, but got multiprocessing_context={context!r}"),
                        what="multiprocessing_context", value=context, choices=methods)
        context = multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise error("argument-type",
                    TypeError("multiprocessing_context option should be a valid context object or a string "
                              f"specifying the start method, but got multiprocessing_context={context}"),
                    what="multiprocessing_context", kind=type(context),
                    must="the name of a way to start processes, or multiprocessing.get_context(name)")
    return context


_warned = []


def _processes_available() -> bool:
    """Whether worker processes can be started here; warns, once, if not."""
    available = (sys.platform not in ("emscripten", "wasi")
                 and find_spec("_multiprocessing") is not None)
    if not available and not _warned:
        _warned.append(True)
        warnings.warn("This system has no processes, so num_workers is ignored: batches are read "
                      "in the main program, one after the other. The samples and their order "
                      "stay the same.", stacklevel=4)
    return available


# PyTorch's names of the iterators, for programs that mention them.
_BaseDataLoaderIter = LoaderIterator
