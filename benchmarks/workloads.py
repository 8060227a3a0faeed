"""What is measured: names, sizes and data, the same for all frameworks.

A workload is a whole training step (forward, backward, optimiser), a derivative of higher order, one op on arrays of a
size ("w12 exp 1e6 forward+backward"), or one matrix product ("w13 1024 float32").
"""
from __future__ import annotations

import numpy as np

MLPS = {  # layer sizes, batch, optimiser
    "w6 MLP, batch 64": ((64, 128, 64, 10), 64, "adam"),
    "w6 MLP, batch 1024": ((64, 128, 64, 10), 1024, "adam"),
    "w7 784-512-512-10, batch 256": ((784, 512, 512, 10), 256, "adamw"),
}
GPTS = {  # layers, heads, width, context, batch, vocabulary
    "w9 GPT small": (4, 4, 128, 128, 8, 65),
    "w9 GPT medium": (6, 6, 384, 256, 4, 65),
}
CNNS = ("w8 small CNN, batch 32", "w8 small ResNet, batch 32")
LSTM = (64, 128, 64, 32, 10)  # inputs, hidden, steps, batch, classes
SIMPLE = ("w1 scalar", "w2 square root of 2", "w3 linear regression", "w4 one neuron", "w5 polynomial, 8000 points")
HIGHER = ("w11 Hessian-vector product", "w11 Jacobian", "w11 per-sample gradients")
OPS = ("exp", "tanh", "gelu", "softmax", "layer_norm", "sum", "fma")
SIZES = {"1e2": (1, 100), "1e4": (100, 100), "1e6": (1000, 1000), "8e6": (8000, 1000)}
WAYS = ("forward", "forward+backward")
PRODUCTS = (64, 256, 1024, 2048)
KINDS = ("float32", "bfloat16")

TRAINING = (*SIMPLE[1:4], *MLPS, *CNNS, *GPTS, "w10 LSTM")
ELEMENTWISE = tuple(f"w12 {op} {n} {way}" for op in OPS for n in SIZES for way in WAYS)
MATMUL = tuple(f"w13 {n} {kind}" for kind in KINDS for n in PRODUCTS)
ALL = (*SIMPLE, *MLPS, *CNNS, *GPTS, "w10 LSTM", *HIGHER, *ELEMENTWISE, *MATMUL)


def select(tokens: str) -> list[str]:
    """The workloads that begin with any of the comma-separated tokens; "all" for all."""
    wanted = [t.strip() for t in tokens.split(",")]
    return [w for w in ALL if "all" in wanted or any(w == t or w.startswith(t + " ") for t in wanted)]


def floats(name: str, *shape):
    """Normal numbers, the same in every framework."""
    seed = sum(ord(c) * (i + 1) for i, c in enumerate(name)) + sum(shape)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def labels(name: str, classes: int, *shape):
    """Classes, the same in every framework."""
    return np.random.default_rng(len(name)).integers(0, classes, shape)


def traffic(workload: str) -> int:
    """Bytes that an op of w12 has to move at least; 0 for other workloads."""
    if not workload.startswith("w12"):
        return 0
    _, op, size, way = workload.split(" ")
    n = 4 * SIZES[size][0] * SIZES[size][1]
    forward = {"sum": 1, "fma": 4}.get(op, 2)
    backward = {"sum": 1, "fma": 5, "layer_norm": 3}.get(op, 3)  # gradients are written; sum's is a number spread out
    return n * (forward + backward * (way != WAYS[0]))


def operations(workload: str) -> int:
    """Multiplications and additions of a matrix product of w13; 0 for other workloads."""
    return 2 * int(workload.split(" ")[1]) ** 3 if workload.startswith("w13") else 0
