"""Steps that do the same for each item of a batch, done item after item: `chained(steps, homes)`.

Attention is a product, a kernel over rows of scores, a product, for each head of each sample.  Step by step all scores are
made before the first is looked at again: they leave the cache, and threads wait for each other after each step.  A
`ChainStep` takes one item through all its steps before the next; threads share the items.

That may be done where an item reads nothing that another item of the chain makes.  Whether so is read from addresses: all
that the chain does to a piece of memory has to stay, for each item, within a stretch of its own.  What nobody needs but the
chain itself has no memory for all items, but room for one, which each thread has for itself.
"""
from __future__ import annotations

from collections import Counter
from math import prod
from typing import NamedTuple

from kobai.compile.contract import ProductStep, merged
from kobai.compile.fuse import KernelStep
from kobai.compile.graph import Value
from kobai.compile.memory import ALIGN, Free

ITEMS = 16         # fewer are not enough for the threads of a machine to share, unless
LONG = 1 << 20     # each takes so many multiplications or more: then what stays in the cache counts for more
FEW = 4            # and there are as many
WORK = 1 << 13     # multiplications or elements that a step should have for an item
NEAR = 8           # steps ahead in which a batch is looked for
PUT_OFF = 4        # steps that may be moved out of a chain
BLOCK = 256        # words of a call's block: it is copied for each item
ROOM = 1 << 23     # bytes that a thread may have for itself


class ChainStep:
    """Steps that are run one after the other for each of `far` x `near` items.

    `steps` are those of the first item; `moves` has for each of them how many bytes each operand is further on, from
    one of the far to the next and from one of the near.  Values in `rooms` lie at that place in the room of the thread,
    which has `size` bytes.
    """

    __slots__ = ("far", "near", "steps", "moves", "reads", "writes", "rooms", "size")

    def __init__(self, far: int, near: int, steps, moves, rooms: dict[Value, int], size: int):
        self.far, self.near, self.steps, self.moves, self.rooms, self.size = far, near, steps, moves, rooms, size
        self.reads = [w for s in steps for w in s.reads if w.base not in rooms]
        self.writes = list(dict.fromkeys(v for s in steps for v in s.writes if v not in rooms))

    @property
    def items(self) -> int:
        """How many there are."""
        return self.far * self.near

    def __str__(self):
        head = f"for each of {self.far} x {self.near}"
        return "\n".join([head, *[f"    {s}" for s in self.steps]])


def chained(steps, homes, results=frozenset()) -> list:
    """The steps, with `ChainStep`s for stretches of them that contain products of batches.

    `results` are the values that are wanted in the end, `homes` those that lie in others (value, offset).
    """
    steps = list(steps)
    return with_chains(steps, homes, results, lambda i: [_Chain(homes, *b) for b in _batches(steps, i)])


def with_chains(steps: list, homes, results, begun) -> list:
    """The steps, with the longest of the chains that can begin at each, where one is worth it: `begun(i)` gives them, empty."""
    found, i = [], 0
    kept = {*results, *homes, *[whole for whole, _ in homes.values()]}
    uses = Counter(v for step in steps for v in _touched(step))
    while i < len(steps):
        made = [m for m in (chain.grown(steps, i) for chain in begun(i)) if m.worth]
        best = max(made, key=lambda m: len(m.parts), default=None)
        if best is None:
            found.append(steps[i])
            i += 1
        else:
            found += [*best.before, best.step(kept, uses), *best.after]
            i = best.end
    return found


def _batches(steps, i) -> list[tuple[int, int]]:
    """The batches of products that a chain from step i could be about: those apart in two dimensions first."""
    if not isinstance(steps[i], (KernelStep, ProductStep)):
        return []
    found = [(s.sizes[0], prod(s.sizes[1:])) for s in steps[i:i + NEAR] if isinstance(s, ProductStep) and s.sizes]
    return [b for b in sorted(set(found), key=lambda b: -b[1]) if prod(b) >= min(FEW, ITEMS)]


class _Access(NamedTuple):
    """What the first item touches of a piece of memory, from byte to byte, and how others do."""

    low: int
    high: int
    move: tuple[int, int]


class _Part(NamedTuple):
    """A step as one item sees it."""

    step: KernelStep | ProductStep
    moves: tuple[tuple[int, int], ...]


