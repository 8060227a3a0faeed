"""The line that grows while a model trains."""
from __future__ import annotations

import math
import sys
import time

import numpy as np


class Progbar:
    """A bar, the time, and the values of metrics.

    Args: `target`, how many steps there will be (None: nobody knows); `verbose`, 1 for a bar, 2 for one line
    at the end, 0 for nothing; `stateful_metrics`, names of values that are shown as they are, not averaged.
    """

    def __init__(self, target, width=20, verbose=1, interval=0.05, stateful_metrics=None, unit_name="step",
                 all_stateful=False):
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name, self._all_stateful = unit_name, all_stateful
        self._stateful = set(stateful_metrics or ())
        self._values, self._seen, self._shown = {}, 0, 0
        self._start = time.time()
        self._last, self._first_step = 0.0, None

    def update(self, current, values=None, finalize=None):
        """Show that `current` steps are done; `values` are pairs (name, value)."""
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, v in values or ():
            self._add(name, v, max(current - self._seen, 1), finalize)
        self._seen = current
        now = time.time()
        each = self._each(current, now)
        if self.verbose == 1 and (finalize or now - self._last >= self.interval):
            self._draw(current, now, each, finalize)
            self._last = now
        elif self.verbose == 2 and finalize and self.target:
            digits = int(math.log10(self.target)) + 1
            _write(f"{current:{digits}d}/{self.target} - {now - self._start:.0f}s -{_time(each, self.unit_name)}"
                   f"{self._metrics()}\n")

    def add(self, n, values=None):
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _add(self, name, v, steps, finalize):
        if self._all_stateful or name in self._stateful or finalize or name not in self._values:
            self._values[name] = [v, 1] if self._all_stateful or name in self._stateful or finalize else [v * steps, steps]
        else:
            self._values[name][0] += v * steps
            self._values[name][1] += steps

    def _each(self, current, now):
        """The time of one step; the first, which is slower, does not count where there are others."""
        if not current:
            return 0
        if self._first_step is not None and current > 1:
            return (now - self._first_step) / (current - 1)
        if current == 1:
            self._first_step = now
        return (now - self._start) / current

    def _draw(self, current, now, each, finalize):
        if self.target:
            digits = int(math.log10(self.target)) + 1
            done = int(self.width * float(current) / self.target)
            bar = f"\x1b[1m{current:{digits}d}/{self.target}\x1b[0m "
            bar += f"\33[32m{'━' * done}\x1b[0m" * (done > 0) + f"\33[37m{'━' * (self.width - done)}\x1b[0m"
            hidden = 8 + 9 * (done > 0) + 9
        else:
            bar, hidden = f"{current:7d}/Unknown", 0
        left = each * (self.target - current) if self.target and not finalize else None
        spent = f"{now - self._start:.0f}s" if left is None else _left(left)
        info = f" \x1b[1m{spent}\x1b[0m{_time(each, self.unit_name)}{self._metrics()}"
        width = len(bar) + len(info) - hidden - 8
        _write("\b" * self._shown + "\r" + bar + info + " " * max(self._shown - width, 0) + "\n" * finalize)
        self._shown = width

    def _metrics(self):
        text = ""
        for name, (total, n) in self._values.items():
            v = float(np.mean(total)) / max(1, n)
            text += f" - {name}: {v:.4f}" if abs(v) > 1e-3 else f" - {name}: {v:.4e}"
        return text


def _left(seconds):
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def _time(seconds, unit):
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/{unit}"
    return f" {seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f" {seconds * 1e6:.0f}us/{unit}"


def _write(text):
    sys.stdout.write(text)
    sys.stdout.flush()
