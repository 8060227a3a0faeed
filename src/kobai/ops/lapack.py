"""LAPACK routines that NumPy does not reach, called through SciPy for each matrix of a batch."""
from __future__ import annotations

import numpy as np

from ..diagnose import error


def lapack(name, x):
    """The LAPACK routine `name` (without the letter of the dtype) for arrays like `x`."""
    try:
        from scipy.linalg import get_lapack_funcs  # noqa: PLC0415  (optional, and slow to import)
    except ImportError:
        raise error("machine", ModuleNotFoundError(f"{name}: this factorisation needs SciPy"), fn=name,
                    why="{fn} needs SciPy, which is not installed.", fix="install it: pip install scipy.") from None
    return get_lapack_funcs((name,), (x,))[0]


def each(fn, *arrays):
    """fn(matrix, ...) for each of a batch, its results stacked; the last two dimensions are the matrices."""
    lead = arrays[0].shape[:-2]
    flat = [a.reshape((-1, *a.shape[len(lead):])) for a in arrays]
    results = [fn(*row) for row in zip(*flat)]
    return tuple([np.stack(column).reshape((*lead, *column[0].shape)) for column in zip(*results)])
