"""Folding a batch normalisation into the layer before it, for evaluation."""
from __future__ import annotations

import copy

from ... import rsqrt
from ...diagnose import error
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter


def _fused(layer: Module, bn: Module, weights) -> Module:
    if layer.training or bn.training:
        raise error("call-order", AssertionError("Fusion only for eval!"),
                    why="a layer and a normalization can only be joined when its mean and variance no longer change, "
                        "and it is in training mode.",
                    fix="call .eval() on both before.")
    layer = copy.deepcopy(layer)
    layer.weight, layer.bias = weights
    return layer


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """One convolution that does what `conv` and then `bn` do.

    >>> conv, bn = kobai.nn.Conv1d(2, 3, 1).eval(), kobai.nn.BatchNorm1d(3).eval()
    >>> x = kobai.ones(1, 2, 4)
    >>> kobai.allclose(kobai.nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)))
    True
    """
    return _fused(conv, bn, fuse_conv_bn_weights(conv.weight, conv.bias, bn.running_mean, bn.running_var,
                                                 bn.eps,
                                                 bn.weight, bn.bias, transpose))


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                         bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False):
    """Weight and bias of the convolution that includes the normalisation."""
    channel_dim = 1 if transpose else 0
    shape = [1] * conv_w.ndim
    shape[channel_dim] = -1
    scale, shift = _scale_and_shift(bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    bias = shift if conv_b is None else conv_b * scale + shift
    return (Parameter((conv_w * scale.reshape(shape)).to(conv_w.dtype), conv_w.requires_grad),
            Parameter(bias.to(conv_w.dtype), conv_w.requires_grad if conv_b is None
                      else conv_b.requires_grad))


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """One linear layer that does what `linear` and then `bn` do."""
    if not (linear.out_features == bn.num_features or bn.num_features == 1):
        raise error("argument-value",
                    AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
                                   f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"),
                    features=linear.out_features, channels=bn.num_features,
                    why="the layer has {features} outputs, and the normalization is for {channels}.",
                    fix="join a layer with the normalization that follows it in the model.")
    return _fused(linear, bn, fuse_linear_bn_weights(linear.weight, linear.bias, bn.running_mean,
                                                     bn.running_var,
                                                     bn.eps, bn.weight, bn.bias))


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor,
                           bn_eps: float,
                           bn_w: Tensor, bn_b: Tensor):
    """Weight and bias of the linear layer that includes the normalisation."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _scale_and_shift(mean: Tensor, var: Tensor, eps: float, weight: Tensor | None, bias: Tensor | None):
    """The normalisation as y = scale · x + shift."""
    scale = rsqrt(var + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    return scale, (shift if bias is None else shift + bias)
