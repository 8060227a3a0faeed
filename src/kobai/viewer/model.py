"""The graph of a program as plain data (what ``json.dumps`` takes): what the page of the viewer shows.

`describe` gives a dictionary; everything in it is numbers, texts, lists, dictionaries, True, False and None.
Numbers that JSON does not have are the texts "nan", "inf" and "-inf".

    format      "kobai-graph", version 1
    title       text; the name of the program or of the model
    lang        "en" or "ja"
    notes       [code or "code: what"]: "freed" (the graph was freed before it was looked at, so values and the
                backward film are missing), followed by why it could not be computed once more ("random: line",
                "function: name", "many: operations", "input: line", "changed: ", "either: line") and "see-all"; "anew" (it was
                freed, and could be computed once more with the same result), "replayed" (values that nobody kept
                were computed again), "shortened" (the program did more than is kept: the last steps are shown),
                "no-film" (backward could not be run for the film), "long-film: steps" (too many to show)
    nodes       [node], inputs before those who use them; a node's place in the list is its id:
        id              its place
        kind            "op", "leaf" (requires grad), "parameter" (a leaf that is an nn.Parameter), "constant"
                        (no gradient)
        op              "mul": the operation as one calls it; "" for what no operation made
        grad_fn         "MulBackward0", or ""
        name            of the variable or parameter, or ""
        module          place of the innermost module call in `modules`, or None
        root            True for what was asked for (the loss)
        shape, dtype    [2, 3], "float32"; None where nothing is known
        value           Value or None
        outputs         number of results; if more than one, value is that of the first known one
        grad            Value or None: what backward left in `.grad`, or what passes here in the film
        bytes           of the result's memory; 0 for a view
        saved_bytes     kept for backward
        time, back_time seconds of the forward and the backward step, or None
        source          None, or {"file": place in `files`, "line": from 1, "function": name}
        formula         "a * b": what the operation computes, from its class
        doc             place in `docs`, or None
        numbers         "2 × 5 = 10": the same with numbers, for scalars, or ""
        settings        ["dim=1"]: the parameters of the operation, and Python numbers among its inputs
        stops           None, or why no gradient goes on from here: "detach", "no_grad", "integer",
                        "not-differentiable", "constant" (a leaf without requires_grad)
    edges       [[from, to, input number, output number]]
    modules     [module]: one for each call of a module, outer ones first. Folding one gives no cycles.
                {id, parent: id or None, name: "layer1", path: "layer1.act", type: "Linear", call: 1 for the
                second call of the same module, nodes: number of nodes in it with all below, kind: "module" or
                "run" (part of a long stretch of operations without modules)}
    files       [{"name": "train.py", "text": the source, or "" if it cannot be had}]
    docs        [[the first line of an operation's docstring, the same in Japanese]]
    forward     [node id]: the operations in the order in which they ran
    backward    [step] in the order in which they run; a step is
        node        id
        g           Value: the gradient that arrives at the node (the sum of `parts`)
        parts       [{"from": node id or None for the start, "value": Value}]: more than one meet and add
        inputs      [{"to": node id or None, "name": "a", "formula": "g * b": from the rule of the op's class,
                    or "" where it takes more than a line: then "rule" is its source,
                    "derivative": "b", the local derivative alone, or "" where the rule is no product,
                    "local": Value or None: its numbers, "out": Value or None: what goes on,
                    "text": "1 × 5 = 5": incoming × local = outgoing with numbers, for scalars, or "",
                    "stop": None or a reason as in a node's `stops`}]
        leaf        True where a gradient arrives in `.grad`: then `inputs` is empty
    training    None, or
        parameters  [{"name": "layer1.weight", "shape": [..], "node": id or None}]
        steps       [{"step": number of the backward(), "loss": number or None, "values": [Value or None],
                    "grads": [Value or None]}]: before the optimizer's step; at most 200, evenly over the program

    Value       {"shape": [..], "dtype": "float32",
                 "data": flat list of numbers (row by row), if there are at most 64, else missing
                 "min", "max", "mean", "std": of the finite elements, or None; only if there is no "data"
                 "nan", "inf": how many; only if there is no "data"
                 "map": {"rows": r, "columns": c, "levels": base64 of r*c bytes, 0 for `min` and 254 for
                 `max`, 255 for what is not finite}: the heat map, missing where there are too many of them
                 "corner": {"rows": r, "columns": c, "data": [..]}: the first numbers}
"""

