"""The gradient of tf.gather: IndexedSlices, what operations make of them, and how optimizers take them."""

import numpy as np
import tensorflow as tf

params = tf.Variable(tf.reshape(tf.range(12.0), (4, 3)))
with tf.GradientTape() as tape:
    rows = tf.gather(params, [0, 2, 2])
    loss = tf.reduce_sum(rows**2)
g = tape.gradient(loss, params)
print(type(g))
print(g)
print(g.values, g.indices, g.dense_shape, g.shape, g.dtype)
print(tf.convert_to_tensor(g))
print(isinstance(g, tf.IndexedSlices))
opt = tf.keras.optimizers.Adam(0.1)
for i in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(params, [0, 2, 2]) ** 2)
    grads = tape.gradient(loss, [params])
    opt.apply_gradients(zip(grads, [params]))
print(params.numpy())
emb = tf.keras.layers.Embedding(5, 2, embeddings_initializer="ones")
ids = tf.constant([[1, 1, 3]])
with tf.GradientTape() as tape:
    e = emb(ids)
    loss = tf.reduce_sum(e * [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
g = tape.gradient(loss, emb.trainable_variables)
print(g[0])
print(g[0].values.shape)
v = tf.Variable(tf.ones((4, 2)))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.nn.embedding_lookup(v, [1, 2])) + tf.reduce_sum(tf.gather(v, [3]) * 3.0)
g = tape.gradient(loss, v)
print(g)
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.nn.embedding_lookup(v, [1, 2])) + tf.reduce_sum(v)
print(tape.gradient(loss, v))
x = tf.constant([1.0, 2.0, 3.0])
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.gather(x, [0, 0, 2]) ** 2
g = tape.gradient(y, x)
print(g, tf.convert_to_tensor(g).numpy())
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.gather(x * 2, [0, 0, 2]) ** 2
print(tape.gradient(y, x))
with tf.GradientTape() as tape:
    y = tf.gather(v, [0, 1], axis=1)
print(tape.gradient(y, v))
with tf.GradientTape() as tape:
    y = v[1:3] * 2
print(tape.gradient(y, v))
with tf.GradientTape() as tape:
    y = tf.gather_nd(v, [[0, 1], [0, 1]])
print(tape.gradient(y, v))
for name in ["SGD", "RMSprop", "Adagrad", "Adam", "Adamax", "Nadam", "Adadelta", "AdamW", "Ftrl", "Lion"]:
    w = tf.Variable(np.linspace(-1, 1, 8).reshape(4, 2).astype("float32"))
    o = getattr(tf.keras.optimizers, name)(0.1)
    for i in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((tf.gather(w, [1, 1, 2]) - 0.3) ** 2)
        o.apply_gradients([(tape.gradient(loss, w), w)])
    print(name, w.numpy())
for kw in [dict(clipnorm=0.5), dict(clipvalue=0.5), dict(global_clipnorm=0.5), dict(weight_decay=0.01)]:
    w = tf.Variable(np.linspace(-1, 1, 8).reshape(4, 2).astype("float32"))
    b = tf.Variable([1.0])
    o = tf.keras.optimizers.Adam(0.1, **kw)
    for i in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((tf.gather(w, [1, 1, 2]) - 0.3) ** 2) * b[0]
        o.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b]))
    print(kw, w.numpy(), b.numpy())
for kw in [dict(momentum=0.9), dict(momentum=0.9, nesterov=True)]:
    w = tf.Variable(np.linspace(-1, 1, 8).reshape(4, 2).astype("float32"))
    o = tf.keras.optimizers.SGD(0.1, **kw)
    for i in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((tf.gather(w, [1, 1, 2]) - 0.3) ** 2)
        o.apply_gradients([(tape.gradient(loss, w), w)])
    print(kw, w.numpy())
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.gather(w, [1, 1, 2]) ** 2)
g = tape.gradient(loss, [w])
clipped, norm = tf.clip_by_global_norm(g, 1.0)
print(clipped[0], norm)
print(tf.linalg.global_norm(g))
print(tf.clip_by_norm(g[0], 0.5))
w.assign_sub(0.1 * tf.convert_to_tensor(g[0]))
print(w)
w.scatter_sub(tf.IndexedSlices(tf.ones((1, 2)), [0]))
print(w)
w.scatter_update(tf.IndexedSlices(values=tf.zeros((1, 2)), indices=tf.constant([3])))
print(w.numpy())
s = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([1]), dense_shape=tf.constant([3, 2]))
print(s, tf.convert_to_tensor(s), (-s))
w = tf.Variable(tf.ones((4, 2)))
with tf.GradientTape() as t2:
    with tf.GradientTape() as t1:
        y = tf.reduce_sum(tf.gather(w, [0, 0, 3]) ** 3)
    g = t1.gradient(y, w)
    s = tf.reduce_sum(tf.convert_to_tensor(g) ** 2)
print(t2.gradient(s, w))


@tf.function
def step(ids):
    with tf.GradientTape() as tape:
        l = tf.reduce_sum(tf.gather(w, ids) ** 2)
    return tape.gradient(l, w)


print(step(tf.constant([0, 1, 1])))
