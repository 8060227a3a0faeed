"""The scalar IR: what an op says about one element, and what a backend turns into machine code.

A `Kernel` is a list of scalar operations in single-assignment form.  It is run for every element of
an iteration space whose axes fall into two groups: the outer axes count *rows*, the inner axes are the
elements of a row.  ``load`` reads an operand at the current element; operands broadcast, so one that
does not vary within a row is read once a row.  ``sum``, ``prod``, ``amax`` and ``amin`` take a value of
every element of the row and give one value for the row, which later operations may use again.  So
softmax is one kernel and needs no loops in the IR; a backend finds the passes over the row itself::

    kernel softmax(x: f32) -> f32
      %0 = load x            f32
      %1 = amax %0           f32
      %2 = sub %0 %1         f32
      %3 = exp %2            f32
      %4 = sum %3            f32
      %5 = div %3 %4         f32
      return %5

`VOCABULARY` below is the whole contract between ops and backends.  Ops do not build nodes by hand:
they are given a `kobai.compile.builder.Builder` called ``k``.  The executable definition of every
operation is `kobai.backends.numpy.run`.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from kobai.later import unlocked_in_children

# name: (NumPy name, kind, bytes).  Kinds: b bool, u unsigned, i signed, h stored float, f float.
TYPES = {
    "bool": ("bool", "b", 1),
    "u8": ("uint8", "u", 1),
    "u16": ("uint16", "u", 2),
    "u32": ("uint32", "u", 4),
    "u64": ("uint64", "u", 8),
    "i8": ("int8", "i", 1),
    "i16": ("int16", "i", 2),
    "i32": ("int32", "i", 4),
    "i64": ("int64", "i", 8),
    "f16": ("float16", "h", 2),
    "bf16": ("bfloat16", "h", 2),
    "f32": ("float32", "f", 4),
    "f64": ("float64", "f", 8),
}
_FROM_NUMPY = {numpy_name: name for name, (numpy_name, _, _) in TYPES.items()}


class Rule(NamedTuple):
    """What the verifier knows of an operation: its arguments and the type of its result.

    ``takes`` lists the allowed kinds of the arguments (which must all have one type, but for
    ``where``); ``gives`` is "same" (as the last argument), "attr" (the node's attribute), or a type.
    """

    arity: int
    takes: str
    gives: str
    meaning: str


VOCABULARY = {
    # --- leaves
    "load": Rule(0, "", "attr", "operand number `attr[0]`, of type `attr[1]`, at this element"),
    "const": Rule(0, "", "attr", "the number `attr[0]` in type `attr[1]`"),
    "index": Rule(0, "", "i64", "position of the element in its row, or with attr 'row' of the row"),
    "size": Rule(0, "", "i64", "number of elements in a row, or with attr 'row' of rows"),
    # --- arithmetic; integers wrap around
    "add": Rule(2, "uif", "same", "a + b"),
    "sub": Rule(2, "uif", "same", "a - b"),
    "mul": Rule(2, "uif", "same", "a * b"),
    "div": Rule(2, "uif", "same", "a / b; integers round towards zero, and x / 0 is 0"),
    "fmod": Rule(2, "uif", "same", "remainder of that division, with the sign of a; integer x mod 0 is 0"),
    "fma": Rule(3, "f", "same", "a * b + c, rounded once; nothing else is ever contracted"),
    "neg": Rule(1, "uif", "same", "-a"),
    "abs": Rule(1, "uif", "same", "|a|"),
    "minimum": Rule(2, "buif", "same", "the smaller; NaN if either is NaN"),
    "maximum": Rule(2, "buif", "same", "the larger; NaN if either is NaN"),
    # --- rounding and roots, exact as in IEEE 754
    "floor": Rule(1, "f", "same", "largest integer not above a"),
    "round": Rule(1, "f", "same", "nearest integer, halves to even"),
    "sqrt": Rule(1, "f", "same", "square root"),
    "scale": Rule(2, "f", "same", "a * 2 ** b rounded once, for integral b"),
    # --- transcendental; backends stay within 2 ulp in f32 and 4 in f64
    "exp": Rule(1, "f", "same", "e ** a"),
    "expm1": Rule(1, "f", "same", "e ** a - 1"),
    "log": Rule(1, "f", "same", "natural logarithm"),
    "log1p": Rule(1, "f", "same", "log(1 + a)"),
    "sin": Rule(1, "f", "same", "sine"),
    "cos": Rule(1, "f", "same", "cosine"),
    "tanh": Rule(1, "f", "same", "hyperbolic tangent"),
    "atan": Rule(1, "f", "same", "arc tangent"),
    "erf": Rule(1, "f", "same", "error function"),
    "pow": Rule(2, "f", "same", "a ** b, special cases as C's pow"),
    # --- comparison; false where either is NaN
    "eq": Rule(2, "buif", "bool", "a == b"),
    "lt": Rule(2, "buif", "bool", "a < b"),
    "le": Rule(2, "buif", "bool", "a <= b"),
    # --- bits; on bool these are the logical operations
    "and": Rule(2, "bui", "same", "a & b"),
    "or": Rule(2, "bui", "same", "a | b"),
    "xor": Rule(2, "bui", "same", "a ^ b"),
    "shl": Rule(2, "ui", "same", "a << b for 0 <= b < bits"),
    "shr": Rule(2, "ui", "same", "a >> b for 0 <= b < bits; keeps the sign of signed a"),
    # --- choice and type
    "where": Rule(3, "buihf", "same", "b where a else c; attr 'rare': a is hardly ever true, b is costly"),
    "table": Rule(1, "ui", "f32", "number `attr[a mod len(attr)]` of a table of 16 or 32 numbers"),
    "cast": Rule(1, "buihf", "attr", "a in type `attr`; floats to integers towards zero, to bool a != 0"),
    "bitcast": Rule(1, "uihf", "attr", "the bits of a as type `attr` of the same size"),
    # --- over the row: one value for all its elements
    "sum": Rule(1, "uif", "same", "sum over the row; order unspecified but fixed"),
    "prod": Rule(1, "uif", "same", "product over the row; order unspecified but fixed"),
    "amax": Rule(1, "buif", "same", "maximum over the row; on bool: any"),
    "amin": Rule(1, "buif", "same", "minimum over the row; on bool: all"),
}
REDUCTIONS = ("sum", "prod", "amax", "amin")
TRANSCENDENTAL = {"exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "atan", "erf", "pow"}  # as costly as dozens of others
COMMUTATIVE = {"add", "mul", "minimum", "maximum", "eq", "and", "or", "xor"}


class KernelError(TypeError):
    """A kernel breaks the rules of `VOCABULARY`."""


class NoKernel(Exception):
    """Raised by an op's ``emit`` for a case that has no scalar code; the op then runs on NumPy."""


def scalar_type(dtype) -> str:
    """The IR's name of a type given as such a name, a NumPy dtype or a kobai dtype.

    >>> scalar_type(np.float32), scalar_type(np.dtype("int64")), scalar_type("bf16")
    ('f32', 'i64', 'bf16')
    """
    if isinstance(dtype, str) and dtype in TYPES:
        return dtype
    numpy_name = np.dtype(getattr(dtype, "np", dtype)).name
    if numpy_name not in _FROM_NUMPY:
        raise NoKernel(f"the scalar IR has no type for {numpy_name}")
    return _FROM_NUMPY[numpy_name]


def numpy_type(name: str) -> np.dtype:
    """The NumPy dtype of an IR type; bfloat16 needs the package ml_dtypes.

    >>> numpy_type("f32")
    dtype('float32')
    """
    if name == "bf16":
        import ml_dtypes  # noqa: PLC0415 (optional)

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(TYPES[name][0])


def kind_of(name: str) -> str:
    """``b``, ``u``, ``i``, ``h`` or ``f``: bool, unsigned, signed, stored-only float, float."""
    return TYPES[name][1]


def identity(op: str, dtype: str):
    """The number that changes nothing in a reduction, and is the result over no elements."""
    if op == "sum":
        return -0.0 if kind_of(dtype) == "f" else 0
    if op == "prod":
        return 1
    kind, bits = kind_of(dtype), 8 * TYPES[dtype][2]
    low, high = {
        "f": (-math.inf, math.inf),
        "b": (False, True),
        "u": (0, (1 << bits) - 1),
        "i": (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
    }[kind]
    return low if op == "amax" else high


class Operand(NamedTuple):
    """An array a kernel reads; ``per_row`` promises that it does not vary within a row."""

    name: str
    dtype: str
    per_row: bool = False


class Node(NamedTuple):
    """One operation; ``args`` are positions of earlier nodes."""

    op: str
    args: tuple[int, ...]
    attr: Any
    dtype: str


@unlocked_in_children
class Kernel:
    """Scalar code for one element and the operands it reads; immutable.

    ``outputs`` are positions in ``nodes``.  Equal code has an equal ``key``, whatever its operands are
    called.
    """

    def __init__(self, name: str, operands, nodes, outputs):
        self.name = name
        self.operands = tuple(operands)
        self.nodes = tuple(nodes)
        self.outputs = tuple(outputs)

    @property
    def output_types(self) -> tuple[str, ...]:
        """The type of each output."""
        return tuple(self.nodes[i].dtype for i in self.outputs)

    @cached_property
    def has_rows(self) -> bool:
        """Whether the split of the axes into rows and elements means anything to this kernel."""
        return any(n.op in REDUCTIONS or n.op in ("index", "size") for n in self.nodes)

    @cached_property
    def uses_index(self) -> bool:
        """Whether positions matter, so that axes may not change places."""
        return any(n.op == "index" for n in self.nodes)

    @cached_property
    def key(self) -> str:
        """Text that two kernels share exactly when they are the same code."""
        lines = [" ".join(_operand_type(o) for o in self.operands)]
        lines += [f"{n.op} {n.args} {_attr_text(n)} {n.dtype}" for n in self.nodes]
        return "\n".join([*lines, str(self.outputs)])

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return isinstance(other, Kernel) and self.key == other.key

    def __str__(self):
        head = ", ".join(f"{o.name}: {_operand_type(o)}" for o in self.operands)
        lines = [f"kernel {self.name}({head}) -> {', '.join(self.output_types)}"]
        for i, node in enumerate(self.nodes):
            lines.append(f"  {f'%{i} = {_node_text(self, node)}':32} {node.dtype}")
        lines.append("  return " + ", ".join(f"%{i}" for i in self.outputs))
        return "\n".join(lines)

    __repr__ = __str__

    def verify(self) -> Kernel:
        """Check every node against `VOCABULARY` and return the kernel.

        Raises:
            KernelError: with the offending line.
        """
        for i, node in enumerate(self.nodes):
            problem = _problem(self, i, node)
            if problem:
                raise KernelError(f"{problem}\n  in %{i} = {_node_text(self, node)} of kernel {self.name}")
        for i in self.outputs:
            if not 0 <= i < len(self.nodes):
                raise KernelError(f"kernel {self.name} returns %{i}, which does not exist")
        return self

    @cached_property
    def per_row(self) -> tuple[bool, ...]:
        """For each node whether it is one value a row: made of reductions, row operands, constants."""
        if not self.has_rows:
            return (False,) * len(self.nodes)
        flags: list[bool] = []
        for node in self.nodes:
            if node.op == "load":
                flags.append(self.operands[node.attr[0]].per_row)
            elif node.op == "index":
                flags.append(node.attr == "row")
            else:
                flags.append(node.op in REDUCTIONS or all(flags[a] for a in node.args))
        return tuple(flags)

    def uses(self) -> list[list[int]]:
        """For each node the positions of the nodes that take it as an argument."""
        users: list[list[int]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            for a in dict.fromkeys(node.args):
                users[a].append(i)
        return users


def _problem(kernel: Kernel, i: int, node: Node) -> str | None:
    """What is wrong with a node, or None."""
    rule = VOCABULARY.get(node.op)
    if rule is None:
        return f"{node.op!r} is not in the vocabulary"
    if len(node.args) != rule.arity:
        return f"{node.op} takes {rule.arity} arguments, not {len(node.args)}"
    if any(not 0 <= a < i for a in node.args):
        return "an argument is defined later or not at all"
    if node.dtype not in TYPES:
        return f"{node.dtype!r} is not a scalar type"
    if node.op == "load":
        return _load_problem(kernel, node)
    types = [kernel.nodes[a].dtype for a in node.args]
    if node.op == "where":
        if types[0] != "bool":
            return f"the condition has type {types[0]}, not bool"
        types = types[1:]
    if any(t != types[-1] for t in types):
        return f"arguments have different types {', '.join(types)}; cast them first"
    if types and kind_of(types[-1]) not in rule.takes:
        return _kind_problem(node.op, types[-1])
    expected = _result_type(rule, node, types)
    if node.dtype != expected:
        return f"the result has type {node.dtype}, not {expected}"
    if node.op == "bitcast" and TYPES[types[0]][2] != TYPES[node.dtype][2]:
        return f"{types[0]} and {node.dtype} differ in size"
    if node.op == "table" and len(node.attr) not in (16, 32):
        return "a table has 16 or 32 numbers"
    return None


def _load_problem(kernel: Kernel, node: Node) -> str | None:
    number, dtype = node.attr
    if not 0 <= number < len(kernel.operands):
        return f"there is no operand {number}"
    if kernel.operands[number].dtype != dtype or node.dtype != dtype:
        return f"operand {number} has type {kernel.operands[number].dtype}, not {node.dtype}"
    return None


def _kind_problem(op: str, dtype: str) -> str:
    if kind_of(dtype) == "h":
        return f"{op} does not take {dtype}, which is a type to store numbers in; cast to f32 first"
    return f"{op} does not take {dtype}"


def _result_type(rule: Rule, node: Node, types) -> str:
    if rule.gives == "same":
        return types[-1]
    if rule.gives == "attr":
        return str(node.attr[1] if rule.arity == 0 else node.attr)
    return rule.gives


def _operand_type(operand: Operand) -> str:
    return operand.dtype + (" per row" if operand.per_row else "")


def number_text(value) -> str:
    """A number as text that tells apart all numbers that differ, -0.0 and 0.0 included.

    >>> number_text(0.1), number_text(-0.0), number_text(3), number_text(True)
    ('0x1.999999999999ap-4', '-0x0.0p+0', '3', 'True')
    """
    return value.hex() if isinstance(value, float) else repr(value)


def _attr_text(node: Node) -> str:
    if node.op == "const":
        return number_text(node.attr[0])
    return "" if node.attr is None else str(node.attr)


def _node_text(kernel: Kernel, node: Node) -> str:
    args = [f"%{a}" for a in node.args]
    if node.op == "load" and 0 <= node.attr[0] < len(kernel.operands):
        args.append(kernel.operands[node.attr[0]].name)
    elif node.op == "const":
        args.append(repr(node.attr[0]))
    elif node.attr is not None and node.op not in ("cast", "bitcast"):
        args.append(str(node.attr))
    return " ".join([node.op, *args])
