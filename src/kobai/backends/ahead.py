"""What other threads do meanwhile: `start(work)`, and kernels compiled while a plan is being made, by
`with ahead.doing() as work: work.add(...) ...`.

Fusion gives one kernel after the other; a second thread compiles them from the first on, while the first thread goes on
planning.  When the plan is put together, which asks for all kernels from the first on, the second thread goes on
from the last: what one makes the other finds, or waits for.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable

from kobai.backends import llvm as llvm, threads  # (LLVM's way to fork comes after ours: threads need its lock to end)

LEAST = 4  # kernels that are worth a thread
PATIENCE = 10  # seconds that a fork waits for threads to end
_running: set[threading.Thread] = set()


def start(work: Callable[[], object]) -> threading.Thread | None:
    """Have another thread do something; None where none can be started.

    A process that forks waits for it: the child would have what it had half done, such as the import of a module, for ever.
    """
    def run():
        try:
            work()
        finally:
            _running.discard(thread)
    thread = threading.Thread(target=run, name="kobai-compile")
    _running.add(thread)
    try:
        thread.start()
    except RuntimeError:  # no more threads here, or the interpreter ends
        _running.discard(thread)
        return None
    return thread


def _let_them_end():
    """Before a fork."""
    for thread in _running.copy():
        if thread.ident not in (None, threading.get_ident()):
            thread.join(PATIENCE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_let_them_end, after_in_child=_running.clear)


class doing:
    """While the block runs, what is added may be done ahead by another thread; errors are for the block to meet."""

    def __init__(self):
        self.works: deque[Callable[[], object]] = deque()
        self.over = self.backwards = False
        self.thread: threading.Thread | None = None
        self.more = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.over = True
        self.more.set()

    def add(self, work: Callable[[], object]):
        """One more thing to do."""
        self.works.append(work)
        self.more.set()
        if self.thread is None and len(self.works) >= LEAST and threads.cores() > 1:
            self.thread = threading.Thread(target=self._run, name="kobai-ahead")
            try:
                self.thread.start()
            except RuntimeError:  # no more threads here
                self.over = True

    def turn(self):
        """From now on the last is done first: the block itself comes from the other end."""
        self.backwards = True

    def _run(self):
        while not self.over:
            try:
                work = self.works.pop() if self.backwards else self.works.popleft()
            except IndexError:
                self.more.wait()
                self.more.clear()
                continue
            try:
                work()
            except Exception:  # the block comes to it, too, if it matters, and knows what to do then
                pass
