"""`kobai.explain(loss)`: the chain rule of the reader's own graph, line by line, with its numbers."""
from __future__ import annotations

import ast
import re

import numpy as np

from ..op import Elementwise
from ..saved import raw_saved
from ..tensor import Tensor
from .anew import operands_at, tape_of
from .errors import error
from .formula import applied, formula
from .numbers import padded, place, shown, source, term
from .sections import by_module
from .tape import slot_of
from .told import Told, spoken, tell

_say = spoken({
    "forward": ("Forward: what was computed, in this order", "順方向: 計算した順に"),
    "backward": ("Backward: from d{root}/d{root} = {seed}; each gradient that comes in, times the derivative of the "
                 "operation, goes out", "逆方向: d{root}/d{root} = {seed} から始め、届いた勾配に演算の微分を掛けて送り出す"),
    "arrives": ("arrives from {count} places and adds up: {sum} = {total}",
                "{count} か所から届いて足し合わされる: {sum} = {total}"),
    "comes": ("comes in: {g}", "届く勾配: {g}"),
    "stops": ("{name}: stops here, {why}", "{name}: ここで止まる。{why}"),
    "leaves": ("What arrives at the leaves (backward() adds it to .grad)", "葉に届く勾配 (backward() はこれを .grad に足す)"),
    "constant": ("it is a constant", "定数なので"),
    "no_flag": ("it was made without requires_grad=True", "requires_grad=True で作られていないので"),
    "integer": ("its dtype {dtype} has no derivative", "型 {dtype} は微分できないので"),
    "cut": ("cut off by {how} at {line}", "{line} の {how} で切り離されているので"),
    "none": ("the operation has no derivative by it", "この演算はこの入力について微分を持たないので"),
    "freed": ("(An earlier backward() has freed the saved values, so there are no numbers for the backward pass. Call "
              "explain before backward(), or backward(retain_graph=True).)",
              "(先に行われた backward() が保存値を解放したので、逆方向の数値は示せません。backward() の前に explain を呼ぶか、"
              "backward(retain_graph=True) を使ってください。)"),
    "anew": ("(backward() has freed this graph; it was computed once more from the program's variables, with the same result.)",
             "(backward() がこのグラフを解放したので、プログラムの変数から計算し直しました。結果は同じです。)"),
    "leaf": ("{name} is a leaf: it was not computed, so there is no chain of derivatives. Its gradient by itself is 1.",
             "{name} は葉です。計算された値ではないので連鎖律の鎖はなく、自分自身についての勾配は 1 です。"),
    "rule": ("rule of {op}", "{op} の規則"),
})
WRITTEN = 24  # characters of an expression that stands for an input without a name


def explain(loss, gradient=None, *, steps=40, show=True) -> Told:
    """Print the chain rule of the graph behind `loss`, line by line with numbers.

    First each operation with its value and the line that made it; then, from the end, each gradient that comes
    in, the derivative it is multiplied by (as the op's class has it), what goes out, where gradients meet and
    add, and where they stop and why. Nothing is changed: no `.grad` is written, nothing is freed.

    Args:
        loss: a tensor of any shape; `gradient` (ones) is what the backward pass starts with.
        steps: graphs with more operations than this are explained by module instead.
        show: print it; the text is returned in any case, as `str(told)`.

    Raises:
        RuntimeError: `loss` does not require grad.

    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> told = kobai.explain(w * w, show=False)
    >>> told.facts["gradients"]["w"].item()
    4.0
    """
    if not isinstance(loss, Tensor):
        raise error("argument-type",
                    TypeError(f"explain(): argument 'loss' must be Tensor, not {type(loss).__name__}"),
                    what="loss", kind=type(loss), must="a tensor")
    if not loss.requires_grad:
        raise error("no-grad-fn", tensor=loss, position=0)
    tape, anew = tape_of(loss)
    if loss.grad_fn is None:
        return tell(_say("leaf", name=tape.names.of_leaf.get(id(loss), "the tensor")), show)
    if len(tape.nodes) > steps:
        found, gradients = by_module(tape, gradient)
    else:
        found, gradients = _Lines(tape).all(gradient)
    return tell("\n".join([*([_say("anew")] if anew else []), *found]), show, gradients=gradients, nodes=len(tape.nodes))


