"""LU factorisation with partial pivoting, A = P L U, and what is solved with it.

Gradients as in S. F. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions (2010),
extended to rectangular matrices here: the columns (rows) beyond the square part follow from A2 = L U2.
"""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..inplace import into
from ..op import Op, dtype_of, m
from ..public import export, public
from ..return_types import return_type
from ..tensor import Tensor
from ..testing.samples import S
from .creation import empty
from .decompose import H, SolveTriangular
from .lapack import each, lapack
from .reduce import not_implemented

_SHAPES = ((3, 3), (2, 4), (4, 2), (2, 3, 3), (1, 1))


def _factor(x):
    """(LU in one array, pivots counted from 1, info) of a batch of matrices."""
    rows, columns = x.shape[-2:]
    k = min(rows, columns)
    if x.size == 0:
        return x.copy(), np.empty((*x.shape[:-2], k), np.int32), np.zeros(x.shape[:-2], np.int32)
    getrf = lapack("getrf", x)

    def one(a):
        lu, pivots, info = getrf(a)
        return np.ascontiguousarray(lu), (pivots + 1).astype(np.int32), np.int32(info)
    return each(one, x)


def permutation(pivots, rows):
    """For each row of the product P^T A, which row of A it is: `pivots` as a sequence of exchanges."""
    order = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    if not pivots.size:
        return order
    flat, swaps = order.reshape(-1, rows), pivots.reshape(-1, pivots.shape[-1]) - 1
    for one, exchanges in zip(flat, swaps):
        for i, j in enumerate(exchanges):
            one[i], one[j] = one[j], one[i]
    return order


class PermutationMatrix(Op):
    """The matrix P of A = P L U, from pivots, for matrices of so many rows; numbers of type `dtype`."""

    rows: int
    dtype: object
    samples = [S(np.array([2, 3, 3], np.int32), params=(3, np.dtype(np.float64)), smooth=False)]

    def forward(self, pivots):
        return np.swapaxes(np.eye(self.rows, dtype=self.dtype)[permutation(pivots, self.rows)], -1, -2)


def _lower(x, rows, k):
    return m.tril(m.narrow(x, -1, 0, k), -1) + np.eye(rows, k, dtype=dtype_of(x))


def _upper(x, k):
    return m.triu(m.narrow(x, -2, 0, k))


def _gradient(g_l, g_u, p, lower, upper):
    """The gradient of A = p @ lower @ upper from those of the factors."""
    rows, columns = lower.shape[-2], upper.shape[-1]
    k = min(rows, columns)
    l1, u1 = m.narrow(lower, -2, 0, k), m.narrow(upper, -1, 0, k)
    gl1, gu1 = m.narrow(g_l, -2, 0, k), m.narrow(g_u, -1, 0, k)
    beyond = None
    if columns > k:  # U2 = L^-1 A2
        u2 = m.narrow(upper, -1, k, columns - k)
        beyond = SolveTriangular(True, True)(H(l1), m.narrow(g_u, -1, k, columns - k))
        gl1 = gl1 - beyond @ H(u2)
    if rows > k:  # L2 = A2 U^-1
        l2 = m.narrow(lower, -2, k, rows - k)
        beyond = _over(m.narrow(g_l, -2, k, rows - k), u1)
        gu1 = gu1 - H(l2) @ beyond
    inner = m.tril(H(l1) @ gl1, -1) + m.triu(gu1 @ H(u1))
    g = _over(SolveTriangular(True, True)(H(l1), inner), u1)
    if beyond is not None:
        g = m.cat([g, beyond], -1 if columns > k else -2)
    return m.matmul(p, g)


def _over(x, u):
    """x @ inverse(u)^H for upper triangular u."""
    return H(SolveTriangular(True)(u, H(x)))


class LuFactor(Op):
    """L and U in one matrix (the ones on L's diagonal are not kept), the pivots, and info: which pivot is zero."""

    outputs = "many"
    grad_name = "LinalgLuFactorExBackward0"
    samples = [S(s) for s in _SHAPES]

    def forward(self, x):
        return _factor(x)

    def vjp_x(self, g, x_shape, y):
        rows, columns = x_shape[-2:]
        k = min(rows, columns)
        g_l, g_u = m.tril(m.narrow(g[0], -1, 0, k), -1), m.triu(m.narrow(g[0], -2, 0, k))
        p = PermutationMatrix(rows, dtype_of(y[0]))(y[1])
        return _gradient(g_l, g_u, p, _lower(y[0], rows, k), _upper(y[0], k))

    def batch(self, size, batched, values):
        return self(*values)