from __future__ import annotations

import inspect
import linecache
import os
import sys
import textwrap
from functools import lru_cache

import numpy as np

from ..autograd.node import Node, Port
from ..diagnose.anew import MOST_NUMBERS, Lost, is_freed, recorded_anew, size_of
from ..diagnose.formula import applied, formula
from ..diagnose.language import language
from ..diagnose.tape import slot_of
from ..nn import Module, Parameter
from ..op import Elementwise
from ..rules import asks_of
from ..tensor import Tensor, edge_of
from . import film as films
from .docs_ja import DOCS
from .draw import nothing_to_draw
from .folding import place_in_modules
from .graph import is_tensor, tensors_in
from .history import from_graph
from .known import argument_names
from .ownership import group, owners
from .record import Recording
from .trace import Call, Source, Trace, line
from .values import number, summary

MAPS = ((400, 24), (4000, 10))  # up to so many nodes, heat maps of so many rows and columns; then none
MOST_FILM = 6000  # steps of backward


def describe(what, *inputs, params: dict | None = None, variables: dict | None = None, film: bool = True,
             lang: str = "", title: str = "", **options) -> dict:
    """The description of a computation, in the format at the top of this file.

    Args:
        what: a tensor or tuple of tensors (their recorded graph), a module or function that is called on
            ``inputs`` and ``options``, or a `record.Recording`.
        params: names of tensors, in addition to ``variables``, by default those of the caller.
        film: run backward for the film, without touching any ``.grad``.
        lang: "en" or "ja" if not the reader's own.

    Raises:
        TypeError: there is nothing to show in ``what``, or in what it returned.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> d = describe(w * 5)
    >>> [(n["op"], n["name"], n["numbers"]) for n in d["nodes"]]
    [('', 'w', ''), ('mul', '', '2 × 5 = 10')]
    >>> d["backward"][0]["inputs"][0]["formula"], d["backward"][0]["inputs"][0]["text"]
    ('g * b', '1 × 5 = 5')
    """
    if variables is None:
        frame = sys._getframe(1)
        variables = {**frame.f_globals, **frame.f_locals}
    if isinstance(what, Recording):
        trace = what.trace()
    else:
        names = dict(named(variables, params))
        as_tensors = is_tensor(what) or not callable(what)
        trace = _of_tensors(what, names, variables) if as_tensors else _of_call(what, inputs, options, names)
        if as_tensors:
            group(trace.calls, owners(variables))
        if film and not trace.film:
            _add_film(trace)
    return _Description(trace, title, lang or language()).result


def named(variables: dict, params: dict | None = None):
    """(id of a tensor or its array, (name, tensor)) for variables, parameters of modules among them, and ``params``."""
    for name, value in [*variables.items(), *(params or {}).items()]:
        if name.startswith("_") or isinstance(value, type):
            continue
        if isinstance(value, Module):
            yield from named(dict(value.named_parameters()))
        elif isinstance(value, Tensor):
            yield id(value), (name, value)
            yield id(value._value), (name, value)


def _of_tensors(what, names: dict, variables: dict) -> Trace:
    outputs = tensors_in(what)
    if not outputs:
        raise nothing_to_draw(what, "view")
    freed = is_freed(outputs)
    found = recorded_anew(outputs, [variables]) if freed or size_of(outputs) <= MOST_NUMBERS else None
    again = None if isinstance(found, Lost) else found
    if freed and again is not None:
        before, outputs = outputs, [again.tensors.get(slot_of(edge_of(t)), t) for t in outputs]
        names |= {id(new): names[id(old)] for old, new in zip(before, outputs) if id(old) in names}
    trace = from_graph(outputs, lambda value: names.get(id(value), ("",))[0], again)
    if freed and again is not None:
        trace.notes = ["anew"]  # all was computed again, so that some of it was need not be said
    elif freed and isinstance(found, Lost):
        trace.notes[1:1] = [f"{found.why}: {found.what}", "see-all"]
    trace.start = [(edge_of(t), _seed(t)) for t in outputs if t._node is not None]
    return trace


