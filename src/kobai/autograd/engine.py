"""Reverse mode: send gradients from the outputs back to the leaves."""
from __future__ import annotations

from heapq import heappop, heappush
from math import prod
from sys import getrefcount

import numpy as np

from ..diagnose import error
from ..large import PLAIN, in_rows
from ..lifted import Lifted, m
from ..saved import Packed, raw_saved, tensor_of, tie, unpack
from ..tensor import LiftedTensor, Tensor, constant, edge_of, refresh, wrap
from . import again
from .mode import modes
from .node import AccumulateGrad, Freed, GradientEdge, Node, Port, here, many, note_gradients
from .repeated import attempt as repeated, gradients as repeated_gradients

_generic, _array = np.generic, np.ndarray


def propagate(roots, *, keep, graph=False, wanted=None, within=None):
    """Send each (edge, gradient) of `roots` backward; returns {edge: gradient} of what was reached.

    Later nodes run first, so each has its whole gradient when it runs. `keep`: do not free saved
    values. `graph`: compute on Tensors, so that the gradients have gradients; otherwise on arrays.
    `wanted`: only these edges (and what leads to them); otherwise all leaves. `within`: go only
    through these nodes, as if the others were leaves.
    """
    if modes.trace is not None and not graph:
        return modes.trace.backward(propagate, roots, keep=keep, wanted=wanted, within=within)
    grads, heap, found = {}, [], {}
    needed = None if wanted is None else leading_to(roots, wanted, within)
    freed = None if keep else Freed(here(2))
    ask = graph or wanted is not None or modes.anomaly or modes.look is not None
    if len(roots) == 1:
        (edge, g), = roots
        edges, out = (edge,), (g,)
    else:
        edges, out = zip(*roots)
    while True:
        for edge, g in zip(edges, out):
            if edge is None or g is None:
                continue
            if edge in grads:
                have = grads[edge]
                grads[edge] = m.add(have, g) if g.__class__ is _array and g.size >= PLAIN else have + g
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
        g, saved = grads.pop(node), node.saved
        has_saved = saved.__class__ is tuple and saved
        if ask or node.hooks is not None or g.__class__ is list or has_saved and saved[0].__class__ is Packed:
            edges, out = _asking(node, g, graph, (roots, wanted), needed, found, freed)
        else:  # the way of nearly all nodes
            edges, out = node.edges, node.vjp(node, g, saved)
            if freed is not None and has_saved:
                node.saved = freed
    found.update(grads)  # what is left has no node: the leaves
    return found


def _asking(node, g, graph, which, needed, found, freed):
    """(edges of a node, gradients for them), where hooks, modes or the caller may want to know or change something."""
    if node.hooks is not None:
        from .hooked import hooks_before  # noqa: PLC0415  (few programs have hooks)
        g = hooks_before(node, g, graph, which)
    if needed is not None and node in which[1]:
        found[node] = g
        if not needed[node]:
            return (), ()
    if g.__class__ is list:
        g = _with_zeros(g, node, graph)
    saved = node.saved
    if graph:
        saved = unpack(node)
    elif saved.__class__ is tuple and saved and saved[0].__class__ is Packed:
        saved = raw_saved(node)
    out = node.vjp(node, g, saved)
    if graph and (modes.trace is None or modes.trace.ties):
        out = tie(node, saved, out)
        if node.op is not None and node.op.gradient_shown is not None:
            note_gradients(node, g, out)
    if modes.look is not None:
        modes.look.passed(node, g, out)
    if modes.anomaly:
        _refuse_nan(node, out)
    if freed is not None and saved.__class__ is tuple and saved:
        node.saved = freed
    if node.hooks is not None and node.hooks[1]:
        from .hooked import hooks_after  # noqa: PLC0415
        out = hooks_after(node, out, g, graph)
    return node.edges, out


_PORT = Port._order
_ordinary = propagate  # who films or times passes replaces that name


def reached(roots, within=None):
    """All nodes and leaves that a pass from these roots comes to."""
    seen, stack = set(), [e for e, _ in roots]
    while stack:
        e = stack.pop()
        e = e.node if type(e) is Port else e
        if e is not None and e not in seen:
            seen.add(e)
            if isinstance(e, Node) and (within is None or e in within):
                stack.extend(e.edges)
    return seen


