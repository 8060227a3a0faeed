"""Scene -> PDF. Text is set in Courier, which every PDF reader has: nothing to embed, no library."""

from __future__ import annotations

import zlib

from .colors import hex_color
from .paint import PAD, Outline, Text, paint
from .scene import Scene

COURIER = 0.6  # width of each of its characters over the font size
OPERATORS = {"M": "m", "L": "l", "C": "c", "Z": "h"}


def to_pdf(scene: Scene) -> bytes:
    """One page as large as the picture.

    Characters outside Windows-1252 (Courier's in PDF) become "?".
    """
    scale = scene.scale()
    wide, high = scene.width + 2 * PAD, scene.height + 2 * PAD
    # PDF's y axis points up: one matrix turns and scales everything
    out = [f"{scale:.5f} 0 0 {-scale:.5f} 0 {high * scale:.3f} cm"]
    page = hex_color(scene.attrs.get("bgcolor", "white"), "white")
    if page != "none":
        out.append(f"{rgb(page)} rg 0 0 {wide:.3f} {high:.3f} re f")
    for group in paint(scene):
        out += [outline_pdf(item) if isinstance(item, Outline) else text_pdf(item) for item in group.items]
    content = zlib.compress("\n".join(out).encode("cp1252", "replace"))
    box = f"[0 0 {wide * scale:.2f} {high * scale:.2f}]"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
    return document(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R "
            f"/Resources << /Font << /F1 {font} >> >> >>".encode(),
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(content), content),
        ]
    )


def document(objects: list[bytes]) -> bytes:
    """A PDF file of numbered objects, the first of which is the catalogue."""
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for i, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{i} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{at:010d} 00000 n \n" for at in places)
    size = len(objects) + 1
    end = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()


def rgb(color: str) -> str:
    """ "#rrggbb" as three numbers between 0 and 1.

    >>> rgb("#ff0080")
    '1.000 0.000 0.502'
    """
    return " ".join(f"{int(color[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5))


def outline_pdf(item: Outline) -> str:
    """Path operators."""
    if item.fill == item.stroke == "none":
        return ""
    path = " ".join(
        " ".join(f"{x:.2f} {y:.2f}" for x, y in step[1:]) + " " + OPERATORS[step[0]] for step in item.steps
    )
    paint_with = "f" if item.stroke == "none" else "S" if item.fill == "none" else "B"
    colors = [f"{rgb(item.stroke)} RG"] if item.stroke != "none" else []
    colors += [f"{rgb(item.fill)} rg"] if item.fill != "none" else []
    dash = " ".join(f"{d:g}" for d in item.dash)
    return f"q {' '.join(colors)} {item.width:g} w [{dash}] 0 d {path} {paint_with} Q"


def text_pdf(item: Text) -> str:
    """Text operators; the matrix undoes the turned y axis."""
    if item.color == "none":
        return ""
    width = COURIER * item.size * len(item.text)
    left = item.x - {"start": 0.0, "middle": width / 2, "end": width}[item.align]
    text = item.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT {rgb(item.color)} rg /F1 {item.size:g} Tf 1 0 0 -1 {left:.2f} {item.y:.2f} Tm ({text}) Tj ET"
