"""`tf.ragged`: rows of different lengths, kept one after the other with the places where they begin.

When this module is first used, TensorFlow's functions learn to take such tensors: elementwise ones are applied to
the values, reductions go along the rows.
"""
from __future__ import annotations

import functools
from builtins import range as _range  # tf.ragged.range, below, hides it

import numpy as np

from kobai.compat import tensorflow as _tf

from ...diagnose import error as _error
from ..missing import missing_attribute as _missing_attribute
from .operators import _BINARY, _COMPARISONS, _UNARY


class RaggedTensor:
    """Rows of `values` (a tensor, or a RaggedTensor again); row i ends where row i + 1 begins.

    >>> RaggedTensor.from_row_lengths([1, 2, 3], [2, 1])
    <tf.RaggedTensor [[1, 2], [3]]>
    """

    __array_priority__ = 200

    def __init__(self, values, row_splits, uniform_row_length=None):
        self.values, self.uniform_row_length = values, uniform_row_length
        self.row_splits = _tf.constant(np.asarray(row_splits), _tf.int64)

    # ---- made from ---------------------------------------------------------------------------
    @classmethod
    def from_row_splits(cls, values, row_splits, name=None, validate=True):
        """Of the places where rows begin, and the end."""
        splits = np.asarray(row_splits)
        if validate and (splits[0] != 0 or (np.diff(splits) < 0).any() or splits[-1] != len(_values(values))):
            raise _error("argument-value", _tf.errors.InvalidArgumentError(
                None, None, "Arguments to _from_row_partition do not form a valid RaggedTensor"),
                what="row_splits", value=splits.tolist(),
                must="whole numbers that begin with 0, never fall, and end with {n}", n=len(_values(values)))
        return cls(_values(values), splits)

    @classmethod
    def from_row_lengths(cls, values, row_lengths, name=None, validate=True):
        """Of the lengths of the rows."""
        return cls.from_row_splits(values, np.cumsum([0, *np.asarray(row_lengths)]))

    @classmethod
    def from_row_starts(cls, values, row_starts, name=None, validate=True):
        """Of the places where rows begin."""
        values = _values(values)
        return cls.from_row_splits(values, [*np.asarray(row_starts), len(values)])

    @classmethod
    def from_row_limits(cls, values, row_limits, name=None, validate=True):
        """Of the places where rows end."""
        return cls.from_row_splits(values, [0, *np.asarray(row_limits)])

    @classmethod
    def from_value_rowids(cls, values, value_rowids, nrows=None, name=None, validate=True):
        """Of the number of the row of each value."""
        ids = np.asarray(value_rowids)
        n = int(nrows) if nrows is not None else int(ids[-1]) + 1 if len(ids) else 0
        return cls.from_row_lengths(values, np.bincount(ids.astype(np.int64), minlength=n))

    @classmethod
    def from_tensor(cls, tensor, lengths=None, padding=None, ragged_rank=1, name=None, row_splits_dtype=None):
        """Of a dense tensor, whose rows end at `lengths`, or where only `padding` follows."""
        tensor = _tf.convert_to_tensor(tensor)
        n, width = tensor.shape[0], tensor.shape[1]
        if lengths is None and padding is not None:
            kept = tensor.numpy() != padding
            lengths = np.where(kept.any(1), width - np.argmax(kept[:, ::-1], 1), 0)
        lengths = np.full(n, width) if lengths is None else np.asarray(lengths)
        return cls.from_row_lengths(_tf.boolean_mask(tensor, np.arange(width) < lengths[:, None]), lengths)

    @classmethod
    def from_sparse(cls, st_input, name=None, row_splits_dtype=None):
        """Of a sparse matrix whose rows begin with their elements."""
        return cls.from_value_rowids(st_input.values, st_input.indices.numpy()[:, 0], int(st_input.dense_shape[0]))

    # ---- what it is --------------------------------------------------------------------------
    dtype = property(lambda self: self.values.dtype)
    flat_values = property(lambda self: self.values.flat_values if _is(self.values) else self.values)
    ragged_rank = property(lambda self: 1 + (self.values.ragged_rank if _is(self.values) else 0))
    shape = property(lambda self: _tf.TensorShape([len(self), self.uniform_row_length, *tuple(self.values.shape)[1:]]))

    @property
    def nested_row_splits(self):
        return (self.row_splits, *(self.values.nested_row_splits if _is(self.values) else ()))

    def get_shape(self):
        """The shape; None where lengths differ."""
        return self.shape

    def __len__(self):
        return self.row_splits.shape[0] - 1

    def nrows(self, out_type=_tf.int64, name=None):
        """How many rows there are."""
        return _tf.constant(len(self), out_type)

    def row_lengths(self, axis=1, name=None):
        """The length of each row."""
        if axis > 1:
            return self.with_values(self.values.row_lengths(axis - 1))
        return self.row_splits[1:] - self.row_splits[:-1]

    def row_starts(self, name=None):
        """Where rows begin."""
        return self.row_splits[:-1]

    def row_limits(self, name=None):
        """Where rows end."""
        return self.row_splits[1:]

    def value_rowids(self, name=None):
        """The number of the row of each value."""
        return _tf.constant(self._ids(), _tf.int64)

    def _ids(self):
        return np.repeat(np.arange(len(self)), np.diff(self.row_splits.numpy()))

    def bounding_shape(self, axis=None, name=None, out_type=_tf.int64):
        """The shape of the smallest dense tensor that holds it."""
        return _tf.constant(tuple(self.to_tensor().shape) if axis is None else self.to_tensor().shape[axis], out_type)

    def with_values(self, new_values):
        """The same rows of other values."""
        return RaggedTensor(new_values, self.row_splits)

    def with_flat_values(self, new_values):
        """The same rows of other innermost values."""
        return self.with_values(self.values.with_flat_values(new_values) if _is(self.values) else new_values)

    # ---- as something else -------------------------------------------------------------------
    def to_tensor(self, default_value=None, name=None, shape=None):
        """A dense tensor, with `default_value` behind shorter rows."""
        inner = self.values.to_tensor(default_value) if _is(self.values) else self.values
        lengths = np.diff(self.row_splits.numpy())
        width = int(lengths.max()) if len(lengths) else 0
        if shape is not None and shape[1] is not None:
            width = shape[1]
        at = np.arange(width) < np.minimum(lengths, width)[:, None]
        if default_value is None:
            default_value = b"" if inner.dtype == _tf.string else 0
        dense = _tf.fill((len(self), width, *tuple(inner.shape)[1:]), _tf.cast(default_value, inner.dtype)
                         if inner.dtype != _tf.string else default_value)
        kept = np.arange(len(lengths)).repeat(lengths), np.concatenate([np.arange(n) for n in lengths] or [[]]).astype(int)
        inside = kept[1] < width
        return _tf.tensor_scatter_nd_update(dense, np.argwhere(at), _tf.boolean_mask(inner, inside)) if at.any() else dense

    def to_sparse(self, name=None):
        """A sparse tensor."""
        lengths = np.diff(self.row_splits.numpy())
        at = np.stack([self._ids(), np.concatenate([np.arange(n) for n in lengths] or [[]]).astype(int)], 1)
        return _tf.sparse.SparseTensor(at, self.values, (len(self), int(lengths.max(initial=0))))

    def to_list(self):
        """Nested lists."""
        return [row.to_list() if _is(row) else row.numpy().tolist() for row in self]

    def numpy(self):
        """An array, of arrays where lengths differ."""
        rows = [row.numpy() for row in self]
        if rows and all(r.shape == rows[0].shape and r.dtype != object for r in rows):
            return np.stack(rows)
        out = np.empty(len(rows), object)
        out[:] = rows
        return out

    def __repr__(self):
        def text(x):
            if isinstance(x, np.ndarray):
                return np.array2string(x, separator=", ") if x.size else repr(x.tolist())
            return str(x)
        with np.printoptions(formatter={"all": text}):
            return f"<tf.RaggedTensor {text(self.numpy())}>"

    # ---- parts -------------------------------------------------------------------------------
    def __iter__(self):
        return (self[i] for i in _range(len(self)))

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        first, rest = index[0], index[1:]
        splits = self.row_splits.numpy()
        if isinstance(first, slice):
            out = self if first == slice(None) else _rows(self, _range(len(self))[first])
            return out._inside(rest) if rest else out
        i = int(first) + (len(self) if int(first) < 0 else 0)
        if not 0 <= i < len(self):
            raise _error("position-range", _tf.errors.InvalidArgumentError(
                None, None, f"slice index {int(first)} of dimension 0 out of bounds."),
                what="index", value=int(first), size=len(self), dim=0,
                why="the index is {value}, and dimension {dim} has size {size}.",
                fix="indices count from 0 on, or from -1 on backwards; x.shape shows the sizes.")
        row = self.values[int(splits[i]):int(splits[i + 1])]
        return row[rest] if rest else row

    def _inside(self, index):
        """`self[:, index]`."""
        if not isinstance(index[0], slice):
            raise _error("not-possible", ValueError("Cannot index into an inner ragged dimension."),
                         why="not every row has an element there.", fix="take a slice: x[:, 0:1].")
        return _stacked([row[index if len(index) > 1 else index[0]] for row in self])

    def __hash__(self):
        raise _error("not-possible", TypeError("RaggedTensor is unhashable."),
                     why="a key of a dict or set must not depend on how elements compare.",
                     fix="use a name or id(x) as the key.")


