"""Layers that bring values to mean 0 and variance 1."""
from __future__ import annotations

import numpy as np

from .....op import m
from .....tensor import wrap
from ...tensors import box
from ...values import value_of
from .. import constraints, initializers, regularizers
from ..layer import Layer
from ..spec import InputSpec
from ..symbolic import trial


class BatchNormalization(Layer):
    """By the mean and variance of each feature over the batch; when not training, by running means of these."""

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None,
                 renorm=False, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = axis, float(momentum), epsilon
        self.center, self.scale, self.supports_masking = center, scale, True
        self.beta_initializer, self.gamma_initializer = [initializers.get(i) for i in (beta_initializer,
                                                                                       gamma_initializer)]
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer, self.gamma_regularizer = [regularizers.get(r) for r in (beta_regularizer,
                                                                                       gamma_regularizer)]
        self.beta_constraint, self.gamma_constraint = [constraints.get(c) for c in (beta_constraint, gamma_constraint)]

    def build(self, input_shape):
        shape = (input_shape[self.axis],)
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer,
                                     constraint=self.gamma_constraint) if self.scale else None
        self.beta = self.add_weight(shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer,
                                    constraint=self.beta_constraint) if self.center else None
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(shape, self.moving_variance_initializer, name="moving_variance",
                                               trainable=False)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: input_shape[self.axis]})
        self.built = True

    def call(self, inputs, training=None, mask=None):
        t = value_of(inputs)
        axis = self.axis % t.ndim
        axes = tuple([d for d in range(t.ndim) if d != axis])
        wide = tuple([n if d == axis else 1 for d, n in enumerate(t._value.shape)])
        if training and self.trainable:
            mean, variance = _moments(t, axes, mask)
            if not trial.on:
                self._remember(mean, variance)
        else:
            mean, variance = self.moving_mean._read(), self.moving_variance._read()
        factor = m.rsqrt(variance + self.epsilon)
        factor = factor * self.gamma._read() if self.scale else factor
        shift = -mean * factor + self.beta._read() if self.center else -mean * factor
        return box(t * m.reshape(factor, wide) + m.reshape(shift, wide))

    def _remember(self, mean, variance):
        for variable, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = variable.numpy()
            variable.store(old * self.momentum + np.asarray(now.detach()._value) * (1.0 - self.momentum))

    def compute_output_shape(self, input_shape):
        return input_shape


def _moments(t, axes, mask=None):
    """Mean and variance over dimensions; with a mask of steps, only over those that are there."""
    if mask is None:
        mean = m.mean(t, axes, True)
        away = t - mean
        shape = tuple([n for d, n in enumerate(t._value.shape) if d not in axes])
        return m.reshape(mean, shape), m.mean(away * away, axes)
    w = m.cast(value_of(mask), t._value.dtype)
    w = m.reshape(w, (*w._value.shape, *(1,) * (t.ndim - w.ndim)))
    n = m.sum(m.expand_to(w, tuple(t._value.shape)), axes, True)
    mean = m.sum(t * w, axes, True) / n
    away = (t - mean) * w
    shape = tuple([k for d, k in enumerate(t._value.shape) if d not in axes])
    return m.reshape(mean, shape), m.reshape(m.sum(away * away, axes, True) / n, shape)


class LayerNormalization(Layer):
    """By the mean and variance of each sample over `axis`."""

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon, self.center, self.scale, self.supports_masking = epsilon, center, scale, True
        self.beta_initializer, self.gamma_initializer = [initializers.get(i) for i in (beta_initializer,
                                                                                       gamma_initializer)]
        self.beta_regularizer, self.gamma_regularizer = [regularizers.get(r) for r in (beta_regularizer,
                                                                                       gamma_regularizer)]

    def _axes(self, ndim):
        return sorted([a % ndim for a in (self.axis if isinstance(self.axis, list) else [self.axis])])

    def build(self, input_shape):
        shape = tuple([input_shape[a] for a in self._axes(len(input_shape))])
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma",
                                     regularizer=self.gamma_regularizer) if self.scale else None
        self.beta = self.add_weight(shape, self.beta_initializer, name="beta",
                                    regularizer=self.beta_regularizer) if self.center else None
        self.built = True

    def call(self, inputs):
        t = value_of(inputs)
        axes = tuple(self._axes(t.ndim))
        wide = tuple([n if d in axes else 1 for d, n in enumerate(t._value.shape)])
        mean = m.mean(t, axes, True)
        away = t - mean
        y = away * m.rsqrt(m.mean(away * away, axes, True) + self.epsilon)
        if self.scale:
            y = y * m.reshape(self.gamma._read(), wide)
        return box(y + m.reshape(self.beta._read(), wide) if self.center else y)

    def compute_output_shape(self, input_shape):
        return input_shape


