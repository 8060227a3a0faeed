"""`tf.Module`: an object that knows the variables in its attributes, and those of the modules in them."""
from __future__ import annotations

import functools
import re

from ...diagnose import error
from . import nest
from .names import export
from .variables import is_variable, scopes

_IGNORED = {"_name", "_name_scope", "_self_tracked"}


@export("Module")
class Module:
    """The base of layers and models written by hand.

    >>> import kobai.compat.tensorflow as tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = tf.Variable(2.0)
    ...     def __call__(self, x):
    ...         return self.w * x
    >>> len(Line().trainable_variables)
    1
    """

    def __init__(self, name=None):
        if name is not None and not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise error("name-invalid", ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers "
                "(e.g. a valid class name)."),
                what="a module", name=repr(name), must="a Python identifier")
        self._name = name or _snake_case(type(self).__name__)

    @property
    def name(self):
        return getattr(self, "_name", None) or _snake_case(type(self).__name__)

    @property
    def name_scope(self):
        return _Scope(self.name + "/")

    @property
    def variables(self):
        """All variables in the attributes, sorted by name, and then those of the modules in them."""
        return tuple(_members(self, is_variable))

    @property
    def trainable_variables(self):
        return tuple(_members(self, lambda v: is_variable(v) and v.trainable))

    @property
    def non_trainable_variables(self):
        return tuple(_members(self, lambda v: is_variable(v) and not v.trainable))

    @property
    def submodules(self):
        """All modules below this one."""
        return tuple(_members(self, lambda v: isinstance(v, Module)))

    @classmethod
    def with_name_scope(cls, method):
        """Decorate a method: variables made in it have the module's name before their own."""
        @functools.wraps(method)
        def within(self, *args, **kwargs):
            with self.name_scope:
                return method(self, *args, **kwargs)
        return within


class _Scope(str):
    def __enter__(self):
        scopes.append(self.rstrip("/"))
        return str(self)

    def __exit__(self, *exc):
        scopes.pop()


def _snake_case(name):
    name = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _members(module, wanted, seen=None):
    """What is wanted among the attributes, sorted by name; then that of the submodules, in the same order."""
    seen = {id(module)} if seen is None else seen
    below = []
    for key in sorted(vars(module)):
        if key in _IGNORED:
            continue
        for leaf in nest.flatten(vars(module)[key]):
            if id(leaf) in seen:
                continue
            seen.add(id(leaf))
            if wanted(leaf):
                yield leaf
            if isinstance(leaf, Module):
                below.append(leaf)
    for leaf in below:
        yield from _members(leaf, wanted, seen)
