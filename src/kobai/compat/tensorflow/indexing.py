"""Elements by position: x[...], gather, scatter, masks, where."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import Tensor, wrap
from . import dtypes
from .errors import InvalidArgumentError, invalid
from .names import export
from .shapes import sizes_of
from .slices import note_rows
from .tensors import EagerTensor, box
from .values import axis_of, is_tensor_like, same_dtype, value_of
from .variables import Variable

_BAD_INDEX = ("Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors "
              "are valid indices, got {!r}")


# ---- x[...] ----------------------------------------------------------------------------------
def getitem(x, index):
    """x[index]: ints, slices, None, ... and scalar tensors; or one mask of bools."""
    if _is_mask(index):
        return boolean_mask(x, index)
    t = value_of(x)
    items, reverse = _items(index, t)
    if t._value.dtype.kind == "O":
        return box(wrap(np.asarray(t._value[items], object)))
    y = m.getitem(t, items)
    return box(m.flip(y, reverse) if reverse else y)


def _is_mask(index):
    if isinstance(index, np.ndarray):
        return index.dtype == np.bool_ and index.ndim > 0
    return is_tensor_like(index) and value_of(index)._value.dtype.kind == "b"


def _items(index, t):
    """The index as kobai takes it, and the dimensions of the result to turn round (negative steps)."""
    items = list(index) if isinstance(index, (tuple, list)) else [index]
    shape = t._value.shape
    count = sum(1 for i in items if i is not None and i is not Ellipsis)
    if count > len(shape):
        raise error("argument-count",
                    invalid("StridedSlice", f"Index out of range using input dim {len(shape)}; input has only "
                            f"{len(shape)} dims", "strided_slice/"),
                    what="the index", count=count, need="at most {n}", n=len(shape),
                    fix="a tensor has as many indices as dimensions; for rows by a list of positions use "
                        "tf.gather(x, [0, 1]).")
    out, reverse, dim, place = [], [], 0, 0
    for i in items:
        if i is None:
            place += 1
        elif i is Ellipsis:
            dim += len(shape) - count
            place += len(shape) - count
        elif isinstance(i, slice):
            i, backwards = _slice(i, shape[dim])
            if backwards:
                reverse.append(place)
            dim += 1
            place += 1
        else:
            i = _position(i, dim, shape[dim])
            dim += 1
        out.append(i)
    return tuple(out), tuple(reverse)


def _slice(s, n):
    """A slice with a positive step, and whether its result has to be turned round."""
    start, stop, step = [None if v is None else int(v) for v in (s.start, s.stop, s.step)]
    if step is None or step > 0:
        return slice(start, stop, step), False
    start, stop, step = slice(start, stop, step).indices(n)
    places = range(start, stop, step)
    return (slice(places[-1], places[0] + 1, -step) if len(places) else slice(0, 0)), True


def _position(i, dim, n):
    if is_tensor_like(i):
        v = value_of(i)._value
        if v.dtype.kind not in "iu" or v.shape:
            raise error("argument-type", TypeError(_BAD_INDEX.format(i)),
                        what="an index", kind=type(i), dtype=dtypes.of(v.dtype).name, shape=tuple(v.shape),
                        why="an index is a tensor of dtype {dtype} and shape {shape}; it must be one whole number.",
                        fix="for a list of positions use tf.gather(x, positions), for a mask tf.boolean_mask(x, "
                            "mask).")
        i = int(v)
    if isinstance(i, (bool, float, str, list)) or not hasattr(i, "__index__"):
        raise error("argument-type", TypeError(_BAD_INDEX.format(i)),
                    what="an index", kind=type(i), must="a whole number, a slice, ... or None",
                    fix="for a list of positions use tf.gather(x, positions), for a mask tf.boolean_mask(x, mask).")
    i = int(i)
    if not -n <= i < n:
        raise error("position-range",
                    invalid("StridedSlice", f"slice index {i} of dimension {dim} out of bounds.", "strided_slice/"),
                    what="index", value=i, size=n, dim=dim,
                    why="the index is {value}, and dimension {dim} has size {size}.",
                    fix="indices count from 0 on, or from -1 on backwards; x.shape shows the sizes.")
    return i


class _Item(EagerTensor):
    """v[index] of a variable: a tensor that can also be assigned."""

    __slots__ = ("_variable", "_index")

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Set this part of the variable; returns the variable."""
        return self._variable._assign_at(self._index, value)

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Add to this part of the variable."""
        return self._variable._assign_at(self._index, self + delta)

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtract from this part of the variable."""
        return self._variable._assign_at(self._index, self - delta)


