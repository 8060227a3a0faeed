"""`tf.train.Checkpoint` and `CheckpointManager`: the values of the variables below an object, in files.

A variable is known by the way to it from the checkpoint: the names of attributes, the numbers in lists. The
files have TensorFlow's names, and hold NumPy arrays: TensorFlow's own checkpoints cannot be read.
"""
from __future__ import annotations

import json
import os
import re

import numpy as np

from ...diagnose import error
from .errors import NotFoundError
from .modules import Module
from .names import export
from .variables import Variable, is_variable

_KIND = "kobai-checkpoint-1"
_INDEX, _DATA = ".index", ".data-00000-of-00001"


def _items(thing):
    """(name, object) of what stands directly below an object and may hold variables."""
    if isinstance(thing, dict):
        return [(str(k), v) for k, v in thing.items()]
    if isinstance(thing, (list, tuple)):
        return [(str(i), v) for i, v in enumerate(thing)]
    if hasattr(thing, "_own_weights"):  # a layer of Keras
        return [*[(f"weight{i}", w) for i, w in enumerate(thing._own_weights)],
                *[(f"layer{i}", v) for i, v in enumerate(thing._layers)]]
    if isinstance(thing, (Module, Checkpoint)):
        return [(k, v) for k, v in vars(thing).items() if not k.startswith("_")]
    found = getattr(thing, "variables", None)  # an optimizer, a metric
    return [(str(i), v) for i, v in enumerate(found)] if isinstance(found, (list, tuple)) else []


