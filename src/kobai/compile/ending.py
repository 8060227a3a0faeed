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
_LOADS = frozenset(("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_DEREF", "LOAD_CLOSURE", "PUSH_NULL"))
# Instructions that take so many values, none of them ours, and leave one.
_USES = {"LOAD_ATTR": 1, "UNARY_NOT": 1, "UNARY_INVERT": 1, "COMPARE_OP": 2, "IS_OP": 2, "CONTAINS_OP": 2, "BINARY_SUBSCR": 2}
_ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "**"))
# With these, a function gets at all of its local variables.
_ALL_VARIABLES = frozenset(("locals", "vars", "dir", "eval", "exec"))


def only_returned(code, lasti) -> bool:
    """Whether what the call at instruction `lasti` gives is only put into what the function returns.

    >>> def step(x):
    ...     return x.item() / 2, x
    >>> only_returned(step.__code__, [i.offset for i in dis.get_instructions(step) if i.opname == "CALL"][0])
    True
    """
    if not _ALL_VARIABLES.isdisjoint(code.co_names):
        return False
    stack, names = [True], set()  # whether a value depends on the number; what lies below does not
    guarded = getattr(dis.Bytecode(code), "exception_entries", ())  # before 3.11, instructions end such blocks
    for i in dis.get_instructions(code):
        if i.offset <= lasti or i.opname in _SILENT:
            continue
        if any(e.start <= i.offset < e.end for e in guarded):  # an `except` may do something else with it
            return False
        if i.opname == "RETURN_VALUE":
            return True
        if not all(_follow(name, arg, value, i, stack, names) for name, arg, value in _simple(i)):
            return False
    return False


def _simple(i):
    """(name, arg, value) of an instruction, or of the two that one of Python 3.13's stands for."""
    name = i.opname.replace("_BORROW", "")
    parts = name.partition("_FAST_")
    if parts[0] in ("LOAD", "STORE") and parts[2] in ("LOAD_FAST", "STORE_FAST") and isinstance(i.argval, tuple):
        return [(f"{parts[0]}_FAST", 0, i.argval[0]), (parts[2], 0, i.argval[1])]
    return [(name, i.arg or 0, i.argval)]


def _follow(name, arg, value, i, stack, names) -> bool:
    """The effect of one instruction on the stack and on the local variables that hold the number; False to give up."""
    def take(n):
        return [stack.pop() if stack else False for _ in range(n)]
    if name in _LOADS:
        stack.append(name.startswith("LOAD_FAST") and value in names)
    elif name == "LOAD_GLOBAL":
        stack.extend([False] * (1 + arg % 2))
    elif name == "STORE_FAST":
        (names.add if take(1)[0] else names.discard)(value)
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
    """Stands for a number that `how` computes from the numbers in `arrays`, which are others on each call."""

    __slots__ = ("how", "arrays")

    def __init__(self, how, arrays):
        self.how, self.arrays = how, arrays

    @property
    def value(self):
        """The number, once those in the arrays are computed."""
        return self.how(*map(number_in, self.arrays))


def later(array) -> Later:
    """The number in an array of one element."""
    return Later(_itself, (array,))


def number_in(array):
    """The Python number in an array of one element, as `Tensor.item` gives it."""
    value = np.asarray(array).item()
    return float(value) if array.dtype.kind == "V" else value


def _itself(v):
    return v


def _arithmetic(fn, swapped):
    """An operator of `Later`; with anything but a number it is no longer known that the program only returns it."""
    def method(self, *other):
        if all(type(v) in (int, float, Later) for v in other) and not _may_fail(fn, other, swapped):
            return Later(*_joined(fn, self, other, swapped))
        if modes.trace is not None:
            modes.trace.looked("item()")
        values = [self.value, *other]
        return fn(*(values[::-1] if swapped else values))
    return method


def _may_fail(fn, other, swapped) -> bool:
    """Whether it depends on the numbers if there is an exception, which has to come from the user's line."""
    if fn not in (operator.truediv, operator.floordiv, operator.pow):
        return False
    b = other[0]
    return swapped or isinstance(b, Later) or not (0 <= b <= 1 if fn is operator.pow else b)


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
