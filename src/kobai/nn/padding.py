"""Padding at both ends of the last dimensions."""
from __future__ import annotations

from typing import Any

from ..diagnose import error
from ..tensor import Tensor
from . import functional as F
from .conv import per_dim
from .module import Module


class _PadNd(Module):
    """`padding` is a number, or (before, after) for each dimension, the last dimension first."""

    _n: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = per_dim(padding, 2 * self._n)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_PadNd):
    """Padding with one value."""

    _mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """`value` around the last dimension.

    >>> kobai.nn.ConstantPad1d((2, 1), 3.5)(kobai.tensor([[1.0, 2.0]]))
    tensor([[3.5000, 3.5000, 1.0000, 2.0000, 3.5000]])
    """

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """`value` around the last two dimensions."""

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """`value` around the last three dimensions."""

    _n = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd):
    """Zeros around the last dimension.

    >>> kobai.nn.ZeroPad1d(1)(kobai.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0.]])
    """

    _n = 1


class ZeroPad2d(_ZeroPadNd):
    """Zeros around the last two dimensions."""

    _n = 2


class ZeroPad3d(_ZeroPadNd):
    """Zeros around the last three dimensions."""

    _n = 3


class ReflectionPad1d(_PadNd):
    """The mirror image, without the edge itself.

    >>> kobai.nn.ReflectionPad1d(2)(kobai.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    _n, _mode = 1, "reflect"


class ReflectionPad2d(_PadNd):
    """The mirror image around the last two dimensions."""

    _n, _mode = 2, "reflect"


class ReflectionPad3d(_PadNd):
    """The mirror image around the last three dimensions."""

    _n, _mode = 3, "reflect"


class ReplicationPad1d(_PadNd):
    """The value at the edge, repeated.

    >>> kobai.nn.ReplicationPad1d(2)(kobai.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3., 3.]])
    """

    _n, _mode = 1, "replicate"


class ReplicationPad2d(_PadNd):
    """The values at the edges of the last two dimensions, repeated."""

    _n, _mode = 2, "replicate"


class ReplicationPad3d(_PadNd):
    """The values at the edges of the last three dimensions, repeated."""

    _n, _mode = 3, "replicate"


class _CircularPadNd(_PadNd):
    """The values of the other end."""

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self._n + 1, self._n + 2):
            raise error("tensor-dims",
                        ValueError(f"expected {self._n + 1}D or {self._n + 2}D input (got {input.ndim}D input)"),
                        what="input", shape=input.shape, need="{n} or {m}", n=self._n + 1, m=self._n + 2, k=self._n,
                        fix="its dimensions are batch (may be left out), channels, then {k} of the picture or signal.")
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The values of the other end, as if the signal went on periodically.

    >>> kobai.nn.CircularPad1d(1)(kobai.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    _n = 1


class CircularPad2d(_CircularPadNd):
    """As `CircularPad1d`, for images."""

    _n = 2


class CircularPad3d(_CircularPadNd):
    """As `CircularPad1d`, for volumes."""

    _n = 3
