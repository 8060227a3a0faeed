"""torch.fx: the calls that a module makes, as a graph that can be printed, changed and run.

`symbolic_trace(module)` calls the module on a Proxy, which answers each function with a node of the graph; so
Python's `if` and loops over the values of tensors cannot be part of it.
"""
from __future__ import annotations

import builtins
import copy
import inspect
import keyword
import operator
import re
from collections.abc import Callable
from sys import _getframe
from typing import Any

from . import nn
from .autograd.node import inside
from .diagnose import error
from .subclasses import full_name
from .tensor import Tensor

_MAGIC = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "truediv": "{} / {}", "floordiv": "{} // {}", "mod": "{} % {}",
          "pow": "{} ** {}", "matmul": "{} @ {}", "eq": "{} == {}", "ne": "{} != {}", "lt": "{} < {}", "gt": "{} > {}",
          "le": "{} <= {}", "ge": "{} >= {}", "and_": "{} & {}", "or_": "{} | {}", "xor": "{} ^ {}", "getitem": "{}[{}]",
          "neg": "-{}", "pos": "+{}", "invert": "~{}"}


class TraceError(ValueError):
    """What a program does cannot be part of a graph."""


def map_arg(a: Any, fn: Callable) -> Any:
    """`a` with `fn` applied to the nodes in it, also in tuples, lists, dicts and slices."""
    if isinstance(a, Node):
        return fn(a)
    if isinstance(a, (tuple, list)):
        return type(a)(map_arg(v, fn) for v in a)
    if isinstance(a, dict):
        return {k: map_arg(v, fn) for k, v in a.items()}
    if isinstance(a, slice):
        return slice(*(map_arg(v, fn) for v in (a.start, a.stop, a.step)))
    return a


# ---- the graph -----------------------------------------------------------------------------------
class Node:
    """One call: `op` is placeholder, get_attr, call_function, call_method, call_module or output."""

    def __init__(self, graph, name, op, target, args, kwargs):
        self.graph, self.name, self.op, self.target = graph, name, op, target
        self.users: dict[Node, None] = {}
        self.meta: dict[str, Any] = {}
        self._args: tuple = ()
        self._kwargs: dict = {}
        self._set(args, kwargs)

    args = property(lambda self: self._args, lambda self, new: self._set(new, self._kwargs))
    kwargs = property(lambda self: self._kwargs, lambda self, new: self._set(self._args, new))

    @property
    def all_input_nodes(self):
        """The nodes among the arguments, each once."""
        found: dict[Node, None] = {}
        map_arg((self._args, self._kwargs), found.setdefault)
        return list(found)

    def _set(self, args, kwargs):
        for n in self.all_input_nodes:
            n.users.pop(self, None)
        self._args, self._kwargs = tuple(args), dict(kwargs)
        for n in self.all_input_nodes:
            n.users[self] = None

    def replace_all_uses_with(self, other, *args: Any, **kwargs: Any):
        """Have `other` in the place of this node wherever that is used."""
        users = [u for u in self.users if u is not other]
        for user in users:
            user._set(*map_arg((user._args, user._kwargs), lambda n: other if n is self else n))
        return users

    def replace_input_with(self, old, new):
        """Have `new` in the place of one input."""
        self._set(*map_arg((self._args, self._kwargs), lambda n: new if n is old else n))

    def prepend(self, node):
        """Put another node before this one."""
        nodes = self.graph._nodes
        nodes.remove(node)
        nodes.insert(nodes.index(self), node)

    def append(self, node):
        """Put another node after this one."""
        nodes = self.graph._nodes
        nodes.remove(node)
        nodes.insert(nodes.index(self) + 1, node)

    def __repr__(self):
        return self.name

    def format_node(self):
        """The line that shows the node in a printed graph."""
        if self.op == "output":
            return f"return {self.args[0]}"
        target = _qualified(self.target) if self.op == "call_function" else self.target
        text = f"%{self.name} : [num_users={len(self.users)}] = {self.op}[target={target}]"
        if self.op in ("placeholder", "get_attr"):
            return text + (f"(default={self.args[0]})" if self.args else "")
        return f"{text}(args = {_percent(self.args)}, kwargs = {_percent(self.kwargs)})"


def _percent(a):
    """A text of arguments in which nodes have a %."""
    if isinstance(a, Node):
        return f"%{a.name}"
    if isinstance(a, tuple):
        return f"({', '.join(map(_percent, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, list):
        return f"[{', '.join(map(_percent, a))}]"
    if isinstance(a, dict):
        return f"{{{', '.join(f'{k}: {_percent(v)}' for k, v in a.items())}}}"
    return str(a)


