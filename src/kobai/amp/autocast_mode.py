"""autocast: inside it, products are computed in a shorter dtype and what needs care in float32."""
from __future__ import annotations

import functools
import warnings

from .. import devices, dtypes
from ..diagnose import error
from ..pytree import tree_map
from ..tensor import Tensor
from .policy import install, state

_UNSUPPORTED = ("In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.")
_NO_GPU = "CUDA is not available or torch_xla is imported. Disabling autocast."


class autocast:
    """Context manager and decorator: products in `dtype`, losses and the like in float32, the rest as it comes.

    Which function does what is PyTorch's choice for the CPU, see policy.py. Weights stay float32 and so do their
    gradients. For "cuda" without a GPU it warns and does nothing, as PyTorch does.

    Args: `device_type`, "cpu"; `dtype`, bfloat16 or float16 (default: `get_autocast_dtype`); `enabled=False` turns
    an autocast around it off; `cache_enabled`, whether a weight is cast once and kept until the outermost ends.

    >>> w = kobai.ones(2, 2, requires_grad=True)
    >>> with kobai.autocast("cpu"):
    ...     y = w @ w
    >>> y.sum().backward(); y.dtype, w.grad.dtype
    (torch.bfloat16, torch.float32)
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise error("argument-type",
                        ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`"),
                        what="device_type", kind=type(device_type), must="a text",
                        fix="write torch.autocast('cpu', dtype=torch.bfloat16).")
        kind = devices.device(device_type).type
        if not is_autocast_available(kind):
            raise error("argument-choice",
                        RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'"),
                        what="device_type", value=device_type, choices=["cpu", "cuda"])
        if kind == "cuda" and enabled:
            warnings.warn(_NO_GPU, stacklevel=2)
            enabled = False
        self.device, self.fast_dtype = device_type, get_autocast_dtype(kind) if dtype is None else dtype
        if kind == "cpu" and enabled and self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            warnings.warn(_UNSUPPORTED, stacklevel=2)
            enabled = False
        self._enabled = bool(enabled)
        self._cache_enabled = state.caching if cache_enabled is None else cache_enabled
        self._before = []

    def __enter__(self):
        kind = devices.device(self.device).type
        self._before.append((state.enabled, kind, state.dtype.get(kind), state.caching))
        autocast_increment_nesting()
        set_autocast_dtype(kind, self.fast_dtype)
        state.caching = self._cache_enabled
        if kind == "cpu":  # last, and first in __exit__: an interrupt meanwhile leaves nothing on
            set_autocast_enabled("cpu", self._enabled)
        return self

    def __exit__(self, *exc):
        state.enabled, kind, state.dtype[kind], state.caching = self._before.pop()
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self:
                return function(*args, **kwargs)
        return inside


def is_autocast_available(device_type):
    """Whether `autocast` knows the device type.

    >>> kobai.amp.is_autocast_available("cpu")
    True
    """
    return devices.device(device_type).type in ("cpu", "cuda")


# ---- what it does now, in this thread -----------------------------------------------------------
def is_autocast_enabled(device_type="cuda"):
    """Whether autocast is on for a device type; without one, PyTorch asks about "cuda"."""
    return state.enabled if device_type == "cpu" else False


def set_autocast_enabled(device_type, enabled=None):
    """Turn autocast on or off for a device type, "cuda" if only the bool is given."""
    if enabled is None or device_type != "cpu":
        return
    if enabled:
        install()
    state.enabled = bool(enabled)


def get_autocast_dtype(device_type):
    """The dtype that `autocast` takes unless told otherwise: bfloat16 on the CPU.

    >>> kobai.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return state.dtype[device_type]


def set_autocast_dtype(device_type, dtype):
    """The dtype that `autocast` takes unless told otherwise."""
    state.dtype[device_type] = dtype


def is_autocast_cache_enabled():
    """Whether weights that were cast are kept until the outermost autocast ends."""
    return state.caching


def set_autocast_cache_enabled(enabled):
    """Keep weights that were cast, or cast them at each use."""
    state.caching = bool(enabled)


def clear_autocast_cache():
    """Forget the weights that were cast."""
    state.cast.clear()


def autocast_increment_nesting():
    """One autocast more; the number there are now."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting():
    """One autocast less; the number left."""
    state.nesting -= 1
    return state.nesting


def _of_device(kind, word):
    """The older names with the device type in them: `is_autocast_cpu_enabled` and so on."""
    of = {f"is_autocast_{word}_enabled": lambda: is_autocast_enabled(kind),
          f"set_autocast_{word}_enabled": lambda enabled: set_autocast_enabled(kind, enabled),
          f"get_autocast_{word}_dtype": lambda: get_autocast_dtype(kind),
          f"set_autocast_{word}_dtype": lambda dtype: set_autocast_dtype(kind, dtype)}
    for name, fn in of.items():
        fn.__name__ = fn.__qualname__ = name
        fn.__doc__ = f"`{name.replace(f'_{word}_', '_')}` for the device type {kind!r}."
    return of


globals().update(_of_device("cpu", "cpu"))
globals().update({k: f for k, f in _of_device("cuda", "gpu").items() if k.endswith("dtype")})


# ---- Functions under autocast --------------------------------------------------------------------
def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """For `forward` of an autograd.Function: runs without autocast on inputs cast to `cast_inputs`, if that is given.

    `custom_bwd` then lets `backward` run as `forward` did.
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(ctx, *args, **kwargs):
        ctx._dtype = get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = is_autocast_enabled(device_type)
        if cast_inputs is None or not ctx._fwd_used_autocast:
            return fwd(ctx, *args, **kwargs)
        ctx._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            args, kwargs = tree_map(lambda v: _cast(v, cast_inputs), (args, kwargs))
            return fwd(ctx, *args, **kwargs)
    return decorated


def custom_bwd(bwd=None, *, device_type):
    """For `backward` of an autograd.Function whose `forward` has `custom_fwd`: the same autocast as there."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(ctx, *args, **kwargs):
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args, **kwargs)
    return decorated


def _cast(v, dtype):
    castable = isinstance(v, Tensor) and v.dtype.is_floating_point and v.dtype is not dtypes.float64
    return v.to(dtype) if castable else v
