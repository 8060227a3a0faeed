"""PyTorch's old constructors: torch.Tensor(2, 3), torch.LongTensor([1, 2]), x.new(...)."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..dtypes import c_name, type_word
from ..op import m
from ..public import export
from ..tensor import LiftedTensor, Size, Tensor, wrap
from .arguments import check_options, sizes
from .construct import from_data


def build(d, args, device=None, cls=Tensor):
    """A tensor of dtype `d`: of a shape, if the arguments are ints or a Size, else of data."""
    check_options(device)
    if len(args) == 1 and not isinstance(args[0], Size):
        data = args[0]
        if isinstance(data, Tensor):
            return _same_memory(data, cls)
        if isinstance(data, bool) or isinstance(data, (float, complex)) or data is None:
            raise error("argument-type", TypeError(f"new(): data must be a sequence (got {type(data).__name__})"),
                        what="data", kind=type(data), must="a shape, or a list of numbers",
                        fix="torch.tensor(number) makes a tensor of one number.")
        if not hasattr(data, "__index__") or isinstance(data, np.ndarray) and data.ndim:
            return wrap(np.array(from_data(data, d)._data), cls)
    shape = sizes((tuple(args[0]),) if args and isinstance(args[0], Size) else args, "new")
    return wrap(np.zeros(shape if args else (0,), d.np), cls)


def _same_memory(t, cls):
    """The tensor under another name: same memory, same history."""
    if cls is Tensor or isinstance(t, LiftedTensor):
        return m.identity(t)
    out = wrap(t._array(), cls)
    out._ver, out._rg = t._ver, t._rg and t._node is None
    return out


def _constructor(cls, *args, device=None, dtype=None):
    """Tensor(2, 3) has that shape (and zeros); Tensor([1, 2]) holds data. Better: torch.zeros, torch.tensor."""
    d = dtype or dtypes.get_default_dtype()
    return build(d, args, device, cls)


Tensor.__new__ = staticmethod(_constructor)


def _options(d):
    """What PyTorch's message says of a tensor."""
    return (f"TensorOptions(dtype={c_name(d)}, device=cpu, layout=Strided, requires_grad=false (default), "
            "pinned_memory=false (default), memory_format=(nullopt))")


class _Typed(type):
    """The class of FloatTensor and its kin: isinstance() looks at the dtype."""

    def __instancecheck__(cls, obj):
        return isinstance(obj, Tensor) and obj.dtype is cls.dtype

    def __call__(cls, *args, device=None):
        if len(args) == 1 and isinstance(args[0], Tensor) and args[0].dtype is not cls.dtype:
            raise error("dtypes-differ", TypeError(f"expected {_options(cls.dtype)} (got {_options(args[0].dtype)})"),
                        what="data", dtype=args[0].dtype, other=f"torch.{cls.__name__}", other_dtype=cls.dtype,
                        why="{other} holds {other_dtype}, and the tensor given is {dtype}; a constructor does not "
                            "convert tensors.", fix="convert it: x.to({other_dtype}).")
        return build(cls.dtype, args, device)


def _make(d):
    cls = _Typed(type_word(d) + "Tensor", (), {"dtype": d, "__module__": "torch", "__doc__": f"Tensors of {d!r}.",
                                               "is_cuda": False})
    export("torch", cls.__name__, cls)
    return cls


_HAD = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
CLASSES = {dtypes.NAMES[name]: _make(dtypes.NAMES[name]) for name in _HAD if name in dtypes.NAMES}


def new(self, *args, device=None):
    """A tensor of this one's dtype: new(2, 3) of a shape, new([1, 2]) of data."""
    return build(self.dtype, args, device)


def as_subclass(self, cls):
    """The same memory, with its history, as an instance of a subclass of Tensor."""
    from ..subclasses import as_class  # noqa: PLC0415  (what it needs stands above)
    return as_class(self, cls)


def _make_subclass(cls, data, require_grad=False):
    """The memory of `data` as an instance of `cls`, a leaf."""
    out = _same_memory(data.detach(), cls)
    return out.requires_grad_(require_grad)


def set_default_tensor_type(t):
    """Set the default dtype by a class such as torch.DoubleTensor, or its name."""
    given = t
    if isinstance(t, str):
        t = next((c for c in CLASSES.values() if t == f"torch.{c.__name__}"), None)
    if t is None or not hasattr(t, "dtype"):
        raise error("argument-choice", TypeError(
                    "invalid type object: only floating-point types are supported as the default type"), what="t",
                    value=given,
                    choices=["torch.FloatTensor", "torch.DoubleTensor", "torch.HalfTensor", "torch.BFloat16Tensor"],
                    fix="write one of {choices}, or use torch.set_default_dtype(torch.float64).")
    dtypes.set_default_dtype(t.dtype)


def typename(obj):
    """The name of an object's type, with its module; of a tensor, its old type name."""
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    where = getattr(named, "__module__", "") or ""
    return named.__qualname__ if where in ("", "builtins", "__builtin__") else f"{where}.{named.__qualname__}"


export("Tensor", "new", new)
export("Tensor", "as_subclass", as_subclass)
export("Tensor", "_make_subclass", staticmethod(_make_subclass))
export("torch", "set_default_tensor_type", set_default_tensor_type)
export("torch", "typename", typename)