def _qualified(fn):
    if getattr(operator, getattr(fn, "__name__", ""), None) is fn:
        return f"operator.{fn.__name__}"
    if getattr(builtins, getattr(fn, "__name__", ""), None) is fn:
        return fn.__name__
    name = full_name(fn)
    return name if "." in name else f"{fn.__module__}.{name}"


class Graph:
    """Nodes in the order in which they run."""

    def __init__(self):
        self._nodes: list[Node] = []
        self._names: dict[str, int] = {}
        self._before: Node | None = None

    nodes = property(lambda self: list(self._nodes))

    def create_node(self, op, target, args=(), kwargs=None, name=None, type_expr=None):
        """A new node at the end, or where `inserting_before` and `inserting_after` say."""
        node = Node(self, self._free(name or _base_name(op, target)), op, target, args, kwargs or {})
        place = len(self._nodes) if self._before is None else self._nodes.index(self._before)
        self._nodes.insert(place, node)
        return node

    def _free(self, name):
        name = re.sub(r"\W", "_", name)
        name = f"_{name}" if name[0].isdigit() else name
        base = re.sub(r"_\d+$", "", name)
        taken = {n.name for n in self._nodes}
        if name not in taken and not keyword.iskeyword(name) and not hasattr(builtins, name):
            return name
        while True:
            k = self._names[base] = self._names.get(base, 0) + 1
            if f"{base}_{k}" not in taken:
                return f"{base}_{k}"

    def placeholder(self, name, type_expr=None, default_value=inspect.Parameter.empty):
        """An input."""
        args = () if default_value is inspect.Parameter.empty else (default_value,)
        return self.create_node("placeholder", name, args)

    def get_attr(self, name, type_expr=None):
        """A parameter, buffer or other attribute of the module."""
        return self.create_node("get_attr", name)

    def call_function(self, the_function, args=(), kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name)

    def call_method(self, method_name, args=(), kwargs=None, type_expr=None, name=None):
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, name)

    def call_module(self, module_name, args=(), kwargs=None, type_expr=None):
        """A call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs)

    def output(self, result, type_expr=None):
        """What the graph returns."""
        return self.create_node("output", "output", (result,))

    def inserting_before(self, n=None):
        """Context manager: new nodes come before `n`."""
        return _Insert(self, n if n is not None else self._nodes[0])

    def inserting_after(self, n=None):
        """Context manager: new nodes come after `n`."""
        place = self._nodes.index(n) + 1 if n is not None else len(self._nodes)
        return _Insert(self, self._nodes[place] if place < len(self._nodes) else None)

    def erase_node(self, node):
        """Take a node out. RuntimeError if it is used."""
        if node.users:
            raise error("call-order", RuntimeError(f"Tried to erase Node {node} but it still had {len(node.users)} users in "
                                                   f"the graph: {node.users}!"),
                        why="other nodes still take the result of the one that is to be erased.",
                        fix="call node.replace_all_uses_with(other) first.")
        node._set((), {})
        self._nodes.remove(node)

    def eliminate_dead_code(self, is_impure_node=None):
        """Take out what nobody uses; whether there was any."""
        dead = [n for n in self._nodes if not n.users and n.op not in ("placeholder", "output")]
        for n in reversed(self._nodes.copy()):
            if not n.users and n.op not in ("placeholder", "output"):
                self.erase_node(n)
        return bool(dead)

    def find_nodes(self, *, op, target=None, sort=True):
        """The nodes of an op, and of a target."""
        return [n for n in self._nodes if n.op == op and (target is None or n.target == target)]

    def lint(self):
        """RuntimeError if a node uses one that comes later, or is not in the graph."""
        seen: set[Node] = set()
        for n in self._nodes:
            for a in n.all_input_nodes:
                if a not in seen:
                    raise error("call-order", RuntimeError(
                        f"Argument '{a}' of Node '{n}' was used before it has been defined! Please check that Nodes in the "
                        f"graph are topologically ordered\n{self}"),
                        why="nodes run in the order in which they stand, and one takes the result of a later one.",
                        fix="make the node where it is needed: with graph.inserting_before(node), or node.append(other).")
            seen.add(n)

    def node_copy(self, node, arg_transform=lambda n: n):
        """A node like one of another graph, its arguments by `arg_transform`."""
        args, kwargs = map_arg((node.args, node.kwargs), arg_transform)
        return self.create_node(node.op, node.target, args, kwargs, node.name)

    def __deepcopy__(self, memo):
        new, copied = Graph(), {}
        for n in self._nodes:
            copied[n] = new.node_copy(n, copied.__getitem__)
            copied[n].meta = dict(n.meta)
        return new

    def __str__(self):
        lines = ["graph():", *(f"    {n.format_node()}" for n in self._nodes)]
        return "\n".join(lines)

    def python_code(self, root_module="self"):
        """The text of a function that does the same."""
        last: dict[Node, list[Node]] = {}
        seen: set[Node] = set()
        for n in reversed(self._nodes):
            for a in n.all_input_nodes:
                if a not in seen:
                    seen.add(a)
                    last.setdefault(n, []).append(a)
        names, lines = [], []
        for n in self._nodes:
            if n.op == "placeholder":
                names.append(n.target + (f" = {n.args[0]!r}" if n.args else ""))
                if n.name != n.target:  # `input`, say, which is also a function of Python's
                    lines.append(f"{n.name} = {n.target}")
                continue
            gone = [] if n.op == "output" else last.get(n, []) + ([] if n.users else [n])
            lines.append(_statement(n) + (f";  {' = '.join([*map(repr, gone), 'None'])}" if gone else ""))
        head = ", ".join([root_module, *names])
        return f"\n\n\ndef forward({head}):\n" + "".join(f"    {line}\n" for line in lines) + "    "


class _Insert:
    def __init__(self, graph, before):
        self.graph, self.now = graph, before
        self.then, graph._before = graph._before, before

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.graph._before = self.then


def _base_name(op, target):
    if op == "call_function":
        return target.__name__.rstrip("_") if target.__name__ in _MAGIC else target.__name__
    return str(target)


def _statement(n):
    args = [_written(a) for a in n.args]
    if n.op == "output":
        return f"return {args[0]}"
    if n.op == "get_attr":
        return f"{n.name} = self.{n.target}"
    if n.op == "call_function" and n.target is getattr:
        return f"{n.name} = {args[0]}.{n.args[1]}"
    if n.op == "call_function" and _qualified(n.target).startswith("operator.") and n.target.__name__ in _MAGIC:
        return f"{n.name} = {_MAGIC[n.target.__name__].format(*args)}"
    given = ", ".join([*args[n.op == "call_method":], *(f"{k} = {_written(v)}" for k, v in n.kwargs.items())])
    called = {"call_function": lambda: _qualified(n.target), "call_method": lambda: f"{args[0]}.{n.target}",
              "call_module": lambda: "self." + re.sub(r"\.(\d+)", r'.\1', str(n.target))}[n.op]()
    if n.op == "call_module" and any(part.isdigit() for part in str(n.target).split(".")):
        called = "self" + "".join(f".{p}" if not p.isdigit() else f', "{p}")' for p in str(n.target).split("."))
        called = "getattr(" * called.count('")') + called
    return f"{n.name} = {called}({given})"


def _written(a):
    if isinstance(a, Node):
        return a.name
    if isinstance(a, tuple):
        return f"({', '.join(map(_written, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, list):
        return f"[{', '.join(map(_written, a))}]"
    if isinstance(a, dict):
        return f"{{{', '.join(f'{k!r}: {_written(v)}' for k, v in a.items())}}}"
    if isinstance(a, slice):
        return f"slice({_written(a.start)}, {_written(a.stop)}, {_written(a.step)})"
    return repr(a)


# ---- tracing -------------------------------------------------------------------------------------
class Proxy:
    """Stands for a value while a module is traced."""

    __array_ufunc__ = None

    def __init__(self, node, tracer=None):
        self.node, self.tracer = node, tracer

    def __repr__(self):
        return f"Proxy({self.node.name})"

    def __getattr__(self, name):
        if name.startswith("_") or _by_kobai():  # a function that looks at it fails, and asks the class then
            raise AttributeError(name)
        return Attribute(self, name)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def _refuse(self, *args):
        raise error("call-order", TraceError("symbolically traced variables cannot be used as inputs to control flow"),
                    why="while a module is traced, a tensor has no value that an `if` or a loop could look at.",
                    fix="write torch.where for a choice between values, or give an argument that is no tensor with "
                        "concrete_args=dict(name=value).")

    __bool__ = __iter__ = __len__ = __index__ = __float__ = __int__ = _refuse
    __hash__ = object.__hash__

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        found: list[Proxy] = []
        _each((args, kwargs or {}), found)
        method = getattr(Tensor, func.__name__, None) is func and _qualified(func).startswith("torch.Tensor.")
        return found[0].tracer.create_proxy("call_method" if method else "call_function",
                                            func.__name__ if method else func, args, kwargs or {})


def _each(a, found):
    if isinstance(a, Proxy):
        found.append(a)
    for v in a.values() if isinstance(a, dict) else a if isinstance(a, (tuple, list)) else ():
        _each(v, found)


def _by_kobai():
    """Whether the caller of the caller is a function of kobai's, and no program."""
    filename = _getframe(2).f_code.co_filename
    return inside[filename] and filename != __file__


