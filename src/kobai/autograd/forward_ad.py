"""Forward-mode automatic differentiation with dual tensors (torch.autograd.forward_ad's names)."""
from __future__ import annotations

from typing import NamedTuple

from ..tensor import LiftedTensor, Tensor
from .dual import Dual
from .mode import modes


class UnpackedDualTensor(NamedTuple):
    """The value and the tangent of a dual tensor; the tangent may be None."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level():
    """Open a forward-mode level and return its number."""
    modes.dual = (*modes.dual, len(modes.dual) + 1)
    return modes.dual[-1] - 1


def exit_dual_level(*, level=None):
    """Close the innermost level."""
    if not modes.dual:
        raise RuntimeError("Trying to exit a forward AD level that was not entered")
    modes.dual = modes.dual[:-1]


class dual_level:
    """Within the block, tangents made by `make_dual` are carried along.

    >>> import kobai
    >>> import kobai.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(kobai.tensor(3.0), kobai.tensor(1.0))
    ...     fwAD.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exc):
        exit_dual_level()


def make_dual(tensor, tangent, *, level=None):
    """`tensor` with `tangent` (of its shape) as its derivative."""
    if not modes.dual:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to "
                           "enter_dual_level() first.")
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor.dtype}")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError(f"Trying to set a forward gradient that has a different size than that of the original "
                           f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
                           f"forward gradient is of size {list(tangent.shape)}.")
    return LiftedTensor(Dual(tensor, tangent, modes.dual[-1]))


def unpack_dual(tensor, *, level=None):
    """(primal, tangent) of a dual tensor; of another tensor (itself, None)."""
    v = tensor._value
    if isinstance(v, Dual) and modes.dual and v.level == modes.dual[-1]:
        return UnpackedDualTensor(v.primal, v.tangent)
    return UnpackedDualTensor(tensor, None)
