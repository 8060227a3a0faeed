"""The derivative of an op as a line of mathematics, read from the rules of its class.

>>> import kobai
>>> from kobai.diagnose.formula import formula
>>> formula(kobai.ops.trig.Tanh(), 0)
Formula(text='1 - y * y', factor=True)
"""
from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import NamedTuple


class Formula(NamedTuple):
    """`text` is the local derivative (`factor`: outgoing = incoming times this) or the whole outgoing gradient of g."""

    text: str
    factor: bool


_INFIX = {"gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==", "ne": "!=", "mm": "@", "bmm": "@", "mv": "@",
          "matmul": "@"}
_SAME = {"conj", "cast", "sum_to", "spread"}  # of a real number, of one dtype, in another shape: the value itself
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "matmul": "@", "pow": "**", "gt": ">", "lt": "<"}


def formula(op, number):
    """The Formula of the gradient of input `number`; None where its rule is not one line."""
    name = op.inputs[min(number, len(op.inputs) - 1)]
    rule = op.joint or op.rules.get(name)
    if rule is None:
        return None
    if not callable(rule):
        return Formula(f"{rule:g}", True)
    body = returned(rule, op)
    if body is None:
        return None
    if op.joint and isinstance(body, ast.Tuple):  # one rule for all inputs gives one gradient for each
        body = body.elts[min(number, len(body.elts) - 1)]
    try:
        text = ast.unparse(_Plain(op, getattr(rule, "__globals__", {})).visit(body))
    except (AttributeError, TypeError, ValueError, KeyError):
        return None
    return Formula(text, not op.joint and f"vjp_{name}" not in dir(op))


def returned(function, op):
    """The expression a short function returns, with the branches that the op's parameters decide taken."""
    try:
        tree = ast.parse(_source(function)).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    body = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    local: dict = {}
    while body and isinstance(body[0], (ast.If, ast.Assign)):
        first = _Replace(local).visit(body[0])
        if isinstance(first, ast.Assign):  # n = self.exponent
            if not isinstance(first.targets[0], ast.Name):
                return None
            local[first.targets[0].id] = first.value
            body = body[1:]
            continue
        taken = _decided(first.test, op)
        if taken is None:
            return None
        body = first.body if taken else [*first.orelse, *body[1:]]
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return _Replace(local).visit(body[0].value)
    return None


@functools.lru_cache(maxsize=512)
def _source(function):
    return textwrap.dedent(inspect.getsource(function))


def _decided(test, op):
    """Whether a condition on the op's parameters alone holds; None if it asks for more."""
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    if names - {"self"}:
        return None
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(test)), "<kobai formula>", "eval")
        return bool(eval(code, {"self": op}))
    except Exception:  # a condition that cannot be decided is shown as it is
        return None


class _Plain(ast.NodeTransformer):
    """From the source of a rule to what stands in a book: no `m.`, no `self.`, operators instead of calls."""

    def __init__(self, op, constants):
        self.op, self.constants = op, constants

    def visit_Name(self, node):
        """A constant of the op's file, such as _LN2, as its number."""
        value = self.constants.get(node.id)
        return ast.Constant(float(f"{value:.6g}")) if isinstance(value, float) else node

    def visit_IfExp(self, node):
        if "kind" in ast.dump(node.test):  # complex numbers have a branch of their own: this is about real ones
            return self.visit(node.orelse)
        taken = _decided(node.test, self.op)
        return self.generic_visit(node) if taken is None else self.visit(node.body if taken else node.orelse)

    def visit_BoolOp(self, node):
        if isinstance(node.op, ast.Or) and "prod" in ast.dump(node):  # how a mean counts its elements
            return ast.Name("n")
        return self.generic_visit(node)

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return _literal(getattr(self.op, node.attr), node)
        return self.generic_visit(node)

    def visit_Call(self, node):
        name, method = _called(node)
        if method and callable(getattr(type(self.op), name, None)):
            inner = self._inlined(name, node.args)
            if inner is not None:
                return inner
        args = [self.visit(a) for a in node.args]
        if isinstance(node.func, ast.Call) and isinstance(node.func.func, ast.Attribute):
            args = [*map(self.visit, node.func.args), *args]
        if name == "polygamma":  # Polygamma(n + 1)(x); elsewhere it is parameter after input
            args = [_value(self.visit(node.func.args[0])), *args]
        if name == "pownumber":  # PowNumber(n - 1)(x)
            return ast.BinOp(args[0], ast.Pow(), _value(self.visit(node.func.args[0])))
        return self._known(name, args) or ast.Call(ast.Name(name or ast.unparse(node.func)), [
            a for a in args if not (isinstance(a, ast.Name) and a.id.endswith(("_shape", "_dtype")))], [])

    def _known(self, name, args):
        """Functions that have a notation, or that change nothing of the mathematics."""
        if name in _SAME and args:
            return args[0]
        if name in ("dagger", "t", "swap") and len(args) == 1:
            return ast.Attribute(args[0], "T")
        if name in _INFIX and len(args) == 2:
            if _INFIX[name] == "@":
                return ast.BinOp(args[0], ast.MatMult(), args[1])
            return ast.Name(f"({ast.unparse(args[0])} {_INFIX[name]} {ast.unparse(args[1])})")
        if name == "keep" and len(args) == 2:
            return ast.Call(ast.Name("where"), [args[1], args[0], ast.Constant(0)], [])
        if name == "zeros_like":
            return ast.Constant(0)
        if name == "max" and "count_over" in ast.dump(args[0]):  # how a mean counts its elements
            return ast.Name("n")
        return None

    def _inlined(self, name, args):
        method = getattr(type(self.op), name)
        code = getattr(method, "__code__", None)
        body = returned(method, self.op)
        if body is None or code is None:
            return None
        given = dict(zip(code.co_varnames[1:], args))
        return self.visit(_Replace(given).visit(body))


