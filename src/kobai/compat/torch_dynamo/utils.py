"""`torch._dynamo.utils`: counters that programs print."""
from __future__ import annotations

from collections import Counter, defaultdict

counters: defaultdict[str, Counter[str]] = defaultdict(Counter)


def compile_times(repr="str", aggregate=False):
    """The times that PyTorch's compiler took: none."""
    return "" if repr == "str" else ([], [])
