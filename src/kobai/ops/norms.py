"""Norms and distances."""
from __future__ import annotations

from math import inf

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, Reduction, apply1, dtype_of, m
from ..public import by_form, public
from ..tensor import Tensor
from ..testing.samples import S
from .arguments import as_dtype, number
from .index import AddAt, Index
from .movement import size_of
from .reduce import kept, later, one_dim, read_dims
from .summation import add_up


def size_along(x, p, dim, keepdim):
    """The p-norm of an array over `dim`."""
    if p == 2 and x.dtype.kind == "f":
        return np.sqrt(add_up(x * x, dim, keepdim))
    size = np.abs(x)
    if p == 2:
        return np.sqrt(add_up(size * size, dim, keepdim))
    if p == 0:
        return add_up((size != 0).astype(size.dtype), dim, keepdim)
    if p in (inf, -inf):
        ufunc = np.maximum if p > 0 else np.minimum
        return ufunc.reduce(size, dim, None, None, keepdim, *((0,) if not size.size else ()))
    if p == 1:
        return add_up(size, dim, keepdim)
    return add_up(size ** size.dtype.type(p), dim, keepdim) ** size.dtype.type(1 / p)


def toward(g, x, y, p, dim):
    """g times the derivative of the p-norm y by x; g and y broadcast to x. Zero where the norm has a corner."""
    if p == 0:
        return m.zeros_like(x)
    if p == 1:
        return m.sgn(x) * g
    if p == 2:
        return x * (g / m.where(y == 0, inf, y))
    if p in (inf, -inf):
        largest = m.cast(m.logical_or(m.abs(x) == y, m.isnan(x)), dtype_of(y))
        return m.sgn(x) * (largest * (g / m.sum(largest, dim, True)))
    share = m.abs(x) / m.where(y == 0, inf, y)  # at most 1, for p > 0: nothing overflows
    slope = m.where(share == 0, 0.0, m.where(share == 0, 1.0, share) ** (p - 1))  # no 0 * inf in what is not taken
    return m.sgn(x) * (g * slope)


class LinalgVectorNorm(Reduction):
    """sum(|x| ** p) ** (1 / p) over `dim`: 2 for the usual length, inf for the largest element."""

    p: float = 2
    samples = [S((2, 3), params=((0, 1), False, p)) for p in (2, 1, inf, 3, 0.5)] + [
        S((2, 3, 2), params=((0, 2), True, 2)), S((4,), params=((0,), False, -inf)), S((), params=((), False, 2)),
        S((2, 3), params=((1,), True, -1)), S((3,), params=((0,), False, 0)), S((0, 2), params=((1,), False, 2))]

    def forward(self, x):
        return size_along(x, self.p, self.dim, self.keepdim)

    def vjp_x(self, g, x, y):
        if self.p == 0:
            return None  # a count does not change with the elements
        shape, dim = x.shape, self.dim
        return toward(kept(g, shape, dim, self.keepdim), x, kept(y, shape, dim, self.keepdim), self.p, dim)

    def batch(self, size, dims, values):
        return LinalgVectorNorm(*later(self, values[0]), self.p)(*values)

    def emit(self, k, x):
        size = abs(x)
        if self.p in (inf, -inf):
            return k.amax(size) if self.p > 0 else k.amin(size)
        if self.p == 2:
            return k.sqrt(k.sum(x * x))
        if self.p == 0:
            return k.sum(k.where(size == 0, k.const(0, x.dtype), k.const(1, x.dtype)))
        return k.sum(size) if self.p == 1 else k.pow(k.sum(k.pow(size, self.p)), 1 / self.p)


_of_all: dict = {}


