"""Convolutions as machine code: products whose second matrix, the columns of the input, is made piece by piece.

    void conv_float(ptr block, i64 begin, i64 end)   y[o, position] = sum of w[o, tap] x[position + tap]

The columns [1] of as many positions as a sliver of a product has (`kobai.backends.gemm`) are copied to the cache of the
core, one row for each tap, and used there by the same micro kernels for all output channels.  In a staged input
positions that follow each other lie beside each other whatever the stride, and no tap falls beyond the border: a row of
columns is made of a few *pieces*, each a vector register or less.  Tiles have borders that depend on the shapes only, so
any number of threads gives the same bits.  `kobai.compile.convolve` says what the words of a block are.

[1] K. Chellapilla, S. Puri, P. Simard: High performance convolutional neural networks for document processing (2006).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kobai.backends import blas, gemm, typed

WORDS = (
    "strip_1", "strip_2",                         # code of products
    "groups", "rows", "channels", "taps",         # output channels and input channels of a group
    "height", "width", "count",                   # of a plane of positions; of all
    "x_sample", "x_group", "x_channel", "x_plane", "x_row",   # strides in bytes
    "y_sample", "y_group", "y_channel",
    "block", "blocks",                            # positions of a tile; how many
    "tall", "parts",                              # output channels of a tile; how many such tiles
    "deep", "chunks",                             # input channels in one go; how many
)  # fmt: skip
AT = {name: i for i, name in enumerate(WORDS)}
MOST_TAPS = 1024       # taps of a channel
_DEEP = 384            # rows of columns in one go, if a channel has no more taps
_WORK = 1 << 18        # multiplications worth a tile
_TILES = 32            # as many tiles as there are at most, unless the batch has more
_TABLE = 4096         # bytes of the list of pieces of a row of columns
_ROOM = _TABLE + MOST_TAPS * 2 * 64 + 4096


class Conv(gemm.Gemm):
    """Writes the functions for one type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions."""
        self._find()
        self._pack()
        self.function(f"void @conv_{self.t}(ptr %block, i64 %begin, i64 %end)", self._conv)
        return "\n".join(self.lines)

    # --- columns

    def _find(self):
        """The pieces of ``len`` positions from ``start``: triples of where in x, where in a row, how many."""
        def body():
            w = {name: self.word("%words", AT[name]) for name in ("height", "width", "x_plane", "x_row")}
            done, pieces = self.slot(), self.slot()
            for place in (done, pieces):
                self.say(f"store i64 0, ptr {place}")

            head, inside, out = [self.fresh(name) for name in ("head", "inside", "out")]
            self.say(f"br label %{head}")
            self.label(head)
            have = self.do(f"load i64, ptr {done}")
            self.say(f"br i1 {self.test('slt', have, '%len')}, label %{inside}, label %{out}")
            self.label(inside)
            self._one_piece(have, done, pieces, w)
            self.say(f"br label %{head}")
            self.label(out)
            return self.do(f"load i64, ptr {pieces}")
        self.function("internal i64 @find(ptr %words, i64 %start, i64 %len, ptr %table)", body, "i64")

    def _one_piece(self, have, done, pieces, w):
        row, at = self._split(self.add("%start", have), w["width"])
        plane, line = self._split(row, w["height"])
        many = self.smaller(self.smaller(self.sub(w["width"], at), self.sub("%len", have)), self.lanes)
        source = self.add(self.mul(at, self.size), self.add(self.mul(plane, w["x_plane"]), self.mul(line, w["x_row"])))
        number = self.do(f"load i64, ptr {pieces}")
        entry = self.at("%table", self.mul(number, 24))
        for i, value in enumerate((source, self.mul(have, self.size), many)):
            self.say(f"store i64 {value}, ptr {self.at(entry, 8 * i)}")
        self.say(f"store i64 {self.add(have, many)}, ptr {done}")
        self.say(f"store i64 {self.add(number, 1)}, ptr {pieces}")

    def _pack(self):
        """One row for each tap of ``channels`` channels; beyond its end a row may get what is never used."""
        def body():
            many = self.do("icmp sgt i64 %pieces, 4")
            self.when(many, self._pack_many, lambda: self._pack_some(4))
        self.function("internal void @pack(ptr %to, i64 %pitch, ptr %x, i64 %channels, i64 %x_channel, i64 %taps, "
                      "ptr %offsets, ptr %table, i64 %pieces)", body)

    def _pack_some(self, most: int):
        """Few pieces: where they are, and how long, stays in registers."""
        def exactly(count):
            pieces = [self._piece(str(i)) for i in range(count)]
            self._for_each_row(lambda source, target: [self._copy(source, target, p) for p in pieces])

        def choose(count):
            if count == most:
                exactly(count)
            else:
                self.when(self.test("eq", "%pieces", count), lambda: exactly(count), lambda: choose(count + 1))
        choose(1)

    def _pack_many(self):
        self._for_each_row(lambda source, target: self.loop(
            "0", "%pieces", lambda i: self._copy(source, target, self._piece(i))))

    def _piece(self, i):
        entry = self.at("%table", self.mul(i, 24))
        source, target, many = [self.do(f"load i64, ptr {self.at(entry, 8 * j)}") for j in range(3)]
        return source, target, self._masks(many, 1)[0]

    def _copy(self, source, target, piece):
        value = self.load(self.at(source, piece[0]), piece[2])
        self.say(f"store {self.v} {value}, ptr {self.at(target, piece[1])}, align {self.size}")

    def _for_each_row(self, body):
        def tap(c, t):
            offset = self.do(f"load i64, ptr {self.at('%offsets', self.mul(t, 8))}")
            source = self.at("%x", self.add(self.mul(c, "%x_channel"), offset))
            body(source, self.at("%to", self.mul(self.add(self.mul(c, "%taps"), t), "%pitch")))
        self.loop("0", "%channels", lambda c: self.loop("0", "%taps", lambda t: tap(c, t)))

    def _pack_columns(self, x, channels, table, pieces, to, pitch):
        w = self.w
        self.say(f"call void @pack(ptr {to}, i64 {pitch}, ptr {x}, i64 {channels}, i64 {w['x_channel']}, i64 {w['taps']}, "
                 f"ptr {self.offsets}, ptr {table}, i64 {pieces})")

    # --- tiles

    def _begin(self, body):
        """Words, and memory for copies, for ``body(i)`` of each tile i."""
        self.x, self.b, self.c = [self.word("%block", i, "ptr") for i in range(3)]
        words = self.words = self.at("%block", 24)
        self.w = {name: self.word(words, i) for name, i in AT.items()}
        self.strips = [self.do(f"inttoptr i64 {self.w[name]} to ptr") for name in ("strip_1", "strip_2")]
        self.offsets = self.at(words, 8 * len(WORDS))
        self.all_taps = self.mul(self.w["channels"], self.w["taps"])
        number = self.do("call i64 @take()")
        self.table = self.do(f"call ptr @room(i64 {number})")
        self.columns = self.at(self.table, _TABLE)
        self.loop("%begin", "%end", body)
        self.say(f"call void @give(i64 {number})")

    def _strip(self, m, k, a, ra, b, c, rc, first, cols):
        """C, plus what is there unless this is the first, for some columns."""
        e = self.pick(first, "null", c, "ptr")
        few = self.test("sle", cols, self.lanes)
        code = self.pick(few, self.strips[0], self.strips[1], "ptr")
        self.say(f"call void {code}(i64 {m}, i64 {k}, ptr {a}, i64 {ra}, i64 {self.size}, ptr {b}, "
                 f"i64 {self.shape.width * self.size}, ptr {c}, i64 {rc}, ptr {e}, i64 {rc}, {self.t} 1.0, {self.t} 1.0, "
                 f"i64 {cols})")

    def _conv(self):
        self._begin(self._conv_tile)

    def _conv_tile(self, i):
        w = self.w
        i, block = self._split(i, w["blocks"])
        i, part = self._split(i, w["parts"])
        sample, group = self._split(i, w["groups"])
        row0 = self.mul(part, w["tall"])
        m = self.smaller(w["tall"], self.sub(w["rows"], row0))
        x = self.at(self.x, self.add(self.mul(sample, w["x_sample"]), self.mul(group, w["x_group"])))
        first_row = self.add(self.mul(group, w["rows"]), row0)
        across = self.mul(self.all_taps, self.size)
        weights = self.at(self.b, self.mul(first_row, across))
        y = self.at(self.c, self.add(self.mul(sample, w["y_sample"]),
                                     self.add(self.mul(group, w["y_group"]), self.mul(row0, w["y_channel"]))))
        j0 = self.mul(block, w["block"])
        n, width = self.smaller(w["block"], self.sub(w["count"], j0)), self.shape.width

        def sliver(j):
            cols = self.smaller(width, self.sub(n, j))
            start = self.add(j0, j)
            pieces = self.do(f"call i64 @find(ptr {self.words}, i64 {start}, i64 {cols}, ptr {self.table})")
            target = self.at(y, self.mul(start, self.size))

            def chunk(q):
                c0 = self.mul(q, w["deep"])
                channels = self.smaller(w["deep"], self.sub(w["channels"], c0))
                self._pack_columns(self.at(x, self.mul(c0, w["x_channel"])), channels, self.table, pieces, self.columns,
                                   width * self.size)
                a = self.at(weights, self.mul(self.mul(c0, w["taps"]), self.size))
                self._strip(m, self.mul(channels, w["taps"]), a, across, self.columns, target, w["y_channel"],
                            self.test("eq", q, 0), cols)
            self.loop("0", w["chunks"], chunk)
        self.loop("0", self.add(n, width - 1), sliver, width)


# ---- words -----------------------------------------------------------------------------------
class _Code(NamedTuple):
    conv: int
    products: list[int]  # of strips and packing
    lanes: int
    width: int


@cache
def code(dtype) -> _Code:
    """The functions for a type.

    Raises:
        NoKernel: if there is no machine code.
    """
    (conv,), shape = typed.load(dtype, "conv", lambda t, shape: gemm.rooms(_ROOM) + "\n" + Conv(t, shape).text(), "conv")
    return _Code(conv, blas.parts(dtype), shape.lanes, shape.width)


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a step of `kobai.compile.convolve`.

    Raises:
        NoKernel: if there is no machine code.
    """
    if step.kind == "conv":
        return _conv_words(step)
    from kobai.backends import conv_lanes, correlate, depthwise, stage  # noqa: PLC0415 (most programs have none of these)
    of = {"stage": stage.words, "correlate": correlate.correlate_words, "gather": correlate.gather_words,
          "slide": depthwise.words, "within": depthwise.words, "lanes": conv_lanes.words, "panel": conv_lanes.panel_words}
    return of[step.kind](step)


