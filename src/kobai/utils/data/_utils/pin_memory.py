"""PyTorch's path of `kobai.utils.data.pin`."""

from kobai.utils.data.pin import pin_memory

__all__ = ["pin_memory"]
