"""One line of LLVM for each operation of the vocabulary: the tables of the LLVM backend.

Everything here is text; nothing imports llvmlite.  A value is an LLVM name or constant, and has
``lanes`` elements: 1 for a scalar, else a vector.  The same tables serve both.
"""

from __future__ import annotations

import struct

from kobai.compile.kernel import TRANSCENDENTAL, TYPES, kind_of

# bfloat16 is carried as its bits: casts are expanded before (compile/approximate.py).
SCALARS = {"bool": "i1", "f16": "half", "bf16": "i16", "f32": "float", "f64": "double"}
SCALARS |= {name: f"i{8 * size}" for name, (_, kind, size) in TYPES.items() if kind in "ui"}

# op: instruction for floats, signed integers, unsigned integers, bool
BINARY = {
    "add": ("fadd", "add", "add", None),
    "sub": ("fsub", "sub", "sub", None),
    "mul": ("fmul", "mul", "mul", None),
    "div": ("fdiv", "sdiv", "udiv", None),
    "fmod": ("frem", "srem", "urem", None),
    "and": (None, "and", "and", "and"),
    "or": (None, "or", "or", "or"),
    "xor": (None, "xor", "xor", "xor"),
    "shl": (None, "shl", "shl", None),
    "shr": (None, "ashr", "lshr", None),
}
COMPARE = {
    "eq": ("oeq", "eq", "eq", "eq"),
    "lt": ("olt", "slt", "ult", "ult"),
    "le": ("ole", "sle", "ule", "ule"),
}
INTRINSICS = {"sqrt": "sqrt", "floor": "floor", "round": "roundeven", "fma": "fma"}
_WITH_INTRINSIC = {"exp", "log", "sin", "cos", "pow", "tanh", "atan"}


def type_text(dtype: str, lanes: int = 1, stored: bool = False) -> str:
    """LLVM's type; bool is a bit in registers and a byte in memory.

    >>> type_text("f32", 16), type_text("bool"), type_text("bool", stored=True)
    ('<16 x float>', 'i1', 'i8')
    """
    scalar = "i8" if stored and dtype == "bool" else SCALARS[dtype]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def constant(number, dtype: str, lanes: int = 1) -> str:
    """LLVM's spelling of a number, in all lanes.

    >>> constant(1.5, "f32", 4), constant(-1, "i64")
    ('splat (float 0x3FF8000000000000)', '-1')
    """
    kind = kind_of(dtype)
    if dtype == "bf16":
        text = str(struct.unpack("<I", struct.pack("<f", number))[0] >> 16)
    elif dtype == "f16":
        text = "0xH" + struct.pack(">e", number).hex().upper()
    elif kind == "f":
        text = "0x" + struct.pack(">d", number).hex().upper()
    else:
        text = str(int(number)) if kind != "b" else str(bool(number)).lower()
    return text if lanes == 1 else f"splat ({SCALARS[dtype]} {text})"


def _column(dtype: str) -> int:
    return "fiub".index(kind_of(dtype))


def _suffix(dtype: str, lanes: int) -> str:
    scalar = {"f16": "f16", "f32": "f32", "f64": "f64"}.get(dtype) or SCALARS[dtype]
    return scalar if lanes == 1 else f"v{lanes}{scalar}"


