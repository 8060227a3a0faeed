"""Products of matrices, and linear algebra."""
from __future__ import annotations

from collections import namedtuple

import numpy as np

from ... import linalg
from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .errors import invalid, not_allowed
from .names import export
from .reductions import _axes
from .slices import IndexedSlices, on_values, values_in
from .tensors import box
from .values import is_tensor_like, same_dtype, value_of

Qr = namedtuple("Qr", "q r")
Lu = namedtuple("Lu", "lu p")


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


@export("matmul", "linalg.matmul")
def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False,
           b_is_sparse=False, output_type=None, grad_a=False, grad_b=False, name=None):
    """The product of matrices; dimensions before the last two are broadcast.

    >>> print(matmul([[1., 2.]], [[3.], [4.]]))
    tf.Tensor([[11.]], shape=(1, 1), dtype=float32)

    Raises: InvalidArgumentError if the inner sizes differ, or for vectors.
    """
    x, y = same_dtype("MatMul", a, b)
    op = "MatMul" if x.ndim <= 2 and y.ndim <= 2 else "BatchMatMulV2"
    if x.ndim < 2 or y.ndim < 2:
        worse = x if x.ndim < 2 else y
        shown = f": {worse.ndim}" if op[0] == "B" else ""
        raise error("tensor-dims", invalid(op, f"In[{int(worse is y)}] ndims must be >= 2{shown}"),
                    what="a" if worse is x else "b", shape=tuple(worse._value.shape), need="at least {n}", n=2,
                    fix="give a vector a second dimension (tf.expand_dims), or use tf.tensordot or tf.linalg.matvec.")
    shapes = x._value.shape, y._value.shape
    x = _turned(x, transpose_a or adjoint_a, adjoint_a)
    y = _turned(y, transpose_b or adjoint_b, adjoint_b)
    if x._value.shape[-1] != y._value.shape[-2]:
        text = "Matrix size-incompatible: In[0]: {}, In[1]: {}"
        raise error("shapes-differ", invalid(op, text.format(*map(_listed, shapes))),
                    what="a", shape=tuple(shapes[0]), other="b", other_shape=tuple(shapes[1]),
                    must="the columns of the first must be as many as the rows of the second",
                    fix="transpose one of them: transpose_a=True or transpose_b=True.")
    try:
        return box(m.matmul(x, y))
    except RuntimeError:
        raise error("shapes-differ",
                    invalid(op, f"In[0] and In[1] must have compatible batch dimensions: {_listed(shapes[0])} vs. "
                            f"{_listed(shapes[1])}"),
                    what="a", shape=tuple(shapes[0]), other="b", other_shape=tuple(shapes[1]),
                    must="all sizes before the last two must be equal or 1") from None


def _turned(t, turn, conjugate):
    if not turn:
        return t
    t = m.transpose(t, -2, -1)
    return m.conj(t) if conjugate and t._value.dtype.kind == "c" else t


@export("linalg.matvec")
def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """The product of a matrix and a vector."""
    x, y = same_dtype("MatMul", a, b)
    return box(m.squeeze(matmul(box(x), box(m.unsqueeze(y, -1)), transpose_a, adjoint_a=adjoint_a)._t, -1))


@export("tensordot", "linalg.tensordot")
def tensordot(a, b, axes, name=None):
    """The products summed over dimensions that both have: their number (the last of a, the first of b), or lists."""
    x, y = same_dtype("MatMul", a, b)
    if is_tensor_like(axes):
        axes = np.asarray(value_of(axes)._value).tolist()
    if isinstance(axes, int):
        over = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        over = [[d] if isinstance(d, int) else list(d) for d in axes]
    over = [[d % t.ndim for d in ds] for ds, t in zip(over, (x, y))]
    kept = [[d for d in range(t.ndim) if d not in ds] for ds, t in zip(over, (x, y))]
    shapes = [[t._value.shape[d] for d in ds] for t, ds in ((x, kept[0]), (x, over[0]), (y, over[1]), (y, kept[1]))]
    if shapes[1] != shapes[2]:
        raise error("shapes-differ",
                    invalid("MatMul", f"Matrix size-incompatible: In[0]: {_listed(x._value.shape)}, In[1]: "
                            f"{_listed(y._value.shape)}"),
                    what="a", shape=tuple(x._value.shape), other="b", other_shape=tuple(y._value.shape),
                    must="the sizes that are summed over must be equal",
                    fix="choose dimensions of equal size by axes=.")
    n, k, _, p = [int(np.prod(s, dtype=np.int64)) for s in shapes]
    left = m.reshape(m.permute(x, tuple(kept[0] + over[0])), (n, k))
    right = m.reshape(m.permute(y, tuple(over[1] + kept[1])), (k, p))
    return box(m.reshape(m.matmul(left, right), tuple(shapes[0] + shapes[3])))


