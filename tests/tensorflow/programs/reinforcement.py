"""Deep Q learning on a small environment, policy gradients, actor and critic."""

import random
from collections import deque

import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers

random.seed(0)
np.random.seed(0)
tf.random.set_seed(0)


class CartPole:
    """Small physics environment."""

    def __init__(self):
        self.rng = np.random.RandomState(0)

    def reset(self):
        self.s = self.rng.uniform(-0.05, 0.05, 4).astype("float32")
        self.t = 0
        return self.s

    def step(self, a):
        x, xd, th, thd = self.s
        f = 10.0 if a == 1 else -10.0
        c, s = np.cos(th), np.sin(th)
        tmp = (f + 0.05 * thd**2 * s) / 1.1
        tha = (9.8 * s - c * tmp) / (0.5 * (4.0 / 3 - 0.1 * c**2 / 1.1))
        xa = tmp - 0.05 * tha * c / 1.1
        self.s = np.array([x + 0.02 * xd, xd + 0.02 * xa, th + 0.02 * thd, thd + 0.02 * tha], "float32")
        self.t += 1
        return self.s, 1.0, bool(abs(self.s[0]) > 2.4 or abs(self.s[2]) > 0.2095 or self.t >= 100)


def build():
    r = np.random.RandomState(1)
    m = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(24, activation="relu"),
            layers.Dense(24, activation="relu"),
            layers.Dense(2, activation="linear"),
        ]
    )
    m.set_weights([(r.randn(*w.shape) * (0.3 if w.ndim > 1 else 0)).astype("float32") for w in m.get_weights()])
    return m


q, target = build(), build()
opt = tf.keras.optimizers.Adam(1e-3)
huber = tf.keras.losses.Huber()
memory = deque(maxlen=500)
env = CartPole()
eps = 1.0


@tf.function
def train(s, a, r, s2, d):
    nxt = tf.reduce_max(target(s2), axis=1)
    y = r + 0.95 * nxt * (1.0 - d)
    with tf.GradientTape() as tape:
        qs = tf.reduce_sum(q(s) * tf.one_hot(a, 2), axis=1)
        loss = huber(y, qs)
    g = tape.gradient(loss, q.trainable_variables)
    opt.apply_gradients(zip(g, q.trainable_variables))
    return loss


for ep in range(6):
    s = env.reset()
    total = 0
    losses = []
    while True:
        a = random.randrange(2) if random.random() < eps else int(tf.argmax(q(s[None])[0]).numpy())
        s2, r, d = env.step(a)
        memory.append((s, a, r, s2, float(d)))
        s = s2
        total += r
        if len(memory) > 32:
            b = random.sample(memory, 16)
            S, A, R, S2, D = map(np.array, zip(*b))
            losses.append(
                float(
                    train(
                        S.astype("float32"),
                        A.astype("int32"),
                        R.astype("float32"),
                        S2.astype("float32"),
                        D.astype("float32"),
                    )
                )
            )
        if d:
            break
    eps *= 0.8
    target.set_weights(q.get_weights())
    print(f"episode {ep} reward {total} loss {np.mean(losses) if losses else 0:.4f}")
# policy gradient
logits = tf.Variable([0.1, -0.2, 0.3])
with tf.GradientTape() as t:
    lp = tf.nn.log_softmax(logits)
    J = -tf.reduce_sum(tf.gather(lp, [0, 2, 2]) * [1.0, 2.0, -1.0])
print(t.gradient(J, logits))


class AC(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.common = layers.Dense(8, activation="relu", kernel_initializer=tf.keras.initializers.Constant(0.1))
        self.actor = layers.Dense(2, kernel_initializer="zeros")
        self.critic = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        x = self.common(x)
        return self.actor(x), self.critic(x)


m = AC()


def expected_return(rewards, gamma=0.99, standardize=True):
    n = tf.shape(rewards)[0]
    returns = tf.TensorArray(dtype=tf.float32, size=n)
    rewards = tf.cast(rewards[::-1], dtype=tf.float32)
    ds = tf.constant(0.0)
    sh = ds.shape
    for i in tf.range(n):
        ds = rewards[i] + gamma * ds
        ds.set_shape(sh)
        returns = returns.write(i, ds)
    returns = returns.stack()[::-1]
    if standardize:
        returns = (returns - tf.math.reduce_mean(returns)) / (
            tf.math.reduce_std(returns) + np.finfo(np.float32).eps.item()
        )
    return returns


print(expected_return(tf.constant([1.0, 1.0, 1.0, 0.0])))
states = tf.constant(np.random.RandomState(2).randn(4, 4).astype("float32"))
acts = tf.constant([0, 1, 1, 0])
hl = tf.keras.losses.Huber(reduction="sum")
o = tf.keras.optimizers.Adam(0.01)
for i in range(3):
    with tf.GradientTape() as tape:
        lg, v = m(states)
        pr = tf.nn.softmax(lg)
        ap = tf.gather_nd(pr, tf.stack([tf.range(4), acts], 1))
        ret = expected_return(tf.constant([1.0, 1.0, 1.0, 0.0]))[:, None]
        adv = ret - v
        loss = -tf.math.reduce_sum(tf.math.log(ap)[:, None] * adv) + hl(v, ret)
    g = tape.gradient(loss, m.trainable_variables)
    o.apply_gradients(zip(g, m.trainable_variables))
    print(loss.numpy())
