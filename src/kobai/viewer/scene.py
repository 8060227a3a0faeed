"""A picture as data: boxes with lines of text, arrows between them, all lengths in points.

``parse`` makes a Scene from DOT text, ``layout`` gives it positions, ``svg`` and ``pdf`` draw it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field

POINTS_PER_INCH = 72.0
# Width of one character over the font size. Common monospace fonts are between 0.55 and 0.602
# (DejaVu Sans Mono), proportional ones are narrower on average: text always fits its box.
ADVANCE = 0.602
WIDE_ADVANCE = 1.05  # Chinese, Japanese and Korean characters
LINE_HEIGHT = 1.2


@dataclass
class Line:
    """One line of a label; ``align`` is "middle", "start" or "end"."""

    text: str
    align: str = "middle"


@dataclass
class Node:
    """A shape with text. ``x, y`` is its centre, y pointing down."""

    name: str
    attrs: dict[str, str]
    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def shape(self) -> str:
        """One of "box", "ellipse", "diamond" and "none"."""
        return SHAPES[self.attrs.get("shape", "ellipse")]


@dataclass
class Edge:
    """An arrow. ``points`` are Bézier points p0 c c p1 c c p2 …; tips are the arrow heads' ends."""

    tail: str
    head: str
    attrs: dict[str, str]
    lines: list[Line] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    head_tip: tuple[float, float] | None = None
    tail_tip: tuple[float, float] | None = None
    label_at: tuple[float, float] | None = None


@dataclass
class Scene:
    """A whole picture. ``beyond`` says which DOT feature only Graphviz itself can draw, if any."""

    attrs: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    directed: bool = True
    width: float = 0.0
    height: float = 0.0
    beyond: str = ""

    def scale(self) -> float:
        """Factor that makes the picture obey DOT's ``size`` attribute (inches; "!" also enlarges).

        >>> Scene({"size": "1,1"}, width=144, height=72).scale()
        0.5
        """
        size = self.attrs.get("size", "")
        sides = [float(v) * POINTS_PER_INCH for v in re.findall(r"[\d.]+", size)]
        if not sides or not all(sides) or not self.width or not self.height:
            return 1.0
        fit = min(sides[0] / self.width, sides[-1] / self.height)
        return fit if size.endswith("!") else min(1.0, fit)


SHAPES = {name: "box" for name in ("box", "rect", "rectangle", "square")}
SHAPES |= {name: "ellipse" for name in ("ellipse", "oval", "circle")}
SHAPES |= {name: "none" for name in ("none", "plaintext", "plain")}
SHAPES |= {"diamond": "diamond"}


def number(attrs: dict[str, str], key: str, default: float) -> float:
    """Attribute as a finite number; ``default`` where it is missing or nonsense.

    >>> number({"fontsize": "10"}, "fontsize", 14), number({}, "fontsize", 14)
    (10.0, 14)
    """
    try:
        value = float(attrs[key])
    except (KeyError, ValueError):
        return default
    return value if math.isfinite(value) else default


def font_size(attrs: dict[str, str]) -> float:
    """Size of an element's text in points (Graphviz's default is 14)."""
    return max(1.0, number(attrs, "fontsize", 14.0))


def text_width(text: str, size: float) -> float:
    """Width of ``text`` in points, set in a monospace font.

    >>> round(text_width("tanh", 10), 2)
    24.08
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return size * (ADVANCE * (len(text) - wide) + WIDE_ADVANCE * wide)


def block_size(lines: list[Line], size: float) -> tuple[float, float]:
    """Width and height of some lines of text."""
    return max((text_width(line.text, size) for line in lines), default=0.0), LINE_HEIGHT * size * len(lines)


def measure(node: Node) -> None:
    """Give ``node`` the size Graphviz would: its text plus margins, or its minimum size if larger."""
    wide, high = block_size(node.lines, font_size(node.attrs))
    margin = [float(v) for v in re.findall(r"[\d.]+", node.attrs.get("margin", "0.11,0.055"))] or [0.0]
    wide += 2 * margin[0] * POINTS_PER_INCH
    high += 2 * margin[-1] * POINTS_PER_INCH
    if node.shape == "ellipse":  # an ellipse around the text's rectangle
        wide, high = wide * math.sqrt(2), high * math.sqrt(2)
    elif node.shape == "diamond":
        wide, high = wide * 2, high * 2
    least_wide = number(node.attrs, "width", 0.75) * POINTS_PER_INCH
    least_high = number(node.attrs, "height", 0.5) * POINTS_PER_INCH
    if node.attrs.get("fixedsize", "").lower() in ("true", "shape", "1"):
        wide, high = least_wide, least_high
    node.width, node.height = max(wide, least_wide), max(high, least_high)
    if node.attrs.get("shape") in ("square", "circle") or node.attrs.get("regular") == "true":
        node.width = node.height = max(node.width, node.height)
