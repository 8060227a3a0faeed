"""Solving and factorising without an error for matrices that cannot be: `info` tells which these are."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..op import m
from ..public import public
from ..return_types import return_type
from ..tensor import LiftedTensor, Tensor, wrap
from .creation import zeros
from .decompose import LinAlgError, first_minor, first_zero_pivot
from .linalg import cholesky, inv, solve


@public("linalg")
def solve_ex(A, B, *, left=True, check_errors=False):
    """(result, info): as `solve`, with NaN for each singular matrix; info is the number of its first zero pivot.

    Raises: LinAlgError for a singular matrix, with `check_errors`.

    >>> kobai.linalg.solve_ex(kobai.zeros(2, 2), kobai.ones(2, 1)).info
    tensor(1, dtype=torch.int32)
    """
    found = _told(lambda A: solve(A, B, left=left), A, "torch.linalg.solve", first_zero_pivot, check_errors)
    return return_type("linalg_solve_ex", "result", "info")(*found)


@public("linalg")
def inv_ex(A, *, check_errors=False):
    """(inverse, info): as `inv`, with NaN for each singular matrix; info is the number of its first zero pivot.

    Raises: LinAlgError for a singular matrix, with `check_errors`.
    """
    found = _told(inv, A, "linalg.inv", first_zero_pivot, check_errors)
    return return_type("linalg_inv_ex", "inverse", "info")(*found)


@public("linalg")
def cholesky_ex(A, *, upper=False, check_errors=False):
    """(L, info): as `cholesky`, with NaN for each matrix that is not positive definite.

    info is 0, or the order of the first leading minor that is not positive.

    Raises: LinAlgError for a matrix that is not positive definite, with `check_errors`.

    >>> L, info = kobai.linalg.cholesky_ex(kobai.tensor([[[4.0]], [[-4.0]]]))
    >>> L.flatten(), info
    (tensor([2., nan]), tensor([0, 1], dtype=torch.int32))
    """
    found = _told(lambda A: cholesky(A, upper=upper), A, "linalg.cholesky", first_minor, check_errors)
    return return_type("linalg_cholesky_ex", "L", "info")(*found)


def _told(compute, A, name, first, check_errors):
    """(compute(A), info); `first` finds what is wrong with one matrix. Where all are well nothing else is done."""
    try:
        return compute(A), zeros(tuple(A.shape[:-2]), dtype=dtypes.int32)
    except LinAlgError as e:
        if check_errors:
            e.args = (e.args[0].replace(f"{name}:", f"{name}_ex:", 1), *e.args[1:])
        if check_errors or not isinstance(A, Tensor) or isinstance(A, LiftedTensor):
            raise
    if modes.trace is not None:
        modes.trace.looked("a matrix that cannot be factorised")
    a = A._array()
    info = np.array([first(one) for one in a.reshape(-1, *a.shape[-2:])], np.int32).reshape(a.shape[:-2])
    bad = wrap((info != 0)[..., None, None])
    y = compute(m.where(bad, m.cast(wrap(np.eye(a.shape[-1])), a.dtype), A))
    bad = m.reshape(bad, (*info.shape, *(1,) * (len(y.shape) - info.ndim)))  # a solution may be a vector
    return m.where(bad, float("nan"), y), wrap(info)
