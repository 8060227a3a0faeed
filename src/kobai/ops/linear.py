"""Matrix products, and affine maps made of them."""
from __future__ import annotations

import numpy as np

from ..autograd.node import shown_edge, step
from ..diagnose import error
from ..dtypes import type_word
from ..large import MATRIX, PRODUCT, product
from ..op import Contraction, apply2, apply3, dtype_of, m
from ..public import export, not_mine, operator, public
from ..testing.samples import S
from .labels import gradients_by, shown_as
from .movement import Permute, UnsafeView

_ndarray = np.ndarray


def swap(x):
    """The last two dimensions exchanged, without a copy."""
    if type(x) is np.ndarray:
        return x.swapaxes(-1, -2)
    n = len(x.shape)
    return Permute((*range(n - 2), n - 1, n - 2))(x)


def dagger(x):
    """The conjugate transpose: what stands on the other side of a product in its gradient."""
    return m.conj(swap(x)) if dtype_of(x).kind == "c" else swap(x)


m.swap = swap


class _Product(Contraction):
    """Linear in each of its two inputs."""

    def jvp(self, primals, tangents, y):
        (a, b), (t_a, t_b) = primals, tangents
        return _sum_of(t_a if t_a is None else self(t_a, b), t_b if t_b is None else self(a, t_b))


def _sum_of(*terms):
    """The sum of those that are not None."""
    total = None
    for t in terms:
        if t is not None:
            total = t if total is None else total + t
    return total


def _of_product(a, b) -> list:
    """(shape, dtype) of the product of `a`, or what has its shape and dtype, with a `b` of this shape."""
    if a.shape[-1] != b[-2]:
        raise ValueError("the op itself says why")  # plain: shapes() is only asked; what it raises is not shown
    return [((*np.broadcast_shapes(a.shape[:-2], b[:-2]), a.shape[-2], b[-1]), a.dtype)]


class Mm(_Product):
    """Product of two matrices."""

    samples = [S((2, 3), (3, 4)), S((2, 0), (0, 3)), S((1, 1), (1, 1))]

    def forward(self, a, b):
        return np.dot(a, b) if a.size < PRODUCT and b.size < MATRIX else product(a, b)

    def narrow(self, a, b):
        return product(a, b)

    def shapes(self, a, b):
        """(shape, dtype) of the result."""
        return _of_product(a, b.shape)

    def vjp_a(self, g, b):
        return Mm()(g, dagger(b))

    def vjp_b(self, g, a):
        return Mm()(dagger(a), g)

    def shared(self, size, own, values):
        return _rows_of_all(self, size, *values) if own == (True, False) else NotImplemented

    def batch(self, size, dims, values):
        return Bmm()(*values)


def _rows_of_all(op, size, x, *rest):
    """vmap where only the rows differ: one product of the rows of all examples."""
    n, k = x.shape[1:]
    y = op(m.reshape(x, (size * n, k)), *rest)
    return m.reshape(y, (size, n, y.shape[-1]))


class Bmm(_Product):
    """Products of the matrices in the last two dimensions, over equal leading dimensions."""

    samples = [S((5, 2, 3), (5, 3, 1)), S((2, 2, 2, 3), (2, 2, 3, 2)), S((0, 2, 3), (0, 3, 1))]

    def forward(self, a, b):
        if a.shape[-1] == 1 and a.dtype.kind in "fc":
            # Products of columns with rows, in row-major order: NumPy's matmul takes ten times as long.
            return m.mul(np.ascontiguousarray(a), np.ascontiguousarray(b))
        return np.matmul(a, b) if a.size < PRODUCT and b.size < MATRIX else product(a, b)

    narrow, shapes = Mm.narrow, Mm.shapes

    def vjp_a(self, g, b):
        return Bmm()(g, dagger(b))

    def vjp_b(self, g, a):
        return Bmm()(dagger(a), g)

    def batch(self, size, dims, values):
        return Bmm()(*values)


