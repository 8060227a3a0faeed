"""torch.distributed as in a PyTorch built without it: a program that asks is told that it is alone.

>>> kobai.distributed.is_available()
False
"""
from __future__ import annotations

__all__ = ["is_available", "is_initialized"]


def is_available():
    """Whether processes can train together: no."""
    return False


def is_initialized():
    """Whether this process belongs to a group: no."""
    return False
