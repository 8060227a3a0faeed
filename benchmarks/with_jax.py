"""The workloads in JAX: pure functions of dicts of parameters, the whole step under `jit`, updates in place (donated)."""
from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import workloads as w


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], -1).mean()


def linear(p, name, x):
    return x @ p[name + ".w"] + p[name + ".b"]


def norm(p, name, x):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-5) * p[name + ".w"] + p[name + ".b"]


def mlp(p, x, count, act):
    for i in range(count - 1):
        x = act(linear(p, f"l{i}", x))
    return linear(p, f"l{count - 1}", x)


class Parameters(dict):
    """Parameters by name, made as they are asked for."""

    def linear(self, name, i, o):
        self[name + ".w"], self[name + ".b"] = jnp.asarray(w.floats(name, i, o) / math.sqrt(i)), jnp.zeros(o)

    def norm(self, name, n):
        self[name + ".w"], self[name + ".b"] = jnp.ones(n), jnp.zeros(n)

    def conv(self, name, i, o, k=3):
        self[name + ".w"] = jnp.asarray(w.floats(name, o, i, k, k) / math.sqrt(i * k * k))


def update(kind, lr, p, g, state):
    """New parameters and state of an optimiser."""
    if kind == "sgd":
        return jax.tree.map(lambda p, g: p - lr * g, p, g), state
    if kind == "momentum":
        state = jax.tree.map(lambda m, g: 0.9 * m + g, state, g)
        return jax.tree.map(lambda p, m: p - lr * m, p, state), state
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    decay = 1 - lr * 0.01 if kind == "adamw" else 1.0

    def new(p, m, v):
        return p * decay - lr * (m / (1 - 0.9 ** t)) / (jnp.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
    return jax.tree.map(new, p, m, v), (m, v, t)


class Workloads:
    """Steps for JAX."""

    def step(self, workload: str):
        return getattr(self, "_" + workload.split(" ")[0])(workload)

    @staticmethod
    def wait(result):
        jax.block_until_ready(result)

    def trained(self, loss_of, p, kind, *data, lr=1e-3):
        """One training step; the batch is an argument, so that nothing is computed beforehand."""
        p, data = dict(p), [jnp.asarray(d) for d in data]
        zeros = jax.tree.map(jnp.zeros_like, p)
        state = {"sgd": (), "momentum": zeros}.get(kind, (zeros, jax.tree.map(jnp.zeros_like, p), jnp.zeros(())))

        def whole(p, state, *data):
            loss, g = jax.value_and_grad(loss_of)(p, *data)
            return (loss, *update(kind, lr, p, g, state))
        fn, now = jax.jit(whole, donate_argnums=(0, 1)), [p, state]

        def step():
            loss, *now[:] = fn(*now, *data)
            return loss
        return step

    def _w1(self, _):
        fn = jax.jit(jax.grad(lambda x, a, b: a * x + b, argnums=(0, 1, 2)))
        return lambda: jax.block_until_ready(fn(5.0, 2.0, 1.0))

    def _w2(self, _):
        return self.trained(lambda p, t: ((p["x"] ** 2 - 2 - t) ** 2).mean(), {"x": jnp.ones(1)}, "sgd",
                            np.zeros(1, "f4"), lr=0.01)

    def _w3(self, name):
        x = w.floats(name, 100)
        return self.trained(lambda p, x, y: ((p["a"] * x + p["b"] - y) ** 2).mean(),
                            {"a": jnp.zeros(1), "b": jnp.zeros(1)}, "sgd", x, 2 * x + 0.5, lr=0.1)

    def _w4(self, name):
        p = Parameters()
        p.linear("l", 2, 1)
        return self.trained(lambda p, x, y: ((jnp.tanh(linear(p, "l", x)) - y) ** 2).mean(), p, "sgd",
                            w.floats(name, 1, 2), np.full((1, 1), -0.5, "f4"), lr=0.05)

    def _w5(self, _):
        x = jnp.linspace(-2, 2, 8000, dtype=jnp.float32)

        def formula(x):
            return 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6

        def both(x, g):
            y, back = jax.vjp(formula, x)
            return y, back(g)
        fn, ones = jax.jit(both), jnp.ones_like(x)
        return lambda: jax.block_until_ready(fn(x, ones))

    def _w6(self, name):
        sizes, batch, kind = w.MLPS[name]
        p = Parameters()
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            p.linear(f"l{i}", a, b)
        return self.trained(lambda p, x, y: cross_entropy(mlp(p, x, len(sizes) - 1, jax.nn.relu), y), p, kind,
                            w.floats(name, batch, sizes[0]), w.labels(name, 10, batch))

    _w7 = _w6

    def _w8(self, name):
        p = Parameters()
        loss = _cnn(p) if "CNN" in name else _resnet(p)
        return self.trained(lambda p, x, y: cross_entropy(loss(p, x), y), p, "momentum", w.floats(name, 32, 3, 32, 32),
                            w.labels(name, 10, 32), lr=0.01)

    def _w9(self, name):
        layers, heads, width, context, batch, vocabulary = w.GPTS[name]
        p = Parameters(tokens=jnp.asarray(w.floats("t", vocabulary, width) * 0.02),
                       places=jnp.asarray(w.floats("p", context, width) * 0.02))
        for i in range(layers):
            for part, a, b in (("qkv", 1, 3), ("out", 1, 1), ("up", 1, 4), ("down", 4, 1)):
                p.linear(f"{i}.{part}", a * width, b * width)
            p.norm(f"{i}.norm1", width), p.norm(f"{i}.norm2", width)
        p.norm("norm", width)
        mask = jnp.tril(jnp.ones((context, context), bool))

        def attention(p, i, x):
            shape = (batch, context, heads, width // heads)
            q, k, v = (t.reshape(shape).swapaxes(1, 2) for t in jnp.split(linear(p, f"{i}.qkv", x), 3, -1))
            scores = jnp.where(mask, q @ k.swapaxes(2, 3) / math.sqrt(width // heads), -jnp.inf)
            return linear(p, f"{i}.out", (jax.nn.softmax(scores) @ v).swapaxes(1, 2).reshape(batch, context, width))

        def loss(p, x, y):
            h = p["tokens"][x] + p["places"]
            for i in range(layers):
                h = h + attention(p, i, norm(p, f"{i}.norm1", h))
                h = h + linear(p, f"{i}.down", jax.nn.gelu(linear(p, f"{i}.up", norm(p, f"{i}.norm2", h)), False))
            return cross_entropy(norm(p, "norm", h) @ p["tokens"].T, y)
        return self.trained(loss, p, "adamw", *[w.labels(n, vocabulary, batch, context) for n in ("x", "label")])

    def _w10(self, name):
        inputs, hidden, steps, batch, classes = w.LSTM
        p = Parameters()
        p.linear("in", inputs, 4 * hidden), p.linear("rec", hidden, 4 * hidden), p.linear("last", hidden, classes)

        def loss(p, x, y):
            def one(state, x):
                h, c = state
                i, f, g, o = jnp.split(x + linear(p, "rec", h), 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None
            zero = jnp.zeros((batch, hidden))
            (h, _), _ = jax.lax.scan(one, (zero, zero), linear(p, "in", x).swapaxes(0, 1))
            return cross_entropy(linear(p, "last", h), y)
        return self.trained(loss, p, "adam", w.floats(name, batch, steps, inputs), w.labels(name, classes, batch))

    def _w11(self, name):
        p = Parameters()
        sizes = (20, 64, 64, 20) if "Jac" in name else (64, 128, 128, 10) if "Hess" in name else (16, 64, 10)
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            p.linear(f"l{i}", a, b)
        p, count = dict(p), len(sizes) - 1
        if "Jac" in name:
            fn, x = jax.jit(jax.jacrev(lambda x, p: mlp(p, x, count, jnp.tanh))), jnp.asarray(w.floats(name, 20))
            return lambda: jax.block_until_ready(fn(x, p))
        act = jnp.tanh if "Hess" in name else jax.nn.relu
        x, y = jnp.asarray(w.floats(name, 64, sizes[0])), jnp.asarray(w.labels(name, 10, 64))
        gradient = jax.grad(lambda p, x, y: cross_entropy(mlp(p, x, count, act), y))
        if "Hess" in name:
            v = {k: jnp.asarray(w.floats(k, *a.shape)) for k, a in p.items()}
            fn = jax.jit(lambda p, v, x, y: jax.jvp(lambda q: gradient(q, x, y), (p,), (v,))[1])
            return lambda: jax.block_until_ready(fn(p, v, x, y))
        fn = jax.jit(jax.vmap(gradient, (None, 0, 0)))
        return lambda: jax.block_until_ready(fn(p, x, y))

    def _w12(self, name):
        _, op, size, way = name.split(" ")
        shape = w.SIZES[size]
        fn = {"exp": jnp.exp, "tanh": jnp.tanh, "sum": jnp.sum, "softmax": jax.nn.softmax,
              "gelu": lambda x: jax.nn.gelu(x, False), "fma": lambda a, b, c: a + b * c,
              "layer_norm": lambda x, a, b: norm({"n.w": a, "n.b": b}, "n", x)}[op]
        args = [jnp.asarray(w.floats(f"{name}{i}", *shape)) for i in range(3 if op == "fma" else 1)]
        if op == "layer_norm":
            args += [jnp.asarray(w.floats(n, shape[1])) for n in ("weight", "bias")]
        if way == w.WAYS[0]:
            fn = jax.jit(fn)
            return lambda: jax.block_until_ready(fn(*args))
        g = jnp.float32(1) if op == "sum" else jnp.asarray(w.floats("g", *shape))

        def both(g, *args):
            y, back = jax.vjp(fn, *args)
            return y, back(g)
        run = jax.jit(both)
        return lambda: jax.block_until_ready(run(g, *args))

    def _w13(self, name):
        _, n, kind = name.split(" ")
        a, b = (jnp.asarray(w.floats(v, int(n), int(n)), kind) for v in "ab")
        fn = jax.jit(jnp.matmul)
        return lambda: jax.block_until_ready(fn(a, b))


def _convolved(p, name, x, stride=1, pad=1):
    return jax.lax.conv_general_dilated(x, p[name + ".w"], (stride, stride), [(pad, pad)] * 2)


def _batch_norm(p, name, x):
    mean = x.mean((0, 2, 3), keepdims=True)
    y = (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean((0, 2, 3), keepdims=True) + 1e-5)
    return y * p[name + ".w"].reshape(1, -1, 1, 1) + p[name + ".b"].reshape(1, -1, 1, 1)


def _cnn(p):
    for i, (a, b) in enumerate(((3, 16), (16, 32), (32, 64))):
        p.conv(f"c{i}", a, b), p.norm(f"n{i}", b)
    p.linear("last", 1024, 10)

    def model(p, x):
        for i in range(3):
            x = jax.nn.relu(_batch_norm(p, f"n{i}", _convolved(p, f"c{i}", x)))
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return linear(p, "last", x.reshape(x.shape[0], -1))
    return model


def _resnet(p):
    blocks = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
    p.conv("stem", 3, 16), p.norm("stem.n", 16), p.linear("last", 64, 10)
    for i, (a, b, _) in enumerate(blocks):
        p.conv(f"{i}.1", a, b), p.norm(f"{i}.1n", b), p.conv(f"{i}.2", b, b), p.norm(f"{i}.2n", b)
        if a != b:
            p.conv(f"{i}.s", a, b, 1), p.norm(f"{i}.sn", b)

    def model(p, x):
        x = jax.nn.relu(_batch_norm(p, "stem.n", _convolved(p, "stem", x)))
        for i, (a, b, stride) in enumerate(blocks):
            y = jax.nn.relu(_batch_norm(p, f"{i}.1n", _convolved(p, f"{i}.1", x, stride)))
            y = _batch_norm(p, f"{i}.2n", _convolved(p, f"{i}.2", y))
            short = x if a == b else _batch_norm(p, f"{i}.sn", _convolved(p, f"{i}.s", x, stride, 0))
            x = jax.nn.relu(y + short)
        return linear(p, "last", x.mean((2, 3)))
    return model
