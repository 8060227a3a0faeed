"""`kobai.who_holds_graph()`: the recorded graphs that are alive, what they weigh, and what keeps them."""
from __future__ import annotations

import gc
import re
import sys
import weakref
from types import FrameType, ModuleType
from typing import NamedTuple

import numpy as np

from ..autograd.node import Freed, Node, Port
from ..saved import Packed
from ..tensor import Tensor
from .frames import user_frames
from .numbers import place, size, source
from .tape import node_of, nodes_before
from .told import Told, spoken, tell

_DEPTH = 6       # containers between a variable and a tensor
_MANY = 200_000  # nodes of one graph that are counted

_say = spoken({
    "none": ("No recorded graph is alive.", "記録されたグラフは残っていません。"),
    "head": ("{graphs} graphs are alive: {nodes} nodes, {bytes} of saved values.",
             "グラフが {graphs} 個残っています: ノード {nodes} 個、保存値 {bytes}。"),
    "one": ("1 graph is alive: {nodes} nodes, {bytes} of saved values.",
            "グラフが 1 個残っています: ノード {nodes} 個、保存値 {bytes}。"),
    "group": ("{holder}  keeps {graphs} graph(s): {nodes} nodes, {bytes}",
              "{holder}  がグラフ {graphs} 個を保持: ノード {nodes} 個、{bytes}"),
    "made": ("      made at {place}   {text}", "      作られた行: {place}   {text}"),
    "freed": ("      (backward() has freed its saved values; the nodes remain)",
              "      (backward() で保存値は解放済み。ノードだけが残っています)"),
    "fix": ("      fix: a number for a log is loss.item(); a value for the next step is state.detach()",
            "      対処: 記録用の数は loss.item()、次のステップへ渡す値は state.detach() にしてください"),
    "unknown": ("(held by something that is not a variable: {kind})", "(変数ではないものが保持: {kind})"),
    "more": ("... {count} more", "… ほか {count} 件"),
})


class Graph(NamedTuple):
    """One graph that is alive: its last node (weakly), what it weighs, and the paths of variables that lead to it."""

    root: weakref.ref
    nodes: int
    bytes: int
    freed: bool
    holders: tuple[str, ...]


def live_nodes() -> list[Node]:
    """All nodes of recorded graphs that exist now."""
    return list(living(Node))


def living(cls):
    """All objects of a class. `isinstance` would ask each object for its __class__: some warn when they are asked."""
    return (o for o in gc.get_objects() if issubclass(type(o), cls))


def live_graphs() -> list[Graph]:
    """The graphs that are alive, those that weigh most first."""
    nodes = live_nodes()
    inner = {id(node_of(e)) for n in nodes for e in n.edges}
    roots = [n for n in nodes if id(n) not in inner]
    paths = _paths(roots, nodes)
    out = [Graph(weakref.ref(r), *_weight(r), tuple(paths.get(id(r), ()))) for r in roots]
    del nodes
    return sorted(out, key=lambda g: (-g.bytes, -g.nodes))


def who_holds_graph(*, show=True) -> Told:
    """Print the recorded graphs that are alive: nodes, bytes of saved values, and the variables that keep them.

    A graph lives as long as anything refers to its last tensor. What keeps it is named by its path:
    `losses[0..9]`, `self.state`, `history['loss'][3]`, with the line that made it.

    >>> w = kobai.tensor([1.0, 2.0], requires_grad=True)
    >>> losses = [(w * w).sum() for _ in range(3)]
    >>> any("losses" in h for g in kobai.who_holds_graph(show=False).facts["graphs"] for h in g.holders)
    True
    """
    graphs = live_graphs()
    if not graphs:
        return tell(_say("none"), show, graphs=[])
    total, count = sum(g.bytes for g in graphs), sum(g.nodes for g in graphs)
    lines = [_say("head" if len(graphs) > 1 else "one", graphs=len(graphs), nodes=count, bytes=size(total))]
    groups: dict[str, list[Graph]] = {}
    for g in graphs:
        groups.setdefault(_group(g.holders), []).append(g)
    for i, (holder, held) in enumerate(groups.items()):
        if i == 20:
            lines.append(_say("more", count=len(groups) - 20))
            break
        lines += _about(holder, held)
    return tell("\n".join(lines), show, graphs=graphs)


def _about(holder, held) -> list[str]:
    root = held[0].root()
    lines = ["  " + _say("group", holder=holder, graphs=len(held), nodes=sum(g.nodes for g in held),
                         bytes=size(sum(g.bytes for g in held))),
             _say("made", place=place(root.where), text=source(root.where))]
    if all(g.freed for g in held):
        lines.append(_say("freed"))
    if len(held) > 1:
        lines.append(_say("fix"))
    return lines


def _group(holders) -> str:
    """`losses[...]` for the elements of one list; otherwise the path."""
    if not holders:
        return _say("unknown", kind="?")
    path, _, where = next((h for h in holders if h.partition(" ")[0].endswith("]")), holders[0]).partition(" ")
    return f"{path.rpartition('[')[0]}[...] {where}".rstrip() if path.endswith("]") else holders[0]


