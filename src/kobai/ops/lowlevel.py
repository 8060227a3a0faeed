"""torch.batch_norm and the like: what nn.functional has, with the arguments in the order of PyTorch's kernels."""
from __future__ import annotations

import numpy as np

from ..op import dtype_of, m
from ..public import public
from ..tensor import wrap
from .grid import AffineGridGenerator, GridSampler2D, GridSampler3D
from .normalize import NativeBatchNorm, batch_norm, group_norm, instance_norm, layer_norm
from .pad import pad as _pad

_MODES, _PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


@public("torch", name="batch_norm")
def _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=False):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel."""
    return batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@public("torch", name="instance_norm")
def _instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps,
                   cudnn_enabled=False):
    """As batch_norm, for each channel of each example."""
    return instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@public("torch")
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(batch_norm, mean, 1 / sqrt(var + eps)) of the batch; in evaluation the last two are empty."""
    y = batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return y, wrap(np.zeros(0, dtype_of(input))), wrap(np.zeros(0, dtype_of(input)))
    _, mean, var = NativeBatchNorm(eps)(input, weight, bias)
    return y, mean, m.rsqrt(var + eps)


def _moments(x, dims, eps):
    mean = m.mean(x, dims, keepdim=True)
    return mean, m.rsqrt(m.mean((x - mean) * (x - mean), dims, keepdim=True) + eps)


@public("torch")
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(layer_norm, mean, 1 / sqrt(var + eps))."""
    return (layer_norm(input, normalized_shape, weight, bias, eps),
            *_moments(input, tuple(range(-len(normalized_shape), 0)), eps))


@public("torch")
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """(group_norm, mean, 1 / sqrt(var + eps)), the last two (N, group)."""
    mean, rstd = _moments(m.reshape(input, (N, group, C * HxW // group)), (2,), eps)
    return group_norm(input, group, weight, bias, eps), m.squeeze(mean, -1), m.squeeze(rstd, -1)


@public("torch")
def constant_pad_nd(input, pad, value=0):
    """`value` around the last dimensions; see nn.functional.pad."""
    return _pad(input, pad, "constant", value)


def _sampler(name):
    def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
        op = GridSampler2D if len(input.shape) == 4 else GridSampler3D
        return op(_MODES[interpolation_mode], _PADDINGS[padding_mode], bool(align_corners))(input, grid)
    grid_sampler.__doc__ = "nn.functional.grid_sample with numbers for its modes."
    public("torch", name=name)(grid_sampler)


for _name in ("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"):
    _sampler(_name)


@public("torch")
def affine_grid_generator(theta, size, align_corners):
    """nn.functional.affine_grid."""
    return AffineGridGenerator(tuple(size)[2:], bool(align_corners))(theta)
