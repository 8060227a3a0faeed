"""What `import torchviz` gives: the picture of a graph, without the Graphviz program."""

from ..viewer import make_dot, make_dot_from_trace

__all__ = ["make_dot", "make_dot_from_trace"]
