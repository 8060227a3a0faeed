"""`TorchFunctionMode`: while one is entered, it is asked about every public function that the program calls.

The functions are exchanged for ones that ask, as long as a mode is open: without one they cost what they always do.
"""
from __future__ import annotations

import sys
from sys import _getframe
from threading import Lock
from types import FunctionType

from . import later
from .autograd.mode import modes
from .autograd.node import inside
from .public import names
from .subclasses import _NOT_FUNCTIONS, _function, _is_public
from .tensor import Tensor

_SPACES = {"torch": ("kobai", "kobai.compat.torch"), "nn.functional": ("kobai.nn.functional",), "linalg": ("kobai.linalg",),
           "fft": ("kobai.fft",), "special": ("kobai.special",)}
_changed: list = []  # what to put back: (object, name, what was there)
_open = [0]
_lock = Lock()


class TorchFunctionMode:
    """Context manager whose `__torch_function__` is called in the place of public functions.

    >>> class Twice(TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         return func(*args, **kwargs or {}) * 2
    >>> with Twice():
    ...     y = kobai.exp(kobai.zeros(1))
    >>> y
    tensor([2.])
    """

    def __init__(self):
        pass

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        with _lock:
            _open[0] += 1
            if _open[0] == 1:
                _exchange()
        modes.function_modes = (*modes.function_modes, self)
        return self

    def __exit__(self, *exc):
        modes.function_modes = modes.function_modes[:-1]
        with _lock:
            _open[0] -= 1
            if not _open[0]:
                _put_back()


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **kwargs or {})


def _exchange():
    later.load_all()
    for space, homes in _SPACES.items():
        for name, fn in list(names.get(space, {}).items()):
            if isinstance(fn, FunctionType):
                asking = _asking(fn, space == "nn.functional")
                for home in homes:
                    if home in sys.modules:
                        _set(sys.modules[home].__dict__, name, asking)
    for name, fn in list(vars(Tensor).items()):
        if isinstance(fn, FunctionType) and _is_public(name) and name not in _NOT_FUNCTIONS:
            asking = _asking(fn)
            _changed.append((Tensor, name, fn))
            setattr(Tensor, name, asking)
            asking.__name__ = _function(name).__name__ if _function(name) is not asking else name


def _set(home, name, fn):
    _changed.append((home, name, home.get(name)))
    home[name] = fn


def _put_back():
    while _changed:
        home, name, before = _changed.pop()
        if home is Tensor:
            setattr(Tensor, name, before)
        elif before is None:
            home.pop(name, None)
        else:
            home[name] = before


def _asking(fn, by_modules=False):
    """`fn`, or what the innermost mode makes of it; calls from inside kobai are part of another function."""
    def call(*args, **kwargs):
        open_modes = modes.function_modes
        if not open_modes:
            return fn(*args, **kwargs)
        caller = _getframe(1)
        if inside[caller.f_code.co_filename] and not (by_modules and caller.f_globals["__name__"].startswith("kobai.nn.")):
            return fn(*args, **kwargs)
        modes.function_modes = open_modes[:-1]
        try:
            return open_modes[-1].__torch_function__(call, (), args, kwargs)
        finally:
            modes.function_modes = open_modes
    call.__name__, call.__qualname__, call.__doc__, call.__wrapped__ = fn.__name__, fn.__qualname__, fn.__doc__, fn
    call.__module__ = fn.__module__
    return call