def _weight(root) -> tuple[int, int, bool]:
    """(nodes, bytes of saved values that are no leaf's, whether a backward pass has freed them)."""
    seen: set[int] = set()
    total = count = 0
    freed = False
    for node in nodes_before([root])[:_MANY]:
        count += 1
        freed = freed or isinstance(node.saved, Freed)
        own = {_memory(getattr(e, "_data", None)) for e in node.edges if isinstance(e, Tensor)}
        for v in node.saved if isinstance(node.saved, tuple) else ():
            key = _memory(v)
            if key is not None and key not in own and key not in seen:
                seen.add(key)
                total += v.nbytes
    return count, total, freed


def _memory(v):
    """What tells two arrays on one memory; None for what has none of its own."""
    if isinstance(v, Packed) or not isinstance(v, np.ndarray):
        return None
    while isinstance(v.base, np.ndarray):
        v = v.base
    return id(v)


# ---- who refers to it ------------------------------------------------------------------------
def _paths(roots, nodes) -> dict[int, list[str]]:
    """{id(root): paths of variables that lead to its tensors}, by following references backward."""
    variables = _variables()
    wanted = {id(r) for r in roots}
    ignore = {id(nodes), id(roots)}
    # from an object to the roots it leads to, and how it looks from the container
    front: dict[int, tuple[object, list[tuple[int, str]]]] = {id(r): (r, [(id(r), "")]) for r in roots}
    found: dict[int, list[str]] = {r: [] for r in wanted}
    seen = set(front)
    for _ in range(_DEPTH):
        for key, (_, ends) in front.items():
            if key in variables:
                name, where = variables[key]
                for root, suffix in ends:
                    found[root].append(f"{name}{suffix}{where}")
        front = _referrers(front, seen, ignore | {id(front), id(variables)})
        if not front:
            break
    return found


def _referrers(front, seen, ignore):
    """The objects that refer to those of `front`, with the suffix by which they do."""
    objects = [obj for obj, _ in front.values()]
    ignore = ignore | {id(objects)}
    new: dict[int, tuple[object, list[tuple[int, str]]]] = {}
    for holder in gc.get_referrers(*objects):
        if id(holder) in seen or id(holder) in ignore or issubclass(type(holder), (FrameType, ModuleType, Node)):
            continue
        ends = [(root, _joined(step, suffix)) for key, step in _steps(holder, front) for root, suffix in front[key][1]]
        if ends:
            seen.add(id(holder))
            new[id(holder)] = (holder, ends)
    return new


def _steps(holder, front):
    """(id of an object in front, how one gets there from the holder)."""
    if isinstance(holder, Tensor):
        return [(k, "") for k in {id(node_of(holder._node)), id(holder._node)} if k in front]
    if isinstance(holder, Port):
        return [(id(holder.node), "")] if id(holder.node) in front else []
    if isinstance(holder, dict):
        return [(id(v), f"[{k!r}]") for k, v in list(holder.items()) if id(v) in front]
    if isinstance(holder, (list, tuple)):
        return [(id(v), f"[{i}]") for i, v in enumerate(holder) if id(v) in front]
    attributes = getattr(holder, "__dict__", None)
    if isinstance(attributes, dict):
        if id(attributes) in front:
            return [(id(attributes), _ATTRIBUTE)]
        return [(id(v), f".{k}") for k, v in attributes.items() if id(v) in front]
    if type(holder).__name__ == "cell":
        return [(k, "") for k in front if _cell(holder) is front[k][0]]
    if type(holder).__name__ in ("deque", "set", "frozenset"):
        return [(id(v), f"[{i}]") for i, v in enumerate(holder) if id(v) in front]
    return []


_ATTRIBUTE = "."  # from an object to the dictionary of its attributes


def _joined(step, suffix):
    """`["h"]` of the dictionary of attributes is `.h` of the object."""
    return re.sub(r"^\['(\w+)'\]", r".\1", suffix) if step == _ATTRIBUTE else step + suffix


def _cell(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _variables() -> dict[int, tuple[str, str]]:
    """{id of an object: (variable, " in function (file)")} of the user's frames and modules."""
    found: dict[int, tuple[str, str]] = {}
    for frame in user_frames():
        local = frame.f_code.co_name
        for name, value in list(frame.f_locals.items()):
            found.setdefault(id(value), (name, "" if local == "<module>" else f" in {local}()"))
        for name, value in list(frame.f_globals.items()):
            if not name.startswith("__"):
                found.setdefault(id(value), (name, ""))
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and not _library(module):
            for name, value in list(vars(module).items()):
                if not name.startswith("__") and not issubclass(type(value), ModuleType):
                    found.setdefault(id(value), (f"{module.__name__}.{name}", ""))
    for uninteresting in (None, True, False, ()):
        found.pop(id(uninteresting), None)
    return found


def _library(module) -> bool:
    file = getattr(module, "__file__", None) or ""
    return not file or "site-packages" in file or module.__name__.partition(".")[0] in _STANDARD


_STANDARD = {*sys.stdlib_module_names, "kobai"} - {"__main__"}
