"""Reverse mode: send gradients from the outputs back to the leaves."""
from __future__ import annotations

import sys
from heapq import heappop, heappush

import numpy as np

from ..diagnose import error
from ..lifted import Lifted
from ..saved import Packed, raw_saved, unpack
from ..tensor import LiftedTensor, Tensor, edge_of, wrap
from .mode import modes
from .node import Freed, Node, Port, here


def propagate(roots, *, keep, graph=False, wanted=None, within=None):
    """Send each (edge, gradient) of `roots` backward; returns {edge: gradient} of what was reached.

    Later nodes run first, so each has its whole gradient when it runs. `keep`: do not free saved
    values. `graph`: compute on Tensors, so that the gradients have gradients; otherwise on arrays.
    `wanted`: only these edges (and what leads to them); otherwise all leaves. `within`: go only
    through these nodes, as if the others were leaves.
    """
    grads, heap, found = {}, [], {}
    needed = None if wanted is None else _leading_to(roots, wanted, within)
    freed = None if keep else Freed(here(2))
    edges, out = zip(*roots)
    while True:
        for edge, g in zip(edges, out):
            if edge is None or g is None:
                continue
            if edge in grads:
                grads[edge] = grads[edge] + g
                continue
            order = edge._order
            if order == _PORT:
                known = edge.node in grads
                edge, g, order = edge.node, _at(edge, g, grads.get(edge.node)), edge.node._order
                if known:
                    continue
            if needed is None or edge in needed:
                grads[edge] = g
                if order is not None:  # a leaf waits until all is done
                    heappush(heap, (order, edge))
        if not heap:
            break
        node = heappop(heap)[1]
        g = grads.pop(node)
        if node.hooks is not None:
            g = _hooks_before(node, g, graph)
        if wanted is not None and node in wanted:
            found[node] = g
            if not needed[node]:
                edges = ()
                continue
        if g.__class__ is list:
            g = _with_zeros(g, node, graph)
        saved = node.saved
        if graph:
            saved = unpack(node)
        elif saved.__class__ is tuple and saved and saved[0].__class__ is Packed:
            saved = raw_saved(node)
        edges, out = node.edges, node.vjp(node, g, saved)
        if freed is not None and saved.__class__ is tuple and saved:
            node.saved = freed
        if node.hooks is not None and node.hooks[1]:
            out = _hooks_after(node, out, g, graph)
    found.update(grads)  # what is left has no node: the leaves
    return found


_PORT = Port._order


def _leading_to(roots, wanted, within):
    """{node or leaf: whether anything wanted lies beyond} for all that leads to `wanted`."""
    seen, stack = set(), [e for e, _ in roots]
    while stack:
        e = stack.pop()
        e = e.node if type(e) is Port else e
        if e is not None and e not in seen:
            seen.add(e)
            if isinstance(e, Node) and (within is None or e in within):
                stack.extend(e.edges)
    needed = {e: False for e in seen if not isinstance(e, Node) and e in wanted}
    for node in sorted((e for e in seen if isinstance(e, Node)), key=lambda n: -n._order):
        beyond = (within is None or node in within) and any(
            (e.node if type(e) is Port else e) in needed for e in node.edges if e is not None)
        if beyond or node in wanted:
            needed[node] = beyond
    return needed


def _at(port, g, have):
    """The gradients of all outputs of a node, with `g` added at the port's place."""
    if have is None:
        have = [None] * len(port.node.extra["outs"])
        have[port.number] = g
        return have
    old = have[port.number]
    have[port.number] = g if old is None else old + g
    return have


def _with_zeros(grads, node, graph):
    out = []
    for g, (shape, dtype) in zip(grads, node.extra["outs"]):
        if g is None and getattr(node, "materialize_grads", True):
            g = np.broadcast_to(np.zeros((), dtype), shape)
            g = wrap(g) if graph else g
        out.append(g)
    return tuple(out)


