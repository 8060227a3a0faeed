"""NumPy's matrix products on one thread.

OpenBLAS's threads wait for each other, for milliseconds if another process has a core: a small network's step takes
ten times as long then. How many there are is asked for and set again around each product, so that the
program's own products stay as they are.
"""
from __future__ import annotations

from functools import cache

import numpy as np


def alone(a, b):
    """np.matmul(a, b), computed by the calling thread."""
    threads = openblas()
    if threads is None:
        return np.matmul(a, b)
    count, choose = threads
    before = count()
    choose(1)
    try:
        return np.matmul(a, b)
    finally:
        choose(before)


@cache
def openblas():
    """(count, choose): how many threads OpenBLAS uses, and how it is told; None if NumPy has come without it."""
    try:
        import ctypes  # noqa: PLC0415  (not before the first large product)
        from pathlib import Path  # noqa: PLC0415
    except ImportError:
        return None
    folder = Path(np.__file__).parent
    for path in (*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for suffix in ("64_", ""):
            count = getattr(library, "scipy_openblas_get_num_threads" + suffix, None)
            choose = getattr(library, "scipy_openblas_set_num_threads" + suffix, None)
            if count and choose:
                return count, choose
    return None
