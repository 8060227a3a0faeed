"""A graph that `backward()` has freed, recorded once more, so that it can be looked at all the same.

What a freed graph still knows: its operations, the user's lines, the leaves and its results. What is missing are the
inputs without gradient (data, targets, numbers). They are looked for where the user wrote them: in the expression of
the line, then among the program's variables. A guess counts only if everything comes out as it did the first time.
"""
from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import NamedTuple

import numpy as np

from ..autograd import engine
from ..autograd.mode import modes
from ..autograd.node import Freed, Node
from ..saved import raw_saved
from ..tensor import Tensor, edge_of, wrap
from .frames import user_frames
from .numbers import place, source
from .tape import Tape, slot_of

MOST_NODES = 6000
MOST_NUMBERS = 2_000_000  # in a graph that is computed once more although it was not freed
MOST_TRIES = 400  # operations that are computed in vain before the search is given up
MOST_SHOWN = 70  # characters of a line
MOST_CHOICES = 60  # inputs that have to be looked for
OPTIONAL = {"weight", "pos_weight", "bias", "mask", "keep", "project"}  # inputs that may be left out
# Methods that change nothing: an expression with them may be evaluated once more.
PURE = {"float", "double", "long", "int", "bool", "half", "to", "unsqueeze", "squeeze", "view", "reshape", "flatten",
        "t", "transpose", "permute", "detach", "clone", "contiguous", "expand", "size", "dim", "type", "argmax",
        "repeat", "abs", "neg"}
MAKERS = {"tensor", "ones", "zeros", "full", "arange", "linspace", "eye", "from_numpy", "ones_like", "zeros_like"}


class Anew(NamedTuple):
    """A graph recorded once more."""

    tensors: dict[tuple, Tensor]  # (old node, output number) -> the same tensor with a graph of its own
    values: dict[tuple, object]  # (node, output number) -> array, of old and new nodes
    given: dict[Node, list]  # node, old or new -> its inputs without gradient: tensors, numbers, None


class Lost(NamedTuple):
    """Why a graph cannot be recorded once more."""

    why: str  # "random", "function" (of the program), "many" operations, "input" that is gone, "changed" leaves, "either"
    what: str = ""  # which operation, function, line; how many


def recorded_anew(tensors: list, scopes: Iterable[Mapping]) -> Anew | Lost:
    """The same tensors with a graph of their own, whose nodes have the lines of the old ones; or why not.

    Args:
        tensors: results whose graph has been freed.
        scopes: the program's variables by name, innermost first.
    """
    edges = [edge_of(t) for t in tensors]
    nodes = sorted((n for n in engine.reached([(e, None) for e in edges]) if isinstance(n, Node)), key=lambda n: -n._order)
    if len(nodes) > MOST_NODES:
        return Lost("many", f"{len(nodes):,}")
    once = next((lost for lost in map(_once, nodes) if lost), None)
    if once is not None:
        return once
    before, modes.look = modes.look, None
    try:
        return _Search(nodes, {slot_of(e): t for e, t in zip(edges, tensors)}, Variables(scopes)).run()
    finally:
        modes.look = before


def tape_of(tensor: Tensor) -> tuple[Tape, bool]:
    """The tape of a graph, with all that recording it once more tells, and whether that had to be because it was freed."""
    tape = Tape(tensor)
    if not tape.freed and size_of([tensor]) > MOST_NUMBERS:
        return tape, False
    again = recorded_anew([tensor], [scope for frame in user_frames() for scope in (frame.f_locals, frame.f_globals)])
    if isinstance(again, Lost):
        return tape, False
    freed, names = tape.freed, tape.names
    if freed:
        for slot, name in list(names.of_slot.items()):
            if slot in again.tensors:
                names.of_slot[again.tensors[slot].grad_fn, again.tensors[slot].output_nr] = name
        tape = Tape(again.tensors[slot_of(tape.root)], names)
    tape.take(again.values, again.given)
    return tape, freed


def is_freed(tensors: list) -> bool:
    """Whether a backward pass has freed what lies behind these tensors."""
    return any(isinstance(n, Node) and isinstance(n.saved, Freed) for n in engine.reached([(edge_of(t), None) for t in tensors]))


def size_of(tensors: list) -> int:
    """About how many numbers a graph works on: those of its leaves and of what it saved."""
    total = 0
    for e in engine.reached([(edge_of(t), None) for t in tensors]):
        saved = e.saved if isinstance(e, Node) else (getattr(e, "_data", None),)
        total += sum(getattr(v, "size", 0) for v in saved) if isinstance(saved, tuple) else 0
    return total


def _once(node: Node) -> Lost | None:
    """Why an operation is not repeated, if it is one of those."""
    if node.op is None:
        return Lost("function", node.name().removesuffix("Backward"))
    return Lost("random", _line(node)) if getattr(node.op, "random", False) else None


