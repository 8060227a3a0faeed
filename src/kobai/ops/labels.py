"""Names under which PyTorch shows what kobai computes in other steps: of ops, and of the gradients of ops."""
from __future__ import annotations

from functools import lru_cache

from ..autograd.node import chain, shown_edge
from ..op import Op


def gradients_by(shared=False, **steps):
    """`gradient_shown` of an op: the nodes that PyTorch records when it computes the gradient by each input.

    They are written as calls: `x="DivBackward0(g, y)"` divides the gradient `g` by the result `y`; `next1` is the second
    of the node's `next_functions`. Equal parts are one node. With `shared`, one node gives the gradients of all inputs.
    """
    def gradient_shown(op, node, number, g):
        text = steps.get(op.inputs[min(number, len(op.inputs) - 1)])
        if text is None:
            return None
        call = _parsed(text)
        if not shared:
            return _step_of(call, op, node, g, {})[0]
        extras = node._extras()
        if extras.get("backward", (None, None))[0] != g:
            extras["backward"] = g, _step_of(call, op, node, g, {})[0]
        return extras["backward"][1]
    return gradient_shown


@lru_cache(256)
def _parsed(text):
    """A call as (name, parts), a name as itself."""
    name, _, rest = text.partition("(")
    if not rest:
        return text
    parts, depth, last = [], 0, 0
    for i, c in enumerate(rest):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0 or depth < 0:
            parts.append(_parsed(rest[last:i].strip()))
            last = i + 1
    return name, tuple(parts)


def _step_of(call, op, node, g, known):
    """The edge that a parsed expression stands for; `known` has the calls that were met before."""
    if isinstance(call, tuple):
        if call not in known:
            known[call] = chain(call[0], *[_step_of(part, op, node, g, known) for part in call[1]])
        return known[call]
    if call in ("g", "None"):
        return g if call == "g" else (None, 0)
    if call.startswith("next"):
        return node.next_functions[int(call[4:])]
    return (node, 0) if call == "y" else shown_edge(node.edges[op.inputs.index(call)])


@lru_cache(1024)
def shown_as(op, name, shown=None, faces=None, new=False):
    """The same op, whose nodes have another name: what PyTorch computes in other steps shows the last of those.

    `shown(node)`, if given, says what stands behind such a node, `faces(node, number)` what stands in its place; `new`
    results, views here, are no views in PyTorch.
    """
    other = object.__new__(type(op))
    other.__dict__.update(op.__dict__)
    other.Node = type(name, (op.Node,), {"__slots__": (), "__module__": "builtins"})
    if shown is not None:
        other.shown = shown
    if faces is not None:
        other.faces = faces
    if new:
        other.shown_new = True
    return other


class Labelled(Op):
    """An op whose parameter `label` names the node that it records: label + "Backward0"."""

    label: str
    abstract = True

    @classmethod
    def _make(cls, args):
        self = super()._make(args)
        nodes = cls.__dict__.get("_nodes")
        if nodes is None:
            nodes = cls._nodes = {}
        if self.label not in nodes:
            nodes[self.label] = type(self.label + "Backward0", (cls.Node,), {"__slots__": (), "__module__": "builtins"})
        self.Node = nodes[self.label]
        return self
