"""A large graph explained by module: what comes into each part, what its parameters get, what goes on."""
from __future__ import annotations

import numpy as np

from ..tensor import Tensor
from .numbers import place, shown
from .tape import node_of
from .told import spoken

MOST = 60  # parts that are listed

_say = spoken({
    "head": ("{nodes} operations, {parts} parts (a part is a module with parameters and what follows it up to the next). "
             "Backward, from the end:",
             "演算 {nodes} 個、{parts} 個の部分 (パラメータを持つモジュールと、次のモジュールまでの演算)。逆方向、終わりから:"),
    "part": ("{name}   {count} operations, {first} ... {last}   {line}", "{name}   演算 {count} 個、{first} … {last}   {line}"),
    "comes": ("      comes in: |gradient| = {g}", "      届く勾配の大きさ: {g}"),
    "param": ("      {name}.grad gets {g}", "      {name}.grad に足される: {g}"),
    "more": ("  ... {count} more parts", "  … ほか {count} 個の部分"),
    "small": ("      <- the gradient has almost vanished here", "      ← 勾配がここでほとんど消えている"),
    "large": ("      <- the gradient grows very large here", "      ← 勾配がここで非常に大きくなっている"),
    "freed": ("(An earlier backward() has freed the saved values: call explain before it, or give it retain_graph=True.)",
              "(先に行われた backward() が保存値を解放しました。その前に explain を呼ぶか、"
              "retain_graph=True を指定してください。)"),
    "inputs": ("(before the first parameter)", "(最初のパラメータより前)"),
})


def by_module(tape, gradient):
    """(lines, {leaf's name: gradient}) for a graph of many nodes."""
    owner = owners(tape)
    parts = list(dict.fromkeys(owner[n] for n in tape.nodes))
    lines = [_say("head", nodes=len(tape.nodes), parts=len(parts))]
    if tape.freed:
        return [*lines, _say("freed")], {}
    met: dict = {}
    for node, _, g, out in tape.steps(gradient):
        part = met.setdefault(owner[node], _Part())
        part.nodes.append(node)
        part.g = part.g if part.g is not None else _norm(g)
        part.leaves += [(e, h) for e, h in zip(node.edges, out) if isinstance(e, Tensor) and h is not None]
    for i, (name, part) in enumerate(met.items()):
        if MOST // 2 <= i < len(met) - MOST // 2:
            if i == MOST // 2:
                lines.append(_say("more", count=len(met) - MOST))
            continue
        lines += part.lines(name, tape)
    gradients = {}
    for leaf, arrived in tape.arrived.values():
        name = tape.names.of_leaf.get(id(leaf))
        if name:
            gradients[name] = sum(g for _, g in arrived)
    return lines, gradients


class _Part:
    def __init__(self):
        self.nodes, self.leaves, self.g = [], [], None

    def lines(self, name, tape):
        first, last = self.nodes[-1], self.nodes[0]
        out = ["  " + _say("part", name=name, count=len(self.nodes), first=first.name(), last=last.name(),
                           line=place(first.where)).rstrip(),
               _say("comes", g=f"{self.g:.4g}")]
        if self.g < 1e-7:
            out.append(_say("small"))
        elif not self.g < 1e6:
            out.append(_say("large"))
        for leaf, g in self.leaves:
            out.append(_say("param", name=tape.names.of_leaf.get(id(leaf)) or f"leaf{tuple(leaf.shape)}", g=shown(g)))
        return out


def owners(tape) -> dict:
    """{node: the path of the module whose parameter it uses, or that of the node before it}."""
    found: dict = {}
    for node in tape.nodes:
        leaves = [tape.names.of_leaf[id(e)] for e in node.edges if isinstance(e, Tensor) and id(e) in tape.names.of_leaf]
        before = [found[n] for e in node.edges if (n := node_of(e)) in found] if not leaves else []
        found[node] = leaves[0].rpartition(".")[0] or leaves[0] if leaves else before[-1] if before else _say("inputs")
    return found


def _norm(g) -> float:
    parts = [v for v in (g if isinstance(g, tuple) else (g,)) if isinstance(v, (np.ndarray, np.generic))]
    return float(np.sqrt(sum(float(np.linalg.norm(np.asarray(v, float)) ** 2) for v in parts)))
