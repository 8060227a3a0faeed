"""Pictures of graphs."""

from .dot import Digraph

__all__ = ["Digraph"]
