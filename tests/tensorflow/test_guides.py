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


def test_names_of_variables_begin_with_the_open_scopes():
    class Flexible(tf.Module):
        @tf.Module.with_name_scope
        def __call__(self, x):
            self.w = tf.Variable(tf.ones([x.shape[-1], 2]), name="w")
            return x @ self.w

    layer = Flexible(name="flexible")
    layer(tf.ones((1, 3)))
    with tf.name_scope("outer"):
        inside, weight = tf.Variable(1.0), keras.Variable([1.0], name="k")
    assert [layer.w.name, inside.name, tf.Variable(1.0).name] == ["flexible/w:0", "outer/Variable:0", "Variable:0"]
    assert weight.path == "k"


def test_inputs_by_name_come_in_any_order():
    a, b = keras.Input((2,), name="b"), keras.Input((3,), name="a")
    model = keras.Model([a, b], keras.layers.concatenate([a, b]))
    y = model({"a": np.ones((1, 3), "float32"), "b": np.zeros((1, 2), "float32")})
    assert y.numpy().tolist() == [[0, 0, 1, 1, 1]]


def test_functional_models_from_their_configuration():
    x = keras.Input((4, 6), name="x")
    h = keras.layers.MultiHeadAttention(2, 3, name="attention")(x, x, use_causal_mask=True)
    inner_in = keras.Input((4, 6))
    inner = keras.Model(inner_in, keras.layers.Dense(2, name="inner_dense")(inner_in), name="inner")
    model = keras.Model(x, {"low": inner(h), "sum": keras.layers.Add(name="add")([x, h])})
    again = keras.Model.from_config(model.get_config())
    assert again.count_params() == model.count_params() and again.get_layer("inner").layers[1].name == "inner_dense"
    again.set_weights(model.get_weights())
    data = np.random.RandomState(0).randn(2, 4, 6).astype("float32")
    for key, want in model(data).items():
        np.testing.assert_allclose(again(data)[key], want, rtol=1e-6)
    text = keras.models.model_from_json(model.to_json())
    assert sorted(text.output) == ["low", "sum"]


def test_operations_on_placeholders_are_called_as_in_keras(capsys):
    x = keras.Input((4,))
    keras.Model(x, (x * 2 + 1)[:, :2]).summary()
    out = capsys.readouterr().out
    assert "multiply (Multiply)" in out and "add (Add)" in out and "get_item (GetItem)" in out


def test_gradients_of_several_calls_make_one_step():
    w = tf.Variable([1.0, 2.0])
    optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)
    seen = []
    for g in ([1.0, 0.0], [3.0, 2.0], [1.0, 1.0]):
        optimizer.apply_gradients([(tf.constant(g), w)])
        seen.append((w.numpy().tolist(), int(optimizer.iterations)))
    assert seen == [([1, 2], 0), ([0, 1.5], 1), ([0, 1.5], 1)]


def test_metrics_by_the_names_of_their_classes():
    assert float(keras.metrics.get("cosine_similarity")([[0.0, 1.0]], [[0.0, 2.0]])) == 1
    assert isinstance(keras.metrics.get("root_mean_squared_error"), keras.metrics.RootMeanSquaredError)
