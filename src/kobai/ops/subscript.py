"""x[...] and x[...] = v.

Ints, slices, None and Ellipsis are views, one after the other, as in PyTorch; what tensors of positions
and masks are left then make one Index.
"""
from __future__ import annotations

import warnings
from operator import index as to_int

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error, user_level
from ..dtypes import type_word
from ..inplace import changed, refuse_leaf
from ..op import apply_view, dtype_of, m
from ..public import by_form, export, public
from ..tensor import LiftedTensor, Tensor, constant, wrap
from .arguments import no_dimension
from .construct import array_of
from .creation import scalar
from .index import Index, IndexPut, put
from .movement import Identity, Select, Slice, Unsqueeze


def getitem(self, index):
    """self[index]: ints, slices, None, ..., tensors or lists of positions, masks."""
    kind, shape = index.__class__, self._value.shape
    if kind is int and shape:  # the usual cases first
        n = shape[0]
        if -n <= index < n:
            return apply_view(Select(0, index + n if index < 0 else index), self)
    elif kind is slice and shape:
        return apply_view(_slice(index, 0, shape[0]), self)
    elif kind is Tensor and shape and index._data.dtype == np.int64 and index._data.ndim:
        return Index((0,))(self, index)
    elif index is None:
        return apply_view(Unsqueeze(0), self)
    elif kind is list and shape and {*map(type, index)} == _INTS and max(index) < _MOST > -min(index):
        return Index((0,))(self, constant(wrap(np.array(index, np.int64))))
    return _of_several(self, index)


@by_form
def _of_several(self, index):
    """self[index] where several things are asked for, or none of the usual ones."""
    shape = self._value.shape
    if index.__class__ is tuple and 1 < len(index) <= len(shape) and {*map(type, index)} <= _BASIC:
        views = _basic_views(index, shape)
    else:
        views, dims, indices = read(self, index)
        if dims:
            for op in views:
                self = op(self)
            return Index(dims)(self, *indices)
    for op in views:
        self = apply_view(op, self)
    return self if views else Identity()(self)


def _basic_views(index, shape):
    """The ops of the views in an index of ints and slices."""
    views, d = [], 0
    for at, i in enumerate(index):
        n = shape[at]
        if i.__class__ is int:
            views.append(Select(d, _in_range(i, at, n)))
            continue
        op = _slice(i, d, n)
        if (op.start, op.end, op.step) != (0, n, 1):
            views.append(op)
        d += 1
    return views


def read(x, index):
    """The ops of the views in `index`, then dimensions and tensors of positions for one Index."""
    items = _items(index)
    ndim, shape = x.ndim, list(x.shape)
    _check_count(items, ndim)
    views, dims, indices, d, before = [], [], [], 0, 0  # `before`: dimensions of x already spoken for
    skip = ndim - sum([_consumed(i) for i in items])
    alone = len(items) == 1
    for i in items:
        kind = i.__class__
        if kind is int:
            views.append(Select(d, _in_range(i, before, shape[d])))
            del shape[d]
        elif kind is slice:
            op = _slice(i, d, shape[d])
            if alone or (op.start, op.end, op.step) != (0, shape[d], 1):  # PyTorch: x[:, 0] is one view, x[:] too
                views.append(op)
                shape[d] = -(-(op.end - op.start) // op.step)
            d += 1
        elif i is Ellipsis:
            d, before, skip = d + skip, before + skip, 0
        elif i is None:
            views.append(Unsqueeze(d))
            shape.insert(d, 1)
            d += 1
        elif kind is bool:
            views.append(Unsqueeze(d))
            shape.insert(d, 1)
            dims.append(d)
            indices.append(np.zeros(1 if i else 0, np.int64))
            d += 1
        else:
            _check_mask(i, shape, d)
            dims.append(d)
            indices.append(i)
            d += _consumed(i)
        before += _consumed(i)
    return views, tuple(dims), indices


def _items(index):
    """The index as a list of ints, slices, None, Ellipsis, bools and tensors (or arrays) of positions."""
    if isinstance(index, tuple):
        return [_item(i) for i in index]
    if isinstance(index, list) and len(index) < 32 and any(
            isinstance(i, (Tensor, slice, tuple, list, str)) or i is None or i is Ellipsis for i in index):
        warnings.warn("Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in "
                      "pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as "
                      "tensor index, x[torch.tensor(seq)], which will result either in an error or a different "
                      "result", UserWarning, stacklevel=user_level())
        return [_item(i) for i in index]
    return [_item(index)]


def _item(i):
    kind = i.__class__
    if kind is int or kind is slice or kind is bool or i is None or i is Ellipsis:
        return i
    if isinstance(i, Tensor):
        return _tensor_item(i)
    if isinstance(i, np.ndarray):
        return _tensor_item(wrap(np.asarray(i))) if i.ndim else _item(i[()])
    if isinstance(i, np.integer):
        return int(i)
    if isinstance(i, (list, tuple, range)) or hasattr(i, "__len__") and hasattr(i, "__getitem__") \
            and not isinstance(i, dict):
        a = np.asarray(array_of(i))
        return a if a.dtype.kind in "ib" else a.astype(np.int64)
    if hasattr(i, "__index__") and not isinstance(i, np.bool_):
        return to_int(i)
    name = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
    raise error("index-type", got=name)


def _tensor_item(t):
    """A tensor among the indices: without dimensions, an int or a bool; else positions or a mask."""
    dtype = t._value.dtype
    if dtype.kind == "b" or dtype == np.uint8:
        if dtype != np.bool_:
            warnings.warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                          UserWarning, stacklevel=user_level())
            t = m.cast(t, np.dtype(np.bool_))
        return t if t._value.shape else bool(t)
    if dtype not in (np.int64, np.int32):
        raise error("tensor-dtype", IndexError("tensors used as indices must be long, int, byte or bool tensors"),
                    what="index", dtype=t.dtype, fn="x[index]", must="whole numbers, or True and False",
                    fix="index.long() makes positions of it, index.bool() or a comparison (x > 0) a mask.")
    if not t._value.shape and not isinstance(t, LiftedTensor):
        return int(t)
    return t


