"""Products of bfloat16 matrices, summed in float32 and rounded once, for processors that multiply pairs of them.

The tiles are those of `kobai.backends.gemm`.  A and B are always copied: B with two neighbours of the inner dimension side
by side, which is how the instructions want them: ``vdpbf16ps`` adds sixteen sums of two products; the tile registers
of AMX multiply 16 x 32 by 32 x 16 numbers at once, and A is copied as such squares.  Between two stretches sums are kept in
memory of the thread; after the last each block of 32 x 32 is rounded while it is near.  Edges are filled with zeros,
to multiples of 32.  Numbers too small for a full mantissa are zeros to these instructions.
"""

from __future__ import annotations

import ctypes
import sys

from kobai.backends.gemm import _PAD, AT, BLOCKS, rooms
from kobai.backends.gemm_few import Few
from kobai.backends.gemm_micro import shape_for

DEPTH, ROWS, COLS = 512, 1024, 512  # the largest stretch and tile
_BLOCK, _BLOCK_AMX = 64, 32  # rows of A that are copied at once: they stay in the first cache while slivers pass
_EDGE = 32  # everything is padded to multiples of this
_ROW_A = 2 * DEPTH + _PAD  # without AMX; with it, squares of 16 rows follow each other
_ROW_C = 4 * (COLS + _EDGE)
_SUMS = (_BLOCK + _EDGE) * _ROW_A  # where the sums begin, after the copy of A
_SQUARE = _SUMS + (ROWS + _EDGE) * _ROW_C  # sums of a block that are rounded next
_ROOM_A = _SQUARE + 4 * _EDGE * _EDGE + 4096
_ROOM = _ROOM_A + 2 * DEPTH * (COLS + _EDGE) + 8192
_AHEAD = 4  # rows of B, and of A two, that are asked for before they are read
_PAIRS = "<16 x float>"  # 16 pairs of bfloat16, moved as if they were floats
_NUMBERS = "<32 x i16>"

_AMX = """
@tiles = internal constant [64 x i8] c"\\01\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\
\\40\\00\\40\\00\\40\\00\\40\\00\\40\\00\\40\\00\\40\\00\\40\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\
\\10\\10\\10\\10\\10\\10\\10\\10\\00\\00\\00\\00\\00\\00\\00\\00"
declare void @llvm.x86.ldtilecfg(ptr)
declare void @llvm.x86.tilerelease()
declare void @llvm.x86.tilezero(i8)
declare void @llvm.x86.tileloadd64(i8, ptr, i64)
declare void @llvm.x86.tileloaddt164(i8, ptr, i64)
declare void @llvm.x86.tilestored64(i8, ptr, i64)
declare void @llvm.x86.tdpbf16ps(i8, i8, i8)
"""


