"""Elements picked, added or put by tensors of positions: the ops below `x[i, j]`."""
from __future__ import annotations

import math
import re
import sys

import numpy as np

from ..diagnose import error
from ..large import rows_added, small, taken
from ..op import Op, dtype_of, m
from ..testing.samples import Ints, S


def at(dims, indices):
    """NumPy's index for `indices` at the dimensions `dims` (a mask takes as many as it has)."""
    out, d = [], 0
    for dim, i in zip(dims, indices):
        out += [slice(None)] * (dim - d)
        out.append(i)
        d = dim + (i.ndim if i.dtype.kind == "b" else 1)
    return tuple(out)


def index_error(e):
    """PyTorch's IndexError for NumPy's."""
    text = str(e).replace("axis", "dimension")
    if "indexing arrays" in text:
        shapes = re.findall(r"\(([\d,]*)\)", text)
        text = "shape mismatch: indexing tensors could not be broadcast together with shapes " + ", ".join(
            "[" + ", ".join(s.strip(",").split(",")) + "]" for s in shapes)
        return error("shapes-differ", IndexError(text), found=text.partition("shapes ")[2],
                     why="the tensors of positions have the shapes {found}, which do not broadcast to one.",
                     fix="give equal shapes for pairs, or x[rows[:, None], columns] for a table of rows and columns.")
    found = re.fullmatch(r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)", text)
    if found:
        i, dim, n = map(int, found.groups())
        return error("index-range", index=i, dim=dim, size=n, last=n - 1)
    return IndexError(text)  # plain: NumPy says something new


class Index(Op):
    """x at tensors of positions, broadcast with each other; `dims` says where each of them stands.

    As in NumPy, their shape takes the place of the dimensions if these are neighbours, else it comes first.
    """

    dims: tuple
    linear = moves = True
    samples = [S((4, 3), Ints((2, 2), 4), params=((0,),)), S((4, 3, 2), Ints((5,), 3), params=((1,),)),
               S((4, 3), Ints((5,), 4), Ints((2, 1), 3), params=((0, 1),)), S((3, 2), Ints((0,), 3), params=((0,),)),
               S((2, 3, 4), Ints((5,), 2), Ints((5,), 4), params=((0, 2),)),
               S((3, 2), np.array([True, False, True]), params=((0,),))]

    def dynamic(self, x, *indices):
        return any(i.dtype.kind == "b" for i in indices)

    def forward(self, x, *indices):
        if self.dims == (0,):
            y = small.pick(x, indices[0], 0, False) if small.pick is not None else None
            if y is None:
                y = taken(x, indices[0])
            if y is not None:
                return y
        try:
            return x[at(self.dims, indices)]
        except IndexError as e:
            raise index_error(e) from None

    def vjp(self, g, indices, x_shape, needs):
        return (AddAt(self.dims, x_shape)(g, *indices),)

    def batch(self, size, dims, values):
        x, *indices = values
        if any(dtype_of(i).kind == "b" for i in indices):
            return NotImplemented
        return batched_index(self.dims, size, x, indices)


def batched_index(dims, size, x, indices):
    """One more position: the number of the example. It stands first, and so the batch does in the result."""
    with_example, flat, n = positions_with_example(dims, size, indices)
    y = Index(with_example)(x, *flat)
    p = dims[0]
    if p == 0 or not _neighbours(dims):
        return y
    return m.movedim(y, tuple(range(1, n + 1)), tuple(range(p + 1, p + 1 + n)))


def positions_with_example(dims, size, indices):
    """(dims, indices) of all examples at once, which begin with the example's number; and how many dims indices have."""
    n = max(len(i.shape) for i in indices) - 1
    flat = [m.reshape(i, (size, *(1,) * (n + 1 - len(i.shape)), *i.shape[1:])) for i in indices]
    return (0, *[d + 1 for d in dims]), [np.arange(size).reshape(size, *(1,) * n), *flat], n


