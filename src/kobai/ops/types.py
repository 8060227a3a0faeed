"""Questions about dtypes and tensors: promotion, limits, what is a tensor."""
from __future__ import annotations

import math

import numpy as np

from .. import dtypes
from ..autograd.mode import modes, runs
from ..devices import check as check_device, cpu
from ..diagnose import error
from ..public import export
from ..tensor import Tensor
from .arguments import as_dtype
from .creation import need_tensor


def is_tensor(obj):
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """Whether the elements are floating-point numbers."""
    need_tensor(input, "is_floating_point")
    return input.dtype.is_floating_point


def is_complex(input):
    """Whether the elements are complex numbers."""
    need_tensor(input, "is_complex")
    return input.dtype.is_complex


def is_inference(input):
    """Whether the tensor was made in inference mode: tensors do not remember that here."""
    need_tensor(input, "is_inference")
    return input.is_inference()


def is_signed(input):
    """Whether the dtype has negative numbers."""
    need_tensor(input, "is_signed")
    return input.dtype.is_signed


def numel(input):
    """The number of elements.

    >>> kobai.numel(kobai.zeros(2, 3))
    6
    """
    need_tensor(input, "numel")
    return input._value.size


def is_nonzero(input):
    """Whether the one element of `input` is not zero."""
    need_tensor(input, "is_nonzero")
    return bool(input)


def promote_types(type1, type2):
    """The smallest dtype to which both can be converted.

    >>> kobai.promote_types(kobai.int64, kobai.float16)
    torch.float16
    """
    return dtypes.promote_types(as_dtype(type1), as_dtype(type2))


def result_type(tensor1, tensor2):
    """The dtype of an arithmetic operation on two tensors or numbers."""
    return dtypes.result_type([v._value if isinstance(v, Tensor) else v for v in (tensor1, tensor2)])


def can_cast(from_, to):
    """Whether a conversion between dtypes keeps the category (float to int does not)."""
    return dtypes.can_cast(as_dtype(from_), as_dtype(to))


class iinfo:
    """Limits of an integer dtype.

    >>> kobai.iinfo(kobai.int8).max
    127
    """

    def __init__(self, type):
        d = as_dtype(type)
        if d is dtypes.bool_:
            raise error("tensor-dtype", TypeError("torch.bool is not supported by torch.iinfo"), what="type", dtype=d,
                        fn="iinfo()", must="dtypes of whole numbers",
                        fix="a bool is True or False; iinfo(torch.uint8) is the smallest of whole numbers.")
        if d.category != dtypes.INT:
            raise error("tensor-dtype", TypeError(
                        "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"),
                        what="type", dtype=d, fn="iinfo()", must="dtypes of whole numbers",
                        fix="torch.finfo({dtype}) has the limits of floating point numbers.")
        info = np.iinfo(d.np)
        self.bits, self.min, self.max, self.dtype = info.bits, int(info.min), int(info.max), d.name

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other):
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)


class finfo:
    """Limits of a floating-point dtype (of the default dtype, if none is given).

    >>> kobai.finfo(kobai.float32).eps
    1.1920928955078125e-07
    """

    _digits = {"float16": 3, "bfloat16": 2, "float32": 6, "float64": 15}

    def __init__(self, type=None):
        d = as_dtype(type, dtypes.get_default_dtype()).to_real()
        if d.category != dtypes.FLOAT:
            raise error("tensor-dtype", TypeError(
                        "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"),
                        what="type", dtype=d, fn="finfo()", must="dtypes of floating point or complex numbers",
                        fix="torch.iinfo({dtype}) has the limits of whole numbers.")
        self.bits, self.dtype = 8 * d.itemsize, d.name
        if d is dtypes.bfloat16:
            self.max, self.eps, self.tiny = (2 - 2.0**-7) * 2.0**127, 2.0**-7, 2.0**-126
        else:
            info = np.finfo(d.np)
            self.max, self.eps, self.tiny = float(info.max), float(info.eps), float(info.tiny)
        self.min, self.smallest_normal = -self.max, self.tiny
        self.resolution = float(f"1e-{self._digits[d.name]}")

    def __repr__(self):
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")

    def __eq__(self, other):
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)


def get_default_device():
    """The device of new tensors: the CPU, or "meta"."""
    return modes.device or cpu


def set_default_device(device):
    """Choose the device of new tensors: the CPU, or "meta", where tensors have no numbers."""
    chosen = check_device(device, True)
    runs.devices = True
    modes.device = None if chosen.type == "cpu" else chosen


for _fn in (is_tensor, is_floating_point, is_complex, is_inference, is_signed, numel, is_nonzero, promote_types, result_type,
            can_cast, iinfo, finfo, get_default_device, set_default_device):
    export("torch", _fn.__name__, _fn)
for _fn in (is_floating_point, is_complex, is_signed, numel, is_nonzero):
    export("Tensor", _fn.__name__, _fn)
export("Tensor", "nelement", numel)
for _fn in (dtypes.get_default_dtype, dtypes.set_default_dtype):
    export("torch", _fn.__name__, _fn)
for _name, _v in {"e": math.e, "pi": math.pi, "inf": math.inf, "nan": math.nan, "newaxis": None}.items():
    export("torch", _name, _v)
for _name, _d in dtypes.NAMES.items():
    if _d is not None:
        export("torch", _name, _d)
export("torch", "dtype", dtypes.dtype)
