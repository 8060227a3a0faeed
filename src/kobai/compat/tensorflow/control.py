"""tf.function, branches, loops and maps: here they are Python's own, executed at once."""
from __future__ import annotations

import builtins
import functools

import numpy as np

from ... import func
from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes, nest, tracing
from .errors import InvalidArgumentError, OutOfRangeError
from .names import export
from .random_ops import function_seeds
from .shapes import TensorShape
from .shaping import stack, unstack
from .tensors import box
from .values import convert_to_tensor, is_tensor_like, value_of


# ---- tf.function -----------------------------------------------------------------------------
@export("function")
def function(func=None, input_signature=None, autograph=True, jit_compile=None, reduce_retracing=False,
             experimental_implements=None, experimental_autograph_options=None, experimental_attributes=None,
             experimental_relax_shapes=None, experimental_compile=None, experimental_follow_type_hints=None):
    """Decorate a function of tensors. It runs as Python at every call; `print` writes where TensorFlow would trace.

    >>> import kobai.compat.tensorflow as tf
    >>> @tf.function
    ... def double(x):
    ...     return x * 2
    >>> print(double(3))
    tf.Tensor(6, shape=(), dtype=int32)
    """
    def decorate(f):
        return Function(f, input_signature)
    return decorate if func is None else decorate(func)


class Function:
    """A function that `tf.function` decorated: arrays among its arguments, and what it returns, become tensors."""

    def __init__(self, python_function, input_signature=None, instance=None):
        self.python_function, self.input_signature, self._instance = python_function, input_signature, instance
        self._streams = {}  # how far its random operations have come
        self._traced: set = set()  # the kinds of arguments that TensorFlow would have traced it for
        functools.update_wrapper(self, python_function)

    def __call__(self, *args, **kwargs):
        if self.input_signature is not None:
            args = self._checked(args)
        args = nest.map_structure(_as_input, args)
        kwargs = {k: _as_input(v) for k, v in kwargs.items()}
        if self._instance is not None:
            args = (self._instance, *args)
        if tracing.eagerly[0]:
            return self.python_function(*args, **kwargs)
        kinds = tracing.kinds_of(args, kwargs) if self.input_signature is None else id(self._instance)
        known = kinds in self._traced
        self._traced.add(kinds)
        with function_seeds(self._streams), tracing.running(known):
            if known:
                return _outputs(self.python_function(*args, **kwargs))
            with tracing.placeholders(args, kwargs, self._names(len(args)), self.input_signature) as (a, k):
                return _outputs(self.python_function(*a, **k))

    def _names(self, n):
        """The names of the first parameters; of further arguments as TensorFlow calls them."""
        code = getattr(self.python_function, "__code__", None)
        names = code.co_varnames[:code.co_argcount] if code is not None else ()
        return [*names[:n], *(f"args_{i}" for i in range(n - len(names)))]

    def _checked(self, args):
        specs = self.input_signature
        if len(args) > len(specs):
            raise error("argument-count", TypeError(
                f"{self.__name__}() takes {len(specs)} positional arguments (see its input_signature), got "
                f"{len(args)}"),
                what="the list of arguments", count=len(args), need="at most {n}", n=len(specs),
                fix="pass {n} arguments, or extend input_signature.")
        out = []
        for a, s in zip(args, specs):
            if isinstance(s, TensorSpec):
                a = a if is_tensor_like(a) else convert_to_tensor(a, s.dtype)
                if not s.is_compatible_with(a):
                    raise error("argument-type", TypeError(
                        f"Binding inputs to tf.function failed due to `Can not cast {TensorSpec.from_tensor(a)}"
                        f" to {s}`. Received args: {args} and kwargs: {{}}."),
                        what="an argument", kind=str(TensorSpec.from_tensor(a)),
                        must="what input_signature says", spec=str(s),
                        why="an argument is {kind}, and input_signature says {spec}.",
                        fix="cast or reshape the argument, or change input_signature: None in its shape "
                            "allows any size.")
            out.append(a)
        return out

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        bound = Function(self.python_function, self.input_signature, instance)
        bound._streams, bound._traced = self._streams, self._traced
        return bound

    def get_concrete_function(self, *args, **kwargs):
        """This function: there is only one, for all dtypes and shapes."""
        return self

    def experimental_get_tracing_count(self):
        """For how many kinds of arguments TensorFlow would have traced it."""
        return len(self._traced)

    pretty_printed_signature = property(lambda self: f"{self.__name__}{self.input_signature or ()}")
    experimental_get_compiler_ir = None

    def __repr__(self):
        return ("<tensorflow.python.eager.polymorphic_function.polymorphic_function.Function object at "
                f"{hex(id(self))}>")


def _as_input(v):
    return convert_to_tensor(v) if isinstance(v, (np.ndarray, np.generic)) else v


