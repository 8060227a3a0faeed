"""`tf.lookup`: tables from keys to values."""
from __future__ import annotations

import numpy as np

from ...tensor import wrap
from . import dtypes
from .names import export
from .tensors import box
from .values import convert_to_tensor, value_of


def _flat(t):
    return np.asarray(value_of(t)._value).reshape(-1).tolist()


@export("lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer:
    """The keys and the values of a table."""

    def __init__(self, keys, values, key_dtype=None, value_dtype=None, name=None):
        self.keys, self.values = convert_to_tensor(keys, key_dtype), convert_to_tensor(values, value_dtype)
        self.key_dtype, self.value_dtype = self.keys.dtype, self.values.dtype


@export("lookup.StaticHashTable")
class StaticHashTable:
    """A table that stays as it is; keys that it does not have give `default_value`."""

    def __init__(self, initializer, default_value, name=None, experimental_is_anonymous=False):
        self.key_dtype, self.value_dtype = initializer.key_dtype, initializer.value_dtype
        self.default_value = convert_to_tensor(default_value, dtypes.as_dtype(self.value_dtype))
        self._known = dict(zip(_flat(initializer.keys), _flat(initializer.values)))

    def lookup(self, keys, name=None):
        """The values of these keys."""
        a, default = np.asarray(value_of(convert_to_tensor(keys))._value), _flat(self.default_value)[0]
        out = np.empty(a.shape, self.value_dtype.np)
        out.reshape(-1)[:] = [self._known.get(k, default) for k in a.reshape(-1).tolist()]
        return box(wrap(out if out.shape or out.dtype == object else out[()]))

    __getitem__ = lookup

    def size(self, name=None):
        """The number of keys, as a tensor."""
        return box(wrap(np.int64(len(self._known))))
