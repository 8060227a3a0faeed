"""Solving, inverses, determinants and decompositions of matrices, with gradients.

Formulas: M. Giles, Collected matrix derivative results (2008); for complex and rectangular cases as
derived there, with the gradient convention of ops/complex.py. H(x) is the conjugate transpose.
"""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..testing.samples import S
from .linear import dagger as H


class LinAlgError(RuntimeError):
    """A matrix that cannot be factorised or inverted."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"  # as tracebacks and type(e).__name__ show it
LinAlgError.__module__ = "torch._C"


def _eye(n, like):
    return np.eye(n, dtype=dtype_of(like))


def diagonal_matrix(v):
    """A matrix with the vector v on its diagonal."""
    return m.unsqueeze(v, -1) * _eye(v.shape[-1], v)


def _zero_pivot(x):
    """PyTorch's word for the first singular matrix of a batch, and where elimination finds a zero, from 1."""
    for i, a in enumerate(x.reshape(-1, *x.shape[-2:])):
        k = first_zero_pivot(a)
        if k:
            return f"(Batch element {i}): " if x.ndim > 2 else "", k
    return "", x.shape[-1]


def first_zero_pivot(a):
    """Where elimination finds a zero in a matrix, from 1; 0 if it finds none."""
    a = a.copy()
    for k in range(len(a)):
        p = k + int(np.abs(a[k:, k]).argmax())
        if a[p, k] == 0:
            return k + 1
        a[[k, p]] = a[[p, k]]
        a[k + 1:] -= np.outer(a[k + 1:, k] / a[k, k], a[k])
    return 0


class Inv(Op):
    """The inverse of square matrices."""

    grad_name = "LinalgInvExBackward0"
    samples = [S((3, 3), low=0.5, high=2), S((2, 2, 2), low=0.2, high=3), S((0, 0))]

    def forward(self, x):
        try:
            return np.linalg.inv(x)
        except np.linalg.LinAlgError:
            pass
        where, k = _zero_pivot(x)
        raise error("matrix-singular", LinAlgError(
            f"linalg.inv: {where}The diagonal element {k} is zero, the inversion could not be completed because the "
            "input matrix is singular."))

    def vjp_x(self, g, y):
        return -(H(y) @ g @ H(y))

    def batch(self, size, batched, values):
        return self(*values)


class Solve(Op):
    """X with a @ X = b, for square a and matrices b, over equal leading dimensions."""

    grad_name = "LinalgSolveExBackward0"
    samples = [S((3, 3), (3, 2), low=0.5, high=2), S((2, 2, 2), (2, 2, 1), low=0.2, high=3)]

    def forward(self, a, b):
        try:
            return np.linalg.solve(a, b)
        except np.linalg.LinAlgError:
            pass
        raise error("matrix-singular", LinAlgError(
            f"torch.linalg.solve: {_zero_pivot(a)[0]}The solver failed because the input matrix is singular."))

    def vjp_a(self, g, a, y):
        return -(Solve()(H(a), g) @ H(y))

    def vjp_b(self, g, a):
        return Solve()(H(a), g)

    def batch(self, size, batched, values):
        return self(*values)


class SolveTriangular(Op):
    """X with a @ X = b, for triangular a."""

    upper: bool
    unit: bool = False
    grad_name = "LinalgSolveTriangularBackward0"
    samples = [S((3, 3), (3, 2), params=(True, False), low=0.5, high=2),
               S((2, 2, 2), (2, 2, 1), params=(False, True), low=0.5, high=2)]

    def forward(self, a, b):
        return np.linalg.solve(self._part(a), b)

    def _part(self, a):
        t = np.triu(a) if self.upper else np.tril(a)
        if self.unit:
            n = a.shape[-1]
            t = t - t * np.eye(n, dtype=a.dtype) + np.eye(n, dtype=a.dtype)
        return t

    def vjp_a(self, g, a, y):
        back = SolveTriangular(not self.upper, self.unit)(H(a), g)
        d = -(back @ H(y))
        off = 1 if self.unit else 0
        return m.triu(d, off) if self.upper else m.tril(d, -off)

    def vjp_b(self, g, a):
        return SolveTriangular(not self.upper, self.unit)(H(a), g)

    def batch(self, size, batched, values):
        return self(*values)


