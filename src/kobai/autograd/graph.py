"""Looking at and acting on the recorded graph (torch.autograd.graph's names)."""
from __future__ import annotations

from ..tensor import Tensor, edge_of
from .mode import modes
from .node import AccumulateGrad, GradientEdge, Hook, Node, Port, accumulator


def get_gradient_edge(tensor):
    """The place in the graph where the gradient of `tensor` is computed."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
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
        self._before = modes.pack
        modes.pack = self.hooks

    def __exit__(self, *exc):
        modes.pack = self._before


class save_on_cpu(saved_tensors_hooks):
    """Keep a copy of what is saved in main memory."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda t: t.clone(), lambda t: t)


class disable_saved_tensors_hooks:
    """Within the block, `saved_tensors_hooks` raises `error_message`; hooks set before do not act."""

    def __init__(self, error_message):
        self.message = error_message

    def __enter__(self):
        self._before = modes.pack
        modes.pack = None

    def __exit__(self, *exc):
        modes.pack = self._before


def increment_version(tensor):
    """Say that the memory of a tensor (or of several) was changed behind autograd's back."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        t._bump()


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call `fn(grads)` once the gradients of all `tensors` are there, or `fn(grad)` at the first (mode "any")."""
    tensors = tuple(tensors)
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    grads, handles = {}, []

    def arrive(i, g):
        if mode == "any":
            if not grads:
                grads[i] = g
                fn(g)
            return
        grads[i] = g
        if len(grads) == len(tensors):
            fn(tuple([grads[k] for k in range(len(tensors))]))
            grads.clear()
    for i, t in enumerate(tensors):
        handles.append(t.register_hook(lambda g, i=i: arrive(i, g)))
    return _Handles(handles)


class _Handles(Hook):
    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for h in self.handles:
            h.remove()


__all__ = ["AccumulateGrad", "GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge",
           "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]
