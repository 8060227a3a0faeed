"""The graph of calls: its nodes, how it is changed, and its code."""
from __future__ import annotations

import builtins
import inspect
import keyword
import operator
import re
from collections.abc import Callable
from typing import Any

from ..diagnose import error
from ..subclasses import full_name

SIGNS = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "truediv": "{} / {}", "floordiv": "{} // {}", "mod": "{} % {}",
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
        target = qualified(self.target) if self.op == "call_function" else self.target
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


def qualified(fn):
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
        return target.__name__.rstrip("_") if target.__name__ in SIGNS else target.__name__
    return str(target)


def _statement(n):
    args = [_written(a) for a in n.args]
    if n.op == "output":
        return f"return {args[0]}"
    if n.op == "get_attr":
        return f"{n.name} = self.{n.target}"
    if n.op == "call_function" and n.target is getattr:
        return f"{n.name} = {args[0]}.{n.args[1]}"
    if n.op == "call_function" and qualified(n.target).startswith("operator.") and n.target.__name__ in SIGNS:
        return f"{n.name} = {SIGNS[n.target.__name__].format(*args)}"
    given = ", ".join([*args[n.op == "call_method":], *(f"{k} = {_written(v)}" for k, v in n.kwargs.items())])
    called = {"call_function": lambda: qualified(n.target), "call_method": lambda: f"{args[0]}.{n.target}",
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
