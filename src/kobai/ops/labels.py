"""Ops that PyTorch shows under several names, by the number of dimensions or the mode."""
from __future__ import annotations

from functools import lru_cache

from ..op import Op


@lru_cache(1024)
def shown_as(op, name, shown=None):
    """The same op, whose nodes have another name: what PyTorch computes in other steps shows the last of those.

    `shown(node)`, if given, says what stands behind such a node.
    """
    other = object.__new__(type(op))
    other.__dict__.update(op.__dict__)
    other.Node = type(name, (op.Node,), {"__slots__": (), "__module__": "builtins"})
    if shown is not None:
        other.shown = shown
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
