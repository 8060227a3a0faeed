"""Gradients with a history (`create_graph=True`) that a program asks for again and again: one program computes them and
all that their graph saves, and a function that is written for it makes the nodes of that graph.

The nodes are those that the rules would have made, one for one, so nothing tells the two ways apart but time, and the
rounding of sums: see repeated.py, whose counts, signatures and limits are used here, too.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from .. import large
from ..tensor import Tensor, wrap
from .matching import Pattern, several
from .mode import Sites, modes
from .node import Node, here, next_order
from .repeated import MOST_SIGNATURES, _chosen, _plan, _walk

PATIENCE = 40    # passes from a line before its graphs are looked at
WAIT = 30        # passes of one signature from its recording to its first use
_ndarray, _generic = np.ndarray, np.generic


class Site:
    """A line that makes what is differentiated with a history."""

    __slots__ = ("left", "programs", "ready", "code")

    def __init__(self, code):
        self.left, self.programs, self.ready, self.code = PATIENCE, {}, [], code


_Sites = partial(Sites, Site)
_sites = _Sites()


class Again:
    """A recorded pass: `match` gives the parts of a graph like the recorded one, `run` computes, `build` makes nodes."""

    __slots__ = ("left", "job", "run", "match", "build", "chosen", "tried")

    def __init__(self, job, match, build, chosen):
        self.left, self.job, self.run, self.match, self.build, self.chosen = WAIT, job, None, match, build, chosen
        self.tried = False  # whether it has been seen to give what the engine gives


class Unlike(Exception):
    """The graph of these gradients is out of the ordinary."""


def gradients(roots, wanted, propagate):
    """The gradients {leaf: Tensor} of the leaves `wanted`, with a history, or None: the engine has to do it."""
    if any(root.__class__.__base__ is not Node or g.__class__ is not Tensor or g._rg for root, g in roots):
        return None
    site = _looked_at(roots[0][0])
    if site is None:
        return None
    given = [(root, g._data) for root, g in roots]
    for known in site.ready:
        found = known.match(given)
        if found is not None and known.chosen == _chosen(found[1], wanted):
            made = _rebuilt(site, known, found)
            if known.tried or made is None:
                return made
            known.tried, plain = True, propagate(roots, keep=True, graph=True, wanted=wanted)
            if not all(_are_alike(made[leaf], g) for leaf, g in plain.items()):
                _give_up(site, known)
            return plain
    walked = _walk(given)
    if not walked:
        if walked is None:
            site.programs = None
        return None
    key, arrays, leaves = walked
    chosen = _chosen(leaves, wanted)
    if len(chosen) != len(wanted):
        return None  # some are no leaves, or not reached
    known = site.programs.get((key, chosen))
    if known is None:
        if len(site.programs) >= MOST_SIGNATURES:
            site.programs, site.ready = None, []
            return None
        found, site.programs[key, chosen] = _record(roots, given, wanted, propagate, arrays, leaves, chosen)
        return found
    if not known:
        site.left -= 1
        if site.left < -PATIENCE and not site.ready:
            site.programs = None
    elif known.run is None:
        known.left -= 1
        if known.left <= 0:
            plan = known.job() if known.job else False
            if not plan:
                site.programs[key, chosen] = False
            else:
                known.run, known.job = plan.run, plan  # the plan owns the memory that `run` works in
                site.ready.append(known)
    return None


def _looked_at(root):
    """The Site of a pass, if its graphs are looked at by now."""
    site = _sites.looked_at(*root.where)
    return None if site is None or site.programs is None else site


def _rebuilt(site, known, found):
    """The gradients of a graph like the recorded one."""
    picked, leaves, nodes, raw = found
    out = known.run(*picked)
    if out is None:
        return None
    made = known.build(out, leaves, nodes, raw, here(5))
    if made is None:
        return None
    if not known.tried and len({id(t._data) for t in made}) < len({id(t) for t in made}):
        _give_up(site, known)  # the compiler found that some are equal
        return None
    return dict(zip([leaves[i] for i in known.chosen], made))


def _give_up(site, known):
    site.ready.remove(known)
    known.run, known.left, known.job = None, 1, None


def _are_alike(made, plain):
    """Whether a gradient is the engine's, up to rounding."""
    x, y = np.asarray(made._data), np.asarray(plain._data)
    if (x.dtype, x.shape, made._rg) != (y.dtype, y.shape, plain._rg) or x.size and x.strides != y.strides:
        return False
    rough = 1e-5 if x.dtype == np.float64 else 1e-2
    return np.allclose(x, y, rough, rough * float(np.abs(y[np.isfinite(y)]).max(initial=0)), equal_nan=True)


