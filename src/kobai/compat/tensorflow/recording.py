"""What a gradient tape knows: since when it has been recording, what it watches, which nodes are its own.

kobai's graph is there whether or not anybody tapes it: nodes point to the nodes before them. A tape is a
view of that graph. A node belongs to it if it was made while the tape was recording, from something that
the tape watched before or that belongs to it already: exactly what TensorFlow's tape writes down. That is
found out when a gradient is asked for, so that recording costs nothing more than the nodes themselves.

Nodes are numbered downward as they are made (`Node._order`), and these numbers serve as a clock here.
"""
from __future__ import annotations

import threading

from ...autograd.dual import Dual
from ...autograd.mode import modes
from ...autograd.node import Node, Port, next_order
from ...tensor import LiftedTensor, Tensor, edge_of, wrap

_NEVER = float("-inf")


class Record:
    """The memory of one tape."""

    def __init__(self):
        self.spans = []        # [begin, end] of each time it was recording, in the order of nodes
        self.watched = {}      # leaf or node -> since when
        self.variables = {}    # number -> Variable, in the order in which they were read
        self.shared = False    # whether another tape ever recorded at the same time

    def watch(self, t):
        """Watch a kobai Tensor from now on."""
        edge = edge_of(t)
        if edge is None:
            t._rg, edge = True, t
        self.watched.setdefault(_node_of(edge), next_order())

    def knows(self, t):
        """Whether `t` itself was watched."""
        edge = edge_of(t)
        return edge is not None and _node_of(edge) in self.watched

    def nodes(self, targets):
        """The nodes behind `targets` that belong to this tape."""
        reached, stack = set(), [_node_of(edge_of(t)) for t in targets]
        while stack:
            node = stack.pop()
            if isinstance(node, Node) and node not in reached and self._was_recording(node._order):
                reached.add(node)
                stack.extend([_node_of(e) for e in node.edges])
        mine = set()
        for node in sorted(reached, key=lambda n: -n._order):  # as they were made
            for edge in node.edges:
                edge = _node_of(edge)
                if edge in mine or edge is not None and self.watched.get(edge, _NEVER) > node._order:
                    mine.add(node)
                    break
        return mine

    def _was_recording(self, order):
        return any(begin > order > end for begin, end in self.spans)


def _node_of(edge):
    return edge.node if type(edge) is Port else edge


class _State(threading.local):
    """The tapes that are recording in this thread, outermost first; and since when the oldest has been."""

    active: tuple = ()
    oldest = _NEVER


state = _State()


def begin(record):
    """Record on this tape too, from now on."""
    record.spans.append([next_order(), _NEVER])
    state.active = (*state.active, record)
    if len(state.active) > 1:
        for r in state.active:
            r.shared = True
    _update()


def end(record):
    """Record on this tape no longer."""
    record.spans[-1][1] = next_order()
    state.active = tuple([r for r in state.active if r is not record])
    _update()


def _update():
    state.oldest = max([r.spans[0][0] for r in state.active], default=_NEVER)


class pause:
    """No tape records in this block."""

    def __enter__(self):
        self._before = state.active
        state.active = ()

    def __exit__(self, *exc):
        state.active = self._before


def live(t):
    """`t` as the next operation shall see it: without history unless a tape that is recording knows it.

    History older than all tapes that are recording is of no use to them; to keep it would chain the
    steps of a training loop together for ever.
    """
    if type(t) is LiftedTensor:
        t = _open(t)
    if t._rg and not (state.active and _is_known(t)):
        return LiftedTensor(t._value) if type(t) is LiftedTensor else wrap(t._data)
    return t


def _is_known(t):
    node = _node_of(t._node)
    return node is None or node._order < state.oldest or any(node in r.watched for r in state.active)


def _open(t):
    """A dual of a ForwardAccumulator that is closed is its value."""
    while type(t._value) is Dual and t._value.level not in modes.dual:
        t = t._value.primal
        if type(t) is not LiftedTensor:
            break
    return t


def value(t):
    """The NumPy value of a kobai Tensor, whatever derivatives it carries."""
    while type(t) is LiftedTensor and type(t._value) is Dual:
        t = t._value.primal
        if not isinstance(t, Tensor):
            return t
    return t._value
