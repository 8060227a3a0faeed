"""torch.cuda's names: this version of kobai computes on the CPU, so there is no device."""
from __future__ import annotations

from .devices import check

default_generators: tuple = ()


def is_available():
    """False: programs that ask choose the CPU."""
    return False


def is_initialized():
    """False."""
    return False


def is_bf16_supported(including_emulation=True):
    """False."""
    return False


def device_count():
    """0."""
    return 0


def manual_seed(seed):
    """Nothing to seed; `torch.manual_seed` seeds the CPU's numbers."""


def manual_seed_all(seed):
    """Nothing to seed."""


def seed_all():
    """Nothing to seed."""


def empty_cache():
    """Nothing to free."""


def synchronize(device=None):
    """Nothing to wait for."""


def memory_allocated(device=None):
    """0 bytes."""
    return 0


def max_memory_allocated(device=None):
    """0 bytes."""
    return 0


def memory_reserved(device=None):
    """0 bytes."""
    return 0


def reset_peak_memory_stats(device=None):
    """Nothing to reset."""


def current_device():
    """Raises: there is none."""
    return check("cuda")


def get_device_name(device=None):
    """Raises: there is none."""
    return check("cuda")


def get_device_properties(device=None):
    """Raises: there is none."""
    return check("cuda")


def set_device(device):
    """Raises: there is none."""
    return check("cuda")
