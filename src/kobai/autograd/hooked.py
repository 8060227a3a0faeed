"""What hooks see and change while gradients pass."""
from __future__ import annotations

from ..diagnose import error
from ..saved import tensor_of
from ..tensor import Tensor
from .mode import modes


def _plain(g, graph):
    return g if graph or g is None or not isinstance(g, Tensor) or modes.trace is not None else g._value


def call_hooks(hooks, g, graph, which=None):
    """The gradient after hooks that may each return another one; `which`: (roots, wanted) of the pass."""
    before, modes.grad, modes.passing = modes.grad, graph, which
    try:
        t = tensor_of(g)
        for hook in list(hooks):
            new = hook(t)
            if new is not None:
                t = _checked_hook(hook, t, new)
    finally:
        modes.grad, modes.passing = before, None
    return _plain(t, graph)


def _checked_hook(hook, old, new):
    """What a hook returned, if it can stand for the gradient it got."""
    if not isinstance(new, Tensor):
        raise error("wrong-return", TypeError(f"expected Variable, but hook returned '{type(new).__name__}'"),
                    what=f"the hook {getattr(hook, '__name__', '')}", kind=type(new), must="a tensor or None")
    name, a, b = getattr(hook, "__name__", type(hook).__name__), old._value, new._value
    if a.shape != b.shape:
        raise error("wrong-return", RuntimeError(f"hook '{name}' has changed the size of value"),
                    what=f"the hook {name}", why="it got a gradient of shape {shape} and gave one of {returned}.",
                    shape=a.shape, returned=b.shape, kind=type(new), must="a gradient of the same shape",
                    fix="return a tensor of shape {shape}, or None to leave the gradient as it is.")
    if a.dtype != b.dtype:
        raise error("wrong-return",
                    RuntimeError(f"hook '{name}' has changed the type of value (was {old.type()} got {new.type()})"),
                    what=f"the hook {name}", why="it got a gradient of dtype {dtype} and gave one of {returned}.",
                    dtype=a.dtype, returned=b.dtype, kind=type(new), must="a gradient of the same dtype",
                    fix="return g.to({dtype}), or None to leave the gradient as it is.")
    return new


def hooks_before(node, g, graph, which):
    before, _, by_output = node.hooks
    many = type(g) is list
    gs = list(g) if many else [g]
    for number, hooks in by_output.items():
        if gs[number] is not None:
            gs[number] = call_hooks(hooks["tensor"].values(), gs[number], graph, which)
            for keep in hooks["retain"]:
                keep(tensor_of(gs[number]))
    for hook in list(before.values()):
        new = hook(tuple([tensor_of(v) for v in gs]))
        if new is not None:
            gs = [_plain(v, graph) for v in (new if isinstance(new, tuple) else (new,))]
    return gs if many else gs[0]


def hooks_after(node, out, g, graph):
    g_out = tuple([tensor_of(v) for v in (g if isinstance(g, tuple) else (g,))])
    for hook in list(node.hooks[1].values()):
        new = hook(tuple([tensor_of(v) for v in out]), g_out)
        if new is not None:
            out = tuple([_plain(v, graph) for v in (new if isinstance(new, tuple) else (new,))])
    return out
