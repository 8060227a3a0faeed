"""Public functions that decide by the form of their arguments decide once for each form.

`x.reshape(2, -1)` looks at its arguments for longer than NumPy takes to do it, and finds the same each time: which op to
apply, with which parameters.  A function marked `by_form` (`kobai.public`) promises that this follows from its arguments'
form: of tensors the class, dtype, shape and strides, of numbers and words the values.  When ops are applied by machine
code (`kobai.backends.apply`), the code of these functions is exchanged for a call of machine code that knows the ops of
forms met before (`apply_form.py`).  What is out of the ordinary, and every error, is left to the function itself.
"""
from __future__ import annotations

import sys
import warnings
from functools import partial
from threading import get_ident
from types import FunctionType

import numpy as np

from kobai import inplace, op as ops
from kobai.backends.apply_form import CONSTANT, FIRST, GIVEN, MADE, MOST_INPUTS, MOST_STEPS, PRIME, SLOTS
from kobai.general import apply_any
from kobai.lifted import m
from kobai.public import checks, copies
from kobai.tensor import Tensor

MISSING = object()    # what machine code answers where it does not know
MOST_LEARNED = 200    # forms of one function; each is kept
table = np.zeros(2 * SLOTS, np.int64)
_kept: list = []      # what the table points to
_MASK = (1 << 64) - 1
_APPLIED = frozenset(f.__code__ for f in (*ops.short_ways, apply_any))
_CHANGES = frozenset(f.__code__ for f in (inplace.inplace_op, inplace.write, inplace.changed, inplace.into))
_ARRAYS = (np.ndarray, np.generic)
_KNOWN = (ops.__file__.removesuffix("op.py"), np.__file__.removesuffix("__init__.py"), "<kobai", "<frozen importlib")
_LOOKS = frozenset(f.__code__ for f in (Tensor.item, Tensor.tolist, Tensor.numpy))  # as do bool(), int(), indices and NumPy


class Form:
    """A function whose forms are learned; stands for it in the table."""

    __slots__ = ("call", "left")

    def __init__(self, call):
        self.call, self.left = call, MOST_LEARNED


# ---- learning ----------------------------------------------------------------------------------
def learn(words, form, *args):
    """What the function makes of its arguments; its ops are noted if it applies nothing else."""
    if form.left <= 0 or sys.getprofile() is not None:
        return MISSING
    form.left -= 1
    noted = _Noted()
    try:
        noted.begin()
        result = form.call(*args)
    finally:
        try:
            noted.end()
        finally:  # an interrupt may have come in the midst of the first
            noted.end()
    tensors = _tensors(args, [])
    if len({*map(id, tensors)}) == len(tensors):  # one given twice may be two the next time
        _keep(words, args, noted.entry(tensors, result))
    return result


def _tensors(v, found):
    """The plain tensors in arguments, in the order in which machine code meets them."""
    if isinstance(v, Tensor):
        found.append(v)
    elif v.__class__ is dict:
        _tensors([*v.values()], found)
    elif isinstance(v, (tuple, list)):
        for x in v:
            _tensors(x, found)
    elif v.__class__ is slice:
        _tensors((v.start, v.stop, v.step), found)
    return found


class _Noted:
    """Sees which ops a function applies, on what, and whether it does anything else: changes, looks at elements, warns.

    What runs of other packages between the ops may do anything, such as what a program put in the place of `warnings.warn`.
    """

    def __init__(self):
        self.steps, self.depth, self.able = [], 0, True
        self.checks = {f.__code__ for f in checks}

    def begin(self):
        """Look on, and have all ops applied by Python."""
        ops.leave_to_python(True, get_ident())
        sys.setprofile(self.see)

    def end(self):
        """No longer; this may be said twice."""
        sys.setprofile(None)
        ops.leave_to_python(False, get_ident())

    def see(self, frame, event, arg):
        """The profiler's function."""
        code = frame.f_code
        if code in _CHANGES or code in _LOOKS or event == "c_call" and self._looks_itself(arg) \
                or event == "call" and not self.depth and not code.co_filename.startswith(_KNOWN):
            self.able = False
        if code in self.checks:
            self.depth += (event == "call") - (event == "return")
        if code not in _APPLIED:
            return
        if event == "call":
            self.depth += 1
            if self.depth == 1:
                given = frame.f_locals
                op = given["op"]
                inputs = given["inputs"] if "inputs" in given else [given[k] for k in "abc" if k in given]
                self.steps.append([op, [*inputs], None])
        elif event == "return":
            self.depth -= 1
            if self.depth == 0:
                self.steps[-1][2] = arg

    def _looks_itself(self, function) -> bool:
        """Whether what is called warns, or looks at an array's elements outside of the ops: another time they are others."""
        return function is warnings.warn or not self.depth and isinstance(getattr(function, "__self__", None), _ARRAYS)

    def entry(self, tensors, result):
        """(Words of the steps, what names the results or None, what they point to), or None where steps do not do."""
        if not self.able or not 0 < len(self.steps) <= MOST_STEPS:
            return None
        last, named = self.steps[-1][2], None
        if last is not result:
            if type(result) is tuple or not _same_items(last, result):
                return None
            named = partial(tuple.__new__, type(result))
        known = {id(t): i << 2 | GIVEN for i, t in enumerate(tensors)}
        words, objects = [], []
        for i, (op, inputs, made) in enumerate(self.steps):
            refs = [self._ref(known, v, len(inputs)) for v in inputs]
            if len(refs) > MOST_INPUTS or None in refs or made is None or any([isinstance(v, Tensor) for v in vars(op).values()]):
                return None  # the last: a parameter given as a tensor has another number the next time
            words += [id(op), len(refs), *refs]
            objects += [op, *[v for v in inputs if not isinstance(v, Tensor)]]
            known[id(made)] = i << 2 | MADE
        return words, named, objects

    @staticmethod
    def _ref(known, v, count):
        if isinstance(v, Tensor):
            return known.get(id(v))
        if v is None or count == 2 and type(v) in (int, float):
            return id(v) | CONSTANT
        return None


