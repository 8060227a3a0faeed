"""Steps of a recurrent layer, done for a few examples from the first time step to the last: `recurrent(steps, ...)`.

Each time step is a product of few rows and a kernel: too little to share among threads, which would wait for each other
twice in each and take what another has just made out of its cache.  But an example needs nothing of another.  So the rows of
these products are the items of a chain (`kobai.compile.chain`): threads share examples, and meet once at the end.  How many
rows an item has depends on the shape alone.
"""
from __future__ import annotations

from typing import NamedTuple

from kobai.compile.chain import BLOCK, _Access, _Chain, _dims, _Part, _words, with_chains
from kobai.compile.contract import ProductStep
from kobai.compile.fuse import KernelStep
from kobai.compile.graph import Value
from kobai.compile.packed import packed, shared

ROWS = 8         # of an item at most, as the innermost loop of products has, and half of that at least
NEAR = 1 << 20   # bytes of a matrix that each thread reads in each step: it has to stay in the cache
LEAST = 4        # products of a chain
PUT_OFF = 8      # steps one after the other that may be moved out of it


def recurrent(steps, homes, results=frozenset()) -> list:
    """The steps, with chains over the rows of products that share a matrix.

    `results` are the values that are wanted in the end, `homes` those that lie in others (value, offset).
    """
    steps = list(steps)
    groups = shared(steps)
    if not groups:
        return steps
    chosen = {id(steps[i].writes[0]) for places in groups for i in places}
    steps = packed(steps, groups)

    def begun(i):
        items = _items(steps[i]) if isinstance(steps[i], ProductStep) and id(steps[i].writes[0]) in chosen else 1
        return [_Rows(homes, items, chosen)] if items > 1 else []
    return with_chains(steps, homes, results, begun)


def _items(step: ProductStep) -> int:
    """How many items the rows of a product make; 1 if they had too few rows, or the matrix is too large."""
    count = step.sizes[0] if step.sizes else 1
    if count * step.n * step.k * step.dtype.itemsize > NEAR:
        return 1
    rows = [r for r in range(ROWS // 2, ROWS + 1) if step.m % r == 0 and r < step.m]
    return step.m // max(rows) if rows else 1


class _Rows(_Chain):
    """A chain over rows that grows: an item may come back to memory in each time step, to its own rows only."""

    def __init__(self, homes, items: int, chosen):
        super().__init__(homes, items, 1)
        self.chosen = chosen
        self.spans: dict[Value, _Span] = {}
        self.roots: set[Value] = set()  # the memory that it makes something in

    @property
    def worth(self) -> bool:
        """Whether there are some time steps."""
        return sum([isinstance(p.step, ProductStep) for p in self.parts]) >= LEAST

    def grown(self, steps, start: int) -> _Rows:
        """With as many steps from `start` as can be in it. Others between them go before it or, such as the sums that
        are gradients of weights, after it."""
        before, after, made_after = [], [], set()
        for i in range(start, len(steps)):
            step = steps[i]
            part = None if self._reads(step, made_after) else self._part(step)
            if part is not None and self._take(part):
                self.before += before
                self.after += after
                before, after, self.end = [], [], i + 1
            elif not self.parts or len(before) + len(after) == PUT_OFF or not isinstance(step, (KernelStep, ProductStep)):
                break
            elif self._reads(step, self.roots) or self._reads(step, made_after):
                after.append(step)
                made_after |= {self._root(v) for v in step.writes}
            else:
                before.append(step)
        return self

    def _reads(self, step, roots) -> bool:
        """Whether a step reads, or makes a part of, some memory."""
        return any(self._root(v) in roots for v in (*[w.base for w in step.reads], *step.writes))

    def _part(self, step) -> _Part | None:
        """A step for one item: a product by a shared matrix, or a kernel that reads what the chain made."""
        part = None
        if isinstance(step, ProductStep):
            if id(step.writes[0]) in self.chosen and len(step.sizes) < 2:
                part = self._product(step)
        elif isinstance(step, KernelStep) and not any(n.op in ("index", "size") for n in step.kernel.nodes):
            if any(w.base in self.made for w in step.reads):
                part = self._kernel(step)
        return part if part is not None and _words(part) <= BLOCK else None

    def _product(self, step: ProductStep) -> _Part | None:
        """Some of the rows."""
        if step.m % self.far or step.m // self.far < ROWS // 2:
            return None
        rows, rest = step.m // self.far, [s[-2] for s in step.strides]
        rest[1] = 0
        one = ProductStep(step.reads, step.writes[0], rows, step.n, step.k, step.sizes, step.strides, step.alpha)
        moves = [(rows * s, 0) for s in rest]
        return _Part(one, (moves[0], moves[1], *moves[3:], moves[2]))

    def _take(self, part: _Part) -> bool:
        """Make a step part of the chain, if what it touches of memory that the chain makes is the item's own."""
        step, count = part.step, len(part.step.reads)
        bases = [*[(w.base, w.offset) for w in step.reads], *[(v, getattr(step, "offset", 0)) for v in step.writes]]
        touched, spans, read, made = [], {}, [], []
        for i, ((base, offset), dims, move) in enumerate(zip(bases, _dims(step), part.moves)):
            root, more = self.homes.get(base, (base, 0))
            low = offset + more + sum(min(0, (n - 1) * s) for n, s in dims)
            high = offset + more + sum(max(0, (n - 1) * s) for n, s in dims) + base.dtype.itemsize
            touched.append((root, _Access(low, high, move)))
            spans[root] = self._joined(spans.get(root, self.spans.get(root)), low, high, move[0])
            if i < count or base in self.made:
                read.append(root)
            if i >= count:
                if move[0] <= 0:
                    return False
                made.append(base)
        roots = {self._root(v) for v in made}
        if any(spans[r].move <= 0 for r in spans if (r in self.roots or r in roots) and (r in self.read or r in read)):
            return False
        self.spans.update(spans)
        self.roots |= roots
        self.read.update(read)
        self.made.update(dict.fromkeys(made))
        for root, access in touched:
            self.accesses.setdefault(root, []).append(access)
        self.parts.append(part)
        return True

    def _joined(self, span: _Span | None, low: int, high: int, move: int) -> _Span:
        """A span with an access more; its move is 0 where items are not apart.

        All items of one time step lie one after the other: what is a whole number of time steps away is another's.
        """
        if move <= 0 or span is not None and span.move != move:
            return _Span(0, 0, 0)
        first = low % (move * self.far)
        last = first + high - low
        if span is not None:
            first, last = min(first, span.low), max(last, span.high)
        return _Span(move if last - first <= move else 0, first, last)


class _Span(NamedTuple):
    """What an item touches of a piece of memory: bytes from those of one item to the next; from where to where, in a time step."""

    move: int
    low: int
    high: int
