"""The innermost loops of matrix products, in LLVM: `Micro`, a writer with a processor's registers in mind."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from kobai.backends.llvm_flow import Flow

MOST_DEPTH = 576  # rows of a sliver of B: those of the next begin so many further on
_STEPS = 4  # of the inner dimension in a round
_AHEAD = 1536  # bytes of a sliver of B from what is read to what is asked for
_ROWS_AHEAD = 8  # the same in rows, where B was not copied


class Shape(NamedTuple):
    """What a micro kernel may use: lanes of a register, its rows (largest first), registers across."""

    lanes: int
    rows: tuple[int, ...]
    wide: int
    fused: bool  # multiply-add in one instruction
    rows_of_two: int = 0  # of the micro kernel for two slivers at once; 0: there is none

    def rows_of(self, wide: int) -> tuple[int, ...]:
        """The rows of micro kernels for slivers of so many registers: fewer for narrow ones, which are rare."""
        return self.rows if wide > 1 else tuple([r for r in self.rows if r == self.rows[0] or not r & r - 1])

    @property
    def width(self) -> int:
        """Columns of a sliver."""
        return self.lanes * self.wide


def shape_for(size: int, vector_bytes: int, triple: str) -> Shape:
    """The micro kernels for elements of some bytes on a CPU: as many sums as its registers hold."""
    many = vector_bytes == 64 or "x86" not in triple
    rows = (14, 8, 7, 6, 5, 4, 3, 2, 1) if many else (6, 5, 4, 3, 2, 1)
    return Shape(vector_bytes // size, rows, 2, vector_bytes > 16 or "x86" not in triple)


def shape_of_products(size: int, vector_bytes: int, triple: str) -> Shape:
    """The same for products, in which most panels meet two slivers at once where registers hold their sums.

    It takes as many multiplications but a quarter fewer loads: who shares a core with another program is a tenth faster.
    """
    shape = shape_for(size, vector_bytes, triple)
    return shape if shape.rows[0] < 12 else shape._replace(rows=(12, 8, 6, 4, 3, 2, 1), rows_of_two=6)


class Micro(Flow):
    """Writes what multiplies small blocks of elements of one type, ``float`` or ``double``."""

    def __init__(self, t: str, shape: Shape):
        super().__init__()
        self.t, self.size, self.shape = t, {"float": 4, "double": 8}[t], shape
        self.kind, self.stored = t, self.size  # of elements in memory
        self.lanes = shape.lanes
        self.v = f"<{self.lanes} x {t}>"
        self.suffix = f"v{self.lanes}f{8 * self.size}"

    def _keep(self, place, value, t: str | None = None):
        """A register into memory, at an address that is a multiple of its size."""
        self.say(f"store {t or self.v} {value}, ptr {place}")

    def _put(self, value, place, mask):
        """The lanes of a register that ``mask`` names into memory."""
        self.say(f"call void @llvm.masked.store.{self.suffix}.p0({self.v} {value}, ptr {place}, i32 {self.size}, "
                 f"<{self.lanes} x i1> {mask})")

    # --- a block of C: some rows of A times one sliver of B

    def _micro(self, rows: int, wide: int):
        """Sums of ``rows`` x ``wide`` registers in one loop over the inner dimension."""
        t = self.t
        self.function(
            f"internal void @micro_{t}_{rows}x{wide}(i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, "
            f"ptr %c, i64 %rc, ptr %e, i64 %re, {t} %alpha, {t} %beta, i64 %cols)",
            lambda: self._micro_body(rows, wide),
        )

    def _micros_in_rounds(self):
        """The largest block where rows, or columns, of A are contiguous.

        Some keep a copy of what they read of B; the others meanwhile ask for what others will read, two lines a round: at
        ``next`` and ``rn`` bytes further on, ``sn`` bytes later in the next round.
        """
        t, shape = self.t, self.shape
        kinds = [("", shape.rows[0], shape.wide, False), ("_kept", shape.rows[0], shape.wide, True)]
        if shape.rows_of_two:
            kinds.append(("_two", shape.rows_of_two, 2 * shape.wide, False))
        for name, sums in (("rows", self._sums_by_rows), ("columns", self._sums_by_columns)):
            for kind, rows, wide, keeps in kinds:
                b = "ptr %b, i64 %rb, ptr %to" if keeps else "ptr %b, i64 %rb, ptr %next, i64 %rn, i64 %sn"
                self.function(
                    f"internal void @micro_{t}_{name}{kind}(i64 %k, ptr %a, i64 %step, {b}, "
                    f"ptr %c, i64 %rc, ptr %e, i64 %re, {t} %alpha, {t} %beta, i64 %cols)",
                    lambda sums=sums, rows=rows, wide=wide, keeps=keeps: self._micro_body(rows, wide, partial(sums, keeps)),
                )

    def _sums_by_rows(self, keeps: bool, rows: int, wide: int):
        """Rows of A, %step bytes apart, are reached from every third row, so that few addresses are kept."""
        self._ask_for_c(rows, wide)
        starts = [self.at("%a", self.mul("%step", r)) for r in range(0, rows, 3)]
        within = ("0", "%step", self.mul("%step", 2))
        reach = lambda places, s, r: self.at(self.at(places[r // 3], within[r % 3]), s * self.size)  # noqa: E731
        return self._in_rounds(rows, wide, keeps, starts, reach, lambda steps: steps * self.size)

    def _sums_by_columns(self, keeps: bool, rows: int, wide: int):
        """Columns of A are %step bytes apart."""
        self._ask_for_c(rows, wide)
        skipped = ["0", "%step", *[self.mul("%step", s) for s in range(2, _STEPS + 1)]]
        reach = lambda places, s, r: self.at(self.at(places[0], skipped[s]), r * self.size)  # noqa: E731
        return self._in_rounds(rows, wide, keeps, ["%a"], reach, skipped.__getitem__)

    def _in_rounds(self, rows: int, wide: int, keeps: bool, starts, reach, moved):
        """Rounds of four steps, and single ones for what is left.

        ``reach(places, s, r)`` is where row r of A is in step s of a round, ``moved(s)`` how far the places move in s steps.
        """
        many = self.do(f"and i64 %k, {-_STEPS}")
        zeros = [["zeroinitializer"] * wide for _ in range(rows)]
        first = ["0", "%b", "%to" if keeps else "%next", *starts]
        places, sums = self._rounds("%entry", first, many, zeros, keeps, _STEPS, reach, moved)
        return self._rounds("%" + self.last, places, "%k", sums, keeps, 1, reach, moved)[1]

    def _rounds(self, before: str, start, stop: str, given, keeps: bool, steps: int, reach, moved):
        """Rounds of ``steps`` from (step, place in B, in its copy or what to ask for, places in A) on: (then, sums)."""
        v, (head, body, done) = self.v, [self.fresh(n) for n in ("head", "round", "over")]
        self.say(f"br label %{head}")
        self.label(head)
        names, following = [["%" + self.fresh() for _ in start] for _ in range(2)]
        for i, (name, then, first) in enumerate(zip(names, following, start)):
            self.say(f"{name} = phi {'ptr' if i else 'i64'} [{first}, {before}], [{then}, %{body}]")
        sums, totals = [[["%" + self.fresh() for _ in line] for line in given] for _ in range(2)]
        for name, then, first in [z for line in zip(sums, totals, given) for z in zip(*line)]:
            self.say(f"{name} = phi {v} [{first}, {before}], [{then}, %{body}]")
        self.say(f"br i1 {self.test('slt', names[0], stop)}, label %{body}, label %{done}")
        self.label(body)
        # LLVM, if it saw how places in A follow from each other, would keep each row's address in memory.
        i, b, to, *a = [*names[:3], *[self.do(f'call ptr asm "", "=r,0"(ptr {x})') for x in names[3:]]]
        if not keeps:
            for place in (to, self.at(to, "%rn")):
                self._near(place, 2)
        self._steps(a, b, to if keeps else None, sums, totals, steps, reach)
        self.say(f"{following[0]} = add i64 {i}, {steps}")
        row = self.shape.width * self.size
        moves = ["%rb" if steps == 1 else self.mul("%rb", steps), row * steps if keeps else "%sn", *[moved(steps)] * len(a)]
        for then, place, by in zip(following[1:], [b, to, *a], moves):
            self.say(f"{then} = getelementptr i8, ptr {place}, i64 {by}")
        self.say(f"br label %{head}")
        self.label(done)
        self.last = done
        return names, sums

    def _steps(self, a, b: str, to: str | None, sums, totals, steps: int, reach):
        """``steps`` steps of the inner dimension, after which the sums are the totals; B goes to ``to``."""
        bytes_, wide, step = self.lanes * self.size, self.shape.wide, self.shape.width * self.size
        slivers = range(0, len(sums[0]) // wide * step * MOST_DEPTH, step * MOST_DEPTH)
        for s in range(steps):
            row = self.at(b, "0" if s == 0 else "%rb" if s == 1 else self.mul("%rb", s))
            far = self.at(row, _AHEAD if to is None else self.mul("%rb", _ROWS_AHEAD))
            for line in [sliver + line for sliver in slivers for line in range(0, step, 64)]:
                self._near(self.at(far, line), 3)
                if to is not None:  # the next sliver, from the third cache into the second
                    self._near(self.at(row, step + line), 2)
            columns = [self.load(self.at(row, sliver + j * bytes_)) for sliver in slivers for j in range(wide)]
            for j, column in enumerate(columns if to else []):
                self._keep(self.at(to, s * step + j * bytes_), column)
            later = totals if s == steps - 1 else [["%" + self.fresh() for _ in line] for line in sums]
            for r, line in enumerate(sums):
                x = self.splat_of(self.do(f"load {self.t}, ptr {reach(a, s, r)}, align {self.size}"))
                for name, old, column in zip(later[r], line, columns):
                    self._fma_to(name, x, column, old)
            sums = later

    def _near(self, place, level: int):
        """Bring a line that will be read to the first cache (3) or the second (2)."""
        self.say(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 {level}, i32 1)")

    def _ask_for_c(self, rows: int, wide: int):
        """Bring the block of C near, while its sums are made."""
        for place in [place for line in self._addresses("%c", "%rc", rows, wide) for place in line]:
            self.say(f"call void @llvm.prefetch.p0(ptr {place}, i32 1, i32 3, i32 1)")

    def _micro_body(self, rows: int, wide: int, make_sums=None):
        sums = (make_sums or self._sums)(rows, wide)
        alpha = self.splat_of("%alpha")
        masks = self._masks("%cols", wide)
        plain, more, done = self.fresh("plain"), self.fresh("more"), self.fresh("done")
        empty = self.do("icmp eq ptr %e, null")
        scaled = [[self.do(f"fmul {self.v} {s}, {alpha}") for s in row] for row in sums]
        self.say(f"br i1 {empty}, label %{plain}, label %{more}")
        self.label(plain)
        self._store(scaled, masks, "%c", "%rc")
        self.say(f"br label %{done}")
        self.label(more)
        beta, old = self.splat_of("%beta"), self._addresses("%e", "%re", rows, wide)
        total = [
            [self.fma(beta, self.load(at, m), s) for at, m, s in zip(*line)]
            for line in zip(old, [masks] * rows, scaled)
        ]
        self._store(total, masks, "%c", "%rc")
        self.say(f"br label %{done}")
        self.label(done)

    def _sums(self, rows: int, wide: int):
        """The loop. Rows of A are reached from every third row, so that few addresses are kept.

        What is asked for is further on in the sliver, if it was copied, or of the next one, which is far.
        """
        v, head, body, done = self.v, self.fresh("start"), self.fresh("loop"), self.fresh("end")
        firsts = range(0, rows, 3)
        twice = self.mul("%ra", 2)
        self._ask_for_c(rows, wide)
        ahead = self.pick(self.test("eq", "%rb", self.shape.width * self.size), _AHEAD, wide * self.lanes * self.size)
        start = [self.do(f'call ptr asm "", "=r,0"(ptr {self.at("%a", self.mul("%ra", r))})') for r in firsts]
        self.say(f"br label %{head}")
        self.label(head)
        self.say(f"br label %{body}")
        self.label(body)
        i, i1, b, b1 = ["%" + self.fresh() for _ in range(4)]
        self.say(f"{i} = phi i64 [0, %{head}], [{i1}, %{body}]")
        self.say(f"{b} = phi ptr [%b, %{head}], [{b1}, %{body}]")
        a = [("%" + self.fresh(), "%" + self.fresh()) for _ in firsts]
        for (here, later), first in zip(a, start):
            self.say(f"{here} = phi ptr [{first}, %{head}], [{later}, %{body}]")
        sums = [[("%" + self.fresh(), "%" + self.fresh()) for _ in range(wide)] for _ in range(rows)]
        for old, new in [pair for row in sums for pair in row]:
            self.say(f"{old} = phi {v} [zeroinitializer, %{head}], [{new}, %{body}]")
        a = [(self.do(f'call ptr asm "", "=r,0"(ptr {here})'), later) for here, later in a]
        columns = [self.load(self.at(b, j * self.lanes * self.size)) for j in range(wide)]
        for place in range(0, wide * self.lanes * self.size, 64):
            self._near(self.at(b, self.add(ahead, place)), 3)
        for r in range(rows):
            base = a[r // 3][0]
            address = self.at(base, ("0", "%ra", twice)[r % 3])
            x = self.splat_of(self.do(f"load {self.t}, ptr {address}, align {self.size}"))
            for (old, new), column in zip(sums[r], columns):
                self._fma_to(new, x, column, old)
        for here, later in a:
            self.say(f"{later} = getelementptr i8, ptr {here}, i64 %ca")
        self.say(f"{b1} = getelementptr i8, ptr {b}, i64 %rb")
        self.say(f"{i1} = add i64 {i}, 1")
        self.say(f"br i1 {self.test('slt', i1, '%k')}, label %{body}, label %{done}")
        self.label(done)
        return [[new for _, new in row] for row in sums]

    def _fma_to(self, name: str, a, b, c):
        if self.shape.fused:
            self.say(f"{name} = call {self.v} @llvm.fma.{self.suffix}({self.v} {a}, {self.v} {b}, {self.v} {c})")
        else:
            self.say(f"{name} = fadd {self.v} {self.do(f'fmul {self.v} {a}, {b}')}, {c}")

    def fma(self, a, b, c) -> str:
        """a * b + c"""
        name = "%" + self.fresh()
        self._fma_to(name, a, b, c)
        return name

    def splat_of(self, value: str) -> str:
        """A scalar in all lanes."""
        return self.splat(value, {"float": "f32", "double": "f64"}[self.t], self.lanes)

    def load(self, address: str, mask: str | None = None) -> str:
        """A register from memory; lanes that the mask leaves out are not touched."""
        if mask is None:
            return self.do(f"load {self.v}, ptr {address}, align {self.size}")
        return self.do(
            f"call {self.v} @llvm.masked.load.{self.suffix}.p0(ptr {address}, i32 {self.size}, "
            f"<{self.lanes} x i1> {mask}, {self.v} zeroinitializer)"
        )

    def _masks(self, cols: str, wide: int) -> list[str]:
        """The lanes of each of ``wide`` registers that are among the first ``cols``."""
        n = self.lanes
        limit = self.splat(self.do(f"trunc i64 {cols} to i32"), "i32", n)
        return [
            self.do(f"icmp sgt <{n} x i32> {limit}, <{', '.join(f'i32 {j * n + i}' for i in range(n))}>")
            for j in range(wide)
        ]

    def _addresses(self, base: str, stride: str, rows: int, wide: int):
        lines = [self.at(base, self.mul(stride, r)) for r in range(rows)]
        return [[self.at(line, j * self.lanes * self.size) for j in range(wide)] for line in lines]

    def _store(self, values, masks, base: str, stride: str):
        addresses = self._addresses(base, stride, len(values), len(values[0]))
        for row, places in zip(values, addresses):
            for value, place, mask in zip(row, places, masks):
                self.say(
                    f"call void @llvm.masked.store.{self.suffix}.p0({self.v} {value}, ptr {place}, "
                    f"i32 {self.size}, <{self.lanes} x i1> {mask})"
                )

    def _strip(self, wide: int):
        """All rows of a tile times one sliver."""
        t = self.t

        def rows_of(count):
            def one(i):
                a, c = self.at("%a", self.mul(i, "%ra")), self.at("%c", self.mul(i, "%rc"))
                e = self.pick(empty, "null", self.at("%e", self.mul(i, "%re")), "ptr")
                rest = f"ptr %b, i64 %rb, ptr {c}, i64 %rc, ptr {e}, i64 %re, {t} %alpha, {t} %beta, i64 %cols)"
                near = rest.replace("ptr %b, i64 %rb", f"ptr %b, i64 %rb, ptr {a}, i64 0, i64 0")

                def general():
                    self.say(f"call void @micro_{t}_{count}x{wide}(i64 %k, ptr {a}, i64 %ra, i64 %ca, {rest}")

                if (count, wide) != (self.shape.rows[0], self.shape.wide):
                    return general()
                self.when(self.test("eq", "%ca", self.size),
                          lambda: self.say(f"call void @micro_{t}_rows(i64 %k, ptr {a}, i64 %ra, {near}"), general)  # fmt: skip

            return one

        def body():
            nonlocal empty
            empty, done = self.do("icmp eq ptr %e, null"), "0"
            for count in self.shape.rows_of(wide):
                done = self.loop(done, "%m", rows_of(count), count)

        empty = ""
        self.function(
            f"void @strip_{t}_{wide}(i64 %m, i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, "
            f"ptr %c, i64 %rc, ptr %e, i64 %re, {t} %alpha, {t} %beta, i64 %cols)",
            body,
        )

    # --- few rows of A, columns of B contiguous: nothing is copied, each element of C is a sum along both

    def _dots(self):
        """All of ``m`` x ``n`` elements, two rows and four columns at a time."""

        def block(i, j, rows, cols):
            def step(p, mask, sums):
                at = self.mul(p, self.size)
                left = [self.load(self.at(self.at(a, at), self.mul("%ra", r)), mask) for r in range(rows)]
                right = [self.load(self.at(self.at(b, at), self.mul("%cb", c)), mask) for c in range(cols)]
                for slot, x, y in [(sums[r][c], left[r], right[c]) for r in range(rows) for c in range(cols)]:
                    total = self.fma(x, y, self.do(f"load {self.v}, ptr {slot}"))
                    self.say(f"store {self.v} {total}, ptr {slot}")

            a, b = self.at("%a", self.mul(i, "%ra")), self.at("%b", self.mul(j, "%cb"))
            sums = [[self.slot(self.v) for _ in range(cols)] for _ in range(rows)]
            for slot in [slot for row in sums for slot in row]:
                self.say(f"store {self.v} zeroinitializer, ptr {slot}")
            padded = self.add("%k", self.lanes - 1)
            self.loop("0", padded, lambda p: step(p, self._masks(self.sub("%k", p), 1)[0], sums), self.lanes)
            for r, c in [(r, c) for r in range(rows) for c in range(cols)]:
                self._finish_dot(self.add(i, r), self.add(j, c), sums[r][c])

        def columns(i, rows):
            done = self.loop("0", "%n", lambda j: block(i, j, rows, 4), 4)
            self.loop(done, "%n", lambda j: block(i, j, rows, 1))

        def body():
            done = self.loop("0", "%m", lambda i: columns(i, 2), 2)
            self.loop(done, "%m", lambda i: columns(i, 1))

        t = self.t
        self.function(
            f"internal void @dots_{t}(i64 %m, i64 %n, i64 %k, ptr %a, i64 %ra, ptr %b, i64 %cb, "
            f"ptr %c, i64 %rc, ptr %e, i64 %re, {t} %alpha, {t} %beta)",
            body,
        )

    def _finish_dot(self, i, j, slot):
        total = self.across("sum", {"float": "f32", "double": "f64"}[self.t], self.lanes, self.do(f"load {self.v}, ptr {slot}"))
        total = self.do(f"fmul {self.t} {total}, %alpha")
        result, shift = self.slot(self.t), self.mul(j, self.size)
        self.say(f"store {self.t} {total}, ptr {result}")

        def more():
            old = self.do(f"load {self.t}, ptr {self.at(self.at('%e', self.mul(i, '%re')), shift)}")
            scaled = self.do(f"fmul {self.t} {old}, %beta")
            self.say(f"store {self.t} {self.do(f'fadd {self.t} {total}, {scaled}')}, ptr {result}")

        self.when(self.do("icmp ne ptr %e, null"), more)
        place = self.at(self.at("%c", self.mul(i, "%rc")), shift)
        self.say(f"store {self.t} {self.do(f'load {self.t}, ptr {result}')}, ptr {place}")
