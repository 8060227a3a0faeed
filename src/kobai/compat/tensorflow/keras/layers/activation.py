"""Activations as layers."""
from __future__ import annotations

from .....op import m
from ...tensors import box
from ...values import value_of
from .. import activations, constraints, initializers, regularizers
from ..layer import Layer


class Activation(Layer):
    """An activation, by its name."""

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking, self.built = True, True
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


class _Fixed(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking, self.built = True, True

    def compute_output_shape(self, input_shape):
        return input_shape


class ReLU(_Fixed):
    """The larger of x and 0; with a slope below, a limit above, or another threshold."""

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Fixed):
    """x, or negative_slope * x below 0."""

    def __init__(self, negative_slope=0.3, alpha=None, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope if alpha is None else alpha

    def call(self, inputs):
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(_Fixed):
    """x, or alpha * (e ** x - 1) below 0."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return activations.elu(inputs, self.alpha)


class Softmax(_Fixed):
    """e ** x divided by its sum along a dimension; what a mask hides counts as nothing."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
        if mask is not None:
            t = value_of(inputs)
            inputs = box(t + (1.0 - m.cast(value_of(mask), t._value.dtype)) * -3.4e38 / 2)
        return activations.softmax(inputs, self.axis)


class PReLU(Layer):
    """x, or alpha * x below 0, with a weight alpha for each element."""

    def __init__(self, alpha_initializer="zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None,
                 **kwargs):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or [])

    def build(self, input_shape):
        shape = [1 if d in self.shared_axes else n for d, n in enumerate(input_shape)][1:]
        self.alpha = self.add_weight(shape, self.alpha_initializer, name="alpha", regularizer=self.alpha_regularizer,
                                     constraint=self.alpha_constraint)
        self.built = True

    def call(self, inputs):
        t = value_of(inputs)
        return box(m.relu(t) - self.alpha._read() * m.relu(-t))

    def compute_output_shape(self, input_shape):
        return input_shape
