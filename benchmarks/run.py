"""kobai beside PyTorch, JAX and TensorFlow: whole training steps, single ops, start-up, memory, size.

    make bench
    python benchmarks/run.py --workloads w1,w6 --frameworks "kobai,PyTorch" --rounds 5
    python benchmarks/run.py --python TensorFlow=OTHER/bin/python --write docs

Every framework runs in a process of its own that stays for the whole run.  For each workload they take turns, one block
of about 20 ms each, so that a change of the machine's mood meets all; medians of the blocks are compared.  What is
not installed is left out.  `--write FOLDER` writes benchmarks.md and benchmarks.svg there; `--json FILE` keeps the
numbers, and `--from FILE` starts from kept ones.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import workloads as w
from limits import copy_bandwidth
from report import write
from worker import FRAMEWORKS

HERE = Path(__file__).parent
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent / "src"), os.environ.get("PYTHONPATH")]))  # this kobai
PACKAGES = {"kobai": "kobai", "PyTorch": "torch", "JAX": "jax", "TensorFlow": "tensorflow"}
START = ("w2 square root of 2", "w9 GPT small")
BUSY = ("w6 MLP, batch 64", "w8 small CNN, batch 32", "w9 GPT small")


class Worker:
    """A framework in its process."""

    def __init__(self, framework: str, python: str, threads: int, cache: str | None = None):
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "KOBAI_NUM_THREADS": str(threads),
               "MKL_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": ""}
        if cache is not None:
            env["KOBAI_CACHE_DIR"] = env["TORCHINDUCTOR_CACHE_DIR"] = cache
        self.framework = framework
        self.process = subprocess.Popen([python, str(HERE / "worker.py"), framework], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, **order) -> dict:
        """The answer to one order."""
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"error": "the process has ended"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def prepared(worker: Worker, workload: str, block: float) -> tuple[int, float] | None:
    """How many steps are a block, when they are warm, and the seconds until the fifth was done; None if there are none."""
    answer = worker.ask(make=workload)
    if "error" in answer:
        print(f"    {worker.framework}: {answer['error']}", file=sys.stderr)
        return None
    count, seconds = 1, 0.0
    while seconds < block / 4:  # also what warms up
        count *= 2
        seconds = worker.ask(run=count).get("seconds", block)
    warm = max(1, int(0.3 / seconds)) if seconds < 0.3 else 0
    for _ in range(warm):
        seconds = worker.ask(run=count).get("seconds", block)
    return max(1, int(count * block / seconds)), answer["seconds"]


def blocks(counts: dict[Worker, int], times: dict[str, list]) -> None:
    """Let all take turns, a block each; adds the seconds a step took to the lists of the frameworks."""
    for worker, count in counts.items():
        time.sleep(0.005)  # threads of the last one go to sleep
        seconds = worker.ask(run=count).get("seconds")
        if seconds:
            times.setdefault(worker.framework, []).append(seconds / count)


def measure(workers: list[Worker], workload: str, rounds: int, block: float) -> dict:
    """Seconds a step for each framework: the median of its blocks, and until the fifth step was done."""
    able = {worker: found for worker in workers if (found := prepared(worker, workload, block))}
    times: dict[str, list] = {}
    for _ in range(rounds):
        blocks({worker: count for worker, (count, _) in able.items()}, times)
    return {"seconds": {name: statistics.median(t) for name, t in times.items()},
            "first": {worker.framework: first for worker, (_, first) in able.items()}}


_SPIN = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
while True:
    pass
"""


def beside_a_busy_core(workers: list[Worker], workload: str, rounds: int, block: float) -> dict[str, float]:
    """How many times longer a step takes while another process keeps one core busy; quiet and busy blocks take turns."""
    counts = {worker: found[0] for worker in workers if (found := prepared(worker, workload, block))}
    quiet: dict[str, list] = {}
    busy: dict[str, list] = {}
    for _ in range(rounds):
        blocks(counts, quiet)
        with subprocess.Popen([sys.executable, "-c", _SPIN]) as spinner:
            time.sleep(0.1)  # it has begun
            blocks(counts, busy)
            spinner.kill()
    return {name: statistics.median(busy[name]) / statistics.median(t) for name, t in quiet.items()}


def start_up(framework: str, python: str, threads: int, cache: str) -> dict:
    """From starting Python to the end of the fifth step, and the memory then: with an empty and a filled cache."""
    found = {}
    for workload in START:
        for attempt in ("cold", "warm"):
            begin = time.perf_counter()
            worker = Worker(framework, python, threads, os.path.join(cache, framework.replace(" ", "-")))
            answer = worker.ask(make=workload)
            seconds = time.perf_counter() - begin
            if "error" not in answer:
                megabytes = worker.ask(memory=True).get("megabytes")
                found[f"{workload} {attempt}"] = {"seconds": seconds, "megabytes": megabytes}
            worker.close()
    return found


