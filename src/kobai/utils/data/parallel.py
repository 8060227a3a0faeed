"""A pass over a `DataLoader` whose worker processes read ahead."""

import itertools
import weakref

from kobai.diagnose import error
from kobai.utils.data.iterators import LoaderIterator
from kobai.utils.data.pool import WorkerDied, WorkerPool, default_context
from kobai.utils.data.worker import END, ERROR, Job, Task

__all__ = ["_MultiProcessingDataLoaderIter"]


class _MultiProcessingDataLoaderIter(LoaderIterator):
    """Has worker processes read ahead: task i goes to one worker after the other."""

    def __init__(self, loader) -> None:
        super().__init__(loader)
        if loader.prefetch_factor <= 0:
            raise error("argument-value",
                        AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter"),
                        what="prefetch_factor", value=loader.prefetch_factor, must="a positive whole number")
        self._in_order = loader.in_order
        self._ahead = loader.prefetch_factor * loader.num_workers
        self._persistent = loader.persistent_workers
        self._timeout = loader.timeout
        jobs = [Job(self._fetcher_kind, loader.dataset, loader._auto_collation,
                    loader.collate_fn, loader.drop_last, loader.worker_init_fn,
                    self._base_seed, worker, loader.num_workers)
                for worker in range(loader.num_workers)]
        self._pool = WorkerPool(jobs, loader.multiprocessing_context or default_context())
        # Also at the exit of the interpreter, and when a loop was left early.
        self._close = weakref.finalize(self, self._pool.close)
        self._begin()

    def _begin(self) -> None:
        self._active = dict.fromkeys(range(self._num_workers), 0)   # worker -> tasks it has
        self._turns = itertools.cycle(range(self._num_workers))
        self._waiting = {}              # number of a task that was sent -> its worker, in order
        self._sent = 0
        for _ in range(self._ahead):
            self._send_next()

    def _reset(self, loader) -> bool:
        """Begin the next epoch with the same workers; False if they are gone."""
        if self._pool.closed:
            return False
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._expected = loader._IterableDataset_len_called
        self._pool.begin_epoch()
        self._begin()
        return True

    def _send_next(self) -> None:
        if not self._active:
            return
        try:
            indices = next(self._sampler_iter)
        except StopIteration:
            return
        worker = self._next_worker()
        self._active[worker] += 1
        self._waiting[self._sent] = worker
        self._pool.send(worker, Task(self._pool.epoch, self._sent, indices))
        self._sent += 1

    def _next_worker(self) -> int:
        if not self._in_order:       # whoever has least to do
            return min(self._active, key=self._active.get)
        return next(worker for worker in self._turns if worker in self._active)

    def _next_data(self):
        while self._waiting:
            first = next(iter(self._waiting.values()))
            workers = [first] if self._in_order else set(self._waiting.values())
            worker, kind, number, payload = self._receive(workers)
            if kind == END:
                self._retire(worker)
                continue
            del self._waiting[number]
            self._active[worker] -= 1
            self._send_next()
            if kind == ERROR:
                payload.reraise()
            return payload
        if not self._persistent:
            self._close()
        raise StopIteration

    def _receive(self, workers) -> tuple:
        try:
            return self._pool.receive(workers, self._timeout)
        except WorkerDied:
            self._waiting.clear()
            self._close()
            raise

    def _retire(self, worker: int) -> None:
        """A worker's stream has ended: its other tasks go to those that still have samples."""
        del self._active[worker]
        dropped = [number for number, owner in self._waiting.items() if owner == worker]
        for number in dropped:
            del self._waiting[number]
        for _ in dropped:
            self._send_next()
