"""Automatic differentiation: `backward`, `grad`, modes, custom functions."""
from __future__ import annotations

import importlib as _importlib

from .mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
    set_multithreading_enabled as set_multithreading_enabled,
)

# The engine needs the ops, and the ops need this package's nodes: so these are bound on first use.
_WHERE = {"backward": "engine", "grad": "engine", "Function": "function", "InplaceFunction": "function",
          "NestedIOFunction": "function", "gradcheck": "gradcheck", "gradgradcheck": "gradcheck",
          "detect_anomaly": "anomaly", "set_detect_anomaly": "anomaly", "is_anomaly_enabled": "anomaly",
          "is_anomaly_check_nan_enabled": "anomaly",
          "Variable": "variable"}
_MODULES = {"anomaly", "engine", "forward_ad", "function", "functional", "grad_mode", "graph", "profiler", "variable"}


def __getattr__(name):
    if name in _WHERE:
        value = getattr(_importlib.import_module("." + _WHERE[name], __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return _importlib.import_module("." + name, __name__)
    raise AttributeError(f"module 'torch.autograd' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_WHERE, *_MODULES})
