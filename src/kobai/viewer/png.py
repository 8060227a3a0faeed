"""SVG text -> PNG by the resvg_py wheel, with a font of our own: many servers have none."""

from __future__ import annotations

import re
from importlib.resources import as_file, files

from .scene import POINTS_PER_INCH

FONT = "DejaVuSansMono-subset.ttf"
FONT_FAMILY = "DejaVu Sans Mono"
# The characters in that file (its README has the same list); others need the system's fonts.
RANGES = "0020-007E 00A0-00FF 0391-03C9 2010-2015 2018-201D 2022-2022 2026-2026 2190-2193 2202-2202 2207-2207 "
RANGES += "2211-2211 221A-221A 221E-221E 2248-2248 2260-2260 2264-2265 0009-000A"
BUNDLED = {chr(c) for a, b in (r.split("-") for r in RANGES.split()) for c in range(int(a, 16), int(b, 16) + 1)}
DPI = 144  # 1.5 times Graphviz's 96: text of size 10 stays legible on today's screens
MAX_SIDE = 16_000  # pixels


def to_png(svg: str, dpi: float = DPI) -> bytes:
    """PNG of SVG text, set in a font that this package brings along.

    Raises:
        ImportError: the resvg_py wheel is not installed.
    """
    try:
        import resvg_py
    except ImportError as missing:
        raise ImportError(
            "drawing a PNG needs the package resvg_py, which is not installed\n"
            "  fix: pip install resvg_py\n"
            "  SVG and PDF need nothing: .render(name, format=\"svg\")"
        ) from missing
    sides = [float(v) for v in re.findall(r'<svg[^>]*? width="([\d.]+)pt" height="([\d.]+)pt"', svg)[0]]
    dpi = min(dpi, MAX_SIDE * POINTS_PER_INCH / max(sides))
    with as_file(files(__package__) / "fonts" / FONT) as font:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg,
                dpi=dpi,
                font_files=[str(font)],
                monospace_family=FONT_FAMILY,
                serif_family=FONT_FAMILY,
                sans_serif_family=FONT_FAMILY,
                font_family=FONT_FAMILY,
                skip_system_fonts=BUNDLED.issuperset(svg),  # reading them all is slow
            )
        )
