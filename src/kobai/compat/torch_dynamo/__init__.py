"""`torch._dynamo` under the hook: what programs say to PyTorch's compiler beside `torch.compile`.

Nothing here changes what kobai's compiler does; programs may set and ask, and run on.
"""
from __future__ import annotations

from typing import Any

from kobai.compat.torch_dynamo import config, exc, utils
from kobai.compile import BACKENDS
from kobai.compiler import allow_in_graph, assume_constant_result, disable, is_compiling, list_backends, reset

__all__ = ["allow_in_graph", "assume_constant_result", "config", "disable", "disallow_in_graph", "exc", "explain", "graph_break",
           "is_compiling", "list_backends", "mark_dynamic", "mark_static", "mark_static_address", "maybe_mark_dynamic",
           "mark_unbacked", "optimize", "register_backend", "reset", "reset_code_caches", "run", "utils"]


def optimize(backend="inductor", *, nopython=False, **options):
    """A decorator: `torch.compile` of the function."""
    from kobai import compile  # noqa: PLC0415  (the compiler is loaded when it is used)
    return compile(fullgraph=nopython, backend=backend)


def explain(f, *args, **kwargs):
    """A function that runs `f` compiled and says why it could not be, as text."""
    def explained(*inner, **named):
        from kobai import compile  # noqa: PLC0415
        made = compile(f)
        for _ in range(2):
            made(*inner, **named)
        reason = getattr(made, "_compiled", made).reason
        return ExplainOutput(reason)
    return explained(*args, **kwargs) if args or kwargs else explained


class ExplainOutput:
    """What `explain` found: the counts that PyTorch gives, and the reason if calls run eagerly."""

    def __init__(self, reason: str | None):
        self.break_reasons = [] if reason is None else [reason]
        self.graph_count, self.graph_break_count = int(reason is None), len(self.break_reasons)

    def __str__(self):
        why = "".join(f"\n  {r}" for r in self.break_reasons)
        return f"Graph Count: {self.graph_count}\nGraph Break Count: {self.graph_break_count}\nBreak Reasons:{why}"


def register_backend(compiler_fn=None, name=None, tags=()):
    """Make a name one that `backend=` takes; kobai's compiler does the work."""
    if compiler_fn is None:
        return lambda fn: register_backend(fn, name, tags)
    BACKENDS.add(name or compiler_fn.__name__)
    return compiler_fn


def graph_break(msg: str = "") -> None:
    """Nothing: a function is compiled as a whole, or runs eagerly."""


def mark_dynamic(t: Any, index: Any, **bounds) -> None:
    """Nothing: each shape has its own code, until there are too many."""


maybe_mark_dynamic = mark_static = mark_static_address = mark_unbacked = mark_dynamic
disallow_in_graph, run, reset_code_caches = disable, disable, reset