def _einsum_problem(equation, ts):
    """What TensorFlow says of letters and shapes that do not fit; "" where it is something else."""
    known = {}
    for i, (letters, t) in enumerate(zip(equation.replace(" ", "").partition("->")[0].split(","), ts)):
        if "." in letters:
            return ""
        shape = t._value.shape
        if len(letters) != len(shape):
            return f"Expected input {i} to have rank {len(letters)} but got: {len(shape)}"
        for axis, (letter, n) in enumerate(zip(letters, shape)):
            want = known.setdefault(letter, n)
            if n != want:
                return (f"Expected dimension {want} at axis {axis} of the input shaped {_listed(shape)} but got "
                        f"dimension {n}")
    return ""


@export("einsum", "linalg.einsum")
def einsum(equation, *inputs, **kwargs):
    """Products summed over the letters that are missing behind the arrow: `einsum("ij,jk->ik", a, b)`."""
    ts = same_dtype("Einsum", *inputs)
    try:
        return box(m.einsum(equation, *ts))
    except RuntimeError as e:
        raise error("text-syntax", invalid("Einsum", _einsum_problem(equation, ts) or str(e).splitlines()[0],
                                           inputs=len(ts)),
                    text=repr(equation), sizes=" ".join(str(tuple(t._value.shape)) for t in ts),
                    why="its letters do not fit the shapes {sizes}",
                    fix="write one letter for each dimension, and the same letter only for the same size.") from None


# ---- norms -----------------------------------------------------------------------------------
@export("norm", "linalg.norm")
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None):
    """The length: the root of the sum of squares, or another norm.

    Args: `ord`, "euclidean", 1, 2, another number, inf, or for matrices also "fro"; `axis`, one dimension
    (vectors), two (matrices), or None (all elements as one vector).
    """
    t, keep = value_of(tensor), bool(keepdims)
    if t._value.dtype.kind in "iu":
        raise not_allowed("Sqrt", "x", dtypes.of(t._value.dtype), ("bfloat16", "half", "float", "double"))
    matrix = isinstance(axis, (list, tuple)) and len(axis) == 2
    axes = _axes(axis, t.ndim, "Sum")
    size = m.abs(t)
    if ord in ("euclidean", "fro") or ord == 2 and not matrix:
        return box(m.sqrt(m.sum(size * size, axes, keep)) if axes else size)
    if not matrix:
        return box(_vector_norm(size, ord, axes, keep))
    if ord == 2:
        return box(_spectral(t, axes, keep))
    rows, columns = [a % t.ndim for a in axis]
    over, rest = (rows, columns) if ord == 1 else (columns, rows)
    if ord not in (1, np.inf):
        raise error("argument-choice", ValueError(
            f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 'spectral', 1, 2, inf], got "
            f"{ord}"),
            what="ord", value=ord, choices=["euclidean", "fro", 1, 2, np.inf])
    y = m.amax(m.sum(size, (over,), True), (rest,), True)
    return box(y if keep else m.reshape(y, tuple([s for i, s in enumerate(t._value.shape) if i not in axes])))


def _vector_norm(size, ord, axes, keep):
    if ord == 1:
        return m.sum(size, axes, keep)
    if ord == np.inf:
        return m.amax(size, axes, keep)
    if not isinstance(ord, (int, float)) or ord <= 0:
        raise error("argument-value", ValueError(f"'ord' must be a supported vector norm, got {ord}"),
                    what="ord", value=ord, must="a positive number")
    return m.pow(m.sum(m.pow(size, ord), axes, keep), 1.0 / ord)


def _spectral(t, axes, keep):
    s = linalg.svdvals(m.movedim(t, axes, (-2, -1)))
    y = m.amax(s, (s.ndim - 1,), False)
    return m.reshape(y, tuple([1 if i in axes else n for i, n in enumerate(t._value.shape)])) if keep else y


