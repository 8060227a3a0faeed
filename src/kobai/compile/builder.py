"""The builder ``k`` that an op's ``emit`` is given, and functions composed from the vocabulary.

    def emit(self, k, x):
        return x * k.sigmoid(x)

``emit`` receives one `Value` for each input and returns a Value, or a tuple of them.  Values take
Python's arithmetic, comparison and bit operators, and Python numbers beside them take their type.
Inputs have the type the op computes in, so all inputs of one op have one type unless the op says
otherwise; float16 and bfloat16 arrive as f32 and are rounded again where the result is stored.
A branch on a value is ``k.where``; raise `kobai.compile.kernel.NoKernel` where there is no scalar code.
"""

from __future__ import annotations

import math
from typing import cast

from kobai.compile.kernel import (
    COMMUTATIVE,
    VOCABULARY,
    Kernel,
    KernelError,
    Node,
    Operand,
    kind_of,
    number_text,
    numpy_type,
    scalar_type,
)


class Value:
    """One scalar of a kernel being built: node number ``id`` of builder ``k``, of type ``dtype``."""

    __slots__ = ("k", "id", "dtype")

    def __init__(self, k: Builder, id: int, dtype: str):
        self.k, self.id, self.dtype = k, id, dtype

    def __repr__(self):
        return f"%{self.id}: {self.dtype}"

    def __bool__(self):
        raise KernelError(
            "a kernel value is not known while the kernel is built: "
            "use k.where(condition, a, b) instead of if, and, or"
        )

    __hash__ = object.__hash__

    # fmt: off
    def __add__(self, other): return self.k._binary("add", self, other)
    def __radd__(self, other): return self.k._binary("add", other, self)
    def __sub__(self, other): return self.k._binary("sub", self, other)
    def __rsub__(self, other): return self.k._binary("sub", other, self)
    def __mul__(self, other): return self.k._binary("mul", self, other)
    def __rmul__(self, other): return self.k._binary("mul", other, self)
    def __truediv__(self, other): return self.k.div(self, other)
    def __rtruediv__(self, other): return self.k.div(other, self)
    def __floordiv__(self, other): return self.k.floor_divide(self, other)
    def __rfloordiv__(self, other): return self.k.floor_divide(other, self)
    def __mod__(self, other): return self.k.remainder(self, other)
    def __rmod__(self, other): return self.k.remainder(other, self)
    def __pow__(self, other): return self.k.pow(self, other)
    def __rpow__(self, other): return self.k.pow(other, self)
    def __neg__(self): return self.k.neg(self)
    def __abs__(self): return self.k.abs(self)
    def __eq__(self, other): return self.k._binary("eq", self, other)
    def __ne__(self, other): return ~self.k._binary("eq", self, other)
    def __lt__(self, other): return self.k._binary("lt", self, other)
    def __le__(self, other): return self.k._binary("le", self, other)
    def __gt__(self, other): return self.k._binary("lt", other, self)
    def __ge__(self, other): return self.k._binary("le", other, self)
    def __and__(self, other): return self.k._binary("and", self, other)
    def __rand__(self, other): return self.k._binary("and", other, self)
    def __or__(self, other): return self.k._binary("or", self, other)
    def __ror__(self, other): return self.k._binary("or", other, self)
    def __xor__(self, other): return self.k._binary("xor", self, other)
    def __rxor__(self, other): return self.k._binary("xor", other, self)
    def __lshift__(self, other): return self.k._binary("shl", self, other)
    def __rshift__(self, other): return self.k._binary("shr", self, other)
    def __invert__(self): return self.k._binary("xor", self, True if self.dtype == "bool" else -1)
    # fmt: on


