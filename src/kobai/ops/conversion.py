"""Other dtypes, other devices, other memory formats: `to` and its short forms."""
from __future__ import annotations

import warnings

import numpy as np

from .. import dtypes
from ..devices import Layout, check as check_device, device as Device, strided
from ..diagnose import error
from ..op import dtype_of, m
from ..public import export, public
from ..tensor import LiftedTensor, Tensor
from .arguments import as_dtype
from .movement import Cast, Clone, ToInteger


class memory_format:
    """The order of a tensor's elements in memory."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
m.contiguous_format = contiguous_format
_CHANNELS = {channels_last: 4, channels_last_3d: 5}


def to_dtype(input, dtype, copy=False):
    """`input` in a dtype; itself if it has it already."""
    d, have = as_dtype(dtype, fn="to").np, dtype_of(input)
    if have == d and not copy:
        return input
    if have.kind == "c" and d.kind not in "cb":
        warnings.warn("Casting complex values to real discards the imaginary part", UserWarning, stacklevel=3)
    return (Cast if d.kind in "fcV" else ToInteger)(d)(input)


m.to_dtype = to_dtype


def to(self, *args, dtype=None, device=None, other=None, non_blocking=False, copy=False, memory_format=None):
    """This tensor in another dtype: to(dtype), to(device), to(device, dtype) or to(other).

    Returns the tensor itself where nothing changes, unless `copy` is true.

    >>> kobai.tensor([1, 2]).to(kobai.float64)
    tensor([1., 2.], dtype=torch.float64)
    """
    if len(args) == 1 and args[0].__class__ is dtypes.dtype and not copy and memory_format is None:
        return to_dtype(self, args[0])
    args = list(args)
    if args and isinstance(args[0], Tensor) or other is not None:
        other = args.pop(0) if other is None else other
        dtype = other.dtype
    elif args and (isinstance(args[0], (str, int, Device)) and not isinstance(args[0], bool)):
        device = args.pop(0)
    elif args and args[0] is None:
        args.pop(0)
    if args and not isinstance(args[0], bool) and dtype is None:
        dtype = args.pop(0)
    if args:
        non_blocking, copy = (*args, copy)[:2] if len(args) == 1 else args[:2]
    if device is not None or other is not None:
        to_meta = check_device(device if other is None else other.device, True).type == "meta"
        if to_meta or self.is_meta:
            return _between(self, to_meta, dtype)
    if dtype is not None and (copy or as_dtype(dtype, fn="to").np != self._value.dtype):
        self, copy = to_dtype(self, dtype, copy), False
    elif copy:
        self = to_dtype(self, self.dtype, True)
    return contiguous(self, memory_format=memory_format) if memory_format in _CHANNELS else self


def _between(t, to_meta, dtype):
    """A tensor on the device "meta", or asked to go there."""
    from ..meta import no_data, of  # noqa: PLC0415  (few programs use this device)
    if not to_meta:
        raise no_data()
    return of(t, None if dtype is None else as_dtype(dtype, fn="to"))


export("Tensor", "to", to)


def _converter(name, dtype):
    def convert(self, memory_format=None):
        return to_dtype(self, dtype)
    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"This tensor as {dtype!r}."
    export("Tensor", name, convert)


for _name, _d in {"float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
                  "bfloat16": dtypes.bfloat16, "int": dtypes.int32, "long": dtypes.int64, "short": dtypes.int16,
                  "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_, "cfloat": dtypes.complex64,
                  "cdouble": dtypes.complex128}.items():
    if _d is not None:
        _converter(_name, _d)


def chalf(self, memory_format=None):
    """PyTorch's complex32, which NumPy does not have."""
    raise error("not-in-kobai", TypeError("kobai has no complex32 (chalf)."), what="torch.complex32",
                instead="use .cfloat(), complex numbers of 64 bits.")


def cpu(self, memory_format=None):
    """This tensor on the CPU, where it is."""
    return self


def cuda(self, device=None, non_blocking=False, memory_format=None):
    """Raises AssertionError: this version of kobai computes on the CPU."""
    check_device("cuda")


def type(self, dtype=None, non_blocking=False):
    """Without an argument, the type's old name "torch.FloatTensor"; with one, a conversion to it."""
    if dtype is None:
        return f"torch.{dtypes.type_word(self)}Tensor"
    if isinstance(dtype, str):
        found = dtypes.of_type_word(dtype.removeprefix("torch.").removesuffix("Tensor"))
        if found is None or dtype != f"torch.{dtypes.type_word(found)}Tensor":
            raise error("argument-value", ValueError(f"invalid type: '{dtype}'"), value=dtype,
                        why="{value} is not the name of a tensor type.",
                        fix="write x.type('torch.FloatTensor'), or simpler x.to(torch.float32).")
        dtype = found
    elif not isinstance(dtype, dtypes.dtype) and isinstance(getattr(dtype, "dtype", None), dtypes.dtype):
        dtype = dtype.dtype  # torch.FloatTensor
    return to_dtype(self, dtype)


def type_as(self, other):
    """This tensor in the dtype of `other`."""
    return to_dtype(self, other.dtype)


# ---- memory formats --------------------------------------------------------------------------
@public("Tensor")
def contiguous(input, memory_format=contiguous_format):
    """This tensor, copied if its elements do not lie in memory in the order asked for."""
    if isinstance(input, LiftedTensor) or not isinstance(input, Tensor) or is_contiguous(input, memory_format):
        return input
    if memory_format not in _CHANNELS:
        return Clone("C")(input)
    if input.ndim != _CHANNELS[memory_format]:
        raise error("tensor-dims", RuntimeError(
            f"required rank {_CHANNELS[memory_format]} tensor to use {memory_format.name} format"), what="input",
            shape=input.shape, need="{n}", n=_CHANNELS[memory_format],
            fix="torch.channels_last is for (N, C, H, W), torch.channels_last_3d for (N, C, D, H, W).")
    last = (0, *range(2, input.ndim), 1)
    return m.permute(Clone("C")(m.permute(input, last)), (0, input.ndim - 1, *range(1, input.ndim - 1)))


def is_contiguous(self, memory_format=contiguous_format):
    """Whether the elements lie in memory without gaps, in row-major order (or that of the format)."""
    a = self._value
    if not isinstance(a, np.ndarray):
        return True
    if memory_format in _CHANNELS:
        return a.ndim == _CHANNELS[memory_format] and a.transpose(0, *range(2, a.ndim), 1).flags.c_contiguous
    return a.flags.c_contiguous


def record_stream(self, stream):
    """Nothing: only GPUs have streams."""


export("torch", "strided", strided)
export("torch", "layout", Layout)
for _fn in (chalf, cpu, cuda, type, type_as, is_contiguous, record_stream):
    export("Tensor", _fn.__name__, _fn)
for _fn in (memory_format, contiguous_format, preserve_format, channels_last, channels_last_3d):
    export("torch", getattr(_fn, "name", None) or "memory_format", _fn)
