"""`tf.IndexedSlices`: some rows of a larger tensor, which is what the gradient of `tf.gather` by its table is.

A row may stand there several times; as a tensor, its values are summed. What optimizers do with squares
of gradients depends on it: TensorFlow squares each of the values, not their sum.
"""
from __future__ import annotations

from collections import Counter, deque

import numpy as np

from ...autograd.node import Node, Port
from ...op import m
from ...tensor import Tensor, edge_of, wrap
from . import dtypes
from .names import export
from .shapes import TensorShape
from .tensors import box
from .values import value_of

_ROWS = "rows"  # under this name a node of `tf.gather` keeps its positions, as they were given


@export("IndexedSlices")
class IndexedSlices:
    """Some rows of a larger tensor: `values` at the rows `indices`.

    >>> print(IndexedSlices([[1.0]], [2]))
    IndexedSlices(indices=tf.Tensor([2], shape=(1,), dtype=int32), values=tf.Tensor([[1.]], shape=(1, 1), dtype=float32))
    """

    def __init__(self, values, indices, dense_shape=None):
        self.values, self.indices = box(value_of(values)), box(value_of(indices))
        self.dense_shape = None if dense_shape is None else box(value_of(dense_shape))

    def __str__(self):
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape!s}"
        return f"IndexedSlices(indices={self.indices!s}, values={self.values!s}{shape})"

    dtype = property(lambda self: self.values.dtype)
    device = property(lambda self: self.values.device)

    @property
    def shape(self):
        """The shape of the tensor, of which these are rows."""
        if self.dense_shape is None:
            return TensorShape(None)
        return TensorShape(self.dense_shape.numpy().tolist())

    def with_values(self, values):
        """These rows with other values."""
        return IndexedSlices(values, self.indices, self.dense_shape)

    def consumers(self):
        """What takes these as an input: nothing that is known."""
        return []

    def __neg__(self):
        return self.with_values(-self.values)

    def __tf_tensor__(self, dtype=None, name=None):
        rows, at = self.values._t, np.asarray(self.indices._t._value).astype(np.int64)
        n = int(at.max(initial=-1)) + 1 if self.dense_shape is None else int(self.dense_shape.numpy()[0])
        return box(m.index_add(wrap(np.zeros((n, *rows._value.shape[1:]), rows._value.dtype)), 0, wrap(at), rows))


IndexedSlices.__module__ = "tensorflow.python.framework.indexed_slices"


def on_values(fn, x):
    """`fn` of a tensor, or of the values of slices."""
    return x.with_values(fn(x.values)) if isinstance(x, IndexedSlices) else fn(x)


def values_in(x):
    """The kobai Tensor of a tensor, or of the values of slices, each for itself."""
    return value_of(x.values if isinstance(x, IndexedSlices) else x)


# ---- gradients -------------------------------------------------------------------------------
def note_rows(y, ids):
    """Remember for gradients that a kobai Tensor holds the rows `ids` of another one."""
    node = edge_of(y)
    if isinstance(node, Node):
        node._extras()[_ROWS] = ids


def _is_gather(node):
    return node.extra is not None and _ROWS in node.extra


def gathers_of(wanted, roots, mine):
    """{source: the nodes of `tf.gather` that take rows of it}, of the sources that nothing else depends on.

    The nodes come in the order in which TensorFlow adds their gradients up: a queue from the targets on.
    """
    if not any(map(_is_gather, mine)):
        return {}
    starts = list(dict.fromkeys([e.node if type(e) is Port else e for e in roots]))
    users = {}
    for node in _in_queue(starts, mine):
        for edge in node.edges:
            edge = edge.node if type(edge) is Port else edge
            if edge in wanted:
                users.setdefault(edge, []).append(node)
    return {e: nodes for e, nodes in users.items() if e not in starts and all(map(_is_gather, nodes))}


def _in_queue(starts, mine):
    """The nodes behind `starts`, each when all that depends on it has come: first ready, first served."""
    inputs = {node: [n for n in (e.node if type(e) is Port else e for e in node.edges) if n in mine] for node in mine}
    missing = Counter([n for before in inputs.values() for n in before])
    queue = deque([n for n in starts if n in mine and not missing[n]])
    while queue:
        node = queue.popleft()
        yield node
        for n in inputs[node]:
            missing[n] -= 1
            if not missing[n]:
                queue.append(n)


def slices_of(found, gathers, shape):
    """The gradient by a table of `shape` from the gradients of its gathered rows, or None."""
    values, indices = [], []
    for node in gathers:
        g = found.get(node)
        if g is not None:
            ids = np.asarray(node.extra[_ROWS]).reshape(-1)
            g = g if isinstance(g, Tensor) else wrap(np.asarray(g))
            values.append(m.reshape(g, (len(ids), *shape[1:])))
            indices.append(ids)
    if not values:
        return None
    if len({i.dtype for i in indices}) > 1:
        indices = [i.astype(np.int64) for i in indices]
    one = len(values) == 1
    return IndexedSlices(box(values[0] if one else m.cat(values, 0)), box(wrap(indices[0] if one else np.concatenate(indices))),
                         box(wrap(np.array(shape, dtypes.int32.np))))
