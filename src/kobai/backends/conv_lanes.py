"""Convolutions with many output channels as machine code: these channels, beside each other, fill the registers.

    void panel_float(ptr block, i64 begin, i64 end)   weights as lines of 32 output channels, one line for each tap
    void lanes_float(ptr block, i64 begin, i64 end)   y[o, position] = sum of w[o, tap] x[position + tap]

Up to nine positions at a time, wherever they lie: of each tap a micro kernel reads one element of x for each position,
and multiplies it with registers of weights.  Nothing is copied but the weights, positions need not lie beside each
other, and a convolution's stride costs nothing.  The gradient of the input of a convolution with a stride has *phases*,
places modulo the stride that the same taps reach: each has its own lines of weights.

A tile is some lines of the result, or some samples where these are small, by some output channels.  Its results are made
with the channels side by side, phase after phase, and turned round when all are there: *where* says which place is which.
Borders depend on the shapes only, so any number of threads gives the same bits.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobai.backends import gemm, typed
from kobai.compile.positions import ACROSS, MOST_LINES, MOST_PLACES, MOST_WIDTH

WORDS = (
    "groups", "rows", "channels",                 # output channels and input channels of a group
    "x_sample", "x_group", "x_channel", "x_plane", "x_row", "x_step",   # strides in bytes
    "y_sample", "y_group", "y_channel",
    "height", "width", "lines",                   # of the result: rows of a plane, elements of a row, rows in all
    "step_plane", "step_row", "step",             # from place to place of a phase
    "samples", "together",                        # of the batch, of a tile
    "deep", "blocks",                             # lines of a tile; how many such tiles
    "tall", "across",                             # output channels of a tile; how many such tiles
    "taps", "phases",
)  # fmt: skip
AT = {name: i for i, name in enumerate(WORDS)}
PHASE = ("taps", "first", "x", "plane", "row", "place", "planes", "rows", "places")  # taps, where in x, where in y, how many
PANEL = ("w_group", "w_row", "rows", "lines", "in_order")
PLACES = (9, 8, 6, 4, 2, 1)   # taken at once
_CHUNK = 128                  # taps in one go: their weights stay in the cache next to the core
_MOST_PHASES = 64
_OFFSETS, _LINES = 8 * MOST_LINES, 8 * (MOST_PLACES + MOST_WIDTH)
_ENDS = 8 * _MOST_PHASES
_ROOM = _OFFSETS + 2 * _LINES + _ENDS + (MOST_PLACES + MOST_WIDTH + 1) * ACROSS * 8 + 8192
_WORK = 1 << 18


class Lanes(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self.pitch = ACROSS * self.size
        self.most = [n for n in PLACES if n <= self.shape.rows[0]]
        for wide in range(1, self.shape.wide + 1):
            for places in self.most:
                self._some_places(places, wide)
            self._all_places(wide)
        self._turn_round()
        self._turn_weights()
        self.function(f"void @lanes_{self.t}(ptr %block, i64 %begin, i64 %end)", self._lanes)
        self.function(f"void @panel_{self.t}(ptr %block, i64 %begin, i64 %end)", self._panel)
        return "\n".join(self.lines)

    # --- sums

    def _some_places(self, count: int, wide: int):
        """Sums of a sliver of channels at some places, added to what is there unless they are the first."""
        def body():
            starts = [self.at("%x", self.word("%places", r)) for r in range(count)]
            targets = self._addresses("%c", str(self.pitch), count, wide)
            sums = [[self.slot(self.v) for _ in range(wide)] for _ in range(count)]
            pairs = [(s, p) for line, row in zip(sums, targets) for s, p in zip(line, row)]
            self.when(self.test("ne", "%first", 0), lambda: [self._keep(s, "zeroinitializer") for s, _ in pairs],
                      lambda: [self._keep(s, self.load(p)) for s, p in pairs])

            def line(k):
                offset = self.word("%offsets", k)
                b = self.at("%b", self.mul(k, self.pitch))
                weights = [self.load(self.at(b, j * self.lanes * self.size)) for j in range(wide)]
                for start, row in zip(starts, sums):
                    x = self.splat_of(self.do(f"load {self.t}, ptr {self.at(start, offset)}, align {self.size}"))
                    for s, weight in zip(row, weights):
                        self._keep(s, self.fma(x, weight, self.do(f"load {self.v}, ptr {s}")))
            self.loop("0", "%count", line)
            for s, p in pairs:
                self._keep(p, self.do(f"load {self.v}, ptr {s}"))
        self.function(f"internal void @places_{count}x{wide}(ptr %offsets, i64 %count, ptr %x, ptr %places, ptr %b, ptr %c, "
                      "i64 %first)", body)

    def _all_places(self, wide: int):
        def some(count):
            def one(i):
                self.say(f"call void @places_{count}x{wide}(ptr %offsets, i64 %count, ptr %x, "
                         f"ptr {self.at('%places', self.mul(i, 8))}, ptr %b, "
                         f"ptr {self.at('%c', self.mul(i, self.pitch))}, i64 %first)")
            return one

        def body():
            done, even = "0", self.test("eq", self.do("and i64 %m, 7"), 0)
            for count in self.most:
                done = self.loop(done, self.pick(even, 0, "%m") if count > 8 else "%m", some(count), count)
        self.function(f"internal void @all_places_{wide}(ptr %offsets, i64 %count, ptr %x, ptr %places, i64 %m, ptr %b, ptr %c, "
                      "i64 %first)", body)

    # --- tiles

    def _lanes(self):
        self.x, self.b, self.c = [self.word("%block", i, "ptr") for i in range(3)]
        words = self.at("%block", 24)
        self.w = {name: self.word(words, i) for name, i in AT.items()}
        self.phases = self.at(words, 8 * len(WORDS))
        self.taps = self.at(self.phases, self.mul(self.w["phases"], 8 * len(PHASE)))
        number = self.do("call i64 @take()")
        self.offsets = self.do(f"call ptr @room(i64 {number})")
        self.places = self.at(self.offsets, _OFFSETS)
        self.where = self.at(self.places, _LINES)
        self.ends = self.at(self.where, _LINES)
        self.kept = self.at(self.ends, _ENDS)
        self._list_offsets()
        self.listed = self.slot()  # of which lines and how many samples the places are listed
        self.say(f"store i64 -1, ptr {self.listed}")
        self.loop("%begin", "%end", self._tile)
        self.say(f"call void @give(i64 {number})")

    def _phase(self, f):
        entry = self.at(self.phases, self.mul(f, 8 * len(PHASE)))
        return {name: self.word(entry, i) for i, name in enumerate(PHASE)}

    def _list_offsets(self):
        """Where each tap of each channel reads, phase after phase: the order of lines of weights."""
        w = self.w

        def tap(p, c, t):
            here = self.add(self.mul(p["first"], w["channels"]), self.add(self.mul(c, p["taps"]), t))
            offset = self.add(self.mul(c, w["x_channel"]), self.word(self.taps, self.add(p["first"], t)))
            self.say(f"store i64 {offset}, ptr {self.at(self.offsets, self.mul(here, 8))}")

        def phase(f):
            p = self._phase(f)
            self.loop("0", w["channels"], lambda c: self.loop("0", p["taps"], lambda t: tap(p, c, t)))
        self.loop("0", w["phases"], phase)

    def _tile(self, i):
        w = self.w
        i, part = self._split(i, w["across"])
        i, sample = self._split(i, self.do(
            f"sdiv i64 {self.add(w['samples'], self.sub(w['together'], 1))}, {w['together']}"))
        block, group = self._split(i, w["groups"])
        n0, l0 = self.mul(sample, w["together"]), self.mul(block, w["deep"])
        samples = self.smaller(w["together"], self.sub(w["samples"], n0))
        lines = self.smaller(w["deep"], self.sub(w["lines"], l0))
        each = self.mul(lines, w["width"])
        which = self.add(self.mul(block, w["samples"]), samples)
        self.when(self.test("ne", which, self.do(f"load i64, ptr {self.listed}")),
                  lambda: self._list_places(samples, l0, lines, each))
        self.say(f"store i64 {which}, ptr {self.listed}")
        x = self.at(self.x, self.add(self.mul(n0, w["x_sample"]), self.mul(group, w["x_group"])))
        y = self.at(self.c, self.add(self.add(self.mul(n0, w["y_sample"]), self.mul(group, w["y_group"])),
                                     self.mul(self.mul(l0, w["width"]), self.size)))
        panel_line = self.mul(w["channels"], w["taps"])
        blocks = self.do(f"sdiv i64 {self.add(w['rows'], ACROSS - 1)}, {ACROSS}")
        panel = self.at(self.b, self.mul(self.mul(self.mul(group, blocks), panel_line), self.pitch))
        o0 = self.mul(part, w["tall"])
        o1 = self.smaller(self.add(o0, w["tall"]), w["rows"])
        width = self.shape.width

        def sliver(o):
            high, low = self._split(o, ACROSS)
            b = self.at(self.at(panel, self.mul(self.mul(high, panel_line), self.pitch)), self.mul(low, self.size))
            cols = self.smaller(width, self.sub(o1, o))
            self.loop("0", w["phases"], lambda f: self._one_phase(f, x, b, cols))
            self.loop("0", samples, lambda s: self.loop("0", self.add(cols, self.lanes - 1), lambda j: self.say(
                f"call void @turn_round(ptr "
                f"{self.at(y, self.add(self.mul(s, w['y_sample']), self.mul(self.add(o, j), w['y_channel'])))}, "
                f"i64 {w['y_channel']}, ptr {self.at(self.kept, self.mul(j, self.size))}, "
                f"ptr {self.at(self.where, self.mul(self.mul(s, each), 8))}, i64 {each}, i64 {self.sub(cols, j)})"), self.lanes))
        self.loop(o0, self.add(o1, width - 1), sliver, width)

    def _one_phase(self, f, x, b, cols):
        p, w = self._phase(f), self.w
        first = self.pick(self.test("eq", f, 0), 0, self.word(self.ends, self.sub(f, 1)))
        m = self.sub(self.word(self.ends, f), first)
        start, lines = self.mul(p["first"], w["channels"]), self.mul(p["taps"], w["channels"])

        def chunk(k):
            at, initial = self.add(start, k), self.do(f"zext i1 {self.test('eq', k, 0)} to i64")
            given = (f"(ptr {self.at(self.offsets, self.mul(at, 8))}, i64 {self.smaller(_CHUNK, self.sub(lines, k))}, ptr {x}, "
                     f"ptr {self.at(self.places, self.mul(first, 8))}, i64 {m}, ptr {self.at(b, self.mul(at, self.pitch))}, "
                     f"ptr {self.at(self.kept, self.mul(first, self.pitch))}, i64 {initial})")
            self.when(self.test("sle", cols, self.lanes), lambda: self.say(f"call void @all_places_1{given}"),
                      lambda: self.say(f"call void @all_places_{self.shape.wide}{given}"))
        self.loop("0", self.add(lines, _CHUNK - 1), chunk, _CHUNK)

    def _list_places(self, samples, l0, lines, each):
        """Where the places of a tile read, phase after phase, and where results will be: a line of zeros if nowhere."""
        w, have = self.w, self.slot()
        total = self.mul(samples, each)
        nowhere = self.mul(total, self.pitch)
        for j in range(0, ACROSS, self.lanes):
            self._keep(self.at(self.at(self.kept, nowhere), j * self.size), "zeroinitializer")
        self.loop("0", total, lambda i: self.say(f"store i64 {nowhere}, ptr {self.at(self.where, self.mul(i, 8))}"))
        self.say(f"store i64 0, ptr {have}")

        def place(p, i, source, target):
            k = self.do(f"load i64, ptr {have}")
            self.say(f"store i64 {self.add(source, self.mul(i, w['x_step']))}, ptr {self.at(self.places, self.mul(k, 8))}")
            at = self.add(target, self.add(p["place"], self.mul(i, w["step"])))
            self.say(f"store i64 {self.mul(k, self.pitch)}, ptr {self.at(self.where, self.mul(at, 8))}")
            self.say(f"store i64 {self.add(k, 1)}, ptr {have}")

        def row(p, s, d, h):
            plane = self.add(p["plane"], self.mul(d, w["step_plane"]))
            line = self.sub(self.add(self.mul(plane, w["height"]), self.add(p["row"], self.mul(h, w["step_row"]))), l0)
            source = self.add(self.add(self.mul(s, w["x_sample"]), p["x"]),
                              self.add(self.mul(d, w["x_plane"]), self.mul(h, w["x_row"])))
            target = self.add(self.mul(s, each), self.mul(line, w["width"]))
            self.when(self.do(f"icmp ult i64 {line}, {lines}"),
                      lambda: self.loop("0", p["places"], lambda i: place(p, i, source, target)))

        def phase(f):
            p = self._phase(f)
            self.loop("0", samples, lambda s: self.loop("0", p["planes"], lambda d: self.loop(
                "0", p["rows"], lambda h: row(p, s, d, h))))
            self.say(f"store i64 {self.do(f'load i64, ptr {have}')}, ptr {self.at(self.ends, self.mul(f, 8))}")
        self.loop("0", w["phases"], phase)

    def _turn_round(self):
        """Results of up to a register of channels, side by side, as rows of each: ``count`` places."""
        n, last_place = self.lanes, ""

        def body():
            nonlocal last_place
            last_place, last = self.sub("%count", 1), self.sub(self.smaller("%channels", n), 1)
            self.loop("0", self.add("%count", n - 1), lambda j: square(j, last), n)

        def square(j, last):
            lines = [self.at("%kept", self.word("%where", self.smaller(self.add(j, i), last_place))) for i in range(n)]
            turned = self._transposed([self.load(at) for at in lines])
            there = self._masks(self.sub("%count", j), 1)[0]
            for i in reversed(range(n)):  # those beyond the last are overwritten by the last
                self._put(turned[i], self.at("%y", self.add(self.mul(self.smaller(i, last), "%across"), self.mul(j, self.size))),
                          there)
        self.function("internal void @turn_round(ptr %y, i64 %across, ptr %kept, ptr %where, i64 %count, i64 %channels)", body)

    # --- weights

    def _panel(self):
        """Some lines of each of the blocks of output channels."""
        w, out, words = self.word("%block", 0, "ptr"), self.word("%block", 1, "ptr"), self.at("%block", 16)
        p = {name: self.word(words, i) for i, name in enumerate(PANEL)}
        table, n = self.at(words, 8 * len(PANEL)), self.lanes
        chunks = self.do(f"sdiv i64 {self.add(p['lines'], n - 1)}, {n}")
        blocks = self.do(f"sdiv i64 {self.add(p['rows'], ACROSS - 1)}, {ACROSS}")
        ordered = self.test("ne", p["in_order"], 0)

        def some(i):
            block, k = self._split(i, chunks)
            group, o = self._split(block, blocks)
            k, o = self.mul(k, n), self.mul(o, ACROSS)
            source = self.at(w, self.add(self.mul(group, p["w_group"]), self.mul(o, p["w_row"])))
            target = self.at(out, self.mul(self.add(self.mul(block, p["lines"]), k), self.pitch))
            lines, rows = self.smaller(n, self.sub(p["lines"], k)), self.sub(p["rows"], o)
            for j in range(0, ACROSS, n):
                here, to, left = self.at(source, self.mul(p["w_row"], j)), self.at(target, j * self.size), self.sub(rows, j)
                self.when(ordered, lambda here=here, to=to, left=left: self.say(
                    f"call void @turn_weights(ptr {to}, ptr {self.at(here, self.mul(k, self.size))}, i64 {p['w_row']}, i64 {left}, "
                    f"i64 {lines})"), lambda here=here, to=to, left=left: self._gather_weights(to, here, k, p, table, left, lines))
        self.loop("%begin", "%end", some)

    def _gather_weights(self, to, source, k, p, table, left, lines):
        """Weights of lines from ``k`` on: their places are in a table."""
        n, mask = self.lanes, self._masks(left, 1)[0]
        steps = self.do(f"mul <{n} x i64> {self.splat(p['w_row'], 'i64', n)}, <{', '.join(f'i64 {i}' for i in range(n))}>")

        def line(i):
            at = self.at(source, self.word(table, self.add(k, i)))
            places = self.do(f"getelementptr i8, ptr {at}, <{n} x i64> {steps}")
            value = self.do(f"call {self.v} @llvm.masked.gather.{self.suffix}.v{n}p0(<{n} x ptr> {places}, i32 {self.size}, "
                            f"<{n} x i1> {mask}, {self.v} zeroinitializer)")
            self._keep(self.at(to, self.mul(i, self.pitch)), value)
        self.loop("0", lines, line)

    def _turn_weights(self):
        """A square of weights, each row of which lies in order; zeros for channels beyond the last."""
        n = self.lanes

        def body():
            mask = self._masks("%lines", 1)[0]
            none = f"<{n} x i1> zeroinitializer"
            rows = []
            for i in range(n):
                there = self.do(f"select i1 {self.test('slt', i, '%rows')}, <{n} x i1> {mask}, {none}")
                rows.append(self.load(self.at("%w", self.mul("%w_row", i)), there))
            for i, row in enumerate(self._transposed(rows)):
                self.when(self.test("slt", i, "%lines"), lambda i=i, row=row: self._keep(self.at("%to", i * self.pitch), row))
        self.function("internal void @turn_weights(ptr %to, ptr %w, i64 %w_row, i64 %rows, i64 %lines)", body)

    def _keep(self, place, value, t: str | None = None):
        """The same at the address of any element."""
        self.say(f"store {t or self.v} {value}, ptr {place}, align {self.size}")


# ---- words -----------------------------------------------------------------------------------
class _Code(NamedTuple):
    lanes: int
    panel: int
    count: int  # lanes of a register


@cache
def code(dtype) -> _Code:
    """The functions for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    (lanes, panel), shape = typed.load(
        dtype, "conv lanes", lambda t, shape: gemm.rooms(_ROOM) + "\n" + Lanes(t, shape).text(), "lanes", "panel")
    return _Code(lanes, panel, shape.lanes)


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a "lanes" step of `kobai.compile.lanes`."""
    s = step.sizes
    tiles = -(-s["samples"] // s["together"]) * s["groups"] * s["blocks"] * s["across"]
    return code(step.dtype).lanes, [*[s[name] for name in WORDS], *step.table], tiles, max(1, _WORK * tiles // max(step.work, 1))


def panel_words(step) -> tuple[int, list[int], int, int]:
    """The same of a "panel" step."""
    functions, s = code(step.dtype), step.sizes
    extent = s["groups"] * -(-s["rows"] // ACROSS) * -(-s["lines"] // functions.count)
    grain = max(1, 32768 // (ACROSS * functions.count))
    return functions.panel, [*[s[name] for name in PANEL], *step.table], extent, grain
