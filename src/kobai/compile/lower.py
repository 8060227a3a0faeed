"""From a kernel and the shapes it meets to loops: which axes, in which order, and what is computed where.

Two steps.  `fit` looks at concrete strides: it drops and merges axes until a contiguous array is one
axis, and says for each operand and axis only whether its stride is zero, one element, or anything else.
What it returns as `Layout` is all that machine code depends on, so one compiled kernel serves all
shapes of a layout.  `lower` then places every node of the kernel: outside the loop it does not depend
on, and in the pass over the row that it belongs to.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from kobai.compile.kernel import REDUCTIONS, TRANSCENDENTAL, TYPES, Kernel, kind_of

CHUNK = 4096  # elements of a row whose partial results are kept in SIMD lanes before they are folded
STREAMED = 12 << 20  # elements read and written by a kernel that writes past the caches: what fits there is read again sooner
MANY_LINES = 512  # of a cache, of which one element each is read, are gone before the next is wanted
BLOCK = 64    # are still there
LANES = 16    # of a register, about: which axis is run in lanes is the same on all machines
SHORT = 16    # elements of an axis that would leave lanes idle
COSTS = {"div": 6, "sqrt": 6, **dict.fromkeys(TRANSCENDENTAL, 20)}  # of scalar operations; others are 1
FAR = 3 << 19  # elements read and written that do not fit into the cores' own caches
_SLOW = TRANSCENDENTAL - {"exp", "tanh", "erf"}
TALL_CHUNK = 128  # the same when lanes are rows: elements one lane adds up before it starts anew


class Layout(NamedTuple):
    """What machine code knows of its operands; inputs first, then outputs.

    ``access[operand][axis]`` is "0" (does not move along the axis), "1" (moves by one element; only on
    axis ``vector``, the one that is run in SIMD lanes) or "s" (moves by a stride given at run time).
    The last ``inner`` axes are the elements of a row; ``long`` rows are reduced in chunks.
    What is written of ``streamed`` arrays goes past the caches, as they hold less than that; what is read of ``far`` ones
    is asked for in advance.
    """

    access: tuple[str, ...]
    inner: int
    vector: int
    long: bool = False
    streamed: bool = False
    far: bool = False

    @property
    def axes(self) -> int:
        """Number of axes."""
        return len(self.access[0])

    def __str__(self):
        marks = " long" * self.long + " streamed" * self.streamed + " far" * self.far
        return f"{'|'.join(self.access)} inner={self.inner} vector={self.vector}{marks}"

    @property
    def tall(self) -> bool:
        """Whether SIMD lanes are rows."""
        return self.vector < self.axes - self.inner


class Fitted(NamedTuple):
    """A layout with the numbers that belong to it: axis sizes, and strides[operand][axis] in bytes."""

    layout: Layout
    sizes: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]


def fit(kernel: Kernel, shape, strides, inner: int | None = None) -> Fitted:
    """The simplest loops for a kernel over ``shape``.

    Args:
        strides: for each operand, then each output, its stride in bytes along each axis of ``shape``;
            0 where it broadcasts, or has one value a row.
        inner: how many trailing axes are the elements of a row; all, if the kernel has no rows.

    >>> from kobai.compile.builder import build
    >>> add = build(lambda k, a, b: a + b, ["f32", "f32"])
    >>> print(fit(add, (2, 3), [(12, 4), (0, 0), (12, 4)]).layout)
    1|0|1 inner=1 vector=0
    """
    if inner is None or not kernel.has_rows:
        inner = len(shape)
    itemsizes = [TYPES[o.dtype][2] for o in kernel.operands] + [TYPES[t][2] for t in kernel.output_types]
    if 0 in shape:
        strides = _with_moving_outputs(kernel, strides, itemsizes)
    outer = len(shape) - inner
    groups = [_axes_of(shape, strides, range(outer)), _axes_of(shape, strides, range(outer, len(shape)))]
    if not kernel.uses_index:
        groups = [sorted(g, key=_span, reverse=True) for g in groups]
    rows, row = [_merge(g) for g in groups]
    row = row or [(1, (0,) * len(strides))]
    axes = rows + row
    vector, axes = _vector_axis(kernel, axes, len(rows), itemsizes)
    if not kernel.has_rows and not kernel.uses_index:
        vector, axes = _in_blocks(axes, itemsizes)
    access = tuple(
        "".join(_letter(axes[d][1][i], itemsizes[i], d == vector) for d in range(len(axes)))
        for i in range(len(strides))
    )
    sizes = tuple(size for size, _ in axes)
    length = math.prod(size for size, _ in row)
    long = kernel.has_rows and length > (TALL_CHUNK if vector < len(rows) else CHUNK)
    moved = sizes[0] * (len(access) - access.count("0")) if len(sizes) == 1 else 0
    streamed = moved >= STREAMED and not kernel.has_rows and _waits_for_memory(kernel, access)
    return Fitted(Layout(access, len(row), vector, long, streamed, moved >= FAR), sizes, tuple(zip(*[s for _, s in axes])))


def least_far(arrays: int) -> int:
    """From how many elements on a kernel that reads and writes so many contiguous arrays has another layout."""
    return -(-FAR // max(arrays, 1))


def _waits_for_memory(kernel: Kernel, access) -> bool:
    """Whether memory is what outputs wait for: all contiguous, of four or eight bytes, and more than slow functions."""
    outputs = access[len(kernel.operands) :]
    if sum(n.op in _SLOW for n in kernel.nodes) >= len(outputs):
        return False  # usual stores go on beside the arithmetic: a tenth faster
    return all(a == "1" and TYPES[t][2] in (4, 8) for a, t in zip(outputs, kernel.output_types))


def broadcast_strides(array, shape) -> tuple[int, ...]:
    """An array's strides along the axes of a shape it broadcasts to.

    >>> import numpy as np
    >>> broadcast_strides(np.zeros((3, 1), "f4"), (2, 3, 4))
    (0, 4, 0)
    """
    missing = len(shape) - array.ndim
    own = zip(shape[missing:], array.shape, array.strides)
    return (0,) * missing + tuple(0 if size == 1 and full != 1 else s for full, size, s in own)


def _with_moving_outputs(kernel: Kernel, strides, itemsizes):
    """NumPy's empty arrays have strides of 0; outputs must not look as if they had one value a row."""
    first = len(kernel.operands)
    whole = {first + o for o, i in enumerate(kernel.outputs) if not kernel.per_row[i]}
    return [(itemsizes[i],) * len(s) if i in whole else s for i, s in enumerate(strides)]