class GroupNormalization(LayerNormalization):
    """By the mean and variance of groups of channels, over all places."""

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(axis, epsilon, **kwargs)
        self.groups = groups

    def call(self, inputs):
        t = value_of(inputs)
        shape, c = t._value.shape, t._value.shape[-1]
        groups = c if self.groups == -1 else self.groups
        split = m.reshape(t, (*shape[:-1], groups, c // groups))
        axes = (*range(1, t.ndim - 1), t.ndim)
        away = split - m.mean(split, axes, True)
        y = m.reshape(away * m.rsqrt(m.mean(away * away, axes, True) + self.epsilon), shape)
        y = y * self.gamma._read() if self.scale else y
        return box(y + self.beta._read() if self.center else y)


class UnitNormalization(Layer):
    """Every vector along `axis` with length 1."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.supports_masking, self.built = axis, True, True

    def call(self, inputs):
        t = value_of(inputs)
        return box(t * m.rsqrt(m.clamp_min(m.sum(t * t, self.axis, True), 1e-12)))

    def compute_output_shape(self, input_shape):
        return input_shape


class Normalization(Layer):
    """(x - mean) / sqrt(variance), with the mean and variance of data that was seen by `adapt`, or that are given."""

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.invert = axis, invert
        self.input_mean, self.input_variance = mean, variance
        self._moments = None if mean is None else (np.asarray(mean, np.float32), np.asarray(variance, np.float32))

    def build(self, input_shape):
        kept = [] if self.axis is None else [a % len(input_shape) for a in np.atleast_1d(self.axis)]
        self._kept, self._ndim = kept, len(input_shape)
        self._wide = [n if d in kept else 1 for d, n in enumerate(input_shape)]
        if self.input_mean is None:
            shape = tuple([input_shape[d] for d in kept])
            self.adapt_mean = self.add_weight(shape, "zeros", name="mean", trainable=False)
            self.adapt_variance = self.add_weight(shape, "ones", name="variance", trainable=False)
            self.count = self.add_weight((), "zeros", dtype="int64", name="count", trainable=False)
        self.built = True

    def adapt(self, data):
        """Learn mean and variance."""
        if hasattr(data, "as_numpy_iterator"):
            data = np.concatenate([np.atleast_1d(b) for b in data.as_numpy_iterator()])
        data = np.asarray(data, np.float32)
        data = data[:, None] if data.ndim == 1 else data
        if not self.built:
            self.build(data.shape)
        over = tuple([d for d in range(data.ndim) if d not in self._kept])
        self.adapt_mean.assign(data.mean(over))
        self.adapt_variance.assign(data.var(over))

    mean = property(lambda self: self._both()[0])
    variance = property(lambda self: self._both()[1])

    def _both(self):
        found = self._moments or (self.adapt_mean.numpy(), self.adapt_variance.numpy())
        return [box(wrap(np.broadcast_to(v, [n for n in self._wide if n is not None and n != 1] or v.shape).reshape(
            [1 if n is None else n for n in self._wide]) if v.ndim else v.reshape([1] * self._ndim))) for v in found]

    def call(self, inputs):
        t = value_of(inputs)
        mean, variance = [value_of(v) for v in self._both()]
        deviation = m.clamp_min(m.sqrt(variance), 1e-7)
        return box(mean + t * deviation if self.invert else (t - mean) / deviation)

    def compute_output_shape(self, input_shape):
        return input_shape


class Rescaling(Layer):
    """x * scale + offset."""

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs):
        t = value_of(inputs)
        if t._value.dtype.kind != "f":
            t = m.cast(t, np.dtype(self._dtype))
        return box(t * self.scale + self.offset)

    def compute_output_shape(self, input_shape):
        return input_shape
