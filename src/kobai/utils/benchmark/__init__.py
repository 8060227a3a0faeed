"""torch.utils.benchmark: how long a statement takes, and tables of such measurements.

    >>> from kobai.utils.benchmark import Compare, Measurement, Timer
    >>> timer = Timer("x * 2", globals={"x": 3}, label="doubling", sub_label="int", description="mul")
    >>> timer.timeit(10).number_per_run
    10
"""
from __future__ import annotations

from timeit import default_timer as timer

from .compare import Compare as Compare
from .measurement import Measurement as Measurement
from .timer import Timer as Timer

__all__ = ["Compare", "Measurement", "Timer", "timer"]
