"""From a graph to something that runs: `plan(graph)` simplifies, fuses, gives everything a place and compiles."""
from __future__ import annotations

import gc
from functools import cached_property, partial

import numpy as np

from kobai.compile.affine import with_sums
from kobai.compile.chain import ChainStep, chained
from kobai.compile.contract import contract
from kobai.compile.convolve import convolve
from kobai.compile.deep import in_stretches
from kobai.compile.fuse import KernelStep, fuse
from kobai.compile.graph import Graph
from kobai.compile.keep import passed
from kobai.compile.kernel import NoKernel
from kobai.compile.look_up import look_up
from kobai.compile.memory import Arrangement, arrange
from kobai.compile.order import early
from kobai.compile.pixels import at_pixels
from kobai.compile.place import filled, laid_out
from kobai.compile.pooling import pooled
from kobai.compile.recurrent import recurrent
from kobai.compile.side import side_by_side
from kobai.compile.simplify import simplify
from kobai.compile.strips import in_strips
from kobai.compile.weighted import weighted
from kobai.compile.windows import own
from kobai.later import unlocked_in_children


@unlocked_in_children
class Plan:
    """A graph ready to run: ``plan(inputs)`` gives the outputs and does the writes, in place.

    `graph` is the simplified graph, `kernels` are those of its steps, `llvm` their code as text.  Without machine
    code the graph itself is run, on NumPy.
    """

    def __init__(self, graph: Graph):
        self.original, self.program = graph, None
        collects = gc.isenabled()
        gc.disable()  # passes make many objects and few cycles: looking for garbage takes a third of their time
        try:
            self._make(graph)
        finally:
            if collects:
                gc.enable()

    def _make(self, graph: Graph):
        from kobai.backends.ahead import doing  # noqa: PLC0415 (backends are loaded when something is compiled)
        from kobai.backends.step import Program, compile_kernel  # noqa: PLC0415
        with doing() as ahead:
            def made(step):
                ahead.add(partial(compile_kernel, step.kernel, step.shape, step.strides, step.inner))  # and no values
            self.steps, self.places, self.size = passed(graph, lambda: _arranged(graph, made))
            ahead.turn()
            for step in _kernel_steps(self.steps):
                made(step)
            try:
                self.program = Program(graph, self.steps, self.places, self.size)
                self.run = self.program.run
            except NoKernel:
                self.run = _nothing

    def __call__(self, inputs) -> list[np.ndarray]:
        outputs = self.run(*inputs)
        return self.interpret(inputs) if outputs is None else outputs

    def interpret(self, inputs) -> list[np.ndarray]:
        """The same by the graph's own definition, on NumPy."""
        outputs, written = self.original.run(*inputs)
        outputs = [np.array(y) for y in outputs]
        written = [np.array(y) for y in written]
        place = dict(zip(self.original.inputs, inputs))
        for (target, _), y in zip(self.original.writes, written):
            place[target][...] = y
        return outputs

    @cached_property
    def graph(self) -> Graph:
        """The simplified graph."""
        return simplify(self.original)

    @property
    def kernels(self):
        """The kernels, in the order in which they run."""
        return [s.kernel for s in _kernel_steps(self.steps)]

    @property
    def llvm(self) -> str:
        """The code of the kernels."""
        if self.program is None:
            return ""
        return "\n\n".join(dict.fromkeys(code.text for code in self.program.kernels))

    def __str__(self):
        lines = [f"plan of {len(self.steps)} steps, {self.size} bytes shared"]
        return "\n".join([*lines, *[f"  {s}" for s in self.steps]])


def _kernel_steps(steps) -> list[KernelStep]:
    """Those of the steps that are kernels, alone or in chains."""
    every = [s for step in steps for s in (step.steps if isinstance(step, ChainStep) else [step])]
    return [s for s in every if isinstance(s, KernelStep)]


def _arranged(graph: Graph, made) -> Arrangement:
    """All passes; `made(step)` is told of each kernel as soon as it is written."""
    graph, homes = laid_out(with_sums(side_by_side(simplify(graph))))
    steps, windows = fuse(graph, made)
    steps = contract(convolve(weighted(pooled(at_pixels(look_up(filled(steps, homes)))))))
    results = {(windows.get(v) or own(v)).base for v in graph.results}
    steps = in_stretches(recurrent(chained(steps, homes, results), homes, results))
    steps = in_strips(steps, homes, results)
    return arrange(graph, early(graph, steps, windows, homes), windows, homes)


def _nothing(*inputs):
    return None


def plan(graph: Graph) -> Plan:
    """The plan of a graph.

    >>> from kobai.compile.graph import Node, Value
    >>> from kobai.ops.elementwise import Neg
    >>> x = Value((2,), "f4")
    >>> y = Node(Neg(), [x], [((2,), x.dtype)]).outs[0]
    >>> plan(Graph([x], [y.node], [y]))([np.array([1.0, 2.0], "f4")])
    [array([-1., -2.], dtype=float32)]
    """
    return Plan(graph)
