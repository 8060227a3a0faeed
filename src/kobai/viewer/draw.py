"""``kobai.draw``: the readable picture of what a tensor was computed from.

Everything is found out through what tensors and nodes show the public (``grad_fn``,
``next_functions``, ``variable``, ``_saved_*``), so it also draws PyTorch's. A node does not keep its
result, but whoever saved that for its derivative tells it: a saved tensor's ``grad_fn`` is its maker.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterator

from ..diagnose import error
from .dot import Digraph
from .graph import inputs_first, is_tensor, saved, saved_by_user, sources, tensors_in
from .known import Known
from .replay import replay

NODE = dict(shape="box", style="rounded,filled", fontname="monospace", fontsize="10", height="0.3")
NODE |= dict(margin="0.14,0.08", color="#888888")
EDGE = dict(color="#666666", arrowsize="0.7", fontname="monospace", fontsize="9")
GRAPH = dict(ranksep="0.3", nodesep="0.25")
FUNCTION, RESULT, LEAF, CONSTANT = "#f0f0f0", "#d8f0b0", "#cfe6f5", "#ffffff"
FEW = 6  # a tensor of at most so many elements is shown with its values
LONG = 44  # characters: longer values are left out
DULL = {"alpha": 1, "beta": 1, "groups": 1}  # parameters at their defaults say nothing, nor does False
TRANSPOSES = {"t", "transpose"}


def draw(what, *inputs, params: dict | None = None, fold: bool | None = None, **options) -> Digraph:
    """Picture of the computation that made a tensor, or of a call of a module or function.

    Boxes are operations with what they computed: ``= value`` or the shape, for few elements both.
    Blue boxes are leaves with their gradients, green ones the results. Model parameters stand in the
    box of the one operation that uses them.

    Args:
        what: a tensor, a tuple of tensors, or a module or function that is called on ``inputs``.
        params: names of tensors; otherwise the module's own and those of the caller's variables.
        fold: put leaves into the boxes of the operations that use them: all (True), none (False),
            or those that are model parameters (None).
        options: keyword arguments of the call.

    Raises:
        TypeError: there is nothing to draw in ``what``, or in what it returned.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> print(draw(w * 3).source.count("->"))
    1
    """
    frame = sys._getframe(1)
    known = Known({**frame.f_globals, **frame.f_locals})
    if is_tensor(what) or not callable(what):
        outputs = tensors_in(what)
    else:
        outputs = known.call(what, inputs, options)
    if not outputs:
        raise nothing_to_draw(what, "draw")
    known.name(params or {})
    return _Drawing(known, outputs, fold).dot


def nothing_to_draw(what, fn: str) -> TypeError:
    """The error of the function `fn` where no tensor was found."""
    kind = type(what).__name__
    if callable(what):
        plain = TypeError(f"{fn}(): the call of {kind} returned no Tensor, so there is nothing to draw")
        return error("wrong-return", plain, what=kind, kind="no tensor", must="a tensor")
    plain = TypeError(f"{fn}(): argument 'what' must be a Tensor, a tuple of Tensors or a module, not {kind}")
    return error("argument-type", plain, what="what", kind=kind, must="a tensor, a tuple of tensors or a module", fn=fn,
                 fix="give the tensor itself, without .item(), .numpy() or float(); or a model and its inputs: {fn}(model, x)")


def operation(fn) -> str:
    """What a node did, as one calls it.

    >>> class AddmmBackward0: pass
    >>> operation(AddmmBackward0())
    'addmm'
    """
    name = fn.name() if hasattr(fn, "name") else type(fn).__name__
    name = re.sub(r"Backward\d*$", "", name.rsplit("::", 1)[-1]) or name
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=\dD)(?=[A-Z])", "_", name).lower()


def title(name: str, module: str) -> str:
    """An operation and the module that ran it, unless they are called the same."""
    return f"{name} · {module}" if module and module.rsplit(".", 1)[-1] != name else name


def settings(fn, known: Known) -> Iterator[str]:
    """The parameters of an operation, as ``dim=1``: an op's fields, and saved numbers without a box."""
    op = getattr(fn, "op", None)
    kept = [(name, value) for name, value in saved(fn) if op is None or name in ("self", "other") and is_tensor(value)]
    pairs = [(name, scalar(value, known)) for name, value in kept]
    pairs += [(name, getattr(op, name)) for name in getattr(op, "fields", ())]
    for name, value in pairs:
        default = DULL.get(name, getattr(type(op), name, False))
        text = f"{name}={number(value)}"
        if value is not None and value is not default and value != default and len(text) <= LONG:
            yield text


def scalar(value, known: Known):
    """The number in what a node saved, where it is one and stands nowhere else in the picture."""
    if isinstance(value, (int, float)):
        return value
    if is_tensor(value) and not tuple(value.shape) and not value.requires_grad and not known.name_of(value):
        return value.tolist()
    return None


def number(value) -> str:
    """Four significant digits.

    >>> number(0.76159), number(3), number(True)
    ('0.7616', '3', 'True')
    """
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def nested(values) -> str:
    """Numbers in the brackets of nested lists."""
    return "[" + ", ".join(map(nested, values)) + "]" if isinstance(values, list) else number(values)


