"""Loading object code without LLVM: its sections into memory, its addresses filled in.

LLVM takes 50 MB and as many milliseconds to be there at all.  Code that comes from the cache does not need it: an
ELF file for x86-64 as `kobai.backends.llvm` makes them (large code model) asks for 64-bit addresses and little
else.  Anything unexpected raises `Unsupported`, and LLVM's own loader is used.  The format: *System V
Application Binary Interface*, chapters 4 and 5, and its AMD64 supplement.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from typing import NamedTuple

supported = sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 1 << 32

_ALLOC, _WRITE, _EXEC = 2, 1, 4  # flags of a section
_SYMTAB, _RELA, _NOBITS = 2, 4, 8  # kinds of section
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1  # where a symbol is, if not in a section
# number of a relocation: (struct format, whether relative to the place)
_RELOCATIONS = {1: ("<Q", False), 2: ("<i", True), 4: ("<i", True), 24: ("<q", True)}


class Unsupported(Exception):
    """The file, or this system, is not what this loader is made for."""


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


class _Symbol(NamedTuple):
    name: int
    info: int
    other: int
    section: int
    value: int
    size: int


_process = None


def load(code: bytes) -> dict[str, int]:
    """Put object code into memory; the addresses of its global functions and variables by name.

    Raises:
        Unsupported: if LLVM has to do it.
    """
    if not supported or code[:6] != b"\x7fELF\x02\x01":
        raise Unsupported("not ELF for this machine")
    try:
        return _load(code)
    except (struct.error, IndexError, ValueError, OSError) as e:
        raise Unsupported(str(e)) from e


def _load(code: bytes) -> dict[str, int]:
    (start,) = struct.unpack_from("<Q", code, 40)
    count = struct.unpack_from("<H", code, 60)[0]
    sections = [_Section(*struct.unpack_from("<IIQQQQIIQQ", code, start + 64 * i)) for i in range(count)]
    places, border, size = _places(sections)
    base, memory = _memory(size)
    for i, where in places.items():
        if sections[i].kind != _NOBITS:
            memory[where : where + sections[i].size] = _contents(code, sections[i])
    table = next(s for s in sections if s.kind == _SYMTAB)
    names = sections[table.link].offset
    symbols = [_Symbol(*s) for s in struct.iter_unpack("<IBBHQQ", _contents(code, table))]
    text = [code[names + s.name : code.index(b"\0", names + s.name)].decode() for s in symbols]
    addresses = [_address(s, name, base, places) for s, name in zip(symbols, text)]
    for section in sections:
        if section.kind == _RELA and section.info in places:
            _relocate(memory, base, places[section.info], _contents(code, section), addresses)
    _protect(base, border)
    found = zip(symbols, text, addresses)
    return {name: address for s, name, address in found if name and s.info >> 4 == 1 and s.section}


def _contents(code: bytes, section: _Section) -> bytes:
    return code[section.offset : section.offset + section.size]


def _places(sections):
    """Where each section begins, how much of it all is code and constants, and how much there is."""
    places, end, border = {}, 0, 0
    for writable in (0, _WRITE):
        for i, s in enumerate(sections):
            if s.flags & _ALLOC and s.flags & _WRITE == writable and s.size:
                end = -(-end // s.align) * s.align
                places[i], end = end, end + s.size
        end = -(-end // mmap.PAGESIZE) * mmap.PAGESIZE
        border = border or end
    return places, border, max(end, mmap.PAGESIZE)


def _memory(size: int):
    """(address, memory) that is never given back: arrays may be freed by code in it when all else has gone."""
    library = _library()
    address = library.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError("no memory for code")  # plain: caught by its caller
    return address, memoryview((ctypes.c_char * size).from_address(address)).cast("B")


def _address(symbol: _Symbol, name: str, base: int, places) -> int:
    if symbol.section == _UNDEFINED:
        return _of_process(name) if name else 0
    if symbol.section == _ABSOLUTE:
        return symbol.value
    if symbol.section >= 0xFF00:
        raise Unsupported("a symbol in no section")
    return base + places.get(symbol.section, 0) + symbol.value


def _library():
    """Python and the C library, as they are in this process."""
    global _process
    if _process is None:
        process = ctypes.CDLL(None, use_errno=True)
        process.mmap.restype = ctypes.c_void_p
        process.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        process.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        _process = process  # not before: another thread would take an address for a number of 32 bits
    return _process


def _of_process(name: str) -> int:
    """The address of a function of Python or the C library."""
    try:
        return ctypes.cast(getattr(_library(), name), ctypes.c_void_p).value or 0
    except AttributeError as e:
        raise Unsupported(f"no {name} in this process") from e


def _relocate(memory, base: int, where: int, relocations: bytes, addresses):
    """Fill in addresses that were not known when the code was made."""
    for offset, info, addend in struct.iter_unpack("<QQq", relocations):
        if info & 0xFFFFFFFF not in _RELOCATIONS:
            raise Unsupported(f"relocation {info & 0xFFFFFFFF}")
        form, relative = _RELOCATIONS[info & 0xFFFFFFFF]
        value = addresses[info >> 32] + addend
        if relative:
            value -= base + where + offset
        struct.pack_into(form, memory, where + offset, value)


def _protect(address: int, size: int):
    """Code may be run from now on, and not be written any more."""
    if size and _library().mprotect(address, size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise Unsupported("memory may not be made executable here")
