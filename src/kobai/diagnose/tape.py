"""A recorded graph with the values and the gradients of its nodes, found without changing it."""
from __future__ import annotations

import contextlib
from heapq import heappop, heappush

import numpy as np

from ..autograd import engine
from ..autograd.mode import modes
from ..autograd.node import Freed, Node, Port
from ..saved import raw_saved
from ..tensor import Tensor, edge_of
from .frames import user_frames
from .numbers import operand

_RANDOM = ("random", "dropout", "implicit", "attention", "adaptive", "distance")  # families that draw numbers
# (op, number of the input that was not saved) -> that input, from the result y and the other input z
_MISSING = {("Add", 0): lambda y, z: y - z, ("Add", 1): lambda y, z: y - z, ("Sub", 0): lambda y, z: y + z,
            ("Sub", 1): lambda y, z: z - y, ("Rsub", 0): lambda y, z: z - y, ("Rsub", 1): lambda y, z: y + z}
_MOST = 1_000_000  # elements of an input for which a value is computed again


def node_of(edge):
    """The node behind an edge, or the leaf."""
    return edge.node if type(edge) is Port else edge


def slot_of(edge):
    """(node or leaf, output number) of an edge."""
    return (edge.node, edge.number) if type(edge) is Port else (edge, 0)


def nodes_before(roots) -> list[Node]:
    """All nodes that lead to these edges, in the order in which they were recorded."""
    seen = {e for e in engine.reached([(r, None) for r in roots]) if isinstance(e, Node)}
    return sorted(seen, key=lambda n: -n._order)


class Names:
    """How the user's program calls its tensors: variables, parameters of modules, elements of lists."""

    def __init__(self):
        self.of_leaf: dict[int, str] = {}
        self.of_array: dict[int, str] = {}
        self.of_slot: dict[tuple, str] = {}
        self.tensors: dict[int, Tensor] = {}
        self.modules: dict[int, str] = {}
        for frame in user_frames():
            for scope in (frame.f_locals, frame.f_globals):
                for name, value in list(scope.items()):
                    if not name.startswith("_"):
                        self._add(name, value)

    def _add(self, name, value):
        if isinstance(value, Tensor):
            self._tensor(name, value)
        elif isinstance(value, (list, tuple)) and len(value) <= 100:
            for i, v in enumerate(value):
                if isinstance(v, Tensor):
                    self._tensor(f"{name}[{i}]", v)
        elif type(value) is dict and len(value) <= 100:
            for k, v in list(value.items()):
                if isinstance(v, Tensor):
                    self._tensor(f"{name}[{k!r}]", v)
        elif not isinstance(value, type) and hasattr(type(value), "named_parameters"):
            self._module(name, value)

    def _module(self, name, module):
        with contextlib.suppress(Exception):  # a module whose __init__ has not run
            for path, m in module.named_modules():
                self.modules.setdefault(id(m), f"{name}.{path}" if path else name)
            for path, p in module.named_parameters():
                self._tensor(f"{name}.{path}", p)

    def _tensor(self, name, t):
        if id(t) in self.tensors:
            return
        self.tensors[id(t)] = t
        data = getattr(t, "_data", None)
        if data is not None:
            if not t._rg or id(data) not in self.of_array:  # what detach() gives has the same array
                self.of_array[id(data)] = name
        if t.grad_fn is None:
            self.of_leaf[id(t)] = name
        else:
            self.of_slot.setdefault((t.grad_fn, t.output_nr), name)

    def holder_of(self, array):
        """The user's tensor on this very array, or None."""
        found = [t for t in self.tensors.values() if getattr(t, "_data", None) is array]
        return next((t for t in found if not t._rg), found[0] if found else None)