_SIZE = """
import importlib.metadata as md, importlib.util, pathlib, re, sys
REQUIRED = %r
seen, stack, total = set(), [sys.argv[1]], 0
while stack:
    name = re.split(r"[^A-Za-z0-9._-]", stack.pop())[0].lower().replace("_", "-")
    if name in seen:
        continue
    seen.add(name)
    try:
        d = md.distribution(name)
    except md.PackageNotFoundError:
        if name == "kobai":  # as it lies in the repository
            folder = pathlib.Path(importlib.util.find_spec(name).origin).parent
            total += sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc")
            stack += REQUIRED
        continue
    total += sum(f.locate().stat().st_size for f in d.files or () if f.locate().exists())
    stack += [r for r in d.requires or () if "extra ==" not in r]
print(total)
"""


def footprint(package: str, python: str) -> dict:
    """Seconds and megabytes of an import, and megabytes on disk with everything it requires."""
    code = ("import time; t = time.perf_counter(); import {}; t = time.perf_counter() - t; "
            "from worker import most_memory; print(t, most_memory())")
    runs = [subprocess.run([python, "-c", code.format(package)], capture_output=True, text=True, check=False, cwd=HERE)
            for _ in range(4)]
    good = [tuple(map(float, r.stdout.split())) for r in runs[1:] if r.returncode == 0]
    if not good:
        return {}
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    size = subprocess.run([python, "-c", _SIZE % project["dependencies"], package], capture_output=True, text=True, check=False)
    return {"import": statistics.median(t for t, _ in good), "memory": good[0][1],
            "installed": int(size.stdout or 0) / 1e6}


def machine(threads: int) -> dict:
    """What the numbers were measured on, and what it can do."""
    sizes = {name: copy_bandwidth(4 * a * b, threads) for name, (a, b) in w.SIZES.items()}
    return {"processor": _processor(), "threads": threads, "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(), "copy": sizes}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def has(package: str, python: str) -> bool:
    """Whether an interpreter can import a package."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--workloads", default="all")
    p.add_argument("--frameworks", default=",".join(FRAMEWORKS))
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--block", type=float, default=0.02, help="seconds")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
                   else os.cpu_count())
    p.add_argument("--python", action="append", default=[], help="FRAMEWORK=interpreter that has it")
    p.add_argument("--skip-start", action="store_true", help="no start-up, import, size, and no busy core")
    p.add_argument("--json", help="keep the numbers here")
    p.add_argument("--from", dest="kept", help="numbers kept before: only what is asked for is measured again")
    p.add_argument("--write", help="folder for benchmarks.md and benchmarks.svg")
    return p.parse_args()


def main():
    args = arguments()
    pythons = dict(item.split("=", 1) for item in args.python)

    def python_of(framework):
        return pythons.get(framework, pythons.get(framework.split(" ")[0], sys.executable))
    wanted = [f for f in FRAMEWORKS if f in [x.strip() for x in args.frameworks.split(",")]]
    present = [f for f in wanted if has(PACKAGES[f.split(" ")[0]], python_of(f))]
    print("measuring", ", ".join(present), file=sys.stderr)
    results = {"workloads": {}, "start": {}, "footprint": {}}
    if args.kept:
        results = json.loads(Path(args.kept).read_text())
    results["machine"] = machine(args.threads)
    if not args.skip_start:
        with tempfile.TemporaryDirectory() as cache:
            for f in present:
                results["start"][f] = start_up(f, python_of(f), args.threads, cache)
        for name in dict.fromkeys(f.split(" ")[0] for f in present):
            results["footprint"][name] = footprint(PACKAGES[name], python_of(name))
    workers = [Worker(f, python_of(f), args.threads) for f in present]
    for workload in w.select(args.workloads):
        found = measure(workers, workload, args.rounds, args.block)
        known = results["workloads"].setdefault(workload, {"seconds": {}, "first": {}})
        for part in known:
            known[part].update(found[part])
        line = "  ".join(f"{f} {1e6 * s:.4g}" for f, s in found["seconds"].items())
        print(f"{workload} (µs): {line}", file=sys.stderr)
    for workload in () if args.skip_start else BUSY:
        results.setdefault("busy", {})[workload] = beside_a_busy_core(workers, workload, args.rounds, 2 * args.block)
    for worker in workers:
        worker.close()
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1))
    if args.write:
        write(results, Path(args.write))


if __name__ == "__main__":
    main()
