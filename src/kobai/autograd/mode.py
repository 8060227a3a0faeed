"""What the current thread records: grad mode, inference mode, saved-tensor hooks, forward levels."""
from __future__ import annotations

import functools
import inspect
import itertools
import threading
from array import array


class _Modes(threading.local):
    """One instance per thread; the class attributes are the defaults of a new thread."""

    grad = True          # record operations on tensors that require grad
    inference = False    # as grad=False, and tensors made here never enter a graph
    pack = None          # (pack, unpack) of the innermost saved_tensors_hooks
    no_hooks = None      # the message of disable_saved_tensors_hooks
    partial = False      # a backward pass goes only to some inputs
    passing = None       # (roots, wanted) of the backward pass that calls a tensor hook
    anomaly = False      # look for NaN, forward and backward
    anomaly_on = False   # what is_anomaly_enabled says
    look = None          # who is told of each node recorded and each node passed backward: diagnose/watch.py
    dual = ()            # levels of the open transforms (vmap, forward mode), innermost last
    whole = False        # inside the outermost transform of a call: autograd/whole.py
    random = None        # how the innermost vmap draws random numbers, see autograd/batched.py
    forward = None       # the level of forward_ad.dual_level
    autocast = False     # compute in a lower dtype what can be: amp/policy.py
    overrides = True     # ask classes that have a __torch_function__: subclasses.py
    function_modes = ()  # the open TorchFunctionModes: function_modes.py
    device = None        # the device of new tensors, where it is not the CPU
    outer_devices = ()   # what it was outside each open `with torch.device(...)`
    trace = None         # the recorder of the compiler that writes down what is computed


modes = _Modes()


class _Runs:
    """What makes runs of a program alike, for code that computes otherwise once it has been used often."""

    seeded = 0       # how often `manual_seed` was called: counts start anew then
    seeds = array("q", [0])  # the same number for machine code
    devices = False  # whether another device than the CPU was ever chosen: `modes.device` is slower to read
    fixed = False    # use_deterministic_algorithms(True): always compute in the same way


runs = _Runs()


class Sites(threading.local):
    """The lines of this thread's program, {(id of code, instruction): Site}, since the generator was seeded.

    A Site, made by `kind(code)`, keeps its code, so that no other gets its id, and counts in `left` how often the line
    has to come before it is looked at.
    """

    def __init__(self, kind):
        self.kind, self.of, self.since = kind, {}, runs.seeded

    def looked_at(self, code, at):
        """The Site of a line, if it is looked at by now."""
        if self.since != runs.seeded:
            self.of, self.since = {}, runs.seeded
        key = id(code), at  # to hash the code itself takes as long as a small op
        site = self.of.get(key)
        if site is None:
            if len(self.of) > 10_000:
                self.of.clear()
            site = self.of[key] = self.kind(code)
        if site.left > 0:
            site.left -= 1
            return None
        return None if runs.fixed else site


def _itself(t):
    return t


PASS = _itself, _itself  # saved-tensor hooks that do nothing: anomaly mode's, so that ops go the long way


next_level = itertools.count(1).__next__  # never used again: values that outlive their transform meet no other


class transform_level:
    """The level of the transform that is entered: higher than those around it."""

    def __enter__(self):
        modes.dual = (*modes.dual, next_level())
        return modes.dual[-1]

    def __exit__(self, *exc):
        modes.dual = modes.dual[:-1]


class _Context:
    """A context manager that is also a decorator, for functions and generators."""

    def __call__(self, fn):
        if inspect.isgeneratorfunction(fn):
            return self._wrap_generator(fn)

        @functools.wraps(fn)
        def inside(*args, **kwargs):
            with self._fresh():
                return fn(*args, **kwargs)
        return inside

    def _wrap_generator(self, fn):
        """The mode holds while the generator's body runs, not between its values."""
        @functools.wraps(fn)
        def inside(*args, **kwargs):
            gen = fn(*args, **kwargs)
            step, value = gen.send, None
            while True:
                try:
                    with self._fresh():
                        item = step(value)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, value = gen.send, (yield item)
                except GeneratorExit:
                    with self._fresh():
                        gen.close()
                    raise
                except BaseException as e:
                    step, value = gen.throw, e
        return inside

    def _fresh(self):
        return type(self)()


class _GradMode(_Context):
    value: bool
    _before: tuple = ()

    def __new__(cls, fn=None):
        """`@no_grad` without parentheses decorates at once."""
        self = super().__new__(cls)
        return self if fn is None else self(fn)

    def __enter__(self):
        self._before = modes.grad, self._before  # one object may be entered again inside its own block
        modes.grad = self.value

    def __exit__(self, *exc):
        modes.grad, self._before = self._before


class no_grad(_GradMode):
    """Operations inside are not recorded; use as `with no_grad():` or `@no_grad()`.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> with kobai.no_grad():
    ...     (w * 3).requires_grad
    False
    """

    value = False


class enable_grad(_GradMode):
    """Operations inside are recorded, also within `no_grad`."""

    value = True


class set_grad_enabled(_Context):
    """Turn recording on or off: at once as a function, until the end of the block in `with`."""

    def __init__(self, mode):
        self.mode, self._before = bool(mode), modes.grad
        modes.grad = self.mode

    def __call__(self, fn):
        modes.grad = self._before  # as a decorator it must not act on the surrounding code
        return super().__call__(fn)

    def _fresh(self):
        return set_grad_enabled(self.mode)

    def __repr__(self):
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    def __enter__(self):
        modes.grad = self.mode

    def __exit__(self, *exc):
        modes.grad = self._before


class inference_mode(_Context):
    """As `no_grad`, for code that will never need gradients.

    Differs from PyTorch: tensors made inside are ordinary ones, which may be used in training later.
    """

    _before: tuple = ()

    def __new__(cls, mode=True):
        self = super().__new__(cls)
        if callable(mode):
            self.mode = True
            return self(mode)
        return self

    def __init__(self, mode=True):
        self.mode = True if callable(mode) else bool(mode)

    def _fresh(self):
        return inference_mode(self.mode)

    def __enter__(self):
        self._before = modes.grad, modes.inference, self._before
        modes.grad = not self.mode
        modes.inference = self.mode

    def __exit__(self, *exc):
        modes.grad, modes.inference, self._before = self._before


class set_multithreading_enabled(_Context):
    """Accepted: a backward pass runs in the thread that calls it."""

    def __init__(self, mode):
        self.mode = mode

    def _fresh(self):
        return type(self)(self.mode)

    def __enter__(self):
        return None

    def __exit__(self, *exc):
        return None


def is_grad_enabled():
    """Whether operations are recorded now, in this thread."""
    return modes.grad


def is_inference_mode_enabled():
    """Whether `inference_mode` is on in this thread."""
    return modes.inference
