"""Calling a compiled program without Python in between: guards, arguments, the plan, new tensors, all native.

`entry` is a ``PyCFunction``.  It makes sure that all is as it was when the program was recorded, by comparing
addresses: variables hold the very objects they held, arguments are tensors on arrays of the recorded shapes.  If
anything is otherwise it calls `otherwise` with the same arguments, Python code that looks closer.  Then it runs the
plan's native function and does what the program did beside computing: version counters, `.grad`, results.

What is compared first are words of memory: where, and what is expected; the lengths of lists are among them, and where
dicts have numbers that change with them these numbers follow, so that items of dicts need no look.  The other checks
are a table of words: what kind, where, which key, what is expected, the key's hash.
"""
from __future__ import annotations

import ctypes
import struct
from collections import OrderedDict

import numpy as np

from kobai.autograd.mode import modes
from kobai.backends import llvm
from kobai.backends.entry_checks import CHECK, DICT, DICT_VERSION, KEEPS_VERSIONS, KEYS, LIST, SEEN
from kobai.backends.entry_code import ARGUMENT, ARGUMENT_WORDS, FIXED, GRADIENT, OFFSETS, WORDS, slot_offset, text
from kobai.backends.entry_open import Form
from kobai.backends.native import _MethodDef, _new_function
from kobai.compile.guards import UNSET
from kobai.tensor import Tensor, wrap

_FASTCALL_KEYWORDS = 0x0080 | 0x0002
_TYPE_DICT = 264  # where a type object has the address of its dict
_ORDER_STATE = 88  # where an OrderedDict has the number that every change of its order renews


def _order_state(d) -> int:
    return ctypes.c_int64.from_address(id(d) + _ORDER_STATE).value


def _dict_of(cls):
    """The dict of a class, or None if it is not where it is looked for."""
    address = ctypes.c_void_p.from_address(id(cls) + _TYPE_DICT).value
    if not address or ctypes.c_void_p.from_address(address + 8).value != id(dict):
        return None
    found = ctypes.cast(address, ctypes.py_object).value
    return found if found.keys() == vars(cls).keys() else None


def _address_of_dict(thing):
    """Where an object has the address of its dict, or None if it is not where it is looked for."""
    at = id(thing) + slot_offset(type(thing), "__dict__")
    return at if ctypes.c_int64.from_address(at).value == id(thing.__dict__) else None


class _Native:
    """The machine code of `entry`, made once."""

    def __init__(self):
        machine = llvm.machine()
        address, = machine.load(machine.assemble_glue(text()), "entry")
        self.definition = _MethodDef(b"compiled", address, _FASTCALL_KEYWORDS, None)


_native: _Native | None = None


def _looks_as_known() -> bool:
    """Whether this Python's objects lie in memory as the native code reads them."""
    def word(thing, offset):
        return ctypes.c_int64.from_address(id(thing) + offset).value
    t, number = wrap(np.zeros(1)), 0.5
    cell, items, table = (lambda: number).__closure__[0], [number, None, number], {"a": 1, "b": 2}
    return (object.__basicsize__ == 16
            and all(word(t, offset) == id(getattr(t, name)) for name, offset in OFFSETS.items() if name != "_grad")
            and word(cell, 16) == id(number)
            and (word(items, 16), word(table, 16)) == (3, 2)
            and ctypes.c_int64.from_address(word(items, 24) + 8).value == id(None)
            and ctypes.c_double.from_address(id(number) + 16).value == number
            and word(_dict_of, 8) == id(type(_dict_of)) and _renews_order_state())


def _renews_order_state() -> bool:
    table = OrderedDict(a=1, b=2)
    before = _order_state(table)
    table["a"] = 3
    same = _order_state(table) == before
    table.move_to_end("a")
    return same and 0 <= before < _order_state(table) < 100


