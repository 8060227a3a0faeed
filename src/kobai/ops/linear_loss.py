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
    _check(input, linear_weight, linear_bias, classes)
    if ignore_index is not None and dtype_of(target).kind in "fV":
        raise error("arguments-exclude", RuntimeError("ignore_index cannot be specified when target contains probabilities"),
                    why="target holds probabilities, and ignore_index is a class number to leave out.",
                    fix="leave out ignore_index, or give class numbers as target.")
    flat = m.reshape(linear_weight, (prod(classes), linear_weight.shape[-1])) if len(classes) > 1 else linear_weight
    bias = linear_bias if linear_bias is None or len(classes) == 1 else m.reshape(linear_bias, (prod(classes),))
    logits = m.linear(input, flat, bias)
    if len(classes) > 1:
        logits = m.reshape(logits, (input.shape[0], *classes))
    by_index = dtype_of(target).kind in "iu"
    return m.cross_entropy(logits, target, weight, ignore_index=-100 if ignore_index is None or not by_index
                           else ignore_index, reduction=reduction, label_smoothing=label_smoothing)


def _check(input, weight, bias, classes):
    if len(input.shape) not in (1, 2):
        raise error("tensor-dims", RuntimeError(f"expected input with dimensionality 1 or 2, got {len(input.shape)}"),
                    what="input", shape=input.shape, need="{n} or {m}", n=1, m=2)
    if len(weight.shape) < 2:
        raise error("tensor-dims", RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {len(weight.shape)}"), what="linear_weight",
            shape=weight.shape, need="at least {n}", n=2)
    if input.shape[-1] != weight.shape[-1]:
        raise error("shapes-differ", RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {weight.shape[-1]}, respectively"), what="input", shape=input.shape,
            other="linear_weight", other_shape=weight.shape, must="the last dimensions must be equal")
    if len(classes) > 1 and len(input.shape) != 2:
        raise error("tensor-dims", RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(weight.shape)} requires batched input, (N, "
            f"{input.shape[-1]}), got unbatched input with shape {tuple(input.shape)}"), what="input",
            shape=input.shape,
            need="{n}", n=2)
    if bias is not None and tuple(bias.shape) != classes:
        raise error("tensor-shape", RuntimeError(f"expected linear_bias shape {classes}, got {tuple(bias.shape)}"),
                    what="linear_bias", shape=bias.shape, want=classes)
