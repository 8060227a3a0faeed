"""Variance and its kin, covariance, quantiles."""
from __future__ import annotations

import warnings

import numpy as np

from ..diagnose import error, user_level
from ..dtypes import type_word
from ..op import Reduction, dtype_of, m
from ..public import by_form, public
from ..tensor import LiftedTensor, Tensor
from ..testing.samples import S
from .movement import size_of
from .reduce import count_over, kept, later, read_dims
from .summation import add_up

SPREADS = [S((2, 3), params=((0, 1), False, 1.0)), S((2, 3, 4), params=((1,), True, 0.0)),
           S((2, 3, 4), params=((0, 2), False, 1.5)), S((3, 1), params=((0,), False, 1.0))]


# ---- variance --------------------------------------------------------------------------------
class Var(Reduction):
    """Sum of squared distances from the mean over `dim`, divided by n - correction."""

    correction: float = 1
    samples = SPREADS

    def forward(self, x):
        n = count_over(x.shape, self.dim)
        d = x - add_up(x, self.dim, True) / x.dtype.type(n)
        d = (d * d.conj()).real if x.dtype.kind == "c" else d * d
        return add_up(d, self.dim, self.keepdim) / d.dtype.type(max(n - self.correction, 0))

    def lower(self, x):
        freedom = count_over(x.shape, self.dim) - self.correction
        if x.dtype.kind != "f" or x.dtype.itemsize < 4 or freedom <= 0:
            return None
        d = x - m.mean(x, self.dim, True)
        return m.sum(d * d, self.dim, self.keepdim) / freedom

    def vjp_x(self, g, x):
        d = x - m.mean(x, self.dim, True)
        freedom = count_over(x.shape, self.dim) - self.correction
        g = kept(g, x.shape, self.dim, self.keepdim)
        if freedom <= 0:  # as PyTorch: any change would be infinitely important
            return g * m.cast(m.where(d == 0, float("nan"), float("inf")), dtype_of(g))
        return g * (2 / freedom) * d

    def batch(self, size, dims, values):
        return type(self)(*later(self, values[0]), self.correction)(*values)


class Std(Var):
    """Square root of the variance over `dim`."""

    def forward(self, x):
        return np.sqrt(Var.forward(self, x))

    def lower(self, x):
        v = Var.lower(self, x)
        return None if v is None else m.sqrt(v)

    def vjp_x(self, g, x, y):
        return Var.vjp_x(self, _through_root(g, y), x)


def _through_root(g, y):
    """The gradient of the variance from that of its root y; where y is 0 the gradient is, too."""
    return g / m.where(y == 0, float("inf"), 2 * y)


class VarMean(Var):
    """Variance and mean over `dim`."""

    outputs = "many"

    def forward(self, x):
        return Var.forward(self, x), add_up(x, self.dim, self.keepdim) / x.dtype.type(count_over(x.shape, self.dim))

    def lower(self, x):
        v = Var.lower(self, x)
        return None if v is None else (v, m.mean(x, self.dim, self.keepdim))

    def vjp_x(self, g, x):
        n = count_over(x.shape, self.dim)
        return Var.vjp_x(self, g[0], x) + kept(g[1] / max(n, 1), x.shape, self.dim, self.keepdim)


class StdMean(VarMean):
    """Standard deviation and mean over `dim`."""

    def forward(self, x):
        v, mean = VarMean.forward(self, x)
        return np.sqrt(v), mean

    def lower(self, x):
        found = VarMean.lower(self, x)
        return found and (m.sqrt(found[0]), found[1])

    def vjp_x(self, g, x, y):
        return VarMean.vjp_x(self, (_through_root(g[0], y[0]), g[1]), x)


