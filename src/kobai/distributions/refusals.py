"""The error for a parameter or a sample outside its set of values: which number is wrong, and what it must be."""
from __future__ import annotations

from typing import Any

from ..autograd.mode import modes
from ..diagnose import error
from ..op import m
from . import constraints as c

# {kind of set: (what its members are, how to get one or None)}
_NUMBERS: dict[type, tuple[str, str | None]] = {
    c.Real: ("a number, not NaN", None),
    c.Boolean: ("0 or 1", None),
    c.IntegerInterval: ("a whole number between {low} and {high}", None),
    c.IntegerLessThan: ("a whole number of at most {high}", None),
    c.IntegerGreaterThan: ("a whole number of at least {low}", None),
    c.GreaterThan: ("a number above {low}", "F.softplus(x) and x.exp() of any number x are positive."),
    c.GreaterThanEq: ("a number of at least {low}", None),
    c.LessThan: ("a number below {high}", None),
    c.Interval: ("a number between {low} and {high}", None),
    c.HalfOpenInterval: ("a number of at least {low} and below {high}", None),
}
_EVENTS: dict[type, tuple[str, str | None]] = {
    c.OneHot: ("one 1 and otherwise 0", "F.one_hot(number, classes) makes it from the number of a class."),
    c.Simplex: ("numbers of at least 0 with the sum 1", "x.softmax(-1) of any numbers x is such a vector."),
    c.Multinomial: ("counts of at least 0 with the sum {high} at most", None),
    c.LowerTriangular: ("a lower triangular matrix", "x.tril() sets what is above the diagonal to zero."),
    c.LowerCholesky: ("a lower triangular matrix with a positive diagonal",
                      "torch.linalg.cholesky(covariance) is such a matrix."),
    c.CorrCholesky: ("a lower triangular matrix with a positive diagonal and rows of length 1",
                     "torch.linalg.cholesky(correlations) is such a matrix."),
    c.Square: ("a square matrix", None),
    c.Symmetric: ("a symmetric matrix", "(x + x.mT) / 2 is symmetric."),
    c.PositiveSemidefinite: ("a symmetric matrix without negative eigenvalues", "x @ x.mT is such a matrix."),
    c.PositiveDefinite: ("a symmetric matrix with positive eigenvalues",
                         "x @ x.mT + 1e-4 * torch.eye(n) is such a matrix."),
}
_OTHERS = ("within {allowed}", None)
_NAN = "a step before it computed NaN: look for log, sqrt or a division there, or for a learning rate that is too large."


def refused(plain: Exception, what: str, value: Any, constraint: c.Constraint) -> Exception:
    """The error `plain` with an explanation: `value` of `what` is not in the set `constraint`."""
    while isinstance(constraint, c.IndependentConstraint):
        constraint = constraint.base_constraint
    facts = {"what": what, "allowed": repr(constraint)}
    single = type(constraint) in _NUMBERS
    facts["must"], fix = (_NUMBERS if single else _EVENTS).get(type(constraint), _OTHERS)
    if modes.trace is not None:  # no numbers there that could be shown
        return error("argument-value", plain, why="a number of {what} is not {must}.", **facts)
    outside = ~constraint.check(value)
    for name, bound in (("low", "lower_bound"), ("high", "upper_bound")):
        facts[name] = _at(getattr(constraint, bound, 0), outside)
    one = value.detach()[outside][0].tolist()
    if isinstance(one, float):
        one, fix = float(f"{one:.7g}"), _NAN if one != one else fix
    if fix is not None:
        facts["fix"] = fix
    return error("data-range" if single else "argument-value", plain, value=one, **facts)


def _at(bound: Any, outside: Any) -> Any:
    """The bound of the first value that is outside."""
    if not hasattr(bound, "expand"):
        return bound
    return m.broadcast_to(bound, outside.shape)[outside][0].item()
