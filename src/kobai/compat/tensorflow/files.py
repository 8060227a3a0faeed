"""`tf.io`: files and bytes."""
from __future__ import annotations

import os

import numpy as np

from ...diagnose import error
from ...tensor import wrap
from . import dtypes
from .errors import NotFoundError, invalid
from .names import export
from .tensors import box
from .values import array_of, value_of


def _path(filename):
    text = np.asarray(value_of(filename)._value, object)[()] if not isinstance(filename, (str, os.PathLike)) else filename
    return text.decode() if isinstance(text, bytes) else os.fspath(text)


@export("io.read_file")
def read_file(filename, name=None):
    """The contents of a file as one text."""
    path = _path(filename)
    try:
        with open(path, "rb") as file:
            return box(wrap(array_of(file.read())))
    except OSError as e:
        raise error("file", NotFoundError(None, None, invalid("ReadFile", f"{path}; {e.strerror}", None).message),
                    path=path, reason=str(e.strerror), why="{reason}",
                    fix="look at the path; it counts from {folder}.", folder=os.getcwd()) from None


@export("io.write_file")
def write_file(filename, contents, name=None):
    """Write a text into a file; folders are made."""
    path = _path(filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(np.asarray(value_of(contents)._value, object)[()])


@export("io.decode_raw")
def decode_raw(input_bytes, out_type, little_endian=True, fixed_length=None, name=None):
    """The bytes of texts of one length as numbers."""
    texts = np.asarray(value_of(input_bytes)._value, object)
    d = dtypes.as_dtype(out_type).np
    d = d if little_endian else d.newbyteorder(">")
    if len({len(t) for t in texts.reshape(-1)}) > 1:
        raise error("operation-inputs",
                    invalid("DecodeRaw", "DecodeRaw requires input strings to all be the same size", None),
                    why="the texts have different lengths.",
                    fix="decode texts of one length together, and the others one by one.")
    rows = [np.frombuffer(t, d) for t in texts.reshape(-1)]
    return box(wrap(np.array(rows, d.newbyteorder("=")).reshape(*texts.shape, -1)))