def _of_call(function, inputs: tuple, options: dict, names: dict) -> Trace:
    """One call of a module or function, noted while it runs."""
    recording = Recording()
    recording.names.update(names)
    recording.names.update(named(dict(zip(argument_names(function), inputs))))
    with recording:
        outputs = tensors_in(function(*inputs, **options))
    if not outputs:
        raise nothing_to_draw(function, "view")
    recording.result(outputs)
    trace = recording.trace()
    trace.start = [(edge_of(t), _seed(t)) for t in outputs if t._node is not None]
    return trace


def _seed(tensor):
    """The gradient to start from: one for each element, as if the sum were the loss."""
    value = tensor._value
    return value.dtype.type(1) if not value.shape else np.ones(value.shape, value.dtype)


def _add_film(trace: Trace) -> None:
    if trace.start:
        steps = films.run(trace.start)
        if steps is None and "freed" not in trace.notes:
            trace.notes.append("no-film")
        trace.film = steps or []


class _Description:
    """The plain data of a trace, while it is put together."""

    def __init__(self, trace: Trace, title: str, lang: str):
        self.trace = trace
        calls = shown_calls(trace)
        self.cells = next((cells for most, cells in MAPS if len(calls) <= most), 0)
        self.ids: dict[object, int] = {}  # Call or Source -> id
        self.by_edge: dict[object, int] = {}  # node or leaf -> id
        self.nodes: list[dict] = []
        self.edges: list[list[int]] = []
        self.files: dict[str, int] = {}
        self.docs: dict[tuple, int] = {}
        self.roots = {made for made, _ in trace.roots}
        for call in calls:
            self.add_call(call)
        for made, _ in trace.roots:
            if made not in self.ids:
                self.add_source(made)
        given = {id(made.tensor): i for made, i in self.ids.items() if isinstance(made, Source)}
        modules = place_in_modules(self.nodes, self.edges, {self.ids[call]: call.module for call in calls}, given)
        backward = Backward(self).steps() if trace.film else []
        self.result = {
            "format": "kobai-graph", "version": 1, "title": title or self.title(), "lang": lang,
            "notes": list(dict.fromkeys(trace.notes)), "nodes": self.nodes, "edges": self.edges, "modules": modules,
            "files": [{"name": name, "text": source_text(name)} for name in self.files], "docs": list(map(list, self.docs)),
            "forward": [self.ids[call] for call in calls], "backward": backward, "training": self.training(),
        }

    def title(self) -> str:
        outer = {outermost(c.module).name for c in self.trace.calls if c.module is not None}
        return outer.pop() if len(outer) == 1 else next(iter(map(os.path.basename, self.files)), "kobai")

    # ---- nodes -------------------------------------------------------------------------------
    def add_source(self, source: Source) -> int:
        """The node of a leaf or constant; its id."""
        value = source.value()
        tensor = source.tensor
        kind = "constant" if not source.requires_grad else "parameter" if isinstance(tensor, Parameter) else "leaf"
        node = self.node(source, kind, value, source.name)
        node["grad"] = self.value(source.grad)
        node["bytes"] = getattr(value, "nbytes", 0)
        if kind == "constant":
            integer = getattr(getattr(value, "dtype", None), "kind", "f") in "iub"
            node["stops"] = "detach" if source.cut else "integer" if integer else "constant"
        if tensor is not None:
            self.by_edge[tensor] = node["id"]
        return node["id"]

    def add_call(self, call: Call) -> None:
        """The node of an operation, after those of its inputs."""
        made = [(number, *pair) for number, pair in enumerate(call.inputs) if pair is not None]
        for _, source, _ in made:
            if source not in self.ids:
                self.add_source(source)
        value = next((v for v in call.outs if v is not None), None)
        node = self.node(call, "op", value, call.name)
        op = call.op
        node |= {
            "op": call.label, "grad_fn": type(call.node).__name__ if call.node is not None else "",
            "outputs": max(1, len(call.outs)), "bytes": 0 if call.view else sum(getattr(v, "nbytes", 0) for v in call.outs),
            "saved_bytes": saved_bytes(call.node), "time": call.seconds, "source": self.source(call.where),
            "stops": why_it_stops(call, value),
        }
        if op is not None:
            names = [*op.inputs, *op.inputs[-1:] * (len(call.inputs) - len(op.inputs))]
            constants = [f"{names[i]}={short(v)}" for i, v in call.numbers.items() if i < len(names)]
            node |= {"formula": applied(op, names), "settings": [*constants, *settings(op)],
                     "doc": self.docs.setdefault(doc_of(op.__class__), len(self.docs)),
                     "numbers": in_numbers(op, self.scalars(call), call)}
        for slot, source, output in made:
            self.edges.append([self.ids[source], node["id"], slot, output])
        if call.node is not None:
            self.by_edge[call.node] = node["id"]

    def node(self, key, kind: str, value, name: str) -> dict:
        shown = self.value(value)
        node = {
            "id": len(self.nodes), "kind": kind, "op": "", "grad_fn": "", "name": name, "module": None,
            "root": key in self.roots, "shape": shown and shown["shape"], "dtype": shown and shown["dtype"],
            "value": shown, "outputs": 1, "grad": None, "bytes": 0, "saved_bytes": 0, "time": None, "back_time": None,
            "source": None, "formula": "", "doc": None, "numbers": "", "settings": [], "stops": None,
        }
        self.ids[key] = node["id"]
        self.nodes.append(node)
        return node

    def value(self, array, cells: int | None = None) -> dict | None:
        if array is None or isinstance(array, dict):
            return array
        return summary(array, self.cells if cells is None else cells)

    def scalars(self, call: Call) -> list:
        """The numbers that the inputs are; None for what is no number, or not known."""
        found = []
        for i, pair in enumerate(call.inputs):
            made, output = pair or (None, 0)
            outs = made.outs if isinstance(made, Call) else () if made is None else (made.value(),)
            value = call.numbers.get(i, outs[output] if output < len(outs) else None)
            found.append(None if value is None or isinstance(value, dict) or np.shape(value) else number(value))
        return found

    def source(self, where) -> dict | None:
        found = line(where)
        if found is None:
            return None
        name, at, function = found
        place = self.files.setdefault(name, len(self.files))
        return {"file": place, "line": at, "function": "" if function == "<module>" else function}

    # ---- training ----------------------------------------------------------------------------
    def training(self) -> dict | None:
        """Loss, parameters and gradients of the recorded steps."""
        steps = self.trace.training
        if not steps:
            return None
        leaves = list(dict.fromkeys(leaf for step in steps for leaf in step.values))
        leaves.sort(key=lambda leaf: self.by_edge.get(leaf, len(self.nodes)))  # as they stand in the graph
        names = self.trace.parameters
        return {
            "parameters": [{"name": names.get(leaf, "") or f"#{i}", "shape": [int(n) for n in leaf._value.shape],
                            "node": self.by_edge.get(leaf)} for i, leaf in enumerate(leaves)],
            "steps": [{"step": s.step,
                       "loss": number(s.loss) if s.loss is not None and not np.shape(s.loss) else None,
                       "values": [self.of_step(s, leaf)[0] for leaf in leaves],
                       "grads": [self.of_step(s, leaf)[1] for leaf in leaves]} for s in steps],
        }

    def of_step(self, step, leaf) -> tuple:
        """A parameter and its gradient in a training step; steps are told again at each look at a running program."""
        if leaf not in step.told:
            step.told[leaf] = self.value(step.values.get(leaf), 0), self.value(step.grads.get(leaf), 0)
        return step.told[leaf]


