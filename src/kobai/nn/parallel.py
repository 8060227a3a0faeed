"""A module on several devices, where there is one."""
from __future__ import annotations

from typing import Any

from .module import Module


class DataParallel(Module):
    """Calls its module; on a machine with one device that is all there is to do.

    Checkpoints have names beginning with "module.", as PyTorch's.

    >>> list(kobai.nn.DataParallel(kobai.nn.Linear(1, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None,
                 dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids = list(device_ids) if device_ids is not None else []
        self.output_device = output_device
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
