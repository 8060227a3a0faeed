"""What courses do: normalised regression, texts, windows of series, sequences to sequences, optimizers and cells of one's own."""

import numpy as np
import tensorflow as tf

# regression guide
np.set_printoptions(precision=3, suppress=True)
rng = np.random.RandomState(0)
feat = {"horsepower": rng.rand(80) * 200, "weight": rng.rand(80) * 4000}
X = np.stack(list(feat.values()), 1).astype("float32")
y = (40 - X[:, 0] * 0.1 + rng.randn(80)).astype("float32")
norm = tf.keras.layers.Normalization(axis=-1)
norm.adapt(X)
print(norm.mean.numpy(), norm(X[:2]).numpy())
lm = tf.keras.Sequential([norm, tf.keras.layers.Dense(units=1, kernel_initializer="zeros")])
print(lm.predict(X[:3], verbose=0), lm.layers[1].kernel)
lm.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.1), loss="mean_absolute_error")
h = lm.fit(X, y, epochs=5, verbose=0, validation_split=0.2, shuffle=False)
print(h.history, lm.evaluate(X, y, verbose=0))
hp = tf.keras.layers.Normalization(input_shape=[1], axis=None)
hp.adapt(X[:, 0])
m = tf.keras.Sequential(
    [
        hp,
        tf.keras.layers.Dense(4, "relu", kernel_initializer="ones"),
        tf.keras.layers.Dense(1, kernel_initializer="ones"),
    ]
)
m.summary()
m.compile("sgd", "mse", metrics=["mae"])
print(m.evaluate(X[:, 0], y, verbose=0, return_dict=True))
# overfit/underfit: regularisers, callbacks, schedules
sch = tf.keras.optimizers.schedules.InverseTimeDecay(0.001, decay_steps=4, decay_rate=1, staircase=False)
print([float(sch(i)) for i in range(0, 12, 4)])
mm = tf.keras.Sequential(
    [
        tf.keras.layers.Input((2,)),
        tf.keras.layers.Dense(
            8, activation="elu", kernel_regularizer=tf.keras.regularizers.L1L2(0.001, 0.001), kernel_initializer="ones"
        ),
        tf.keras.layers.Dense(1, kernel_initializer="ones"),
    ]
)
mm.compile(
    tf.keras.optimizers.Adam(sch),
    tf.keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[tf.keras.losses.BinaryCrossentropy(from_logits=True, name="binary_crossentropy"), "accuracy"],
)
print(mm.fit(X / 1000, (y > 30).astype("float32"), epochs=3, shuffle=False, verbose=0).history, mm.losses)
# text vectorisation + embedding classification
tv = tf.keras.layers.TextVectorization(max_tokens=20, output_sequence_length=6)
texts = np.array(["the movie was great", "terrible awful movie", "great great fun", "awful plot and bad acting"])
tv.adapt(texts)
print(tv.get_vocabulary())
print(tv(texts[:2]))
lab = np.array([1, 0, 1, 0], "float32")
tm = tf.keras.Sequential(
    [
        tf.keras.Input((1,), dtype=tf.string),
        tv,
        tf.keras.layers.Embedding(21, 4, embeddings_initializer=tf.keras.initializers.Constant(0.05)),
        tf.keras.layers.GlobalAveragePooling1D(),
        tf.keras.layers.Dense(4, "relu", kernel_initializer="ones"),
        tf.keras.layers.Dense(1, kernel_initializer="ones"),
    ]
)
tm.compile(
    "adam", tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=[tf.metrics.BinaryAccuracy(threshold=0.5)]
)
print(tm.fit(tf.data.Dataset.from_tensor_slices((texts[:, None], lab)).batch(2), epochs=3, verbose=0).history)
tm.summary()
# time series windows
s = np.sin(np.arange(60) * 0.3).astype("float32")
ds = tf.keras.utils.timeseries_dataset_from_array(s[:-5], s[5:], sequence_length=5, batch_size=8)
for xb, yb in ds.take(1):
    print(xb.shape, yb.shape, xb[0].numpy(), yb[0].numpy())
rm = tf.keras.Sequential(
    [tf.keras.layers.Input((5, 1)), tf.keras.layers.LSTM(4, return_sequences=False), tf.keras.layers.Dense(1)]
)
rm.set_weights([rng.randn(*w.shape).astype("float32") * 0.3 for w in rm.get_weights()])
rm.compile("adam", "mse", metrics=["mae"])
print(rm.fit(ds.map(lambda a, b: (a[..., None], b)), epochs=2, verbose=0).history)
# seq2seq functional with states, attention
ei = tf.keras.Input((None, 3))
eo, hst, cst = tf.keras.layers.LSTM(4, return_state=True, return_sequences=True)(ei)
di = tf.keras.Input((None, 3))
do = tf.keras.layers.LSTM(4, return_sequences=True)(di, initial_state=[hst, cst])
at = tf.keras.layers.Attention()([do, eo])
out = tf.keras.layers.TimeDistributed(tf.keras.layers.Dense(3, "softmax"))(tf.keras.layers.Concatenate()([do, at]))
s2s = tf.keras.Model([ei, di], out)
s2s.set_weights([rng.randn(*w.shape).astype("float32") * 0.3 for w in s2s.get_weights()])
s2s.summary()
s2s.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
A = rng.rand(16, 5, 3).astype("float32")
B = np.eye(3)[rng.randint(0, 3, (16, 4))].astype("float32")
print(
    s2s.fit([A, B], B, epochs=2, batch_size=4, shuffle=False, verbose=0).history, s2s.predict([A[:1], B[:1]], verbose=0)
)


# custom optimizer & custom cell
class MySGD(tf.keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, name="mysgd", **k):
        super().__init__(learning_rate=learning_rate, name=name, **k)

    def build(self, variables):
        super().build(variables)
        self.m = [self.add_variable_from_reference(reference_variable=v, name="m") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        lr = tf.cast(learning_rate, variable.dtype)
        m = self.m[self._get_variable_index(variable)]
        m.assign(m * 0.9 + gradient)
        variable.assign_sub(lr * m)


w = tf.Variable([1.0, 2.0])
o = MySGD(0.1)
for i in range(3):
    with tf.GradientTape() as t:
        l = tf.reduce_sum(w**2)
    o.apply_gradients([(t.gradient(l, w), w)])
print(w.numpy(), o.iterations, o.learning_rate)


class Cell(tf.keras.layers.Layer):
    def __init__(self, units, **k):
        super().__init__(**k)
        self.units = units
        self.state_size = units

    def build(self, s):
        self.k = self.add_weight(shape=(s[-1], self.units), initializer="ones", name="k")
        self.r = self.add_weight(shape=(self.units, self.units), initializer="ones", name="r")

    def call(self, inputs, states):
        h = tf.tanh(inputs @ self.k * 0.1 + states[0] @ self.r * 0.1)
        return h, [h]


print(
    tf.keras.layers.RNN(Cell(2))(tf.ones((1, 3, 2))),
    tf.keras.layers.RNN(Cell(2), return_sequences=True)(tf.ones((1, 3, 2))).shape,
)
sgd = tf.keras.optimizers.SGD(learning_rate=0.1)
vv = tf.Variable(10.0)
for _ in range(3):
    sgd.minimize(lambda: vv**2, [vv]) if hasattr(sgd, "minimize") else None
print(sgd.get_config())
print(tf.keras.optimizers.Adam().get_config()["name"], tf.keras.optimizers.get("adam").__class__.__name__)
