"""Modules that hold other modules or parameters: lists, dictionaries and chains."""
from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ..diagnose import error
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter
from .tree import indented, typename


def _no_entry(owner: Any, i: int, n: int) -> Exception:
    """The error for a number outside a list of n entries."""
    return error("position-range", IndexError(f"index {i} is out of range"), owner=type(owner), value=i, size=n, last=n - 1,
                 why="{owner} has {size} entries, numbers 0 to {last}; this one is {value}." if n else
                     "{owner} has no entries yet, so none of number {value}.",
                 fix="use a number from 0 to {last}, or [-1] for the last one." if n else
                     "append() an entry before.")


class Container(Module):
    """What held modules before PyTorch 0.2; deprecated there."""

    def __init__(self, **kwargs: Module) -> None:
        super().__init__()
        warnings.warn("nn.Container is deprecated. All of it's functionality is now implemented in "
                      "nn.Module. Subclass that instead.", FutureWarning, stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Numbered(Module):
    """Members named "0", "1", …, in the table that `_table` names; what all list-like containers share."""

    _table = "_modules"

    @property
    def _members(self) -> dict:
        return getattr(self, self._table)

    def _key(self, index: int) -> str:
        """The name of the member at `index`, which may be negative."""
        n, i = len(self), operator.index(index)
        if not -n <= i < n:
            raise _no_entry(self, i, n)
        return next(islice(self._members, i % n, None))

    def _refill(self, values: Iterable) -> None:
        values = list(values)
        self._members.clear()
        for i, value in enumerate(values):
            self._members[str(i)] = value

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator:
        return iter(self._members.values())

    def __getitem__(self, index: int | slice):
        if isinstance(index, slice):
            return self._sliced(index)
        return self._members[self._key(index)]

    def _sliced(self, index: slice):
        return type(self)(list(self)[index])

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), value)

    def __delitem__(self, index: int | slice) -> None:
        values = list(self)
        del values[index if isinstance(index, slice) else list(self._members).index(self._key(index))]
        self._refill(values)

    def _checked_position(self, index: int, what: str) -> int:
        n = len(self)
        if not -n <= index <= n:
            raise error("position-range",
                        IndexError(f"Index out of range: {index}" if what == "Sequential"
                                   else f"index {index} is out of range"),
                        value=index, size=n, owner=type(self),
                        why="{owner} has {size} entries, so something can be inserted at 0 to {size}; this place is "
                            "{value}.",
                        fix="use a place from 0 to {size}, or append() for the end.")
        return index + n if index < 0 else index

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Numbered):
    """A chain of modules: each is called on what the one before it returned.

    >>> net = kobai.nn.Sequential(kobai.nn.Linear(2, 3), kobai.nn.ReLU())
    >>> net
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    >>> len(net), net[-1], net(kobai.ones(4, 2)).shape
    (2, ReLU(), torch.Size([4, 3]))
    """

    def __init__(self, *args: Module | Mapping[str, Module]):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            named = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input

    def _sliced(self, index: slice) -> Sequential:
        return type(self)(dict(list(self._modules.items())[index]))

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            for key in list(self._modules)[index]:
                del self._modules[key]
        else:
            del self._modules[self._key(index)]
        if all(name.isdigit() for name in self._modules):
            self._refill(self)          # keep the numbers without gaps

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise error("argument-type",
                        ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is "
                                   "given."),
                        kind=type(other), why="+ joins two nn.Sequential, and the right side is of type {kind}.",
                        fix="write net + nn.Sequential(layer), or net.append(layer).")
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise error("argument-type",
                        ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is "
                                   "given."),
                        kind=type(other), why="+ joins two nn.Sequential, and the right side is of type {kind}.",
                        fix="write net + nn.Sequential(layer), or net.append(layer).")
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        _check_times(times)
        return Sequential(*(module for _ in range(times) for module in self))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        _check_times(times)
        return self.extend([module for _ in range(times - 1) for module in self])

    def append(self, module: Module) -> Sequential:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a module before position `index`."""
        if not isinstance(module, Module):
            raise error("argument-type", AssertionError(f"module should be of type: {Module}"), what="module",
                        kind=type(module), must="a module")
        position = self._checked_position(index, "Sequential")
        values = list(self)
        self._refill([*values[:position], module, *values[position:]])
        return self

    def extend(self, sequential: Iterable[Module]) -> Sequential:
        """Add all modules of another chain at the end."""
        for module in list(sequential):
            self.append(module)
        return self

    def pop(self, key: int | slice) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module


def _check_times(times: int) -> None:
    if not isinstance(times, int):
        raise error("argument-type", TypeError(f"unsupported operand type(s) for *: {Sequential} and {type(times)}"),
                    kind=type(times), why="an nn.Sequential times n is n copies in a row, and n is of type {kind}.",
                    fix="write net * 3, with a whole number.")
    if times <= 0:
        raise error("argument-value", ValueError(f"Non-positive multiplication factor {times} for {Sequential}"),
                    value=times, why="an nn.Sequential times n is n copies in a row, and n is {value}.",
                    fix="use a whole number of at least 1.")


class ModuleList(_Numbered):
    """A list of modules, all registered; it has no `forward`.

    >>> layers = kobai.nn.ModuleList([kobai.nn.Linear(4, 4) for _ in range(3)])
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    >>> layers.append(kobai.nn.ReLU())[-1]
    ReLU()
    """

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            raise error("argument-type",
                        TypeError("ModuleList.extend should be called with an iterable, but got "
                                  f"{type(modules).__name__}"),
                        what="modules", kind=type(modules), must="a list or tuple of modules",
                        fix="write append(module) for a single one, extend([first, second]) for several.")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before position `index`."""
        values = list(self)
        values.insert(index, module)
        self._refill(values)

    def pop(self, key: int | slice) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def __repr__(self) -> str:
        """Equal neighbours are printed once, with their range."""
        groups: list[tuple[int, int, str]] = []         # first, last, text
        for i, text in enumerate(map(repr, self)):
            if groups and groups[-1][2] == text:
                groups[-1] = (groups[-1][0], i, text)
            else:
                groups.append((i, i, text))
        if not groups:
            return self._get_name() + "()"
        lines = [f"({a}): {indented(text)}" if a == b else f"({a}-{b}): {b - a + 1} x {indented(text)}"
                 for a, b, text in groups]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dictionary of modules, all registered; it has no `forward`.

    >>> choices = kobai.nn.ModuleDict({"tanh": kobai.nn.Tanh(), "relu": kobai.nn.ReLU()})
    >>> choices["tanh"], list(choices)
    (Tanh(), ['tanh', 'relu'])
    """

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Take the module called `key` out and return it."""
        return self._modules.pop(key)

    def keys(self):
        """The names."""
        return self._modules.keys()

    def items(self):
        """(name, module) pairs."""
        return self._modules.items()

    def values(self):
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, replacing those of the same name."""
        for key, module in _pairs(modules, "ModuleDict"):
            self[key] = module


def _pairs(source: Any, owner: str) -> Iterable[tuple[str, Any]]:
    """(key, value) pairs of a mapping or of an iterable of pairs, with PyTorch's complaints."""
    name = owner.replace("Parameters", "Parameter")  # which PyTorch spells otherwise in these messages
    if not isinstance(source, Iterable):
        raise error("argument-type",
                    TypeError(f"{owner}.update should be called with an iterable of key/value pairs, but got "
                              f"{type(source).__name__}"),
                    owner=name, kind=type(source),
                    why="{owner} is filled from a dict or from pairs of a name and a value, and this is of type "
                        "{kind}.",
                    fix="write {owner}({{'first': value}}), or {owner}([('first', value)]).")
    if hasattr(source, "keys"):
        return [(key, source[key]) for key in source.keys()]
    source = list(source)
    for i, pair in enumerate(source):
        if not isinstance(pair, Collection):
            raise error("argument-type",
                        TypeError(f"{owner} update sequence element #{i} should be Iterable; is {type(pair).__name__}"),
                        owner=name, i=i, kind=type(pair),
                        why="entry {i} is of type {kind}, not a pair of a name and a value.",
                        fix="write {owner}({{'first': value}}), or {owner}([('first', value)]).")
        if len(pair) != 2:
            raise error("argument-count",
                        ValueError(f"{owner} update sequence element #{i} has length {len(pair)}; 2 is required"),
                        owner=name, i=i, count=len(pair),
                        why="entry {i} has {count} parts; it must be a pair of a name and a value.",
                        fix="write {owner}({{'first': value}}), or {owner}([('first', value)]).")
    return source


