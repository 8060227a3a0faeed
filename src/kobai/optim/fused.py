"""An update formula as one loop of machine code, which reads and writes parameters and state in place.

The formula (`Optimizer.update`) runs once on symbols: a `Slot` for each array, whose arithmetic becomes a kernel,
and a `Number` for each hyperparameter and count, whose arithmetic becomes a page of Python that is run on each
step, with the same numbers as without a kernel. What meets an array is an operand of the kernel, so a learning
rate that changes needs no new one. Where the formula asks (`if h.weight_decay`) the answer is noted; other answers
make another kernel. Nothing is rounded otherwise than NumPy does it, powers of arrays apart.
"""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ..large import count
from ..lifted import Lifted

LEAST = 2_048      # elements from which on a call of machine code beats a dozen of NumPy
BUDGET = 1 << 20   # elements that NumPy updates before a kernel is made
_VARIANTS = 4      # kernels of one formula, for other answers
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_ndarray = np.ndarray
_known: dict = {}  # what a kernel depends on -> its variants


def update(optimizer, h, x, g, counts, old):
    """Write the formula's new values into x and old; the new counts beside the first, or None: NumPy has to do it."""
    variants = _variants(optimizer, h, x.dtype, old)
    if not variants:
        return None
    arrays = [x, g, *[a for a in old if a is not None]]
    for a in arrays:
        if a.__class__ is not _ndarray or a.dtype is not x.dtype or a.size != x.size or not a.flags.carray:
            return None
    for use in variants:
        made = use.code(x.size, Formula, optimizer, h, counts, old, x.dtype)
        if made is None:
            return None
        found = made.numbers(h, counts)
        if found is not None:
            made.run(*arrays, found[0])
            return found[1]
    if len(variants) < _VARIANTS:
        variants.append(count(BUDGET))
    return None


def _variants(optimizer, h, dtype, old):
    """What is known of the formula for hyperparameters like these; None if it has to stay as it is."""
    missing = tuple([a is None for a in old])
    found = h.__dict__.setdefault("kernels", {})  # h is made anew when hyperparameters change
    try:
        return found[dtype, missing]
    except KeyError:
        key = _key(optimizer, h, dtype, missing)
        found[dtype, missing] = variants = None if key is None else _known.setdefault(key, [count(BUDGET)])
        return variants


def _key(optimizer, h, dtype, missing):
    """What a kernel depends on beside numbers; None where the formula may depend on more than it is given."""
    cls = type(optimizer)
    if not cls.update.__module__.startswith("kobai.optim.") or "update" in vars(optimizer) \
            or not cls.elementwise or dtype is not _F32 and dtype is not _F64:
        return None
    options = tuple([(k, _shape_of(v)) for k, v in vars(h).items() if k not in _OTHER])
    return None if any(v is _odd for _, v in options) else (cls.update, dtype, missing, options)


_OTHER = ("dtype", "kernels", "fused", "foreach", "param_names")
_odd = object()


def _shape_of(v):
    """A hyperparameter without its numbers."""
    if type(v) is tuple:
        return tuple([_shape_of(x) for x in v])
    if type(v) in (float, int, np.float32):
        return float
    return v if v is None or type(v) in (bool, str) else _odd


class Formula:
    """A formula written down: ``numbers(h, counts)`` gives its operands and new counts, ``run`` applies it.

    ``numbers`` gives None where the formula would have asked otherwise.
    """

    def __init__(self, optimizer, h, counts, old, dtype):
        from ..compile.builder import Builder  # noqa: PLC0415  (the compiler is not loaded before it is needed)
        from ..compile.kernel import NoKernel  # noqa: PLC0415
        page, k = _Page(dtype), Builder("update")
        page.k = k
        names = ["p", "g", *[f"a{i}" for i, a in enumerate(old) if a is not None]]
        slots = {n: Slot(page, k.operand(dtype, n)) for n in names}
        options = {n: page.followed(f"h.{n}", v) for n, v in vars(h).items() if n not in _OTHER}
        follow = [page.followed(f"c[{i}]", c) for i, c in enumerate(counts)]
        p, g = slots["p"], slots["g"]
        new = optimizer.update(SimpleNamespace(dtype=dtype, **options), p, -g if h.maximize else g, *follow,
                               *[slots.get(f"a{i}") for i in range(len(old))])
        after = max(1, len(counts))
        targets = [("p", new[0])] + [(f"a{i}", v) for i, v in enumerate(new[after:])]
        changed = [(n, v) for n, v in targets if v is not None and v is not slots.get(n)]
        if any(n not in slots for n, _ in changed):
            raise NoKernel("the formula makes an array that there was not")
        kernel = k.finish(*[page.value(v) for _, v in changed])
        self.numbers = page.written([page.name(v) for v in new[1:after]])
        self.run = _in_place(kernel, names, page.operands, [n for n, _ in changed], dtype)


