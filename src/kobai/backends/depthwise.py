"""Convolutions of groups with few channels (depthwise ones, above all) as machine code.

    void slide_float(ptr block, i64 begin, i64 end)    y[o, position] = sum of w[o, tap] x[position + tap]
    void within_float(ptr block, i64 begin, i64 end)   w[o, tap] = sum of x[position + tap] a[o, position]

A product of matrices would have one row for each group, so these go without: a group of a sample is one tile, its
planes, with zeros around them (`kobai.backends.stage`), are made in the cache of the core, and positions beside each
other fill a register.  `slide` keeps the sums of four registers of positions and reads each tap for these; with a table of
several *phases* it makes the gradient of the input of a convolution with a stride, place by place modulo the stride.
`within` keeps a register of sums for each of some taps.  `kobai.compile.convolve` says what the words of a block are.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobai.backends import gemm, stage as staging, typed
from kobai.backends.stage import Stage

WORDS = (
    "staged",                                     # whether planes are made first
    "groups", "rows", "channels",                 # output channels and input channels of a group
    "x_sample", "x_group", "x_channel",           # strides in bytes: of what is given,
    "plane_row", "plane_plane",                   # of what taps read
    "w_group", "w_row", "w_channel",
    "y_sample", "y_group", "y_channel", "y_plane", "y_row", "y_step",   # of y, or of a
    "samples", "taps", "phases",
    "tall",                                       # taps that follow each other down a column, if the table is of such columns
)  # fmt: skip
AT = {name: i for i, name in enumerate(WORDS)}
PHASE = ("taps", "first", "offset", "planes", "rows", "width")  # how many taps, from which on; where in y, and how many
BLOCKS = ((4, 1), (1, 4), (2, 2), (1, 2), (1, 1))   # rows x registers
COLUMN, COLUMN_WIDE = 4, 2   # rows of a block for columns of taps, and registers of a row
TAPS = (9, 5, 3, 1)    # of which `within` keeps the sums
MOST = 1 << 19         # bytes of the planes of a group
MOST_SUMS = 1 << 12    # registers of sums of a group
_ROOM = MOST + (MOST_SUMS << 6) + 16384
_WORK = 1 << 15        # multiplications worth a tile


class Depthwise(Stage):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self._plane()
        for rows, wide in BLOCKS:
            self._block(rows, wide)
        for wide in range(1, COLUMN_WIDE + 1):
            self._column(wide)
        for taps in TAPS:
            self._dots_of(taps)
        self.function(f"void @slide_{self.t}(ptr %block, i64 %begin, i64 %end)", lambda: self._tiles(self._slide_tile))
        self.function(f"void @within_{self.t}(ptr %block, i64 %begin, i64 %end)", lambda: self._tiles(self._within_tile))
        return "\n".join(self.lines)

    def _tiles(self, body):
        """Words and memory for ``body(i)`` of each tile."""
        self.x, self.b, self.c = [self.word("%block", i, "ptr") for i in range(3)]
        words = self.at("%block", 24)
        self.w = {name: self.word(words, i) for name, i in AT.items()}
        self.tables = self.at(words, 8 * len(WORDS))      # taps, phases, words of stage
        self.phase_table = self.at(self.tables, self.mul(self.w["taps"], 16))
        self.stage_words = self.at(self.phase_table, self.mul(self.w["phases"], 8 * len(PHASE)))
        staged = {name: self.word(self.stage_words, i) for name, i in staging.AT.items()}
        self.plane_size = self._plane_size(staged)
        number = self.do("call i64 @take()")
        self.planes = self.do(f"call ptr @room(i64 {number})")
        self.sums = self.at(self.planes, MOST + 8192)
        self.loop("%begin", "%end", body)
        self.say(f"call void @give(i64 {number})")

    def _source(self, sample, group):
        """(where taps read, bytes from channel to channel), after making the planes."""
        w = self.w
        given = self.at(self.x, self.add(self.mul(sample, w["x_sample"]), self.mul(group, w["x_group"])))
        staged = self.test("ne", w["staged"], 0)

        def make(c):
            self.say(f"call void @plane(ptr {self.stage_words}, ptr {self.at(given, self.mul(c, w['x_channel']))}, "
                     f"ptr {self.at(self.planes, self.mul(c, self.plane_size))})")
        self.when(staged, lambda: self.loop("0", w["channels"], make))
        return self.pick(staged, self.planes, given, "ptr"), self.pick(staged, self.plane_size, w["x_channel"])

    # --- y

    def _slide_tile(self, i):
        w = self.w
        sample, group = self._split(i, w["groups"])
        x, channel = self._source(sample, group)
        y = self.at(self.c, self.add(self.mul(sample, w["y_sample"]), self.mul(group, w["y_group"])))
        weights = self.at(self.b, self.mul(group, w["w_group"]))

        def phase(r, f):
            entry = self.at(self.phase_table, self.mul(f, 8 * len(PHASE)))
            p = {name: self.word(entry, j) for j, name in enumerate(PHASE)}
            target = self.at(self.at(y, self.mul(r, w["y_channel"])), p["offset"])
            given = (self.at(weights, self.mul(r, w["w_row"])), channel, p, self.at(self.tables, self.mul(p["first"], 16)))
            self.loop("0", p["planes"], lambda d: self._plane_of_y(
                self.at(x, self.mul(d, w["plane_plane"])), self.at(target, self.mul(d, w["y_plane"])), *given))
        self.loop("0", w["rows"], lambda r: self.loop("0", w["phases"], lambda f: phase(r, f)))

    def _plane_of_y(self, x, y, weights, channel, p, taps):
        """Blocks of a plane: tall ones where rows are short, or taps follow each other down columns."""
        w, n = self.w, self.lanes

        def block(name, more, h, j):
            source = self.at(self.at(x, self.mul(h, w["plane_row"])), self.mul(j, self.size))
            target = self.at(self.at(y, self.mul(h, w["y_row"])), self.mul(j, w["y_step"]))
            self.say(f"call void @{name}(ptr {source}, i64 {w['plane_row']}, i64 {w['channels']}, i64 {channel}, "
                     f"ptr {weights}, i64 {w['w_channel']}, ptr {taps}, i64 {p['taps']}, ptr {target}, i64 {w['y_row']}, "
                     f"i64 {w['y_step']}, i64 {self.sub(p['width'], j)}{more})")

        def lines(rows, wide, start, what="block", more=""):
            return self.loop(start, p["rows"], lambda h: self.loop("0", self.add(p["width"], wide * n - 1), lambda j: block(
                f"{what}_{rows}x{wide}", more, h, j), wide * n), rows)

        def columns(wide):
            done = lines(COLUMN, wide, "0", "column", f", i64 {w['tall']}")
            lines(1, wide, done)

        def blocks():
            self.when(self.test("sle", p["width"], n), lambda: lines(1, 1, lines(4, 1, "0")), lambda: self.when(
                self.test("sle", p["width"], 2 * n), lambda: lines(1, 2, lines(2, 2, "0")), lambda: lines(1, 4, "0")))
        self.when(self.test("sge", w["tall"], COLUMN), lambda: self.when(
            self.test("sle", p["width"], n), lambda: columns(1), lambda: columns(COLUMN_WIDE)), blocks)

    def _block(self, rows: int, wide: int):
        """Sums of rows x registers of positions over all taps of all channels."""
        def body():
            sums = [[self.slot(self.v) for _ in range(wide)] for _ in range(rows)]
            masks = self._masks("%cols", wide)
            for s in [s for row in sums for s in row]:
                self._keep(s, "zeroinitializer")

            def tap(c, t):
                entry = self.at("%taps", self.mul(t, 16))
                x = self.at(self.at("%x", self.mul(c, "%x_channel")), self.word(entry, 0))
                weight = self.at(self.at("%w", self.mul(c, "%w_channel")), self.word(entry, 1))
                weight = self.splat_of(self.do(f"load {self.t}, ptr {weight}, align {self.size}"))
                places = self._addresses(x, "%x_row", rows, wide)
                for line, some in zip(sums, places):
                    for s, place, mask in zip(line, some, masks):
                        self._keep(s, self.fma(weight, self.load(place, mask), self.do(f"load {self.v}, ptr {s}")))
            self.loop("0", "%channels", lambda c: self.loop("0", "%count", lambda t: tap(c, t)))
            values = [[self.do(f"load {self.v}, ptr {s}") for s in row] for row in sums]
            self.when(self.test("eq", "%y_step", self.size), lambda: self._store(values, masks, "%y", "%y_row"),
                      lambda: self._scatter(values, masks))
        self.function(
            f"internal void @block_{rows}x{wide}(ptr %x, i64 %x_row, i64 %channels, i64 %x_channel, ptr %w, i64 %w_channel, "
            "ptr %taps, i64 %count, ptr %y, i64 %y_row, i64 %y_step, i64 %cols)", body)

    def _column(self, wide: int):
        """Sums of `COLUMN` rows: what is read of a row of x is used by every tap of a column that falls on it."""
        def body():
            sums = [[self.slot(self.v) for _ in range(wide)] for _ in range(COLUMN)]
            masks, size = self._masks("%cols", wide), self.lanes * self.size
            columns = self.do("sdiv i64 %count, %tall")
            for s in [s for row in sums for s in row]:
                self._keep(s, "zeroinitializer")

            def line(r, x, weights, step, rows):
                """Row r of x, for the rows of results that its taps are of."""
                at = self.at(x, self.mul(r, "%x_row"))
                values = [self.load(self.at(at, j * size), mask) for j, mask in enumerate(masks)]
                for h in rows:
                    weight = self.at(weights, self.mul(self.sub(r, h), step))
                    weight = self.splat_of(self.do(f"load {self.t}, ptr {weight}, align {self.size}"))
                    for s, value in zip(sums[h], values):
                        self._keep(s, self.fma(weight, value, self.do(f"load {self.v}, ptr {s}")))

            def column(c, i):
                entry = self.at("%taps", self.mul(self.mul(i, "%tall"), 16))
                x = self.at(self.at("%x", self.mul(c, "%x_channel")), self.word(entry, 0))
                weights = self.at(self.at("%w", self.mul(c, "%w_channel")), self.word(entry, 1))
                step = self.sub(self.word(entry, 3), self.word(entry, 1))
                for r in range(COLUMN - 1):
                    line(str(r), x, weights, step, range(r + 1))
                self.loop(COLUMN - 1, "%tall", lambda r: line(r, x, weights, step, range(COLUMN)))
                for r in range(COLUMN - 1):
                    line(self.add("%tall", r), x, weights, step, range(r + 1, COLUMN))
            self.loop("0", "%channels", lambda c: self.loop("0", columns, lambda i: column(c, i)))
            values = [[self.do(f"load {self.v}, ptr {s}") for s in row] for row in sums]
            self.when(self.test("eq", "%y_step", self.size), lambda: self._store(values, masks, "%y", "%y_row"),
                      lambda: self._scatter(values, masks))
        self.function(
            f"internal void @column_{COLUMN}x{wide}(ptr %x, i64 %x_row, i64 %channels, i64 %x_channel, ptr %w, i64 %w_channel, "
            "ptr %taps, i64 %count, ptr %y, i64 %y_row, i64 %y_step, i64 %cols, i64 %tall)", body)

    def _scatter(self, values, masks):
        n, across = self.lanes, self.mul("%y_step", self.lanes)
        for r, row in enumerate(values):
            line = self.at("%y", self.mul("%y_row", r))
            for j, (value, mask) in enumerate(zip(row, masks)):
                places = self._places(self.at(line, self.mul(across, j)), "%y_step")
                self.say(f"call void @llvm.masked.scatter.{self.suffix}.v{n}p0({self.v} {value}, <{n} x ptr> {places}, "
                         f"i32 {self.size}, <{n} x i1> {mask})")

    # --- w

    def _within_tile(self, group):
        """All taps of a group, summed over the batch."""
        w, size = self.w, self.lanes * self.size
        per_row = self.mul(w["channels"], w["taps"])
        all_sums = self.mul(w["rows"], per_row)
        self.loop("0", all_sums, lambda s: self._keep(self.at(self.sums, self.mul(s, size)), "zeroinitializer"))

        def sample(n):
            x, channel = self._source(n, group)
            a = self.at(self.b, self.add(self.mul(n, w["y_sample"]), self.mul(group, w["y_group"])))

            def one(r, c):
                sums = self.at(self.sums, self.mul(self.add(self.mul(r, per_row), self.mul(c, w["taps"])), size))
                given = self.at(a, self.mul(r, w["y_channel"]))
                source, p = self.at(x, self.mul(c, channel)), self._first_phase()
                self.loop("0", p["planes"], lambda d: self._taps_of(
                    self.at(source, self.mul(d, w["plane_plane"])), self.at(given, self.mul(d, w["y_plane"])), sums, p))
            self.loop("0", w["rows"], lambda r: self.loop("0", w["channels"], lambda c: one(r, c)))
        self.loop("0", w["samples"], sample)
        out = self.at(self.c, self.mul(group, self.mul(all_sums, self.size)))

        def finish(s):
            total = self.do(f"load {self.v}, ptr {self.at(self.sums, self.mul(s, size))}")
            total = self.across("sum", {"float": "f32", "double": "f64"}[self.t], self.lanes, total)
            self.say(f"store {self.t} {total}, ptr {self.at(out, self.mul(s, self.size))}")
        self.loop("0", all_sums, finish)

    def _first_phase(self):
        return {name: self.word(self.phase_table, j) for j, name in enumerate(PHASE)}

    def _taps_of(self, x, a, sums, p):
        """All taps of a plane."""
        w, done = self.w, "0"

        def some(count):
            return lambda t: self.say(
                f"call void @dots_of_{count}(ptr {x}, i64 {w['plane_row']}, ptr {self.at(self.tables, self.mul(t, 16))}, ptr {a}, "
                f"i64 {w['y_row']}, i64 {p['rows']}, i64 {p['width']}, "
                f"ptr {self.at(sums, self.mul(t, self.lanes * self.size))})")
        for count in TAPS:
            done = self.loop(done, w["taps"], some(count), count)

    def _dots_of(self, count: int):
        """Sums of some taps over a plane, lane by lane."""
        def body():
            starts = [self.at("%x", self.word(self.at("%taps", 16 * i), 0)) for i in range(count)]
            places = [self.at("%sums", i * self.lanes * self.size) for i in range(count)]
            sums = [self.slot(self.v) for _ in range(count)]
            for s, place in zip(sums, places):
                self._keep(s, self.load(place))

            def chunk(h, j):
                mask = self._masks(self.sub("%width", j), 1)[0]
                shift = self.mul(j, self.size)
                a = self.load(self.at(self.at("%a", self.mul(h, "%a_row")), shift), mask)
                at = self.add(self.mul(h, "%x_row"), shift)
                for s, start in zip(sums, starts):
                    x = self.load(self.at(start, at), mask)
                    self._keep(s, self.fma(a, x, self.do(f"load {self.v}, ptr {s}")))
            self.loop("0", "%rows", lambda h: self.loop(
                "0", self.add("%width", self.lanes - 1), lambda j: chunk(h, j), self.lanes))
            for s, place in zip(sums, places):
                self._keep(place, self.do(f"load {self.v}, ptr {s}"))
        self.function(
            f"internal void @dots_of_{count}(ptr %x, i64 %x_row, ptr %taps, ptr %a, i64 %a_row, i64 %rows, i64 %width, ptr %sums)",
            body)


# ---- words -----------------------------------------------------------------------------------
class _Code(NamedTuple):
    slide: int
    within: int


@cache
def code(dtype) -> _Code:
    """The functions for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    (slide, within), _ = typed.load(
        dtype, "depthwise", lambda t, shape: gemm.rooms(_ROOM) + "\n" + Depthwise(t, shape).text(), "slide", "within")
    return _Code(slide, within)


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a step of `kobai.compile.depthwise`.

    Raises:
        NoKernel: if there is no machine code.
    """
    functions, s = code(step.dtype), step.sizes
    extent = s["groups"] * (s["samples"] if step.kind == "slide" else 1)
    function = functions.slide if step.kind == "slide" else functions.within
    return function, [*[s[name] for name in WORDS], *step.table], extent, max(1, _WORK * extent // max(step.work, 1))
