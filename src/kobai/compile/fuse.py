"""Ops that one pass over memory can serve, put together into kernels: `fuse(graph)`.

Every op starts as a group of its own.  Two groups become one where one takes what the other gives (or both read the
same), the loops of both can be made the same (axes.py), what has to be stored has one value for each step of
the loops or each row, reductions go over the same axes, and no third group lies between them.  What has no
scalar code stays alone, as does a matrix product.  A `KernelStep` is a group with its kernel; `OpStep` one op.
"""
from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import prod

from kobai.compile.axes import Apart, Axes, Placement, aligned, source, steps
from kobai.compile.builder import Builder, Value as Scalar
from kobai.compile.emit import emit_op, kernel_of, row_dims
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import TRANSCENDENTAL, Kernel, KernelError, NoKernel, numpy_type, scalar_type
from kobai.compile.steps import KernelStep, OpStep
from kobai.compile.windows import Window, is_view, own, windows

LONG = 1 << 15   # elements from which on a row alone is not worth a second pass by one thread
ROWS = 4         # so few rows are hardly any
LIGHT = 50       # scalar operations done along columns
MOST = 150       # ops in a kernel
MOST_COSTLY = 600  # scalar operations in one, functions such as exp counting 40: LLVM's time grows faster than these
CHEAP = 12       # scalar operations that are rather done again than stored and read
SMALL = 8        # how much smaller a value must be to be made again for each of its users
READERS = 16     # of one value that may be joined because they read it
LEAST = 1024     # elements of a value that is worth the trouble
BRIEF = 64       # scalar ops of a whole program that go into one kernel whatever they have in common


class Group:
    """Ops that run in one kernel; `place` says for each which axes its own dimensions are."""

    __slots__ = ("nodes", "place", "inner", "above", "bit", "fusable", "alive", "copies", "space", "cost", "reads")

    def __init__(self, node, place, inner, above, bit, fusable, cost=0):
        self.nodes: list[Node] = [node]
        self.place: dict[Node, Placement] = {node: place}
        self.inner: frozenset | None = inner  # the axes of a row, if there are rows
        self.above: int = above               # the groups this one has to wait for, as bits
        self.bit: int = bit
        self.fusable, self.alive = fusable, True
        self.space: tuple[int, ...] | None = None  # its axes, when asked for
        self.cost: int = cost                 # scalar operations, while groups are formed
        self.reads: dict | None = None        # {window: (node, value)} of what it reads, when asked for
        self.copies: set[Node] = set()        # ops that are done here again: another group gives their results


_scalar_code: dict = {}


def fusable(node: Node) -> int:
    """How many scalar operations a node is, or 0 if it cannot be part of a kernel."""
    op = node.op
    if op.emit is None or len(node.outs) != 1 or not node.values:
        return 0
    out = node.outs[0]
    if 0 in out.shape:
        return 0
    if getattr(op, "random", False) or any(0 in v.shape for v in node.values):
        return 0
    key = (op, len(node.values[0].shape), *[None if a is None else a.dtype for a in node.args], out.dtype)
    found = _scalar_code.get(key)
    if found is None:
        found = _scalar_code[key] = _operations(node)
    dims = row_dims(op, len(node.values[0].shape))
    if found and dims is None and not op.elementwise and node.values[0].shape != out.shape:
        return 0
    if dims is not None and prod([node.values[0].shape[d] for d in dims]) == 1:
        return 0
    return found


def _operations(node: Node) -> int:
    try:
        types = [None if a is None else scalar_type(a.dtype) for a in node.args]
    except NoKernel:
        return 0
    kernel = kernel_of(node.op, types)
    if kernel is None or kernel.uses_index or numpy_type(kernel.output_types[0]) != node.outs[0].dtype:
        return 0
    if kernel.has_rows and row_dims(node.op, len(node.values[0].shape)) is None:
        return 0
    return max(1, sum(40 if n.op in TRANSCENDENTAL else n.op not in ("load", "const") for n in kernel.nodes))


def fuse(graph: Graph, made=None) -> tuple[list[KernelStep | OpStep], dict[Value, Window]]:
    """The steps of a graph in an order in which they can run, and where each value lies; `made` is told of each kernel."""
    work = _Fusion(graph)
    work.form()
    work.join_readers()
    work.repeat_small()
    work.repeat_cheap()
    return work.steps(made), work.windows


