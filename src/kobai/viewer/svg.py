"""Scene -> SVG text."""

from __future__ import annotations

import re
from html import escape

from .colors import hex_color
from .paint import PAD, Group, Outline, Text, paint
from .scene import Scene

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_svg(scene: Scene) -> str:
    """SVG of a scene that has been laid out."""
    wide, high = scene.width + 2 * PAD, scene.height + 2 * PAD
    scale = scene.scale()
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide * scale:.0f}pt" height="{high * scale:.0f}pt" '
        f'viewBox="0 0 {wide:.2f} {high:.2f}">',
        f'<rect width="100%" height="100%" fill="{background(scene)}"/>',
        *(group_svg(group) for group in paint(scene)),
        "</svg>\n",
    ]
    return NOT_XML.sub("\ufffd", "\n".join(out))


def background(scene: Scene) -> str:
    """Colour behind the picture: white, as in Graphviz, so that it shows in dark notebooks too."""
    return hex_color(scene.attrs.get("bgcolor", "white"), "white")


def group_svg(group: Group) -> str:
    """One node or edge."""
    inner = "".join(outline_svg(i) if isinstance(i, Outline) else text_svg(i) for i in group.items)
    title = f"<title>{escape(group.title)}</title>" if group.title else ""
    return f'<g class="{group.kind}">{title}{inner}</g>'


def outline_svg(item: Outline) -> str:
    """A path element."""
    path = " ".join(step[0] + " ".join(f"{x:.2f},{y:.2f}" for x, y in step[1:]) for step in item.steps)
    dash = f' stroke-dasharray="{",".join(f"{d:g}" for d in item.dash)}"' if item.dash else ""
    width = f' stroke-width="{item.width:g}"' if item.width != 1.0 else ""
    return f'<path d="{path}" fill="{item.fill}" stroke="{item.stroke}"{width}{dash}/>'


def text_svg(item: Text) -> str:
    """A text element. Boxes are measured for a monospace font, so that is what replaces a missing one."""
    family = item.family if item.family == "monospace" else f"{item.family}, monospace"
    return (
        f'<text xml:space="preserve" x="{item.x:.2f}" y="{item.y:.2f}" text-anchor="{item.align}" '
        f'font-family="{escape(family)}" font-size="{item.size:g}" fill="{item.color}">'
        f"{escape(item.text, quote=False)}</text>"
    )
