"""Layers that bring activations to mean 0 and variance 1, or the like."""
from __future__ import annotations

from typing import Any

from .. import empty, int64, ones, tensor, zeros
from ..diagnose import error
from ..tensor import Tensor
from . import functional as F, init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter, UninitializedBuffer, UninitializedParameter


class _NormBase(Module):
    """Per-channel normalisation: scale and shift to learn, running mean and variance to remember."""

    _version = 2
    _ranks: tuple[int, ...] = ()        # the numbers of dimensions that an input may have

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device=None, dtype=None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make_parameters(affine and bias, device, dtype)
        self._make_statistics(device, dtype)
        self.reset_parameters()

    def _make_parameters(self, bias: bool, device, dtype) -> None:
        for name, wanted in (("weight", self.affine), ("bias", bias)):
            value = Parameter(empty(self.num_features, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)

    def _make_statistics(self, device, dtype) -> None:
        track = self.track_running_stats
        self.register_buffer("running_mean", zeros(self.num_features, device=device, dtype=dtype) if track
                             else None)
        self.register_buffer("running_var", ones(self.num_features, device=device, dtype=dtype) if track
                             else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device) if track else None)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, and statistics as at the start."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if self._ranks and input.ndim not in self._ranks:
            allowed = " or ".join(f"{n}D" for n in self._ranks)
            raise error("norm-dims", want=allowed, got=input.ndim, have=input.shape)

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *report) -> None:
        if (local_metadata.get("version") or 0) < 2 and self.track_running_stats:
            # Version 1 did not count batches; a missing count is not an error there.
            state_dict.setdefault(prefix + "num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *report)


# -------------------------------------------------------------- batch norm
class _BatchNorm(_NormBase):
    """y = (x − mean) / √(var + eps) · weight + bias, with mean and var of each channel over the batch.

    In evaluation the running mean and variance are used, if they were tracked.
    """

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        from_batch = self.training or self.running_mean is None
        remembers = not self.training or self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if remembers else (None, None)
        momentum = self._count_batch() if self.training and remembers else self.momentum or 0.0
        return F.batch_norm(input, mean, var, self.weight, self.bias, from_batch, momentum, self.eps)

    def _count_batch(self) -> float:
        """Count this batch; return how much of it goes into the running statistics."""
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        if self.momentum is None:       # the mean of all batches so far
            return 1.0 / float(self.num_batches_tracked)
        return self.momentum


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L) over N and L (Ioffe and Szegedy 2015).

    >>> kobai.nn.BatchNorm1d(1)(kobai.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W) over all but C.

    >>> layer = kobai.nn.BatchNorm2d(3)
    >>> layer(kobai.ones(2, 3, 4, 4)).shape, int(layer.num_batches_tracked)
    (torch.Size([2, 3, 4, 4]), 1)
    """

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W) over all but C."""

    _ranks = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation across processes; in one process it is batch normalisation."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, device=None, dtype=None, *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise error("tensor-dims", ValueError(f"expected at least 2D input (got {input.ndim}D input)"),
                        what="input", shape=input.shape, need="at least {n}", n=2,
                        fix="its dimensions are batch, channels, and then the rest.")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """`module` with every batch normalisation replaced by a synchronised one."""
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
            new = cls(module.num_features, module.eps, module.momentum, module.affine,
                      module.track_running_stats, process_group)
            new._parameters.update(module._parameters)
            new._buffers.update(module._buffers)
            new.training = module.training
            return new
        for name, child in module.named_children():
            module.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return module


