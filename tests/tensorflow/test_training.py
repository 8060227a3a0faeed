"""fit, evaluate, callbacks, files and data of Keras models. Expected numbers and texts are those of Keras 3.15 on TensorFlow."""
import csv

import numpy as np
import pytest

import kobai.compat.tensorflow as tf

keras = tf.keras
layers = keras.layers
X = np.linspace(0, 1, 80).reshape(20, 4)
Y = np.linspace(1, 2, 20).reshape(20, 1)


@pytest.fixture(autouse=True)
def names_from_the_beginning():
    keras.backend.clear_session()


def functional():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1, kernel_initializer="ones")(inputs))


def test_a_functional_model_is_evaluated():
    model = functional()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history
    assert history["loss"] == pytest.approx([0.9971284866333008, 0.9477852582931519], rel=1e-5)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx([0.9024375677108765, 0.7962093353271484], rel=1e-5)


def test_metrics_of_a_step_of_the_program_come_in_keras_order():
    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            for metric in self.metrics:
                metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    inputs = keras.Input((4,))
    model = Own(inputs, layers.Dense(1, kernel_initializer="ones")(inputs))
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=1, verbose=0, shuffle=False).history
    assert list(history) == ["mae", "loss"] and history["mae"] == pytest.approx([0.8320453763008118])


def test_callbacks_get_a_dict_at_every_point():
    points = []

    class Log(keras.callbacks.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda *args, logs=None: points.append((name, args[-1] if logs is None else logs))
            return object.__getattribute__(self, name)

    model = functional()
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=1, verbose=0, validation_split=0.5, callbacks=[Log()])
    assert len(points) == 10 and all(isinstance(logs, dict) for _, logs in points)


def test_the_header_of_a_log_has_room_for_validation(tmp_path):
    model = functional()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.CSVLogger(tmp_path / "log.csv")])
    with open(tmp_path / "log.csv") as file:
        header, row = csv.reader(file)
    assert header == ["epoch", "loss", "val_loss"] and row[2] == "NA"


def test_a_model_from_a_file_goes_on_training_where_it_stopped(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0, shuffle=False)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert int(again.optimizer.iterations) == 1
    both = [m.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"] for m in (model, again)]
    assert both[0] == both[1]


def test_a_description_as_text():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="float64", name="d")], name="net")
    again = keras.models.model_from_json(model.to_json())
    assert again.name == "net" and again.get_layer("d").dtype == "float64" and again.count_params() == 10
    assert model.get_config()["layers"][1]["config"]["dtype"]["config"] == {"name": "float64"}


@pytest.mark.parametrize("make, kind, text", [
    (lambda m: m.fit(X, Y, epoch=3), TypeError, "got an unexpected keyword argument 'epoch'"),
    (lambda m: m.compile("sgd", metric=["mae"]), TypeError, "got an unexpected keyword argument 'metric'"),
    (lambda m: m.fit([[1.0, 2.0, 3.0, 4.0]], [[1.0]]), ValueError,
     "Unrecognized data type: x=[[1.0, 2.0, 3.0, 4.0]] (of type <class 'list'>)"),
    (lambda m: m.predict([1.0]), ValueError, "Unrecognized data type: x=[1.0] (of type <class 'list'>)"),
    (lambda m: m.save_weights("w.h6"), ValueError, "The filename must end in `.weights.h5`. Received: filepath=w.h6"),
    (lambda m: m.load_weights("none.weights.h5"), FileNotFoundError, "[Errno 2] Unable to synchronously open file"),
    (lambda m: keras.Model(m.input, 3), ValueError, "All `outputs` values must be KerasTensors. Received: outputs=3"),
    (lambda m: keras.Input(4), ValueError, "Cannot convert '4' to a shape."),
    (lambda m: m.input + tf.ones(3), ValueError, "Cannot broadcast shape, the failure dim has value 4, which cannot be "
                                                 "broadcasted to 3. Input shapes are: [None, 4] and [3]."),
    (lambda m: layers.Add()([tf.ones((2, 2)), tf.ones((2, 3))]), ValueError,
     "Inputs have incompatible shapes. Received shapes (2,) and (3,)"),
    (lambda m: m.layers[1](np.ones((2, 5), "float32")), ValueError,
     "Input 0 with name 'None' of layer 'dense' is incompatible with the layer: expected axis -1 of input shape to have "
     "value 4, but received input with shape (2, 5)"),
])
def test_mistakes(make, kind, text):
    model = functional()
    model.compile("sgd", "mse")
    with pytest.raises(kind) as found:
        make(model)
    assert text in str(found.value)


