"""All parameters as one vector, and back."""
from __future__ import annotations

from collections.abc import Iterable

from ... import cat
from ...diagnose import error
from ...tensor import Tensor
from ..tree import typename


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other.

    >>> kobai.nn.utils.parameters_to_vector([kobai.ones(2), kobai.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    return cat([param.reshape(-1) for param in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the parameters views of consecutive pieces of `vec`."""
    if not isinstance(vec, Tensor):
        raise error("argument-type",
                    TypeError(f"expected torch.Tensor, but got: {typename(vec)}"),
                    what="vec", kind=type(vec), must="a tensor")
    start = 0
    for param in parameters:
        n = param.numel()
        param.data = vec[start:start + n].view(param.shape).data
        start += n
