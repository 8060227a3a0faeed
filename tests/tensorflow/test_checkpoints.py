"""tf.train: names of files and what is restored are TensorFlow 2.21's."""
import os

import numpy as np
import pytest

import kobai.compat.tensorflow as tf


class Line(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(2.0)
        self.more = [tf.Variable([1.0, 2.0]), {"b": tf.Variable(0)}]

    def __call__(self, x):
        return self.w * x


def values(model):
    return [v.numpy().tolist() for v in model.variables]


def test_save_and_restore(tmp_path):
    line = Line()
    checkpoint = tf.train.Checkpoint(line=line, step=tf.Variable(7))
    path = checkpoint.save(tmp_path / "ckpt")
    assert path == str(tmp_path / "ckpt-1") and checkpoint.save(tmp_path / "ckpt") == str(tmp_path / "ckpt-2")
    assert {"ckpt-1.index", "ckpt-1.data-00000-of-00001", "checkpoint"} <= set(os.listdir(tmp_path))
    before = values(line)
    for v in line.variables:
        v.assign(v + 1)
    checkpoint.step.assign(0)
    checkpoint.restore(path).assert_consumed()
    assert values(line) == before and int(checkpoint.step) == 7
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "ckpt-2")


def model_and_optimizer(build=True):
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="tanh"), tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.Adam(0.1)
    if build:
        step(model, optimizer)
    return model, optimizer


def step(model, optimizer):
    x = tf.constant(np.linspace(-1, 1, 8).reshape(4, 2).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return float(loss)


def test_training_goes_on_where_it_was_saved_also_before_anything_is_built(tmp_path):
    model, optimizer = model_and_optimizer()
    path = tf.train.Checkpoint(model=model, optimizer=optimizer).save(tmp_path / "c")
    want = [step(model, optimizer) for _ in range(3)]
    for build in (True, False):
        model, optimizer = model_and_optimizer(build)
        tf.train.Checkpoint(model=model, optimizer=optimizer).restore(path)
        assert [step(model, optimizer) for _ in range(3)] == pytest.approx(want, rel=1e-6)


def test_manager_keeps_the_latest(tmp_path):
    v = tf.Variable(1.0)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), tmp_path / "run", max_to_keep=2)
    assert manager.restore_or_initialize() is None and manager.latest_checkpoint is None
    for n in range(4):
        v.assign(float(n))
        manager.save()
    names = [str(tmp_path / "run" / f"ckpt-{n}") for n in (3, 4)]
    assert manager.checkpoints == names and manager.latest_checkpoint == names[-1]
    assert not os.path.exists(tmp_path / "run" / "ckpt-1.index")
    again = tf.Variable(0.0)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=again), tmp_path / "run", max_to_keep=2)
    assert manager.restore_or_initialize() == names[-1] and float(again) == 3.0
    assert manager.save() == str(tmp_path / "run" / "ckpt-5")


def test_what_does_not_fit(tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable(1.0)).write(tmp_path / "x")
    with pytest.raises(AssertionError, match="No checkpoint value for b"):
        tf.train.Checkpoint(b=tf.Variable(1.0)).restore(path).assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Unresolved object in checkpoint: a"):
        tf.train.Checkpoint(save_counter=tf.Variable(0)).restore(path).assert_consumed()
    with pytest.raises(tf.errors.NotFoundError, match="Failed to find any matching files for"):
        tf.train.Checkpoint().restore(tmp_path / "none")
    with pytest.raises(ValueError, match="expecting a to be a trackable object"):
        tf.train.Checkpoint(a=3)
    (tmp_path / "foreign.index").write_bytes(b"\0\0\1")
    with pytest.raises(ValueError, match="was not written by kobai"):
        tf.train.Checkpoint().restore(tmp_path / "foreign")
    tf.train.Checkpoint(a=tf.Variable(1.0)).restore(None)
