"""Multivariate normal distributions, and distributions of covariance and correlation matrices."""
from __future__ import annotations

import math

import numpy as np

from ..autograd.mode import no_grad
from ..diagnose import error
from ..op import m
from ..ops.construct import tensor
from ..ops.creation import eye
from ..ops.random import randn
from ..tensor import Size, Tensor, wrap
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .gamma import Beta, Chi2
from .parameters import eps_of, lazy_property, standard_normal, tiny_of


def _eye(n, like):
    return eye(n, dtype=like.dtype)


def _diagonal(x):
    return x.diagonal(dim1=-1, dim2=-2)


def _half_log_det(tril):
    return m.log(_diagonal(tril)).sum(-1)


def _times(matrix, vector):
    return m.matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def _mahalanobis(tril, difference):
    """difference^T (tril tril^T)^-1 difference, over all batch dimensions."""
    x = m.solve_triangular(tril, difference.unsqueeze(-1), upper=False).squeeze(-1)
    return (x ** 2).sum(-1)


def precision_to_scale_tril(P):
    """The Cholesky factor of the inverse of P: of P counted from the other end, inverted."""
    flipped = m.cholesky(m.flip(P, (-2, -1)))
    upper = m.flip(flipped, (-2, -1)).transpose(-2, -1)
    return m.solve_triangular(upper, _eye(P.shape[-1], P), upper=False)


