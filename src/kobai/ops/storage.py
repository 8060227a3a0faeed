"""A tensor's memory: strides, addresses, storages, exchange with other libraries."""
from __future__ import annotations

import warnings

import numpy as np

from .. import dtypes
from ..autograd.mode import modes
from ..diagnose import error
from ..dtypes import c_name
from ..inplace import changed, refuse_leaf
from ..public import export
from ..tensor import Size, wrap
from .arguments import no_dimension, sizes
from .movement import normal_dim
from .strided import elements, geometry


def stride(self, dim=None):
    """How far apart neighbours lie in memory along each dimension (or one), in elements."""
    steps = geometry(self)[1]
    return steps if dim is None else steps[_existing(dim, steps)]


def storage_offset(self):
    """The place of the first element in the memory, in elements."""
    return geometry(self)[2]


def data_ptr(self):
    """The address of the first element; 0 if there is none."""
    if modes.trace is not None:
        modes.trace.stop("data_ptr() may give another address on each call")
    a = self._array()
    return a.__array_interface__["data"][0] if a.size else 0


def size(self, dim=None):
    """The shape, or the size of one dimension."""
    shape = self._value.shape
    return Size(shape) if dim is None else shape[_existing(dim, shape)]


def _existing(dim, shape):
    if not shape:
        raise no_dimension(IndexError(f"Dimension specified as {dim} but tensor has no dimensions"))
    return normal_dim(dim, len(shape))


def dim(self):
    """The number of dimensions."""
    return len(self._value.shape)


def element_size(self):
    """Bytes of one element."""
    return self._value.dtype.itemsize


def is_same_size(self, other):
    """Whether both have the same shape."""
    return self.shape == other.shape


def is_set_to(self, tensor):
    """Whether both show the same memory in the same way."""
    return self.data_ptr() == tensor.data_ptr() and geometry(self) == geometry(tensor)


def dim_order(self, *, ambiguity_check=False):
    """The dimensions from the outermost to the innermost in memory."""
    steps = stride(self)
    return tuple(sorted(range(self.ndim), key=lambda d: -steps[d]))


def get_device(self):
    """The number of the device: -1 for the CPU."""
    return -1


