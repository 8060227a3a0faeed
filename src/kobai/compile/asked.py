"""What a recorded function may have asked about its arguments beside their shapes and numbers.

Whether one is a tensor that the function knows by another name (`x is self.weight`, `x in table`), attributes that the
user gave it, and what `x._version` or `id(x)` say: a program is right for arguments of which the answers are the same.
"""
from __future__ import annotations

import weakref

from kobai.autograd.whole import exactly
from kobai.compile.guards import Untraceable
from kobai.tensor import _IN_THE_GRAPH, Tensor

_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None)))
_IDENTITY = frozenset(("id", "hash", "__hash__"))
_QUESTIONS = {
    "_version": lambda t: t._ver[0], "_base": lambda t: None if t._base is None else id(t._base),
    "_is_view": lambda t: t._base is not None, "retains_grad": lambda t: t.retains_grad,
    "output_nr": lambda t: t.output_nr, "storage_offset": lambda t: t.storage_offset(),
    "grad_fn": lambda t: None if t.grad_fn is None else object()}  # another one on each call


def attributes(leaves):
    """What the user added to the tensors among some arguments."""
    return [{n: v for n, v in t.__dict__.items() if n not in _IN_THE_GRAPH} for t in leaves if isinstance(t, Tensor)]


class Asked:
    """The answers that a recorded call got; `simple` if it asked nothing out of the ordinary."""

    def __init__(self, leaves, guards, codes, before, writes):
        """`codes` are the code objects that ran, `guards` what they depend on; `before` the attributes of arguments.

        `writes` says whether the call changed tensors that were there before.

        Raises:
            Untraceable: if answers change with each call, or unseen.
        """
        self._places = [i for i, t in enumerate(leaves) if isinstance(t, Tensor)]
        self._names = guards.names
        held = [s.value for s in guards.slots if isinstance(s.value, Tensor)]
        self._kept = {id(t): t for t in (*guards.tensors, *held)}
        named = {n for c in codes for n in (*c.co_names, *c.co_consts) if type(n) is str}
        named |= {s.value for s in guards.slots if type(s.value) is str}
        self._questions = [_QUESTIONS[n] for n in sorted(named & _QUESTIONS.keys())]
        self._versions = [t._ver for t in self._kept.values()] if "_version" in named else []
        given = [leaves[i] for i in self._places]
        self._refuse(before, attributes(leaves), self._versions and writes)
        self._answers = self._ask(given)
        self._same = [weakref.ref(t) for t in given] if not named.isdisjoint(_IDENTITY) else []
        met = any(id(t) in self._kept for t in given)
        self.simple = not (met or self._questions or self._same or any(map(self._attributes, given)))

    def _refuse(self, before, now, versions):
        """Raise for what cannot be compared later."""
        if versions:
            raise Untraceable("it asks for the version of a tensor, and changes some")
        for was, found in zip(before, now):
            if was.keys() != found.keys() or any(was[n] is not found[n] for n in was):
                raise Untraceable("it sets attributes of an argument")
            for n, v in found.items():
                if type(v) not in _PLAIN and (self._names is None or n in self._names):
                    raise Untraceable(f"it may look at .{n} of an argument, which is an object of type {type(v).__name__}")

    @property
    def known(self) -> list[int]:
        """The addresses of the tensors that the function knows."""
        return list(self._kept)

    def holds(self, leaves) -> bool:
        """Whether all that was asked about arguments would be answered as it was."""
        given = [leaves[i] for i in self._places]
        return self._ask(given) == self._answers and all([ref() is t for ref, t in zip(self._same, given)])

    def _ask(self, given):
        kept = self._kept
        return [(id(t) if id(t) in kept else None, self._attributes(t), [ask(t) for ask in self._questions])
                for t in given], [cell[0] for cell in self._versions]

    def _attributes(self, t):
        """Of what the user added to a tensor that which the function may have looked at: names, types, values."""
        return [(n, type(v), exactly(v) if type(v) in _PLAIN else id(v)) for n, v in t.__dict__.items()
                if n not in _IN_THE_GRAPH and (self._names is None or n in self._names)]
