"""Grids and combinations of the elements of vectors."""
from __future__ import annotations

import itertools
import warnings

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..op import dtype_of, m
from ..public import public


@public("torch")
def meshgrid(*tensors, indexing=None):
    """Coordinates of a grid: for each vector a tensor of the grid's shape, as views.

    `indexing` "ij": dimension i belongs to vector i; "xy": the first two are exchanged, as on paper.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    if not tensors:
        raise error("argument-missing", RuntimeError("meshgrid expects a non-empty TensorList"), fn="meshgrid()",
                    what="tensors", must="at least one vector")
    if indexing is None:
        warnings.warn("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
                      UserWarning, stacklevel=3)
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise error("argument-choice", RuntimeError(
            f"torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: {indexing}"), what="indexing",
            value=indexing, choices=["xy", "ij"])
    for v in tensors:
        if v.ndim > 1:
            raise error("tensor-dims", RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {v.ndim}D tensor"),
                shape=v.shape, fn="meshgrid()", why="one of the tensors has shape {shape}, and {fn} takes vectors.",
                fix="x.flatten() makes a vector of it.")
        if dtype_of(v) != dtype_of(tensors[0]):
            raise error("dtypes-differ", RuntimeError("meshgrid expects all tensors to have the same dtype"),
                        dtype=dtype_of(tensors[0]), other_dtype=dtype_of(v),
                        why="the tensors have different dtypes, {dtype} and {other_dtype}.",
                        fix="convert them to one dtype, for example x.to({dtype}).")
    vectors = [m.reshape(v, (1,)) if v.ndim == 0 else v for v in tensors]
    swap = indexing == "xy" and len(vectors) > 1
    order = (1, 0, *range(2, len(vectors))) if swap else tuple(range(len(vectors)))
    shape = tuple([vectors[i].shape[0] for i in order])
    return tuple([m.expand(m.reshape(v, tuple([-1 if i == k else 1 for i in order])), shape)
                  for k, v in enumerate(vectors)])


@public("torch")
def cartesian_prod(*tensors):
    """All combinations of one element of each vector, a row each.

    >>> kobai.cartesian_prod(kobai.tensor([1, 2]), kobai.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    for v in tensors:
        if v.ndim != 1:
            raise error("tensor-dims", RuntimeError(f"Expect a 1D vector, but got shape {list(v.shape)}"),
                        shape=v.shape, fn="cartesian_prod()",
                        why="one of the tensors has shape {shape}, and {fn} takes vectors.",
                        fix="x.flatten() makes a vector of it.")
    if len(tensors) == 1:
        return tensors[0]
    return m.stack([m.reshape(v, (-1,) if 0 not in v.shape else (0,))
                    for v in meshgrid(*tensors, indexing="ij")], 1)


@public("torch")
def combinations(input, r=2, with_replacement=False):
    """All choices of r elements of a vector, a row each.

    >>> kobai.combinations(kobai.arange(3))
    tensor([[0, 1],
            [0, 2],
            [1, 2]])
    """
    if input.ndim != 1:
        raise error("tensor-dims", RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}"),
                    what="input", shape=input.shape, need="{n}", n=1)
    if r < 0:
        raise error("argument-value", RuntimeError(f"Expect a non-negative number, but got {r}"), what="r", value=r,
                    must="a whole number of at least {low}", low=0)
    if r == 0:
        return m.clone(m.narrow(input, 0, 0, 0))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(np.arange(input.shape[0]), r)), np.int64).reshape(-1, r)
    return m.stack([m.index_select(input, 0, np.ascontiguousarray(rows[:, k])) for k in np.arange(r)], 1)


@public("torch Tensor")
def vander(x, N=None, increasing=False):
    """The powers of a vector's elements as columns, from the highest unless `increasing`."""
    if x.ndim != 1:
        raise error("tensor-dims", RuntimeError("x must be a one-dimensional tensor."), what="x", shape=x.shape,
                    need="{n}", n=1)
    n = x.shape[0] if N is None else N
    if n < 0:
        raise error("argument-value", RuntimeError("N must be non-negative."), what="N", value=n,
                    must="a whole number of at least {low}", low=0)
    if dtypes.of(dtype_of(x)).category < dtypes.FLOAT:
        x = m.cast(x, np.dtype(np.int64))
    powers = _powers(x, n)
    return powers if increasing else m.flip(powers, (1,))


def _powers(x, n):
    one = m.unsqueeze(m.zeros_like(x) + 1, 1)
    columns = [one]
    while len(columns) < n:
        columns.append(columns[-1] * m.unsqueeze(x, 1))
    return m.cat(columns, 1) if n else m.narrow(one, 1, 0, 0)
