"""Elements move and none changes: shapes, slices, joins. All of it linear, most of it views."""
from __future__ import annotations

import numpy as np

from ..op import Movement, Op, dtype_of, m
from ..public import public
from ..testing.samples import S


class Identity(Movement):
    """The same memory under a new name."""

    grad_name = "AliasBackward0"
    samples = [S((2, 3))]

    def forward(self, x):
        return x[...]

    def vjp_x(self, g):
        return g

    def batch(self, size, dims, values):
        return self(*values)


class Cast(Op):
    """To another dtype."""

    to: object
    grad_name = "ToCopyBackward0"
    linear = moves = True

    def forward(self, x):
        if x.dtype.kind == "c" and self.to.kind != "c":
            x = x.real
        return x.astype(self.to)

    def vjp_x(self, g, x_dtype):
        return m.cast(g, x_dtype)

    def emit(self, k, x):
        return k.cast(x, self.to)


class Promote(Cast):
    """A cast that PyTorch does inside an operation: not shown in the graph."""


Promote.Node.hidden = True


class Reshape(Movement):
    """The elements in another shape, in row-major order."""

    shape: tuple
    grad_name = "ViewBackward0"
    samples = [S((2, 3), params=((3, 2),)), S((4,), params=((2, 1, 2),)), S((), params=((1, 1),))]

    def forward(self, x):
        return x.reshape(self.shape)

    def vjp_x(self, g, x_shape):
        return Reshape(x_shape)(g)

    def batch(self, size, dims, values):
        return Reshape((size, *self.shape))(*values)


class Expand(Movement):
    """Repeat along dimensions of size 1, without copying."""

    shape: tuple
    samples = [S((3, 1), params=((2, 3, 4),)), S((), params=((2,),))]

    def forward(self, x):
        return np.broadcast_to(x, self.shape)

    def vjp_x(self, g, x_shape):
        return m.sum_to(g, x_shape)


class Permute(Movement):
    """Dimensions in another order."""

    dims: tuple
    samples = [S((2, 3, 4), params=((2, 0, 1),))]

    def forward(self, x):
        return x.transpose(self.dims)

    def vjp_x(self, g):
        back = sorted(range(len(self.dims)), key=self.dims.__getitem__)
        return Permute(tuple(back))(g)

    def batch(self, size, dims, values):
        return Permute((0, *[d + 1 for d in self.dims]))(*values)


class Select(Movement):
    """x[..., index, ...] in dimension `dim`."""

    dim: int
    index: int
    samples = [S((3, 4), params=(1, 2))]

    def forward(self, x):
        return x[(slice(None),) * self.dim + (self.index,) + (Ellipsis,)]

    def vjp_x(self, g, x_shape):
        return PutSlice(self.dim, self.index, self.index + 1, 1, x_shape)(m.unsqueeze(g, self.dim))

    def batch(self, size, dims, values):
        return Select(self.dim + 1, self.index)(*values)


class Slice(Movement):
    """x[..., start:end:step, ...] in dimension `dim`; 0 <= start <= end <= size."""

    dim: int
    start: int
    end: int
    step: int = 1
    samples = [S((5, 4), params=(0, 1, 4, 2))]

    def forward(self, x):
        return x[(slice(None),) * self.dim + (slice(self.start, self.end, self.step),)]

    def vjp_x(self, g, x_shape):
        return PutSlice(self.dim, self.start, self.end, self.step, x_shape)(g)

    def batch(self, size, dims, values):
        return Slice(self.dim + 1, self.start, self.end, self.step)(*values)


class PutSlice(Op):
    """Zeros of `shape` with x in the place of a slice: the transpose of Slice."""

    dim: int
    start: int
    end: int
    step: int
    shape: tuple
    grad_name = "SliceBackward0"
    linear = moves = True
    samples = [S((2, 4), params=(0, 1, 4, 2, (5, 4)))]

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        y[(slice(None),) * self.dim + (slice(self.start, self.end, self.step),)] = x
        return y

    def vjp_x(self, g):
        return Slice(self.dim, self.start, self.end, self.step)(g)

    def batch(self, size, dims, values):
        return PutSlice(self.dim + 1, self.start, self.end, self.step, (size, *self.shape))(*values)


