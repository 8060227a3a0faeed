"""Kernels on NumPy: the executable definition of the scalar IR, and the backend that is always there.

One line a vocabulary entry; what is not said here is not defined.  Every other backend is tested
against `run`.
"""

from __future__ import annotations

import math

import numpy as np

from kobai.compile.kernel import REDUCTIONS, Kernel, identity, kind_of, numpy_type


def fma(a, b, c):
    """a * b + c with one rounding; in double with an error far below one more.

    In single precision the product is exact in double; the sum is rounded to odd (its last bit set if
    it is inexact), which makes the rounding to single precision the only one (Boldo and Melquiond,
    *Emulation of FMA and correctly rounded sums*, 2008).
    """
    if a.dtype != np.float32:
        return _fma_double(a, b, c)
    total, error = _two_sum(a.astype(np.float64) * b, c.astype(np.float64))
    bits = np.asarray(total).view(np.int64)
    away = np.where((error > 0) == (total > 0), 1, -1)
    inexact = (error != 0) & np.isfinite(total) & (bits & 1 == 0)
    return np.where(inexact, bits + away, bits).view(np.float64).astype(np.float32)


def _fma_double(a, b, c):
    """The product as a sum of two numbers (Dekker 1971), then both added to c, small ones first."""
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total, rest = _two_sum(product, c)
    return np.where(np.isfinite(rest + error), total + (rest + error), total)


def _upper_half(x):
    """The leading 26 bits of doubles; their products are exact."""
    return (x.view(np.int64) & -(1 << 27)).view(np.float64)


def _two_sum(a, b):
    """a + b and its rounding error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _divide(a, b):
    if kind_of_array(a) == "f":
        return a / b
    down = a // b
    towards_zero = down + ((a < 0) != (b < 0)) * (down * b != a)
    return np.where(b == 0, 0, towards_zero).astype(a.dtype)


def _fmod(a, b):
    if kind_of_array(a) == "f":
        return np.fmod(a, b)
    return (a - _divide(a, b) * b) * (b != 0)


def kind_of_array(a) -> str:
    """``f`` for arrays of a floating type, bfloat16 included, else NumPy's kind."""
    return "f" if a.dtype.kind in "fV" else a.dtype.kind


def _erf(a):
    from scipy.special import erf  # noqa: PLC0415 (NumPy has none)

    return erf(a)


def _scale(a, b):
    return np.ldexp(a, np.clip(b, -5000, 5000).astype(np.int32))


def _cast(a, dtype):
    target = numpy_type(dtype)
    if kind_of(dtype) == "b":
        return a != 0
    if kind_of(dtype) == "h":
        return a.astype(np.float32).astype(target)  # as PyTorch does: to half precision by way of float
    if kind_of(dtype) in "iu" and kind_of_array(a) == "f" and target.itemsize < 4:
        return a.astype(np.int32).astype(target)  # as C does: small integers by way of int
    return a.astype(target)


available = True
FUNCTIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": _divide,
    "fmod": _fmod,
    "fma": fma,
    "neg": np.negative,
    "abs": np.abs,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "floor": np.floor,
    "round": np.rint,
    "sqrt": np.sqrt,
    "scale": _scale,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "atan": np.arctan,
    "erf": _erf,
    "pow": np.power,
    "eq": np.equal,
    "lt": np.less,
    "le": np.less_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "shl": np.left_shift,
    "shr": np.right_shift,
    "where": np.where,
    "sum": np.sum,
    "prod": np.prod,
    "amax": np.max,
    "amin": np.min,
}


def run(kernel: Kernel, *arrays, inner: int | None = None) -> tuple[np.ndarray, ...]:
    """What a kernel gives for these operands.

    The operands broadcast to the iteration space, whose last ``inner`` axes are the elements of a row
    (all axes if not given).  An output that is one value a row has size 1 along these axes.

    >>> from kobai.compile.builder import build
    >>> softmax = build(lambda k, x: k.exp(x) / k.sum(k.exp(x)), ["f64"])
    >>> run(softmax, np.zeros((1, 2)), inner=1)
    (array([[0.5, 0.5]]),)
    """
    arrays = [np.asarray(a) for a in arrays]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    arrays = [a.reshape((1,) * (len(shape) - a.ndim) + a.shape) for a in arrays]
    space = _Space(shape, len(shape) if inner is None else inner)
    values: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        for node in kernel.nodes:
            values.append(_evaluate(node, [values[a] for a in node.args], arrays, space))
    return tuple(space.whole(values[i], kernel, i) for i in kernel.outputs)


class _Space:
    """An iteration space: its shape and which axes are within a row."""

    def __init__(self, shape, inner: int):
        self.shape = shape
        self.rows, self.row = shape[: len(shape) - inner], shape[len(shape) - inner :]
        self.axes = tuple(range(len(self.rows), len(shape)))

    def index(self, which):
        if which == "row":
            return np.arange(math.prod(self.rows)).reshape(self.rows + (1,) * len(self.row))
        return np.arange(math.prod(self.row)).reshape((1,) * len(self.rows) + self.row)

    def size(self, which):
        return np.full((1,) * len(self.shape), math.prod(self.rows if which == "row" else self.row))

    def whole(self, value, kernel: Kernel, i: int):
        """The value broadcast to all elements, or to all rows if it is one value a row."""
        return np.broadcast_to(value, self.rows + (1,) * len(self.row) if kernel.per_row[i] else self.shape)


def _evaluate(node, args, arrays, space: _Space):
    """The array of one node's values."""
    dtype = numpy_type(node.dtype)
    if node.op == "load":
        return arrays[node.attr[0]].astype(dtype, copy=False)
    if node.op == "const":
        return np.full((1,) * len(space.shape), node.attr[0], dtype)
    if node.op == "index":
        return space.index(node.attr)
    if node.op == "size":
        return space.size(node.attr)
    if node.op == "cast":
        return _cast(args[0], node.dtype)
    if node.op == "table":
        return np.array(node.attr, dtype)[args[0] % len(node.attr)]
    if node.op == "bitcast":
        return np.asarray(args[0]).view(dtype)
    if node.op in REDUCTIONS:
        whole = np.broadcast_to(
            args[0], np.broadcast_shapes(args[0].shape, (1,) * len(space.rows) + space.row)
        )
        if node.op in ("sum", "prod"):
            extra = {"dtype": np.float64 if node.dtype == "f32" else dtype}
        else:
            extra = {"initial": identity(node.op, node.dtype)}
        return FUNCTIONS[node.op](whole, axis=space.axes, keepdims=True, **extra).astype(dtype, copy=False)
    return FUNCTIONS[node.op](*args).astype(dtype, copy=False)
