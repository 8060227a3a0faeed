"""Results with named fields, such as (values, indices) of `max`: torch.return_types."""
from __future__ import annotations

from .later import attributes as _attributes


class _Result(tuple):
    """A tuple whose items also have names; prints as PyTorch's."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *values):
        if len(values) == 1 and isinstance(values[0], (tuple, list)):
            values = values[0]
        return tuple.__new__(cls, values)

    def __repr__(self):
        inner = ",\n".join(f"{n}={v!r}" for n, v in zip(self._fields, self))
        return f"torch.return_types.{type(self).__name__}(\n{inner})"

    def __reduce__(self):
        return _rebuild, (type(self).__name__, tuple(self))


def return_type(name, *fields):
    """The class of results of the function `name`; made at the first call."""
    found = globals().get(name)
    if found is None:
        found = type(name, (_Result,), {"__slots__": (), "_fields": fields, "__module__": "torch.return_types"})
        for i, field in enumerate(fields):
            setattr(found, field, property(lambda self, i=i: tuple.__getitem__(self, i)))
        globals()[name] = found
    return found


def _rebuild(name, values):
    kind = globals().get(name) or __getattr__(name)
    return kind(values)


__getattr__, __dir__ = _attributes({"return_types": globals()}, "return_types", globals())
