"""DOT text -> Scene: reads what ``Digraph`` writes and what people usually add to it.

Clusters, HTML labels, records, ports and rare shapes are noted in ``Scene.beyond``; drawing
those is left to Graphviz itself.
"""

from __future__ import annotations

import re

from ..diagnose import error
from .scene import SHAPES, Edge, Line, Node, Scene

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/|^\#[^\n]*)
      | (?P<id>[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|-?(?:\.\d+|\d+(?:\.\d*)?))
      | "(?P<string>(?:\\.|[^"\\])*)"
      | (?P<html><)
      | (?P<op>->|--|[{}\[\];,=:+])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
ESCAPE = re.compile(r"\\(.)|\n", re.DOTALL)
ALIGN = {"n": "middle", "l": "start", "r": "end"}
DEFAULTS = "node", "edge", "graph"


def label_lines(label: str, name: str = "") -> list[Line]:
    r"""Lines of a DOT label: ``\n`` ends a centred line, ``\l`` a left one, ``\r`` a right one.

    >>> label_lines(r"a\lb\n\N", "c")
    [Line(text='a', align='start'), Line(text='b', align='middle'), Line(text='c', align='middle')]
    """
    lines, text, at = [], "", 0
    for match in ESCAPE.finditer(label):
        text += label[at : match.start()]
        at = match.end()
        char = match[1] or "n"  # a real newline centres too
        if char in ALIGN:
            lines.append(Line(text, ALIGN[char]))
            text = ""
        else:
            text += name if char == "N" else char
    text += label[at:]
    if text or not lines:
        lines.append(Line(text))
    return [] if label == "" else lines


def tokens(source: str) -> list[tuple[str, str]]:
    """(kind, text) pairs: kind is "id", "string", "html" or "op"."""
    found, at = [], 0
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            line = source.count("\n", 0, at) + 1
            raise error("text-syntax",
                        ValueError(f"syntax error in line {line} of the DOT source near {source[at : at + 20]!r}"),
                        text="the DOT source",
                        why="near {near} in line {line} stands something that is no word and no sign",
                        near=repr(source[at : at + 20]), line=line,
                        fix="put names with other characters than letters, digits and _ into double quotes.")
        kind = match.lastgroup or ""
        text, at = match[kind], match.end()
        if kind == "html":
            text, at = _html(source, at)
        if kind == "string":  # inside quotes only \\" and a line's last backslash are DOT's own escapes
            text = re.sub(r'\\([\\"\n])', lambda m: {'"': '"', "\n": "", "\\": m[0]}[m[1]], text)
        if kind != "space":
            found.append((kind, text))
    return found


def _html(source: str, at: int) -> tuple[str, int]:
    """Text up to the ``>`` that closes the ``<`` before ``at``."""
    start, depth = at, 1
    while depth:
        if at >= len(source):
            raise error("text-syntax",
                        ValueError("syntax error in the DOT source: an HTML label '<...>' is not closed"),
                        text="the DOT source", why="an HTML label is opened and not closed",
                        fix="close each < with a >.")
        depth += {"<": 1, ">": -1}.get(source[at], 0)
        at += 1
    return source[start : at - 1], at


