"""Matrix products of NumPy arrays and of plans, on the pool that kernels run on.

    code, words, extent, grain = words_of(...)    # for a table of native calls
    y = product(a, b)                             # eager; None where NumPy is to be asked

The machine code is our own (`kobai.backends.gemm`), not OpenBLAS's: the threads of OpenBLAS wait for each
other in the middle of a product, so it can be lent only a pool in which all run at once, and how it splits a product
depends on how many there are.  Here tiles are independent, any thread may do any of them, and sums do not
depend on their borders: the same bits for any number of threads, and no waiting for one that lost its core.
NumPy keeps OpenBLAS for what is small, complex, or where there is no llvmlite.
"""
from __future__ import annotations

import math
import os
import struct
import threading
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kobai.backends import gemm, gemm_cut, gemm_few, gemm_half, gemm_thin, gemm_tiny, llvm
from kobai.backends.gemm_micro import shape_of_products
from kobai.backends.threads import get_num_threads
from kobai.compile.contract import merged
from kobai.compile.deep import adding, stretches
from kobai.compile.kernel import NoKernel

_TYPES = {"f": "float", "d": "double", "E": "bfloat"}  # by NumPy's letter; E is bfloat16 of ml_dtypes
_FEW = 4  # rows of A that are multiplied with contiguous columns of B as they are


class _Code(NamedTuple):
    addresses: dict[str, int]  # by the order of operands
    step: int
    width: int
    depth: int


_loaded: dict[tuple[str, bool], _Code] = {}


def code(dtype, tiny: bool = False) -> _Code:
    """The functions for a type, made when first needed; those for tiny products if so asked.

    Raises:
        NoKernel: if there is no machine code, or none for this type.
    """
    key = dtype.char, tiny
    found = _loaded.get(key)
    if found is None:
        with _making:  # another thread may have begun
            found = _loaded.get(key)
            if found is None:
                found = _loaded[key] = _code(dtype, tiny)
    return found


_making = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_making._at_fork_reinit)  # another thread may have it, which is not there then


def _code(dtype, tiny: bool) -> _Code:
    t = _TYPES.get(dtype.char)
    if t is None:
        raise NoKernel(f"no products of {dtype}")
    made, *sizes = _half() if t == "bfloat" else _tiny(t) if tiny else _full(t, dtype.itemsize)
    addresses = llvm.machine().load(made, *[f"{order}_{t}" for order in gemm.ORDERS])
    return _Code(dict(zip(gemm.ORDERS, addresses)), *sizes)


def has(dtype) -> bool:
    """Whether there are functions for a type on this CPU."""
    if dtype.char not in _TYPES or not llvm.available:
        return False
    try:
        code(dtype)
    except NoKernel:
        return False
    return True


@lru_cache(8)
def parts(dtype) -> list[int]:
    """Addresses of code that products of a type are made of: rows times a narrow, and a wide sliver; how to copy B."""
    t = _TYPES[dtype.char]
    return llvm.machine().load(_full(t, dtype.itemsize)[0], f"strip_{t}_1", f"strip_{t}_2", f"pack_b_{t}")


def _tiny(t: str):
    """What `_full` gives, for products of at most `gemm_tiny.MOST` multiplications."""
    machine = llvm.machine()
    made = machine.remembered(f"tiny {t}", lambda: gemm_tiny.Tiny(t, machine.vector_bytes, machine.triple).text())
    return made, gemm_tiny.MOST, gemm_tiny.MOST, gemm_tiny.MOST


def _full(t: str, size: int):
    """(object code, rows and columns of a block, most of the inner dimension in one go) for float32 or float64."""
    machine = llvm.machine()
    shape = shape_of_products(size, machine.vector_bytes, machine.triple)
    made = machine.remembered(f"gemm {t}", lambda: gemm.text(t, machine.vector_bytes, machine.triple))
    return made, shape.rows[0], shape.width, gemm_cut.DEPTH * 4 // size


def _half():
    """The same for bfloat16."""
    machine = llvm.machine()
    features = machine.features.split(",")
    amx = {"+amx-bf16", "+avx512bf16"} <= {*features} and gemm_half.may_use_amx()
    # Intel's processors take as long for a pair of bfloat16 as for two of float32; AMD's do not.
    if machine.vector_bytes < 64 or not (amx or "+avx512bf16" in features and machine.cpu.startswith("znver")):
        raise NoKernel("this CPU has no fast instructions for bfloat16")
    made = machine.remembered(f"gemm bfloat {amx}", lambda: gemm_half.text(machine.triple, amx))
    return made, 32, 32, gemm_half.DEPTH


