"""Forward-mode automatic differentiation with dual tensors (torch.autograd.forward_ad's names)."""
from __future__ import annotations

from typing import NamedTuple

from ..diagnose import error
from ..op import m
from ..tensor import LiftedTensor, Tensor
from .dual import Dual
from .mode import _Context, modes, transform_level


class UnpackedDualTensor(NamedTuple):
    """The value and the tangent of a dual tensor; the tangent may be None."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level():
    """Open a forward-mode level and return its number, 0."""
    if modes.forward is not None:
        raise error("call-order", RuntimeError("Nested forward mode AD is not supported at the moment"),
                    why="a level of forward mode is open already.",
                    fix="for derivatives of derivatives, nest torch.func.jvp.")
    level = transform_level()
    modes.forward = level.__enter__()
    return 0


def exit_dual_level(*, level=None):
    """Close the level again: tensors made in it have no tangent any more."""
    if modes.forward is None:
        raise error("call-order", RuntimeError("Dual level must be a positive number."),
                    why="no level is open.", fix="with forward_ad.dual_level(): opens one and closes it again.")
    modes.dual = tuple([n for n in modes.dual if n != modes.forward])
    modes.forward = None


class dual_level(_Context):
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
    if modes.forward is None:
        raise error("call-order",
                    RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to "
                                 "enter_dual_level() first."),
                    why="dual tensors live inside a level, and none is open.",
                    fix="write `with torch.autograd.forward_ad.dual_level():` around it.")
    for name, t in (("primal", tensor), ("tangent", tangent)):
        if t._value.dtype.kind not in "fcV":
            raise error("tensor-dtype",
                        ValueError(f"Expected {name} to be floating point or complex, but got: {t.dtype}"),
                        what=name, dtype=t.dtype, fn="make_dual()", must="floating point or complex numbers")
    if isinstance(tensor._value, Dual) and tensor._value.level == modes.forward:
        raise error("call-order",
                    RuntimeError("Making a dual Tensor based on a Tensor that already has a forward gradient at the same "
                                 "level 0 is not supported."),
                    why="the tensor carries a tangent already.",
                    fix="use unpack_dual(t).primal for the bare tensor, or add both tangents.")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise error("tensor-shape",
                    RuntimeError(f"Trying to set a forward gradient that has a different size than that of the original "
                                 f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the given "
                                 f"forward gradient is of size {list(tangent.shape)}."),
                    what="tangent", shape=tangent.shape, want=tensor.shape)
    dual = LiftedTensor(Dual(tensor, tangent, modes.forward))
    if tensor.requires_grad and modes.grad:
        dual._node, dual._rg = m.identity(tensor)._node, True  # so that reverse mode can start from the dual tensor
    return dual


def unpack_dual(tensor, *, level=None):
    """(primal, tangent) of a dual tensor; of another tensor (itself, None)."""
    v = tensor._value
    if not isinstance(v, Dual):
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(v.primal, v.tangent if v.level == modes.forward else None)
