"""Tensors on the device "meta": a shape and a dtype without numbers. Ops on them find out shapes.

A stand-in array of zeros, of which only one is in memory, says shape and dtype. Ops come here from the general
way (`general.py`): these tensors refuse their array to the short ones.
"""
from __future__ import annotations

from importlib import import_module
from sys import _getframe

import numpy as np

from .autograd.mode import modes
from .devices import device
from .diagnose import error
from .general import CONSTANT, _unify, failure, grad_mask, record
from .tensor import Tensor

meta = device("meta")
_held, _held_grad = Tensor.__dict__["_data"], Tensor.__dict__["_grad"]
_NO_DATA = "Cannot copy out of meta tensor; no data!"


def stand_in(shape, d):
    """An array of this shape and NumPy dtype that takes no memory."""
    return np.broadcast_to(np.zeros((), d), tuple(shape))


def made(shape, d, requires_grad=False):
    """A meta tensor of a shape and a NumPy dtype."""
    t = _new(MetaTensor, stand_in(shape, d))
    return t.requires_grad_() if requires_grad else t


def of(t, dtype=None):
    """A meta tensor like `t`."""
    return made(t._value.shape, t._value.dtype if dtype is None else dtype.np)


def _new(cls, array):
    t = object.__new__(cls)
    _held.__set__(t, array)
    t._ver, t._base, t._grad, t._node, t._rg = [0, None], None, None, None, False
    return t


def of_class(data, cls):
    """The meta tensor `data` as an instance of `cls`, a subclass of Tensor such as nn.Parameter."""
    kind = _kinds.get(cls)
    if kind is None:
        kind = _kinds[cls] = type(cls.__name__, (MetaMixin, cls), {"__slots__": (), "__module__": "kobai.meta"})
        kind.__module__ = cls.__module__
    return _new(kind, data._value)


_kinds: dict = {}


def without_numbers(what):
    """The error for whatever needs numbers."""
    return error("machine", RuntimeError(f"Tensor.{what}() cannot be called on meta tensors"), device="meta",
                 why="a tensor on the device meta has a shape and a dtype, and no numbers.",
                 fix="make it on the CPU (device='cpu'), or give the module memory with "
                     "module.to_empty(device='cpu') and load or initialise its parameters.")


def _depends_on_numbers(name):
    """The error for an op whose result has a shape that only numbers tell."""
    return error("machine", NotImplementedError(f"aten::{name}: attempted to run this operator with Meta tensors, but there was "
                                                "no fake impl or Meta kernel registered"), device="meta",
                 why="how large its result is depends on numbers, and a tensor on the device meta has none.",
                 fix="make the tensor on the CPU (device='cpu'); or use what keeps the shape, such as torch.where.")


def no_data(more=""):
    """The error for copying numbers out of a meta tensor."""
    return error("machine", NotImplementedError(_NO_DATA + more), device="meta",
                 why="a tensor on the device meta has a shape and a dtype, and no numbers.",
                 fix="module.to_empty(device='cpu') gives a module memory; then load_state_dict(...), or initialise it. "
                     "torch.empty_like(x, device='cpu') does so for a tensor.")


class MetaMixin:
    """What tensors without numbers do otherwise than others."""

    __slots__ = ()
    is_meta, is_cpu = True, False
    device = property(lambda self: meta)

    def _array_or_refusal(self):
        if _getframe(1).f_globals["__name__"] == "kobai.op" or _getframe(1).f_code.co_name == "_plain_values":
            raise AttributeError("a tensor on the device meta has no array")  # plain: caught by the ops
        return _held.__get__(self)

    _data = property(_array_or_refusal, _held.__set__)
    _grad = property(lambda self: _held_grad.__get__(self), lambda self, g: _held_grad.__set__(self, _without_memory(g)))
    data = property(lambda self: of(self), lambda self, other: _held.__set__(self, other._value))

    def stride(self, dim=None):
        """Steps in a contiguous tensor of this shape."""
        steps = np.cumprod([1, *self._value.shape[:0:-1]])[::-1] if self._value.shape else ()
        steps = tuple(map(int, steps))
        return steps if dim is None else steps[dim]

    def is_contiguous(self, memory_format=None):
        """Always."""
        return True

    def detach(self):
        """The same without history."""
        return of(self)

    def item(self):
        raise without_numbers("item")

    def __bool__(self):
        raise without_numbers("item")

    __float__ = __int__ = __index__ = __complex__ = __bool__

    def tolist(self):
        raise no_data()

    def cpu(self, memory_format=None):
        raise no_data()

    def numpy(self, *, force=False):
        raise error("machine", TypeError("can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy "
                                         "the tensor to host memory first."), device="meta",
                    why="a tensor on the device meta has a shape and a dtype, and no numbers.",
                    fix="make it on the CPU: device='cpu'.")

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def _filled(self, *args, **kwargs):
        """Nothing to fill: itself."""
        return self

    fill_ = zero_ = normal_ = uniform_ = copy_ = bernoulli_ = random_ = exponential_ = cauchy_ = log_normal_ = _filled
    geometric_ = _filled

    def __setitem__(self, index, value):
        """Nothing to set."""

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), self._again())

    def _again(self):
        t = _new(type(self), self._value)
        t._rg = self._rg and self._node is None
        t.__dict__.update(self.__dict__)
        return t

    def __reduce_ex__(self, protocol):
        # Not by class: their names are PyTorch's.
        return _rebuild, (type(self).__name__, self._value.shape, self._value.dtype, self._rg and self._node is None)