def entry(program, slots, lengths, otherwise, spec=None):
    """The callable for a compiled program, or None if it does something that only Python does.

    Args:
        program: a `kobai.compile.program.Program`.
        slots, lengths: what `kobai.compile.guards.collect` found.
        otherwise: called with the arguments where anything is not as recorded.
        spec: how (args, kwargs) were put together of the program's arguments, if these are not given one by one.
    """
    global _native
    if any(a is None for a in program.bound):
        return None
    native = _native
    if native is None:
        if not _looks_as_known():
            return None
        native = _native = _Native()
    made = _Table(program, slots, lengths, spec)
    if not made.possible:
        return None
    words = made.words(otherwise)
    head = struct.pack(f"={len(words)}q", *words)
    call = _new_function(ctypes.byref(native.definition), head, None)
    made.kept += [otherwise, native]
    return call, made


class _Table:
    """The words of an entry. `kept` are the objects whose addresses are among them."""

    def __init__(self, program, slots, lengths, spec):
        self.program, self.kept = program, [program, slots, lengths]
        if spec is None:
            spec = tuple, None, [(tuple, None, [None] * len(program.arguments)), (dict, [], [])]
        self.opening = Form(spec, [None if t else (value,) for t, value in program.arguments])
        self.possible = (self.opening.possible and self._checks(slots, lengths) and self._arguments() and self._inputs()
                         and self._results())

    def _array(self, numbers):
        """Words in memory that stays; its address."""
        array = np.array(numbers, np.int64).reshape(-1)
        self.kept.append(array)
        return array.ctypes.data

    # ---- what must be as it was ----------------------------------------------------------
    def _checks(self, slots, lengths) -> bool:
        self.memory = memory = []
        self.rows, self.dicts, self.versions, dicts = [], [], [], {}
        for s in slots:
            holder = _dict_of(s.holder) if s.kind == "class" else s.holder
            if s.kind == "cell":
                memory += [id(s.holder) + 16, id(s.value)]
            elif s.kind == "attribute" and s.key == "__dict__" and _address_of_dict(s.holder) is None:
                return False
            elif s.kind == "attribute":
                address = id(s.holder) + slot_offset(type(s.holder), s.key)
                empty = s.value is UNSET or s.value is None and not ctypes.c_int64.from_address(address).value  # reads as None
                memory += [address, 0 if empty else id(s.value)]
            elif s.kind == "absent":
                dicts.setdefault(id(s.holder), []).append((DICT, id(s.holder), id(s.key), 0, hash(s.key)))
                self.kept.append(s.holder)
            elif s.kind == "keys":
                if isinstance(s.holder, OrderedDict):  # their order is not in the dict
                    memory += [id(s.holder) + _ORDER_STATE, _order_state(s.holder)]
                table = self._array([id(k) for k in s.value] or [0])
                dicts.setdefault(id(s.holder), []).append((KEYS, id(s.holder), len(s.value), table, 0))
                self.kept.append(s.holder)
            elif s.kind == "list":
                self.rows.append((LIST, id(s.holder), s.key, id(s.value), 0))
            elif isinstance(holder, dict):
                dicts.setdefault(id(holder), []).append((DICT, id(holder), id(s.key), id(s.value), hash(s.key)))
                self.kept.append(holder)
            else:
                return False
        if KEEPS_VERSIONS:
            self.versions = [w for at in dicts for w in (at + DICT_VERSION, 0)]
            for n, (at, items) in enumerate(dicts.items()):
                self.dicts += [*items, (SEEN, at, n, 0, 0)]
        else:
            self.rows += [row for items in dicts.values() for row in items]
        for container, _, length in lengths:
            memory += [id(container) + 16, length]
        for leaf in self.program.without:
            memory += [id(leaf) + OFFSETS["_grad"], id(None)]
        for tensor, array in self.program.looked_at:
            memory += [id(tensor) + OFFSETS["_data"], id(array)]
            self.kept += [tensor, array]
        for (kind, *rest), bound in zip(self.program.sources, self.program.bound):
            if kind == "tensor":
                memory += [id(rest[0]) + OFFSETS["_data"], id(bound)]
                self.kept.append(bound)
        return True

    def _arguments(self) -> bool:
        self.arguments = []
        if self.program.repeats or self.program.grown:
            return False
        for i, (t, a) in enumerate(self.program.arguments):
            if t is None:
                continue
            if 0 in a.shape or any(s < 0 for s in a.strides):
                return False
            self.arguments += [*self._record(a), id(t[0]), id(t[1]), i]
            self.kept += [*t]
        return True

    def _record(self, a):
        self.kept.append(a.dtype)
        extent = sum((n - 1) * s for n, s in zip(a.shape, a.strides)) + a.itemsize
        return [id(np.ndarray), id(a.dtype), a.ndim, self._array(a.shape), self._array(a.strides), extent]

    def _inputs(self) -> bool:
        self.inputs, self.numbers, self.written = [], [], []
        written = {v for v, _ in self.program.graph.writes}
        for v, (kind, *rest), a in zip(self.program.graph.inputs, self.program.sources, self.program.bound):
            if kind == "arg":
                self.inputs += [ARGUMENT, rest[0], 0]
                if v in written:
                    return False
            elif kind == "grad":
                self.inputs += [GRADIENT, id(rest[0]), self._array(self._record(a))]
                if v in written:
                    return False
            else:
                self.kept.append(a)
                self.inputs += [FIXED, id(a), 0]
                if kind == "number" and rest[1] != "lr":
                    return False
                if kind == "number":
                    self.numbers += [id(rest[0]), id(rest[1]), a.ctypes.data]
                if v in written:
                    low = a.ctypes.data
                    self.written += [low, low + self._record(a)[-1]]
        return True

    def _results(self) -> bool:
        self.results, program = [], self.program
        if program.joint is not None:  # Python makes these, when gradients among the inputs may have been replaced
            return not any(kind == "grad" for kind, *_ in program.sources)
        for r in program.results:
            if r.number is not None:
                if r.kind is not Tensor:
                    return False
                self.results += [0, r.number, id(r.node), id(r.requires_grad)]
                self.kept.append(r.node)
            elif r.same[0] == "arg":
                self.results += [1, r.same[1], 0, 0]
            else:
                self.results += [3 if r.same[0] == "grad" else 2, id(r.same[1]), 0, 0]
                self.kept.append(r.same[1])
        return True

    def words(self, otherwise):
        program = self.program
        self.cells = [w for cell, count in program.cells for w in (id(cell), count)]
        self.grads = [w for leaf, number in program.grads for w in (id(leaf), -1 if number is None else number)]
        step = program.plan.run
        code = ctypes.c_int64.from_address(ctypes.c_int64.from_address(id(step) + 16).value + 8).value
        own = ctypes.c_int64.from_address(id(step) + 24).value
        defaults = type(modes)
        table = []
        for name, value in program.modes.items():
            key = _interned(name)
            self.kept += [key, value]
            table += [id(key), id(value), id(getattr(defaults, name))]
        dict_name = _interned("__dict__")
        self.kept += [dict_name, step]
        lists = {"check": ([w for row in self.rows for w in row], CHECK), "memory": (self.memory, 2),
                 "dict": ([w for row in self.dicts for w in row], CHECK), "version": (self.versions, 2),
                 "argument": (self.arguments, ARGUMENT_WORDS), "input": (self.inputs, 3),
                 "number": (self.numbers, 3), "cell": (self.cells, 2), "grad": (self.grads, 2),
                 "result": (self.results, 4), "mode": (table, 3), "written": (self.written, 2)}
        rebuild = program.rebuild if program.joint is None else program.joined
        self.kept.append(rebuild)
        found = {"step": code, "step_self": own, "form": program.form, "rebuild": id(rebuild), "otherwise": id(otherwise),
                 "modes": id(modes), "dict_name": id(dict_name), "none": id(None), "array_type": id(np.ndarray),
                 "thread": self._array([-1, 0, 0]), "tensor_type": id(Tensor), "float_type": id(float), "false": id(False),
                 **self.opening.words(self._array, [i for i, (t, _) in enumerate(program.arguments) if t],
                                      program.asked.known if program.asked else [id(t) for t in program.held])}
        names = {"memory": ("memory", "memory_count"), "mode": ("mode_checks", "mode_count"),
                 "written": ("written", "written_count")}
        for name, (numbers, width) in lists.items():
            where, count = names.get(name, (name + "s", name + "_count"))
            found[where], found[count] = self._array(numbers), len(numbers) // width
        return [found[w] for w in WORDS]


def _interned(name):
    import sys  # noqa: PLC0415

    return sys.intern(name)
