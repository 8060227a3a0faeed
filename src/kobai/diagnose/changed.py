"""The saved value that was overwritten before a backward pass used it: what PyTorch's message says of it."""
from __future__ import annotations

import gc
import re
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..autograd.node import Node, Port
from .frames import name_of
from .language import language


class Changed(NamedTuple):
    """A saved value, the version cell of its memory, its version when it was saved, and where its gradient goes."""

    value: Any
    cell: list
    version: int
    edge: Any


def facts_of(node):
    """The facts of "inplace-saved"; of a value that nobody can tell any more only what is sure."""
    found = overwritten(node)
    if found is None:
        return {"which": "tensor", "name": _nameless()}
    tensor = _holder(found)
    edge = found.edge if tensor is None or found.edge is node else tensor._node
    value = found.value if tensor is None else tensor._value
    what = "tensor" if value is None else f"[torch.{dtypes.type_word(value)}Tensor {list(value.shape)}]"
    which = f"{what}{_made_by(edge)} is at version {found.cell[0]}; expected version {found.version} instead."
    return {"which": which, "name": tensor is not None and name_of(tensor) or _nameless()}


def overwritten(node):
    """What a node saved and does not find again, as `Changed`; None where nobody can tell."""
    return _of_function(node) or _of_op(node)


def _nameless():
    return "値" if language() == "ja" else "a value"


def _of_function(node):
    """Of a function of the user's, which keeps tensors."""
    for s in node.saved:
        if hasattr(s, "cell") and s.cell[0] != s.version:
            made_here = s.output is not None
            return Changed(s.value if made_here else s.value._value, s.cell, s.version, node if made_here else s.value._node)
    return None


def _of_op(node):
    """Of an op, which keeps arrays, after them their cells, and the sum of their versions."""
    count, asks = getattr(node.vjp, "cells", 0), getattr(node.vjp, "asks", ())
    if not count:
        return None
    cells, stamp = node.saved[len(asks):len(asks) + count], node.saved[len(asks) + count]
    names = [a for a in asks if a in node.op.inputs] + ["y"] * ("y" in asks)
    total = sum([c[0] for c in cells])
    for name, cell in zip(names, cells):
        value, edge = node.saved[asks.index(name)], _edge(node, name)
        for one in getattr(cell, "cells", [cell]):  # of a list of inputs, or one
            if one[1] is not None:
                known = isinstance(value, (np.ndarray, np.generic))
                return Changed(value if known else None, one, max(one[0] - (total - stamp), 0), edge)
    return None


def _edge(node, name):
    if name == "y":
        return node
    at = node.op.inputs.index(name)
    return node.edges[at] if at < len(node.edges) else None


def _holder(found):
    """The tensor on the memory of a cell, if it is alive: rather the one that holds the very array, or who has no base."""
    from ..tensor import Tensor  # noqa: PLC0415 (tensors raise errors)
    same = [t for t in gc.get_referrers(found.cell) if issubclass(type(t), Tensor)]
    fits = [t for t in same if t._data is found.value] or [t for t in same if t._base is None]
    return fits[0] if fits else None


def _made_by(edge):
    """That a value "is output 0 of Exp", or nothing for a leaf."""
    number = 0
    if isinstance(edge, Port):
        edge, number = edge.node, edge.number
    if not isinstance(edge, Node):
        return ""
    name = "torch::autograd::CopySlices" if edge.name() == "CopySlices" else re.sub(r"Backward\d*$", "", edge.name())
    return f", which is output {number} of {name},"
