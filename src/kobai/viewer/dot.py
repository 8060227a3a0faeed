"""``Digraph``: a graph as DOT text that draws itself, with the interface of python-graphviz."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..diagnose import error
from .layout import place
from .parse import parse
from .pdf import to_pdf
from .png import to_png
from .scene import Scene
from .svg import to_svg

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)")
KEYWORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}
OWN_FORMATS = "svg", "png", "pdf"
# What Graphviz, in the pygraphviz wheel, writes besides.
GRAPHVIZ_FORMATS = (
    *("canon", "cmap", "cmapx", "dot", "dot_json", "eps", "fig", "gif", "gv", "imap", "jpe", "jpeg", "jpg"),
    *("json", "json0", "pic", "plain", "plain-ext", "ps", "ps2", "svgz", "xdot", "xdot_json"),
)
ENGINES = "dot", "neato", "twopi", "circo", "fdp", "sfdp", "osage", "patchwork"
MIME = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpeg"}


def quote(name: str) -> str:
    r"""``name`` as an identifier of DOT, in quotes if it needs them.

    >>> quote("tanh"), quote("a b"), quote('say "x"'), quote("<b>")
    ('tanh', '"a b"', '"say \\"x\\""', '<b>')
    """
    if re.fullmatch(r"<.*>", name, re.DOTALL) or (ID.fullmatch(name) and name.lower() not in KEYWORDS):
        return name
    return '"' + re.sub(r'((?:\\\\)*)\\?"', r'\1\\"', name) + '"'


def quote_end(name: str) -> str:
    """One end of an edge: ``node``, ``node:port`` or ``node:port:compass``."""
    node, _, rest = name.partition(":")
    port, _, compass = rest.partition(":")
    return ":".join([quote(node), *([quote(port)] if rest else []), *([compass] if compass else [])])


def attr_list(label: str | None, attrs: Mapping) -> str:
    """The ``label=… key=value`` of a statement, keys sorted; None values are left out.

    >>> attr_list("x y", {"shape": "box", "color": None})
    'label="x y" shape=box'
    """
    pairs = [] if label is None else [("label", label)]
    pairs += sorted((key, value) for key, value in attrs.items() if value is not None)
    return " ".join(f"{quote(str(key))}={quote(str(value))}" for key, value in pairs)


def bracketed(label: str | None, attrs: Mapping) -> str:
    """The same with the brackets and space that precede it, or nothing."""
    inner = attr_list(label, attrs)
    return f" [{inner}]" if inner else ""


class Digraph:
    """A directed graph: add nodes and edges, then show it in a notebook or write a picture.

    Names and results are python-graphviz's; pictures need no Graphviz program.

    >>> dot = Digraph(node_attr={"shape": "box"})
    >>> dot.node("w", "w (2, 1)", fillcolor="lightblue")
    >>> dot.edge("w", "y")
    >>> print(dot.source.expandtabs(4), end="")
    digraph {
        node [shape=box]
        w [label="w (2, 1)" fillcolor=lightblue]
        w -> y
    }
    >>> dot.pipe("svg").startswith(b"<svg")
    True
    """

    def __init__(
        self,
        name: str | None = None,
        comment: str | None = None,
        filename: str | os.PathLike | None = None,
        directory: str | os.PathLike | None = None,
        format: str | None = None,
        engine: str | None = None,
        encoding: str = "utf-8",
        graph_attr: Mapping | None = None,
        node_attr: Mapping | None = None,
        edge_attr: Mapping | None = None,
        body: Iterable[str] | None = None,
        strict: bool = False,
    ):
        self.name, self.comment, self.strict, self.encoding = name, comment, strict, encoding
        self.graph_attr, self.node_attr = dict(graph_attr or {}), dict(node_attr or {})
        self.edge_attr = dict(edge_attr or {})
        self.body = list(body or [])  # statements as text, each with its end of line
        self.filename = os.fspath(filename or f"{name or type(self).__name__}.gv")
        self.directory = os.fspath(directory or "")
        self.format, self.engine = format or "pdf", engine or "dot"

    @property
    def format(self) -> str:
        """What ``render`` and ``pipe`` make when not told: "pdf" at first."""
        return self._format

    @format.setter
    def format(self, value: str) -> None:
        self._format = checked("format", value, OWN_FORMATS + GRAPHVIZ_FORMATS)

    @property
    def engine(self) -> str:
        """Graphviz's layout algorithm: "dot" (layers) at first."""
        return self._engine

    @engine.setter
    def engine(self, value: str) -> None:
        self._engine = checked("engine", value, ENGINES)

    # -- building -------------------------------------------------------------------------------

    def node(self, name: str, label: str | None = None, _attributes: Mapping | None = None, **attrs) -> None:
        """Add a node, or attributes to one."""
        self.body.append(f"\t{quote(name)}{bracketed(label, attrs | dict(_attributes or {}))}\n")

    def edge(
        self,
        tail_name: str,
        head_name: str,
        label: str | None = None,
        _attributes: Mapping | None = None,
        **attrs,
    ) -> None:
        """Add an arrow; nodes that do not exist yet come to be."""
        ends = f"{quote_end(tail_name)} -> {quote_end(head_name)}"
        self.body.append(f"\t{ends}{bracketed(label, attrs | dict(_attributes or {}))}\n")

    def edges(self, tail_head_iter: Iterable) -> None:
        """Add an arrow for each pair."""
        for tail, head in tail_head_iter:
            self.edge(tail, head)

    def attr(self, kw: str | None = None, _attributes: Mapping | None = None, **attrs) -> None:
        """Set attributes of the graph (``kw`` None) or of the "graph", "node", "edge"s that follow."""
        if kw is not None and kw.lower() not in ("graph", "node", "edge"):
            raise error("argument-choice", ValueError(f"attr statement must target graph, node, or edge: {kw!r}"),
                        what="kw", value=kw, choices=["graph", "node", "edge"])
        attrs |= dict(_attributes or {})
        if attrs:
            target = f"{kw} [{attr_list(None, attrs)}]" if kw else attr_list(None, attrs)
            self.body.append(f"\t{target}\n")

    def subgraph(self, graph: Digraph | None = None, name: str | None = None, **options):
        """Add ``graph`` as a subgraph; without it, a context manager that gives an empty one to fill."""
        if graph is not None:
            self.body += [f"\t{line}" for line in graph.lines("subgraph ")]
            return None
        return self._filled_subgraph(type(self)(name, **options))

    @contextlib.contextmanager
    def _filled_subgraph(self, graph: Digraph) -> Iterator[Digraph]:
        yield graph
        self.subgraph(graph)

    def clear(self, keep_attrs: bool = False) -> None:
        """Remove all statements, and the attributes unless told to keep them."""
        self.body.clear()
        if not keep_attrs:
            for attrs in (self.graph_attr, self.node_attr, self.edge_attr):
                attrs.clear()

    def copy(self) -> Digraph:
        """An independent copy."""
        keys = "name comment filename directory format engine encoding strict body".split()
        keys += ["graph_attr", "node_attr", "edge_attr"]
        return type(self)(**{key: getattr(self, key) for key in keys})

    # -- text -----------------------------------------------------------------------------------

    def lines(self, keyword: str = "digraph ") -> Iterator[str]:
        """DOT source line by line; ``keyword`` "subgraph " gives it as a part of another graph."""
        if self.comment:
            yield f"// {self.comment}\n"
        name = f"{quote(self.name)} " if self.name else ""
        if keyword == "subgraph " and not name:
            keyword = ""
        yield f"{'strict ' if self.strict else ''}{keyword}{name}{{\n"
        for kind in ("graph", "node", "edge"):
            attrs = getattr(self, f"{kind}_attr")
            if attrs:
                yield f"\t{kind}{bracketed(None, attrs)}\n"
        yield from self.body
        yield "}\n"

    def __iter__(self) -> Iterator[str]:
        return self.lines()

    @property
    def source(self) -> str:
        """The DOT text."""
        return "".join(self)

    def __str__(self) -> str:
        return self.source

    # -- pictures -------------------------------------------------------------------------------

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> bytes | str:
        """The picture as bytes, or as text if an ``encoding`` is given.

        ``renderer``, ``formatter``, ``neato_no_op`` and ``quiet`` are accepted and mean nothing here.

        Raises:
            ValueError: unknown format or engine, or the source is not DOT.
            ImportError: a wheel that this format needs is not installed.
        """
        picture = self._picture(format, engine)
        return picture.decode(encoding) if encoding else picture

    def _picture(self, format: str | None = None, engine: str | None = None) -> bytes:
        format = checked("format", format or self.format, OWN_FORMATS + GRAPHVIZ_FORMATS)
        return draw_source(self.source, format, checked("engine", engine or self.engine, ENGINES))

    @property
    def filepath(self) -> str:
        """Where the DOT text is saved."""
        return os.path.join(self.directory, self.filename)

    def save(
        self,
        filename: str | os.PathLike | None = None,
        directory: str | os.PathLike | None = None,
        *,
        skip_existing: bool = False,
    ) -> str:
        """Write the DOT text, remember the names given, return the path."""
        if filename is not None:
            self.filename = os.fspath(filename)
        if directory is not None:
            self.directory = os.fspath(directory)
        path = Path(self.filepath)
        if not (skip_existing and path.exists()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.source, encoding=self.encoding)
        return self.filepath

    def render(
        self,
        filename: str | os.PathLike | None = None,
        directory: str | os.PathLike | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        quiet_view: bool = False,
        *,
        outfile: str | os.PathLike | None = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """Write the DOT text to FILENAME and the picture to FILENAME.FORMAT, whose path is returned.

        Args:
            filename, directory: as for ``save``.
            view: open the picture.
            cleanup: delete the DOT text afterwards.
            format: "png", "svg", "pdf" or one of Graphviz's; ``self.format`` if not given.
            outfile: the picture's path instead; FORMAT is then its ending.

        Raises:
            ValueError, ImportError: as ``pipe``.
            FileExistsError: the picture exists and ``raise_if_result_exists`` was set.
        """
        if outfile is not None:
            outfile = Path(outfile) if directory is not None else Path(self.directory, outfile)
            format = format or outfile.suffix[1:].lower()
            filename = filename or outfile.with_suffix(".gv")
            directory = directory if directory is not None else ""
        format = checked("format", format or self.format, OWN_FORMATS + GRAPHVIZ_FORMATS)
        picture = self._picture(format, engine)  # before any file is written: it can fail
        source = self.save(filename, directory)
        result = os.fspath(outfile) if outfile is not None else f"{source}.{format}"
        with open(result, "xb" if raise_if_result_exists else "wb") as file:
            file.write(picture)
        if cleanup:
            os.remove(source)
        if view or quiet_view:
            open_viewer(result)
        return result

    def view(
        self,
        filename: str | os.PathLike | None = None,
        directory: str | os.PathLike | None = None,
        cleanup: bool = False,
        quiet: bool = False,
        quiet_view: bool = False,
    ) -> str:
        """``render`` and open the picture."""
        return self.render(filename, directory, view=True, cleanup=cleanup)

    # -- notebooks ------------------------------------------------------------------------------

    def _repr_svg_(self) -> str:
        return self._picture("svg").decode()

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_
    ) -> dict[str, bytes | str]:
        """The picture in the notebook's types: SVG unless it asks for others."""
        wanted = set(["image/svg+xml"] if include is None else include) - set(exclude or ())
        bundle = {mime: self._picture(MIME[mime]) for mime in sorted(wanted) if mime in MIME}
        return {mime: data.decode() if mime == "image/svg+xml" else data for mime, data in bundle.items()}


