"""Running sums along a dimension as native code.

x is seen as (outer, n, inner).  Where ``inner`` is 1, ``rows`` goes through eight rows side by side, as one sum must wait
for the one before it; else ``columns`` has neighbours in SIMD lanes.  float32 is added up in double precision and each
sum rounded once: the same bits as NumPy's, in whatever order rows come.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from kobai.backends import llvm
from kobai.backends.called import empty, run
from kobai.backends.threads import GRAIN

_ABREAST = 8  # rows
_BLOCK = ("from", "to", "count", "inner", "begin_at", "step")  # addresses, elements, and the way through n
_HEAD = "\n".join(
    f"  %{name}_word = getelementptr i64, ptr %block, i64 {i}\n"
    f"  %{name} = load {'ptr' if i < 2 else 'i64'}, ptr %{name}_word"
    for i, name in enumerate(_BLOCK)
)


def _sums(t: str, lanes: int, x: str, before: str, name: str) -> str:
    """Text: %name.sum is the new sum, %name.y the result, for a value x and the sum before."""
    v, wide = [k if lanes == 1 else f"<{lanes} x {k}>" for k in (t, "double")]
    if t == "double":
        return f"  %{name}.sum = fadd {v} {before}, {x}\n  %{name}.y = fadd {v} {before}, {x}\n"
    return (
        f"  %{name}.wide = fpext {v} {x} to {wide}\n  %{name}.sum = fadd {wide} {before}, %{name}.wide\n"
        f"  %{name}.y = fptrunc {wide} %{name}.sum to {v}\n"
    )


def _abreast(t: str, k: int, entry: str, first: str, done: str) -> str:
    """A loop over groups of k rows from %first on, which goes to label ``done`` with the next row."""
    bases = "".join(
        f"  %row{k}.{j} = add i64 %r{k}, {j}\n  %base{k}.{j} = mul i64 %row{k}.{j}, %count\n" for j in range(k)
    )
    phis = "".join(f"  %s{k}.{j} = phi double [-0.0, %group{k}], [%v{k}.{j}.sum, %one{k}]\n" for j in range(k))
    body = "".join(
        f"  %at{k}.{j} = add i64 %base{k}.{j}, %p{k}\n"
        f"  %xp{k}.{j} = getelementptr {t}, ptr %from, i64 %at{k}.{j}\n  %x{k}.{j} = load {t}, ptr %xp{k}.{j}\n"
        + _sums(t, 1, f"%x{k}.{j}", f"%s{k}.{j}", f"v{k}.{j}")
        + f"  %yp{k}.{j} = getelementptr {t}, ptr %to, i64 %at{k}.{j}\n  store {t} %v{k}.{j}.y, ptr %yp{k}.{j}\n"
        for j in range(k)
    )
    return f"""
head{k}:
  %r{k} = phi i64 [{first}, %{entry}], [%next{k}, %after{k}]
  %next{k} = add i64 %r{k}, {k}
  %more{k} = icmp sle i64 %next{k}, %end
  br i1 %more{k}, label %group{k}, label %{done}
group{k}:
{bases}  br label %loop{k}
loop{k}:
  %i{k} = phi i64 [0, %group{k}], [%i1{k}, %one{k}]
  %p{k} = phi i64 [%begin_at, %group{k}], [%p1{k}, %one{k}]
{phis}  %going{k} = icmp slt i64 %i{k}, %count
  br i1 %going{k}, label %one{k}, label %after{k}
one{k}:
{body}  %i1{k} = add i64 %i{k}, 1
  %p1{k} = add i64 %p{k}, %step
  br label %loop{k}
after{k}:
  br label %head{k}
"""


def _rows(t: str) -> str:
    k = _ABREAST
    return f"""
define void @rows_{t}(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:
{_HEAD}
  br label %head{k}
{_abreast(t, k, "entry", "%begin", "single")}
single:
  br label %head1
{_abreast(t, 1, "single", f"%r{k}", "out")}
out:
  ret void
}}
"""


def _columns(t: str, lanes: int) -> str:
    v, wide, bits = f"<{lanes} x {t}>", f"<{lanes} x double>", {"float": 32, "double": 64}[t]
    masked, mask = f"v{lanes}f{bits}.p0", f"<{lanes} x i1>"
    numbers = ", ".join(f"i64 {i}" for i in range(lanes))
    zeros = ", ".join(["double -0.0"] * lanes)
    return f"""
