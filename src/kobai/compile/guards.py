"""What a recorded program took for granted about Python's variables, and whether it still holds.

A recording is right for as long as the names its code looks at mean the same: globals, variables of enclosing
functions, attributes of objects they lead to, the contents of lists and dicts.  `collect` walks from the function
along the names in the code that ran, and notes each variable with its value; `Guards.changed` compares.
Tensors are noted as objects: their numbers are read on each call.
"""
from __future__ import annotations

import types
from typing import Any, NamedTuple

from kobai.autograd.node import inside
from kobai.tensor import Tensor

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
_MOST = 20_000  # variables looked at; a program with more is not recorded
_FREE = frozenset(("lr", "params"))  # of an optimiser's groups: read on each call


class Slot(NamedTuple):
    """A variable: where it is (`kind`, `holder`, `key`), what it is called, what it was."""

    kind: str      # "cell", item of a "dict" or "list", variable of a "class", "attribute"
    holder: Any
    key: Any
    name: str
    value: Any

    def read(self):
        """What it is now."""
        if self.kind == "cell":
            return self.holder.cell_contents
        if self.kind == "attribute":
            return getattr(self.holder, self.key)
        return self.holder[self.key]


class Guards:
    """The variables a recording depends on, and the lengths of lists and dicts among them."""

    def __init__(self, slots, lengths):
        self.slots, self.lengths = slots, lengths

    def changed(self) -> str | None:
        """The name of a variable that is not what it was, or None."""
        for slot in self.slots:
            try:
                now = slot.read()
            except (KeyError, IndexError, AttributeError, ValueError):
                return slot.name
            value = slot.value
            if now is not value and not (now.__class__ is value.__class__ and now.__class__ in _PLAIN and now == value):
                return slot.name
        for container, name, length in self.lengths:
            if len(container) != length:
                return name
        return None


def collect(fn, codes) -> Guards | None:
    """The variables that `fn` and the code objects that ran look at; None if they are too many."""
    walk = _Walk(codes)
    walk.visit(fn, getattr(fn, "__qualname__", "the function"))
    return None if walk.slots is None else Guards(walk.slots, walk.lengths)


class _Walk:
    def __init__(self, codes):
        self.codes = codes
        self.names = {n for c in codes for n in c.co_names}
        self.slots: list | None = []
        self.lengths: list = []
        self.seen: set[int] = set()

    def slot(self, kind, holder, key, name, value):
        if self.slots is None:
            return
        if len(self.slots) >= _MOST:
            self.slots = None
            return
        self.slots.append(Slot(kind, holder, key, name, value))
        self.visit(value, name)

    def visit(self, v, name):
        """Note what `v` leads to."""
        if isinstance(v, _PLAIN) or id(v) in self.seen:
            return
        self.seen.add(id(v))
        kind = type(v)
        if isinstance(v, Tensor):
            self.slot("attribute", v, "_rg", f"{name}.requires_grad", v._rg)
        elif kind is types.FunctionType:
            self._function(v, name)
        elif kind is types.MethodType:
            self.visit(v.__self__, name)
            self.visit(v.__func__, name)
        elif kind in (list, tuple):
            self._list(v, name)
        elif isinstance(v, dict):
            self._dict(v, list(v), name)
        elif kind is types.ModuleType:
            if not inside[getattr(v, "__file__", None) or "<kobai"]:
                for n in self.names & vars(v).keys():
                    self.slot("dict", vars(v), n, f"{name}.{n}", vars(v)[n])
        elif isinstance(v, type):
            if not inside[_file_of(v)]:
                self._class(v, name)
        else:
            self._object(v, name)

    def _list(self, v, name):
        if type(v) is tuple:  # its items stay
            for i, item in enumerate(v):
                self.visit(item, f"{name}[{i}]")
            return
        self.lengths.append((v, f"len({name})", len(v)))
        for i, item in enumerate(v):
            self.slot("list", v, i, f"{name}[{i}]", item)

    def _dict(self, v, keys, name):
        self.lengths.append((v, f"len({name})", len(v)))
        for k in keys:
            self.slot("dict", v, k, f"{name}[{k!r}]" if isinstance(k, (str, int)) else name, v[k])

    def _function(self, f, name):
        code = f.__code__
        if inside[code.co_filename]:
            inner = getattr(f, "__wrapped__", None)
            for cell in f.__closure__ or ():
                if inner is not None and _holds(cell, types.FunctionType):
                    self.visit(cell.cell_contents, name)
            return
        if code not in self.codes:
            return
        for variable, cell in zip(code.co_freevars, f.__closure__ or ()):
            if _filled(cell):
                self.slot("cell", cell, None, variable, cell.cell_contents)
        space = f.__globals__
        for n in _names(code):
            if n in space:
                self.slot("dict", space, n, n, space[n])
        for v in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self.visit(v, name)

    def _class(self, v, name):
        """The functions and constants of a user's class that the code names."""
        for n in self.names & vars(v).keys():
            got = vars(v)[n]
            if isinstance(got, (types.FunctionType, *_PLAIN)):
                self.slot("class", vars(v), n, f"{v.__name__}.{n}", got)

    def _object(self, v, name):
        """The attributes of an object: all of kobai's own, of others those that the code names."""
        own = inside[_file_of(type(v))]
        for base in type(v).__mro__:
            if not inside[_file_of(base)] and base is not object:
                self.visit(base, base.__name__)
                for f in vars(base).values():
                    if isinstance(f, types.FunctionType) and f.__code__ in self.codes:
                        self.visit(f, f.__qualname__)
        attributes = getattr(v, "__dict__", None)
        if isinstance(attributes, dict):
            module = "_parameters" in attributes and "_modules" in attributes
            if "param_groups" in attributes and "defaults" in attributes:
                return self._optimizer(v, name)
            names = attributes.keys() if own or module else self.names & attributes.keys()
            for n in list(names):
                if n not in ("_accumulator",):
                    self.slot("dict", attributes, n, f"{name}.{n}", attributes[n])

    def _optimizer(self, v, name):
        """Its options; learning rates are read on each call, and its state is the recorder's business."""
        self.lengths.append((v.param_groups, f"{name}.param_groups", len(v.param_groups)))
        for i, group in enumerate(v.param_groups):
            where = f"{name}.param_groups[{i}]"
            self.slot("dict", group, "params", f"{where}['params']", group["params"])
            for k in group.keys() - _FREE:
                self.slot("dict", group, k, f"{where}[{k!r}]", group[k])
            if not isinstance(group.get("lr"), float):
                self.slot("dict", group, "lr", f"{where}['lr']", group.get("lr"))


def _names(code):
    """Global names in the code of a function and of those defined in it."""
    found = set(code.co_names)
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            found |= _names(c)
    return found


def _filled(cell):
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _holds(cell, kind):
    return _filled(cell) and isinstance(cell.cell_contents, kind)


def _file_of(cls):
    """A file name that says whether a class is kobai's or Python's own (as if inside), or the user's."""
    import sys  # noqa: PLC0415

    module = sys.modules.get(cls.__module__)
    if cls.__module__ == "builtins" or cls.__module__.startswith(("torch", "kobai", "collections", "functools")):
        return "<kobai"
    return getattr(module, "__file__", None) or ""
