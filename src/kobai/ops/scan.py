"""Running results along a dimension: sums, products, extremes; and the product of all elements."""
from __future__ import annotations

from math import prod as _count

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..large import SCANNED, running_sum
from ..op import Op, dtype_of, m
from ..public import by_form, public
from ..return_types import return_type
from ..testing.samples import S
from .along import of_scalar
from .arguments import as_dtype
from .movement import PutSlice, Slice, normal_dim
from .reduce import not_implemented, one_dim

VECTORS = [S((4,), params=(0,)), S((2, 3), params=(1,)), S((3, 2), params=(0,)), S((1,), params=(0,)),
           S((0, 2), params=(0,))]
BACKWARD = [S((4,), params=(0, True)), S((3, 2), params=(0, True))]


def _wide(x):
    """float32 scans run in double precision, as PyTorch's do: errors would add up."""
    return {"f": np.float64, "F": np.complex128}.get(x.dtype.char) or (np.int64 if x.dtype.kind in "bui" else x.dtype)


def _scanned(ufunc, x, dim, reverse):
    y = np.flip(x, dim) if reverse else x
    y = _by_rows(ufunc, y, dim) if _count(x.shape[dim + 1:]) >= 256 else ufunc.accumulate(y, dim, _wide(x))
    y = y.astype(x.dtype) if x.dtype.kind in "fc" else y
    return np.flip(y, dim) if reverse else y


def _by_rows(ufunc, x, dim):
    """ufunc.accumulate in steps of whole rows, which NumPy's own loop does not take: eight times faster."""
    y = np.empty(x.shape, _wide(x))
    rows, sums = np.moveaxis(x, dim, 0), np.moveaxis(y, dim, 0)
    sums[:1] = rows[:1]
    for i in range(1, len(rows)):
        ufunc(sums[i - 1], rows[i], sums[i])
    return y


class Cumsum(Op):
    """Running sum along `dim`, from the end if `reverse`."""

    dim: int
    reverse: bool = False
    linear = True
    samples = VECTORS + BACKWARD

    def forward(self, x):
        y = running_sum(x, self.dim, self.reverse) if x.size >= SCANNED else None
        return _scanned(np.add, x, self.dim, self.reverse) if y is None else y

    def vjp_x(self, g):
        return Cumsum(self.dim, not self.reverse)(g)

    def batch(self, size, dims, values):
        return Cumsum(self.dim + 1, self.reverse)(*values)


class Recurrence(Op):
    """y[i] = b[i] + a[i] y[i-1] along `dim` (y[i+1] if `reverse`), beginning with b; a[0] does not matter.

    Gradients of running products are such recurrences, and those of a recurrence are others: so
    they are right where a product is zero, which formulas that divide by elements are not.
    """

    dim: int
    reverse: bool = False
    samples = [S((4,), (4,), params=(0,)), S((2, 3), (2, 3), params=(1, True)), S((5, 2), (5, 2), params=(0,)),
               S((0,), (0,), params=(0,)), S((1,), (1,), params=(0, True))]

    def forward(self, a, b):
        order = slice(None, None, -1 if self.reverse else 1)
        a, y = np.moveaxis(a, self.dim, 0)[order].copy(), np.moveaxis(b, self.dim, 0)[order].copy()
        step = 1
        while step < len(y):  # after each round y[i] holds the terms of the last 2 * step elements
            y[step:] += a[step:] * y[:-step]
            a[step:] *= a[:-step].copy()
            step *= 2
        return np.moveaxis(y[order], 0, self.dim)

    def vjp_b(self, g, a):
        return self._back(g, a)

    def vjp_a(self, g, a, y):
        return self._back(g, a) * m.conj(self._shift(y, not self.reverse))

    def _back(self, g, a):
        """s[i] = g[i] + a[i+1] s[i+1]: how y[i] acts on all later results."""
        return Recurrence(self.dim, not self.reverse)(m.conj(self._shift(a, self.reverse)), g)

    def _shift(self, x, later):
        return shifted(x, self.dim, 1 if later else -1)

    def batch(self, size, dims, values):
        return Recurrence(self.dim + 1, self.reverse)(*values)


def shifted(x, dim, by):
    """x moved by one place along `dim`, to later places (1) or earlier ones (-1); zero comes in."""
    n, shape = x.shape[dim], tuple(x.shape)
    if n == 0:
        return x
    if by > 0:
        return PutSlice(dim, 1, n, 1, shape)(Slice(dim, 0, n - 1)(x))
    return PutSlice(dim, 0, n - 1, 1, shape)(Slice(dim, 1, n)(x))


