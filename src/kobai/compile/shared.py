"""What the results of a program share with each other, and with tensors that were there before: memory, versions, bases.

A recorded call shows how its results lay in memory and which were views. A plan computes each piece of memory once, in
one row; `Shared` makes of it tensors with the strides that they had, views of each other where they were.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kobai.autograd.mode import modes
from kobai.autograd.node import Node, Port
from kobai.compile.ending import Later
from kobai.compile.graph import Graph, Node as Step
from kobai.compile.ssa import Unknown, _address, _bounds
from kobai.devices import device
from kobai.dtypes import dtype
from kobai.ops.movement import Permute
from kobai.tensor import LiftedTensor, Tensor, ops_of, refresh, wrap

PART, SMALL = 4, 1 << 16  # a lone result that is less than so much of more bytes than this has memory of its own


class Returned(NamedTuple):
    """How a leaf of the result is made: a new tensor from output `number`, or an object as it is."""

    number: int | None
    requires_grad: bool = False
    node: Any = None
    kind: type = Tensor
    same: Any = None    # ("arg", i), ("grad", leaf) or ("object", what)
    open: bool = False  # its history is the node that stands for the call


class View(NamedTuple):
    """How a result is made of a tensor that was there before: ops, after `detach()` or `.data` if it is `cut`."""

    place: int
    cut: str | None
    ops: tuple
    grad: bool


class Shared:
    """What is done with the leaves of a result, so that they share what they shared when the program was recorded."""

    def __init__(self, orders, views, windows, cells, bases, histories, twins):
        self.orders: dict[int, tuple] = orders  # {number of an output: its dimensions as they lie in memory}
        self.turned = {n: tuple([order.index(d) for d in range(len(order))]) for n, order in orders.items()}  # and back
        self.views: list[View] = views
        self.windows = windows      # (place, shape, dtype, offset, strides, writeable): of the memory that is there
        self.cells = cells          # (place, the first one with the same version counter)
        self.bases = bases          # (place, that of what it is a view of, chain)
        self.histories = histories  # (place, that of what it is a view of, ops): views of what has a history
        self.twins = twins          # (place, that of the same tensor)
        self.alone = not (views or cells or bases or histories or twins)  # no two share anything
        self.any = bool(windows) or not self.alone

    def laid(self, graph: Graph) -> Graph:
        """The graph that gives its outputs as they lie in memory."""
        if not self.orders:
            return graph
        nodes, outputs = list(graph.nodes), list(graph.outputs)
        for number, order in self.orders.items():
            v = outputs[number]
            nodes.append(Step(Permute(order), [v], [(tuple([v.shape[d] for d in order]), v.dtype)]))
            outputs[number] = nodes[-1].outs[0]
        return Graph(graph.inputs, nodes, outputs, graph.writes).verify()

    def arrays(self, outputs):
        """The outputs with their dimensions in the program's order."""
        if not self.orders:
            return outputs
        return [y.transpose(self.turned[n]) if n in self.turned else y for n, y in enumerate(outputs)]

    def settle(self, leaves):
        """Give the leaves their shapes, and what they share; `leaves` is a list."""
        for place, cut, ops, grad in self.views:
            leaves[place] = _again(leaves[place], cut, ops, grad)
        for place, shape, kind, offset, strides, writeable in self.windows:
            t = leaves[place]
            t._data = np.ndarray(shape, kind, t._array(), offset, strides)
            t._data.flags.writeable = writeable  # not where expand() repeats an element
        for place, first in self.cells:
            leaves[place]._ver = leaves[first]._ver
        for place, base, chain in self.bases:
            t = leaves[place]
            t._base, t._chain, t._seen = leaves[base], chain, leaves[base]._rebased

    def finish(self, leaves):
        """What is left when the history of the call is known."""
        for place, base, ops in self.histories:
            leaves[place] = _again(leaves[base], None, ops, True)
        for place, first in self.twins:
            leaves[place] = leaves[first]


def _again(t, cut, ops, grad):
    if cut is not None:
        ver, t = t._ver, wrap(t._array())
        t._ver = ver if cut == "detach" else t._ver
    before, modes.grad = modes.grad, grad
    try:
        for op in ops:
            t = op(t)
    finally:
        modes.grad = before
    return t


def roots_of(recorder, outs, start):
    """The tensors whose history makes that of the results: these, or what they are views of, and their nodes."""
    roots, nodes = {}, []
    for t in outs:
        if not isinstance(t, Tensor) or type(t) is LiftedTensor:
            continue
        if t._base is not None:
            refresh(t)
        if _is_open(t, start) and origin(recorder, t) is None:
            nodes.append(t._node)
            b = t._base
            root = b if b is not None and type(t) is type(b) is Tensor and _is_open(b, start) \
                and not recorder.was_there(b) and not is_apart(t, outs) else t
            roots[id(root)] = root
    return list(roots.values()), nodes


def _is_open(t, start) -> bool:
    return t._rg and t._node is not None and node_of(t)._order < start


