"""Numbers and lines as an explanation shows them: short, whole, in one line."""
from __future__ import annotations

import ast
import linecache
import os

import numpy as np

from ..autograd.node import line_of
from .frames import columns

FEW = 6  # elements of an array that is written out


def shown(value) -> str:
    """A number, a few numbers, or shape and norm of many.

    >>> import numpy as np
    >>> shown(np.float32(2)), shown(np.array([0.5, -1.0])), shown(None), shown(np.ones((2, 8)))
    ('2', '[0.5, -1]', '?', '(2, 8) |norm 4|')
    """
    if value is None:
        return "?"
    value = getattr(value, "_value", value)
    if isinstance(value, (bool, int, float, complex)):
        return f"{value:.5g}" if not isinstance(value, bool) else str(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return f"{tuple(value.shape)}" if hasattr(value, "shape") else "?"
    if value.size == 0:
        return f"{value.shape} |0|"
    if value.size <= FEW:
        return _nested(value.tolist())
    if value.dtype.kind not in "fiubc":
        return str(value.shape)
    return f"{value.shape} |norm {np.linalg.norm(value.astype(complex if value.dtype.kind == 'c' else float)):.4g}|"


def _nested(v) -> str:
    if isinstance(v, list):
        return f"[{', '.join(map(_nested, v))}]"
    return str(v) if isinstance(v, bool) else f"{v:.5g}"


def term(value) -> str:
    """A number inside a formula: in brackets if it is negative."""
    text = shown(value)
    return f"({text})" if text.startswith("-") else text


def place(where) -> str:
    """`file:line` of a place, with the file's last name only; "" if it is not known."""
    if where is None:
        return ""
    file, line, _ = line_of(where)
    return f"{os.path.basename(file)}:{line}"


def source(where) -> str:
    """The user's source line."""
    if where is None:
        return ""
    file, line, _ = line_of(where)
    return linecache.getline(file, line).strip()


def operand(where, number: int) -> str:
    """The source of an operand of the `a + b` that a place points at; "" if it points at something else."""
    if where is None:
        return ""
    code, instruction = where
    line, end, left, right = list(code.co_positions())[instruction // 2]
    if line is None or left is None or end != line:
        return ""
    text = linecache.getline(code.co_filename, line).encode()[left:right].decode(errors="replace")
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    if not isinstance(tree, ast.BinOp):
        return ""
    return ast.unparse((tree.left, tree.right)[number])


def padded(text: str, width: int) -> str:
    """`text` filled up with blanks to a number of columns."""
    return text + " " * max(0, width - columns(text))


def size(n: int) -> str:
    """A number of bytes for people.

    >>> size(12), size(4096), size(3_500_000)
    ('12 B', '4.1 kB', '3.5 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= factor:
            return f"{n / factor:.1f} {unit}"
    return f"{n} B"