# ---- hooks -----------------------------------------------------------------------------------
def _tensor(g):
    if g is None or isinstance(g, Tensor):
        return g
    return LiftedTensor(g) if isinstance(g, Lifted) else wrap(g)


def _plain(g, graph):
    return g if graph or g is None or not isinstance(g, Tensor) else g._value


def _call_hooks(hooks, g, graph, what="hook"):
    """The gradient after hooks that may each return another one."""
    before, modes.grad = modes.grad, graph
    try:
        t = _tensor(g)
        for hook in list(hooks):
            new = hook(t)
            if new is not None:
                if not isinstance(new, Tensor):
                    raise TypeError(f"expected a Tensor or None from a {what}, got {type(new).__name__}")
                t = new
    finally:
        modes.grad = before
    return _plain(t, graph)


def _hooks_before(node, g, graph):
    before, _, by_output = node.hooks
    many = type(g) is list
    gs = list(g) if many else [g]
    for number, hooks in by_output.items():
        if gs[number] is not None:
            gs[number] = _call_hooks(hooks["tensor"].values(), gs[number], graph)
            for keep in hooks["retain"]:
                keep(_tensor(gs[number]))
    for hook in list(before.values()):
        new = hook(tuple([_tensor(v) for v in gs]))
        if new is not None:
            gs = [_plain(v, graph) for v in (new if isinstance(new, tuple) else (new,))]
    return gs if many else gs[0]


def _hooks_after(node, out, g, graph):
    g_out = tuple([_tensor(v) for v in (g if isinstance(g, tuple) else (g,))])
    for hook in list(node.hooks[1].values()):
        new = hook(tuple([_tensor(v) for v in out]), g_out)
        if new is not None:
            out = tuple([_plain(v, graph) for v in (new if isinstance(new, tuple) else (new,))])
    return out


# ---- into .grad ------------------------------------------------------------------------------
def accumulate(leaf, g, graph=False):
    """Add `g` to `leaf.grad`, in place where nobody else can see the memory."""
    if leaf._hooks is not None:
        g = _call_hooks(leaf._hooks[0].values(), g, graph)
    old = leaf._grad
    if old is None:
        leaf._grad = g if graph else _tensor(_owned(g))
    elif graph or isinstance(old, LiftedTensor) or isinstance(g, Lifted) or old._rg:
        leaf._grad = old + _tensor(g)
    elif old.is_sparse:
        leaf._grad = old.add(_tensor(g))
    else:
        if type(old._data) is np.ndarray:
            np.add(old._data, g, out=old._data)
        else:
            old._data = old._data + g
        old._ver[0] += 1
    if leaf._hooks is not None:
        for hook in list(leaf._hooks[1].values()):
            hook(leaf)


def _owned(g):
    """`g`, copied if its memory is a view, or is held by anybody but the caller."""
    if type(g) is np.ndarray and (g.base is not None or sys.getrefcount(g) > _MINE or not g.flags.c_contiguous):
        return np.array(g)
    return g


_MINE = 5  # found's value, accumulate's g, _owned's g, the call's argument, getrefcount's own


