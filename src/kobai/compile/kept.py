"""Tensors that a function keeps in a variable from one call to the next, as recurrent layers keep their state.

A variable that holds another tensor, or another tuple of tensors, after each call is no variable that a program depends
on: the tensors in it are arguments of the program, as it were, and those that it holds afterwards are results.
"""
from __future__ import annotations

from kobai.compile.guards import GONE, Slot, is_another, name
from kobai.pytree import flatten
from kobai.tensor import Tensor

MOST = 64  # such variables of one kind of call
_KINDS = ("dict", "list", "attribute", "cell")


def changing(guards, names) -> list[Slot]:
    """The variables in some guards that hold other tensors than they did, without those whose `names` are there."""
    return [s for s in guards.slots if s.kind in _KINDS and name(s) not in names and _holds_tensors(s.value) and is_another(s)
            and kept_now([s]) is not None and not isinstance(s.holder, Tensor)]


def _holds_tensors(v) -> bool:
    return all([type(t) is Tensor and not t.is_sparse for t in (v if type(v) is tuple and 0 < len(v) <= 16 else (v,))])


class Kept:
    """The tensors that are in some variables, when a call begins (`leaves`, `spec`)."""

    def __init__(self, slots):
        self.slots = slots
        self.leaves, self.spec = flatten(self.now())

    def now(self) -> tuple:
        """What is in these variables."""
        return tuple([s.read() for s in self.slots])

    def put(self, values):
        """What a program gave comes into them."""
        for slot, value in zip(self.slots, values):
            if slot.read() is value:
                continue
            if slot.kind == "dict":
                dict.__setitem__(slot.holder, slot.key, value)
            elif slot.kind == "list":
                list.__setitem__(slot.holder, slot.key, value)
            elif slot.kind == "cell":
                slot.holder.cell_contents = value
            else:
                setattr(slot.holder, slot.key, value)


def kept_now(slots) -> Kept | None:
    """`Kept` of these variables, or None if one of them is gone or holds something else."""
    try:
        found = Kept(slots)
    except GONE:
        return None
    return found if all(map(_holds_tensors, found.now())) else None