class Det(Op):
    """The determinant of square matrices."""

    grad_name = "LinalgDetBackward0"
    samples = [S((3, 3), low=0.5, high=2), S((2, 2, 2)), S((1, 1))]

    def forward(self, x):
        with np.errstate(invalid="ignore"):
            return np.linalg.det(x)

    def vjp_x(self, g, x, y):
        """g * adj(x)^H: det * inverse where that exists, from the singular values elsewhere."""
        value = getattr(y, "_value", y)
        if isinstance(value, (np.ndarray, np.generic)) and not np.all(np.abs(value) > 0):
            return _wide(g) * H(_adjugate(x))
        return _wide(g * m.conj(y)) * H(Inv()(x))

    def batch(self, size, batched, values):
        return self(*values)


def _wide(v):
    return m.unsqueeze(m.unsqueeze(v, -1), -1)


def _adjugate(x):
    """adj(x) = det(x) inv(x) also for singular x, by the singular value decomposition."""
    u, s, vh = Svd(False)(x)
    others = s[..., None, :] * (1 - np.eye(s.shape[-1], dtype=dtype_of(s))) + np.eye(s.shape[-1], dtype=dtype_of(s))
    rest = m.prod(others, -1)
    return (_wide(Det()(u) * Det()(vh)) * H(vh) * m.unsqueeze(rest, -2)) @ H(u)


class Slogdet(Op):
    """Sign and logarithm of the absolute value of the determinant."""

    outputs = "many"
    grad_name = "LinalgSlogdetBackward0"
    samples = [S((3, 3), low=0.5, high=2), S((2, 2, 2))]

    def forward(self, x):
        with np.errstate(invalid="ignore"):
            return tuple(np.linalg.slogdet(x))

    def vjp_x(self, g, x, y):
        sign, log = g
        back = H(Inv()(x))
        if dtype_of(x).kind != "c":
            return _wide(log) * back
        turn = m.imag(m.conj(y[0]) * sign)
        return _wide(m.complex(log, m.zeros_like(log)) - m.complex(m.zeros_like(turn), turn) * -1) * back

    def batch(self, size, batched, values):
        return self(*values)


class Cholesky(Op):
    """Lower triangular L with L @ L^H = x, for positive definite x."""

    grad_name = "LinalgCholeskyExBackward0"
    samples = [S(np.array([[2.0, 0.5], [0.5, 1.0]]), smooth=False)]

    def forward(self, x):
        y = _lower(x)
        if y is not None:
            return y
        raise error("matrix-singular", LinAlgError(_not_positive(x)),
                    why="the factor L with A = L @ L.mH exists only if A is symmetric and all its eigenvalues are positive.",
                    fix="look at torch.linalg.eigvalsh(A).min(); A + 1e-6 * torch.eye(n) moves eigenvalues away from 0.")

    def vjp_x(self, g, y):
        inner = m.tril(H(y) @ g)
        inner = (inner + H(m.tril(inner, -1))) * 0.5
        back = SolveTriangular(True)(H(y), inner)
        return H(SolveTriangular(True)(H(y), H(back)))

    def batch(self, size, batched, values):
        return self(*values)


class CholeskyInverse(Op):
    """The inverse of A from its Cholesky factor (lower, or upper)."""

    upper: bool
    samples = [S(np.array([[2.0, 0.0], [0.5, 1.0]]), params=(False,), smooth=False)]

    def forward(self, x):
        low = np.conj(np.swapaxes(np.triu(x), -1, -2)) if self.upper else np.tril(x)
        back = np.linalg.inv(low)
        return np.matmul(np.conj(np.swapaxes(back, -1, -2)), back)

    def vjp_x(self, g, x, y):
        both = y @ (g + H(g)) @ y
        return -(x @ both) if self.upper else -(both @ x)

    def batch(self, size, batched, values):
        return self(*values)


class CholeskySolve(Op):
    """X with A @ X = b, from the Cholesky factor of A."""

    upper: bool
    samples = [S((2, 1), np.array([[2.0, 0.0], [0.5, 1.0]]), params=(False,), smooth=False)]

    def forward(self, b, factor):
        low = np.conj(np.swapaxes(np.triu(factor), -1, -2)) if self.upper else np.tril(factor)
        return np.linalg.solve(np.matmul(low, np.conj(np.swapaxes(low, -1, -2))), b)

    def vjp_b(self, g, factor):
        return self(g, factor)

    def vjp_factor(self, g, factor, y):
        both = self(g, factor) @ H(y)
        both = both + H(both)
        return -(factor @ both) if self.upper else -(both @ factor)

    def batch(self, size, batched, values):
        return self(*values)


