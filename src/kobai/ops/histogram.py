"""Counting into bins: bincount, histogram, searchsorted."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..return_types import return_type
from ..tensor import Tensor
from ..testing.samples import Ints, S
from .creation import linspace
from .movement import size_of
from .reduce import not_implemented


# ---- bincount --------------------------------------------------------------------------------
class Bincount(Op):
    """How often each of 0, 1, 2, ... occurs, or the sum of the weights there."""

    minlength: int
    samples = [S(Ints((5,), 3), None, params=(4,)), S(Ints((5,), 3), (5,), params=(4,), smooth=False)]

    def dynamic(self, *_):
        return True

    def forward(self, x, weights):
        y = np.bincount(x, weights, self.minlength)
        return y if weights is None or weights.dtype != np.float32 else y.astype(np.float32)


@public()
def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, 2, ... occurs in a vector of integers, or the sum of the weights there.

    >>> kobai.tensor([0, 2, 2]).bincount()
    tensor([1, 0, 2])
    """
    if dtype_of(input).kind not in "ui":
        raise not_implemented("bincount_cpu", input)
    if minlength < 0:
        raise error("argument-value", RuntimeError("minlength should be >= 0"), what="minlength", value=minlength,
                    must="a whole number of at least {low}", low=0)
    if input.ndim != 1:
        raise error("tensor-dims", RuntimeError("bincount only supports 1-d non-negative integral inputs."),
                    shape=input.shape, fn="bincount()", why="input has shape {shape}, and {fn} takes a vector.",
                    fix="x.flatten() makes a vector of it.")
    if isinstance(input, Tensor) and input._value.size and input._value.min() < 0:
        raise error("data-range", RuntimeError("bincount only supports 1-d non-negative integral inputs."),
                    least=int(input._value.min()),
                    why="input holds {least}; its numbers are positions in the result, which count from 0.",
                    fix="look where the numbers below 0 come from.")
    if weights is not None and tuple(weights.shape) != tuple(input.shape):
        raise error("shapes-differ", RuntimeError("weights should be 1-d and have the same length as input"),
                    what="weights", shape=weights.shape, other="input", other_shape=input.shape,
                    must="both must have the same shape")
    if weights is not None and dtype_of(weights) != np.float32:
        weights = m.cast(weights, dtypes.float64)
    return Bincount(minlength)(input, weights)


# ---- histograms ------------------------------------------------------------------------------
class Histc(Op):
    """How many elements fall into each of `bins` equal parts of [low, high]."""

    bins: int
    low: float
    high: float
    samples = [S((2, 3), params=(4, -1.0, 1.0), smooth=False)]

    def forward(self, x):
        low, high = x.dtype.type(self.low), x.dtype.type(self.high)
        x = np.asarray(x).reshape(-1)
        inside = (x >= low) & (x <= high)
        x = x if inside.all() else x[inside]
        place = ((x - low) * x.dtype.type(self.bins) / (high - low)).astype(np.int64)
        return np.bincount(np.minimum(place, self.bins - 1, out=place), minlength=self.bins).astype(x.dtype)


def _range_of(values, low, high, name):
    """The range of the histogram: of the data if none is given, and never of width zero."""
    if low == high == 0 and values.size:
        low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise error("argument-value", RuntimeError(f"{name} [{low:g}, {high:g}] is not finite"), low=float(low),
                    high=float(high), why="the range runs from {low} to {high}, and its ends must be finite.",
                    fix="give the range yourself, or keep inf and nan out of the data: x[x.isfinite()].")
    return low, high


def _widened(low, high, by):
    return (low - by, high + by) if low == high else (low, high)


