"""Everyday calls on small tensors, where Python around the calls is the cost: kobai beside PyTorch, one process, interleaved.

    python benchmarks/small.py forward      # under no_grad
    python benchmarks/small.py both         # recorded, and backward
    python benchmarks/small.py calls        # comparisons, creation, changes in place, optimisers, ...
    python benchmarks/small.py forward "v + w" "v.exp()"

Prints microseconds a call, slowest beside PyTorch first. Ratios hold on a noisy machine; times do not.
"""
from __future__ import annotations

import importlib
import statistics
import sys
import time

import numpy as np

BLOCKS, WARM = 9, 400
OPS = """
v + w; v * w; v / w; v + 1; 1 - v; -v; v ** 2; v.abs(); v.exp(); torch.log(p); torch.sqrt(p); v.tanh(); torch.sigmoid(v)
F.relu(v); F.gelu(v); F.silu(v); F.leaky_relu(v); F.elu(v); F.softplus(v); v.clamp(-1, 1); torch.where(mask, v, w)
torch.maximum(v, w); v.sum(); m.sum(1); v.mean(); v.max(); m.max(1)[0]; v.std(); v.norm(); v.prod(); v.cumsum(0)
m.softmax(1); F.log_softmax(m, 1); F.layer_norm(m, (10,), a, b); F.cross_entropy(m, labels); F.mse_loss(v, w)
F.binary_cross_entropy_with_logits(v, target); m @ n; torch.mm(q, q); torch.bmm(c, c); m @ a; v @ w; F.linear(m, n, b)
linear(m); m.reshape(-1); m.view(5, 20); m.T; c.permute(2, 0, 1); v.unsqueeze(0); r.expand(10, 10); c.flatten(1); m[3]
m[1:5]; m[:, 2]; m[2, 3]; m[places]; m[[0, 2]]; v[mask]; v[None]; torch.cat([m, n]); torch.stack([v, w]); m.chunk(2)[1]
m.gather(1, columns); m.index_select(0, places); v.repeat(2); v.sort()[0]; v.topk(3)[0]; v.flip(0); v.roll(1); F.pad(m, (1, 1))
v.clone(); F.conv2d(image, kernel); F.max_pool2d(image, 2); F.embedding(places, m); F.dropout(v); lstm(c)[0]; s * 2 + s
"""
CALLS = """
v == w; v > 0; (v > 0).sum(); m.argmax(1); mask.any(); ~mask; mask & mask; one.item(); float(one); plain.tolist()
v.detach(); m.shape; m.size(0); m.dtype; a.grad; v.data; labels + 1; plain + double; labels * a; torch.equal(plain, plain)
torch.tensor(1.0); torch.tensor([1.0, 2.0]); torch.zeros(10); torch.ones_like(plain); torch.arange(10); torch.rand(10)
torch.randn(10); torch.randint(0, 10, (5,)); torch.randperm(10); plain.double(); plain.add_(1.0); plain.mul_(0.5)
plain.copy_(plain2); plain.zero_(); plain.clamp_(0, 1); table.__setitem__(3, 1.0); table.__setitem__((2, 3), 1.0)
table.__setitem__(slice(1, 3), table2); plain.__setitem__(mask, 0.0); torch.allclose(plain, plain2); F.one_hot(labels)
list(linear.parameters()); linear.state_dict(); sgd.zero_grad(); clip(parameters, 1.0); sgd.step(); adam.step(); list(loader)
"""


def scope(name, requires_grad):
    """The names that the expressions use, in a module's tensors."""
    torch, nn, optim = (importlib.import_module(name + part) for part in ("", ".nn", ".optim"))
    rng = np.random.default_rng(0)

    def tensor(*shape, grad=requires_grad):
        return torch.from_numpy(rng.standard_normal(shape).astype("f4")).requires_grad_(grad)
    found = {k: tensor(*shape) for k, shape in {
        "v": (100,), "w": (100,), "m": (10, 10), "n": (10, 10), "q": (32, 32), "c": (4, 8, 8), "r": (10, 1), "s": (), "a": (10,),
        "b": (10,), "image": (2, 3, 8, 8), "kernel": (4, 3, 3, 3)}.items()}
    fixed = {k: tensor(*shape, grad=False) for k, shape in {
        "plain": (100,), "plain2": (100,), "table": (10, 10), "table2": (2, 10), "one": ()}.items()}
    parameters = [nn.Parameter(torch.ones(10)) for _ in range(20)]
    for p in parameters:
        p.grad = torch.full((10,), 0.01)
    data = importlib.import_module(name + ".utils.data")
    return {**found, **fixed, "torch": torch, "F": importlib.import_module(name + ".nn.functional"), "parameters": parameters,
            "p": (found["v"].detach().abs() + 0.1).requires_grad_(requires_grad), "mask": found["v"].detach() > 0,
            "target": (found["w"].detach() > 0).float(), "labels": torch.arange(10), "places": torch.tensor([3, 1, 2, 0, 5]),
            "columns": torch.from_numpy(rng.integers(0, 10, (10, 3))), "double": torch.ones(100, dtype=torch.float64),
            "linear": nn.Linear(10, 10), "lstm": nn.LSTM(8, 8, batch_first=True), "clip": nn.utils.clip_grad_norm_,
            "sgd": optim.SGD([nn.Parameter(torch.ones(10)) for _ in range(20)], lr=0.1), "adam": optim.Adam(parameters),
            "loader": data.DataLoader(data.TensorDataset(torch.ones(100, 3), torch.ones(100)), batch_size=10, shuffle=True)}


def call(expression, names, backward):
    """A function that does it once."""
    fn = eval(f"lambda: {expression}", names)
    if not backward:
        return fn
    y, torch = fn(), names["torch"]
    g = torch.ones_like(y.detach())
    leaves = [v for v in names.values() if isinstance(v, torch.Tensor) and v.requires_grad]
    y.backward(g)
    used = [v for v in leaves if v.grad is not None]

    def both():
        for v in used:
            v.grad = None
        fn().backward(g)
    return both


def block(fn, n):
    start = time.perf_counter()
    for _ in range(n):
        fn()
    return (time.perf_counter() - start) / n * 1e6


def compare(ours, theirs):
    """Median microseconds of both, from interleaved blocks."""
    block(ours, WARM), block(theirs, WARM // 4)
    n = int(max(4, min(400, 2000 / max(block(theirs, 10), block(ours, 10)))))
    pairs = [(block(ours, n), block(theirs, n)) for _ in range(BLOCKS)]
    return tuple(statistics.median(column) for column in zip(*pairs))


def main(what, *wanted):
    names = [scope(name, what == "both") for name in ("kobai", "torch")]
    x = names[0]["torch"].ones(3, requires_grad=True)
    for _ in range(6000):  # as a program that has run for a while
        (x * 1).backward(x.detach())
    time.sleep(0.5)
    rows = []
    for expression in (wanted or (CALLS if what == "calls" else OPS).replace("\n", ";").split(";")):
        if expression.strip():
            ours, theirs = compare(*[call(expression.strip(), scope, what == "both") for scope in names])
            rows.append((theirs / ours, ours, theirs, expression.strip()))
    print("PyTorch ÷ kobai   kobai, µs   PyTorch, µs")
    for ratio, ours, theirs, expression in sorted(rows):
        print(f"{ratio:15.2f} {ours:11.2f} {theirs:13.2f}   {expression}")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["forward"]))
