"""The workloads in PyTorch's names: for PyTorch, and for kobai under the same names.

`Workloads(module, compiled)` makes a step for a workload; `compiled` puts `module.compile` around the whole step
(kobai), or around model and loss and around the optimiser's step, which is what PyTorch recommends.
"""
from __future__ import annotations

import importlib

import numpy as np
import workloads as w


class Workloads:
    """Steps in one module's names."""

    def __init__(self, name: str, compiled: bool):
        self.name, self.compiled = name, compiled
        self.torch = importlib.import_module(name)
        self.nn = importlib.import_module(name + ".nn")
        self.F = importlib.import_module(name + ".nn.functional")
        self.optim = importlib.import_module(name + ".optim")
        self.whole = name == "kobai"

    def step(self, workload: str):
        """A function that does one step."""
        number = workload.split(" ")[0]
        return getattr(self, "_" + number)(workload)

    def tensor(self, array, grad=False):
        t = self.torch.from_numpy(np.array(array))
        return t.requires_grad_() if grad else t

    def fixed(self, fn):
        """`fn`, compiled for the shapes of this workload."""
        if not self.compiled:
            return fn
        if self.whole:
            return self.torch.compile(fn)
        self.torch._dynamo.reset()
        return self.torch.compile(fn, dynamic=False)

    # ---- training steps
    def trained(self, loss_of, parameters, kind, lr=1e-3):
        """One training step under an optimiser."""
        makers = {"sgd": self.optim.SGD, "adam": self.optim.Adam, "adamw": self.optim.AdamW}
        options = {"momentum": 0.9} if kind == "momentum" else {}
        optimizer = makers.get(kind, self.optim.SGD)(parameters, lr=lr, **options)
        if self.compiled and not self.whole:
            loss_of, update = self.fixed(loss_of), self.torch.compile(optimizer.step)
        else:
            update = optimizer.step

        def step():
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            update()
            return loss
        return self.fixed(step) if self.whole else step

    def _w1(self, _):
        x, a, b = (self.tensor(np.float32(v), True) for v in (5.0, 2.0, 1.0))
        value = (lambda: a * x + b) if self.whole else self.fixed(lambda: a * x + b)

        def step():
            x.grad = a.grad = b.grad = None
            value().backward()
            return x.grad
        return self.fixed(step) if self.whole else step

    def _w2(self, _):
        x, target, mse = self.tensor(np.ones(1, "f4"), True), self.tensor(np.zeros(1, "f4")), self.nn.MSELoss()
        return self.trained(lambda: mse(x ** 2 - 2, target), [x], "sgd", 0.01)

    def _w3(self, name):
        x, a, b = self.tensor(w.floats(name, 100)), *[self.tensor(np.zeros(1, "f4"), True) for _ in "ab"]
        y, mse = 2 * x + 0.5, self.nn.MSELoss()
        return self.trained(lambda: mse(a * x + b, y), [a, b], "sgd", 0.1)

    def _w4(self, name):
        model, mse = self.nn.Sequential(self.nn.Linear(2, 1), self.nn.Tanh()), self.nn.MSELoss()
        x, y = self.tensor(w.floats(name, 1, 2)), self.tensor(np.full((1, 1), -0.5, "f4"))
        return self.trained(lambda: mse(model(x), y), model.parameters(), "sgd", 0.05)

    def _w5(self, _):
        x = self.tensor(np.linspace(-2, 2, 8000, dtype="f4"), True)
        ones = self.torch.ones_like(x)

        def formula():
            return 2 * x ** 3 + 4 * x ** 2 + 5 * x + 6
        value = formula if self.whole else self.fixed(formula)

        def step():
            x.grad = None
            value().backward(ones)
            return x.grad
        return self.fixed(step) if self.whole else step

    def mlp(self, sizes, act=None):
        layers = []
        for i, o in zip(sizes, sizes[1:]):
            layers += [self.nn.Linear(i, o), (act or self.nn.ReLU)()]
        return self.nn.Sequential(*layers[:-1])

    def _w6(self, name):
        sizes, batch, kind = w.MLPS[name]
        model = self.mlp(sizes)
        x, y = self.tensor(w.floats(name, batch, sizes[0])), self.tensor(w.labels(name, 10, batch))
        return self.trained(lambda: self.F.cross_entropy(model(x), y), model.parameters(), kind)

    _w7 = _w6

    def _w8(self, name):
        model = cnn(self.nn) if "CNN" in name else resnet(self)
        x, y = self.tensor(w.floats(name, 32, 3, 32, 32)), self.tensor(w.labels(name, 10, 32))
        return self.trained(lambda: self.F.cross_entropy(model(x), y), model.parameters(), "momentum", 0.01)

    def _w9(self, name):
        model, (*_, context, batch, vocabulary) = gpt(self, *w.GPTS[name]), w.GPTS[name]
        x, y = (self.tensor(w.labels(n, vocabulary, batch, context)) for n in ("x", "label"))
        return self.trained(lambda: self.F.cross_entropy(model(x).view(-1, vocabulary), y.view(-1)),
                            model.parameters(), "adamw")

    def _w10(self, name):
        inputs, hidden, steps, batch, classes = w.LSTM
        lstm, last = self.nn.LSTM(inputs, hidden, batch_first=True), self.nn.Linear(hidden, classes)
        x, y = self.tensor(w.floats(name, batch, steps, inputs)), self.tensor(w.labels(name, classes, batch))
        return self.trained(lambda: self.F.cross_entropy(last(lstm(x)[0][:, -1]), y),
                            [*lstm.parameters(), *last.parameters()], "adam")

    # ---- derivatives of higher order, and of each example
    def _w11(self, name):
        func, F = importlib.import_module(self.name + ".func"), self.F
        if "Jacobian" in name:
            model, x = self.mlp((20, 64, 64, 20), self.nn.Tanh), self.tensor(w.floats(name, 20))
            fn = self.fixed(func.jacrev(model))
            return lambda: fn(x)
        hessian = "Hessian" in name
        sizes = (64, 128, 128, 10) if hessian else (16, 64, 10)
        model = self.mlp(sizes, self.nn.Tanh if hessian else self.nn.ReLU)
        x, y = self.tensor(w.floats(name, 64, sizes[0])), self.tensor(w.labels(name, 10, 64))
        params = {k: v.detach() for k, v in model.named_parameters()}
        if not hessian:
            def loss(p, one, label):
                return F.cross_entropy(func.functional_call(model, p, (one.unsqueeze(0),)), label.unsqueeze(0))
            fn = self.fixed(func.vmap(func.grad(loss), in_dims=(None, 0, 0)))
            return lambda: fn(params, x, y)
        v = {k: self.tensor(w.floats(k, *p.shape)) for k, p in params.items()}

        def gradient(p):
            return func.grad(lambda q: F.cross_entropy(func.functional_call(model, q, (x,)), y))(p)
        fn = self.fixed(lambda p, t: func.jvp(gradient, (p,), (t,))[1])
        return lambda: fn(params, v)

    # ---- single ops
    def _w12(self, name):
        _, op, size, way = name.split(" ")
        shape, back = w.SIZES[size], way != w.WAYS[0]
        count = {"fma": 3}.get(op, 1)
        args = [self.tensor(w.floats(f"{name}{i}", *shape), back) for i in range(count)]
        if op == "layer_norm":
            args += [self.tensor(w.floats(n, shape[1]), back) for n in ("weight", "bias")]
        fn = self.fixed({
            "exp": self.torch.exp, "tanh": self.torch.tanh, "sum": self.torch.sum, "gelu": self.F.gelu,
            "softmax": lambda x: self.F.softmax(x, -1), "fma": lambda a, b, c: a + b * c,
            "layer_norm": lambda x, weight, bias: self.F.layer_norm(x, (shape[1],), weight, bias),
        }[op])
        if not back:
            return lambda: fn(*args)
        g = self.tensor(np.float32(1) if op == "sum" else w.floats("g", *shape))

        def step():
            for a in args:
                a.grad = None
            fn(*args).backward(g)
        return step

    def _w13(self, name):
        _, n, kind = name.split(" ")
        a, b = (self.tensor(w.floats(v, int(n), int(n))).to(getattr(self.torch, kind)) for v in "ab")
        return lambda: a @ b


