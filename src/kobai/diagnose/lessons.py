"""What `kobai.coach` looks for while a program trains: one class a mistake, each told of the same events."""
from __future__ import annotations

import gc
import zlib
from typing import NamedTuple

import numpy as np

from ..autograd.mode import modes
from ..autograd.node import Node
from ..optim import Optimizer
from ..tensor import Tensor
from .holders import live_graphs, live_nodes, living
from .numbers import place, source
from .tape import node_of

_SAMPLES = 12      # times live nodes are counted
_LEAST_EXAMPLES = 64  # before a unit that never fired is called dead


class Finding(NamedTuple):
    """One mistake: which, where in the program, and what is said about it."""

    kind: str
    where: tuple | None
    facts: dict


class Leaf:
    """What is known about a parameter: its values and gradient when the last backward pass came to it."""

    def __init__(self, tensor, name):
        self.tensor, self.name = tensor, name
        self.start = np.array(tensor._data)
        self.data, self.grad = _stamp(tensor._data), None
        self.passes = self.updates = self.wrong = self.cleared = 0
        self.stale, self.where, self.greatest = False, None, 0.0
        self.arrived: list[int] = []  # numbers of the backward passes that came here
        self.used: set[int] = set()   # those of them that an update followed

    def arrive(self, g, where, number):
        """The first gradient of a backward pass is on its way here; `.grad` is what it was before."""
        old = self.tensor._grad
        self.look()
        self.stale = self.passes > 0 and self.changed and self._untouched(old) and bool(np.any(old._data))
        self.cleared += self.passes > 0 and (old is None or not np.any(old._data))
        self.grad = None if old is None else (id(old), old._ver[0])
        self.changed = False
        self.passes += 1
        self.arrived.append(number)
        self.where = where
        numbers = getattr(g, "values", g)  # of a sparse gradient those that are there
        if isinstance(numbers, (np.ndarray, np.generic)) and numbers.size:
            self.greatest = max(self.greatest, float(np.abs(numbers).max()))

    changed = False

    def look(self):
        """Notice an update: new values since the last pass."""
        now = _stamp(self.tensor._data)
        if now != self.data:
            self.data, self.changed = now, True
            self.updates += 1
            self.used.update(self.arrived[-1:])
            self.wrong += self.stale
            self.stale = False

    def _untouched(self, old):
        """Whether `.grad` is what the last pass left: neither cleared nor changed by the program."""
        if old is None:
            return False
        return old._ver[0] == 0 if self.grad is None else (id(old), old._ver[0] - 1) == self.grad

    def moved(self) -> float:
        """How far the values went, relative to where they started."""
        have = np.asarray(self.tensor._data, float)
        size = np.linalg.norm(self.start.astype(float))
        return float(np.linalg.norm(have - self.start) / (size or 1.0)) if have.shape == self.start.shape else 1.0


def _stamp(data):
    return zlib.adler32(np.ascontiguousarray(data).view(np.uint8).ravel())


class Lesson:
    """One kind of mistake; `findings` is asked at the end."""

    def __init__(self, watch):
        self.watch = watch

    def called(self, module, root):
        """A module is called; `root` is the outermost running one."""

    def returned(self, module, root, output):
        """A module has returned."""

    def recorded(self, node, tensors, values, result):
        """An op was recorded."""

    def passed(self, node, g, out):
        """A node was passed backward."""

    def began(self, node):
        """A backward pass begins at this node."""

    def stepped(self):
        """One call of the user's step is over."""

    def findings(self):
        return ()


class ZeroGrad(Lesson):
    """Gradients of the last step are still there when the next ones are added, and are used for an update."""

    def findings(self):
        bad = [leaf for leaf in self.watch.leaves.values() if leaf.wrong >= 2]
        if bad:
            yield Finding("zero_grad", bad[0].where, {"names": _listed(leaf.name for leaf in bad), "times": bad[0].wrong})


