"""Automatic differentiation: `backward`, `grad`, modes, custom functions."""
from .mode import (enable_grad as enable_grad, inference_mode as inference_mode, no_grad as no_grad,
                   set_grad_enabled as set_grad_enabled)


def __getattr__(name):
    """The engine needs the ops, and the ops need this package's nodes: so it is bound on first use."""
    if name in ("backward", "grad"):
        from . import engine
        return getattr(engine, name)
    raise AttributeError(f"module 'torch.autograd' has no attribute {name!r}")
