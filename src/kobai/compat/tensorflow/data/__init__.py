"""`tf.data`: elements one after the other, made when they are asked for.

Inside, elements are NumPy arrays (nested as the program nested its tensors); functions of the program and
loops over a dataset see tensors. With the same seeds `shuffle` gives TensorFlow's order.
"""
from __future__ import annotations

from .dataset import (
    AUTOTUNE as AUTOTUNE,
    INFINITE_CARDINALITY as INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY,
    Dataset as Dataset,
    Iterator as Iterator,
    Options as Options,
    TextLineDataset as TextLineDataset,
    experimental as experimental,
)


def __getattr__(name):
    from ...missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