class Mv(_Product):
    """Matrix times vector."""

    samples = [S((2, 3), (3,)), S((2, 0), (0,))]

    def forward(self, a, b):
        return np.dot(a, b) if a.size < PRODUCT else product(a, b[:, None])[:, 0]

    def narrow(self, a, b):
        return product(a, b[:, None])[:, 0]

    def vjp_a(self, g, b):
        return m.unsqueeze(g, -1) * m.conj(b)

    def vjp_b(self, g, a):
        return Mv()(dagger(a), g)

    def shared(self, size, own, values):
        a, b = values
        return NotImplemented if own[0] else Mm()(b, m.transpose(a, 0, 1))

    def batch(self, size, dims, values):
        a, b = values
        if not dims[1]:
            return m.reshape(self(m.reshape(a, (size * a.shape[1], a.shape[2])), m.select(b, 0, 0)), (size, a.shape[1]))
        return m.squeeze(Bmm()(a, m.unsqueeze(b, -1)), -1)


class Dot(_Product):
    """Sum of the products of two vectors."""

    samples = [S((3,), (3,)), S((0,), (0,))]

    def forward(self, a, b):
        return np.dot(a, b)

    def vjp_a(self, g, b):
        return g * m.conj(b)

    def vjp_b(self, g, a):
        return g * m.conj(a)

    def shared(self, size, own, values):
        a, b = values
        return NotImplemented if all(own) else Mv()(b, a) if own[1] else Mv()(a, b)

    def batch(self, size, dims, values):
        return m.sum(values[0] * values[1], 1)


class Addmm(Contraction):
    """beta * c + alpha * a @ b."""

    beta: float = 1
    alpha: float = 1
    samples = [S((4,), (2, 3), (3, 4)), S((2, 4), (2, 3), (3, 4), params=(0.5, 2.0)), S((1, 1), (2, 0), (0, 3))]

    def forward(self, c, a, b):
        y = np.dot(a, b) if a.size < PRODUCT and b.size < MATRIX else product(a, b)
        if self.alpha != 1:
            y = y * self.alpha if y.dtype.kind in "fcV" else y * int(self.alpha)
        if self.beta == 0:
            return y
        y += c if self.beta == 1 else c * c.dtype.type(self.beta)
        return y

    def vjp_c(self, g, c_shape):
        g = m.sum_to(g, c_shape)
        return g if self.beta == 1 else g * self.beta

    def vjp_a(self, g, b):
        d = Mm()(g, dagger(b))
        return d if self.alpha == 1 else d * self.alpha

    def vjp_b(self, g, a):
        d = Mm()(dagger(a), g)
        return d if self.alpha == 1 else d * self.alpha

    def jvp(self, primals, tangents, y):
        (_, a, b), (t_c, t_a, t_b) = primals, tangents
        t = _sum_of(t_a if t_a is None else m.matmul(t_a, b), t_b if t_b is None else m.matmul(a, t_b))
        return _sum_of(t_c if t_c is None or self.beta == 1 else t_c * self.beta,
                       t if t is None or self.alpha == 1 else t * self.alpha)

    def batch(self, size, dims, values):
        c, a, b = values
        if len(c.shape) == 2:
            c = m.unsqueeze(c, 1)
        return Baddbmm(self.beta, self.alpha)(c, a, b)


class Baddbmm(Addmm):
    """beta * c + alpha * a @ b over a batch of matrices."""

    samples = [S((5, 2, 4), (5, 2, 3), (5, 3, 4)), S((1, 4), (5, 2, 3), (5, 3, 4), params=(2.0, 0.5))]

    def forward(self, c, a, b):
        y = np.matmul(a, b) if a.size < PRODUCT and b.size < MATRIX else product(a, b)
        y = y if self.alpha == 1 else y * y.dtype.type(self.alpha)
        return y if self.beta == 0 else y + (c if self.beta == 1 else c * c.dtype.type(self.beta))

    def vjp_a(self, g, b):
        d = Bmm()(g, dagger(b))
        return d if self.alpha == 1 else d * self.alpha

    def vjp_b(self, g, a):
        d = Bmm()(dagger(a), g)
        return d if self.alpha == 1 else d * self.alpha

    batch = None


_MM, _BMM, _MV, _DOT = Mm(), Bmm(), Mv(), Dot()


