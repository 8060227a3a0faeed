"""Sorting, and elements by their rank: sort, topk, kthvalue, median, mode."""
from __future__ import annotations

import numpy as np

from ..diagnose.errors import error
from ..large import small
from ..op import Op, Reduction, dtype_of, m
from ..public import by_form, public
from ..return_types import return_type
from ..testing.samples import S
from .along import ByIndex, of_scalar, positions
from .extremes import ALONG, MaxAll
from .reduce import WHOLE, not_implemented, one_dim


# ---- the order of elements -------------------------------------------------------------------
def order_of(x, dim, descending=False):
    """Indices that sort x along `dim`; equal elements keep their order, NaN counts as the largest."""
    n = x.shape[dim]
    if n >= 512 and x.dtype.char in "fi" and x.size:
        return np.moveaxis(_order_by_words(np.moveaxis(x, dim, -1), descending), -1, dim)
    if not descending:
        return x.argsort(dim, kind="stable")
    return n - 1 - np.flip(np.flip(x, dim).argsort(dim, kind="stable"), dim)


def _order_by_words(x, descending):
    """As `order_of`, for four-byte elements: five times faster.

    The bits of each element, made to increase with it, and its index below them are one 64-bit
    word. Words are all different, so NumPy's vectorised sort, which is not stable, sorts them alike.
    """
    if x.dtype.kind == "f":
        x = np.where(np.isnan(x), x.dtype.type(np.nan), x + x.dtype.type(0))  # one NaN, one zero
        bits = x.view(np.uint32)
        keys = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    else:
        keys = np.ascontiguousarray(x).view(np.uint32) ^ np.uint32(1 << 31)
    words = (~keys if descending else keys).astype(np.uint64) << np.uint64(32)
    words |= np.arange(x.shape[-1], dtype=np.uint64)
    words.sort(axis=-1)
    return (words & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _taken(x, index, dim):
    return x[positions(index.shape, dim, index)]


def _numbers_only(input, name, refused="c"):
    kind = dtype_of(input).kind
    if kind in refused:
        what = "complex" if kind == "c" else "bool"
        raise error("tensor-dtype", RuntimeError(f"{name} does not support {what} dtypes on CPU"), what="input",
                    dtype=dtype_of(input), fn=f"{name.strip().lower()}()",
                    must="numbers that are not complex" if kind == "c" else "numbers, not True and False",
                    fix="complex numbers have no order: take x.abs(), x.angle(), x.real or x.imag first."
                        if kind == "c" else "x.int() makes 0 and 1 of False and True.")


class Sort(ByIndex):
    """x in order along `dim`, and where each element was."""

    keepdim = None
    descending: bool = False
    samples = [S((4,), params=(0, None, True)), S((3, 2), params=(0, None)), S((2, 3), params=(1, None, True)),
               S((0, 2), params=(0, None))]

    def forward(self, x):
        index = order_of(x, self.dim, self.descending)
        return _taken(x, index, self.dim), index


class StableSort(Sort):
    """`sort(stable=...)`, which PyTorch names apart."""

    grad_name = "SortBackward1"


class Argsort(Op):
    """Indices that sort x along `dim`; equal elements keep their order."""

    dim: int
    descending: bool = False
    samples = [S((2, 3), params=(1, True), smooth=False), S((3, 2), params=(0,), smooth=False)]

    def forward(self, x):
        return order_of(x, self.dim, self.descending)

    def batch(self, size, dims, values):
        return Argsort(self.dim + 1, self.descending)(*values)


class Topk(ByIndex):
    """The k largest (or smallest) elements along `dim`, in order, and their indices."""

    keepdim = None
    k: int = 1
    largest: bool = True
    samples = [S((4,), params=(0, None, 2)), S((2, 3), params=(1, None, 2, False)), S((3, 2), params=(0, None, 0))]

    def forward(self, x):
        if small.top is not None and self.dim == x.ndim - 1:
            found = small.top(x, self.k, self.largest)
            if found is not None:
                return found
        dim = self.dim
        index = self._nearest(x) if 0 < self.k and x.shape[dim] > 64 + 8 * self.k else None
        if index is None:
            index = np.array(order_of(x, dim, self.largest)[(*(slice(None),) * dim, slice(None, self.k))], order="C")
        return _taken(x, index, dim), index

    def _nearest(self, x):
        """The k put in front, and only these sorted; None where it is not clear which of equal elements are among them."""
        n, k, dim = x.shape[self.dim], self.k, self.dim
        ranks = slice(None, k) if not self.largest else slice(n - k, None)
        near = np.argpartition(x, n - k if self.largest else k - 1, dim)[(*(slice(None),) * dim, ranks)]
        near.sort(axis=dim)
        values = _taken(x, near, dim)
        edge = (np.minimum if self.largest else np.maximum).reduce(values, dim, keepdims=True)
        if np.count_nonzero(x == edge) != np.count_nonzero(values == edge) or edge.dtype.kind == "f" and np.isnan(edge).any():
            return None
        return _taken(near, order_of(values, dim, self.largest), dim)


class _Ranked(ByIndex):
    """One element of the sorted order of each row."""

    def forward(self, x):
        index = self._index(x)
        y = _taken(x, index, self.dim)
        return (y, index) if self.keepdim else (self._dropped(y), self._dropped(index))

    def _dropped(self, v):
        return v.reshape(v.shape[:self.dim] + v.shape[self.dim + 1:])[()]

    def _ranks(self, x, rank):
        """Indices of the elements of this rank in their rows; the first of equal ones has the lowest rank."""
        if np.ndim(rank) == 0 and x.shape[self.dim] > 512:
            return np.argpartition(x, rank, self.dim).take([rank], self.dim)
        return np.take_along_axis(order_of(x, self.dim), np.broadcast_to(
            rank, (*x.shape[:self.dim], 1, *x.shape[self.dim + 1:])), self.dim)


class Kthvalue(_Ranked):
    """The k-th smallest element along `dim`, and its index."""

    k: int = 1
    samples = [S((4,), params=(0, False, 2)), S((2, 3), params=(1, True, 3)), S((3, 2), params=(0, False, 1))]

    def _index(self, x):
        return self._ranks(x, self.k - 1)


class Median(_Ranked):
    """The lower median along `dim` and its index; NaN if there is one."""

    grad_name = "MedianBackward1"
    samples = ALONG[:4]

    def _index(self, x):
        index = self._ranks(x, (x.shape[self.dim] - 1) // 2)
        if x.dtype.kind != "f":
            return index
        unknown = np.isnan(x)
        return np.where(unknown.any(self.dim, keepdims=True), unknown.argmax(self.dim, keepdims=True), index)


class Nanmedian(_Ranked):
    """The lower median along `dim` of what is not NaN, and its index."""

    grad_name = "NanmedianBackward1"
    samples = [*ALONG[:4], S(np.array([[1.0, np.nan, 3.0], [2.0, 5.0, np.nan]]), params=(1, False), smooth=False)]

    def _index(self, x):
        n = x.shape[self.dim]
        if x.dtype.kind != "f":
            return self._ranks(x, (n - 1) // 2)
        known = n - np.count_nonzero(np.isnan(x), axis=self.dim, keepdims=True)
        return self._ranks(x, np.asarray(np.maximum(known - 1, 0) // 2))


class Mode(_Ranked):
    """The most frequent element along `dim` (the smallest of several), and the index of its last occurrence."""

    samples = [S(s.inputs[0], params=s.params) for s in ALONG[:4]]

    def _index(self, x):
        order = np.moveaxis(order_of(x, self.dim), self.dim, -1)
        y = np.take_along_axis(np.moveaxis(x, self.dim, -1), order, -1)
        starts = np.ones(y.shape, bool)
        starts[..., 1:] = y[..., 1:] != y[..., :-1]
        place = np.arange(y.shape[-1])
        length = place - np.maximum.accumulate(np.where(starts, place, 0), -1)  # of the run up to here
        last = length.argmax(-1, keepdims=True)
        return np.moveaxis(np.take_along_axis(order, last, -1), -1, self.dim)


class MedianAll(Reduction):
    """The lower median of all elements; NaN if there is one. Equal ones share the gradient."""

    dim = None
    grad_name = "MedianBackward0"
    samples = WHOLE

    def forward(self, x):
        x = np.asarray(x).reshape(-1)
        if not x.size:
            return x.dtype.type(np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min)
        y = np.partition(x, (x.size - 1) // 2)[(x.size - 1) // 2]
        return x.dtype.type(np.nan) if x.dtype.kind == "f" and np.isnan(x).any() else y

    def vjp_x(self, g, x, y):
        return MaxAll()._shared(g, m.where(m.isnan(y), m.isnan(x), x == y), x.shape)

    def batch(self, size, dims, values):
        x, = values
        return type(self)._along(1)(m.reshape(x, (size, -1)))[0]

    _along = Median


class NanmedianAll(MedianAll):
    """The lower median of all elements that are not NaN. Equal ones share the gradient."""

    grad_name = "NanmedianBackward0"
    _along = Nanmedian

    def forward(self, x):
        x = np.asarray(x)
        known = x[~np.isnan(x)] if x.dtype.kind == "f" else x
        return MedianAll.forward(self, known)


# ---- the public functions --------------------------------------------------------------------
for _name in ("sort", "topk", "kthvalue", "median", "nanmedian", "mode"):
    return_type(_name, "values", "indices")


def _by_rank(name, op, input, dim):
    """(values, indices) of an op along `dim`; `op` makes it from the dimension."""
    return return_type(name)(*(op(dim)(input) if input.ndim else of_scalar(op(0), input)))


@public()
@by_form
def sort(input, dim=-1, descending=False, *, stable=None):
    """(values, indices) of the elements in order along `dim`; NaN comes after all others.

    *Differs from PyTorch*: equal elements keep their order also with `stable=False`.

    >>> kobai.tensor([3, 1, 2]).sort()
    torch.return_types.sort(
    values=tensor([1, 2, 3]),
    indices=tensor([1, 2, 0]))
    """
    _numbers_only(input, " Sort")
    dim, op = one_dim(dim, input.ndim, "sort"), Sort if stable is None else StableSort
    return _by_rank("sort", lambda d: op(d, None, bool(descending)), input, dim)


@public()
@by_form
def argsort(input, dim=-1, descending=False, *, stable=False):
    """The indices that put the elements in order along `dim`.

    >>> kobai.argsort(kobai.tensor([3., 1., 2.]))
    tensor([1, 2, 0])
    """
    _numbers_only(input, " Sort")
    dim = one_dim(dim, input.ndim, "argsort")
    return Argsort(dim, bool(descending))(input) if input.ndim else of_scalar(Argsort(0), input)


@public()
def msort(input):
    """The elements in order along the first dimension.

    >>> kobai.msort(kobai.tensor([3., 1., 2.]))
    tensor([1., 2., 3.])
    """
    return sort(input, 0)[0]


@public()
@by_form
def topk(input, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the `k` largest (or smallest) elements along `dim`, in order.

    >>> kobai.tensor([1., 4., 2.]).topk(2).indices
    tensor([1, 2])
    """
    _numbers_only(input, " topk" if dtype_of(input).kind == "c" else "topk", "bc")
    dim, k = one_dim(dim, input.ndim, "topk"), _whole(k, "topk")
    if not 0 <= k <= (input.shape[dim] if input.ndim else 1):
        raise error("topk-range", k=k, dim=dim, have=input.shape, size=input.shape[dim] if input.ndim else 1)
    return _by_rank("topk", lambda d: Topk(d, None, k, bool(largest)), input, dim)


def _whole(k, name):
    if not hasattr(k, "__index__"):
        raise error("argument-type", TypeError(
                    f"{name}(): argument 'k' (position 1) must be int, not {type(k).__name__}"), what="k", kind=type(k),
                    must="a whole number")
    return int(k)


def _one(name, op, input, dim):
    """A function that chooses one element of each row."""
    dim = one_dim(dim, input.ndim, name)
    if input.ndim and not input.shape[dim]:
        raise error("tensor-empty", IndexError(
                    f"{name.removeprefix('nan')}(): Expected reduction dim {dim} to have non-zero size."),
                    what=f"dimension {dim} of input", fn=f"{name}()",
                    why="input has shape {shape}: dimension {dim} has no elements to choose from.",
                    shape=tuple(input.shape), dim=dim)
    return _by_rank(name, op, input, dim)


@public()
def kthvalue(input, k, dim=-1, keepdim=False):
    """(values, indices) of the `k`-th smallest element along `dim`; k = 1 is the smallest.

    >>> kobai.kthvalue(kobai.tensor([3., 1., 2.]), 2).values
    tensor(2.)
    """
    if dtype_of(input).kind in "bc":
        raise not_implemented("kthvalue_cpu", input)
    axis, k = one_dim(dim, input.ndim, "kthvalue"), _whole(k, "kthvalue")
    n = input.shape[axis] if input.ndim else 1
    if n and not 1 <= k <= n:
        raise error("argument-value", RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}"),
                    what="k", value=k, must="a whole number between {low} and {high}", low=1, high=n,
                    why="k is {value}, and dimension {dim} has {high} elements: 1 is the smallest, {high} the largest.",
                    dim=axis)
    return _one("kthvalue", lambda d: Kthvalue(d, keepdim and input.ndim > 0, k), input, axis)


def _median(name, whole, along, input, dim, keepdim):
    if dtype_of(input).kind in "bc":
        raise not_implemented("median_cpu" if dim is None else "median_out", input)
    if dim is None:
        return whole(input)
    return _one(name, lambda d: along(d, keepdim and input.ndim > 0), input, dim)


@public()
def median(input, dim=None, keepdim=False):
    """The median, the lower of two; with `dim` (values, indices). NaN if an element is NaN.

    >>> kobai.tensor([5., 1., 3., 4.]).median()
    tensor(3.)
    """
    return _median("median", MedianAll(), Median, input, dim, keepdim)


@public()
def nanmedian(input, dim=None, keepdim=False):
    """The median, the lower of two, of the elements that are not NaN; with `dim` (values, indices)."""
    return _median("nanmedian", NanmedianAll(), Nanmedian, input, dim, keepdim)


@public()
def mode(input, dim=-1, keepdim=False):
    """(values, indices) of the most frequent element along `dim`: the smallest, if there are several.

    >>> kobai.mode(kobai.tensor([1, 2, 2])).values
    tensor(2)
    """
    if dtype_of(input).kind == "c":
        raise not_implemented("mode_cpu", input)
    return _one("mode", lambda d: Mode(d, keepdim and input.ndim > 0), input, dim)
