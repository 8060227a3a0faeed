"""From a constraint to a transform of all real numbers to it: to optimise parameters that must stay in a set.

`biject_to` is one to one; `transform_to` may not be, and is the simpler one to optimise through.
"""
from __future__ import annotations

from ..diagnose import error
from . import constraints, transforms


class ConstraintRegistry:
    """Functions that make a transform, by the type of constraint.

    >>> kobai.distributions.transform_to(kobai.distributions.constraints.unit_interval)
    SigmoidTransform()
    """

    def __init__(self):
        self._table = {}

    def register(self, constraint, factory=None):
        """Use `factory(constraint)` for this type of constraint; without a factory, a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise error("argument-type",
                        TypeError("Expected constraint to be either a Constraint subclass or instance, but got "
                                  f"{constraint}"),
                        what="constraint", kind=type(constraint), must="a constraint or a class of constraints",
                        fix="take one of torch.distributions.constraints, or derive a class from "
                            "constraints.Constraint.")
        self._table[kind] = factory
        return factory

    def __call__(self, constraint):
        """The transform to the set `constraint`."""
        factory = self._table.get(type(constraint))
        if factory is None:
            raise error("not-defined",
                        NotImplementedError(f"Cannot transform _{type(constraint).__name__} constraints"),
                        name=type(constraint), why="no transform is known that leads to the set {name}.",
                        fix="register one: @biject_to.register(constraints.{name}), above a function of the "
                            "constraint that returns a transform.")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _both(*kinds):
    def decorate(factory):
        for kind in kinds:
            biject_to.register(kind, factory)
            transform_to.register(kind, factory)
        return factory
    return decorate


@_both(constraints.Real)
def _real(constraint):
    return transforms.identity_transform


def _independent(registry):
    def factory(constraint):
        base = registry(constraint.base_constraint)
        return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)
    registry.register(constraints.IndependentConstraint, factory)


@_both(constraints.GreaterThan, constraints.GreaterThanEq)
def _above(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(),
                                        transforms.AffineTransform(constraint.lower_bound, 1)])


@_both(constraints.LessThan)
def _below(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(),
                                        transforms.AffineTransform(constraint.upper_bound, -1)])


@_both(constraints.Interval, constraints.HalfOpenInterval)
def _between(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and low == 0 and isinstance(high, (int, float)) and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


biject_to.register(constraints.Simplex, lambda constraint: transforms.StickBreakingTransform())
transform_to.register(constraints.Simplex, lambda constraint: transforms.SoftmaxTransform())


transform_to.register(constraints.LowerCholesky, lambda constraint: transforms.LowerCholeskyTransform())
for _kind in (constraints.PositiveDefinite, constraints.PositiveSemidefinite):
    transform_to.register(_kind, lambda constraint: transforms.PositiveDefiniteTransform())


@_both(constraints.CorrCholesky)
def _corr_cholesky(constraint):
    return transforms.CorrCholeskyTransform()


def _parts(registry):
    registry.register(constraints.Cat, lambda c: transforms.CatTransform(
        [registry(part) for part in c.cseq], c.dim, c.lengths))
    registry.register(constraints.Stack, lambda c: transforms.StackTransform(
        [registry(part) for part in c.cseq], c.dim))


for _registry in (biject_to, transform_to):
    _independent(_registry)
    _parts(_registry)