def _outputs(result):
    """What a function returns: numbers and arrays as tensors; objects as they are."""
    if isinstance(result, (bool, int, float, complex, str, np.ndarray, np.generic)):
        return convert_to_tensor(result)
    if hasattr(result, "_read"):
        return result.read_value() if hasattr(result, "read_value") else box(value_of(result))
    if isinstance(result, (list, tuple, dict)):
        return nest.pack_sequence_as(result, [_outputs(v) for v in nest.flatten(result)])
    return result


@export("TensorSpec")
class TensorSpec:
    """The shape (None: any size) and dtype that a tensor must have."""

    def __init__(self, shape, dtype=dtypes.float32, name=None):
        self.shape, self.dtype, self.name = TensorShape(shape), dtypes.as_dtype(dtype), name

    @classmethod
    def from_tensor(cls, tensor, name=None):
        """The spec that fits one tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec, name=None):
        """A copy, perhaps under another name."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    def is_compatible_with(self, value):
        """Whether a tensor fits."""
        value = value if hasattr(value, "shape") and hasattr(value, "dtype") else convert_to_tensor(value)
        return self.dtype == value.dtype and self.shape.is_compatible_with(value.shape)

    def __eq__(self, other):
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self):
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


# ---- branches and loops ----------------------------------------------------------------------
def _true(pred):
    return bool(pred() if callable(pred) else pred)


@export("cond")
def cond(pred, true_fn=None, false_fn=None, name=None):
    """`true_fn()` if the predicate holds, else `false_fn()`."""
    return (true_fn if _true(pred) else false_fn)()


@export("case")
def case(pred_fn_pairs, default=None, exclusive=False, strict=False, name="case"):
    """The value of the first function whose predicate holds."""
    for pred, fn in pred_fn_pairs:
        if _true(pred):
            return fn()
    if default is None:
        raise error("not-possible", InvalidArgumentError(
            None, None, "Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized "
            "data: b'Input error: None of conditions evaluated as True:'"),
            why="no predicate is true, and there is no default.",
            fix="pass default=, a function that gives the value for all other cases.")
    return default()


@export("switch_case")
def switch_case(branch_index, branch_fns, default=None, name="switch_case"):
    """The value of the function with this number; of the default (or the last) if there is none."""
    fns = dict(branch_fns if isinstance(branch_fns, dict) or isinstance(branch_fns[0], (list, tuple))
               else enumerate(branch_fns))
    fn = fns.get(int(branch_index), default or fns[max(fns)])
    return fn()


@export("while_loop")
def while_loop(cond, body, loop_vars, shape_invariants=None, parallel_iterations=10, back_prop=True, swap_memory=False,
               maximum_iterations=None, name=None):
    """Replace `loop_vars` by `body(*loop_vars)` as long as `cond(*loop_vars)` holds."""
    values, turns = loop_vars if isinstance(loop_vars, (list, tuple)) else [loop_vars], 0
    while bool(cond(*values)) and (maximum_iterations is None or turns < int(maximum_iterations)):
        values, turns = body(*values), turns + 1
        if not isinstance(values, (list, tuple)):
            values = (values,)
    values = nest.map_structure(_loop_value, values)
    return values if isinstance(loop_vars, (list, tuple)) else values[0]


def _loop_value(v):
    return v if isinstance(v, TensorArray) else convert_to_tensor(v)


@export("map_fn")
def map_fn(fn, elems, dtype=None, parallel_iterations=None, back_prop=True, swap_memory=False, infer_shape=True,
           name=None, fn_output_signature=None):
    """`fn` of each slice along the first dimension, stacked."""
    rows = _rows(elems)
    found = [fn(row) for row in rows]
    return _stacked(found)


def _rows(elems):
    """The slices of nested tensors along the first dimension."""
    leaves = [unstack(t) for t in nest.flatten(elems)]
    return [nest.pack_sequence_as(elems, row) for row in zip(*leaves)]


def _stacked(found):
    columns = zip(*[nest.flatten(v) for v in found])
    return nest.pack_sequence_as(found[0], [stack(list(c)) for c in columns])


@export("vectorized_map")
def vectorized_map(fn, elems, fallback_to_while_loop=True, warn=True):
    """`fn` of each slice along the first dimension, all at once."""
    leaves = [value_of(t) for t in nest.flatten(elems)]
    form = {}

    def one(*slices):
        out = fn(nest.pack_sequence_as(elems, [box(t) for t in slices]))
        form["out"] = out
        return tuple([value_of(v) for v in nest.flatten(out)])
    found = func.vmap(one)(*leaves)
    return nest.pack_sequence_as(form["out"], [box(t) for t in found])


