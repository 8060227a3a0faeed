"""Pictures of graphs."""

from .dot import Digraph
from .draw import draw

__all__ = ["Digraph", "draw"]