def positions_first(v, dims, n):
    """Values (example, ...) laid out as Index gives them once the example's number is one of the positions."""
    p = dims[0]
    if p == 0 or not n or not _neighbours(dims):
        return v
    return m.movedim(v, tuple(range(p + 1, p + 1 + n)), tuple(range(1, n + 1)))


def _neighbours(dims):
    return tuple(dims) == tuple(range(dims[0], dims[0] + len(dims)))


class AddAt(Op):
    """Zeros of `shape` with x added at positions, repeated ones as often: the transpose of Index."""

    dims: tuple
    shape: tuple
    grad_name = "IndexBackwardBackward0"
    linear = planned = True
    samples = [S((2, 2, 3), Ints((2, 2), 4), params=((0,), (4, 3))),
               S((5, 4), Ints((5,), 3), Ints((5,), 2), params=((0, 2), (3, 4, 2)))]

    def forward(self, x, *indices):
        return sum_at(self.shape, self.dims, indices, x)

    def vjp(self, g, indices, needs):
        return (Index(self.dims)(g, *indices),)

    def batch(self, size, dims, values):
        x, *indices = values
        if any(dtype_of(i).kind == "b" for i in indices):
            return NotImplemented
        dims, flat, n = positions_with_example(self.dims, size, indices)
        return AddAt(dims, (size, *self.shape))(positions_first(x, self.dims, n), *flat)


def sum_at(shape, dims, indices, x):
    """Zeros of `shape` with x added at positions."""
    y = rows_added(shape, indices[0], x) if dims == (0,) and len(shape) > 1 else None
    if y is not None:
        return y
    if dims == (0,) and len(shape) > 1 and x.size > _SMALL and indices[0].dtype.kind != "b" and 0 not in shape:
        rows = _from_front(indices[0], shape[0]).ravel()
        y = _sparse_sum(shape[0], rows, np.broadcast_to(x, (*indices[0].shape, *shape[1:])).reshape(len(rows), -1))
        if y is not None:
            return y.reshape(shape)
    return add_at(np.zeros(shape, x.dtype), dims, indices, x)


def _from_front(index, n):
    """Positions counted from the front."""
    return index % n if index.size and index.min() < 0 else index


def add_at(y, dims, indices, x):
    """Add x into y at positions, in place; returns y. Faster than np.add.at for rows of a matrix."""
    if any(i.dtype.kind == "b" for i in indices):
        if len(indices) == 1:
            y[at(dims, indices)] += x  # no position twice
            return y
        np.add.at(y, at(dims, indices), x)
        return y
    neighbours = dims == tuple(range(dims[0], dims[0] + len(dims)))
    if not neighbours or x.dtype != y.dtype:
        np.add.at(y, at(dims, indices), x)
        return y
    lead, sizes = dims[0], [y.shape[d] for d in dims]
    index = np.broadcast_arrays(*indices) if len(indices) > 1 else indices
    n = index[0].ndim
    rows = np.ravel_multi_index([i % s if s else i for i, s in zip(index, sizes)], sizes) if len(dims) > 1 \
        else _from_front(index[0], sizes[0])
    whole = *y.shape[:lead], *index[0].shape, *y.shape[lead + len(dims):]
    if x.shape != whole:
        x = np.broadcast_to(x, whole)
    target = y if len(dims) == 1 else y.reshape(*y.shape[:lead], math.prod(sizes), *y.shape[lead + len(dims):])
    if lead:  # positions first
        target = np.moveaxis(target, lead, 0)
        x = np.moveaxis(x, range(lead, lead + n), range(n))
    add_rows(target, rows.ravel(), x.reshape(rows.size, *target.shape[1:]))
    return y


_SMALL = 1 << 14  # elements; below this NumPy's own loop is as fast as anything


def add_rows(y, rows, x):
    """y[rows[i]] += x[i] for all i, in place: the gradient of a table look-up.

    Large float tables go through a sparse matrix product where SciPy is installed (three times as fast
    as np.add.at on flat positions, which is three times as fast as on rows).
    """
    width = math.prod(y.shape[1:])
    if y.size == 0 or x.size == 0:
        return
    if x.size > _SMALL and width > 1:
        product = _sparse_sum(y.shape[0], rows, x.reshape(len(rows), width))
        if product is not None:
            y += product.reshape(y.shape)
            return
    if not y.flags.c_contiguous:
        np.add.at(y, rows, x)
    elif width == 1:
        np.add.at(y.reshape(-1), rows, x.reshape(-1))
    else:
        np.add.at(y.reshape(-1), (rows[:, None] * width + np.arange(width)).ravel(), x.reshape(-1))


