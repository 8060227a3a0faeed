"""The tensor `Graph`: what a recorded program computes, op by op.

A graph is in single-assignment form: a `Value` is made once, by a `Node` or as an input.  What a
program changes in place is an input with a new value at the end (`writes`).  The recorder makes graphs
(trace.py), passes simplify them, the lowering turns them into kernels; `Graph.run` is the executable
definition of what a graph means, and works on Tensors too, so a graph has derivatives of any order::

    graph
      %0: f32[2, 3] = input x
      %1: f32[3] = input w
      %2: f32[2, 3] = mul %0 %1
      %3: f32[] = sum(dim=(0, 1)) %2
      return %3
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kobai.general import _HALF, forward


class Value:
    """One array of a graph: `shape`, NumPy `dtype`, and where it comes from.

    `node` made it as output number `number`; an input has `source`, which says where its array is found
    on each call (the plan does not look inside); a constant has `constant`, the array itself.
    """

    __slots__ = ("shape", "dtype", "node", "number", "source", "constant", "strides")

    def __init__(self, shape, dtype, *, node=None, number=0, source=None, constant=None, strides=None):
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.node, self.number, self.source, self.constant = node, number, source, constant
        self.strides = strides  # how its array lies in memory, if not in row-major order

    @property
    def is_input(self) -> bool:
        return self.node is None and self.constant is None

    def __repr__(self):
        return f"{_short(self.dtype)}{list(self.shape)}"


class Node:
    """One application of an op: `op.forward(*args)` gives `outs`.

    `args` are Values, numbers (NumPy scalars of the dtype computed in) or None where an optional input is
    left out; `where` is the user's line, as (code, instruction).
    """

    __slots__ = ("op", "args", "outs", "where", "cut", "_values")

    def __init__(self, op, args, shapes: Sequence[tuple], where=None, cut=()):
        self.op, self.args, self.where = op, tuple(args), where
        self.cut = cut  # places of the arguments through which no gradient goes (they were detached)
        self._values = None, []
        self.outs = tuple([Value(shape, dtype, node=self, number=i) for i, (shape, dtype) in enumerate(shapes)])

    @property
    def values(self) -> list[Value]:
        """The arguments that are Values."""
        args, values = self._values
        if args is not self.args:
            values = [a for a in self.args if isinstance(a, Value)]
            self._values = self.args, values
        return values


class Graph:
    """Inputs, nodes in order, outputs, and `writes`: pairs (input, the value it has afterwards)."""

    def __init__(self, inputs: Iterable[Value], nodes: Iterable[Node], outputs: Iterable[Value], writes=()):
        self.inputs, self.nodes = list(inputs), list(nodes)
        self.outputs, self.writes = list(outputs), list(writes)

    def run(self, *arrays, given=None):
        """(outputs, new values of the written inputs) for arrays, or Tensors, in the order of the inputs.

        `given` may have values that nodes need not compute.
        """
        known = dict(zip(self.inputs, arrays, strict=True)) | (given or {})

        def value(v):
            if not isinstance(v, Value):
                return v
            return known[v] if v.constant is None else v.constant
        for node in self.nodes:
            if node.outs and node.outs[0] in known:
                continue
            args = [a.detach() if i in node.cut and getattr(a, "_rg", False) else a for i, a in enumerate(map(value, node.args))]
            in_half = any(getattr(a, "dtype", None) in _HALF for a in args)  # arrays: a Tensor's dtype is its own
            y = forward(node.op, args) if in_half else node.op(*args)
            known.update(zip(node.outs, y if node.op.outputs != 1 else (y,)))
        return [value(v) for v in self.outputs], [value(v) for _, v in self.writes]

    def users(self) -> dict[Value, list[Node]]:
        """The nodes that take each value."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for v in dict.fromkeys(node.values):
                found.setdefault(v, []).append(node)
        return found

    @property
    def results(self) -> list[Value]:
        """What has to be computed: the outputs and what is written."""
        return [*self.outputs, *(v for _, v in self.writes)]

    def verify(self) -> Graph:
        """Check that every value is known before it is used; returns the graph.

        Raises:
            ValueError: with the offending node.
        """
        known = set(self.inputs)
        for v in self.inputs:
            if not v.is_input:
                raise ValueError(f"input {v!r} has a node or is a constant")  # plain: a fault of the compiler's own
        for node in self.nodes:
            for v in node.values:
                if v.constant is None and v not in known:
                    raise ValueError(  # plain: a fault of the compiler's own
                        f"{type(node.op).__name__} takes a value that is not known yet: {v!r}")
            known.update(node.outs)
        for v in self.results:
            if v.constant is None and v not in known:
                raise ValueError(f"the graph returns a value that nothing makes: {v!r}")  # plain: a fault of the compiler's own
        for target, v in self.writes:
            if target not in self.inputs or (target.shape, target.dtype) != (v.shape, v.dtype):
                raise ValueError(f"{v!r} cannot be written into {target!r}")  # plain: a fault of the compiler's own
        return self

    def without_dead(self) -> Graph:
        """The same without nodes whose results nobody needs."""
        needed, kept = set(self.results), []
        for node in reversed(self.nodes):
            if any(v in needed for v in node.outs) or getattr(node.op, "random", False):
                needed.update(node.values)
                kept.append(node)
        return Graph(self.inputs, kept[::-1], self.outputs, self.writes)

    def __str__(self):
        names: dict[Value, str] = {}

        def name(v):
            if not isinstance(v, Value):
                return "-" if v is None else repr(v.item() if hasattr(v, "item") else v)
            if v.constant is not None:
                return f"const {v!r}" if v.shape else repr(v.constant.item())
            return names.setdefault(v, f"%{len(names)}")
        lines = ["graph"]
        for v in self.inputs:
            lines.append(f"  {name(v)}: {v!r} = input {v.source if v.source is not None else ''}".rstrip())
        for node in self.nodes:
            outs = ", ".join(f"{name(v)}: {v!r}" for v in node.outs)
            lines.append(f"  {outs} = {_op_text(node.op)} {' '.join(map(name, node.args))}".rstrip())
        for target, v in self.writes:
            lines.append(f"  write {name(target)} <- {name(v)}")
        lines.append("  return " + ", ".join(map(name, self.outputs)))
        return "\n".join(lines)

    __repr__ = __str__


def _op_text(op):
    fields = ", ".join(f"{n}={getattr(op, n)!r}" for n in op.fields)
    return type(op).__name__.lower() + (f"({fields})" if fields else "")


_KINDS = {"f": "f", "i": "i", "u": "u", "c": "c", "V": "bf"}


def _short(dtype):
    return "bool" if dtype.kind == "b" else f"{_KINDS.get(dtype.kind, dtype.kind)}{8 * dtype.itemsize}"
