"""Shapes: the same elements under other dimensions. Views wherever the memory allows it."""
from __future__ import annotations

import math
from operator import index

import numpy as np

from .. import dtypes
from ..autograd.node import shown_edge, step
from ..diagnose import error
from ..dtypes import type_word
from ..inplace import changed, refuse_leaf
from ..large import PLAIN, in_rows
from ..op import Movement, dtype_of, m
from ..public import by_form, export, public
from ..tensor import LiftedTensor, Size, Tensor
from ..testing.samples import S
from .arguments import each_once, no_dimension, whole
from .labels import shown_as
from .movement import (
    Clone,
    Expand,
    Identity,
    Permute,
    Reshape,
    Squeeze,
    SqueezeDim,
    SqueezeDims,
    T,
    Transpose,
    UnsafeView,
    Unsqueeze,
    full_shape,
    normal_dim,
    shape_of,
)


def _shape(shape, fn, name="size"):
    """The sizes of f(2, 3), f((2, 3)) or f([2, 3]); -1 may be among them. TypeError for what is no whole number."""
    for n in shape:
        if n.__class__ is not int:
            inside = len(shape) == 1 and (isinstance(n, (tuple, list, np.ndarray)) or getattr(n, "ndim", 0) > 0)
            return whole(n if inside else shape, fn, name, inside)
    return shape


