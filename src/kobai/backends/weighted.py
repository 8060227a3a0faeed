"""Weighted sums along one dimension as machine code.

    void lanes_float(ptr block, i64 begin, i64 end)   lines begin to end; x, places, weights, y
    void rows_float(ptr block, i64 begin, i64 end)    results begin to end; x, beginnings, places, weights, y

Terms are added in the order of the table, each rounded, as NumPy does in `kobai.ops.taps`.  `kobai.compile.weighted` says
what the tables are.
"""

from __future__ import annotations

from functools import cache

from kobai.backends import gemm, typed
from kobai.compile.weighted import PADDED

_WORK = 1 << 15   # elements read in a chunk


class Weighted(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self.function(f"void @lanes_{self.t}(ptr %block, i64 %begin, i64 %end)", self._lanes)
        self.function(f"void @rows_{self.t}(ptr %block, i64 %begin, i64 %end)", self._rows)
        return "\n".join(self.lines)

    def _lanes(self):
        """A register of results of a line at a time, whose elements are gathered."""
        x, places, weights, y = [self.word("%block", i, "ptr") for i in range(4)]
        size, out, wide, taps = [self.word("%block", 4 + i) for i in range(4)]
        n, total = self.lanes, self.slot(self.v)

        def line(o):
            source, target = [self.at(p, self.mul(o, self.mul(s, self.size))) for p, s in ((x, size), (y, out))]

            def register(i):
                self._keep(total, "zeroinitializer")

                def tap(t):
                    entry = self.add(self.mul(t, wide), i)
                    at = self.do(f"load <{n} x i32>, ptr {self.at(places, self.mul(entry, 4))}, align 4")
                    there = self.do(f"icmp sge <{n} x i32> {at}, zeroinitializer")
                    far = self.do(f"sext <{n} x i32> {at} to <{n} x i64>")
                    where = self.do(f"getelementptr {self.t}, ptr {source}, <{n} x i64> {far}")
                    value = self.do(f"call {self.v} @llvm.masked.gather.{self.suffix}.v{n}p0(<{n} x ptr> {where}, "
                                    f"i32 {self.size}, <{n} x i1> {there}, {self.v} zeroinitializer)")
                    weight = self.load(self.at(weights, self.mul(entry, self.size)))
                    old = self.do(f"load {self.v}, ptr {total}")
                    more = self._more(old, value, weight)
                    self._keep(total, self.do(f"select <{n} x i1> {there}, {self.v} {more}, {self.v} {old}"))
                self.loop("0", taps, tap)
                mask = self._masks(self.sub(out, i), 1)[0]
                self._put(self.do(f"load {self.v}, ptr {total}"), self.at(target, self.mul(i, self.size)), mask)
            self.loop("0", self.add(out, n - 1), register, n)
        self.loop("%begin", "%end", line)

    def _rows(self):
        """Rows of elements: a register of each at a time."""
        x, first, places, weights, y = [self.word("%block", i, "ptr") for i in range(5)]
        size, out, inner = [self.word("%block", 5 + i) for i in range(3)]
        n, total = self.lanes, self.slot(self.v)
        row = self.mul(inner, self.size)

        def number(table, i):
            return self.do(f"sext i32 {self.do(f'load i32, ptr {self.at(table, self.mul(i, 4))}')} to i64")

        def result(r):
            o, i = self._split(r, out)
            source, target = self.at(x, self.mul(self.mul(o, size), row)), self.at(y, self.mul(r, row))
            begin, end = number(first, i), number(first, self.add(i, 1))

            def register(j):
                mask, shift = self._masks(self.sub(inner, j), 1)[0], self.mul(j, self.size)
                self._keep(total, "zeroinitializer")

                def tap(k):
                    value = self.load(self.at(source, self.add(self.mul(number(places, k), row), shift)), mask)
                    weight = self.splat_of(self.do(f"load {self.t}, ptr {self.at(weights, self.mul(k, self.size))}"))
                    self._keep(total, self._more(self.do(f"load {self.v}, ptr {total}"), value, weight))
                self.loop(begin, end, tap)
                self._put(self.do(f"load {self.v}, ptr {total}"), self.at(target, shift), mask)
            self.loop("0", self.add(inner, n - 1), register, n)
        self.loop("%begin", "%end", result)

    def _more(self, old, value, weight):
        return self.do(f"fadd {self.v} {old}, {self.do(f'fmul {self.v} {value}, {weight}')}")


@cache
def code(dtype) -> dict[str, int]:
    """The functions for a type, by name.

    Raises:
        NoKernel: if there is no machine code.
    """
    names = "lanes", "rows"
    addresses, _ = typed.load(dtype, "weighted", lambda t, shape: Weighted(t, shape).text(), *names)
    return dict(zip(names, addresses))


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a `SumsStep`.

    Raises:
        NoKernel: if there is no machine code.
    """
    extent = step.outer if step.kind == "lanes" else step.outer * step.out
    numbers = [step.size, step.out, -(-step.out // PADDED) * PADDED, step.taps] if step.kind == "lanes" \
        else [step.size, step.out, step.inner]
    return code(step.dtype)[step.kind], numbers, extent, max(1, _WORK * extent // max(step.work, 1))
