"""Kullback-Leibler divergences: a table by the types of the two distributions, with one formula for each pair."""
from __future__ import annotations

import functools
import math
import warnings

from ..autograd import engine
from ..autograd.mode import enable_grad
from ..diagnose import error
from ..op import m
from .categories import Categorical, OneHotCategorical
from .composed import Independent, TransformedDistribution
from .counts import Bernoulli, Binomial, ContinuousBernoulli, Geometric, Poisson
from .distribution import Distribution, ExponentialFamily
from .gamma import Beta, Dirichlet, Gamma
from .location_scale import Cauchy, Laplace, Normal, Uniform
from .matrices import (
    LowRankMultivariateNormal,
    MultivariateNormal,
    _half_log_det,
    _mahalanobis,
    lowrank_log_det as _low_log_det,
    lowrank_mahalanobis as _low_mahalanobis,
)
from .parameters import euler_constant, sum_rightmost
from .positive import Exponential, Gumbel, HalfNormal, Pareto

_TABLE: dict = {}
_FOUND: dict = {}


def register_kl(type_p, type_q):
    """A decorator: the function of (p, q) is used for distributions of these types and their subclasses."""
    if not isinstance(type_p, type) or not issubclass(type_p, Distribution):
        raise error("argument-type", TypeError(f"Expected type_p to be a Distribution subclass but got {type_p}"),
                    what="type_p", kind=type(type_p), must="a class of distributions")
    if not isinstance(type_q, type) or not issubclass(type_q, Distribution):
        raise error("argument-type", TypeError(f"Expected type_q to be a Distribution subclass but got {type_q}"),
                    what="type_q", kind=type(type_q), must="a class of distributions")

    def decorate(fn):
        _TABLE[type_p, type_q] = fn
        _FOUND.clear()
        return fn
    return decorate


