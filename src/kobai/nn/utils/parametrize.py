"""Parameters that are computed from others each time they are read.

A parametrized module becomes an instance of a class of its own, which has a property in place of each
parametrized tensor; `module.parametrizations[name]` holds the functions and the original tensors.
"""
from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import Any

from ... import no_grad
from ...diagnose import error
from ...tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

_cache: dict[tuple[int, str], Tensor] = {}
_cache_depth = 0


@contextmanager
def cached():
    """Inside, each parametrized tensor is computed once, however often it is read."""
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and the original tensor or tensors they start from."""

    def __init__(self, modules, original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise error("argument-count", ValueError("ParametrizationList requires one or more modules."),
                        what="modules", count=0, need="at least {n}", n=1)
        super().__init__(modules)
        self.unsafe = unsafe
        start = _inverted(list(modules), original, None)
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        if self.is_tensor:
            with no_grad():
                _set(original, start)       # the same parameter: an optimizer may hold it
            _register(self, "original", original)
        else:
            for i, part in enumerate(start):
                if not isinstance(part, Tensor):
                    raise error("wrong-return",
                                ValueError("'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                                           f"tuple...). Got element {i} of the sequence with type "
                                           f"{type(part).__name__}."),
                                what="right_inverse()", i=i, kind=type(part),
                                why="entry {i} of what right_inverse() returned is of type {kind}, not a tensor.",
                                fix="return a tensor or a tuple of tensors.")
                part = Parameter(part.detach(), part.requires_grad or original.requires_grad) if isinstance(
                    original, Parameter) else part
                _register(self, f"original{i}", part)
        if not unsafe:
            self._check_result(original)

    def _check_result(self, original: Tensor) -> None:
        with no_grad():
            result = self()
        if not isinstance(result, Tensor):
            raise error("wrong-return",
                        ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}."),
                        what="forward()", kind=type(result), must="a tensor")
        for what in ("dtype", "shape"):
            if getattr(result, what) != getattr(original, what):
                raise error("wrong-return",
                            ValueError(f"Registering a parametrization may not change the {what} of the tensor, "
                                       "unless `unsafe` flag is enabled."),
                            what=what, before=getattr(original, what), after=getattr(result, what),
                            why="without the parametrization {what} is {before}, with it {after}.",
                            fix="let its forward() keep {what}, or write register_parametrization(..., unsafe=True).")

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self,
                                                               f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Change the originals so that the parametrized tensor becomes `value`."""
        with no_grad():
            start = _inverted(list(self), value, self._no_inverse)
            if self.is_tensor:
                if not isinstance(start, Tensor):
                    raise error("wrong-return",
                                ValueError(f"`right_inverse` should return a tensor. Got {type(start).__name__}"),
                                what="right_inverse()", kind=type(start), must="a tensor")
                _set(self.original, start)
                return
            if len(start) != self.ntensors:
                raise error("wrong-return",
                            ValueError("'right_inverse' must return a sequence of tensors of length "
                                       f"{self.ntensors}. Got a sequence of length {len(start)}."),
                            what="right_inverse()", count=len(start), n=self.ntensors,
                            why="{what} returned {count} tensors, and this parametrization is made from {n}.",
                            fix="return as many as at the registration.")
            for target, part in zip(self._originals(), start):
                _set(target, part)

    def _no_inverse(self, module: Module) -> None:
        raise error("method-missing",
                    RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse."),
                    cls=type(module), what="right_inverse",
                    fix="write `def right_inverse(self, value)` in {cls}: it tells from which tensor forward() makes "
                        "value.")

    def forward(self) -> Tensor:
        first, *others = self
        x = first(*self._originals())
        for module in others:
            x = module(x)
        return x


def _inverted(modules: list[Module], value: Any, missing) -> Any:
    """`value` through the right inverses, the last first; `missing` is called where there is none."""
    for module in reversed(modules):
        if hasattr(module, "right_inverse"):
            try:
                value = module.right_inverse(value)
            except NotImplementedError:
                if missing is not None:
                    raise
        elif missing is not None:
            missing(module)
    return value


def _set(target: Tensor, value: Tensor) -> None:
    if value is not target:
        target.data = value.detach().clone() if value.shape == target.shape else value.detach()


def _register(module: Module, name: str, t: Tensor) -> None:
    if isinstance(t, Parameter):
        module.register_parameter(name, t)
    else:
        module.register_buffer(name, t)


