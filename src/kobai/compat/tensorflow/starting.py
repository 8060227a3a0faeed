"""`tf.random_normal_initializer` and its kin: functions from a shape to the first value of a variable."""
from __future__ import annotations

from . import creation, dtypes, random_ops
from .names import export
from .shapes import sizes_of
from .values import constant


class _Initializer:
    """Called with a shape (and a dtype), it gives a tensor."""

    def get_config(self):
        """The parameters by name."""
        return {k.lstrip("_"): v for k, v in vars(self).items()}


@export("zeros_initializer")
class Zeros(_Initializer):
    """Zeros."""

    def __call__(self, shape, dtype=dtypes.float32, **kwargs):
        return creation.zeros(shape, dtype)


@export("ones_initializer")
class Ones(_Initializer):
    """Ones."""

    def __call__(self, shape, dtype=dtypes.float32, **kwargs):
        return creation.ones(shape, dtype)


@export("constant_initializer")
class Constant(_Initializer):
    """One number, or given values."""

    def __init__(self, value=0, support_partition=False):
        self.value = value

    def __call__(self, shape, dtype=None, **kwargs):
        return constant(self.value, dtype, sizes_of(shape))


@export("random_normal_initializer")
class RandomNormal(_Initializer):
    """Numbers of a normal distribution."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape, dtype=dtypes.float32, **kwargs):
        return random_ops.normal(shape, self.mean, self.stddev, dtype, self.seed)


@export("random_uniform_initializer")
class RandomUniform(_Initializer):
    """Numbers in [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape, dtype=dtypes.float32, **kwargs):
        return random_ops.uniform(shape, self.minval, self.maxval, dtype, self.seed)
