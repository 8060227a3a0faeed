"""Kernels of a plan compiled by two threads: `with doing(works): ...` while the plan is put together.

The plan asks for one kernel after the other.  As soon as one of them has to be compiled, a second thread makes
those that come last, and so on towards the first; what one thread makes the other finds, or waits for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from kobai.backends import threads

LEAST = 4  # kernels that are worth a thread

_mine = threading.local()


class doing:
    """While the block runs, each of these works may be done ahead by another thread; errors are for the block to meet."""

    def __init__(self, works: Sequence[Callable[[], object]]):
        self.works, self.over, self.thread = works, False, None

    def __enter__(self):
        self.before, _mine.doing = getattr(_mine, "doing", None), self
        return self

    def __exit__(self, *exc):
        _mine.doing, self.over = self.before, True

    def begin(self):
        """Start the other thread, once, where there is a core for it."""
        if self.thread is None and len(self.works) >= LEAST and threads.cores() > 1:
            self.thread = threading.Thread(target=self._run, name="kobai-ahead")
            try:
                self.thread.start()
            except RuntimeError:  # no more threads here
                pass

    def _run(self):
        for work in reversed(self.works):
            if self.over:
                return
            try:
                work()
            except Exception:  # the block comes to it, too, and knows what to do then
                return


def wanted() -> None:
    """This thread is about to compile something."""
    now = getattr(_mine, "doing", None)
    if now is not None:
        now.begin()