class Core:
    """Makes nodes: one method for each operation of the vocabulary, and the operands and result."""

    def __init__(self, name: str = "kernel"):
        self.name = name
        self.operands: list[Operand] = []
        self.nodes: list[Node] = []
        self._known: dict[tuple, int] = {}

    # --- leaves and result

    def operand(self, dtype, name: str | None = None, per_row: bool = False) -> Value:
        """A new operand of the kernel, read at the current element; ``per_row``: constant within a row."""
        dtype = scalar_type(dtype)
        self.operands.append(Operand(name or f"x{len(self.operands)}", dtype, per_row))
        return self._node("load", (), (len(self.operands) - 1, dtype), dtype)

    def const(self, number, dtype=None) -> Value:
        """A number known now; without a type it takes that of the Value it is used with.

        >>> Builder().const(2, "f32")
        %0: f32
        """
        if dtype is None:
            return number
        dtype = scalar_type(dtype)
        kind = kind_of(dtype)
        if kind in "fh":
            number = float(number)
            if dtype != "f64" and math.isfinite(number):
                number = float(numpy_type(dtype).type(number))
        elif kind == "b":
            number = bool(number)
        elif int(number) != number:
            raise KernelError(f"{number} does not fit in {dtype}: cast the other value to a float type")
        else:
            number = _wrap(int(number), dtype)
        return self._node("const", (), (number, dtype), dtype)

    def index(self, dtype="i64") -> Value:
        """Position of the element within its row, from 0."""
        return self.cast(self._node("index", (), None, "i64"), dtype)

    def row_index(self, dtype="i64") -> Value:
        """Position of the row, from 0."""
        return self.cast(self._node("index", (), "row", "i64"), dtype)

    def size(self, dtype="i64") -> Value:
        """Number of elements in a row."""
        return self.cast(self._node("size", (), None, "i64"), dtype)

    def finish(self, *outputs: Value) -> Kernel:
        """The kernel that gives ``outputs``, without the nodes that none of them needs."""
        return Kernel(self.name, self.operands, *_prune(self.nodes, [v.id for v in outputs])).verify()

    # --- nodes

    def _node(self, op: str, args: tuple[int, ...], attr, dtype: str) -> Value:
        if op in COMMUTATIVE and args[0] > args[1]:
            args = args[::-1]
        known = number_text(attr[0]) if op == "const" else attr
        id = self._known.setdefault((op, args, known, dtype), len(self.nodes))
        if id == len(self.nodes):
            self.nodes.append(Node(op, args, attr, dtype))
        return Value(cast("Builder", self), id, dtype)

    def _number(self, value: Value):
        """The number a value is known to be, or None."""
        node = self.nodes[value.id]
        return node.attr[0] if node.op == "const" else None

    def _unary(self, op: str, a: Value) -> Value:
        self._check(op, a.dtype)
        return self._node(op, (a.id,), None, a.dtype)

    def _binary(self, op: str, a, b) -> Value:
        a, b = self._same(op, a, b)
        self._check(op, a.dtype)
        gives = VOCABULARY[op].gives
        return self._node(op, (a.id, b.id), None, a.dtype if gives == "same" else gives)

    def _same(self, op: str, *values):
        """The arguments as Values of one type: Python numbers take the type of the Values beside them."""
        types = {v.dtype for v in values if isinstance(v, Value)}
        if len(types) != 1:
            found = ", ".join(sorted(types)) if types else "only Python numbers"
            raise KernelError(
                f"{op} needs arguments of one type and has {found}: use k.cast or k.const first"
            )
        dtype = types.pop()
        return [v if isinstance(v, Value) else self.const(v, dtype) for v in values]

    def _check(self, op: str, dtype: str):
        if kind_of(dtype) not in VOCABULARY[op].takes:
            hint = "; cast to f32 first" if kind_of(dtype) == "h" else ""
            raise KernelError(f"{op} does not take {dtype}{hint}")

    # --- the vocabulary, where an operator does not say it already

    def fma(self, a, b, c) -> Value:
        """a * b + c rounded once."""
        a, b, c = self._same("fma", a, b, c)
        self._check("fma", a.dtype)
        return self._node("fma", (a.id, b.id, c.id), None, a.dtype)

    def div(self, a, b) -> Value:
        """a / b; integers round towards zero and x / 0 is 0."""
        return self._binary("div", a, b)

    def fmod(self, a, b) -> Value:
        """Remainder of the division rounded towards zero: it has the sign of a."""
        return self._binary("fmod", a, b)

    def minimum(self, a, b) -> Value:
        """The smaller, NaN if either is."""
        return self._binary("minimum", a, b)

    def maximum(self, a, b) -> Value:
        """The larger, NaN if either is."""
        return self._binary("maximum", a, b)

    def scale(self, a, b) -> Value:
        """a * 2 ** b rounded once; b must be an integer, though of a's type."""
        return self._binary("scale", a, b)

    def table(self, numbers, i: Value) -> Value:
        """``numbers[i mod len(numbers)]`` in f32, for 16 or 32 numbers."""
        return self._node("table", (i.id,), tuple([float(numpy_type("f32").type(n)) for n in numbers]), "f32")

    def where(self, condition: Value, a, b, rare: bool = False) -> Value:
        """a where the condition is true (not 0), else b.  ``rare``: a is costly and hardly ever wanted."""
        condition = self.cast(condition, "bool")
        a, b = self._same("where", a, b)
        known = self._number(condition)
        if known is not None or a.id == b.id:
            return a if known else b
        return self._node("where", (condition.id, a.id, b.id), "rare" if rare else None, a.dtype)

    select = where

    def cast(self, a: Value, dtype) -> Value:
        """a converted to a type: floats to integers towards zero, anything to bool as a != 0."""
        dtype = scalar_type(dtype)
        return a if a.dtype == dtype else self._node("cast", (a.id,), dtype, dtype)

    def bitcast(self, a: Value, dtype) -> Value:
        """The bits of a as a type of the same size."""
        dtype = scalar_type(dtype)
        return a if a.dtype == dtype else self._node("bitcast", (a.id,), dtype, dtype)