# ------------------------------------------------------------ instance norm
class _InstanceNorm(_NormBase):
    """As batch normalisation, with mean and variance of each sample and channel."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device=None, dtype=None, *, bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        batched = input.ndim == max(self._ranks)
        channels = input.shape[1 if batched else 0]
        if channels != self.num_features and self.affine:
            raise error("dimension-size",
                        ValueError(f"expected input's size at dim={1 if batched else 0} to match num_features "
                                   f"({self.num_features}), but got: {channels}."),
                        dim=1 if batched else 0, what="input", size=channels, features=self.num_features,
                        name=type(self), must="{features}, the num_features of {name}")
        return self._normalised(input) if batched else self._normalised(input.unsqueeze(0)).squeeze(0)

    def _normalised(self, input: Tensor) -> Tensor:
        return F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias,
                               self.training or not self.track_running_stats,
                               self.momentum if self.momentum is not None else 0.0, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Normalisation of each sample and channel of (N, C, L) or (C, L) over L.

    >>> kobai.nn.InstanceNorm1d(1)(kobai.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each sample and channel of (N, C, H, W) or (C, H, W) over H and W."""

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalisation of each sample and channel of (N, C, D, H, W) or without N."""

    _ranks = (4, 5)


# --------------------------------------------------------------------- lazy
class _LazyNormBase(LazyModuleMixin):
    """Finds `num_features` from the first input."""

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device=None, dtype=None, *, bias: bool = True) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _make_parameters(self, bias: bool, device, dtype) -> None:
        for name, wanted in (("weight", self.affine), ("bias", bias)):
            self.register_parameter(name, UninitializedParameter(device=device, dtype=dtype) if wanted
                                    else None)

    def _make_statistics(self, device, dtype) -> None:
        track = self.track_running_stats
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, UninitializedBuffer(device=device, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device) if track else None)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for member in (self.weight, self.bias, self.running_mean, self.running_var):
            if member is not None:
                member.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    """`BatchNorm1d` that finds `num_features` at its first call.

    >>> layer = kobai.nn.LazyBatchNorm1d()
    >>> _ = layer(kobai.ones(4, 7))
    >>> layer.num_features
    7
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    """`BatchNorm2d` that finds `num_features` at its first call."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    """`BatchNorm3d` that finds `num_features` at its first call."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNormBase, InstanceNorm1d):
    """`InstanceNorm1d` that finds `num_features` at its first call."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, InstanceNorm2d):
    """`InstanceNorm2d` that finds `num_features` at its first call."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, InstanceNorm3d):
    """`InstanceNorm3d` that finds `num_features` at its first call."""

    cls_to_become = InstanceNorm3d


# ---------------------------------------------------- without running statistics
class _OverLastDims(Module):
    """Normalisation over the last dimensions, whose sizes are `normalized_shape`."""

    def __init__(self, normalized_shape: Any, eps: float | None, elementwise_affine: bool) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape,
                                                                  int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine

    def _register(self, name: str, wanted: bool, device, dtype) -> None:
        value = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if wanted else None
        self.register_parameter(name, value)


class LayerNorm(_OverLastDims):
    """(x − mean) / √(var + eps) · weight + bias over the last dimensions (Ba et al. 2016).

    >>> kobai.nn.LayerNorm(2)(kobai.tensor([[1.0, 3.0]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True,
                 device=None, dtype=None) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine)
        self._register("weight", elementwise_affine, device, dtype)
        self._register("bias", elementwise_affine and bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(_OverLastDims):
    """x / √(mean(x²) + eps) · weight over the last dimensions (Zhang and Sennrich 2019).

    >>> kobai.nn.RMSNorm(2)(kobai.tensor([[3.0, 4.0]])).detach()
    tensor([[0.8485, 1.1314]])
    """

    def __init__(self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True,
                 device=None, dtype=None) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine)
        self._register("weight", elementwise_affine, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalisation of each sample over groups of channels (Wu and He 2018).

    >>> kobai.nn.GroupNorm(2, 4)(kobai.ones(1, 4, 3)).shape
    torch.Size([1, 4, 3])
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device=None, dtype=None, *, bias: bool = True) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise error("group-norm-groups", channels=num_channels, groups=num_groups)
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(empty(num_channels, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


class LocalResponseNorm(Module):
    """x / (k + alpha/size · Σ x²)^beta, the sum over `size` neighbouring channels.

    >>> kobai.nn.LocalResponseNorm(2)(kobai.ones(1, 2, 1)).flatten()
    tensor([1.0000, 0.9999])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """The older name of `LocalResponseNorm`, for images."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)
