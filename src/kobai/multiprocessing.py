"""torch.multiprocessing: Python's, to which tensors are sent as copies.

Differs from PyTorch: a tensor that was sent is not shared; what a process writes into it the others do not see.
"""
from __future__ import annotations

import multiprocessing as _python
from multiprocessing import *  # noqa: F403

from .diagnose import error

_strategy = ["file_system"]
__all__ = ["get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn"]
__all__ += _python.__all__


def get_all_sharing_strategies():
    """The ways to send tensors: one, which copies."""
    return {"file_system"}


def get_sharing_strategy():
    """What `set_sharing_strategy` was told last."""
    return _strategy[0]


def set_sharing_strategy(new_strategy):
    """Choose how tensors are sent; there is one way."""
    if new_strategy not in ("file_system", "file_descriptor"):
        raise error("argument-choice", AssertionError(f"Invalid sharing strategy: {new_strategy!r}"),
                    what="new_strategy", value=new_strategy, choices=["file_system", "file_descriptor"])
    _strategy[0] = new_strategy


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Run `fn(i, *args)` in `nprocs` new processes, i counting them.

    Returns None once all have ended, or the list of processes if not `join`. Raises RuntimeError if one failed.
    """
    context = _python.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    if not join:
        return processes
    for process in processes:
        process.join()
    failed = [i for i, process in enumerate(processes) if process.exitcode]
    if failed:
        raise error("call-order",
                    RuntimeError(f"process {failed[0]} terminated with exit code {processes[failed[0]].exitcode}"),
                    why="process {i} ended with an error; what it printed stands above.", i=failed[0],
                    fix="look at the traceback that this process printed; fn(i, *args) fails in it.")
    return None