def _axes_of(shape, strides, which):
    """(size, strides of all operands) of the axes that have more than one element."""
    return [(shape[d], tuple(s[d] for s in strides)) for d in which if shape[d] != 1]


def _span(axis):
    """Sorts axes from far to near: by the outputs' strides, then the inputs'."""
    return tuple(abs(s) for s in reversed(axis[1]))


def _merge(axes):
    """Neighbouring axes as one, where every operand steps through both evenly."""
    merged: list = []
    for size, strides in axes:
        if merged and all(far == near * size for far, near in zip(merged[-1][1], strides)):
            merged[-1] = (merged[-1][0] * size, strides)
        else:
            merged.append((size, strides))
    return merged


def _in_blocks(axes, itemsizes):
    """The last axis cut in two, one of them the first axis, where it is long and leads through the rows of an operand.

    Of each cache line read on the way the other elements are wanted in the next turns of another axis, the sooner the better.
    """
    size, strides = axes[-1]
    across = any(abs(s) > n and any(a[1][i] == n for a in axes[:-1]) for i, (s, n) in enumerate(zip(strides, itemsizes)))
    cuts = range(-(-size // BLOCK), size // (BLOCK // 2) + 1) if across and size >= MANY_LINES else ()
    parts = next((p for p in cuts if size % p == 0), 1)
    if parts == 1:
        return len(axes) - 1, axes
    each = size // parts
    return len(axes), [(parts, tuple([s * each for s in strides])), *axes[:-1], (each, strides)]


def _letter(stride: int, itemsize: int, is_vector: bool) -> str:
    if stride == 0:
        return "0"
    return "1" if is_vector and stride == itemsize else "s"


def _vector_axis(kernel: Kernel, axes, outer: int, itemsizes):
    """The last axis, unless most of what is read and written is contiguous along an axis of rows instead.

    That becomes the last of these, unless their order is fixed.  An axis too short for the lanes gives way to one with
    which there is far less to do.  Returns its number, and the axes.
    """
    elements = [math.prod([size for size, strides in axes if strides[i]]) for i in range(len(itemsizes))]

    def contiguous(d):
        return sum(n for s, size, n in zip(axes[d][1], itemsizes, elements) if s == size)

    last, fixed = len(axes) - 1, kernel.uses_index
    if not outer:
        return last, axes
    candidates = [outer - 1] if fixed else range(outer)
    best = max(candidates, key=lambda d: (contiguous(d), d))
    if contiguous(best) <= contiguous(last):
        best = last
    if axes[best][0] < SHORT:
        efforts = {d: _effort(kernel, axes, outer, itemsizes, d) for d in (best, *candidates, last)}
        least = min(efforts, key=efforts.__getitem__)
        best = least if 2 * efforts[least] < efforts[best] else best
    if best == last:
        return last, axes
    order = [d for d in range(outer) if d != best] + [best, *range(outer, len(axes))]
    return outer - 1, [axes[d] for d in order]


def _effort(kernel: Kernel, axes, outer: int, itemsizes, d: int) -> float:
    """About how many operations on registers a kernel is, if axis ``d`` is run in lanes."""
    turns = [-(-size // LANES) if i == d else size for i, (size, _) in enumerate(axes)]
    every, rows = math.prod(turns), math.prod(turns[:outer])
    total = 0.0
    for i, size in enumerate(itemsizes):
        moves = any(strides[i] for _, strides in axes[outer:])
        stride = axes[d][1][i] if d < outer or moves else 0
        total += (every if moves else rows) * (1 if stride in (0, size) else LANES) * (1 if i < len(kernel.operands) else 2)
    for node, per_row in zip(kernel.nodes, kernel.per_row):
        total += (rows if per_row else every) * (COSTS.get(node.op, 1) if node.args else 0)
        if node.op in REDUCTIONS:
            total += every if d < outer else rows * len(f"{LANES:b}") * 2
    return total


def chunk_of(sizes, layout: Layout) -> int:
    """How much of the first axis of a row (whose axes have these sizes) is a chunk."""
    return max(1, (TALL_CHUNK if layout.tall else CHUNK) // max(1, math.prod(sizes[1:])))


class LoopNest(NamedTuple):
    """Where each node is computed.

    ``depth[i]``: inside how many loops.  ``stage[i]``: after how many passes over the row it is known.
    ``passes[p]``: the nodes that pass ``p`` computes within the row.  ``stores[p]``: the outputs it stores;
    outputs known once a row are in ``row_stores``.  ``kept[i]`` is (pass, output): the value of node ``i``
    is costly and wanted in later passes too, so that pass writes it where the output will be.
    """

    kernel: Kernel
    layout: Layout
    depth: tuple[int, ...]
    stage: tuple[int, ...]
    passes: tuple[tuple[int, ...], ...]
    stores: tuple[tuple[int, ...], ...]
    row_stores: tuple[int, ...]
    kept: dict[int, tuple[int, int]]

    @property
    def outer(self) -> int:
        """Number of loops over rows."""
        return self.layout.axes - self.layout.inner

    @property
    def by_chunks(self) -> bool:
        """Whether one long row is reduced in one pass, so that its chunks can be computed apart."""
        return self.outer == 0 and self.layout.long and len(self.passes) == 1

    @property
    def reductions(self) -> list[int]:
        """The nodes that go over rows."""
        return [i for i, n in enumerate(self.kernel.nodes) if n.op in REDUCTIONS]

    def extent(self, sizes) -> int:
        """How many parts can be computed apart: chunks of the one row, or positions of the first axis."""
        if self.by_chunks:
            return -(-sizes[0] // chunk_of(sizes[self.outer :], self.layout))
        return 1 if self.outer == 0 and self.kernel.has_rows else sizes[0]

    @property
    def ahead(self) -> int | None:
        """The pass that takes longest, where the next row may be asked for; None if rows take one pass, or are long.

        Memory has nothing to do while a row is computed that was read before, and the processor cannot see that another follows.
        """
        layout = self.layout
        if len(self.passes) < 2 or not self.outer or layout.long or layout.tall or layout.inner > 1:
            return None
        return max(range(len(self.passes)), key=lambda p: len(self.passes[p]))

    def lanes(self, vector_bytes: int) -> tuple[int, int]:
        """(narrow, wide): lanes of one machine register, and of one step of the main loop.

        A long body is written only once, under a mask (wide = 0): that costs a few per cent of speed, and
        twice the code twice the time to compile.
        """
        inside = {i for p in self.passes for i in p}  # what is done once a row, or once, has a register to itself
        every = self.kernel.nodes if self.layout.tall or not inside else [self.kernel.nodes[i] for i in sorted(inside)]
        nodes = [n for n in every if n.op not in ("index", "size", "const")]
        floats = [TYPES[n.dtype][2] for n in nodes if kind_of(n.dtype) == "f"]
        widest = max(floats or [TYPES[n.dtype][2] for n in nodes], default=4)
        narrow = max(2, vector_bytes // max(widest, 4))
        cost = max((len(p) for p in self.passes), default=0)
        return narrow, narrow * (4 if cost <= 8 else 2 if cost <= 16 else 1 if cost <= 64 else 0)

    def __str__(self):
        lines = [f"loops of {self.kernel.name}, layout {self.layout}"]
        for i, node in enumerate(self.kernel.nodes):
            lines.append(f"  %{i} = {node.op:10} depth {self.depth[i]} stage {self.stage[i]}")
        return "\n".join(lines + [f"  pass {p}: {list(nodes)}" for p, nodes in enumerate(self.passes)])


def lower(kernel: Kernel, layout: Layout) -> LoopNest:
    """Place every node of a kernel in the loops of a layout."""
    outer = layout.axes - layout.inner
    depth, stage = [], []
    for node in kernel.nodes:
        known = max((stage[a] for a in node.args), default=0)
        inside = max((depth[a] for a in node.args), default=0)
        if node.op == "load":
            inside = _depth_of(layout.access[node.attr[0]])
        elif node.op == "index":
            inside = outer if node.attr == "row" else layout.axes
        elif node.op in REDUCTIONS:
            inside, known = outer, known + 1
        depth.append(inside)
        stage.append(known)
    return _passes(kernel, layout, depth, stage, outer)


def _depth_of(access: str) -> int:
    """Inside how many loops an operand has to be read."""
    return len(access.rstrip("0"))


def _passes(kernel, layout, depth, stage, outer) -> LoopNest:
    reductions = [i for i, n in enumerate(kernel.nodes) if n.op in REDUCTIONS]
    whole = [o for o, i in enumerate(kernel.outputs) if not kernel.per_row[i]]
    stores: dict[int, list[int]] = {}
    roots: dict[int, list[int]] = {}
    for o in whole:
        i = kernel.outputs[o]
        stores.setdefault(stage[i], []).append(o)
        roots.setdefault(stage[i], []).append(i)
    for r in reductions:
        roots.setdefault(stage[r] - 1, []).append(kernel.nodes[r].args[0])
    count = 1 + max(roots, default=-1)

    def nodes(kept):
        return tuple(
            _needed(
                kernel, roots.get(p, ()), lambda i, p=p: depth[i] > outer, {i for i in kept if kept[i][0] < p}
            )
            for p in range(count)
        )

    innermost = {i for i, d in enumerate(depth) if d == layout.axes and kernel.nodes[i].op != "load"}
    kept = _keep(kernel, nodes, innermost, {o: stage[kernel.outputs[o]] for o in whole})
    row_stores = tuple(o for o in range(len(kernel.outputs)) if o not in whole)
    ordered = tuple(tuple(stores.get(p, ())) for p in range(count))
    return LoopNest(kernel, layout, tuple(depth), tuple(stage), nodes(kept), ordered, row_stores, kept)


def _needed(kernel, roots, within, given) -> tuple[int, ...]:
    """The nodes computed within the row that ``roots`` depend on, in order; ``given`` need no arguments."""
    found, stack = set(), list(roots)
    while stack:
        i = stack.pop()
        if i not in found and within(i):
            found.add(i)
            if i not in given:
                stack.extend(kernel.nodes[i].args)
    return tuple(sorted(found))


COSTLY = 6  # operations from which on reading a value again beats computing it again
_WRITTEN = 2  # the same where the value is an output, which is written anyway


def _keep(kernel, nodes, innermost, stored: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Costly values of more than one pass, and the outputs whose memory can hold them so long.

    ``nodes(kept)`` are those of each pass, ``innermost`` the nodes that differ from element to element, ``stored`` is the
    pass in which each output is written.
    """
    kept: dict[int, tuple[int, int]] = {}
    held: dict[int, list[tuple[int, int]]] = {o: [] for o in stored}  # the passes from and to which its memory is needed
    refused: set[int] = set()
    while True:
        where: dict[int, list[int]] = {}
        for p, some in enumerate(nodes(kept)):
            for i in some:
                where.setdefault(i, []).append(p)
        often = {i for i, found in where.items() if len(found) > 1 and i in innermost}
        if not often - kept.keys() - refused:
            return kept
        i = max(often - kept.keys() - refused)  # later nodes contain earlier ones
        cost = len([j for j in _needed(kernel, [i], where.__contains__, set(kept)) if j in often])
        span = where[i][0], where[i][-1]
        room = [o for o, p in stored.items() if cost >= _least_cost(kernel, i, o, span, p) and _is_free(held[o], span)]
        if room:
            kept[i] = span[0], room[0]
            held[room[0]].append(span)
        else:
            refused.add(i)


def _least_cost(kernel, i: int, o: int, span, stored: int) -> float:
    """What a value must cost to be kept from and to some passes in the memory of an output that is written in a pass."""
    if kernel.outputs[o] == i and stored == span[0]:
        return _WRITTEN
    return COSTLY if stored >= span[1] and kernel.output_types[o] == kernel.nodes[i].dtype else math.inf


def _is_free(held, span) -> bool:
    """Whether memory is not needed for another value meanwhile; in one pass, one may be read before the other is written."""
    return all(span[1] <= first or last <= span[0] for first, last in held)
