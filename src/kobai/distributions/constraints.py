"""Sets of values: what parameters may be, and where a distribution has its values (its support)."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import m
from ..tensor import wrap

__all__ = ["Constraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than",
           "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent",
           "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer",
           "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite", "real",
           "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval"]


class Constraint:
    """A set of tensors. `event_dim` last dimensions belong together; `check` has one truth value for the others.

    >>> kobai.distributions.constraints.simplex.check(kobai.tensor([0.5, 0.5]))
    tensor(True)
    """

    is_discrete = False
    event_dim = 0

    def check(self, value):
        """Whether each value is in the set: a bool tensor."""
        raise error("method-missing", NotImplementedError(f"{type(self).__name__} does not implement check"),
                    cls=type(self), what="check")

    def __repr__(self):
        return type(self).__name__ + "()"


def _and_whole(value, mask):
    """`mask` where values are whole numbers; integers are, and need no look."""
    return (value % 1 == 0) & mask if value.is_floating_point() else mask


class _Bounded(Constraint):
    """Numbers between bounds, given in the order of `names`."""

    names: tuple[str, ...] = ()

    def __init__(self, *bounds, **named):
        for name, bound in zip(self.names, bounds):
            setattr(self, name, bound)
        for name, bound in named.items():
            setattr(self, name, bound)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)}' for n in self.names)})"


class Dependent(Constraint):
    """A set that depends on other parameters, so nothing can be checked before these are known."""

    def __init__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self):
        return self._known(self._is_discrete, "is_discrete")

    @property
    def event_dim(self):
        return self._known(self._event_dim, "event_dim")

    def _known(self, value, name):
        if value is NotImplemented:
            raise error("not-possible", NotImplementedError(f".{name} cannot be determined statically"), name=name,
                        why="this set depends on parameters, so its {name} is not known before they are.",
                        fix="ask the constraint of a distribution that has its parameters, d.support, or give {name} "
                            "to constraints.dependent(...).")
        return value

    def __call__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        """The same with these properties known."""
        return Dependent(is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
                         event_dim=self._event_dim if event_dim is NotImplemented else event_dim)

    def check(self, value):
        raise error("not-possible", ValueError("Cannot determine validity of dependent constraint"),
                    why="this set depends on parameters, so nothing can be checked before they are known.",
                    fix="ask the constraint of a distribution that has its parameters: d.support.check(value).")


def is_dependent(constraint):
    """Whether the set depends on other parameters."""
    return isinstance(constraint, Dependent)


class DependentProperty(property, Dependent):
    """A property that gives a constraint; of the class itself it is a Dependent one."""

    def __init__(self, fn=None, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        property.__init__(self, fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn):
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class IndependentConstraint(Constraint):
    """A set whose `reinterpreted_batch_ndims` next dimensions belong together too: all must be in it."""

    def __init__(self, base_constraint, reinterpreted_batch_ndims):
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    is_discrete = property(lambda self: self.base_constraint.is_discrete)
    event_dim = property(lambda self: self.base_constraint.event_dim + self.reinterpreted_batch_ndims)

    def check(self, value):
        result = self.base_constraint.check(value)
        n = self.reinterpreted_batch_ndims
        if result.ndim < n:
            raise error("tensor-dims",
                        ValueError(f"Expected value.dim() >= {self.base_constraint.event_dim + n} but got "
                                   f"{value.ndim}"),
                        what="value", shape=value.shape, need="at least {n}", n=self.base_constraint.event_dim + n)
        return result.reshape(*result.shape[:result.ndim - n], -1).all(-1) if n else result

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: in that of each component."""

    def __init__(self, base_constraint):
        self.base_constraint = base_constraint

    is_discrete = property(lambda self: self.base_constraint.is_discrete)
    event_dim = property(lambda self: self.base_constraint.event_dim)

    def check(self, value):
        at = value.ndim - self.event_dim
        result = self.base_constraint.check(value.unsqueeze(at))
        return result.reshape(*result.shape[:value.ndim - self.event_dim], -1).all(-1)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r})"


# ---- numbers ---------------------------------------------------------------------------------
class Real(Constraint):
    """All numbers but NaN."""

    def check(self, value):
        return value == value


class Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value):
        return (value == 0) | (value == 1)


class IntegerInterval(_Bounded):
    """Whole numbers from `lower_bound` to `upper_bound`."""

    is_discrete = True
    names = ("lower_bound", "upper_bound")

    def check(self, value):
        return _and_whole(value, (self.lower_bound <= value) & (value <= self.upper_bound))


class IntegerLessThan(_Bounded):
    """Whole numbers up to `upper_bound`."""

    is_discrete = True
    names = ("upper_bound",)

    def check(self, value):
        return _and_whole(value, value <= self.upper_bound)


class IntegerGreaterThan(_Bounded):
    """Whole numbers from `lower_bound` on."""

    is_discrete = True
    names = ("lower_bound",)

    def check(self, value):
        return _and_whole(value, value >= self.lower_bound)


class GreaterThan(_Bounded):
    """Numbers larger than `lower_bound`."""

    names = ("lower_bound",)

    def check(self, value):
        return self.lower_bound < value