def leading_to(roots, wanted, within=None):
    """{node or leaf: whether anything wanted lies beyond} for all that leads to `wanted`."""
    seen = reached(roots, within)
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


_FEW = 4096  # zeros that are made sooner than a view of one zero


def _with_zeros(grads, node, graph):
    out = []
    for g, known in zip(grads, node.extra["outs"]):
        if g is None and known is not None and getattr(node, "materialize_grads", True):
            shape, dtype = known
            g = np.zeros(shape, dtype) if prod(shape) < _FEW else np.broadcast_to(np.zeros((), dtype), shape)
            g = constant(wrap(g)) if graph else g
        out.append(g)
    return tuple(out)


def _refuse_nan(node, out):
    """In anomaly mode: raise where a gradient turns into NaN, with the line that recorded the operation."""
    for i, g in enumerate(out):
        value = getattr(g, "_value", g)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc" and np.isnan(value).any():
            raise error("nan-gradient", node=node, position=i)


# ---- into .grad ------------------------------------------------------------------------------
def deliver(found, graph=False, which=None):
    """Add what arrived at the leaves into their `.grad`, in the order in which it arrived."""
    simple = not graph and modes.trace is None
    for leaf in [*found]:
        g = found.pop(leaf)
        if simple and leaf._grad is None and leaf._hooks is None:  # as `accumulate` does, without its questions
            if g.__class__ is _array:
                if g.base is not None or getrefcount(g) > _popped or g.ndim > 1 and not g.flags.c_contiguous:
                    g = _own(g, leaf)
                leaf._grad = wrap(g)
                continue
            if isinstance(g, _generic):
                leaf._grad = wrap(g)
                continue
        accumulate(leaf, g, graph, which)


def _into_leaves(roots, keep, graph):
    """A backward pass into `.grad` of all leaves; one that was often made runs as a program."""
    if not graph and len(roots) == 1 and modes.look is None and modes.trace is None and not modes.anomaly:
        (root, g), = roots
        if not isinstance(g, Lifted):
            return _plain_pass(root, g, keep)
    deliver(propagate(roots, keep=keep, graph=graph), graph, (roots, None))


def _plain_pass(root, g, keep):
    """The same from one root on arrays, with nobody watching."""
    if propagate is _ordinary and _single(root, g, keep):
        return
    if root.__class__.__base__ is not Node or not repeated(root, g, keep, propagate, accumulate):
        deliver(propagate(((root, g),), keep=keep), False, (((root, g),), None))


def _single(node, g, keep):
    """A pass through one node that has leaves alone behind it, without the heap; False if it is another one."""
    port = None
    if node.__class__ is Port:
        port, node = node, node.node
    if node.__class__.__base__ is not Node or node.hooks is not None:
        return False
    edges, saved, leaves = node.edges, node.saved, 0
    for edge in edges:
        if edge is not None:
            if edge._order is not None or edge._hooks is not None:
                return False
            leaves += 1
    if leaves > 1 and len({e for e in edges if e is not None}) < leaves:
        return False  # what comes to one leaf is added up first
    has_saved = saved.__class__ is tuple and saved
    if has_saved and saved[0].__class__ is Packed:
        return False
    if node._order < many.below:
        many.begin()
    if port is not None:
        g = (g,) if len(node.extra["outs"]) == 1 else _with_zeros(_at(port, g, None), node, False)
    out = node.vjp(node, g, saved)
    if has_saved and not keep:
        node.saved = Freed(here(2))
    for edge, a in zip(edges, out):  # a rule may give fewer than there are edges
        if edge is None or a is None:
            continue
        if edge._grad is None and (a.__class__ is _array or isinstance(a, _generic)):
            if a.__class__ is _array and (
                    a.base is not None or getrefcount(a) > _given or a.ndim > 1 and not a.flags.c_contiguous):
                a = _own(a, edge)
            edge._grad = wrap(a)
        else:
            accumulate(edge, a)
    return True


