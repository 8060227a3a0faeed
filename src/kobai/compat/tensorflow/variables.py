"""`tf.Variable`: a tensor whose value can be assigned anew; tapes watch it when it is read."""
from __future__ import annotations

from itertools import count

import numpy as np

from ...autograd.dual import Dual
from ...autograd.mode import modes
from ...diagnose import error
from ...op import m
from ...tensor import LiftedTensor, wrap
from . import dtypes
from .errors import invalid
from .names import export
from .recording import state
from .shapes import TensorShape
from .tensors import DEVICE, EagerTensor, Reference, _only_number, box, number_or_array, text_of
from .values import value_of

scopes: list = []  # the open name scopes, which names of variables begin with

_numbers = count().__next__


@export("Variable")
class Variable:
    """A value that training changes. All its reads are reads of one leaf of kobai's graph.

    Assigning replaces the leaf's array and never writes into it, so what was recorded before keeps the
    value that it was computed with.

    >>> import kobai.compat.tensorflow as tf
    >>> v = tf.Variable(0.5)
    >>> print(v)
    <tf.Variable 'Variable:0' shape=() dtype=float32, numpy=0.5>
    >>> v.assign_add(1.0).numpy()
    np.float32(1.5)
    """

    __array_priority__ = 100
    _shown = None       # what stands in the place of the name
    _dual = None        # the value with its tangent, inside a ForwardAccumulator
    constraint = None
    synchronization = aggregation = 0
    device = DEVICE

    def __init__(self, initial_value=None, trainable=None, validate_shape=True, caching_device=None, name=None,
                 variable_def=None, dtype=None, import_scope=None, constraint=None, synchronization=0, aggregation=0,
                 shape=None, experimental_enable_variable_lifting=True):
        if initial_value is None:
            raise error("argument-missing",
                        ValueError("The `initial_value` arg to `tf.Variable` must be specified except when you are not "
                                   "providing a `variable_def`. You provided neither."),
                        fn="Variable()", what="initial_value", must="a tensor or a number")
        if callable(initial_value) and not hasattr(initial_value, "_read"):
            initial_value = initial_value()
        t = value_of(initial_value, None if dtype is None else dtypes.as_dtype(dtype))
        name = "/".join([*scopes, name or "Variable"])
        self._start(_plain_value(t), trainable, name, TensorShape(t._value.shape if shape is None else shape))
        self.constraint = constraint

    def _start(self, array, trainable, name, shape):
        self._leaf = wrap(array)
        self._number = _numbers()
        self._name = name or "Variable"
        self._static_shape = shape
        self.trainable = True if trainable is None else bool(trainable)

    # ---- reading -------------------------------------------------------------------------
    def _read(self):
        """The value as a kobai Tensor: the leaf itself while a tape is recording, which watches it then."""
        t = None if self._dual is None else _still_open(self)
        if not state.active:
            return wrap(self._leaf._data) if t is None else t
        if self.trainable:
            for record in state.active:
                if self._number not in record.variables:
                    watch(record, self)
        return self._leaf if t is None else t

    def read_value(self):
        """The value as a tensor."""
        return box(m.identity(self._read()))

    def value(self):
        """The value as a tensor."""
        return self.read_value()

    def numpy(self):
        """The value as a NumPy array of its own."""
        if state.active and self.trainable:
            self._read()  # a tape watches what is looked at, too
        return number_or_array(self._leaf, copy=True)

    # ---- assigning -----------------------------------------------------------------------
    def _set(self, array):
        self._leaf._data = array
        self._dual = None

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Give the variable another value of its shape; returns the variable."""
        new = _plain_value(value_of(value, self.dtype))
        if not self._static_shape.is_compatible_with(new.shape):
            raise error("tensor-shape",
                        ValueError(f"Cannot assign value to variable ' {self.name}': Shape mismatch."
                                   f"The variable shape {self._static_shape}, and the assigned value shape {new.shape} "
                                   "are incompatible."),
                        what="the new value", shape=tuple(new.shape), want=self._static_shape,
                        fix="give it that shape; tf.Variable(..., shape=tf.TensorShape(None)) takes any.")
        self._set(new)
        return _unread(self) if read_value else None

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Add `delta`, of the variable's shape; returns the variable."""
        return self._assign(np.add, delta, "AssignAddVariableOp", read_value)

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtract `delta`, of the variable's shape; returns the variable."""
        return self._assign(np.subtract, delta, "AssignSubVariableOp", read_value)

    def _assign(self, ufunc, delta, op, read_value):
        delta, old = _plain_value(value_of(delta, self.dtype)), self._leaf._data
        if delta.shape != old.shape:
            raise error("tensor-shape",
                        invalid(op, f"Cannot update variable with shape {_listed(old.shape)} using a Tensor with shape "
                                f"{_listed(delta.shape)}, shapes must be equal."),
                        what="the new value", shape=tuple(delta.shape), want=tuple(old.shape))
        self._set(ufunc(old, delta))
        return _unread(self) if read_value else None

    def _assign_at(self, index, value):
        """v[index].assign(value)."""
        new = np.array(self._leaf._data)
        new[index] = _plain_value(value_of(value, self.dtype))
        self._set(new)
        return _unread(self)

    def scatter_update(self, sparse_delta, use_locking=False, name=None):
        """Set the rows `sparse_delta.indices` to `sparse_delta.values`."""
        return self._scatter(sparse_delta.indices, sparse_delta.values, _put)

    def scatter_add(self, sparse_delta, use_locking=False, name=None):
        """Add `sparse_delta.values` to the rows `sparse_delta.indices`."""
        return self._scatter(sparse_delta.indices, sparse_delta.values, np.add.at)

    def scatter_sub(self, sparse_delta, use_locking=False, name=None):
        """Subtract `sparse_delta.values` from the rows `sparse_delta.indices`."""
        return self._scatter(sparse_delta.indices, sparse_delta.values, np.subtract.at)

    def scatter_nd_update(self, indices, updates, name=None):
        """Set the elements or slices at `indices` (last dimension: one position each) to `updates`."""
        return self._scatter(_positions(indices), updates, _put)

    def scatter_nd_add(self, indices, updates, name=None):
        """Add `updates` to the elements or slices at `indices`."""
        return self._scatter(_positions(indices), updates, np.add.at)

    def scatter_nd_sub(self, indices, updates, name=None):
        """Subtract `updates` from the elements or slices at `indices`."""
        return self._scatter(_positions(indices), updates, np.subtract.at)

    def _scatter(self, indices, values, put):
        new = np.array(self._leaf._data)
        if not isinstance(indices, tuple):
            indices = _plain_value(value_of(indices))
        put(new, indices, _plain_value(value_of(values, self.dtype)))
        self._set(new)
        return _unread(self)

    # ---- what it is ----------------------------------------------------------------------
    @property
    def name(self):
        return self._name + ":0"

    dtype = property(lambda self: dtypes.of(self._leaf._value.dtype))
    shape = property(lambda self: self._static_shape)
    ndim = property(lambda self: len(self._leaf._value.shape))
    handle = property(lambda self: self)
    _shared_name = property(lambda self: self._name)

    def get_shape(self):
        """The shape."""
        return self._static_shape

    def set_shape(self, shape):
        """Restrict the shape."""
        self._static_shape = self._static_shape.merge_with(shape)

    def is_initialized(self, name=None):
        """True: there are no variables without a value here."""
        return box(wrap(np.bool_(True)))

    def ref(self):
        """What can stand for the variable as a key."""
        return Reference(self)

    def __array__(self, dtype=None, copy=None):
        return np.array(number_or_array(self._leaf), dtype)

    def __iter__(self):
        return iter(self.read_value())

    def __bool__(self):
        return bool(self.read_value())

    def __float__(self):
        return float(_only_number(self._leaf, "float"))

    def __int__(self):
        return int(_only_number(self._leaf, "int"))

    def __complex__(self):
        return complex(_only_number(self._leaf, "complex"))

    def __index__(self):
        return self.read_value().__index__()

    def __hash__(self):
        raise error("not-possible",
                    TypeError(f"Variable is unhashable. Instead, use variable.ref() as the key. (Variable: {self!r})"),
                    why="a key of a dict or set must not depend on how elements compare.",
                    fix="use x.ref() as the key; .deref() gives the tensor back.")

    def __repr__(self):
        return (f"<tf.Variable '{self._shown or self.name}' shape={self._static_shape} dtype={self.dtype.name}, "
                f"numpy={text_of(self._leaf, True)}>")

    def __iadd__(self, other):
        raise _no_inplace("+=", "assign_add", "+")

    def __isub__(self, other):
        raise _no_inplace("-=", "assign_sub", "-")

    def __imul__(self, other):
        raise _no_inplace("*=", "assign", "*", "variable * ")

    def __itruediv__(self, other):
        raise _no_inplace("/=", "assign", "/", "variable / ")

    def __ipow__(self, other):
        raise _no_inplace("**=", "assign", "**", "variable ** ")

    def __deepcopy__(self, memo):
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._leaf, new._number, new._dual = wrap(self._leaf._data), _numbers(), None
        memo[id(self)] = new
        return new

    def __reduce__(self):
        return _restore, (np.asarray(self.numpy()), self.trainable, self._name)

    def __getattr__(self, name):
        if name in ("op", "graph"):
            raise AttributeError(f"Tensor.{name} is undefined when eager execution is enabled.")
        raise AttributeError(f"'ResourceVariable' object has no attribute '{name}'")


