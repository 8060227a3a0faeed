"""Gradients of random numbers with respect to their distribution's parameters, by implicit differentiation.

A sample x is where the cdf F(x; a) has a random value u that does not depend on a, so dx/da = -(dF/da) / (dF/dx)
(M. Figurnov, S. Mohamed and A. Mnih, Implicit reparameterization gradients, 2018). The samples are drawn
elsewhere and come in as they are. dF/da is a central difference of SciPy's functions in float64: nine digits.
"""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..testing.samples import S
from .special import scipy_function

_gammainc, _gammaincc, _gammaln = map(scipy_function, ("gammainc", "gammaincc", "gammaln"))
_betainc, _betaincc, _betaln = map(scipy_function, ("betainc", "betaincc", "betaln"))
_STEP = 1e-5  # relative: the error of the difference is about its square, that of rounding eps / step


def _difference(lower, upper, a, *rest):
    """dF/da of a cdf, from F where that is below one half, else from 1 - F, so that no digits cancel."""
    h = _STEP * a
    wide, narrow = lower(a + h, *rest), lower(a - h, *rest)
    from_above = upper(a - h, *rest) - upper(a + h, *rest)
    return np.where(wide < 0.5, wide - narrow, from_above) / (2 * h)


class GammaSlope(Op):
    """dx/da of a gamma variate x of shape a and scale 1."""

    samples = [S((3,), (3,), low=0.5, high=3, smooth=False)]

    def forward(self, a, x):
        shape, value = np.asarray(a, np.float64), np.asarray(x, np.float64)
        slope = _difference(_gammainc, _gammaincc, shape, value)
        log_density = (shape - 1) * np.log(value) - value - _gammaln(shape)
        return np.asarray(-slope * np.exp(-log_density)).astype(dtype_of(a))[()]

    def vjp(self, g, needs):
        raise error("not-defined", NotImplementedError(
            "the derivative for '_standard_gamma_grad' is not implemented."),
                    why="the gradient of a random sample has no derivative of its own, neither here nor in PyTorch.",
                    fix="take the gradient of samples only once, without create_graph=True.")

    def batch(self, size, dims, values):
        return self(*values)


class BetaSlope(Op):
    """dx/da of a beta variate x with parameters a and b, divided by 1 - x."""

    samples = [S((3,), (3,), (3,), low=0.2, high=0.8, smooth=False)]

    def forward(self, x, a, b):
        value, first, second = [np.asarray(v, np.float64) for v in (x, a, b)]
        slope = _difference(_betainc, _betaincc, first, second, value)
        # Of the density times 1 - x, so the second power is one higher.
        log_density = (first - 1) * np.log(value) + second * np.log1p(-value) - _betaln(first, second)
        return np.asarray(-slope * np.exp(-log_density)).astype(dtype_of(x))[()]

    def vjp(self, g, needs):
        raise error("not-defined", RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"),
                    why="the gradient of a random sample has no derivative of its own, neither here nor in PyTorch.",
                    fix="take the gradient of samples only once, without create_graph=True.")

    def batch(self, size, dims, values):
        return self(*values)


class StandardGamma(Op):
    """Gamma variates x of scale 1 that follow their shape `alpha`."""

    samples = [S((3,), (3,), low=0.5, high=3, smooth=False)]

    def forward(self, alpha, x):
        return x

    def vjp_alpha(self, g, alpha, x):
        return g * GammaSlope()(alpha, x)

    def batch(self, size, dims, values):
        return self(*values)


class SampleDirichlet(Op):
    """Points x of the simplex that follow the concentrations `alpha` of their Dirichlet distribution."""

    grad_name = "_DirichletBackward"
    samples = [S((2, 3), np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]), low=0.5, high=2, smooth=False)]

    def forward(self, alpha, x):
        return x

    def vjp_alpha(self, g, alpha, x):
        rest = m.sum(alpha, -1, keepdim=True) - alpha
        return BetaSlope()(x, alpha, rest) * (g - m.sum(x * g, -1, keepdim=True))

    def batch(self, size, dims, values):
        return self(*values)
