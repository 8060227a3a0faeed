"""Arrays as the page shows them: a few numbers in full, many as a heat map with statistics."""

from __future__ import annotations

import base64
import math

import numpy as np

FEW = 64  # elements that are written out
CORNER = 6  # rows and columns of the first numbers of what is larger
CELLS = 24  # rows and columns of a heat map
BROKEN = 255  # the level of what is not finite


def number(value) -> float | int | str:
    """A number for JSON, with the digits that a float32 has; what JSON does not have is a text.

    >>> number(np.float32(0.1)), number(np.nan), number(True), number(1 + 2j)
    (0.1, 'nan', 1, '1+2j')
    """
    if isinstance(value, np.ndarray):
        value = value.item()
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (complex, np.complexfloating)):
        return f"{value.real:.6g}{value.imag:+.6g}j"
    value = float(value)
    if math.isfinite(value):
        return float(f"{value:.8g}")
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def summary(array, cells: int = CELLS) -> dict | None:
    """A Value (see `model`) of an array or NumPy scalar; None for what has no numbers.

    Args:
        cells: rows and columns of the heat map; 0 for none.

    >>> summary(np.array([1, 2]))
    {'shape': [2], 'dtype': 'int64', 'data': [1, 2]}
    """
    dtype = getattr(array, "dtype", None)
    if dtype is None or not hasattr(array, "shape") or not isinstance(array, (np.ndarray, np.generic)):
        return None
    out = {"shape": [int(n) for n in array.shape], "dtype": str(dtype)}
    array = plain(np.asarray(array))
    if array.size <= FEW:
        return out | {"data": [number(v) for v in array.ravel().tolist()]}
    real = np.abs(array) if array.dtype.kind == "c" else array
    with np.errstate(all="ignore"):
        return out | _statistics(array, real, cells)


def _statistics(array: np.ndarray, real: np.ndarray, cells: int) -> dict:
    """What is told of many numbers; ``real`` are their sizes if they are complex."""
    finite = np.isfinite(real)
    whole = bool(finite.all())
    good = real if whole else real[finite]
    low, high = (good.min(), good.max()) if good.size else (None, None)
    out = {
        "min": low if low is None else number(low),
        "max": high if high is None else number(high),
        "mean": number(good.mean(dtype=np.float64)) if good.size else None,
        "std": number(good.std(dtype=np.float64)) if good.size else None,
        "nan": 0 if whole else int(np.isnan(real).sum()),
        "inf": 0 if whole else int(np.isinf(real).sum()),
        "corner": corner(matrix(array)),
    }
    if cells and low is not None:
        out["map"] = heat_map(matrix(real), float(low), float(high), cells)
    return out


def plain(array: np.ndarray) -> np.ndarray:
    """Half precision and other types that NumPy only carries, as float32."""
    if array.dtype.kind in "biufc" and array.dtype != np.float16:
        return array
    try:
        return array.astype(np.float32)
    except (TypeError, ValueError):
        return np.zeros(0, np.float32)


def matrix(array: np.ndarray) -> np.ndarray:
    """The same numbers in rows and columns: the last dimension runs across."""
    if array.ndim == 0:
        return array.reshape(1, 1)
    return array.reshape(-1, array.shape[-1])


def corner(array: np.ndarray) -> dict:
    """The first numbers of a matrix."""
    part = array[:CORNER, :CORNER]
    return {"rows": part.shape[0], "columns": part.shape[1], "data": [number(v) for v in part.ravel().tolist()]}


def heat_map(array: np.ndarray, low: float, high: float, cells: int) -> dict:
    """Means of blocks of a matrix as levels between the least and the greatest element."""
    means = array.astype(np.float32, copy=False)
    for axis in (0, 1):
        n = means.shape[axis]
        if n > cells:
            starts = np.arange(cells) * n // cells
            widths = np.diff([*starts, n]).astype(np.float32)
            sums = np.add.reduceat(means, starts, axis=axis)
            means = sums / (widths[:, None] if axis == 0 else widths)
    finite = np.isfinite(means)
    span = (high - low) or 1.0
    levels = np.where(finite, np.clip((np.where(finite, means, low) - low) / span * 254, 0, 254), BROKEN)
    data = base64.b64encode(np.rint(levels).astype(np.uint8).tobytes()).decode()
    return {"rows": int(means.shape[0]), "columns": int(means.shape[1]), "levels": data}
