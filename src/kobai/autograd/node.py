"""Nodes of the recorded graph: what `grad_fn` shows."""
from __future__ import annotations

import sys
import weakref
from importlib.util import find_spec
from itertools import count
from typing import NamedTuple

MANY = 5_000  # nodes: a program that has recorded more is likely to record many more
UNRECORDED = 20_000  # ops under no_grad, or of what needs no gradient: the same of a program that makes no backward pass
orders = count(-1, -1)  # later nodes have smaller numbers: a heap gives the latest first
next_order = orders.__next__


class _Many:
    """Whether ops are to be applied by machine code: a backward pass from a node with a number below this says so."""

    __slots__ = ("below",)

    def __init__(self):
        self.below = -MANY

    def begin(self):
        """Once; an interrupt meanwhile is the caller's, and does no harm."""
        begun, self.below = self.below == float("-inf"), float("-inf")
        if not begun and find_spec("llvmlite") is not None:
            from kobai.backends import apply  # noqa: PLC0415  (slow to load: not before it pays)
            apply.begin()


many = _Many()


class Node:
    """One recorded operation: how to send a gradient from its output to its inputs.

    Each op class has its own subclass, named as PyTorch names it (`AddBackward0`). `edges` go to
    the producers of the inputs: a Node, a Port (one output of several), a leaf Tensor, or None.
    """

    __slots__ = ("op", "edges", "saved", "vjp", "fit", "where", "_order", "hooks", "extra", "__weakref__")
    hidden = False     # a cast or broadcast that PyTorch does inside the operation
    outs = None        # (shape, dtype) of each output, where there are several

    def __init__(self, op, edges, saved, vjp, fit, where):
        self.op, self.edges, self.saved, self.vjp = op, edges, saved, vjp
        self.fit, self.where = fit, where
        self.hooks = self.extra = None
        self._order = next_order()

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def name(self):
        """PyTorch's name of the operation, such as `AddBackward0`."""
        return type(self).__name__

    @property
    def next_functions(self):
        """Pairs (node, output number) of the producers of the inputs, as in PyTorch."""
        shown = getattr(self.op, "shown", None)
        if shown is None:
            return tuple([shown_edge(e) for e in self.edges])
        extras = self._extras()
        if "shown" not in extras:
            extras["shown"] = tuple(shown(self))
        return extras["shown"]

    @property
    def metadata(self):
        return self._extras().setdefault("metadata", {})

    def _sequence_nr(self):
        return -self._order

    def _extras(self):
        if self.extra is None:
            self.extra = {}
        return self.extra

    def register_hook(self, hook):
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return new grad_inputs."""
        return Hook(self._hook_lists()[1], hook)

    def register_prehook(self, hook):
        """Call `hook(grad_outputs)` before this node runs; it may return new grad_outputs."""
        return Hook(self._hook_lists()[0], hook)

    def _hook_lists(self):
        """(before, after, by output number); made when first asked for."""
        if self.hooks is None:
            self.hooks = {}, {}, {}
        return self.hooks

    def __getattr__(self, name):
        if name.startswith("_saved_"):
            return saved_attribute(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self):
        return [*object.__dir__(self), *saved_names(self)]


class Step:
    """A step that PyTorch records as a node of its own and kobai does inside an op: for show only."""

    __slots__ = ("next_functions", "__weakref__")
    metadata: dict = {}

    def __init__(self, *next_functions):
        self.next_functions = next_functions

    __repr__ = Node.__repr__
    name = Node.name


def chain(name, *edges):
    """The edge of a Step before these (node, number) pairs; none, if none of them leads on."""
    return (step(name, *edges), 0) if any(node is not None for node, _ in edges) else (None, 0)


def step(name, *next_functions):
    """A Step of that name before (node, number) pairs."""
    kind = _STEPS.get(name)
    if kind is None:
        kind = _STEPS[name] = type(name, (Step,), {"__slots__": (), "__module__": "builtins"})
    return kind(*next_functions)


_STEPS: dict = {}


class Port:
    """One output of a node that has several."""

    __slots__ = ("node", "number")
    _order = 0  # no node has this one

    def __init__(self, node, number):
        self.node, self.number = node, number


class AccumulateGrad:
    """The end of the graph at a leaf, as PyTorch shows it: adds into `variable.grad`."""

    __slots__ = ("variable", "__weakref__")
    next_functions = ()
    metadata: dict = {}

    def __init__(self, variable):
        self.variable = variable

    def __repr__(self):
        return f"<AccumulateGrad object at {id(self):#x}>"

    def name(self):
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, hook):
        return self.variable.register_post_accumulate_grad_hook(lambda v: hook((), (v.grad,)) and None)

    def register_prehook(self, hook):
        def alone(g):
            new = hook((g,))
            return new[0] if isinstance(new, tuple) else new
        return self.variable.register_hook(alone)


class GradientEdge(NamedTuple):
    """One output of a node: what `autograd.grad` can take instead of a tensor."""

    node: object
    output_nr: int
    ownership_token: object = None


class Hook:
    """Removes one hook again: `handle.remove()`, or at the end of `with handle:`."""

    _next_id = count().__next__

    def __init__(self, hooks, hook, extra=None):
        self.id = Hook._next_id()
        self._hooks = hooks
        hooks[self.id] = hook if extra is None else (hook, extra)

    def remove(self):
        self._hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


class Freed:
    """Stands in a node for the values that an earlier backward pass gave free."""

    __slots__ = ("where",)

    def __init__(self, where):
        self.where = where


def accumulator(leaf):
    """The AccumulateGrad of a leaf: the same object each time, for as long as somebody holds it."""
    known = leaf.__dict__.get("_accumulator")
    found = known() if known is not None else None
    if found is None:
        found = AccumulateGrad(leaf)
        leaf.__dict__["_accumulator"] = weakref.ref(found)
    return found


def shown_edge(edge):
    """(node, output number) that an edge looks like to the user."""
    if edge is None:
        return None, 0
    if isinstance(edge, Port):
        return face(edge.node, edge.number), edge.number
    if not isinstance(edge, Node):
        return accumulator(edge), 0
    return shown_edge(edge.edges[0]) if edge.hidden else (face(edge), 0)


def saved_names(node):
    """PyTorch's names of what the node saved: `_saved_self`, `_saved_other`, `_saved_result`, ..."""
    if node.op is None or isinstance(node.saved, Freed):
        return []
    from .attributes import shown  # noqa: PLC0415  (a view on demand; the engine itself does not come here)
    return ["_saved_" + name for name in shown(node)]


