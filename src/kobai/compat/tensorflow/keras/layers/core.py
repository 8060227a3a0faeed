"""Dense, Embedding, Lambda and other layers that most models have."""
from __future__ import annotations

import numpy as np

from .....diagnose import error
from .....op import m
from ... import arithmetic, dtypes, indexing
from ...tensors import box
from ...values import value_of
from .. import activations, constraints, initializers, regularizers
from ..layer import Layer
from ..spec import InputSpec
from ..symbolic import KerasTensor, Node, infer


class InputLayer(Layer):
    """Where a functional model takes a tensor."""

    def __init__(self, shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None,
                 input_tensor=None, optional=False, name=None, input_shape=None, **kwargs):
        super().__init__(name=name, **kwargs)
        shape = input_shape if shape is None else shape
        if shape is None and batch_shape is None:
            raise error("argument-missing", ValueError("You must pass a `shape` argument."),
                        fn="Input()", what="shape", must="a tuple of whole numbers",
                        fix="keras.Input(shape=(4,)) for rows of 4 numbers; the batch is not counted.")
        self.batch_shape = tuple(batch_shape) if batch_shape is not None else (
            batch_size, *((shape,) if isinstance(shape, int) else shape))
        self._dtype = dtypes.as_dtype(dtype or "float32").name
        tensor = input_tensor if input_tensor is not None else KerasTensor(self.batch_shape, self._dtype, name=name)
        Node(self, (), {}, tensor)
        self.built = True

    def call(self):
        """Nothing: the value is given from outside."""

    def get_config(self):
        return {"batch_shape": self.batch_shape, "dtype": self._dtype, "name": self.name}


def Input(shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, name=None, tensor=None,
          optional=False):
    """A placeholder: what functional models begin with. `shape` is without the batch.

    >>> from kobai.compat.tensorflow import keras
    >>> keras.Input((4,), name="x")
    <KerasTensor shape=(None, 4), dtype=float32, sparse=False, ragged=False, name=x>
    """
    if isinstance(shape, int):
        raise error("argument-type", ValueError(f"Cannot convert '{shape}' to a shape."),
                    what="shape", kind="int", must="a tuple of whole numbers", fix="keras.Input(shape=({size},))",
                    size=shape)
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name, input_tensor=tensor).output


def with_kernel(layer, activation, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                kernel_constraint, bias_constraint):
    """Note how a layer's kernel and bias begin, are penalised and bounded, and what is applied to its result."""
    layer.activation = activations.get(activation)
    layer.kernel_initializer = initializers.get(kernel_initializer)
    layer.bias_initializer = initializers.get(bias_initializer)
    layer.kernel_regularizer = regularizers.get(kernel_regularizer)
    layer.bias_regularizer = regularizers.get(bias_regularizer)
    layer.kernel_constraint = constraints.get(kernel_constraint)
    layer.bias_constraint = constraints.get(bias_constraint)