def _not_positive(x):
    """PyTorch's message: which leading minor is the first that is not positive."""
    for i, one in enumerate(x.reshape(-1, *x.shape[-2:])):
        k = first_minor(one)
        if k:
            where = f"(Batch element {i}): " if x.ndim > 2 else ""
            return (f"linalg.cholesky: {where}The factorization could not be completed because the input is not "
                    f"positive-definite (the leading minor of order {k} is not positive-definite).")
    return "linalg.cholesky: The factorization could not be completed because the input is not positive-definite."


def _lower(x):
    """The Cholesky factors of arrays of matrices, or None if one has none."""
    try:
        y = np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return None
    return None if np.isnan(np.diagonal(y, 0, -2, -1)).any() else y  # LAPACK lets NaN pass


def first_minor(a):
    """The order of the first leading minor of a matrix that is not positive; 0 if all are."""
    if _lower(a) is not None:
        return 0
    with np.errstate(invalid="ignore"):
        return next((k for k in range(1, len(a) + 1) if not np.linalg.det(a[:k, :k]).real > 0), len(a))


def lapack(name, values, fn, x, *args, **options):
    """What LAPACK finds: fn(x, ...), or PyTorch's error where its search for singular values or eigenvalues does not end."""
    try:
        return fn(x, *args, **options)
    except np.linalg.LinAlgError:
        pass
    finite = np.isfinite(x).all((-2, -1))
    where = f"(Batch element {np.argmin(finite.reshape(-1))}): " if x.ndim > 2 and not finite.all() else ""
    why = f"is ill-conditioned or has too many repeated {values}" if finite.all() else "contained non-finite values"
    raise error("operation-inputs", LinAlgError(
        f"linalg.{name}: {where}The algorithm failed to converge because the input matrix {why}."),
        why="the matrix holds NaN or infinite numbers, or some of its eigenvalues or singular values lie too close together.",
        fix="look at A.isfinite().all() first; if that is True, try A.double() or A + 1e-6 * torch.randn_like(A).")


def _gaps(values, square=False):
    """values[j] - values[i], with 1 on the diagonal, to divide by."""
    v = values * values if square else values
    return m.unsqueeze(v, -2) - m.unsqueeze(v, -1) + _eye(v.shape[-1], v)


def _off_diagonal(x):
    return x * (1 - _eye(x.shape[-1], x))


class Eigh(Op):
    """Eigenvalues (ascending) and eigenvectors of symmetric or Hermitian matrices."""

    upper: bool = False
    outputs = "many"
    grad_name = "LinalgEighBackward0"
    samples = [S(np.array([[2.0, 0.5], [0.5, 1.0]]), smooth=False)]

    def forward(self, x):
        return tuple(lapack("eigh", "eigenvalues", np.linalg.eigh, x, "U" if self.upper else "L"))

    def vjp_x(self, g, y):
        values, v = y
        inner = _off_diagonal(H(v) @ g[1]) / _gaps(values)
        d = v @ (inner + diagonal_matrix(m.cast(g[0], dtype_of(v)))) @ H(v)
        return (d + H(d)) * 0.5  # x is symmetric, so only this part counts

    def batch(self, size, batched, values):
        return self(*values)


class Svd(Op):
    """u, s, vh with x = u @ diag(s) @ vh."""

    full: bool = False
    outputs = "many"
    grad_name = "LinalgSvdBackward0"
    samples = [S((3, 2), params=(False,), smooth=False), S((2, 3), params=(False,), smooth=False)]

    def forward(self, x):
        u, s, vh = lapack("svd", "singular values", np.linalg.svd, x, self.full)
        return u, s, vh

    def vjp_x(self, g, y):
        (gu, gs, gvh), (u, s, vh) = g, y
        k = s.shape[-1]
        rows, columns = u.shape[-2], vh.shape[-1]
        if self.full:  # only the first k vectors are determined by x
            u, gu = m.narrow(u, -1, 0, k), m.narrow(gu, -1, 0, k)
            vh, gvh = m.narrow(vh, -2, 0, k), m.narrow(gvh, -2, 0, k)
        gaps = _gaps(s, square=True)
        uu, vv = H(u) @ gu, gvh @ H(vh)
        vv = H(vv)
        su, sv = _off_diagonal(uu - H(uu)) / gaps, _off_diagonal(vv - H(vv)) / gaps
        inner = su * m.unsqueeze(s, -2) + m.unsqueeze(s, -1) * sv + diagonal_matrix(m.cast(gs, dtype_of(u)))
        if dtype_of(u).kind == "c":
            turn = m.imag(m.diagonal(uu, 0, -2, -1)) / s
            inner = inner + diagonal_matrix(m.complex(m.zeros_like(turn), turn))
        if rows > k:
            scaled = gu / m.unsqueeze(s, -2)
            return (u @ inner + scaled - u @ (H(u) @ scaled)) @ vh
        if columns > k:
            scaled = gvh / m.unsqueeze(s, -1)
            return u @ (inner @ vh + scaled - (scaled @ H(vh)) @ vh)
        return u @ inner @ vh

    def batch(self, size, batched, values):
        return self(*values)


