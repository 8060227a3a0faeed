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
        dynamic, backend, mode, options: accepted for PyTorch's programs.

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
    if model is None:
        return lambda fn: compile(fn, fullgraph=fullgraph, disable=disable, explain=explain)
    if disable:
        return model
    from kobai.compile.front import compiled  # noqa: PLC0415  (the recorder is loaded on first use)
    return compiled(model, fullgraph=fullgraph, explain=explain)


class _Callable(ModuleType):
    """`kobai.compile(fn)` and `kobai.compile.kernel` are both needed under one name."""

    def __call__(self, *args, **kwargs):
        return compile(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