# -------------------------------------------------------------- the new class
def _give_own_class(module: Module) -> None:
    cls = type(module)

    def refuse(self):
        raise error("not-possible",
                    RuntimeError("Serialization of parametrized modules is only supported through state_dict(). See:\n"
                                 "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
                                 "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"),
                    cls=cls,
                    why="this {cls} has a class of its own, made when it was parametrized, and a pickle cannot name "
                        "it.",
                    fix="save net.state_dict(), and load it into a model that is parametrized in the same way.")

    def deepcopied(self, memo):
        twin = memo.get(id(self))
        if twin is None:
            twin = memo[id(self)] = type(self).__new__(type(self))
            twin.__setstate__(copy.deepcopy(Module.__getstate__(self), memo))
        return twin

    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), {
        "__getstate__": refuse, "__deepcopy__": deepcopied, "__module__": ParametrizationList.__module__})


def _property(name: str) -> property:
    def get(self) -> Tensor:
        compute = self.parametrizations[name]
        if not _cache_depth:
            return compute()
        key = id(self), name
        if key not in _cache:
            _cache[key] = compute()
        return _cache[key]

    def set_(self, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, set_)


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *,
                             unsafe: bool = False) -> Module:
    """Make `module.<tensor_name>` the result of `parametrization` applied to the original tensor.

    If the parametrization has a method `right_inverse`, assigning to the tensor works and sets the original.

    >>> class Symmetric(kobai.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).transpose(-1, -2)
    >>> layer = kobai.nn.Linear(3, 3)
    >>> _ = kobai.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain = module.parametrizations[tensor_name]
        before = getattr(module, tensor_name)
        chain.append(parametrization)
        chain.unsafe |= unsafe
        if not unsafe:
            chain._check_result(before)
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        chain = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_own_class(module)
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = chain
    else:
        raise error("name-unknown",
                    ValueError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
                               f"with name '{tensor_name}'"),
                    where=type(module), what="parameter", name=tensor_name,
                    names=[n for n, _ in module.named_parameters(recurse=False)],
                    fix="its own parameters are {names}; for those of a layer inside, give that layer.")
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether any tensor of the module, or the one of that name, is parametrized."""
    chains = module._modules.get("parametrizations")
    if not isinstance(chains, ModuleDict):
        return False
    return len(chains) > 0 if tensor_name is None else tensor_name in chains


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make the tensor an ordinary one again: with its present value, or (False) the original."""
    if not is_parametrized(module, tensor_name):
        raise error("call-order", ValueError(f"Module {module} does not have a parametrization on {tensor_name}"),
                    name=tensor_name, cls=type(module), why="{name} of this {cls} is not parametrized.",
                    fix="parametrize.is_parametrized(module, {name!r}) tells whether it is; give the layer, not the "
                        "whole model.")
    chain = module.parametrizations[tensor_name]
    if not leave_parametrized and not chain.is_tensor:
        raise error("argument-value",
                    ValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
                               "parametrized in terms of a sequence of tensors."),
                    name=tensor_name,
                    why="{name} is made from several tensors, so there is no single original to go back to.",
                    fix="write leave_parametrized=True, which keeps its present value.")
    original = chain._originals()[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name)
        if chain.is_tensor:
            original.data = value
        else:
            original = Parameter(value, original.requires_grad) if isinstance(original, Parameter) else value
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class the module had before it was parametrized.

    >>> kobai.nn.utils.parametrize.type_before_parametrizations(kobai.nn.Linear(1, 1)).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Module, to_module: Module,
                                         tensor_name: str | None = None) -> Module:
    """Give `to_module` the parametrizations of `from_module`, and copies of their originals."""
    if is_parametrized(from_module):
        names = [tensor_name] if tensor_name is not None else list(from_module.parametrizations)
        for name in names:
            _transfer(from_module, to_module, name)
    return to_module


def _transfer(source: Module, target: Module, name: str) -> None:
    if not hasattr(target, name):
        _register(target, name, Parameter(getattr(source, name).detach().clone()))
    for parametrization in source.parametrizations[name]:
        register_parametrization(target, name, parametrization, unsafe=True)
    for mine, theirs in zip(target.parametrizations[name]._originals(),
                            source.parametrizations[name]._originals()):
        _set(mine, theirs)