def _line(node: Node) -> str:
    if node.where is None:
        return node.name()
    text = source(node.where).partition("  #")[0]
    return f"{place(node.where)}   {text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + ' …'}"


class Variables:
    """The tensors of a program, and what its expressions stand for."""

    def __init__(self, scopes: Iterable[Mapping]):
        self.scopes = [dict(scope) for scope in scopes]
        self.tensors: dict[int, Tensor] = {}
        for scope in self.scopes:
            for name, value in scope.items():
                for v in value if isinstance(value, (list, tuple)) and len(value) <= 100 else (value,):
                    if isinstance(v, Tensor) and not name.startswith("_"):
                        self.tensors[id(v)] = v

    def constants(self) -> list[Tensor]:
        """Tensors that no gradient goes to, the last made ones first."""
        return [t for t in reversed(self.tensors.values()) if not t._rg]

    def operands(self, where) -> list:
        """Values of the operands, or arguments, of the expression that a place points at."""
        found = []
        for part in operands_at(where):
            try:
                value = self.value(part)
            except Exception:  # it needs something that is gone; anything may go wrong in what is not ours
                continue
            if isinstance(value, (int, float, complex)) or isinstance(value, Tensor) and not value._rg:
                found.append(value)
        return found

    def literal(self, where, slot: int):
        """The number that is written out as this operand of `a + b`: it was the same whenever the line ran."""
        body = _written(where)
        parts = (body.left, body.right) if isinstance(body, ast.BinOp) else \
            (body.target, body.value) if isinstance(body, ast.AugAssign) else ()
        part: ast.expr | None = parts[slot] if slot < len(parts) else None
        sign = -1 if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) else 1
        part = part.operand if isinstance(part, ast.UnaryOp) else part
        return sign * part.value if isinstance(part, ast.Constant) and isinstance(part.value, (int, float)) else None

    def value(self, e: ast.expr):
        """What an expression stands for; ValueError if it might do more than that."""
        if isinstance(e, ast.Constant):
            return e.value
        if isinstance(e, ast.Name):
            return next(scope[e.id] for scope in self.scopes if e.id in scope)
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
            return -self.value(e.operand)
        if isinstance(e, ast.Attribute) and e.attr in ("T", "data", "shape", "mT"):
            return getattr(self.value(e.value), e.attr)
        if isinstance(e, ast.Subscript):
            return self.value(e.value)[self.index(e.slice)]
        if isinstance(e, ast.BinOp) and type(e.op) in ARITHMETIC:
            return ARITHMETIC[type(e.op)](self.value(e.left), self.value(e.right))
        if isinstance(e, ast.Call) and isinstance(e.func, ast.Attribute) and not e.keywords:
            owner = self.value(e.func.value)
            if e.func.attr in (PURE if isinstance(owner, Tensor) else MAKERS if isinstance(owner, ModuleType) else ()):
                return getattr(owner, e.func.attr)(*[self.value(a) for a in e.args])
        if isinstance(e, (ast.List, ast.Tuple)):
            return [self.value(v) for v in e.elts]
        raise ValueError(ast.dump(e))  # plain: caught by its caller

    def index(self, e: ast.expr):
        """What stands between the brackets of a subscript."""
        if isinstance(e, ast.Slice):
            return slice(*[None if part is None else self.value(part) for part in (e.lower, e.upper, e.step)])
        return tuple([self.index(part) for part in e.elts]) if isinstance(e, ast.Tuple) else self.value(e)


ARITHMETIC = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
              ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a ** b}


def operands_at(where) -> list[ast.expr]:
    """The operands of the user's expression at a place: `a` and `b` of `a + b`, the arguments of a call."""
    body = _written(where)
    if isinstance(body, ast.AugAssign):
        return [body.target, body.value]
    if isinstance(body, ast.BinOp):
        return [body.left, body.right]
    if isinstance(body, ast.Call):
        receiver = [body.func.value] if isinstance(body.func, ast.Attribute) else []
        return [*receiver, *body.args, *[k.value for k in body.keywords]]
    if isinstance(body, ast.Subscript):
        return [body.value, *(body.slice.elts if isinstance(body.slice, ast.Tuple) else [body.slice])]
    return [body.operand] if isinstance(body, ast.UnaryOp) else []


def _written(where) -> ast.expr | ast.AugAssign | None:
    """The user's expression, or `a += b`, at a place."""
    if where is None:
        return None
    code, instruction = where
    line, end, left, right = list(code.co_positions())[instruction // 2]
    if line is None or end is None or left is None or right is None:
        return None
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(line, end + 1)]
    if not lines:
        return None
    lines[-1] = lines[-1][:right]
    lines[0] = lines[0][left:]
    text = b"".join(lines).decode(errors="replace")
    try:
        return ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError:
        pass
    try:
        statement = ast.parse(text.strip()).body[0]
    except SyntaxError:
        return None
    return statement if isinstance(statement, ast.AugAssign) else None


