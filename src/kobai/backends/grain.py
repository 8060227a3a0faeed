"""How much of a kernel is a chunk, the least that is worth another thread: a few microseconds.

What a kernel takes for an element is guessed from its operations, in units of a twentieth of a nanosecond.
"""
from __future__ import annotations

from math import prod

from kobai.backends.threads import GRAIN
from kobai.compile.kernel import REDUCTIONS, TRANSCENDENTAL, Kernel

_LANES = 128   # a chunk along the axis that is run in lanes is a multiple of these
_MEMORY = 3    # to read and write elements
_COSTS = {"load": 0.0, "const": 0.0, "size": 0.0, "index": 0.0, "exp": 6.0, "div": 5.0, "sqrt": 7.0}
_ROW = 60      # to put the lanes of a reduction together, once a row
_FAR = 4       # chunks are so many times as large where all comes from memory
_MANY = 16     # chunks of plain kernels that are enough
_LEAST = 16    # chunks are at least one part of so many of those of plain kernels


def cost_of(kernel: Kernel) -> float:
    """What it takes for an element."""
    nodes = [n for n, row in zip(kernel.nodes, kernel.per_row) if not row]
    return _MEMORY + sum([_COSTS.get(n.op, 12.0 if n.op in TRANSCENDENTAL else 0.5) for n in nodes])


def elements(kernel: Kernel, fitted, grain: int = GRAIN) -> int:
    """Elements of a chunk, of which a plain kernel would have `grain`."""
    if prod(fitted.sizes) >= _MANY * grain:
        return grain * (_FAR if fitted.layout.streamed else 1)  # enough for all threads: every chunk takes time of its own
    cost = cost_of(kernel)
    if kernel.has_rows and not fitted.layout.tall:
        row = prod(fitted.sizes[fitted.layout.axes - fitted.layout.inner:])
        cost += _ROW * sum([n.op in REDUCTIONS for n in kernel.nodes]) / max(row, 1)
    return max(grain // _LEAST, int(min(1.0, (_MEMORY + 2) / cost) * grain))


def positions(code, fitted, extent: int, grain: int = GRAIN) -> int:
    """Positions of the first axis that are a chunk of compiled code: whole registers, or chunks of a long row."""
    kernel = code.kernel
    some = max(1, extent * elements(kernel, fitted, grain) // max(prod(fitted.sizes), 1))
    if fitted.layout.vector or code.finish:
        return some
    return -(-some // _LANES) * _LANES
