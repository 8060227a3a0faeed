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


def test_pictures_are_brought_to_a_size():
    x = np.arange(2 * 4 * 6, dtype="float32").reshape(2, 4, 6, 1)
    assert keras.layers.Resizing(2, 3)(x).numpy()[0, :, :, 0].tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]
    assert keras.layers.CenterCrop(2, 2)(x).numpy()[0, :, :, 0].tolist() == [[8, 9], [14, 15]]
    assert keras.layers.Resizing(2, 2, crop_to_aspect_ratio=True)(x).numpy()[0, :, :, 0].tolist() == [[4.5, 6.5], [16.5, 18.5]]


@pytest.mark.parametrize("layer", [
    keras.layers.RandomFlip("horizontal", seed=1), keras.layers.RandomRotation(0.2, seed=1), keras.layers.RandomZoom(0.3, seed=1),
    keras.layers.RandomTranslation(0.2, 0.2, seed=1), keras.layers.RandomContrast(0.5, seed=1),
    keras.layers.RandomBrightness(0.3, seed=1)], ids=lambda v: type(v).__name__)
def test_pictures_change_at_random_in_training_only(layer):
    x = np.random.RandomState(0).rand(8, 6, 6, 3).astype("float32") * 255
    y = layer(x, training=True)
    assert y.shape == x.shape and y.dtype == "float32" and not np.allclose(y, x)
    assert np.array_equal(layer(x, training=False), x)


def test_a_quarter_turn_is_one():
    p = np.random.RandomState(0).rand(5, 5, 1).astype("float32")
    turned = keras.layers.RandomRotation((0.25, 0.25), interpolation="nearest")(p).numpy()
    assert np.array_equal(turned[..., 0], np.rot90(p[..., 0]))


def test_dense_over_any_dimensions():
    layer = keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="e", kernel_initializer="ones")
    y = layer(np.ones((1, 4, 5), "float32"))
    assert y.shape == (1, 4, 2, 3) and float(y[0, 0, 0, 0]) == 5 and [tuple(w.shape) for w in layer.weights] == [(5, 2, 3), (3,)]


def test_weights_of_words_by_their_rarity():
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["a b", "b c"])
    np.testing.assert_allclose(layer(["a c d"]), [[0.63237333, 0, 0.6931472, 0.6931472]], rtol=1e-6)


def test_functions_of_keras_that_take_all_elements():
    a = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    assert keras.ops.cumsum(a).numpy().tolist() == [1, 3, 6, 10]
    assert keras.ops.diag(a).numpy().tolist() == [1, 4] and keras.ops.roll(a, 1).numpy().tolist() == [[4, 1], [2, 3]]
    assert keras.ops.argmax(a).numpy() == 3 and keras.ops.argmax(a, axis=1).dtype == "int32"
    assert keras.ops.concatenate([a, a]).shape == (4, 2) and keras.ops.shape(a) == (2, 2)
    u, s, v = keras.ops.svd(a)
    np.testing.assert_allclose((u * s) @ v, a, rtol=1e-5)
    np.testing.assert_allclose(keras.ops.gelu(a)[0], [0.841192, 1.9545977], rtol=1e-6)
    np.testing.assert_allclose(keras.ops.binary_crossentropy([1.0], [0.7]), [0.35667497], rtol=1e-5)


def test_optimizers_that_programs_write():
    class Momentum(keras.optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.m = [self.add_variable_from_reference(reference_variable=v, name="m") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            m = self.m[self._get_variable_index(variable)]
            m.assign(m * 0.9 + gradient)
            variable.assign_sub(tf.cast(learning_rate, variable.dtype) * m)

    w, optimizer = tf.Variable([1.0, 2.0]), Momentum(0.1)
    for _ in range(3):
        optimizer.apply_gradients([(2 * w, w)])
    np.testing.assert_allclose(w, [0.062, 0.124], rtol=1e-4)
    assert int(optimizer.iterations) == 3


def test_cells_that_programs_write():
    class Sum(keras.layers.Layer):
        state_size = 2

        def call(self, inputs, states):
            return states[0] + inputs, [states[0] + inputs]

    assert keras.layers.RNN(Sum())(tf.ones((1, 3, 2))).numpy().tolist() == [[3, 3]]


def test_a_loss_as_a_metric_keeps_its_name():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[keras.losses.BinaryCrossentropy(from_logits=True, name="entropy")])
    assert sorted(model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).history) == ["entropy", "loss"]


def test_texts_into_a_model():
    layer = keras.layers.TextVectorization(output_sequence_length=3)
    layer.adapt(["a b", "b c"])
    model = keras.Sequential([keras.Input((1,), dtype=tf.string), layer, keras.layers.Embedding(6, 2)])
    assert model.output_shape == (None, 3, 2) and model(tf.constant([["a z"]])).shape == (1, 3, 2)


def test_a_function_with_a_signature_is_traced_once(capsys):
    @tf.function(input_signature=(tf.TensorSpec(shape=[None], dtype=tf.int32),))
    def halves(x):
        print("Tracing with", x)
        return x // 2

    assert [halves(tf.constant([2, 4])).shape, halves(tf.constant([6])).numpy()[0]] == [(2,), 3]
    assert capsys.readouterr().out == 'Tracing with Tensor("x:0", shape=(None,), dtype=int32)\n'
