"""Random words as native code: the Mersenne Twister (Matsumoto and Nishimura 1998) in SIMD lanes.

``draw(state, words, n)`` goes on from the state of NumPy's MT19937 (624 words and a position) and leaves it where NumPy
would.  ``unit_float``, ``unit_double`` and ``hits`` make numbers in [0, 1) of words, and 1 or 0 with a probability,
each in part of a block ``(words, to, limit)``, so that threads can share them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from kobai.backends import llvm
from kobai.backends.called import empty, run
from kobai.backends.threads import GRAIN

_N, _M = 624, 397  # words of the state, and how far ahead one looks


class _Lanes:
    """Text of arithmetic on so many lanes, one line an operation."""

    def __init__(self, lanes: int, prefix: str):
        self.lanes, self.prefix, self.lines = lanes, prefix, []

    def type(self, t: str, lanes: int = 0) -> str:
        n = lanes or self.lanes
        return t if n == 1 else f"<{n} x {t}>"

    def do(self, operation: str) -> str:
        name = f"%{self.prefix}.{len(self.lines)}"
        self.lines.append(f"  {name} = {operation}")
        return name

    def number(self, value, t: str = "i32") -> str:
        return str(value) if self.lanes == 1 else "<" + ", ".join([f"{t} {value}"] * self.lanes) + ">"

    def two(self, op: str, a: str, b, t: str = "i32") -> str:
        return self.do(f"{op} {self.type(t)} {a}, {b if isinstance(b, str) else self.number(b, t)}")

    def load(self, pointer: str, at: str, t: str = "i32", lanes: int = 0) -> str:
        place = self.do(f"getelementptr {t}, ptr {pointer}, i64 {at}")
        return self.do(f"load {self.type(t, lanes)}, ptr {place}, align 4")

    def store(self, value: str, pointer: str, at: str, t: str = "i32"):
        place = self.do(f"getelementptr {t}, ptr {pointer}, i64 {at}")
        self.lines.append(f"  store {self.type(t)} {value}, ptr {place}, align 4")


def _twisted(k: _Lanes, i: str, after: str, other: str):
    """key[i] anew from key[i], key[after] and key[other]."""
    a, b, c = k.load("%key", i), k.load("%key", after), k.load("%key", other)
    y = k.two("or", k.two("and", a, 0x80000000), k.two("and", b, 0x7FFFFFFF))
    odd = k.two("sub", k.number(0), k.two("and", b, 1))
    y = k.two("xor", k.two("lshr", y, 1), k.two("and", odd, 0x9908B0DF))
    k.store(k.two("xor", c, y), "%key", i)


def _ahead(distance: int):
    def body(k: _Lanes, i: str):
        _twisted(k, i, k.do(f"add i64 {i}, 1"), k.do(f"add i64 {i}, {distance}"))

    return body


def _tempered(k: _Lanes, i: str):
    y = k.load("%from", i)
    y = k.two("xor", y, k.two("lshr", y, 11))
    y = k.two("xor", y, k.two("and", k.two("shl", y, 7), 0x9D2C5680))
    y = k.two("xor", y, k.two("and", k.two("shl", y, 15), 0xEFC60000))
    k.store(k.two("xor", y, k.two("lshr", y, 18)), "%into", i)


def _long(k: _Lanes, i: str) -> str:
    """53 random bits: the lower ones of two words, the first on top."""
    at = k.do(f"mul i64 {i}, 2")
    if k.lanes == 1:
        first, second = k.load("%from", at), k.load("%from", k.do(f"add i64 {at}, 1"))
    else:
        both, t = k.load("%from", at, lanes=2 * k.lanes), f"<{2 * k.lanes} x i32>"
        first, second = [
            k.do(f"shufflevector {t} {both}, {t} poison, <{k.lanes} x i32> "
                 f"<{', '.join(f'i32 {2 * j + odd}' for j in range(k.lanes))}>")
            for odd in (0, 1)
        ]  # fmt: skip
    wide = [k.do(f"zext {k.type('i32')} {v} to {k.type('i64')}") for v in (first, second)]
    top = k.two("shl", k.two("and", wide[0], 0x1FFFFF, "i64"), 32, "i64")
    return k.two("or", top, wide[1], "i64")


def _unit_double(k: _Lanes, i: str):
    x = k.do(f"sitofp {k.type('i64')} {_long(k, i)} to {k.type('double')}")
    k.store(k.two("fmul", x, "0x3CA0000000000000" if k.lanes == 1 else k.number("0x3CA0000000000000", "double"), "double"),
            "%into", i, "double")


def _unit_float(k: _Lanes, i: str):
    x = k.do(f"sitofp {k.type('i32')} {k.two('and', k.load('%from', i), 0xFFFFFF)} to {k.type('float')}")
    scale = "0x3E70000000000000"
    k.store(k.two("fmul", x, scale if k.lanes == 1 else k.number(scale, "float"), "float"), "%into", i, "float")


def _hits(k: _Lanes, i: str):
    limit = "%limit"
    if k.lanes > 1:
        t = k.type("i64")
        limit = k.do(f"insertelement {t} poison, i64 %limit, i64 0")
        limit = k.do(f"shufflevector {t} {limit}, {t} poison, <{k.lanes} x i32> zeroinitializer")
    hit = k.do(f"icmp slt {k.type('i64')} {_long(k, i)}, {limit}")
    k.store(k.do(f"uitofp {k.type('i1')} {hit} to {k.type('float')}"), "%into", i, "float")


def _loop(name: str, before: str, start, stop, lanes: int, body) -> str:
    """A loop from ``start`` in steps of ``lanes`` while all fit, then by ones; ends in a block ``name.end``."""
    text, first = "", str(start)
    for n, here in ((lanes, f"{name}.wide"), (1, f"{name}.one")):
        k = _Lanes(n, here)
        body(k, f"%{here}.i")
        after = f"{name}.one" if n > 1 else f"{name}.end"
        text += f"""  br label %{here}
{here}:
  %{here}.i = phi i64 [{first}, %{before}], [%{here}.n, %{here}.body]
  %{here}.n = add i64 %{here}.i, {n}
  %{here}.more = icmp sle i64 %{here}.n, {stop}
  br i1 %{here}.more, label %{here}.body, label %{here}.out
{here}.body:
""" + "\n".join(k.lines) + f"\n  br label %{here}\n{here}.out:\n"
        before, first = f"{here}.out", f"%{here}.i"
        if after.endswith(".end"):
            text += f"  br label %{after}\n{after}:\n"
    return text


def _shared(name: str, lanes: int, body) -> str:
    """A function of a block and a range of it."""
    return f"""
