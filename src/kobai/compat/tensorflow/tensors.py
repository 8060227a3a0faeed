"""`tf.Tensor`: one of kobai's Tensors, and how TensorFlow shows it."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...tensor import LiftedTensor
from . import dtypes
from .recording import value
from .shapes import TensorShape

DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
_NUMPY_METHODS = {"T", "astype", "ravel", "transpose", "reshape", "clip", "size", "tolist", "data"}


class Tensor:
    """A tensor. Its operators come from the families of operations (see `operators.py`).

    >>> import kobai.compat.tensorflow as tf
    >>> tf.constant([1., 2.])
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    >>> print(tf.constant(2))
    tf.Tensor(2, shape=(), dtype=int32)
    """

    __slots__ = ("_t", "_keras_mask", "_keras_logits", "_traced_as", "__weakref__")
    __array_priority__ = 100  # NumPy leaves mixed arithmetic to us

    @property
    def shape(self):
        return TensorShape(self._t._value.shape)

    @property
    def dtype(self):
        return dtypes.of(self._t._value.dtype)

    @property
    def ndim(self):
        return len(self._t._value.shape)

    device = backing_device = property(lambda self: DEVICE)

    def get_shape(self):
        """The shape."""
        return self.shape

    def set_shape(self, shape):
        """Raise ValueError unless the tensor has this shape."""
        if not self.shape.is_compatible_with(shape):
            raise error("tensor-shape", ValueError(
                f"Tensor's shape {self.shape} is not compatible with supplied shape {TensorShape(shape)}."),
                what="the tensor", shape=tuple(self.shape), want=TensorShape(shape))

    def numpy(self):
        """The values as a NumPy array of its own (a NumPy scalar if there are no dimensions)."""
        return number_or_array(self._t, copy=True)

    def ref(self):
        """What can stand for the tensor as a key."""
        return Reference(self)

    def cpu(self):
        """The tensor itself: all of them are on the CPU."""
        return self

    gpu = cpu

    def __array__(self, dtype=None, copy=None):
        return np.array(number_or_array(self._t), dtype)

    def __len__(self):
        shape = self._t._value.shape
        if not shape:
            raise TypeError("Scalar tensor has no `len()`")  # plain: list() and NumPy try it
        return shape[0]

    def __iter__(self):
        shape = self._t._value.shape
        if not shape:
            raise TypeError("Cannot iterate over a scalar tensor.")  # plain: Python itself tries it
        return (self[i] for i in range(shape[0]))

    def __bool__(self):
        v = number_or_array(self._t)
        if getattr(v, "size", 1) > 1:
            raise error("not-possible",
                        ValueError("The truth value of an array with more than one element is ambiguous. "
                                   "Use a.any() or a.all()"),
                        why="the tensor has several elements, and some may be true while others are not.",
                        fix="tf.reduce_any(x) or tf.reduce_all(x)")
        return bool(v)

    def __float__(self):
        return float(_only_number(self._t, "float"))

    def __int__(self):
        return int(_only_number(self._t, "int"))

    def __complex__(self):
        return complex(_only_number(self._t, "complex"))

    def __index__(self):
        v = number_or_array(self._t)
        if v.dtype.kind not in "iu" or v.shape:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")  # plain: NumPy tries it
        return int(v)

    def __format__(self, spec):
        if not spec and hasattr(self, "_traced_as"):
            return str(self)
        return format(number_or_array(self._t), spec)

    def __setitem__(self, index, value):
        raise error("not-possible",
                    TypeError("'tensorflow.python.framework.ops.EagerTensor' object does not support item assignment"),
                    why="tensors of TensorFlow do not change.",
                    fix="tf.tensor_scatter_nd_update(x, indices, updates); or keep it in a tf.Variable: "
                        "v[i].assign(value).")

    def __hash__(self):
        raise error("not-possible", TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key."),
                    why="a key of a dict or set must not depend on how elements compare.",
                    fix="use x.ref() as the key; .deref() gives the tensor back.")

    def __str__(self):
        if hasattr(self, "_traced_as"):
            return f'Tensor("{self._traced_as[0]}", shape={self._traced_as[1]}, dtype={self.dtype.name})'
        return f"tf.Tensor({text_of(self._t)}, shape={self.shape}, dtype={self.dtype.name})"

    def __repr__(self):
        if hasattr(self, "_traced_as"):
            return f"<tf.Tensor '{self._traced_as[0]}' shape={self._traced_as[1]} dtype={self.dtype.name}>"
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={text_of(self._t, True)}>"

    def __copy__(self):
        return box(self._t)

    def __deepcopy__(self, memo):
        return box(self._t)

    def __reduce__(self):
        return _restore, (np.asarray(number_or_array(self._t)),)

    def __getattr__(self, name):
        if name in _NUMPY_METHODS:
            raise AttributeError(
                f"EagerTensor object has no attribute '{name}'. \n        If you are looking for numpy-related "
                "methods, please run the following:\n        "
                "tf.experimental.numpy.experimental_enable_numpy_behavior()\n  "
                f"fix: tf.{_INSTEAD.get(name, name)}(x), or x.numpy().{name}")
        if name in ("name", "op", "graph"):
            raise AttributeError(f"Tensor.{name} is undefined when eager execution is enabled.")
        raise AttributeError(f"'tensorflow.python.framework.ops.EagerTensor' object has no attribute '{name}'")


_INSTEAD = {"T": "transpose", "astype": "cast", "ravel": "reshape", "clip": "clip_by_value"}


class EagerTensor(Tensor):
    """The type of all tensors that there are; `tf.Tensor` is what programs call it."""

    __slots__ = ()


Tensor.__module__ = "tensorflow.python.framework.tensor"
EagerTensor.__module__ = "tensorflow.python.framework.ops"
_new = object.__new__


def box(t):
    """A tf.Tensor of a kobai Tensor."""
    out = _new(EagerTensor)
    out._t = t
    return out


def number_or_array(t, copy=False):
    """A NumPy scalar for a tensor without dimensions (bytes for a string), else the array."""
    v = value(t)
    if type(t) is LiftedTensor and not isinstance(v, (np.ndarray, np.generic)):
        raise error("not-possible",
                    TypeError("a tensor inside tf.vectorized_map has no value of its own: compute with it instead"),
                    why="inside tf.vectorized_map a tensor stands for all rows at once.",
                    fix="compute with tf functions there; .numpy(), if and float() come after it.")
    if not v.shape:
        return v[()] if type(v) is np.ndarray else v
    return np.array(v) if copy else v


def _only_number(t, what):
    v = number_or_array(t)
    if v.size != 1:
        raise error("not-possible", TypeError("only length-1 arrays can be converted to Python scalars"),
                    shape=tuple(v.shape), why="the tensor has shape {shape}: not one number, but several or none.",
                    fix="take one, x[0], or reduce it: tf.reduce_sum(x).")
    return v if not v.shape else v.reshape(-1)[0]


def text_of(t, is_repr=False):
    """The values as TensorFlow prints them; several lines start on a line of their own."""
    v = value(t)
    if not hasattr(v, "__array__"):
        return "<unprintable>"
    v = number_or_array(t)
    if getattr(v, "shape", ()) == ():
        v = v.item() if is_repr and hasattr(v, "item") else v
        return repr(v) if is_repr or isinstance(v, bytes) else str(v)
    text = repr(v) if is_repr else str(v)
    return "\n" + text if "\n" in text else text


class Reference:
    """A tensor or variable as a key: equal only to a reference of the same object."""

    __slots__ = ("_object",)

    def __init__(self, thing):
        self._object = thing

    def deref(self):
        """The tensor or variable itself."""
        return self._object

    def __eq__(self, other):
        return isinstance(other, Reference) and self._object is other._object

    def __hash__(self):
        return id(self._object)

    def __repr__(self):
        return f"<Reference wrapping {self._object!r}>"


def _restore(array):
    from .values import constant  # it needs this module
    return constant(array)
