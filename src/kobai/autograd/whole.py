"""Transforms of functions that a program makes again and again run as one program.

The outermost transform of a call (`jacrev(f)(x)`, `vmap(grad(loss))(params, xs, ys)`, `jvp`, a Hessian) is looked at
once its line has made it `PATIENCE` times.  A function is known again by its code and by what its cells and defaults
hold, as programs make such functions anew on each step; tensors there are arguments of the program.  What the code
depends on beside is guarded as in `kobai.compile` (compile/transform.py), and what that does not record, such as code
that prints, is never looked at again.  Where parameters that require grad are among what it uses, its results have the graph
that they would have, node for node (compile/history.py).

As with backward passes (repeated.py) the counts do not depend on timing, each thread has its own, `manual_seed` starts
them anew, and `use_deterministic_algorithms(True)` turns it off.
"""
from __future__ import annotations

import dis
import sys
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from ..tensor import Tensor
from .mode import Sites, modes
from .node import inside

PATIENCE = 30        # calls before a line's functions are looked at
MOST_FUNCTIONS = 6   # of one line, at a time
IDLE = 300           # calls of a line after which a function that was not among them makes room for others
_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None), type(...)))


class Site:
    """A line of the program that calls transforms, and the functions it was seen to transform."""

    __slots__ = ("left", "calls", "known", "code")

    def __init__(self, code):
        self.left, self.calls, self.known = PATIENCE, 0, {}
        self.code = code  # so that no other gets its id

    def transform(self, parts):
        """What is recorded of the function that `parts` describe; None, from now on, if there are too many."""
        self.calls += 1
        key = tuple(parts.key)
        found = self.known.get(key)
        if found is not None and found.off and len(self.known) == 1:
            self.known = None  # the line's only function
            return None
        if found is None:
            if len(self.known) >= MOST_FUNCTIONS:
                oldest = min(self.known, key=lambda k: self.known[k].last)
                if self.known[oldest].last > self.calls - IDLE:
                    self.known = None
                    return None
                del self.known[oldest]
            from kobai.compile.transform import Transform  # noqa: PLC0415  (the compiler, where it is needed)
            found = self.known[key] = Transform(parts.kept)
        found.last = self.calls
        return found


_Sites = partial(Sites, Site)
_sites = _Sites()


def whole(fn, args, kwargs, cut=False):
    """fn(*args, **kwargs), a transform, which may be the outermost one; `cut`: its results have no history."""
    if modes.whole or modes.trace is not None or modes.dual:
        return fn(*args, **kwargs)
    modes.whole = True
    try:
        site = _looked_at()
        if site is not None and _is_ordinary():
            parts = Parts(fn)
            known = site.transform(parts)
            if known is not None and not known.off:
                return known.call(fn, args, kwargs, parts, cut)
        return fn(*args, **kwargs)
    except BaseException:
        modes.dual = ()  # as it was: an interrupt may have come while a level was entered
        raise
    finally:
        modes.whole = False


def _looked_at():
    """The Site of a call, if its functions are looked at by now."""
    frame = sys._getframe(2)
    while inside[frame.f_code.co_filename]:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    site = _sites.looked_at(frame.f_code, frame.f_lasti)
    return None if site is None or site.known is None else site


def exactly(v):
    """What a number, text or None is compared by: zeros with other signs are equal, and computed with otherwise.

    >>> exactly(0.0) == exactly(-0.0), exactly(2.0) == exactly(2.0)
    (False, True)
    """
    return repr(v) if not v or v.__class__ is complex else v


def _is_ordinary():
    """Whether nobody watches what is computed (hooks, anomaly mode, a debugger), and it is computed as usual."""
    return not (modes.anomaly or modes.autocast or modes.pack is not None or modes.look is not None or modes.forward is not None
                or sys.gettrace() is not None)


class Parts:
    """A function as what it is made of, to know it again.

    Attributes: `key`, its code and what its cells and defaults hold, in numbers and addresses; `tensors` among that;
    `known`, the ids of what was looked into; `kept`, what has to live for as long as the key is used.
    """

    __slots__ = ("key", "tensors", "known", "kept", "_seen")

    def __init__(self, fn):
        self.key: list = []
        self.tensors: list = []
        self.known: set = set()
        self.kept: list = []
        self._seen: dict = {}
        self._add(fn)

    def _add(self, v):
        kind = v.__class__
        if kind in _PLAIN:
            self.key += (kind, exactly(v))
        elif kind is FunctionType:
            self._function(v)
        elif kind is Tensor:
            number = self._seen.get(id(v))
            if number is None:
                number = self._seen[id(v)] = len(self.tensors)
                self.tensors.append(v)
            self.key += (Tensor, number)
        elif kind is MethodType:
            self._add(v.__func__)
            self._object(v.__self__)
        elif kind is partial and not v.__dict__:
            self.known.add(id(v))
            self.key += (partial, len(v.args), *v.keywords)
            for i in (v.func, *v.args, *v.keywords.values()):
                self._add(i)
        elif kind is tuple and all(i.__class__ in _PLAIN for i in v):
            self.key += (tuple, v if all(v) else repr(v))
        else:
            self._object(v)

    def _tree(self, v):
        """A tuple, list or dict that nobody but kobai looks into."""
        if v.__class__ is tuple or v.__class__ is list:
            self.key += (v.__class__, len(v))
            for i in v:
                self._tree(i)
        elif v.__class__ is dict:
            self.key += (dict, len(v))
            for k in v:
                self._add(k)
                self._tree(v[k])
        else:
            self._add(v)

    def _object(self, v):
        """Something that is known by where it is."""
        self.key += (object, id(v))
        self.kept.append(v)

    def _function(self, f):
        code = f.__code__
        if id(f) in self._seen:
            self.key += (FunctionType, self._seen[id(f)])
            return
        if _written[id(code)] is None:
            _written.look(code)
        if _written[id(code)] or f.__dict__ and (len(f.__dict__) > 1 or "__wrapped__" not in f.__dict__):
            return self._object(f)  # what it changes is seen only if it is the same one each time
        self._seen[id(f)] = -1 - len(self._seen)
        self.known.add(id(f))
        self.kept.append(code)
        cells, defaults, named = f.__closure__ or (), f.__defaults__ or (), f.__kwdefaults__ or {}
        self.key += (id(code), id(f.__globals__), len(defaults), *named)
        for cell in cells:
            self.known.add(id(cell))
            try:
                v = cell.cell_contents
            except ValueError:
                self.key.append(None)
                continue
            if (v.__class__ is tuple or v.__class__ is dict) and inside[code.co_filename]:
                self._tree(v)  # such as in_dims
            else:
                self._add(v)
        for v in defaults:
            self._add(v)
        for v in named.values():
            self._add(v)


class _Written(dict):
    """{id of code: (whether it assigns to variables of functions around it)}."""

    def __init__(self):
        self.codes: list = []  # so that no other gets their ids

    def __missing__(self, key):
        return None

    def look(self, code):
        """Find out about a code object."""
        if len(self) > 10_000:
            self.clear()
            self.codes.clear()
        self.codes.append(code)
        self[id(code)] = not _assigned(code).isdisjoint(code.co_freevars)


def _assigned(code) -> set[Any]:
    """Names that the code, or that of a function in it, assigns to where other functions see it."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname in ("STORE_DEREF", "DELETE_DEREF")}
    for c in code.co_consts:
        if isinstance(c, CodeType):
            found |= _assigned(c)
    return found


_written = _Written()