class Lu(Op):
    """P, L and U with x = P @ L @ U."""

    outputs = "many"
    grad_name = "LinalgLuBackward0"
    samples = [S(s) for s in _SHAPES]

    def forward(self, x):
        rows, columns = x.shape[-2:]
        lu, pivots, _ = _factor(x)
        k = min(rows, columns)
        return PermutationMatrix(rows, x.dtype).forward(pivots), _lower(lu, rows, k), _upper(lu, k)

    def vjp_x(self, g, y):
        return _gradient(g[1], g[2], *y)

    def batch(self, size, batched, values):
        return self(*values)


# ---- torch.linalg ----------------------------------------------------------------------------
def _check(A, name, pivot=True):
    if len(A.shape) < 2:
        raise error("tensor-dims", RuntimeError(
            f"torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead"), what="A",
            shape=A.shape, need="at least {n}", n=2)
    if dtype_of(A).kind not in "fc":
        raise not_implemented("lu_cpu", A)
    if not pivot:
        raise error("not-defined", RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU"),
                    why="pivot=False works only on graphics cards in PyTorch, too.", fix="leave out pivot=False.")


def _refuse_zero(info, name):
    bad = np.flatnonzero(np.asarray(getattr(info, "_data", 0)))
    if bad.size:
        where = f"(Batch element {bad[0]}): " if info.ndim else ""
        i = np.asarray(info._data).reshape(-1)[bad[0]]
        raise error("matrix-singular", RuntimeError(
            f"torch.{name}: {where}U[{i},{i}] is zero and using it on lu_solve would result in a division by zero. If "
            "you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"))


@public("linalg", name="lu")
def lu(A, *, pivot=True):
    """(P, L, U): permutation, lower triangular with ones on the diagonal, upper triangular; A = P @ L @ U.

    >>> P, L, U = kobai.linalg.lu(kobai.tensor([[1., 2.], [4., 5.]]))
    >>> P @ L @ U
    tensor([[1., 2.],
            [4., 5.]])
    """
    _check(A, "linalg.lu_factor", pivot)
    p, lower, upper = Lu()(A)
    p = p.detach() if isinstance(p, Tensor) else p  # it does not vary
    return return_type("linalg_lu", "P", "L", "U")((p, lower, upper))


@public("linalg")
def lu_factor(A, *, pivot=True):
    """(LU, pivots): both factors in one matrix, and which rows were exchanged; for `lu_solve`."""
    _check(A, "linalg.lu_factor", pivot)
    y = LuFactor()(A)
    _refuse_zero(y[2], "linalg.lu_factor")
    return return_type("linalg_lu_factor", "LU", "pivots")(y[:2])


@public("linalg")
def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """(LU, pivots, info): as `lu_factor`; info is the number of the first pivot that is zero, 0 if there is none."""
    _check(A, "linalg.lu_factor", pivot)
    y = LuFactor()(A)
    if check_errors:
        _refuse_zero(y[2], "linalg.lu_factor_ex")
    return return_type("linalg_lu_factor_ex", "LU", "pivots", "info")(y)


def _old_lu(A, pivot=True, get_infos=False, out=None):
    """(LU, pivots), and info if asked for."""
    _check(A, "linalg.lu_factor", pivot)
    y = LuFactor()(A)
    y = return_type("_lu_with_info", "LU", "pivots", "info")(y) if get_infos else tuple(y[:2])
    return y if out is None else into(out, y)


_old_lu.__name__ = _old_lu.__qualname__ = "lu"
export("torch Tensor", "lu", _old_lu)


@public("torch")
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """(P, L, U) from the results of `lu_factor`."""
    rows, columns = LU_data.shape[-2:]
    k, nothing = min(rows, columns), empty((0,), dtype=getattr(LU_data, "dtype", None))
    p, lower, upper = nothing, nothing, nothing
    if unpack_pivots:
        p = PermutationMatrix(rows, dtype_of(LU_data))(LU_pivots)
    if unpack_data:
        lower, upper = _lower(LU_data, rows, k), _upper(LU_data, k)
    return return_type("lu_unpack", "P", "L", "U")((p, lower, upper))


