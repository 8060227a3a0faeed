"""Sizes of pictures, windows of series and keras.ops, with what TensorFlow 2.21 gives for them."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf
from kobai.compat.tensorflow import keras

PICTURE = (np.arange(32) * 7.3 % 255).astype("uint8").reshape(2, 4, 4, 1)
X = np.array([[3.0, 1.0, 2.0], [4.0, 0.0, 9.0]], "float32")


def test_whole_numbers_stay_whole_when_pictures_are_resized():
    y = keras.layers.Resizing(3, 2)(PICTURE)
    assert y.dtype == tf.uint8
    assert y.numpy().ravel().tolist() == [8, 22, 47, 62, 86, 101, 125, 139, 164, 178, 203, 218]


def test_the_part_that_is_kept_is_rounded_down():
    y = keras.layers.Resizing(3, 2, crop_to_aspect_ratio=True)(PICTURE.astype("float32"))
    np.testing.assert_allclose(y.numpy().ravel()[:4], [11.833334, 18.833334, 50.5, 58.0], rtol=1e-6)


def test_the_middle_of_a_picture_is_of_the_layers_dtype():
    assert keras.layers.CenterCrop(2, 3)(PICTURE).dtype == tf.float32


def test_shuffled_windows_come_in_tensorflows_order():
    tf.random.set_seed(5)
    batch, = keras.utils.timeseries_dataset_from_array(np.arange(10), None, 3, shuffle=True, seed=3)
    assert batch.numpy()[:, 0].tolist() == [3, 0, 5, 2, 1, 6, 4, 7]


def test_ops_along_no_axis_and_weights_along_one():
    assert keras.ops.argmax(X, keepdims=True).numpy().tolist() == [[5]]
    assert keras.ops.argmax(X, axis=1, keepdims=True).numpy().tolist() == [[0], [2]]
    assert keras.ops.average(X, axis=0, weights=np.array([1.0, 3.0], "float32")).numpy().tolist() == [3.75, 0.25, 7.25]
    assert keras.ops.vstack([X[0], X[1]]).numpy().tolist() == [3, 1, 2, 4, 0, 9]


def test_sizes_below_zero():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Dimension -3 must be >= 0"):
        tf.fill([2, -3], 1.0)
    with pytest.raises(TypeError, match="Cannot convert 2.5 to EagerTensor of dtype int64"):
        tf.data.Dataset.range(5).batch(2.5)
