"""Random numbers. The expected ones were printed by TensorFlow 2.21 on a CPU for the same seeds."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf


def close(t, want):
    np.testing.assert_allclose(t.numpy(), want, rtol=2e-6, atol=2e-7)


def test_a_global_seed():
    tf.random.set_seed(42)
    close(tf.random.normal([3]), [0.3274685, -0.8426258, 0.3194337])
    close(tf.random.uniform([5]), [0.68789124, 0.48447883, 0.9309944, 0.252187, 0.73115396])
    tf.random.set_seed(5)
    assert tf.random.uniform([]).numpy() == np.float32(0.6263931)


def test_operations_with_a_seed_of_their_own_go_on():
    tf.random.set_seed(42)
    first, second = tf.random.shuffle(tf.range(6), seed=3), tf.random.shuffle(tf.range(6), seed=3)
    assert first.numpy().tolist() != second.numpy().tolist()
    tf.random.set_seed(42)
    assert tf.random.shuffle(tf.range(6), seed=3).numpy().tolist() == first.numpy().tolist()
    a = tf.random.truncated_normal([3], seed=1)
    tf.random.set_seed(42)
    close(tf.random.truncated_normal([3], seed=1), a.numpy())


def test_shuffle():
    tf.random.set_seed(1)
    assert tf.random.shuffle(tf.range(10)).numpy().tolist() == [2, 4, 5, 6, 1, 3, 8, 0, 7, 9]
    tf.random.set_seed(1)
    assert tf.random.shuffle(tf.range(10), seed=0).numpy().tolist() == [2, 4, 0, 8, 9, 1, 5, 6, 3, 7]
    assert tf.random.shuffle(tf.range(10), seed=0).numpy().tolist() == [9, 4, 3, 5, 1, 0, 7, 2, 8, 6]


def test_stateless():
    close(tf.random.stateless_uniform([3], seed=[1, 2]), tf.random.stateless_uniform([3], seed=[1, 2]).numpy())
    assert tf.random.stateless_uniform([3], [1, 2], 0, 10, tf.int32).numpy().tolist() != [0, 0, 0]


def test_stateless_normal_is_what_tensorflow_draws():
    close(tf.random.stateless_truncated_normal([5], seed=[1, 2])[:3], [0.5441101, 0.20738031, 0.07356432])


def test_generator():
    g = tf.random.Generator.from_seed(1)
    close(g.normal([2]), [0.43842274, -0.53439844])
    close(g.uniform([3]), [0.26456964, 0.24923408, 0.74147856])
    assert g.state.numpy().tolist() == [1281, 0, 0]
    close(g.truncated_normal([2]), [0.5261956, 0.02384724])
    assert g.uniform([3], 0, 10, dtype=tf.int32).numpy().tolist() == [4, 7, 0]
    assert g.make_seeds(2).numpy()[0].tolist() == [2470399196295502633, 1832118863539921035]


def test_functions_number_their_operations():
    @tf.function
    def draw():
        return tf.random.uniform([]), tf.random.uniform([])
    tf.random.set_seed(5)
    close(tf.stack(draw()), [0.18286479, 0.38751841])
    close(tf.stack(draw()), [0.67307663, 0.98592305])


def test_dropout():
    tf.random.set_seed(0)
    assert tf.nn.dropout(tf.ones([6]), 0.5).numpy().tolist() == [0.0, 0.0, 2.0, 2.0, 0.0, 2.0]
    with pytest.raises(ValueError, match="`rate` must be a scalar tensor or a float in the range"):
        tf.nn.dropout(tf.ones(2), 1.5)


def test_moments_of_large_samples():
    """Mathematics: means and deviations of 100,000 numbers."""
    tf.random.set_seed(3)
    n = tf.random.normal([100000], 2.0, 3.0).numpy()
    assert abs(n.mean() - 2) < 0.05 and abs(n.std() - 3) < 0.05
    t = tf.random.truncated_normal([100000]).numpy()
    assert np.abs(t).max() < 2 and abs(t.std() - 0.8796) < 0.01
    u = tf.random.uniform([100000], -1, 1).numpy()
    assert u.min() >= -1 and u.max() < 1 and abs(u.mean()) < 0.01
    c = tf.random.categorical([[np.log(0.2), np.log(0.8)]], 100000).numpy()
    assert abs(c.mean() - 0.8) < 0.01
    assert abs(tf.random.gamma([100000], 2.0).numpy().mean() - 2) < 0.05
    assert abs(tf.random.poisson([100000], 3.0).numpy().mean() - 3) < 0.05


def test_errors():
    with pytest.raises(ValueError, match="Must specify maxval for integer dtype"):
        tf.random.uniform([2], dtype=tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Need minval < maxval, got 3 >= 3"):
        tf.random.uniform([2], 3, 3, tf.int32)