class Parser:
    """Recursive descent over the token list; fills ``self.scene``."""

    def __init__(self, source: str):
        self.tokens = tokens(source)
        self.at = 0
        self.scene = Scene()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def accept(self, *texts: str) -> str:
        """Take the next token if it is one of these unquoted words or signs."""
        kind, text = self.peek()
        if kind in ("op", "id") and text.lower() in texts:
            self.at += 1
            return text.lower()
        return ""

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise error("text-syntax",
                        ValueError(f"syntax error in the DOT source: expected {text!r}, found {self.peek()[1]!r}"),
                        text="the DOT source", why="{found} stands where {wanted} should", found=repr(self.peek()[1]),
                        wanted=repr(text), fix="look at that place: is a bracket or a semicolon missing before it?")

    def take(self) -> str:
        """The next identifier; adjacent strings joined by ``+`` count as one."""
        kind, text = self.peek()
        if kind in ("op", "end"):
            raise error("text-syntax", ValueError(f"syntax error in the DOT source: expected a name, found {text!r}"),
                        text="the DOT source", why="{found} stands where a name should", found=repr(text),
                        fix="look at that place: is a name missing before it?")
        self.at += 1
        if kind == "html":
            self.scene.beyond = "an HTML label"
        while kind == "string" and self.accept("+"):
            text += self.take()
        return text

    def graph(self) -> Scene:
        if self.accept("strict"):
            self.leave("strict")
        self.scene.directed = self.accept("digraph", "graph") == "digraph"
        if self.peek() != ("op", "{"):
            self.take()
        self.expect("{")
        self.statements({"node": {}, "edge": {}, "graph": self.scene.attrs})
        if self.peek()[0] != "end":
            raise error("text-syntax",
                        ValueError(f"syntax error in the DOT source: {self.peek()[1]!r} after the end of the graph"),
                        text="the DOT source", why="{found} stands after the end of the graph",
                        found=repr(self.peek()[1]),
                        fix="one source describes one graph: remove what follows the last }}.")
        return self.scene

    def leave(self, feature: str) -> None:
        """Note that only Graphviz can draw this."""
        self.scene.beyond = self.scene.beyond or feature

    def statements(self, scope: dict[str, dict]) -> list[str]:
        """Statements up to ``}``; returns the nodes they mention."""
        names: list[str] = []
        while not self.accept("}"):
            if not self.accept(";", ","):
                names += self.statement(scope)
        return names

    def statement(self, scope: dict[str, dict]) -> list[str]:
        for kind in DEFAULTS:
            if self.accept(kind):
                scope[kind].update(self.attributes())
                return []
        if self.peek()[0] != "op" and self.tokens[self.at + 1 : self.at + 2] == [("op", "=")]:
            key = self.take()
            self.expect("=")
            scope["graph"][key] = self.take()
            return []
        chain = [self.operand(scope)]
        while self.accept("->", "--"):
            chain.append(self.operand(scope))
        attrs = self.attributes()
        if len(chain) == 1:
            for name in chain[0]:
                self.scene.nodes[name].attrs.update(attrs)
        for tails, heads in zip(chain, chain[1:]):
            for tail in tails:
                self.scene.edges += [Edge(tail, head, scope["edge"] | attrs) for head in heads]
        return [name for operand in chain for name in operand]

    def operand(self, scope: dict[str, dict]) -> list[str]:
        """A node or a subgraph, either alone or as one end of an edge."""
        if self.accept("subgraph"):
            if self.peek() != ("op", "{") and self.take().startswith("cluster"):
                self.leave("a cluster")
        if self.accept("{"):
            inner = {kind: dict(scope[kind]) for kind in DEFAULTS}
            names = self.statements(inner)
            if "rank" in inner["graph"]:
                self.leave("rank=" + inner["graph"]["rank"])
            return names
        name = self.take()
        if name not in self.scene.nodes:
            self.scene.nodes[name] = Node(name, dict(scope["node"]))
        while self.accept(":"):
            self.leave("a port")
            self.take()
        return [name]

    def attributes(self) -> dict[str, str]:
        found = {}
        while self.accept("["):
            while not self.accept("]"):
                key = self.take()
                found[key] = self.take() if self.accept("=") else "true"
                self.accept(",", ";")
        return found


def parse(source: str) -> Scene:
    """Read DOT text.

    Raises:
        ValueError: the text is not DOT.

    >>> scene = parse('digraph { node [shape=box]; a -> b [dir=none]; a [label="x\\n(2)"] }')
    >>> scene.nodes["a"].attrs, [(e.tail, e.head) for e in scene.edges]
    ({'shape': 'box', 'label': 'x\\n(2)'}, [('a', 'b')])
    """
    parser = Parser(source)
    scene = parser.graph()
    for node in scene.nodes.values():
        node.lines = label_lines(node.attrs.get("label", "\\N"), node.name)
        if node.attrs.get("shape", "ellipse") not in SHAPES:
            parser.leave("shape=" + node.attrs["shape"])
    for edge in scene.edges:
        edge.lines = label_lines(edge.attrs.get("label", ""))
        if edge.attrs.keys() & {"xlabel", "headlabel", "taillabel", "lhead", "ltail"}:
            parser.leave("an edge's extra label")
    if scene.attrs.get("label"):
        parser.leave("a graph label")
    return scene
