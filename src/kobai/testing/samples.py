"""Sample inputs of an op, declared in its class: what the generated tests feed it."""
from __future__ import annotations

import numpy as np


class Sample:
    """Parameters of the op, and how to make its inputs.

    Each of `inputs` is a shape (random floats between `low` and `high`), an Ints, an array, a
    Python number, or None.
    """

    __slots__ = ("inputs", "params", "low", "high", "smooth")

    def __init__(self, inputs, params=(), low=-1.0, high=1.0, smooth=True):
        self.inputs, self.params, self.low, self.high = inputs, params, low, high
        self.smooth = smooth  # differentiable near the sample: finite differences make sense

    def __repr__(self):
        return f"Sample({', '.join(f'{n}={getattr(self, n)!r}' for n in self.__slots__)})"

    def arrays(self, rng, dtype=np.float64):
        """The inputs as NumPy arrays (numbers and None as they are)."""
        return [self._one(spec, rng, np.dtype(dtype)) for spec in self.inputs]

    def _one(self, spec, rng, dtype):
        if isinstance(spec, Ints):
            return rng.integers(spec.low, spec.high, spec.shape)
        if not isinstance(spec, tuple):
            return spec
        x = rng.uniform(self.low, self.high, spec)
        if dtype.kind == "c":
            x = x + 1j * rng.uniform(self.low, self.high, spec)
        return np.asarray(x).astype(dtype)


class Ints:
    """Random integers of a shape, low <= i < high: for indices."""

    __slots__ = ("shape", "high", "low")

    def __init__(self, shape, high, low=0):
        self.shape, self.high, self.low = shape, high, low

    def __repr__(self):
        return f"Ints({self.shape}, {self.high}, {self.low})"


def S(*inputs, params=(), low=-1.0, high=1.0, smooth=True):
    """One sample: S((2, 3), (3,), params=(1,), low=0.1)."""
    return Sample(inputs, params if isinstance(params, tuple) else (params,), low, high, smooth)


def unary(low=-1.0, high=1.0, params=()):
    """Samples of an elementwise op of one input: several shapes, sizes 0 and 1 included."""
    return [S(s, params=params, low=low, high=high) for s in ((), (3,), (2, 3), (1, 1), (0, 3))]


def binary(low=-1.0, high=1.0, params=()):
    """Samples of an elementwise op of two inputs, with broadcasting."""
    pairs = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0, 3), (3,)), ((), (2,)), ((1,), (2, 1)))
    return [S(a, b, params=params, low=low, high=high) for a, b in pairs]


def predicate(n):
    """Samples of a comparison or test of `n` inputs: nothing to differentiate."""
    shapes = ((3, 4), (4,)) if n == 2 else ((3, 4),)
    return [S(*shapes, smooth=False)]
