"""What a program sees of tracing: a function that TensorFlow would have traced already prints nothing again.

kobai runs a `tf.function` as Python at every call. Where TensorFlow would replay a graph, `print` is kept
silent, so that a program prints what it prints there; `tf.print` writes at every call.
"""
from __future__ import annotations

import contextlib
import sys
import threading

import numpy as np

from . import nest
from .tensors import EagerTensor, box
from .values import is_tensor_like


class _State(threading.local):
    depth = 0  # functions that are running


state = _State()
eagerly = [False]  # what tf.config.run_functions_eagerly said


class _Silent:
    """Standard output that drops what one thread writes, until it is opened again."""

    def __init__(self, original):
        self.original, self._thread = original, threading.get_ident()

    def write(self, text):
        if threading.get_ident() != self._thread:
            return self.original.write(text)
        return len(text)

    def open(self):
        """Drop nothing any more: somebody may have kept this stream."""
        self._thread = None

    def __getattr__(self, name):
        return getattr(self.original, name)


@contextlib.contextmanager
def running(silent):
    """A block that is the body of a function; `silent` if TensorFlow has traced it before."""
    state.depth += 1
    mine = None
    if silent and not isinstance(sys.stdout, _Silent):
        mine = sys.stdout = _Silent(sys.stdout)
    try:
        yield
    finally:
        state.depth -= 1
        if mine is not None:
            mine.open()
            if sys.stdout is mine:
                sys.stdout = mine.original


def stream_of(out):
    """Where `tf.print` writes: it is never silent."""
    return out.original if isinstance(out, _Silent) else out


def kinds_of(args, kwargs):
    """What TensorFlow traces a function for once: shapes and dtypes of tensors, values of other arguments."""
    return tuple([_kind(v) for v in nest.flatten([list(args), kwargs])]), tuple(kwargs)


def _kind(v):
    if is_tensor_like(v) and not hasattr(v, "assign"):
        return tuple(v.shape), getattr(v.dtype, "name", v.dtype)
    if isinstance(v, np.ndarray):
        return v.shape, v.dtype.name
    return (type(v), v) if isinstance(v, (bool, int, float, str, bytes, type(None))) else id(v)


@contextlib.contextmanager
def placeholders(args, kwargs, names, signature=None):
    """The arguments of a function that is being traced: in the block its tensors print as TensorFlow's placeholders.

    They have the shapes of the `signature`, if there is one.
    """
    made, specs = [], nest.flatten(signature) if signature is not None else []

    def placeholder(v, name):
        if type(v) is not EagerTensor:
            return v
        new = box(v._t)
        for slot in ("_keras_mask", "_keras_logits"):
            if hasattr(v, slot):
                setattr(new, slot, getattr(v, slot))
        new._traced_as = f"{name}:0", specs[len(made)].shape if len(made) < len(specs) else v.shape
        made.append(new)
        return new

    def all_of(value, name):
        return nest.map_structure(lambda v: placeholder(v, name), value)
    try:
        yield [all_of(a, n) for a, n in zip(args, names)], {k: all_of(v, k) for k, v in kwargs.items()}
    finally:
        for new in made:
            del new._traced_as