# ---- recording ---------------------------------------------------------------------------------
def _record(roots, given, wanted, propagate, arrays, leaves, chosen):
    """The gradients of a pass that is written down meanwhile, and the `Again` of it (False if that fails)."""
    from kobai.backends.eager import begin  # noqa: PLC0415  (the compiler is not loaded before it is needed)
    from kobai.compile.ssa import Builder, Unknown  # noqa: PLC0415
    from kobai.compile.trace import recording  # noqa: PLC0415

    start = next_order()
    with recording() as recorder:
        recorder.ties = True
        for k, a in enumerate(arrays):
            if id(a) not in recorder.externals:
                recorder.external(a, source=("saved", k))
        found = propagate(roots, keep=True, graph=True, wanted=wanted)
    if recorder.reason is not None or recorder.cells:
        return found, False
    try:
        pattern = Pattern(given)
        text = Text(recorder, start).follow(pattern)
        build = text.function([found[leaves[i]] for i in chosen])
        graph = Builder(recorder).graph(text.computed)
    except (Unknown, Unlike, KeyError):
        return found, False
    sources = [v.source.source for v in graph.inputs]
    if any(s is None or s[0] != "saved" for s in sources):
        return found, False
    for v in graph.inputs:
        v.source.array = None  # the arrays of this pass are not needed any more
    match = pattern.function([s[1] for s in sources], everything=True)
    return found, Again(begin(_plan, graph), match, build, chosen)


