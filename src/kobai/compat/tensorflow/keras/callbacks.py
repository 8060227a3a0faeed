"""What happens beside training: histories, early stopping, changing rates, saving."""
from __future__ import annotations

import csv
import os
import warnings

import numpy as np

from ....diagnose import error
from .progress import Progbar


def _say(text):
    print(text, flush=True)


class Callback:
    """The base of callbacks: methods that are called at each point of training; `self.model` is the model."""

    def __init__(self):
        self.params, self.model, self.validation_data = None, None, None

    def set_params(self, params):
        """Take the parameters of training."""
        self.params = params

    def set_model(self, model):
        """Take the model."""
        self.model = model

    def on_batch_begin(self, batch, logs=None):
        """Called as `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """Called as `on_train_batch_end`."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a batch is trained on."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a batch was trained on; `logs` are the metrics so far."""
        self.on_batch_end(batch, logs)


def _nothing(name):
    def method(self, *args, **kwargs):
        pass
    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"At the point {name[3:].replace('_', ' ')}."
    return method


_POINTS = ["on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end", "on_test_begin", "on_test_end",
           "on_predict_begin", "on_predict_end", "on_test_batch_begin", "on_test_batch_end",
           "on_predict_batch_begin", "on_predict_batch_end"]
for _point in _POINTS:
    setattr(Callback, _point, _nothing(_point))


class CallbackList(Callback):
    """Several callbacks as one."""

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        super().__init__()
        flat = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
        self.callbacks = flat
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in flat):
            self.callbacks = [*flat, ProgbarLogger()]
        self.history = next((c for c in flat if isinstance(c, History)), None) or History()
        if add_history and self.history not in self.callbacks:
            self.callbacks = [*self.callbacks, self.history]
        for c in self.callbacks:
            c.set_params(params)
            if model is not None:
                c.set_model(model)
        if model is not None and add_history:
            model.history = self.history


def _to_all(name):
    def method(self, *args, **kwargs):
        if "logs" in kwargs:
            args = (*args, kwargs.pop("logs"))
        elif len(args) < names:
            args = (*args, {})
        for c in self.callbacks:  # logs by their place: a LambdaCallback may call them otherwise
            getattr(c, name)(*args, **kwargs)
    names = 1 if name.rpartition("_")[0] in ("on_train", "on_test", "on_predict") else 2  # a number, and the logs
    method.__name__ = method.__qualname__ = name
    return method


for _point in [*_POINTS, "on_train_batch_begin", "on_train_batch_end"]:
    setattr(CallbackList, _point, _to_all(_point))


class History(Callback):
    """Keeps the metrics of each epoch: `history.history["loss"]`."""

    def __init__(self):
        super().__init__()
        self.history = {}

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)
        self.model.history = self


class ProgbarLogger(Callback):
    """Prints a bar and the metrics."""

    def __init__(self):
        super().__init__()
        self._in_fit, self._bar, self._seen = False, None, 0

    def set_params(self, params):
        self.params = params
        self.verbose = 1 if params.get("verbose") == "auto" else params.get("verbose", 1)
        self.epochs, self.target = params.get("epochs", 1), params.get("steps")

    def _begin(self, *args, **kwargs):
        self._bar, self._seen = Progbar(self.target, verbose=self.verbose, all_stateful=True), 0

    def on_train_begin(self, logs=None):
        self._in_fit = True

    def on_epoch_begin(self, epoch, logs=None):
        self._begin()
        if self.verbose and self.epochs > 1:
            _say(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs=None):
        if not self._in_fit:
            self._begin()

    on_predict_begin = _begin

    def on_train_batch_end(self, batch, logs=None):
        self._seen = batch + 1
        if self.verbose == 1:
            self._bar.update(self._seen, list((logs or {}).items()), finalize=False)

    def on_test_batch_end(self, batch, logs=None):
        if not self._in_fit:
            self.on_train_batch_end(batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        self.on_train_batch_end(batch)

    def _end(self, logs=None):
        self.target = self._bar.target = self.target or self._seen
        self._bar.update(self.target, list((logs or {}).items()), finalize=True)

    def on_epoch_end(self, epoch, logs=None):
        self._end(logs)

    def on_test_end(self, logs=None):
        if not self._in_fit:
            self._end(logs)

    def on_predict_end(self, logs=None):
        self._end()


_UP = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score", "r2_score", "iou", "io_u",
       "true_positives", "true_negatives", "cosine_similarity")


class _Monitor(Callback):
    """Watches one metric, and knows what is better."""

    def __init__(self, monitor, mode="auto", min_delta=0.0, baseline=None):
        super().__init__()
        self.monitor, self.min_delta, self.best = monitor, abs(min_delta), baseline
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.")
            mode = "auto"
        self.mode = mode

    def _better(self, value, than):
        if than is None:
            return True
        name = self.monitor.removeprefix("val_")
        up = self.mode == "max" or self.mode == "auto" and any(part in name for part in _UP)
        return value - self.min_delta > than if up else value + self.min_delta < than

    def _value(self, logs, what):
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(f"{what} conditioned on metric `{self.monitor}` which is not available. Available metrics "
                          f"are: {','.join((logs or {}).keys())}", stacklevel=3)
        return value


class EarlyStopping(_Monitor):
    """Stops when a metric has not become better for `patience` epochs."""

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs=None):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        value = self._value(logs, "Early stopping")
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose:
            _say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                _say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(_Monitor):
    """Multiplies the learning rate by `factor` when a metric has not become better for `patience` epochs."""

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=0.0001, cooldown=0,
                 min_lr=0.0, **kwargs):
        if factor >= 1.0:
            raise error("argument-value",
                        ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"),
                        what="factor", value=factor, must="a number below {high}", high=1,
                        fix="the learning rate is multiplied by it: 0.1 or 0.5, for example.")
        super().__init__(monitor, mode, min_delta)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr

    def on_train_begin(self, logs=None):
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        if logs is not None:
            logs["learning_rate"] = rate
        value = self._value(logs, "Learning rate reduction is")
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.wait = self.cooldown_counter - 1, 0
        if self._better(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                new = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = new
                if self.verbose:
                    _say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate at the begin of each epoch: `schedule(epoch, rate)`."""

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        try:
            new = self.schedule(epoch, rate)
        except TypeError:
            new = self.schedule(epoch)
        if not isinstance(new, (float, np.float32, np.float64)) and not hasattr(new, "numpy"):
            raise error("wrong-return",
                        ValueError(f"The output of the `schedule` function should be a float. Got: {new}"),
                        what="schedule", kind=type(new), must="a number")
        self.model.optimizer.learning_rate = new
        if self.verbose:
            _say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {new}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ModelCheckpoint(_Monitor):
    """Saves the model, or its weights, after each epoch or when a metric became better."""

    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False,
                 mode="auto", save_freq="epoch", initial_value_threshold=None):
        super().__init__(monitor, mode, baseline=initial_value_threshold)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self._batches, self._epoch = 0, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % self.save_freq == 0:
            self._save(self._epoch, logs or {}, {"batch": batch + 1})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch, logs or {}, {})

    def _save(self, epoch, logs, more):
        path = self.filepath.format(epoch=epoch + 1, **more, **logs)
        if self.save_best_only:
            value = logs.get(self.monitor)
            if value is None:
                warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
            elif not self._better(value, self.best):
                if self.verbose:
                    _say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            else:
                if self.verbose:
                    before = "None" if self.best is None else f"{self.best:.5f}"
                    _say(f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}, saving model to "
                         f"{path}")
                self.best = value
        elif self.verbose:
            _say(f"\nEpoch {epoch + 1}: saving model to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            _say(f"\nEpoch {epoch + 1}: finished saving model to {path}")


class LambdaCallback(Callback):
    """Functions for some of the points."""

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None, **kwargs):
        super().__init__()
        for name, fn in {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end,
                         "on_train_begin": on_train_begin, "on_train_end": on_train_end,
                         "on_train_batch_begin": on_train_batch_begin, "on_train_batch_end": on_train_batch_end,
                         **kwargs}.items():
            if fn is not None:
                setattr(self, name, fn)


class TerminateOnNaN(Callback):
    """Stops when the loss is not a number."""

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            _say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class CSVLogger(Callback):
    """Writes the metrics of each epoch into a file."""

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename, self.separator, self.append = os.fspath(filename), separator, append

    def on_train_begin(self, logs=None):
        self._header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename))
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")
        self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        if self._writer is None:
            keys = sorted(logs)
            if not any(k.startswith("val_") for k in keys):  # validation may come in a later epoch
                keys += [f"val_{k}" for k in keys]
            self._writer = csv.DictWriter(self._file, ["epoch", *keys], "NA", "ignore", delimiter=self.separator)
            if self._header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()

    def on_train_end(self, logs=None):
        self._file.close()
