"""The functions of torch.linalg that solve, invert and decompose, and their older names under torch."""
from __future__ import annotations

import math

import numpy as np

from ..autograd.node import shown_edge
from ..diagnose.errors import error
from ..dtypes import type_word
from ..inplace import into
from ..op import Op, dtype_of, m
from ..public import export, public
from ..return_types import return_type
from ..testing.samples import S
from .decompose import (
    Cholesky,
    CholeskyInverse,
    CholeskySolve,
    Det,
    Eig,
    Eigh,
    H as dagger,
    Inv,
    Qr,
    Slogdet,
    Solve,
    SolveTriangular,
    Svd,
    Svdvals,
)
from .labels import shown_as
from .movement import UnsafeView


def _square(x, name):
    if len(x.shape) < 2:
        raise error("tensor-dims", RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions."),
                    what="A", shape=x.shape, need="at least {n}", n=2)
    if x.shape[-1] != x.shape[-2]:
        raise error("not-square", function=name, rows=x.shape[-2], cols=x.shape[-1])
    _floating(x, name)


def _floating(x, name):
    if dtype_of(x).kind not in "fc":
        raise error("tensor-dtype", RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {type_word(x)}"), what="A",
            dtype=dtype_of(x), fn=name, must="floating point or complex numbers",
            fix="convert it first: {what}.float().")


def _matrix(x, name):
    if len(x.shape) < 2:
        raise error("tensor-dims", RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions."), what="A",
                    shape=tuple(x.shape), need="at least {n}", n=2)
    _floating(x, name)


