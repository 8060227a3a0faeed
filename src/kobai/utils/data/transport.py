"""Batches on their way from a worker process to the loader.

An object is pickled by protocol 5, which leaves the contents of arrays out of the stream. A
small message goes through the pipe as it is. A large one is written to an anonymous file in
memory (Linux ``memfd``) of which only the descriptor travels: that is twice as fast, never
fills the pipe, has no name to clean up, and is gone with the processes, however they end.
"""

import io
import os
import pickle
from multiprocessing import reduction

import numpy as np

from kobai.tensor import Tensor, wrap

__all__ = ["CAN_SHARE", "pack", "read", "unpack", "write"]

CAN_SHARE = hasattr(os, "memfd_create") and reduction.HAVE_SEND_HANDLE
SHARE_FROM = 64 * 1024      # bytes; below, the pipe is faster (measured: even at 100 KB)
ALIGNMENT = 64              # arrays start on a cache line


class BatchPickler(pickle.Pickler):
    """Pickles tensors as their arrays, so that their contents stay out of the stream."""

    def reducer_override(self, value):
        if type(value) is not Tensor:
            return NotImplemented
        if value.grad_fn is not None:
            raise RuntimeError(
                "Cowardly refusing to serialize non-leaf tensor which requires_grad\n"
                "A worker process cannot send a graph to the main process. Return "
                "tensor.detach() from the dataset, or load with num_workers=0.")
        if value.device.type != "cpu":
            return NotImplemented
        return _rebuild, (value.detach().numpy(), value.requires_grad)


def _rebuild(array, requires_grad):
    tensor = wrap(np.asarray(array))
    return tensor.requires_grad_() if requires_grad else tensor


def pack(value) -> list:
    """The pickle stream of `value`, followed by the contents of its arrays."""
    buffers = []
    stream = io.BytesIO()
    BatchPickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    return [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]


def unpack(parts: list):
    """The object whose `pack` gave `parts`."""
    return pickle.loads(parts[0], buffers=parts[1:])


def write(connection, tag, parts: list) -> None:
    """Send `parts` and a small `tag` before them."""
    sizes = [part.nbytes for part in parts]
    shared = CAN_SHARE and sum(sizes) >= SHARE_FROM
    connection.send((tag, sizes, shared))
    if shared:
        _write_shared(connection, parts, _offsets(sizes))
    else:
        for part in filter(len, parts):
            connection.send_bytes(part)


def read(connection) -> tuple:
    """What the other side wrote: ``(tag, parts)``. The parts are writable memory."""
    tag, sizes, shared = connection.recv()
    offsets = _offsets(sizes)
    block = _aligned_block(offsets[-1])
    parts = [block[start:start + size] for start, size in zip(offsets, sizes)]
    if shared:
        _read_shared(connection, block)
    else:
        for part in filter(len, parts):
            connection.recv_bytes_into(part)
    return tag, parts


def _aligned_block(size: int) -> memoryview:
    room = np.empty(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return memoryview(room)[start:start + size]


def _offsets(sizes: list) -> list:
    """Where each part starts in one block, and the length of the block."""
    offsets = [0]
    for size in sizes:
        offsets.append(-(-(offsets[-1] + size) // ALIGNMENT) * ALIGNMENT)
    return offsets


def _write_shared(connection, parts: list, offsets: list) -> None:
    descriptor = os.memfd_create("batch")
    try:
        os.truncate(descriptor, offsets[-1])
        for part, offset in zip(parts, offsets):
            while len(part):        # one call writes at most 2 GB
                written = os.pwrite(descriptor, part, offset)
                part, offset = part[written:], offset + written
        reduction.send_handle(connection, descriptor, None)
    finally:
        os.close(descriptor)


def _read_shared(connection, block) -> None:
    # Copied out rather than mapped: a mapping keeps a descriptor open for as long as the batch
    # lives, and a program that keeps a thousand batches would run out of them.
    descriptor = reduction.recv_handle(connection)
    try:
        while len(block):
            block = block[os.readv(descriptor, [block]):]
    finally:
        os.close(descriptor)
