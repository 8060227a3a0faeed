"""torch.overrides: for functions and classes that take part in `__torch_function__`."""
from __future__ import annotations

from types import FunctionType
from typing import Any

from .diagnose import error
from .function_modes import BaseTorchFunctionMode as BaseTorchFunctionMode, TorchFunctionMode as TorchFunctionMode
from .public import names
from .subclasses import disabled, full_name, overriding
from .tensor import Tensor

_SPACES = {"torch": "torch", "nn.functional": "torch.nn.functional", "linalg": "torch.linalg", "fft": "torch.fft",
           "special": "torch.special"}


def has_torch_function(relevant_args) -> bool:
    """Whether a class among the arguments has a `__torch_function__` of its own to be asked.

    >>> has_torch_function([kobai.ones(2), 3])
    False
    """
    return bool(overriding(relevant_args))


def has_torch_function_unary(arg: Any) -> bool:
    """The same for one argument."""
    return bool(overriding([arg]))


def has_torch_function_variadic(*args: Any) -> bool:
    """The same for arguments that stand side by side."""
    return bool(overriding(args))


def handle_torch_function(public_api, relevant_args, *args: Any, **kwargs: Any):
    """What the classes among `relevant_args` give for `public_api(*args, **kwargs)`.

    Raises: TypeError when none of them has an answer.
    """
    objects = overriding(relevant_args)
    types = tuple(type(o) for o in objects)
    for o in objects:
        result = o.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise error("not-defined",
                TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}"),
                what=name, why="each of these classes was asked to compute {fn}(), and refused.",
                fn=public_api.__name__,
                fix="have __torch_function__ handle {fn}, or return super().__torch_function__(...) for the others.")


def wrap_torch_function(dispatcher):
    """Decorator: the function asks the classes of what `dispatcher(*args, **kwargs)` returns first."""
    def decorate(fn):
        def wrapped(*args: Any, **kwargs: Any):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return fn(*args, **kwargs)
        wrapped.__name__, wrapped.__doc__, wrapped.__module__ = fn.__name__, fn.__doc__, fn.__module__
        return wrapped
    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a tensor, or of a class with `__torch_function__`.

    >>> is_tensor_like(kobai.ones(2)), is_tensor_like([1.0])
    (True, False)
    """
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func) -> bool:
    """Whether `func` is a method of Tensor, or reads one of its attributes."""
    return getattr(Tensor, getattr(func, "__name__", ""), None) is func or getattr(func, "__name__", "") == "__get__"


def resolve_name(f) -> str | None:
    """The full name of a public function: "torch.add"; None if it has none.

    >>> resolve_name(kobai.nn.functional.relu)
    'torch.nn.functional.relu'
    """
    name = full_name(f)
    return name if "." in name else None


def get_overridable_functions() -> dict[Any, list[Any]]:
    """All functions that classes are asked about: {namespace: [function, ...]}."""
    found: dict[Any, list[Any]] = {space: list(names.get(ours, {}).values()) for ours, space in _SPACES.items()}
    found[Tensor] = [fn for fn in vars(Tensor).values() if isinstance(fn, FunctionType)]
    return found


_disabled_torch_function_impl = disabled
