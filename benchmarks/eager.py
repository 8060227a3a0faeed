"""Eager mode on tutorial-size programs: kobai beside PyTorch, one process, interleaved.

    python benchmarks/eager.py [--write docs/benchmarks.md] [workload ...]

Each workload is one training step of a program that the introductions contain. A block is so many steps
that it lasts about 20 ms; blocks of the two systems take turns, and the medians are compared. Also: the
cost of an op by itself, the time of `import`, and memory. Ratios hold on a noisy machine; times do not.
"""
import argparse
import importlib
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

BLOCKS, BLOCK_SECONDS = 25, 0.02


# ---- the workloads: each takes the module to use as `torch` and returns a step -----------------
def scalar(torch):
    """w * x + b, forward and backward."""
    x = torch.tensor(5.0)
    w, b = (torch.tensor(v, requires_grad=True) for v in (2.0, 1.0))

    def step():
        w.grad = b.grad = None
        (w * x + b).backward()
    return step


def sqrt2(torch):
    """Solve x ** 2 = 2 with MSELoss and SGD."""
    x, target = torch.tensor([1.0], requires_grad=True), torch.tensor([0.0])
    loss_fn, optimizer = torch.nn.MSELoss(), torch.optim.SGD([x], lr=0.01)

    def step():
        optimizer.zero_grad()
        loss_fn(x**2 - 2, target).backward()
        optimizer.step()
    return step


def regression(torch):
    """Linear regression by hand on 100 points."""
    data = np.linspace(0, 1, 100, dtype=np.float32)
    x, y = torch.from_numpy(data), torch.from_numpy(2 * data + 1)
    w, b = (torch.tensor(0.0, requires_grad=True) for _ in range(2))
    loss_fn, optimizer = torch.nn.MSELoss(), torch.optim.SGD([w, b], lr=0.01)

    def step():
        optimizer.zero_grad()
        loss_fn(w * x + b, y).backward()
        optimizer.step()
    return step


def neuron(torch):
    """One neuron: Linear(2, 1) and Tanh."""
    nn = torch.nn
    model, loss_fn = nn.Sequential(nn.Linear(2, 1), nn.Tanh()), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5]])

    def step():
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    return step


def polynomial(torch):
    """2x^3 + 4x^2 + 5x + 6 and its derivative at 8,000 points."""
    x = torch.arange(-4.0, 4.0, 0.001, requires_grad=True)
    ones = torch.ones_like(x)

    def step():
        x.grad = None
        (2 * x**3 + 4 * x**2 + 5 * x + 6).backward(ones)
    return step


def digits(torch):
    """The demo's network: 64-128-96-64-10, batch 64, Adam."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU(),
                          nn.Linear(64, 10))
    loss_fn, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.random((64, 64), dtype=np.float32))
    y = torch.from_numpy(rng.integers(0, 10, 64))

    def step():
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    return step


WORKLOADS = (scalar, sqrt2, regression, neuron, polynomial, digits)
OPS = {"mul (recorded)": lambda torch, a: a * a, "tanh (recorded)": lambda torch, a: torch.tanh(a),
       "sum (recorded)": lambda torch, a: a.sum(), "reshape (recorded)": lambda torch, a: a.reshape(-1)}


# ---- measuring -------------------------------------------------------------------------------
def block(step, n):
    start = time.perf_counter()
    for _ in range(n):
        step()
    return (time.perf_counter() - start) / n * 1e6


def compare(ours, theirs):
    """Median microseconds a step of both, from interleaved blocks."""
    block(ours, 20), block(theirs, 20)
    n = max(3, int(BLOCK_SECONDS * 1e6 / max(block(theirs, 5), 1)))
    pairs = [(block(ours, n), block(theirs, n)) for _ in range(BLOCKS)]
    return tuple(statistics.median(column) for column in zip(*pairs))


_IMPORT = """
import os, time
def resident():  # in MB; where there is no /proc, memory is not measured
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return float("nan")
before, start = resident(), time.perf_counter()
import {name}
print(time.perf_counter() - start, resident() - before)
"""


def import_cost(name):
    """(seconds, MB above bare Python) of `import name` in a new process; median of five."""
    code = _IMPORT.format(name=name)
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
            for _ in range(5)]
    return tuple(statistics.median(float(v) for v in column) for column in zip(*runs))


def one_op(op, torch):
    x = torch.ones(3, requires_grad=True)
    return lambda: op(torch, x)


def table(names):
    kobai, torch = importlib.import_module("kobai"), importlib.import_module("torch")
    lines = ["| workload | kobai, µs | PyTorch, µs | PyTorch ÷ kobai |", "|---|---:|---:|---:|"]
    for make in WORKLOADS:
        if not names or make.__name__ in names:
            a, b = compare(make(kobai), make(torch))
            lines.append(f"| {make.__doc__.rstrip('.')} | {a:.1f} | {b:.1f} | {b / a:.1f} |")
            print(lines[-1], flush=True)
    for name, op in OPS.items():
        if not names or "ops" in names:
            a, b = compare(*[one_op(op, module) for module in (kobai, torch)])
            lines.append(f"| one op: {name} | {a:.2f} | {b:.2f} | {b / a:.1f} |")
            print(lines[-1], flush=True)
    return lines, f"kobai {kobai.__version__}, PyTorch {torch.__version__}, NumPy {np.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="scalar, sqrt2, ... or ops; all if none is named")
    parser.add_argument("--write", metavar="FILE", help="write the tables to FILE")
    options = parser.parse_args()
    lines, versions = table(options.workloads)
    costs = ["| `import` | seconds | MB above bare Python |", "|---|---:|---:|"]
    for name in ("kobai", "torch"):
        seconds, mb = import_cost(name)
        costs.append(f"| {name} | {seconds:.2f} | {mb:.0f} |")
        print(costs[-1])
    if options.write:
        text = "\n".join([
            "# Eager mode beside PyTorch", "",
            "Written by `python benchmarks/eager.py --write docs/benchmarks.md`. Median of "
            f"{BLOCKS} interleaved blocks; compare the ratios, not the times.", "", *lines, "", *costs, "",
            f"{versions}; {platform.processor() or platform.machine()}, Python {platform.python_version()}.", ""])
        with open(options.write, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
