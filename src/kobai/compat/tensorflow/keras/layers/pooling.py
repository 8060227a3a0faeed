"""The largest or the mean of windows, or of everything."""
from __future__ import annotations

from .....op import m
from ...convolution import numbers, pool
from ...tensors import box
from ...values import value_of
from ..layer import Layer
from ..spec import InputSpec
from .convolutional import output_length


class _Pooling(Layer):
    n = 2
    kind = "MAX"

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.pool_size = tuple(numbers(pool_size, self.n))
        self.strides = self.pool_size if strides is None else tuple(numbers(strides, self.n))
        self.padding, self.built = padding.lower(), True
        self.input_spec = InputSpec(ndim=self.n + 2)

    def call(self, inputs):
        return box(pool(value_of(inputs), self.kind, self.pool_size, self.strides, self.padding, self.n))

    def compute_output_shape(self, input_shape):
        middle = [output_length(*a) for a in zip(input_shape[1:-1], self.pool_size, [self.padding] * self.n,
                                                 self.strides)]
        return (input_shape[0], *middle, input_shape[-1])


class _GlobalPooling(Layer):
    n = 2
    kind = "MAX"

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.keepdims, self.built = keepdims, True
        self.input_spec = InputSpec(ndim=self.n + 2)
        self.supports_masking = self.n == 1

    def call(self, inputs, mask=None):
        t, axes = value_of(inputs), tuple(range(1, self.n + 1))
        if self.kind == "MAX":
            return box(m.amax(t, axes, self.keepdims))
        if mask is not None:
            there = m.unsqueeze(m.cast(value_of(mask), t._value.dtype), -1)
            return box(m.sum(t * there, axes, self.keepdims) / m.sum(there, axes, self.keepdims))
        return box(m.mean(t, axes, self.keepdims))

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *[1] * self.n * self.keepdims, input_shape[-1])


def _make(base, name, n, kind, doc):
    return type(name, (base,), {"n": n, "kind": kind, "__doc__": doc, "__module__": __name__})


_OVER = {1: "sequences", 2: "images", 3: "volumes"}
for _n, _what in _OVER.items():
    for _kind, _long, _word in (("MAX", "Max", "largest"), ("AVG", "Average", "mean")):
        _local = _make(_Pooling, f"{_long}Pooling{_n}D", _n, _kind, f"The {_word} of each window of {_what}.")
        _global = _make(_GlobalPooling, f"Global{_long}Pooling{_n}D", _n, _kind, f"The {_word} over whole {_what}.")
        _short = "Max" if _kind == "MAX" else "Avg"
        globals().update({_local.__name__: _local, f"{_short}Pool{_n}D": _local, _global.__name__: _global,
                          f"Global{_short}Pool{_n}D": _global})
