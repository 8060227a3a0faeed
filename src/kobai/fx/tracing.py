"""How a graph is made: a module is called on a Proxy."""
from __future__ import annotations

import inspect
import operator
from functools import wraps
from sys import _getframe
from threading import Lock, local
from typing import Any

from .. import nn
from ..autograd.node import inside
from ..diagnose import error
from ..tensor import Tensor
from .graph import SIGNS, Graph, TraceError, qualified


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
        method = getattr(Tensor, func.__name__, None) is func and qualified(func).startswith("torch.Tensor.")
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
    for name in SIGNS:
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
        with _calls_for(self):
            self.graph.output(self.create_arg(fn(*given)))
        return self.graph


class _calls_for:
    """While it is on, a call of a module in this thread is a tracer's; other threads call theirs as always."""

    lock, tracers, opened = Lock(), local(), 0

    def __init__(self, tracer):
        self.tracer = tracer

    def __enter__(self):
        self.outer = getattr(self.tracers, "current", None)
        with self.lock:
            if not _calls_for.opened:
                _exchange_call()
            _calls_for.opened += 1
        self.tracers.current = self.tracer

    def __exit__(self, *exc):
        self.tracers.current = self.outer
        with self.lock:
            _calls_for.opened -= 1
            if not _calls_for.opened:
                nn.Module.__call__ = nn.Module.__call__.__wrapped__


def _exchange_call():
    """Have modules ask for this thread's tracer when they are called."""
    as_always = nn.Module.__call__

    @wraps(as_always)
    def call(module, /, *args, **kwargs):
        tracer = getattr(_calls_for.tracers, "current", None)
        if tracer is None:
            return as_always(module, *args, **kwargs)
        return tracer.call_module(module, lambda *a, **k: module.forward(*a, **k), args, kwargs)
    nn.Module.__call__ = call
