"""Gradients of the weights of convolutions as machine code: sums over positions of inputs times what came back.

    void correlate_float(ptr block, i64 begin, i64 end)  sums[tap, o] = sum of x[position + tap] a[o, position]
    void gather_float(ptr block, i64 begin, i64 end)     w[o, tap] = the sum of such sums, of parts of the batch

Some positions at a time, a is copied with the outputs side by side, as slivers of a product (`kobai.backends.gemm`).
A micro kernel then goes through the positions once with up to nine taps: of each tap it reads one element of x, wherever
that lies, and multiplies it with registers of outputs.  So x is read where it is, and the sums stay in registers.
Positions are listed as *stretches* that lie in equal steps: rows of the image, of several samples if they are small.

The sums of a part of the batch are one thread's work; tiles have borders that depend on the shapes only, so any number of
threads gives the same bits.  A single part goes to the weights at once; several are kept, and summed by `gather`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobai.backends import blas, gemm, typed
from kobai.backends.gemm import MOST_COLS, MOST_DEPTH

WORDS = (
    "pack_b",                                     # code of products
    "groups", "rows", "channels", "taps",         # output channels and input channels of a group
    "height", "width", "count",                   # of a plane of positions; of all
    "x_sample", "x_group", "x_channel", "x_plane", "x_row", "x_step",   # strides in bytes
    "y_sample", "y_group", "y_channel",           # of a
    "tall", "across",                             # output channels of a tile; how many such tiles
    "deep", "chunks",                             # input channels of a tile; how many such tiles
    "parts", "samples", "share",                  # of the batch; samples of a part
    "together",                                   # samples taken at once
    "many",                                       # taps taken at once
)  # fmt: skip
AT = {name: i for i, name in enumerate(WORDS)}
TAPS = (9, 8, 6, 4, 2, 1)             # of one pass over positions
POSITIONS = 256                       # taken at once
MOST_LINES = 1024                     # taps of all channels of a tile
_STRETCHES = 16 * POSITIONS           # bytes of the list: of each where in x, and how many
_LINES = 8 * MOST_LINES
_SUMS = MOST_LINES * 256 * 8
_ROOM = _STRETCHES + _LINES + _SUMS + MOST_DEPTH * (MOST_COLS + 64) * 8 + 8192
_WORK = 1 << 18                       # multiplications worth a tile


class Correlate(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self.many = [n for n in TAPS if n <= _most(self.shape)]
        for wide in range(1, self.shape.wide + 1):
            for taps in self.many:
                self._some_taps(taps, wide)
            self._all_taps(wide)
        self._find()
        self._collect()
        self.function(f"void @correlate_{self.t}(ptr %block, i64 %begin, i64 %end)", self._correlate)
        self.function(f"void @gather_{self.t}(ptr %block, i64 %begin, i64 %end)", self._gather)
        return "\n".join(self.lines)

    # --- sums over stretches

    def _some_taps(self, taps: int, wide: int):
        """Sums of ``taps`` x ``wide`` registers over all stretches, added to what is there unless they are the first."""
        def body():
            masks = self._masks("%cols", wide)
            starts = [self.at("%x", self.do(f"load i64, ptr {self.at('%lines', 8 * r)}")) for r in range(taps)]
            places = self._addresses("%c", "%rc", taps, wide)
            sums = [[self.slot(self.v) for _ in range(wide)] for _ in range(taps)]
            pairs = [(s, p, m) for line, row in zip(sums, places) for s, p, m in zip(line, row, masks)]
            self.when(self.test("ne", "%first", 0),
                      lambda: [self._keep(s, "zeroinitializer") for s, _, _ in pairs],
                      lambda: [self._keep(s, self.load(p, m)) for s, p, m in pairs])
            b = self.slot("ptr")
            self.say(f"store ptr %b, ptr {b}")

            def position(i, x):
                source, here = self.mul(i, "%step"), self.do(f"load ptr, ptr {b}")
                columns = [self.load(self.at(here, j * self.lanes * self.size)) for j in range(wide)]
                for start, line in zip(x, sums):
                    element = self.do(f"load {self.t}, ptr {self.at(start, source)}, align {self.size}")
                    element = self.splat_of(element)
                    for s, column in zip(line, columns):
                        self._keep(s, self.fma(element, column, self.do(f"load {self.v}, ptr {s}")))
                self.say(f"store ptr {self.at(here, self.shape.width * self.size)}, ptr {b}")

            def stretch(s):
                entry = self.at("%table", self.mul(s, 16))
                where, count = self.word(entry, 0), self.word(entry, 1)
                x = [self.at(start, where) for start in starts]
                self.loop("0", count, lambda i: position(i, x))
            self.loop("0", "%stretches", stretch)
            for s, place, mask in pairs:
                self._put(self.do(f"load {self.v}, ptr {s}"), place, mask)
        self.function(
            f"internal void @taps_{taps}x{wide}(ptr %table, i64 %stretches, ptr %x, i64 %step, ptr %lines, ptr %b, ptr %c, "
            "i64 %rc, i64 %first, i64 %cols)", body)

    def _all_taps(self, wide: int):
        """All taps of a tile with one sliver."""
        def some(count):
            def one(i):
                self.say(f"call void @taps_{count}x{wide}(ptr %table, i64 %stretches, ptr %x, i64 %step, "
                         f"ptr {self.at('%lines', self.mul(i, 8))}, ptr %b, ptr {self.at('%c', self.mul(i, '%rc'))}, i64 %rc, "
                         "i64 %first, i64 %cols)")
            return one

        def body():
            done = "0"
            for count in self.many:  # the largest only where that leaves least
                here = self.pick(self.test("sge", "%many", count), "%m", 0)
                done = self.loop(done, here, some(count), count)
        self.function(
            f"internal void @sliver_{wide}(ptr %table, i64 %stretches, ptr %x, i64 %step, ptr %lines, i64 %m, i64 %many, ptr %b, "
            "ptr %c, i64 %rc, i64 %first, i64 %cols)", body)

    def _find(self):
        """Adds the stretches of ``len`` positions from ``start`` of a sample; gives how many there are then."""
        def body():
            w = {name: self.word("%words", AT[name]) for name in ("height", "width", "x_plane", "x_row", "x_step")}
            done, stretches = self.slot(), self.slot()
            self.say(f"store i64 0, ptr {done}")
            self.say(f"store i64 %have, ptr {stretches}")
            head, inside, out = [self.fresh(name) for name in ("head", "inside", "out")]
            self.say(f"br label %{head}")
            self.label(head)
            have = self.do(f"load i64, ptr {done}")
            self.say(f"br i1 {self.test('slt', have, '%len')}, label %{inside}, label %{out}")
            self.label(inside)
            row, at = self._split(self.add("%start", have), w["width"])
            plane, line = self._split(row, w["height"])
            many = self.smaller(self.sub(w["width"], at), self.sub("%len", have))
            source = self.add(self.mul(at, w["x_step"]), self.add(self.mul(plane, w["x_plane"]), self.mul(line, w["x_row"])))
            number = self.do(f"load i64, ptr {stretches}")
            entry = self.at("%table", self.mul(number, 16))
            self.say(f"store i64 {self.add('%sample', source)}, ptr {entry}")
            self.say(f"store i64 {many}, ptr {self.at(entry, 8)}")
            self.say(f"store i64 {self.add(have, many)}, ptr {done}")
            self.say(f"store i64 {self.add(number, 1)}, ptr {stretches}")
            self.say(f"br label %{head}")
            self.label(out)
            return self.do(f"load i64, ptr {stretches}")
        self.function("internal i64 @find(ptr %words, i64 %start, i64 %len, i64 %sample, ptr %table, i64 %have)", body, "i64")

    # --- tiles

    def _correlate(self):
        x, a, out = [self.word("%block", i, "ptr") for i in range(3)]
        words = self.at("%block", 24)
        w = {name: self.word(words, i) for name, i in AT.items()}
        pack = self.do(f"inttoptr i64 {w['pack_b']} to ptr")
        number = self.do("call i64 @take()")
        table = self.do(f"call ptr @room(i64 {number})")
        lines = self.at(table, _STRETCHES)
        kept, room_b = self.at(lines, _LINES), self.at(lines, _LINES + _SUMS)
        all_taps, alone = self.mul(w["channels"], w["taps"]), self.test("eq", w["parts"], 1)

        def tile(i):
            i, o_block = self._split(i, w["across"])
            i, q = self._split(i, w["chunks"])
            part, group = self._split(i, w["groups"])
            c0, o0 = self.mul(q, w["deep"]), self.mul(o_block, w["tall"])
            channels = self.smaller(w["deep"], self.sub(w["channels"], c0))
            outs = self.smaller(w["tall"], self.sub(w["rows"], o0))
            here = self.at(x, self.add(self.mul(group, w["x_group"]), self.mul(c0, w["x_channel"])))
            given = self.at(a, self.add(self.mul(group, w["y_group"]), self.mul(o0, w["y_channel"])))
            before = self.add(self.mul(self.add(self.mul(part, w["groups"]), group), all_taps), self.mul(c0, w["taps"]))
            shared = self.at(out, self.mul(self.add(self.mul(before, w["rows"]), o0), self.size))
            sums = self.pick(alone, kept, shared, "ptr")
            pitch = self.mul(self.pick(alone, w["tall"], w["rows"]), self.size)
            self._list_lines(lines, self.at(words, 8 * len(WORDS)), channels, w)
            n0 = self.mul(part, w["share"])
            n1 = self.smaller(self.add(n0, w["share"]), w["samples"])
            m = self.mul(channels, w["taps"])
            self._sums(w, n0, n1, outs, m, here, given, sums, pitch, (words, table, lines, room_b, pack))
            to = self.add(self.mul(self.add(self.mul(group, w["rows"]), o0), all_taps), self.mul(c0, w["taps"]))
            self.when(alone, lambda: self.loop("0", self.add(outs, self.lanes - 1), lambda o: self.say(
                f"call void @collect(ptr {self.at(out, self.mul(self.add(to, self.mul(o, all_taps)), self.size))}, "
                f"i64 {self.mul(all_taps, self.size)}, ptr {self.at(sums, self.mul(o, self.size))}, i64 {pitch}, i64 0, i64 1, "
                f"i64 {m}, i64 {self.sub(outs, o)})"), self.lanes))
        self.loop("%begin", "%end", tile)
        self.say(f"call void @give(i64 {number})")

    def _list_lines(self, lines, offsets, channels, w):
        """Where each tap of each channel begins."""
        def tap(c, t):
            source = self.add(self.mul(c, w["x_channel"]), self.do(f"load i64, ptr {self.at(offsets, self.mul(t, 8))}"))
            self.say(f"store i64 {source}, ptr {self.at(lines, self.mul(self.add(self.mul(c, w['taps']), t), 8))}")
        self.loop("0", channels, lambda c: self.loop("0", w["taps"], lambda t: tap(c, t)))

    def _sums(self, w, n0, n1, outs, m, x, a, sums, pitch, rooms):
        """Those of samples ``n0`` to ``n1``, `POSITIONS` at a time."""
        words, table, lines, room_b, pack = rooms
        def positions(n, j):
            length, stretches = self.smaller(POSITIONS, self.sub(w["count"], j)), self.slot()
            self.say(f"store i64 0, ptr {stretches}")

            def sample(s):
                have = self.do(f"load i64, ptr {stretches}")
                found = self.do(f"call i64 @find(ptr {words}, i64 {j}, i64 {length}, i64 {self.mul(s, w['x_sample'])}, "
                                f"ptr {table}, i64 {have})")
                self.say(f"store i64 {found}, ptr {stretches}")
                source = self.add(self.mul(self.add(n, s), w["y_sample"]), self.mul(j, self.size))
                to = self.at(room_b, self.mul(self.mul(s, length), self.shape.width * self.size))
                self.say(f"call void {pack}(ptr {to}, ptr {self.at(a, source)}, i64 {length}, i64 {outs}, i64 {self.size}, "
                         f"i64 {w['y_channel']})")
            self.loop("0", self.smaller(w["together"], self.sub(n1, n)), sample)
            first = self.do(f"and i1 {self.test('eq', n, n0)}, {self.test('eq', j, 0)}")
            first, many = self.do(f"zext i1 {first} to i64"), self.do(f"load i64, ptr {stretches}")

            def sliver(o):
                cols = self.sub(outs, o)
                given = (f"(ptr {table}, i64 {many}, ptr {self.at(x, self.mul(n, w['x_sample']))}, i64 {w['x_step']}, ptr {lines}, "
                         f"i64 {m}, i64 {w['many']}, ptr {self.at(room_b, self.mul(o, MOST_DEPTH * self.size))}, "
                         f"ptr {self.at(sums, self.mul(o, self.size))}, i64 {pitch}, i64 {first}, i64 {cols})")
                self.when(self.test("sle", cols, self.lanes), lambda: self.say(f"call void @sliver_1{given}"),
                          lambda: self.say(f"call void @sliver_{self.shape.wide}{given}"))
            self.loop("0", self.add(outs, self.shape.width - 1), sliver, self.shape.width)
        self.loop(n0, self.add(n1, self.sub(w["together"], 1)), lambda n: self.loop(
            "0", self.add(w["count"], POSITIONS - 1), lambda j: positions(n, j), POSITIONS), w["together"])

    # --- sums as weights

    def _collect(self):
        """Lines of sums (taps, outputs) of each part as a sum with lines (outputs, taps), of a register of outputs."""
        n, last, last_tap = self.lanes, "%last", "%last_tap"

        def body():
            nonlocal last, last_tap
            last, last_tap = self.sub(self.smaller("%outs", n), 1), self.sub("%taps", 1)
            mask = self._masks("%outs", 1)[0]
            self.loop("0", self.add("%taps", n - 1), lambda t: square(t, mask), n)

        def square(t, mask):
            lines = [self.at("%sums", self.mul(self.smaller(self.add(t, i), last_tap), "%line")) for i in range(n)]
            totals = [self.slot(self.v) for _ in range(n)]
            for at, total in zip(lines, totals):
                self._keep(total, self.load(at, mask))

            def one(p):
                for at, total in zip(lines, totals):
                    more = self.load(self.at(at, self.mul(p, "%part")), mask)
                    self._keep(total, self.do(f"fadd {self.v} {self.do(f'load {self.v}, ptr {total}')}, {more}"))
            self.loop("1", "%parts", one)
            there = self._masks(self.sub("%taps", t), 1)[0]
            turned = self._transposed([self.do(f"load {self.v}, ptr {total}") for total in totals])
            for i in reversed(range(n)):  # those beyond the last are overwritten by the last
                row = self.mul(self.smaller(i, last), "%across")
                self._put(turned[i], self.at("%out", self.add(row, self.mul(t, self.size))), there)
        self.function("internal void @collect(ptr %out, i64 %across, ptr %sums, i64 %line, i64 %part, i64 %parts, i64 %taps, "
                      "i64 %outs)", body)

    def _gather(self):
        """For some output channels at a time, sums (parts, groups, taps, outputs) as weights (groups, outputs, taps)."""
        sums, out = self.word("%block", 0, "ptr"), self.word("%block", 1, "ptr")
        parts, groups, taps, rows, across = [self.word("%block", 2 + i) for i in range(5)]
        line, matrix = self.mul(rows, self.size), self.mul(self.mul(rows, taps), self.size)

        def block(i):
            group, o = self._split(i, across)
            o, first = self.mul(o, self.lanes), self.mul(group, matrix)
            to = self.add(first, self.mul(self.mul(o, taps), self.size))
            self.say(f"call void @collect(ptr {self.at(out, to)}, i64 {self.mul(taps, self.size)}, "
                     f"ptr {self.at(sums, self.add(first, self.mul(o, self.size)))}, i64 {line}, i64 {self.mul(matrix, groups)}, "
                     f"i64 {parts}, i64 {taps}, i64 {self.sub(rows, o)})")
        self.loop("%begin", "%end", block)


def _most(shape) -> int:
    """Taps of which the sums fit the registers."""
    return min(TAPS[0], shape.rows[0])


# ---- words -----------------------------------------------------------------------------------
class _Code(NamedTuple):
    correlate: int
    gather: int
    pack_b: int
    lanes: int
    most: int  # taps taken at once


@cache
def code(dtype) -> _Code:
    """The functions for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    (correlate, gather), shape = typed.load(
        dtype, "correlate", lambda t, shape: gemm.rooms(_ROOM) + "\n" + Correlate(t, shape).text(), "correlate", "gather")
    return _Code(correlate, gather, blas.parts(dtype)[2], shape.lanes, _most(shape))


