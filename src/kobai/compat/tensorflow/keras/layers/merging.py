"""Several tensors in one: Add, Concatenate and their kin."""
from __future__ import annotations

import numpy as np

from .....diagnose import error
from .....op import m
from ... import shaping
from ...arithmetic import maximum as _maximum, minimum as _minimum
from ...tensors import box
from ...values import value_of
from ..layer import Layer


class _Merge(Layer):
    """Elements of tensors of one shape (or shapes that broadcast) brought together."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        if not isinstance(input_shape, (list, tuple)) or not isinstance(input_shape[0], (list, tuple)) \
                or len(input_shape) < 1:
            kind = "`Concatenate`" if isinstance(self, Concatenate) else "merge"
            raise error("argument-type",
                        ValueError(f"A {kind} layer should be called on a list of at least 1 input. Received: input_shape="
                                   f"{input_shape}{' (not a list of shapes)' if kind == 'merge' else ''}"),
                        why="the layer joins several tensors, and was called on a single one.",
                        fix="call the layer on a list: layer([a, b]).")
        if not isinstance(self, Concatenate):
            _one_shape(input_shape)
        self.built = True

    def call(self, inputs):
        total = inputs[0]
        for other in inputs[1:]:
            total = self.merge(total, other)
        return total

    def merge(self, a, b):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        known = [[1 if s is None else s for s in shape] for shape in input_shape]
        out = list(np.broadcast_shapes(*known))
        for shape in input_shape:
            for i, s in enumerate(reversed(shape), 1):
                if s is None and out[-i] == 1:
                    out[-i] = None
        return tuple([None if s is None else int(s) for s in out])


def _one_shape(shapes):
    """Raise ValueError, as Keras does, unless the shapes broadcast (batches aside)."""
    for a, b in zip(shapes, shapes[1:]):
        for x, y in zip(reversed(a[1:]), reversed(b[1:])):
            if x != y and None not in (x, y) and 1 not in (x, y):
                raise error("shapes-differ",
                            ValueError(f"Inputs have incompatible shapes. Received shapes {tuple(a[1:])} and {tuple(b[1:])}"),
                            what="one input", shape=tuple(a[1:]), other="another", other_shape=tuple(b[1:]),
                            must="both must have the same shape")


class Add(_Merge):
    """The sum."""

    def merge(self, a, b):
        return a + b


class Subtract(_Merge):
    """The first minus the second."""

    def call(self, inputs):
        if len(inputs) != 2:
            raise error("argument-count",
                        ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: inputs={inputs}"),
                        what="the list of inputs", count=len(inputs), need="{n}", n=2)
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product."""

    def merge(self, a, b):
        return a * b


class Average(_Merge):
    """The mean."""

    def call(self, inputs):
        return Add.call(self, inputs) / float(len(inputs))

    merge = Add.merge


class Maximum(_Merge):
    """The largest."""

    def merge(self, a, b):
        return _maximum(a, b)


class Minimum(_Merge):
    """The smallest."""

    def merge(self, a, b):
        return _minimum(a, b)


class Concatenate(_Merge):
    """One after the other along a dimension."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        super().build(input_shape)
        rest = {(*s[:self.axis], *(s[self.axis + 1:] if self.axis != -1 else ())) for s in map(tuple, input_shape)}
        if len(rest) > 1 and not any(None in s for s in rest):
            raise error("shapes-differ",
                        ValueError("A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                                   f"Received: input_shape={[tuple(s) for s in input_shape]}"),
                        what="one input", shape=tuple(input_shape[0]), other="another",
                        other_shape=tuple(next(s for s in input_shape if tuple(s) != tuple(input_shape[0]))),
                        must="all sizes but the one along axis {axis} must be the same", axis=self.axis)

    def call(self, inputs):
        return shaping.concat(inputs, self.axis)

    def compute_output_shape(self, input_shape):
        out = list(input_shape[0])
        sizes = [s[self.axis] for s in input_shape]
        out[self.axis] = None if None in sizes else sum(sizes)
        return tuple(out)


class Dot(_Merge):
    """Products of two tensors summed over one dimension of each, for each sample."""

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        self.axes, self.normalize = axes, normalize

    def call(self, inputs):
        a, b = [value_of(v) for v in inputs]
        i, j = [d % t.ndim for d, t in zip((self.axes,) * 2 if isinstance(self.axes, int) else self.axes, (a, b))]
        if self.normalize:
            a, b = [t * m.rsqrt(m.clamp_min(m.sum(t * t, (d,), True), 1e-12)) for t, d in ((a, i), (b, j))]
        a, b = m.movedim(a, i, -1), m.movedim(b, j, 1)
        flat = m.bmm(m.reshape(a, (a._value.shape[0], -1, a._value.shape[-1])),
                     m.reshape(b, (b._value.shape[0], b._value.shape[1], -1)))
        shape = (a._value.shape[0], *a._value.shape[1:-1], *b._value.shape[2:])
        return box(m.reshape(flat, shape if len(shape) > 1 else (shape[0], 1)))

    compute_output_shape = Layer.compute_output_shape


def _function(cls):
    def call(inputs, **kwargs):
        return cls(**kwargs)(inputs)
    call.__name__ = call.__qualname__ = cls.__name__.lower()
    call.__doc__ = f"The layer `{cls.__name__}`, called at once. {cls.__doc__}"
    return call


add, subtract, multiply = map(_function, (Add, Subtract, Multiply))
average, maximum, minimum = map(_function, (Average, Maximum, Minimum))


def concatenate(inputs, axis=-1, **kwargs):
    """The layer `Concatenate`, called at once."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """The layer `Dot`, called at once."""
    return Dot(axes, **kwargs)(inputs)