def checked(what: str, value: str, known: tuple[str, ...]) -> str:
    """``value`` in lower case, or the error of a value that is not ``known``."""
    if value.lower() not in known:
        raise error("argument-choice", ValueError(f"unknown {what}: {value!r} (must be one of {', '.join(known)})"),
                    what=what, value=value, choices=list(known))
    return value.lower()


def draw_source(source: str, format: str, engine: str = "dot") -> bytes:
    """The picture of DOT text."""
    scene = parse(source)
    if scene.beyond or format not in OWN_FORMATS:
        return by_graphviz(source, format, engine, scene.beyond or f"format {format!r}")
    place(scene, engine)
    if format == "pdf":
        return to_pdf(scene)
    svg = to_svg(scene)
    return to_png(svg, *dpi(scene)) if format == "png" else svg.encode()


def dpi(scene: Scene) -> list[float]:
    """The graph's own ``dpi`` attribute, if it has one."""
    given = scene.attrs.get("dpi", "")
    return [float(given)] if re.fullmatch(r"[1-9]\d*(\.\d*)?", given) else []


def by_graphviz(source: str, format: str, engine: str, why: str) -> bytes:
    """What we do not draw ourselves, drawn by the Graphviz of the pygraphviz wheel."""
    try:
        import pygraphviz  # noqa: PLC0415
    except ImportError as missing:
        raise error("machine", ImportError(f"drawing {why} needs the package pygraphviz, which is not installed"),
                    why="the package pygraphviz is not installed.",
                    fix="pip install pygraphviz (the wheel contains Graphviz; no program is needed).") from missing
    graph = pygraphviz.AGraph(string=source)
    if format == "png":  # our rasteriser: the wheel has none on every system, and no fonts
        return to_png(graph.draw(format="svg", prog=engine).decode())
    try:
        return graph.draw(format=format, prog=engine)
    except (TypeError, ValueError) as refused:  # how pygraphviz passes on Graphviz's refusal
        raise error("machine", ValueError(f"unknown format: {format!r} (this machine's pygraphviz cannot write it)"),
                    why="the pygraphviz of this machine cannot write {format}.", format=format,
                    fix="svg, png and pdf are always there.") from refused


def open_viewer(path: str) -> None:
    """Show a file in the browser, which knows all our formats."""
    import webbrowser  # noqa: PLC0415  (slow to import, seldom used)

    if not webbrowser.open(Path(path).resolve().as_uri()):
        raise error("machine",
                    RuntimeError(f"no program to show a picture was found on this machine; open {path!r} yourself"),
                    why="no browser was found on this machine.", path=path, fix="open {path} yourself.")
