"""Looking at and acting on the recorded graph (torch.autograd.graph's names)."""
from __future__ import annotations

from functools import partial

from ..diagnose import error
from ..tensor import Tensor, edge_of
from .engine import leading_to, reached
from .mode import PASS, modes
from .node import AccumulateGrad, GradientEdge, Hook, Node, Port, accumulator


def get_gradient_edge(tensor):
    """The place in the graph where the gradient of `tensor` is computed."""
    if not tensor.requires_grad:
        raise error("not-defined",
                    RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients"),
                    what="its place in the graph",
                    why="a tensor that does not require grad has no place in the graph.",
                    fix="compute it from tensors with requires_grad=True, outside of torch.no_grad().")
    edge = edge_of(tensor)
    if isinstance(edge, Port):
        return GradientEdge(edge.node, edge.number)
    return GradientEdge(edge if isinstance(edge, Node) else accumulator(edge), 0)


class saved_tensors_hooks:
    """Within the block, what ops save passes `pack_hook(tensor)`; `unpack_hook` turns it back.

    For example to keep saved values on disk, or to see them.
    """

    def __init__(self, pack_hook, unpack_hook):
        self.hooks = pack_hook, unpack_hook

    def __enter__(self):
        if modes.no_hooks is not None:
            raise error("call-order", RuntimeError(modes.no_hooks),
                        why="hooks on saved tensors are switched off here.",
                        fix="move the block out of disable_saved_tensors_hooks(...).")
        self._before = modes.pack
        modes.pack = self.hooks

    def __exit__(self, *exc):
        modes.pack = self._before


class save_on_cpu(saved_tensors_hooks):
    """Keep a copy of what is saved in main memory."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda t: t.clone(), lambda t: t)


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Within the block, what ops saved may be changed in place: they keep copies.

    >>> x = kobai.tensor([1.0, 2.0], requires_grad=True)
    >>> with kobai.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x * 1.0
    ...     z = y * y
    ...     _ = y.mul_(0)
    ...     z.sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self):
        super().__init__(lambda t: t.clone(), lambda t: t)


class disable_saved_tensors_hooks:
    """Within the block, `saved_tensors_hooks` raises RuntimeError(`error_message`); so does a block inside one."""

    def __init__(self, error_message):
        self.message = error_message

    def __enter__(self):
        if modes.pack is not None and modes.pack is not PASS:
            raise error("call-order", RuntimeError(self.message),
                        why="hooks on saved tensors are at work here.",
                        fix="move the block out of saved_tensors_hooks(...).")
        self._before = modes.no_hooks
        modes.no_hooks = self.message

    def __exit__(self, *exc):
        modes.no_hooks = self._before


def increment_version(tensor):
    """Say that the memory of a tensor (or of several) was changed behind autograd's back."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        t._bump()


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call `fn(grads)` once the gradients of all `tensors` are there, or `fn(grad)` at the first (mode "any").

    Of a tensor that a backward pass does not come to, the gradient is None.
    """
    if mode not in ("all", "any"):
        raise error("argument-choice", ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}"),
                    what="mode", value=mode, choices=["all", "any"])
    collector = _Collector(tuple(tensors), fn, mode)
    return _Handles([t.register_hook(partial(collector.arrive, i)) for i, t in enumerate(collector.tensors)])


class _Collector:
    """The gradients of several tensors in one backward pass."""

    def __init__(self, tensors, fn, mode):
        self.tensors, self.fn, self.mode = tensors, fn, mode
        self.grads, self.missing = [None] * len(tensors), 0

    def arrive(self, i, g):
        first = self.missing == 0
        if first:  # of a new pass
            self.missing = self._expected()
        self.grads[i] = g
        self.missing -= 1
        grads = tuple(self.grads)
        if self.missing == 0:
            self.grads = [None] * len(self.tensors)
        if self.mode == "any" and first:
            self.fn(g)
        elif self.mode == "all" and self.missing == 0:
            self.fn(grads)

    def _expected(self):
        roots, wanted = modes.passing
        there = reached(roots) if wanted is None else leading_to(roots, wanted)
        edges = [edge_of(t) for t in self.tensors]
        return sum((e.node if type(e) is Port else e) in there for e in edges)


class _Handles(Hook):
    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for h in self.handles:
            h.remove()


__all__ = ["AccumulateGrad", "GradientEdge", "Node", "allow_mutation_on_saved_tensors",
           "disable_saved_tensors_hooks", "get_gradient_edge", "increment_version",
           "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]
