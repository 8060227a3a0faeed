"""Pooling: each output is the largest, the mean or a norm of a window of the input."""
from __future__ import annotations

from typing import Any

from ..diagnose import error
from ..tensor import Tensor
from . import functional as F
from .conv import per_dim
from .module import Module


# ------------------------------------------------------------------- largest
class _MaxPoolNd(Module):
    """Window, stride (the window's size if not given), padding with −∞, dilation."""

    _function: str

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor):
        return getattr(F, self._function)(
            input, self.kernel_size, self.stride, self.padding, self.dilation,
            ceil_mode=self.ceil_mode, return_indices=self.return_indices)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class MaxPool1d(_MaxPoolNd):
    """The largest value of each window of a signal.

    Shape: (N, C, L) → (N, C, L_out), where
    L_out = ⌊(L + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1 (rounded up with `ceil_mode`).

    >>> kobai.nn.MaxPool1d(2)(kobai.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    _function = "max_pool1d"


class MaxPool2d(_MaxPoolNd):
    """The largest value of each window of an image; with `return_indices` also where it was.

    >>> kobai.nn.MaxPool2d(2)(kobai.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    _function = "max_pool2d"


class MaxPool3d(_MaxPoolNd):
    """The largest value of each window of a volume.

    >>> kobai.nn.MaxPool3d(2)(kobai.ones(1, 1, 4, 4, 4)).shape
    torch.Size([1, 1, 2, 2, 2])
    """

    _function = "max_pool3d"


class _MaxUnpoolNd(Module):
    """Puts pooled values back where they came from, with zeros elsewhere."""

    _n: int
    _function: str

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = per_dim(kernel_size, self._n)
        self.stride = per_dim(kernel_size if stride is None else stride, self._n)
        self.padding = per_dim(padding, self._n)

    def forward(self, input: Tensor, indices: Tensor, output_size: list[int] | None = None) -> Tensor:
        return getattr(F, self._function)(input, indices, self.kernel_size, self.stride, self.padding,
                                          output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Undoes `MaxPool1d(..., return_indices=True)`, as far as that is possible.

    >>> values, places = kobai.nn.MaxPool1d(2, return_indices=True)(kobai.tensor([[[1.0, 3.0, 2.0, 0.0]]]))
    >>> kobai.nn.MaxUnpool1d(2)(values, places)
    tensor([[[0., 3., 2., 0.]]])
    """

    _n = 1
    _function = "max_unpool1d"


class MaxUnpool2d(_MaxUnpoolNd):
    """Undoes `MaxPool2d(..., return_indices=True)`, as far as that is possible."""

    _n = 2
    _function = "max_unpool2d"


class MaxUnpool3d(_MaxUnpoolNd):
    """Undoes `MaxPool3d(..., return_indices=True)`, as far as that is possible."""

    _n = 3
    _function = "max_unpool3d"


# ---------------------------------------------------------------------- mean
class _AvgPoolNd(Module):
    """What average pooling shares."""

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window of a signal.

    >>> kobai.nn.AvgPool1d(2)(kobai.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = per_dim(kernel_size, 1)
        self.stride = per_dim(kernel_size if stride is None else stride, 1)
        self.padding = per_dim(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad)


class _AvgPoolManyD(_AvgPoolNd):
    """Two and three dimensions, where the divisor can be chosen."""

    _function: str

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, self._function)(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                                    self.count_include_pad, self.divisor_override)


class AvgPool2d(_AvgPoolManyD):
    """The mean of each window of an image.

    >>> kobai.nn.AvgPool2d(2)(kobai.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    _function = "avg_pool2d"


class AvgPool3d(_AvgPoolManyD):
    """The mean of each window of a volume.

    >>> kobai.nn.AvgPool3d(2)(kobai.ones(1, 1, 4, 4, 4)).shape
    torch.Size([1, 1, 2, 2, 2])
    """

    _function = "avg_pool3d"


# ---------------------------------------------------------------------- norm
class _LPPoolNd(Module):
    """(Σ x^p)^(1/p) over each window."""

    _function: str

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, self._function)(input, float(self.norm_type), self.kernel_size, self.stride,
                                          self.ceil_mode)

    def extra_repr(self) -> str:
        return (f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
                f"ceil_mode={self.ceil_mode}")


class LPPool1d(_LPPoolNd):
    """(Σ x^p)^(1/p) over each window of a signal.

    >>> kobai.nn.LPPool1d(2, 2)(kobai.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    _function = "lp_pool1d"


class LPPool2d(_LPPoolNd):
    """(Σ x^p)^(1/p) over each window of an image."""

    _function = "lp_pool2d"


class LPPool3d(_LPPoolNd):
    """(Σ x^p)^(1/p) over each window of a volume."""

    _function = "lp_pool3d"


# ------------------------------------------------------------------ adaptive
class _AdaptiveMaxPoolNd(Module):
    """The windows are chosen so that the output has `output_size`; None keeps a size."""

    _function: str

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor):
        return getattr(F, self._function)(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest value of each of `output_size` windows.

    >>> kobai.nn.AdaptiveMaxPool1d(2)(kobai.tensor([[1.0, 3.0, 2.0, 0.0, 5.0]]))
    tensor([[3., 5.]])
    """

    _function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """As `AdaptiveMaxPool1d`, for images."""

    _function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """As `AdaptiveMaxPool1d`, for volumes."""

    _function = "adaptive_max_pool3d"


class _AdaptiveAvgPoolNd(Module):
    """The windows are chosen so that the output has `output_size`; None keeps a size."""

    _function: str

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, self._function)(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The mean of each of `output_size` windows.

    >>> kobai.nn.AdaptiveAvgPool1d(2)(kobai.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    _function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """As `AdaptiveAvgPool1d`, for images.

    >>> kobai.nn.AdaptiveAvgPool2d((None, 1))(kobai.ones(2, 3, 4, 5)).shape
    torch.Size([2, 3, 4, 1])
    """

    _function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """As `AdaptiveAvgPool1d`, for volumes."""

    _function = "adaptive_avg_pool3d"


# ---------------------------------------------------------------- fractional
class _FractionalMaxPoolNd(Module):
    """The largest value of windows at random places (Graham 2014); size or ratio of the output is given."""

    _n: int
    _function: str

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = f"FractionalMaxPool{self._n}d"
        if output_size is None and output_ratio is None:
            raise error("argument-missing",
                        ValueError(f"{name} requires specifying either an output size, or a pooling ratio"), name=name,
                        why="{name} was told neither the size of its output nor by how much it shrinks.",
                        fix="write output_size=5, or output_ratio=0.5.")
        if output_size is not None and output_ratio is not None:
            raise error("arguments-exclude",
                        ValueError("only one of output_size and output_ratio may be specified"),
                        what="output_size", other="output_ratio")
        self.kernel_size = per_dim(kernel_size, self._n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_dim(output_size, self._n)
        self.output_ratio = None if output_ratio is None else per_dim(output_ratio, self._n)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise error("argument-value", ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})"),
                        what="output_ratio", value=output_ratio, must="a number above 0 and below 1")

    def forward(self, input: Tensor):
        return getattr(F, self._function)(input, self.kernel_size, self.output_size, self.output_ratio,
                                    self.return_indices, _random_samples=self._random_samples)


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Fractional max pooling of images.

    >>> kobai.nn.FractionalMaxPool2d(2, output_size=3)(kobai.ones(1, 1, 7, 7)).shape
    torch.Size([1, 1, 3, 3])
    """

    _n = 2
    _function = "fractional_max_pool2d"


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Fractional max pooling of volumes."""

    _n = 3
    _function = "fractional_max_pool3d"