declare {v} @llvm.masked.load.{masked}(ptr, i32, {mask}, {v})
declare void @llvm.masked.store.{masked}({v}, ptr, i32, {mask})
define void @columns_{t}(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:
{_HEAD}
  %up = add i64 %inner, {lanes - 1}
  %blocks = udiv i64 %up, {lanes}
  %size = mul i64 %count, %inner
  br label %head
head:
  %b = phi i64 [%begin, %entry], [%b1, %after]
  %more = icmp slt i64 %b, %end
  br i1 %more, label %group, label %out
group:
  %o = udiv i64 %b, %blocks
  %c = urem i64 %b, %blocks
  %first = mul i64 %c, {lanes}
  %left = sub i64 %inner, %first
  %left0 = insertelement <{lanes} x i64> poison, i64 %left, i64 0
  %lefts = shufflevector <{lanes} x i64> %left0, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer
  %mask = icmp slt <{lanes} x i64> <{numbers}>, %lefts
  %outer = mul i64 %o, %size
  %base = add i64 %outer, %first
  br label %loop
loop:
  %i = phi i64 [0, %group], [%i1, %one]
  %p = phi i64 [%begin_at, %group], [%p1, %one]
  %s = phi {wide} [<{zeros}>, %group], [%v.sum, %one]
  %going = icmp slt i64 %i, %count
  br i1 %going, label %one, label %after
one:
  %along = mul i64 %p, %inner
  %at = add i64 %base, %along
  %xp = getelementptr {t}, ptr %from, i64 %at
  %yp = getelementptr {t}, ptr %to, i64 %at
  %x = call {v} @llvm.masked.load.{masked}(ptr %xp, i32 {bits // 8}, {mask} %mask, {v} zeroinitializer)
{_sums(t, lanes, "%x", "%s", "v")}
  call void @llvm.masked.store.{masked}({v} %v.y, ptr %yp, i32 {bits // 8}, {mask} %mask)
  %i1 = add i64 %i, 1
  %p1 = add i64 %p, %step
  br label %loop
after:
  %b1 = add i64 %b, 1
  br label %head
out:
  ret void
}}
"""


def _lanes() -> int:
    return llvm.machine().vector_bytes // 2


@lru_cache(1)
def _code() -> dict[str, int]:
    m = llvm.machine()
    names = [f"{kind}_{t}" for t in ("float", "double") for kind in ("rows", "columns")]
    text = "".join(_rows(t) + _columns(t, _lanes()) for t in ("float", "double"))
    return dict(zip(names, m.load(m.assemble(text), *names)))


def ready():
    """`running_sum`, when its code is there.

    Raises:
        NoKernel: if there is no machine code.
    """
    _code()
    return running_sum


def running_sum(x: np.ndarray, dim: int, reverse: bool) -> np.ndarray:
    """np.cumsum of a contiguous array of float32 or float64 that is not empty, from the end if ``reverse``.

    >>> ready()(np.ones((2, 3), np.float32), 1, True)
    array([[3., 2., 1.],
           [3., 2., 1.]], dtype=float32)
    """
    y = empty(x.shape, x.dtype)
    code, block, extent, grain = words(x.shape, x.dtype, dim, reverse)
    run(code, [x.ctypes.data, y.ctypes.data, *block], extent, grain)
    return y


def words(shape, dtype, dim: int, reverse: bool) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the two addresses, extent, grain) for contiguous arrays that are not empty.

    Raises:
        NoKernel: if there is no machine code.
    """
    n, inner, t = shape[dim], prod(shape[dim + 1:]), {"f": "float", "d": "double"}[dtype.char]
    block = [n, inner, n - 1 if reverse else 0, -1 if reverse else 1]
    if inner == 1:
        return _code()[f"rows_{t}"], block, prod(shape[:dim]), -(-max(1, GRAIN // n) // _ABREAST) * _ABREAST
    extent = prod(shape[:dim]) * -(-inner // _lanes())
    return _code()[f"columns_{t}"], block, extent, max(1, GRAIN // (n * _lanes()))