def _conv_words(step):
    functions = code(step.dtype)
    s, width = dict(step.sizes), functions.width
    depth = s["channels"] * s["taps"]
    most = s["samples"] * s["groups"]
    slivers = -(-s["count"] // width)
    each = max(1, _WORK // (s["rows"] * depth * width))  # slivers worth a tile
    blocks = min(-(-slivers // each), -(-_TILES // most))
    s["block"] = -(-slivers // blocks) * width
    s["blocks"] = -(-s["count"] // s["block"])
    parts = 1 if most * s["blocks"] >= 8 else min(8, max(1, s["rows"] * depth * s["count"] // _WORK), -(-s["rows"] // 24))
    s["tall"] = -(-s["rows"] // (parts * 12)) * 12
    s["parts"] = -(-s["rows"] // s["tall"])
    _chunks(s, _DEEP)
    tiles = most * s["blocks"] * s["parts"]
    work = min(s["tall"], s["rows"]) * depth * min(s["block"], s["count"])
    return functions.conv, _listed(s, functions, step), tiles, max(1, _WORK // max(work, 1))


def _chunks(s, deep: int):
    """Channels in equal chunks."""
    most = max(1, deep // s["taps"])
    count = -(-s["channels"] // most)
    s["deep"] = -(-s["channels"] // count)
    s["chunks"] = -(-s["channels"] // s["deep"])


def _listed(s, functions: _Code, step) -> list[int]:
    s["strip_1"], s["strip_2"], _ = functions.products
    return [*[s.get(name, 0) for name in WORDS], *step.table]
