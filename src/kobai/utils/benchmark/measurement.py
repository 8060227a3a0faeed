"""The times of one statement."""
from __future__ import annotations

import statistics
from dataclasses import dataclass, field

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def unit_of(seconds):
    """(unit, its length) in which a time is between 1 and 1000.

    >>> unit_of(0.002)
    ('ms', 0.001)
    """
    for unit, length in _UNITS.items():
        if seconds >= length:
            return unit, length
    return "ns", 1e-9


def unit_in_words(unit):
    """The name of a unit.

    >>> unit_in_words("us")
    'microseconds'
    """
    return _WORDS[unit]


@dataclass(repr=False)
class Measurement:
    """Times of `number_per_run` runs each, and what was measured."""

    number_per_run: int
    raw_times: list
    stmt: str = ""
    setup: str = "pass"
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    num_threads: int = 1
    env: str | None = None
    metadata: dict | None = field(default=None)

    @property
    def times(self):
        """Seconds of one run, for each measurement."""
        return [t / self.number_per_run for t in self.raw_times]

    median = property(lambda self: statistics.median(self.times))
    mean = property(lambda self: statistics.fmean(self.times))

    @property
    def iqr(self):
        """How far the middle half of the times is apart."""
        low, high = self._quartiles()
        return high - low

    def _quartiles(self):
        times = sorted(self.times)
        return (times[0], times[-1]) if len(times) < 4 else statistics.quantiles(times, n=4)[::2]

    def _title(self):
        title = self.label or self.stmt
        return title + (f": {self.sub_label}" if self.sub_label else "")

    def __repr__(self):
        unit, length = unit_of(self.median)
        lines = [f"<torch.utils.benchmark.utils.common.Measurement object at {id(self):#x}>", self._title()]
        if self.description:
            lines.append(self.description)
        if self.setup != "pass":
            lines.append(f"setup: {self.setup.strip()}" if "\n" not in self.setup.strip() else "setup:\n" + "\n".join(
                "  " + line for line in self.setup.strip().split("\n")))
        if len(self.times) == 1:
            lines.append(f"  {self.median / length:.2f} {unit}")
        else:
            low, high = self._quartiles()
            lines += [f"  Median: {self.median / length:.2f} {unit}",
                      f"  IQR:    {self.iqr / length:.2f} {unit} ({low / length:.2f} to {high / length:.2f})"]
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        runs = f"{self.number_per_run} runs {'per measurement' if len(self.times) > 1 else ''}"
        count = f"{len(self.times)} measurement{'s' if len(self.times) > 1 else ''}"
        return "\n".join([*lines, f"  {count}, {runs}, {threads}"])
