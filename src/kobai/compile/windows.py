"""Where a value lies: movement ops (transpose, slice, expand ...) move nothing, they look at memory otherwise.

`windows` resolves every value of a graph to a `Window`: a *base* value with memory of its own, and offset and
strides in bytes into it.  What a movement op means is asked of the op itself: it is run on an array whose memory
is never touched.
"""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kobai.compile.graph import Graph, Node, Value


class Window(NamedTuple):
    """`shape` elements of `base` at `offset` and `strides`, in bytes."""

    base: Value
    offset: int
    strides: tuple[int, ...]


def contiguous(shape, itemsize: int) -> tuple[int, ...]:
    """The strides of an array in row-major order.

    >>> contiguous((2, 3), 4)
    (12, 4)
    """
    strides, step = [], itemsize
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def is_contiguous(shape, strides, itemsize: int) -> bool:
    """Whether elements with these strides lie in row-major order without gaps.

    >>> is_contiguous((2, 1), (4, 99), 4), is_contiguous((2, 3), (4, 8), 4)
    (True, False)
    """
    return all(n == 1 or s == t for n, s, t in zip(shape, strides, contiguous(shape, itemsize)))


def own(value: Value) -> Window:
    """The window of a value that has memory of its own."""
    if value.constant is not None:
        return Window(value, 0, np.shape(value.constant) and value.constant.strides)
    strides = value.strides
    return Window(value, 0, contiguous(value.shape, value.dtype.itemsize) if strides is None else tuple(strides))


_scratch = np.empty(1 << 16, np.uint8)  # memory that is looked at, never read


def looked(op, window: Window, shape, dtype) -> list[Window] | None:
    """What a movement op makes of a window; None if it has to copy.

    >>> from kobai.ops.movement import T
    >>> x = Value((2, 3), "f4")
    >>> looked(T(), own(x), x.shape, x.dtype)[0][1:]
    (0, (4, 12))
    """
    global _scratch
    if 0 in shape:
        return None
    low = sum((s - 1) * st for s, st in zip(shape, window.strides) if st < 0)
    high = sum((s - 1) * st for s, st in zip(shape, window.strides) if st > 0) + dtype.itemsize
    scratch = _scratch
    if high - low > scratch.nbytes:
        scratch = _scratch = np.empty(2 * (high - low), np.uint8)
    x = np.ndarray(shape, dtype, scratch, -low, window.strides)
    # To apply that op may mean to copy at once, by code that is made when it was used often.
    ys = x.reshape(op.shape) if type(op).__name__ == "UnsafeView" else op.forward(x)
    start = x.__array_interface__["data"][0]
    found = []
    for y in ys if op.outputs != 1 else (ys,):
        if not isinstance(y, np.ndarray) or y.size == 0:
            return None
        offset = y.__array_interface__["data"][0] - start
        if not low <= offset < high or not np.may_share_memory(y, x):
            return None
        found.append(Window(window.base, window.offset + offset, y.strides))
    return found


def windows(graph: Graph) -> dict[Value, Window]:
    """The window of every value of a graph."""
    found = {v: own(v) for v in graph.inputs}
    for node in graph.nodes:
        for v in node.values:
            if v not in found:  # a constant
                found[v] = own(v)
        found.update(zip(node.outs, windows_of(node, found)))
    for v in graph.results:
        found.setdefault(v, own(v))
    return found


def windows_of(node: Node, found) -> list[Window]:
    """The windows of a node's outputs, given those of its arguments."""
    if is_view(node):
        x = node.args[0]
        views = looked(node.op, found[x], x.shape, x.dtype)
        if views is not None:
            return views
    return [own(v) for v in node.outs]


def is_view(node: Node) -> bool:
    """Whether the op only looks at its first input otherwise."""
    return (node.op.view or type(node.op).__name__ == "UnsafeView") and len(node.args) == 1

