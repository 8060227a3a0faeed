"""Timing a statement, as Python's timeit does, with a number of threads that is said."""
from __future__ import annotations

import textwrap
import timeit

from ...backends.threads import get_num_threads, set_num_threads
from ...diagnose import error
from .measurement import Measurement

_MOST = 10**7


class Timer:
    """Times `stmt`, with the names in `globals`; `setup` runs once before.

    >>> from kobai.utils.benchmark import Timer
    >>> Timer("a + a", "a = [1] * 3").timeit(5).number_per_run
    5
    """

    def __init__(self, stmt="pass", setup="pass", global_setup="", timer=timeit.default_timer, globals=None, label=None,
                 sub_label=None, description=None, env=None, num_threads=1, language="python"):
        if language not in ("python", "py") and getattr(language, "name", "PYTHON") != "PYTHON":
            raise error("not-in-kobai",
                        NotImplementedError("only statements in Python are timed: there is no C++ compiler"),
                        what="language='c++'", instead="time a function in Python, and leave language out.")
        self._named = {"stmt": textwrap.dedent(stmt).strip(), "setup": textwrap.dedent(setup).strip(), "label": label,
                       "sub_label": sub_label, "description": description, "env": env, "num_threads": num_threads}
        self._timer = timeit.Timer(self._named["stmt"], self._named["setup"], timer, dict(globals or {}))
        self._threads = num_threads

    def _seconds(self, number):
        before = get_num_threads()
        set_num_threads(self._threads)
        try:
            return self._timer.timeit(number)
        finally:
            set_num_threads(before)

    def timeit(self, number=1000000):
        """One measurement of `number` runs, after a short warm-up."""
        self._seconds(max(number // 100, 2))
        return Measurement(number, [self._seconds(number)], **self._named)

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """Measurements of many runs each, until they have taken `min_run_time` seconds in all."""
        number = self._number(min_run_time)
        times = []
        while sum(times) < min_run_time:
            times.append(self._seconds(number))
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, **self._named)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None):
        """The same, until the times agree within `threshold` of their median, or `max_run_time` is over."""
        number, times = self._number(min_run_time), []
        while sum(times) < max_run_time:
            times.append(self._seconds(number))
            if callback is not None:
                callback(number, times[-1])
            found = Measurement(number, times, **self._named)
            if sum(times) >= min_run_time and len(times) > 3 and found.iqr <= threshold * found.median:
                break
        return Measurement(number, times, **self._named)

    def _number(self, min_run_time):
        """So many runs that one measurement takes a hundredth of the whole time."""
        number, seconds = 1, self._seconds(2) / 2
        while seconds < min_run_time / 100 and number < _MOST:
            number = max(2 * number, int(number * min_run_time / 100 / max(seconds, 1e-9)))
            seconds = self._seconds(number)
        return number
