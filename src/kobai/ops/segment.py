"""Reductions over consecutive segments of one dimension."""
from __future__ import annotations

from math import prod

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S

_START = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}
_UFUNC = {"sum": np.add, "mean": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


class SegmentReduce(Op):
    """Sum, mean, product, largest or smallest over segments of dimension `axis`, whose lengths are an input.

    `lengths` has a row of lengths for each of the dimensions before `axis`. An empty segment gives `initial`.
    """

    reduce: str
    axis: int = 0
    initial: float | None = None
    samples = [S((5, 2), np.array([2, 0, 3]), params=("sum",)), S((5,), np.array([2, 3]), params=("mean",)),
               S((2, 3), np.array([[1, 2], [1, 2]]), params=("max", 1)), S((4,), np.array([1, 3]), params=("min",)),
               S((4,), np.array([1, 3]), params=("prod", 0, 2.0), low=0.2)]

    def forward(self, x, lengths):
        flat = x.reshape(-1, *x.shape[self.axis + 1:])
        start = _START[self.reduce] if self.initial is None else self.initial
        y = np.full((lengths.size, *flat.shape[1:]), start, x.dtype)
        _UFUNC[self.reduce].at(y, _segments(lengths), flat)
        y = y.reshape(*lengths.shape, *flat.shape[1:])
        return y / _like(lengths, y).astype(x.dtype) if self.reduce == "mean" else y

    def vjp_x(self, g, x, y, lengths):
        spread, total = SegmentSpread(self.axis), SegmentReduce("sum", self.axis)
        if self.reduce == "sum":
            return spread(g, lengths)
        if self.reduce == "mean":
            return spread(g / m.cast(_like(lengths, g), dtype_of(x)), lengths)
        if self.reduce == "prod":
            return spread(g, lengths) * self._others(x, lengths)
        chosen = m.cast(x == spread(y, lengths), dtype_of(x))
        ties = m.clamp(total(chosen, lengths), 1)  # none, where `initial` is the extreme
        return chosen * spread(g / ties, lengths)

    def _others(self, x, lengths):
        """For each element the product of the others in its segment; right for zeros, too."""
        spread, zero = SegmentSpread(self.axis), m.cast(x == 0, dtype_of(x))
        filled = x + zero
        zeros = spread(SegmentReduce("sum", self.axis)(zero, lengths), lengths) - zero
        return m.cast(zeros == 0, dtype_of(x)) * spread(self(filled, lengths), lengths) / filled

    def batch(self, size, dims, values):
        return SegmentReduce(self.reduce, self.axis + 1, self.initial)(*values)


class SegmentSpread(Op):
    """Each position of a segment gets the value of its segment: the transpose of their sums."""

    axis: int = 0
    linear = True
    samples = [S((3, 2), np.array([2, 0, 3])), S((2, 2), np.array([[1, 2], [1, 2]]), params=(1,))]

    def forward(self, x, lengths):
        rest = x.shape[self.axis + 1:]
        size = int(lengths.sum(-1).flat[0]) if lengths.size else 0
        return x.reshape(-1, *rest)[_segments(lengths)].reshape(*lengths.shape[:-1], size, *rest)

    def vjp_x(self, g, lengths):
        return SegmentReduce("sum", self.axis)(g, lengths)

    def batch(self, size, dims, values):
        return SegmentSpread(self.axis + 1)(*values)


def _segments(lengths):
    """For each position the number of its segment, those of all rows counted through."""
    return np.repeat(np.arange(lengths.size), lengths.ravel())


def _like(lengths, y):
    """The lengths with dimensions of size 1 after them, as many as y has."""
    return m.reshape(lengths, (*lengths.shape, *(1,) * (len(y.shape) - len(lengths.shape))))


def _misfit(lengths, shape, axis):
    """The error for lengths that do not have a row for each of the dimensions before `axis`."""
    if len(lengths) > len(shape):
        words = "Expected data.dim() >= lengths_value.dim() to be true, but got false."
    elif len(lengths) != axis + 1:
        words = f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}."
    else:
        words = f"segment_reduce(): Expected lengths of shape (*{shape[:axis]}, segments), got {lengths}"
    return error("tensor-shape", RuntimeError(words), what="lengths", shape=lengths, data=shape, dim=axis,
                 want=f"({''.join(f'{n}, ' for n in shape[:axis])}segments)",
                 why="lengths has shape {shape} for data of shape {data}; to reduce dimension {dim}, lengths needs the "
                     "dimensions before it, and then one number for each segment.")


@public("torch")
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, dim=0, unsafe=False, initial=None):
    """Reduce consecutive segments of dimension `dim` (PyTorch: `axis`): "sum", "mean", "prod", "max" or "min".

    Args: `lengths` of the segments, or their `offsets` (one more than there are segments), with a row for
    each of the dimensions before `axis`; `initial`, where each reduction starts and what an empty segment gives.
    Raises RuntimeError if the lengths do not add up to the size of the dimension (not if `unsafe`).

    >>> kobai.segment_reduce(kobai.arange(6.), "sum", lengths=kobai.tensor([2, 0, 4]))
    tensor([ 1.,  0., 14.])
    """
    if reduce not in _START:
        raise error("argument-choice", RuntimeError(
                    f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"), what="reduce",
                    value=reduce, choices=list(_START))
    if lengths is None and offsets is None:
        raise error("argument-missing", RuntimeError("segment_reduce(): Either lengths or offsets must be defined."),
                    what="lengths", fn="segment_reduce()",
                    why="neither lengths nor offsets were given, so nothing says where a segment ends.",
                    fix="give lengths=torch.tensor([2, 3]), or offsets=torch.tensor([0, 2, 5]) for the same segments.")
    if indices is not None:
        raise error("not-possible", RuntimeError("segment_reduce(): indices based reduction is not supported yet."),
                    why="neither PyTorch nor kobai reduces by indices here.",
                    fix="give lengths or offsets; scatter_reduce() takes the number of the segment of each element.")
    lengths = lengths._array() if lengths is not None else np.diff(offsets._array())
    axis = dim % len(data.shape)
    if lengths.ndim != axis + 1 or lengths.shape[:-1] != tuple(data.shape[:axis]):
        raise _misfit(lengths.shape, tuple(data.shape), axis)
    total = lengths.sum(-1)
    if (total > data.shape[axis]).any() or not unsafe and (total != data.shape[axis]).any():
        raise error("argument-value", RuntimeError(
                    "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) "
                    "when !unsafe."), what="lengths", value=lengths.tolist(),
                    why="the lengths {value} do not add up to {size}, the size of dimension {dim}.", dim=axis,
                    size=data.shape[axis], fix="let the lengths add up to {size}; unsafe=True allows less.")
    if prod(total.shape) and (total < data.shape[axis]).any():
        data = m.narrow(data, axis, 0, int(total.flat[0]))  # unsafe: what no segment covers is left out
    return SegmentReduce(reduce, axis, None if initial is None else float(initial))(data, lengths)
