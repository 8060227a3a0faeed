"""Paths that are private in PyTorch but that programs import from all the same."""

from kobai.utils.data._utils import collate, pin_memory, worker

__all__ = ["collate", "pin_memory", "worker"]
