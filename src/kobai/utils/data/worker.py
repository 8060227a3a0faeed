"""The worker process of a `DataLoader`, and what it tells the dataset about itself.

A worker has one pipe to the main process. A thread listens to it, so that the main process
never waits to hand over a task, and so that a worker whose main process is gone leaves, even
out of a dataset that hangs. Nothing is shared between workers, least of all a lock: killing one
cannot block another.
"""

import os
import queue
import signal
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

import kobai
from kobai.utils.data import fetch, info, transport
from kobai.utils.data.randomness import NO_WORKER, HeldGenerators, divides_itself, seed_globals

__all__ = ["DATA", "END", "ERROR", "Epoch", "Failure", "Job", "Task", "work"]

DATA, ERROR, END = "data", "error", "end"       # kinds of reply: a batch, a `Failure`, no more
GRACE = 2.0             # seconds a worker has to finish the sample it is reading, when told to end
PARENT_CHECK = 5.0      # seconds between looks whether the main process is still there


@dataclass
class Job:
    """What a worker is started with."""

    fetcher: type
    dataset: Any
    batched: bool
    collate_fn: Any
    drop_last: bool
    init_fn: Any
    base_seed: int
    id: int
    num_workers: int


@dataclass
class Task:
    """A batch to fetch: the `number` of it in the epoch, its indices; and shared memory to reuse."""

    epoch: int
    number: int
    indices: Any
    unused: list = field(default_factory=list)


@dataclass
class Epoch:
    """A new epoch begins: start the dataset afresh, forget earlier tasks."""

    number: int


@dataclass
class Failure:
    """An exception on its way to the main process: its type and the text to show."""

    kind: type
    text: str

    def reraise(self):
        """Raise the exception in this process, with the worker's traceback in its message."""
        try:
            error = self.kind(_Readable(self.text))
        except Exception:               # the type wants other arguments than a message
            error = RuntimeError(self.text)
        if isinstance(error, StopIteration):
            error = RuntimeError(self.text)
        raise error


class _Readable(str):
    """Text that `KeyError`, which shows the repr of its argument, shows with line breaks."""

    __repr__ = str.__str__


class _Told(BaseException):
    """Raised between two samples when the worker has been told to leave."""


def work(job: Job, connection, ends_of_others=(), generators=None) -> None:
    """Run a worker: what a worker process executes.

    Args:
        job: what to load.
        connection: the pipe to the main process.
        ends_of_others: copies, made by fork, of the main process's ends of all pipes. They are
            closed, or the end of the main process would go unnoticed.
        generators: the random generators in the copied memory; looked for here if None.
    """
    for end in ends_of_others:
        end.close()
    _Worker(job, connection, HeldGenerators(generators)).run()