class Dense(Layer):
    """activation(x @ kernel + bias)."""

    def __init__(self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, lora_rank=None, lora_alpha=None, **kwargs):
        if not isinstance(units, (int, np.integer)) or units <= 0:
            raise error("argument-value",
                        ValueError("Received an invalid value for `units`, expected a positive integer. Received: "
                                   f"units={units}"),
                        what="units", value=units, must="a positive whole number")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units, self.use_bias = int(units), use_bias
        with_kernel(self, activation, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                    kernel_constraint, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias", regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        self.built = True

    def call(self, inputs, training=None):
        x, w = value_of(inputs), self.kernel._read()
        if x._value.dtype != w._value.dtype:
            x = m.cast(x, w._value.dtype)
        if not self.use_bias:
            y = m.matmul(x, w)
        elif x.ndim == 2:
            y = m.addmm(self.bias._read(), x, w)
        else:
            y = m.matmul(x, w) + self.bias._read()
        return self.activation(box(y))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias): a Dense over any dimensions."""

    def __init__(self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.equation, self.bias_axes = equation, bias_axes
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        with_kernel(self, activation, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                    kernel_constraint, bias_constraint)

    def build(self, input_shape):
        inputs, self._out = self.equation.replace(" ", "").split("->")
        x, kernel = inputs.split(",")
        sizes = dict(zip(x.replace("...", "")[::-1], tuple(input_shape)[::-1]))
        given = dict(zip(self._out.replace("...", "")[::-1], self.partial_output_shape[::-1]))
        sizes = {**{k: n for k, n in given.items() if n is not None}, **sizes}
        self.full_output_shape = tuple([given.get(k) or sizes.get(k) for k in self._out.replace("...", "")])
        self.kernel = self.add_weight(tuple([sizes[k] for k in kernel]), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        axes = self.bias_axes or ""
        first = min([self._out.index(k) for k in axes], default=0)
        shape = tuple([sizes[k] if k in axes else 1 for k in self._out[first:] if k != "."])
        self.bias = self.add_weight(shape, self.bias_initializer, name="bias", regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if axes else None
        self.built = True

    def call(self, inputs, training=None):
        y = m.einsum(self.equation, value_of(inputs), self.kernel._read())
        return self.activation(box(y if self.bias is None else y + self.bias._read()))


class Embedding(Layer):
    """A row of weights for each number: [.., n] to [.., n, output_dim]."""

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
                 embeddings_constraint=None, mask_zero=False, weights=None, lora_rank=None, input_length=None, **kwargs):
        super().__init__(**kwargs)
        self.input_dim, self.output_dim, self.mask_zero = input_dim, output_dim, mask_zero
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.supports_masking, self.autocast = mask_zero, False
        self._first = weights

    def build(self, input_shape=None):
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), self.embeddings_initializer,
                                          name="embeddings", regularizer=self.embeddings_regularizer,
                                          constraint=self.embeddings_constraint)
        if self._first is not None:
            self.embeddings.assign(np.asarray(self._first[0] if isinstance(self._first, list) else self._first))
        self.built = True

    def call(self, inputs):
        ids = value_of(inputs)
        if ids._value.dtype.kind != "i":
            ids = m.cast(ids, np.dtype(np.int32))
        return indexing.gather(self.embeddings, box(ids))

    def compute_mask(self, inputs, mask=None):
        return arithmetic.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)


class Lambda(Layer):
    """A function as a layer."""

    _allow_non_tensor_positional_args = True

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        self.function, self.arguments = function, arguments or {}

    def call(self, inputs, mask=None, training=None):
        return self.function(inputs, **self.arguments)

    def compute_output_spec(self, *args, **kwargs):
        return infer(self.call, args, kwargs)


class Masking(Layer):
    """Marks the steps of sequences in which all features are `mask_value`; recurrent layers skip them."""

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value, self.supports_masking, self.built = mask_value, True, True

    def compute_mask(self, inputs, mask=None):
        t = value_of(inputs)
        return box(m.any(m.ne(t, self.mask_value), -1))

    def call(self, inputs):
        t = value_of(inputs)
        there = m.cast(m.any(m.ne(t, self.mask_value), -1, True), t._value.dtype)
        return box(t * there)

    def compute_output_shape(self, input_shape):
        return input_shape


class Identity(Layer):
    """The input as it is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = self.built = True

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


class Wrapper(Layer):
    """A layer round another layer."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        self.layer.build(input_shape)
        self.layer.built = self.built = True


class TimeDistributed(Wrapper):
    """Another layer on each step of a sequence."""

    def build(self, input_shape):
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        t = value_of(inputs)
        n, steps = t._value.shape[:2]
        flat = self.layer(box(m.reshape(t, (n * steps, *t._value.shape[2:]))))
        return box(m.reshape(value_of(flat), (n, steps, *flat.shape[1:])))