def _is(v):
    return isinstance(v, RaggedTensor)


def _values(v):
    return v if _is(v) else _tf.convert_to_tensor(v)


def _rows(rt, which):
    return _stacked([rt[i] for i in which], rt.values)


def _stacked(rows, like=None):
    """Rows one below the other."""
    if not rows:
        return RaggedTensor(like[:0], [0])
    lengths = [len(r) for r in rows]
    return RaggedTensor.from_row_lengths(_tf.concat(rows, 0), lengths)


# ---- the module's functions ------------------------------------------------------------------------
def constant(pylist, dtype=None, ragged_rank=None, inner_shape=None, name=None, row_splits_dtype=None):
    """A RaggedTensor of nested lists.

    >>> constant([[1, 2], [], [3]])
    <tf.RaggedTensor [[1, 2], [], [3]]>
    """
    depth = _depth(pylist)
    if depth < 2:
        return _tf.constant(pylist, dtype)
    flat, splits = list(pylist), []
    for _ in _range(depth - 1 if ragged_rank is None else ragged_rank):
        splits.append(np.cumsum([0, *map(len, flat)]))
        flat = [v for row in flat for v in row]
    values = _tf.constant(flat, dtype)
    for s in splits[::-1]:
        values = RaggedTensor(values, s)
    return values


