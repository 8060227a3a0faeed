"""What libraries call of `torch._C`, PyTorch's own compiled module, though it is private: nothing is compiled here."""
from __future__ import annotations

from kobai import Generator as Generator, device as device, dtype as dtype
from kobai.linalg import LinAlgError as _LinAlgError  # noqa: F401  (its name in tracebacks and pickles)


def _log_api_usage_once(event):
    """PyTorch counts which of its parts are used; kobai does not."""


def _get_tracing_state():
    """The state of TorchScript's tracer: there is none."""
    return None


def __getattr__(name):
    """What is rarely asked for."""
    if name in ("DisableTorchFunctionSubclass", "DisableTorchFunction"):
        from kobai.subclasses import DisableTorchFunctionSubclass  # noqa: PLC0415
        return DisableTorchFunctionSubclass
    if name == "_disabled_torch_function_impl":
        from kobai.subclasses import disabled  # noqa: PLC0415
        return classmethod(disabled)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