@public("linalg", name="lu_solve")
def lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """X with A @ X = B (X @ A = B where not `left`), from `lu_factor(A)`; `adjoint`: with A's conjugate transpose."""
    if not left:  # X A = B is A^H X^H = B^H
        return H(lu_solve(LU, pivots, H(B), adjoint=not adjoint))
    n = LU.shape[-1]
    p = PermutationMatrix(n, dtype_of(LU))(pivots)
    lead = tuple(np.broadcast_shapes(tuple(LU.shape[:-2]), tuple(B.shape[:-2])))
    LU, B = [m.expand_to(v, (*lead, *v.shape[-2:])) for v in (LU, B)]
    if adjoint:
        return m.matmul(p, SolveTriangular(True, True)(H(LU), SolveTriangular(False)(H(LU), B)))
    return SolveTriangular(True)(LU, SolveTriangular(False, True)(LU, m.matmul(m.transpose(p, -2, -1), B)))


@public("torch Tensor", name="lu_solve")
def old_lu_solve(b, LU_data, LU_pivots):
    """X with A @ X = b, from `lu_factor(A)`."""
    return lu_solve(LU_data, LU_pivots, b)


# ---- L D L^H ---------------------------------------------------------------------------------
def _ldl(x, hermitian):
    """(LD, pivots, info): the factors of symmetric or Hermitian matrices, as LAPACK keeps them."""
    if x.size == 0:
        return x.copy(), np.empty(x.shape[:-1], np.int32), np.zeros(x.shape[:-2], np.int32)
    sytrf = lapack("hetrf" if hermitian and x.dtype.kind == "c" else "sytrf", x)

    def one(a):
        ld, pivots, info = sytrf(a, lower=True)
        return np.tril(ld), pivots.astype(np.int32), np.int32(info)
    return each(one, x)


class LdlFactor(Op):
    """The factors L and D of symmetric (or, if `hermitian`, Hermitian) matrices in one array; pivots; info."""

    hermitian: bool = False
    outputs = "many"
    samples = [S((3, 3), smooth=False), S((2, 2, 2), smooth=False)]

    def forward(self, x):
        return _ldl(x, self.hermitian)

    def batch(self, size, batched, values):
        return self(*values)


class LdlSolve(Op):
    """X with A @ X = b, from the results of LdlFactor."""

    hermitian: bool = False
    samples = [S(np.array([[2.0, 0], [0.5, 1]]), np.array([1, 2], np.int32), (2, 1), smooth=False)]

    def forward(self, ld, pivots, b):
        lead = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
        ld, b = [np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in (ld, b)]
        pivots = np.broadcast_to(pivots, (*lead, pivots.shape[-1]))
        if b.size == 0:
            return b.copy()
        sytrs = lapack("hetrs" if self.hermitian and ld.dtype.kind == "c" else "sytrs", ld)

        def one(a, i, c):
            return (np.ascontiguousarray(sytrs(a, i, c, lower=True)[0]),)
        return each(one, ld, pivots, b)[0]


def _check_ldl(A, name):
    if len(A.shape) < 2:
        raise error("tensor-dims", RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions."),
                    what="A",
                    shape=A.shape, need="at least {n}", n=2)
    if A.shape[-1] != A.shape[-2]:
        raise error("not-square", function=name, rows=A.shape[-2], cols=A.shape[-1])


@public("linalg")
def ldl_factor(A, *, hermitian=False):
    """(LD, pivots) of symmetric or Hermitian matrices, which need not be positive definite."""
    _check_ldl(A, "torch.linalg.ldl_factor_ex")
    return return_type("linalg_ldl_factor", "LD", "pivots")(LdlFactor(bool(hermitian))(A)[:2])


@public("linalg")
def ldl_factor_ex(A, *, hermitian=False, check_errors=False):
    """(LD, pivots, info): as `ldl_factor`; info tells of zeros in D."""
    _check_ldl(A, "torch.linalg.ldl_factor_ex")
    return return_type("linalg_ldl_factor_ex", "LD", "pivots", "info")(LdlFactor(bool(hermitian))(A))


@public("linalg")
def ldl_solve(LD, pivots, B, *, hermitian=False):
    """X with A @ X = B, from `ldl_factor(A)`."""
    return LdlSolve(bool(hermitian))(LD, pivots, B)