class Labels:
    """A short name for every value: the user's, else v1, v2, ... in the order of computation."""

    def __init__(self, tape):
        self.tape, self.of = tape, {}
        taken = {*tape.names.of_slot.values(), *tape.names.of_leaf.values()}
        free = (f"v{i}" for i in range(1, 10**9) if f"v{i}" not in taken)
        for node in tape.nodes:
            self.of[node, 0] = tape.names.of_slot.get((node, 0)) or next(free)

    def edge(self, edge) -> str:
        """The name of what comes along an edge that is not None."""
        if isinstance(edge, Tensor):
            return self.tape.names.of_leaf.get(id(edge)) or f"leaf{tuple(edge.shape)}"
        node, number = slot_of(edge)
        known = self.tape.names.of_slot.get((node, number))
        return known or (f"{self.of[node, 0]}[{number}]" if node.extra and "outs" in node.extra else self.of[node, 0])

    def constant(self, node, i, value) -> str:
        """The name of an input without gradient: a variable's, its number, or how the line has it."""
        name = self.tape.names.of_array.get(id(value))
        if name or value is not None and np.ndim(value) == 0:
            return name or shown(value)
        parts = operands_at(node.where)
        parts = parts[1:] if len(parts) == len(node.edges) + 1 else parts  # the module, or class, of a function
        written = ast.unparse(parts[i]) if len(parts) == len(node.edges) and value is not None else ""
        return written if 0 < len(written) <= WRITTEN else "c"

    def inputs(self, node) -> list[str]:
        """The names of a node's inputs."""
        values = self.tape.inputs(node)
        return [self.edge(e) if e is not None else self.constant(node, i, v)
                for i, (e, v) in enumerate(zip(node.edges, values))]

    def result(self, node) -> str:
        return self.of[node, 0]