class Attribute(Proxy):
    """An attribute of a Proxy: a method if it is called."""

    def __init__(self, root, name):
        self.root, self.attr, self.tracer = root, name, root.tracer
        self.made = None

    @property
    def node(self):
        if self.made is None:
            self.made = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self.made

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def _method(fn, turned=False):
    def call(self, *others):
        if _by_kobai():
            raise TypeError("a Proxy has no value")  # plain: caught by the public function above
        return self.tracer.create_proxy("call_function", fn, (*others, self) if turned else (self, *others), {})
    return call


def _operators():
    for name in _MAGIC:
        fn, plain = getattr(operator, name), name.rstrip("_")
        setattr(Proxy, f"__{plain}__", _method(fn))
        if name not in ("eq", "ne", "lt", "gt", "le", "ge", "getitem", "neg", "pos", "invert"):
            setattr(Proxy, f"__r{plain}__", _method(fn, True))


_operators()


class Tracer:
    """Makes a Graph of a module by calling it."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.graph, self.root = Graph(), nn.Module()

    def is_leaf_module(self, m, module_qualified_name):
        """Whether a module is one node: those of torch.nn are, but for Sequential."""
        return type(m).__module__.startswith(("kobai.nn", "torch.nn")) and not isinstance(m, nn.Sequential)

    def path_of_module(self, mod):
        """The dotted name of a submodule. NameError if it is none."""
        for name, m in self.root.named_modules():
            if m is mod:
                return name
        raise error("call-order", NameError("module is not installed as a submodule"),
                    why="a module is called that the traced one does not hold.",
                    fix="assign it to an attribute of the module, in __init__.")

    def create_arg(self, a):
        """An argument as the graph has it: nodes for proxies, parameters and buffers."""
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, Tensor):
            for name, t in [*self.root.named_parameters(), *self.root.named_buffers()]:
                if t is a:
                    return self.graph.get_attr(name)
            name = next(f"_tensor_constant{i}" for i in range(10 ** 6) if not hasattr(self.root, f"_tensor_constant{i}"))
            setattr(self.root, name, a)
            return self.graph.get_attr(name)
        if isinstance(a, (tuple, list)):
            return type(a)(self.create_arg(v) for v in a)
        if isinstance(a, dict):
            return {k: self.create_arg(v) for k, v in a.items()}
        if isinstance(a, slice):
            return slice(*(self.create_arg(v) for v in (a.start, a.stop, a.step)))
        return a

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A node, and the Proxy of its value."""
        args, kwargs = self.create_arg(args), self.create_arg(kwargs)
        return self.proxy(self.graph.create_node(kind, target, args, kwargs, name))

    def proxy(self, node):
        """The Proxy of a node."""
        return Proxy(node, self)

    def call_module(self, m, forward, args, kwargs):
        """A call of a submodule: a node, or what it calls."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def trace(self, root, concrete_args=None):
        """The Graph of a module or a function."""
        self.root, fn = (root, type(root).forward.__get__(root)) if isinstance(root, nn.Module) else (nn.Module(), root)
        self.graph, given = Graph(), []
        for p in inspect.signature(fn).parameters.values():
            if concrete_args and p.name in concrete_args:
                given.append(concrete_args[p.name])
            else:
                given.append(self.proxy(self.graph.placeholder(p.name, default_value=p.default)))
        before, tracer = nn.Module.__call__, self

        def call(module, *args, **kwargs):
            return tracer.call_module(module, lambda *a, **k: module.forward(*a, **k), args, kwargs)
        nn.Module.__call__ = call
        try:
            self.graph.output(self.create_arg(fn(*given)))
        finally:
            nn.Module.__call__ = before
        return self.graph


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