@public()
def histc(input, bins=100, min=0, max=0):
    """How many elements fall into each of `bins` equal parts of [min, max] (of the data, if both are 0).

    >>> kobai.histc(kobai.tensor([1., 2., 1.]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    if dtype_of(input).kind not in "fV":
        raise not_implemented("histogram_cpu", input)
    if bins <= 0:
        raise error("argument-value", RuntimeError(
            f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0"), what="bins", value=bins,
            must="a positive whole number")
    if min > max:
        raise error("argument-value", RuntimeError("torch.histc: max must be larger than min"), what="min", value=min,
                    must="a number of at most {high}", high=max,
                    fix="give the smaller number as min, the larger one as max.")
    if modes.trace is not None and min == max == 0:
        modes.trace.looked("histc() without a range")
    low, high = _range_of(input._data.astype(np.float64) if min == max == 0 else np.zeros(0), min, max,
                          "torch.histc: range of")
    low, high = _widened(float(low), float(high), 1)
    return Histc(int(bins), low, high)(input)


class Histogram(Op):
    """Weights of points (in rows), summed in the cells of a grid with these edges."""

    density: bool = False
    samples = [S((5, 1), (5,), np.array([-1.0, 0.0, 1.0]), smooth=False),
               S((5, 2), None, np.array([-1.0, 0.0, 1.0]), np.array([-1.0, 0.3, 0.5, 1.0]), params=(True,),
                 smooth=False)]

    def forward(self, points, weights, *edges):
        sizes = [len(e) - 1 for e in edges]
        inside, cell = np.ones(len(points), bool), np.zeros(len(points), np.int64)
        for x, e, n in zip(points.T, edges, sizes):
            inside &= (x >= e[0]) & (x <= e[-1])
            cell = cell * n + np.clip(np.searchsorted(e, x, "right") - 1, 0, n - 1)  # the last edge belongs to it
        weights = None if weights is None else weights[inside]
        y = np.bincount(cell[inside], weights, int(np.prod(sizes))).reshape(sizes)
        if self.density:
            y = y / y.sum()
            for d, e in enumerate(edges):
                y = y / np.diff(e).astype(np.float64).reshape((-1,) + (1,) * (len(edges) - d - 1))
        return y.astype(points.dtype)


@public()
def histogram(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges): how many elements (or how much weight) fall between edges.

    Args: `bins`, a number of equal bins over `range` (by default of the data), or a tensor of edges;
    `density`, divide so that the integral is 1.
    """
    points = m.reshape(input, (size_of(input), 1))
    if weight is not None:
        if tuple(weight.shape) != tuple(input.shape):
            raise error("shapes-differ", RuntimeError(
                "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
                f"excluding its innermost dimension, but got input with shape {list(points.shape)} and weight with "
                f"shape {list(weight.shape)}"), what="weight", shape=weight.shape, other="input",
                other_shape=input.shape, must="both must have the same shape")
        weight = m.reshape(weight, (size_of(input),))
    hist, edges = _histogram(points, [bins], range, weight, density)
    return return_type("histogram")(hist, edges[0])


return_type("histogram", "hist", "bin_edges")
return_type("histogramdd", "hist", "bin_edges")


@public("torch")
def histogramdd(input, bins, range=None, weight=None, density=False):
    """(hist, bin_edges) of points, whose coordinates are the last dimension.

    Args: `bins`, the number of bins, one for each coordinate, or a tensor of edges for each;
    `range`, lowest and highest edge of the first coordinate, of the second, and so on.
    """
    if input.ndim < 2:
        raise error("tensor-dims", RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions"),
                    what="input", shape=input.shape, need="at least {n}", n=2,
                    fix="the last dimension holds the coordinates of a point; torch.histogram takes plain numbers.")
    n = input.shape[-1]
    bins = [bins] * n if isinstance(bins, int) else list(bins)
    if len(bins) != n:
        raise error("argument-count", RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."), what="bins",
            count=len(bins), need="{n}", n=n,
            fix="give one number for all coordinates, or a list of {n}, one for each.")
    points = m.reshape(input, (size_of(input) // n if n else 0, n))
    weight = None if weight is None else m.reshape(weight, (size_of(weight),))
    return return_type("histogramdd")(*_histogram(points, bins, range, weight, density))


def _histogram(points, bins, range, weight, density):
    if dtype_of(points) not in (np.float32, np.float64):
        raise not_implemented("histogramdd", points)
    if modes.trace is not None and (range is None or any(isinstance(b, Tensor) for b in bins)):
        modes.trace.looked("a histogram without a range")
    edges = tuple([_edges(points._data[:, d], b, None if range is None else range[2 * d:2 * d + 2], d)
                   for d, b in enumerate(bins)])
    return Histogram(bool(density))(points, weight, *edges), edges


def _edges(x, bins, range, d):
    """The edges of the bins of one coordinate."""
    if isinstance(bins, Tensor):
        if dtype_of(bins) != x.dtype:
            raise error("dtypes-differ", RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{dtypes.c_name(x)} and bins for dimension {d} with dtype {dtypes.c_name(bins)}"),
                what="input", dtype=x.dtype, other="bins", other_dtype=dtype_of(bins))
        return bins
    if bins <= 0:
        raise error("argument-value", RuntimeError(
            f"torch.histogram(): bins must be > 0, but got {bins} for dimension {d}"), what="bins", value=bins,
            must="a positive whole number")
    if range is not None:
        low, high = range
        if low > high:
            raise error("argument-value", RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"),
                low=low, high=high, why="the lowest edge, {low}, is above the highest, {high}.",
                fix="give the smaller number first.")
        _range_of(np.zeros(0), low, high, f"torch.histogramdd: dimension {d}'s range")
    elif not x.size:
        low, high = 0, 1
    else:
        low, high = _range_of(x, 0, 0, f"torch.histogramdd: dimension {d}'s range")
    low, high = _widened(low, high, 0.5)
    return linspace(float(low), float(high), bins + 1, dtype=dtypes.of(x.dtype))
