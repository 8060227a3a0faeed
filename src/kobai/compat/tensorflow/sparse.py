"""`tf.sparse`: tensors kept as the coordinates and values of their elements that are not zero.

Gradients go through the values, and through what is dense.
"""
from __future__ import annotations

import numpy as np

from kobai.compat import tensorflow as _tf

from ...diagnose import error as _error
from ..missing import missing_attribute as _missing_attribute


def _ints(v):
    return np.asarray(v.numpy() if hasattr(v, "numpy") else v, np.int64)


class SparseTensor:
    """Elements `values` at `indices` [n, dimensions] of a tensor of shape `dense_shape`.

    >>> print(to_dense(SparseTensor([[0, 1]], [3.0], [1, 2])))
    tf.Tensor([[0. 3.]], shape=(1, 2), dtype=float32)
    """

    def __init__(self, indices, values, dense_shape):
        self.indices = _tf.constant(_ints(indices).reshape(-1, len(_ints(dense_shape))), _tf.int64)
        self.values = _tf.convert_to_tensor(values)
        self.dense_shape = _tf.constant(_ints(dense_shape), _tf.int64)
        if self.indices.shape[0] != self.values.shape[0]:
            raise _error("lengths-differ", ValueError(
                f"Dimensions {self.indices.shape[0]} and {self.values.shape[0]} are not compatible"),
                what="values", count=self.values.shape[0], other="indices", other_count=self.indices.shape[0],
                fix="each value needs one row of indices.")

    shape = property(lambda self: _tf.TensorShape(_ints(self.dense_shape).tolist()))
    dtype = property(lambda self: self.values.dtype)

    def get_shape(self):
        """The shape."""
        return self.shape

    def with_values(self, new_values):
        """Other values at the same places."""
        return SparseTensor(self.indices, new_values, self.dense_shape)

    def __repr__(self):
        return f"SparseTensor(indices={self.indices!s}, values={self.values!s}, dense_shape={self.dense_shape!s})"

    def __mul__(self, other):
        other = _tf.convert_to_tensor(other, self.dtype)
        if len(other.shape):
            other = _tf.gather_nd(_tf.broadcast_to(other, tuple(self.shape)), self.indices)
        return self.with_values(self.values * other)

    def __truediv__(self, other):
        return self * (1 / _tf.convert_to_tensor(other, self.dtype))


def _strides(shape):
    return np.cumprod([1, *shape[:0:-1]])[::-1].astype(np.int64)


def _flat(sp):
    """The place of each element in the flattened tensor."""
    return _ints(sp.indices) @ _strides(_ints(sp.dense_shape))


def to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """All elements."""
    shape = tuple(sp_input.shape)
    if default_value is None:
        return _tf.scatter_nd(sp_input.indices, sp_input.values, shape)
    return _tf.tensor_scatter_nd_update(_tf.fill(shape, _tf.cast(default_value, sp_input.dtype)), sp_input.indices,
                                        sp_input.values)


def from_dense(tensor, name=None):
    """The elements that are not zero."""
    tensor = _tf.convert_to_tensor(tensor)
    at = np.argwhere(tensor.numpy() != (b"" if tensor.dtype == _tf.string else 0))
    return SparseTensor(at, _tf.gather_nd(tensor, at), tuple(tensor.shape))


def reorder(sp_input, name=None):
    """The same, row by row."""
    order = np.argsort(_flat(sp_input), kind="stable")
    return SparseTensor(_ints(sp_input.indices)[order], _tf.gather(_tf.identity(sp_input.values), order), sp_input.dense_shape)


def sparse_dense_matmul(sp_a, b, adjoint_a=False, adjoint_b=False, name=None):
    """The product of a sparse matrix and a dense one (or the other way round)."""
    if not isinstance(sp_a, SparseTensor):
        a = _tf.transpose(sp_a) if adjoint_a else _tf.convert_to_tensor(sp_a)
        return _tf.transpose(sparse_dense_matmul(b, _tf.transpose(a), adjoint_a=not adjoint_b))
    rows, columns = _ints(sp_a.indices).T if not adjoint_a else _ints(sp_a.indices).T[::-1]
    n = int(_ints(sp_a.dense_shape)[1 if adjoint_a else 0])
    b = _tf.transpose(b) if adjoint_b else _tf.convert_to_tensor(b)
    parts = _tf.gather(_tf.identity(b), columns) * _tf.expand_dims(sp_a.values, -1)
    return _tf.math.unsorted_segment_sum(parts, rows, n)


