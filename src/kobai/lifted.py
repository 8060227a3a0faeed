"""Array-like values that stand for something else: batches (vmap), duals (forward mode), traces.

A Tensor holds a NumPy array, or one of these. An op called on them is interpreted by the value of
the highest level, which calls the op again on what lies below; so transforms nest in any order.
"""
from __future__ import annotations


class Names:
    """A namespace; what stands in the class is found where the namespace itself has nothing (later.py)."""


m = Names()  # every op and function by name, for arrays, Tensors and lifted values alike


class Lifted:
    """A value that interprets the ops called on it: `process(op, values)`.

    Attributes: `shape` (as the user sees it), `dtype` (NumPy's), `level` (the innermost transform
    is the highest).
    """

    __slots__ = ()
    per_example = False  # one value for each example of a batch: vmap
    __array_ufunc__ = None  # NumPy arrays leave mixed arithmetic to us
    level = 0
    layout = None  # what tensors show as their layout, if it is another one than torch.strided

    def process(self, op, values):
        """The result of `op` on `values`, of which at least one is of this level."""
        raise NotImplementedError

    def detached(self):
        """The same without what derivatives need."""
        return self

    def mapped(self, fn):
        """The same with `fn` applied to the Tensors it is made of; itself if that changes none."""
        return self

    def plain(self):
        """The Tensor whose numbers this shows, if there is one."""
        return None

    def suffixes(self):
        """What a printed tensor says of it after its numbers."""
        return ()

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        n = 1
        for s in self.shape:
            n *= s
        return n


def top(values):
    """The Lifted of the highest level among `values`, or None."""
    best = None
    for v in values:
        if isinstance(v, Lifted) and (best is None or v.level > best.level):
            best = v
        elif type(v) in (tuple, list):
            inner = top(v)
            if inner is not None and (best is None or inner.level > best.level):
                best = inner
    return best


def add_operators(m):
    """Arithmetic on lifted values calls the ops of the namespace `m`; called once it is filled."""
    def binary(name):
        return (lambda self, other: getattr(m, name)(self, other),
                lambda self, other: getattr(m, name)(other, self))
    for dunder, name in _OPERATORS.items():
        forward, backward = binary(name)
        setattr(Lifted, f"__{dunder}__", forward)
        setattr(Lifted, f"__r{dunder}__", backward)
    for dunder, name in _COMPARISONS.items():
        setattr(Lifted, f"__{dunder}__", binary(name)[0])
    Lifted.__neg__ = lambda self: m.neg(self)
    Lifted.__invert__ = lambda self: m.logical_not(self)
    Lifted.__getitem__ = lambda self, index: m.getitem(self, index)
    Lifted.__hash__ = object.__hash__


_OPERATORS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow",
              "matmul": "matmul", "and": "logical_and", "or": "logical_or"}
_COMPARISONS = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne"}
