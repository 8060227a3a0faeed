"""`torch._inductor` under the hook: PyTorch's code generator, of which programs set options."""
from __future__ import annotations

from kobai.compat.torch_inductor import config

__all__ = ["config", "list_mode_options", "list_options"]


def list_mode_options(mode=None, dynamic=None):
    """The options of each mode of `torch.compile`: none has any here."""
    modes = dict.fromkeys(("default", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune"))
    return {} if mode else {m: {} for m in modes}


def list_options():
    """The options that there are."""
    return sorted(config.save_config())
