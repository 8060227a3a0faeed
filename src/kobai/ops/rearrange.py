"""Elements in another order, or repeated: flip, roll, rot90, repeat, tile."""
from __future__ import annotations

from operator import index

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import by_form, export, public
from ..tensor import Tensor, wrap
from ..testing.samples import S
from .arguments import each_once, no_dimension
from .movement import normal_dim, size_of

_ALL, _BACKWARDS = slice(None), slice(None, None, -1)


class Flip(Op):
    """Dimensions in reverse order, copied."""

    dims: tuple
    linear = moves = True
    samples = [S((2, 3), params=((0, 1),)), S((3,), params=((0,),)), S((), params=((),))]

    def forward(self, x):
        return np.array(x[tuple([_BACKWARDS if d in self.dims else _ALL for d in range(x.ndim)])], order="C")

    def vjp_x(self, g):
        return self(g)

    def batch(self, size, dims, values):
        return Flip(tuple([d + 1 for d in self.dims]))(*values)


class Roll(Op):
    """Elements moved by `shifts` along `dims`; what leaves at one end comes in at the other. No dims: flattened."""

    shifts: tuple
    dims: tuple
    linear = moves = True
    samples = [S((2, 3), params=((1, -2), (0, 1))), S((2, 3), params=((4,), ())), S((0, 2), params=((1,), (0,)))]

    def forward(self, x):
        if len(self.shifts) == 1 and x.flags.c_contiguous and x.size:  # NumPy's is of Python, several times as long
            d = self.dims[0] if self.dims else 0
            flat = x if self.dims else x.reshape(-1)
            n, lead = flat.shape[d], (_ALL,) * d
            at = n - self.shifts[0] % n
            return np.concatenate((flat[(*lead, slice(at, None))], flat[(*lead, slice(at))]), d).reshape(x.shape)
        return np.roll(x, self.shifts if self.dims else self.shifts[0], self.dims or None)

    def vjp_x(self, g):
        return Roll(tuple([-s for s in self.shifts]), self.dims)(g)

    def batch(self, size, dims, values):
        if not self.dims:
            x, = values
            return m.reshape(Roll(self.shifts, (1,))(m.reshape(x, (size, -1))), tuple(x.shape))
        return Roll(self.shifts, tuple([d + 1 for d in self.dims]))(*values)


class Rot90(Op):
    """A rotation by k quarter turns in the plane of two dimensions."""

    k: int
    dims: tuple
    linear = moves = True
    samples = [S((2, 3), params=(1, (0, 1))), S((2, 3, 2), params=(2, (2, 0)))]

    def forward(self, x):
        return np.array(np.rot90(x, self.k, self.dims), order="C")

    def vjp_x(self, g):
        return Rot90(-self.k, self.dims)(g)

    def batch(self, size, dims, values):
        return Rot90(self.k, tuple([d + 1 for d in self.dims]))(*values)


class Repeat(Op):
    """Copies side by side, `times` along each dimension."""

    times: tuple
    linear = moves = True
    samples = [S((2, 3), params=((2, 1, 3),)), S((), params=((2,),)), S((2,), params=((0,),))]

    def forward(self, x):
        return np.tile(x, self.times)

    def vjp_x(self, g, x_shape):
        """Each dimension is (copies, size): sum over the copies."""
        lead = len(self.times) - len(x_shape)
        pairs = [n for t, s in zip(self.times, (*(1,) * lead, *x_shape)) for n in (t, s)]
        g = m.sum(m.reshape(g, tuple(pairs)), tuple(range(0, len(pairs), 2))) if pairs else g
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        x, = values
        lead = len(self.times) - (len(x.shape) - 1)
        return Repeat((1, *self.times))(m.reshape(x, (size, *(1,) * lead, *x.shape[1:])))


