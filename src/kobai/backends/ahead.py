"""Kernels compiled by a second thread while a plan is being made: `with ahead.doing() as work: work.add(...) ...`.

Fusion gives one kernel after the other; a second thread compiles them from the first on, while the first thread goes on
planning.  When the plan is put together, which asks for all kernels from the first on, the second thread goes on
from the last: what one makes the other finds, or waits for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from kobai.backends import threads

LEAST = 4  # kernels that are worth a thread


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