# ---- products --------------------------------------------------------------------------------
class Cumprod(Op):
    """Running product along `dim`, from the end if `reverse`; without the element itself if `exclusive`."""

    dim: int
    reverse: bool = False
    exclusive: bool = False
    samples = VECTORS + BACKWARD + [S((4,), params=(0, False, True)), S((2, 3), params=(1, True, True)),
                                    S(np.array([0.5, 0.0, 2.0, 0.0, 3.0]), params=(0,)),
                                    S(np.array([0.5, 0.0, 2.0, 3.0]), params=(0, True, True))]

    def forward(self, x):
        y = _scanned(np.multiply, x, self.dim, self.reverse)
        if not self.exclusive or not x.shape[self.dim]:
            return y
        before, after = slice(0, -1), slice(1, None)
        lead, out = (slice(None),) * self.dim, np.ones_like(y)
        if self.reverse:
            before, after = after, before
        out[(*lead, after)] = y[(*lead, before)]
        return out

    def vjp_x(self, g, x):
        """Product of what comes before x[i], times what every later result makes of x[i]."""
        before = Cumprod(self.dim, self.reverse, True)(x)
        earlier = 1 if self.reverse else -1
        if self.exclusive:
            g = shifted(g, self.dim, earlier)
        later = Recurrence(self.dim, not self.reverse)(m.conj(shifted(x, self.dim, earlier)), g)
        return m.conj(before) * later

    def batch(self, size, dims, values):
        return Cumprod(self.dim + 1, self.reverse, self.exclusive)(*values)


class Prod(Op):
    """Product over one dimension; integers are multiplied as int64."""

    dim: int
    keepdim: bool = False
    grad_name = "ProdBackward1"
    samples = [S(*s.inputs, params=(s.params[0], k)) for s, k in zip(VECTORS, (False, True, False, True, True))] + [
        S(np.array([0.0, 1.0, 2.0, 0.0]), params=(0,)), S(np.array([[0.0, 1.0], [2.0, 3.0]]), params=(1,))]

    def forward(self, x):
        return np.multiply.reduce(x, self.dim, np.int64 if x.dtype.kind in "bui" else None, None, self.keepdim)

    def vjp_x(self, g, x):
        if not self.keepdim:
            g = m.unsqueeze(g, self.dim)
        return g * m.conj(others(x, self.dim))

    def batch(self, size, dims, values):
        return Prod(self.dim + 1, self.keepdim)(*values)

    def emit(self, k, x):
        return k.prod(x if x.dtype[0] == "f" else k.cast(x, "i64"))


def others(x, dim):
    """For each element the product of all the others along `dim`; zeros do no harm."""
    return Cumprod(dim, False, True)(x) * Cumprod(dim, True, True)(x)


class ProdAll(Op):
    """Product of all elements; integers are multiplied as int64."""

    grad_name = "ProdBackward0"
    samples = [S((2, 3)), S(()), S((1,)), S(np.array([[0.0, 1.0], [2.0, 3.0]]))]

    def forward(self, x):
        return np.multiply.reduce(x, None, np.int64 if x.dtype.kind in "bui" else None)

    def vjp_x(self, g, x):
        return g * m.reshape(m.conj(others(m.reshape(x, (-1,)), 0)), tuple(x.shape))

    def batch(self, size, dims, values):
        x, = values
        return Prod(1)(m.reshape(x, (size, -1)))

    emit = Prod.emit


