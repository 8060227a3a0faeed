"""Elements move and none changes: the primitive views, and what gradients need of them."""
from __future__ import annotations

from sys import _getframe

import numpy as np

from ..diagnose import error
from ..large import PLAIN, converted, in_rows
from ..op import Movement, Op, dtype_of, m
from ..tensor import Tensor
from ..testing.samples import S
from .summation import add_up


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


class Clone(Op):
    """A copy in memory of its own; `order` is NumPy's: "K" keeps the strides, "C" is row by row."""

    order: str = "K"
    linear = moves = True
    samples = [S((2, 3)), S(()), S((0, 2), params=("C",))]

    def forward(self, x):
        y = in_rows(x) if self.order == "C" else x
        return y if y is not x else np.array(x, order=self.order) if x.shape else x[()]

    def vjp_x(self, g):
        return g

    def batch(self, size, dims, values):
        return self(*values)

    def emit(self, k, x):
        return x


class Cast(Op):
    """To another dtype."""

    to: object
    grad_name = "ToCopyBackward0"
    linear = moves = True
    samples = [S((2, 3), params=(np.dtype(np.float64),)), S((), params=(np.dtype(np.complex128),))]

    def forward(self, x):
        if x.dtype.kind == "c" and self.to.kind not in "cb":
            x = x.real
        return converted(x, self.to)

    def vjp_x(self, g, x_dtype):
        return m.cast(g, x_dtype)

    def batch(self, size, dims, values):
        return self(*values)

    def emit(self, k, x):
        return k.cast(x, self.to)


class ToInteger(Op):
    """To an integer or bool dtype: nothing to differentiate."""

    to: object
    moves = True
    samples = [S((2, 3), params=(np.dtype(np.int64),), smooth=False)]

    def forward(self, x):
        return Cast(self.to).forward(x)

    def batch(self, size, dims, values):
        return self(*values)

    def emit(self, k, x):
        return k.cast(x, self.to)


class Promote(Cast):
    """A cast that PyTorch does inside an operation: not shown in the graph."""


Promote.Node.hidden = True


class Reshape(Movement):
    """The elements in another shape, in row-major order."""

    shape: tuple
    grad_name = "ViewBackward0"
    samples = [S((2, 3), params=((3, 2),)), S((4,), params=((2, 1, 2),)), S((), params=((1, 1),)),
               S((0, 3), params=((3, 0),))]

    def forward(self, x):
        return x.reshape(self.shape)

    def vjp_x(self, g, x_shape):
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        return Reshape((size, *self.shape))(*values)


class UnsafeView(Op):
    """The elements in another shape, where the memory is copied or was nobody else's."""

    shape: tuple
    grad_name = "UnsafeViewBackward0"
    linear = moves = True
    samples = [S((2, 3), params=((3, 2),))]

    def forward(self, x):
        return in_rows(x).reshape(self.shape)

    def vjp_x(self, g, x_shape):
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        return UnsafeView((size, *self.shape))(*values)


class Expand(Movement):
    """Repeat along dimensions of size 1, without copying."""

    shape: tuple
    samples = [S((3, 1), params=((2, 3, 4),)), S((), params=((2,),)), S((1, 2), params=((0, 2),))]

    def forward(self, x):
        if type(x) is not np.ndarray or not x.flags.c_contiguous or x.dtype.kind == "V":
            return np.broadcast_to(x, self.shape)
        lead = len(self.shape) - x.ndim  # the same by hand, in a fifth of the time
        strides = [0 if have != want else s for have, want, s in zip(x.shape, self.shape[lead:], x.strides)]
        y = np.ndarray(self.shape, x.dtype, x, 0, [0] * lead + strides)
        if y.size == x.size:  # nothing is repeated
            return x.reshape(self.shape)
        y.flags.writeable = False
        return y

    def vjp_x(self, g, x_shape):
        return m.sum_to(g, x_shape)

    def batch(self, size, dims, values):
        x, = values
        lead = len(self.shape) - (len(x.shape) - 1)
        return Expand((size, *self.shape))(m.reshape(x, (size, *(1,) * lead, *x.shape[1:])))


