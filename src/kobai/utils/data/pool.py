"""The worker processes of one loader, seen from the main process: start, talk, notice, end."""

import multiprocessing
import os
import pickle
import signal
import sys
import time
from multiprocessing.connection import wait

from kobai.diagnose import error
from kobai.utils.data import transport
from kobai.utils.data.randomness import HeldGenerators
from kobai.utils.data.worker import GRACE, Epoch, Task, work

__all__ = ["WorkerDied", "WorkerPool", "default_context"]


class WorkerDied(RuntimeError):
    """A worker process has ended without being told to."""


def default_context():
    """How processes are started: as the program has chosen, else by fork, else by spawn.

    fork needs no pickling, so that lambdas and datasets defined in a notebook work. macOS can
    fork too, but its own libraries then crash in the child.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    if method is None:
        forks = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        method = "fork" if forks else "spawn"
    return multiprocessing.get_context(method)


class WorkerPool:
    """Worker processes, each at the other end of a pipe of its own.

    Args:
        jobs: one `Job` for each worker.
        context: the `multiprocessing` context to start them in.
    """

    def __init__(self, jobs, context) -> None:
        self.owner = os.getpid()
        self.method = context.get_start_method()
        self.epoch = 0
        self.closed = False
        self.connections = []
        self.receivers = []
        self.processes = []
        generators = HeldGenerators.find() if self.method == "fork" else None
        try:
            for job in jobs:
                self._start(job, context, generators)
        except BaseException:
            self.close()
            raise

    def _start(self, job, context, generators) -> None:
        ours, theirs = context.Pipe()
        self.connections.append(ours)
        self.receivers.append(transport.Receiver(ours))
        inherited = tuple(self.connections) if self.method == "fork" else ()
        process = context.Process(target=work, args=(job, theirs, inherited, generators),
                                  daemon=True, name=f"kobai-data-worker-{job.id}")
        try:
            process.start()
        except (TypeError, AttributeError, pickle.PicklingError) as failure:
            failure.add_note(
                f"A worker started by '{self.method}' gets its dataset, collate_fn and "
                "worker_init_fn by pickling: define them at the top level of a module, or "
                "pass multiprocessing_context='fork' where the system has it.")
            raise
        finally:
            theirs.close()
        self.processes.append(process)

    def begin_epoch(self) -> None:
        """Tell all workers that a new epoch begins; replies of the old one are dropped."""
        self.epoch += 1
        for worker in range(len(self.processes)):
            self.send(worker, Epoch(self.epoch))

    def send(self, worker: int, message) -> None:
        """Send a message. That a worker has died is told when its reply is awaited."""
        if isinstance(message, Task):
            message.unused = self.receivers[worker].take_unused()
        try:
            self.connections[worker].send(message)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive(self, workers, timeout: float) -> tuple:
        """Wait for a reply from one of `workers`.

        Args:
            workers: numbers of the workers to listen to.
            timeout: seconds; 0 waits for ever.

        Returns:
            ``(worker, kind, number of the task, payload)``

        Raises:
            RuntimeError: nothing came in time.
            WorkerDied: a worker has ended.
        """
        deadline = time.monotonic() + timeout if timeout else None
        while True:
            worker = self._ready(workers, deadline)
            if worker is None:
                raise self._timed_out(workers, timeout)
            (kind, epoch, number), parts = self._read(worker)
            if epoch == self.epoch:
                return worker, kind, number, transport.unpack(parts)

    def _ready(self, workers, deadline):
        """The first of `workers` that has sent something or has died; None after `deadline`."""
        watched = {self.connections[worker]: worker for worker in workers}
        ends = {self.processes[worker].sentinel: worker for worker in workers}
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = wait([*watched, *ends], left)
        for connection, worker in watched.items():      # what was sent before the end comes first
            if connection in ready or connection.poll():
                return worker
        for end in ready:
            raise self._died(ends[end])

    def _read(self, worker: int) -> tuple:
        try:
            return self.receivers[worker].receive()
        except (EOFError, OSError) as failure:
            raise self._died(worker) from failure
        except BaseException:           # Ctrl-C within a message: the rest would be misread
            self.close()
            raise

    def _timed_out(self, workers, timeout: float) -> Exception:
        names = [f"worker {worker} (pid {self.processes[worker].pid})" for worker in workers]
        return error("argument-value", RuntimeError(f"DataLoader timed out after {timeout} seconds"),
                     names=" ".join(names), timeout=timeout,
                     why="nothing came from {names} in {timeout} seconds, and it is still running: the dataset is slower "
                         "than that, or waits for something.",
                     fix="give a larger timeout, or use num_workers=0 to see where it is.")

    def _died(self, worker: int) -> Exception:
        process = self.processes[worker]
        process.join(GRACE)
        plain = WorkerDied(f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly")
        return _ended(plain, worker, process.exitcode, self.method)

    def close(self) -> None:
        """End the workers: by asking, after a moment by force. May be called again."""
        if self.closed or os.getpid() != self.owner:        # a forked copy must not end them
            return
        self.closed = True
        for worker, process in enumerate(self.processes):
            if process.is_alive():
                self.send(worker, None)
        for connection in self.connections:
            connection.close()
        deadline = time.monotonic() + 1.5 * GRACE
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.terminate()
                process.join(GRACE)
            if process.is_alive():
                process.kill()


def _ended(plain, worker: int, code, method: str) -> Exception:
    """The error for a process that ended: why, as far as its exit code tells, and what to do about it."""
    if code == -getattr(signal, "SIGKILL", 9):
        return error("machine", plain, worker=worker,
                     why="worker {worker} was killed (SIGKILL); if nobody did that, the machine ran out of memory.",
                     fix="use fewer workers, smaller batches, or a smaller prefetch_factor.")
    if code is not None and code < 0:
        return error("machine", plain, worker=worker, name=signal.Signals(-code).name,
                     why="worker {worker} was ended by signal {name}: something compiled that the dataset calls has "
                         "crashed.",
                     fix="use num_workers=0 to find out where.")
    return error("machine", plain, worker=worker, code=code, method=method,
                 why="worker {worker} closed its pipe." if code is None else
                     "worker {worker} left with exit code {code}: did the dataset call sys.exit()?",
                 fix="use num_workers=0 to find out where." if method == "fork" else
                     "use num_workers=0 to find out where; a program whose workers are started by {method!r} must run "
                     "its own code under `if __name__ == '__main__':`.")
