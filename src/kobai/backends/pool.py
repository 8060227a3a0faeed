"""Pooling as machine code: the largest or the mean of windows, and the ways back.

    void max(ptr block, i64 begin, i64 end)        the planes ``begin`` to ``end``: y from x
    void max_back(ptr block, i64 begin, i64 end)   g and x: each g added to where its window is largest, else 0
    void mean(ptr block, i64 begin, i64 end)       x and one divisor for each place of a plane of y
    void mean_back(ptr block, i64 begin, i64 end)  g and the same: each g / divisor added to all of its window

There is one function for each kind of windows (`Kind`): their places are written out.  A register has results that follow
each other in a row; the elements they need for one place are read together, with a stride of 2 as every other element of
two registers, which serve the next place, too.  Of equals the first is the largest, and a NaN is larger than all before it,
as in PyTorch.  Adding up goes window by window, in order.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from kobai.backends import llvm
from kobai.backends.gemm_micro import Micro, shape_for
from kobai.compile.kernel import NoKernel

WORDS = (
    "depth", "height", "width",                          # of a plane of x
    "planes", "rows", "columns",                         # of y
    "before_d", "before_h", "before_w",                  # padding
)  # fmt: skip
_LINE = 12        # those of one row that are written out
_WORK = 1 << 15   # elements read in a chunk
_INFINITY = "0xFFF0000000000000"


class Kind(NamedTuple):
    """What code is written for: a function for windows of some sizes, all three dimensions of them.

    `inside`: no window goes beyond the border but at the end of a row.
    """

    what: str
    dtype: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    inside: bool

    @property
    def name(self) -> str:
        """The name of the function."""
        sizes = "_".join(map(str, (*self.kernel, *self.stride, *self.dilation, int(self.inside))))
        return f"{self.what}_{self.dtype}_{sizes}"

    @property
    def apart(self) -> bool:
        """Whether no element is in two windows."""
        return all(s > d * (k - 1) for k, s, d in zip(self.kernel, self.stride, self.dilation))


class Pool(Micro):
    """Writes the function of a kind."""

    def __init__(self, kind: Kind, shape):
        super().__init__({"f": "float", "d": "double"}[kind.dtype], shape)
        self.kind = kind
        self.bits, self.numbers = f"<{self.lanes} x i1>", f"<{self.lanes} x i32>"

    def text(self) -> str:
        """The function."""
        self.function(f"void @{self.kind.name}(ptr %block, i64 %begin, i64 %end)", self._all)
        return "\n".join(self.lines)

    def _all(self):
        """For each plane of x and y, and each row of y, ``lanes`` results at a time."""
        what, k = self.kind.what, self.kind
        operands = 2 if what == "max" else 3
        given = [self.word("%block", i, "ptr") for i in range(operands)]
        w = self.w = {name: self.word("%block", operands + i) for i, name in enumerate(WORDS)}
        self.row = self.mul(w["width"], self.size)
        large = self.mul(self.mul(w["depth"], w["height"]), self.row)
        small = self.mul(self.mul(self.mul(w["planes"], w["rows"]), w["columns"]), self.size)
        step = {"max": (large, small), "max_back": (small, large, large), "mean": (large, 0, small),
                "mean_back": (small, 0, large)}[what]

        def plane(i):
            self.given = [self.at(p, self.mul(i, s)) for p, s in zip(given, step)]
            if what.endswith("back"):
                self.say(f"call void @llvm.memset.p0.i64(ptr {self.given[-1]}, i8 0, i64 {large}, i1 false)")
            self.loop("0", w["planes"], lambda d: self.loop("0", w["rows"], lambda h: row(d, h)))

        def row(d, h):
            first = self.mul(self.add(self.mul(d, w["rows"]), h), w["columns"])
            corner = [self.sub(self.mul(v, s), w["before_" + x]) for v, s, x in zip((d, h), k.stride, "dh")]

            def chunk(q):
                self.left = self.sub(w["columns"], q)
                self.there = self._masks(self.left, 1)[0]
                self.place = self.mul(self.add(first, q), self.size)
                self.corner = [*corner, self.sub(self.mul(q, k.stride[2]), w["before_w"])]
                self.read: dict = {}
                getattr(self, "_" + what)()
            self.loop("0", self.add(w["columns"], self.lanes - 1), chunk, self.lanes)
        self.loop("%begin", "%end", plane)

    def _each_row(self, body):
        """``body(a, b, row)`` for the rows of a window that lie in x; `row` counts from the plane's first."""
        k = self.kind

        def line(a, b):
            d, h = self.add(self.corner[0], self._times(a, k.dilation[0])), self.add(self.corner[1], self._times(b, k.dilation[1]))
            row = self.add(self.mul(d, self.w["height"]), h)
            if k.inside:
                return body(a, b, row)
            inside = self.do(f"and i1 {self._below(d, self.w['depth'])}, {self._below(h, self.w['height'])}")
            return self.when(inside, lambda: body(a, b, row))

        if k.kernel[0] * k.kernel[1] <= _LINE:
            for a, b in [(a, b) for a in range(k.kernel[0]) for b in range(k.kernel[1])]:
                line(a, b)
                self.read = {}
        else:
            self.loop("0", k.kernel[0], lambda a: self.loop("0", k.kernel[1], lambda b: line(a, b)))

    def _each_column(self, body):
        """``body(c)`` for the places in a row of a window: numbers, or an LLVM value where they are many."""
        if self.kind.kernel[2] <= _LINE:
            for c in range(self.kind.kernel[2]):
                body(c)
        else:
            self.loop("0", self.kind.kernel[2], body)

    def _times(self, i, n):
        return i * n if isinstance(i, int) else self.mul(i, n)

    def _below(self, i, n):
        return self.do(f"icmp ult i64 {i}, {n}")

    # --- elements of a row

    def _elements(self, x, row, c, other: str):
        """The elements at place ``c`` of the windows; ``other`` for those beyond the ends of the row."""
        k, start = self.kind, self.at(x, self.mul(row, self.row))
        shift = self._times(c, k.dilation[2])
        stride = k.stride[2]
        if stride > 2 or stride == 2 and not isinstance(c, int):
            return self._gathered(start, self.add(self.corner[2], shift), other)
        if stride == 1:
            return self._part(start, self.add(self.corner[2], shift), other)
        first, odd = shift - shift % 2, shift % 2
        parts = [self._once((row, first + i * self.lanes), start, other) for i in range(2)]
        places = ", ".join(f"i32 {2 * i + odd}" for i in range(self.lanes))
        return self.do(f"shufflevector {self.v} {parts[0]}, {self.v} {parts[1]}, <{self.lanes} x i32> <{places}>")

    def _once(self, key, start, other):
        if key not in self.read:
            self.read[key] = self._part(start, self.add(self.corner[2], key[1]), other)
        return self.read[key]

    def _inside(self, column):
        """Which of the elements from a column on a row has."""
        n, width = self.lanes, self.w["width"]
        mask = self._masks(self.sub(width, column), 1)[0]
        if self.kind.inside:
            return mask
        before = self._masks(self.sub(0, column), 1)[0]
        return self.do(f"and {self.bits} {mask}, {self.do(f'xor <{n} x i1> {before}, splat (i1 true)')}")

    def _part(self, start, column, other):
        place = self.at(start, self.mul(column, self.size))
        return self.do(f"call {self.v} @llvm.masked.load.{self.suffix}.p0(ptr {place}, i32 {self.size}, "
                       f"{self.bits} {self._inside(column)}, {self.v} {self.splat_of(other)})")

    def _columns(self, column):
        """The columns of all lanes, in steps of the stride, and which of them a row has."""
        n = self.lanes
        steps = ", ".join(f"i32 {i * self.kind.stride[2]}" for i in range(n))
        first = self.splat(self.do(f"trunc i64 {column} to i32"), "i32", n)
        columns = self.do(f"add {self.numbers} {first}, <{steps}>")
        width = self.splat(self.do(f"trunc i64 {self.w['width']} to i32"), "i32", n)
        return columns, self.do(f"icmp ult {self.numbers} {columns}, {width}")

    def _gathered(self, start, column, other, mask=None):
        columns, inside = self._columns(column)
        inside = inside if mask is None else self.do(f"and {self.bits} {inside}, {mask}")
        places = self.do(f"getelementptr {self.t}, ptr {start}, {self.numbers} {columns}")
        return self.do(f"call {self.v} @llvm.masked.gather.{self.suffix}.v{self.lanes}p0(<{self.lanes} x ptr> {places}, "
                       f"i32 {self.size}, {self.bits} {inside}, {self.v} {self.splat_of(other)})")

    def _choose(self, mask, a, b, t: str | None = None):
        return self.do(f"select {self.bits} {mask}, {t or self.v} {a}, {t or self.v} {b}")

    def _larger(self, value, than):
        """Whether a value is larger, or NaN."""
        larger = self.do(f"fcmp ogt {self.v} {value}, {than}")
        return self.do(f"or {self.bits} {larger}, {self.do(f'fcmp uno {self.v} {value}, {value}')}")

    # --- the largest

    def _max(self):
        best = self.slot(self.v)
        self._keep(best, self.splat_of(_INFINITY))

        def place(row, c):
            value, old = self._elements(self.given[0], row, c, _INFINITY), self.load(best)
            self._keep(best, self._choose(self._larger(value, old), value, old))
        self._each_row(lambda a, b, row: self._each_column(lambda c: place(row, c)))
        self._put(self.load(best), self.at(self.given[1], self.place), self.there)

    def _max_back(self):
        """The number of the place of the largest, then each g to its own."""
        k, n = self.kind, self.lanes
        best, index = self.slot(self.v), self.slot(self.numbers)
        self._keep(best, self.splat_of(_INFINITY))
        self._keep(index, "splat (i32 -1)", self.numbers)

        def place(a, b, row, c):
            value, old = self._elements(self.given[1], row, c, _INFINITY), self.load(best)
            where = self.do(f"load {self.numbers}, ptr {index}")
            better = self._larger(value, old)
            first = self.do(f"icmp slt {self.numbers} {where}, zeroinitializer")
            better = self.do(f"or {self.bits} {better}, {first}")
            if not k.inside:
                _, inside = self._columns(self.add(self.corner[2], self._times(c, k.dilation[2])))
                better = self.do(f"and {self.bits} {better}, {inside}")
            self._keep(best, self._choose(better, value, old))
            self._keep(index, self._choose(better, self._number(a, b, c), where, self.numbers), self.numbers)
        self._each_row(lambda a, b, row: self._each_column(lambda c: place(a, b, row, c)))
        mine, where = self.load(self.at(self.given[0], self.place), self.there), self.do(f"load {self.numbers}, ptr {index}")
        if k.apart and k.stride[2] == 2 == k.kernel[2] and k.dilation[2] == 1 and k.inside and prod(k.kernel[:2]) <= _LINE:
            return self._each_row(lambda a, b, row: self._pair(a, b, row, mine, where))
        g = self.slot(self.v)
        self._keep(g, mine)
        return self.loop("0", self.smaller(n, self.left), lambda i: self._send(i, g, index))

    def _number(self, a, b, c):
        """The number of a place, in all lanes."""
        _, high, wide = self.kind.kernel
        number = self.add(self.mul(self.add(self.mul(a, high), b), wide), c)
        return self.splat(self.do(f"trunc i64 {number} to i32"), "i32", self.lanes)

    def _pair(self, a, b, row, mine, where):
        """What the elements of a row get from windows of two beside each other."""
        n, column = self.lanes, self.corner[2]
        mine = [self._choose(self.do(f"icmp eq {self.numbers} {where}, {self._number(a, b, c)}"), mine, "zeroinitializer")
                for c in range(2)]
        start = self.at(self.at(self.given[2], self.mul(row, self.row)), self.mul(column, self.size))
        masks = self._masks(self.mul(self.left, 2), 2)
        for i, mask in enumerate(masks):
            places = ", ".join(f"i32 {j // 2 + j % 2 * n}" for j in range(i * n, i * n + n))
            pairs = self.do(f"shufflevector {self.v} {mine[0]}, {self.v} {mine[1]}, <{n} x i32> <{places}>")
            self._put(pairs, self.at(start, i * n * self.size), mask)

    def _send(self, i, g, index):
        """g of one window to the place with its number; a window may lie beyond the border altogether."""
        k = self.kind
        number = self.do(f"sext i32 {self.do(f'load i32, ptr {self.at(index, self.mul(i, 4))}')} to i64")

        def add():
            line, c = self._split(number, k.kernel[2])
            a, b = self._split(line, k.kernel[1])
            d, h, column = [self.add(at, self.mul(v, s)) for at, v, s in zip(self.corner, (a, b, c), k.dilation)]
            row = self.add(self.mul(d, self.w["height"]), h)
            column = self.add(column, self.mul(i, k.stride[2]))
            target = self.at(self.at(self.given[2], self.mul(row, self.row)), self.mul(column, self.size))
            value = self.do(f"load {self.t}, ptr {self.at(g, self.mul(i, self.size))}")
            self._keep(target, self.do(f"fadd {self.t} {self.do(f'load {self.t}, ptr {target}')}, {value}"), self.t)
        self.when(self.test("sge", number, 0), add)

    # --- the mean

    def _mean(self):
        total = self.slot(self.v)
        self._keep(total, "zeroinitializer")

        def place(row, c):
            more = self._elements(self.given[0], row, c, "0.0")
            self._keep(total, self.do(f"fadd {self.v} {self.load(total)}, {more}"))
        self._each_row(lambda a, b, row: self._each_column(lambda c: place(row, c)))
        divisor = self.load(self.at(self.given[1], self.place), self.there)
        self._put(self.do(f"fdiv {self.v} {self.load(total)}, {divisor}"), self.at(self.given[2], self.place), self.there)

    def _mean_back(self):
        g, divisor = [self.load(self.at(x, self.place), self.there) for x in self.given[:2]]
        share = self.do(f"fdiv {self.v} {g}, {divisor}")
        self._each_row(lambda a, b, row: self._each_column(lambda c: self._spread(row, c, share)))

    def _spread(self, row, c, share):
        n, start = self.lanes, self.at(self.given[2], self.mul(row, self.row))
        column = self.add(self.corner[2], self._times(c, self.kind.dilation[2]))
        columns, inside = self._columns(column)
        mask = self.do(f"and {self.bits} {inside}, {self.there}")
        if self.kind.stride[2] == 1:
            target = self.at(start, self.mul(column, self.size))
            return self._put(self.do(f"fadd {self.v} {self.load(target, mask)}, {share}"), target, mask)
        new = self.do(f"fadd {self.v} {self._gathered(start, column, '0.0', self.there)}, {share}")
        places = self.do(f"getelementptr {self.t}, ptr {start}, {self.numbers} {columns}")
        return self.say(f"call void @llvm.masked.scatter.{self.suffix}.v{n}p0({self.v} {new}, <{n} x ptr> {places}, "
                        f"i32 {self.size}, {self.bits} {mask})")


_loaded: dict[Kind, int] = {}


def code(kind: Kind) -> int:
    """The address of a function.

    Raises:
        NoKernel: if there is no machine code.
    """
    if kind not in _loaded:
        if kind.dtype not in "fd":
            raise NoKernel(f"no pooling of {kind.dtype}")
        machine = llvm.machine()
        shape = shape_for({"f": 4, "d": 8}[kind.dtype], machine.vector_bytes, machine.triple)
        made = machine.remembered(f"pool {kind.name}", lambda: Pool(kind, shape).text())
        _loaded[kind], = machine.load(made, kind.name)
    return _loaded[kind]


def words(step) -> tuple[int, list[int], int, int]:
    """(code, the block's words after the addresses, extent, grain) of a `kobai.compile.pooling.PoolStep`.

    Raises:
        NoKernel: if there is no machine code.
    """
    kernel, stride, dilation = step.windows
    kind = Kind(step.kind, step.dtype.char, kernel, stride, dilation, step.inside)
    return code(kind), [step.sizes[name] for name in WORDS], step.count, max(1, _WORK // max(step.each, 1))
