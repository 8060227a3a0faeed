"""``make_dot``: torchviz's picture of a graph of ``grad_fn``s, statement for statement.

Only what every tensor and node shows the public is used, so it draws PyTorch's tensors just as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnose import error
from .dot import Digraph
from .graph import is_tensor, saved, saved_by_user, sources

BOX = dict(
    **dict(align="left", fontname="monospace", fontsize="10", height="0.2"),
    **dict(ranksep="0.1", shape="box", style="filled"),
)
PARAMETER, SAVED, OUTPUT, BASE = "lightblue", "orange", "darkolivegreen1", "darkolivegreen3"
LEAST_SIZE, SIZE_PER_LINE = 12, 0.15  # inches: the picture's limit grows with the length of the source


def make_dot(var, params=None, show_attrs=False, show_saved=False, max_attr_chars=50) -> Digraph:
    """Draw how a tensor was computed: the graph that ``backward()`` will walk.

    Grey boxes are functions, light blue ones parameters (leaves that get a gradient), green ones the
    given outputs, dark green what an output is a view of, orange ones saved tensors.

    Args:
        var: a tensor or a tuple of tensors.
        params: dictionary of the leaves' names, such as ``dict(model.named_parameters())``.
        show_attrs: write what each function saved besides tensors into its box.
        show_saved: draw the tensors each function saved.
        max_attr_chars: cut longer values of ``show_attrs``.

    Raises:
        TypeError: ``var`` holds something that is not a tensor, or ``params`` is not a dictionary.
        AssertionError: ``params`` holds something that is not a tensor.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> dot = make_dot(w * 3, params={"w": w})
    >>> [label in dot.source for label in ("MulBackward0", "AccumulateGrad", "w")]
    [True, True, True]
    """
    outputs = list(var) if isinstance(var, (tuple, list)) else [var]
    for output in outputs:
        if not is_tensor(output):
            raise not_a_tensor(output)
    drawing = _Drawing(names_of(params), show_attrs, show_saved, max_attr_chars)
    for output in outputs:
        drawing.output(output)
    side = max(LEAST_SIZE, SIZE_PER_LINE * len(drawing.dot.body))
    drawing.dot.graph_attr["size"] = f"{side},{side}"
    return drawing.dot


def make_dot_from_trace(trace):
    """Not available: PyTorch's own tools took it over years ago, in torchviz too.

    Raises:
        NotImplementedError: always, and it says what to use.
    """
    raise error("not-in-kobai", NotImplementedError("This function has been moved to pytorch core"),
                what="make_dot_from_trace",
                why="torchviz no longer draws traces; the graph of a trace is shown by TensorBoard (add_graph).",
                instead="draw the result of a call instead: make_dot(model(x), params=dict(model.named_parameters()))")


def not_a_tensor(value) -> TypeError:
    """The error of a wrong first argument."""
    name = type(value).__name__
    if hasattr(value, "named_parameters"):
        fix = "call the model and draw its result: make_dot(model(x), params=dict(model.named_parameters()))"
    elif isinstance(value, dict):
        fix = "draw its values: make_dot(tuple(result.values()))"
    else:
        fix = "give the tensor itself, without .item(), .numpy() or float()"
    plain = TypeError(f"make_dot(): argument 'var' must be a Tensor or a tuple of Tensors, not {name}")
    return error("argument-type", plain, what="var", kind=name, must="a tensor or a tuple of tensors", fix=fix)


def names_of(params) -> dict[int, str]:
    """Names of tensors by their identity."""
    if params is None:
        return {}
    if not hasattr(params, "items"):
        raise error("argument-type",
                    TypeError(f"make_dot(): argument 'params' must be a dict of names and Tensors, not {type(params).__name__}"),
                    what="params", kind=type(params), must="a dict of names and tensors",
                    fix="params=dict(model.named_parameters())")
    for name, value in params.items():
        assert is_tensor(value), f"make_dot(): params[{name!r}] must be a Tensor, not {type(value).__name__}"
    return {id(value): name for name, value in params.items()}


def described(fn, max_chars: int) -> str:
    """A function's name and below it a table of what it saved."""
    name, table = type(fn).__name__, {}
    for key, value in saved(fn):
        if is_tensor(value):
            value = "[saved tensor]"
        elif isinstance(value, tuple) and any(map(is_tensor, value)):
            value = "[saved tensors]"
        table[key] = str(value)
    if not table:
        return name
    left = max(map(len, table))
    right = min(max(map(len, table.values())), max(max_chars, 3))
    rule = "-" * max(left + right + 2, len(name))
    cut = {key: text if len(text) <= right else text[: right - 3] + "..." for key, text in table.items()}
    return "\n".join([name, rule, *(f"{key:<{left}}: {text:>{right}}" for key, text in cut.items())])