class GreaterThanEq(_Bounded):
    """Numbers not smaller than `lower_bound`."""

    names = ("lower_bound",)

    def check(self, value):
        return self.lower_bound <= value


class LessThan(_Bounded):
    """Numbers smaller than `upper_bound`."""

    names = ("upper_bound",)

    def check(self, value):
        return value < self.upper_bound


class Interval(_Bounded):
    """Numbers from `lower_bound` to `upper_bound`, both included."""

    names = ("lower_bound", "upper_bound")

    def check(self, value):
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class HalfOpenInterval(_Bounded):
    """Numbers from `lower_bound` (included) to `upper_bound` (not included)."""

    names = ("lower_bound", "upper_bound")

    def check(self, value):
        return (self.lower_bound <= value) & (value < self.upper_bound)


# ---- vectors ---------------------------------------------------------------------------------
class OneHot(Constraint):
    """Vectors with one 1 and otherwise 0."""

    is_discrete, event_dim = True, 1

    def check(self, value):
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Simplex(Constraint):
    """Vectors of numbers >= 0 that sum to 1 (within 1e-6)."""

    event_dim = 1

    def check(self, value):
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class Multinomial(Constraint):
    """Vectors of counts >= 0 that sum to at most `upper_bound`."""

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound):
        self.upper_bound = upper_bound

    def check(self, x):
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


# ---- matrices --------------------------------------------------------------------------------
class LowerTriangular(Constraint):
    """Matrices with zeros above the diagonal."""

    event_dim = 2

    def check(self, value):
        return (value.tril() == value).reshape(*value.shape[:-2], -1).all(-1)


class LowerCholesky(LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value):
        return super().check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


class CorrCholesky(LowerCholesky):
    """Lower triangular matrices with a positive diagonal and rows of length 1."""

    def check(self, value):
        tolerance = float(np.finfo(value.dtype.np).eps) * value.shape[-1] * 10
        length = (value.detach() ** 2).sum(-1).sqrt()
        return ((length - 1).abs() < tolerance).all(-1) & super().check(value)


class Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value):
        same = value.shape[-2] == value.shape[-1]
        return wrap(np.full(tuple(value.shape[:-2]), same))


class Symmetric(Square):
    """Symmetric matrices."""

    def check(self, value):
        square = super().check(value)
        if not square.all():
            return square
        return m.isclose(value, value.transpose(-2, -1), atol=1e-6).reshape(*value.shape[:-2], -1).all(-1)


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices whose eigenvalues are >= 0."""

    def check(self, value):
        symmetric = super().check(value)
        return (m.eigvalsh(value) >= 0).all(-1) if symmetric.all() else symmetric


class PositiveDefinite(Symmetric):
    """Symmetric matrices whose eigenvalues are > 0."""

    def check(self, value):
        symmetric = super().check(value)
        return wrap(_factorises(value._array())) if symmetric.all() else symmetric


def _factorises(a):
    """Whether each matrix of a batch has a Cholesky factor."""
    def one(x):
        try:
            np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            return False
        return True
    return np.array([one(x) for x in a.reshape(-1, *a.shape[-2:])]).reshape(a.shape[:-2])


# ---- parts -----------------------------------------------------------------------------------
class Cat(Constraint):
    """Pieces along `dim`, of given lengths, each in a set of its own."""

    def __init__(self, cseq, dim=0, lengths=None):
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    is_discrete = property(lambda self: any(c.is_discrete for c in self.cseq))
    event_dim = property(lambda self: max(c.event_dim for c in self.cseq))

    def check(self, value):
        starts = np.cumsum([0, *self.lengths]).tolist()
        return m.cat([c.check(value.narrow(self.dim, s, n)) for c, s, n in zip(self.cseq, starts, self.lengths)],
                     self.dim)


class Stack(Constraint):
    """Slices along `dim`, each in a set of its own."""

    def __init__(self, cseq, dim=0):
        self.cseq, self.dim = list(cseq), dim

    is_discrete = property(lambda self: any(c.is_discrete for c in self.cseq))

    @property
    def event_dim(self):
        dim = max(c.event_dim for c in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value):
        return m.stack([c.check(value.select(self.dim, i)) for i, c in enumerate(self.cseq)], self.dim)


dependent, dependent_property = Dependent(), DependentProperty
independent = IndependentConstraint
boolean, one_hot, real = Boolean(), OneHot(), Real()
nonnegative_integer, positive_integer = IntegerGreaterThan(0), IntegerGreaterThan(1)
integer_interval = IntegerInterval
real_vector = independent(real, 1)
positive, nonnegative = GreaterThan(0.0), GreaterThanEq(0.0)
greater_than, greater_than_eq, less_than = GreaterThan, GreaterThanEq, LessThan
multinomial = Multinomial
unit_interval, interval, half_open_interval = Interval(0.0, 1.0), Interval, HalfOpenInterval
simplex = Simplex()
lower_triangular, lower_cholesky, corr_cholesky = LowerTriangular(), LowerCholesky(), CorrCholesky()
square, symmetric = Square(), Symmetric()
positive_semidefinite, positive_definite = PositiveSemidefinite(), PositiveDefinite()
cat, stack = Cat, Stack
