"""What `compile` is told, brought to the outputs of a model: losses and metrics."""
from __future__ import annotations

from ....diagnose import error
from .. import nest
from ..arithmetic import multiply
from . import losses, metrics
from .metrics.base import Mean, MeanMetricWrapper, Metric


def _shapes(y_true, y_pred):
    return tuple(y_true.shape), tuple(y_pred.shape)


def _kind(y_true, y_pred):
    """"binary", "sparse" or "categorical", by the shapes of labels and outputs."""
    t, p = _shapes(y_true, y_pred)
    if p[-1] == 1:
        return "binary"
    return "sparse" if len(t) < len(p) or t[-1] == 1 and p[-1] > 1 else "categorical"


def loss_for(identifier, y_true, y_pred):
    """The loss object of a name, function or object."""
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        fn = {"binary": losses.binary_crossentropy, "sparse": losses.sparse_categorical_crossentropy,
              "categorical": losses.categorical_crossentropy}[_kind(y_true, y_pred)]
    else:
        fn = losses.get(identifier)
    if isinstance(fn, losses.Loss):
        return fn
    name = identifier if isinstance(identifier, str) else getattr(fn, "__name__", "loss")
    return losses.LossFunctionWrapper(fn, name=name)


def metric_for(identifier, y_true, y_pred):
    """The metric object of a name, function or object; "accuracy" goes by the shapes."""
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        found = {"binary": metrics.BinaryAccuracy, "sparse": metrics.SparseCategoricalAccuracy,
                 "categorical": metrics.CategoricalAccuracy}[_kind(y_true, y_pred)]()
    else:
        found = metrics.get(identifier)
        if not isinstance(found, Metric):
            found = MeanMetricWrapper(found, name=getattr(found, "__name__", None) or getattr(found, "name", None))
    if isinstance(identifier, str):
        found.name = identifier
    return found


class CompileLoss:
    """The sum of the losses of all outputs."""

    def __init__(self, loss, weights, output_names):
        self.loss, self.weights, self.output_names = loss, weights, output_names
        self._found = None
        self.metrics = []

    def __call__(self, y_true, y_pred, sample_weight=None):
        targets, outputs = nest.flatten(y_true), nest.flatten(y_pred)
        if self._found is None:
            self._build(y_true, y_pred, targets, outputs)
        if isinstance(y_true, dict) and not isinstance(y_pred, dict):
            targets = [y_true[n] for n in self.output_names]
        ws = nest.flatten(sample_weight) if sample_weight is not None else []
        ws = ws * len(outputs) if len(ws) == 1 else ws or [None] * len(outputs)
        total, each = None, []
        for i, fn, weight in self._found:
            value = fn(targets[i], outputs[i], ws[i])
            each.append(value)
            value = value if weight is None else multiply(value, weight)
            total = value if total is None else total + value
        for tracker, value in zip(self.metrics, each):
            tracker.update_state(value, sample_weight=float(outputs[0].shape[0]))
        return total

    def _build(self, y_true, y_pred, targets, outputs):
        n = len(outputs)
        names = sorted(y_pred) if isinstance(y_pred, dict) else self.output_names or [
            f"output_{i}" for i in range(n)]
        chosen, weights = _per_output(self.loss, names, n), _per_output(self.weights, names, n)
        if isinstance(y_true, dict) and not isinstance(y_pred, dict):
            targets = [y_true[k] for k in names]
        self._found = [(i, loss_for(fn, t, p), w) for i, (fn, t, p, w) in enumerate(zip(chosen, targets, outputs, weights))
                       if fn is not None]
        if len(self._found) > 1:
            self.metrics = [Mean(name=f"{names[i]}_loss") for i, _, _ in self._found]


def _per_output(given, names, n):
    """One entry for each output from one for all, a list, or a dict by name."""
    if isinstance(given, dict):
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)) and len(given) == n:
        return list(given)
    return [given[0] if isinstance(given, (list, tuple)) else given] * n


class CompileMetrics(Metric):
    """The metrics of all outputs."""

    def __init__(self, chosen, weighted, output_names):
        super().__init__(name="compile_metrics")
        for what, given in (("metrics", chosen), ("weighted_metrics", weighted)):
            if given is not None and not isinstance(given, (list, tuple, dict)):
                raise error("argument-type", ValueError(f"Expected `{what}` argument to be a list, tuple, or dict. Received "
                                                        f"instead: {what}={given} of type {type(given)}"),
                            what=what, kind=type(given), must="a list, even if it has one entry", value=given,
                            fix="put square brackets around it: {what}=[{value}].")
        self._chosen, self._weighted, self._output_names = chosen, weighted, output_names
        self._found = None

    @property
    def metrics(self):
        return [] if self._found is None else [metric for _, _, metric, _ in self._found]

    @property
    def variables(self):
        return [v for metric in self.metrics for v in metric.variables]

    def update_state(self, y_true, y_pred, sample_weight=None):
        outputs = nest.flatten(y_pred)
        names = sorted(y_pred) if isinstance(y_pred, dict) else self._output_names or [None] * len(outputs)
        targets = [y_true[k] for k in names] if isinstance(y_true, dict) and not isinstance(y_pred, dict) \
            else nest.flatten(y_true)
        if self._found is None:
            self._build(targets, outputs, names)
        ws = nest.flatten(sample_weight) if sample_weight is not None else [None]
        for i, weighted, metric, _ in self._found:
            w = ws[i if len(ws) > 1 else 0] if weighted else None
            metric.update_state(targets[i], outputs[i], sample_weight=w)

    def _build(self, targets, outputs, names):
        self._found = []
        many = len(outputs) > 1
        for given, weighted in ((self._chosen, False), (self._weighted, True)):
            for i, chosen in enumerate(_lists_per_output(given, names, len(outputs))):
                for identifier in chosen:
                    if identifier is not None:
                        metric = metric_for(identifier, targets[i], outputs[i])
                        name = f"{names[i]}_{metric.name}" if many and names[i] else metric.name
                        taken = [n for _, _, _, n in self._found]
                        if name in taken and weighted:
                            name = f"weighted_{name}"
                        base, k = name, 1
                        while name in taken:
                            name, k = f"{base}_{k}", k + 1
                        self._found.append((i, weighted, metric, name))

    def result(self):
        return {name: metric.result() for _, _, metric, name in self._found or ()}

    def reset_state(self):
        for metric in self.metrics:
            metric.reset_state()


def _lists_per_output(given, names, n):
    """A list of metrics for each output."""
    if given is None:
        return [[]] * n
    if n == 1:
        return [nest.flatten(given)]
    if isinstance(given, dict):
        return [_listed(given.get(name)) for name in names]
    if isinstance(given, (list, tuple)) and len(given) == n and any(isinstance(v, (list, tuple)) for v in given):
        return [_listed(v) for v in given]
    if isinstance(given, (list, tuple)) and len(given) == n:
        return [_listed(v) for v in given]
    return [list(given)] * n


def _listed(v):
    return [] if v is None else list(v) if isinstance(v, (list, tuple)) else [v]
