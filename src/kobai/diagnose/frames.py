"""The user's own program in an error: lines with a caret, names of variables. Only errors pay for this."""
from __future__ import annotations

import linecache
import sys
import textwrap
from collections.abc import Iterator
from threading import get_ident
from types import CodeType, FrameType

_STANDARD = linecache.__file__.removesuffix("linecache.py")
_LINES = 6  # lines of one expression that are shown
_PACKAGE = __file__.rsplit("diagnose", 1)[0]


def _ours(filename: str) -> bool:
    """Whether a file is kobai's or the standard library's: copy.deepcopy(t) is the user's line, not copy.py's."""
    return filename.startswith((_PACKAGE, "<kobai", "<frozen")) or (
        filename.startswith(_STANDARD) and "site-packages" not in filename)


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame that is not kobai's."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and _ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_frames() -> Iterator[FrameType]:
    """The user's frames, innermost first."""
    frame = user_frame(2)
    while frame is not None:
        if not _ours(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


elsewhere: dict[int, tuple[CodeType, int] | None] = {}  # {thread: the line that asked for what it computes only now}


def here() -> tuple[CodeType, int] | None:
    """(code, instruction) of the user's current line."""
    asked = elsewhere.get(get_ident()) if elsewhere else None
    if asked is not None:
        return asked
    frame = user_frame(2)
    return None if frame is None else (frame.f_code, frame.f_lasti)


def show(where: tuple[CodeType, int] | None) -> str:
    """`file:line, in function`, the source line, and carets under the expression; "" if nothing is known."""
    if where is None:
        return ""
    code, instruction = where
    positions = list(code.co_positions())
    line, end, left, right = positions[min(instruction // 2, len(positions) - 1)]
    line = line or code.co_firstlineno
    name = "" if code.co_name == "<module>" else f", in {code.co_name}"
    text = linecache.getline(code.co_filename, line).rstrip("\n")
    out = f"{code.co_filename}:{line}{name}"
    if end is not None and line < end < line + _LINES:  # a call over several lines: all of them
        block = textwrap.dedent("".join(linecache.getline(code.co_filename, n) for n in range(line, end + 1)))
        return out + "".join(f"\n        {s}" for s in block.rstrip().split("\n"))
    if text.strip():
        out += f"\n        {text.strip()}"
        if left is not None and right is not None and end == line:
            out += _carets(text.encode(), left, right)
    return out


def _carets(line: bytes, left: int, right: int) -> str:
    """The line with carets below an expression; "" if that is the whole line. Python counts bytes of UTF-8."""
    indent = len(line) - len(line.lstrip())
    if (left, right) == (indent, len(line)):
        return ""
    before, marked = (columns(part.decode(errors="replace")) for part in (line[indent:left], line[left:right]))
    return "\n        " + " " * before + "^" * max(1, marked)


def columns(text: str) -> int:
    """Columns on a screen: wide characters take two."""
    return sum(2 if ord(c) > 0x1100 else 1 for c in text)


def name_of(value: object) -> str | None:
    """The name under which the user's frames know this object, innermost first."""
    frame = user_frame(2)
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for name, other in list(scope.items()):
                if other is value and not name.startswith("_"):
                    return name
        frame = frame.f_back
    return None
