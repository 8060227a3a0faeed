"""The von Mises distribution of angles."""
from __future__ import annotations

import math

from .. import dtypes
from ..autograd.mode import no_grad
from ..op import m
from ..ops.random import rand
from ..tensor import Size
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all


def _log_bessel(x, order):
    """The logarithm of the modified Bessel function of the first kind, of order 0 or 1."""
    return x + m.log(m.i0e(x) if order == 0 else m.i1e(x))


class VonMises(Distribution):
    """Angles with density proportional to exp(concentration cos(x - loc)).

    Samples by rejection from a wrapped Cauchy distribution (D. J. Best and N. I. Fisher, 1979).
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _expanded = {"loc": 0, "concentration": 0}

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    mean = mode = property(lambda self: self.loc)

    @property
    def variance(self):
        """The circular variance, 1 - I1(concentration) / I0(concentration)."""
        return 1 - m.exp(_log_bessel(self.concentration, 1) - _log_bessel(self.concentration, 0))

    def log_prob(self, value):
        self._check(value)
        return (self.concentration * m.cos(value - self.loc) - math.log(2 * math.pi)
                - _log_bessel(self.concentration, 0))

    def _proposal(self, k):
        """The parameter r of the wrapped Cauchy distribution; for small k its limit, to keep digits."""
        tau = 1 + m.sqrt(1 + 4 * k ** 2)
        rho = (tau - m.sqrt(2 * tau)) / (2 * k)
        return m.where(k < 1e-5, 1 / k + k, (1 + rho ** 2) / (2 * rho))

    def sample(self, sample_shape=Size(())):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        with no_grad():
            k, loc = (v.to(dtypes.float64) for v in (self.concentration, self.loc))
            r, k = (v.expand(shape) for v in (self._proposal(k), k))
            x, done = loc.new_zeros(shape), loc.new_zeros(shape, dtype=dtypes.bool_)
            while not done.all():
                u1, u2, u3 = m.unbind(rand((3, *shape), dtype=dtypes.float64), 0)
                z = m.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = m.logical_or(c * (2 - c) - u2 > 0, m.log(c / u2) + 1 - c >= 0)
                x = m.where(accept, m.sign(u3 - 0.5) * m.acos(f), x)
                done = m.logical_or(done, accept)
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)


__all__ = ["VonMises"]
