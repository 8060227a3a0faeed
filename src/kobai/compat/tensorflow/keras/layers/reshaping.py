"""Layers that move elements: Flatten, Reshape, padding, cropping, enlarging."""
from __future__ import annotations

from math import prod

import numpy as np

from .....diagnose import error
from .....op import m
from .....tensor import wrap
from ...convolution import numbers
from ...tensors import box
from ...values import value_of
from ..layer import Layer
from ..spec import InputSpec


class Flatten(Layer):
    """All dimensions behind the batch in one."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        t = value_of(inputs)
        return box(m.reshape(t, (t._value.shape[0], prod(t._value.shape[1:]))))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else prod(rest))


class Reshape(Layer):
    """The elements behind the batch in another shape; one size may be -1."""

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape, self.built = tuple(target_shape), True

    def _target(self, shape):
        known = prod([s for s in self.target_shape if s != -1])
        have = prod(shape[1:])
        if -1 not in self.target_shape and known != have:
            raise error("argument-value",
                        ValueError(f"The total size of the tensor must be unchanged. Received: input_shape={tuple(shape[1:])}, "
                                   f"target_shape={self.target_shape}"),
                        what="target_shape", value=self.target_shape, must="a shape of as many elements",
                        why="the input has {have_count} elements for each sample, and target_shape {count}.",
                        have_count=have, count=known, fix="change one of the sizes; -1 is computed from the others.")
        return tuple([have // known if s == -1 else s for s in self.target_shape])

    def call(self, inputs):
        t = value_of(inputs)
        return box(m.reshape(t, (t._value.shape[0], *self._target(t._value.shape))))

    def compute_output_shape(self, input_shape):
        if None in input_shape[1:]:
            return (input_shape[0], *[None if s == -1 else s for s in self.target_shape])
        return (input_shape[0], *self._target(input_shape))


class Permute(Layer):
    """The dimensions behind the batch in another order, counted from 1."""

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)

    def call(self, inputs):
        return box(m.permute(value_of(inputs), (0, *self.dims)))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *[input_shape[d] for d in self.dims])


class RepeatVector(Layer):
    """[batch, features] n times: [batch, n, features]."""

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n, self.input_spec = n, InputSpec(ndim=2)

    def call(self, inputs):
        t = m.unsqueeze(value_of(inputs), 1)
        return box(m.expand_to(t, (t._value.shape[0], self.n, t._value.shape[2])))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])


def _pairs(v, n):
    """((before, after), ...) for n dimensions from one number, n numbers, or pairs."""
    if isinstance(v, int):
        return ((v, v),) * n
    v = tuple(v)
    if n == 1 and len(v) == 2 and not isinstance(v[0], (tuple, list)):
        return (v,)
    return tuple([(p, p) if isinstance(p, int) else tuple(p) for p in v])


class _Around(Layer):
    """Something added or taken away at both ends of n dimensions."""

    n = 2
    sign = 1

    def _change(self, t, pairs):
        raise NotImplementedError

    def _sizes(self):
        return self.padding

    def call(self, inputs):
        return box(self._change(value_of(inputs), self._sizes()))

    def compute_output_shape(self, input_shape):
        middle = [None if s is None else s + self.sign * (a + b) for s, (a, b) in zip(input_shape[1:-1], self._sizes())]
        return (input_shape[0], *middle, input_shape[-1])


class ZeroPadding2D(_Around):
    """Zeros round images."""

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = _pairs(padding, self.n)
        self.input_spec = InputSpec(ndim=self.n + 2)

    def _change(self, t, pairs):
        flat = [0, 0] + [v for pair in reversed(pairs) for v in pair]
        return m.pad(t, flat)


class ZeroPadding1D(ZeroPadding2D):
    """Zeros at both ends of sequences."""

    n = 1


class ZeroPadding3D(ZeroPadding2D):
    """Zeros round volumes."""

    n = 3


class Cropping2D(_Around):
    """Images without their edges."""

    sign = -1

    def __init__(self, cropping=0, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.cropping = _pairs(cropping, self.n)
        self.input_spec = InputSpec(ndim=self.n + 2)

    def _sizes(self):
        return self.cropping

    def _change(self, t, pairs):
        cut = [slice(a, s - b) for s, (a, b) in zip(t._value.shape[1:-1], pairs)]
        return m.getitem(t, (slice(None), *cut))


class Cropping1D(Cropping2D):
    """Sequences without their ends."""

    n = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, **kwargs)


class UpSampling2D(Layer):
    """Images enlarged: each pixel repeated, or drawn between neighbours ("bilinear")."""

    n = 2

    def __init__(self, size=2, data_format=None, interpolation="nearest", **kwargs):
        super().__init__(**kwargs)
        self.size, self.interpolation = tuple(numbers(size, self.n)), interpolation
        self.input_spec = InputSpec(ndim=self.n + 2)

    def call(self, inputs):
        t = value_of(inputs)
        if self.interpolation == "bilinear":
            return box(_bilinear(t, [s * k for s, k in zip(t._value.shape[1:], self.size)]))
        for d, k in enumerate(self.size):
            t = m.index_select(t, d + 1, wrap(np.repeat(np.arange(t._value.shape[d + 1]), k)))
        return box(t)

    def compute_output_shape(self, input_shape):
        middle = [None if s is None else s * k for s, k in zip(input_shape[1:-1], self.size)]
        return (input_shape[0], *middle, input_shape[-1])


def _bilinear(t, sizes):
    """Between neighbours along both dimensions, centres of pixels at halves."""
    for d, size in enumerate(sizes, 1):
        n = t._value.shape[d]
        place = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.floor(place).astype(np.int64)
        part = (place - low).astype(t._value.dtype).reshape(-1, *(1,) * (t.ndim - d - 1))
        a, b = [m.index_select(t, d, wrap(i)) for i in (low, np.minimum(low + 1, n - 1))]
        t = a + (b - a) * wrap(part)
    return t


class UpSampling1D(UpSampling2D):
    """Sequences enlarged: each step repeated."""

    n = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(size, **kwargs)