def _same_items(made, result):
    return isinstance(made, tuple) and isinstance(result, tuple) and len(made) == len(result) \
        and all(a is b for a, b in zip(made, result))


def _keep(words, args, entry):
    """Put an entry into the table; one without steps says that the function itself has to be called."""
    form = np.frombuffer(words, np.int64)
    steps, named, objects = entry or ([], None, [])
    count = len(_steps_of(steps))
    block = np.array([len(form), count, id(named) if named else 0, *form, *steps], np.int64)
    assert block[FIRST] == form[0]
    _kept.append((block, named, objects, _constants(args, [])))
    slot = _slot(form)
    table[2 * (slot ^ 1 if table[2 * slot] and not table[2 * (slot ^ 1)] else slot)] = block.ctypes.data


def _steps_of(words):
    """Where each step begins."""
    places, at = [], 0
    while at < len(words):
        places.append(at)
        at += 2 + words[at + 1]
    return places


def _constants(v, found):
    """What the form of arguments knows by address: it must not go."""
    if v.__class__ is dict:
        _constants([*v, *v.values()], found)
    elif isinstance(v, (tuple, list)):
        for x in v:
            _constants(x, found)
    elif v.__class__ is slice:
        _constants((v.start, v.stop, v.step), found)
    elif isinstance(v, Tensor):
        found.append(v._data.dtype)
    else:
        found.append(v)
    return found


def _slot(form):
    """As machine code computes it."""
    h = 0
    for w in form.tolist():
        h = ((h ^ w & _MASK) * PRIME) & _MASK
        h ^= h >> 29
    return h & (SLOTS - 1)


# ---- doors -------------------------------------------------------------------------------------
def put_doors(functions, doors):
    """Exchange the code of functions, given with whether their tensors' ranks do, for a call of one of two doors."""
    for fn, ranks in functions:
        if fn not in _exchanged and _is_own(fn):
            original = _copy(fn)
            _exchanged[fn] = fn.__code__, _through(fn, original, doors[ranks])
            if _open[0]:
                fn.__code__ = _exchanged[fn][1]
            for name, value in [*vars(m).items()]:
                if value is fn:  # rules call it with arrays, about which a door knows nothing
                    copies[fn] = original
                    setattr(m, name, original)


def open_doors(on):
    """Have functions go through their doors, or not."""
    _open[0] = on
    for fn, codes in [*_exchanged.items()]:
        if fn.__code__ in codes:
            fn.__code__ = codes[on]


def _is_own(fn):
    """Whether nobody else has exchanged the function's code, as autocast does."""
    return fn.__code__.co_filename == fn.__globals__.get("__file__")


def _copy(fn):
    copy = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    copy.__kwdefaults__, copy.__module__, copy.__doc__ = fn.__kwdefaults__, fn.__module__, fn.__doc__
    return copy


_exchanged: dict = {}  # function -> (its own code, that with a door)
_open = [True]
_TEMPLATE = """
def through({parameters}): {constants}; found = door(form, {values}); return call({arguments}) if found is missing else found
def call({flat}): return behind({arguments})
"""  # each in one line: a traceback shows the first line of the function
_CONSTANTS = "door = 0xD00; form = 0xD01; missing = 0xD02; call = 0xD03"


def _through(fn, original, door):
    """The code of a function that asks a door first, and else a copy of the function."""
    code = fn.__code__
    names, n, own = code.co_varnames, code.co_argcount, code.co_kwonlyargcount
    first, named = names[:n], names[n:n + own]
    rest = [names[n + own]] if code.co_flags & 4 else []
    others = [names[n + own + len(rest)]] if code.co_flags & 8 else []
    flat = [*first, *rest, *named, *others]
    text = _TEMPLATE.format(
        parameters=", ".join([*first[:code.co_posonlyargcount], *["/"] * bool(code.co_posonlyargcount),
                              *first[code.co_posonlyargcount:], *["*" + v for v in rest],
                              *["*"] * bool(named and not rest), *named, *["**" + v for v in others]]),
        constants=_CONSTANTS, values=", ".join(flat), flat=", ".join(flat),
        arguments=", ".join([*first, *["*" + v for v in rest], *[f"{v}={v}" for v in named], *["**" + v for v in others]]))
    scope = {"behind": original}
    exec(compile(text, code.co_filename, "exec"), scope)
    scope["call"].__code__ = scope["call"].__code__.replace(co_firstlineno=code.co_firstlineno)
    form = Form(scope["call"])
    _kept.append(form)
    stands = {0xD00: door, 0xD01: form, 0xD02: MISSING, 0xD03: original}
    new = scope["through"].__code__
    consts = tuple([stands.get(c, c) if type(c) is int else c for c in new.co_consts])
    return new.replace(co_consts=consts, co_name=code.co_name, co_qualname=code.co_qualname, co_freevars=code.co_freevars,
                       co_firstlineno=code.co_firstlineno)
