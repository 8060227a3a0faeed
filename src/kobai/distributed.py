"""torch.distributed for a group of one process: programs that can train on many machines run on this one.

    init_process_group("gloo"); model = DistributedDataParallel(model)      # as on a cluster, alone

With a single member each collective is a copy, or nothing. More members are refused.
"""
from __future__ import annotations

import os
from enum import Enum

from .diagnose import error

__all__ = ["ReduceOp", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "barrier", "broadcast",
           "broadcast_object_list", "destroy_process_group", "gather", "get_backend", "get_rank", "get_world_size",
           "init_process_group", "is_available", "is_gloo_available", "is_initialized", "is_mpi_available",
           "is_nccl_available", "is_torchelastic_launched", "new_group", "reduce", "reduce_scatter_tensor", "scatter"]

_group = []     # the backend that was named, once there is a group

_MISSING = "Default process group has not been initialized, please make sure to call init_process_group."


class ReduceOp(Enum):
    """How values of several processes become one: of a single value all are the value."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


class _Work:
    """What `async_op=True` gives: done already."""

    def wait(self, timeout=None):
        return True

    def is_completed(self):
        return True


def is_available():
    """Whether there are process groups: those of one process.

    >>> kobai.distributed.is_available()
    True
    """
    return True


def is_initialized():
    """Whether `init_process_group` has been called."""
    return bool(_group)


def is_torchelastic_launched():
    """Whether `torchrun` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_nccl_available():
    """Whether there is NCCL: no."""
    return False


is_mpi_available = is_nccl_available
is_gloo_available = is_available


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None, group_name="",
                       pg_options=None, device_id=None):
    """Make the group, of this process alone.

    Args: `world_size`, which must come out as 1 (default: WORLD_SIZE of the environment, or 1).
    Raises RuntimeError if it does not; ValueError if there is a group already.
    """
    if _group:
        raise error("call-order", ValueError("trying to initialize the default process group twice!"),
                    why="there is a process group already.",
                    fix="call init_process_group once, or destroy_process_group() before.")
    size = world_size if world_size > 0 else int(os.environ.get("WORLD_SIZE", 1))
    if size != 1:
        raise error("machine", RuntimeError(f"kobai trains in one process, and the group is to have {size}"),
                    why="the group is to have {size} processes, and kobai trains in one.", size=size,
                    fix="start the program once, without torchrun, or with WORLD_SIZE=1.")
    _group.append(backend or "gloo")


def destroy_process_group(group=None):
    """Forget the group."""
    _of_group()
    _group.clear()


def _of_group():
    if not _group:
        raise error("call-order", ValueError(_MISSING),
                    why="there is no process group yet.", fix="call torch.distributed.init_process_group() first.")


def get_backend(group=None):
    """The name that `init_process_group` was given."""
    _of_group()
    return _group[0]


def get_rank(group=None):
    """The number of this process: 0."""
    _of_group()
    return 0


def get_world_size(group=None):
    """The number of processes: 1."""
    _of_group()
    return 1


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False):
    """A group of the same one process."""
    _of_group()
    return "group"


def _done(async_op):
    _of_group()
    return _Work() if async_op else None


def barrier(group=None, async_op=False, device_ids=None):
    """Wait for the others: there are none."""
    return _done(async_op)


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """The result of all processes in `tensor`: it is there."""
    return _done(async_op)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """The result of all processes in the tensor of one: it is there."""
    return _done(async_op)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """The tensor of process `src` in `tensor`: it is there."""
    return _done(async_op)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """The objects of process `src` in the list: they are there."""
    _of_group()


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """The tensors of all processes in a list of one."""
    tensor_list[0].copy_(tensor)
    return _done(async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """The tensors of all processes one after the other."""
    output_tensor.copy_(input_tensor.reshape(output_tensor.shape))
    return _done(async_op)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """This process's part of the result: all of it."""
    return all_gather_into_tensor(output, input, group, async_op)


def all_gather_object(object_list, obj, group=None):
    """The objects of all processes in a list of one."""
    _of_group()
    object_list[0] = obj


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """The tensors of all processes in the list of one of them."""
    if gather_list:
        gather_list[0].copy_(tensor)
    return _done(async_op)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """From the list of one process a tensor for each."""
    if scatter_list:
        tensor.copy_(scatter_list[0])
    return _done(async_op)
