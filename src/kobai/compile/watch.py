"""Watching a recorded call from outside: which of the user's code ran, and what it did that a graph cannot hold.

While a call is recorded, Python reports each function that is entered.  Of those that are not kobai's own we keep
the code, for `guards`; a built-in function among them that is not known to be harmless (`print`, `time`,
`random`, `next` of an iterator, NumPy's functions) stops the recording: it would happen once instead of on each call.
"""
from __future__ import annotations

import builtins
import math
import operator
import sys

import numpy as np

from kobai.autograd.node import inside

_NUMPY = np.__file__.removesuffix("__init__.py")

_HARMLESS_BUILTINS = """abs all any ascii bin callable chr delattr dir divmod format getattr hasattr hash hex id isinstance issubclass
iter len max min oct ord pow repr round setattr sorted sum vars locals globals __build_class__ build_class""".split()
_HARMLESS_METHODS = (list, dict, tuple, set, frozenset, str, bytes, int, float, complex, bool, type, object, slice, range)
_FILES_THAT_MAY = ("contextlib.py", "functools.py", "enum.py", "typing.py", "abc.py", "<frozen", "dataclasses.py",
                   "collections/__init__.py", "types.py", "_collections_abc.py", "warnings.py", "inspect.py", "re.py")


class Watcher:
    """`codes`: code objects of the user's functions that ran; `reason`: what cannot be recorded, and where."""

    def __init__(self):
        self.codes: set = set()
        self.reason = None
        self.where = None

    def __enter__(self):
        self._before = sys.getprofile()
        sys.setprofile(self._event)
        return self

    def __exit__(self, *exc):
        sys.setprofile(self._before)

    def _event(self, frame, event, arg):
        if event == "call":
            code = frame.f_code
            if not inside[code.co_filename] and code.co_filename != __file__:
                self.codes.add(code)
        elif event == "c_call" and self.reason is None:
            while frame.f_code.co_filename.startswith(_NUMPY) and frame.f_back is not None:
                frame = frame.f_back  # what counts is who called NumPy
            code = frame.f_code
            if not inside[code.co_filename] and code.co_filename != __file__ and not _harmless(arg, code):
                name = getattr(arg, "__qualname__", getattr(arg, "__name__", "a built-in function"))
                self.reason, self.where = f"{name}() has effects that a graph cannot hold", (code, frame.f_lasti)


def _harmless(fn, code) -> bool:
    if fn in _KNOWN:
        return True
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type):
        return owner in _HARMLESS_METHODS
    if type(owner) in _HARMLESS_METHODS and not (type(owner) is type):
        return True
    if getattr(fn, "__module__", None) in ("math", "cmath", "_operator", "itertools", "_functools", "kobai"):
        return True
    return code.co_filename.endswith(_FILES_THAT_MAY) or code.co_filename.startswith(_FILES_THAT_MAY)


class _Known(set):
    def __contains__(self, fn):
        try:
            return super().__contains__(fn)
        except TypeError:  # cannot be hashed
            return False


_KNOWN = _Known(getattr(builtins, n) for n in _HARMLESS_BUILTINS if hasattr(builtins, n))
_KNOWN.update(f for f in vars(math).values() if callable(f))
_KNOWN.update(f for f in vars(operator).values() if callable(f))
