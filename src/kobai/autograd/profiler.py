"""torch.autograd.profiler: the older address of torch.profiler."""
from __future__ import annotations

from .. import profiler as _new
from ..profiler import EventList as EventList, FunctionEvent as FunctionEvent, record_function as record_function

__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]


class profile(_new.profile):
    """Times what runs inside, if `enabled`.

    >>> import kobai
    >>> with kobai.autograd.profiler.profile() as prof:
    ...     y = kobai.ones(2).sum()
    >>> [e.key for e in prof.key_averages()]
    ['aten::sum']
    """

    def __init__(self, enabled=True, *, use_cuda=False, use_device=None, record_shapes=False, with_flops=False,
                 profile_memory=False, with_stack=False, with_modules=False, use_kineto=False, use_cpu=True, **others):
        action = _new.ProfilerAction.RECORD if enabled else _new.ProfilerAction.NONE
        super().__init__(schedule=lambda step: action)

    def __str__(self):
        return str(self.events())


class emit_nvtx:
    """Accepted: there is no NVIDIA tool to tell."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None


emit_itt = emit_nvtx
