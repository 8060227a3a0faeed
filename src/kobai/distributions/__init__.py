"""Probability distributions: samples (with gradients where there are any), densities, entropies, divergences.

A policy gradient, say, is `-(dist.log_prob(action) * reward).backward()` for a `Categorical` of a network's
output; a variational autoencoder takes `Normal(mean, std).rsample()`, which has gradients.
"""
from __future__ import annotations

import sys as _sys

from . import (
    categories,
    composed,
    constraint_registry,
    constraints,
    counts,
    distribution,
    gamma as _gamma,
    kl,
    location_scale,
    matrices,
    mixture,
    parameters,
    positive,
    transforms,
    von_mises,
)
from .categories import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from .composed import Independent, TransformedDistribution
from .constraint_registry import biject_to, transform_to
from .counts import Bernoulli, Binomial, ContinuousBernoulli, Geometric, NegativeBinomial, Poisson
from .distribution import Distribution, ExponentialFamily
from .gamma import Beta, Chi2, Dirichlet, FisherSnedecor, Gamma
from .kl import kl_divergence, register_kl
from .location_scale import Cauchy, Laplace, Normal, StudentT, Uniform
from .matrices import LKJCholesky, LowRankMultivariateNormal, MultivariateNormal, Wishart
from .mixture import MixtureSameFamily
from .positive import (
    Exponential,
    GeneralizedPareto,
    Gumbel,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    Kumaraswamy,
    LogisticNormal,
    LogNormal,
    Pareto,
    Weibull,
)
from .transforms import *
from .von_mises import VonMises

# PyTorch's modules, of one distribution each, at their second address.
_HOMES = {
    "bernoulli": counts, "beta": _gamma, "binomial": counts, "categorical": categories, "cauchy": location_scale,
    "chi2": _gamma, "continuous_bernoulli": counts, "dirichlet": _gamma, "exp_family": distribution,
    "exponential": positive, "fishersnedecor": _gamma, "gamma": _gamma, "generalized_pareto": positive,
    "geometric": counts, "gumbel": positive, "half_cauchy": positive, "half_normal": positive,
    "independent": composed, "inverse_gamma": positive, "kumaraswamy": positive, "laplace": location_scale,
    "lkj_cholesky": matrices, "log_normal": positive, "logistic_normal": positive,
    "lowrank_multivariate_normal": matrices, "mixture_same_family": mixture, "multinomial": categories,
    "multivariate_normal": matrices, "negative_binomial": counts, "normal": location_scale,
    "one_hot_categorical": categories, "pareto": positive, "poisson": counts, "relaxed_bernoulli": categories,
    "relaxed_categorical": categories, "studentT": location_scale, "transformed_distribution": composed,
    "uniform": location_scale, "utils": parameters, "weibull": positive, "wishart": matrices,
}
globals().update(_HOMES)
_sys.modules.update({f"{__name__}.{name}": home for name, home in _HOMES.items()})

__all__ = [
    "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "ContinuousBernoulli", "Dirichlet",
    "Distribution", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric",
    "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "InverseGamma", "Kumaraswamy", "LKJCholesky", "Laplace",
    "LogNormal", "LogisticNormal", "LowRankMultivariateNormal", "MixtureSameFamily", "Multinomial",
    "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough",
    "Pareto", "Poisson", "RelaxedBernoulli", "RelaxedOneHotCategorical", "StudentT", "TransformedDistribution",
    "Uniform", "VonMises", "Weibull", "Wishart", "biject_to", "kl_divergence", "register_kl", "transform_to",
] + transforms.__all__
