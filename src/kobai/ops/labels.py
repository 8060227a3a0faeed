"""Ops that PyTorch shows under several names, by the number of dimensions or the mode."""
from __future__ import annotations

from ..op import Op


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