# ---- storages --------------------------------------------------------------------------------
class UntypedStorage:
    """The bytes of memory behind a tensor and all views of it.

    >>> kobai.zeros(3).untyped_storage().nbytes()
    12
    """

    def __init__(self, array):
        self._array = array

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The bytes of a file, read when they are looked at; what is written goes to the file if `shared`."""
        return cls(np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,)).view(np.ndarray)
                   if nbytes else np.zeros(0, np.uint8))

    def untyped(self):
        return UntypedStorage(self._array)

    @property
    def __array_interface__(self):
        return self._bytes().__array_interface__

    def _bytes(self):
        return self._array.reshape(-1).view(np.uint8) if self._array.size else np.zeros(0, np.uint8)

    device = property(lambda self: wrap(self._array).device)
    is_cuda = False

    def nbytes(self):
        return self._array.nbytes

    size = __len__ = nbytes

    def data_ptr(self):
        return self._array.__array_interface__["data"][0] if self._array.size else 0

    def tolist(self):
        return self._bytes().tolist()

    def __getitem__(self, i):
        got = self._bytes()[i]
        return UntypedStorage(got) if isinstance(got, np.ndarray) else int(got)

    def __setitem__(self, i, value):
        self._bytes()[i] = value

    def __iter__(self):
        return iter(self.tolist())

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self):
        return hash(self.data_ptr())

    def clone(self):
        return type(self)(self._array.copy())

    def copy_(self, source, non_blocking=False):
        self._bytes()[...] = source._bytes()
        return self

    def cpu(self):
        return self

    def is_pinned(self, device=None):
        return False

    def __repr__(self):
        return "\n".join(f" {b}" for b in self.tolist()) + f"\n[torch.storage.UntypedStorage(device=cpu) of size " \
            f"{self.nbytes()}]"


UntypedStorage.__module__ = "torch.storage"


class TypedStorage(UntypedStorage):
    """The elements of memory behind a tensor."""

    dtype = property(lambda self: dtypes.of(self._array.dtype))

    def _bytes(self):
        return self._array.reshape(-1)

    def size(self):
        return self._array.size

    __len__ = size

    def __getitem__(self, i):
        got = self._array.reshape(-1)[i]
        return TypedStorage(got) if isinstance(got, np.ndarray) else got.item()

    def __repr__(self):
        return "\n".join(f" {v}" for v in self.tolist()) + f"\n[torch.storage.TypedStorage(dtype={self.dtype!r}, " \
            f"device=cpu) of size {len(self)}]"


TypedStorage.__module__ = "torch.storage"


def _looked(what):
    if modes.trace is not None:
        modes.trace.looked(what)


def untyped_storage(self):
    """The bytes of the memory behind this tensor."""
    _looked("untyped_storage()")
    return UntypedStorage(elements(self._array())[0])


def storage(self):
    """The elements of the memory behind this tensor. Deprecated in PyTorch."""
    _looked("storage()")
    warnings.warn("TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only "
                  "storage class.", UserWarning, stacklevel=2)
    return TypedStorage(elements(self._array())[0])


def is_storage(obj):
    """Whether `obj` is a storage."""
    return isinstance(obj, UntypedStorage)


def set_(self, source=None, storage_offset=0, size=None, stride=()):
    """Make this tensor show the memory of another tensor or storage."""
    if modes.trace is not None:
        modes.trace.stop("set_() gives a tensor other memory")
    if source is None:
        self._data, self._ver = np.zeros(0, self._value.dtype), [0, None]
        return self
    if isinstance(source, UntypedStorage):
        flat = source._array.reshape(-1)
        shape = (flat.size - storage_offset,) if size is None else tuple(size)
        step = flat.itemsize
        stride = stride or [s // step for s in np.empty(shape, flat.dtype).strides]
        self._data = np.ndarray(shape, flat.dtype, flat, storage_offset * step, [s * step for s in stride])
        return self
    if source.dtype is not self.dtype:
        raise error("dtypes-differ", RuntimeError(
                    f"Could not set tensor of type {c_name(source.dtype)} to a tensor of type {c_name(self.dtype)}"),
                    what="source", dtype=source.dtype, other="self", other_dtype=self.dtype,
                    fix="convert it first: source.to({other_dtype}).")
    self._data, self._ver = source._array(), source._ver
    return self


def resize_(self, *shape, memory_format=None):
    """Another shape in place; the elements that fit keep their place in memory, new ones are 0."""
    _looked("resize_()")
    if self.requires_grad:
        raise error("not-possible", RuntimeError("cannot resize variables that require grad"),
                    why="the tensor has requires_grad=True, and its gradient has the shape that the tensor has now.",
                    fix="x.detach().resize_(...) resizes without gradients; x.reshape(...) and torch.cat make "
                        "another tensor.")
    refuse_leaf(self)
    shape = sizes(shape, "resize_")
    flat, begin = elements(self._array())
    n = int(np.prod(shape))
    if begin + n > flat.size:
        flat, old = np.zeros(n, flat.dtype), flat[begin:]
        flat[:old.size], begin = old, 0
    self._data = flat[begin:begin + n].reshape(shape)
    changed(self)
    return self


def resize_as_(self, the_template, memory_format=None):
    """`resize_` to the shape of another tensor."""
    return resize_(self, tuple(the_template.shape))


def share_memory_(self):
    """The tensor itself. Differs from PyTorch: other processes see a copy."""
    return self


def is_shared(self):
    """Whether other processes share the memory: no."""
    return False


def pin_memory(self, device=None):
    """The tensor itself: page-locked memory only helps to copy to a GPU."""
    return self


def is_pinned(self, device=None):
    """Whether the memory is page-locked: no."""
    return False


# ---- exchange --------------------------------------------------------------------------------
def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """The memory as a DLPack capsule, for other array libraries."""
    _looked("__dlpack__()")
    if self.requires_grad:
        raise error("not-possible", BufferError("Can't export tensors that require gradient, use tensor.detach()"),
                    why="other libraries' arrays do not pass gradients on, and this tensor has requires_grad=True.",
                    fix="export x.detach(), which shares its memory.")
    kwargs = {} if max_version is None else {"max_version": max_version, "copy": copy}
    return self._array().__dlpack__(stream=stream if stream != -1 else None, **kwargs)


def __dlpack_device__(self):
    """DLPack's (type, number) of the device: (1, 0) is the CPU."""
    return self._array().__dlpack_device__()


class _Capsule:
    """A bare capsule, dressed as the array it came from."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **kwargs):
        return self.capsule

    def __dlpack_device__(self):
        return 1, 0


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor on the memory of another library's array."""
    source = ext_tensor if hasattr(ext_tensor, "__dlpack__") else _Capsule(ext_tensor)
    return wrap(np.from_dlpack(source) if copy is None else np.array(np.from_dlpack(source), copy=copy))


def to_dlpack(tensor):
    """The memory as a DLPack capsule."""
    return tensor.__dlpack__()


for _fn in (stride, storage_offset, data_ptr, size, dim, element_size, is_same_size, is_set_to, dim_order, get_device,
            untyped_storage, storage, set_, resize_, resize_as_, share_memory_, is_shared, pin_memory, is_pinned,
            __dlpack__, __dlpack_device__):
    export("Tensor", _fn.__name__, _fn)
export("Tensor", "ndimension", dim)
export("Tensor", "const_data_ptr", data_ptr)
for _fn in (UntypedStorage, TypedStorage, is_storage, from_dlpack, to_dlpack, is_same_size, resize_as_):
    export("torch", _fn.__name__, _fn)
export("utils.dlpack", "from_dlpack", from_dlpack)
export("utils.dlpack", "to_dlpack", to_dlpack)
