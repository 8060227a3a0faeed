"""How often outputs are right."""
from __future__ import annotations

import numpy as np

from .base import array, tensor, wrapper


def _same_rank(a, b):
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def accuracy(y_true, y_pred):
    """Whether each output equals the wished one."""
    t, p = _same_rank(array(y_true), array(y_pred))
    return tensor(t.astype(p.dtype) == p)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Whether each output is on the right side of the threshold."""
    t, p = _same_rank(array(y_true), array(y_pred))
    return tensor(t == (p > threshold).astype(t.dtype))


def categorical_accuracy(y_true, y_pred):
    """Whether the largest output is that of the class; labels are one-hot."""
    return tensor(array(y_true).argmax(-1) == array(y_pred).argmax(-1))


def _classes(y_true, p):
    t = array(y_true)
    return t[..., 0] if t.ndim == p.ndim and t.shape[-1] == 1 else t


def sparse_categorical_accuracy(y_true, y_pred):
    """Whether the largest output is that of the class; labels are numbers."""
    p = array(y_pred)
    return tensor(_classes(y_true, p) == p.argmax(-1))


def _in_top(classes, p, k):
    """Whether the class of each row is among its k largest."""
    p, c = p.reshape(-1, p.shape[-1]), classes.reshape(-1).astype(np.int64)
    mine = p[np.arange(len(c)), c]
    return ((p > mine[:, None]).sum(-1) < k).reshape(classes.shape)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Whether the class is among the k largest outputs; labels are one-hot."""
    return tensor(_in_top(array(y_true).argmax(-1), array(y_pred), k))


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """Whether the class is among the k largest outputs; labels are numbers."""
    p = array(y_pred)
    return tensor(_in_top(_classes(y_true, p), p, k))


Accuracy = wrapper("Accuracy", accuracy, {}, "accuracy", "How often outputs equal the wished ones.")
BinaryAccuracy = wrapper("BinaryAccuracy", binary_accuracy, {"threshold": 0.5}, "binary_accuracy",
                         "How often outputs are on the right side of a threshold.")
CategoricalAccuracy = wrapper("CategoricalAccuracy", categorical_accuracy, {}, "categorical_accuracy",
                              "How often the largest output is the right one; labels are one-hot.")
SparseCategoricalAccuracy = wrapper("SparseCategoricalAccuracy", sparse_categorical_accuracy, {},
                                    "sparse_categorical_accuracy",
                                    "How often the largest output is the right one; labels are numbers.")
TopKCategoricalAccuracy = wrapper("TopKCategoricalAccuracy", top_k_categorical_accuracy, {"k": 5},
                                  "top_k_categorical_accuracy",
                                  "How often the right output is among the k largest; labels are one-hot.")
SparseTopKCategoricalAccuracy = wrapper("SparseTopKCategoricalAccuracy", sparse_top_k_categorical_accuracy, {"k": 5},
                                        "sparse_top_k_categorical_accuracy",
                                        "How often the right output is among the k largest; labels are numbers.")
