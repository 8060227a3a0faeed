"""Where everything goes: Graphviz from the pygraphviz wheel, else a plain layered layout of our own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from . import layered
from .scene import POINTS_PER_INCH, Scene, block_size, font_size, measure

# Attributes that shape the layout; all others only say how the result is painted.
GRAPH_KEYS = ("rankdir", "ranksep", "nodesep", "splines", "ordering", "overlap", "sep", "layout", "start")
NODE_KEYS = ("group", "pos", "pin")
EDGE_KEYS = ("dir", "arrowhead", "arrowtail", "arrowsize", "weight", "minlen", "constraint", "len")
_graphviz = threading.Lock()  # Graphviz keeps global state


def place(scene: Scene, engine: str = "dot") -> None:
    """Give every node and edge of ``scene`` its position.

    Graphviz never sees the text, only sizes: positions do not depend on the machine's fonts.
    Without the pygraphviz wheel (in a browser, say) ``layered.place`` does a simpler job.
    """
    for node in scene.nodes.values():
        measure(node)
    try:
        import pygraphviz  # noqa: PLC0415
    except ImportError:
        layered.place(scene)
        return
    with _graphviz:
        graph = pygraphviz.AGraph(string=skeleton(scene), directed=scene.directed)
        graph.layout(prog=engine)
        read_positions(scene, graph)


def quoted(attrs: dict[str, str], keys: tuple[str, ...]) -> str:
    """The given attributes in DOT's syntax."""
    return " ".join('{}="{}"'.format(key, attrs[key].replace('"', "")) for key in keys if key in attrs)


def skeleton(scene: Scene) -> str:
    """DOT text with sizes in place of labels; node i is ``n<i>``, edge i has the key ``e<i>``."""
    number = {name: i for i, name in enumerate(scene.nodes)}
    arrow = "->" if scene.directed else "--"
    out = ["digraph {" if scene.directed else "graph {", f"graph [{quoted(scene.attrs, GRAPH_KEYS)}]"]
    out.append('node [label="" fixedsize=true]')
    for name, node in scene.nodes.items():
        shape = "box" if node.shape == "none" else node.shape
        size = f"width={node.width / POINTS_PER_INCH:.4f} height={node.height / POINTS_PER_INCH:.4f}"
        out.append(f"n{number[name]} [shape={shape} {size} {quoted(node.attrs, NODE_KEYS)}]")
    for i, edge in enumerate(scene.edges):
        label = ""
        if edge.lines:  # an empty table keeps the label's place
            wide, high = block_size(edge.lines, font_size(edge.attrs))
            label = (
                f'label=<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{wide + 6:.0f}" HEIGHT="{high + 2:.0f}">'
                "<TR><TD></TD></TR></TABLE>>"
            )
        attrs = quoted(edge.attrs, EDGE_KEYS)
        out.append(f"n{number[edge.tail]} {arrow} n{number[edge.head]} [key=e{i} {attrs} {label}]")
    return "\n".join([*out, "}"])


def read_positions(scene: Scene, graph) -> None:
    """Copy Graphviz's result into ``scene``, turning its y axis downwards."""
    left, bottom, right, top = (float(v) for v in graph.graph_attr["bb"].split(","))
    scene.width, scene.height = right - left, top - bottom

    def point(text: str) -> tuple[float, float]:
        x, y = text.rstrip("!").split(",")[:2]
        return float(x) - left, top - float(y)

    for i, node in enumerate(scene.nodes.values()):
        node.x, node.y = point(graph.get_node(f"n{i}").attr["pos"])
    for tail, head, key in graph.edges(keys=True):
        found = graph.get_edge(tail, head, key).attr
        edge = scene.edges[int(key[1:])]
        read_spline(edge, found["pos"] or "", point)
        if edge.lines and found["lp"]:
            edge.label_at = point(found["lp"])


def read_spline(edge, text: str, point: Callable) -> None:
    """Parse Graphviz's ``e,x,y s,x,y p0 c c p1 …``."""
    for word in re.sub(r"\\\s*", "", text).split(";")[0].split():
        if word.startswith("e,"):
            edge.head_tip = point(word[2:])
        elif word.startswith("s,"):
            edge.tail_tip = point(word[2:])
        else:
            edge.points.append(point(word))
