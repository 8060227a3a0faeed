"""Means of losses as metrics, and what else measures distances."""
from __future__ import annotations

import numpy as np

from .. import losses
from .base import Mean, Metric, array, tensor, wrapper


def _metric(name, fn, doc, after=None, **parameters):
    return wrapper(name, fn, parameters, after or fn.__name__, doc)


def _similarity(y_true, y_pred, axis=-1):
    return -losses.cosine_similarity(y_true, y_pred, axis)


MeanSquaredError = _metric("MeanSquaredError", losses.mean_squared_error, "The mean of squared differences.")
MeanAbsoluteError = _metric("MeanAbsoluteError", losses.mean_absolute_error, "The mean of differences without sign.")
MeanAbsolutePercentageError = _metric("MeanAbsolutePercentageError", losses.mean_absolute_percentage_error,
                                      "The mean of differences in percent.")
MeanSquaredLogarithmicError = _metric("MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error,
                                      "The mean of squared differences of logarithms.")
LogCoshError = _metric("LogCoshError", losses.log_cosh, "The logarithm of the cosh of the difference.", "logcosh")
CosineSimilarity = _metric("CosineSimilarity", _similarity, "The cosine of the angle.", "cosine_similarity", axis=-1)
Hinge = _metric("Hinge", losses.hinge, "For labels -1 and 1.")
SquaredHinge = _metric("SquaredHinge", losses.squared_hinge, "For labels -1 and 1, squared.")
CategoricalHinge = _metric("CategoricalHinge", losses.categorical_hinge, "For one-hot labels.")
KLDivergence = _metric("KLDivergence", losses.kl_divergence, "The Kullback-Leibler divergence.")
Poisson = _metric("Poisson", losses.poisson, "For counts.")
BinaryCrossentropy = _metric("BinaryCrossentropy", losses.binary_crossentropy, "For labels 0 and 1.",
                             from_logits=False, label_smoothing=0.0)
CategoricalCrossentropy = _metric("CategoricalCrossentropy", losses.categorical_crossentropy, "For one-hot labels.",
                                  from_logits=False, label_smoothing=0.0, axis=-1)
SparseCategoricalCrossentropy = _metric("SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy,
                                        "For labels that are numbers.", from_logits=False, axis=-1)


class RootMeanSquaredError(Mean):
    """The square root of the mean of squared differences."""

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        t, p = [v._value for v in losses.pair(y_true, y_pred)]
        super().update_state(tensor(np.square(p - t)), sample_weight)

    def result(self):
        return tensor(np.sqrt(super().result().numpy()), self._dtype)


class R2Score(Metric):
    """The part of the variance that is explained."""

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        self.class_aggregation = class_aggregation
        self._sums = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        t, p = [np.asarray(v._value, np.float64) for v in losses.pair(y_true, y_pred)]
        t, p = [v.reshape(len(v), -1) for v in (t, p)]
        w = np.ones((len(t), 1)) if sample_weight is None else array(sample_weight, np.float64).reshape(-1, 1)
        found = np.stack([(t * w).sum(0), (t * t * w).sum(0), ((t - p) ** 2 * w).sum(0), w.sum() + 0 * t[0]])
        self._sums = found if self._sums is None else self._sums + found

    def result(self):
        if self._sums is None:
            return tensor(np.float32(np.nan))
        total, squares, rest, n = self._sums
        spread = squares - total * total / n
        score = 1 - rest / spread
        if self.class_aggregation is None:
            return tensor(score)
        return tensor((score * spread).sum() / spread.sum() if self.class_aggregation == "variance_weighted_average"
                      else score.mean())

    def reset_state(self):
        self._sums = None
