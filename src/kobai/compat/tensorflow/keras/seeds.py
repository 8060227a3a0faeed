"""`keras.random`: random numbers from seeds; with equal seeds those of Keras on TensorFlow."""
from __future__ import annotations

import random as _python_random

import numpy as np

from ....diagnose import error
from .. import arithmetic, creation, dtypes, random_ops
from ..indexing import gather, where
from ..sorting import argsort
from ..values import cast, constant
from . import naming
from .settings import floatx
from .symbolic import trial
from .variable import Variable

_INT_MAX = 2 ** 31 - 1


def make_default_seed():
    """A seed from Python's `random`."""
    return _python_random.randint(1, int(1e9))


class SeedGenerator:
    """A source of seeds: two numbers, the second of which counts the draws."""

    def __init__(self, seed=None, name=None, **kwargs):
        kwargs.pop("backend", None)
        self.name = name or naming.auto_name("SeedGenerator")
        self._initial_seed = seed
        seed = make_default_seed() if seed is None else seed
        if not isinstance(seed, int):
            raise error("argument-type", ValueError(f"Argument `seed` must be an integer. Received: seed={seed}"),
                        what="seed", kind=type(seed), must="a whole number")
        with naming.scope(self.name, self):
            self.state = Variable(np.array([seed, 0], np.int64), dtype="int64", trainable=False,
                                  name="seed_generator_state")

    def next(self, ordered=True):
        """The next seed, as a tensor of two numbers."""
        now = self.state.numpy()
        if not trial.on:
            self.state.assign(now + np.array([0, 1]) if ordered else (now + 1) * 5387 % 933199)
        return constant(now)

    def get_config(self):
        """The parameters by name."""
        return {"seed": self._initial_seed, "name": self.name}


_global: list = []


def _global_generator():
    if not _global:
        _global.append(SeedGenerator())
    return _global[0]


def forget_global_generator():
    """Make another global generator when one is needed."""
    _global.clear()


def draw_seed(seed):
    """A pair of int32 for a stateless operation, from a SeedGenerator, a number, or None (the global generator)."""
    if isinstance(seed, SeedGenerator):
        pair = seed.next().numpy()
    elif isinstance(seed, int):
        pair = np.array([seed, 0], np.int64)
    elif seed is None:
        pair = _global_generator().next(ordered=False).numpy()
    else:
        raise error("argument-type",
                    ValueError("Argument `seed` must be either an integer or an instance of `SeedGenerator`. Received: "
                               f"seed={seed} (of type {type(seed)})"),
                    what="seed", kind=type(seed), must="a whole number or a SeedGenerator")
    return constant((pair % (_INT_MAX - 1)).astype(np.int32))


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Numbers of a normal distribution."""
    return random_ops.stateless_normal(shape, draw_seed(seed), mean, stddev, dtype or floatx())


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers in [minval, maxval)."""
    d = dtypes.as_dtype(dtype or floatx())
    return random_ops.stateless_uniform(shape, draw_seed(seed), constant(d.np.type(minval)),
                                        constant(d.np.type(maxval)), d)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Numbers of a normal distribution cut at two standard deviations."""
    return random_ops.stateless_truncated_normal(shape, draw_seed(seed), mean, stddev, dtype or floatx())


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers in [minval, maxval)."""
    inner = dtype if dtype in ("int32", "int64") else "int64"
    return cast(random_ops.stateless_uniform(shape, draw_seed(seed), minval, maxval, inner), dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    """Classes drawn by their logits."""
    return cast(random_ops.stateless_categorical(logits, num_samples, draw_seed(seed)), dtype)


def dropout(inputs, rate, noise_shape=None, seed=None):
    """Elements set to 0 with probability `rate`; the others divided by 1 - rate."""
    if rate >= 1:
        return creation.zeros_like(inputs)
    if rate <= 0:
        return inputs
    shape = [n if k is None else k for k, n in zip(noise_shape or [None] * inputs.ndim, inputs.shape)]
    noise = random_ops.stateless_uniform(shape, draw_seed(seed), dtype=inputs.dtype)
    return where(arithmetic.greater_equal(noise, rate), arithmetic.multiply(inputs, 1.0 / (1.0 - rate)),
                 creation.zeros_like(inputs))


def shuffle(x, axis=0, seed=None):
    """The slices along a dimension in random order."""
    order = argsort(random_ops.stateless_uniform([x.shape[axis]], draw_seed(seed)))
    return gather(x, order, axis=axis)
