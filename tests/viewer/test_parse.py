"""DOT text -> Scene. What the texts mean is said by Graphviz's grammar (graphviz.org/doc/info/lang)."""

import pytest

from kobai.viewer.colors import hex_color
from kobai.viewer.parse import label_lines, parse
from kobai.viewer.scene import Scene, measure, text_width


def edges(scene):
    return [(e.tail, e.head) for e in scene.edges]


def test_defaults_reach_the_nodes_that_come_after_them():
    scene = parse(
        'digraph G { early; node [shape=box, color=red; style="filled"] '
        "late [color=blue]; early [color=green] }"
    )
    assert scene.nodes["early"].attrs == {"color": "green"}
    assert scene.nodes["late"].attrs == {"shape": "box", "color": "blue", "style": "filled"}


def test_chains_and_groups_make_all_their_edges():
    scene = parse("digraph { a -> {b; c} -> d [dir=none] }")
    assert sorted(edges(scene)) == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert all(e.attrs == {"dir": "none"} for e in scene.edges)


def test_scopes_end_with_their_brace():
    scene = parse(
        "digraph { edge [color=red]; subgraph inner { edge [color=blue]; node [shape=box]; a -> b } "
        "c -> d }"
    )
    assert [e.attrs["color"] for e in scene.edges] == ["blue", "red"]
    assert scene.nodes["a"].shape == "box" and scene.nodes["c"].shape == "ellipse"


def test_strings_comments_and_numbers():
    scene = parse(
        'strict graph "a name" { // comment\n /* and\n another */ rankdir = LR;\n'
        '# a line of the preprocessor\n "say \\"x\\"" -- -1.5; "joined" + " string" [label="a\\\nb"] }'
    )
    assert edges(scene) == [('say "x"', "-1.5")] and not scene.directed
    assert scene.attrs == {"rankdir": "LR"}
    assert scene.nodes["joined string"].lines[0].text == "ab"


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("", []),
        ("one", [("one", "middle")]),
        ("\n (2, 1)", [("", "middle"), (" (2, 1)", "middle")]),
        (r"left\lright\rcentre\n", [("left", "start"), ("right", "end"), ("centre", "middle")]),
        (r"back\\slash \N", [("back\\slash name", "middle")]),
    ],
)
def test_label_lines(label, lines):
    assert [(line.text, line.align) for line in label_lines(label, "name")] == lines


@pytest.mark.parametrize(
    ("source", "feature"),
    [
        ("digraph { a [label=<<b>x</b>>] }", "an HTML label"),
        ("digraph { subgraph cluster0 { a } }", "a cluster"),
        ("digraph { {rank=same; a; b} }", "rank=same"),
        ("digraph { a [shape=record] }", "shape=record"),
        ("digraph { a:p -> b:p:n }", "a port"),
        ('digraph { label="title" }', "a graph label"),
        ('digraph { a -> b [headlabel="1"] }', "an edge's extra label"),
    ],
)
def test_what_is_beyond_us_is_noted(source, feature):
    assert parse(source).beyond == feature
    assert parse("digraph { a -> b [label=x]; c [shape=circle] }").beyond == ""


BROKEN = ["", "digraph", "digraph { a -> }", "digraph { a [x= }", "digraph { } }", "digraph { ! }"]


@pytest.mark.parametrize("source", [*BROKEN, "digraph { a [label=<b }", "digraph {"])
def test_broken_text(source):
    with pytest.raises(ValueError, match="syntax error"):
        parse(source)


def test_boxes_hold_their_text():
    scene = parse(
        'digraph { node [fontsize=10]; a [shape=box label="ScaledDotProduct\nx"]; '
        'b [label="ScaledDotProduct"] }'
    )
    for node in scene.nodes.values():
        measure(node)
        assert node.width > text_width("ScaledDotProduct", 10) and node.height > 12 * len(node.lines)
    assert scene.nodes["b"].width > scene.nodes["a"].width  # an ellipse around the same text
    assert text_width("日本", 10) > 1.6 * text_width("ab", 10)


def test_fixed_and_least_sizes():
    scene = parse(
        "digraph { node [shape=box width=2 height=1]; a; b [label=" + "x" * 99 + " fixedsize=true] }"
    )
    for node in scene.nodes.values():
        measure(node)
        assert (node.width, node.height) == (144, 72)


@pytest.mark.parametrize(
    ("size", "scale"),
    [("", 1), ("1", 0.5), ("1,9", 0.5), ("9,9", 1), ("4!", 2), ("nonsense", 1), ("0,0", 1)],
)
def test_size_limits_the_picture(size, scale):
    assert Scene({"size": size}, width=144, height=72).scale() == scale


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        # X11's table, as Graphviz has it
        ("lightblue", "#add8e6"),
        ("orange", "#ffa500"),
        ("darkolivegreen1", "#caff70"),
        ("darkolivegreen3", "#a2cd5a"),
        ("Green", "#00ff00"),
        ("gray50", "#7f7f7f"),
        ("#12345680", "#123456"),
        ("0.0 1.0 1.0", "#ff0000"),
        ("red:blue", "#ff0000"),
        ("transparent", "none"),
        ("no such colour", "#000000"),
        ('"><script>', "#000000"),
    ],
)
def test_colors(color, rgb):
    assert hex_color(color) == rgb
