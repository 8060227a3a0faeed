"""Pinned memory: batches that a GPU can read without a copy by the processor."""

import collections.abc

import kobai

__all__ = ["pin_memory"]


def pin_memory(data, device=None):
    """`data` with every tensor in it (or object that has ``pin_memory()``) pinned.

    >>> pin_memory({"name": "a", "sizes": (1, 2)})
    {'name': 'a', 'sizes': (1, 2)}
    """
    if isinstance(data, kobai.Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, collections.abc.Mapping):
        pinned = {key: pin_memory(value) for key, value in data.items()}
        return pinned if type(data) is dict else type(data)(pinned)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(pin_memory, data))
    if isinstance(data, (list, tuple)):
        return type(data)(map(pin_memory, data))
    return data