_Item.__name__ = _Item.__qualname__ = "EagerTensor"
_Item.__module__ = EagerTensor.__module__


def variable_item(variable, index):
    """v[index]."""
    found = getitem(variable, index)
    item = object.__new__(_Item)
    item._t, item._variable = found._t, variable
    item._index = index if _is_mask(index) else tuple(
        [i if isinstance(i, slice) or i is None or i is Ellipsis else int(i)
         for i in (index if isinstance(index, tuple) else (index,))])
    return item


@export("slice")
def slice_(input_, begin, size, name=None):
    """`size` elements of each dimension from `begin` on; -1: all that are left."""
    t, begin, size = value_of(input_), sizes_of(begin), sizes_of(size)
    for d, (b, s, n) in enumerate(zip(begin, size, t._value.shape)):
        if not 0 <= b <= n or s != -1 and b + s > n:
            raise error("argument-value", invalid("Slice", f"Expected size[{d}] in [0, {n - b}], but got {s}"),
                        what="size", value=s, dim=d, start=b, size=n,
                        why="dimension {dim} has size {size}; {value} elements from {start} on are not there.",
                        fix="take fewer, or -1 for all that are left.")
    return box(m.getitem(t, tuple([slice(b, n if s == -1 else b + s)
                                   for b, s, n in zip(begin, size, t._value.shape)])))


@export("strided_slice")
def strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0, var=None, name=None):
    """x[begin:end:strides] in each dimension; bits of the masks say what to make of each triple."""
    begin, end = sizes_of(begin), sizes_of(end)
    strides = sizes_of(strides) if strides is not None else (1,) * len(begin)
    items = []
    for i, (b, e, s) in enumerate(zip(begin, end, strides)):
        bit = 1 << i
        if ellipsis_mask & bit:
            items.append(Ellipsis)
        elif new_axis_mask & bit:
            items.append(None)
        elif shrink_axis_mask & bit:
            items.append(b)
        else:
            items.append(slice(None if begin_mask & bit else b, None if end_mask & bit else e, s))
    return getitem(input_, tuple(items))


# ---- gather ----------------------------------------------------------------------------------
def positions(indices, n, op="GatherV2"):
    """Checked positions as an int64 array."""
    i = np.asarray(value_of(indices)._value)
    if i.dtype.kind not in "iu":
        raise error("tensor-dtype", InvalidArgumentError(
            None, None, f"Value for attr 'Tindices' of {dtypes.of(i.dtype).long_name} is not in the list of allowed "
            "values: int16, int32, int64"),
            what="indices", dtype=dtypes.of(i.dtype).name, fn=op, must="whole numbers",
            fix="tf.cast(indices, tf.int32)")
    i = i.astype(np.int64)
    bad = (i < 0) | (i >= n)
    if bad.any():
        at = np.unravel_index(int(np.argmax(bad)), bad.shape) if bad.ndim else ()
        where = f"indices[{','.join(map(str, at))}]" if at else "indices"
        raise error("data-range", invalid(op, f"{where} = {int(i[at])} is not in [0, {n})", None),
                    what="indices", value=int(i[at]), must="a whole number between {low} and {high}", low=0,
                    high=n - 1,
                    fix="look at tf.reduce_min(indices) and tf.reduce_max(indices), and at the size of what they "
                        "choose from.")
    return i