_left = 1 << 24  # elements that are added up before SciPy is imported for it


def _sparse_sum(count, rows, x):
    """The sums as a product with a sparse 0-1 matrix, or None without SciPy (or for other numbers than floats).

    Both ways add up in the same order. SciPy is imported when that has become worth a quarter of a second.
    """
    global _left
    if x.dtype.kind not in "fc" or x.dtype.itemsize < 4:
        return None
    if _left > 0 and "scipy.sparse" not in sys.modules:
        _left -= x.size
        return None
    try:
        from scipy.sparse import csc_matrix  # noqa: PLC0415  (optional, and slow to import)
    except ImportError:
        return None
    n = len(rows)
    ones = csc_matrix((np.ones(n, x.dtype), rows, np.arange(n + 1)), shape=(count, n))
    return ones @ np.ascontiguousarray(x)


class IndexPut(Op):
    """x with `values` put (or added, if `accumulate`) at positions."""

    dims: tuple
    accumulate: bool = False
    linear = moves = True
    samples = [S((4, 3), (2, 3), np.array([2, 0]), params=((0,), False)),
               S((4, 3), (5,), Ints((5,), 4), Ints((5,), 3), params=((0, 1), True)),
               S((4, 3), (), np.array([True, False, True, True]), params=((0,), False))]

    def forward(self, x, values, *indices):
        y = np.array(x)
        put(y, self.dims, indices, values, self.accumulate)
        return y

    def vjp(self, g, indices, values_shape, needs):
        g_x = g_values = None
        if needs[0]:
            g_x = g if self.accumulate else IndexPut(self.dims)(g, dtype_of(g).type(0), *indices)
        if len(needs) > 1 and needs[1]:
            g_values = m.sum_to(Index(self.dims)(g, *indices), values_shape)
        return g_x, g_values

    def batch(self, size, dims, values):
        x, v, *indices = values
        if any(dtype_of(i).kind == "b" for i in indices):
            return self._where(x, v, indices)
        with_example, flat, n = positions_with_example(self.dims, size, indices)
        ndim = len(x.shape) - len(self.dims) + n
        v = m.reshape(v, (size, *(1,) * (ndim - len(v.shape)), *v.shape[1:]))
        return IndexPut(with_example, self.accumulate)(x, positions_first(v, self.dims, n), *flat)

    def _where(self, x, v, indices):
        """One number for each example, where a mask says so."""
        mask, d = indices[0], self.dims[0]
        if len(indices) > 1 or len(v.shape) > 1:
            return NotImplemented
        rest = (1,) * (len(x.shape) - d - len(mask.shape))
        mask = m.reshape(mask, (mask.shape[0], *(1,) * d, *mask.shape[1:], *rest))
        v = m.reshape(v, (v.shape[0], *(1,) * (len(x.shape) - 1)))
        return m.where(mask, x + v if self.accumulate else v, x)


def put(y, dims, indices, values, accumulate):
    """Write `values` at positions of the array y; PyTorch's errors for wrong shapes."""
    where = at(dims, indices)
    try:
        if not accumulate:
            y[where] = values
        else:
            shape = y[where].shape
            add_at(y, dims, indices, np.broadcast_to(values, shape))
    except IndexError as e:
        raise index_error(e) from None
    except ValueError:
        raise error("shapes-differ", RuntimeError(
            f"shape mismatch: value tensor of shape {list(np.shape(values))} cannot be broadcast to indexing result of "
            f"shape {list(y[where].shape)}"), what="value", shape=np.shape(values), other="x[index]",
            other_shape=y[where].shape, must="the value must broadcast to that shape",
            fix="assign one number, or a value of shape {other_shape}.") from None