def test_an_error_in_call_says_which_layer_was_called_and_with_what():
    class Bad(layers.Layer):
        def call(self, x, k=2):
            return x @ tf.ones((7, 7))

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.bad = Bad()

        def call(self, x):
            return self.bad(x)

    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        Net()(tf.ones((1, 3)))
    text = str(found.value)
    assert text.startswith("Exception encountered when calling Bad.call().\n\n\x1b[1m{{function_node ")
    assert "Matrix size-incompatible: In[0]: [1,3], In[1]: [7,7]" in text
    assert text.endswith("Arguments received by Bad.call():\n  • x=tf.Tensor(shape=(1, 3), dtype=float32)\n  • k=2")
    assert text.count("Exception encountered") == 1


def test_layers_are_listed_by_their_distance_from_the_outputs():
    a, b = keras.Input((None,), name="a"), keras.Input((2,), name="b")
    x = layers.concatenate([layers.LSTM(3)(layers.Embedding(5, 4)(a)), b])
    model = keras.Model([a, b], layers.Dense(1)(x))
    assert [layer.name for layer in model.layers] == ["a", "embedding", "lstm", "b", "concatenate", "dense"]


def test_weights_have_tensorflow_shapes():
    shape = functional().layers[1].kernel.shape
    assert isinstance(shape, tf.TensorShape) and shape == (4, 1)


# ---- what else was missing -------------------------------------------------------------------
def test_adafactor():
    v = tf.Variable([1.0, -2.0])
    rule = keras.optimizers.Adafactor(learning_rate=0.1)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v ** 2)
        rule.apply_gradients(zip(tape.gradient(loss, [v]), [v]))
    assert v.numpy() == pytest.approx([0.5987439, -1.5821773], rel=1e-5)


@pytest.mark.parametrize("name", ["Dice", "Tversky"])
def test_losses_of_sets(name):
    t, p = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.6, 0.4], [0.4, 0.6]])
    assert float(getattr(keras.losses, name)()(t, p)) == pytest.approx(0.73333335)


def test_layers_that_make_numbers_of_categories():
    s = np.arange(12, dtype="float32").reshape(2, 3, 2) / 10
    assert layers.CategoryEncoding(3, output_mode="one_hot")([0, 2]).numpy().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert layers.Discretization([0.0, 0.5])(s)[0].numpy().tolist() == [[1, 1], [1, 1], [1, 2]]
    assert layers.StringLookup(vocabulary=["a", "b"])(["a", "z"]).numpy().tolist() == [1, 0]
    assert layers.IntegerLookup(vocabulary=[3, 5])([3, 9]).numpy().tolist() == [1, 0]


def test_text_vectorization():
    texts = layers.TextVectorization(output_sequence_length=5)
    texts.adapt(["the cat sat", "The dog, the end."])
    assert texts.get_vocabulary() == ["", "[UNK]", "the", "sat", "end", "dog", "cat"]
    assert texts(tf.constant(["the cat ran!"])).numpy().tolist() == [[2, 6, 1, 0, 0]]


def test_metrics_before_there_is_data():
    score = keras.metrics.F1Score()
    score.update_state([[1, 0]], [[0.9, 0.1]])
    score.reset_state()
    assert score.result().numpy().tolist() == [0, 0]


def test_data_in_groups_and_by_choice():
    data = tf.data.Dataset
    groups = data.range(10).group_by_window(lambda x: x % 2, lambda key, part: part.batch(3), 3)
    assert [g.tolist() for g in groups.as_numpy_iterator()] == [[0, 2, 4], [1, 3, 5], [6, 8], [7, 9]]
    chosen = data.choose_from_datasets([data.range(2), data.range(5, 7)], data.from_tensor_slices(np.array([0, 1, 1, 0])))
    assert list(chosen.as_numpy_iterator()) == [0, 5, 6, 1]
    assert sorted(data.sample_from_datasets([data.range(2), data.range(5, 7)]).as_numpy_iterator()) == [0, 1, 5, 6]


def test_a_generator_with_arguments():
    data = tf.data.Dataset.from_generator(range, args=[3], output_types=tf.int32, output_shapes=())
    assert list(data.as_numpy_iterator()) == [0, 1, 2] and data.element_spec == tf.TensorSpec((), tf.int32)


def test_factors_of_a_matrix():
    lu, p = tf.linalg.lu([[1.0, 3.0], [4.0, 1.0]])
    assert lu.numpy() == pytest.approx(np.array([[4, 1], [0.25, 2.75]])) and p.numpy().tolist() == [1, 0]
    assert tf.linalg.qr(tf.eye(2)).r.shape == (2, 2)


def test_functions_as_callbacks_get_the_logs_by_their_place():
    told = []
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    say = keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, whatever: told.append(e), on_train_end=lambda end: told.append("end"),
                                         on_train_batch_end=lambda b, kept: told.append(sorted(kept)))
    model.fit(X, Y, epochs=1, batch_size=20, verbose=0, callbacks=[say])
    assert told == [0, ["loss"], "end"]
