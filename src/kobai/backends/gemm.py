"""Matrix products as machine code: C = alpha A B + beta E, in tiles that threads share.

    void abc_float(ptr block, i64 begin, i64 end)     the block holds addresses of A, B, C, then `WORDS`
    void abec_float(ptr block, i64 begin, i64 end)    of A, B, E, C; and so on for each of `ORDERS`

compute the tiles ``begin`` to ``end`` of C (`kobai.backends.blas` makes the block).  A tile is the work of one thread;
sums depend on the shape only: any number of threads gives the same bits.  Within a tile the scheme is the usual
one [1]: a stretch of the inner dimension at a time, *slivers* of B, two vector registers wide, are brought into rows
that follow each other; a block of A into *panels* of as many rows as sums fit in registers; and a micro kernel multiplies
a panel with a sliver: the panel stays in the first cache while all slivers of the tile pass.  B need not be copied where
its rows are contiguous and few rows of A meet them, or some more if they begin at cache lines; A need not be where it
meets few columns and its rows do not compete for places in the cache.

[1] K. Goto, R. van de Geijn: Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from __future__ import annotations

from kobai.backends import slots
from kobai.backends.gemm_cut import UNLESS_ALIGNED
from kobai.backends.gemm_micro import Shape, shape_for
from kobai.backends.gemm_pack import MOST_COLS, MOST_DEPTH
from kobai.backends.gemm_thin import Thin

WORDS = (
    "m", "n", "k",
    "row_a", "col_a", "row_b", "col_b",      # strides in bytes; those of columns of C and E are one element
    "row_c", "row_e",
    "alpha", "beta",                         # float64
    "rows", "cols", "depth",                 # of a tile; of the inner dimension in one go
    "across", "tiles",                       # tiles in a row of tiles, in a matrix
    "inner",                                 # the batch has two dimensions: the size of the second,
    "outer_a", "outer_b", "outer_c", "outer_e",
    "inner_a", "inner_b", "inner_c", "inner_e",
    "copy_a", "copy_b",                      # whether to copy A; to copy B where that can be avoided: 0, 1, `UNLESS_ALIGNED`
    "way",                                   # `BLOCKS`, `DOTS` or `THIN`
)  # fmt: skip
BLOCKS, DOTS, THIN = 0, 1, 2  # as above; sums along rows of A and columns of B, all contiguous; few rows, B read once
ORDERS = ("abc", "bac", "abec", "baec")
AT = {name: i for i, name in enumerate(WORDS)}
BLOCK = 112  # rows of A that are copied at once: some panels, as pieces of cache lines are read where columns are contiguous
_PAD = 64


class Gemm(Thin):
    """Writes the functions of one element type, ``float`` or ``double``."""

    def __init__(self, t: str, shape: Shape):
        super().__init__(t, shape)
        self.room_a = ROOM_A  # bytes for copies of A

    def text(self) -> str:
        """All functions; those named by `ORDERS` and the type are what to call."""
        self._micro_packed()
        for wide in range(1, self.shape.wide + 1):
            for rows in self.shape.rows_of(wide):
                self._micro(rows, wide)
            self._strip(wide)
            self._strip_packed(wide)
        self._dots()
        self._thin()
        self._turn("turn", self.shape.width * self.size, self.lanes)
        self._pack_b()
        self._pack_a()
        self._tile()
        self._entries()
        return "\n".join(self.lines)

    # --- tiles

    def _tile(self):
        """One tile: ``m`` x ``n`` at ``a``, ``b``, ``c``, ``e``, with two pieces of memory to copy to."""
        names = ("row_a", "col_a", "row_b", "col_b", "row_c", "row_e", "k", "depth", "copy_a", "copy_b")

        def body():
            self.w = {name: self.word("%words", AT[name]) for name in names}
            for name in ("alpha", "beta"):
                number = self.word("%words", AT[name], "double")
                self.w[name] = number if self.t == "double" else self.do(f"fptrunc double {number} to float")
            way = self.word("%words", AT["way"])
            self.when(self.test("eq", way, DOTS), self._as_dots, lambda: self.when(
                self.test("eq", way, THIN), self._as_thin, self._stretches))  # fmt: skip

        self.function(
            f"internal void @tile_{self.kind}(ptr %words, i64 %m, i64 %n, ptr %a, ptr %b, ptr %c, ptr %e, "
            "ptr %room_a, ptr %room_b)",
            body,
        )

    def _as_dots(self):
        w = self.w
        self.say(
            f"call void @dots_{self.t}(i64 %m, i64 %n, i64 {w['k']}, ptr %a, i64 {w['row_a']}, ptr %b, i64 {w['col_b']}, "
            f"ptr %c, i64 {w['row_c']}, ptr %e, i64 {w['row_e']}, {self.t} {w['alpha']}, {self.t} {w['beta']})"
        )

    def _as_thin(self):
        w = self.w
        self.say(
            f"call void @thin_{self.t}(i64 %m, i64 %n, i64 {w['k']}, ptr %a, i64 {w['row_a']}, i64 {w['col_a']}, ptr %b, "
            f"i64 {w['row_b']}, ptr %c, i64 {w['row_c']}, ptr %e, i64 {w['row_e']}, {self.t} {w['alpha']}, {self.t} {w['beta']})"
        )

    def _stretches(self, stretch=None):
        stretch = stretch or self._stretch
        self.loop("0", self.w["k"], stretch, self.w["depth"])
        rest = self.do(f"srem i64 {self.w['k']}, {self.w['depth']}")
        start = self.sub(self.w["k"], rest)
        self.when(self.test("sgt", rest, 0), lambda: stretch(start, rest))

    def _stretch(self, start, depth=None):
        """The part of the sums from ``start``; after the first, C itself is added."""
        w = self.w
        depth = depth or w["depth"]
        first = self.test("eq", start, 0)
        e, row_e = self.pick(first, "%e", "%c", "ptr"), self.pick(first, w["row_e"], w["row_c"])
        beta = self.pick(first, w["beta"], "1.0", self.t)
        a, b = self.at("%a", self.mul(start, w["col_a"])), self.at("%b", self.mul(start, w["row_b"]))
        width = self.shape.width
        full = self.mul(self.do(f"sdiv i64 %n, {width}"), width)
        plain = self.test("eq", w["col_b"], self.size)
        lines = self.do(f"or i64 {self.do(f'ptrtoint ptr {b} to i64')}, {w['row_b']}")
        aligned = self.pick(self.test("eq", self.do(f"and i64 {lines}, 63"), 0), UNLESS_ALIGNED, "0")
        as_it_is = self.do(f"or i1 {self.test('eq', w['copy_b'], 0)}, {self.test('eq', w['copy_b'], aligned)}")
        direct = self.do(f"and i1 {plain}, {as_it_is}")
        # Rows of B may be read where they are, but for the last, narrow sliver.
        first = self.pick(direct, full, "0")
        self.when(
            self.test("slt", first, "%n"),
            lambda: self.say(
                f"call void @pack_b_{self.t}(ptr {self._room(first)}, ptr {self.at(b, self.mul(first, w['col_b']))}, "
                f"i64 {depth}, i64 {self.sub('%n', first)}, i64 {w['row_b']}, i64 {w['col_b']})"
            ),
        )
        self.stretch = (depth, b, e, row_e, beta, direct, full)
        self.when(self.test("ne", w["copy_a"], 0), lambda: self._blocks(a), lambda: self._slivers("%m", a, "0", False))

    def _blocks(self, a):
        """Some rows at a time, copied."""

        def block(i, m):
            self.say(
                f"call void @pack_a_{self.t}(ptr %room_a, ptr {self.at(a, self.mul(i, self.w['row_a']))}, i64 {m}, "
                f"i64 {self.stretch[0]}, i64 {self.w['row_a']}, i64 {self.w['col_a']})"
            )
            self._slivers(m, "%room_a", i, True)

        most = self.shape.rows[0]
        count = self.do(f"udiv i64 {self.add('%m', BLOCK // most * most - 1)}, {BLOCK // most * most}")  # of about equal size
        panels = self.do(f"udiv i64 {self.add('%m', self.sub(self.mul(count, most), 1))}, {self.mul(count, most)}")
        step = self.mul(panels, most)
        self.loop("0", self.add("%m", self.sub(step, 1)), lambda i: block(i, self.smaller(self.sub("%m", i), step)), step)

    def _slivers(self, m, a, i, packed: bool):
        """All slivers times ``m`` rows of A, which are those from row ``i`` of the tile.

        A panel that was copied stays in the first cache while all slivers pass, from the second; rows of A that were not
        copied are read anew for each sliver.
        """
        full, depth = self.stretch[-1], self.stretch[0]
        left = self.sub("%n", full)

        def all_of(m, a, i):
            self.loop("0", full, lambda j: self._sliver(m, a, i, packed, j, self.shape.width), self.shape.width)
            self.when(self.test("sgt", left, 0), lambda: self._sliver(m, a, i, packed, full, left))

        def panel(r):
            at = self.at(a, self.mul(self.mul(r, depth), self.size))
            all_of(self.smaller(self.sub(m, r), most), at, self.add(i, r))

        most = self.shape.rows[0]
        if packed:
            self.loop("0", self.add(m, most - 1), panel, most)
        else:
            all_of(m, a, i)

    def _room(self, j):
        """Where the copy of the sliver that begins with column ``j`` is."""
        return self.at("%room_b", self.mul(j, MOST_DEPTH * self.size))

    def _sliver(self, m, a, i, packed: bool, j, cols):
        w, (depth, b, e, row_e, beta, direct, _) = self.w, self.stretch
        b, rb, row = self.at(b, self.mul(j, w["col_b"])), w["row_b"], self.shape.width * self.size
        if cols == self.shape.width:
            b, rb = self.pick(direct, b, self._room(j), "ptr"), self.pick(direct, rb, row)
        else:
            b, rb = self._room(j), row
        column = self.mul(j, self.size)
        c = self.at("%c", self.add(self.mul(i, w["row_c"]), column))
        empty = self.do(f"icmp eq ptr {e}, null")
        e = self.pick(empty, "null", self.at(e, self.add(self.mul(i, row_e), column)), "ptr")
        name, rows = ("packed", f"ptr {a}") if packed else ("strip", f"ptr {a}, i64 {w['row_a']}, i64 {w['col_a']}")

        def strip(wide):
            self.say(
                f"call void @{name}_{self.t}_{wide}(i64 {m}, i64 {depth}, {rows}, "
                f"ptr {b}, i64 {rb}, ptr {c}, i64 {w['row_c']}, ptr {e}, i64 {row_e}, "
                f"{self.t} {w['alpha']}, {self.t} {beta}, i64 {cols})"
            )

        if cols == self.shape.width:
            return strip(self.shape.wide)
        self.when(self.test("sle", cols, self.lanes), lambda: strip(1), lambda: strip(self.shape.wide))

    def _entries(self):
        """The functions named by `ORDERS`, and what they all do."""
        self.function(
            f"internal void @run_{self.kind}(ptr %words, i64 %begin, i64 %end, ptr %a, ptr %b, ptr %c, ptr %e)", self._run
        )
        for operands in ORDERS:
            self.function(
                f"void @{operands}_{self.kind}(ptr %block, i64 %begin, i64 %end)",
                lambda operands=operands: self._begin(operands),
            )

    def _begin(self, operands: str):
        given = {x: self.word("%block", i, "ptr") for i, x in enumerate(operands)}
        pointers = ", ".join(f"ptr {given.get(x, 'null')}" for x in "abce")
        words = self.at("%block", 8 * len(operands))
        self.say(f"call void @run_{self.kind}(ptr {words}, i64 %begin, i64 %end, {pointers})")

    def _run(self):
        """The tiles ``begin`` to ``end``, counted through all matrices of the batch."""
        w = {name: self.word("%words", i) for name, i in AT.items() if name not in ("alpha", "beta")}
        number = self.do("call i64 @take()")
        room = self.do(f"call ptr @room(i64 {number})")
        room_b = self.at(room, self.room_a)
        self.loop("%begin", "%end", lambda i: self._place(i, w, room, room_b))
        self.say(f"call void @give(i64 {number})")

    def _place(self, i, w, room, room_b):
        matrix, tile = self._split(i, w["tiles"])
        down, across = self._split(tile, w["across"])
        outer, inner = self._split(matrix, w["inner"])
        i0, j0 = self.mul(down, w["rows"]), self.mul(across, w["cols"])
        m, n = self.smaller(w["rows"], self.sub(w["m"], i0)), self.smaller(w["cols"], self.sub(w["n"], j0))
        shift = self.mul(j0, self.stored)
        within = {"a": self.mul(i0, w["row_a"]), "b": self.mul(j0, w["col_b"]),
                  "c": self.add(self.mul(i0, w["row_c"]), shift), "e": self.add(self.mul(i0, w["row_e"]), shift)}  # fmt: skip
        at = {}
        for x, offset in within.items():
            of_matrix = self.add(self.mul(outer, w["outer_" + x]), self.mul(inner, w["inner_" + x]))
            at[x] = self.at("%" + x, self.add(of_matrix, offset))
        e = self.pick(self.do("icmp eq ptr %e, null"), "null", at["e"], "ptr")
        self.say(
            f"call void @tile_{self.kind}(ptr %words, i64 {m}, i64 {n}, ptr {at['a']}, ptr {at['b']}, ptr {at['c']}, ptr {e}, "
            f"ptr {room}, ptr {room_b})"
        )


# Bytes for copies of A and B, whatever the type.
ROOM_A = (BLOCK + 16) * MOST_DEPTH * 8
ROOM = ROOM_A + MOST_DEPTH * (MOST_COLS + 64) * 8 + 4096

def rooms(size: int) -> str:
    """Memory for copies: taken by whoever multiplies, made when first taken, kept for the next."""
    return f"""{slots.TEXT}
define internal ptr @room(i64 %i) nounwind {{
  %at = getelementptr ptr, ptr @rooms, i64 %i
  %old = load ptr, ptr %at
  %none = icmp eq ptr %old, null
  br i1 %none, label %make, label %have
make:
  %raw = call ptr @malloc(i64 {size})
  %number = ptrtoint ptr %raw to i64
  %up = add i64 %number, 4095
  %page = and i64 %up, -4096
  %new = inttoptr i64 %page to ptr
  store ptr %new, ptr %at
  ret ptr %new
have:
  ret ptr %old
}}
"""


def text(t: str, vector_bytes: int, triple: str) -> str:
    """The functions for one type, on a CPU."""
    size = {"float": 4, "double": 8}[t]
    return "\n".join([rooms(ROOM), Gemm(t, shape_for(size, vector_bytes, triple)).text()])
