"""`Variable`, kept for old programs: a Tensor is all there is."""
from __future__ import annotations

from ..tensor import Tensor


class _VariableType(type):
    def __instancecheck__(cls, other):
        return isinstance(other, Tensor)


class Variable(metaclass=_VariableType):
    """Variable(tensor, requires_grad=False) returns a tensor on the same memory."""

    def __new__(cls, data, requires_grad=False, volatile=False):
        t = data.detach()
        return t.requires_grad_(requires_grad) if requires_grad else t