def _in_place(kernel, names, operands, targets, dtype):
    """What runs a kernel on arrays with these names, the last of which holds the numbers."""
    from ..backends import llvm  # noqa: PLC0415
    from ..compile.lower import Layout  # noqa: PLC0415
    reads = [o.name for o in kernel.operands]
    layout = Layout((*["1" if n in names else "0" for n in reads], *["1"] * len(targets)), 1, 0)
    places = [(names.index(n), 0) if n in names else (len(names), operands.index(n) * dtype.itemsize)
              for n in (*reads, *targets)]
    return llvm.bridge().into(llvm.compiled(kernel, layout).address, places)


class _Page:
    """The Python that computes a formula's numbers, line by line, and which of them the kernel reads."""

    def __init__(self, dtype):
        self.dtype, self.k, self.lines, self.operands, self.names = dtype, None, [], [], 0

    def followed(self, source, v):
        """A hyperparameter with its numbers, which are written in Python as `source`, replaced by Numbers."""
        if type(v) is tuple:
            return tuple([self.followed(f"{source}[{i}]", x) for i, x in enumerate(v)])
        return self.number(source, v) if type(v) in (float, int, np.float32) else v

    def number(self, source, v):
        """A new Number with the value v."""
        self.names += 1
        name = f"n{self.names}"
        self.lines.append(f" {name} = {source}")
        return Number(self, name, v)

    def answer(self, source, v):
        """Note what a question was answered."""
        self.lines.append(f" if ({source}) is not {v}: return None")
        return v

    def value(self, v):
        """A Slot, Number or Python number as a value of the kernel."""
        if v.__class__ is Slot:
            return v.value
        if v.__class__ is not Number:
            return self.k.const(v, self.dtype)
        if v.operand is None:
            v.operand = self.k.operand(self.dtype, v.name)
            self.operands.append(v.name)
        return v.operand

    def name(self, v):
        """A number in Python."""
        return v.name if v.__class__ is Number else repr(v)

    def written(self, counts):
        """The page as a function of hyperparameters and counts."""
        text = ["def numbers(h, c):", *self.lines,
                f" return array([{', '.join(self.operands)}], dtype), [{', '.join(counts)}]"]
        scope = {"array": np.array, "dtype": self.dtype}
        exec(compile("\n".join(text), "<kobai update formula>", "exec"), scope)
        return scope["numbers"]


class Number:
    """A number of a formula, with its value in the step that is written down."""

    __slots__ = ("page", "name", "number", "operand")

    def __init__(self, page, name, number):
        self.page, self.name, self.number, self.operand = page, name, number, None

    def __neg__(self):
        return self.page.number(f"-{self.name}", -self.number)

    def __bool__(self):
        return self.page.answer(f"bool({self.name})", bool(self.number))


def _arithmetic(symbol, of):
    def forward(self, other):
        if not isinstance(other, (Number, int, float)):
            return NotImplemented
        return self.page.number(f"{self.name} {symbol} {self.page.name(other)}", of(self.number, _plain(other)))

    def backward(self, other):
        if not isinstance(other, (int, float)):
            return NotImplemented
        return self.page.number(f"{other!r} {symbol} {self.name}", of(other, self.number))
    return forward, backward


def _comparison(symbol, of):
    def compare(self, other):
        if not isinstance(other, (Number, int, float)):
            return NotImplemented
        return self.page.answer(f"{self.name} {symbol} {self.page.name(other)}", bool(of(self.number, _plain(other))))
    return compare


def _plain(v):
    return v.number if v.__class__ is Number else v


for _name, _symbol, _of in (("add", "+", lambda a, b: a + b), ("sub", "-", lambda a, b: a - b),
                            ("mul", "*", lambda a, b: a * b), ("truediv", "/", lambda a, b: a / b),
                            ("pow", "**", lambda a, b: a ** b)):
    _forward, _backward = _arithmetic(_symbol, _of)
    setattr(Number, f"__{_name}__", _forward)
    setattr(Number, f"__r{_name}__", _backward)
for _name, _symbol, _of in (("lt", "<", lambda a, b: a < b), ("le", "<=", lambda a, b: a <= b),
                            ("gt", ">", lambda a, b: a > b), ("ge", ">=", lambda a, b: a >= b)):
    setattr(Number, f"__{_name}__", _comparison(_symbol, _of))


class Slot(Lifted):
    """A kernel's value in place of an array."""

    __slots__ = ("page", "value")
    level = 1 << 30
    shape = (1,)

    def __init__(self, page, value):
        self.page, self.value = page, value

    @property
    def dtype(self):
        return self.page.dtype

    def process(self, op, values):
        from ..compile.emit import emit_op  # noqa: PLC0415
        result, = emit_op(self.page.k, op, [self.page.value(v) for v in values])
        return Slot(self.page, result)
