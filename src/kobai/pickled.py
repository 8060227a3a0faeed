"""Tensors in pickles, under PyTorch's names: a tensor is a part of a storage, which stands elsewhere.

Names of PyTorch's that do not exist here are written and read as names only; reading makes nothing
but plain data unless it is told to.
"""
from __future__ import annotations

import codecs
import collections
import pickle

import numpy as np

from . import dtypes
from .compat.names import kobai_name
from .devices import Layout, device
from .diagnose import error
from .sparse import functions as sparse
from .tensor import _IN_THE_GRAPH, Size, Tensor, wrap

STORAGES = {"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16",
            "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16",
            "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
            "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128"}
_STORAGE_OF = {name: storage for storage, name in STORAGES.items()}


class _Name:
    """A name of PyTorch's in a file."""

    _known: dict = {}

    def __new__(cls, module, name):
        self = cls._known.setdefault((module, name), object.__new__(cls))
        self.module, self.name = module, name
        return self


class _Call:
    """func(*args), of a name of PyTorch's, in the place of an object."""

    def __init__(self, func, *args):
        self.func, self.args = func, args


class _Storage:
    """A storage, as the file refers to it."""

    def __init__(self, *key):
        self.key = key


_TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = _Name("torch._utils", "_rebuild_parameter")
_PARAMETER_WITH = _Name("torch._utils", "_rebuild_parameter_with_state")
_WITH_STATE = _Name("torch._tensor", "_rebuild_from_type_v2")
_SPARSE = _Name("torch._utils", "_rebuild_sparse_tensor")