class _Search:
    """Runs the operations in their order, and goes back where a guess turns out wrong."""

    def __init__(self, nodes: list, roots: dict, variables: Variables):
        self.nodes, self.variables = nodes, variables
        self.tries, self.choices = 0, 0
        self.guessed: Node | None = None  # the first operation with an input that had to be looked for
        self.nothing: Node | None = None  # one for which nothing was found
        results = [t for t in variables.tensors.values() if t._rg and t._node is not None]
        self.known = {slot_of(edge_of(t)): t._value for t in results} | {s: t._value for s, t in roots.items()}
        self.made: dict[tuple, Tensor] = {}
        self.given: dict[Node, list] = {}
        self.spare = variables.constants()

    def run(self) -> Anew | Lost:
        """What was recorded, or why nothing was."""
        state_before = modes.grad
        modes.grad = True
        try:
            with np.errstate(all="ignore"):  # whoever computed it first has been warned
                found = self.from_node(0)
        finally:
            modes.grad = state_before
        if not found:
            if self.nothing is not None:
                return Lost("input", _line(self.nothing))
            return Lost("changed") if self.guessed is None else Lost("either", _line(self.guessed))
        values = {slot: t._value for slot, t in self.made.items()}
        return Anew(self.made, values | {slot_of(edge_of(t)): t._value for t in self.made.values()}, self.given)

    def from_node(self, first: int) -> bool:
        """Whether the operations from this number on can be repeated."""
        for i in range(first, len(self.nodes)):
            node = self.nodes[i]
            guesses = [self.guesses(node, k) for k, edge in enumerate(node.edges) if edge is None]
            open_ = sum(len(g) != 1 for g in guesses)
            if not open_:
                if not self.apply(node, [g[0] for g in guesses]):
                    return False
                continue
            self.choices += open_
            if not all(guesses):
                self.nothing = self.nothing or node
            good = self.choices <= MOST_CHOICES and any(
                self.apply(node, given) and self.from_node(i + 1) for given in _choices(guesses, self.over))
            self.choices -= open_
            return good
        return True

    def over(self) -> bool:
        return self.tries > MOST_TRIES

    def guesses(self, node: Node, slot: int) -> list:
        """What an input without gradient may have been, the likeliest first."""
        op = node.op
        name = op.inputs[min(slot, len(op.inputs) - 1)]
        saved = raw_saved(node)
        if isinstance(saved, tuple) and name in node.vjp.asks:
            value = saved[node.vjp.asks.index(name)]
            if op.variadic and slot >= len(op.inputs) - 1:
                value = value[slot - len(op.inputs) + 1]
            return [wrap(value) if isinstance(value, (np.ndarray, np.generic)) else value]
        certain = self.variables.literal(node.where, slot) if op.elementwise else None
        if certain is not None:
            return [certain]
        self.guessed = self.guessed or node
        written = self.variables.operands(node.where)
        own = [v for v in written[slot:slot + 1] if not isinstance(v, Tensor)]
        tensors = {id(t): t for t in [*(v for v in written if isinstance(v, Tensor)), *self.spare]}
        numbers = [v for v in written if not isinstance(v, Tensor)] if op.elementwise else []
        found = [*own, *tensors.values(), *numbers] if own and op.elementwise else [*tensors.values(), *numbers]
        return [None, *found] if name in OPTIONAL and not op.elementwise else found

    def apply(self, node: Node, given: list) -> bool:
        """Record an operation once more; whether its result is what is known of it."""
        rest = iter(given)
        inputs = [next(rest) if e is None else e if isinstance(e, Tensor) else
                  self.made[slot_of(e)] for e in node.edges]
        try:
            result = node.op(*inputs)
        except Exception:  # a guess that does not fit; each op complains in its own way
            self.tries += 1
            return False
        for number, tensor in enumerate(result if isinstance(result, tuple) else (result,)):
            known = self.known.get((node, number))
            if not isinstance(tensor, Tensor) or known is not None and not _same(tensor._value, known):
                self.tries += 1
                return False
            self.made[node, number] = tensor
            new = getattr(tensor._node, "node", tensor._node)
            if new is not None:
                new.where = node.where
                self.given[new] = given
        self.given[node] = given
        return True


def _choices(guesses: list, over):
    """All ways to take one of each, until it is over."""
    if not guesses:
        yield []
        return
    for first in guesses[0]:
        for rest in _choices(guesses[1:], over):
            if over():
                return
            yield [first, *rest]


def _same(a, b) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(np.allclose(a, b, rtol=2e-6, atol=1e-30, equal_nan=True)) if a.dtype.kind in "fc" else bool(np.array_equal(a, b))
