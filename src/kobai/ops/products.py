"""Products of tensors beside matmul: tensordot, cross, kron; sums with products; the bilinear map."""
from __future__ import annotations

import warnings
from math import prod

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .linear import Mm, bmm, mv, outer
from .movement import normal_dim
from .reduce import normal_dims


# ---- cross product ---------------------------------------------------------------------------
class LinalgCross(Op):
    """Cross products of the vectors of three elements along `dim`."""

    dim: int
    samples = [S((3,), (3,), params=(0,)), S((2, 3), (2, 3), params=(1,)), S((3, 2), (3, 2), params=(0,))]

    def forward(self, a, b):
        after, before = [1, 2, 0], [2, 0, 1]
        d = self.dim
        return a.take(after, d) * b.take(before, d) - a.take(before, d) * b.take(after, d)

    def vjp_a(self, g, b):
        return self(m.conj(b), g)

    def vjp_b(self, g, a):
        return self(g, m.conj(a))

    def batch(self, size, dims, values):
        return LinalgCross(self.dim + 1)(*values)


def _cross(a, b, dim):
    if len(a.shape) != len(b.shape):
        raise error("shapes-differ", RuntimeError("linalg.cross: inputs must have the same number of dimensions."),
                    what="input", shape=tuple(a.shape), other="other", other_shape=tuple(b.shape),
                    must="both must have the same number of dimensions",
                    fix="add a dimension in front of the shorter one: x.unsqueeze(0).")
    dim = normal_dim(dim, len(a.shape))
    if a.shape[dim] != 3 or b.shape[dim] != 3:
        raise error("dimension-size", RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[dim]} and {b.shape[dim]}"),
            what="input" if a.shape[dim] != 3 else "other", dim=dim, must="3",
            size=a.shape[dim] if a.shape[dim] != 3 else b.shape[dim])
    if dtype_of(a) != dtype_of(b):
        raise error("dtypes-differ", RuntimeError(f"expected scalar type {type_word(a)} but found {type_word(b)}"),
                    what="input", dtype=dtype_of(a), other="other", other_dtype=dtype_of(b))
    shape = np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    return LinalgCross(dim)(m.expand_to(a, shape), m.expand_to(b, shape))


@public("linalg", name="cross")
def linalg_cross(input, other, *, dim=-1):
    """The cross products of vectors of three elements along `dim`."""
    return _cross(input, other, dim)


@public(name="cross")
def cross(input, other, dim=None):
    """The cross products of vectors of three elements along `dim` (by default the first of size 3).

    >>> kobai.cross(kobai.tensor([1., 0., 0.]), kobai.tensor([0., 1., 0.]), dim=0)
    tensor([0., 0., 1.])
    """
    if dim is None:
        dim = next((d for d, s in enumerate(input.shape) if s == 3), None)
        if dim is None:
            raise error("tensor-shape", RuntimeError("no dimension of size 3 in input"), what="input",
                        shape=tuple(input.shape), want="(..., 3)",
                        why="input has shape {shape}; cross products are of vectors of 3 elements.",
                        fix="bring the vectors into a dimension of size 3, and give it as dim.")
        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross "
            "in a future release.", UserWarning, stacklevel=3)
    return _cross(input, other, dim)


