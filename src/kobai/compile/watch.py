"""Watching a recorded call from outside: which of the user's code ran, and what it did that a graph cannot hold.

While a call is recorded, Python reports each function that is entered.  Of those that are not kobai's own we keep
the code, for `guards`; a built-in function among them that is not known to be harmless (`print`, `time`,
`random`, `next` of an iterator, NumPy's functions) stops the recording: it would happen once instead of on each call.
"""
from __future__ import annotations

import builtins
import gc
import importlib
import itertools
import math
import operator
import os
import re
import sys
import sysconfig

from kobai.autograd.mode import modes
from kobai.autograd.node import inside, line_of

_PYTHON = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))

_IMPORT = importlib._bootstrap._find_and_load.__code__
_ENVIRON = type(os.environ).__getitem__.__code__
_HARMLESS_BUILTINS = """abs all any ascii bin callable chr delattr dir divmod format getattr hasattr hash hex id
isinstance issubclass iter len max min oct ord pow repr round setattr sorted sum vars locals globals
__build_class__""".split()
_HARMLESS_METHODS = (list, dict, tuple, set, frozenset, str, bytes, bytearray, int, float, complex, bool, type, object,
                     slice, range, re.Pattern, re.Match)
_HARMLESS_MODULES = ("math", "cmath", "_operator", "itertools", "_functools", "kobai")
# Functions of kobai's that say how it is set, or what random numbers come next.
_SETTINGS = frozenset("""get_num_threads get_num_interop_threads are_deterministic_algorithms_enabled
get_deterministic_debug_mode is_deterministic_algorithms_warn_only_enabled get_float32_matmul_precision get_rng_state
get_state initial_seed seed is_warn_always_enabled get_worker_info get_default_device""".split())
# With these, code gets at any variable, whether a name of it is to be seen or not.
ANY_VARIABLE = frozenset(("globals", "__globals__", "f_globals", "import_module", "__import__"))
_FILES_THAT_MAY = ("contextlib.py", "functools.py", "enum.py", "typing.py", "abc.py", "dataclasses.py", "reprlib.py", "types.py")


class Watcher:
    """`codes`: code objects of the user's functions that ran; `reason`: what cannot be recorded, and where."""

    def __init__(self):
        self.codes: set = set()
        self.reason = None
        self.where = self.place = None
        self._import = None

    def __enter__(self):
        self._collects = gc.isenabled()
        gc.disable()  # what it calls, at any time, is none of the program's doing
        self._before = sys.getprofile()
        sys.setprofile(self._event)
        return self

    def __exit__(self, *exc):
        if self._collects:
            gc.enable()
        if self._before is None or callable(self._before):
            sys.setprofile(self._before)
        else:  # cProfile's, which is not written in Python
            sys.setprofile(None)
            self._before.enable()

    def _event(self, frame, event, arg):
        if self._import is not None:
            if frame is self._import and event == "return":
                self._import = None
            return
        code = frame.f_code
        if code is _IMPORT:  # of a module not loaded yet: its code runs once, however often the program does
            self._import = frame if event == "call" else None
            return
        if code.co_filename == "<string>" and (code.co_name.startswith("__")  # what dataclass and namedtuple make
                                               or frame.f_globals.get("__name__", "").startswith("namedtuple_")):
            if is_generated(code) and event == "call" and self._user(frame) is not None:
                self.codes.add(code)
            return
        if event == "call":
            if code is _ENVIRON and self.reason is None and self._user(frame) is not None:
                self._stop("os.environ may change", frame.f_back)
            if code.co_name in _SETTINGS and inside[code.co_filename] and self.reason is None \
                    and not inside[frame.f_back.f_code.co_filename]:
                self._stop(f"{code.co_name}() asks for a setting that may change", frame.f_back)
            if inside[code.co_filename] and not _computes[code.co_filename] and not inside[frame.f_back.f_code.co_filename]:
                _numbers_are_needed()
            if not inside[code.co_filename] and code not in self.codes and not _is_python[code.co_filename]:
                if self._user(frame) is not None:
                    self.codes.add(code)
                    if not ANY_VARIABLE.isdisjoint(code.co_names) or "modules" in code.co_names:  # of sys
                        _numbers_are_needed()
        elif event == "c_call" and self.reason is None and not inside[code.co_filename]:
            user = self._user(frame)
            if user is not None and not _harmless(arg, code):
                name = getattr(arg, "__qualname__", getattr(arg, "__name__", "a built-in function"))
                self._stop(f"{name}() has effects that a graph cannot hold", user)

    def _stop(self, reason, frame):
        self.reason, self.where = reason, (frame.f_code, frame.f_lasti)
        if modes.trace is not None:
            self.place = place_in(modes.trace.code)
        _numbers_are_needed()

    def _user(self, frame):
        """The frame of the user's on whose behalf this one runs; None if kobai called the library that it is in."""
        name = frame.f_code.co_filename
        while frame.f_back is not None and (_is_library[name] or name == "<string>"
                                            and _is_library[frame.f_back.f_code.co_filename]):  # made by the library
            frame = frame.f_back
            name = frame.f_code.co_filename
        return None if inside[name] or name == __file__ else frame


