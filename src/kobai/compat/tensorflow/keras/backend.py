"""`tf.keras.backend`: settings, and a few functions that older programs call."""
from __future__ import annotations

import numpy as np

from .. import arithmetic, creation, dtypes, matrices, reductions, shaping
from ..values import cast as _cast
from . import naming, seeds
from .settings import (
    backend as backend,
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)
from .variable import Variable


def clear_session(free_memory=True):
    """Count names from the beginning again."""
    naming.reset()
    seeds.forget_global_generator()


def get_uid(prefix=""):
    """1, 2, 3, ... for each prefix."""
    return naming.uid(prefix)


def get_value(x):
    """The NumPy value."""
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x, value):
    """Set a variable."""
    x.assign(np.asarray(value))


def cast(x, dtype):
    """x in another dtype."""
    return _cast(x, dtypes.as_dtype(dtype))


def cast_to_floatx(x):
    """x in the dtype of layers."""
    return np.asarray(x, floatx()) if isinstance(x, (np.ndarray, list, float, int)) else _cast(x, floatx())


def int_shape(x):
    """The shape as a tuple."""
    return tuple(x.shape)


def variable(value, dtype=None, name=None, constraint=None):
    """A Keras variable."""
    return Variable(value, dtype=dtype, name=name)


def mean(x, axis=None, keepdims=False):
    """The mean."""
    return reductions.reduce_mean(x, axis, keepdims)


def sum(x, axis=None, keepdims=False):
    """The sum."""
    return reductions.reduce_sum(x, axis, keepdims)


def max(x, axis=None, keepdims=False):
    """The largest."""
    return reductions.reduce_max(x, axis, keepdims)


def min(x, axis=None, keepdims=False):
    """The smallest."""
    return reductions.reduce_min(x, axis, keepdims)


square, sqrt, exp, log, abs = (arithmetic.square, arithmetic.sqrt, arithmetic.exp, arithmetic.log, arithmetic.abs)
maximum, minimum, pow = arithmetic.maximum, arithmetic.minimum, arithmetic.pow
clip, dot, transpose, reshape = arithmetic.clip_by_value, matrices.matmul, shaping.transpose, shaping.reshape
concatenate, stack, expand_dims, squeeze = shaping.concat, shaping.stack, shaping.expand_dims, shaping.squeeze
zeros, ones, zeros_like, ones_like = creation.zeros, creation.ones, creation.zeros_like, creation.ones_like


def flatten(x):
    """All elements in one dimension."""
    return shaping.reshape(x, [-1])


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Numbers of a normal distribution."""
    return seeds.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers in [minval, maxval)."""
    return seeds.uniform(shape, minval, maxval, dtype, seed)
