"""Several tensors become one: cat, stack and their kin."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..large import joined
from ..op import Op, apply_any, m
from ..public import by_form, by_rank, public
from ..tensor import Tensor, wrap
from ..testing.samples import S
from .movement import Select, Slice, normal_dim, shape_of


class Cat(Op):
    """Join along an existing dimension."""

    dim: int
    linear = moves = True
    common = ("xs",)
    samples = [S((2, 3), (2, 1), params=(1,)), S((0, 2), (3, 2), params=(0,)), S((2,), params=(0,))]

    def forward(self, *xs):
        return joined(xs, self.dim)

    def vjp(self, g, xs_shape, needs):
        grads, at = [], 0
        for i, shape in enumerate(xs_shape):
            n = shape[self.dim]
            grads.append(Slice(self.dim, at, at + n)(g) if i < len(needs) and needs[i] else None)
            at += n
        return grads

    def batch(self, size, dims, values):
        return Cat(self.dim + 1)(*values)


class Stack(Op):
    """Join along a new dimension `dim`."""

    dim: int
    linear = moves = True
    common = ("xs",)
    samples = [S((2, 3), (2, 3), params=(1,)), S((), (), params=(0,)), S((0,), params=(1,))]

    def forward(self, *xs):
        if not self.dim and xs[0].ndim:
            return np.concatenate(xs).reshape(len(xs), *xs[0].shape)
        at = (slice(None),) * self.dim + (None,)
        return np.concatenate([x[at] for x in xs], self.dim)  # np.stack, without its checks

    def vjp(self, g, xs_shape, needs):
        return [Select(self.dim, i)(g) if i < len(needs) and needs[i] else None for i in range(len(xs_shape))]

    def batch(self, size, dims, values):
        return Stack(self.dim + 1)(*values)


class BlockDiag(Op):
    """Matrices along the diagonal of a larger one."""

    linear = moves = True
    common = ("xs",)
    samples = [S((2, 3), (1, 1)), S((1, 0), (2, 2))]

    def forward(self, *xs):
        y = np.zeros(np.sum([x.shape for x in xs], axis=0), xs[0].dtype)
        i = j = 0
        for x in xs:
            y[i:i + x.shape[0], j:j + x.shape[1]] = x
            i, j = i + x.shape[0], j + x.shape[1]
        return y

    def vjp(self, g, xs_shape, needs):
        grads, i, j = [], 0, 0
        for k, (r, c) in enumerate(xs_shape):
            grads.append(Slice(1, j, j + c)(Slice(0, i, i + r)(g)) if k < len(needs) and needs[k] else None)
            i, j = i + r, j + c
        return grads


def _tensors(tensors, name):
    """The list of tensors that a joining function got; PyTorch's errors for anything else."""
    if isinstance(tensors, Tensor) or not isinstance(tensors, (tuple, list)):
        kind = type(tensors).__name__
        raise error("argument-type", TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {kind}"), what="tensors",
            kind=type(tensors), fn=name, must="a list or tuple of tensors",
            fix="put the tensors in a list: torch.{fn}([a, b]).")
    for i, v in enumerate(tensors):
        if not hasattr(v, "shape"):
            raise error("cat-element", place=i, got=type(v).__name__)
    return tensors


def _one_shape(tensors):
    """The shape that all of a list of plain tensors have; None if anything is otherwise."""
    if tensors.__class__ is not list and tensors.__class__ is not tuple or not tensors:
        return None
    for t in tensors:
        if t.__class__ is not Tensor:
            return None
    shapes = [t._data.shape for t in tensors]
    return shapes[0] if shapes.count(shapes[0]) == len(shapes) else None


@public("torch", alias=("concat", "concatenate"))
@by_rank
def cat(tensors, dim=0):
    """Join tensors along an existing dimension.

    >>> kobai.cat([kobai.zeros(1, 2), kobai.ones(1, 2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    one = _one_shape(tensors)
    if one and one != (0,) and dim.__class__ is int and -len(one) <= dim < len(one):
        return apply_any(Cat(dim % len(one)), tensors)
    tensors = _tensors(tensors, "cat")
    if not tensors:
        raise error("cat-empty")
    shapes = [shape_of(v) for v in tensors]
    if () in shapes:
        raise error("tensor-dims", RuntimeError(
            f"zero-dimensional tensor (at position {shapes.index(())}) cannot be concatenated"),
            what=f"tensors[{shapes.index(())}]", shape=(), need="at least {n}", n=1,
            fix="torch.stack joins tensors without dimensions.")
    if (0,) in shapes:  # an empty 1-d tensor joins with anything
        tensors = [v for v, s in zip(tensors, shapes) if s != (0,)] or tensors
        shapes = [s for s in shapes if s != (0,)] or shapes
    dim = normal_dim(dim, len(shapes[0]))
    before, after = shapes[0][:dim], shapes[0][dim + 1:]
    if any(s[:dim] != before or s[dim + 1:] != after for s in shapes):
        _refuse_cat(shapes, dim)
    return apply_any(Cat(dim), tensors) if tensors[0].__class__ is Tensor else Cat(dim)(*tensors)


def _refuse_cat(shapes, dim):
    """Raise PyTorch's error for shapes that do not join."""
    want = shapes[0]
    for i, shape in enumerate(shapes):
        if len(shape) != len(want):
            raise error("cat-dims", a=len(want), b=len(shape))
        for d, (a, b) in enumerate(zip(want, shape)):
            if a != b and d != dim:
                raise error("cat-sizes", dim=dim, a=a, b=b, number=i, first_shape=str(list(want)),
                            shape=str(list(shape)), other=d)