def _depth(v):
    if not isinstance(v, (list, tuple, np.ndarray)):
        return 0
    return 1 + max(map(_depth, v), default=0)


def map_flat_values(op, *args, **kwargs):
    """A function of the innermost values."""
    first = next(a for a in (*args, *kwargs.values()) if _is(a))
    flat = [a.flat_values if _is(a) else a for a in args]
    return first.with_flat_values(op(*flat, **{k: v.flat_values if _is(v) else v for k, v in kwargs.items()}))


def range(starts, limits=None, deltas=1, dtype=None, name=None, row_splits_dtype=None):
    """A row of numbers for each limit."""
    starts, limits = (np.zeros_like(starts), starts) if limits is None else (starts, limits)
    rows = [np.arange(a, b, d) for a, b, d in np.broadcast(np.asarray(starts), np.asarray(limits), np.asarray(deltas))]
    return RaggedTensor.from_row_lengths(_tf.constant(np.concatenate(rows), dtype or _tf.int32), list(map(len, rows)))


def stack(values, axis=0, name=None):
    """Tensors of different lengths as rows."""
    return _stacked([_values(v) for v in values])


def boolean_mask(data, mask, name=None):
    """The elements where the mask holds; rows keep their places."""
    if _is(data):
        flat = mask.flat_values.numpy() if _is(mask) else np.concatenate([np.ravel(r) for r in mask])
        ids = data._ids()[flat.astype(bool)]
        return RaggedTensor.from_value_rowids(_tf.boolean_mask(data.values, flat.astype(bool)), ids, len(data))
    mask = np.asarray(mask)
    if mask.ndim == 1:
        return _tf.boolean_mask(data, mask)
    return RaggedTensor.from_row_lengths(_tf.boolean_mask(data, mask), mask.sum(1))