def is_apart(t, outs) -> bool:
    """Whether a view need not be one: all of a value, or a small part of a large one, into which no other result looks."""
    b = t._base
    if not (t._data.nbytes * PART < b._data.nbytes > SMALL or _is_all(t._data, b._data)):
        return False
    return not any(isinstance(o, Tensor) and o is not t and type(o) is not LiftedTensor
                   and np.may_share_memory(o._data, b._data) for o in outs)


def _is_all(a, b) -> bool:
    """Whether an array has the elements of another, in another shape or order."""
    return isinstance(a, np.ndarray) and a.dtype == b.dtype and a.size == b.size and _order(a) is not None


def node_of(t) -> Node:
    """The node that made a tensor."""
    return t._node.node if isinstance(t._node, Port) else t._node


def origin(recorder, t):
    """(tensor that was there before, cut, ops) of which `t` is a view, or None."""
    b, found = t if t._base is None else t._base, None
    for e in recorder.externals.values():
        h = e.holder
        if h is None or e.constant is not None or h is t or not _is_plain_class(type(h)):
            continue
        if t._base is not None and (h is b or h._base is b):
            ops = _ops_after(t._chain, h._chain if h._base is b else ())
            if ops is not None and (found is None or len(ops) < len(found[2])):
                found = h, None, ops
        elif e.array is b._data and not b._rg and found is None:
            found = h, "detach" if b._ver is h._ver else "data", ops_of(t._chain)
    return found


def _is_plain_class(cls) -> bool:
    """Whether views of its tensors are just tensors, as those of parameters are."""
    return cls is Tensor or cls is not LiftedTensor and cls.__module__.partition(".")[0] in ("torch", "kobai")


def _ops_after(chain, start):
    """The ops of a chain after those of `start`, or None if it does not begin with them."""
    ops = []
    while chain is not start:
        if not chain:
            return None
        chain, op = chain
        ops.append(op)
    return tuple(ops[::-1])


