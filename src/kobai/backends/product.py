"""Matrix products by the BLAS that NumPy brings, called from native code.

``product(block, begin, end)`` multiplies the matrices ``begin`` to ``end`` of a batch; `words` makes the block.
"""
from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path

import numpy as np

from kobai.backends import llvm
from kobai.compile.kernel import NoKernel

_WORDS = ("a", "b", "c", "function", "m", "n", "k", "left", "right", "lda", "ldb", "ldc", "inner",
          "outer_a", "outer_b", "outer_c", "inner_a", "inner_b", "inner_c")
_AT = {name: i for i, name in enumerate(_WORDS)}


def _load(name: str, t: str = "i64") -> str:
    at = f"getelementptr i64, ptr %block, i64 {_AT[name]}"
    return f"  %{name}_at = {at}\n  %{name} = load {t}, ptr %{name}_at\n"


def _text(t: str) -> str:
    offsets = "".join(
        f"""  %o{x} = mul i64 %far, %outer_{x}
  %i{x} = mul i64 %near, %inner_{x}
  %s{x} = add i64 %o{x}, %i{x}
  %p{x} = getelementptr i8, ptr %{x}, i64 %s{x}
""" for x in "abc")
    loads = "".join(_load(n, "ptr" if n in ("a", "b", "c", "function") else "i64") for n in _WORDS)
    return f"""
define void @product_{t}(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:
{loads}  %l32 = trunc i64 %left to i32
  %r32 = trunc i64 %right to i32
  br label %head
head:
  %i = phi i64 [%begin, %entry], [%i1, %body]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %body, label %out
body:
  %far = udiv i64 %i, %inner
  %near = urem i64 %i, %inner
{offsets}  call void %function(i32 101, i32 %l32, i32 %r32, i64 %m, i64 %n, i64 %k, {t} 1.0, ptr %pa, i64 %lda, ptr %pb,
                       i64 %ldb, {t} 0.0, ptr %pc, i64 %ldc)
  %i1 = add i64 %i, 1
  br label %head
out:
  ret void
}}
"""


@lru_cache(1)
def _code() -> dict[str, int]:
    """Addresses of the functions by NumPy's letter of the type."""
    m = llvm.machine()
    found = m.load(m.assemble(_text("float") + _text("double")), "product_float", "product_double")
    return dict(zip("fd", found))


@lru_cache(1)
def _blas() -> dict[str, int]:
    """Addresses of cblas_sgemm and cblas_dgemm in NumPy's library, with 64-bit integers."""
    folder = Path(np.__file__).parent.parent / "numpy.libs"
    for path in folder.glob("*openblas64*"):
        library = ctypes.CDLL(str(path))
        names = {c: f"scipy_cblas_{t}gemm64_" for c, t in zip("fd", "sd")}
        if all(hasattr(library, n) for n in names.values()):
            return {c: ctypes.cast(getattr(library, n), ctypes.c_void_p).value for c, n in names.items()}
    raise NoKernel("NumPy's BLAS has another name here")


def words(step) -> tuple[int, list[int], int]:
    """(code, the block's words after the three addresses, how many matrices) of a `ProductStep`.

    Raises:
        NoKernel: if there is no BLAS to call.
    """
    code, function = _code()[step.dtype.char], _blas()[step.dtype.char]
    size = step.dtype.itemsize
    sides = [_side(s[-2:], shape, size) for s, shape in zip(step.strides, ((step.m, step.k), (step.k, step.n)))]
    (left, lda), (right, ldb) = sides
    inner = step.sizes[-1] if step.sizes else 1
    far = [s[0] if len(step.sizes) == 2 else 0 for s in step.strides]
    near = [s[len(step.sizes) - 1] if step.sizes else 0 for s in step.strides]
    ldc = max(step.strides[2][-2] // size if step.m > 1 else 0, step.n)
    block = [function, step.m, step.n, step.k, left, right, lda, ldb, ldc, inner, *far, *near]
    count = 1
    for s in step.sizes:
        count *= s
    return code, block, count


def _side(strides, shape, size: int) -> tuple[int, int]:
    """(111 plain or 112 transposed, leading dimension) of a matrix for cblas."""
    (row, col), (rows, cols) = strides, shape
    if (col == size or cols == 1) and (row >= cols * size or rows == 1):
        return 111, max(row // size if rows > 1 else 0, cols)
    return 112, max(col // size if cols > 1 else 0, rows)