def shown(tensor) -> str:
    """Shape of a tensor, and its values if they are few; of a scalar just the value."""
    shape = str(tuple(tensor.shape)).replace(",)", ")")
    if math.prod(tensor.shape) > FEW:
        return shape
    try:
        values = nested(tensor.detach().tolist())
    except (RuntimeError, NotImplementedError):  # it has no values: meta, or inside a transform
        return shape
    if not tuple(tensor.shape):
        return values
    return f"{shape} {values}" if len(values) <= LONG else shape


def gradient(tensor) -> list[str]:
    """The line about a tensor's gradient, if it keeps one and has it."""
    keeps = tensor.is_leaf or getattr(tensor, "retains_grad", False)
    return [f"grad {shown(tensor.grad)}"] if keeps and tensor.grad is not None else []


def label(lines: list[str], left: bool = False) -> str:
    """DOT's label: all lines centred, or all but the first ``left``."""
    first, *rest = [line.replace("\\", "\\\\") for line in lines]
    if left:
        return f"{first}\\n" + "".join(f"{line}\\l" for line in rest)
    return "\\n".join([first, *rest])


class _Drawing:
    """The graph while it is drawn, inputs first; box i is called ``n<i>``."""

    def __init__(self, known: Known, outputs: list, fold: bool | None):
        self.known, self.fold = known, fold
        self.dot = Digraph(node_attr=NODE, edge_attr=EDGE, graph_attr=GRAPH)
        self.boxes: dict[object, str] = {}  # node, or identity of a tensor -> the box's name
        self.folded: dict[object, tuple[str, object]] = {}  # node -> name and leaf that its user's box shows
        roots = [t.grad_fn for t in outputs if t.grad_fn is not None]
        functions = inputs_first(roots)
        self.uses = Counter(source for fn in functions for source, _ in sources(fn))
        self.uses.update(roots)
        self.roots = set(roots)
        for tensor in outputs:
            known.learn(tensor)
        for fn in functions:
            for tensor in self.saved_tensors(fn):
                known.learn(tensor)
        replay(functions, known.results)
        for fn in functions:
            self.leaf(fn) if hasattr(fn, "variable") else self.function(fn)
        for tensor in outputs:
            if tensor.grad_fn is None:
                self.tensor(tensor, RESULT)

    def saved_tensors(self, fn) -> list:
        return [t for _, value in saved(fn) for t in tensors_in(value)] + saved_by_user(fn)

    def box(self, key, lines: list[str], color: str, left: bool = False, style: str | None = None) -> str:
        """Add a box; its name."""
        self.boxes[key] = name = f"n{len(self.dot.body)}"
        self.dot.node(name, label(lines, left), {"class": "titled", "fillcolor": color, "style": style})
        return name

    def tensor(self, tensor, color: str) -> str:
        """The box of a tensor that no operation made."""
        lines = [self.known.name_of(tensor) or "tensor", shown(tensor), *gradient(tensor)]
        return self.box(id(tensor), lines, color)

    def leaf(self, fn) -> None:
        """A leaf: in a box of its own, or later in that of its user."""
        tensor = fn.variable
        is_parameter = any(kind.__name__ == "Parameter" for kind in type(tensor).__mro__)
        if self.uses[fn] == 1 and (is_parameter if self.fold is None else self.fold):
            self.folded[fn] = self.known.name_of(tensor) or "parameter", tensor
        else:
            self.boxes[fn] = self.tensor(tensor, LEAF)

    def function(self, fn) -> None:
        """An operation with its settings, folded parameters, result, and the arrows to it."""
        made_from = sources(fn)
        if self.uses[fn] == 1 and operation(fn) in TRANSPOSES and fn not in self.roots:
            if made_from[0][0] in self.folded:  # how a layer takes its weight: no box of its own
                self.folded[fn] = self.folded[made_from[0][0]]
                return
        module = self.known.modules.get(fn, "")
        lines = [title(operation(fn), module), *settings(fn, self.known)]
        parts = [self.folded[source] for source, _ in made_from if source in self.folded]
        for name, tensor in parts:
            lines.append(f"{name.removeprefix(module + '.')} {shown(tensor)}")
            lines += ["  " + line for line in gradient(tensor)]
        results = [self.known.results.get((fn, number)) for number in range(self.outputs(fn))]
        lines += [line for tensor in results if tensor is not None for line in self.result(tensor)]
        name = self.box(fn, lines, RESULT if fn in self.roots else FUNCTION, left=bool(parts))
        for source, number in made_from:
            if source not in self.folded:
                which = f"[{number}]" if self.outputs(source) > 1 else None
                self.dot.edge(self.boxes[source], name, which)
        self.constants(fn, name)

    def outputs(self, fn) -> int:
        """How many results of a node are known of."""
        return 1 + max((number for other, number in self.known.results if other is fn), default=0)

    def result(self, tensor) -> list[str]:
        """Lines about what an operation computed."""
        name, value = self.known.name_of(tensor), shown(tensor)
        equals = f"{name} = " if name else "" if value.startswith("(") else "= "
        return [equals + value, *gradient(tensor)]

    def constants(self, fn, user: str) -> None:
        """Tensors without gradient that have a name and were saved by ``fn``, in dashed boxes."""
        for tensor in self.saved_tensors(fn):
            if tensor.grad_fn is None and not tensor.requires_grad and self.known.name_of(tensor):
                key = self.known.name_of(tensor)
                if key not in self.boxes:
                    lines = [key, shown(tensor)]
                    self.box(key, lines, CONSTANT, style="rounded,filled,dashed")
                self.dot.edge(self.boxes[key], user, style="dashed")