class Permute(Movement):
    """Dimensions in another order."""

    dims: tuple
    samples = [S((2, 3, 4), params=((2, 0, 1),)), S((), params=((),))]

    def forward(self, x):
        return x.transpose(self.dims)

    def vjp_x(self, g):
        return Permute(tuple(sorted(range(len(self.dims)), key=self.dims.__getitem__)))(g)

    def batch(self, size, dims, values):
        return Permute((0, *[d + 1 for d in self.dims]))(*values)


class Transpose(Movement):
    """Two dimensions exchanged."""

    dim0: int
    dim1: int
    samples = [S((2, 3, 4), params=(0, 2)), S((2, 3), params=(1, 1))]

    def forward(self, x):
        return x.swapaxes(self.dim0, self.dim1)

    def vjp_x(self, g):
        return self(g)

    def batch(self, size, dims, values):
        return Transpose(self.dim0 + 1, self.dim1 + 1)(*values)


class T(Movement):
    """The transpose of a matrix; fewer dimensions stay as they are."""

    samples = [S((2, 3)), S((3,)), S(())]

    def forward(self, x):
        return x.T

    def vjp_x(self, g):
        return self(g)

    def batch(self, size, dims, values):
        x, = values
        return Transpose(1, 2)(x) if len(x.shape) == 3 else x


class Select(Movement):
    """x[..., index, ...] in dimension `dim`."""

    dim: int
    index: int
    samples = [S((3, 4), params=(1, 2)), S((3,), params=(0, 0))]

    def forward(self, x):
        return x[(slice(None),) * self.dim + (self.index, Ellipsis)]

    def vjp_x(self, g, x_shape):
        return PutSelect(self.dim, self.index, x_shape)(g)

    def batch(self, size, dims, values):
        return Select(self.dim + 1, self.index)(*values)


class PutSelect(Op):
    """Zeros of `shape` with x at `index` of dimension `dim`: the transpose of Select."""

    dim: int
    index: int
    shape: tuple
    grad_name = "SelectBackwardBackward0"
    linear = moves = True
    samples = [S((3,), params=(1, 2, (3, 4)))]

    def forward(self, x):
        y = np.zeros(self.shape, x.dtype)
        y[(slice(None),) * self.dim + (self.index,)] = x
        return y

    def vjp_x(self, g):
        return Select(self.dim, self.index)(g)

    def batch(self, size, dims, values):
        return PutSelect(self.dim + 1, self.index, (size, *self.shape))(*values)


class Slice(Movement):
    """x[..., start:end:step, ...] in dimension `dim`; 0 <= start <= end <= size."""

    dim: int
    start: int
    end: int
    step: int = 1
    samples = [S((5, 4), params=(0, 1, 4, 2)), S((5, 4), params=(1, 2, 2, 1))]

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
    grad_name = "SliceBackwardBackward0"
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
    samples = [S((2, 3), params=(1,)), S((), params=(0,))]

    def forward(self, x):
        return x.reshape(*x.shape[:self.dim], 1, *x.shape[self.dim:])

    def vjp_x(self, g, x_shape):
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        return Unsqueeze(self.dim + 1)(*values)


class Squeeze(Movement):
    """Without the dimensions `dims`, all of size 1."""

    dims: tuple
    samples = [S((1, 3, 1), params=((0, 2),)), S((1,), params=((0,),)), S((2,), params=((),))]

    def forward(self, x):
        return x.reshape([s for i, s in enumerate(x.shape) if i not in self.dims])

    def vjp_x(self, g, x_shape):
        return m.reshape(g, x_shape)

    def batch(self, size, dims, values):
        return type(self)(tuple([d + 1 for d in self.dims]))(*values)


class SqueezeDim(Squeeze):
    """`squeeze(dim)`, which PyTorch names apart."""

    grad_name = "SqueezeBackward1"


class SqueezeDims(Squeeze):
    """`squeeze((dim, ...))`, which PyTorch names apart."""

    grad_name = "SqueezeBackward2"


class Tied(Op):
    """x itself, counted as a function of the others too: its derivative by them is zero."""

    grad_name = "AliasBackward0"
    moves = True
    samples = [S((2, 3), (3,), smooth=False)]

    def forward(self, x, *others):
        return x

    def vjp(self, g, others_shape, needs):
        return (g, *[None for _ in others_shape])

    def batch(self, size, dims, values):
        return self(*values)