@public()
@by_form
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product of all elements, or over `dim`; integers are multiplied as int64.

    >>> kobai.prod(kobai.tensor([1., 2., 3.]))
    tensor(6.)
    """
    if dtype is not None:
        dtype = as_dtype(dtype, fn="prod")
        input = m.cast(input, dtype)
        if dtype.category < dtypes.FLOAT:
            return m.cast(prod(input, dim, keepdim), dtype)
    if dim is None:
        return ProdAll()(input)
    dim = one_dim(dim, input.ndim, "prod")
    return Prod(dim, keepdim)(input) if input.ndim else of_scalar(Prod(0), input)


# ---- extremes and logarithms -----------------------------------------------------------------
class Cummax(Op):
    """Largest element so far along `dim`, and the index of its last occurrence."""

    dim: int
    outputs = "many"
    ufunc = np.maximum
    samples = VECTORS

    def forward(self, x):
        y = self.ufunc.accumulate(x, self.dim)
        here = self._places(x.shape)
        is_new = (x == y) | np.isnan(x) if x.dtype.kind == "f" else x == y
        return y, np.maximum.accumulate(np.where(is_new, here, 0), self.dim)

    def _places(self, shape):
        return np.arange(shape[self.dim]).reshape((-1,) + (1,) * (len(shape) - self.dim - 1))

    def vjp_x(self, g, y, x_shape):
        """All gradients from a new extreme up to the next one belong to it."""
        is_new = m.cast(y[1] == self._places(x_shape), dtype_of(g[0]))
        goes_on = 1 - shifted(is_new, self.dim, -1)
        return is_new * Recurrence(self.dim, True)(goes_on, g[0])

    def batch(self, size, dims, values):
        return type(self)(self.dim + 1)(*values)


class Cummin(Cummax):
    """Smallest element so far along `dim`, and the index of its last occurrence."""

    ufunc = np.minimum


class Logcumsumexp(Op):
    """log of the running sum of exp(x) along `dim`, without overflow."""

    dim: int
    samples = VECTORS

    def forward(self, x):
        if x.dtype.kind == "c":
            return _log_sums_of_complex(x, self.dim)
        return np.logaddexp.accumulate(x, self.dim, _wide(x)).astype(x.dtype)

    def vjp_x(self, g, x, y):
        """The sum of g[i] exp(x[j] - y[i]) over i >= j; no exponent is positive."""
        n, shape, dim = x.shape[self.dim], tuple(x.shape), self.dim
        if n == 0:
            return g
        to_next = PutSlice(dim, 0, n - 1, 1, shape)(Slice(dim, 0, n - 1)(y) - Slice(dim, 1, n)(y))
        return m.conj(m.exp(x - y)) * Recurrence(dim, True)(m.conj(m.exp(to_next)), g)

    def batch(self, size, dims, values):
        return Logcumsumexp(self.dim + 1)(*values)


def _log_sums_of_complex(x, dim):
    """One after the other, as the larger of both plus log(1 + exp(smaller - larger))."""
    x = np.moveaxis(x, dim, 0)
    y = x.copy()
    for i in range(1, len(x)):
        last_is_larger = y[i - 1].real >= x[i].real
        larger, smaller = np.where(last_is_larger, y[i - 1], x[i]), np.where(last_is_larger, x[i], y[i - 1])
        y[i] = larger + np.log(1 + np.exp(smaller - larger))
    return np.moveaxis(y, 0, dim)


# ---- the public functions --------------------------------------------------------------------
def _scan(op, name, input, dim, dtype):
    if dtype is not None:
        input = m.cast(input, as_dtype(dtype, fn=name))
    dim = one_dim(dim, input.ndim, name)
    y = op(dim)(input) if input.ndim else of_scalar(op(0), input)
    return y if dtype is None else m.cast(y, as_dtype(dtype))


@public(inplace=True)
@by_form
def cumsum(input, dim, *, dtype=None):
    """Running sum along `dim`; integers are summed as int64.

    >>> kobai.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    return _scan(Cumsum, "cumsum", input, dim, dtype)


@public(inplace=True)
@by_form
def cumprod(input, dim, *, dtype=None):
    """Running product along `dim`; integers are multiplied as int64.

    >>> kobai.cumprod(kobai.tensor([1, 2, 3]), dim=0)
    tensor([1, 2, 6])
    """
    return _scan(Cumprod, "cumprod", input, dim, dtype)


@public()
@by_form
def logcumsumexp(input, dim):
    """log of the running sum of exp(input) along `dim`.

    >>> kobai.logcumsumexp(kobai.tensor([0., 0.]), dim=0)
    tensor([0.0000, 0.6931])
    """
    if dtype_of(input).kind in "bui":
        raise not_implemented("logcumsumexp_out_cpu", input)
    return _scan(Logcumsumexp, "logcumsumexp", input, dim, None)


def _running(op, name, input, dim):
    if dtype_of(input).kind == "c":
        raise not_implemented(name + "_cpu", input)
    if not input.ndim and dim not in (0, -1):
        raise error("argument-value", IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}"),
                    what="dim", value=dim,
                    why="dim is {value}, but input has no dimensions: it is one number, and only 0 and -1 are taken.",
                    fix="write dim=0, or give a tensor with dimensions.")
    dim = normal_dim(dim, input.ndim)
    return return_type(name)(*(op(dim)(input) if input.ndim else of_scalar(op(0), input)))


for _name in ("cummax", "cummin"):
    return_type(_name, "values", "indices")


@public()
def cummax(input, dim):
    """(values, indices) of the largest element so far along `dim`.

    >>> kobai.cummax(kobai.tensor([1, 3, 2]), dim=0).values
    tensor([1, 3, 3])
    """
    return _running(Cummax, "cummax", input, dim)


@public()
def cummin(input, dim):
    """(values, indices) of the smallest element so far along `dim`."""
    return _running(Cummin, "cummin", input, dim)
