"""PyTorch's second address for the layers: `torch.nn.modules.conv` is `kobai.nn.conv`, and so on."""
from __future__ import annotations

import sys

from .. import *
from .. import (
    __all__ as __all__,
    activation,
    adaptive,
    attention,
    containers,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    lazy,
    linear,
    linear_cross_entropy,
    loss,
    module,
    norm,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
)

_HOMES = {
    "activation": activation, "adaptive": adaptive, "attention": attention, "batchnorm": norm,
    "channelshuffle": pixelshuffle, "container": containers, "conv": conv, "distance": distance,
    "dropout": dropout,
    "flatten": flatten, "fold": fold, "instancenorm": norm, "lazy": lazy, "linear": linear,
    "linear_cross_entropy": linear_cross_entropy, "loss": loss, "module": module, "normalization": norm,
    "padding": padding, "pixelshuffle": pixelshuffle, "pooling": pooling, "rnn": rnn, "sparse": sparse,
    "transformer": transformer, "upsampling": upsampling, "utils": conv,
}
globals().update(_HOMES)
activation.MultiheadAttention = attention.MultiheadAttention  # where PyTorch keeps it
loss.LinearCrossEntropyLoss = linear_cross_entropy.LinearCrossEntropyLoss
sys.modules.update({f"{__name__}.{name}": home for name, home in _HOMES.items()})
