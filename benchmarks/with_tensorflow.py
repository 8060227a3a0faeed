"""The workloads in TensorFlow: variables, GradientTape, the whole step as one `tf.function`; the simple ones, MLPs, ops."""
from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import workloads as w


class Workloads:
    """Steps for TensorFlow."""

    def step(self, workload: str):
        return getattr(self, "_" + workload.split(" ")[0])(workload)

    def trained(self, loss_of, variables, kind, *data, lr=1e-3):
        makers = {"sgd": tf.keras.optimizers.SGD, "adam": tf.keras.optimizers.Adam, "adamw": tf.keras.optimizers.AdamW}
        optimizer, data = makers[kind](lr), [tf.constant(d) for d in data]
        optimizer.build(variables)

        @tf.function
        def step(*data):
            with tf.GradientTape() as tape:
                loss = loss_of(*data)
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return loss
        return lambda: step(*data).numpy()

    def _w1(self, _):
        numbers = [tf.Variable(v) for v in (5.0, 2.0, 1.0)]

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                y = numbers[1] * numbers[0] + numbers[2]
            return tape.gradient(y, numbers)
        return lambda: [g.numpy() for g in step()]

    def _w2(self, _):
        x = tf.Variable([1.0])
        return self.trained(lambda t: tf.reduce_mean((x ** 2 - 2 - t) ** 2), [x], "sgd", np.zeros(1, "f4"), lr=0.01)

    def _w3(self, name):
        a, b, x = tf.Variable([0.0]), tf.Variable([0.0]), w.floats(name, 100)
        return self.trained(lambda x, y: tf.reduce_mean((a * x + b - y) ** 2), [a, b], "sgd", x, 2 * x + 0.5, lr=0.1)

    def _w4(self, name):
        a, b = tf.Variable(w.floats("l", 2, 1)), tf.Variable([0.0])
        return self.trained(lambda x, y: tf.reduce_mean((tf.tanh(x @ a + b) - y) ** 2), [a, b], "sgd",
                            w.floats(name, 1, 2), np.full((1, 1), -0.5, "f4"), lr=0.05)

    def _w5(self, _):
        x = tf.Variable(np.linspace(-2, 2, 8000, dtype="f4"))

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                y = 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6
            return y, tape.gradient(y, x)
        return lambda: step()[1].numpy()

    def _w6(self, name):
        sizes, batch, kind = w.MLPS[name]
        weights = [tf.Variable(w.floats(str(i), i, o) / math.sqrt(i)) for i, o in zip(sizes, sizes[1:])]
        biases = [tf.Variable(tf.zeros(o)) for o in sizes[1:]]

        def loss(x, y):
            for i, (a, b) in enumerate(zip(weights, biases)):
                x = x @ a + b if i == len(weights) - 1 else tf.nn.relu(x @ a + b)
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, x))
        return self.trained(loss, weights + biases, kind, w.floats(name, batch, sizes[0]), w.labels(name, 10, batch))

    _w7 = _w6

    def _w12(self, name):
        _, op, size, way = name.split(" ")
        shape = w.SIZES[size]
        ops = {"exp": tf.exp, "tanh": tf.tanh, "sum": tf.reduce_sum, "softmax": tf.nn.softmax, "gelu": tf.nn.gelu,
               "fma": lambda a, b, c: a + b * c, "layer_norm": _layer_norm}
        args = [tf.constant(w.floats(f"{name}{i}", *shape)) for i in range(3 if op == "fma" else 1)]
        if op == "layer_norm":
            args += [tf.constant(w.floats(n, shape[1])) for n in ("weight", "bias")]
        if way == w.WAYS[0]:
            fn = tf.function(ops[op])
            return lambda: fn(*args)
        g = tf.constant(1.0) if op == "sum" else tf.constant(w.floats("g", *shape))

        @tf.function
        def step(g, *args):
            with tf.GradientTape() as tape:
                tape.watch(args)
                y = ops[op](*args)
            return y, tape.gradient(y, args, output_gradients=g)
        return lambda: step(g, *args)

    def _w13(self, name):
        _, n, kind = name.split(" ")
        a, b = (tf.cast(tf.constant(w.floats(v, int(n), int(n))), kind) for v in "ab")
        return lambda: tf.matmul(a, b)


def _layer_norm(x, weight, bias):
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-5) * weight + bias