def _dims(args, ndim):
    """Dimensions given as f(0, 1) or f((0, 1)), counted from the front; each at most once."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    dims = each_once([normal_dim(int(d), ndim) for d in args], "dims", args)
    return tuple(dims) if ndim else ()


@public("torch Tensor")
@by_form
def flip(input, *axes, dims=None):
    """Dimensions in reverse order, copied.

    >>> kobai.flip(kobai.arange(3), (0,))
    tensor([2, 1, 0])
    """
    return Flip(_dims(axes if dims is None else (dims,), input.ndim))(input)


def _reversed(self):
    """reversed(x): the first dimension backwards."""
    return Flip((0,))(self) if self.ndim else self


export("Tensor", "__reversed__", _reversed)


@public("torch Tensor")
def fliplr(input):
    """The columns in reverse order.

    >>> kobai.fliplr(kobai.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input.ndim < 2:
        raise error("tensor-dims", RuntimeError("Input must be >= 2-d."), what="input", shape=tuple(input.shape),
                    need="at least {n}", n=2, fix="a row has no columns to exchange: x.flip(0) reverses it.")
    return Flip((1,))(input)


@public("torch Tensor")
def flipud(input):
    """The rows in reverse order.

    >>> kobai.flipud(kobai.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if input.ndim < 1:
        raise no_dimension(RuntimeError("Input must be >= 1-d."))
    return Flip((0,))(input)


@public("torch Tensor")
@by_form
def roll(input, shifts, dims=()):
    """Elements moved along dimensions; what leaves at one end comes in at the other.

    >>> kobai.roll(kobai.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    shifts, dims = ((index(v),) if hasattr(v, "__index__") else tuple(v) for v in (shifts, dims if dims is not None else ()))
    if not shifts:
        raise error("argument-missing", RuntimeError("`shifts` required"), what="shifts", fn="roll()",
                    must="a whole number, or one for each of dims",
                    why="shifts is empty: nothing says how far to roll.")
    if not dims and len(shifts) == 1:
        return Roll(shifts, ())(input)
    if len(shifts) != len(dims):
        raise error("lengths-differ",
                    RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"),
                    what="shifts", count=len(shifts), other="dims", other_count=len(dims))
    dims = tuple([normal_dim(d, input.ndim) for d in dims])
    return Roll(shifts, dims)(input) if input.ndim else m.clone(input)


@public("torch Tensor")
def rot90(input, k=1, dims=(0, 1)):
    """Rotation by k quarter turns in the plane of two dimensions, from the first towards the second.

    >>> kobai.rot90(kobai.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if len(dims) != 2:
        raise error("argument-count", RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}"),
                    what="dims", count=len(dims), need="2",
                    fix="a rotation turns the plane of two dimensions: dims=(0, 1).")
    if input.ndim < 2:
        raise error("tensor-dims", RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}"),
                    what="input", shape=tuple(input.shape), need="at least {n}", n=2)
    a, b = dims
    if a == b or abs(a - b) == input.ndim:
        raise error("argument-value", RuntimeError(
                    f"expected rotation dims to be different, but got dim0 = {a} and dim1 = {b}"), what="dims",
                    value=(a, b),
                    why="dims names dimension {dim} twice, and a rotation turns the plane of two dimensions.",
                    dim=a % input.ndim, fix="name two different dimensions: dims=(0, 1).")
    return Rot90(k % 4, (normal_dim(a, input.ndim), normal_dim(b, input.ndim)))(input)


@public("Tensor")
@by_form
def repeat(input, *repeats):
    """Copies side by side: so many along each dimension, new ones in front.

    >>> kobai.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = repeats[0] if len(repeats) == 1 and isinstance(repeats[0], (tuple, list)) else repeats
    times = tuple([int(t) for t in times])
    if len(times) < input.ndim:
        raise error("repeat-count", count=len(times), ndim=input.ndim, shape=str(list(input.shape)))
    if any(t < 0 for t in times):
        lead = len(times) - input.ndim
        size = [t * (input.shape[i - lead] if i >= lead else 1) for i, t in enumerate(times)]
        if min(size) < 0:
            least = next(s for s in size if s < 0)
            raise error("argument-value", RuntimeError(
                        f"Trying to create tensor with negative dimension {least}: {size}"), what="repeats",
                        value=times, must="whole numbers of at least {low}", low=0)
        times = tuple([max(t, 0) for t in times])  # PyTorch lets it pass where there is nothing to repeat
    return Repeat(times)(input)


@public("torch Tensor")
@by_form
def tile(input, *dims):
    """Copies side by side, as `repeat`; missing numbers in front are 1.

    >>> kobai.tile(kobai.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    dims = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    return Repeat((*(1,) * (input.ndim - len(dims)), *[int(d) for d in dims]))(input)


@public("torch Tensor")
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice along `dim`) repeated in place; one number, or one for each.

    >>> kobai.repeat_interleave(kobai.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:  # of the numbers themselves: how often each position comes
        return _positions(input, output_size)
    if dim is None:
        input, dim = m.reshape(input, (-1,) if size_of(input) else (0,)), 0
    if input.ndim == 0:
        input = m.reshape(input, (1,))
    dim = normal_dim(dim, input.ndim)
    if isinstance(repeats, Tensor) and repeats.ndim == 0 or isinstance(repeats, Tensor) and repeats.shape == (1,):
        repeats = repeats.item()
    if isinstance(repeats, int):
        if repeats < 0:
            raise error("argument-value", RuntimeError("Repeats must be non-negative"), what="repeats", value=repeats,
                        must="a whole number of at least {low}", low=0)
        total = repeats * input.shape[dim]
        if output_size is not None and output_size != total:
            raise _other_size(f"repeat_interleave: Invalid output_size, expected {total} but got {output_size}", total, output_size)
        return _evenly(input, repeats, dim)
    repeats = repeats if isinstance(repeats, Tensor) else m.tensor(repeats)
    if repeats.ndim > 1:
        raise error("tensor-dims", RuntimeError("repeats must be 0-dim or 1-dim tensor"), what="repeats",
                    shape=tuple(repeats.shape), need="{n} or {m}", n=0, m=1,
                    fix="repeats.flatten() makes a row of them: one for each element, or for each slice along dim.")
    if repeats.shape[0] != input.shape[dim]:
        raise error("argument-count", RuntimeError(
                    "repeats must have the same size as input along dim, but got repeats.size(0) = "
                    f"{repeats.shape[0]} and input.size({dim}) = {input.shape[dim]}"), what="repeats",
                    count=repeats.shape[0], need="{n}", n=input.shape[dim],
                    why="repeats has {count} numbers, and dimension {dim} of input has {n} entries to repeat.", dim=dim,
                    fix="give one number for each of the {n} entries, or one for all.")
    return m.index_select(input, dim, _positions(repeats, output_size))


def _evenly(x, times, dim):
    """Every slice the same number of times: a new dimension, expanded and merged."""
    shape = x.shape
    x = m.clone(m.expand(m.unsqueeze(x, dim + 1), (*shape[:dim + 1], times, *shape[dim + 1:])),
                memory_format=m.contiguous_format)
    return m.reshape(x, (*shape[:dim], shape[dim] * times, *shape[dim + 1:]))


def _other_size(text, total, given):
    return error("argument-value", RuntimeError(text), what="output_size", value=given, must="{n}", n=total,
                 fix="leave output_size out, or give the sum of the repeats.")


def _positions(repeats, output_size=None):
    if dtype_of(repeats) not in (np.int64, np.int32):
        raise error("tensor-dtype", NotImplementedError(
                    f'"repeat_interleave_cpu" not implemented for \'{type_word(repeats)}\''), what="repeats",
                    dtype=dtype_of(repeats), fn="repeat_interleave()", must="whole numbers of type int32 or int64",
                    fix="convert first: repeats.long().")
    if modes.trace is not None:
        modes.trace.looked("repeat_interleave() with a tensor of counts")
    counts = repeats._array()
    if (counts < 0).any():
        raise error("data-range", RuntimeError("repeats can not be negative"), what="repeats", value=int(counts.min()),
                    must="a whole number of at least {low}", low=0)
    if output_size is not None and output_size != counts.sum():
        raise _other_size("allocated size does not match required size", int(counts.sum()), output_size)
    return wrap(np.repeat(np.arange(len(counts), dtype=counts.dtype), counts))