# ---- the public functions --------------------------------------------------------------------
def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of `tensors` into `.grad` of the leaves (or of `inputs` only).

    Args: `grad_tensors`, the gradient for each tensor, may be left out for those of one element.
    Raises RuntimeError for a tensor without history, or after the graph was freed.
    """
    tensors = _as_tuple(tensors)
    grad_tensors = _as_tuple(grad_tensors) if grad_tensors is not None else (None,) * len(tensors)
    roots = _roots(tensors, grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    wanted = None
    if inputs is not None:
        inputs = _as_tuple(inputs)
        if not inputs:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
        wanted = {_node_of(t): t for t in inputs}
    found = propagate(roots, keep=keep, graph=create_graph, wanted=wanted)
    while found:
        edge, g = found.popitem()
        if isinstance(edge, Tensor):
            accumulate(edge, g, create_graph)
        else:
            _accumulate_inner(wanted[edge], g)


def _accumulate_inner(t, g):
    """Into `.grad` of a tensor inside the graph that was named in `inputs`."""
    if type(g) is list:
        g = g[t.output_nr]
    t._retains = True
    t._grad = _tensor(g) if t._grad is None else t._grad + _tensor(g)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
         allow_unused=None, is_grads_batched=False, materialize_grads=False):
    """The gradients of the sum of `outputs` with respect to each of `inputs`, as a tuple.

    >>> import kobai
    >>> x = kobai.tensor(3.0, requires_grad=True)
    >>> kobai.autograd.grad(x ** 2, x)
    (tensor(6.),)
    """
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    grad_outputs = _as_tuple(grad_outputs) if grad_outputs is not None else (None,) * len(outputs)
    if is_grads_batched:
        from .functional import grad_batched  # it needs vmap, which needs this module
        return grad_batched(outputs, inputs, grad_outputs, create_graph, allow_unused, materialize_grads)
    for t in inputs:
        if not t.requires_grad:
            raise error("input-no-grad", tensor=t)
    roots = _roots(outputs, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    edges = [edge_of(t) for t in inputs]
    found = propagate(roots, keep=keep, graph=create_graph, wanted={_node_of(t): t for t in inputs})
    out = []
    for t, e in zip(inputs, edges):
        g = found.get(e.node if type(e) is Port else e)
        if type(e) is Port and g is not None:
            g = g[e.number]
        if g is None:
            if materialize_grads:
                g = np.zeros(t.shape, t._value.dtype)
            elif not allow_unused:
                raise error("unused-input", tensor=t, position=len(out), inputs=inputs)
        elif isinstance(t, Tensor) and t._node is None and t._hooks is not None:
            g = _call_hooks(t._hooks[0].values(), g, create_graph)
        out.append(_tensor(np.array(g) if type(g) is np.ndarray and not g.flags.writeable else g))
    return tuple(out)


def _node_of(t):
    e = edge_of(t)
    return e.node if type(e) is Port else e


def _as_tuple(v):
    return (v,) if isinstance(v, Tensor) else tuple(v)


def _roots(tensors, grads, graph):
    roots = []
    for t, g in zip(tensors, grads, strict=True):
        edge = edge_of(t)
        if edge is None:
            raise error("no-grad-fn", tensor=t)
        value = t._value
        if g is None:
            if value.size != 1:
                raise error("nonscalar-backward", tensor=t)
            if value.dtype.kind == "c":
                raise RuntimeError("grad can be implicitly created only for real scalar outputs but got "
                                   f"{t.dtype}")
            g = value.dtype.type(1) if not value.shape else np.ones(value.shape, value.dtype)
            g = wrap(g) if graph else g
        else:
            if g._value.shape != value.shape:
                raise error("gradient-shape", tensor=t, gradient=g)
            g = g if graph else g._value
        roots.append((edge, g))
    return roots


_ONES = {np.float32: np.float32(1), np.float64: np.float64(1)}


def _backward_method(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Compute the gradients of this tensor and add them into `.grad` of the leaves it came from.

    Args: `gradient`, of this tensor's shape, may be left out if it has one element; `retain_graph`
    keeps what was saved for another backward; `create_graph` makes the gradients differentiable;
    `inputs` restricts to these tensors.
    """
    if gradient is None and inputs is None and not create_graph and self._base is None:
        data = getattr(self, "_data", None)
        if data is not None and data.__class__ in _ONES and self._node is not None:  # a scalar loss: no questions
            found = propagate(((self._node, _ONES[data.__class__]),), keep=retain_graph)
            while found:
                accumulate(*found.popitem())
            return
    if gradient is not None and not isinstance(gradient, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


Tensor.backward = _backward_method