class _Fusion:
    def __init__(self, graph: Graph):
        self.graph, self.windows, self.axes = graph, windows(graph), Axes()
        self.nodes = [n for n in graph.nodes if not self._only_looks(n)]
        self.number = {n: i for i, n in enumerate(self.nodes)}
        self.kept = {self.windows[v].base for v in graph.results}
        self.users: dict[Value, list[Node]] = {}
        for n in self.nodes:
            for base in dict.fromkeys(self.windows[v].base for v in n.values):
                self.users.setdefault(base, []).append(n)
        drawing = [n for n in self.nodes if getattr(n.op, "random", False) and n.outs]
        self.before, self.after = dict(zip(drawing[1:], drawing)), dict(zip(drawing, drawing[1:]))
        self.group_of: dict[Node, Group] = {}
        self.groups: dict[Group, None] = {}
        self.cost = {n: fusable(n) for n in self.nodes}  # scalar operations; 0 if it has no scalar code
        self.repeated: set[Node] = set()  # each group that needs one has a copy

    def _only_looks(self, node: Node) -> bool:
        return is_view(node) and self.windows[node.outs[0]].base is not node.outs[0]

    # --- forming groups

    def form(self):
        """Put each op into the groups of those whose results it takes."""
        for node in self.nodes:
            group = self._single(node)
            for base in dict.fromkeys(self.windows[v].base for v in reversed(node.values)):
                if base.node is not None:
                    other = self.group_of[base.node]
                    group = self.group_of[node]
                    if other is not group:
                        self.join(other, group)

    def _single(self, node: Node) -> Group:
        above = 0
        for base in {self.windows[v].base for v in node.values}:
            if base.node is not None:
                g = self.group_of[base.node]
                above |= g.above | g.bit
        if node in self.before:  # random numbers are drawn in the order of the program
            g = self.group_of[self.before[node]]
            above |= g.above | g.bit
        can = bool(self.cost[node])
        full = node.values[0].shape if can and _dims(node) is not None else node.outs[0].shape if can else ()
        place = self.axes.new(full)
        dims = _dims(node) if can else None
        inner = None if dims is None else frozenset(a for d in dims for a in place[d])
        group = Group(node, place, inner, above, 1 << self.number[node], can, self.cost[node])
        self.group_of[node] = group
        self.groups[group] = None
        return group

    def join_readers(self):
        """Join groups that read the same, and all groups of a program of scalars."""
        for readers in list(self.users.values()):
            firsts = {self.group_of[n]: n for n in reversed(readers) if self.group_of[n].fusable}.values()
            if len(firsts) <= READERS:
                for n, earlier in combinations(firsts, 2):
                    a, b = self.group_of[earlier], self.group_of[n]
                    if a is not b and self._space(a):
                        self.join(a, b, shared=True)
        if len(self.nodes) <= BRIEF:
            scalars = [g for g in self.groups if g.fusable and not self._space(g)]
            for g in scalars[1:]:
                first = next(x for x in self.groups if x.fusable and not self._space(x))
                if g.alive and g is not first:
                    self.join(first, g, shared=True)

    def _space(self, g: Group) -> tuple[int, ...]:
        if g.space is None:
            g.space = tuple(dict.fromkeys(a for p in g.place.values() for axes in p for a in axes))
        return g.space

    def join(self, a: Group, b: Group, shared: bool = False) -> bool:
        """Make two groups one, if that can be; b comes later."""
        if not (a.fusable and b.fusable) or len(a.nodes) + len(b.nodes) > MOST or self._between(a, b):
            return False
        if a.cost + b.cost > MOST_COSTLY:
            return False
        self.axes.changed = {}
        try:
            links = self._links(a, b) + self._links(b, a)
            for ours, theirs in links:
                self.axes.match(self.axes.now(ours()), self.axes.now(theirs()))
            self._match_free(a, b, needed=shared and not links)
            inner = self._common_space(a, b)
        except Apart:
            return False
        place = {}
        for g in (a, b):
            place.update(g.place if self.axes.changed.keys().isdisjoint(self._space(g)) else self._moved(g.place))
        nodes = sorted((*a.nodes, *b.nodes), key=self.number.__getitem__)
        if not self._valid(nodes, place, inner, a.cost + b.cost):
            return False
        self._union(a, b, nodes, place, inner)
        return True

    def _moved(self, place):
        """Where nodes are now; many are placed alike."""
        now = {p: self.axes.now(p) for p in set(place.values())}
        return {n: now[p] for n, p in place.items()}

    def _between(self, a: Group, b: Group) -> bool:
        """Whether a third group waits for one and is waited for by the other."""
        for low, high in ((a, b), (b, a)):
            if high.above & low.bit:
                for n in high.nodes:
                    for maker in (*[self.windows[v].base.node for v in n.values], self.before.get(n)):
                        if maker is not None:
                            g = self.group_of[maker]
                            if g is not low and g is not high and g.above & low.bit:
                                return True
        return False

    def _links(self, giver: Group, taker: Group):
        """Pairs of placements, each to be asked for when its turn comes, of what one group takes from the other."""
        links, nodes = [], taker.nodes
        if len(giver.nodes) < len(nodes):
            users = {u for n in giver.nodes for u in self.users.get(n.outs[0], ()) if u in taker.place}
            nodes = sorted(users, key=self.number.__getitem__)
        for n in nodes:
            for v in dict.fromkeys(n.values):
                w = self.windows[v]
                if w.base.node in giver.place:
                    links.append((lambda w=w: self._out(giver, w.base.node),
                                  lambda v=v, w=w, n=n: self._source(v, w, self.axes.now(taker.place[n]))))
        return links

    def _match_free(self, a: Group, b: Group, needed: bool):
        """Match loops that each group has for itself: over what both read, or else in their order.

        Raises:
            Apart: if they do not match; where it is needed that both read the same, if they do not.
        """
        free = self._free(a, b)
        if not needed and not (free[0] and free[1]):
            return
        common = self._same_reads(a, b)
        if needed and not common and (self._space(a) or self._space(b)):
            raise Apart
        if common and free[0] and free[1]:
            (n, v), (k, w) = common
            self.axes.match(self.axes.now(aligned(v.shape, a.place[n])), self.axes.now(aligned(w.shape, b.place[k])))
            free = self._free(a, b)
        if free[0] and free[1]:
            self.axes.match((free[0],), (free[1],))

    def _free(self, a: Group, b: Group):
        ours, theirs = (self.axes.leaves(self._space(g)) for g in (a, b))
        return [x for x in ours if x not in theirs], [x for x in theirs if x not in ours]

    def _same_reads(self, a: Group, b: Group):
        """Where each group reads the largest array that both read in the same way: two pairs (node, value)."""
        mine, theirs = self._reads(a), self._reads(b)
        common = [w for w in mine if w in theirs and mine[w][1].shape == theirs[w][1].shape]
        w = max(common, key=lambda w: prod(mine[w][1].shape), default=None)
        return w and (mine[w], theirs[w])

    def _reads(self, g: Group) -> dict:
        if g.reads is None:
            g.reads = {self.windows[v]: (n, v) for n in g.nodes for v in n.values if v.shape}
        return g.reads

    def _out(self, g: Group, node: Node) -> Placement:
        """Where the output of a node of a group is placed."""
        return _placed_out(node, self.axes.now(g.place[node]))

    def _source(self, v: Value, w: Window, full: Placement) -> Placement:
        placement = aligned(v.shape, full)
        if v is w.base:
            return placement
        return source(self.axes, w.base.shape, v.dtype.itemsize, v.shape, w.strides, w.offset, placement)

    def _common_space(self, a: Group, b: Group) -> frozenset | None:
        """The axes of a row of both; Apart if axes of one group became the same, or rows differ."""
        inner = None
        for g in (a, b):
            leaves = self.axes.leaves(self._space(g))
            if len(set(leaves)) != len(leaves):
                raise Apart
            if g.inner is not None:
                mine = frozenset(self.axes.leaves(g.inner))
                if inner is not None and inner != mine:
                    raise Apart
                inner = mine
        return inner

    def _valid(self, nodes, place, inner, cost) -> bool:
        """Whether everything stored has one value a step or a row, and reductions go over rows."""
        axes_of = {p: {a for axes in p for a in axes} for p in set(place.values())}
        every = set().union(*axes_of.values())
        rows = every - inner if inner is not None else None
        if rows and cost > LIGHT and self._across(place, every, inner):
            return False
        late: set[Node] = set()
        long_row = inner is not None and self._long(every, rows)
        for n in nodes:
            p = place[n]
            dims, full = _dims(n), axes_of[p]
            if dims is not None and (full != every or {a for d in dims for a in p[d]} != inner):
                return False
            placed = _placed_out(n, p)
            out = full if placed is p else {a for axes in placed for a in axes}
            if out != every and out != rows and self.stored(n, place):
                return False
            if long_row and inner & full:
                if any(self.windows[v].base.node in late for v in n.values):
                    return False
            if long_row and (dims is not None or any(self.windows[v].base.node in late for v in n.values)):
                late.add(n)
        return True

    def _across(self, place, every, inner) -> bool:
        """Whether rows are columns of what is large: they are read a little here and there, so not much is done then."""
        for p in place.values():
            last = next((axes[-1] for axes in reversed(p) if axes), None)
            if {a for axes in p for a in axes} == every:
                return last not in inner and prod([self.axes.sizes[a] for a in every]) > LONG
        return False

    def _long(self, every, rows) -> bool:
        size = self.axes.sizes
        return prod([size[a] for a in every]) > LONG and prod([size[a] for a in rows]) < ROWS

    def stored(self, node: Node, inside, copies=()) -> bool:
        """Whether a node's result is wanted outside."""
        v = node.outs[0]
        if node in copies:
            return False
        return v in self.kept or node not in self.repeated and any(u not in inside for u in self.users.get(v, ()))

    def _union(self, a: Group, b: Group, nodes, place, inner):
        bits = a.bit | b.bit
        above = (a.above | b.above) & ~bits
        merged = Group(a.nodes[0], (), inner, above, bits, True, a.cost + b.cost)
        merged.nodes, merged.place = nodes, place
        for n in nodes:
            self.group_of[n] = merged
        for g in (a, b):
            g.alive = False
            del self.groups[g]
        for g, other in ((a, b), (b, a)):
            if other.above & ~(g.above | g.bit):  # those who wait for one group now wait for more
                self._wait(g, merged, other.above & ~bits)
        self.groups[merged] = None

    def _wait(self, g: Group, merged: Group, above: int):
        """Let those who wait for a group, now merged, wait for others too; where one does, those behind it do."""
        stack = [g]
        while stack:
            for n in stack.pop().nodes:
                users = [u for v in n.outs for u in self.users.get(v, ())]
                for u in (*users, self.after.get(n)):
                    later = self.group_of.get(u)
                    if later is not None and above & ~later.above and later is not merged:
                        later.above |= above
                        stack.append(later)

    # --- doing small things again

    def repeat_small(self):
        """Give each user of a small cheap group a copy of its own, so that it is not stored."""
        for g in sorted(self.groups, key=lambda g: self.number[g.nodes[0]]):
            if not g.fusable or g.inner is not None or sum(self.cost[n] for n in g.nodes) > CHEAP:
                continue
            users = [u for n in g.nodes for u in self.users.get(n.outs[0], ()) if u not in g.place]
            if any(n.outs[0] in self.kept for n in g.nodes) or not self.repeated.isdisjoint(users):
                continue
            takers = list(dict.fromkeys(self.group_of[u] for u in users))
            if takers and all(t.fusable and self._size(t) >= SMALL * self._size(g) for t in takers) \
                    and self._repeat(g.nodes, g.place, takers):
                self.repeated.update(g.nodes)
                g.alive = False
                del self.groups[g]

    def repeat_cheap(self):
        """Compute large values again, where they are used, if they follow quickly from what is there anyway."""
        for g in sorted(self.groups, key=lambda g: self.number[g.nodes[0]]):
            for n in reversed(g.nodes) if g.fusable and len(g.nodes) > 1 else ():
                if n in g.copies or n.outs[0] in self.kept or not self.stored(n, g.place, g.copies):
                    continue
                users = [u for u in self.users[n.outs[0]] if u not in g.place]
                takers = list(dict.fromkeys(self.group_of[u] for u in users))
                found = self._recipe(n, g)
                if found and all(t.fusable for t in takers) and self.repeated.isdisjoint(users) \
                        and self._repeat(found[0], g.place, takers):
                    self.repeated.add(n)
                    self.kept.update(found[1])

    def _recipe(self, node: Node, g: Group):
        """(nodes, values of the group to start from) to compute a value of a group again, or None if it is much."""
        size = prod(node.outs[0].shape)
        nodes: dict[Node, None] = {}
        starts: set[Value] = set()
        large: set[Value] = set()
        every = set(self._space(g))
        stack = [node]
        while stack:
            n = stack.pop()
            if n in nodes:
                continue
            nodes[n] = None
            for v in n.values:
                base = self.windows[v].base
                inside = base.node in g.place
                if inside and not self._is_start(base, size, g, every):
                    stack.append(base.node)
                    continue
                if inside:
                    starts.add(base)
                if SMALL * prod(base.shape) > size:
                    large.add(base)
        if size < LEAST or len(large) > 1 or any(_dims(n) is not None for n in nodes) or sum(self.cost[n] for n in nodes) > CHEAP:
            return None
        return sorted(nodes, key=self.number.__getitem__), starts

    def _is_start(self, base: Value, size: int, g: Group, every) -> bool:
        """Whether a value of a group is stored anyway, or may be because it is small."""
        if base.node in g.copies:  # the group that gave it may be gone
            return False
        if base in self.kept or any(not self.group_of[u].fusable for u in self.users.get(base, ())):
            return True
        if SMALL * prod(base.shape) > size:
            return False
        placed = {a for axes in _placed_out(base.node, g.place[base.node]) for a in axes}
        return placed == every or g.inner is not None and placed == every - g.inner

    def _size(self, g: Group) -> int:
        return prod([self.axes.sizes[a] for a in self._space(g)])

    def _repeat(self, nodes, place, takers) -> bool:
        """Put nodes of a group, with these placements, into each of the takers, if all can have them."""
        found = []
        for t in takers:
            self.axes.changed = {}
            copy = Group(nodes[0], (), None, 0, 0, True)
            copy.nodes, copy.place = nodes, self._copied({n: place[n] for n in nodes})
            try:
                for ours, theirs in self._links(copy, t):
                    self.axes.match(self.axes.now(ours()), self.axes.now(theirs()))
                inner = self._common_space(copy, t)
            except Apart:
                return False
            new = {n: self.axes.now(p) for x in (copy, t) for n, p in x.place.items()}
            every = {a for p in new.values() for axes in p for a in axes}
            if every != set(self.axes.leaves(self._space(t))) or (inner is None) != (t.inner is None):
                return False
            found.append((t, new, inner))
        for t, new, inner in found:
            t.inner, t.space = inner, None
            t.copies |= set(nodes) - set(t.place)
            t.place, t.nodes = new, sorted(new, key=self.number.__getitem__)
        return True

    def _copied(self, place):
        """Placements on axes of their own."""
        axes = dict.fromkeys(a for p in place.values() for axes in p for a in axes)
        fresh = {a: self.axes.new((self.axes.sizes[a],))[0][0] for a in axes}
        return {n: tuple([tuple([fresh[a] for a in axes]) for axes in p]) for n, p in place.items()}

    # --- the result

    def steps(self, made) -> list[KernelStep | OpStep]:
        found = []
        for g in self._ordered():
            for step in self._step(g):
                found.append(step)
                if made is not None and isinstance(step, KernelStep):
                    made(step)
        return found

    def _ordered(self) -> list[Group]:
        """Groups so that each comes after those it takes from, otherwise in the order of the program."""
        last = {g: self.number[g.nodes[-1]] for g in self.groups}
        home = {n: g for g in self.groups for n in g.nodes if n not in g.copies}
        ordered: dict[Group, None] = {}

        def needs(g):
            bases = {self.windows[v].base for n in g.nodes for v in n.values}
            found = {home[b.node] for b in bases if b.node is not None and b.node not in g.place}
            found.update(home[self.before[n]] for n in g.nodes if n in self.before)
            return iter(sorted(found - {g}, key=last.__getitem__))
        for first in sorted(self.groups, key=last.__getitem__):
            stack = [] if first in ordered else [(first, needs(first))]
            while stack:
                g, rest = stack[-1]
                following = next((x for x in rest if x not in ordered), None)
                if following is not None:
                    stack.append((following, needs(following)))
                else:
                    ordered[g] = None
                    stack.pop()
        return list(ordered)

    def _step(self, g: Group) -> list[KernelStep | OpStep]:
        if not g.fusable:
            return [OpStep(g.nodes[0], self.windows)]
        try:
            return [self._kernel_step(g)]
        except (NoKernel, KernelError):
            if len(g.nodes) == 1:
                return [OpStep(g.nodes[0], self.windows)]
            return [s for n in g.nodes for s in self._step(self._alone(n))]

    def _alone(self, node: Node) -> Group:
        place = self.axes.new(node.values[0].shape if _dims(node) is not None else node.outs[0].shape)
        dims = _dims(node)
        inner = None if dims is None else frozenset(a for d in dims for a in place[d])
        return Group(node, place, inner, 0, 0, True)

    def _kernel_step(self, g: Group) -> KernelStep:
        return _KernelWriter(self, g).step()