m.tied = Tied()


# ---- hidden steps of other operations --------------------------------------------------------
def sum_to(g, shape):
    """Sum a broadcast gradient down to `shape`: the transpose of broadcasting."""
    if g.shape == shape:
        return g
    lead = len(g.shape) - len(shape)
    if lead and g.shape[lead:] == shape:  # a bias, or a number
        dims = tuple(range(lead))
        return _summed(g, dims, False) if type(g) is np.ndarray else m.sum(g, dims)
    dims = (*range(lead), *[i + lead for i, s in enumerate(shape) if s == 1 and g.shape[i + lead] != 1])
    if type(g) is np.ndarray:
        return _summed(g, dims, True).reshape(shape)
    return m.reshape(m.sum(g, dims, keepdim=True), shape)


def _summed(g, dims, keepdim):
    return m.sum(g, dims, keepdim) if dims and g.size >= PLAIN else add_up(g, dims, keepdim)


def cast(x, to):
    """`x` in the dtype `to` (kobai's or NumPy's), as a hidden step of another operation."""
    to = getattr(to, "np", to)
    return x if dtype_of(x) == to else (Promote if to.kind in "fcV" else ToInteger)(to)(x)


m.sum_to, m.cast = sum_to, cast
m.identity = Identity()
m.expand_to = lambda x, shape: x if x.shape == shape else Expand(tuple(shape))(x)


def shape_of(v):
    """The shape of an array, a Tensor or a lifted value, as a plain tuple (which is faster than a Size)."""
    return v._value.shape if isinstance(v, Tensor) else v.shape


# ---- arguments -------------------------------------------------------------------------------
def normal_dim(dim, ndim):
    """`dim` counted from the front; PyTorch's IndexError if there is no such dimension."""
    n = ndim or 1
    try:
        if -n <= dim < n:
            return dim + n if dim < 0 else +dim  # True is 1, also for what takes no True
    except TypeError:
        if isinstance(dim, (str, tuple, list, type(None))):
            raise _no_dim(dim, _getframe(1)) from None
        raise
    raise error("dim-range", least=-n, most=n - 1, dim=dim, ndim=ndim)


def _no_dim(dim, frame):
    """The TypeError for what is no dimension, given to the function that a frame belongs to or was called by."""
    while frame.f_code.co_name[0] in "_<" or frame.f_code.co_name in ("normal_dims", "one_dim", "each_once"):
        frame = frame.f_back
    return error("argument-type", TypeError(
        f"{frame.f_code.co_name}(): argument 'dim' (position 1) must be int, not {type(dim).__name__}"), what="dim",
        kind=type(dim), must="a whole number")


def size_of(x):
    """The number of elements of anything with a shape."""
    n = 1
    for s in shape_of(x):
        n *= s
    return n


def full_shape(x, shape):
    """The shape meant by one of ints with a -1; PyTorch's RuntimeError if the elements do not fill it."""
    shape = tuple(shape)
    size, known, unknown = size_of(x), 1, None
    for i, s in enumerate(shape):
        if s == -1:
            if unknown is not None:
                raise error("two-unknown", shape=str(list(shape)))
            unknown = i
        elif s < 0:
            raise error("argument-value", RuntimeError(
                f"invalid shape dimension {s} at index {i} of shape {list(shape)}"), value=s, i=i,
                why="the size {value} at place {i} of the shape is below 0.",
                fix="sizes are 0 or more; one of them may be -1 and follows from the others.")
        else:
            known *= s
    if unknown is not None and known and size % known == 0:
        return (*shape[:unknown], size // known, *shape[unknown + 1:])
    if unknown is not None and known == 0 and size == 0:
        raise error("tensor-empty", RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"), shape=tuple(shape),
            why="the tensor has no elements, so in {shape} any size could stand for -1.", fix="give all sizes.")
    if unknown is not None or known != size:
        raise error("view-size", new=str(list(shape)), size=size, have=x.shape,
                    rest=f"needs a multiple of {known}" if unknown is not None else f"has {known}")
    return shape
