"""Families of names that `import kobai` leaves out: each is imported when one of its names is first used.

`families.py` says which module defines which name; `tools/list_families.py` writes it. A name that waits is found
as any other: as `kobai.name` (`find`), as a method of Tensor and in the namespace `m` (`Later`), in `kobai.linalg`
and its kin (`attributes`), and what the module registers, by going through the registry (`Registry`).
"""
from __future__ import annotations

import importlib
import os
import sys
from functools import cached_property
from threading import RLock, get_ident

from .families import FAMILIES

_WHERE: dict[str, dict[str, str]] = {}  # "torch", "Tensor", "m", "linalg", ... -> name -> module
for _module, _spaces in FAMILIES.items():
    for _space, _names in _spaces.items():
        _WHERE.setdefault(_space, {}).update(dict.fromkeys(_names.split(), _module))

_after = []  # called when a module has been imported


def after_loading(fn):
    """Have `fn` called after each import of a family."""
    _after.append(fn)
    return fn


def load(module):
    """Import a family, "ops.fft", and let its names take their places."""
    importlib.import_module("kobai." + module)
    for fn in _after:
        fn()


def loaded(name):
    """A module if all of it has been imported by now; None, too, while another thread imports it."""
    module = sys.modules.get(name)
    return None if module is None or getattr(module.__spec__, "_initializing", False) else module


def _forget_imports():
    """In a forked child: what another thread of the parent's was importing is imported anew, not waited for for ever."""
    locks = getattr(importlib._bootstrap, "_module_locks", {})
    mine = {name for name, lock in locks.copy().items() if getattr(lock(), "owner", None) == get_ident()}
    modules = sys.modules.copy()
    begun = [name for name, module in modules.items()
             if getattr(getattr(module, "__spec__", None), "_initializing", False) and name not in mine]
    packages = tuple([name + "." for name in begun])
    for name, module in modules.items():  # with the parts of packages: only their import makes them attributes
        if name in begun or name.startswith(packages) and (getattr(module, "__file__", "") or "").endswith(".py"):
            del sys.modules[name]
    locks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_imports)


def unlocked_in_children(cls):
    """A class whose cached properties wait in a forked child for no thread of the parent's (Python 3.11 locks them)."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _unlock(cls))
    return cls


def _unlock(cls):
    for value in vars(cls).values():
        if isinstance(value, cached_property) and hasattr(value, "lock"):
            value.lock = RLock()


def load_all(space=None):
    """Import all families; or those with names in `space`, "linalg"."""
    for module in FAMILIES if space is None else dict.fromkeys(_WHERE.get(space, {}).values()):
        load(module)


def waiting(space):
    """The names in `space` that belong to families, imported or not."""
    return _WHERE.get(space, {}).keys()


class Later:
    """Stands in a class for an attribute that a family will set: in the class, or in `holder`."""

    def __init__(self, name, module, holder):
        self.name, self.module, self.holder = name, module, holder

    def __get__(self, obj, cls=None):
        load(self.module)
        found = vars(self.holder).get(self.name, self)
        if found is self:
            raise AttributeError(  # plain: a fault of kobai's own
                f"{self.name!r} is used while kobai.{self.module}, which defines it, is being imported")
        if isinstance(self.holder, type):
            return found.__get__(obj, cls) if hasattr(found, "__get__") else found
        if vars(cls).get(self.name) is self:
            try:
                delattr(cls, self.name)
            except AttributeError:  # another thread was faster
                pass
        return found


def stand_in(space, cls, holder=None):
    """Put a Later in `cls` for each name that waits in `space`."""
    for name, module in _WHERE.get(space, {}).items():
        setattr(cls, name, Later(name, module, holder or cls))


def find(names, space, name):
    """The object called `name` in a namespace of `names`; KeyError if no family defines it."""
    load(_WHERE.get(space, {})[name])
    return names[space][name]


def attributes(names, space, scope):
    """`__getattr__` and `__dir__` of a module with the globals `scope` that shows the namespace `space`."""
    def __getattr__(name):
        try:
            value = scope[name] = find(names, space, name)
        except KeyError:
            if name[:2] == "__":  # Python's own questions
                raise AttributeError(f"module {scope['__name__']!r} has no attribute {name!r}") from None
            from .compat.missing import missing_attribute  # noqa: PLC0415  (only when a name is missing)
            raise missing_attribute(scope["__name__"], name, __dir__()) from None
        return value

    def __dir__():
        return sorted({*scope, *waiting(space)})
    scope.update(names.get(space, {}))
    return __getattr__, __dir__


class Registry(list):
    """The classes of all ops: going through it imports those that wait."""

    def here(self):
        """An iterator over what has been imported so far."""
        return super().__iter__()

    def __iter__(self):
        load_all()
        return super().__iter__()

    def __len__(self):
        load_all()
        return super().__len__()

    def __getitem__(self, index):
        load_all()
        return super().__getitem__(index)

    def __contains__(self, item):
        load_all()
        return super().__contains__(item)
