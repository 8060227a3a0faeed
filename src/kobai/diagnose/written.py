"""What the user's source says about a variable: where it was assigned, within which block, by which calls."""
from __future__ import annotations

import ast
import linecache
import os
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

from .frames import user_frames

_BLOCKS = ("no_grad", "inference_mode")
_CUTS = ("detach", "data", "numpy", "item", "tolist", "tensor", "as_tensor", "from_numpy", "clone_detach")


class Assignment(NamedTuple):
    """One line that gave a variable its value."""

    file: str
    line: int
    text: str
    block: tuple[str, int] | None  # ("torch.no_grad()", line) around it
    cuts: tuple[str, ...]          # calls in it that leave the graph

    @property
    def place(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


def assignment_of(value) -> Assignment | None:
    """The last assignment, above the line that runs now, to a variable that holds `value`."""
    for frame in user_frames():
        for scope in (frame.f_locals, frame.f_globals):
            for name, other in list(scope.items()):
                if other is value and not name.startswith("_"):
                    found = _last(frame, name)
                    if found is not None:
                        return found
    return None


def _last(frame: FrameType, name: str) -> Assignment | None:
    file = frame.f_code.co_filename
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:  # a cell with magics, say
        return None
    found = [a for a in _assignments(tree, name, None, _decorated(tree, frame)) if a[0].lineno <= frame.f_lineno]
    if not found:
        return None
    node, block = max(found, key=lambda a: a[0].lineno)
    return Assignment(file, node.lineno, linecache.getline(file, node.lineno).strip(), block,
                      tuple(dict.fromkeys(_called(node))))


def _decorated(tree, frame) -> tuple[str, int] | None:
    """The no_grad decorator of the function that runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == frame.f_code.co_name:
            for d in node.decorator_list:
                if any(b in ast.unparse(d) for b in _BLOCKS):
                    return "@" + ast.unparse(d), d.lineno
    return None


def _assignments(tree, name, block, outer) -> Iterator[tuple[ast.stmt, tuple[str, int] | None]]:
    for node in ast.iter_child_nodes(tree):
        inner = block or outer
        if isinstance(node, (ast.With, ast.AsyncWith)):
            entered = [ast.unparse(i.context_expr) for i in node.items]
            off = next((e for e in entered if any(b in e for b in _BLOCKS)), None)
            yield from _assignments(node, name, (off, node.lineno) if off else block, outer)
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] \
            if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)) else []
        if any(isinstance(n, ast.Name) and n.id == name for t in targets for n in ast.walk(t)):
            yield node, inner
        yield from _assignments(node, name, block, outer)


def _called(node) -> Iterator[str]:
    """Names of calls and attributes in the value that take a tensor out of its graph."""
    value = getattr(node, "value", None)
    for n in ast.walk(value) if value is not None else ():
        if isinstance(n, ast.Attribute) and n.attr in _CUTS and (n.attr in ("detach", "data", "numpy", "item", "tolist")):
            yield "." + n.attr + ("" if n.attr == "data" else "()")
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in ("tensor", "as_tensor"):
            if any(isinstance(a, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) for a in n.args):
                yield f"{ast.unparse(n.func)}(...)"
