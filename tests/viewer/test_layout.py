"""Both layouts: nothing overlaps, arrows run from border to border, the picture holds all of it."""

import itertools
import random

import pytest
from hypothesis import given, settings, strategies as st

from kobai.viewer import layered, layout
from kobai.viewer.dot import Digraph
from kobai.viewer.parse import parse
from kobai.viewer.scene import measure


def by_graphviz(scene, engine="dot"):
    pytest.importorskip("pygraphviz", reason="the Graphviz wheel is not installed")
    layout.place(scene, engine)


def by_ourselves(scene):
    for node in scene.nodes.values():
        measure(node)
    layered.place(scene)


both = pytest.mark.parametrize("place", [by_graphviz, by_ourselves])

NETWORK = """digraph {
    node [shape=box fontsize=10]
    x -> addmm; weight -> t -> addmm; bias -> addmm; addmm -> tanh -> mul; x -> mul; mul -> loss; bias -> loss
    weight [label="layer1.weight\n (100, 2000)"]
}"""


def overlap(a, b):
    return abs(a.x - b.x) < (a.width + b.width) / 2 - 0.1 and abs(a.y - b.y) < (a.height + b.height) / 2 - 0.1


def check(scene, sideways=False, up=False):
    for a, b in itertools.combinations(scene.nodes.values(), 2):
        assert not overlap(a, b), (a.name, b.name)
    for node in scene.nodes.values():
        assert -0.1 <= node.x - node.width / 2 and node.x + node.width / 2 <= scene.width + 0.1
        assert -0.1 <= node.y - node.height / 2 and node.y + node.height / 2 <= scene.height + 0.1
    for edge in scene.edges:
        tail, head = scene.nodes[edge.tail], scene.nodes[edge.head]
        assert len(edge.points) % 3 == 1
        assert on_border(edge.points[0], tail) and on_border(edge.head_tip, head)
        along = (head.x - tail.x) if sideways else (head.y - tail.y)
        assert (along < 0) == up and along != 0


def on_border(point, node):
    dx, dy = abs(point[0] - node.x) - node.width / 2, abs(point[1] - node.y) - node.height / 2
    return max(dx, dy) < 1.5 and (abs(dx) < 1.5 or abs(dy) < 1.5)


@both
@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
def test_network(place, direction):
    scene = parse(NETWORK.replace("{", "{ rankdir=" + direction, 1))
    place(scene)
    check(scene, sideways=direction in ("LR", "RL"), up=direction in ("BT", "RL"))


@both
def test_parameters_sit_next_to_what_uses_them(place):
    scene = parse(NETWORK)
    place(scene)
    assert scene.nodes["t"].y < scene.nodes["addmm"].y < scene.nodes["tanh"].y
    above = max(n.y for n in scene.nodes.values() if n.y < scene.nodes["addmm"].y - 1)
    assert scene.nodes["bias"].y == pytest.approx(above, abs=12)


@both
def test_two_edges_between_the_same_nodes_can_be_told_apart(place):
    scene = parse("digraph { x -> mul; x -> mul }")
    place(scene)
    first, second = scene.edges
    assert max(abs(a[0] - b[0]) for a, b in zip(first.points, second.points)) > 5


@both
def test_cycles_and_loops_are_drawn(place):
    scene = parse("digraph { a -> b -> c -> a; b -> b; lonely }")
    place(scene)
    assert all(edge.points for edge in scene.edges)
    assert not any(overlap(a, b) for a, b in itertools.combinations(scene.nodes.values(), 2))


@both
def test_edge_labels_have_a_place_and_undirected_edges_no_tip(place):
    scene = parse('digraph { a -> b [label="two words"]; b -> c [dir=none] }')
    place(scene)
    labelled, plain = scene.edges
    assert 0 < labelled.label_at[0] < scene.width + 1 and 0 < labelled.label_at[1] < scene.height
    assert plain.head_tip is None


@both
def test_empty_graph(place):
    scene = parse("digraph { }")
    place(scene)
    assert scene.width >= 0 and scene.edges == []


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 14))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    lines = [f'{i} [label="{"x" * draw(st.integers(0, 20))}"]' for i in range(n)]
    lines += [f"{a} -> {b}" for a, b in draw(st.lists(pairs, max_size=25))]
    return "digraph { node [shape=box]; " + "; ".join(lines) + " }"


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_our_layout_of_any_acyclic_graph(source):
    scene = parse(source)
    by_ourselves(scene)
    for a, b in itertools.combinations(scene.nodes.values(), 2):
        assert not overlap(a, b)
    for edge in scene.edges:
        assert scene.nodes[edge.tail].y < scene.nodes[edge.head].y
        assert all(0 <= x <= scene.width + 30 for x, y in edge.points)  # a second edge may stick out a little


def test_spread_is_the_nearest_that_fits():
    """Against a search over a grid."""
    generator = random.Random(0)
    for _ in range(20):
        wish = [generator.uniform(0, 6) for _ in range(3)]
        room = [generator.uniform(0.5, 2) for _ in range(2)]
        ours = layered.spread(wish, room)
        assert all(b - a >= r - 1e-9 for a, b, r in zip(ours, ours[1:], room))
        steps = [i * 0.25 for i in range(-12, 37)]
        best = min(
            sum((a - b) ** 2 for a, b in zip(x, wish))
            for x in itertools.product(steps, repeat=3)
            if x[1] - x[0] >= room[0] and x[2] - x[1] >= room[1]
        )
        assert sum((a - b) ** 2 for a, b in zip(ours, wish)) <= best + 1e-9


@both
def test_deep_graph(place):
    dot = Digraph()
    for i in range(2000):
        dot.edge(str(i), str(i + 1))
    scene = parse(dot.source)
    place(scene)
    assert scene.nodes["0"].y < scene.nodes["2000"].y


def test_positions_do_not_depend_on_fonts(monkeypatch):
    """Graphviz sees sizes only, never text, so it has no use for the system's fonts."""
    text = layout.skeleton(parse(NETWORK))
    assert "layer1" not in text and "addmm" not in text
