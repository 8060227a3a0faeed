"""The still picture of a description: what a notebook shows where it may not show the page."""

from __future__ import annotations

from .dot import Digraph
from .draw import CONSTANT, EDGE, FUNCTION, GRAPH, LEAF, NODE, RESULT, label, nested, number

MOST = 400  # nodes; a larger picture says nothing
FEW = 6
COLORS = {"op": FUNCTION, "leaf": LEAF, "parameter": LEAF, "constant": CONSTANT}


def still(description: dict) -> Digraph | None:
    """Boxes and arrows of what `model.describe` returned; None for a graph too large to be seen at once.

    >>> node = {"id": 0, "kind": "leaf", "op": "", "name": "x", "root": True, "shape": [], "value": None, "grad": None}
    >>> "x" in still({"nodes": [node], "edges": []}).source
    True
    """
    nodes = description["nodes"]
    if len(nodes) > MOST:
        return None
    dot = Digraph(node_attr=NODE, edge_attr=EDGE, graph_attr=GRAPH)
    for node in nodes:
        color = RESULT if node["root"] else COLORS[node["kind"]]
        dot.node(f"n{node['id']}", label(lines(node)), {"fillcolor": color})
    for source, target, *_ in description["edges"]:
        dot.edge(f"n{source}", f"n{target}")
    return dot


def lines(node: dict) -> list[str]:
    """What stands in a node's box: its name, its value or shape, its gradient."""
    title = " = ".join(filter(None, (node["name"], node["op"]))) or "tensor"
    found = [title, shown(node["value"], node["shape"])]
    if node["grad"] is not None:
        found.append(f"grad {shown(node['grad'], node['shape'])}")
    return [line for line in found if line]


def shown(value: dict | None, shape: list | None) -> str:
    """A few numbers, or the shape of more.

    >>> shown({"shape": [2], "data": [1.0, 2.5]}, [2]), shown(None, [2, 3])
    ('[1, 2.5]', '(2, 3)')
    """
    data = (value or {}).get("data")
    if data is not None and not value["shape"]:
        return number(data[0])
    if data is not None and len(data) <= FEW:
        return nested(data)
    return f"({', '.join(map(str, shape))})" if shape is not None else ""