class Modes(Lesson):
    """Dropout or batch normalisation in training mode while evaluating, or in evaluation mode while training."""

    def __init__(self, watch):
        super().__init__(watch)
        self.unrecorded, self.evaluating, self.trained, self.outputs = {}, {}, set(), {}

    def called(self, module, root):
        if module is root and modes.grad and root.training:
            self.trained.add(id(root))
        kind = type(module).__name__
        if "Dropout" in kind and getattr(module, "p", 0) or "BatchNorm" in kind and getattr(
                module, "track_running_stats", False) and module.momentum is not None:  # None: update_bn() sets it
            if module.training and not modes.grad:
                self.unrecorded.setdefault(id(root), (root, kind, self.watch.here()))
            if not module.training and modes.grad and not root.training:
                self.evaluating.setdefault(id(root), (root, kind, self.watch.here()))

    def returned(self, module, root, output):
        if module is root and not modes.grad and isinstance(output, Tensor):
            self.outputs[id(output._value)] = id(root), output  # (held, so that its id stays its own)

    def recorded(self, node, tensors, values, result):
        for v in values:  # an unrecorded result that training goes on with is no evaluation: a teacher, a generator
            if id(v) in self.outputs:
                self.unrecorded[self.outputs.pop(id(v))[0]] = None

    def findings(self):
        for key, found in self.unrecorded.items():
            if found and key in self.trained:
                yield Finding("eval", found[2], {"model": self.watch.module_name(found[0]), "kind": found[1]})
        for key, found in self.evaluating.items():
            if key not in self.trained and any(self.watch.updates(p) >= 2 for p in found[0].parameters()):
                yield Finding("train", found[2], {"model": self.watch.module_name(found[0]), "kind": found[1]})


class Parameters(Lesson):
    """Parameters that never change: without a gradient, or not given to the optimizer."""

    def __init__(self, watch):
        super().__init__(watch)
        self.roots, self.inner = {}, {}

    def called(self, module, root):
        if modes.grad:
            if module is root:
                self.roots.setdefault(id(root), root)
            elif id(module) not in self.inner:
                self.inner[id(module)] = module, root

    def findings(self):
        yield from self.hidden()
        yield from self.apart()
        for root in self.roots.values():
            known = [(n, p, self.watch.leaves.get(id(p))) for n, p in root.named_parameters() if p.requires_grad]
            if known and all(leaf is None and id(p) in self.watch.optimized for _, p, leaf in known):
                yield Finding("unused", None, {"names": self.watch.module_name(root)})
            if not any(leaf and leaf.updates >= 2 for _, _, leaf in known):
                continue
            used = set().union(*[leaf.used for _, _, leaf in known if leaf])
            name = self.watch.module_name(root)
            unused = [f"{name}.{n}" for n, _, leaf in known if leaf is None]
            still = [f"{name}.{n}" for n, p, leaf in known
                     if leaf and len(used.intersection(leaf.arrived)) >= 2 and not leaf.updates
                     and id(p) not in self.watch.optimized and leaf.greatest > 0]
            if unused:
                yield Finding("unused", None, {"names": _listed(unused)})
            if still:
                yield Finding("not_optimized", None, {"names": _listed(still)})


    def hidden(self):
        """Layers in a plain list: the module that calls them does not know of them."""
        found: dict[int, list[str]] = {}
        registered = {key: set(map(id, root.modules())) for key, root in self.roots.items()}
        for module, root in self.inner.values():
            if id(module) not in registered.get(id(root), (id(module),)) and self.trains(root):
                found.setdefault(id(root), []).extend([leaf.name for leaf in self.idle(module, root)])
        for key, names in found.items():
            if names:
                yield Finding("hidden", None, {"names": _listed(names), "model": self.watch.module_name(self.roots[key])})

    def apart(self):
        """A model that comes before one that is trained, and that no optimizer was given."""
        trained = [root for root in self.roots.values() if self.trains(root)]
        for root in self.roots.values():
            if not trained or root is trained[0]:
                return
            if any(id(p) in self.watch.optimized for p in root.parameters()):
                continue
            names = [leaf.name for leaf in self.idle(root, trained[0])]
            if names:
                yield Finding("not_optimized", None, {"names": _listed(names)})

    def trains(self, root) -> bool:
        return any(self.watch.updates(p) >= 2 for p in root.parameters())

    def idle(self, module, trained):
        """The parameters of a module to which the passes came that changed those of another, and which stayed."""
        others = [self.watch.leaves.get(id(p)) for p in trained.parameters()]
        used = set().union(*[leaf.used for leaf in others if leaf])
        for p in module.parameters():
            leaf = self.watch.leaves.get(id(p))
            if leaf and id(p) not in self.watch.optimized and not leaf.updates and not leaf.cleared and leaf.greatest > 0 \
                    and len(used.intersection(leaf.arrived)) >= 2:
                yield leaf


