"""A few singular values or eigenvectors of large matrices."""
from __future__ import annotations

from .. import dtypes
from ..diagnose import error
from ..dtypes import type_word
from ..op import dtype_of, m
from ..public import public
from .decompose import Cholesky, Eigh, H, Qr, SolveTriangular, Svd
from .random import randn


def _basis(A, q, niter, M):
    """Orthonormal columns that nearly span the range of A (Halko, Martinsson and Tropp 2009, algorithm 4.4)."""
    def apply(x):
        return A @ x - M @ x if M is not None else A @ x

    def back(x):
        return H(A) @ x - H(M) @ x if M is not None else H(A) @ x
    Q = _orthonormal(apply(randn(A.shape[-1], q, dtype=dtypes.of(dtype_of(A)))))
    for _ in range(niter):
        Q = _orthonormal(apply(_orthonormal(back(Q))))
    return Q


def _orthonormal(x):
    return Qr("reduced")(x)[0]


@public("torch")
def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V) with A - M nearly U @ diag(S) @ V^H, from random projections to q dimensions.

    Args:
        niter: how often the projection is refined.
        M: subtracted from A, by default nothing.
    """
    q = 6 if q is None else q
    M = None if M is None else m.expand_to(M, tuple(A.shape))
    wide = A.shape[-2] < A.shape[-1]
    if wide:
        A, M = H(A), None if M is None else H(M)
    Q = _basis(A, q, niter, M)
    small = H(Q) @ (A if M is None else A - M)
    U, S, Vh = Svd(False)(small)
    U, V = Q @ U, H(Vh)
    return (V, S, U) if wide else (U, S, V)


@public("torch")
def pca_lowrank(A, q=None, center=True, niter=2):
    """(U, S, V) of the columns of A without their means (if `center`): V has the principal directions."""
    if dtype_of(A).kind not in "fc":
        raise error("tensor-dtype", RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{type_word(A)}"), what="A", dtype=dtype_of(A), fn="pca_lowrank()",
            must="floating point or complex numbers",
                    fix="convert it first: {what}.float().")
    q = min(6, *A.shape[-2:]) if q is None else q
    if not 0 <= q <= min(A.shape[-2:]):
        raise error("argument-value", ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(A.shape[-2:])}"), what="q",
            value=q, must="a whole number between {low} and {high}", low=0, high=min(A.shape[-2:]))
    if niter < 0:
        raise error("argument-value", ValueError(f"niter(={niter}) must be non-negative integer"), what="niter",
                    value=niter, must="a whole number of at least {low}", low=0)
    return svd_lowrank(A - m.mean(A, -2, keepdim=True) if center else A, q, niter)


@public("torch")
def lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None,
           ortho_iparams=None, ortho_fparams=None, ortho_bparams=None):
    """The `k` largest (or smallest) eigenvalues and eigenvectors of A x = lambda B x, for symmetric matrices.

    Differs from PyTorch: all eigenvalues are computed at once, so nothing depends on a starting point.
    """
    k = k if k is not None else X.shape[-1] if X is not None else 1
    if A.shape[-1] < 3 * k:
        raise error("dimension-size", ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={A.shape[-1]}) is smaller than 3 x the "
            f"number of requested eigenpairs (={k})"), n=A.shape[-1], k=k, needed=3 * k,
            why="A has {n} rows, and for k={k} eigenpairs lobpcg() needs at least {needed}.",
            fix="use torch.linalg.eigh(A), or a smaller k.")
    if B is not None:  # B = L L^H: (L^-1 A L^-H) (L^H x) = lambda (L^H x)
        L = Cholesky()(B)
        A = SolveTriangular(False)(L, H(SolveTriangular(False)(L, A)))
    values, vectors = Eigh(False)(A)
    n = A.shape[-1]
    which = range(n - 1, n - k - 1, -1) if largest is not False else range(k)
    values, vectors = [m.stack([m.select(v, -1, i) for i in which], -1) for v in (values, vectors)]
    return values, SolveTriangular(True)(H(L), vectors) if B is not None else vectors
