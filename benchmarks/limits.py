"""What the machine can do: bytes copied in a second by all threads, for arrays of several sizes."""
from __future__ import annotations

import threading
import time

import numpy as np


def copy_bandwidth(size: int, threads: int) -> float:
    """Bytes read and written in a second while copying ``size`` bytes to memory in use, ``threads`` at a time.

    Each thread copies its part many times over, so that starting threads does not count; the best of several tries.
    """
    part = max(size // threads, 64)
    pairs = [(np.ones(part, np.uint8), np.ones(part, np.uint8)) for _ in range(threads)]
    count = max(3, int(5e7 / part))
    best = 0.0
    for _ in range(5):
        ready = threading.Barrier(threads + 1)

        def work(source, target, ready=ready):
            np.copyto(target, source)  # into the caches, as far as they go
            ready.wait()
            for _ in range(count):
                np.copyto(target, source)
            ready.wait()
        for pair in pairs:
            threading.Thread(target=work, args=pair).start()
        ready.wait()
        begin = time.perf_counter()
        ready.wait()
        best = max(best, 2 * part * threads * count / (time.perf_counter() - begin))
    return best


if __name__ == "__main__":
    for n in (1 << 16, 1 << 22, 1 << 25):
        print(n, f"{copy_bandwidth(n, 2) / 1e9:.1f} GB/s")
