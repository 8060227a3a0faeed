"""Random small programs, eager and compiled, found by hypothesis: ops, views, writes in place, losses, optimisers.

The expected results are those of the same program run eagerly.
"""
import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st

import kobai as torch
import kobai.nn.functional as F
from kobai import nn

UNARY = ("sin", "tanh", "exp", "relu", "abs", "sigmoid", "neg", "square", "detach", "clone", "contiguous", "sign")
BINARY = ("add", "mul", "sub", "maximum", "div", "where", "lerp", "atan2")
SHAPED = ("sum0", "mean1", "t", "flip", "slice", "select", "cat", "softmax", "norm", "index", "gather", "cumsum", "roll",
          "matmul", "expand", "pad", "sort", "tril", "max", "var")
WRITES = ("add_", "mul_", "setitem", "setrow", "zero_", "copy_", "view_", "masked", "clamp_", "index_add_")
LAYERS = ("linear", "conv", "norm", "dropout", "batch", "gru", "embed")
OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Adadelta", "ASGD", "Rprop",
              "Adafactor")
N = 4


def square(t):
    """Whatever came out as an N x N matrix again."""
    if t.dim() < 2:
        t = t.reshape(1, -1)
    t = t.reshape(t.shape[0], -1)
    return F.pad(t, (0, max(0, N - t.shape[1]), 0, max(0, N - t.shape[0])))[:N, :N]


def apart(a, b=0):
    """a - b in steps of a thousandth: what is equal but for rounding, as (x + y) - y and x are, is not taken for different."""
    return torch.floor((a - b) * 1024 + 0.3137)


def apply(kind, a, b):
    """One step of a program on two N x N matrices."""
    if kind == "sign":
        return apart(a).sign()
    if kind in UNARY:
        return getattr(torch.clamp(a, -3, 3), kind)()
    if kind in BINARY:
        return {"div": lambda: a / (b.abs() + 1), "where": lambda: torch.where(apart(a, b) > 0, a, b * 2),
                "lerp": lambda: torch.lerp(a, b, 0.3), "maximum": lambda: torch.maximum(a, b),
                "atan2": lambda: torch.atan2(a, b.abs() + 1)}.get(kind, lambda: getattr(a, kind)(b))()
    if kind in WRITES:
        a = a.clone()
        if kind == "setitem":
            a[1:3, 0] = b[0, :2]
        elif kind == "setrow":
            a[2] += b.sum(0)
        elif kind == "view_":
            a.t()[1].mul_(b[0])
        elif kind == "masked":
            a[apart(a, 0.5) > 0] = 0.25
        elif kind == "clamp_":
            a.clamp_(-1, 1)
        elif kind == "zero_":
            a[1].zero_()
        elif kind == "index_add_":
            a.index_add_(0, torch.tensor([0, 2, 0]), b[:3])
        else:
            getattr(a, kind)(b)
        return a
    return square({
        "sum0": lambda: a.sum(0), "mean1": lambda: a.mean(1, keepdim=True) + b, "t": lambda: a.t(), "flip": lambda: a.flip(1),
        "slice": lambda: a[::2, 1:], "select": lambda: a[:, 1], "cat": lambda: torch.cat([a, b], 1)[:, 2:6],
        "softmax": lambda: a.softmax(1), "norm": lambda: F.layer_norm(a, (N,)), "index": lambda: a[torch.tensor([3, 0, 0])],
        "gather": lambda: a.gather(1, apart(b).argsort(1, stable=True)), "cumsum": lambda: a.cumsum(1), "roll": lambda: a.roll(1, 0),
        "matmul": lambda: a @ b, "expand": lambda: a[:1].expand(N, N), "pad": lambda: F.pad(a, (1, -1), value=2.0),
        "sort": lambda: a.sort(1)[0], "tril": lambda: a.tril(), "max": lambda: a.max(1)[0], "var": lambda: a.var(0),
    }[kind]())


STEPS = st.lists(st.tuples(st.sampled_from(UNARY + BINARY + SHAPED + WRITES), st.integers(0, 9), st.integers(0, 9)),
                 min_size=1, max_size=10)


