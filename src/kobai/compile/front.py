"""What `kobai.compile` returns: for a function a `Compiled`, for a module the module with a compiled call."""
from __future__ import annotations

from kobai.compile.compiled import Compiled
from kobai.diagnose import error


def compiled(model, *, fullgraph=False, explain=False):
    """The compiled form of a function or module."""
    if hasattr(model, "named_parameters") and hasattr(model, "forward"):
        return _module(model, fullgraph, explain)
    if isinstance(model, Compiled):
        return model
    if not callable(model):
        raise error("argument-type", TypeError(f"torch.compile() expected a callable, but got {type(model).__name__}"),
                    what="model", kind=type(model), must="a function or a module")
    return Compiled(model, fullgraph=fullgraph, explain=explain)


def _module(model, fullgraph, explain):
    """An object that is the module, with its very attributes, but whose call is compiled.

    Differs from PyTorch: `state_dict` has the module's own keys, without the prefix `_orig_mod.`.
    """
    kind = type(model)
    run = Compiled(model, fullgraph=fullgraph, explain=explain)

    def call(self, *args, **kwargs):
        return run(*args, **kwargs)
    cls = type(kind.__name__, (kind,), {
        "__call__": call, "__module__": kind.__module__, "__doc__": kind.__doc__, "_compiled": property(lambda self: run),
        "_orig_mod": property(lambda self: model), "__reduce_ex__": lambda self, protocol: (_module, (model, fullgraph, explain))})
    same = object.__new__(cls)
    object.__setattr__(same, "__dict__", model.__dict__)
    return same
