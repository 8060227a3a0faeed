"""GradientTape through TensorFlow's names. Numbers come from mathematics, printed forms from TensorFlow 2."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf


def test_first_gradient_and_printed_forms():
    x = tf.Variable(0.5)
    with tf.GradientTape() as tape:
        y = 2 * x**3 + 4 * x**2 + 5 * x + 6
    assert str(y) == "tf.Tensor(9.75, shape=(), dtype=float32)"
    assert str(tape.gradient(y, x)) == "tf.Tensor(10.5, shape=(), dtype=float32)"
    assert repr(x) == "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=0.5>"


def test_constants_are_watched_only_when_asked():
    c = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = c * c
    assert tape.gradient(y, c) is None
    with tf.GradientTape() as tape:
        tape.watch(c)
        y = c * c
    assert tape.gradient(y, c).numpy() == 6


def test_a_tape_is_used_once_unless_persistent():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.gradient(y, x)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    assert tape.gradient(z, x).numpy() == 32 and tape.gradient(y, x).numpy() == 4


def test_nested_tapes_give_second_derivatives():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x**3
        first = inner.gradient(y, x)
    assert first.numpy() == 12 and outer.gradient(first, x).numpy() == 12


def test_structures_lists_of_targets_and_unconnected():
    a, b, c = tf.Variable(2.0), tf.Variable(3.0), tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        y, z = a * b, a + b
    got = tape.gradient(y, {"a": a, "b": [b]})
    assert got["a"].numpy() == 3 and got["b"][0].numpy() == 2
    assert tape.gradient([y, z], a).numpy() == 4
    assert tape.gradient(y, c) is None
    assert tape.gradient(y, c, unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy() == 0


def test_jacobian_and_stop_gradient():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    np.testing.assert_allclose(tape.jacobian(y, x).numpy(), [[2, 0], [0, 4]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * tf.stop_gradient(x))
    assert tape.gradient(y, x).numpy().tolist() == [1, 2]


def test_an_optimizer_finds_the_root_of_two():
    x = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.05)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = (x * x - 2.0) ** 2
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])
    assert abs(float(x.numpy()) - 2**0.5) < 1e-4


def test_dtypes_do_not_mix():
    with pytest.raises(Exception, match="dtype|type|float"):
        tf.constant(1.0) + tf.constant(1)
