"""Memory formats: arrays here have one layout, so these functions change nothing."""
from __future__ import annotations

from typing import Any

from ..module import Module


def convert_conv2d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """The module itself: memory formats are an instruction to PyTorch's kernels."""
    return module


def convert_conv3d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """The module itself: memory formats are an instruction to PyTorch's kernels."""
    return module
