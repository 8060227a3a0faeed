"""`save` and `load`: PyTorch's file format, read and written, with its checksums verified.

A file is a zip archive: data.pkl holds the objects, with each tensor as a reference to a storage (see
`pickled.py`); the storages are entries of their own. The archive's CRC of every entry is checked on
reading, so a damaged file is an error and never a wrong number. Files from before PyTorch 1.6, which
are several pickles one after the other, are read too; they have no checksum.
"""
from __future__ import annotations

import contextlib
import io
import os
import pickle
import sys
import zipfile

import numpy as np

from .devices import check as check_device, device as _device
from .diagnose import error
from .pickled import Pickler, Unpickler, safe_extra

_OLD_MAGIC = 0x1950A86A20F9469CFC6C


# ---- writing ---------------------------------------------------------------------------------
def save(obj, f, pickle_module=None, pickle_protocol=2, _use_new_zipfile_serialization=True,
         _disable_byteorder_record=False):
    """Write `obj` (tensors, state_dicts, nested containers) to a file or buffer that PyTorch can also load.

    Tensors that share memory share it again when loaded. A file is replaced only once it is complete.

    >>> import io
    >>> file = io.BytesIO()
    >>> kobai.save({"w": kobai.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> kobai.load(file)
    {'w': tensor([1., 1.])}
    """
    text = io.BytesIO()
    pickler = Pickler(text)
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
            entry(f"data/{i}", memoryview(a.reshape(-1).view(np.uint8)))
        entry("version", "3\n")


# ---- reading ---------------------------------------------------------------------------------
def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """What `save` (kobai's or PyTorch's) wrote; only data, unless `weights_only=False`.

    Args: `map_location="cpu"` loads what was on a GPU when it was saved; `mmap` is accepted.
    Raises RuntimeError for a damaged file, UnpicklingError for classes that are not plain data.
    """
    if not hasattr(f, "read"):
        with open(f, "rb") as file:
            return load(file, map_location, weights_only=weights_only)
    start = f.tell()
    head = f.read(4)
    f.seek(start)
    if not head:
        raise error("file", EOFError("Ran out of input"),
                    path="the file", why="it is empty, or a buffer stands at its end",
                    fix="buffer.seek(0) after writing to it.")
    safe, check = weights_only is not False, _Place(map_location)
    if head[:2] != b"PK":
        return _load_old(f, safe, check)
    try:
        with zipfile.ZipFile(f if start == 0 else io.BytesIO(f.read())) as archive:
            return _load_archive(archive, safe, check)
    except (zipfile.BadZipFile, zipfile.LargeZipFile) as e:
        raise _damaged(e) from None


def _damaged(e):
    return error("file", RuntimeError(f"PytorchStreamReader failed reading zip archive: {e}"), path="the file",
                 why="it is damaged, was not written completely, or is not a file of torch.save",
                 fix="save it again, or take another copy.")


def _load_archive(archive, safe, check):
    names = archive.namelist()
    root = next((n[:-len("data.pkl")] for n in names if n.endswith("data.pkl")), None)
    if root is None:
        raise error("file", RuntimeError("PytorchStreamReader failed locating file data.pkl: file not found"),
                    path="the file", why="it is a zip archive, but not one that torch.save wrote",
                    fix="load it with what wrote it (np.load for .npz), or write it again with torch.save.")
    order = archive.read(root + "byteorder").decode() if root + "byteorder" in names else "little"
    storages: dict = {}

    def storage(key, dtype, location, count):
        check(location)
        if key not in storages:
            raw = bytearray(archive.read(f"{root}data/{key}"))
            if len(raw) < count * dtype.itemsize:
                raise _damaged(f"storage {key} has {len(raw)} bytes, not {count * dtype.itemsize}")
            a = np.frombuffer(raw, dtype, count) if count else np.empty(0, dtype)
            storages[key] = a if order == sys.byteorder else a.byteswap()
        return storages[key]
    return Unpickler(io.BytesIO(archive.read(root + "data.pkl")), storage, safe).load()


def _load_old(f, safe, check):
    """Pickles one after the other: a magic number, a version, the machine, the object, the keys of its storages;
    then each storage as its length and its bytes."""
    storages: dict = {}

    def storage(key, dtype, location, count):
        check(location)
        if key not in storages:
            storages[key] = np.zeros(count, dtype)
        return storages[key]

    def part():
        return Unpickler(f, storage, safe).load()
    try:
        magic = part()
    except Exception as e:
        if hasattr(e, "code"):  # explained already
            raise
        raise error("file",
                    pickle.UnpicklingError(f"Weights only load failed. The file is no file of torch.save ({e!r})"),
                    path="the file", why="its beginning is not that of a file written by torch.save",
                    fix="look at the path; texts, pictures and arrays have loaders of their own.") from None
    if magic != _OLD_MAGIC:
        raise error("file", RuntimeError("Invalid magic number; corrupt file?"), path="the file",
                    why="it is a pickle, but not one that torch.save wrote",
                    fix="load it with what wrote it (pickle, NumPy, ...), or write it again with torch.save.")
    part(), part()
    obj = part()
    for key in part():
        a, count = storages[key], int.from_bytes(f.read(8), "little")
        raw = f.read(count * a.itemsize)
        if count != a.size or len(raw) != a.nbytes:
            raise error("file", RuntimeError(f"storage has wrong byte size: expected {a.nbytes} got {len(raw)}"),
                        path="the file", why="it ends before all numbers were read",
                        fix="write or download it again.")
        a[...] = np.frombuffer(raw, a.dtype)
    return obj


class _Place:
    """Refuses storages of a device that kobai does not have, unless `map_location` sends them to the CPU."""

    def __init__(self, map_location):
        self.map = map_location
        if isinstance(map_location, (str, _device)):
            check_device(map_location)

    def __call__(self, location):
        if isinstance(self.map, dict):
            location = self.map.get(location, location)
        elif self.map is not None:
            return
        if str(location).startswith("cuda"):
            raise error("machine", RuntimeError(
                "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are "
                "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map "
                "your storages to the CPU."),
                why="the file was saved on a GPU, and kobai computes on the processor (cpu).",
                fix="torch.load(path, map_location='cpu').")


# ---- what may be made ------------------------------------------------------------------------
def add_safe_globals(safe_globals):
    """Let `load` with weights_only=True also make objects of these classes."""
    for c in safe_globals:
        c, name = c if isinstance(c, tuple) else (c, f"{c.__module__}.{c.__qualname__}")
        safe_extra[name] = c


def clear_safe_globals():
    """Forget what `add_safe_globals` allowed."""
    safe_extra.clear()


def get_safe_globals():
    """What `add_safe_globals` allowed."""
    return list(safe_extra.values())


@contextlib.contextmanager
def safe_globals(safe_globals):
    """`add_safe_globals` within a block."""
    before = dict(safe_extra)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        safe_extra.clear()
        safe_extra.update(before)


__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]
