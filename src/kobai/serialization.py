"""`save` and `load`: PyTorch's file format, read and written, with its checksums verified.

A file is a zip archive: data.pkl holds the objects, with each tensor as a reference to a storage; the
storages are entries of their own. The archive's CRC of every entry is checked on reading, so a
damaged file is an error and never a wrong number.
"""
from __future__ import annotations

import collections
import io
import os
import pickle
import sys
import zipfile

import numpy as np

from . import dtypes
from .devices import device as _device
from .tensor import Size, Tensor, wrap

_STORAGES = {"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16",
             "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16",
             "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
             "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128"}
_STORAGE_OF = {name: storage for storage, name in _STORAGES.items()}


class _Global:
    """Stands for a name of PyTorch's that the file refers to."""

    def __init__(self, module, name):
        self.module, self.name = module, name


_REBUILD, _PARAMETER = _Global("torch._utils", "_rebuild_tensor_v2"), _Global("torch._utils", "_rebuild_parameter")


# ---- writing ---------------------------------------------------------------------------------
class _Pickler(pickle._Pickler):  # the one written in Python: it lets us write names that cannot be imported here
    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages, self.keys = [], {}

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Global):
            if self.memo.get(id(obj)):
                return self.write(self.get(self.memo[id(obj)][0]))
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            return self.memoize(obj)
        if isinstance(obj, Tensor) and not self.memo.get(id(obj)):
            return self._save_tensor(obj)
        if isinstance(obj, dtypes.dtype):
            return self.save(_global("torch", obj.name))
        return super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        return obj.key if isinstance(obj, _Storage) else None

    def _save_tensor(self, t):
        from .nn.parameter import Parameter  # noqa: PLC0415  (nn stands above this module)
        a = t.detach()._array()
        storage, offset, strides = self._storage_of(a)
        plain = (_REBUILD, (storage, offset, tuple(a.shape), strides, t.requires_grad and t.is_leaf,
                            collections.OrderedDict()))
        if isinstance(t, Parameter):
            inner = _Reduced(_REBUILD, (*plain[1][:4], False, collections.OrderedDict()))
            self.save_reduce(_PARAMETER, (inner, t.requires_grad, collections.OrderedDict()), obj=t)
        else:
            self.save_reduce(*plain, obj=t)

    def save_reduce(self, func, args, state=None, listitems=None, dictitems=None, state_setter=None, *, obj=None):
        if not isinstance(func, _Global):
            return super().save_reduce(func, args, state, listitems, dictitems, state_setter, obj=obj)
        self.save(func)
        self.write(pickle.MARK)
        for v in args:
            if isinstance(v, _Reduced):
                self.save_reduce(v.func, v.args)
            else:
                self.save(v)
        self.write(pickle.TUPLE + pickle.REDUCE)
        if obj is not None:
            self.memoize(obj)

    def _storage_of(self, a):
        """(storage, offset, strides in elements): views of one array share a storage."""
        root = a
        while isinstance(root.base, np.ndarray):
            root = root.base
        if root.dtype != a.dtype or not root.flags.c_contiguous or any(s % a.itemsize for s in a.strides):
            root = a = np.ascontiguousarray(a)
        address = root.__array_interface__["data"][0]
        if address not in self.keys:
            name = dtypes.of(root.dtype).name
            if name not in _STORAGE_OF:
                raise RuntimeError(f"torch.save: tensors of dtype {name} cannot be saved")
            key = str(len(self.storages))
            self.keys[address] = _Storage(("storage", _global("torch", _STORAGE_OF[name]), key, "cpu", root.size))
            self.storages.append(root)  # also keeps the address taken
        offset = (a.__array_interface__["data"][0] - address) // a.itemsize if a.size else 0
        return self.keys[address], offset, tuple([s // a.itemsize for s in a.strides])


class _Storage:
    def __init__(self, key):
        self.key = key


class _Reduced:
    def __init__(self, func, args):
        self.func, self.args = func, args


_globals: dict = {}


def _global(module, name):
    return _globals.setdefault((module, name), _Global(module, name))


def save(obj, f, pickle_module=None, pickle_protocol=2, _use_new_zipfile_serialization=True,
         _disable_byteorder_record=False):
    """Write `obj` (tensors, state_dicts, nested containers) to a file or buffer that PyTorch can also load.

    A file is replaced only once it is complete.
    """
    text = io.BytesIO()
    pickler = _Pickler(text)
    pickler.dump(obj)
    path = os.fspath(f) if not hasattr(f, "write") else None
    name = os.path.splitext(os.path.basename(path))[0] if path else "archive"
    if path is None:
        return _write(f, name, text.getvalue(), pickler.storages)
    partial = f"{path}.partial{os.getpid()}"
    try:
        with open(partial, "wb") as file:
            _write(file, name, text.getvalue(), pickler.storages)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise


def _write(file, name, text, storages):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        def entry(path, data):
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}"), data)
        entry("data.pkl", text)
        entry("byteorder", sys.byteorder)
        for i, a in enumerate(storages):
            entry(f"data/{i}", a.tobytes())
        entry("version", "3\n")


# ---- reading ---------------------------------------------------------------------------------
def _rebuild_tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    step = storage.itemsize
    a = np.lib.stride_tricks.as_strided(storage[offset:], tuple(size), tuple([s * step for s in stride])) \
        if 0 not in tuple(size) else np.empty(tuple(size), storage.dtype)
    return wrap(a).requires_grad_(requires_grad)


def _rebuild_parameter(data, requires_grad, hooks):
    from .nn.parameter import Parameter  # noqa: PLC0415  (nn stands above this module)
    return Parameter(data, requires_grad)


_SAFE = {("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
         ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
         ("collections", "OrderedDict"): collections.OrderedDict,
         ("collections", "defaultdict"): collections.defaultdict,
         ("collections", "Counter"): collections.Counter, ("builtins", "set"): set, ("builtins", "complex"): complex,
         ("builtins", "bytearray"): bytearray, ("builtins", "slice"): slice, ("torch", "Size"): Size,
         ("torch", "device"): _device}
_safe_extra: dict = {}


def add_safe_globals(safe_globals):
    """Let `load` with weights_only=True also make objects of these classes."""
    for c in safe_globals:
        _safe_extra[c.__module__, c.__qualname__] = c


class _Unpickler(pickle.Unpickler):
    def __init__(self, text, storage, weights_only):
        super().__init__(text, encoding="utf-8")
        self.storage, self.weights_only = storage, weights_only

    def find_class(self, module, name):
        module = {"__builtin__": "builtins"}.get(module, module)
        if module == "torch" and name in _STORAGES:
            return dtypes.NAMES[_STORAGES[name]]
        if module == "torch" and dtypes.NAMES.get(name) is not None:
            return dtypes.NAMES[name]
        found = _SAFE.get((module, name)) or _safe_extra.get((module, name))
        if found is not None:
            return found
        if self.weights_only:
            raise pickle.UnpicklingError(
                "Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` "
                "argument in `torch.load` from `False` to `True`.\n"
                f"  cause: the file wants to make an object of {module}.{name}, "
                "and making objects of any class can run any code.\n  fix: if you trust the file, pass "
                "weights_only=False, or allow this class with torch.serialization.add_safe_globals([...]).")
        return super().find_class(module, name)

    def persistent_load(self, saved_id):
        _, dtype, key, _, count = saved_id
        return self.storage(key, dtype.np, count)


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """What `save` (kobai's or PyTorch's) wrote; only data, unless `weights_only=False`.

    Raises RuntimeError for a damaged file, UnpicklingError for classes that are not plain data.
    """
    try:
        with zipfile.ZipFile(f) as archive:
            names = archive.namelist()
            root = next((n[:-len("data.pkl")] for n in names if n.endswith("data.pkl")), None)
            if root is None:
                raise RuntimeError("PytorchStreamReader failed locating file data.pkl: file not found")
            order = archive.read(root + "byteorder").decode() if root + "byteorder" in names else "little"
            storages: dict = {}

            def storage(key, dtype, count):
                if key not in storages:
                    a = np.frombuffer(bytearray(archive.read(f"{root}data/{key}")), dtype, count)
                    storages[key] = a if order == sys.byteorder else a.byteswap()
                return storages[key]
            text = io.BytesIO(archive.read(root + "data.pkl"))
            return _Unpickler(text, storage, weights_only is not False).load()
    except zipfile.BadZipFile as e:
        damage = str(e)
    raise RuntimeError(
        f"PytorchStreamReader failed reading zip archive: {damage}\n  cause: the file is damaged, was not written "
        "completely, or is not a file of torch.save.\n  fix: save it again, or take another copy.")
