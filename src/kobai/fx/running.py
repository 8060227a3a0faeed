"""What runs a graph: a module made of it, and an interpreter."""
from __future__ import annotations

import copy
from typing import Any

from .. import nn
from ..diagnose import error
from ..tensor import Tensor
from .graph import Node, map_arg


class GraphModule(nn.Module):
    """A module that does what a Graph says."""

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        self.__class__ = type(class_name, (GraphModule,), {})
        if isinstance(root, nn.Module):
            self.training = root.training
            for n in graph._nodes:
                if n.op in ("call_module", "get_attr"):
                    self._take(root, n.target)
        else:
            for name, value in root.items():
                setattr(self, name, value)
        self.graph = graph
        self.recompile()

    def _take(self, root, path):
        """Hold what `root` has under a dotted name; modules on the way there are new and empty, so that the graph can
        be changed without changing `root`."""
        *way, last = path.split(".")
        here = self
        for part in way:
            root = getattr(root, part)
            if part not in here._modules:
                here.add_module(part, nn.Module())
            here = here._modules[part]
        found = getattr(root, last)
        if isinstance(found, Tensor) and not isinstance(found, nn.Parameter) and last in root._buffers:
            here.register_buffer(last, found)
        else:
            setattr(here, last, found)

    def recompile(self):
        """Have `code` follow the graph, after that was changed."""
        self.code = self.graph.python_code()
        return self.code

    def forward(self, *args: Any, **kwargs: Any):
        return Interpreter(self).run(*args, **kwargs)

    def print_readable(self, print_output=True):
        """The code as text, printed."""
        text = f"class {type(self).__name__}(torch.nn.Module):\n    " + self.code.strip("\n").replace("\n", "\n    ")
        if print_output:
            print(text)
        return text

    def __deepcopy__(self, memo):
        root = nn.Module()
        root.__dict__.update(copy.deepcopy({k: v for k, v in vars(self).items() if k not in ("graph", "code")}, memo))
        return GraphModule(root, copy.deepcopy(self.graph), type(self).__name__)


class Interpreter:
    """Runs a GraphModule node by node; subclasses look on, or do otherwise."""

    def __init__(self, module, garbage_collect_values=True):
        self.module = module
        self.submodules = dict(module.named_modules())
        self.env: dict[Node, Any] = {}

    def run(self, *args: Any, initial_env=None, **kwargs: Any):
        """The result of the graph on these inputs."""
        self.env, self.args_iter, self.given = dict(initial_env or {}), iter(args), kwargs
        for node in self.module.graph.nodes:
            self.env[node] = self.run_node(node)
            if node.op == "output":
                return self.env[node]
        return None

    def run_node(self, n):
        """The value of one node."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def fetch_args_kwargs_from_env(self, n):
        """The arguments with values in the place of nodes."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args, n):
        """`args` with values in the place of nodes."""
        return map_arg(args, self.env.__getitem__)

    def placeholder(self, target, args, kwargs):
        """The next input."""
        if target in self.given:
            return self.given[target]
        for v in self.args_iter:
            return v
        if args:
            return args[0]
        raise error("argument-missing", RuntimeError(
            f"Expected positional argument for parameter {target}, but one was not passed in!"), fn="forward()", what=target,
            fix="give a value for {what}.")

    def get_attr(self, target, args, kwargs):
        """A parameter, or the like."""
        return self.fetch_attr(target)

    def fetch_attr(self, target):
        """The object at a dotted name."""
        found = self.module
        for part in target.split("."):
            found = getattr(found, part)
        return found

    def call_function(self, target, args, kwargs):
        """A function's result."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """A method's result."""
        return getattr(args[0], target)(*args[1:], **kwargs)

    def call_module(self, target, args, kwargs):
        """A submodule's result."""
        return self.submodules[target](*args, **kwargs) if target in self.submodules else self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """What is returned."""
        return args[0]