define void @{name}(ptr %block, i64 %begin, i64 %end) nounwind {{
entry:
  %from = load ptr, ptr %block
  %into_at = getelementptr i64, ptr %block, i64 1
  %into = load ptr, ptr %into_at
  %limit_at = getelementptr i64, ptr %block, i64 2
  %limit = load i64, ptr %limit_at
{_loop("l", "entry", "%begin", "%end", lanes, body)}
  ret void
}}
"""


def _text(lanes: int) -> str:
    last = _Lanes(1, "last")
    _twisted(last, str(_N - 1), "0", str(_M - 1))
    ends = "\n".join(last.lines)
    return f"""
define internal void @twist(ptr %key) nounwind {{
entry:
{_loop("a", "entry", 0, _N - _M, lanes, _ahead(_M))}
{_loop("b", "a.end", _N - _M, _N - 1, lanes, _ahead(_M - _N))}
{ends}
  ret void
}}

; A block is (state, words).
define void @draw(ptr %block, i64 %begin, i64 %n) nounwind {{
entry:
  %key = load ptr, ptr %block
  %words_at = getelementptr i64, ptr %block, i64 1
  %words = load ptr, ptr %words_at
  %pos_at = getelementptr i32, ptr %key, i64 {_N}
  br label %head
head:
  %done = phi i64 [0, %entry], [%then, %t.end]
  %left = sub i64 %n, %done
  %more = icmp sgt i64 %left, 0
  br i1 %more, label %some, label %out
some:
  %pos = load i32, ptr %pos_at
  %used = icmp sge i32 %pos, {_N}
  br i1 %used, label %anew, label %go
anew:
  call void @twist(ptr %key)
  br label %go
go:
  %p32 = phi i32 [%pos, %some], [0, %anew]
  %p = zext i32 %p32 to i64
  %there = sub i64 {_N}, %p
  %fewer = icmp slt i64 %left, %there
  %m = select i1 %fewer, i64 %left, i64 %there
  %from = getelementptr i32, ptr %key, i64 %p
  %into = getelementptr i32, ptr %words, i64 %done
{_loop("t", "go", 0, "%m", lanes, _tempered)}
  %q = add i64 %p, %m
  %q32 = trunc i64 %q to i32
  store i32 %q32, ptr %pos_at
  %then = add i64 %done, %m
  br label %head
out:
  ret void
}}
""" + _shared("unit_float", lanes, _unit_float) + _shared("unit_double", lanes // 2, _unit_double) + _shared(
        "hits", lanes // 2, _hits)


@lru_cache(1)
def _code() -> dict[str, int]:
    m = llvm.machine()
    names = ("draw", "unit_float", "unit_double", "hits")
    return dict(zip(names, m.load(m.assemble(_text(m.vector_bytes // 4)), *names)))


class Twister:
    """Numbers from the words of a NumPy MT19937, as `Generator` makes them."""

    def __init__(self):
        _code()

    def words(self, bits, n: int) -> np.ndarray:
        """The next n words, as uint32.

        >>> Twister().words(np.random.MT19937(0), 2).tolist() == np.random.MT19937(0).random_raw(2).tolist()
        True
        """
        y = empty((n,), np.dtype(np.uint32))
        with bits.lock:
            run(_code()["draw"], [bits.ctypes.state_address, y.ctypes.data], n, 0)
        return y

    def unit32(self, bits, n: int) -> np.ndarray:
        """n float32 in [0, 1), multiples of 2^-24."""
        return self._made("unit_float", self.words(bits, n), n, np.float32)

    def unit64(self, bits, n: int) -> np.ndarray:
        """n float64 in [0, 1), multiples of 2^-53."""
        return self._made("unit_double", self.words(bits, 2 * n), n, np.float64)

    def hits(self, bits, n: int, p: float) -> np.ndarray:
        """n float32: 1 where the next of `unit64` is less than p, else 0."""
        return self._made("hits", self.words(bits, 2 * n), n, np.float32, int(np.ceil(p * 2.0**53)))

    def _made(self, name, words, n, dtype, limit=0):
        y = empty((n,), np.dtype(dtype))
        run(_code()[name], [words.ctypes.data, y.ctypes.data, limit], n, GRAIN)
        return y