# ---- writing ---------------------------------------------------------------------------------
class Pickler(pickle._Pickler):  # the one written in Python: it lets us write names that cannot be imported here
    """Writes the objects; `storages` are then the arrays that belong to them."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages, self._keys, self._alive = [], {}, []

    def save(self, obj, save_persistent_id=True):
        """One object; those that PyTorch knows under other names are replaced."""
        if self.memo.get(id(obj)) is None:
            if isinstance(obj, _Name):
                self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
                return self.memoize(obj)
            if isinstance(obj, dtypes.dtype):
                return self.save(_Name("torch", obj.name))
            call = obj if isinstance(obj, _Call) else self._as_call(obj)
            if call is not None:
                self._alive.append(call)  # the memo goes by address
                return self._save_call(call, obj)
        return super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        """Storages stand elsewhere."""
        return obj.key if isinstance(obj, _Storage) else None

    def _save_call(self, call, obj):
        self.save(call.func)
        self.save(tuple(call.args))
        self.write(pickle.REDUCE)
        self.memoize(obj)

    def _as_call(self, obj):
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if isinstance(obj, Size):
            return _Call(_Name("torch", "Size"), tuple(obj))
        if isinstance(obj, device):
            return _Call(_Name("torch", "device"), *[v for v in (obj.type, obj.index) if v is not None])
        if isinstance(obj, Layout):
            return _Call(_Name("torch.serialization", "_get_layout"), repr(obj))
        return None

    def _tensor(self, t):
        from .nn import Buffer, Parameter  # noqa: PLC0415  (nn stands above this module)
        state = {k: v for k, v in t.__dict__.items() if k not in _IN_THE_GRAPH}
        if t.is_sparse:
            t = t.detach().coalesce()
            return _Call(_SPARSE, t.layout, (t.indices(), t.values(), t.shape, True))
        hooks, wants = collections.OrderedDict(), t.requires_grad
        plain = [*self._place(t.detach()._array()), wants and t.is_leaf, hooks]
        if isinstance(t, Parameter):
            inner = _Call(_TENSOR, *plain[:4], False, hooks)
            return _Call(_PARAMETER_WITH, inner, wants, hooks, state) if state else _Call(_PARAMETER, inner, wants, hooks)
        if isinstance(t, Buffer):
            state["_is_buffer"] = True
        if state:
            return _Call(_WITH_STATE, _TENSOR, _Name("torch", "Tensor"), tuple(plain), state)
        return _Call(_TENSOR, *plain)

    def _place(self, a):
        """(storage, offset, shape, strides in elements): views of one array share a storage."""
        shape, root = tuple(a.shape), a
        while isinstance(root.base, np.ndarray):
            root = root.base
        itemsize = a.itemsize
        if root.dtype != a.dtype or not root.flags.c_contiguous or any(s % itemsize or s < 0 for s in a.strides):
            root = a = np.array(a, order="C")
        address = root.__array_interface__["data"][0]
        if (address, root.nbytes) not in self._keys:
            name = dtypes.of(root.dtype).name
            if name not in _STORAGE_OF:
                raise error("not-in-kobai", RuntimeError(f"torch.save: tensors of dtype {name} cannot be saved"),
                            what=f"a stored form of {name}",
                            instead="save t.tolist(), or the tensor in another dtype.")
            self._keys[address, root.nbytes] = _Storage(
                "storage", _Name("torch", _STORAGE_OF[name]), str(len(self.storages)), "cpu", root.size)
            self.storages.append(root)  # which also keeps the address taken
        offset = (a.__array_interface__["data"][0] - address) // itemsize if a.size else 0
        return self._keys[address, root.nbytes], offset, shape, tuple([s // itemsize for s in a.strides])


# ---- reading ---------------------------------------------------------------------------------
def _rebuild_tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    """A tensor on a part of a storage, which must lie within it."""
    size, stride = tuple(size), tuple(stride)
    if any(s < 0 for s in (*size, *stride, offset)) or len(size) != len(stride):
        raise error("file",
                    RuntimeError(f"the file is damaged: a tensor of size {size} and stride {stride} at {offset}"),
                    path="the file", why="it describes a tensor that cannot be",
                    fix="write the file again with torch.save.")
    last = offset + sum((n - 1) * s for n, s in zip(size, stride))
    if 0 in size:
        a = np.empty(size, storage.dtype)
    elif last >= storage.size:
        raise error("file",
                    RuntimeError(f"the file is damaged: a tensor of size {size} and stride {stride} at {offset} does not lie "
                                 f"within its storage of {storage.size} elements"),
                    path="the file", why="a tensor reaches beyond the numbers stored for it",
                    fix="write the file again with torch.save; it may have been cut off.")
    else:
        steps = tuple([s * storage.itemsize for s in stride])
        a = np.lib.stride_tricks.as_strided(storage[offset:], size, steps)
    for change in ("conj", "neg"):
        if metadata and metadata.get(change):
            a = np.conj(a) if change == "conj" else -a
    return wrap(a).requires_grad_(requires_grad)


def _rebuild_parameter(data, requires_grad, hooks, state=None):
    from .nn import Parameter  # noqa: PLC0415  (nn stands above this module)
    p = Parameter(data, requires_grad)
    p.__dict__.update(state or {})
    return p


def _rebuild_with_state(func, kind, args, state):
    from .nn import Buffer  # noqa: PLC0415  (nn stands above this module)
    t = func(*args)
    if state.pop("_is_buffer", False):
        t = Buffer(t, persistent=state.get("persistent", True))
    t.__dict__.update({k: v for k, v in state.items() if k not in _IN_THE_GRAPH})
    return t


def _rebuild_sparse(layout, data):
    indices, values, size, *coalesced = data
    return sparse.sparse_coo_tensor(indices, values, size, is_coalesced=coalesced[0] if coalesced else None)


_SAFE = {"torch._utils._rebuild_tensor": _rebuild_tensor, "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
         "torch._utils._rebuild_parameter": _rebuild_parameter,
         "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
         "torch._tensor._rebuild_from_type_v2": _rebuild_with_state, "torch.Tensor": Tensor,
         "torch._utils._rebuild_sparse_tensor": _rebuild_sparse,
         "torch.serialization._get_layout": lambda name: Layout(name.removeprefix("torch.")),
         "collections.OrderedDict": collections.OrderedDict, "collections.defaultdict": collections.defaultdict,
         "collections.Counter": collections.Counter, "builtins.set": set, "builtins.frozenset": frozenset,
         "builtins.complex": complex, "builtins.bytearray": bytearray, "builtins.slice": slice,
         "builtins.range": range, "_codecs.encode": codecs.encode, "torch.Size": Size, "torch.device": device}
safe_extra: dict = {}  # what add_safe_globals allowed, by name


class Unpickler(pickle.Unpickler):
    """Reads objects; `storage(key, NumPy dtype, location, count)` gives the arrays."""

    def __init__(self, file, storage, weights_only):
        super().__init__(file, encoding="utf-8")
        self.storage, self.weights_only = storage, weights_only

    def find_class(self, module, name):
        """What a name in the file stands for."""
        module = {"__builtin__": "builtins"}.get(module, module)
        if module == "torch" and name in STORAGES:
            return dtypes.NAMES[STORAGES[name]]
        if module == "torch" and dtypes.NAMES.get(name) is not None:
            return dtypes.NAMES[name]
        found = _SAFE.get(f"{module}.{name}") or safe_extra.get(f"{module}.{name}")
        if found is not None:
            return found
        if self.weights_only:
            raise error("file", pickle.UnpicklingError(
                "Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` "
                "argument in `torch.load` from `False` to `True`."),
                path="the file",
                why="it wants to make an object of {cls}, and making objects of any class can run any code",
                cls=f"{module}.{name}",
                fix="if you trust the file: weights_only=False, or torch.serialization.add_safe_globals([...]).")
        return super().find_class(kobai_name(module) if module.startswith("torch.") else module, name)

    def persistent_load(self, saved_id):
        """The array of a storage."""
        kind, dtype, key, location, count, *view = saved_id
        if kind != "storage" or view and view[0] is not None:
            raise error("file",
                        pickle.UnpicklingError(f"Weights only load failed: unknown reference {kind!r} in the file"),
                        path="the file", why="it refers to something that torch.save does not write",
                        fix="write the file again with torch.save.")
        return self.storage(key, dtype.np, location, count)
