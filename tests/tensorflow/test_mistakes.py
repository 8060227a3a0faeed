"""Common mistakes with Keras and tf.data: TensorFlow's type and first words (recorded from TensorFlow 2.21), and the fix."""
import numpy as np
import pytest

from kobai.compat import tensorflow as tf

keras = tf.keras
INVALID = tf.errors.InvalidArgumentError


def compiled(loss, **options):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", loss, **options)
    return model


MISTAKES = [
    (lambda: compiled("categorical_crossentropy").fit(np.ones((2, 4)), np.array([0, 2]), verbose=0), ValueError,
     "Arguments `target` and `output` must have the same rank (ndim). Received: target.shape=(", "K413",
     "sparse_categorical_crossentropy"),
    (lambda: compiled("mse").fit(np.ones((2, 4)), np.ones((2, 5)), verbose=0), INVALID, "Incompatible shapes: [2,5] vs. [2,3]",
     "K413", "Dense(5)"),
    (lambda: compiled("mse", metrics="accuracy"), ValueError,
     "Expected `metrics` argument to be a list, tuple, or dict. Received instead: metrics=accuracy of type <class 'str'>",
     "K402", "metrics=['accuracy']"),
    (lambda: keras.Sequential(keras.layers.Dense(3), keras.layers.Dense(2)), ValueError,
     "Expected `trainable` to be a boolean. Received: trainable=<Dense", "K402", "Sequential([a, b])"),
    (lambda: tf.data.Dataset.from_tensor_slices(np.ones(3)).batch(0), INVALID, "Batch size must be greater than zero.", "K401",
     "a positive whole number"),
    (lambda: tf.data.Dataset.from_tensor_slices(np.ones(3)).batch("a"), TypeError,
     "Cannot convert 'a' to EagerTensor of dtype int64", "K402", "a positive whole number"),
    (lambda: tf.data.Dataset.from_tensor_slices([1, 2]).map(3), ValueError,
     "Argument `func` must be a callable. Received func=3 (of type <class 'int'>)", "K402", "a function"),
    (lambda: tf.math.add_n([]), ValueError,
     "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape.", "K407", "at least 1"),
    (lambda: tf.ones([-1]), INVALID, "Dimension -1 must be >= 0", "K401", "at least 0"),
]


@pytest.mark.parametrize("call, kind, first, code, fix", MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_explained(call, kind, first, code, fix, monkeypatch):
    for language, label in (("en", "\n  fix: "), ("ja", "\n  対処: ")):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(kind) as e:
            call()
        assert first in str(e.value).splitlines()[0] and e.value.code == code and label in str(e.value)
        if language == "en":
            assert fix in str(e.value).partition(label)[2]