def _cost(lines: int, most: int) -> int:
    """What so many taps cost, up to `most` at once: a pass waits for its sums if they are few."""
    cost = 0
    for n in [n for n in TAPS if n <= most]:
        cost, lines = cost + lines // n * max(n, 4), lines % n
    return cost


def correlate_words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of the sums of parts of the batch."""
    functions, s = code(step.dtype), dict(step.sizes)
    lines = s["deep"] * s["taps"]
    s["many"] = min([n for n in TAPS[:2] if n <= functions.most] or [functions.most], key=lambda n: _cost(lines, n))
    s["pack_b"], s["parts"], s["share"] = functions.pack_b, step.parts, -(-s["samples"] // step.parts)
    s["across"] = -(-s["rows"] // s["tall"])
    s["together"] = max(1, min(POSITIONS // s["count"], s["share"]))
    tiles = step.parts * s["groups"] * s["chunks"] * s["across"]
    work = s["share"] * s["count"] * s["tall"] * lines
    return functions.correlate, [*[s[name] for name in WORDS], *step.table], tiles, max(1, _WORK // max(work, 1))


def gather_words(step) -> tuple[int, list[int], int, int]:
    """The same of the sum of these sums."""
    functions, s = code(step.dtype), step.sizes
    across = -(-s["rows"] // functions.lanes)
    work = step.parts * s["taps"] * functions.lanes
    return functions.gather, [step.parts, s["groups"], s["taps"], s["rows"], across], s["groups"] * across, \
        max(1, 32768 // work)