@export("linalg.l2_normalize", "math.l2_normalize", "nn.l2_normalize")
def l2_normalize(x, axis=None, epsilon=1e-12, name=None):
    """x / sqrt(max(sum(x ** 2), epsilon)) along a dimension."""
    t = value_of(x)
    total = m.sum(t * t, _axes(axis, t.ndim, "Sum"), True)
    return box(t * m.rsqrt(m.clamp_min(total, epsilon)))


@export("linalg.normalize")
def normalize(tensor, ord="euclidean", axis=None, name=None):
    """The tensor divided by its norm, and the norm."""
    size = norm(tensor, ord, axis, True)
    return box(value_of(tensor) / size._t), size


@export("clip_by_norm")
def clip_by_norm(t, clip_norm, axes=None, name=None):
    """t, shortened to the length `clip_norm` if it is longer."""
    if isinstance(t, IndexedSlices):
        return t.with_values(clip_by_norm(t.values, clip_norm, axes))
    x = value_of(t)
    total = m.sum(x * x, _axes(axes, x.ndim, "Sum"), True)
    there = m.gt(total, 0)
    safe = m.where(there, total, m.zeros_like(total) + 1)
    length = m.where(there, m.sqrt(safe), total)
    limit = value_of(clip_norm, dtypes.of(x._value.dtype)) if not isinstance(clip_norm, (int, float)) else clip_norm
    return box(m.div(x * limit, m.clamp_min(length, limit) if isinstance(limit, (int, float))
                     else m.maximum(length, limit)))


@export("linalg.global_norm")
def global_norm(t_list, name=None):
    """The root of the sum of the squares of all elements of several tensors."""
    squares = [m.sum(v * v) for v in [values_in(t) for t in t_list if t is not None]]
    return box(m.sqrt(m.sum(m.stack(squares))))


@export("clip_by_global_norm")
def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """Several tensors, shortened together if their global norm is above `clip_norm`; and that norm.

    >>> clipped, length = clip_by_global_norm([[3.], [4.]], 1.0)
    >>> print(length)
    tf.Tensor(5.0, shape=(), dtype=float32)
    """
    total = global_norm(t_list)._t if use_norm is None else value_of(use_norm)
    limit = value_of(clip_norm, hint=dtypes.of(total._value.dtype))
    one = m.zeros_like(total.detach()) + 1
    scale = limit * m.minimum(one / total, one / limit)
    scale = scale + (total - total)  # NaN for an infinite norm, as in TensorFlow
    return [None if t is None else on_values(lambda v: box(value_of(v) * scale), t) for t in t_list], box(total)


# ---- diagonals and triangles -----------------------------------------------------------------
@export("linalg.diag")
def diag(diagonal, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0, align="RIGHT_LEFT"):
    """Matrices with these (last dimension) on a diagonal, and zeros elsewhere."""
    return box(m.diag_embed(value_of(diagonal), int(k)))


@export("linalg.diag_part")
def diag_part(input, name="diag_part", k=0, padding_value=0, align="RIGHT_LEFT"):
    """A diagonal of matrices."""
    return box(m.diagonal(value_of(input), int(k), -2, -1))


@export("linalg.tensor_diag")
def tensor_diag(diagonal, name=None):
    """The tensor on the diagonal of one with twice as many dimensions."""
    t = value_of(diagonal)
    return box(m.reshape(m.diag_embed(m.reshape(t, (t._value.size,))), tuple(t._value.shape) * 2))