def words_of(dtype, m, n, k, a, b, c, e=None, sizes=(), alpha=1.0, beta=1.0, beside=1,
             tile=gemm_cut.TILE):  # fmt: skip
    """(address of the code, words after the addresses of A, B, E (if given) and C, tiles, tiles to do at once).

    ``a``, ``b``, ``c``, ``e`` are strides in bytes: those of the batch (``sizes``, at most two), of rows, of columns;
    rows or columns of C and E are contiguous.  ``beside``: how many such calls threads share; ``tile``: how
    many multiplications of float32 are worth sharing.

    Raises:
        NoKernel: if there is no machine code, or C or E lie otherwise.
    """
    tiny = dtype.char != "E" and gemm_tiny.fits(m * n * k, math.prod(sizes) * beside)
    functions, size, order = code(dtype, tiny), dtype.itemsize, "ab"
    if m > 1 and c[-2] == size and (n == 1 or c[-1] != size) and (e is None or e[-2] == size):
        turned = [s and (*s[:-2], s[-1], s[-2]) for s in (b, a, c, e)]  # the transposes: C' = B' A'
        m, n, a, b, c, e = n, m, *turned
        order = "ba"
    if n > 1 and c[-1] != size or e and n > 1 and e[-1] != size:
        raise NoKernel("neither rows nor columns of the result are contiguous")
    if dtype.char == "E":
        a, b = [_in_lines(s, rows, cols, size) for s, rows, cols in ((a, m, k), (b, k, n))]
    batch, half, threads = math.prod(sizes), dtype.char == "E", get_num_threads()
    way, width = _way(m, n, k, a, b, size, functions.width)
    t = gemm_cut.tiling(m, n, k, batch * beside, functions.step, width, functions.depth, threads, half,
                        tile >> (size == 8), way != gemm.BLOCKS, (a[-1] != size, b[-1] != size))  # fmt: skip
    copy_a = gemm_cut.copies(t, m, n, size, a, functions.step, functions.width)
    across = -(-n // t.cols)
    tiles = across * -(-m // t.rows)
    far = [s[0] if s and len(sizes) == 2 else 0 for s in (a, b, c, e)]
    near = [s[len(sizes) - 1] if s and sizes else 0 for s in (a, b, c, e)]
    found = {
        "m": m, "n": n, "k": k, "row_a": a[-2], "col_a": a[-1], "row_b": b[-2], "col_b": b[-1], "row_c": c[-2],
        "row_e": e[-2] if e else 0, "alpha": _bits(alpha), "beta": _bits(beta), "rows": t.rows, "cols": t.cols,
        "depth": t.depth, "across": across, "tiles": tiles, "inner": sizes[-1] if sizes else 1,
        "copy_a": copy_a,
        **dict(zip(("outer_a", "outer_b", "outer_c", "outer_e"), far)),
        **dict(zip(("inner_a", "inner_b", "inner_c", "inner_e"), near)),
    }  # fmt: skip
    found["way"] = way
    return functions.addresses[order + ("c" if e is None else "ec")], [found[name] for name in gemm.WORDS], tiles * batch, t.grain


def _way(m: int, n: int, k: int, a, b, size: int, width: int) -> tuple[int, int]:
    """Which way of `kobai.backends.gemm` to multiply, and in multiples of how many columns to cut.

    The words of a product depend on its shape, its strides and its CPU: so do sums, and not on the threads.
    """
    if size == 2:
        return (gemm.THIN, gemm_few.columns(m)) if m <= gemm_few.MOST else (gemm.BLOCKS, width)
    if m <= _FEW and a[-1] == size == b[-2]:
        return gemm.DOTS, width
    vectors = llvm.machine().vector_bytes
    if m <= gemm_thin.MOST and b[-1] == size and n * k * size >= gemm_thin.LEAST and vectors >= 32:
        columns = gemm_thin.columns(m, vectors // size)
        return (gemm.THIN, columns) if n >= columns else (gemm.BLOCKS, width)
    return gemm.BLOCKS, width


def _in_lines(strides, rows: int, cols: int, size: int):
    """The strides of a matrix whose rows or columns are contiguous, as the code for bfloat16 wants it: that of columns is
    one element if either will do.

    Raises:
        NoKernel: if neither are.
    """
    if cols == 1 or strides[-1] == size:
        return (*strides[:-1], size)
    if rows == 1 or strides[-2] == size:
        return (*strides[:-2], size, strides[-1])
    raise NoKernel("neither rows nor columns of a matrix of bfloat16 are contiguous")


def _bits(x: float) -> int:
    """The bits of a float64 as an integer."""
    return struct.unpack("=q", struct.pack("=d", x))[0]


def words(step, beside: int = 1):
    """`words_of` a `kobai.compile.contract.ProductStep`, one of so many beside each other."""
    return words_of(step.dtype, step.m, step.n, step.k, *step.strides, sizes=step.sizes, alpha=step.alpha, beside=beside,
                    tile=gemm_cut.worth_sharing(step.m, step.n, step.k))  # fmt: skip


# ---- eager -------------------------------------------------------------------------------------
_PLANS = 1024  # combinations of shapes and strides that are remembered
_plans: dict = {}


def ready(dtype):
    """`product`, with everything compiled that it needs for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    code(np.dtype(dtype))
    llvm.bridge()
    return product


def product(a, b, e=None):
    """a @ b, plus one row e if given, for arrays of at least two dimensions; None where NumPy has to do it."""
    key = (a.shape, a.strides, b.shape, b.strides, a.dtype, b.dtype)
    key = key if e is None else (*key, e.shape, e.strides, e.dtype)
    found = _plans.get(key)
    if found is None:
        if len(_plans) >= _PLANS:
            _plans.clear()
        found = _plans[key] = _plan(a, b, e) or False
    if found is False:
        return None
    run, prototype = found
    return run(a, b, prototype) if e is None else run(a, b, e, prototype)


def _plan(a, b, e):
    """(native function, array like the result) for arrays of these shapes, or None."""
    lead, (m, k), n = a.shape[:-2], a.shape[-2:], b.shape[-1]
    given = (a, b) if e is None else (a, b, e)
    if b.shape[-2] != k or b.shape[:-2] != lead or any(x.dtype != a.dtype or not x.size for x in given):
        return None
    if e is not None and (e.shape != (n,) or lead):
        return None
    parts = 1 if lead or a.dtype.char == "E" else stretches(m, n, k)
    if parts > 1:
        return _deep(a, b, parts)
    like = np.lib.stride_tricks.as_strided(np.empty(1, a.dtype), (*lead, m, n), _contiguous((*lead, m, n), a.itemsize))
    batch = merged(lead, [x.strides[:-2] for x in (a, b, like)])
    if len(batch) > 2:
        return None
    strides = [(*[s[i] for _, s in batch], *x.strides[-2:]) for i, x in enumerate((a, b, like))]
    bias = None if e is None else (*[0] * len(batch), 0, e.strides[0])
    try:
        address, words, extent, grain = words_of(
            a.dtype, m, n, k, *strides, e=bias, sizes=[size for size, _ in batch])  # fmt: skip
        work = math.prod(lead) * m * n * k
        return llvm.bridge().fixed(address, extent, grain, work // 16, len(given), [like], words), like
    except NoKernel:
        return None


def _deep(a, b, parts: int):
    """`_plan` for a product in so many stretches of the inner dimension: results of these, added by a kernel."""
    from kobai.backends.eager import Program  # noqa: PLC0415 (it is loaded with this, or not needed)

    (m, k), n, size = a.shape, b.shape[1], a.itemsize
    shape, each = (parts, m, n), k // parts
    strides = [(a.strides[1] * each, *a.strides), (b.strides[0] * each, *b.strides), _contiguous(shape, size)]
    like = np.lib.stride_tricks.as_strided(np.empty(1, a.dtype), shape, strides[2])
    try:
        address, words, extent, grain = words_of(a.dtype, m, n, each, *strides, sizes=[parts])
        run = llvm.bridge().fixed(address, extent, grain, m * n * k // 16, 2, [like], words)
        add = Program(adding((a.dtype,)), (0,), False).call
    except NoKernel:
        return None

    def call(a, b, *rest):
        y = add(run(a, b, like))
        if len(rest) > 1:
            y += rest[0]
        return y

    return call, None


def _contiguous(shape, size: int) -> tuple[int, ...]:
    """The strides of an array in C order."""
    return tuple([size * math.prod(shape[d + 1 :]) for d in range(len(shape))])
