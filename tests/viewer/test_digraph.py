"""Digraph: python-graphviz's text and files. The texts written in are python-graphviz 0.21's."""

import struct
import sys
import xml.dom.minidom
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kobai.viewer import Digraph
from kobai.viewer.dot import quote, quote_end


@pytest.fixture
def small():
    dot = Digraph(node_attr={"shape": "box", "style": "filled"}, graph_attr={"size": "12,12"})
    dot.node("1", "w\n (2, 1)", fillcolor="lightblue")
    dot.node("2", "AccumulateGrad")
    dot.edge("1", "2")
    return dot


def missing(monkeypatch, *packages):
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)


def png_size(data):
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


# ---- text ------------------------------------------------------------------------------------
def test_source(small):
    assert small.source == str(small) == (
        "digraph {\n"
        '\tgraph [size="12,12"]\n'
        "\tnode [shape=box style=filled]\n"
        '\t1 [label="w\n (2, 1)" fillcolor=lightblue]\n'
        "\t2 [label=AccumulateGrad]\n"
        "\t1 -> 2\n"
        "}\n"
    )


def test_every_kind_of_statement():
    dot = Digraph("G", comment="all of it", strict=True, edge_attr={"color": "red"})
    dot.attr(rankdir="LR", label="")
    dot.attr("node", shape="box", color=None)
    dot.edges(["ab", ("b", "c d")])
    dot.edge("a:port:n", "b", "an edge", {"weight": "2"}, dir="none")
    with dot.subgraph(name="inner") as inner:
        inner.node("graph")
    dot.subgraph(Digraph(body=["\tx\n"]))
    assert dot.source == (
        "// all of it\n"
        "strict digraph G {\n"
        "\tedge [color=red]\n"
        '\tlabel="" rankdir=LR\n'
        "\tnode [shape=box]\n"
        "\ta -> b\n"
        '\tb -> "c d"\n'
        '\ta:port:n -> b [label="an edge" dir=none weight=2]\n'
        '\tsubgraph inner {\n\t\t"graph"\n\t}\n'
        "\t{\n\t\tx\n\t}\n"
        "}\n"
    )
    assert Digraph("G").filename == "G.gv" and Digraph().filename == "Digraph.gv"


def test_attr_of_something_else_is_an_error():
    with pytest.raises(ValueError, match="attr statement must target graph, node, or edge"):
        Digraph().attr("leaf", shape="box")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", '""'),
        ("tanh", "tanh"),
        ("-4.2", "-4.2"),
        (".5", ".5"),
        ("1a", '"1a"'),
        ("Node", '"Node"'),
        ('"', r'"\""'),
        (r"\"", r'"\""'),
        (r"\\" + '"', r'"\\\""'),
        ("<b>x</b>", "<b>x</b>"),
        ("日本", '"日本"'),
    ],
)
def test_quote(name, text):
    assert quote(name) == text


def test_quote_end():
    assert quote_end("spam spam:eggs eggs:s") == '"spam spam":"eggs eggs":s'


@pytest.mark.filterwarnings("ignore:expect syntax error")  # python-graphviz's about a last backslash
@given(st.text(alphabet='ab1 "\\<>:.-_\té日', max_size=8))
def test_quote_is_python_graphviz_s(name):
    quoting = pytest.importorskip("graphviz.quoting", reason="python-graphviz, the oracle, is not installed")
    if not name.endswith("\\"):  # of which it warns: no text can be right
        assert quote(name) == quoting.quote(name)
        assert quote_end(name) == quoting.quote_edge(name)


def test_copy_and_clear(small):
    other = small.copy()
    other.node("3")
    other.node_attr["shape"] = "ellipse"
    assert "3" not in small.source and small.node_attr["shape"] == "box"
    other.clear(keep_attrs=True)
    assert other.body == [] and other.graph_attr == {"size": "12,12"}
    other.clear()
    assert other.source == "digraph {\n}\n"


