"""Machine code on disk: what has been compiled once is found again by the next process.

An entry is a file named by a hash of its key, and holds a checksum of key and contents before the contents.
Entries are written beside their place and moved there, so readers in other processes see a whole entry or
none; two writers of one entry write the same.  A damaged entry counts as missing and is replaced.  Nothing
that can go wrong with files (no home, read-only or full disk, files that others could have put there) is
an error: the code is compiled again.

The folder is KOBAI_CACHE_DIR, or where the platform keeps caches; KOBAI_CACHE=0 turns it off.  It stays below
KOBAI_CACHE_SIZE megabytes (256): entries that were not used for longest go first.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

try:
    from _blake2 import blake2b  # what hashlib gives, without loading OpenSSL, which takes 3 ms
except ImportError:
    from hashlib import blake2b

LIMIT = 256  # megabytes
_MAGIC = b"kobai\x01"
_HEAD = len(_MAGIC) + 16
_USED = 3600  # seconds after which using an entry is noted again
_LOOK = 64  # entries written between two looks at the size of the folder


def digest(*parts) -> str:
    """A name for what these texts or bytes say: equal only for equal parts."""
    h = blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        h.update(len(data).to_bytes(8, "little") + data)
    return h.hexdigest()


class Store:
    """Entries in a folder of at most ``limit`` bytes."""

    def __init__(self, folder, limit: int = LIMIT << 20):
        self.folder, self.limit = Path(folder), limit
        self.readable = self.writable = True
        self._written, self._since = 0, 0  # entries written, bytes of them since the last look
        self._turn = os.getpid() % _LOOK   # so that not every short process looks through the folder

    def get(self, key: str) -> bytes | None:
        """What was stored under a key made by `digest`, or None."""
        if not self.readable:
            return None
        path = os.path.join(self.folder, key)
        try:
            with open(path, "rb", opener=_open) as f:
                status = os.fstat(f.fileno())
                if not _is_ours(status) or not stat.S_ISREG(status.st_mode):
                    return None
                entry = f.read()
        except OSError:
            return None
        contents = entry[_HEAD:]
        if entry[:_HEAD] != _MAGIC + _checksum(key, contents):
            return None
        now = time.time()
        if now - status.st_mtime > _USED:
            try:
                os.utime(path, (now, now))
            except OSError:
                pass
        return contents

    def put(self, key: str, contents: bytes) -> None:
        """Store bytes under a key, if that is possible."""
        if not self.writable:
            return
        try:
            self._write(key, _MAGIC + _checksum(key, contents) + contents)
        except OSError:
            self.writable = False  # the next would not fare better

    def _write(self, key: str, entry: bytes):
        if self._written == 0:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            if not _is_ours(os.stat(self.folder)):
                self.readable = self.writable = False  # others could put code of theirs there
                return
        import tempfile  # noqa: PLC0415  (most processes find all they need)

        handle, temporary = tempfile.mkstemp(".part", key[:8], self.folder)
        try:
            with open(handle, "wb") as f:
                f.write(entry)
            os.replace(temporary, os.path.join(self.folder, key))
        except BaseException:
            with contextlib.suppress(OSError):  # the folder is gone: an interrupt is one all the same
                os.unlink(temporary)
            raise
        self._written += 1
        self._since += len(entry)
        if self._written % _LOOK == self._turn or self._since > self.limit // 8:
            self._since = 0
            self.trim()

    def trim(self) -> None:
        """Remove what was not used for longest, if the folder is too large, and what writers left half done."""
        found, total, now = [], 0, time.time()
        for entry in os.scandir(self.folder):
            try:
                status = entry.stat()
                if entry.name.endswith(".part") and now - status.st_mtime > _USED:
                    os.unlink(entry.path)
                    continue
            except OSError:  # another process was faster
                continue
            found.append((status.st_mtime, status.st_size, entry.path))
            total += status.st_size
        if total <= self.limit:
            return
        for _, size, path in sorted(found):
            try:
                os.unlink(path)
            except OSError:
                pass
            total -= size
            if total <= self.limit * 3 // 4:
                return


def _open(path, flags):
    """Open a file that may be anything: one that never ends, such as a pipe, is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _checksum(key: str, contents: bytes) -> bytes:
    return blake2b(key.encode() + contents, digest_size=16).digest()


def _is_ours(status) -> bool:
    """Whether only this user (and the administrator) can have written a file or folder."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o002


def folder() -> Path | None:
    """Where entries are kept, or None if nowhere."""
    if os.environ.get("KOBAI_CACHE", "") == "0":
        return None
    chosen = os.environ.get("KOBAI_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "kobai" if base and os.path.isabs(base) else None


def _limit() -> int:
    wanted = os.environ.get("KOBAI_CACHE_SIZE", "")
    return (int(wanted) if wanted.isdecimal() else LIMIT) << 20


_stores: dict = {}


def store() -> Store | None:
    """The Store that the environment asks for now, or None."""
    where = folder()
    if where is None:
        return None
    found = _stores.get((where, _limit()))
    return found or _stores.setdefault((where, _limit()), Store(where, _limit()))


def remembered(key: str, make: Callable[[], bytes]) -> bytes:
    """What is stored under ``key``, else what ``make`` gives, which is then stored.

    >>> remembered(digest("seven", 7), lambda: b"seven")
    b'seven'
    """
    kept = store()
    if kept is None:
        return make()
    contents = kept.get(key)
    if contents is None:
        contents = make()
        kept.put(key, contents)
    return contents


def fingerprint() -> str:
    """A name for the version of kobai that compiles: changes when the code of the compiler does."""
    global _fingerprint
    if _fingerprint is None:
        from kobai import __version__  # noqa: PLC0415 (it is set after this package can be imported)

        package = Path(__file__).parents[1]
        files = [p for part in ("compile", "backends") for p in sorted(package.glob(part + "/*.py"))]
        status = [p.stat() for p in files]
        _fingerprint = digest(__version__, *[f"{s.st_mtime_ns} {s.st_size}" for s in status])
    return _fingerprint


_fingerprint: str | None = None
