"""Elements picked, or sent, along a dimension, in terms of what goes into kernels: rules of rewrite.py.

One position in each line (the action that was taken, where the largest is) is a comparison with all positions of the line,
so these ops become parts of the kernels before and after them. Positions that name whole rows become rows of tables.
A plan is not run with positions that are out of range: the op itself says so.
"""
from __future__ import annotations

import numpy as np

from kobai.compile.graph import Value
from kobai.lifted import m
from kobai.ops.index import AddAt, Index
from kobai.ops.movement import Expand, Reshape

FEW = 64  # elements of a line that are all looked at to pick one


def _in_range(work, index, size: int):
    """See to it that positions that are not constant are checked."""
    if isinstance(index, Value) and index.constant is None and index.dtype.kind in "iu":
        i = work.symbol(index)
        work.refuse_if(m.logical_not(m.all(m.logical_and(m.ge(i, 0), m.lt(i, size)))).value)  # as it is recorded


def _is_here(work, index: Value, dim: int, ndim: int, size: int):
    """Whether an element is the one at `index`, which has size 1 along `dim`."""
    return m.eq(_numbers(dim, ndim, size), work.symbol(index))


def _numbers(dim: int, ndim: int, size: int) -> np.ndarray:
    return np.arange(size).reshape([-1 if d == dim else 1 for d in range(ndim)])


def _one_each(index: Value, shape, dim: int) -> bool:
    """Whether there is one position for each line of a shape."""
    return index.dtype == np.int64 and index.shape == (*shape[:dim], 1, *shape[dim + 1:]) and 0 not in shape


def _row_numbers(work, index: Value, shape) -> Value | None:
    """The rows that are meant, where an index is the same for all elements of a row of `shape`."""
    if index.dtype != np.int64 or index.constant is not None or index.shape[1:] != tuple(shape)[1:] or 0 in shape:
        return None
    if len(shape) == 1:
        return index
    if all(s == 1 for s in shape[1:]):
        return work.apply(Reshape(index.shape[:1]), [index])[0]
    if index.node is None or not isinstance(index.node.op, Expand):
        return None
    one = index.node.args[0]
    lead = (1,) * (len(index.shape) - len(one.shape)) + one.shape
    if lead[0] != index.shape[0] or any(s != 1 for s in lead[1:]):
        return None
    return one if one.shape == lead[:1] else work.apply(Reshape(lead[:1]), [one])[0]


def gather(work, op, args):
    """One element of each line, or whole rows."""
    x, index = args
    if not x.shape:
        return None
    _in_range(work, index, x.shape[op.dim])
    if x.dtype.kind == "f" and _one_each(index, x.shape, op.dim) and x.shape[op.dim] <= FEW:
        here = _is_here(work, index, op.dim, len(x.shape), x.shape[op.dim])
        return (m.amax(m.where(here, work.symbol(x), -np.inf), op.dim, keepdim=True).value,)
    rows = _row_numbers(work, index, x.shape) if op.dim == 0 else None
    return work.keep(op, args) if rows is None else work.apply(Index((0,)), [x, rows])


def add_along(work, op, args):
    """One element for each line, among zeros; or whole rows."""
    x, index = args
    if not x.shape:
        return None
    _in_range(work, index, op.shape[op.dim])
    if x.dtype.kind == "f" and x.shape == index.shape and _one_each(index, op.shape, op.dim):
        here = _is_here(work, index, op.dim, len(op.shape), op.shape[op.dim])
        return (m.where(here, work.symbol(x) + 0.0, 0.0).value,)  # 0 + -0 is 0
    rows = _row_numbers(work, index, op.shape) if op.dim == 0 and x.shape == index.shape else None
    return work.keep(op, args) if rows is None else work.apply(AddAt((0,), op.shape), [x, rows])


def put_along(work, op, args):
    """One element for each line, among zeros, at positions that the program itself has found."""
    x, index = args
    shape = (*index.shape[:op.dim], op.size, *index.shape[op.dim + 1:])
    if x.dtype.kind != "f" or x.shape != index.shape or not _one_each(index, shape, op.dim):
        return None
    here = _is_here(work, index, op.dim, len(shape), op.size)
    return (m.where(here, work.symbol(x), 0.0).value,)


