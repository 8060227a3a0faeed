"""The tables in which a module keeps its parameters, buffers and submodules."""
from __future__ import annotations

from typing import Any
from weakref import ref

_MISSING = object()


class Members(dict):
    """Name -> member of a module, in order of registration.

    The table is the truth. Each change is also made in the module's `__dict__`, so that reading
    `module.weight` is an ordinary attribute access and not a failed one followed by `__getattr__`.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner, items=()):
        self._owner = ref(owner)        # weak: a module must not be part of a reference cycle
        self.update(items)

    def _attributes(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name, value):
        dict.__setitem__(self, name, value)
        self._attributes()[name] = value

    def __delitem__(self, name):
        dict.__delitem__(self, name)
        self._attributes().pop(name, None)

    def pop(self, name, default=_MISSING):
        if name not in self:
            if default is _MISSING:
                raise KeyError(name)  # plain: what pop() of a dict says
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self):
        name, value = dict.popitem(self)
        self._attributes().pop(name, None)
        return name, value

    def clear(self):
        for name in tuple(self):
            del self[name]

    def update(self, *others, **more):
        for name, value in dict(*others, **more).items():
            self[name] = value

    def setdefault(self, name, default=None):
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, other):
        self.update(other)
        return self

    def move_to_end(self, name, last: bool = True):
        """Reorder as `collections.OrderedDict` does."""
        items = [(k, v) for k, v in self.items() if k != name]
        items.insert(len(items) if last else 0, (name, self[name]))
        dict.clear(self)
        for key, value in items:
            dict.__setitem__(self, key, value)

    def __reduce__(self):
        return dict, (dict(self),)      # copies and pickles are plain; the module adopts them