def _simple(op: str):
    """The builder method of a one-argument operation."""

    def method(self, a: Value) -> Value:
        return self._unary(op, a)

    method.__name__, method.__doc__ = op, VOCABULARY[op].meaning + "."
    return method


for _op, _rule in VOCABULARY.items():
    if _rule.arity == 1 and _rule.gives == "same":
        setattr(Core, _op, _simple(_op))


class Builder(Core):
    """What ``emit`` calls ``k``: the vocabulary, and functions composed from it.

    >>> k = Builder("silu")
    >>> x = k.operand("f32", "x")
    >>> print(k.finish(x / (1 + k.exp(-x))))
    kernel silu(x: f32) -> f32
      %0 = load x                      f32
      %1 = neg %0                      f32
      %2 = exp %1                      f32
      %3 = const 1.0                   f32
      %4 = add %2 %3                   f32
      %5 = div %0 %4                   f32
      return %5
    """

    # --- comparisons and logic, for where a name reads better than the operator

    def eq(self, a, b) -> Value:
        """a == b."""
        return self._binary("eq", a, b)

    def ne(self, a, b) -> Value:
        """a != b; true if either is NaN."""
        return ~self._binary("eq", a, b)

    def lt(self, a, b) -> Value:
        """a < b."""
        return self._binary("lt", a, b)

    def le(self, a, b) -> Value:
        """a <= b."""
        return self._binary("le", a, b)

    def gt(self, a, b) -> Value:
        """a > b."""
        return self._binary("lt", b, a)

    def ge(self, a, b) -> Value:
        """a >= b."""
        return self._binary("le", b, a)

    def and_(self, a, b) -> Value:
        """a & b: bits, or truth values of bool."""
        return self._binary("and", a, b)

    def or_(self, a, b) -> Value:
        """a | b: bits, or truth values of bool."""
        return self._binary("or", a, b)

    def xor(self, a, b) -> Value:
        """a ^ b: bits, or truth values of bool."""
        return self._binary("xor", a, b)

    def not_(self, a: Value) -> Value:
        """~a: bits, or truth values of bool."""
        return ~a

    def truth(self, a: Value) -> Value:
        """Whether a is not 0, as bool."""
        return self.cast(a, "bool")

    def isnan(self, a: Value) -> Value:
        """Whether a is not a number; never for integers."""
        return ~(a == a)

    def isinf(self, a: Value) -> Value:
        """Whether a is infinite."""
        return abs(a) == math.inf

    def isfinite(self, a: Value) -> Value:
        """Whether a is neither infinite nor NaN."""
        return abs(a) < math.inf

    def signbit(self, a: Value) -> Value:
        """Whether the sign is negative, also of -0.0."""
        return self._bits(a) < 0 if kind_of(a.dtype) == "f" else a < 0

    def _bits(self, a: Value) -> Value:
        return self.bitcast(a, "i32" if a.dtype == "f32" else "i64")

    # --- sign and rounding

    def copysign(self, a: Value, sign: Value) -> Value:
        """|a| with the sign of the other value."""
        magnitude = self._bits(abs(a))
        lowest = -(1 << (31 if a.dtype == "f32" else 63))
        return self.bitcast(magnitude | (self._bits(sign) & lowest), a.dtype)

    def sign(self, a: Value) -> Value:
        """-1, 0 or 1; as PyTorch's, 0 for NaN."""
        zero, one = self.const(0, a.dtype), self.const(1, a.dtype)
        positive = self.where(a > 0, one, zero)
        return positive if kind_of(a.dtype) in "bu" else self.where(a < 0, -one, positive)

    def ceil(self, a: Value) -> Value:
        """Smallest integer not below a."""
        return -self.floor(-a)

    def trunc(self, a: Value) -> Value:
        """The integer part."""
        return self.where(a < 0, self.ceil(a), self.floor(a))

    def clamp(self, a: Value, low=None, high=None) -> Value:
        """a limited to [low, high]; NaN stays NaN."""
        if low is not None:
            a = self.maximum(a, low)
        return a if high is None else self.minimum(a, high)

    def refuse_zero(self, b) -> None:
        """Raise KernelError for a whole number that may be 0: to divide by that is an error, which no kernel tells of."""
        node = self.nodes[b.id]
        if kind_of(b.dtype) in "iub" and (node.op != "const" or not node.attr[0]):
            raise KernelError("a whole number that may be 0 is not divided by")

    def floor_divide(self, a, b) -> Value:
        """a / b rounded down; for floats by way of the remainder, as Python's ``//``."""
        a, b = self._same("floor_divide", a, b)
        if kind_of(a.dtype) == "f":
            return self._float_floor_divide(a, b)
        quotient = self.div(a, b)
        return (
            quotient if kind_of(a.dtype) == "u" else self.where(self._rounds_up(a, b), quotient - 1, quotient)
        )

    def _rounds_up(self, a: Value, b: Value) -> Value:
        """Whether division towards zero is above the exact quotient."""
        return ~(self.fmod(a, b) == 0) & ((a < 0) ^ (b < 0))

    def _float_floor_divide(self, a: Value, b: Value) -> Value:
        quotient = self.div(a - self.fmod(a, b), b)
        quotient = self.where(self._rounds_up(a, b), quotient - 1, quotient)
        down = self.floor(quotient)
        nearest = self.where(quotient - down > 0.5, down + 1, down)
        exact = self.where(quotient == 0, self.copysign(quotient - quotient, self.div(a, b)), nearest)
        return self.where(b == 0, self.div(a, b), exact)

    def remainder(self, a, b) -> Value:
        """Remainder of the division rounded down, as Python's ``%``: it has the sign of b."""
        a, b = self._same("remainder", a, b)
        rest = self.fmod(a, b)
        return rest if kind_of(a.dtype) == "u" else self.where(self._rounds_up(a, b), rest + b, rest)

    # --- powers and roots

    def reciprocal(self, a: Value) -> Value:
        """1 / a."""
        return 1 / a

    def rsqrt(self, a: Value) -> Value:
        """1 / sqrt(a)."""
        return 1 / self.sqrt(a)

    def square(self, a: Value) -> Value:
        """a * a."""
        return a * a

    def pow(self, a, b) -> Value:
        """a ** b; simple constant exponents become products and roots, as in PyTorch."""
        a, b = self._same("pow", a, b)
        simple = self._simple_power(a, self._number(b))
        if simple is not None:
            return simple
        if kind_of(a.dtype) != "f":
            return self._integer_power(a, b)
        return self._binary("pow", a, b)

    def _simple_power(self, a: Value, exponent) -> Value | None:
        if exponent == 0:
            return self.const(1, a.dtype)
        if exponent in (1, 2, 3):
            return [a, a * a, a * a * a][int(exponent) - 1]
        if kind_of(a.dtype) != "f" or exponent not in (0.5, -0.5, -1, -2):
            return None
        root = {
            0.5: lambda: self.sqrt(a),
            -0.5: lambda: self.rsqrt(a),
            -1: lambda: 1 / a,
            -2: lambda: 1 / (a * a),
        }
        return root[exponent]()

    def _integer_power(self, a: Value, b: Value) -> Value:
        """By repeated squaring; negative exponents give 0 but for bases 1 and -1."""
        known = self._number(b)
        bits = 63 if known is None else max(known, 1).bit_length()
        result, base = self.const(1, a.dtype), a
        for i in range(bits):
            result = self.where((b >> i) & 1 == 1, result * base, result)
            base = base * base
        if kind_of(a.dtype) == "u":
            return result
        unit = self.where(
            a == 1, a, self.where(a == -1, self.where(b & 1 == 1, a, -a), self.const(0, a.dtype))
        )
        return self.where(b < 0, unit, result)

    def hypot(self, a: Value, b: Value) -> Value:
        """sqrt(a * a + b * b) without overflow."""
        a, b = abs(a), abs(b)
        big, small = self.maximum(a, b), self.minimum(a, b)
        ratio = self.where(small == big, self.const(1, a.dtype), small / big)
        length = self.where(big == 0, big, big * self.sqrt(1 + ratio * ratio))
        return self.where(self.isinf(a) | self.isinf(b), self.const(math.inf, a.dtype), length)

    # --- exponentials and logarithms

    def _in_f64(self, function, a: Value) -> Value:
        """A function that several roundings in f32 would bring beyond 2 ulp."""
        return self.cast(function(self.cast(a, "f64")), a.dtype)

    def sigmoid(self, a: Value) -> Value:
        """1 / (1 + exp(-a)); for negative a exp(a) / (1 + exp(a)), which does not vanish before it must.

        What 1 + exp(a) loses is taken into account: below a power of two it would count twice.
        """
        self._check("exp", a.dtype)
        e = self._node("exp", ((-abs(a)).id,), "close", a.dtype)
        below = 1 + e
        y = self.where(a < 0, e, self.const(1, a.dtype)) / below
        return self.fma(y, (below - 1) - e, y)

    def softplus(self, a: Value) -> Value:
        """log(1 + exp(a)) without overflow."""
        return self.maximum(a, 0) + self.log1p(self.exp(-abs(a)))

    def logaddexp(self, a: Value, b: Value) -> Value:
        """log(exp(a) + exp(b)) without overflow."""
        big = self.maximum(a, b)
        return self.where(a == b, a + math.log(2), big + self.log1p(self.exp(-abs(a - b))))

    def sinh(self, a: Value) -> Value:
        """Hyperbolic sine."""
        if a.dtype == "f32":
            return self._in_f64(self.sinh, a)
        e = self.expm1(abs(a))
        half = self.copysign(self.const(0.5, a.dtype), a)
        big = self.exp(abs(a) * 0.5)
        return self.where(abs(a) > 22, half * big * big, half * (e + e / (e + 1)))

    def cosh(self, a: Value) -> Value:
        """Hyperbolic cosine."""
        if a.dtype == "f32":
            return self._in_f64(self.cosh, a)
        half = self.exp(abs(a) * 0.5)
        e = half * half
        return self.where(abs(a) > 22, 0.5 * half * half, 0.5 * e + 0.5 / e)

    def asinh(self, a: Value) -> Value:
        """Inverse of sinh."""
        x = abs(a)
        small = self.log1p(x + x * x / (1 + self.sqrt(x * x + 1)))
        return self.copysign(self.where(x > 1e9, self.log(x) + math.log(2), small), a)

    def acosh(self, a: Value) -> Value:
        """Inverse of cosh; NaN below 1."""
        t = a - 1
        y = self.where(a > 1e9, self.log(a) + math.log(2), self.log1p(t + self.sqrt(2 * t + t * t)))
        return self.where(a < 1, self.const(math.nan, a.dtype), y)

    def atanh(self, a: Value) -> Value:
        """Inverse of tanh."""
        x = abs(a)
        return self.copysign(0.5 * self.log1p(2 * x / (1 - x)), a)

    # --- trigonometry

    def tan(self, a: Value) -> Value:
        """sin(a) / cos(a)."""
        if a.dtype == "f32":
            near = self._in_f64(self._tan_by_fraction, a)
            return self.where(~(abs(a) < 1e5), self.sin(a) / self.cos(a), self.where(a == 0, a, near), rare=True)
        return self.sin(a) / self.cos(a)

    def _tan_by_fraction(self, a: Value) -> Value:
        """Tangent by J. H. Lambert's continued fraction, to 1.4e-8, for f64 within 1e5."""
        magic, half_pi, rest = 1.5 * 2.0**52, math.pi / 2, 6.123233995736766e-17
        q = self.fma(a, 1 / half_pi, magic) - magic
        r = self.fma(q, -rest, self.fma(q, -half_pi, a))
        z = r * r
        above, below = r * self.fma(z - 105, z, 945), self.fma(15 * z - 420, z, 945)
        turned = (self.cast(q, "i32") & 1) == 1
        return self.where(turned, -below, above) / self.where(turned, above, below)

    def atan2(self, a: Value, b: Value) -> Value:
        """Angle of the point (b, a), in (-pi, pi]."""
        x, y = abs(b), abs(a)
        steep = y > x
        ratio = self.where(
            x == y, self.where(x == 0, x, self.const(1, x.dtype)), self.minimum(x, y) / self.maximum(x, y)
        )
        angle = self.atan(ratio)
        angle = self.where(steep, math.pi / 2 - angle, angle)
        angle = self.where(self.signbit(b), math.pi - angle, angle)
        return self.where(self.isnan(a) | self.isnan(b), a + b, self.copysign(angle, a))

    def asin(self, a: Value) -> Value:
        """Inverse of sin; NaN outside [-1, 1]."""
        if a.dtype == "f32":
            return self._in_f64(self.asin, a)
        return self.atan(a / self.sqrt((1 - a) * (1 + a)))

    def acos(self, a: Value) -> Value:
        """Inverse of cos; NaN outside [-1, 1]."""
        if a.dtype == "f32":
            return self._in_f64(self.acos, a)
        return 2 * self.atan(self.sqrt((1 - a) / (1 + a)))


def _wrap(number: int, dtype: str) -> int:
    """The integer that ``number`` becomes in a type, modulo 2 ** bits."""
    bits = 8 * numpy_type(dtype).itemsize
    number &= (1 << bits) - 1
    return number - (1 << bits) if kind_of(dtype) == "i" and number >> (bits - 1) else number


def _prune(nodes, outputs):
    """The nodes that the outputs need, renumbered, and the outputs' new numbers."""
    needed = set()
    stack = list(outputs)
    while stack:
        i = stack.pop()
        if i not in needed:
            needed.add(i)
            stack.extend(nodes[i].args)
    number = {old: new for new, old in enumerate(sorted(needed))}
    kept = [nodes[old]._replace(args=tuple(number[a] for a in nodes[old].args)) for old in number]
    return kept, [number[i] for i in outputs]


def build(emit, dtypes, name: str = "kernel") -> Kernel:
    """The kernel of a function ``emit(k, *values)`` for operands of the given types.

    >>> build(lambda k, x: k.tanh(x), ["f32"]).output_types
    ('f32',)
    """
    k = Builder(name)
    result = emit(k, *[k.operand(d) for d in dtypes])
    return k.finish(*(result if isinstance(result, tuple) else (result,)))