def add(a, b, threshold=0):
    """The sum of two; dense if one of them is."""
    if not (isinstance(a, SparseTensor) and isinstance(b, SparseTensor)):
        return sum(to_dense(v) if isinstance(v, SparseTensor) else _tf.convert_to_tensor(v) for v in (a, b))
    at, which = np.unique(np.concatenate([_flat(a), _flat(b)]), return_inverse=True)
    values = _tf.math.unsorted_segment_sum(_tf.concat([a.values, b.values], 0), which.reshape(-1), len(at))
    return _at(at, values, _ints(a.dense_shape))


def _at(flat, values, shape):
    return SparseTensor(np.stack(np.unravel_index(flat, tuple(shape)), 1), values, shape)


def reduce_sum(sp_input, axis=None, keepdims=False, output_is_sparse=False, name=None):
    """The sum of all elements, or over some dimensions."""
    return _tf.reduce_sum(to_dense(sp_input), axis=axis, keepdims=keepdims)


def reduce_max(sp_input, axis=None, keepdims=False, output_is_sparse=False, name=None):
    """The largest of the elements that are kept; 0 where there are none."""
    kept = _tf.scatter_nd(sp_input.indices, _tf.ones_like(sp_input.values), tuple(sp_input.shape)) > 0
    top = _tf.reduce_max(to_dense(sp_input, sp_input.dtype.min), axis=axis, keepdims=keepdims)
    return _tf.where(_tf.reduce_any(kept, axis=axis, keepdims=keepdims), top, _tf.zeros_like(top))


def transpose(sp_input, perm=None, name=None):
    """The dimensions in another order."""
    shape = _ints(sp_input.dense_shape)
    perm = list(range(len(shape)))[::-1] if perm is None else list(perm)
    return reorder(SparseTensor(_ints(sp_input.indices)[:, perm], sp_input.values, shape[perm]))


def reshape(sp_input, shape, name=None):
    """The same elements in another shape."""
    shape, total = _ints(shape), int(np.prod(_ints(sp_input.dense_shape)))
    shape = np.where(shape < 0, total // -np.prod(shape), shape)
    return _at(_flat(sp_input), sp_input.values, shape)


def slice(sp_input, start, size, name=None):
    """A part of the tensor."""
    start, at = _ints(start), _ints(sp_input.indices)
    size = np.minimum(_ints(size), _ints(sp_input.dense_shape) - start)
    kept = ((at >= start) & (at < start + size)).all(1)
    return SparseTensor(at[kept] - start, _tf.boolean_mask(sp_input.values, kept), size)


def retain(sp_input, to_retain):
    """Some of the elements."""
    kept = np.asarray(to_retain, bool)
    return SparseTensor(_ints(sp_input.indices)[kept], _tf.boolean_mask(sp_input.values, kept), sp_input.dense_shape)


def concat(axis, sp_inputs, expand_nonconcat_dims=False, name=None):
    """Tensors one after the other."""
    at, offset, shape = [], 0, _ints(sp_inputs[0].dense_shape).copy()
    for sp in sp_inputs:
        moved = _ints(sp.indices).copy()
        moved[:, axis] += offset
        offset += int(_ints(sp.dense_shape)[axis])
        at.append(moved)
    shape[axis] = offset
    return reorder(SparseTensor(np.concatenate(at), _tf.concat([sp.values for sp in sp_inputs], 0), shape))


def eye(num_rows, num_columns=None, dtype=_tf.float32, name=None):
    """Ones on the diagonal."""
    n = min(num_rows, num_columns or num_rows)
    return SparseTensor(np.repeat(np.arange(n)[:, None], 2, 1), _tf.ones((n,), dtype), (num_rows, num_columns or num_rows))


def softmax(sp_input, name=None):
    """The softmax of the elements that are kept, row by row."""
    shape = _ints(sp_input.dense_shape)
    rows, n = _flat(sp_input) // shape[-1], int(np.prod(shape[:-1]))
    top = _tf.math.unsorted_segment_max(sp_input.values, rows, n)
    e = _tf.exp(sp_input.values - _tf.gather(top, rows))
    return sp_input.with_values(e / _tf.gather(_tf.math.unsorted_segment_sum(e, rows, n), rows))


def map_values(op, *args, **kwargs):
    """A function of the values."""
    first = next(a for a in args if isinstance(a, SparseTensor))
    return first.with_values(op(*[a.values if isinstance(a, SparseTensor) else a for a in args], **kwargs))


def expand_dims(sp_input, axis=None, name=None):
    """One more dimension of size 1."""
    shape = _ints(sp_input.dense_shape)
    axis = -1 if axis is None else axis
    return reshape(sp_input, np.insert(shape, axis if axis >= 0 else len(shape) + 1 + axis, 1))


def __getattr__(name):
    raise _missing_attribute(__name__, name, [n for n in globals() if not n.startswith("_")])
