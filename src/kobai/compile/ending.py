"""Numbers that a program takes out of tensors only to return them, as in ``return loss.item()``.

`only_returned` reads the bytecode from the call of `item()` to the end of the function: if nothing but arithmetic and
the building of tuples, lists and dicts is done with the number, it can be read after the program has run.  Until then a
`Later` stands for it, which remembers what it was computed from.
"""
from __future__ import annotations

import dis
import operator
import sys

import numpy as np

from kobai.autograd.mode import modes

_SILENT = frozenset(("CACHE", "NOP", "RESUME", "PRECALL", "KW_NAMES", "EXTENDED_ARG"))
_LOADS = frozenset(("LOAD_CONST", "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_DEREF", "LOAD_CLOSURE", "PUSH_NULL"))
# Instructions that take so many values, none of them ours, and leave one.
_USES = {"LOAD_ATTR": 1, "UNARY_NOT": 1, "UNARY_INVERT": 1, "COMPARE_OP": 2, "IS_OP": 2, "CONTAINS_OP": 2, "BINARY_SUBSCR": 2}
_ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "**"))


def only_returned(code, lasti) -> bool:
    """Whether what the call at instruction `lasti` gives is only put into what the function returns.

    >>> def step(x):
    ...     return x.item() / 2, x
    >>> only_returned(step.__code__, [i.offset for i in dis.get_instructions(step) if i.opname == "CALL"][0])
    True
    """
    stack, names = [True], set()  # whether a value depends on the number; what lies below does not
    for i in dis.get_instructions(code):
        if i.offset <= lasti or i.opname in _SILENT:
            continue
        if i.opname == "RETURN_VALUE":
            return True
        if not _follow(i, stack, names):
            return False
    return False


def _follow(i, stack, names) -> bool:
    """The effect of one instruction on the stack and on the local variables that hold the number; False to give up."""
    def take(n):
        return [stack.pop() if stack else False for _ in range(n)]
    name, arg = i.opname, i.arg or 0
    if name in _LOADS:
        stack.append(name.startswith("LOAD_FAST") and i.argval in names)
    elif name == "LOAD_GLOBAL":
        stack.extend([False] * (1 + arg % 2))
    elif name == "STORE_FAST":
        (names.add if take(1)[0] else names.discard)(i.argval)
    elif name == "POP_TOP":
        take(1)
    elif name in ("BINARY_OP", "UNARY_NEGATIVE"):
        stack.append(any(take(2 if name == "BINARY_OP" else 1)))
        return not stack[-1] or name != "BINARY_OP" or i.argrepr.removesuffix("=") in _ARITHMETIC
    elif name in ("BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP"):
        taken = take({"BUILD_MAP": 2 * arg, "BUILD_CONST_KEY_MAP": arg + 1}.get(name, arg))
        stack.append(any(taken))
        return name != "BUILD_MAP" or not any(taken[1::2])
    elif name in _USES or name in ("CALL", "LOAD_METHOD", "BUILD_SLICE"):
        if any(take(arg + 2 if name == "CALL" else arg if name == "BUILD_SLICE" else _USES.get(name, 1))):
            return False
        pushes_two = name == "LOAD_METHOD" or name == "LOAD_ATTR" and sys.version_info >= (3, 12) and arg % 2
        stack.extend([False] * (2 if pushes_two else 1))
    else:
        return False
    return True


class Later:
    """Stands for a number, `value` now, that `how` computes from the numbers in `arrays`, which are others on each call."""

    __slots__ = ("value", "how", "arrays")

    def __init__(self, value, how, arrays):
        self.value, self.how, self.arrays = value, how, arrays


def later(array) -> Later:
    """The number in an array of one element."""
    return Later(number_in(array), _itself, (array,))


def number_in(array):
    """The Python number in an array of one element, as `Tensor.item` gives it."""
    value = np.asarray(array).item()
    return float(value) if array.dtype.kind == "V" else value


def _itself(v):
    return v


def _arithmetic(fn, swapped):
    """An operator of `Later`; with anything but a number it is no longer known that the program only returns it."""
    def method(self, *other):
        values = [self.value, *[v.value if isinstance(v, Later) else v for v in other]]
        value = fn(*(values[::-1] if swapped else values))
        if type(value) not in (int, float) or any(type(v) not in (int, float) for v in values):
            if modes.trace is not None:
                modes.trace.looked("item()")
            return value
        return Later(value, *_joined(fn, self, other, swapped))
    return method


def _joined(fn, a, other, swapped):
    """(how, arrays) of fn(a, other), or of fn(other, a)."""
    if not other:
        return (lambda *v: fn(a.how(*v))), a.arrays
    b, = other
    n, more = len(a.arrays), b.arrays if isinstance(b, Later) else ()

    def how(*v):
        x, y = a.how(*v[:n]), b.how(*v[n:]) if more else b
        return fn(y, x) if swapped else fn(x, y)
    return how, (*a.arrays, *more)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "pow"):
    for _prefix in ("", "r"):
        setattr(Later, f"__{_prefix}{_name}__", _arithmetic(getattr(operator, _name), bool(_prefix)))
Later.__neg__ = _arithmetic(operator.neg, False)  # type: ignore[attr-defined]