class _Worker:
    def __init__(self, job: Job, connection, held: HeldGenerators) -> None:
        self.job = job
        self.connection = connection
        self.held = held
        self.divides = divides_itself(job.dataset)
        self.tasks = queue.SimpleQueue()
        self.sender = transport.Sender(connection)
        self.post = self.sender.send if transport.CAN_SHARE else _Outbox(self.sender).send
        self.epoch = 0
        self.told = False               # to leave
        self.fetcher = None
        self.ended = False              # the stream of this epoch
        self.failure = None             # of worker_init_fn, the answer to every task

    def run(self) -> None:
        _become_quiet()
        threading.Thread(target=self._listen, args=(os.getppid(),), daemon=True).start()
        self._prepare()
        try:
            while (message := self.tasks.get()) is not None:
                if isinstance(message, Epoch):
                    self._begin(message.number)
                    continue
                self.sender.release(message.unused)
                if message.epoch == self.epoch and not self.ended:
                    self._answer(message)
        except (_Told, BrokenPipeError, ConnectionResetError):
            pass

    def _listen(self, parent: int) -> None:
        """Receive tasks; when there can be no more of them, see to it that this process ends."""
        try:
            while True:
                while not self.connection.poll(PARENT_CHECK):
                    if os.getppid() != parent:
                        raise EOFError
                message = self.connection.recv()
                if message is None:
                    break
                if isinstance(message, Epoch):
                    self.epoch = message.number         # tasks that wait are out of date now
                self.tasks.put(message)
        except (EOFError, OSError):
            pass
        self.told = True
        self.tasks.put(None)
        time.sleep(GRACE)
        os._exit(0)

    def _prepare(self) -> None:
        job = self.job
        self._begin(0)
        seed_globals(job.base_seed, job.id)
        info.become_worker(info.WorkerInfo(job.id, job.num_workers, job.base_seed + job.id,
                                           job.dataset))
        try:
            if job.init_fn is not None:
                job.init_fn(job.id)
        except Exception as error:
            self.failure = self._describe(error, "The error came from worker_init_fn.")
        self.held.forget_changed()

    def _begin(self, epoch: int) -> None:
        self.fetcher = None
        self.ended = False
        if self.divides:
            self.held.reseed(epoch, NO_WORKER, self.job.base_seed)
        elif epoch == 0:        # later epochs go on where the generators are
            self.held.reseed(0, self.job.id, self.job.base_seed)

    def _steps(self, indices):
        """Iterate over the indices of a batch; what comes after `yield` runs between samples."""
        shared = self.divides and self.fetcher.count == 0
        for index in indices:
            if self.told:
                raise _Told
            yield index
            if shared:
                self.held.reseed(self.epoch, self.job.id, self.job.base_seed)
                shared = False

    def _answer(self, task: Task) -> None:
        kind, payload = self._load(task.indices)
        try:
            parts = transport.pack(payload)
        except Exception as error:
            kind = ERROR
            parts = transport.pack(self._describe(
                error, f"The error came while sending the batch {task.indices}: what the "
                       "collate_fn returned cannot be pickled."))
        self.post((kind, task.epoch, task.number), parts)

    def _load(self, indices) -> tuple:
        if self.failure is not None:
            return ERROR, self.failure
        job = self.job
        try:
            if self.fetcher is None:
                self.fetcher = job.fetcher(job.dataset, job.batched, job.collate_fn,
                                           job.drop_last, self._steps)
            return DATA, self.fetcher(indices)
        except StopIteration:
            self.ended = True
            return END, None
        except Exception as error:
            where = (fetch.explain(self.fetcher, indices) if self.fetcher
                     else "The error came from the dataset's __iter__.")
            return ERROR, self._describe(error, where)

    def _describe(self, error: Exception, where: str) -> Failure:
        kind = type(error)
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename in OUR_FILES:
            frames = frames.tb_next
        shown = traceback.format_exception(kind, error, frames or error.__traceback__)
        text = (f"Caught {kind.__name__} in DataLoader worker process {self.job.id}.\n"
                f"{where}\nOriginal {''.join(shown)}")
        try:
            transport.pack(kind)
        except Exception:               # a class made inside a function cannot be sent
            kind = RuntimeError
        return Failure(kind, text)


OUR_FILES = (__file__, fetch.__file__)


class _Outbox:
    """Sends replies from a thread, so that the worker need not wait until they are received.

    For systems where every batch goes through the pipe, which holds only a few kilobytes.
    """

    def __init__(self, sender) -> None:
        self.sender = sender
        self.replies = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def send(self, *message) -> None:
        self.replies.put(message)

    def _run(self) -> None:
        try:
            while True:
                self.sender.send(*self.replies.get())
        except OSError:
            pass                # the main process is gone; the listener ends this one


def _become_quiet() -> None:
    """Leave Ctrl-C to the main process, and do not compete with it for processors."""
    signal.signal(signal.SIGINT, _ignore)       # not SIG_IGN: programs started here inherit that
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(kobai, "set_num_threads"):
        kobai.set_num_threads(1)


def _ignore(number, frame) -> None:
    pass