class _Replace(ast.NodeTransformer):
    def __init__(self, given):
        self.given = given

    def visit_Name(self, node):
        return self.given.get(node.id, node)


def _called(node):
    """(name, whether it is a method of the op) of what is called: `m.exp`, `Mm()`, `keep`, `self._share`."""
    func = node.func
    if isinstance(func, ast.Call):  # Mm()(a, b)
        func = func.func
        if isinstance(func, ast.Attribute):  # m.polygamma_order(1)(x)
            return func.attr, False
        return (func.id.lower() if isinstance(func, ast.Name) else ""), False
    if isinstance(func, ast.Attribute):
        own = isinstance(func.value, ast.Name) and func.value.id == "self"
        return func.attr, own
    name = func.id if isinstance(func, ast.Name) else ""
    return {"_MM": "mm", "_BMM": "bmm"}.get(name, name), False


def _value(node):
    """A number for an expression of numbers, 3 - 1."""
    try:
        return ast.Constant(eval(compile(ast.fix_missing_locations(ast.Expression(node)), "<kobai formula>", "eval"), {}))
    except Exception:  # it has a name in it
        return node


def _literal(value, node):
    if isinstance(value, (bool, int, float, str, tuple, type(None))):
        return ast.parse(repr(value), mode="eval").body
    return node


def applied(op, names):
    """What an op computes, written with the names of its inputs: `w * x`, `tanh(v2)`, `sum(v1)`.

    >>> from kobai.diagnose.formula import applied
    >>> applied(kobai.ops.elementwise.Mul(), ["w", "x"])
    'w * x'
    """
    kind = type(op).__name__
    symbol = SYMBOLS.get(getattr(op, "operator", "") or _OPERATORS.get(kind, ""))
    if symbol and len(names) == 2:
        return f"{names[0]} {symbol} {names[1]}"
    if kind == "Neg":
        return f"-{names[0]}"
    if kind == "Rsub" and op.alpha == 1:
        return f"{names[1]} - {names[0]}"
    if kind == "Linear":
        return f"{names[0]} @ {names[1]}.T + {names[2]}"
    if kind == "PowNumber":
        return f"{names[0]} ** {_short(op.exponent)}"
    if kind == "LinearWithoutBias":
        return f"{names[0]} @ {names[1]}.T"
    params = [f"{f}={_short(getattr(op, f))}" for f in dict.fromkeys(op.fields) if getattr(op, f) not in (False, None)]
    return f"{_lower(kind)}({', '.join([*names, *params])})"


_OPERATORS = {"Mm": "matmul", "Bmm": "matmul", "Mv": "matmul", "Dot": "matmul", "Matmul": "matmul"}


def _lower(kind):
    return "".join("_" + c.lower() if c.isupper() and i and not kind[i - 1].isupper() else c.lower()
                   for i, c in enumerate(kind))


def _short(value):
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 24 else text[:21] + "..."
