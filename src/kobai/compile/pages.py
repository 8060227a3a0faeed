"""Memory that a recording needs no more, given back to the system.

A recorder keeps every array of a call alive, so that no two of them are the same object or lie at the same place; the
numbers of most are needed by nobody.  `Pages.release` takes the memory of those that only the recorder holds: their
addresses stay theirs, the system has their pages.
"""
from __future__ import annotations

import ctypes
import sys
import weakref
from collections import Counter

import numpy as np

from kobai.later import loaded

SWEEP = 1 << 26     # bytes of new arrays between two looks
SMALLEST = 1 << 16  # bytes of an array that is worth a call
_PAGE = 4096
_DONTNEED = 4       # MADV_DONTNEED of Linux
_ndarray = np.ndarray


class Pages:
    """Which arrays of a recording only the recording holds."""

    def __init__(self):
        self.bytes = self._next = 0
        self._held: Counter = Counter()  # {id: references from the log}
        self._read = 0                   # entries of the log that are counted
        self._gone: set[int] = set()

    def add(self, array) -> bool:
        """Count a new array; whether it is time to look which are needed no more."""
        self.bytes += array.nbytes
        return self.bytes - self._next > SWEEP and _system is not None

    def release(self, alive, log, externals, needed=frozenset()) -> None:
        """Give back the memory of arrays in the list `alive` that nobody holds but this list, the log, and views there.

        Those with the ids `needed` keep theirs.
        """
        self._next = self.bytes
        self._held.update(references_of(log[self._read:]))
        self._read = len(log)
        views: Counter = Counter()
        owners = {}
        for i in range(len(alive) - 1, -1, -1):  # views before what they look into
            a = alive[i]
            if a.__class__ is not _ndarray or id(a) in externals or id(a) in self._gone:
                continue
            if sys.getrefcount(a) != OWN + 1 + self._held[id(a)] + views[id(a)]:
                continue
            if a.base.__class__ is _ndarray:
                views[id(a.base)] += 1
                owners[id(a.base)] = i
            elif a.base is None and id(a) not in needed:
                self._discard(a)
        known = {id(a) for a in alive}
        for key in [k for k in owners if k not in known]:  # arrays that were never a result themselves
            a = alive[owners[key]].base
            if a.base is None and key not in needed and sys.getrefcount(a) == OWN + views[key]:
                self._discard(a)

    def _discard(self, a):
        if a.nbytes < SMALLEST or not a.flags.owndata:
            return
        self._gone.add(id(a))
        start = a.ctypes.data
        first, end = -(-start // _PAGE) * _PAGE, (start + a.nbytes) // _PAGE * _PAGE
        if end > first:
            _system.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), _DONTNEED)


def trim() -> None:
    """Give back what is kept of memory that was freed, by us and by the C library, and what LLVM's code takes."""
    native = loaded("kobai.backends.llvm")
    if native is not None and native._bridge is not None:
        native._bridge.blocks.drop()
    if _system is not None:
        _system.malloc_trim(ctypes.c_size_t(0))
        if "llvmlite.binding" in sys.modules:
            _forget("libllvmlite")


def trim_without(arrays) -> None:
    """Trim once more when these arrays have gone: the plan's first run replaces the gradients of the recorded call."""
    owners = {id(a): a for a in map(memory_of, arrays)}
    if owners and _system is not None:
        _waiting.add(_Waiting(owners.values()))


class _Waiting:
    """Until some arrays have gone; then it trims."""

    def __init__(self, arrays):
        self.left = len(arrays)
        self.refs = [weakref.ref(a, self._gone) for a in arrays]

    def _gone(self, ref):
        self.left -= 1
        if not self.left:
            _waiting.discard(self)
            _system.malloc_trim(ctypes.c_size_t(0))


_waiting: set[_Waiting] = set()  # nobody else holds them


def memory_of(a):
    while a.base.__class__ is _ndarray:
        a = a.base
    return a


def _forget(library: str) -> None:
    """Give back the memory of a library's code: it is read from its file again where it is needed."""
    try:
        with open("/proc/self/maps") as f:
            lines = [line.split() for line in f if library in line]
    except OSError:
        return
    for place, rights, *_ in lines:
        if rights == "r-xp":  # nobody has written there
            first, end = (int(part, 16) for part in place.split("-"))
            _system.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), _DONTNEED)


def references_of(log) -> Counter:
    """{id(array): how often the entries of a log hold it}."""
    return Counter([id(a) for entry in log for a in _arrays(entry)])


def last_uses(log) -> dict[int, int]:
    """{id of an array that owns memory: the last entry of a log that needs it}."""
    return {id(memory_of(a)): i for i, entry in enumerate(log) for a in _arrays(entry)}


def _arrays(entry):
    """The arrays that an entry of the log holds, each as often as it does."""
    for field in entry:
        for a in field if field.__class__ is tuple else (field,):
            if a.__class__ is _ndarray:
                yield a


def _references() -> int:
    """What getrefcount says of an array that only a variable holds: Python versions count differently."""
    a = np.empty(0)
    return sys.getrefcount(a)


def _c_library():
    try:
        found = ctypes.CDLL(None) if sys.platform == "linux" else None
        return found if hasattr(found, "madvise") and hasattr(found, "malloc_trim") else None
    except OSError:
        return None


OWN = _references()
_system = _c_library()
