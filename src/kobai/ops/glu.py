"""Gated linear units: one half of the elements says how much passes of the other."""
from __future__ import annotations

from ..diagnose import error
from ..op import m
from ..public import by_form, public
from .elementwise import Mul
from .labels import shown_as
from .movement import normal_dim

_GLU = shown_as(Mul(), "GluBackward0")


@public("nn.functional")
@by_form
def glu(input, dim=-1):
    """The first half of `dim` times the sigmoid of the second (Dauphin et al. 2016)."""
    if not len(input.shape):
        raise error("tensor-dims", RuntimeError("glu does not support scalars because halving size must be even"),
                    what="input", shape=input.shape, need="at least {n}", n=1,
                    fix="glu() halves a dimension: give a tensor that has an even one.")
    dim = normal_dim(dim, len(input.shape))
    n = input.shape[dim]
    if n % 2:
        raise error("dimension-size", RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {n}"), what="input",
            dim=dim, size=n, must="an even number",
            fix="make it twice as large as the result should be, or name another dimension: glu(x, dim=...).")
    return _GLU(m.narrow(input, dim, 0, n // 2), m.sigmoid(m.narrow(input, dim, n // 2, n // 2)))
