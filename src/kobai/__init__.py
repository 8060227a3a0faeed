"""kobai: automatic differentiation and deep learning that shows what it does, under PyTorch's names."""
from __future__ import annotations

import importlib as _importlib
import warnings as _warnings

# What is not a number stays NaN and what is too large becomes inf, as in PyTorch: NumPy's warnings about
# it are kept for the user's own NumPy code.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"kobai\.|<kobai")

from . import ops as _ops  # (fills the public namespaces)
from .autograd import engine as _engine
from .autograd.mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from .devices import device as device
from .dtypes import (
    NAMES as _DTYPES,
    dtype as dtype,
    get_default_dtype as get_default_dtype,
    promote_types as promote_types,
    set_default_dtype as set_default_dtype,
)
from .later import find as _find, waiting as _waiting
from .printing import set_printoptions as set_printoptions
from .public import names as _names
from .tensor import Size as Size, Tensor as Tensor

__version__ = "0.1.0"

globals().update(_names["torch"])
globals().update({name: d for name, d in _DTYPES.items() if d is not None})

# Imported when first used: `import kobai` stays fast.
_MODULES = {"accelerator", "amp", "autograd", "backends", "compat", "compile", "compiler", "cpu", "cuda",
            "diagnose", "distributed", "distributions", "fft", "func", "futures", "fx", "hub", "jit", "linalg", "masked",
            "multiprocessing", "nn", "optim", "overrides", "profiler", "return_types", "signal", "sparse", "special", "storage",
            "testing", "types", "utils", "viewer", "version"}
_ELSEWHERE = {"get_num_threads": "backends.threads", "set_num_threads": "backends.threads",
              **dict.fromkeys(("use_deterministic_algorithms", "are_deterministic_algorithms_enabled",
                               "is_deterministic_algorithms_warn_only_enabled", "set_float32_matmul_precision",
                               "get_float32_matmul_precision", "set_deterministic_debug_mode",
                               "get_deterministic_debug_mode", "set_num_interop_threads", "get_num_interop_threads",
                               "set_warn_always", "is_warn_always_enabled", "set_flush_denormal"), "settings"),
              "cond": "control", "while_loop": "control",
              **dict.fromkeys(("is_anomaly_enabled", "is_anomaly_check_nan_enabled", "set_anomaly_enabled"),
                              "autograd.anomaly"),
              "vmap": "func", "draw": "viewer", "make_dot": "viewer", "view": "viewer.view", "save": "serialization",
              "load": "serialization", "load_ipython_extension": "compat.notebook",
              "unload_ipython_extension": "compat.notebook", "autocast": "amp",
              **dict.fromkeys(("is_autocast_enabled", "set_autocast_enabled", "get_autocast_dtype", "set_autocast_dtype",
                               "is_autocast_cache_enabled", "set_autocast_cache_enabled", "clear_autocast_cache",
                               "autocast_increment_nesting", "autocast_decrement_nesting", "is_autocast_cpu_enabled",
                               "set_autocast_cpu_enabled", "get_autocast_cpu_dtype", "set_autocast_cpu_dtype",
                               "get_autocast_gpu_dtype", "set_autocast_gpu_dtype"), "amp.autocast_mode"),
              "GradScaler": "amp", "hessian": "func", "explain": "diagnose.explain",
              "why_no_grad": "diagnose.no_grad", "why_nan": "diagnose.nan",
              "who_holds_graph": "diagnose.holders", "coach": "diagnose.coach"}


def __getattr__(name):
    try:
        if name in _MODULES:
            return _importlib.import_module("." + name, __name__)
        if name in _ELSEWHERE:
            value = getattr(_importlib.import_module("." + _ELSEWHERE[name], __name__), name)
            globals()[name] = value
            return value
        if name in _waiting("torch"):
            value = globals()[name] = _find(_names, "torch", name)
            return value
    except ModuleNotFoundError as e:
        if not (e.name or "").startswith(__name__):
            raise
    from .compat.missing import missing_attribute  # noqa: PLC0415  (only when a name is missing)
    raise missing_attribute(__name__, name, __dir__())


def __dir__():
    return sorted({*globals(), *_MODULES, *_ELSEWHERE, *_waiting("torch")})


# `from kobai import *` brings functions and types, and no submodules.
__all__ = [n for n in (*globals(), *_waiting("torch"))
           if not (n.startswith("_") or isinstance(globals().get(n), type(_importlib)))]
