"""The pseudoinverse, the rank, and least squares: matrices whose singular values may be zero."""
from __future__ import annotations

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..return_types import return_type
from ..tensor import Tensor, wrap
from ..testing.samples import S
from .decompose import Eigh, H, Svdvals, lapack


def _tolerances(A, atol, rtol):
    """(atol, rtol) as numbers or as tensors of the batch's shape; PyTorch's default is eps times the larger size."""
    if rtol is None:
        none = atol is None or not isinstance(atol, Tensor) and not atol
        eps = float(np.finfo(dtype_of(A)).eps) * max(A.shape[-2:])
        rtol = eps if none else m.where(atol > 0, 0.0, eps) if isinstance(atol, Tensor) else 0.0
    return 0.0 if atol is None else atol, rtol


def _plain(tolerance):
    """A tolerance as an array that is compared with the singular values of each matrix."""
    if modes.trace is not None and isinstance(tolerance, Tensor):
        modes.trace.looked("a tolerance")
    return np.asarray(tolerance._data if isinstance(tolerance, Tensor) else tolerance, np.float64)[..., None]


class Pinv(Op):
    """The Moore-Penrose inverse (Golub and Pereyra 1973 for the derivative).

    Singular values that are not above max(atol, rtol times the largest) count as zero. `hermitian`: only the
    lower triangle of x is looked at.
    """

    hermitian: bool = False
    grad_name = "LinalgPinvBackward0"
    samples = [S((3, 2), np.zeros(1), np.full(1, 1e-12)), S((2, 3), np.zeros(1), np.full(1, 1e-12))]

    def forward(self, x, atol, rtol):
        if self.hermitian:
            below = np.tril(x, -1)
            diagonal = np.real(np.diagonal(x, 0, -2, -1))[..., None] * np.eye(x.shape[-1], dtype=x.dtype)
            x = below + np.conj(np.swapaxes(below, -1, -2)) + diagonal
        u, s, vh = lapack("svd", "singular values", np.linalg.svd, x, False)
        keep = s > np.maximum(atol, rtol * s.max(-1, keepdims=True, initial=0))
        back = np.where(keep, 1 / np.where(keep, s, 1), 0).astype(s.dtype)
        return np.matmul(np.conj(np.swapaxes(vh, -1, -2)) * back[..., None, :], np.conj(np.swapaxes(u, -1, -2)))

    def vjp_x(self, g, x, y):
        ph, gh = H(y), H(g)
        if x.shape[-2] <= x.shape[-1]:
            k = gh @ y
            return -H(y @ k) + k @ ph - (x @ y) @ (k @ ph) + (ph @ y) @ (gh - k @ x)
        k = y @ gh
        return -H(k @ y) + (gh - x @ k) @ y @ ph + ph @ k - (ph @ k @ y) @ x

    def batch(self, size, batched, values):
        return self(*values)


@public("linalg", name="pinv")
def pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None):
    """The Moore-Penrose inverse: X with A X A = A and X A X = X, A X and X A Hermitian.

    Args:
        atol, rtol: singular values not above max(atol, rtol times the largest) count as zero; numbers or tensors.
        rcond: another name of `rtol`.
        hermitian: A is Hermitian; only its lower triangle is looked at.

    >>> kobai.linalg.pinv(kobai.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    if 0 in A.shape[-2:]:
        return m.transpose(A, -2, -1) * 1
    atol, rtol = _tolerances(A, atol, rtol if rcond is None else rcond)
    return Pinv(bool(hermitian))(A, _plain(atol), _plain(rtol))


@public("torch Tensor")
def pinverse(input, rcond=1e-15):
    """The Moore-Penrose inverse: the older name of `linalg.pinv`."""
    return pinv(input, rcond)


@public("linalg")
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None):
    """The number of singular values above max(atol, rtol times the largest), or above `tol`.

    >>> kobai.linalg.matrix_rank(kobai.tensor([[1., 2.], [2., 4.]]))
    tensor(1)
    """
    s = m.abs(Eigh(False)(A)[0]) if hermitian else Svdvals()(A)
    if 0 in A.shape[-2:]:
        return m.sum(m.cast(s, np.dtype(np.int64)), -1)
    if tol is not None:
        return m.sum(m.gt(s, _per_matrix(tol)), -1)
    atol, rtol = _tolerances(A, atol, rtol)
    top = m.amax(s, -1, keepdim=True) * _per_matrix(rtol)
    return m.sum(m.gt(s, m.maximum(top, m.zeros_like(top) + _per_matrix(atol))), -1)


def _per_matrix(tolerance):
    return m.unsqueeze(tolerance, -1) if isinstance(tolerance, Tensor) else tolerance


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@public("linalg", name="lstsq")
def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular_values) of the least-squares problem A @ X = B.

    Args: `driver`, LAPACK's routine in PyTorch; here it says what is returned beside the solution, as there:
    the sums of squares of what is left (not by "gelsy", the default), rank (not by "gels"), singular values
    (by "gelsd" and "gelss").

    Shape: A (..., m, n), B (..., m, k) or (..., m) -> (..., n, k) or (..., n).
    """
    if len(A.shape) < 2:
        raise error("tensor-dims", RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions."), what="A",
                    shape=tuple(A.shape), need="at least {n}", n=2)
    if driver not in (None, *_DRIVERS):
        raise error("argument-choice", RuntimeError(
                    f"torch.linalg.lstsq: parameter `driver` should be one of ({', '.join(_DRIVERS)})"), what="driver",
                    value=driver, choices=list(_DRIVERS))
    vector = len(B.shape) == 1 or len(A.shape) - 1 == len(B.shape) and tuple(B.shape) == tuple(A.shape[:-1])
    right = m.unsqueeze(B, -1) if vector else B
    if A.shape[-2] != right.shape[-2]:
        raise error("shapes-differ", RuntimeError(
                    f"torch.linalg.lstsq: input.size({-2}) should match other.size({-1 if vector else -2})"), what="A",
                    shape=tuple(A.shape), other="B", other_shape=tuple(B.shape), must="B needs as many rows as A")
    driver = driver or "gelsy"
    X = pinv(A, rtol=rcond if rcond is not None and rcond > 0 else None) @ right
    d = right - A @ X
    residuals = m.sum(m.real(d * m.conj(d)) if dtype_of(d).kind == "c" else d * d, -2)
    rank = _detached(matrix_rank(A, rtol=rcond if rcond is not None and rcond > 0 else None))
    full = not isinstance(rank, Tensor) or bool((rank == A.shape[-1]).all())
    if A.shape[-2] <= A.shape[-1] or driver == "gelsy" or not full:
        residuals = m.narrow(m.reshape(residuals, (-1,)), 0, 0, 0)
    s = Svdvals()(A) if driver in ("gelss", "gelsd") else wrap(np.empty(0, np.float32 if dtype_of(residuals).itemsize == 4
                                                                        else np.float64))
    kind = return_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
    return kind(m.squeeze(X, -1) if vector else X, residuals, rank if driver != "gels" else wrap(np.empty(0, np.int64)),
                _detached(s))


def _detached(x):
    return x.detach() if isinstance(x, Tensor) else x
