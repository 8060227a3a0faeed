"""Windows into memory: as_strided, unfold, and copies with a part replaced (slice_scatter and its kin)."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Movement, Op, dtype_of, m
from ..public import export, public
from ..tensor import LiftedTensor, Tensor
from ..testing.samples import S
from .movement import PutSelect, PutSlice, Select, Slice, normal_dim, size_of
from .shape import become


def storage_of(a):
    """The array that owns the memory of `a`."""
    while True:
        base = a.base
        if not isinstance(base, np.ndarray):  # as_strided puts an object between the two
            base = getattr(base, "base", None)
        if not isinstance(base, np.ndarray):
            return a
        a = base


def elements(a):
    """The memory of the owner of `a` as a vector, and where in it `a` begins."""
    owner = storage_of(a)
    flat = owner.reshape(-1) if owner.flags.c_contiguous else owner.ravel("K")
    return flat, (a.__array_interface__["data"][0] - owner.__array_interface__["data"][0]) // max(a.itemsize, 1)


def positions(size, stride, offset):
    """The place in memory of each element."""
    at = np.full((), offset, np.int64)
    for n, step in zip(size, stride):
        at = at[..., None] + np.arange(n) * step
    return at


def row_major(shape):
    """The strides of a contiguous tensor."""
    out, n = [], 1
    for s in reversed(shape):
        out.append(n)
        n *= max(s, 1)
    return tuple(reversed(out))


def windows(x, shape, strides, offset):
    """The memory from `offset` bytes after the beginning of x on, with this shape and strides in bytes."""
    owner = storage_of(x)
    if owner.flags.c_contiguous:
        begin = x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        return np.ndarray(shape, x.dtype, owner, begin + offset, strides)
    return np.lib.stride_tricks.as_strided(x, shape, strides)


class AsStrided(Movement):
    """The memory of x seen with other sizes and strides; `have` is (shape, strides, offset) of x itself."""

    size: tuple
    stride: tuple
    offset: int
    have: tuple
    samples = [S((3, 4), params=((2, 2), (4, 2), 1, ((3, 4), (4, 1), 0))),
               S((5,), params=((3, 3), (1, 1), 0, ((5,), (1,), 0)))]

    def forward(self, x):
        shape, stride, offset = self.have
        flat, begin = elements(x)
        step = x.itemsize
        if begin != offset or x.strides != tuple([s * step for s in stride]):  # not the memory it was recorded on
            flat = np.zeros(self._extent(), x.dtype)
            flat[positions(*self.have)] = x
        return np.ndarray(self.size, x.dtype, flat, self.offset * step, [s * step for s in self.stride])

    def _extent(self):
        return 1 + max(_last(*self.have), _last(self.size, self.stride, self.offset), -1)

    def vjp_x(self, g):
        return AddStrided(self.size, self.stride, self.offset, self.have)(g)


def _last(size, stride, offset):
    return -1 if 0 in size else offset + sum((n - 1) * s for n, s in zip(size, stride))


class AddStrided(Op):
    """The transpose of AsStrided: what elements share a place in memory is added."""

    size: tuple
    stride: tuple
    offset: int
    have: tuple
    grad_name = "AsStridedBackwardBackward0"
    linear = True
    samples = [S((2, 2), params=((2, 2), (4, 2), 1, ((3, 4), (4, 1), 0)))]

    def forward(self, x):
        flat = np.zeros(AsStrided(self.size, self.stride, self.offset, self.have)._extent(), x.dtype)
        np.add.at(flat, positions(self.size, self.stride, self.offset), x)
        there = positions(*self.have)
        shared = np.bincount(there.ravel(), minlength=flat.size)[there] if there.size else 1
        return flat[there] if np.all(shared == 1) else (flat[there] / shared).astype(x.dtype)

    def vjp_x(self, g):
        return AsStrided(self.size, self.stride, self.offset, self.have)(m.clone(g, memory_format=m.contiguous_format))


class AsStridedScatter(Op):
    """x with `src` where AsStrided looks."""

    size: tuple
    stride: tuple
    offset: int
    linear = moves = True
    samples = [S((3, 4), (2, 2), params=((2, 2), (4, 2), 1))]

    def forward(self, x, src):
        y = np.array(x, order="C")
        y.reshape(-1)[positions(self.size, self.stride, self.offset)] = src
        return y

    def vjp_x(self, g, src_shape):
        return self(g, np.zeros(src_shape, dtype_of(g)))

    def vjp_src(self, g):
        have = (tuple(g.shape), row_major(g.shape), 0)
        return AsStrided(self.size, self.stride, self.offset, have)(m.clone(g, memory_format=m.contiguous_format))


class Unfold(Movement):
    """All windows of `size` elements, `step` apart, along `dim`; the window is the new last dimension."""

    dim: int
    size: int
    step: int
    samples = [S((5, 2), params=(0, 3, 1)), S((2, 5), params=(1, 2, 3)), S((4,), params=(0, 4, 1))]

    def forward(self, x):
        n = (x.shape[self.dim] - self.size) // self.step + 1
        shape = (*x.shape[:self.dim], n, *x.shape[self.dim + 1:], self.size)
        s = x.strides
        strides = (*s[:self.dim], s[self.dim] * self.step, *s[self.dim + 1:], s[self.dim])
        if 0 in shape:
            return np.zeros(shape, x.dtype)
        return windows(x, shape, strides, 0)

    def vjp_x(self, g, x_shape):
        return Fold(self.dim, self.size, self.step, x_shape)(g)

    def batch(self, size, dims, values):
        return Unfold(self.dim + 1, self.size, self.step)(*values)


class Fold(Op):
    """Windows added up where they overlap: the transpose of Unfold."""

    dim: int
    size: int
    step: int
    shape: tuple
    grad_name = "UnfoldBackwardBackward0"
    linear = True
    samples = [S((3, 2, 3), params=(0, 3, 1, (5, 2)))]

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        target, n = np.moveaxis(y, self.dim, -1), x.shape[self.dim]
        windows = np.moveaxis(x, self.dim, -2)
        for k in range(self.size):
            target[..., k:k + self.step * (n - 1) + 1:self.step] += windows[..., k]
        return y

    def vjp_x(self, g):
        return Unfold(self.dim, self.size, self.step)(g)

    def batch(self, size, dims, values):
        return Fold(self.dim + 1, self.size, self.step, (size, *self.shape))(*values)


class SliceScatter(Op):
    """x with `src` in the place of a slice."""

    dim: int
    start: int
    end: int
    step: int
    linear = moves = True
    samples = [S((5, 2), (2, 2), params=(0, 1, 4, 2))]

    def forward(self, x, src):
        y = np.array(x)
        Slice(self.dim, self.start, self.end, self.step).forward(y)[...] = src
        return y

    def vjp_x(self, g, x_shape):
        part = Slice(self.dim, self.start, self.end, self.step)(g)
        return g - PutSlice(self.dim, self.start, self.end, self.step, x_shape)(part)

    def vjp_src(self, g):
        return Slice(self.dim, self.start, self.end, self.step)(g)

    def batch(self, size, dims, values):
        return SliceScatter(self.dim + 1, self.start, self.end, self.step)(*values)


class SelectScatter(Op):
    """x with `src` at one index of a dimension."""

    dim: int
    index: int
    linear = moves = True
    samples = [S((3, 4), (3,), params=(1, 2))]

    def forward(self, x, src):
        y = np.array(x)
        Select(self.dim, self.index).forward(y)[...] = src
        return y

    def vjp_x(self, g, x_shape):
        return g - PutSelect(self.dim, self.index, x_shape)(Select(self.dim, self.index)(g))

    def vjp_src(self, g):
        return Select(self.dim, self.index)(g)

    def batch(self, size, dims, values):
        return SelectScatter(self.dim + 1, self.index)(*values)


# ---- public ----------------------------------------------------------------------------------
def geometry(x):
    """(shape, strides, offset) of a tensor in its memory, counted in elements."""
    if isinstance(x, LiftedTensor) or not isinstance(x, Tensor):
        return tuple(x.shape), row_major(x.shape), 0
    a = x._array()
    return a.shape, tuple([s // a.itemsize for s in a.strides]), elements(a)[1]


@public("torch Tensor")
def as_strided(input, size, stride, storage_offset=None):
    """The memory of `input` seen with other sizes and strides, counted in elements."""
    have = geometry(input)
    size, stride = tuple(size), tuple(stride)
    offset = have[2] if storage_offset is None else int(storage_offset)
    _check_strided(input, size, stride, offset)
    return AsStrided(size, stride, offset, have)(input)


def _check_strided(x, size, stride, offset):
    if len(size) != len(stride):
        raise error("lengths-differ", RuntimeError("mismatch in length of strides and shape"), what="size",
                    count=len(size), other="stride", other_count=len(stride))
    if any(s < 0 for s in stride):
        raise error("memory", RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"),
            why="a stride says how many elements further on the next one lies, and a tensor only goes forward.",
            fix="x.flip(dim) gives the elements backwards, as a copy.")
    if any(n < 0 for n in size):
        raise error("argument-value", RuntimeError(
                    f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}"),
                    what="size", value=size, must="whole numbers of at least {low}", low=0)
    if offset < 0:
        raise error("argument-value", RuntimeError(f"Tensor: invalid storage offset {offset}"), what="storage_offset",
                    value=offset, must="a whole number of at least {low}", low=0)
    room = elements(x._array())[0].size if isinstance(x, Tensor) and not isinstance(x, LiftedTensor) else size_of(x)
    if _last(size, stride, offset) >= room:
        item = dtype_of(x).itemsize
        raise error("memory", RuntimeError(
                    f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize "
                    f"{item} requiring a storage size of {(_last(size, stride, offset) + 1) * item} are out of "
                    f"bounds for storage of size {room * item}"),
                    why="the last element of such a view is number {last} of the memory, and that holds {room} "
                        "elements (0 to {end}).", last=_last(size, stride, offset), room=room, end=room - 1,
                    size=tuple(size), stride=tuple(stride), offset=offset,
                    fix="make size {size}, stride {stride} or storage_offset {offset} smaller.")


def _check_part(src, want):
    """`src` is to take the place of a part of that shape."""
    if tuple(src.shape) != tuple(want):
        raise error("tensor-shape", RuntimeError(
                    f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size "
                    f"= {list(want)}"), what="src", shape=tuple(src.shape), want=tuple(want),
                    fix="src takes the place of a part of input, and has the shape of that part: {want}.")


def as_strided_(self, size, stride, storage_offset=None):
    """In-place version of `as_strided`."""
    return become(self, as_strided(self, size, stride, storage_offset))


export("Tensor torch", "as_strided_", as_strided_)


@public("torch Tensor")
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of `input` with `src` where `as_strided` looks."""
    size, stride, offset = tuple(size), tuple(stride), storage_offset or 0
    _check_strided(input, size, stride, offset)
    _check_part(src, size)
    return AsStridedScatter(size, stride, offset)(input, src)