@export("linalg.tensor_diag_part")
def tensor_diag_part(input, name=None):
    """The diagonal of a tensor whose shape is one shape twice."""
    t = value_of(input)
    half = tuple(t._value.shape[:t.ndim // 2])
    n = int(np.prod(half, dtype=np.int64))
    return box(m.reshape(m.diagonal(m.reshape(t, (n, n))), half))


@export("linalg.set_diag")
def set_diag(input, diagonal, name="set_diag", k=0, align="RIGHT_LEFT"):
    """Matrices with other elements on a diagonal."""
    t, d = same_dtype("MatrixSetDiag", input, diagonal)
    rows, columns = t._value.shape[-2:]
    mask = wrap(np.eye(rows, columns, int(k), dtype=bool))
    full = m.diag_embed(d, int(k))
    full = m.getitem(full, (Ellipsis, slice(0, rows), slice(0, columns)))
    if full._value.shape[-2:] != (rows, columns):
        full = m.cat([full, m.zeros_like(m.getitem(t, (Ellipsis, slice(full._value.shape[-2], rows), slice(None))))],
                     -2) if full._value.shape[-2] < rows else m.cat(
            [full, m.zeros_like(m.getitem(t, (Ellipsis, slice(full._value.shape[-1], columns))))], -1)
    return box(m.where(mask, full, t))


@export("linalg.band_part")
def band_part(input, num_lower, num_upper, name=None):
    """Matrices with zeros outside a band round the diagonal; -1: the whole triangle."""
    t = value_of(input)
    rows, columns = t._value.shape[-2:]
    away = np.arange(rows)[:, None] - np.arange(columns)
    low, up = [int(value_of(v)._value) for v in (num_lower, num_upper)]
    keep = ((low < 0) | (away <= low)) & ((up < 0) | (-away <= up))
    return box(m.where(wrap(keep), t, m.zeros_like(t)))


@export("linalg.trace")
def trace(x, name=None):
    """The sum of the diagonal of matrices."""
    return box(m.sum(m.diagonal(value_of(x), 0, -2, -1), -1))


@export("linalg.cross")
def cross(a, b, name=None):
    """The vector at right angles to both, of vectors of three numbers."""
    x, y = same_dtype("Cross", a, b)
    ahead, back = [wrap(np.array(i)) for i in ([1, 2, 0], [2, 0, 1])]

    def pick(t, i):
        return m.index_select(t, t.ndim - 1, i)
    return box(pick(x, ahead) * pick(y, back) - pick(x, back) * pick(y, ahead))


@export("linalg.adjoint")
def adjoint(matrix, name=None):
    """The conjugate transpose."""
    return box(_turned(value_of(matrix), True, True))


# ---- decompositions --------------------------------------------------------------------------
def _through(op, doc, *names, fn=None):
    """A function of one matrix that kobai.linalg has."""
    name = names[0].rpartition(".")[2]

    def call(input, name=None):
        try:
            return box(fn(value_of(input)))
        except RuntimeError as e:
            raise _no_square(op, value_of(input), e) from None
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return export(*names)(call)


def _no_square(op, t, e):
    """TensorFlow's exception for a matrix that kobai refused with `e`."""
    if t.ndim >= 2 and t._value.shape[-1] != t._value.shape[-2]:
        return error("operation-inputs", invalid(op, "Input matrix must be square."), shape=tuple(t._value.shape),
                     why="the input has shape {shape}; its last two sizes must be equal.",
                     fix="look at the line that makes it; tf.linalg.pinv takes any matrix.")
    if "singular" in str(e):
        return error("matrix-singular", invalid(op, "Input is not invertible."),
                     fix="tf.linalg.pinv and tf.linalg.lstsq take all matrices.")
    return error("operation-inputs", invalid(op, str(e).splitlines()[0]), op=op, shape=tuple(t._value.shape),
                 why="{op} does not take this input of shape {shape}.",
                 fix="look at the line that makes it: two dimensions at least, no NaN, symmetric where that is "
                     "asked.")


det = _through("MatrixDeterminant", "The determinant.", "linalg.det", fn=lambda t: linalg.det(t))
logdet = _through("LogMatrixDeterminant", "log(det(x)) of positive definite matrices.", "linalg.logdet",
                  fn=lambda t: 2.0 * m.sum(m.log(m.diagonal(linalg.cholesky(t), 0, -2, -1)), -1))
expm = _through("MatrixExponential", "The matrix exponential.", "linalg.expm", fn=lambda t: linalg.matrix_exp(t))
def _from_lower(t):
    """The self-adjoint matrix of a lower triangle: TensorFlow reads only that, and gives only that a gradient."""
    return m.tril(t) + _turned(m.tril(t, -1), True, True)


eigvalsh = _through("SelfAdjointEigV2", "The eigenvalues of self-adjoint matrices, ascending.", "linalg.eigvalsh",
                    fn=lambda t: linalg.eigvalsh(_from_lower(t)))
eigvals = _through("Eig", "The eigenvalues.", "linalg.eigvals", "eigvals", fn=lambda t: linalg.eigvals(t))


@export("linalg.inv")
def inv(input, adjoint=False, name=None):
    """The inverse of matrices."""
    t = _turned(value_of(input), adjoint, adjoint)
    try:
        return box(linalg.inv(t))
    except RuntimeError as e:
        raise _no_square("MatrixInverse", t, e) from None


@export("linalg.pinv")
def pinv(a, rcond=None, validate_args=False, name=None):
    """The pseudo-inverse of matrices."""
    return box(linalg.pinv(value_of(a)) if rcond is None else linalg.pinv(value_of(a), rtol=rcond))


@export("linalg.solve")
def solve(matrix, rhs, adjoint=False, name=None):
    """x with matrix @ x = rhs."""
    a, b = same_dtype("MatrixSolve", matrix, rhs)
    try:
        return box(linalg.solve(_turned(a, adjoint, adjoint), b))
    except RuntimeError as e:
        raise _no_square("MatrixSolve", a, e) from None


@export("linalg.triangular_solve")
def triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    """x with matrix @ x = rhs, for a triangular matrix."""
    a, b = same_dtype("MatrixTriangularSolve", matrix, rhs)
    return box(linalg.solve_triangular(_turned(a, adjoint, adjoint), b, upper=not lower if not adjoint else lower))


@export("linalg.cholesky")
def cholesky(input, name=None):
    """The lower triangular L with L @ L^H = input, for positive definite matrices."""
    try:
        return box(linalg.cholesky(value_of(input)))
    except RuntimeError:
        raise error("operation-inputs",
                    invalid("Cholesky", "Cholesky decomposition was not successful. The input might not be valid."),
                    why="the matrix is not positive definite.",
                    fix="look whether it is symmetric; a small number on the diagonal may help: a + 1e-6 * "
                        "tf.eye(n).") from None


@export("linalg.cholesky_solve")
def cholesky_solve(chol, rhs, name=None):
    """x with chol @ chol^H @ x = rhs."""
    a, b = same_dtype("CholeskySolve", chol, rhs)
    y = linalg.solve_triangular(a, b, upper=False)
    return box(linalg.solve_triangular(_turned(a, True, True), y, upper=True))


@export("linalg.qr")
def qr(input, full_matrices=False, name=None):
    """Q with orthonormal columns and the upper triangular R, with Q @ R = input."""
    return Qr(*[box(t) for t in linalg.qr(value_of(input), "complete" if full_matrices else "reduced")])


@export("linalg.lu")
def lu(input, output_idx_type=dtypes.int32, name=None):
    """Both triangular factors in one matrix, and which row of the input each row comes from."""
    t, pivots = linalg.lu_factor(value_of(input))
    rows = np.broadcast_to(np.arange(t._value.shape[-2]), t._value.shape[:-1]).copy()
    for where in np.ndindex(rows.shape[:-1]):
        for i, p in enumerate(pivots._value[where]):
            rows[where][[i, p - 1]] = rows[where][[p - 1, i]]
    return Lu(box(t), box(wrap(rows.astype(dtypes.as_dtype(output_idx_type).np))))


@export("linalg.svd")
def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """s, u, v with u @ diag(s) @ v^H = tensor; only s if `compute_uv` is False."""
    t = value_of(tensor)
    if not compute_uv:
        return box(linalg.svdvals(t))
    u, s, vh = linalg.svd(t, full_matrices)
    return box(s), box(u), box(_turned(vh, True, True))


@export("linalg.eigh")
def eigh(tensor, name=None):
    """The eigenvalues (ascending) and eigenvectors of self-adjoint matrices."""
    return tuple([box(t) for t in linalg.eigh(_from_lower(value_of(tensor)))])


@export("linalg.eig", "eig")
def eig(tensor, name=None):
    """The eigenvalues and eigenvectors, complex."""
    return tuple([box(t) for t in linalg.eig(value_of(tensor))])


@export("linalg.slogdet")
def slogdet(input, name=None):
    """The sign of the determinant, and the logarithm of its absolute value."""
    return LogMatrixDeterminant(*[box(t) for t in linalg.slogdet(value_of(input))])


LogMatrixDeterminant = namedtuple("LogMatrixDeterminant", "sign log_abs_determinant")


@export("linalg.lstsq")
def lstsq(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    """The x for which matrix @ x is nearest to rhs: from the normal equations, with a weight on |x| ** 2."""
    a, b = same_dtype("MatrixSolveLs", matrix, rhs)
    at = _turned(a, True, True)
    gram = m.matmul(at, a)
    if l2_regularizer:
        gram = gram + wrap(np.eye(gram._value.shape[-1], dtype=gram._value.dtype) * l2_regularizer)
    return box(linalg.solve(gram, m.matmul(at, b)))


@export("linalg.matrix_rank")
def matrix_rank(a, tol=None, validate_args=False, name=None):
    """How many singular values are not (nearly) zero."""
    return box(m.cast(linalg.matrix_rank(value_of(a), tol=tol), np.dtype(np.int32)))