@public("linalg")
@by_form
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The `ord`-norm of the elements over `dim`: sum(|x| ** ord) ** (1 / ord).

    Args: `ord`, any number; inf is the largest absolute value, -inf the smallest, 0 the count of what is not 0.

    >>> kobai.linalg.vector_norm(kobai.tensor([3., 4.]))
    tensor(5.)
    """
    if dim is None and dtype is None and keepdim is False and x.__class__ is Tensor and (ord.__class__ is float or
            ord.__class__ is int) and 0 <= ord < inf and x._data.dtype.kind == "f":  # the usual case: no questions
        key = x._data.ndim, ord
        op = _of_all.get(key)
        if op is None and len(_of_all) < 100:
            op = _of_all[key] = LinalgVectorNorm(tuple(range(key[0])), False, float(ord))
        if op is not None:
            return apply1(op, x)
    if isinstance(ord, str):
        raise error("argument-type", TypeError(
            "linalg_vector_norm(): argument 'ord' (position 2) must be Number, not str"), what="ord", kind=type(ord),
            must="a number", fix="torch.linalg.norm and torch.linalg.matrix_norm take 'fro' and 'nuc'.")
    if dtype_of(x).kind not in "fcV":
        raise error("tensor-dtype", RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {type_word(x)}"),
            what="x", dtype=dtype_of(x), fn="linalg.vector_norm()", must="floating point or complex numbers",
            fix="convert it first: {what}.float().")
    if dtype is not None:
        x = _converted(x, as_dtype(dtype, fn="vector_norm"))
    ord, (dims, keepdim) = float(ord), read_dims("linalg_vector_norm", x, dim, keepdim)
    if ord < 0 or ord == inf:
        _check_not_empty(x, f"{ord:g}", dim, dims)
    return LinalgVectorNorm(dims, keepdim, ord)(x)


def _converted(x, d):
    have = dtypes.of(dtype_of(x))
    if d.category < dtypes.FLOAT:
        raise error("argument-value", RuntimeError(
            f"linalg.vector_norm: dtype should be floating point or complex, but got {type_word(d)}"), what="dtype",
            value=d, must="a floating point or complex dtype")
    if have.is_complex and not d.is_complex:
        raise error("argument-value", RuntimeError(
            f"linalg.vector_norm: dtype should be complex for complex inputs, but got {type_word(d)}"), what="dtype",
            value=d, must="a complex dtype")
    if dtypes.promote_types(have, d) is not d:
        raise error("argument-value", RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({type_word(have)}) should be convertible without narrowing "
            f"to the specified dtype ({type_word(d)})"), dtype=have, other_dtype=d,
            why="dtype={other_dtype} is narrower than {dtype}, the dtype of the input.",
            fix="leave out dtype, or convert the input before: x.to({other_dtype}).")
    return m.cast(x, d)


def _check_not_empty(x, ord, dim, dims):
    if dim is None and not size_of(x):
        raise error("tensor-empty", RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not have "
            "an identity"), what="x", fn="linalg.vector_norm()")
    for d in dims:
        if x.shape[d] == 0:
            raise error("tensor-empty", RuntimeError(
                f"linalg.vector_norm cannot compute the {ord} norm on the dimension {d}because this dimension is empty "
                "and the operation does not have an identity"), shape=x.shape, dim=d,
                why="dimension {dim} of shape {shape} is empty, and this norm of nothing is not defined.")


@public()
@by_form
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm of the elements over `dim`; "fro" is the 2-norm, "nuc" the sum of singular values of a matrix.

    >>> kobai.norm(kobai.tensor([3., 4.]))
    tensor(5.)
    """
    if isinstance(p, str) and p == "nuc":
        return _nuclear(input if dtype is None else m.cast(input, as_dtype(dtype)), dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise error("argument-value", RuntimeError(f"linalg.matrix_norm: Order {p} not supported."), what="p", value=p,
                    must="a number, 'fro' or 'nuc'")
    p = 2 if p is None or isinstance(p, str) else number(p, "norm", "p")
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


def _nuclear(x, dim, keepdim):
    if x.ndim < 2:
        raise error("tensor-dims", RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."), what="input", shape=x.shape,
            need="at least {n}", n=2)
    dims = tuple(range(x.ndim)) if dim is None else tuple([one_dim(d, x.ndim, "norm") for d in dim])
    if len(dims) != 2:
        raise error("argument-count", RuntimeError(
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}"), what="dim", count=len(dims),
            need="{n}", n=2)
    y = m.sum(m.svdvals(m.movedim(x, dims, (-2, -1))), -1)
    return m.reshape(y, [1 if d in dims else s for d, s in enumerate(x.shape)]) if keepdim else y


# ---- distances -------------------------------------------------------------------------------
class Dist(Op):
    """The p-norm of a - b."""

    p: float = 2
    common = ("a", "b")
    samples = [S((2, 3), (2, 3)), S((2, 3), (3,), params=(1.5,)), S((), (2,), params=(3,)),
               S((4,), (4,), params=(inf,))]

    def forward(self, a, b):
        return size_along(a - b, self.p, None, False)

    def vjp_a(self, g, a, b, y):
        return m.sum_to(self._both(g, a, b, y), tuple(a.shape))

    def vjp_b(self, g, a, b, y):
        return m.sum_to(-self._both(g, a, b, y), tuple(b.shape))

    def _both(self, g, a, b, y):
        d = a - b
        return toward(g, d, y, self.p, None)


@public()
def dist(input, other, p=2):
    """The p-norm of input - other."""
    if dtype_of(input).kind in "bui" and dtype_of(other).kind in "bui":
        raise error("tensor-dtype", RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {type_word(input)} instead."),
            what="input", dtype=dtype_of(input), fn="dist()", must="floating point or complex numbers",
            fix="convert it first: {what}.float().")
    return Dist(float(p))(input, other)


class Cdist(Op):
    """Distances of all pairs of rows: y[..., i, j] is the p-norm of a[..., i, :] - b[..., j, :]."""

    p: float
    samples = [S((3, 2), (4, 2), params=(p,)) for p in (2, 1, inf, 3)] + [
        S((2, 3, 2), (2, 1, 2), params=(2,)), S((0, 2), (3, 2), params=(2,)), S((2, 0), (3, 0), params=(2,))]

    def forward(self, a, b):
        y = np.empty((*a.shape[:-1], b.shape[-2]), a.dtype)
        rows = max(1, (1 << 20) // max(1, b.size))  # of a at a time: differences take memory
        for i in range(0, a.shape[-2], rows):
            d = a[..., i:i + rows, None, :] - b[..., None, :, :]
            y[..., i:i + rows, :] = size_along(d, self.p, (d.ndim - 1,), False)
        return y

    def vjp_a(self, g, a, b, y):
        return m.sum(self._differences(g, a, b, y), -2)

    def vjp_b(self, g, a, b, y):
        return -m.sum(self._differences(g, a, b, y), -3)

    def _differences(self, g, a, b, y):
        d = m.unsqueeze(a, -2) - m.unsqueeze(b, -3)
        return toward(m.unsqueeze(g, -1), d, m.unsqueeze(y, -1), self.p, -1)

    def batch(self, size, dims, values):
        return self(*values)


class EuclideanDist(Cdist):
    """Distances of many rows, from products: |a - b|^2 = |a|^2 - 2 a b + |b|^2."""

    p: float = 2
    samples = [S((3, 2), (4, 2)), S((2, 3, 2), (2, 1, 2))]

    def forward(self, a, b):
        squares = (a * a).sum(-1, keepdims=True) + (b * b).sum(-1, keepdims=True).swapaxes(-1, -2)
        return np.sqrt(np.maximum(squares - 2 * np.matmul(a, b.swapaxes(-1, -2)), 0))

    def vjp_a(self, g, a, b, y):
        w = self._weights(g, y)
        return a * m.sum(w, -1, True) - m.matmul(w, b)

    def vjp_b(self, g, a, b, y):
        w = m.swap(self._weights(g, y))
        return b * m.sum(w, -1, True) - m.matmul(w, a)

    def _weights(self, g, y):
        return g / m.where(y == 0, inf, y)


_MODES = {None: None, "use_mm_for_euclid_dist_if_necessary": None, "use_mm_for_euclid_dist": True,
          "donot_use_mm_for_euclid_dist": False}


@public("torch")
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distance of each row of x1 to each row of x2.

    Shape: x1 (..., n, k), x2 (..., m, k) -> (..., n, m); leading dimensions broadcast.
    """
    if compute_mode not in _MODES:
        raise error("argument-choice", ValueError(f"{compute_mode} is not a valid value for compute_mode"),
                    what="compute_mode", value=compute_mode, choices=list(_MODES))
    _check_cdist(x1, x2, p)
    lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    a, b = m.expand_to(x1, (*lead, *x1.shape[-2:])), m.expand_to(x2, (*lead, *x2.shape[-2:]))
    products = _MODES[compute_mode]
    if p == 2 and x1.shape[-1] and (products or products is None and max(a.shape[-2], b.shape[-2]) > 25):
        return EuclideanDist(2.0)(a, b)
    return Cdist(float(p))(a, b)


def _check_cdist(x1, x2, p):
    for name, x in (("X1", x1), ("X2", x2)):
        if dtype_of(x).kind not in "fV":
            raise error("tensor-dtype", RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {type_word(x)}"), what=name.lower(),
                dtype=dtype_of(x), fn="cdist()", must="floating point numbers", fix="convert it first: {what}.float().")
        if len(x.shape) < 2:
            raise error("tensor-dims", RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {len(x.shape)}D"), what=name.lower(),
                shape=x.shape, need="at least {n}", n=2)
    if x1.shape[-1] != x2.shape[-1]:
        raise error("shapes-differ", RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"), what="x1",
            shape=x1.shape, other="x2", other_shape=x2.shape, must="the last dimensions must be equal")
    if dtype_of(x1) != dtype_of(x2):
        raise error("dtypes-differ", RuntimeError(
            f"expected scalar type {type_word(x1)} but found {type_word(x2)}"), what="x1", dtype=dtype_of(x1),
            other="x2", other_dtype=dtype_of(x2))
    if p < 0:
        raise error("argument-value", RuntimeError("cdist only supports non-negative p values"), what="p", value=p,
                    must="a number of at least {low}", low=0)


class Pdist(Op):
    """Distances of all pairs of different rows, in the order (0, 1), (0, 2), ..., (1, 2), ..."""

    p: float = 2
    samples = [S((4, 2)), S((3, 3), params=(1,)), S((3, 2), params=(inf,)), S((1, 2)), S((4, 3), params=(3,))]

    def forward(self, x):
        i, j = np.triu_indices(len(x), 1)
        return size_along(x[i] - x[j], self.p, (1,), False)

    def vjp_x(self, g, x, y):
        i, j = np.triu_indices(x.shape[0], 1)
        rows, shape = Index((0,)), tuple(x.shape)
        back = toward(m.unsqueeze(g, 1), rows(x, i) - rows(x, j), m.unsqueeze(y, 1), self.p, 1)
        return AddAt((0,), shape)(back, i) - AddAt((0,), shape)(back, j)


@public("nn.functional torch")
def pdist(input, p=2.0):
    """The p-norm distances of all pairs of rows: (n, k) -> (n (n - 1) / 2,)."""
    if input.ndim != 2:
        raise error("tensor-dims", RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D"), what="input",
                    shape=input.shape, need="{n}", n=2)
    if p < 0:
        raise error("argument-value", RuntimeError("pdist only supports non-negative p values"), what="p", value=p,
                    must="a number of at least {low}", low=0)
    return Pdist(float(p))(input)


@public(inplace=True)
def renorm(input, p, dim, maxnorm):
    """`input` with each of its slices along `dim` scaled down to a p-norm of at most `maxnorm`."""
    if p <= 0:
        raise error("argument-value", RuntimeError("renorm: non-positive-norm not supported"), what="p", value=p,
                    must="a positive number")
    if maxnorm < 0:
        raise error("argument-value", RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}"),
                    what="maxnorm", value=maxnorm, must="a number of at least {low}", low=0)
    if input.ndim < 2:
        raise error("tensor-dims", RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"), what="input", shape=input.shape,
            need="at least {n}", n=2)
    dim = one_dim(dim, input.ndim, "renorm")
    size = vector_norm(input, p, [d for d in range(input.ndim) if d != dim], True)
    return input * m.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


