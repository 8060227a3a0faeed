"""Where in a network an error happened, and which part of it made the dimension that does not fit."""
from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import numpy as np

from ..autograd.node import Node, Port
from .frames import show, user_frames

_KEEP = ("Softmax", "LogSoftmax", "Clone", "Cast", "Identity")  # ops of the shape of their input, beside elementwise ones


def modules_here() -> list:
    """The modules whose calls are running, innermost first."""
    found: list = []
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name in ("__call__", "_call_impl") and code.co_filename.endswith("module.py"):
            module = frame.f_locals.get("self")
            if hasattr(type(module), "named_modules") and not any(m is module for m in found):
                found.append(module)
        frame = frame.f_back
    return found


def module_path(modules: list, module=None) -> str:
    """`model.layers.2 (Linear(...))`: the innermost of running modules, or another module below the outermost."""
    root, module = modules[-1], modules[0] if module is None else module
    path = _variable(root) or type(root).__name__
    inner = next((n for n, m in root.named_modules() if m is module and n), "")
    text = repr(module)
    if "\n" in text or len(text) > 90:
        text = type(module).__name__
    if path == type(module).__name__ and not inner:  # made on the spot: no name to add
        return text
    return f"{path}{'.' if inner else ''}{inner} ({text})"


def _variable(module) -> str:
    for frame in user_frames():
        for scope in (frame.f_locals, frame.f_globals):
            for name, value in list(scope.items()):
                if value is module and not name.startswith("_") and name not in ("self", "module"):
                    return name
    return ""


def grown(info, facts) -> Iterator[tuple[object, object]]:
    """(tensor, size) of the inputs that have a history and do not fit."""
    if "arrays" in info:
        for array, size in zip(info["arrays"], (facts.get("a_size"), facts.get("b_size"))):
            for holder in gc.get_referrers(array) if isinstance(array, np.ndarray) else ():
                if getattr(type(holder), "why_no_grad", None) and getattr(holder, "_node", None) is not None:
                    yield holder, size
                    break
        return
    tensor = info.get("grown", info.get("input", info.get("a")))
    size = info.get("size", facts.get("a_cols") if "weight" in info or "b" in info else None)
    if size is not None and getattr(tensor, "_node", None) is not None:
        yield tensor, size


def origin(tensor, modules: list) -> str:
    """What gave a tensor its shape: a module of the running network, or a line; "" if it is not known."""
    node = _maker(getattr(tensor, "_node", None))
    if node is None:
        return ""
    for edge in node.edges:
        if modules and edge is not None and not isinstance(edge, (Node, Port)):
            owner = next((m for m in modules[-1].modules()
                          if any(p is edge for p in m._parameters.values())), None)
            if owner is not None:
                return module_path(modules, owner)
    return f"{node.name()}, {show(node.where)}"


def _maker(edge) -> Node | None:
    """The node that gave the shape: elementwise operations keep that of their first recorded input."""
    node = edge.node if isinstance(edge, Port) else edge
    while isinstance(node, Node):
        before = next(_nodes(node), None)
        if not _keeps_shape(node.op) and not _folded_back(node, before):
            return node
        node = before
    return None


def _keeps_shape(op) -> bool:
    return op is not None and (op.elementwise or type(op).__name__ in _KEEP or "Norm" in type(op).__name__)


def _folded_back(node, before) -> bool:
    """Whether a view is how a layer brings the product of all rows back to (..., features): the layer gave the size."""
    return (before is not None and type(node.op).__name__ == "Reshape" and before.where == node.where
            and type(before.op).__name__ in ("Linear", "LinearWithoutBias"))


def _nodes(node) -> Iterator[Node]:
    for edge in node.edges:
        before = edge.node if isinstance(edge, Port) else edge
        if isinstance(before, Node):
            yield before
