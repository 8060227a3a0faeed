"""torch.jit without TorchScript: as PyTorch is with PYTORCH_JIT=0, functions and modules run as the Python they are.

So libraries that mark functions for the scripting compiler can be imported, and `script(f)` is `f`. What needs a
compiled archive (`load`, `save`) is missing. To make a function fast there is `torch.compile`.
"""
from __future__ import annotations

from typing import Final as Final, TypeVar

__all__ = ["Final", "annotate", "export", "freeze", "ignore", "interface", "is_scripting", "is_tracing", "isinstance",
           "optimize_for_inference", "script", "script_if_tracing", "trace", "unused"]

_isinstance = isinstance
_Any = TypeVar("_Any")


def script(obj, optimize=None, example_inputs=None):
    """The function, class or module itself.

    >>> @kobai.jit.script
    ... def double(x: kobai.Tensor):
    ...     return x + x
    >>> double(kobai.tensor(2.0))
    tensor(4.)
    """
    return obj


def trace(func, example_inputs=None, **settings):
    """The function or module itself; it is not called."""
    return func


def script_if_tracing(fn: _Any) -> _Any:
    """The function itself."""
    return fn


def unused(fn: _Any) -> _Any:
    """The function itself: TorchScript would leave it out."""
    return fn


def export(fn: _Any) -> _Any:
    """The function itself: TorchScript would compile it, too."""
    return fn


def interface(obj: _Any) -> _Any:
    """The class itself."""
    return obj


def ignore(drop=False, **kwargs):
    """The function itself: TorchScript would call it as Python. With or without parentheses."""
    return drop if callable(drop) else lambda fn: fn


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The module itself; as in PyTorch it must be in evaluation mode."""
    if mod.training:
        raise RuntimeError("Freezing is currently only implemented for modules in eval mode. Please call .eval() on your "
                           "module before freezing.")
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself, in evaluation mode."""
    return freeze(mod.eval())


def is_scripting():
    """Whether TorchScript runs this: no."""
    return False


def is_tracing():
    """Whether this is being traced by TorchScript: no."""
    return False


def annotate(the_type, the_value):
    """The value: the type was for TorchScript."""
    return the_value


def isinstance(obj, target_type):
    """Whether `obj` is of a type; of a container type such as `List[int]`, of that container."""
    origin = getattr(target_type, "__origin__", None)
    return _isinstance(obj, origin or target_type)
