"""torch.jit without TorchScript: as PyTorch is with PYTORCH_JIT=0, functions and modules run as the Python they are.

So libraries that mark functions for the scripting compiler can be imported, and `script(f)` is `f`. To make a function
fast there is `torch.compile`. `save` and `load` keep modules and functions as `torch.save` does: the program that loads one
needs its class, and PyTorch's archives, which hold compiled code, cannot be read.
"""
from __future__ import annotations

import zipfile
from typing import Final as Final, TypeVar

from . import nn, serialization
from .diagnose import error

__all__ = ["Final", "ScriptFunction", "ScriptModule", "annotate", "export", "freeze", "ignore", "interface",
           "is_scripting", "is_tracing", "isinstance", "load", "optimize_for_inference", "save", "script",
           "script_if_tracing", "script_method", "trace", "unused"]

_isinstance = isinstance
_Any = TypeVar("_Any")


class ScriptModule(nn.Module):
    """What old programs derive modules from; an ordinary module. What `script` gives is no instance of it."""


class ScriptFunction:
    """The class of compiled functions: there are none, so programs that ask are told no."""


def script_method(fn: _Any) -> _Any:
    """The method itself."""
    return fn


def script(obj, optimize=None, example_inputs=None):
    """The function, class or module itself.

    >>> @kobai.jit.script
    ... def double(x: kobai.Tensor):
    ...     return x + x
    >>> double(kobai.tensor(2.0))
    tensor(4.)
    """
    return _with_save(obj)


def _with_save(obj):
    """`obj`, with the method `save` that what TorchScript makes has."""
    if _isinstance(obj, nn.Module):
        if not hasattr(nn.Module, "save"):
            nn.Module.save = save
    elif callable(obj) and hasattr(obj, "__dict__") and not _isinstance(obj, type):
        obj.save = lambda f: save(obj, f)
    return obj


def save(m, f, _extra_files=None):
    """Keep a module or function in a file, for `load`.

    >>> import io
    >>> file = io.BytesIO()
    >>> kobai.jit.save(kobai.jit.script(kobai.nn.ReLU()), file)
    >>> kobai.jit.load(io.BytesIO(file.getvalue()))
    ReLU()
    """
    serialization.save(m, f)


def load(f, map_location=None, _extra_files=None, _restore_shapes=False):
    """The module or function that `save` kept. Like any pickle it may run code: load files you trust only.

    Raises: RuntimeError for an archive of TorchScript.
    """
    if zipfile.is_zipfile(f):
        with zipfile.ZipFile(f) as archive:
            if any("/code/" in name for name in archive.namelist()):
                raise error("file", RuntimeError(f"{f} is an archive of TorchScript"),
                            path=f, why="it holds compiled code, which kobai cannot run",
                            fix="save the state_dict() with PyTorch, and load that into the module's class.")
    if hasattr(f, "seek"):
        f.seek(0)
    return serialization.load(f, map_location=map_location, weights_only=False)


def trace(func, example_inputs=None, **settings):
    """The function or module itself; it is not called."""
    return _with_save(func)


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
        raise error("call-order",
                    RuntimeError("Freezing is currently only implemented for modules in eval mode. Please call .eval() on your "
                                 "module before freezing."),
                    why="the module is in training mode.", fix="call module.eval() first.")
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