def cnn(nn):
    """Three convolutions with batch normalisation and pooling."""
    layers = []
    for i, o in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, 10))


def resnet(kit):
    """A stem and three residual blocks."""
    nn = kit.nn

    class Block(nn.Module):
        def __init__(self, i, o):
            super().__init__()
            stride = 1 if i == o else 2
            self.body = nn.Sequential(nn.Conv2d(i, o, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                                      nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o))
            self.short = nn.Identity() if i == o else nn.Sequential(
                nn.Conv2d(i, o, 1, stride=stride, bias=False), nn.BatchNorm2d(o))

        def forward(self, x):
            return kit.F.relu(self.body(x) + self.short(x))
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16),
                         Block(16, 32), Block(32, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def gpt(kit, layers, heads, width, context, batch, vocabulary):
    """A decoder with learned positions, normalisation before each part, and tied embeddings."""
    nn, F, torch = kit.nn, kit.F, kit.torch

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            shape = (batch, context, heads, width // heads)
            q, k, v = (t.view(*shape).transpose(1, 2) for t in self.qkv(self.norm1(x)).split(width, dim=2))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(batch, context, width))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks, self.norm = nn.Sequential(*[Block() for _ in range(layers)]), nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.tokens(x) + self.places(torch.arange(context)))))
    return GPT()