class NotStepped(Lesson):
    """Gradients are computed and cleared again and again, and the optimizer that has the parameters never steps."""

    def findings(self):
        still = [leaf for leaf in self.watch.leaves.values() if leaf.cleared >= 3 and not leaf.updates and leaf.greatest > 0
                 and id(leaf.tensor) not in self.watch.optimized]
        if still:
            gc.collect()  # optimizers that only refer to themselves train nothing
            owned = {id(p) for o in living(Optimizer) for g in o.param_groups for p in g["params"]}
            names = [leaf.name for leaf in still if id(leaf.tensor) in owned]
            if names:
                yield Finding("not_stepped", None, {"names": _listed(names)})


class Softmax(Lesson):
    """Probabilities given to a loss that takes scores."""

    def __init__(self, watch):
        super().__init__(watch)
        self.found = {}

    def recorded(self, node, tensors, values, result):
        kind = type(node.op).__name__
        if kind == "NllLoss":
            before = _producer(node)
            if type(getattr(before, "op", None)).__name__ == "Softmax":
                self.found["log_missing"] = node.where
            elif type(getattr(before, "op", None)).__name__ == "LogSoftmax" and before.where == node.where:
                first = _producer(before)
                if type(getattr(first, "op", None)).__name__ == "Softmax":
                    self.found["softmax"] = first.where
        elif kind == "BinaryCrossEntropyWithLogits":
            first = _producer(node)
            if type(getattr(first, "op", None)).__name__ == "Sigmoid":
                self.found["sigmoid"] = first.where

    def findings(self):
        for kind, where in self.found.items():
            yield Finding(kind, where, {})


class Broadcast(Lesson):
    """(N, 1) minus (N,): an N x N table of differences where a loss was meant."""

    def __init__(self, watch):
        super().__init__(watch)
        self.suspects, self.found = {}, {}

    def recorded(self, node, tensors, values, result):
        kind = type(node.op).__name__
        shapes = [np.shape(v) for v in values]
        if kind in ("Sub", "Rsub") and len(shapes) == 2 and sum(e is not None for e in node.edges) == 1:
            if _column_and_row(*shapes):
                self.suspects[node._order] = node.where, shapes
        elif getattr(node.op, "common", ()) == ("x", "t") and len(values) > 1:
            stretched = [s for v, s in zip(values, shapes) if _stretched(v)]
            if stretched:
                self.suspects[node._order] = node.where, [(shapes[0][0], 1), (shapes[0][-1],)]

    def passed(self, node, g, out):
        found = self.suspects.pop(node._order, None)
        if found:
            self.found.setdefault(place(found[0]), found)

    def findings(self):
        for where, (a, b) in self.found.values():
            yield Finding("broadcast", where, {"a": tuple(a), "b": tuple(b)})


class DeadRelu(Lesson):
    """Units of a ReLU that gave 0 for every example."""

    def __init__(self, watch):
        super().__init__(watch)
        self.units = {}

    def recorded(self, node, tensors, values, result):
        if type(node.op).__name__ != "Relu" or not isinstance(result, np.ndarray) or result.ndim < 2:
            return
        channel = 1 if result.ndim == 4 else result.ndim - 1
        alive = (result > 0).any(axis=tuple(d for d in range(result.ndim) if d != channel))
        key = (*node.where, self.watch.running())
        before = self.units.get(key)
        if before is None or before[0].shape != alive.shape:
            before = np.zeros_like(alive), 0, None
        self.units[key] = alive | before[0], before[1] + len(result), node.where

    def findings(self):
        for (_, _, module), (alive, examples, where) in self.units.items():
            dead = int((~alive).sum())
            if examples >= _LEAST_EXAMPLES and alive.size >= 4 and dead >= alive.size / 2:
                yield Finding("dead_relu", where, {"dead": dead, "units": alive.size, "examples": examples,
                                                   "module": module})