class Svdvals(Op):
    """The singular values alone."""

    grad_name = "LinalgSvdBackward0"
    samples = [S((3, 2)), S((2, 2, 3))]

    def forward(self, x):
        return lapack("svd", "singular values", np.linalg.svd, x, compute_uv=False)

    def vjp_x(self, g, x):
        u, _, vh = Svd(False)(x)
        return (u * m.unsqueeze(m.cast(g, dtype_of(u)), -2)) @ vh

    def batch(self, size, batched, values):
        return self(*values)


class Qr(Op):
    """q, r with x = q @ r; mode "reduced", "complete" or "r"."""

    mode: str = "reduced"
    outputs = "many"
    grad_name = "LinalgQrBackward0"
    samples = [S((3, 2), params=("reduced",)), S((3, 3), params=("reduced",)), S((2, 3), params=("reduced",))]

    def forward(self, x):
        if self.mode == "r":
            return np.zeros((0,), x.dtype), np.linalg.qr(x, "r")
        return tuple(np.linalg.qr(x, self.mode))

    def vjp_x(self, g, x, y):
        (gq, gr), (q, r) = g, y
        if self.mode == "r":
            raise error("not-defined", RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."),
                why="the gradient needs Q, which mode='r' does not compute.",
                fix="use torch.linalg.qr(A), whose mode is 'reduced'.")
        rows, columns = x.shape[-2:]
        if self.mode == "complete" and rows > columns:
            raise error("not-defined", RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."), rows=rows,
                cols=columns,
                why="of the {rows} columns of Q only {cols} are determined by A; the others have no derivative.",
                fix="use torch.linalg.qr(A), whose mode is 'reduced'.")
        if rows >= columns:
            return self._tall(gq, gr, q, r)
        # x = [a b], q r = a, so the last columns of r are q^H b.
        ga, gb = m.narrow(gr, -1, 0, rows), m.narrow(gr, -1, rows, columns - rows)
        b = m.narrow(x, -1, rows, columns - rows)
        first = self._tall(gq + b @ H(gb), ga, q, m.narrow(r, -1, 0, rows))
        return m.cat([first, q @ gb], -1)

    def _tall(self, gq, gr, q, r):
        inner = m.triu(gr @ H(r) - H(q) @ gq)
        both = inner + H(inner)
        both = both - both * (_eye(both.shape[-1], both) * 0.5)
        return H(SolveTriangular(True)(r, H(gq + q @ both)))

    def batch(self, size, batched, values):
        return self(*values)


class Eig(Op):
    """Eigenvalues and eigenvectors (normalised) of square matrices; always complex."""

    outputs = "many"
    grad_name = "LinalgEigBackward0"
    samples = [S((3, 3), smooth=False)]

    def forward(self, x):
        values, vectors = lapack("eig", "eigenvalues", np.linalg.eig, x)
        kind = np.result_type(x.dtype, np.complex64)
        return values.astype(kind), vectors.astype(kind)

    def vjp_x(self, g, y, x_dtype):
        values, v = y
        vg = H(v) @ g[1]
        own = m.real(m.diagonal(vg, 0, -2, -1))
        inner = vg - (H(v) @ v) * m.unsqueeze(m.complex(own, m.zeros_like(own)), -2)
        inner = _off_diagonal(inner) / m.conj(_gaps(values)) + diagonal_matrix(g[0])
        d = Solve()(H(v), inner @ H(v))
        return d if x_dtype.kind == "c" else m.real(d)

    def batch(self, size, batched, values):
        return self(*values)


