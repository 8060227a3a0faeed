"""Noise while training: Dropout and its kin."""
from __future__ import annotations

from .....diagnose import error
from .....op import m
from ...tensors import box
from ...values import value_of
from .. import regularizers, seeds
from ..layer import Layer


class _Noise(Layer):
    """Does something only while training."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed, self.supports_masking, self.built = seed, True, True

    def _start(self, active):
        if active:
            self.seed_generator = seeds.SeedGenerator(self.seed)

    def compute_output_shape(self, input_shape):
        return input_shape


class Dropout(_Noise):
    """While training, elements set to 0 with probability `rate`, and the others divided by 1 - rate."""

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise error("argument-value",
                        ValueError("Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
                                   f"Received: rate={rate}"),
                        what="rate", value=rate, must="a number between {low} and {high}", low=0, high=1)
        super().__init__(seed, **kwargs)
        self.rate, self.noise_shape = rate, noise_shape
        self._start(rate > 0)

    def call(self, inputs, training=False):
        if training and self.rate > 0:
            return seeds.dropout(inputs, self.rate, self._shape(inputs), self.seed_generator)
        return inputs

    def _shape(self, inputs):
        return self.noise_shape


class SpatialDropout1D(Dropout):
    """Whole channels of sequences dropped."""

    def __init__(self, rate, seed=None, name=None, **kwargs):
        super().__init__(rate, seed=seed, name=name, **kwargs)

    def _shape(self, inputs):
        return (None, *(1,) * (inputs.ndim - 2), None)


class SpatialDropout2D(SpatialDropout1D):
    """Whole channels of images dropped."""


class GaussianNoise(_Noise):
    """While training, normal numbers of deviation `stddev` added."""

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = stddev
        self._start(stddev > 0)

    def call(self, inputs, training=False):
        if training and self.stddev > 0:
            return inputs + seeds.normal(inputs.shape, 0.0, self.stddev, inputs.dtype, self.seed_generator)
        return inputs


class GaussianDropout(_Noise):
    """While training, multiplied by normal numbers of mean 1 and the variance of a dropout."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = rate
        self._start(rate > 0)

    def call(self, inputs, training=False):
        if training and self.rate > 0:
            deviation = (self.rate / (1.0 - self.rate)) ** 0.5
            return inputs * seeds.normal(inputs.shape, 1.0, deviation, inputs.dtype, self.seed_generator)
        return inputs


class ActivityRegularization(Layer):
    """The input as it is; large values add to the loss."""

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2, self.supports_masking, self.built = l1, l2, True, True

    def call(self, inputs):
        return box(m.identity(value_of(inputs)))

    def compute_output_shape(self, input_shape):
        return input_shape
