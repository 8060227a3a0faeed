"""`torch.cuda` as PyTorch without CUDA has it: nothing is available, seeding does nothing, the rest refuses.

So programs that choose their device with `"cuda" if torch.cuda.is_available() else "cpu"`, seed every device
or print how much memory is in use run unmodified.

>>> kobai.cuda.is_available(), kobai.cuda.device_count(), kobai.cuda.memory_allocated()
(False, 0, 0)
"""
from __future__ import annotations

from ..devices import device as _device, no_cuda as _no_cuda
from . import amp as amp

__all__ = ["amp", "can_device_access_peer", "current_device", "current_stream", "default_stream", "device",
           "device_count", "empty_cache", "get_arch_list", "get_device_capability", "get_device_name",
           "get_device_properties", "get_rng_state", "get_rng_state_all", "init", "initial_seed", "ipc_collect",
           "is_available", "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all",
           "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved", "seed",
           "seed_all", "set_device", "set_rng_state", "set_rng_state_all", "synchronize"]


# ---- what can be answered --------------------------------------------------------------------
def is_available():
    """Whether there is a GPU to compute on: False."""
    return False


def device_count():
    """How many GPUs there are: 0."""
    return 0


def is_initialized():
    """Whether CUDA has been used: False."""
    return False


def is_bf16_supported(including_emulation=True):
    """Whether the GPU computes in bfloat16: False."""
    return False


def get_arch_list():
    """Architectures that kernels were compiled for: none."""
    return []


def memory_allocated(device=None):
    """Bytes of GPU memory in use: 0."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


# ---- what does nothing -----------------------------------------------------------------------
def manual_seed(seed):
    """Seed the current GPU; without one nothing happens, as in PyTorch."""
    int(seed)


def manual_seed_all(seed):
    """Seed all GPUs, of which there are none."""
    int(seed)


def seed():
    """Seed the current GPU from the operating system; without one nothing happens."""


def seed_all():
    """Seed all GPUs, of which there are none."""


def empty_cache():
    """Give cached GPU memory back, of which there is none."""


def get_rng_state_all():
    """The states of all GPUs' generators: none."""
    return []


def set_rng_state_all(new_states):
    """Set the states of all GPUs' generators, of which there are none."""
    for state in new_states:
        set_rng_state(state)


# ---- what needs a GPU ------------------------------------------------------------------------
def _needs_gpu(name, summary):
    def refuse(*args, **kwargs):
        raise _no_cuda()
    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"{summary} Raises AssertionError: there is no GPU."
    return refuse


init = _needs_gpu("init", "Start CUDA.")
current_device = _needs_gpu("current_device", "The number of the current GPU.")
set_device = _needs_gpu("set_device", "Make a GPU the current one.")
get_device_name = _needs_gpu("get_device_name", "The name of a GPU.")
get_device_capability = _needs_gpu("get_device_capability", "The compute capability of a GPU.")
get_device_properties = _needs_gpu("get_device_properties", "Memory, processors and more of a GPU.")
can_device_access_peer = _needs_gpu("can_device_access_peer", "Whether one GPU reads another's memory.")
synchronize = _needs_gpu("synchronize", "Wait for the GPU.")
ipc_collect = _needs_gpu("ipc_collect", "Free memory that other processes gave back.")
mem_get_info = _needs_gpu("mem_get_info", "Free and total memory of a GPU.")
current_stream = _needs_gpu("current_stream", "The stream in use.")
default_stream = _needs_gpu("default_stream", "The default stream.")
get_rng_state = _needs_gpu("get_rng_state", "The state of a GPU's generator.")
set_rng_state = _needs_gpu("set_rng_state", "Set the state of a GPU's generator.")
initial_seed = _needs_gpu("initial_seed", "The seed of a GPU's generator.")


class device:
    """Context manager in which a GPU is the current one; a negative number or None changes nothing.

    >>> with kobai.cuda.device(-1):
    ...     pass
    """

    def __init__(self, device):
        if isinstance(device, str):
            device = _device(device)
        index = device.index if isinstance(device, _device) else device
        self.index = -1 if index is None else index

    def __enter__(self):
        if self.index >= 0:
            raise _no_cuda()

    def __exit__(self, *exc):
        return False