@export("gather")
def gather(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    """The slices of `params` at positions along `axis` (after `batch_dims` that both have in common).

    >>> print(gather([10, 20, 30], [2, 0]))
    tf.Tensor([30 10], shape=(2,), dtype=int32)
    """
    t = value_of(params)
    ids = value_of(indices)
    batch = batch_dims + (ids.ndim if batch_dims < 0 else 0)
    axis = axis_of(batch if axis is None else axis, t.ndim, "GatherV2")
    i = positions(box(ids), t._value.shape[axis])
    lead = tuple(t._value.shape[:batch])
    grid = [wrap(np.arange(n).reshape((1,) * d + (n,) + (1,) * (i.ndim - d - 1))) for d, n in enumerate(lead)]
    if t._value.dtype.kind == "O":
        return box(wrap(np.asarray(np.take(t._value, i, axis), object)))
    if grid:
        y = m.movedim(t, axis, batch) if axis != batch else t
        y = m.getitem(y, (*grid, wrap(i)))
        lands = list(range(i.ndim, i.ndim + axis - batch))  # the dimensions that stood before the axis
        return box(m.movedim(y, lands, list(range(batch, axis))) if lands else y)
    y = m.index_select(t, axis, wrap(i)) if i.ndim == 1 else m.getitem(t, (slice(None),) * axis + (wrap(i),))
    if axis == 0 and type(y) is Tensor and y._rg:
        note_rows(y, ids._value)
    return box(y)


@export("nn.embedding_lookup")
def embedding_lookup(params, ids, max_norm=None, name=None):
    """Rows of a table."""
    return gather(params, ids)


@export("gather_nd")
def gather_nd(params, indices, batch_dims=0, name=None):
    """The elements or slices whose positions are the last dimension of `indices`."""
    t, i = value_of(params), np.asarray(value_of(indices)._value).astype(np.int64)
    depth = i.shape[-1]
    for d in range(depth):
        n = t._value.shape[batch_dims + d]
        bad = (i[..., d] < 0) | (i[..., d] >= n)
        if bad.any():
            at = np.unravel_index(int(np.argmax(bad)), bad.shape) if bad.ndim else ()
            raise error("data-range", invalid(
                "GatherNd", f"indices[{','.join(map(str, at))}] = [{', '.join(map(str, i[at]))}] does not "
                f"index into param shape [{','.join(map(str, t._value.shape))}], node name: GatherNd", None),
                what="indices", value=i[at].tolist(), shape=tuple(t._value.shape),
                why="indices holds {value}, and the tensor has shape {shape}.",
                fix="each number of a position must lie below the size of its dimension.")
    lead = i.shape[:batch_dims]
    grid = [np.arange(n).reshape((1,) * d + (n,) + (1,) * (i.ndim - 2 - d)) for d, n in enumerate(lead)]
    places = tuple([wrap(np.array(a)) for a in np.broadcast_arrays(*grid, *np.moveaxis(i, -1, 0))])
    return box(m.getitem(t, places) if places else m.identity(t))


@export("boolean_mask")
def boolean_mask(tensor, mask, axis=None, name="boolean_mask"):
    """The elements (or slices) where the mask is true, in one dimension.

    >>> print(boolean_mask([1, 2, 3], [True, False, True]))
    tf.Tensor([1 3], shape=(2,), dtype=int32)
    """
    t, keep = value_of(tensor), np.asarray(value_of(mask)._value)
    if not keep.ndim:
        raise error("tensor-dims", ValueError("boolean_mask cannot mask with a scalar mask."),
                    what="mask", shape=(), need="at least {n}", n=1,
                    fix="the mask has an entry for each row: x > 0, for example.")
    axis = 0 if axis is None else int(axis)
    shape = tuple(t._value.shape)
    if shape[axis:axis + keep.ndim] != keep.shape:
        raise error("shapes-differ",
                    ValueError(f"Shapes {shape[axis:axis + keep.ndim]} and {keep.shape} are incompatible"),
                    what="mask", shape=tuple(keep.shape), other="tensor", other_shape=shape,
                    must="the mask must have the sizes of the tensor from dimension {axis} on", axis=axis)
    size = int(np.prod(keep.shape, dtype=np.int64))
    flat = m.reshape(t, (*shape[:axis], size, *shape[axis + keep.ndim:]))
    return box(m.index_select(flat, axis, wrap(np.flatnonzero(keep))))


@export("where")
def where(condition, x=None, y=None, name=None):
    """x where the condition holds, else y; with the condition alone, the positions where it holds.

    >>> print(where([True, False], [1, 2], 0))
    tf.Tensor([1 0], shape=(2,), dtype=int32)
    """
    c = value_of(condition)
    if x is None and y is None:
        return box(wrap(np.argwhere(np.asarray(c._value)).astype(np.int64)))
    if x is None or y is None:
        raise error("arguments-together", ValueError("x and y must both be non-None or both be None."),
                    what="y" if x is None else "x", other="x" if x is None else "y")
    if c._value.dtype.kind != "b":
        raise error("tensor-dtype", InvalidArgumentError(
            None, None, "cannot compute SelectV2 as input #0(zero-based) was expected to be a bool tensor but is a "
            f"{dtypes.of(c._value.dtype).long_name} tensor [Op:SelectV2] name: "),
            what="condition", dtype=dtypes.of(c._value.dtype).name, fn="where", must="True or False",
            fix="compare: tf.where(c > 0, x, y); or tf.cast(c, tf.bool).")
    a, b = same_dtype("SelectV2", x, y)
    if a._value.dtype.kind == "O":
        return box(wrap(np.asarray(np.where(c._value, a._value, b._value), object)))
    try:
        return box(m.where(c, a, b))
    except RuntimeError:
        raise error("shapes-differ", invalid(
            "SelectV2", f"condition {list(c.shape)}, then {list(a.shape)}, and else {list(b.shape)} must be "
            "broadcastable", None),
            what="x", shape=tuple(a._value.shape), other="y", other_shape=tuple(b._value.shape),
            mask=tuple(c._value.shape),
            why="condition, x and y have shapes {mask}, {shape} and {other_shape}: no common shape.",
            fix="tf.expand_dims adds a dimension of size 1; tf.transpose and tf.reshape change the "
                "order.") from None


# ---- scatter ---------------------------------------------------------------------------------
def _places(indices):
    i = np.asarray(value_of(indices)._value).astype(np.int64)
    return tuple([wrap(np.array(a)) for a in np.moveaxis(i, -1, 0)])


@export("scatter_nd")
def scatter_nd(indices, updates, shape, name=None):
    """Zeros of a shape with `updates` added at the positions in the last dimension of `indices`."""
    u = value_of(updates)
    return box(m.index_put(wrap(np.zeros(sizes_of(shape), u._value.dtype)), _places(indices), u, True))


@export("tensor_scatter_nd_update")
def tensor_scatter_nd_update(tensor, indices, updates, name=None):
    """The tensor with `updates` at the positions in the last dimension of `indices`."""
    t, u = same_dtype("TensorScatterUpdate", tensor, updates)
    return box(m.index_put(t, _places(indices), u))


@export("tensor_scatter_nd_add")
def tensor_scatter_nd_add(tensor, indices, updates, name=None):
    """The tensor with `updates` added at positions."""
    t, u = same_dtype("TensorScatterAdd", tensor, updates)
    return box(m.index_put(t, _places(indices), u, True))


@export("tensor_scatter_nd_sub")
def tensor_scatter_nd_sub(tensor, indices, updates, name=None):
    """The tensor with `updates` subtracted at positions."""
    t, u = same_dtype("TensorScatterSub", tensor, updates)
    return box(m.index_put(t, _places(indices), -u, True))


def _extreme(ufunc, tensor, indices, updates, op):
    t, u = same_dtype(op, tensor, updates)
    out = np.array(t._value)
    ufunc.at(out, tuple([p._value for p in _places(indices)]), u._value)
    return box(wrap(out))


@export("tensor_scatter_nd_max")
def tensor_scatter_nd_max(tensor, indices, updates, name=None):
    """The tensor with the larger of `updates` and itself at positions. It has no gradient."""
    return _extreme(np.maximum, tensor, indices, updates, "TensorScatterMax")


@export("tensor_scatter_nd_min")
def tensor_scatter_nd_min(tensor, indices, updates, name=None):
    """The tensor with the smaller of `updates` and itself at positions. It has no gradient."""
    return _extreme(np.minimum, tensor, indices, updates, "TensorScatterMin")


@export("dynamic_partition")
def dynamic_partition(data, partitions, num_partitions, name=None):
    """The slices of `data` in as many tensors as there are parts, by the part that each belongs to."""
    t, p = value_of(data), np.asarray(value_of(partitions)._value)
    flat = m.reshape(t, (p.size, *t._value.shape[p.ndim:]))
    return [box(m.index_select(flat, 0, wrap(np.flatnonzero(p.reshape(-1) == k)))) for k in range(num_partitions)]


@export("dynamic_stitch")
def dynamic_stitch(indices, data, name=None):
    """One tensor from several: `data[k][i]` comes to the position `indices[k][i]`."""
    ids = [np.asarray(value_of(i)._value).reshape(-1) for i in indices]
    ts = same_dtype("DynamicStitch", *data)
    parts = [m.reshape(t, (i.size, *t._value.shape[np.ndim(value_of(k)._value):]))
             for t, i, k in zip(ts, ids, indices)]
    where_ = np.concatenate(ids)
    source = np.zeros(int(where_.max()) + 1, np.int64)
    source[where_] = np.arange(len(where_))
    return box(m.index_select(m.cat(parts, 0), 0, wrap(source)))


export("Variable")(Variable)