def _consumed(i):
    """How many dimensions of the tensor an item of the index stands for."""
    if i is None or i is Ellipsis or i.__class__ is bool:
        return 0
    if i.__class__ is int or i.__class__ is slice:
        return 1
    return i.ndim if dtype_of(i).kind == "b" else 1


def _check_count(items, ndim):
    count = sum([_consumed(i) for i in items])
    if count <= ndim:
        return
    if ndim == 0 and items[0].__class__ is int:
        raise no_dimension(IndexError(
                    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                    "convert a 0-dim tensor to a number"), "x")
    if ndim == 0 and items[0].__class__ is slice:
        raise no_dimension(IndexError("slice() cannot be applied to a 0-dim tensor."), "x")
    raise error("index-many", ndim=ndim, count=count)


def _in_range(i, d, n):
    if not -n <= i < n:
        raise error("index-range", index=int(i), dim=d, size=n, last=n - 1)
    return i + n if i < 0 else i


def _slice(s, d, n):
    step = 1 if s.step is None else to_int(s.step)
    if step == 0:
        raise error("argument-value", ValueError("slice step cannot be zero"), what="step", value=0,
                    must="a positive whole number")
    if step < 0:
        raise error("argument-value", ValueError("step must be greater than zero"), what="step", value=step,
                    must="a positive whole number",
                    why="the step of x[start:stop:step] is {value}; there are no views with a negative step.",
                    fix="torch.flip(x, (dim,)) gives the elements of a dimension backwards.")
    start, end, step = s.indices(n)
    return Slice(d, start, max(start, end), step)


def _check_mask(i, shape, d):
    if dtype_of(i).kind != "b":
        return
    for k, n in enumerate(i.shape):
        if shape[d + k] != n:
            raise error("mask-shape", have=i.shape, k=k, shape=str(shape), at=d + k)


# ---- assignment ------------------------------------------------------------------------------
def setitem(self, index, value):
    """self[index] = value, in place: views are copied to, positions put."""
    if self.__class__ is Tensor and modes.trace is None and _put_plain(self, index, value):
        return changed(self)
    if not isinstance(value, Tensor):
        value = _number(value, self)
    views, dims, indices = read(self, index)
    if _recorded(self, value, indices):
        target = self
        for op in views:
            target = op(target)
        if dims:
            m.index_put_here(target, dims, indices, value)
        else:
            target.copy_(value)
        return
    refuse_leaf(self)
    array, v = self._array(), value._data
    for op in views:
        array = op.forward(array)
    if dims:
        put(array, dims, [_array(i) for i in indices], _fitting(v, array), False)
    else:
        copy_into(array, v)
    changed(self)


