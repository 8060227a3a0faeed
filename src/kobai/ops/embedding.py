"""Rows of a table: look-ups, sums and means of bags of them, and one-hot vectors."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import type_word
from ..large import small, taken
from ..op import Op, dtype_of, m
from ..public import by_form, public
from ..tensor import LiftedTensor, Tensor, wrap
from ..testing.samples import Ints, S
from .gather import AddAlong
from .index import AddAt


class RowFactors(Op):
    """What the gradient of each look-up is multiplied by: 0 for `padding`, 1 / how often the row is looked up."""

    padding: int
    by_frequency: bool
    dtype: object
    samples = [S(Ints((5,), 3), params=(1, True, np.dtype(np.float64)), smooth=False)]

    def forward(self, index):
        factor = np.ones(index.shape, self.dtype)
        if self.by_frequency and index.size:
            factor /= np.bincount(index.reshape(-1)).astype(self.dtype)[index]
        if self.padding >= 0:
            factor[index == self.padding] = 0
        return factor


class Embedding(Op):
    """The rows of w at positions; the row `padding` (-1: none) gets no gradient."""

    padding: int = -1
    by_frequency: bool = False
    sparse_gradient: bool = False
    samples = [S((4, 3), Ints((2, 2), 4)), S((4, 3), Ints((5,), 4)), S((4, 2), Ints((0,), 4)), S((4, 2), Ints((), 4)),
               S((2, 20), Ints((1000,), 2))]

    def forward(self, w, index):
        if small.pick is not None:
            y = small.pick(w, index, 0, False)
            if y is not None:
                return y
        try:
            if index.size and index.min() < 0:
                raise IndexError
            y = taken(w, index)
            return w.take(index, 0) if y is None else y
        except IndexError:
            bad = index[(index < 0) | (index >= len(w))].flat[0]
            raise error("embedding-range", index=int(bad), size=len(w), last=len(w) - 1) from None

    def vjp_w(self, g, index, w_shape):
        if self.padding >= 0 or self.by_frequency:
            g = g * m.unsqueeze(RowFactors(self.padding, self.by_frequency, dtype_of(g))(index), -1)
        if self.sparse_gradient:
            if self.padding >= 0 and type(index) is np.ndarray:  # its row is not touched at all
                there = np.flatnonzero(index.reshape(-1) != self.padding)
                index, g = index.reshape(-1)[there], m.reshape(g, (index.size, w_shape[1]))[there]
            return m.sparse_rows(index, g, w_shape)
        return AddAt((0,), w_shape)(g, index)

    def batch(self, size, dims, values):
        w, index = values
        if self.by_frequency or self.sparse_gradient or dims[0] and self.padding >= 0:
            return NotImplemented
        if not dims[0]:
            return self(m.select(w, 0, 0), index)
        rows = w.shape[1]  # all tables below each other
        first = np.arange(size).reshape(size, *(1,) * (len(index.shape) - 1)) * rows
        return self(m.reshape(w, (size * rows, *w.shape[2:])), index + first)


class EmbeddingBag(Op):
    """Sums of the rows of w at `index`, times `factor`: those with equal `bag` (ascending) make one of `count`."""

    count: int
    sparse_gradient: bool = False
    by_frequency: bool = False
    samples = [S((5, 3), np.array([4, 1, 1, 0]), np.array([0, 0, 2, 2]), (4,), params=(3,)),
               S((5, 3), np.array([], np.int64), np.array([], np.int64), (0,), params=(2,))]

    def forward(self, w, index, bag, factor):
        y = np.zeros((self.count, w.shape[1]), w.dtype)
        if index.size:
            starts = np.flatnonzero(np.r_[True, bag[1:] != bag[:-1]])
            y[bag[starts]] = np.add.reduceat(np.take(w, index, 0) * factor[:, None], starts, 0)
        return y

    def vjp_w(self, g, index, bag, factor, w_shape):
        if self.by_frequency:
            factor = factor * RowFactors(-1, True, dtype_of(g))(index)
        rows = Embedding()(g, bag) * m.unsqueeze(factor, -1)
        return m.sparse_rows(index, rows, w_shape) if self.sparse_gradient else AddAt((0,), w_shape)(rows, index)

    def vjp_factor(self, g, w, index, bag):
        return m.sum(Embedding()(g, bag) * Embedding()(w, index), -1)


class LargestOfBag(Op):
    """For each of `count` bags and each column, which row of w has the largest value (-1 for empty bags)."""

    count: int
    samples = [S((5, 3), np.array([4, 1, 1, 0]), np.array([0, 0, 2, 2]), params=(3,), smooth=False)]

    def forward(self, w, index, bag):
        best = np.full((self.count, w.shape[1]), -1)
        for b in np.unique(bag):
            rows = index[bag == b]
            best[b] = rows[np.argmax(w[rows], 0)]
        return best


class EmbeddingBagMax(Op):
    """The largest values of bags, from the rows that have them; 0 where that is no row, but -1."""

    grad_name = "EmbeddingBagBackward0"
    samples = [S((5, 3), np.array([[4, 1, 1], [-1, -1, -1]]))]

    def forward(self, w, index):
        y = np.take_along_axis(w, np.maximum(index, 0), 0)
        y[index < 0] = 0
        return y

    def vjp_w(self, g, index, w_shape):
        return AddAlong(0, w_shape)(m.keep(g, m.ge(index, 0)), m.maximum(index, 0))


class OneHot(Op):
    """1 in the place that each integer names, of `classes`, else 0."""

    classes: int
    samples = [S(Ints((2, 3), 4), params=(4,), smooth=False)]

    def forward(self, x):
        y = np.zeros((x.size, self.classes), np.int64)
        y[np.arange(x.size), x.reshape(-1)] = 1
        return y.reshape(*x.shape, self.classes)

    def batch(self, size, dims, values):
        return self(*values)


# ---- the public functions --------------------------------------------------------------------
def _check_dtype(index, fn="embedding"):
    """Positions must be integers."""
    d = dtype_of(index)
    if d not in (np.int64, np.int32):
        word = type_word(index)
        word = "CPUBoolType" if word == "Bool" else f"torch.{word}Tensor"
        raise error("embedding-dtype", got=word, function=fn)


def _first_outside(index, rows):
    """The first position of a row that does not exist, or None."""
    data = _plain(index)
    if data is not None and data.size and (data.min() < 0 or data.max() >= rows):
        return data[(data < 0) | (data >= rows)].reshape(-1)[0]
    return None


def _plain(t):
    """The array of a Tensor, or None inside a transform."""
    if isinstance(t, Tensor):
        return None if isinstance(t, LiftedTensor) else np.asarray(t._data)
    return t if isinstance(t, (np.ndarray, np.generic)) else None


@public("nn.functional")
@by_form
def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows of the table `weight` at the positions `input`.

    Args: the row `padding_idx` gets no gradient; rows longer than `max_norm` are shortened to it first, in
    place; `scale_grad_by_freq` divides a row's gradient by how often it is looked up; `sparse` makes the
    gradient a sparse tensor.

    Shape: (*) of integers, (rows, d) -> (*, d).

    >>> kobai.nn.functional.embedding(kobai.tensor([1, 0]), kobai.tensor([[1., 2.], [3., 4.]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    _check_table(weight)
    rows = weight.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise error("argument-value", AssertionError("Padding_idx must be within num_embeddings"),
                        what="padding_idx", value=padding_idx, must="a whole number between {low} and {high}",
                        low=-rows, high=rows - 1)
        padding_idx %= rows
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    return table_rows(weight, input, -1 if padding_idx is None else padding_idx, scale_grad_by_freq, sparse)


@public("torch", name="embedding")
@by_form
def table_rows(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """Rows of the table `weight` at positions."""
    _check_table(weight)
    _check_dtype(indices)
    return Embedding(padding_idx, bool(scale_grad_by_freq), bool(sparse))(weight, indices)


def _check_table(weight):
    if len(weight.shape) != 2:
        raise error("tensor-dims", RuntimeError("'weight' must be 2-D"), what="weight", shape=weight.shape, need="{n}",
                    n=2, fix="the weight is a table with one row for each position: (positions, features).")


def _shorten(weight, index, max_norm, p):
    """Rows that are looked up and longer than `max_norm` get that length, in place."""
    data, rows = _plain(index), np.unique(_plain(index))
    if data is None or _first_outside(index, weight.shape[0]) is not None:
        return
    if modes.trace is not None:
        modes.trace.looked("max_norm")
    w = weight._array()
    norms = np.linalg.norm(w[rows], ord=float(p), axis=1)
    long = norms > max_norm
    if long.any():
        w[rows[long]] *= (max_norm / (norms[long] + 1e-7)).astype(w.dtype)[:, None]
        weight._bump()


@public("nn.functional")
def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean",
                  sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):
    """Sums, means or maxima of bags of rows of the table `weight`.

    A bag is a row of a two-dimensional `input`, or goes from one of `offsets` to the next.

    Shape: input (B, n), or (n,) with offsets (B,) -> (B, d).
    """
    if dtype_of(weight) in (np.int64, np.int32) and dtype_of(input).kind == "f":
        input, weight = weight, input  # the order of PyTorch 0.3
    if mode not in ("sum", "mean", "max"):
        raise error("argument-choice", ValueError("mode has to be one of sum, mean or max"), what="mode", value=mode,
                    choices=["sum", "mean", "max"])
    if mode == "max" and scale_grad_by_freq:
        raise error("arguments-exclude", ValueError("max mode does not support scaling the gradient by the frequency"),
                    what="mode='max'", other="scale_grad_by_freq=True")
    if mode == "max" and sparse:
        raise error("arguments-exclude", ValueError("max mode does not support sparse weights"), what="mode='max'",
                    other="sparse=True")
    if per_sample_weights is not None and tuple(per_sample_weights.shape) != tuple(input.shape):
        raise error("shapes-differ", ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"), what="per_sample_weights", shape=per_sample_weights.shape,
            other="input", other_shape=input.shape, must="both must have the same shape")
    if per_sample_weights is not None and mode != "sum":
        raise error("arguments-exclude", NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."), mode=repr(mode),
            why="per_sample_weights are factors in a sum, and mode is {mode}.",
            fix="use mode='sum', or leave out per_sample_weights.")
    index, bag, count = _bags(input, offsets, include_last_offset)
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    _check_dtype(index, "embedding_bag")
    bad = _first_outside(index, weight.shape[0])
    if bad is not None:
        place = int(np.flatnonzero(_plain(index) == bad)[0])
        raise error("position-range", RuntimeError(
            f"Index {place} of input takes value {bad} which is not in the valid range [0, {weight.shape[0]})"),
            what=f"input[{place}]", value=int(bad), size=weight.shape[0], last=weight.shape[0] - 1)
    if padding_idx is not None:
        padding_idx %= weight.shape[0]
    return _combined(weight, index, bag, count, mode, per_sample_weights, padding_idx, sparse, scale_grad_by_freq)


def _bags(input, offsets, include_last_offset):
    """(positions in a row, the bag of each, how many bags)."""
    if len(input.shape) == 2:
        if offsets is not None:
            raise error("arguments-exclude", ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"),
                why="each row of a two-dimensional input is a bag, so there is nothing for offsets to say.",
                fix="leave out offsets, or give input.flatten().")
        n, k = input.shape
        return m.reshape(input, (n * k,)), np.repeat(np.arange(n), k), n
    if len(input.shape) != 1:
        raise error("tensor-dims", ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {len(input.shape)}"), what="input",
            shape=input.shape, need="{n} or {m}", n=1, m=2)
    if offsets is None:
        raise error("argument-missing", ValueError("offsets has to be a 1D Tensor but got None"),
                    why="a one-dimensional input needs offsets, the positions where its bags begin.",
                    fix="give offsets=torch.tensor([0, ...]), or a two-dimensional input with a bag in each row.")
    if len(offsets.shape) != 1:
        raise error("tensor-dims", ValueError("offsets has to be a 1D Tensor"), what="offsets", shape=offsets.shape,
                    need="{n}", n=1)
    if modes.trace is not None:
        modes.trace.looked("embedding_bag() with offsets")
    starts, n = np.array(_plain(offsets)), input.shape[0]
    if starts.size and starts[0]:
        raise error("argument-value", RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"), what="offsets[0]", value=int(starts[0]), must="{n}", n=0,
            fix="the first bag begins at position 0: offsets [0, 3, 7] are bags of 3, of 4, and of the rest.")
    if starts.size and starts[-1] > n:
        raise error("argument-value", RuntimeError(
            f"offsets[-1] can not be greater than input's length {n} but got offsets[-1] of {starts[-1]}"),
            what="offsets[-1]", value=int(starts[-1]), must="a number of at most {high}", high=n)
    ends = starts[1:] if include_last_offset else np.r_[starts[1:], n]
    starts = starts[:len(ends)]
    return input, np.repeat(np.arange(len(ends)), ends - starts), len(ends)


def _combined(w, index, bag, count, mode, weights, padding, sparse, by_frequency):
    positions = _plain(index)
    if padding is not None:  # as if it were not there
        if modes.trace is not None:
            modes.trace.looked("embedding_bag() with padding_idx")
        there = np.flatnonzero(positions != padding)
        index, bag = m.reshape(index, (-1,))[there], bag[there]
        if weights is not None:
            weights = m.reshape(weights, (-1,))[there]
    d = dtype_of(w)
    if mode == "max":
        return EmbeddingBagMax()(w, LargestOfBag(count)(w, index, bag))
    if weights is None:
        factor = np.ones(len(bag), d)
        if mode == "mean":
            factor /= np.bincount(bag, minlength=count).astype(d)[bag]
    else:
        factor = m.reshape(weights, (-1,))
    return EmbeddingBag(count, bool(sparse), bool(by_frequency))(w, index, bag, factor)


@public("torch", name="embedding_bag")
def _embedding_bag(weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None,
                   include_last_offset=False, padding_idx=None):
    """nn.functional.embedding_bag (mode 0 sum, 1 mean, 2 max), the bag of each index, sizes of bags, rows of maxima."""
    y = embedding_bag(indices, weight, offsets, None, 2, scale_grad_by_freq, ("sum", "mean", "max")[mode], sparse,
                      per_sample_weights, include_last_offset, padding_idx)
    index, bag, count = _bags(indices, offsets, include_last_offset)
    sizes = np.bincount(bag, minlength=count)
    rows = LargestOfBag(count)(weight, index, bag) if mode == 2 else wrap(sizes)
    return y, wrap(bag), wrap(sizes), rows


@public("nn.functional")
def one_hot(input, num_classes=-1):
    """Vectors with a 1 in the place that each integer names, and 0 elsewhere.

    >>> kobai.nn.functional.one_hot(kobai.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if dtype_of(input) != np.int64:
        raise error("one-hot-dtype", dtype=str(dtypes.of(dtype_of(input))))
    data = _plain(input)
    if modes.trace is not None and num_classes == -1:
        modes.trace.looked("one_hot() without num_classes")
    if num_classes == -1 and (data is None or not data.size):
        raise error("tensor-empty", RuntimeError("Can not infer total number of classes from empty tensor."),
                    why="input is empty, so the number of classes cannot be read from its largest one.",
                    fix="give the number: F.one_hot(x, num_classes=10).")
    if data is not None and data.size:
        if data.min() < 0:
            raise error("data-range", RuntimeError("Class values must be non-negative."), what="input",
                        value=int(data.min()), must="a whole number of at least {low}", low=0)
        if num_classes == -1:
            num_classes = int(data.max()) + 1
        if data.max() >= num_classes:
            raise error("one-hot-range", most=int(data.max()), classes=num_classes, last=num_classes - 1)
        if modes.trace is not None:
            modes.trace.ensure(m.all(m.logical_and(m.ge(input, 0), m.lt(input, num_classes))))
    elif num_classes <= 0 and data is not None:
        raise error("tensor-empty", RuntimeError("Can not infer total number of classes from empty tensor."),
                    why="input is empty, so the number of classes cannot be read from its largest one.",
                    fix="give the number: F.one_hot(x, num_classes=10).")
    return OneHot(int(num_classes))(input)