def accumulate(leaf, g, graph=False, which=None):
    """Add `g` to `leaf.grad`, in place where nobody else can see the memory."""
    if leaf._hooks is not None and leaf._hooks[0]:
        from .hooked import call_hooks  # noqa: PLC0415
        g = call_hooks(leaf._hooks[0].values(), g, graph, which)
        if not graph and isinstance(g, np.ndarray):
            g = np.array(g)  # a hook may have kept what it got or gave
    old = leaf._grad
    if modes.trace is not None and not graph:
        modes.trace.accumulate(leaf, tensor_of(g))
    elif old is None:
        leaf._grad = tensor_of(g) if graph else tensor_of(_owned(g, leaf))
    elif old.__class__ is Tensor and not old._rg and not graph and g.__class__ is _array and old._data.__class__ is _array:
        _add_to(old, g)  # what most are
    elif graph or isinstance(old, LiftedTensor) or isinstance(g, Lifted) or old._rg:
        leaf._grad = old + tensor_of(g)
    elif old.is_sparse:
        leaf._grad = old.add(tensor_of(g))
    elif old.is_meta:
        return
    else:
        if type(old._data) is np.ndarray:
            _add_to(old, g)
        else:
            old._data = old._data + g
            old._ver[0] += 1
    if leaf._hooks is not None:
        for hook in list(leaf._hooks[1].values()):
            hook(leaf)


def _add_to(old, g):
    """Add an array to a gradient in its memory."""
    try:
        np.add(old._data, g, out=old._data)
    except ValueError:
        if not old._data.flags.writeable:
            raise error("inplace-expanded", tensor=old) from None
        raise
    old._ver[0] += 1


def _owned(g, leaf):
    """`g`, copied if its memory is a view, is held by anybody else, or is laid out unlike the leaf's."""
    if type(g) is np.ndarray and (g.base is not None or getrefcount(g) > _mine or not g.flags.c_contiguous):
        return _own(g, leaf)
    return g


def _own(g, leaf):
    """A copy of `g` in memory of its own, laid out as the leaf's."""
    if g.ndim > 1 and leaf._data.flags.f_contiguous:
        return np.array(g, order="F")
    own = in_rows(g)
    return own if own is not g else np.array(g, order="C")


def _count_references():
    """What getrefcount says where an array comes to `.grad` that nobody holds: Python versions count differently."""
    global _mine, _popped, _given
    for _mine in range(1, 9):
        if _keeps(_accumulate_one):
            break
    for _popped in range(1, 9):
        if _keeps(_deliver_one):
            break
    for _given in range(1, 9):
        if _keeps(_pass_one):
            break


def _keeps(arrive):
    """Whether a new array is not copied on this way."""
    leaf, where = wrap(np.zeros(2)), []

    def new():
        array = np.zeros(2)
        where.append(array.__array_interface__["data"])
        return array
    arrive(leaf, new)
    return leaf._grad._data.__array_interface__["data"] == where[0]


def _accumulate_one(leaf, new):
    g = new()
    accumulate(leaf, g)


def _deliver_one(leaf, new):
    deliver({leaf: new()})


def _pass_one(leaf, new):
    node = object.__new__(_Alone)  # without a number, by which programs' nodes are counted
    node.edges, node.saved, node.vjp, node.hooks, node._order = (leaf,), (), lambda node, g, s: (new(),), None, 0
    _single(node, None, False)


class _Alone(Node):
    __slots__ = ()


_mine = _popped = _given = 0


