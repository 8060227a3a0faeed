"""Matrix products as machine code: C = alpha A B + beta E, in tiles that threads share.

    void abc_float(ptr block, i64 begin, i64 end)     the block holds addresses of A, B, C, then `WORDS`
    void abec_float(ptr block, i64 begin, i64 end)    of A, B, E, C; and so on for each of `ORDERS`

compute the tiles ``begin`` to ``end`` of C (`kobai.backends.blas` makes the block).  A tile is the work of one thread,
its borders depend on the shape only, and so do the sums: any number of threads gives the same bits.  Within a tile
the scheme is the usual one [1]: a stretch of the inner dimension at a time, *slivers* of B, two vector registers wide,
are brought into rows that follow each other, and a micro kernel multiplies a sliver with up to twelve rows of A, the
sums in registers.  B need not be copied where its rows are contiguous and few rows of A meet them; A is copied where
its rows lie so far apart that they would compete for places in the cache.

[1] K. Goto, R. van de Geijn: Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from __future__ import annotations

from kobai.backends.gemm_micro import Micro, shape_for

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
    "copy_a", "copy_b",                      # whether to copy A; to copy B where that can be avoided
    "dots",                                  # whether to sum along rows of A and columns of B, all contiguous
)  # fmt: skip
ORDERS = ("abc", "bac", "abec", "baec")
AT = {name: i for i, name in enumerate(WORDS)}
MOST_ROWS, MOST_COLS, MOST_DEPTH = 480, 512, 384  # of a tile; of a stretch
SLOTS = 64  # threads that may multiply at once; more wait
_PAD = 64


class Gemm(Micro):
    """Writes the functions of one element type, ``float`` or ``double``."""

    def text(self) -> str:
        """All functions; those named by `ORDERS` and the type are what to call."""
        for wide in range(1, self.shape.wide + 1):
            for rows in self.shape.rows:
                self._micro(rows, wide)
            self._strip(wide)
        self._dots()
        self._turn()
        self._pack_b()
        self._pack_a()
        self._tile()
        self._entries()
        return "\n".join(self.lines)

    # --- copies

    def _pack_b(self):
        """``n`` columns of B, ``k`` long, as slivers one after the other; what stands beyond ``n`` is never used."""
        self.function(
            f"void @pack_b_{self.t}(ptr %to, ptr %b, i64 %k, i64 %n, i64 %rb, i64 %cb)",
            lambda: self.when(
                self.test("eq", "%cb", self.size),
                self._pack_rows,
                lambda: self.when(self.test("eq", "%rb", self.size), self._pack_columns, self._pack_any),
            ),
        )

    def _pack_rows(self):
        """Where rows of B are contiguous, each is read to its end before the next: pages change less often."""
        full = self.mul(self.do(f"sdiv i64 %n, {self.shape.width}"), self.shape.width)
        left = self.sub("%n", full)
        masks = self._masks(left, self.shape.wide)

        def some(p, j, masks):
            source = self.at(self.at("%b", self.mul(p, "%rb")), self.mul(j, self.size))
            target = self._packed(p, j)
            for i, mask in enumerate(masks):
                step = i * self.lanes * self.size
                self.say(f"store {self.v} {self.load(self.at(source, step), mask)}, ptr {self.at(target, step)}, align 64")

        def row(p):
            self.loop("0", full, lambda j: some(p, j, [None] * self.shape.wide), self.shape.width)
            self.when(self.test("sgt", left, 0), lambda: some(p, full, masks))

        self.loop("0", "%k", row)

    def _packed(self, p, j):
        """Where row ``p`` of the sliver that begins with column ``j`` goes."""
        return self.at("%to", self.mul(self.add(self.mul(j, MOST_DEPTH), self.mul(p, self.shape.width)), self.size))

    def _pack_columns(self):
        """Where columns of B are contiguous: lanes x lanes at a time."""
        n, last = self.lanes, self.sub("%n", 1)

        def block(j, p, part):
            source = self.at(self.at("%b", self.mul(j, "%cb")), self.mul(p, self.size))
            target = self.at(self._packed(p, self.sub(j, part)), part * self.size)
            self.say(
                f"call void @turn_{self.t}(ptr {target}, ptr {source}, i64 {self.sub(last, j)}, i64 {self.sub('%k', p)}, i64 %cb)"
            )

        def sliver(j):
            for part in range(0, self.shape.width, n):
                start = self.add(j, part)
                self.when(
                    self.test("sle", start, last),
                    lambda part=part, start=start: self.loop(
                        "0", self.add("%k", n - 1), lambda p: block(start, p, part), n
                    ),
                )

        self.loop("0", self.add("%n", self.shape.width - 1), sliver, self.shape.width)

    def _turn(self):
        """A square of B, transposed in registers: of columns up to ``last``, and the first ``left`` of their elements."""
        width = self.shape.width * self.size

        def body():
            mask = self._masks("%left", 1)[0]
            # Columns past the last are read from the last: they only must be readable.
            columns = [self.smaller(i, "%last") for i in range(self.lanes)]
            square = [self.load(self.at("%b", self.mul(c, "%cb")), mask) for c in columns]
            for i, row in enumerate(self._transposed(square)):
                self.say(f"store {self.v} {row}, ptr {self.at('%to', i * width)}, align {self.size}")

        self.function(f"internal void @turn_{self.t}(ptr %to, ptr %b, i64 %last, i64 %left, i64 %cb)", body)

    def _transposed(self, square):
        """A square of registers, rows and columns exchanged: blocks of 1, 2, 4, ... lanes change places."""
        n, d = self.lanes, 1
        while d < n:
            for i in [i for i in range(n) if not i & d]:
                a, b = square[i], square[i + d]
                upper = [x if not x & d else n + x - d for x in range(n)]
                lower = [x + d if not x & d else n + x for x in range(n)]
                square[i], square[i + d] = self._shuffled(a, b, upper), self._shuffled(a, b, lower)
            d *= 2
        return square

    def _shuffled(self, a, b, lanes):
        places = ", ".join(f"i32 {x}" for x in lanes)
        return self.do(f"shufflevector {self.v} {a}, {self.v} {b}, <{self.lanes} x i32> <{places}>")

    def _pack_any(self):
        def one(p, j):
            value = self.do(f"load {self.t}, ptr {self.at(self.at('%b', self.mul(p, '%rb')), self.mul(j, '%cb'))}")
            within = self.do(f"srem i64 {j}, {self.shape.width}")
            place = self.at(self._packed(p, self.sub(j, within)), self.mul(within, self.size))
            self.say(f"store {self.t} {value}, ptr {place}")

        self.loop("0", "%k", lambda p: self.loop("0", "%n", lambda j: one(p, j)))

    def _pack_a(self):
        """``m`` rows of A, ``k`` long, with what is contiguous in A contiguous in the copy."""

        def line(i, stride, to, length):
            self.say(
                f"call void @llvm.memcpy.p0.p0.i64(ptr {self.at('%to', self.mul(i, to))}, "
                f"ptr {self.at('%a', self.mul(i, stride))}, i64 {self.mul(length, self.size)}, i1 false)"
            )

        def one(i, p):
            value = self.do(f"load {self.t}, ptr {self.at(self.at('%a', self.mul(i, '%ra')), self.mul(p, '%ca'))}")
            place = self.at(self.at("%to", self.mul(i, "%tr")), self.mul(p, "%tc"))
            self.say(f"store {self.t} {value}, ptr {place}")

        def body():
            by_rows, by_columns = self.test("eq", "%ca", self.size), self.test("eq", "%ra", self.size)
            self.when(
                by_rows,
                lambda: self.loop("0", "%m", lambda i: line(i, "%ra", "%tr", "%k")),
                lambda: self.when(
                    by_columns,
                    lambda: self.loop("0", "%k", lambda p: line(p, "%ca", "%tc", "%m")),
                    lambda: self.loop("0", "%m", lambda i: self.loop("0", "%k", lambda p: one(i, p))),
                ),
            )

        self.function(
            f"internal void @pack_a_{self.t}(ptr %to, ptr %a, i64 %m, i64 %k, i64 %ra, i64 %ca, i64 %tr, i64 %tc)",
            body,
        )

    # --- tiles

    def _tile(self):
        """One tile: ``m`` x ``n`` at ``a``, ``b``, ``c``, ``e``, with two pieces of memory to copy to."""
        names = ("row_a", "col_a", "row_b", "col_b", "row_c", "row_e", "k", "depth", "copy_a", "copy_b")

        def body():
            self.w = {name: self.word("%words", AT[name]) for name in names}
            for name in ("alpha", "beta"):
                number = self.word("%words", AT[name], "double")
                self.w[name] = number if self.t == "double" else self.do(f"fptrunc double {number} to float")
            self.when(self.test("ne", self.word("%words", AT["dots"]), 0), self._as_dots, self._stretches)

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

    def _stretches(self):
        self.loop("0", self.w["k"], self._stretch, self.w["depth"])
        rest = self.do(f"srem i64 {self.w['k']}, {self.w['depth']}")
        start = self.sub(self.w["k"], rest)
        self.when(self.test("sgt", rest, 0), lambda: self._stretch(start, rest))

    def _stretch(self, start, depth=None):
        """The part of the sums from ``start``; after the first, C itself is added."""
        w = self.w
        depth = depth or w["depth"]
        first = self.test("eq", start, 0)
        e, row_e = self.pick(first, "%e", "%c", "ptr"), self.pick(first, w["row_e"], w["row_c"])
        beta = self.pick(first, w["beta"], "1.0", self.t)
        a, b = self.at("%a", self.mul(start, w["col_a"])), self.at("%b", self.mul(start, w["row_b"]))
        copy, size = self.test("ne", w["copy_a"], 0), self.size
        by_columns = self.test("eq", w["row_a"], size)
        row = self.pick(by_columns, size, MOST_DEPTH * size + _PAD)
        col = self.pick(by_columns, MOST_ROWS * size + _PAD, size)
        self.when(
            copy,
            lambda: self.say(
                f"call void @pack_a_{self.t}(ptr %room_a, ptr {a}, i64 %m, i64 {depth}, "
                f"i64 {w['row_a']}, i64 {w['col_a']}, i64 {row}, i64 {col})"
            ),
        )
        a = self.pick(copy, "%room_a", a, "ptr")
        ra, ca = self.pick(copy, row, w["row_a"]), self.pick(copy, col, w["col_a"])
        width = self.shape.width
        full = self.mul(self.do(f"sdiv i64 %n, {width}"), width)
        left = self.sub("%n", full)
        plain = self.test("eq", w["col_b"], size)
        direct = self.do(f"and i1 {plain}, {self.test('eq', w['copy_b'], 0)}")
        # Rows of B may be read where they are, but for the last, narrow sliver.
        first = self.pick(direct, full, "0")
        self.when(
            self.test("slt", first, "%n"),
            lambda: self.say(
                f"call void @pack_b_{self.t}(ptr {self._room(first)}, ptr {self.at(b, self.mul(first, w['col_b']))}, "
                f"i64 {depth}, i64 {self.sub('%n', first)}, i64 {w['row_b']}, i64 {w['col_b']})"
            ),
        )
        self.stretch = (depth, a, ra, ca, b, e, row_e, beta, direct)
        self.loop("0", full, lambda j: self._sliver(j, width), width)
        self.when(self.test("sgt", left, 0), lambda: self._sliver(full, left))

    def _room(self, j):
        """Where the copy of the sliver that begins with column ``j`` is."""
        return self.at("%room_b", self.mul(j, MOST_DEPTH * self.size))

    def _sliver(self, j, cols):
        w, (depth, a, ra, ca, b, e, row_e, beta, direct) = self.w, self.stretch
        b, rb, packed = self.at(b, self.mul(j, w["col_b"])), w["row_b"], self.shape.width * self.size
        if cols == self.shape.width:
            b, rb = self.pick(direct, b, self._room(j), "ptr"), self.pick(direct, rb, packed)
        else:
            b, rb = self._room(j), packed
        c = self.at("%c", self.mul(j, self.size))
        empty = self.do(f"icmp eq ptr {e}, null")
        e = self.pick(empty, "null", self.at(e, self.mul(j, self.size)), "ptr")

        def strip(wide):
            self.say(
                f"call void @strip_{self.t}_{wide}(i64 %m, i64 {depth}, ptr {a}, i64 {ra}, i64 {ca}, "
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
        room_b = self.at(room, ROOM_A)
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

    def _split(self, i, n):
        """Quotient and remainder."""
        q = self.do(f"sdiv i64 {i}, {n}")
        return q, self.sub(i, self.mul(q, n))


# Bytes for copies of A and B, whatever the type.
ROOM_A = max(MOST_ROWS * (MOST_DEPTH * 8 + _PAD), MOST_DEPTH * (MOST_ROWS * 8 + _PAD))
ROOM = ROOM_A + MOST_DEPTH * (MOST_COLS + 64) * 8 + 4096

def rooms(size: int) -> str:
    """Memory for copies: taken by whoever multiplies, made when first taken, kept for the next."""
    return f"""
@rooms = internal global [{SLOTS} x ptr] zeroinitializer, align 64
@taken = internal global [{SLOTS} x i32] zeroinitializer, align 64
declare ptr @malloc(i64)

define internal i64 @take() nounwind {{
entry:
  br label %look
look:
  %i = phi i64 [0, %entry], [%next, %other]
  %at = getelementptr i32, ptr @taken, i64 %i
  %pair = cmpxchg ptr %at, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{i32, i1}} %pair, 1
  br i1 %mine, label %have, label %other
other:
  %more = add i64 %i, 1
  %next = urem i64 %more, {SLOTS}
  br label %look
have:
  ret i64 %i
}}

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

define internal void @give(i64 %i) nounwind {{
  %at = getelementptr i32, ptr @taken, i64 %i
  store atomic i32 0, ptr %at seq_cst, align 4
  ret void
}}
"""


def text(t: str, vector_bytes: int, triple: str) -> str:
    """The functions for one type, on a CPU."""
    size = {"float": 4, "double": 8}[t]
    return "\n".join([rooms(ROOM), Gemm(t, shape_for(size, vector_bytes, triple)).text()])
