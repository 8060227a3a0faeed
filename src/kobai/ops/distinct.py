"""Which values occur: unique, unique_consecutive, isin."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of
from ..public import public
from ..tensor import Tensor
from ..testing.samples import S
from .movement import size_of
from .order import order_of
from .reduce import not_implemented, one_dim


def groups(rows, order):
    """(distinct rows, the number of the group of each row, sizes), where neighbours in `order` may be equal."""
    y = rows[order]
    starts = np.ones(len(y), bool)
    differs = y[1:] != y[:-1]
    starts[1:] = differs.any(1) if differs.ndim > 1 else differs
    places = np.flatnonzero(starts)
    member = np.empty(len(y), np.int64)
    member[order] = np.cumsum(starts) - 1
    return y[places], member, np.diff(places, append=len(y))


class Unique2(Op):
    """The distinct elements in order, the place of each element among them, and how often each occurs."""

    counted: bool = True
    outputs = "many"
    samples = [S(np.array([[3.0, 1.0], [1.0, 2.0]]), smooth=False)]
    pytorch_name = "_unique2"

    def dynamic(self, *_):
        return True

    def forward(self, x):
        flat = np.asarray(x).reshape(-1)
        if not self.counted:  # sorting values alone is faster
            none = np.zeros(0, np.int64)
            y = np.sort(flat)
            return y[np.append(True, y[1:] != y[:-1])[:len(y)]], none, none
        y, member, counts = groups(flat, self._order(flat))
        return y, member.reshape(x.shape), counts

    def _order(self, flat):
        return order_of(flat, 0)

    def vjp_x(self):
        raise error("not-defined", NotImplementedError(f"the derivative for '{self.pytorch_name}' is not implemented."),
                    why="which elements are equal changes in jumps, so there is no derivative.",
                    fix="x.detach() before; or torch.unique of the labels, and x[...] for the values.")


class UniqueConsecutive(Unique2):
    """The elements without repetitions of the one before, the place of each among them, and run lengths."""

    pytorch_name = "unique_consecutive"

    def _order(self, flat):
        return np.arange(len(flat))


class UniqueDim(Unique2):
    """The distinct slices along `dim`, in order; `consecutive`: without repetitions of the slice before."""

    dim: int = 0
    consecutive: bool = False
    pytorch_name = "unique_dim"
    samples = [S(np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 5.0]]), smooth=False)]

    def forward(self, x):
        rows = np.moveaxis(x, self.dim, 0)
        flat = rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), 1))
        order = np.arange(len(rows)) if self.consecutive else np.lexsort(flat.T[::-1])
        _, member, counts = groups(flat, order)
        first = np.zeros(len(counts), np.int64)
        first[member[::-1]] = np.arange(len(rows))[::-1]
        return np.moveaxis(rows[first], 0, self.dim), member, counts


def _asked(results, inverse, counts):
    """What the caller asked for: one tensor, or a tuple."""
    y, member, number = results
    if not inverse and not counts:
        return y
    return (y, *[v for v, wanted in ((member, inverse), (number, counts)) if wanted])


def _dim_of(input, dim):
    """The dimension as PyTorch's unique takes it: of what exists, and nothing else may be empty."""
    if not input.ndim:
        raise error("tensor-dims", IndexError(f"Dimension specified as {dim} but tensor has no dimensions"),
                    what="input", shape=input.shape, need="at least {n}", n=1)
    dim = one_dim(dim, input.ndim, "unique")
    if not size_of(input) and input.shape[dim]:
        raise error("tensor-empty", RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"), shape=input.shape,
            dim=dim, count=input.shape[dim],
            why="the tensor of shape {shape} has no elements: along dim={dim} there are {count} slices of nothing to "
                "compare.")
    return dim


@public()
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements (or slices along `dim`) in ascending order.

    Returns the values, or a tuple of them, the place of each element of `input` among the values if
    `return_inverse`, and how often each value occurs if `return_counts`.

    >>> kobai.tensor([3, 1, 1]).unique(return_counts=True)
    (tensor([1, 3]), tensor([2, 1]))
    """
    if dtype_of(input).kind == "c":
        raise not_implemented("unique", input)
    op = Unique2(bool(return_inverse or return_counts)) if dim is None else UniqueDim(True, _dim_of(input, dim))
    return _asked(op(input), return_inverse, return_counts)


@public()
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) that differ from the one before; results as of `unique`."""
    if dtype_of(input).kind == "c":
        raise not_implemented("unique", input)
    op = UniqueConsecutive() if dim is None else UniqueDim(True, _dim_of(input, dim), True)
    return _asked(op(input), return_inverse, return_counts)


class Isin(Op):
    """Whether each element of a is among those of b (or is not, if `invert`)."""

    invert: bool = False
    common = ("a", "b")
    samples = [S(np.array([[1, 2], [3, 4]]), np.array([2, 4, 7])),
               S(np.array([1.0, 2.0]), np.array([1.0]), params=(True,))]

    def forward(self, a, b):
        return np.isin(a, b, invert=self.invert)


@public("torch")
def isin(elements=None, test_elements=None, *, assume_unique=False, invert=False, element=None, test_element=None):
    """Whether each of `elements` occurs in `test_elements`; either may be a number.

    >>> kobai.isin(kobai.tensor([1, 2, 3]), kobai.tensor([2, 3]))
    tensor([False,  True,  True])
    """
    a, b = element if elements is None else elements, test_element if test_elements is None else test_elements
    for v in (a, b):
        if not hasattr(v, "shape") and (not isinstance(v, (int, float)) or not hasattr(a if v is b else b, "shape")):
            raise error("call-form", TypeError(
                f"isin() received an invalid combination of arguments - got ({type(a).__name__}, {type(b).__name__})"),
                why="elements and test_elements must be tensors, or one of them a number.",
                fix="write torch.isin(x, torch.tensor([1, 2])).")
    if any(dtype_of(v).kind == "b" for v in (a, b)):
        raise error("tensor-dtype", RuntimeError("Unsupported input type encountered for isin(): Bool"),
                    why="isin() looks for numbers, and one of the two tensors holds True and False.",
                    fix="convert both first: x.int().")
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        a = np.asarray(a)
    return Isin(bool(invert))(a, b)


