"""Ops in terms of simpler ones: an op's `lower` is run on `Symbol`s, values that write down what is done with them."""
from __future__ import annotations

from math import prod

import numpy as np

from kobai.compile.graph import Value
from kobai.general import _HALF
from kobai.lifted import Lifted, m

_F32 = np.dtype(np.float32)


class Symbol(Lifted):
    """A value of a graph being made; `apply(op, args)` makes nodes."""

    __slots__ = ("value", "apply")
    level = 1 << 31

    def __init__(self, value: Value, apply):
        self.value, self.apply = value, apply

    @property
    def shape(self):
        return self.value.shape

    @property
    def dtype(self):
        return self.value.dtype

    def process(self, op, values):
        ys = tuple([Symbol(v, self.apply) for v in self.apply(op, arguments(op, values))])
        return ys if op.outputs != 1 else ys[0]


def arguments(op, values) -> list:
    """Values for a node: arrays become constants, numbers take the dtype that is computed in."""
    plain = [v.value if isinstance(v, Symbol) else v for v in values]
    kinds = [v.dtype for v in plain if isinstance(v, (Value, np.ndarray))]
    common = [v.dtype for v, name in zip(plain, op.inputs) if name in op.common and isinstance(v, (Value, np.ndarray))]
    dtype = (common or kinds)[0]

    def argument(v):
        if isinstance(v, np.ndarray):
            return Value(v.shape, v.dtype, constant=v)
        if v is None or isinstance(v, (Value, np.generic)):
            return v
        return dtype.type(v)
    return [argument(v) for v in plain]


def lowered(op, args, apply) -> tuple[Value, ...] | None:
    """The outputs of `op.lower` as nodes made by `apply`; None if it does not do for these arguments."""
    symbols = [Symbol(a, apply) if isinstance(a, Value) else a for a in args]
    half = _half_among(symbols)
    if half is not None:
        symbols = [m.cast(a, _F32) if isinstance(a, Symbol) and a.dtype == half else a for a in symbols]
    ys = op.lower(*symbols)
    if ys is None:
        return None
    ys = ys if isinstance(ys, tuple) else (ys,)
    return tuple([(m.cast(y, half) if half is not None and y.dtype == _F32 else y).value for y in ys])


def _half_among(symbols):
    """float16 or bfloat16: the op computes in float32 and rounds its results, as eagerly."""
    return next((a.dtype for a in symbols if isinstance(a, Symbol) and a.dtype in _HALF), None)


# ---- shapes ----------------------------------------------------------------------------------
_types: dict = {}


def shapes_of(op, args) -> list[tuple]:
    """(shape, dtype) of each output of an op, without computing it where that would take long."""
    if op.elementwise:
        shapes = np.broadcast_shapes(*[a.shape for a in args if isinstance(a, Value)])
        return [(shapes, dtype) for dtype in _result_types(op, args)]
    if hasattr(op, "shapes"):
        return op.shapes(*args)
    if hasattr(op, "keepdim") and len(args) == 1 and prod(args[0].shape) > 64:
        return [(_reduced_shape(op, args[0].shape), d) for d in _result_types(op, args)]
    ys = op.forward(*[_dummy(a) for a in args])
    return [(np.shape(y), y.dtype) for y in (ys if op.outputs != 1 else (ys,))]


def _result_types(op, args):
    key = (op, *[a.dtype if isinstance(a, (Value, np.generic)) else None for a in args])
    found = _types.get(key)
    if found is None:
        small = [np.ones((1,) * max(len(a.shape), 1), a.dtype) if isinstance(a, Value) else a for a in args]
        with np.errstate(all="ignore"):
            ys = op.forward(*small)
        found = _types[key] = tuple([y.dtype for y in (ys if op.outputs != 1 else (ys,))])
    return found


def _reduced_shape(op, shape):
    dims = range(len(shape)) if op.dim is None else (op.dim,) if isinstance(op.dim, int) else op.dim
    dims = {d % len(shape) for d in dims}
    return tuple([1 if d in dims else s for d, s in enumerate(shape) if op.keepdim or d not in dims])


def _dummy(a):
    return np.zeros(a.shape, a.dtype) if isinstance(a, Value) else a
