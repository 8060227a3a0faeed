"""`tf.print`, and numbers as TensorFlow writes them in texts."""
from __future__ import annotations

import logging
import pprint
import sys

import numpy as np

from ...diagnose import error
from .names import export
from .tensors import number_or_array
from .tracing import stream_of
from .values import is_tensor_like, value_of


@export("print")
def print_(*inputs, **kwargs):
    """Write values to standard error, or where `output_stream` says (a stream, or "file://path").

    Args: `summarize`, how many elements are shown at each end of a dimension (-1: all); `sep`; `end`.
    """
    out = stream_of(kwargs.pop("output_stream", sys.stderr))
    summarize, sep, end = kwargs.pop("summarize", 3), kwargs.pop("sep", " "), kwargs.pop("end", "\n")
    kwargs.pop("name", None)
    if kwargs:
        raise error("name-unknown", ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}"),
                    where="tf.print", what="argument", name=next(iter(kwargs)),
                    names=["output_stream", "summarize", "sep", "end", "name"])
    text = sep.join([v if isinstance(v, str) else text_of(v, summarize) for v in inputs])
    if isinstance(out, str) and out.startswith("file://"):
        with open(out[len("file://"):], "a", encoding="utf-8") as file:
            file.write(text + end)
    elif callable(out):
        out(text)
    elif isinstance(out, logging.Logger):
        out.info(text)
    else:
        out.write(text + end)
        out.flush()


class _Shown:
    """A tensor inside a structure that is being printed."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def text_of(value, summarize=3):
    """A value as tf.print shows it."""
    if is_tensor_like(value):
        return array_text(number_or_array(value_of(value)), summarize)
    return pprint.pformat(_with_tensors_shown(value, summarize))


def _with_tensors_shown(value, summarize):
    if is_tensor_like(value):
        return _Shown(text_of(value, summarize))
    if isinstance(value, dict):
        return {k: _with_tensors_shown(v, summarize) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)([_with_tensors_shown(v, summarize) for v in value])
    return value


def array_text(a, summarize=3):
    """[1 2 ... 8 9]: few digits, and of long dimensions only the ends.

    >>> array_text(np.arange(8.0)), array_text(np.float32(0.1))
    ('[0 1 2 ... 5 6 7]', '0.1')
    """
    if not getattr(a, "shape", ()):
        return number_text(a)
    return _rows_text(a, summarize, 0)


def _rows_text(a, n, depth):
    cut = n >= 0 and len(a) > 2 * n
    rows = [*a[:n], None, *a[len(a) - n:]] if cut else list(a)
    if a.ndim == 1:
        return "[" + " ".join(["..." if r is None else number_text(r) for r in rows]) + "]"
    gap = "\n" * (a.ndim - 1) + " " * (depth + 1)
    return "[" + gap.join(["..." if r is None else _rows_text(r, n, depth + 1) for r in rows]) + "]"


def number_text(v):
    """One element: the shortest of 6 or 9 digits (15 or 17 of float64) that is the same number."""
    if isinstance(v, (bytes, str)):
        return '"' + (v.decode(errors="replace") if isinstance(v, bytes) else v) + '"'
    kind = v.dtype.kind
    if kind == "b":
        return str(int(v))
    if kind in "iu":
        return str(v)
    if kind == "c":
        return "?"  # so it is in TensorFlow
    few, many = (15, 17) if v.dtype == np.float64 else (6, 9)
    short = f"{float(v):.{few}g}"
    kept = np.float64(short) == v if few == 15 else np.float32(short) == np.float32(v)
    return short if kept or v != v else f"{float(v):.{many}g}"