class Loss(Lesson):
    """A loss that explodes, or that stands still because the parameters hardly move."""

    def __init__(self, watch):
        super().__init__(watch)
        self.scalars, self.series = {}, {}

    def recorded(self, node, tensors, values, result):
        if isinstance(result, (np.ndarray, np.generic)) and result.size == 1 and result.dtype.kind == "f":
            self.scalars[node._order] = float(np.asarray(result).flat[0])

    def began(self, node):
        if node._order in self.scalars:
            self.series.setdefault(place(node.where), (node.where, []))[1].append(self.scalars[node._order])
        self.scalars.clear()

    def findings(self):
        moved = [leaf for leaf in self.watch.leaves.values() if leaf.updates or id(leaf.tensor) in self.watch.optimized]
        for where, values in self.series.values():
            first, last = values[0], values[-1]
            rising = sum(b > a for a, b in zip(values, values[1:]))
            if any(leaf.updates for leaf in moved) and len(values) >= 3 and (
                    not np.isfinite(last) and np.isfinite(first)
                    or rising >= 0.8 * (len(values) - 1) and abs(last) > 10 * abs(first) > 0):
                yield Finding("exploding", where, {"first": f"{first:.4g}", "last": f"{last:.4g}", "steps": len(values)})
            elif len(values) >= 5 and moved and all(leaf.passes >= 5 for leaf in moved) and max(
                    leaf.moved() for leaf in moved) < 1e-6 and max(leaf.greatest for leaf in moved) > 1e-3:
                yield Finding("tiny_step", where, {"first": f"{first:.6g}", "last": f"{last:.6g}",
                                                   "moved": f"{max(leaf.moved() for leaf in moved):.1g}",
                                                   "g": f"{max(leaf.greatest for leaf in moved):.3g}"})
                return


class Retention(Lesson):
    """Graphs of earlier steps that are still alive: more with each step."""

    def __init__(self, watch):
        super().__init__(watch)
        self.counts, self.holder = {}, None

    def began(self, node):
        self._count(node.where)

    def stepped(self):
        self._count(None)

    def _count(self, key):
        counts = self.counts.setdefault(key and place(key), [])
        if len(counts) >= _SAMPLES or self.holder is not None:
            return
        counts.append(len(live_nodes()))
        growth = [b - a for a, b in zip(counts[1:], counts[2:])]  # the first may set things up
        if len(growth) >= 5 and all(g > 0 for g in growth) and max(growth) <= 2 * min(growth):
            groups: dict[str, list] = {}
            for g in live_graphs():
                for h in g.holders:
                    groups.setdefault(h.rpartition("[")[0] if "[" in h else h, []).append(g)
            many = max(groups.items(), key=lambda item: len(item[1]), default=None)
            if many is not None and len(many[1]) >= 3:
                root = many[1][0].root()
                self.holder = many[0], len(many[1]), getattr(root, "where", None)
            else:  # one graph that grows: a state or a sum carried from step to step
                longest = max(live_graphs(), key=lambda g: g.nodes)
                held = next(iter(longest.holders), "?")
                self.holder = held, 1, getattr(longest.root(), "where", None)

    def findings(self):
        if self.holder is not None:
            yield Finding("retention", self.holder[2], {"holder": self.holder[0], "graphs": self.holder[1]})


LESSONS = (ZeroGrad, Modes, Parameters, NotStepped, Softmax, Broadcast, DeadRelu, Loss, Retention)


# ---- looking at graphs -----------------------------------------------------------------------
def _producer(node):
    """The node behind the first input, through views."""
    before = node_of(node.edges[0]) if node.edges else None
    while isinstance(before, Node) and before.op is not None and before.op.moves:
        before = node_of(before.edges[0])
    return before


def _column_and_row(a, b) -> bool:
    """Whether the shapes are (N, 1) and (N,) in either order."""
    a, b = (a, b) if len(a) == 2 else (b, a)
    return len(a) == 2 and len(b) == 1 and a[1] == 1 and a[0] == b[0] > 1


def _stretched(v) -> bool:
    return isinstance(v, np.ndarray) and v.ndim == 2 and any(s == 0 and n > 1 for s, n in zip(v.strides, v.shape))


def _listed(names) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")


def name_of_leaf(t, names: dict) -> str:
    """The user's name of a leaf among `names`; its shape if it has none."""
    return names.get(id(t)) or f"leaf{tuple(t.shape)}"


__all__ = ["LESSONS", "Finding", "Leaf", "name_of_leaf", "source"]
