"""One framework in a process of its own, told what to do by `run.py`, a line of JSON at a time.

    {"make": "w5 polynomial, 8000 points"}  builds it and runs five steps       -> {"seconds": ...}
    {"run": 100}                            runs so many steps and waits         -> {"seconds": ...}
    {"memory": true}                                                             -> {"megabytes": ...}
"""
from __future__ import annotations

import json
import os
import sys
import time

FRAMEWORKS = ("kobai", "kobai compiled", "PyTorch", "PyTorch compiled", "JAX", "TensorFlow")


def kit_of(framework: str):
    """What makes the steps."""
    if framework == "JAX":
        from with_jax import Workloads  # noqa: PLC0415 (only one framework in a process)
        return Workloads()
    if framework == "TensorFlow":
        from with_tensorflow import Workloads  # noqa: PLC0415
        return Workloads()
    from with_torch import Workloads  # noqa: PLC0415
    return Workloads("kobai" if framework.startswith("kobai") else "torch", framework.endswith("compiled"))


def main(framework: str):
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print goes elsewhere
    kit = step = wait = None
    for line in sys.stdin:
        order, begin = json.loads(line), time.perf_counter()
        try:
            if "make" in order:
                kit = kit or kit_of(framework)
                if not hasattr(kit, "_" + order["make"].split(" ")[0]):
                    raise NotImplementedError("not written for this framework")
                wait = getattr(kit, "wait", lambda result: None)
                step = kit.step(order["make"])
                for _ in range(5):
                    wait(step())
            elif "run" in order:
                for _ in range(order["run"]):
                    result = step()
                wait(result)
            answer = {"seconds": time.perf_counter() - begin}
            if "memory" in order:
                answer = {"megabytes": most_memory()}
        except Exception as e:  # this framework cannot do it: the others go on
            answer = {"error": f"{type(e).__name__}: {e}".splitlines()[0][:200]}
        out.write(json.dumps(answer) + "\n")
        out.flush()


def most_memory() -> float:
    """Megabytes that this process has had at most."""
    try:  # getrusage tells also of the process that started this one
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        import resource  # noqa: PLC0415 (not on Windows)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main(sys.argv[1])