class _ByCovariance(Distribution):
    """Distributions with a covariance matrix: given as such, as its inverse, or as its Cholesky factor."""

    def _set(self, covariance_matrix, precision_matrix, scale_tril, lead):
        """Set the one given matrix; the batch shape, with that of the other parameter, `lead`."""
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise error("arguments-exclude",
                        ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                                   "specified."),
                        names=list(given),
                        why="the covariance is described in three ways, of which exactly one is needed; given: "
                            "{names}." if given else
                            "the covariance is described in three ways, of which one is needed, and none was given.",
                        fix="give covariance_matrix, or precision_matrix (its inverse), or scale_tril (its Cholesky "
                            "factor).")
        (name, value), = given.items()
        if value.ndim < 2:
            raise error("tensor-dims",
                        ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions"),
                        what=name, shape=value.shape, need="at least {n}", n=2,
                        fix="torch.diag(variances) makes a matrix of variances.")
        batch = Size(np.broadcast_shapes(tuple(value.shape[:-2]), lead))
        setattr(self, name, value.expand(*batch, *value.shape[-2:]))
        self._given = name, value
        return batch

    def _factor(self):
        """The Cholesky factor of the covariance matrix as it was given, not expanded."""
        name, value = self._given
        if name == "scale_tril":
            return value
        return m.cholesky(value) if name == "covariance_matrix" else precision_to_scale_tril(value)

    def _expanded_matrix(self, x):
        return x.expand(*self._batch_shape, *x.shape[-2:])

    @lazy_property
    def scale_tril(self):
        """The lower triangular Cholesky factor of the covariance matrix."""
        return self._expanded_matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        """The covariance matrix."""
        tril = self._unbroadcasted_scale_tril
        return self._expanded_matrix(m.matmul(tril, tril.mT))

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        return self._expanded_matrix(m.cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(_ByCovariance):
    """Normal vectors with mean `loc` and a covariance matrix.

    >>> d = kobai.distributions.MultivariateNormal(kobai.zeros(2), kobai.eye(2))
    >>> d.log_prob(kobai.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"loc": 1, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.ndim < 1:
            raise error("tensor-dims", ValueError("loc must be at least one-dimensional."), what="loc", shape=loc.shape,
                        need="at least {n}", n=1,
                        fix="give a vector, torch.zeros(2); for single numbers there is Normal.")
        batch = self._set(covariance_matrix, precision_matrix, scale_tril, tuple(loc.shape[:-1]))
        self.loc = loc.expand(*batch, *loc.shape[-1:])
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = self._factor()

    mean = mode = property(lambda self: self.loc)

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(*self._batch_shape, *self._event_shape)

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        eps = standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + _times(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value):
        self._check(value)
        tril = self._unbroadcasted_scale_tril
        distance = _mahalanobis(tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - _half_log_det(tril)

    def entropy(self):
        h = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi)) + _half_log_det(self._unbroadcasted_scale_tril)
        return h if len(self._batch_shape) == 0 else h.expand(self._batch_shape)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with covariance matrix cov_factor @ cov_factor^T + diag(cov_diag).

    The formulas need only matrices as large as the factor has columns (Woodbury's identity).
    """

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"loc": 1, "cov_factor": 2, "cov_diag": 1}

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.ndim < 1:
            raise error("tensor-dims", ValueError("loc must be at least one-dimensional."), what="loc", shape=loc.shape,
                        need="at least {n}", n=1,
                        fix="give a vector, torch.zeros(2); for single numbers there is Normal.")
        n = loc.shape[-1]
        if cov_factor.ndim < 2:
            raise error("tensor-dims",
                        ValueError("cov_factor must be at least two-dimensional, with optional leading batch "
                                   "dimensions"),
                        what="cov_factor", shape=cov_factor.shape, need="at least {n}", n=2)
        if cov_factor.shape[-2] != n:
            raise error("dimension-size", ValueError(f"cov_factor must be a batch of matrices with shape {n} x m"),
                        what="cov_factor", dim=-2, size=cov_factor.shape[-2], length=n,
                        must="{length}, the length of loc")
        if tuple(cov_diag.shape[-1:]) != (n,):
            raise error("tensor-shape", ValueError(f"cov_diag must be a batch of vectors with shape {Size((n,))}"),
                        what="cov_diag", shape=cov_diag.shape, want=(n,))
        batch = np.broadcast_shapes(tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1]))
        self.loc, self.cov_diag = loc.expand(*batch, n), cov_diag.expand(*batch, n)
        self.cov_factor = cov_factor.expand(*batch, *cov_factor.shape[-2:])
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)
        super().__init__(batch, (n,), validate_args=validate_args)

    mean = mode = property(lambda self: self.loc)

    @lazy_property
    def variance(self):
        factor, diag = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return (factor.pow(2).sum(-1) + diag).expand(*self._batch_shape, *self._event_shape)

    def _matrix(self, x):
        n, = self._event_shape
        return x.expand(*self._batch_shape, n, n)

    @lazy_property
    def scale_tril(self):
        """The lower triangular Cholesky factor of the covariance matrix."""
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        inside = m.matmul(scaled, scaled.mT) + _eye(self._event_shape[0], scaled)
        return self._matrix(root * m.cholesky(inside))

    @lazy_property
    def covariance_matrix(self):
        """The covariance matrix."""
        factor = self._unbroadcasted_cov_factor
        return self._matrix(m.matmul(factor, factor.mT) + m.diag_embed(self._unbroadcasted_cov_diag))

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance matrix."""
        diag = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diag.unsqueeze(-2)
        A = m.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._matrix(m.diag_embed(diag.reciprocal()) - m.matmul(A.mT, A))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        few = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc.dtype)
        each = standard_normal(shape, self.loc.dtype)
        return self.loc + _times(self._unbroadcasted_cov_factor, few) + self._unbroadcasted_cov_diag.sqrt() * each

    def log_prob(self, value):
        self._check(value)
        factor, diag = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        d = value - self.loc
        distance = lowrank_mahalanobis(factor, diag, d, self._capacitance_tril)
        log_det = lowrank_log_det(diag, self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + distance)

    def entropy(self):
        log_det = lowrank_log_det(self._unbroadcasted_cov_diag, self._capacitance_tril)
        h = 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + log_det)
        return h if len(self._batch_shape) == 0 else h.expand(self._batch_shape)


def capacitance_tril(factor, diag):
    """The Cholesky factor of 1 + W^T D^-1 W."""
    weighted = factor.mT / diag.unsqueeze(-2)
    return m.cholesky(m.matmul(weighted, factor) + _eye(factor.shape[-1], factor))


def lowrank_log_det(diag, capacitance):
    """log det(W W^T + D)."""
    return 2 * _half_log_det(capacitance) + m.log(diag).sum(-1)


def lowrank_mahalanobis(factor, diag, x, capacitance):
    """x^T (W W^T + D)^-1 x."""
    inner = _times(factor.mT / diag.unsqueeze(-2), x)
    return (x.pow(2) / diag).sum(-1) - _mahalanobis(capacitance, inner)


class Wishart(_ByCovariance, ExponentialFamily):
    """The distribution of sums of x x^T over `df` normal vectors x: of covariance matrices.

    Samples are made by M. S. Bartlett's decomposition. Differs from PyTorch: samples have gradients with any
    sample shape, and there is no warning.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _expanded = {"df": 0, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}

    def __init__(self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        df = df if isinstance(df, Tensor) else tensor(float(df))
        batch = self._set(covariance_matrix, precision_matrix, scale_tril, tuple(df.shape))
        event = self._given[1].shape[-2:]
        self.df = df.to(self._given[1].dtype).expand(batch)
        if (self.df <= event[-1] - 1).any():
            raise error("argument-value",
                        ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}."),
                        what="df", value=df.min().item(), low=event[-1] - 1, must="a number above {low}")
        super().__init__(batch, event, validate_args=validate_args)
        self._unbroadcasted_scale_tril = self._factor()

    @property
    def arg_constraints(self):
        n = self._given[1].shape[-1]
        return {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(n - 1)}

    def _df(self):
        return self.df.reshape(*self._batch_shape, 1, 1)

    mean = property(lambda self: self._df() * self.covariance_matrix)

    @property
    def mode(self):
        factor = self._df() - self._event_shape[-1] - 1
        return m.where(factor <= 0, math.nan, factor) * self.covariance_matrix

    @property
    def variance(self):
        V = self.covariance_matrix
        d = _diagonal(V)
        return self._df() * (V.pow(2) + d.unsqueeze(-1) * d.unsqueeze(-2))

    def rsample(self, sample_shape=Size(())):  # noqa: B008
        self._bartlett(sample_shape)  # PyTorch replaces its first sample: drawing it keeps the numbers the same
        return self._bartlett((Size(sample_shape).numel(),)).reshape(self._extended_shape(sample_shape))

    def _bartlett(self, sample_shape):
        n = self._event_shape[-1]
        chi2 = Chi2(self.df.unsqueeze(-1) - wrap(np.arange(n)).to(self.df.dtype), validate_args=False)
        diagonal = chi2.rsample(sample_shape).sqrt().clamp(min=eps_of(self.df.dtype)).diag_embed()
        below = randn((*sample_shape, *self._batch_shape, n * (n - 1) // 2), dtype=self.df.dtype)
        rows, columns = np.tril_indices(n, -1)
        lower = m.zeros_like(diagonal.detach())
        lower[..., rows, columns] = below
        factor = m.matmul(self._unbroadcasted_scale_tril, diagonal + lower)
        return m.matmul(factor, factor.mT)

    def log_prob(self, value):
        self._check(value)
        nu, n, tril = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        volume = -nu * (n * math.log(2) / 2 + _half_log_det(tril)) - m.mvlgamma(nu / 2, n)
        log_det = m.slogdet(value)[1]
        trace = _diagonal(m.cholesky_solve(value, tril)).sum(-1)
        return volume + (nu - n - 1) / 2 * log_det - trace / 2

    def entropy(self):
        nu, n = self.df, self._event_shape[-1]
        digammas = sum(m.digamma(nu / 2 - i / 2) for i in range(n))
        return ((n + 1) * (n * math.log(2) / 2 + _half_log_det(self._unbroadcasted_scale_tril)) + m.mvlgamma(nu / 2, n)
                - (nu - 1 - n) / 2 * digammas + n * nu / 2)

    @property
    def _natural_params(self):
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x, y):
        n = self._event_shape[-1]
        return (y + (n + 1) / 2) * (-m.slogdet(-2 * x)[1] + math.log(2) * n) + m.mvlgamma(y + (n + 1) / 2, n)


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices, of density proportional to det^(concentration - 1) of these.

    Samples by the onion method (D. Lewandowski, D. Kurowicka and H. Joe, 2009).
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _expanded = {"concentration": 0}

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise error("argument-value",
                        ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."),
                        what="dim", value=dim, low=2, must="a whole number of at least {low}")
        self.dim = dim
        self.concentration = concentration if isinstance(concentration, Tensor) else tensor(float(concentration))
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape=Size(())):  # noqa: B008
        with no_grad():
            offset = wrap(np.maximum(np.arange(self.dim) - 1, 0).astype(self.concentration.dtype.np))
            above = (self.concentration + 0.5 * (self.dim - 2)).unsqueeze(-1) - 0.5 * offset
            shares = Beta(offset + 0.5, above).sample(sample_shape).unsqueeze(-1)
            normal = randn(self._extended_shape(sample_shape), dtype=self.concentration.dtype).tril(-1)
            directions = normal / normal.norm(dim=-1, keepdim=True)
            directions[..., 0, :] = 0
            w = shares.sqrt() * directions
            rest = (1 - (w ** 2).sum(-1)).clamp(min=tiny_of(w.dtype)).sqrt()
            return w + m.diag_embed(rest)

    def log_prob(self, value):
        self._check(value)
        n, c = self.dim, self.concentration
        below = m.log(_diagonal(value)[..., 1:])
        order = 2 * (c - 1).unsqueeze(-1) + n - wrap(np.arange(2, n + 1).astype(c.dtype.np))
        alpha = c + 0.5 * (n - 1)
        norm = 0.5 * (n - 1) * math.log(math.pi) + m.mvlgamma(alpha - 0.5, n - 1) - m.lgamma(alpha) * (n - 1)
        return (order * below).sum(-1) - norm


__all__ = ["LKJCholesky", "LowRankMultivariateNormal", "MultivariateNormal", "Wishart"]
