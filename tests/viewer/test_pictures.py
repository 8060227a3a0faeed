"""SVG, PNG and PDF: all the text is there, legible without any font on the machine, and harmless."""

import io
import re
import struct
import xml.dom.minidom
import zlib

import pytest

from kobai.viewer import Digraph, png
from kobai.viewer.png import BUNDLED, FONT


def graph(label="AddmmBackward0", **attrs):
    dot = Digraph(node_attr=dict(shape="box", style="filled", fontname="monospace", fontsize="10"))
    dot.node("a", label, **attrs)
    dot.edge("a", "b")
    return dot


def elements(dot, tag):
    return xml.dom.minidom.parseString(dot.pipe("svg")).getElementsByTagName(tag)


# ---- SVG -------------------------------------------------------------------------------------
def test_svg_has_boxes_in_their_colours_and_arrows():
    dot = graph(fillcolor="lightblue")
    dot.node("b", fillcolor="darkolivegreen1")
    dot.edge("a", "b", dir="none", style="dotted")
    fills = [p.getAttribute("fill") for p in elements(dot, "path")]
    assert fills.count("#add8e6") == fills.count("#caff70") == 1
    assert fills.count("#000000") == 1  # one arrow head: the other edge has none
    assert [p.getAttribute("stroke-dasharray") for p in elements(dot, "path")].count("1,3") == 1


def test_svg_text_cannot_break_out():
    evil = '</title></text><script>alert("1")</script>&amp;\x00\x1b'
    dot = graph(evil, fillcolor='"/><script/>', fontname='"><script/>', tooltip=evil)
    assert not elements(dot, "script")
    assert any('<script>alert("1")</script>' in t.firstChild.data for t in elements(dot, "text"))


def test_svg_states_its_size_for_notebooks():
    svg = elements(graph(), "svg")[0]
    wide, high = (float(svg.getAttribute(side).removesuffix("pt")) for side in ("width", "height"))
    box = [float(side) for side in svg.getAttribute("viewBox").split()]
    assert box == pytest.approx([0, 0, wide, high], abs=0.51)
    assert 60 < wide < 200 and 60 < high < 200


def test_svg_obeys_the_size_attribute():
    dot = graph()
    dot.graph_attr["size"] = "0.5,0.5"
    svg = elements(dot, "svg")[0]
    assert max(float(svg.getAttribute(s).removesuffix("pt")) for s in ("width", "height")) <= 44  # + border


# ---- PNG -------------------------------------------------------------------------------------
def pixels(data):
    image = pytest.importorskip("PIL.Image", reason="Pillow, which reads the PNG, is not installed")
    return image.open(io.BytesIO(data)).convert("L")


@pytest.fixture
def resvg():
    return pytest.importorskip("resvg_py", reason="resvg_py is not installed")


def dark(image):
    return sum(image.histogram()[:100])


@pytest.mark.parametrize("fontname", ["monospace", "Times", "no such font"])
def test_png_text_is_drawn_with_the_bundled_font_alone(resvg, monkeypatch, fontname):
    fonts = []
    original = resvg.svg_to_bytes

    def without_system_fonts(**options):
        fonts.append(options["skip_system_fonts"])
        return original(**options | {"skip_system_fonts": True})

    monkeypatch.setattr(resvg, "svg_to_bytes", without_system_fonts)
    text = graph("WWWWWWWW αβ ∂→≤", fontname=fontname).pipe("png")
    blank = graph(" " * 15, fontname=fontname).pipe("png")
    assert fonts == [True, True]
    assert dark(pixels(text)) > dark(pixels(blank)) + 500


def test_png_of_other_characters_may_use_the_system_s_fonts(resvg, monkeypatch):
    asked = []
    original = resvg.svg_to_bytes

    def noted(**options):
        asked.append(options["skip_system_fonts"])
        return original(**options)

    monkeypatch.setattr(resvg, "svg_to_bytes", noted)
    graph("勾配").pipe("png")
    assert asked == [False]


def test_bundled_characters_are_those_in_the_font():
    ttlib = pytest.importorskip("fontTools.ttLib", reason="fonttools, which reads the font, is not installed")
    inside = {chr(c) for c in ttlib.TTFont(FONT).getBestCmap()}
    assert BUNDLED - inside <= set("\t\n\xad\u03a2")  # controls, the soft hyphen, and no character at all
    assert FONT.stat().st_size < 25_000
    assert "Bitstream" in FONT.with_name("LICENSE").read_text()


def test_png_resolution(resvg):
    def size(data):
        return struct.unpack(">II", data[16:24])

    dot = graph()
    usual = size(dot.pipe("png"))
    dot.graph_attr["dpi"] = "288"
    assert size(dot.pipe("png")) == tuple(2 * side for side in usual)


def test_png_of_a_long_graph_stays_within_bounds(resvg, monkeypatch):
    monkeypatch.setattr(png, "MAX_SIDE", 500)
    dot = Digraph()
    for i in range(30):
        dot.edge(str(i), str(i + 1))
    assert max(struct.unpack(">II", dot.pipe("png")[16:24])) <= 500


# ---- PDF -------------------------------------------------------------------------------------
def content(data):
    """The page's operators, after checking that the file's table of objects is right."""
    start = int(re.search(rb"startxref\n(\d+)", data)[1])
    rows = data[start:].split(b"\n")
    assert rows[0] == b"xref"
    for number, row in enumerate(rows[3 : 2 + int(rows[1].split()[1])], 1):
        assert data[int(row.split()[0]) :].startswith(b"%d 0 obj" % number)
    length, stream = re.search(rb"/Length (\d+).*?stream\n(.*)\nendstream", data, re.DOTALL).groups()
    assert len(stream) == int(length)
    return zlib.decompress(stream).decode("cp1252")


def test_pdf_has_text_boxes_and_arrows():
    operators = content(graph("a (2, 1)\nb\\\\c é 勾", fillcolor="lightblue").pipe("pdf"))
    assert r"(a \(2, 1\)) Tj" in operators and r"(b\\c é ?) Tj" in operators
    assert "0.678 0.847 0.902 rg" in operators  # lightblue
    assert operators.count(" B Q") == 3  # two boxes and an arrow head


def test_pdf_page_is_as_large_as_the_svg():
    dot = graph()
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", dot.pipe("pdf"))
    svg = elements(dot, "svg")[0]
    for side, value in zip(("width", "height"), box.groups()):
        assert float(svg.getAttribute(side).removesuffix("pt")) == pytest.approx(float(value), abs=0.51)
