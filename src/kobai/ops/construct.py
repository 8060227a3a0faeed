"""Tensors from data: nested lists, numbers, NumPy arrays, other tensors."""
from __future__ import annotations

import warnings
from collections.abc import Mapping, Set

import numpy as np

from .. import aligned, dtypes
from ..autograd.mode import modes, runs
from ..diagnose import error
from ..lifted import Lifted
from ..op import m
from ..public import export
from ..tensor import LiftedTensor, Tensor, constant, wrap
from .arguments import as_dtype, check_options

_F32, _F64, _I64, _C128 = (np.dtype(t) for t in (np.float32, np.float64, np.int64, np.complex128))


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor with a copy of `data`: a number, nested lists of numbers, an array.

    Python floats become the default dtype (float32), ints int64; NumPy values keep their type.
    Raises ValueError for rows of different lengths, TypeError for text.

    >>> kobai.tensor([[1., 2.], [3., 4.]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if data.__class__ is float and dtype is device is None and not (runs.devices and modes.device):
        out = constant(wrap(dtypes._default.np.type(data)))
    else:
        if isinstance(data, Tensor):
            warnings.warn(
                "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
                UserWarning, stacklevel=2)
        on_meta = check_options(device, None, True)
        out = from_data(data, as_dtype(dtype), copy=True)
        if on_meta:
            from ..meta import of  # noqa: PLC0415  (few programs use this device)
            out = of(out)
    return out.requires_grad_() if requires_grad else out


def from_data(data, dtype=None, copy=False):
    """A tensor of any data; arrays and tensors are shared unless `copy` (or another dtype) is asked for."""
    if isinstance(data, Tensor):
        if isinstance(data, LiftedTensor):
            return m.cast(data.detach(), dtype) if dtype else m.identity(data.detach())
        if modes.trace is not None:
            modes.trace.catch_up()
        return wrap(_converted(data._data, dtype, copy))
    if isinstance(data, (np.ndarray, np.generic)):
        if type(data) is not np.ndarray and isinstance(data, np.ndarray):  # a np.matrix multiplies otherwise
            data = np.asarray(data)
        check_array(data)
        if type(data) is np.ndarray and not copy and (dtype is None or data.dtype == dtype.np):
            data = writable(data)
        return wrap(_converted(data, dtype, copy))
    if isinstance(data, Lifted):
        return LiftedTensor(data)
    return constant(wrap(array_of(data, dtype)))


def _converted(a, dtype, copy):
    """`a` in `dtype`; a scalar where there are no dimensions and the memory is new."""
    if dtype is None or a.dtype == dtype.np:
        if copy and type(a) is np.ndarray:
            return aligned.copied(a) if a.ndim else a[()]
        return a
    if a.dtype.kind == "c" and dtype.category != dtypes.COMPLEX:
        a = a.real
    return aligned.converted(a, dtype.np)


# ---- nested Python data ----------------------------------------------------------------------
def array_of(data, dtype=None):
    """The array of a number or of nested sequences; its dtype is inferred unless given."""
    if isinstance(data, (str, bytes)):
        raise _invalid(type(data))
    kinds, shape = set(), []
    _scan(data, 0, shape, kinds)
    exotic = [k for k in kinds if k not in _PLAIN]
    inferred = _infer(kinds) if dtype is None else dtype
    _check_kinds(kinds)
    if exotic or not isinstance(data, (list, tuple, int, float, complex)):
        data = _plain(data)
    _check_lengths(data, 0, shape)
    if 0 in shape:  # a dimension of size 0 hides the others from NumPy; nothing is no whole number
        return np.empty(shape, (inferred if exotic or dtype is not None else dtypes.get_default_dtype()).np)
    a = _convert(data, inferred, kinds)
    return a if a.ndim else a[()]


_PLAIN = {float, int, bool, complex}
_CATEGORY = {bool: 0, int: 1, float: 2, complex: 3}


def _scan(data, depth, shape, kinds, first=True):
    """Collect the types of all leaves in `kinds`, and the sizes along the first elements in `shape`."""
    if not _is_sequence(data):
        kinds.add(_kind(data))
        return
    if isinstance(data, (np.ndarray, Tensor)):
        kinds.add(_kind(data))
        if first:
            shape.extend(data.shape)
        return
    n = len(data)
    if first:
        shape.append(n)
    types = set(map(type, data))
    if types <= _PLAIN:
        kinds |= types
        return
    for i, v in enumerate(data):
        _scan(v, depth + 1, shape, kinds, first and not i)


def _is_sequence(v):
    if isinstance(v, (list, tuple)):
        return True
    if isinstance(v, (str, bytes, Mapping, Set)) or v.__class__ in _PLAIN:
        return False
    if isinstance(v, (Tensor, np.ndarray)):
        return v.ndim > 0
    return hasattr(v, "__len__") and hasattr(v, "__getitem__")


def _kind(v):
    """What decides the dtype: a Python type, or the dtype of a NumPy value or tensor."""
    for t in (bool, int, float, complex):
        if v.__class__ is t:
            return t
    if isinstance(v, Tensor):
        return v.dtype
    if isinstance(v, (np.ndarray, np.generic)):
        return dtypes.of(v.dtype)
    for t in (bool, int, float, complex):  # subclasses, such as an IntEnum
        if isinstance(v, t):
            return t
    return type(v)


def _check_kinds(kinds):
    """PyTorch's errors for leaves that are no numbers."""
    for k in kinds:
        if isinstance(k, dtypes.dtype) or k in _PLAIN:
            continue
        if issubclass(k, str) and len(kinds) == 1:
            raise error("argument-type", ValueError(f"too many dimensions {k.__name__!r}"),
                        why="the list contains text, and a tensor holds numbers only.",
                        fix="convert it first: torch.tensor([float(v) for v in data]).")
        if issubclass(k, (str, bytes)):
            raise _invalid(k)
        raise error("no-dtype", kind=k.__name__)


def _invalid(k):
    return error("not-a-number", kind=k.__name__)


def _infer(kinds):
    """The dtype that PyTorch gives to leaves of these kinds."""
    found = None
    for k in kinds:
        if isinstance(k, dtypes.dtype):
            d = k
        elif k in _PLAIN:
            d = dtypes.of_scalar(k())
        else:
            continue  # an error, raised by _check_kinds
        found = d if found is None else dtypes.promote_types(found, d)
    return found or dtypes._default


def _plain(data):
    """Nested lists of Python numbers and arrays only."""
    if isinstance(data, Tensor):
        if data._rg:
            warnings.warn("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
                          "Consider using tensor.detach() first.", UserWarning, stacklevel=5)
        if data._value.size != 1:
            raise error("list-of-tensors")
        return data.detach().item()
    if isinstance(data, (np.ndarray, np.generic)):
        return data
    return [_plain(v) for v in data] if _is_sequence(data) else data


def _check_lengths(data, depth, shape):
    """All sequences at one depth have one length; PyTorch's errors otherwise."""
    if depth == len(shape) or 0 in shape[:depth + 1] and isinstance(data, (list, tuple)) and shape[depth] == 0:
        return
    if isinstance(data, np.ndarray):
        if data.shape != tuple(shape[depth:]):
            raise _ragged(shape[depth], depth, data.shape[0] if data.ndim else 0)
        return
    if not isinstance(data, (list, tuple)):
        raise error("argument-type", TypeError("not a sequence"), value=data, depth=depth, count=shape[depth],
                    why="the list holds both lists and numbers: {value} stands at depth {depth}, where a list of "
                        "{count} entries belongs.", fix="make all rows lists of {count} numbers.")
    if len(data) != shape[depth]:
        raise _ragged(shape[depth], depth, len(data))
    if depth + 1 < len(shape):
        for v in data:
            _check_lengths(v, depth + 1, shape)


def _ragged(want, depth, got):
    return error("ragged-list", want=str(want), dim=depth, got=got)


_DEEPER = {dtypes.FLOAT: "must be real number, not list", dtypes.COMPLEX: "must be complex number, not list"}


def _convert(data, d, kinds):
    """Checked nested lists as an array of dtype `d`."""
    wide = _WIDE[d.category] if d.name != "uint64" else np.dtype(np.uint64)
    highest = max([_CATEGORY.get(k, getattr(k, "category", 0)) for k in kinds], default=0)
    if d.category == dtypes.FLOAT and highest == dtypes.COMPLEX:
        raise error("argument-type", TypeError("must be real number, not complex"), dtype=d,
                    why="the data contain complex numbers, and dtype={dtype} holds none.",
                    fix="use dtype=torch.complex64, or give the real parts: z.real.")
    if d.category == dtypes.INT and highest > dtypes.INT:
        if highest == dtypes.COMPLEX:
            raise error("argument-type", TypeError("'complex' object cannot be interpreted as an integer"), dtype=d,
                        why="the data contain complex numbers, and dtype={dtype} holds none.",
                        fix="use dtype=torch.complex64, or give the real parts: z.real.")
        wide = _F64
    try:
        a = np.array(data, wide if d.category else None)
    except OverflowError:
        if d.category == dtypes.INT and d.name == "uint64":
            raise error("argument-value", OverflowError("can't convert negative int to unsigned"), dtype=d,
                        why="the data contain a number below 0, and dtype={dtype} holds none.",
                        fix="use dtype=torch.int64, or look where the sign comes from.") from None
        raise error("argument-value", ValueError("Overflow when unpacking long long"),
                    why="a number of the data does not fit into 64 bits.",
                    fix="use floats: torch.tensor(..., dtype=torch.float64).") from None
    except (TypeError, ValueError):
        raise error("argument-type", TypeError(
            _DEEPER.get(d.category, "'list' object cannot be interpreted as an integer")),
            why="the list holds both numbers and lists.", fix="nest all of it equally deep.") from None
    if d.category == dtypes.INT and a.dtype != d.np:
        check_range(a, d)
        if d.np.kind == "u" and a.dtype.kind == "f":
            a = a.astype(_I64)
    return a if a.dtype == d.np else a.astype(d.np)


_WIDE = {dtypes.BOOL: None, dtypes.INT: _I64, dtypes.FLOAT: _F64, dtypes.COMPLEX: _C128}


def check_range(a, d):
    """PyTorch's RuntimeError if a value does not fit into the integer dtype `d` (-n counts for unsigned n)."""
    if not a.size:
        return
    info = np.iinfo(d.np)
    low = -int(info.max) if d.np.kind == "u" else int(info.min)
    least, most = a.min(), a.max()
    if not (least >= low and most <= int(info.max)):
        raise error("data-range", RuntimeError(f"value cannot be converted to type {d.name} without overflow"), dtype=d,
                    low=int(info.min), high=int(info.max), least=least.item(), most=most.item(),
                    why="{dtype} holds {low} to {high}; the data have {least} to {most}.",
                    fix="use a wider dtype, such as torch.int64 or torch.float64.")


# ---- arrays ----------------------------------------------------------------------------------
def check_array(a):
    """PyTorch's errors for arrays that cannot become tensors."""
    dtypes.of(a.dtype)
    if not a.dtype.isnative:
        raise error("memory", ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."), order=a.dtype.str,
            why="the numbers of the array are stored in the byte order of another kind of machine ({order}).",
            fix="convert it: array.astype(array.dtype.newbyteorder('=')).")
    if any(s < 0 for s in a.strides):
        raise error("memory", ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().)"), strides=a.strides,
            why="the array runs backwards through its memory: its strides are {strides}.",
            fix="array.copy() puts it in order, after array[::-1], np.flip() or np.rot90().")


def writable(a):
    """The array; a copy, with PyTorch's warning, of one that must not be written."""
    if a.flags.writeable:
        return a
    warnings.warn(
        "The given NumPy array is not writable, and PyTorch does not support non-writable tensors.\n"
        "  here: the tensor gets a copy of it, so that it can be changed in place.\n  fix: array.copy() says so.",
        UserWarning, stacklevel=3)
    return a.copy()


def from_numpy(ndarray):
    """A tensor on the memory of a NumPy array: changes of either are seen in both.

    Differs from PyTorch: of a read-only array it holds a copy.

    >>> import numpy as np
    >>> kobai.from_numpy(np.array([1.0, 2.0]))
    tensor([1., 2.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        name = type(ndarray).__name__ if type(ndarray).__module__ == "builtins" else \
            f"{type(ndarray).__module__}.{type(ndarray).__name__}"
        raise error("from-numpy", got=name)
    ndarray = np.asarray(ndarray)
    check_array(ndarray)
    return wrap(writable(ndarray))


def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor: itself or its memory where possible, with its history."""
    check_options(device)
    dtype = as_dtype(dtype, fn="as_tensor")
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype is dtype else data.to(dtype)
    return from_data(data, dtype)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """`obj` as a tensor, sharing memory unless `copy` is true (or has to be made)."""
    check_options(device)
    dtype = as_dtype(dtype, fn="asarray")
    if isinstance(obj, Tensor):
        out = obj if dtype is None or obj.dtype is dtype else obj.to(dtype)
        out = out.clone() if copy and out is obj else out
        out = out if requires_grad or not out.requires_grad else out.detach()
    else:
        if hasattr(obj, "__array_interface__"):
            obj = np.asarray(obj)
        if copy is False and not isinstance(obj, (np.ndarray, bytes, bytearray, memoryview)):
            raise error("memory", ValueError("can't alias arbitrary sequence into a tensor."), kind=type(obj),
                        why="copy=False asks for a tensor that shares memory with the {kind}, and its elements lie "
                            "one by one elsewhere.", fix="leave out copy=False, or give a NumPy array.")
        out = from_data(obj, dtype, copy=bool(copy))
    return out.requires_grad_() if requires_grad and out.is_leaf else out


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor on the memory of a bytes-like object."""
    size = memoryview(buffer).nbytes
    d = as_dtype(dtype, fn="frombuffer")
    if size == 0 or count == 0:
        raise error("argument-value", ValueError(f"both buffer length ({size}) and count ({count}) must not be 0"),
                    size=size, count=count,
                    why="there is nothing to read: the buffer has {size} bytes, and count is {count}.",
                    fix="give a buffer that is not empty; count=-1 reads all of it.")
    if not 0 <= offset < size:
        raise error("argument-value", ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) minus 1"),
            what="offset", value=offset, must="a whole number between {low} and {high}", low=0, high=size - 1)
    if count < 0 and (size - offset) % d.itemsize:
        raise error("size-divisible", ValueError(
            f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ("
            f"{d.itemsize})"), what="len(buffer) - offset", value=size - offset, by=d.itemsize, dtype=d,
            count=(size - offset) // d.itemsize,
            fix="one number of {dtype} has {by} bytes: give count={count} to leave the rest, or another dtype.")
    if count > 0 and offset + count * d.itemsize > size:
        raise error("argument-value", ValueError(
            f"requested buffer length ({count} * {d.itemsize} bytes) after offset ({offset} bytes) must not be greater "
            f"than actual buffer length ({size} bytes)"), what="count", value=count, must="a number of at most {high}",
            high=(size - offset) // d.itemsize, fix="read at most {high}; count=-1 reads all there are.")
    out = wrap(writable(np.frombuffer(buffer, d.np, count, offset)))
    return out.requires_grad_() if requires_grad else out


for _fn in (tensor, from_numpy, as_tensor, asarray, frombuffer):
    export("torch", _fn.__name__, _fn)
m.tensor = tensor
