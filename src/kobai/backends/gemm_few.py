"""Products of a few rows of bfloat16 with a matrix, which is read once, where it is.

What `kobai.backends.gemm_half` does for many rows, to bring B into pairs and into the order of the tile registers, takes a
hundred times as long as multiplying it by one row.  Here pairs are made in registers as rows of B come by, so many columns
at once as there are registers for the sums; or, where columns of B are contiguous, each sum runs along one of them.
"""

from __future__ import annotations

from kobai.backends.gemm import Gemm

MOST = 8  # rows
_CLASSES = (1, 2, 4, 8)  # rows that there are functions for
_AHEAD = 8  # rows of B that are asked for before they are read
_NUMBERS = "<32 x i16>"


def columns(m: int) -> int:
    """How many columns go together with ``m`` rows: as many sums as sixteen registers hold."""
    return 32 * (MOST // next(rows for rows in _CLASSES if rows >= m))


class Few(Gemm):
    """Writes such functions: of the copy of A at ``a``, whose rows are ``row_a`` bytes apart and end in zeros."""

    row_a, row_c = 0, 0  # bytes from row to row of the copy of A, and of the sums

    def _few(self):
        head = "(i64 %n, i64 %k, ptr %a, ptr %b, i64 %step, ptr %c, i1 %first)"
        for rows in _CLASSES:
            self.function(f"internal void @few_{rows}{head}", lambda rows=rows: self._by_rows(rows))
            self.function(f"internal void @dots_{rows}{head}", lambda rows=rows: self._by_columns(rows))

    def _call_few(self, depth, b, first, by_rows):
        """The stretch of ``depth`` from row ``b`` on of all columns of the tile, whose sums follow."""
        def of(rows):
            def call(name, step):
                self.say(f"call void @{name}_{rows}(i64 %n, i64 {depth}, ptr %room_a, ptr {b}, i64 {step}, "
                         f"ptr {self.sums_at}, i1 {first})")  # fmt: skip

            self.when(by_rows, lambda: call("few", self.w["row_b"]), lambda: call("dots", self.w["col_b"]))

        def choose(classes):
            rows, *more = classes
            if not more:
                return of(rows)
            self.when(self.test("sle", "%m", rows), lambda: of(rows), lambda: choose(more))

        choose(_CLASSES)

    def _zeros(self, slots):
        for slot in slots:
            self.say(f"store {self.v} zeroinitializer, ptr {slot}")

    def _more(self, slot, a, b):
        """sums += a b, of pairs."""
        total = "%" + self.fresh()
        self._fma_to(total, a, b, self.do(f"load {self.v}, ptr {slot}"))
        self.say(f"store {self.v} {total}, ptr {slot}")

    # --- rows of B are contiguous

    def _by_rows(self, rows: int):
        count = MOST // rows  # pieces of 32 columns
        sums = [[[self.slot(self.v) for _ in range(2)] for _ in range(count)] for _ in range(rows)]
        flat = [slot for row in sums for piece in row for slot in piece]

        def some(j):
            masks = [self._mask(self.do(f"call i64 @llvm.smax.i64(i64 {self.sub(left, 32 * i)}, i64 0)"))
                     for left in [self.sub("%n", j)] for i in range(count)]  # fmt: skip
            b, even = self.at("%b", self.mul(j, 2)), self.do("and i64 %k, -2")
            self._zeros(flat)
            done = self.loop("0", even, lambda p: self._pair_of(b, p, masks, sums, True), 2)
            self.when(self.test("slt", done, "%k"), lambda: self._pair_of(b, done, masks, sums, False))
            for r, row in enumerate(sums):
                for i, slot in enumerate([s for piece in row for s in piece]):
                    place = self.at("%c", self.add(self.mul(j, 4), r * self.row_c + 64 * i))
                    self._keep_sum(slot, place, self.test("slt", self.add(j, 16 * i), "%n"))

        self.loop("0", self.add("%n", 32 * count - 1), some, 32 * count)

    def _pair_of(self, b, p, masks, sums, whole: bool):
        """Two rows of B from row ``p`` on, or the last, and zeros."""
        at = self.at(b, self.mul(p, "%step"))
        ahead = self.at(at, self.mul("%step", _AHEAD))
        left = [self.at("%a", self.add(r * self.row_a, self.mul(p, 2))) for r in range(len(sums))]
        numbers = [self.splat_of(self.do(f"load float, ptr {place}, align 2")) for place in left]
        for i, mask in enumerate(masks):
            for row in (ahead, self.at(ahead, "%step"))[: 1 + whole]:
                self._ask_for(self.at(row, 64 * i))
            first = self._masked(self.at(at, 64 * i), mask)
            second = self._masked(self.at(self.at(at, "%step"), 64 * i), mask) if whole else "zeroinitializer"
            for half, pairs in enumerate(self._side_by_side(first, second)):
                for number, row in zip(numbers, sums):
                    self._more(row[i][half], number, pairs)

    def _masked(self, place, mask) -> str:
        return self.do(
            f"call {_NUMBERS} @llvm.masked.load.v32i16.p0(ptr {place}, i32 2, <32 x i1> {mask}, {_NUMBERS} zeroinitializer)"
        )

    def _keep_sum(self, slot, place, inside):
        """A register of sums into memory, added to what is there but for the first stretch."""
        value = self.do(f"load {self.v}, ptr {slot}")

        def keep():
            self.when("%first", lambda: self._keep(place, value), lambda: self._keep(
                place, self.do(f"fadd {self.v} {value}, {self.load(place)}")))  # fmt: skip

        self.when(inside, keep)

    # --- columns of B are contiguous

    def _by_columns(self, rows: int):
        most = {1: 8, 2: 8, 4: 4, 8: 2}[rows]
        done = self.loop("0", "%n", lambda j: self._some_columns(j, rows, most), most)
        self.loop(done, "%n", lambda j: self._some_columns(j, rows, 1))

    def _some_columns(self, j, rows: int, count: int):
        sums = [[self.slot(self.v) for _ in range(count)] for _ in range(rows)]
        starts = [self.at("%b", self.mul(self.add(j, c), "%step")) for c in range(count)]
        self._zeros([slot for row in sums for slot in row])

        def step(p, mask):
            at = self.mul(p, 2)
            left = [self.do(f"load {self.v}, ptr {self.at('%a', self.add(r * self.row_a, at))}, align 64") for r in range(rows)]
            for c, start in enumerate(starts):
                pairs = self.do(f"bitcast {_NUMBERS} {self._masked(self.at(start, at), mask)} to {self.v}")
                for r in range(rows):
                    self._more(sums[r][c], left[r], pairs)

        every = f"<{', '.join(['i1 1'] * 32)}>"
        done = self.loop("0", "%k", lambda p: step(p, every), 32)
        self.when(self.test("slt", done, "%k"), lambda: step(done, self._mask(self.sub("%k", done))))
        for r, row in enumerate(sums):
            for c, slot in enumerate(row):
                place = self.at("%c", self.add(self.mul(self.add(j, c), 4), r * self.row_c))
                total = self.across("sum", "f32", self.lanes, self.do(f"load {self.v}, ptr {slot}"))
                old = self.pick("%first", "0.0", self.do(f"load float, ptr {place}"), "float")
                self.say(f"store float {self.do(f'fadd float {total}, {old}')}, ptr {place}")
