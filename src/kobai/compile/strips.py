"""Kernels over rows and sums over columns of the same arrays, some rows at a time: `in_strips(steps, homes)`.

The gradients of a norm's weight and bias are sums down the columns of what a kernel has just made, row after row.  One step
after the other, large arrays have left the cache by then, and what only a sum reads is written to memory and read back.
So the rows are cut into strips that fit in a cache, the items of a chain (`kobai.compile.chain`): each strip gets its rows
computed and its own sums, and one more step adds these up.  Strips depend on shapes alone: so do sums, to the bit.
"""
from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import prod

from kobai.compile.chain import BLOCK, _Chain, _Part, _touched, _words, with_chains
from kobai.compile.contract import merged
from kobai.compile.deep import adding
from kobai.compile.fuse import KernelStep
from kobai.compile.graph import Value
from kobai.compile.kernel import REDUCTIONS
from kobai.compile.windows import Window, contiguous

LEAST = 1 << 20  # bytes of an array that is read again: less stays in the cache anyway
STRIP = 1 << 17  # bytes of a strip of one array: a few of them are to stay in the second cache
STRIPS = 16      # fewer are not enough for the threads of a machine to share
NEAR = 8         # steps ahead in which sums are looked for


def in_strips(steps, homes, results=frozenset()) -> list:
    """The steps, with chains of kernels over the same rows that end in sums over them.

    `results` are the values that are wanted in the end, `homes` those that lie in others (value, offset).
    """
    steps = list(steps)
    if not any(isinstance(s, KernelStep) and _sums(s) for s in steps):
        return steps
    return with_chains(steps, homes, results, lambda i: [_Strips(homes, n) for n in _counts(steps, i)])


def _counts(steps, i) -> list[int]:
    """Into how many strips a chain from step i could be cut: as suits the sums that come soon."""
    if not isinstance(steps[i], KernelStep):
        return []
    near = [s for s in steps[i:i + NEAR] if isinstance(s, KernelStep) and _sums(s)]
    return sorted({n for n in map(_strips, near) if n})


def _sums(step: KernelStep) -> bool:
    """Whether a kernel makes nothing but sums, with nothing done to them, of the first axis of what it reads or more."""
    nodes, inner = step.kernel.nodes, _inner(step)
    sums = {i for i, n in enumerate(nodes) if n.op in REDUCTIONS}
    return bool(sums) and sums == {*step.kernel.outputs} and len(step.shape) > inner \
        and all(nodes[i].op == "sum" and nodes[i].dtype == t in ("f32", "f64")
                for i, t in zip(step.kernel.outputs, step.kernel.output_types)) \
        and not any(n.op in ("index", "size") or sums & {*n.args} for n in nodes)


def _inner(step: KernelStep) -> int:
    """How many axes are those of a row."""
    return 0 if not step.kernel.has_rows else len(step.shape) if step.inner is None else step.inner


def _strips(step: KernelStep) -> int:
    """Into how many strips of equal size the rows that a kernel sums are cut; 0: into none."""
    outer = len(step.shape) - _inner(step)
    axes = merged(step.shape[outer:], [s[outer:] for s in step.strides])
    widest = max([prod(w.base.shape) * w.base.dtype.itemsize for w in step.reads], default=0)
    return _divided(axes[0][0], -(-widest // STRIP)) if axes and widest >= LEAST else 0


@lru_cache(256)
def _divided(size: int, wanted: int) -> int:
    """The smallest divisor of a size that is not much more than wanted and leaves two rows; or 0."""
    least = max(wanted, STRIPS)
    return next((n for n in range(least, min(4 * least, size // 2) + 1) if size % n == 0), 0)


class _Strips(_Chain):
    """A chain over strips, that grows."""

    def __init__(self, homes, count: int):
        super().__init__(homes, count, 1)
        self.added: set[Value] = set()      # what that makes
        self.readers: Counter = Counter()   # of large values, within the chain

    @property
    def worth(self) -> bool:
        """Whether a large value is read again, in or after the step that makes it."""
        return bool(self.after) and any(n > 1 for n in self.readers.values())

    def _depends(self, step) -> bool:
        return super()._depends(step) or not self.added.isdisjoint(self._roots(step))

    def _roots(self, step) -> set[Value]:
        return {self._root(v) for v in _touched(step)}

    def _part(self, step) -> _Part | None:
        if not isinstance(step, KernelStep) or not self.added.isdisjoint(self._roots(step)) \
                or any(n.op == "index" or n.op == "size" and n.attr == "row" for n in step.kernel.nodes):
            return None
        self.final = None
        part = self._column_sums(step) if _sums(step) else self._kernel(step)
        return part if part is not None and _words(part) <= BLOCK else None

    def _column_sums(self, step: KernelStep) -> _Part | None:
        """Sums of a strip, and in `final` the step that adds them up."""
        outer = len(step.shape) - _inner(step)
        axes = merged(step.shape[outer:], [s[outer:] for s in step.strides])
        moves, rest = self._cut(axes)
        if moves is None or not rest:
            return None
        shape, count = step.shape[:outer], len(step.reads)
        parts = [Value((self.far, *shape), v.dtype) for v in step.writes]
        own = [contiguous(shape, v.dtype.itemsize) for v in parts]
        kept = [s[:outer] for s in step.strides[:count]] + own
        strides = [(*k, *[s[o] for _, s in rest]) for o, k in enumerate(kept)]
        one = KernelStep(step.kernel, (*shape, *[n for n, _ in rest]), len(rest), step.reads, parts, strides, step.ops)
        far = [prod(shape) * v.dtype.itemsize for v in parts]
        given = [Window(v, 0, (*s, n)) for v, s, n in zip(parts, own, far)]
        lasting = [(*s[:outer], 0) for s in step.strides[count:]]
        self.final = KernelStep(adding(step.kernel.output_types), (*shape, self.far), 1, given, step.writes,
                                [*[w.strides for w in given], *lasting], step.ops)
        self.final.offset = step.offset
        return _Part(one, (*moves[:count], *[(n, 0) for n in far]))

    def _take(self, part: _Part) -> bool:
        if not super()._take(part):
            return False
        if self.final is not None:
            self.after.append(self.final)  # it adds up the sums of strips
            self.added |= {self._root(v) for v in self.final.writes}
        self.readers.update([v for v in _touched(part.step) if prod(v.shape) * v.dtype.itemsize >= LEAST])
        return True
