"""A module on several devices or processes, where there is one."""
from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Any

from .. import distributed
from ..diagnose import error
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


class DistributedDataParallel(DataParallel):
    """Calls its module; in a group of one process there are no gradients of others to add.

    Raises ValueError without a process group, see `torch.distributed.init_process_group`.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
                 broadcast_buffers: bool = True, **settings: Any) -> None:
        distributed.get_rank()
        if not any(p.requires_grad for p in module.parameters()):
            raise error("not-possible",
                        RuntimeError("DistributedDataParallel is not needed when a module doesn't have any "
                                     "parameters that require a gradient."),
                        name=type(module),
                        why="no parameter of {name} requires a gradient, so there are no gradients to add up.",
                        fix="use the module itself, or give parameters requires_grad_(True) before.")
        super().__init__(module, device_ids, output_device, dim)
        self.require_backward_grad_sync = True

    @contextmanager
    def no_sync(self):
        """For gradients that are to stay in this process."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before


# PyTorch's modules, of one class each, at their second address.
sys.modules.update({f"{__name__}.{name}": sys.modules[__name__] for name in ("data_parallel", "distributed")})
