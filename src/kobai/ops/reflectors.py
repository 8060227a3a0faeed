"""Orthogonal matrices as products of Householder reflections, Q = H1 H2 ... Hk with Hi = 1 - tau_i v_i v_i^H.

Column i of a matrix keeps v_i below its diagonal; v_i is zero above it and one on it (LAPACK's form).
"""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import export, public
from ..return_types import return_type
from ..testing.samples import S
from .decompose import H
from .movement import PutSlice


class Geqrf(Op):
    """The reflections and R of a QR decomposition in one matrix; tau. Not differentiable, as in PyTorch."""

    outputs = "many"
    samples = [S((3, 2), smooth=False), S((2, 2, 3), smooth=False)]

    def forward(self, x):
        if x.size == 0:
            return x.copy(), np.zeros((*x.shape[:-2], min(x.shape[-2:])), x.dtype)
        h, tau = np.linalg.qr(x, "raw")
        return np.swapaxes(h, -1, -2).copy(), tau

    def batch(self, size, batched, values):
        return self(*values)


def _vector(A, i):
    """v_i as a matrix of one column."""
    rows = A.shape[-2]
    below = m.narrow(m.narrow(A, -1, i, 1), -2, i + 1, rows - i - 1)
    n, shape = len(A.shape), (*A.shape[:-2], rows, 1)
    v = PutSlice(n - 2, i + 1, rows, 1, shape)(below)
    return v + np.eye(rows, 1, -i, dtype_of(A))


def _reflected(C, A, tau, i, conjugate=False):
    """H_i C, or H_i^H C."""
    v = _vector(A, i)
    t = m.unsqueeze(m.narrow(tau, -1, i, 1), -1)
    return C - (m.conj(t) if conjugate else t) * (v @ (H(v) @ C))


def _check_factors(input, tau, other, left):
    """PyTorch's errors of ormqr."""
    at = -2 if left else -1
    for what, v in (("input", input), ("other", other)):
        if len(v.shape) < 2:
            raise error("tensor-dims", RuntimeError(f"torch.ormqr: {what} must have at least 2 dimensions."), what=what,
                        shape=tuple(v.shape), need="at least {n}", n=2)
    n, k = other.shape[at], tau.shape[-1]
    if n != input.shape[-2]:
        raise error("shapes-differ", RuntimeError(f"torch.ormqr: other.shape[{at}] must be equal to input.shape[-2]"),
                    what="input", shape=tuple(input.shape), other="other", other_shape=tuple(other.shape),
                    must="other needs as many rows as input" if left else
                         "other needs as many columns as input has rows")
    if k != min(n, input.shape[-1]):
        raise error("shapes-differ", RuntimeError(
                    f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{at}], input.shape[-1])"),
                    what="input", shape=tuple(input.shape), other="tau", other_shape=tuple(tau.shape),
                    must="tau has one number for each column of input",
                    fix="tau comes from geqrf() together with input: a, tau = torch.geqrf(x).")
    if dtype_of(tau) != dtype_of(input):
        raise error("dtypes-differ", RuntimeError(
                    "torch.ormqr: Expected input and tau to have the same dtype, but input has dtype"
                    f"{type_word(input)} and tau has dtype {type_word(tau)}"), what="tau", dtype=dtype_of(tau),
                    other="input", other_dtype=dtype_of(input))


def _check(input, tau, name):
    if len(input.shape) < 2:
        raise error("tensor-dims", RuntimeError(f"torch.{name}: input must have at least 2 dimensions."), what="input",
                    shape=tuple(input.shape), need="at least {n}", n=2)
    if input.shape[-2] < input.shape[-1]:
        raise error("tensor-shape", RuntimeError(
                    f"torch.{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"), what="input",
                    shape=tuple(input.shape), want="(..., m, n)",
                    why="input has shape {shape}, more columns than rows; each column is a reflection, and there are "
                        "no more of them than rows.", fix="cut it to its first {n} columns: x[..., :{n}].",
                    n=input.shape[-2])
    if tau.shape[-1] > input.shape[-1]:
        raise error("shapes-differ", RuntimeError(
                    f"torch.{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"), what="input",
                    shape=tuple(input.shape), other="tau", other_shape=tuple(tau.shape),
                    must="tau has at most one number for each column of input",
                    fix="tau comes from geqrf() together with input: a, tau = torch.geqrf(x).")
    if dtype_of(tau) != dtype_of(input):
        raise error("dtypes-differ", RuntimeError(
                    f"torch.{name}: tau dtype {type_word(tau)} does not match input dtype {type_word(input)}"),
                    what="tau", dtype=dtype_of(tau), other="input", other_dtype=dtype_of(input))


@public("linalg")
def householder_product(input, tau):
    """The first columns of Q = H1 H2 ... Hk. Shape: (..., m, n), (..., k) -> (..., m, n)."""
    _check(input, tau, "linalg.householder_product")
    rows, columns = input.shape[-2:]
    Q = (m.zeros_like(input) if tau.shape[-1] else input * 0) + np.eye(rows, columns, dtype=dtype_of(input))
    for i in reversed(range(tau.shape[-1])):
        Q = _reflected(Q, input, tau, i)
    return Q


export("torch Tensor", "orgqr", householder_product)


@public()
def geqrf(input):
    """(a, tau): R above the diagonal of `a`, reflections below it; `householder_product(a, tau)` is Q."""
    if len(input.shape) < 2:
        raise error("tensor-dims", RuntimeError("torch.geqrf: input must have at least 2 dimensions."), what="input",
                    shape=tuple(input.shape), need="at least {n}", n=2)
    return return_type("geqrf", "a", "tau")(Geqrf()(input))


@public()
def ormqr(input, tau, other, left=True, transpose=False):
    """Q @ other, or other @ Q where not `left`, with Q from reflections; its conjugate transpose if `transpose`."""
    _check_factors(input, tau, other, left)
    if not left:
        return H(ormqr(input, tau, H(other), True, not transpose))
    order = range(tau.shape[-1]) if transpose else reversed(range(tau.shape[-1]))
    for i in order:
        other = _reflected(other, input, tau, i, transpose)
    return other