class _Drawing:
    """The graph while it is built. Statements come in torchviz's order, so that the source is the same."""

    def __init__(self, names: dict[int, str], show_attrs: bool, show_saved: bool, max_attr_chars: int):
        self.names = names
        self.show_attrs, self.show_saved, self.max_attr_chars = show_attrs, show_saved, max_attr_chars
        self.dot = Digraph(node_attr=BOX, graph_attr={"size": "12,12"})
        # what was drawn, by identity; kept alive, for a new object could get the identity of a lost one
        self.seen: dict[int, object] = {}

    def new(self, thing) -> bool:
        """Whether ``thing`` is met for the first time."""
        if id(thing) in self.seen:
            return False
        self.seen[id(thing)] = thing
        return True

    def tensor(self, tensor, color: str, name: str = "") -> None:
        """The box of a tensor: its name, if known, and shape."""
        self.new(tensor)
        name = name or self.names.get(id(tensor), "")
        shape = ", ".join(map(str, tensor.shape))
        self.dot.node(str(id(tensor)), f"{name}\n ({shape})", fillcolor=color)

    def edge(self, tail, head, **attrs: str) -> None:
        self.dot.edge(str(id(tail)), str(id(head)), None, attrs)

    def output(self, tensor, color: str = OUTPUT) -> None:
        """A result (or what it is a view of) and all that leads to it."""
        if id(tensor) in self.seen:
            return
        self.tensor(tensor, color)
        if tensor.grad_fn is not None:
            self.functions(tensor.grad_fn)
            self.edge(tensor.grad_fn, tensor)
        if tensor._is_view():
            self.output(tensor._base, BASE)
            self.edge(tensor._base, tensor, style="dotted")

    def functions(self, root) -> None:
        """A function and all before it, depth first; graphs are deeper than Python's stack."""
        if not self.new(root):
            return
        stack = [(root, self.function(root))]
        while stack:
            fn, before = stack[-1]
            source = next(before, None)
            if source is None:
                self.custom(fn)
                stack.pop()
            else:
                self.edge(source, fn)
                if self.new(source):
                    stack.append((source, self.function(source)))

    def function(self, fn) -> Iterator:
        """Draw one function; the functions before it, to be drawn next."""
        if self.show_saved:
            self.saved_by(fn)
        if hasattr(fn, "variable"):
            self.tensor(fn.variable, PARAMETER)
            self.edge(fn.variable, fn)
        label = described(fn, self.max_attr_chars) if self.show_attrs else type(fn).__name__
        self.dot.node(str(id(fn)), label)
        return iter([source for source, _ in sources(fn)])

    def saved_by(self, fn) -> None:
        """Orange boxes of the tensors that a function saved, one or several under a name."""
        for key, value in saved(fn):
            several = isinstance(value, tuple)
            named = {f"{key}[{i}]": item for i, item in enumerate(value)} if several else {key: value}
            for name, tensor in named.items():
                if is_tensor(tensor):
                    self.edge(fn, tensor, dir="none")
                    self.tensor(tensor, SAVED, name)

    def custom(self, fn) -> None:
        """Orange boxes of the tensors that a function written by the user saved."""
        for tensor in saved_by_user(fn):
            self.edge(tensor, fn, dir="none")
            self.tensor(tensor, SAVED)
