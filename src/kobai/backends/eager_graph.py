"""Ops of several passes as machine code: rules that reduce over different dimensions, and ops with a `lower`.

What one kernel cannot do is written down as a graph, by running the rule on symbols, and planned as
`kobai.compile` plans a program: the gradients of layer normalisation are two kernels, one over rows and one over
columns.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from kobai.compile.expand import Symbol, arguments, lowered, shapes_of
from kobai.compile.fuse import OpStep
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import NoKernel
from kobai.compile.plan import Plan
from kobai.rules import compiled_rules


class _Recorder:
    """Nodes made so far, and the inputs with their numbers among the values given."""

    def __init__(self):
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.numbers: list[int] = []

    def apply(self, op, args):
        node = Node(op, args, shapes_of(op, args))
        self.nodes.append(node)
        return node.outs

    def value(self, v, number: int):
        """What stands for a value: a Symbol for an array, a shape, dtype or None for itself.

        Raises:
            NoKernel: for a number, which would be the same for ever.
        """
        if isinstance(v, (int, float, complex, np.generic)):
            raise NoKernel("a number among arrays")
        if not isinstance(v, np.ndarray):
            return v
        self.inputs.append(Value(v.shape, v.dtype, strides=v.strides))
        self.numbers.append(number)
        return Symbol(self.inputs[-1], self.apply)


def forward_of(op, values):
    """What computes an op with a `lower`, or with steps of its own, on such values, or False."""
    work = _Recorder()
    args = [work.value(v, i) for i, v in enumerate(values)]
    args = arguments(op, [v if v is None or isinstance(v, Symbol) else np.asarray(v)[()] for v in args])
    if op.lower is None:
        outs = work.apply(op, [a.value if isinstance(a, Symbol) else a for a in args])
    else:
        outs = lowered(getattr(op, "alone", op), args, work.apply)
        if outs is None:
            return False
    run = _planned(work, outs, values)
    if run and op.outputs == 1:
        return lambda *values: _first(run(values))
    return run and (lambda *values: _all(run(values)))


def _all(results):
    return None if results is None else tuple(results)


def _first(results):
    return None if results is None else results[0]


def backward_of(op, mask: int, values):
    """What computes an op's gradients: a function of g and what the rules ask for, as one tuple; or False."""
    _, vjp = compiled_rules(type(op), mask, False)
    work = _Recorder()
    several = tuple([_is_several(v) for v in values])
    flat = _flat(values, several)
    seen = iter([work.value(v, i) for i, v in enumerate(flat)])
    g, *saved = [tuple([next(seen) for _ in v]) if many else next(seen) for v, many in zip(values, several)]
    versions = [[0]] * vjp.cells + [0] * bool(vjp.cells)
    gradients = vjp(SimpleNamespace(op=op, fit=None), g, (*saved, *versions))
    given = [i for i, v in enumerate(gradients) if isinstance(v, Symbol)]
    if not given or any(v is not None for i, v in enumerate(gradients) if i not in given):
        return False
    run = _planned(work, [gradients[i].value for i in given], flat)
    if not run:
        return False
    count = len(gradients)

    def call(*values):
        results = run(_flat(values, several))
        if results is None:
            return None
        out = [None] * count
        for i, result in zip(given, results):
            out[i] = result
        return tuple(out)

    return call


def _is_several(v) -> bool:
    """Whether a value is the results of an op with several, or their gradients."""
    return isinstance(v, tuple) and any(isinstance(x, np.ndarray) for x in v)


def _flat(values, several):
    """The values, and what is in those that are `several`."""
    return [x for v, many in zip(values, several) for x in (v if many else (v,))]


def _planned(work: _Recorder, outputs, values):
    """What runs the graph on values like those it was made from; None for arrays that lie otherwise in memory."""
    if any(v in work.inputs for v in outputs):
        return False  # something is handed on, which needs no memory of its own
    try:
        plan = Plan(Graph(work.inputs, work.nodes, outputs).verify())
    except (NoKernel, AttributeError, TypeError) as e:
        raise NoKernel(str(e)) from e
    if plan.program is None or any(getattr(s.node.op, "planned", False) for s in plan.steps if isinstance(s, OpStep)):
        return False
    numbers = work.numbers
    kinds = [(values[i].shape, values[i].strides) for i in numbers]

    def call(values):
        arrays = [values[i] for i in numbers]
        return plan.program.run(*arrays) if [(a.shape, a.strides) for a in arrays] == kinds else None

    return call
