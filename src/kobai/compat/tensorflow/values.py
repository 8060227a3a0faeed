"""From what programs write to tensors: numbers, lists, arrays, variables; TensorFlow's rules of conversion."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import Tensor as _Tensor, wrap
from . import dtypes
from .errors import UnimplementedError, invalid, mismatch, wrong_axis
from .names import export
from .recording import live
from .shapes import TensorShape, sizes_of
from .tensors import Tensor, box

_NUMBERS = {bool: dtypes.bool_, int: dtypes.int32, float: dtypes.float32, complex: dtypes.NAMES["complex128"]}


def is_tensor_like(x):
    """Whether `x` is a tensor, a variable, or something that gives one."""
    return isinstance(x, Tensor) or hasattr(x, "_read")


def value_of(x, dtype=None, hint=None):
    """The kobai Tensor of anything that TensorFlow takes for a tensor.

    Args: `dtype`, a DType that it must have; `hint`, one that numbers and arrays get if they fit.
    """
    if isinstance(x, Tensor):
        t = x._t
        if t._rg or type(t) is not _Tensor:
            t = live(t)
    elif hasattr(x, "_read"):
        t = x._read()
    else:
        return _converted(x, dtype, hint)
    if dtype is not None and t._value.dtype != dtype.np:
        have = dtypes.of(t._value.dtype).name
        raise _never_converted(ValueError(f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {have}: "
                                          f"{x!r}"), have, dtype.name)
    return t


def _never_converted(plain, dtype, wanted):
    return error("tensor-dtype", plain, dtype=dtype, wanted=wanted, fix="tf.cast(x, tf.{wanted})",
                 why="a tensor has dtype {dtype}, and {wanted} is needed; TensorFlow never converts a dtype by itself.")


def _no_value(plain, x, dtype):
    return error("argument-value", plain, value=x, dtype=dtype, why="{value} is no value of dtype {dtype}.",
                 fix="leave out dtype=, or convert the value first: int(x), float(x), str(x).")


def _converted(x, dtype, hint):
    if hasattr(x, "__tf_tensor__"):
        return value_of(x.__tf_tensor__(dtype), dtype, hint)
    if isinstance(x, _Tensor):  # one of torch's
        return wrap(array_of(x.detach().numpy(), dtype))
    if isinstance(x, (list, tuple)) and _holds_tensors(x):
        return _packed(x, dtype, hint)
    if hint is not None and dtype is None:
        try:
            return wrap(array_of(x, hint))
        except (TypeError, ValueError):
            pass
    return wrap(array_of(x, dtype))


def _holds_tensors(values):
    return any(is_tensor_like(v) or isinstance(v, (list, tuple)) and _holds_tensors(v) for v in values)


def _packed(values, dtype, hint=None):
    """A list with tensors in it: stacked, so that gradients reach them."""
    first = _first_tensor(values)
    dtype = dtype or dtypes.of(value_of(first)._value.dtype)
    parts = [value_of(v, dtype) if is_tensor_like(v) or not isinstance(v, (list, tuple)) or not _holds_tensors(v)
             else _packed(v, dtype) for v in values]
    shapes = {p._value.shape for p in parts}
    if len(shapes) > 1:
        a, b = sorted(shapes, key=[p._value.shape for p in parts].index)[:2]
        raise error("shapes-differ",
                    invalid("Pack", f"Shapes of all inputs must match: values[0].shape = {list(a)} != "
                            f"values[{next(i for i, p in enumerate(parts) if p._value.shape == b)}].shape = {list(b)}"),
                    what="the first", shape=tuple(a), other="another", other_shape=tuple(b),
                    must="both must have the same shape")
    return m.stack(parts)


def _first_tensor(values):
    for v in values:
        if is_tensor_like(v):
            return v
        if isinstance(v, (list, tuple)) and _holds_tensors(v):
            return _first_tensor(v)


# ---- Python and NumPy values -----------------------------------------------------------------
def array_of(x, dtype=None):
    """A NumPy array (or scalar) of a value that is no tensor, with TensorFlow's choice of dtype."""
    known = _NUMBERS.get(type(x))
    if known is not None:
        return _number(x, dtype or known, dtype)
    if isinstance(x, np.generic):
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        return _of_array(x, dtype)
    if isinstance(x, (str, bytes)):
        if dtype not in (None, dtypes.string):
            raise _no_value(TypeError(f"Cannot convert {x!r} to EagerTensor of dtype {dtype.long_name}"), x, dtype.name)
        return np.array(_bytes(x), object)
    if isinstance(x, TensorShape):
        return np.array(x.as_list(), (dtype or dtypes.int32).np)
    if isinstance(x, (list, tuple, range)):
        return _of_list(x, dtype)
    if x is not None and hasattr(x, "__array__"):
        return _of_array(np.asarray(x), dtype)
    raise error("argument-type",
                ValueError(f"Attempt to convert a value ({x}) with an unsupported type ({type(x)}) to a Tensor."),
                what="the value", kind=type(x), must="a number, a text, an array, or lists of them")