class Backward:
    """The steps of backward as plain data: what meets at a node, what its rule makes of it."""

    def __init__(self, description: _Description):
        self.d = description
        self.parts: dict[object, list] = {}  # node or leaf -> what arrived: [(id of the node it came from, gradient)]
        self.cells = min(description.cells, 12)
        self.feeding = {(user, slot): source for source, user, slot, _ in description.edges}

    def steps(self) -> list[dict]:
        """All steps; of a graph too large for a film only the gradients, which stay with the nodes."""
        for edge, g in self.d.trace.start:
            self.arrive(edge, None, g)
        film = [back for back in self.d.trace.film if back.node in self.d.by_edge]
        if len(film) > MOST_FILM:
            self.d.trace.notes.append(f"long-film: {len(film):,}")
            for back in film:
                self.keep(back, self.value(back.g))
            return []
        return [self.step(back) for back in film]

    def keep(self, back, g: dict | None) -> dict:
        """Note gradient and time with the node, which is the result."""
        node = self.d.nodes[self.d.by_edge[back.node]]
        if node["grad"] is None:
            node["grad"] = g
        if isinstance(back.node, Node):
            node["back_time"] = back.seconds
        return node

    def arrive(self, edge, origin, g) -> None:
        if edge is not None and g is not None:
            self.parts.setdefault(edge.node if isinstance(edge, Port) else edge, []).append((origin, g))

    def value(self, array) -> dict | None:
        if isinstance(array, (tuple, list)):  # of a node with several outputs
            array = next((v for v in array if v is not None), None)
        return self.d.value(getattr(array, "_value", array), self.cells)

    def step(self, back) -> dict:
        g = self.value(back.g)
        here = self.keep(back, g)["id"]
        out = {"node": here, "g": g, "leaf": not isinstance(back.node, Node), "inputs": [],
               "parts": [{"from": origin, "value": self.value(v)} for origin, v in self.parts.get(back.node, ())]}
        if not out["leaf"]:
            out["inputs"] = [self.input(back, i, edge) for i, edge in enumerate(back.node.edges)
                             if edge is not None or (here, i) in self.feeding]
            for edge, sent in zip(back.node.edges, back.outs):
                self.arrive(edge, here, sent)
        return out

    def input(self, back, i: int, edge) -> dict:
        """What a node sends to one of its inputs, and the formula of it."""
        op = back.node.op
        sent = back.outs[i] if i < len(back.outs) else None
        found = formula(op, i) if op is not None and i < len(op.inputs) else None
        local = self.local(op, i, back.saved) if edge is not None else None
        target = edge.node if isinstance(edge, Port) else edge
        source = self.feeding.get((self.d.by_edge[back.node], i))
        text = found.text if found else ""
        return {
            "to": self.d.by_edge.get(target) if edge is not None else source,
            "name": op.inputs[min(i, len(op.inputs) - 1)] if op is not None and op.inputs else "",
            "formula": "" if not found else product(text) if found.factor else text,
            "derivative": text if found and found.factor else "",
            "rule": rule_source(op, i) if edge is not None and not found else "",
            "local": self.value(local), "out": self.value(sent) if edge is not None else None,
            "text": multiplied(back.g, local, sent),
            "stop": None if edge is not None else self.reason(source),
        }

    def reason(self, source: int | None) -> str:
        return "constant" if source is None else self.d.nodes[source]["stops"] or "constant"

    def local(self, op, i: int, saved: dict):
        """dy/dx of an elementwise operation, as its rule computes it from what was saved."""
        if not isinstance(op, Elementwise) or op.joint or i >= len(op.inputs) or f"vjp_{op.inputs[i]}" in dir(op):
            return None
        rule = op.rules.get(op.inputs[i])
        if not callable(rule):
            return None if rule is None else np.float64(rule)
        try:
            d = rule(op, *[saved[a] for a in asks_of(rule)])
            return np.asarray(d)[()] if isinstance(d, (int, float, complex)) else d
        except (KeyError, TypeError, ValueError):  # freed, or packed by a hook
            return None


