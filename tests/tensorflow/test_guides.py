"""Smaller things that guides and tutorials use. Expected values and texts are those of TensorFlow 2.21 with Keras 3.15."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf

keras = tf.keras


@pytest.fixture(autouse=True)
def names_from_the_beginning():
    keras.backend.clear_session()


def test_parts_of_rows_are_reversed():
    x = tf.reshape(tf.range(12), [3, 4])
    assert tf.reverse_sequence(x, [1, 2, 3], seq_axis=1).numpy().tolist() == [[0, 1, 2, 3], [5, 4, 6, 7], [10, 9, 8, 11]]
    turned = tf.reverse_sequence(x, [1, 2, 3, 0], seq_axis=0, batch_axis=1).numpy()
    assert turned.tolist() == [[0, 5, 10, 3], [4, 1, 6, 7], [8, 9, 2, 11]]


def test_files_and_bytes(tmp_path):
    path = str(tmp_path / "sub" / "a.txt")
    tf.io.write_file(path, "Duck")
    assert tf.io.read_file(path).numpy() == b"Duck"
    assert tf.io.decode_raw(tf.io.read_file(path), tf.uint8).numpy().tolist() == [68, 117, 99, 107]
    assert tf.io.decode_raw(["ab", "cd"], tf.uint8).shape == (2, 2)
    with pytest.raises(tf.errors.NotFoundError, match="No such file or directory"):
        tf.io.read_file(path + "x")
    with pytest.raises(tf.errors.InvalidArgumentError, match="DecodeRaw requires input strings to all be the same size"):
        tf.io.decode_raw(["a", "cd"], tf.uint8)


def test_tables():
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), default_value=-1)
    assert table.lookup(tf.constant(["a", "z"])).numpy().tolist() == [1, -1] and table.size().numpy() == 2
    assert table[tf.constant("b")].numpy() == 2


def test_characters():
    assert tf.strings.unicode_decode("日本", "UTF-8").numpy().tolist() == [26085, 26412]
    assert tf.strings.unicode_encode([26085, 26412], "UTF-8").numpy().decode() == "日本"


def test_looking_at_a_variable_as_an_array_watches_it():
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = tf.constant(v.numpy()) * 3
    assert tape.gradient(y, v) is None and [w is v for w in tape.watched_variables()] == [True]


def rows_of(capsys, model, **options):
    model.summary(**options)
    lines = capsys.readouterr().out.splitlines()
    return [[c.rstrip() for c in line.split("│")[1:4]] for line in lines if "│" in line]


def test_nested_layers_are_indented(capsys):
    base = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(name="bn")], name="base")
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(1)(base(x)))
    rows = rows_of(capsys, model, expand_nested=True, show_trainable=True)
    assert [row[0] for row in rows][2:4] == ["    └ bn", " (BatchNormalization)"]


def test_shapes_of_models_in_a_model(capsys):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.part = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
            self.own = Own()

        def call(self, x):
            return self.own(self.part(x))

    class Own(keras.layers.Layer):
        def call(self, x):
            return x * 2

    net = Net()
    net(np.ones((2, 4, 4), "float32"))
    assert [row[1].strip() for row in rows_of(capsys, net)] == ["(2, 3)", "?"]