@public("torch")
@by_form
def stack(tensors, dim=0):
    """Join tensors of one shape along a new dimension.

    >>> kobai.stack([kobai.zeros(2), kobai.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    one = _one_shape(tensors)
    if one is not None and dim.__class__ is int and -len(one) <= dim + 1 and dim <= len(one):
        return apply_any(Stack(dim % (len(one) + 1)), tensors)
    tensors = _tensors(tensors, "stack")
    if not tensors:
        raise error("stack-empty")
    first = shape_of(tensors[0])
    for i, v in enumerate(tensors):
        if shape_of(v) != first:
            raise error("stack-sizes", a=str(list(first)), b=str(list(v.shape)), number=i)
    op = Stack(normal_dim(dim, len(first) + 1))
    return apply_any(op, tensors) if tensors[0].__class__ is Tensor else op(*tensors)


def _refuse(name):
    raise error("argument-missing", RuntimeError(f"{name} expects a non-empty TensorList"), fn=f"{name}()",
                what="tensors", must="at least one tensor")


@public("torch")
@by_form
def hstack(tensors):
    """Join side by side: along dimension 1, or 0 for vectors.

    >>> kobai.hstack([kobai.zeros(2), kobai.ones(1)])
    tensor([0., 0., 1.])
    """
    tensors = [atleast_1d(v) for v in _tensors(tensors, "hstack")]
    if not tensors:
        _refuse("hstack")
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@public("torch", alias=("row_stack",))
@by_form
def vstack(tensors):
    """Join as rows, one below the other.

    >>> kobai.vstack([kobai.zeros(2), kobai.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    return cat([atleast_2d(v) for v in _tensors(tensors, "vstack")] or _refuse("vstack"), 0)


@public("torch")
def dstack(tensors):
    """Join along the third dimension."""
    return cat([atleast_3d(v) for v in _tensors(tensors, "dstack")] or _refuse("dstack"), 2)


@public("torch")
def column_stack(tensors):
    """Join as columns: vectors become columns first."""
    return cat([m.reshape(v, (-1, 1)) if v.ndim <= 1 else v for v in _tensors(tensors, "column_stack")]
               or _refuse("column_stack"), 1)


@public("torch")
def block_diag(*tensors):
    """Matrices (vectors are rows) along the diagonal of a larger matrix."""
    for i, v in enumerate(tensors):
        if v.ndim > 2:
            raise error("tensor-dims", RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {v.ndim} dimensions"),
                what=f"tensors[{i}]", shape=v.shape, need="at most {n}", n=2)
    if not tensors:
        return wrap(np.zeros((1, 0), np.float32))
    return BlockDiag()(*[atleast_2d(v) for v in tensors])


def _each(fn):
    """A function of one tensor that also takes several, or a list of them."""
    def apply(*tensors):
        if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
            return fn(tensors[0])
        return tuple([fn(v) for v in (tensors[0] if len(tensors) == 1 else tensors)])
    apply.__name__, apply.__doc__ = fn.__name__, fn.__doc__
    return public("torch")(apply)


@_each
def atleast_1d(x):
    """A tensor without dimensions gets one."""
    return m.reshape(x, (1,)) if x.ndim == 0 else x


@_each
def atleast_2d(x):
    """Vectors become rows."""
    return m.reshape(x, (1, 1)) if x.ndim == 0 else m.unsqueeze(x, 0) if x.ndim == 1 else x


@_each
def atleast_3d(x):
    """Matrices get a third dimension; vectors one on either side."""
    if x.ndim == 0:
        return m.reshape(x, (1, 1, 1))
    return m.unsqueeze(m.unsqueeze(x, 0), 2) if x.ndim == 1 else m.unsqueeze(x, 2) if x.ndim == 2 else x