def _without_memory(g):
    """A gradient as a meta tensor."""
    return of(g) if isinstance(g, Tensor) and not g.is_meta and g._node is None else g


class MetaTensor(MetaMixin, Tensor):
    """A tensor of no class of its own."""


MetaTensor.__name__ = MetaTensor.__qualname__ = "Tensor"
MetaTensor.__module__ = "torch"


def _rebuild(name, shape, d, requires_grad):
    t = made(shape, d)
    if name != "Tensor":
        t = of_class(t, getattr(import_module("kobai.nn.parameter"), name))
    return t.requires_grad_(requires_grad)


# ---- ops ---------------------------------------------------------------------------------------
def apply(op, inputs):
    """The result of an op of which some inputs are meta tensors: shapes and dtypes."""
    tensors = list(inputs)
    expected = next(t.device for t in tensors if isinstance(t, Tensor) and (t.is_meta or t._value.shape))
    for t in tensors:
        if isinstance(t, Tensor) and t.device != expected and (t.is_meta or t._value.shape):
            raise error("machine",
                        RuntimeError(f"Tensor on device {t.device} is not on the expected device {expected}!"),
                        why="one tensor has numbers, and another one, on the device meta, has none.",
                        fix="make both with the same device=; module.to_empty(device='cpu') gives a module memory.")
    if op.common:
        tensors = _unify(op, tensors)
    values = [t._value if isinstance(t, Tensor) else t for t in tensors]
    if op.dynamic is not None and op.dynamic(*values):
        raise _depends_on_numbers(type(op).__name__.lower())
    try:
        with np.errstate(all="ignore"):
            shapes, kinds = _inferred(op, values)
    except (ValueError, TypeError) as e:
        raise failure(op, values, e) from None
    stands = tuple([stand_in(s, d) for s, d in zip(shapes, kinds)])
    outs = tuple([_new(MetaTensor, y) for y in stands])
    one = op.outputs == 1
    mask = grad_mask(tensors)
    if mask and modes.grad and op.differentiable:
        is_complex = any(d.kind == "c" for d in kinds)
        cells = [CONSTANT if t is None else t for t in tensors]
        record(op, cells, values, outs[0] if one else outs, stands[0] if one else stands, mask, is_complex)
    return outs[0] if one else outs


def _inferred(op, values):
    """(shapes, dtypes) of the results: by rules where the op itself would take the time and memory of real ones."""
    if op.elementwise:
        small = [_corner(v) for v in values]
        y = op.forward(*small)
        return [np.broadcast_shapes(*[np.shape(v) for v in values])], [y.dtype]
    if hasattr(op, "shapes"):
        return tuple(zip(*op.shapes(*values)))
    if type(op).moves and type(op).__name__.startswith(("Fill", "Zero", "Clone", "Cast")):
        return [values[0].shape], [op.forward(_corner(values[0])).dtype]
    dim = getattr(op, "dim", None)
    if len(values) == 1 and isinstance(dim, tuple) and hasattr(op, "keepdim") and 0 not in values[0].shape:
        return _reduced(op, values[0], dim or range(values[0].ndim))
    y = op.forward(*values)
    outs = y if op.outputs != 1 else (y,)
    return [np.shape(v) for v in outs], [v.dtype for v in outs]


def _corner(v):
    return v[(slice(0, 1),) * v.ndim] if isinstance(v, np.ndarray) else v


def _reduced(op, x, dim):
    y = op.forward(_corner(x))
    outs = y if op.outputs != 1 else (y,)
    shape = [1 if i in dim else s for i, s in enumerate(x.shape) if op.keepdim or i not in dim]
    return [tuple(shape)] * len(outs), [v.dtype for v in outs]
