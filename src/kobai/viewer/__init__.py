"""Pictures of graphs."""

from .dot import Digraph
from .draw import draw
from .make_dot import make_dot

__all__ = ["Digraph", "draw", "make_dot"]