# ---- the public functions --------------------------------------------------------------------
def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of `tensors` into `.grad` of the leaves (or of `inputs` only).

    Args: `grad_tensors`, the gradient for each tensor, may be left out for those of one element.
    Raises RuntimeError for a tensor without history, or after the graph was freed.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise error("arguments-exclude",
                        RuntimeError("`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                                     "`backward()`. Please only use `grad_tensors`."),
                        what="grad_tensors", other="grad_variables")
        grad_tensors = grad_variables
    tensors = _as_tuple(tensors)
    roots = _roots(tensors, _seeds(grad_tensors, tensors), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        return _into_leaves(roots, keep, create_graph)
    inputs = _as_tuple(inputs)
    if not inputs:
        raise error("argument-count", RuntimeError("`inputs` argument to `backward()` cannot be empty."),
                    what="inputs", count=0, need="at least {n}", n=1,
                    fix="name the tensors whose .grad is wanted, or leave out inputs to fill the .grad of all leaves.")
    edges = {_place(t): t for t in inputs}
    wanted = {node for node, _ in edges}
    found = _to(wanted, roots, keep, create_graph)
    for (node, number), t in edges.items():
        g = found.get(node)
        if isinstance(node, Tensor):
            if g is not None:
                accumulate(node, found.pop(node), create_graph, (roots, wanted))
        else:
            _accumulate_inner(t, g[number] if type(g) is list else g)


def _accumulate_inner(t, g):
    """Into `.grad` of a tensor inside the graph that was named in `inputs`."""
    if g is not None:
        g = tensor_of(np.array(g) if isinstance(g, np.ndarray) else g)
        t._grad = g if t._grad is None else t._grad + g


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
         allow_unused=None, is_grads_batched=False, materialize_grads=False):
    """The gradients of the sum of `outputs` with respect to each of `inputs`, as a tuple.

    >>> import kobai
    >>> x = kobai.tensor(3.0, requires_grad=True)
    >>> kobai.autograd.grad(x ** 2, x)
    (tensor(6.),)
    """
    if materialize_grads and allow_unused is False:
        raise error("arguments-exclude",
                    ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                               "allow_unused=False."),
                    what="materialize_grads=True", other="allow_unused=False",
                    fix="leave out allow_unused: unused inputs get zeros then.")
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    if not inputs:
        raise error("argument-count", RuntimeError("`inputs` argument to `grad()` cannot be empty."),
                    what="inputs", count=0, need="at least {n}", n=1,
                    fix="name the tensors to differentiate by: torch.autograd.grad(loss, [w, b]).")
    seeds = _seeds(grad_outputs, outputs)
    if is_grads_batched:
        from .functional import grad_batched  # noqa: PLC0415  (it needs vmap, which needs this module)
        return grad_batched(outputs, inputs, seeds, create_graph, allow_unused, materialize_grads)
    roots = _roots(outputs, seeds, create_graph)
    places = [_place(t) for t in inputs]
    keep = create_graph if retain_graph is None else retain_graph
    wanted = {node for node, _ in places}
    found = _to(wanted, roots, keep, create_graph)
    for node in found:
        if isinstance(node, Tensor) and node._hooks is not None:
            from .hooked import call_hooks  # noqa: PLC0415
            found[node] = call_hooks(node._hooks[0].values(), found[node], create_graph, (roots, wanted))
    out = []
    for t, (node, number) in zip(inputs, places):
        g = found.get(node)
        g = g[number] if type(g) is list else g
        if g is None:
            if materialize_grads:
                g = constant(wrap(np.zeros(t.shape, t._value.dtype)))
            elif not allow_unused:
                raise error("unused-input", tensor=t if isinstance(t, Tensor) else None, position=len(out),
                            inputs=inputs)
        out.append(tensor_of(np.array(g) if type(g) is np.ndarray and not g.flags.writeable else
                           _apart(g) if modes.trace is not None and not create_graph else g))
    return tuple(out)


def _apart(g):
    """A recorded gradient in memory that can be written, as those that are not recorded are."""
    return m.clone(g) if type(g) is Tensor and type(g._data) is np.ndarray and not g._data.flags.writeable else g


def _to(wanted, roots, keep, graph):
    """`propagate` to some inputs only; checkpoints ask whether it is so."""
    if not graph and modes.look is None and modes.trace is None and not modes.anomaly and roots \
            and roots[0][0].__class__.__base__ is Node:
        found = repeated_gradients(roots, wanted, keep, propagate, leading_to)
        if found is not None:
            return found
    before, modes.partial = modes.partial, True
    try:
        if graph and keep and roots and again.is_ordinary():
            found = again.gradients(roots, wanted, propagate)
            if found is not None:
                return found
        return propagate(roots, keep=keep, graph=graph, wanted=wanted)
    finally:
        modes.partial = before


def _as_tuple(v):
    return (v,) if isinstance(v, (Tensor, GradientEdge)) else tuple(v)


def _seeds(grads, outputs):
    """One gradient, or None, for each output."""
    if grads is None:
        return (None,) * len(outputs)
    grads = (grads,) if isinstance(grads, Tensor) else tuple(grads)
    if len(grads) < len(outputs):
        raise error("lengths-differ", RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients"),
                    what="the tensors", count=len(outputs), other="grad_tensors", other_count=len(grads))
    return grads[:len(outputs)]


def _no_output(t):
    return AssertionError("Expected output to be a torch.Tensor")


def _no_input(t):
    return RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(t).__name__}")