class Unsqueeze(Movement):
    """A new dimension of size 1 at `dim`."""

    dim: int
    samples = [S((2, 3), params=(1,))]

    def forward(self, x):
        return x.reshape(*x.shape[:self.dim], 1, *x.shape[self.dim:])

    def vjp_x(self, g, x_shape):
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        return Unsqueeze(self.dim + 1)(*values)


class Cat(Op):
    """Join along an existing dimension."""

    dim: int
    linear = moves = True
    samples = [S((2, 3), (2, 1), params=(1,)), S((0, 2), (3, 2), params=(0,))]

    def forward(self, *xs):
        return np.concatenate(xs, self.dim)

    def vjp(self, g, xs_shape, needs):
        grads, at = [], 0
        for i, shape in enumerate(xs_shape):
            n = shape[self.dim]
            grads.append(Slice(self.dim, at, at + n)(g) if i < len(needs) and needs[i] else None)
            at += n
        return grads

    def batch(self, size, dims, values):
        return Cat(self.dim + 1)(*values)


def sum_to(g, shape):
    """Sum a broadcast gradient down to `shape`: the transpose of broadcasting."""
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    dims = (*range(lead), *[i + lead for i, s in enumerate(shape) if s == 1 and g.shape[i + lead] != 1])
    if type(g) is np.ndarray:
        return g.sum(dims, keepdims=True).reshape(shape)
    return m.reshape(m.sum(g, dims, keepdim=True), shape)


m.sum_to, m.identity = sum_to, Identity()


def cast(x, to):
    """`x` in the dtype `to` (kobai's or NumPy's), as a hidden step of another operation."""
    to = getattr(to, "np", to)
    return x if dtype_of(x) == to else Promote(to)(x)


m.cast = cast


def normal_dim(dim, ndim):
    """`dim` counted from the front; PyTorch's IndexError if there is no such dimension."""
    n = ndim or 1
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def full_shape(x, shape):
    """The shape meant by one with a -1."""
    shape = tuple([int(s) for s in shape])
    if -1 in shape:
        known = 1
        for s in shape:
            known *= s if s != -1 else 1
        if shape.count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        n = _size(x)
        if known == 0 or n % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {n}")
        shape = tuple([n // known if s == -1 else s for s in shape])
    n = 1
    for s in shape:
        n *= s
    if n != _size(x) or min(shape, default=0) < 0:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {_size(x)}")
    return shape


def _size(x):
    n = 1
    for s in x.shape:
        n *= s
    return n


@public("torch Tensor")
def reshape(input, *shape):
    """The elements in another shape; one dimension may be -1. A view where the memory allows it."""
    if len(shape) == 1 and not isinstance(shape[0], int):
        shape = shape[0]
    return Reshape(full_shape(input, shape))(input)


@public("torch Tensor", inplace=True)
def unsqueeze(input, dim):
    """A new dimension of size 1 at `dim`."""
    return Unsqueeze(normal_dim(dim, input.ndim + 1))(input)


@public("torch", alias=("concat", "concatenate"))
def cat(tensors, dim=0):
    """Join tensors along an existing dimension."""
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError("expected a non-empty list of Tensors")
    return Cat(normal_dim(dim, tensors[0].ndim))(*tensors)


class ZerosLike(Op):
    """Zeros of the same shape and dtype."""

    moves = True
    samples = [S((2, 3), smooth=False)]

    def forward(self, x):
        return np.zeros_like(x)


m.zeros_like = ZerosLike()
m.expand_to = lambda x, shape: x if x.shape == shape else Expand(tuple(shape))(x)
