"""Batches on their way from a worker process to the loader.

An object is pickled by protocol 5, which leaves the contents of arrays out of the stream. A
small message goes through the pipe as it is. The parts of a large one are written to memory
that both processes have mapped, and the main process makes its arrays right there, without a
copy. When the last of these arrays is gone, the worker is told that it may use the memory
again, so that a loop over batches soon needs no new memory at all. A program that keeps many
batches gets the further ones through the pipe.

The shared memory has no name (Linux ``memfd``), so that nothing is left to clean up, however
the processes end. Other systems use the pipe alone.
"""

import io
import mmap
import os
import pickle
import weakref
from multiprocessing import reduction

import numpy as np

from kobai.diagnose import error
from kobai.tensor import Tensor, wrap

__all__ = ["CAN_SHARE", "Receiver", "Sender", "pack", "unpack"]

CAN_SHARE = hasattr(os, "memfd_create") and reduction.HAVE_SEND_HANDLE
SHARE_FROM = 32 * 1024      # bytes; below, the pipe is as fast
SEGMENTS = 16               # pieces of shared memory for each worker, at most
ALIGNMENT = 64              # arrays start on a cache line


class BatchPickler(pickle.Pickler):
    """Pickles tensors as their arrays, so that their contents stay out of the stream."""

    def reducer_override(self, value):
        if type(value) is not Tensor:
            return NotImplemented
        if value.grad_fn is not None:
            raise error("not-possible",
                        RuntimeError("Cowardly refusing to serialize non-leaf tensor which requires_grad"),
                        why="a worker process cannot send the graph of a tensor to the main process.",
                        fix="return tensor.detach() from the dataset, or load with num_workers=0.")
        if value.device.type != "cpu":
            return NotImplemented
        return _rebuild, (value._array(), value.requires_grad)


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


class Sender:
    """The worker's end: sends messages, and owns the shared memory they are in."""

    def __init__(self, connection) -> None:
        self.connection = connection
        self.segments = []          # mmap objects
        self.free = set()           # which of them nobody reads any more

    def send(self, tag, parts: list) -> None:
        """Send `parts` and a small `tag`."""
        sizes = [part.nbytes for part in parts]
        total = _offsets(sizes)[-1]
        segment, is_new = self._segment(total) if total >= SHARE_FROM else (None, False)
        if segment is not None:
            view = memoryview(self.segments[segment])
            for part, offset in zip(parts, _offsets(sizes)):
                view[offset:offset + part.nbytes] = part
        self.connection.send((tag, sizes, segment, is_new))
        if is_new:
            reduction.send_handle(self.connection, self._descriptor, None)
            os.close(self._descriptor)
        if segment is None:
            for part in filter(len, parts):
                self.connection.send_bytes(part)

    def release(self, segments) -> None:
        """Take back memory that the main process has done with."""
        self.free.update(segments)

    def _segment(self, size: int) -> tuple:
        """A free segment of at least `size` bytes, and whether the other side must map it first."""
        for segment in self.free:
            if len(self.segments[segment]) >= size:
                self.free.remove(segment)
                return segment, False
        if not CAN_SHARE or (len(self.segments) == SEGMENTS and not self.free):
            return None, False
        try:
            self._descriptor, memory = _new_memory(size)
        except OSError:                 # forbidden here, or no more descriptors: then by the pipe
            return None, False
        if self.free:                   # all too small
            segment = self.free.pop()
            self.segments[segment] = memory
        else:
            segment = len(self.segments)
            self.segments.append(memory)
        return segment, True


class Receiver:
    """The main process's end: receives messages, and notices when their memory is free again."""

    def __init__(self, connection) -> None:
        self.connection = connection
        self.segments = {}
        self.unused = []                # segments whose arrays are all gone

    def receive(self) -> tuple:
        """``(tag, parts)`` of the next message. The parts are memory that may be written."""
        tag, sizes, segment, is_new = self.connection.recv()
        if is_new:
            self._map(segment)
        offsets = _offsets(sizes)
        if segment is None:
            block = _aligned_block(offsets[-1])
        else:
            block = np.frombuffer(self.segments[segment], np.uint8)
            # Every array that is made in it refers to this very object.
            weakref.finalize(block, self.unused.append, segment).atexit = False
        view = block.data
        parts = [view[offset:offset + size] for offset, size in zip(offsets, sizes)]
        if segment is None:
            for part in filter(len, parts):
                self.connection.recv_bytes_into(part)
        return tag, parts

    def take_unused(self) -> list:
        """Segments to tell the worker to take back."""
        taken = self.unused[:]
        del self.unused[:len(taken)]    # arrays may die at any time, in any thread
        return taken

    def _map(self, segment: int) -> None:
        descriptor = reduction.recv_handle(self.connection)
        self.segments[segment] = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        os.close(descriptor)


def _new_memory(size: int) -> tuple:
    """A descriptor of anonymous memory of at least `size` bytes, and the memory."""
    descriptor = os.memfd_create("kobai-batches")
    try:
        capacity = 1 << (size - 1).bit_length()     # no memory is used before it is written
        os.truncate(descriptor, capacity)
        return descriptor, mmap.mmap(descriptor, capacity)
    except OSError:
        os.close(descriptor)
        raise


def _aligned_block(size: int) -> np.ndarray:
    room = np.empty(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start:start + size]


def _offsets(sizes: list) -> list:
    """Where each part starts in one block, and the length of the block."""
    offsets = [0]
    for size in sizes:
        offsets.append(-(-(offsets[-1] + size) // ALIGNMENT) * ALIGNMENT)
    return offsets