class ParameterList(_Numbered):
    """A list of parameters, all registered; a tensor that is put in becomes a parameter.

    >>> scales = kobai.nn.ParameterList([kobai.ones(2), kobai.zeros(3)])
    >>> scales
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.float32 of size 3]
    )
    >>> len(list(scales.parameters()))
    2
    """

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, index: int) -> str:
        i, n = operator.index(index), self._size
        if not -n <= i < n:
            raise _no_entry(self, i, n)
        return str(i % n)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(self._size))

    def __getitem__(self, index: int | slice):
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(self._size)[index]])
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), _as_parameter(value))

    def __delitem__(self, index):
        raise error("not-possible", AttributeError("__delitem__"),
                    why="the entries of a ParameterList keep their numbers, so none can be taken out.",
                    fix="make a new one without it: nn.ParameterList([p for i, p in enumerate(params) if i != 2]).")

    def append(self, value: Any) -> ParameterList:
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise error("argument-type",
                        TypeError("ParameterList.extend should be called with an iterable, but got "
                                  f"{type(values).__name__}"),
                        what="values", kind=type(values), must="a list or tuple of tensors",
                        fix="write append(value) for a single one, extend([first, second]) for several.")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def extra_repr(self) -> str:
        return "\n".join(f"  ({i}): {_described(v, str(getattr(v, 'dtype', '')))}" for i,
                         v in enumerate(self))

    def __call__(self, *args, **kwargs):
        raise error("not-possible", RuntimeError("ParameterList should not be called."), cls=type(self),
                    why="{cls} holds parameters and computes nothing.",
                    fix="use its entries in forward() of your module: x @ self.params[0].")