# ---- Kronecker product -----------------------------------------------------------------------
@public()
def kron(input, other):
    """The Kronecker product: each element of `input` times all of `other`, as blocks.

    >>> kobai.kron(kobai.tensor([1, 10]), kobai.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    n = max(len(input.shape), len(other.shape))
    a = (1,) * (n - len(input.shape)) + tuple(input.shape)
    b = (1,) * (n - len(other.shape)) + tuple(other.shape)
    y = (m.reshape(input, tuple([s for k in a for s in (k, 1)]))
         * m.reshape(other, tuple([s for k in b for s in (1, k)])))
    return m.reshape(y, tuple([s * t for s, t in zip(a, b)]))


# ---- tensordot -------------------------------------------------------------------------------
@public("torch")
def tensordot(a, b, dims=2):
    """Products summed over dimensions of both: the last `dims` of a with the first of b, or two lists of them.

    >>> kobai.tensordot(kobai.ones(2, 3), kobai.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    da, db = _dims(a, b, dims)
    if dtype_of(a) != dtype_of(b):
        raise error("dtypes-differ", RuntimeError("both inputs should have same dtype"), what="a", dtype=dtype_of(a),
                    other="b", other_dtype=dtype_of(b))
    a, b = _sum_over_thin(a, da, b, db)
    fa = [d for d in range(len(a.shape)) if d not in da]
    fb = [d for d in range(len(b.shape)) if d not in db]
    n = prod([a.shape[d] for d in da])
    x = m.reshape(m.permute(a, (*fa, *da)), (prod([a.shape[d] for d in fa]), n))
    y = m.reshape(m.permute(b, (*db, *fb)), (n, prod([b.shape[d] for d in fb])))
    if not fa and not fb:
        return m.dot(m.reshape(x, (n,)), m.reshape(y, (n,)))
    return m.reshape(Mm()(x, y), tuple([a.shape[d] for d in fa] + [b.shape[d] for d in fb]))


def _dims(a, b, dims):
    """Two lists of dimensions, counted from the front."""
    if hasattr(dims, "shape"):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise error("argument-value", RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}"),
                        what="dims", value=dims, must="a whole number of at least {low}", low=0)
        if dims > min(len(a.shape), len(b.shape)):
            raise error("argument-value", RuntimeError(
                        f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}"), what="dims", value=dims,
                        must="a whole number of at most {high}", high=min(len(a.shape), len(b.shape)),
                        why="dims is {value}, but a has {na} and b has {nb} dimensions.", na=len(a.shape),
                        nb=len(b.shape))
        dims = list(range(-dims, 0)), list(range(dims))
    da, db = dims
    for v, argument in ((da, "'dims_self' (position 3)"), (db, "'dims_other' (position 4)")):
        if isinstance(v, int):
            raise error("argument-type", TypeError(f"tensordot(): argument {argument} must be tuple of ints, not int"),
                        what="dims", kind="int", must="two lists of whole numbers",
                        why="dims is a pair, and one of its two is the number {n}: it must hold two lists, the "
                            "dimensions of a and those of b.", n=v,
                        fix="write dims=([{n}], [...]), or dims={n} for the last {n} of a and the first {n} of b.")
    if len(da) != len(db):
        raise error("lengths-differ", RuntimeError("both dimension lists should have same length"), what="dims[0]",
                    count=len(da), other="dims[1]", other_count=len(db),
                    fix="name as many dimensions of a as of b: they are multiplied pair by pair.")
    for i, j in zip(da, db):
        s, t = a.shape[normal_dim(i, len(a.shape))], b.shape[normal_dim(j, len(b.shape))]
        if s != t and 1 not in (s, t):
            raise error("shapes-differ", RuntimeError(
                f"contracted dimensions need to match, but first has size {s} in dim {i} and second has size {t} in dim "
                f"{j}"), what="a", shape=a.shape, other="b", other_shape=b.shape, i=i, j=j,
                must="dimension {i} of the first and dimension {j} of the second must have the same size")
    for x, v in ((a, da), (b, db)):
        if v:
            normal_dims(tuple(v), len(x.shape))  # a dimension named twice is an error
    return [normal_dim(d, len(a.shape)) for d in da], [normal_dim(d, len(b.shape)) for d in db]


def _sum_over_thin(a, da, b, db):
    """Where one of the contracted dimensions has size 1, it broadcasts: the other is summed."""
    for i, j in zip(da, db):
        if a.shape[i] != b.shape[j]:
            if b.shape[j] == 1:
                a = m.sum(a, i, True)
            else:
                b = m.sum(b, j, True)
    return a, b


# ---- with sums ---------------------------------------------------------------------------------
@public(inplace=True)
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * mat @ vec."""
    return _scaled(input, beta, mv(mat, vec), alpha)


@public(inplace=True)
def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta * input + alpha * outer(vec1, vec2)."""
    return _scaled(input, beta, outer(vec1, vec2), alpha)


@public(inplace=True)
def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * the sum of batch1 @ batch2 over the batch."""
    return _scaled(input, beta, m.sum(bmm(batch1, batch2), 0), alpha)


def _scaled(c, beta, y, alpha):
    """beta * c + alpha * y; of integers the factors are cut to integers, of bool to truth values."""
    kind = dtype_of(y).kind
    if kind == "b":
        y = y if alpha else m.zeros_like(y)
        return m.logical_or(c, y) if beta else m.expand_to(y, tuple(np.broadcast_shapes(c.shape, y.shape)))
    if kind in "iu":
        beta, alpha = int(beta), int(alpha)
    y = y if alpha == 1 else y * alpha
    if beta == 0:
        return m.expand_to(y, tuple(np.broadcast_shapes(tuple(c.shape), tuple(y.shape))))
    return (c if beta == 1 else c * beta) + y


@public("nn.functional torch")
def bilinear(input1, input2, weight, bias=None):
    """y[o] = input1 @ weight[o] @ input2 + bias[o], over leading dimensions."""
    for at, x in ((1, input1), (2, input2)):
        if x.shape[-1] != weight.shape[at]:
            raise error("dimension-size", RuntimeError(
                f"bilinear(): input{at} size does not match weight size: got {x.shape[-1]} but expected {weight.shape[at]}"),
                what=f"input{at}", dim=-1, size=x.shape[-1], must="{n}", n=weight.shape[at])
    y = m.einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else y + bias
