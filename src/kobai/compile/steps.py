"""What a plan does one after the other: a `KernelStep` runs a kernel, an `OpStep` one op by itself.

Every step says what it reads (`reads`, windows) and which values it makes (`writes`); the other kinds (contract.py,
look_up.py, convolve.py) do so, too.
"""
from __future__ import annotations

from kobai.compile.graph import Node, Value
from kobai.compile.windows import Window


class KernelStep:
    """A kernel, the shape it runs over and its operands: windows and strides in bytes along each axis."""

    __slots__ = ("kernel", "shape", "inner", "reads", "writes", "strides", "ops", "offset")

    def __init__(self, kernel, shape, inner, reads, writes, strides, ops):
        self.kernel, self.shape, self.inner = kernel, shape, inner
        self.reads: list[Window] = reads    # what the kernel's operands are
        self.writes: list[Value] = writes   # what its outputs are
        self.strides = strides              # of each operand, then each output
        self.ops: list[str] = ops           # names of what it does
        self.offset = 0                     # of what is written in the memory of `writes`

    def __str__(self):
        return f"kernel over {list(self.shape)} rows of {self.inner}: {' '.join(self.ops)}"


class OpStep:
    """One op that is run by itself."""

    __slots__ = ("node", "reads", "writes")

    def __init__(self, node: Node, found):
        self.node = node
        self.reads = [found[v] for v in node.values]
        self.writes = list(node.outs)

    def __str__(self):
        return f"{self.node.op} {' '.join(map(repr, self.node.values))}"