# ---- reshape and view ------------------------------------------------------------------------
@public("torch Tensor")
@by_form
def reshape(input, *sizes, shape=None):
    """The elements in another shape; one dimension may be -1. A view where the memory allows it.

    >>> kobai.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if type(input) is np.ndarray:
        if input.size >= PLAIN and not input.flags.c_contiguous:
            new = sizes[0] if len(sizes) == 1 else sizes
            if new.__class__ is tuple and -1 not in new and not is_viewable(input, new):
                input = in_rows(input)
        return input.reshape(*sizes)
    shape = full_shape(input, _shape(sizes if shape is None else (shape,), "reshape", "shape"))
    if is_viewable(input, shape):
        return Reshape(shape)(input)
    return shown_as(UnsafeView(shape), "UnsafeViewBackward0", _copy)(input)


def _copy(node):
    """What stands behind memory that had to be copied to be seen in another shape."""
    return (step("CloneBackward0", *[shown_edge(e) for e in node.edges]), 0),


def is_viewable(x, shape):
    """Whether the memory of `x` can be seen in another shape without copying."""
    a = x._data if type(x) is not LiftedTensor and isinstance(x, Tensor) else x
    if type(a) is not np.ndarray or a.flags.c_contiguous:
        return True
    return new_strides(a.shape, a.strides, shape, a.itemsize) is not None


def new_strides(shape, strides, new, itemsize):
    """The strides that show memory of a shape and strides in shape `new`, or None if there are none.

    Each run of dimensions that lie in memory without gaps is filled by some of the new dimensions.
    """
    if 0 in shape or not shape:
        return tuple([itemsize] * len(new))
    out, at = [0] * len(new), len(new) - 1
    base, wanted, have = strides[-1], 1, 1
    for d in reversed(range(len(shape))):
        wanted *= shape[d]
        if d == 0 or shape[d - 1] != 1 and strides[d - 1] != wanted * base:
            while at >= 0 and (have < wanted or new[at] == 1):
                out[at] = have * base
                have *= new[at]
                at -= 1
            if have != wanted:
                return None
            if d:
                base, wanted, have = strides[d - 1], 1, 1
    return tuple(out) if at == -1 else None


@public("Tensor")
@by_form
def view(input, *shape, dtype=None, size=None):
    """The same memory in another shape, or of another dtype.

    Raises RuntimeError if the memory of a view does not allow the shape; `reshape` copies then.
    """
    if size is not None:
        shape = (size,)
    dtype = shape[0] if dtype is None and len(shape) == 1 and isinstance(shape[0], dtypes.dtype) else dtype
    if dtype is not None:
        return view_dtype(input, dtype)
    shape = full_shape(input, _shape(shape, "view"))
    if is_viewable(input, shape):
        return Reshape(shape)(input)
    if input._base is not None:
        raise error("view-strides")
    return UnsafeView(shape)(input)  # PyTorch's memory would be contiguous here


class ViewDtype(Movement):
    """The same bytes as elements of another dtype; the last dimension grows or shrinks with their size."""

    to: object
    linear = False
    samples = [S((2, 4), params=(np.dtype(np.int32),), smooth=False)]

    def forward(self, x):
        if not x.shape:
            return x.reshape(1).view(self.to).reshape(())
        return x.view(self.to)

    def batch(self, size, dims, values):
        return self(*values)


def view_dtype(input, dtype):
    """`input.view(dtype)`: the same bytes read as another dtype."""
    have, want = dtype_of(input).itemsize, dtype.itemsize
    if have != want:
        _check_resize(input, have, want, dtype)
    if dtype_of(input) == dtype.np:
        return Identity()(input)
    return ViewDtype(dtype.np)(input)


def _check_resize(input, have, want, dtype):
    words = f"{type_word(input)} as {type_word(dtype)}"
    if input.ndim == 0:
        raise error("tensor-dims", RuntimeError(f"self.dim() cannot be 0 to view {words} (different element sizes)"),
                    what="input", shape=(), need="at least {n}", n=1,
                    why="input is one number of {size} bytes, and an element of the new dtype has {new}: there is no "
                        "dimension whose size could change.", size=have, new=want,
                    fix="x.to(dtype) converts the numbers; view(dtype) reads the same bytes in another way.")
    if input.stride(-1) != 1 and input._value.size:
        raise error("memory", RuntimeError(
                    f"self.stride(-1) must be 1 to view {words} (different element sizes), but got {input.stride(-1)}"),
                    why="an element of the new dtype has {new} bytes instead of {size}, but along the last dimension "
                        "the elements of input do not lie side by side (stride {step}).", size=have, new=want,
                    step=input.stride(-1), fix="copy it into order first: x.contiguous().view(dtype).")
    if have < want and input.shape[-1] * have % want:
        raise error("size-divisible", RuntimeError(
                    f"self.size(-1) must be divisible by {want // have} to view {words} (different element sizes), "
                    f"but got {input.shape[-1]}"), what="the size of the last dimension", value=input.shape[-1],
                    by=want // have,
                    why="the last dimension has {value} elements of {size} bytes, which are no whole number of "
                        "elements of {new} bytes.", size=have, new=want,
                    fix="x.to(dtype) converts the numbers; view(dtype) reads the same bytes in another way.")


@public("Tensor")
@by_form
def view_as(input, other):
    """`input.view(other.shape)`."""
    return view(input, tuple(other.shape))


@public("Tensor")
@by_form
def reshape_as(input, other):
    """`input.reshape(other.shape)`."""
    return reshape(input, tuple(other.shape))


@public("torch Tensor")
@by_form
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions `start_dim` to `end_dim` become one.

    >>> kobai.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = shape_of(input)
    if not shape:
        normal_dim(start_dim, 1), normal_dim(end_dim, 1)
        return reshape(input, (1,))
    start, end = normal_dim(start_dim, len(shape)), normal_dim(end_dim, len(shape))
    if start > end:
        raise error("flatten-order", start=start, end=end)
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start:end + 1]), *shape[end + 1:]))


@public("torch Tensor")
@by_form
def unflatten(input, dim, sizes):
    """One dimension becomes several, of these sizes; one of them may be -1.

    >>> kobai.zeros(2, 6).unflatten(1, (2, 3)).shape
    torch.Size([2, 2, 3])
    """
    dim = normal_dim(dim, input.ndim)
    if input.ndim == 0:
        raise no_dimension(IndexError(f"Dimension specified as {dim} but tensor has no dimensions"))
    inner = tuple(sizes) if isinstance(sizes, (tuple, list)) else (int(sizes),)
    if not inner:
        raise error("argument-count", RuntimeError("unflatten: sizes must be non-empty"), what="sizes", count=0,
                    need="at least {n}", n=1,
                    fix="write the sizes that dimension {dim} is cut into: x.unflatten({dim}, (2, -1)).", dim=dim)
    known = 1
    for s in inner:
        known *= s if s != -1 else 1
    n = input.shape[dim]
    if -1 in inner and inner.count(-1) == 1 and known and n % known == 0:
        inner = tuple([n // known if s == -1 else s for s in inner])
    elif -1 in inner or known != n:
        raise error("unflatten-sizes", sizes=str(list(inner)), dim=dim, size=n, grown=input)
    return view(input, (*input.shape[:dim], *inner, *input.shape[dim + 1:]))


@public("torch Tensor")
@by_form
def ravel(input):
    """All elements in one dimension."""
    return reshape(input, (-1,) if 0 not in input.shape else (0,))


# ---- order of dimensions ---------------------------------------------------------------------
@public("torch Tensor", alias=("swapaxes", "swapdims"))
@by_form
def transpose(input, dim0, dim1):
    """Two dimensions exchanged.

    >>> kobai.zeros(2, 3, 4).transpose(0, 2).shape
    torch.Size([4, 3, 2])
    """
    dims = normal_dim(dim0, input.ndim), normal_dim(dim1, input.ndim)
    return Transpose(*dims)(input) if input.ndim else Identity()(input)


@public("torch Tensor")
@by_form
def t(input):
    """The transpose of a matrix (of at most two dimensions)."""
    if input.ndim > 2:
        raise error("tensor-dims", RuntimeError(
                    f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D"), what="input",
                    shape=tuple(input.shape), need="at most {n}", n=2,
                    fix=".mT exchanges the last two dimensions; .transpose(dim0, dim1) any two.")
    return T()(input)


@public("torch Tensor")
@by_form
def permute(input, *axes, dims=None):
    """The dimensions in another order.

    >>> kobai.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    dims = axes if dims is None else dims
    if len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = dims[0]
    if len(dims) != input.ndim:
        raise error("permute-count", ndim=input.ndim, count=len(dims))
    dims = tuple([normal_dim(d, input.ndim) for d in dims])
    if len(set(dims)) != len(dims):
        raise error("argument-value", RuntimeError("permute(): duplicate dims are not allowed."), what="dims",
                    value=dims, dim=next(d for d in dims if dims.count(d) > 1),
                    why="dimension {dim} is named more than once.", fix="name each of the {n} dimensions once.",
                    n=input.ndim)
    return Permute(dims)(input)