class Linear(Contraction):
    """x @ weight.T + bias: PyTorch records transpose, product and sum; here it is one op that shows those."""

    grad_name = "AddmmBackward0"
    gradient_shown = gradients_by(x="MmBackward0(g, TBackward0(next2))",
                                  weight="TBackward0(MmBackward0(TBackward0(x), g))")
    samples = [S((2, 3), (4, 3), (4,)), S((1, 1), (1, 1), (1,)), S((0, 3), (2, 3), (2,))]

    def forward(self, x, weight, bias):
        if x.size >= PRODUCT or weight.size >= MATRIX:
            return product(x, weight.T, bias)
        y = np.dot(x, weight.T)
        y += bias
        return y

    def narrow(self, x, weight, bias):
        return product(x, weight.T, bias)

    def shapes(self, x, weight, bias=None):
        """(shape, dtype) of the result."""
        return _of_product(x, weight.shape[::-1])

    def vjp_x(self, g, weight):
        return _MM(g, m.conj(weight))

    def vjp_weight(self, g, x):
        return _MM(swap(g), m.conj(x))

    def vjp_bias(self, g, bias_shape):
        return m.sum_to(g, bias_shape)

    def shown(self, node):
        x, weight, bias = [shown_edge(e) for e in node.edges]
        return bias, x, _transposed(weight)

    def jvp(self, primals, tangents, y):
        (x, weight, _), (t_x, t_weight, t_bias) = primals, tangents
        t = t_weight if t_weight is None else _LINEAR_PLAIN(x, t_weight)
        if t_x is not None and t_bias is not None:
            return _sum_of(_LINEAR(t_x, weight, t_bias), t)
        return _sum_of(t_x if t_x is None else _LINEAR_PLAIN(t_x, weight), t, t_bias)

    def shared(self, size, own, values):
        return _rows_of_all(self, size, *values) if own == (True, False, False) else NotImplemented

    def batch(self, size, batched, values):
        x, weight, bias = values
        return Baddbmm()(m.unsqueeze(bias, 1), x, swap(weight))


class LinearWithoutBias(Contraction):
    """x @ weight.T."""

    grad_name = "MmBackward0"
    gradient_shown = gradients_by(x="MmBackward0(g, TBackward0(next1))",
                                  weight="TBackward0(MmBackward0(TBackward0(x), g))")
    samples = [S((2, 3), (4, 3)), S((1, 1), (1, 1)), S((0, 3), (2, 3))]

    def forward(self, x, weight):
        return np.dot(x, weight.T) if x.size < PRODUCT and weight.size < MATRIX else product(x, weight.T)

    def narrow(self, x, weight):
        return product(x, weight.T)

    shapes, vjp_x, vjp_weight = Linear.shapes, Linear.vjp_x, Linear.vjp_weight

    def shown(self, node):
        x, weight = [shown_edge(e) for e in node.edges]
        return x, _transposed(weight)

    def jvp(self, primals, tangents, y):
        (x, weight), (t_x, t_weight) = primals, tangents
        return _sum_of(t_x if t_x is None else self(t_x, weight), t_weight if t_weight is None else self(x, t_weight))

    def shared(self, size, own, values):
        return _rows_of_all(self, size, *values) if own == (True, False) else NotImplemented

    def batch(self, size, batched, values):
        return Bmm()(values[0], swap(values[1]))


_LINEAR, _LINEAR_PLAIN = Linear(), LinearWithoutBias()


def _transposed(edge):
    """What stands behind `weight.t()`: nothing, if the weight requires no gradient."""
    return edge if edge[0] is None else (step("TBackward0", edge), 0)


def _product_and_sum(node):
    """What PyTorch does with rows that had to be copied: the product in its shape, and the bias added to that."""
    x, weight, bias = [shown_edge(e) for e in node.edges[0].edges]
    product = step("MmBackward0", x, _transposed(weight)) if x[0] or weight[0] else None
    return (product and step("UnsafeViewBackward0", (product, 0)), 0), bias


