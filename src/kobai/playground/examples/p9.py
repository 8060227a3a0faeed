import tensorflow as tf
import tensorflow.keras.layers as layers

print(tf.__version__)


def f(x):
    return 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6


x = tf.Variable(0.5)
with tf.GradientTape() as tape:
    y = f(x)
print(y)
print(tape.gradient(y, x))

x = tf.constant(0.5)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = f(x)
print(tape.gradient(y, x).numpy())

x = tf.Variable(tf.range(-4.0, 4.0, 0.001), trainable=True)
with tf.GradientTape() as tape:
    y = f(x)
print(tape.gradient(y, x).numpy()[:3])
