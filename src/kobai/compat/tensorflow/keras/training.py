"""`compile`, `fit`, `evaluate`, `predict`."""
from __future__ import annotations

import warnings

import numpy as np

from ....diagnose import error
from .. import nest, tracing
from ..creation import zeros
from ..tape import GradientTape
from ..tensors import EagerTensor
from . import feeding, metrics, optimizers
from .callbacks import CallbackList, History
from .compiled import CompileLoss, CompileMetrics
from .layer import _signature


class Trainer:
    """The training of a model. Programs may define `train_step`, `test_step`, `predict_step` and `compute_loss`."""

    def _start_training(self):
        object.__setattr__(self, "_trainer", {"compiled": False})
        self.optimizer = self.loss = self.history = None
        self.stop_training = False

    # ---- compile -------------------------------------------------------------------------
    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
                run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True):
        """Say how to train: the optimizer, the loss, and what to measure."""
        self.optimizer = optimizers.get(optimizer)
        names = getattr(self, "output_names", None) or getattr(getattr(self, "_functional", None), "output_names", None)
        self.loss, self.run_eagerly = loss, run_eagerly
        state = {"compiled": True, "loss_tracker": _mean("loss"), "metrics": None, "loss": None,
                 "config": dict(optimizer=optimizer, loss=loss, metrics=metrics, loss_weights=loss_weights)}
        if loss is not None:
            state["loss"] = CompileLoss(loss, loss_weights, names)
        if metrics is not None or weighted_metrics is not None:
            state["metrics"] = CompileMetrics(metrics, weighted_metrics, names)
        object.__setattr__(self, "_trainer", state)

    compiled = property(lambda self: self._trainer["compiled"])
    _loss_tracker = property(lambda self: self._trainer["loss_tracker"])

    @property
    def metrics(self):
        """The loss, the compiled metrics, and those among the attributes."""
        state = self._trainer
        own = [m for layer in self._flatten_layers() for m in layer._held(
            lambda v: isinstance(v, metrics.Metric))]
        found = [state["loss_tracker"]] if state["compiled"] and state["loss"] is not None else []
        found += [m for m in own if m not in found]
        if state.get("metrics") is not None:
            found.append(state["metrics"])
        return found + (state["loss"].metrics if state.get("loss") is not None else [])

    metrics_names = property(lambda self: [m.name for m in self.metrics])

    def reset_metrics(self):
        """Begin all metrics again."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self):
        """The values of all metrics by name."""
        found = {}
        for m in self.metrics:
            value = m.result()
            found.update(value if isinstance(value, dict) else {m.name: value})
        return found

    def compiled_loss(self, y_true, y_pred, sample_weight=None, regularization_losses=None):
        """The compiled loss (Keras 2's name)."""
        total = self._trainer["loss"](y_true, y_pred, sample_weight)
        for extra in regularization_losses or ():
            total = total + extra
        self._trainer["loss_tracker"].update_state(total, sample_weight=float(nest.flatten(y_pred)[0].shape[0]))
        return total

    @property
    def compiled_metrics(self):
        """The compiled metrics (Keras 2's name)."""
        return self._trainer["metrics"] or CompileMetrics(None, None, None)

    # ---- one step ------------------------------------------------------------------------
    def _call(self, x, training):
        return self(x, training=training) if "training" in _signature(type(self)) else self(x)

    def train_step(self, data):
        """Train on one batch; returns the metrics."""
        x, y, w = feeding.unpack(data)
        with GradientTape() as tape:
            y_pred = self._call(x, True)
            loss = self._loss_of(x, y, y_pred, w, True)
        self._add_loss_of(loss, x)
        weights = self.trainable_weights
        if weights:
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        else:
            warnings.warn("The model does not have any trainable weights.")
        return self.compute_metrics(x, y, y_pred, w)

    def test_step(self, data):
        """Measure on one batch; returns the metrics."""
        x, y, w = feeding.unpack(data)
        y_pred = self._call(x, False)
        self._add_loss_of(self._loss_of(x, y, y_pred, w, False), x)
        return self.compute_metrics(x, y, y_pred, w)

    def predict_step(self, data):
        """The outputs for one batch."""
        return self._call(feeding.unpack(data)[0], False)

    def _add_loss_of(self, loss, x):
        self._trainer["loss_tracker"].update_state(loss, sample_weight=float(nest.flatten(x)[0].shape[0]))

    def _loss_of(self, x, y, y_pred, w, training):
        names = type(self).compute_loss.__code__.co_varnames
        extra = {"training": training} if "training" in names else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=w, **extra)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The compiled loss, and what layers and regularizers add."""
        total = None
        if self._trainer.get("loss") is not None:
            if y is None:
                raise error("argument-missing",
                            ValueError("Target data is missing. Your model was compiled with a loss, but no `y` was given."),
                            fn="fit()", what="y", must="an array of numbers",
                            fix="pass the targets, too: model.fit(x, y); a dataset gives pairs (x, y).")
            total = self._trainer["loss"](y, y_pred, sample_weight)
        for extra in self.losses:
            total = extra if total is None else total + extra
        if total is None:
            warnings.warn("The model has no loss: compile(loss=...) or add_loss(...).", stacklevel=2)
            return zeros(())
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Add a batch to the compiled metrics; returns the values of all metrics."""
        if self._trainer.get("metrics") is not None and y is not None:
            self._trainer["metrics"].update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    # ---- many steps ----------------------------------------------------------------------
    def _need_compile(self, name):
        if not self._trainer["compiled"]:
            raise error("call-order",
                        ValueError("You must call `compile()` before using the model." if name == "fit" else
                                   f"You must call `compile()` before calling `{name}()`."),
                        why="the model has no loss and no optimizer yet.",
                        fix="model.compile(optimizer='adam', loss='mse') first.")

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
            steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1):
        """Train for some epochs; returns a History."""
        self._need_compile("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = feeding.split_off([x, y, sample_weight], validation_split)
        batches = feeding.batches_of(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
        calls = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, True, verbose != 0, self, verbose=verbose, epochs=epochs, steps=batches.steps)
        self.stop_training = False
        calls.on_train_begin()
        raw = logs = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            calls.on_epoch_begin(epoch)
            for step, batch in enumerate(batches):
                calls.on_train_batch_begin(step)
                raw = self._traced("train_step", batch)
                logs = _numbers(raw)
                calls.on_train_batch_end(step, logs)
                if self.stop_training:
                    break
            logs = self._epoch_logs(raw, logs)
            if validation_data is not None and _is_due(epoch, validation_freq):
                more = self._validate(validation_data, validation_batch_size or batch_size, validation_steps, calls)
                logs = {**logs, **more}
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        calls.on_train_end(logs)
        self.history = calls.history if isinstance(calls, CallbackList) else History()
        return self.history

    def _epoch_logs(self, raw, logs):
        """The metrics at the end of an epoch; those of a step of the program's own where it returned others."""
        mine = self.get_metrics_result()
        return _numbers(mine) if not logs or set(mine) == set(raw or ()) else logs

    def _traced(self, name, batch):
        """One step; TensorFlow would trace it once after each `compile`, so it prints only then."""
        seen = self._trainer.setdefault("traced", set())
        silent = name in seen and not getattr(self, "run_eagerly", False) and not tracing.eagerly[0]
        seen.add(name)
        with tracing.running(silent):
            return getattr(self, name)(batch)

    def _validate(self, data, batch_size, steps, calls):
        if feeding.is_arrays(data):
            vx, vy, vw = feeding.unpack(tuple(data) if isinstance(data, list) else data)
            found = self.evaluate(vx, vy, batch_size, 0, vw, steps, calls, True)
        else:
            found = self.evaluate(data, None, None, 0, None, steps, calls, True)
        return {f"val_{k}": v for k, v in found.items()}

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
                 return_dict=False):
        """The loss and the metrics on data: a list, or a dict by name."""
        self._need_compile("evaluate")
        batches = feeding.batches_of(x, y, sample_weight, batch_size, steps)
        calls = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, False, verbose != 0, self, verbose=verbose, epochs=1, steps=batches.steps)
        calls.on_test_begin()
        self.reset_metrics()
        raw = logs = {}
        for step, batch in enumerate(batches):
            calls.on_test_batch_begin(step)
            raw = self._traced("test_step", batch)
            logs = _numbers(raw)
            calls.on_test_batch_end(step, logs)
        logs = self._epoch_logs(raw, logs)
        calls.on_test_end(logs)
        return logs if return_dict else self._in_order(logs)

    def _in_order(self, logs):
        """The values in the order of the metrics; one number if there is only one."""
        names = [n for m in self.metrics for n in (m.result() if hasattr(m, "metrics") else [m.name])]
        values = [logs[n] for n in names if n in logs] + [v for k, v in logs.items() if k not in names]
        return values[0] if len(values) == 1 else values

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The outputs for data, as NumPy arrays."""
        batches = feeding.batches_of(x, None, None, batch_size, steps)
        calls = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, False, verbose != 0, self, verbose=verbose, epochs=1, steps=batches.steps)
        calls.on_predict_begin()
        found = []
        for step, batch in enumerate(batches):
            calls.on_predict_batch_begin(step)
            found.append(self._traced("predict_step", batch))
            calls.on_predict_batch_end(step, {"outputs": found[-1]})
        calls.on_predict_end()
        columns = zip(*[nest.flatten(f) for f in found])
        return nest.pack_sequence_as(found[0], [np.concatenate([np.atleast_1d(t.numpy()) for t in c]) for c in columns])

    # ---- one batch -----------------------------------------------------------------------
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Train on these as one batch; returns the loss and the metrics."""
        self._need_compile("train_on_batch")
        self.reset_metrics()
        return self._one(self.train_step, x, y, sample_weight, return_dict, class_weight)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Measure on these as one batch; returns the loss and the metrics."""
        self._need_compile("test_on_batch")
        self.reset_metrics()
        return self._one(self.test_step, x, y, sample_weight, return_dict)

    def _one(self, step, x, y, w, return_dict, class_weight=None):
        batch = next(iter(feeding.Arrays(x, y, w, 10 ** 9, False, class_weight)))
        logs = _numbers(step(batch))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x):
        """The outputs for these as one batch."""
        out = self.predict_step(next(iter(feeding.Arrays(x, None, None, 10 ** 9, False))))
        return nest.map_structure(lambda t: t.numpy(), out)


def _mean(name):
    return metrics.Mean(name=name)


def _numbers(logs):
    """Metrics as numbers, by name in alphabetical order."""
    found = {}
    for k, v in sorted((logs or {}).items()):
        if isinstance(v, dict):
            found.update(_numbers(v))
        else:
            v = v.numpy() if isinstance(v, EagerTensor) or hasattr(v, "numpy") else np.asarray(v)
            found[k] = float(v) if getattr(v, "ndim", 0) == 0 else v
    return found


def _is_due(epoch, freq):
    return epoch + 1 in freq if not isinstance(freq, int) else (epoch + 1) % freq == 0


