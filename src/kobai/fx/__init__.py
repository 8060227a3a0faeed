"""torch.fx: the calls that a module makes, as a graph that can be printed, changed and run.

`symbolic_trace(module)` calls the module on a Proxy, which answers each function with a node of the graph; so
Python's `if` and loops over the values of tensors cannot be part of it.
"""
from __future__ import annotations

from .. import nn
from .graph import Graph, Node, TraceError, map_arg
from .running import GraphModule, Interpreter
from .tracing import Attribute, Proxy, Tracer

__all__ = ["Attribute", "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "TraceError", "Tracer", "map_arg",
           "symbolic_trace"]


def symbolic_trace(root, concrete_args=None):
    """The calls that a module or a function makes, as a GraphModule.

    >>> class Twice(kobai.nn.Module):
    ...     def forward(self, x):
    ...         return kobai.relu(x) * 2
    >>> print(symbolic_trace(Twice()).graph)
    graph():
        %x : [num_users=1] = placeholder[target=x]
        %relu : [num_users=1] = call_function[target=torch.relu](args = (%x,), kwargs = {})
        %mul : [num_users=1] = call_function[target=operator.mul](args = (%relu, 2), kwargs = {})
        return mul
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, nn.Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
