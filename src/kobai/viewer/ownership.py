"""Modules of a graph that was recorded before anybody looked: known by the parameters that its operations use."""

from __future__ import annotations

from ..nn import Module, ModuleDict, ModuleList
from .trace import Call, ModuleCall, Source


def owners(variables: dict) -> dict[int, tuple]:
    """{id of a parameter: the modules it is in, outermost first, as (path, name, type)} for all models there are.

    >>> import kobai
    >>> model = kobai.nn.Sequential(kobai.nn.Linear(1, 1))
    >>> owners({"model": model})[id(model[0].bias)]
    (('Sequential', 'Sequential', 'Sequential'), ('0', '0', 'Linear'))
    """
    found: dict[int, tuple] = {}
    for value in list(variables.values()):
        if isinstance(value, Module):
            _walk(value, (), "", type(value).__name__, found)
    return found


def _walk(module, outer: tuple, path: str, name: str, found: dict) -> None:
    kind = type(module).__name__
    lists = isinstance(module, (ModuleList, ModuleDict))  # never called, so no module of the graph
    here = outer if lists else (*outer, (path or kind, name, kind))
    for parameter in module.parameters(recurse=False):
        found.setdefault(id(parameter), here)
    for child, inner in module.named_children():
        _walk(inner, here, f"{path}.{child}" if path else child, f"{name}.{child}" if lists else child, found)


def group(calls: list[Call], owned: dict[int, tuple]) -> None:
    """Give calls, in the order in which they ran, their modules.

    A module has all that ran from the first to the last use of its parameters. Where two modules took turns
    neither is shown: folding one would make a cycle.
    """
    chains = [_chain(call, owned) for call in calls]
    if any(chains):
        _place(calls, chains, 0, len(calls), 0, None)


def _chain(call: Call, owned: dict) -> tuple:
    """The modules that have all parameters an operation uses."""
    chains = [owned[id(made[0].tensor)] for made in call.inputs
              if made is not None and isinstance(made[0], Source) and id(made[0].tensor) in owned]
    if not chains:
        return ()
    shortest = min(chains, key=len)
    return tuple([m for i, m in enumerate(shortest) if all(c[i] == m for c in chains)])


def _place(calls: list, chains: list, begin: int, end: int, depth: int, parent: ModuleCall | None) -> None:
    spans: dict[tuple, list[int]] = {}
    for i in range(begin, end):
        if len(chains[i]) > depth:
            spans.setdefault(chains[i][depth], [i, i])[1] = i
    for (path, name, kind), (first, last) in _apart(spans):
        module = ModuleCall(name, path, kind, parent)
        for i in range(first, last + 1):
            calls[i].module = module
        _place(calls, chains, first, last + 1, depth + 1, module)


def _apart(spans: dict) -> list[tuple]:
    """Those that overlap no other; they come in the order of their beginnings."""
    ordered = list(spans.items())
    alone, far = [], -1  # where all spans so far end
    for i, (module, (first, last)) in enumerate(ordered):
        if first > far and (i + 1 == len(ordered) or ordered[i + 1][1][0] > last):
            alone.append((module, (first, last)))
        far = max(far, last)
    return alone
