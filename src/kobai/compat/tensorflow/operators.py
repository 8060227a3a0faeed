"""Python's operators on tensors and variables, from the functions of the same meaning."""
from __future__ import annotations

from . import arithmetic as a, indexing, matrices
from .tensors import EagerTensor, Tensor
from .variables import Variable

_BINARY = {"add": a.add, "sub": a.subtract, "mul": a.multiply, "truediv": a.truediv, "floordiv": a.floordiv,
           "mod": a.floormod, "pow": a.pow, "matmul": matrices.matmul, "and": a.and_, "or": a.or_, "xor": a.xor_}
_COMPARISONS = {"lt": a.less, "le": a.less_equal, "gt": a.greater, "ge": a.greater_equal, "eq": a.equals,
                "ne": a.differs}
_UNARY = {"neg": a.negative, "abs": a.abs, "invert": a.invert}


def _forward(fn):
    def method(self, other):
        return NotImplemented if hasattr(other, "_is_symbolic") else fn(self, other)
    return method


def _backward(fn):
    def method(self, other):
        return fn(other, self)
    return method


def add_operators(cls):
    """Give a class of tensor-likes all operators."""
    for name, fn in _BINARY.items():
        setattr(cls, f"__{name}__", _forward(fn))
        setattr(cls, f"__r{name}__", _backward(fn))
    for name, fn in _COMPARISONS.items():
        setattr(cls, f"__{name}__", _forward(fn))
    for name, fn in _UNARY.items():
        setattr(cls, f"__{name}__", lambda self, fn=fn: fn(self))


add_operators(Tensor)
add_operators(Variable)
Tensor.__getitem__ = EagerTensor.__getitem__ = indexing.getitem
Variable.__getitem__ = indexing.variable_item