@public("linalg torch Tensor", alias=("inverse",))
def inv(A):
    """The inverse of square matrices. Shape: (..., n, n) -> (..., n, n).

    >>> kobai.linalg.inv(kobai.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    _square(A, "linalg.inv")
    return Inv()(A)


@public("linalg torch", name="det")
def det(A):
    """The determinant of square matrices. Shape: (..., n, n) -> (...).

    >>> kobai.linalg.det(kobai.tensor([[1., 2.], [3., 4.]]))
    tensor(-2.)
    """
    _square(A, "linalg.det")
    return Det()(A)


export("Tensor", "det", det)


@public("linalg", name="slogdet")
def slogdet(A):
    """(sign, logabsdet) of the determinant.

    >>> kobai.linalg.slogdet(kobai.tensor([[1., 2.], [3., 4.]])).logabsdet
    tensor(0.6931)
    """
    _square(A, "linalg.slogdet")
    return return_type("linalg_slogdet", "sign", "logabsdet")(Slogdet()(A))


@public("torch Tensor", name="slogdet")
def _old_slogdet(input):
    """(sign, logabsdet) of the determinant."""
    _square(input, "slogdet")
    return return_type("slogdet", "sign", "logabsdet")(Slogdet()(input))


@public("torch Tensor")
def logdet(input):
    """Logarithm of the determinant; NaN where that is negative."""
    _square(input, "logdet")
    sign, log = Slogdet()(input)
    if dtype_of(input).kind == "c":
        return log + m.log(sign)
    return m.where(m.lt(sign, 0), m.zeros_like(log) + float("nan"), log)


def _as_matrix_of(A, B):
    """B as matrices, and whether it was vectors (PyTorch's rule)."""
    vector = len(B.shape) == 1 or len(A.shape) - 1 == len(B.shape) and tuple(B.shape) == tuple(A.shape[:-1])
    return (m.unsqueeze(B, -1), True) if vector else (B, False)


def _broadcast(A, B):
    lead = tuple(np.broadcast_shapes(tuple(A.shape[:-2]), tuple(B.shape[:-2])))
    return m.expand_to(A, (*lead, *A.shape[-2:])), m.expand_to(B, (*lead, *B.shape[-2:]))


@public("linalg", name="solve")
def solve(A, B, *, left=True):
    """X with A @ X = B (or X @ A = B where not `left`). Shape: A (..., n, n), B (..., n) or (..., n, k).

    >>> kobai.linalg.solve(kobai.tensor([[2., 0.], [0., 4.]]), kobai.tensor([2., 2.]))
    tensor([1.0000, 0.5000])
    """
    _square(A, "linalg.solve")
    B, vector = _as_matrix_of(A, B)
    if not left:
        return dagger_free(solve(m.transpose(A, -2, -1), m.transpose(B, -2, -1)))
    if A.shape[-1] != B.shape[-2]:
        raise error("shapes-differ", RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation AX = B ({A.shape[-2]}x{A.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"), what="A", shape=A.shape, other="B", other_shape=B.shape,
            must="B needs as many rows as A")
    X = Solve()(*_broadcast(A, B))
    return shown_as(UnsafeView(tuple(X.shape[:-1])), "LinalgSolveExBackward0", _of_vectors)(X) if vector else X


def _of_vectors(node):
    """The steps behind a solution that is a vector are those behind the matrix of one column."""
    a, b = shown_edge(node.edges[0])[0].next_functions
    return a, b if b[0] is None else b[0].next_functions[0]


def dagger_free(x):
    """The plain transpose."""
    return m.transpose(x, -2, -1)


@public("linalg")
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A @ X = B for triangular A."""
    if not left:
        X = solve_triangular(m.transpose(A, -2, -1), m.transpose(B, -2, -1), upper=not upper,
                             unitriangular=unitriangular)
        return m.transpose(X, -2, -1)
    return SolveTriangular(bool(upper), bool(unitriangular))(*_broadcast(A, B))


@public("torch Tensor")
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):
    """(solution, cloned_coefficient) of A @ X = input for triangular A."""
    left = dagger_free(A) if transpose else A
    X = solve_triangular(left, input, upper=upper != transpose, unitriangular=unitriangular)
    return return_type("triangular_solve", "solution", "cloned_coefficient")(X, m.clone(A))


@public("linalg", name="cholesky")
def cholesky(A, *, upper=False):
    """Lower triangular L with L @ L^H = A, or its conjugate transpose where `upper`.

    >>> kobai.linalg.cholesky(kobai.tensor([[4., 2.], [2., 2.]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    _square(A, "linalg.cholesky")
    L = Cholesky()(A)
    return dagger(L) if upper else L


def _old_cholesky(input, upper=False, *, out=None):
    """Lower triangular L with L @ L^H = input."""
    y = cholesky(input, upper=upper)
    return y if out is None else into(out, y)


export("torch Tensor", "cholesky", _old_cholesky)


@public("torch Tensor")
def cholesky_solve(input, L, upper=False):
    """X with A @ X = input, from the Cholesky factor of A."""
    return CholeskySolve(bool(upper))(*_broadcast(input, L))


@public("torch Tensor")
def cholesky_inverse(input, upper=False):
    """The inverse of A from its Cholesky factor."""
    return CholeskyInverse(bool(upper))(input)


@public("linalg", name="eigh")
def eigh(A, UPLO="L"):
    """(eigenvalues, eigenvectors) of symmetric or Hermitian matrices, ascending."""
    _square(A, "linalg.eigh")
    return return_type("linalg_eigh", "eigenvalues", "eigenvectors")(Eigh(UPLO.upper() == "U")(A))


@public("linalg")
def eigvalsh(A, UPLO="L"):
    """Eigenvalues of symmetric or Hermitian matrices, ascending.

    >>> kobai.linalg.eigvalsh(kobai.tensor([[2., 0.], [0., 3.]]))
    tensor([2., 3.])
    """
    _square(A, "linalg.eigvalsh")
    return Eigh(UPLO.upper() == "U")(A)[0]


@public("linalg", name="eig")
def eig(A):
    """(eigenvalues, eigenvectors) of square matrices; complex."""
    _square(A, "linalg.eig")
    return return_type("linalg_eig", "eigenvalues", "eigenvectors")(Eig()(A))


@public("linalg")
def eigvals(A):
    """Eigenvalues of square matrices; complex."""
    _square(A, "linalg.eigvals")
    return Eig()(A)[0]


@public("linalg", name="svd")
def svd(A, full_matrices=True, *, driver=None):
    """(U, S, Vh) with A = U @ diag(S) @ Vh."""
    _matrix(A, "linalg.svd")
    return return_type("linalg_svd", "U", "S", "Vh")(Svd(bool(full_matrices))(A))


def _old_svd(input, some=True, compute_uv=True, *, out=None):
    """(U, S, V) with input = U @ diag(S) @ V^H."""
    kind = return_type("svd", "U", "S", "V")
    if not compute_uv:
        rows, columns = input.shape[-2:]
        zeros = [m.zeros_like(m.expand_to(m.sum(input, (-2, -1), keepdim=True), (*input.shape[:-2], n, n)))
                 for n in (rows, columns)]
        y = kind(zeros[0], Svdvals()(input), zeros[1])
    else:
        u, s, vh = Svd(not some)(input)
        y = kind(u, s, dagger(vh))
    return y if out is None else into(out, y)


export("torch Tensor", "svd", _old_svd)


@public("linalg")
def svdvals(A, *, driver=None):
    """The singular values, descending.

    >>> kobai.linalg.svdvals(kobai.tensor([[2., 0.], [0., 3.]]))
    tensor([3., 2.])
    """
    _matrix(A, "linalg.svd")
    return Svdvals()(A)


@public("linalg", name="qr")
def qr(A, mode="reduced"):
    """(Q, R) with A = Q @ R."""
    if mode not in ("reduced", "complete", "r"):
        raise error("argument-choice", RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"),
            what="mode", value=mode, choices=["reduced", "complete", "r"])
    return return_type("linalg_qr", "Q", "R")(Qr(mode)(A))


def _old_qr(input, some=True, *, out=None):
    """(Q, R) with input = Q @ R."""
    y = return_type("qr", "Q", "R")(Qr("reduced" if some else "complete")(input))
    return y if out is None else into(out, y)


export("torch Tensor", "qr", _old_qr)


# ---- made of these ---------------------------------------------------------------------------
@public("linalg torch Tensor", name="matrix_power")
def matrix_power(A, n):
    """A multiplied with itself n times; n < 0 inverts.

    >>> kobai.linalg.matrix_power(kobai.tensor([[1., 1.], [0., 1.]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    _square(A, "linalg.matrix_power")
    if n < 0:
        return matrix_power(inv(A), -n)
    if n == 0:
        return A * 0 + _identity(A)
    result, power = None, A
    while n:
        if n & 1:
            result = power if result is None else result @ power
        n >>= 1
        if n:
            power = power @ power
    return result


def _identity(A):
    return np.eye(A.shape[-1], dtype=dtype_of(A))


@public("linalg torch Tensor", name="matrix_exp")
def matrix_exp(A):
    """The matrix exponential."""
    _square(A, "linalg.matrix_exp")
    return MatrixExp()(A)


class MatrixExp(Op):
    """exp(x) of square matrices; the derivative by exp of a block matrix (Mathias 1996)."""

    grad_name = "LinalgMatrixExpBackward0"
    samples = [S((2, 2)), S((2, 3, 3))]

    def forward(self, x):
        if not x.size:
            return x.copy()
        try:
            from scipy.linalg import expm  # noqa: PLC0415  (optional, and slow to import)
        except ImportError:
            raise error("machine", ModuleNotFoundError("matrix_exp: the exponential of a matrix needs SciPy"),
                        fn="matrix_exp", why="{fn} needs SciPy, which is not installed.",
                        fix="install it: pip install scipy.") from None
        return expm(x).astype(x.dtype)

    def vjp_x(self, g, x):
        n = x.shape[-1]
        back = dagger(x)
        top = m.cat([back, g], -1)
        bottom = m.cat([m.zeros_like(back), back], -1)
        y = MatrixExp()(m.cat([top, bottom], -2))
        return m.narrow(m.narrow(y, -2, 0, n), -1, n, n)

    def batch(self, size, batched, values):
        return self(*values)


@public("linalg")
def multi_dot(tensors):
    """The product of several matrices, in the order that needs the fewest multiplications.

    >>> kobai.linalg.multi_dot([kobai.ones(2, 3), kobai.ones(3, 4), kobai.ones(4, 1)]).shape
    torch.Size([2, 1])
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise error("argument-count", RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}"),
                    what="tensors", count=len(tensors), need="at least {n}", n=2)
    first, last = len(tensors[0].shape) == 1, len(tensors[-1].shape) == 1
    if first:
        tensors[0] = m.unsqueeze(tensors[0], 0)
    if last:
        tensors[-1] = m.unsqueeze(tensors[-1], -1)
    y = _in_order(tensors, *_best_order([t.shape[0] for t in tensors] + [tensors[-1].shape[1]]))
    if first:
        y = m.squeeze(y, 0)
    return m.squeeze(y, -1) if last else y


@public("torch")
def chain_matmul(*matrices):
    """The product of one or several matrices: the older name of `linalg.multi_dot`."""
    return multi_dot(matrices) if len(matrices) > 1 else matrices[0]


def _best_order(sizes):
    """Where to split each run of factors (dynamic programming), and the whole run."""
    n = len(sizes) - 1
    cost, split = [[0] * n for _ in range(n)], {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i, j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
    return split, 0, n - 1


def _in_order(tensors, split, i, j):
    if i == j:
        return tensors[i]
    k = split[i, j]
    return m.matmul(_in_order(tensors, split, i, k), _in_order(tensors, split, k + 1, j))


@public("linalg", name="vander")
def vander(x, *, N=None):
    """Rows 1, x, x^2, ... of each element of x."""
    x = x if len(x.shape) else m.reshape(x, (1,))
    n = x.shape[-1] if N is None else N
    return m.stack([x ** k if k else m.zeros_like(x) + 1 for k in range(n)], -1)


@public("linalg", name="vecdot")
def vecdot(x, y, *, dim=-1):
    """Sum of conj(x) * y over `dim`."""
    return m.sum(m.conj(x) * y, dim)


@public("linalg")
def tensorinv(A, ind=2):
    """The inverse of A as a linear map from its last dimensions to its first `ind`."""
    rows = math.prod(A.shape[:ind])
    y = inv(m.reshape(A, (rows, -1)))
    return m.reshape(y, (*A.shape[ind:], *A.shape[:ind]))


@public("linalg")
def tensorsolve(A, B, dims=None):
    """X with tensordot(A, X, X.ndim) = B."""
    if dims is not None:
        A = m.movedim(A, tuple(dims), tuple(range(len(A.shape) - len(dims), len(A.shape))))
    rest = tuple(A.shape[len(B.shape):])
    X = solve(m.reshape(A, (math.prod(B.shape), -1)), m.reshape(B, (-1,)))
    return m.reshape(X, rest)
