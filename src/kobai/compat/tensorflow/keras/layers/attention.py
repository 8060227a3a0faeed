"""Attention: means of values, weighted by how well keys fit queries."""
from __future__ import annotations

import numpy as np

from .....op import m
from ...tensors import box
from ...values import value_of
from .. import constraints, initializers, naming, regularizers, seeds
from ..layer import Layer
from ..symbolic import KerasTensor


def _attend(scores, values, hidden, dropped):
    """softmax(scores) @ values; what is hidden counts as nothing."""
    if hidden is not None:
        scores = scores + m.cast(m.logical_not(hidden), scores._value.dtype) * -1e9
    weights = m.softmax(scores, -1)
    return m.matmul(dropped(weights), values), weights


def _causal(n, k):
    return m.ge(_column(n), _row(k))


def _column(n):
    return value_of(np.arange(n)[:, None])


def _row(n):
    return value_of(np.arange(n)[None, :])


def _dropping(layer, training):
    """What a layer does to its weights while it is trained: some of them become 0."""
    if not training or not layer.dropout > 0:
        return lambda w: w
    return lambda w: value_of(seeds.dropout(box(w), layer.dropout, seed=layer.seed_generator))


class Attention(Layer):
    """softmax(query @ key.T) @ value; without a key, the value is the key."""

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.use_scale, self.score_mode, self.dropout, self.supports_masking = use_scale, score_mode, dropout, True
        if dropout > 0:
            self.seed_generator = seeds.SeedGenerator(seed)

    def build(self, input_shape):
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.built = True

    def _scores(self, q, k):
        y = m.matmul(q, m.transpose(k, -2, -1))
        return y * self.scale._read() if self.use_scale else y

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        q, v = [value_of(t) for t in inputs[:2]]
        k = value_of(inputs[2]) if len(inputs) > 2 else v
        scores = self._scores(q, k)
        hidden = None
        if mask is not None and len(mask) > 1 and mask[1] is not None:
            hidden = m.unsqueeze(value_of(mask[1]), -2)
        if use_causal_mask:
            low = _causal(*scores._value.shape[-2:])
            hidden = low if hidden is None else m.logical_and(hidden, low)
        y, weights = _attend(scores, v, hidden, _dropping(self, training))
        return (box(y), box(weights)) if return_attention_scores else box(y)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])


class AdditiveAttention(Attention):
    """As `Attention`, where the score is sum(scale * tanh(query + key))."""

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        width = input_shape[0][-1]
        self.scale = self.add_weight((width,), "glorot_uniform", name="scale") if self.use_scale else None
        self.built = True

    def _scores(self, q, k):
        y = m.tanh(m.unsqueeze(q, -2) + m.unsqueeze(k, -3))
        return m.sum(y * self.scale._read() if self.use_scale else y, -1)


class MultiHeadAttention(Layer):
    """Several attentions side by side, with weights before and after."""

    def __init__(self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None,
                 attention_axes=None, flash_attention=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, use_gate=False, seed=None, **kwargs):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim or key_dim
        self.dropout, self.use_bias, self.supports_masking = dropout, use_bias, True
        self._width = output_shape if output_shape is None or isinstance(output_shape, int) else output_shape[-1]
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        if dropout > 0:
            self.seed_generator = seeds.SeedGenerator(seed)

    def build(self, query_shape, value_shape=None, key_shape=None):
        value_shape = value_shape or query_shape
        key_shape = key_shape or value_shape
        h = self.num_heads
        for name, width, size in (("query", query_shape[-1], self.key_dim), ("key", key_shape[-1], self.key_dim),
                                  ("value", value_shape[-1], self.value_dim)):
            setattr(self, f"_{name}_kernel", self._weight((width, h, size), name))
            setattr(self, f"_{name}_bias", self._bias((h, size), name))
        out = self._width or query_shape[-1]
        self._output_kernel = self._weight((h, self.value_dim, out), "attention_output")
        self._output_bias = self._bias((out,), "attention_output")
        for inner in ("Softmax", "Dropout"):  # layers of Keras's: those that come later are numbered after them
            naming.auto_name(inner)
        self.built = True

    def _weight(self, shape, name):
        return self.add_weight(shape, self.kernel_initializer, name=f"{name}/kernel",
                               regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)

    def _bias(self, shape, name):
        return self.add_weight(shape, self.bias_initializer, name=f"{name}/bias",
                               regularizer=self.bias_regularizer) if self.use_bias else None

    def _projected(self, t, name):
        """[batch, steps, width] to [batch, heads, steps, size]."""
        w, b = getattr(self, f"_{name}_kernel")._read(), getattr(self, f"_{name}_bias")
        n, h, size = w._value.shape
        y = m.matmul(t, m.reshape(w, (n, h * size)))
        if b is not None:
            y = y + m.reshape(b._read(), (h * size,))
        return m.movedim(m.reshape(y, (*y._value.shape[:-1], h, size)), -2, 1)

    def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             return_attention_scores=False, training=None, use_causal_mask=False):
        q, v = value_of(query), value_of(value)
        k = v if key is None else value_of(key)
        q, k, v = self._projected(q, "query"), self._projected(k, "key"), self._projected(v, "value")
        scores = m.matmul(q * (1.0 / np.sqrt(self.key_dim)).item(), m.transpose(k, -2, -1))
        hidden = self._hidden(scores, attention_mask, value_mask if key_mask is None else key_mask, use_causal_mask)
        y, weights = _attend(scores, v, hidden, _dropping(self, training))
        y = m.movedim(y, 1, -2)
        w = self._output_kernel._read()
        h, size, out = w._value.shape
        y = m.matmul(m.reshape(y, (*y._value.shape[:-2], h * size)), m.reshape(w, (h * size, out)))
        y = box(y + self._output_bias._read() if self.use_bias else y)
        return (y, box(weights)) if return_attention_scores else y

    def _hidden(self, scores, attention_mask, key_mask, causal):
        found = []
        if attention_mask is not None:
            mask = m.cast(value_of(attention_mask), np.dtype(np.bool_))
            found.append(m.unsqueeze(mask, -3) if mask.ndim == 3 else mask)
        if key_mask is not None:
            found.append(m.reshape(value_of(key_mask), (key_mask.shape[0], 1, 1, key_mask.shape[1])))
        if causal:
            found.append(_causal(*scores._value.shape[-2:]))
        total = None
        for mask in found:
            total = mask if total is None else m.logical_and(total, mask)
        return total

    def compute_output_spec(self, query, value, key=None, **kwargs):
        out = KerasTensor((*query.shape[:-1], self._width or query.shape[-1]), self._dtype)
        if kwargs.get("return_attention_scores"):
            return out, KerasTensor((query.shape[0], self.num_heads, query.shape[1], value.shape[1]), self._dtype)
        return out