# ---- TensorFlow's functions learn it ---------------------------------------------------------------
def _elementwise(fn):
    def on_ragged(*args, **kwargs):
        shaped = [a for a in args if _is(a)]
        for a in shaped[1:]:
            if not np.array_equal(a.row_splits.numpy(), shaped[0].row_splits.numpy()):
                raise _error("operation-inputs", _tf.errors.InvalidArgumentError(
                    None, None, "Unable to broadcast: dimension size mismatch in "
                    "dimension 1; the rows of the two have different lengths"),
                    why="the rows of the two have different lengths.",
                    fix="give both the same row lengths, or fill up: x.to_tensor().")
        return map_flat_values(fn, *args, **kwargs)
    return on_ragged


def _reduced(name, fn):
    segments = {"sum": "sum", "max": "max", "min": "min", "prod": "prod", "mean": "mean"}.get(name)

    def on_ragged(rt, axis=None, keepdims=False, **kwargs):
        if axis is None:
            return fn(rt.flat_values, **kwargs)
        axis = axis + len(rt.shape) if axis < 0 else axis
        if axis == 0:
            dense, mask = rt.to_tensor(), rt.with_values(_tf.ones_like(rt.values)).to_tensor()
            if name in ("sum", "mean"):
                total = _tf.reduce_sum(dense, axis=0)
                return total if name == "sum" else total / _tf.reduce_sum(mask, axis=0)
            return fn(rt.to_tensor({"max": rt.dtype.min, "min": rt.dtype.max, "prod": 1}.get(name, name == "all")), axis=0)
        if axis > 1:
            return rt.with_values(fn(rt.values, axis=axis - 1, keepdims=keepdims))
        if segments is None:  # any, all
            counts = _tf.math.unsorted_segment_sum(_tf.cast(rt.values, _tf.int32), rt._ids(), len(rt))
            out = counts > 0 if name == "any" else counts == _tf.cast(rt.row_lengths(), _tf.int32)
        elif name == "mean":
            total = _tf.math.unsorted_segment_sum(rt.values, rt._ids(), len(rt))
            lengths = _tf.reshape(_tf.cast(rt.row_lengths(), rt.dtype), (-1, *[1] * (len(total.shape) - 1)))
            out = total / lengths
        else:
            out = getattr(_tf.math, f"unsorted_segment_{segments}")(rt.values, rt._ids(), len(rt))
        return _tf.expand_dims(out, 1) if keepdims else out
    return on_ragged


def _concat(values, axis, name="concat"):
    if axis == 0:
        rows = [row for v in values for row in v]
        return _stacked(rows)
    return _stacked([_tf.concat([v[i] for v in values], 0) for i in _range(len(values[0]))])


def _gather(params, indices, *args, **kwargs):
    if _is(indices):
        return map_flat_values(lambda i: _tf.gather(params, i, *args, **kwargs), indices)
    return _rows(params, [int(i) for i in np.asarray(indices)])


def _expand_dims(rt, axis, name=None):
    if axis == 0:
        return RaggedTensor(rt, [0, len(rt)], len(rt))
    if axis == 1:
        return RaggedTensor(rt, np.arange(len(rt) + 1), 1)
    return rt.with_values(_tf.expand_dims(rt.values, axis - 1 if axis > 0 else axis))


