"""The loops around a kernel's scalar code: LLVM text for a `LoopNest`.

The function made has the signature ``void f(ptr block, i64 begin, i64 end)``.  The block holds 64-bit
words: the address of each operand and output, the size of each axis, and for each operand its stride
in bytes along each axis.  ``begin`` and ``end`` limit the first axis, so that several threads can share it.
Where all axes are one row, they are numbers of chunks, whose results go to memory that one more word
points to, and ``f_finish(block, 0, chunks)`` completes the work (`LoopNest.by_chunks`); or ignored.

One axis is run in SIMD lanes: first in steps of ``wide`` lanes, several machine registers, then the rest
in steps of ``narrow`` lanes under a mask.  A reduction keeps a vector of partial results; in long rows it is
folded together after each chunk, and sums and products of chunks are kept in double precision.  The
order of all this depends on sizes only, never on threads.
"""

from __future__ import annotations

from kobai.backends.llvm_text import Writer, constant, type_text
from kobai.compile.kernel import REDUCTIONS, TYPES, identity
from kobai.compile.lower import CHUNK, TALL_CHUNK, LoopNest

_PAGE = 4096  # bytes: processors that see by themselves what is read next see no further than the end of a page


class Scope:
    """What is known at a point of the loops: addresses, positions, values already computed."""

    def __init__(self, values, pointers, index, lanes=1, mask=None):
        self.values: dict[int, tuple[str, int]] = values
        self.pointers: list[str] = pointers
        self.index: dict[int, str] = index
        self.lanes, self.mask = lanes, mask

    def inside(self, **changes) -> Scope:
        """The scope of a loop body within this one."""
        new = Scope(dict(self.values), list(self.pointers), dict(self.index), self.lanes, self.mask)
        for name, value in changes.items():
            setattr(new, name, value)
        return new