def _put_plain(self, index, value):
    """The usual case of one place, or rows, and a number or their values; False if anything is otherwise."""
    if modes.grad and (self._rg or self._base is not None):
        return False
    array = self._data
    if array.__class__ is not np.ndarray or not array.ndim:
        return False
    if index.__class__ is Tensor and index._data.ndim and index._data.dtype.char in "?l":
        index = index._data
        if value.__class__ is Tensor and value._data.ndim:
            return False
    elif not _is_basic(index, array.ndim):
        return False
    try:
        if value.__class__ is Tensor:
            value, needs = value._data, value.requires_grad
            if needs and modes.grad or value.dtype is not array.dtype or value.ndim and value.shape != array[index].shape:
                return False
        elif value.__class__ is not float and value.__class__ is not int or array.dtype.char not in "fd" \
                or not -_MOST < value < _MOST:
            return False
        array[index] = value
    except (IndexError, ValueError):  # the way of all others says why
        return False
    return True


def _is_basic(index, ndim):
    """Whether NumPy takes an index as it is taken here: ints, and slices without a step."""
    kind = index.__class__
    if kind is int:
        return True
    items = index if kind is tuple else (index,)
    if len(items) > ndim or not {*map(type, items)} <= _BASIC:
        return False
    for i in items:
        if i.__class__ is slice and (i.step is not None or i.start.__class__ not in _BOUNDS or i.stop.__class__ not in _BOUNDS):
            return False
    return True


_INTS, _BASIC, _BOUNDS, _MOST = {int}, {int, slice}, (int, type(None)), 1 << 53


def _recorded(self, value, indices):
    """Whether assignment must go through ops: gradients, lifted values or a recorder are in play."""
    lifted = any(isinstance(v, LiftedTensor) for v in (self, value, *indices))
    return lifted or modes.trace is not None or modes.grad and (self._rg or value.requires_grad or self._base is not None)


def _number(v, x):
    """A number as a tensor of the dtype of `x`."""
    if isinstance(v, (bool, int, float, complex, np.number, np.bool_)):
        v = v.item() if isinstance(v, np.generic) else v
        return constant(wrap(scalar(v, dtypes.of(dtype_of(x)))))
    kind = type(v)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    raise error("argument-type", TypeError(f"can't assign a {name} to a torch.{type_word(x)}Tensor"), what="value",
                kind=name, must="a number or a tensor",
                why="the value to be put into the tensor is of type {kind}; only a number or a tensor can be.",
                fix="make it a tensor first: x[...] = torch.tensor(value).")


def _array(i):
    return i._data if isinstance(i, Tensor) else i


def _fitting(v, array):
    """Values to put into an array: of its dtype, which a single number is brought to."""
    if v.dtype != array.dtype:
        if not np.shape(v):
            return v.astype(array.dtype)
        names = [type_word(a) for a in (array, v)]
        raise error("dtypes-differ", RuntimeError(
                    f"Index put requires the source and destination dtypes match, got {names[0]} for the destination "
                    f"and {names[1]} for the source."), what="value", dtype=v.dtype, other="x", other_dtype=array.dtype,
                    fix="convert it: x[...] = value.to(x.dtype).")
    return v


