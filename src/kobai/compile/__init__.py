"""From ops to machine code: the scalar `Kernel`, and the passes around it.

The package can also be called, as `torch.compile` is: see `compile`.
"""
from __future__ import annotations

import sys
from types import ModuleType


def compile(model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False):
    """The function or module itself: this version runs it eagerly, one op at a time.

    Compiling whole training steps is being built on the kernels of this package; until then programs
    that call `torch.compile` run, with the same results and at eager speed.
    """
    if model is None:  # as a decorator with arguments
        return lambda fn: fn
    return model


class _Callable(ModuleType):
    """`kobai.compile(fn)` and `kobai.compile.kernel` are both needed under one name."""

    def __call__(self, *args, **kwargs):
        return compile(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
