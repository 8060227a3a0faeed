"""Between an image and the columns of its sliding windows."""
from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module


class _Windows(Module):
    """Window size, dilation, padding and stride."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
                f"stride={self.stride}")


class Unfold(_Windows):
    """Every window of (N, C, H, W) as a column: (N, C·window, number of windows).

    >>> kobai.nn.Unfold(2)(kobai.arange(9.0).reshape(1, 1, 3, 3))[0, :, 0]
    tensor([0., 1., 3., 4.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Windows):
    """Columns of windows back into an image of `output_size`; where windows overlap, they are added.

    >>> kobai.nn.Fold((2, 2), kernel_size=2)(kobai.arange(4.0).reshape(1, 4, 1))
    tensor([[[[0., 1.],
              [2., 3.]]]])
    """

    def __init__(self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
                 stride: Any = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, " + super().extra_repr()