class _Chain:
    """A chain that grows."""

    def __init__(self, homes, far: int, near: int):
        self.homes, self.far, self.near = homes, far, near
        self.parts: list[_Part] = []
        self.before: list = []   # steps moved out of it
        self.after: list = []    # what comes when it has ended
        self.end = 0             # the first step that is not in it
        self.accesses: dict[Value, list[_Access]] = {}
        self.read: set[Value] = set()    # memory that is read, or made in more than one step
        self.made: dict[Value, None] = {}

    @property
    def worth(self) -> bool:
        """Whether there is something to win."""
        return len(self.parts) > 1 and any(isinstance(p.step, ProductStep) for p in self.parts) \
            and (self.far * self.near >= ITEMS or sum(_work(p.step) for p in self.parts) >= LONG)

    def step(self, kept, uses) -> ChainStep:
        """The finished chain. What is `kept`, or is in more steps (`uses`) than those of the chain, needs memory for all."""
        steps, moves = [p.step for p in self.parts], [p.moves for p in self.parts]
        spans = {v: span for v, span in self._spans(uses).items() if v not in kept}
        rooms, size = self._rooms(spans, len(steps))
        if size > ROOM:
            rooms, size = {}, 0
        for i, step in enumerate(steps):
            bases = [*[w.base for w in step.reads], *step.writes]
            moves[i] = tuple([(0, 0) if v in rooms else move for v, move in zip(bases, moves[i])])
        return ChainStep(self.far, self.near, steps, moves, rooms, size)

    def _spans(self, uses) -> dict[Value, tuple[int, int]]:
        """The values that only the chain makes and reads: the first and the last step they are in."""
        found: dict[Value, list[int]] = {}
        for i, (step, _) in enumerate(self.parts):
            for v in _touched(step):
                found.setdefault(v, []).append(i)
        return {v: (found[v][0], found[v][-1]) for v in self.made if v in self.read and len(found[v]) == uses[v]}

    def _rooms(self, spans, count: int) -> tuple[dict[Value, int], int]:
        """Where values live in a room, those at the same place that live one after the other; its size."""
        free, rooms = Free(), {}
        low = {v: min(a.low for a in self.accesses[v]) for v in spans}
        size = {v: -(-(max(a.high for a in self.accesses[v]) - low[v]) // ALIGN) * ALIGN for v in spans}
        begin: list[list[Value]] = [[] for _ in range(count)]
        end: list[list[Value]] = [[] for _ in range(count)]
        for v, (first, last) in spans.items():
            begin[first].append(v)
            end[last].append(v)
        for i in range(count):
            for v in begin[i]:
                rooms[v] = free.take(size[v])
            for v in end[i]:
                free.give(rooms[v], size[v])
        return {v: at - low[v] for v, at in rooms.items()}, free.top

    def grown(self, steps, start: int) -> _Chain:
        """With as many steps from `start` as can be in it; a few that do not depend on it go before it."""
        waiting: list = []
        for i in range(start, len(steps)):
            part = self._part(steps[i])
            if part is not None and self._take(part):
                self.before += waiting
                waiting, self.end = [], i + 1
            elif not self.parts or len(self.before) + len(waiting) == PUT_OFF or self._depends(steps[i]):
                break
            else:
                waiting.append(steps[i])
        return self

    def _depends(self, step) -> bool:
        made = {self._root(v) for v in self.made}
        return any(self._root(w.base) in made for w in step.reads) or any(self._root(v) in made for v in step.writes)

    def _root(self, v: Value) -> Value:
        return self.homes[v][0] if v in self.homes else v

    # --- one step

    def _part(self, step) -> _Part | None:
        """A step for one item, if it goes through the items in the same order."""
        part = None
        if isinstance(step, ProductStep):
            part = self._product(step)
        elif isinstance(step, KernelStep) and not any(n.op in ("index", "size") for n in step.kernel.nodes):
            part = self._kernel(step)
        return part if part is not None and _work(part.step) >= WORK and _words(part) <= BLOCK else None

    def _product(self, step: ProductStep) -> _Part | None:
        batch = [(size, tuple([s[d] for s in step.strides])) for d, size in enumerate(step.sizes)]
        moves, rest = self._cut(batch)
        if moves is None:
            return None
        strides = [(*[s[o] for _, s in rest], *step.strides[o][-2:]) for o in range(len(step.strides))]
        sizes = tuple([size for size, _ in rest])
        one = ProductStep(step.reads, step.writes[0], step.m, step.n, step.k, sizes, strides, step.alpha)
        inner = [moves[0], moves[1], *moves[3:], moves[2]]  # as operands come: A, B, E, C
        return _Part(one, tuple(inner))

    def _kernel(self, step: KernelStep) -> _Part | None:
        inner = 0 if not step.kernel.has_rows else len(step.shape) if step.inner is None else step.inner
        outer = len(step.shape) - inner
        moves, rest = self._cut(merged(step.shape[:outer], [s[:outer] for s in step.strides]))
        if moves is None or step.kernel.has_rows and prod(size for size, _ in rest) < 2:
            return None
        shape = (*[size for size, _ in rest], *step.shape[outer:])
        strides = [(*[s[o] for _, s in rest], *whole[outer:]) for o, whole in enumerate(step.strides)]
        one = KernelStep(step.kernel, shape, step.inner, step.reads, step.writes, strides, step.ops)
        one.offset = step.offset
        return _Part(one, tuple(moves))

    def _cut(self, axes):
        """(how far each operand moves with an item of the far and of the near, other axes), or (None, None)."""
        moves = []
        for n in (self.far, self.near):
            axes = [a for a in axes if a[0] != 1]
            if n == 1:
                moves.append(None)
                continue
            if not axes or axes[0][0] % n:
                return None, None
            (size, strides), *rest = axes
            each = size // n
            moves.append([s * each for s in strides])
            axes = [(each, strides), *rest]
        count = len(next(m for m in moves if m))
        far, near = [m or [0] * count for m in moves]
        return list(zip(far, near)), [a for a in axes if a[0] != 1]

    # --- whether items stay apart

    def _take(self, part: _Part) -> bool:
        """Make a step part of the chain, if items still stay apart."""
        accesses, read, made = {k: list(v) for k, v in self.accesses.items()}, set(self.read), dict(self.made)
        step = part.step
        bases = [*[(w.base, w.offset) for w in step.reads], *[(v, getattr(step, "offset", 0)) for v in step.writes]]
        for i, ((base, offset), dims, move) in enumerate(zip(bases, _dims(step), part.moves)):
            root, more = self.homes.get(base, (base, 0))
            low = offset + more + sum(min(0, (n - 1) * s) for n, s in dims)
            high = offset + more + sum(max(0, (n - 1) * s) for n, s in dims) + base.dtype.itemsize
            accesses.setdefault(root, []).append(_Access(low, high, move))
            if i < len(step.reads) or base in made:
                read.add(root)
            if i >= len(step.reads):
                if self.far > 1 and not move[0] or self.near > 1 and not move[1]:
                    return False
                made[base] = None
        if not all(self._apart(accesses[root]) for root in {self._root(v) for v in made} & read):
            return False
        self.accesses, self.read, self.made = accesses, read, made
        self.parts.append(part)
        return True

    def _apart(self, accesses) -> bool:
        """Whether each item stays within a stretch of its own."""
        far, near = accesses[0].move
        if any(a.move != (far, near) for a in accesses):
            return False
        if self.far > 1 and self.near > 1 and far != self.near * near:
            return False
        stretch = near if self.near > 1 else far
        return max(a.high for a in accesses) - min(a.low for a in accesses) <= stretch


def _touched(step) -> set[Value]:
    """The values that a step reads or makes."""
    return {*[w.base for w in step.reads], *step.writes}


def _dims(step) -> list[list[tuple[int, int]]]:
    """(size, stride) of the dimensions of each operand and output of a step."""
    if isinstance(step, KernelStep):
        return [list(zip(step.shape, s)) for s in step.strides]
    shapes = [(step.m, step.k), (step.k, step.n), (step.m, step.n), (step.m, step.n)]
    each = [list(zip((*step.sizes, *shape), s)) for shape, s in zip(shapes, step.strides)]
    return [each[0], each[1], *each[3:], each[2]]


def _words(part: _Part) -> int:
    """Most words that the block of a kernel may have; those of products have fewer than 64."""
    axes = len(part.step.shape) if isinstance(part.step, KernelStep) else 0
    return len(part.moves) * (1 + axes) + axes


def _work(step) -> int:
    if isinstance(step, KernelStep):
        return prod(step.shape) * len(step.kernel.nodes)
    return prod(step.sizes) * step.m * step.n * step.k