def _harmless(fn, code) -> bool:
    """Whether calling a built-in function, in that code, leaves no trace outside the program's own variables."""
    owner = getattr(fn, "__self__", None)
    return (fn in _KNOWN or owner in _HARMLESS_METHODS if isinstance(owner, type) else
            fn in _KNOWN or type(owner) in _HARMLESS_METHODS
            or getattr(fn, "__module__", None) in _HARMLESS_MODULES or code.co_filename.endswith(_FILES_THAT_MAY))


def place_in(code):
    """(line, column) of what a function is just doing, of those that are being called; None if it is not among them."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return None if frame is None else position(code, frame.f_lasti)


def position(code, instruction):
    """(line, column) of an instruction; None for a column that Python did not keep."""
    if hasattr(code, "co_positions"):  # since 3.11
        line, _, column, _ = next(itertools.islice(code.co_positions(), instruction // 2, None))
        if line is not None:
            return line, column
    return line_of((code, instruction))[1], None


def is_generated(code) -> bool:
    """Whether it is a method that dataclass writes, which looks at attributes whose names the user's code need not have."""
    return code.co_filename == "<string>" and code.co_name in _GENERATED


_GENERATED = frozenset(("__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__"))


def _numbers_are_needed():
    if modes.trace is not None:
        modes.trace.catch_up()


class _Computes(dict):
    """filename -> whether kobai's functions there look at no numbers without saying so to the recorder."""

    def __missing__(self, filename):
        parts = filename.replace(os.sep, "/").rpartition("/kobai/")[2]
        self[filename] = known = parts.startswith(_THAT_COMPUTE)
        return known


_THAT_COMPUTE = tuple("""ops/ nn/ optim/ autograd/ amp/ compile/ tensor.py op.py public.py general.py inplace.py lifted.py
rules.py takes.py linalg.py special.py fft.py random.py generator.py devices.py dtypes.py types.py return_types.py
pytree.py control.py settings.py later.py""".split())
_computes = _Computes()


class _IsLibrary(dict):
    """filename -> whether it is of an installed package or of Python itself."""

    def __missing__(self, filename):
        self[filename] = known = "site-packages" in filename or filename.startswith((*_PYTHON, "<frozen"))
        return known


class _IsPython(dict):
    """filename -> whether it is of Python's own library, whose variables nobody changes."""

    def __missing__(self, filename):
        own = filename.startswith((*_PYTHON, "<frozen")) and "site-packages" not in filename
        self[filename] = own
        return own


_is_library, _is_python = _IsLibrary(), _IsPython()


class _Known(set):
    def __contains__(self, fn):
        try:
            return super().__contains__(fn)
        except TypeError:  # cannot be hashed
            return False


_KNOWN = _Known(getattr(builtins, n) for n in _HARMLESS_BUILTINS if hasattr(builtins, n))
_KNOWN.update(f for f in vars(math).values() if callable(f))
_KNOWN.update(f for f in vars(operator).values() if callable(f))
