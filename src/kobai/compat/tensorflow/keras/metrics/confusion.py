"""What was taken for what: precision, recall, AUC, F1, IoU."""
from __future__ import annotations

import numpy as np

from .base import Metric, array, tensor


def _ratio(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(np.asarray(a, np.float64)), where=np.asarray(b) != 0)


class _Counts(Metric):
    """True and false positives and negatives at each of some thresholds."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._single = not isinstance(thresholds, (list, tuple, np.ndarray))
        one = 0.5 if thresholds is None else thresholds
        self.thresholds = np.asarray([one] if self._single else thresholds, np.float64)
        n = len(self.thresholds)
        self.true_positives = self.add_variable((n,), "zeros", name="true_positives")
        self.true_negatives = self.add_variable((n,), "zeros", name="true_negatives")
        self.false_positives = self.add_variable((n,), "zeros", name="false_positives")
        self.false_negatives = self.add_variable((n,), "zeros", name="false_negatives")

    def update_state(self, y_true, y_pred, sample_weight=None):
        t, p = array(y_true), array(y_pred, np.float64)
        t = t.reshape(p.shape) if t.size == p.size else np.broadcast_to(t, p.shape)
        t = t.astype(np.float64) > 0.5 if t.dtype.kind == "f" else t.astype(bool)
        if self.top_k is not None:
            kept = np.argsort(-p, -1, kind="stable")[..., :self.top_k]
            mask = np.zeros(p.shape, bool)
            np.put_along_axis(mask, kept, True, -1)
            p = np.where(mask, p if self.init_thresholds is not None else 1.0, 0.0)
        if self.class_id is not None:
            t, p = t[..., self.class_id], p[..., self.class_id]
        w = np.ones(p.shape) if sample_weight is None else np.broadcast_to(
            array(sample_weight, np.float64).reshape(-1, *(1,) * (p.ndim - 1)), p.shape)
        t, p, w = t.reshape(-1), p.reshape(-1), w.reshape(-1)
        self._add(t, p[None, :] > self.thresholds[:, None], w)

    def _add(self, t, said, w):
        for variable, what in ((self.true_positives, said & t), (self.false_positives, said & ~t),
                               (self.false_negatives, ~said & t), (self.true_negatives, ~said & ~t)):
            variable.assign(variable.numpy() + (what * w).sum(1))

    def _counts(self):
        return [v.numpy().astype(np.float64) for v in (self.true_positives, self.false_positives,
                                                       self.false_negatives, self.true_negatives)]

    def _shown(self, values):
        return tensor(values[0] if self._single else values, self._dtype)


class Precision(_Counts):
    """Which part of what was said to be positive is so."""

    def result(self):
        tp, fp, _, _ = self._counts()
        return self._shown(_ratio(tp, tp + fp))


class Recall(_Counts):
    """Which part of what is positive was said to be so."""

    def result(self):
        tp, _, fn, _ = self._counts()
        return self._shown(_ratio(tp, tp + fn))


def _counter(name, place, doc):
    def result(self):
        return self._shown(self._counts()[place])

    def __init__(self, thresholds=None, name=None, dtype=None):
        _Counts.__init__(self, thresholds, name=name, dtype=dtype)
    return type(name, (_Counts,), {"result": result, "__init__": __init__, "__doc__": doc, "__module__": __name__})


TruePositives = _counter("TruePositives", 0, "How many positives were found.")
FalsePositives = _counter("FalsePositives", 1, "How many negatives were said to be positive.")
FalseNegatives = _counter("FalseNegatives", 2, "How many positives were missed.")
TrueNegatives = _counter("TrueNegatives", 3, "How many negatives were found.")


class AUC(_Counts):
    """The area under the curve of true and false positives ("ROC"), or of precision and recall ("PR")."""

    def __init__(self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
                 thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False):
        if thresholds is None:
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        else:
            inner = sorted(thresholds)
        super().__init__([-1e-7, *inner, 1.0 + 1e-7], name=name, dtype=dtype)
        self.curve, self.summation_method, self.from_logits = curve, summation_method, from_logits

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.from_logits:
            y_pred = 1 / (1 + np.exp(-array(y_pred, np.float64)))
        super().update_state(y_true, y_pred, sample_weight)

    def result(self):
        tp, fp, fn, tn = self._counts()
        if self.curve == "PR" and self.summation_method == "interpolation":
            return tensor(_interpolated(tp, fp, fn), self._dtype)
        recall = _ratio(tp, tp + fn)
        x, y = (_ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, _ratio(tp, tp + fp))
        height = {"interpolation": (y[:-1] + y[1:]) / 2, "minoring": np.minimum(y[:-1], y[1:]),
                  "majoring": np.maximum(y[:-1], y[1:])}[self.summation_method]
        return tensor(((x[:-1] - x[1:]) * height).sum(), self._dtype)


def _interpolated(tp, fp, fn):
    """Between two thresholds precision follows the line of true against all positives (Davis and Goadrich, 2006)."""
    p = tp + fp
    dtp, dp = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = _ratio(dtp, np.maximum(dp, 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    ratio = np.where(both, _ratio(p[:-1], np.maximum(p[1:], 0)), 1.0)
    return _ratio(slope * (dtp + intercept * np.log(ratio)), np.maximum(tp[1:] + fn[1:], 0)).sum()


class F1Score(Metric):
    """The harmonic mean of precision and recall, for each class or averaged ("micro", "macro", "weighted")."""

    beta = 1.0

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(dtype, name)
        self.average, self.threshold, self._sums, self._classes = average, threshold, None, ()

    def update_state(self, y_true, y_pred, sample_weight=None):
        t, p = array(y_true, np.float64), array(y_pred, np.float64)
        t, p = [v.reshape(-1, v.shape[-1]) for v in (t, p)]
        said = p > self.threshold if self.threshold is not None else (p == p.max(-1, keepdims=True)) & (p != 0)
        true = t > 0.5
        w = np.ones((len(t), 1)) if sample_weight is None else array(sample_weight, np.float64).reshape(-1, 1)
        found = np.stack([(a * w).sum(0) for a in (said & true, said & ~true, ~said & true)])
        self._sums, self._classes = found if self._sums is None else self._sums + found, found.shape[1]

    def result(self):
        if self._sums is None:
            return tensor(0.0 if self.average is not None else np.zeros(self._classes), self._dtype)
        tp, fp, fn = self._sums.sum(1, keepdims=True) if self.average == "micro" else self._sums
        precision, recall = _ratio(tp, tp + fp), _ratio(tp, tp + fn)
        b = self.beta ** 2
        score = _ratio((1 + b) * precision * recall, b * precision + recall)
        if self.average == "weighted":
            return tensor((score * _ratio(tp + fn, (tp + fn).sum())).sum(), self._dtype)
        return tensor(score.mean() if self.average is not None else score, self._dtype)

    def reset_state(self):
        self._sums = None


class FBetaScore(F1Score):
    """As F1Score, where recall counts beta times as much as precision."""

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(average, threshold, name, dtype)
        self.beta = beta


class IoU(Metric):
    """What was found and is there, divided by what was found or is there: the mean over some classes."""

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
                 sparse_y_pred=True, axis=-1):
        super().__init__(dtype, name)
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.sparse_y_true, self.sparse_y_pred = ignore_class, sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable((num_classes, num_classes), "zeros", name="total_confusion_matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        t, p = array(y_true), array(y_pred)
        t = t if self.sparse_y_true else t.argmax(-1)
        p = p if self.sparse_y_pred else p.argmax(-1)
        t, p = [v.reshape(-1).astype(np.int64) for v in (t, p)]
        # Keras counts in integers here, and cuts off the fractions of weights.
        w = np.ones(len(t)) if sample_weight is None else np.trunc(array(sample_weight, np.float64).reshape(-1))
        if self.ignore_class is not None:
            keep = t != self.ignore_class
            t, p, w = t[keep], p[keep], w[keep]
        counts = self.total_cm.numpy()
        np.add.at(counts, (t, p), w)
        self.total_cm.assign(counts)

    def result(self):
        counts = self.total_cm.numpy().astype(np.float64)
        union = counts.sum(0) + counts.sum(1) - np.diag(counts)
        ids = self.target_class_ids
        there = union[ids] > 0
        score = _ratio(np.diag(counts)[ids], union[ids])
        return tensor(score[there].mean() if there.any() else 0, self._dtype)


class BinaryIoU(IoU):
    """IoU of two classes divided by a threshold."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, (array(y_pred) >= self.threshold).astype(np.int64), sample_weight)


class MeanIoU(IoU):
    """The mean IoU over all classes."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True,
                 axis=-1):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred)
