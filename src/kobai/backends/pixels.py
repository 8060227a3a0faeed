"""Pixels at positions, as machine code.

    void take_pixels_float(ptr block, i64 begin, i64 end)   lines begin to end: y[p] = x[index[p]]
    void add_pixels_float(ptr block, i64 begin, i64 end)    y = 0, then y[index[p]] += x[p], in order
    void put_pixels_float(ptr block, i64 begin, i64 end)    y = 0, then y[index[p]] = x[p], in order

Positions that do not exist are those at the ends, as `np.take` with "clip" has it.  `kobai.compile.pixels` says what the
words are.
"""

from __future__ import annotations

from functools import cache

from kobai.backends import gemm, typed

_WORK = 1 << 14   # elements in a chunk


class Pixels(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self.function(f"void @take_pixels_{self.t}(ptr %block, i64 %begin, i64 %end)", self._take)
        self.function(f"void @add_pixels_{self.t}(ptr %block, i64 %begin, i64 %end)", lambda: self._scatter(True))
        self.function(f"void @put_pixels_{self.t}(ptr %block, i64 %begin, i64 %end)", lambda: self._scatter(False))
        return "\n".join(self.lines)

    def _for_each_line(self, body, x_size, y_size):
        """``body(x, index, y)`` for each line."""
        def line(r):
            sample, _ = self._split(r, self.channels)
            body(self.at(self.x, self.mul(r, self.mul(x_size, self.size))),
                 self.at(self.index, self.mul(sample, self.mul(self.count, 8))),
                 self.at(self.y, self.mul(r, self.mul(y_size, self.size))))
        self.loop("%begin", "%end", line)

    def _begin(self):
        self.x, self.index, self.y = [self.word("%block", i, "ptr") for i in range(3)]
        self.channels, self.places, self.count = [self.word("%block", 3 + i) for i in range(3)]
        self.last = self.sub(self.places, 1)

    def _at(self, index, p):
        """Where position number ``p`` is, in bytes."""
        i = self.do(f"load i64, ptr {self.at(index, self.mul(p, 8))}")
        return self.mul(self.smaller(self.do(f"call i64 @llvm.smax.i64(i64 {i}, i64 0)"), self.last), self.size)

    def _take(self):
        self._begin()
        n = self.lanes
        lasts = self.splat(self.last, "i64", n)

        def line(x, index, y):
            def register(p):
                i = self.do(f"load <{n} x i64>, ptr {self.at(index, self.mul(p, 8))}, align 8")
                i = self.do(f"call <{n} x i64> @llvm.smax.v{n}i64(<{n} x i64> {i}, <{n} x i64> zeroinitializer)")
                i = self.do(f"call <{n} x i64> @llvm.smin.v{n}i64(<{n} x i64> {i}, <{n} x i64> {lasts})")
                where = self.do(f"getelementptr {self.t}, ptr {x}, <{n} x i64> {i}")
                value = self.do(f"call {self.v} @llvm.masked.gather.{self.suffix}.v{n}p0(<{n} x ptr> {where}, "
                                f"i32 {self.size}, <{n} x i1> splat (i1 true), {self.v} zeroinitializer)")
                self.say(f"store {self.v} {value}, ptr {self.at(y, self.mul(p, self.size))}, align {self.size}")

            def one(p):
                value = self.do(f"load {self.t}, ptr {self.at(x, self._at(index, p))}")
                self.say(f"store {self.t} {value}, ptr {self.at(y, self.mul(p, self.size))}")
            self.loop(self.loop("0", self.count, register, n), self.count, one)
        self._for_each_line(line, self.places, self.count)

    def _scatter(self, adds: bool):
        self._begin()

        def line(x, index, y):
            self.loop("0", self.places, lambda i: self.say(
                f"store {self.t} 0.0, ptr {self.at(y, self.mul(i, self.size))}"))

            def one(p):
                place = self.at(y, self._at(index, p))
                value = self.do(f"load {self.t}, ptr {self.at(x, self.mul(p, self.size))}")
                if adds:
                    value = self.do(f"fadd {self.t} {self.do(f'load {self.t}, ptr {place}')}, {value}")
                self.say(f"store {self.t} {value}, ptr {place}")
            self.loop("0", self.count, one)
        self._for_each_line(line, self.count, self.places)


@cache
def code(dtype) -> dict[str, int]:
    """The functions for a type, by name.

    Raises:
        NoKernel: if there is no machine code.
    """
    names = "take_pixels", "add_pixels", "put_pixels"
    addresses, _ = typed.load(dtype, "pixels", lambda t, shape: Pixels(t, shape).text(), *names)
    return dict(zip(names, addresses))


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a `PixelsStep`.

    Raises:
        NoKernel: if there is no machine code.
    """
    grain = max(1, _WORK * step.lines // step.work)
    return code(step.dtype)[step.kind], [step.channels, step.size, step.count], step.lines, grain