def _looked_up(params, ids, *args, **kwargs):
    return map_flat_values(lambda i: _tf.nn.embedding_lookup(params, i), ids)


def _tile(rt, multiples, name=None):
    rows, times = np.asarray(_tf.convert_to_tensor(multiples))[:2].tolist()
    return _stacked([_tf.tile(row, [times, *[1] * (len(row.shape) - 1)]) for row in rt] * rows)


def _mapped(fn, elems, *args, **kwargs):
    rows = [fn(row) for row in elems]
    return _stacked(rows) if rows[0].shape.rank else _tf.stack(rows)


def _size(rt, *args, **kwargs):
    return _tf.size(rt.flat_values, *args, **kwargs)


def _joined(rt, axis=None, keepdims=False, separator="", name=None):
    if axis is None:
        return _tf.strings.reduce_join(rt.flat_values, separator=separator)
    if axis not in (1, -1) or rt.ragged_rank > 1:
        return rt.with_values(_joined(rt.values, axis - 1 if axis > 0 else axis, keepdims, separator))
    return _tf.stack([_tf.strings.reduce_join(row, 0, keepdims, separator) for row in rt])


def _taught(fn, other):
    """`fn` for tensors, `other` where a RaggedTensor is among the arguments."""
    @functools.wraps(fn)
    def call(*args, **kwargs):
        for a in (*args, *kwargs.values()):
            if _is(a) or type(a) in (list, tuple) and any(map(_is, a)):
                return other(*args, **kwargs)
        return fn(*args, **kwargs)
    return call


_ON_VALUES = {
    "": "cast square sqrt exp abs negative sign round floor ones_like zeros_like identity add subtract multiply divide "
        "maximum minimum pow greater less equal not_equal greater_equal less_equal logical_and logical_or logical_not tanh "
        "sigmoid where one_hot clip_by_value stop_gradient as_string",
    "math": "square sqrt exp log log1p abs negative sign tanh sigmoid add subtract multiply divide maximum minimum pow "
            "floormod divide_no_nan softplus sin cos equal greater less logical_and logical_or logical_not",
    "nn": "relu tanh sigmoid gelu elu dropout leaky_relu softplus",
    "strings": "length lower upper strip regex_replace regex_full_match to_number as_string substr join unicode_split "
               "unicode_decode unicode_transcode bytes_split split",
}


def _teach():
    for space, names in _ON_VALUES.items():
        module = getattr(_tf, space) if space else _tf
        for name in names.split():
            if name in vars(module):
                setattr(module, name, _taught(vars(module)[name], _elementwise(vars(module)[name])))
    for name in ("sum", "mean", "max", "min", "prod", "any", "all"):
        for module in (_tf, _tf.math):
            fn = vars(module)[f"reduce_{name}"]
            setattr(module, f"reduce_{name}", _taught(fn, _reduced(name, fn)))
    for module, name, other in ((_tf, "concat", _concat), (_tf, "gather", _gather), (_tf, "expand_dims", _expand_dims),
                                (_tf.nn, "embedding_lookup", _looked_up), (_tf, "stack", stack), (_tf, "tile", _tile),
                                (_tf, "map_fn", _mapped), (_tf, "size", _size), (_tf.strings, "reduce_join", _joined)):
        setattr(module, name, _taught(vars(module)[name], other))
    for table in (_BINARY, _COMPARISONS):
        for name, fn in table.items():
            on_values = _elementwise(fn)
            setattr(RaggedTensor, f"__{name}__", on_values)
            setattr(RaggedTensor, f"__r{name}__", lambda self, other, fn=on_values: fn(other, self))
    for name, fn in _UNARY.items():
        setattr(RaggedTensor, f"__{name}__", _elementwise(fn))


_teach()


def __getattr__(name):
    raise _missing_attribute(__name__, name, [n for n in globals() if not n.startswith("_")])