def _number(x, d, asked):
    kind = d.np.kind
    if kind == "O" or kind == "b" and not isinstance(x, bool) or kind in "iu" and not isinstance(x, (bool, int)) \
            or isinstance(x, complex) and kind != "c":
        raise _no_value(TypeError(f"Cannot convert {x!r} to EagerTensor of dtype {d.long_name}"), x, d.name)
    if kind in "iu" and not isinstance(x, bool):
        if asked is None and not -2 ** 31 <= x < 2 ** 31:
            d = dtypes.int64
        if not -2 ** 63 <= x < 2 ** 64:
            raise error("argument-value",
                        ValueError("Can't convert Python sequence with out-of-range integer to Tensor."),
                        what="the value", value=x, why="a whole number in it needs more than 64 bits.",
                        fix="write it as a float: 1e30.")
        return np.array(x).astype(d.np)[()]  # what does not fit wraps around, as in C
    return d.np.type(x)


def _bytes(x):
    return x.encode() if isinstance(x, str) else x


def _of_array(x, dtype):
    if x.dtype.kind in "SUO":
        return _of_texts(x, dtype)
    if dtype is None:
        try:
            dtype = dtypes.of(x.dtype)
        except KeyError:
            raise error("argument-type",
                        ValueError(f"Failed to convert a NumPy array to a Tensor (Unsupported numpy type {x.dtype})."),
                        what="the array", kind=str(x.dtype), must="an array of numbers, texts or truth values",
                        fix="convert it: x.astype('float32').") from None
    if dtype is dtypes.string:
        raise _no_value(TypeError(f"Cannot convert {x} to EagerTensor of dtype string"), x.tolist(), "string")
    x = np.array(x, dtype.np, order="C")
    return x if x.shape else x[()]


def _of_texts(x, dtype):
    """Strings; or numbers that stand in an array of objects."""
    flat = x.reshape(-1).tolist()
    if all(isinstance(v, (str, bytes)) for v in flat):
        if dtype not in (None, dtypes.string):
            raise _no_value(TypeError(f"Cannot convert {x} to EagerTensor of dtype {dtype.long_name}"), flat,
                            dtype.name)
        out = np.empty(x.shape, object)
        out.reshape(-1)[:] = [_bytes(v) for v in flat]
        return out
    if all(isinstance(v, (bool, int, float, np.number)) for v in flat):
        return array_of(x.tolist(), dtype)
    bad = next(v for v in flat if not isinstance(v, (bool, int, float, np.number)))
    raise error("argument-type", ValueError(
        f"Failed to convert a NumPy array to a Tensor (Unsupported object type {type(bad).__name__})."),
        what="an element of the array", kind=type(bad), must="a number or a text",
        fix="rows of different lengths make such arrays: fill them up to one length.")


