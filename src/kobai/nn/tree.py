"""Walking and printing a tree of modules; a mixin of `Module`."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..diagnose import error
from ..tensor import Tensor


def typename(value: Any) -> str:
    """How PyTorch's messages name the type of a value."""
    if isinstance(value, Tensor):
        return value.type()
    cls = value if isinstance(value, type) else type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


class Tree:
    """Iteration over parameters, buffers and submodules, lookup by dotted path, `repr`."""

    # -------------------------------------------------------------- iterating
    def named_modules(self, memo: set | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator:
        """(dotted path, module) for this module and all below it; a shared module is given once.

        >>> net = kobai.nn.Sequential(kobai.nn.Linear(2, 2), kobai.nn.ReLU())
        >>> [name for name, _ in net.named_modules()]
        ['', '0', '1']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name,
                                                remove_duplicate)

    def modules(self) -> Iterator:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator:
        """(name, module) of the direct submodules, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator:
        """The direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, get_members_fn: Callable, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator:
        seen = set()
        modules = self.named_modules(prefix=prefix,
                                     remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator:
        """(dotted path, parameter); a shared parameter is given once unless `remove_duplicate` is False.

        >>> [(name, tuple(p.shape)) for name, p in kobai.nn.Linear(3, 2).named_parameters()]
        [('weight', (2, 3)), ('bias', (2,))]
        """
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator:
        """All parameters, for an optimizer."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator:
        """(dotted path, buffer)."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator:
        """All buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # ---------------------------------------------------------------- by path
    def get_submodule(self, target: str):
        """The module at a dotted path; the empty path is this module.

        Raises:
            AttributeError: there is none.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise error("name-unknown", AttributeError(f"{module._get_name()} has no attribute `{name}`"),
                            where=module._get_name(), what="module", name=name,
                            names=[n for n, _ in module.named_children()])
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise error("not-possible", AttributeError(f"`{name}` is not an nn.Module"), name=name,
                            kind=type(module), target=target,
                            why="{name} in {target!r} is of type {kind}, and only modules have something below them.",
                            fix="name modules only; get_parameter() and get_buffer() find tensors.")
        return module

    def _get_member(self, target: str, table: str, what: str) -> Tensor:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise error("name-unknown", AttributeError(f"{module._get_name()} has no attribute `{name}`"),
                        where=module._get_name(), what=table.strip("_")[:-1], name=name,
                        names=list(getattr(module, table)),
                        fix="look for the right spelling: its names are {names}." if getattr(module, table) else
                            "{where} itself has none; net.state_dict().keys() lists all paths.")
        if name not in getattr(module, table):
            raise error("not-possible", AttributeError(f"`{name}` is not {what}"), name=name, what=what,
                        where=module._get_name(), kind=type(getattr(module, name)),
                        why="{name} of {where} is of type {kind}, not {what}.",
                        fix="read it as an attribute, or use get_submodule(), get_parameter() or get_buffer(), "
                            "whichever fits.")
        return getattr(module, name)

    def get_parameter(self, target: str) -> Tensor:
        """The parameter at a dotted path."""
        return self._get_member(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        return self._get_member(target, "_buffers", "a buffer")

    def set_submodule(self, target: str, module, strict: bool = False) -> None:
        """Put `module` at a dotted path; with `strict` only where there is one already.

        >>> net = kobai.nn.Sequential(kobai.nn.ReLU())
        >>> net.set_submodule("0", kobai.nn.Tanh())
        >>> net[0]
        Tanh()
        """
        if target == "":
            raise error("argument-value", ValueError("Cannot set the submodule without a target name!"),
                        why="an empty target is the module itself, which cannot replace itself.",
                        fix="name the place: net.set_submodule('head', nn.Linear(8, 2)).")
        if not isinstance(module, Tree):
            raise error("argument-type", ValueError(f"`module` is not an nn.Module, found {type(module)}"),
                        what="module", kind=type(module), must="a module")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise error("name-unknown", AttributeError(f"{parent._get_name()} has no attribute `{name}`"),
                        where=parent._get_name(), what="module", name=name,
                        names=[n for n, _ in parent.named_children()],
                        fix="look for the right spelling among {names}; strict=False adds a new one.")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Tree):
            raise error("not-possible", AttributeError(f"`{name}` is not an nn.Module"), name=name,
                        where=parent._get_name(), kind=type(getattr(parent, name)),
                        why="{name} of {where} is of type {kind}, so no module can take its place.",
                        fix="choose another name, or `del` the attribute before.")
        setattr(parent, name, module)

    # --------------------------------------------------------------- printing
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses; a subclass may define it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def indented(text: str, by: int = 2) -> str:
    """`text` with all lines but the first moved right."""
    return text.replace("\n", "\n" + " " * by)
