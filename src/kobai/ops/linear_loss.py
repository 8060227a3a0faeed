"""Cross-entropy of a linear layer's output, in one function."""
from __future__ import annotations

from math import prod

from ..diagnose import error
from ..op import dtype_of, m
from ..public import public


@public("nn.functional")
def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
                         ignore_index=None, label_smoothing=0.0, options=None):
    """cross_entropy(linear(input, linear_weight, linear_bias), target, ...).

    Args: `linear_weight` may have dimensions between classes and features, for targets with as many;
    `options` tells PyTorch how to save memory and changes nothing here.

    Shape: input (N, features) or (features,), linear_weight (C, *d, features), target (N, *d) -> a number.
    """
    classes = tuple(linear_weight.shape[:-1])
    if len(classes) > 1 and len(input.shape) != 2:
        raise error("tensor-dims", ValueError(
            "linear_cross_entropy: multi-dimensional weights require batched input (N, in_features), got "
            f"{len(input.shape)} dimensions"), what="input", shape=input.shape, need="{n}", n=2)
    flat = m.reshape(linear_weight, (prod(classes), linear_weight.shape[-1])) if len(classes) > 1 else linear_weight
    bias = linear_bias if linear_bias is None or len(classes) == 1 else m.reshape(linear_bias, (prod(classes),))
    logits = m.linear(input, flat, bias)
    if len(classes) > 1:
        logits = m.reshape(logits, (input.shape[0], *classes))
    by_index = dtype_of(target).kind in "iu"
    return m.cross_entropy(logits, target, weight, ignore_index=-100 if ignore_index is None or not by_index
                           else ignore_index, reduction=reduction, label_smoothing=label_smoothing)