def outermost(module):
    """The call of a module that no other one contains."""
    while module.parent is not None:
        module = module.parent
    return module


def shown_calls(trace: Trace) -> list[Call]:
    """The calls that lead to the roots, and those that take a result of them and lead nowhere."""
    shown: set = set()
    stack = [made for made, _ in trace.roots]
    while stack:
        made = stack.pop()
        if made not in shown:
            shown.add(made)
            stack += [pair[0] for pair in getattr(made, "inputs", ()) if pair is not None]
    for call in trace.calls:
        if call not in shown and any(p is not None and isinstance(p[0], Call) and p[0] in shown for p in call.inputs):
            shown.add(call)
    return [call for call in trace.calls if call in shown]


def why_it_stops(call: Call, value) -> str | None:
    """Why no gradient goes on from an operation although one of its inputs requires it."""
    if not call.needs or call.node is not None:
        return None
    if call.label == "detach":
        return "detach"
    if not call.recording:
        return "no_grad"
    if getattr(getattr(value, "dtype", None), "kind", "f") in "iub":
        return "integer"
    return None if call.op is None or call.op.differentiable else "not-differentiable"


def doc_of(op_class):
    """What an operation does, in English and Japanese."""
    text = (op_class.__doc__ or "").strip().split("\n")[0]
    return text, DOCS.get(op_class.__name__, text)


