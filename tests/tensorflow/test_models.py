"""Keras models: what a symbolic call leaves alone, names and tables. Expected texts are those of Keras 3.15 on TensorFlow."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf

keras = tf.keras
layers = keras.layers


@pytest.fixture(autouse=True)
def names_from_the_beginning():
    keras.backend.clear_session()


class Noise(layers.Layer):
    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(1337)

    def call(self, x):
        return x + keras.random.normal(tf.shape(x), seed=self.seeds)


def test_a_symbolic_call_draws_no_random_numbers():
    noise, place = Noise(), keras.Input((2,))
    model = keras.Model(place, noise(place))
    assert noise.seeds.state.numpy().tolist() == [1337, 0]
    assert model(tf.zeros((1, 2))).numpy() == pytest.approx(np.array([[0.6077996, -0.8891753]]))  # TensorFlow's
    assert noise.seeds.state.numpy().tolist() == [1337, 1]


def test_a_symbolic_call_leaves_moving_averages():
    norm = layers.BatchNormalization()
    norm(keras.Input((3,)), training=True)
    assert norm.moving_variance.numpy().tolist() == [1, 1, 1]


def test_weights_without_names_are_numbered():
    class Two(layers.Layer):
        def build(self, shape):
            self.a, self.b = self.add_weight(shape=(2,)), self.add_weight(shape=(2,))

    two = Two()
    two.build((1,))
    assert [w.path for w in two.weights] == ["two/variable", "two/variable_1"]


def test_a_sequential_model_is_built_once():
    model = keras.Sequential([layers.Dense(3)])
    model(np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"'sequential' has already been configured to use input shape \(2, 4\)\. You cannot "
                                         r"build it with input_shape \(None, 4\)"):
        model.build((None, 4))


def test_summary_of_a_subclassed_model(capsys):
    """Layers that are built from the beginning show no shape; long words end in dots."""
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Conv2D(2, 3), layers.ReLU(), layers.MaxPooling2D(), layers.UpSampling2D(), layers.Flatten(),
                          layers.Dense(3, name="a_layer_with_quite_a_long_name")]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    net = Net()
    net(np.ones((2, 6, 6, 1), "float32"))
    net.summary()
    rows = [[c.strip() for c in line.split("│")[1:4]] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert rows == [["conv2d (Conv2D)", "(2, 4, 4, 2)", "20"], ["re_lu (ReLU)", "?", "0"],
                    ["max_pooling2d (MaxPooling2D)", "?", "0"], ["up_sampling2d (UpSampling2D)", "(2, 4, 4, 2)", "0"],
                    ["flatten (Flatten)", "(2, 32)", "0"], ["a_layer_with_quite_a_long_name", "(2, 3)", "99"],
                    ["(Dense)", "", ""]]
    place = keras.Input((4,), name="an_input_of_a_long_name")
    keras.Model(place, layers.Concatenate()([place, layers.Dense(2)(place)])).summary()
    assert "│ an_input_of_a_long… │" in capsys.readouterr().out


@pytest.mark.parametrize("make, kind, text", [
    (lambda: layers.Concatenate()([np.ones((2, 3)), np.ones((3, 3))]), ValueError,
     "matching shapes except for the concatenation axis. Received: input_shape=[(2, 3), (3, 3)]"),
    (lambda: layers.Conv2D(3, 5)(np.ones((1, 3, 3, 1), "float32")), ValueError,
     "Computed output size would be zero or negative. Received `inputs shape=(1, 3, 3, 1)`, `kernel shape=(5, 5, 1, 3)`, "
     "`dilation_rate=[1 1]`, `strides=(1, 1)`, `padding=valid`."),
    (lambda: layers.Conv2D(3, 2, padding="foo"), ValueError,
     "The `padding` argument must be a list/tuple or one of {'valid', 'same'}. Received: foo"),
    (lambda: keras.losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 4))), tf.errors.InvalidArgumentError,
     "Incompatible shapes: [2,3] vs. [2,4] [Op:Sub]"),
    (lambda: layers.Dense(2).input, AttributeError, "The layer dense has never been called and thus has no defined input."),
])
def test_mistakes(make, kind, text):
    with pytest.raises(kind) as found:
        make()
    assert text in str(found.value)


def test_concatenate_takes_other_sizes_along_its_axis():
    assert layers.Concatenate(axis=1)([np.ones((2, 3, 4)), np.ones((2, 5, 4))]).shape == (2, 8, 4)