class Writer:
    """LLVM instructions, one a line, with fresh names."""

    def __init__(self, vector_bytes: int = 16):
        self.vector_bytes = vector_bytes
        self.lines: list[str] = []
        self._count = 0

    def fresh(self, hint: str = "v") -> str:
        """A name not used before."""
        self._count += 1
        return f"{hint}{self._count}"

    def do(self, text: str) -> str:
        """Write an instruction and return the name of its result."""
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def say(self, text: str):
        """Write an instruction without a result."""
        self.lines.append("  " + text)

    def label(self, name: str):
        """Begin a basic block."""
        self.lines.append(name + ":")

    def call(self, function: str, dtype: str, lanes: int, *args: str) -> str:
        """Call an overloaded intrinsic whose arguments and result have one type."""
        t = type_text(dtype, lanes)
        return self.do(
            f"call {t} @llvm.{function}.{_suffix(dtype, lanes)}({', '.join(f'{t} {a}' for a in args)})"
        )

    # --- vectors

    def splat(self, value: str, dtype: str, lanes: int) -> str:
        """A scalar in every lane."""
        if not value.startswith("%"):
            return f"splat ({SCALARS[dtype]} {value})"
        t = type_text(dtype, lanes)
        first = self.do(f"insertelement {t} poison, {SCALARS[dtype]} {value}, i64 0")
        return self.do(f"shufflevector {t} {first}, {t} poison, <{lanes} x i32> zeroinitializer")

    def halves(self, value: str, dtype: str, lanes: int) -> tuple[str, str]:
        """The lower and the upper half of the lanes."""
        t, half = type_text(dtype, lanes), lanes // 2
        if half == 1:
            return self.do(f"extractelement {t} {value}, i64 0"), self.do(
                f"extractelement {t} {value}, i64 1"
            )
        low, high = [
            f"<{half} x i32> <{', '.join(f'i32 {start + i}' for i in range(half))}>" for start in (0, half)
        ]
        return (
            self.do(f"shufflevector {t} {value}, {t} poison, {low}"),
            self.do(f"shufflevector {t} {value}, {t} poison, {high}"),
        )

    # --- the vocabulary

    def emit(self, node, args: list[str], arg_type: str, lanes: int) -> str:
        """The value of a node that is no leaf and no reduction."""
        op, dtype = node.op, node.dtype
        t = type_text(arg_type, lanes)
        if op in ("div", "fmod") and kind_of(dtype) != "f":
            return self._integer_division(op, dtype, lanes, *args)
        if op in BINARY:
            return self.do(f"{BINARY[op][_column(dtype)]} {t} {args[0]}, {args[1]}")
        if op in COMPARE:
            which = "fcmp" if kind_of(arg_type) == "f" else "icmp"
            return self.do(f"{which} {COMPARE[op][_column(arg_type)]} {t} {args[0]}, {args[1]}")
        if op in INTRINSICS:
            return self.call(INTRINSICS[op], dtype, lanes, *args)
        if op in TRANSCENDENTAL:  # backends/llvm.py leaves to the C library: rare lanes, and what has no vector code
            return self._library(op, dtype, lanes, args)
        return getattr(self, "_" + op)(node, args, arg_type, lanes)

    def _neg(self, node, args, arg_type, lanes):
        t = type_text(arg_type, lanes)
        if kind_of(arg_type) == "f":
            return self.do(f"fneg {t} {args[0]}")
        return self.do(f"sub {t} {constant(0, arg_type, lanes)}, {args[0]}")

    def _abs(self, node, args, arg_type, lanes):
        kind, t = kind_of(arg_type), type_text(arg_type, lanes)
        if kind == "f":
            return self.call("fabs", arg_type, lanes, args[0])
        if kind == "u":
            return args[0]
        return self.do(f"call {t} @llvm.abs.{_suffix(arg_type, lanes)}({t} {args[0]}, i1 false)")

    def _minimum(self, node, args, arg_type, lanes):
        return self.extreme("minimum", arg_type, lanes, *args)

    def _maximum(self, node, args, arg_type, lanes):
        return self.extreme("maximum", arg_type, lanes, *args)

    def extreme(self, op: str, dtype: str, lanes: int, a: str, b: str) -> str:
        """minimum or maximum; NaN if either is NaN.

        ``a > b ? a : b`` is one machine instruction and gives b where either is NaN, so only a NaN in a
        needs care, and none if a is a constant.
        """
        kind, t, bits = kind_of(dtype), type_text(dtype, lanes), type_text("bool", lanes)
        if kind == "b":
            return self.do(f"{'or' if op == 'maximum' else 'and'} {t} {a}, {b}")
        if kind in "iu":
            return self.call(f"{'s' if kind == 'i' else 'u'}{op[:3]}", dtype, lanes, a, b)
        if not b.startswith("%"):
            a, b = b, a
        better = self.do(f"fcmp {'ogt' if op == 'maximum' else 'olt'} {t} {a}, {b}")
        result = self.do(f"select {bits} {better}, {t} {a}, {t} {b}")
        if not a.startswith("%"):
            return result
        nan = self.do(f"fcmp uno {t} {a}, {a}")
        return self.do(f"select {bits} {nan}, {t} {a}, {t} {result}")

    def _where(self, node, args, arg_type, lanes):
        bits, t = type_text("bool", lanes), type_text(node.dtype, lanes)
        return self.do(f"select {bits} {args[0]}, {t} {args[1]}, {t} {args[2]}")

    def _bitcast(self, node, args, arg_type, lanes):
        before, after = type_text(arg_type, lanes), type_text(node.dtype, lanes)
        return args[0] if before == after else self.do(f"bitcast {before} {args[0]} to {after}")

    def _scale(self, node, args, arg_type, lanes):
        """One instruction with AVX-512; else three multiplications by powers of two made from bits.

        The first two of them are exact unless the argument or the result is subnormal.
        """
        t = type_text(arg_type, lanes)
        direct = {("f32", 16): ("ps", "i16"), ("f64", 8): ("pd", "i8")}.get((arg_type, lanes))
        if self.vector_bytes == 64 and lanes * TYPES[arg_type][2] > 64:
            return self._by_halves(node, args, arg_type, lanes)
        if self.vector_bytes == 64 and direct:
            name, mask = direct
            f = f"@llvm.x86.avx512.mask.scalef.{name}.512"
            return self.do(f"call {t} {f}({t} {args[0]}, {t} {args[1]}, {t} undef, {mask} -1, i32 4)")
        return (
            self._ldexp(args, arg_type, lanes) if lanes == 1 else self._scale_by_bits(args, arg_type, lanes)
        )

    def _table(self, node, args, arg_type, lanes):
        """One instruction with AVX-512, which exchanges lanes; else numbers chosen by one bit of the place after another."""
        if self.vector_bytes == 64 and arg_type in ("i32", "u32"):
            return self._exchange(node, args, arg_type, lanes)
        chosen = [constant(n, "f32", lanes) for n in node.attr]
        it, bits, t = type_text(arg_type, lanes), type_text("bool", lanes), type_text("f32", lanes)
        for bit in range(len(chosen).bit_length() - 1):
            masked = self.do(f"and {it} {args[0]}, {constant(1 << bit, arg_type, lanes)}")
            odd = self.do(f"icmp ne {it} {masked}, {constant(0, arg_type, lanes)}")
            pairs = zip(chosen[::2], chosen[1::2])
            chosen = [self.do(f"select {bits} {odd}, {t} {b}, {t} {a}") for a, b in pairs]
        return chosen[0]

    def _exchange(self, node, args, arg_type, lanes):
        """The numbers of a table that lies in one register or two."""
        if lanes > 16:
            return self._by_halves(node, args, arg_type, lanes)
        t, place = "<16 x float>", args[0]
        if lanes == 1:
            place = self.splat(place, arg_type, 16)
        elif lanes < 16:
            numbers = ", ".join(f"i32 {i % lanes}" for i in range(16))
            place = self.do(f"shufflevector <{lanes} x i32> {place}, <{lanes} x i32> poison, <16 x i32> <{numbers}>")
        parts = [", ".join(f"float {constant(n, 'f32')}" for n in node.attr[i : i + 16]) for i in range(0, len(node.attr), 16)]
        if len(parts) == 1:
            result = self.do(f"call {t} @llvm.x86.avx512.permvar.sf.512({t} <{parts[0]}>, <16 x i32> {place})")
        else:
            function = "@llvm.x86.avx512.vpermi2var.ps.512"
            result = self.do(f"call {t} {function}({t} <{parts[0]}>, <16 x i32> {place}, {t} <{parts[1]}>)")
        if lanes == 1:
            return self.do(f"extractelement {t} {result}, i64 0")
        if lanes < 16:
            numbers = ", ".join(f"i32 {i}" for i in range(lanes))
            return self.do(f"shufflevector {t} {result}, {t} poison, <{lanes} x i32> <{numbers}>")
        return result

    def _by_halves(self, node, args, arg_type, lanes):
        """An operation on more lanes than a register has, done on each half."""
        pairs = list(zip(*[self.halves(a, arg_type, lanes) for a in args]))
        low, high = [self.emit(node, list(pair), arg_type, lanes // 2) for pair in pairs]
        t, numbers = type_text(node.dtype, lanes // 2), ", ".join(f"i32 {i}" for i in range(lanes))
        return self.do(f"shufflevector {t} {low}, {t} {high}, <{lanes} x i32> <{numbers}>")

    def _scale_by_bits(self, args, arg_type, lanes):
        integer, mantissa, bias = {"f32": ("i32", 23, 127), "f64": ("i64", 52, 1023)}[arg_type]
        t, it = type_text(arg_type, lanes), type_text(integer, lanes)
        limit = float(2 * bias + mantissa + 3)  # beyond it any number has become 0 or infinite
        n = self.extreme("minimum", arg_type, lanes, args[1], constant(limit, arg_type, lanes))
        n = self.extreme("maximum", arg_type, lanes, n, constant(-limit, arg_type, lanes))
        n = self.do(f"fptosi {t} {n} to {it}")
        third = self.do(f"mul {it} {n}, {constant(43, integer, lanes)}")
        third = self.do(f"ashr {it} {third}, {constant(7, integer, lanes)}")
        rest = self.do(f"sub {it} {n}, {third}")
        rest = self.do(f"sub {it} {rest}, {third}")
        result = args[0]
        for part in (third, third, rest):
            biased = self.do(f"add {it} {part}, {constant(bias, integer, lanes)}")
            bits = self.do(f"shl {it} {biased}, {constant(mantissa, integer, lanes)}")
            power = self.do(f"bitcast {it} {bits} to {t}")
            result = self.do(f"fmul {t} {result}, {power}")
        return result

    def _ldexp(self, args, arg_type, lanes):
        t, n = type_text(arg_type, lanes), type_text("i32", lanes)
        saturating = f"llvm.fptosi.sat.{_suffix('i32', lanes)}.{_suffix(arg_type, lanes)}"
        power = self.do(f"call {n} @{saturating}({t} {args[1]})")
        names = f"{_suffix(arg_type, lanes)}.{_suffix('i32', lanes)}"
        return self.do(f"call {t} @llvm.ldexp.{names}({t} {args[0]}, {n} {power})")

    def _cast(self, node, args, arg_type, lanes):
        return self.convert(args[0], arg_type, node.dtype, lanes)

    def convert(self, value: str, source: str, target: str, lanes: int) -> str:
        """A value in another type; see the vocabulary's ``cast``."""
        if SCALARS[source] == SCALARS[target]:
            return value
        before, after = type_text(source, lanes), type_text(target, lanes)
        s, d = kind_of(source), kind_of(target)
        if d == "b":
            zero = constant(0, source, lanes)
            return self.do(f"{'fcmp une' if s in 'fh' else 'icmp ne'} {before} {value}, {zero}")
        between = _between(source, target)
        if between:
            return self.convert(self.convert(value, source, between, lanes), between, target, lanes)
        return self.do(f"{_conversion(source, target)} {before} {value} to {after}")

    def _integer_division(self, op, dtype, lanes, a, b):
        """With the cases that trap on some machines set apart: b = 0 gives 0, b = -1 is a negation."""
        t, bits = type_text(dtype, lanes), type_text("bool", lanes)
        one, zero = constant(1, dtype, lanes), constant(0, dtype, lanes)
        special = self.do(f"icmp eq {t} {b}, {zero}")
        answer = zero
        if kind_of(dtype) == "i":
            minus = self.do(f"icmp eq {t} {b}, {constant(-1, dtype, lanes)}")
            negated = self.do(f"sub {t} {zero}, {a}") if op == "div" else zero
            answer = self.do(f"select {bits} {minus}, {t} {negated}, {t} {zero}")
            special = self.do(f"or {bits} {special}, {minus}")
        safe = self.do(f"select {bits} {special}, {t} {one}, {t} {b}")
        plain = self.do(f"{BINARY[op][_column(dtype)]} {t} {a}, {safe}")
        return self.do(f"select {bits} {special}, {t} {answer}, {t} {plain}")

    def _library(self, op, dtype, lanes, args):
        """A call of the C library for each lane."""
        if op in _WITH_INTRINSIC:
            return self.call(op, dtype, lanes, *args)
        scalar = SCALARS[dtype]
        function = op + ("f" if dtype == "f32" else "")
        if lanes == 1:
            return self.do(f"call {scalar} @{function}({', '.join(f'{scalar} {a}' for a in args)})")
        t, result = type_text(dtype, lanes), "poison"
        for i in range(lanes):
            lane = [self.do(f"extractelement {t} {a}, i64 {i}") for a in args]
            value = self._library(op, dtype, 1, lane)
            result = self.do(f"insertelement {t} {result}, {scalar} {value}, i64 {i}")
        return result

    # --- reductions

    def combine(self, op: str, dtype: str, lanes: int, a: str, b: str) -> str:
        """One step of a reduction."""
        t = type_text(dtype, lanes)
        if op in ("amax", "amin"):
            return self.extreme({"amax": "maximum", "amin": "minimum"}[op], dtype, lanes, a, b)
        name = BINARY["add" if op == "sum" else "mul"][_column(dtype)]
        return self.do(f"{name} {t} {a}, {b}")

    def across(self, op: str, dtype: str, lanes: int, value: str, keep: int = 1) -> str:
        """A reduction over the lanes, halving them until ``keep`` are left."""
        while lanes > keep:
            low, high = self.halves(value, dtype, lanes)
            lanes //= 2
            value = self.combine(op, dtype, lanes, low, high)
        return value


def _between(source: str, target: str) -> str | None:
    """The type a conversion goes by way of: float for half precision, int for small integers."""
    s, d = kind_of(source), kind_of(target)
    if "f16" in (source, target):
        other = target if source == "f16" else source
        return None if other == "f32" else "f32"
    return "i32" if s == "f" and d in "iu" and TYPES[target][2] < 4 else None


def _conversion(source: str, target: str) -> str:
    """LLVM's instruction between two types that differ."""
    s, d = kind_of(source), kind_of(target)
    narrower = TYPES[target][2] < TYPES[source][2]
    if s in "fh" and d in "fh":
        return "fptrunc" if narrower else "fpext"
    if s in "fh":
        return "fptoui" if target == "u64" else "fptosi" if d == "i" else "fptoui"
    if d in "fh":
        return "sitofp" if s == "i" else "uitofp"
    if s == "b":
        return "zext"
    return "trunc" if narrower else ("sext" if s == "i" else "zext")