def run(make):
    """The results of `make(compile)`, eager and compiled."""
    found = []
    for compile in (lambda fn: fn, torch.compile):
        torch.manual_seed(0)
        found.append(make(compile))
    for i, (a, b) in enumerate(zip(*found, strict=True)):
        for j, (x, y) in enumerate(zip(a, b, strict=True)):
            x, y = x.detach().numpy(), y.detach().numpy()
            scale = float(np.abs(x[np.isfinite(x)]).max(initial=0))
            np.testing.assert_allclose(y, x, 1e-4, 1e-4 * max(scale, 1e-3), err_msg=f"call {i}, result {j}")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.sampled_from(["forward", "inside", "outside", "twice"]), st.booleans())
def test_ops(steps, how, written):
    def make(compile):
        w = torch.randn(N, N, dtype=torch.float64, requires_grad=True)
        buffer = torch.zeros(N, N, dtype=torch.float64)

        def f(x):
            values = [x, w]
            for kind, i, j in steps:
                values.append(apply(kind, values[-1 - i % len(values)], values[-1 - j % len(values)]))
            if written:
                buffer.mul_(0.5).add_(values[-1].detach())
            y = values[-1] + values[-2] * 0.5 + w * 1e-3
            if how == "inside":
                w.grad = None
                y.sin().sum().backward()
                return y.detach() * 1, w.grad
            return y * 1
        f, out = compile(f), []
        for _ in range(5):
            x = torch.randn(N, N, dtype=torch.float64)
            if how in ("forward", "inside"):
                y = f(x)
                out.append([*(y if isinstance(y, tuple) else (y,)), buffer.clone()])
            else:
                y = f(x)
                g, = torch.autograd.grad(y.sin().sum(), w, create_graph=how == "twice")
                more = [torch.autograd.grad(g.square().sum(), w)[0]] if how == "twice" and g.requires_grad else []
                out.append([y, g, buffer.clone(), *more])
        return out
    run(make)


def layer(kind):
    if kind == "linear":
        return nn.Linear(N, N)
    if kind == "conv":
        return nn.Sequential(nn.Unflatten(1, (1, N)), nn.Conv1d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * N, N))
    return {"norm": lambda: nn.LayerNorm(N), "dropout": lambda: nn.Dropout(0.3), "batch": lambda: nn.BatchNorm1d(N),
            "gru": lambda: _Sequence(), "embed": lambda: _Embedded()}[kind]()


class _Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(N, N, batch_first=True)

    def forward(self, x):
        return self.gru(x[None])[0][0]


class _Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(8, N)

    def forward(self, x):
        return x + self.table((x.detach().abs().sum(1) * 3).long() % 8)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3), st.sampled_from(OPTIMIZERS), st.sampled_from(["ce", "mse", "l1",
       "bce", "kl"]), st.sampled_from(["none", "clip", "value", "accumulate"]), st.booleans(), st.sampled_from([4, 8, 9]))
def test_training(layers, optimizer, loss, gradients, schedule, last):
    def make(compile):
        model = nn.Sequential(*[part for kind in layers for part in (layer(kind), nn.Tanh())], nn.Linear(N, N))
        opt = getattr(torch.optim, optimizer)(model.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10) if schedule else None
        losses = {"ce": lambda p, x: F.cross_entropy(p, x.argmax(1)), "mse": F.mse_loss, "l1": F.smooth_l1_loss,
                  "bce": lambda p, x: F.binary_cross_entropy_with_logits(p, x.sigmoid().detach()),
                  "kl": lambda p, x: F.kl_div(p.log_softmax(1), x.softmax(1), reduction="batchmean")}

        @compile
        def step(x):
            opt.zero_grad()
            for part in (x, x * 0.5) if gradients == "accumulate" else (x,):
                value = losses[loss](model(part), x)
                value.backward()
            if gradients == "clip":
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            if gradients == "value":
                nn.utils.clip_grad_value_(model.parameters(), 0.01)
            opt.step()
            return value
        out = []
        for i in range(6):
            out.append([step(torch.randn(last if i % 4 == 3 else 8, N))])
            if scheduler is not None:
                scheduler.step()
        return [*out, [*model.parameters(), *model.buffers()]]
    run(make)