class LoopEmitter(Writer):
    """Writes the function of one loop nest."""

    def __init__(self, nest: LoopNest, name: str, vector_bytes: int):
        super().__init__(vector_bytes)
        self.nest, self.name = nest, name
        self.kernel, self.layout = nest.kernel, nest.layout
        self.outer, self.axes = nest.outer, nest.layout.axes
        self.narrow, self.wide = nest.lanes(vector_bytes)
        self.uses = self.kernel.uses()
        self.streaming = False  # whether stores go past the caches now

    def text(self) -> str:
        """The function, or two."""
        text = self._function(self.name, lambda scope: self._descend(0, scope))
        if self.nest.by_chunks:
            text += "\n" + self._function(self.name + "_finish", self._finish)
        return text + "\n!0 = !{i32 1}\n" * self.layout.streamed

    def _function(self, name: str, body) -> str:
        self.lines = [f"define void @{name}(ptr noalias %block, i64 %begin, i64 %end) nounwind {{", "entry:"]
        count = len(self.layout.access)
        pointers = [self._word(i, "ptr") for i in range(count)]
        self.sizes = [self._word(count + d) for d in range(self.axes)]
        self.strides = [
            [self._word(count + self.axes * (1 + i) + d) if a == "s" else None for d, a in enumerate(access)]
            for i, access in enumerate(self.layout.access)
        ]
        if self.nest.by_chunks:
            self.chunk_results = self._word(count + self.axes * (1 + count), "ptr")
        self.slots: dict = {}
        body(Scope({}, pointers, {}))
        self.say("ret void")
        self.lines[2:2] = self._allocas()
        return "\n".join([*self.lines, "}"])

    def _word(self, i: int, t: str = "i64") -> str:
        address = self.do(f"getelementptr i64, ptr %block, i64 {i}")
        return self.do(f"load {t}, ptr {address}")

    def _allocas(self):
        return [f"  {name} = alloca {t}" for name, t in self.slots.values()]

    # --- loops

    def _descend(self, depth: int, scope: Scope):
        """Loops over rows, from axis ``depth`` inwards, and the row itself."""
        self._evaluate([i for i in range(len(self.kernel.nodes)) if self._is_known(i, depth)], scope)
        if depth == self.outer:
            return self._row(scope)
        self._axis(depth, scope, lambda inner: self._descend(depth + 1, inner))

    def _is_known(self, i: int, depth: int) -> bool:
        node = self.kernel.nodes[i]
        return self.nest.depth[i] == depth and self.nest.stage[i] == 0 and node.op not in REDUCTIONS

    def _axis(self, d: int, scope: Scope, body, limits=None):
        """The loop over axis ``d``, in lanes if it is the vector axis."""
        limits = limits or self._limits(d)
        if d != self.layout.vector:
            return self._loop(limits, 1, scope, lambda i, inner: body(self._moved(inner, d, i)))
        rest = limits[0]
        if self.wide:
            main = self._streamed if self.layout.streamed else self._loop
            rest = main(limits, self.wide, scope, lambda i, inner: body(self._moved(inner, d, i, self.wide)))
        self._masked_loop(
            (rest, limits[1]), scope, lambda i, mask, inner: body(self._moved(inner, d, i, self.narrow, mask))
        )

    def _limits(self, d: int):
        shared = d == 0 and not (self.outer == 0 and self.kernel.has_rows)
        return ("%begin", "%end") if shared else ("0", self.sizes[d])

    def _loop(self, limits, step: int, scope: Scope, body) -> str:
        """``for (i = start; i + step <= stop; i += step)``; returns where it stopped."""
        start, stop = limits
        head, inside, done = self.fresh("head"), self.fresh("body"), self.fresh("done")
        before = self._here()
        i, following = "%" + self.fresh("i"), "%" + self.fresh("n")
        self.say(f"br label %{head}")
        self.label(head)
        latch = self.fresh("latch")
        self.say(f"{i} = phi i64 [{start}, %{before}], [{following}, %{latch}]")
        self.say(f"{following} = add i64 {i}, {step}")
        more = self.do(f"icmp sle i64 {following}, {stop}")
        self.say(f"br i1 {more}, label %{inside}, label %{done}")
        self.label(inside)
        body(i, scope.inside())
        self.say(f"br label %{latch}")
        self.label(latch)
        self.say(f"br label %{head}")
        self.label(done)
        return i

    def _streamed(self, limits, step: int, scope: Scope, body) -> str:
        """`_loop` twice: past the caches, if all that is written begins at a border of a register; and as usual.

        As usual also where something is written in the place of what was read, which is in the caches.
        """
        bits = "0"
        for o in range(len(self.kernel.operands), len(self.layout.access)):
            offset = self.do(f"mul i64 {limits[0]}, {TYPES[self._stored_type(o)][2]}")
            place = self.do(f"getelementptr i8, ptr {scope.pointers[o]}, i64 {offset}")
            bits = self.do(f"or i64 {bits}, {self.do(f'ptrtoint ptr {place} to i64')}")
        low = self.do(f"and i64 {bits}, {self.vector_bytes - 1}")
        for i in range(len(self.kernel.operands)):
            for o in range(len(self.kernel.operands), len(self.layout.access)):
                same = self.do(f"icmp eq ptr {scope.pointers[i]}, {scope.pointers[o]}")
                low = self.do(f"select i1 {same}, i64 1, i64 {low}")
        past, usual, joined = self.fresh("past"), self.fresh("usual"), self.fresh("joined")
        self.say(f"br i1 {self.do(f'icmp eq i64 {low}, 0')}, label %{past}, label %{usual}")
        ends = []
        for label in (past, usual):
            self.label(label)
            self.streaming = label == past
            end = self._loop(limits, step, scope, body)
            if self.streaming:
                self.say("fence seq_cst")
            ends.append(f"[{end}, %{self._here()}]")
            self.say(f"br label %{joined}")
        self.streaming = False
        self.label(joined)
        return self.do(f"phi i64 {', '.join(ends)}")

    def _masked_loop(self, limits, scope: Scope, body):
        """The same for any number of elements, ``narrow`` at a time, lanes past the end masked off."""
        start, stop = limits
        n = self.narrow
        left = self.do(f"sub i64 {stop}, {start}")
        rounded = self.do(f"add i64 {left}, {n - 1}")
        steps = self.do(f"udiv i64 {rounded}, {n}")

        def masked(step, inner):
            passed = self.do(f"mul i64 {step}, {n}")
            i = self.do(f"add i64 {start}, {passed}")
            rest = self.do(f"sub i64 {left}, {passed}")
            short = self.do(f"call i64 @llvm.smin.i64(i64 {rest}, i64 {n})")
            limit = self.splat(self.do(f"trunc i64 {short} to i32"), "i32", n)
            lanes = ", ".join(f"i32 {lane}" for lane in range(n))
            mask = self.do(f"icmp slt <{n} x i32> <{lanes}>, {limit}")
            body(i, mask, inner)

        self._loop(("0", steps), 1, scope, masked)

    def _here(self) -> str:
        """The basic block being written."""
        return next(line[:-1] for line in reversed(self.lines) if line.endswith(":"))

    def _moved(self, scope: Scope, d: int, i: str, lanes: int | None = None, mask=None) -> Scope:
        """The scope at position ``i`` of axis ``d``."""
        scope.index[d] = i
        if lanes is not None:
            scope.lanes, scope.mask = lanes, mask
        for o, access in enumerate(self.layout.access):
            if access[d] == "1":
                size = TYPES[self._stored_type(o)][2]
                offset = self.do(f"mul i64 {i}, {size}") if size > 1 else i
            elif access[d] == "s":
                offset = self.do(f"mul i64 {i}, {self.strides[o][d]}")
            else:
                continue
            scope.pointers[o] = self.do(f"getelementptr i8, ptr {scope.pointers[o]}, i64 {offset}")
        return scope

    def _stored_type(self, o: int) -> str:
        operands = self.kernel.operands
        return operands[o].dtype if o < len(operands) else self.kernel.output_types[o - len(operands)]

    # --- the row: its passes, and values known between them

    def _row(self, scope: Scope):
        for p, nodes in enumerate(self.nest.passes):
            self._between(p, scope)
            self._pass(p, nodes, scope)
        if not self.nest.by_chunks:
            self._complete(scope)

    def _complete(self, scope: Scope):
        """What is known of the row after all passes."""
        self._between(len(self.nest.passes), scope)
        for o in self.nest.row_stores:
            self._store(o, scope)

    def _finish(self, scope: Scope):
        """Put the chunks' results together, in order."""
        self._evaluate([i for i in range(len(self.kernel.nodes)) if self._is_known(i, 0)], scope)
        reductions = self.nest.reductions
        for r in reductions:
            self._clear(r, "total", 1)

        def one(c, _):
            results = []
            for j, r in enumerate(reductions):
                t = type_text(self._total_type(r))
                results.append(self.do(f"load {t}, ptr {self._chunk_result(c, j)}"))
            self._add_to_totals(reductions, results, 1)

        self._loop(("0", "%end"), 1, scope, one)
        scope.values.update({r: (self._total(r, 1), 1) for r in reductions})
        self._complete(scope)

    def _chunk_result(self, chunk: str, j: int) -> str:
        """Where the result of a chunk for the reduction number ``j`` is: 8 bytes each."""
        first = self.do(f"mul i64 {chunk}, {len(self.nest.reductions)}")
        place = self.do(f"add i64 {first}, {j}")
        return self.do(f"getelementptr i64, ptr {self.chunk_results}, i64 {place}")

    def _between(self, stage: int, scope: Scope):
        """Values of the row that wait for a pass."""
        nodes = self.kernel.nodes
        self._evaluate(
            [
                i
                for i in range(len(nodes))
                if stage
                and self.nest.stage[i] == stage
                and self.nest.depth[i] == self.outer
                and nodes[i].op not in REDUCTIONS
            ],
            scope,
        )

    def _pass(self, p: int, nodes, scope: Scope):
        reductions = [r for r in self.nest.reductions if self.nest.stage[r] == p + 1]
        keep = scope.lanes if self.layout.tall else 1

        def chunk(limits):
            for r in reductions:
                for lanes in self._accumulators(scope):
                    self._clear(r, lanes, lanes)
            self._inner(self.outer, p, nodes, reductions, scope, limits)
            return [self._folded(r, scope) for r in reductions]

        if self.nest.by_chunks:
            return self._chunks(lambda c, limits: self._keep_chunk(c, reductions, chunk(limits)))
        if reductions and self.layout.long:
            for r in reductions:
                self._clear(r, "total", keep)
            self._chunks(lambda _, limits: self._add_totals(reductions, chunk(limits), keep))
            results = [self._total(r, keep) for r in reductions]
        else:
            results = chunk(None)
        scope.values.update({r: (result, keep) for r, result in zip(reductions, results)})

    def _keep_chunk(self, c: str, reductions, results):
        for j, (r, result) in enumerate(zip(reductions, results)):
            total = self._total_type(r)
            value = self.convert(result, self.kernel.nodes[r].dtype, total, 1)
            self.say(f"store {type_text(total)} {value}, ptr {self._chunk_result(c, j)}")

    def _accumulators(self, scope: Scope):
        """Numbers of lanes of the partial results: one for each loop that adds to them."""
        if self.layout.tall:
            return (scope.lanes,)
        return tuple(dict.fromkeys((self.wide or self.narrow, self.narrow)))

    def _chunks(self, chunk):
        """Run ``chunk`` for every part of the first axis of the row."""
        size, step = self.sizes[self.outer], str(TALL_CHUNK if self.layout.tall else CHUNK)
        if self.layout.inner > 1:
            others = self._product(self.sizes[self.outer + 1 :])
            others = self.do(f"call i64 @llvm.umax.i64(i64 {others}, i64 1)")
            step = self.do(f"udiv i64 {step}, {others}")
            step = self.do(f"call i64 @llvm.umax.i64(i64 {step}, i64 1)")
        rounded = self.do(f"add i64 {size}, {step}")
        rounded = self.do(f"sub i64 {rounded}, 1")
        count = self.do(f"udiv i64 {rounded}, {step}")

        def one(c, _):
            start = self.do(f"mul i64 {c}, {step}")
            stop = self.do(f"add i64 {start}, {step}")
            chunk(c, (start, self.do(f"call i64 @llvm.umin.i64(i64 {stop}, i64 {size})")))

        limits = ("%begin", "%end") if self.nest.by_chunks else ("0", count)
        self._loop(limits, 1, Scope({}, [], {}), one)

    def _inner(self, d: int, p: int, nodes, reductions, scope: Scope, limits):
        """Loops over the axes of the row, from axis ``d`` inwards, and the innermost body."""
        if d > self.outer:
            self._fetch(p, scope, d)
            self._evaluate([i for i in nodes if self.nest.depth[i] == d and i not in scope.values], scope)
        if d < self.axes:
            return self._axis(
                d, scope, lambda inner: self._inner(d + 1, p, nodes, reductions, inner, None), limits
            )
        if p == self.nest.ahead:
            self._ask_for_next_row(scope)
        for i, (pass_, o) in self.nest.kept.items():
            if pass_ == p and self.kernel.outputs[o] != i:  # outputs are stored below
                self._store(o, scope, i)
        for r in reductions:
            self._accumulate(r, scope)
        for o in self.nest.stores[p]:
            self._store(o, scope)

    def _ask_for_next_row(self, scope: Scope):
        """Ask for the same elements of the next row, while this one is computed."""
        last = self.outer - 1
        for o, access in enumerate(self.layout.access):
            if access[last] == "s" and access[self.axes - 1] == "1":
                self._ask(o, self.strides[o][last], scope)

    def _ask(self, o: int, offset, scope: Scope):
        """Have what lies so many bytes behind the elements of an operand brought into the second cache."""
        near = self.do(f"getelementptr i8, ptr {scope.pointers[o]}, i64 {offset}")
        for line in range(0, scope.lanes * TYPES[self._stored_type(o)][2], 64):
            place = self.do(f"getelementptr i8, ptr {near}, i64 {line}")
            written = int(o >= len(self.kernel.operands))
            self.say(f"call void @llvm.prefetch.p0(ptr {place}, i32 {written}, i32 2, i32 1)")

    def _fetch(self, p: int, scope: Scope, depth: int):
        """Values that an earlier pass has left in the memory of an output."""
        for i, (pass_, o) in self.nest.kept.items():
            if pass_ < p and i in self.nest.passes[p] and depth == self.axes:
                scope.values[i] = self._read(len(self.kernel.operands) + o, self.kernel.nodes[i].dtype, scope)

    # --- reductions

    def _slot(self, r: int, which, lanes: int):
        """The stack slot of a partial result, its type as IR and as text."""
        dtype = self._total_type(r) if which == "total" else self.kernel.nodes[r].dtype
        t = type_text(dtype, lanes)
        name, _ = self.slots.setdefault((r, which, lanes), (f"%acc{r}.{which}.{lanes}", t))
        return name, dtype, t

    def _total_type(self, r: int) -> str:
        node = self.kernel.nodes[r]
        return "f64" if node.op in ("sum", "prod") and node.dtype == "f32" else node.dtype

    def _clear(self, r: int, which, lanes: int):
        name, dtype, t = self._slot(r, which, lanes)
        self.say(f"store {t} {constant(identity(self.kernel.nodes[r].op, dtype), dtype, lanes)}, ptr {name}")

    def _accumulate(self, r: int, scope: Scope):
        node = self.kernel.nodes[r]
        name, dtype, t = self._slot(r, scope.lanes, scope.lanes)
        value = self._value(node.args[0], scope)
        if scope.mask:
            neutral = constant(identity(node.op, dtype), dtype, scope.lanes)
            value = self.do(f"select {type_text('bool', scope.lanes)} {scope.mask}, {t} {value}, {t} {neutral}")
        before = self.do(f"load {t}, ptr {name}")
        self.say(f"store {t} {self.combine(node.op, dtype, scope.lanes, before, value)}, ptr {name}")

    def _folded(self, r: int, scope: Scope) -> str:
        """The partial results of a reduction together: one number, or one for each lane if lanes are rows."""
        op = self.kernel.nodes[r].op
        result = None
        for lanes in self._accumulators(scope):
            name, dtype, t = self._slot(r, lanes, lanes)
            value = self.do(f"load {t}, ptr {name}")
            if self.layout.tall:
                return value
            value = self.across(op, dtype, lanes, value, self.narrow)
            result = value if result is None else self.combine(op, dtype, self.narrow, result, value)
        return self.across(op, dtype, self.narrow, result)

    def _add_totals(self, reductions, results, lanes: int):
        types = [(self.kernel.nodes[r].dtype, self._total_type(r)) for r in reductions]
        wide = [self.convert(result, *both, lanes) for result, both in zip(results, types)]
        self._add_to_totals(reductions, wide, lanes)

    def _add_to_totals(self, reductions, results, lanes: int):
        for r, result in zip(reductions, results):
            node = self.kernel.nodes[r]
            name, total, t = self._slot(r, "total", lanes)
            before = self.do(f"load {t}, ptr {name}")
            self.say(f"store {t} {self.combine(node.op, total, lanes, before, result)}, ptr {name}")

    def _total(self, r: int, lanes: int) -> str:
        name, dtype, t = self._slot(r, "total", lanes)
        return self.convert(self.do(f"load {t}, ptr {name}"), dtype, self.kernel.nodes[r].dtype, lanes)

    # --- values

    def _value(self, i: int, scope: Scope, lanes: int | None = None) -> str:
        """The name of a node's value in as many lanes as wanted."""
        lanes = scope.lanes if lanes is None else lanes
        node = self.kernel.nodes[i]
        if node.op == "const":
            return constant(node.attr[0], node.dtype, lanes)
        name, have = scope.values[i]
        if have == lanes:
            return name
        name = self.splat(name, node.dtype, lanes)
        scope.values[i] = name, lanes
        return name

    def _evaluate(self, nodes, scope: Scope):
        """Compute nodes in order; what only a rare branch needs is left to that branch."""
        nodes = [i for i in nodes if self.kernel.nodes[i].op != "const"]
        later = set()
        for i in reversed(nodes):
            if self._is_branch(i):
                later |= self._only_for(i, nodes)
        for i in nodes:
            if i not in later:
                scope.values[i] = (
                    self._branch(i, nodes, scope) if self._is_branch(i) else self._node(i, scope)
                )

    def _node(self, i: int, scope: Scope):
        node = self.kernel.nodes[i]
        if node.op == "load":
            return self._load(i, scope)
        if node.op in ("index", "size"):
            return self._position(node, scope)
        lanes = self._lanes_of(node.args, scope)
        args = [self._value(a, scope, lanes) for a in node.args]
        source = self.kernel.nodes[node.args[-1]].dtype
        return self.emit(node, args, source, lanes), lanes

    def _lanes_of(self, args, scope: Scope) -> int:
        """One lane is enough if no argument has more."""
        return max([scope.values[a][1] for a in args if a in scope.values], default=1)

    # --- rare branches

    def _is_branch(self, i: int) -> bool:
        node = self.kernel.nodes[i]
        return node.op == "where" and node.attr == "rare"

    def _only_for(self, i: int, nodes) -> set[int]:
        """The nodes that only the rare value of branch ``i`` needs."""
        found: set[int] = set()
        for j in reversed(nodes):
            if j < i and (j == self.kernel.nodes[i].args[1] or found & set(self.uses[j])):
                wanted_elsewhere = [u for u in self.uses[j] if u not in found and u != i]
                also_here = j in (self.kernel.nodes[i].args[0], self.kernel.nodes[i].args[2])
                if not wanted_elsewhere and not also_here and j not in self.kernel.outputs:
                    found.add(j)
        return found

    def _branch(self, i: int, nodes, scope: Scope):
        """``where`` whose rare value is computed only if some lane wants it."""
        node = self.kernel.nodes[i]
        own = [j for j in nodes if j in self._only_for(i, nodes)]
        lanes = scope.lanes
        condition = self._value(node.args[0], scope, lanes)
        usual = self._value(node.args[2], scope, lanes)
        any_lane = (
            condition
            if lanes == 1
            else self.do(f"call i1 @llvm.vector.reduce.or.v{lanes}i1(<{lanes} x i1> {condition})")
        )
        rare, done = self.fresh("rare"), self.fresh("done")
        before = self._here()
        self.say(f"br i1 {any_lane}, label %{rare}, label %{done}")
        self.label(rare)
        inner = scope.inside()
        self._evaluate(own, inner)
        t = type_text(node.dtype, lanes)
        value = self._value(node.args[1], inner, lanes)
        value = self.do(f"select {type_text('bool', lanes)} {condition}, {t} {value}, {t} {usual}")
        last = self._here()
        self.say(f"br label %{done}")
        self.label(done)
        return self.do(f"phi {t} [{usual}, %{before}], [{value}, %{last}]"), lanes

    # --- memory

    def _steps(self, access: str, scope: Scope) -> str:
        """How an operand moves from lane to lane: 0, 1 or s."""
        return access[self.layout.vector] if scope.lanes > 1 and self.layout.vector in scope.index else "0"

    def _load(self, i: int, scope: Scope):
        number, dtype = self.kernel.nodes[i].attr
        return self._read(number, dtype, scope)

    def _read(self, o: int, dtype: str, scope: Scope):
        how = self._steps(self.layout.access[o], scope)
        size = TYPES[dtype][2]
        lanes = 1 if how == "0" else scope.lanes
        t = type_text(dtype, lanes, stored=True)
        if how == "s":
            value = self._gather(o, t, dtype, scope)
        elif lanes > 1 and scope.mask:
            name = f"llvm.masked.load.v{lanes}{_memory_suffix(dtype)}.p0"
            mask = f"{type_text('bool', lanes)} {scope.mask}"
            value = self.do(
                f"call {t} @{name}(ptr align {size} {scope.pointers[o]}, {mask}, {t} zeroinitializer)"
            )
        else:
            value = self.do(f"load {t}, ptr {scope.pointers[o]}, align {size}")
            if self.layout.far and lanes > 1 and o < len(self.kernel.operands):
                self._ask(o, _PAGE, scope)
        if dtype == "bool":
            value = self.do(f"icmp ne {t} {value}, {'0' if lanes == 1 else 'zeroinitializer'}")
        return value, lanes

    def _addresses(self, o: int, scope: Scope) -> str:
        lanes = scope.lanes
        stride = self.splat(self.strides[o][self.layout.vector], "i64", lanes)
        numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))
        offsets = self.do(f"mul <{lanes} x i64> {stride}, <{numbers}>")
        return self.do(f"getelementptr i8, ptr {scope.pointers[o]}, <{lanes} x i64> {offsets}")

    def _mask(self, scope: Scope) -> str:
        return f"<{scope.lanes} x i1> {scope.mask or 'splat (i1 true)'}"

    def _gather(self, o: int, t: str, dtype: str, scope: Scope) -> str:
        lanes, size = scope.lanes, TYPES[dtype][2]
        name = f"llvm.masked.gather.v{lanes}{_memory_suffix(dtype)}.v{lanes}p0"
        where = f"<{lanes} x ptr> align {size} {self._addresses(o, scope)}"
        return self.do(f"call {t} @{name}({where}, {self._mask(scope)}, {t} zeroinitializer)")

    def _store(self, output: int, scope: Scope, node: int | None = None):
        """Write an output, or for the time being a node's value where the output will be."""
        o = len(self.kernel.operands) + output
        dtype = self.kernel.output_types[output]
        how = self._steps(self.layout.access[o], scope)
        size = TYPES[dtype][2]
        lanes = 1 if how == "0" else scope.lanes
        t = type_text(dtype, lanes, stored=True)
        value = self._value(self.kernel.outputs[output] if node is None else node, scope, lanes)
        if dtype == "bool":
            value = self.do(f"zext {type_text('bool', lanes)} {value} to {t}")
        if how == "s":
            name = f"llvm.masked.scatter.v{lanes}{_memory_suffix(dtype)}.v{lanes}p0"
            where = f"<{lanes} x ptr> align {size} {self._addresses(o, scope)}"
            self.say(f"call void @{name}({t} {value}, {where}, {self._mask(scope)})")
        elif lanes > 1 and scope.mask:
            name = f"llvm.masked.store.v{lanes}{_memory_suffix(dtype)}.p0"
            mask = f"{type_text('bool', lanes)} {scope.mask}"
            self.say(f"call void @{name}({t} {value}, ptr align {size} {scope.pointers[o]}, {mask})")
        else:
            how = f"{self.vector_bytes}, !nontemporal !0" if self.streaming and lanes > 1 else size
            self.say(f"store {t} {value}, ptr {scope.pointers[o]}, align {how}")

    def _position(self, node, scope: Scope):
        """``index`` and ``size``: positions count the elements of a row, or rows, in order."""
        which = range(self.outer) if node.attr == "row" else range(self.outer, self.axes)
        if node.op == "size":
            return self._product([self.sizes[d] for d in which]), 1
        position, lanes = "0", 1
        for d in which:
            position = self.do(f"mul i64 {position}, {self.sizes[d]}")
            position = self.do(f"add i64 {position}, {scope.index[d]}")
        if scope.lanes > 1 and self.layout.vector in which:
            lanes = scope.lanes
            numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))
            step = "1"
            for d in which:
                if d > self.layout.vector:
                    step = self.do(f"mul i64 {step}, {self.sizes[d]}")
            steps = self.do(f"mul <{lanes} x i64> {self.splat(step, 'i64', lanes)}, <{numbers}>")
            position = self.do(f"add <{lanes} x i64> {self.splat(position, 'i64', lanes)}, {steps}")
        return position, lanes

    def _product(self, factors) -> str:
        result = "1"
        for f in factors:
            result = self.do(f"mul i64 {result}, {f}")
        return result


def _memory_suffix(dtype: str) -> str:
    return type_text(dtype, stored=True).replace("half", "f16").replace("float", "f32").replace("double", "f64")
