"""Convolutions and transposed convolutions in one, two and three dimensions."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import empty
from ..diagnose import error
from ..tensor import Tensor
from . import functional as F, init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter, UninitializedParameter

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def per_dim(value: Any, n: int) -> tuple:
    """A number as n equal numbers; a sequence as a tuple."""
    return tuple(value) if hasattr(value, "__iter__") else (value,) * n


def _ntuple(n: int) -> Callable[[Any], tuple]:
    """PyTorch's way to `per_dim`, which programs import from torch.nn.modules.utils."""
    return lambda value: per_dim(value, n)


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


class _ConvNd(Module):
    """What convolutions share: sizes, weight and bias.

    `_n` is the number of spatial dimensions, `_function` the name of the computing one, `transposed`
    says which of the weight's first two dimensions is the input's.
    """

    _n: int
    _function: str
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device=None,
        dtype=None,
    ) -> None:
        super().__init__()
        _check_channels(in_channels, out_channels, groups)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dim(kernel_size, self._n)
        self.stride = per_dim(stride, self._n)
        self.padding = padding if isinstance(padding, str) else per_dim(padding, self._n)
        self.dilation = per_dim(dilation, self._n)
        self.output_padding = (0,) * self._n
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_padding()
        self._reversed_padding_repeated_twice = self._pad_amounts()
        self._make_parameters(bias, device, dtype)

    def _check_padding(self) -> None:
        if isinstance(self.padding, str):
            if self.padding not in ("valid", "same"):
                raise error("argument-choice",
                            ValueError(f"Invalid padding string {self.padding!r}, should be one of "
                                       "{'same', 'valid'}"),
                            what="padding", value=self.padding, choices=["same", "valid"],
                            fix="write padding='same', padding='valid', or a number such as padding=1.")
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise error("arguments-exclude", ValueError("padding='same' is not supported for strided convolutions"),
                            stride=self.stride,
                            why="padding='same' keeps the size, and the stride {stride} makes it smaller.",
                            fix="leave the stride out, or write a number: padding=kernel_size // 2.")
        if self.padding_mode not in _PADDING_MODES:
            raise error("argument-choice",
                        ValueError(f"padding_mode must be one of {set(_PADDING_MODES)}, but got "
                                   f"padding_mode='{self.padding_mode}'"),
                        what="padding_mode", value=self.padding_mode, choices=list(_PADDING_MODES))

    def _pad_amounts(self) -> list[int]:
        """What `F.pad` takes to do this padding: (before, after) of each dimension, the last first."""
        if self.padding == "valid":
            return [0, 0] * self._n
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            return [amount for t in reversed(total) for amount in (t // 2, t - t // 2)]
        return [p for p in reversed(self.padding) for _ in range(2)]

    def _weight_shape(self) -> tuple:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    def _make_parameters(self, bias: bool, device, dtype) -> None:
        self.weight = Parameter(empty(self._weight_shape(), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(self.out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight and bias uniform within ±1/√(inputs of one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._n
        return getattr(F, self._function)(input, weight, bias, self.stride, padding, self.dilation,
                                          self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                 f"stride={self.stride}"]
        for name, default in (("padding", (0,) * self._n), ("dilation", (1,) * self._n),
                              ("output_padding", (0,) * self._n), ("groups", 1)):
            value = getattr(self, name)
            if value != default:
                parts.append(f"{name}={value}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    if groups <= 0:
        raise error("argument-value", ValueError("groups must be a positive integer"), what="groups", value=groups,
                    must="a positive whole number")
    for which, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise error("conv-groups", which=which, channels=channels, groups=groups)


class Conv1d(_ConvNd):
    """Cross-correlation of a signal with learned kernels, plus a bias.

    Shape: (N, C_in, L) or (C_in, L) → (N, C_out, L_out) or (C_out, L_out), where
    L_out = ⌊(L + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1.

    >>> kobai.nn.Conv1d(16, 33, 3, stride=2)(kobai.ones(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    _n = 1
    _function = "conv1d"


class Conv2d(_ConvNd):
    """Cross-correlation of an image with learned kernels, plus a bias.

    Shape: (N, C_in, H, W) or (C_in, H, W) → (N, C_out, H_out, W_out) or (C_out, H_out, W_out), the
    sizes as in `Conv1d`, each.

    >>> layer = kobai.nn.Conv2d(1, 6, kernel_size=5, padding=2)
    >>> layer
    Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    >>> layer(kobai.ones(3, 1, 28, 28)).shape
    torch.Size([3, 6, 28, 28])
    """

    _n = 2
    _function = "conv2d"


class Conv3d(_ConvNd):
    """Cross-correlation of a volume with learned kernels, plus a bias.

    Shape: (N, C_in, D, H, W) or without N → (N, C_out, D_out, H_out, W_out), the sizes as in `Conv1d`.

    >>> kobai.nn.Conv3d(2, 3, 3)(kobai.ones(1, 2, 5, 6, 7)).shape
    torch.Size([1, 3, 3, 4, 5])
    """

    _n = 3
    _function = "conv3d"


class _ConvTransposeNd(_ConvNd):
    """What transposed convolutions share: the gradient of a convolution, as a layer."""

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1,
        padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:
        if padding_mode != "zeros":
            raise error("argument-choice",
                        ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}'),
                        what="padding_mode", value=padding_mode, name=type(self),
                        why="{name} takes its padding away from the output; there is no border to be filled as "
                            "{value} says.",
                        fix="leave padding_mode out.")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                         padding_mode, device, dtype)
        self.output_padding = per_dim(output_padding, self._n)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        output_padding = self.output_padding if output_size is None else self._padding_for(input, output_size)
        return getattr(F, self._function)(input, self.weight, self.bias, self.stride, self.padding,
                                          output_padding,
                                    self.groups, self.dilation)

    def _padding_for(self, input: Tensor, output_size: list[int]) -> tuple:
        """The output_padding that makes the output this large; several sizes are possible if stride > 1."""
        n, unbatched = self._n, input.ndim == self._n + 1
        wanted = tuple(output_size)
        if len(wanted) == n + (1 if unbatched else 2):
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise error("argument-count",
                        ValueError(f"ConvTranspose{n}D: for {input.ndim}D input, output_size must have {n} or "
                                   f"{n + (1 if unbatched else 2)} elements (got {len(wanted)})"),
                        what="output_size", count=len(wanted), need="{n} or {m}", n=n, m=n + (1 if unbatched else 2),
                        fix="give the sizes behind the channels: output_size=y.shape[-{n}:].")
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in
                 zip(input.shape[-n:], self.stride, self.padding, self.dilation, self.kernel_size)]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most)):
            raise error("argument-value",
                        ValueError(f"requested an output size of {list(wanted)}, but valid sizes range from {least} "
                                   f"to {most} (for an input of {input.shape[-n:]})"),
                        what="output_size", value=list(wanted), least=tuple(least), most=tuple(most),
                        must="sizes between {least} and {most}",
                        fix="choose sizes in this range; with a larger stride it is wider.")
        return tuple(size - low for size, low in zip(wanted, least))


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolution of a signal.

    Shape: (N, C_in, L) → (N, C_out, L_out), where
    L_out = (L − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1.

    >>> kobai.nn.ConvTranspose1d(2, 3, 3, stride=2)(kobai.ones(1, 2, 5)).shape
    torch.Size([1, 3, 11])
    """

    _n = 1
    _function = "conv_transpose1d"


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution of an image; `output_size` in the call settles what the stride leaves open.

    >>> up = kobai.nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1)
    >>> up(kobai.ones(1, 4, 6, 6)).shape, up(kobai.ones(1, 4, 6, 6), output_size=(12, 12)).shape
    (torch.Size([1, 4, 11, 11]), torch.Size([1, 4, 12, 12]))
    """

    _n = 2
    _function = "conv_transpose2d"


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution of a volume.

    >>> kobai.nn.ConvTranspose3d(2, 3, 2)(kobai.ones(1, 2, 3, 3, 3)).shape
    torch.Size([1, 3, 4, 4, 4])
    """

    _n = 3
    _function = "conv_transpose3d"


# ---------------------------------------------------------------------- lazy
class _LazyConvXdMixin(LazyModuleMixin):
    """Finds `in_channels` from the first input."""

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device=None, dtype=None,
    ) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         device, dtype)

    def _make_parameters(self, bias: bool, device, dtype) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(device=device, dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._channels_of(input)
        if self.in_channels % self.groups:
            raise error("conv-groups", which="in_channels", channels=self.in_channels, groups=self.groups)
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _channels_of(self, input: Tensor) -> int:
        n = self._n
        if input.ndim not in (n + 1, n + 2):
            raise error("tensor-dims",
                        RuntimeError(f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                                     f"{type(self).__name__}, but got input of size: {input.shape}"),
                        what="input", shape=input.shape, need="{n} or {m}", n=n + 1, m=n + 2,
                        fix="its dimensions are batch (may be left out), channels, then {k} of the picture or signal.",
                        k=n)
        return input.shape[-n - 1]


class LazyConv1d(_LazyConvXdMixin, Conv1d):
    """`Conv1d` that finds `in_channels` at its first call."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConvXdMixin, Conv2d):
    """`Conv2d` that finds `in_channels` at its first call.

    >>> layer = kobai.nn.LazyConv2d(8, 3)
    >>> layer(kobai.ones(1, 2, 5, 5)).shape, layer.in_channels
    (torch.Size([1, 8, 3, 3]), 2)
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConvXdMixin, Conv3d):
    """`Conv3d` that finds `in_channels` at its first call."""

    cls_to_become = Conv3d


class _LazyConvTransposeMixin(_LazyConvXdMixin):
    """The same for transposed convolutions, whose arguments are in another order."""

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device=None,
        dtype=None,
    ) -> None:
        super(_LazyConvXdMixin, self).__init__(0, out_channels, kernel_size, stride, padding, output_padding,
                                               groups, bias, dilation, padding_mode, device, dtype)


class LazyConvTranspose1d(_LazyConvTransposeMixin, ConvTranspose1d):
    """`ConvTranspose1d` that finds `in_channels` at its first call."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTransposeMixin, ConvTranspose2d):
    """`ConvTranspose2d` that finds `in_channels` at its first call."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTransposeMixin, ConvTranspose3d):
    """`ConvTranspose3d` that finds `in_channels` at its first call."""

    cls_to_become = ConvTranspose3d