def _of_list(x, dtype):
    kinds, first = _kinds(x)
    _check_kinds(x, kinds, dtype)
    try:
        a = np.array(x)
    except ValueError:
        raise error("argument-value", ValueError("Can't convert non-rectangular Python sequence to Tensor."),
                    what="the value", value=x, why="the rows of the value have different lengths.",
                    fix="fill them up to one length, or use tf.ragged.constant(rows).") from None
    except OverflowError:
        raise error("argument-value", ValueError("Can't convert Python sequence with out-of-range integer to Tensor."),
                    what="the value", value=x, why="a whole number in it needs more than 64 bits.",
                    fix="write it as a float: 1e30.") from None
    if a.dtype.kind in "SUO":
        return _of_texts(np.array(x, object), dtype)
    if dtype is None:
        dtype = _dtype_of_list(a, first)
    return a.astype(dtype.np)


def _kinds(x):
    """The kinds of number in nested lists, and the first number."""
    kinds, first, stack = set(), None, [x]
    while stack:
        v = stack.pop()
        if isinstance(v, (list, tuple)):
            stack.extend(reversed(v))
            continue
        if first is None:
            first = v
        if isinstance(v, np.ndarray) or hasattr(v, "dtype"):
            kinds.add(np.asarray(v).dtype.kind)
        elif isinstance(v, (str, bytes)):
            kinds.add("S")
        elif v is None:
            kinds.add("N")
        else:
            known = _NUMBERS.get(type(v))
            kinds.add(known.np.kind if known else "?")
    return kinds, first


def _check_kinds(x, kinds, dtype):
    numbers = kinds - {"S", "U", "O", "N"}
    if "N" in kinds and not numbers or "?" in kinds and "N" in kinds:
        raise error("argument-type", ValueError(
            f"Attempt to convert a value (None) with an unsupported type ({type(None)}) to a Tensor."),
            what="the value", kind=type(None), why="there is a None among the values.",
            fix="look where it comes from: a function without a `return` gives None.")
    if numbers and kinds - numbers or "b" in numbers and numbers - {"b"} and isinstance(_kinds(x)[1], bool):
        raise error("argument-value", ValueError("Can't convert Python sequence with mixed types to Tensor."),
                    what="the value", value=x, why="numbers, texts or truth values stand in one list.",
                    fix="make all of one type: [float(v) for v in x].")
    if dtype is None or not kinds:
        return
    kind = dtype.np.kind
    if kind in "iu" and "f" in kinds or kind == "b" and kinds - {"b"} or kind == "O" and numbers \
            or kind != "O" and kinds & {"S"} or kind not in "cO" and "c" in kinds:
        raise _no_value(TypeError(f"Cannot convert {x!r} to EagerTensor of dtype {dtype.long_name}"), x, dtype.name)


def _dtype_of_list(a, first):
    if isinstance(first, np.ndarray) or isinstance(first, np.floating) and a.dtype.kind == "f":
        return dtypes.of(a.dtype)
    if a.dtype.kind in "iu" and not isinstance(first, (np.uint64, np.uint32)):
        fits = not a.size or -2 ** 31 <= a.min() and a.max() < 2 ** 31
        return dtypes.int32 if fits else dtypes.int64
    return dtypes.float32 if a.dtype.kind == "f" else dtypes.of(a.dtype)


# ---- several inputs of one operation ---------------------------------------------------------
def same_dtype(op, *values):
    """The kobai Tensors of all `values`, which must have one dtype: that of the first tensor among them."""
    first = next((v for v in values if is_tensor_like(v)), None)
    hint = None if first is None else dtypes.of(value_of(first)._value.dtype)
    found = []
    for v in values:
        t = value_of(v, hint=hint)
        if hint is None:
            hint = dtypes.of(t._value.dtype)
        found.append(t)
    want = found[0]._value.dtype
    for i, t in enumerate(found):
        if t._value.dtype != want:
            raise mismatch(op, i, dtypes.of(want), dtypes.of(t._value.dtype))
    return found


def inputs_of(op, values):
    """As `same_dtype`, for an operation of many inputs given in a list."""
    if is_tensor_like(values):
        return list(m.unbind(value_of(values), 0))
    return same_dtype(op, *values)