@export("foldl")
def foldl(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """fn(... fn(fn(initializer, first), second) ..., last)."""
    rows = _rows(elems)
    value = rows.pop(0) if initializer is None else nest.map_structure(convert_to_tensor, initializer)
    for row in rows:
        value = fn(value, row)
    return value


@export("foldr")
def foldr(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """As `foldl`, from the last slice to the first."""
    rows = _rows(elems)[::-1]
    value = rows.pop(0) if initializer is None else nest.map_structure(convert_to_tensor, initializer)
    for row in rows:
        value = fn(value, row)
    return value


@export("scan")
def scan(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, infer_shape=True,
         reverse=False, name=None):
    """All the values of a fold, stacked."""
    rows = _rows(elems)
    if reverse:
        rows.reverse()
    value = rows.pop(0) if initializer is None else nest.map_structure(convert_to_tensor, initializer)
    found = [value] if initializer is None else []
    for row in rows:
        value = fn(value, row)
        found.append(value)
    return _stacked(found[::-1] if reverse else found)


@export("numpy_function")
def numpy_function(func=None, inp=None, Tout=None, stateful=True, name=None):
    """A function of NumPy arrays on tensors. It has no gradient."""
    out = func(*[convert_to_tensor(v).numpy() for v in inp])
    if isinstance(Tout, (list, tuple)):
        return [convert_to_tensor(np.asarray(v)) for v in out]
    return None if out is None else convert_to_tensor(np.asarray(out))


@export("py_function")
def py_function(func=None, inp=None, Tout=None, name=None):
    """A function of tensors, called at once."""
    return _outputs(func(*inp))


@export("group")
def group(*inputs, **kwargs):
    """Nothing is left to do: all operations have run."""


@export("no_op")
def no_op(name=None):
    """Nothing."""


@export("tuple")
def tuple_(tensors, control_inputs=None, name=None):
    """The tensors in a list."""
    return list(tensors)


# ---- TensorArray -----------------------------------------------------------------------------
@export("TensorArray")
class TensorArray:
    """A list of tensors that is written element by element: `ta = ta.write(i, x)`."""

    def __init__(self, dtype, size=None, dynamic_size=None, clear_after_read=None, tensor_array_name=None, handle=None,
                 flow=None, infer_shape=True, element_shape=None, colocate_with_first_write_call=True, name=None):
        self.dtype, self.dynamic_size = dtypes.as_dtype(dtype), bool(dynamic_size)
        self.element_shape = TensorShape(element_shape)
        self._items = [None] * (0 if size is None else int(size))

    def write(self, index, value, name=None):
        """Set the element at `index`; returns the array."""
        i = int(index)
        if i >= len(self._items):
            if not self.dynamic_size:
                raise error("position-range", OutOfRangeError(
                    None, None, f"Tried to write to index {i} but array is not resizeable and size is: "
                    f"{len(self._items)}"),
                    what="index", value=i, size=len(self._items),
                    why="the index is {value}, and the array has {size} elements.",
                    fix="give it a larger size, or tf.TensorArray(..., dynamic_size=True).")
            self._items += [None] * (i + 1 - len(self._items))
        self._items[i] = convert_to_tensor(value, None if is_tensor_like(value) else self.dtype)
        return self

    def read(self, index, name=None):
        """The element at `index`."""
        i = int(index)
        if i >= len(self._items):
            raise error("position-range", OutOfRangeError(
                None, None, f"Tried to read from index {i} but array size is: {len(self._items)} "),
                what="index", value=i, size=len(self._items),
                why="the index is {value}, and the array has {size} elements.",
                fix="write the element first; array.size() says how many there are.")
        return self._items[i]

    def stack(self, name=None):
        """All elements along a new first dimension."""
        if not self._items:
            return box(wrap(np.zeros((0, *(self.element_shape.dims or ())), self.dtype.np)))
        empty = next((t for t in self._items if t is not None), None)
        return stack([box(m.zeros_like(value_of(empty).detach())) if t is None else t for t in self._items])

    def concat(self, name=None):
        """All elements one after the other."""
        return box(m.cat([value_of(t) for t in self._items], 0))

    def unstack(self, value, name=None):
        """Take the slices of a tensor as the elements; returns the array."""
        self._items = unstack(value)
        return self

    def gather(self, indices, name=None):
        """Some elements along a new first dimension."""
        return stack([self._items[int(i)] for i in np.asarray(value_of(indices)._value)])

    def scatter(self, indices, value, name=None):
        """Write the slices of a tensor at positions; returns the array."""
        for i, v in builtins.zip(np.asarray(value_of(indices)._value), unstack(value)):
            self.write(int(i), v)
        return self

    def size(self, name=None):
        """The number of elements, as a tensor."""
        return box(wrap(np.int32(len(self._items))))