class _KernelWriter:
    """Writes the kernel of one group."""

    def __init__(self, fusion: _Fusion, g: Group):
        self.fusion, self.group = fusion, g
        self.k = Builder("fused")
        self.values: dict[Node, Scalar] = {}
        self.reads: dict[tuple, tuple[Scalar, Window, dict]] = {}
        biggest = max(g.place.values(), key=lambda p: sum(map(len, p)))
        space = [a for axes in biggest for a in axes]
        space += [a for a in fusion._space(g) if a not in space]
        inner = g.inner or frozenset()
        self.order = [a for a in space if a not in inner] + [a for a in space if a in inner]

    def step(self) -> KernelStep:
        g, fusion = self.group, self.fusion
        for n in g.nodes:
            full = g.place[n]
            inputs = [self._argument(a, full) for a in n.args]
            self.values[n] = emit_op(self.k, n.op, inputs)[0]
        written = [n for n in g.nodes if fusion.stored(n, g.place, g.copies)]
        kernel = self.k.finish(*[self.values[n] for n in written])
        sizes = fusion.axes.sizes
        outs = [steps(fusion.axes, n.outs[0].shape, own(n.outs[0]).strides, _placed_out(n, g.place[n]))
                for n in written]
        self._check(kernel, outs)
        along = [*[axes for _, _, axes in self.reads.values()], *outs]
        strides = [tuple([axes.get(a, 0) for a in self.order]) for axes in along]
        shape = tuple([sizes[a] for a in self.order])
        inner = None if g.inner is None else len(g.inner)
        reads = [w for _, w, _ in self.reads.values()]
        ops = [type(n.op).__name__.lower() for n in g.nodes]
        return KernelStep(kernel, shape, inner, reads, [n.outs[0] for n in written], strides, ops)

    def _check(self, kernel: Kernel, outs):
        """An output stored for each element must not be one value a row to the kernel, nor the reverse."""
        inner = self.group.inner
        for i, axes in zip(kernel.outputs, outs):
            if inner is not None and kernel.per_row[i] == bool(inner & set(axes)):
                raise NoKernel("an output is the same all over the row")

    def _argument(self, a, full: Placement):
        k = self.k
        if a is None:
            return None
        if not isinstance(a, Value):
            return k.const(a.item(), scalar_type(a.dtype))
        w = self.fusion.windows[a]
        if w.base.node in self.values:
            return self.values[w.base.node]
        placement = aligned(a.shape, full)
        along = steps(self.fusion.axes, a.shape, w.strides, placement)
        key = w.base, w.offset, tuple(sorted(along.items()))
        if key not in self.reads:
            inner = self.group.inner
            per_row = inner is not None and not any(x in inner for axes in placement for x in axes)
            value = k.operand(scalar_type(a.dtype), None, per_row)
            self.reads[key] = value, w, along
        return self.reads[key][0]


_rows_of = lru_cache(None)(row_dims)


def _dims(node: Node) -> tuple[int, ...] | None:
    return _rows_of(node.op, len(node.values[0].shape))


def _placed_out(node: Node, full: Placement) -> Placement:
    """The placement of an output, given that of the op's own dimensions."""
    dims = _dims(node)
    shape = node.outs[0].shape
    if dims is None or shape == node.values[0].shape:
        return full
    if len(shape) == len(full):
        return tuple([() if d in dims else axes for d, axes in enumerate(full)])
    return tuple([axes for d, axes in enumerate(full) if d not in dims])