class ParameterDict(Module):
    """A dictionary of parameters, all registered; a tensor that is put in becomes a parameter.

    >>> params = kobai.nn.ParameterDict({"a": kobai.ones(2)})
    >>> params["b"] = kobai.zeros(1)
    >>> [name for name, _ in params.named_parameters()]
    ['a', 'b']
    """

    def __init__(self, parameters: Any = None):
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _attribute(self, key: str) -> str:
        if not isinstance(key, str):
            raise error("argument-type",
                        TypeError("Index given to ParameterDict cannot be used as a key as it is not a string (type "
                                  f"is '{type(key).__name__}'). Open an issue on github if you need non-string keys."),
                        what="key", kind=type(key), must="a text",
                        fix="write the key as a text: params['w1'], or params[str(1)].")
        return key

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        name = self._attribute(key)
        self._keys[key] = None
        setattr(self, name, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, value) pairs."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def copy(self) -> ParameterDict:
        """A dictionary of its own with the same parameters."""
        return ParameterDict(self.items())

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of `key`, which becomes `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take the value of `key` out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last (name, value) out and return it."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        return self[key] if key in self else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dictionary with these names, all with the value `default`."""
        return ParameterDict((key, default) for key in keys)

    def update(self, parameters: Any) -> None:
        """Add values, replacing those of the same name; a plain mapping is added in order of its names."""
        pairs = _pairs(parameters, "ParametersDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs)
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(f"  ({key}): {_described(value, typename(value))}" for key, value in self.items())

    def __call__(self, input):
        raise error("not-possible", RuntimeError("ParameterDict should not be called."), cls=type(self),
                    why="{cls} holds parameters and computes nothing.",
                    fix="use its entries in forward() of your module: x @ self.params['w'].")

    def __or__(self, other: ParameterDict) -> ParameterDict:
        return self._merged(self, other)

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        return self._merged(other, self)

    def _merged(self, first, second) -> ParameterDict:
        merged = ParameterDict(first.items())
        merged.update(second.items())
        return merged

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other.items())
        return self


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value: Any, kind: str) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    what = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(n) for n in value.shape)
    where = "" if value.device.type == "cpu" else f" ({value.device})"
    return f"{what} containing: [{kind} of size {size}{where}]"
