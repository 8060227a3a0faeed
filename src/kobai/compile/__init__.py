"""From ops to machine code: recorded programs, the scalar `Kernel`, and the passes between.

The package can also be called, as `torch.compile` is: see `compile`.
"""
from __future__ import annotations

import sys
from types import ModuleType


def compile(model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False,
            explain=False):
    """Record what a function or module computes, and run it as one program from the next call on.

    Where the first call changed variables that the function depends on, the second is recorded, too.

    A whole training step (zero_grad, forward, backward, the optimiser's step) may be given, a model, or any
    function of tensors. What cannot be recorded runs as always; `explain=True` prints why, with the line.

    Args:
        model: the function or module; without it, a decorator.
        fullgraph: raise if a call cannot be recorded.
        disable: return `model` as it is.
        dynamic, backend, mode, options: accepted for PyTorch's programs; there is one compiler, and it does its best.

    Raises:
        RuntimeError: for a backend or mode that PyTorch does not have either, or a mode and options.

    >>> import kobai
    >>> @kobai.compile
    ... def f(x):
    ...     return (x.sin() * x).sum()
    >>> x = kobai.ones(3)
    >>> [round(f(x).item(), 4) for _ in range(3)]
    [2.5244, 2.5244, 2.5244]
    >>> f.graph.nodes[0].op
    Sin()
    """
    _look_at(backend, mode, options)
    if model is None:
        return lambda fn: compile(fn, fullgraph=fullgraph, disable=disable, explain=explain)
    if disable:
        return model
    from kobai.compile.front import compiled  # noqa: PLC0415  (the recorder is loaded on first use)
    return compiled(model, fullgraph=fullgraph, explain=explain)


BACKENDS = {"inductor", "eager", "aot_eager", "aot_eager_decomp_partition", "aot_ts", "cudagraphs", "eager_debug", "eager_noexcept",
            "onnxrt", "openxla", "openxla_eval", "pre_dispatch_eager", "ts", "tvm", "kobai"}
_MODES = "default, lite, reduce-overhead, max-autotune-no-cudagraphs, max-autotune"


def _look_at(backend, mode, options):
    """Raise for arguments that PyTorch refuses."""
    from kobai.diagnose import error  # noqa: PLC0415  (only where a mistake may be)
    if mode is not None and options is not None:
        raise error("arguments-exclude", RuntimeError("Either mode or options can be specified, but both can't be specified at the "
                                                      "same time."), what="mode", other="options")
    if mode is not None and mode not in _MODES.split(", "):
        raise error("argument-choice", RuntimeError(f"Unrecognized mode={mode}, should be one of: {_MODES}"),
                    what="mode", value=mode, choices=_MODES)
    if isinstance(backend, str) and backend not in BACKENDS:
        raise error("argument-choice", RuntimeError(f"Invalid backend: {backend!r}, see `torch._dynamo.list_backends()` for "
                                                    "available backends."),
                    what="backend", value=backend, choices=", ".join(sorted(BACKENDS)))


class _Callable(ModuleType):
    """`kobai.compile(fn)` and `kobai.compile.kernel` are both needed under one name."""

    def __call__(self, *args, **kwargs):
        return compile(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
