"""One pass over a `DataLoader` in this process, and what every kind of pass has in common."""

import warnings

import kobai
from kobai.diagnose import error
from kobai.utils.data.dataset import IterableDataset
from kobai.utils.data.fetch import IterableFetcher, MapFetcher, explain
from kobai.utils.data.pin import pin_memory
from kobai.utils.data.sampler import random_seed

__all__ = ["LoaderIterator", "_SingleProcessDataLoaderIter"]


class LoaderIterator:
    """One pass over a loader; what `iter(loader)` returns."""

    def __init__(self, loader) -> None:
        # No reference to the loader: it may hold this iterator, and a cycle would keep the
        # workers until the garbage collector comes.
        self._dataset = loader.dataset
        self._num_workers = loader.num_workers
        self._index_sampler = loader._index_sampler
        self._expected = loader._IterableDataset_len_called
        self._pin_memory = loader.pin_memory and _has_accelerator()
        self._fetcher_kind = (IterableFetcher if isinstance(loader.dataset, IterableDataset)
                              else MapFetcher)
        self._sampler_iter = iter(self._index_sampler)
        self._base_seed = random_seed(loader.generator)
        self._num_yielded = 0

    def __iter__(self):
        return self

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __next__(self):
        data = self._next_data()
        self._num_yielded += 1
        if self._expected is not None and self._num_yielded > self._expected:
            self._warn_longer()
        return pin_memory(data) if self._pin_memory else data

    def _next_data(self):
        raise NotImplementedError

    def _warn_longer(self) -> None:
        hint = ("" if self._num_workers == 0 else
                "\nEvery worker reads the whole dataset, unless it takes its own share: see "
                "get_worker_info.")
        warnings.warn(f"Length of IterableDataset {self._dataset} was reported to be "
                      f"{self._expected} (when accessing len(dataloader)), but "
                      f"{self._num_yielded} samples have been fetched.{hint}", stacklevel=3)

    def __getstate__(self):
        raise error("not-possible", NotImplementedError(f"{type(self).__name__} cannot be pickled"), name=type(self),
                    why="{name} is in the midst of an epoch, with samples on their way.",
                    fix="pickle the dataset, and make a new loader from it.")


def _has_accelerator() -> bool:
    if hasattr(kobai, "cuda") and kobai.cuda.is_available():
        return True
    warnings.warn("'pin_memory' argument is set as true but no accelerator is found, then device "
                  "pinned memory won't be used.", stacklevel=6)
    return False


class _SingleProcessDataLoaderIter(LoaderIterator):
    """Reads each batch when it is asked for."""

    def __init__(self, loader) -> None:
        super().__init__(loader)
        if loader.num_workers == 0 and loader.timeout != 0:
            raise error("arguments-together", AssertionError("_SingleProcessDataLoaderIter requires timeout == 0"),
                        what="timeout", other="num_workers")
        self._fetcher = self._fetcher_kind(loader.dataset, loader._auto_collation,
                                           loader.collate_fn, loader.drop_last)

    def _next_data(self):
        indices = next(self._sampler_iter)
        try:
            return self._fetcher(indices)
        except StopIteration:
            raise
        except Exception as failure:
            failure.add_note(explain(self._fetcher, indices))
            raise

    def _reset(self, loader) -> bool:
        return False            # nothing worth keeping