def copy_into(array, v):
    """Write the array or scalar v into `array`, broadcast; PyTorch's RuntimeError if it does not fit."""
    if not array.flags.writeable:
        raise error("memory", RuntimeError(
                    "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                    "location. Please clone() the tensor before performing the operation."),
                    why="the tensor was expanded: several of its elements are the same number in memory (or its "
                        "memory is read-only).", fix="write to x.clone() instead.")
    if v.dtype.kind == "c" and array.dtype.kind not in "cb":
        v = v.real
    while v.ndim > array.ndim and v.shape[0] == 1:
        v = v[0]
    try:
        array[...] = v
    except ValueError:
        check_expands(v, array.shape)
        raise


def check_expands(v, shape):
    """PyTorch's errors where a value cannot be expanded to `shape`."""
    if v.ndim > len(shape):
        raise error("shapes-differ", RuntimeError(
                    f"expand(torch.{type_word(v)}Tensor{{{list(v.shape)}}}, size={list(shape)}): the number of sizes "
                    f"provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor "
                    f"({v.ndim})"), what="value", shape=tuple(v.shape), other="x[...]", other_shape=tuple(shape),
                    n=v.ndim, k=len(shape),
                    why="the value has shape {shape} and is put into a place of shape {other_shape}, which has fewer "
                        "dimensions.",
                    fix="drop dimensions of the value: value[0], value.squeeze(0) or value.reshape({other_shape}).")
    lead = len(shape) - v.ndim
    for i, s in enumerate(v.shape):
        if s not in (1, shape[i + lead]):
            raise error("expand-size", want=str(shape[i + lead]), have_size=s, dim=i + lead, target=str(list(shape)),
                        sizes=str(list(v.shape)))


def delitem(self, index):
    """Tensors have a fixed size."""
    raise error("not-possible", TypeError("Tensor does not support deleting items"),
                why="a tensor keeps its size; elements cannot be taken out of its memory.",
                fix="join the parts to keep: torch.cat([x[:i], x[i + 1:]]), or x[keep] with a mask.")


export("Tensor", "__getitem__", getitem)
export("Tensor", "__setitem__", setitem)
export("Tensor", "__delitem__", delitem)


def item_of(x, index):
    """x[index] for arrays, Tensors and lifted values: for rules."""
    views, dims, indices = read(x, index)
    for op in views:
        x = op(x)
    return Index(dims)(x, *indices) if dims else x


m.getitem = item_of


# ---- index_put and index ---------------------------------------------------------------------
def _positions(input, indices):
    """Dimensions and tensors of positions from PyTorch's tuple, in which None is a whole dimension."""
    dims, found, d = [], [], 0
    for i in indices:
        if i is None:
            d += 1
            continue
        i = _item(i)
        i = np.asarray(i) if isinstance(i, (int, bool)) else i
        _check_mask(i, list(input.shape), d)
        dims.append(d)
        found.append(i)
        d += _consumed(i)
    if d > input.ndim:
        raise error("argument-count", IndexError(f"too many indices for tensor of dimension {input.ndim} (got {d})"),
                    what="indices", count=d, need="at most {n}", n=input.ndim)
    return tuple(dims), found


@public("torch Tensor")
def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` put (or added) at positions, as input[indices] = values."""
    dims, found = _positions(input, indices)
    if not hasattr(values, "shape"):
        raise error("argument-type", TypeError(
                    f"index_put(): argument 'values' (position 2) must be Tensor, not {type(values).__name__}"),
                    what="values", kind=type(values), must="a tensor", fix="make it a tensor: torch.tensor({what}).")
    if not dims:
        return m.clone(input)
    if dtype_of(values) != dtype_of(input):
        _fitting(values._data, input._data)
    return IndexPut(dims, bool(accumulate))(input, values, *found)


def index(self, indices):
    """The elements at positions: self[indices], where None is a whole dimension."""
    dims, found = _positions(self, indices)
    return Index(dims)(self, *found)


export("Tensor", "index", index)


def index_put_(self, indices, values, accumulate=False):
    """Put (or add) `values` at positions of this tensor."""
    dims, found = _positions(self, indices)
    if dims:
        if not isinstance(values, Tensor):
            raise error("argument-type", TypeError(
                        f"index_put_(): argument 'values' (position 2) must be Tensor, not {type(values).__name__}"),
                        what="values", kind=type(values), must="a tensor",
                        fix="make it a tensor: torch.tensor({what}).")
        index_put_here(self, dims, found, values, bool(accumulate))
    return self


def index_put_here(self, dims, indices, values, accumulate=False):
    """`index_put_` with positions as an Index has them."""
    refuse_leaf(self)
    if _recorded(self, values, indices):
        if dtype_of(values) != dtype_of(self):
            values = m.cast(values, dtype_of(self)) if not values.shape else _fitting(values._data, self._data)
        m.write(self, IndexPut(dims, accumulate)(self, _squeezed(self, values), *indices))
    else:
        array = self._array()
        put(array, dims, [_array(i) for i in indices], _fitting(values._data, array), accumulate)
        changed(self)
    return self


def _squeezed(x, values):
    lead = 0
    while values.ndim - lead > x.ndim and values.shape[lead] == 1:
        lead += 1
    return m.reshape(values, tuple(values.shape[lead:])) if lead else values


m.index_put_here = index_put_here
for _name in ("index_put_", "_index_put_impl_"):
    export("Tensor torch" if _name[0] != "_" else "torch", _name, index_put_)
