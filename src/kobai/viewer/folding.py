"""Which module call each node belongs to; long stretches of operations without modules are cut into runs."""

from __future__ import annotations

import math

MOST = 100  # children that a module shows at once
RUN = 40  # operations in a run, at least


def place_in_modules(nodes: list[dict], edges: list, calls: dict, tensors: dict) -> list[dict]:
    """Give each node its ``module``; the list of modules, outer ones first (see `model`).

    ``calls`` are the operations in the order in which they ran: {id of the node: ModuleCall or None}. The
    operations of a module, as those of a run, follow each other in time, so folding them gives no cycles.
    ``tensors`` {id of a tensor: id of its node} are those no operation made; one that a module is called on
    stands outside of it.
    """
    modules: list[dict] = []
    place: dict[object, int] = {}

    def module_of(call):
        """The place of a module call in `modules`; its parents come before it."""
        if call is None:
            return None
        if call not in place:
            parent = module_of(call.parent)
            place[call] = len(modules)
            modules.append({"id": place[call], "parent": parent, "name": call.name, "path": call.path,
                            "type": call.type, "call": call.call, "nodes": 0, "kind": "module"})
        return place[call]

    for i, call in calls.items():
        nodes[i]["module"] = module_of(call)
    cut_into_runs(nodes, list(calls), modules)
    given = {(tensors[id(t)], m) for call, m in place.items() for t in call.given if id(t) in tensors}
    place_sources(nodes, edges, calls, modules, given)
    for node in nodes:
        for module in chain(node["module"], modules):
            modules[module]["nodes"] += 1
    return modules


def chain(module: int | None, modules: list[dict]) -> list[int]:
    """A module and those it is in, innermost first."""
    found = []
    while module is not None:
        found.append(module)
        module = modules[module]["parent"]
    return found


def cut_into_runs(nodes: list[dict], order: list[int], modules: list[dict]) -> None:
    """Put the children of crowded modules, and of the whole graph, into runs of what follows each other."""
    children: dict[int | None, dict] = {None: {}}
    for i in order:
        item, inside = ("node", i), nodes[i]["module"]
        children.setdefault(inside, {}).setdefault(item)
        for module in chain(inside, modules):
            children.setdefault(modules[module]["parent"], {}).setdefault(("module", module))
    for inside, items in list(children.items()):
        _cut(list(items), inside, nodes, modules, 0)


def _cut(items: list, inside: int | None, nodes: list[dict], modules: list[dict], first: int) -> None:
    if len(items) <= MOST:
        return
    size = max(RUN, math.ceil(len(items) / (MOST // 2)))
    for start in range(0, len(items), size):
        part = items[start:start + size]
        name = f"{first + start + 1}–{first + start + len(part)}"
        run: dict = {"id": len(modules), "parent": inside, "name": name, "path": name, "type": "", "call": 1, "nodes": 0,
                     "kind": "run"}
        modules.append(run)
        for kind, i in part:
            (nodes if kind == "node" else modules)[i]["module" if kind == "node" else "parent"] = run["id"]
        _cut(part, run["id"], nodes, modules, first + start)


def place_sources(nodes: list[dict], edges: list, calls: dict, modules: list[dict], given: set) -> None:
    """What no operation made stands in the innermost module that all its users are in."""
    common: dict[int, list[int]] = {}
    chains: dict[int | None, list[int]] = {}
    for source, user, *_ in edges:
        if source in calls:
            continue
        module = nodes[user]["module"]
        if module not in chains:
            chains[module] = chain(module, modules)[::-1]
        outer = chains[module]
        outer = outer[:next((i for i, m in enumerate(outer) if (source, m) in given), None)]
        if source in common:
            same = (a for a, b in zip(common[source], outer) if a == b)
            outer = list(same)
        common[source] = outer
    for source, outer in common.items():
        nodes[source]["module"] = outer[-1] if outer else None
