"""Joining and splitting dimensions."""
from __future__ import annotations

from typing import Any

from ..diagnose import error
from ..tensor import Tensor
from .module import Module


class Flatten(Module):
    """Joins the dimensions from `start_dim` to `end_dim`; by default all but the batch.

    >>> kobai.nn.Flatten()(kobai.ones(32, 1, 5, 5)).shape
    torch.Size([32, 25])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension `dim` into `unflattened_size`.

    >>> kobai.nn.Unflatten(1, (2, 3))(kobai.ones(4, 6)).shape
    torch.Size([4, 2, 3])
    """

    def __init__(self, dim: int | str, unflattened_size: Any) -> None:
        super().__init__()
        _check_sizes(unflattened_size)
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _check_sizes(sizes: Any) -> None:
    if not isinstance(sizes, (tuple, list)):
        raise error("argument-type",
                    TypeError(f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}"),
                    what="unflattened_size", kind=type(sizes), must="a list or tuple of whole numbers")
    for i, size in enumerate(sizes):
        if not isinstance(size, int):
            raise error("argument-type",
                        TypeError("unflattened_size must be tuple of ints, but found element of type "
                                  f"{type(size).__name__} at pos {i}"),
                        what=f"unflattened_size[{i}]", kind=type(size), must="a whole number")