@public("Tensor")
def unfold(input, dimension, size, step):
    """All windows of `size` elements, `step` apart; the window is the new last dimension. A view."""
    dim = normal_dim(dimension, input.ndim)
    if input.ndim == 0:
        input = m.reshape(input, (1,))
        if size == 1:
            return Slice(0, 0, 1)(input)
    n = input.shape[dim]
    if size > n:
        raise error("argument-value", RuntimeError(
                    f"maximum size for tensor at dimension {dim} is {n} but size is {size}"), what="size", value=size,
                    must="a whole number of at most {high}", high=n, dim=dim,
                    why="size is {value}, and dimension {dim} has only {high} elements: no window is that large.")
    if size < 0:
        raise error("argument-value", RuntimeError(f"size is {size} but must be >= 0"), what="size", value=size,
                    must="a whole number of at least {low}", low=0)
    if step <= 0:
        raise error("argument-value", RuntimeError(f"step is {step} but must be > 0"), what="step", value=step,
                    must="a positive whole number")
    return Unfold(dim, int(size), int(step))(input)


@public("torch Tensor")
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of `input` with `src` in the place of a slice."""
    dim = normal_dim(dim, input.ndim)
    if step <= 0:
        raise error("argument-value", RuntimeError("slice step must be positive"), what="step", value=step,
                    must="a positive whole number")
    start, end, _ = slice(start, end, step).indices(input.shape[dim])
    end = max(start, end)
    want = [*input.shape[:dim], -(-(end - start) // step), *input.shape[dim + 1:]]
    _check_part(src, want)
    return SliceScatter(dim, start, end, step)(input, src)


@public("torch Tensor")
def select_scatter(input, src, dim, index):
    """A copy of `input` with `src` at one index of a dimension."""
    dim = normal_dim(dim, input.ndim)
    n = input.shape[dim]
    if not -n <= index < n:
        raise error("position-range", IndexError(
                    f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}"),
                    what="index", value=index, size=n, last=n - 1)
    want = [*input.shape[:dim], *input.shape[dim + 1:]]
    _check_part(src, want)
    return SelectScatter(dim, index % n)(input, src)
