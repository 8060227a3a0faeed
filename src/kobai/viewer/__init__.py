"""Pictures of graphs."""

from .dot import Digraph
from .draw import draw
from .make_dot import make_dot, make_dot_from_trace

__all__ = ["Digraph", "draw", "make_dot", "make_dot_from_trace"]
