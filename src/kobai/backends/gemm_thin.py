"""Products of one to four rows with a matrix whose rows are contiguous, which is read once, where it is.

It comes from memory or from a far cache: so as much of each row is read at once as there are registers for the sums, not
two registers of it, whose next row often lies in another page and in the same few places of the cache.
"""

from __future__ import annotations

from kobai.backends.gemm_pack import Pack

MOST = 4  # rows
LEAST = 1 << 16  # bytes of B: less lies in the first cache
_CLASSES = {1: 8, 2: 8, 4: 4}  # rows that there are functions for: registers across
_AHEAD = 8  # rows of B that are asked for before they are read


def columns(m: int, lanes: int) -> int:
    """How many columns go together with ``m`` rows."""
    return lanes * next(wide for rows, wide in _CLASSES.items() if rows >= m)


class Thin(Pack):
    """Writes `thin`, one tile of such a product."""

    def _thin(self):
        t = self.t
        arguments = (f"(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, ptr %c, i64 %rc, ptr %e, i64 %re, "
                     f"{t} %alpha, {t} %beta)")  # fmt: skip
        for rows in _CLASSES:
            self.function(f"internal void @thin_{t}_{rows}{arguments}", lambda rows=rows: self._thin_rows(rows))

        def choose(classes):
            rows, *more = classes
            if not more:
                return self.say(f"call void @thin_{t}_{rows}{arguments}")
            self.when(self.test("sle", "%m", rows), lambda: choose([rows]), lambda: choose(more))

        self.function(f"internal void @thin_{t}{arguments}", lambda: choose([*_CLASSES]))

    def _thin_rows(self, rows: int):
        """All columns; rows from ``m`` on are the last once more, and not kept."""
        last = self.sub("%m", 1)
        left = [self.at("%a", self.mul("%ra", self.smaller(r, last))) for r in range(rows)]
        wide, step = _CLASSES[rows], _CLASSES[rows] * self.lanes
        done = self.loop("0", "%n", lambda j: self._thin_columns(left, j, [None] * wide), step)
        self.when(self.test("slt", done, "%n"),
                  lambda: self._thin_columns(left, done, self._masks(self.sub("%n", done), wide)))  # fmt: skip

    def _thin_columns(self, left, j, masks):
        """As many registers of each row as there are masks, from column ``j`` on."""
        wide = len(masks)
        sums = [[self.slot(self.v) for _ in range(wide)] for _ in left]
        shift = self.mul(j, self.size)
        for slot in [slot for row in sums for slot in row]:
            self.say(f"store {self.v} zeroinitializer, ptr {slot}")

        def step(p):
            row = self.at(self.at("%b", shift), self.mul(p, "%rb"))
            ahead, at = self.at(row, self.mul("%rb", _AHEAD)), self.mul(p, "%ca")
            for line in range(0, wide * self.lanes * self.size, 64):
                self.say(f"call void @llvm.prefetch.p0(ptr {self.at(ahead, line)}, i32 0, i32 3, i32 1)")
            numbers = [self.splat_of(self.do(f"load {self.t}, ptr {self.at(a, at)}")) for a in left]
            for w, piece in enumerate([self.load(self.at(row, w * self.lanes * self.size), mask) for w, mask in enumerate(masks)]):
                for number, slots in zip(numbers, sums):
                    total = self.fma(number, piece, self.do(f"load {self.v}, ptr {slots[w]}"))
                    self.say(f"store {self.v} {total}, ptr {slots[w]}")

        self.loop("0", "%k", step)
        for r, slots in enumerate(sums):
            self.when(self.test("slt", r, "%m"), lambda r=r, slots=slots: self._keep_thin(r, shift, slots, masks))

    def _keep_thin(self, r, shift, slots, masks):
        """A row of sums, scaled, and a row of E if there is one, into C."""
        alpha, beta = self.splat_of("%alpha"), self.splat_of("%beta")
        c, e = self.at(self.at("%c", self.mul(r, "%rc")), shift), self.at(self.at("%e", self.mul(r, "%re")), shift)
        places = range(0, len(slots) * self.lanes * self.size, self.lanes * self.size)
        values = [self.do(f"fmul {self.v} {self.do(f'load {self.v}, ptr {slot}')}, {alpha}") for slot in slots]

        def keep(values):
            for place, value, mask in zip(places, values, masks):
                if mask is None:
                    self.say(f"store {self.v} {value}, ptr {self.at(c, place)}, align {self.size}")
                else:
                    self._put(value, self.at(c, place), mask)

        self.when(self.do("icmp eq ptr %e, null"), lambda: keep(values), lambda: keep(
            [self.fma(beta, self.load(self.at(e, place), mask), value) for place, value, mask in zip(places, values, masks)]))