class Text:
    """Python that makes the nodes of a recorded graph of gradients anew, from computed arrays and those of the first graph.

    Its variables: `o` the arrays that the program computed, `a` those of the first graph, `l` its leaves, `n` its nodes.
    """

    def __init__(self, recorder, start):
        self.start = start
        self.scope = {"new": object.__new__, "next_order": next_order, "wrap": wrap}
        self.lines: list[str] = []
        self.checks: list[str] = []
        self.computed: list = []
        self.first: dict = {}   # {id: name}, all of them
        self.leaves: dict = {}
        self.arrays: dict = {}
        self.cells: dict = {}
        self.made_by = {id(call.outs[0]): call for call in recorder.log if getattr(call, "op", None) is not None
                        and call.op.view and call.op.outputs == 1}
        self.constants = {i: e.array for i, e in recorder.externals.items() if e.constant is not None}
        self.literals = recorder.literals
        self.nodes: dict = {}
        self.tensors: dict = {}
        self.alive: list = [recorder]  # whose ids are used here

    def follow(self, pattern):
        """The names of what the first graph consists of; `Unlike` if a leaf does not hold what was saved of it."""
        self.first = {id(node): f"n[{i}]" for i, node in enumerate(pattern.order)}
        self.leaves = {id(leaf): f"l[{i}]" for i, leaf in enumerate(pattern.leaves)}
        self.arrays = {i: f"a[{k}]" for k, i in enumerate(pattern.arrays)}
        self.cells = {id(leaf._ver): f"{self.leaves[id(leaf)]}._ver" for leaf in pattern.leaves}
        self.alive.append(pattern)
        self._leaves_hold(pattern)
        return self

    def _leaves_hold(self, pattern):
        """What was saved of a leaf is its array still: else its history would have one more step."""
        for node in pattern.order:
            for i, ask in enumerate(node.vjp.asks):
                if ask in node.op.inputs and not node.op.variadic:
                    edge = node.edges[node.op.inputs.index(ask)]
                    value = node.saved[i]
                    if isinstance(edge, Tensor) and isinstance(value, (_ndarray, _generic)):
                        if edge._data is not value:
                            raise Unlike
                        self.checks.append(f" if {self.leaves[id(edge)]}._data is not {self.arrays[id(value)]}: return None")
                elif ask in node.op.inputs and any(isinstance(e, Tensor) for e in node.edges):
                    raise Unlike

    def function(self, tensors):
        """build(o, l, n, a, where): the gradients as Tensors with new nodes; None if a leaf is not as it was."""
        for node in self.new_nodes(tensors):
            self.node(node)
        result = ", ".join([self.tensor(t) for t in tensors])
        return self.compiled("o, l, n, a, where", f"({result},)")

    def compiled(self, parameters, result):
        """The function of all lines so far."""
        body = "\n".join([*self.checks, *self.lines])
        exec(compile(f"def build({parameters}):\n{body}\n return {result}\n", "<kobai again>", "exec"), self.scope)
        self.alive.clear()
        return self.scope["build"]

    def new_nodes(self, tensors):
        """The nodes that the pass made, earliest first."""
        stack = [t._node for t in tensors if t._node is not None]
        seen: dict = {}
        while stack:
            node = stack.pop()
            if id(node) in seen or id(node) in self.first or id(node) in self.leaves:
                continue
            if isinstance(node, Tensor):
                self.leaf(node)
                continue
            if not isinstance(node, Node) or node._order > self.start or node.op is None or node.hooks is not None \
                    or node.extra is not None and [*node.extra] != ["gradient"] or node.saved.__class__ is not tuple:
                raise Unlike
            seen[id(node)] = node
            stack.extend([e for e in node.edges if e is not None])
        return sorted(seen.values(), key=lambda node: -node._order)

    def leaf(self, t):
        """Name a leaf that was not there before."""
        raise Unlike

    def place(self, node):
        """The name of what says which line made a node."""
        return "where"

    def output(self, i):
        """What gives the array number i that the program computed."""
        return f"o[{i}]"

    def constant(self, value):
        name = f"k{len(self.scope)}"
        self.scope[name] = value
        return name

    def _edge(self, e):
        if e is None:
            return "None"
        return self.first.get(id(e)) or self.leaves.get(id(e)) or self.nodes[id(e)]

    def node(self, node):
        name = self.nodes[id(node)] = f"m{len(self.nodes)}"
        count = len(node.vjp.asks)
        saved = node.saved[:count] if node.vjp.cells else node.saved
        values = [self._value(v) for v in saved]
        if node.vjp.cells:
            cells = [self._cell(c) for c in node.saved[count:-1]]
            values += [*cells, " + ".join(f"{c}[0]" for c in cells)]
        vjp, op = node.vjp, node.op
        if any(isinstance(v, _ndarray) and v.size >= large.LARGE and v.size >= op.least for v in saved):
            vjp = large.backward(op, sum(1 << i for i, e in enumerate(node.edges) if e is not None), vjp)
        edges = [self._edge(e) for e in node.edges]
        fit = node.fit and tuple([f if e is not None else None for f, e in zip(node.fit, node.edges)])
        fit = fit if fit and any(f is not None for f in fit) else None  # numbers among the inputs have no shape
        node.fit, node.vjp = fit, vjp  # as if the node had not been recorded
        fields = {"op": self.constant(op), "vjp": self.constant(vjp), "hooks": "None", "extra": self.origin(node),
                  "fit": "None" if fit is None else self.constant(fit), "where": self.place(node),
                  "edges": several(edges), "saved": several(values), "_order": "next_order()"}
        self.lines.append(f" {name} = new({self.constant(type(node))})")
        self.lines.append(" " + "; ".join(f"{name}.{k} = {v}" for k, v in fields.items()))

    def origin(self, node):
        """What the picture knows of the rule that made a gradient, see `note_gradients`."""
        made = (node.extra or {}).get("gradient")
        if made.__class__ is not tuple:
            return "None"
        by, number, g = made
        names = [self.first.get(id(e)) or self.nodes.get(id(e)) for e in (by, g)]
        if names[0] in (None, "None") or names[1] in (None, "None") and g is not None:
            return "None"
        return f'{{"gradient": ({names[0]}, {number}, {names[1]})}}'

    def _cell(self, cell):
        """The version cell of something saved: of a leaf, or of a tensor that this pass made."""
        known = self.cells.get(id(cell))
        if known is None:
            if cell.__class__ is not list or cell[0]:
                raise Unlike
            known = self.cells[id(cell)] = f"c{len(self.cells)}"
            self.lines.append(f" {known} = [0, None]")
        return known

    def _value(self, v):
        if v.__class__ is _ndarray or isinstance(v, _generic):
            return self._array(v)
        if v.__class__ is tuple and any(isinstance(i, (_ndarray, _generic, Tensor)) for i in v) or isinstance(v, Tensor):
            raise Unlike
        return self.constant(v)

    def _array(self, a):
        """Where to find an array: among the first graph's, as a view of another, or computed by the program."""
        known = self.arrays.get(id(a))
        if known is not None:
            return known
        if id(a) in self.constants or isinstance(a, _generic) and id(a) in self.literals:
            return self.constant(a)
        call = self.made_by.get(id(a))
        if call is not None:
            source = self._array(call.args[0])
            expression = f"{self.constant(call.op)}.forward({source})"
        else:
            self.computed.append(a)
            expression = self.output(len(self.computed) - 1) + ("" if a.shape else "[()]")
        name = self.arrays[id(a)] = f"v{len(self.arrays)}"
        self.lines.append(f" {name} = {expression}")
        return name

    def tensor(self, t):
        """The name of a gradient, which has memory of its own, or is a view of a tensor that has."""
        known = self.tensors.get(id(t))
        if known is not None:
            return known
        if t.__class__ is not Tensor:
            raise Unlike
        base, cell = None, self._cell(t._ver)
        if t._base is not None:
            base = self.tensor(t._base)
            if t._base._base is not None or t._base._data.__class__ is not _ndarray or id(t._data) not in self.made_by:
                raise Unlike
        elif id(t._data) in self.constants or id(t._data) in self.made_by or not np.asarray(t._data).flags.c_contiguous \
                or self.arrays.get(id(t._data), "v").startswith("a"):
            raise Unlike
        name = self.tensors[id(t)] = f"t{len(self.tensors)}"
        self.lines.append(f" {name} = wrap({self._array(t._data)}); {name}._ver = {cell}")
        if base is not None:
            self.lines.append(f" {name}._base = {base}; {name}._chain = {self.constant(t._chain)}; "
                              f"{name}._seen = {base}._rebased")
        if t._node is not None:
            self.lines.append(f" {name}._node = {self._edge(t._node)}; {name}._rg = True")
        return name


def is_ordinary():
    """Whether nobody watches what the pass does."""
    return modes.trace is None and modes.grad and modes.look is None and not modes.anomaly and modes.pack is None \
        and not modes.dual
