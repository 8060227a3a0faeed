"""What a recorded graph tells afterwards: the calls that made a tensor, with the values that can still be had."""

from __future__ import annotations

import math

import numpy as np

from ..autograd.engine import reached
from ..autograd.node import Freed, Node, Port
from ..diagnose.anew import Anew
from ..lifted import Lifted
from ..op import Contraction, Elementwise, Movement, Reduction
from ..ops.class_loss import NllLoss
from ..ops.loss import PointwiseLoss
from ..ops.softmax import LogSoftmax, Softmax
from ..saved import raw_saved
from ..tensor import Tensor, edge_of
from .film import asked
from .record import label_of
from .trace import Call, Source, Trace, kept, name_results

# What may be computed again: no random numbers, no user code.
AGAIN = Elementwise, Movement, Reduction, Contraction, Softmax, LogSoftmax, PointwiseLoss, NllLoss
MOST = 1_000_000  # elements of a value that is computed again


def from_graph(tensors: list, name_of, again: Anew | None = None) -> Trace:
    """The graph behind some tensors. ``name_of(tensor)`` gives the name of a variable, or ""; ``again`` what came out
    when it was recorded once more, if it was."""
    edges = [edge_of(t) for t in tensors]
    nodes = sorted((n for n in reached([(e, None) for e in edges]) if isinstance(n, Node)), key=lambda n: -n._order)
    history = _History(nodes, name_of)
    trace = Trace([history.calls[node] for node in nodes])
    for tensor, edge in zip(tensors, edges):
        trace.roots.append(history.producer(edge) if edge is not None else (history.source(tensor), 0))
        history.learn(edge, tensor._value)
        made = trace.roots[-1][0]
        made.name = name_of(tensor)
    if any(isinstance(raw_saved(node), Freed) for node in nodes):
        trace.notes.append("freed")
    if again is not None:
        trace.notes += ["replayed"] if history.take(again) else []
    elif history.compute_again():
        trace.notes.append("replayed")
    history.finish()
    trace.parameters = {leaf: s.name for leaf, s in history.sources.items() if isinstance(leaf, Tensor)}
    name_results(trace.calls)
    return trace


class _History:
    """Calls for nodes, and the values that are known of them: ``values[node, output number]``."""

    def __init__(self, nodes: list, name_of):
        self.nodes, self.name_of = nodes, name_of
        self.values: dict[tuple, object] = {}
        self.sources: dict[object, Source] = {}
        self.constants: dict[int, Source] = {}  # id of an array -> its source
        self.calls = {node: Call(node.op, _label(node), [], where=node.where, order=node._order, needs=True,
                                 node=node, view=bool(getattr(node.op, "view", False))) for node in nodes}
        for node in nodes:
            self.read(node)

    def producer(self, edge):
        """(Call or Source, output number) for an edge of the graph."""
        if isinstance(edge, Port):
            return self.calls[edge.node], edge.number
        return (self.calls[edge], 0) if isinstance(edge, Node) else (self.source(edge), 0)

    def source(self, tensor) -> Source:
        if tensor not in self.sources:
            grad = tensor._grad
            self.sources[tensor] = Source(tensor, tensor._value, self.name_of(tensor),
                                          None if grad is None else grad._value)
        return self.sources[tensor]

    def constant(self, array) -> Source:
        """An input without gradient, of which only the numbers were saved."""
        if id(array) not in self.constants:
            self.constants[id(array)] = Source(None, array, self.name_of(array))
        return self.constants[id(array)]

    def learn(self, edge, value) -> None:
        """Note the value of what an edge leads to."""
        if isinstance(value, (np.ndarray, np.generic)) and edge is not None:
            key = (edge.node, edge.number) if isinstance(edge, Port) else (edge, 0)
            self.values.setdefault(key, value)

    def read(self, node) -> None:
        """The inputs of a node, and what it saved: values of its inputs and outputs."""
        saved = raw_saved(node)
        known = {} if isinstance(saved, Freed) or node.op is None else asked(node.vjp, saved)
        call = self.calls[node]
        names = getattr(node.op, "inputs", ())
        for i, edge in enumerate(node.edges):
            value = known.get(names[min(i, len(names) - 1)]) if names else None
            if isinstance(value, tuple):
                value = value[i - len(names) + 1] if 0 <= i - len(names) + 1 < len(value) else None
            if edge is not None:
                self.learn(edge, value)
                call.inputs.append(self.producer(edge))
            elif isinstance(value, (np.ndarray, np.generic)) and not isinstance(value, Lifted):
                call.inputs.append((self.constant(value), 0))
            else:
                call.inputs.append(None)
                if isinstance(value, (int, float, complex)):
                    call.numbers[i] = value
        if "y" in known:
            many = isinstance(known["y"], tuple)
            for number, value in enumerate(known["y"] if many else (known["y"],)):
                self.learn(Port(node, number), value)

    def take(self, again: Anew) -> bool:
        """Fill in what is known from recording the graph once more; whether anything was missing."""
        more = False
        for node, call in self.calls.items():
            given = iter(again.given.get(node, ()))
            for i, edge in enumerate(node.edges):
                value = next(given, None) if edge is None else None
                if isinstance(value, Tensor) and call.inputs[i] is None:
                    call.inputs[i] = self.constant(value._value), 0
                elif isinstance(value, (int, float, complex)):
                    call.numbers.setdefault(i, value)
            for number in range(len((node.extra or {}).get("outs") or (0,))):
                if (node, number) in again.values and (node, number) not in self.values:
                    more = True
                    self.values[node, number] = again.values[node, number]
        return more

    def compute_again(self) -> bool:
        """Fill in values that nobody kept. Leaves may have changed since: then a known result comes out
        differently, and nothing is filled in."""
        found = dict(self.values)
        for node in self.nodes:
            if (node, 0) in found and node.op is None:
                continue
            result = self.again(node, found)
            for number, value in enumerate(result):
                known = self.values.get((node, number))
                if known is not None and not np.array_equal(
                        np.asarray(known), np.asarray(value), equal_nan=known.dtype.kind in "fc"):
                    return False
                found.setdefault((node, number), value)
        more = len(found) > len(self.values)
        self.values = found
        return more

    def again(self, node, found: dict) -> tuple:
        """The outputs of a node, or () if an input is not known."""
        if not isinstance(node.op, AGAIN):
            return ()
        values = []
        numbers = self.calls[node].numbers
        for i, made in enumerate(self.calls[node].inputs):
            if i in numbers:
                values.append(numbers[i])
                continue
            if made is None:
                return ()
            producer, number = made
            value = producer.value() if isinstance(producer, Source) else found.get((producer.node, number))
            if not isinstance(value, (np.ndarray, np.generic)) or math.prod(value.shape) > MOST:
                return ()
            values.append(value)
        try:
            with np.errstate(all="ignore"):  # whoever computed it first has been warned
                result = node.op.forward(*values)
        except (ValueError, TypeError, IndexError):  # dtypes that were brought together before
            return ()
        return result if isinstance(result, tuple) else (result,)

    def finish(self) -> None:
        """Put what is known into the calls."""
        inside = {id(v) for v in self.values.values()} | {id(leaf._value) for leaf in self.sources}
        for source in self.constants.values():
            source.cut = id(source.array) in inside
        for node, call in self.calls.items():
            count = len((node.extra or {}).get("outs") or (0,))
            call.outs = tuple([kept(self.values.get((node, number))) for number in range(count)])


def _label(node) -> str:
    return type(node).__name__.removesuffix("Backward") if node.op is None else label_of(node.op)
