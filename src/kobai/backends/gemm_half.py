"""Products of bfloat16 matrices, summed in float32 and rounded once, for processors that multiply pairs of them.

The tiles are those of `kobai.backends.gemm`.  A and B are always copied: A by rows, B with two neighbours of the inner
dimension side by side, which is how the instructions want them: ``vdpbf16ps`` adds sixteen sums of two products; the
tile registers of AMX multiply 16 x 32 by 32 x 16 numbers at once.  Sums are kept in memory of the thread between
two stretches, and rounded when the last is done.  Edges are filled with zeros, to multiples of 32.
"""

from __future__ import annotations

import ctypes
import sys

from kobai.backends.gemm import _PAD, AT, ROOM, Gemm, rooms
from kobai.backends.gemm_micro import shape_for

DEPTH, ROWS, COLS = 512, 256, 512  # the largest stretch and tile
_EDGE = 32  # everything is padded to multiples of this
_ROW_A = 2 * DEPTH + _PAD
_ROW_C = 4 * (COLS + _EDGE)
_SUMS = (ROWS + _EDGE) * _ROW_A  # where the sums begin, after the copy of A
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
declare void @llvm.x86.tilestored64(i8, ptr, i64)
declare void @llvm.x86.tdpbf16ps(i8, i8, i8)
"""


class Half(Gemm):
    """Writes the functions for bfloat16."""

    def __init__(self, triple: str, amx: bool):
        super().__init__("float", shape_for(4, 64, triple))
        self.kind, self.stored, self.amx = "bfloat", 2, amx

    def text(self) -> str:
        if self.amx:
            self._tile_micro()
        else:
            for rows in self.shape.rows:
                self.function(
                    f"internal void @pairs_{rows}(i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, ptr %c, i64 %rc, i1 %first)",
                    lambda rows=rows: self._pair_micro(rows),
                )
        self._square()
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
        """32 x 32 sums in four tile registers."""

        def step(p):
            a = self.at("%a", self.mul(p, 64))
            b = self.at("%b", self.mul(p, 16 * 128))
            for register, place, stride in ((4, a, "%ra"), (5, self.at(a, self.mul("%ra", 16)), "%ra"),
                                            (6, b, 128), (7, self.at(b, 64), 128)):  # fmt: skip
                self.say(f"call void @llvm.x86.tileloadd64(i8 {register}, ptr {place}, i64 {stride})")
            for i in range(4):
                self.say(f"call void @llvm.x86.tdpbf16ps(i8 {i}, i8 {4 + i // 2}, i8 {6 + i % 2})")

        def body():
            low = self.at("%c", self.mul("%rc", 16))
            places = list(enumerate(("%c", self.at("%c", 64), low, self.at(low, 64))))
            self.when(
                "%first",
                lambda: [self.say(f"call void @llvm.x86.tilezero(i8 {i})") for i, _ in places],
                lambda: [self.say(f"call void @llvm.x86.tileloadd64(i8 {i}, ptr {p}, i64 %rc)") for i, p in places],
            )
            self.loop("0", self.do("sdiv i64 %k, 32"), step)
            for i, place in places:
                self.say(f"call void @llvm.x86.tilestored64(i8 {i}, ptr {place}, i64 %rc)")

        self.function("internal void @block(i64 %k, ptr %a, i64 %ra, ptr %b, ptr %c, i64 %rc, i1 %first)", body)

    # --- a tile

    def _tile(self):
        names = ("row_a", "col_a", "row_b", "col_b", "row_c", "row_e", "k", "depth")

        def body():
            self.w = {name: self.word("%words", AT[name]) for name in names}
            self.sums_at = self.at("%room_a", _SUMS)
            if self.amx:
                self.say("call void @llvm.x86.ldtilecfg(ptr @tiles)")
            self._stretches()
            if self.amx:
                self.say("call void @llvm.x86.tilerelease()")
            self.loop("0", "%m", self._round_row)

        self.function(
            "internal void @tile_bfloat(ptr %words, i64 %m, i64 %n, ptr %a, ptr %b, ptr %c, ptr %e, ptr %room_a, ptr %room_b)",
            body,
        )

    def _stretch(self, start, depth=None):
        w, first = self.w, self.test("eq", start, 0)
        depth = depth or w["depth"]
        padded = self.do(f"and i64 {self.add(depth, _EDGE - 1)}, {-_EDGE}")
        a, b = self.at("%a", self.mul(start, w["col_a"])), self.at("%b", self.mul(start, w["row_b"]))
        by_rows = self.test("eq", w["col_a"], 2)
        self.when(by_rows, lambda: self._copy_rows(a, depth, padded), lambda: self._turn_columns(a, depth, padded))
        by_rows = self.test("eq", w["col_b"], 2)
        self.when(by_rows, lambda: self._pair_rows(b, depth, padded), lambda: self._turn_pairs(b, depth, padded))
        self.loop("0", self.add("%n", _EDGE - 1), lambda j: self._sliver_of(j, padded, first), _EDGE)

    def _sliver_of(self, j, depth, first):
        b, c = self._pairs_at(0, j), self.at(self.sums_at, self.mul(j, 4))
        if self.amx:

            def block(i):
                a, place = self.at("%room_a", self.mul(i, _ROW_A)), self.at(c, self.mul(i, _ROW_C))
                self.say(f"call void @block(i64 {depth}, ptr {a}, i64 {_ROW_A}, ptr {b}, ptr {place}, i64 {_ROW_C}, i1 {first})")

            return self.loop("0", self.add("%m", _EDGE - 1), block, _EDGE)
        pairs, done = self.do(f"sdiv i64 {depth}, 2"), "0"
        for rows in self.shape.rows:

            def strip(i, rows=rows):
                a, place = self.at("%room_a", self.mul(i, _ROW_A)), self.at(c, self.mul(i, _ROW_C))
                self.say(
                    f"call void @pairs_{rows}(i64 {pairs}, ptr {a}, i64 {_ROW_A}, i64 4, ptr {b}, i64 128, "
                    f"ptr {place}, i64 {_ROW_C}, i1 {first})"
                )

            done = self.loop(done, "%m", strip, rows)
        return done

    # --- copies

    def _numbers(self, address, count, t=_NUMBERS) -> str:
        """The first ``count`` of 32 numbers at an address, then zeros; as pairs if so asked."""
        limit = self.splat(self.do(f"trunc i64 {count} to i16"), "i16", 32)
        mask = self.do(f"icmp sgt <32 x i16> {limit}, <{', '.join(f'i16 {i}' for i in range(32))}>")
        found = self.do(
            f"call <32 x i16> @llvm.masked.load.v32i16.p0(ptr {address}, i32 2, <32 x i1> {mask}, <32 x i16> zeroinitializer)"
        )
        return found if t == _NUMBERS else self.do(f"bitcast <32 x i16> {found} to {t}")

    def _copy_rows(self, a, depth, padded):
        def row(i):
            source, target = self.at(a, self.mul(i, self.w["row_a"])), self.at("%room_a", self.mul(i, _ROW_A))

            def part(p):
                value = self._numbers(self.at(source, self.mul(p, 2)), self.sub(depth, p))
                self.say(f"store {_NUMBERS} {value}, ptr {self.at(target, self.mul(p, 2))}, align 64")

            self.loop("0", padded, part, 32)

        self.loop("0", "%m", row)

    def _turn_columns(self, a, depth, padded):
        """Where columns of A are contiguous: 32 x 32 numbers at a time, as pairs."""
        last = self.sub(depth, 1)

        def block(i, p):
            rows = []
            for q in range(32):
                index = self.add(p, q)
                inside = self.test("slt", index, depth)
                count = self.pick(inside, self.sub("%m", i), "0")
                at = self.at(self.at(a, self.mul(self.smaller(index, last), self.w["col_a"])), self.mul(i, 2))
                rows.append(self._numbers(at, count))
            pairs = [self._side_by_side(rows[q], rows[q + 1]) for q in range(0, 32, 2)]
            for half in (0, 1):
                for r, line in enumerate(self._transposed([pair[half] for pair in pairs])):
                    target = self.at("%room_a", self.mul(self.add(i, 16 * half + r), _ROW_A))
                    self.say(f"store {_PAIRS} {line}, ptr {self.at(target, self.mul(p, 2))}, align 64")

        self.loop("0", self.add("%m", 31), lambda i: self.loop("0", padded, lambda p: block(i, p), 32), 32)

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

    def _round_row(self, i):
        """A row of sums, plus E, as bfloat16: to nearest, halves to even; NaN stays NaN."""
        sums, c = self.at(self.sums_at, self.mul(i, _ROW_C)), self.at("%c", self.mul(i, self.w["row_c"]))
        e = self.at("%e", self.mul(i, self.w["row_e"]))
        given = self.do("icmp ne ptr %e, null")
        place = self.slot(self.v)

        def part(j):
            mask, = self._masks(self.sub("%n", j), 1)
            value = self.load(self.at(sums, self.mul(j, 4)))
            self.say(f"store {self.v} {value}, ptr {place}")
            self.when(given, lambda: self._add_row(self.at(e, self.mul(j, 2)), mask, value, place))
            rounded = self._rounded(self.do(f"load {self.v}, ptr {place}"))
            self.say(f"call void @llvm.masked.store.v16i16.p0(<16 x i16> {rounded}, ptr {self.at(c, self.mul(j, 2))}, "
                     f"i32 2, <16 x i1> {mask})")  # fmt: skip

        self.loop("0", self.add("%n", 15), part, 16)

    def _add_row(self, at, mask, value, place):
        read = "@llvm.masked.load.v16i16.p0"
        bits = self.do(f"call <16 x i16> {read}(ptr {at}, i32 2, <16 x i1> {mask}, <16 x i16> zeroinitializer)")
        wide = self.do(f"zext <16 x i16> {bits} to <16 x i32>")
        wide = self.do(f"shl <16 x i32> {wide}, splat (i32 16)")
        wide = self.do(f"bitcast <16 x i32> {wide} to {self.v}")
        self.say(f"store {self.v} {self.do(f'fadd {self.v} {value}, {wide}')}, ptr {place}")

    def _rounded(self, value):
        bits = self.do(f"bitcast {self.v} {value} to <16 x i32>")
        odd = self.do(f"and <16 x i32> {self.do(f'lshr <16 x i32> {bits}, splat (i32 16)')}, splat (i32 1)")
        up = self.do(f"add <16 x i32> {self.do(f'add <16 x i32> {bits}, splat (i32 32767)')}, {odd}")
        nan = self.do(f"fcmp uno {self.v} {value}, {value}")
        chosen = self.do(f"select <16 x i1> {nan}, <16 x i32> splat (i32 {0x7FC00000}), <16 x i32> {up}")
        return self.do(f"trunc <16 x i32> {self.do(f'lshr <16 x i32> {chosen}, splat (i32 16)')} to <16 x i16>")


def text(triple: str, amx: bool) -> str:
    """The functions for bfloat16, on a CPU with AVX512-BF16, or with AMX."""
    return "\n".join([rooms(ROOM), Half(triple, amx).text()])


def may_use_amx() -> bool:
    """Ask Linux for the tile registers: programs that do not ask may not use them."""
    if sys.platform != "linux":
        return False
    request, data_of_tiles, arch_prctl = 0x1023, 18, 158
    return ctypes.CDLL(None).syscall(arch_prctl, request, data_of_tiles) == 0
