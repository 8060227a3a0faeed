"""Maps between sets of values: of numbers, of vectors, of matrices; and, imported from elsewhere, of other maps.

`inv` is the inverse, `log_abs_det_jacobian(x, y)` the logarithm of |det dy/dx|; `domain` and `codomain` are
constraints, whose event dimensions say what belongs to one value.
"""
from __future__ import annotations

import math

from ..diagnose import error
from ..op import m
from ..ops.construct import tensor
from ..tensor import Tensor
from . import constraints
from .composed_transforms import (
    CatTransform,
    ComposeTransform,
    CumulativeDistributionTransform,
    IndependentTransform,
    ReshapeTransform,
    StackTransform,
    identity_transform,
)
from .parameters import eps_of, tiny_of, tril_matrix_to_vec, vec_to_tril_matrix
from .transform import Transform, at_least

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
           "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
           "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
           "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform",
           "identity_transform"]


# ---- of numbers ------------------------------------------------------------------------------
class _OfNumbers(Transform):
    """A monotonic function of all real numbers."""

    domain = codomain = constraints.real
    bijective = True
    sign = 1

    def __eq__(self, other):
        return type(other) is type(self)

    __hash__ = object.__hash__


class ExpTransform(_OfNumbers):
    """y = exp(x)."""

    codomain = constraints.positive

    def _call(self, x):
        return m.exp(x)

    def _inverse(self, y):
        return m.log(y)

    def log_abs_det_jacobian(self, x, y):
        return x


class PowerTransform(Transform):
    """y = x ^ exponent, for positive x."""

    domain = codomain = constraints.positive
    bijective = True

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size)
        self.exponent = exponent if isinstance(exponent, Tensor) else tensor(exponent)

    sign = property(lambda self: self.exponent.sign())

    def with_cache(self, cache_size=1):
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size)

    def __eq__(self, other):
        return isinstance(other, PowerTransform) and self.exponent.eq(other.exponent).all().item()

    __hash__ = object.__hash__

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return m.log(m.abs(self.exponent * y / x))

    def forward_shape(self, shape):
        return m.broadcast_shapes(shape, getattr(self.exponent, "shape", ()))

    inverse_shape = forward_shape


class SigmoidTransform(_OfNumbers):
    """y = 1 / (1 + exp(-x))."""

    codomain = constraints.unit_interval

    def _call(self, x):
        return m.sigmoid(x).clamp(tiny_of(x.dtype), 1 - eps_of(x.dtype))

    def _inverse(self, y):
        y = y.clamp(tiny_of(y.dtype), 1 - eps_of(y.dtype))
        return m.log(y) - m.log1p(-y)

    def log_abs_det_jacobian(self, x, y):
        return -m.softplus(-x) - m.softplus(x)


class SoftplusTransform(_OfNumbers):
    """y = log(1 + exp(x)); x itself above 20."""

    codomain = constraints.positive

    def _call(self, x):
        return m.softplus(x)

    def _inverse(self, y):
        return m.log(-m.expm1(-y)) + y

    def log_abs_det_jacobian(self, x, y):
        return -m.softplus(-x)


class TanhTransform(_OfNumbers):
    """y = tanh(x)."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x):
        return m.tanh(x)

    def _inverse(self, y):
        return m.atanh(y)

    def log_abs_det_jacobian(self, x, y):
        return 2 * (math.log(2) - x - m.softplus(-2 * x))  # log(1 - tanh(x)^2), also for large x


class AbsTransform(Transform):
    """y = |x|; the inverse gives the positive one of the two."""

    domain, codomain = constraints.real, constraints.positive

    def __eq__(self, other):
        return isinstance(other, AbsTransform)

    __hash__ = object.__hash__

    def _call(self, x):
        return m.abs(x)

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale * x."""

    bijective = True

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    event_dim = property(lambda self: self._event_dim)

    def _set(self):
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    domain = constraints.dependent_property(_set, is_discrete=False)
    codomain = constraints.dependent_property(_set, is_discrete=False)

    def with_cache(self, cache_size=1):
        return self if self._cache_size == cache_size else AffineTransform(self.loc, self.scale, self._event_dim,
                                                                           cache_size)

    def __eq__(self, other):
        return isinstance(other, AffineTransform) and _equal(self.loc, other.loc) and _equal(self.scale, other.scale)

    __hash__ = object.__hash__

    @property
    def sign(self):
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        if isinstance(self.scale, Tensor):
            result = m.log(m.abs(self.scale))
        else:
            result = x.new_full(x.shape, math.log(abs(self.scale)))
        shape = x.shape
        if self._event_dim:
            n = self._event_dim
            result = result.reshape(*result.shape[:max(result.ndim - n, 0)], -1).sum(-1)
            shape = shape[:len(shape) - n]
        return result.expand(shape)

    def forward_shape(self, shape):
        return m.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