def _without_row(y):
    """A row as a vector that is no view, as PyTorch squeezes it in place."""
    return shown_as(UnsafeView((y.shape[-1],)), "SqueezeBackward4")(y)


# ---- the public functions --------------------------------------------------------------------
def _same_dtype(a, b, what="m1 and m2"):
    if dtype_of(a) != dtype_of(b):
        raise error("dtype-mismatch", a=a, b=b, what=what)


def _is_matrix(x, name, fn):
    if len(x.shape) != 2:
        raise error("matrix-wanted", argument=name, ndim=len(x.shape), function=fn)


def _fit(a, b, dims):
    """Whether these are plain tensors of matrices that may be multiplied: the usual case, in less time than a Size takes."""
    x, y = getattr(a, "_data", None), getattr(b, "_data", None)
    return x.__class__ is _ndarray is y.__class__ and x.ndim == dims == y.ndim and x.dtype is y.dtype \
        and x.shape[-1] == y.shape[-2] and x.shape[:-2] == y.shape[:-2]


@public(form=True)
def mm(input, mat2):
    """Product of two matrices: (n, k) x (k, m) -> (n, m)."""
    if _fit(input, mat2, 2):
        return apply2(_MM, input, mat2)
    if not hasattr(mat2, "shape"):
        raise error("not-tensor", function="mm", argument="mat2", place=2, got=type(mat2).__name__)
    _is_matrix(input, "self", "mm")
    _is_matrix(mat2, "mat2", "mm")
    _check_product(input, mat2)
    return Mm()(input, mat2)


def _check_product(a, b):
    _same_dtype(a, b)
    if a.shape[-1] != b.shape[-2]:
        raise error("shape-matmul", a=a, b=b)


@public(form=True)
def bmm(input, mat2):
    """Products of a batch of matrices: (b, n, k) x (b, k, m) -> (b, n, m)."""
    if _fit(input, mat2, 3):
        return apply2(_BMM, input, mat2)
    if len(input.shape) != 3 or len(mat2.shape) != 3:
        first = len(input.shape) != 3
        raise error("batch-wanted", argument="batch1" if first else "batch2", have=(input if first else mat2).shape)
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise error("bmm-sizes", batch=input.shape[0], inner=input.shape[2], b_batch=mat2.shape[0],
                    b_inner=mat2.shape[1])
    _same_dtype(input, mat2)
    return Bmm()(input, mat2)


@public(form=True)
def mv(input, vec):
    """Matrix times vector: (n, k) x (k,) -> (n,)."""
    a, b = getattr(input, "_data", None), getattr(vec, "_data", None)
    if a.__class__ is _ndarray is b.__class__ and a.dtype is b.dtype and a.ndim == 2 and a.shape[1:] == b.shape:
        return apply2(_MV, input, vec)
    _same_dtype(input, vec)
    if len(input.shape) != 2 or len(vec.shape) != 1:
        raise error("tensor-dims", RuntimeError(
            f"vector + matrix @ vector expected, got 1, {len(input.shape)}, {len(vec.shape)}"), shape=input.shape,
            other_shape=vec.shape, why="mv takes a matrix and a vector; the shapes are {shape} and {other_shape}.",
            fix="a @ b multiplies vectors, matrices and batches of matrices.")
    if input.shape[1] != vec.shape[0]:
        raise error("matvec-sizes", rows=input.shape[0], cols=input.shape[1], size=vec.shape[0])
    return Mv()(input, vec)


@public(form=True)
def dot(input, tensor):
    """Sum of the products of two vectors."""
    a, b = getattr(input, "_data", None), getattr(tensor, "_data", None)
    if a.__class__ is _ndarray is b.__class__ and a.dtype is b.dtype and a.ndim == 1 and a.shape == b.shape:
        return apply2(_DOT, input, tensor)
    if len(input.shape) != 1 or len(tensor.shape) != 1:
        raise error("vector-wanted", a=len(input.shape), b=len(tensor.shape))
    if dtype_of(input) != dtype_of(tensor):
        raise error("dtypes-differ", RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {type_word(input)} and {type_word(tensor)}"
        ), what="input", dtype=dtype_of(input), other="tensor", other_dtype=dtype_of(tensor))
    if input.shape != tensor.shape:
        raise error("dot-sizes", a=input.shape[0], b=tensor.shape[0])
    return Dot()(input, tensor)


