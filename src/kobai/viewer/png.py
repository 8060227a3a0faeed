"""SVG text -> PNG by the resvg_py wheel, with a font of our own: many servers have none."""

from __future__ import annotations

import re
from pathlib import Path

from ..diagnose import error
from .scene import POINTS_PER_INCH

FONT = Path(__file__).with_name("fonts") / "DejaVuSansMono-subset.ttf"
FONT_FAMILY = "DejaVu Sans Mono"
# The characters in that file (its README has the same list); others need the system's fonts.
RANGES = [(0x20, 0x7E), (0xA0, 0xFF), (0x391, 0x3C9), (0x2010, 0x2015), (0x2018, 0x201D), (0x2190, 0x2193)]
SINGLE = "\t\n\u2022\u2026\u2202\u2207\u2211\u221a\u221e\u2248\u2260\u2264\u2265"
BUNDLED = {chr(c) for first, last in RANGES for c in range(first, last + 1)} | set(SINGLE)
DPI = 144  # 1.5 times Graphviz's 96: text of size 10 stays legible on today's screens
MAX_SIDE = 16_000  # pixels


def to_png(svg: str, dpi: float = DPI) -> bytes:
    """PNG of SVG text, set in a font that this package brings along.

    Raises:
        ImportError: the resvg_py wheel is not installed.
    """
    try:
        import resvg_py  # noqa: PLC0415
    except ImportError as missing:
        raise error("machine", ImportError("drawing a PNG needs the package resvg_py, which is not installed"),
                    why="the package resvg_py is not installed.",
                    fix="pip install resvg_py; SVG and PDF need nothing: .render(name, format='svg').") from missing
    sides = [float(v) for v in re.findall(r'<svg[^>]*? width="([\d.]+)pt" height="([\d.]+)pt"', svg)[0]]
    dpi = min(dpi, MAX_SIDE * POINTS_PER_INCH / max(sides))
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            dpi=dpi,
            font_files=[str(FONT)],
            monospace_family=FONT_FAMILY,
            serif_family=FONT_FAMILY,
            sans_serif_family=FONT_FAMILY,
            font_family=FONT_FAMILY,
            skip_system_fonts=BUNDLED.issuperset(svg),  # reading them all is slow
        )
    )