def saved_attribute(node, name):
    """One of them. Raises RuntimeError once a backward pass has given the saved values free."""
    if node.op is not None and getattr(node.vjp, "asks", ()) and isinstance(node.saved, Freed):
        from ..diagnose import error  # noqa: PLC0415  (it needs what stands above)
        raise error("call-order", RuntimeError(_FREED_ATTRIBUTE),
                    why="what a rule saved was freed by an earlier backward pass.",
                    fix="look at it before backward(), or call backward(retain_graph=True).")
    from .attributes import shown  # noqa: PLC0415
    get = shown(node).get(name.removeprefix("_saved_")) if node.op is not None else None
    if get is None:
        raise AttributeError(f"{type(node).__name__!r} object has no attribute {name!r}")  # plain: hasattr asks
    return get()


_FREED_ATTRIBUTE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they "
    "have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward.")


# ---- what PyTorch records otherwise ----------------------------------------------------------
def face(node, number=0):
    """What stands in the graph for an output of a node: the node, or a Step where PyTorch has other nodes there."""
    if node.op is not None and node.op.faces is not None:
        return node.op.faces(node, number)
    made = None if node.extra is None else node.extra.get("gradient")
    if made.__class__ is tuple:
        by, which, g = made
        made = node.extra["gradient"] = by.op.gradient_shown(by, which, shown_edge(g))
    return made or node


def note_gradients(node, g, grads):
    """Remember for the picture which rule made these gradients: (node, number of the input, edge of `g`)."""
    g = getattr(g, "_node", None)
    for number, made in enumerate(grads):
        own = getattr(made, "_node", None)
        if isinstance(own, Node) and own is not g and own._order < node._order:
            own._extras().setdefault("gradient", (node, number, g))


# ---- where in the user's program -------------------------------------------------------------
_PACKAGE = __file__.rsplit("autograd", 1)[0]


class _Inside(dict):
    """filename -> whether it is kobai's own (or generated by it, or the frozen import system's)."""

    def __missing__(self, filename):
        self[filename] = inside = filename.startswith((_PACKAGE, "<kobai"))
        return inside


inside = _Inside()


def here(depth=1):
    """(code, instruction) of the innermost frame outside kobai: resolved to a line only when shown."""
    frame = sys._getframe(depth)
    while inside[frame.f_code.co_filename]:
        back = frame.f_back
        if back is None:
            break
        frame = back
    return frame.f_code, frame.f_lasti


def line_of(where):
    """(filename, line number, function name) of what `here` returned."""
    code, instruction = where
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= instruction < end:
            line = number or line
            break
    return code.co_filename, line, code.co_name