class Half(Few):
    """Writes the functions for bfloat16."""

    row_a, row_c = _ROW_A, _ROW_C

    def __init__(self, triple: str, amx: bool):
        super().__init__("float", shape_for(4, 64, triple))
        self.kind, self.stored, self.amx, self.room_a = "bfloat", 2, amx, _ROOM_A
        self.block = _BLOCK_AMX if amx else _BLOCK
        self.in_squares = amx  # how A is copied

    def text(self) -> str:
        if self.amx:
            self._tile_micro()
        else:
            for rows in self.shape.rows:
                self.function(
                    f"internal void @pairs_{rows}(i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, ptr %c, i64 %rc, i1 %first)",
                    lambda rows=rows: self._pair_micro(rows),
                )
        self._few()
        self._square()
        self._finish()
        self._tile()
        self._entries()
        return "\n".join([_AMX * self.amx, *self.lines])

    # --- 32 columns of sums

    def _pair_micro(self, rows: int):
        """``rows`` of sums in registers: the loop of float32, a pair of numbers in the place of one."""
        sums, places = self._sums(rows, 2), self._addresses("%c", "%rc", rows, 2)

        def keep(add):
            for value, place in [pair for line in zip(sums, places) for pair in zip(*line)]:
                value = self.do(f"fadd {self.v} {value}, {self.load(place)}") if add else value
                self.say(f"store {self.v} {value}, ptr {place}, align 4")

        self.when("%first", lambda: keep(False), lambda: keep(True))

    def _fma_to(self, name: str, a, b, c):
        left, right = [self.do(f"bitcast {self.v} {x} to <32 x bfloat>") for x in (a, b)]
        f = "@llvm.x86.avx512bf16.dpbf16ps.512"
        self.say(f"{name} = call {self.v} {f}({self.v} {c}, <32 x bfloat> {left}, <32 x bfloat> {right})")

    def _tile_micro(self):
        """32 x 32 sums in four tile registers: from ``c``, unless they are the first, to ``d``.

        What is read of B comes by once for many rows: it is loaded with the hint to keep it out of the first cache.
        """

        def step(p):
            a, b = self.at("%a", self.mul(p, 2048)), self.at("%b", self.mul(p, 2048))
            for register, place, stride, hint in ((4, a, 64, "d"), (5, self.at(a, 1024), 64, "d"), (6, b, 128, "dt1"),
                                                  (7, self.at(b, 64), 128, "dt1")):  # fmt: skip
                self.say(f"call void @llvm.x86.tileload{hint}64(i8 {register}, ptr {place}, i64 {stride})")
            for i in range(4):
                self.say(f"call void @llvm.x86.tdpbf16ps(i8 {i}, i8 {4 + i // 2}, i8 {6 + i % 2})")

        def quarters(base, row):
            low = self.at(base, self.mul(row, 16))
            return list(enumerate((base, self.at(base, 64), low, self.at(low, 64))))

        def body():
            self.when(
                "%first",
                lambda: [self.say(f"call void @llvm.x86.tilezero(i8 {i})") for i in range(4)],
                lambda: [self.say(f"call void @llvm.x86.tileloadd64(i8 {i}, ptr {p}, i64 {_ROW_C})")
                         for i, p in quarters("%c", _ROW_C)],
            )  # fmt: skip
            self.loop("0", self.do("sdiv i64 %k, 32"), step)
            for i, place in quarters("%d", "%rd"):
                self.say(f"call void @llvm.x86.tilestored64(i8 {i}, ptr {place}, i64 %rd)")

        self.function("internal void @block(i64 %k, ptr %a, ptr %b, ptr %c, ptr %d, i64 %rd, i1 %first)", body)

    # --- a tile

    def _tile(self):
        names = ("row_a", "col_a", "row_b", "col_b", "row_c", "row_e", "k", "depth")

        def body():
            self.w = {name: self.word("%words", AT[name]) for name in names}
            self.sums_at = self.at("%room_a", _SUMS)
            self.when(self.test("ne", self.word("%words", AT["way"]), BLOCKS), self._of_few_rows, self._of_many_rows)

        self.function(
            "internal void @tile_bfloat(ptr %words, i64 %m, i64 %n, ptr %a, ptr %b, ptr %c, ptr %e, ptr %room_a, ptr %room_b)",
            body,
        )

    def _of_many_rows(self):
        if self.amx:
            self.say("call void @llvm.x86.ldtilecfg(ptr @tiles)")
        self._stretches()
        if self.amx:
            self.say("call void @llvm.x86.tilerelease()")

    def _of_few_rows(self):
        """The tile as `Few` has it, and its sums rounded."""
        self._stretches(self._stretch_of_few)
        self.loop("0", self.add("%n", _EDGE - 1), lambda j: self._round(0, j, self.at(self.sums_at, self.mul(j, 4)), _ROW_C),
                  _EDGE)  # fmt: skip

    def _stretch_of_few(self, start, depth=None):
        w, depth, self.rows = self.w, depth or self.w["depth"], "%m"
        padded = self.do(f"and i64 {self.add(depth, _EDGE - 1)}, {-_EDGE}")
        a, b = self.at("%a", self.mul(start, w["col_a"])), self.at("%b", self.mul(start, w["row_b"]))
        self.in_squares = False
        self.when(self.test("eq", w["col_a"], 2), lambda: self._copy_rows(a, depth, padded),
                  lambda: self._copy_one_by_one(a, depth, padded))  # fmt: skip
        self.in_squares = self.amx
        self._call_few(depth, b, self.test("eq", start, 0), self.test("eq", w["col_b"], 2))

    def _stretch(self, start, depth=None):
        w, first = self.w, self.test("eq", start, 0)
        depth = depth or w["depth"]
        padded = self.do(f"and i64 {self.add(depth, _EDGE - 1)}, {-_EDGE}")
        a, b = self.at("%a", self.mul(start, w["col_a"])), self.at("%b", self.mul(start, w["row_b"]))
        by_rows = self.test("eq", w["col_b"], 2)
        self.when(by_rows, lambda: self._pair_rows(b, depth, padded), lambda: self._turn_pairs(b, depth, padded))
        last = self.test("eq", self.add(start, depth), w["k"])
        self.loop("0", self.add("%m", self.block - 1), lambda i: self._block(a, i, depth, padded, first, last), self.block)

    def _block(self, a, i, depth, padded, first, last):
        """Some rows of A, copied, times all slivers."""
        self.rows = self.smaller(self.sub("%m", i), self.block)
        a, by_rows = self.at(a, self.mul(i, self.w["row_a"])), self.test("eq", self.w["col_a"], 2)
        self.when(by_rows, lambda: self._copy_rows(a, depth, padded), lambda: self._turn_columns(a, depth, padded))
        self.loop("0", self.add("%n", _EDGE - 1), lambda j: self._sliver_of(i, j, padded, first, last), _EDGE)

    def _sliver_of(self, i0, j, depth, first, last):
        b = self._pairs_at(0, j)
        sums = self.at(self.sums_at, self.add(self.mul(i0, _ROW_C), self.mul(j, 4)))
        if not self.amx:
            self._pairs(b, sums, depth, first)

        def block(i):
            kept, row = self.at(sums, self.mul(i, _ROW_C)), _ROW_C
            if self.amx:
                a, square = self._row_at(i, depth, 0), self.at("%room_a", _SQUARE)
                place, row = self.pick(last, square, kept, "ptr"), self.pick(last, 128, _ROW_C)
                self.say(f"call void @block(i64 {depth}, ptr {a}, ptr {b}, ptr {kept}, ptr {place}, i64 {row}, i1 {first})")
                kept = place
            self.when(last, lambda: self._round(self.add(i0, i), j, kept, row))

        self.loop("0", self.add(self.rows, _EDGE - 1), block, _EDGE)

    def _pairs(self, b, sums, depth, first):
        """The same without AMX: all rows of the block times a sliver."""
        pairs, done = self.do(f"sdiv i64 {depth}, 2"), "0"
        for rows in self.shape.rows:

            def strip(i, rows=rows):
                a, place = self.at("%room_a", self.mul(i, _ROW_A)), self.at(sums, self.mul(i, _ROW_C))
                self.say(
                    f"call void @pairs_{rows}(i64 {pairs}, ptr {a}, i64 {_ROW_A}, i64 4, ptr {b}, i64 128, "
                    f"ptr {place}, i64 {_ROW_C}, i1 {first})"
                )

            done = self.loop(done, self.rows, strip, rows)

    def _row_at(self, i, depth, p):
        """Where element ``p`` of row ``i`` of the copy of A is: a multiple of 32; with AMX ``i`` is a multiple of 16, too."""
        if not self.in_squares:
            return self.at("%room_a", self.add(self.mul(i, _ROW_A), self.mul(p, 2)))
        block, square = self.do(f"and i64 {i}, -32"), self.do(f"and i64 {i}, 31")
        start = self.add(self.mul(block, self.mul(depth, 2)), self.mul(square, 64))
        return self.at("%room_a", self.add(start, self.mul(p, 64)))

    # --- copies

    def _numbers(self, address, count, t=_NUMBERS) -> str:
        """The first ``count`` of 32 numbers at an address, then zeros; as pairs if so asked."""
        mask = self._mask(count)
        found = self.do(
            f"call <32 x i16> @llvm.masked.load.v32i16.p0(ptr {address}, i32 2, <32 x i1> {mask}, <32 x i16> zeroinitializer)"
        )
        return found if t == _NUMBERS else self.do(f"bitcast <32 x i16> {found} to {t}")

    def _mask(self, count) -> str:
        """The first ``count`` of 32 lanes."""
        limit = self.splat(self.do(f"trunc i64 {self.smaller(count, 32)} to i16"), "i16", 32)
        return self.do(f"icmp sgt <32 x i16> {limit}, <{', '.join(f'i16 {i}' for i in range(32))}>")

    def _copy_rows(self, a, depth, padded):
        def row(i):
            source, target = self.at(a, self.mul(i, self.w["row_a"])), self._row_at(i, padded, 0)
            ahead = self.at(source, self.mul(self.w["row_a"], 2))

            def part(p):
                self._ask_for(self.at(ahead, self.mul(p, 2)))
                value = self._numbers(self.at(source, self.mul(p, 2)), self.sub(depth, p))
                place = self.at(target, self.mul(p, 64 if self.in_squares else 2))
                self.say(f"store {_NUMBERS} {value}, ptr {place}, align 64")

            self.loop("0", padded, part, 32)

        self.loop("0", self.rows, row)

    def _copy_one_by_one(self, a, depth, padded):
        """Where columns of A are contiguous, but short."""
        def one(i, p, number):
            self.say(f"store i16 {number}, ptr {self._row_at(i, padded, p)}")

        def row(i):
            source = self.at(a, self.mul(i, self.w["row_a"]))
            number = lambda p: self.do(f"load i16, ptr {self.at(source, self.mul(p, self.w['col_a']))}")  # noqa: E731
            done = self.loop("0", depth, lambda p: one(i, p, number(p)))
            self.loop(done, padded, lambda p: one(i, p, 0))

        self.loop("0", self.rows, row)

    def _ask_for(self, place):
        self.say(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")

    def _turn_columns(self, a, depth, padded):
        """Where columns of A are contiguous: 32 x 32 numbers at a time, as pairs."""
        last = self.sub(depth, 1)

        def block(i, p):
            rows = []
            for q in range(32):
                index = self.add(p, q)
                inside = self.test("slt", index, depth)
                count = self.pick(inside, self.sub(self.rows, i), "0")
                at = self.at(self.at(a, self.mul(self.smaller(index, last), self.w["col_a"])), self.mul(i, 2))
                rows.append(self._numbers(at, count))
            pairs = [self._side_by_side(rows[q], rows[q + 1]) for q in range(0, 32, 2)]
            for half in (0, 1):
                for r, line in enumerate(self._transposed([pair[half] for pair in pairs])):
                    target = self._row_at(self.add(i, 16 * half + r), padded, p)
                    self.say(f"store {_PAIRS} {line}, ptr {target}, align 64")

        self.loop("0", self.add(self.rows, 31), lambda i: self.loop("0", padded, lambda p: block(i, p), 32), 32)

    def _side_by_side(self, x, y):
        """(x0 y0 x1 y1 ...) of the first and of the last 16 of 32 numbers."""
        halves = []
        for start in (0, 16):
            lanes = ", ".join(f"i32 {start + i}, i32 {32 + start + i}" for i in range(16))
            both = self.do(f"shufflevector {_NUMBERS} {x}, {_NUMBERS} {y}, <32 x i32> <{lanes}>")
            halves.append(self.do(f"bitcast {_NUMBERS} {both} to {_PAIRS}"))
        return halves

    def _pairs_at(self, p, j):
        """Where the pair of rows ``p`` and ``p`` + 1 of the sliver that begins with column ``j`` goes."""
        sliver = self.mul(j, DEPTH * 2)
        return self.at("%room_b", self.add(sliver, self.mul(p, 64)))

    def _pair_rows(self, b, depth, padded):
        """Where rows of B are contiguous."""
        last = self.sub(depth, 1)

        def pair(p, j):
            rows = []
            for q in (0, 1):
                index = self.add(p, q)
                count = self.pick(self.test("slt", index, depth), self.sub("%n", j), "0")
                at = self.at(self.at(b, self.mul(self.smaller(index, last), self.w["row_b"])), self.mul(j, 2))
                self._ask_for(self.at(at, self.mul(self.w["row_b"], _AHEAD)))
                rows.append(self._numbers(at, count))
            target = self._pairs_at(p, j)
            for half, value in enumerate(self._side_by_side(*rows)):
                self.say(f"store {_PAIRS} {value}, ptr {self.at(target, 64 * half)}, align 64")

        self.loop("0", padded, lambda p: self.loop("0", self.add("%n", 31), lambda j: pair(p, j), 32), 2)

    def _turn_pairs(self, b, depth, padded):
        """Where columns of B are contiguous: 16 columns of 32 numbers at a time."""
        last = self.sub("%n", 1)

        def block(j, p, half):
            source = self.at(self.at(b, self.mul(self.smaller(j, last), self.w["col_b"])), self.mul(p, 2))
            target = self.at(self._pairs_at(p, self.sub(j, 16 * half)), 64 * half)
            beyond = self.do(f"call i64 @llvm.smax.i64(i64 {self.sub(last, j)}, i64 0)")
            self.say(f"call void @turn_pairs(ptr {target}, ptr {source}, i64 {beyond}, i64 {self.sub(depth, p)}, "
                     f"i64 {self.w['col_b']})")  # fmt: skip

        def sliver(j):
            for half in (0, 1):
                start = self.add(j, 16 * half)
                self.loop("0", padded, lambda p, start=start, half=half: block(start, p, half), 32)

        self.loop("0", self.add("%n", 31), sliver, 32)

    def _square(self):
        def body():
            columns = [self.smaller(i, "%last") for i in range(16)]
            square = [self._numbers(self.at("%b", self.mul(c, "%cb")), "%left", _PAIRS) for c in columns]
            for q, line in enumerate(self._transposed(square)):
                self.say(f"store {_PAIRS} {line}, ptr {self.at('%to', 128 * q)}, align 64")

        self.function("internal void @turn_pairs(ptr %to, ptr %b, i64 %last, i64 %left, i64 %cb)", body)

    # --- the result

    def _round(self, i, j, sums, row):
        """Have a block of sums rounded."""
        places = [self.at("%" + x, self.add(self.mul(i, self.w["row_" + x]), self.mul(j, 2))) for x in "ce"]
        e = self.pick(self.do("icmp eq ptr %e, null"), "null", places[1], "ptr")
        rows = self.smaller(self.sub("%m", i), _EDGE)
        self.say(
            f"call void @finish(i64 {rows}, i64 {self.sub('%n', j)}, ptr {sums}, i64 {row}, ptr {places[0]}, "
            f"i64 {self.w['row_c']}, ptr {e}, i64 {self.w['row_e']})"
        )

    def _finish(self):
        """Up to 32 x 32 sums, plus E, as bfloat16: to nearest, halves to even; NaN stays NaN."""

        def line(i, add):
            source, target = self.at("%sums", self.mul(i, "%row")), self.at("%c", self.mul(i, "%rc"))
            low, high = self.load(source), self.load(self.at(source, 64))
            if add:
                more = self._numbers(self.at("%e", self.mul(i, "%re")), "%n")
                low, high = [self.do(f"fadd {self.v} {x}, {self._widened(more, at)}") for x, at in ((low, 0), (high, 16))]
            f = "@llvm.x86.avx512bf16.cvtne2ps2bf16.512"
            both = self.do(f"call <32 x bfloat> {f}({self.v} {high}, {self.v} {low})")
            both = self.do(f"bitcast <32 x bfloat> {both} to {_NUMBERS}")
            self.say(f"call void @llvm.masked.store.v32i16.p0({_NUMBERS} {both}, ptr {target}, i32 2, <32 x i1> {mask})")

        def body():
            nonlocal mask
            mask = self._mask("%n")
            plain = self.do("icmp eq ptr %e, null")
            self.when(plain, lambda: self.loop("0", "%m", lambda i: line(i, False)),
                      lambda: self.loop("0", "%m", lambda i: line(i, True)))  # fmt: skip

        mask = ""
        self.function(
            "internal void @finish(i64 %m, i64 %n, ptr %sums, i64 %row, ptr %c, i64 %rc, ptr %e, i64 %re)", body
        )

    def _widened(self, numbers: str, start: int) -> str:
        """Sixteen of 32 bfloat16, as float32."""
        lanes = ", ".join(f"i32 {start + i}" for i in range(16))
        some = self.do(f"shufflevector {_NUMBERS} {numbers}, {_NUMBERS} poison, <16 x i32> <{lanes}>")
        wide = self.do(f"shl <16 x i32> {self.do(f'zext <16 x i16> {some} to <16 x i32>')}, splat (i32 16)")
        return self.do(f"bitcast <16 x i32> {wide} to {self.v}")


def text(triple: str, amx: bool) -> str:
    """The functions for bfloat16, on a CPU with AVX512-BF16, or with AMX."""
    return "\n".join([rooms(_ROOM), Half(triple, amx).text()])


def may_use_amx() -> bool:
    """Ask Linux for the tile registers: programs that do not ask may not use them."""
    if sys.platform != "linux":
        return False
    request, data_of_tiles, arch_prctl = 0x1023, 18, 158
    return ctypes.CDLL(None).syscall(arch_prctl, request, data_of_tiles) == 0