class UnreadVariable(Variable):
    """What `assign` returns: the same variable, shown under another name."""

    _shown = "UnreadVariable"

    def __init__(self, variable):
        self.__dict__ = variable.__dict__


Variable.__name__ = Variable.__qualname__ = "ResourceVariable"
Variable.__module__ = UnreadVariable.__module__ = "tensorflow.python.ops.resource_variable_ops"
UnreadVariable.__name__ = UnreadVariable.__qualname__ = "_UnreadVariable"
_unread = UnreadVariable


def watch(record, variable):
    """Have a tape watch a variable from now on."""
    record.variables[variable._number] = variable
    if dtypes.is_differentiable(variable._leaf._value.dtype):
        record.watch(variable._leaf if variable._dual is None else variable._dual)


def _still_open(variable):
    """The dual of a ForwardAccumulator that is still open, or None."""
    t = variable._dual
    if isinstance(t, LiftedTensor) and type(t._value) is Dual and t._value.level in modes.dual:
        return t
    variable._dual = None
    return None


def _plain_value(t):
    """The array of a kobai Tensor, which nobody will write to."""
    v = number_or_array(t)
    return np.array(v) if isinstance(v, (str, bytes)) else v


def _put(array, index, values):
    array[index] = values


def _positions(indices):
    i = np.asarray(_plain_value(value_of(indices)))
    return tuple(np.moveaxis(i, -1, 0))


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def _no_inplace(operator, method, plain, before=""):
    return error("not-possible", RuntimeError(
        f"`variable {operator} value` with `tf.Variable`s is not supported. Use `variable.{method}({before}value)` to "
        f"modify the variable, or `out = variable {plain} value` if you need to get a new output Tensor."),
        operator=operator, method=method, given=before + "value",
        why="`variable {operator} value` would put a tensor in place of the variable.",
        fix="variable.{method}({given})")


def _restore(array, trainable, name):
    return Variable(array, trainable=trainable, name=name)


def is_variable(x):
    """Whether `x` is a variable of TensorFlow's or one of Keras's."""
    return isinstance(x, Variable) or hasattr(x, "_read") and not isinstance(x, EagerTensor)