def _equal(a, b):
    same = a == b
    return bool(same.all()) if isinstance(same, Tensor) else same


# ---- of vectors and matrices -----------------------------------------------------------------
class SoftmaxTransform(Transform):
    """y = softmax(x): the inverse is one of many, log(y)."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def __eq__(self, other):
        return isinstance(other, SoftmaxTransform)

    __hash__ = object.__hash__

    def _call(self, x):
        e = m.exp(x - x.max(-1, True)[0])
        return e / e.sum(-1, True)

    def _inverse(self, y):
        return m.log(y)

    def forward_shape(self, shape):
        return at_least(1, shape)

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """From n real numbers to a point of the simplex with n + 1: each takes a share of what is left of a stick."""

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def __eq__(self, other):
        return isinstance(other, StickBreakingTransform)

    __hash__ = object.__hash__

    def _call(self, x):
        z = SigmoidTransform()._call(x - m.log(_left(x, x.shape[-1])))
        rest = m.cumprod(1 - z, -1)
        return m.pad(z, [0, 1], value=1) * m.pad(rest, [1, 0], value=1)

    def _inverse(self, y):
        first = y[..., :-1]
        left = _left(first, y.shape[-1] - 1)
        rest = (1 - m.cumsum(first, -1)).clamp(min=tiny_of(y.dtype))
        return m.log(first) - m.log(rest) + m.log(left)

    def log_abs_det_jacobian(self, x, y):
        x = x - m.log(_left(x, x.shape[-1]))
        return (-x + m.logsigmoid(x) + m.log(y[..., :-1])).sum(-1)

    def forward_shape(self, shape):
        return (*at_least(1, shape)[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        return (*at_least(1, shape)[:-1], shape[-1] - 1)


def _left(x, n):
    """n, n - 1, ..., 1: so many pieces are still to be broken off."""
    return n - m.cumsum(x.new_ones(n), -1) + 1


class LowerCholeskyTransform(Transform):
    """From any square matrices to lower triangular ones with positive diagonals."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def __eq__(self, other):
        return isinstance(other, LowerCholeskyTransform)

    __hash__ = object.__hash__

    def _call(self, x):
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """From any square matrices to positive definite ones, as products of Cholesky factors."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def __eq__(self, other):
        return isinstance(other, PositiveDefiniteTransform)

    __hash__ = object.__hash__

    def _call(self, x):
        x = LowerCholeskyTransform()(x)
        return x @ x.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(m.cholesky(y))


class CorrCholeskyTransform(Transform):
    """From n (n - 1) / 2 real numbers to the Cholesky factor of an n x n correlation matrix.

    Each row is a point on a sphere, made of numbers tanh(x) by breaking sticks (Stan reference manual, 10.12).
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        x = m.tanh(x)
        eps = eps_of(x.dtype)
        r = vec_to_tril_matrix(x.clamp(-1 + eps, 1 - eps), -1)
        left = m.cumprod((1 - r ** 2).sqrt(), -1)
        r = r + x.new_ones(r.shape[-1]).diag()
        return r * m.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = m.pad((1 - m.cumsum(y * y, -1))[..., :-1], [1, 0], value=1)
        t = tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()
        return (m.log1p(t) - m.log1p(-t)) / 2

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), -2)
        stick = 0.5 * left.log().sum(-1)
        return stick - 2 * (x + m.softplus(-2 * x) - math.log(2)).sum(-1)

    def forward_shape(self, shape):
        n = at_least(1, shape)[-1]
        d = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != n:
            raise error("dimension-size", ValueError("Input is not a flattened lower-diagonal number"), what="x",
                        dim=-1, size=n, must="1, 3, 6, 10 or another number of elements below a diagonal")
        return (*shape[:-1], d, d)

    def inverse_shape(self, shape):
        if at_least(2, shape)[-2] != shape[-1]:
            raise error("dimension-size", ValueError("Input is not square"), what="y", dim=-2, size=shape[-2],
                        length=shape[-1], must="{length}, for a square matrix")
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)
