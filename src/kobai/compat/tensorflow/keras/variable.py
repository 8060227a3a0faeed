"""`keras.Variable`: a TensorFlow variable with a path."""
from __future__ import annotations

import numpy as np

from ....diagnose import error
from .. import dtypes
from ..operators import add_operators
from ..tensors import Reference
from ..values import convert_to_tensor
from ..variables import Variable as _Variable
from . import naming
from .settings import floatx


class Variable:
    """A weight, seed or count of a Keras object.

    >>> from kobai.compat.tensorflow import keras
    >>> keras.Variable([1.0, 2.0], name="w")
    <Variable path=w, shape=(2,), dtype=float32, value=[1. 2.]>
    """

    __array_priority__ = 100
    _is_keras = True

    def __init__(self, initializer, shape=None, dtype=None, trainable=True, autocast=True, aggregation="none",
                 synchronization="auto", name=None):
        self.name = name or naming.auto_name("Variable")
        self.path = naming.path_to(self.name)
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        if callable(initializer):
            if shape is None:
                raise error("argument-missing",
                            ValueError("When creating a Variable from an initializer, the `shape` argument should be "
                                       f"specified. Received: initializer={initializer} and shape={shape}"),
                            fn="Variable()", what="shape", must="a tuple of whole numbers")
            value = initializer(tuple(shape), dtype=dtype or dtypes.as_dtype(floatx()))
        else:
            value = convert_to_tensor(initializer, dtype) if dtype else _float(initializer)
        value = convert_to_tensor(value)
        if shape is not None and tuple(value.shape) != tuple(shape):
            raise error("tensor-shape",
                        ValueError(f"The initial value of variable {self.path} has shape {tuple(value.shape)}, not "
                                   f"{tuple(shape)}"),
                        what="the initial value", shape=tuple(value.shape), want=tuple(shape))
        self._value = _Variable(value, trainable=trainable, name=self.path)
        self._value._name = self.path  # without the name scopes of TensorFlow
        self.regularizer = self.constraint = None
        self.overwrite_with_gradient = False

    # what the tape and optimizers use: the variable of TensorFlow's
    _read = property(lambda self: self._value._read)
    _leaf = property(lambda self: self._value._leaf)
    _number = property(lambda self: self._value._number)

    @property
    def _dual(self):
        return self._value._dual

    @_dual.setter
    def _dual(self, t):
        self._value._dual = t

    @property
    def value(self):
        return self._value

    @property
    def trainable(self):
        return self._value.trainable

    @trainable.setter
    def trainable(self, value):
        self._value.trainable = bool(value)

    shape = property(lambda self: self._value.shape)
    ndim = property(lambda self: self._value.ndim)
    dtype = property(lambda self: self._value.dtype.name)
    handle = property(lambda self: self._value.handle)
    device = property(lambda self: self._value.device)

    def numpy(self):
        """The value as a NumPy array of its own."""
        return self._value.numpy()

    def read_value(self):
        """The value as a tensor."""
        return self._value.read_value()

    def _cast(self, value):
        d = self._value.dtype
        return convert_to_tensor(np.asarray(value, d.np)) if not hasattr(value, "dtype") or isinstance(
            value, np.ndarray) else _as_dtype(value, d)

    def assign(self, value):
        """Give the variable another value of its shape; returns it as a tensor."""
        value = self._cast(value)
        if tuple(value.shape) != tuple(self.shape):
            raise error("tensor-shape",
                        ValueError("The shape of the target variable and the shape of the target value in "
                                   f"`variable.assign(value)` must match. variable.shape={self.shape}, Received: "
                                   f"value.shape={tuple(value.shape)}. Target variable: {self}"),
                        what="the new value", shape=tuple(value.shape), want=tuple(self.shape))
        self._value.assign(value)
        return self._value.read_value()

    def store(self, value):
        """Set the value to a number or array, without looking at it."""
        leaf = self._value._leaf
        leaf._data = np.asarray(value, leaf._value.dtype)[()]

    def assign_add(self, value):
        """Add to the value; returns it as a tensor."""
        return self.assign(self._value + self._cast(value))

    def assign_sub(self, value):
        """Subtract from the value; returns it as a tensor."""
        return self.assign(self._value - self._cast(value))

    def ref(self):
        """What can stand for the variable as a key."""
        return Reference(self)

    def __getitem__(self, index):
        return self._value[index]

    def __array__(self, dtype=None, copy=None):
        return self._value.__array__(dtype, copy)

    def __float__(self):
        return float(self._value)

    def __int__(self):
        return int(self._value)

    def __bool__(self):
        raise error("not-possible", TypeError("A Keras Variable cannot be used as a boolean."),
                    why="a variable holds numbers, and Keras does not say when it is true.",
                    fix="compare it: if v > 0.")

    def __hash__(self):
        return id(self)

    def __repr__(self):
        value = self._value.numpy()
        value = value.item() if not self.ndim and self._value.dtype.np.kind != "O" else value
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={value}>"

    def __deepcopy__(self, memo):
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._value = self._value.__deepcopy__(memo)
        memo[id(self)] = new
        return new


def _float(value):
    t = convert_to_tensor(value)
    return convert_to_tensor(np.asarray(t._t._value, np.dtype(floatx()))) if t.dtype == "float64" else t


def _as_dtype(value, d):
    t = convert_to_tensor(value)
    return t if t.dtype == d else convert_to_tensor(np.asarray(t.numpy(), d.np))


_hash = Variable.__hash__
add_operators(Variable)
Variable.__hash__ = _hash
Variable.__module__ = "keras.src.backend"
