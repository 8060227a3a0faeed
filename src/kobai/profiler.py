"""torch.profiler: where a program spends its time, op by op, under PyTorch's names.

    with torch.profiler.profile() as prof, torch.profiler.record_function("model"):
        model(x)
    print(prof.key_averages().table(sort_by="cpu_time_total", row_limit=10))

While a profile runs, each op's `forward` and each backward pass is timed; what a compiled function does counts as a whole.
"""
from __future__ import annotations

import enum
import functools
import json
import os
import re
import socket
import threading
import time
from types import FunctionType

from .autograd import engine
from .op import leave_to_python, registry

__all__ = ["ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function", "schedule",
           "supported_activities", "tensorboard_trace_handler"]


class ProfilerActivity(enum.Enum):
    """What can be asked for; only the CPU is there to be timed."""

    CPU = 0
    XPU = 1
    CUDA = 2
    MTIA = 3


class ProfilerAction(enum.Enum):
    """What a schedule says of a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities():
    """What can be timed here: the CPU."""
    return {ProfilerActivity.CPU}


def kineto_available():
    """Whether PyTorch's own tracer is there: no."""
    return False


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A function from step numbers to actions: skip, then cycles of waiting, warming up, and recording.

    With `skip_first_wait` the first cycle begins without waiting.

    >>> from kobai.profiler import schedule
    >>> [schedule(wait=1, warmup=1, active=2)(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    length = wait + warmup + active

    def action(step):
        step -= skip_first
        if step >= 0 and skip_first_wait:
            step += wait
        if step < 0 or repeat and step >= repeat * length:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == length - 1 else ProfilerAction.RECORD
    return action


# ---- events ----------------------------------------------------------------------------------
class FunctionEvent:
    """One call: when it began, how long it took, and how much of that was not in calls it made."""

    def __init__(self, name, start):
        self.name = self.key = name
        self.start, self.end, self.inner = start, start, 0.0
        self.thread, self.count = threading.get_ident(), 1

    cpu_time_total = property(lambda self: (self.end - self.start) * 1e6)
    self_cpu_time_total = property(lambda self: (self.end - self.start - self.inner) * 1e6)


class FunctionEventAvg:
    """All calls of one name together; times in microseconds."""

    device_time_total = self_device_time_total = cuda_time_total = self_cuda_time_total = cuda_time = 0
    cpu_memory_usage = self_cpu_memory_usage = device_memory_usage = self_device_memory_usage = flops = 0
    input_shapes: list = []

    def __init__(self, key):
        self.key, self.count, self.cpu_time_total, self.self_cpu_time_total = key, 0, 0.0, 0.0

    cpu_time = property(lambda self: self.cpu_time_total / max(self.count, 1))

    def add(self, event):
        """Count one more call."""
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        return self

    def __repr__(self):
        return (f"<FunctionEventAvg key={self.key} self_cpu_time={_shown(self.self_cpu_time_total)} "
                f"cpu_time={_shown(self.cpu_time)}>")


class EventList(list):
    """Events, or their averages, with PyTorch's table."""

    @property
    def self_cpu_time_total(self):
        return sum(e.self_cpu_time_total for e in self)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0):
        """The calls of each name together."""
        found = {}
        for e in self:
            found.setdefault(e.key, FunctionEventAvg(e.key)).add(e)
        return EventList(found.values())

    def total_average(self):
        """All calls together."""
        total = FunctionEventAvg("Total")
        for e in self:
            total.add(e)
        return total

    def table(self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55,
              max_shapes_column_width=80, header=None, top_level_events_only=False):
        """The events as text, by `sort_by`, the largest first."""
        rows = [_row(e, self.self_cpu_time_total, max_name_column_width) for e in self._sorted(sort_by)]
        rows = rows[:row_limit] if row_limit >= 0 else rows
        widths = [max(map(len, column)) + 2 for column in zip(_COLUMNS, *rows)]
        line = "  ".join("-" * w for w in widths)
        text = ["  ".join(v.rjust(w) for v, w in zip(row, widths)) for row in [_COLUMNS, *rows]]
        return "\n".join([*([header] if header else []), line, text[0], line, *text[1:], line,
                          f"Self CPU time total: {_shown(self.self_cpu_time_total)}", ""])

    def _sorted(self, sort_by):
        if sort_by is None:
            return list(self)
        name = sort_by.replace("cuda_", "cpu_").replace("device_", "cpu_")
        return sorted(self, key=lambda e: getattr(e, name), reverse=True)

    def __str__(self):
        return self.table()

    def export_chrome_trace(self, path):
        """Write the events for chrome://tracing."""
        events = [{"ph": "X", "cat": "cpu_op", "name": e.name, "pid": os.getpid(), "tid": e.thread, "ts": e.start * 1e6,
                   "dur": e.cpu_time_total} for e in self]
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"schemaVersion": 1, "traceEvents": events}, f)


_COLUMNS = ("Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls")


def _row(e, whole, width):
    name = e.key if len(e.key) <= width else e.key[:width - 3] + "..."
    return (name, f"{100 * e.self_cpu_time_total / (whole or 1):.2f}%", _shown(e.self_cpu_time_total),
            f"{100 * e.cpu_time_total / (whole or 1):.2f}%", _shown(e.cpu_time_total),
            _shown(e.cpu_time_total / max(e.count, 1)), str(e.count))