@public()
def vdot(input, other):
    """Sum of the products of conj(input) and other."""
    return dot(m.conj(input), other)


@public(inplace=True, form=True)
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * mat1 @ mat2."""
    _is_matrix(mat1, "mat1", "addmm")
    _is_matrix(mat2, "mat2", "addmm")
    _check_product(mat1, mat2)
    _same_dtype(input, mat1, "self and mat2")
    return Addmm(beta, alpha)(input, mat1, mat2)


@public(inplace=True, form=True)
def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * batch1 @ batch2, matrix by matrix."""
    return Baddbmm(beta, alpha)(input, batch1, batch2)


@public(alias=("ger",))
def outer(input, vec2):
    """All products of the elements of two vectors: (n,) x (m,) -> (n, m)."""
    if len(input.shape) != 1 or len(vec2.shape) != 1:
        raise error("tensor-dims", RuntimeError(
            f"outer: Expected 1-D argument self, but got {len(input.shape)}-D" if len(
            input.shape) != 1 else f"outer: Expected 1-D argument vec2, but got {len(vec2.shape)}-D"),
            what="input" if len(input.shape) != 1 else "vec2", shape=(input if len(input.shape) != 1 else vec2).shape,
            need="{n}", n=1, fix="x.flatten() makes a vector of it.")
    return m.unsqueeze(input, -1) * vec2


@public()
def inner(input, other):
    """Products summed over the last dimension of both."""
    if not len(input.shape) or not len(other.shape):
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise error("shapes-differ", RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
            f"{list(other.shape)}"), what="input", shape=input.shape, other="other", other_shape=other.shape,
            must="the last dimensions must be equal")
    return m.tensordot(input, other, ([-1], [-1]))


@public("torch Tensor linalg", form=True)
def matmul(input, other):
    """Matrix product with PyTorch's rules for vectors and batches.

    Shape: (n,)x(n,) -> (); (n,k)x(k,) -> (n,); (..., n, k) x (..., k, m) -> (..., n, m), the
    leading dimensions broadcast.
    """
    a, b = getattr(input, "_data", None), getattr(other, "_data", None)
    if a.__class__ is _ndarray is b.__class__ and a.ndim == 2 == b.ndim and a.dtype is b.dtype and a.shape[1] == b.shape[0]:
        return apply2(_MM, input, other)  # the usual case: a Size for each shape would take as long as a small product
    if a.__class__ is _ndarray and a.ndim > 2 and _fit(input, other, a.ndim):
        return apply2(_OF_BATCHES, input, other)
    na, nb = len(input.shape), len(other.shape)
    if na == 2 and nb == 2:
        _check_product(input, other)
        return Mm()(input, other)
    if not na or not nb:
        raise error("tensor-dims", RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {na}D and {nb}D"),
            what="other" if na else "input", shape=(other if na else input).shape, need="at least {n}", n=1,
            fix="multiply by a number with a * b.")
    if na == 1 and nb == 1:
        return dot(input, other)
    if na == 1 and nb == 2 and a is None and input.shape[0] == other.shape[0]:
        return Mv()(m.transpose(other, 0, 1), input)  # of a lifted vector: each view of it would take as long
    if na == 1:
        y = matmul(m.unsqueeze(input, 0), other)
        return m.squeeze(y, -2) if nb > 2 else _without_row(y)
    if nb == 1:
        if na == 2:
            return mv(input, other)
        _check_product(input, m.unsqueeze(other, -1))
        rows = m.reshape(input, (_count(input.shape[:-1]), input.shape[-1]))
        return m.unsafe_view(mv(rows, other), tuple(input.shape[:-1]))
    _check_product(input, other)
    if nb == 2:  # rows of all matrices in one product
        flat = m.reshape(input, (-1, input.shape[-1])) if 0 not in input.shape else m.reshape(
            input, (_count(input.shape[:-1]), input.shape[-1]))
        return m.unsafe_view(Mm()(flat, other), (*input.shape[:-1], other.shape[-1]))
    return _batched(input, other)