class Tape:
    """The graph behind a tensor: `nodes` in order, `values[node, number]`, `steps` of the backward pass."""

    def __init__(self, tensor, names=None):
        self.tensor, self.names = tensor, names or Names()
        self.root = edge_of(tensor)
        self.nodes = nodes_before([self.root])
        self.freed = any(isinstance(n.saved, Freed) for n in self.nodes)
        self.values: dict[tuple, object] = {}
        self.given: dict[tuple, object] = {}  # (node, input number) -> what went in there without gradient
        self._learn()

    # ---- values ----------------------------------------------------------------------------
    def _learn(self):
        for t in (self.tensor, *self.names.tensors.values()):
            if t.grad_fn is not None and hasattr(t, "_data"):
                self.values.setdefault((t.grad_fn, t.output_nr), t._data)
        for node in self.nodes:
            for i, v in self.saved_inputs(node).items():
                if 0 <= i < len(node.edges) and isinstance(node_of(node.edges[i]), Node):
                    self.values.setdefault(slot_of(node.edges[i]), v)
        for node in self.nodes:
            self._compute(node)

    def saved_inputs(self, node) -> dict[int, object]:
        """{number of the input: its value} as far as the node saved it; the result is number -1."""
        if node.op is None or not isinstance(node.saved, tuple) or node.op.variadic:
            return {}
        asks = getattr(node.vjp, "asks", ())
        found = {}
        for ask, v in zip(asks, raw_saved(node)):
            if ask in node.op.inputs:
                found[node.op.inputs.index(ask)] = v
            elif ask == "y":
                found[-1] = v
        return found

    def inputs(self, node) -> list:
        """The values of a node's inputs; None where one is not known."""
        kept, out = self.saved_inputs(node), []
        for i, edge in enumerate(node.edges):
            if isinstance(edge, Tensor):
                out.append(getattr(edge, "_data", None))
            elif edge is not None:
                out.append(self.values.get(slot_of(edge)))
            else:
                v = kept.get(i)
                out.append(self.given.get((node, i)) if v is None else v)
        return self._summand(node, out)

    def _summand(self, node, inputs):
        """A sum does not save its constant summand; it is what is missing from the result."""
        y, kind = self.values.get((node, 0)), type(node.op).__name__
        if (kind, 0) in _MISSING and y is not None and sum(v is None for v in inputs) == 1:
            i = 0 if inputs[0] is None else 1
            missing = _MISSING[kind, i](y, inputs[1 - i])
            if np.size(missing) and (missing == missing.flat[0]).all():  # one number for all
                inputs[i] = missing.flat[0]
        if sum(v is None for v in inputs) == 1 and len(inputs) == 2 and node.op is not None and node.op.elementwise:
            i = 0 if inputs[0] is None else 1
            with contextlib.suppress(ValueError):  # it is no number that was written there
                inputs[i] = np.float64(operand(node.where, i))
        return inputs

    def _compute(self, node):
        """The result of a node, from what it saved or from its inputs once more."""
        known = self.saved_inputs(node).get(-1)
        if known is None and (node, 0) not in self.values and _repeatable(node):
            inputs = self.inputs(node)
            if any(v is None or not isinstance(v, (np.ndarray, np.generic)) or v.size > _MOST for v in inputs):
                return
            try:
                with np.errstate(all="ignore"):
                    known = node.op.forward(*inputs)
            except Exception:  # an op with needs of its own: its value stays unknown
                return
        if known is None:
            return
        for i, v in enumerate(known if isinstance(known, tuple) else (known,)):
            self.values.setdefault((node, i), v)

    def take(self, values: dict, given: dict) -> None:
        """What came out when the graph was recorded once more: values, and inputs without gradient by node."""
        for slot, value in values.items():
            self.values.setdefault(slot, value)
        for node, inputs in given.items():
            slots = [i for i, edge in enumerate(node.edges) if edge is None]
            self.given |= {(node, i): getattr(v, "_value", v) for i, v in zip(slots, inputs)}

    # ---- gradients -------------------------------------------------------------------------
    def steps(self, gradient=None):
        """The backward pass one node at a time, as (node, [(from, gradient), ...], gradient, outgoing gradients).

        Nothing is freed, no hook runs and no `.grad` changes. `arrived` then has what came to each leaf.
        """
        value = self.tensor._value
        g = gradient._value if isinstance(gradient, Tensor) else np.ones(value.shape, value.dtype)[()]
        grads: dict = {}
        heap: list = []
        self.arrived: dict[int, tuple] = {}
        self._send(None, self.root, g, grads, heap)
        before, modes.look = modes.look, None
        try:
            while heap:
                node = heappop(heap)[1]
                parts = grads.pop(node)
                g = _total(node, parts)
                with np.errstate(all="ignore"):  # what is not a number stays NaN, without a word
                    out = node.vjp(node, g, raw_saved(node))
                yield node, parts, g, out
                for edge, h in zip(node.edges, out):
                    if edge is not None and h is not None:
                        self._send(node, edge, h, grads, heap)
        finally:
            modes.look = before

    def _send(self, source, edge, g, grads, heap):
        target = node_of(edge)
        if isinstance(target, Tensor):
            self.arrived.setdefault(id(target), (target, []))[1].append((source, g))
            return
        if target not in grads:
            grads[target] = []
            heappush(heap, (target._order, target))
        grads[target].append((source, g, edge.number if type(edge) is Port else 0))


def _total(node, parts):
    """The whole gradient of a node: a tuple where it has several outputs."""
    if node.extra and "outs" in node.extra:
        grads = [None] * len(node.extra["outs"])
        for _, g, number in parts:
            grads[number] = g if grads[number] is None else grads[number] + g
        return engine._with_zeros(grads, node, False)
    total = parts[0][1]
    for _, g, _number in parts[1:]:
        total = total + g
    return total


def _repeatable(node):
    """Whether computing the op once more gives the same: no random numbers, no user's code."""
    return node.op is not None and type(node.op).__module__.rpartition(".")[2] not in _RANDOM and not node.op.variadic