class Results:
    """Finds out how the leaves of a result are made: `returned`, `arrays` for the graph to give, `shared()`."""

    def __init__(self, builder, recorder, leaves, outs, roots):
        self.builder, self.recorder, self.given = builder, recorder, leaves
        self.outs = list(outs)  # the program's results, then what they are views of
        self.roots = {id(t): k for k, t in enumerate(roots)}
        self.arrays: list = []
        self.returned: list[Returned] = []
        self.position: dict[int, int] = {}  # {number of an output: which of the roots it is}
        self.views: list[View] = []
        self.windows, self.bases, self.histories, self.twins = [], [], [], []
        self.homes: dict[int, list] = {}    # {id(memory): places of results in it}
        self._places: dict[int, int] = {}
        for t in outs:
            self._base_of(t)
        for place, t in enumerate(self.outs):
            self.returned.append(self._returned(place, t))
        for places in self.homes.values():
            self._memory(places)
        self._history()
        self.items = self._items(len(outs))

    def _base_of(self, t):
        """What a view looks into is among the results, for the view to be made of."""
        b = t._base if isinstance(t, Tensor) and type(t) is not LiftedTensor else None
        if b is None or type(b) is not Tensor or any(b is o for o in self.outs) or not self.builder.known(b._data) \
                or self.builder.is_shared(b._data):
            return
        if not is_apart(t, self.outs):
            self.outs.append(b)

    def _returned(self, place, t) -> Returned:
        if isinstance(t, Later):
            return Returned(self.number(t.arrays[0]))
        if not isinstance(t, Tensor):
            if not _is_plain(t):
                raise Unknown(f"it returns an object of type {type(t).__name__}")
            return Returned(None, same=("object", t))
        if type(t) is LiftedTensor:
            raise Unknown("it returns a tensor of an open transform")
        same = self._same(t)
        if same is not None:
            return Returned(None, same=same)
        first = self._places.setdefault(id(t), place)
        if first != place:
            self.twins.append((place, first))
            return self.returned[first]
        if not self.builder.known(t._data):
            raise Unknown("it returns a tensor that is not recorded")
        if self.builder.is_shared(t._data):
            return self._of_before(place, t)
        self.homes.setdefault(id(self.builder.memory(t._data)), []).append(place)
        return Returned(-1, bool(t._rg), t._node, type(t))

    def _same(self, t):
        """Where a tensor that was there before is found."""
        for i, leaf in enumerate(self.given):
            if t is leaf:
                return "arg", i
        for tensor in [x.tensor for x in self.recorder.leaves.values()] + [x for x, _ in self.recorder.read.values()]:
            if t is tensor._grad and self.recorder.was_there(tensor):
                return "grad", tensor
        e = self.recorder.externals.get(id(t._data))
        if e is None or e.holder is not t or e.constant is not None:
            return None
        if e.source[0] == "grad":
            raise Unknown("it returns a gradient that was there before and is none any more")
        return "object", t

    def _of_before(self, place, t) -> Returned:
        """A view of a tensor that was there before: made of that with the ops that made it."""
        found = origin(self.recorder, t)
        same = None if found is None else self._same(found[0])
        if same is None or type(t) is not Tensor or t._rg and not (found[0]._rg and t._node is not None) \
                or t._node is not None and node_of(t).hooks is not None:
            raise Unknown("it returns a view of an argument, or of another tensor that was there before")
        _, cut, ops = found
        self.views.append(View(place, cut, ops, t._rg))
        return Returned(None, same=same)

    def number(self, a) -> int:
        """The place of an array among the outputs."""
        for i, known in enumerate(self.arrays):
            if known is a:
                return i
        self.arrays.append(a)
        return len(self.arrays) - 1

    def _memory(self, places):
        """One output for a piece of memory, into which the results at these places look."""
        whole = self._whole(places)
        number = self.number(whole)
        for k in places:
            a = self.outs[k]._data
            self.returned[k] = self.returned[k]._replace(number=number)
            if a is not whole or not _in_rows(a) and _order(a) is not None:
                self.windows.append((k, a.shape, a.dtype, _address(a) - _address(whole), a.strides, a.flags.writeable))

    def _whole(self, places):
        """The array of which all results at these places are parts."""
        arrays = [self.outs[k]._data for k in places]
        if all(a is arrays[0] for a in arrays) and arrays[0].flags.writeable:  # nothing in it is repeated
            return arrays[0]
        bounds = [_bounds(a) for a in arrays]
        low, high = min(start for start, _ in bounds), max(end for _, end in bounds)
        for k in sorted(places, key=lambda k: (id(self.outs[k]) not in self.roots, self.outs[k]._base is not None)):
            a = self.outs[k]._data
            start, end = _bounds(a)
            if start <= low and high <= end and _order(a) is not None:
                return a
        whole = self.builder.memory(arrays[0]).array
        if _order(whole) is None:
            raise Unknown("it returns tensors that share memory which is not in one piece")
        return whole

    def _history(self):
        """Which results are views, and which have the history of the call."""
        places = {id(t): k for k, t in reversed(list(enumerate(self.outs)))}
        twins = {k for k, _ in self.twins}
        for k, t in enumerate(self.outs):
            r = self.returned[k]
            if r.number is None or isinstance(t, Later) or k in twins:
                continue
            base = None if t._base is None else places.get(id(t._base))
            if id(t) in self.roots:
                if self.arrays[r.number] is not t._data or r.number in self.position:
                    raise Unknown("it returns tensors that share memory and have histories of their own")
                self.returned[k] = r._replace(node=None, open=True)
                self.position[r.number] = self.roots[id(t)]
            elif base is not None and id(t._base) in self.roots and t._rg and t._node is not None:
                self.returned[k] = r._replace(requires_grad=False, node=None)
                self.histories.append((k, base, ops_of(t._chain)))
                continue
            if base is not None:
                self.bases.append((k, base, t._chain))
        self.position = dict(sorted(self.position.items(), key=lambda item: item[1]))  # in the order of the roots
        made = {k for k, *_ in self.histories}
        self.windows = [w for w in self.windows if w[0] not in made]
        for k, first in self.twins:
            self.returned[k] = self.returned[first]._replace(open=False)

    def _items(self, count):
        """{place: (how, places)} of the numbers among the results: tensors, some at the end, that are read when all is done."""
        items = {}
        for place, t in enumerate(self.outs[:count]):
            if isinstance(t, Later):
                items[place] = t.how, [place, *range(len(self.returned), len(self.returned) + len(t.arrays) - 1)]
                self.returned += [Returned(self.number(a)) for a in t.arrays[1:]]
        return items

    def shared(self, kept) -> Shared:
        """What the results share. Outputs whose numbers are in `kept` lie in rows, whatever they did."""
        cells, first = [], {}
        skip = {k for k, *_ in self.histories} | {k for k, _ in self.twins}
        for k, t in enumerate(self.outs):
            if k not in skip and self.returned[k].number is not None and isinstance(t, Tensor):
                if first.setdefault(id(t._ver), k) != k:
                    cells.append((k, first[id(t._ver)]))
        used = {r.number for r in self.returned}
        orders = {n: _order(a) for n, a in enumerate(self.arrays) if n in used and not _in_rows(a)}
        orders = {n: order for n, order in orders.items() if order is not None}
        if not orders.keys().isdisjoint(kept):
            raise Unknown("it returns a gradient by another name")
        return Shared(orders, self.views, self.windows, cells, self.bases, self.histories, self.twins)


def _order(a):
    """The dimensions of an array in the order in which they lie in memory without gaps; None if they do not."""
    if not isinstance(a, np.ndarray) or _in_rows(a):
        return tuple(range(a.ndim))
    order = tuple(sorted(range(a.ndim), key=lambda d: (-a.strides[d], -a.shape[d])))
    return order if a.transpose(order).flags.c_contiguous else None


def _in_rows(a):
    return not isinstance(a, np.ndarray) or a.flags.c_contiguous


def _is_plain(v):
    return v is None or isinstance(v, (bool, int, float, complex, str, bytes, type(...), dtype, device))