def _nearest(type_p, type_q):
    """The function of the nearest base classes; those of p count first."""
    matches = [(p, q) for p, q in _TABLE if issubclass(type_p, p) and issubclass(type_q, q)]
    if not matches:
        return None

    def by(first):
        def distance(pair):
            near = type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])
            return near if first == "p" else near[::-1]
        return min(matches, key=distance)
    left, right = by("p"), by("q")
    if _TABLE[left] is not _TABLE[right]:
        warnings.warn(f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl("
                      f"{left[0].__name__}, {right[1].__name__})", RuntimeWarning, stacklevel=3)
    return _TABLE[left]


def kl_divergence(p, q):
    """The mean of log p(x) - log q(x) over samples x of p.

    >>> kobai.distributions.kl_divergence(kobai.distributions.Normal(0.0, 1.0), kobai.distributions.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    key = type(p), type(q)
    if key not in _FOUND:
        _FOUND[key] = _nearest(*key)
    if _FOUND[key] is None:
        raise _no_formula(p, q, f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}")
    return _FOUND[key](p, q)


def _infinite(like):
    return m.zeros_like(like) + math.inf


def _x_log_x(x):
    return m.xlogy(x, x)


def _no_formula(p, q, text):
    return error("not-defined", NotImplementedError(text), p=type(p), q=type(q),
                 why="no formula is known for KL({p} || {q}).",
                 fix="estimate it, x = p.sample((10000,)); (p.log_prob(x) - q.log_prob(x)).mean(), or register a formula "
                     "with register_kl.")


# ---- the same family -------------------------------------------------------------------------
@register_kl(ExponentialFamily, ExponentialFamily)
def _bregman(p, q):
    """F. Nielsen and R. Nock: the Bregman divergence of the log-normaliser."""
    if type(p) is not type(q):
        raise _no_formula(p, q, "The cross KL-divergence between different exponential families cannot be computed "
                                "using Bregman divergences")
    with enable_grad():
        eta = [v.detach().requires_grad_() for v in p._natural_params]
        norm = p._log_normalizer(*eta)
        slopes = engine.grad([norm.sum()], eta, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - norm
    for a, b, slope in zip(eta, q._natural_params, slopes):
        result = result - sum_rightmost((b - a) * slope, len(q.event_shape))
    return result


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p, q):
    one = p.probs * (m.softplus(-q.logits) - m.softplus(-p.logits))
    one = m.where(p.probs == 0, 0.0, m.where(q.probs == 0, math.inf, one))
    zero = (1 - p.probs) * (m.softplus(q.logits) - m.softplus(p.logits))
    return one + m.where(p.probs == 1, 0.0, m.where(q.probs == 1, math.inf, zero))


@register_kl(Beta, Beta)
def _beta_beta(p, q):
    total_p, total_q = (d.concentration1 + d.concentration0 for d in (p, q))
    norm = (m.lgamma(q.concentration1) + m.lgamma(q.concentration0) + m.lgamma(total_p)
            - m.lgamma(p.concentration1) - m.lgamma(p.concentration0) - m.lgamma(total_q))
    return (norm + (p.concentration1 - q.concentration1) * m.digamma(p.concentration1)
            + (p.concentration0 - q.concentration0) * m.digamma(p.concentration0)
            + (total_q - total_p) * m.digamma(total_p))


@register_kl(Binomial, Binomial)
def _binomial_binomial(p, q):
    if (p.total_count < q.total_count).any():
        raise error("not-defined",
                    NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented"),
                    why="where q.total_count is larger than p.total_count there is no simple formula.",
                    fix="sum over the values: x = p.enumerate_support(); (p.log_prob(x).exp() * (p.log_prob(x) - "
                        "q.log_prob(x))).sum(0).")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + m.log1p(-p.probs) - m.log1p(-q.probs))
    return m.where(p.total_count > q.total_count, math.inf, kl)


@register_kl(Categorical, Categorical)
def _categorical_categorical(p, q):
    t = p.probs * (p.logits - q.logits)
    t = m.where(q.probs == 0, math.inf, t)
    return m.where(m.expand_to(p.probs == 0, tuple(t.shape)), 0.0, t).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _onehot_onehot(p, q):
    return _categorical_categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _cb_cb(p, q):
    return p.mean * (p.logits - q.logits) + p._log_norm() + m.log1p(-p.probs) - q._log_norm() - m.log1p(-q.probs)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet_dirichlet(p, q):
    a, b = p.concentration, q.concentration
    norm = m.lgamma(a.sum(-1)) - m.lgamma(b.sum(-1)) - (m.lgamma(a) - m.lgamma(b)).sum(-1)
    return norm + ((a - b) * (m.digamma(a) - m.digamma(a.sum(-1)).unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential_exponential(p, q):
    ratio = q.rate / p.rate
    return -m.log(ratio) + ratio - 1


@register_kl(Gamma, Gamma)
def _gamma_gamma(p, q):
    return (q.concentration * m.log(p.rate / q.rate) + m.lgamma(q.concentration) - m.lgamma(p.concentration)
            + (p.concentration - q.concentration) * m.digamma(p.concentration)
            + (q.rate - p.rate) * (p.concentration / p.rate))


@register_kl(Gumbel, Gumbel)
def _gumbel_gumbel(p, q):
    ratio, moved = p.scale / q.scale, q.loc / q.scale
    start = p.loc / q.scale
    return (m.log(q.scale) - m.log(p.scale) - moved + start + ratio * euler_constant
            + m.exp(moved + m.lgamma(1 + ratio) - start) - (1 + euler_constant))


@register_kl(Geometric, Geometric)
def _geometric_geometric(p, q):
    return -p.entropy() - m.log1p(-q.probs) / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_half(p, q):
    return _normal_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace_laplace(p, q):
    distance = m.abs(p.loc - q.loc)
    return -m.log(p.scale / q.scale) + distance / q.scale + p.scale / q.scale * m.exp(-distance / p.scale) - 1


@register_kl(Normal, Normal)
def _normal_normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - m.log(ratio))


@register_kl(Cauchy, Cauchy)
def _cauchy_cauchy(p, q):  # F. Chyzak and F. Nielsen (2019)
    return m.log((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)) - m.log(4 * p.scale * q.scale)


@register_kl(Pareto, Pareto)
def _pareto_pareto(p, q):
    ratio = q.alpha / p.alpha
    kl = q.alpha * m.log(p.scale / q.scale) - m.log(ratio) + ratio - 1
    return m.where(p.support.lower_bound < q.support.lower_bound, math.inf, kl)


@register_kl(Poisson, Poisson)
def _poisson_poisson(p, q):
    return p.rate * (m.log(p.rate) - m.log(q.rate)) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform_uniform(p, q):
    kl = m.log((q.high - q.low) / (p.high - p.low))
    return m.where(m.logical_or(q.low > p.low, q.high < p.high), math.inf, kl)


# ---- normal vectors --------------------------------------------------------------------------
def _trace_of_ratio(tril, other):
    """The trace of (tril tril^T)^-1 other other^T."""
    return m.solve_triangular(tril, other, upper=False).pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
def _mvn_mvn(p, q):
    _same_events(p, q)
    a, b = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    return (_half_log_det(b) - _half_log_det(a)
            + 0.5 * (_trace_of_ratio(b, a) + _mahalanobis(b, q.loc - p.loc) - p.event_shape[0]))


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _mvn_low(p, q):
    _same_events(p, q)
    factor, diag, tril = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag, p._unbroadcasted_scale_tril
    log_ratio = _low_log_det(diag, q._capacitance_tril) - 2 * _half_log_det(tril)
    inner = m.solve_triangular(q._capacitance_tril, factor.mT / diag.unsqueeze(-2), upper=False)
    trace = (tril.pow(2) / diag.unsqueeze(-1)).sum((-2, -1)) - m.matmul(inner, tril).pow(2).sum((-2, -1))
    distance = _low_mahalanobis(factor, diag, q.loc - p.loc, q._capacitance_tril)
    return 0.5 * (log_ratio + trace + distance - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_mvn(p, q):
    _same_events(p, q)
    tril = q._unbroadcasted_scale_tril
    log_ratio = 2 * _half_log_det(tril) - _low_log_det(p._unbroadcasted_cov_diag, p._capacitance_tril)
    trace = _trace_of_ratio(tril, p._unbroadcasted_cov_factor) + _trace_of_ratio(
        tril, m.diag_embed(p._unbroadcasted_cov_diag.sqrt()))
    return 0.5 * (log_ratio + trace + _mahalanobis(tril, q.loc - p.loc) - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_low(p, q):
    _same_events(p, q)
    factor, diag = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    own, own_diag = p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag
    log_ratio = _low_log_det(diag, q._capacitance_tril) - _low_log_det(own_diag, p._capacitance_tril)
    inner = m.solve_triangular(q._capacitance_tril, factor.mT / diag.unsqueeze(-2), upper=False)
    trace = ((own_diag / diag).sum(-1) + (own.pow(2) / diag.unsqueeze(-1)).sum((-2, -1))
             - (inner * own_diag.sqrt().unsqueeze(-2)).pow(2).sum((-2, -1)) - m.matmul(inner, own).pow(2).sum((-2, -1)))
    distance = _low_mahalanobis(factor, diag, q.loc - p.loc, q._capacitance_tril)
    return 0.5 * (log_ratio + trace + distance - p.event_shape[0])


def _same_events(p, q):
    if p.event_shape != q.event_shape:
        raise error("shapes-differ",
                    ValueError("KL-divergence between two Multivariate Normals with different event shapes cannot be "
                               "computed"),
                    what="p.event_shape", shape=p.event_shape, other="q.event_shape", other_shape=q.event_shape,
                    must="both must be about vectors of one length")


# ---- made of others --------------------------------------------------------------------------
@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed_transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise _no_formula(p, q, "No KL(p || q) is implemented for different transforms or event shapes")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise _no_formula(p, q, "No KL(p || q) is implemented for different reinterpreted_batch_ndims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# ---- different families ----------------------------------------------------------------------
def _not_within(*pairs):
    """KL is infinite where p has values that q cannot have; any parameter of p gives the shape."""
    for type_p, name, types_q in pairs:
        for type_q in types_q:
            register_kl(type_p, type_q)(functools.partial(_infinite_by, name))


def _infinite_by(name, p, q):
    return _infinite(getattr(p, name))


_not_within(
    (Beta, "concentration1", (Pareto,)), (ContinuousBernoulli, "probs", (Pareto,)),
    (Exponential, "rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gamma, "concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gumbel, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Laplace, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Normal, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Pareto, "scale", (Beta, ContinuousBernoulli, Uniform)), (Poisson, "rate", (Bernoulli, Binomial)))


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * m.log(q.rate) - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_cb(p, q):
    return -p.entropy() - p.mean * q.logits - m.log1p(-q.probs) - q._log_norm()


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
def _to_exponential(p, q):
    return -p.entropy() - m.log(q.rate) + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p, q):
    mean_log = m.digamma(p.concentration1) - m.digamma(p.concentration1 + p.concentration0)
    return (-p.entropy() + m.lgamma(q.concentration) - q.concentration * m.log(q.rate)
            - (q.concentration - 1) * mean_log + q.rate * p.mean)


def _to_normal(p, q):
    """KL of any p with mean and variance to a normal distribution."""
    second = p.variance + (p.mean - q.loc).pow(2)
    return -p.entropy() + 0.5 * m.log(2 * math.pi * q.variance) + 0.5 * second / q.variance


for _type in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform):
    register_kl(_type, Normal)(_to_normal)


@register_kl(Pareto, Normal)
def _pareto_normal(p, q):
    return m.where(p.alpha <= 2, math.inf, _to_normal(p, q))


@register_kl(Beta, Uniform)
def _beta_uniform(p, q):
    kl = -p.entropy() + m.log(q.high - q.low)
    return m.where(m.logical_or(q.low > p.support.lower_bound, q.high < p.support.upper_bound), math.inf, kl)


@register_kl(ContinuousBernoulli, Uniform)
def _cb_uniform(p, q):
    outside = m.logical_or(q.low > p.support.lower_bound, q.high < p.support.upper_bound)
    return m.where(outside, math.inf, -p.entropy() + m.log(q.high - q.low))


@register_kl(Exponential, Gamma)
def _exponential_gamma(p, q):
    ratio = q.rate / p.rate
    return (-q.concentration * m.log(ratio) + ratio + m.lgamma(q.concentration) + q.concentration * euler_constant
            - (1 + euler_constant))


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p, q):
    slope, start = p.rate * q.scale, q.loc / q.scale
    return m.log(slope) - 1 + (slope.reciprocal() - start) + m.exp(start) * slope / (slope + 1)


@register_kl(Gamma, Exponential)
def _gamma_exponential(p, q):
    return -p.entropy() - m.log(q.rate) + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p, q):
    slope, start = p.rate * q.scale, q.loc / q.scale
    return ((p.concentration - 1) * m.digamma(p.concentration) - m.lgamma(p.concentration) - p.concentration
            + m.log(slope) + p.concentration / slope - start
            + m.exp(start) * (1 + slope.reciprocal()).pow(-p.concentration))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p, q):
    mean, width = p.loc / q.scale, (p.scale / q.scale).pow(2)
    start = q.loc / q.scale
    return (mean - start + m.exp(-mean + 0.5 * width + start)
            - 0.5 * (1 + math.log(2 * math.pi)) - 0.5 * m.log(width))


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    d = p.loc - q.loc
    z = d / p.scale
    distance = math.sqrt(2 / math.pi) * p.scale * m.exp(-0.5 * z.pow(2)) + d * m.erf(math.sqrt(0.5) * z)
    return -m.log(p.scale / q.scale) + distance / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p, q):
    kl = m.log(p.alpha / (p.scale * q.rate)) - 1 / p.alpha - 1 + p.alpha * p.scale * q.rate / (p.alpha - 1)
    return m.where(p.alpha <= 1, math.inf, kl)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p, q):
    log_mean = m.log(p.scale) + p.alpha.reciprocal()
    kl = (m.log(p.alpha) - m.log(p.scale) - (1 + p.alpha.reciprocal()) + m.lgamma(q.concentration)
          - q.concentration * m.log(q.rate) + (1 - q.concentration) * log_mean
          + q.rate * p.alpha * p.scale / (p.alpha - 1))
    return m.where(p.alpha <= 1, math.inf, kl)


@register_kl(Uniform, Beta)
def _uniform_beta(p, q):
    width = p.high - p.low
    norm = m.lgamma(q.concentration1) + m.lgamma(q.concentration0) - m.lgamma(q.concentration1 + q.concentration0)
    upper = (q.concentration1 - 1) * ((_x_log_x(p.high) - _x_log_x(p.low) - width) / width)
    lower = (q.concentration0 - 1) * ((_x_log_x(1 - p.high) - _x_log_x(1 - p.low) + width) / width)
    outside = m.logical_or(p.high > q.support.upper_bound, p.low < q.support.lower_bound)
    return m.where(outside, math.inf, norm - m.log(width) - upper + lower)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_cb(p, q):
    kl = -p.entropy() - p.mean * q.logits - m.log1p(-q.probs) - q._log_norm()
    return m.where(m.logical_or(p.high >= q.support.upper_bound, p.low <= q.support.lower_bound), math.inf, kl)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p, q):
    kl = q.rate * (p.high + p.low) / 2 - m.log((p.high - p.low) * q.rate)
    return m.where(p.low < q.support.lower_bound, math.inf, kl)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p, q):
    width = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    kl = (-m.log(width) + m.lgamma(q.concentration) - q.concentration * m.log(q.rate)
          + (1 - q.concentration) * mean_log + q.rate * (p.high + p.low) / 2)
    return m.where(p.low < q.support.lower_bound, math.inf, kl)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p, q):
    slope = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return m.log(slope) + 0.5 * (high + low) - slope * (m.exp(-high) - m.exp(-low))


@register_kl(Uniform, Pareto)
def _uniform_pareto(p, q):
    width = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    kl = mean_log * (q.alpha + 1) - m.log(q.alpha) - q.alpha * m.log(q.scale) - m.log(width)
    return m.where(p.low < q.support.lower_bound, math.inf, kl)


__all__ = ["kl_divergence", "register_kl"]
