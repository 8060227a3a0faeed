"""Places in sorted sequences: searchsorted, bucketize."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..inplace import into
from ..op import Op, dtype_of
from ..public import export, public
from ..testing.samples import S
from .movement import size_of


class Searchsorted(Op):
    """Where each value has to be inserted to keep a sequence (or each row) sorted; after equal ones if `right`."""

    right: bool = False
    int32: bool = False
    samples = [S(np.array([1.0, 3.0, 5.0]), np.array([[0.0, 3.0], [6.0, 1.0]]), None),
               S(np.array([5.0, 1.0, 3.0]), np.array([3.0]), np.array([1, 2, 0]), params=(True,)),
               S(np.array([[1, 3], [2, 4]]), np.array([[3, 4, 0], [3, 4, 0]]), None, params=(False, True))]

    def forward(self, sequence, values, sorter):
        if sorter is not None:
            sequence = np.take_along_axis(sequence, sorter, -1)
        y = self._places(sequence, np.asarray(values))
        return y.astype(np.int32) if self.int32 else y

    def _places(self, sequence, values):
        side = "right" if self.right else "left"
        if sequence.ndim == 1:
            y = np.searchsorted(sequence, values, side)
            return np.where(np.isnan(values), len(sequence), y)[()] if values.dtype.kind == "f" else y
        y = np.empty(values.shape, np.int64)
        for row in np.ndindex(sequence.shape[:-1]):
            y[row] = self._places(sequence[row], values[row])
        return y


@public("torch")
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each element of `input` has to be inserted to keep `sorted_sequence` sorted.

    With `right` (or side="right") after elements equal to it, else before them. `sorter` are the
    indices that sort the sequence, where it is not sorted itself. Rows of several dimensions are
    searched each for its own row of values.

    >>> kobai.searchsorted(kobai.tensor([1, 3, 5]), kobai.tensor([3, 6]))
    tensor([1, 3])
    """
    if side not in (None, "left", "right"):
        raise error("argument-choice", RuntimeError(
                    f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"), what="side",
                    value=side, choices=["left", "right"])
    if side == "left" and right:
        raise error("arguments-exclude", RuntimeError(
                    "torch.searchsorted(): side and right can't be set to opposites, got side of left while right "
                    "was True"), what="side='left'", other="right=True",
                    fix="leave out one of them: right=True is the same as side='right'.")
    input = input if hasattr(input, "shape") else np.asarray(input)
    _check_sequence(sorted_sequence, input)
    if sorter is not None:
        _check_sorter(sorted_sequence, sorter)
    return Searchsorted(bool(right) or side == "right", bool(out_int32))(sorted_sequence, input, sorter)


def _check_sequence(sequence, values):
    n = len(sequence.shape)
    if not n:
        raise error("tensor-dims", RuntimeError(
                    "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"),
                    what="sorted_sequence", shape=(), need="at least {n}", n=1,
                    fix="the sequence to search is a row of numbers: sorted_sequence.reshape(1) makes one.")
    if n > 1 and not len(values.shape):
        raise error("tensor-dims", RuntimeError(
                    "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, "
                    f"but we got boundaries tensor dim({n}) and input value's dim(0) numel({size_of(values)})"),
                    what="input", shape=(), need="{n}", n=n,
                    why="sorted_sequence has shape {sequence}, a sequence in each row; input is one number and "
                        "belongs to none of them.", sequence=tuple(sequence.shape),
                    fix="give a row of values for each sequence: input.expand(*sorted_sequence.shape[:-1], 1).")
    if n > 1 and tuple(sequence.shape[:-1]) != tuple(values.shape[:-1]):
        raise error("shapes-differ", RuntimeError(
                    "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                    "boundaries tensor and input value tensor must match, but we got boundaries tensor "
                    f"{list(sequence.shape)} and input value tensor {list(values.shape)}"), what="sorted_sequence",
                    shape=tuple(sequence.shape), other="input", other_shape=tuple(values.shape),
                    must="all dimensions but the last must be the same, unless sorted_sequence is one row")


def _check_sorter(sequence, sorter):
    if tuple(sequence.shape) != tuple(sorter.shape):
        raise error("shapes-differ", RuntimeError(
                    "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                    f"{list(sequence.shape)}and got sorter tensor {list(sorter.shape)}"), what="sorted_sequence",
                    shape=tuple(sequence.shape), other="sorter", other_shape=tuple(sorter.shape),
                    must="both must have the same shape",
                    fix="sorter says in what order the sequence is sorted: sorter=sorted_sequence.argsort().")
    if dtype_of(sorter) != np.int64:
        raise error("tensor-dtype", RuntimeError(
                    f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {type_word(sorter)}"),
                    what="sorter", dtype=dtype_of(sorter), fn="searchsorted()", must="whole numbers of type int64",
                    fix="sorter says in what order the sequence is sorted: sorter=sorted_sequence.argsort().")
    i = getattr(sorter, "_value", sorter)
    if isinstance(i, np.ndarray) and i.size and not (i.min() >= 0 and i.max() < i.shape[-1]):
        raise error("data-range", RuntimeError("torch.searchsorted(): sorter index out of range"), what="sorter",
                    value=int(i.min() if i.min() < 0 else i.max()), must="a whole number between {low} and {high}",
                    low=0, high=i.shape[-1] - 1,
                    fix="sorter says in what order the sequence is sorted: sorter=sorted_sequence.argsort().")


def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """The number of the interval between `boundaries` that each element lies in.

    >>> kobai.bucketize(kobai.tensor([0.5, 1.0, 7.0]), kobai.tensor([1., 3., 5.]))
    tensor([0, 0, 3])
    """
    if len(boundaries.shape) != 1:
        raise error("tensor-dims", RuntimeError(
                    f"boundaries tensor must be 1 dimension, but got dim({len(boundaries.shape)})"), what="boundaries",
                    shape=tuple(boundaries.shape), need="{n}", n=1,
                    fix="boundaries are one row, in order; torch.searchsorted takes a row for each row of values.")
    y = searchsorted(boundaries, input, out_int32=out_int32, right=right)
    return y if out is None else into(out, y)


export("torch", "bucketize", bucketize)  # `input` may be a number
