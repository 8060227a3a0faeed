"""Inputs of convolutions with zeros around them, apart by their places modulo the stride, as machine code.

    void stage_float(ptr block, i64 begin, i64 end)   planes begin to end

`kobai.compile.positions` says what the words of a block are.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobai.backends import gemm, typed
from kobai.compile.positions import STAGE

AT = {name: i for i, name in enumerate(STAGE)}
PHASE = 5  # words of each phase


class Stage(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self._plane()
        self.function(f"void @stage_{self.t}(ptr %block, i64 %begin, i64 %end)", self._stage)
        return "\n".join(self.lines)

    def _stage(self):
        x, y, words = self.word("%block", 0, "ptr"), self.word("%block", 1, "ptr"), self.at("%block", 16)
        w = {name: self.word(words, i) for name, i in AT.items()}
        size = self._plane_size(w)

        def channel(i):
            sample, c = self._split(i, w["channels"])
            source = self.at(x, self.add(self.mul(sample, w["x_sample"]), self.mul(c, w["x_channel"])))
            self.say(f"call void @plane(ptr {words}, ptr {source}, ptr {self.at(y, self.mul(i, size))})")
        self.loop("%begin", "%end", channel)

    def _plane_size(self, w):
        """Bytes of what `plane` writes."""
        return self.mul(self.mul(self.mul(w["width"], self.size), self.mul(w["rows"], w["planes"])), w["phases"])

    def _plane(self):
        """One channel of a sample, for all phases."""
        def body():
            self.w = w = {name: self.word("%words", i) for name, i in AT.items()}
            self.row = self.mul(w["width"], self.size)
            plane = self.mul(self.row, self.mul(w["rows"], w["planes"]))
            phases = self.at("%words", 8 * len(STAGE))
            self.loop("0", w["phases"], lambda f: self._phase(
                self.at(phases, self.mul(f, 8 * PHASE)), self.at("%y", self.mul(f, plane))))
        self.function("internal void @plane(ptr %words, ptr %x, ptr %y)", body)

    def _phase(self, entry, target):
        """A register of each row at a time where rows are short, so that what to read of it is worked out once."""
        w, n = self.w, self.lanes
        d0, h0, shift, low, high = [self.word(entry, j) for j in range(PHASE)]

        def line(d, h):
            at_d, at_h = self.add(d0, self.mul(d, w["stride_plane"])), self.add(h0, self.mul(h, w["stride_row"]))
            inside = self.do(f"and i1 {self._within(at_d, w['depth'])}, {self._within(at_h, w['height'])}")
            start = self.add(shift, self.add(self.mul(at_d, w["x_plane"]), self.mul(at_h, w["x_row"])))
            return inside, self.at("%x", start), self.at(target, self.mul(self.add(self.mul(d, w["rows"]), h), self.row))

        def chunk(q, masks, inside, start, to):
            place, there = self.at(to, self.mul(q, self.size)), masks[-1]
            self.when(inside, lambda: self._put(self._read(self.at(start, self.mul(q, w["x_step"])), masks), place, there),
                      lambda: self._put("zeroinitializer", place, there))

        def rows(body):
            self.loop("0", w["planes"], lambda d: self.loop("0", w["rows"], lambda h: body(*line(d, h))))

        def columns(body):
            self.loop("0", self.add(w["width"], n - 1), body, n)

        def one_register(q):
            masks = self._masks_at(q, low, high)
            rows(lambda *where: chunk(q, masks, *where))
        self.when(self.test("sle", w["width"], 2 * n), lambda: columns(one_register), lambda: rows(
            lambda *where: columns(lambda q: chunk(q, self._masks_at(q, low, high), *where))))

    def _masks_at(self, q, low, high):
        """Of a register of elements from q of a row: which there are if they lie beside each other, if every other is one
        (two registers); which are in the row."""
        low, end = self.sub(low, q), self.sub(high, q)
        return [*self._between(low, end, 1), *self._between(self.mul(low, 2), self.sub(self.mul(end, 2), 1), 2),
                self._masks(self.sub(self.w["width"], q), 1)[0]]

    def _read(self, place, masks):
        """A register of elements; those that are not there are zeros."""
        w, value = self.w, self.slot(self.v)

        def every_other():
            pair = [self.load(self.at(place, i * self.lanes * self.size), m) for i, m in enumerate(masks[1:3])]
            self._keep(value, self._shuffled(*pair, range(0, 2 * self.lanes, 2)))
        self.when(self.test("eq", w["x_step"], self.size), lambda: self._keep(value, self.load(place, masks[0])),
                  lambda: self.when(self.test("eq", w["x_step"], 2 * self.size), every_other, lambda: self._keep(
                      value, self._gathered(place, w["x_step"], masks[0]))))
        return self.do(f"load {self.v}, ptr {value}")

    def _between(self, low, end, wide: int) -> list[str]:
        """The lanes of registers from ``low`` to before ``end``."""
        t = f"<{self.lanes} x i1>"
        return [self.do(f"and {t} {a}, {self.do(f'xor {t} {b}, splat (i1 true)')}")
                for a, b in zip(self._masks(end, wide), self._masks(low, wide))]

    def _within(self, i, n):
        return self.do(f"icmp ult i64 {i}, {n}")

    def _places(self, place, step):
        """Addresses a step apart, one for each lane."""
        n = self.lanes
        steps = self.do(f"mul <{n} x i64> {self.splat(step, 'i64', n)}, <{', '.join(f'i64 {i}' for i in range(n))}>")
        return self.do(f"getelementptr i8, ptr {place}, <{n} x i64> {steps}")

    def _gathered(self, place, step, mask):
        n = self.lanes
        return self.do(f"call {self.v} @llvm.masked.gather.{self.suffix}.v{n}p0(<{n} x ptr> {self._places(place, step)}, "
                       f"i32 {self.size}, <{n} x i1> {mask}, {self.v} zeroinitializer)")


# ---- words -----------------------------------------------------------------------------------
class _Code(NamedTuple):
    stage: int


@cache
def code(dtype) -> _Code:
    """The functions for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    (stage,), _ = typed.load(dtype, "stage", lambda t, shape: Stage(t, shape).text(), "stage")
    return _Code(stage)


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a step of `kobai.compile.convolve`.

    Raises:
        NoKernel: if there is no machine code.
    """
    s = step.sizes
    extent, work = s["samples"] * s["channels"], s["phases"] * s["planes"] * s["rows"] * s["width"]
    return code(step.dtype).stage, [*[s[name] for name in STAGE], *step.table], extent, max(1, 32768 // max(work, 1))
