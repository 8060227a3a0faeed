"""Text generation: characters as ragged tensors, lookups both ways, a GRU that keeps its state."""

import numpy as np
import tensorflow as tf

text = "hello world, hello tensorflow. the quick brown fox jumps over the lazy dog. " * 6
vocab = sorted(set(text))
print(f"{len(vocab)} unique characters")
ids_from_chars = tf.keras.layers.StringLookup(vocabulary=list(vocab), mask_token=None)
chars_from_ids = tf.keras.layers.StringLookup(vocabulary=ids_from_chars.get_vocabulary(), invert=True, mask_token=None)
chars = tf.strings.unicode_split(["abcdefg", "xyz"], input_encoding="UTF-8")
print(chars)
ids = ids_from_chars(chars)
print(ids)
print(chars_from_ids(ids))
print(tf.strings.reduce_join(chars_from_ids(ids), axis=-1).numpy())
all_ids = ids_from_chars(tf.strings.unicode_split(text, "UTF-8"))
print(all_ids[:20])
ids_dataset = tf.data.Dataset.from_tensor_slices(all_ids)
for i in ids_dataset.take(5):
    print(chars_from_ids(i).numpy().decode("utf-8"))
seq_length = 20
sequences = ids_dataset.batch(seq_length + 1, drop_remainder=True)
for seq in sequences.take(1):
    print(chars_from_ids(seq))


def split_input_target(sequence):
    return sequence[:-1], sequence[1:]


print(split_input_target(list("Tensorflow")))
dataset = sequences.map(split_input_target)
for i, t in dataset.take(1):
    print(tf.strings.reduce_join(chars_from_ids(i)).numpy(), tf.strings.reduce_join(chars_from_ids(t)).numpy())
dataset = dataset.batch(4, drop_remainder=True).prefetch(tf.data.experimental.AUTOTUNE)
print(dataset)
vocab_size = len(ids_from_chars.get_vocabulary())


class MyModel(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim, rnn_units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(rnn_units, return_sequences=True, return_state=True)
        self.dense = tf.keras.layers.Dense(vocab_size)

    def call(self, inputs, states=None, return_state=False, training=False):
        x = self.embedding(inputs, training=training)
        if states is None:
            states = self.gru.get_initial_state(tf.shape(x)[0])
        x, states = self.gru(x, initial_state=states, training=training)
        x = self.dense(x, training=training)
        if return_state:
            return x, states
        return x


model = MyModel(vocab_size, 8, 12)
for inp, tgt in dataset.take(1):
    pred = model(inp)
    print(pred.shape)
rng = np.random.RandomState(1)
model.set_weights([rng.randn(*w.shape).astype("float32") * 0.2 for w in model.get_weights()])
model.summary()
loss = tf.losses.SparseCategoricalCrossentropy(from_logits=True)
l = loss(tgt, model(inp))
print("Mean loss: ", l, tf.exp(l).numpy())
model.compile(optimizer="adam", loss=loss)
h = model.fit(dataset, epochs=4, verbose=0)
print(h.history)


class OneStep(tf.keras.Model):
    def __init__(self, model, chars_from_ids, ids_from_chars):
        super().__init__()
        self.model = model
        self.chars_from_ids = chars_from_ids
        self.ids_from_chars = ids_from_chars
        skip_ids = self.ids_from_chars(["[UNK]"])[:, None]
        sparse_mask = tf.SparseTensor(
            values=[-float("inf")] * len(skip_ids), indices=skip_ids, dense_shape=[len(ids_from_chars.get_vocabulary())]
        )
        self.prediction_mask = tf.sparse.to_dense(sparse_mask)

    @tf.function
    def generate_one_step(self, inputs, states=None):
        input_chars = tf.strings.unicode_split(inputs, "UTF-8")
        input_ids = self.ids_from_chars(input_chars).to_tensor()
        predicted_logits, states = self.model(inputs=input_ids, states=states, return_state=True)
        predicted_logits = predicted_logits[:, -1, :] + self.prediction_mask
        predicted_ids = tf.argmax(predicted_logits, axis=-1)
        return self.chars_from_ids(predicted_ids), states


one = OneStep(model, chars_from_ids, ids_from_chars)
states = None
next_char = tf.constant(["hello"])
result = [next_char]
for n in range(10):
    next_char, states = one.generate_one_step(next_char, states=states)
    result.append(next_char)
print(tf.strings.join(result)[0].numpy().decode("utf-8"))
