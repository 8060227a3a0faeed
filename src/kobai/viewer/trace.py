"""A computation as the viewer knows it, whoever noted it: calls of operations, what they took, what came back.

`record.Recording` notes it while it happens, `history.from_graph` reads it from a recorded graph afterwards,
and `model.describe` turns it into plain data.
"""

from __future__ import annotations

import dis
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..autograd.node import line_of
from .values import FEW


@dataclass(eq=False)
class ModuleCall:
    """One call of a module."""

    name: str
    path: str
    type: str
    parent: ModuleCall | None = None
    call: int = 1
    module: object = None
    given: tuple = ()  # the tensors it was called on


@dataclass(eq=False)
class Source:
    """What no operation made: a leaf, a parameter, a constant."""

    tensor: object = None
    array: object = None
    name: str = ""
    grad: object = None  # what backward left, or would leave, in `.grad`
    cut: bool = False  # the numbers are those of something in the graph: `.detach()`

    @property
    def requires_grad(self) -> bool:
        return self.tensor is not None and bool(self.tensor._rg)

    def value(self):
        """The numbers, as they were when they were noted."""
        return getattr(self.tensor, "_data", None) if self.array is None else self.array


@dataclass(eq=False)
class Call:
    """One operation. ``inputs`` are (Call or Source, output number), None for what is no tensor."""

    op: object
    label: str
    inputs: list
    outs: tuple = ()  # arrays, or None where nothing is known
    where: tuple | None = None
    order: int = 0
    seconds: float | None = None
    recording: bool = True  # grad mode
    needs: bool = False  # whether an input requires grad
    module: ModuleCall | None = None
    node: object = None  # the grad_fn
    name: str = ""
    view: bool = False
    numbers: dict = field(default_factory=dict)  # input number -> a Python number that was given for a tensor


@dataclass(eq=False)
class Back:
    """One step of backward: the gradient that came to a node, and those it sent on."""

    node: object  # a Node, or a leaf
    g: object
    outs: tuple = ()
    saved: dict = field(default_factory=dict)
    seconds: float | None = None


@dataclass(eq=False)
class Training:
    """What one backward of a program left: the loss, parameters before the step, their gradients."""

    step: int
    loss: object
    values: dict
    grads: dict
    told: dict = field(default_factory=dict)  # leaf -> (value, gradient) as the page shows them


@dataclass(eq=False)
class Trace:
    """All that is known about one computation."""

    calls: list = field(default_factory=list)
    roots: list = field(default_factory=list)  # (Call or Source, output number)
    film: list = field(default_factory=list)
    start: list = field(default_factory=list)  # (node or leaf, gradient) where backward began
    training: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)  # leaf -> name
    notes: list = field(default_factory=list)


def kept(array):
    """An array as it is now: few numbers are copied, many are taken as they are (they rarely change)."""
    if type(array) is np.ndarray and array.size <= FEW:
        return array.copy()
    return array


STORES = {"STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"}


@lru_cache(maxsize=256)
def _stored(code) -> dict:
    """{instruction: (name, whether it is an operator)} of what a piece of code puts straight into a variable."""
    found = {}
    last, begin = None, 0
    for instruction in dis.get_instructions(code):
        if last is not None and instruction.opname in STORES:
            name = instruction.argval[0] if isinstance(instruction.argval, tuple) else instruction.argval
            operator = last.opname.startswith(("BINARY", "UNARY"))
            # A call is noted at its last cache entry, so all places from its beginning on mean it.
            found.update(dict.fromkeys(range(begin, instruction.offset), (name, operator)))
        if last is None or last.opname != "PRECALL":
            begin = instruction.offset
        last = instruction
    return found


def name_results(calls: list) -> None:
    """Give calls the name of the variable that the user's line puts the result into.

    A line may run several operations: a function's last one has the name, an operator each time it runs.
    """
    for call, after in zip(calls, [*calls[1:], None]):
        if call.where is None or call.name:
            continue
        name, operator = _stored(call.where[0]).get(call.where[1], ("", False))
        if name and (operator or after is None or after.where != call.where):
            call.name = name


def line(where) -> tuple[str, int, str] | None:
    """(file, line, function) of a place in the user's program."""
    return None if where is None else line_of(where)