def _spread_of(op, name, input, dim, unbiased, keepdim, correction):
    """PyTorch's three forms: (dim, unbiased, keepdim), (dim, *, correction, keepdim), (unbiased)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not _UNSET:
        raise error("arguments-exclude",
                    TypeError(f"{name}() received an invalid combination of arguments - got unbiased and correction"),
                    what="unbiased", other="correction", fix="correction=1 is the same as unbiased=True, 0 as False.")
    if dtype_of(input).kind in "bui":
        what = "std and var" if name in ("std", "var") else name
        raise error("tensor-dtype", RuntimeError(f"{what} only support floating point and complex dtypes"),
                    what="input", dtype=dtype_of(input), fn=f"{name}()", must="floating point or complex numbers",
                    fix="convert first: x.float() or x.double().")
    if correction is _UNSET or correction is None:
        correction = 0 if unbiased is False else 1
    dims, keepdim = read_dims(name, input, dim, keepdim)
    if correction >= count_over(input.shape, dims):
        warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
                      "factor (input numel divided by output numel).", UserWarning, stacklevel=user_level())
    return op(dims, keepdim, correction)(input)


_UNSET = object()


@public()
@by_form
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=_UNSET):
    """The variance over `dim`: squared distances from the mean, summed and divided by n - correction.

    >>> kobai.tensor([1., 2., 3.]).var(), kobai.tensor([1., 2., 3.]).var(correction=0)
    (tensor(1.), tensor(0.6667))
    """
    return _spread_of(Var, "var", input, dim, unbiased, keepdim, correction)


@public()
@by_form
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=_UNSET):
    """The standard deviation over `dim`: the square root of `var`.

    >>> kobai.std(kobai.tensor([1., 2., 3.]))
    tensor(1.)
    """
    return _spread_of(Std, "std", input, dim, unbiased, keepdim, correction)


@public("torch")
@by_form
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=_UNSET):
    """(variance, mean) over `dim`.

    >>> kobai.var_mean(kobai.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    return _spread_of(VarMean, "var_mean", input, dim, unbiased, keepdim, correction)


@public("torch")
@by_form
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=_UNSET):
    """(standard deviation, mean) over `dim`.

    >>> kobai.std_mean(kobai.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    return _spread_of(StdMean, "std_mean", input, dim, unbiased, keepdim, correction)


# ---- covariance ------------------------------------------------------------------------------
@public()
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables in rows, observed in columns.

    Args: `fweights`, how often each observation counts (integers); `aweights`, how much (floats).
    """
    if input.ndim > 2:
        raise error("tensor-dims", RuntimeError(
                    f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} "
                    "dimensions"), what="input", shape=tuple(input.shape), need="at most {n}", n=2,
                    fix="the rows are the variables, the columns the observations: x.flatten(1).")
    if dtype_of(input).kind == "b":
        raise error("tensor-dtype", RuntimeError("cov(): bool dtype is not supported for input"), what="input",
                    dtype=dtype_of(input), fn="cov()", must="numbers, not True and False",
                    fix="x.int() makes 0 and 1 of False and True.")
    x = m.reshape(input, (1, size_of(input))) if input.ndim < 2 else input
    if dtype_of(x).kind in "ui":
        x = m.true_divide(x, 1)
    w = _weights(x.shape[1], fweights, aweights)
    if w is None:
        freedom = max(x.shape[1] - correction, 0)
        d = x - m.mean(x, 1, True)
        weighted, few = d, freedom <= 0
    else:
        w = m.cast(w, dtype_of(x)) if dtype_of(w).kind in "ui" else w
        total = m.sum(w)
        lost = correction if aweights is None else correction * m.sum(w * aweights) / total
        freedom = m.clamp(total - lost, min=0)
        d = x - m.sum(x * w, 1, True) / total
        weighted, few = d * w, _known(freedom, lambda v: v <= 0)
    if few:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
                      "observations.", UserWarning, stacklevel=3)
    return m.squeeze(m.true_divide(m.matmul(d, m.conj(m.swap(weighted))), freedom))


def _known(w, question):
    """The answer about values, which are not known in vmap or a trace: False then."""
    return isinstance(w, Tensor) and not isinstance(w, LiftedTensor) and bool(question(w._data))


def _weights(n, fweights, aweights):
    """The product of both kinds of weights, after PyTorch's checks."""
    for w, name, ok in ((fweights, "fweights", "integral"), (aweights, "aweights", "floating point")):
        if w is None:
            continue
        if w.ndim > 1:
            raise error("tensor-dims", RuntimeError(
                        f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.ndim} "
                        "dimensions"), what=name, shape=tuple(w.shape), need="at most {n}", n=1,
                        fix="give one number for each observation (column of input).")
        if dtype_of(w).kind not in ("ui" if ok == "integral" else "fV"):
            raise error("tensor-dtype", RuntimeError(
                        f"cov(): expected {name} to have {ok} dtype but got {name} with {type_word(w)} dtype"),
                        what=name, dtype=dtype_of(w), fn="cov()",
                        must="whole numbers" if ok == "integral" else "floating point numbers",
                        fix="fweights says how often each observation counts: fweights.long(); for weights with "
                            "fractions there is aweights." if ok == "integral" else
                            "aweights says how much each observation counts: aweights.float(); for whole numbers "
                            "there is fweights.")
        if size_of(w) != n:
            raise error("argument-count", RuntimeError(
                        f"cov(): expected {name} to have the same numel as there are observations in the input but "
                        f"got {size_of(w)} != {n}"), what=name, count=size_of(w), need="{n}", n=n,
                        why="{what} has {count} numbers, and input has {n} observations (columns).",
                        fix="give one number for each observation (column of input).")
        if _known(w, lambda v: v.size and v.min() < 0):
            raise error("argument-value", RuntimeError(f"cov(): {name} cannot be negative"), what=name,
                        why="{what} holds a negative number; each says how much an observation counts.",
                        fix="give weights of at least 0.")
    w = fweights * aweights if fweights is not None and aweights is not None else \
        aweights if fweights is None else fweights
    if w is not None and _known(w, lambda v: v.sum() == 0):
        raise error("argument-value", RuntimeError("cov(): weights sum to zero, can't be normalized"),
                    what="aweights" if aweights is not None else "fweights", value=0,
                    why="the weights add up to 0: no observation counts.",
                    fix="give at least one observation a positive weight.")
    return w


@public()
def corrcoef(input):
    """The matrix of correlation coefficients of variables in rows, observed in columns."""
    if input.ndim > 2:
        raise error("tensor-dims", RuntimeError(
                    f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} "
                    "dimensions"), what="input", shape=tuple(input.shape), need="at most {n}", n=2,
                    fix="the rows are the variables, the columns the observations: x.flatten(1).")
    c = cov(input)
    if not c.ndim:
        return c / c
    d = m.sqrt(m.real(m.diagonal(c)) if dtype_of(c).kind == "c" else m.diagonal(c))
    c = c / m.unsqueeze(d, 1) / m.unsqueeze(d, 0)
    if dtype_of(c).kind == "c":
        return m.complex(m.clamp(m.real(c), -1, 1), m.clamp(m.imag(c), -1, 1))
    return m.clamp(c, -1, 1)