def _shown(us):
    """A time in microseconds, in the unit that suits it."""
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= size:
            return f"{us / size:.3f}{unit}"
    return f"{us:.3f}us"


# ---- timing ----------------------------------------------------------------------------------
class _Clock:
    """Collects events while at least one profile runs: `forward` of every op is replaced by a timed one."""

    def __init__(self):
        self.events, self.running, self.replaced, self.open = [], 0, [], threading.local()
        self.lock = threading.RLock()  # several threads may start and stop profiles

    def begin(self, name):
        stack = self.open.__dict__.setdefault("stack", [])
        stack.append(FunctionEvent(name, time.perf_counter()))

    def end(self):
        stack = self.open.__dict__.get("stack")
        if not stack:
            return
        e = stack.pop()
        e.end = time.perf_counter()
        if stack:
            stack[-1].inner += e.end - e.start
        if self.running:
            self.events.append(e)

    def start(self):
        """Time everything from now on."""
        if not self.running:
            leave_to_python(True)
        self.running += 1
        if self.running > 1:
            return
        try:
            for cls in [*registry.here()]:
                forward = vars(cls).get("forward")
                if forward is not None:
                    self._replace(cls, "forward", self._timed(_aten(cls), forward))
            self._replace(engine, "propagate", self._timed("autograd::engine::evaluate_function", engine.propagate))
        except BaseException:  # an interrupt
            self.stop()
            raise

    def stop(self):
        """Give back what was replaced, when the last profile ends."""
        self.running -= 1
        if not self.running:
            leave_to_python(False)
            while self.replaced:
                owner, name, value = self.replaced.pop()
                setattr(owner, name, value)

    def _replace(self, owner, name, value):
        self.replaced.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    def _timed(self, name, fn):
        @functools.wraps(fn, updated=())
        def run(*args, **kwargs):
            self.begin(name)
            try:
                return fn(*args, **kwargs)
            finally:
                self.end()
        return run if isinstance(fn, FunctionType) else staticmethod(run)


_clock = _Clock()


def _aten(cls):
    """PyTorch's name of an op, from that of its backward node: AddmmBackward0 is aten::addmm."""
    name = re.sub(r"Backward\d*$", "", cls.grad_name or cls.__name__)
    return "aten::" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class record_function:
    """A part of the program with a name, timed as a whole: as a context or a decorator."""

    def __init__(self, name, args=None):
        self.name = name

    def __enter__(self):
        if _clock.running:
            _clock.begin(self.name)
            self.on = True
        return self

    def __exit__(self, *exc):
        if self.__dict__.pop("on", False):
            _clock.end()

    def __call__(self, fn):
        @functools.wraps(fn)
        def inside(*args, **kwargs):
            with record_function(self.name):
                return fn(*args, **kwargs)
        return inside


class profile:
    """Times what runs inside; with a `schedule`, the steps it says, each ended by `step()`.

    >>> import kobai
    >>> from kobai.profiler import profile, record_function
    >>> with profile() as prof, record_function("sum of squares"):
    ...     y = (kobai.ones(3) ** 2).sum()
    >>> sorted(e.key for e in prof.key_averages())
    ['aten::pow', 'aten::sum', 'sum of squares']
    """

    def __init__(self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False,
                 with_stack=False, with_flops=False, with_modules=False, **others):
        self.schedule, self.on_trace_ready = schedule or (lambda step: ProfilerAction.RECORD), on_trace_ready
        self.step_num, self.profiler, self._events, self._since = 0, self, EventList(), None
        self.current_action = self.schedule(0)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        """Begin with the first step."""
        self._turn(self.current_action)

    def stop(self):
        """End, and hand over what was recorded."""
        was_on = self._since is not None
        self._turn(ProfilerAction.NONE)
        if was_on and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self):
        """Say that a step of the training is over."""
        done, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num)
        if done is ProfilerAction.RECORD_AND_SAVE:
            self._turn(ProfilerAction.NONE)
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        self._turn(self.current_action)

    def _turn(self, action):
        on = action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        with _clock.lock:
            if on and self._since is None:
                self._since = len(_clock.events)
                _clock.start()
            elif not on and self._since is not None:
                _clock.stop()
                self._events, self._since = EventList(_clock.events[self._since:]), None
                if not _clock.running:
                    _clock.events.clear()

    def events(self):
        """All calls, in the order in which they ended."""
        return self._events if self._since is None else EventList(_clock.events[self._since:])

    function_events = property(events)
    self_cpu_time_total = property(lambda self: self.events().self_cpu_time_total)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, **others):
        """The calls of each name together."""
        return self.events().key_averages()

    def total_average(self):
        """All calls together."""
        return self.events().total_average()

    def table(self, *args, **kwargs):
        """The single calls as text."""
        return self.events().table(*args, **kwargs)

    def export_chrome_trace(self, path):
        """Write the events for chrome://tracing."""
        self.events().export_chrome_trace(path)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write the time spent under each name, a line each."""
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f"{e.key} {int(getattr(e, metric))}\n" for e in self.key_averages())

    def add_metadata(self, key, value):
        """Accepted; it is not written."""

    add_metadata_json = preset_metadata_json = add_metadata


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """An `on_trace_ready` that writes each trace into a folder."""
    def handle(prof):
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json"))
    return handle