def axis_of(axis, ndim, op, what="axis"):
    """`axis` counted from the front. Raises InvalidArgumentError if the tensor has no such dimension."""
    axis = int(axis)
    if not -max(ndim, 1) <= axis < max(ndim, 1):
        raise wrong_axis(invalid(op, f"Expected {what} in the range [{-ndim}, {ndim}), but got {axis}"), axis, ndim)
    return axis % ndim if ndim else 0


# ---- public ----------------------------------------------------------------------------------
@export("constant")
def constant(value, dtype=None, shape=None, name="Const"):
    """A tensor of a number, text, array or nested lists of them.

    >>> constant([[1, 2], [3, 4]], dtype="float32")
    <tf.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[1., 2.],
           [3., 4.]], dtype=float32)>

    Raises: TypeError if the value does not fit `dtype`, ValueError for ragged or mixed lists.
    """
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, Tensor) and dtype is not None and value.dtype != dtype:
        raise _never_converted(TypeError(f"Expected tensor {value.numpy()} with dtype {dtype!r}, but got dtype "
                                         f"{value.dtype!r}."), value.dtype.name, dtype.name)
    t = value_of(value, dtype)
    if shape is None:
        return value if isinstance(value, Tensor) else box(t)
    shape = sizes_of(shape)
    have, want = t._value.size, int(np.prod(shape, dtype=np.int64))
    if have == 1:
        return box(m.expand_to(m.reshape(t, (1,) * len(shape)), shape) if shape else m.reshape(t, ()))
    if have != want:
        raise error("argument-value", TypeError(
            f"Eager execution of tf.constant with unsupported shape. Tensor {t._value} (converted from "
            f"{value!r}) has {have} elements, but got `shape` {shape} with {want} elements)."),
            what="shape", value=shape, have_count=have, known=want,
            why="the value has {have_count} elements, and shape {value} has {known}.",
            fix="choose sizes whose product is {have_count}.")
    return box(m.reshape(t, shape))


@export("convert_to_tensor")
def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None):
    """`value` as a tensor; a tensor is returned as it is.

    Raises: ValueError if a tensor has another dtype than `dtype`.
    """
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    hint = None if dtype_hint is None else dtypes.as_dtype(dtype_hint)
    if isinstance(value, Tensor) and (dtype is None or value.dtype == dtype):
        return value
    t = value_of(value, dtype, hint)
    return box(m.identity(t) if t._node is None and t._rg else t)  # a variable that was read is another tensor


@export("is_tensor")
def is_tensor(x):
    """Whether `x` is a tensor or variable."""
    return is_tensor_like(x)


@export("get_static_value")
def get_static_value(tensor, partial=False):
    """The NumPy value of a tensor."""
    return tensor.numpy()


@export("cast", "dtypes.cast")
def cast(x, dtype, name=None):
    """`x` in another dtype; floats lose their fraction on the way to integers."""
    d = dtypes.as_dtype(dtype)
    if hasattr(x, "with_values"):  # slices
        return x.with_values(cast(x.values, d))
    t = value_of(x)
    if t._value.dtype == d.np:
        return x if isinstance(x, Tensor) else box(t)
    if d is dtypes.string or t._value.dtype.kind == "O":
        raise error("operation-inputs", UnimplementedError(None, None, invalid(
            "Cast", f"Cast {dtypes.of(t._value.dtype).long_name} to {d.long_name} is not supported").message),
                    why="texts and numbers are not cast to each other.",
                    fix="tf.strings.as_string(x) or tf.strings.to_number(x)")
    return box(m.cast(t, d.np))


@export("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value, dtype, name=None):
    """`value` in another dtype, cut to what that can hold."""
    d, t = dtypes.as_dtype(dtype), value_of(value)
    if d.is_integer:
        t = m.clamp(t, float(d.min) if t._value.dtype.kind == "f" else d.min, d.max)
    return cast(box(t), d)