class _Lines:
    """The text for a small graph."""

    def __init__(self, tape):
        self.tape, self.labels = tape, Labels(tape)

    def all(self, gradient):
        tape = self.tape
        root = self.labels.edge(tape.root)
        lines = [_say("forward")]
        rows = [self.forward(node) for node in tape.nodes]
        width = min(60, max(len(left) for left, _ in rows))
        lines += [f"  {padded(left, width)}   {right}".rstrip() for left, right in rows]
        if tape.freed:
            return [*lines, _say("freed")], {}
        seed = shown(gradient) if gradient is not None else "1"
        lines += ["", _say("backward", root=root, seed=seed)]
        for step in tape.steps(gradient):
            lines += self.backward(root, *step)
        arrived, gradients = self.leaves(root)
        return [*lines, "", _say("leaves"), *arrived], gradients

    def forward(self, node):
        """(`v1 = w * x = 2 * 5 = 10`, the user's line)."""
        names, values = self.labels.inputs(node), self.tape.inputs(node)
        value = self.tape.values.get((node, 0))
        left = f"{self.labels.result(node)} = {self.expression(node, names)}"
        plain = node.op is not None and values and all(v is not None and np.ndim(v) == 0 for v in values)
        if plain and not node.op.variadic and any(n != shown(v) for n, v in zip(names, values)):
            left += f" = {self.expression(node, [term(v) for v in values])}"
        left += f" = {shown(value)}"
        return left, f"{place(node.where)}  {source(node.where)}"

    def expression(self, node, names):
        if node.op is None:  # a Function of the user's, or a step that only PyTorch's graph has
            return f"{node.name().removesuffix('Backward')}({', '.join(names)})"
        if len(names) > 2:  # an optional input that was not given, such as the weights of a loss
            names = [n for n in names if n != "c"]
        return applied(node.op, names)

    def backward(self, root, node, parts, g, out):
        """The lines of one step: what comes in, and for each input what goes out."""
        result, values = self.labels.result(node), self.tape.inputs(node)
        head = f"{result} = {self.expression(node, self.labels.inputs(node))}"
        lines = [f"  {padded(head, 46)} {node.name()}  {place(node.where)}".rstrip()]
        if len(parts) > 1 and not isinstance(g, tuple):
            added = " + ".join(term(p[1]) for p in parts)
            lines.append(f"      d{root}/d{result} " + _say("arrives", count=len(parts), sum=added, total=shown(g)))
        else:
            lines.append(f"      d{root}/d{result} " + _say("comes", g=_all(g)))
        for i, (edge, h) in enumerate(zip(node.edges, out)):
            if edge is None or h is None:
                lines += self.stop(node, i, edge, values[i] if i < len(values) else None)
            else:
                lines.append("      " + self.outgoing(root, node, i, edge, g, h))
        return lines

    def outgoing(self, root, node, i, edge, g, h):
        """`dy/dw = 1 * x = 1 * 5 = 5`."""
        left, op = f"d{root}/d{self.labels.edge(edge)}", node.op
        rule = formula(op, i) if op is not None else None
        if rule is None:
            return f"{left} = {shown(h)}   [{_say('rule', op=node.name())}]"
        text = _named(rule.text, op, self.labels, node)
        if not rule.factor:
            return f"{left} = {shown(h)}   [{text}]"
        d = _local(node, i, self.tape)
        if _number(text) or d is None:
            return f"{left} = {term(g)} * {term(float(text)) if _number(text) else text} = {shown(h)}"
        return f"{left} = {term(g)} * {term(d)} = {shown(h)}   [{text} = {shown(d)}]"

    def stop(self, node, i, edge, value):
        """Why no gradient goes to an input; nothing for a plain number written in the formula."""
        if edge is not None:
            return [f"      {_say('stops', name=self.labels.edge(edge), why=_say('none'))}"]
        holder = self.tape.names.holder_of(value) if value is not None else None
        name = self.labels.constant(node, i, value)
        if holder is None:
            return [] if value is None or np.ndim(value) == 0 else [
                f"      {_say('stops', name=name, why=_say('constant'))}"]
        return [f"      {_say('stops', name=name, why=why_stopped(holder))}"]

    def leaves(self, root):
        lines, gradients = [], {}
        for leaf, parts in self.tape.arrived.values():
            name = self.tape.names.of_leaf.get(id(leaf)) or f"leaf{tuple(leaf.shape)}"
            total = parts[0][1]
            for _, g in parts[1:]:
                total = total + g
            gradients[name] = total
            added = " + ".join(term(g) for _, g in parts) + " = " if len(parts) > 1 else ""
            lines.append(f"  d{root}/d{name} = {added}{shown(total)}")
        return lines, gradients


def why_stopped(tensor) -> str:
    """Why a tensor takes no gradient, in a few words."""
    cut = getattr(tensor, "__dict__", {}).get("_cut")
    if cut is not None:
        return _say("cut", how=cut[0], line=place(cut[1]))
    if tensor._value.dtype.kind not in "fcV":
        return _say("integer", dtype=tensor.dtype)
    return _say("no_flag")


def _number(text) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _all(g) -> str:
    return ", ".join(map(shown, g)) if isinstance(g, tuple) else shown(g)


def _named(text, op, labels, node):
    """A formula with the user's names for x, a, b and y."""
    names = {"y": labels.result(node)}
    if not op.variadic:
        names |= dict(zip(op.inputs, labels.inputs(node)))
    return re.sub(r"\b[A-Za-z_]\w*\b(?!\s*\()", lambda m: names.get(m[0], m[0]), text)


def _local(node, i, tape):
    """The derivative of an elementwise op by input `i`, as numbers: its rule with an incoming gradient of one."""
    value = tape.values.get((node, 0))
    if not isinstance(node.op, Elementwise) or value is None:
        return None
    ones = np.ones(value.shape, value.dtype)[()]
    fit, node.fit = node.fit, None  # before the sum over what was broadcast
    try:
        return node.vjp(node, ones, raw_saved(node))[i]
    finally:
        node.fit = fit


__all__ = ["explain"]