def settings(op):
    """The parameters of an op, as ``dim=1``; those at their defaults say nothing."""
    for name in dict.fromkeys(op.fields):
        value = getattr(op, name)
        if value is not None and value is not False and value != getattr(type(op), name, None):
            shown = f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, np.dtype) else repr(value)
            text = f"{name}={shown}"
            yield text if len(text) <= 60 else text[:57] + "..."


def saved_bytes(node) -> int:
    """The memory that a node keeps for backward."""
    saved = getattr(node, "saved", ())
    return sum(v.nbytes for v in saved if isinstance(v, np.ndarray)) if isinstance(saved, tuple) else 0


def short(value) -> str:
    """Six digits at most; negative numbers in brackets, as in a product.

    >>> short(0.5), short(-2.0), short(3)
    ('0.5', '(-2)', '3')
    """
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"({text})" if text.startswith("-") else text


def in_numbers(op, inputs: list, call: Call) -> str:
    """``2 × 5 = 10``: an operation on scalars, with its numbers."""
    if not inputs or None in inputs or len(inputs) != len(op.inputs) or len(call.outs) != 1:
        return ""
    value = call.outs[0]
    if value is None or bool(getattr(value, "shape", (1,))):
        return ""
    text = applied(op, [short(v) for v in inputs]).replace(" * ", " × ")
    return f"{text} = {short(number(value)).strip('()')}"


def multiplied(g, local, out) -> str:
    """``1 × 5 = 5``: incoming times local is outgoing, for scalars."""
    values = [getattr(v, "_value", v) for v in (g, local, out)]
    if any(v is None or not isinstance(v, (np.ndarray, np.generic)) or v.shape for v in values):
        return ""
    a, b, c = (short(number(v)) for v in values)
    return f"{a} × {b} = {c.strip('()')}"


@lru_cache(maxsize=256)
def rule_source(op, i: int) -> str:
    """The source of the rule for an input, or ""."""
    name = op.inputs[min(i, len(op.inputs) - 1)] if op is not None and op.inputs else ""
    rule = (op.joint or op.rules.get(name)) if name else None
    try:
        return textwrap.dedent(inspect.getsource(rule)).strip()[:1500] if callable(rule) else ""
    except (OSError, TypeError):  # without its source
        return ""


def product(text: str) -> str:
    """``g`` times a derivative.

    >>> product("b"), product("1 - y * y")
    ('g * b', 'g * (1 - y * y)')
    """
    return "g" if text == "1" else "-g" if text == "-1" else f"g * {text if text.isidentifier() else f'({text})'}"


def source_text(name: str) -> str:
    """The text of a program's file, if it can still be had."""
    return "".join(linecache.getlines(name))