@public("torch Tensor", alias=("moveaxis",))
@by_form
def movedim(input, source, destination):
    """Dimensions `source` moved to `destination`; the others keep their order.

    >>> kobai.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    source, destination = (((index(v),) if hasattr(v, "__index__") else tuple(v)) for v in (source, destination))
    if len(source) != len(destination):
        raise error("lengths-differ", RuntimeError(
                    f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the "
                    f"same number of dims as destination ({list(destination)} dims)"), what="source", count=len(source),
                    other="destination", other_count=len(destination))
    source = [normal_dim(d, input.ndim) for d in source]
    destination = [normal_dim(d, input.ndim) for d in destination]
    for name, dims in (("source", source), ("destination", destination)):
        if len(set(dims)) != len(dims):
            raise error("argument-value", RuntimeError(f"movedim: repeated dim in `{name}` ({dims})"), what=name,
                        value=dims, dim=next(d for d in dims if dims.count(d) > 1),
                        why="{what} names dimension {dim} more than once.",
                        fix="name each dimension once; -1 is the last one.")
    if not input.ndim:
        return Identity()(input)
    order = [d for d in range(input.ndim) if d not in source]
    for to, d in sorted(zip(destination, source)):
        order.insert(to, d)
    return Permute(tuple(order))(input)


@public("torch Tensor")
def adjoint(input):
    """The last two dimensions exchanged, and conjugated."""
    return _adjoint(input, "adjoint()")


def _adjoint(input, name):
    if input.ndim == 0:
        return m.conj(input) if dtype_of(input).kind == "c" else Identity()(input)
    if input.ndim < 2:
        raise error("tensor-dims", RuntimeError(
                    f"tensor.{name} is only supported on matrices or batches of matrices. Got {input.ndim}-D tensor."),
                    what="input", shape=tuple(input.shape), need="at least {n}", n=2,
                    fix="a row has no transpose: x.unsqueeze(-1) is a column, x.unsqueeze(0) a row of a matrix.")
    return m.conj(Transpose(input.ndim - 2, input.ndim - 1)(input))


@by_form
def _reversed(self):
    """All dimensions in reverse order: the transpose of a matrix."""
    return Permute(tuple(range(self.ndim - 1, -1, -1)))(self)


@by_form
def _matrix_transpose(self):
    """The last two dimensions exchanged."""
    if self.ndim == 0:
        return Identity()(self)
    if self.ndim < 2:
        raise error("tensor-dims", RuntimeError(
                    f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."),
                    what="input", shape=tuple(self.shape), need="at least {n}", n=2,
                    fix="a row has no transpose: x.unsqueeze(-1) is a column, x.unsqueeze(0) a row of a matrix.")
    return Transpose(self.ndim - 2, self.ndim - 1)(self)


def _conjugate_transpose(self):
    """The transpose of a matrix, conjugated."""
    if self.ndim not in (0, 2):
        raise error("tensor-dims", RuntimeError(
                    f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor."
                    + " For batches of matrices, consider using tensor.mH" * (self.ndim > 2)),
                    what="input", shape=tuple(self.shape), need="{n}", n=2,
                    fix="for a batch of matrices use x.mH." if self.ndim > 2 else
                        "a row has no transpose: x.unsqueeze(-1) is a column, x.unsqueeze(0) a row of a matrix.")
    return adjoint(self) if self.ndim else m.conj(self)


def _matrix_adjoint(self):
    """The last two dimensions exchanged, and conjugated."""
    return _adjoint(self, "mH")


for _name, _fn in (("T", _reversed), ("mT", _matrix_transpose), ("H", _conjugate_transpose),
                   ("mH", _matrix_adjoint)):
    export("Tensor", _name, property(_fn))


# ---- dimensions of size 1, broadcasting ------------------------------------------------------
@public("torch Tensor")
@by_form
def unsqueeze(input, dim):
    """A new dimension of size 1 at `dim`.

    >>> kobai.tensor([1, 2]).unsqueeze(1)
    tensor([[1],
            [2]])
    """
    return Unsqueeze(normal_dim(dim, input.ndim + 1))(input)


@public("torch Tensor")
@by_form
def squeeze(input, dim=None):
    """Without dimensions of size 1: all of them, or those of `dim` that have it.

    >>> kobai.zeros(1, 3, 1).squeeze().shape, kobai.zeros(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    ones = [i for i, s in enumerate(shape_of(input)) if s == 1]
    if dim is None:
        return Squeeze(tuple(ones))(input)
    if isinstance(dim, (tuple, list)):
        dims = each_once([normal_dim(d, input.ndim) for d in dim], "dim", dim)
        return SqueezeDims(tuple([d for d in sorted(dims) if d in ones]))(input)
    return SqueezeDim(tuple([d for d in (normal_dim(dim, input.ndim),) if d in ones]))(input)


@public("Tensor")
@by_form
def expand(input, *size, implicit=False):
    """Dimensions of size 1 repeated without copying; -1 keeps a size.

    >>> kobai.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    size, shape = _shape(size, "expand"), shape_of(input)
    lead = len(size) - len(shape)
    if lead < 0:
        raise error("argument-count", RuntimeError(
                    f"expand(torch.{type_word(input)}Tensor{{{list(input.shape)}}}, size={list(size)}): the number of sizes "
                    f"provided ({len(size)}) must be greater or equal to the number of dimensions in the tensor "
                    f"({input.ndim})"), what="size", count=len(size), need="at least {n}", n=input.ndim,
                    why="size has {count} numbers, and input of shape {shape} has {n} dimensions; expand() never drops "
                        "one.",
                    shape=tuple(input.shape),
                    fix="give a size for each dimension, -1 to keep it; x.squeeze(dim) or x[0] drops one.")
    full = []
    for i, s in enumerate(size):
        have = shape[i - lead] if i >= lead else None
        s = s if s.__class__ is int else int(s)
        if s == -1:
            if have is None:
                raise error("argument-value", RuntimeError(
                            f"The expanded size of the tensor ({s}) isn't allowed in a leading, non-existing "
                            f"dimension {i}"), what=f"size[{i}]", value=s,
                            why="{what} is -1, which keeps a size, but dimension {dim} is a new one in front: input "
                                "has shape {shape}.", dim=i, shape=tuple(shape),
                            fix="write how large the new dimension is to be.")
            s = have
        elif have not in (None, 1, s):
            raise error("expand-size", want=str(s), have_size=have, dim=i, target=str(list(size)),
                        sizes=str(list(input.shape)))
        full.append(s)
    return Expand(tuple(full))(input)


@public("Tensor")
@by_form
def expand_as(input, other):
    """`input.expand(other.shape)`."""
    return expand(input, tuple(other.shape))


@public("torch Tensor")
@by_form
def broadcast_to(input, *size, shape=None):
    """`input` expanded to a shape, by NumPy's rules.

    >>> kobai.broadcast_to(kobai.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, *((shape,) if shape is not None else size))


@public("torch")
def broadcast_shapes(*shapes):
    """The shape to which tensors of these shapes broadcast.

    >>> kobai.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    shapes = [(s,) if isinstance(s, int) else tuple(map(index, s)) for s in shapes]
    whole = [1] * max(map(len, shapes), default=0)
    for i, shape in enumerate(shapes):
        for at in range(-1, -len(shape) - 1, -1):
            if shape[at] not in (1, whole[at]):
                if shape[at] < 0 or whole[at] != 1:
                    raise _no_broadcast(shape, i, at, whole)
                whole[at] = shape[at]
    return Size(whole)


def _no_broadcast(shape, i, at, whole):
    """The error of broadcast_shapes: shape number i does not fit at dimension `at`."""
    n = shape[at]
    if n < 0 and whole[at] == 1:
        return error("argument-value", ValueError("Attempting to broadcast a dimension with negative length!"),
                     what=f"shapes[{i}]", value=shape, must="whole numbers of at least {low}", low=0)
    return error("shapes-differ", RuntimeError(
                 f"Attempting to broadcast a dimension of length {n} at {at}! Mismatching argument at index {i} had "
                 f"{shape}; but expected shape should be broadcastable to {whole}"), i=i, shape=shape, at=at,
                 other_shape=tuple(whole), n=n, size=whole[at],
                 why="shape number {i} is {shape}, and those before it make {other_shape}: in dimension {at}, {n} and "
                     "{size} are not the same, and neither is 1.",
                 fix="sizes are compared from the last dimension on; put in a 1 where one is to be repeated.")


@public("torch")
def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    try:
        shape = np.broadcast_shapes(*[tuple(v.shape) for v in tensors])
    except ValueError:
        a, b = next((a, b) for i, a in enumerate(tensors) for b in tensors[:i] if not _broadcast(a.shape, b.shape))
        at = next(i for i in range(1, 65) if a.shape[-i] != b.shape[-i] and 1 not in (a.shape[-i], b.shape[-i]))
        raise error("shapes-differ", RuntimeError(
                    f"The size of tensor a ({b.shape[-at]}) must match the size of tensor b ({a.shape[-at]}) at "
                    f"non-singleton dimension {max(a.ndim, b.ndim) - at}"), what="one tensor", shape=tuple(b.shape),
                    other="another", other_shape=tuple(a.shape), i=max(a.ndim, b.ndim) - at, n=b.shape[-at],
                    m=a.shape[-at],
                    why="the tensors have shapes {shape} and {other_shape}: in dimension {i}, {n} and {m} are not "
                        "the same, and neither is 1.",
                    fix="sizes are compared from the last dimension on; put in a 1 where one is to be "
                        "repeated.") from None
    return tuple([Expand(shape)(v) for v in tensors])


def _broadcast(a, b):
    return all(x == y or 1 in (x, y) for x, y in zip(reversed(a), reversed(b)))


@public("Tensor")
def sum_to_size(input, *size):
    """Summed over the dimensions that broadcasting from `size` would have made."""
    size = tuple(_shape(size, "sum_to_size"))
    lead = input.ndim - len(size)
    if lead < 0 or any(s not in (1, input.shape[i + lead]) for i, s in enumerate(size)):
        raise error("argument-value", RuntimeError(
                    f"size {{{list(size)}}} is not expandable to size {{{list(input.shape)}}}."), what="size",
                    value=size,
                    why="size is {value}, and a tensor of that shape does not broadcast to {shape}, the shape of "
                        "input.", shape=tuple(input.shape),
                    fix="each size is that of input or 1, and dimensions may be left out in front.")
    return m.sum_to(input, size) if size else m.sum(input)


# ---- in place: the tensor itself gets another shape ------------------------------------------
def become(self, view):
    """`self` turns into `view`, a view of itself made by one op: shape, history and place in its base."""
    if self._base is not None:
        self._chain = view._chain
    if isinstance(self, LiftedTensor):
        self._value = view._value
    else:
        self._data = view._data
    self._node, self._rg = view._node, view._rg
    changed(self)
    return self


def _inplace(fn):
    def method(self, *args, **kwargs):
        refuse_leaf(self)
        return become(self, fn(self, *args, **kwargs))
    method.__name__ = method.__qualname__ = fn.__name__ + "_"
    method.__doc__ = f"In-place version of `{fn.__name__}`."
    export("Tensor", method.__name__, method)


for _fn in (t, transpose, squeeze, unsqueeze):
    _inplace(_fn)
export("Tensor", "swapaxes_", Tensor.transpose_)
export("Tensor", "swapdims_", Tensor.transpose_)


# ---- copies ----------------------------------------------------------------------------------
@public("torch Tensor")
def clone(input, *, memory_format=None):
    """A copy in memory of its own, still part of the graph."""
    return Clone("C" if repr(memory_format) == "torch.contiguous_format" else "K")(input)


@public("torch")
def unsafe_view(input, size):
    """`reshape`, for memory that nobody else sees."""
    return UnsafeView(tuple(size))(input)


m.transpose_matrix = lambda x: Transpose(len(x.shape) - 2, len(x.shape) - 1)(x)

