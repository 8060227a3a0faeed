"""Matrix products as machine code: C = alpha A B + beta E, in tiles that threads share.

    void abc_float(ptr block, i64 begin, i64 end)     the block holds addresses of A, B, C, then `WORDS`
    void abec_float(ptr block, i64 begin, i64 end)    of A, B, E, C; and so on for each of `ORDERS`

compute the tiles ``begin`` to ``end`` of C (`kobai.backends.blas` makes the block).  A tile is the work of one thread;
sums depend on the shape only: any number of threads gives the same bits.  Within a tile the scheme is the usual
one [1]: a stretch of the inner dimension at a time, a micro kernel multiplies a *panel* of A, as many rows as sums fit in
registers, with a *sliver* of B, two vector registers wide.  All slivers of the tile pass a panel, then the next; by
twos where half a panel's sums with two of them fit in registers, too, as that takes fewer loads.  The first panel
leaves slivers behind as rows that follow each other: the micro kernel stores what it reads of B, which costs nothing
beside its multiplications; where columns of B are contiguous, squares are transposed before.  A is read where it is if
its rows are contiguous; it is copied, row by row, if they compete for places in the cache.  Where its columns are, and
many slivers meet them, a block of it is brought into panels.

[1] K. Goto, R. van de Geijn: Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from __future__ import annotations

from kobai.backends import slots
from kobai.backends.gemm_cut import PANELS, ROWS
from kobai.backends.gemm_micro import MOST_DEPTH, Shape, shape_of_products
from kobai.backends.gemm_pack import MOST_COLS, ROW
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
    "copy_a",                                # how to copy A: `AS_IT_IS`, `PANELS`, `ROWS`
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
        self._micros_in_rounds()
        for wide in range(1, self.shape.wide + 1):
            for rows in self.shape.rows_of(wide):
                self._micro(rows, wide)
            self._strip(wide)
        self._dots()
        self._thin()
        self._turn("turn", self.shape.width * self.size, self.lanes)
        self._pack_b()
        self._pack_a()
        self._copy_rows()
        self._panels_of_a()
        self._tile()
        self._entries()
        return "\n".join(self.lines)

    # --- tiles

    def _tile(self):
        """One tile: ``m`` x ``n`` at ``a``, ``b``, ``c``, ``e``, with two pieces of memory to copy to."""
        names = ("row_a", "col_a", "row_b", "col_b", "row_c", "row_e", "k", "depth", "copy_a")

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
        self.stretch = (depth, b, e, row_e, beta)
        as_rows, strides = self.test("eq", w["copy_a"], ROWS), (w["row_a"], w["col_a"])
        ahead = self.at(a, self.mul(w["row_a"], self.shape.rows[0])), w["row_a"], 4 * self.size
        self.when(self.test("eq", w["copy_a"], PANELS), lambda: self._blocks(a),
                  lambda: self._panels("%m", a, "0", w["row_a"], strides, ahead, as_rows))  # fmt: skip

    def _blocks(self, a):
        """Some rows at a time, copied."""
        w = self.w

        def block(i, m):
            self.say(
                f"call void @pack_a_{self.t}(ptr %room_a, ptr {self.at(a, self.mul(i, w['row_a']))}, i64 {m}, "
                f"i64 {self.stretch[0]}, i64 {w['row_a']}, i64 {w['col_a']})"
            )
            ahead = self.at(a, self.mul(self.add(i, step), w["row_a"])), w["col_a"], self.mul(w["col_a"], 4)
            self._panels(m, "%room_a", i, self.mul(self.stretch[0], self.size), (self.size, most * self.size), ahead)

        most = self.shape.rows[0]
        count = self.do(f"udiv i64 {self.add('%m', BLOCK // most * most - 1)}, {BLOCK // most * most}")  # of about equal size
        panels = self.do(f"udiv i64 {self.add('%m', self.sub(self.mul(count, most), 1))}, {self.mul(count, most)}")
        step = self.mul(panels, most)
        self.loop("0", self.add("%m", self.sub(step, 1)), lambda i: block(i, self.smaller(self.sub("%m", i), step)), step)

    def _panels(self, m, a, i0, row, strides, ahead, copied="false"):
        """``m`` rows of A, which are those from row ``i0`` of the tile, times all of B.

        Panels begin ``row`` bytes for each row apart, and have the strides ``strides``; ``copied``: copy the rows of each.
        ``ahead``: where what is asked for meanwhile begins, as arguments of the micro kernels.
        """
        w, (depth, b, e, row_e, beta), most = self.w, self.stretch, self.shape.rows[0]
        empty = self.do(f"icmp eq ptr {e}, null")

        def some(i, count, first):
            here = self.add(i0, i)
            c, old = self.at("%c", self.mul(here, w["row_c"])), self.at(e, self.mul(here, row_e))
            place = self.at(a, self.mul(i, row))
            self.when(copied, lambda: self.say(
                f"call void @copy_rows_{self.t}(ptr %room_a, ptr {place}, i64 {count}, i64 {depth}, i64 {row})"))  # fmt: skip
            following = self.at(ahead[0], self.mul(i, w["row_a"]))
            place, step = self.pick(copied, "%room_a", place, "ptr"), self.pick(copied, ROW * self.size, strides[0])
            self.say(
                f"call void @panels_{self.t}(ptr %words, i64 {count}, i64 %n, i64 {depth}, "
                f"ptr {place}, i64 {step}, i64 {strides[1]}, i64 {self.pick(copied, ROW * self.size, row)}, "
                f"ptr {following}, i64 {ahead[1]}, i64 {ahead[2]}, ptr {b}, ptr {c}, "
                f"ptr {self.pick(empty, 'null', old, 'ptr')}, i64 {row_e}, {self.t} {w['alpha']}, {self.t} {beta}, "
                f"i1 {first}, i1 {self.test('sgt', '%m', most)}, ptr %room_b)"
            )

        head = self.pick(self.test("eq", i0, 0), self.smaller(m, BLOCK // most * most), "0")
        self.when(self.test("sgt", head, 0), lambda: some("0", head, "true"))
        self.loop(head, self.add(m, most - 1), lambda i: some(i, self.smaller(self.sub(m, i), most), "false"), most)

    # --- some panels, up to as many rows of A each as the largest micro kernel has, times all slivers of B

    def _panels_of_a(self):
        """The first panel (of those ``first``) brings B into slivers; if there are more (``again``) these read it from there.

        Where rows of B are contiguous, the micro kernel copies what it reads. While the other panels pass, what the next
        sliver is made of comes near; afterwards, the next panel's rows.
        """
        t, width = self.t, self.shape.width

        def body():
            w = self.w = {name: self.word("%words", AT[name]) for name in ("row_b", "col_b", "row_c")}
            plain, by_rows, by_columns = [self.test("eq", x, self.size) for x in (w["col_b"], "%ca", "%ra")]
            lines = self.do(f"or i1 {by_rows}, {by_columns}")
            once = self.do("xor i1 %again, 1")
            direct = self.do(f"and i1 {self.do(f'and i1 {plain}, %first')}, {self.do(f'or i1 {lines}, {once}')}")
            copied = self.do(f"and i1 %first, {self.do(f'xor i1 {direct}, 1')}")
            self.how = plain, by_rows, lines, direct
            self.ahead = self._ahead_of(plain)
            full, done = self.mul(self.do(f"sdiv i64 %n, {width}"), width), "0"
            if self.shape.rows_of_two:  # of what is not read again only one sliver is kept at a time
                two = self.pick("%again", self.mul(self.do(f"sdiv i64 %n, {2 * width}"), 2 * width), "0")
                done = self.loop("0", two, lambda j: self._two_slivers(j, copied), 2 * width)
            self.loop(done, full, lambda j: self._sliver(j, copied), width)
            left = self.sub("%n", full)
            self.when(self.test("sgt", left, 0), lambda: self._narrow_sliver(full, left))

        self.function(
            f"internal void @panels_{t}(ptr %words, i64 %m, i64 %n, i64 %depth, ptr %a, i64 %ra, i64 %ca, i64 %row, ptr %next, "
            f"i64 %rn, i64 %sn, ptr %b, ptr %c, ptr %e, i64 %re, {t} %alpha, {t} %beta, i1 %first, i1 %again, ptr %room_b)",
            body,
        )

    def _ahead_of(self, plain):
        """Bytes between what two panels ask for, between the two places that a round asks for, and to those of the next.

        Of B, four panels ask for every fourth row, both lines of it, or for all of its columns if these follow each other.
        """
        w = self.w
        panel = self.pick(plain, w["row_b"], self.mul(w["col_b"], 4))
        second, step = self.pick(plain, 64, self.mul(w["col_b"], 16)), self.pick(plain, self.mul(w["row_b"], 4), 64)
        return [self.pick("%first", x, y) for x, y in ((panel, "0"), (second, "%rn"), (step, "%sn"))]

    def _sliver(self, j, copied):
        b, ahead, most = self._copied(j, copied), self._ahead(j, 1, "0"), self.shape.rows[0]
        self.loop("0", self.add("%m", most - 1), lambda r: self._micro_of(r, j, b, ahead), most)

    def _two_slivers(self, j, copied):
        """Two slivers times all panels, some rows of a panel at a time; but for the panel that brings them into slivers."""
        both = [j, self.add(j, self.shape.width)]
        places, some = [self._copied(x, copied) for x in both], self.shape.rows_of_two
        direct = self.how[3]
        self.when(direct, lambda: [self._micro_of("0", x, b, b) for x, b in zip(both, places)])
        self.loop(self.pick(direct, self.smaller("%m", self.shape.rows[0]), "0"), self.add("%m", some - 1),
                  lambda r: self._micro_of_two(r, both), some)  # fmt: skip

    def _copied(self, j, copied):
        """Where the columns of B from ``j`` on are; now they have been ``copied``, if that is not left to the first panel."""
        b = self.at("%b", self.mul(j, self.w["col_b"]))
        self.when(copied, lambda: self._copy_b(self._room(j), b, self.shape.width))
        return b

    def _ahead(self, j, slivers: int, part):
        """What is to be asked for: parts of the columns of B that follow ``slivers`` slivers from ``j`` on; or two rows of the next
        panel, others by each ``part`` of a panel."""
        columns = self.shape.width * slivers
        following = self.at("%b", self.mul(self.add(j, columns), self.w["col_b"]))
        rows = self.mul(self.add(self.do(f"sdiv i64 {j}, {self.shape.width}"), part), 2)
        rows = self.smaller(rows, self.shape.rows[0] - 2)
        return self.pick("%first", following, self.at("%next", self.mul(rows, "%rn")), "ptr")

    def _micro_of_two(self, r, both):
        """Some rows, from row ``r`` on, times the slivers from two columns on."""
        most, some, t = self.shape.rows[0], self.shape.rows_of_two, self.t
        count, within = self.smaller(self.sub("%m", r), some), self.do(f"urem i64 {r}, {most}")
        place = self.at(self.at("%a", self.mul(self.sub(r, within), "%row")), self.mul(within, "%ra"))
        row, room = self.shape.width * self.size, self._room(both[0])
        call = self.do(f"udiv i64 {r}, {some}")  # four calls ask for one sliver, four for the other
        half = self.do(f"and i64 {self.do(f'udiv i64 {call}, 4')}, 1")
        sliver = self.pick("%first", self.mul(self.mul(half, self.w["col_b"]), self.shape.width), "0")
        ahead = self._ahead(both[0], 2, self.do(f"udiv i64 {within}, {some}"))
        near = self._asked_by(call, self.at(ahead, sliver))

        def micro(kind, step):
            self.say(f"call void @micro_{t}_{kind}_two(i64 %depth, ptr {place}, i64 {step}, ptr {room}, i64 {row}, {near}, "
                     f"{self._rest(r, both[0], 2 * self.shape.width)})")

        def strips():
            for j in both:
                self._strip_of(self.shape.wide, count, place, self._room(j), row, self._rest(r, j, self.shape.width))

        self._in_lines(self.test("eq", count, some), micro, strips)

    def _asked_by(self, call, ahead):
        """What a micro kernel is told of what to ask for: another part in each of four calls."""
        turn = self.mul(self.do(f"and i64 {call}, 3"), self.ahead[0])
        return f"ptr {self.at(ahead, turn)}, i64 {self.ahead[1]}, i64 {self.ahead[2]}"

    def _in_lines(self, full, micro, otherwise):
        """``micro(kind, step)`` where the rows are as many as it has and contiguous, or columns are; else ``otherwise()``."""
        _, by_rows, lines, _ = self.how
        self.when(self.do(f"and i1 {lines}, {full}"),
                  lambda: self.when(by_rows, lambda: micro("rows", "%ra"), lambda: micro("columns", "%ca")), otherwise)

    def _micro_of(self, r, j, b, ahead):
        """The panel from row ``r`` on times the sliver from column ``j`` on."""
        direct, most, room = self.how[3], self.shape.rows[0], self._room(j)
        direct, count = self.do(f"and i1 {direct}, {self.test('eq', r, 0)}"), self.smaller(self.sub("%m", r), most)
        place, row, rest = self.at("%a", self.mul(r, "%row")), self.shape.width * self.size, self._rest(r, j, self.shape.width)
        near = self._asked_by(self.do(f"udiv i64 {r}, {most}"), ahead)

        def micro(kind, step):
            head = f"call void @micro_{self.t}_{kind}"
            self.when(
                direct,
                lambda: self.say(
                    f"{head}_kept(i64 %depth, ptr {place}, i64 {step}, ptr {b}, i64 {self.w['row_b']}, ptr {room}, {rest})"),
                lambda: self.say(f"{head}(i64 %depth, ptr {place}, i64 {step}, ptr {room}, i64 {row}, {near}, {rest})"),
            )

        def strip():
            from_, step = self.pick(direct, b, room, "ptr"), self.pick(direct, self.w["row_b"], row)
            self._strip_of(self.shape.wide, count, place, from_, step, rest)

        self._in_lines(self.test("eq", count, most), micro, strip)

    def _narrow_sliver(self, j, cols):
        """The last columns: they are always copied, as what lies behind them may not be read."""
        most, room, row = self.shape.rows[0], self._room(j), self.shape.width * self.size
        self.when("%first", lambda: self._copy_b(room, self.at("%b", self.mul(j, self.w["col_b"])), cols))

        def panel(r):
            count, place, rest = self.smaller(self.sub("%m", r), most), self.at("%a", self.mul(r, "%row")), self._rest(r, j, cols)
            self.when(self.test("sle", cols, self.lanes), lambda: self._strip_of(1, count, place, room, row, rest),
                      lambda: self._strip_of(self.shape.wide, count, place, room, row, rest))  # fmt: skip

        self.loop("0", self.add("%m", most - 1), panel, most)

    def _strip_of(self, wide: int, m, a, b, row, rest: str):
        self.say(f"call void @strip_{self.t}_{wide}(i64 {m}, i64 %depth, ptr {a}, i64 %ra, i64 %ca, ptr {b}, i64 {row}, {rest})")

    def _copy_b(self, room, b, cols):
        strides = f"i64 {self.w['row_b']}, i64 {self.w['col_b']}"
        self.say(f"call void @pack_b_{self.t}(ptr {room}, ptr {b}, i64 %depth, i64 {cols}, {strides})")

    def _room(self, j):
        """Where the copy of the sliver that begins with column ``j`` is; that of all if none is read again."""
        return self.at("%room_b", self.mul(self.pick("%again", j, "0"), MOST_DEPTH * self.size))

    def _rest(self, r, j, cols) -> str:
        """What micro kernels are told of C and E, from row ``r`` and column ``j`` on."""
        column = self.mul(j, self.size)
        c, e = [self.at(x, self.add(self.mul(r, step), column)) for x, step in (("%c", self.w["row_c"]), ("%e", "%re"))]
        e = self.pick(self.do("icmp eq ptr %e, null"), "null", e, "ptr")
        return f"ptr {c}, i64 {self.w['row_c']}, ptr {e}, i64 %re, {self.t} %alpha, {self.t} %beta, i64 {cols}"

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
    return "\n".join([rooms(ROOM), Gemm(t, shape_of_products(size, vector_bytes, triple)).text()])
