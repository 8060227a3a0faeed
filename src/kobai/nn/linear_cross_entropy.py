"""Cross-entropy of a linear layer's output, with the layer inside the loss."""
from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from ..tensor import Tensor
from . import functional as F
from .linear import Linear
from .module import Module


class LinearCrossEntropyOptions(NamedTuple):
    """How PyTorch may split the computation into chunks; here it is accepted and changes nothing."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None


class LinearCrossEntropyLoss(Module):
    """CrossEntropyLoss of x Wᵀ + b.

    Shape: (N, in_features) and targets (N, *out_features) → a number.

    >>> loss = kobai.nn.LinearCrossEntropyLoss(3, 4)
    >>> loss(kobai.zeros(2, 3), kobai.tensor([0, 1])).item()
    1.3862943649291992
    """

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
        device=None, dtype=None, reduction: str = "mean", weight: Tensor | None = None,
        ignore_index: int | None = None, label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.bias = bias
        self.reduction = reduction
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        self.linear = Linear(in_features, num_classes * prod(self.out_features), bias=bias, device=device,
                             dtype=dtype)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        classes = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape(*classes, self.in_features), target,
            linear_bias=None if bias is None else bias.reshape(classes), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing,
            options=self.options)

    def extra_repr(self) -> str:
        names = ("in_features", "num_classes", "out_features", "bias", "reduction", "ignore_index",
                 "label_smoothing", "options")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