def _walk(thing, path="", seen=None):
    """(path, object) of all that lies below, each object once."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield path, thing
    if not is_variable(thing):
        for name, below in _items(thing):
            yield from _walk(below, f"{path}/{name}" if path else name, seen)


@export("train.Checkpoint")
class Checkpoint:
    """Saves and restores the variables of the objects it is given: `Checkpoint(model=model, optimizer=opt)`.

    >>> import kobai.compat.tensorflow as tf
    >>> import tempfile
    >>> v = tf.Variable(1.0)
    >>> path = tf.train.Checkpoint(v=v).save(tempfile.mkdtemp() + "/ckpt")
    >>> v.assign(5.0).numpy()
    np.float32(5.0)
    >>> status = tf.train.Checkpoint(v=v).restore(path)
    >>> v.numpy()
    np.float32(1.0)
    """

    def __init__(self, root=None, **kwargs):
        if root is not None:
            kwargs = {**dict(_items(root)), **kwargs}
        for name, thing in kwargs.items():
            if next((True for _, v in _walk(thing) if is_variable(v) or _grows(v)), None) is None and not _holds(thing):
                raise error("argument-type", ValueError(
                    f"`Checkpoint` was expecting {name} to be a trackable object (an object derived from "
                    f"`Trackable`), got {thing}. If you believe this object should be trackable (i.e. it "
                    "is part of the TensorFlow Python API and manages state), please open an issue."),
                    what=name, kind=type(thing),
                    must="a variable, a model, an optimizer, or a list or dict of them")
            setattr(self, name, thing)
        self.save_counter = Variable(np.int64(0), trainable=False, name="save_counter")

    def write(self, file_prefix, options=None):
        """Write the values as they are into the files `file_prefix`.*; returns `file_prefix`."""
        prefix = os.fspath(file_prefix)
        os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
        arrays = {path: v.numpy() for path, v in _walk(self) if is_variable(v)}
        with open(prefix + _DATA, "wb") as file:
            np.savez(file, **{str(i): a for i, a in enumerate(arrays.values())})
        with open(prefix + _INDEX, "w", encoding="utf-8") as file:
            json.dump({"kind": _KIND, "paths": list(arrays)}, file)
        return prefix

    def save(self, file_prefix, options=None):
        """Write the files `file_prefix`-1, -2, ...; returns the name without its ending, for `restore`."""
        self.save_counter.assign_add(1)
        prefix = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter)}")
        _note(os.path.dirname(prefix), prefix, [prefix])
        return prefix

    def read(self, save_path, options=None):
        """Set the variables to what `write` wrote; those of layers not built yet when they are built."""
        return _Restored(self, None if save_path is None else _load(os.fspath(save_path)))

    restore = read


def _holds(thing):
    return isinstance(thing, (dict, list, tuple, Module, Checkpoint)) or hasattr(thing, "variables")


def _grows(thing):
    """Whether variables may come later: a layer or an optimizer that is not built."""
    return getattr(thing, "built", True) is False


class _Restored:
    """What `restore` found, for those who want to be sure."""

    def __init__(self, root, values):
        self._root, self._values, self._used = root, values, set()
        if values is not None:
            self._set(root, "")

    def _set(self, thing, path):
        for place, v in _walk(thing, path):
            if is_variable(v) and place in self._values:
                v.assign(self._values[place])
                self._used.add(place)
            elif _grows(v):
                v.when_built(lambda v=v, place=place: self._set(v, place))

    def assert_existing_objects_matched(self):
        """Raise AssertionError if a variable that exists has no value in the file."""
        missing = [p for p, v in _walk(self._root) if is_variable(v) and p not in (self._values or {})]
        if missing and self._values is not None:
            raise error("not-possible", AssertionError(f"No checkpoint value for {', '.join(missing)}"),
                        names=missing, why="the checkpoint has no value for {names}.",
                        fix="make the objects under the same names as when the file was written.")
        return self

    def assert_consumed(self):
        """The same, and also if the file has values that nothing took."""
        self.assert_existing_objects_matched()
        left = [p for p in (self._values or {}) if p not in self._used]
        if left:
            raise error("not-possible", AssertionError(f"Unresolved object in checkpoint: {', '.join(left)}"),
                        names=left, why="the checkpoint has values that no variable took: {names}.",
                        fix="make the objects under the same names as when the file was written.")
        return self

    def assert_nontrivial_match(self):
        """Raise AssertionError if nothing was restored."""
        if not self._used - {"save_counter"}:
            raise error("not-possible",
                        AssertionError("Nothing to load. No dependencies have been added to the checkpoint yet."),
                        why="no variable of these objects is in the checkpoint.",
                        fix="make the objects under the same names as when the file was written.")
        return self

    def expect_partial(self):
        """Nothing: there are no warnings about values that nothing took."""
        return self

    def initialize_or_restore(self, session=None):
        """Nothing: variables were restored at once."""


def _load(prefix):
    """Path -> array of the files that `write` made."""
    if not os.path.exists(prefix + _INDEX):
        raise error("file", NotFoundError(
            None, None, "Unsuccessful TensorSliceReader constructor: Failed to find any matching files "
            f"for {prefix}"),
            path=prefix, why="there is no such checkpoint",
            fix="give the path that save() returned, or tf.train.latest_checkpoint(folder).")
    try:
        with open(prefix + _INDEX, encoding="utf-8") as file:
            about = json.load(file)
        assert about["kind"] == _KIND
    except (ValueError, TypeError, KeyError, AssertionError):
        raise error("file",
                    ValueError(f"{prefix} was not written by kobai. TensorFlow's checkpoints cannot be read here."),
                    path=prefix, why="it was not written by kobai",
                    fix="in TensorFlow, write the values with np.savez, and assign() them here.") from None
    with np.load(prefix + _DATA, allow_pickle=False) as arrays:
        return {path: arrays[str(i)] for i, path in enumerate(about["paths"])}


# ---- which is the latest ---------------------------------------------------------------------
def _note(folder, latest, every):
    lines = [f'{key}: "{os.path.relpath(path, folder or ".")}"\n'
             for key, path in [("model_checkpoint_path", latest), *[("all_model_checkpoint_paths", p) for p in every]]]
    with open(os.path.join(folder, "checkpoint"), "w", encoding="utf-8") as file:
        file.writelines(lines)


def _noted(folder):
    """The checkpoints of a folder, the latest last."""
    try:
        with open(os.path.join(folder, "checkpoint"), encoding="utf-8") as file:
            found = re.findall(r'^all_model_checkpoint_paths: "(.*)"$', file.read(), re.M)
    except OSError:
        return []
    paths = [os.path.join(folder, p) for p in found]
    return [p for p in paths if os.path.exists(p + _INDEX)]


@export("train.latest_checkpoint")
def latest_checkpoint(checkpoint_dir, latest_filename=None):
    """The checkpoint that was saved last into a folder, or None."""
    return (_noted(os.fspath(checkpoint_dir)) or [None])[-1]


@export("train.CheckpointManager")
class CheckpointManager:
    """Saves a checkpoint under numbered names in a folder, and deletes the oldest."""

    def __init__(self, checkpoint, directory, max_to_keep, keep_checkpoint_every_n_hours=None, checkpoint_name="ckpt",
                 step_counter=None, checkpoint_interval=None, init_fn=None):
        if max_to_keep is not None and max_to_keep <= 0:
            raise error("argument-value",
                        ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}."),
                        what="max_to_keep", value=max_to_keep, must="a positive whole number or None")
        if step_counter is None and checkpoint_interval is not None:
            raise error("arguments-together",
                        ValueError("`step_counter` should be passed if `checkpoint_interval` is not None."),
                        what="checkpoint_interval", other="step_counter")
        self.checkpoint, self.directory, self._most = checkpoint, os.fspath(directory), max_to_keep
        self._name, self._init = checkpoint_name, init_fn
        self._counter, self._interval, self._last = step_counter, checkpoint_interval, None
        self.checkpoints = _noted(self.directory)

    checkpoint_interval = property(lambda self: self._interval)

    @property
    def latest_checkpoint(self):
        return self.checkpoints[-1] if self.checkpoints else None

    def save(self, checkpoint_number=None, check_interval=True, options=None):
        """Write a checkpoint and return its path; None if the last one is not `checkpoint_interval` steps old."""
        step = None if self._counter is None else int(self._counter)
        if check_interval and self._interval is not None and self._last is not None and step - self._last < self._interval:
            return None
        self._last = step
        self.checkpoint.save_counter.assign_add(1)
        number = int(self.checkpoint.save_counter if checkpoint_number is None else checkpoint_number)
        path = self.checkpoint.write(os.path.join(self.directory, f"{self._name}-{number}"))
        self.checkpoints = [*[p for p in self.checkpoints if p != path], path]
        while self._most is not None and len(self.checkpoints) > self._most:
            old, *self.checkpoints = self.checkpoints
            for ending in (_INDEX, _DATA):
                if os.path.exists(old + ending):
                    os.remove(old + ending)
        _note(self.directory, path, self.checkpoints)
        return path

    def restore_or_initialize(self):
        """Restore the latest checkpoint and return its path; without one call `init_fn`, and return None."""
        if self.latest_checkpoint is not None:
            self.checkpoint.restore(self.latest_checkpoint)
            return self.latest_checkpoint
        if self._init is not None:
            self._init()
        return None
