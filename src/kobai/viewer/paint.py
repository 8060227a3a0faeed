"""Scene -> outlines and texts in drawing order; what SVG and PDF have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from .colors import hex_color
from .scene import LINE_HEIGHT, Edge, Line, Node, Scene, font_size, number, text_width

PAD = 4.0  # white border around the picture, as Graphviz leaves
CIRCLE = 0.5522847498  # control distance that makes four Béziers a circle
ROUND = 5.0  # corner radius of style=rounded
Point = tuple[float, float]


@dataclass
class Outline:
    """A path: steps are ("M", p), ("L", p), ("C", c, c, p) and ("Z",)."""

    steps: list[tuple]
    fill: str = "none"
    stroke: str = "none"
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass
class Text:
    """One line of text on the baseline ``y``; ``align`` says which point of it ``x`` is, as SVG does."""

    x: float
    y: float
    text: str
    align: str
    size: float
    color: str
    family: str


@dataclass
class Group:
    """What one node or edge looks like; ``title`` is its tool tip, if any."""

    kind: str
    title: str
    items: list[Outline | Text] = field(default_factory=list)


def paint(scene: Scene) -> Iterator[Group]:
    """Groups from back to front, shifted by ``PAD`` to be seen whole."""
    for edge in scene.edges:
        if edge.points and "invis" not in styles(edge.attrs):
            yield Group("edge", edge.attrs.get("tooltip", ""), list(edge_items(edge, scene.directed)))
    for node in scene.nodes.values():
        if "invis" not in styles(node.attrs):
            title = node.attrs.get("tooltip") or "\n".join(line.text for line in node.lines)
            yield Group("node", title, list(node_items(node)))


def styles(attrs: dict[str, str]) -> list[str]:
    """The words of the ``style`` attribute."""
    return [word.strip() for word in attrs.get("style", "").split(",")]


def pen(attrs: dict[str, str]) -> dict:
    """Stroke colour, width and dashes of an element."""
    style = styles(attrs)
    dash = (5.0, 2.0) if "dashed" in style else (1.0, 3.0) if "dotted" in style else ()
    width = number(attrs, "penwidth", 2.0 if "bold" in style else 1.0)
    return {"stroke": hex_color(attrs.get("color", "black")), "width": width, "dash": dash}


def node_items(node: Node) -> Iterator[Outline | Text]:
    style = styles(node.attrs)
    fill = "none"
    if "filled" in style:
        fill = hex_color(node.attrs.get("fillcolor", node.attrs.get("color", "lightgrey")), "lightgrey")
    x, y, rx, ry = node.x + PAD, node.y + PAD, node.width / 2, node.height / 2
    if node.shape != "none" or fill != "none":
        corners = [(x - rx, y - ry), (x + rx, y - ry), (x + rx, y + ry), (x - rx, y + ry)]
        if node.shape == "ellipse":
            steps = ellipse(x, y, rx, ry)
        elif node.shape == "diamond":
            steps = polygon([(x, y - ry), (x + rx, y), (x, y + ry), (x - rx, y)])
        else:
            steps = rounded(corners) if "rounded" in style else polygon(corners)
        line = pen(node.attrs) | ({"stroke": "none"} if node.shape == "none" else {})
        yield Outline(steps, fill, **line)
    inset = min(rx, text_width("m", font_size(node.attrs)))
    yield from text_items(node.lines, node.attrs, x, y, rx - inset)


def edge_items(edge: Edge, directed: bool) -> Iterator[Outline | Text]:
    points = [(x + PAD, y + PAD) for x, y in edge.points]
    curves = [("C", *points[i : i + 3]) for i in range(1, len(points) - 2, 3)]
    line = pen(edge.attrs)
    yield Outline([("M", points[0]), *curves], **line)
    if directed:
        ends = (edge.head_tip, points[-1], "arrowhead"), (edge.tail_tip, points[0], "arrowtail")
        for tip, base, key in ends:
            if tip and edge.attrs.get(key) != "none":
                steps = arrow_head(base, (tip[0] + PAD, tip[1] + PAD))
                yield Outline(steps, line["stroke"], **line | {"dash": ()})
    if edge.label_at:
        x, y = edge.label_at
        yield from text_items(edge.lines, edge.attrs, x + PAD, y + PAD, 0.0)


def text_items(lines: list[Line], attrs: dict[str, str], x: float, y: float, half: float) -> Iterator[Text]:
    """Lines centred on ``x, y``; left and right aligned ones reach ``half`` to either side.

    ``class=titled`` sets all but the first line in grey, so that the eye finds the name.
    """
    size, color = font_size(attrs), hex_color(attrs.get("fontcolor", "black"))
    top = y - len(lines) * size * LINE_HEIGHT / 2
    for i, line in enumerate(lines):
        at = {"start": x - half, "middle": x, "end": x + half}[line.align]
        baseline = top + (i + 0.5) * size * LINE_HEIGHT + 0.35 * size  # half the height of a capital
        grey = i > 0 and attrs.get("class") == "titled"
        family = attrs.get("fontname", "Times")
        yield Text(at, baseline, line.text, line.align, size, "#555555" if grey else color, family)


def polygon(points: list[Point]) -> list[tuple]:
    """Steps along straight lines."""
    return [("M", points[0]), *(("L", p) for p in points[1:]), ("Z",)]


def ellipse(x: float, y: float, rx: float, ry: float) -> list[tuple]:
    """Steps around an ellipse."""
    a, b = rx * CIRCLE, ry * CIRCLE
    return [
        ("M", (x + rx, y)),
        ("C", (x + rx, y + b), (x + a, y + ry), (x, y + ry)),
        ("C", (x - a, y + ry), (x - rx, y + b), (x - rx, y)),
        ("C", (x - rx, y - b), (x - a, y - ry), (x, y - ry)),
        ("C", (x + a, y - ry), (x + rx, y - b), (x + rx, y)),
        ("Z",),
    ]


def rounded(corners: list[Point]) -> list[tuple]:
    """Steps around a polygon whose corners are rounded off."""
    steps: list[tuple] = []
    for i, corner in enumerate(corners):
        before = toward(corner, corners[i - 1], ROUND)
        after = toward(corner, corners[(i + 1) % len(corners)], ROUND)
        steps += [("L" if steps else "M", before), ("C", mix(before, corner), mix(after, corner), after)]
    return [*steps, ("Z",)]


def toward(a: Point, b: Point, length: float) -> Point:
    """The point ``length`` away from ``a`` (at most half the way) towards ``b``."""
    share = min(0.5, length / (math.dist(a, b) or 1.0))
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def mix(end: Point, corner: Point) -> Point:
    """Control point of a quarter circle."""
    return end[0] + CIRCLE * (corner[0] - end[0]), end[1] + CIRCLE * (corner[1] - end[1])


def arrow_head(base: Point, tip: Point) -> list[tuple]:
    """Triangle from ``base`` to ``tip``."""
    dx, dy = 0.35 * (tip[0] - base[0]), 0.35 * (tip[1] - base[1])
    return polygon([(base[0] - dy, base[1] + dx), tip, (base[0] + dy, base[1] - dx)])
