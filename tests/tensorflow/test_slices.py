"""`tf.IndexedSlices`: the gradient of `tf.gather` by its table. Expected values and texts are those of TensorFlow 2.21."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf


def gradient(fn, v):
    with tf.GradientTape() as tape:
        y = fn(v)
    return tape.gradient(y, v)


def table(rows=4, columns=2):
    return tf.Variable(np.linspace(-1, 1, rows * columns).reshape(rows, columns).astype(np.float32))


def test_gradient_of_gathered_rows_keeps_each_of_them():
    v = tf.Variable(tf.reshape(tf.range(12.0), (4, 3)))
    g = gradient(lambda v: tf.reduce_sum(tf.gather(v, [0, 2, 2]) ** 2), v)
    assert isinstance(g, tf.IndexedSlices) and g.shape == (4, 3) and g.dtype == tf.float32
    assert str(g) == ("IndexedSlices(indices=tf.Tensor([0 2 2], shape=(3,), dtype=int32), values=tf.Tensor(\n[[ 0.  2.  4.]\n"
                      " [12. 14. 16.]\n [12. 14. 16.]], shape=(3, 3), dtype=float32), "
                      "dense_shape=tf.Tensor([4 3], shape=(2,), dtype=int32))")
    assert tf.convert_to_tensor(g).numpy()[2].tolist() == [24, 28, 32]
    assert str(-g.values[0]) == "tf.Tensor([-0. -2. -4.], shape=(3,), dtype=float32)"


def test_embedding_and_positions_of_any_shape():
    layer = tf.keras.layers.Embedding(5, 2, embeddings_initializer="ones")
    ids = tf.constant([[1, 1, 3]])
    layer(ids)
    g = gradient(lambda v: tf.reduce_sum(layer(ids) * [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]), layer.embeddings)
    assert g.indices.numpy().tolist() == [1, 1, 3] and g.values.numpy().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert gradient(lambda v: tf.reduce_sum(tf.gather(v, 0)), table()).indices.numpy().tolist() == [0]


@pytest.mark.parametrize("fn, order", [
    (lambda v: total(v, 1) + total(v, 2), [1, 2]),
    (lambda v: total(v, 1) + total(v, 2) + total(v, 3), [3, 1, 2]),
    (lambda v: tf.reduce_sum(tf.gather(v, [1]) * 3) + total(v, 2), [2, 1]),
    (lambda v: tf.reduce_sum(tf.gather(v, [3]) * tf.gather(v, [2])) + total(v, 1), [1, 3, 2])])
def test_several_gathers_in_the_order_in_which_tensorflow_adds_them_up(fn, order):
    assert gradient(fn, tf.Variable(tf.ones((9, 1)))).indices.numpy().tolist() == order


def total(v, row):
    return tf.reduce_sum(tf.gather(v, [row]))


@pytest.mark.parametrize("fn", [
    lambda v: tf.gather(v, [0, 1], axis=1), lambda v: v[1:3] * 2, lambda v: tf.gather_nd(v, [[0, 1]]), lambda v: v[0],
    lambda v: tf.gather(v * 2, [0, 0]), lambda v: tf.reduce_sum(tf.gather(v, [0])) + tf.reduce_sum(v)])
def test_other_gradients_are_tensors(fn):
    g = gradient(fn, table())
    assert isinstance(g, tf.Tensor) and g.shape == (4, 2)


def test_a_source_between_is_given_its_gradient_too():
    v = table()
    with tf.GradientTape(persistent=True) as tape:
        y = tf.gather(v, [0, 0])
        tape.watch(y)
        z = y * 3
    dy, dv = tape.gradient(z, [y, v])
    assert dy.numpy().tolist() == [[3, 3], [3, 3]] and dv.indices.numpy().tolist() == [0, 0]
    assert tape.jacobian(z, v).shape == (2, 2, 4, 2)


def test_gradients_of_gradients():
    v = tf.Variable(tf.ones((4, 2)))
    with tf.GradientTape() as outer:
        g = gradient(lambda v: tf.reduce_sum(tf.gather(v, [0, 0, 3]) ** 3), v)
        s = tf.reduce_sum(tf.convert_to_tensor(g) ** 2)
    second = outer.gradient(s, v)
    assert second.indices.numpy().tolist() == [0, 0, 3]
    assert second.values.numpy().tolist() == [[72, 72], [72, 72], [36, 36]]


def test_operations_on_slices():
    g = tf.IndexedSlices(tf.constant([[3.0, 0.0], [0.0, 4.0]]), tf.constant([0, 0]), tf.constant([3, 2]))
    assert tf.linalg.global_norm([g]).numpy() == 5
    clipped, _ = tf.clip_by_global_norm([g], 1.0)
    np.testing.assert_allclose(clipped[0].values.numpy(), [[0.6, 0], [0, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(tf.clip_by_norm(g, 0.5).values.numpy(), [[0.3, 0], [0, 0.4]], rtol=1e-6)
    assert tf.clip_by_value(g, -1, 1).values.numpy().tolist() == [[1, 0], [0, 1]]
    assert tf.cast(g, tf.float64).dtype == tf.float64 and (-g).values.numpy()[0, 0] == -3
    assert tf.square(g).numpy().tolist() == [[9, 16], [0, 0], [0, 0]] and tf.reduce_sum(g).numpy() == 7
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*: 'IndexedSlices' and 'int'"):
        g * 2


# rows 1 and 2 after three steps along (gather(w, [1, 1, 2]) - 0.3) ** 2
EXPECTED = {
    "RMSprop": [0.257588, 0.300034, 0.331865, 0.269076],
    "Adagrad": [-0.134242, 0.126927, 0.270207, 0.318803],
    "Adam": [-0.0108401, 0.264242, 0.386687, 0.212395],
    "Adamax": [-0.149858, 0.122319, 0.349262, 0.24089],
    "Nadam": [-0.0967392, 0.164708, 0.305524, 0.290514],
    "Adadelta": [-0.427965, -0.14225, 0.143286, 0.428143],
    "Ftrl": [-0.0797735, 0.150902, 0.215491, 0.16121],
    "Lion": [-0.128571, 0.157143, 0.242857, 0.328571],
    "Adam clipnorm": [-0.00378305, 0.276836, 0.380258, 0.230182],
    "Adam clipvalue": [-0.00431168, 0.276836, 0.386687, 0.212395],
    "Adam global_clipnorm": [-0.128286, 0.155835, 0.383693, 0.222912],
}


def test_optimizers_take_rows_as_tensorflow_does():
    """Row 1 stands twice in the gradient: its squares are summed, not its sum squared."""
    for name, expected in EXPECTED.items():
        kind, _, clip = name.partition(" ")
        w = table()
        options = {clip: 0.5} if clip else {}
        optimizer = getattr(tf.keras.optimizers, kind)(0.1, **options)
        for _ in range(3):
            g = gradient(lambda w: tf.reduce_sum((tf.gather(w, [1, 1, 2]) - 0.3) ** 2), w)
            optimizer.apply_gradients([(g, w)])
        np.testing.assert_allclose(w.numpy()[1:3].reshape(-1), expected, rtol=2e-5, atol=2e-6, err_msg=name)
        assert w.numpy()[[0, 3]].tolist() == table().numpy()[[0, 3]].tolist() or kind in ("Ftrl", "AdamW")
