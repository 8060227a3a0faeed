"""Reading arguments as PyTorch reads them: sizes, dtypes, numbers."""
from __future__ import annotations

from operator import index

import numpy as np

from .. import dtypes
from ..autograd.mode import modes, runs
from ..devices import check as check_device
from ..diagnose.errors import error
from ..tensor import Tensor

_PYTHON = {float: dtypes.float64, int: dtypes.int64, bool: dtypes.bool_, complex: dtypes.complex128}


def as_dtype(d, default=None, fn="tensor"):
    """The dtype of a `dtype=` argument: kobai's, or Python's float, int, bool, complex; None: `default`."""
    if d is None:
        return default
    if isinstance(d, dtypes.dtype):
        return d
    found = _PYTHON.get(d) if isinstance(d, type) else None
    if found is None:
        raise error("dtype-argument", fn=fn, kind=type(d).__name__, value=repr(d))
    return found


def wrapped(d, number):
    """A Python number in the NumPy dtype `d`; integers that are out of range wrap around, as in C."""
    try:
        return d.type(number)
    except OverflowError:
        return np.asarray(number).astype(d)[()]


def kind_of(v):
    """The name of a value's type as PyTorch's messages have it.

    >>> kind_of("a"), kind_of(np.bool_(True))
    ('str', 'numpy.bool')
    """
    kind = type(v)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def sizes(args, fn, name="size"):
    """A shape given as f(2, 3), f((2, 3)), f([2, 3]) or f(torch.Size([2, 3])).

    Raises TypeError for what is no integer, RuntimeError for negative sizes, as PyTorch does.
    """
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        shape, inside = args[0], True
    elif len(args) > 1 and isinstance(args[0], (tuple, list)):
        raise error("call-form", TypeError(f"{fn}() takes 1 positional argument but {len(args)} were given"),
                    form=f"{fn}({', '.join(map(str, (*args[0], *args[1:])))})",
                    why="a shape is one tuple or separate numbers, not both.", fix="write {form}.")
    else:
        shape, inside = args, False
    shape = whole(shape, fn, name, inside)
    for n in shape:
        if n < 0:
            raise error("size-negative-zeros" if fn == "zeros" else "size-negative", shape=str(list(shape)), least=n)
    return tuple(shape)


def whole(numbers, fn, name, inside=False, place=1):
    """Whole numbers, as ints; the TypeError of PyTorch for what is none."""
    for n in numbers:
        if n.__class__ is not int:
            return tuple([_index(v, i, fn, name, inside, place) for i, v in enumerate(numbers)])
    return numbers


def _index(v, position, fn, name, inside, place):
    try:
        if isinstance(v, bool) or isinstance(v, Tensor) and v.dtype.is_floating_point:
            raise TypeError
        return index(v)
    except TypeError:
        pass
    kind = kind_of(v)
    if inside and position == 0:
        text = f"{fn}(): argument '{name}' (position {place}) must be tuple of ints, but found element of type {kind} at pos 0"
    elif fn == "view":
        text = f"view() received an invalid combination of arguments - got ({kind})"
    elif position == 0:
        text = f"{fn}(): argument '{name}' (position {place}) must be tuple of ints, not {kind}"
    else:
        text = f"{fn}(): argument '{name}' failed to unpack the object at pos {position + 1} with error " \
               f"\"type must be tuple of ints,but got {kind}\""
    raise error("argument-type", TypeError(text), what=name, value=v,
                why="{value} is not a whole number, and {what} consists of whole numbers.",
                fix="use whole numbers, such as int({value}), or n // 2 where n / 2 makes a float.")


def each_once(dims, name, given):
    """The dimensions `dims`, counted from the front; RuntimeError if the argument `name`, `given`, has one twice."""
    if len(set(dims)) != len(dims):
        twice = next(d for d in dims if dims.count(d) > 1)
        raise error("argument-value", RuntimeError(f"dim {twice} appears multiple times in the list of dims"),
                    what=name, value=given, dim=twice, why="dimension {dim} is named more than once.",
                    fix="name each dimension once; -1 is the last one.")
    return dims


def no_dimension(wrong, what="input"):
    """The error `wrong`, in PyTorch's words: the argument `what` has no dimension, and one is needed."""
    return error("tensor-dims", wrong, what=what, shape=(), need="at least {n}", n=1,
                 fix="a tensor without dimensions is one number: x.item() gives it, x.reshape(1) gives it a dimension.")


def number(v, fn, name, position=1):
    """A Python number from a number or a tensor of one element."""
    if isinstance(v, (bool, int, float, complex)):
        return v
    if isinstance(v, Tensor):
        if v._value.shape == () and not (v.requires_grad and v._node is None):
            return v.item()
    elif hasattr(v, "item") and getattr(v, "shape", None) == ():
        return v.item()
    raise error("argument-type", TypeError(
        f"{fn}(): argument '{name}' (position {position}) must be Number, not {type(v).__name__}"), what=name,
        kind=type(v), must="a number", fix="pass a number as {what}; x.item() makes one of a tensor of one element.")


def check_options(device=None, layout=None, meta=False):
    """The options that every creation function takes; whether the tensor is to be on the device "meta".

    With `meta=False`, for functions that have none there, that is an error.
    """
    if device is not None:
        on_meta = check_device(device, meta).type == "meta"
    else:
        on_meta = runs.devices and modes.device is not None
    if layout is not None and repr(layout) != "torch.strided":
        raise error("not-in-kobai", RuntimeError(f"unsupported layout: {layout!r}"), kind=repr(layout),
                    why="kobai makes ordinary (strided) tensors here, none of layout {kind}.",
                    fix="leave out layout= and convert the result: x.to_sparse() or x.to_sparse_csr().")
    return on_meta