def _edge(t, what="outputs", wrong=_no_output):
    """Where gradients for a tensor, or what get_gradient_edge gave, arrive."""
    if isinstance(t, Tensor):
        return edge_of(t)
    if not isinstance(t, GradientEdge):
        raise error("argument-type", wrong(t), what=what, kind=type(t), must="a tensor")
    if isinstance(t.node, AccumulateGrad):
        return t.node.variable
    return Port(t.node, t.output_nr) if t.node.extra and "outs" in t.node.extra else t.node


def _place(t):
    """(node or leaf, output number) whose gradient is asked for."""
    if isinstance(t, Tensor) and t._rg and t._node is None and t._base is None:
        return t, 0
    e = _edge(t, "inputs", _no_input)
    if e is None:
        raise error("input-no-grad", tensor=t)
    return (e.node, e.number) if type(e) is Port else (e, 0)


def _roots(tensors, grads, graph):
    roots = []
    for i, (t, g) in enumerate(zip(tensors, grads)):
        edge = _edge(t)
        if edge is None:
            raise error("no-grad-fn", tensor=t, position=i)
        roots.append((edge, _seed_of(t, g, graph, i)))
    return roots


def _seed_of(t, g, graph, position):
    """The gradient to start from: given, or one for a tensor of one element."""
    if g.__class__ is t.__class__ is Tensor:  # the usual case: it fits
        a, b = g._data, t._data
        if a.dtype is b.dtype and a.shape == b.shape:
            return g if graph or modes.trace is not None else a
    value = t._value if isinstance(t, Tensor) else None
    if g is None:
        if value is None or value.size != 1:
            raise error("nonscalar-backward", tensor=t if value is not None else None)
        if value.dtype.kind == "c":
            raise error("tensor-dtype",
                        RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {t.dtype}"),
                        what="the result", dtype=t.dtype, fn="backward()", must="numbers that are not complex",
                        why="a complex number has two parts, and backward() must be told how both count.",
                        fix="make a real number of it first (z.abs().backward(), z.real.backward()), or pass gradient=.")
        g = value.dtype.type(1) if not value.shape else np.ones(value.shape, value.dtype)
        return constant(wrap(g)) if graph else g
    if not isinstance(g, Tensor):
        raise error("argument-type", TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}"),
                    what="gradient", kind=type(g), must="a tensor or None")
    if value is not None and g._value.dtype != value.dtype:
        if (g._value.dtype.kind == "c") != (value.dtype.kind == "c"):
            raise error("dtypes-differ", RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                f"dtype: grad_output[{position}] has a dtype of {g.dtype} and output[{position}] has a dtype of "
                f"{t.dtype}."),
                what="gradient", dtype=g.dtype, other="the result", other_dtype=t.dtype)
        g = m.cast(g, value.dtype)
    if value is not None and g._value.shape != value.shape:
        raise error("gradient-shape", tensor=t, gradient=g, position=position)
    return g if graph or modes.trace is not None else g._value


_ONES = {np.float32: np.float32(1), np.float64: np.float64(1)}


def _backward_method(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Compute the gradients of this tensor and add them into `.grad` of the leaves it came from.

    Args: `gradient`, of this tensor's shape, may be left out if it has one element; `retain_graph`
    keeps what was saved for another backward; `create_graph` makes the gradients differentiable;
    `inputs` restricts to these tensors.
    """
    if self._base is not None:
        refresh(self)
    if inputs is None and not create_graph and self.__class__ is Tensor and self._node is not None \
            and modes.look is None and modes.trace is None and not modes.anomaly:
        data, g = self._data, None
        if gradient is None:
            g = _ONES.get(data.__class__)
            if g is None and data.size == 1 and data.dtype.kind == "f":
                g = np.ones(data.shape, data.dtype) if data.ndim else data.dtype.type(1)
        elif gradient.__class__ is Tensor:
            g = gradient._data
            if g.dtype is not data.dtype or g.shape != data.shape:
                g = None
        if g is not None:  # an ordinary pass: no questions
            return _plain_pass(self._node, g, retain_graph)
    if gradient is not None and not isinstance(gradient, Tensor):
        raise error("argument-type",
                    TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}"),
                    what="gradient", kind=type(gradient), must="a tensor or None")
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


Tensor.backward = _backward_method
_count_references()