# ---- files -----------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_render_writes_source_and_picture(small, tmp_path, format):
    path = small.render("a name", directory=tmp_path / "deep" / "er", format=format)
    assert path == str(tmp_path / "deep" / "er" / f"a name.{format}")
    assert Path(path).read_bytes()[:4] == {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    assert (tmp_path / "deep" / "er" / "a name").read_text() == small.source
    assert small.format == "pdf"  # an argument does not change the graph


def test_render_by_default_is_pdf_in_the_working_directory(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert small.render() == "Digraph.gv.pdf"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Digraph.gv", "Digraph.gv.pdf"]


def test_render_outfile_and_cleanup(small, tmp_path):
    assert small.render(outfile=tmp_path / "graph.svg", cleanup=True) == str(tmp_path / "graph.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]
    with pytest.raises(FileExistsError):
        small.render(outfile=tmp_path / "graph.svg", raise_if_result_exists=True)


def test_save_remembers_names_and_can_skip(small, tmp_path):
    path = small.save("x.gv", tmp_path)
    assert path == small.filepath == str(tmp_path / "x.gv")
    Path(path).write_text("mine")
    small.save(skip_existing=True)
    assert Path(path).read_text() == "mine"


def test_view_opens_the_picture_in_the_browser(small, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    path = small.view("x", tmp_path)
    assert opened == [Path(path).as_uri()] and path.endswith("x.pdf")
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(RuntimeError, match="open .* yourself"):
        small.view("x", tmp_path)


@pytest.mark.parametrize(
    "use",
    [
        lambda dot, path: dot.render(path, format="bmp3"),
        lambda dot, path: dot.pipe("bmp3"),
        lambda dot, path: setattr(dot, "format", "bmp3"),
        lambda dot, path: Digraph(format="bmp3"),
    ],
)
def test_unknown_format(small, tmp_path, use):
    with pytest.raises(ValueError, match="unknown format: 'bmp3'"):
        use(small, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []  # nothing half done


def test_broken_source_is_an_error_and_leaves_no_file(small, tmp_path):
    small.body.append("\ta -> \n")
    with pytest.raises(ValueError, match="syntax error"):
        small.render(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


# ---- notebooks -------------------------------------------------------------------------------
def test_notebook_shows_svg(small):
    bundle = small._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml"]
    assert bundle["image/svg+xml"] == small._repr_svg_()
    texts = xml.dom.minidom.parseString(small._repr_svg_()).getElementsByTagName("text")
    assert [text.firstChild.data for text in texts] == ["w", " (2, 1)", "AccumulateGrad"]


def test_notebook_may_ask_for_other_types(small):
    asked = ["image/png", "image/svg+xml", "text/html"]
    bundle = small._repr_mimebundle_(include=asked, exclude=["image/svg+xml"])
    assert list(bundle) == ["image/png"]
    assert png_size(bundle["image/png"])[0] > 100
    assert small._repr_mimebundle_(include=[]) == {}


# ---- wheels that are not there ---------------------------------------------------------------
def test_without_any_wheel_svg_and_pdf_still_work(small, monkeypatch):
    missing(monkeypatch, "pygraphviz", "resvg_py")
    assert b"AccumulateGrad" in small.pipe("svg")
    assert small.pipe("pdf").startswith(b"%PDF")


def test_png_without_resvg_says_what_to_install(small, monkeypatch):
    missing(monkeypatch, "resvg_py")
    with pytest.raises(ImportError, match=r"(?s)resvg_py.*fix: pip install resvg_py"):
        small.pipe("png")


def test_what_needs_graphviz_says_so(small, monkeypatch):
    missing(monkeypatch, "pygraphviz")
    with pytest.raises(ImportError, match=r"(?s)format 'json' needs .*fix: pip install pygraphviz"):
        small.pipe("json")
    small.node("3", "<<b>bold</b>>")
    with pytest.raises(ImportError, match="drawing an HTML label needs the package pygraphviz"):
        small.pipe("svg")


# ---- what only Graphviz draws ----------------------------------------------------------------
@pytest.mark.parametrize("format", ["svg", "png", "dot", "plain"])
def test_html_labels_clusters_and_records_are_left_to_graphviz(format):
    pytest.importorskip("pygraphviz", reason="the Graphviz wheel is not installed")
    dot = Digraph()
    with dot.subgraph(name="cluster_a") as inner:
        inner.node("b", shape="record", label="{left|right}")
    dot.node("a", "<<b>bold</b>>")
    dot.edge("a", "b:n")
    picture = dot.pipe(format)
    assert (b"right" in picture and b"bold" in picture) if format != "png" else png_size(picture)[1] > 150
