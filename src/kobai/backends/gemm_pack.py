"""Copies of what matrix products multiply, in the order in which the innermost loops read it: `Pack`, in LLVM."""

from __future__ import annotations

from kobai.backends.gemm_micro import MOST_DEPTH, Micro

MOST_COLS = 512  # of a tile
ROW = MOST_DEPTH + 16  # elements from row to row of a copy: not a multiple of what makes rows compete for the same places
_AHEAD = 4  # rows of B, the next of which are asked for


class Pack(Micro):
    """Writes the functions that copy stretches of A and of B."""

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
            ahead = self.at(source, self.mul("%rb", _AHEAD))
            for i, mask in enumerate(masks):
                step = i * self.lanes * self.size
                self.say(f"store {self.v} {self.load(self.at(source, step), mask)}, ptr {self.at(target, step)}, align 64")
                self.say(f"call void @llvm.prefetch.p0(ptr {self.at(ahead, step)}, i32 0, i32 3, i32 1)")

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

    def _turn(self, name: str, step: int, kept: int):
        """A square of columns, or of rows of A, transposed in registers: of those up to ``last``, and the first ``left`` of
        their elements. The first ``kept`` go to each line, ``step`` bytes after the last."""

        def part():
            mask = self._masks("%left", 1)[0]
            # Columns past the last are read from the last: they only must be readable.
            columns = [self.smaller(i, "%last") for i in range(self.lanes)]
            square = [self.load(self.at("%b", self.mul(c, "%cb")), mask) for c in columns]
            for i, row in enumerate(self._transposed(square)):
                self._keep_lanes(row, self.at("%to", i * step), kept)

        def whole():
            for i, row in enumerate(self._turned()):
                self._keep_lanes(row, self.at("%to", i * step), kept)

        def body():
            if self.size != 4:  # of which registers have as many quarters as these have elements
                return part()
            enough = [self.test("sge", "%left", self.lanes), self.test("sge", "%last", self.lanes - 1)]
            self.when(self.do(f"and i1 {enough[0]}, {enough[1]}"), whole, part)

        self.function(f"internal void @{name}_{self.t}(ptr %to, ptr %b, i64 %last, i64 %left, i64 %cb)", body)

    def _turned(self):
        """The rows of a whole square of float32. Its columns are loaded by four elements, each four to where they belong:
        half as much then has to be moved from lane to lane."""
        n, four = self.lanes, f"<4 x {self.t}>"
        columns = [self.at("%b", self.mul("%cb", i)) for i in range(n)]
        for four_rows in range(0, n, 4):
            a, b, c, d = [
                self._beside([self.do(f"load {four}, ptr {self.at(columns[i], four_rows * 4)}, align 4") for i in range(j, n, 4)])
                for j in range(4)
            ]  # fmt: skip
            low = self._woven(a, b, (0, 4, 1, 5)), self._woven(c, d, (0, 4, 1, 5))
            high = self._woven(a, b, (2, 6, 3, 7)), self._woven(c, d, (2, 6, 3, 7))
            for pair in (low, high):
                yield self._woven(*pair, (0, 1, 4, 5))
                yield self._woven(*pair, (2, 3, 6, 7))

    def _beside(self, parts):
        """Vectors as one, twice as long after each round."""
        width = 4
        while len(parts) > 1:
            places = ", ".join(f"i32 {x}" for x in range(2 * width))
            v = f"<{width} x {self.t}>"
            parts = [
                self.do(f"shufflevector {v} {a}, {v} {b}, <{2 * width} x i32> <{places}>") for a, b in zip(parts[::2], parts[1::2])
            ]
            width *= 2
        return parts[0]

    def _woven(self, a, b, places):
        """Of each four lanes of two registers those at ``places``, 4 and more being of the second."""
        n = self.lanes
        return self._shuffled(a, b, [at + x if x < 4 else n + at + x - 4 for at in range(0, n, 4) for x in places])

    def _keep_lanes(self, value: str, place: str, lanes: int):
        """The first lanes of a register into memory."""
        if lanes == self.lanes:
            return self.say(f"store {self.v} {value}, ptr {place}, align {self.size}")
        mask = f"<{', '.join(f'i1 {int(x < lanes)}' for x in range(self.lanes))}>"
        self.say(
            f"call void @llvm.masked.store.{self.suffix}.p0({self.v} {value}, ptr {place}, i32 {self.size}, "
            f"<{self.lanes} x i1> {mask})"
        )

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

    # --- A

    def _parts(self):
        """(first row, rows) of the registers that a column of a panel fills."""
        most = self.shape.rows[0]
        return [(part, min(self.lanes, most - part)) for part in range(0, most, self.lanes)]

    def _pack_a(self):
        """``m`` rows of A, ``k`` long, as panels of as many rows as the largest micro kernel has: one column of a panel
        after the other. What stands in rows beyond ``m`` is never used."""
        most, size = self.shape.rows[0], self.size
        for kept in {kept for _, kept in self._parts()}:
            self._turn(f"turn_{kept}", most * size, kept)

        def body():
            by_rows, by_columns = self.test("eq", "%ca", size), self.test("eq", "%ra", size)
            panels = self.add("%m", most - 1)
            self.when(
                by_rows,
                lambda: self.loop("0", panels, self._rows_of_a, most),
                lambda: self.when(by_columns, self._columns_of_a, self._any_of_a),
            )

        self.function(f"internal void @pack_a_{self.t}(ptr %to, ptr %a, i64 %m, i64 %k, i64 %ra, i64 %ca)", body)

    def _panel(self, i, p):
        """Where column ``p`` of the panel that begins with row ``i`` goes."""
        elements = self.add(self.mul(i, "%k"), self.mul(p, self.shape.rows[0]))
        return self.at("%to", self.mul(elements, self.size))

    def _rows_of_a(self, i):
        """Where rows of A are contiguous: squares, each up to the next panel's place and perhaps into it, before that is made."""
        for part, kept in self._parts():
            start = self.add(i, part)
            last = self.sub(self.sub("%m", 1), start)
            source = self.at("%a", self.mul(start, "%ra"))

            def square(p, part=part, kept=kept, last=last, source=source):
                self.say(
                    f"call void @turn_{kept}_{self.t}(ptr {self.at(self._panel(i, p), part * self.size)}, "
                    f"ptr {self.at(source, self.mul(p, self.size))}, i64 {last}, i64 {self.sub('%k', p)}, i64 %ra)"
                )

            self.when(
                self.test("sge", last, 0),
                lambda square=square: self.loop("0", self.add("%k", self.lanes - 1), square, self.lanes),
            )

    def _columns_of_a(self):
        """Where columns of A are contiguous: some columns at a time, lest those of all panels compete for cache lines."""
        most, some = self.shape.rows[0], 16

        def line(i, p, inside):
            source = self.at(self.at("%a", self.mul(p, "%ca")), self.mul(i, self.size))
            for part, kept in self._parts():
                mask = None if inside else self._masks(self.smaller(self.sub(self.sub("%m", i), part), kept), 1)[0]
                value = self.load(self.at(source, part * self.size), mask)
                self._keep_lanes(value, self.at(self._panel(i, p), part * self.size), kept)

        def group(first):
            stop = self.smaller(self.add(first, some), "%k")
            columns = lambda i, inside: self.loop(first, stop, lambda p: line(i, p, inside))  # noqa: E731
            beyond = -most % self.lanes  # what is loaded with the last rows of a panel
            done = self.loop("0", self.sub("%m", beyond), lambda i: columns(i, True), most)
            self.loop(done, self.add("%m", most - 1), lambda i: columns(i, False), most)

        self.loop("0", self.add("%k", some - 1), group, some)

    def _copy_rows(self):
        """``m`` rows of A, contiguous, to places ``ROW`` elements apart."""

        def body():
            masks = self._masks(self.do(f"and i64 %k, {self.lanes - 1}"), 1)

            def part(p, i, mask):
                source = self.at(self.at("%a", self.mul(i, "%ra")), self.mul(p, self.size))
                target = self.at("%to", self.mul(self.add(self.mul(i, ROW), p), self.size))
                self._keep(target, self.load(source, mask))

            def row(i):
                done = self.loop("0", "%k", lambda p: part(p, i, None), self.lanes)
                self.when(self.test("slt", done, "%k"), lambda: part(done, i, masks[0]))

            self.loop("0", "%m", row)

        self.function(f"internal void @copy_rows_{self.t}(ptr %to, ptr %a, i64 %m, i64 %k, i64 %ra)", body)

    def _any_of_a(self):
        most = self.shape.rows[0]

        def one(i, p):
            value = self.do(f"load {self.t}, ptr {self.at(self.at('%a', self.mul(i, '%ra')), self.mul(p, '%ca'))}")
            within = self.do(f"srem i64 {i}, {most}")
            place = self.at(self._panel(self.sub(i, within), p), self.mul(within, self.size))
            self.say(f"store {self.t} {value}, ptr {place}")

        self.loop("0", "%m", lambda i: self.loop("0", "%k", lambda p: one(i, p)))
