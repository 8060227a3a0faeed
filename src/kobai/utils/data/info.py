"""What a worker process of a `DataLoader` is told about itself."""

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "become_worker", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: its `id` out of `num_workers`, its `seed`, its copy of `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_worker_info = None


def get_worker_info():
    """The `WorkerInfo` of the worker process that asks; None in the main process.

    An `IterableDataset` divides its data by it.

    >>> get_worker_info() is None
    True
    """
    return _worker_info


def become_worker(info: WorkerInfo) -> None:
    """Make this process the worker that `info` tells of."""
    global _worker_info
    _worker_info = info