def _count(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def _batched(a, b):
    try:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise error("shape-broadcast", shapes=[tuple(a.shape[:-2]), tuple(b.shape[:-2])]) from None
    a = m.expand_to(a, (*lead, *a.shape[-2:]))
    b = m.expand_to(b, (*lead, *b.shape[-2:]))
    return _OF_BATCHES(a, b)


def _steps(node):
    """What PyTorch does for a product of batches: each side expanded and seen as one batch of matrices, the product,
    and that seen in its shape."""
    return (step("BmmBackward0", *[_as_one_batch(*shown_edge(e), _dims_of(node)) for e in node.edges]), 0),


def _dims_of(node):
    """The number of dimensions of a product, from what it saved."""
    return next((len(v.shape) for v in node.saved[:2] if hasattr(v, "shape")), 3) if isinstance(node.saved, tuple) else 3


def _as_one_batch(node, number, dims):
    if node is None:
        return None, 0
    name, op = node.name(), getattr(node, "op", None)
    if name == "ExpandBackward0":  # a copy
        return step("UnsafeViewBackward0", (step("CloneBackward0", (node, number)), 0)), 0
    expanded = step("ExpandBackward0", (node, number)), 0
    if name != "TransposeBackward0":
        return step("ViewBackward0", expanded), 0
    if abs(op.dim0 - op.dim1) == 1 and (min(op.dim0, op.dim1) > 1 or dims == 3):  # the last two: no copy
        return step("ReshapeAliasBackward0", expanded), 0
    return step("UnsafeViewBackward0", (step("CloneBackward0", expanded), 0)), 0


_OF_BATCHES = shown_as(Bmm(), "UnsafeViewBackward0", _steps)


def _times(self, other):
    """self @ other; Python's own TypeError where the other is a number."""
    try:
        return matmul(self, other)
    except (TypeError, AttributeError):
        return NotImplemented if isinstance(other, (int, float, complex)) else not_mine(other, self, "__matmul__")


def _times_self(self, other):
    return NotImplemented if isinstance(other, (int, float, complex)) else matmul(other, self)


export("Tensor", "__matmul__", _times)
export("Tensor", "__rmatmul__", operator(_times_self))


@public("nn.functional", form=True)
def linear(input, weight, bias=None):
    """input @ weight.T + bias.

    Shape: input (..., in), weight (out, in) or (in,), bias (out,) -> (..., out).
    """
    x, w = getattr(input, "_data", None), getattr(weight, "_data", None)
    plain = x is not None and w is not None
    if not plain:
        x, w = getattr(input, "_value", input), getattr(weight, "_value", weight)
    n, k, d = len(x.shape), w.shape[-1], w.dtype
    if n and x.shape[-1] != k:
        raise error("shape-linear", input=input, weight=weight)
    if x.dtype != d or bias is not None and dtype_of(bias) != d:
        raise error("dtype-linear", input=input, weight=weight, bias=bias)
    if len(w.shape) == 1:
        return matmul(input, weight) if bias is None else matmul(input, weight) + bias
    if n == 2:
        if plain:
            return apply2(_LINEAR_PLAIN, input, weight) if bias is None else apply3(_LINEAR, input, weight, bias)
        return _LINEAR_PLAIN(input, weight) if bias is None else _LINEAR(input, weight, bias)
    if n == 1 and not plain:  # lifted: see matmul
        return Mv()(weight, input) if bias is None else Mv()(weight, input) + bias
    if n == 1 and bias is None:
        return _without_row(_LINEAR_PLAIN(m.unsqueeze(input, 0), weight))
    flat, shape = m.reshape(input, (_count(input.shape[:-1]), k)), (*input.shape[:-1], weight.shape[0])
    if bias is None:
        return m.unsafe_view(_LINEAR_PLAIN(flat, weight), shape)
    y = _LINEAR(flat, weight, bias)
    if plain and not x.flags.c_contiguous:
        return shown_as(UnsafeView(shape), "AddBackward0", _product_and_sum)(y)
    return m.reshape(y, shape)