def scatter_add(work, op, args):
    """x and the sums of rows."""
    x, index, src = args
    if not x.shape:
        return None
    _in_range(work, index, x.shape[op.dim])
    rows = _row_numbers(work, index, x.shape) if op.dim == 0 and src.shape == index.shape else None
    return work.keep(op, args) if rows is None else _with_rows(work, x, src, rows)


def index_add(work, op, args):
    """x and the sums of rows."""
    x, index, source = args
    if not x.shape:
        return None
    _in_range(work, index, x.shape[op.dim])
    if op.dim or index.constant is not None or index.dtype != np.int64 or x.dtype != source.dtype \
            or source.shape != (*index.shape, *x.shape[1:]) or 0 in source.shape:
        return work.keep(op, args)
    if op.alpha != 1:
        source = (work.symbol(source) * op.alpha).value
    return _with_rows(work, x, source, index)


def _with_rows(work, x: Value, source: Value, rows: Value):
    added, = work.apply(AddAt((0,), x.shape), [source, rows])
    if x.constant is not None and not np.any(np.asarray(x.constant)):
        return (added,)
    return ((work.symbol(x) + work.symbol(added)).value,)


def checked(work, op, args):
    """An op that picks or sends along a dimension, as it is."""
    if args[0].shape:
        _in_range(work, args[1], args[0].shape[op.dim])
    return work.keep(op, args)


def extreme_of_one(work, op, args):
    """The largest of one is that."""
    x, = args
    dims = range(len(x.shape)) if op.dim is None else (op.dim,) if isinstance(op.dim, int) else op.dim
    dims = {d % len(x.shape) for d in dims}
    if any(x.shape[d] != 1 for d in dims):
        return None
    return work.apply(Reshape(tuple([s for d, s in enumerate(x.shape) if op.keepdim or d not in dims])), [x])


# ---- where the largest is --------------------------------------------------------------------
def extreme(reduce):
    """A rule for the largest, or smallest, element of each line and its first place."""
    def simpler(work, op, args):
        x, = args
        if x.dtype.kind != "f" or x.dtype.itemsize < 4 or not x.shape or 0 in x.shape:
            return None
        y, place = _place(work, reduce, x, op.dim)
        if not op.keepdim:
            y, place = m.squeeze(y, op.dim), m.squeeze(place, op.dim)
        return y.value, place.value
    return simpler


def place_of_extreme(reduce):
    """A rule for the first place of the largest, or smallest, element of each line, or of all."""
    def simpler(work, op, args):
        x, = args
        if x.dtype.kind != "f" or x.dtype.itemsize < 4 or not x.shape or 0 in x.shape or op.dim is None:
            return None
        place = _place(work, reduce, x, op.dim)[1]
        return ((place if op.keepdim else m.squeeze(place, op.dim)).value,)
    return simpler


def _place(work, reduce, x: Value, dim: int):
    """The extreme elements and their first places: of the first NaN, where there is one."""
    x, size, dim = work.symbol(x), x.shape[dim], dim % len(x.shape)
    y = getattr(m, reduce)(x, dim, keepdim=True)
    here = m.logical_or(m.eq(x, y), m.ne(x, x))
    return y, m.amin(m.where(here, _numbers(dim, len(x.shape), size), size), dim, keepdim=True)


RULES = {
    "Amax": extreme_of_one,
    "Amin": extreme_of_one,
    "Gather": gather,
    "AddAlong": add_along,
    "PutAlong": put_along,
    "ScatterAdd": scatter_add,
    "IndexAdd": index_add,
    "Scatter": checked,
    "ScatterValue": checked,
    "ScatterReduce": checked,
    "Max": extreme("amax"),
    "Min": extreme("amin"),
    "Argmax": place_of_extreme("amax"),
    "Argmin": place_of_extreme("amin"),
}
