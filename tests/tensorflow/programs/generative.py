"""Variational autoencoders by loop, fit and train_step; a GAN; the gradient penalty."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.RandomState(0)


class Sampling(layers.Layer):
    def call(self, inputs):
        zm, zl = inputs
        eps = tf.reshape(tf.range(tf.cast(tf.size(zm), tf.float32)), tf.shape(zm)) / 10.0 - 0.5
        return zm + tf.exp(0.5 * zl) * eps


class Encoder(layers.Layer):
    def __init__(self, latent_dim=2, inter=16, name="encoder", **kw):
        super().__init__(name=name, **kw)
        self.proj = layers.Dense(inter, activation="relu")
        self.m = layers.Dense(latent_dim)
        self.v = layers.Dense(latent_dim)
        self.s = Sampling()

    def call(self, x):
        x = self.proj(x)
        m, v = self.m(x), self.v(x)
        return m, v, self.s((m, v))


class Decoder(layers.Layer):
    def __init__(self, d, inter=16, name="decoder", **kw):
        super().__init__(name=name, **kw)
        self.proj = layers.Dense(inter, activation="relu")
        self.out = layers.Dense(d, activation="sigmoid")

    def call(self, x):
        return self.out(self.proj(x))


class VAE(keras.Model):
    def __init__(self, d, name="autoencoder", **kw):
        super().__init__(name=name, **kw)
        self.d = d
        self.encoder = Encoder()
        self.decoder = Decoder(d)

    def call(self, x):
        m, v, z = self.encoder(x)
        r = self.decoder(z)
        kl = -0.5 * tf.reduce_mean(v - tf.square(m) - tf.exp(v) + 1)
        self.add_loss(kl)
        return r


X = rng.rand(64, 12).astype("float32")
vae = VAE(12)
vae(X[:1])
vae.set_weights([rng.randn(*w.shape).astype("float32") * 0.2 for w in vae.get_weights()])
opt = keras.optimizers.Adam(1e-2)
mse = keras.losses.MeanSquaredError()
lm = keras.metrics.Mean()
ds = tf.data.Dataset.from_tensor_slices(X).batch(16)
for ep in range(3):
    print(f"Start of epoch {ep}")
    for step, xb in enumerate(ds):
        with tf.GradientTape() as tape:
            r = vae(xb)
            loss = mse(xb, r)
            loss += sum(vae.losses)
        g = tape.gradient(loss, vae.trainable_weights)
        opt.apply(g, vae.trainable_weights)
        lm(loss)
    print(f"mean loss = {lm.result():.4f}", lm.result())
vae.compile(opt, loss=mse)
print(vae.fit(X, X, epochs=2, batch_size=16, shuffle=False, verbose=0).history)
vae.summary()


class VAE2(keras.Model):
    def __init__(self, e, d, **kw):
        super().__init__(**kw)
        self.e = e
        self.d = d
        self.t = keras.metrics.Mean(name="total_loss")
        self.r = keras.metrics.Mean(name="reconstruction_loss")

    @property
    def metrics(self):
        return [self.t, self.r]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            m, v, z = self.e(data)
            rec = self.d(z)
            rl = tf.reduce_mean(
                tf.reduce_sum(keras.losses.binary_crossentropy(data, rec, axis=-1)[..., None], axis=(1,))
            )
            kl = -0.5 * (1 + v - tf.square(m) - tf.exp(v))
            kl = tf.reduce_mean(tf.reduce_sum(kl, axis=1))
            tot = rl + kl
        g = tape.gradient(tot, self.trainable_weights)
        self.optimizer.apply_gradients(zip(g, self.trainable_weights))
        self.t.update_state(tot)
        self.r.update_state(rl)
        return {"loss": self.t.result(), "reconstruction_loss": self.r.result()}


i = keras.Input((12,))
h = layers.Dense(8, "relu")(i)
zm = layers.Dense(2, name="z_mean")(h)
zv = layers.Dense(2, name="z_log_var")(h)
z = Sampling()([zm, zv])
enc = keras.Model(i, [zm, zv, z], name="encoder")
enc.summary()
li = keras.Input((2,))
dec = keras.Model(li, layers.Dense(12, activation="sigmoid")(layers.Dense(8, "relu")(li)), name="decoder")
for mm in (enc, dec):
    mm.set_weights([rng.randn(*w.shape).astype("float32") * 0.2 for w in mm.get_weights()])
v2 = VAE2(enc, dec)
v2.compile(optimizer=keras.optimizers.Adam(1e-2))
print(v2.fit(X, epochs=3, batch_size=16, shuffle=False, verbose=0).history)
# GAN
disc = keras.Sequential(
    [keras.Input((4,)), layers.Dense(8), layers.LeakyReLU(negative_slope=0.2), layers.Dense(1)], name="disc"
)
gen = keras.Sequential(
    [
        keras.Input((3,)),
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Dense(4, activation="tanh"),
    ],
    name="gen",
)
for mm in (disc, gen):
    mm.set_weights([np.abs(rng.randn(*w.shape)).astype("float32") * 0.2 for w in mm.get_weights()])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
go, do = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
noise = tf.constant(rng.randn(16, 3).astype("float32"))
real = tf.constant(rng.randn(16, 4).astype("float32"))


@tf.function
def train_step(images):
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = gen(noise, training=True)
        ro = disc(images, training=True)
        fo = disc(fake, training=True)
        gl = bce(tf.ones_like(fo), fo)
        dl = bce(tf.ones_like(ro), ro) + bce(tf.zeros_like(fo), fo)
    gg = gt.gradient(gl, gen.trainable_variables)
    dg = dt.gradient(dl, disc.trainable_variables)
    go.apply_gradients(zip(gg, gen.trainable_variables))
    do.apply_gradients(zip(dg, disc.trainable_variables))
    return gl, dl


for i in range(5):
    gl, dl = train_step(real)
    print(f"{gl:.5f} {dl:.5f}")
print(gen(noise[:2], training=False))
gen.summary()
disc.summary()
# WGAN-GP penalty
with tf.GradientTape() as tape:
    with tf.GradientTape() as gp:
        inter = real * 0.5 + gen(noise) * 0.5
        gp.watch(inter)
        pred = disc(inter)
    gr = gp.gradient(pred, [inter])[0]
    norm = tf.sqrt(tf.reduce_sum(tf.square(gr), axis=[1]))
    pen = tf.reduce_mean((norm - 1.0) ** 2)
print(pen)
